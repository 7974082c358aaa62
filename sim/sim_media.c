/* SPDX-License-Identifier: Apache-2.0 */
/* What all kinds of media have in common: descriptors, range checks, cutting a transfer into
 * pieces, counters. The kinds are sim_media_memory.c and sim_media_file.c. */
#include "sim/sim_media.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/endian.h"
#include "sim/sim_media_ops.h"

#define STORE_BLOCK 4096u
#define STORE_PIECE (UINT64_C(64) << 10)

int sim_media_explain(char *why, size_t why_size, int error, const char *format, ...)
{
    va_list ap;

    if (why && why_size) {
        va_start(ap, format);
        (void)vsnprintf(why, why_size, format, ap);
        va_end(ap);
    }
    return error;
}

static const char *lun_problem(const struct sim_media_lun *l)
{
    if (l->block_size != 512 && l->block_size != 4096)
        return "its block size is neither 512 nor 4096: give one of these";
    if (!l->blocks)
        return "it has no blocks: give it at least one";
    if (l->blocks > SIM_MEDIA_LUN_BYTES_MAX / l->block_size)
        return "it is larger than 64 TB: give fewer blocks";
    if (l->wwid[0] >> 4 != 6)
        return "its WWID is not an NAA-6 identifier: the first hexadecimal digit must be 6";
    return NULL;
}

int sim_media_check_luns(const struct sim_media_lun *luns, unsigned n_luns, char *why,
                         size_t why_size)
{
    if (n_luns > SIM_MEDIA_LUNS_MAX)
        return sim_media_explain(why, why_size, -EINVAL,
                                 "%u LUNs are more than an adapter can have: use at most %d",
                                 n_luns, SIM_MEDIA_LUNS_MAX);
    for (unsigned i = 0; i < n_luns; i++) {
        const char *problem = lun_problem(&luns[i]);
        if (problem)
            return sim_media_explain(why, why_size, -EINVAL, "LUN %u cannot be made, %s", i,
                                     problem);
    }
    return 0;
}

/* A space of blocks of which `keep` bytes are kept; the memory layout is one page with a bitmap of
 * the blocks written so far, then the blocks (sim_media_memory.c). */
static struct sim_media_space space_of(uint32_t block_size, uint32_t keep, uint64_t piece_bytes)
{
    struct sim_media_space s = {
        .block_size = block_size,
        .keep = keep,
        .piece_blocks = (uint32_t)(piece_bytes / block_size),
    };

    s.piece_shift = hal_lowest_bit(s.piece_blocks);
    s.piece_pages = 1 + (uint32_t)hal_div_up((uint64_t)s.piece_blocks * keep, SIM_ARENA_PAGE);
    return s;
}

static int begin_lun(struct sim_media *m, unsigned lun)
{
    const struct sim_media_lun *l = &m->luns[lun];
    struct sim_media_space *s = &m->spaces[lun];
    struct sim_table table = s->table; /* of an earlier LUN of this number: empty, but made */

    if (!l->blocks)
        return 0; /* the number is free */
    *s = space_of(l->block_size, m->kind == SIM_MEDIA_TAG ? SIM_MEDIA_TAG_BYTES : l->block_size,
                  SIM_MEDIA_PIECE_BYTES);
    s->free_list = l->block_size == 4096;
    s->table = table;
    return sim_table_extend(&m->arena, &s->table, hal_div_up(l->blocks, s->piece_blocks));
}

/* The last number is that of a LUN. A file may end with rows of none. */
static void count_luns(struct sim_media *m)
{
    while (m->n_luns && !m->luns[m->n_luns - 1].blocks)
        m->n_luns--;
}

int sim_media_begin(struct sim_media *m, enum sim_media_kind kind, const struct sim_media_lun *luns,
                    unsigned n_luns)
{
    struct sim_media_space *store = &m->spaces[SIM_MEDIA_STORE];
    int error;

    CHECK(n_luns <= SIM_MEDIA_LUNS_MAX);
    m->kind = kind;
    m->n_luns = n_luns;
    for (unsigned i = 0; i < n_luns; i++) {
        m->luns[i] = luns[i];
        error = begin_lun(m, i);
        if (error)
            return error;
    }
    count_luns(m);
    /* Memory kinds use small pieces, so that a campaign with a short catalogue stays small. */
    *store = kind == SIM_MEDIA_FILE ? space_of(1, 1, SIM_MEDIA_PIECE_BYTES)
                                    : space_of(STORE_BLOCK, STORE_BLOCK, STORE_PIECE);
    store->free_list = 2;
    return sim_table_extend(&m->arena, &store->table,
                            SIM_MEDIA_STORE_BYTES / store->piece_blocks / store->block_size);
}

void sim_media_close(struct sim_media *m)
{
    if (m)
        m->ops->close(m);
}

void sim_media_make_wwid(uint64_t serial, unsigned lun, uint8_t wwid[16])
{
    /* NAA 6, the company identifier FFFFFF that nobody owns, LUN, serial number. */
    memset(wwid, 0, 16);
    hal_be32_put(wwid, 0x6FFFFFF0);
    hal_be32_put(wwid + 4, lun);
    hal_be64_put(wwid + 8, serial);
}

