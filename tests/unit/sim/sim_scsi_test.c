/* SPDX-License-Identifier: Apache-2.0 */
/* The SCSI target: every command and error, with the bytes that SPC, SBC and SL give. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_scsi.h"
#include "tests/testlib/proves.h"

#define LUN1 (UINT64_C(1) << 48)

/* LUN 0: 1000 blocks of 4096 on both ports. LUN 1: 5000 blocks of 512 on port 1. */
static const struct sim_media_lun luns[] = {
    {.blocks = 1000,
     .block_size = 4096,
     .wwid = {0x60, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D,
              0x0E, 0xFF},
     .port_mask = 3},
    {.blocks = 5000, .block_size = 512, .wwid = {0x61}, .port_mask = 2},
};

static struct sim_scsi t;
static uint8_t buffer[1 << 20];

static void setup(void)
{
    const struct sim_media_opts opts = {.luns = luns, .n_luns = 2, .arena_bytes = 32 << 20};
    struct sim_media *m = NULL;

    cr_assert_eq(sim_media_create(&opts, &m, NULL, 0), 0);
    sim_scsi_init(&t, m);
    memset(buffer, 0xCC, sizeof buffer);
}

static void teardown(void) { sim_media_close(t.media); }

TestSuite(sim_scsi, .init = setup, .fini = teardown);

static int to_client(void *arg, uint64_t offset, const void *data, size_t n)
{
    if (arg)
        return -EFAULT;
    cr_assert(offset + n <= sizeof buffer);
    memcpy(buffer + offset, data, n);
    return 0;
}

static int from_client(void *arg, uint64_t offset, void *data, size_t n)
{
    if (arg)
        return -EFAULT;
    memcpy(data, buffer + offset, n);
    return 0;
}

struct command {
    struct sim_scsi_request rq;
    struct sim_scsi_result rs;
};

/* Both phases of a command. */
static void finish(struct command *c)
{
    cr_assert_eq(sim_scsi_finish(&t, &c->rq, &c->rs, to_client, from_client, NULL), 0);
}

static void begin(struct command *c) { sim_scsi_begin(&t, &c->rq, &c->rs); }

static void run(struct command *c)
{
    begin(c);
    finish(c);
}

#define CDB(...) .cdb = {__VA_ARGS__}
#define COMMAND(...)                                                                               \
    (struct command)                                                                               \
    {                                                                                              \
        .rq = { __VA_ARGS__ }                                                                      \
    }

static bool good(const struct command *c, uint32_t moved)
{
    const struct sim_scsi_result *rs = &c->rs;

    return rs->status == 0 && !rs->sense_valid && !rs->overrun && rs->moved == moved &&
           rs->residual == c->rq.data_len - moved && rs->underrun == (rs->residual != 0) &&
           !rs->direction_mismatch;
}

/* CHECK CONDITION with the whole 20 sense bytes as they must be, nothing moved. */
static bool checked(const struct command *c, uint8_t key, uint8_t asc, uint8_t ascq)
{
    const uint8_t sense[20] = {0x70, 0, key, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, asc, ascq};
    const struct sim_scsi_result *rs = &c->rs;

    return rs->status == 0x02 && rs->sense_valid && !memcmp(rs->sense, sense, 20) && !rs->moved;
}

/* ... as above, and the initiator's whole buffer is the residual. */
static bool checked_all_residual(const struct command *c, uint8_t key, uint8_t asc, uint8_t ascq)
{
    return checked(c, key, asc, ascq) && c->rs.residual == c->rq.data_len &&
           c->rs.underrun == (c->rq.data_len != 0) && !c->rs.overrun;
}

static void write_blocks(uint64_t lun_id, uint8_t port, uint8_t lba, uint8_t blocks, int byte)
{
    uint32_t n = blocks * (lun_id ? 512u : 4096u);
    struct command c = COMMAND(.lun_id = lun_id, .port = port, .host_write = true, .data_len = n,
                               CDB(0x8A, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks));

    memset(buffer, byte, n);
    run(&c);
    cr_assert(good(&c, n));
}

static bool reads_as(uint64_t lun_id, uint8_t port, uint8_t lba, uint8_t blocks, int byte)
{
    uint32_t n = blocks * (lun_id ? 512u : 4096u);
    struct command c = COMMAND(.lun_id = lun_id, .port = port, .data_len = n,
                               CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks));

    memset(buffer, ~byte, n);
    run(&c);
    cr_assert(good(&c, n));
    for (uint32_t i = 0; i < n; i++)
        if (buffer[i] != (uint8_t)byte)
            return false;
    return true;
}

