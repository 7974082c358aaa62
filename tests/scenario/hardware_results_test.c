/* SPDX-License-Identifier: Apache-2.0 */
/* The table of SL 21, row by row: what IBM's function tests saw on real cards with a user context
 * and a resource handle, as the rulings read it. Every row for contexts of
 * both byte orders. rc is the bitwise OR of afu_rc, scsi_rc and fc_rc. */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"

#define LIMIT UINT64_C(100000000)
#define LUN_BLOCKS (4 * UINT64_C(65536) + 100) /* of LUN 0 (tests/testlib/model.h) */

enum { VLUN, PLUN, EMPTY, CLOSED }; /* resource handles */

static struct model *m;
static struct model_ctx user;
static const uint64_t chunks[] = {1, 0};

static void open_plun(uint32_t handle)
{
    struct afu_rht_direct d = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 3};

    user.rht[handle] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
}

static void open_empty_vlun(uint32_t handle)
{
    struct afu_rht_virtual v = {.permissions = AFU_PERM_RW, .nmask = 16};

    user.rht[handle] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
}

static void up(const char *profile, enum hal_order order)
{
    m = model_create(profile);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, order);
    model_virtual(m, &user, VLUN, chunks, 2, 0, AFU_PERM_RW);
    open_plun(PLUN);
    open_empty_vlun(EMPTY);
}

static void down(void)
{
    model_ctx_end(m, &user);
    model_destroy(m);
}

/* One row: a test that runs for both orders. */
#define ROW_ON(profile, name)                                                                      \
    static void name(void);                                                                        \
    Test(hardware_results, name)                                                                   \
    {                                                                                              \
        up(profile, HAL_ORDER_LITTLE);                                                             \
        name();                                                                                    \
        down();                                                                                    \
        up(profile, HAL_ORDER_BIG);                                                                \
        name();                                                                                    \
        down();                                                                                    \
    }                                                                                              \
    static void name(void)

#define ROW(name) ROW_ON("flashsystem", name)

static uint8_t rc(void)
{
    const struct afu_rc *r = &user.pair[0].ioasa.rc;

    return r->afu_rc | r->scsi_rc | r->fc_rc;
}

static uint8_t flags(void) { return user.pair[0].ioasa.rc.flags; }

static uint8_t go(void)
{
    cr_assert(model_issue(m, &user, 0, LIMIT), "the command did not complete");
    return rc();
}

static struct afu_ioarcb *prepare(bool write, uint32_t handle, uint64_t lba, uint32_t blocks)
{
    model_rw(m, &user, 0, write, handle, lba, blocks, m->buffer);
    return &user.pair[0].ioarcb;
}

static uint8_t io(bool write, uint32_t handle, uint64_t lba, uint32_t blocks)
{
    prepare(write, handle, lba, blocks);
    return go();
}

static uint8_t with_length(uint32_t handle, uint32_t blocks, uint32_t bytes)
{
    prepare(false, handle, 0, blocks)->data_len = xe32_of(user.order, bytes);
    return go();
}

/* ---- commands ---------------------------------------------------------------------------------
 */

ROW(what_is_no_read_or_write)
{
    static const uint8_t opcodes[] = {0xFA, 0x00, 0xA0, 0x9E, 0x12, 0x03, 0x1B, 0x5A, 0x55};

    for (size_t i = 0; i < sizeof opcodes; i++)
        for (uint32_t handle = VLUN; handle <= PLUN; handle++) {
            prepare(false, handle, 0, 1)->cdb[0] = opcodes[i];
            cr_expect_eq(go(), 0x21, "opcode 0x%02x", opcodes[i]);
            cr_expect_eq(flags(), 0);
        }
    PROVES(SL_21);
}

/* READ and WRITE of 16 bytes are what the tests use; the shorter ones are of the same class. */
ROW(reads_and_writes_of_all_sizes)
{
    static const uint8_t opcodes[][2] = {{0x08, 4},  {0x0A, 4},  {0x28, 8}, {0x2A, 8},
                                         {0x88, 13}, {0x8A, 13}, {0xA8, 9}, {0xAA, 9}};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(opcodes); i++)
        for (uint32_t handle = VLUN; handle <= PLUN; handle++) {
            struct afu_ioarcb *r = prepare((opcodes[i][0] & 0x0F) == 0x0A, handle, 0, 1);

            memset(r->cdb, 0, sizeof r->cdb);
            r->cdb[0] = opcodes[i][0];
            r->cdb[opcodes[i][1]] = 1;
            cr_expect_eq(go(), 0, "opcode 0x%02x", opcodes[i][0]);
        }
    PROVES(SL_21);
}

