/* SPDX-License-Identifier: Apache-2.0 */
/* Which hardware queue a command takes, in each mode and with each number of queues. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/adapter/adapter.h"
#include "tests/testlib/proves.h"

TestSuite(hwq_steer);

static struct spipe s;

static unsigned steer(unsigned queue, unsigned cpu)
{
    return (unsigned)(spipe__hwqs_steer(&s, queue, cpu) - s.hwq);
}

Test(hwq_steer, round_robin_is_the_default)
{
    cr_expect_eq(spipe_hwq_mode_get(&s), SPIPE_HWQ_ROUND_ROBIN);
    for (s.hwqs = 2; s.hwqs <= SPIPE__HWQS_MAX; s.hwqs++) {
        s.hwq_turn = 0;
        for (unsigned i = 0; i < 20; i++)
            cr_assert_eq(steer(5, 3), i % s.hwqs, "%u queues, command %u", s.hwqs, i);
    }
    PROVES(AD_61);
}

Test(hwq_steer, one_queue_takes_everything)
{
    s.hwqs = 1;
    for (enum spipe_hwq_mode mode = 0; mode < SPIPE_HWQ_MODES; mode++) {
        cr_assert_eq(spipe_hwq_mode_set(&s, mode), 0);
        for (unsigned i = 0; i < 9; i++)
            cr_assert_eq(steer(i, 8 - i), 0);
    }
    cr_expect_eq(s.hwq_turn, 0);
    PROVES(AD_61);
}

/* AD-62: at once. */
Test(hwq_steer, modes)
{
    s.hwqs = 3;
    cr_assert_eq(spipe_hwq_mode_set(&s, SPIPE_HWQ_TAG), 0);
    cr_expect_eq(spipe_hwq_mode_get(&s), SPIPE_HWQ_TAG);
    for (unsigned i = 0; i < 9; i++)
        cr_assert_eq(steer(i, 7), i % 3);
    cr_assert_eq(spipe_hwq_mode_set(&s, SPIPE_HWQ_CPU), 0);
    for (unsigned i = 0; i < 9; i++)
        cr_assert_eq(steer(7, i), i % 3);
    cr_expect_eq(spipe_hwq_mode_set(&s, SPIPE_HWQ_MODES), -EINVAL);
    cr_expect_eq(spipe_hwq_mode_get(&s), SPIPE_HWQ_CPU);
    PROVES(AD_61);
    PROVES(AD_62);
}