/* ---- about the target ---- */

Test(sim_scsi, test_unit_ready)
{
    struct command c = COMMAND(CDB(0x00));

    run(&c);
    cr_assert(good(&c, 0));
    cr_assert_eq(c.rs.kind, SIM_SCSI_NO_DATA);
    cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_NONE);
}

Test(sim_scsi, inquiry)
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

Test(sim_scsi, inquiry_of_a_lun_that_does_not_exist)
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

Test(sim_scsi, vital_product_data)
{
    static const uint8_t pages[7] = {0x00, 0x00, 0x00, 0x03, 0x00, 0x80, 0x83};
    static const uint8_t ids[24] = {0x00, 0x83, 0x00, 0x14, 0x01, 0x03, 0x00, 0x10,
                                    0x60, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                    0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0xFF};
    struct command c = COMMAND(.data_len = 200, CDB(0x12, 1, 0x00, 0, 200));

    run(&c);
    cr_assert(good(&c, 7));
    cr_assert_arr_eq(buffer, pages, 7);
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

Test(sim_scsi, inquiry_fields_that_are_refused)
{
    struct command c = COMMAND(.data_len = 36, CDB(0x12, 1, 0xB0, 0, 36));

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

Test(sim_scsi, report_luns)
{
    static const uint8_t both[24] = {0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0,
                                     0, 0, 0, 0,  0, 1, 0, 0, 0, 0, 0, 0};
    struct command c =
        COMMAND(.port = 1, .data_len = 512, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0));

    run(&c);
    cr_assert(good(&c, 24));
    cr_assert_arr_eq(buffer, both, 24);
    c.rq.port = 0;
    run(&c);
    cr_assert(good(&c, 16));
    cr_assert_eq(buffer[3], 8, "LUN 1 is on port 1 only");
    c.rq.cdb[2] = 1;
    run(&c);
    cr_assert(good(&c, 8));
    cr_assert_eq(buffer[3], 0, "no well-known LUNs");
    c.rq.cdb[2] = 3;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00));
    c = COMMAND(.data_len = 15, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 15, 0, 0));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "allocation length below 16");
    c = COMMAND(.lun_id = LUN1, .data_len = 16, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x25, 0x00));
}

Test(sim_scsi, report_luns_works_without_lun_0)
{
    struct command c = COMMAND(.port = 1, .data_len = 64, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64));

    sim_scsi_set_ports(&t, 0, 0);
    run(&c);
    cr_assert(good(&c, 16));
    cr_assert_eq(buffer[9], 1);
    c = COMMAND(CDB(0x00));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x25, 0x00));
}

Test(sim_scsi, read_capacity_16)
{
    static const uint8_t want[32] = {0, 0, 0, 0, 0, 0, 0x03, 0xE7, 0, 0, 0x10, 0, 0, 0, 0xC0};
    struct command c =
        COMMAND(.data_len = 4096, CDB(0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0));

    run(&c);
    cr_assert(good(&c, 32), "4096 bytes asked for: an underrun of 4064");
    cr_assert_eq(c.rs.residual, 4064);
    cr_assert_arr_eq(buffer, want, 32);
    t.lbprz = false;
    run(&c);
    cr_assert_eq(buffer[14], 0x80);
    t.lbpme = false;
    run(&c);
    cr_assert_eq(buffer[14], 0x00);
    c.rq.lun_id = LUN1;
    c.rq.port = 1;
    run(&c);
    cr_assert_arr_eq(buffer, "\0\0\0\0\0\0\x13\x87\0\0\x02\0", 12);
    c.rq.cdb[1] = 0x12;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "GET LBA STATUS is not supported");
    c.rq.cdb[1] = 0x10;
    c.rq.cdb[9] = 1;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "an LBA");
    c.rq.cdb[9] = 0;
    c.rq.cdb[14] = 1;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "PMI");
}

Test(sim_scsi, request_sense)
{
    static const uint8_t none[18] = {0x70, 0, 0, 0, 0, 0, 0, 0x0A};
    static const uint8_t no_lun[18] = {0x70, 0, 5, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0x25};
    struct command c = COMMAND(.data_len = 252, CDB(0x03, 0, 0, 0, 252));

    run(&c);
    cr_assert(good(&c, 18));
    cr_assert_arr_eq(buffer, none, 18);
    c.rq.lun_id = 99;
    run(&c);
    cr_assert(good(&c, 18));
    cr_assert_arr_eq(buffer, no_lun, 18);
    c.rq.cdb[1] = 1;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "descriptor format");
}

