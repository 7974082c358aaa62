/* SPDX-License-Identifier: Apache-2.0 */
/* State of one simulated adapter, shared by the blocks of the model (sim_*.c) and by nobody else:
 * drivers see sim_bus.h, tests sim_control.h.
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
#include "sim/sim_engine.h"
#include "sim/sim_fault.h"
#include "sim/sim_memory.h"
#include "sim/sim_params.h"
#include "sim/sim_scsi.h"
#include "sim/sim_strict.h"
#include "sim/sim_trace.h"
#include "sim/sim_watch.h"
#include "sim/world.h"

#define SIM_PORTS_MAX 4
#define SIM_CONTEXTS_MAX 512
#define SIM_SLOTS_MAX 256
#define SIM_MMIO_RING 256
#define SIM_LUN_TABLE_WORDS 512
#define SIM_FAULTS_QUEUED 16
#define SIM_LINE 128u
#define SIM_LISN_MAX 3
#define SIM_SEGMENTS_MAX 2 /* chunks that 16 MiB touch at most; more: sim_cmd.rest */

struct sim_afu;
struct sim_internal;

/** A data-storage fault on its way to the program. */
struct sim_storage_fault {
    uint64_t address, dsisr;
};

/** A resource that serves one after the other, in order of request. */
struct sim_stage {
    uint64_t free; /* cycle from which it serves the next (event engine) */
    uint16_t id;   /* SIM_STAGE_... */
};

enum {                     /* ids */
       SIM_STAGE_PORT = 0, /* three a port: command frames, data in, data out */
       SIM_STAGE_CARD = 3 * SIM_PORTS_MAX,
       SIM_STAGE_LUN,
       SIM_STAGES = SIM_STAGE_LUN + SIM_MEDIA_LUNS_MAX
};

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

/** One process element. Exists while the context exists (created .. released). */
struct sim_ctx {
    /* What every command touches comes first, in two cache lines: with hundreds of contexts each of
     * them comes from memory. */
    struct sim_afu *afu;
    uint16_t handle;
    bool started, master, lost;
    bool toggle; /* of the RRQ */
    bool resetting, reset_ones, cap_unlocked;
    uint8_t order;      /* enum hal_order */
    uint32_t in_flight; /* command slots */
    uint32_t elements;  /* RRQ elements written, running number */
    uint64_t wake_key;
    uint64_t added_at; /* cycle from which its accesses are taken */

    /* doorbells not yet fetched: ring of afu.cmd_room entries */
    uint64_t *bells;
    uint32_t bell_head, bell_count;

    uint32_t lisn_pending;                 /* bit per LISN */
    uint16_t storage_count, storage_ready; /* of storage below */
    uint64_t rrq_end, rrq_at;
    uint64_t rht_start, rht_cnt_id, ctx_cap; /* control map (SL 3) */
    uint64_t sq_head, sq_tail;               /* see below */

    uint64_t rrq_start;

    /* SQ mode: slots from sq_head up to, excluding, sq_tail are not yet fetched; both are slots of
     * the ring sq_base .. sq_end, which a write to sq_end makes current */
    uint64_t sq_start, sq_base, sq_end;

    /* the rest of host transport map (SL 2) and control map */
    uint64_t endian_ctrl, intr_status, intr_mask, lisn_sync, mbox;
    uint64_t lisn_pasid[2], lisn_ea[SIM_LISN_MAX];
    unsigned interrupts; /* granted */
    struct sim_event reset_event;

    /* interrupts: message under way, delivered and not yet read */
    struct sim_event lisn_event[SIM_LISN_MAX + 1];
    struct sim_event storage_event;
    struct sim_event events_event; /* pending: a fault keeps the program from reading */
    struct sim_storage_fault storage[SIM_FAULTS_QUEUED];

    struct sim_memory_hint command_hint, data_hint, rrq_hint; /* of addresses in records */
};

