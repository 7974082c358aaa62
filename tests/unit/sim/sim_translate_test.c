/* SPDX-License-Identifier: Apache-2.0 */
/* SL 8.4 step by step, the table of SL 23.4, the rows of SL 21 for virtual LUNs, and the
 * life of cached translations. */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/world.h"
#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"

static struct model *m;
static struct model_ctx user;

static void up(void)
{
    static const uint64_t chunks[] = {2, 1, 3};

    m = model_create("zero");
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 5, chunks, 3, 0, AFU_PERM_RW);
}

static void down(void)
{
    model_ctx_end(m, &user);
    model_destroy(m);
}

TestSuite(sim_translate, .init = up, .fini = down);

static uint8_t afu_rc(bool write, uint32_t handle, uint64_t lba, uint32_t blocks)
{
    model_rw(m, &user, 0, write, handle, lba, blocks, m->buffer);
    cr_assert(model_issue(m, &user, 0, 10000000));
    return user.pair[0].ioasa.rc.afu_rc;
}

static void set_words(unsigned entry, uint64_t w0, uint64_t w1)
{
    user.rht[entry].word[0] = w0;
    user.rht[entry].word[1] = w1;
    model_sync(m, AFU_SYNC_LW, user.handle, entry);
}

static int byte_at(void *arg, uint64_t offset, const void *data, size_t n)
{
    (void)offset;
    (void)n;
    *(uint8_t *)arg = *(const uint8_t *)data;
    return 0;
}

/* The block really written on the medium. */
static uint8_t medium(uint64_t lba)
{
    uint8_t b = 0;

    cr_assert_eq(sim_media_read(m->media, 0, lba, 1, byte_at, &b), 0);
    return b;
}

Test(sim_translate, virtual_blocks_land_in_their_chunks)
{
    static const struct {
        uint64_t vlba, physical;
    } row[] = {{0, 0x20000},
               {0xFFFF, 0x2FFFF},
               {0x10000, 0x10000},
               {0x1BEEF, 0x1BEEF},
               {0x2ABCD, 0x3ABCD}};

    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        memset(m->buffer, (int)i + 1, 4096);
        cr_assert_eq(afu_rc(true, 5, row[i].vlba, 1), 0);
        cr_assert_eq(medium(row[i].physical), i + 1, "vLBA 0x%llx",
                     (unsigned long long)row[i].vlba);
    }
    cr_assert_eq(afu_rc(false, 5, 0x30000, 1), 0x13);
    PROVES(VL_2);
    PROVES(SL_8_4);
}

Test(sim_translate, a_transfer_may_cross_into_the_next_chunk)
{
    memset(m->buffer, 0x11, 4096);
    memset(m->buffer + 4096, 0x22, 4096);
    cr_assert_eq(afu_rc(true, 5, 0xFFFF, 2), 0);
    cr_assert_eq(medium(0x2FFFF), 0x11);
    cr_assert_eq(medium(0x10000), 0x22);
    memset(m->buffer, 0, 8192);
    cr_assert_eq(afu_rc(false, 5, 0xFFFF, 2), 0);
    cr_assert_eq(m->buffer[0], 0x11);
    cr_assert_eq(m->buffer[4096], 0x22);
    cr_assert_eq(afu_rc(true, 5, 0x2FFFF, 2), 0x13); /* the last chunk has no next */
    PROVES(R_12);
}

Test(sim_translate, refusals_of_a_virtual_lun)
{
    cr_assert_eq(afu_rc(false, 6, 0, 1), 0x05, "never opened: all-zero entry");
    cr_assert_eq(afu_rc(false, 256, 0, 1), 0x03, "handle = table size");
    model_rw(m, &user, 0, false, 5, 0, 2, m->buffer);
    user.pair[0].ioarcb.data_len = xe32_of(user.order, 4096); /* 2 blocks in the CDB */
    cr_assert(model_issue(m, &user, 0, 100000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x13);
    model_rw(m, &user, 0, false, 5, 0, 8192, m->buffer); /* 32 MiB */
    cr_assert(model_issue(m, &user, 0, 100000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x13);
}

Test(sim_translate, size_zero_is_out_of_bounds)
{
    struct afu_rht_virtual v = {.permissions = AFU_PERM_RW, .nmask = 16};

    user.rht[7] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    cr_assert_eq(afu_rc(false, 7, 0, 1), 0x13);
    PROVES(VL_3);
}

Test(sim_translate, permissions_of_entry_and_lxt)
{
    static const uint64_t chunks[] = {0};

    model_virtual(m, &user, 8, chunks, 1, 0, AFU_PERM_READ);
    cr_assert_eq(afu_rc(true, 8, 0, 1), 0x05);
    cr_assert_eq(afu_rc(false, 8, 0, 1), 0);
    model_virtual(m, &user, 9, chunks, 1, 0, AFU_PERM_RW);
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 0, AFU_PERM_READ, 3));
    cr_assert_eq(afu_rc(true, 9, 0, 1), 0x15);
    PROVES(VL_5);
}

