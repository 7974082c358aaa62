/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_errno.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/testlib/proves.h"

/* The set of R-43, as hal/hal.h has it. */
static bool is_of_the_set(int rc)
{
    static const int set[] = {EINVAL, ENOMEM, EACCES, EBUSY,     EIO,   ENODEV,
                              ENOSPC, ENXIO,  ENOSYS, ETIMEDOUT, EINTR, 0};

    for (unsigned i = 0; i < sizeof set / sizeof set[0]; i++)
        if (rc == -set[i])
            return true;
    return false;
}

Test(capi_errno, everything_becomes_one_of_the_set)
{
    for (int error = -200; error <= 200; error++)
        cr_assert(is_of_the_set(capi_errno(error)), "%d became %d", error, capi_errno(error));
    PROVES(CX_142);
    PROVES(R_43);
}

Test(capi_errno, those_of_the_set_stay)
{
    static const int same[] = {ENODEV, ENXIO, EBUSY,  ENOSPC,    EINVAL, ENOMEM,
                               EACCES, EIO,   ENOSYS, ETIMEDOUT, EINTR};

    for (unsigned i = 0; i < sizeof same / sizeof same[0]; i++) {
        cr_assert_eq(capi_errno(same[i]), -same[i]);
        cr_assert_eq(capi_errno(-same[i]), -same[i]);
    }
    cr_assert_eq(capi_errno(0), 0);
    PROVES(CX_142);
}

/* a missing node is no device, a wrong library is the wrong one. */
Test(capi_errno, others_have_a_meaning_there)
{
    static const int pairs[][2] = {
        {ENOENT, ENODEV}, {ELIBBAD, ENXIO}, {EPROTO, ENXIO},   {EPERM, EACCES},
        {EAGAIN, EBUSY},  {EMFILE, ENOMEM}, {ENFILE, ENOMEM},  {EFAULT, EINVAL},
        {ENOTTY, ENOSYS}, {EROFS, EACCES},  {ENOTDIR, ENODEV}, {ECHILD, EIO},
    };

    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        cr_assert_eq(capi_errno(pairs[i][0]), -pairs[i][1], "errno %d", pairs[i][0]);
    PROVES(R_43);
}