enum sim_media_kind sim_media_kind(const struct sim_media *m) { return m->kind; }

bool sim_media_read_only(const struct sim_media *m) { return m->read_only; }

unsigned sim_media_n_luns(const struct sim_media *m) { return m->n_luns; }

const struct sim_media_lun *sim_media_lun(const struct sim_media *m, unsigned lun)
{
    return lun < m->n_luns && m->luns[lun].blocks ? &m->luns[lun] : NULL;
}

const struct sim_media_counters *sim_media_counters(const struct sim_media *m, unsigned lun)
{
    CHECK(lun < m->n_luns);
    return &m->counters[lun];
}

static bool in_range(const struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks)
{
    return lun < m->n_luns && lba <= m->luns[lun].blocks && blocks <= m->luns[lun].blocks - lba;
}

/* Whether a change may go on: 0, -ERANGE or -EROFS. */
static int may_change(const struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks)
{
    if (!in_range(m, lun, lba, blocks))
        return -ERANGE;
    return m->read_only ? -EROFS : 0;
}

/* The part of [lba, end) that lies in the piece of lba. */
static struct sim_media_part part_at(struct sim_media_space *s, uint64_t lba, uint64_t end,
                                     uint64_t start)
{
    uint32_t first = (uint32_t)lba & (s->piece_blocks - 1);

    return (struct sim_media_part){
        .space = s,
        .piece = lba >> s->piece_shift,
        .first = first,
        .blocks = (uint32_t)hal_min64(end - lba, s->piece_blocks - first),
        .offset = (lba - start) * s->block_size,
    };
}

/* Piece after piece. Kept apart: most reads are of one block in memory. */
static __attribute__((noinline)) int read_pieces(struct sim_media *m, unsigned lun, uint64_t lba,
                                                 uint64_t blocks, sim_media_sink *sink, void *arg)
{
    struct sim_media_part p;
    int error = 0;

    for (uint64_t at = lba; !error && at < lba + blocks; at += p.blocks) {
        p = part_at(&m->spaces[lun], at, lba + blocks, lba);
        error = m->ops->read(m, &p, sink, arg);
    }
    return error;
}

/* Where the bytes kept of a block are; NULL: it was never written, or is not in memory. */
static inline const void *block_in_memory(const struct sim_media *m,
                                          const struct sim_media_space *s, uint64_t lba)
{
    uint32_t block = (uint32_t)lba & (s->piece_blocks - 1);
    struct sim_piece *p;

    if (m->kind == SIM_MEDIA_FILE)
        return NULL;
    p = sim_piece_find(m, s, lba >> s->piece_shift);
    return p && sim_piece_has(p, block) ? sim_piece_block(s, p, block) : NULL;
}

int sim_media_read(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks,
                   sim_media_sink *sink, void *arg)
{
    const struct sim_media_space *s = &m->spaces[lun];
    const void *data;
    int error;

    if (!in_range(m, lun, lba, blocks))
        return -ERANGE;
    data = blocks == 1 ? block_in_memory(m, s, lba) : NULL;
    if (__builtin_expect(data != NULL, 1))
        error = sink(arg, 0, data, s->keep);
    else
        error = read_pieces(m, lun, lba, blocks, sink, arg);
    if (!error)
        m->counters[lun].blocks_read += blocks;
    return error;
}

int sim_media_write(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks,
                    sim_media_source *source, void *arg)
{
    int error = may_change(m, lun, lba, blocks);
    struct sim_media_part p;

    for (uint64_t at = lba; !error && at < lba + blocks; at += p.blocks) {
        p = part_at(&m->spaces[lun], at, lba + blocks, lba);
        error = m->ops->write(m, &p, source, arg);
    }
    if (!error)
        m->counters[lun].blocks_written += blocks;
    return error;
}

static bool all_zero(const uint8_t *p, size_t n) { return !p[0] && !memcmp(p, p + 1, n - 1); }

int sim_media_write_same(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks,
                         const void *pattern_block)
{
    int error = may_change(m, lun, lba, blocks);
    struct sim_media_part p;
    bool zero;

    if (error)
        return error;
    zero = all_zero(pattern_block, m->luns[lun].block_size);
    for (uint64_t at = lba; !error && at < lba + blocks; at += p.blocks) {
        p = part_at(&m->spaces[lun], at, lba + blocks, lba);
        error = m->ops->fill(m, &p, zero ? NULL : pattern_block);
    }
    if (!error)
        m->counters[lun].blocks_written += blocks;
    return error;
}

int sim_media_unmap(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks)
{
    int error = may_change(m, lun, lba, blocks);
    struct sim_media_part p;

    for (uint64_t at = lba; !error && at < lba + blocks; at += p.blocks) {
        p = part_at(&m->spaces[lun], at, lba + blocks, lba);
        if (p.blocks == p.space->piece_blocks)
            error = m->ops->release(m, p.space, p.piece);
        else
            error = m->ops->fill(m, &p, NULL);
    }
    return error;
}

