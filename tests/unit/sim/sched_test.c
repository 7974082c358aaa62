/* SPDX-License-Identifier: Apache-2.0 */
/* The deterministic scheduler: one seed one schedule, choices and their replay, who is woken first,
 * identity of fibers, what the host may do. What every execution back end must do is in
 * tests/conformance. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "tests/unit/sim/sched_fixture.h"

/* ---- schedules ---- */

Test(sched, one_seed_gives_one_schedule)
{
    uint64_t hash = contended_run(1);

    for (int i = 0; i < 1000; i++)
        cr_assert_eq(contended_run(1), hash);
}

/* The number that every machine, compiler and sanitizer must arrive at. */
Test(sched, the_schedule_is_the_same_on_every_machine)
{
    uint64_t hash = contended_run(20240607);

    cr_assert_eq(hash, UINT64_C(0x55ca2fcba34c7b1c), "%016llx", (unsigned long long)hash);
}

Test(sched, many_seeds_give_many_schedules)
{
    static uint64_t hash[1000];

    for (uint64_t i = 0; i < 1000; i++)
        hash[i] = contended_run(i);
    cr_assert_geq(distinct(hash, 1000), 990);
}

/* ---- every interleaving of a small program ---- */

static char letters[8];
static size_t letter_count;

static void letter(void *arg)
{
    const char *text = arg;

    for (size_t i = 0; text[i]; i++) {
        exec_yield(e);
        letters[letter_count++] = text[i];
    }
}

static void two_letters(void *arg)
{
    struct exec_thread *a, *b;

    (void)arg;
    a = spawn("a", letter, (void *)(uintptr_t) "abc");
    b = spawn("b", letter, (void *)(uintptr_t) "xyz");
    exec_thread_join(e, a);
    exec_thread_join(e, b);
}

Test(sched, all_interleavings_come_up)
{
    static uint64_t seen[2000];

    for (uint64_t seed = 0; seed < 2000; seed++) {
        memset(letters, 0, sizeof letters);
        letter_count = 0;
        run_seed(seed, two_letters, NULL);
        cr_assert_eq(letter_count, 6);
        memcpy(&seen[seed], letters, sizeof seen[0]);
    }
    cr_assert_eq(distinct(seen, 2000), 20); /* 6 over 3 */
}

/* ---- recorded choices ---- */

struct tape {
    uint32_t choice[4096], alternatives[4096];
    size_t count;
};

static void record(void *arg, uint32_t chosen, uint32_t alternatives)
{
    struct tape *t = arg;

    cr_assert_lt(chosen, alternatives);
    t->choice[t->count] = chosen;
    t->alternatives[t->count++] = alternatives;
}

static uint64_t contended_order(const struct sched_config *cfg, uint64_t *hash)
{
    struct contended c = {.order = 0};

    open_sched(cfg);
    cr_assert_eq(sched_run(s, contended_main, &c), 0);
    *hash = sched_stats(s).hash;
    close_sched();
    return c.order;
}

static void check_replay(unsigned stickiness)
{
    static struct tape tape;
    struct sched_config live = {.on_choice = record, .arg = &tape, .stickiness = stickiness};
    struct sched_config again = {.choices = tape.choice};
    uint64_t hash, hash_again, order;

    for (live.seed = 0; live.seed < 50; live.seed++) {
        tape.count = 0;
        order = contended_order(&live, &hash);
        again.seed = live.seed + 1000; /* it has no say */
        again.choice_count = tape.count;
        cr_assert_eq(contended_order(&again, &hash_again), order);
        cr_assert_eq(hash_again, hash);
    }
}

Test(sched, choices_replay_without_the_seed) { check_replay(0); }

Test(sched, choices_replay_under_stickiness) { check_replay(3); }

struct draws {
    struct exec_atomic done;
    uint64_t value[20];
};

static void draw_some(void *arg)
{
    struct draws *d = arg;

    for (int i = 0; i < 10; i++)
        d->value[exec_atomic_add(e, &d->done, 1)] = sched_random(s) ^ exec_entropy(e);
}