Test(sim_translate, bad_tables)
{
    struct afu_rht_virtual v = {
        .lxt_start = (uintptr_t)m->lxt + 4, .lxt_cnt = 1, .permissions = 3, .nmask = 16};
    struct afu_rht_entry e = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);

    set_words(10, e.word[0], e.word[1]);
    cr_assert_eq(afu_rc(false, 10, 0, 1), 0x12);
    model_expect_violations(m, SIM_RULE_LXT_ALIGN, 1);
    v.lxt_start = 0x1000; /* not mapped */
    e = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    set_words(10, e.word[0], e.word[1]);
    cr_assert_eq(afu_rc(false, 10, 0, 1), 0x14);
    cr_assert_eq(user.pair[0].ioasa.afu_extra, 0x0B);
    model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + AFU_CTRL_RHT_START, 0x2008);
    cr_assert_eq(afu_rc(false, 11, 0, 1), 0x02);
    model_expect_violations(m, SIM_RULE_RHT_ALIGN, 1);
    model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + AFU_CTRL_RHT_START, 0x2000);
    cr_assert_eq(afu_rc(false, 11, 0, 1), 0x04);
}

Test(sim_translate, the_owner_must_host_translations)
{
    model_store(m, &m->master, AFU_CTRL_BASE(m->master.handle) + AFU_CTRL_CTX_CAP, 0);
    cr_assert_eq(afu_rc(false, 5, 0, 1), 0x1A);
}

Test(sim_translate, direct_entries)
{
    struct afu_rht_direct d = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 1};

    user.rht[12] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
    memset(m->buffer, 0x77, 4096);
    cr_assert_eq(afu_rc(true, 12, 123, 1), 0);
    cr_assert_eq(medium(123), 0x77);
    cr_assert_eq(afu_rc(false, 12, 4 * 65536 + 100, 1), 0, "the device decides");
    cr_assert_eq(user.pair[0].ioasa.rc.scsi_rc, 0x02);
    d.valid = false;
    user.rht[13] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
    cr_assert_eq(afu_rc(false, 13, 0, 1), 0x01);
}

/* cached entries, invalid ones too, live until a sync names them. */
Test(sim_translate, a_change_shows_only_after_a_sync)
{
    cr_assert_eq(afu_rc(false, 6, 0, 1), 0x05);
    user.rht[6] = user.rht[5];
    cr_assert_eq(afu_rc(false, 6, 0, 1), 0x05, "the cache forgot an invalid entry");
    cr_assert(sim_afu_xlt_cached(m->afu, user.handle, 6));
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 6), 0);
    cr_assert_not(sim_afu_xlt_cached(m->afu, user.handle, 6));
    cr_assert_eq(afu_rc(false, 6, 0, 1), 0);
    PROVES(R_9);
}

/* A walk that read the old entry before the sync must not read the old LXT after it: the host may
 * have given that memory to somebody else (R-9, G9 of vlun.md). */
Test(sim_translate, a_sync_restarts_walks)
{
    struct afu_rht_virtual v = {
        .lxt_start = (uintptr_t)(m->lxt + 32), .lxt_cnt = 1, .permissions = 3, .nmask = 16};

    memset(m->buffer, 0x66, 4096);
    m->lxt[32] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(1, 0, AFU_PERM_RW, 3));
    user.rht[20] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    sim_afu_params_mutable(m->afu)->read_latency = 2000;
    model_rw(m, &user, 0, true, 20, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 75 + 2000 + 2000 + 500); /* IOARCB and entry are here, the LXT read is not */
    sim_afu_params_mutable(m->afu)->read_latency = 10; /* the sync overtakes it */
    v.lxt_start = (uintptr_t)(m->lxt + 33);
    m->lxt[33] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(2, 0, AFU_PERM_RW, 3));
    user.rht[20] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 20), 0);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(medium(0x10000), 0, "the old table was used after the sync");
    cr_assert_eq(medium(0x20000), 0x66);
}

