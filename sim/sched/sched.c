/* SPDX-License-Identifier: Apache-2.0 */
/* The heart of the deterministic scheduler: scheduling points, choices, the switch, and the life of
 * fibers and runs. What fibers wait for is in sched_wait.c and its neighbours. */
#include "sim/sched/sched.h"

#include <errno.h>
#include <string.h>

#include "hal/support/check.h"
#include "hal/support/hot.h"
#include "sim/sched/sched_internal.h"

#define STACK_FACTOR (SIM_ASAN ? 4u : 1u) /* instrumented frames are larger */
#define STACK_DEFAULT ((size_t)64 << 10)
#define STACK_MAIN_DEFAULT ((size_t)256 << 10)
#define STACK_MAX ((size_t)1 << 30)
#define QUIET_NS_DEFAULT (UINT64_C(600) * 1000000000)
#define DESCRIPTOR_MS_DEFAULT 1000

/* ---- choices ---- */

/* Recording or replaying: everything that is not a plain draw. */
static uint32_t choose_slowly(struct sched *s, uint32_t drawn, uint32_t n)
{
    uint32_t chosen = drawn;

    if (s->replays)
        chosen = s->choice_next < s->config.choice_count ? s->choices[s->choice_next++] % n : 0;
    if (s->config.on_choice)
        s->config.on_choice(s->config.arg, chosen, n);
    return chosen;
}

static uint32_t choose(struct sched *s, uint32_t n, uint64_t stay_mask)
{
    uint64_t r = 0;
    uint32_t drawn;

    s->choices_made++;
    if (!s->replays)
        r = hal_prng_next(&s->scheduling);
    /* Low bits say whether to consider it, high bits what: they do not overlap for any sane n. */
    drawn = r & stay_mask ? 0 : (uint32_t)(((unsigned __int128)r * n) >> 64);
    if (s->replays || s->config.on_choice)
        return choose_slowly(s, drawn, n);
    return drawn;
}

uint32_t sched_choose(struct sched *s, uint32_t n)
{
    CHECK(n > 0);
    return n == 1 ? 0 : choose(s, n, 0);
}

uint64_t sched_random(struct sched *s) { return hal_prng_next(&s->random); }

/* ---- switching ---- */

static struct sched_fiber *note_switch(struct sched *s, struct sched_fiber *to)
{
    struct sched_fiber *from = s->current;

    s->current = to;
    s->switches++;
    s->hash = hal_hash_word(s->hash, to->number);
    if (s->config.on_switch)
        s->config.on_switch(s->config.arg, from->number, to->number);
    return from;
}

/* One place for all switches: where the last one from here went to is where the next one goes. */
HAL_HOT static __attribute__((noinline)) void switch_to(struct sched *s, struct sched_fiber *to)
{
    struct sched_fiber *from = note_switch(s, to);

    if (from->wait == SCHED_ENDED)
        fiber_finish(&from->fiber, &to->fiber);
    fiber_switch(&from->fiber, &to->fiber);
}

void sched__set_attention(struct sched *s)
{
    s->attention = s->config.points_max ? s->config.points_max : UINT64_MAX;
    if (s->descriptor_count)
        s->attention = hal_min64(s->attention, s->points + SCHED_DESCRIPTOR_POINTS);
}

bool sched__exhausted(const struct sched *s)
{
    return s->config.points_max && s->points >= s->config.points_max;
}

/* The current fiber goes on, or one of those that can run as well, of which there are some. */
static void take_turns(struct sched *s)
{
    struct sched_fiber *to;
    uint32_t chosen = choose(s, s->ready_count + 1, s->stay_mask);

    if (chosen == 0)
        return;
    to = s->ready[chosen - 1];
    s->ready[chosen - 1] = s->current;
    switch_to(s, to);
}

