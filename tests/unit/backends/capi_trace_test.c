/* SPDX-License-Identifier: Apache-2.0 */
/* The same program over backends/sim, and over backends/capi with the stand-in for libcxl between:
 * decision 0014 promises the same accesses of the model at the same times. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/superpipe.h"
#include "tests/conformance/hal_conformance_capi.h"
#include "tests/conformance/hal_conformance_sim.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/recording.h"
#include "tests/testlib/stack.h"
#include "tests/unit/backends/sim_load.h"

#define SEEDS 10

TestSuite(capi_trace, .timeout = 50);

/* Whether the device of the run is the one that was meant. */
static void expect_device(const struct conf_sim *sim, enum standin_way way)
{
    cr_assert_str_eq(sim->env.dev->ops->name, way == STANDIN_NOT ? "sim" : "capi");
}

/* ---- contexts, commands and tables, in two threads ---- */

struct contended {
    struct sim_load load;
    enum standin_way way;
};

static void contend(void *arg)
{
    struct contended *c = arg;

    expect_device(c->load.sim, c->way);
    sim_load_main(&c->load);
}

static struct sim_load_print run_load(uint64_t seed, enum standin_way way)
{
    static struct conf_sim sim;
    struct sim_host_config config = {.seed = seed, .trace = true};
    struct contended c = {.load = {.sim = &sim, .rounds = 3}, .way = way};
    struct sim_load_print p;

    conf_sim_up(&sim, &config);
    conf_capi_run(&sim, way, contend, &c);
    p = sim_load_print(&sim);
    conf_sim_down(&sim);
    return p;
}

Test(capi_trace, contended_contexts)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_load_print sim = run_load(seed, STANDIN_NOT);

        cr_assert_gt(sim.records, 500, "hardly anything happens");
        for (int way = STANDIN_LIBRARY; way <= STANDIN_DIRECT; way++) {
            struct sim_load_print capi = run_load(seed, (enum standin_way)way);

            cr_assert(memcmp(&sim, &capi, sizeof sim) == 0, "seed %llu", (unsigned long long)seed);
        }
    }
    PROVES(CX_141);
}

/* ---- core: an adapter, a client that polls, a virtual LUN ---- */

struct life {
    struct conf_sim *sim;
    enum standin_way way;
};

static void use(struct stack *s)
{
    struct stack_client c;
    uint64_t last;
    uint32_t handle;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    for (uint8_t i = 1; i < 40; i++) {
        stack_put(&c, handle, i * UINT64_C(3000), i);
        cr_assert_eq(stack_get(&c, handle, i * UINT64_C(3000)), i);
    }
    cr_assert_eq(spipe_resize(c.ctx, handle, 3 * 65536, &last), 0);
    stack_put(&c, handle, 3 * 65536 - 1, 7);
    cr_assert_eq(spipe_resize(c.ctx, handle, 65536, &last), 0);
    cr_assert_eq(spipe_release(c.ctx, handle), 0);
    cr_assert_eq(spipe_detach(c.ctx, 0), 0);
    spipe_client_destroy(c.client);
}

static void live(void *arg)
{
    struct life *l = arg;
    struct hal_conformance *env = &l->sim->env;
    struct spipe_options options = {.size = sizeof options};
    struct stack s = {.host = l->sim->host, .exec = env->exec};
    char why[256] = "";

    expect_device(l->sim, l->way);
    cr_assert_eq(spipe_open(env->exec, env->dev, sim_host_store(s.host, 0), &options, &s.adapter,
                            why, sizeof why),
                 0, "%s", why);
    use(&s);
    spipe_close(s.adapter);
}

static void run_life(uint64_t seed, enum standin_way way, struct recording *out)
{
    struct sim_host_config config = {.seed = seed, .trace = true, .media = {stack_media(4)}};
    static struct conf_sim sim;
    struct life l = {&sim, way};

    conf_sim_up(&sim, &config);
    *out = (struct recording){NULL, 0, 0};
    sim_trace_set_sink(&sim_host_machine(sim.host)->trace, recording_add, out);
    conf_capi_run(&sim, way, live, &l);
    sim_trace_flush(&sim_host_machine(sim.host)->trace);
    conf_sim_down(&sim);
    sim_media_close(config.media[0]);
}

Test(capi_trace, an_adapter_of_core)
{
    static const char *const names[] = {"sim", "capi", "capi without a library"};

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct recording sim, capi;

        run_life(seed, STANDIN_NOT, &sim);
        for (int way = STANDIN_LIBRARY; way <= STANDIN_DIRECT; way++) {
            size_t at;

            run_life(seed, (enum standin_way)way, &capi);
            at = recording_difference(&sim, &capi);
            if (at != SIZE_MAX)
                recording_explain(&sim, names[0], &capi, names[way], at);
            cr_assert_eq(at, SIZE_MAX, "seed %llu", (unsigned long long)seed);
            recording_free(&capi);
        }
        recording_free(&sim);
    }
    PROVES(CX_141);
}
