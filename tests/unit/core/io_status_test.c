/* SPDX-License-Identifier: Apache-2.0 */
/* The errno of user I/O: every row of the block-library columns of docs/spec/sislite.md section 18
 * with its specific errno, and every value of every byte. */
#include "core/context/io_status.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"

TestSuite(io_status, .timeout = 60);

enum {
    NO = SPIPE__RETRY_NO,
    NOW = SPIPE__RETRY_NOW,
    LATER = SPIPE__RETRY_LATER,
    PATH = SPIPE__RETRY_OTHER_PATH,
    PATH_LATER = SPIPE__RETRY_OTHER_PATH_LATER
};

struct row {
    uint8_t flags, code, extra;
    int status;
    int retry;
};

static struct spipe__io_status judge(uint8_t flags, uint8_t afu, uint8_t extra, uint8_t scsi,
                                     uint8_t fc)
{
    struct spipe__scsi_result r = {
        .flags = flags, .afu_rc = afu, .afu_extra = extra, .scsi_rc = scsi, .fc_rc = fc};

    return spipe__io_status(&r);
}

static void expect(struct spipe__io_status got, const struct row *row, const char *what)
{
    cr_expect_eq(got.status, row->status, "%s 0x%02x: %d", what, row->code, got.status);
    cr_expect_eq((int)got.retry, row->retry, "%s 0x%02x: class %d", what, row->code, got.retry);
}

/* SL 18.1 */
static const struct row afu_rows[] = {
    {0, 0x01, 0, -EIO, NO},        {0, 0x02, 0, -EIO, NO},
    {0, 0x03, 0, -EIO, NO},        {0, 0x04, 0x0A, -EIO, NOW},
    {0, 0x04, 0x0B, -EIO, NO},     {0, 0x04, 0x01, -EIO, NO},
    {0, 0x05, 0, -EIO, PATH},      {0, 0x12, 0, -EIO, NO},
    {0, 0x13, 0, -EIO, NO},        {0, 0x14, 0x0A, -EIO, NOW},
    {0, 0x14, 0x0B, -EIO, NO},     {0, 0x15, 0, -EIO, PATH},
    {0, 0x1A, 0, -EIO, PATH},      {0, 0x20, 0, -ENETDOWN, PATH_LATER},
    {0, 0x21, 0, -EIO, NOW},       {0, 0x22, 0, -EIO, PATH},
    {0, 0x30, 0, -EIO, NOW},       {0, 0x31, 0x0A, -EIO, NOW},
    {0, 0x31, 0x0B, -EIO, NO},     {0, 0x50, 0, -ETIMEDOUT, NOW},
    {0, 0x51, 0, -ETIMEDOUT, NOW}, {0, 0x62, 0, -EIO, PATH},
    {0, 0xFF, 0, -EIO, PATH},
};

Test(io_status, afu_codes)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(afu_rows); i++)
        expect(judge(0, afu_rows[i].code, afu_rows[i].extra, 0, 0), &afu_rows[i], "afu_rc");
    PROVES(SL_18);
    PROVES(SL_18_1);
}

/* SL 18.2; what has no row, shutdown and CRC included, is unhandled (BL-67). */
static const struct row fc_rows[] = {
    {0x00, 0x51, 0, -EIO, NO},        {0x00, 0x52, 0, -ETIMEDOUT, NOW}, {0x00, 0x53, 0, -EIO, NO},
    {0x00, 0x54, 0, -ENETDOWN, PATH}, {0x00, 0x55, 0, -EIO, NO},        {0x00, 0x56, 0, -EIO, NO},
    {0x00, 0x57, 0, -ENETDOWN, PATH}, {0x00, 0x58, 0, -EIO, NOW},       {0x00, 0x59, 0, -EIO, NOW},
    {0x00, 0x5A, 0, -EIO, NOW},       {0x10, 0x5A, 0, -EIO, NOW},       {0x20, 0x5A, 0, -EIO, NO},
    {0x00, 0x5B, 0, -EIO, NOW},       {0x00, 0x5C, 0, -EIO, NOW},       {0x00, 0x5E, 0, -EIO, NO},
    {0x00, 0x60, 0, -EIO, NO},
};

Test(io_status, fc_codes)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(fc_rows); i++)
        expect(judge(fc_rows[i].flags, 0, 0, 0, fc_rows[i].code), &fc_rows[i], "fc_rc");
    PROVES(SL_18);
    PROVES(SL_18_2);
}

