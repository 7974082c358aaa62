/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/random_requests.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "core/adapter/picture.h"
#include "sim/check/sim_check.h"
#include "sim/sim_media.h"
#include "tests/scenario/random_requests_driver.h"
#include "tests/scenario/random_requests_steps.h"
#include "tests/testlib/stack.h"

/* ---- the LUNs: few chunks, so that they are always short; both block sizes; one on which LXT
 * arrays change their place ---- */

enum { TAIL = 100 }; /* blocks that no chunk has */

static const struct {
    unsigned chunks, ports;
    uint32_t block_size;
} luns[RR_LUNS] = {{7, 3, 4096}, {18, 3, 512}, {4, 3, 4096}, {5, 3, 512}, {3, 2, 4096}};

static struct sim_media *make_media(void)
{
    struct sim_media_lun made[RR_LUNS] = {{0}};
    struct sim_media_opts opts = {.luns = made, .n_luns = RR_LUNS};
    struct sim_media *media;
    char why[SIM_MEDIA_WHY_BYTES];

    for (unsigned i = 0; i < RR_LUNS; i++) {
        made[i].blocks = (uint64_t)luns[i].chunks * SPIPE_CHUNK_BLOCKS + TAIL;
        made[i].block_size = luns[i].block_size;
        made[i].port_mask = (uint8_t)luns[i].ports;
        sim_media_make_wwid(1, i, made[i].wwid);
    }
    cr_assert_eq(sim_media_create(&opts, &media, why, sizeof why), 0, "%s", why);
    return media;
}

static void fill_books(struct stack *s, struct rr_books *books)
{
    for (unsigned i = 0; i < RR_LUNS; i++) {
        struct rr_lun *lun = &books->lun[i];
        struct spipe_lun_info info;

        cr_assert_eq(spipe_lun_info(s->adapter, i, &info), 0);
        sim_media_make_wwid(1, i, lun->wwid);
        cr_assert_arr_eq(info.wwid, lun->wwid, sizeof lun->wwid);
        lun->chunks = luns[i].chunks;
        lun->ports = luns[i].ports;
        lun->block_size = luns[i].block_size;
        lun->last_lba = (uint64_t)luns[i].chunks * SPIPE_CHUNK_BLOCKS + TAIL - 1;
    }
}

/* ---- a worker ---- */

enum { ONLY_WITH_RESETS = 2 }; /* the last steps */

static const struct {
    unsigned weight;
    rr_step *step;
} steps[] = {
    {100, rr_step_io},        {6, rr_step_io_beyond}, {24, rr_step_open_virtual},
    {8, rr_step_open_direct}, {24, rr_step_resize},   {12, rr_step_release},
    {6, rr_step_verify},      {12, rr_step_clone},    {14, rr_step_attach},
    {5, rr_step_detach},      {3, rr_step_recover},   {12, rr_step_file},
    {8, rr_step_name},        {3, rr_step_manage},    {3, rr_step_look},
    {2, rr_step_cousin},      {2, rr_step_guest},     {18, rr_step_misuse},
    {1, rr_step_die},         {30, rr_step_lost},     {1, rr_step_reset},
};

static rr_step *draw_step(struct rr_worker *w)
{
    unsigned kinds = sizeof steps / sizeof *steps - (w->resets ? 0 : ONLY_WITH_RESETS);
    unsigned total = 0, n, i = 0;

    for (unsigned k = 0; k < kinds; k++)
        total += steps[k].weight;
    n = rr_draw(w, total);
    while (n >= steps[i].weight)
        n -= steps[i++].weight;
    return steps[i].step;
}

static void one_step(struct rr_worker *w)
{
    struct rr_actor *a = &w->actor[rr_draw(w, RR_ACTORS)];

    if (a->client)
        draw_step(w)(w, a);
    else
        rr_be_born(w, a);
}

static void work(void *arg)
{
    struct rr_worker *w = arg;

    while (w->left > 0)
        one_step(w);
    for (unsigned i = 0; i < RR_ACTORS; i++)
        if (w->actor[i].client)
            rr_step_die(w, &w->actor[i]);
    rr_name_end(w);
}

static void start(struct stack *s, struct rr_worker *w, const struct random_requests *r)
{
    w->stack = s;
    w->exec = s->exec;
    w->seed = r->seed;
    w->left = r->requests / RR_WORKERS;
    w->faults = r->failing_syncs;
    w->resets = r->resets || r->failing_syncs;
    w->asks = r->resets;
    w->sq = r->interface_version >> 62 & 1; /* SL 20.2 */
    hal_prng_seed(&w->rng, r->seed, 100 + w->number);
    w->memory = exec_alloc(s->exec, sizeof *w->memory, 4096);
    cr_assert_not_null(w->memory);
    cr_assert_eq(
        hal_mem_register(sim_host_device(s->host, 0), w->memory, sizeof *w->memory, "worker"), 0);
    cr_assert_eq(exec_thread_create(s->exec, "worker", work, w, &w->thread), 0);
}

