/* SPDX-License-Identifier: Apache-2.0 */
/* The deterministic back end of hal/exec.h.
 *
 * Threads are fibers on one operating-system thread, with their stacks in a world. Every exec call
 * is a scheduling point: which fiber that can run goes on there is drawn from the seed, and a
 * switch happens only if it is another one. Time is virtual: it jumps, and only when every fiber
 * waits; then whoever waits last runs the device on its own stack (no hop). One seed, or one list
 * of choices, gives one interleaving, the same on every machine.
 *
 * The host is the ordinary code that calls sched_run. While no fiber runs it may use the exec calls
 * that cannot block: clock, memory, thread_create, init of mutexes and conditions, atomics.
 * Nothing here is for several operating-system threads at a time. */
#ifndef SIM_SCHED_SCHED_H
#define SIM_SCHED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/exec.h"
#include "hal/support/must_check.h"
#include "sim/world.h"

struct sched;

/** Streams of hal/support/prng.h that a scheduler draws from its seed. Nobody else may use them. */
#define SCHED_STREAM_SCHEDULING UINT64_C(0x5C4ED001)
#define SCHED_STREAM_ENTROPY UINT64_C(0x5C4ED002)
#define SCHED_STREAM_RANDOM UINT64_C(0x5C4ED003)

/** How a scheduler behaves. All zero is a good default. What the pointers lead to must be constant
 * or lie in the world, except `choices`, which is copied. */
struct sched_config {
    uint64_t seed;

    size_t stack_size;      /* bytes for each thread; 0 = 64 KiB (four times that under ASan) */
    size_t main_stack_size; /* bytes for the first fiber; 0 = 256 KiB (likewise) */

    /* A scheduling point considers a switch once in 2^stickiness times (0..16); 0 = each time.
     * Runs with few switches are faster and find other errors than runs with many. */
    unsigned stickiness;

    /* One condition wait in `spurious_one_in` returns 0 without a signal, as hal/exec.h allows.
     * 0 = never. */
    uint32_t spurious_one_in;

    /* Replay: what sched_choose returned, in order, instead of the seed's stream. A choice that is
     * too large counts modulo the alternatives; past the end every choice is 0: go on with the
     * same fiber. NULL = draw from the seed. */
    const uint32_t *choices;
    size_t choice_count;

    /* Called for each choice that was made (0 <= chosen < alternatives), to record a replay list,
     * and for each switch between two fibers (see sched_fiber_name). They may not call back into
     * the scheduler. NULL = not called. */
    void (*on_choice)(void *arg, uint32_t chosen, uint32_t alternatives);
    void (*on_switch)(void *arg, unsigned from, unsigned to);
    void *arg;

    /* sched_run gives up with -ETIME at this many scheduling points: a run that never ends is a
     * finding. 0 = no limit. */
    uint64_t points_max;

    /* A device that keeps busy without waking anybody, while no fiber has a deadline, is a deadlock
     * after this much virtual time, ns. 0 = 600 s. */
    uint64_t quiet_ns_max;

    /* When all that anybody waits for is descriptors, they are waited for in real time; nothing for
     * this long (ms) is a deadlock. 0 = 1000; UINT32_MAX = no limit. */
    uint32_t descriptor_ms_max;
};

/** Makes a scheduler in w. cfg may be NULL for all defaults. Memory of the exec contract, fibers
 * and their stacks come from w. The caller owns *out until sched_destroy, or just destroys or
 * restores the world. One scheduler per world. Returns 0, -EINVAL (stack or stickiness out of
 * range), -ENOMEM. */
HAL_MUST_CHECK int sched_create(struct sim_world *w, const struct sched_config *cfg,
                                struct sched **out);

/** Frees the scheduler and all its fibers, whatever they wait for. Host only. NULL is ignored. */
void sched_destroy(struct sched *s);

/** The execution contract of this scheduler. Valid as long as s. */
struct exec *sched_exec(struct sched *s);

/** Runs body(arg) as a fiber named "main" until all fibers have ended. Host only; may be called
 * again after 0. Returns
 *   0         all fibers ended;
 *   -EDEADLK  nothing can ever run again: see sched_report. The fibers are abandoned;
 *   -ETIME    points_max scheduling points were passed. The fibers are abandoned;
 *   -EAGAIN   a fiber called sched_pause: sched_resume goes on;
 *   -ENOMEM   no room for the fiber. */
HAL_MUST_CHECK int sched_run(struct sched *s, void (*body)(void *), void *arg);

/** Goes on after sched_pause; returns as sched_run does. Host only. */
HAL_MUST_CHECK int sched_resume(struct sched *s);

/** Leaves all fibers where they are and returns -EAGAIN from sched_run or sched_resume; returns
 * itself when the host resumes. Not a scheduling point: a run that pauses makes the same choices as
 * one that does not. Between the two the host may take a snapshot of the world, and restore it
 * later to go on from here again. From a fiber or from the device within `advance`. */
