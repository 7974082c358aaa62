/* SPDX-License-Identifier: Apache-2.0 */
/* Building machines and adapters, and the small rest of both faces. */
#include "sim/afu/sim_afu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/check.h"
#include "sim/sim_bus.h"
#include "sim/sim_control.h"
#include "sim/sim_copy.h"
#include "sim/world.h"

static void breach(void *arg, const struct sim_breach *b)
{
    bool model = sim_rule_table[b->rule].verdict == SIM_VERDICT_MODEL;

    sim_record(arg, model ? SIM_EVENT_MODEL_ERROR : SIM_EVENT_VIOLATION, b->context, b->rule,
               b->detail);
}

enum sim_effect sim_site_armed(struct sim_afu *a, enum sim_site site, uint64_t *arg)
{
    enum sim_effect effect = sim_fault_match(&a->faults, site, arg);

    if (effect != SIM_EFFECT_NONE)
        sim_record(a, SIM_EVENT_FAULT, site, effect, sim_fault_hits(&a->faults, site));
    return effect;
}

/* ---- machine ----------------------------------------------------------------------------------
 */

static void no_wake(void *arg, uint64_t key)
{
    (void)arg;
    (void)key;
}

int sim_machine_create(struct sim_world *world, uint64_t seed, bool trace, struct sim_machine **out)
{
    struct sim_machine *m = sim_world_alloc(world, sizeof *m, 64);

    if (!m)
        return -ENOMEM;
    sim_copy_install();
    m->world = world;
    m->seed = seed;
    m->wake = no_wake;
    sim_engine_init(&m->engine);
    sim_trace_init(&m->trace, trace);
    sim_world_add_holes(world, sim_machine_holes, sim_machine_refill, m);
    *out = m;
    return 0;
}

void sim_machine_trace(struct sim_machine *m, bool on)
{
    m->trace.on = on;
    for (uint32_t i = 0; i < m->afu_count; i++)
        m->afu[i]->tracing = on;
}

static void wake(void *arg, uint64_t key)
{
    struct sim_machine *m = arg;

    m->wake(m->wake_arg, key);
}

/* ---- adapter ----------------------------------------------------------------------------------
 */

static void free_tables(struct sim_afu *a)
{
    const struct sim_params *p = &a->params;

    sim_memory_fini(&a->memory);
    sim_debug_free(a);
    sim_internal_free(a);
    sim_world_free(a->world, a->cmds, p->cmd_slots * sizeof *a->cmds);
    if (p->xlt_entries)
        sim_world_free(a->world, a->xlt, p->xlt_entries * sizeof *a->xlt);
    if (p->xlate_entries)
        sim_world_free(a->world, a->erat, p->xlate_entries * sizeof *a->erat);
    sim_world_free(a->world, a, sizeof *a);
}

static int allocate_tables(struct sim_afu *a)
{
    const struct sim_params *p = &a->params;

    a->cmds = sim_world_alloc(a->world, p->cmd_slots * sizeof *a->cmds, 64);
    if (p->xlt_entries)
        a->xlt = sim_world_alloc(a->world, p->xlt_entries * sizeof *a->xlt, 64);
    if (p->xlate_entries)
        a->erat = sim_world_alloc(a->world, p->xlate_entries * sizeof *a->erat, 64);
    return a->cmds && (a->xlt || !p->xlt_entries) && (a->erat || !p->xlate_entries) ? 0 : -ENOMEM;
}

static void name_stages(struct sim_afu *a)
{
    a->card.id = SIM_STAGE_CARD;
    for (unsigned i = 0; i < SIM_PORTS_MAX; i++) {
        a->port[i].command.id = (uint16_t)(SIM_STAGE_PORT + 3 * i);
        a->port[i].in.id = (uint16_t)(SIM_STAGE_PORT + 3 * i + 1);
        a->port[i].out.id = (uint16_t)(SIM_STAGE_PORT + 3 * i + 2);
    }
    for (unsigned i = 0; i < SIM_MEDIA_LUNS_MAX; i++)
        sim_media_stage_reset(a, i);
}

