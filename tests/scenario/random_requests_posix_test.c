/* SPDX-License-Identifier: Apache-2.0 */
/* The same over threads, where ThreadSanitizer watches. The seed fixes what each thread asks for,
 * not when. */
#include <criterion/criterion.h>

#include "backends/posix/posix_exec.h"
#include "tests/scenario/random_requests.h"
#include "tests/testlib/test_seed.h"

TestSuite(random_requests_posix, .timeout = 300);

#ifdef __SANITIZE_THREAD__ /* what this is for: half a minute */
enum { REQUESTS = 10000 };
#else
enum { REQUESTS = RANDOM_REQUESTS(10000) };
#endif

static void over_threads(struct random_requests r)
{
    cr_assert_eq(posix_exec_create(&r.threads), 0);
    random_requests_run(&r);
    posix_exec_destroy(r.threads);
}

Test(random_requests_posix, ioarrin)
{
    over_threads((struct random_requests){.seed = test_seed(1), .requests = REQUESTS});
}

Test(random_requests_posix, submission_queues)
{
    over_threads((struct random_requests){
        .seed = test_seed(2), .requests = REQUESTS, .interface_version = RANDOM_REQUESTS_SQ});
}

Test(random_requests_posix, resets)
{
    over_threads(
        (struct random_requests){.seed = test_seed(3), .requests = REQUESTS, .resets = true});
}

Test(random_requests_posix, resets_and_submission_queues)
{
    over_threads((struct random_requests){.seed = test_seed(4),
                                          .requests = REQUESTS,
                                          .resets = true,
                                          .interface_version = RANDOM_REQUESTS_SQ});
}
