/* SPDX-License-Identifier: Apache-2.0 */
#include "core/port/port_link.h"

#include "core/adapter/pause.h"
#include "hal/support/check.h"

#define LOOK_INTERVAL (100 * SPIPE__MILLISECOND)
enum { LOOKS = 100 }; /* after the first one */

static enum spipe__link link_of(uint64_t status)
{
    switch (status & AFU_FC_MTIP_STATUS_MASK) {
    case AFU_FC_MTIP_STATUS_ONLINE:
        return SPIPE__LINK_ONLINE;
    case AFU_FC_MTIP_STATUS_OFFLINE:
        return SPIPE__LINK_OFFLINE;
    default:
        return SPIPE__LINK_UNKNOWN;
    }
}

static uint64_t read_status(struct spipe *s, unsigned port)
{
    return spipe__read(s, AFU_PORT_REGS(port) + AFU_FC_MTIP_STATUS);
}

enum spipe__link spipe__link_state(struct spipe *s, unsigned port)
{
    return link_of(read_status(s, port));
}

void spipe__link_request(struct spipe *s, unsigned port, enum spipe__link wanted)
{
    uint64_t reg = AFU_PORT_REGS(port) + AFU_FC_MTIP_CMDCONFIG;
    uint64_t both = AFU_FC_CMDCONFIG_ON_LINE | AFU_FC_CMDCONFIG_OFF_LINE;
    uint64_t bit =
        wanted == SPIPE__LINK_ONLINE ? AFU_FC_CMDCONFIG_ON_LINE : AFU_FC_CMDCONFIG_OFF_LINE;

    CHECK(wanted != SPIPE__LINK_UNKNOWN);
    spipe__write(s, reg, (spipe__read(s, reg) & ~both) | bit);
}

bool spipe__link_wait(struct spipe *s, unsigned port, enum spipe__link wanted)
{
    unsigned remaining = LOOKS;

    for (;;) {
        uint64_t status;

        spipe__pause(s->exec, LOOK_INTERVAL);
        status = read_status(s, port);
        if (status == HAL_ALL_ONES)
            remaining /= 2; /* most likely dead: do not wait ten seconds for each port */
        else if (link_of(status) == wanted)
            return true;
        if (remaining == 0)
            return false;
        remaining--;
    }
}

static void move(struct spipe *s, unsigned port, enum spipe__link wanted)
{
    spipe__link_request(s, port, wanted);
    if (spipe__link_wait(s, port, wanted))
        return;
    s->notes.port_timeouts |= AFU_PORT_BIT(port);
    spipe__event(s, PORT_TIMEOUT, port);
}

void spipe__link_set_wwpn(struct spipe *s, unsigned port, uint64_t wwpn)
{
    move(s, port, SPIPE__LINK_OFFLINE);
    spipe__write(s, AFU_PORT_REGS(port) + AFU_FC_PNAME, wwpn);
    move(s, port, SPIPE__LINK_ONLINE);
}
