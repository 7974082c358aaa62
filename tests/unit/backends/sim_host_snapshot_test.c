/* SPDX-License-Identifier: Apache-2.0 */
/* A whole host copied in the middle of I/O and put back: what follows is the same, record for
 * record, as often as wanted. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/posix/posix_exec.h"
#include "backends/sim/sim_host.h"
#include "sim/sched/sched.h"
#include "sim/world.h"
#include "tests/conformance/hal_conformance_sim.h"
#include "tests/unit/backends/sim_load.h"

TestSuite(sim_host_snapshot, .timeout = 50);

#define SNAPSHOTS 6

static struct conf_sim sim;
static struct sim_load load = {.sim = &sim, .rounds = 18, .pause_every = 3};

static void up(uint64_t seed)
{
    struct sim_host_config config = {.seed = seed, .trace = true};

    conf_sim_up(&sim, &config);
}

static bool same(const struct sim_load_print *a, const struct sim_load_print *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static struct sim_snapshot *snapshot(void)
{
    struct sim_snapshot *s = NULL;

    cr_assert_eq(sim_host_snapshot(sim.host, &s), 0);
    return s;
}

/* Goes on to the end, whatever pauses are on the way. */
static struct sim_load_print finish(void)
{
    int rc;

    while ((rc = sched_resume(sim_host_sched(sim.host))) == -EAGAIN)
        ;
    cr_assert_eq(rc, 0);
    return sim_load_print(&sim);
}

/* Runs to the first pause, in the middle of I/O. */
static void start(struct sim_load *l)
{
    cr_assert_eq(sim_host_run(sim.host, sim_load_main, l), -EAGAIN);
    cr_assert_neq(sim_engine_next(&sim_host_machine(sim.host)->engine), SIM_NEVER);
}

/* One snapshot, many continuations. */
static void check_seed(uint64_t seed)
{
    struct sim_load_print at, end, again;
    struct sim_snapshot *s;

    up(seed);
    start(&load);
    at = sim_load_print(&sim);
    s = snapshot();
    end = finish();
    cr_assert(!same(&at, &end));
    for (unsigned i = 0; i < 3; i++) {
        sim_host_restore(sim.host, s);
        again = sim_load_print(&sim);
        cr_assert(same(&again, &at), "seed %u: not put back", (unsigned)seed);
        again = finish();
        cr_assert(same(&again, &end), "seed %u: it goes on otherwise", (unsigned)seed);
    }
    sim_snapshot_destroy(s);
    conf_sim_down(&sim);
}

Test(sim_host_snapshot, a_run_goes_on_the_same_way)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        check_seed(seed);
}

/* Snapshots along a run, put back in any order, also the later after the earlier. */
Test(sim_host_snapshot, snapshots_can_be_mixed)
{
    static const unsigned order[] = {5, 0, 3, 3, 1, 4, 2, 0, 5};
    struct sim_snapshot *s[SNAPSHOTS];
    struct sim_load_print end, again;

    up(7);
    start(&load);
    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        s[i] = snapshot();
        if (i + 1 < SNAPSHOTS)
            cr_assert_eq(sched_resume(sim_host_sched(sim.host)), -EAGAIN);
    }
    end = finish();
    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
        sim_host_restore(sim.host, s[order[i]]);
        again = finish();
        cr_assert(same(&again, &end), "after snapshot %u", order[i]);
    }
    for (unsigned i = 0; i < SNAPSHOTS; i++)
        sim_snapshot_destroy(s[i]);
    conf_sim_down(&sim);
}

/* Pauses change nothing: the run is the one that never stopped. */
Test(sim_host_snapshot, pauses_do_not_show)
{
    struct sim_load straight = load;
    struct sim_load_print with, without;

    up(3);
    start(&load);
    sim_snapshot_destroy(snapshot());
    with = finish();
    conf_sim_down(&sim);
    straight.pause_every = 0;
    up(3);
    conf_sim_run(&sim, sim_load_main, &straight);
    without = sim_load_print(&sim);
    cr_assert(same(&with, &without));
    conf_sim_down(&sim);
}

static unsigned in_flight(void)
{
    struct sim_afu_stats stats;

    sim_afu_stats(sim_host_afu(sim.host, 0), &stats);
    return stats.in_flight;
}

/* Called by the device in the middle of an event, whenever the ring of the trace is full. It pauses
 * in the middle of I/O only. */
static void pause_device(void *arg, const struct sim_trace_record *records, size_t count)
{
    struct sched *sched = arg;

    (void)records;
    (void)count;
    if (sched_self(sched) && in_flight())
        sched_pause(sched);
}

Test(sim_host_snapshot, the_device_can_be_stopped_within_an_event)
{
    struct sim_load steady = {.sim = &sim, .rounds = 60};
    struct sim_load_print end, again;
    struct sim_trace *trace;
    struct sim_snapshot *s[3];

    up(11);
    trace = &sim_host_machine(sim.host)->trace;
    sim_trace_set_sink(trace, pause_device, sim_host_sched(sim.host));
    start(&steady);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(trace->end, trace->full, "the ring is full and not yet handed over");
        s[i] = snapshot();
        cr_assert_eq(sched_resume(sim_host_sched(sim.host)), -EAGAIN);
    }
    end = finish();
    for (unsigned i = 3; i-- > 0;) {
        sim_host_restore(sim.host, s[i]);
        again = finish();
        cr_assert(same(&again, &end), "after snapshot %u", i);
        sim_snapshot_destroy(s[i]);
    }
    sim_trace_set_sink(trace, NULL, NULL);
    conf_sim_down(&sim);
}