static void draw_in_two(void *arg)
{
    struct exec_thread *t = spawn("draws", draw_some, arg);

    draw_some(arg);
    exec_thread_join(e, t);
}

Test(sched, a_replayed_list_keeps_the_random_numbers)
{
    static struct tape tape;
    struct sched_config live = {.seed = 8, .on_choice = record, .arg = &tape};
    struct sched_config again = {.seed = 8, .choices = tape.choice};
    struct draws a = {.done = {0}}, b = {.done = {0}};

    open_sched(&live);
    cr_assert_eq(sched_run(s, draw_in_two, &a), 0);
    close_sched();
    again.choice_count = tape.count;
    open_sched(&again);
    cr_assert_eq(sched_run(s, draw_in_two, &b), 0);
    close_sched();
    cr_assert_arr_eq(a.value, b.value, sizeof a.value);
}

Test(sched, any_list_of_choices_is_a_schedule)
{
    static const uint32_t zeros[1], wild[] = {77, 1000000, 3, UINT32_MAX, 5, 9, 2};
    struct sched_config cfg = {.choices = zeros};
    uint64_t tame, hash;

    /* An empty list: everybody goes on as long as it can. */
    contended_order(&cfg, &tame);
    cfg.choice_count = 1;
    contended_order(&cfg, &hash);
    cr_assert_eq(hash, tame);
    cfg.choices = wild;
    cfg.choice_count = sizeof wild / sizeof wild[0];
    contended_order(&cfg, &hash);
    cr_assert_neq(hash, tame);
}

static void record_switch(void *arg, unsigned from, unsigned to)
{
    struct tape *t = arg;

    cr_assert_neq(from, to);
    cr_assert(t->count == 0 || t->choice[t->count - 1] == from);
    t->choice[t->count++] = to;
}

Test(sched, every_switch_is_told)
{
    static struct tape tape;
    struct sched_config cfg = {.seed = 3, .on_switch = record_switch, .arg = &tape};
    struct contended c = {.order = 0};

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, contended_main, &c), 0);
    cr_assert_eq(sched_stats(s).switches, tape.count);
    cr_assert_gt(tape.count, 20);
    close_sched();
}

static void draw(void *arg)
{
    uint64_t *out = arg;

    for (int i = 0; i < 8; i++)
        out[i] = i % 2 ? sched_random(s) : exec_entropy(e);
}

Test(sched, random_and_entropy_come_from_the_seed)
{
    uint64_t a[8], b[8];

    run_seed(5, draw, a);
    run_seed(5, draw, b);
    cr_assert_arr_eq(a, b, sizeof a);
    run_seed(6, draw, b);
    for (int i = 0; i < 8; i++)
        cr_assert_neq(a[i], b[i]);
}

static void choose_often(void *arg)
{
    unsigned *seen = arg;

    for (int i = 0; i < 300; i++)
        seen[sched_choose(s, 3)]++;
    cr_assert_eq(sched_choose(s, 1), 0);
}

Test(sched, choose_covers_its_range)
{
    unsigned seen[3] = {0, 0, 0};

    run_seed(1, choose_often, seen);
    for (int i = 0; i < 3; i++)
        cr_assert_gt(seen[i], 60);
}

Test(sched, stickiness_makes_switches_rare)
{
    struct sched_config cfg = {.stickiness = 4};
    struct contended c = {.order = 0};
    uint64_t points, switches;

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, contended_main, &c), 0);
    points = sched_stats(s).points;
    switches = sched_stats(s).switches;
    cr_assert_lt(switches * 3, points);
    close_sched();
}

struct signalled {
    struct exec_mutex lock;
    struct exec_cond never;
    unsigned returned;
};