enum sim_cmd_state {
    SIM_CMD_FREE,
    SIM_CMD_FETCH,
    SIM_CMD_WALK_RHT,
    SIM_CMD_WALK_LXT,
    SIM_CMD_BUFFER_QUEUE, /* waits for a data buffer */
    SIM_CMD_PORT,
    SIM_CMD_MEDIA_QUEUE,
    SIM_CMD_MEDIA,
    SIM_CMD_LOST, /* sent to the target, but a fault lets no answer come, or not yet */
    SIM_CMD_DATA,
    SIM_CMD_AFU,   /* internal command at work */
    SIM_CMD_DRAIN, /* heavy-weight sync waiting for commands */
    SIM_CMD_STATUS,
    SIM_CMD_STUCK, /* a fault holds it for ever */
};

/** Context of violations that nobody in particular is to blame for. */
#define SIM_NOBODY UINT32_MAX

/** A contiguous piece of a command on one LUN of one port. */
struct sim_segment {
    uint64_t lun_id, lba;
    uint32_t blocks;
    uint8_t lun_index; /* of an LXT word, until the port is chosen */
    bool whole;        /* the CDB goes to the LUN as it is: lun_id is set, lba and blocks are not */
};

/** Status of a command, before it becomes an IOASA. */
struct sim_status {
    uint32_t resid;
    struct afu_rc rc;
    uint8_t afu_extra;
    bool answer; /* resid and sense hold the answer of an AFU command, not sense data */
    uint8_t sense[SIM_SCSI_SENSE_BYTES];
};

/** What planned faults do to the data and the answer of one command. Zero it for none. */
struct sim_fault_plan {
    uint64_t value;    /* "changed byte" (sim_sites.def) of what a read is going to bring */
    uint32_t hole_at;  /* bytes of the segment from here on ... */
    uint32_t hole;     /* ... so many do not arrive */
    uint32_t lost;     /* bytes by which the data of the segment are short, or too long */
    uint32_t elements; /* RRQ elements of the context when its own was held back */
    uint8_t loss;      /* enum sim_loss */
    uint8_t damage;    /* enum sim_damage */
    bool wrong;        /* `value` applies */
    bool no_response;  /* the target carries it out and its answer is lost */
};

enum sim_loss {
    SIM_LOSS_NONE,
    SIM_LOSS_NOTICED,   /* port and target agree: RESID, underrun */
    SIM_LOSS_UNNOTICED, /* the target thinks that all arrived: RESIDERR */
    SIM_LOSS_TOO_MANY,  /* the target sent more: RESID, overrun */
    SIM_LOSS_DMA,       /* between card and host: underrun */
};

/** Lies of the medium that only contents tell (FK-48). */
enum sim_damage {
    SIM_DAMAGE_NONE,
    SIM_DAMAGE_BIT,         /* one bit is changed */
    SIM_DAMAGE_LOST_WRITE,  /* nothing is written */
    SIM_DAMAGE_WRONG_BLOCK, /* the neighbour is read or written */
    SIM_DAMAGE_TORN_WRITE,  /* the first half is written */
};

/** The bus command that the PSL did not carry out (sim_psl.h). */
struct sim_psl_fault {
    uint8_t code;   /* enum afu_psl_code; 0 = none */
    uint8_t access; /* enum sim_psl_access */
};

/** The time-out of a command, in a ring in order of expiry. */
struct sim_expiry {
    uint64_t cycle; /* 0 = none */
    struct sim_expiry *before, *after;
};

/** One command slot. */
struct sim_cmd {
    struct sim_event event; /* the next step */
    struct sim_afu *afu;
    struct sim_ctx *ctx;
    struct sim_expiry expiry;
    struct sim_cmd *next_waiting; /* for a data buffer, or a place on the medium */
    uint64_t fault_address;
    uint64_t media_extra; /* cycles that a fault adds on the medium */
    uint16_t slot;
    uint8_t state;
    /* what is 0 when the slot is taken; goes on below */
    uint8_t port, ports; /* chosen, candidates */
    uint8_t bad_frames;  /* a fault damages so many data frames of this exchange */
    bool media_stuck;    /* a fault keeps it on the medium for ever */
    bool interrupted;    /* a fault has sent its interrupt before its element */
    bool has_buffer;     /* a data buffer of the card */
    bool translated;     /* holds a translation of (ctx, handle) */
    bool draining;       /* a heavy-weight sync waits for it */
    bool restart_walk;   /* a sync hit a table walk in progress */
    bool rht_half;       /* one word of the entry is here (rht.fetch) */
    bool entry_valid;    /* entry was read for this command */
    bool sq;             /* fetched from the SQ */
    uint8_t lxt_which;   /* LXT words read so far */
    uint8_t segments, segment;