static void write_as_read(uint8_t afu_rc)
{
    for (uint32_t handle = VLUN; handle <= PLUN; handle++) {
        prepare(true, handle, 0, 1)->req_flags = xe16_of(user.order, AFU_REQ_RES_HNDL);
        go();
        cr_expect_eq(user.pair[0].ioasa.rc.afu_rc, afu_rc);
        cr_expect_eq(user.pair[0].ioasa.rc.fc_rc, 0x58);
        cr_expect_eq(sim_media_counters(m->media, 0)->blocks_written, 0);
    }
    PROVES(R_28);
    PROVES(SL_21);
}

ROW(write_with_the_read_flag) { write_as_read(0); }

ROW_ON("flashgt", write_with_the_read_flag_on_flashgt) { write_as_read(0x62); }

ROW_ON("flashgt", write_same)
{
    for (uint32_t handle = VLUN; handle <= PLUN; handle++) {
        prepare(true, handle, 0, 16)->cdb[0] = 0x93;
        user.pair[0].ioarcb.data_len = xe32_of(user.order, 4096);
        cr_expect_eq(go(), 0);
        prepare(true, handle, 65528, 16)->cdb[0] = 0x93; /* of a virtual LUN: in two chunks */
        user.pair[0].ioarcb.data_len = xe32_of(user.order, 4096);
        cr_expect_eq(go(), 0);
        cr_expect_eq(flags(), 0);
    }
    PROVES(R_12);
    PROVES(SL_21);
}

/* ---- addressing -------------------------------------------------------------------------------
 */

ROW(a_handle_that_was_never_opened) { cr_assert_eq(io(false, CLOSED, 0, 1), 0x05); }

ROW(a_handle_beyond_the_table)
{
    uint8_t got = io(false, 256, 0, 1);

    cr_assert(got == 0x03 || got == 0x05);
}

ROW(the_id_of_another_or_no_context)
{
    static const uint16_t ids[] = {0, 77, 511, 512, 0xFFFF};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(ids); i++) {
        prepare(false, VLUN, 0, 1)->ctx_id = xe16_of(user.order, ids[i]);
        cr_expect_eq(go(), 0x21, "id %u", ids[i]);
    }
    PROVES(SL_21);
}

/* The port mask lies where the handle does; without RES_HNDL the right to it is missing. */
ROW(a_port_mask_and_an_odd_lun)
{
    struct afu_ioarcb *r = prepare(false, 0xFF, 0, 1);
    uint8_t got;

    r->lun_id = xe64_of(user.order, 0x12000);
    got = go();
    cr_assert(got == 0x21 || got == 0x05 || got == 0x03);
    r = prepare(false, 0xFF, 0, 1);
    r->lun_id = xe64_of(user.order, 0x12000);
    r->req_flags = xe16_of(user.order, AFU_REQ_PORT_LUN_ID);
    cr_assert_eq(go(), 0x21);
    model_expect_violations(m, SIM_RULE_IOARCB_PORTS, 1);
    PROVES(SL_21);
}

/* ---- ranges (R-12) ----------------------------------------------------------------------------
 */

ROW(a_virtual_lun_of_size_zero)
{
    cr_assert_eq(io(false, EMPTY, 0, 1), 0x13);
    cr_assert_eq(io(true, EMPTY, 0, 1), 0x13);
    PROVES(SL_21);
}

ROW(past_the_end_of_a_virtual_lun)
{
    cr_assert_eq(io(false, VLUN, 2 * 65536, 1), 0x13);
    cr_assert_eq(io(true, VLUN, 2 * 65536 - 1, 2), 0x13);
    cr_assert_eq(io(false, VLUN, UINT64_MAX, 1), 0x13);
    cr_assert_eq(io(false, VLUN, 2 * 65536 - 1, 1), 0);
    PROVES(R_12);
    PROVES(SL_21);
}

ROW(two_blocks_for_4096_bytes_of_a_virtual_lun)
{
    cr_assert_eq(with_length(VLUN, 2, 4096), 0x13);
    PROVES(R_12);
    PROVES(SL_21);
}

