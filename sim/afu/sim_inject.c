/* SPDX-License-Identifier: Apache-2.0 */
/* Fault injection by registers, as on a FlashGT (SL 17.4). FC_ERRINJ says what, FC_ERRINJ_DATA arms
 * it. An injection counts the commands of its kind (reads or writes; for LBA errors those that
 * touch the block) and hits the one after `interval` of them; a permanent one goes on counting. */
#include "sim/afu/sim_afu.h"

#define PSL_DATA_ERROR 3 /* DERROR (SL 18.1) */

/* NVMe status codes that FC_ERRINJ_DATA may ask for: type in [10:8], code in [7:0]. */
enum { NVME_LBA_RANGE = 0x080, NVME_WRITE_FAULT = 0x280, NVME_READ_ERROR = 0x281 };

void sim_inject_arm(struct sim_port *p)
{
    uint64_t what = p->reg[SIM_FC_ERRINJ], arm = what & AFU_FC_ERRINJ_ARM_MASK;
    bool on = what & AFU_FC_ERRINJ_ENABLE &&
              (arm == AFU_FC_ERRINJ_ARM_ONCE || arm == AFU_FC_ERRINJ_ARM_ALWAYS);
    struct sim_injection *i = &p->injection;

    i->type = on ? (uint8_t)((what & AFU_FC_ERRINJ_TYPE_MASK) >> AFU_FC_ERRINJ_TYPE_SHIFT) : 0;
    i->always = arm == AFU_FC_ERRINJ_ARM_ALWAYS;
    i->interval = i->left = (uint16_t)(what & AFU_FC_ERRINJ_INTERVAL_MASK);
}

void sim_inject_parity(struct sim_port *p)
{
    p->injection.parity = p->reg[SIM_FC_PE_ERRINJ] & 1 &&
                          p->reg[SIM_FC_PE_ERRINJ_DATA] == AFU_FC_PE_ERRINJ_DATA_WRITE;
}

/* Whether a command is of the kind that an injection counts. */
static bool concerns(const struct sim_cmd *c, const struct sim_injection *i, uint64_t data)
{
    uint64_t lba = data & UINT32_MAX;
    bool touches = lba - c->rs.lba < c->rs.blocks;

    switch (i->type) {
    case AFU_FC_ERRINJ_WRITE_LBA:
        return c->rs.medium == SIM_SCSI_MEDIUM_WRITE && touches;
    case AFU_FC_ERRINJ_READ_LBA:
        return c->rs.medium == SIM_SCSI_MEDIUM_READ && touches;
    case AFU_FC_ERRINJ_WRITE_BAD_DATA:
    case AFU_FC_ERRINJ_WRITE_DMA:
        return c->rs.medium == SIM_SCSI_MEDIUM_WRITE;
    case AFU_FC_ERRINJ_READ_BAD_DATA:
    case AFU_FC_ERRINJ_READ_DMA:
        return c->rs.medium == SIM_SCSI_MEDIUM_READ;
    default:
        return false;
    }
}

/* True: this is the command that is hit. */
static bool due(struct sim_injection *i)
{
    if (i->left) {
        i->left--;
        return false;
    }
    i->left = i->interval;
    return true;
}

/* The status of the device, as its SCSI translation (3/11/00, 3/0C/00, 5/21/00, else 4/44/00). All
 * but the last are about a block. */
static void force_status(struct sim_cmd *c, uint64_t data)
{
    uint64_t nvme = data >> 32;
    bool reading = c->rs.medium == SIM_SCSI_MEDIUM_READ;
    uint8_t key = 3, asc = reading ? 0x11 : 0x0C;

    if (nvme == NVME_LBA_RANGE) {
        key = 5;
        asc = 0x21;
    } else if (nvme && nvme != NVME_WRITE_FAULT && nvme != NVME_READ_ERROR) {
        key = 4;
        asc = 0x44;
    } else if (nvme) {
        asc = nvme == NVME_READ_ERROR ? 0x11 : 0x0C;
    }
    sim_scsi_force(&c->rs, SIM_SCSI_CHECK_CONDITION, key, asc, 0, false);
    if (key != 4)
        sim_scsi_force_block(&c->rs, data & UINT32_MAX);
}

static bool strike(struct sim_cmd *c, uint8_t type, uint64_t data)
{
    switch (type) {
    case AFU_FC_ERRINJ_WRITE_LBA:
    case AFU_FC_ERRINJ_READ_LBA:
        force_status(c, data);
        return false;
    case AFU_FC_ERRINJ_WRITE_BAD_DATA:
    case AFU_FC_ERRINJ_READ_BAD_DATA:
        c->plan.damage = SIM_DAMAGE_BIT;
        return false;
    default:
        sim_status_afu(c, AFU_RC_DATA_DMA_ERR, PSL_DATA_ERROR);
        return true;
    }
}

/* The port finds the wrong parity on the way out: an error of its own, the exchange is given up. */
static bool parity_error(struct sim_cmd *c, struct sim_port *p)
{
    if (!p->injection.parity || c->rs.medium != SIM_SCSI_MEDIUM_WRITE)
        return false;
    p->injection.parity = false;
    sim_port_error_lasting(p, 0);
    c->status.rc.fc_rc = AFU_FC_RC_NOEXP;
    sim_status(c);
    return true;
}

bool sim_inject(struct sim_cmd *c)
{
    struct sim_port *p = &c->afu->port[c->port];
    struct sim_injection *i = &p->injection;
    uint8_t type = i->type;

    if (parity_error(c, p))
        return true;
    if (!type || !concerns(c, i, p->reg[SIM_FC_ERRINJ_DATA]) || !due(i))
        return false;
    if (!i->always)
        i->type = 0;
    return strike(c, type, p->reg[SIM_FC_ERRINJ_DATA]);
}
