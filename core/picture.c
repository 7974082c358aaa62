/* SPDX-License-Identifier: Apache-2.0 */
/* Counts first, so that the block is asked for once; then draws in the same order. */
#include "core/picture.h"

#include <assert.h>
#include <string.h>

#include "core/context.h"
#include "core/lun_size.h"
#include "core/quarantine.h"
#include "core/resource.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

static_assert((int)HAL_PICTURE_VIRTUAL == (int)SPIPE_LUN_VIRTUAL, "modes are copied");
static_assert((int)HAL_PICTURE_DIRECT == (int)SPIPE_LUN_PHYSICAL, "modes are copied");
static_assert(HAL_PICTURE_PORTS == SPIPE__PORTS_MAX, "ports are copied");

/* A picture that grows: how much of each array is there already. */
struct pen {
    struct spipe *s;
    struct hal_picture *p; /* NULL while counting */
    struct hal_picture_counts n;
};

/* ---- chunks ---- */

static struct hal_picture_span add_entries(struct pen *pen, const uint64_t *entries, uint32_t first,
                                           uint32_t last)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(pen->s);
    struct hal_picture_span span = {pen->n.chunks, last - first};

    for (uint32_t i = first; pen->p && i < last; i++)
        *hal_picture_chunk(pen->p, pen->n.chunks + i - first) =
            spipe__lxt_chunk(&home, &entries[i]);
    pen->n.chunks += last - first;
    return span;
}

/* Appends a chunk to the last run, or begins one. `own` is where the runs of the LUN begin. */
static void add_to_run(struct pen *pen, uint32_t own, struct hal_picture_run *last, uint64_t chunk,
                       unsigned references)
{
    if (pen->n.runs > own && last->first + last->count == chunk && last->references == references) {
        last->count++;
    } else {
        *last = (struct hal_picture_run){chunk, 1, references};
        pen->n.runs++;
    }
    if (pen->p)
        *hal_picture_run(pen->p, pen->n.runs - 1) = *last;
}

/* Chunks that are parked have no owner, and are in no run. */
static struct hal_picture_span add_runs(struct pen *pen, const struct spipe__lun *lun,
                                        uint64_t *parked)
{
    const struct spipe__ba *ba = lun->ba;
    struct hal_picture_run last = {0};
    uint32_t own = pen->n.runs;

    for (uint64_t word = 0; word < ba->high; word++)
        for (uint64_t bits = ~ba->level[0][word]; bits; bits &= bits - 1) {
            uint64_t chunk = word * 64 + hal_lowest_bit(bits);

            if (chunk < ba->total && spipe__lun_is_parked(lun, chunk))
                (*parked)++;
            else if (chunk < ba->total)
                add_to_run(pen, own, &last, chunk, spipe__ba_references(ba, chunk));
        }
    return (struct hal_picture_span){own, pen->n.runs - own};
}

/* Free bits of the last word that stand for no chunk. */
static uint64_t free_beyond(const struct spipe__ba *ba)
{
    unsigned used = ba->total % 64;

    return used ? hal_bit_count(ba->level[0][ba->high - 1] >> used) : 0;
}

/* ---- LUNs ---- */

static void draw_lun(struct pen *pen, const struct spipe__lun *lun, struct hal_picture_lun *out)
{
    memcpy(out->wwid, lun->wwid, sizeof out->wwid);
    memcpy(out->lun_id, lun->lun_id, sizeof out->lun_id);
    out->users = lun->users;
    out->holds = lun->holds;
    out->mode = lun->mode;
    out->ports = lun->port_mask;
    out->slot = lun->table_index;
    out->in_table = lun->in_table;
    out->allocator = lun->ba != NULL;
    if (!lun->ba)
        return;
    out->blocks = lun->ba->lba_count;
    out->total = lun->ba->total;
    out->free_count = lun->ba->free_count;
    out->free_beyond = free_beyond(lun->ba);
    out->parked = 0;
    out->runs = add_runs(pen, lun, &out->parked);
}

