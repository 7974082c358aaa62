/* SPDX-License-Identifier: Apache-2.0 */
/* The running 64-bit hash of a trace. It is fed with decoded numbers, never with raw memory, so
 * that hosts of either byte order agree (design: reproducible traces). Not cryptographic. */
#ifndef HAL_SUPPORT_HASH_H
#define HAL_SUPPORT_HASH_H

#include <stdint.h>

#define HAL_HASH_START UINT64_C(0x5350495045303031)

/** Adds one word: an invertible step of state, so no earlier word is ever forgotten. */
static inline uint64_t hal_hash_word(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9FB21C651E98DF25);
    return h ^ (h >> 35);
}

#endif
