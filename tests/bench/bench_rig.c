/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_rig.h"

#include <stdio.h>
#include <string.h>

#include "core/adapter/picture.h"
#include "hal/support/check.h"
#include "sim/check/sim_check.h"
#include "sim/sim_media.h"

struct start {
    struct bench_rig rig;
    struct hal_ops ops; /* of the device, with plain stores */
    const struct bench_rig_config *config;
    void (*body)(struct bench_rig *, void *);
    void *arg;
};

bool bench_good(struct bench_rig *r, int rc, const char *what)
{
    if (!rc)
        return true;
    if (!r->failed)
        fprintf(stderr, "bench: %s: %s\n", what, strerror(-rc));
    r->failed = true;
    return false;
}

static struct sim_media *make_media(const struct bench_rig_config *c)
{
    struct sim_media_lun luns[SIM_MEDIA_LUNS_MAX];
    struct sim_media_opts opts = {
        .luns = luns, .n_luns = c->luns ? c->luns : 1, .kind = SIM_MEDIA_TAG};
    struct sim_media *media;
    char why[SIM_MEDIA_WHY_BYTES];

    for (unsigned i = 0; i < opts.n_luns; i++) {
        luns[i] = (struct sim_media_lun){
            .blocks = c->chunks * SPIPE_CHUNK_BLOCKS, .block_size = 4096, .port_mask = 3};
        sim_media_make_wwid(1, i, luns[i].wwid);
    }
    if (!sim_media_create(&opts, &media, why, sizeof why))
        return media;
    fprintf(stderr, "bench: %s\n", why);
    return NULL;
}

static int picture(void *adapter, const uint64_t *only, struct hal_picture_room *room,
                   const struct hal_picture **out)
{
    return spipe_picture_inside(adapter, only, room, out);
}

static void start_checks(struct start *s)
{
    struct sim_check_config config = {
        .picture = picture, .arg = s->rig.adapter, .quiet_only = s->config->checks == BENCH_QUIET};

    if (s->config->checks != BENCH_UNCHECKED)
        bench_good(&s->rig, sim_check_start(sim_host_afu(s->rig.host, 0), &config, &s->rig.check),
                   "invariant checkers");
}

static void finish_checks(struct bench_rig *r)
{
    const struct sim_check_result *result;

    if (!r->check)
        return;
    sim_check_finish(r->check);
    result = sim_check_result(r->check);
    if (result->broken) {
        fprintf(stderr, "bench: %s\n", result->text);
        r->failed = true;
    }
}

/* What a driver of a card does: hal_publish() and doorbells are the barriers. */
static void plain_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    (void)dev;
    __atomic_store_n((uint64_t *)addr, value, __ATOMIC_RELAXED);
}

static void use_plain_stores(struct start *s)
{
    struct hal_dev *dev = sim_host_device(s->rig.host, 0);

    s->ops = *dev->ops;
    s->ops.table_store = plain_store;
    dev->ops = &s->ops;
}

static void first_thread(void *arg)
{
    struct start *s = arg;
    struct bench_rig *r = &s->rig;
    char why[256] = "";
    int rc =
        spipe_open(r->exec, sim_host_device(r->host, 0), NULL, NULL, &r->adapter, why, sizeof why);

    if (!bench_good(r, rc, why))
        return;
    start_checks(s);
    if (!r->failed)
        s->body(r, s->arg);
    finish_checks(r);
    spipe_close(r->adapter);
}

/* Over real time there is no second of login, and no millisecond of reset. */
static void set_params(const struct bench_rig_config *c, struct sim_params *p)
{
    sim_params_default(p);
    p->irq_budget = 65535; /* four for each of 509 contexts */
    if (c->threads) {
        CHECK(sim_params_profile(p, "zero") == 0);
        p->irq_budget = 65535;
        p->login = p->link_loss = p->afu_reset = 1000;
    }
    if (c->xlt_entries)
        p->xlt_entries = c->xlt_entries;
}

static int run(struct start *s)
{
    struct sim_params params;
    struct sim_host_config hc = {.seed = 1, .params = &params, .threads = s->config->threads};
    char why[256];
    int rc = -1;

    set_params(s->config, &params);
    hc.media[0] = make_media(s->config);
    if (!hc.media[0])
        return -1;
    if (sim_host_create(&hc, &s->rig.host, why, sizeof why)) {
        fprintf(stderr, "bench: %s\n", why);
    } else {
        s->rig.exec = sim_host_exec(s->rig.host);
        if (s->config->plain_stores)
            use_plain_stores(s);
        rc = sim_host_run(s->rig.host, first_thread, s);
        sim_check_stop(s->rig.check);
        if (!rc)
            sim_host_destroy(s->rig.host);
    }
    sim_media_close(hc.media[0]);
    return rc || s->rig.failed ? -1 : 0;
}

int bench_rig_run(const struct bench_rig_config *config, void (*body)(struct bench_rig *, void *),
                  void *arg)
{
    struct start s = {.config = config, .body = body, .arg = arg};

    return run(&s);
}
