/* SPDX-License-Identifier: Apache-2.0 */
/* The invariant checkers over the whole stack: they are silent while requests of several clients
 * run at random, with and without failing AFU syncs, and each defect that a test plants in front of
 * the AFU is found by the checker it is meant for. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/picture.h"
#include "hal/afu_regs.h"
#include "hal/afu_tables.h"
#include "hal/support/prng.h"
#include "sim/check/sim_check.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"
#include "tests/testlib/test_seed.h"

TestSuite(invariants, .timeout = 120);

enum { CHUNKS = 12, CLIENTS = 3, HANDLES = 3, STEPS = 40 };

/* ---- requests at random ------------------------------------------------------------------------
 */

struct worker {
    struct stack *stack;
    struct stack_client client;
    struct exec_thread *thread;
    struct hal_prng rng;
    unsigned number;
    uint32_t handle[HANDLES];
    unsigned lun[HANDLES];
    bool open[HANDLES];
    void *page;
};

static bool one_of(int rc, const int *allowed)
{
    for (; *allowed; allowed++)
        if (rc == *allowed)
            return true;
    return rc == 0;
}

#define ONE_OF(rc, ...) cr_assert(one_of(rc, (const int[]){__VA_ARGS__, 0}), "%d", rc)

static int open_any(struct worker *w, unsigned i)
{
    struct spipe_name_info info;
    uint64_t last;
    unsigned lun;
    char name[8];

    snprintf(name, sizeof name, "n%u", (unsigned)hal_prng_below(&w->rng, 2));
    switch (hal_prng_below(&w->rng, 6)) {
    case 0:
        w->lun[i] = 1;
        return spipe_open_direct(w->client.ctx, 1, SPIPE_PORT_ANY, &w->handle[i], &last);
    case 1:
        if (spipe_name_stat(w->stack->adapter, name, &info, &lun))
            return -ENOENT;
        w->lun[i] = lun; /* unless it moves meanwhile */
        return spipe_name_open(w->client.ctx, name, &w->handle[i], &last);
    default:
        w->lun[i] = (unsigned)hal_prng_below(&w->rng, 2);
        return spipe_open_virtual(w->client.ctx, w->lun[i], hal_prng_below(&w->rng, 4) * 65536,
                                  &w->handle[i], &last);
    }
}

static void open_one(struct worker *w, unsigned i)
{
    int rc = open_any(w, i);

    ONE_OF(rc, -EINVAL, -EIO, -ENOENT, -ENOSPC, -EAGAIN);
    w->open[i] = rc == 0;
}

static void change_one(struct worker *w, unsigned i)
{
    uint64_t last;
    char name[8];

    snprintf(name, sizeof name, "n%u", (unsigned)hal_prng_below(&w->rng, 2));
    switch (hal_prng_below(&w->rng, 6)) {
    case 0:
        ONE_OF(spipe_name_set(w->client.ctx, w->handle[i], name, 0), -EINVAL, -EBUSY);
        break;
    case 1:
        ONE_OF(spipe_name_remove(w->stack->adapter, name), -ENOENT);
        break;
    case 2:
        w->open[i] = spipe_release(w->client.ctx, w->handle[i]) == -EAGAIN;
        break;
    default:
        ONE_OF(
            spipe_resize(w->client.ctx, w->handle[i], hal_prng_below(&w->rng, 11) * 65536, &last),
            -EINVAL, -ENOSPC, -EAGAIN, -ESTALE);
        break;
    }
}

/* Blocks that may be there or not: what the AFU says is not the point. */
static void use_one(struct worker *w, unsigned i)
{
    uint64_t lba = hal_prng_below(&w->rng, 12) * 65536;

    (void)stack_io(&w->client, hal_prng_below(&w->rng, 2) ? SPIPE_WRITE : SPIPE_READ, w->handle[i],
                   lba, 1, w->page);
}

/* Whether LUN 1 is attached. Otherwise the context is lost: syncs that fail three times in a row
 * ask for a reset. */
static bool attach_second(struct worker *w)
{
    int rc = spipe_attach_lun(w->client.ctx, 1);

    cr_assert(rc == 0 || (rc == -EINVAL && spipe_ctx_lost(w->client.ctx)), "%d", rc);
    return rc == 0;
}

