/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded pseudo-random numbers: xoshiro256** seeded through splitmix64 (both public-domain
 * algorithms by Blackman and Vigna). The same on every machine; no floating point. */
#ifndef HAL_SUPPORT_PRNG_H
#define HAL_SUPPORT_PRNG_H

#include <stdint.h>

/** State of one stream. Plain data: copying it forks the stream. */
struct hal_prng {
    uint64_t s[4];
};

static inline uint64_t hal_splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/** Starts the stream `stream` of `seed`. Streams of one seed are independent of each other, so
 * that drawing more from one (say, faults) never moves another (say, the workload). */
static inline void hal_prng_seed(struct hal_prng *p, uint64_t seed, uint64_t stream)
{
    uint64_t x = seed ^ (stream * UINT64_C(0xD1342543DE82EF95));
    for (int i = 0; i < 4; i++)
        p->s[i] = hal_splitmix64(&x);
}

static inline uint64_t hal_prng_next(struct hal_prng *p)
{
    uint64_t *s = p->s, x = s[1] * 5, t = s[1] << 17, r = ((x << 7) | (x >> 57)) * 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return r;
}

/** A number in 0..n-1; n must not be 0. The bias is below n / 2^64. */
static inline uint64_t hal_prng_below(struct hal_prng *p, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)hal_prng_next(p) * n) >> 64);
}

#endif
