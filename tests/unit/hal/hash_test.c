/* The trace hash: fixed numbers, and that a step loses nothing. */
#include <criterion/criterion.h>

#include "hal/support/hash.h"

/* The inverse of 0x9FB21C651E98DF25 modulo 2^64. */
#define INVERSE UINT64_C(0x02AB9C720D1024AD)

/* Undoes one step: gives the state before `word` was added. */
static uint64_t undo(uint64_t h, uint64_t word)
{
    h ^= h >> 35; /* twice 35 is beyond 64, so this undoes itself */
    return (h * INVERSE) ^ word;
}

/* Computed with unbounded integers in another language. Golden traces depend on them. */
Test(hash, fixed_numbers)
{
    uint64_t h = HAL_HASH_START;

    cr_assert_eq(HAL_HASH_START, UINT64_C(0x5350495045303031));
    cr_assert_eq(hal_hash_word(h, 0), UINT64_C(0x6C969E76589B75DB));
    cr_assert_eq(hal_hash_word(hal_hash_word(h, 1), 2), UINT64_C(0x403F5F26ED2C3C94));
}

Test(hash, order_counts)
{
    uint64_t h = HAL_HASH_START;

    cr_assert_neq(hal_hash_word(hal_hash_word(h, 1), 2), hal_hash_word(hal_hash_word(h, 2), 1));
    cr_assert_neq(hal_hash_word(h, 0), h);
    cr_assert_neq(hal_hash_word(hal_hash_word(h, 0), 0), hal_hash_word(h, 0));
}

Test(hash, a_step_can_be_undone)
{
    uint64_t h = HAL_HASH_START, states[200];

    for (uint64_t i = 0; i < 200; i++) {
        states[i] = h;
        h = hal_hash_word(h, i * UINT64_C(0x123456789ABCDEF));
    }
    for (uint64_t i = 200; i-- > 0;) {
        h = undo(h, i * UINT64_C(0x123456789ABCDEF));
        cr_assert_eq(h, states[i], "step %d", (int)i);
    }
}

/* One changed bit of a word changes the final hash, wherever it stands. */
Test(hash, every_bit_counts)
{
    for (unsigned bit = 0; bit < 64; bit++)
        cr_assert_neq(hal_hash_word(HAL_HASH_START, 5),
                      hal_hash_word(HAL_HASH_START, 5 ^ (UINT64_C(1) << bit)), "bit %u", bit);
}
