/* SPDX-License-Identifier: Apache-2.0 */
/* Ten million requests over fibers, in ten tests that shards can share, and two million over
 * threads. From the environment: SPIPE_TEST_SEED, the first seed, and SPIPE_TEST_REQUESTS, how many
 * requests each test makes. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "backends/posix/posix_exec.h"
#include "tests/scenario/random_requests.h"
#include "tests/testlib/test_seed.h"

TestSuite(random_requests_nightly, .timeout = 7200);

enum { USUAL = 1000000, RUN = 250000, RUNS_MAX = 10000 };

static uint64_t requests(void)
{
    const char *text = getenv("SPIPE_TEST_REQUESTS");

    return text ? strtoull(text, NULL, 0) : RANDOM_REQUESTS(USUAL);
}

/* Each run with a seed of its own; every other one in SQ mode, every third with failing syncs, and
 * four of nine with resets, one of them with both. */
static void runs(unsigned test, struct exec *threads)
{
    uint64_t seed = test_seed(1000) + (uint64_t)test * RUNS_MAX, left = requests();

    for (; left > 0; seed++) {
        struct random_requests r = {.seed = seed,
                                    .requests = left < RUN ? left : RUN,
                                    .threads = threads,
                                    .failing_syncs = !threads && seed % 3 == 0,
                                    .resets = seed % 3 == 1 || seed % 9 == 0,
                                    .interface_version = seed % 2 ? RANDOM_REQUESTS_SQ : 0};

        fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        random_requests_run(&r);
        left -= r.requests;
    }
}

#ifndef __SANITIZE_THREAD__ /* it does not know fibers */
#define FIBERS(n)                                                                                  \
    Test(random_requests_nightly, fibers_##n) { runs(n, NULL); }

FIBERS(0)
FIBERS(1)
FIBERS(2)
FIBERS(3)
FIBERS(4)
FIBERS(5)
FIBERS(6)
FIBERS(7)
FIBERS(8)
FIBERS(9)
#endif

static void over_threads(unsigned test)
{
    struct exec *threads;

    cr_assert_eq(posix_exec_create(&threads), 0);
    runs(test, threads);
    posix_exec_destroy(threads);
}

Test(random_requests_nightly, threads_0) { over_threads(10); }

Test(random_requests_nightly, threads_1) { over_threads(11); }
