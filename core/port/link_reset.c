/* SPDX-License-Identifier: Apache-2.0 */
#include "core/port/link_reset.h"

#include <errno.h>

#include "core/adapter/verb.h"
#include "core/port/port_link.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define PORT_SEL (AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL)

/* ---- steps ---- */

static int deselect(struct spipe__link_reset *r)
{
    uint64_t selected = spipe__read(r->s, PORT_SEL);

    if (selected == HAL_ALL_ONES)
        return -ENODEV;
    r->others = selected & ~(uint64_t)AFU_PORT_BIT(r->port);
    spipe__write(r->s, PORT_SEL, r->others);
    return 0;
}

/* VL-69. Before: commands on the port end, so that none is cut off. Afterwards: what the AFU knows
 * of translations is new. */
static int sync_all(struct spipe__link_reset *r)
{
    int rc = spipe__afu_sync(r->s, AFU_SYNC_GSYNC, 0, 0);

    return rc == SPIPE__SYNC_SKIPPED ? 0 : rc;
}

static int go_offline(struct spipe__link_reset *r)
{
    spipe__link_request(r->s, r->port, SPIPE__LINK_OFFLINE);
    return 0;
}

static int wait_offline(struct spipe__link_reset *r)
{
    return spipe__link_wait(r->s, r->port, SPIPE__LINK_OFFLINE) ? 0 : -ETIMEDOUT;
}

static int go_online(struct spipe__link_reset *r)
{
    spipe__link_request(r->s, r->port, SPIPE__LINK_ONLINE);
    return 0;
}

static int wait_online(struct spipe__link_reset *r)
{
    return spipe__link_wait(r->s, r->port, SPIPE__LINK_ONLINE) ? 0 : -ETIMEDOUT;
}

static int select_again(struct spipe__link_reset *r)
{
    spipe__write(r->s, PORT_SEL, r->others | AFU_PORT_BIT(r->port));
    return 0;
}

static int clear_errors(struct spipe__link_reset *r)
{
    if (r->clear)
        spipe__link_clear_errors(r->s, r->port);
    return 0;
}

static const struct spipe__link_step steps[] = {
    {"deselect", "AD-93", deselect},        {"sync without it", "AD-93", sync_all},
    {"go offline", "AD-91", go_offline},    {"wait offline", "AD-92", wait_offline},
    {"go online", "AD-91", go_online},      {"wait online", "AD-92", wait_online},
    {"select", "AD-93", select_again},      {"sync with it", "AD-93", sync_all},
    {"clear errors", "D-20", clear_errors},
};

enum {
    STEPS = HAL_ARRAY_LENGTH(steps),
    GO_ONLINE = 4, /* up to here the port goes offline, from here on it goes online, */
    CLEAR = 8,     /* up to here */
};

const struct spipe__link_step *spipe__link_reset_steps(unsigned *count)
{
    *count = STEPS;
    return steps;
}

/* ---- the machine ---- */

/* Steps [first, end). */
static void run(struct spipe__link_reset *r, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end && r->result != -ENODEV; i++) {
        int rc;

        hal_note(r->s->dev, HAL_NOTE_STATE, SPIPE__MACHINE_LINK, (uint64_t)r->port << 8 | i);
        rc = steps[i].run(r);
        if (rc)
            spipe__event(r->s, LINK_STEP_FAILED, r->port, spipe__text(steps[i].name),
                         spipe__result(rc));
        if (!r->result)
            r->result = rc;
    }
}

static void take_note(struct spipe *s, unsigned port, int result)
{
    struct spipe__port_log *log = &s->port_log[port];

    exec_mutex_lock(s->exec, &s->gate.lock);
    log->resets++;
    log->resets_failed += result != 0;
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

int spipe__link_reset(struct spipe *s, unsigned port, bool clear)
{
    struct spipe__link_reset r = {.s = s, .port = port, .clear = clear};

    CHECK(port < s->ports);
    exec_mutex_lock(s->exec, &s->links);
    spipe__event(s, LINK_RESET_BEGIN, port);
    run(&r, 0, STEPS);
    spipe__event(s, LINK_RESET_END, port, spipe__result(r.result));
    exec_mutex_unlock(s->exec, &s->links);
    take_note(s, port, r.result);
    return r.result;
}

void spipe__link_clear_errors(struct spipe *s, unsigned port)
{
    uint64_t error = spipe__read(s, AFU_PORT_REGS(port) + AFU_FC_ERROR);

    spipe__write(s, AFU_PORT_REGS(port) + AFU_FC_ERROR, error);
    spipe__write(s, AFU_PORT_REGS(port) + AFU_FC_ERRCAP, 0);
    exec_mutex_lock(s->exec, &s->gate.lock);
    s->port_log[port].fc_error = error;
    exec_mutex_unlock(s->exec, &s->gate.lock);
    spipe__event(s, PORT_ERRORS_CLEARED, port, error);
}

/* ---- by hand ---- */

/* What commands may use now. The caller holds `links`. */
static int read_selection(struct spipe__link_reset *r, bool *selected)
{
    uint64_t ports = spipe__read(r->s, PORT_SEL);

    if (ports == HAL_ALL_ONES)
        return -ENODEV;
    *selected = ports & AFU_PORT_BIT(r->port);
    r->others = ports & ~(uint64_t)AFU_PORT_BIT(r->port);
    return 0;
}

/* Nothing happens to a port that is so already. */
static int switch_link(struct spipe *s, unsigned port, enum spipe__link wanted)
{
    struct spipe__link_reset r = {.s = s, .port = port};
    bool online = wanted == SPIPE__LINK_ONLINE, selected;

    exec_mutex_lock(s->exec, &s->links);
    r.result = read_selection(&r, &selected);
    if (!r.result && (selected != online || spipe__link_state(s, port) != wanted))
        run(&r, online ? GO_ONLINE : 0, online ? CLEAR : GO_ONLINE);
    exec_mutex_unlock(s->exec, &s->links);
    return r.result;
}

/* Internal LUNs need no link (SL 19). */
static int check_port(struct spipe *s, unsigned port)
{
    int rc = port < s->ports ? 0 : -EINVAL;

    spipe__books_lock(s);
    if (s->internal_lun)
        rc = -EINVAL;
    spipe__books_unlock(s);
    return rc;
}

static int switch_by_hand(struct spipe *s, unsigned port, enum spipe__link wanted)
{
    int rc = spipe__verb_begin(s, SPIPE__VERB_PORT_SWITCH, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    rc = check_port(s, port);
    if (!rc) {
        rc = switch_link(s, port, wanted);
        if (wanted == SPIPE__LINK_ONLINE)
            spipe__event(s, PORT_ONLINE, port, spipe__result(rc));
        else
            spipe__event(s, PORT_OFFLINE, port, spipe__result(rc));
    }
    return spipe__verb_end(s, SPIPE__VERB_PORT_SWITCH, rc);
}

/* ---- the verbs ---- */

int spipe_port_offline(struct spipe *s, unsigned port)
{
    return switch_by_hand(s, port, SPIPE__LINK_OFFLINE);
}

int spipe_port_online(struct spipe *s, unsigned port)
{
    return switch_by_hand(s, port, SPIPE__LINK_ONLINE);
}

int spipe_port_reset(struct spipe *s, unsigned port)
{
    int rc;

    if (port >= s->ports)
        return -EINVAL;
    rc = spipe__verb_begin(s, SPIPE__VERB_PORT_RESET, SPIPE__ADMIT_NORMAL);
    if (rc)
        return rc;
    return spipe__verb_end(s, SPIPE__VERB_PORT_RESET, spipe__link_reset(s, port, true));
}
