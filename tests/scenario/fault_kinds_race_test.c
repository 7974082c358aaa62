/* SPDX-License-Identifier: Apache-2.0 */
/* FK-46: things that happen at once. Every pair of what clients and administrators can do, each by
 * a thread of its own, under many schedules: nobody waits for ever (the scheduler reports a
 * deadlock, INV-28 a wait that is too long), errors are those of a lost context or of a sync, and
 * afterwards everybody recovers and has his data. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/exec.h"
#include "hal/support/bits.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(fault_kinds_race, .timeout = 280);

#define CHUNK UINT64_C(65536)

enum { SEEDS = 4 };

/* Two of them, side by side. */
struct side {
    struct stack *s;
    struct stack_client parent, child; /* the child clones, or dies */
    uint32_t kept, wiped;
    const struct action *action;
    struct exec_thread *thread;
    int rc;
};

static struct side sides[2];
static unsigned lost; /* syncs, in all runs */

/* ---- what there is to do ---- */

static int do_reset(struct side *d) { return spipe_reset(d->s->adapter); }

static int do_port_reset(struct side *d) { return spipe_port_reset(d->s->adapter, 0); }

static int do_recover(struct side *d)
{
    bool recovered;

    return spipe_recover(d->parent.ctx, &recovered);
}

static int do_resize(struct side *d)
{
    uint64_t last;
    int rc = spipe_resize(d->parent.ctx, d->kept, 3 * CHUNK, &last);

    return rc ? rc : spipe_resize(d->parent.ctx, d->kept, CHUNK, &last);
}

/* Chunks that are wiped in the background. */
static int do_wipe(struct side *d)
{
    int rc = spipe_release(d->parent.ctx, d->wiped);

    if (!rc)
        d->wiped = UINT32_MAX;
    return rc;
}

static int do_clone(struct side *d) { return spipe_clone(d->child.ctx, d->parent.ctx); }

static int do_clone_and_die(struct side *d)
{
    int rc = do_clone(d);

    spipe_client_destroy(d->child.client);
    d->child.client = NULL;
    return rc;
}

static int do_rescan(struct side *d)
{
    static const uint8_t sense[SPIPE_SENSE_BYTES] = {0x70, 0, 6, 0, 0, 0,    0,
                                                     10,   0, 0, 0, 0, 0x3F, 0x0E};
    uint64_t last;

    return spipe_verify(d->parent.ctx, d->kept, sense, &last);
}

static int do_attach(struct side *d)
{
    struct stack_client c;
    int rc = spipe_client_create(d->s->adapter, "guest", &c.client);

    if (rc)
        return rc;
    rc = spipe_attach(c.client, 1, NULL, &c.ctx);
    spipe_client_destroy(c.client);
    return rc;
}

static const struct action {
    const char *name;
    int (*run)(struct side *d);
} actions[] = {
    {"reset", do_reset},
    {"port reset", do_port_reset},
    {"recover", do_recover},
    {"resize", do_resize},
    {"wipe", do_wipe},
    {"clone", do_clone},
    {"clone and die", do_clone_and_die},
    {"rescan", do_rescan},
    {"attach", do_attach},
};

/* A context that is lost meanwhile (EINVAL), a sync or a command that a reset took (EAGAIN, EIO,
 * ENODEV from a device that does not answer), a recovery that found none. */
static bool may_be(int rc)
{
    return rc == 0 || rc == -EINVAL || rc == -EAGAIN || rc == -EIO || rc == -ENODEV ||
           rc == -ETIMEDOUT;
}

/* ---- a run ---- */

static void act(void *arg)
{
    struct side *d = arg;

    d->rc = d->action->run(d);
}

static void prepare(struct stack *s, struct side *d, unsigned number)
{
    struct spipe_open_options options = {.size = sizeof options, .wipe = true};
    uint64_t last;

    d->s = s;
    stack_client(s, &d->parent, number, 8, false);
    d->kept = stack_open(&d->parent, number, 2);
    cr_assert_eq(spipe_open_virtual_with(d->parent.ctx, number, CHUNK, &options, &d->wiped, &last),
                 0);
    stack_put(&d->parent, d->kept, 7, (uint8_t)(50 + number));
    cr_assert_eq(spipe_client_fork(d->parent.client, "child", &d->child.client), 0);
    cr_assert_eq(spipe_attach(d->child.client, number, NULL, &d->child.ctx), 0);
}

static void settle(struct side *d, unsigned number)
{
    bool recovered;
    uint64_t last;

    cr_assert(may_be(d->rc), "%s: %s", d->action->name, strerrorname_np(-d->rc));
    cr_assert_eq(spipe_recover(d->parent.ctx, &recovered), 0);
    cr_assert_eq(stack_get(&d->parent, d->kept, 7), 50 + number, "%s", d->action->name);
    cr_assert_eq(spipe_resize(d->parent.ctx, d->kept, CHUNK, &last), 0);
    if (d->child.client)
        spipe_client_destroy(d->child.client);
    spipe_client_destroy(d->parent.client);
}

static void both(struct stack *s, void *arg)
{
    const struct action *const *pair = arg;
    struct spipe_lun_info lun;

    for (unsigned i = 0; i < 2; i++) {
        sides[i] = (struct side){.action = pair[i]};
        prepare(s, &sides[i], i);
    }
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(exec_thread_create(s->exec, pair[i]->name, act, &sides[i], &sides[i].thread),
                     0);
    for (unsigned i = 0; i < 2; i++)
        exec_thread_join(s->exec, sides[i].thread);
    lost += sim_afu_faults(sim_host_afu(s->host, 0))->rule[0].fired != 0;
    stack_plan(s, "");
    stack_sleep_s(s, 3);
    for (unsigned i = 0; i < 2; i++)
        settle(&sides[i], i);
    stack_sleep_s(s, 5); /* the wiper */
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(spipe_lun_info(s->adapter, i, &lun), 0);
        cr_assert(lun.users == 0 && (!lun.chunks || lun.free_chunks == lun.chunks), "%s and %s",
                  pair[0]->name, pair[1]->name);
    }
}

static void run_pair(const struct action *first, const struct action *second)
{
    const struct action *pair[] = {first, second};

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_media *media = stack_media(8);

        stack_run(&(struct stack_setup){.seed = seed, .media = media}, both, pair);
        sim_media_close(media);
    }
}

Test(fault_kinds_race, every_pair)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(actions); i++)
        for (size_t k = i; k < HAL_ARRAY_LENGTH(actions); k++)
            run_pair(&actions[i], &actions[k]);
    PROVES(INV_28);
}

/* The same with the AFU silent about a sync and the reset of the master's context, so that whoever
 * sent it asks for a reset of the adapter. */
static void both_unsynced(struct stack *s, void *arg)
{
    stack_plan(s, "afucmd#5=d+creset#1=n"); /* the first four open handles */
    both(s, arg);
}

Test(fault_kinds_race, every_pair_while_a_sync_is_lost)
{
    const struct action *resize = &actions[3];

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(actions); i++)
        for (uint64_t seed = 1; seed <= 2; seed++) {
            const struct action *pair[] = {&actions[i], resize};
            struct sim_media *media = stack_media(8);

            stack_run(&(struct stack_setup){.seed = seed, .media = media}, both_unsynced, pair);
            sim_media_close(media);
        }
    cr_assert_geq(lost, HAL_ARRAY_LENGTH(actions));
}