    uint8_t msi;
    uint16_t ctx_id, flags, timeout_field;

    /* IOARCB, decoded; from here on a free slot may hold anything (sim_holes.c) */
    uint64_t ea;       /* of the IOARCB */
    uint64_t ioasa_ea; /* behind the IOARCB, or where an SQ slot says */
    uint64_t lun_id, data_ea;
    uint32_t res_hndl; /* or port mask */
    uint32_t data_len;

    /* translation */
    uint64_t lxt[SIM_SEGMENTS_MAX], vlba;
    struct sim_segment part[SIM_SEGMENTS_MAX];
    uint64_t rht_word;
    struct afu_rht_entry entry;

    struct sim_scsi_request rq;
    struct sim_scsi_result rs;

    /* what is 0 when the slot is taken, up to the sense data */
    uint64_t hold_until; /* cycle to which a fault keeps its RRQ element back at most */
    uint64_t late;       /* cycles by which a fault makes its IOASA late */
    struct sim_fault_plan plan;
    struct sim_psl_fault psl;
    uint32_t part_offset; /* bytes of earlier segments */
    uint32_t rest;        /* blocks behind its segments that a WRITE SAME has still to change */
    struct sim_status status;
};

/** An interrupt message that is going to be sent, and what goes wrong with it. */
struct sim_message {
    bool wanted; /* it would not collapse into one on its way */
    enum sim_effect effect;
    uint64_t arg;
};

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

/** Online means logged in at the target; in the states behind GOING_UP the link is up, but the port
 * is not logged in. */
enum sim_link_state {
    SIM_LINK_ONLINE,
    SIM_LINK_GOING_DOWN,
    SIM_LINK_OFFLINE,
    SIM_LINK_GOING_UP,
    SIM_LINK_FLOGI, /* waits for the fabric's answer */
    SIM_LINK_PLOGI, /* waits for the target's answer */
    SIM_LINK_LOGGED_OUT,
};

/** The registers of a port that hold a value of their own, and those that are computed. */
enum sim_port_reg {
#define SIM_PORT_REG(name, access) SIM_FC_##name,
#include "sim/sim_port_regs.def"
#undef SIM_PORT_REG
    SIM_PORT_REG_COUNT
};

/** An armed fault injection of a port (SL 17.4). */
struct sim_injection {
    uint8_t type; /* enum afu_fc_errinj, 0 = none */
    bool parity, always;
    uint16_t interval; /* commands of its kind to let pass before one is hit */
    uint16_t left;
};

/** One FC port: link machine, registers, pipeline stages. */
struct sim_port {
    struct sim_afu *afu;
    uint8_t number;
    uint8_t link;
    bool shutdown_active, shutdown_complete, shutdown_abrupt;
    struct sim_injection injection;
    struct sim_stage command, in, out;
    struct sim_event link_event, shutdown_event;
    uint64_t reg[SIM_PORT_REG_COUNT]; /* unused where sim_register_port.c computes */
    uint64_t lasting_errors;          /* bits of FC_ERROR that come back until the link is reset */
    uint64_t echo_since;              /* cycle up to which the loop-back counters are up to date */
    bool user_reset;                  /* by FC_CONFIG, until the link is up again */
    bool comes_back;                  /* when it is down */
    bool fell;                        /* the link, not only the login, since it was online */
    uint32_t flaps;                   /* planned: so many times it falls when it is logged in */
    bool waits_for_config;            /* the link is up, FC_CONFIG says not to log in */
    uint64_t lun_table[SIM_LUN_TABLE_WORDS];
};

/** Operations of one LUN on the medium. */
struct sim_media_stage {
    struct sim_stage interval; /* from one to the next */
    uint32_t busy;
    struct sim_cmd *first, *last; /* waiting */
};

