/* SPDX-License-Identifier: Apache-2.0 */
/* The counters that a Fibre Channel port keeps, by name. */
#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/verb.h"
#include "core/port/port_link.h"
#include "hal/support/bits.h"

static const struct {
    const char *name;
    uint16_t reg;
} table[SPIPE_PORT_STATISTICS] = {
#define SPIPE_PORT_STATISTIC(id, name, reg) [SPIPE_PORT_##id] = {name, AFU_FC_##reg},
#include "core/port/port_statistics.def"
#undef SPIPE_PORT_STATISTIC
};

const char *spipe_port_statistic_name(unsigned statistic)
{
    return statistic < SPIPE_PORT_STATISTICS ? table[statistic].name : NULL;
}

static uint64_t read_port(struct spipe *s, unsigned port, uint64_t reg)
{
    return spipe__read(s, AFU_PORT_REGS(port) + reg);
}

/* afu_port_sel is never all ones. */
static int read_all(struct spipe *s, unsigned port, struct spipe_port_statistics *out)
{
    uint64_t ports = spipe__read(s, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL);
    enum spipe__link link = spipe__link_state(s, port);

    if (ports == HAL_ALL_ONES)
        return -ENODEV;
    *out = (struct spipe_port_statistics){
        .online = link == SPIPE__LINK_ONLINE,
        .offline = link == SPIPE__LINK_OFFLINE,
        .selected = ports & AFU_PORT_BIT(port),
        .wwpn = read_port(s, port, AFU_FC_PNAME),
        .port_id = read_port(s, port, AFU_FC_PORT_ID),
        .fc_status = read_port(s, port, AFU_FC_STATUS),
        .fc_error = read_port(s, port, AFU_FC_ERROR),
    };
    for (unsigned i = 0; i < SPIPE_PORT_STATISTICS; i++)
        out->value[i] = read_port(s, port, table[i].reg);
    return 0;
}

int spipe_port_statistics(struct spipe *s, unsigned port, struct spipe_port_statistics *out)
{
    int rc;

    if (port >= s->ports)
        return -EINVAL;
    rc = spipe__verb_begin(s, SPIPE__VERB_PORT_STATISTICS, SPIPE__ADMIT_NORMAL);
    if (rc)
        return rc;
    return spipe__verb_end(s, SPIPE__VERB_PORT_STATISTICS, read_all(s, port, out));
}
