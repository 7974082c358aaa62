/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/eeh.h"

#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "core/adapter/reset.h"
#include "core/adapter/verb.h"
#include "hal/support/check.h"

#define RESET_WAIT (120 * SPIPE__SECOND) /* the platform's next step */

static void begin_note(struct spipe *s)
{
    hal_note(s->dev, HAL_NOTE_REQUEST_BEGIN, SPIPE__VERB_EEH, SPIPE__NO_CONTEXT);
}

static void end_note(struct spipe *s, int rc)
{
    hal_note(s->dev, HAL_NOTE_REQUEST_END, SPIPE__VERB_EEH, (uint64_t)(int64_t)rc);
}

/* ---- down, up, and on ---- */

/* AD-140. False: the adapter has failed. A slot that freezes again before it was reset finds the
 * AFU down. */
static bool go_down(struct spipe *s)
{
    if (s->eeh.recovering)
        return true;
    if (!spipe__gate_begin_frozen(&s->gate))
        return false;
    begin_note(s);
    spipe__reset_announce(s, SPIPE_STATE_RESET);
    spipe__reset_drain(s);
    spipe__take_down(s);
    s->eeh.recovering = true;
    return true;
}

static enum hal_platform_answer frozen(struct spipe *s)
{
    return go_down(s) ? HAL_PLATFORM_NEED_RESET : HAL_PLATFORM_DISCONNECT;
}

/* AD-143. After an error that did not stop the slot (AD-142) the AFU is still up as far as core
 * knows. */
static enum hal_platform_answer slot_reset(struct spipe *s)
{
    if (!go_down(s) || spipe__bring_up(s, (struct spipe__why){0}))
        return HAL_PLATFORM_DISCONNECT;
    return HAL_PLATFORM_RECOVERED;
}

/* AD-144. */
static void resumed(struct spipe *s)
{
    if (!s->eeh.recovering)
        return;
    s->eeh.recovering = false;
    spipe__reset_free(s);
    spipe__reset_announce(s, SPIPE_STATE_NORMAL);
    end_note(s, 0);
    (void)spipe__gate_end(&s->gate, SPIPE_ON_RESUME);
    spipe__worker_look(s);
}

/* AD-141. First of all nobody waits any more. */
static void failed(struct spipe *s, enum spipe_trigger trigger)
{
    bool mine = s->eeh.recovering;

    spipe__gate_fail(&s->gate, trigger, mine);
    if (!mine)
        begin_note(s);
    spipe__reset_announce(s, SPIPE_STATE_FAILED);
    spipe__reset_drain(s);
    spipe__take_down(s);
    s->eeh.recovering = false;
    end_note(s, -EIO);
    spipe__gate_end_failed(&s->gate);
}

/* ---- events ---- */

/* A platform that says nothing more is as good as an event while it is expected to. */
static void tell(struct spipe *s, enum hal_platform_event event)
{
    static const char *const names[] = {
        [HAL_PLATFORM_NONE] = "silent",
        [HAL_PLATFORM_FROZEN] = "frozen",
        [HAL_PLATFORM_SLOT_RESET] = "slot reset",
        [HAL_PLATFORM_RESUMED] = "resumed",
        [HAL_PLATFORM_OTHER] = "error",
        [HAL_PLATFORM_PERMANENT_FAILURE] = "permanent failure",
        [HAL_PLATFORM_REMOVED] = "removed",
    };

    if (event != HAL_PLATFORM_NONE || s->eeh.recovering)
        spipe__event(s, PLATFORM, spipe__text(names[event]));
}

static void handle(struct spipe *s, enum hal_platform_event event)
{
    tell(s, event);
    switch (event) {
    case HAL_PLATFORM_NONE:
        if (s->eeh.recovering)
            failed(s, SPIPE_ON_SILENCE);
        break;
    case HAL_PLATFORM_FROZEN:
        hal_platform_answer(s->dev, frozen(s));
        break;
    case HAL_PLATFORM_SLOT_RESET:
        hal_platform_answer(s->dev, slot_reset(s));
        break;
    case HAL_PLATFORM_RESUMED:
        resumed(s);
        break;
    case HAL_PLATFORM_OTHER: /* AD-142 */
        hal_platform_answer(s->dev, HAL_PLATFORM_NEED_RESET);
        break;
    case HAL_PLATFORM_PERMANENT_FAILURE:
        failed(s, SPIPE_ON_PERMANENT_FAILURE);
        hal_platform_answer(s->dev, HAL_PLATFORM_DISCONNECT);
        break;
    case HAL_PLATFORM_REMOVED:
        failed(s, SPIPE_ON_PERMANENT_FAILURE);
        break;
    }
}

static bool is_stopping(struct spipe *s) { return __atomic_load_n(&s->eeh.stop, __ATOMIC_ACQUIRE); }

static void body(void *arg)
{
    struct spipe *s = arg;

    handle(s, s->eeh.first);
    spipe__events_deliver(s);
    while (!is_stopping(s)) {
        uint64_t until = s->eeh.recovering ? spipe__deadline(s->exec, RESET_WAIT) : EXEC_FOREVER;
        enum hal_platform_event event;
        int rc = hal_platform_wait(s->dev, until, &event);

        CHECK(rc == 0 || rc == -EINTR);
        if (!rc)
            handle(s, event);
        spipe__events_deliver(s);
    }
}

/* ---- life ---- */

int spipe__eeh_start(struct spipe *s)
{
    int rc = hal_platform_wait(s->dev, 0, &s->eeh.first);

    if (rc == -ENOSYS)
        return 0;
    CHECK(!rc); /* a look does not wait */
    return exec_thread_create(s->exec, "EEH", body, s, &s->eeh.thread);
}

void spipe__eeh_stop(struct spipe *s)
{
    if (!s->eeh.thread)
        return;
    __atomic_store_n(&s->eeh.stop, true, __ATOMIC_RELEASE);
    exec_thread_interrupt(s->exec, s->eeh.thread);
    exec_thread_join(s->exec, s->eeh.thread);
    s->eeh.thread = NULL;
}
