/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing an adapter, and what can be asked about it. */
#include "core/adapter/adapter.h"

#include <errno.h>
#include <string.h>

#include "core/adapter/reset.h"
#include "core/adapter/silence.h"
#include "core/command/afu_debug.h"
#include "core/lun/lun_mode.h"
#include "core/mutants.h"
#include "core/port/port_link.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

enum {
    HWQ_DEPTH = 260,   /* command pairs of a hardware queue: SCSI commands of a host, internal ones,
                          and lost ones that wait for a reset (D-19) */
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
           (o->rrq_elements == 0 || (o->rrq_elements >= 2 && o->rrq_elements <= RRQ_MAX)) &&
           o->hwqs <= SPIPE__HWQS_MAX;
}

static struct spipe__queue_config queue_config(const struct spipe *s, const struct spipe_options *o)
{
    unsigned elements = o->rrq_elements ? o->rrq_elements : RRQ_DEFAULT;

    return (struct spipe__queue_config){
        .order = s->order,
        .depth = (unsigned)hal_min64(HWQ_DEPTH, elements - 1),
        .rrq_elements = elements,
        .interrupts = true,
        .sq = true, /* which mode it is shows when the AFU is up (AD-36) */
        .name = "master queue",
    };
}

/* Who waits has a deadline of his own, so the queues have none. */
static int make_memory(struct spipe *s, const struct spipe_options *o)
{
    int rc;

    s->queue_config = queue_config(s, o);
    s->scratch = exec_alloc(s->exec, SPIPE__SCRATCH_SIZE, SCRATCH_ALIGN);
    if (!s->scratch)
        return -ENOMEM;
    rc = hal_mem_register(s->dev, s->scratch, SPIPE__SCRATCH_SIZE, "master scratch");
    if (rc)
        goto free_scratch;
    rc = spipe__hwqs_make(s, s->hwqs_wanted);
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
    spipe__afu_debug_fini(s);
    hal_mem_release(s->dev, s->scratch);
    exec_free(s->exec, s->scratch, SPIPE__SCRATCH_SIZE);
}

/* ---- life ---- */

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
    s->heartbeat_ns = o->heartbeat_ns;
    s->events.sink = o->event_sink;
    s->events.sink_arg = o->event_arg;
    s->luns_disabled = o->luns_disabled;
    s->wipe_always = o->wipe_always;
    s->wipe_nothing = o->wipe_nothing;
    rc = spipe__group_join(s, o->peer);
    if (rc)
        goto free_adapter;
    spipe__locks_init(s);
    s->cpus = o->cpus ? o->cpus : 1;
    if (o->hwqs)
        s->hwqs_wanted = o->hwqs;
    rc = make_memory(s, o);
    if (rc)
        goto leave_group;
    spipe__lun_table_init(s);
    *out = s;
    return 0;

leave_group:
    spipe__locks_fini(s);
    spipe__group_leave(s);
free_adapter:
    exec_free(exec, s, sizeof *s);
    return rc;
}

static void destroy(struct spipe *s)
{
    spipe__group_leave(s);
    spipe__locks_fini(s);
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
    rc = spipe__cat_open(s->exec, store, &s->group->catalogue, &error);
    if (rc)
        return spipe__why(why, rc, "the catalogue of names cannot be used: %s", error.text);
    return 0;
}

/* Chunks that have names are taken before anybody can ask for one. */
static int reserve_names(struct spipe *s, struct spipe__why why)
{
    int rc = spipe__lun_start_all(s);

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
    spipe__worker_stop(s);
    spipe__retire(s);
    spipe__eeh_stop(s);
    spipe__lun_finish(s);
}

static void note_facts(struct spipe *s)
{
    s->facts = (struct spipe_adapter_info){
        .interface_version = s->interface_version,
        .ports = s->ports,
        .write_same_unmaps = s->ws_unmap,
    };
    memcpy(s->facts.afu_version, s->afu_version, sizeof s->facts.afu_version);
    memcpy(s->facts.wwpn, s->wwpn, sizeof s->facts.wwpn);
}

/* AD-15, AD-18. What failed may have failed because the slot was frozen: then the platform will say
 * so, and recover it. */
