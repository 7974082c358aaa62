/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a media file: reading the extent table, taking and giving back slots, growing the
 * file. The rules that keep the file right at every instruction are in sim_media_file.h. */
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/sim_media_file.h"

#define GROW_MIN 16u    /* slots; the file is sparse, so this costs no space */
#define RECLAIM_MIN 16u /* slots given back that are worth two syncs */
#define SLOTS_MAX (UINT32_MAX - 1)
#define GROUP_BYTES (MEDIA_FILE_TABLE_BYTES + MEDIA_FILE_GROUP_SLOTS * MEDIA_FILE_SLOT_BYTES)

/* Adds to a list. Without memory for it the slot is lost until the file is opened again. */
static void push(struct sim_arena *a, struct media_slots *list, uint32_t slot)
{
    if (list->n == list->room) {
        uint32_t room = list->room ? 2 * list->room : (uint32_t)SIM_ARENA_PAGE / 4;
        uint32_t page = sim_arena_take(a, hal_div_up(4 * (uint64_t)room, SIM_ARENA_PAGE));
        if (!page)
            return;
        if (list->n)
            memcpy(sim_arena_page(a, page), sim_arena_page(a, list->page), 4 * (size_t)list->n);
        list->page = page;
        list->room = room;
    }
    ((uint32_t *)sim_arena_page(a, list->page))[list->n++] = slot;
}

static uint32_t slot_in(const struct sim_arena *a, const struct media_slots *list, uint32_t i)
{
    return ((const uint32_t *)sim_arena_page(a, list->page))[i];
}

int media_record_write(struct sim_media *m, uint32_t slot, const struct media_record *r)
{
    struct sim_media_file *f = m->file;
    uint8_t bytes[MEDIA_FILE_RECORD_BYTES];

    media_record_encode(bytes, slot, r);
    return f->io->write(f->io_arg, f->fd, bytes, sizeof bytes, media_record_at(slot));
}

int media_header_write(struct sim_media *m)
{
    struct sim_media_file *f = m->file;
    unsigned copy = !f->header_copy;
    int error = 0;
    size_t n;

    n = media_header_encode(f->header, f->generation + 1, f->n_slots, m->luns, m->n_luns);
    /* The older copy may go only when the newer one is safe. */
    if (f->header_unsynced)
        error = f->io->sync(f->io_arg, f->fd);
    if (!error)
        error = f->io->write(f->io_arg, f->fd, f->header, n, copy * MEDIA_FILE_HEADER_ROOM);
    if (error)
        return error;
    f->generation++;
    f->header_copy = copy;
    f->header_unsynced = true;
    return 0;
}

void media_slot_give(struct sim_media *m, uint32_t slot)
{
    push(&m->arena, &m->file->used_before, slot);
}

/* Zeroes the slots given back, whose cleared records are on the disk, and makes them free. If that
 * fails they stay where they are: nothing of anybody's data depends on it. */
static void clear_given(struct sim_media *m)
{
    struct sim_media_file *f = m->file;
    int error = 0;

    for (uint32_t i = 0; !error && i < f->used_before.n; i++)
        error =
            f->io->clear(f->io_arg, f->fd, media_slot_at(slot_in(&m->arena, &f->used_before, i)),
                         MEDIA_FILE_SLOT_BYTES);
    if (error || f->io->sync(f->io_arg, f->fd))
        return;
    for (uint32_t i = f->used_before.n; i--;)
        push(&m->arena, &f->free, slot_in(&m->arena, &f->used_before, i));
    f->used_before.n = 0;
}

int media_slots_sync(struct sim_media *m)
{
    struct sim_media_file *f = m->file;
    int error = 0;

    /* The record of a slot given back after a failed write may hold anything. */
    for (uint32_t i = 0; !error && i < f->used_before.n; i++)
        error = media_record_write(m, slot_in(&m->arena, &f->used_before, i), NULL);
    if (!error)
        error = f->io->sync(f->io_arg, f->fd);
    if (error)
        return error;
    f->header_unsynced = false;
    if (f->used_before.n)
        clear_given(m);
    return 0;
}

