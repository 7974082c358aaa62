/* SPDX-License-Identifier: Apache-2.0 */
/* The platform around the slot (AD section 13, CX section 8, R-39): it freezes the slot, asks the
 * host what to do, resets the slot, and lets the host go on, or gives the adapter up.
 *
 *   frozen -> event FROZEN -> answer NEED_RESET -> slot reset -> event SLOT_RESET
 *     -> answer RECOVERED -> event RESUMED
 *   answer DISCONNECT, a permanent failure or a removal: the slot is dead, and nothing else comes
 *
 * Nothing crosses a slot that is not up: loads give ones, stores, DMA and interrupts are lost. What
 * the host had open there is dead until it is released. */
#include "hal/support/check.h"
#include "sim/afu/sim_wait.h"
#include "sim/sim_bus.h"
#include "sim/sim_control.h"

enum { /* what a freeze may have for an argument */
       STUBBORN_SILENT = 1,
       STUBBORN_FROZEN = 2
};

static void record(struct sim_afu *a, enum sim_platform_what what)
{
    sim_record(a, SIM_EVENT_PLATFORM, 0, what, a->platform.slot);
}

static void wake(struct sim_afu *a) { a->wake(a->wake_arg, sim_bus_platform_key(a)); }

/* ---- what happens to the adapter ---------------------------------------------------------------
 */

/* A reset of the AFU that is under way does not end well. */
static void break_afu_reset(struct sim_afu *a)
{
    a->reset_failed |= a->resetting;
    a->resetting = false;
    sim_engine_cancel(a->engine, &a->reset_event);
}

/* Everything that the host has open is dead. */
static void cut_off(struct sim_afu *a, enum sim_slot slot)
{
    if (a->platform.slot == SIM_SLOT_UP) {
        for (unsigned i = 0; i < SIM_CONTEXTS_MAX; i++)
            if (a->ctx[i])
                sim_context_kill(a->ctx[i]);
        break_afu_reset(a);
        if (sim_watched_by(a))
            sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_CUT_OFF});
    }
    a->platform.slot = slot;
}

/* ---- what the host is told ---------------------------------------------------------------------
 */

static void told(struct sim_event *ev)
{
    struct sim_afu *a = HAL_CONTAINER_OF(ev, struct sim_afu, platform.due);

    a->platform.event = a->platform.next;
    wake(a);
}

static void tell(struct sim_afu *a, enum sim_bus_platform_event what)
{
    struct sim_platform *p = &a->platform;

    p->step = SIM_PLATFORM_TELLS;
    p->next = (uint8_t)what;
    sim_engine_at(a->engine, &p->due, a->engine->now + a->params.platform_detect, SIM_RANK_CONTEXT,
                  told);
    wake(a); /* whoever waits for it now waits for a time */
}

static void slot_is_reset(struct sim_event *ev)
{
    struct sim_afu *a = HAL_CONTAINER_OF(ev, struct sim_afu, platform.due);
    struct sim_platform *p = &a->platform;

    if (p->stubborn != STUBBORN_FROZEN)
        p->slot = SIM_SLOT_UP;
    p->stubborn = 0;
    p->again = false;
    sim_wait_forget(a); /* the bus is reset with the slot, whatever was on it */
    sim_strict_forget(&a->strict);
    sim_bus_changes(a);
    sim_afu_restart(a);
    record(a, SIM_PLATFORM_SLOT_RESET);
    p->step = SIM_PLATFORM_TELLS;
    p->event = SIM_BUS_PLATFORM_SLOT_RESET;
    wake(a);
}

/* ---- what goes wrong ---------------------------------------------------------------------------
 */

/* During a recovery it is told when that is over; the reset of the slot takes it away. */
static void freeze(struct sim_afu *a, uint64_t how)
{
    struct sim_platform *p = &a->platform;

    if (p->slot != SIM_SLOT_UP)
        return;
    cut_off(a, SIM_SLOT_FROZEN);
    p->stubborn = (uint8_t)how;
    record(a, SIM_PLATFORM_FREEZE);
    if (p->step == SIM_PLATFORM_CALM)
        tell(a, SIM_BUS_PLATFORM_FROZEN);
    else
        p->again = true;
}

static void die(struct sim_afu *a, enum sim_platform_what what, enum sim_bus_platform_event event)
{
    struct sim_platform *p = &a->platform;

    if (p->slot == SIM_SLOT_DEAD)
        return;
    cut_off(a, SIM_SLOT_DEAD);
    record(a, what);
    sim_engine_cancel(a->engine, &p->due);
    p->event = SIM_BUS_PLATFORM_NONE;
    tell(a, event);
}

