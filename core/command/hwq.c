/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/hwq.h"

#include <errno.h>
#include <limits.h>

#include "core/adapter/adapter.h"
#include "core/adapter/lock_rank.h"
#include "core/adapter/pause.h"
#include "core/command/queue_report.h"
#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* A lost interrupt delays an answer by no more than this. */
#define LOOK_INTERVAL (250 * SPIPE__MILLISECOND)

/* Who interrupts more often while one answer is waited for does so for ever: the wait that cannot
 * be ended by it becomes one that cannot be interrupted. */
#define SINGLE_INTERRUPTIONS 4
#define INTERRUPTED_PAUSE SPIPE__MILLISECOND

static struct exec *exec_of(const struct spipe__hwq *h) { return h->s->exec; }

static void lock(struct spipe__hwq *h) { exec_mutex_lock(exec_of(h), &h->lock); }

static void unlock(struct spipe__hwq *h) { exec_mutex_unlock(exec_of(h), &h->lock); }

/* ---- sleepers: with the lock ---- */

static void join_sleepers(struct spipe__hwq *h, struct spipe__sent *c)
{
    c->previous = h->sleepers_last;
    c->next = NULL;
    if (c->previous)
        c->previous->next = c;
    else
        h->sleepers = c;
    h->sleepers_last = c;
    c->sleeping = true;
}

static void leave_sleepers(struct spipe__hwq *h, struct spipe__sent *c)
{
    if (c->previous)
        c->previous->next = c->next;
    else
        h->sleepers = c->next;
    if (c->next)
        c->next->previous = c->previous;
    else
        h->sleepers_last = c->previous;
    c->sleeping = false;
}

static void sleep_until(struct spipe__hwq *h, struct spipe__sent *c, uint64_t until)
{
    int rc;

    join_sleepers(h, c);
    rc = exec_cond_wait(exec_of(h), &c->woken, &h->lock, until, false);
    leave_sleepers(h, c);
    CHECK(rc == 0 || rc == -ETIMEDOUT);
}

/* Makes a sleeper the next listener, if there is to be one. */
static void pass_on(struct spipe__hwq *h)
{
    if (!h->listening && h->sleepers)
        exec_cond_signal(exec_of(h), &h->sleepers->woken);
}

/* ---- answers: with the lock ---- */

static struct spipe__sent *owner_of(const struct spipe__hwq *h, uint32_t slot)
{
    return (struct spipe__sent *)(uintptr_t)spipe__queue_tag(&h->queue, slot);
}

static void end(struct spipe__hwq *h, struct spipe__sent *c, int status)
{
    c->status = status;
    c->ended = true;
    if (c->sleeping)
        exec_cond_signal(exec_of(h), &c->woken);
}

static void deliver(struct spipe__hwq *h, uint32_t slot, bool lost, int status)
{
    struct spipe__sent *c = owner_of(h, slot);

    if (lost) { /* the slot stays unused */
        end(h, c, h->queue.gone ? -ENODEV : status);
        return;
    }
    c->answer = *spipe__queue_ioasa(&h->queue, slot);
    spipe__queue_done(&h->queue, slot);
    end(h, c, 0);
}

/* AD-80, AD-81: nothing of an owner runs here. Returns how many there were. */
static unsigned harvest(struct spipe__hwq *h, unsigned budget)
{
    unsigned n = 0;
    uint32_t slot;
    bool lost;
    int status;

    while (n < budget &&
           (slot = spipe__queue_next(&h->queue, &lost, &status)) != SPIPE__SLOT_NONE) {
        deliver(h, slot, lost, status);
        n++;
    }
    return n;
}

static void harvest_all(struct spipe__hwq *h) { (void)harvest(h, UINT_MAX); }

/* The poll routine (AD-83): as long as there is as much as the budget allows there may be more, and
 * others get the lock in between. Who has its own answer leaves the rest to the next. Returns how
 * many there were. */
