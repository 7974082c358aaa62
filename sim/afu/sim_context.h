/* SPDX-License-Identifier: Apache-2.0 */
/* A context of the adapter: its state, and what the blocks do for one: doorbells and submission
 * queue, interrupts, reset. Included through sim_afu.h. */
#ifndef SIM_AFU_SIM_CONTEXT_H
#define SIM_AFU_SIM_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_engine.h"
#include "sim/sim_fault.h"
#include "sim/sim_memory.h"

#define SIM_CONTEXTS_MAX 512
#define SIM_FAULTS_QUEUED 16
#define SIM_LISN_MAX 3

struct sim_afu;
struct sim_cmd;

/** A data-storage fault on its way to the program. */
struct sim_storage_fault {
    uint64_t address, dsisr;
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

/** An interrupt message that is going to be sent, and what goes wrong with it. */
struct sim_message {
    bool wanted; /* it would not collapse into one on its way */
    enum sim_effect effect;
    uint64_t arg;
};

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

#endif