static void attach_anew(struct worker *w)
{
    struct spipe_attach_options options = {
        .size = sizeof options, .depth = 8, .no_write = hal_prng_below(&w->rng, 4) == 0};

    do {
        if (w->client.client)
            spipe_client_destroy(w->client.client);
        cr_assert_eq(spipe_client_create(w->stack->adapter, "client", &w->client.client), 0);
        cr_assert_eq(spipe_attach(w->client.client, 0, &options, &w->client.ctx), 0);
    } while (!attach_second(w));
    memset(w->open, 0, sizeof w->open);
}

/* What LUN 1 had is closed with it. Names may lie there too. */
static void detach_and_attach(struct worker *w)
{
    cr_assert_eq(spipe_detach(w->client.ctx, 1), 0);
    for (unsigned i = 0; i < HANDLES; i++)
        w->open[i] = w->open[i] && w->lun[i] == 0;
    if (!attach_second(w))
        attach_anew(w);
}

static void work(void *arg)
{
    struct worker *w = arg;

    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)hal_prng_below(&w->rng, HANDLES);

        if (hal_prng_below(&w->rng, 20) == 0)
            attach_anew(w);
        if (hal_prng_below(&w->rng, 20) == 0)
            detach_and_attach(w);
        if (!w->open[i])
            open_one(w, i);
        else if (hal_prng_below(&w->rng, 2))
            change_one(w, i);
        if (w->open[i])
            use_one(w, i);
    }
}

static void start(struct stack *s, struct worker *w, uint64_t seed, unsigned number)
{
    w->stack = s;
    w->number = number;
    hal_prng_seed(&w->rng, seed, number);
    w->page = exec_alloc(s->exec, STACK_BLOCK, STACK_BLOCK);
    cr_assert_eq(hal_mem_register(sim_host_device(s->host, 0), w->page, STACK_BLOCK, "page"), 0);
    attach_anew(w);
    cr_assert_eq(exec_thread_create(s->exec, "worker", work, w, &w->thread), 0);
}

struct plan {
    uint64_t seed;
    const char *faults;
};

static void at_random(struct stack *s, void *arg)
{
    const struct plan *plan = arg;
    struct worker *w = exec_alloc(s->exec, CLIENTS * sizeof *w, 64);
    char why[128];

    if (plan->faults)
        cr_assert_eq(sim_faults_load(sim_afu_faults(sim_host_afu(s->host, 0)), plan->faults, why,
                                     sizeof why),
                     0, "%s", why);
    for (unsigned i = 0; i < CLIENTS; i++)
        start(s, &w[i], plan->seed, i);
    for (unsigned i = 0; i < CLIENTS; i++) {
        exec_thread_join(s->exec, w[i].thread);
        spipe_client_destroy(w[i].client.client);
        hal_mem_release(sim_host_device(s->host, 0), w[i].page);
        exec_free(s->exec, w[i].page, STACK_BLOCK);
    }
    exec_free(s->exec, w, CLIENTS * sizeof *w);
    cr_assert_gt(sim_check_result(s->check)->quiet_looks, STEPS / 4, "requests overlap");
    cr_assert_gt(sim_check_result(s->check)->accesses, 0);
}

static void run_at_random(uint64_t seed, const char *faults)
{
    struct sim_media *media = stack_media(CHUNKS);
    struct plan plan = {seed, faults};

    stack_run(&(struct stack_setup){.seed = seed, .media = media}, at_random, &plan);
    sim_media_close(media);
}

Test(invariants, hold_at_random)
{
    uint64_t seed = test_seed(1);

    for (unsigned i = 0; i < 6; i++)
        run_at_random(seed + i, NULL);
}

Test(invariants, hold_when_syncs_fail)
{
    uint64_t seed = test_seed(100);

    for (unsigned i = 0; i < 4; i++)
        run_at_random(seed + i, "afucmd#7=x+afucmd#20x3=x+afucmd#40x2=x+afucmd#61x6=x");
}

