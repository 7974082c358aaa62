/* SPDX-License-Identifier: Apache-2.0 */
/* The running 64-bit hash of a trace. It is fed with decoded numbers, never with raw memory, so
 * that hosts of either byte order agree (design: reproducible traces). Not cryptographic. */
#ifndef HAL_SUPPORT_HASH_H
#define HAL_SUPPORT_HASH_H

#include <stdint.h>

#define HAL_HASH_START UINT64_C(0x5350495045303031)

#define HAL_HASH_FACTOR UINT64_C(0x9FB21C651E98DF25)

/* Adds one word with the factor at hand: HAL_HASH_FACTOR. */
static inline uint64_t hal_hash_word_with(uint64_t factor, uint64_t h, uint64_t word)
{
    h = (h ^ word) * factor;
    return h ^ (h >> 35);
}

/** Adds one word: an invertible step of state, so no earlier word is ever forgotten. */
static inline uint64_t hal_hash_word(uint64_t h, uint64_t word)
{
    return hal_hash_word_with(HAL_HASH_FACTOR, h, word);
}

#endif
