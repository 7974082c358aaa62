/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/histogram.h"

#include <string.h>

void histogram_init(struct histogram *h) { memset(h, 0, sizeof *h); }

uint64_t histogram_bucket_first(unsigned index)
{
    unsigned shift;

    if (index < HISTOGRAM_PARTS)
        return index;
    shift = index / HISTOGRAM_PARTS - 1;
    return (uint64_t)(index % HISTOGRAM_PARTS + HISTOGRAM_PARTS) << shift;
}

uint64_t histogram_bucket_last(unsigned index)
{
    return index + 1 == HISTOGRAM_BUCKETS ? UINT64_MAX : histogram_bucket_first(index + 1) - 1;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (!from->count)
        return;
    into->min = into->count ? hal_min64(into->min, from->min) : from->min;
    into->max = into->count ? hal_max64(into->max, from->max) : from->max;
    into->count += from->count;
    into->sum_low += from->sum_low;
    into->sum_high += from->sum_high + (into->sum_low < from->sum_low);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

uint64_t histogram_percentile(const struct histogram *h, unsigned per_100000)
{
    unsigned __int128 scaled = (unsigned __int128)h->count * per_100000;
    uint64_t rank = (uint64_t)((scaled + 99999) / 100000); /* from 1; 0 = the minimum */
    uint64_t seen = 0;

    if (!h->count)
        return 0;
    if (!rank)
        return h->min;
    if (rank >= h->count)
        return h->max;
    for (unsigned i = histogram_index(h->min); i < HISTOGRAM_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= rank)
            return hal_min64(hal_max64(histogram_bucket_last(i), h->min), h->max);
    }
    return h->max;
}

uint64_t histogram_mean(const struct histogram *h)
{
    unsigned __int128 sum = ((unsigned __int128)h->sum_high << 64) | h->sum_low;

    return h->count ? (uint64_t)(sum / h->count) : 0;
}