/* SL 18.3 without sense data. */
static const struct row scsi_rows[] = {
    {0, 0x02, 0, -EIO, NOW},  {0, 0x08, 0, -EBUSY, LATER}, {0, 0x28, 0, -EBUSY, LATER},
    {0, 0x18, 0, -EBUSY, NO}, {0, 0x04, 0, -EIO, NO},      {0, 0x40, 0, -EIO, NO},
};

Test(io_status, scsi_codes_without_sense)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(scsi_rows); i++)
        expect(judge(0, 0, 0, scsi_rows[i].code, 0), &scsi_rows[i], "scsi_rc");
    PROVES(SL_18);
    PROVES(SL_18_3);
}

/* BL 11.2: key, ASC, ASCQ. */
static const struct {
    uint8_t key, asc, ascq;
    int status, retry;
} sense_rows[] = {
    {0, 0, 0, 0, NO},          {1, 0x17, 1, 0, NO},     {2, 0x04, 1, -EIO, NOW},
    {3, 0x11, 0, -EIO, NO},    {4, 0x44, 0, -EIO, NO},  {5, 0x21, 0, -EIO, NO},
    {6, 0x29, 0, -EIO, NOW},   {6, 0x2A, 9, -EIO, NOW}, {6, 0x3F, 0x0E, -EIO, NOW},
    {6, 0x3F, 0x03, -EIO, NO}, {6, 0x28, 0, -EIO, NO},  {7, 0x27, 0, -EIO, NO},
    {0xB, 0, 0, -EIO, NO},     {0xF, 0, 0, -EIO, NO},
};

Test(io_status, sense_keys)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(sense_rows); i++) {
        struct spipe__scsi_result r = {
            .flags = 0x80,
            .scsi_rc = 2,
            .sense = {0x70, 0, sense_rows[i].key, [7] = 10, [12] = sense_rows[i].asc,
                      sense_rows[i].ascq}};
        struct spipe__io_status got = spipe__io_status(&r);

        cr_expect_eq(got.status, sense_rows[i].status, "key %u asc %02x", sense_rows[i].key,
                     sense_rows[i].asc);
        cr_expect_eq((int)got.retry, sense_rows[i].retry, "key %u asc %02x", sense_rows[i].key,
                     sense_rows[i].asc);
    }
}

/* BL-67: missing bytes are told by the residual, extra ones are an error. */
Test(io_status, flags_alone)
{
    cr_expect_eq(judge(0x00, 0, 0, 0, 0).status, 0);
    cr_expect_eq(judge(0x10, 0, 0, 0, 0).status, 0);
    cr_expect_eq(judge(0x20, 0, 0, 0, 0).status, -EIO);
    cr_expect_eq(judge(0x30, 0, 0, 0, 0).status, -EIO);
    cr_expect_eq(judge(0x40, 0, 0, 0, 0).status, 0);
}

/* A recovered error does not make an overrun good. */
Test(io_status, overrun_with_good_sense)
{
    struct spipe__scsi_result r = {.flags = 0xA0, .scsi_rc = 2, .sense = {0x70, 0, 1}};

    cr_expect_eq(spipe__io_status(&r).status, -EIO);
}

Test(io_status, later_parts_win)
{
    cr_expect_eq(judge(0, 0, 0, 0x08, 0x57).status, -ENETDOWN);
    cr_expect_eq(judge(0, 0x50, 0, 0x08, 0x57).status, -ETIMEDOUT);
    cr_expect_eq(judge(0, 0x01, 0, 0x08, 0x57).status, -EIO);
    PROVES(SL_18_4);
}

/* Total: any bytes give one of five results, and a success never has a code in it. */
Test(io_status, every_value_of_every_byte)
{
    for (unsigned flags = 0; flags < 256; flags += 16) {
        for (unsigned i = 0; i < 65536; i++) {
            uint8_t a = (uint8_t)(i >> 8), b = (uint8_t)i;
            int status[3] = {judge((uint8_t)flags, a, b, 0, 0).status,
                             judge((uint8_t)flags, a, 0x0A, b, 0).status,
                             judge((uint8_t)flags, 0, 0, a, b).status};

            for (unsigned k = 0; k < 3; k++)
                cr_assert(status[k] == 0 || status[k] == -EIO || status[k] == -EBUSY ||
                          status[k] == -ENETDOWN || status[k] == -ETIMEDOUT);
            cr_assert((status[0] == 0) == (a == 0 && !(flags & 0x20)));
            cr_assert((status[1] == 0) == (a == 0 && b == 0 && !(flags & 0x20)));
        }
    }
    PROVES(SL_18_4);
}
