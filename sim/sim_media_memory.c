/* SPDX-License-Identifier: Apache-2.0 */
/* Media in memory: all data, or the first 64 bytes of each block (the tag kind).
 *
 * A piece in the arena (struct sim_piece) is one page with a bitmap of the blocks that hold data,
 * then the kept bytes of its blocks. The bitmap is why a new piece need not be cleared: blocks
 * without their bit read as zeros. So the first write to a piece is cheap, and what lies above the
 * used part of the arena after a snapshot was put back never shows. */
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/sim_media_ops.h"

#define ARENA_DEFAULT_MAX (UINT64_C(16) << 30)

_Static_assert(sizeof(struct sim_media) <= 16 * SIM_ARENA_PAGE, "state stays small (PB-13)");

/* How many of `max` blocks from `first` on are like the first one, written or not. */
static uint32_t run_length(const struct sim_piece *p, uint32_t first, uint32_t max)
{
    uint64_t flip = sim_piece_has(p, first) ? UINT64_MAX : 0;
    uint32_t n = 0;

    while (n < max) {
        uint32_t bit = (first + n) % 64;
        uint64_t other = (p->written[(first + n) / 64] ^ flip) >> bit;
        if (other)
            return (uint32_t)hal_min64(n + hal_lowest_bit(other), max);
        n += 64 - bit;
    }
    return max;
}

static void set_written(struct sim_piece *p, uint32_t first, uint32_t blocks, bool written)
{
    for (uint32_t n; blocks; first += n, blocks -= n) {
        uint32_t bit = first % 64;
        uint64_t mask;
        n = (uint32_t)hal_min64(64 - bit, blocks);
        mask = n == 64 ? UINT64_MAX : (HAL_BIT(n) - 1) << bit;
        if (written)
            p->written[first / 64] |= mask;
        else
            p->written[first / 64] &= ~mask;
    }
}

static bool is_full(const struct sim_media_space *s, const struct sim_piece *p)
{
    return sim_piece_has(p, 0) && run_length(p, 0, s->piece_blocks) == s->piece_blocks;
}

static void release_piece(struct sim_media *m, struct sim_media_space *s, uint64_t index)
{
    uint32_t *cell = sim_table_cell(&m->arena, &s->table, index);
    struct sim_piece *p = sim_arena_page(&m->arena, *cell);

    p->next_free = m->free_pieces[s->free_list];
    m->free_pieces[s->free_list] = *cell;
    *cell = 0;
}

static uint32_t take_piece(struct sim_media *m, const struct sim_media_space *s)
{
    uint32_t page = m->free_pieces[s->free_list];

    if (!page)
        return sim_arena_take(&m->arena, s->piece_pages);
    m->free_pieces[s->free_list] = ((struct sim_piece *)sim_arena_page(&m->arena, page))->next_free;
    return page;
}

/* The piece at `index`, made with no block written if there is none; NULL if the arena is full. */
static struct sim_piece *make_piece(struct sim_media *m, struct sim_media_space *s, uint64_t index)
{
    uint32_t *cell = sim_table_cell(&m->arena, &s->table, index);
    struct sim_piece *p;

    if (!cell)
        return NULL;
    if (!*cell) {
        *cell = take_piece(m, s);
        if (!*cell)
            return NULL;
        memset(sim_arena_page(&m->arena, *cell), 0, sizeof *p);
    }
    return sim_arena_page(&m->arena, *cell);
}

/* Delivers blocks that all hold data (`data`) or all do not (NULL). */
static int sink_run(const struct sim_media_space *s, const uint8_t *data, uint64_t offset,
                    uint32_t blocks, sim_media_sink *sink, void *arg)
{
    static const uint8_t no_tag[SIM_MEDIA_TAG_BYTES];
    int error = 0;

    if (s->keep == s->block_size) {
        uint64_t bytes = (uint64_t)blocks * s->block_size;
        return data ? sink(arg, offset, data, bytes)
                    : sim_media_sink_zeros(offset, bytes, sink, arg);
    }
    for (uint32_t i = 0; !error && i < blocks; i++)
        error = sink(arg, offset + (uint64_t)i * s->block_size,
                     data ? data + (uint64_t)i * s->keep : no_tag, s->keep);
    return error;
}

