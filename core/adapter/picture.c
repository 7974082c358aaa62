/* SPDX-License-Identifier: Apache-2.0 */
/* Counts first, so that the block is asked for once; then draws in the same order. */
#include "core/adapter/picture.h"

#include <assert.h>
#include <string.h>

#include "core/context/context.h"
#include "core/lun/lun_size.h"
#include "core/lun/wipe.h"
#include "core/vlun/quarantine.h"
#include "core/vlun/resource.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

static_assert((int)HAL_PICTURE_VIRTUAL == (int)SPIPE_LUN_VIRTUAL, "modes are copied");
static_assert((int)HAL_PICTURE_DIRECT == (int)SPIPE_LUN_PHYSICAL, "modes are copied");
static_assert(HAL_PICTURE_PORTS == SPIPE__PORTS_MAX, "ports are copied");

/* A picture that grows: how much of each array is there already. */
struct pen {
    struct spipe *s;
    const uint64_t *only;  /* contexts, a bit each; NULL: all */
    struct hal_picture *p; /* NULL while counting */
    struct hal_picture_counts n;
};

/* ---- chunks ---- */

/* Of an array of adapter `s`. */
static struct hal_picture_span add_entries(struct pen *pen, struct spipe *s,
                                           const uint64_t *entries, uint32_t first, uint32_t last)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);
    struct hal_picture_span span = {pen->n.chunks, last - first};

    for (uint32_t i = first; pen->p && i < last; i++)
        *hal_picture_chunk(pen->p, pen->n.chunks + i - first) =
            spipe__lxt_chunk(&home, &entries[i]);
    pen->n.chunks += last - first;
    return span;
}

static void end_run(struct pen *pen, struct hal_picture_run *run)
{
    if (run->count && pen->p)
        *hal_picture_run(pen->p, pen->n.runs) = *run;
    pen->n.runs += run->count != 0;
    run->count = 0;
}

/* Appends a stretch of allocated chunks to the run, and begins others where references change.
 * Chunks that are parked have no owner, and are in no run. Returns how many those are. */
static uint64_t add_stretch(struct pen *pen, const struct spipe__global_lun *lun, uint64_t chunk,
                            uint64_t end, struct hal_picture_run *run)
{
    const uint8_t *clones = lun->ba->clones;
    uint64_t parked = 0;

    if (run->first + run->count != chunk)
        end_run(pen, run);
    for (; chunk < end; chunk++) {
        bool is_parked = lun->parked && spipe__lun_is_parked(lun, chunk);

        parked += is_parked;
        if (is_parked || run->references != 1u + clones[chunk])
            end_run(pen, run);
        if (!is_parked && !run->count++)
            *run = (struct hal_picture_run){chunk, 1, 1u + clones[chunk]};
    }
    return parked;
}

static struct hal_picture_span add_runs(struct pen *pen, const struct spipe__global_lun *lun,
                                        uint64_t *parked)
{
    const struct spipe__ba *ba = lun->ba;
    struct hal_picture_run run = {0};
    uint32_t own = pen->n.runs;

    for (uint64_t word = 0; word < ba->high; word++)
        for (uint64_t bits = ~ba->level[0][word]; bits;) {
            unsigned from = hal_lowest_bit(bits);
            uint64_t rest = ~bits & UINT64_MAX << from; /* what is free behind it */
            unsigned to = rest ? hal_lowest_bit(rest) : 64;

            bits &= rest ? UINT64_MAX << to : 0;
            *parked +=
                add_stretch(pen, lun, word * 64 + from, hal_min64(word * 64 + to, ba->total), &run);
        }
    end_run(pen, &run);
    return (struct hal_picture_span){own, pen->n.runs - own};
}

/* Free bits of the last word that stand for no chunk. */
static uint64_t free_beyond(const struct spipe__ba *ba)
{
    unsigned used = ba->total % 64;

    return used ? hal_bit_count(ba->level[0][ba->high - 1] >> used) : 0;
}

/* ---- LUNs ---- */

static unsigned count_open(const struct spipe__lun *lun)
{
    unsigned n = 0;

    for (const struct spipe__resource *r = lun->open; r; r = r->next)
        n++;
    return n;
}

/* Handles of other adapters, which are drawn as what is held. */
static unsigned count_elsewhere(const struct spipe__lun *lun)
{
    unsigned n = 0;

    for (const struct spipe__lun *other = lun->global->locals; other; other = other->sibling)
        n += other == lun ? 0 : count_open(other);
    return n;
}