/* ---- planted defects ---------------------------------------------------------------------------
 */

/* An open handle of two chunks, with what the AFU sees of it. */
struct planted {
    struct stack *s;
    struct stack_client client;
    struct sim_check *check;
    uint32_t handle;
    uint64_t rht, lxt;
};

static bool swapped;  /* the two chunks of the handle, in pictures */
static bool generous; /* the third handle may write, in pictures */

static int draw(void *adapter, const uint64_t *only, struct hal_picture_room *room,
                const struct hal_picture **out)
{
    int rc = spipe_picture_inside(adapter, only, room, out);

    if (!rc && swapped && (*out)->n.handles == 1) {
        uint64_t *chunk = hal_picture_chunk(*out, hal_picture_handle(*out, 0)->chunks.first);

        chunk[0] = 1;
        chunk[1] = 0;
    }
    if (!rc && generous && (*out)->n.handles == 3)
        hal_picture_handle(*out, 2)->permissions = AFU_PERM_RW;
    return rc;
}

static void find_tables(struct planted *p)
{
    static uint64_t memory[4096];
    struct hal_picture_room room = {.block = memory, .size = sizeof memory};
    const struct hal_picture *picture;

    cr_assert_eq(spipe_picture(p->s->adapter, &room, &picture), 0);
    cr_assert_eq(picture->n.handles, 1);
    p->rht = hal_picture_context(picture, 0)->rht;
    p->lxt = hal_picture_handle(picture, 0)->lxt;
}

static void store(struct planted *p, uint64_t at, uint64_t value)
{
    struct hal_dev *dev = sim_host_device(p->s->host, 0);

    hal_table_store(dev, (uint64_t *)(uintptr_t)at, hal_swap64(HAL_ORDER_LITTLE, value));
    hal_publish(dev);
}

/* The second word of an entry of format 0. */
static uint64_t flags(uint32_t count, unsigned permissions)
{
    struct afu_rht_entry e = afu_rht_pack_virtual(
        HAL_ORDER_LITTLE, &(struct afu_rht_virtual){0, count, (uint8_t)permissions, 16});

    return hal_swap64(HAL_ORDER_LITTLE, e.word[1]);
}

static void quiet(struct planted *p)
{
    hal_note(sim_host_device(p->s->host, 0), HAL_NOTE_REQUEST_BEGIN, 0, 0);
    hal_note(sim_host_device(p->s->host, 0), HAL_NOTE_REQUEST_END, 0, 0);
}

struct defect {
    unsigned invariant;
    void (*plant)(struct planted *p);
};

static void free_chunk(struct planted *p) { store(p, p->lxt + 8, 9 << 16 | 0x33); }

static void chunk_beyond(struct planted *p) { store(p, p->lxt + 8, 99 << 16 | 0x33); }

static void wrong_slot(struct planted *p)
{
    store(p, p->lxt + 8, 1 << 16 | 7 << 8 | 0x33);
    quiet(p);
}

static void wrong_permissions(struct planted *p) { store(p, p->lxt, 0x13); }

static void count_too_large(struct planted *p) { store(p, p->rht + 8, flags(9, AFU_PERM_RW)); }

static void not_zero(struct planted *p)
{
    store(p, p->rht + 5 * 16, 1);
    quiet(p);
}

static void other_handle_count(struct planted *p)
{
    store(p, p->rht + 5 * 16 + 8, flags(0, AFU_PERM_RW));
    quiet(p);
}

static void pointer_early(struct planted *p) { store(p, p->rht, 0); }

static void entry_given_back(struct planted *p)
{
    hal_mem_release(sim_host_device(p->s->host, 0), (void *)(uintptr_t)p->lxt);
    cr_assert_eq(
        hal_mem_register(sim_host_device(p->s->host, 0), (void *)(uintptr_t)p->lxt, 64, "lxt"), 0);
}

