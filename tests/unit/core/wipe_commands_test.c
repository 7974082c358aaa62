/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that wipe a chunk: how many blocks each writes, and what it sends. What wiping means
 * for owners and media is in //tests/scenario:wipe_test. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/adapter/pause.h"
#include "core/lun/wipe.h"
#include "hal/support/bits.h"
#include "hal/support/endian.h"
#include "tests/testlib/fake_luns.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/rig_disks.h"

TestSuite(wipe_commands, .timeout = 60);

enum {
    INQUIRY = 0x12,
    SYNCHRONIZE_CACHE_16 = 0x91,
    WRITE_SAME_16 = 0x93,
    BLOCK_LIMITS = 0xB0,
    CHUNK = 65536,
    PIECES = 1024
};

static uint64_t limit; /* MAXIMUM WRITE SAME LENGTH of the disks */

static struct {
    uint64_t lba;
    uint32_t blocks, bytes;
    uint8_t how; /* byte 1 of the CDB */
} piece[PIECES];
static unsigned pieces;
static unsigned flushes, records_before;
static struct fake_answer flush_answer; /* all zero: good */
static uint64_t bad = UINT64_MAX;       /* a chunk that cannot be written */
static unsigned bad_writes;

static void note_piece(const struct fake_command *c)
{
    const uint8_t *data = c->data;

    cr_assert_lt(pieces, PIECES);
    piece[pieces].lba = hal_be64_at(c->cdb + 2);
    piece[pieces].blocks = hal_be32_at(c->cdb + 10);
    piece[pieces].how = c->cdb[1];
    piece[pieces++].bytes = c->data_length;
    for (uint32_t i = 0; i < c->data_length; i++)
        if (data[i])
            cr_assert_fail("byte %u is not 0", i);
}

/* The whole chunk, and nothing of it is written any more, or recorded yet. */
static void note_flush(const struct fake_command *c, struct fake_answer *a)
{
    cr_assert_eq(hal_be32_at(c->cdb + 10), CHUNK);
    cr_assert_eq(c->data_length, 0);
    cr_assert_gt(pieces, 0);
    cr_assert_eq(piece[pieces - 1].lba + piece[pieces - 1].blocks, hal_be64_at(c->cdb + 2) + CHUNK);
    cr_assert(bad < UINT64_MAX || rig.store.records == records_before,
              "wiped only when it is on the medium");
    flushes++;
    *a = flush_answer;
}

static bool answer(void *arg, const struct afu_ioarcb *rcb, struct afu_ioasa *ioasa)
{
    struct fake_command c = fake_command_read(rig.s.order, RIG_MASTER, rcb);
    struct fake_answer good = {.delay = 0};

    (void)arg;
    if (c.cdb[0] == WRITE_SAME_16 && hal_be64_at(c.cdb + 2) / CHUNK == bad) {
        good = fake_check_condition(3, 0x0C, 0); /* medium error */
        bad_writes++;
    } else if (c.cdb[0] == WRITE_SAME_16)
        note_piece(&c);
    if (c.cdb[0] == INQUIRY && c.cdb[1] == 1 && c.cdb[2] == BLOCK_LIMITS)
        hal_be64_put((uint8_t *)c.data + 36, limit);
    if (c.cdb[0] == SYNCHRONIZE_CACHE_16)
        note_flush(&c, &good);
    fake_answer_write(rig.s.order, &good, ioasa);
    return true;
}

/* Leaves chunk 1 of a LUN to be wiped. */
static void open_and_release(unsigned lun)
{
    struct spipe_open_options wiped = {.size = sizeof wiped, .wipe = true};
    uint64_t last, chunk = (uint64_t)CHUNK * rig.s.lun[lun].global->block_size / 4096;
    uint32_t first, h;

    cr_assert_eq(spipe_open_virtual(rig.ctx, lun, chunk, &first, &last), 0);
    cr_assert_eq(spipe_open_virtual_with(rig.ctx, lun, chunk, &wiped, &h, &last), 0);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(spipe_release(rig.ctx, first), 0);
}

