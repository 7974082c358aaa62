/* SPDX-License-Identifier: Apache-2.0 */
/* MODE SENSE and START STOP UNIT, with the bytes that SPC and SBC give. */
#include "tests/unit/sim/sim_scsi_fixture.h"

TestSuite(sim_scsi_mode, .init = setup, .fini = teardown);

static const uint8_t caching[20] = {0x08, 0x12, 0x04};
static const uint8_t control[12] = {0x0A, 0x0A, 0x00, 0x10};

static struct command sense6(uint8_t flags, uint8_t page, uint8_t subpage)
{
    struct command c = COMMAND(.data_len = 255, CDB(0x1A, flags, page, subpage, 255));

    run(&c);
    return c;
}

static struct command sense10(uint8_t flags, uint8_t page)
{
    struct command c = COMMAND(.data_len = 255, CDB(0x5A, flags, page, 0, 0, 0, 0, 0, 255));

    run(&c);
    return c;
}

Test(sim_scsi_mode, sense_6)
{
    static const uint8_t head[12] = {31, 0, 0x10, 8, 0, 0, 0x03, 0xE8, 0, 0, 0x10, 0};
    struct command c = sense6(0, 0x08, 0);

    cr_assert(good(&c, 32));
    cr_assert_arr_eq(buffer, head, 12);
    cr_assert_arr_eq(buffer + 12, caching, 20);
    c = sense6(0x08, 0x0A, 0);
    cr_assert(good(&c, 16), "without a block descriptor");
    cr_assert_arr_eq(buffer, "\x0F\0\x10\0", 4);
    cr_assert_arr_eq(buffer + 4, control, 12);
}

Test(sim_scsi_mode, sense_10)
{
    static const uint8_t head[16] = {0, 26 + 8, 0, 0x10, 0, 0, 0, 8, 0, 0, 0x03, 0xE8, 0, 0, 0x10};
    static const uint8_t long_head[24] = {0, 30, 0,    0x10, 0x01, 0, 0, 16, 0, 0, 0,    0,
                                          0, 0,  0x03, 0xE8, 0,    0, 0, 0,  0, 0, 0x10, 0};
    static const uint8_t no_head[8] = {0, 26, 0, 0x10};
    struct command c = sense10(0, 0x08);

    cr_assert(good(&c, 36));
    cr_assert_arr_eq(buffer, head, 16);
    cr_assert_arr_eq(buffer + 16, caching, 20);
    c = sense10(0x10, 0x0A);
    cr_assert(good(&c, 32 + 4));
    cr_assert_eq(buffer[1], 34);
    buffer[1] = 30;
    cr_assert_arr_eq(buffer, long_head, 24);
    cr_assert_arr_eq(buffer + 24, control, 12);
    c = sense10(0x18, 0x08);
    cr_assert(good(&c, 28), "without a block descriptor");
    cr_assert_arr_eq(buffer, no_head, 8);
}

Test(sim_scsi_mode, all_pages)
{
    struct command c = sense6(0x08, 0x3F, 0xFF);

    cr_assert(good(&c, 36));
    cr_assert_arr_eq(buffer, "\x23\0\x10\0", 4);
    cr_assert_arr_eq(buffer + 4, caching, 20);
    cr_assert_arr_eq(buffer + 24, control, 12);
}

Test(sim_scsi_mode, nothing_can_be_changed_or_saved)
{
    static const uint8_t changeable[20] = {0x08, 0x12};
    struct command c = sense6(0x08, 0x48, 0);

    cr_assert(good(&c, 24));
    cr_assert_arr_eq(buffer + 4, changeable, 20);
    c = sense6(0x08, 0x88, 0);
    cr_assert(good(&c, 24));
    cr_assert_arr_eq(buffer + 4, caching, 20, "the defaults");
    c = sense6(0x08, 0xC8, 0);
    cr_assert(checked_all_residual(&c, 5, 0x39, 0x00), "saved values");
}

Test(sim_scsi_mode, fields_that_are_refused)
{
    struct command c = sense6(0, 0x01, 0);

    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "a page that is not there");
    c = sense6(0, 0x08, 1);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "a subpage");
    c = sense6(0x10, 0x08, 0);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "LLBAA is for ten bytes");
}

/* 512-byte blocks, and a count that 32 bits cannot hold. */
Test(sim_scsi_mode, block_descriptors)
{
    struct command c = COMMAND(.lun_id = LUN1, .port = 1, .data_len = 12, CDB(0x1A, 0, 8, 0, 12));

    run(&c);
    cr_assert(good(&c, 12));
    cr_assert_arr_eq(buffer + 4, "\0\0\x13\x88\0\0\x02\0", 8);
    resize_untold(UINT64_C(0x300000000));
    c = sense10(0x00, 0x08);
    cr_assert_arr_eq(buffer + 8, "\xFF\xFF\xFF\xFF\0\0\x10\0", 8);
    c = sense10(0x10, 0x08);
    cr_assert_arr_eq(buffer + 8, "\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\x10\0", 16);
}

static struct command start_stop(uint8_t flags)
{
    struct command c = COMMAND(CDB(0x1B, 0, 0, 0, flags));

    run(&c);
    return c;
}

Test(sim_scsi_mode, a_stopped_lun_is_not_ready)
{
    static const uint8_t opcodes[] = {0x00, 0x08, 0x0A, 0x28, 0x2A, 0x35, 0x42,
                                      0x88, 0x8A, 0x91, 0x93, 0xA8, 0xAA};
    struct command c = start_stop(0x00);

    cr_assert(good(&c, 0));
    for (size_t i = 0; i < sizeof opcodes; i++) {
        c = COMMAND(CDB(opcodes[i]));
        run(&c);
        cr_assert(checked_all_residual(&c, 2, 0x04, 0x02), "opcode %02x", opcodes[i]);
    }
    c = COMMAND(.data_len = 8, CDB(0x25));
    run(&c);
    cr_assert(good(&c, 8), "what is no access to the medium works");
    c = COMMAND(.data_len = 18, CDB(0x03, 0, 0, 0, 18));
    run(&c);
    cr_assert(good(&c, 18) && buffer[2] == 2 && buffer[12] == 0x04 && buffer[13] == 0x02);
    c = start_stop(0x01);
    cr_assert(good(&c, 0));
    c = COMMAND(CDB(0x00));
    run(&c);
    cr_assert(good(&c, 0));
}

Test(sim_scsi_mode, the_other_lun_goes_on)
{
    struct command c = start_stop(0x04);

    cr_assert(good(&c, 0));
    c = COMMAND(.lun_id = LUN1, .port = 1, CDB(0x00));
    run(&c);
    cr_assert(good(&c, 0));
}

Test(sim_scsi_mode, a_reset_starts_it)
{
    struct command c = start_stop(0x00);

    sim_scsi_lun_reset(&t, 0);
    c = COMMAND(CDB(0x00));
    run(&c);
    cr_assert(checked_all_residual(&c, 6, 0x29, 0x00));
    run(&c);
    cr_assert(good(&c, 0));
    start_stop(0x00);
    sim_scsi_power_on(&t);
    run(&c);
    run(&c);
    cr_assert(good(&c, 0));
}

Test(sim_scsi_mode, neither_eject_nor_power_conditions)
{
    struct command c = start_stop(0x02);

    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00));
    c = start_stop(0x11);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00));
    c = COMMAND(CDB(0x00));
    run(&c);
    cr_assert(good(&c, 0), "nothing has changed");
}
