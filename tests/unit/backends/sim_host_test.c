/* SPDX-License-Identifier: Apache-2.0 */
/* Building and ending complete hosts: what goes in, what a refusal says, and that nothing stays. */
#include "backends/sim/sim_host.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/posix/posix_exec.h"
#include "sim/sched/sched.h"
#include "sim/world.h"
#include "tests/conformance/hal_conformance_client.h"
#include "tests/conformance/hal_conformance_sim.h"

TestSuite(sim_host, .timeout = 30);

static struct conf_sim sim;

/* ---- building ---------------------------------------------------------------------------------
 */

static void use(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);

    *(unsigned *)arg += hal_reg_read64(ctx, AFU_HOST_CMD_ROOM) == 16;
    hal_ctx_release(ctx);
}

/* All zero is a good configuration, apart from the media. */
Test(sim_host, builds_and_ends)
{
    struct sim_host_config config = {.seed = 0};
    unsigned used = 0;

    for (unsigned i = 0; i < 5; i++) {
        conf_sim_up(&sim, &config);
        cr_assert_eq(sim_host_now(sim.host), 0);
        cr_assert_not_null(sim_host_sched(sim.host));
        conf_sim_run(&sim, use, &used);
        conf_sim_run(&sim, use, &used); /* one run after the other */
        cr_assert_gt(sim_host_now(sim.host), 0);
        conf_sim_down(&sim);
    }
    cr_assert_eq(used, 10);
}

Test(sim_host, runs_over_threads_too)
{
    struct sim_host_config config = {.seed = 0};
    unsigned used = 0;

    cr_assert_eq(posix_exec_create(&config.threads), 0);
    conf_sim_up(&sim, &config);
    cr_assert_null(sim_host_sched(sim.host));
    cr_assert_eq(sim_host_exec(sim.host), config.threads);
    conf_sim_run(&sim, use, &used);
    cr_assert_eq(used, 1);
    conf_sim_down(&sim);
    posix_exec_destroy(config.threads);
}

/* ---- several adapters -------------------------------------------------------------------------
 */

static int collect(void *arg, const void *record, size_t length)
{
    char *text = arg;

    text[strlen(text) + length] = 0;
    memcpy(text + strlen(text), record, length);
    return 0;
}

/* Each adapter has registers, product data and a store of its own. */
static void use_adapters(void *arg)
{
    const uint64_t scratch = AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD;
    struct hal_ctx *ctx[SIM_HOST_ADAPTERS_MAX];
    uint8_t vpd[SIM_HOST_ADAPTERS_MAX][256];
    size_t length;

    (void)arg;
    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++) {
        struct hal_dev *dev = sim_host_device(sim.host, i);
        char name[8], text[16] = "";

        cr_assert_eq(hal_ctx_create(dev, HAL_CTX_MASTER, &ctx[i]), 0);
        cr_assert_eq(hal_ctx_start(ctx[i], 3), 0);
        cr_assert_eq(ctx[i]->handle, 0);
        hal_reg_write64(ctx[i], scratch, 100 + i);
        cr_assert_eq(hal_vpd_read(dev, vpd[i], sizeof vpd[i], &length), 0);
        cr_assert(i == 0 || memcmp(vpd[i], vpd[0], length) != 0, "same port names");
        snprintf(name, sizeof name, "card%u", i);
        cr_assert_eq(hal_record_load(sim_host_store(sim.host, i), collect, text), 0);
        cr_assert_eq(hal_record_append(sim_host_store(sim.host, i), name, strlen(name)), 0);
        cr_assert_eq(hal_record_load(sim_host_store(sim.host, i), collect, text), 0);
        cr_assert_str_eq(text, name);
    }
    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++) {
        cr_assert_eq(hal_reg_read64(ctx[i], scratch), 100 + i);
        hal_ctx_release(ctx[i]);
    }
    cr_assert_eq(hal_afu_reset(sim_host_device(sim.host, 3)), 0);
}

Test(sim_host, several_adapters)
{
    struct sim_host_config config = {.seed = 1, .adapters = SIM_HOST_ADAPTERS_MAX, .trace = true};

    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++)
        config.media[i] = conf_sim_media();
    conf_sim_up(&sim, &config);
    conf_sim_run(&sim, use_adapters, NULL);
    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++)
        cr_assert_eq(sim_host_machine(sim.host)->afu[i], sim_host_afu(sim.host, i));
    conf_sim_down(&sim);
    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++)
        sim_media_close(config.media[i]);
}

