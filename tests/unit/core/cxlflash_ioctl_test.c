/* SPDX-License-Identifier: Apache-2.0 */
/* core/cxlflash_ioctl.h against the tables of the specification: every size, offset, flag and code
 * as a literal number, every request as the bytes that a program gets by filling it. */
#include "core/cxlflash_ioctl.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"
#include "tests/unit/core/cxlflash_ioctl_program.h"
#include "tests/unit/core/cxlflash_ioctl_spec.h"

TestSuite(cxlflash_ioctl, .timeout = 60);

/* cxlflash_ioctl_c99.c */
void c99_program_fill(unsigned long request, void *out);

/* ---- structures ---- */

struct structure {
    const char *name;
    size_t is, want;
};

#define STRUCTURE(s, size) {#s, sizeof(struct s), size},
static const struct structure structures[] = {SPEC_STRUCTURES(STRUCTURE)};

struct field {
    const char *structure, *name;
    size_t is_at, is_bytes;
    size_t at, bytes;
};

#define FIELD(s, f, at, bytes)                                                                     \
    {#s, #f, offsetof(struct s, f), sizeof(((struct s *)NULL)->f), at, bytes},
static const struct field fields[] = {SPEC_DISK_FIELDS(FIELD) SPEC_HOST_FIELDS(FIELD)};

Test(cxlflash_ioctl, every_structure_has_its_size)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(structures); i++)
        cr_expect_eq(structures[i].is, structures[i].want, "%s has %zu bytes, not %zu",
                     structures[i].name, structures[i].is, structures[i].want);
}

Test(cxlflash_ioctl, every_field_has_its_place)
{
    for (const struct field *f = fields; f < fields + HAL_ARRAY_LENGTH(fields); f++) {
        cr_expect_eq(f->is_at, f->at, "%s.%s is at %zu", f->structure, f->name, f->is_at);
        cr_expect_eq(f->is_bytes, f->bytes, "%s.%s has %zu bytes", f->structure, f->name,
                     f->is_bytes);
    }
}

/* SP section 3: no padding. The fields of the list, in its order, cover each structure; so none is
 * missing in the list either. */
Test(cxlflash_ioctl, fields_leave_no_gap)
{
    size_t end, n = 0;

    for (const struct structure *s = structures; s < structures + HAL_ARRAY_LENGTH(structures);
         s++) {
        end = 0;
        for (const struct field *f = fields; f < fields + HAL_ARRAY_LENGTH(fields); f++) {
            if (strcmp(f->structure, s->name) != 0)
                continue;
            cr_expect_eq(f->is_at, end, "before %s.%s", f->structure, f->name);
            end = f->is_at + f->is_bytes;
            n++;
        }
        cr_expect_eq(end, s->is, "end of %s", s->name);
    }
    cr_expect_eq(n, HAL_ARRAY_LENGTH(fields));
}

/* ---- constants ---- */

struct constant {
    const char *name;
    uint64_t is, want;
};

#define CONSTANT(name, value) {#name, name, UINT64_C(value)},
static const struct constant constants[] = {SPEC_CONSTANTS(CONSTANT)};

Test(cxlflash_ioctl, every_constant_has_its_value)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(constants); i++)
        cr_expect_eq(constants[i].is, constants[i].want, "%s", constants[i].name);
}

/* Of the return flags the first three are common to requests, the last belongs to one. */
Test(cxlflash_ioctl, return_flags_grow_from_both_ends)
{
    cr_assert_eq(DK_CXLFLASH_ALL_PORTS_ACTIVE, UINT64_C(1) << 0);
    cr_assert_eq(DK_CXLFLASH_APP_CLOSE_ADAP_FD, UINT64_C(1) << 1);
    cr_assert_eq(DK_CXLFLASH_CONTEXT_SQ_CMD_MODE, UINT64_C(1) << 2);
    cr_assert_eq(DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET, UINT64_C(1) << 63);
    PROVES(SP_12);
}

