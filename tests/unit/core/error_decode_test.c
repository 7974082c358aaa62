/* SPDX-License-Identifier: Apache-2.0 */
/* The combined table of docs/spec/adapter.md section 9 row by row, and every value of every byte
 * against rules written down here once more. */
#include "core/command/error_decode.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"

TestSuite(error_decode, .timeout = 60);

static uint32_t result_of(uint8_t flags, uint8_t afu, uint8_t extra, uint8_t scsi, uint8_t fc)
{
    struct spipe__scsi_result r = {
        .flags = flags, .afu_rc = afu, .afu_extra = extra, .scsi_rc = scsi, .fc_rc = fc};

    return spipe__error_decode(&r).result;
}

/* ---- the table ---- */

static const struct {
    uint32_t result;
    uint8_t flags, afu, extra, scsi, fc;
    bool residual, sense;
} rows[] = {
    {0x00000000, 0x10, 0, 0, 0, 0, true, false},
    {0x00070000, 0x20, 0, 0, 0, 0, false, false},
    {0x00000002, 0x80, 0, 0, 0x02, 0, false, true},
    {0x00070002, 0x00, 0, 0, 0x02, 0, false, false},
    {0x00070008, 0x00, 0, 0, 0x08, 0, false, false},
    {0x00070000, 0x90, 0, 0, 0x02, 0x5A, true, true},
    {0x00070000, 0x20, 0, 0, 0, 0x5A, false, false},
    {0x000D0000, 0x00, 0, 0, 0, 0x57, false, false},
    {0x00070000, 0x00, 0, 0, 0, 0x54, false, false},
    {0x00010000, 0x00, 0x20, 0x00, 0, 0, false, false},
    {0x00010000, 0x00, 0x20, 0x06, 0, 0, false, false},
    {0x00010000, 0x00, 0x20, 0xFF, 0, 0, false, false},
    {0x000C0000, 0x00, 0x31, 0x0A, 0, 0, false, false},
    {0x00070000, 0x00, 0x31, 0x0B, 0, 0, false, false},
    {0x00070000, 0x00, 0x30, 0, 0, 0x57, false, false},
    {0x00070000, 0x00, 0x21, 0, 0, 0, false, false},
};

Test(error_decode, combined_table)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(rows); i++) {
        struct spipe__scsi_result r = {.flags = rows[i].flags,
                                       .afu_rc = rows[i].afu,
                                       .afu_extra = rows[i].extra,
                                       .scsi_rc = rows[i].scsi,
                                       .fc_rc = rows[i].fc};
        struct spipe__decision d = spipe__error_decode(&r);

        cr_expect_eq(d.result, rows[i].result, "row %zu: 0x%08x", i, d.result);
        cr_expect_eq(d.has_residual, rows[i].residual, "row %zu", i);
        cr_expect_eq(d.sense_valid, rows[i].sense, "row %zu", i);
    }
    PROVES(AD_101);
    PROVES(AD_102);
    PROVES(AD_103);
    PROVES(AD_104);
    PROVES(AD_105);
}

/* Later steps over earlier ones. */
Test(error_decode, later_steps_win)
{
    cr_expect_eq(result_of(0, 0, 0, 0, 0), 0);
    cr_expect_eq(result_of(0xA0, 0, 0, 0x02, 0), 0x00000002, "SCSI over overrun");
    cr_expect_eq(result_of(0xA0, 0, 0, 0x02, 0x5A), 0x00000002, "RESID leaves it with OVERRUN");
    cr_expect_eq(result_of(0x80, 0, 0, 0x02, 0x57), 0x000D0000, "FC over SCSI");
    cr_expect_eq(result_of(0x80, 0x20, 0, 0x02, 0x57), 0x00010000, "AFU over all");
    cr_expect_eq(result_of(0x80, 0, 0, 0x02, 0x5E), 0x00000002, "an unknown FC code leaves it");
    PROVES(AD_100);
}

/* D-8: an unknown FC code alone is no success. */
Test(error_decode, unknown_fc_code_alone)
{
    static const uint8_t unknown[] = {0x51, 0x5E, 0x60, 0x01, 0x50, 0x5D, 0xFF};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(unknown); i++)
        cr_expect_eq(result_of(0, 0, 0, 0, unknown[i]), 0x00070000, "fc_rc 0x%02x", unknown[i]);
    PROVES(D_8);
}

/* ---- every value ---- */

