/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun/wipe.h"

#include <errno.h>
#include <string.h>

#include "core/adapter/gate.h"
#include "core/adapter/pause.h"
#include "core/lun/lun_mode.h"
#include "core/lun/lun_size.h"
#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/endian.h"

enum {
    WORD_BITS = 64,
    PIECE_DEFAULT = 512, /* blocks of a command, if the device has no limit of its own */
    PAGE_BLOCK_LIMITS = 0xB0,
    PAGE_LENGTH = 64,
    MAX_WRITE_SAME = 36, /* where that page has it, 8 bytes */
};

/* Between two tries of what cannot be wiped, from the first to the last. */
#define PAUSE_MIN (100 * SPIPE__MILLISECOND)
#define PAUSE_MAX (60 * SPIPE__SECOND)

/* ---- what is known; with the books held ---- */

static bool has(const uint64_t *set, uint64_t chunk)
{
    return set[chunk / WORD_BITS] & HAL_BIT(chunk % WORD_BITS);
}

static void set(uint64_t *set, uint64_t chunk)
{
    set[chunk / WORD_BITS] |= HAL_BIT(chunk % WORD_BITS);
}

static void clear(uint64_t *set, uint64_t chunk)
{
    set[chunk / WORD_BITS] &= ~HAL_BIT(chunk % WORD_BITS);
}

static void free_wipe(struct spipe *s, struct spipe__wipe *w)
{
    exec_free(s->exec, w->sticky, w->bytes);
    exec_free(s->exec, w->dirty, w->bytes);
    exec_free(s->exec, w->failed, w->bytes);
    exec_free(s->exec, w, sizeof *w);
}

int spipe__wipe_prepare(struct spipe *s, struct spipe__global_lun *lun)
{
    struct spipe__wipe *w;

    if (lun->wipe)
        return 0;
    w = exec_alloc(s->exec, sizeof *w, _Alignof(struct spipe__wipe));
    if (!w)
        return -ENOMEM;
    w->bytes = (size_t)hal_div_up(spipe__ba_total(lun->ba), WORD_BITS) * sizeof(uint64_t);
    w->sticky = exec_alloc(s->exec, w->bytes, sizeof(uint64_t));
    w->dirty = exec_alloc(s->exec, w->bytes, sizeof(uint64_t));
    w->failed = exec_alloc(s->exec, w->bytes, sizeof(uint64_t));
    if (!w->sticky || !w->dirty || !w->failed) {
        free_wipe(s, w);
        return -ENOMEM;
    }
    lun->wipe = w;
    return 0;
}

void spipe__wipe_forget(struct spipe *s, struct spipe__global_lun *lun)
{
    struct spipe__wipe *w = lun->wipe;

    if (!w)
        return;
    lun->wipe = NULL;
    free_wipe(s, w);
}

void spipe__wipe_mark(struct spipe__global_lun *lun, const struct spipe__ba_part *part)
{
    lun->wipe->sticky[part->w] |= part->mask;
}

void spipe__wipe_mark_one(struct spipe__global_lun *lun, uint64_t chunk)
{
    set(lun->wipe->sticky, chunk);
}

bool spipe__wipe_needed(const struct spipe__global_lun *lun, uint64_t chunk)
{
    return lun->wipe && has(lun->wipe->sticky, chunk);
}

bool spipe__wipe_needed_in(const struct spipe__global_lun *lun, const struct spipe__ba_part *part)
{
    return lun->wipe && lun->wipe->sticky[part->w] & part->mask;
}

uint64_t spipe__wipe_dirty(const struct spipe__global_lun *lun)
{
    return lun->wipe ? lun->wipe->dirty_count : 0;
}

bool spipe__wipe_is_dirty(const struct spipe__global_lun *lun, uint64_t chunk)
{
    return lun->wipe && has(lun->wipe->dirty, chunk);
}

void spipe__wipe_ask(const struct spipe__global_lun *lun)
{
    for (struct spipe__lun *local = lun->locals; local; local = local->sibling)
        spipe__worker_want_wipe(local->s);
}

void spipe__wipe_later(struct spipe__global_lun *lun, uint64_t chunk)
{
    CHECK(!has(lun->wipe->dirty, chunk));
    if (lun->wipe->dirty_count++ == 0)
        spipe__lun_hold(lun);
    set(lun->wipe->dirty, chunk);
    spipe__wipe_ask(lun);
}

/* ---- what is recorded ---- */

static int record_some(struct spipe *s, const struct spipe__global_lun *lun,
                       const uint64_t *entries, uint32_t n)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);
    uint32_t chunk[SPIPE__STEPS_AT_ONCE];

    for (uint32_t i = 0; i < n; i++) {
        uint64_t c = spipe__lxt_chunk(&home, &entries[i]);

        if (c > UINT32_MAX)
            return -EFBIG;
        chunk[i] = (uint32_t)c;
    }
    return spipe__event_of_catalogue(s,
                                     spipe__cat_wipe_add(s->group->catalogue, lun->wwid, chunk, n));
}

