/* SPDX-License-Identifier: Apache-2.0 */
/* The gate as one thread sees it; threads that wait are in //tests/scenario:reset_test. */
#include "core/adapter/gate.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "core/adapter/lock_rank.h"
#include "tests/testlib/fake_exec.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

static struct fake_exec exec;
static struct spipe__gate gate;

static void set_up(void)
{
    fake_exec_init(&exec, 1);
    spipe__gate_init(&gate, &exec.exec);
}

static void tear_down(void) { spipe__gate_fini(&gate); }

TestSuite(gate, .init = set_up, .fini = tear_down);

static int visit(enum spipe__admission admission)
{
    int rc = spipe__gate_enter(&gate, admission);

    if (!rc)
        spipe__gate_leave(&gate);
    return rc;
}

Test(gate, begins_with_the_probe_and_open)
{
    cr_assert_eq(spipe__gate_state(&gate), SPIPE_STATE_PROBING);
    cr_assert_eq(visit(SPIPE__ADMIT_ALWAYS), 0);
    PROVES(AD_12);
}

Test(gate, lets_in_what_the_state_allows)
{
    gate_force(&gate, SPIPE_STATE_NORMAL);
    cr_assert_eq(visit(SPIPE__ADMIT_NORMAL), 0);
    cr_assert_eq(visit(SPIPE__ADMIT_CLEANUP), 0);
    cr_assert_eq(visit(SPIPE__ADMIT_ALWAYS), 0);
    gate_force(&gate, SPIPE_STATE_FAILED);
    cr_assert_eq(visit(SPIPE__ADMIT_NORMAL), -ENODEV);
    cr_assert_eq(visit(SPIPE__ADMIT_CLEANUP), 0);
    cr_assert_eq(visit(SPIPE__ADMIT_ALWAYS), 0);
    cr_assert_eq(gate.inside, 0, "who is refused is not inside");
    PROVES(SP_13);
}

/* After a refusal of pass() the caller is still inside. */
Test(gate, passes_from_inside)
{
    cr_assert_eq(spipe__gate_enter(&gate, SPIPE__ADMIT_ALWAYS), 0);
    gate_force(&gate, SPIPE_STATE_NORMAL);
    cr_assert_eq(spipe__gate_pass(&gate, SPIPE__ADMIT_NORMAL), 0);
    gate_force(&gate, SPIPE_STATE_FAILED);
    cr_assert_eq(spipe__gate_pass(&gate, SPIPE__ADMIT_NORMAL), -ENODEV);
    cr_assert_eq(spipe__gate_pass(&gate, SPIPE__ADMIT_CLEANUP), 0);
    cr_assert_eq(gate.inside, 1);
    spipe__gate_leave(&gate);
}

Test(gate, closes_when_nobody_is_inside)
{
    spipe__gate_close(&gate);
    cr_assert(gate.closed);
    spipe__gate_open(&gate);
    cr_assert_eq(visit(SPIPE__ADMIT_ALWAYS), 0);
    PROVES(AD_131);
}

/* ---- who has the hardware ---- */

/* AD-18: a probe that nobody waits for ends in NORMAL. */
Test(gate, probe_ends_normal)
{
    cr_assert_not(spipe__gate_begin(&gate, SPIPE_ON_HOST_RESET));
    cr_assert_not(spipe__gate_begin(&gate, SPIPE_ON_REMOVE), "the probe has the hardware");
    cr_assert(spipe__gate_end_probe(&gate, true));
    cr_assert_eq(spipe__gate_settle(&gate), SPIPE_STATE_NORMAL);
    cr_assert_eq(spipe__gate_await(&gate), SPIPE_STATE_NORMAL);
}

/* AD-10: one that fails leads to the remove path. */
Test(gate, probe_fails)
{
    cr_assert_not(spipe__gate_end_probe(&gate, false));
    cr_assert_eq(spipe__gate_settle(&gate), SPIPE_STATE_PROBED);
    cr_assert_not(spipe__gate_begin(&gate, SPIPE_ON_HOST_RESET));
    cr_assert(spipe__gate_begin(&gate, SPIPE_ON_REMOVE));
    spipe__gate_end_failed(&gate);
    cr_assert_eq(spipe__gate_settle(&gate), SPIPE_STATE_FAILED);
    PROVES(AD_10);
}

