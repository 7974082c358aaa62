/* SPDX-License-Identifier: Apache-2.0 */
/* The queue pair when something is wrong: hostile RRQ elements, time-outs, faults, errors, a dead
 * device, context reset. The seeded tests print their seed. */
#include "core/command/queue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/prng.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"
#include "tests/unit/core/queue_fixture.h"

TestSuite(queue_events, .timeout = 120);

/* ---- hostile elements ---- */

Test(queue_events, stray_elements_are_counted_and_dropped)
{
    uint32_t slot;
    uint64_t end;

    fx_set_up(HAL_ORDER_HOST, 4, 64);
    end = fx_pair_ea(4);
    slot = fx_send(1);
    fake_afu_post(&f.afu, CONTEXT, fx_pair_ea(slot) + 8);  /* misaligned */
    fake_afu_post(&f.afu, CONTEXT, fx_pair_ea(slot) + 64); /* the IOASA, as in SQ mode */
    fake_afu_post(&f.afu, CONTEXT, fx_pair_ea(0) - 128);   /* before the pairs */
    fake_afu_post(&f.afu, CONTEXT, end);                   /* behind them */
    fake_afu_post(&f.afu, CONTEXT, 0);
    fake_afu_post(&f.afu, CONTEXT, UINT64_MAX);
    fake_afu_post(&f.afu, CONTEXT, UINT64_C(1) << 63);
    fake_afu_post(&f.afu, CONTEXT, fx_pair_ea(slot + 1)); /* idle */
    fx_post(slot);
    fx_post(slot); /* twice */
    fx_expect_done(1);
    fx_expect_nothing();
    cr_expect_eq(f.q.counters.stray_elements, 9);
    cr_expect_not(f.q.gone, "all ones was asked about, and the adapter answered");
    fx_tear_down();
}

/* FK-11: all ones on a dead adapter. */
Test(queue_events, element_of_all_ones_asks_whether_the_adapter_is_gone)
{
    fx_set_up(HAL_ORDER_HOST, 4, 8);
    (void)fx_send(1);
    fake_afu_post(&f.afu, CONTEXT, UINT64_MAX);
    f.afu.dead = true;
    cr_assert(spipe__queue_pending(&f.q));
    fx_expect_nothing();
    cr_expect(f.q.gone);
    spipe__queue_idle(&f.q);
    fx_expect_lost(1, -EIO);
    fx_tear_down();
}

/* Random elements among real ones, in both orders: every command ends exactly once. */
Test(queue_events, hostile_rrq)
{
    enum { DEPTH = 16, ELEMENTS = 61, ROUNDS = 20000 };
    uint64_t seed = test_seed(2);

    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        struct hal_prng prng;
        uint64_t strays = 0;

        hal_prng_seed(&prng, seed, 1);
        fx_set_up(order, DEPTH, ELEMENTS);
        for (unsigned r = 0; r < ROUNDS; r++) {
            uint32_t slot = fx_send(r);
            unsigned bad = (unsigned)hal_prng_below(&prng, 4);

            for (unsigned i = 0; i < bad; i++) {
                uint64_t ea = hal_prng_next(&prng) & ~UINT64_C(1);

                if (hal_prng_below(&prng, 2)) /* near the pairs, but not the busy one */
                    ea = fx_pair_ea(0) + hal_prng_below(&prng, DEPTH * 128 * 2);
                if ((ea & ~UINT64_C(1)) == fx_pair_ea(slot))
                    ea += 8;
                fake_afu_post(&f.afu, CONTEXT, ea);
                strays++;
            }
            fx_post(slot);
            fx_expect_done(r);
            fx_expect_nothing();
            f.rung_count = 0;
        }
        cr_expect_eq(f.q.counters.stray_elements, strays);
        cr_expect_eq(spipe__queue_in_use(&f.q), 0);
        fx_tear_down();
    }
}

/* ---- time-outs ---- */

