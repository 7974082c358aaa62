/* SPDX-License-Identifier: Apache-2.0 */
/* Planned faults between port and medium: lost frames (FK-22), bad answers of the target (FK-23 to
 * FK-26), contents that are not what they should be (FK-48). Arguments: sim_sites.def. */
#include "sim/afu/sim_afu.h"

#define FRAME_BYTES 2048u /* payload of a data frame (timing 6) */

/* ---- frames -----------------------------------------------------------------------------------
 */

/* Blocks that arrived as a whole are written, the others are not. */
static void shorten_write(struct sim_cmd *c)
{
    struct sim_scsi_result *rs = &c->rs;

    rs->blocks = (rs->transfer_len - c->plan.lost) / rs->block_size;
}

void sim_segment_shorten(struct sim_cmd *c, enum sim_loss loss, uint64_t bytes)
{
    uint32_t all = (uint32_t)hal_min64(c->rs.transfer_len, c->rq.data_len);

    c->plan.loss = (uint8_t)loss;
    c->plan.lost = (uint32_t)hal_min64(bytes, loss == SIM_LOSS_TOO_MANY ? UINT32_MAX : all);
    if (loss == SIM_LOSS_TOO_MANY)
        return;
    if (c->rs.medium == SIM_SCSI_MEDIUM_WRITE)
        shorten_write(c);
    c->plan.hole_at = all - c->plan.lost;
    c->plan.hole = c->plan.lost;
}

bool sim_exchange_fault(struct sim_cmd *c, uint64_t arg)
{
    uint32_t bytes = arg & UINT32_MAX ? (uint32_t)arg : FRAME_BYTES;
    bool moves = c->rs.kind == SIM_SCSI_DATA_IN || c->rs.medium == SIM_SCSI_MEDIUM_WRITE;

    if (!c->rs.transfer_len || !moves) { /* the frame was the response: the exchange times out */
        c->status.rc.fc_rc = AFU_FC_RC_ABORTPEND;
        sim_status(c);
        return true;
    }
    switch (arg >> 32) {
    case 1:
        sim_segment_shorten(c, SIM_LOSS_UNNOTICED, bytes);
        break;
    case 2:
        sim_segment_shorten(c, SIM_LOSS_TOO_MANY, bytes);
        break;
    default:
        sim_segment_shorten(c, SIM_LOSS_NOTICED, bytes);
        break;
    }
    return false;
}

/* Of a write, whole blocks count, and the target has told so already. */
static uint32_t missing(const struct sim_cmd *c)
{
    return c->rs.medium == SIM_SCSI_MEDIUM_WRITE ? 0 : c->plan.lost;
}

void sim_loss_merge(struct sim_cmd *c)
{
    bool suppressed = c->flags & AFU_REQ_SUP_UNDERRUN;

    switch ((enum sim_loss)c->plan.loss) {
    case SIM_LOSS_NONE:
        return;
    case SIM_LOSS_UNNOTICED:
        c->status.resid += missing(c);
        c->status.rc.fc_rc = AFU_FC_RC_RESIDERR;
        break;
    case SIM_LOSS_TOO_MANY:
        c->status.resid = c->plan.lost;
        c->status.rc.flags |= AFU_RC_FLAG_OVERRUN;
        c->status.rc.fc_rc = AFU_FC_RC_RESID;
        break;
    case SIM_LOSS_NOTICED:
    case SIM_LOSS_DMA:
        c->status.resid += missing(c);
        if (suppressed)
            break;
        c->status.rc.flags |= AFU_RC_FLAG_UNDERRUN;
        if (c->plan.loss == SIM_LOSS_NOTICED)
            c->status.rc.fc_rc = AFU_FC_RC_RESID;
        break;
    }
}

/* ---- the target -------------------------------------------------------------------------------
 */

enum { TARGET_STATUS, TARGET_ATTENTION, TARGET_SIZE, TARGET_GONE, TARGET_BACK, TARGET_OTHER };

#define KEY_RECOVERED 1
#define KEY_MEDIUM_ERROR 3

/* A status of the target; a recovered error comes after the data. Errors of the medium are those of
 * the first block, if the command says which that is. */
static void bad_status(struct sim_cmd *c, uint32_t arg)
{
    bool reading = c->rs.medium == SIM_SCSI_MEDIUM_READ;
    uint8_t status, key;

    if (!arg) /* unrecovered read, or write error */
        arg = KEY_MEDIUM_ERROR << 16 | (reading ? 0x1100 : 0x0C00);
    status = (uint8_t)(arg >> 24);
    key = (uint8_t)(arg >> 16);
    sim_scsi_force(&c->rs, status ? status : SIM_SCSI_CHECK_CONDITION, key, (uint8_t)(arg >> 8),
                   (uint8_t)arg, key == KEY_RECOVERED);
    if (c->rs.blocks && (key == KEY_RECOVERED || key == KEY_MEDIUM_ERROR))
        sim_scsi_force_block(&c->rs, c->rs.lba);
}

/* Another size, as a share of the one it has; at least one block. A medium that cannot have it
 * keeps its size. */
