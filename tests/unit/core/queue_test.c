/* SPDX-License-Identifier: Apache-2.0 */
/* The queue pair against an AFU that does exactly what a test says: literal bytes of IOARCBs, order,
 * wrap and toggle over many laps, credits, hostile RRQ elements, time-outs, faults, context reset.
 * The seeded tests print their seed. */
#include "core/queue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/testlib/fake_afu.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

TestSuite(queue, .timeout = 120);

enum { CONTEXT = 3, BLOCK = 4096, TIMEOUT = 1000000000, MS = 1000000 };

/* ---- fixture ---- */

enum { RUNG_MAX = 8192 };

struct fixture {
    struct fake_exec exec;
    struct fake_afu afu;
    struct hal_ctx *ctx;
    struct spipe__queue q;
    bool answer; /* the AFU answers at once; otherwise the test posts */
    struct fake_command rung[RUNG_MAX]; /* what the doorbells brought */
    unsigned rung_count;
    uint8_t data[64 * BLOCK];
};

static struct fixture f;

static struct fake_answer on_command(void *arg, const struct fake_command *command)
{
    (void)arg;
    cr_assert_lt(f.rung_count, RUNG_MAX);
    f.rung[f.rung_count++] = *command;
    return (struct fake_answer){.lost = !f.answer};
}

static void set_up_config(const struct spipe__queue_config *config, enum hal_ctx_kind kind)
{
    memset(&f, 0, sizeof f);
    fake_exec_init(&f.exec, 1);
    fake_afu_init(&f.afu, &f.exec, on_command, NULL);
    f.afu.first_context = CONTEXT;
    f.afu.room = 1000;
    cr_assert_eq(hal_ctx_create(&f.afu.dev, kind, &f.ctx), 0);
    cr_assert_eq(hal_ctx_start(f.ctx, 4), 0);
    cr_assert_eq(spipe__queue_init(&f.q, &f.exec.exec, &f.afu.dev, config), 0);
    spipe__queue_bind(&f.q, f.ctx);
    spipe__queue_program(&f.q);
}

static void set_up(enum hal_order order, unsigned depth, unsigned elements)
{
    set_up_config(&(struct spipe__queue_config){.order = order,
                                                .depth = depth,
                                                .rrq_elements = elements,
                                                .timeout_ns = TIMEOUT,
                                                .interrupts = true,
                                                .name = "q"},
                  HAL_CTX_USER);
}

static void tear_down(void)
{
    hal_ctx_release(f.ctx);
    spipe__queue_fini(&f.q);
    fake_afu_fini(&f.afu);
    cr_assert_eq(f.exec.blocks, 0);
}

/* Sends one read and returns its slot. */
static uint32_t send(uint64_t tag)
{
    uint32_t slot;

    cr_assert(spipe__queue_room(&f.q));
    slot = spipe__queue_take(&f.q);
    cr_assert_lt(slot, f.q.depth);
    spipe__queue_fill_io(&f.q, slot, false, 5, tag, 1, f.data + tag % 64 * BLOCK, BLOCK);
    spipe__queue_send(&f.q, slot, tag, f.exec.now);
    return slot;
}

static uint64_t pair_ea(uint32_t slot) { return (uint64_t)(uintptr_t)&f.q.pairs[slot]; }

static void post(uint32_t slot) { fake_afu_post(&f.afu, CONTEXT, pair_ea(slot)); }

/* Expects the next finished command to have this tag, and frees it. */
static void expect_done(uint64_t tag)
{
    bool lost;
    int status;
    uint32_t slot = spipe__queue_next(&f.q, &lost, &status);

    cr_assert_neq(slot, SPIPE__SLOT_NONE);
    cr_assert_not(lost);
    cr_assert_eq(status, 0);
    cr_assert_eq(spipe__queue_tag(&f.q, slot), tag);
    spipe__queue_done(&f.q, slot);
}

static void expect_lost(uint64_t tag, int wanted)
{
    bool lost;
    int status = 0;
    uint32_t slot = spipe__queue_next(&f.q, &lost, &status);

    cr_assert_neq(slot, SPIPE__SLOT_NONE);
    cr_assert(lost);
    cr_assert_eq(status, wanted);
    cr_assert_eq(spipe__queue_tag(&f.q, slot), tag);
}

