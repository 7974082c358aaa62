/* SPDX-License-Identifier: Apache-2.0 */
/* What other threads ask of the worker; what it does about it is in worker.c. */
#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "hal/support/bits.h"

/* Between a failed sync and the next try: the AFU may be busy, and requests try it themselves. */
#define TIDY_AFTER (100 * SPIPE__MILLISECOND)

struct exec_thread *spipe__worker_thread(const struct spipe *s)
{
    return __atomic_load_n(&s->worker.thread, __ATOMIC_ACQUIRE);
}

/* With the lock of the gate. */
static void wake(struct spipe *s)
{
    struct spipe__listening *l = &s->listening;

    exec_cond_signal(s->exec, &s->worker.work);
    if (!l->active || l->called)
        return;
    l->called = true;
    exec_thread_interrupt(s->exec, spipe__worker_thread(s));
}

void spipe__worker_want_reset(struct spipe *s)
{
    exec_mutex_lock(s->exec, &s->gate.lock);
    if (!s->worker.reset_wanted)
        spipe__event(s, RESET_WANTED, 0);
    s->worker.reset_wanted = true;
    wake(s);
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

void spipe__worker_forget_reset(struct spipe *s)
{
    exec_mutex_lock(s->exec, &s->gate.lock);
    s->worker.reset_wanted = false;
    s->worker.events_at = EXEC_FOREVER;
    s->listening.deaf = false;
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

void spipe__worker_want_events(struct spipe *s)
{
    exec_mutex_lock(s->exec, &s->gate.lock);
    s->worker.events_at = s->worker.events_from;
    wake(s);
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

void spipe__worker_ask_to_stop(struct spipe *s)
{
    exec_mutex_lock(s->exec, &s->gate.lock);
    s->worker.stop = true;
    wake(s);
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

void spipe__worker_look(struct spipe *s)
{
    exec_mutex_lock(s->exec, &s->gate.lock);
    wake(s);
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

void spipe__worker_want_tidy(struct spipe *s)
{
    uint64_t at = spipe__deadline(s->exec, TIDY_AFTER);

    exec_mutex_lock(s->exec, &s->gate.lock);
    s->worker.tidy_at = hal_min64(s->worker.tidy_at, at);
    wake(s);
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

void spipe__worker_want_wipe_at(struct spipe *s, uint64_t at)
{
    exec_mutex_lock(s->exec, &s->gate.lock);
    s->worker.wipe_at = hal_min64(s->worker.wipe_at, at);
    wake(s);
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

void spipe__worker_want_wipe(struct spipe *s) { spipe__worker_want_wipe_at(s, 0); }

bool spipe__worker_stopping(struct spipe *s)
{
    bool stopping;

    exec_mutex_lock(s->exec, &s->gate.lock);
    stopping = s->worker.stop;
    exec_mutex_unlock(s->exec, &s->gate.lock);
    return stopping;
}
