/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the scheduler share. Function names: sched__ = shared inside, sched_ = public.
 */
#ifndef SIM_SCHED_SCHED_INTERNAL_H
#define SIM_SCHED_SCHED_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/exec.h"
#include "hal/support/bits.h"
#include "hal/support/hash.h"
#include "hal/support/prng.h"
#include "sim/sched/fiber.h"
#include "sim/sched/sched.h"
#include "sim/world.h"

#define SCHED_NAME_MAX 24 /* bytes of a fiber's name, final 0 included */
#define SCHED_KEY_BUCKETS 64
#define SCHED_DESCRIPTOR_POINTS 64 /* scheduling points between two looks at the descriptors */
#define SCHED_DESCRIPTOR_PIN "a fiber waits for a descriptor"

/* In line, such a function would save its registers on a way that is more frequent. */
#define SCHED_APART __attribute__((noinline))

/* A circular list through its members; the head is a link too. */
struct sched_link {
    struct sched_link *next, *prev;
};

enum sched_wait {
    SCHED_RUNS, /* it runs or could run */
    SCHED_SLEEPS,
    SCHED_WAITS_MUTEX,
    SCHED_WAITS_COND,
    SCHED_WAITS_JOIN,
    SCHED_WAITS_DESCRIPTOR,
    SCHED_WAITS_KEY,
    SCHED_ENDED,
};

/* A thread: what an exec_thread handle leads to. */
struct sched_fiber {
    struct fiber fiber;
    struct sched *s;
    unsigned number;
    enum sched_wait wait;
    bool interruptible;     /* its wait */
    bool interrupt_pending; /* for its next interruptible wait */
    int result;             /* of its wait, set by whoever wakes it */
    int fd;
    short revents;  /* poll's answer for fd */
    unsigned held;  /* mutexes */
    uint64_t ranks; /* of those that have one */
    uint64_t deadline, key;
    const char *what; /* it waits for, for reports */
    struct sched_mutex *mutex;
    struct sched_cond *cond;
    struct sched_fiber *target, *joiner;
    struct sched_link queue; /* of the mutex, condition, key or descriptors */
    struct sched_link timed; /* of those with a deadline */
    struct sched_link all;
    void (*body)(void *);
    void *arg;
    void *local;
    size_t stack_size;
    char name[SCHED_NAME_MAX];
};

/* What stands in the room of a struct exec_mutex. */
struct sched_mutex {
    uint64_t magic;
    const char *name;
    struct sched_fiber *holder;
    struct sched_link waiters;
    uint32_t waiting;
};

/* What stands in the room of a struct exec_cond. */
struct sched_cond {
    uint64_t magic;
    const char *name;
    struct sched_link waiters;
    uint32_t waiting;
};

_Static_assert(sizeof(struct sched_mutex) <= sizeof(struct exec_mutex), "fits");
_Static_assert(sizeof(struct sched_cond) <= sizeof(struct exec_cond), "fits");

/* How the current fiber lets the device run without leaving its place. */
struct sched_poll {
    bool waits;    /* its key has not been woken */
    uint32_t turn; /* when it was woken, so many had been made runnable before it */
    uint64_t key, deadline;
    const char *what;
};

struct sched {
    struct exec exec; /* must be first: an exec is converted back by a cast */

    /* What a scheduling point touches. */
    unsigned no_switch; /* > 0: on the host, or within advance */
    uint32_t ready_count;
    uint64_t points, attention; /* at this number of points something else is due */
    uint64_t stay_mask;
    struct sched_fiber **ready; /* all that can run except the current one */
    struct sched_fiber *current;
    struct hal_prng scheduling;
    uint64_t hash, switches, choices_made;
    bool replays;

    /* Time. */
    const uint64_t *ticks; /* of the clock: the device's, or `time` */
    uint64_t tick_ns;
    const struct sched_clock *clock;
    void *clock_arg;
    uint64_t time;         /* of the built-in clock */
    uint64_t deadline_min; /* no waiting fiber has an earlier one */
    bool deadline_stale;   /* ... and perhaps none has this one */
    struct sched_poll poll;

    struct sched_link timed, all, descriptors;
    unsigned descriptor_count; /* fibers that wait for one */
    unsigned live, unjoined, last_number;
    uint32_t ready_room;
    struct sched_link keys[SCHED_KEY_BUCKETS];

