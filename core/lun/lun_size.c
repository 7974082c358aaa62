/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun/lun_size.h"

#include <errno.h>

#include "core/lun/lun_mode.h"
#include "core/lun/wipe.h"
#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

enum {
    WORD_BITS = 64,
    LOOKED_AT_ONCE = 1024, /* chunks that may have to be parked, or not any more */
};

/* ---- which chunks are parked ---- */

static size_t map_bytes(const struct spipe__global_lun *lun)
{
    return (size_t)hal_div_up(spipe__ba_total(lun->ba), WORD_BITS) * sizeof *lun->parked;
}

/* A map, when some chunks cannot be used any more. */
static int make_map(struct spipe *s, struct spipe__global_lun *lun, uint64_t usable)
{
    if (lun->parked || usable >= spipe__ba_total(lun->ba))
        return 0;
    lun->parked = exec_alloc(s->exec, map_bytes(lun), sizeof *lun->parked);
    return lun->parked ? 0 : -ENOMEM;
}

void spipe__lun_forget_parked(struct spipe *s, struct spipe__global_lun *lun)
{
    if (lun->parked)
        exec_free(s->exec, lun->parked, map_bytes(lun));
    lun->parked = NULL;
}

bool spipe__lun_is_parked(const struct spipe__global_lun *lun, uint64_t chunk)
{
    return lun->parked && lun->parked[chunk / WORD_BITS] & HAL_BIT(chunk % WORD_BITS);
}

static void park(struct spipe__global_lun *lun, uint64_t chunk)
{
    int rc = spipe__ba_reserve(lun->ba, chunk);

    CHECK(rc == 0);
    lun->parked[chunk / WORD_BITS] |= HAL_BIT(chunk % WORD_BITS);
}

static void unpark(struct spipe__global_lun *lun, uint64_t chunk)
{
    int rc = spipe__ba_free(lun->ba, chunk);

    CHECK(rc == 0);
    lun->parked[chunk / WORD_BITS] &= ~HAL_BIT(chunk % WORD_BITS);
}

void spipe__lun_free_chunk(struct spipe__global_lun *lun, uint64_t chunk)
{
    int rc;

    if (spipe__wipe_needed(lun, chunk) &&
        (spipe__ba_references(lun->ba, chunk) == 1 || spipe__mutant(VLW_2))) {
        spipe__wipe_later(lun, chunk); /* VL-62 */
        return;
    }
    rc = spipe__ba_free(lun->ba, chunk);
    CHECK(rc == 0);
    if (chunk >= lun->usable && !spipe__ba_is_allocated(lun->ba, chunk))
        park(lun, chunk);
}

/* Chunks that are given back, with the books held for some at a time. They are sorted into parts
 * before, which mostly are whole words. */
struct giving_back {
    struct spipe *s;
    struct spipe__global_lun *lun;
    struct spipe__ba_part part[SPIPE__STEPS_AT_ONCE];
    unsigned parts;
};

/* Whether nothing has to be known of the chunks of a part but that they are given back. */
static bool is_simple(const struct spipe__global_lun *lun, const struct spipe__ba_part *part)
{
    return (part->w + 1) * WORD_BITS <= lun->usable && !spipe__wipe_needed_in(lun, part);
}

/* Returns how many steps of the allocator it took. */
static unsigned free_part(struct spipe__global_lun *lun, const struct spipe__ba_part *part)
{
    if (is_simple(lun, part) && spipe__ba_free_part(lun->ba, part))
        return 1;
    for (uint64_t left = part->mask; left; left &= left - 1)
        spipe__lun_free_chunk(lun, part->w * WORD_BITS + hal_lowest_bit(left));
    return hal_bit_count(part->mask);
}

static void free_parts(struct giving_back *g)
{
    for (unsigned i = 0; i < g->parts;) {
        unsigned steps = 0;

        spipe__books_lock_behind(g->s);
        while (i < g->parts && steps < SPIPE__STEPS_AT_ONCE)
            steps += free_part(g->lun, &g->part[i++]);
        spipe__books_unlock(g->s);
    }
    g->parts = 0;
}

/* A chunk that is named twice begins another part, and is found to be free. */
static void give_back(struct giving_back *g, uint64_t chunk)
{
    uint64_t w = chunk / WORD_BITS, bit = HAL_BIT(chunk % WORD_BITS);
    struct spipe__ba_part *last = g->parts > 0 ? &g->part[g->parts - 1] : NULL;

    if (last && last->w == w && !(last->mask & bit)) {
        last->mask |= bit;
        return;
    }
    if (g->parts == SPIPE__STEPS_AT_ONCE)
        free_parts(g);
    g->part[g->parts++] = (struct spipe__ba_part){w, bit};
}