static int grow_by(struct sim_media *m, uint32_t more)
{
    struct sim_media_file *f = m->file;
    uint32_t before = f->n_slots;
    /* To the exact size first: the new part must be zeros, whatever lay beyond the last slot. */
    int error = f->io->resize(f->io_arg, f->fd, media_file_size(before));

    if (!error)
        error = f->io->resize(f->io_arg, f->fd, media_file_size(before + more));
    /* The size must be on the disk before a header or record speaks of it, or a power failure would
     * look like a truncated file. */
    if (!error)
        error = f->io->sync(f->io_arg, f->fd);
    if (error)
        return error;
    f->header_unsynced = false;
    f->n_slots = before + more;
    error = media_header_write(m);
    if (error) {
        f->n_slots = before;
        return error;
    }
    for (uint32_t i = more; i--;)
        push(&m->arena, &f->free, before + i);
    return 0;
}

static int grow(struct sim_media *m)
{
    uint32_t n = m->file->n_slots;
    uint32_t more = (uint32_t)hal_min64(hal_max64(GROW_MIN, n / 8), SLOTS_MAX - n);
    int error;

    if (!more)
        return -ENOSPC;
    error = grow_by(m, more);
    return error == -ENOSPC && more > 1 ? grow_by(m, 1) : error;
}

/* Makes the list of free slots non-empty: from those given back if that is worth two syncs, else by
 * growing the file; on a full disk, whichever still works. */
static int replenish(struct sim_media *m)
{
    struct sim_media_file *f = m->file;
    int error = 0;

    if (!f->free.n && f->used_before.n >= RECLAIM_MIN)
        error = media_slots_sync(m);
    if (!error && !f->free.n)
        error = grow(m);
    if (error == -ENOSPC && f->used_before.n)
        error = media_slots_sync(m);
    if (error)
        return error;
    return f->free.n ? 0 : -ENOSPC;
}

int media_slot_take(struct sim_media *m, uint32_t *slot)
{
    struct sim_media_file *f = m->file;

    for (bool again = true;; again = false) {
        int error = replenish(m);
        if (error)
            return error;
        *slot = slot_in(&m->arena, &f->free, f->free.n - 1);
        error = f->io->allocate(f->io_arg, f->fd, media_slot_at(*slot), MEDIA_FILE_SLOT_BYTES);
        if (!error) {
            f->free.n--;
            return 0;
        }
        /* A full disk: what was given back holds space that a sync releases. */
        if (error != -ENOSPC || !again || !f->used_before.n)
            return error;
        error = media_slots_sync(m);
        if (error)
            return error;
    }
}

/* What reading the table finds beside good records. */
struct load {
    struct sim_media *m;
    struct media_slots repair; /* records to be zeroed */
    uint32_t damaged;
};

static int sequence_of(struct sim_media *m, uint32_t slot, uint64_t *sequence)
{
    struct sim_media_file *f = m->file;
    uint8_t bytes[MEDIA_FILE_RECORD_BYTES];
    struct media_record r;
    int error = f->io->read(f->io_arg, f->fd, bytes, sizeof bytes, media_record_at(slot));

    if (error)
        return error;
    if (media_record_decode(bytes, slot, &r) != MEDIA_RECORD_USED)
        return -EIO; /* it was good a moment ago, and the file is locked */
    *sequence = r.sequence;
    return 0;
}

/* The space that a record names, if record and space fit. */
static struct sim_media_space *space_of_record(struct sim_media *m, const struct media_record *r)
{
    if (r->space == MEDIA_FILE_STORE_SPACE)
        return r->piece < SIM_MEDIA_STORE_BYTES / MEDIA_FILE_SLOT_BYTES
                   ? &m->spaces[SIM_MEDIA_STORE]
                   : NULL;
    if (!sim_media_lun(m, r->space) || r->piece >= SIM_MEDIA_LUN_BYTES_MAX / MEDIA_FILE_SLOT_BYTES)
        return NULL;
    return &m->spaces[r->space];
}

/* Enters one good record. Returns 0, -EINVAL (names what does not exist), -ENOSPC or -EIO. */
static int enter_record(struct load *l, uint32_t slot, const struct media_record *r)
{
    struct sim_media *m = l->m;
    struct sim_media_space *s = space_of_record(m, r);
    uint64_t other = 0;
    uint32_t *cell;
    int error;

    if (!s)
        return -EINVAL;
    error = sim_table_extend(&m->arena, &s->table, r->piece + 1); /* the LUN may have shrunk */
    cell = error ? NULL : sim_table_cell(&m->arena, &s->table, r->piece);
    if (!cell)
        return -ENOSPC;
    if (*cell) {
        error = sequence_of(m, *cell - 1, &other);
        if (error)
            return error;
        push(&m->arena, &l->repair, other < r->sequence ? *cell - 1 : slot);
    }
    if (!*cell || other < r->sequence)
        *cell = slot + 1;
    m->file->sequence = hal_max64(m->file->sequence, r->sequence);
    return 0;
}