static void power_on(struct sim_afu *a)
{
    sim_strict_init(&a->strict,
                    &(struct sim_strict_config){.credits = (uint32_t)a->params.credits,
                                                .read_latency = (uint32_t)a->params.buffer_latency,
                                                .ports = (uint32_t)a->params.ports,
                                                .told = breach,
                                                .told_arg = a});
    for (uint64_t i = 0; i < a->params.cmd_slots; i++) {
        a->cmds[i].afu = a;
        a->cmds[i].slot = (uint16_t)i;
        a->free_cmd[i] = &a->cmds[a->params.cmd_slots - 1 - i];
    }
    a->free_count = (uint32_t)a->params.cmd_slots;
    a->fetch_last = SIM_CONTEXTS_MAX - 1;
    sim_timeout_init(a);
    name_stages(a);
    sim_afu_registers_reset(a);
}

int sim_afu_create(struct sim_machine *m, const struct sim_params *params, struct sim_media *media,
                   struct sim_afu **out, char *why, size_t size)
{
    struct sim_afu *a;
    int rc = sim_params_validate(params, why, size);

    if (rc)
        return rc;
    if (m->afu_count == SIM_AFUS_MAX) {
        snprintf(why, size, "at most %d adapters can share a machine", SIM_AFUS_MAX);
        return -ENOSPC;
    }
    a = sim_world_alloc(m->world, sizeof *a, 64);
    if (!a)
        return -ENOMEM;
    a->world = m->world;
    a->engine = &m->engine;
    a->trace = &m->trace;
    a->tracing = m->trace.on;
    a->number = m->afu_count;
    a->params = *params;
    a->memory.world = m->world;
    a->record_id = sim_trace_id(0, (uint16_t)a->number, 0);
    a->wake = wake;
    a->wake_arg = m;
    rc = allocate_tables(a);
    if (rc) {
        free_tables(a);
        return rc;
    }
    fault_plan_init(&a->faults, &sim_fault_registry);
    hal_prng_seed(&a->latency, m->seed, SIM_STREAM_LATENCY + ((uint64_t)a->number << 8));
    sim_scsi_init(&a->scsi, media);
    a->scsi.lbprz = params->lbprz;
    power_on(a);
    m->afu[m->afu_count++] = a;
    *out = a;
    return 0;
}

void sim_machine_destroy(struct sim_machine *m)
{
    for (uint32_t i = 0; i < m->afu_count; i++) {
        CHECK(m->afu[i]->ctx_open == 0);
        free_tables(m->afu[i]);
    }
    sim_trace_flush(&m->trace);
    sim_world_remove_holes(m->world, m);
    sim_world_free(m->world, m, sizeof *m);
}

/* ---- the control face -------------------------------------------------------------------------
 */

const struct sim_params *sim_afu_params(const struct sim_afu *a) { return &a->params; }

struct sim_params *sim_afu_params_mutable(struct sim_afu *a)
{
    sim_bus_changes(a);
    return &a->params;
}

struct fault_plan *sim_afu_faults(struct sim_afu *a) { return &a->faults; }

struct sim_scsi *sim_afu_scsi(struct sim_afu *a) { return &a->scsi; }

void sim_afu_stats(const struct sim_afu *a, struct sim_afu_stats *out)
{
    const struct sim_afu_counters *c = &a->counters;

    *out = (struct sim_afu_stats){
        .doorbells = c->doorbells,
        .fetched = c->fetched,
        .completed = c->completed,
        .dropped = c->dropped,
        .interrupts = c->interrupts,
        .violations = a->strict.total[SIM_VERDICT_HOST],
        .model_errors = a->strict.total[SIM_VERDICT_MODEL],
        .misaligned_data = c->misaligned_data,
        .xlt_hits = c->xlt_hits,
        .xlt_misses = c->xlt_misses,
        .read_lines = c->bus_commands[SIM_BUS_READ],
        .write_lines = c->bus_commands[SIM_BUS_WRITE],
        .in_flight = (uint32_t)a->params.cmd_slots - a->free_count,
        .contexts = a->ctx_open,
    };
    memcpy(out->by_status, c->by_status, sizeof out->by_status);
}

uint64_t sim_afu_peek(struct sim_afu *a, uint64_t offset)
{
    switch (offset) {
    case AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_HB:
        return a->hb;
    default:
        /* mbox_r would unlock, CRC counts would clear: not through this door */
        CHECK(offset < AFU_CTRL_START || offset >= AFU_GLOBAL_BASE ||
              offset % AFU_CTRL_SIZE != AFU_CTRL_MBOX_R);
        return sim_register_read(a, NULL, offset);
    }
}

const struct sim_strict *sim_afu_strict(const struct sim_afu *a) { return &a->strict; }

void sim_afu_link_down(struct sim_afu *a, unsigned port)
{
    CHECK(port < a->params.ports);
    sim_link_offline(&a->port[port]);
}

