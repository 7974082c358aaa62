/* SPDX-License-Identifier: Apache-2.0 */
/* Media in a file: the operations. pread and pwrite only, so that what was acknowledged is in the
 * kernel's hands and survives the death of the process at any instruction. */
#include "sim/sim_media_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

static uint16_t space_number(const struct sim_media *m, const struct sim_media_space *s)
{
    size_t n = (size_t)(s - m->spaces);
    return n == SIM_MEDIA_STORE ? MEDIA_FILE_STORE_SPACE : (uint16_t)n;
}

/* Reads bytes of a piece; a piece without a slot is zeros. */
static int get(struct sim_media *m, const struct sim_media_space *s, uint64_t piece, uint64_t at,
               void *data, size_t n)
{
    struct sim_media_file *f = m->file;
    uint32_t cell = sim_table_get(&m->arena, &s->table, piece);

    if (!cell) {
        memset(data, 0, n);
        return 0;
    }
    return f->io->read(f->io_arg, f->fd, data, n, media_slot_at(cell - 1) + at);
}

/* Data into a fresh slot, then its record: only the record makes them visible. */
static int put_fresh(struct sim_media *m, struct sim_media_space *s, uint64_t piece, uint64_t at,
                     const void *data, size_t n)
{
    struct sim_media_file *f = m->file;
    struct media_record r = {.space = space_number(m, s), .piece = piece};
    uint32_t *cell = sim_table_cell(&m->arena, &s->table, piece);
    uint32_t slot;
    int error;

    if (!cell)
        return -ENOSPC;
    error = media_slot_take(m, &slot);
    if (error)
        return error;
    error = f->io->write(f->io_arg, f->fd, data, n, media_slot_at(slot) + at);
    if (!error) {
        r.sequence = ++f->sequence;
        error = media_record_write(m, slot, &r);
    }
    if (error)
        media_slot_give(m, slot);
    else
        *cell = slot + 1;
    return error;
}

static int put(struct sim_media *m, struct sim_media_space *s, uint64_t piece, uint64_t at,
               const void *data, size_t n)
{
    struct sim_media_file *f = m->file;
    uint32_t cell = sim_table_get(&m->arena, &s->table, piece);

    if (!cell)
        return put_fresh(m, s, piece, at, data, n);
    return f->io->write(f->io_arg, f->fd, data, n, media_slot_at(cell - 1) + at);
}

static int file_read(struct sim_media *m, const struct sim_media_part *p, sim_media_sink *sink,
                     void *arg)
{
    const struct sim_media_space *s = p->space;
    uint64_t n = (uint64_t)p->blocks * s->block_size;
    int error;

    if (!sim_table_get(&m->arena, &s->table, p->piece))
        return sim_media_sink_zeros(p->offset, n, sink, arg);
    error = get(m, s, p->piece, (uint64_t)p->first * s->block_size, m->file->bounce, n);
    return error ? error : sink(arg, p->offset, m->file->bounce, n);
}

static int file_write(struct sim_media *m, const struct sim_media_part *p, sim_media_source *source,
                      void *arg)
{
    struct sim_media_space *s = p->space;
    uint64_t n = (uint64_t)p->blocks * s->block_size;
    int error = source(arg, p->offset, m->file->bounce, n);

    if (error)
        return error;
    return put(m, s, p->piece, (uint64_t)p->first * s->block_size, m->file->bounce, n);
}

/* Zeros over a whole slot: the space is released and reserved again, which is cheaper than writing
 * a MiB. If it cannot be had again, a later write says so. */
static int clear_slot(struct sim_media_file *f, uint32_t slot)
{
    uint64_t at = media_slot_at(slot);
    int error = f->io->clear(f->io_arg, f->fd, at, MEDIA_FILE_SLOT_BYTES);

    if (!error)
        (void)f->io->allocate(f->io_arg, f->fd, at, MEDIA_FILE_SLOT_BYTES);
    return error;
}

static int file_fill(struct sim_media *m, const struct sim_media_part *p, const void *pattern)
{
    struct sim_media_space *s = p->space;
    struct sim_media_file *f = m->file;
    uint32_t cell = sim_table_get(&m->arena, &s->table, p->piece);
    uint64_t n = (uint64_t)p->blocks * s->block_size;

    if (!pattern && !cell)
        return 0;
    if (!pattern && p->blocks == s->piece_blocks)
        return clear_slot(f, cell - 1);
    if (!pattern)
        memset(f->bounce, 0, n);
    else
        for (uint32_t i = 0; i < p->blocks; i++)
            memcpy(f->bounce + (uint64_t)i * s->block_size, pattern, s->block_size);
    return put(m, s, p->piece, (uint64_t)p->first * s->block_size, f->bounce, n);
}

static int file_release(struct sim_media *m, struct sim_media_space *s, uint64_t piece)
{
    uint32_t slot = sim_table_get(&m->arena, &s->table, piece);
    int error;

    if (!slot--)
        return 0;
    error = media_record_write(m, slot, NULL);
    if (error)
        return error;
    *sim_table_cell(&m->arena, &s->table, piece) = 0;
    media_slot_give(m, slot);
    return 0;
}

static int file_store_read(struct sim_media *m, uint64_t offset, void *data, size_t n)
{
    const struct sim_media_space *s = &m->spaces[SIM_MEDIA_STORE];
    uint8_t *to = data;
    int error = 0;

    for (size_t k; !error && n; offset += k, to += k, n -= k) {
        uint64_t at = offset % s->piece_blocks;
        k = hal_min64(n, s->piece_blocks - at);
        error = get(m, s, offset >> s->piece_shift, at, to, k);
    }
    return error;
}

static int file_store_write(struct sim_media *m, uint64_t offset, const void *data, size_t n)
{
    struct sim_media_space *s = &m->spaces[SIM_MEDIA_STORE];
    const uint8_t *from = data;
    int error = 0;

    for (size_t k; !error && n; offset += k, from += k, n -= k) {
        uint64_t at = offset % s->piece_blocks;
        k = hal_min64(n, s->piece_blocks - at);
        error = put(m, s, offset >> s->piece_shift, at, from, k);
    }
    return error;
}

static int file_resized(struct sim_media *m)
{
    struct sim_media_file *f = m->file;
    int error = media_header_write(m);

    if (!error)
        error = f->io->sync(f->io_arg, f->fd);
    if (!error)
        f->header_unsynced = false;
    return error;
}

static void file_close(struct sim_media *m)
{
    struct sim_arena a = m->arena; /* m itself lies in it */

    close(m->file->fd);
    sim_arena_unmap(&a);
}

const struct sim_media_ops media_file_ops = {
    .read = file_read,
    .write = file_write,
    .fill = file_fill,
    .release = file_release,
    .store_read = file_store_read,
    .store_write = file_store_write,
    .sync = media_slots_sync,
    .resized = file_resized,
    .close = file_close,
};
