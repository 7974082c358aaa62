/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/scenario/mixed_load.h"

/* One seed, one trace, on every host, compiler and sanitizer. A change of the model or of what core
 * tells the AFU changes the number, and with it every recorded replay: then it is pinned anew. */
#define HASH_OF_SEED_1 UINT64_C(0x441926257144365b)

Test(mixed_load, one_seed_one_trace)
{
    uint64_t first = mixed_load(1, NULL);
    unsigned other = 0;

    cr_assert_eq(mixed_load(1, NULL), first);
    for (uint64_t seed = 2; seed < 8; seed++)
        other += mixed_load(seed, NULL) != first;
    cr_assert_eq(other, 6, "different seeds gave the same interleaving");
}

Test(mixed_load, the_trace_is_the_same_on_every_host)
{
    uint64_t hash = mixed_load(1, NULL);

    cr_assert_eq(hash, HASH_OF_SEED_1, "it is 0x%llx", (unsigned long long)hash);
}
