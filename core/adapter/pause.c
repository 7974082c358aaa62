/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/pause.h"

#include <errno.h>

#include "hal/support/check.h"

/* A wait for a signal that nobody sends: unlike a sleep it can be one that an interruption neither
 * ends nor is used up by. */
void spipe__pause(struct exec *exec, uint64_t ns)
{
    uint64_t deadline = spipe__deadline(exec, ns);
    struct exec_mutex lock;
    struct exec_cond never;
    int rc;

    exec_mutex_init(exec, &lock, "pause");
    exec_cond_init(exec, &never, "pause");
    exec_mutex_lock(exec, &lock);
    do
        rc = exec_cond_wait(exec, &never, &lock, deadline, false);
    while (rc == 0);
    CHECK(rc == -ETIMEDOUT);
    exec_mutex_unlock(exec, &lock);
    exec_cond_fini(exec, &never);
    exec_mutex_fini(exec, &lock);
}

uint64_t spipe__deadline(struct exec *exec, uint64_t ns)
{
    uint64_t now = exec_now(exec);

    return ns < EXEC_FOREVER - now ? now + ns : EXEC_FOREVER;
}