static void expect_nothing(void)
{
    bool lost;
    int status;

    cr_assert_eq(spipe__queue_next(&f.q, &lost, &status), SPIPE__SLOT_NONE);
    cr_assert_not(spipe__queue_pending(&f.q));
}

/* ---- bytes ---- */

/* SL 23.1: READ(16) by port and LUN id from master 3. The buffer is not touched. */
static const uint8_t read_by_port_big[64] = {
    0x00, 0x03, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0, 0, 0, 0, 0, 0,
    0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x7f, 0xff, 0x12, 0x34, 0x00, 0x00,
    0x02, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x00, 0, 0, 0, 0, 0x12, 0x34,
    0x56, 0x78, 0x00, 0x00, 0x00, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const uint8_t read_by_port_little[64] = {
    0x03, 0x00, 0x00, 0x40, 0x01, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0, 0, 0x01, 0x00,
    0x00, 0x10, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x34, 0x12, 0xff, 0x7f, 0x00, 0x00,
    0x02, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x00, 0, 0, 0, 0, 0x12, 0x34,
    0x56, 0x78, 0x00, 0x00, 0x00, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/* SL 23.2: READ(16) by handle 5 from context 7, time-out 5 s; its last 8 bytes are for SQ mode. */
static const uint8_t read_by_handle_big[56] = {
    0x00, 0x07, 0x80, 0x00, 0x00, 0x00, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, 0,
    0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x7f, 0xff, 0x12, 0x34, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x05, 0, 0, 0, 0, 0x88, 0x00, 0, 0, 0, 0, 0x00, 0x02,
    0xab, 0xcd, 0x00, 0x00, 0x00, 0x08, 0, 0};
static const uint8_t read_by_handle_little[56] = {
    0x07, 0x00, 0x00, 0x80, 0x05, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0, 0, 0, 0,
    0x00, 0x10, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x34, 0x12, 0xff, 0x7f, 0x00, 0x00,
    0x02, 0x00, 0x05, 0x00, 0, 0, 0, 0, 0x88, 0x00, 0, 0, 0, 0, 0x00, 0x02,
    0xab, 0xcd, 0x00, 0x00, 0x00, 0x08, 0, 0};

/* SL 23.3: heavy sync for context 7, handle 5, from master 3. */
static const uint8_t sync_big[64] = {0x00, 0x03, 0x00, 0x02, [32] = 0x02, 0x00, 0x00, 0x05,
                                     [40] = 0xc0, 0x01, 0x00, 0x07, 0x00, 0x00, 0x00, 0x05};
static const uint8_t sync_little[64] = {0x03, 0x00, 0x02, 0x00, [32] = 0x02, 0x00, 0x05, 0x00,
                                        [40] = 0xc0, 0x01, 0x00, 0x07, 0x00, 0x00, 0x00, 0x05};

#define EXAMPLE_BUFFER UINT64_C(0x7FFF12340000)

static void set_up_bytes(enum hal_order order, uint16_t context, uint16_t afu_timeout)
{
    struct spipe__queue_config config = {.order = order,
                                         .depth = 2,
                                         .rrq_elements = 4,
                                         .interrupts = true,
                                         .afu_timeout = afu_timeout,
                                         .name = "q"};

    set_up_config(&config, HAL_CTX_MASTER);
    f.ctx->handle = context;
    spipe__queue_bind(&f.q, f.ctx);
}

static void end_bytes(void)
{
    f.ctx->handle = CONTEXT;
    tear_down();
}

static const void *rcb(uint32_t slot) { return &f.q.pairs[slot].ioarcb; }

Test(queue, bytes_of_a_read_by_port)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint32_t slot;

        set_up_bytes(order, 3, 0);
        slot = spipe__queue_take(&f.q);
        spipe__queue_fill(&f.q, slot,
                          &(struct spipe__command){.flags = 0x4000,
                                                   .target = 1,
                                                   .lun_id = UINT64_C(0x0001000000000000),
                                                   .data_ea = EXAMPLE_BUFFER,
                                                   .data_length = 4096,
                                                   .cdb = spipe__cdb_read_16(0x12345678, 8)});
        cr_assert_arr_eq(rcb(slot), order == HAL_ORDER_BIG ? read_by_port_big : read_by_port_little,
                         64);
        end_bytes();
    }
    PROVES(AD_66);
}

