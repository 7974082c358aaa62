/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of an FC port (SL 5.3). What a register is stands in sim_port_regs.def; here is what
 * reading and writing it does. */
#include <string.h>

#include "sim/afu/sim_register.h"

enum access { ABSENT, ZERO, STORED, COUNT, CODED };

#define WORDS (AFU_FC_PAGE_SIZE / 8)

/* By word of the page: which register, and what may be done to it. */
static const struct {
    uint8_t reg, access;
} page[WORDS] = {
#define SIM_PORT_REG(name, access) [AFU_FC_##name / 8] = {SIM_FC_##name, access},
#include "sim/sim_port_regs.def"
#undef SIM_PORT_REG
};

bool sim_port_described(uint64_t offset)
{
    return offset % 8 == 0 && page[offset / 8].access != ABSENT;
}

/* ---- writes -----------------------------------------------------------------------------------
 */

static void write_cmdconfig(struct sim_port *p, uint64_t value)
{
    p->reg[SIM_FC_MTIP_CMDCONFIG] = value;
    if (value & AFU_FC_CMDCONFIG_OFF_LINE)
        sim_link_offline(p);
    else if (value & AFU_FC_CMDCONFIG_ON_LINE)
        sim_link_online(p);
}

/* SL 17.1: the name changes while the port is offline. A write at another time is a mistake of the
 * host: cards are not documented to take it, so it is recorded and has no effect. */
static void write_pname(struct sim_port *p, uint64_t value)
{
    if (p->link == SIM_LINK_OFFLINE)
        p->reg[SIM_FC_PNAME] = value;
    else
        sim_violation(p->afu, SIM_NOBODY, SIM_RULE_WWPN, p->number);
}

/* SL 17.3: bit 4 with bit 0 resets the port, without it turns the port off. It reads 0 again. */
static void write_config(struct sim_port *p, uint64_t value)
{
    p->reg[SIM_FC_CONFIG] = value & ~AFU_FC_CONFIG_RESET;
    if (value & AFU_FC_CONFIG_RESET)
        sim_link_reset(p, value & AFU_FC_CONFIG_AUTO_LOGIN);
    else
        sim_link_configured(p);
}

static void write_config2(struct sim_port *p, uint64_t value)
{
    sim_echo_settle(p);
    p->reg[SIM_FC_CONFIG2] = value;
    sim_internal_selection_changed(p->afu);
    if (value & (AFU_FC_CONFIG2_SHUTDOWN_NORMAL | AFU_FC_CONFIG2_SHUTDOWN_ABRUPT))
        sim_port_shutdown(p, value & AFU_FC_CONFIG2_SHUTDOWN_ABRUPT);
}

static void write_coded(struct sim_port *p, enum sim_port_reg reg, uint64_t value)
{
    switch (reg) {
    case SIM_FC_MTIP_CMDCONFIG:
        write_cmdconfig(p, value);
        break;
    case SIM_FC_PNAME:
        write_pname(p, value);
        break;
    case SIM_FC_CONFIG:
        write_config(p, value);
        break;
    case SIM_FC_CONFIG2:
        write_config2(p, value);
        break;
    case SIM_FC_ERROR:
        sim_port_error_clear(p, value);
        break;
    case SIM_FC_ERRINJ_DATA:
        p->reg[reg] = value;
        sim_inject_arm(p);
        break;
    case SIM_FC_PE_ERRINJ:
        p->reg[reg] = value;
        sim_inject_parity(p);
        break;
    default: /* read only */
        break;
    }
}

void sim_port_write(struct sim_port *p, uint64_t offset, uint64_t value)
{
    enum sim_port_reg reg = (enum sim_port_reg)page[offset / 8].reg;

    if (page[offset / 8].access == STORED)
        p->reg[reg] = value;
    else if (page[offset / 8].access == CODED)
        write_coded(p, reg, value);
}

/* ---- reads ------------------------------------------------------------------------------------
 */

static uint64_t mtip_status(const struct sim_port *p)
{
    if (p->link == SIM_LINK_OFFLINE)
        return AFU_FC_MTIP_STATUS_OFFLINE;
    return sim_link_is_up(p) ? AFU_FC_MTIP_STATUS_ONLINE : 0;
}

static bool is_flashgt(const struct sim_port *p) { return p->afu->params.card == 0x0600; }

static uint64_t queues_empty(const struct sim_port *p)
{
    const struct sim_afu *a = p->afu;

    for (uint64_t i = 0; i < a->params.cmd_slots; i++)
        if (sim_cmd_at_port(&a->cmds[i]) && a->cmds[i].port == p->number)
            return 0;
    return AFU_FC_STATUS_SUBMISSION_EMPTY | AFU_FC_STATUS_COMPLETION_EMPTY;
}

static uint64_t fc_status(const struct sim_port *p)
{
    return (p->link == SIM_LINK_ONLINE ? AFU_FC_STATUS_PORT_ONLINE : 0) |
           (p->shutdown_active ? AFU_FC_STATUS_SHUTDOWN_ACTIVE : 0) |
           (p->shutdown_complete ? AFU_FC_STATUS_SHUTDOWN_COMPLETE : 0) |
           (is_flashgt(p) ? queues_empty(p) : 0);
}