Test(queue_events, timeouts_come_one_by_one)
{
    uint32_t first, second;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    cr_expect_eq(spipe__queue_deadline(&f.q), EXEC_FOREVER);
    first = fx_send(1);
    f.exec.now += 10 * MS;
    second = fx_send(2);
    cr_expect_eq(spipe__queue_deadline(&f.q), TIMEOUT);
    f.exec.now = TIMEOUT - 1;
    spipe__queue_idle(&f.q);
    fx_expect_nothing();
    f.exec.now = TIMEOUT + MS;
    spipe__queue_idle(&f.q);
    fx_expect_lost(1, -ETIMEDOUT);
    fx_expect_nothing();
    cr_expect_eq(spipe__queue_deadline(&f.q), TIMEOUT + 10 * MS);
    f.exec.now = TIMEOUT + 10 * MS;
    spipe__queue_idle(&f.q);
    fx_expect_lost(2, -ETIMEDOUT);
    cr_expect_eq(f.q.counters.timeouts, 2);
    cr_expect_eq(f.q.lost_count, 2);
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);

    /* Late answers change nothing, and the slots stay out of use. */
    fx_post(first);
    fx_post(second);
    fx_expect_nothing();
    cr_expect_eq(f.q.counters.late_elements, 2);
    cr_expect_eq(f.q.counters.stray_elements, 2);
    cr_expect_neq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    cr_expect_neq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    cr_expect_eq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    fx_tear_down();
}

/* An answer that is there when the time is up is an answer. */
Test(queue_events, posted_answer_beats_the_timeout)
{
    uint32_t slot;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    slot = fx_send(1);
    f.exec.now = 2 * (uint64_t)TIMEOUT;
    fx_post(slot);
    fx_expect_done(1);
    spipe__queue_idle(&f.q);
    fx_expect_nothing();
    fx_tear_down();
}

/* Against a model: random commands, some lost. Each ends once, the lost ones not before their
 * deadline and not later than a check after it. */
Test(queue_events, timeouts_of_random_commands)
{
    enum { DEPTH = 32, STEPS = 20000 };
    struct hal_prng prng;
    uint64_t deadline[DEPTH]; /* by slot; 0 = not busy */
    unsigned lost_ones = 0;

    memset(deadline, 0, sizeof deadline);
    hal_prng_seed(&prng, test_seed(3), 2);
    fx_set_up(HAL_ORDER_HOST, DEPTH, 64);
    for (unsigned step = 0; step < STEPS && lost_ones < DEPTH / 2; step++) {
        bool lost;
        int status;
        uint32_t slot;

        f.exec.now += hal_prng_below(&prng, 20 * MS);
        if (spipe__queue_in_use(&f.q) < DEPTH - lost_ones && hal_prng_below(&prng, 2)) {
            slot = fx_send(0);
            deadline[slot] = f.exec.now + TIMEOUT;
            if (hal_prng_below(&prng, 500) == 0)
                deadline[slot] |= UINT64_C(1) << 63; /* will never be answered */
        }
        for (slot = 0; slot < DEPTH; slot++)
            if (deadline[slot] && !(deadline[slot] >> 63) && hal_prng_below(&prng, 8) == 0) {
                fx_post(slot);
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
    fx_tear_down();
}

Test(queue_events, no_timeout)
{
    struct spipe__queue_config config = {
        .order = HAL_ORDER_HOST, .depth = 2, .rrq_elements = 4, .name = "q"};

    fx_set_up_config(&config, HAL_CTX_USER);
    (void)fx_send(1);
    f.exec.now = UINT64_C(1) << 62;
    spipe__queue_idle(&f.q);
    fx_expect_nothing();
    cr_expect_eq(spipe__queue_deadline(&f.q), EXEC_FOREVER);
    fx_tear_down();
}

/* ---- events ---- */

static void fault(uint64_t address)
{
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = address});
    f.exec.now += 2 * MS;
    spipe__queue_idle(&f.q);
}

