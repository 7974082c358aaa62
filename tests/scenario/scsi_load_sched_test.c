/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/scenario/scsi_load.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

TestSuite(scsi_load, .timeout = 250);

static struct scsi_load_counts n;

static void run(struct scsi_load load)
{
    load.seed = test_seed(load.seed);
    scsi_load_run(&load, &n);
    cr_assert_eq(n.good, (uint64_t)load.senders * (load.commands + 4));
}

/* Whoever listens leaves with his answer, and others go on at once: nobody waits for the look that
 * is there for lost interrupts. */
static void nobody_waits_for_long(void)
{
    cr_assert_lt(n.longest, UINT64_C(100000000), "%llu ns", (unsigned long long)n.longest);
}

static void each_queue_is_used(unsigned queues)
{
    for (unsigned i = 0; i < 8; i++)
        cr_assert_eq(n.per_queue[i] > 0, i < queues, "queue %u", i);
}

/* More senders than one context has room for: busy, and tried again (AD-70). */
Test(scsi_load, one_queue)
{
    run((struct scsi_load){.seed = 1, .senders = 40, .commands = 30, .hwqs = 1});
    cr_assert_gt(n.busy, 0);
    cr_assert_eq(n.retry + n.error + n.attention + n.timeouts, 0);
    each_queue_is_used(1);
    nobody_waits_for_long();
    PROVES(AD_67);
    PROVES(AD_70);
}

Test(scsi_load, two_queues)
{
    run((struct scsi_load){.seed = 2, .senders = 40, .commands = 30, .hwqs = 2});
    each_queue_is_used(2);
    PROVES(AD_60);
    PROVES(AD_61);
}

Test(scsi_load, eight_queues)
{
    run((struct scsi_load){.seed = 3, .senders = 120, .commands = 10, .hwqs = 8});
    cr_assert_eq(n.busy, 0, "room for 16 on each");
    each_queue_is_used(8);
    nobody_waits_for_long();
    PROVES(AD_60);
    PROVES(AD_61);
}

/* 256 in flight and no credits to count (D-1, D-19). */
Test(scsi_load, submission_queue_of_256)
{
    run((struct scsi_load){
        .seed = 4, .senders = 256, .commands = 4, .hwqs = 1, .interface_version = SCSI_LOAD_SQ});
    cr_assert_eq(n.busy, 0);
    nobody_waits_for_long();
    run((struct scsi_load){.seed = 11,
                           .senders = 256,
                           .commands = 4,
                           .hwqs = 1,
                           .trouble = 3, /* with a task management function beside them */
                           .interface_version = SCSI_LOAD_SQ});
    PROVES(AD_69);
    PROVES(D_1);
    PROVES(D_19);
}

static void troubled(unsigned seed, int hwqs, uint64_t interface_version)
{
    run((struct scsi_load){.seed = seed,
                           .senders = 40,
                           .commands = 60,
                           .hwqs = hwqs,
                           .trouble = 24,
                           .interface_version = interface_version});
    cr_assert_gt(n.retry, 0, "nobody was aborted with others");
    cr_assert_gt(n.attention, 0, "the LUN was not reset");
    PROVES(AD_54);
    PROVES(AD_85);
    PROVES(AD_114);
}

Test(scsi_load, trouble_on_one_queue) { troubled(5, 1, 0); }
Test(scsi_load, trouble_on_two_queues) { troubled(6, 2, 0); }
Test(scsi_load, trouble_on_eight_queues) { troubled(7, 8, 0); }
Test(scsi_load, trouble_in_sq_mode) { troubled(8, 2, SCSI_LOAD_SQ); }

Test(scsi_load, polling)
{
    run((struct scsi_load){.seed = 9, .senders = 40, .commands = 30, .hwqs = 2, .poll_weight = 1});
    cr_assert_gt(n.polls, 0);
    run((struct scsi_load){
        .seed = 10, .senders = 40, .commands = 30, .hwqs = 1, .poll_weight = 3, .trouble = 12});
    cr_assert_gt(n.polls, 0);
    PROVES(AD_83);
}

/* A reset may begin and end while a poll lets others run. */
Test(scsi_load, polling_and_resets)
{
    for (unsigned seed = 12; seed < 18; seed++)
        run((struct scsi_load){.seed = seed,
                               .senders = 20,
                               .commands = 20,
                               .hwqs = 2,
                               .poll_weight = 1,
                               .trouble = 18});
}
