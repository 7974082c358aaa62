/* SPDX-License-Identifier: Apache-2.0 */
/* Building machines, determinism of the trace, parameters that may be zero (TM-23). */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/prng.h"
#include "sim/world.h"
#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

static uint64_t hash_of_a_run(const char *profile)
{
    static const uint64_t chunks[] = {1, 3};
    struct model *m = model_create(profile);
    struct model_ctx user = {0};
    uint64_t hash;

    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunks, 2, 0, AFU_PERM_RW);
    for (unsigned i = 0; i < 12; i++) {
        model_rw(m, &user, i, i % 3 == 0, 0, i * 9999, 1, m->buffer + i * 4096);
        model_doorbell(m, &user, i);
    }
    model_run_dry(m);
    hash = sim_trace_hash(&m->machine->trace);
    model_ctx_end(m, &user);
    model_destroy(m);
    return hash;
}

/* The number was computed once and is the same on every host, compiler and sanitizer: a change of
 * the model changes it, and then every recorded replay. */
Test(sim_afu, same_inputs_same_trace)
{
    uint64_t a = hash_of_a_run("flashsystem");

    cr_assert_eq(a, hash_of_a_run("flashsystem"));
    cr_assert_neq(a, hash_of_a_run("flashgt"));
}

/* So a file that is opened when a machine has been built begins with its first record. */
Test(sim_afu, the_trace_holds_how_a_machine_was_built)
{
    struct sim_media_lun lun = {.blocks = 1000, .block_size = 4096, .port_mask = 3};
    struct sim_media_opts opts = {.luns = &lun, .n_luns = 1, .kind = SIM_MEDIA_TAG};
    struct sim_media *media;
    struct sim_world *w;
    struct sim_machine *machine;
    struct sim_params p;
    struct sim_afu *a;
    char why[256] = "";

    sim_media_make_wwid(1, 0, lun.wwid);
    cr_assert_eq(sim_media_create(&opts, &media, why, sizeof why), 0, "%s", why);
    cr_assert_eq(sim_world_create((size_t)64 << 20, &w), 0);
    cr_assert_eq(sim_machine_create(w, 1, true, &machine), 0);
    sim_params_default(&p);
    p.ports = 4;
    for (unsigned i = 0; i < SIM_AFUS_MAX; i++)
        cr_assert_eq(sim_afu_create(machine, &p, media, &a, why, sizeof why), 0, "%s", why);
    cr_assert_geq(sim_trace_total(&machine->trace), SIM_AFUS_MAX);
    cr_assert_lt(sim_trace_total(&machine->trace), SIM_TRACE_RING);
    sim_machine_destroy(machine);
    sim_world_destroy(w);
    sim_media_close(media);
}

/* A read is worth ten records: what it does without the trace is neither counted nor hashed. */
Test(sim_afu, the_trace_can_begin_and_end)
{
    static const uint64_t chunks[] = {1};
    struct model *m = model_create("flashsystem");
    const struct sim_trace *t = &m->machine->trace;
    struct model_ctx user = {0};
    uint64_t total, hash;

    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunks, 1, 0, AFU_PERM_RW);
    total = sim_trace_total(t);
    hash = sim_trace_hash(t);
    sim_machine_trace(m->machine, false);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run_dry(m);
    cr_assert_eq(sim_trace_total(t), total);
    cr_assert_eq(sim_trace_hash(t), hash);
    sim_machine_trace(m->machine, true);
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 1);
    model_run_dry(m);
    cr_assert_geq(sim_trace_total(t), total + 10);
    cr_assert_neq(sim_trace_hash(t), hash);
    model_ctx_end(m, &user);
    model_destroy(m);
}

/* What nobody knows takes no time at all in the profile "zero". A time-out and the pace of a test
 * generator begin again by themselves: at 0 time would stand still. */