static uint64_t buffer_of(uint64_t tag) { return (uint64_t)(uintptr_t)(f.data + tag % 64 * BLOCK); }

/* by address, first and last byte; the rest of the context goes on. */
Test(queue_events, data_storage_event_ends_one_command)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint32_t good;

        fx_set_up(order, 8, 16);
        (void)fx_send(1);
        (void)fx_send(4);
        good = fx_send(8);
        fault(buffer_of(4));
        fx_expect_lost(4, -EIO);
        fx_expect_nothing();
        fault(buffer_of(1) + BLOCK - 1);
        fx_expect_lost(1, -EIO);
        fx_expect_nothing();
        fault(buffer_of(20)); /* nobody's */
        fx_expect_nothing();
        fx_post(good);
        fx_expect_done(8);
        cr_expect_eq(f.q.counters.faults, 2);
        cr_expect_eq(f.q.counters.unknown_faults, 1);
        cr_expect_eq(f.q.lost_count, 2);
        fx_tear_down();
    }
}

/* The AFU moves lines: the event may show the line in which a misaligned buffer begins. */
Test(queue_events, data_storage_event_may_name_the_line)
{
    uint32_t slot;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    slot = spipe__queue_take(&f.q);
    spipe__queue_fill_io(&f.q, slot, false, 5, 0, 1, f.data + 1024 + 100, BLOCK);
    spipe__queue_send(&f.q, slot, 7, f.exec.now);
    fault(((uint64_t)(uintptr_t)f.data + 1024 + 100) & ~UINT64_C(127));
    fx_expect_lost(7, -EIO);
    fx_tear_down();
}

/* Two commands, one bad buffer: the older one first, each once. */
Test(queue_events, data_storage_events_of_one_buffer)
{
    fx_set_up(HAL_ORDER_HOST, 4, 8);
    (void)fx_send(1);
    f.exec.now += MS;
    (void)fx_send(65); /* the same buffer */
    fault(buffer_of(1));
    fx_expect_lost(1, -EIO);
    fx_expect_nothing();
    fault(buffer_of(1));
    fx_expect_lost(65, -EIO);
    fault(buffer_of(1));
    fx_expect_nothing();
    fx_tear_down();
}

/* An event on the command itself (R-11: the IOARCB or IOASA cannot be reached). */
Test(queue_events, data_storage_event_on_a_command_pair)
{
    uint32_t slot;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    slot = fx_send(1);
    fault(fx_pair_ea(slot) + 64);
    fx_expect_lost(1, -EIO);
    fx_tear_down();
}

/* R-45, FK-12: counted and cleared, no command ends. */
Test(queue_events, synchronous_errors_are_counted_and_cleared)
{
    uint64_t *status;
    uint32_t slot;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    slot = fx_send(1);
    status = fake_afu_register(&f.afu, AFU_HOST_BASE(CONTEXT) + AFU_HOST_INTR_STATUS);
    *status = AFU_INTR_PERM_ERR_CMDROOM | AFU_INTR_PERM_ERR_RCB_READ | UINT64_C(0x100000);
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 1});
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 2});
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 3});
    spipe__queue_check(&f.q, f.exec.now);
    fx_expect_nothing();
    cr_expect_eq(f.q.counters.sync_errors, 2);
    cr_expect_eq(f.q.counters.sync_bits, 0x18);
    cr_expect_eq(f.q.counters.async_events, 1);
    cr_expect_eq(*status, UINT64_C(0x100000), "only known causes are cleared");
    fx_post(slot);
    fx_expect_done(1);
    PROVES(AD_86);
    PROVES(R_45);
    fx_tear_down();
}

