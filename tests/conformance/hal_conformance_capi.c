/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/hal_conformance_capi.h"

#include <criterion/criterion.h>

#include "backends/capi/capi_backend.h"
#include "backends/capi/capi_library.h"
#include "backends/sim/sim_standin.h"
#include "hal/cxl_standin.h"
#include "sim/libcxl/libcxl_lookup.h"
#include "tests/conformance/hal_conformance_sim.h"

struct run {
    struct conf_sim *sim;
    struct capi_config config;
    void (*body)(void *);
    void *arg;
};

static void with_device(void *arg)
{
    struct run *r = arg;
    struct hal_conformance *env = &r->sim->env;
    struct hal_dev *below = env->dev;
    char why[256] = "";

    cr_assert_eq(capi_backend_open(&r->config, &env->dev, why, sizeof why), 0, "%s", why);
    r->body(r->arg);
    hal_close(env->dev);
    env->dev = below;
}

static struct capi_library *library_of(bool direct, const struct cxl_standin *standin)
{
    struct capi_library *library;
    char why[256] = "";

    if (direct)
        cr_assert_eq(capi_library_direct(standin->kernel, &library), 0);
    else
        cr_assert_eq(capi_library_resolve(cxl_standin_lookup, NULL, &library, why, sizeof why), 0,
                     "%s", why);
    return library;
}

static const struct cxl_standin *standin_itself(void)
{
    struct capi_library *library = library_of(false, NULL);
    const struct cxl_standin *standin = capi_library_standin(library);

    capi_library_close(library);
    cr_assert_not_null(standin);
    return standin;
}

void conf_capi_run(struct conf_sim *sim, enum conf_capi_way way, void (*body)(void *), void *arg)
{
    const struct cxl_standin *standin = standin_itself();
    struct run r = {.sim = sim, .body = body, .arg = arg};
    struct cxl_standin_world world;

    if (way == CONF_CAPI_NOT) {
        conf_sim_run(sim, body, arg);
        return;
    }
    sim_standin_world(sim->host, &world);
    cr_assert_eq(standin->bind(&world), 0);
    r.config = (struct capi_config){
        .size = sizeof r.config,
        .exec = sim->env.exec,
        .library = library_of(way == CONF_CAPI_DIRECT, standin),
        .standin = standin,
    };
    conf_sim_run(sim, with_device, &r);
    standin->unbind();
    capi_library_close(r.config.library);
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
                    const struct sim_host_config *config, enum conf_capi_way way)
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