/* A chunk of nobody: an LXT entry that no book has. */
static void foreign_access(struct planted *p)
{
    static _Alignas(128) uint64_t page[STACK_BLOCK / 8];

    cr_assert_eq(hal_mem_register(sim_host_device(p->s->host, 0), page, sizeof page, "page"), 0);
    quiet(p);
    *(uint64_t *)(uintptr_t)(p->lxt + 8) = hal_swap64(HAL_ORDER_LITTLE, 5 << 16 | 0x33);
    (void)stack_io(&p->client, SPIPE_WRITE, p->handle, 65536, 1, page);
    *(uint64_t *)(uintptr_t)(p->lxt + 8) = hal_swap64(HAL_ORDER_LITTLE, 1 << 16 | 0x33);
    hal_mem_release(sim_host_device(p->s->host, 0), page);
}

/* A clone of a handle that may only read, in a context that may write: it may read, unless it gets
 * more than its source has. */
static void clone_with_more(struct planted *p)
{
    static const struct spipe_attach_options reader = {.size = sizeof reader, .no_write = true};
    const struct sim_check_result *r = sim_check_result(p->check);
    struct stack_client from = {.client = p->client.client}, to;

    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(r->broken, 0, "%s", r->text);
        cr_assert_eq(spipe_attach(from.client, 1, &reader, &from.ctx), 0);
        cr_assert_eq(spipe_client_fork(from.client, "child", &to.client), 0);
        cr_assert_eq(spipe_attach(to.client, 1, NULL, &to.ctx), 0);
        (void)stack_open(&from, 1, 1);
        generous = i == 1;
        cr_assert_eq(spipe_clone(to.ctx, from.ctx), 0);
        generous = false;
        spipe_client_destroy(to.client);
        cr_assert_eq(spipe_detach(from.ctx, 1), 0);
    }
    cr_assert_eq(r->broken, r->by_invariant[10], "%s", r->text);
    cr_assert_not_null(strstr(r->text, "is a clone with permissions 0x3 of one of context"));
}

/* A context that changes without a request of its own: looks at what was touched miss it, and the
 * sums are right. One look in so many is at everything. */
static void behind_its_back(struct planted *p)
{
    const struct sim_check_result *r = sim_check_result(p->check);

    swapped = true;
    quiet(p);
    cr_assert_eq(r->broken, 0, "%s", r->text);
    for (unsigned i = 0; i < 64; i++)
        quiet(p);
    swapped = false;
    cr_assert_eq(r->broken, 1, "%s", r->text);
}

static const struct defect defects[] = {
    {4, free_chunk},        {7, chunk_beyond},    {8, wrong_slot},          {10, wrong_permissions},
    {11, count_too_large},  {12, not_zero},       {19, other_handle_count}, {14, pointer_early},
    {13, entry_given_back}, {25, foreign_access}, {0, behind_its_back},     {10, clone_with_more},
};

/* The first verdict may be about the order of the store itself, which a sound core would never
 * have made (INV-14); what the checker of the state says is among the others. */
static void plant(struct stack *s, void *arg)
{
    const struct defect *d = arg;
    struct planted p = {.s = s};
    struct sim_check_config config = {.picture = draw, .arg = s->adapter};
    const struct sim_check_result *r;

    stack_client(s, &p.client, 1, 8, false);
    p.handle =
        stack_open(&p.client, 1, 2); /* LUN 0 has the id 0, as a slot has that nobody wrote */
    find_tables(&p);
    cr_assert_eq(sim_check_start(sim_host_afu(s->host, 0), &config, &p.check), 0);
    quiet(&p);
    r = sim_check_result(p.check);
    cr_assert_eq(r->broken, 0, "%s", r->text);
    d->plant(&p);
    cr_assert_neq(r->by_invariant[d->invariant], 0, "INV-%u was not found, but \"%s\"",
                  d->invariant, r->text);
    sim_check_stop(p.check);
    /* As it was, so that the adapter can be closed. */
    store(&p, p.lxt, 0x33);
    store(&p, p.lxt + 8, 1 << 16 | 0x33);
    store(&p, p.rht, p.lxt);
    store(&p, p.rht + 8, flags(2, AFU_PERM_RW));
    spipe_client_destroy(p.client.client);
}