static void other(struct sim_afu *a)
{
    if (a->platform.step != SIM_PLATFORM_CALM)
        return;
    record(a, SIM_PLATFORM_OTHER);
    tell(a, SIM_BUS_PLATFORM_OTHER);
}

void sim_afu_platform(struct sim_afu *a, enum sim_effect effect, uint64_t arg)
{
    switch (effect) {
    case SIM_EFFECT_FREEZE:
        freeze(a, arg);
        break;
    case SIM_EFFECT_PERMANENT:
        die(a, SIM_PLATFORM_PERMANENT, SIM_BUS_PLATFORM_PERMANENT_FAILURE);
        break;
    case SIM_EFFECT_REMOVE:
        die(a, SIM_PLATFORM_REMOVE, SIM_BUS_PLATFORM_REMOVED);
        break;
    case SIM_EFFECT_OTHER:
        other(a);
        break;
    default:
        CHECK(effect == SIM_EFFECT_NONE);
        break;
    }
}

static void planned(struct sim_event *ev)
{
    struct sim_platform_plan *plan = HAL_CONTAINER_OF(ev, struct sim_platform_plan, event);

    sim_afu_platform(plan->afu, plan->effect, plan->arg);
}

void sim_afu_platform_at(struct sim_afu *a, enum sim_effect effect, uint64_t arg, uint64_t cycle)
{
    struct sim_platform_plan *plan = a->platform.plan;

    while (sim_event_pending(&plan->event))
        CHECK(++plan < a->platform.plan + SIM_PLATFORM_PLANS);
    plan->afu = a;
    plan->effect = effect;
    plan->arg = arg;
    sim_engine_at(a->engine, &plan->event, cycle, SIM_RANK_CONTEXT, planned);
}

/* ---- the face of the bus -----------------------------------------------------------------------
 */

uint64_t sim_bus_platform_key(const struct sim_afu *a)
{
    return ((uint64_t)a->number << 16 | UINT16_MAX) + 1; /* beside those of contexts */
}

enum sim_bus_platform_event sim_bus_platform_next(const struct sim_afu *a)
{
    return (enum sim_bus_platform_event)a->platform.event;
}

bool sim_bus_platform_calm(const struct sim_afu *a) { return !sim_event_pending(&a->platform.due); }

enum sim_bus_platform_event sim_bus_platform_event(struct sim_afu *a)
{
    struct sim_platform *p = &a->platform;
    enum sim_bus_platform_event event = (enum sim_bus_platform_event)p->event;

    p->event = SIM_BUS_PLATFORM_NONE;
    switch (event) {
    case SIM_BUS_PLATFORM_NONE:
        break;
    case SIM_BUS_PLATFORM_RESUMED:
        p->step = SIM_PLATFORM_CALM;
        if (p->again) {
            p->again = false;
            tell(a, SIM_BUS_PLATFORM_FROZEN);
        }
        break;
    case SIM_BUS_PLATFORM_PERMANENT_FAILURE:
    case SIM_BUS_PLATFORM_REMOVED:
        p->step = SIM_PLATFORM_GONE;
        break;
    default:
        p->step = SIM_PLATFORM_ASKS;
        break;
    }
    return event;
}

static void reset_slot(struct sim_afu *a)
{
    struct sim_platform *p = &a->platform;

    cut_off(a, SIM_SLOT_FROZEN);
    record(a, SIM_PLATFORM_SLOT_RESETS);
    p->step = SIM_PLATFORM_RESETS;
    if (p->stubborn != STUBBORN_SILENT)
        sim_engine_at(a->engine, &p->due, a->engine->now + a->params.platform_slot_reset,
                      SIM_RANK_CONTEXT, slot_is_reset);
    wake(a);
}

/* What is answered to a question that is out of date has no effect. */
void sim_bus_platform_answer(struct sim_afu *a, enum sim_bus_platform_answer answer)
{
    if (a->platform.step != SIM_PLATFORM_ASKS)
        return;
    switch (answer) {
    case SIM_BUS_PLATFORM_NEED_RESET:
        reset_slot(a);
        break;
    case SIM_BUS_PLATFORM_RECOVERED:
        record(a, SIM_PLATFORM_RECOVERED);
        tell(a, SIM_BUS_PLATFORM_RESUMED);
        break;
    case SIM_BUS_PLATFORM_DISCONNECT:
        die(a, SIM_PLATFORM_DISCONNECT, SIM_BUS_PLATFORM_PERMANENT_FAILURE);
        break;
    }
}