/* A block written through one adapter is read through the other: both lead to the same LUN. */
static void share_a_lun(void *arg)
{
    struct conf_client master[2], user[2];

    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        struct hal_conformance *env = exec_alloc(sim.env.exec, sizeof *env, 64);

        *env = sim.env;
        env->dev = sim_host_device(sim.host, i);
        conf_client_up(&master[i], env, NULL);
        conf_client_up(&user[i], env, &master[i]);
        conf_open(&user[i], 0, AFU_PERM_RW);
    }
    memset(conf_data(&user[0], 0), 0x5C, 4096);
    conf_rw(&user[0], 0, true, 0, 9);
    cr_assert_eq(conf_do(&user[0], 0), 0);
    conf_rw(&user[1], 0, false, 0, 9);
    cr_assert_eq(conf_do(&user[1], 0), 0);
    cr_assert_arr_eq(conf_data(&user[1], 0), conf_data(&user[0], 0), 4096);
    for (unsigned i = 0; i < 2; i++) {
        struct hal_conformance *env = user[i].env;

        conf_client_down(&user[i]);
        conf_client_down(&master[i]);
        exec_free(sim.env.exec, env, sizeof *env);
    }
}

Test(sim_host, adapters_can_share_media)
{
    struct sim_host_config config = {.seed = 1, .adapters = 2};

    conf_sim_up(&sim, &config);
    conf_sim_run(&sim, share_a_lun, NULL);
    conf_sim_down(&sim);
}

/* ---- refusals ---------------------------------------------------------------------------------
 */

static void refused(const struct sim_host_config *config, int error, const char *says)
{
    struct sim_host *none = NULL;
    char why[256] = "";

    cr_assert_eq(sim_host_create(config, &none, why, sizeof why), error, "%s", why);
    cr_assert_null(none);
    cr_assert_not_null(strstr(why, says), "it says: %s", why);
}

Test(sim_host, a_refusal_says_why)
{
    struct sim_media *media = conf_sim_media();
    struct sim_host_config config = {.seed = 1};
    struct sim_params params;

    refused(&config, -EINVAL, "adapter 0 has no media");
    config.media[0] = media;
    config.adapters = 2;
    refused(&config, -EINVAL, "adapter 1 has no media");
    config.adapters = SIM_HOST_ADAPTERS_MAX + 1;
    refused(&config, -EINVAL, "at most 8 adapters");
    config.adapters = 1;
    sim_params_default(&params);
    params.ports = 5;
    config.params = &params;
    refused(&config, -EINVAL, "ports");
    sim_params_default(&params);
    params.irqs_min = params.irqs_max + 1;
    refused(&config, -EINVAL, "irq");
    sim_media_close(media);
}

/* Whatever it has got when memory ends, it gives back, and says what is missing. */
Test(sim_host, a_world_too_small)
{
    struct sim_media *media = conf_sim_media();
    struct sim_host_config config = {.seed = 1, .adapters = 2, .media = {media, media}};
    unsigned refusals = 0;
    struct sim_host *host;
    char why[256];

    for (config.world_bytes = 16384; config.world_bytes < (size_t)8 << 20;
         config.world_bytes += 65536) {
        int rc = sim_host_create(&config, &host, why, sizeof why);

        if (rc == 0) {
            cr_assert_eq(sim_host_destroy(host), 0);
            continue;
        }
        cr_assert(rc == -ENOMEM || rc == -EINVAL, "%d", rc);
        cr_assert_not_null(strstr(why, "memory"), "it says: %s", why);
        refusals++;
    }
    cr_assert_gt(refusals, 5);
    cr_assert_lt(refusals, 100);
    sim_media_close(media);
}

/* ---- what is left -----------------------------------------------------------------------------
 */

static void leak(void *arg)
{
    (void)arg;
    (void)exec_alloc(sim.env.exec, 100, 16);
    (void)exec_alloc(sim.env.exec, 23, 16);
}

Test(sim_host, leaks_of_clients_are_counted)
{
    struct sim_host_config config = {.seed = 1};

    conf_sim_up(&sim, &config);
    conf_sim_run(&sim, leak, NULL);
    cr_assert_eq(sim_host_destroy(sim.host), 123);
    sim_media_close(sim.media);
}

static void nothing(void *arg) { (void)arg; }

static void forget_a_thread(void *arg)
{
    struct exec_thread *t;

    (void)arg;
    cr_assert_eq(exec_thread_create(sim.env.exec, "forgotten", nothing, NULL, &t), 0);
}

static void sleep_on(void *arg)
{
    struct exec_mutex m;
    struct exec_cond c;

    (void)arg;
    exec_mutex_init(sim.env.exec, &m, "lock");
    exec_cond_init(sim.env.exec, &c, "never");
    exec_mutex_lock(sim.env.exec, &m);
    (void)!exec_cond_wait(sim.env.exec, &c, &m, EXEC_FOREVER, false);
}

/* Threads that were never joined, or never ended, are no leaks: they go with the scheduler. */
Test(sim_host, an_abandoned_run_can_be_ended)
{
    struct sim_host_config config = {.seed = 1};

    conf_sim_up(&sim, &config);
    conf_sim_run(&sim, forget_a_thread, NULL);
    cr_assert_eq(sched_stats(sim_host_sched(sim.host)).unjoined, 1);
    cr_assert_eq(sim_host_run(sim.host, sleep_on, NULL), -EDEADLK);
    cr_assert_eq(sim_host_run(sim.host, nothing, NULL), -EDEADLK);
    conf_sim_down(&sim);
}