Test(queue, bytes_of_a_read_by_handle)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint32_t slot;

        set_up_bytes(order, 7, 5);
        slot = spipe__queue_take(&f.q);
        spipe__queue_fill_io(&f.q, slot, false, 5, 0x2ABCD, 8,
                             (const void *)(uintptr_t)EXAMPLE_BUFFER, 4096);
        cr_assert_arr_eq(rcb(slot),
                         order == HAL_ORDER_BIG ? read_by_handle_big : read_by_handle_little, 56);
        end_bytes();
    }
}

/* A write differs in two bytes, and fields of an earlier command do not shine through. */
Test(queue, bytes_of_a_write_by_handle)
{
    uint8_t wanted[56];
    uint32_t slot;

    set_up_bytes(HAL_ORDER_BIG, 7, 5);
    slot = spipe__queue_take(&f.q);
    spipe__queue_fill_io(&f.q, slot, false, UINT32_MAX, UINT64_MAX, UINT32_MAX, f.data, UINT32_MAX);
    spipe__queue_fill_io(&f.q, slot, true, 5, 0x2ABCD, 8, (const void *)(uintptr_t)EXAMPLE_BUFFER,
                         4096);
    memcpy(wanted, read_by_handle_big, sizeof wanted);
    wanted[3] = 0x01;
    wanted[0x28] = 0x8A;
    cr_assert_arr_eq(rcb(slot), wanted, sizeof wanted);
    end_bytes();
}

Test(queue, bytes_of_an_afu_sync)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        struct spipe__command command = {.flags = AFU_REQ_AFU_CMD, .timeout = 5};
        uint32_t slot;

        set_up_bytes(order, 3, 0);
        slot = spipe__queue_take(&f.q);
        afu_sync_cdb(command.cdb.bytes, AFU_SYNC_HW, 7, 5);
        spipe__queue_fill(&f.q, slot, &command);
        cr_assert_arr_eq(rcb(slot), order == HAL_ORDER_BIG ? sync_big : sync_little, 64);
        end_bytes();
    }
}

/* ---- registers and life ---- */

Test(queue, user_context_is_programmed)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint64_t page = AFU_HOST_BASE(CONTEXT);

        set_up(order, 4, 8);
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_ENDIAN_CTRL),
                     order == HAL_ORDER_BIG ? UINT64_C(0x8000000000000080) : 0);
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_RRQ_START),
                     (uint64_t)(uintptr_t)f.q.rrq);
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_RRQ_END),
                     (uint64_t)(uintptr_t)(f.q.rrq + 7));
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_CTX_CTRL), 1);
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_INTR_MASK),
                     UINT64_C(0xFFFFFFFFFFFFF800));
        cr_expect_eq(f.q.room, 1000);
        cr_expect_eq(pair_ea(0) % 128, 0);
        tear_down();
    }
}

Test(queue, bad_configurations_are_refused)
{
    static const struct spipe__queue_config bad[] = {
        {.depth = 0, .rrq_elements = 8, .name = "q"},
        {.depth = 8, .rrq_elements = 8, .name = "q"}, /* */
        {.depth = 4097, .rrq_elements = 8192, .name = "q"},
    };
    struct spipe__queue q;

    fake_exec_init(&f.exec, 1);
    fake_afu_init(&f.afu, &f.exec, on_command, NULL);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++)
        cr_expect_eq(spipe__queue_init(&q, &f.exec.exec, &f.afu.dev, &bad[i]), -EINVAL);
    cr_expect_eq(f.exec.blocks, 0);
    fake_afu_fini(&f.afu);
}

/* Each allocation of init fails once. */
Test(queue, init_without_memory_leaves_nothing)
{
    static const struct spipe__queue_config config = {.depth = 4, .rrq_elements = 8, .name = "q"};
    struct spipe__queue q;
    int rc = -ENOMEM;

    fake_exec_init(&f.exec, 1);
    fake_afu_init(&f.afu, &f.exec, on_command, NULL);
    for (int n = 0; rc; n++) {
        f.exec.fail_after = n;
        rc = spipe__queue_init(&q, &f.exec.exec, &f.afu.dev, &config);
        cr_assert(rc == 0 || rc == -ENOMEM);
        cr_assert(rc == 0 || (f.exec.blocks == 0 && f.afu.regions == 0));
    }
    spipe__queue_fini(&q);
    cr_expect_eq(f.exec.blocks, 0);
    fake_afu_fini(&f.afu);
}

/* ---- order, wrap, toggle ---- */