/* AD-86: nothing that is not masked. */
Test(queue_events, a_spurious_synchronous_error_is_left_alone)
{
    uint64_t *status, *clear;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    status = fake_afu_register(&f.afu, AFU_HOST_BASE(CONTEXT) + AFU_HOST_INTR_STATUS);
    clear = fake_afu_register(&f.afu, AFU_HOST_BASE(CONTEXT) + AFU_HOST_INTR_CLEAR);
    *status = UINT64_C(0xFFFFFFFFFFFFF800);
    *clear = 77;
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 1});
    spipe__queue_check(&f.q, f.exec.now);
    cr_expect_eq(f.q.counters.sync_errors, 0);
    cr_expect_eq(*status, UINT64_C(0xFFFFFFFFFFFFF800));
    cr_expect_eq(*clear, 77);
    PROVES(AD_86);
    fx_tear_down();
}

/* AD-86: nothing unmasked is there: it is taken note of, and nothing is cleared. */
Test(queue_events, spurious_synchronous_errors)
{
    uint64_t *status;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    status = fake_afu_register(&f.afu, AFU_HOST_BASE(CONTEXT) + AFU_HOST_INTR_STATUS);
    *status = UINT64_C(0x100000);
    (void)fx_send(1);
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 1});
    spipe__queue_check(&f.q, f.exec.now);
    cr_expect_eq(f.q.counters.sync_errors, 0);
    cr_expect_eq(f.q.counters.sync_spurious, 1);
    cr_expect_eq(*status, UINT64_C(0x100000));
    PROVES(AD_86);
    fx_tear_down();
}

/* Nothing of a dead context will post: its commands end now. */
Test(queue_events, lost_device_ends_all_commands)
{
    fx_set_up(HAL_ORDER_HOST, 4, 8);
    for (unsigned i = 0; i < 3; i++)
        (void)fx_send(i);
    f.afu.dead = true;
    spipe__queue_check(&f.q, f.exec.now);
    cr_expect(f.q.gone);
    for (unsigned i = 0; i < 3; i++)
        fx_expect_lost(i, -EIO);
    fx_expect_nothing();
    fx_tear_down();
}

/* An empty poll looks at events once a millisecond, not every time. */
Test(queue_events, events_are_looked_at_now_and_then)
{
    fx_set_up(HAL_ORDER_HOST, 4, 8);
    (void)fx_send(1);
    spipe__queue_idle(&f.q);
    fake_afu_event(&f.afu, CONTEXT,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = buffer_of(1)});
    f.exec.now += MS - 1;
    spipe__queue_idle(&f.q);
    fx_expect_nothing();
    f.exec.now += 1;
    spipe__queue_idle(&f.q);
    fx_expect_lost(1, -EIO);
    fx_tear_down();
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
Test(queue_events, flush_after_a_context_reset)
{
    struct tags tags = {.count = 0};
    uint32_t done, slot;

    fx_set_up(HAL_ORDER_HOST, 4, 7);
    for (unsigned i = 0; i < 5; i++) { /* into the middle of the ring */
        slot = fx_send(0);
        fx_post(slot);
        fx_expect_done(0);
    }
    (void)fx_send(1);
    done = fx_send(2);
    f.exec.now = TIMEOUT;
    spipe__queue_idle(&f.q); /* both time out */
    fx_expect_lost(1, -ETIMEDOUT);
    (void)done;
    (void)fx_send(3);
    slot = fx_send(4);
    fx_post(slot);
    f.q.room = 5;
    cr_assert_eq(spipe__queue_reset(&f.q), 0);
    fx_expect_done(4); /* posted before the reset: valid */
    fx_expect_lost(2, -ETIMEDOUT);
    spipe__queue_flush(&f.q, collect, &tags);
    cr_assert_eq(tags.count, 1);
    cr_expect_eq(tags.tag[0], 3);
    cr_expect_eq(f.q.room, 0, "the credits are unknown");
    cr_expect_eq(f.q.lost_count, 0);
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);
    for (unsigned i = 0; i < 30; i++) {
        slot = fx_send(i);
        fx_post(slot);
        fx_expect_done(i);
    }
    cr_expect_eq(f.q.counters.stray_elements, 0);
    fx_tear_down();
}