/* Runs of blocks that are written, or not; without a piece none is. */
static int memory_read(struct sim_media *m, const struct sim_media_part *part, sim_media_sink *sink,
                       void *arg)
{
    const struct sim_media_space *s = part->space;
    struct sim_piece *p = sim_piece_find(m, s, part->piece);
    uint32_t at = part->first, end = part->first + part->blocks, n;
    uint64_t offset = part->offset;
    int error = 0;

    if (!p)
        return sink_run(s, NULL, offset, part->blocks, sink, arg);
    for (; !error && at < end; at += n, offset += (uint64_t)n * s->block_size) {
        n = run_length(p, at, end - at);
        error = sink_run(s, sim_piece_has(p, at) ? sim_piece_block(s, p, at) : NULL, offset, n,
                         sink, arg);
    }
    return error;
}

static int source_run(const struct sim_media_space *s, uint8_t *data, uint64_t offset,
                      uint32_t blocks, sim_media_source *source, void *arg)
{
    int error = 0;

    if (s->keep == s->block_size)
        return source(arg, offset, data, (uint64_t)blocks * s->block_size);
    for (uint32_t i = 0; !error && i < blocks; i++)
        error = source(arg, offset + (uint64_t)i * s->block_size, data + (uint64_t)i * s->keep,
                       s->keep);
    return error;
}

/* Marks what was written; a piece that is full from now on is worth huge pages. */
static void fill_piece(const struct sim_media *m, const struct sim_media_part *part,
                       struct sim_piece *p, bool was_full)
{
    set_written(p, part->first, part->blocks, true);
    if (!was_full && part->space->keep == part->space->block_size && is_full(part->space, p))
        sim_arena_in_use(&m->arena, p, (uint64_t)part->space->piece_pages * SIM_ARENA_PAGE);
}

static int memory_write(struct sim_media *m, const struct sim_media_part *part,
                        sim_media_source *source, void *arg)
{
    struct sim_media_space *s = part->space;
    bool existed = sim_piece_find(m, s, part->piece) != NULL;
    struct sim_piece *p = make_piece(m, s, part->piece);
    bool full;
    int error;

    if (!p)
        return -ENOSPC;
    full = is_full(s, p);
    error =
        source_run(s, sim_piece_block(s, p, part->first), part->offset, part->blocks, source, arg);
    if (!error)
        fill_piece(m, part, p, full);
    else if (!existed)
        release_piece(m, s, part->piece); /* a failed write must not make the piece look mapped */
    return error;
}

static int memory_fill(struct sim_media *m, const struct sim_media_part *part, const void *pattern)
{
    struct sim_media_space *s = part->space;
    struct sim_piece *p =
        pattern ? make_piece(m, s, part->piece) : sim_piece_find(m, s, part->piece);

    if (!p)
        return pattern ? -ENOSPC : 0;
    if (pattern)
        for (uint32_t i = 0; i < part->blocks; i++)
            memcpy(sim_piece_block(s, p, part->first + i), pattern, s->keep);
    set_written(p, part->first, part->blocks, pattern != NULL);
    return 0;
}

static int memory_release(struct sim_media *m, struct sim_media_space *s, uint64_t index)
{
    if (sim_piece_find(m, s, index))
        release_piece(m, s, index);
    return 0;
}

/* The block of the store that holds byte `offset`, or NULL; `make` makes it, zeroed. */
static uint8_t *store_block(struct sim_media *m, uint64_t offset, bool make)
{
    struct sim_media_space *s = &m->spaces[SIM_MEDIA_STORE];
    uint64_t lba = offset / s->block_size, index = lba >> s->piece_shift;
    uint32_t block = (uint32_t)lba & (s->piece_blocks - 1);
    struct sim_piece *p = make ? make_piece(m, s, index) : sim_piece_find(m, s, index);

    if (!p)
        return NULL;
    if (!sim_piece_has(p, block)) {
        if (!make)
            return NULL;
        memset(sim_piece_block(s, p, block), 0, s->block_size);
        set_written(p, block, 1, true);
    }
    return sim_piece_block(s, p, block);
}