static void draw_lun(struct pen *pen, const struct spipe__lun *lun, struct hal_picture_lun *out)
{
    const struct spipe__global_lun *g = lun->global;
    unsigned elsewhere = count_elsewhere(lun);

    memcpy(out->wwid, g->wwid, sizeof out->wwid);
    memcpy(out->lun_id, lun->lun_id, sizeof out->lun_id);
    out->users = g->users - elsewhere;
    out->holds = g->holds + elsewhere;
    out->attached = lun->attached;
    out->mode = g->mode;
    out->ports = lun->port_mask;
    out->slot = lun->table_index;
    out->in_table = lun->in_table;
    out->allocator = g->ba != NULL;
    if (!g->ba)
        return;
    out->blocks = g->ba->lba_count;
    out->total = g->ba->total;
    out->free_count = g->ba->free_count;
    out->free_beyond = free_beyond(g->ba);
    out->parked = 0;
    out->runs = add_runs(pen, g, &out->parked);
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

        (void)add_entries(pen, pen->s, part->entries, part->first, part->last);
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

static void draw_held(struct pen *pen, const struct spipe__held *h)
{
    struct hal_picture_held nowhere = {0};
    struct hal_picture_held *out = pen->p ? hal_picture_held(pen->p, pen->n.held) : &nowhere;

    out->generation = h->generation;
    out->lun = (uint32_t)(h->lun - pen->s->lun);
    out->handle = h->handle;
    out->context = h->context;
    draw_parts(pen, h, out);
    pen->n.held++;
}

static void draw_dirty_chunks(struct pen *pen, const struct spipe__global_lun *lun)
{
    for (uint64_t chunk = 0; chunk < lun->ba->total; chunk++)
        if (spipe__wipe_is_dirty(lun, chunk)) {
            if (pen->p)
                *hal_picture_chunk(pen->p, pen->n.chunks) = chunk;
            pen->n.chunks++;
        }
}

static void add_dirty(struct pen *pen, unsigned lun)
{
    struct hal_picture_held nowhere = {0};
    struct hal_picture_held *out = pen->p ? hal_picture_held(pen->p, pen->n.held) : &nowhere;

    if (!spipe__wipe_dirty(pen->s->lun[lun].global))
        return;
    *out = (struct hal_picture_held){.generation = spipe__generation(pen->s),
                                     .lun = lun,
                                     .handle = HAL_PICTURE_NONE,
                                     .context = HAL_PICTURE_DIRTY};
    out->chunks.first = pen->n.chunks;
    out->arrays.first = pen->n.arrays;
    draw_dirty_chunks(pen, pen->s->lun[lun].global);
    out->chunks.count = pen->n.chunks - out->chunks.first;
    pen->n.held++;
}

/* ---- what other adapters have of a LUN ---- */

static struct hal_picture_held *begin_elsewhere(struct pen *pen, unsigned lun,
                                                struct hal_picture_held *nowhere)
{
    struct hal_picture_held *out = pen->p ? hal_picture_held(pen->p, pen->n.held) : nowhere;

    *out = (struct hal_picture_held){.generation = spipe__generation(pen->s),
                                     .chunks.first = pen->n.chunks,
                                     .arrays.first = pen->n.arrays,
                                     .lun = lun,
                                     .handle = HAL_PICTURE_NONE,
                                     .context = HAL_PICTURE_ELSEWHERE};
    pen->n.held++;
    return out;
}

static void add_held_elsewhere(struct pen *pen, unsigned lun, const struct spipe__held *held)
{
    struct hal_picture_held nowhere, *out;

    if (!held->pending)
        return;
    out = begin_elsewhere(pen, lun, &nowhere);
    for (unsigned i = 0; i < held->parts; i++)
        out->chunks.count += add_entries(pen, held->lun->s, held->part[i].entries,
                                         held->part[i].first, held->part[i].last)
                                 .count;
}

static void add_handle_elsewhere(struct pen *pen, unsigned lun, const struct spipe__resource *r)
{
    struct hal_picture_held nowhere, *out = begin_elsewhere(pen, lun, &nowhere);

    out->chunks = add_entries(pen, r->held.lun->s, r->lxt.entry, 0, r->size);
    add_held_elsewhere(pen, lun, &r->held);
}

static void add_elsewhere(struct pen *pen, unsigned lun)
{
    const struct spipe__lun *own = &pen->s->lun[lun];

    for (const struct spipe__lun *other = own->global->locals; other; other = other->sibling) {
        if (other == own)
            continue;
        for (const struct spipe__resource *r = other->open; r; r = r->next)
            add_handle_elsewhere(pen, lun, r);
        for (const struct spipe__held *h = other->s->orphans; h; h = h->next)
            if (h->lun == other)
                add_held_elsewhere(pen, lun, h);
    }
}

/* Of open handles, dirty chunks and other adapters, LUN by LUN, and of handles that have been
 * closed. A part of a picture, which is to be had soon, trusts a LUN that says that nothing is
 * held.
 */
static void add_held(struct pen *pen)
{
    for (unsigned i = 0; i < pen->s->lun_count; add_dirty(pen, i), add_elsewhere(pen, i), i++)
        for (const struct spipe__resource *r =
                 pen->only && !pen->s->lun[i].global->holds ? NULL : pen->s->lun[i].open;
             r; r = r->next)
            if (r->held.pending)
                draw_held(pen, &r->held);
    for (const struct spipe__held *h = pen->s->orphans; h; h = h->next)
        if (h->pending)
            draw_held(pen, h);
}

/* ---- contexts and handles ---- */

static void draw_handle(struct pen *pen, const struct spipe__resource *r,
                        struct hal_picture_handle *out)
{
    out->lxt = (uintptr_t)r->lxt.entry;
    out->capacity = r->lxt.capacity;
    out->lineage = r->lineage;
    out->chunks = add_entries(pen, pen->s, r->lxt.entry, 0, r->size);
    out->number = r->held.handle;
    out->lun = (uint32_t)(r->held.lun - pen->s->lun);
    out->context = pen->n.contexts;
    out->kind = r->kind;
    out->permissions = r->permissions;
    out->port = r->port;
    out->wipe = r->wipe;
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

/* Nothing is left of one that has ended, and its file may have taken the rest. */
static bool has_control(const struct spipe_ctx *ctx)
{
    return !ctx->ended && ctx->lun_count && ctx->hal && !ctx->hal->lost;
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
    out->cookie = (uint32_t)ctx->cookie;
    out->number = ctx->number;
    out->slot = (uint16_t)slot;
    out->permissions = ctx->permissions;
    out->errored = ctx->errored;
    out->control = has_control(ctx);
}

/* Where it stands in the table of the healthy ones, or nowhere. */
static unsigned slot_of(const struct spipe *s, const struct spipe_ctx *ctx)
{
    return s->contexts[ctx->number] == ctx ? ctx->number : SPIPE__CONTEXTS;
}

static void add_context(struct pen *pen, const struct spipe_ctx *ctx)
{
    struct hal_picture_context nowhere = {0};
    unsigned slot = slot_of(pen->s, ctx);

    if ((ctx->ended || !ctx->lun_count) && slot == SPIPE__CONTEXTS)
        return; /* it is about to be freed */
    draw_context(pen, ctx, slot, pen->p ? hal_picture_context(pen->p, pen->n.contexts) : &nowhere);
    pen->n.contexts++;
}

static void add_contexts(struct pen *pen)
{
    for (const struct spipe_ctx *ctx = pen->s->all; ctx; ctx = ctx->all_next)
        add_context(pen, ctx);
}

static void add_some_contexts(struct pen *pen)
{
    for (unsigned word = 0; word < SPIPE__CONTEXTS / 64; word++)
        for (uint64_t bits = pen->only[word]; bits; bits &= bits - 1) {
            const struct spipe_ctx *ctx = pen->s->contexts[word * 64 + hal_lowest_bit(bits)];

            if (ctx)
                add_context(pen, ctx);
        }
}

/* ---- names ---- */

static uint32_t lun_of(struct spipe *s, const uint8_t *wwid)
{
    for (unsigned i = 0; i < s->lun_count; i++)
        if (memcmp(s->lun[i].global->wwid, wwid, sizeof s->lun[i].global->wwid) == 0)
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
    struct spipe__cat *cat = pen->s->group->catalogue;

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
    if (pen->only)
        add_some_contexts(pen);
    else
        add_contexts(pen);
    add_names(pen);
}

static void draw_adapter(const struct spipe *s, struct hal_picture *p)
{
    p->generation = spipe__generation(s);
    p->clients = s->clients;
    p->ports = s->ports;
    p->promote_lun_index = s->promote_lun_index;
    for (unsigned i = 0; i < SPIPE__PORTS_MAX; i++)
        p->last_lun_index[i] = s->last_lun_index[i];
    p->up = s->master != NULL && s->gate.state == SPIPE_STATE_NORMAL;
    p->master = s->master ? s->master->handle : 0;
    p->more_masters_count = s->master ? s->hwqs - 1 : 0;
    for (unsigned i = 0; i < p->more_masters_count; i++)
        p->more_masters[i] = s->hwq[i + 1].ctx->handle;
}

int spipe_picture_inside(struct spipe *s, const uint64_t *only, struct hal_picture_room *room,
                         const struct hal_picture **out)
{
    struct pen pen = {.s = s, .only = only};
    struct hal_picture *p;
    int rc;

    add_all(&pen);
    rc = hal_picture_begin(room, &pen.n, &p);
    if (rc)
        return rc;
    pen = (struct pen){.s = s, .only = only, .p = p};
    draw_adapter(s, p);
    p->part = only != NULL;
    add_all(&pen);
    CHECK(memcmp(&pen.n, &p->n, sizeof pen.n) == 0);
    *out = p;
    return 0;
}

int spipe_picture(struct spipe *s, struct hal_picture_room *room, const struct hal_picture **out)
{
    int rc;

    /* In one order, whoever asks. */
    for (struct spipe *member = s->group->members; member; member = member->next_member)
        spipe__gate_close(&member->gate);
    rc = spipe_picture_inside(s, NULL, room, out);
    for (struct spipe *member = s->group->members; member; member = member->next_member)
        spipe__gate_open(&member->gate);
    return rc;
}
