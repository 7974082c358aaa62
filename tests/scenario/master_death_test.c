/* SPDX-License-Identifier: Apache-2.0 */
/* The death of the master process in every window of vlun.md 15 (event E3): at each store to a
 * table or a register, and at each barrier, of a grow, a clone, a shrink, a release, a direct open
 * and a direct release. The card lives on, and a new process starts on it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_media.h"
#include "tests/testlib/mortal_hal.h"
#include "tests/testlib/stack.h"

TestSuite(master_death, .timeout = 280);

enum { CHUNKS = 12, STORES_MAX = 2000 };

static struct mortal_hal mortal;
static uint8_t page[STACK_BLOCK] __attribute__((aligned(128)));

/* The process that is to die. */
struct process {
    struct spipe *adapter;
    struct stack_client a, child;
    uint32_t handle, direct;
    unsigned chunks, asked; /* of the handle, as the process knew last; and asked for */
};

static void begin(struct stack *s, struct process *p)
{
    struct spipe_options options = {.size = sizeof options};
    char why[256] = "";

    mortal_hal_init(&mortal, s->core_dev, sim_host_store(s->host, 0));
    cr_assert_eq(
        spipe_open(s->exec, &mortal.hal, &mortal.records, &options, &p->adapter, why, sizeof why),
        0, "%s", why);
    cr_assert_eq(spipe_client_create(p->adapter, "a", &p->a.client), 0);
    cr_assert_eq(spipe_attach(p->a.client, 0, NULL, &p->a.ctx), 0);
    cr_assert_eq(spipe_attach_lun(p->a.ctx, 1), 0);
    cr_assert_eq(spipe_client_fork(p->a.client, "child", &p->child.client), 0);
    cr_assert_eq(spipe_attach(p->child.client, 0, NULL, &p->child.ctx), 0);
    p->handle = stack_open(&p->a, 0, 1);
    stack_put(&p->a, p->handle, 7, 0x77);
    cr_assert_eq(spipe_name_set(p->a.ctx, p->handle, "kept", 0), 0);
    p->chunks = p->asked = 1;
}

static int resize(struct process *p, unsigned chunks)
{
    uint64_t last;
    int rc;

    p->asked = chunks;
    rc = spipe_resize(p->a.ctx, p->handle, chunks * UINT64_C(65536), &last);
    if (!rc && !mortal.dead)
        p->chunks = chunks;
    return rc;
}

/* One life. A write is in flight all the while. Whatever fails, the process is dead. */
static int live(struct process *p)
{
    struct spipe_io io = {
        .op = SPIPE_WRITE, .handle = p->handle, .lba = 9, .blocks = 1, .buffer = page};
    uint64_t last;
    int rc = 0;

    if (spipe_submit(p->a.ctx, &io, 1) != 1)
        rc = -EIO;
    if (!rc)
        rc = resize(p, 9); /* a larger array */
    if (!rc)
        rc = spipe_clone(p->child.ctx, p->a.ctx);
    if (!rc)
        rc = resize(p, 2); /* a smaller one */
    if (!rc)
        rc = spipe_release(p->child.ctx, p->handle);
    if (!rc)
        rc = spipe_open_direct(p->a.ctx, 1, 0, &p->direct, &last);
    if (!rc)
        rc = spipe_release(p->a.ctx, p->direct);
    return rc;
}

static void end(struct process *p)
{
    spipe_client_destroy(p->child.client);
    spipe_client_destroy(p->a.client);
    spipe_close(p->adapter);
}

static bool is_clear(struct spipe *s, unsigned context)
{
    uint64_t control = AFU_CTRL_BASE(context);

    return hal_reg_read64(s->master, control + AFU_CTRL_RHT_START) == 0 &&
           hal_reg_read64(s->master, control + AFU_CTRL_RHT_CNT_ID) == 0 &&
           hal_reg_read64(s->master, control + AFU_CTRL_CTX_CAP) == 0;
}

/* The named one has the size that the process knew, or the one that it had asked for. */
static unsigned chunks_of_kept(struct stack *s, const struct process *p)
{
    struct spipe_name_info info;
    unsigned lun, chunks;

    cr_assert_eq(spipe_name_stat(s->adapter, "kept", &info, &lun), 0);
    chunks = (unsigned)(info.blocks / 65536);
    cr_assert_eq(info.blocks % 65536, 0);
    cr_assert(chunks == p->chunks || chunks == p->asked, "%u chunks", chunks);
    return chunks;
}

/* Whoever comes next gets all blocks but those of the name, which keep what they hold. */
static void use_all(struct stack *s, unsigned chunks)
{
    struct stack_client c;
    uint32_t handle, kept;
    uint64_t last;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, chunks);
    for (unsigned i = 0; i < chunks; i++)
        stack_put(&c, handle, i * UINT64_C(65536) + 7, (uint8_t)(0x40 + i));
    cr_assert_eq(spipe_name_open(c.ctx, "kept", &kept, &last), 0);
    cr_assert_eq(stack_get(&c, kept, 7), 0x77);
    for (unsigned i = 0; i < chunks; i++)
        cr_assert_eq(stack_get(&c, handle, i * UINT64_C(65536) + 7), 0x40 + i);
    spipe_client_destroy(c.client);
}

/* vlun.md 15.2: the registers of all contexts are clear, and what has no name is free. */
static void start_again(struct stack *s, const struct process *p)
{
    struct spipe_lun_info lun;
    char why[256] = "";

    cr_assert_eq(stack_bring_up(s, why, sizeof why), 0, "%s", why);
    for (unsigned i = 0; i < AFU_CONTEXTS; i++)
        cr_assert(i == s->adapter->master->handle || is_clear(s->adapter, i), "context %u", i);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(spipe_lun_info(s->adapter, i, &lun), 0);
        cr_assert_eq(lun.users, 0);
    }
    cr_assert_eq(lun.mode, SPIPE_LUN_NONE, "that of the direct handle");
    use_all(s, CHUNKS - chunks_of_kept(s, p));
}

struct run {
    uint64_t stores;
    int rc;
};

static void die_and_start_again(struct stack *s, void *arg)
{
    struct run *run = arg;
    struct process p;

    begin(s, &p);
    mortal_hal_arm(&mortal, run->stores);
    run->rc = live(&p);
    cr_assert(mortal.dead || run->rc == 0, "%d without a death", run->rc);
    if (!mortal.dead)
        mortal_hal_arm(&mortal, 0); /* while its clients end */
    run->stores = mortal.dead;
    end(&p);
    start_again(s, &p);
}

/* Each run is a host of its own. */
static bool dies_at(uint64_t stores)
{
    struct run run = {.stores = stores};
    struct sim_media *media = stack_media(CHUNKS);

    stack_run(&(struct stack_setup){.seed = 1 + stores, .media = media, .closed = true},
              die_and_start_again, &run);
    sim_media_close(media);
    return run.stores;
}

Test(master_death, in_every_window)
{
    uint64_t n = 0;

    while (dies_at(n)) {
        n++;
        cr_assert_lt(n, STORES_MAX);
    }
    cr_assert_geq(n, 60, "%u deaths are too few for all windows", (unsigned)n);
}
