/* SPDX-License-Identifier: Apache-2.0 */
/* Frozen slots under clients that are threads: what ThreadSanitizer watches. */
#include <criterion/criterion.h>

#include "backends/posix/posix_exec.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "tests/scenario/survivor.h"

TestSuite(eeh_posix, .timeout = 120);

enum { CLIENTS = 3, CHUNKS = 12 };

static void quick(struct sim_params *p)
{
    p->platform_slot_reset = 250000;
    p->platform_detect = 2500;
}

/* Returns how many of them saw the end of the adapter. */
static unsigned clients(struct stack *s)
{
    static struct survivor v[CLIENTS];
    unsigned gave_up = 0;

    for (unsigned i = 0; i < CLIENTS; i++) {
        v[i] = (struct survivor){.s = s, .base = (uint8_t)(50 * i)};
        cr_assert_eq(exec_thread_create(s->exec, "client", survivor_live, &v[i], &v[i].thread), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        exec_thread_join(s->exec, v[i].thread);
        gave_up += v[i].gave_up;
    }
    return gave_up;
}

/* Register accesses are those of all threads: where the slot freezes is not the same every time. */
static void body(struct stack *s, void *arg)
{
    struct fault_plan *faults = sim_afu_faults(sim_host_afu(s->host, 0));
    unsigned gave_up;
    char why[128];

    cr_assert_eq(sim_faults_load(faults, arg, why, sizeof why), 0, "%s", why);
    gave_up = clients(s);
    cr_assert_eq(faults->rule[0].fired, 1);
    if (stack_state(s) != SPIPE_STATE_FAILED)
        cr_assert_eq(gave_up, 0);
    survivor_expect_nothing_left(s, CHUNKS);
}

static void run(const char *plan)
{
    struct sim_media *media = stack_media(CHUNKS);
    struct exec *threads;

    cr_assert_eq(posix_exec_create(&threads), 0);
    stack_run(&(struct stack_setup){.media = media, .threads = threads, .change_params = quick},
              body, (void *)(uintptr_t)plan);
    posix_exec_destroy(threads);
    sim_media_close(media);
}

Test(eeh_posix, freeze) { run("perr#60=freeze"); }

/* The second one comes when clients work again, after some 1,600 accesses of the AFU init. */
Test(eeh_posix, freeze_twice) { run("perr#40=freeze+perr#1720=freeze"); }

Test(eeh_posix, permanent_failure) { run("perr#60=perm"); }
