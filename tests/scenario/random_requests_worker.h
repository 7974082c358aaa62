/* SPDX-License-Identifier: Apache-2.0 */
/* One thread of random_requests: what it draws from, what it owns, what it did last. Plain data of
 * that thread, but for `books`. */
#ifndef TESTS_SCENARIO_RANDOM_REQUESTS_WORKER_H
#define TESTS_SCENARIO_RANDOM_REQUESTS_WORKER_H

#include "hal/support/prng.h"
#include "tests/scenario/random_requests_model.h"

struct stack;

enum { RR_NOTES = 24, RR_ANSWERS = 160 };

/** A request that was made. */
struct rr_note {
    const char *what;
    unsigned actor, context;
    uint64_t a, b;
    int rc;
};

/** How often a kind of request ended in a certain way. */
struct rr_answer {
    const char *what; /* NULL: from here on there are none */
    int rc;
    uint64_t times;
};

struct rr_worker {
    struct stack *stack;
    struct exec *exec;
    struct rr_books *books;
    struct exec_thread *thread;
    struct hal_prng rng;
    uint64_t seed, left; /* requests still to be made */
    unsigned number;
    bool faults; /* AFU syncs fail */
    bool resets; /* the adapter is reset now and then, by the clients or because of lost syncs */
    bool asks;   /* the clients reset it */
    bool sq;     /* commands go through submission queues */

    struct rr_actor actor[RR_ACTORS];
    struct rr_chunk chunk[RR_CHUNK_POOL];
    struct rr_name name;
    struct rr_block direct[RR_LUNS][RR_SAMPLES]; /* its own blocks of each LUN, chunks aside */
    uint64_t versions;                           /* of blocks: the last one given out */
    uint32_t serials;                            /* of chunks, likewise */
    struct rr_memory *memory;                    /* what the AFU reads and writes */

    struct rr_note note[RR_NOTES];
    uint64_t notes;
    struct rr_answer answer[RR_ANSWERS];
};

/** A number in 0 .. n-1 from the worker's stream. */
static inline unsigned rr_draw(struct rr_worker *w, unsigned n)
{
    return (unsigned)hal_prng_below(&w->rng, n);
}

/** True once in n. */
static inline bool rr_once_in(struct rr_worker *w, unsigned n) { return rr_draw(w, n) == 0; }

/** Whether a sync may be refused, or may not be sent because of a reset: EAGAIN has a cause then.
 */
static inline bool rr_may_delay(const struct rr_worker *w) { return w->faults || w->resets; }

/** Enters a request into the notes, and counts it. Returns rc. */
int rr_note(struct rr_worker *w, const struct rr_context *c, const char *what, uint64_t a,
            uint64_t b, int rc);

/** Adds to a table of answers. */
void rr_answer_add(struct rr_answer answer[RR_ANSWERS], const char *what, int rc, uint64_t times);

/** How often `what` ended with rc. */
uint64_t rr_answer_times(const struct rr_answer answer[RR_ANSWERS], const char *what, int rc);

/** Ends the test: seed, worker, what was wrong, and the last requests. */
void rr_fail(struct rr_worker *w, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));

/** What must hold, or what to say. */
#define RR_CHECK(w, condition, ...)                                                                \
    do {                                                                                           \
        if (!(condition))                                                                          \
            rr_fail(w, __FILE__, __LINE__, __VA_ARGS__);                                           \
    } while (0)

/** Whether rc is among the n results. */
bool rr_one_of(int rc, const int *results, unsigned n);

/** The result of `what` must be one of those that follow. */
#define RR_ONE_OF(w, what, rc, ...)                                                                \
    RR_CHECK(                                                                                      \
        w,                                                                                         \
        rr_one_of(rc, (const int[]){__VA_ARGS__}, sizeof(const int[]){__VA_ARGS__} / sizeof(int)), \
        "%s gave %d, expected " #__VA_ARGS__, what, rc)

#endif