/* Reads through a handle that is not cached; a register is written while its entry (walk 0) or the
 * LXT word (walk 1) is on its way. Returns the afu_rc, and how many walks there were. */
static uint8_t meanwhile(unsigned walk, uint64_t offset, uint64_t value, uint64_t *walks)
{
    struct sim_afu_stats before, after;

    sim_afu_stats(m->afu, &before);
    model_sync(m, AFU_SYNC_LW, user.handle, 5);
    sim_afu_params_mutable(m->afu)->read_latency = 2000;
    model_rw(m, &user, 0, false, 5, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 75 + 2000 + 2000 * walk + 500);
    model_store(m, &m->master, offset, value);
    model_run_dry(m);
    sim_afu_params_mutable(m->afu)->read_latency = 10;
    cr_assert_eq(model_harvest(&user), 0);
    sim_afu_stats(m->afu, &after);
    *walks = after.xlt_misses - before.xlt_misses;
    return user.pair[0].ioasa.rc.afu_rc;
}

/* The table is looked at when something arrives, too: a walk may outlive its owner. */
Test(sim_translate, registers_are_looked_at_on_arrival)
{
    uint64_t count = AFU_CTRL_BASE(user.handle) + AFU_CTRL_RHT_CNT_ID, walks;

    for (unsigned walk = 0; walk < 2; walk++) {
        cr_expect_eq(meanwhile(walk, count, afu_rht_cnt_id(5, m->master.handle), &walks), 0x03);
        cr_expect_eq(walks, walk + 1);
        model_store(m, &m->master, count, afu_rht_cnt_id(256, m->master.handle));
    }
    cr_expect_eq(afu_rc(false, 5, 0, 1), 0);
}

/* A bus command has an address, and what it brings comes from there, wherever the table is now. */
Test(sim_translate, a_walk_reads_what_it_asked_for)
{
    uint64_t start = AFU_CTRL_BASE(user.handle) + AFU_CTRL_RHT_START, walks;

    memset(user.rht + 6, 0, 16 * sizeof *user.rht); /* the other table: its entry 5 is not valid */
    cr_expect_eq(meanwhile(0, start, (uintptr_t)(user.rht + 6), &walks), 0);
    cr_expect_eq(afu_rc(false, 5, 0, 1), 0, "R-9: a write of rht_start drops nothing");
    model_sync(m, AFU_SYNC_LW, user.handle, 5);
    cr_expect_eq(afu_rc(false, 5, 0, 1), 0x05, "the other table");
}

/* Big-endian tables are read as such (MD-8). */
Test(sim_translate, tables_in_the_owners_order)
{
    struct afu_rht_virtual v = {
        .lxt_start = (uintptr_t)m->lxt, .lxt_cnt = 1, .permissions = 3, .nmask = 16};

    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG, AFU_CONFIG_AR_ALL);
    m->lxt[0] = hal_swap64(HAL_ORDER_BIG, afu_lxt_word(3, 0, AFU_PERM_RW, 3));
    user.rht[30] = afu_rht_pack_virtual(HAL_ORDER_BIG, &v);
    memset(m->buffer, 0x5A, 4096);
    cr_assert_eq(afu_rc(true, 30, 9, 1), 0);
    cr_assert_eq(medium(0x30009), 0x5A);
    PROVES(SL_15);
}

/* A command slot that carried a command by port before translates like a fresh one. */
Test(sim_translate, after_a_command_by_port)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->port_sel = xe32_of(m->master.order, 1);
    cr_assert(model_issue(m, &m->master, 0, 1000000)); /* TEST UNIT READY */
    memset(m->buffer, 0x44, 4096);
    cr_assert_eq(afu_rc(true, 5, 7, 1), 0);
    cr_assert_eq(medium(7), 0);
    cr_assert_eq(medium(0x20007), 0x44);
}

/* Ranges in a parameter list cannot be translated: by a handle of a virtual LUN such a command
 * would reach chunks of others. It never gets to the LUN, whatever the context may do. */
Test(sim_translate, unmap_does_not_pass_a_virtual_lun)
{
    static const uint64_t chunks[] = {2};
    static const uint8_t list[24] = {0, 22, 0, 16, [19] = 1};
    struct afu_ioarcb *r;

    memset(m->buffer, 0x5A, 4096);
    model_rw(m, &m->master, 0, true, 6, 0, 1, m->buffer);
    model_virtual(m, &m->master, 6, chunks, 1, 0, AFU_PERM_RW);
    cr_assert(model_issue(m, &m->master, 0, 10000000));
    memcpy(m->buffer, list, sizeof list);
    r = &m->master.pair[0].ioarcb;
    memset(r->cdb, 0, sizeof r->cdb);
    r->cdb[0] = 0x42;
    r->cdb[8] = sizeof list;
    r->data_len = xe32_of(m->master.order, sizeof list);
    cr_assert(model_issue(m, &m->master, 0, 10000000));
    cr_assert_eq(m->master.pair[0].ioasa.rc.afu_rc, 0x13);
    cr_assert_eq(medium(2 * 65536), 0x5A);
}

