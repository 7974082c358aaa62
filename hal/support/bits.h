/* SPDX-License-Identifier: Apache-2.0 */
/* Small integer helpers that C lacks. */
#ifndef HAL_SUPPORT_BITS_H
#define HAL_SUPPORT_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAL_ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/** 64-bit words that hold n bits. */
#define HAL_BITMAP_WORDS(n) (((n) + 63) / 64)

/** One bit of a 64-bit word, counted from the least significant end. */
#define HAL_BIT(n) (UINT64_C(1) << (n))

/** The object that contains `member` at address `ptr`. */
#define HAL_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/** Index of the lowest set bit; v must not be 0. */
static inline unsigned hal_lowest_bit(uint64_t v) { return (unsigned)__builtin_ctzll(v); }

/** Index of the highest set bit; v must not be 0. */
static inline unsigned hal_highest_bit(uint64_t v) { return 63u - (unsigned)__builtin_clzll(v); }

/** Number of set bits. */
static inline unsigned hal_bit_count(uint64_t v) { return (unsigned)__builtin_popcountll(v); }

static inline bool hal_is_power_of_2(uint64_t v) { return v && !(v & (v - 1)); }

/** v rounded up to a multiple of align, a power of two. */
static inline uint64_t hal_align_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

/** v / d rounded up, without overflow. d must not be 0. */
static inline uint64_t hal_div_up(uint64_t v, uint64_t d) { return v / d + (v % d != 0); }

static inline uint64_t hal_min64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t hal_max64(uint64_t a, uint64_t b) { return a > b ? a : b; }

#endif
