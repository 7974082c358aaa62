/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/queue.h"

#include <errno.h>

#include "core/command/queue_internal.h"
#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/hot.h"

enum { MEMORY_ALIGN = 4096 }; /* locked pages hold nothing else */

/* ---- life ---- */

static bool config_valid(const struct spipe__queue_config *c)
{
    return c->depth >= 1 && c->depth <= SPIPE__QUEUE_DEPTH_MAX &&
           (c->rrq_elements > c->depth || spipe__mutant(D_19));
}

static size_t pairs_size(const struct spipe__queue_config *c)
{
    return c->depth * sizeof(struct afu_cmd_pair);
}

static size_t ring_bytes(const struct spipe__queue_config *c)
{
    return c->sq ? (c->depth + 1) * sizeof(struct afu_ioarcb) : 0;
}

static uint32_t free_ring_size(uint32_t depth)
{
    return depth == 1 ? 1 : UINT32_C(1) << (hal_highest_bit(depth - 1) + 1);
}

/* Memory that only the host uses: slots, and behind them what the ring of free ones has more. */
static size_t books_size(const struct spipe__queue *q)
{
    return ((size_t)q->free_mask + 1) * sizeof *q->slots;
}

static int allocate_books(struct spipe__queue *q)
{
    q->free_mask = free_ring_size(q->depth) - 1;
    q->slots = exec_alloc(q->exec, books_size(q), _Alignof(struct spipe__slot));
    return q->slots ? 0 : -ENOMEM;
}

static void free_books(struct spipe__queue *q) { exec_free(q->exec, q->slots, books_size(q)); }

/* Memory that the AFU reads and writes: pairs, ring, RRQ. */
static int allocate_shared(struct spipe__queue *q)
{
    size_t pairs_and_ring = pairs_size(&q->config) + ring_bytes(&q->config);
    size_t size = pairs_and_ring + q->config.rrq_elements * sizeof *q->rrq;
    int rc;

    q->memory_size = hal_align_up(size, AFU_CMD_PAIR_ALIGN);
    q->memory = exec_alloc(q->exec, q->memory_size, MEMORY_ALIGN);
    if (!q->memory)
        return -ENOMEM;
    rc = hal_mem_register(q->dev, q->memory, q->memory_size, q->config.name);
    if (rc) {
        exec_free(q->exec, q->memory, q->memory_size);
        return rc;
    }
    q->pairs = q->memory;
    if (q->config.sq)
        q->sq = (struct afu_ioarcb *)(q->pairs + q->depth);
    q->rrq = (uint64_t *)((char *)q->memory + pairs_and_ring);
    q->rrq_last = q->rrq + q->config.rrq_elements - 1;
    return 0;
}

int spipe__queue_init(struct spipe__queue *q, struct exec *exec, struct hal_dev *dev,
                      const struct spipe__queue_config *config)
{
    struct spipe__queue made = {
        .exec = exec,
        .dev = dev,
        .config = *config,
        .depth = config->depth,
        .order = config->order,
        .timeout_ns = SPIPE__QUEUE_NO_TIMEOUT,
    };
    int rc;

    made.sq_on = config->sq;
    if (config->timeout_ns && config->timeout_ns < SPIPE__QUEUE_NO_TIMEOUT)
        made.timeout_ns = config->timeout_ns;
    if (!config_valid(config))
        return -EINVAL;
    rc = allocate_books(&made);
    if (rc)
        return rc;
    rc = allocate_shared(&made);
    if (rc) {
        free_books(&made);
        return rc;
    }
    *q = made;
    return 0;
}

void spipe__queue_fini(struct spipe__queue *q)
{
    hal_mem_release(q->dev, q->memory);
    exec_free(q->exec, q->memory, q->memory_size);
    free_books(q);
    *q = (struct spipe__queue){0};
}

static void prepare_pairs(struct spipe__queue *q)
{
    memset(q->pairs, 0, pairs_size(&q->config));
    for (uint32_t i = 0; i < q->depth; i++) {
        struct afu_ioarcb *rcb = &q->pairs[i].ioarcb;

        rcb->ctx_id = xe16_of(q->order, q->ctx->handle);
        rcb->msi = q->config.interrupts ? AFU_LISN_RRQ : AFU_LISN_NONE;
        rcb->timeout = xe16_of(q->order, q->config.afu_timeout);
        if (q->sq_on)
            rcb->ioasa = xe64_of(q->order, (uint64_t)(uintptr_t)&q->pairs[i].ioasa);
    }
}

