/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits is let in before whoever asks from behind. Real threads; no test depends on which of
 * them the system runs when, because a thread that waits can be seen to. */
#include "backends/posix/posix_mutex.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

TestSuite(posix_mutex, .timeout = 60);

enum { ROUNDS = 200, TURNS = 2000 };

static struct posix_mutex m;
static unsigned count; /* guarded by m */

static pthread_t start(void *(*body)(void *))
{
    pthread_t t;

    cr_assert_eq(pthread_create(&t, NULL, body, NULL), 0);
    return t;
}

static void *count_once(void *arg)
{
    posix_mutex_lock(&m);
    count++;
    posix_mutex_unlock(&m);
    return arg;
}

static void await_wanted(void)
{
    while (!posix_mutex_is_wanted(&m))
        sched_yield();
}

Test(posix_mutex, nobody_wants_a_free_one)
{
    posix_mutex_init(&m);
    cr_assert(!posix_mutex_is_wanted(&m));
    count_once(NULL);
    cr_assert_eq(count, 1);
    cr_assert(!posix_mutex_is_wanted(&m));
    posix_mutex_fini(&m);
}

/* What a resize does between its pieces. */
Test(posix_mutex, one_that_waits_is_not_passed)
{
    posix_mutex_init(&m);
    for (unsigned i = 0; i < ROUNDS; i++) {
        pthread_t t;

        count = 0;
        posix_mutex_lock(&m);
        t = start(count_once);
        await_wanted();
        posix_mutex_unlock(&m);
        posix_mutex_lock_behind(&m);
        cr_assert_eq(count, 1, "passed in round %u", i);
        posix_mutex_unlock(&m);
        cr_assert_eq(pthread_join(t, NULL), 0);
    }
    cr_assert(!posix_mutex_is_wanted(&m));
    posix_mutex_fini(&m);
}

/* All of them at once: the one that is next, those that wait for the turn, those that come from
 * behind. */
static void *count_often(void *arg)
{
    for (unsigned i = 0; i < TURNS; i++)
        count_once(NULL);
    return arg;
}

static void *count_from_behind(void *arg)
{
    for (unsigned i = 0; i < TURNS; i++) {
        posix_mutex_lock_behind(&m);
        count++;
        posix_mutex_unlock(&m);
    }
    return arg;
}

Test(posix_mutex, all_get_it)
{
    pthread_t t[4];

    posix_mutex_init(&m);
    posix_mutex_lock(&m);
    for (unsigned i = 0; i < 4; i++)
        t[i] = start(i % 2 ? count_often : count_from_behind);
    await_wanted();
    cr_assert_eq(count, 0);
    posix_mutex_unlock(&m);
    count_from_behind(NULL);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(pthread_join(t[i], NULL), 0);
    cr_assert_eq(count, 5 * TURNS);
    cr_assert(!posix_mutex_is_wanted(&m));
    posix_mutex_fini(&m);
}

Test(posix_mutex, locked_twice, .signal = SIGABRT)
{
    posix_mutex_init(&m);
    posix_mutex_lock(&m);
    posix_mutex_lock(&m);
}
