/* SPDX-License-Identifier: Apache-2.0 */
/* WRITE SAME and unmapping, with the bytes that SBC and SL give. */
#include "hal/support/endian.h"
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
    c.rq.cdb[6] = 1;
    run(&c);
    cr_assert(out_of_range(&c, 0x1000000));
    t.lbpme = false;
    c = COMMAND(.data_len = 4096, .host_write = true,
                CDB(0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "unmap on a fully provisioned device");
}

/* ---- UNMAP ---- */

static struct command unmap(const uint8_t *list, uint16_t n)
{
    struct command c = COMMAND(.data_len = n, .host_write = true,
                               CDB(0x42, 0, 0, 0, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n));

    memcpy(buffer, list, n);
    run(&c);
    return c;
}

Test(sim_scsi_provision, unmap_of_two_ranges)
{
    static const uint8_t list[40] = {0, 38, 0, 32, [15] = 2, [19] = 3, [31] = 10, [35] = 1};
    struct command c;

    write_blocks(0, 0, 0, 16, 0x77);
    c = unmap(list, sizeof list);
    cr_assert(good(&c, 40));
    cr_assert(reads_as(0, 0, 0, 2, 0x77) && reads_as(0, 0, 2, 3, 0) && reads_as(0, 0, 5, 5, 0x77));
    cr_assert(reads_as(0, 0, 10, 1, 0) && reads_as(0, 0, 11, 5, 0x77));
}

/* Blocks of 512 bytes: the LUN has 5000, a piece 2048 of them. Of a piece that is unmapped as a
 * whole the space is given back, of one in part the blocks read as zeros. */
Test(sim_scsi_provision, unmap_and_status_of_512_byte_blocks)
{
    static const uint8_t list[40] = {0, 38, 0, 32, [18] = 0x08, [30] = 0x08, 10, [34] = 0, 3};
    static const uint8_t free_piece[24] = {0, 0, 0, 20, [15] = 1, [18] = 0x07, 0xFF, 0x01};
    static const uint8_t mapped[24] = {0, 0, 0, 20, [14] = 0x08, 0, [18] = 0x08, 0, 0x00};
    static const uint8_t last[24] = {0, 0, 0, 20, [14] = 0x13, 0x87, [19] = 1, 0x01};
    struct command c = COMMAND(.lun_id = LUN1, .port = 1, .host_write = true, .data_len = 512,
                               CDB(0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 20));

    memset(buffer, 0x77, 512);
    run(&c); /* 2068 blocks from 0 */
    cr_assert(good(&c, 512));
    memcpy(buffer, list, sizeof list);
    c = COMMAND(.lun_id = LUN1, .port = 1, .host_write = true, .data_len = 40,
                CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 40));
    run(&c); /* all of the first piece, and 2058 to 2060 */
    cr_assert(good(&c, 40));
    c = COMMAND(.lun_id = LUN1, .port = 1, .data_len = 5 * 512,
                CDB(0x28, 0, 0, 0, 0x08, 9, 0, 0, 5));
    run(&c);
    cr_assert(buffer[511] == 0x77 && buffer[512] == 0 && buffer[2047] == 0 && buffer[2048] == 0x77);
    c = COMMAND(.lun_id = LUN1, .port = 1, .data_len = 24,
                CDB(0x9E, 0x12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 24));
    run(&c);
    cr_assert_arr_eq(buffer, free_piece, 24);
    c.rq.cdb[8] = 0x08;
    c.rq.cdb[9] = 0;
    run(&c);
    cr_assert_arr_eq(buffer, mapped, 24);
    c.rq.cdb[8] = 0x13;
    c.rq.cdb[9] = 0x87;
    run(&c);
    cr_assert_arr_eq(buffer, last, 24);
    c.rq.cdb[9] = 0x88;
    run(&c);
    cr_assert(out_of_range(&c, 5000));
}

