/* SPDX-License-Identifier: Apache-2.0 */
/* The I/O of one client: choosing, sending, completing, checking. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/progress.h"
#include "tools/stamp.h"
#include "tools/workload_client.h"

#define HARVEST 32
#define CHOICE_TRIES 8 /* draws of an address before a client waits for a completion instead */
#define SLEEP_NS UINT64_C(50000000)         /* a sleeper looks up at least so often */
#define POISON UINT64_C(0xDEADBEEFDEADBEEF) /* before a read: data that never arrived shows */

static const char *const verb[] = {[WORKLOAD_READ] = "read", [WORKLOAD_WRITE] = "write"};

/* ---- blocks -----------------------------------------------------------------------------------
 */

static struct stamp stamp_of(const struct workload_client *c, unsigned lun, uint64_t block,
                             uint32_t state)
{
    return (struct stamp){
        .run = c->load->run,
        .adapter = (uint16_t)c->adapter,
        .client = (uint16_t)c->number,
        .lun = (uint16_t)lun,
        .block = block,
        .generation = state & BLOCK_GENERATION,
    };
}

static bool is_free(const struct workload_lun *lun, uint64_t lba, uint32_t blocks)
{
    if (!lun->state)
        return true;
    for (uint32_t i = 0; i < blocks; i++)
        if (lun->state[lba + i] & BLOCK_BUSY)
            return false;
    return true;
}

static void set_busy(struct workload_client *c, const struct workload_slot *slot, bool busy)
{
    uint32_t *state = c->luns[slot->lun].state;

    for (uint32_t i = 0; state && i < slot->blocks; i++) {
        uint32_t *s = &state[slot->lba + i];

        *s = busy ? *s | BLOCK_BUSY : *s & ~BLOCK_BUSY;
    }
}

static void fill_for_write(struct workload_client *c, const struct workload_slot *slot)
{
    uint32_t *state = c->luns[slot->lun].state;

    for (uint32_t i = 0; state && i < slot->blocks; i++) {
        uint32_t *s = &state[slot->lba + i];
        struct stamp stamp;

        *s = (*s & BLOCK_BUSY) | ((*s + 1) & BLOCK_GENERATION);
        stamp = stamp_of(c, slot->lun, slot->lba + i, *s);
        stamp_fill(slot->buffer + (size_t)i * c->block_size, c->stamp_bytes, &stamp);
    }
}

