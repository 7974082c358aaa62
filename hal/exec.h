/* SPDX-License-Identifier: Apache-2.0 */
/* The execution contract: everything that core needs from "the machine it runs on" besides the
 * device. core, and what stands on core, never touches pthreads, clocks, malloc or sleep itself,
 * so the same code runs on pthreads in production (backends/posix) and as deterministic fibers
 * under virtual time (sim/sched), where every call below is a scheduling point.
 *
 * Times are nanoseconds of a monotonic clock; a deadline is a point of that clock, and
 * EXEC_FOREVER waits without one. */
#ifndef HAL_EXEC_H
#define HAL_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

#define EXEC_FOREVER UINT64_MAX

struct exec;
struct exec_thread; /* owned by the execution back end, freed by exec_thread_join */

/** Room for any back end's mutex; all zero is not a valid mutex, use exec_mutex_init. */
struct exec_mutex {
    uint64_t opaque[12];
    uint8_t rank; /* place in the lock order, 0 = none: see exec_mutex_init_ranked() */
    bool second;  /* locked by exec_mutex_lock_second() */
};

/** Room for any back end's condition. */
struct exec_cond {
    uint64_t opaque[8];
};

/** A 64-bit value shared between threads. Only the exec_atomic calls may touch it. */
struct exec_atomic {
    uint64_t value;
};

/** The operations of one execution back end. No slot may be NULL. Callers use the wrappers below,
 * which hold every back end to the same contract. */
struct exec_ops {
    const char *name;

    uint64_t (*now)(struct exec *);
    int (*sleep_until)(struct exec *, uint64_t deadline);

    int (*thread_create)(struct exec *, const char *name, void (*body)(void *), void *arg,
                         struct exec_thread **out);
    void (*thread_join)(struct exec *, struct exec_thread *);
    void (*thread_interrupt)(struct exec *, struct exec_thread *); /* NULL: the caller itself */
    void (*thread_forget_interrupt)(struct exec *);
    void (*thread_yield)(struct exec *);
    uint64_t *(*thread_ranks)(struct exec *); /* a word of the calling thread, 0 at first */

    void (*mutex_init)(struct exec *, struct exec_mutex *, const char *name);
    void (*mutex_fini)(struct exec *, struct exec_mutex *);
    void (*mutex_lock)(struct exec *, struct exec_mutex *);
    void (*mutex_lock_behind)(struct exec *, struct exec_mutex *);
    void (*mutex_unlock)(struct exec *, struct exec_mutex *);

    void (*cond_init)(struct exec *, struct exec_cond *, const char *name);
    void (*cond_fini)(struct exec *, struct exec_cond *);
    int (*cond_wait)(struct exec *, struct exec_cond *, struct exec_mutex *, uint64_t deadline,
                     bool interruptible);
    void (*cond_signal)(struct exec *, struct exec_cond *, bool all);

    int (*fd_wait)(struct exec *, int fd, uint64_t deadline);

    void *(*mem_alloc)(struct exec *, size_t size, size_t align);
    void (*mem_free)(struct exec *, void *, size_t size);

    uint64_t (*atomic_load)(struct exec *, struct exec_atomic *);
    void (*atomic_store)(struct exec *, struct exec_atomic *, uint64_t);
    uint64_t (*atomic_add)(struct exec *, struct exec_atomic *, uint64_t);
    bool (*atomic_swap_if)(struct exec *, struct exec_atomic *, uint64_t *expected,
                           uint64_t wanted);

    uint64_t (*entropy)(struct exec *);
};

/** One execution environment. A back end embeds it as its first member. */
struct exec {
    const struct exec_ops *ops;
};

/** Ties ops to the object; every slot must be filled. */
void exec_init(struct exec *e, const struct exec_ops *ops);

/** Nanoseconds since an arbitrary start. Never goes back. Any thread. */
uint64_t exec_now(struct exec *e);

/** Sleeps until `deadline` (a past one returns at once, but is a scheduling point).
 * Returns 0, or -EINTR if another thread interrupted this one. */
HAL_MUST_CHECK int exec_sleep_until(struct exec *e, uint64_t deadline);

/** Starts a thread that runs body(arg). `name` is copied; reports use it.
 * Returns 0, or -EAGAIN / -ENOMEM when no thread can be had. */
