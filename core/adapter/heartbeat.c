/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/heartbeat.h"

#include "core/adapter/adapter.h"

/* The caller is inside the gate, so nobody initialises the AFU. */
static void look(struct spipe *s)
{
    uint64_t expected = s->heartbeat + 1;

    s->heartbeat = spipe__read(s, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_HB);
    if (s->heartbeat != expected)
        spipe__event(s, HEARTBEAT, expected, s->heartbeat);
}

void spipe__heartbeat_look(struct spipe *s)
{
    int rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);

    (void)rc; /* it lets everybody in */
    if (spipe__gate_state(&s->gate) == SPIPE_STATE_NORMAL)
        look(s);
    spipe__gate_leave(&s->gate);
}