Test(sim_scsi, every_other_opcode_is_refused)
{
    static const uint8_t known[] = {0x00, 0x03, 0x08, 0x0A, 0x12, 0x28, 0x2A, 0x35,
                                    0x88, 0x8A, 0x91, 0x93, 0x9E, 0xA0, 0xA8, 0xAA};
    struct command c;
    unsigned refused = 0;

    for (unsigned op = 0; op < 256; op++) {
        if (memchr(known, (int)op, sizeof known))
            continue;
        c = COMMAND(.data_len = 512, CDB((uint8_t)op));
        run(&c);
        cr_assert(checked_all_residual(&c, 5, 0x20, 0x00), "opcode %02x", op);
        refused++;
    }
    cr_assert_eq(refused, 256 - sizeof known);
}

Test(sim_scsi, naca_is_refused_wherever_the_control_byte_is)
{
    static const struct {
        uint8_t opcode, control;
    } rows[] = {{0x00, 5}, {0x12, 5}, {0x28, 9}, {0x35, 9}, {0xA8, 11}, {0xA0, 11}, {0x88, 15}};
    struct command c;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        c = COMMAND(CDB(rows[i].opcode));
        c.rq.cdb[rows[i].control] = 0x04;
        run(&c);
        cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "opcode %02x", rows[i].opcode);
    }
}

/* ---- blocks ---- */

Test(sim_scsi, reads_and_writes_of_all_sizes)
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

Test(sim_scsi, fields_of_the_cdb_are_as_wide_as_they_should_be)
{
    struct command c = COMMAND(.data_len = 1, CDB(0x08, 0x1F, 0xFF, 0xFF, 0));

    t.luns[0].port_mask = 1;
    cr_assert_eq(sim_media_set_size(t.media, 0, UINT64_C(1) << 34), 0);
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

Test(sim_scsi, addresses_beyond_the_end)
{
    struct command c;

    c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xE8, 0, 0, 0, 1));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x21, 0x00), "the block after the last");
    cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_NONE);
    c.rq.cdb[9] = 0xE7;
    run(&c);
    cr_assert(good(&c, 4096), "the last block");
    c.rq.cdb[13] = 2;
    c.rq.data_len = 8192;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x21, 0x00), "half of it beyond");
    c = COMMAND(.data_len = 4096, .host_write = true,
                CDB(0x8A, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x21, 0x00), "the sum wraps");
}

Test(sim_scsi, zero_blocks_are_good_and_move_nothing)
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

Test(sim_scsi, a_buffer_shorter_than_the_cdb_says)
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

Test(sim_scsi, a_buffer_longer_than_the_cdb_says)
{
    struct command c = COMMAND(.data_len = 10000, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2));

    run(&c);
    cr_assert(good(&c, 8192));
    cr_assert_eq(c.rs.residual, 1808);
    cr_assert(c.rs.underrun);
    cr_assert_eq(buffer[8192], 0xCC);
}

Test(sim_scsi, protection_fields_are_refused)
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

Test(sim_scsi, wrong_direction_is_no_scsi_matter)
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

Test(sim_scsi, a_bad_client_address_has_no_status)
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

Test(sim_scsi, write_same_sends_one_block)
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

Test(sim_scsi, write_same_on_512_byte_blocks)
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

Test(sim_scsi, write_same_without_data_out)
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

Test(sim_scsi, unmapping_with_lbprz_gives_zeros)
{
    write_blocks(0, 0, 0, 255, 0x11);
    unmap_first_piece(0);
    cr_assert(reads_as(0, 0, 0, 255, 0));
    cr_assert(!sim_media_mapped(t.media, 0, 0));
    unmap_first_piece(0x33);
    cr_assert(reads_as(0, 0, 0, 255, 0x33), "what is not zeros is written (SBC)");
}

Test(sim_scsi, unmapping_without_lbprz_leaves_noise)
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

Test(sim_scsi, write_same_fields_that_are_refused)
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

Test(sim_scsi, synchronize_cache)
{
    struct command c = COMMAND(CDB(0x35, 0, 0, 0, 3, 0xE0, 0, 0, 0));

    begin(&c);
    cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_SYNC);
    cr_assert_eq(c.rs.blocks, 8, "0 is to the end");
    finish(&c);
    cr_assert(good(&c, 0));
    c = COMMAND(CDB(0x91, 0, 0, 0, 0, 0, 0, 0, 3, 0xE0, 0, 0, 0, 9));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x21, 0x00));
    c.rq.cdb[13] = 8;
    run(&c);
    cr_assert(good(&c, 0));
}