static void add_luns(struct pen *pen)
{
    struct hal_picture_lun nowhere = {0};

    for (unsigned i = 0; i < pen->s->lun_count; i++, pen->n.luns++)
        draw_lun(pen, &pen->s->lun[i], pen->p ? hal_picture_lun(pen->p, pen->n.luns) : &nowhere);
}

/* ---- what is quarantined ---- */

static void draw_parts(struct pen *pen, const struct spipe__held *held,
                       struct hal_picture_held *out)
{
    out->chunks.first = pen->n.chunks;
    out->arrays.first = pen->n.arrays;
    for (unsigned i = 0; i < held->parts; i++) {
        const struct spipe__held_part *part = &held->part[i];

        (void)add_entries(pen, part->entries, part->first, part->last);
        if (!part->array.entry)
            continue;
        if (pen->p)
            *hal_picture_array(pen->p, pen->n.arrays) =
                (struct hal_picture_array){(uintptr_t)part->array.entry, part->array.capacity};
        pen->n.arrays++;
    }
    out->chunks.count = pen->n.chunks - out->chunks.first;
    out->arrays.count = pen->n.arrays - out->arrays.first;
}

static void add_held(struct pen *pen)
{
    struct hal_picture_held nowhere = {0};

    for (unsigned i = 0; i < pen->s->lun_count; i++)
        for (const struct spipe__held *h = pen->s->lun[i].held; h; h = h->next, pen->n.held++) {
            struct hal_picture_held *out =
                pen->p ? hal_picture_held(pen->p, pen->n.held) : &nowhere;

            out->generation = h->generation;
            out->lun = i;
            out->handle = h->handle;
            out->context = h->context;
            draw_parts(pen, h, out);
        }
}

/* ---- contexts and handles ---- */

static void draw_handle(struct pen *pen, const struct spipe__resource *r,
                        struct hal_picture_handle *out)
{
    out->lxt = (uintptr_t)r->lxt.entry;
    out->capacity = r->lxt.capacity;
    out->lineage = r->lineage;
    out->chunks = add_entries(pen, r->lxt.entry, 0, r->size);
    out->number = r->held.handle;
    out->lun = (uint32_t)(r->held.lun - pen->s->lun);
    out->context = pen->n.contexts;
    out->kind = r->kind;
    out->permissions = r->permissions;
    out->port = r->port;
}

/* Only handles that are taken: most contexts have few. */
static struct hal_picture_span add_handles(struct pen *pen, const struct spipe_ctx *ctx)
{
    struct hal_picture_handle nowhere = {0};
    uint32_t first = pen->n.handles;

    for (unsigned word = 0; word < HAL_ARRAY_LENGTH(ctx->rht.used); word++)
        for (uint64_t bits = ctx->rht.used[word]; bits; bits &= bits - 1) {
            const struct spipe__resource *r = ctx->resource[word * 64 + hal_lowest_bit(bits)];

            if (!r)
                continue; /* INV-19 */
            draw_handle(pen, r, pen->p ? hal_picture_handle(pen->p, pen->n.handles) : &nowhere);
            pen->n.handles++;
        }
    return (struct hal_picture_span){first, pen->n.handles - first};
}

static struct hal_picture_span add_attached(struct pen *pen, const struct spipe_ctx *ctx)
{
    uint32_t first = pen->n.attached;

    for (unsigned word = 0; word < HAL_ARRAY_LENGTH(ctx->luns); word++)
        for (uint64_t bits = ctx->luns[word]; bits; bits &= bits - 1, pen->n.attached++)
            if (pen->p)
                *hal_picture_attached(pen->p, pen->n.attached) = word * 64 + hal_lowest_bit(bits);
    return (struct hal_picture_span){first, pen->n.attached - first};
}

static uint32_t taken(const struct spipe__rht *rht)
{
    uint32_t n = 0;

    for (unsigned word = 0; word < HAL_ARRAY_LENGTH(rht->used); word++)
        n += hal_bit_count(rht->used[word]);
    return n;
}

