/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/scsi_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"

enum { DUMP_WIDTH = 16 };

/* ---- words ---- */

struct words {
    unsigned code;
    const char *text;
};

static const char *find(const struct words *table, size_t n, unsigned code)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].code == code)
            return table[i].text;
    return NULL;
}

const char *scsi_text_status(uint8_t status)
{
    static const struct words table[] = {
        {0x00, "GOOD"},       {0x02, "CHECK CONDITION"},      {0x04, "CONDITION MET"},
        {0x08, "BUSY"},       {0x18, "RESERVATION CONFLICT"}, {0x28, "TASK SET FULL"},
        {0x30, "ACA ACTIVE"}, {0x40, "TASK ABORTED"},
    };
    const char *text = find(table, HAL_ARRAY_LENGTH(table), status);

    return text ? text : "unknown status";
}

const char *scsi_text_sense_key(uint8_t key)
{
    static const char *const keys[16] = {
        "no sense",       "recovered error", "not ready",      "medium error",
        "hardware error", "illegal request", "unit attention", "data protect",
        "blank check",    "vendor specific", "copy aborted",   "aborted command",
        "reserved",       "volume overflow", "miscompare",     "completed",
    };

    return keys[key & 0xF];
}

const char *scsi_text_sense_code(uint8_t asc, uint8_t ascq)
{
    static const struct words table[] = {
        {0x0000, "no additional sense information"},
        {0x0401, "logical unit is in process of becoming ready"},
        {0x0402, "logical unit not ready, initializing command required"},
        {0x0C00, "write error"},
        {0x1100, "unrecovered read error"},
        {0x1A00, "parameter list length error"},
        {0x2000, "invalid command operation code"},
        {0x2100, "logical block address out of range"},
        {0x2400, "invalid field in CDB"},
        {0x2500, "logical unit not supported"},
        {0x2600, "invalid field in parameter list"},
        {0x2700, "write protected"},
        {0x2900, "power on, reset, or bus device reset occurred"},
        {0x2A01, "mode parameters changed"},
        {0x2A09, "capacity data has changed"},
        {0x3F03, "inquiry data has changed"},
        {0x3F0E, "reported LUNs data has changed"},
        {0x4400, "internal target failure"},
    };

    return find(table, HAL_ARRAY_LENGTH(table), (unsigned)asc << 8 | ascq);
}

/* ---- bytes ---- */

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at;

    if (c >= 'A' && c <= 'F')
        c = (char)(c - 'A' + 'a');
    at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

int scsi_text_bytes(const char *word, uint8_t *bytes, size_t size, size_t *count)
{
    if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
        word += 2;
    if (!*word || strlen(word) % 2)
        return -EINVAL;
    for (; *word; word += 2) {
        int high = digit(word[0]), low = digit(word[1]);

        if (high < 0 || low < 0)
            return -EINVAL;
        if (*count == size)
            return -ENOSPC;
        bytes[(*count)++] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

static void dump_line(const uint8_t *bytes, size_t at, size_t n)
{
    printf("%08zx ", at);
    for (size_t i = 0; i < DUMP_WIDTH; i++)
        if (i < n)
            printf(" %02x", bytes[at + i]);
        else
            printf("   ");
    printf("  |");
    for (size_t i = 0; i < n; i++) {
        uint8_t c = bytes[at + i];

        putchar(c >= ' ' && c <= '~' ? c : '.');
    }
    printf("|\n");
}

void scsi_text_dump(const uint8_t *bytes, size_t count)
{
    for (size_t at = 0; at < count; at += DUMP_WIDTH)
        dump_line(bytes, at, count - at < DUMP_WIDTH ? count - at : DUMP_WIDTH);
}