static unsigned look(struct spipe__hwq *h, const struct spipe__sent *own)
{
    unsigned total = 0, n;

    for (;;) {
        unsigned budget = h->poll_weight ? h->poll_weight : UINT_MAX;

        n = harvest(h, budget);
        total += n;
        if (n < budget || (own && own->ended))
            return total;
        h->counters.polls++;
        unlock(h);
        exec_yield(exec_of(h));
        lock(h);
    }
}

static void abort_command(void *arg, uint64_t tag)
{
    struct spipe__hwq *h = arg;

    h->counters.aborted++;
    end(h, (struct spipe__sent *)(uintptr_t)tag, -EAGAIN);
}

/* AD-54. What is on the RRQ already is answered, not aborted (AD-85). */
static void flush(struct spipe__hwq *h)
{
    harvest_all(h);
    spipe__queue_flush(&h->queue, abort_command, h);
}

/* ---- listening: with the lock, which is given back meanwhile ---- */

/* AD-82. The queue may have gone offline: the interrupt is swallowed. */
static void take_interrupt(struct spipe__hwq *h, const struct hal_event *event,
                           const struct spipe__sent *own)
{
    bool rrq = event->kind == HAL_EVENT_AFU_INTERRUPT && event->number == AFU_LISN_RRQ;
    uint16_t context = h->ctx->handle; /* which may be gone after a poll */
    unsigned n;

    spipe__queue_event(&h->queue, event);
    n = look(h, own);
    spipe__queue_report(h->s, context, &h->queue, &h->told);
    if (!rrq)
        return;
    h->counters.interrupts++;
    h->counters.spurious += n == 0;
}

static struct spipe__heard listen(struct spipe__hwq *h, const struct spipe__sent *own,
                                  uint64_t until)
{
    struct spipe__heard heard;
    struct hal_event event;

    h->listening = true;
    unlock(h);
    heard.rc = hal_event_wait(h->ctx, until, &event);
    lock(h);
    h->listening = false;
    heard.async = event.kind == HAL_EVENT_AFU_INTERRUPT && event.number == AFU_LISN_ASYNC;
    if (h->online)
        take_interrupt(h, &event, own);
    else
        exec_cond_signal(exec_of(h), &h->quiet);
    return heard;
}

struct spipe__heard spipe__hwq_listen(struct spipe__hwq *h, uint64_t until)
{
    struct spipe__heard heard = {0};

    lock(h);
    if (h->online && !h->listening) {
        heard = listen(h, NULL, until);
        pass_on(h);
    }
    unlock(h);
    return heard;
}

/* ---- life ---- */

void spipe__hwq_prepare(struct spipe__hwq *h, struct spipe *s, unsigned number)
{
    *h = (struct spipe__hwq){.s = s, .number = number};
    exec_mutex_init_ranked(s->exec, &h->lock, "hardware queue", SPIPE__RANK_HWQ);
    exec_cond_init(s->exec, &h->quiet, "hardware queue");
}

int spipe__hwq_make(struct spipe__hwq *h, const struct spipe__queue_config *config)
{
    int rc;

    if (h->made)
        return 0;
    rc = spipe__queue_init(&h->queue, exec_of(h), h->s->dev, config);
    h->made = rc == 0;
    return rc;
}

void spipe__hwq_fini(struct spipe__hwq *h)
{
    CHECK(!h->online && !h->listening && !h->sleepers);
    if (h->made)
        spipe__queue_fini(&h->queue);
    exec_cond_fini(exec_of(h), &h->quiet);
    exec_mutex_fini(exec_of(h), &h->lock);
}

void spipe__hwq_bind(struct spipe__hwq *h)
{
    lock(h);
    spipe__queue_bind(&h->queue, h->ctx);
    h->stuck = false;
    unlock(h);
}

bool spipe__hwq_read_credits(struct spipe__hwq *h)
{
    bool answers;

    lock(h);
    (void)spipe__queue_refill(&h->queue);
    answers = !h->queue.gone;
    unlock(h);
    return answers;
}

void spipe__hwq_go_online(struct spipe__hwq *h)
{
    lock(h);
    h->online = true;
    unlock(h);
}

