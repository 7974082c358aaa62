/* SPDX-License-Identifier: Apache-2.0 */
/* The runs that ThreadSanitizer watches. */
#include <criterion/criterion.h>

#include "backends/posix/posix_exec.h"
#include "tests/scenario/scsi_load.h"

TestSuite(scsi_load_posix, .timeout = 250);

static void over_threads(struct scsi_load load)
{
    struct scsi_load_counts n;

    cr_assert_eq(posix_exec_create(&load.threads), 0);
    scsi_load_run(&load, &n);
    cr_assert_eq(n.good, (uint64_t)load.senders * (load.commands + 4));
    posix_exec_destroy(load.threads);
}

Test(scsi_load_posix, one_queue)
{
    over_threads(
        (struct scsi_load){.seed = 1, .senders = 8, .commands = 40, .hwqs = 1, .trouble = 6});
}

Test(scsi_load_posix, three_queues)
{
    over_threads((struct scsi_load){.seed = 2,
                                    .senders = 8,
                                    .commands = 40,
                                    .hwqs = 3,
                                    .poll_weight = 2,
                                    .trouble = 6,
                                    .interface_version = SCSI_LOAD_SQ});
}