/** One entry of the translation cache: an RHT entry or an LXT word. */
struct sim_xlt_entry {
    uint64_t tag; /* 0 = empty */
    uint64_t word[2];
    uint64_t kept; /* flag: a fault lets it outlive a sync */
};

enum sim_platform_step {
    SIM_PLATFORM_CALM,
    SIM_PLATFORM_TELLS, /* an event is on its way to the host, or was not read */
    SIM_PLATFORM_ASKS,  /* the host has read it, and is to answer */
    SIM_PLATFORM_RESETS,
    SIM_PLATFORM_GONE, /* nothing will happen any more */
};

#define SIM_PLATFORM_PLANS 4

/** Something that is going to happen to the slot: sim_afu_platform_at(). */
struct sim_platform_plan {
    struct sim_event event;
    struct sim_afu *afu;
    enum sim_effect effect;
    uint64_t arg;
};

/** The platform around the slot. */
struct sim_platform {
    uint8_t slot;         /* enum sim_slot */
    uint8_t step;         /* enum sim_platform_step */
    uint8_t event, next;  /* enum sim_bus_platform_event: can be read; is on its way */
    uint8_t stubborn;     /* argument of the freeze: its slot reset never ends, or does not help */
    bool again;           /* frozen once more since the slot was reset */
    struct sim_event due; /* `next`, or the end of the slot reset */
    struct sim_platform_plan plan[SIM_PLATFORM_PLANS];
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

static inline struct sim_cmd *sim_cmd_of(struct sim_event *ev)
{
    return HAL_CONTAINER_OF(ev, struct sim_cmd, event);
}

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

/** WRITE SAME(16) sends one block, whatever its range is: every segment has all of the data. */
static inline bool sim_cmd_is_same(const struct sim_cmd *c) { return c->rq.cdb[0] == 0x93; }

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

/* What planned faults do is kept apart from the way of every command: in a function of its own, so
 * that the fast path needs no registers for it (PB-7). */
#define SIM_COLD __attribute__((cold, noinline))

/* On the way of every command, though planned faults call it too. */
#define SIM_IN_LINE __attribute__((always_inline))

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

/* sim_fetch.c */
void sim_doorbell(struct sim_ctx *ctx, uint64_t value);
uint64_t sim_cmd_room(struct sim_ctx *ctx);
void sim_fetch_ready(struct sim_ctx *ctx); /* the context has something to fetch */
void sim_fetch_idle(struct sim_ctx *ctx);  /* it has not, any more */
void sim_fetch_kick(struct sim_afu *a);    /* something to fetch, or a free slot, may be there */
void sim_fetch_one(struct sim_afu *a);     /* not without either */
void sim_fetch_ioarcb(struct sim_cmd *c);  /* reads its IOARCB, maybe not for the first time */
void sim_doorbell_record(struct sim_ctx *ctx, uint64_t value);        /* it was taken; trace on */
SIM_COLD bool sim_bell_planned(struct sim_ctx *ctx, uint64_t *value); /* taken, or changed */
void sim_doorbells_drop(struct sim_ctx *ctx); /* and what stands in the SQ */

/* sim_sq.c: the submission queue (SL 10.2) */
bool sim_sq_present(const struct sim_afu *a);
void sim_sq_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value);
uint64_t sim_sq_read(const struct sim_ctx *ctx, uint64_t offset);
static inline bool sim_sq_empty(const struct sim_ctx *ctx) { return ctx->sq_head == ctx->sq_tail; }
uint64_t sim_sq_take(struct sim_ctx *ctx);          /* address of the next slot; not when empty */
uint64_t sim_sq_waiting(const struct sim_ctx *ctx); /* slots not yet fetched */

/** Commands of a context that were submitted and have not ended. */
static inline uint64_t sim_under_way(const struct sim_ctx *ctx)
{
    return (sim_sq_empty(ctx) ? 0 : sim_sq_waiting(ctx)) + ctx->bell_count + ctx->in_flight;
}

/* sim_erat.c: cycles that the PSL needs to translate; only with xlate.entries */
uint64_t sim_erat_cycles(struct sim_ctx *ctx, uint64_t ea, uint64_t bytes);
void sim_erat_forget(const struct sim_ctx *ctx); /* the context ends */

