/* SPDX-License-Identifier: Apache-2.0 */
/* State of one simulated adapter, shared by the blocks of the model (sim_*.c) and by nobody else:
 * drivers see sim_bus.h, tests sim_control.h. What there are several of has a header of its own,
 * with what the blocks do for one of them: sim_cmd.h, sim_context.h, sim_port.h; so has the
 * platform around the slot, sim_platform.h. All of them come with this one.
 *
 * A command passes the blocks in this order; each arrow is one event:
 *   doorbell -> fetch -> decode + translate (-> table walk) -> port -> media -> link -> data
 *   -> IOASA -> RRQ (-> interrupt)
 * The command slot embeds its one pending event. What a step waits for is said to sim_wait.h. */
#ifndef SIM_AFU_SIM_AFU_H
#define SIM_AFU_SIM_AFU_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "hal/afu_tables.h"
#include "hal/support/bits.h"
#include "hal/support/endian.h"
#include "hal/support/hot.h"
#include "hal/support/prng.h"
#include "sim/afu/sim_cmd.h"
#include "sim/afu/sim_context.h"
#include "sim/afu/sim_platform.h"
#include "sim/afu/sim_port.h"
#include "sim/sim_engine.h"
#include "sim/sim_fault.h"
#include "sim/sim_memory.h"
#include "sim/sim_params.h"
#include "sim/sim_scsi.h"
#include "sim/sim_strict.h"
#include "sim/sim_trace.h"
#include "sim/sim_watch.h"
#include "sim/world.h"

#define SIM_MMIO_RING 256
#define SIM_LINE 128u

struct sim_afu;
struct sim_internal;

enum sim_direction { SIM_BUS_READ, SIM_BUS_WRITE }; /* host memory is read, or written */

/** How a direction of the bus goes, by the parameters of now. */
struct sim_bus_rate {
    uint64_t step;    /* cycles from one command to the next */
    uint64_t latency; /* from command to response */
};

/** The rate as it was computed last, see sim_wait.h. */
struct sim_bus_pace {
    struct sim_bus_rate rate;
    bool plain; /* it holds for any transfer, and the checker knows it */
};

/** Context of violations that nobody in particular is to blame for. */
#define SIM_NOBODY UINT32_MAX

/** A posted store or a load on its way to the AFU. A cache line: indexed by every doorbell. */
struct sim_mmio {
    uint64_t cycle;  /* of arrival */
    uint64_t travel; /* cycles that it takes, if it needs not queue */
    struct sim_ctx *ctx;
    uint64_t offset;
    uint64_t value;   /* store: what is stored; load: argument of its effect */
    uint64_t *answer; /* load: where the value goes */
    bool *done;       /* load: set when *answer is there */
    enum sim_effect effect;
};
_Static_assert(sizeof(struct sim_mmio) == 64, "a power of two, which is an index shifted");

/** One entry of the translation cache: an RHT entry or an LXT word. */
struct sim_xlt_entry {
    uint64_t tag; /* 0 = empty */
    uint64_t word[2];
    uint64_t kept; /* flag: a fault lets it outlive a sync */
};

struct sim_afu_counters {
    uint64_t doorbells, fetched, completed, dropped, interrupts, misaligned_data;
    uint64_t xlt_hits, xlt_misses, bus_commands[2];
    uint64_t by_status[4]; /* good, afu_rc, scsi_rc, fc_rc */
};

struct sim_afu {
    struct sim_engine *engine;
    struct sim_trace *trace;
    struct sim_world *world;
    uint32_t number;
    bool tracing; /* trace->on */
    struct sim_params params;
    struct fault_plan faults;
    struct sim_memory memory;
    struct hal_prng latency;
    struct sim_scsi scsi;

    uint64_t record_id;                    /* what all records have: the adapter, sim_trace_id */
    void (*wake)(void *arg, uint64_t key); /* something happened to the context of this key */
    void *wake_arg;

    /* MMIO decode: constant latency, so arrivals are in order */
    struct sim_event mmio_event;
    struct sim_mmio mmio[SIM_MMIO_RING];
    uint32_t mmio_head, mmio_count;
    uint64_t mmio_soonest; /* cycle in which the next one may arrive */

