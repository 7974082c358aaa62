/* SPDX-License-Identifier: Apache-2.0 */
/* The seed of a random test: the same in every run, unless SPIPE_TEST_SEED=<number> is in the
 * environment. Printed, so that a failure can be repeated. */
#ifndef SPIPE_TESTS_TESTLIB_TEST_SEED_H
#define SPIPE_TESTS_TESTLIB_TEST_SEED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline uint64_t test_seed(uint64_t usual)
{
    const char *text = getenv("SPIPE_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : usual;

    fprintf(stderr, "SPIPE_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

#endif