Test(sim_scsi_provision, unmap_of_nothing)
{
    static const uint8_t header[8] = {0, 6};
    static const uint8_t zero_blocks[24] = {0, 22, 0, 16, [15] = 2};
    static const uint8_t cut[16] = {0, 22, 0, 16, [15] = 2}; /* an incomplete descriptor */
    struct command c = COMMAND(CDB(0x42));

    write_blocks(0, 0, 0, 4, 0x77);
    run(&c);
    cr_assert(good(&c, 0), "no list at all");
    c = unmap(header, sizeof header);
    cr_assert(good(&c, 8));
    c = unmap(zero_blocks, sizeof zero_blocks);
    cr_assert(good(&c, 24));
    c = unmap(cut, sizeof cut);
    cr_assert(good(&c, 16));
    cr_assert(reads_as(0, 0, 0, 4, 0x77));
}

/* A bad descriptor, even the last one, and nothing is unmapped. */
Test(sim_scsi_provision, unmap_beyond_the_end)
{
    static const uint8_t list[40] = {0,    38, 0, 32, [19] = 3, [30] = 0x03,
                                     0xE7, 0,  0, 0,  2}; /* 999 + 2 */
    static const uint8_t far[24] = {0,    22,   0,    16,   [8] = 0xFF, 0xFF, 0xFF, 0xFF,
                                    0xFF, 0xFF, 0xFF, 0xFF, 0xFF,       0xFF, 0xFF, 0xFF};
    struct command c;

    write_blocks(0, 0, 0, 4, 0x77);
    c = unmap(list, sizeof list);
    cr_assert(out_of_range(&c, 1000));
    c = unmap(far, sizeof far);
    cr_assert(checked_all_residual(&c, 5, 0x21, 0x00), "too far for INFORMATION");
    cr_assert(reads_as(0, 0, 0, 4, 0x77));
}

Test(sim_scsi_provision, unmap_lists_that_are_refused)
{
    static const uint8_t short_list[7] = {0, 5};
    static uint8_t long_list[8 + 129 * 16] = {0x08, 0x16, 0x08, 0x10};
    struct command c = unmap(short_list, sizeof short_list);

    cr_assert(checked_all_residual(&c, 5, 0x1A, 0x00));
    c = unmap(long_list, sizeof long_list);
    cr_assert(checked(&c, 5, 0x26, 0x00), "129 descriptors");
    long_list[2] = 0x08;
    long_list[3] = 0x00;
    c = unmap(long_list, sizeof long_list);
    cr_assert(good(&c, sizeof long_list), "128, and something behind them");
    c = COMMAND(CDB(0x42, 1));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "ANCHOR");
    t.lbpme = false;
    c = COMMAND(CDB(0x42));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x20, 0x00), "not thin");
}

Test(sim_scsi_provision, unmap_from_a_bad_address)
{
    static int bad;
    struct command c =
        COMMAND(.data_len = 24, .host_write = true, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 24));

    begin(&c);
    cr_assert_eq(sim_scsi_finish(&t, &c.rq, &c.rs, to_client, from_client, &bad), -EFAULT);
}

/* ---- GET LBA STATUS ---- */

/* Into `room` bytes, which are also the allocation length. */
static struct command lba_status(uint16_t lba, uint16_t room)
{
    struct command c = COMMAND(.data_len = room, CDB(0x9E, 0x12, 0));

    hal_be16_put(c.rq.cdb + 8, lba);
    hal_be16_put(c.rq.cdb + 12, room);
    memset(buffer, 0xCC, sizeof buffer);
    run(&c);
    return c;
}

static void write_one(uint32_t lba)
{
    struct command c = COMMAND(.data_len = 4096, .host_write = true, CDB(0x8A, [13] = 1));

    hal_be32_put(c.rq.cdb + 6, lba);
    run(&c);
    cr_assert(good(&c, 4096));
}