    /* fetch: contexts with doorbells, served round robin */
    struct sim_event fetch_event;
    uint64_t ready[SIM_CONTEXTS_MAX / 64];
    uint32_t ready_words; /* bit w: word w is not 0 */
    uint32_t fetch_last;

    struct afu_ioarcb ioarcb; /* being decoded */

    /* by direction of the bus: cycle from which the next command can go (event engine), and how it
     * goes */
    uint64_t bus_free[2];
    struct sim_bus_pace bus_pace[2];

    struct sim_ctx *ctx[SIM_CONTEXTS_MAX];
    uint32_t ctx_open;
    uint32_t irqs_used;

    struct sim_cmd *cmds;                    /* afu.cmd_slots of them */
    struct sim_event timeout_event;          /* of the first to expire */
    struct sim_expiry expiries;              /* the head of their ring: its cycle is 0 */
    struct sim_cmd *free_cmd[SIM_SLOTS_MAX]; /* a stack */
    uint32_t free_count;
    uint32_t buffers_used; /* data buffers */

    struct sim_xlt_entry *xlt; /* afu.xlt.entries of them */
    uint64_t *erat;            /* xlate.entries of them: pages that the PSL knows */

    struct sim_cmd *buffer_first, *buffer_last; /* waiting for one */
    struct sim_event buffer_event;

    struct sim_cmd *internal; /* the one AFU command at work */
    uint32_t drain_left;
    enum sim_effect internal_effect; /* planned for it */
    uint64_t internal_arg;
    struct sim_event drain_event;
    struct sim_internal *inside; /* NULL until a mode was in force */
    uint8_t *debug_memory;       /* NULL until it is used */
    uint32_t provisioned;        /* LUNs made so far */
    uint8_t internal_mode;       /* internal LUN mode in force (SL 19), 0 = external LUNs */
    bool internal_fixed;         /* and it stays until the next reset */

    struct sim_port port[SIM_PORTS_MAX];
    uint8_t links_quiet; /* bit a port, see sim_link_quiet() */
    uint8_t port_rr;
    struct sim_stage card; /* FlashGT: from one command to the next */
    struct sim_media_stage stage[SIM_MEDIA_LUNS_MAX];
    uint64_t media_waiting[HAL_BITMAP_WORDS(SIM_MEDIA_LUNS_MAX)]; /* LUNs with commands in wait */
    struct sim_event media_event;

    /* global registers */
    uint64_t aintr_status, aintr_mask, afu_ctrl, hb, scratch, port_sel, config;
    uint64_t rrin_read_to, cont_retry_to;
    uint64_t aintr_again; /* bits that a fault raises later */
    struct sim_event aintr_event;
    bool resetting, reset_failed;
    struct sim_event reset_event;
    struct sim_platform platform;

    struct sim_afu_counters counters;
    struct sim_strict strict;
    struct sim_watch *watch; /* NULL: nobody */
};

/* ---- shared by the blocks -------------------------------------------------------------------- */

/** A record, for who has looked whether the trace is on as there is more to do for it. */
static inline __attribute__((always_inline)) void
sim_record_on(struct sim_afu *a, enum sim_event_kind kind, uint32_t who, uint64_t v, uint64_t w)
{
    sim_trace_append(a->trace, a->engine->now, sim_trace_id((uint16_t)kind, 0, who) | a->record_id,
                     v, w);
}

static inline __attribute__((always_inline)) void
sim_record(struct sim_afu *a, enum sim_event_kind kind, uint32_t who, uint64_t v, uint64_t w)
{
    if (__builtin_expect(a->tracing, 0))
        sim_record_on(a, kind, who, v, w);
}

/* Records whose first, or second, number is an address that the hint does not help with. They end
 * who calls them, which so needs to save no register. */
void sim_record_search_a(struct sim_afu *a, uint64_t id, uint64_t ea, struct sim_memory_hint *hint,
                         uint64_t w);
