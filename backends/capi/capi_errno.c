/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_errno.h"

#include <errno.h>
#include <stddef.h>

#include "hal/support/bits.h"

static const struct {
    int from, to;
} table[] = {
    {EINVAL, -EINVAL},       {ENOMEM, -ENOMEM},     {EACCES, -EACCES},
    {EBUSY, -EBUSY},         {EIO, -EIO},           {ENODEV, -ENODEV},
    {ENOSPC, -ENOSPC},       {ENXIO, -ENXIO},       {ENOSYS, -ENOSYS},
    {ETIMEDOUT, -ETIMEDOUT}, {EINTR, -EINTR},       {ENOENT, -ENODEV}, /* no node, no attribute */
    {ENOTDIR, -ENODEV},      {EPERM, -EACCES},      {EROFS, -EACCES},
    {EAGAIN, -EBUSY},        {ELIBBAD, -ENXIO},     {ELIBACC, -ENXIO},
    {EPROTO, -ENXIO}, /* CX-18; only opening a device says EPROTO itself */
    {EFAULT, -EINVAL},       {EMFILE, -ENOMEM},     {ENFILE, -ENOMEM},
    {ENOTTY, -ENOSYS},       {EOPNOTSUPP, -ENOSYS},
};

int capi_errno(int error)
{
    if (error < 0)
        error = -error;
    if (error == 0)
        return 0;
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(table); i++)
        if (table[i].from == error)
            return table[i].to;
    return -EIO;
}
