/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/pause.h"

#include <errno.h>

void spipe__pause(struct exec *exec, uint64_t ns)
{
    uint64_t deadline = spipe__deadline(exec, ns);

    while (exec_sleep_until(exec, deadline) == -EINTR)
        ;
}

uint64_t spipe__deadline(struct exec *exec, uint64_t ns)
{
    uint64_t now = exec_now(exec);

    return ns < EXEC_FOREVER - now ? now + ns : EXEC_FOREVER;
}