/* sim_decode.c */
void sim_decode(struct sim_event *ev);

/* sim_timeout.c: time-outs that IOARCBs ask for */
void sim_timeout_init(struct sim_afu *a);
void sim_timeout_start(struct sim_cmd *c, uint64_t cycles);
void sim_timeout_stop(struct sim_cmd *c);
void sim_timeout_expired(struct sim_cmd *c);

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

/* sim_port.c: c->part and c->ports are set */
void sim_port_command(struct sim_cmd *c);
bool sim_port_for_task(struct sim_cmd *c);    /* c->ports is set; false: none is up, it has ended */
void sim_port_data_out(struct sim_cmd *c);    /* the data are on the card: link, then medium */
void sim_port_leave_media(struct sim_cmd *c); /* a command that ends early gives its place back */
void sim_media_stage_reset(struct sim_afu *a, unsigned lun); /* nothing of it is in flight */
bool sim_media_place(const struct sim_afu *a, unsigned lun); /* somebody waits and may start */
void sim_media_start_waiting(struct sim_afu *a);
uint64_t sim_ports_present(const struct sim_afu *a);

/** The command is somewhere between the queue of a port and its answer. */
static inline bool sim_cmd_at_port(const struct sim_cmd *c)
{
    return c->state >= SIM_CMD_PORT && c->state <= SIM_CMD_DATA;
}

/* sim_register_port.c */
void sim_port_reset(struct sim_port *p, struct sim_afu *a, unsigned number);

/* sim_link.c */
void sim_link_offline(struct sim_port *p);
void sim_link_online(struct sim_port *p);
void sim_link_reset(struct sim_port *p, bool comes_back);
void sim_link_configured(struct sim_port *p);             /* FC_CONFIG may now ask to log in */
void sim_link_logout(struct sim_port *p, uint64_t again); /* by the target, for so many cycles */
void sim_port_shutdown(struct sim_port *p, bool abrupt);
bool sim_link_is_up(const struct sim_port *p);
bool sim_link_usable(const struct sim_port *p); /* for a new command */
void sim_links_settle(struct sim_afu *a); /* something that sim_link_quiet() knows has changed */
/** The way it nearly always is: logged in, nothing going on. Then it is usable, and nothing lost.
 */
static inline bool sim_link_quiet(const struct sim_afu *a, unsigned port)
{
    return a->links_quiet >> port & 1;
}
uint8_t sim_link_lost(const struct sim_port *p); /* fc_rc that ends commands in flight, or 0 */

/* sim_frame.c: what crosses the link of a port, counted (SL 5.3) */
void sim_frame_login(struct sim_port *p);
void sim_frame_login_reply(struct sim_port *p);
void sim_frame_link_lost(struct sim_port *p);
void sim_frame_port_reset(struct sim_port *p);
void sim_frame_command(const struct sim_cmd *c);
void sim_frame_accepted(const struct sim_cmd *c);       /* the target works on it */
bool sim_frame_data(struct sim_cmd *c, uint64_t bytes); /* true: damaged, the command has ended */
void sim_frame_response(const struct sim_cmd *c);
void sim_frame_aborted(const struct sim_cmd *c);
void sim_frame_timed_out(const struct sim_cmd *c);
void sim_port_error(struct sim_port *p, uint64_t bits);         /* happens, once */
void sim_port_error_lasting(struct sim_port *p, uint64_t bits); /* until the link is reset */
void sim_port_error_clear(struct sim_port *p, uint64_t bits);

/* sim_inject.c: fault injection by registers (SL 17.4) */
void sim_inject_arm(struct sim_port *p);
void sim_inject_parity(struct sim_port *p);
bool sim_inject(struct sim_cmd *c); /* true: the command has ended */
static inline bool sim_inject_armed(const struct sim_port *p)
{
    return (p->injection.type | p->injection.parity) != 0;
}

/* sim_echo.c: loop-back test */
void sim_echo_settle(struct sim_port *p); /* brings the counters up to now */