/* The link of a FlashGT is PCIe to an NVMe device: generation 3, 4 lanes. */
static uint64_t fc_status2(const struct sim_port *p)
{
    uint64_t lanes = AFU_FC_STATUS2_GEN3 | UINT64_C(4) << AFU_FC_STATUS2_WIDTH_SHIFT;
    uint64_t user = p->user_reset ? AFU_FC_STATUS2_USER_RESET : 0;

    if (!is_flashgt(p))
        return 0;
    switch (p->link) {
    case SIM_LINK_ONLINE:
        return lanes | (uint64_t)AFU_FC_LINK_UP << AFU_FC_STATUS2_LINK_SHIFT;
    case SIM_LINK_GOING_UP:
        return user | (uint64_t)AFU_FC_LINK_TRAINING << AFU_FC_STATUS2_LINK_SHIFT;
    case SIM_LINK_OFFLINE:
    case SIM_LINK_GOING_DOWN:
        return user | AFU_FC_STATUS2_PHY_LINK_DOWN;
    default:
        return lanes | user | (uint64_t)AFU_FC_LINK_INIT << AFU_FC_STATUS2_LINK_SHIFT;
    }
}

static uint64_t crc_count(struct sim_port *p)
{
    uint64_t value = p->reg[SIM_FC_CNT_CRCERR];

    p->reg[SIM_FC_CNT_CRCERR] = 0;
    return value;
}

/* What the fabric and the target said at login; nothing without one. The values are those of the
 * simulated storage: one target behind each port, 8 buffer credits, time-out 2000 ms, class 3. */
static uint64_t login_data(const struct sim_port *p, enum sim_port_reg reg)
{
    if (p->link != SIM_LINK_ONLINE)
        return 0;
    switch (reg) {
    case SIM_FC_PORT_ID:
        return 0x010100u + p->number;
    case SIM_FC_TGT_D_ID:
        return 0x010200u + p->number;
    case SIM_FC_TGT_PNAME:
        return UINT64_C(0x5005076000000200) + p->number;
    case SIM_FC_TGT_NNAME:
        return UINT64_C(0x5005076000000100);
    case SIM_FC_TGT_B2BCR:
        return 8;
    case SIM_FC_TGT_E_D_TOV:
        return 2000;
    default: /* TGT_LOGI, TGT_CLASS3 */
        return 1;
    }
}

static uint64_t read_coded(struct sim_port *p, enum sim_port_reg reg)
{
    switch (reg) {
    case SIM_FC_MTIP_STATUS:
        return mtip_status(p);
    case SIM_FC_STATUS:
        return fc_status(p);
    case SIM_FC_STATUS2:
        return fc_status2(p);
    case SIM_FC_MAX_NUM_LUNS:
    case SIM_FC_CUR_NUM_LUNS:
    case SIM_FC_MAX_CAP_PORT:
    case SIM_FC_CUR_CAP_PORT:
        return sim_provision_register(p, reg);
    case SIM_FC_PORT_ID:
    case SIM_FC_TGT_D_ID:
    case SIM_FC_TGT_PNAME:
    case SIM_FC_TGT_NNAME:
    case SIM_FC_TGT_LOGI:
    case SIM_FC_TGT_B2BCR:
    case SIM_FC_TGT_E_D_TOV:
    case SIM_FC_TGT_CLASS3:
        return login_data(p, reg);
    case SIM_FC_CNT_CRCERR:
        return crc_count(p);
    case SIM_FC_CNT_CRCERR_RO:
        return p->reg[SIM_FC_CNT_CRCERR];
    case SIM_FC_LOOPBACK_TXCNT:
    case SIM_FC_LOOPBACK_PASSCNT:
    case SIM_FC_LOOPBACK_ERRCNT:
        sim_echo_settle(p);
        return p->reg[reg];
    case SIM_FC_NVME_VERSION:
        return is_flashgt(p) ? p->afu->params.afu_version : 0;
    default:
        return p->reg[reg];
    }
}

uint64_t sim_port_read(struct sim_port *p, uint64_t offset)
{
    enum sim_port_reg reg = (enum sim_port_reg)page[offset / 8].reg;

    switch (page[offset / 8].access) {
    case STORED:
    case COUNT:
        return p->reg[reg];
    case CODED:
        return read_coded(p, reg);
    default:
        return 0;
    }
}

/* ---- reset ------------------------------------------------------------------------------------
 */

/* Registers to their reset values; link state and WWPN stay (MD-17), the LUN table is zero (MD-5).
 */
void sim_port_reset(struct sim_port *p, struct sim_afu *a, unsigned number)
{
    uint64_t pname = p->reg[SIM_FC_PNAME];

    p->afu = a;
    p->number = (uint8_t)number;
    memset(p->reg, 0, sizeof p->reg);
    p->reg[SIM_FC_PNAME] = pname;
    p->reg[SIM_FC_MTIP_CMDCONFIG] = AFU_FC_CMDCONFIG_ON_LINE | 3; /* of a working port: 0x23 */
    p->reg[SIM_FC_CONFIG] = AFU_FC_CONFIG_AUTO_LOGIN;
    p->reg[SIM_FC_ERRMSK] = UINT32_MAX;
    p->shutdown_active = p->shutdown_complete = p->shutdown_abrupt = p->user_reset = false;
    sim_links_settle(a);
    p->lasting_errors = 0;
    p->injection = (struct sim_injection){0};
    sim_engine_cancel(a->engine, &p->shutdown_event);
    memset(p->lun_table, 0, sizeof p->lun_table);
}
