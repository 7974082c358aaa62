/* SPDX-License-Identifier: Apache-2.0 */
/* The link machine of an FC port (SL 17.1): offline, link coming up, fabric login (FLOGI), login at
 * the target (PLOGI), online; and back. Every step raises its asynchronous event (SL 16). A login
 * that gets no answer times out and starts again; one that is refused stays refused until the link
 * is reset. A shutdown stops the port until the next AFU reset (SL 17.5). */
#include "sim/afu/sim_afu.h"

static void login(struct sim_port *p, enum sim_effect effect, uint64_t arg, bool link_came_up);

static void end_exchanges(struct sim_port *p, uint8_t fc_rc)
{
    struct sim_afu *a = p->afu;

    for (uint64_t i = 0; i < a->params.cmd_slots; i++)
        if (sim_cmd_at_port(&a->cmds[i]) && a->cmds[i].port == p->number)
            sim_exchange_end(&a->cmds[i], fc_rc);
}

/* What is still in flight when the link is down, or the port online again, has been lost with the
 * link or the login that it began with (SL 17.2). */
static void end_old_exchanges(struct sim_port *p)
{
    if (!p->afu->internal_mode)
        end_exchanges(p, p->fell ? AFU_FC_RC_LINKDOWN : AFU_FC_RC_NOLOGI);
    p->fell = false;
}

static void set_link(struct sim_port *p, enum sim_link_state state)
{
    if (state == SIM_LINK_ONLINE || state == SIM_LINK_OFFLINE)
        end_old_exchanges(p);
    sim_echo_settle(p);
    p->link = (uint8_t)state;
    sim_links_settle(p->afu);
    sim_record(p->afu, SIM_EVENT_LINK, p->number, state, 0);
}

static void event(struct sim_port *p, unsigned what)
{
    sim_aintr_status(p->afu, AFU_AINTR(p->number, what));
}

static void step_in(struct sim_port *p, uint64_t cycles, sim_event_fn *fn)
{
    struct sim_engine *e = p->afu->engine;

    sim_engine_at(e, &p->link_event, e->now + cycles, SIM_RANK_LINK, fn);
}

static struct sim_port *port_of(struct sim_event *ev)
{
    return HAL_CONTAINER_OF(ev, struct sim_port, link_event);
}

void sim_links_settle(struct sim_afu *a)
{
    a->links_quiet = 0;
    for (unsigned n = 0; n < a->params.ports && !a->internal_mode; n++) {
        const struct sim_port *p = &a->port[n];

        if (p->link == SIM_LINK_ONLINE && !p->shutdown_active && !p->shutdown_complete)
            a->links_quiet |= (uint8_t)HAL_BIT(n);
    }
}

bool sim_link_is_up(const struct sim_port *p)
{
    return p->link == SIM_LINK_ONLINE || p->link >= SIM_LINK_FLOGI;
}

bool sim_link_usable(const struct sim_port *p)
{
    if (p->shutdown_active || p->shutdown_complete)
        return false;
    if (p->afu->internal_mode)
        return p->number == 0 && sim_internal_ready(p->afu);
    return p->link == SIM_LINK_ONLINE;
}

/* A normal shutdown lets what is in flight finish, as long as it lasts (SL 17.5). */
uint8_t sim_link_lost(const struct sim_port *p)
{
    if (p->shutdown_complete || p->shutdown_abrupt)
        return AFU_FC_RC_SHUTDOWN;
    if (p->link == SIM_LINK_ONLINE || p->afu->internal_mode)
        return 0;
    return sim_link_is_up(p) ? AFU_FC_RC_NOLOGI : AFU_FC_RC_LINKDOWN;
}

/* ---- login ------------------------------------------------------------------------------------
 */

/* Asks what goes wrong with an attempt to log in; a link that is going to flap logs in first. */
static enum sim_effect ask(struct sim_port *p, uint64_t *arg)
{
    enum sim_effect effect = sim_site(p->afu, SIM_SITE_PLINK, arg);