/* What section 18 and AD-101..105 say, as one function of the bytes. */
static uint32_t specified(uint8_t flags, uint8_t afu, uint8_t extra, uint8_t scsi, uint8_t fc)
{
    static const char fc_error[] = "\x52\x53\x54\x55\x56\x58\x59\x5B\x5C";
    uint32_t result = flags & 0x20 ? 0x00070000 : 0;

    if (scsi)
        result = flags & 0x80 ? scsi : scsi | 0x00070000u;
    if (fc == 0x57)
        result = 0x000D0000;
    else if (fc == 0x5A)
        result = flags & 0x20 ? result : 0x00070000;
    else if (fc && (strchr(fc_error, fc) || !result))
        result = 0x00070000;
    if (afu == 0x20)
        result = 0x00010000;
    else if (afu)
        result = afu == 0x31 && extra == 0x0A ? 0x000C0000 : 0x00070000;
    return result;
}

static void sweep(uint8_t flags, uint8_t extra)
{
    static const uint8_t some[] = {0x00, 0x02, 0x08, 0x20, 0x31, 0x57, 0x5A, 0x5E, 0xFF};

    for (unsigned value = 0; value < 256; value++) {
        uint8_t v = (uint8_t)value;

        for (size_t i = 0; i < HAL_ARRAY_LENGTH(some) * HAL_ARRAY_LENGTH(some); i++) {
            uint8_t a = some[i / HAL_ARRAY_LENGTH(some)], b = some[i % HAL_ARRAY_LENGTH(some)];

            cr_assert_eq(result_of(flags, v, extra, a, b), specified(flags, v, extra, a, b));
            cr_assert_eq(result_of(flags, a, extra, v, b), specified(flags, a, extra, v, b));
            cr_assert_eq(result_of(flags, a, extra, b, v), specified(flags, a, extra, b, v));
        }
    }
}

Test(error_decode, every_value_of_every_byte)
{
    for (unsigned flags = 0; flags < 256; flags++)
        sweep((uint8_t)flags, 0x0A);
    for (unsigned extra = 0; extra < 256; extra++)
        sweep(0, (uint8_t)extra);
}

/* FK-13, over all 2^32 words of return codes, whatever else an AFU may say with it: only a word
 * without any code and without an overrun is a success. The bytes decide one after the other, each
 * by itself (core/command/error_decode.c), so that every value of each beside 0 of the others, and
 * beside one that leaves the result alone, is all there is. */
Test(error_decode, unknown_is_never_a_success)
{
    for (unsigned value = 1; value < 256; value++) {
        uint8_t v = (uint8_t)value;

        for (unsigned flags = 0; flags < 256; flags++) {
            uint8_t f = (uint8_t)flags;

            cr_assert_neq(result_of(f, v, 0, 0, 0), 0);
            cr_assert_neq(result_of(f, 0, 0, v, 0), 0);
            cr_assert_neq(result_of(f, 0, 0, 0, v), 0);
            cr_assert_neq(result_of(f, 0, 0, v, 0x5E), 0);
            cr_assert_neq(result_of(f, 0, 0, v, 0x5A), 0);
            cr_assert_eq(result_of(f, 0, v, 0, 0) == 0, !(f & 0x20), "afu_extra is no code");
        }
    }
    PROVES(D_8);
}

/* ---- reading an IOASA ---- */

/* SL 23.7 in both orders: check condition, valid sense 6/2A/09, residual 4096. */
Test(error_decode, literal_ioasa)
{
    static const uint8_t big[32] = {0x90, 0x00, 0x02, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00,
                                    0x00, 0,    0,    0x70, 0x00, 0x06, 0,    0,    0,
                                    0,    0x0a, 0,    0,    0,    0,    0x2a, 0x09};
    static const uint8_t little[4] = {0x00, 0x10, 0x00, 0x00};

    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        struct afu_ioasa ioasa = {.port = 0};
        struct spipe__scsi_result r;
        struct spipe__sense sense;

        memcpy(&ioasa, big, sizeof big);
        if (order == HAL_ORDER_LITTLE)
            memcpy((uint8_t *)&ioasa + 4, little, sizeof little);
        spipe__result_read(order, &ioasa, &r);
        cr_expect_eq(r.flags, 0x90);
        cr_expect_eq(r.scsi_rc, 2);
        cr_expect_eq(r.residual, 4096);
        cr_expect_not(spipe__result_good(&r));
        cr_assert(spipe__sense_decode(&r, &sense));
        cr_expect_eq(sense.key, 6);
        cr_expect_eq(sense.asc, 0x2A);
        cr_expect_eq(sense.ascq, 0x09);
        cr_expect_eq(spipe__error_decode(&r).result, 2);
    }
}

