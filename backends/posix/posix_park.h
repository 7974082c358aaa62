/* SPDX-License-Identifier: Apache-2.0 */
/* The parking place of a thread: the only place where a thread of backends/posix sleeps. */
#ifndef BACKENDS_POSIX_POSIX_PARK_H
#define BACKENDS_POSIX_POSIX_PARK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/** `lock` guards the fields below it. All but posix_park.c treat it as opaque. */
struct posix_park {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* on CLOCK_MONOTONIC */
    int event_fd;        /* wakes a thread that sleeps in poll(2); -1 = it cannot be interrupted */
    bool interrupt_pending;
    bool polling;   /* the thread is, or will be, in poll(2) */
    bool signalled; /* by posix_park_signal, since posix_park_begin */
};

/** Prepares a parking place. with_descriptor: so that posix_park_poll can be interrupted.
 * Returns 0 or -EAGAIN (no descriptor left). */
int posix_park_init(struct posix_park *p, bool with_descriptor);
void posix_park_fini(struct posix_park *p);

/** Forgets earlier signals. To be called before others learn that this thread will wait. */
void posix_park_begin(struct posix_park *p);

/** Sleeps until posix_park_signal (returns 0), the deadline (-ETIMEDOUT; ns of CLOCK_MONOTONIC,
 * UINT64_MAX = none), or, only if interruptible, an interrupt (-EINTR; it is then used up). */
int posix_park_wait(struct posix_park *p, uint64_t deadline, bool interruptible);

/** Ends the wait of p's thread. Any thread. */
void posix_park_signal(struct posix_park *p);

/** Interrupts the current or the next interruptible wait of p's thread. Any thread. */
void posix_park_interrupt(struct posix_park *p);

/** Forgets one that has come, for p's thread itself. */
void posix_park_forget_interrupt(struct posix_park *p);

/** Sleeps until fd is readable (0) or invalid (-EBADF), or as posix_park_wait. */
int posix_park_poll(struct posix_park *p, int fd, uint64_t deadline);

/** CLOCK_MONOTONIC in ns. */
uint64_t posix_now(void);

#endif
