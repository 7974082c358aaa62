/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of a command wait for: cycles, the bus, a serial stage. A block says what it
 * needs; when it is there is the engine's affair. The event engine computes that here, in closed
 * form, when the wait begins; the reference engine (sim_reference.h) lets lines and frames pass one
 * by one.
 *
 * A wait that is cancelled still uses what it had asked for: its lines cross the bus, its frames
 * the link. */
#ifndef SIM_AFU_SIM_WAIT_H
#define SIM_AFU_SIM_WAIT_H

#include "sim/afu/sim_afu.h"
#include "sim/afu/sim_reference.h"

/* Wrong wake-ups of the event engine, for the tests that the reference engine finds them; nothing
 * of them is in other builds:
 *   1 the end of a transfer that begins within a line is a line too early
 *   2 a slot that becomes free wakes no fetch unit that waits for one
 *   3 the way to a stage counts also for a frame that has to queue there
 *   4 a place on a medium that a command left early is given to nobody
 *   5 the time-out behind the first one is not armed when the first one is over */
#ifdef SIM_PLANT
#define SIM_PLANTED(n) (SIM_PLANT == (n))
#else
#define SIM_PLANTED(n) false
#endif

/** The engine that looks for itself at every cycle is on: nobody needs to wake anybody. */
static inline bool sim_stepped(const struct sim_afu *a)
{
    return __builtin_expect(a->engine->ops != NULL, 0);
}

/* Aligned powers of two that make up [at, end), within one line. */
static inline uint32_t sim_bus_pieces(uint64_t at, uint64_t end)
{
    uint32_t n = 0;

    for (; at < end; n++) {
        uint64_t fits = HAL_BIT(hal_highest_bit(end - at));

        at += at ? hal_min64(fits, at & -at) : fits;
    }
    return n;
}

/** Bus commands of a transfer of n > 0 bytes: one a line. A read takes whole lines and uses what it
 * needs; a write must not touch more than its own bytes, and the size of a command is a power of
 * two, its address a multiple of it (TM-7). */
static inline uint32_t sim_bus_commands(enum sim_direction direction, uint64_t ea, uint64_t n)
{
    uint64_t first = ea % SIM_LINE, end = first + n;

    if (direction == SIM_BUS_READ || (first | end) % SIM_LINE == 0)
        return (uint32_t)hal_div_up(end, SIM_LINE);
    if (end <= SIM_LINE)
        return sim_bus_pieces(first, end);
    return (first ? hal_bit_count(SIM_LINE - first) : 0) + hal_bit_count(end % SIM_LINE) +
           (uint32_t)(end / SIM_LINE - hal_div_up(first, SIM_LINE));
}

/* Credits that each direction may use at most: writes what keeps their rate up, but never more than
 * half; reads the rest. */
static inline uint64_t sim_bus_credits(const struct sim_params *p, enum sim_direction direction)
{
    uint64_t writes =
        hal_min64(hal_div_up(p->write_latency, p->write_interval) + 1, p->credits / 2);

    return direction == SIM_BUS_WRITE ? writes : p->credits - writes;
}

/** The interval of the link, or more where the credits would not last: commands are paced so that
 * never more of them are under way than there are credits (TM-2). One credit of each direction is
 * for a single command that goes together with the last line of a transfer. */
static inline struct sim_bus_rate sim_bus_rate(const struct sim_params *p,
                                               enum sim_direction direction)
{
    struct sim_bus_rate r = {p->read_interval, p->read_latency};

    if (direction == SIM_BUS_WRITE)
        r = (struct sim_bus_rate){p->write_interval, p->write_latency};
    if (__builtin_expect(r.latency > r.step * (p->credits / 2 - 1), 0))
        r.step = hal_max64(r.step, hal_div_up(r.latency, sim_bus_credits(p, direction) - 1));
    return r;
}

/** Whether a direction of the bus has something to do now. */
static inline bool sim_bus_busy(const struct sim_afu *a, enum sim_direction direction)
{
    return sim_stepped(a) ? sim_reference_bus_busy(a, direction)
                          : a->bus_free[direction] > a->engine->now;
}

/** The rate of a transfer that is asked for now: slower where it shares the link. */
static inline struct sim_bus_rate sim_bus_rate_now(const struct sim_afu *a,
                                                   enum sim_direction direction)
{
    struct sim_bus_rate r = sim_bus_rate(&a->params, direction);

    if (__builtin_expect(a->params.shared_penalty != 0, 0) &&
        sim_bus_busy(a, direction == SIM_BUS_READ ? SIM_BUS_WRITE : SIM_BUS_READ))
        r.step += hal_div_up(r.step * a->params.shared_penalty, 100);
    return r;
}

/** The next step of c comes in so many cycles. */
HAL_HOT static inline void sim_wait(struct sim_cmd *c, uint64_t cycles, enum sim_rank rank,
                                    sim_event_fn *fn)
{
    struct sim_engine *e = c->afu->engine;

    sim_engine_at(e, &c->event, e->now + cycles, rank, fn);
}

/* Whole lines: so many bus commands, in either direction. */
static inline bool sim_bus_lines(uint64_t ea, uint64_t bytes)
{
    return (ea | bytes) % SIM_LINE == 0;
}

/* One aligned power of two: a single bus command. */
static inline bool sim_bus_single(uint64_t ea, uint64_t bytes)
{
    return bytes <= SIM_LINE && !((bytes - 1) & (bytes | ea));
}