HAL_MUST_CHECK int exec_thread_create(struct exec *e, const char *name, void (*body)(void *),
                                      void *arg, struct exec_thread **out);

/** Waits for the end of a thread and frees it. Not interruptible. Each thread is joined once. */
void exec_thread_join(struct exec *e, struct exec_thread *t);

/** Makes the current or the next interruptible wait of t return -EINTR, once. */
void exec_thread_interrupt(struct exec *e, struct exec_thread *t);

/** Puts an interruption back that has ended a wait of the calling thread, for whoever can do
 * something about it: the next interruptible wait returns -EINTR. */
void exec_keep_interrupt(struct exec *e);

/** Forgets an interruption of the calling thread that has not ended a wait so far. Not a scheduling
 * point. */
void exec_forget_interrupt(struct exec *e);

/** Lets other threads run; nothing else. */
void exec_yield(struct exec *e);

/** Prepares a mutex (not recursive). `name` must outlive it: deadlock reports print it. */
void exec_mutex_init(struct exec *e, struct exec_mutex *m, const char *name);

#define EXEC_RANK_MAX 62

/** The same for a mutex that has a place in a lock order: `rank` 1..EXEC_RANK_MAX. A thread that
 * locks it while it holds one of the same or of a higher rank breaks the order, which ends the
 * program at once, whether or not another thread would have made it a deadlock. */
void exec_mutex_init_ranked(struct exec *e, struct exec_mutex *m, const char *name, unsigned rank);

/** Whether the calling thread holds a ranked mutex. */
bool exec_holds_ranked(struct exec *e);

/** Ends a mutex that nobody holds or waits for. */
void exec_mutex_fini(struct exec *e, struct exec_mutex *m);

void exec_mutex_lock(struct exec *e, struct exec_mutex *m);

/** The same for a thread that does its work in pieces and had the mutex for the last one: where
 * waiting takes real time, it lets in first who waits in exec_mutex_lock(), which promises no
 * order. */
void exec_mutex_lock_behind(struct exec *e, struct exec_mutex *m);

/** Locks a second ranked mutex of the rank that the thread holds. The caller has an order of its
 * own among those; the second one is unlocked first. */
void exec_mutex_lock_second(struct exec *e, struct exec_mutex *m);

/** The caller must be the thread that locked it. */
void exec_mutex_unlock(struct exec *e, struct exec_mutex *m);

/** Prepares a condition. `name` must outlive it. */
void exec_cond_init(struct exec *e, struct exec_cond *c, const char *name);
void exec_cond_fini(struct exec *e, struct exec_cond *c);

/** Releases m, waits, locks m again. May return 0 without a signal: callers loop over their
 * condition. Returns 0, -ETIMEDOUT once the deadline has passed, or, only if `interruptible`,
 * -EINTR. m is held again in every case. */
HAL_MUST_CHECK int exec_cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m,
                                  uint64_t deadline, bool interruptible);

/** Wakes one waiter. */
void exec_cond_signal(struct exec *e, struct exec_cond *c);

/** Wakes all waiters. */
void exec_cond_broadcast(struct exec *e, struct exec_cond *c);

/** Waits until `fd` is readable. Returns 0, -ETIMEDOUT, -EINTR, or -EBADF. */
HAL_MUST_CHECK int exec_fd_wait(struct exec *e, int fd, uint64_t deadline);

/** Zeroed memory of `size` bytes (> 0) aligned to `align` (a power of two), or NULL. This is the
 * only allocator of core; it is never called on the per-I/O path. */
void *exec_alloc(struct exec *e, size_t size, size_t align);

/** Frees what exec_alloc gave; `size` must be the size asked for. NULL is ignored. */
void exec_free(struct exec *e, void *p, size_t size);

/* Sequentially consistent. add returns the value before; swap_if stores `wanted` if the value is
 * *expected, else puts the value it found into *expected and returns false. */
uint64_t exec_atomic_load(struct exec *e, struct exec_atomic *a);
void exec_atomic_store(struct exec *e, struct exec_atomic *a, uint64_t value);
uint64_t exec_atomic_add(struct exec *e, struct exec_atomic *a, uint64_t value);
bool exec_atomic_swap_if(struct exec *e, struct exec_atomic *a, uint64_t *expected,
                         uint64_t wanted);

/** 64 bits that other parties cannot guess (from the seed under sim/sched). */
uint64_t exec_entropy(struct exec *e);

#endif