int spipe__wipe_record(struct spipe *s, const struct spipe__global_lun *lun,
                       const uint64_t *entries, uint32_t first, uint32_t last)
{
    int rc = 0;

    if (!s->group->catalogue)
        return 0;
    exec_mutex_lock(s->exec, &s->group->names);
    for (uint32_t n; first < last && !rc; first += n) {
        n = (uint32_t)hal_min64(last - first, SPIPE__STEPS_AT_ONCE);
        rc = record_some(s, lun, &entries[first], n);
    }
    exec_mutex_unlock(s->exec, &s->group->names);
    return rc ? -EIO : 0;
}

struct restoring {
    struct spipe *s;
    struct spipe__global_lun *lun;
};

/* A device that lost the chunk may have it again in another run. */
static int restore_one(void *arg, uint32_t chunk)
{
    const struct restoring *r = arg;
    struct spipe__global_lun *lun = r->lun;
    int rc;

    if (chunk >= spipe__ba_total(lun->ba))
        return 0;
    rc = spipe__wipe_prepare(r->s, lun);
    if (rc)
        return rc;
    spipe__wipe_mark_one(lun, chunk);
    if (spipe__ba_is_allocated(lun->ba, chunk))
        return 0;
    rc = spipe__ba_reserve(lun->ba, chunk);
    CHECK(rc == 0);
    spipe__wipe_later(lun, chunk);
    return 0;
}

int spipe__wipe_restore(struct spipe *s, struct spipe__global_lun *lun)
{
    return spipe__cat_for_each_wipe(s->group->catalogue, lun->wwid, restore_one,
                                    &(struct restoring){s, lun});
}

/* ---- with the books held ---- */

static uint64_t word_of(const struct spipe__wipe *w, uint64_t at, bool failed_too)
{
    return failed_too ? w->dirty[at] : w->dirty[at] & ~w->failed[at];
}

/* A dirty chunk, searched in turn, so that one that cannot be wiped does not keep others from it.
 */
static bool next_dirty(struct spipe__global_lun *lun, bool failed_too, uint64_t *chunk)
{
    struct spipe__wipe *w = lun->wipe;
    uint64_t words, at, bits;

    if (!w || w->dirty_count == (failed_too ? 0 : w->failed_count))
        return false;
    words = w->bytes / sizeof *w->dirty;
    at = w->next / WORD_BITS;
    bits = word_of(w, at, failed_too) & UINT64_MAX << w->next % WORD_BITS;
    for (; !bits; bits = word_of(w, at, failed_too))
        at = (at + 1) % words;
    *chunk = at * WORD_BITS + hal_lowest_bit(bits);
    w->next = (*chunk + 1) % (words * WORD_BITS);
    return true;
}

static uint64_t number_of(const struct spipe *s, const struct spipe__lun *lun)
{
    return (uint64_t)(lun - s->lun);
}

static void forget_failure(struct spipe *s, const struct spipe__lun *lun, uint64_t chunk)
{
    struct spipe__wipe *w = lun->global->wipe;

    if (!has(w->failed, chunk))
        return;
    clear(w->failed, chunk);
    w->failed_count--;
    spipe__event(s, WIPE_SUCCEEDED, number_of(s, lun), chunk);
}

static void wiped(struct spipe *s, const struct spipe__lun *local, uint64_t chunk)
{
    struct spipe__global_lun *lun = local->global;
    struct spipe__wipe *w = lun->wipe;

    forget_failure(s, local, chunk);
    clear(w->sticky, chunk);
    clear(w->dirty, chunk);
    w->dirty_count--;
    spipe__lun_free_chunk(lun, chunk);
    if (w->dirty_count == 0)
        spipe__lun_unhold(s, lun);
}

/* Says whether it is the first failure of the chunk. */
static bool note_failure(struct spipe__wipe *w, uint64_t chunk)
{
    if (has(w->failed, chunk))
        return false;
    set(w->failed, chunk);
    w->failed_count++;
    return true;
}

/* ---- commands ---- */

/* What a wipe needs to know of a LUN that is in use. */
struct target {
    struct spipe__global_lun *lun;
    unsigned ports;
    uint64_t lun_id[SPIPE__PORTS_MAX];
    uint64_t dirty; /* chunks that were */
    uint32_t block_size, piece;
    bool unmap; /* */
};

static struct target look_at(struct spipe *s, const struct spipe__lun *local)
{
    struct spipe__global_lun *lun = local->global;
    struct target t = {.lun = lun};