static void draw_context(struct pen *pen, const struct spipe_ctx *ctx, unsigned slot,
                         struct hal_picture_context *out)
{
    out->rht = spipe__rht_address(&ctx->rht);
    out->rht_bytes = SPIPE__RHT_SIZE * sizeof(struct afu_rht_entry);
    out->generation = ctx->generation;
    out->handles = add_handles(pen, ctx);
    out->attached = add_attached(pen, ctx);
    out->taken = taken(&ctx->rht);
    out->lun_count = ctx->lun_count;
    out->number = ctx->number;
    out->slot = (uint16_t)slot;
    out->permissions = ctx->permissions;
    out->errored = ctx->errored;
    out->control = ctx->hal != NULL;
}

static void add_contexts(struct pen *pen)
{
    struct hal_picture_context nowhere = {0};

    for (unsigned i = 0; i < SPIPE__CONTEXTS; i++) {
        if (!pen->s->contexts[i])
            continue;
        draw_context(pen, pen->s->contexts[i], i,
                     pen->p ? hal_picture_context(pen->p, pen->n.contexts) : &nowhere);
        pen->n.contexts++;
    }
}

/* ---- names ---- */

static uint32_t lun_of(struct spipe *s, const uint8_t *wwid)
{
    for (unsigned i = 0; i < s->lun_count; i++)
        if (memcmp(s->lun[i].wwid, wwid, sizeof s->lun[i].wwid) == 0)
            return i;
    return HAL_PICTURE_NONE;
}

static void draw_name(struct pen *pen, const struct spipe__cat_entry *entry,
                      struct hal_picture_name *out)
{
    out->lun = lun_of(pen->s, entry->wwid);
    out->chunks = (struct hal_picture_span){pen->n.chunks, entry->chunk_count};
    for (uint32_t i = 0; i < entry->chunk_count; i++)
        *hal_picture_chunk(pen->p, pen->n.chunks + i) = entry->chunks[i];
}

static void add_names(struct pen *pen)
{
    struct spipe__cat *cat = pen->s->catalogue;

    for (size_t i = 0; cat && i < spipe__cat_count(cat); i++, pen->n.names++) {
        const struct spipe__cat_entry *entry = spipe__cat_at(cat, i);

        if (pen->p)
            draw_name(pen, entry, hal_picture_name(pen->p, pen->n.names));
        pen->n.chunks += entry->chunk_count;
    }
}

/* ---- the whole ---- */

static void add_all(struct pen *pen)
{
    add_luns(pen);
    add_held(pen);
    add_contexts(pen);
    add_names(pen);
}

static void draw_adapter(const struct spipe *s, struct hal_picture *p)
{
    p->generation = s->generation;
    p->clients = s->clients;
    p->ports = s->ports;
    p->promote_lun_index = s->promote_lun_index;
    for (unsigned i = 0; i < SPIPE__PORTS_MAX; i++)
        p->last_lun_index[i] = s->last_lun_index[i];
    p->up = s->master != NULL;
    p->master = s->master ? s->master->handle : 0;
}

int spipe_picture_inside(struct spipe *s, struct hal_picture_room *room,
                         const struct hal_picture **out)
{
    struct pen pen = {.s = s};
    struct hal_picture *p;
    int rc;

    add_all(&pen);
    rc = hal_picture_begin(room, &pen.n, &p);
    if (rc)
        return rc;
    pen = (struct pen){.s = s, .p = p};
    draw_adapter(s, p);
    add_all(&pen);
    CHECK(memcmp(&pen.n, &p->n, sizeof pen.n) == 0);
    *out = p;
    return 0;
}

int spipe_picture(struct spipe *s, struct hal_picture_room *room, const struct hal_picture **out)
{
    int rc;

    exec_mutex_lock(s->exec, &s->control);
    rc = spipe_picture_inside(s, room, out);
    exec_mutex_unlock(s->exec, &s->control);
    return rc;
}
