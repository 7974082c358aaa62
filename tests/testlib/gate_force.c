/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/gate_force.h"

void gate_force(struct spipe__gate *g, enum spipe_state state)
{
    exec_mutex_lock(g->exec, &g->lock);
    g->state = state;
    g->taken = state == SPIPE_STATE_RESET || state == SPIPE_STATE_PROBING;
    exec_cond_broadcast(g->exec, &g->changed);
    exec_mutex_unlock(g->exec, &g->lock);
}
