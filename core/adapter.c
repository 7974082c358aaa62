/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing an adapter, and what can be asked about it. */
#include "core/adapter.h"

#include <errno.h>
#include <string.h>

#include "core/lun_mode.h"
#include "core/port_link.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

enum {
    MASTER_DEPTH = 32, /* command pairs of the master: one is in use, lost ones wait for a reset */
    RRQ_DEFAULT = 512, /* */
    RRQ_MAX = 65536,
    SCRATCH_ALIGN = 4096,
};

/* ---- memory of an adapter ---- */

static enum hal_order order_of(const struct spipe_options *o)
{
    if (o->order == SPIPE_ORDER_HOST)
        return HAL_ORDER_HOST;
    return o->order == SPIPE_ORDER_BIG ? HAL_ORDER_BIG : HAL_ORDER_LITTLE;
}

static bool options_valid(const struct spipe_options *o)
{
    return o->size == sizeof *o && o->order <= SPIPE_ORDER_BIG &&
           (o->rrq_elements == 0 || (o->rrq_elements >= 2 && o->rrq_elements <= RRQ_MAX));
}

static struct spipe__queue_config queue_config(const struct spipe *s, const struct spipe_options *o)
{
    unsigned elements = o->rrq_elements ? o->rrq_elements : RRQ_DEFAULT;

    return (struct spipe__queue_config){
        .order = s->order,
        .depth = (unsigned)hal_min64(MASTER_DEPTH, elements - 1),
        .rrq_elements = elements,
        .interrupts = true,
        .sq = true, /* which mode it is shows when the AFU is up (AD-36) */
        .name = "master queue",
    };
}

/* The master waits with a deadline of its own, so its queue has none. */
static int make_memory(struct spipe *s, const struct spipe_options *o)
{
    struct spipe__queue_config config = queue_config(s, o);
    int rc;

    s->scratch = exec_alloc(s->exec, SPIPE__SCRATCH_SIZE, SCRATCH_ALIGN);
    if (!s->scratch)
        return -ENOMEM;
    rc = hal_mem_register(s->dev, s->scratch, SPIPE__SCRATCH_SIZE, "master scratch");
    if (rc)
        goto free_scratch;
    rc = spipe__queue_init(&s->queue, s->exec, s->dev, &config);
    if (rc)
        goto release_scratch;
    return 0;

release_scratch:
    hal_mem_release(s->dev, s->scratch);
free_scratch:
    exec_free(s->exec, s->scratch, SPIPE__SCRATCH_SIZE);
    return rc;
}

static void free_memory(struct spipe *s)
{
    spipe__queue_fini(&s->queue);
    hal_mem_release(s->dev, s->scratch);
    exec_free(s->exec, s->scratch, SPIPE__SCRATCH_SIZE);
}

static int create(struct exec *exec, struct hal_dev *dev, const struct spipe_options *o,
                  struct spipe **out)
{
    struct spipe *s = exec_alloc(exec, sizeof *s, _Alignof(struct spipe));
    int rc;

    if (!s)
        return -ENOMEM;
    s->exec = exec;
    s->dev = dev;
    s->order = order_of(o);
    s->luns_disabled = o->luns_disabled;
    rc = make_memory(s, o);
    if (rc) {
        exec_free(exec, s, sizeof *s);
        return rc;
    }
    exec_mutex_init(exec, &s->control, "adapter control");
    exec_mutex_init(exec, &s->internal, "adapter internal");
    spipe__lun_table_init(s);
    *out = s;
    return 0;
}

static void destroy(struct spipe *s)
{
    exec_mutex_fini(s->exec, &s->internal);
    exec_mutex_fini(s->exec, &s->control);
    free_memory(s);
    exec_free(s->exec, s, sizeof *s);
}

/* ---- catalogue ---- */

static int open_catalogue(struct spipe *s, struct hal_record_store *store, struct spipe__why why)
{
    struct spipe__cat_error error;
    int rc;

    if (!store)
        return 0;
    rc = spipe__cat_open(s->exec, store, &s->catalogue, &error);
    if (rc)
        return spipe__why(why, rc, "the catalogue of names cannot be used: %s", error.text);
    return 0;
}