static int store_read(struct sim_media *m, uint64_t offset, void *data, size_t n)
{
    uint32_t size = m->spaces[SIM_MEDIA_STORE].block_size;
    uint8_t *to = data;

    for (size_t k; n; offset += k, to += k, n -= k) {
        const uint8_t *block = store_block(m, offset, false);
        k = hal_min64(n, size - offset % size);
        if (block)
            memcpy(to, block + offset % size, k);
        else
            memset(to, 0, k);
    }
    return 0;
}

static int store_write(struct sim_media *m, uint64_t offset, const void *data, size_t n)
{
    uint32_t size = m->spaces[SIM_MEDIA_STORE].block_size;
    const uint8_t *from = data;

    for (size_t k; n; offset += k, from += k, n -= k) {
        uint8_t *block = store_block(m, offset, true);
        if (!block)
            return -ENOSPC;
        k = hal_min64(n, size - offset % size);
        memcpy(block + offset % size, from, k);
    }
    return 0;
}

static int nothing_to_do(struct sim_media *m)
{
    (void)m;
    return 0;
}

static void memory_close(struct sim_media *m)
{
    struct sim_arena a = m->arena; /* m itself lies in it */
    sim_arena_unmap(&a);
}

static const struct sim_media_ops memory_ops = {
    .read = memory_read,
    .write = memory_write,
    .fill = memory_fill,
    .release = memory_release,
    .store_read = store_read,
    .store_write = store_write,
    .sync = nothing_to_do,
    .resized = nothing_to_do,
    .close = memory_close,
};

/* What the LUNs could need at most: pieces with their bitmap pages, and table pages. */
static uint64_t arena_need(const struct sim_media_opts *o)
{
    uint64_t need = UINT64_C(32) << 20; /* the object, the store, room for tables to grow */

    for (unsigned i = 0; i < o->n_luns && need < ARENA_DEFAULT_MAX; i++) {
        const struct sim_media_lun *l = &o->luns[i];
        uint64_t keep = o->kind == SIM_MEDIA_TAG ? SIM_MEDIA_TAG_BYTES : l->block_size;
        uint64_t pieces = hal_div_up(l->blocks * l->block_size, SIM_MEDIA_PIECE_BYTES);
        uint64_t piece = SIM_MEDIA_PIECE_BYTES / l->block_size * keep + SIM_ARENA_PAGE;
        need += pieces * (piece + 8) + 2 * SIM_ARENA_PAGE;
    }
    return hal_min64(need, ARENA_DEFAULT_MAX);
}

int sim_media_create(const struct sim_media_opts *opts, struct sim_media **out, char *why,
                     size_t why_size)
{
    uint64_t pages = hal_div_up(sizeof(struct sim_media), SIM_ARENA_PAGE);
    struct sim_arena arena;
    struct sim_media *m;
    uint64_t bytes;
    int error;

    if (opts->kind != SIM_MEDIA_MEMORY && opts->kind != SIM_MEDIA_TAG)
        return sim_media_explain(why, why_size, -EINVAL,
                                 "media of this kind have a file: open them by its path");
    error = sim_media_check_luns(opts->luns, opts->n_luns, why, why_size);
    if (error)
        return error;
    bytes = opts->arena_bytes ? opts->arena_bytes : arena_need(opts);
    if (bytes < pages * SIM_ARENA_PAGE || bytes > UINT64_C(15) << 40)
        return sim_media_explain(why, why_size, -EINVAL,
                                 "an arena of %llu bytes is out of range: give 1 MiB to 15 TiB",
                                 (unsigned long long)bytes);
    error = sim_arena_map(&arena, opts->arena, bytes);
    if (error)
        return sim_media_explain(why, why_size, error,
                                 "no address space for %llu MiB of media: give a smaller arena, "
                                 "or raise the limit (ulimit -v)",
                                 (unsigned long long)(bytes >> 20));
    (void)sim_arena_take(&arena, pages);
    m = sim_arena_page(&arena, 0);
    memset(m, 0, sizeof *m);
    m->ops = &memory_ops;
    m->arena = arena;
    error = sim_media_begin(m, opts->kind, opts->luns, opts->n_luns);
    if (error) {
        sim_media_close(m);
        return sim_media_explain(why, why_size, -ENOMEM,
                                 "the arena of %llu bytes is too small for the tables of these "
                                 "LUNs: give a larger one",
                                 (unsigned long long)bytes);
    }
    *out = m;
    return 0;
}
