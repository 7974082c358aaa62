/* SPDX-License-Identifier: Apache-2.0 */
/* Internal commands (SL 12), one AFU command at a time: AFU sync, and the way to LUN provision
 * (sim_provision.c) and AFU debug (sim_debug.c). Task management. */
#include "hal/support/check.h"
#include "sim/afu/sim_wait.h"

static bool names(const struct sim_cmd *c, uint16_t context, uint32_t handle)
{
    return c->translated && c->ctx_id == context && c->res_hndl == handle;
}

/* Commands that a sync has to see the end of: translated with (context, handle), or, for a global
 * sync, on ports that are no longer selected. */
static bool must_drain(const struct sim_cmd *sync, const struct sim_cmd *c)
{
    const struct sim_afu *a = sync->afu;
    bool at_port = c->state >= SIM_CMD_PORT && c->state <= SIM_CMD_DATA;

    if (c->state == SIM_CMD_FREE || c == sync)
        return false;
    if (afu_sync_cdb_mode(sync->rq.cdb) == AFU_SYNC_GSYNC)
        return at_port && !(a->port_sel & HAL_BIT(c->port));
    return names(c, afu_sync_cdb_ctx(sync->rq.cdb), afu_sync_cdb_handle(sync->rq.cdb));
}

static uint32_t start_drain(struct sim_cmd *sync)
{
    struct sim_afu *a = sync->afu;
    uint32_t left = 0;

    for (uint64_t i = 0; i < a->params.cmd_slots; i++)
        if (must_drain(sync, &a->cmds[i])) {
            a->cmds[i].draining = true;
            left++;
        }
    return left;
}

/* Good if the AFU says so: not if a fault is going to make an error of it, or loses it. */
static void tell_synced(const struct sim_cmd *c)
{
    const struct sim_afu *a = c->afu;
    const uint8_t *cdb = c->rq.cdb;

    sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_SYNCED,
                                      .number = afu_sync_cdb_mode(cdb),
                                      .context = afu_sync_cdb_ctx(cdb),
                                      .handle = afu_sync_cdb_handle(cdb),
                                      .good = a->internal_effect == SIM_EFFECT_NONE ||
                                              a->internal_effect == SIM_EFFECT_LATE});
}

void sim_afu_command_done(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    a->internal = NULL;
    if (sim_watched_by(a) && c->rq.cdb[0] == AFU_CMD_SYNC)
        tell_synced(c);
    if (afu_sync_cdb_mode(c->rq.cdb) == AFU_SYNC_HW)
        sim_strict_synced(&a->strict, a->engine->now, afu_sync_cdb_ctx(c->rq.cdb),
                          afu_sync_cdb_handle(c->rq.cdb));
    sim_record(a, SIM_EVENT_AFU_CMD_DONE, c->slot, c->ctx->handle, 0);
    switch (a->internal_effect) {
    case SIM_EFFECT_ERROR:
        sim_status_afu(c, a->internal_arg ? (uint8_t)a->internal_arg : AFU_RC_TIMED_OUT, 0);
        return;
    case SIM_EFFECT_SHORT: /* data that are not there: no good end either */
        if (c->data_len)
            sim_status(c);
        else
            sim_status_afu(c, AFU_RC_TIMED_OUT, 0);
        return;
    case SIM_EFFECT_DROP: /* a lost answer: the timer of the AFU does not see it */
        sim_timeout_stop(c);
        c->state = SIM_CMD_STUCK;
        return;
    default:
        sim_status(c);
    }
}

void sim_drain_over(struct sim_afu *a)
{
    CHECK(!a->drain_left);
    sim_afu_command_done(a->internal);
}

static void drained(struct sim_event *ev)
{
    sim_drain_over(HAL_CONTAINER_OF(ev, struct sim_afu, drain_event));
}

void sim_drain_check(struct sim_cmd *finished)
{
    struct sim_afu *a = finished->afu;

    if (!finished->draining)
        return;
    finished->draining = false;
    CHECK(a->drain_left > 0);
    if (--a->drain_left == 0 && !sim_stepped(a))
        sim_engine_at(a->engine, &a->drain_event, a->engine->now, SIM_RANK_DRAIN, drained);
}

/* Only a heavy sync that ends well is sure to leave no old translation (FK-18). */
static void forget(struct sim_cmd *c, uint8_t mode)
{
    struct sim_afu *a = c->afu;
    uint16_t handle = afu_sync_cdb_ctx(c->rq.cdb);
    bool well = a->internal_effect == SIM_EFFECT_NONE || a->internal_effect == SIM_EFFECT_LATE;

    if (mode == AFU_SYNC_GSYNC)
        sim_xlt_drop_but_kept(a, NULL, SIM_XLT_ALL_HANDLES);
    else if (handle >= SIM_CONTEXTS_MAX || !a->ctx[handle])
        return;
    else if (mode == AFU_SYNC_HW && well)
        sim_xlt_drop(a, a->ctx[handle], afu_sync_cdb_handle(c->rq.cdb));
    else
        sim_xlt_drop_but_kept(a, a->ctx[handle], afu_sync_cdb_handle(c->rq.cdb));
}

/* Light: forget translations. Heavy and global: then wait for what used them. */
static void sync_work(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->afu;
    uint8_t mode = afu_sync_cdb_mode(c->rq.cdb);

    forget(c, mode);
    if (mode == AFU_SYNC_LW) {
        sim_afu_command_done(c);
        return;
    }
    if (mode == AFU_SYNC_HW)
        sim_strict_revoke(&a->strict, afu_sync_cdb_ctx(c->rq.cdb), afu_sync_cdb_handle(c->rq.cdb));
    a->drain_left = start_drain(c);
    c->state = SIM_CMD_DRAIN;
    if (!a->drain_left)
        sim_afu_command_done(c);
}