static void poison_for_read(struct workload_client *c, const struct workload_slot *slot)
{
    for (uint32_t i = 0; c->load->config->verify && i < slot->blocks; i++)
        *(uint64_t *)(slot->buffer + (size_t)i * c->block_size) = POISON;
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static void prepare(struct workload_client *c, const struct workload_slot *chosen)
{
    uint32_t number = c->free_slots[--c->free_count];
    struct workload_slot *slot = &c->slots[number];
    uint8_t *buffer = slot->buffer;

    *slot = *chosen;
    slot->buffer = buffer;
    set_busy(c, slot, true);
    if (slot->direction == WORKLOAD_WRITE)
        fill_for_write(c, slot);
    else
        poison_for_read(c, slot);
    c->pending[c->pending_count++] = (struct spipe_io){
        .tag = number,
        .lba = slot->lba,
        .buffer = slot->buffer,
        .blocks = slot->blocks,
        .handle = c->luns[slot->lun].handle,
        .op = slot->direction == WORKLOAD_WRITE ? SPIPE_WRITE : SPIPE_READ,
    };
}

static uint32_t draw_size(struct workload_client *c)
{
    const struct block_mix *mix = &c->load->config->mix;
    uint64_t at = hal_prng_below(&c->random, mix->weight_total);
    unsigned i = 0;

    while (at >= mix->part[i].weight)
        at -= mix->part[i++].weight;
    return mix->part[i].bytes / c->block_size;
}

/* Draws an I/O whose blocks are free. False: better wait for one that is in flight. */
static bool draw_io(struct workload_client *c, struct workload_slot *io)
{
    const struct workload_config *config = c->load->config;

    for (int i = 0; i < CHOICE_TRIES; i++) {
        const struct workload_lun *lun;

        io->lun = (uint16_t)hal_prng_below(&c->random, config->handles);
        io->blocks = draw_size(c);
        lun = &c->luns[io->lun];
        io->lba = hal_prng_below(&c->random, lun->blocks / io->blocks) * io->blocks;
        io->direction =
            hal_prng_below(&c->random, 100) < config->read_percent ? WORKLOAD_READ : WORKLOAD_WRITE;
        if (is_free(lun, io->lba, io->blocks))
            return true;
    }
    return false;
}

/* Hands over what is prepared. */
static void submit(struct workload_client *c, uint64_t now)
{
    int taken;

    if (!c->pending_count || c->lost)
        return;
    taken = spipe_submit(c->ctx, c->pending, c->pending_count);
    if (taken == -ENODEV && c->load->config->recover) {
        c->lost = true;
        return;
    }
    if (taken < 0) {
        c->rc = taken;
        snprintf(c->why, sizeof c->why, "client %u: its queue takes no more I/O (%s)", c->number,
                 strerror(-taken));
        return;
    }
    for (int i = 0; i < taken; i++)
        c->slots[c->pending[i].tag].started_ns = now;
    c->in_flight += (unsigned)taken;
    c->pending_count -= (unsigned)taken;
    memmove(c->pending, c->pending + taken, c->pending_count * sizeof *c->pending);
}

/* ---- checking ---------------------------------------------------------------------------------
 */

static void report_mismatch(struct workload_client *c, const struct workload_slot *slot,
                            const void *data, const struct stamp *expected)
{
    struct workload_result *r = c->result;

    progress_error(c->load->progress);
    if (r->mismatches++)
        return;
    snprintf(r->first_mismatch, sizeof r->first_mismatch,
             "client %u read a wrong block%s (adapter %u, LUN %u, virtual LUN %u): ", c->number,
             slot->reading_back ? " when reading back" : "", c->adapter, c->lun, slot->lun);
    stamp_explain(data, c->stamp_bytes, expected, r->first_mismatch + strlen(r->first_mismatch),
                  sizeof r->first_mismatch - strlen(r->first_mismatch));
}

/* A block that this run never wrote: zeros on new media; on others anything but a block of this
 * run. Returns whether it is right; *known is false if nobody can tell. */
static bool check_unwritten(const struct workload_client *c, const void *data, bool *known)
{
    struct stamp found;

    if (stamp_is_blank(data, c->stamp_bytes))
        return true;
    if (c->load->config->blank || *(const uint64_t *)data == POISON)
        return false;
    *known = false;
    return stamp_read(data, c->stamp_bytes, &found) == STAMP_NONE || found.run != c->load->run;
}

static void check_block(struct workload_client *c, const struct workload_slot *slot, uint32_t i)
{
    uint64_t block = slot->lba + i;
    uint32_t state = c->luns[slot->lun].state[block];
    const uint8_t *data = slot->buffer + (size_t)i * c->block_size;
    struct stamp expected = stamp_of(c, slot->lun, block, state);
    bool known = !(state & BLOCK_UNKNOWN), right = true;

    if (!known)
        right = *(const uint64_t *)data != POISON;
    else if (!expected.generation)
        right = check_unwritten(c, data, &known);
    else
        right = stamp_matches(data, c->stamp_bytes, &expected);
    if (!right)
        report_mismatch(c, slot, data, &expected);
    else if (known)
        c->result->verified++;
    else
        c->result->unverified++;
}

static void check_read(struct workload_client *c, const struct workload_slot *slot)
{
    if (!c->load->config->verify)
        return;
    for (uint32_t i = 0; i < slot->blocks; i++)
        check_block(c, slot, i);
    if (slot->reading_back)
        c->result->read_back += slot->blocks;
}

/* ---- completing -------------------------------------------------------------------------------
 */

static void report_error(struct workload_client *c, const struct workload_slot *slot,
                         const struct workload_status *status)
{
    struct workload_result *r = c->result;
    char text[160];

    progress_error(c->load->progress);
    if (r->errors++)
        return;
    snprintf(r->first_error, sizeof r->first_error,
             "client %u: %s of block %llu of its virtual LUN %u failed: %s", c->number,
             verb[slot->direction], (unsigned long long)slot->lba, slot->lun,
             workload_status_text(status, text, sizeof text));
}

static void mark_unknown(struct workload_client *c, const struct workload_slot *slot)
{
    uint32_t *state = c->luns[slot->lun].state;

    for (uint32_t i = 0; state && i < slot->blocks; i++)
        state[slot->lba + i] |= BLOCK_UNKNOWN;
}

static void count_bad(struct workload_client *c, const struct workload_slot *slot,
                      const struct spipe_completion *done, const struct workload_status *status)
{
    if (workload_io_lost(c, done)) {
        c->lost = true;
        c->result->lost++;
    } else {
        report_error(c, slot, status);
        c->result->direction[slot->direction].failed++;
    }
    if (slot->direction == WORKLOAD_WRITE)
        mark_unknown(c, slot);
}

static void count_good(struct workload_client *c, const struct workload_slot *slot, uint64_t now)
{
    struct workload_direction *d = &c->result->direction[slot->direction];

    if (slot->reading_back)
        return;
    c->ended_ns = now;
    d->ios++;
    d->bytes += (uint64_t)slot->blocks * c->block_size;
    histogram_record(&d->latency, now - slot->started_ns);
}

static void complete(struct workload_client *c, const struct spipe_completion *done, uint64_t now)
{
    struct workload_slot *slot = &c->slots[done->tag];
    struct workload_status status = {
        .status = done->status,
        .afu_rc = done->afu_rc,
        .scsi_rc = done->scsi_rc,
        .fc_rc = done->fc_rc,
        .sense_key = done->sense_key,
        .asc = done->asc,
        .ascq = done->ascq,
    };

    c->in_flight--;
    workload_count_status(c->result, &status, 1);
    if (done->status) {
        count_bad(c, slot, done, &status);
        if (done->status == -ETIMEDOUT)
            return; /* the AFU may still move its data: neither buffer nor blocks are used again */
    } else {
        count_good(c, slot, now);
        if (slot->direction == WORKLOAD_READ)
            check_read(c, slot);
    }
    set_busy(c, slot, false);
    c->free_slots[c->free_count++] = (uint32_t)done->tag;
}

/* ---- loops ------------------------------------------------------------------------------------
 */

/* Nothing came back: sleeps for an interrupt, if the context has them. */
static void wait_for_news(struct workload_client *c)
{
    int rc;

    if (!c->load->config->interrupts || !c->in_flight)
        return;
    rc = spipe_wait(c->ctx, exec_now(c->load->session->exec) + SLEEP_NS);
    if (rc == -EIO && c->load->config->recover) {
        c->lost = true;
    } else if (rc == -EIO && !c->rc) {
        c->rc = rc;
        snprintf(c->why, sizeof c->why, "client %u: its context was lost", c->number);
    }
}

static void harvest(struct workload_client *c)
{
    struct spipe_completion done[HARVEST];
    uint64_t bytes = 0, now;
    unsigned n = spipe_poll(c->ctx, done, HARVEST);

    if (!n) {
        progress_tick(c->load->progress, session_now(c->load->session) - c->load->start_ns, 0, 0);
        wait_for_news(c);
        return;
    }
    now = session_now(c->load->session);
    for (unsigned i = 0; i < n; i++) {
        bytes += (uint64_t)c->slots[done[i].tag].blocks * c->block_size;
        complete(c, &done[i], now);
    }
    progress_tick(c->load->progress, now - c->load->start_ns, n, bytes);
}

static bool stopped(const struct workload_client *c)
{
    return c->rc || (c->load->config->stop && *c->load->config->stop);
}

void workload_client_load(struct workload_client *c)
{
    bool filling = true;

    while (filling || c->in_flight || (c->pending_count && !c->rc)) {
        uint64_t now = session_now(c->load->session);
        struct workload_slot io = {0};

        filling = filling && now < c->load->end_ns && !stopped(c);
        while (filling && c->free_count && draw_io(c, &io))
            prepare(c, &io);
        submit(c, now);
        if (c->rc && !c->in_flight)
            break;
        if (filling && !c->in_flight && !c->pending_count && !c->free_count)
            break; /* every slot was lost to a time-out */
        harvest(c);
        workload_client_recover(c);
    }
}

/* The next run of blocks that were written, as one read. False at the end. */
static bool next_written(struct workload_client *c, struct workload_slot *io)
{
    const struct workload_config *config = c->load->config;
    uint32_t most = workload_buffer_bytes(config) / c->block_size;

    for (; c->back_lun < config->handles; c->back_lun++, c->back_block = 0) {
        const struct workload_lun *lun = &c->luns[c->back_lun];
        uint64_t at = c->back_block, n = 0;

        while (at < lun->blocks &&
               (!(lun->state[at] & BLOCK_GENERATION) || lun->state[at] & BLOCK_BUSY))
            at++;
        while (at + n < lun->blocks && n < most && lun->state[at + n] & BLOCK_GENERATION &&
               !(lun->state[at + n] & BLOCK_BUSY))
            n++;
        c->back_block = at + n;
        if (!n)
            continue;
        *io = (struct workload_slot){.lba = at,
                                     .blocks = (uint32_t)n,
                                     .lun = (uint16_t)c->back_lun,
                                     .direction = WORKLOAD_READ,
                                     .reading_back = true};
        return true;
    }
    return false;
}

void workload_client_read_back(struct workload_client *c)
{
    bool more = c->load->config->verify;

    while (!stopped(c) && (more || c->in_flight || c->pending_count)) {
        struct workload_slot io;

        while (more && c->free_count) {
            more = next_written(c, &io);
            if (more)
                prepare(c, &io);
        }
        submit(c, session_now(c->load->session));
        if (more && !c->in_flight && !c->pending_count && !c->free_count)
            break;
        harvest(c);
        workload_client_recover(c);
    }
    while (c->in_flight && !c->rc)
        harvest(c);
}
