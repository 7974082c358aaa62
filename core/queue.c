/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue.h"

#include <errno.h>

#include "core/pause.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define CHECK_INTERVAL SPIPE__MILLISECOND /* between two looks at events: they are system calls */
#define NO_TIMEOUT (EXEC_FOREVER / 2)     /* added to any clock it does not overflow */

enum {
    EVENTS_AT_ONCE = 16, /* a storm of events must not stop the poller (AD-88) */
    RESET_POLLS = 11,    /* with pauses of 1, 2, 4 .. 1024 us (AD-115) */
    MEMORY_ALIGN = 4096, /* locked pages hold nothing else */
};

/* ---- life ---- */

static bool config_valid(const struct spipe__queue_config *c)
{
    return c->depth >= 1 && c->depth <= SPIPE__QUEUE_DEPTH_MAX && c->rrq_elements > c->depth;
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

/* Memory that only the host uses. */
static int allocate_books(struct spipe__queue *q)
{
    q->slots = exec_alloc(q->exec, q->depth * sizeof *q->slots, _Alignof(struct spipe__slot));
    if (!q->slots)
        return -ENOMEM;
    q->free_mask = free_ring_size(q->depth) - 1;
    q->free_ring =
        exec_alloc(q->exec, (q->free_mask + 1) * sizeof *q->free_ring, sizeof *q->free_ring);
    if (q->free_ring)
        return 0;
    exec_free(q->exec, q->slots, q->depth * sizeof *q->slots);
    return -ENOMEM;
}

static void free_books(struct spipe__queue *q)
{
    exec_free(q->exec, q->free_ring, (q->free_mask + 1) * sizeof *q->free_ring);
    exec_free(q->exec, q->slots, q->depth * sizeof *q->slots);
}

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
        .timeout_ns = NO_TIMEOUT,
    };
    int rc;

    made.sq_on = config->sq;
    if (config->timeout_ns && config->timeout_ns < NO_TIMEOUT)
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

/* Offset of a register of the context's host page: masters reach all pages, users only their own.
 */
static uint64_t host_register(const struct spipe__queue *q, uint64_t reg)
{
    return q->ctx->kind == HAL_CTX_MASTER ? AFU_HOST_BASE(q->ctx->handle) + reg : reg;
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
    memset(q->slots, 0, q->depth * sizeof *q->slots);
    for (uint32_t i = 0; i < q->depth; i++)
        q->free_ring[i] = i;
    q->free_head = 0;
    q->free_tail = q->depth;
    q->lost_count = 0;
    q->failed = 0;
}

/* What is known about credits at the start and after a context reset. */
static int64_t initial_room(const struct spipe__queue *q)
{
    return spipe__queue_is_sq(q) ? INT64_MAX : 0;
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
    q->doorbell = host_register(q, q->sq_on ? AFU_HOST_SQ_TAIL : AFU_HOST_IOARRIN);
    q->sq_at = q->sq_on ? q->sq : NULL;
    q->room = initial_room(q);
    q->gone = false;
    q->check_at = 0;
    q->expires_at = exec_now(q->exec) + q->timeout_ns;
    prepare_pairs(q);
    prepare_slots(q);
    memset(q->rrq, 0, q->config.rrq_elements * sizeof *q->rrq);
    q->rrq_at = q->rrq;
    q->rrq_base = afu_rrq_element(q->sq_on ? (uint64_t)(uintptr_t)&q->pairs[0].ioasa
                                           : (uint64_t)(uintptr_t)&q->pairs[0].ioarcb, true);
}

static uint64_t read_host(struct spipe__queue *q, uint64_t reg)
{
    return hal_reg_read64(q->ctx, host_register(q, reg));
}

static void write_host(struct spipe__queue *q, uint64_t reg, uint64_t value)
{
    hal_reg_write64(q->ctx, host_register(q, reg), value);
}

void spipe__queue_program(struct spipe__queue *q)
{
    write_host(q, AFU_HOST_ENDIAN_CTRL,
               q->order == HAL_ORDER_BIG ? AFU_ENDIAN_CTRL_BIG : AFU_ENDIAN_CTRL_LITTLE);
    write_host(q, AFU_HOST_RRQ_START, spipe__queue_rrq_start(q));
    write_host(q, AFU_HOST_RRQ_END, spipe__queue_rrq_end(q));
    if (spipe__queue_is_sq(q)) {
        write_host(q, AFU_HOST_SQ_START, spipe__queue_sq_start(q));
        write_host(q, AFU_HOST_SQ_END, spipe__queue_sq_end(q));
    }
    write_host(q, AFU_HOST_CTX_CTRL, AFU_LISN_SYNC_ERROR);
    write_host(q, AFU_HOST_INTR_MASK, AFU_INTR_MASK_NONE);
    (void)spipe__queue_refill(q);
}

