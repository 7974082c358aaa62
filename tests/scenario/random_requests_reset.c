/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/random_requests_reset.h"

#include <errno.h>

#include "hal/afu_regs.h"
#include "tests/scenario/random_requests_face.h"
#include "tests/scenario/random_requests_steps.h"
#include "tests/testlib/stack.h"

/* ---- who resets ---- */

static void reset(struct rr_worker *w)
{
    int rc = spipe_reset(w->stack->adapter);

    RR_CHECK(w, rc == 0, "a reset gave %d", rc);
}

static void reset_once(void *arg)
{
    struct rr_resetter *r = arg;

    reset(r->worker);
    exec_atomic_store(r->worker->exec, &r->done, 1);
}

static bool is_free(struct rr_worker *w, struct rr_resetter *r)
{
    if (r->thread && !exec_atomic_load(w->exec, &r->done))
        return false;
    if (r->thread)
        exec_thread_join(w->exec, r->thread);
    r->thread = NULL;
    return true;
}

/* With the lock held. False: all are at it, or pause. */
static bool start(struct rr_worker *w, struct rr_resetter *r)
{
    int rc;

    for (unsigned i = 0; !is_free(w, r); r++)
        if (++i == RR_RESETS)
            return false;
    r->worker = w;
    exec_atomic_store(w->exec, &r->done, 0);
    rc = exec_thread_create(w->exec, "reset", reset_once, r, &r->thread);
    RR_CHECK(w, rc == 0, "no thread: %d", rc);
    return true;
}

/* From a thread of its own: whoever resets pauses afterwards, in which the others would come to
 * their end. */
static bool reset_elsewhere(struct rr_worker *w)
{
    struct rr_resets *r = &w->books->resets;
    bool started;

    exec_mutex_lock(w->exec, &r->lock);
    started = start(w, r->resetter);
    exec_mutex_unlock(w->exec, &r->lock);
    return started;
}

/* Once in some hundred requests of all workers; now and then two at once, of which one waits for
 * the other. */
void rr_step_reset(struct rr_worker *w, struct rr_actor *a)
{
    bool elsewhere;

    (void)a;
    if (!w->asks || !rr_once_in(w, 5))
        return;
    elsewhere = !rr_once_in(w, 32) && reset_elsewhere(w);
    if (elsewhere && rr_once_in(w, 8))
        (void)reset_elsewhere(w);
    if (!elsewhere)
        reset(w);
    rr_note(w, NULL, elsewhere ? "reset by another thread" : "reset", 0, 0, 0);
}

void rr_resets_begin(struct exec *exec, struct rr_resets *r)
{
    exec_mutex_init(exec, &r->lock, "resets");
}

void rr_resets_end(struct exec *exec, struct rr_resets *r)
{
    for (unsigned i = 0; i < RR_RESETS; i++)
        if (r->resetter[i].thread)
            exec_thread_join(exec, r->resetter[i].thread);
    exec_mutex_fini(exec, &r->lock);
}

/* ---- who finds out ---- */

/* A file tells it, and any register (SP-145); a context that has neither has ended. */
bool rr_reads_lost(struct rr_worker *w, struct rr_context *c)
{
    struct spipe_adap_event event;
    unsigned place = c->mapping[0] ? 0 : 1;
    int rc;

    if (!c->file_open)
        return spipe_adap_read64(c->mapping[place], AFU_HOST_ENDIAN_CTRL) == UINT64_MAX;
    rc = rr_note(w, c, "event", c->file, 0, spipe_adap_event(c->actor->client, c->file, 0, &event));
    RR_ONE_OF(w, "event", rc, 0, -EIO);
    RR_CHECK(w, event.kind == (rc ? SPIPE_ADAP_LOST : SPIPE_ADAP_NOTHING), "event %d", event.kind);
    return rc != 0;
}

bool rr_lost(struct rr_worker *w, struct rr_context *c)
{
    uint64_t last;

    if (!w->resets || c->lost)
        return c->lost;
    /* Any request waits for the end of a reset; there is no handle of this number. */
    RR_ONE_OF(w, "VERIFY of no handle", rr_verify(w, c, 0, UINT32_MAX, NULL, &last), -EINVAL);
    c->lost = c->actor->binary ? rr_reads_lost(w, c) : spipe_ctx_lost(c->ctx);
    rr_answer_add(w->answer, "looks whether it is lost", c->lost, 1);
    return c->lost;
}
