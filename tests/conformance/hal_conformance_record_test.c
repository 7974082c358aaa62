/* SPDX-License-Identifier: Apache-2.0 */
/* The HAL suite through the stopwatch, over the simulator: nothing changes. */
#include <criterion/criterion.h>

#include "backends/record/record_backend.h"
#include "tests/conformance/hal_conformance.h"
#include "tests/conformance/hal_conformance_sim.h"

TestSuite(hal_conformance_record, .timeout = 50);

struct run {
    hal_conformance_case *body;
    struct hal_conformance *env;
};

static void run_case(void *arg)
{
    struct run *r = arg;

    r->body(r->env);
}

static uint64_t now(void *host) { return sim_host_now(host); }

static void drop(void *arg, const struct record_sample *sample)
{
    (void)sample;
    ++*(unsigned *)arg;
}

static void through_record(hal_conformance_case *body, uint64_t seed)
{
    struct sim_host_config config = {.seed = seed, .trace = true};
    struct record_config record = {.now = now, .sample = drop};
    struct conf_sim s;
    struct run r = {.body = body, .env = &s.env};
    unsigned samples = 0;

    conf_sim_up(&s, &config);
    record.exec = s.env.exec;
    record.now_arg = s.host;
    record.sample_arg = &samples;
    cr_assert_eq(record_backend_open(s.env.dev, &record, &s.env.dev), 0);
    conf_sim_run(&s, run_case, &r);
    hal_close(s.env.dev);
    conf_sim_down(&s);
}

static void with_seeds(hal_conformance_case *body)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        through_record(body, seed);
}

#define CASE(name, needs)                                                                          \
    Test(hal_conformance_record, name) { with_seeds(hal_conformance_##name); }
HAL_CONFORMANCE_CASES(CASE)