void sim_record_search_b(struct sim_afu *a, uint64_t id, uint64_t v, uint64_t ea,
                         struct sim_memory_hint *hint);

/** sim_record_on for a record whose first number is an address. */
static inline __attribute__((always_inline)) void
sim_record_address_a(struct sim_afu *a, enum sim_event_kind kind, uint32_t who, uint64_t ea,
                     struct sim_memory_hint *hint, uint64_t w)
{
    if (sim_memory_hint_fits(&a->memory, ea, hint))
        sim_record_on(a, kind, who, ea + hint->name, w);
    else
        sim_record_search_a(a, sim_trace_id((uint16_t)kind, 0, who), ea, hint, w);
}

/** sim_record_on for a record whose second number is an address, maybe with a mark in its lowest
 * bit. */
static inline __attribute__((always_inline)) void
sim_record_address_b(struct sim_afu *a, enum sim_event_kind kind, uint32_t who, uint64_t v,
                     uint64_t ea, struct sim_memory_hint *hint)
{
    if (sim_memory_hint_fits(&a->memory, ea, hint))
        sim_record_on(a, kind, who, v, ea + hint->name);
    else
        sim_record_search_b(a, sim_trace_id((uint16_t)kind, 0, who), v, ea, hint);
}

/** The context that owns the request: its tables translate it. It is the one that has issued it, or
 * the one that is named by proxy (SL 6, 13.1); NULL if that has ended since. */
static inline const struct sim_ctx *sim_cmd_owner(const struct sim_cmd *c)
{
    return __builtin_expect(c->ctx_id == c->ctx->handle, 1) ? c->ctx : c->afu->ctx[c->ctx_id];
}

/** Whether somebody is to be told (sim_watch.h). */
static inline bool sim_watched_by(const struct sim_afu *a)
{
    return __builtin_expect(a->watch != NULL, 0);
}

/** Tells the observer, of which there is one. */
static inline void sim_tell(const struct sim_afu *a, const struct sim_watched *w)
{
    a->watch->told(a->watch, w);
}

/** A link as it nearly always is: logged in, nothing going on. Then it is usable, and nothing lost.
 */
static inline bool sim_link_quiet(const struct sim_afu *a, unsigned port)
{
    return a->links_quiet >> port & 1;
}

/** Whether interface_version has a capability bit. All ones is an AFU older than the register. */
static inline bool sim_capable(const struct sim_afu *a, uint64_t bit)
{
    uint64_t version = a->params.interface_version;

    return version != AFU_IFV_TOO_OLD && version & bit;
}

/** Whose address space has the tables of a context (SL 3); NULL: nobody's. */
static inline struct sim_ctx *sim_table_host(const struct sim_ctx *ctx)
{
    uint16_t host = afu_rht_cnt_id_owner(ctx->rht_cnt_id);

    return host < SIM_CONTEXTS_MAX ? ctx->afu->ctx[host] : NULL;
}

/** With a plan loaded, after sim_site_planned: the effect of this hit, recorded. */
SIM_COLD enum sim_effect sim_site_armed(struct sim_afu *a, enum sim_site site, uint64_t *arg);

/** Counts one hit of a site. False nearly always: no plan is loaded. */
static inline bool sim_site_planned(struct sim_afu *a, enum sim_site site)
{
    return __builtin_expect(sim_fault_count(&a->faults, site), 0);
}

/** Asks a fault site and records what fires. */
static inline enum sim_effect sim_site(struct sim_afu *a, enum sim_site site, uint64_t *arg)
{
    if (sim_site_planned(a, site))
        return sim_site_armed(a, site, arg);
    return SIM_EFFECT_NONE;
}

/** Cycles of a planned delay, at least one: whoever asks again and again must see time pass. */
static inline uint64_t sim_late(const struct sim_afu *a, uint64_t arg)
{
    return arg ? arg : hal_max64(a->params.xlate_major, 1);
}

/** Inverts bits of one of n bytes, as the argument of a fault says ("changed byte"). */
static inline void sim_change_byte(void *bytes, size_t n, uint64_t arg)
{
    uint8_t *at = (uint8_t *)bytes + (arg >> 8) % n;

    *at ^= (uint8_t)(arg & 0xFF ? arg : 1);
}

