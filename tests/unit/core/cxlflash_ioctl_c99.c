/* SPDX-License-Identifier: Apache-2.0 */
/* core/cxlflash_ioctl.h as a program in strict C99 sees it: the header comes first and alone. */
#include "core/cxlflash_ioctl.h"

#include "tests/unit/core/cxlflash_ioctl_program.h"

void c99_program_fill(unsigned long request, void *out);

void c99_program_fill(unsigned long request, void *out)
{
    union program_request r;

    program_fill(request, &r);
    memcpy(out, &r, sizeof r);
}