/* Chunks that have names are taken before anybody can ask for one. */
static int reserve_names(struct spipe *s, struct spipe__why why)
{
    int rc = spipe__lun_start(s);

    if (rc == -EIO)
        return spipe__why(why, -EILSEQ, "the catalogue names chunks that their LUN does not have");
    if (rc)
        return spipe__why(why, rc, "no memory for the allocators of the LUNs that carry names");
    return 0;
}

/* ---- open and close ---- */

/* The AFU first: then nothing can reach what is freed. */
static void stop(struct spipe *s)
{
    spipe__take_down(s);
    spipe__lun_finish(s);
    spipe__cat_close(s->catalogue);
    s->catalogue = NULL;
}

static int start(struct spipe *s, struct hal_record_store *store, struct spipe__why why)
{
    int rc = spipe__bring_up(s, why);

    if (!rc)
        rc = spipe__discover_luns(s, why);
    if (!rc)
        rc = open_catalogue(s, store, why);
    if (!rc)
        rc = reserve_names(s, why);
    if (rc)
        stop(s); /* each part of it is harmless if there is nothing to stop */
    return rc;
}

int spipe_open(struct exec *exec, struct hal_dev *dev, struct hal_record_store *store,
               const struct spipe_options *options, struct spipe **out, char *why, size_t why_size)
{
    static const struct spipe_options defaults = {.size = sizeof defaults};
    struct spipe__why reason = {why, why_size};
    struct spipe *s;
    int rc;

    if (!options)
        options = &defaults;
    if (!options_valid(options))
        return spipe__why(reason, -EINVAL, "the options are not valid");
    rc = create(exec, dev, options, &s);
    if (rc)
        return spipe__why(reason, rc, "no memory that the adapter can reach");
    exec_mutex_lock(exec, &s->control);
    rc = start(s, store, reason);
    exec_mutex_unlock(exec, &s->control);
    if (rc) {
        destroy(s);
        return rc;
    }
    *out = s;
    return 0;
}

void spipe_close(struct spipe *s)
{
    CHECK(s->clients == 0);
    stop(s);
    destroy(s);
}

/* ---- questions ---- */

void spipe_adapter_info(struct spipe *s, struct spipe_adapter_info *out)
{
    exec_mutex_lock(s->exec, &s->control);
    *out = (struct spipe_adapter_info){
        .interface_version = s->interface_version,
        .ports = s->ports,
        .write_same_unmaps = s->ws_unmap,
        .luns = s->lun_count,
    };
    memcpy(out->afu_version, s->afu_version, sizeof out->afu_version);
    for (unsigned p = 0; p < s->ports; p++) {
        out->wwpn[p] = s->wwpn[p];
        out->port_online[p] = s->master && spipe__link_state(s, p) == SPIPE__LINK_ONLINE; /* D-11 */
    }
    exec_mutex_unlock(s->exec, &s->control);
}

static void describe_lun(const struct spipe__lun *lun, struct spipe_lun_info *out)
{
    uint64_t chunks = (lun->last_lba + 1) / SPIPE_CHUNK_BLOCKS;

    *out = (struct spipe_lun_info){
        .found_ports = lun->found_ports,
        .port_mask = lun->port_mask,
        .last_lba = lun->last_lba,
        .block_size = lun->block_size,
        .chunks = lun->ba ? spipe__ba_total(lun->ba) : chunks,
        .free_chunks = lun->ba ? spipe__ba_space(lun->ba) : chunks,
        .users = lun->users,
        .mode = lun->mode,
    };
    memcpy(out->wwid, lun->wwid, sizeof out->wwid);
    memcpy(out->lun_id, lun->lun_id, sizeof out->lun_id);
}

int spipe_lun_info(struct spipe *s, unsigned index, struct spipe_lun_info *out)
{
    int rc = -ENOENT;

    exec_mutex_lock(s->exec, &s->control);
    if (index < s->lun_count) {
        describe_lun(&s->lun[index], out);
        rc = 0;
    }
    exec_mutex_unlock(s->exec, &s->control);
    return rc;
}