/* A WRITE SAME(16) of the master through a virtual handle 6 with the chunks of the user's; the
 * buffer holds the block. Its IOASC. */
static uint32_t write_same(uint8_t cdb1, uint64_t lba, uint32_t blocks, uint32_t data_len)
{
    static const uint64_t chunks[] = {2, 1, 3};
    struct afu_ioarcb *r;

    model_rw(m, &m->master, 0, true, 6, lba, blocks, m->buffer);
    r = &m->master.pair[0].ioarcb;
    r->cdb[0] = 0x93;
    r->cdb[1] = cdb1;
    r->data_len = xe32_of(m->master.order, data_len);
    model_virtual(m, &m->master, 6, chunks, 3, 0, AFU_PERM_RW);
    cr_assert(model_issue(m, &m->master, 0, 10000000));
    return model_ioasc(&m->master, 0);
}

/* crossing into the next chunk is legal, and WRITE SAME sends its block to each of them. */
Test(sim_translate, write_same_crosses_into_the_next_chunk)
{
    memset(m->buffer, 0x5A, 4096);
    cr_assert_eq(write_same(0, 0xFFFF, 2, 4096), 0);
    cr_assert(medium(0x2FFFE) == 0 && medium(0x2FFFF) == 0x5A);
    cr_assert(medium(0x10000) == 0x5A && medium(0x10001) == 0);
    cr_assert_eq(write_same(0, 0xFFFF, 2, 8192), 0x10000000, "one block of two was sent");
    cr_assert_eq(xe32_get(m->master.order, m->master.pair[0].ioasa.resid), 4096);
    cr_assert_eq(write_same(0, 0xFFFF, 2, 2048), 0xA0000200, "less than a block: the device");
    PROVES(R_12);
}

static const uint64_t edges[] = {0x2FFEF, 0x2FFF0, 0x2FFFF, 0x0FFFF, 0x10000,
                                 0x1FFFF, 0x20000, 0x30000, 0x3000F, 0x30010};

/* With its data and without: the blocks of all three chunks and no others. 0x5A marks what was
 * there; in the LUN the chunks lie in another order. */
static void zero_three_chunks(uint8_t cdb1, uint32_t data_len)
{
    static const uint8_t after[] = {0x5A, 0, 0, 0x5A, 0, 0, 0x5A, 0, 0, 0x5A};
    struct afu_rht_direct d = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 1};

    user.rht[12] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
    memset(m->buffer, 0x5A, 4096);
    for (unsigned i = 0; i < sizeof after; i++)
        cr_assert_eq(afu_rc(true, 12, edges[i], 1), 0);
    memset(m->buffer, 0, 4096);
    cr_assert_eq(write_same(cdb1, 0xFFF0, 0x10020, data_len), 0);
    for (unsigned i = 0; i < sizeof after; i++)
        cr_expect_eq(medium(edges[i]), after[i], "flags %02x, block %llx", cdb1,
                     (unsigned long long)edges[i]);
}

/* MD-11: each block has its own translation, however many chunks that are. */
Test(sim_translate, write_same_of_many_chunks)
{
    zero_three_chunks(0x00, 4096);
    zero_three_chunks(0x08, 4096); /* UNMAP */
    zero_three_chunks(0x01, 0);    /* NDOB */
    memset(m->buffer, 0x5A, 4096);
    cr_assert_eq(write_same(0, 0xFFF0, 0x20011, 4096), 0x00130000, "one block too many");
    cr_assert_eq(medium(0x2FFF0), 0, "a part of a refused command reached the medium");
    PROVES(MD_11);
}

/* the tables may have changed between two parts of it, and the old ones be somebody else's
 * memory after a sync. */