static void resize(struct sim_scsi *t, unsigned lun, uint32_t percent)
{
    uint64_t blocks = sim_media_lun(t->media, lun)->blocks;
    int rc = sim_scsi_set_size(t, lun, hal_max64(1, blocks / 100 * percent));

    (void)rc;
}

static void other_device(struct sim_scsi *t, unsigned lun)
{
    uint8_t wwid[16];

    sim_media_make_wwid(UINT64_MAX, lun, wwid);
    sim_scsi_set_wwid(t, lun, wwid);
    sim_scsi_set_unit_attention(t, lun, UINT32_MAX, SIM_SCSI_UA_INQUIRY);
}

/* The list of LUNs has changed, which every LUN of the target says (SPC). */
static void set_ports(struct sim_scsi *t, unsigned lun, uint8_t port_mask)
{
    sim_scsi_set_ports(t, lun, port_mask);
    for (unsigned i = 0; i < sim_media_n_luns(t->media); i++)
        sim_scsi_set_unit_attention(t, i, UINT32_MAX, SIM_SCSI_UA_LUNS);
}

static void come_back(struct sim_scsi *t, unsigned lun)
{
    const struct sim_media_lun *l = sim_media_lun(t->media, lun);

    if (l)
        set_ports(t, lun, l->port_mask);
}

/* Something happens to the LUN of the command, or with TARGET_BACK to the one that is named. */
static void happen(struct sim_cmd *c, uint64_t arg)
{
    struct sim_scsi *t = &c->afu->scsi;
    uint32_t detail = (uint32_t)arg;

    switch (arg >> 32) {
    case TARGET_ATTENTION:
        sim_scsi_set_unit_attention(t, c->rs.lun, UINT32_MAX,
                                    (enum sim_scsi_ua)(detail % SIM_SCSI_N_UA));
        break;
    case TARGET_SIZE:
        resize(t, c->rs.lun, detail ? detail : 50);
        break;
    case TARGET_GONE:
        set_ports(t, c->rs.lun, 0);
        break;
    case TARGET_BACK:
        come_back(t, detail);
        break;
    case TARGET_OTHER:
        other_device(t, c->rs.lun);
        break;
    default:
        bad_status(c, detail);
        break;
    }
}

/* ---- contents ---------------------------------------------------------------------------------
 */

static void to_neighbour(struct sim_scsi_result *rs)
{
    rs->lba += rs->lba ? UINT64_MAX : 1; /* one down, or up from the first */
}

static void damage(struct sim_cmd *c, uint64_t arg)
{
    bool writes = c->rs.medium == SIM_SCSI_MEDIUM_WRITE;

    c->plan.damage = SIM_DAMAGE_BIT;
    if (arg == 1 && writes)
        c->plan.damage = SIM_DAMAGE_LOST_WRITE;
    else if (arg == 2)
        c->plan.damage = SIM_DAMAGE_WRONG_BLOCK;
    else if (arg == 3 && writes)
        c->plan.damage = SIM_DAMAGE_TORN_WRITE;
    if (c->plan.damage == SIM_DAMAGE_WRONG_BLOCK)
        to_neighbour(&c->rs);
}

SIM_COLD static void media_planned(struct sim_cmd *c)
{
    uint64_t arg = 0;

    switch (sim_site_armed(c->afu, SIM_SITE_MEDIA, &arg)) {
    case SIM_EFFECT_LATE:
        c->media_extra = sim_late(c->afu, arg);
        break;
    case SIM_EFFECT_NEVER:
        c->media_stuck = true;
        break;
    case SIM_EFFECT_ERROR:
        happen(c, arg);
        break;
    case SIM_EFFECT_VALUE:
        damage(c, arg);
        break;
    default:
        break;
    }
}

/* Asks the site of the medium, once a segment and before any data moves, so that a write which is
 * going to fail changes nothing. */
void sim_media_plan(struct sim_cmd *c)
{
    c->media_extra = 0;
    c->media_stuck = false;
    if (sim_site_planned(c->afu, SIM_SITE_MEDIA))
        media_planned(c);
}

/* A write of which the medium keeps less than it says. */
static int finish_lying(struct sim_cmd *c, sim_media_sink *sink, sim_media_source *source)
{
    struct sim_scsi_result *rs = &c->rs;
    uint64_t blocks = rs->blocks;
    int rc;

    rs->blocks = c->plan.damage == SIM_DAMAGE_TORN_WRITE ? blocks / 2 : 0;
    rc = sim_scsi_finish(&c->afu->scsi, &c->rq, rs, sink, source, c);
    if (rc || rs->status)
        return rc;
    rs->blocks = blocks;
    rs->transfer_len = blocks * rs->block_size;
    rs->moved = (uint32_t)hal_min64(rs->transfer_len, c->rq.data_len);
    rs->residual = c->rq.data_len - rs->moved;
    rs->underrun = rs->residual != 0;
    return 0;
}

int sim_target_finish(struct sim_cmd *c, sim_media_sink *sink, sim_media_source *source)
{
    if (c->plan.damage == SIM_DAMAGE_LOST_WRITE || c->plan.damage == SIM_DAMAGE_TORN_WRITE)
        return finish_lying(c, sink, source);
    return sim_scsi_finish(&c->afu->scsi, &c->rq, &c->rs, sink, source, c);
}
