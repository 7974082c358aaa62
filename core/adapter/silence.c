/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/silence.h"

bool spipe__is_silent(struct spipe *s)
{
    uint64_t base = AFU_CTRL_BASE(s->master->handle);

    return spipe__read(s, base + AFU_CTRL_MBOX_R) == HAL_ALL_ONES &&
           spipe__read(s, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL) == HAL_ALL_ONES;
}

void spipe__await_platform(struct spipe *s)
{
    int rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);
    bool silent;

    (void)rc; /* it lets everybody in */
    silent = spipe__gate_state(&s->gate) == SPIPE_STATE_NORMAL && spipe__is_silent(s);
    spipe__gate_leave(&s->gate);
    if (silent)
        spipe__pause(s->exec, SPIPE__PLATFORM_PAUSE);
}
