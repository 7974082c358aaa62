/* SPDX-License-Identifier: Apache-2.0 */
/* LUN provision (SL 12): an AFU command that makes and deletes LUNs behind one port, and the
 * registers that say how many there may be (SL 5.3). Made LUNs have blocks of 4096 bytes and are
 * real in every way: the media keep them, REPORT LUNS tells of them, other LUNs get 3F/0E.
 *
 * What a refusal looks like is not public. Here it is a check condition, as from the device:
 * 5/24/00 for a port, size or code that makes no sense, 5/55/03 beyond a limit or when the media
 * are full, 5/25/00 for a LUN that was not provisioned on the port, 3/0C/00 when the media cannot
 * record it, 7/27/00 when they are read-only. */
#include <errno.h>
#include <string.h>

#include "sim/afu/sim_afu.h"

#define BLOCK 4096u
#define SERIAL UINT64_C(0x50524F5600000000) /* "PROV", then a running number */

/* ---- what there is ----------------------------------------------------------------------------
 */

static bool provisioned(const struct sim_afu *a, unsigned lun, unsigned port)
{
    const struct sim_media_lun *l = sim_media_lun(a->scsi.media, lun);

    return l && l->added && l->port_mask == HAL_BIT(port);
}

static uint64_t count(const struct sim_afu *a, unsigned port)
{
    uint64_t n = 0;

    for (unsigned lun = 0; lun < sim_media_n_luns(a->scsi.media); lun++)
        n += provisioned(a, lun, port);
    return n;
}

static uint64_t blocks(const struct sim_afu *a, unsigned port)
{
    uint64_t n = 0;

    for (unsigned lun = 0; lun < sim_media_n_luns(a->scsi.media); lun++)
        if (provisioned(a, lun, port))
            n += sim_media_lun(a->scsi.media, lun)->blocks;
    return n;
}

uint64_t sim_provision_register(const struct sim_port *p, enum sim_port_reg reg)
{
    const struct sim_afu *a = p->afu;

    if (!sim_capable(a, AFU_IFV_LUN_PROVISION))
        return 0;
    switch (reg) {
    case SIM_FC_MAX_NUM_LUNS:
        return a->params.provision_luns;
    case SIM_FC_CUR_NUM_LUNS:
        return count(a, p->number);
    case SIM_FC_MAX_CAP_PORT:
        return a->params.provision_blocks;
    default: /* CUR_CAP_PORT */
        return blocks(a, p->number);
    }
}

/* ---- the command ------------------------------------------------------------------------------
 */

static void refuse_as(struct sim_cmd *c, int error)
{
    switch (error) {
    case -EINVAL:
        sim_afu_command_refuse(c, 5, 0x24, 0x00);
        break;
    case -ENOENT:
        sim_afu_command_refuse(c, 5, 0x25, 0x00);
        break;
    case -EROFS:
        sim_afu_command_refuse(c, 7, 0x27, 0x00);
        break;
    case -EIO:
        sim_afu_command_refuse(c, 3, 0x0C, 0x00);
        break;
    default:
        sim_afu_command_refuse(c, 5, 0x55, 0x03);
        break;
    }
}

/* The IOASA of a new LUN: its id in two halves, and its WWID (SL 7). */
static void answer(struct sim_cmd *c, unsigned lun, const uint8_t wwid[16])
{
    uint64_t id = afu_lun_id(lun);
    xe32_t low = xe32_of(c->ctx->order, (uint32_t)id);

    c->status.resid = (uint32_t)(id >> 32);
    memcpy(c->status.sense, &low, sizeof low);
    memcpy(c->status.sense + sizeof low, wwid, AFU_WWID_SIZE);
    c->status.answer = true;
}

static bool taken(const struct sim_media *media, const uint8_t wwid[AFU_WWID_SIZE])
{
    for (unsigned lun = 0; lun < sim_media_n_luns(media); lun++) {
        const struct sim_media_lun *l = sim_media_lun(media, lun);

        if (l && memcmp(l->wwid, wwid, AFU_WWID_SIZE) == 0)
            return true;
    }
    return false;
}

/* A name that no other LUN has: earlier runs made some on these media, and so do other adapters. */
static void make_wwid(struct sim_afu *a, uint8_t wwid[AFU_WWID_SIZE])
{
    do
        sim_media_make_wwid(SERIAL | ++a->provisioned, 0, wwid);
    while (taken(a->scsi.media, wwid));
}

static int create(struct sim_cmd *c, unsigned port)
{
    struct sim_afu *a = c->afu;
    struct sim_media_lun l = {.blocks = afu_provision_cdb_blocks(c->rq.cdb),
                              .block_size = BLOCK,
                              .port_mask = (uint8_t)HAL_BIT(port)};
    uint64_t used = blocks(a, port);
    unsigned lun = 0;
    int error;

    if (!l.blocks)
        return -EINVAL;
    if (count(a, port) >= a->params.provision_luns || used > a->params.provision_blocks ||
        l.blocks > a->params.provision_blocks - used)
        return -ENOSPC;
    make_wwid(a, l.wwid);
    error = sim_scsi_add_lun(&a->scsi, &l, &lun);
    if (error)
        return error;
    sim_media_stage_reset(a, lun);
    answer(c, lun, l.wwid);
    return 0;
}

static int delete (struct sim_cmd *c, unsigned port)
{
    struct sim_afu *a = c->afu;
    unsigned lun = afu_lun_number(c->lun_id);

    if (afu_lun_id(lun) != c->lun_id || !provisioned(a, lun, port))
        return -ENOENT;
    sim_lun_abort(a, lun);
    return sim_scsi_remove_lun(&a->scsi, lun);
}

void sim_provision(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    const struct sim_afu *a = c->afu;
    unsigned port = c->rq.cdb[2];
    int error = -EINVAL; /* as with internal LUNs, which have no ports to put one behind */
    bool possible = port < a->params.ports && !a->internal_mode;

    if (possible && c->rq.cdb[1] == AFU_PROVISION_CREATE)
        error = create(c, port);
    else if (possible && c->rq.cdb[1] == AFU_PROVISION_DELETE)
        error = delete (c, port);
    if (error)
        refuse_as(c, error);
    sim_afu_command_done(c);
}
