/* SPDX-License-Identifier: Apache-2.0 */
/* C and C++ agree on core/cxlflash_ioctl.h: a request that a C++ program filled is the same to C.
 * cxlflash_ioctl_test.c says what it must be. */
#include "core/cxlflash_ioctl.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/unit/core/cxlflash_ioctl_program.h"
#include "tests/unit/core/cxlflash_ioctl_spec.h"

/* cxlflash_ioctl_cxx.cc */
void cxx_program_fill(unsigned long request, void *out);

#define CODE(name, s, number, size, code) code,
static const unsigned long codes[] = {SPEC_CODES(CODE)};

Test(cxlflash_ioctl_cxx, requests_filled_in_both_languages_are_equal)
{
    static const union program_request empty;
    union program_request by_c, by_cxx;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(codes); i++) {
        program_fill(codes[i], &by_c);
        cxx_program_fill(codes[i], &by_cxx);
        cr_expect_neq(memcmp(by_c.bytes, empty.bytes, sizeof empty.bytes), 0, "0x%lx is not known",
                      codes[i]);
        cr_expect_eq(memcmp(by_c.bytes, by_cxx.bytes, sizeof by_c.bytes), 0, "0x%lx differs",
                     codes[i]);
    }
}
