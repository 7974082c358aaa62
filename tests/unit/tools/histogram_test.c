/* SPDX-License-Identifier: Apache-2.0 */
/* The histogram against sorted lists of the same values. */
#include "tools/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/prng.h"

static struct histogram h;

static void init(void) { histogram_init(&h); }

TestSuite(histogram, .init = init);

/* ---- buckets ---- */

Test(histogram, buckets_cover_all_values_without_gap)
{
    uint64_t next = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        cr_assert_eq(histogram_bucket_first(i), next, "bucket %u", i);
        cr_assert_geq(histogram_bucket_last(i), next);
        cr_assert_eq(histogram_index(next), i);
        cr_assert_eq(histogram_index(histogram_bucket_last(i)), i);
        next = histogram_bucket_last(i) + 1;
    }
    cr_assert_eq(next, 0, "the last bucket ends at 2^64 - 1");
    cr_assert_eq(HISTOGRAM_BUCKETS, 3776);
}

Test(histogram, buckets_are_at_most_a_64th_wide)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t first = histogram_bucket_first(i);
        cr_assert_leq(histogram_bucket_last(i) - first, first / 64, "bucket %u", i);
    }
}

Test(histogram, index_by_hand)
{
    cr_assert_eq(histogram_index(0), 0);
    cr_assert_eq(histogram_index(127), 127);
    cr_assert_eq(histogram_index(128), 128);
    cr_assert_eq(histogram_index(129), 128);
    cr_assert_eq(histogram_index(130), 129);
    cr_assert_eq(histogram_index(140500), 64 * 11 + 68);
    cr_assert_eq(histogram_index(UINT64_MAX), 3775);
}

/* ---- values ---- */

Test(histogram, empty)
{
    cr_assert_eq(h.count, 0);
    cr_assert_eq(histogram_percentile(&h, 50000), 0);
    cr_assert_eq(histogram_mean(&h), 0);
}

Test(histogram, one_value_is_exact)
{
    histogram_record(&h, 140496);
    cr_assert_eq(h.count, 1);
    cr_assert_eq(h.min, 140496);
    cr_assert_eq(h.max, 140496);
    cr_assert_eq(histogram_mean(&h), 140496);
    cr_assert_eq(histogram_percentile(&h, 0), 140496);
    cr_assert_eq(histogram_percentile(&h, 50000), 140496);
    cr_assert_eq(histogram_percentile(&h, 100000), 140496);
}

Test(histogram, small_values_are_exact)
{
    for (uint64_t v = 1; v <= 100; v++)
        histogram_record(&h, v);
    cr_assert_eq(histogram_percentile(&h, 0), 1);
    cr_assert_eq(histogram_percentile(&h, 1), 1);
    cr_assert_eq(histogram_percentile(&h, 1000), 1);
    cr_assert_eq(histogram_percentile(&h, 1001), 2);
    cr_assert_eq(histogram_percentile(&h, 50000), 50);
    cr_assert_eq(histogram_percentile(&h, 99000), 99);
    cr_assert_eq(histogram_percentile(&h, 99001), 100);
    cr_assert_eq(histogram_percentile(&h, 100000), 100);
    cr_assert_eq(histogram_percentile(&h, UINT32_MAX), 100);
    cr_assert_eq(histogram_mean(&h), 50, "50.5 rounded down");
}

Test(histogram, zero_is_a_value)
{
    histogram_record(&h, 0);
    histogram_record(&h, 10);
    cr_assert_eq(h.min, 0);
    cr_assert_eq(histogram_percentile(&h, 50000), 0);
    cr_assert_eq(histogram_percentile(&h, 50001), 10);
}

Test(histogram, the_greatest_values)
{
    for (unsigned i = 0; i < 3; i++)
        histogram_record(&h, UINT64_MAX);
    histogram_record(&h, UINT64_MAX - 4);
    cr_assert_eq(histogram_mean(&h), UINT64_MAX - 1);
    cr_assert_eq(h.min, UINT64_MAX - 4);
    cr_assert_eq(histogram_percentile(&h, 25000), UINT64_MAX);
    cr_assert_eq(histogram_percentile(&h, 0), UINT64_MAX - 4);
}

/* ---- random values ---- */

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Any magnitude is as likely as any other. */
static uint64_t random_value(struct hal_prng *p)
{
    uint64_t v = hal_prng_next(p);

    return v >> hal_prng_below(p, 64);
}

#define COUNT 20000

Test(histogram, percentiles_against_a_sorted_list)
{
    static uint64_t values[COUNT];
    unsigned __int128 sum = 0;
    struct hal_prng p;

    hal_prng_seed(&p, 3, 0);
    for (unsigned i = 0; i < COUNT; i++) {
        values[i] = random_value(&p);
        sum += values[i];
        histogram_record(&h, values[i]);
    }
    qsort(values, COUNT, sizeof values[0], compare);
    cr_assert_eq(h.min, values[0]);
    cr_assert_eq(h.max, values[COUNT - 1]);
    cr_assert_eq(histogram_mean(&h), (uint64_t)(sum / COUNT));
    for (unsigned per = 5; per <= 100000; per += 5) {
        uint64_t exact = values[per / 5 - 1], got = histogram_percentile(&h, per);
        cr_assert(got >= exact && got - exact <= exact / 64, "%u of 100,000", per);
    }
}

/* ---- merge ---- */

Test(histogram, merged_parts_equal_the_whole)
{
    static struct histogram part[3], other;
    struct hal_prng p;

    hal_prng_seed(&p, 4, 0);
    histogram_init(&other);
    for (unsigned i = 0; i < 3; i++)
        histogram_init(&part[i]);
    for (unsigned i = 0; i < COUNT; i++) {
        uint64_t v = random_value(&p);
        histogram_record(&h, v);
        histogram_record(&part[hal_prng_below(&p, 2)], v); /* the third stays empty */
    }
    for (unsigned i = 0; i < 3; i++)
        histogram_merge(&other, &part[2 - i]);
    cr_assert(!memcmp(&other, &h, sizeof h));
    histogram_merge(&part[2], &h); /* into an empty one */
    cr_assert(!memcmp(&part[2], &h, sizeof h));
}
