/* SPDX-License-Identifier: Apache-2.0 */
/* INQUIRY, with the bytes that SPC and SBC give. */
#include "tests/unit/sim/sim_scsi_fixture.h"

TestSuite(sim_scsi_inquiry, .init = setup, .fini = teardown);

Test(sim_scsi_inquiry, inquiry)
{
    static const uint8_t want[36] = "\x00\x00\x06\x12\x1F\x00\x10\x02"
                                    "SUPRPIPE"
                                    "SIM FLASH       "
                                    "0001";
    struct command c = COMMAND(.data_len = 255, CDB(0x12, 0, 0, 0, 255));

    run(&c);
    cr_assert(good(&c, 36));
    cr_assert_arr_eq(buffer, want, 36);
    cr_assert_eq(buffer[36], 0xCC, "no byte more");
    c = COMMAND(.data_len = 5, CDB(0x12, 0, 0, 0, 5));
    buffer[5] = 0xCC;
    run(&c);
    cr_assert(good(&c, 5));
    cr_assert_eq(buffer[5], 0xCC);
    c = COMMAND(CDB(0x12));
    run(&c);
    cr_assert(good(&c, 0), "allocation length 0 is legal");
}

Test(sim_scsi_inquiry, inquiry_of_a_lun_that_does_not_exist)
{
    static const uint64_t none[] = {UINT64_C(2) << 48, UINT64_C(0xFF) << 48, UINT64_C(1) << 32, 1,
                                    UINT64_C(0x4001) << 48};
    struct command c;

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        c = COMMAND(.lun_id = none[i], .data_len = 36, CDB(0x12, 0, 0, 0, 36));
        run(&c);
        cr_assert(good(&c, 36));
        cr_assert_eq(buffer[0], 0x7F, "qualifier 3, unknown type");
        c = COMMAND(.lun_id = none[i], CDB(0x00));
        run(&c);
        cr_assert(checked_all_residual(&c, 5, 0x25, 0x00));
    }
    c = COMMAND(.lun_id = LUN1, .port = 0, .data_len = 36, CDB(0x12, 0, 0, 0, 36));
    run(&c);
    cr_assert_eq(buffer[0], 0x7F, "LUN 1 is not on port 0");
    c.rq.port = 1;
    run(&c);
    cr_assert_eq(buffer[0], 0x00);
}

Test(sim_scsi_inquiry, vital_product_data)
{
    static const uint8_t pages[10] = {0x00, 0x00, 0x00, 0x06, 0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2};
    static const uint8_t ids[24] = {0x00, 0x83, 0x00, 0x14, 0x01, 0x03, 0x00, 0x10,
                                    0x60, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                    0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0xFF};
    struct command c = COMMAND(.data_len = 200, CDB(0x12, 1, 0x00, 0, 200));

    run(&c);
    cr_assert(good(&c, 10));
    cr_assert_arr_eq(buffer, pages, 10);
    c = COMMAND(.data_len = 200, CDB(0x12, 1, 0x80, 0, 200));
    run(&c);
    cr_assert(good(&c, 36));
    cr_assert_arr_eq(buffer,
                     "\x00\x80\x00\x20"
                     "60010203040506070809"
                     "0A0B0C0D0EFF",
                     36);
    c = COMMAND(.data_len = 200, CDB(0x12, 1, 0x83, 0, 200));
    run(&c);
    cr_assert(good(&c, 24));
    cr_assert_arr_eq(buffer, ids, 24);
}

static void get_page(struct command *c, uint8_t page, uint32_t length)
{
    *c = COMMAND(.data_len = 200, CDB(0x12, 1, page, 0, 200));
    run(c);
    cr_assert(good(c, length), "page %02x", page);
}

/* SBC: 255 pieces of 1 MiB are 256 blocks each; 128 descriptors; WSNZ; alignment valid. */
Test(sim_scsi_inquiry, block_limits)
{
    static const uint8_t want[64] = {0x00, 0xB0, 0x00, 0x3C, 0x01, [20] = 0xFF, 0xFF, 0xFF, 0xFF,
                                     0,    0,    0,    128,  0,    0,           1,    0,    0x80};
    static const uint8_t thick[64] = {0x00, 0xB0, 0x00, 0x3C, 0x01};
    struct command c;

    get_page(&c, 0xB0, 64);
    cr_assert_arr_eq(buffer, want, 64);
    c = COMMAND(.lun_id = LUN1, .port = 1, .data_len = 64, CDB(0x12, 1, 0xB0, 0, 64));
    run(&c);
    cr_assert(good(&c, 64));
    cr_assert_arr_eq(buffer + 28, "\0\0\x08\0\x80\0\0\0", 8, "1 MiB is 2048 blocks of 512");
    t.lbpme = false;
    get_page(&c, 0xB0, 64);
    cr_assert_arr_eq(buffer, thick, 64, "nothing about unmapping");
}

Test(sim_scsi_inquiry, block_device_characteristics)
{
    static const uint8_t want[64] = {0x00, 0xB1, 0x00, 0x3C, 0x00, 0x01};
    struct command c;

    get_page(&c, 0xB1, 64);
    cr_assert_arr_eq(buffer, want, 64);
}

Test(sim_scsi_inquiry, logical_block_provisioning)
{
    struct command c;

    get_page(&c, 0xB2, 8);
    cr_assert_arr_eq(buffer, "\x00\xB2\x00\x04\x00\xC4\x02\x00", 8);
    t.lbprz = false;
    get_page(&c, 0xB2, 8);
    cr_assert_arr_eq(buffer, "\x00\xB2\x00\x04\x00\xC0\x02\x00", 8);
    t.lbpme = false;
    get_page(&c, 0xB2, 8);
    cr_assert_arr_eq(buffer, "\x00\xB2\x00\x04\x00\x00\x00\x00", 8);
}

Test(sim_scsi_inquiry, inquiry_fields_that_are_refused)
{
    struct command c = COMMAND(.data_len = 36, CDB(0x12, 1, 0xB3, 0, 36));

    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "a page that is not there");
    c = COMMAND(.data_len = 36, CDB(0x12, 0, 0x83, 0, 36));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "a page without EVPD");
    c = COMMAND(.data_len = 36, CDB(0x12, 2, 0, 0, 36));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "CMDDT");
    c = COMMAND(.lun_id = 7, .data_len = 36, CDB(0x12, 1, 0x83, 0, 36));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "no pages where there is no LUN");
}
