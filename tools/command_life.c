/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command_life.h"

#include <string.h>

static void end_where(struct command_life *l, unsigned adapter, bool all, uint32_t context)
{
    struct command_slot *s = l->slot[adapter];

    for (unsigned i = 0; i < COMMAND_LIFE_SLOTS; i++)
        if (s[i].number && s[i].state == COMMAND_STATE_RUNNING && (all || s[i].context == context))
            s[i].state = COMMAND_STATE_ABORTED;
}

/* Resets and ends of contexts. What a reset aborts runs until the reset is over. */
static void follow_contexts(struct command_life *l, const struct sim_trace_record *r)
{
    if (r->kind == SIM_EVENT_CTX_END || (r->kind == SIM_EVENT_CTX_RESET && !r->a))
        end_where(l, r->adapter, false, r->who);
    else if (r->kind == SIM_EVENT_AFU_RESET && !r->a)
        end_where(l, r->adapter, true, 0);
    else if (r->kind == SIM_EVENT_DOORBELL)
        l->bell[l->bells++ % COMMAND_LIFE_BELLS] = *r;
}

static bool names_slot(unsigned kind)
{
    return kind < SIM_EVENT_COUNT && !strcmp(sim_event_table[kind].who, "slot");
}

uint64_t command_life_follow(struct command_life *l, const struct sim_trace_record *r)
{
    struct command_slot *s;

    if (r->adapter >= SIM_TRACE_ADAPTERS_MAX)
        return 0;
    if (!names_slot(r->kind)) {
        follow_contexts(l, r);
        return 0;
    }
    if (r->who >= COMMAND_LIFE_SLOTS)
        return 0;
    s = &l->slot[r->adapter][r->who];
    if (r->kind == SIM_EVENT_FETCH)
        *s = (struct command_slot){++l->fetched, (uint32_t)r->a, COMMAND_STATE_RUNNING};
    else if (r->kind == SIM_EVENT_RRQ && s->number)
        s->state = COMMAND_STATE_DONE;
    return s->number;
}

enum command_state command_life_state(const struct command_life *l, unsigned adapter, unsigned slot,
                                      uint64_t number)
{
    const struct command_slot *s = &l->slot[adapter][slot];

    return s->number == number ? s->state : COMMAND_STATE_DROPPED;
}

const char *command_state_name(enum command_state state)
{
    static const char *const names[] = {
        [COMMAND_STATE_RUNNING] = "running",
        [COMMAND_STATE_DONE] = "done",
        [COMMAND_STATE_ABORTED] = "aborted",
        [COMMAND_STATE_DROPPED] = "dropped",
    };

    return names[state];
}

const struct sim_trace_record *command_life_bell(const struct command_life *l,
                                                 const struct sim_trace_record *fetch)
{
    for (uint64_t i = l->bells; i-- && l->bells - i <= COMMAND_LIFE_BELLS;) {
        const struct sim_trace_record *b = &l->bell[i % COMMAND_LIFE_BELLS];

        if (b->adapter == fetch->adapter && b->who == fetch->a && b->a == fetch->b)
            return b;
    }
    return NULL;
}

bool command_life_concerns(const struct sim_trace_record *r, unsigned adapter, uint32_t context)
{
    const struct sim_event_info *e = &sim_event_table[r->kind < SIM_EVENT_COUNT ? r->kind : 0];

    if (r->kind >= SIM_EVENT_COUNT || r->adapter != adapter || r->kind == SIM_EVENT_DOORBELL)
        return false;
    switch ((enum sim_event_kind)r->kind) {
    case SIM_EVENT_FAULT:
    case SIM_EVENT_LINK:
    case SIM_EVENT_AFU_RESET:
    case SIM_EVENT_PLATFORM:
    case SIM_EVENT_AINTR_STATUS:
        return true;
    case SIM_EVENT_XLT_DROP:
        return r->who == context || r->who == 0xFFFF;
    default:
        return !strcmp(e->who, "context") && r->who == context;
    }
}
