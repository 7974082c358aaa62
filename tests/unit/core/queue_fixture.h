/* SPDX-License-Identifier: Apache-2.0 */
/* One context with a queue over an AFU that does exactly what a test says. For queue_test.c and
 * queue_events_test.c. */
#ifndef SPIPE_TESTS_UNIT_CORE_QUEUE_FIXTURE_H
#define SPIPE_TESTS_UNIT_CORE_QUEUE_FIXTURE_H

#include "core/command/queue.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/fake_afu.h"

enum { CONTEXT = 3, BLOCK = 4096, TIMEOUT = 1000000000, MS = 1000000 };

enum { RUNG_MAX = 8192 };

struct fx {
    struct fake_exec exec;
    struct fake_afu afu;
    struct hal_ctx *ctx;
    struct spipe__queue q;
    bool answer;                        /* the AFU answers at once; otherwise the test posts */
    struct fake_command rung[RUNG_MAX]; /* what the doorbells brought */
    unsigned rung_count;
    uint8_t data[64 * BLOCK];
};

static struct fx f;

static inline struct fake_answer fx_on_command(void *arg, const struct fake_command *command)
{
    (void)arg;
    cr_assert_lt(f.rung_count, RUNG_MAX);
    f.rung[f.rung_count++] = *command;
    return (struct fake_answer){.lost = !f.answer};
}

static inline void fx_set_up_config(const struct spipe__queue_config *config,
                                    enum hal_ctx_kind kind)
{
    memset(&f, 0, sizeof f);
    fake_exec_init(&f.exec, 1);
    fake_afu_init(&f.afu, &f.exec, fx_on_command, NULL);
    f.afu.first_context = CONTEXT;
    f.afu.room = 1000;
    cr_assert_eq(hal_ctx_create(&f.afu.dev, kind, &f.ctx), 0);
    cr_assert_eq(hal_ctx_start(f.ctx, 4), 0);
    cr_assert_eq(spipe__queue_init(&f.q, &f.exec.exec, &f.afu.dev, config), 0);
    spipe__queue_bind(&f.q, f.ctx);
    spipe__queue_program(&f.q);
}

static inline void fx_set_up_mode(enum hal_order order, unsigned depth, unsigned elements, bool sq)
{
    fx_set_up_config(&(struct spipe__queue_config){.order = order,
                                                   .depth = depth,
                                                   .rrq_elements = elements,
                                                   .timeout_ns = TIMEOUT,
                                                   .interrupts = true,
                                                   .sq = sq,
                                                   .name = "q"},
                     HAL_CTX_USER);
}

static inline void fx_set_up(enum hal_order order, unsigned depth, unsigned elements)
{
    fx_set_up_mode(order, depth, elements, false);
}

static inline void fx_tear_down(void)
{
    hal_ctx_release(f.ctx);
    spipe__queue_fini(&f.q);
    fake_afu_fini(&f.afu);
    cr_assert_eq(f.exec.blocks, 0);
}

/* Sends one read and returns its slot. */
static inline uint32_t fx_send(uint64_t tag)
{
    uint32_t slot;

    cr_assert(spipe__queue_room(&f.q));
    slot = spipe__queue_take(&f.q);
    cr_assert_lt(slot, f.q.depth);
    spipe__queue_fill_io(&f.q, slot, false, 5, tag, 1, f.data + tag % 64 * BLOCK, BLOCK);
    spipe__queue_send(&f.q, slot, tag, f.exec.now);
    return slot;
}

static inline uint64_t fx_pair_ea(uint32_t slot) { return (uint64_t)(uintptr_t)&f.q.pairs[slot]; }

/* What an RRQ element names (SL 9). */
static inline uint64_t fx_element_ea(uint32_t slot)
{
    return fx_pair_ea(slot) + (spipe__queue_is_sq(&f.q) ? 64 : 0);
}

static inline void fx_post(uint32_t slot) { fake_afu_post(&f.afu, CONTEXT, fx_element_ea(slot)); }

/* Expects the next finished command to have this tag, and frees it. */
static inline void fx_expect_done(uint64_t tag)
{
    bool lost;
    int status = -1;
    uint32_t slot = spipe__queue_next(&f.q, &lost, &status);

    cr_assert_neq(slot, SPIPE__SLOT_NONE);
    cr_assert_not(lost);
    cr_assert_eq(status, 0);
    cr_assert_eq(spipe__queue_tag(&f.q, slot), tag);
    spipe__queue_done(&f.q, slot);
}

static inline void fx_expect_lost(uint64_t tag, int wanted)
{
    bool lost;
    int status = 0;
    uint32_t slot = spipe__queue_next(&f.q, &lost, &status);

    cr_assert_neq(slot, SPIPE__SLOT_NONE);
    cr_assert(lost);
    cr_assert_eq(status, wanted);
    cr_assert_eq(spipe__queue_tag(&f.q, slot), tag);
}

static inline void fx_expect_nothing(void)
{
    bool lost;
    int status;

    cr_assert_eq(spipe__queue_next(&f.q, &lost, &status), SPIPE__SLOT_NONE);
    cr_assert_not(spipe__queue_pending(&f.q));
}

#endif