bool sim_media_mapped(const struct sim_media *m, unsigned lun, uint64_t lba)
{
    const struct sim_media_space *s = &m->spaces[lun];

    CHECK(lun < m->n_luns);
    return sim_table_get(&m->arena, &s->table, lba >> s->piece_shift) != 0;
}

int sim_media_sync(struct sim_media *m) { return m->read_only ? 0 : m->ops->sync(m); }

int sim_media_set_size(struct sim_media *m, unsigned lun, uint64_t blocks)
{
    struct sim_media_space *s = &m->spaces[lun];
    struct sim_media_lun *l;
    uint64_t before;
    int error;

    if (!sim_media_lun(m, lun) || !blocks || blocks > SIM_MEDIA_LUN_BYTES_MAX / s->block_size)
        return -EINVAL;
    if (m->read_only)
        return -EROFS;
    error = sim_table_extend(&m->arena, &s->table, hal_div_up(blocks, s->piece_blocks));
    if (error)
        return error;
    l = &m->luns[lun];
    before = l->blocks;
    l->blocks = blocks;
    error = m->ops->resized(m);
    if (error)
        l->blocks = before;
    return error;
}

/* Makes what has become of the descriptors durable; a failure leaves `lun` as it was `before`. */
static int record_lun(struct sim_media *m, unsigned lun, struct sim_media_lun before)
{
    unsigned n_before = m->n_luns;
    int error;

    m->n_luns = lun >= n_before ? lun + 1 : n_before;
    count_luns(m);
    error = m->ops->resized(m);
    if (error) {
        m->luns[lun] = before;
        m->n_luns = n_before;
    }
    return error;
}

static unsigned free_number(const struct sim_media *m)
{
    unsigned lun = 0;

    while (lun < m->n_luns && m->luns[lun].blocks)
        lun++;
    return lun;
}

int sim_media_add_lun(struct sim_media *m, const struct sim_media_lun *descriptor, unsigned *lun)
{
    unsigned n = free_number(m);
    int error = sim_media_check_luns(descriptor, 1, NULL, 0);

    if (!error && m->read_only)
        error = -EROFS;
    if (!error && n == SIM_MEDIA_LUNS_MAX)
        error = -ENOSPC;
    if (error)
        return error;
    m->luns[n] = *descriptor;
    m->luns[n].added = true;
    m->counters[n] = (struct sim_media_counters){0};
    error = begin_lun(m, n);
    if (error)
        m->luns[n] = (struct sim_media_lun){0};
    else
        error = record_lun(m, n, (struct sim_media_lun){0});
    if (!error)
        *lun = n;
    return error;
}

/* Gives all pieces back, those behind a smaller end too. */
static int release_all(struct sim_media *m, struct sim_media_space *s)
{
    uint64_t pieces = (uint64_t)s->table.n_leaves * SIM_TABLE_LEAF;
    int error = 0;

    for (uint64_t i = 0; !error && i < pieces; i++)
        if (sim_table_get(&m->arena, &s->table, i))
            error = m->ops->release(m, s, i);
    return error;
}

int sim_media_remove_lun(struct sim_media *m, unsigned lun)
{
    struct sim_media_lun before;
    int error;

    if (!sim_media_lun(m, lun))
        return -EINVAL;
    if (m->read_only)
        return -EROFS;
    error = release_all(m, &m->spaces[lun]);
    if (!error)
        error = m->ops->sync(m); /* no extent of it may come back when the descriptor is gone */
    if (error)
        return error;
    before = m->luns[lun];
    m->luns[lun] = (struct sim_media_lun){0};
    return record_lun(m, lun, before);
}

uint64_t sim_media_store_size(const struct sim_media *m)
{
    (void)m; /* every store of format 1 has this size */
    return SIM_MEDIA_STORE_BYTES;
}

static bool in_store(uint64_t offset, size_t n)
{
    return offset <= SIM_MEDIA_STORE_BYTES && n <= SIM_MEDIA_STORE_BYTES - offset;
}

int sim_media_store_read(struct sim_media *m, uint64_t offset, void *data, size_t n)
{
    return in_store(offset, n) ? m->ops->store_read(m, offset, data, n) : -ERANGE;
}

int sim_media_store_write(struct sim_media *m, uint64_t offset, const void *data, size_t n)
{
    if (!in_store(offset, n))
        return -ERANGE;
    return m->read_only ? -EROFS : m->ops->store_write(m, offset, data, n);
}

int sim_media_store_sync(struct sim_media *m) { return sim_media_sync(m); }

void sim_media_arena(const struct sim_media *m, void **ptr, size_t *used)
{
    bool restorable = m->kind != SIM_MEDIA_FILE;

    *ptr = restorable ? m->arena.base : NULL;
    *used = restorable ? m->arena.used : 0;
}

int sim_media_sink_zeros(uint64_t offset, uint64_t bytes, sim_media_sink *sink, void *arg)
{
    static const uint8_t zeros[16384];
    int error = 0;

    for (uint64_t n; !error && bytes; offset += n, bytes -= n) {
        n = hal_min64(bytes, sizeof zeros);
        error = sink(arg, offset, zeros, n);
    }
    return error;
}
