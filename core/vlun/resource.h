/* SPDX-License-Identifier: Apache-2.0 */
/* Resource handles: what an RHT entry in use stands for, and what both kinds have in common. Shared
 * inside core only.
 *
 *   vlun.h    virtual LUNs, format 0
 *   direct.h  whole LUNs, format 1
 *
 * Thread rules: the caller has entered the context (core/context/context.h), which guards
 * everything but the group of members that the books guard. */
#ifndef CORE_RESOURCE_H
#define CORE_RESOURCE_H

#include "core/context/context.h"
#include "core/vlun/quarantine.h"

/** One open handle. It belongs to its slot in a context; one that is closed while something of it
 * is quarantined belongs to the quarantine. */
struct spipe__resource {
    struct spipe__held held; /* its lun, context and handle are those of the resource */
    uint8_t kind;            /* SPIPE_LUN_VIRTUAL or SPIPE_LUN_PHYSICAL */
    uint8_t permissions;     /* AFU_PERM_ */
    uint64_t lineage;        /* the same for handles that may name the same chunks (INV-5) */

    uint8_t port; /* direct */

    /* virtual */
    struct spipe__lxt lxt;
    uint32_t size; /* chunks; lxt_cnt of the entry */
    bool wipe;     /* its chunks are sticky (core/lun/wipe.h) */

    /* guarded by the books */
    struct spipe__resource *next, *previous; /* in lun->open */
    uint64_t first_chunk;                    /* virtual; SPIPE__NO_CHUNK for size 0 */
    char name[SPIPE_NAME_MAX + 1];           /* that the size is recorded under; "" = none */
};

#define SPIPE__NO_CHUNK UINT64_MAX

/**
 * Takes the lowest free handle of which nothing is quarantined, and the LUN for it: handle, memory,
 * LUN claim, in that order (SP-35, R-34). The RHT entry is still to be written.
 *
 * @param ctx   context, not errored
 * @param lun   attached to ctx
 * @param kind  SPIPE_LUN_VIRTUAL or SPIPE_LUN_PHYSICAL
 * @param out   receives the resource; end it with spipe__resource_drop()
 * @return      0; -EMFILE; -ENOMEM; what spipe__lun_claim() says. Nothing is changed on failure
 */
HAL_MUST_CHECK int spipe__resource_take(struct spipe_ctx *ctx, struct spipe__lun *lun, uint8_t kind,
                                        struct spipe__resource **out);

/**
 * The same for one given handle, as CLONE needs it.
 *
 * @param handle       free in ctx, below SPIPE__RHT_SIZE
 * @param permissions  AFU_PERM_ of the handle
 * @return             0; -EAGAIN if the AFU may still know something else by this handle
 *                     (vlun.md 15.1); -ENOMEM; what spipe__lun_claim() says
 */
HAL_MUST_CHECK int spipe__resource_take_at(struct spipe_ctx *ctx, struct spipe__lun *lun,
                                           uint8_t kind, uint32_t handle, uint8_t permissions,
                                           struct spipe__resource **out);

/** Sets array and size of a virtual LUN, which the AFU has been shown. */
void spipe__resource_set(struct spipe_ctx *ctx, struct spipe__resource *v,
                         const struct spipe__lxt *lxt, uint32_t size);

/** Gives handle and LUN back. The RHT entry is free already. If something is quarantined, the
 * quarantine frees the resource later. */
void spipe__resource_drop(struct spipe_ctx *ctx, struct spipe__resource *r);

#endif
