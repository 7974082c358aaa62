/* SPDX-License-Identifier: Apache-2.0 */
/* The report: what every fiber does or waits for, and the cycle in which they wait for each other.
 * Names, numbers and times only, so that the same seed gives the same text everywhere. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "sim/sched/sched.h"
#include "sim/sched/sched_internal.h"

/* snprintf that continues where it stopped. */
struct text {
    char *at;
    size_t room, length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->length < t->room ? t->at + t->length : NULL,
                  t->length < t->room ? t->room - t->length : 0, fmt, ap);
    va_end(ap);
    t->length += n > 0 ? (size_t)n : 0;
}

static void add_fiber(struct text *t, const struct sched_fiber *f)
{
    add(t, "%u \"%s\"", f->number, f->name);
}

static void add_deadline(struct text *t, const struct sched_fiber *f)
{
    if (f->deadline == EXEC_FOREVER)
        add(t, " without a deadline");
    else
        add(t, " until %" PRIu64 " ns", f->deadline);
}

static void add_mutex(struct text *t, const struct sched_mutex *m)
{
    add(t, "mutex \"%s\"", m->name);
    if (m->holder) {
        add(t, " held by ");
        add_fiber(t, m->holder);
    } else {
        add(t, " held by nobody");
    }
}

static void add_wait(struct text *t, const struct sched_fiber *f)
{
    switch (f->wait) {
    case SCHED_RUNS:
        add(t, "can run");
        return;
    case SCHED_ENDED:
        add(t, "has ended and was not joined");
        return;
    case SCHED_WAITS_MUTEX:
        add(t, "waits for ");
        add_mutex(t, f->mutex);
        return;
    case SCHED_WAITS_JOIN:
        add(t, "waits for the end of ");
        add_fiber(t, f->target);
        return;
    case SCHED_SLEEPS:
        add(t, "sleeps");
        break;
    case SCHED_WAITS_COND:
        add(t, "waits for condition \"%s\" (mutex \"%s\")", f->cond->name, f->mutex->name);
        break;
    case SCHED_WAITS_DESCRIPTOR:
        add(t, "waits for descriptor %d", f->fd);
        break;
    case SCHED_WAITS_KEY:
        add(t, "waits for %s (key 0x%" PRIx64 ")", f->what, f->key);
        break;
    }
    add_deadline(t, f);
}

/* Whom f waits for, if that is one fiber. */
static const struct sched_fiber *waits_for(const struct sched_fiber *f)
{
    if (f->wait == SCHED_WAITS_MUTEX)
        return f->mutex->holder;
    return f->wait == SCHED_WAITS_JOIN ? f->target : NULL;
}

/* The fiber of lowest number in a cycle that f leads into, or NULL. Two walkers, one at double
 * speed, meet if there is a cycle. */
static const struct sched_fiber *cycle_from(const struct sched_fiber *f)
{
    const struct sched_fiber *slow = f, *fast = f, *lowest;

    do {
        slow = slow ? waits_for(slow) : NULL;
        fast = fast ? waits_for(fast) : NULL;
        fast = fast ? waits_for(fast) : NULL;
    } while (fast && slow != fast);
    if (!fast)
        return NULL;
    lowest = fast;
    for (f = waits_for(fast); f != fast; f = waits_for(f))
        if (f->number < lowest->number)
            lowest = f;
    return lowest;
}

static void add_cycle(struct text *t, const struct sched_fiber *start)
{
    const struct sched_fiber *f = start;

    add(t, "cycle: ");
    add_fiber(t, f);
    do {
        if (f->wait == SCHED_WAITS_MUTEX)
            add(t, " -> mutex \"%s\" of ", f->mutex->name);
        else
            add(t, " -> the end of ");
        f = waits_for(f);
        add_fiber(t, f);
    } while (f != start);
    add(t, "\n");
}

/* Each cycle once: when the walk comes to its lowest fiber. */
static void add_cycles(struct text *t, const struct sched *s)
{
    for (const struct sched_link *l = s->all.next; l != &s->all; l = l->next) {
        const struct sched_fiber *f = SCHED_FIBER_OF(l, all);

        if (cycle_from(f) == f)
            add_cycle(t, f);
    }
}

size_t sched_report(const struct sched *s, char *buf, size_t size)
{
    struct text t = {buf, size, 0};

    if (size)
        buf[0] = 0;
    add(&t,
        "seed %" PRIu64 ", %" PRIu64 " ns, %" PRIu64 " scheduling points, %" PRIu64
        " switches, schedule %016" PRIx64 "\n",
        s->config.seed, sched__now(s), s->points, s->switches, s->hash);
    for (const struct sched_link *l = s->all.next; l != &s->all; l = l->next) {
        const struct sched_fiber *f = SCHED_FIBER_OF(l, all);

        add(&t, "  ");
        add_fiber(&t, f);
        add(&t, " ");
        add_wait(&t, f);
        add(&t, "\n");
    }
    add_cycles(&t, s);
    return t.length;
}
