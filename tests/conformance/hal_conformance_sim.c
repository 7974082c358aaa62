/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/hal_conformance_sim.h"

#include <criterion/criterion.h>

#include "hal/afu_regs.h"
#include "hal/afu_tables.h"
#include "sim/sched/sched.h"
#include "tests/testlib/strict_check.h"

#define SECOND UINT64_C(1000000000)
#define BLOCKS 1024

struct sim_media *conf_sim_media(void)
{
    struct sim_media_lun luns[2] = {
        {.blocks = BLOCKS, .block_size = 4096, .port_mask = 3},
        {.blocks = BLOCKS, .block_size = 4096, .port_mask = 3},
    };
    struct sim_media_opts opts = {.luns = luns, .n_luns = 2};
    struct sim_media *media;
    char why[SIM_MEDIA_WHY_BYTES];

    for (unsigned i = 0; i < 2; i++)
        sim_media_make_wwid(1, i, luns[i].wwid);
    cr_assert_eq(sim_media_create(&opts, &media, why, sizeof why), 0, "%s", why);
    return media;
}

/* By the next register access; the platform takes less time than a real one, for the paced runs. */
static void strike(struct hal_conformance *env, struct hal_ctx *ctx, const char *plan)
{
    struct sim_afu *afu = sim_host_afu(env->arg, 0);
    char why[128];

    sim_afu_params_mutable(afu)->platform_slot_reset = 250000;
    cr_assert_eq(sim_faults_load(sim_afu_faults(afu), plan, why, sizeof why), 0, "%s", why);
    cr_assert_eq(hal_reg_read64(ctx, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_VERSION), HAL_ALL_ONES);
}

static void freeze(struct hal_conformance *env, struct hal_ctx *ctx)
{
    strike(env, ctx, "perr#1=freeze");
}

static void pull(struct hal_conformance *env, struct hal_ctx *ctx)
{
    strike(env, ctx, "perr#1=remove");
}

static struct hal_conformance environment(struct sim_host *host)
{
    const struct sim_params *p = sim_afu_params(sim_host_afu(host, 0));

    return (struct hal_conformance){
        .dev = sim_host_device(host, 0),
        .exec = sim_host_exec(host),
        .offers = HAL_OFFER_EXCLUSIVE | HAL_OFFER_LIMITS | HAL_OFFER_COMMANDS | HAL_OFFER_LUN |
                  HAL_OFFER_FREEZE | HAL_OFFER_REMOVE,
        .limit = {.contexts = (unsigned)p->contexts,
                  .irqs_min = (unsigned)p->irqs_min,
                  .irqs_max = (unsigned)p->irqs_max,
                  .irqs_budget = (unsigned)p->irq_budget},
        .lun = {.id = afu_lun_id(1), .block_size = 4096, .blocks = BLOCKS, .ports = 3},
        .freeze = freeze,
        .remove = pull,
        .arg = host,
        .patience = 20 * SECOND,
    };
}

void conf_sim_up(struct conf_sim *s, const struct sim_host_config *config)
{
    struct sim_host_config c = *config;
    unsigned adapters = c.adapters ? c.adapters : 1;
    char why[256];

    s->media = NULL;
    for (unsigned i = 0; i < adapters; i++) {
        if (!c.media[i] && !s->media)
            s->media = conf_sim_media();
        if (!c.media[i])
            c.media[i] = s->media;
    }
    cr_assert_eq(sim_host_create(&c, &s->host, why, sizeof why), 0, "%s", why);
    s->adapters = adapters;
    s->breaks = SIM_RULE_COUNT;
    s->env = environment(s->host);
}

void conf_sim_down(struct conf_sim *s)
{
    size_t left;

    if (s->breaks != SIM_RULE_COUNT)
        strict_check_broken(sim_host_afu(s->host, 0), s->breaks);
    for (unsigned i = s->breaks != SIM_RULE_COUNT; i < s->adapters; i++)
        strict_check(sim_host_afu(s->host, i));
    left = sim_host_destroy(s->host);
    cr_assert_eq(left, 0, "%zu bytes are left allocated", left);
    sim_media_close(s->media);
}

void conf_sim_run(struct conf_sim *s, void (*body)(void *), void *arg)
{
    static char report[2048];
    int rc = sim_host_run(s->host, body, arg);

    if (rc)
        sched_report(sim_host_sched(s->host), report, sizeof report);
    cr_assert_eq(rc, 0, "%d: %s", rc, report);
}

struct run {
    hal_conformance_case *body;
    struct hal_conformance *env;
};

static void run_case(void *arg)
{
    struct run *r = arg;

    r->body(r->env);
}

void conf_sim_case(hal_conformance_case *body, unsigned needs, const struct sim_host_config *config)
{
    struct conf_sim s;
    struct run r = {.body = body, .env = &s.env};
    const char *missing;

    conf_sim_up(&s, config);
    missing = hal_conformance_missing(&s.env, needs);
    if (missing)
        cr_skip("%s", missing);
    conf_sim_run(&s, run_case, &r);
    conf_sim_down(&s);
}
