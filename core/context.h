/* SPDX-License-Identifier: Apache-2.0 */
/* One user context: a process element of the AFU, its RHT, its queue pair, the LUNs that are
 * attached and the handles that are open. Shared inside core only.
 *
 * Thread rules: the control lock of the adapter guards everything but the first group of members,
 * which belongs to the thread that does the I/O of the context. `block_shift` is read by that
 * thread and written by control verbs of any thread, one byte at a time. */
#ifndef CORE_CONTEXT_H
#define CORE_CONTEXT_H

#include "core/adapter.h"
#include "core/queue.h"
#include "core/rht.h"

enum {
    SPIPE__CTX_INTERRUPTS = 4, /* what clients ask for on bare metal (SP-43, R-7) */
    SPIPE__CTX_DEPTH = 64,     /* default */
};

struct spipe_client;
struct spipe__resource;

struct spipe_ctx {
    /* data path */
    struct spipe__queue queue;
    unsigned in_flight;                   /* submitted, not yet returned by spipe_poll */
    uint8_t block_shift[SPIPE__RHT_SIZE]; /* log2 of the block size; 0 = no such handle */

    /* control path */
    struct spipe *s;
    struct spipe_client *client;
    struct spipe_ctx *next;   /* of the same client */
    struct hal_ctx *hal;      /* NULL while errored */
    struct spipe__file *file; /* NULL: the context itself owns hal, else core/adapter_file.h */
    uint64_t cookie;          /* context_id of the binary requests (SP-27..SP-30) */
    uint16_t number;          /* context handle, index in s->contexts */
    bool queued;         /* `queue` is its queue pair; else the application has one of its own */
    bool errored;        /* the AFU is losing or has lost the context (SP-159): no syncs */
    uint64_t generation; /* of the adapter, when the context was registered */
    uint8_t permissions; /* AFU_PERM_, of every handle (INV-10) */
    struct spipe__rht rht;
    struct spipe__resource *resource[SPIPE__RHT_SIZE]; /* by handle; NULL = not open */
    uint64_t luns[SPIPE__LUNS_MAX / 64];               /* attached ones, a bit each */
    unsigned lun_count;
};

/** How a context is made. */
struct spipe__ctx_setup {
    uint8_t permissions;                        /* AFU_PERM_ */
    unsigned interrupts;                        /* that the hardware context starts with */
    const struct spipe_attach_options *options; /* of its queue; NULL: it gets none */
};

/** That of a context whose data path is spipe_submit and spipe_poll. */
static inline struct spipe__ctx_setup
spipe__ctx_setup_of(const struct spipe_attach_options *options)
{
    return (struct spipe__ctx_setup){
        .permissions = (uint8_t)((options->no_read ? 0 : AFU_PERM_READ) |
                                 (options->no_write ? 0 : AFU_PERM_WRITE)),
        .interrupts = SPIPE__CTX_INTERRUPTS,
        .options = options,
    };
}

/**
 * Makes a context and registers it with the AFU: SP-42, 43, 44, 46, 48.
 *
 * @param s      adapter
 * @param setup  how
 * @param out    receives the context, without any LUN; end it with spipe__ctx_destroy()
 * @return       0; -EINVAL for bad options; -ENOMEM; -ENODEV without a context left or a master;
 *                 -EPERM for a number beyond the AFU's; -EAGAIN if the capability did not stick
 *                 or what hal_ctx_start() says. Everything is undone on failure (SP-51)
 */
HAL_MUST_CHECK int spipe__ctx_create(struct spipe *s, const struct spipe__ctx_setup *setup,
                                     struct spipe_ctx **out);

/** Ends a context without open handles and frees it: AD-164, SP-77. Its file, if it has one, keeps
 * the hardware context and the RHT. */
void spipe__ctx_destroy(struct spipe_ctx *ctx);

/** Stops and frees a hardware context; NULL is ignored. */
void spipe__ctx_stop(struct hal_ctx *hal);

/** Whether LUN number `lun` is attached; false for any number that is none. */
static inline bool spipe__ctx_has_lun(const struct spipe_ctx *ctx, unsigned lun)
{
    return lun < ctx->s->lun_count && (ctx->luns[lun / 64] >> lun % 64 & 1);
}

/** What an open handle stands for, or NULL (SP-34). */
static inline struct spipe__resource *spipe__ctx_resource(const struct spipe_ctx *ctx,
                                                          uint32_t handle)
{
    return handle < SPIPE__RHT_SIZE ? ctx->resource[handle] : NULL;
}

#endif