Test(queue, completions_come_in_the_order_of_the_afu)
{
    uint32_t slots[4];

    set_up(HAL_ORDER_HOST, 4, 8);
    for (unsigned i = 0; i < 4; i++)
        slots[i] = send(100 + i);
    cr_expect_eq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    cr_expect_eq(spipe__queue_in_use(&f.q), 4);
    expect_nothing();
    post(slots[2]);
    post(slots[0]);
    post(slots[3]);
    expect_done(102);
    expect_done(100);
    post(slots[1]);
    expect_done(103);
    expect_done(101);
    expect_nothing();
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);
    PROVES(AD_80);
    tear_down();
}

/* Random batches over 1000 laps of a ring whose length is no power of two, in both orders. */
Test(queue, wrap_and_toggle_over_many_laps)
{
    enum { DEPTH = 6, ELEMENTS = 7, ROUNDS = 4000 };
    uint64_t seed = test_seed(1);

    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        struct hal_prng prng;
        uint64_t tag = 0;

        hal_prng_seed(&prng, seed, 0);
        set_up(order, DEPTH, ELEMENTS);
        for (unsigned r = 0; r < ROUNDS; r++) {
            uint32_t slots[DEPTH];
            unsigned n = 1 + (unsigned)hal_prng_below(&prng, DEPTH);

            for (unsigned i = 0; i < n; i++)
                slots[i] = send(tag + i);
            for (unsigned i = 0; i < n; i++) {
                post(slots[i]);
                expect_done(tag + i);
                expect_nothing();
            }
            tag += n;
            f.rung_count = 0;
        }
        cr_expect_gt(tag, 1000 * ELEMENTS);
        cr_expect_eq(f.q.counters.stray_elements, 0);
        tear_down();
    }
    PROVES(AD_80);
}

/* 256 commands and internal ones beside them in a ring of 512. */
Test(queue, ring_takes_more_than_256_commands)
{
    set_up(HAL_ORDER_HOST, 260, 512);
    for (unsigned lap = 0; lap < 5; lap++) {
        uint32_t slots[260];

        for (unsigned i = 0; i < 260; i++)
            slots[i] = send(i);
        for (unsigned i = 0; i < 260; i++)
            post(slots[i]);
        for (unsigned i = 0; i < 260; i++)
            expect_done(i);
    }
    expect_nothing();
    tear_down();
}

/* FK-10: a slot rests as long as others are free. */
Test(queue, slots_are_reused_in_ring_order)
{
    set_up(HAL_ORDER_HOST, 8, 16);
    for (unsigned i = 0; i < 24; i++) {
        uint32_t slot = send(i);

        cr_assert_eq(slot, i % 8);
        post(slot);
        expect_done(i);
    }
    tear_down();
}

Test(queue, untaken_slot_is_taken_next)
{
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 3, 4);
    slot = spipe__queue_take(&f.q);
    spipe__queue_untake(&f.q, slot);
    cr_expect_eq(spipe__queue_take(&f.q), slot);
    spipe__queue_untake(&f.q, slot);
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);
    tear_down();
}

/* ioasc of the last command does not count for the next. */
Test(queue, ioasc_is_cleared)
{
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 1, 4);
    slot = send(1);
    memset(&f.q.pairs[slot].ioasa, 0xEE, sizeof f.q.pairs[slot].ioasa);
    post(slot);
    expect_done(1);
    cr_assert_eq(send(2), slot);
    cr_expect_eq(afu_ioasc(&spipe__queue_ioasa(&f.q, slot)->rc), 0);
    tear_down();
}

/* ---- room ---- */

/* AD-67: one read grants N doorbells; 0 is busy, and so is anything negative. */
Test(queue, room_is_used_up_before_it_is_read_again)
{
    set_up(HAL_ORDER_HOST, 16, 32);
    f.q.room = 0;
    f.afu.room = 3;
    for (unsigned i = 0; i < 3; i++) {
        (void)send(i);
        f.afu.room = 0; /* a read too many would see it */
    }
    cr_expect_not(spipe__queue_room(&f.q));
    cr_expect_eq(f.rung_count, 3);
    f.afu.room = UINT64_C(0x8000000000000000);
    cr_expect_not(spipe__queue_room(&f.q));
    cr_expect_not(f.q.gone);
    f.afu.room = 1;
    cr_expect(spipe__queue_room(&f.q));
    cr_expect(spipe__queue_room(&f.q), "asking uses nothing up");
    (void)send(3);
    f.afu.room = 0;
    cr_expect_not(spipe__queue_room(&f.q));
    PROVES(AD_67);
    PROVES(AD_70);
    tear_down();
}