ROW(half_or_no_buffer_for_a_virtual_lun)
{
    cr_assert_eq(with_length(VLUN, 1, 2048), 0x02);
    cr_assert_neq(flags(), 0);
    cr_assert_eq(with_length(VLUN, 1, 0), 0x02);
    cr_assert_neq(flags(), 0);
    PROVES(R_12);
    PROVES(SL_21);
}

ROW(what_the_device_refuses_of_a_direct_lun)
{
    cr_assert_eq(io(false, PLUN, LUN_BLOCKS, 1), 0x02); /* past the end */
    cr_assert_neq(flags(), 0);
    cr_assert_eq(with_length(PLUN, 2, 4096), 0x02);
    cr_assert_neq(flags(), 0);
    cr_assert_eq(with_length(PLUN, 3, 2 * 4096), 0x02); /* blocks + 1 */
    cr_assert_neq(flags(), 0);
    cr_assert_eq(with_length(PLUN, 1, 0), 0x02);
    cr_assert_neq(flags(), 0);
    PROVES(R_12);
    PROVES(SL_21);
}

ROW(no_blocks_of_a_direct_lun) { cr_assert_eq(with_length(PLUN, 0, 4096), 0); }

/* 16 MiB are the most. */
ROW(a_transfer_of_32_mib)
{
    for (uint32_t handle = VLUN; handle <= PLUN; handle++) {
        cr_expect_eq(io(false, handle, 0, 8192), 0x13);
        cr_expect_eq(io(true, handle, 0, 4097), 0x13);
        cr_expect_eq(with_length(handle, 1, 32u << 20), 0x13, "by data_len alone");
        cr_expect_eq(with_length(handle, 1, 16u << 20), 0);
    }
    PROVES(R_12);
    PROVES(SL_21);
}

/* ---- addresses of the client ------------------------------------------------------------------
 */

/* Data-storage events of the user. */
static unsigned events(uint64_t *address)
{
    struct sim_bus_event ev;
    unsigned n = 0;

    while ((ev = sim_bus_event(user.sim)).kind != SIM_BUS_EVENT_NONE)
        if (ev.kind == SIM_BUS_EVENT_DATA_STORAGE) {
            n++;
            *address = ev.address;
        }
    return n;
}

static uint64_t intr_status(void) { return model_load(m, &user, AFU_HOST_INTR_STATUS); }

static void normal_io_works(void)
{
    cr_assert_eq(io(true, VLUN, 3, 1), 0, "the context no longer works");
    cr_assert_eq(io(false, VLUN, 3, 1), 0);
}

ROW(a_bad_data_address)
{
    static const uint64_t bad[] = {0, 0x1234};

    for (unsigned i = 0; i < 4; i++) {
        uint64_t address = UINT64_MAX;

        prepare(i & 1, i & 2 ? PLUN : VLUN, 0, 1)->data_ea = xe64_of(user.order, bad[i & 1]);
        cr_assert_not(model_issue(m, &user, 0, LIMIT), "it completed");
        model_run_dry(m);
        cr_assert_eq(events(&address), 1);
        cr_assert_eq(address, bad[i & 1]);
        normal_io_works();
    }
    PROVES(R_11);
    PROVES(SL_21);
}

ROW(a_bad_command_address)
{
    uint64_t address = 0;

    model_store(m, &user, AFU_HOST_IOARRIN, 0x1230);
    model_run_dry(m);
    cr_assert(events(&address) || intr_status() == AFU_INTR_PERM_ERR_RCB_READ);
    normal_io_works();
    PROVES(R_11);
    PROVES(SL_21);
}

ROW(a_bad_ring)
{
    uint64_t address = 0;

    model_store(m, &user, AFU_HOST_RRQ_START, 0x1230);
    model_store(m, &user, AFU_HOST_RRQ_END, 0x1238);
    prepare(false, VLUN, 0, 1);
    cr_assert_not(model_issue(m, &user, 0, LIMIT), "it completed");
    model_run_dry(m);
    cr_assert(events(&address) || intr_status() == AFU_INTR_PERM_ERR_RRQ_WRITE);
    PROVES(R_11);
    PROVES(SL_21);
}

static uint64_t ring_bells(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        model_rw(m, &user, i, false, VLUN, i, 1, m->buffer + (i % 64) * 4096);
        model_doorbell(m, &user, i);
    }
    model_run_dry(m);
    while (model_harvest(&user) >= 0)
        ;
    return intr_status();
}