/* Wipes it; the disk takes so many blocks in a command. */
static void wipe(unsigned lun, uint64_t disk_limit)
{
    limit = disk_limit;
    pieces = flushes = 0;
    open_and_release(lun);
    records_before = rig.store.records;
    spipe__wipe_run(&rig.s, &rig.s.lun[lun]);
    cr_assert_eq(rig.s.lun[lun].global->holds, 0);
}

/* One after the other, and all of the chunk. */
static void expect_pieces(unsigned count, uint32_t blocks, uint32_t bytes)
{
    uint64_t at = CHUNK;

    cr_assert_eq(pieces, count, "%u commands", pieces);
    for (unsigned i = 0; i < pieces; i++) {
        cr_assert_eq(piece[i].lba, at);
        cr_assert_leq(piece[i].blocks, blocks);
        cr_assert_eq(piece[i].bytes, bytes);
        at += piece[i].blocks;
    }
    cr_assert_eq(at, 2 * CHUNK);
}

static void begin(void)
{
    rig_begin(HAL_ORDER_LITTLE, 4);
    rig.hal.scsi = answer;
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
}

/* VL-58: the limit of the disk; 512 blocks if it has none, where the original loops for ever. */
Test(wipe_commands, pieces)
{
    begin();
    wipe(0, 0);
    expect_pieces(128, 512, 4096);
    wipe(0, 1000);
    expect_pieces(66, 1000, 4096);
    wipe(0, UINT64_MAX);
    expect_pieces(1, CHUNK, 4096);
    wipe(1, 0);
    expect_pieces(128, 512, 512);
    PROVES(VL_58);
    rig_end();
}

/* VL-64: the data are one block of the device. */
Test(wipe_commands, data)
{
    begin();
    wipe(0, CHUNK / 4);
    expect_pieces(4, CHUNK / 4, 4096);
    wipe(1, CHUNK / 4);
    expect_pieces(4, CHUNK / 4, 512);
    PROVES(VL_64);
    rig_end();
}

/* VL-57, R-24: the unmap bit, and no other one, when the AFU reports that it can and the device
 * promises zeros. */
Test(wipe_commands, unmap)
{
    for (unsigned i = 0; i < 4; i++) {
        uint8_t how = i == 3 ? 0x08 : 0;

        begin();
        rig.s.ws_unmap = i & 1;
        rig.s.lun[0].global->reads_zero_unmapped = i & 2;
        wipe(0, CHUNK / 4);
        expect_pieces(4, CHUNK / 4, 4096);
        for (unsigned k = 0; k < pieces; k++)
            cr_assert_eq(piece[k].how, how, "%u: byte 1 is %#x", i, piece[k].how);
        rig_end();
    }
    PROVES(VL_57);
    PROVES(R_24);
}

/* VL-61: a chunk that cannot be wiped stays dirty, and keeps no other one from being wiped, neither
 * its neighbours, nor those before it: who needs the space tries all of them once (vlun.md 15.1).
 */
Test(wipe_commands, one_bad_chunk)
{
    struct spipe_open_options wiped = {.size = sizeof wiped, .wipe = true};
    uint64_t last;
    uint32_t h;

    for (bad = 0; bad < 4; bad++) {
        begin();
        limit = CHUNK;
        pieces = 0;
        cr_assert_eq(spipe_open_virtual_with(rig.ctx, 0, 4 * CHUNK, &wiped, &h, &last), 0);
        cr_assert_eq(spipe_release(rig.ctx, h), 0);
        cr_assert_eq(spipe__wipe_dirty(rig.s.lun[0].global), 4);
        spipe__wipe_run(&rig.s, &rig.s.lun[0]);
        cr_assert_eq(spipe__wipe_dirty(rig.s.lun[0].global), 1);
        cr_assert(spipe__wipe_is_dirty(rig.s.lun[0].global, bad));
        cr_assert_eq(rig_free(), 3);
        bad += 100; /* mended */
        spipe__wipe_run(&rig.s, &rig.s.lun[0]);
        bad -= 100;
        cr_assert_eq(rig.s.lun[0].global->holds, 0);
        rig_end();
    }
    bad = UINT64_MAX;
    PROVES(VL_61);
}