/* Commands that were under way when a snapshot is put back are gone, also where it has none. */
Test(sim_host_snapshot, a_run_can_be_left_in_the_middle)
{
    struct sim_load steady = {.sim = &sim, .rounds = 60};
    struct sim_load_print end, again;
    struct sim_snapshot *idle, *busy;
    struct sim_trace *trace;

    up(11);
    trace = &sim_host_machine(sim.host)->trace;
    sim_trace_set_sink(trace, pause_device, sim_host_sched(sim.host));
    idle = snapshot();
    start(&steady);
    cr_assert_gt(in_flight(), 0);
    busy = snapshot();
    end = finish();
    for (unsigned i = 0; i < 3; i++) {
        sim_host_restore(sim.host, busy);
        sim_host_restore(sim.host, idle);
        cr_assert_eq(in_flight(), 0);
        start(&steady);
        again = finish();
        cr_assert(same(&again, &end));
    }
    sim_snapshot_destroy(idle);
    sim_snapshot_destroy(busy);
    sim_trace_set_sink(trace, NULL, NULL);
    conf_sim_down(&sim);
}

/* A host that has not run, or has run to its end, can be copied too; records of the catalogue are
 * part of the copy. */
Test(sim_host_snapshot, before_and_after_a_run)
{
    struct sim_load straight = {.sim = &sim, .rounds = 4};
    struct sim_snapshot *before, *after;
    struct sim_load_print fresh, end, again;
    char byte = 1;

    up(2);
    fresh = sim_load_print(&sim);
    before = snapshot();
    conf_sim_run(&sim, sim_load_main, &straight);
    cr_assert_eq(sim_media_store_write(sim.media, 0, &byte, 1), 0);
    end = sim_load_print(&sim);
    after = snapshot();
    sim_host_restore(sim.host, before);
    again = sim_load_print(&sim);
    cr_assert(same(&again, &fresh));
    cr_assert_eq(sim_media_store_read(sim.media, 0, &byte, 1), 0);
    cr_assert_eq(byte, 0);
    conf_sim_run(&sim, sim_load_main, &straight);
    again = sim_load_print(&sim);
    cr_assert(same(&again, &end));
    sim_host_restore(sim.host, after);
    cr_assert_eq(sim_media_store_read(sim.media, 0, &byte, 1), 0);
    cr_assert_eq(byte, 1);
    sim_snapshot_destroy(before);
    sim_snapshot_destroy(after);
    conf_sim_down(&sim);
}

/* Two adapters over the same media attach them once; over different ones, each. */
Test(sim_host_snapshot, several_adapters)
{
    struct sim_media *second = conf_sim_media();

    for (unsigned i = 0; i < 2; i++) {
        struct sim_host_config config = {.seed = 1, .adapters = 3, .trace = true};
        struct sim_snapshot *s;
        char byte = 9;

        config.media[1] = i ? second : NULL;
        conf_sim_up(&sim, &config);
        cr_assert_eq(sim_media_store_write(second, 0, &byte, 1), 0);
        s = snapshot();
        byte = 8;
        cr_assert_eq(sim_media_store_write(second, 0, &byte, 1), 0);
        cr_assert_eq(sim_media_store_write(sim.media, 0, &byte, 1), 0);
        sim_host_restore(sim.host, s);
        cr_assert_eq(sim_media_store_read(second, 0, &byte, 1), 0);
        cr_assert_eq(byte, i ? 9 : 8, "media of nobody are left alone");
        cr_assert_eq(sim_media_store_read(sim.media, 0, &byte, 1), 0);
        cr_assert_eq(byte, 0);
        sim_snapshot_destroy(s);
        conf_sim_down(&sim);
    }
    sim_media_close(second);
}

/* ---- what cannot be copied ---------------------------------------------------------------------
 */

static void refused(const char *because)
{
    struct sim_snapshot *s = NULL;

    cr_assert_eq(sim_host_snapshot(sim.host, &s), -EBUSY);
    cr_assert_null(s);
    cr_assert_str_eq(sim_world_pinned(sim_host_world(sim.host)), because);
}

Test(sim_host_snapshot, threads_are_refused)
{
    struct sim_host_config config = {.seed = 1};

    cr_assert_eq(posix_exec_create(&config.threads), 0);
    conf_sim_up(&sim, &config);
    refused("threads");
    conf_sim_down(&sim);
    posix_exec_destroy(config.threads);
}

Test(sim_host_snapshot, media_in_a_file_are_refused)
{
    struct sim_media_lun lun = {.blocks = 64, .block_size = 4096, .port_mask = 1};
    struct sim_media_opts opts = {.luns = &lun, .n_luns = 1, .create_if_missing = true};
    struct sim_host_config config = {.seed = 1};
    const char *dir = getenv("TEST_TMPDIR");
    char path[512], why[SIM_MEDIA_WHY_BYTES];

    snprintf(path, sizeof path, "%s/sim_host_snapshot_test.%d", dir ? dir : "/tmp", (int)getpid());
    sim_media_make_wwid(1, 0, lun.wwid);
    cr_assert_eq(sim_media_open(path, &opts, &config.media[0], why, sizeof why), 0, "%s", why);
    conf_sim_up(&sim, &config);
    refused("media in a file");
    conf_sim_down(&sim);
    sim_media_close(config.media[0]);
    unlink(path);
}
