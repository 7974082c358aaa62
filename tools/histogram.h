/* SPDX-License-Identifier: Apache-2.0 */
/* A histogram of latencies in ns over the whole range of 64 bits, with a fixed number of buckets:
 * each power of two is cut into 64 equal parts, so a bucket is at most 1/64 of its values wide
 * (and values below 128 are exact). */
#ifndef TOOLS_HISTOGRAM_H
#define TOOLS_HISTOGRAM_H

#include <stdint.h>

#include "hal/support/bits.h"

#define HISTOGRAM_PART_BITS 6
#define HISTOGRAM_PARTS (1u << HISTOGRAM_PART_BITS)

/* Values below 64 have their own buckets; then 58 powers of two, 2^6 .. 2^63. */
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_PART_BITS + 1) * HISTOGRAM_PARTS)

/** Plain data: may be copied, stored in a world, shared between processes. */
struct histogram {
    uint64_t count, min, max;   /* min and max are exact; meaningless while count is 0 */
    uint64_t sum_low, sum_high; /* 128-bit sum, so that the mean is exact */
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

/** Empties *h. */
void histogram_init(struct histogram *h);

/** Bucket of a value. */
static inline unsigned histogram_index(uint64_t value)
{
    unsigned shift;

    if (value < HISTOGRAM_PARTS)
        return (unsigned)value;
    shift = hal_highest_bit(value) - HISTOGRAM_PART_BITS;
    /* The part keeps its leading one, which adds HISTOGRAM_PARTS. */
    return shift * HISTOGRAM_PARTS + (unsigned)(value >> shift);
}

/** Adds one value. Constant time, no floating point. */
static inline void histogram_record(struct histogram *h, uint64_t value)
{
    h->bucket[histogram_index(value)]++;
    h->min = h->count && h->min < value ? h->min : value;
    h->max = h->count && h->max > value ? h->max : value;
    h->count++;
    h->sum_low += value;
    h->sum_high += h->sum_low < value;
}

/** Smallest and largest value that fall into a bucket (index < HISTOGRAM_BUCKETS). */
uint64_t histogram_bucket_first(unsigned index);
uint64_t histogram_bucket_last(unsigned index);

/** Adds all values of `from`; the order of merging does not matter. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/** The value that per_100000 of 100,000 values do not exceed: 50000 the median, 99999 "five
 * nines", 0 the minimum, 100000 the maximum. At most 1/64 above the true value, never outside min
 * .. max. 0 for an empty histogram; per_100000 above 100000 counts as 100000. */
uint64_t histogram_percentile(const struct histogram *h, unsigned per_100000);

/** Exact mean, rounded down; 0 for an empty histogram. */
uint64_t histogram_mean(const struct histogram *h);

#endif
