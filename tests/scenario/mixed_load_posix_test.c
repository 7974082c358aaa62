/* SPDX-License-Identifier: Apache-2.0 */
/* The runs that ThreadSanitizer watches. */
#include <criterion/criterion.h>

#include "backends/posix/posix_exec.h"
#include "tests/scenario/mixed_load.h"

static void over_threads(uint64_t interface_version)
{
    struct exec *threads;

    cr_assert_eq(posix_exec_create(&threads), 0);
    mixed_load(1, threads, interface_version);
    posix_exec_destroy(threads);
}

Test(mixed_load, over_threads) { over_threads(MIXED_LOAD_IOARRIN); }

Test(mixed_load, over_threads_in_sq_mode) { over_threads(MIXED_LOAD_SQ); }

Test(mixed_load, over_threads_through_filters)
{
    struct exec *threads;

    cr_assert_eq(posix_exec_create(&threads), 0);
    mixed_load_filtered(1, threads);
    posix_exec_destroy(threads);
}
