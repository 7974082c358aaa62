/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun_size.h"

#include <errno.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

enum { WORD_BITS = 64 };

/* ---- which chunks are parked ---- */

static size_t map_bytes(const struct spipe__lun *lun)
{
    return (size_t)hal_div_up(spipe__ba_total(lun->ba), WORD_BITS) * sizeof *lun->parked;
}

/* A map, when some chunks cannot be used any more. */
static int make_map(struct spipe *s, struct spipe__lun *lun, uint64_t usable)
{
    if (lun->parked || usable >= spipe__ba_total(lun->ba))
        return 0;
    lun->parked = exec_alloc(s->exec, map_bytes(lun), sizeof *lun->parked);
    return lun->parked ? 0 : -ENOMEM;
}

void spipe__lun_forget_parked(struct spipe *s, struct spipe__lun *lun)
{
    if (lun->parked)
        exec_free(s->exec, lun->parked, map_bytes(lun));
    lun->parked = NULL;
}

bool spipe__lun_is_parked(const struct spipe__lun *lun, uint64_t chunk)
{
    return lun->parked && lun->parked[chunk / WORD_BITS] & HAL_BIT(chunk % WORD_BITS);
}

static void park(struct spipe__lun *lun, uint64_t chunk)
{
    int rc = spipe__ba_reserve(lun->ba, chunk);

    CHECK(rc == 0);
    lun->parked[chunk / WORD_BITS] |= HAL_BIT(chunk % WORD_BITS);
}

static void unpark(struct spipe__lun *lun, uint64_t chunk)
{
    int rc = spipe__ba_free(lun->ba, chunk);

    CHECK(rc == 0);
    lun->parked[chunk / WORD_BITS] &= ~HAL_BIT(chunk % WORD_BITS);
}

void spipe__lun_free_chunk(struct spipe__lun *lun, uint64_t chunk)
{
    int rc = spipe__ba_free(lun->ba, chunk);

    CHECK(rc == 0);
    if (chunk >= lun->usable && !spipe__ba_is_allocated(lun->ba, chunk))
        park(lun, chunk);
}

/* Moves the end of the chunks that may be handed out. */
static void set_usable(struct spipe__lun *lun, uint64_t usable)
{
    for (uint64_t c = lun->usable; c < usable; c++)
        if (spipe__lun_is_parked(lun, c))
            unpark(lun, c);
    for (uint64_t c = usable; c < lun->usable; c++)
        if (!spipe__ba_is_allocated(lun->ba, c))
            park(lun, c);
    lun->usable = usable;
}

static uint64_t usable_of(const struct spipe__lun *lun, const struct spipe__capacity *now)
{
    return hal_min64(spipe__ba_total(lun->ba), (now->last_lba + 1) / SPIPE_CHUNK_BLOCKS);
}

int spipe__lun_set_capacity(struct spipe *s, struct spipe__lun *lun,
                            const struct spipe__capacity *now)
{
    if (lun->mode != SPIPE_LUN_NONE && lun->block_size != now->block_size)
        return -EIO;
    if (lun->ba && make_map(s, lun, usable_of(lun, now)))
        return -ENOMEM;
    lun->last_lba = now->last_lba;
    lun->block_size = now->block_size;
    lun->reads_zero_unmapped = now->reads_zero_unmapped;
    if (lun->ba)
        set_usable(lun, usable_of(lun, now));
    return 0;
}