/* All ones is no room; whether the adapter is gone is told by endian_ctrl. */
Test(queue, all_ones_is_no_room)
{
    set_up(HAL_ORDER_HOST, 4, 8);
    f.q.room = 0;
    f.afu.room = UINT64_MAX;
    cr_expect_not(spipe__queue_room(&f.q));
    cr_expect_not(f.q.gone, "one register of all ones proves nothing");
    f.afu.dead = true;
    cr_expect_not(spipe__queue_room(&f.q));
    cr_expect(f.q.gone);
    PROVES(AD_67);
    tear_down();
}

/* ---- hostile elements ---- */

Test(queue, stray_elements_are_counted_and_dropped)
{
    uint32_t slot;
    uint64_t end;

    set_up(HAL_ORDER_HOST, 4, 64);
    end = pair_ea(4);
    slot = send(1);
    fake_afu_post(&f.afu, CONTEXT, pair_ea(slot) + 8);    /* misaligned */
    fake_afu_post(&f.afu, CONTEXT, pair_ea(slot) + 64);   /* the IOASA, as in SQ mode */
    fake_afu_post(&f.afu, CONTEXT, pair_ea(0) - 128);     /* before the pairs */
    fake_afu_post(&f.afu, CONTEXT, end);                  /* behind them */
    fake_afu_post(&f.afu, CONTEXT, 0);
    fake_afu_post(&f.afu, CONTEXT, UINT64_MAX);
    fake_afu_post(&f.afu, CONTEXT, UINT64_C(1) << 63);
    fake_afu_post(&f.afu, CONTEXT, pair_ea(slot + 1));    /* idle */
    post(slot);
    post(slot); /* twice */
    expect_done(1);
    expect_nothing();
    cr_expect_eq(f.q.counters.stray_elements, 9);
    cr_expect_not(f.q.gone, "all ones was asked about, and the adapter answered");
    tear_down();
}

/* FK-11: all ones on a dead adapter. */
Test(queue, element_of_all_ones_asks_whether_the_adapter_is_gone)
{
    set_up(HAL_ORDER_HOST, 4, 8);
    (void)send(1);
    fake_afu_post(&f.afu, CONTEXT, UINT64_MAX);
    f.afu.dead = true;
    cr_assert(spipe__queue_pending(&f.q));
    expect_nothing();
    cr_expect(f.q.gone);
    spipe__queue_idle(&f.q);
    expect_lost(1, -EIO);
    tear_down();
}

/* Random elements among real ones, in both orders: every command ends exactly once. */
Test(queue, hostile_rrq)
{
    enum { DEPTH = 16, ELEMENTS = 61, ROUNDS = 20000 };
    uint64_t seed = test_seed(2);

    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        struct hal_prng prng;
        uint64_t strays = 0;

        hal_prng_seed(&prng, seed, 1);
        set_up(order, DEPTH, ELEMENTS);
        for (unsigned r = 0; r < ROUNDS; r++) {
            uint32_t slot = send(r);
            unsigned bad = (unsigned)hal_prng_below(&prng, 4);

            for (unsigned i = 0; i < bad; i++) {
                uint64_t ea = hal_prng_next(&prng) & ~UINT64_C(1);

                if (hal_prng_below(&prng, 2)) /* near the pairs, but not the busy one */
                    ea = pair_ea(0) + hal_prng_below(&prng, DEPTH * 128 * 2);
                if ((ea & ~UINT64_C(1)) == pair_ea(slot))
                    ea += 8;
                fake_afu_post(&f.afu, CONTEXT, ea);
                strays++;
            }
            post(slot);
            expect_done(r);
            expect_nothing();
            f.rung_count = 0;
        }
        cr_expect_eq(f.q.counters.stray_elements, strays);
        cr_expect_eq(spipe__queue_in_use(&f.q), 0);
        tear_down();
    }
}

/* ---- time-outs ---- */