    if (effect != SIM_EFFECT_FLAP)
        return effect;
    p->flaps += *arg ? (uint32_t)*arg : 1;
    return SIM_EFFECT_NONE;
}

static void logged_in(struct sim_port *p)
{
    if (p->link != SIM_LINK_ONLINE)
        set_link(p, SIM_LINK_ONLINE);
    event(p, AFU_AINTR_LOGI_S);
    if (p->afu->params.ua_on_login)
        sim_scsi_login(&p->afu->scsi, p->number);
    if (!p->flaps)
        return;
    p->flaps--;
    p->comes_back = true;
    sim_link_offline(p);
}

static void plogi_done(struct sim_event *ev)
{
    struct sim_port *p = port_of(ev);

    sim_frame_login_reply(p);
    logged_in(p);
}

static void flogi_done(struct sim_event *ev)
{
    struct sim_port *p = port_of(ev);

    sim_frame_login_reply(p);
    sim_frame_login(p);
    set_link(p, SIM_LINK_PLOGI);
    step_in(p, p->afu->params.plogi, plogi_done);
}

static void timed_out(struct sim_event *ev)
{
    struct sim_port *p = port_of(ev);
    uint64_t arg = 0;
    enum sim_effect effect = ask(p, &arg);

    p->reg[SIM_FC_CNT_TIMEOUT]++;
    event(p, AFU_AINTR_LOGI_R);
    login(p, effect, arg, false);
}

/* On a FlashGT a failed login has a bit of its own (SL 5.3). */
static void refused(struct sim_port *p, uint64_t cause)
{
    sim_frame_login_reply(p);
    set_link(p, SIM_LINK_LOGGED_OUT);
    sim_port_error(p, (cause ? cause & AFU_FC_ERROR_LOGIN_MASK : 1) |
                          (p->afu->params.card == 0x0600 ? AFU_FC_ERROR_GT_LOGIN : 0));
}

/* One attempt. A login that takes no time and meets no fault is no state of its own. */
static void login(struct sim_port *p, enum sim_effect effect, uint64_t arg, bool link_came_up)
{
    const struct sim_params *params = &p->afu->params;
    bool silent = effect == SIM_EFFECT_NEVER || effect == SIM_EFFECT_DROP;
    uint64_t late = effect == SIM_EFFECT_LATE && !link_came_up ? sim_late(p->afu, arg) : 0;
    bool at_once =
        !silent && effect != SIM_EFFECT_ERROR && !late && !params->flogi && !params->plogi;

    set_link(p, at_once ? SIM_LINK_ONLINE : SIM_LINK_FLOGI);
    if (link_came_up)
        event(p, AFU_AINTR_LINK_UP);
    sim_frame_login(p);
    if (effect == SIM_EFFECT_ERROR) {
        refused(p, arg);
    } else if (silent) {
        if (!(p->reg[SIM_FC_CONFIG] & AFU_FC_CONFIG_NO_TIMEOUTS))
            step_in(p, params->login_timeout, timed_out);
    } else if (at_once) {
        sim_frame_login_reply(p);
        sim_frame_login(p);
        sim_frame_login_reply(p);
        logged_in(p);
    } else {
        step_in(p, params->flogi + late, flogi_done);
    }
}

static void login_again(struct sim_event *ev)
{
    struct sim_port *p = port_of(ev);
    uint64_t arg = 0;
    enum sim_effect effect = ask(p, &arg);

    login(p, effect, arg, false);
}

void sim_link_configured(struct sim_port *p)
{
    bool wanted = p->reg[SIM_FC_CONFIG] & AFU_FC_CONFIG_AUTO_LOGIN;

    if (wanted && p->waits_for_config)
        login_again(&p->link_event);
    if (wanted)
        p->waits_for_config = false;
}