/* AD-15, AD-18: a platform event that waits takes over, whether the probe succeeded or not. */
Test(gate, probe_ends_while_a_platform_event_waits)
{
    for (unsigned good = 0; good < 2; good++) {
        gate_force(&gate, SPIPE_STATE_PROBING);
        gate.frozen = true;
        cr_assert(spipe__gate_end_probe(&gate, good));
        cr_assert_eq(spipe__gate_state(&gate), SPIPE_STATE_PROBED);
        cr_assert(spipe__gate_begin_frozen(&gate));
        cr_assert_not(gate.frozen);
        cr_assert_eq(spipe__gate_state(&gate), SPIPE_STATE_RESET);
        cr_assert_eq(spipe__gate_end(&gate, SPIPE_ON_RESUME), SPIPE_STATE_NORMAL);
    }
    PROVES(AD_15);
    PROVES(AD_18);
}

Test(gate, one_has_the_hardware)
{
    gate_force(&gate, SPIPE_STATE_NORMAL);
    cr_assert(spipe__gate_begin(&gate, SPIPE_ON_HOST_RESET));
    cr_assert_eq(spipe__gate_state(&gate), SPIPE_STATE_RESET);
    cr_assert_not(spipe__gate_begin(&gate, SPIPE_ON_HOST_RESET));
    cr_assert_not(spipe__gate_begin(&gate, SPIPE_ON_ASYNC_RESET));
    cr_assert_not(spipe__gate_begin(&gate, SPIPE_ON_REMOVE));
    cr_assert_eq(spipe__gate_end(&gate, SPIPE_ON_RESET_DONE), SPIPE_STATE_NORMAL);
    cr_assert(spipe__gate_begin(&gate, SPIPE_ON_ASYNC_RESET));
    cr_assert_eq(spipe__gate_end(&gate, SPIPE_ON_RESET_FAILED), SPIPE_STATE_FAILED);
}

/* AD-141: the state changes at once; what whoever has the hardware does then is not NORMAL. */
Test(gate, permanent_failure_during_a_reset)
{
    gate_force(&gate, SPIPE_STATE_NORMAL);
    cr_assert(spipe__gate_begin(&gate, SPIPE_ON_HOST_RESET));
    spipe__gate_fail(&gate, SPIPE_ON_PERMANENT_FAILURE, true);
    cr_assert_eq(spipe__gate_state(&gate), SPIPE_STATE_FAILED);
    cr_assert_eq(spipe__gate_end(&gate, SPIPE_ON_RESET_DONE), SPIPE_STATE_FAILED);
    PROVES(AD_141);
}

/* A failed adapter stays so (AD section 14). */
Test(gate, failure_is_final)
{
    gate_force(&gate, SPIPE_STATE_FAILED);
    cr_assert_not(spipe__gate_begin_frozen(&gate));
    cr_assert_not(spipe__gate_begin(&gate, SPIPE_ON_HOST_RESET));
    cr_assert_not(spipe__gate_begin(&gate, SPIPE_ON_REMOVE));
    spipe__gate_fail(&gate, SPIPE_ON_PERMANENT_FAILURE, false);
    spipe__gate_end_failed(&gate);
    cr_assert_eq(spipe__gate_state(&gate), SPIPE_STATE_FAILED);
}

/* No change that is not a row (CO-4). */
Test(gate, resume_of_a_working_adapter, .signal = SIGABRT, .fini = NULL)
{
    gate_force(&gate, SPIPE_STATE_NORMAL);
    spipe__gate_end(&gate, SPIPE_ON_RESUME);
}

Test(gate, silence_of_a_working_adapter, .signal = SIGABRT, .fini = NULL)
{
    gate_force(&gate, SPIPE_STATE_NORMAL);
    spipe__gate_fail(&gate, SPIPE_ON_SILENCE, false);
}

Test(gate, hardware_that_nobody_has, .signal = SIGABRT, .fini = NULL)
{
    gate_force(&gate, SPIPE_STATE_FAILED);
    spipe__gate_end_failed(&gate);
}

Test(gate, nobody_leaves_who_is_not_inside, .signal = SIGABRT, .fini = NULL)
{
    spipe__gate_leave(&gate);
}

Test(gate, nobody_opens_what_is_open, .signal = SIGABRT, .fini = NULL) { spipe__gate_open(&gate); }

/* The lock order begins with the gate. */
Test(gate, who_holds_a_lock_does_not_enter, .signal = SIGABRT, .fini = NULL)
{
    struct exec_mutex books;

    exec_mutex_init_ranked(&exec.exec, &books, "books", SPIPE__RANK_BOOKS);
    exec_mutex_lock(&exec.exec, &books);
    (void)visit(SPIPE__ADMIT_ALWAYS);
}