static void end(struct stack *s, struct rr_worker *w)
{
    exec_thread_join(s->exec, w->thread);
    hal_mem_release(sim_host_device(s->host, 0), w->memory);
    exec_free(s->exec, w->memory, sizeof *w->memory);
}

/* ---- a run ---- */

/* Wipes what still waits for that. */
static void wipe_the_rest(struct stack *s, unsigned lun)
{
    struct stack_client c;
    uint32_t handle;
    uint64_t last;

    cr_assert_eq(spipe_lun_enable(s->adapter, lun, RR_MANAGED_PORT), 0);
    stack_client(s, &c, lun, 4, false);
    cr_assert_eq(spipe_open_direct(c.ctx, lun, RR_MANAGED_PORT, &handle, &last), 0);
    rr_io_judge_leftovers(&c, handle, luns[lun].chunks);
    spipe_client_destroy(c.client);
}

/* INV-26, as anybody can see it; the checker looks from inside. */
static void expect_nothing_left(struct stack *s, const struct random_requests *r)
{
    for (unsigned i = 0; i < RR_LUNS; i++) {
        struct spipe_lun_info info;

        cr_assert_eq(spipe_lun_info(s->adapter, i, &info), 0);
        cr_assert_eq(info.users, 0);
        if (r->failing_syncs) /* what is in quarantine waits for somebody to ask for it */
            continue;
        wipe_the_rest(s, i);
        cr_assert_eq(spipe_lun_info(s->adapter, i, &info), 0);
        cr_assert_eq(info.mode, SPIPE_LUN_NONE);
        cr_assert_eq(info.free_chunks, luns[i].chunks);
    }
}

static int picture(void *adapter, const uint64_t *only, struct hal_picture_room *room,
                   const struct hal_picture **out)
{
    return spipe_picture_inside(adapter, only, room, out);
}

static void check_seldom(struct stack *s)
{
    struct sim_check_config config = {.picture = picture, .arg = s->adapter, .quiet_only = true};

    cr_assert_eq(sim_check_start(sim_host_afu(s->host, 0), &config, &s->check), 0);
}

/* Mostly one sync in some hundred is refused, now and then two in a row; a lost one costs everybody
 * 10 s. In long runs there are three failures in a row now and then, and the adapter resets itself
 * (R-15). */
static void plan_faults(struct stack *s, uint64_t seed)
{
    char plan[FAULT_RULES_MAX * 32] = "", why[128];
    size_t length = 0;
    struct hal_prng rng;
    uint64_t hit = 0;

    hal_prng_seed(&rng, seed, 99);
    for (unsigned i = 0; i < FAULT_RULES_MAX; i++) {
        bool lost = hal_prng_below(&rng, 8) == 0;
        unsigned times = lost ? 1 : 1 + (unsigned)hal_prng_below(&rng, 2);

        hit += 20 + hal_prng_below(&rng, 150);
        length += (size_t)snprintf(plan + length, sizeof plan - length, "%safucmd#%llux%u=%c",
                                   i ? "+" : "", (unsigned long long)hit, times, lost ? 'd' : 'x');
    }
    cr_assert_eq(sim_faults_load(sim_afu_faults(sim_host_afu(s->host, 0)), plan, why, sizeof why),
                 0, "%s", why);
}

/* ---- answers ---- */

/* Requests for a run to meet everything that follows, and what is rare. */
enum { ENOUGH = 30000, LONG = 200000 };

struct wanted {
    const char *what;
    int rc;
};

/* What a run must have met to be worth anything. */
static const struct wanted wanted[] = {
    {"open_virtual", 0},
    {"open_virtual", -EINVAL},
    {"open_virtual", -ENOSPC},
    {"open_virtual to be wiped", 0},
    {"open_virtual to be wiped", -ENOSPC},
    {"USER_VIRTUAL to be wiped", 0},
    {"USER_VIRTUAL", 0},
    {"USER_VIRTUAL", -ENOSPC},
    {"resize", 0},
    {"resize", -ENOSPC},
    {"VLUN_RESIZE", 0},
    {"open_direct", 0},
    {"open_direct", -EINVAL},
    {"USER_DIRECT", 0},
    {"release", 0},
    {"RELEASE", 0},
    {"clone", 0},
    {"clone", -EINVAL},
    {"VLUN_CLONE", 0},
    {"clone by a cousin", 0},
    {"a guest", 0},
    {"clone by a cousin", -EINVAL},
    {"detach", 0},
    {"DETACH", 0},
    {"verify", 0},
    {"VERIFY", 0},
    {"VERIFY", -EIO},
    {"attach_lun", 0},
    {"ATTACH with reuse", 0},
    {"RECOVER_AFU", 0},
    {"RECOVER_AFU", -EINVAL},
    {"lun_disable", 0},
    {"lun_disable", -EBUSY},
    {"MANAGE_LUN", 0},
    {"MANAGE_LUN", -EBUSY},

    {"name_set", 0},
    {"name_open", 0},
    {"name_remove", 0},
    {"map", 0},
    {"map", -EIO},
    {"close", 0},
    {"read", 0},
    {"written", 0},
    {"beyond", -EIO},
    {"a context that is not its own", -EINVAL},
    {"a handle that is none", -EINVAL},
    {"a file that is not its own", -EBADF},
    {"a handle of another LUN", -EINVAL},
    {NULL, 0},
};

