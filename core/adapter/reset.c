/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/reset.h"

#include <errno.h>

#include "core/adapter/event.h"
#include "core/adapter/pause.h"
#include "core/adapter/shutdown.h"
#include "core/adapter/silence.h"
#include "core/adapter/verb.h"
#include "core/context/adapter_file.h"
#include "core/context/context.h"
#include "core/lun/lun_mode.h"
#include "core/vlun/quarantine.h"
#include "hal/support/check.h"

#define SETTLE_PAUSE SPIPE__SECOND /* AD-132 */

/* AD-160. No request is under way, so no lock is waited for long. */
static void lose_contexts(struct spipe *s)
{
    for (struct spipe_ctx *ctx = NULL; (ctx = spipe__ctx_next(s, ctx)) != NULL;) {
        if (spipe__ctx_resume(ctx) && !ctx->errored)
            spipe__ctx_lose(ctx);
        spipe__ctx_pause(ctx);
    }
    spipe__file_lose_all(s);
}

void spipe__reset_announce(struct spipe *s, enum spipe_state state)
{
    hal_note(s->dev, HAL_NOTE_STATE, SPIPE__MACHINE_ADAPTER, state);
    spipe__event_state(s, state);
}

/* Nothing that is quarantined can be reached any more (vlun.md 15.1). */
void spipe__reset_free(struct spipe *s)
{
    for (unsigned i = 0; i < SPIPE__LUNS_MAX; i++)
        if (spipe__lun_holds(s, i))
            (void)spipe__quarantine_retry_lun(s, &s->lun[i]);
}

void spipe__reset_drain(struct spipe *s)
{
    spipe__gate_close(&s->gate);
    lose_contexts(s);
    spipe__gate_open(&s->gate);
}

/* ---- down and up ---- */

static enum spipe_trigger restart(struct spipe *s)
{
    spipe__take_down(s);
    if (spipe__bring_up(s, (struct spipe__why){0}))
        return SPIPE_ON_RESET_FAILED;
    spipe__reset_free(s);
    return SPIPE_ON_RESET_DONE;
}

/* The adapter may have failed for good meanwhile (AD-141). */
static int finish(struct spipe *s, enum spipe_trigger trigger, int rc)
{
    enum spipe_state state = spipe_state_row(SPIPE_STATE_RESET, trigger)->to;

    if (state == SPIPE_STATE_FAILED)
        rc = -EIO;
    spipe__event(s, RESET_END, spipe__result(rc));
    spipe__reset_announce(s, state);
    hal_note(s->dev, HAL_NOTE_REQUEST_END, SPIPE__VERB_RESET, (uint64_t)(int64_t)rc);
    if (spipe__gate_end(&s->gate, trigger) == SPIPE_STATE_FAILED)
        rc = -EIO;
    spipe__worker_look(s);
    return rc;
}

bool spipe__reset_begin(struct spipe *s, enum spipe_trigger trigger)
{
    spipe__await_platform(s);
    return spipe__gate_begin(&s->gate, trigger);
}

static void announce_begin(struct spipe *s)
{
    hal_note(s->dev, HAL_NOTE_REQUEST_BEGIN, SPIPE__VERB_RESET, SPIPE__NO_CONTEXT);
    spipe__reset_announce(s, SPIPE_STATE_RESET);
    spipe__event(s, RESET_BEGIN, 0);
}

void spipe__reset_run(struct spipe *s)
{
    int rc;

    announce_begin(s);
    spipe__reset_drain(s);
    rc = finish(s, restart(s), 0);
    (void)rc; /* the state tells */
}

/* ---- with a change in between ---- */

/* In state RESET a request goes without its AFU syncs, because the AFU is about to forget
 * everything (SP-162). As long as that is not certain, no request may be under way. */
bool spipe__reset_begin_closed(struct spipe *s)
{
    bool begun;

    spipe__await_platform(s);
    spipe__gate_close(&s->gate);
    begun = spipe__gate_begin(&s->gate, SPIPE_ON_CONFIGURATION);
    if (!begun)
        spipe__gate_open(&s->gate);
    return begun;
}

int spipe__reset_with(struct spipe *s, spipe__reset_prepare *prepare, void *arg)
{
    int rc;

    announce_begin(s);
    rc = prepare(s, arg);
    if (rc) {
        rc = finish(s, SPIPE_ON_RESET_CALLED_OFF, rc);
        spipe__gate_open(&s->gate);
        return rc;
    }
    lose_contexts(s);
    spipe__gate_open(&s->gate);
    return finish(s, restart(s), 0);
}

/* AD-132, AD-133: whoever resets looks again after a second, in which another reset may have begun.
 */
int spipe_reset(struct spipe *s)
{
    if (spipe__reset_begin(s, SPIPE_ON_HOST_RESET)) {
        spipe__reset_run(s);
        spipe__pause(s->exec, SETTLE_PAUSE);
    }
    spipe__request_over(s);
    return spipe__gate_await(&s->gate) == SPIPE_STATE_NORMAL ? 0 : -EIO;
}

/* ---- down for good ---- */

/* AD-180. With the gate closed: no request is under way, a task management function neither, and
 * none begins before the state tells it not to; I/O of contexts is flushed before they lose the
 * hardware. */
static bool give_up(struct spipe *s)
{
    bool begun;

    spipe__gate_close(&s->gate);
    if (spipe__gate_state(&s->gate) == SPIPE_STATE_NORMAL)
        (void)spipe__shutdown_notify(s); /* who is late is taken down all the same (AD-172) */
    begun = spipe__gate_begin(&s->gate, SPIPE_ON_REMOVE);
    if (begun)
        lose_contexts(s);
    spipe__gate_open(&s->gate);
    return begun;
}

void spipe__retire(struct spipe *s)
{
    while (spipe__gate_settle(&s->gate) != SPIPE_STATE_FAILED) {
        if (!give_up(s))
            continue; /* a reset came between */
        spipe__take_down(s);
        spipe__gate_end_failed(&s->gate);
    }
}
