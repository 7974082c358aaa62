/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/sim/sim_host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/sim/sim_backend.h"
#include "backends/sim/sim_drive.h"
#include "backends/sim/sim_record_store.h"
#include "hal/support/check.h"
#include "sim/sanitizer.h"
#include "sim/sched/sched.h"
#include "sim/world.h"

#define WORLD_BYTES ((size_t)1 << 30)
#define STACK_SCALE ((size_t)(SIM_ASAN ? 4 : 1)) /* its frames are that much larger */
#define STACK_BYTES (STACK_SCALE * 32768)
#define MAIN_STACK_BYTES (STACK_SCALE * 131072)

struct adapter {
    struct sim_afu *afu;
    struct hal_dev *dev;
    struct sim_media *media;
    struct sim_record_store *store; /* NULL until somebody asks for it */
};

/* Lives in its world. */
struct sim_host {
    struct sim_world *world;
    struct sched *sched; /* NULL over threads */
    struct exec *exec;
    struct sim_machine *machine;
    struct sim_drive *drive;
    unsigned adapters;
    struct adapter *adapter[SIM_HOST_ADAPTERS_MAX];
};

/* Snapshots copy media too, whose arena is no part of the world's own mapping. Adapters may share
 * media. */
static int attach_media(struct sim_host *h, unsigned i, struct sim_media *media)
{
    void *arena;
    size_t used;

    h->adapter[i]->media = media;
    for (unsigned k = 0; k < i; k++)
        if (h->adapter[k]->media == media)
            return 0;
    sim_media_arena(media, &arena, &used);
    if (arena)
        return sim_world_attach_region(h->world, arena, used);
    sim_world_pin(h->world, "media in a file");
    return 0;
}

static int build_adapter(struct sim_host *h, const struct sim_host_config *config, unsigned i,
                         char *why, size_t size)
{
    struct adapter *ad = sim_world_alloc(h->world, sizeof *ad, 64);
    struct sim_params params;
    int rc;

    if (!ad)
        return -ENOMEM;
    h->adapter[i] = ad;
    if (config->params)
        params = *config->params;
    else
        sim_params_default(&params);
    rc = sim_afu_create(h->machine, &params, config->media[i], &ad->afu, why, size);
    if (!rc)
        rc = sim_backend_open(h->drive, ad->afu, &ad->dev);
    if (!rc)
        h->adapters = i + 1;
    if (!rc)
        rc = attach_media(h, i, config->media[i]);
    return rc;
}

static int build_drive(struct sim_host *h, const struct sim_host_config *config)
{
    struct sched_config sc = {
        .seed = config->seed, .stack_size = STACK_BYTES, .main_stack_size = MAIN_STACK_BYTES};
    int rc;

    if (config->threads) {
        h->exec = config->threads;
        sim_world_pin(h->world, "threads");
        return sim_drive_paced(h->exec, h->machine,
                               config->pace ? config->pace : SIM_DRIVE_REAL_TIME, &h->drive);
    }
    rc = sched_create(h->world, &sc, &h->sched);
    if (rc)
        return rc;
    h->exec = sched_exec(h->sched);
    return sim_drive_sched(h->sched, h->machine, &h->drive);
}

static int build(struct sim_host *h, const struct sim_host_config *config, char *why, size_t size)
{
    unsigned n = config->adapters ? config->adapters : 1;
    int rc = sim_machine_create(h->world, config->seed, config->trace, &h->machine);

    if (!rc)
        rc = build_drive(h, config);
    for (unsigned i = 0; !rc && i < n; i++)
        rc = build_adapter(h, config, i, why, size);
    return rc;
}

static int check(const struct sim_host_config *config, char *why, size_t size)
{
    if (config->adapters > SIM_HOST_ADAPTERS_MAX) {
        snprintf(why, size, "a host has at most %d adapters", SIM_HOST_ADAPTERS_MAX);
        return -EINVAL;
    }
    for (unsigned i = 0; i < config->adapters || i == 0; i++)
        if (!config->media[i]) {
            snprintf(why, size, "adapter %u has no media", i);
            return -EINVAL;
        }
    return 0;
}

int sim_host_create(const struct sim_host_config *config, struct sim_host **out, char *why,
                    size_t size)
{
    struct sim_world *world;
    struct sim_host *h;
    int rc = check(config, why, size);

    if (rc)
        return rc;
    snprintf(why, size, "not enough memory for the simulated world");
    rc = sim_world_create(config->world_bytes ? config->world_bytes : WORLD_BYTES, &world);
    if (rc)
        return rc;
    h = sim_world_alloc(world, sizeof *h, 64);
    if (!h) {
        sim_world_destroy(world);
        return -ENOMEM;
    }
    h->world = world;
    rc = build(h, config, why, size);
    if (rc) {
        sim_host_destroy(h);
        return rc;
    }
    *out = h;
    return 0;
}

size_t sim_host_destroy(struct sim_host *h)
{
    struct sim_world *world = h->world;
    size_t left;

    for (unsigned i = 0; i < h->adapters; i++)
        hal_close(h->adapter[i]->dev);
    if (h->drive)
        h->drive->ops->destroy(h->drive);
    if (h->machine)
        sim_machine_destroy(h->machine);
    sched_destroy(h->sched);
    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++) {
        if (h->adapter[i])
            sim_world_free(world, h->adapter[i]->store, sizeof *h->adapter[i]->store);
        sim_world_free(world, h->adapter[i], sizeof *h->adapter[i]);
    }
    sim_world_free(world, h, sizeof *h);
    left = sim_world_used(world);
    sim_world_destroy(world);
    return left;
}

int sim_host_snapshot(struct sim_host *h, struct sim_snapshot **out)
{
    for (unsigned i = 0; i < h->adapters; i++) {
        void *arena;
        size_t used;

        sim_media_arena(h->adapter[i]->media, &arena, &used);
        if (arena)
            sim_world_resize_region(h->world, arena, used);
    }
    return sim_world_snapshot(h->world, out);
}

void sim_host_restore(struct sim_host *h, const struct sim_snapshot *snap)
{
    sim_world_restore(h->world, snap);
}

int sim_host_run(struct sim_host *h, void (*body)(void *), void *arg)
{
    if (h->sched)
        return sched_run(h->sched, body, arg);
    body(arg);
    return 0;
}

struct exec *sim_host_exec(struct sim_host *h) { return h->exec; }

unsigned sim_host_adapters(const struct sim_host *h) { return h->adapters; }

int sim_host_attend(struct sim_host *h) { return h->drive->ops->attend(h->drive); }

struct hal_dev *sim_host_device(struct sim_host *h, unsigned adapter)
{
    return h->adapter[adapter]->dev;
}

struct hal_record_store *sim_host_store(struct sim_host *h, unsigned adapter)
{
    struct adapter *ad = h->adapter[adapter];

    if (!ad->store) {
        ad->store = sim_world_alloc(h->world, sizeof *ad->store, 64);
        if (!ad->store)
            return NULL;
        /* Media always have the room. */
        CHECK(sim_record_store_init(ad->store, ad->media, h->drive) == 0);
    }
    return &ad->store->log.store;
}

struct sim_machine *sim_host_machine(struct sim_host *h) { return h->machine; }

struct sim_afu *sim_host_afu(struct sim_host *h, unsigned adapter)
{
    return h->adapter[adapter]->afu;
}

struct sim_world *sim_host_world(struct sim_host *h) { return h->world; }

struct sched *sim_host_sched(struct sim_host *h) { return h->sched; }

uint64_t sim_host_now(const struct sim_host *h) { return h->machine->engine.now * SIM_CYCLE_NS; }
