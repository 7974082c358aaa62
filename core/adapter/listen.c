/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/listen.h"

#include <errno.h>

#include "core/adapter/adapter.h"
#include "hal/support/check.h"

bool spipe__listen_worthwhile(const struct spipe *s)
{
    return s->gate.state == SPIPE_STATE_NORMAL && !s->listening.deaf;
}

/* An interruption that came too late for the wait must not end another one. */
static void drop_interruption(struct spipe *s)
{
    int rc = exec_sleep_until(s->exec, 0);

    CHECK(rc == -EINTR);
}

bool spipe__listen(struct spipe *s, uint64_t until)
{
    struct spipe__listening *l = &s->listening;
    uint64_t generation = spipe__generation(s);
    struct spipe__heard heard;
    bool late;

    if (!spipe__listen_worthwhile(s) || !spipe__worker_thread(s))
        return false; /* it could not be called */
    l->active = true;
    l->called = false;
    exec_mutex_unlock(s->exec, &s->gate.lock);
    heard = spipe__hwq_listen(spipe__primary(s), until);
    exec_mutex_lock(s->exec, &s->gate.lock);
    late = l->called && heard.rc != -EINTR;
    l->active = false;
    if (heard.rc == -EIO && spipe__generation(s) == generation)
        l->deaf = true; /* not, if it was the end of an earlier initialisation */
    if (late)
        drop_interruption(s);
    return heard.async;
}
