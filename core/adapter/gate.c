/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/gate.h"

#include <errno.h>

#include "core/adapter/lock_rank.h"
#include "hal/support/check.h"

void spipe__gate_init(struct spipe__gate *g, struct exec *exec)
{
    *g = (struct spipe__gate){.exec = exec, .state = SPIPE_STATE_PROBING, .taken = true};
    exec_mutex_init_ranked(exec, &g->lock, "adapter gate", SPIPE__RANK_GATE);
    exec_cond_init(exec, &g->changed, "adapter state");
}

void spipe__gate_fini(struct spipe__gate *g)
{
    CHECK(!g->inside && !g->closed);
    exec_cond_fini(g->exec, &g->changed);
    exec_mutex_fini(g->exec, &g->lock);
}

/* ---- with the lock held ---- */

static void wait(struct spipe__gate *g)
{
    int rc = exec_cond_wait(g->exec, &g->changed, &g->lock, EXEC_FOREVER, false);

    CHECK(rc == 0);
}

static void go_in(struct spipe__gate *g)
{
    while (g->closed)
        wait(g);
    g->inside++;
}

static void go_out(struct spipe__gate *g)
{
    CHECK(g->inside > 0);
    if (--g->inside == 0 && g->closed)
        exec_cond_broadcast(g->exec, &g->changed);
}

/* Requests wait for an adapter that is on its way up. */
static bool is_on_its_way(const struct spipe__gate *g)
{
    return g->state != SPIPE_STATE_NORMAL && g->state != SPIPE_STATE_FAILED;
}

/* SP-17: inside before and after. */
static int pass(struct spipe__gate *g, enum spipe__admission admission)
{
    int rc = 0;

    if (admission == SPIPE__ADMIT_ALWAYS)
        return 0;
    while (is_on_its_way(g) && !rc) {
        go_out(g);
        rc = exec_cond_wait(g->exec, &g->changed, &g->lock, EXEC_FOREVER, true);
        go_in(g);
    }
    if (!rc && g->state == SPIPE_STATE_FAILED && admission != SPIPE__ADMIT_CLEANUP)
        rc = -ENODEV;
    return rc;
}

/* ---- what others call ---- */

int spipe__gate_enter(struct spipe__gate *g, enum spipe__admission admission)
{
    int rc;

    CHECK(!exec_holds_ranked(g->exec));
    exec_mutex_lock(g->exec, &g->lock);
    go_in(g);
    rc = pass(g, admission);
    if (rc)
        go_out(g);
    exec_mutex_unlock(g->exec, &g->lock);
    return rc;
}

int spipe__gate_pass(struct spipe__gate *g, enum spipe__admission admission)
{
    int rc;

    CHECK(!exec_holds_ranked(g->exec));
    exec_mutex_lock(g->exec, &g->lock);
    rc = pass(g, admission);
    exec_mutex_unlock(g->exec, &g->lock);
    return rc;
}

void spipe__gate_leave(struct spipe__gate *g)
{
    exec_mutex_lock(g->exec, &g->lock);
    go_out(g);
    exec_mutex_unlock(g->exec, &g->lock);
}

void spipe__gate_close(struct spipe__gate *g)
{
    CHECK(!exec_holds_ranked(g->exec));
    exec_mutex_lock(g->exec, &g->lock);
    while (g->closed)
        wait(g);
    g->closed = true;
    while (g->inside > 0)
        wait(g);
    exec_mutex_unlock(g->exec, &g->lock);
}

void spipe__gate_open(struct spipe__gate *g)
{
    exec_mutex_lock(g->exec, &g->lock);
    CHECK(g->closed);
    g->closed = false;
    exec_cond_broadcast(g->exec, &g->changed);
    exec_mutex_unlock(g->exec, &g->lock);
}

enum spipe_state spipe__gate_state(struct spipe__gate *g)
{
    enum spipe_state state;

    exec_mutex_lock(g->exec, &g->lock);
    state = g->state;
    exec_mutex_unlock(g->exec, &g->lock);
    return state;
}

/* ---- changes ---- */

