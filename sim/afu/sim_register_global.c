/* SPDX-License-Identifier: Apache-2.0 */
/* Global registers (SL 4). */
#include "sim/afu/sim_register.h"

bool sim_global_described(uint64_t offset)
{
    return offset <= AFU_GLOBAL_CONT_RETRY_TO || offset == AFU_GLOBAL_AFU_VERSION ||
           offset == AFU_GLOBAL_INTERFACE_VERSION;
}

void sim_global_write(struct sim_afu *a, uint64_t offset, uint64_t value)
{
    switch (offset) {
    case AFU_GLOBAL_AINTR_CLEAR:
        a->aintr_status &= ~value;
        sim_aintr_reevaluate(a);
        break;
    case AFU_GLOBAL_AINTR_MASK:
        a->aintr_mask = value;
        sim_aintr_reevaluate(a);
        break;
    case AFU_GLOBAL_AFU_CTRL:
        a->afu_ctrl = value;
        sim_internal_selection_changed(a);
        break;
    case AFU_GLOBAL_AFU_SCRATCH_PAD:
        a->scratch = value;
        break;
    case AFU_GLOBAL_AFU_PORT_SEL:
        a->port_sel = value & sim_ports_present(a);
        break;
    case AFU_GLOBAL_AFU_CONFIG:
        a->config = value;
        break;
    case AFU_GLOBAL_RRIN_READ_TO:
        a->rrin_read_to = value;
        break;
    case AFU_GLOBAL_CONT_RETRY_TO:
        a->cont_retry_to = value;
        break;
    default:
        break;
    }
}

/* Every read gives the value before plus one. */
static uint64_t heartbeat(struct sim_afu *a)
{
    uint64_t arg = 0;

    if (sim_site(a, SIM_SITE_HB, &arg) == SIM_EFFECT_VALUE)
        return arg;
    return ++a->hb;
}

uint64_t sim_global_read(struct sim_afu *a, uint64_t offset)
{
    switch (offset) {
    case AFU_GLOBAL_AINTR_STATUS:
        return a->aintr_status;
    case AFU_GLOBAL_AINTR_MASK:
        return a->aintr_mask;
    case AFU_GLOBAL_AFU_CTRL:
        return a->afu_ctrl;
    case AFU_GLOBAL_AFU_HB:
        return heartbeat(a);
    case AFU_GLOBAL_AFU_SCRATCH_PAD:
        return a->scratch;
    case AFU_GLOBAL_AFU_PORT_SEL:
        return a->port_sel;
    case AFU_GLOBAL_AFU_CONFIG:
        return a->config;
    case AFU_GLOBAL_RRIN_READ_TO:
        return a->rrin_read_to;
    case AFU_GLOBAL_CONT_RETRY_TO:
        return a->cont_retry_to;
    case AFU_GLOBAL_AFU_VERSION:
        return a->params.afu_version;
    case AFU_GLOBAL_INTERFACE_VERSION:
        return a->params.interface_version;
    default:
        return 0;
    }
}
