/* SPDX-License-Identifier: Apache-2.0 */
/* The echo generator of a port (FC_CONFIG2 bit 40, SL 5.3): while it is on, one frame goes out
 * every fc.echo_interval and is compared when it comes back. Without a link nothing comes back. The
 * counters are brought up to date when somebody looks, or when the answer changes. */
#include "sim/afu/sim_afu.h"

void sim_echo_settle(struct sim_port *p)
{
    uint64_t now = p->afu->engine->now, interval = p->afu->params.echo_interval, frames;

    if (!(p->reg[SIM_FC_CONFIG2] & AFU_FC_CONFIG2_ECHO)) {
        p->echo_since = now;
        return;
    }
    frames = (now - p->echo_since) / interval;
    p->echo_since += frames * interval;
    p->reg[SIM_FC_LOOPBACK_TXCNT] += frames;
    p->reg[sim_link_is_up(p) ? SIM_FC_LOOPBACK_PASSCNT : SIM_FC_LOOPBACK_ERRCNT] += frames;
}