/* What no flag vouches for is not read. */
Test(error_decode, unflagged_parts_are_zero)
{
    struct afu_ioasa ioasa;
    struct spipe__scsi_result r;
    uint8_t zero[AFU_SENSE_SIZE] = {0};

    memset(&ioasa, 0xEE, sizeof ioasa);
    memset(&ioasa.rc, 0, sizeof ioasa.rc);
    spipe__result_read(HAL_ORDER_BIG, &ioasa, &r);
    cr_expect(spipe__result_good(&r));
    cr_expect_eq(r.residual, 0);
    cr_expect_arr_eq(r.sense, zero, sizeof zero);
}

Test(error_decode, sense_formats)
{
    struct spipe__scsi_result r = {.flags = 0x80, .sense = {0x72, 0x05, 0x21, 0x04}};
    struct spipe__sense sense = {9, 9, 9};

    cr_assert(spipe__sense_decode(&r, &sense));
    cr_expect_eq(sense.key, 5);
    cr_expect_eq(sense.asc, 0x21);
    cr_expect_eq(sense.ascq, 4);
    r.sense[0] = 0xF0; /* fixed, with the valid bit */
    r.sense[7] = 10;
    r.sense[2] = 0xE3;
    r.sense[12] = 0x11;
    cr_assert(spipe__sense_decode(&r, &sense));
    cr_expect_eq(sense.key, 3);
    cr_expect_eq(sense.asc, 0x11);
    sense = (struct spipe__sense){9, 9, 9};
    r.sense[0] = 0x00;
    cr_expect_not(spipe__sense_decode(&r, &sense));
    r.sense[0] = 0x70;
    r.flags = 0x10;
    cr_expect_not(spipe__sense_decode(&r, &sense));
    cr_expect_eq(sense.key, 9, "untouched");
}

/* ---- 18 bytes of sense data (SP-85) ---- */

enum { KEY = 0xA5, ASC = 0x3F, ASCQ = 0x0E, OTHER = 0xCC };

/* Sense data that say one thing in one format and another in the other. */
static void both_formats(uint8_t bytes[SPIPE__SENSE_LENGTH], uint8_t code, uint8_t more)
{
    memset(bytes, OTHER, SPIPE__SENSE_LENGTH);
    bytes[0] = code;
    bytes[1] = 0xF1;
    bytes[2] = KEY; /* descriptor format: the ASC */
    bytes[3] = 0x09;
    bytes[7] = more;
    bytes[12] = ASC;
    bytes[13] = ASCQ;
}

Test(error_decode, every_response_code)
{
    uint8_t bytes[SPIPE__SENSE_LENGTH];

    for (unsigned code = 0; code < 256; code++) {
        struct spipe__sense sense = {OTHER, OTHER, OTHER};
        bool fixed = (code & 0x7F) == 0x70 || (code & 0x7F) == 0x71;

        both_formats(bytes, (uint8_t)code, 10);
        if ((code & 0x7F) < 0x70) {
            cr_assert_not(spipe__sense_read(bytes, &sense), "code %02x", code);
            cr_assert_eq(sense.key, OTHER, "untouched");
            continue;
        }
        cr_assert(spipe__sense_read(bytes, &sense), "code %02x", code);
        cr_assert_eq(sense.key, fixed ? KEY & 0x0F : 0x01, "code %02x", code);
        cr_assert_eq(sense.asc, fixed ? ASC : KEY, "code %02x", code);
        cr_assert_eq(sense.ascq, fixed ? ASCQ : 0x09, "code %02x", code);
    }
    PROVES(SP_85);
}

/* Fixed format: ASC and ASCQ count if the length in byte 7 covers them. */
Test(error_decode, every_additional_length)
{
    uint8_t bytes[SPIPE__SENSE_LENGTH];

    for (unsigned more = 0; more < 256; more++) {
        struct spipe__sense sense;
        unsigned n = more + 8 < 18 ? more + 8 : 18;

        both_formats(bytes, 0x71, (uint8_t)more);
        cr_assert(spipe__sense_read(bytes, &sense));
        cr_assert_eq(sense.key, KEY & 0x0F);
        cr_assert_eq(sense.asc, n > 12 ? ASC : 0, "length %u", more);
        cr_assert_eq(sense.ascq, n > 13 ? ASCQ : 0, "length %u", more);
        both_formats(bytes, 0x72, (uint8_t)more); /* of no interest there */
        cr_assert(spipe__sense_read(bytes, &sense));
        cr_assert_eq(sense.ascq, 0x09);
    }
    PROVES(SP_85);
}
