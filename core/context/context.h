/* SPDX-License-Identifier: Apache-2.0 */
/* One user context: a process element of the AFU, its RHT, its queue pair, the LUNs that are
 * attached and the handles that are open. Shared inside core only.
 *
 * Life: a context is in the list `all` of its adapter as long as it has memory. It has ended when
 * its last LUN was detached; whoever still has it pinned then finds out when it gets the lock. The
 * last one to unpin it frees it.
 *
 * Thread rules: `lock` guards everything but the first group of members, which belongs to the
 * thread that does the I/O of the context, and the group that the books guard. `block_shift` is
 * read by the I/O thread and written by control verbs of any thread, one byte at a time. The lock
 * is taken by spipe__ctx_enter() and its neighbours only. */
#ifndef CORE_CONTEXT_H
#define CORE_CONTEXT_H

#include "core/adapter/adapter.h"
#include "core/command/queue.h"
#include "core/vlun/rht.h"

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

    /* never changes */
    struct spipe *s;
    struct spipe_client *client;
    uint8_t permissions; /* AFU_PERM_, of every handle (INV-10) */
    unsigned interrupts; /* that its hardware context starts with */
    bool queued;         /* `queue` is its queue pair; else the application has one of its own */

    /* guarded by the books */
    struct spipe_ctx *next, *all_next, *all_previous; /* of the same client; in s->all */
    struct spipe__file
        *file;       /* NULL: the context itself owns hal, else core/context/adapter_file.h */
    uint64_t cookie; /* context_id of the binary requests (SP-27..SP-30) */
    unsigned pins;   /* who uses it, or is about to */

    /* control path */
    struct exec_mutex lock;
    bool ended;
    bool errored; /* lost (SP-159): no syncs, and `hal` reads all ones */
    struct hal_ctx *hal;
    uint16_t number;     /* context handle, index in s->contexts; also read by who pinned it */
    uint64_t generation; /* of the adapter, when the context was registered */
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
 * Makes a context, registers it with the AFU, and puts it into the table: SP-42, 43, 44, 46, 48.
 *
 * @param c      client that will own it
 * @param setup  how
 * @param lun    attached to it from the start
 * @param out    receives the context, entered: spipe__ctx_leave()
 * @return       0; -EINVAL for bad options; -ENOMEM; -ENODEV without a context left; -EPERM for a
 *               number beyond the AFU's; -EAGAIN if the capability did not stick; or what
 *               hal_ctx_start() says. Everything is undone on failure (SP-51)
 *
 * The caller is inside the gate, and the state is NORMAL.
 */
HAL_MUST_CHECK int spipe__ctx_create(struct spipe_client *c, const struct spipe__ctx_setup *setup,
                                     unsigned lun, struct spipe_ctx **out);

/** Ends an entered context without open handles: AD-164, SP-77. Its file, if it has one, keeps the
 * hardware context and the RHT. */
void spipe__ctx_end(struct spipe_ctx *ctx);

/** Stops and frees a hardware context, lost or not; NULL is ignored. */
void spipe__ctx_stop(struct hal_ctx *hal);

/* ---- who uses it ---- */

/** Pins a context and takes its lock. False, and neither, if it has ended. The caller holds no
 * lock of core and knows that the context has memory: its own verb is about it. */
HAL_MUST_CHECK bool spipe__ctx_enter(struct spipe_ctx *ctx);

/** The same for the destination of a CLONE, after the source. */
HAL_MUST_CHECK bool spipe__ctx_enter_second(struct spipe_ctx *ctx);

/** The same as the first for one that was found, and pinned, with the books locked. */
HAL_MUST_CHECK bool spipe__ctx_enter_pinned(struct spipe_ctx *ctx);

/** Finds a context of `owner` by its cookie (SP-30, SP-31) and enters it; NULL if there is none, or
 * if it is lost and `lost_too` is false. `second`: the caller has entered one already (CLONE). */
struct spipe_ctx *spipe__ctx_find(struct spipe_client *owner, uint64_t cookie, bool lost_too,
                                  bool second);

/** Finds a healthy context of the parent of `child` (SP-107) and enters it; NULL if there is none,
 * or no parent any more. The parent may end meanwhile: who only has the child must not touch it. */
struct spipe_ctx *spipe__ctx_find_of_parent(struct spipe_client *child, uint64_t cookie);

/** Gives lock and pin back, and frees a context that has ended. */
void spipe__ctx_leave(struct spipe_ctx *ctx);

/** Lets others have the lock for a while; the pin stays. */
void spipe__ctx_pause(struct spipe_ctx *ctx);

/** Takes the lock again. False if the context has ended meanwhile; the lock is held anyway. */
HAL_MUST_CHECK bool spipe__ctx_resume(struct spipe_ctx *ctx);

/** Pins the context behind `ctx` in s->all, the first one for NULL, and unpins `ctx`; NULL after
 * the last. For walks over all contexts, which enter each. The caller holds no lock. */
struct spipe_ctx *spipe__ctx_next(struct spipe *s, struct spipe_ctx *ctx);

/* ---- registration with the AFU ---- */

/**
 * Makes and starts a hardware context and registers it with the AFU: SP-43, SP-44, SP-46.
 *
 * @param ctx  its RHT is what the AFU gets
 * @param out  receives the hardware context
 * @return     as spipe__ctx_create()
 */
HAL_MUST_CHECK int spipe__ctx_register(struct spipe_ctx *ctx, struct hal_ctx **out);

/** Makes a registered hardware context that of `ctx` and gives it a cookie (SP-48, SP-94). */
void spipe__ctx_bind(struct spipe_ctx *ctx, struct hal_ctx *hal, uint64_t upper);

/** The AFU is about to be reset: takes the hardware away, and the place in the table (SP-155,
 * AD-160). The context is entered. */
void spipe__ctx_lose(struct spipe_ctx *ctx);

/** Whether LUN number `lun` is attached; false for any number that is none. */
static inline bool spipe__ctx_has_lun(const struct spipe_ctx *ctx, unsigned lun)
{
    return lun < SPIPE__LUNS_MAX && (ctx->luns[lun / 64] >> lun % 64 & 1);
}

/** What an open handle stands for, or NULL (SP-34). */
static inline struct spipe__resource *spipe__ctx_resource(const struct spipe_ctx *ctx,
                                                          uint32_t handle)
{
    return handle < SPIPE__RHT_SIZE ? ctx->resource[handle] : NULL;
}

#endif
