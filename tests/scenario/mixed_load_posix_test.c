/* SPDX-License-Identifier: Apache-2.0 */
/* The run that ThreadSanitizer watches. */
#include <criterion/criterion.h>

#include "backends/posix/posix_exec.h"
#include "tests/scenario/mixed_load.h"

Test(mixed_load, over_threads)
{
    struct exec *threads;

    cr_assert_eq(posix_exec_create(&threads), 0);
    mixed_load(1, threads);
    posix_exec_destroy(threads);
}
