/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun_size.h"

#include <errno.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

enum { WORD_BITS = 64, PARKED_UNIT = 64 };

size_t spipe__lun_parked_bytes(uint64_t chunks)
{
    return (size_t)hal_div_up(chunks, PARKED_UNIT * 8) * PARKED_UNIT;
}

bool spipe__lun_is_parked(const struct spipe__lun *lun, uint64_t chunk)
{
    return lun->parked[chunk / WORD_BITS] & HAL_BIT(chunk % WORD_BITS);
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

int spipe__lun_set_capacity(struct spipe__lun *lun, const struct spipe__capacity *now)
{
    if (lun->mode != SPIPE_LUN_NONE && lun->block_size != now->block_size)
        return -EIO;
    lun->last_lba = now->last_lba;
    lun->block_size = now->block_size;
    lun->reads_zero_unmapped = now->reads_zero_unmapped;
    if (lun->ba)
        set_usable(lun,
                   hal_min64(spipe__ba_total(lun->ba), (now->last_lba + 1) / SPIPE_CHUNK_BLOCKS));
    return 0;
}