/** Parameters, the engine, or what the checker knows of the bus are going to be others. */
static inline void sim_bus_changes(struct sim_afu *a)
{
    a->bus_pace[SIM_BUS_READ].plain = a->bus_pace[SIM_BUS_WRITE].plain = false;
}

/** Reports an access that hardware might let pass, but a correct host never makes. */
static inline void sim_violation(struct sim_afu *a, uint32_t context, enum sim_rule rule,
                                 uint64_t detail)
{
    sim_strict_breach(&a->strict, a->engine->now, rule, context, detail);
}

/* sim_holes.c: for sim_world_add_holes; arg is the machine */
size_t sim_machine_holes(void *arg, struct sim_world_hole *out, size_t max);
void sim_machine_refill(void *arg);

/* sim_mmio.c: stores and loads on their way in */
void sim_mmio_accept(struct sim_afu *a);   /* the access at the head of the queue */
void sim_mmio_forget(struct sim_ctx *ctx); /* a context ends: its accesses never arrive */

/** Cycles from one access to the next: it waits for the acknowledge (TM-8), and for the next cycle
 * where that comes at once. */
static inline uint64_t sim_mmio_pace(const struct sim_params *p)
{
    return hal_max64(p->mmio_ack, 1);
}

/* sim_register.c: what a register does */
void sim_register_write(struct sim_afu *a, struct sim_ctx *from, uint64_t offset, uint64_t value);
uint64_t sim_register_read(struct sim_afu *a, const struct sim_ctx *from, uint64_t offset);
void sim_ioarrin(struct sim_ctx *ctx, uint64_t value); /* IOARRIN of a context is written */

/* sim_translate.c */
static inline enum hal_order sim_table_order(const struct sim_afu *a) /* MD-8 */
{
    return a->config & AFU_CONFIG_ENDIAN_LITTLE ? HAL_ORDER_LITTLE : HAL_ORDER_BIG;
}
void sim_translate(struct sim_cmd *c);
void sim_translate_rest(struct sim_cmd *c);  /* of a WRITE SAME, when its segments are done */
void sim_translate_again(struct sim_cmd *c); /* goes on, or begins anew if a sync came between */
void sim_whole_command(struct sim_cmd *c, uint64_t lun_id, uint8_t ports); /* as the CDB says */
void sim_xlt_drop(struct sim_afu *a, const struct sim_ctx *ctx, uint64_t handle);
void sim_xlt_drop_but_kept(struct sim_afu *a, const struct sim_ctx *ctx, uint64_t handle);
bool sim_xlt_cached(const struct sim_afu *a, uint16_t context, uint32_t handle);

/** What an entry of the cache is about. */
struct sim_xlt_key {
    uint32_t index; /* of an LXT word */
    uint16_t context, handle;
    bool lxt;
};
bool sim_xlt_key(const struct sim_xlt_entry *e, struct sim_xlt_key *out); /* false: empty */
#define SIM_XLT_ALL_HANDLES UINT64_MAX

/* sim_internal.c: internal LUN modes (SL 19) */
/* A command is there: the registers say what it finds. */
SIM_COLD void sim_internal_fix(struct sim_afu *a);
void sim_internal_reset(struct sim_afu *a);
void sim_internal_selection_changed(struct sim_afu *a);
bool sim_internal_ready(const struct sim_afu *a); /* the memory is there */
void sim_internal_free(struct sim_afu *a);

/* sim_provision.c: LUN provision (SL 12) */
void sim_provision(struct sim_event *ev);
uint64_t sim_provision_register(const struct sim_port *p, enum sim_port_reg reg);

/* sim_debug.c: AFU debug (SL 12) */
void sim_debug(struct sim_event *ev);
void sim_debug_free(struct sim_afu *a);

/* sim_platform.c */
static inline bool sim_slot_up(const struct sim_afu *a) { return a->platform.slot == SIM_SLOT_UP; }

#endif