Test(queue, timeouts_come_one_by_one)
{
    uint32_t first, second;

    set_up(HAL_ORDER_HOST, 4, 8);
    cr_expect_eq(spipe__queue_deadline(&f.q), EXEC_FOREVER);
    first = send(1);
    f.exec.now += 10 * MS;
    second = send(2);
    cr_expect_eq(spipe__queue_deadline(&f.q), TIMEOUT);
    f.exec.now = TIMEOUT - 1;
    spipe__queue_idle(&f.q);
    expect_nothing();
    f.exec.now = TIMEOUT + MS;
    spipe__queue_idle(&f.q);
    expect_lost(1, -ETIMEDOUT);
    expect_nothing();
    cr_expect_eq(spipe__queue_deadline(&f.q), TIMEOUT + 10 * MS);
    f.exec.now = TIMEOUT + 10 * MS;
    spipe__queue_idle(&f.q);
    expect_lost(2, -ETIMEDOUT);
    cr_expect_eq(f.q.counters.timeouts, 2);
    cr_expect_eq(f.q.lost_count, 2);
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);

    /* Late answers change nothing, and the slots stay out of use. */
    post(first);
    post(second);
    expect_nothing();
    cr_expect_eq(f.q.counters.late_elements, 2);
    cr_expect_eq(f.q.counters.stray_elements, 2);
    cr_expect_neq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    cr_expect_neq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    cr_expect_eq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    tear_down();
}

/* An answer that is there when the time is up is an answer. */
Test(queue, posted_answer_beats_the_timeout)
{
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 4, 8);
    slot = send(1);
    f.exec.now = 2 * (uint64_t)TIMEOUT;
    post(slot);
    expect_done(1);
    spipe__queue_idle(&f.q);
    expect_nothing();
    tear_down();
}

/* Against a model: random commands, some lost. Each ends once, the lost ones not before their
 * deadline and not later than a check after it. */
Test(queue, timeouts_of_random_commands)
{
    enum { DEPTH = 32, STEPS = 20000 };
    struct hal_prng prng;
    uint64_t deadline[DEPTH]; /* by slot; 0 = not busy */
    unsigned lost_ones = 0;

    memset(deadline, 0, sizeof deadline);
    hal_prng_seed(&prng, test_seed(3), 2);
    set_up(HAL_ORDER_HOST, DEPTH, 64);
    for (unsigned step = 0; step < STEPS && lost_ones < DEPTH / 2; step++) {
        bool lost;
        int status;
        uint32_t slot;

        f.exec.now += hal_prng_below(&prng, 20 * MS);
        if (spipe__queue_in_use(&f.q) < DEPTH - lost_ones && hal_prng_below(&prng, 2)) {
            slot = send(0);
            deadline[slot] = f.exec.now + TIMEOUT;
            if (hal_prng_below(&prng, 500) == 0)
                deadline[slot] |= UINT64_C(1) << 63; /* will never be answered */
        }
        for (slot = 0; slot < DEPTH; slot++)
            if (deadline[slot] && !(deadline[slot] >> 63) && hal_prng_below(&prng, 8) == 0) {
                post(slot);
                deadline[slot] = 0;
                cr_assert_eq(spipe__queue_next(&f.q, &lost, &status), slot);
                cr_assert_not(lost);
                spipe__queue_done(&f.q, slot);
            }
        spipe__queue_idle(&f.q);
        while ((slot = spipe__queue_next(&f.q, &lost, &status)) != SPIPE__SLOT_NONE) {
            cr_assert(lost);
            cr_assert_leq(deadline[slot] & ~(UINT64_C(1) << 63), f.exec.now);
            cr_assert(deadline[slot] != 0);
            deadline[slot] = 0;
            lost_ones++;
        }
        for (slot = 0; slot < DEPTH; slot++)
            cr_assert((deadline[slot] & ~(UINT64_C(1) << 63)) + MS > f.exec.now || !deadline[slot]);
        f.rung_count = 0;
    }
    cr_expect_gt(lost_ones, 0);
    cr_expect_eq(f.q.lost_count, lost_ones);
    tear_down();
}

Test(queue, no_timeout)
{
    struct spipe__queue_config config = {
        .order = HAL_ORDER_HOST, .depth = 2, .rrq_elements = 4, .name = "q"};

    set_up_config(&config, HAL_CTX_USER);
    (void)send(1);
    f.exec.now = UINT64_C(1) << 62;
    spipe__queue_idle(&f.q);
    expect_nothing();
    cr_expect_eq(spipe__queue_deadline(&f.q), EXEC_FOREVER);
    tear_down();
}

/* ---- events ---- */