/* SP section 4 counts on these values of the host's <fcntl.h>. */
Test(cxlflash_ioctl, access_modes_are_those_of_the_host)
{
    cr_assert_eq(O_RDONLY, 0);
    cr_assert_eq(O_WRONLY, 1);
    cr_assert_eq(O_RDWR, 2);
}

/* ---- codes ---- */

struct code {
    const char *name;
    unsigned long is, by_host; /* by_host: as <sys/ioctl.h> encodes it here */
    unsigned long number, size, want;
};

#define CODE(name, s, number, size, code)                                                          \
    {#name, name, _IOWR(0xCA, number, struct s), number, size, code},
static const struct code codes[] = {SPEC_CODES(CODE)};

/* The two encodings of Linux, of a request in both directions: x86 and most others have "write" 1
 * and "read" 2 in 2 bits above a size of 14; Power has "read" 2 and "write" 4 in 3 bits above a
 * size of 13. */
static unsigned long encode_common(unsigned long number, unsigned long size)
{
    return 3ul << 30 | (size & 0x3FFF) << 16 | 0xCA00 | number;
}

static unsigned long encode_power(unsigned long number, unsigned long size)
{
    return 6ul << 29 | (size & 0x1FFF) << 16 | 0xCA00 | number;
}

Test(cxlflash_ioctl, every_request_has_its_code_in_both_encodings)
{
    for (const struct code *c = codes; c < codes + HAL_ARRAY_LENGTH(codes); c++) {
        cr_expect_eq(c->is, c->want, "%s is 0x%lx", c->name, c->is);
        cr_expect_eq(c->by_host, c->want, "%s is 0x%lx in this host", c->name, c->by_host);
        cr_expect_eq(encode_common(c->number, c->size), c->want, "%s, x86", c->name);
        cr_expect_eq(encode_power(c->number, c->size), c->want, "%s, Power", c->name);
    }
    cr_expect_eq(HAL_ARRAY_LENGTH(codes), 12);
}

/* ---- bytes ---- */

/* A filled request as its fields, one number a word, leading zeros included: as many digits as the
 * field has. What is not there is 0. */
struct image {
    uint32_t code;
    const char *fields;
};

#define NO_FLAGS "0000 0000 0000 0000  0000000000000000  0000000000000000  "

static const struct image images[] = {
    {0xC090CA80, "0000 0000 0000 0000  8000000000000002  0000000000000006 "
                 "0000000000000004 1234567800000007 0000000000010000 0000000000001000 "
                 "ffffffffffffffff 0102030405060708 1112131415161718"},
    {0xC070CA81, NO_FLAGS "2122232425262728 3132333435363738 4142434445464748"},
    {0xC068CA82, NO_FLAGS "2122232425262728 3132333435363738"},
    {0xC060CA83, NO_FLAGS "2122232425262728"},
    {0xC090CA84, NO_FLAGS "2122232425262728 3132333435363738 8000000000000000 4142434445464748 "
                          "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae af b0 b1 "
                          "c0 c1 c2 c3 c4 c5"},
    {0xC078CA85, "0000 0000 0000 0000  0000000000000000  8000000000000000 "
                 "8182838485868788 2122232425262728 0000000000010000 7172737475767778"},
    {0xC068CA86, "0102 0304 0506 0708  e000000000000000  0000000000000000 "
                 "60 61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f "
                 "0000000000000001 0000000000000002 0000000000000003 0000000000000004 "
                 "0000000000000005 0000000000000006 0000000000000007 0000000000000008"},
    {0xC078CA87, "0000 0000 0000 0000  8000000000000000  0000000000000001 "
                 "2122232425262728 5152535455565758 3132333435363738 4142434445464748"},
    {0xC078CA88, NO_FLAGS "2122232425262728 3132333435363738 5152535455565758 4142434445464748"},
    {0xC070CA89, NO_FLAGS "2122232425262728 6162636465666768 7172737475767778"},
    {0xC0A0CABF, "0000 0003 0506 0708  0000000000000001  0000000000000002 "
                 "090a 0000 0000 0b0c 2122232425262728 3132333435363738 "
                 "60 61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f "
                 "4142434445464748 5152535455565758 6162636465666768 7172737475767778"},
    {0xC078CABE, "0000 0000 0000 0000  0000000000000001  0000000000000000 "
                 "c0 c1 c2 c3 a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab "
                 "2122232425262728 00040000 31323334 "
                 "0000000000000000 0000000000000000 0000000000000000 0000000000000000 "
                 "0000000000000000 0000000000000000 0000000000000000 4142434445464748"},
};

/* Lays the numbers of `text` down as a host of that order has them in memory. */
static size_t lay_down(const char *text, bool big, unsigned char *out, size_t room)
{
    char pair[3] = "";
    size_t n = 0, bytes;

    for (; *text; text += strspn(text, " "), n += bytes) {
        bytes = strcspn(text, " ") / 2;
        cr_assert_leq(n + bytes, room);
        for (size_t i = 0; i < bytes; i++, text += 2) {
            memcpy(pair, text, 2);
            out[big ? n + i : n + bytes - 1 - i] = (unsigned char)strtoul(pair, NULL, 16);
        }
    }
    return n;
}

static bool host_is_big(void) { return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__; }

Test(cxlflash_ioctl, every_filled_request_has_its_bytes)
{
    unsigned char want[160];
    union program_request is;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(images); i++) {
        memset(want, 0, sizeof want);
        lay_down(images[i].fields, host_is_big(), want, sizeof want);
        c99_program_fill(images[i].code, &is);
        for (size_t b = 0; b < sizeof want; b++)
            cr_expect_eq(is.bytes[b], want[b], "0x%x, byte %zu is %02x, not %02x", images[i].code,
                         b, is.bytes[b], want[b]);
    }
    cr_expect_eq(HAL_ARRAY_LENGTH(images), HAL_ARRAY_LENGTH(codes));
    PROVES(SP_177);
}