/* A scheduling point with rare duties. */
static void attend(struct sched *s)
{
    if (s->no_switch)
        return;
    if (sched__exhausted(s))
        sched__to_host(s, -ETIME);
    if (s->descriptor_count)
        sched__poll_descriptors(s, 0);
    sched__set_attention(s);
    if (s->ready_count)
        take_turns(s);
}

void sched__point_busy(struct sched *s)
{
    if (s->points >= s->attention)
        attend(s);
    else
        take_turns(s);
}

void sched_point(struct sched *s)
{
    if (!sched__point_quiet(s))
        sched__point_busy(s);
}

void sched_stay_begin(struct sched *s) { s->no_switch++; }

void sched_stay_end(struct sched *s)
{
    CHECK(s->no_switch > 0);
    s->no_switch--;
}

HAL_HOT void sched__leave_to(struct sched *s)
{
    struct sched_fiber *to;
    uint32_t chosen;

    if (s->ready_count == 0)
        sched__idle(s);
    chosen = sched_choose(s, s->ready_count);
    to = s->ready[chosen];
    s->ready[chosen] = s->ready[--s->ready_count];
    if (to != s->current)
        switch_to(s, to);
}

void sched__to_host(struct sched *s, int result)
{
    s->run_result = result;
    if (s->current->wait == SCHED_ENDED && result == 0)
        fiber_finish(&s->current->fiber, &s->host);
    fiber_switch(&s->current->fiber, &s->host);
}

/* ---- life of a fiber ---- */

static void end_fiber(struct sched *s, struct sched_fiber *f)
{
    CHECK(f->held == 0); /* it ends with a mutex locked */
    f->wait = SCHED_ENDED;
    s->unjoined++;
    s->live--;
    if (f->joiner)
        sched__wake(s, f->joiner, 0);
}

static void fiber_body(void *arg)
{
    struct sched_fiber *f = arg;
    struct sched *s = f->s;

    f->body(f->arg);
    sched_point(s);
    end_fiber(s, f);
    if (s->live == 0)
        sched__to_host(s, 0);
    sched__leave(s);
    CHECK_UNREACHABLE();
}

static size_t ready_bytes(uint32_t fibers) { return fibers * sizeof(void *); }

/* So that waking a fiber never needs memory. */
static int make_room(struct sched *s, uint32_t fibers)
{
    struct sched_fiber **bigger;
    uint32_t room = s->ready_room ? s->ready_room * 2 : 16;

    if (fibers <= s->ready_room)
        return 0;
    bigger = sim_world_alloc(s->world, ready_bytes(room), 16);
    if (!bigger)
        return -ENOMEM;
    if (s->ready) {
        memcpy(bigger, s->ready, ready_bytes(s->ready_count));
        sim_world_free(s->world, s->ready, ready_bytes(s->ready_room));
    }
    s->ready = bigger;
    s->ready_room = room;
    return 0;
}

static struct sched_fiber *allocate_fiber(struct sched *s, size_t stack_size)
{
    struct sched_fiber *f = NULL;
    void *stack = sim_world_alloc(s->world, stack_size, 64);

    if (stack)
        f = sim_world_alloc(s->world, sizeof *f, 64);
    if (!f) {
        sim_world_free(s->world, stack, stack_size);
        return NULL;
    }
    f->stack_size = stack_size;
    fiber_init(&f->fiber, stack, stack_size, fiber_body, f);
    return f;
}

struct sched_fiber *sched__spawn(struct sched *s, const char *name, void (*body)(void *), void *arg,
                                 size_t stack_size)
{
    struct sched_fiber *f;

    if (make_room(s, s->live + 1))
        return NULL;
    f = allocate_fiber(s, stack_size);
    if (!f)
        return NULL;
    f->s = s;
    f->number = ++s->last_number;
    f->deadline = EXEC_FOREVER;
    f->body = body;
    f->arg = arg;
    strncpy(f->name, name, sizeof f->name - 1);
    sched__list_init(&f->queue);
    sched__list_init(&f->timed);
    sched__list_add(&s->all, &f->all);
    s->live++;
    return f;
}