Test(sim_afu, all_latencies_may_be_zero)
{
    struct sim_params p;

    cr_assert_eq(sim_params_profile(&p, "zero"), 0);
    for (size_t i = 0; i < sim_param_count; i++) {
        const struct sim_param_info *r = &sim_param_table[i];

        if (r->confidence == 'D' && !strcmp(r->unit, "cycles") &&
            strcmp(r->name, "fc.login_timeout") != 0 && strcmp(r->name, "fc.echo_interval") != 0)
            cr_expect_eq(sim_params_get(&p, r), 0, "%s", r->name);
    }
    cr_assert_neq(hash_of_a_run("zero"), 0);
    PROVES(TM_23);
}

Test(sim_afu, refuses_bad_parameters)
{
    struct sim_world *w;
    struct sim_machine *machine;
    struct sim_params p;
    struct sim_afu *a;
    char why[256] = "";

    cr_assert_eq(sim_world_create((size_t)64 << 20, &w), 0);
    cr_assert_eq(sim_machine_create(w, 1, false, &machine), 0);
    sim_params_default(&p);
    p.xlt_entries = 3;
    cr_assert_eq(sim_afu_create(machine, &p, NULL, &a, why, sizeof why), -EINVAL);
    cr_assert_neq(why[0], 0);
    sim_machine_destroy(machine);
    sim_world_destroy(w);
}

Test(sim_afu, counts)
{
    static const uint64_t chunks[] = {0};
    struct model *m = model_create("flashsystem");
    struct model_ctx user = {0};
    struct sim_afu_stats stats;

    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunks, 1, 0, AFU_PERM_RW);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    model_rw(m, &user, 1, false, 0, 65536, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000));
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.doorbells, 2);
    cr_assert_eq(stats.completed, 2);
    cr_assert_eq(stats.by_status[0], 1);
    cr_assert_eq(stats.by_status[1], 1);
    /* timing.md 5: a cold 4 KiB read is 37 bus commands, a refused one 3 (fetch, IOASA, RRQ) */
    cr_assert_eq(stats.read_lines, 3 + 1);
    cr_assert_eq(stats.write_lines, 34 + 2);
    cr_assert_eq(stats.violations, 0);
    model_ctx_end(m, &user);
    model_destroy(m);
}

/* TM-23: what nobody knows may be anything, and the data still arrive. */
Test(sim_afu, unknown_durations_may_be_anything)
{
    static const uint64_t chunks[] = {1, 3};
    struct hal_prng rng;

    hal_prng_seed(&rng, test_seed(1), 0);
    for (unsigned round = 0; round < 40; round++) {
        struct model_ctx user = {0};
        struct sim_params p;
        struct model *m;

        sim_params_default(&p);
        for (size_t i = 0; i < sim_param_count; i++) {
            const struct sim_param_info *r = &sim_param_table[i];

            if (r->confidence == 'D' && !strcmp(r->unit, "cycles"))
                *(uint64_t *)(void *)((char *)&p + r->offset) =
                    r->min + hal_prng_below(&rng, 50000);
        }
        p.media_jitter = hal_prng_below(&rng, 101);
        m = model_create_bare(&p);
        model_bring_up(m);
        model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
        model_virtual(m, &user, 0, chunks, 2, 0, AFU_PERM_RW);
        memset(m->buffer, (int)round + 1, 4096);
        model_rw(m, &user, 0, true, 0, 70000, 1, m->buffer);
        cr_assert(model_issue(m, &user, 0, 10000000));
        cr_assert_eq(model_ioasc(&user, 0), 0);
        model_rw(m, &user, 1, false, 0, 70000, 1, m->buffer + 4096);
        cr_assert(model_issue(m, &user, 1, 10000000));
        cr_assert_eq(model_ioasc(&user, 1), 0);
        cr_assert_arr_eq(m->buffer, m->buffer + 4096, 4096);
        model_ctx_end(m, &user);
        model_destroy(m);
    }
    PROVES(TM_23);
}
