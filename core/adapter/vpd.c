/* SPDX-License-Identifier: Apache-2.0 */
/* The list is a sequence of resources. A large one begins with a byte that has bit 7 set and a
 * little-endian 16-bit length; a small one has its length in the low 3 bits of its only header
 * byte, tag 0x0F being the end. The read-only section (large, 0x90) is a sequence of keywords: two
 * characters, one byte of length, value. */
#include "core/adapter/vpd.h"

#include <errno.h>
#include <stdbool.h>

#include "hal/support/check.h"

enum {
    LARGE = 0x80,
    READ_ONLY = 0x90,
    SMALL_END = 0x0F, /* tag in bits 6..3 */
    LARGE_HEADER = 3,
    KEYWORD_HEADER = 3,
    PORTS = 4,
};

/* A part of the data that is still to be read. */
struct span {
    const uint8_t *at;
    size_t left;
};

/* Splits `n` bytes off the front of s. */
static bool cut(struct span *s, size_t n, struct span *out)
{
    if (n > s->left)
        return false;
    *out = (struct span){s->at, n};
    s->at += n;
    s->left -= n;
    return true;
}

/* Reads one resource header. False at the end of the list or if the header is incomplete. */
static bool next_resource(struct span *s, uint8_t *tag, size_t *length)
{
    struct span header;

    if (!s->left)
        return false;
    *tag = s->at[0];
    if (*tag & LARGE) {
        if (!cut(s, LARGE_HEADER, &header))
            return false;
        *length = (size_t)header.at[1] | (size_t)header.at[2] << 8;
        return true;
    }
    if (!cut(s, 1, &header))
        return false;
    *length = *tag & 7;
    return (*tag >> 3) != SMALL_END;
}

/* Finds the read-only section; one that is cut off by the end of the data (only the first 256
 * bytes are read) counts as far as it goes. */
static bool find_read_only(struct span *s, struct span *section)
{
    uint8_t tag;
    size_t length;

    while (next_resource(s, &tag, &length)) {
        if (tag == READ_ONLY)
            return cut(s, length < s->left ? length : s->left, section);
        if (!cut(s, length, section))
            return false;
    }
    return false;
}

/* 0 and the value, -ENOENT without the keyword, -ENODEV if its value is cut off. A longer list than
 * what was read is normal, so that another keyword cut off is just the end. */
static int find_keyword(struct span section, const char name[2], struct span *value)
{
    struct span header;

    while (cut(&section, KEYWORD_HEADER, &header)) {
        bool complete = cut(&section, header.at[2], value);
        if (header.at[0] == (uint8_t)name[0] && header.at[1] == (uint8_t)name[1])
            return complete ? 0 : -ENODEV;
        if (!complete)
            break;
    }
    return -ENOENT;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int parse_hex(struct span text, uint64_t *out)
{
    uint64_t value = 0;

    if (text.left != SPIPE__VPD_WWPN_LENGTH)
        return -ENODEV;
    for (size_t i = 0; i < text.left; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0)
            return -ENODEV;
        value = value << 4 | (unsigned)digit;
    }
    *out = value;
    return 0;
}

int spipe__vpd_wwpn(const void *vpd, size_t length, unsigned port, uint64_t *wwpn)
{
    struct span all = {vpd, length}, section, value;
    const char name[2] = {'V', (char)('5' + port)};
    int rc;

    CHECK(port < PORTS);
    rc = find_read_only(&all, &section) ? find_keyword(section, name, &value) : -ENOENT;
    if (rc == -ENOENT) {
        *wwpn = 0;
        return 0;
    }
    return rc ? rc : parse_hex(value, wwpn);
}