Test(sim_translate, write_same_looks_at_the_tables_again)
{
    static const uint64_t chunks[] = {2, 1, 3};
    struct afu_rht_virtual v = {
        .lxt_start = (uintptr_t)m->lxt, .lxt_cnt = 2, .permissions = 3, .nmask = 16};
    struct afu_ioarcb *r;

    sim_afu_params_mutable(m->afu)->media_write = 10000;
    memset(m->buffer, 0x5A, 4096);
    model_virtual(m, &m->master, 6, chunks, 3, 0, AFU_PERM_RW);
    model_rw(m, &m->master, 0, true, 6, 0x20000, 1, m->buffer);
    cr_assert(model_issue(m, &m->master, 0, 1000000));
    memset(m->buffer, 0, 4096);
    model_rw(m, &m->master, 0, true, 6, 0xFFFF, 0x10002, m->buffer);
    r = &m->master.pair[0].ioarcb;
    r->cdb[0] = 0x93;
    r->data_len = xe32_of(m->master.order, 4096);
    model_doorbell(m, &m->master, 0);
    model_run(m, 5000); /* its first block is on the medium */
    m->master.rht[6] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, m->master.handle, 6), 0);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&m->master), 0);
    cr_assert_eq(model_ioasc(&m->master, 0), 0x00130000);
    cr_assert_eq(medium(0x30000), 0x5A, "the chunk that was taken away");
    PROVES(R_9);
}

/* A WRITE SAME without data is no read, although it has the flag of one: SL 8.4 steps 5 and 8. */
Test(sim_translate, write_same_needs_write_permission)
{
    static const uint64_t chunks[] = {2};
    static const uint8_t rc[] = {0x05, 0x05, 0x15};
    struct afu_rht_direct d = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_READ, .port_sel = 1};
    struct afu_ioarcb *r;

    model_virtual(m, &m->master, 6, chunks, 1, 0, AFU_PERM_READ);
    m->master.rht[7] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
    model_virtual(m, &m->master, 8, chunks, 1, 0, AFU_PERM_RW);
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(2, 0, AFU_PERM_READ, 3));
    for (unsigned i = 0; i < 3; i++) {
        model_rw(m, &m->master, 0, false, 6 + i, 0, 1, m->buffer);
        r = &m->master.pair[0].ioarcb;
        r->cdb[0] = 0x93;
        r->cdb[1] = 0x01; /* NDOB */
        r->data_len = xe32_of(m->master.order, 0);
        cr_assert(model_issue(m, &m->master, 0, 1000000));
        cr_expect_eq(m->master.pair[0].ioasa.rc.afu_rc, rc[i], "handle %u", 6 + i);
    }
    cr_assert_eq(sim_media_counters(m->media, 0)->blocks_written, 0);
}

/* The refusals of SL 8.4 in their order (MD-9): everything is wrong at once, then from the front
 * one thing after the other is put right. */
Test(sim_translate, checks_come_in_the_order_of_the_specification)
{
    struct afu_rht_virtual v = {.lxt_start = 4, .lxt_cnt = 1, .permissions = 0, .nmask = 16};
    uint64_t ctrl = AFU_CTRL_BASE(user.handle);
    const uint64_t nobody = afu_rht_cnt_id(16, 500), mine = afu_rht_cnt_id(16, m->master.handle);

    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_START, 8);
    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_CNT_ID, nobody);
    cr_assert_eq(afu_rc(true, 16, 0x10000, 1), 0x1A);
    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_CNT_ID, mine);
    cr_assert_eq(afu_rc(true, 16, 0x10000, 1), 0x02);
    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_START, 0x1000);
    cr_assert_eq(afu_rc(true, 16, 0x10000, 1), 0x03);
    cr_assert_eq(afu_rc(true, 15, 0x10000, 1), 0x04);
    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_START, (uintptr_t)user.rht);
    user.rht[15] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    cr_assert_eq(afu_rc(true, 15, 0x10000, 1), 0x05);
    v.permissions = AFU_PERM_RW;
    user.rht[15] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    model_sync(m, AFU_SYNC_LW, user.handle, 15);
    cr_assert_eq(afu_rc(true, 15, 0x10000, 1), 0x13);
    cr_assert_eq(afu_rc(true, 15, 0, 1), 0x12);
    v.lxt_start = 8;
    set_words(15, afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v).word[0],
              afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v).word[1]);
    cr_assert_eq(afu_rc(true, 15, 0, 1), 0x14);
    v.lxt_start = (uintptr_t)m->lxt;
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 0, AFU_PERM_READ, 0));
    set_words(15, afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v).word[0],
              afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v).word[1]);
    cr_assert_eq(afu_rc(true, 15, 0, 1), 0x15);
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 0, AFU_PERM_RW, 0));
    model_sync(m, AFU_SYNC_LW, user.handle, 15);
    cr_assert_eq(afu_rc(true, 15, 0, 1), 0x20);
    PROVES(MD_9);
    model_expect_violations(m, SIM_RULE_RHT_ALIGN, 1);
    model_expect_violations(m, SIM_RULE_LXT_ALIGN, 2);
    PROVES(SL_8_4);
}

