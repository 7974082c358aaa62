/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/hal_conformance_capi.h"

#include <criterion/criterion.h>

struct run {
    struct conf_sim *sim;
    struct standin_rig rig;
    void (*body)(void *);
    void *arg;
};

static void with_device(void *arg)
{
    struct run *r = arg;
    struct hal_conformance *env = &r->sim->env;
    struct hal_dev *below = env->dev;

    env->dev = standin_rig_open(&r->rig, 0);
    r->body(r->arg);
    hal_close(env->dev);
    env->dev = below;
}

void conf_capi_run(struct conf_sim *sim, enum standin_way way, void (*body)(void *), void *arg)
{
    struct run r = {.sim = sim, .body = body, .arg = arg};

    if (way == STANDIN_NOT) {
        conf_sim_run(sim, body, arg);
        return;
    }
    standin_rig_up(&r.rig, sim->host, way);
    conf_sim_run(sim, with_device, &r);
    standin_rig_down(&r.rig);
}

struct one_case {
    hal_conformance_case *body;
    struct hal_conformance *env;
};

static void run_case(void *arg)
{
    struct one_case *c = arg;

    c->body(c->env);
}

void conf_capi_case(hal_conformance_case *body, unsigned needs,
                    const struct sim_host_config *config, enum standin_way way)
{
    struct conf_sim s;
    struct one_case c = {body, &s.env};
    const char *missing;

    conf_sim_up(&s, config);
    missing = hal_conformance_missing(&s.env, needs);
    if (missing)
        cr_skip("%s", missing);
    conf_capi_run(&s, way, run_case, &c);
    conf_sim_down(&s);
}