static void prepare_slots(struct spipe__queue *q)
{
    memset(q->slots, 0, books_size(q));
    for (uint32_t i = 0; i < q->depth; i++)
        q->slots[i].free = i;
    q->free_head = 0;
    q->free_tail = q->depth;
    q->lost_count = 0;
    q->failed = 0;
}

void spipe__queue_set_sq(struct spipe__queue *q, bool on)
{
    CHECK(!on || q->config.sq);
    q->sq_on = on;
}

void spipe__queue_bind(struct spipe__queue *q, struct hal_ctx *ctx)
{
    CHECK(ctx->started);
    q->ctx = ctx;
    q->doorbell = spipe__queue_register(q, q->sq_on ? AFU_HOST_SQ_TAIL : AFU_HOST_IOARRIN);
    q->sq_at = q->sq_on ? q->sq : NULL;
    q->room = spipe__queue_initial_room(q);
    q->gone = false;
    q->check_at = 0;
    q->expires_at = exec_now(q->exec) + q->timeout_ns;
    prepare_pairs(q);
    prepare_slots(q);
    if (!spipe__mutant(D_6))
        memset(q->rrq, 0, q->config.rrq_elements * sizeof *q->rrq);
    q->rrq_at = q->rrq;
    q->rrq_base = afu_rrq_element(q->sq_on ? (uint64_t)(uintptr_t)&q->pairs[0].ioasa
                                           : (uint64_t)(uintptr_t)&q->pairs[0].ioarcb,
                                  true);
}

void spipe__queue_program(struct spipe__queue *q)
{
    spipe__queue_write(q, AFU_HOST_ENDIAN_CTRL,
                       q->order == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG : AFU_ENDIAN_CTRL_LITTLE);
    spipe__queue_write(q, AFU_HOST_RRQ_START, spipe__queue_rrq_start(q));
    spipe__queue_write(q, AFU_HOST_RRQ_END, spipe__queue_rrq_end(q));
    if (spipe__queue_is_sq(q)) {
        spipe__queue_write(q, AFU_HOST_SQ_START, spipe__queue_sq_start(q));
        spipe__queue_write(q, AFU_HOST_SQ_END, spipe__queue_sq_end(q));
    }
    spipe__queue_write(q, AFU_HOST_CTX_CTRL, AFU_LISN_SYNC_ERROR);
    spipe__queue_write(q, AFU_HOST_INTR_MASK, AFU_INTR_MASK_NONE);
    (void)spipe__queue_refill(q);
}

/* ---- submission ---- */

HAL_HOT bool spipe__queue_refill(struct spipe__queue *q)
{
    uint64_t value = spipe__queue_read(q, AFU_HOST_CMD_ROOM);

    if (value == HAL_ALL_ONES)
        spipe__queue_confirm_gone(q);
    /* What is negative as a signed number counts as none, all ones included (AD-67). */
    q->room = (int64_t)value > 0 ? (int64_t)value : 0;
    if (spipe__queue_is_sq(q))
        q->room =
            spipe__queue_initial_room(q); /* the register means nothing in this mode (SL 10.2) */
    return q->room > 0;
}

uint64_t spipe__queue_push(struct spipe__queue *q, const struct afu_cmd_pair *pair)
{
    *q->sq_at = pair->ioarcb;
    q->sq_at = q->sq_at == q->sq + q->depth ? q->sq : q->sq_at + 1;
    return (uint64_t)(uintptr_t)q->sq_at;
}

void spipe__queue_fill(struct spipe__queue *q, uint32_t slot, const struct spipe__command *command)
{
    struct afu_ioarcb *rcb = &q->pairs[slot].ioarcb;

    rcb->req_flags = xe16_of(q->order, command->flags);
    rcb->res_hndl = xe32_of(q->order, command->target);
    rcb->lun_id = xe64_of(q->order, command->lun_id);
    rcb->data_len = xe32_of(q->order, command->data_length);
    rcb->data_ea = xe64_of(q->order, command->data_ea);
    rcb->timeout = xe16_of(q->order, command->timeout);
    memcpy(rcb->cdb, command->cdb.bytes, sizeof rcb->cdb);
}