    spipe__books_lock(s);
    t.ports = local->port_mask;
    memcpy(t.lun_id, local->lun_id, sizeof t.lun_id);
    t.dirty = spipe__wipe_dirty(lun);
    t.block_size = lun->block_size;
    t.piece = lun->wipe ? lun->wipe->piece : 0;
    t.unmap = s->ws_unmap && lun->reads_zero_unmapped;
    spipe__books_unlock(s);
    return t;
}

enum way { READ, WRITE, FLUSH };

/* One command to whatever port works; a write: from scratch, which is zeros. */
static int send(struct spipe *s, const struct target *t, const struct spipe__cdb *cdb, enum way way,
                uint32_t length)
{
    uint32_t valid;
    int rc = -ENETDOWN;

    for (unsigned p = 0; p < s->ports && rc == -ENETDOWN; p++) {
        if (!(t->ports & AFU_PORT_BIT(p)))
            continue;
        if (way == READ)
            rc = spipe__scsi_read(s, p, t->lun_id[p], cdb, length, &valid);
        else if (way == WRITE)
            rc = spipe__scsi_write(s, p, t->lun_id[p], cdb, length);
        else
            rc = spipe__scsi_flush(s, p, t->lun_id[p], cdb);
    }
    return rc;
}

/* Blocks that one command may write: VL-58, with a default where the original loops for ever. */
static uint32_t ask_for_limit(struct spipe *s, const struct target *t)
{
    struct spipe__cdb cdb = spipe__cdb_inquiry_page(PAGE_BLOCK_LIMITS, PAGE_LENGTH);
    uint64_t limit = 0;

    exec_mutex_lock(s->exec, &s->scsi);
    if (!send(s, t, &cdb, READ, PAGE_LENGTH))
        limit = hal_be64_at((const uint8_t *)s->scratch + MAX_WRITE_SAME);
    exec_mutex_unlock(s->exec, &s->scsi);
    return limit || spipe__mutant(VLW_14) ? (uint32_t)hal_min64(limit, SPIPE_CHUNK_BLOCKS)
                                          : PIECE_DEFAULT;
}

static void learn_limit(struct spipe *s, struct target *t)
{
    if (t->piece)
        return;
    t->piece = ask_for_limit(s, t);
    spipe__books_lock(s);
    if (t->lun->wipe)
        t->lun->wipe->piece = t->piece;
    spipe__books_unlock(s);
}

/* VL-57, VL-64: the data is one block of the device. */
static int write_zeros(struct spipe *s, const struct target *t, uint64_t lba, uint32_t blocks)
{
    struct spipe__cdb cdb = spipe__cdb_write_same_16(lba, blocks, t->unmap);
    int rc;

    exec_mutex_lock(s->exec, &s->scsi);
    memset(s->scratch, 0, t->block_size);
    rc = send(s, t, &cdb, WRITE, t->block_size);
    exec_mutex_unlock(s->exec, &s->scsi);
    return rc;
}

/* A chunk that a power failure fills again was not wiped: the zeros leave the cache of the device
 * before anything says that they are there. */
static int flush(struct spipe *s, const struct target *t, uint64_t lba, uint32_t blocks)
{
    struct spipe__cdb cdb = spipe__cdb_synchronize_cache_16(lba, blocks);
    int rc;

    exec_mutex_lock(s->exec, &s->scsi);
    rc = send(s, t, &cdb, FLUSH, 0);
    exec_mutex_unlock(s->exec, &s->scsi);
    return rc;
}

/* VL-59, VL-66: inside the gate for one command, so that a reset waits for no more than that, and
 * this waits for a reset. What a reset took with it is tried again with the whole chunk. */
static int do_piece(struct spipe *s, const struct target *t, uint64_t lba, uint32_t blocks,
                    int (*command)(struct spipe *, const struct target *, uint64_t, uint32_t))
{
    int rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    rc = command(s, t, lba, blocks);
    spipe__gate_leave(&s->gate);
    return rc;
}

/* VL-60: chunk c begins at block c x 65536. */
static int wipe_chunk(struct spipe *s, const struct target *t, uint64_t chunk)
{
    uint64_t first = spipe__mutant(VLW_1) ? chunk : chunk * SPIPE_CHUNK_BLOCKS;
    int rc = 0;

    for (uint64_t done = 0; done < SPIPE_CHUNK_BLOCKS && !rc; done += t->piece) {
        if (spipe__worker_stopping(s))
            return -EINTR;
        rc = do_piece(s, t, first + done, (uint32_t)hal_min64(t->piece, SPIPE_CHUNK_BLOCKS - done),
                      write_zeros);
    }
    return rc ? rc : do_piece(s, t, first, SPIPE_CHUNK_BLOCKS, flush);
}

