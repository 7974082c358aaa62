/* SPDX-License-Identifier: Apache-2.0 */
/* No client reaches what is not its own, whatever all of them ask for at once: 200,000 requests
 * over fibers in virtual time, with all checkers. random_requests_nightly does ten million. */
#include <criterion/criterion.h>

#include "tests/scenario/random_requests.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

TestSuite(random_requests, .timeout = 300);

enum { SHARD = RANDOM_REQUESTS(32500), REPLAY = RANDOM_REQUESTS(2000) };

Test(random_requests, ioarrin)
{
    random_requests_run(&(struct random_requests){.seed = test_seed(1), .requests = SHARD});
    PROVES(INV_25);
    PROVES(SP_4);
    PROVES(SP_30);
    PROVES(SP_34);
    PROVES(SP_178);
}

Test(random_requests, submission_queues)
{
    random_requests_run(&(struct random_requests){
        .seed = test_seed(2), .requests = SHARD, .interface_version = RANDOM_REQUESTS_SQ});
    PROVES(INV_26);
}

Test(random_requests, failing_syncs)
{
    random_requests_run(
        &(struct random_requests){.seed = test_seed(3), .requests = SHARD, .failing_syncs = true});
    PROVES(SP_73);
    PROVES(SP_80);
}

Test(random_requests, failing_syncs_and_submission_queues)
{
    random_requests_run(&(struct random_requests){.seed = test_seed(4),
                                                  .requests = SHARD,
                                                  .failing_syncs = true,
                                                  .interface_version = RANDOM_REQUESTS_SQ});
}

Test(random_requests, resets)
{
    random_requests_run(
        &(struct random_requests){.seed = test_seed(6), .requests = SHARD, .resets = true});
    PROVES(INV_24);
    PROVES(INV_27);
    PROVES(SP_94);
    PROVES(SP_159);
    PROVES(SP_160);
}

Test(random_requests, resets_and_submission_queues)
{
    random_requests_run(&(struct random_requests){.seed = test_seed(7),
                                                  .requests = SHARD,
                                                  .resets = true,
                                                  .interface_version = RANDOM_REQUESTS_SQ});
    PROVES(SP_89);
    PROVES(SP_146);
    PROVES(SP_163);
}

Test(random_requests, one_seed_replays_exactly)
{
    struct random_requests r = {.seed = test_seed(5), .requests = REPLAY, .resets = true};
    uint64_t hash = random_requests_run(&r);

    cr_assert_eq(random_requests_run(&r), hash);
    r.resets = false;
    cr_assert_neq(random_requests_run(&r), hash);
    r.resets = true;
    r.seed++;
    cr_assert_neq(random_requests_run(&r), hash);
}