/* ---- unit attentions ---- */

Test(sim_scsi, power_on_is_reported_once_a_lun_and_port)
{
    struct command c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));

    sim_scsi_power_on(&t);
    for (uint8_t port = 0; port < 2; port++) {
        c.rq.port = port;
        run(&c);
        cr_assert(checked_all_residual(&c, 6, 0x29, 0x00), "port %u", port);
        run(&c);
        cr_assert(good(&c, 4096));
    }
    c = COMMAND(.lun_id = LUN1, .port = 1, CDB(0x00));
    run(&c);
    cr_assert(checked_all_residual(&c, 6, 0x29, 0x00));
}

Test(sim_scsi, lun_reset_touches_one_lun)
{
    struct command c = COMMAND(CDB(0x00));

    sim_scsi_lun_reset(&t, 1);
    run(&c);
    cr_assert(good(&c, 0));
    c = COMMAND(.lun_id = LUN1, .port = 1, CDB(0x00));
    run(&c);
    cr_assert(checked_all_residual(&c, 6, 0x29, 0x00));
}

Test(sim_scsi, capacity_change_is_announced)
{
    struct command c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));

    cr_assert_eq(sim_scsi_set_size(&t, 0, 2000), 0);
    run(&c);
    cr_assert(checked_all_residual(&c, 6, 0x2A, 0x09), "SL 23.7, with 4096 bytes residual");
    c = COMMAND(.data_len = 32, CDB(0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32));
    run(&c);
    cr_assert(good(&c, 32));
    cr_assert(buffer[6] == 0x07 && buffer[7] == 0xCF);
    cr_assert_eq(sim_scsi_set_size(&t, 0, 0), -EINVAL);
    run(&c);
    cr_assert(good(&c, 32), "a refused change announces nothing");
}

Test(sim_scsi, unit_attentions_queue_in_order_of_urgency)
{
    static const uint8_t order[5][2] = {
        {0x29, 0x00}, {0x2A, 0x01}, {0x2A, 0x09}, {0x3F, 0x03}, {0x3F, 0x0E}};
    struct command c = COMMAND(CDB(0x00));

    for (unsigned ua = SIM_SCSI_N_UA; ua--;) {
        sim_scsi_set_unit_attention(&t, 0, 1, (enum sim_scsi_ua)ua);
        sim_scsi_set_unit_attention(&t, 0, 1, (enum sim_scsi_ua)ua);
    }
    for (size_t i = 0; i < 5; i++) {
        run(&c);
        cr_assert(checked_all_residual(&c, 6, order[i][0], order[i][1]));
    }
    run(&c);
    cr_assert(good(&c, 0));
    c.rq.port = 1;
    run(&c);
    cr_assert(good(&c, 0), "port 1 had none");
}

Test(sim_scsi, inquiry_and_report_luns_pass_a_unit_attention)
{
    struct command c = COMMAND(.data_len = 36, CDB(0x12, 0, 0, 0, 36));

    sim_scsi_lun_reset(&t, 0);
    sim_scsi_set_unit_attention(&t, 0, 3, SIM_SCSI_UA_LUNS);
    run(&c);
    cr_assert(good(&c, 36));
    c = COMMAND(.data_len = 64, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64));
    run(&c);
    cr_assert(good(&c, 16));
    c = COMMAND(CDB(0x00));
    run(&c);
    cr_assert(checked_all_residual(&c, 6, 0x29, 0x00), "neither cleared the reset");
    run(&c);
    cr_assert(good(&c, 0), "REPORT LUNS cleared 3F/0E");
    c.rq.port = 1;
    run(&c);
    run(&c);
    cr_assert(checked_all_residual(&c, 6, 0x3F, 0x0E), "on its own port only");
}

Test(sim_scsi, request_sense_delivers_and_clears_a_unit_attention)
{
    static const uint8_t want[18] = {0x70, 0, 6, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0x29};
    struct command c = COMMAND(.data_len = 18, CDB(0x03, 0, 0, 0, 18));

    sim_scsi_lun_reset(&t, 0);
    run(&c);
    cr_assert(good(&c, 18));
    cr_assert_arr_eq(buffer, want, 18);
    run(&c);
    cr_assert_eq(buffer[2], 0);
}

Test(sim_scsi, unit_attention_comes_before_errors_of_the_cdb)
{
    struct command c = COMMAND(CDB(0xFF));

    sim_scsi_lun_reset(&t, 0);
    run(&c);
    cr_assert(checked_all_residual(&c, 6, 0x29, 0x00));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x20, 0x00));
}