/* What the strict checker is told of a transfer; its cycles are those of the engine. */
static inline struct sim_strict_transfer
sim_wait_fact(const struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
              uint64_t ea, uint64_t bytes, uint32_t n, struct sim_bus_rate rate)
{
    return (struct sim_strict_transfer){.ea = ea,
                                        .bytes = bytes,
                                        .step = rate.step,
                                        .latency = rate.latency,
                                        .commands = n,
                                        .credits = (uint32_t)c->afu->params.credits,
                                        .context = c->ctx->handle,
                                        .slot = c->slot,
                                        .direction = (uint8_t)direction,
                                        .what = (uint8_t)what};
}

/* When the n commands of a transfer go, in closed form. */
static inline struct sim_strict_transfer
sim_wait_schedule(const struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
                  uint64_t ea, uint64_t bytes, uint32_t n, struct sim_bus_rate rate)
{
    struct sim_strict_transfer t = sim_wait_fact(c, direction, what, ea, bytes, n, rate);
    uint64_t start = hal_max64(c->afu->engine->now, c->afu->bus_free[direction]);

    t.first = n > 1 ? start + rate.step : start;
    t.last = n > 1 ? start + n * rate.step : start;
    return t;
}

/* The bus is taken, and the next step waits for the last response. */
static inline void sim_wait_response(struct sim_cmd *c, const struct sim_strict_transfer *t,
                                     uint64_t after, enum sim_rank rank, sim_event_fn *fn)
{
    struct sim_afu *a = c->afu;

    a->counters.bus_commands[t->direction] += t->commands;
    a->bus_free[t->direction] = t->last + (t->commands > 1 ? 0 : t->step);
    sim_engine_at(a->engine, &c->event,
                  t->last + t->latency + after -
                      (SIM_PLANTED(1) && t->commands == 33 ? t->step : 0),
                  rank, fn);
}

/* A transfer of n commands that nothing is special about, at a pace that is known: nothing is
 * computed for it, and the checker need not look at it. False: nothing was done, ask
 * sim_wait_special. Nothing is kept for that here, so that the way of every command stays short. */
static inline __attribute__((always_inline)) bool
sim_wait_plain(struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
               uint64_t ea, uint64_t bytes, uint32_t n, uint64_t after, enum sim_rank rank,
               sim_event_fn *fn)
{
    struct sim_afu *a = c->afu;
    const struct sim_bus_pace *pace = &a->bus_pace[direction];
    struct sim_strict_transfer t;

    if (__builtin_expect(!pace->plain, 0))
        return false;
    t = sim_wait_schedule(c, direction, what, ea, bytes, n, pace->rate);
    if (__builtin_expect(sim_strict_odd(&a->strict, &t), 0))
        return false;
    sim_strict_note(&a->strict, &t);
    sim_wait_response(c, &t, after, rank, fn);
    return true;
}

/** The same as sim_wait_bus, whatever the transfer and the engine. */
void sim_wait_special(struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
                      uint64_t ea, uint64_t bytes, uint64_t after, enum sim_rank rank,
                      sim_event_fn *fn);

/** The same as sim_wait_bus, for those that may be long. */
static inline __attribute__((always_inline)) void
sim_wait_transfer(struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
                  uint64_t ea, uint64_t bytes, uint64_t after, enum sim_rank rank, sim_event_fn *fn)
{
    if (!sim_bus_lines(ea, bytes) || !sim_wait_plain(c, direction, what, ea, bytes,
                                                     (uint32_t)(bytes / SIM_LINE), after, rank, fn))
        sim_wait_special(c, direction, what, ea, bytes, after, rank, fn);
}

/** No context is left, and the AFU is reset: what has not crossed the bus or a link yet never does,
 * nor is its turn kept (TM-9, TM-10). */
void sim_wait_cut(struct sim_afu *a);

/** The slot is reset: what has crossed the bus is not answered either. */
void sim_wait_forget(struct sim_afu *a);

/** ... when the bus commands for `bytes` > 0 at ea have been answered, and `after` more cycles have
 * passed. A single command goes at once; in a longer transfer each one goes when its interval has
 * passed (timing.md 8). */
static inline __attribute__((always_inline)) void
sim_wait_bus(struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
             uint64_t ea, uint64_t bytes, uint64_t after, enum sim_rank rank, sim_event_fn *fn)
{
    if (__builtin_expect(!sim_bus_single(ea, bytes), 0) ||
        !sim_wait_plain(c, direction, what, ea, bytes, 1, after, rank, fn))
        sim_wait_special(c, direction, what, ea, bytes, after, rank, fn);
}

/** ... when a serial stage, reached after `travel` cycles, has served it for `service` cycles, and
 * `after` more have passed. The stage takes the next one `gap` cycles after the service. */
static inline void sim_wait_stage(struct sim_cmd *c, struct sim_stage *s, uint64_t travel,
                                  uint64_t service, uint64_t gap, uint64_t after,
                                  enum sim_rank rank, sim_event_fn *fn)
{
    struct sim_afu *a = c->afu;
    uint64_t start;

    if (sim_stepped(a)) {
        sim_reference_stage(a, &c->event, s, (struct sim_stage_use){travel, service, gap, after},
                            rank, fn);
        return;
    }
    start = hal_max64(a->engine->now + travel, s->free);
    if (SIM_PLANTED(3) && s->free > a->engine->now)
        start = s->free + travel;
    s->free = start + service + gap;
    sim_engine_at(a->engine, &c->event, start + service + after, rank, fn);
}

#endif