/* SL 8.1, 8.2: there are two formats; an entry of another one is not valid, whatever its other
 * bytes would say as one of the two. */
Test(sim_translate, formats_that_do_not_exist)
{
    for (unsigned format = 2; format < 16; format++) {
        user.rht[14] = user.rht[5];
        ((uint8_t *)&user.rht[14])[14] = (uint8_t)(format << 4 | AFU_PERM_RW);
        model_sync(m, AFU_SYNC_LW, user.handle, 14);
        cr_expect_eq(afu_rc(false, 14, 0, 1), 0x01, "format %u", format);
    }
    model_expect_violations(m, SIM_RULE_RHT_RESERVED, 14);
}

/* MD-25: a virtual entry with chunks has at least 2^16 blocks in each. */
Test(sim_translate, chunks_have_a_least_size)
{
    for (unsigned nmask = 0; nmask <= 17; nmask++) {
        struct afu_rht_virtual v = {.lxt_start = (uintptr_t)m->lxt,
                                    .lxt_cnt = 1,
                                    .permissions = 3,
                                    .nmask = (uint8_t)nmask};
        struct afu_rht_entry e = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);

        set_words(40, e.word[0], e.word[1]);
        cr_expect_eq(afu_rc(false, 40, 0, 1), nmask < 16 ? 0x01 : 0, "nmask %u", nmask);
        v.lxt_cnt = 0; /* nothing to translate: the size decides */
        e = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
        set_words(40, e.word[0], e.word[1]);
        cr_expect_eq(afu_rc(false, 40, 0, 1), 0x13, "nmask %u, no chunk", nmask);
    }
    for (unsigned nmask = 63; nmask <= 255; nmask += 32) { /* no shift of a word is that long */
        struct afu_rht_virtual v = {.permissions = 3, .nmask = (uint8_t)nmask};
        struct afu_rht_entry e = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);

        set_words(40, e.word[0], e.word[1]);
        cr_expect_eq(afu_rc(false, 40, 0, 1), 0x13, "nmask %u, no chunk", nmask);
    }
    PROVES(MD_25);
}

/* MD-8: the order of the tables is that of afu_config, whatever order a context uses. */
Test(sim_translate, the_contexts_order_is_not_that_of_the_tables)
{
    struct model_ctx big = {0};

    model_ctx_start(m, &big, false, HAL_ORDER_BIG);
    big.rht[5] = user.rht[5]; /* little, as afu_config says */
    memset(m->buffer, 0x3C, 4096);
    model_rw(m, &big, 0, true, 5, 7, 1, m->buffer);
    cr_assert(model_issue(m, &big, 0, 1000000));
    cr_assert_eq(model_ioasc(&big, 0), 0);
    cr_assert_eq(medium(0x20007), 0x3C);
    model_ctx_end(m, &big);
    PROVES(MD_8);
}

/* MD-11: every block of a transfer is translated for itself, none is moved when one is outside. */
Test(sim_translate, each_block_has_its_own_chunk)
{
    for (unsigned i = 0; i < 16; i++)
        memset(m->buffer + i * 4096, 0x80 + (int)i, 4096);
    cr_assert_eq(afu_rc(true, 5, 0x1FFF8, 16), 0); /* chunk 1, then chunk 3 */
    for (unsigned i = 0; i < 16; i++)
        cr_assert_eq(medium(i < 8 ? 0x1FFF8 + i : 0x30000 + i - 8), 0x80 + i);
    memset(m->buffer, 0x11, 65536);
    cr_assert_eq(afu_rc(true, 5, 0x2FFF8, 16), 0x13); /* the second half lies behind the end */
    for (unsigned i = 0; i < 8; i++)
        cr_assert_eq(medium(0x3FFF8 + i), 0, "a part of a refused write reached the medium");
    PROVES(MD_11);
}