/* Without a harvest before it, everything not reported is handed out once. */
Test(queue_events, flush_reports_each_command_once)
{
    struct tags tags = {.count = 0};
    uint32_t slot;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    (void)fx_send(1);
    f.exec.now = TIMEOUT;
    spipe__queue_idle(&f.q); /* 1 is lost and not yet reported */
    slot = fx_send(2);
    (void)fx_send(3);
    fx_post(slot);
    spipe__queue_flush(&f.q, collect, &tags);
    cr_assert_eq(tags.count, 3);
    cr_expect_eq(tags.tag[0] + tags.tag[1] + tags.tag[2], 6);
    fx_expect_nothing();
    for (unsigned i = 0; i < 4; i++)
        cr_expect_neq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    fx_tear_down();
}

/* AD-115, D-3: 11 reads after pauses of 1, 2, 4 .. 1024 us; what is over within all of them is
 * good. */
Test(queue_events, context_reset_polls)
{
    static const uint64_t microseconds[] = {1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 2047};

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    for (unsigned busy = 0; busy <= 11; busy++) {
        f.exec.now = 0;
        f.afu.reset_reads = busy;
        cr_assert_eq(spipe__queue_reset(&f.q), busy < 11 ? 0 : -ETIMEDOUT);
        cr_expect_eq(f.exec.now, microseconds[busy] * 1000, "%u reads", busy);
        cr_expect_eq(f.afu.resets, busy + 1);
    }
    PROVES(AD_115);
    PROVES(D_3);
    fx_tear_down();
}

/* Binding again, as after an AFU reset, starts from scratch whatever there was. */
Test(queue_events, bind_again)
{
    uint32_t slot;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    for (unsigned i = 0; i < 11; i++) {
        slot = fx_send(i);
        fx_post(slot);
        fx_expect_done(i);
    }
    slot = fx_send(1);
    fx_post(slot);
    (void)fx_send(2);
    f.q.gone = true;
    spipe__queue_bind(&f.q, f.ctx);
    spipe__queue_program(&f.q);
    fx_expect_nothing();
    cr_expect_not(f.q.gone);
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);
    slot = fx_send(3);
    fx_post(slot);
    fx_expect_done(3);
    PROVES(AD_44);
    fx_tear_down();
}

/* D-6: wherever the queue was in its ring, what it finds there afterwards is new. */
Test(queue_events, nothing_of_before)
{
    enum { ELEMENTS = 8 };

    for (unsigned before = 1; before <= 3 * ELEMENTS; before++) {
        fx_set_up(HAL_ORDER_HOST, 4, ELEMENTS);
        for (unsigned i = 0; i < before; i++) {
            fx_post(fx_send(i));
            fx_expect_done(i);
        }
        hal_ctx_release(f.ctx);
        cr_assert_eq(hal_ctx_create(&f.afu.dev, HAL_CTX_USER, &f.ctx), 0);
        cr_assert_eq(hal_ctx_start(f.ctx, 4), 0);
        spipe__queue_bind(&f.q, f.ctx);
        spipe__queue_program(&f.q);
        for (unsigned i = 0; i < 2 * ELEMENTS; i++) {
            fx_expect_nothing();
            fx_post(fx_send(i));
            fx_expect_done(i);
        }
        cr_assert_eq(f.q.counters.stray_elements, 0);
        fx_tear_down();
    }
    PROVES(D_6);
}

/* A command given up by whoever waited for it is not reported again. */
Test(queue_events, abandoned_command)
{
    uint32_t slot;

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    slot = fx_send(1);
    spipe__queue_abandon(&f.q, slot);
    fx_expect_nothing();
    cr_expect_eq(f.q.lost_count, 1);
    fx_post(slot);
    fx_expect_nothing();
    cr_expect_eq(f.q.counters.late_elements, 1);
    spipe__queue_flush(&f.q, NULL, NULL);
    cr_expect_eq(f.q.lost_count, 0);
    fx_tear_down();
}
