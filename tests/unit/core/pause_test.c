/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses that an interruption does not shorten. */
#include "core/adapter/pause.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/testlib/fake_exec.h"

TestSuite(pause, .timeout = 10);

/* The fake environment with a sleep that is interrupted twice before it lasts. */
static struct fake_exec fake;
static struct exec_ops ops;
static int (*whole_sleep)(struct exec *, uint64_t);
static unsigned interruptions;

static int interrupted_sleep(struct exec *e, uint64_t deadline)
{
    if (interruptions == 0)
        return whole_sleep(e, deadline);
    interruptions--;
    fake.now += (deadline - fake.now) / 2;
    return -EINTR;
}

static void set_up(void)
{
    fake_exec_init(&fake, 1);
    ops = *fake.exec.ops;
    whole_sleep = ops.sleep_until;
    ops.sleep_until = interrupted_sleep;
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
    interruptions = 2;
    spipe__pause(&fake.exec, SPIPE__MILLISECOND);
    cr_expect_eq(fake.now, SPIPE__MILLISECOND);
    cr_expect_eq(interruptions, 0);
}

Test(pause, deadlines_do_not_overflow, .init = set_up)
{
    fake.now = 7;
    cr_expect_eq(spipe__deadline(&fake.exec, 3), 10);
    cr_expect_eq(spipe__deadline(&fake.exec, EXEC_FOREVER - 8), EXEC_FOREVER - 1);
    cr_expect_eq(spipe__deadline(&fake.exec, EXEC_FOREVER - 7), EXEC_FOREVER);
    cr_expect_eq(spipe__deadline(&fake.exec, EXEC_FOREVER), EXEC_FOREVER);
}