void spipe__lun_free_entries(struct spipe *s, struct spipe__global_lun *lun,
                             const uint64_t *entries, uint32_t first, uint32_t last)
{
    const uint64_t wrong = spipe__mutant(VLW_20) ? 0xFFFF : 0;
    struct spipe__lxt_home home = spipe__lxt_home_of(s);
    struct giving_back g = {s, lun, .parts = 0};

    while (last > first)
        give_back(&g, spipe__lxt_chunk(&home, &entries[--last]) & ~wrong);
    free_parts(&g);
}

void spipe__lun_free_chunks(struct spipe *s, struct spipe__global_lun *lun, const uint32_t *chunks,
                            uint32_t n)
{
    struct giving_back g = {s, lun, .parts = 0};

    while (n > 0)
        give_back(&g, chunks[--n]);
    free_parts(&g);
}

/* Adds a reference of each of some chunks, up to the first that cannot have one. Returns how many.
 */
static uint32_t share_some(struct spipe *s, struct spipe__global_lun *lun, const uint32_t *chunks,
                           uint32_t n)
{
    uint32_t done = 0;

    spipe__books_lock_behind(s);
    while (done < n && spipe__ba_add_reference(lun->ba, chunks[done]) == 0)
        done++;
    spipe__books_unlock(s);
    return done;
}

int spipe__lun_share_chunks(struct spipe *s, struct spipe__global_lun *lun, const uint32_t *chunks,
                            uint32_t n)
{
    for (uint32_t at = 0; at < n;) {
        uint32_t some = (uint32_t)hal_min64(n - at, SPIPE__STEPS_AT_ONCE);
        uint32_t done = share_some(s, lun, &chunks[at], some);

        at += done;
        if (done < some) {
            spipe__lun_free_chunks(s, lun, chunks, at);
            return -EIO;
        }
    }
    return 0;
}

static uint64_t usable_of(const struct spipe__global_lun *lun, uint64_t last_lba)
{
    return hal_min64(spipe__ba_total(lun->ba), (last_lba + 1) / SPIPE_CHUNK_BLOCKS);
}

/* Moves the end of the chunks that may be handed out, over some of them: at each step the books are
 * those of a device of that size. Returns whether it is where it belongs. */
static bool move_end(struct spipe__global_lun *lun)
{
    uint64_t goal = usable_of(lun, lun->last_lba);

    for (unsigned n = 0; n < LOOKED_AT_ONCE && lun->usable < goal; n++, lun->usable++)
        if (spipe__lun_is_parked(lun, lun->usable))
            unpark(lun, lun->usable);
    for (unsigned n = 0; n < LOOKED_AT_ONCE && lun->usable > goal; n++)
        if (!spipe__ba_is_allocated(lun->ba, --lun->usable))
            park(lun, lun->usable);
    return lun->usable == goal;
}

void spipe__lun_move_end(struct spipe *s, struct spipe__global_lun *lun)
{
    bool there;

    do {
        spipe__books_lock_behind(s);
        there = !lun->ba || spipe__mutant(VLW_16) || move_end(lun);
        spipe__books_unlock(s);
    } while (!there);
}

/* A LUN of which nothing is known yet has no block size. */
static void report_change(struct spipe *s, const struct spipe__global_lun *lun,
                          const struct spipe__capacity *now)
{
    const struct spipe__lun *local = spipe__lun_find(s, lun->wwid);

    if (lun->block_size && (lun->last_lba != now->last_lba || lun->block_size != now->block_size) &&
        local)
        spipe__event(s, LUN_CHANGED, (uint64_t)(local - s->lun), now->last_lba, now->block_size);
}

int spipe__lun_set_capacity(struct spipe *s, struct spipe__global_lun *lun,
                            const struct spipe__capacity *now)
{
    if (lun->mode != SPIPE_LUN_NONE && lun->block_size != now->block_size)
        return -EIO;
    if (lun->ba && make_map(s, lun, usable_of(lun, now->last_lba)))
        return -ENOMEM;
    report_change(s, lun, now);
    lun->last_lba = now->last_lba;
    /* Who has a handle reads it without a lock; it changes only when nobody has one. */
    if (lun->block_size != now->block_size)
        lun->block_size = now->block_size;
    lun->reads_zero_unmapped = now->reads_zero_unmapped;
    return 0;
}
