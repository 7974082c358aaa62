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
    hal_conformance_case *body;
    struct hal_conformance *env;
    struct capi_config config;
};

static void run_case(void *arg)
{
    struct run *r = arg;
    char why[256] = "";

    cr_assert_eq(capi_backend_open(&r->config, &r->env->dev, why, sizeof why), 0, "%s", why);
    r->body(r->env);
    hal_close(r->env->dev);
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

void conf_capi_case(hal_conformance_case *body, unsigned needs,
                    const struct sim_host_config *config, bool direct)
{
    const struct cxl_standin *standin = standin_itself();
    struct conf_sim s;
    struct cxl_standin_world world;
    struct run r = {.body = body, .env = &s.env};
    const char *missing;

    conf_sim_up(&s, config);
    missing = hal_conformance_missing(&s.env, needs);
    if (missing)
        cr_skip("%s", missing);
    sim_standin_world(s.host, &world);
    cr_assert_eq(standin->bind(&world), 0);
    r.config = (struct capi_config){
        .size = sizeof r.config,
        .exec = s.env.exec,
        .library = library_of(direct, standin),
        .standin = standin,
    };
    conf_sim_run(&s, run_case, &r);
    standin->unbind();
    capi_library_close(r.config.library);
    conf_sim_down(&s);
}