static int probe(struct spipe *s, struct spipe__why why)
{
    int rc = spipe__bring_up(s, why);
    bool goes_on;

    if (s->eeh.thread && (rc == -ENODEV || rc == -EIO))
        spipe__pause(s->exec, SPIPE__PLATFORM_PAUSE);
    goes_on = spipe__gate_end_probe(&s->gate, !rc);
    spipe__event_state(s, spipe__gate_state(&s->gate));
    if (!goes_on)
        return rc;
    if (spipe__gate_await(&s->gate) != SPIPE_STATE_NORMAL)
        return spipe__why(why, -EIO, "the adapter failed while it was brought up");
    note_facts(s);
    return 0;
}

/* FK-37: whether the platform took the adapter away meanwhile, and has given it back. */
static bool was_recovered(struct spipe *s, uint64_t generation)
{
    spipe__await_platform(s);
    return spipe__gate_await(&s->gate) == SPIPE_STATE_NORMAL && spipe__generation(s) != generation;
}

static int find_luns(struct spipe *s, struct spipe__why why)
{
    uint64_t generation;
    int rc;

    do {
        generation = spipe__generation(s);
        rc = spipe__discover_luns(s, why);
    } while (rc && was_recovered(s, generation));
    return rc;
}

static int start(struct spipe *s, struct hal_record_store *store, struct spipe__why why)
{
    int rc = spipe__eeh_start(s);

    if (rc) /* there is nothing to stop, and nobody who could end the probe */
        return spipe__why(why, -ENOMEM, "no thread can be had for platform events");
    rc = probe(s, why);
    if (!rc)
        rc = find_luns(s, why);
    if (!rc)
        rc = open_catalogue(s, store, why);
    if (!rc)
        rc = reserve_names(s, why);
    if (!rc) {
        rc = spipe__worker_start(s);
        if (rc)
            rc = spipe__why(why, -ENOMEM, "no thread can be had for the adapter");
    }
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
    if (options->peer && options->peer->exec != exec)
        return spipe__why(reason, -EINVAL, "the peer runs in another environment");
    if (options->peer && store)
        return spipe__why(reason, -EINVAL, "the catalogue of names is that of the peer: no store");
    rc = create(exec, dev, options, &s);
    if (rc)
        return spipe__why(reason, rc, "no memory that the adapter can reach");
    rc = start(s, store, reason);
    if (rc)
        spipe__event(s, OPEN_FAILED, spipe__result(rc));
    spipe__events_deliver(s);
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
    spipe__event(s, CLOSED, 0);
    spipe__events_deliver(s);
    destroy(s);
}

/* ---- questions ---- */

static void look_at_ports(struct spipe *s, struct spipe_adapter_info *out)
{
    for (unsigned p = 0; p < s->ports; p++)
        out->port_online[p] = spipe__link_state(s, p) == SPIPE__LINK_ONLINE;
}

static void look_at_luns(struct spipe *s, struct spipe_adapter_info *out)
{
    spipe__books_lock(s);
    out->luns = s->lun_count;
    out->internal_lun = s->internal_lun;
    spipe__books_unlock(s);
}

/* What bring-up found is the same after every reset. Ports are asked only while the state is NORMAL
 * (D-11); a reset that begins waits until that is over. */
void spipe_adapter_info(struct spipe *s, struct spipe_adapter_info *out)
{
    int rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);

    (void)rc; /* it lets everybody in */
    *out = s->facts;
    look_at_luns(s, out);
    out->state = spipe__gate_state(&s->gate);
    if (out->state == SPIPE_STATE_NORMAL || spipe__mutant(D_11))
        look_at_ports(s, out);
    spipe__gate_leave(&s->gate);
}

static void describe_lun(const struct spipe__lun *lun, struct spipe_lun_info *out)
{
    const struct spipe__global_lun *g = lun->global;
    uint64_t chunks = (g->last_lba + 1) / SPIPE_CHUNK_BLOCKS;

    *out = (struct spipe_lun_info){
        .found_ports = lun->found_ports,
        .port_mask = lun->port_mask,
        .last_lba = g->last_lba,
        .block_size = g->block_size,
        .chunks = g->ba ? spipe__ba_total(g->ba) : chunks,
        .free_chunks = g->ba ? spipe__ba_space(g->ba) : chunks,
        .users = g->users,
        .mode = g->mode,
    };
    memcpy(out->wwid, g->wwid, sizeof out->wwid);
    memcpy(out->lun_id, lun->lun_id, sizeof out->lun_id);
}

int spipe_lun_info(struct spipe *s, unsigned index, struct spipe_lun_info *out)
{
    int rc = -ENOENT;

    spipe__books_lock(s);
    if (index < s->lun_count) {
        describe_lun(&s->lun[index], out);
        rc = 0;
    }
    spipe__books_unlock(s);
    return rc;
}