/* the size of the table is in the upper half of rht_cnt_id, 256 as the core makes it. */
Test(sim_translate, the_table_is_as_long_as_the_register_says)
{
    static const unsigned counts[] = {16, 256, 4096};
    struct afu_rht_entry *table = sim_world_alloc(m->world, 4096 * sizeof *table, 4096);

    cr_assert_eq(afu_rht_cnt_id(256, 0) >> 48, 0x0100);
    cr_assert_eq(sim_bus_mem_add(m->afu, table, 4096 * sizeof *table, "long rht"), 0);
    model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + AFU_CTRL_RHT_START, (uintptr_t)table);
    for (unsigned i = 0; i < 3; i++) {
        model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + AFU_CTRL_RHT_CNT_ID,
                    afu_rht_cnt_id(counts[i], m->master.handle));
        table[counts[i] - 1] = user.rht[5];
        cr_expect_eq(afu_rc(false, counts[i] - 1, 0, 1), 0, "%u entries", counts[i]);
        cr_expect_eq(afu_rc(false, counts[i], 0, 1), 0x03, "%u entries", counts[i]);
    }
    PROVES(R_8);
}

/* one bus command brings all 16 bytes of an entry, one the LXT word: what is stored while the
 * command is under way is seen as a whole or not at all. */
Test(sim_translate, an_entry_is_read_at_once)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    struct afu_rht_direct d = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 1};
    struct sim_afu_stats before, after;
    unsigned seen_new = 0;

    p->read_latency = 200;
    for (unsigned delay = 0; delay < 800; delay += 10) {
        set_words(50, user.rht[5].word[0], user.rht[5].word[1]); /* virtual: block 7 is 0x20007 */
        memset(m->buffer, 0x77, 4096);
        model_rw(m, &user, 0, true, 50, 7, 1, m->buffer);
        sim_afu_stats(m->afu, &before);
        model_doorbell(m, &user, 0);
        model_run(m, delay);
        user.rht[50] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d); /* block 7 is 7 */
        model_run_dry(m);
        cr_assert_eq(model_harvest(&user), 0);
        cr_assert_eq(model_ioasc(&user, 0), 0, "a mixture of two entries was used");
        sim_afu_stats(m->afu, &after);
        seen_new += medium(7) == 0x77;
        cr_assert_eq(medium(7) == 0x77, after.xlt_misses - before.xlt_misses == 1,
                     "one read for a direct entry, two for a virtual one");
        memset(m->buffer, 0, 4096);
        set_words(50, afu_rht_pack_direct(HAL_ORDER_LITTLE, &d).word[0],
                  afu_rht_pack_direct(HAL_ORDER_LITTLE, &d).word[1]);
        cr_assert_eq(afu_rc(true, 50, 7, 1), 0);
    }
    cr_assert(seen_new > 10 && seen_new < 70, "%u of 80", seen_new);
    PROVES(R_10);
}

/* tables have an alignment, and the code of SL 18 says which one lacks it. */
Test(sim_translate, tables_are_aligned_or_refused)
{
    for (unsigned off = 1; off < 16; off++) {
        model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + AFU_CTRL_RHT_START,
                    (uintptr_t)user.rht + off);
        cr_expect_eq(afu_rc(false, 5, 0, 1), 0x02, "RHT + %u", off);
    }
    model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + AFU_CTRL_RHT_START,
                (uintptr_t)user.rht);
    for (unsigned off = 1; off < 8; off++) {
        struct afu_rht_virtual v = {
            .lxt_start = (uintptr_t)m->lxt + off, .lxt_cnt = 1, .permissions = 3, .nmask = 16};
        struct afu_rht_entry e = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);

        set_words(41, e.word[0], e.word[1]);
        cr_expect_eq(afu_rc(false, 41, 0, 1), 0x12, "LXT + %u", off);
    }
    PROVES(R_22);
    model_expect_violations(m, SIM_RULE_RHT_ALIGN, 15);
    model_expect_violations(m, SIM_RULE_LXT_ALIGN, 7);
}

/* R-12, format 1: the device decides. */
Test(sim_translate, the_device_judges_a_direct_handle)
{
    struct afu_rht_direct d = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 1};

    user.rht[12] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
    model_rw(m, &user, 0, false, 12, 0, 2, m->buffer);
    user.pair[0].ioarcb.data_len = xe32_of(user.order, 4096); /* 2 blocks in the CDB */
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0);
    cr_assert_eq(user.pair[0].ioasa.rc.scsi_rc, 0x02);
    cr_assert_eq(afu_rc(false, 12, 0, 0), 0);
    cr_assert_eq(model_ioasc(&user, 0), 0, "no blocks are good");
    PROVES(R_12);
}

