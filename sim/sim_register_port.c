/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of an FC port (SL 5.3). */
#include "sim/sim_register.h"

static void write_cmdconfig(struct sim_port *p, uint64_t value)
{
    p->config = value;
    if (value & AFU_FC_CMDCONFIG_OFF_LINE)
        sim_link_offline(p);
    else if (value & AFU_FC_CMDCONFIG_ON_LINE)
        sim_link_online(p);
}

void sim_port_write(struct sim_port *p, uint64_t offset, uint64_t value)
{
    switch (offset) {
    case AFU_FC_MTIP_CMDCONFIG:
        write_cmdconfig(p, value);
        break;
    case AFU_FC_PNAME:
        p->pname = value;
        break;
    case AFU_FC_CONFIG2:
        p->config2 = value;
        if (value & (AFU_FC_CONFIG2_SHUTDOWN_NORMAL | AFU_FC_CONFIG2_SHUTDOWN_ABRUPT))
            sim_port_shutdown(p);
        break;
    case AFU_FC_ERROR:
        p->error &= ~value;
        break;
    case AFU_FC_ERRCAP:
        p->errcap = value;
        break;
    case AFU_FC_ERRMSK:
        p->errmsk = value;
        break;
    case AFU_FC_CRC_THRESH:
        p->crc_thresh = value;
        break;
    default:
        break;
    }
}

static uint64_t mtip_status(const struct sim_port *p)
{
    switch (p->link) {
    case SIM_LINK_ONLINE:
        return AFU_FC_MTIP_STATUS_ONLINE;
    case SIM_LINK_OFFLINE:
        return AFU_FC_MTIP_STATUS_OFFLINE;
    default:
        return 0;
    }
}

static uint64_t fc_status(const struct sim_port *p)
{
    return (p->link == SIM_LINK_ONLINE ? AFU_FC_STATUS_PORT_ONLINE : 0) |
           (p->shutdown_active ? AFU_FC_STATUS_SHUTDOWN_ACTIVE : 0) |
           (p->shutdown_complete ? AFU_FC_STATUS_SHUTDOWN_COMPLETE : 0);
}

static uint64_t crc_count(struct sim_port *p)
{
    uint64_t value = p->crc_count;

    p->crc_count = 0;
    return value;
}

uint64_t sim_port_read(struct sim_port *p, uint64_t offset)
{
    switch (offset) {
    case AFU_FC_MTIP_CMDCONFIG:
        return p->config;
    case AFU_FC_MTIP_STATUS:
        return mtip_status(p);
    case AFU_FC_PNAME:
        return p->pname;
    case AFU_FC_CONFIG2:
        return p->config2;
    case AFU_FC_STATUS:
        return fc_status(p);
    case AFU_FC_ERROR:
        return p->error;
    case AFU_FC_ERRCAP:
        return p->errcap;
    case AFU_FC_ERRMSK:
        return p->errmsk;
    case AFU_FC_CNT_CRCERR:
        return crc_count(p);
    case AFU_FC_CNT_CRCERR_RO:
        return p->crc_count;
    case AFU_FC_CNT_CRCTOT:
        return p->crc_total;
    case AFU_FC_CRC_THRESH:
        return p->crc_thresh;
    default:
        return 0;
    }
}