/* And one with resets. */
static const struct wanted wanted_with_resets[] = {
    {"reset by another thread", 0},
    {"looks whether it is lost", true},
    {"recovered", false}, /* typed */
    {"recovered", true},  /* binary */
    {"recover", 0},
    {"as it was", false},
    {"written", -EIO},
    {"read", -EIO},
    {"submit", -ENODEV},
    {"map of an old file", -EIO},
    {"resize of a lost context", 0},
    {"release of a lost context", 0},
    {"detach of a lost context", 0},
    {"asked of a lost context", 0},
    {"asked of a lost context", 1},
    {"asked of a lost context", 2},
    {"asked of a lost context", 3},
    {"asked of a lost context", 4},
    {"asked of a lost context", 5},
    {"asked of a lost context", 6},
    {NULL, 0},
};

/* What takes a reset in the middle of I/O of the right client comes five times in 32,500 requests,
 * so that one run in a hundred of that length would miss it by chance. */
static const struct wanted wanted_with_resets_in_long_runs[] = {
    {"recover", -EBUSY},
    {"I/O of a lost context", -EIO},
    {NULL, 0},
};

static void judge_met(const struct rr_answer *all, const struct wanted *list, uint64_t seed)
{
    for (const struct wanted *l = list; l->what; l++)
        cr_assert_gt(rr_answer_times(all, l->what, l->rc), 0,
                     "seed %llu: \"%s\" never ended with %d", (unsigned long long)seed, l->what,
                     l->rc);
}

static void judge_answers(const struct rr_worker *workers, const struct random_requests *r)
{
    struct rr_answer all[RR_ANSWERS] = {{0}};

    for (unsigned i = 0; i < RR_WORKERS; i++)
        for (const struct rr_answer *a = workers[i].answer; a->what; a++)
            rr_answer_add(all, a->what, a->rc, a->times);
    for (const struct rr_answer *a = all; a->what && r->told; a++)
        fprintf(stderr, "%10llu %s = %d\n", (unsigned long long)a->times, a->what, a->rc);
    if (r->requests < ENOUGH)
        return;
    judge_met(all, wanted, r->seed);
    if (r->resets)
        judge_met(all, wanted_with_resets, r->seed);
    if (r->resets && r->requests >= LONG)
        judge_met(all, wanted_with_resets_in_long_runs, r->seed);
}

static void run(struct stack *s, void *arg)
{
    const struct random_requests *r = arg;
    struct rr_worker *w = exec_alloc(s->exec, RR_WORKERS * sizeof *w, 64);
    struct rr_books *books = exec_alloc(s->exec, sizeof *books, 64);

    cr_assert(w && books);
    if (r->seldom)
        check_seldom(s);
    fill_books(s, books);
    exec_mutex_init(s->exec, &books->nursery, "nursery");
    rr_resets_begin(s->exec, &books->resets);
    if (r->failing_syncs)
        plan_faults(s, r->seed);
    for (unsigned i = 0; i < RR_WORKERS; i++) {
        w[i].books = books;
        w[i].number = i;
        start(s, &w[i], r);
    }
    for (unsigned i = 0; i < RR_WORKERS; i++)
        end(s, &w[i]);
    rr_resets_end(s->exec, &books->resets);
    expect_nothing_left(s, r);
    judge_answers(w, r);
    exec_mutex_fini(s->exec, &books->nursery);
    exec_free(s->exec, books, sizeof *books);
    exec_free(s->exec, w, RR_WORKERS * sizeof *w);
}

uint64_t random_requests_run(const struct random_requests *r)
{
    struct sim_media *media = make_media();
    struct random_requests copy = *r;
    struct stack_setup setup = {.seed = r->seed,
                                .media = media,
                                .threads = r->threads,
                                .interface_version = r->interface_version,
                                .unchecked = r->seldom};
    uint64_t hash = stack_run(&setup, run, &copy);

    sim_media_close(media);
    return hash;
}
