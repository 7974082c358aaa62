/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting and waking, deadlines, keyed waits, and what happens when every fiber waits. */
#include <errno.h>

#include "hal/support/check.h"
#include "hal/support/hot.h"
#include "sim/sched/sched.h"
#include "sim/sched/sched_internal.h"

/* Virtual time between two looks at the descriptors while the device is busy. */
#define DESCRIPTOR_SLICE_NS UINT64_C(100000)

/* ---- waiting and waking ---- */

static void add_deadline(struct sched *s, struct sched_fiber *f, uint64_t deadline)
{
    f->deadline = deadline;
    if (deadline == EXEC_FOREVER)
        return;
    sched__list_add(&s->timed, &f->timed);
    if (deadline < s->deadline_min) {
        s->deadline_min = deadline;
        s->deadline_stale = false;
    }
}

static void drop_deadline(struct sched *s, struct sched_fiber *f)
{
    if (f->deadline == EXEC_FOREVER)
        return;
    sched__list_del(&f->timed);
    if (f->deadline == s->deadline_min)
        s->deadline_stale = true;
    f->deadline = EXEC_FOREVER;
}

HAL_HOT SCHED_APART static uint64_t find_earliest(struct sched *s)
{
    s->deadline_min = EXEC_FOREVER;
    s->deadline_stale = false;
    for (struct sched_link *l = s->timed.next; l != &s->timed; l = l->next)
        s->deadline_min = hal_min64(s->deadline_min, SCHED_FIBER_OF(l, timed)->deadline);
    return s->deadline_min;
}

static uint64_t earliest_deadline(struct sched *s)
{
    return s->deadline_stale ? find_earliest(s) : s->deadline_min;
}

int sched__block(struct sched *s, enum sched_wait wait, uint64_t deadline, bool interruptible)
{
    struct sched_fiber *f = s->current;

    CHECK(f);
    CHECK(!s->no_switch && f->wait == SCHED_RUNS);
    f->wait = wait;
    f->interruptible = interruptible;
    add_deadline(s, f, deadline);
    sched__leave(s);
    CHECK(f->wait == SCHED_RUNS);
    return f->result;
}

/* Takes the fiber out of what it waits in. */
static void leave_queue(struct sched *s, struct sched_fiber *f)
{
    switch (f->wait) {
    case SCHED_WAITS_MUTEX:
        f->mutex->waiting--;
        break;
    case SCHED_WAITS_COND:
        f->cond->waiting--;
        break;
    case SCHED_WAITS_DESCRIPTOR:
        s->descriptor_count--;
        if (s->descriptor_count == 0)
            sim_world_unpin(s->world, SCHED_DESCRIPTOR_PIN);
        break;
    default:
        break;
    }
    sched__list_del(&f->queue);
}

HAL_HOT void sched__wake(struct sched *s, struct sched_fiber *f, int result)
{
    CHECK(f->wait != SCHED_RUNS && f->wait != SCHED_ENDED);
    leave_queue(s, f);
    drop_deadline(s, f);
    f->wait = SCHED_RUNS;
    f->result = result;
    CHECK(s->ready_count < s->ready_room);
    s->ready[s->ready_count++] = f;
}

bool sched__take_interrupt(struct sched *s)
{
    bool pending = s->current->interrupt_pending;

    s->current->interrupt_pending = false;
    return pending;
}

/* ---- time ---- */

HAL_HOT void sched__expire_now(struct sched *s, uint64_t now)
{
    struct sched_link *l, *next;

    if (now < earliest_deadline(s))
        return;
    for (l = s->timed.next; l != &s->timed; l = next) {
        struct sched_fiber *f = SCHED_FIBER_OF(l, timed);

        next = l->next;
        if (f->deadline <= now)
            sched__wake(s, f, f->wait == SCHED_SLEEPS ? 0 : -ETIMEDOUT);
    }
}

void sched_set_clock(struct sched *s, const struct sched_clock *clock, const uint64_t *ticks,
                     void *arg)
{
    uint64_t now = sched__now(s);

    s->time = now;
    s->ticks = clock ? ticks : &s->time;
    s->tick_ns = clock ? clock->tick_ns : 1;
    s->clock = clock;
    s->clock_arg = arg;
    CHECK(!clock || (clock->tick_ns && clock->advance && clock->idle));
    CHECK(sched__now(s) >= now); /* time never goes back */
}

/* ---- nobody can run ---- */

/* What is left of the patience with a silent device and silent descriptors. */
struct patience {
    uint64_t quiet_until; /* virtual ns */
    uint32_t descriptor_ms;
};

/* Lets time pass up to `until`; the device may stop earlier if it woke somebody or fell silent.
 * Returns the time then. */
static uint64_t move_time(struct sched *s, uint64_t until)
{
    uint64_t now;

    if (s->clock)
        s->clock->advance(s->clock_arg, until);
    else
        s->time = hal_max64(s->time, until);
    now = sched__now(s);
    sched__expire(s, now);
    return now;
}

static void advance(struct sched *s, uint64_t until, bool device_idle)
{
    uint64_t before = sched__now(s), after = move_time(s, until);

    CHECK(after >= before);
    /* Else it stopped for nothing, and would do so for ever. For a descriptor it may. */
    CHECK(s->ready_count || s->descriptor_count || after >= until ||
          (!device_idle && s->clock->idle(s->clock_arg)));
}

/* Only the outside world can help: true if it may have, false if patience is at its end. */
static bool wait_for_descriptors(struct sched *s, struct patience *p)
{
    const uint32_t round_ms = 10;

    if (s->descriptor_count == 0)
        return false;
    if (sched__poll_descriptors(s, (int)round_ms) || p->descriptor_ms == UINT32_MAX)
        return true;
    if (p->descriptor_ms < round_ms)
        return false;
    p->descriptor_ms -= round_ms;
    return true;
}