void sim_afu_command_refuse(struct sim_cmd *c, uint8_t key, uint8_t asc, uint8_t ascq)
{
    c->status.rc.scsi_rc = SIM_SCSI_CHECK_CONDITION;
    c->status.rc.flags |= AFU_RC_FLAG_SENSE_VALID;
    sim_scsi_sense(c->status.sense, key, asc, ascq);
}

/* What a command does when its time has passed, or NULL: there is no such command. Provision and
 * debug exist only with their capability bits. */
static sim_event_fn *work_of(const struct sim_cmd *c, uint64_t *time)
{
    const struct sim_afu *a = c->afu;
    uint8_t mode = afu_sync_cdb_mode(c->rq.cdb);

    switch (c->rq.cdb[0]) {
    case AFU_CMD_SYNC:
        *time = mode == AFU_SYNC_LW ? a->params.sync_lw : a->params.sync_hw;
        return mode <= AFU_SYNC_GSYNC ? sync_work : NULL;
    case AFU_CMD_LUN_PROVISION:
        *time = a->params.provision;
        return sim_capable(a, AFU_IFV_LUN_PROVISION) ? sim_provision : NULL;
    case AFU_CMD_DEBUG:
        *time = a->params.debug;
        return sim_capable(a, AFU_IFV_AFU_DEBUG) ? sim_debug : NULL;
    default:
        return NULL;
    }
}

void sim_afu_command(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint64_t time = 0;
    sim_event_fn *work = work_of(c, &time);

    sim_record(a, SIM_EVENT_AFU_CMD, c->slot, c->rq.cdb[0], afu_sync_cdb_mode(c->rq.cdb));
    if (a->internal) {
        sim_status_afu(c, AFU_RC_SYNC_IN_PROGRESS, 0);
        return;
    }
    if (!work) {
        sim_status_afu(c, AFU_RC_CAP_VIOLATION, afu_ctx_cap_extra(c->ctx->ctx_cap));
        return;
    }
    a->internal = c;
    c->state = SIM_CMD_AFU;
    a->internal_arg = 0;
    a->internal_effect = sim_site(a, SIM_SITE_AFUCMD, &a->internal_arg);
    if (a->internal_effect == SIM_EFFECT_LATE || a->internal_effect == SIM_EFFECT_NEVER)
        sim_timeout_stop(c); /* not seen by the timer of the AFU */
    if (a->internal_effect == SIM_EFFECT_NEVER)
        return; /* the unit hangs until the command is aborted */
    if (a->internal_effect == SIM_EFFECT_LATE)
        time += sim_late(a, a->internal_arg);
    sim_wait(c, time, SIM_RANK_AFU_COMMAND, work);
}

void sim_afu_command_gone(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    if (a->internal != c)
        return;
    a->internal = NULL;
    a->drain_left = 0;
    sim_engine_cancel(a->engine, &a->drain_event);
    for (uint64_t i = 0; i < a->params.cmd_slots; i++)
        a->cmds[i].draining = false;
}

/* ---- task management --------------------------------------------------------------------------
 */

void sim_exchange_end(struct sim_cmd *c, uint8_t fc_rc)
{
    sim_engine_cancel(c->afu->engine, &c->event);
    sim_strict_abandoned(&c->afu->strict, c->slot);
    sim_port_leave_media(c);
    c->status.rc.fc_rc = fc_rc;
    sim_status(c);
}

void sim_lun_abort(struct sim_afu *a, unsigned lun)
{
    for (uint64_t i = 0; i < a->params.cmd_slots; i++) {
        struct sim_cmd *c = &a->cmds[i];
        bool begun = c->state >= SIM_CMD_MEDIA_QUEUE && c->state <= SIM_CMD_DATA;

        if (begun && c->rs.lun == lun)
            sim_exchange_end(c, AFU_FC_RC_TGTABORT);
    }
}

/* Whether the LUN of a task management function can be seen through its port. */
static bool lun_is_there(const struct sim_cmd *c)
{
    const struct sim_scsi *t = &c->afu->scsi;
    unsigned lun = afu_lun_number(c->lun_id);

    return afu_lun_id(lun) == c->lun_id && sim_media_lun(t->media, lun) &&
           t->luns[lun].port_mask >> c->port & 1;
}

/* What the target does not carry out its response says (SL 7.1); ACA is never in force (NACA). */
void sim_task_management(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint64_t function = afu_tmf_cdb_word(c->ctx->order, c->rq.cdb);
    unsigned lun = afu_lun_number(c->lun_id);

    sim_record(a, SIM_EVENT_AFU_CMD, c->slot, function, 0xFF);
    c->ports = (uint8_t)(c->res_hndl & 0xF);
    if (!sim_port_for_task(c))
        return;
    if (!lun_is_there(c) || (function != AFU_TMF_LUN_RESET && function != AFU_TMF_CLEAR_ACA)) {
        c->status.rc.flags |= AFU_RC_FLAG_FCP_RSP_CODE_VALID;
    } else if (function == AFU_TMF_LUN_RESET) {
        sim_lun_abort(a, lun);
        sim_scsi_lun_reset(&a->scsi, lun);
    }
    sim_status(c);
}
