/* SPDX-License-Identifier: Apache-2.0 */
/* The link machine of an FC port (SL 17.1): online, going down, offline, going up (link and login).
 * Every step raises its asynchronous event; a shutdown stops the port until the next AFU reset. */
#include "sim/sim_afu.h"

static void set_link(struct sim_port *p, enum sim_link_state state)
{
    p->link = (uint8_t)state;
    sim_record(p->afu, SIM_EVENT_LINK, p->number, state, 0);
}

static void event(struct sim_port *p, unsigned what)
{
    sim_aintr_status(p->afu, AFU_AINTR(p->number, what));
}

static void went_down(struct sim_event *ev)
{
    struct sim_port *p = HAL_CONTAINER_OF(ev, struct sim_port, link_event);

    set_link(p, SIM_LINK_OFFLINE);
    event(p, AFU_AINTR_LINK_DN);
}

static void came_up(struct sim_event *ev)
{
    struct sim_port *p = HAL_CONTAINER_OF(ev, struct sim_port, link_event);
    uint64_t arg = 0;

    switch (sim_site(p->afu, SIM_SITE_PLINK, &arg)) {
    case SIM_EFFECT_NEVER:
        return;
    case SIM_EFFECT_ERROR:
        p->error |= arg ? arg : 1;
        event(p, AFU_AINTR_LOGI_F);
        return;
    default:
        break;
    }
    set_link(p, SIM_LINK_ONLINE);
    event(p, AFU_AINTR_LINK_UP);
    event(p, AFU_AINTR_LOGI_S);
}

void sim_link_offline(struct sim_port *p)
{
    struct sim_engine *e = p->afu->engine;

    if (p->link == SIM_LINK_OFFLINE || p->link == SIM_LINK_GOING_DOWN)
        return;
    sim_engine_cancel(e, &p->link_event);
    set_link(p, SIM_LINK_GOING_DOWN);
    sim_engine_at(e, &p->link_event, e->now + p->afu->params.link_loss, SIM_RANK_LINK, went_down);
}

void sim_link_online(struct sim_port *p)
{
    struct sim_engine *e = p->afu->engine;

    if (p->link == SIM_LINK_ONLINE || p->link == SIM_LINK_GOING_UP)
        return;
    sim_engine_cancel(e, &p->link_event);
    set_link(p, SIM_LINK_GOING_UP);
    sim_engine_at(e, &p->link_event, e->now + p->afu->params.login, SIM_RANK_LINK, came_up);
}

static void shut_down(struct sim_event *ev)
{
    struct sim_port *p = HAL_CONTAINER_OF(ev, struct sim_port, shutdown_event);

    p->shutdown_active = false;
    p->shutdown_complete = true;
}

void sim_port_shutdown(struct sim_port *p)
{
    struct sim_engine *e = p->afu->engine;

    if (p->shutdown_active || p->shutdown_complete)
        return;
    p->shutdown_active = true;
    sim_engine_at(e, &p->shutdown_event, e->now + p->afu->params.shutdown, SIM_RANK_LINK,
                  shut_down);
}

/* Registers to their reset values; link state and WWPN stay (MD-17). */
void sim_port_reset(struct sim_port *p, struct sim_afu *a, unsigned number)
{
    p->afu = a;
    p->number = (uint8_t)number;
    p->config = AFU_FC_CMDCONFIG_ON_LINE | 3; /* low byte of a working port: 0x23 (SL 5.3) */
    p->config2 = p->error = p->errcap = p->crc_count = p->crc_total = p->crc_thresh = 0;
    p->errmsk = UINT32_MAX;
    p->shutdown_active = p->shutdown_complete = false;
    sim_engine_cancel(a->engine, &p->shutdown_event);
    for (unsigned i = 0; i < SIM_LUN_TABLE_WORDS; i++)
        p->lun_table[i] = 0;
}