/* ---- submission ---- */

/* All ones from a register that never holds them: dead, if endian_ctrl says so too. */
static bool confirm_gone(struct spipe__queue *q)
{
    if (read_host(q, AFU_HOST_ENDIAN_CTRL) == HAL_ALL_ONES)
        q->gone = true;
    return q->gone;
}

bool spipe__queue_refill(struct spipe__queue *q)
{
    uint64_t value = read_host(q, AFU_HOST_CMD_ROOM);

    if (value == HAL_ALL_ONES)
        confirm_gone(q);
    /* What is negative as a signed number counts as none, all ones included (AD-67). */
    q->room = (int64_t)value > 0 ? (int64_t)value : 0;
    if (spipe__queue_is_sq(q))
        q->room = initial_room(q); /* the register means nothing in this mode (SL 10.2) */
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

/* ---- completion ---- */

void spipe__queue_stray(struct spipe__queue *q, uint64_t off)
{
    uint64_t slot = off / sizeof(struct afu_cmd_pair);

    q->counters.stray_elements++;
    if (off % sizeof(struct afu_cmd_pair) == 0 && slot < q->depth && q->slots[slot].status)
        q->counters.late_elements++;
    if (off + q->rrq_base == HAL_ALL_ONES || off + (q->rrq_base ^ 1) == HAL_ALL_ONES)
        confirm_gone(q); /* FK-11: memory that reads all ones is a sign of a dead adapter */
}

uint32_t spipe__queue_next_failed(struct spipe__queue *q, int *status)
{
    uint32_t slot = q->failed - 1;

    q->failed = q->slots[slot].next;
    *status = q->slots[slot].status;
    return slot;
}

/* ---- now and then ---- */

static bool is_busy(const struct spipe__queue *q, uint32_t slot)
{
    return q->slots[slot].deadline != 0;
}

static void make_lost(struct spipe__queue *q, uint32_t slot, int status)
{
    q->slots[slot].deadline = 0;
    q->slots[slot].status = status;
    q->lost_count++;
}

/* Makes a busy slot lost and queues it for spipe__queue_next(). */
static void fail(struct spipe__queue *q, uint32_t slot, int status)
{
    make_lost(q, slot, status);
    q->slots[slot].next = 0;
    if (q->failed)
        q->slots[q->failed_last].next = slot + 1;
    else
        q->failed = slot + 1;
    q->failed_last = slot;
}

void spipe__queue_abandon(struct spipe__queue *q, uint32_t slot)
{
    CHECK(slot < q->depth && is_busy(q, slot));
    make_lost(q, slot, -ETIMEDOUT);
}

static void fail_all(struct spipe__queue *q)
{
    for (uint32_t slot = 0; slot < q->depth; slot++)
        if (is_busy(q, slot))
            fail(q, slot, -EIO);
}

static bool inside(uint64_t address, uint64_t start, uint64_t length)
{
    /* The AFU moves whole lines, so a fault may show the start of the line. */
    start &= ~(uint64_t)(AFU_CMD_PAIR_ALIGN - 1);
    return address >= start && address - start < length + AFU_CMD_PAIR_ALIGN - 1;
}

/* Whether `address` is in the buffer or in the command pair of a slot. */
static bool owns(const struct spipe__queue *q, uint32_t slot, uint64_t address)
{
    const struct afu_cmd_pair *pair = &q->pairs[slot];
    const struct afu_ioarcb *rcb = &pair->ioarcb;
    uint64_t length = xe32_get(q->order, rcb->data_len);

    return (length && inside(address, xe64_get(q->order, rcb->data_ea), length)) ||
           address - (uint64_t)(uintptr_t)pair < sizeof *pair;
}

/* The longest waiting one, if several commands use the same buffer. */
static uint32_t owner_of(const struct spipe__queue *q, uint64_t address)
{
    uint32_t found = SPIPE__SLOT_NONE;

    for (uint32_t slot = 0; slot < q->depth; slot++) {
        if (!is_busy(q, slot) || !owns(q, slot, address))
            continue;
        if (found == SPIPE__SLOT_NONE || q->slots[slot].deadline < q->slots[found].deadline)
            found = slot;
    }
    return found;
}

static void data_storage_event(struct spipe__queue *q, uint64_t address)
{
    uint32_t slot = owner_of(q, address);

    if (slot == SPIPE__SLOT_NONE) {
        q->counters.unknown_faults++;
        return;
    }
    q->counters.faults++;
    fail(q, slot, -EIO);
}

/* Counts and clears; the command that was dropped ends by its time-out. */
static void sync_error(struct spipe__queue *q)
{
    uint64_t status = read_host(q, AFU_HOST_INTR_STATUS);

    if (status == HAL_ALL_ONES) {
        confirm_gone(q);
        return;
    }
    status &= AFU_INTR_ALL;
    q->counters.sync_errors += hal_bit_count(status);
    if (status)
        write_host(q, AFU_HOST_INTR_CLEAR, status);
}

void spipe__queue_event(struct spipe__queue *q, const struct hal_event *event)
{
    switch (event->kind) {
    case HAL_EVENT_NONE:
        break;
    case HAL_EVENT_AFU_INTERRUPT:
        if (event->number == AFU_LISN_SYNC_ERROR)
            sync_error(q);
        else if (event->number == AFU_LISN_ASYNC)
            q->counters.async_events++;
        break;
    case HAL_EVENT_DATA_STORAGE:
        data_storage_event(q, event->address);
        break;
    case HAL_EVENT_DEVICE_LOST:
        q->gone = true;
        break;
    }
    if (q->gone)
        fail_all(q); /* nothing of them is going to post */
}

static void look_at_events(struct spipe__queue *q)
{
    struct hal_event event;
    int rc;

    for (unsigned i = 0; i < EVENTS_AT_ONCE && !q->gone; i++) {
        rc = hal_event_wait(q->ctx, 0, &event);
        if (event.kind == HAL_EVENT_NONE)
            break;
        spipe__queue_event(q, &event);
        if (rc)
            break;
    }
}

/* Fails what has expired, and finds the earliest deadline of the rest. A command sent later cannot
 * have an earlier one than `now` plus the time-out. */
static void expire(struct spipe__queue *q, uint64_t now)
{
    uint64_t earliest = now + q->timeout_ns;

    for (uint32_t slot = 0; slot < q->depth; slot++) {
        if (!is_busy(q, slot))
            continue;
        if (q->slots[slot].deadline <= now) {
            q->counters.timeouts++;
            fail(q, slot, -ETIMEDOUT);
        } else {
            earliest = hal_min64(earliest, q->slots[slot].deadline);
        }
    }
    q->expires_at = earliest;
}

void spipe__queue_check(struct spipe__queue *q, uint64_t now)
{
    q->check_at = now + CHECK_INTERVAL;
    look_at_events(q);
    if (q->gone)
        fail_all(q);
    if (now >= q->expires_at)
        expire(q, now);
}

void spipe__queue_idle(struct spipe__queue *q)
{
    uint64_t now;

    hal_progress(q->ctx);
    if (spipe__queue_in_use(q) == 0)
        return;
    now = exec_now(q->exec);
    if (now >= q->check_at)
        spipe__queue_check(q, now);
}

uint64_t spipe__queue_deadline(const struct spipe__queue *q)
{
    return spipe__queue_in_use(q) == 0 || q->timeout_ns == NO_TIMEOUT ? EXEC_FOREVER
                                                                      : q->expires_at;
}

/* ---- context reset ---- */

static void report(const struct spipe__slot *s, void (*fn)(void *arg, uint64_t tag), void *arg)
{
    if (fn)
        fn(arg, s->tag);
}

void spipe__queue_flush(struct spipe__queue *q, void (*fn)(void *arg, uint64_t tag), void *arg)
{
    bool lost;
    int status;
    uint32_t slot;

    /* Empties the RRQ as well: no element may survive the re-use of its slot. */
    while ((slot = spipe__queue_next(q, &lost, &status)) != SPIPE__SLOT_NONE) {
        report(&q->slots[slot], fn, arg);
        if (!lost)
            spipe__queue_done(q, slot);
    }
    for (slot = 0; slot < q->depth; slot++) {
        struct spipe__slot *s = &q->slots[slot];
        if (is_busy(q, slot))
            report(s, fn, arg);
        if (is_busy(q, slot) || s->status)
            spipe__queue_done(q, slot);
        s->deadline = 0;
        s->status = 0;
    }
    q->lost_count = 0;
    q->room = initial_room(q);
}

int spipe__queue_reset(struct spipe__queue *q)
{
    uint64_t reg = spipe__queue_is_sq(q) ? AFU_HOST_SQ_CTX_RESET : AFU_HOST_IOARRIN;

    write_host(q, reg, AFU_CTX_RESET);
    for (unsigned i = 0; i < RESET_POLLS; i++) {
        if (!(read_host(q, reg) & AFU_CTX_RESET))
            return 0;
        spipe__pause(q->exec, SPIPE__MICROSECOND << i);
    }
    return -ETIMEDOUT;
}
