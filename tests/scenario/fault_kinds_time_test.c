/* SPDX-License-Identifier: Apache-2.0 */
/* FK-47: timers that are late, early, or stand still for long; and FK-34: a heartbeat that says
 * anything. Nobody fails because of it. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/scenario/fault_kinds.h"

TestSuite(fault_kinds_time, .timeout = 120);

static const struct fault_case timers[] = {
    {.name = "FK-47: timers are late by a millisecond",
     .plan = "clk%3=l",
     .interrupts = true,
     .resizes = true},
    {.name = "FK-47: all timers are late by 10 us", .plan = "clk#1*=l(2500)", .resizes = true},
    {.name = "FK-47: timers are early by 10 us",
     .plan = "clk%3=e(2500)",
     .interrupts = true,
     .resizes = true},
    {.name = "FK-47: a timer stands still for twenty seconds",
     .plan = "clk#3=l(5000000000)",
     .interrupts = true,
     .resizes = true},
    {.name = "FK-47: all of that while a sync is lost",
     .plan = "clk%2=l+clk%3=e(2500)+afucmd#1=d",
     .resizes = true},
    {.name = "FK-47: register accesses are late by a millisecond",
     .plan = "mr%5=l+mw%50=l",
     .resizes = true},
};

static void reset(struct stack *s) { cr_assert_eq(spipe_reset(s->adapter), 0); }

static const struct fault_case heartbeats[] = {
    {.name = "FK-34: a heartbeat that stands still",
     .plan = "hb#1=v(0)",
     .errors = {-EIO, -EINVAL},
     .resets = 1,
     .meanwhile = reset},
    {.name = "FK-34: a heartbeat that jumps",
     .plan = "hb#1=v(0xFFFFFFFFFFFF)",
     .errors = {-EIO, -EINVAL},
     .resets = 1,
     .meanwhile = reset},
};

Test(fault_kinds_time, timers_go_wrong) { FAULT_CASES_RUN(timers); }

Test(fault_kinds_time, heartbeats_go_wrong) { FAULT_CASES_RUN(heartbeats); }