static void plan(const char *faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

/* FS-14 v: a byte of the entry as it lies in memory. Byte 14 holds the permissions; in the cache
 * the wrong word stays until a sync. Of a little-endian LXT word, byte 0 holds ports and
 * permissions. */
Test(sim_translate, wrong_bytes_of_tables)
{
    plan("rht#1=v(0xE02)+lxt#1=v(0x20)+lxt#2=v(0x203)");
    cr_assert_eq(afu_rc(true, 5, 0, 1), 0x05, "no longer writable");
    cr_assert_eq(afu_rc(true, 5, 0, 1), 0x05, "the cache forgot it");
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 5), 0);
    cr_assert_eq(afu_rc(true, 5, 0, 1), 0x15);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 5), 0);
    memset(m->buffer, 0x31, 4096);
    cr_assert_eq(afu_rc(true, 5, 0, 1), 0);
    cr_assert_eq(medium(0x10000), 0x31, "chunk 2 with both bits of byte 2 inverted is chunk 1");
    cr_assert_eq(medium(0x20000), 0);
}

static void open_and_revoke(uint32_t handle)
{
    cr_assert_eq(afu_rc(false, handle, 0, 1), 0);
    cr_assert_eq(afu_rc(false, handle, 0, 1), 0); /* here the cache is used */
    memset(&user.rht[handle], 0, sizeof user.rht[handle]);
}

/* FS-15, FK-18: the old translation outlives syncs that are not heavy or do not end well; a heavy
 * one that does ends it. */
Test(sim_translate, a_stale_translation_ends_with_a_good_heavy_sync)
{
    plan("xc#1*=t+afucmd#2=x");
    open_and_revoke(5);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 5), 0);
    cr_assert_eq(afu_rc(false, 5, 0, 1), 0, "the light sync ended it");
    cr_assert_neq(model_sync(m, AFU_SYNC_HW, user.handle, 5), 0);
    cr_assert_eq(afu_rc(false, 5, 0, 1), 0, "the failed heavy sync ended it");
    cr_assert_eq(model_sync(m, AFU_SYNC_HW, user.handle, 5), 0);
    cr_assert_eq(afu_rc(false, 5, 0, 1), 0x05, "a stale translation after a heavy sync");
}

/* It is kept over one sync for each time the fault fires, and not over the end of the context. */
Test(sim_translate, a_stale_translation_is_kept_once)
{
    plan("xc#1x2=t"); /* of entry and LXT word, as both are used */
    open_and_revoke(5);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 5), 0);
    cr_assert_eq(afu_rc(false, 5, 0, 1), 0);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 5), 0);
    cr_assert_eq(afu_rc(false, 5, 0, 1), 0x05);
}

/* What a read of vLBA gives when the entry goes from one table to another, of which the second has
 * good chunk elsewhere, between the two reads of a walker that takes the words one by one. */
static uint8_t torn(uint64_t fetch, uint64_t vlba, uint64_t old_count, uint64_t new_count)
{
    struct afu_rht_virtual v = {.lxt_start = (uintptr_t)m->lxt,
                                .lxt_cnt = (uint32_t)old_count,
                                .permissions = AFU_PERM_RW,
                                .nmask = 16};

    down();
    up();
    sim_afu_params_mutable(m->afu)->rht_fetch = fetch;
    v.lxt_start = (uintptr_t)m->lxt;
    for (unsigned i = 0; i < 4; i++) /* old: 0 good, 1 locked; new at 2: locked, good */
        m->lxt[i] =
            hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(i, 0, i == 1 || i == 2 ? 0 : AFU_PERM_RW, 3));
    user.rht[9] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    model_rw(m, &user, 0, false, 9, vlba, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 1 + 220 + 220 + 10); /* doorbell, IOARCB, first word; the second comes at 661 */
    v.lxt_start = (uintptr_t)(m->lxt + 2);
    v.lxt_cnt = (uint32_t)new_count;
    user.rht[9] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 0);
    return user.pair[0].ioasa.rc.afu_rc;
}

/* low_first sees the old pointer with the new count (G6, G7), high_first the reverse (S2,
 * S3); one read of 16 bytes sees neither. */
Test(sim_translate, words_of_an_entry_one_by_one)
{
    cr_assert_eq(torn(0, 65536, 1, 2), 0x13);
    cr_assert_eq(torn(1, 65536, 1, 2), 0x15, "old table, new count");
    cr_assert_eq(torn(2, 65536, 1, 2), 0x13);
    cr_assert_eq(torn(0, 0, 1, 2), 0);
    cr_assert_eq(torn(1, 0, 1, 2), 0);
    cr_assert_eq(torn(2, 0, 1, 2), 0x15, "new table, old count");
    PROVES(R_10);
}