static void go_offline(struct spipe__hwq *h)
{
    lock(h);
    h->online = false;
    unlock(h);
}

/* From being offline on nobody begins to listen; who does, hears of the end of the context. */
static void drain(struct spipe__hwq *h)
{
    lock(h);
    if (h->queue.ctx)
        flush(h);
    while (h->listening) {
        int rc = exec_cond_wait(exec_of(h), &h->quiet, &h->lock, EXEC_FOREVER, false);

        CHECK(rc == 0);
    }
    unlock(h);
}

int spipe__hwq_stop(struct spipe__hwq *h)
{
    int rc;

    if (!spipe__mutant(D_18))
        go_offline(h);
    rc = hal_ctx_stop(h->ctx);
    if (spipe__mutant(D_18))
        go_offline(h);
    drain(h);
    return rc;
}

/* ---- context reset ---- */

/* With the lock. */
static int reset(struct spipe__hwq *h)
{
    int rc = spipe__queue_reset(&h->queue);

    spipe__event(h->s, CONTEXT_RESET, h->number, spipe__result(rc));
    if (rc) {
        h->stuck = true;
        spipe__worker_want_reset(h->s);
        return rc;
    }
    h->counters.resets++;
    flush(h);
    return 0;
}

/* With the lock. */
static int reset_if_online(struct spipe__hwq *h)
{
    if (!h->online)
        return -EBUSY;
    return h->stuck ? -ETIMEDOUT : reset(h);
}

int spipe__hwq_reset(struct spipe__hwq *h)
{
    int rc;

    lock(h);
    rc = reset_if_online(h);
    unlock(h);
    return rc;
}

int spipe__hwq_abort(struct spipe__hwq *h, const struct spipe__sent *sent)
{
    int rc;

    lock(h);
    rc = sent->ended ? 0 : reset_if_online(h);
    unlock(h);
    return rc;
}

/* ---- commands ---- */

/* With the lock. */
static int may_send(struct spipe__hwq *h)
{
    struct spipe__queue *q = &h->queue;

    if (!h->online)
        return -EBUSY;
    if (q->gone)
        return -ENODEV;
    if (h->stuck)
        return -EIO;
    if (q->lost_count && spipe__queue_in_use(q) == 0 && reset(h))
        return -EIO;
    if (!spipe__queue_room(q))
        return q->gone ? -ENODEV : -ENOBUFS;
    return 0;
}

/* With the lock. Taking a pair is taking a credit: there is no other count of them (AD-69, D-1). */
static int send(struct spipe__hwq *h, const struct spipe__command *command, struct spipe__sent *c)
{
    struct spipe__queue *q = &h->queue;
    int rc = may_send(h);

    if (rc)
        return rc;
    c->slot = spipe__queue_take(q);
    if (c->slot == SPIPE__SLOT_NONE) { /* unless some have been answered */
        harvest_all(h);
        c->slot = spipe__queue_take(q);
    }
    if (c->slot == SPIPE__SLOT_NONE)
        return -ENOBUFS;
    spipe__queue_fill(q, c->slot, command);
    spipe__queue_send(q, c->slot, (uint64_t)(uintptr_t)c, exec_now(exec_of(h)));
    __atomic_store_n(&h->counters.commands, h->counters.commands + 1, __ATOMIC_RELAXED);
    return 0;
}

int spipe__hwq_send(struct spipe__hwq *h, const struct spipe__command *command,
                    struct spipe__sent *sent)
{
    int rc;

    sent->ended = sent->sleeping = false;
    exec_cond_init(exec_of(h), &sent->woken, "answer");
    lock(h);
    rc = send(h, command, sent);
    unlock(h);
    if (rc)
        exec_cond_fini(exec_of(h), &sent->woken);
    return rc;
}

static bool hear(struct spipe__hwq *h, const struct spipe__sent *c, uint64_t until)
{
    struct spipe__heard heard = listen(h, c, until);

    if (heard.async)
        spipe__worker_want_events(h->s);
    return heard.rc == -EINTR;
}