/* sim_buffer.c: data buffers */
bool sim_buffer_take(struct sim_cmd *c);  /* false: it waits or has ended */
void sim_buffer_leave(struct sim_cmd *c); /* a command that ends while it waits */
void sim_buffer_free(struct sim_cmd *c);
bool sim_buffer_wanted(const struct sim_afu *a); /* somebody waits and may have one */
void sim_buffer_serve(struct sim_afu *a);

/* sim_target_fault.c: planned faults of exchanges and media */
bool sim_exchange_fault(struct sim_cmd *c, uint64_t arg); /* fc=s; true: it has ended */
void sim_segment_shorten(struct sim_cmd *c, enum sim_loss loss, uint64_t bytes);
void sim_media_plan(struct sim_cmd *c); /* before the data of a segment move */
void sim_loss_merge(struct sim_cmd *c);
int sim_target_finish(struct sim_cmd *c, sim_media_sink *sink, sim_media_source *source);

/* sim_data.c */
void sim_data_again(struct sim_cmd *c); /* the transfer of a segment from its beginning */
void sim_data_in(struct sim_cmd *c);    /* link has delivered: card to host */
void sim_data_out(struct sim_cmd *c);   /* host to card */
int sim_data_finish(struct sim_cmd *c); /* moves the bytes; -EFAULT with c->fault_address */

/* sim_status.c */
void sim_ioasa_send(struct sim_cmd *c);
void sim_rrq_send(struct sim_cmd *c);
void sim_status(struct sim_cmd *c); /* c->status is set: IOASA, RRQ, interrupt, slot */
void sim_status_afu(struct sim_cmd *c, uint8_t afu_rc, uint8_t afu_extra);
void sim_segment_done(struct sim_cmd *c);     /* c->rs is final: next segment or status */
void sim_segment_done_now(struct sim_cmd *c); /* same, the time to build a status has passed */
void sim_cmd_drop(struct sim_cmd *c);         /* leaves its slot without posting */
void sim_cmd_abort(struct sim_cmd *c);
void sim_abort_context(struct sim_ctx *ctx);

/* sim_afu_command.c */
void sim_afu_command(struct sim_cmd *c);
void sim_task_management(struct sim_cmd *c);
void sim_afu_command_gone(struct sim_cmd *c); /* aborted while at work */
void sim_drain_check(struct sim_cmd *finished);
void sim_afu_command_done(struct sim_cmd *c);
void sim_afu_command_refuse(struct sim_cmd *c, uint8_t key, uint8_t asc, uint8_t ascq);
void sim_exchange_end(struct sim_cmd *c, uint8_t fc_rc); /* early; it is at a port */
void sim_lun_abort(struct sim_afu *a, unsigned lun);     /* ends its commands */
void sim_drain_over(struct sim_afu *a); /* nobody drains any more: the sync is done */

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

/* sim_lisn.c: trigger addresses of OpenCAPI */
void sim_lisn_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value);
uint64_t sim_lisn_read(struct sim_ctx *ctx, uint64_t offset);
uint64_t sim_lisn_error(const struct sim_ctx *ctx, unsigned lisn); /* bit of intr_status, or 0 */

/* sim_interrupt.c */
void sim_interrupt(struct sim_ctx *ctx, unsigned lisn); /* the two that follow, in one */
struct sim_message sim_interrupt_ask(struct sim_ctx *ctx, unsigned lisn);
void sim_interrupt_send(struct sim_ctx *ctx, unsigned lisn, struct sim_message message);
void sim_intr_status(struct sim_ctx *ctx, uint64_t bits);
void sim_intr_reevaluate(struct sim_ctx *ctx);
void sim_aintr_status(struct sim_afu *a, uint64_t bits);
void sim_aintr_reevaluate(struct sim_afu *a);
void sim_storage_fault(struct sim_ctx *ctx, uint64_t address, uint64_t store);

/* sim_context.c */
void sim_context_reset(struct sim_ctx *ctx); /* from the reset register */
void sim_afu_registers_reset(struct sim_afu *a);
void sim_afu_restart(struct sim_afu *a);    /* it is as after power-on */
void sim_context_kill(struct sim_ctx *ctx); /* dead until it is released */

/* sim_platform.c */
static inline bool sim_slot_up(const struct sim_afu *a) { return a->platform.slot == SIM_SLOT_UP; }

#endif