/* One image byte by byte in both orders, so that lay_down() hides nothing. */
Test(cxlflash_ioctl, attach_has_these_bytes)
{
    static const unsigned char big[80] = {
        0,    0,    0,    0,    0,    0,    0,    0,    /* version, rsvd */
        0x80, 0,    0,    0,    0,    0,    0,    2,    /* flags */
        0,    0,    0,    0,    0,    0,    0,    6,    /* return_flags */
        0,    0,    0,    0,    0,    0,    0,    4,    /* num_interrupts */
        0x12, 0x34, 0x56, 0x78, 0,    0,    0,    7,    /* context_id */
        0,    0,    0,    0,    0,    1,    0,    0,    /* mmio_size */
        0,    0,    0,    0,    0,    0,    0x10, 0,    /* block_size */
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, /* adap_fd */
        1,    2,    3,    4,    5,    6,    7,    8,    /* last_lba */
        0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, /* max_xfer */
    };
    static const unsigned char little[80] = {
        0,    0,    0,    0,    0,    0,    0,    0,    /* version, rsvd */
        2,    0,    0,    0,    0,    0,    0,    0x80, /* flags */
        6,    0,    0,    0,    0,    0,    0,    0,    /* return_flags */
        4,    0,    0,    0,    0,    0,    0,    0,    /* num_interrupts */
        7,    0,    0,    0,    0x78, 0x56, 0x34, 0x12, /* context_id */
        0,    0,    1,    0,    0,    0,    0,    0,    /* mmio_size */
        0,    0x10, 0,    0,    0,    0,    0,    0,    /* block_size */
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, /* adap_fd */
        8,    7,    6,    5,    4,    3,    2,    1,    /* last_lba */
        0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* max_xfer */
    };
    union program_request is;

    c99_program_fill(0xC090CA80, &is);
    cr_assert_arr_eq(is.bytes, host_is_big() ? big : little, 80);
}
