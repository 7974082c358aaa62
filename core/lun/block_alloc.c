/* SPDX-License-Identifier: Apache-2.0 */
/* See block_alloc.h for the method. Branches that depend on the fill are few on purpose: on a
 * nearly full table they cannot be predicted, and each would cost as much as the rest. The search
 * therefore starts in the summaries even when the word under the cursor would do. */
#include "core/lun/block_alloc.h"

#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#include <errno.h>
#include <string.h>

enum { WORD_BITS = 64 };

_Static_assert((1 << SPIPE__BA_CHUNK_SHIFT) == 65536, "a chunk is 65,536 blocks");
_Static_assert(SPIPE__BA_CLONES_MAX == UINT8_MAX, "a clone count is one byte");

static uint64_t word_of(uint64_t bit) { return bit / WORD_BITS; }
static uint64_t mask_of(uint64_t bit) { return HAL_BIT(bit % WORD_BITS); }

static bool in_range(const struct spipe__ba *ba, uint64_t chunk)
{
    return chunk < ba->total || spipe__mutant(VLW_13);
}

static bool is_free(const struct spipe__ba *ba, uint64_t chunk)
{
    return ba->level[0][word_of(chunk)] & mask_of(chunk);
}

/* A level of `bits` bits and the zero word behind it. */
static uint64_t level_words(uint64_t bits) { return hal_div_up(bits, WORD_BITS) + 1; }

/* More chunks than 2^64 blocks can hold would overflow below; nobody can have so many. */
static bool is_absurd(uint64_t chunks) { return chunks >> (64 - SPIPE__BA_CHUNK_SHIFT); }

size_t spipe__ba_bytes(uint64_t chunks)
{
    uint64_t bits = chunks, words = level_words(bits);
    if (is_absurd(chunks))
        return SIZE_MAX;
    while (bits > WORD_BITS) {
        bits = hal_div_up(bits, WORD_BITS);
        words += level_words(bits);
    }
    return (size_t)hal_min64(words * sizeof(uint64_t) + chunks, SIZE_MAX);
}

/* Lays out one level at `words`, its first `bits` bits 1, and returns where the next one begins.
 * The memory was zeroed before. */
static uint64_t *lay_out_level(uint64_t *words, uint64_t bits)
{
    memset(words, 0xFF, word_of(bits) * sizeof *words);
    words[word_of(bits)] = mask_of(bits) - 1;
    return words + level_words(bits);
}

/* Everything is free, so every bit of every summary that stands for a word is 1 as well. */
static void lay_out(struct spipe__ba *ba, uint64_t *words)
{
    uint64_t bits = ba->total;
    ba->levels = 0;
    for (;;) {
        CHECK(ba->levels < SPIPE__BA_LEVELS_MAX);
        ba->level[ba->levels++] = words;
        words = lay_out_level(words, bits);
        if (bits <= WORD_BITS)
            break;
        bits = hal_div_up(bits, WORD_BITS);
    }
    ba->clones = (uint8_t *)words;
}

int spipe__ba_init(struct spipe__ba *ba, void *mem, size_t bytes, uint64_t lba_count,
                   uint32_t lba_size)
{
    uint64_t total = lba_count >> SPIPE__BA_CHUNK_SHIFT;
    size_t needed = spipe__ba_bytes(total);
    if (!total || bytes < needed)
        return -ENOMEM;
    CHECK(mem && (uintptr_t)mem % _Alignof(uint64_t) == 0);
    memset(mem, 0, needed);
    *ba = (struct spipe__ba){
        .lba_count = lba_count,
        .lba_size = lba_size,
        .total = total,
        .free_count = total,
        .current = SPIPE__BA_LOW,
        .high = hal_div_up(total, WORD_BITS),
    };
    lay_out(ba, mem);
    CHECK(ba->clones + total == (uint8_t *)mem + needed);
    return 0;
}

/* The lowest non-zero word of level 0 among those that word i of level n, not zero, stands for. */
static inline uint64_t descend(const struct spipe__ba *ba, unsigned n, uint64_t i)
{
    while (n > 0) {
        i = i * WORD_BITS + hal_lowest_bit(ba->level[n][i]);
        n--;
    }
    return i;
}

/* VL-7: the first non-zero word of level 0 in w..high-1, otherwise the first in low..w-1. Not all
 * are zero. On the way up, bit `from` is the first of a level that is still in question; at the
 * latest it lies in the zero word behind the level. */
static inline uint64_t find_word(const struct spipe__ba *ba, uint64_t w)
{
    uint64_t from = w;
    for (unsigned n = 1; n < ba->levels; n++) {
        uint64_t i = word_of(from), left = ba->level[n][i] >> (from % WORD_BITS);
        if (left)
            return descend(ba, n - 1, from + hal_lowest_bit(left));
        from = i + 1;
    }
    return descend(ba, ba->levels - 1, SPIPE__BA_LOW);
}

/* Marks the `n` free chunks of `mask` in word w allocated. A word that is zero then is a zero in
 * its summary, and so forth; asking whether it is one would cost more than telling. */
static inline void take(struct spipe__ba *ba, uint64_t w, uint64_t mask, unsigned n)
{
    uint64_t i = w, zero;
    ba->level[0][w] &= ~mask;
    zero = !ba->level[0][w];
    for (unsigned level = 1; level < ba->levels; level++) {
        uint64_t *summary = &ba->level[level][word_of(i)];
        *summary &= ~(zero << i % WORD_BITS);
        zero = !*summary;
        i = word_of(i);
    }
    ba->free_count -= n;
}