static void fault(uint64_t address)
{
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = address});
    f.exec.now += 2 * MS;
    spipe__queue_idle(&f.q);
}

static uint64_t buffer_of(uint64_t tag)
{
    return (uint64_t)(uintptr_t)(f.data + tag % 64 * BLOCK);
}

/* by address, first and last byte; the rest of the context goes on. */
Test(queue, data_storage_event_ends_one_command)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint32_t good;

        set_up(order, 8, 16);
        (void)send(1);
        (void)send(4);
        good = send(8);
        fault(buffer_of(4));
        expect_lost(4, -EIO);
        expect_nothing();
        fault(buffer_of(1) + BLOCK - 1);
        expect_lost(1, -EIO);
        expect_nothing();
        fault(buffer_of(20)); /* nobody's */
        expect_nothing();
        post(good);
        expect_done(8);
        cr_expect_eq(f.q.counters.faults, 2);
        cr_expect_eq(f.q.counters.unknown_faults, 1);
        cr_expect_eq(f.q.lost_count, 2);
        tear_down();
    }
}

/* The AFU moves lines: the event may show the line in which a misaligned buffer begins. */
Test(queue, data_storage_event_may_name_the_line)
{
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 4, 8);
    slot = spipe__queue_take(&f.q);
    spipe__queue_fill_io(&f.q, slot, false, 5, 0, 1, f.data + 1024 + 100, BLOCK);
    spipe__queue_send(&f.q, slot, 7, f.exec.now);
    fault(((uint64_t)(uintptr_t)f.data + 1024 + 100) & ~UINT64_C(127));
    expect_lost(7, -EIO);
    tear_down();
}

/* Two commands, one bad buffer: the older one first, each once. */
Test(queue, data_storage_events_of_one_buffer)
{
    set_up(HAL_ORDER_HOST, 4, 8);
    (void)send(1);
    f.exec.now += MS;
    (void)send(65); /* the same buffer */
    fault(buffer_of(1));
    expect_lost(1, -EIO);
    expect_nothing();
    fault(buffer_of(1));
    expect_lost(65, -EIO);
    fault(buffer_of(1));
    expect_nothing();
    tear_down();
}

/* An event on the command itself (R-11: the IOARCB or IOASA cannot be reached). */
Test(queue, data_storage_event_on_a_command_pair)
{
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 4, 8);
    slot = send(1);
    fault(pair_ea(slot) + 64);
    expect_lost(1, -EIO);
    tear_down();
}

/* R-45, FK-12: counted and cleared, no command ends. */
Test(queue, synchronous_errors_are_counted_and_cleared)
{
    uint64_t *status;
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 4, 8);
    slot = send(1);
    status = fake_afu_register(&f.afu, AFU_HOST_BASE(CONTEXT) + AFU_HOST_INTR_STATUS);
    *status = AFU_INTR_PERM_ERR_CMDROOM | AFU_INTR_PERM_ERR_RCB_READ | UINT64_C(0x100000);
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 1});
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 2});
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 3});
    spipe__queue_check(&f.q, f.exec.now);
    expect_nothing();
    cr_expect_eq(f.q.counters.sync_errors, 2);
    cr_expect_eq(f.q.counters.async_events, 1);
    cr_expect_eq(*status, UINT64_C(0x100000), "only known causes are cleared");
    post(slot);
    expect_done(1);
    PROVES(AD_86);
    tear_down();
}

/* Nothing of a dead context will post: its commands end now. */
Test(queue, lost_device_ends_all_commands)
{
    set_up(HAL_ORDER_HOST, 4, 8);
    for (unsigned i = 0; i < 3; i++)
        (void)send(i);
    f.afu.dead = true;
    spipe__queue_check(&f.q, f.exec.now);
    cr_expect(f.q.gone);
    for (unsigned i = 0; i < 3; i++)
        expect_lost(i, -EIO);
    expect_nothing();
    tear_down();
}

/* An empty poll looks at events once a millisecond, not every time. */
Test(queue, events_are_looked_at_now_and_then)
{
    set_up(HAL_ORDER_HOST, 4, 8);
    (void)send(1);
    spipe__queue_idle(&f.q);
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = buffer_of(1)});
    f.exec.now += MS - 1;
    spipe__queue_idle(&f.q);
    expect_nothing();
    f.exec.now += 1;
    spipe__queue_idle(&f.q);
    expect_lost(1, -EIO);
    tear_down();
}