/* Pieces of 256 blocks: the second and third of four are written, the last has 232 blocks. */
Test(sim_scsi_provision, lba_status)
{
    static const uint8_t from_5[56] = {0,        0,          0,          52,   /**/
                                       [15] = 5, [18] = 0,   0xFB,       0x01, /**/
                                       [30] = 1, [34] = 2,   0,          0x00, /**/
                                       [46] = 3, [51] = 232, [52] = 0x01};
    static const uint8_t written[24] = {0, 0, 0, 20, [14] = 1, 0x2C, [18] = 1, 0xD4, 0x00};
    static const uint8_t behind[24] = {0, 0, 0, 20, [14] = 3, 0xE7, [19] = 1, 0x01};
    struct command c;

    write_one(256);
    write_one(512);
    c = lba_status(5, 64);
    cr_assert(good(&c, 56));
    cr_assert_arr_eq(buffer, from_5, 56, "251 deallocated, 512 mapped, 232 deallocated");
    c = lba_status(300, 24);
    cr_assert(good(&c, 24));
    cr_assert_arr_eq(buffer, written, 24, "300 to 767, mapped");
    c = lba_status(999, 64);
    cr_assert(good(&c, 24));
    cr_assert_arr_eq(buffer, behind, 24, "the last block");
    c = lba_status(1000, 64);
    cr_assert(out_of_range(&c, 1000), "behind it");
}

/* SBC: as many descriptors as fit, but one at least; what is told is what there is of them. */
Test(sim_scsi_provision, lba_status_as_it_fits)
{
    struct command c;

    write_one(256);
    c = lba_status(0, 40);
    cr_assert(good(&c, 40) && buffer[3] == 36, "two");
    c = lba_status(0, 55);
    cr_assert(good(&c, 40) && buffer[3] == 36, "the third does not fit");
    cr_assert_eq(buffer[40], 0xCC);
    c = lba_status(0, 10);
    cr_assert(good(&c, 10) && buffer[3] == 20, "the first is cut off");
}

/* Replaces the media by a LUN of so many pieces, the odd ones written. */
static void many_runs(uint32_t pieces)
{
    const struct sim_media_lun lun = {
        .blocks = pieces * 256, .block_size = 4096, .wwid = {0x60}, .port_mask = 3};
    const struct sim_media_opts opts = {.luns = &lun, .n_luns = 1, .kind = SIM_MEDIA_TAG};
    struct sim_media *m;

    teardown();
    cr_assert_eq(sim_media_create(&opts, &m, NULL, 0), 0);
    sim_scsi_init(&t, m);
    for (uint32_t i = 1; i < pieces && i < 300; i += 2)
        write_one(i * 256);
}

/* The work is bounded: by what parameter data can hold, and by how far one command looks. */
Test(sim_scsi_provision, lba_status_of_many_runs)
{
    const uint8_t *last;
    struct command c;

    many_runs(10000);
    c = lba_status(0, 65535);
    cr_assert(good(&c, 8 + 127 * 16));
    last = buffer + 8 + 126 * 16;
    cr_assert(hal_be64_at(last) == 126 * 256 && hal_be32_at(last + 8) == 256 && last[12] == 1);
    c = lba_status(65280, 65535); /* piece 255 and up; from 300 on nothing is written */
    cr_assert(good(&c, 8 + 46 * 16));
    last = buffer + 8 + 45 * 16;
    cr_assert(hal_be64_at(last) == 300 * 256 && last[12] == 1);
    cr_assert_eq(hal_be32_at(last + 8), (4096 - 45) * 256, "4096 pieces");
}

Test(sim_scsi_provision, lba_status_of_a_lun_that_shrinks_meanwhile)
{
    struct command c =
        COMMAND(.data_len = 64, CDB(0x9E, 0x12, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 64));

    begin(&c);
    cr_assert_eq(sim_media_set_size(t.media, 0, 10), 0);
    finish(&c);
    cr_assert(good(&c, 8));
    cr_assert_arr_eq(buffer, "\0\0\0\x04\0\0\0\0", 8);
}