/* With the lock. A command is waited for whatever happens; who interrupts the thread meanwhile
 * means a wait that can be given up, which comes later. */
static void wait_for(struct spipe__hwq *h, struct spipe__sent *c, uint64_t deadline)
{
    unsigned interruptions = 0;

    for (;;) {
        /* The clock first: the last look comes after the deadline. */
        uint64_t now = exec_now(exec_of(h));
        uint64_t until = hal_min64(deadline, now + LOOK_INTERVAL);

        (void)look(h, c);
        if (c->ended || now >= deadline)
            break;
        if (h->listening || !h->online)
            sleep_until(h, c, until);
        else if (hear(h, c, until) && ++interruptions > SINGLE_INTERRUPTIONS && !c->ended)
            sleep_until(h, c, hal_min64(until, now + INTERRUPTED_PAUSE));
    }
    if (interruptions)
        exec_keep_interrupt(exec_of(h));
}

int spipe__hwq_await(struct spipe__hwq *h, struct spipe__sent *sent, uint64_t deadline)
{
    bool ended;

    lock(h);
    wait_for(h, sent, deadline);
    ended = sent->ended;
    pass_on(h);
    unlock(h);
    if (!ended)
        return -ETIMEDOUT;
    exec_cond_fini(exec_of(h), &sent->woken);
    return sent->status;
}

/* With the lock: as long as the queue is online nobody stops the context under hal_progress().
 * Events are looked at after the device went on: they say why no answer comes. */
static void poll(struct spipe__hwq *h, struct spipe__sent *c)
{
    (void)look(h, c);
    if (c->ended || !h->online)
        return;
    hal_progress(h->ctx);
    (void)look(h, c);
    if (!c->ended && h->online && !h->listening)
        (void)hear(h, c, 0); /* a look is not interrupted */
}

bool spipe__hwq_look(struct spipe__hwq *h, struct spipe__sent *sent)
{
    bool ended;

    lock(h);
    poll(h, sent);
    ended = sent->ended;
    pass_on(h);
    unlock(h);
    return ended;
}

void spipe__hwq_forget(struct spipe__hwq *h, struct spipe__sent *sent)
{
    lock(h);
    if (!sent->ended)
        spipe__queue_abandon(&h->queue, sent->slot);
    unlock(h);
    exec_cond_fini(exec_of(h), &sent->woken);
}

int spipe__hwq_run(struct spipe__hwq *h, const struct spipe__command *command, uint64_t timeout_ns,
                   struct afu_ioasa *out)
{
    uint64_t deadline = spipe__deadline(exec_of(h), timeout_ns);
    struct spipe__sent sent;
    int rc = spipe__hwq_send(h, command, &sent);

    if (rc)
        return rc;
    rc = spipe__hwq_await(h, &sent, deadline);
    if (rc == -ETIMEDOUT)
        spipe__hwq_forget(h, &sent);
    if (!rc)
        *out = sent.answer;
    return rc;
}

/* ---- questions and settings ---- */

bool spipe__hwq_stuck(struct spipe__hwq *h)
{
    bool stuck;

    lock(h);
    stuck = h->stuck;
    unlock(h);
    return stuck;
}

unsigned spipe__hwq_in_flight(struct spipe__hwq *h)
{
    unsigned n;

    lock(h);
    n = spipe__queue_in_use(&h->queue);
    unlock(h);
    return n;
}

uint64_t spipe__hwq_commands(const struct spipe__hwq *h)
{
    return __atomic_load_n(&h->counters.commands, __ATOMIC_RELAXED);
}

void spipe__hwq_set_poll_weight(struct spipe__hwq *h, unsigned weight)
{
    lock(h);
    h->poll_weight = weight;
    unlock(h);
}

unsigned spipe__hwq_poll_weight(struct spipe__hwq *h)
{
    unsigned weight;

    lock(h);
    weight = h->poll_weight;
    unlock(h);
    return weight;
}
