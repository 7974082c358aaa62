/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/test_clock.h"

#include <errno.h>

#define START_NS UINT64_C(1000000000)
#define LOOK 0 /* a deadline that has passed on the real clock */

static const struct exec_ops *real;
static struct exec_ops ops;
static uint64_t now;   /* atomic */
static unsigned waits; /* without a deadline, begun; atomic */

static uint64_t clock_now(struct exec *e)
{
    (void)e;
    return __atomic_load_n(&now, __ATOMIC_SEQ_CST);
}

static void jump(uint64_t deadline)
{
    uint64_t before = __atomic_load_n(&now, __ATOMIC_SEQ_CST);

    while (before < deadline && !__atomic_compare_exchange_n(&now, &before, deadline, false,
                                                             __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
}

/* Whoever waits for a condition has its mutex: he counts before anybody can signal it. */
static uint64_t real_deadline(uint64_t deadline)
{
    if (deadline != EXEC_FOREVER)
        return LOOK;
    __atomic_add_fetch(&waits, 1, __ATOMIC_SEQ_CST);
    return EXEC_FOREVER;
}

static int clock_sleep_until(struct exec *e, uint64_t deadline)
{
    int rc = real->sleep_until(e, real_deadline(deadline));

    if (!rc)
        jump(deadline);
    return rc;
}

static int clock_cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m,
                           uint64_t deadline, bool interruptible)
{
    int rc = real->cond_wait(e, c, m, real_deadline(deadline), interruptible);

    if (rc == -ETIMEDOUT)
        jump(deadline);
    return rc;
}

static int clock_fd_wait(struct exec *e, int fd, uint64_t deadline)
{
    int rc = real->fd_wait(e, fd, real_deadline(deadline));

    if (rc == -ETIMEDOUT)
        jump(deadline);
    return rc;
}

void test_clock_install(struct exec *exec)
{
    real = exec->ops;
    ops = *real;
    ops.now = clock_now;
    ops.sleep_until = clock_sleep_until;
    ops.cond_wait = clock_cond_wait;
    ops.fd_wait = clock_fd_wait;
    now = START_NS;
    waits = 0;
    exec_init(exec, &ops);
}

void test_clock_await(struct exec *exec, unsigned wanted)
{
    while (__atomic_load_n(&waits, __ATOMIC_SEQ_CST) < wanted)
        exec_yield(exec);
}