void sched_pause(struct sched *s);

/** Writes what every fiber does or waits for, and the wait cycle if there is one, as text of at
 * most size - 1 bytes and a final 0 into buf (which may be NULL if size is 0). Any time. Returns
 * the length of the whole text, like snprintf. It holds no addresses: one seed gives one report. */
size_t sched_report(const struct sched *s, char *buf, size_t size);

/* ---- scheduling points and choices, for the simulator's HAL back end ---- */

/** Another fiber may run here. Costs a few ns if it does not. Does nothing on the host and within
 * `advance`. */
void sched_point(struct sched *s);

/** Between the two the calling fiber goes on alone: scheduling points are no choice, and it must
 * not wait. For code that is a critical section of its own and shall leave the schedule of
 * everybody as it would be without it. They nest. On the host they do nothing. */
void sched_stay_begin(struct sched *s);
void sched_stay_end(struct sched *s);

/** A number in 0..n-1 (n > 0), drawn or replayed: a decision that belongs to the schedule, such as
 * the drain order of a store buffer. 0 should be the tamest alternative: replays that are made
 * smaller tend to it. No draw is made for n = 1. */
uint32_t sched_choose(struct sched *s, uint32_t n);

/** 64 bits for decisions that sched_choose does not fit. They come from a stream of their own, so
 * that replaying a list of choices, which draws nothing else, gives the same ones. */
uint64_t sched_random(struct sched *s);

/** Number of the running fiber: from 1 in order of creation (main's is 1 unless the host created
 * others before), never used twice; 0 on the host. */
unsigned sched_self(const struct sched *s);

/** Name of a fiber that has not been joined yet, else "?". */
const char *sched_fiber_name(const struct sched *s, unsigned number);

/** A word of the running fiber (of the host: one more) that the HAL back end may use as it likes,
 * e.g. for its store buffer. NULL at first. */
void **sched_local(struct sched *s);

/* ---- the device's clock ---- */

/** What drives virtual time. */
struct sched_clock {
    uint64_t tick_ns; /* of the device's own count, which never goes back */

    /** Called only when every fiber waits, on a fiber's stack. Runs the device until it woke
     * somebody (sched_wake_key returned true, or sched_any_ready; or by a descriptor), or until its
     * time reached `until`: the first moment at or after it that the device can represent. It may
     * also return when it has become idle; if it is idle already, time just jumps. until may lie
     * far beyond any event of the device but is never EXEC_FOREVER. */
    void (*advance)(void *arg, uint64_t until);

    /** Nothing will ever happen in the device by itself: only fibers can start something. Time may
     * then jump, still through advance. */
    bool (*idle)(void *arg);
};

/** Lets a device keep the time: *ticks, which it counts, is looked at very often. clock must be
 * constant; ticks and arg must lie in the world. NULL for all: back to the built-in clock, which
 * starts at 0 and only jumps to deadlines. Host, or first thing in main. */
void sched_set_clock(struct sched *s, const struct sched_clock *clock, const uint64_t *ticks,
                     void *arg);

/** Whether some fiber waits for a descriptor: the device then stops when it has made one readable.
 */
bool sched_any_descriptor(const struct sched *s);

/** Whether some fiber other than the running one can run. */
bool sched_any_ready(const struct sched *s);

/* ---- keyed waits: how a fiber waits for something in the device ---- */

/** Waits until somebody calls sched_wake_key with the same key. There is no scheduling point before
 * the caller counts as waiting: what it checked before the call still holds then, so no wake-up
 * can be lost. `what` is a constant string for reports. A deadline is in ns of exec_now;
 * EXEC_FOREVER = none. Returns 0 woken, -ETIMEDOUT, or, only if interruptible, -EINTR. */
HAL_MUST_CHECK int sched_wait_key(struct sched *s, uint64_t key, uint64_t deadline,
                                  bool interruptible, const char *what);

/** The same, not interruptible, for who does little else than wait, with a deadline: the same
 * schedule and result, but as long as nobody else can run the caller lets the device run without
 * leaving its place, which costs a third. */
HAL_MUST_CHECK int sched_poll_key(struct sched *s, uint64_t key, uint64_t deadline,
                                  const char *what);

/** Makes all fibers that wait for key runnable; returns whether there was one. Never switches,
 * never allocates, O(1) if nobody waits. From a fiber or from the device. */
bool sched_wake_key(struct sched *s, uint64_t key);

/* ---- what happened so far ---- */

struct sched_stats {
    uint64_t hash;     /* over the fiber number of each switch: the identity of the schedule */
    uint64_t points;   /* scheduling points passed */
    uint64_t switches; /* to another fiber */
    uint64_t choices;  /* made by sched_choose or a scheduling point, with more than one way */
    unsigned live;     /* fibers that have not ended */
    unsigned unjoined; /* fibers that ended and were never joined, main not counted */
};

/** Counts since sched_create. Any time. */
struct sched_stats sched_stats(const struct sched *s);

#endif