static void wait_without_signal(void *arg)
{
    struct signalled *m = arg;

    exec_mutex_init(e, &m->lock, "lock");
    exec_cond_init(e, &m->never, "never");
    exec_mutex_lock(e, &m->lock);
    for (int i = 0; i < 400; i++)
        m->returned += exec_cond_wait(e, &m->never, &m->lock, exec_now(e) + 10, false) == 0;
    exec_mutex_unlock(e, &m->lock);
}

Test(sched, spurious_wakeups_only_if_asked_for)
{
    struct sched_config cfg = {.spurious_one_in = 4};
    struct signalled m = {.returned = 0};

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, wait_without_signal, &m), 0);
    cr_assert(m.returned > 50 && m.returned < 150);
    close_sched();
    m.returned = 0;
    run_seed(0, wait_without_signal, &m);
    cr_assert_eq(m.returned, 0);
}

/* ---- fairness of waking ---- */

struct queue {
    struct exec_mutex lock;
    struct exec_cond go;
    unsigned waiting;
    unsigned first; /* of those that were woken */
};

static void wait_in_queue(void *arg)
{
    struct queue *q = arg;

    exec_mutex_lock(e, &q->lock);
    q->waiting++;
    (void)!exec_cond_wait(e, &q->go, &q->lock, EXEC_FOREVER, false);
    if (!q->first)
        q->first = sched_self(s);
    exec_mutex_unlock(e, &q->lock);
}

static void signal_queue(void *arg)
{
    struct queue *q = arg;
    struct exec_thread *t[3];

    exec_mutex_init(e, &q->lock, "queue");
    exec_cond_init(e, &q->go, "go");
    for (int i = 0; i < 3; i++)
        t[i] = spawn("waiter", wait_in_queue, q);
    while (q->waiting < 3)
        exec_yield(e);
    exec_mutex_lock(e, &q->lock); /* so that the last one does wait */
    exec_mutex_unlock(e, &q->lock);
    exec_cond_signal(e, &q->go);
    while (!q->first)
        exec_yield(e);
    exec_cond_broadcast(e, &q->go);
    for (int i = 0; i < 3; i++)
        exec_thread_join(e, t[i]);
}

Test(sched, no_waiter_is_first_by_right)
{
    unsigned first[8] = {0};

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct queue q = {.first = 0};

        run_seed(seed, signal_queue, &q);
        first[q.first]++;
    }
    for (unsigned i = 2; i <= 4; i++)
        cr_assert_gt(first[i], 30, "fiber %u", i);
}

/* ---- identity ---- */

static void check_identity(void *arg)
{
    unsigned *numbers = arg;

    exec_yield(e);
    numbers[sched_self(s)]++;
    cr_assert_null(*sched_local(s));
    *sched_local(s) = &numbers[sched_self(s)];
    exec_yield(e);
    cr_assert_eq(*sched_local(s), &numbers[sched_self(s)]);
}

static void spawn_and_check(void *arg)
{
    struct exec_thread *t[3];
    char name[40] = "a name that is far too long for it";

    cr_assert_eq(sched_self(s), 1);
    cr_assert_str_eq(sched_fiber_name(s, 1), "main");
    for (int i = 0; i < 3; i++)
        t[i] = spawn(name, check_identity, arg);
    memset(name, 'x', sizeof name - 1);
    cr_assert_str_eq(sched_fiber_name(s, 2), "a name that is far too ");
    cr_assert_str_eq(sched_fiber_name(s, 99), "?");
    for (int i = 0; i < 3; i++)
        exec_thread_join(e, t[i]);
}

Test(sched, fibers_have_numbers_names_and_a_word)
{
    unsigned numbers[8] = {0};

    open_seed(1);
    cr_assert_eq(sched_self(s), 0);
    *sched_local(s) = numbers;
    cr_assert_eq(sched_run(s, spawn_and_check, numbers), 0);
    cr_assert_eq(*sched_local(s), numbers);
    cr_assert_eq(sched_self(s), 0);
    cr_assert(numbers[2] == 1 && numbers[3] == 1 && numbers[4] == 1);
    cr_assert_eq(sched_stats(s).live, 0);
    close_sched();
}

static void nothing(void *arg) { (void)arg; }