static uint64_t told_of(enum spipe_event_id id) { return rig.s.events.count[id]; }

/* What the worker does when its time has come. Returns whether the bad chunk was tried. */
static bool run_due(void)
{
    unsigned before = bad_writes;

    rig.s.worker.wipe_at = EXEC_FOREVER;
    spipe__wipe_run_due(&rig.s, &rig.s.lun[0]);
    return bad_writes > before;
}

/* VL-61: the worker tries again what failed after a pause that doubles, up to a minute; others need
 * not wait for that, nor do requests. The program is told when it fails first and when it is over.
 */
Test(wipe_commands, tried_less_and_less_often)
{
    uint64_t pause = 100 * SPIPE__MILLISECOND;

    begin();
    bad = 1;
    limit = CHUNK;
    open_and_release(0);
    for (unsigned i = 0; i < 14; i++) {
        cr_assert(run_due(), "try %u", i);
        cr_assert_eq(rig.s.worker.wipe_at, rig.exec.now + pause, "try %u", i);
        cr_assert_eq(told_of(SPIPE_EVENT_WIPE_FAILED), 1);
        rig.exec.now += pause - 1;
        cr_assert_not(run_due(), "try %u", i);
        cr_assert_geq(rig.s.worker.wipe_at, rig.exec.now + 1);
        rig.exec.now++;
        pause = hal_min64(2 * pause, 60 * SPIPE__SECOND);
    }
    cr_assert(run_due());
    open_and_release(0); /* chunk 2 */
    cr_assert_not(run_due());
    cr_assert_eq(spipe__wipe_dirty(rig.s.lun[0].global), 1, "the other one is wiped");
    bad_writes = 0;
    spipe__wipe_run(&rig.s, &rig.s.lun[0]);
    cr_assert_gt(bad_writes, 0, "a request does not wait");
    bad = UINT64_MAX;
    records_before = rig.store.records;
    cr_assert_eq(told_of(SPIPE_EVENT_WIPE_SUCCEEDED), 0);
    spipe__wipe_run(&rig.s, &rig.s.lun[0]);
    cr_assert_eq(told_of(SPIPE_EVENT_WIPE_SUCCEEDED), 1);
    cr_assert_eq(told_of(SPIPE_EVENT_WIPE_FAILED), 1);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    cr_assert_eq(rig.s.lun[0].wipe_pause, 0);
    rig_end();
}

/* A freed chunk is reusable only after its wipe is durable: what the device has in a volatile cache
 * is flushed before the record says that it was wiped. If that fails, it was not (VL-61). */
Test(wipe_commands, flushed_before_it_counts)
{
    begin();
    wipe(0, CHUNK / 4);
    cr_assert_eq(flushes, 1);
    flush_answer = fake_check_condition(5, 0x20, 0);
    wipe(0, CHUNK / 4);
    cr_assert_eq(flushes, 1, "a device without a cache does not know the command");
    flush_answer = fake_check_condition(4, 0x44, 0);
    open_and_release(0);
    records_before = rig.store.records;
    spipe__wipe_run(&rig.s, &rig.s.lun[0]);
    cr_assert_eq(rig.store.records, records_before, "not wiped");
    cr_assert_eq(spipe__wipe_dirty(rig.s.lun[0].global), 1);
    flush_answer = (struct fake_answer){.delay = 0};
    spipe__wipe_run(&rig.s, &rig.s.lun[0]);
    cr_assert_eq(spipe__wipe_dirty(rig.s.lun[0].global), 0);
    cr_assert_eq(rig.store.records, records_before + 1);
    PROVES(VL_61);
    rig_end();
}