/* Returns as enter_record, or -ENODATA for anything about a slot beyond the end of the file. */
static int load_record(struct load *l, uint32_t slot, const uint8_t *bytes)
{
    struct media_record r;
    enum media_record_state state = media_record_decode(bytes, slot, &r);

    if (slot >= l->m->file->n_slots)
        return state == MEDIA_RECORD_FREE ? 0 : -ENODATA;
    switch (state) {
    case MEDIA_RECORD_USED:
        return enter_record(l, slot, &r);
    case MEDIA_RECORD_DAMAGED:
        l->damaged++;
        push(&l->m->arena, &l->repair, slot);
        return 0;
    case MEDIA_RECORD_FREE:
        /* Not known to be zeroed: a process may have ended between data and record. */
        media_slot_give(l->m, slot);
        return 0;
    }
    CHECK_UNREACHABLE();
}

static int load_group(struct load *l, uint32_t first)
{
    struct sim_media_file *f = l->m->file;
    uint8_t table[MEDIA_FILE_TABLE_BYTES];
    int error = f->io->read(f->io_arg, f->fd, table, sizeof table, media_record_at(first));

    for (uint32_t i = 0; !error && i < MEDIA_FILE_GROUP_SLOTS; i++)
        error = load_record(l, first + i, table + (size_t)i * MEDIA_FILE_RECORD_BYTES);
    return error;
}

static uint64_t whole_slots(uint64_t size)
{
    uint64_t rest = size - MEDIA_FILE_GROUPS_AT, part = rest % GROUP_BYTES;

    return rest / GROUP_BYTES * MEDIA_FILE_GROUP_SLOTS +
           (part > MEDIA_FILE_TABLE_BYTES ? (part - MEDIA_FILE_TABLE_BYTES) / MEDIA_FILE_SLOT_BYTES
                                          : 0);
}

static int explain_load(const struct load *l, int error, const char *path, char *why,
                        size_t why_size)
{
    switch (error) {
    case 0:
        /* One process can tear one record; more is not a crash but a damaged file. */
        return l->damaged <= 1 ? 0
                               : sim_media_explain(why, why_size, -EINVAL,
                                                   "media file '%s' is damaged, %u entries of its "
                                                   "extent table are not readable: restore it from "
                                                   "a copy",
                                                   path, l->damaged);
    case -EINVAL:
        return sim_media_explain(why, why_size, error,
                                 "media file '%s' is damaged, its extent table names a LUN or "
                                 "place that does not exist: restore it from a copy",
                                 path);
    case -ENODATA:
        return sim_media_explain(why, why_size, -EINVAL,
                                 "media file '%s' is truncated, its extent table names a place "
                                 "beyond its end: restore it from a copy",
                                 path);
    case -ENOSPC:
        return sim_media_explain(why, why_size, -ENOMEM,
                                 "media file '%s' needs larger tables in memory: give it a larger "
                                 "arena",
                                 path);
    default:
        return sim_media_explain(why, why_size, error,
                                 "media file '%s' cannot be read: check the disk it is on", path);
    }
}

static int repair(struct load *l)
{
    int error = 0;

    for (uint32_t i = 0; !error && i < l->repair.n; i++) {
        uint32_t slot = slot_in(&l->m->arena, &l->repair, i);
        error = media_record_write(l->m, slot, NULL);
        media_slot_give(l->m, slot);
    }
    return error;
}

int media_slots_load(struct sim_media *m, uint64_t size, const char *path, char *why,
                     size_t why_size)
{
    struct load l = {.m = m};
    uint64_t slots = whole_slots(size);
    int error = 0;

    if (slots > SLOTS_MAX)
        return sim_media_explain(why, why_size, -EINVAL,
                                 "media file '%s' is larger than any media file can be: restore it "
                                 "from a copy",
                                 path);
    m->file->n_slots = (uint32_t)slots;
    for (uint32_t at = 0; !error && at < slots; at += MEDIA_FILE_GROUP_SLOTS)
        error = load_group(&l, at);
    error = explain_load(&l, error, path, why, why_size);
    if (error || m->read_only)
        return error;
    error = repair(&l);
    return error ? explain_load(&l, -EIO, path, why, why_size) : 0;
}
