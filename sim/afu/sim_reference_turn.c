/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is in a cycle: every block is asked, and one that waits for something that another
 * may give looks for itself whether it is there. */
#include "hal/support/check.h"
#include "sim/afu/sim_reference_internal.h"

void reference__fetch_begin(struct sim_reference *r)
{
    if (r->fetch != REFERENCE_FETCH_IDLE || !r->afu->ready_words || !r->afu->free_count)
        return;
    r->fetch = REFERENCE_FETCH_LOOK;
    r->fetch_left = r->afu->params.doorbell_to_fetch;
}

static bool fetch_turn(const struct sim_reference *r)
{
    return r->fetch == REFERENCE_FETCH_LOOK ? !r->fetch_left
                                            : r->fetch == REFERENCE_FETCH_ISSUE && !r->fetch_item;
}

/* The command that was fetched is the one whose read is the youngest on the bus. */
static void fetch_act(struct sim_reference *r)
{
    struct sim_afu *a = r->afu;

    r->fetch = REFERENCE_FETCH_IDLE;
    if (!a->ready_words || !a->free_count)
        return;
    sim_fetch_one(a);
    if (!a->ready_words || !a->free_count)
        return;
    r->fetch = REFERENCE_FETCH_ISSUE;
    r->fetch_item = r->bus[SIM_BUS_READ].queue.first ? r->bus[SIM_BUS_READ].queue.last
                                                     : r->bus[SIM_BUS_READ].current;
}

static bool mmio_turn(const struct sim_reference *r)
{
    const struct sim_afu *a = r->afu;

    return a->mmio_count && !r->mmio_pace && !a->mmio[a->mmio_head].travel;
}

static void mmio_act(struct sim_reference *r)
{
    r->mmio_pace = sim_mmio_pace(&r->afu->params);
    sim_mmio_accept(r->afu);
}

static void mmio_tick(struct sim_reference *r)
{
    struct sim_afu *a = r->afu;

    r->mmio_pace -= r->mmio_pace != 0;
    for (uint32_t i = 0; i < a->mmio_count; i++) {
        struct sim_mmio *m = &a->mmio[(a->mmio_head + i) % SIM_MMIO_RING];

        m->travel -= m->travel != 0;
    }
}

void reference__turn_tick(struct sim_reference *r)
{
    mmio_tick(r);
    r->timeouts_over = reference__any_now(r->timeout_low, r->timeout_slots, r->engine->now);
    r->fetch_left -= r->fetch_left != 0;
}

static bool running_out(const struct sim_reference *r, unsigned slot)
{
    return r->afu->cmds[slot].expiry.cycle && r->timeout_until[slot] == r->engine->now;
}

/* The slot whose time is over, of several the one that began first; SIM_SLOTS_MAX if none. */
static unsigned timeout_first(const struct sim_reference *r)
{
    unsigned first = SIM_SLOTS_MAX;

    for (unsigned slot = 0; slot < r->timeout_slots; slot++)
        if (running_out(r, slot) &&
            (first == SIM_SLOTS_MAX || r->timeout_serial[slot] < r->timeout_serial[first]))
            first = slot;
    return first;
}

static bool timeout_turn(const struct sim_reference *r)
{
    return r->timeouts_over && timeout_first(r) != SIM_SLOTS_MAX;
}

static void timeout_act(struct sim_reference *r)
{
    sim_timeout_expired(&r->afu->cmds[timeout_first(r)]);
}

void sim_reference_timeout(struct sim_afu *a, uint32_t slot, uint64_t cycles)
{
    struct sim_reference *r = a->engine->other;

    CHECK(cycles);
    r->timeout_slots = (uint32_t)hal_max64(r->timeout_slots, slot + 1);
    r->timeout_until[slot] = a->engine->now + cycles;
    r->timeout_low[slot] = (uint32_t)r->timeout_until[slot];
    r->timeout_serial[slot] = r->serial++;
}

static bool drain_turn(const struct sim_reference *r)
{
    const struct sim_afu *a = r->afu;

    if (!a->internal || a->internal->state != SIM_CMD_DRAIN)
        return false;
    for (uint64_t i = 0; i < a->params.cmd_slots; i++)
        if (a->cmds[i].draining)
            return false;
    return true;
}

static void drain_act(struct sim_reference *r) { sim_drain_over(r->afu); }

static bool media_turn(const struct sim_reference *r)
{
    const struct sim_afu *a = r->afu;

    for (unsigned word = 0; word < HAL_ARRAY_LENGTH(a->media_waiting); word++)
        for (uint64_t bits = a->media_waiting[word]; bits; bits &= bits - 1)
            if (sim_media_place(a, word * 64 + hal_lowest_bit(bits)))
                return true;
    return false;
}

static void media_act(struct sim_reference *r) { sim_media_start_waiting(r->afu); }

static bool buffer_turn(const struct sim_reference *r) { return sim_buffer_wanted(r->afu); }

static void buffer_act(struct sim_reference *r) { sim_buffer_serve(r->afu); }

/* Asks every block: a bit a rank that has something to do. Blocks with a rank of their own look for
 * themselves, the others have what is due. */
static uint32_t turns(const struct sim_reference *r)
{
    return r->due_ranks | (uint32_t)mmio_turn(r) << SIM_RANK_MMIO |
           (uint32_t)fetch_turn(r) << SIM_RANK_FETCH |
           (uint32_t)timeout_turn(r) << SIM_RANK_TIMEOUT |
           (uint32_t)drain_turn(r) << SIM_RANK_DRAIN |
           (uint32_t)media_turn(r) << SIM_RANK_MEDIA_START |
           (uint32_t)buffer_turn(r) << SIM_RANK_BUFFER;
}

static void (*const acts[SIM_RANKS])(struct sim_reference *r) = {
    [SIM_RANK_MMIO] = mmio_act,         [SIM_RANK_FETCH] = fetch_act,
    [SIM_RANK_TIMEOUT] = timeout_act,   [SIM_RANK_DRAIN] = drain_act,
    [SIM_RANK_MEDIA_START] = media_act, [SIM_RANK_BUFFER] = buffer_act,
};

bool reference__act(struct sim_reference *r)
{
    uint32_t all;
    unsigned rank;

    reference__fetch_begin(r);
    all = turns(r);
    if (!all)
        return false;
    rank = hal_lowest_bit(all);
    if (r->due_ranks >> rank & 1)
        reference__run_due(r, rank);
    else
        acts[rank](r);
    return true;
}

bool reference__any_timeout(const struct sim_reference *r)
{
    for (unsigned slot = 0; slot < r->timeout_slots; slot++)
        if (r->afu->cmds[slot].expiry.cycle)
            return true;
    return false;
}