void sim_link_logout(struct sim_port *p, uint64_t again)
{
    if (p->link != SIM_LINK_ONLINE)
        return;
    set_link(p, SIM_LINK_LOGGED_OUT);
    event(p, AFU_AINTR_LOGO);
    if (again && p->reg[SIM_FC_CONFIG] & AFU_FC_CONFIG_AUTO_LOGIN)
        step_in(p, again, login_again);
}

/* ---- up and down ------------------------------------------------------------------------------
 */

static void link_up(struct sim_port *p, enum sim_effect effect, uint64_t arg)
{
    p->user_reset = false;
    if (p->reg[SIM_FC_CONFIG] & AFU_FC_CONFIG_AUTO_LOGIN) {
        login(p, effect, arg, true);
        return;
    }
    p->waits_for_config = true;
    set_link(p, SIM_LINK_LOGGED_OUT);
    event(p, AFU_AINTR_LINK_UP);
}

static void came_up_late(struct sim_event *ev) { link_up(port_of(ev), SIM_EFFECT_NONE, 0); }

/* Asked once for the link and the first attempt to log in: d no light, l late, n no answer to the
 * login, x login refused, b so many times down and up again. */
static void came_up(struct sim_event *ev)
{
    struct sim_port *p = port_of(ev);
    uint64_t arg = 0;
    enum sim_effect effect = ask(p, &arg);

    switch (effect) {
    case SIM_EFFECT_DROP:
        break;
    case SIM_EFFECT_LATE:
        step_in(p, sim_late(p->afu, arg), came_up_late);
        break;
    default:
        link_up(p, effect, arg);
        break;
    }
}

static void went_down(struct sim_event *ev)
{
    struct sim_port *p = port_of(ev);

    set_link(p, SIM_LINK_OFFLINE);
    sim_frame_link_lost(p);
    p->lasting_errors = 0;
    event(p, AFU_AINTR_LINK_DN);
    if (p->comes_back) {
        p->comes_back = false;
        sim_link_online(p);
    }
}

void sim_link_offline(struct sim_port *p)
{
    if (p->link == SIM_LINK_OFFLINE || p->link == SIM_LINK_GOING_DOWN)
        return;
    sim_engine_cancel(p->afu->engine, &p->link_event);
    p->waits_for_config = false;
    p->fell = true;
    set_link(p, SIM_LINK_GOING_DOWN);
    step_in(p, p->afu->params.link_loss, went_down);
}

void sim_link_online(struct sim_port *p)
{
    if (p->link == SIM_LINK_GOING_UP || sim_link_is_up(p))
        return;
    sim_engine_cancel(p->afu->engine, &p->link_event);
    set_link(p, SIM_LINK_GOING_UP);
    step_in(p, p->afu->params.login, came_up);
}

void sim_link_reset(struct sim_port *p, bool comes_back)
{
    p->user_reset = true;
    sim_frame_port_reset(p);
    p->comes_back = comes_back;
    sim_link_offline(p);
    if (comes_back && p->link == SIM_LINK_OFFLINE) {
        p->comes_back = false;
        sim_link_online(p);
    }
}

/* ---- shutdown ---------------------------------------------------------------------------------
 */

/* Nothing is left in flight: what a normal shutdown has not seen the end of by now ends as in an
 * abrupt one. */
static void shut_down(struct sim_event *ev)
{
    struct sim_port *p = HAL_CONTAINER_OF(ev, struct sim_port, shutdown_event);

    p->shutdown_active = false;
    p->shutdown_complete = true;
    sim_links_settle(p->afu);
    end_exchanges(p, AFU_FC_RC_SHUTDOWN);
}

void sim_port_shutdown(struct sim_port *p, bool abrupt)
{
    struct sim_engine *e = p->afu->engine;

    if (p->shutdown_complete)
        return;
    p->shutdown_abrupt = p->shutdown_abrupt || abrupt;
    if (p->shutdown_active)
        return;
    p->shutdown_active = true;
    sim_links_settle(p->afu);
    sim_engine_at(e, &p->shutdown_event, e->now + p->afu->params.shutdown, SIM_RANK_LINK,
                  shut_down);
}