/* ---- what the model may do between the phases ---- */

Test(sim_scsi, a_forced_error_leaves_the_medium_alone)
{
    struct command c = COMMAND(.data_len = 4096, .host_write = true,
                               CDB(0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));

    begin(&c);
    sim_scsi_force(&c.rs, 0x02, 3, 0x11, 0x00, false);
    finish(&c);
    cr_assert(checked_all_residual(&c, 3, 0x11, 0x00));
    cr_assert_eq(sim_media_counters(t.media, 0)->blocks_written, 0);
    begin(&c);
    sim_scsi_force(&c.rs, 0x08, 0, 0, 0, false);
    finish(&c);
    cr_assert(c.rs.status == 0x08 && !c.rs.sense_valid && c.rs.residual == 4096, "busy");
    begin(&c);
    sim_scsi_force(&c.rs, 0x02, 0xFF, 0, 0, false);
    finish(&c);
    cr_assert(c.rs.status == 0x02 && !c.rs.sense_valid, "check condition without sense");
}

Test(sim_scsi, a_recovered_error_moves_the_data_first)
{
    struct command c = COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1));

    write_blocks(0, 0, 2, 1, 0x44);
    begin(&c);
    sim_scsi_force(&c.rs, 0x02, 1, 0x18, 0x00, true);
    memset(buffer, 0, 4096);
    finish(&c);
    cr_assert(c.rs.status == 0x02 && c.rs.sense_valid && c.rs.sense[2] == 1);
    cr_assert(c.rs.moved == 4096 && !c.rs.underrun && !c.rs.residual);
    cr_assert_eq(buffer[4095], 0x44);
}

Test(sim_scsi, a_shortened_transfer_has_its_residual)
{
    struct command c = COMMAND(.data_len = 8192, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2));

    begin(&c);
    c.rs.blocks = 1;
    finish(&c);
    cr_assert(good(&c, 4096));
    cr_assert_eq(buffer[4096], 0xCC);
}

Test(sim_scsi, the_device_may_change_between_the_phases)
{
    struct command c =
        COMMAND(.data_len = 4096, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 3, 0xE7, 0, 0, 0, 1));

    begin(&c);
    cr_assert_eq(sim_media_set_size(t.media, 0, 999), 0);
    finish(&c);
    cr_assert(checked_all_residual(&c, 5, 0x21, 0x00), "shrunk, R-50");
    c.rq.cdb[9] = 0;
    begin(&c);
    sim_scsi_set_ports(&t, 0, 2);
    finish(&c);
    cr_assert(checked_all_residual(&c, 5, 0x25, 0x00), "taken away");
}

Test(sim_scsi, another_device_behind_the_same_number)
{
    static const uint8_t other[16] = {0x6F, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct command c = COMMAND(.data_len = 24, CDB(0x12, 1, 0x83, 0, 24));

    sim_scsi_set_wwid(&t, 0, other);
    run(&c);
    cr_assert_arr_eq(buffer + 8, other, 16);
    cr_assert_eq(sim_media_lun(t.media, 0)->wwid[0], 0x60, "media keep their own");
}

Test(sim_scsi, a_full_disk_is_a_write_error)
{
    static const struct sim_media_lun big = {
        .blocks = 1 << 20, .block_size = 4096, .wwid = {0x60}, .port_mask = 1};
    const struct sim_media_opts opts = {.luns = &big, .n_luns = 1, .arena_bytes = 1 << 20};
    struct command c = COMMAND(.data_len = 4096, .host_write = true,
                               CDB(0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    struct sim_media *m = NULL;

    sim_media_close(t.media);
    cr_assert_eq(sim_media_create(&opts, &m, NULL, 0), 0);
    sim_scsi_init(&t, m);
    run(&c);
    cr_assert(checked_all_residual(&c, 3, 0x0C, 0x00));
    t.lbprz = false;
    c = COMMAND(.data_len = 4096, .host_write = true,
                CDB(0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(good(&c, 4096), "noise needs no space: old contents do as well");
}

Test(sim_scsi, sense_bytes_of_sl_23_7)
{
    static const uint8_t want[20] = {0x70, 0, 6,    0, 0, 0, 0, 0x0A, 0, 0,
                                     0,    0, 0x2A, 9, 0, 0, 0, 0,    0, 0};
    uint8_t sense[20];

    memset(sense, 0xFF, sizeof sense);
    sim_scsi_sense(sense, 6, 0x2A, 0x09);
    cr_assert_arr_eq(sense, want, 20);
}
