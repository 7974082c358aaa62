/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands on blocks, with the bytes that SBC and SL give. */
#include "tests/unit/sim/sim_scsi_fixture.h"

TestSuite(sim_scsi_block, .init = setup, .fini = teardown);

/* ---- READ and WRITE ---- */

Test(sim_scsi_block, reads_and_writes_of_all_sizes)
{
    static const struct {
        uint8_t wr[16], rd[16];
    } rows[] = {
        {{0x0A, 0, 0, 5, 2}, {0x08, 0, 0, 5, 2}},
        {{0x2A, 0, 0, 0, 0, 7, 0, 0, 2}, {0x28, 0, 0, 0, 0, 7, 0, 0, 2}},
        {{0xAA, 0, 0, 0, 0, 9, 0, 0, 0, 2}, {0xA8, 0, 0, 0, 0, 9, 0, 0, 0, 2}},
        {{0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 2},
         {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 2}},
    };
    struct command c;

    for (size_t i = 0; i < 4; i++) {
        c = COMMAND(.host_write = true, .data_len = 8192);
        memcpy(c.rq.cdb, rows[i].wr, 16);
        memset(buffer, (int)i + 1, 8192);
        begin(&c);
        cr_assert_eq(c.rs.kind, SIM_SCSI_DATA_OUT);
        cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_WRITE);
        cr_assert_eq(c.rs.lba, 5 + 2 * i);
        cr_assert_eq(c.rs.blocks, 2);
        cr_assert_eq(c.rs.transfer_len, 8192);
        finish(&c);
        cr_assert(good(&c, 8192));
    }
    for (size_t i = 0; i < 4; i++) {
        c = COMMAND(.data_len = 8192);
        memcpy(c.rq.cdb, rows[i].rd, 16);
        memset(buffer, 0xFF, 8192);
        begin(&c);
        cr_assert_eq(c.rs.kind, SIM_SCSI_DATA_IN);
        cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_READ);
        finish(&c);
        cr_assert(good(&c, 8192));
        cr_assert(buffer[0] == i + 1 && buffer[8191] == i + 1);
    }
    cr_assert(reads_as(0, 0, 4, 1, 0) && reads_as(0, 1, 13, 1, 0));
}

/* The same of LUN 1, whose blocks have 512 bytes: two at 3, 5, 7 and 9, of 5000. */
Test(sim_scsi_block, reads_and_writes_of_512_bytes)
{
    static const uint8_t wr[4][16] = {{0x0A, 0, 0, 3, 2},
                                      {0x2A, 0, 0, 0, 0, 5, 0, 0, 2},
                                      {0xAA, 0, 0, 0, 0, 7, 0, 0, 0, 2},
                                      {0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2}};
    struct command c;

    for (unsigned i = 0; i < 4; i++) {
        c = COMMAND(.lun_id = LUN1, .port = 1, .host_write = true, .data_len = 1024);
        memcpy(c.rq.cdb, wr[i], 16);
        memset(buffer, (int)i + 1, 1024);
        run(&c);
        cr_assert(good(&c, 1024));
        c.rq.cdb[0] = (uint8_t)(c.rq.cdb[0] - 2); /* the READ of the same size */
        c.rq.host_write = false;
        memset(buffer, 0xFF, 2048);
        run(&c);
        cr_assert(good(&c, 1024));
        cr_assert(buffer[0] == i + 1 && buffer[1023] == i + 1 && buffer[1024] == 0xFF);
    }
    cr_assert(reads_as(LUN1, 1, 2, 1, 0) && reads_as(LUN1, 1, 11, 1, 0));
    c = COMMAND(.lun_id = LUN1, .port = 1, .data_len = 1024,
                CDB(0x28, 0, 0, 0, 0x13, 0x87, 0, 0, 2));
    run(&c);
    cr_assert(out_of_range(&c, 5000));
    c.rq.cdb[8] = 1;
    run(&c);
    cr_assert(good(&c, 512), "the last block, and an underrun");
    c.rq.cdb[5] = 0;
    c.rq.cdb[8] = 3;
    run(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00) && c.rs.overrun && c.rs.residual == 512);
}

