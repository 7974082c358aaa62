/* SPDX-License-Identifier: Apache-2.0 */
/* WRITE SAME and unmapping, with the bytes that SBC and SL give. */
#include "tests/unit/sim/sim_scsi_fixture.h"

TestSuite(sim_scsi_provision, .init = setup, .fini = teardown);

Test(sim_scsi_provision, write_same_sends_one_block)
{
    struct command c = COMMAND(.data_len = 4096, .host_write = true,
                               CDB(0x93, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1, 0x44));

    memset(buffer, 0x5C, 4096);
    begin(&c);
    cr_assert_eq(c.rs.kind, SIM_SCSI_DATA_OUT);
    cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_ZERO);
    cr_assert_eq(c.rs.transfer_len, 4096, "one device block, VL-64");
    cr_assert_eq(c.rs.blocks, 0x144);
    finish(&c);
    cr_assert(good(&c, 4096));
    cr_assert(reads_as(0, 0, 9, 1, 0) && reads_as(0, 0, 10, 200, 0x5C));
    cr_assert_eq(sim_media_counters(t.media, 0)->blocks_written, 0x144);
}

Test(sim_scsi_provision, write_same_on_512_byte_blocks)
{
    struct command c = COMMAND(.lun_id = LUN1, .port = 1, .data_len = 512, .host_write = true,
                               CDB(0x93, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8));

    write_blocks(LUN1, 1, 0, 100, 0x77);
    memset(buffer, 0, 512);
    run(&c);
    cr_assert(good(&c, 512));
    cr_assert(reads_as(LUN1, 1, 7, 1, 0x77) && reads_as(LUN1, 1, 8, 8, 0) &&
              reads_as(LUN1, 1, 16, 1, 0x77));
    c.rq.data_len = 4096;
    run(&c);
    cr_assert(good(&c, 512), "4096 bytes offered to a 512-byte device: underrun of 3584");
    c.rq.data_len = 511;
    run(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00) && c.rs.overrun && c.rs.residual == 1);
}

Test(sim_scsi_provision, write_same_without_data_out)
{
    struct command c = COMMAND(CDB(0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2));

    write_blocks(0, 0, 0, 8, 0x11);
    begin(&c);
    cr_assert_eq(c.rs.kind, SIM_SCSI_NO_DATA);
    finish(&c);
    cr_assert(good(&c, 0));
    cr_assert(reads_as(0, 0, 0, 3, 0x11) && reads_as(0, 0, 3, 2, 0) && reads_as(0, 0, 5, 3, 0x11));
    cr_assert(sim_media_mapped(t.media, 0, 3));
}

/* Unmaps the first MiB of LUN 0, sending one block of `byte`. */
static void unmap_first_piece(int byte)
{
    struct command c = COMMAND(.data_len = 4096, .host_write = true,
                               CDB(0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0));

    memset(buffer, byte, 4096);
    run(&c);
    cr_assert(good(&c, 4096));
}

Test(sim_scsi_provision, unmapping_with_lbprz_gives_zeros)
{
    write_blocks(0, 0, 0, 255, 0x11);
    unmap_first_piece(0);
    cr_assert(reads_as(0, 0, 0, 255, 0));
    cr_assert(!sim_media_mapped(t.media, 0, 0));
    unmap_first_piece(0x33);
    cr_assert(reads_as(0, 0, 0, 255, 0x33), "what is not zeros is written (SBC)");
}

Test(sim_scsi_provision, unmapping_without_lbprz_leaves_noise)
{
    static uint8_t first[4096];
    struct command c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1));

    t.lbprz = false;
    write_blocks(0, 0, 0, 255, 0);
    unmap_first_piece(0);
    run(&c);
    memcpy(first, buffer, sizeof first);
    for (size_t i = 0; i < sizeof first; i += 8)
        cr_assert(memcmp(first + i, "\0\0\0\0\0\0\0", 8) != 0, "R-24: never zeros");
    cr_assert_arr_eq(first, "\xD7\x3A\x9A\x3D\x94\x1E\x7E\xC7", 8, "the same on every host");
    c.rq.cdb[9] = 2;
    run(&c);
    cr_assert(memcmp(first, buffer, 4096) != 0, "different in every block");
}

Test(sim_scsi_provision, write_same_fields_that_are_refused)
{
    static const uint8_t flags[] = {0x02, 0x04, 0x10, 0x20, 0x40, 0x80};
    struct command c;

    for (size_t i = 0; i < sizeof flags; i++) {
        c = COMMAND(.data_len = 4096, .host_write = true,
                    CDB(0x93, flags[i], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
        run(&c);
        cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "flags %02x", flags[i]);
    }
    c = COMMAND(.data_len = 4096, .host_write = true, CDB(0x93));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "the whole rest of the device");
    c.rq.cdb[13] = 1;
    c.rq.cdb[2] = 1;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x21, 0x00));
    t.lbpme = false;
    c = COMMAND(.data_len = 4096, .host_write = true,
                CDB(0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "unmap on a fully provisioned device");
}
