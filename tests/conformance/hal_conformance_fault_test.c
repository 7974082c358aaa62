/* SPDX-License-Identifier: Apache-2.0 */
/* The HAL suite through the fault filters without a plan, over the simulator: nothing changes. */
#include <criterion/criterion.h>

#include "backends/fault/fault_backend.h"
#include "backends/fault/fault_exec.h"
#include "tests/conformance/hal_conformance.h"
#include "tests/conformance/hal_conformance_sim.h"

TestSuite(hal_conformance_fault, .timeout = 50);

struct run {
    hal_conformance_case *body;
    struct hal_conformance *env;
};

static void run_case(void *arg)
{
    struct run *r = arg;

    r->body(r->env);
}

static void through_filters(hal_conformance_case *body, uint64_t seed)
{
    static struct fault_filter filter;
    struct sim_host_config config = {.seed = seed, .trace = true};
    struct conf_sim s;
    struct fault_exec exec;
    struct run r = {.body = body, .env = &s.env};

    conf_sim_up(&s, &config);
    fault_filter_init(&filter, s.env.exec);
    fault_exec_init(&exec, &filter);
    cr_assert_eq(fault_backend_open(s.env.dev, &filter, &s.env.dev), 0);
    s.env.exec = &exec.base;
    conf_sim_run(&s, run_case, &r);
    hal_close(s.env.dev);
    conf_sim_down(&s);
}

static void with_seeds(hal_conformance_case *body)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        through_filters(body, seed);
}

#define CASE(name, needs)                                                                          \
    Test(hal_conformance_fault, name) { with_seeds(hal_conformance_##name); }
HAL_CONFORMANCE_CASES(CASE)