Test(sim_scsi_block, fields_of_the_cdb_are_as_wide_as_they_should_be)
{
    struct command c = COMMAND(.data_len = 1, CDB(0x08, 0x1F, 0xFF, 0xFF, 0));

    t.luns[0].port_mask = 1;
    resize_untold(UINT64_C(1) << 34);
    begin(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00));
    cr_assert_eq(c.rs.lba, 0x1FFFFF);
    cr_assert_eq(c.rs.residual, 256 * 4096 - 1, "count 0 of READ(6) is 256 blocks");
    c = COMMAND(.data_len = 1, CDB(0x28, 0x10, 0xFE, 0xDC, 0xBA, 0x98, 0, 0x12, 0x34));
    begin(&c);
    cr_assert_eq(c.rs.lba, 0xFEDCBA98);
    cr_assert_eq(c.rs.residual, 0x1234 * 4096 - 1);
    c = COMMAND(.data_len = 1, CDB(0xA8, 0, 0xFE, 0xDC, 0xBA, 0x98, 0, 0, 0x12, 0x34));
    begin(&c);
    cr_assert_eq(c.rs.lba, 0xFEDCBA98);
    cr_assert_eq(c.rs.residual, 0x1234 * 4096 - 1);
    c = COMMAND(.data_len = 1, CDB(0x88, 0, 0, 0, 0, 3, 0x12, 0x34, 0x56, 0x78, 0x01, 0, 0, 0));
    begin(&c);
    cr_assert_eq(c.rs.lba, 0x312345678);
    cr_assert_eq(c.rs.residual, UINT32_MAX, "16777216 blocks: as much as fits");
    cr_assert(c.rs.overrun && !c.rs.underrun);
}

/* READ(16) and WRITE(16) have a way of their own, as long as nothing is special about them. */
Test(sim_scsi_block, whatever_may_be_special_about_a_transfer)
{
    struct command c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1));

    c.rq.cdb[1] = 0x20;
    run(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00), "RDPROTECT");
    c.rq.cdb[1] = 0;
    c.rq.cdb[15] = 0x04;
    run(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00), "NACA");
    c.rq.cdb[15] = 0;
    sim_scsi_set_unit_attention(&t, 0, 1, SIM_SCSI_UA_MODE);
    run(&c);
    cr_assert(checked(&c, 6, 0x2A, 0x01), "once");
    t.luns[0].stopped = true;
    run(&c);
    cr_assert(checked(&c, 2, 0x04, 0x02));
    t.luns[0].stopped = false;
    c.rq.lun_id = 1;
    run(&c);
    cr_assert(checked(&c, 5, 0x25, 0x00), "a lower level of the LUN");
    c.rq.lun_id = 0;
    c.rq.host_write = true;
    begin(&c);
    cr_assert(c.rs.direction_mismatch && !c.rs.moved);
    c.rq.host_write = false;
    run(&c);
    cr_assert(good(&c, 4096));
    c.rq.cdb[13] = 0;
    run(&c);
    cr_assert(good(&c, 0), "no blocks");
}

/* Between the phases LUN 0 becomes another one, with smaller blocks. */
Test(sim_scsi_block, a_read_of_a_lun_that_was_exchanged)
{
    struct sim_media_lun other = *sim_media_lun(t.media, 0);
    struct command c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1));
    unsigned lun;

    other.block_size = 512;
    begin(&c);
    cr_assert_eq(sim_media_remove_lun(t.media, 0), 0);
    cr_assert_eq(sim_media_add_lun(t.media, &other, &lun), 0);
    cr_assert_eq(lun, 0);
    finish(&c);
    cr_assert(good(&c, 512));
}

Test(sim_scsi_block, addresses_beyond_the_end)
{
    struct command c;

    c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xE8, 0, 0, 0, 1));
    run(&c);
    cr_assert(out_of_range(&c, 1000), "the block after the last");
    cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_NONE);
    c.rq.cdb[9] = 0xE7;
    run(&c);
    cr_assert(good(&c, 4096), "the last block");
    c.rq.cdb[13] = 2;
    c.rq.data_len = 8192;
    run(&c);
    cr_assert(out_of_range(&c, 1000), "half of it beyond: the first block that is");
    c.rq.cdb[8] = 0x04;
    run(&c);
    cr_assert(out_of_range(&c, 0x4E7), "all of it beyond");
    c = COMMAND(.data_len = 4096, .host_write = true,
                CDB(0x8A, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x21, 0x00),
              "the sum wraps; no INFORMATION, which has 32 bits");
}