    struct fiber host; /* valid while fibers run */
    void *host_local;
    int run_result;
    int over;                       /* why this scheduler can run no more, or 0 */
    struct sched_fiber *main_fiber; /* of the run that began and has not ended */
    struct sched_fiber *paused_at;  /* whose stack the run left */

    struct hal_prng entropy, random;
    struct sim_world *world;
    struct sched_config config;
    uint32_t *choices; /* copy of the list to replay */
    size_t choice_next;
};

extern const struct exec_ops sched__exec_ops;

/* ---- lists ---- */

static inline void sched__list_init(struct sched_link *l) { l->next = l->prev = l; }

static inline bool sched__list_empty(const struct sched_link *l) { return l->next == l; }

static inline void sched__list_add(struct sched_link *head, struct sched_link *l)
{
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

/* Harmless on a link that is in no list but was initialised. */
static inline void sched__list_del(struct sched_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    sched__list_init(l);
}

#define SCHED_FIBER_OF(link, member) HAL_CONTAINER_OF(link, struct sched_fiber, member)

static inline struct sched *sched__of(struct exec *e) { return (struct sched *)e; }

static inline uint64_t sched__now(const struct sched *s) { return *s->ticks * s->tick_ns; }

/* ---- sched.c ---- */

/* A fiber that can run at once, or NULL. It ends by itself; a handle to it is joined. */
struct sched_fiber *sched__spawn(struct sched *s, const char *name, void (*body)(void *), void *arg,
                                 size_t stack_size);

/* Frees an ended or abandoned fiber. */
void sched__free_fiber(struct sched *s, struct sched_fiber *f);

/* Counts a scheduling point. Returns whether nothing comes of it, as nearly always: nothing else is
 * due, and nobody else can run. Otherwise sched__point_busy() does what is left of it. */
static inline bool sched__point_quiet(struct sched *s)
{
    return __builtin_expect(++s->points < s->attention && (!s->ready_count || s->no_switch), 1);
}
SCHED_APART void sched__point_busy(struct sched *s);

/* The current fiber cannot go on: continues another, or this one if it is woken meanwhile. */
SCHED_APART void sched__leave_to(struct sched *s);
static inline void sched__leave(struct sched *s)
{
    if (s->ready_count == 1 && s->ready[0] == s->current)
        s->ready_count = 0; /* it is woken already, and nobody else is there */
    else
        sched__leave_to(s);
}

/* Ends the run with `result`. Returns only if the host resumes. */
void sched__to_host(struct sched *s, int result);

/* Recomputes when a scheduling point must look at more than its draw. */
void sched__set_attention(struct sched *s);

/* Whether points_max has been reached. */
bool sched__exhausted(const struct sched *s);

/* ---- sched_wait.c ---- */

/* Makes the current fiber wait (it may be in a queue already) and returns its result. */
int sched__block(struct sched *s, enum sched_wait wait, uint64_t deadline, bool interruptible);

/* Makes a waiting fiber runnable. */
SCHED_APART void sched__wake(struct sched *s, struct sched_fiber *f, int result);

/* Takes the interrupt that is pending for the current fiber. */
bool sched__take_interrupt(struct sched *s);

/* Wakes all whose deadline has come. The work is kept apart: callers need no registers for it. */
SCHED_APART void sched__expire_now(struct sched *s, uint64_t now);
static inline void sched__expire(struct sched *s, uint64_t now)
{
    if (now >= s->deadline_min)
        sched__expire_now(s, now);
}

/* Nobody can run: runs the device until somebody can. Does not return if nobody ever will. */
SCHED_APART void sched__idle(struct sched *s);

/* ---- sched_descriptor.c ---- */

int sched__fd_wait(struct exec *e, int fd, uint64_t deadline);

/* Wakes those whose descriptor is ready, waiting at most `ms` of real time for the first. Returns
 * whether there was one. */
bool sched__poll_descriptors(struct sched *s, int ms);

/* ---- sched_sync.c ---- */

void sched__mutex_init(struct exec *e, struct exec_mutex *m, const char *name);
void sched__mutex_fini(struct exec *e, struct exec_mutex *m);
void sched__mutex_lock(struct exec *e, struct exec_mutex *m);
void sched__mutex_unlock(struct exec *e, struct exec_mutex *m);
void sched__cond_init(struct exec *e, struct exec_cond *c, const char *name);
void sched__cond_fini(struct exec *e, struct exec_cond *c);
int sched__cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m, uint64_t deadline,
                     bool interruptible);
void sched__cond_signal(struct exec *e, struct exec_cond *c, bool all);

#endif