/* Marks the `count` chunks of `mask` in word w free. The summaries may say so already; looking
 * first would cost more. */
static inline void put(struct spipe__ba *ba, uint64_t w, uint64_t mask, unsigned count)
{
    uint64_t i = w;
    ba->level[0][w] |= mask;
    for (unsigned n = 1; n < ba->levels; n++) {
        ba->level[n][word_of(i)] |= mask_of(i);
        i = word_of(i);
    }
    ba->free_count += count;
}

/* Where the next search starts when chunk `bit` of word w was the last to go. */
static inline void move_cursor(struct spipe__ba *ba, uint64_t w, unsigned bit)
{
    ba->current = bit == WORD_BITS - 1 ? w + 1 : w;
}

static uint64_t number(uint64_t w, unsigned bit)
{
    return w * (spipe__mutant(VLW_15) ? WORD_BITS / 2 : WORD_BITS) + bit;
}

int spipe__ba_allocate(struct spipe__ba *ba, uint64_t *chunk)
{
    uint64_t w;
    unsigned bit;
    if (!ba->free_count)
        return -ENOSPC;
    w = find_word(ba, ba->current);
    bit = hal_lowest_bit(ba->level[0][w]);
    take(ba, w, HAL_BIT(bit), 1);
    move_cursor(ba, w, bit);
    *chunk = number(w, bit);
    return 0;
}

/* ---- many at once: what single steps would do, a word at a time ---- */

/* Up to `most` bits of a word, from the lowest up. */
static uint64_t lowest_bits(uint64_t word, uint64_t most)
{
    uint64_t rest = word;
    if (most >= WORD_BITS)
        return word;
    while (rest && most-- > 0)
        rest &= rest - 1;
    return word ^ rest;
}

/* Ones from bit 0 of a word up, without a gap. */
static unsigned run_of(uint64_t word) { return ~word ? hal_lowest_bit(~word) : WORD_BITS; }

unsigned spipe__ba_allocate_parts(struct spipe__ba *ba, uint64_t most, struct spipe__ba_part *part,
                                  unsigned parts)
{
    unsigned got = 0;
    while (got < parts && most && ba->free_count) {
        uint64_t w = find_word(ba, ba->current);
        uint64_t mask = lowest_bits(ba->level[0][w], most);
        unsigned n = hal_bit_count(mask);
        take(ba, w, mask, n);
        move_cursor(ba, w, hal_highest_bit(mask));
        part[got++] = (struct spipe__ba_part){w, mask};
        most -= n;
    }
    return got;
}

/* Run after run. */
unsigned spipe__ba_list(const struct spipe__ba_part *part, uint64_t *chunk)
{
    uint64_t mask = part->mask;
    unsigned n = 0;
    while (mask) {
        unsigned bit = hal_lowest_bit(mask), run = run_of(mask >> bit);
        uint64_t first = number(part->w, bit);
        for (unsigned i = 0; i < run; i++)
            chunk[n + i] = first + i;
        n += run;
        mask &= mask + HAL_BIT(bit); /* the carry clears the run */
    }
    return n;
}

int spipe__ba_free(struct spipe__ba *ba, uint64_t chunk)
{
    if (!in_range(ba, chunk) || is_free(ba, chunk))
        return -EINVAL;
    if (ba->clones[chunk])
        ba->clones[chunk]--;
    else
        put(ba, word_of(chunk), mask_of(chunk), 1);
    if (spipe__mutant(VLW_18))
        ba->current = hal_min64(ba->current, word_of(chunk));
    return 0;
}

/* Whether no chunk of word w, all of which exist, is shared. */
static bool is_unshared(const struct spipe__ba *ba, uint64_t w)
{
    uint64_t clones[WORD_BITS / sizeof(uint64_t)], any = 0;
    memcpy(clones, &ba->clones[w * WORD_BITS], sizeof clones);
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(clones); i++)
        any |= clones[i];
    return !any;
}

bool spipe__ba_free_part(struct spipe__ba *ba, const struct spipe__ba_part *part)
{
    uint64_t w = part->w, mask = part->mask;
    if (w >= word_of(ba->total) || ba->level[0][w] & mask || !is_unshared(ba, w))
        return false;
    put(ba, w, mask, hal_bit_count(mask));
    if (spipe__mutant(VLW_18))
        ba->current = hal_min64(ba->current, w);
    return true;
}

int spipe__ba_add_reference(struct spipe__ba *ba, uint64_t chunk)
{
    if (!in_range(ba, chunk) || is_free(ba, chunk))
        return -EINVAL;
    if (ba->clones[chunk] == SPIPE__BA_CLONES_MAX)
        return -EMLINK;
    ba->clones[chunk]++;
    return 0;
}

int spipe__ba_reserve(struct spipe__ba *ba, uint64_t chunk)
{
    if (!in_range(ba, chunk) || !is_free(ba, chunk))
        return spipe__ba_add_reference(ba, chunk);
    take(ba, word_of(chunk), mask_of(chunk), 1);
    return 0;
}

uint64_t spipe__ba_space(const struct spipe__ba *ba) { return ba->free_count; }

uint64_t spipe__ba_total(const struct spipe__ba *ba) { return ba->total; }

bool spipe__ba_is_allocated(const struct spipe__ba *ba, uint64_t chunk)
{
    return !in_range(ba, chunk) || !is_free(ba, chunk);
}

unsigned spipe__ba_references(const struct spipe__ba *ba, uint64_t chunk)
{
    return spipe__ba_is_allocated(ba, chunk) && in_range(ba, chunk) ? 1u + ba->clones[chunk] : 0u;
}
