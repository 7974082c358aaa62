/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/posix/posix_mutex.h"

#include <time.h>

#include "hal/support/check.h"

/* Tries before a thread lets go of its processor, some 10 microseconds together: locks are held for
 * less than it takes to be woken up. What takes longer is mostly a holder without a processor,
 * which may be waiting for the very one on which this thread tries. sched_yield() would not hand it
 * over for half a millisecond; a short sleep does, at once. After about a millisecond of these the
 * thread sleeps until it is woken. */
enum { TRIES = 200, PAUSE = 32, NAPS = 20, NAP_NS = 2000 };

static void init(pthread_mutex_t *m)
{
    pthread_mutexattr_t attr;

    CHECK(pthread_mutexattr_init(&attr) == 0);
    /* Then locking twice and unlocking somebody else's are errors, not undefined. */
    CHECK(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK) == 0);
    CHECK(pthread_mutex_init(m, &attr) == 0);
    pthread_mutexattr_destroy(&attr);
}

void posix_mutex_init(struct posix_mutex *m)
{
    init(&m->mutex);
    init(&m->turn);
    m->wanted = false;
}

void posix_mutex_fini(struct posix_mutex *m)
{
    CHECK(pthread_mutex_destroy(&m->turn) == 0);
    CHECK(pthread_mutex_destroy(&m->mutex) == 0);
}

bool posix_mutex_is_wanted(const struct posix_mutex *m)
{
    return __atomic_load_n(&m->wanted, __ATOMIC_RELAXED);
}

static void set_wanted(struct posix_mutex *m, bool wanted)
{
    __atomic_store_n(&m->wanted, wanted, __ATOMIC_RELAXED);
}

static void pause_a_little(void)
{
    for (volatile unsigned i = 0; i < PAUSE; i++)
        continue;
}

static void nap(void)
{
    const struct timespec ns = {.tv_nsec = NAP_NS};

    (void)nanosleep(&ns, NULL); /* a signal ends it early: then it was shorter */
}

static void wait_for(pthread_mutex_t *m)
{
    for (unsigned i = 0; i < TRIES; i++) {
        if (pthread_mutex_trylock(m) == 0)
            return;
        pause_a_little();
    }
    for (unsigned i = 0; i < NAPS; i++) {
        if (pthread_mutex_trylock(m) == 0)
            return;
        nap();
    }
    CHECK(pthread_mutex_lock(m) == 0);
}

static void wait_in_turn(struct posix_mutex *m)
{
    wait_for(&m->turn);
    set_wanted(m, true);
    wait_for(&m->mutex);
    set_wanted(m, false);
    CHECK(pthread_mutex_unlock(&m->turn) == 0);
}

void posix_mutex_lock(struct posix_mutex *m)
{
    if (pthread_mutex_trylock(&m->mutex) != 0)
        wait_in_turn(m);
}

/* It does not take the turn along, or others would wait behind it. */
void posix_mutex_lock_behind(struct posix_mutex *m)
{
    if (posix_mutex_is_wanted(m)) {
        wait_for(&m->turn);
        CHECK(pthread_mutex_unlock(&m->turn) == 0);
    }
    wait_for(&m->mutex);
}

void posix_mutex_unlock(struct posix_mutex *m) { CHECK(pthread_mutex_unlock(&m->mutex) == 0); }
