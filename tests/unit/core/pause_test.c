/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses that an interruption does not shorten, and that leave it to others. */
#include "core/adapter/pause.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>

#include "tests/testlib/fake_exec.h"

TestSuite(pause, .timeout = 10);

/* The fake environment with interruptions as hal/exec.h has them, and with waits that end without a
 * signal. */
static struct fake_exec fake;
static struct exec_ops ops;
static const struct exec_ops *whole;
static bool interrupted;
static unsigned early_ends;

static bool take_interruption(void)
{
    bool was = interrupted;

    interrupted = false;
    return was;
}

static int sleep_until(struct exec *e, uint64_t deadline)
{
    return take_interruption() ? -EINTR : whole->sleep_until(e, deadline);
}

static int cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m, uint64_t deadline,
                     bool interruptible)
{
    if (interruptible && take_interruption())
        return -EINTR;
    if (early_ends == 0)
        return whole->cond_wait(e, c, m, deadline, interruptible);
    early_ends--;
    fake.now += (deadline - fake.now) / 2;
    return 0;
}

static void set_up(void)
{
    fake_exec_init(&fake, 1);
    whole = fake.exec.ops;
    ops = *whole;
    ops.sleep_until = sleep_until;
    ops.cond_wait = cond_wait;
    fake.exec.ops = &ops;
}

Test(pause, lasts, .init = set_up)
{
    fake.now = 1000;
    spipe__pause(&fake.exec, 500);
    cr_expect_eq(fake.now, 1500);
    spipe__pause(&fake.exec, 0);
    cr_expect_eq(fake.now, 1500);
}

Test(pause, is_not_shortened, .init = set_up)
{
    early_ends = 2;
    spipe__pause(&fake.exec, SPIPE__MILLISECOND);
    cr_expect_eq(fake.now, SPIPE__MILLISECOND);
    cr_expect_eq(early_ends, 0);
}

/* It is still there for the first wait that may be interrupted, and only for that. */
Test(pause, keeps_an_interruption, .init = set_up)
{
    interrupted = true;
    spipe__pause(&fake.exec, SPIPE__MILLISECOND);
    cr_expect_eq(fake.now, SPIPE__MILLISECOND);
    cr_expect_eq(exec_sleep_until(&fake.exec, 0), -EINTR);
    cr_expect_eq(exec_sleep_until(&fake.exec, 0), 0);
}

Test(pause, deadlines_do_not_overflow, .init = set_up)
{
    fake.now = 7;
    cr_expect_eq(spipe__deadline(&fake.exec, 3), 10);
    cr_expect_eq(spipe__deadline(&fake.exec, EXEC_FOREVER - 8), EXEC_FOREVER - 1);
    cr_expect_eq(spipe__deadline(&fake.exec, EXEC_FOREVER - 7), EXEC_FOREVER);
    cr_expect_eq(spipe__deadline(&fake.exec, EXEC_FOREVER), EXEC_FOREVER);
}
