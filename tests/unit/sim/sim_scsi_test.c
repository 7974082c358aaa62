/* SPDX-License-Identifier: Apache-2.0 */
/* The SCSI target: which commands there are, unit attentions, and what the model may do between the
 * phases. */
#include "sim/sim_media_ops.h"
#include "tests/unit/sim/sim_scsi_fixture.h"

TestSuite(sim_scsi, .init = setup, .fini = teardown);

/* ---- what is refused ---- */

Test(sim_scsi, every_other_opcode_is_refused)
{
    static const uint8_t known[] = {0x00, 0x03, 0x08, 0x0A, 0x12, 0x1A, 0x1B,
                                    0x25, 0x28, 0x2A, 0x35, 0x42, 0x5A, 0x88,
                                    0x8A, 0x91, 0x93, 0x9E, 0xA0, 0xA8, 0xAA};
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

/* Adapters that share media have a target each. */
Test(sim_scsi, capacity_change_through_another_target_is_announced)
{
    struct command c = COMMAND(CDB(0x00));
    static struct sim_scsi other;

    sim_scsi_init(&other, t.media);
    cr_assert_eq(sim_scsi_set_size(&other, 0, 2000), 0);
    run(&c);
    cr_assert(checked_all_residual(&c, 6, 0x2A, 0x09));
    run(&c);
    cr_assert(good(&c, 0), "once on each port");
    sim_scsi_begin(&other, &c.rq, &c.rs);
    cr_assert(checked_all_residual(&c, 6, 0x2A, 0x09));
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
    sim_scsi_force(&c.rs, 0x02, 3, 0x11, 0x00, false);
    sim_scsi_force_block(&c.rs, 0x12345678);
    finish(&c);
    cr_assert(checked_block(&c, 3, 0x11, 0x00, 0x12345678));
    begin(&c);
    sim_scsi_force(&c.rs, 0x02, 3, 0x11, 0x00, false);
    sim_scsi_force_block(&c.rs, UINT64_C(0x100000000));
    finish(&c);
    cr_assert(checked_all_residual(&c, 3, 0x11, 0x00), "no room in fixed format: not VALID");
    begin(&c);
    sim_scsi_force(&c.rs, 0x08, 0, 0, 0, false);
    sim_scsi_force_block(&c.rs, 5);
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
    resize_untold(999);
    finish(&c);
    cr_assert(out_of_range(&c, 999), "shrunk, R-50");
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

/* A target over media in which a number is free. */
Test(sim_scsi, luns_come_and_go)
{
    static const struct sim_media_lun extra = {
        .blocks = 10, .block_size = 4096, .wwid = {0x60, 9}, .port_mask = 2};
    struct command c = COMMAND(.port = 1, CDB(0));
    unsigned lun = 99;

    cr_assert_eq(sim_scsi_add_lun(&t, &extra, &lun), 0);
    cr_assert_eq(lun, 2);
    run(&c);
    cr_assert(checked(&c, 6, 0x3F, 0x0E));
    c = COMMAND(.lun_id = 2 * LUN1, .port = 1, CDB(0));
    run(&c);
    cr_assert(good(&c, 0), "the new LUN knows of itself");
    cr_assert_eq(sim_scsi_remove_lun(&t, 0), 0);
    cr_assert_eq(sim_scsi_remove_lun(&t, 0), -EINVAL);
    run(&c);
    cr_assert(checked(&c, 6, 0x3F, 0x0E));
    sim_scsi_init(&t, t.media);
    run(&c);
    cr_assert(good(&c, 0));
    c = COMMAND(.port = 1, CDB(0));
    run(&c);
    cr_assert(checked(&c, 5, 0x25, 0));
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

/* Commands that change block 0, and one that reads it. */
enum { WRITE_6, WRITE_10, WRITE_12, WRITE_16, SAME, SAME_UNMAP, SAME_NDOB, UNMAP, CHANGES };
static const uint8_t changes[CHANGES][16] = {
    {0x0A, 0, 0, 0, 1},
    {0x2A, 0, 0, 0, 0, 0, 0, 0, 1},
    {0xAA, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x93, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x93, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x42, 0, 0, 0, 0, 0, 0, 0, 24},
};

static struct command change(unsigned i)
{
    static const uint32_t bytes[CHANGES] = {
        4096, 4096, 4096, 4096, 4096, 4096, [SAME_NDOB] = 0, [UNMAP] = 24};
    struct command c = COMMAND(.data_len = bytes[i], .host_write = bytes[i] != 0);

    memset(buffer, 0, 4096);
    if (i == UNMAP) { /* one block at 0 */
        memcpy(buffer, "\0\x16\0\x10", 4);
        buffer[19] = 1;
    }
    memcpy(c.rq.cdb, changes[i], 16);
    run(&c);
    return c;
}

/* 7/27/00 for whatever writes, WP in the mode parameter headers; all else works. */
Test(sim_scsi, a_write_protected_medium)
{
    struct command c;

    write_blocks(0, 0, 0, 1, 0x44);
    t.media->read_only = true;
    for (unsigned i = 0; i < CHANGES; i++) {
        c = change(i);
        cr_expect(checked_all_residual(&c, 7, 0x27, 0x00), "change %u", i);
    }
    cr_assert(reads_as(0, 0, 0, 1, 0x44));
    c = COMMAND(CDB(0x35));
    run(&c);
    cr_assert(good(&c, 0));
    c = COMMAND(.data_len = 24, CDB(0x1A, 8, 8, 0, 24));
    run(&c);
    cr_assert(good(&c, 24) && buffer[2] == 0x90);
    c = COMMAND(.data_len = 28, CDB(0x5A, 8, 8, 0, 0, 0, 0, 0, 28));
    run(&c);
    cr_assert(good(&c, 28) && buffer[3] == 0x90);
}

static int media_error;

static int no_read(struct sim_media *m, const struct sim_media_part *p, sim_media_sink *sink,
                   void *arg)
{
    (void)m, (void)p, (void)sink, (void)arg;
    return media_error;
}

static int no_write(struct sim_media *m, const struct sim_media_part *p, sim_media_source *source,
                    void *arg)
{
    (void)m, (void)p, (void)source, (void)arg;
    return media_error;
}

static int no_fill(struct sim_media *m, const struct sim_media_part *p, const void *pattern)
{
    (void)m, (void)p, (void)pattern;
    return media_error;
}

static int no_sync(struct sim_media *m)
{
    (void)m;
    return media_error;
}

/* Errors of the medium itself: which block it was is not known, so VALID stays 0. */
Test(sim_scsi, failures_of_the_medium)
{
    struct sim_media_ops failing = *t.media->ops;
    const struct sim_media_ops *ops = t.media->ops;
    struct command c;

    failing.read = no_read;
    failing.write = no_write;
    failing.fill = no_fill;
    failing.sync = no_sync;
    t.media->ops = &failing;
    for (unsigned hard = 0; hard < 2; hard++) {
        uint8_t key = hard ? 4 : 3, reading = hard ? 0x44 : 0x11, writing = hard ? 0x44 : 0x0C;

        media_error = hard ? -EBADF : -EIO;
        c = COMMAND(.data_len = 4096, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
        run(&c);
        cr_expect(checked_all_residual(&c, key, reading, 0x00));
        for (unsigned i = 0; i < CHANGES; i++) {
            c = change(i);
            cr_expect(checked_all_residual(&c, key, writing, 0x00), "change %u", i);
        }
        c = COMMAND(CDB(0x91));
        run(&c);
        cr_expect(checked_all_residual(&c, key, writing, 0x00), "SYNCHRONIZE CACHE");
        c = COMMAND(CDB(0x1B));
        run(&c);
        cr_expect(checked_all_residual(&c, key, writing, 0x00), "stopping flushes");
        c = COMMAND(CDB(0x00));
        run(&c);
        cr_expect(good(&c, 0), "and does not stop");
    }
    t.media->ops = ops;
}

/* What FUA promises is not there if the flush fails. */
Test(sim_scsi, a_write_through_that_fails)
{
    struct sim_media_ops failing = *t.media->ops;
    const struct sim_media_ops *ops = t.media->ops;
    struct command c =
        COMMAND(.data_len = 4096, .host_write = true, CDB(0x2A, 0x08, 0, 0, 0, 0, 0, 0, 1));

    failing.sync = no_sync;
    media_error = -EIO;
    t.media->ops = &failing;
    run(&c);
    cr_assert(checked_all_residual(&c, 3, 0x0C, 0x00));
    c.rq.cdb[1] = 0;
    run(&c);
    cr_assert(good(&c, 4096), "without FUA nobody asks");
    t.media->ops = ops;
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