void sched__free_fiber(struct sched *s, struct sched_fiber *f)
{
    sched__list_del(&f->all);
    fiber_fini(&f->fiber);
    sim_world_free(s->world, f->fiber.stack, f->stack_size);
    sim_world_free(s->world, f, sizeof *f);
}

/* ---- life of a run ---- */

/* Runs fibers from `first` on until something returns to the host. */
static int enter(struct sched *s, struct sched_fiber *first)
{
    fiber_adopt(&s->host);
    s->current = first;
    s->no_switch--;
    sim_world_enter(s->world);
    fiber_switch(&s->host, &first->fiber);
    sim_world_leave(s->world);
    s->no_switch++;
    s->paused_at = s->current;
    s->current = NULL;
    /* Nothing in the world may point to the host's stack. */
    memset(&s->host, 0, sizeof s->host);
    return s->run_result;
}

/* The fibers are abandoned: what they hold outside the world is not waited for any more. */
static void give_up(struct sched *s, int result)
{
    s->over = result;
    if (s->descriptor_count)
        sim_world_unpin(s->world, SCHED_DESCRIPTOR_PIN);
}

static int run(struct sched *s, struct sched_fiber *first)
{
    int result = enter(s, first);

    if (result == 0) {
        s->unjoined--;
        sched__free_fiber(s, s->main_fiber);
        s->main_fiber = NULL;
    } else if (result != -EAGAIN) {
        give_up(s, result);
    }
    return result;
}

int sched_run(struct sched *s, void (*body)(void *), void *arg)
{
    CHECK(!s->current && body);
    if (s->over)
        return s->over;
    CHECK(!s->main_fiber); /* paused: sched_resume goes on */
    s->main_fiber = sched__spawn(s, "main", body, arg, s->config.main_stack_size);
    return s->main_fiber ? run(s, s->main_fiber) : -ENOMEM;
}

int sched_resume(struct sched *s)
{
    CHECK(!s->current && s->main_fiber && s->run_result == -EAGAIN);
    return run(s, s->paused_at);
}

void sched_pause(struct sched *s)
{
    CHECK(s->current);
    sched__to_host(s, -EAGAIN);
}

/* ---- life of a scheduler ---- */

/* What the stacks do not hold at the moment need not be copied into a snapshot. */
static size_t dead_stacks(void *arg, struct sim_world_hole *out, size_t max)
{
    struct sched *s = arg;
    size_t count = 0;

    for (struct sched_link *l = s->all.next; l != &s->all; l = l->next) {
        struct sim_world_hole hole = {0};

        hole.size = fiber_dead_stack(&SCHED_FIBER_OF(l, all)->fiber, &hole.start);
        if (hole.size == 0)
            continue;
        if (count < max)
            out[count] = hole;
        count++;
    }
    return count;
}

static bool stack_size_ok(size_t size)
{
    return size == 0 || (size >= FIBER_STACK_MIN && size <= STACK_MAX);
}

static bool config_ok(const struct sched_config *cfg)
{
    return stack_size_ok(cfg->stack_size) && stack_size_ok(cfg->main_stack_size) &&
           cfg->stickiness <= 16 && (cfg->choices || !cfg->choice_count);
}

static void fill_defaults(struct sched_config *cfg)
{
    if (!cfg->stack_size)
        cfg->stack_size = STACK_DEFAULT * STACK_FACTOR;
    if (!cfg->main_stack_size)
        cfg->main_stack_size = STACK_MAIN_DEFAULT * STACK_FACTOR;
    if (!cfg->quiet_ns_max)
        cfg->quiet_ns_max = QUIET_NS_DEFAULT;
    if (!cfg->descriptor_ms_max)
        cfg->descriptor_ms_max = DESCRIPTOR_MS_DEFAULT;
    cfg->stack_size = hal_align_up(cfg->stack_size, 64);
    cfg->main_stack_size = hal_align_up(cfg->main_stack_size, 64);
}

