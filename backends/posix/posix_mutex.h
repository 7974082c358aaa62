/* SPDX-License-Identifier: Apache-2.0 */
/* Mutexes of backends/posix: pthread mutexes, and a way to ask for one behind those that wait.
 *
 * A pthread mutex goes to whoever asks first once it is free. A thread that gives one back and asks
 * again at once, as a resize does between its pieces, is always first, because the one that waits
 * must wake up before it can ask: it may be passed hundreds of times. So who waits stands at a
 * second mutex, the turn, and whoever asks from behind passes that first.
 *
 * Others may pass, or each would have to wait until the one that is next has a processor.
 *
 * A free mutex costs what a pthread mutex costs. */
#ifndef BACKENDS_POSIX_POSIX_MUTEX_H
#define BACKENDS_POSIX_POSIX_MUTEX_H

#include <pthread.h>
#include <stdbool.h>

/** All but posix_mutex.c treat it as opaque. */
struct posix_mutex {
    pthread_mutex_t mutex;
    pthread_mutex_t turn; /* of threads that wait; held by the one that is next */
    bool wanted;          /* somebody is next; atomic, written by that thread */
};

/** Prepares a mutex that nobody holds. */
void posix_mutex_init(struct posix_mutex *m);

/** Ends a mutex that nobody holds or waits for. */
void posix_mutex_fini(struct posix_mutex *m);

/** Locks; not recursive. */
void posix_mutex_lock(struct posix_mutex *m);

/** The same, but not before a thread that is next. */
void posix_mutex_lock_behind(struct posix_mutex *m);

/** Unlocks; the caller must hold it. */
void posix_mutex_unlock(struct posix_mutex *m);

/** Whether a thread is next: it waits in posix_mutex_lock(). Any thread. */
bool posix_mutex_is_wanted(const struct posix_mutex *m);

#endif
