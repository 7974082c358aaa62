/* SPDX-License-Identifier: Apache-2.0 */
/* Platform events and failing steps while an adapter is opened (AD-15, AD-18, AD-145; FK-37,
 * FK-39): it is opened, perhaps after a recovery, or refused with a sentence; then it can be opened
 * later.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "hal/exec.h"
#include "sim/sched/sched.h"
#include "sim/sim_media.h"
#include "tests/scenario/survivor.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/strict_check.h"

TestSuite(eeh_probe, .timeout = 300);

enum { CHUNKS = 8 };

struct probe {
    struct stack s;
    const char *plan; /* NULL: none */
    enum sim_effect effect;
    uint64_t at; /* cycles after the start; UINT64_MAX: before it */
    /* results */
    int rc;
    uint64_t accesses; /* that it took */
    bool permanent;
};

static uint64_t cycle(struct probe *p) { return sim_host_machine(p->s.host)->engine.now; }

static int open_adapter(struct probe *p, char *why, size_t size)
{
    return spipe_open(p->s.exec, sim_host_device(p->s.host, 0), NULL, NULL, &p->s.adapter, why,
                      size);
}

static void expect_works(struct probe *p)
{
    survivor_expect_nothing_left(&p->s, CHUNKS);
    cr_assert_eq(stack_state(&p->s), SPIPE_STATE_NORMAL);
    spipe_close(p->s.adapter);
}

static void prepare(struct probe *p)
{
    struct sim_afu *afu = sim_host_afu(p->s.host, 0);
    char why[128];

    if (p->plan)
        cr_assert_eq(sim_faults_load(sim_afu_faults(afu), p->plan, why, sizeof why), 0, "%s", why);
    if (p->effect && p->at == UINT64_MAX)
        sim_afu_platform(afu, p->effect, 0);
    else if (p->effect)
        sim_afu_platform_at(afu, p->effect, 0, cycle(p) + 1 + p->at);
}

/* Opens it; if that fails, once more, with nothing in the way. */
static void body(void *arg)
{
    struct probe *p = arg;
    char why[256] = "";

    prepare(p);
    p->rc = open_adapter(p, why, sizeof why);
    p->accesses = sim_fault_hits(sim_afu_faults(sim_host_afu(p->s.host, 0)), SIM_SITE_PERR);
    if (!p->rc) {
        expect_works(p);
        return;
    }
    cr_assert_neq(why[0], 0);
    cr_assert_eq(sim_host_device(p->s.host, 0)->open_contexts, 0);
    cr_assert_eq(sim_faults_load(sim_afu_faults(sim_host_afu(p->s.host, 0)), "", NULL, 0), 0);
    stack_sleep_s(&p->s, 1);
    p->permanent = open_adapter(p, why, sizeof why) != 0;
    if (!p->permanent)
        expect_works(p);
}

static void run(struct probe *p)
{
    struct sim_media *media = stack_media(CHUNKS);
    struct sim_params params;
    struct sim_host_config config = {.seed = 1, .params = &params, .media = {media}};
    char why[256], report[2000] = "";

    sim_params_default(&params);
    params.platform_slot_reset = 25000000;
    cr_assert_eq(sim_host_create(&config, &p->s.host, why, sizeof why), 0, "%s", why);
    p->s.exec = sim_host_exec(p->s.host);
    if (sim_host_run(p->s.host, body, p)) {
        sched_report(sim_host_sched(p->s.host), report, sizeof report);
        cr_assert_fail("%s", report);
    }
    strict_check(sim_host_afu(p->s.host, 0));
    cr_assert_eq(sim_host_destroy(p->s.host), 0);
    sim_media_close(media);
}

/* AD-15: bring-up takes most of a second, and the platform tells within a millisecond; so the event
 * waits when bring-up fails, and recovery does what bring-up did not. */
Test(eeh_probe, recovery_takes_over)
{
    struct probe p = {.effect = SIM_EFFECT_FREEZE, .at = 50000000 /* ports are brought up */};

    run(&p);
    cr_assert_eq(p.rc, 0);
    PROVES(AD_15);
    PROVES(AD_18);
    PROVES(AD_145);
}

/* Register accesses of an open that nothing happens to. */
static unsigned accesses(void)
{
    struct probe p = {.plan = "perr#1000000=freeze"};

    run(&p);
    cr_assert_eq(p.rc, 0);
    cr_assert_gt(p.accesses, 1536);
    return (unsigned)p.accesses;
}

/* The next one to try: the registers of 512 contexts are all alike. */
static unsigned next(unsigned hit) { return hit < 20 || hit > 1540 ? hit + 2 : hit + 60; }

/* Bring-up that fails because of it gives the platform a second to tell; so the end is always an
 * adapter that works. */
Test(eeh_probe, frozen_at_any_access)
{
    unsigned all = accesses();
    char plan[40];

    for (unsigned hit = 1; hit <= all; hit = next(hit)) {
        struct probe p = {.plan = plan};

        snprintf(plan, sizeof plan, "perr#%u=freeze", hit);
        run(&p);
        cr_assert_eq(p.rc, 0, "%s: %d", plan, p.rc);
    }
    PROVES(AD_145);
}

/* The recovery meets another freeze, at any access of either: opened in the end, or refused; then
 * it can be opened later, unless it was given up (AD-143). */
Test(eeh_probe, frozen_twice)
{
    unsigned opened = 0, refused = 0, all = accesses();
    char plan[80];

    for (unsigned hit = 1; hit <= all; hit = next(hit)) {
        struct probe p = {.plan = plan};

        snprintf(plan, sizeof plan, "perr#%u=freeze+perr#%u=freeze", all / 2, all / 2 + hit);
        run(&p);
        opened += p.rc == 0;
        refused += p.rc != 0;
        cr_assert(p.rc == 0 || p.rc == -EIO, "%s: %d", plan, p.rc);
    }
    cr_assert(opened && refused, "%u opened, %u refused", opened, refused);
}

/* A slot that is frozen, or was, before anybody opens the adapter. */
Test(eeh_probe, frozen_before)
{
    struct probe p = {.effect = SIM_EFFECT_FREEZE, .at = UINT64_MAX};

    run(&p);
    cr_assert_not(p.permanent);
}

Test(eeh_probe, removed_at_any_access)
{
    unsigned all = accesses();
    char plan[40];

    for (unsigned hit = 1; hit <= all; hit = next(hit)) {
        struct probe p = {.plan = plan};

        snprintf(plan, sizeof plan, "perr#%u=remove", hit);
        run(&p);
        cr_assert_neq(p.rc, 0, "%s", plan);
        cr_assert(p.permanent);
    }
}

/* FK-39, D-9: every call that can fail does; nothing is left open, and the next try succeeds. */
Test(eeh_probe, failing_steps)
{
    static const char *const plans[] = {"afurst#1=x", "ctx#1=f",   "vpd#1=f",   "vpd#1=s",
                                        "mr#2=ones",  "mr#3=ones", "afurst#1=n"};

    for (unsigned i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        struct probe p = {.plan = plans[i]};

        run(&p);
        cr_assert_not(p.permanent, "%s", plans[i]);
    }
    PROVES(D_9);
    PROVES(AD_181);
}