/* One step towards somebody being able to run. Returns false if that will never be. */
static bool pass_time(struct sched *s, struct patience *p)
{
    uint64_t until = earliest_deadline(s), now = sched__now(s);
    bool device_idle = !s->clock || s->clock->idle(s->clock_arg);

    if (until == EXEC_FOREVER) {
        if (device_idle || now >= p->quiet_until)
            return wait_for_descriptors(s, p);
        until = p->quiet_until;
    }
    if (s->descriptor_count && !device_idle)
        until = hal_min64(until, now + DESCRIPTOR_SLICE_NS);
    advance(s, until, device_idle);
    return true;
}

void sched__idle(struct sched *s)
{
    struct patience p = {.descriptor_ms = s->config.descriptor_ms_max};

    s->no_switch++; /* the device may pass scheduling points, but this fiber cannot be left there */
    p.quiet_until = sched__now(s) + s->config.quiet_ns_max;
    while (s->ready_count == 0) {
        s->points++; /* so that points_max bounds this loop too */
        if (sched__exhausted(s))
            sched__to_host(s, -ETIME);
        if (s->descriptor_count && sched__poll_descriptors(s, 0))
            break;
        if (!pass_time(s, &p))
            sched__to_host(s, -EDEADLK);
    }
    s->no_switch--;
}

/* ---- keyed waits ---- */

static struct sched_link *bucket_of(struct sched *s, uint64_t key)
{
    return &s->keys[key % SCHED_KEY_BUCKETS];
}

/* Not inline in sched_poll_key, which seldom needs it. */
HAL_HOT SCHED_APART int sched_wait_key(struct sched *s, uint64_t key, uint64_t deadline,
                                       bool interruptible, const char *what)
{
    struct sched_fiber *f = s->current;

    CHECK(f && what);
    if (interruptible && sched__take_interrupt(s))
        return -EINTR;
    if (deadline <= sched__now(s)) {
        sched_point(s);
        return -ETIMEDOUT;
    }
    f->key = key;
    f->what = what;
    sched__list_add(bucket_of(s, key), &f->queue);
    return sched__block(s, SCHED_WAITS_KEY, deadline, interruptible);
}

/* The poller takes its place among those who can run: where fibers that wait are kept in order it
 * would be the last, for nobody else has run. */
static void queue_poller(struct sched *s)
{
    uint32_t turn = s->poll.turn;

    for (uint32_t i = s->ready_count++; i > turn; i--)
        s->ready[i] = s->ready[i - 1];
    s->ready[turn] = s->current;
}

/* Others can run too: one of them may be next. */
SCHED_APART static int poller_woken_beside_others(struct sched *s)
{
    queue_poller(s);
    sched__leave(s);
    return 0;
}

/* The device stopped, and not for the poller. */
HAL_HOT SCHED_APART static int poller_not_woken(struct sched *s)
{
    struct sched_poll *p = &s->poll;

    p->waits = false;
    if (sched__now(s) < p->deadline) /* somebody else can run, or nobody */
        return sched_wait_key(s, p->key, p->deadline, false, p->what);
    p->turn = s->ready_count;
    queue_poller(s);
    sched__leave(s);
    return -ETIMEDOUT;
}

HAL_HOT SCHED_APART static int poll_after_look(struct sched *s, uint64_t key, uint64_t deadline,
                                               const char *what)
{
    find_earliest(s);
    return sched_poll_key(s, key, deadline, what);
}

/* A round of sched__idle for the current fiber, which has not left its place. What is seldom needed
 * afterwards is kept in s, not in registers that each poll would have to save. */
HAL_HOT int sched_poll_key(struct sched *s, uint64_t key, uint64_t deadline, const char *what)
{
    CHECK(s->current && deadline != EXEC_FOREVER);
    if (s->deadline_stale)
        return poll_after_look(s, key, deadline, what);
    if (s->ready_count | s->descriptor_count || s->points + 1 >= s->attention ||
        deadline <= sched__now(s))
        return sched_wait_key(s, key, deadline, false, what);
    s->points++;
    s->no_switch++;
    s->poll.waits = true;
    s->poll.key = key;
    s->poll.deadline = deadline;
    s->poll.what = what;
    move_time(s, hal_min64(s->deadline_min, deadline));
    s->no_switch--;
    if (__builtin_expect(s->poll.waits, 0))
        return poller_not_woken(s);
    return s->ready_count ? poller_woken_beside_others(s) : 0;
}

/* Wakes the poller if it waits for this key. */
static inline bool wake_poller(struct sched *s, uint64_t key)
{
    if (!s->poll.waits || s->poll.key != key)
        return false;
    s->poll.waits = false;
    s->poll.turn = s->ready_count;
    return true;
}

HAL_HOT SCHED_APART static bool wake_waiters(struct sched *s, const struct sched_link *head,
                                             uint64_t key)
{
    struct sched_link *next;
    bool any = false;

    for (struct sched_link *l = head->next; l != head; l = next) {
        struct sched_fiber *f = SCHED_FIBER_OF(l, queue);

        next = l->next;
        if (f->key != key)
            continue;
        sched__wake(s, f, 0);
        any = true;
    }
    return wake_poller(s, key) || any;
}

HAL_HOT bool sched_wake_key(struct sched *s, uint64_t key)
{
    const struct sched_link *head = bucket_of(s, key);

    return sched__list_empty(head) ? wake_poller(s, key) : wake_waiters(s, head, key);
}