Test(sim_scsi_block, zero_blocks_are_good_and_move_nothing)
{
    struct command c = COMMAND(.data_len = 4096, CDB(0x88));

    run(&c);
    cr_assert(good(&c, 0));
    c = COMMAND(CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xE8));
    run(&c);
    cr_assert(good(&c, 0), "even at the end");
    c = COMMAND(.host_write = true, CDB(0x2A));
    run(&c);
    cr_assert(good(&c, 0));
}

Test(sim_scsi_block, a_buffer_shorter_than_the_cdb_says)
{
    struct command c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2));

    run(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00));
    cr_assert(c.rs.overrun && !c.rs.underrun);
    cr_assert_eq(c.rs.residual, 4096);
    c.rq.data_len = 0;
    run(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00) && c.rs.overrun);
    cr_assert_eq(c.rs.residual, 8192);
    c = COMMAND(.host_write = true, CDB(0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00) && c.rs.overrun);
    cr_assert_eq(sim_media_counters(t.media, 0)->blocks_written, 0);
    cr_assert_eq(buffer[0], 0xCC, "nothing moved");
}

Test(sim_scsi_block, a_buffer_longer_than_the_cdb_says)
{
    struct command c = COMMAND(.data_len = 10000, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2));

    run(&c);
    cr_assert(good(&c, 8192));
    cr_assert_eq(c.rs.residual, 1808);
    cr_assert(c.rs.underrun);
    cr_assert_eq(buffer[8192], 0xCC);
}

Test(sim_scsi_block, protection_fields_are_refused)
{
    struct command c =
        COMMAND(.data_len = 4096, CDB(0x88, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));

    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00));
    c = COMMAND(.data_len = 4096, CDB(0x28, 0x18, 0, 0, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(good(&c, 4096), "DPO and FUA are fine");
    c = COMMAND(.data_len = 4096, .host_write = true, CDB(0x2A, 0x08, 0, 0, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(good(&c, 4096), "a write with FUA");
}

Test(sim_scsi_block, wrong_direction_is_no_scsi_matter)
{
    struct command c = COMMAND(.data_len = 4096, CDB(0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));

    run(&c);
    cr_assert(c.rs.direction_mismatch && c.rs.status == 0 && c.rs.moved == 0);
    cr_assert_eq(sim_media_counters(t.media, 0)->blocks_written, 0, "R-28: nothing written");
    c = COMMAND(.data_len = 4096, .host_write = true,
                CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(c.rs.direction_mismatch);
    cr_assert_eq(buffer[0], 0xCC);
}

Test(sim_scsi_block, a_bad_client_address_has_no_status)
{
    struct command c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    int bad;

    begin(&c);
    cr_assert_eq(sim_scsi_finish(&t, &c.rq, &c.rs, to_client, from_client, &bad), -EFAULT);
    c = COMMAND(.data_len = 4096, .host_write = true,
                CDB(0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    begin(&c);
    cr_assert_eq(sim_scsi_finish(&t, &c.rq, &c.rs, to_client, from_client, &bad), -EFAULT);
    c = COMMAND(.data_len = 96, CDB(0x12, 0, 0, 0, 96));
    begin(&c);
    cr_assert_eq(sim_scsi_finish(&t, &c.rq, &c.rs, to_client, from_client, &bad), -EFAULT);
}

/* ---- WRITE SAME, SYNCHRONIZE CACHE ---- */

Test(sim_scsi_block, synchronize_cache)
{
    struct command c = COMMAND(CDB(0x35, 0, 0, 0, 3, 0xE0, 0, 0, 0));

    begin(&c);
    cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_SYNC);
    cr_assert_eq(c.rs.blocks, 8, "0 is to the end");
    finish(&c);
    cr_assert(good(&c, 0));
    c = COMMAND(CDB(0x91, 0, 0, 0, 0, 0, 0, 0, 3, 0xE0, 0, 0, 0, 9));
    run(&c);
    cr_assert(out_of_range(&c, 1000));
    c.rq.cdb[13] = 8;
    run(&c);
    cr_assert(good(&c, 0));
    c = COMMAND(.lun_id = LUN1, .port = 1, CDB(0x35, 0x02, 0, 0, 0x13, 0x80, 0, 0, 9));
    run(&c);
    cr_assert(out_of_range(&c, 5000), "with IMMED, too");
    c.rq.cdb[8] = 8;
    run(&c);
    cr_assert(good(&c, 0));
}