static int copy_choices(struct sched *s)
{
    size_t size = s->config.choice_count * sizeof *s->choices;

    s->replays = s->config.choices;
    if (!size)
        return 0;
    s->choices = sim_world_alloc(s->world, size, 16);
    if (!s->choices)
        return -ENOMEM;
    memcpy(s->choices, s->config.choices, size);
    s->config.choices = NULL; /* it leads out of the world */
    return 0;
}

static void init_lists(struct sched *s)
{
    sched__list_init(&s->timed);
    sched__list_init(&s->all);
    sched__list_init(&s->descriptors);
    for (int i = 0; i < SCHED_KEY_BUCKETS; i++)
        sched__list_init(&s->keys[i]);
}

int sched_create(struct sim_world *w, const struct sched_config *cfg, struct sched **out)
{
    static const struct sched_config all_defaults;
    struct sched *s;

    if (!cfg)
        cfg = &all_defaults;
    if (!config_ok(cfg))
        return -EINVAL;
    s = sim_world_alloc(w, sizeof *s, 64);
    if (!s)
        return -ENOMEM;
    s->world = w;
    s->config = *cfg;
    fill_defaults(&s->config);
    init_lists(s);
    exec_init(&s->exec, &sched__exec_ops);
    s->ticks = &s->time;
    s->tick_ns = 1;
    s->no_switch = 1;
    s->stay_mask = HAL_BIT(cfg->stickiness) - 1;
    s->hash = HAL_HASH_START;
    s->deadline_min = EXEC_FOREVER;
    hal_prng_seed(&s->scheduling, cfg->seed, SCHED_STREAM_SCHEDULING);
    hal_prng_seed(&s->entropy, cfg->seed, SCHED_STREAM_ENTROPY);
    hal_prng_seed(&s->random, cfg->seed, SCHED_STREAM_RANDOM);
    sched__set_attention(s);
    sim_world_add_holes(w, dead_stacks, NULL, s);
    if (copy_choices(s) || make_room(s, 1)) {
        sched_destroy(s);
        return -ENOMEM;
    }
    *out = s;
    return 0;
}

void sched_destroy(struct sched *s)
{
    if (!s)
        return;
    CHECK(!s->current);
    if (s->descriptor_count && !s->over) /* a paused run */
        sim_world_unpin(s->world, SCHED_DESCRIPTOR_PIN);
    while (!sched__list_empty(&s->all))
        sched__free_fiber(s, SCHED_FIBER_OF(s->all.next, all));
    sim_world_remove_holes(s->world, s);
    sim_world_free(s->world, s->ready, ready_bytes(s->ready_room));
    sim_world_free(s->world, s->choices, s->config.choice_count * sizeof *s->choices);
    sim_world_free(s->world, s, sizeof *s);
}

/* ---- questions ---- */

struct exec *sched_exec(struct sched *s) { return &s->exec; }

unsigned sched_self(const struct sched *s) { return s->current ? s->current->number : 0; }

const char *sched_fiber_name(const struct sched *s, unsigned number)
{
    for (struct sched_link *l = s->all.next; l != &s->all; l = l->next)
        if (SCHED_FIBER_OF(l, all)->number == number)
            return SCHED_FIBER_OF(l, all)->name;
    return "?";
}

void **sched_local(struct sched *s) { return s->current ? &s->current->local : &s->host_local; }

bool sched_any_ready(const struct sched *s) { return s->ready_count > 0; }

struct sched_stats sched_stats(const struct sched *s)
{
    return (struct sched_stats){
        .hash = s->hash,
        .points = s->points,
        .switches = s->switches,
        .choices = s->choices_made,
        .live = s->live,
        .unjoined = s->unjoined,
    };
}
