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

/* Chunks of one word of the allocator. */
struct part {
    uint64_t w, mask;
};

/* Sorts chunks, which mostly follow each other, into parts. Returns how many. One that is named
 * twice begins another part. */
static uint32_t sort(const uint64_t *chunk, uint32_t n, struct part *part)
{
    uint32_t parts = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t w = chunk[i] / WORD_BITS, bit = HAL_BIT(chunk[i] % WORD_BITS);

        if (!parts || part[parts - 1].w != w || part[parts - 1].mask & bit)
            part[parts++] = (struct part){.w = w};
        part[parts - 1].mask |= bit;
    }
    return parts;
}

/* Whether nothing has to be known of a chunk of this part but that it is given back. */
static bool is_simple(const struct spipe__global_lun *lun, const struct part *part)
{
    return (part->w + 1) * WORD_BITS <= lun->usable &&
           !spipe__wipe_needed_in(lun, part->w, part->mask);
}

static void free_part(struct spipe__global_lun *lun, const struct part *part)
{
    if (is_simple(lun, part) && spipe__ba_free_word(lun->ba, part->w, part->mask))
        return;
    for (uint64_t left = part->mask; left; left &= left - 1)
        spipe__lun_free_chunk(lun, part->w * WORD_BITS + hal_lowest_bit(left));
}

/* Everything is read and sorted before, so that the books are held for the allocator only. */
static void free_some(struct spipe *s, struct spipe__global_lun *lun, const uint64_t *chunk,
                      uint32_t n)
{
    struct part part[SPIPE__CHUNKS_AT_ONCE];
    uint32_t parts = sort(chunk, n, part);

    spipe__books_lock_behind(s);
    for (uint32_t i = 0; i < parts; i++)
        free_part(lun, &part[i]);
    spipe__books_unlock(s);
}

void spipe__lun_free_entries(struct spipe *s, struct spipe__global_lun *lun,
                             const uint64_t *entries, uint32_t first, uint32_t last)
{
    const uint64_t wrong = spipe__mutant(VLW_20) ? 0xFFFF : 0;
    struct spipe__lxt_home home = spipe__lxt_home_of(s);
    uint64_t chunk[SPIPE__CHUNKS_AT_ONCE];

    while (last > first) {
        uint32_t n = (uint32_t)hal_min64(last - first, SPIPE__CHUNKS_AT_ONCE);

        last -= n;
        for (uint32_t i = 0; i < n; i++)
            chunk[i] = spipe__lxt_chunk(&home, &entries[last + i]) & ~wrong;
        free_some(s, lun, chunk, n);
    }
}

void spipe__lun_free_chunks(struct spipe *s, struct spipe__global_lun *lun, const uint32_t *chunks,
                            uint32_t n)
{
    uint64_t chunk[SPIPE__CHUNKS_AT_ONCE];

    while (n > 0) {
        uint32_t some = (uint32_t)hal_min64(n, SPIPE__CHUNKS_AT_ONCE);

        n -= some;
        for (uint32_t i = 0; i < some; i++)
            chunk[i] = chunks[n + i];
        free_some(s, lun, chunk, some);
    }
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
        uint32_t some = (uint32_t)hal_min64(n - at, SPIPE__CHUNKS_AT_ONCE);
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