/* ---- all of a LUN ---- */

static bool take_dirty(struct spipe *s, struct spipe__global_lun *lun, bool failed_too,
                       uint64_t *chunk)
{
    bool found;

    spipe__books_lock(s);
    found = next_dirty(lun, failed_too, chunk);
    if (!found || !spipe__mutant(VLW_4))
        spipe__books_unlock(s);
    return found;
}

/* The record first: a chunk is free only when no restart would wipe it again. */
static int confirm(struct spipe *s, const struct spipe__lun *lun, uint64_t chunk)
{
    int rc = 0;

    exec_mutex_lock(s->exec, &s->group->names);
    if (s->group->catalogue && chunk <= UINT32_MAX)
        rc = spipe__event_of_catalogue(
            s, spipe__cat_wipe_done(s->group->catalogue, lun->global->wwid, (uint32_t)chunk));
    exec_mutex_unlock(s->exec, &s->group->names);
    if (rc)
        return rc;
    spipe__books_lock(s);
    wiped(s, lun, chunk);
    spipe__books_unlock(s);
    return 0;
}

/* VL-61. Told once, until it succeeds. An adapter that closes is no failure. */
static void failed(struct spipe *s, const struct spipe__lun *lun, uint64_t chunk, int rc)
{
    bool first;

    if (rc == -EINTR)
        return;
    spipe__books_lock(s);
    first = note_failure(lun->global->wipe, chunk);
    spipe__books_unlock(s);
    if (first)
        spipe__event(s, WIPE_FAILED, number_of(s, lun), chunk, spipe__result(rc));
}

/* Returns whether it is worth trying another one: the device has said that it cannot do this one,
 * or has done it. */
static bool wipe_one(struct spipe *s, const struct spipe__lun *lun, struct target *t,
                     uint64_t chunk)
{
    int rc, refused;

    learn_limit(s, t);
    refused = wipe_chunk(s, t, chunk);
    rc = refused;
    if (!refused || spipe__mutant(VLW_3))
        rc = confirm(s, lun, chunk);
    if (rc)
        failed(s, lun, chunk, rc);
    return !rc || refused == -EIO;
}

/* Each that is dirty now, once. Nobody else wipes, so a dirty chunk stays one until it is confirmed
 * here. */
static void wipe_all(struct spipe *s, const struct spipe__lun *lun, bool failed_too)
{
    struct target t = look_at(s, lun);
    uint64_t left = t.dirty, chunk;

    while (left-- > 0 && take_dirty(s, t.lun, failed_too, &chunk))
        if (!wipe_one(s, lun, &t, chunk))
            return;
}

/* With the books held: when the worker is to try again what is dirty still. What has failed once
 * more, `after` its pause, gets a longer one. */
static uint64_t next_try(struct spipe__lun *lun, bool after, uint64_t now)
{
    const struct spipe__wipe *w = lun->global->wipe;

    if (!w || !w->failed_count)
        lun->wipe_pause = lun->wipe_again_at = 0;
    else if (after) {
        lun->wipe_pause = hal_min64(hal_max64(2 * lun->wipe_pause, PAUSE_MIN), PAUSE_MAX);
        lun->wipe_again_at = now + lun->wipe_pause;
    }
    if (!spipe__wipe_dirty(lun->global))
        return EXEC_FOREVER;
    return hal_max64(lun->wipe_again_at, now + PAUSE_MIN);
}

static bool pause_is_over(struct spipe *s, const struct spipe__lun *lun)
{
    uint64_t now = exec_now(s->exec);
    bool over;

    spipe__books_lock(s);
    over = now >= lun->wipe_again_at;
    spipe__books_unlock(s);
    return over;
}

static void ask_again(struct spipe *s, struct spipe__lun *lun, bool after)
{
    uint64_t now = exec_now(s->exec), next;

    spipe__books_lock(s);
    next = next_try(lun, after, now);
    spipe__books_unlock(s);
    if (next != EXEC_FOREVER)
        spipe__worker_want_wipe_at(s, next);
}

static void run(struct spipe *s, struct spipe__lun *lun, bool at_once)
{
    bool over;

    CHECK(!exec_holds_ranked(s->exec));
    if (s->wipe_nothing)
        return;
    exec_mutex_lock(s->exec, &s->group->wiping);
    over = pause_is_over(s, lun);
    wipe_all(s, lun, at_once || over);
    ask_again(s, lun, over);
    exec_mutex_unlock(s->exec, &s->group->wiping);
}

void spipe__wipe_run(struct spipe *s, struct spipe__lun *lun) { run(s, lun, true); }

void spipe__wipe_run_due(struct spipe *s, struct spipe__lun *lun) { run(s, lun, false); }
