/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/hal_conformance_sim.h"

#include <criterion/criterion.h>

#include "hal/afu_tables.h"

#define SECOND UINT64_C(1000000000)

/* LUN 1 is for the suite. LUN 0 is where an entry leads whose LUN id is not yet there. */
static struct sim_media *make_media(void)
{
    struct sim_media_lun luns[2] = {
        {.blocks = 1024, .block_size = 4096, .port_mask = 3},
        {.blocks = 1024, .block_size = 4096, .port_mask = 3},
    };
    struct sim_media_opts opts = {.luns = luns, .n_luns = 2};
    struct sim_media *media;
    char why[SIM_MEDIA_WHY_BYTES];

    for (unsigned i = 0; i < 2; i++)
        sim_media_make_wwid(1, i, luns[i].wwid);
    cr_assert_eq(sim_media_create(&opts, &media, why, sizeof why), 0, "%s", why);
    return media;
}

struct run {
    hal_conformance_case *body;
    struct hal_conformance env;
};

static void run_case(void *arg)
{
    struct run *r = arg;

    r->body(&r->env);
}

static struct hal_conformance environment(struct sim_host *host)
{
    return (struct hal_conformance){
        .dev = sim_host_device(host, 0),
        .exec = sim_host_exec(host),
        .offers = HAL_OFFER_EXCLUSIVE | HAL_OFFER_LIMITS | HAL_OFFER_COMMANDS | HAL_OFFER_LUN,
        .limit = {.contexts = 512, .irqs_min = 3, .irqs_max = 2037, .irqs_budget = 2037},
        .lun = {.id = afu_lun_id(1), .block_size = 4096, .blocks = 1024, .ports = 3},
        .patience = 20 * SECOND,
    };
}

void hal_conformance_over_sim(hal_conformance_case *body, unsigned needs,
                              struct sim_host_config *config)
{
    struct run r = {.body = body};
    struct sim_host *host;
    const char *missing;
    char why[256];

    config->media[0] = make_media();
    cr_assert_eq(sim_host_create(config, &host, why, sizeof why), 0, "%s", why);
    r.env = environment(host);
    missing = hal_conformance_missing(&r.env, needs);
    if (missing)
        cr_skip("%s", missing);
    cr_assert_eq(sim_host_run(host, run_case, &r), 0, "seed %llu",
                 (unsigned long long)config->seed);
    sim_host_destroy(host);
    sim_media_close(config->media[0]);
}