void sim_afu_link_up(struct sim_afu *a, unsigned port)
{
    CHECK(port < a->params.ports);
    sim_link_online(&a->port[port]);
}

bool sim_afu_xlt_cached(const struct sim_afu *a, uint16_t context, uint32_t handle)
{
    return sim_xlt_cached(a, context, handle);
}

/* ---- the rest of the bus face -----------------------------------------------------------------
 */

int sim_bus_mem_add(struct sim_afu *a, void *addr, size_t size, const char *name)
{
    return sim_memory_add(&a->memory, (uintptr_t)addr, size, name);
}

void sim_bus_mem_remove(struct sim_afu *a, void *addr)
{
    if (sim_watched_by(a))
        sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_RELEASE,
                                          .ea = (uintptr_t)addr,
                                          .value = sim_memory_room(&a->memory, (uintptr_t)addr)});
    sim_memory_remove(&a->memory, (uintptr_t)addr);
    sim_strict_publish(&a->strict); /* it may be used for something else next */
}

SIM_COLD void sim_record_search_a(struct sim_afu *a, uint64_t id, uint64_t ea,
                                  struct sim_memory_hint *hint, uint64_t w)
{
    sim_trace_append(a->trace, a->engine->now, id | a->record_id,
                     sim_memory_search(&a->memory, ea, hint), w);
}

SIM_COLD void sim_record_search_b(struct sim_afu *a, uint64_t id, uint64_t v, uint64_t ea,
                                  struct sim_memory_hint *hint)
{
    sim_trace_append(a->trace, a->engine->now, id | a->record_id, v,
                     sim_memory_search(&a->memory, ea, hint) | (ea & 1));
}

/* The word as the table owner meant it, so that traces agree on every host; pointers to LXT arrays
 * in canonical form. */
static uint64_t table_word(struct sim_afu *a, uint64_t value)
{
    uint64_t word = hal_swap64(sim_table_order(a), value), canonical = word;

    return sim_memory_known(&a->memory, word, &canonical) ? canonical : word;
}

/* The RHT entry that a store goes to, as it is with it. */
static void tell_rht_store(struct sim_afu *a, uint16_t context, uint64_t ea, uint64_t value)
{
    struct afu_rht_entry with;

    if (sim_memory_read(ea - ea % AFU_RHT_ENTRY_SIZE, &with, sizeof with))
        return;
    with.word[ea / sizeof value % 2] = value;
    sim_strict_rht_store(&a->strict, a->engine->now, context, ea, sim_table_order(a), &with);
}

void sim_bus_table_store(struct sim_afu *a, uint64_t thread, const void *addr, uint64_t value)
{
    struct sim_memory_hint hint = {0};
    uint16_t context;

    if (sim_watched_by(a))
        sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_STORE,
                                          .thread = thread,
                                          .ea = (uintptr_t)addr,
                                          .value = value});
    if (sim_strict_in_rht(&a->strict, (uintptr_t)addr, &context))
        tell_rht_store(a, context, (uintptr_t)addr, value);
    else
        sim_strict_lxt_store(&a->strict, (uintptr_t)addr);
    if (a->tracing)
        sim_record(a, SIM_EVENT_TABLE_STORE, 0,
                   sim_memory_canonical(&a->memory, (uintptr_t)addr, &hint), table_word(a, value));
}

void sim_bus_table_stored(struct sim_afu *a)
{
    if (sim_watched_by(a))
        sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_STORED});
}

void sim_bus_publish(struct sim_afu *a, uint64_t thread, uint64_t stores)
{
    sim_strict_publish(&a->strict);
    sim_record(a, SIM_EVENT_PUBLISH, 0, stores, 0);
    if (sim_watched_by(a))
        sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_PUBLISH, .thread = thread});
}

void sim_bus_note(struct sim_afu *a, uint64_t thread, uint32_t what, uint64_t v, uint64_t w)
{
    fault_plan_note(&a->faults, what, v, w);
    sim_record(a, SIM_EVENT_NOTE, what, v, w);
    if (sim_watched_by(a))
        sim_tell(
            a,
            &(struct sim_watched){
                .what = SIM_WATCH_NOTE, .thread = thread, .number = what, .value = v, .other = w});
}

uint16_t sim_bus_card(const struct sim_afu *a) { return (uint16_t)a->params.card; }

uint64_t sim_bus_now(const struct sim_afu *a) { return a->engine->now; }