/* ---- context reset ---- */

struct tags {
    uint64_t tag[16];
    unsigned count;
};

static void collect(void *arg, uint64_t tag)
{
    struct tags *t = arg;

    cr_assert_lt(t->count, 16);
    t->tag[t->count++] = tag;
}

/* what was posted is harvested, the rest is handed out; position and toggle stay. */
Test(queue, flush_after_a_context_reset)
{
    struct tags tags = {.count = 0};
    uint32_t done, slot;

    set_up(HAL_ORDER_HOST, 4, 7);
    for (unsigned i = 0; i < 5; i++) { /* into the middle of the ring */
        slot = send(0);
        post(slot);
        expect_done(0);
    }
    (void)send(1);
    done = send(2);
    f.exec.now = TIMEOUT;
    spipe__queue_idle(&f.q); /* both time out */
    expect_lost(1, -ETIMEDOUT);
    (void)done;
    (void)send(3);
    slot = send(4);
    post(slot);
    f.q.room = 5;
    cr_assert_eq(spipe__queue_reset(&f.q), 0);
    expect_done(4); /* posted before the reset: valid */
    expect_lost(2, -ETIMEDOUT);
    spipe__queue_flush(&f.q, collect, &tags);
    cr_assert_eq(tags.count, 1);
    cr_expect_eq(tags.tag[0], 3);
    cr_expect_eq(f.q.room, 0, "the credits are unknown");
    cr_expect_eq(f.q.lost_count, 0);
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);
    for (unsigned i = 0; i < 30; i++) {
        slot = send(i);
        post(slot);
        expect_done(i);
    }
    cr_expect_eq(f.q.counters.stray_elements, 0);
    tear_down();
}

/* Without a harvest before it, everything not reported is handed out once. */
Test(queue, flush_reports_each_command_once)
{
    struct tags tags = {.count = 0};
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 4, 8);
    (void)send(1);
    f.exec.now = TIMEOUT;
    spipe__queue_idle(&f.q); /* 1 is lost and not yet reported */
    slot = send(2);
    (void)send(3);
    post(slot);
    spipe__queue_flush(&f.q, collect, &tags);
    cr_assert_eq(tags.count, 3);
    cr_expect_eq(tags.tag[0] + tags.tag[1] + tags.tag[2], 6);
    expect_nothing();
    for (unsigned i = 0; i < 4; i++)
        cr_expect_neq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    tear_down();
}

/* AD-115: 11 reads with pauses of 1, 2, 4 .. 1024 us. */
Test(queue, context_reset_polls)
{
    set_up(HAL_ORDER_HOST, 4, 8);
    f.afu.reset_reads = 10;
    cr_assert_eq(spipe__queue_reset(&f.q), 0);
    cr_expect_eq(f.exec.now, UINT64_C(1023000));
    f.exec.now = 0;
    f.afu.reset_reads = 11;
    cr_assert_eq(spipe__queue_reset(&f.q), -ETIMEDOUT);
    cr_expect_eq(f.exec.now, UINT64_C(2047000));
    cr_expect_eq(f.afu.resets, 2);
    PROVES(AD_115);
    tear_down();
}

/* Binding again, as after an AFU reset, starts from scratch whatever there was. */
Test(queue, bind_again)
{
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 4, 8);
    for (unsigned i = 0; i < 11; i++) {
        slot = send(i);
        post(slot);
        expect_done(i);
    }
    slot = send(1);
    post(slot);
    (void)send(2);
    f.q.gone = true;
    spipe__queue_bind(&f.q, f.ctx);
    spipe__queue_program(&f.q);
    expect_nothing();
    cr_expect_not(f.q.gone);
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);
    slot = send(3);
    post(slot);
    expect_done(3);
    PROVES(AD_44);
    tear_down();
}

/* A command given up by whoever waited for it is not reported again. */
Test(queue, abandoned_command)
{
    uint32_t slot;

    set_up(HAL_ORDER_HOST, 4, 8);
    slot = send(1);
    spipe__queue_abandon(&f.q, slot);
    expect_nothing();
    cr_expect_eq(f.q.lost_count, 1);
    post(slot);
    expect_nothing();
    cr_expect_eq(f.q.counters.late_elements, 1);
    spipe__queue_flush(&f.q, NULL, NULL);
    cr_expect_eq(f.q.lost_count, 0);
    tear_down();
}
