// SPDX-License-Identifier: Apache-2.0
// core/cxlflash_ioctl.h as a C++ program sees it. Most of it is proved by compiling: the header
// comes first and alone, every size, offset, value and code is asserted. What is left to run is
// in cxlflash_ioctl_cxx_test.c.
#include "core/cxlflash_ioctl.h"

#include "tests/unit/core/cxlflash_ioctl_program.h"
#include "tests/unit/core/cxlflash_ioctl_spec.h"

namespace
{

#define STRUCTURE(s, size) static_assert(sizeof(struct s) == (size), #s);
SPEC_STRUCTURES(STRUCTURE)

#define FIELD(s, f, at, bytes)                                                                     \
    static_assert(offsetof(struct s, f) == (at), #s "." #f);                                       \
    static_assert(sizeof(s::f) == (bytes), #s "." #f);
SPEC_DISK_FIELDS(FIELD)
SPEC_HOST_FIELDS(FIELD)

#define CONSTANT(name, value) static_assert(name == UINT64_C(value), #name);
SPEC_CONSTANTS(CONSTANT)

#define CODE(name, s, number, size, code) static_assert(name == code##ul, #name);
SPEC_CODES(CODE)

} // namespace

extern "C" void cxx_program_fill(unsigned long request, void *out)
{
    program_request r;

    program_fill(request, &r);
    memcpy(out, &r, sizeof r);
}
