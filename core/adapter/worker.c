/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/worker.h"

#include "core/adapter/heartbeat.h"
#include "core/adapter/pause.h"
#include "core/adapter/reset.h"
#include "core/adapter/verb.h"
#include "core/lun/lun_mode.h"
#include "core/lun/wipe.h"
#include "core/port/async_event.h"
#include "core/vlun/quarantine.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define EVENTS_INTERVAL (100 * SPIPE__MILLISECOND) /* AD-88 */

/* It listens when nobody has sent a command for so long: whoever waits for an answer hears the AFU
 * as well, and gets it sooner than from another thread. */
#define QUIET_TIME (100 * SPIPE__MILLISECOND)

enum job { JOB_NONE, JOB_STOP, JOB_RESET, JOB_TIDY, JOB_EVENTS, JOB_HEARTBEAT, JOB_WIPE };

/* With the lock of the gate. */
static enum job take_job(struct spipe *s, uint64_t now)
{
    struct spipe__worker *w = &s->worker;

    if (w->stop)
        return JOB_STOP;
    if (w->reset_wanted && s->gate.state == SPIPE_STATE_NORMAL) {
        w->reset_wanted = false;
        return JOB_RESET;
    }
    if (w->tidy_at <= now && s->gate.state == SPIPE_STATE_NORMAL) {
        w->tidy_at = EXEC_FOREVER;
        return JOB_TIDY;
    }
    if (w->events_at <= now && s->gate.state == SPIPE_STATE_NORMAL) {
        w->events_at = EXEC_FOREVER;
        w->events_from = now + EVENTS_INTERVAL;
        return JOB_EVENTS;
    }
    if (w->heartbeat_at <= now && s->gate.state == SPIPE_STATE_NORMAL) {
        w->heartbeat_at = now + s->heartbeat_ns;
        return JOB_HEARTBEAT;
    }
    if (w->wipe_at <= now && s->gate.state == SPIPE_STATE_NORMAL) {
        w->wipe_at = EXEC_FOREVER;
        return JOB_WIPE;
    }
    return JOB_NONE;
}

/* What is due, but not done in this state, waits for another one: whoever carries a reset out tells
 * when it is over. */
static uint64_t next_time(const struct spipe *s, uint64_t now)
{
    const struct spipe__worker *w = &s->worker;
    uint64_t tidy = w->tidy_at > now ? w->tidy_at : EXEC_FOREVER;
    uint64_t events = w->events_at > now ? w->events_at : EXEC_FOREVER;
    uint64_t heartbeat = w->heartbeat_at > now ? w->heartbeat_at : EXEC_FOREVER;
    uint64_t wipe = w->wipe_at > now ? w->wipe_at : EXEC_FOREVER;

    return hal_min64(hal_min64(heartbeat, wipe), hal_min64(tidy, events));
}

/* With the lock of the gate. */
static void wait(struct spipe *s, uint64_t now)
{
    uint64_t until = next_time(s, now), commands = spipe__hwq_commands(spipe__primary(s));
    uint64_t quiet = spipe__listen_worthwhile(s) ? now + QUIET_TIME : EXEC_FOREVER;
    int rc =
        exec_cond_wait(s->exec, &s->worker.work, &s->gate.lock, hal_min64(until, quiet), false);

    CHECK(rc == 0 || rc == -ETIMEDOUT);
    if (rc == 0 || commands != spipe__hwq_commands(spipe__primary(s)) || until <= quiet)
        return;
    if (spipe__listen(s, until))
        s->worker.events_at = s->worker.events_from;
}

static enum job next_job(struct spipe *s)
{
    enum job job;
    uint64_t now;

    exec_mutex_lock(s->exec, &s->gate.lock);
    now = exec_now(s->exec);
    while ((job = take_job(s, now)) == JOB_NONE) {
        wait(s, now);
        now = exec_now(s->exec);
    }
    exec_mutex_unlock(s->exec, &s->gate.lock);
    return job;
}

static void wipe(struct spipe *s)
{
    for (unsigned i = 0; i < SPIPE__LUNS_MAX; i++)
        if (spipe__lun_holds(s, i))
            spipe__wipe_run_due(s, &s->lun[i]);
}

/* What fails again asks for the next time itself, and what is free to be wiped for that. */
static void tidy(struct spipe *s)
{
    if (spipe__verb_begin(s, SPIPE__VERB_TIDY, SPIPE__ADMIT_CLEANUP))
        return;
    for (unsigned i = 0; i < SPIPE__LUNS_MAX; i++)
        if (spipe__lun_holds(s, i))
            (void)spipe__quarantine_retry_lun(s, &s->lun[i]);
    (void)spipe__verb_end(s, SPIPE__VERB_TIDY, 0);
}

/* AD-135. Somebody else's reset will do. */
static void reset(struct spipe *s)
{
    if (spipe__reset_begin(s, SPIPE_ON_ASYNC_RESET))
        spipe__reset_run(s);
}

static void run(struct spipe *s, enum job job)
{
    if (job == JOB_RESET)
        reset(s);
    else if (job == JOB_TIDY)
        tidy(s);
    else if (job == JOB_EVENTS)
        spipe__async_run(s);
    else if (job == JOB_HEARTBEAT)
        spipe__heartbeat_look(s);
    else
        wipe(s);
}

static void body(void *arg)
{
    struct spipe *s = arg;
    enum job job;

    while ((job = next_job(s)) != JOB_STOP) {
        run(s, job);
        spipe__events_deliver(s);
    }
}

/* ---- life ---- */

int spipe__worker_start(struct spipe *s)
{
    struct exec_thread *thread;
    int rc;

    if (s->heartbeat_ns) /* nobody else is about yet */
        s->worker.heartbeat_at = spipe__deadline(s->exec, s->heartbeat_ns);
    rc = exec_thread_create(s->exec, "adapter worker", body, s, &thread);

    if (!rc)
        __atomic_store_n(&s->worker.thread, thread, __ATOMIC_RELEASE); /* it looks at it itself */
    return rc;
}

void spipe__worker_stop(struct spipe *s)
{
    if (!s->worker.thread)
        return;
    spipe__worker_ask_to_stop(s);
    exec_thread_join(s->exec, s->worker.thread);
    s->worker.thread = NULL;
}