/* The card of today fetches so fast that more are needed than its room; with a slower one 17 do. */
ROW(more_doorbells_than_room)
{
    cr_assert_eq(ring_bells(16), 0);
    sim_afu_params_mutable(m->afu)->doorbell_to_fetch = 10000;
    cr_assert_eq(ring_bells(16), 0);
    cr_assert_eq(ring_bells(17), AFU_INTR_PERM_ERR_CMDROOM);
    model_expect_violations(m, SIM_RULE_DOORBELL_CREDIT, 1);
    PROVES(SL_21);
}

ROW(any_alignment_of_data)
{
    for (unsigned at = 0; at < 1024; at += at % 16 == 0 ? 5 : at % 5 == 0 ? 11 : 16) {
        memset(m->buffer, (int)at, 8192);
        prepare(true, VLUN, 5, 1)->data_ea = xe64_of(user.order, (uintptr_t)m->buffer + at);
        cr_expect_eq(go(), 0);
        memset(m->buffer, ~(int)at, 8192);
        prepare(false, VLUN, 5, 1)->data_ea = xe64_of(user.order, (uintptr_t)m->buffer + 128 + at);
        cr_expect_eq(go(), 0);
        cr_expect_eq(m->buffer[128 + at + 4095], at & 0xFF);
    }
    PROVES(SL_21);
}

/* ---- handles that close while I/O runs (R-13) -------------------------------------------------
 */

static void sync_handle(uint32_t handle)
{
    cr_assert_eq(model_sync(m, AFU_SYNC_HW, user.handle, handle), 0);
}

/* The stores of SL 8.5 one by one, I/O and a sync between them: only these results, and at the end
 * the last one. */
static void close_step_by_step(uint32_t handle, uint8_t between)
{
    struct afu_rht_entry *e = &user.rht[handle];

    cr_assert_eq(io(false, handle, 0, 1), 0);
    if (between == 0x13) { /* shrink to nothing: lxt_cnt, then lxt_start */
        memset((char *)e + 8, 0, 4);
        sync_handle(handle);
        cr_assert_eq(io(false, handle, 0, 1), 0x13);
        e->word[0] = 0;
    } else { /* valid = 0, then lun_id */
        ((uint8_t *)e)[8] = 0;
        sync_handle(handle);
        cr_assert_eq(io(false, handle, 0, 1), 0x01);
        e->word[0] = 0;
    }
    sync_handle(handle);
    cr_assert_eq(io(false, handle, 0, 1), between);
    e->word[1] = 0;
    sync_handle(handle);
    cr_assert_eq(io(false, handle, 0, 1), 0x05);
    PROVES(R_13);
    PROVES(SL_21);
}

ROW(a_virtual_lun_that_closes) { close_step_by_step(VLUN, 0x13); }

ROW(a_direct_lun_that_closes) { close_step_by_step(PLUN, 0x01); }

/* A user who goes on reading: what comes before the stores is good, what comes after them is one of
 * the results of the row, and nothing is left without an answer. */
static void close_under_load(uint32_t handle, uint8_t between)
{
    for (unsigned i = 0; i < 12; i++) {
        model_rw(m, &user, i, false, handle, i, 1, m->buffer + i * 4096);
        model_doorbell(m, &user, i);
        model_run(m, 300);
        if (i == 4)
            memset((char *)&user.rht[handle] + 8, 0, 4); /* lxt_cnt, or valid */
        if (i == 6)
            sync_handle(handle);
        if (i == 8) {
            memset(&user.rht[handle], 0, sizeof user.rht[handle]);
            sync_handle(handle);
        }
    }
    model_run_dry(m);
    for (unsigned i = 0; i < 12; i++) {
        const struct afu_rc *r;

        cr_assert_geq(model_harvest(&user), 0);
        r = &user.pair[i].ioasa.rc;
        cr_expect(r->afu_rc == 0 || r->afu_rc == between || r->afu_rc == 0x05, "%u: 0x%02x", i,
                  r->afu_rc);
        cr_expect(i > 3 || r->afu_rc == 0);
        cr_expect(i < 9 || r->afu_rc == 0x05);
    }
    PROVES(R_13);
    PROVES(SL_21);
}

ROW(a_virtual_lun_that_closes_under_load) { close_under_load(VLUN, 0x13); }

ROW(a_direct_lun_that_closes_under_load) { close_under_load(PLUN, 0x01); }