Test(invariants, planted_defects_are_found)
{
    for (unsigned i = 0; i < sizeof defects / sizeof *defects; i++) {
        struct sim_media *media = stack_media(CHUNKS);
        struct defect d = defects[i];

        stack_run(&(struct stack_setup){.seed = 5, .media = media, .unchecked = true}, plant, &d);
        sim_media_close(media);
    }
    PROVES(INV_25);
}

/* ---- registers of a context that is about to be, or to be no more ------------------------------
 */

enum { WORDS = 3 }; /* rht_start, rht_cnt_id, ctx_cap: the first registers of a control area */

static struct spying {
    struct hal_ops ops;
    const struct hal_ops *real;
    struct spipe *adapter;
    uint64_t value[AFU_CONTEXTS][WORDS]; /* as core has made them */
    unsigned unowned;                    /* stores after which some belonged to nobody */
} spying;

static bool is_registered(unsigned number)
{
    const uint64_t *value = spying.value[number];

    return value[0] || value[1] || value[2];
}

static bool is_owned(const struct spipe *s, unsigned number)
{
    return s->contexts[number] || (s->master && s->master->handle == number);
}

/* INV-22, but for R-33: then a request is inside the gate, which keeps a reset away. */
static void judge(const struct spipe *s)
{
    bool all_owned = true;

    for (unsigned i = 0; i < AFU_CONTEXTS; i++)
        all_owned &= !is_registered(i) || is_owned(s, i);
    if (all_owned)
        return;
    spying.unowned++;
    cr_assert_gt(s->gate.inside, 0, "registers of nobody, and no request holds the gate");
}

static void spy_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    uint64_t at = offset - AFU_CTRL_START;

    spying.real->reg_write64(ctx, offset, value);
    if (ctx->kind != HAL_CTX_MASTER || offset < AFU_CTRL_START ||
        at >= AFU_CONTEXTS * AFU_CTRL_SIZE || at % AFU_CTRL_SIZE >= WORDS * 8)
        return;
    spying.value[at / AFU_CTRL_SIZE][at % AFU_CTRL_SIZE / 8] = value;
    if (spying.adapter->gate.state == SPIPE_STATE_NORMAL)
        judge(spying.adapter);
}

/* MD-18: the end of a context clears its registers. */
static void spy_lose(struct hal_ctx *ctx)
{
    memset(spying.value[ctx->handle], 0, sizeof spying.value[0]);
    spying.real->ctx_lose(ctx);
}

static void spy_release(struct hal_ctx *ctx)
{
    memset(spying.value[ctx->handle], 0, sizeof spying.value[0]);
    spying.real->ctx_release(ctx);
}

static void spy(struct stack *s)
{
    memset(&spying, 0, sizeof spying);
    spying.real = s->core_dev->ops;
    spying.adapter = s->adapter;
    spying.ops = *spying.real;
    spying.ops.reg_write64 = spy_write;
    spying.ops.ctx_lose = spy_lose;
    spying.ops.ctx_release = spy_release;
    s->core_dev->ops = s->adapter->master->ops = &spying.ops;
}

/* Returns how many stores left registers of nobody, and expects that none are left now. */
static unsigned unowned(const struct stack *s)
{
    unsigned n = spying.unowned;

    for (unsigned i = 0; i < AFU_CONTEXTS; i++)
        cr_assert(!is_registered(i) || is_owned(s->adapter, i), "context %u", i);
    spying.unowned = 0;
    return n;
}

static void registers_of_nobody(struct stack *s, void *arg)
{
    struct stack_client c;
    bool recovered;

    (void)arg;
    spy(s);
    stack_client(s, &c, 0, 8, false);
    cr_assert_gt(unowned(s), 0, "ATTACH");
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(unowned(s), 0, "the AFU clears them itself");
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert_gt(unowned(s), 0, "RECOVER");
    cr_assert_eq(spipe_detach(c.ctx, 0), 0);
    cr_assert_eq(unowned(s), 0, "it is in the table until they are clear");
    spipe_client_destroy(c.client);
    PROVES(R_33);
}

/* while ATTACH and RECOVER are at work, and only inside the gate. */
Test(invariants, registers_of_nobody)
{
    struct sim_media *media = stack_media(2);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, registers_of_nobody, NULL);
    sim_media_close(media);
}