static void leave_one_unjoined(void *arg)
{
    (void)arg;
    spawn("forgotten", nothing, NULL);
    exec_thread_join(e, spawn("joined", nothing, NULL));
}

Test(sched, threads_that_nobody_joined_are_counted_and_freed)
{
    open_seed(1);
    cr_assert_eq(sched_run(s, leave_one_unjoined, NULL), 0);
    cr_assert_eq(sched_stats(s).unjoined, 1);
    cr_assert_not_null(strstr(report(), "2 \"forgotten\" has ended and was not joined\n"));
    close_sched();
}

static void hundred(void *arg)
{
    static struct exec_thread *t[100];

    (void)arg;
    for (int i = 0; i < 100; i++)
        t[i] = spawn("one of many", nothing, NULL);
    for (int i = 0; i < 100; i++)
        exec_thread_join(e, t[i]);
}

Test(sched, many_threads) { run_seed(1, hundred, NULL); }

/* ---- host ---- */

Test(sched, the_host_prepares_what_cannot_block)
{
    struct exec_mutex m;
    struct exec_cond c;
    struct exec_atomic a = {0};
    struct exec_thread *t = NULL;
    void *p;

    open_seed(1);
    exec_mutex_init(e, &m, "m");
    exec_cond_init(e, &c, "c");
    p = exec_alloc(e, 100, 64);
    exec_atomic_store(e, &a, exec_now(e) + 5);
    cr_assert_eq(exec_atomic_load(e, &a), 5);
    cr_assert_eq(exec_thread_create(e, "early", nothing, NULL, &t), 0);
    cr_assert_eq(sched_run(s, nothing, NULL), 0);
    exec_thread_join(e, t);
    cr_assert_eq(sched_run(s, nothing, NULL), 0);
    exec_free(e, p, 100);
    exec_cond_fini(e, &c);
    exec_mutex_fini(e, &m);
    close_sched();
}

Test(sched, the_host_cannot_lock, .signal = SIGABRT)
{
    struct exec_mutex m;

    open_seed(1);
    exec_mutex_init(e, &m, "m");
    exec_mutex_lock(e, &m);
}

Test(sched, refuses_wrong_configurations)
{
    struct sched_config tiny = {.stack_size = 100}, sticky = {.stickiness = 17};
    struct sched_config no_list = {.choice_count = 1};
    struct sim_world *small;
    struct sched *none;

    cr_assert_eq(sim_world_create((size_t)1 << 16, &small), 0);
    cr_assert_eq(sched_create(small, &tiny, &none), -EINVAL);
    cr_assert_eq(sched_create(small, &sticky, &none), -EINVAL);
    cr_assert_eq(sched_create(small, &no_list, &none), -EINVAL);
    cr_assert_eq(sched_create(small, NULL, &none), 0);
    cr_assert_eq(sched_run(none, nothing, NULL), -ENOMEM); /* no room for the stack */
    sched_destroy(none);
    cr_assert_eq(sim_world_blocks(small), 0);
    sim_world_destroy(small);
}

static void create_until_full(void *arg)
{
    unsigned *count = arg;
    struct exec_thread *t[4096];
    int rc;

    while ((rc = exec_thread_create(e, "one more", nothing, NULL, &t[*count])) == 0)
        ++*count;
    cr_assert_eq(rc, -ENOMEM);
    for (unsigned i = 0; i < *count; i++)
        exec_thread_join(e, t[i]);
}

Test(sched, a_full_world_has_no_threads)
{
    unsigned count = 0;

    run_seed(0, create_until_full, &count);
    cr_assert_gt(count, 100);
}

static void end_with_lock(void *arg)
{
    exec_mutex_init(e, arg, "kept");
    exec_mutex_lock(e, arg);
}

Test(sched, a_thread_must_not_end_with_a_mutex, .signal = SIGABRT)
{
    struct exec_mutex m;

    open_seed(1);
    (void)!sched_run(s, end_with_lock, &m);
}