/* With the lock held, as all of these. */
static bool change(struct spipe__gate *g, enum spipe_trigger trigger)
{
    const struct spipe_state_row *row = spipe_state_row(g->state, trigger);

    if (!row)
        return false;
    g->state = row->to;
    if (row->wakes)
        exec_cond_broadcast(g->exec, &g->changed);
    return true;
}

static void take(struct spipe__gate *g)
{
    CHECK(!g->taken);
    g->taken = true;
}

/* Who waits for the hardware waits for this. */
static void give(struct spipe__gate *g)
{
    CHECK(g->taken);
    g->taken = false;
    exec_cond_broadcast(g->exec, &g->changed);
}

static bool is_settled(const struct spipe__gate *g)
{
    return !g->taken && g->state != SPIPE_STATE_RESET && g->state != SPIPE_STATE_PROBING;
}

static bool begin(struct spipe__gate *g, enum spipe_trigger trigger)
{
    if (g->taken || !change(g, trigger))
        return false;
    take(g);
    return true;
}

bool spipe__gate_begin(struct spipe__gate *g, enum spipe_trigger trigger)
{
    bool begun;

    exec_mutex_lock(g->exec, &g->lock);
    begun = begin(g, trigger);
    exec_mutex_unlock(g->exec, &g->lock);
    return begun;
}

bool spipe__gate_begin_frozen(struct spipe__gate *g)
{
    bool begun;

    exec_mutex_lock(g->exec, &g->lock);
    g->frozen = true;
    while (!is_settled(g))
        wait(g);
    g->frozen = false;
    begun = begin(g, SPIPE_ON_FROZEN);
    exec_mutex_unlock(g->exec, &g->lock);
    return begun;
}

void spipe__gate_fail(struct spipe__gate *g, enum spipe_trigger trigger, bool mine)
{
    exec_mutex_lock(g->exec, &g->lock);
    (void)change(g, trigger); /* it may have failed already */
    CHECK(g->state == SPIPE_STATE_FAILED);
    while (g->taken && !mine)
        wait(g);
    g->taken = true;
    exec_mutex_unlock(g->exec, &g->lock);
}

enum spipe_state spipe__gate_end(struct spipe__gate *g, enum spipe_trigger trigger)
{
    enum spipe_state state;
    bool changed;

    exec_mutex_lock(g->exec, &g->lock);
    changed = change(g, trigger);
    CHECK(changed || g->state == SPIPE_STATE_FAILED);
    give(g);
    state = g->state;
    exec_mutex_unlock(g->exec, &g->lock);
    return state;
}

void spipe__gate_end_failed(struct spipe__gate *g)
{
    exec_mutex_lock(g->exec, &g->lock);
    CHECK(g->state == SPIPE_STATE_FAILED);
    give(g);
    exec_mutex_unlock(g->exec, &g->lock);
}

bool spipe__gate_end_probe(struct spipe__gate *g, bool good)
{
    bool frozen, changed;

    exec_mutex_lock(g->exec, &g->lock);
    frozen = g->frozen;
    changed = change(g, frozen ? SPIPE_ON_PROBED_FROZEN
                        : good ? SPIPE_ON_PROBED
                               : SPIPE_ON_PROBE_FAILED);
    CHECK(changed || g->state == SPIPE_STATE_FAILED);
    give(g);
    exec_mutex_unlock(g->exec, &g->lock);
    return good || frozen;
}

/* ---- waiting for a state ---- */

enum spipe_state spipe__gate_settle(struct spipe__gate *g)
{
    enum spipe_state state;

    exec_mutex_lock(g->exec, &g->lock);
    while (!is_settled(g))
        wait(g);
    state = g->state;
    exec_mutex_unlock(g->exec, &g->lock);
    return state;
}

enum spipe_state spipe__gate_await(struct spipe__gate *g)
{
    enum spipe_state state;

    exec_mutex_lock(g->exec, &g->lock);
    while (g->taken || is_on_its_way(g))
        wait(g);
    state = g->state;
    exec_mutex_unlock(g->exec, &g->lock);
    return state;
}
