/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/scenario/mixed_load.h"
#include "tests/testlib/proves.h"

/* One seed, one trace, on every host, compiler and sanitizer. A change of the model or of what core
 * tells the AFU changes the numbers, and with them every recorded replay: then they are pinned
 * anew.
 */
#define HASH_OF_SEED_1 UINT64_C(0x18f9354a51f57220)
#define HASH_OF_SEED_1_SQ UINT64_C(0x0ef1819488baa9a9)

static void one_seed_one_trace(uint64_t interface_version)
{
    uint64_t first = mixed_load(1, NULL, interface_version);
    unsigned other = 0;

    cr_assert_eq(mixed_load(1, NULL, interface_version), first);
    for (uint64_t seed = 2; seed < 8; seed++)
        other += mixed_load(seed, NULL, interface_version) != first;
    cr_assert_eq(other, 6, "different seeds gave the same interleaving");
}

Test(mixed_load, one_seed_one_trace) { one_seed_one_trace(MIXED_LOAD_IOARRIN); }

Test(mixed_load, one_seed_one_trace_in_sq_mode)
{
    one_seed_one_trace(MIXED_LOAD_SQ);
    PROVES(R_4);
}

Test(mixed_load, the_trace_is_the_same_on_every_host)
{
    uint64_t hash = mixed_load(1, NULL, MIXED_LOAD_IOARRIN);

    cr_assert_eq(hash, HASH_OF_SEED_1, "it is 0x%llx", (unsigned long long)hash);
}

Test(mixed_load, the_trace_of_sq_mode_is_the_same_on_every_host)
{
    uint64_t hash = mixed_load(1, NULL, MIXED_LOAD_SQ);

    cr_assert_eq(hash, HASH_OF_SEED_1_SQ, "it is 0x%llx", (unsigned long long)hash);
}

/* Filters without a plan are not seen by anybody. */
Test(mixed_load, the_trace_is_the_same_through_filters)
{
    for (uint64_t seed = 1; seed < 4; seed++)
        cr_assert_eq(mixed_load_filtered(seed, NULL), mixed_load(seed, NULL, MIXED_LOAD_IOARRIN));
}
