/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for whom (SP section 11): while one request waits for the AFU, a device or its turn,
 * those that need neither go on, and so does a reset. Time is virtual; a command that gets no
 * answer costs 10 seconds for a sync (AD-122) and 30 for SCSI (SP-101). */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/cxlflash_ioctl.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(waiting, .timeout = 120);

#define CHUNK UINT64_C(65536)
#define MILLISECOND UINT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

static void run_with(void (*body)(struct stack *, void *), bool unchecked)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media, .unchecked = unchecked}, body, NULL);
    sim_media_close(media);
}

static void run(void (*body)(struct stack *, void *)) { run_with(body, false); }

static struct spipe_lun_info lun_of(struct stack *s, unsigned lun)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, lun, &info), 0);
    return info;
}

/* A unit attention that makes VERIFY ask the device: descriptor format, 06/2A/09. */
static const uint8_t attention[SPIPE_SENSE_BYTES] = {0x72, 6, 0x2A, 9};

/* ---- requests in threads of their own ---- */

struct task {
    struct stack *s;
    struct spipe_ctx *ctx, *other;
    struct spipe_client *client;
    struct spipe_mapping *mapping;
    uint64_t arg, last;
    uint32_t handle;
    bool done, recovered;
    int rc;
    struct exec_thread *thread;
    void (*body)(struct task *);
};

static void task_thread(void *arg)
{
    struct task *t = arg;

    t->body(t);
    t->done = true;
}

/* Starts a task, and lets it go as far as it can in no time. */
static void begin_task(struct stack *s, struct task *t, void (*body)(struct task *))
{
    t->body = body;
    t->done = false;
    cr_assert_eq(exec_thread_create(s->exec, "task", task_thread, t, &t->thread), 0);
    stack_sleep(s, MILLISECOND);
}

static int end_task(struct stack *s, struct task *t)
{
    exec_thread_join(s->exec, t->thread);
    return t->rc;
}

static void resize(struct task *t) { t->rc = spipe_resize(t->ctx, t->handle, t->arg, &t->last); }

static void verify(struct task *t) { t->rc = spipe_verify(t->ctx, t->handle, attention, &t->last); }

static void look(struct task *t) { t->rc = spipe_verify(t->ctx, t->handle, NULL, &t->last); }

static void clone(struct task *t) { t->rc = spipe_clone(t->ctx, t->other); }

static void recover(struct task *t) { t->rc = spipe_recover(t->ctx, &t->recovered); }

static void close_file(struct task *t) { t->rc = spipe_adap_close(t->client, t->arg); }

/* Nobody is inside the gate for long: it can be closed at once. */
static void expect_free_gate(struct stack *s)
{
    uint64_t before = exec_now(s->exec);

    spipe__gate_close(&s->adapter->gate);
    spipe__gate_open(&s->adapter->gate);
    cr_assert_leq(exec_now(s->exec) - before, MILLISECOND);
}

/* ---- an AFU sync that gets no answer ---- */

/* What other contexts can do meanwhile: everything that needs no sync. */
static void expect_others_go_on(struct stack *s, struct stack_client *b, uint32_t handle)
{
    uint64_t begin = exec_now(s->exec), last;
    struct spipe_name_info info;
    struct stack_client c;
    unsigned lun;

    stack_client(s, &c, 1, 8, false);
    cr_assert_eq(spipe_attach_lun(c.ctx, 0), 0);
    cr_assert_eq(spipe_verify(b->ctx, handle, NULL, &last), 0);
    cr_assert_eq(last, CHUNK - 1);
    cr_assert_eq(spipe_name_set(b->ctx, handle, "name", 0), 0);
    cr_assert_eq(spipe_name_stat(s->adapter, "name", &info, &lun), 0);
    cr_assert_eq(spipe_name_remove(s->adapter, "name"), 0);
    cr_assert_eq(spipe_detach(c.ctx, 0), 0);
    spipe_client_destroy(c.client);
    cr_assert_leq(exec_now(s->exec) - begin, SECOND);
}

static void a_lost_sync(struct stack *s, void *arg)
{
    struct stack_client a, b, quiet;
    struct task first = {.arg = CHUNK}, same = {.arg = 0}, second = {.arg = 2 * CHUNK};
    uint64_t begin = exec_now(s->exec);
    uint32_t handle;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    stack_client(s, &b, 0, 8, false);
    stack_client(s, &quiet, 0, 8, false);
    first.ctx = same.ctx = a.ctx;
    second.ctx = b.ctx;
    first.handle = same.handle = stack_open(&a, 0, 2);
    second.handle = stack_open(&b, 0, 1);
    handle = stack_open(&quiet, 0, 1);
    stack_plan(s, "afucmd#1=d");
    begin_task(s, &first, resize);
    begin_task(s, &same, look);     /* the same context: it waits, asleep */
    begin_task(s, &second, resize); /* another one, but it needs a sync */
    expect_others_go_on(s, &quiet, handle);
    cr_assert_not(first.done || same.done || second.done);
    PROVES(SP_171);
    cr_assert_eq(end_task(s, &first), 0);
    cr_assert_geq(exec_now(s->exec) - begin, 10 * SECOND);
    cr_assert_eq(end_task(s, &same), 0);
    cr_assert_eq(same.last, CHUNK - 1);
    PROVES(SP_170);
    cr_assert_eq(end_task(s, &second), 0);
    cr_assert_eq(second.last, 2 * CHUNK - 1);
    spipe_client_destroy(quiet.client);
    spipe_client_destroy(a.client);
    spipe_client_destroy(b.client);
}

Test(waiting, others_go_on_while_a_sync_is_lost) { run(a_lost_sync); }

/* VL-44: the source of a CLONE does not change until the clone is complete. */
static void a_lost_sync_of_a_clone(struct stack *s, void *arg)
{
    struct stack_client parent, child;
    struct task copy = {0}, change = {.arg = 4 * CHUNK};
    uint64_t last;

    (void)arg;
    stack_client(s, &parent, 0, 8, false);
    (void)stack_open(&parent, 0, 1);
    change.handle = stack_open(&parent, 0, 2);
    cr_assert_eq(spipe_client_fork(parent.client, "child", &child.client), 0);
    cr_assert_eq(spipe_attach(child.client, 0, NULL, &child.ctx), 0);
    copy.ctx = child.ctx;
    copy.other = change.ctx = parent.ctx;
    stack_plan(s, "afucmd#1=d"); /* of the first handle; the second one is copied 10 s later */
    begin_task(s, &copy, clone);
    begin_task(s, &change, resize);
    stack_sleep(s, 5 * SECOND);
    cr_assert_not(copy.done || change.done);
    cr_assert_eq(end_task(s, &copy), 0);
    cr_assert_eq(spipe_verify(child.ctx, change.handle, NULL, &last), 0);
    cr_assert_eq(last, 2 * CHUNK - 1);
    cr_assert_eq(end_task(s, &change), 0);
    cr_assert_eq(change.last, 4 * CHUNK - 1);
    PROVES(VL_44);
    spipe_client_destroy(child.client);
    spipe_client_destroy(parent.client);
}

Test(waiting, a_clone_keeps_its_source) { run(a_lost_sync_of_a_clone); }

/* ---- a device that does not answer VERIFY ---- */

static void begin_verify(struct stack *s, struct stack_client *a, struct task *t)
{
    stack_client(s, a, 0, 8, false);
    *t = (struct task){.ctx = a->ctx, .handle = stack_open(a, 0, 2)};
    stack_plan(s, "fc#1=n");
    begin_task(s, t, verify);
    cr_assert_not(t->done);
}

/* SP-84, SP-166: nobody finds the context unavailable, or waits for the device. */
static void a_silent_device(struct stack *s, void *arg)
{
    struct stack_client a;
    struct task t;
    uint64_t begin, last;

    (void)arg;
    begin_verify(s, &a, &t);
    begin = exec_now(s->exec);
    cr_assert_eq(spipe_verify(a.ctx, t.handle, NULL, &last), 0);
    cr_assert_eq(last, 2 * CHUNK - 1);
    cr_assert_eq(spipe_attach_lun(a.ctx, 1), 0);
    cr_assert_leq(exec_now(s->exec) - begin, SECOND);
    cr_assert_not(t.done);
    PROVES(SP_84);
    cr_assert_eq(spipe_resize(a.ctx, t.handle, CHUNK, &last), 0); /* waits for its sync only */
    PROVES(SP_166);
    cr_assert_eq(end_task(s, &t), 0);
    cr_assert_geq(exec_now(s->exec) - begin, 29 * SECOND);
    cr_assert_eq(t.last, CHUNK - 1);
    spipe_client_destroy(a.client);
}

Test(waiting, nobody_waits_for_a_device) { run(a_silent_device); }

/* What is asked about may be closed meanwhile, and another handle have its number: that has not
 * been verified (SP-82). */
static void another_handle(struct stack *s, void *arg)
{
    struct stack_client a;
    struct task t;

    (void)arg;
    begin_verify(s, &a, &t);
    cr_assert_eq(spipe_release(a.ctx, t.handle), 0);
    cr_assert_eq(stack_open(&a, 0, 1), t.handle);
    cr_assert_not(t.done);
    cr_assert_eq(end_task(s, &t), -EINVAL);
    spipe_client_destroy(a.client);
}

Test(waiting, a_handle_that_comes_again_is_another) { run(another_handle); }

static void reset(struct task *t) { t->rc = spipe_reset(t->s->adapter); }

/* SP-26: a reset drains at once; only the AFU is not reset before the master has its command back.
 */
static void a_reset_meanwhile(struct stack *s, void *arg)
{
    struct stack_client a;
    struct task t, r = {.s = s};

    (void)arg;
    begin_verify(s, &a, &t);
    expect_free_gate(s);
    begin_task(s, &r, reset);
    cr_assert(spipe_ctx_lost(a.ctx));
    cr_assert_not(t.done);
    PROVES(SP_26);
    cr_assert_eq(end_task(s, &t), -EINVAL, "the context is lost");
    cr_assert_eq(end_task(s, &r), 0);
    spipe_client_destroy(a.client);
}

Test(waiting, a_reset_drains_while_a_device_is_silent) { run(a_reset_meanwhile); }

static void a_failing_reset_meanwhile(struct stack *s, void *arg)
{
    struct stack_client a;
    struct task t;

    (void)arg;
    begin_verify(s, &a, &t);
    stack_plan(s, "afurst#1=x");
    cr_assert_eq(spipe_reset(s->adapter), -EIO);
    cr_assert_eq(end_task(s, &t), -ENODEV);
    PROVES(SP_103);
    spipe_client_destroy(a.client);
}

/* Unchecked: what was withdrawn is quarantined to the end (see reset_test.c). */
Test(waiting, the_state_is_looked_at_after_a_device) { run_with(a_failing_reset_meanwhile, true); }

/* ---- adapter files ---- */

struct program {
    struct spipe_client *client;
    struct dk_cxlflash_attach a;
    struct dk_cxlflash_uvirtual u;
};

static void program_up(struct stack *s, struct program *p)
{
    *p = (struct program){.a = {.hdr.flags = 2, .num_interrupts = 4}, .u = {.lun_size = CHUNK}};
    cr_assert_eq(spipe_client_create(s->adapter, "program", &p->client), 0);
    cr_assert_eq(spipe_ioctl(p->client, 0, DK_CXLFLASH_ATTACH, &p->a), 0);
    p->u.context_id = p->a.context_id;
    cr_assert_eq(spipe_ioctl(p->client, 0, DK_CXLFLASH_USER_VIRTUAL, &p->u), 0);
}

static void verify_by_cookie(struct task *t)
{
    struct dk_cxlflash_verify v = {.context_id = t->arg, .hint = DK_CXLFLASH_VERIFY_HINT_SENSE};

    memcpy(v.sense_data, attention, sizeof v.sense_data);
    t->rc = spipe_ioctl(t->client, 0, DK_CXLFLASH_VERIFY, &v);
}

/* SP-152: a close while a VERIFY has left the context for the device. */
static void a_close_meanwhile(struct stack *s, void *arg)
{
    struct program p;
    struct task t = {0};

    (void)arg;
    program_up(s, &p);
    t.client = p.client;
    t.arg = p.a.context_id;
    stack_plan(s, "fc#1=n");
    begin_task(s, &t, verify_by_cookie);
    cr_assert_eq(spipe_adap_close(p.client, p.a.adap_fd), 0);
    cr_assert_eq(end_task(s, &t), -EINVAL, "it has ended");
    cr_assert_eq(lun_of(s, 0).users, 0);
    cr_assert_eq(lun_of(s, 0).mode, SPIPE_LUN_NONE);
    PROVES(SP_152);
    spipe_client_destroy(p.client);
}

Test(waiting, a_close_is_not_lost) { run(a_close_meanwhile); }

/* SP-149: a close waits at the gate. */
static void a_close_at_the_gate(struct stack *s, void *arg)
{
    struct program p;
    struct task t = {0};

    (void)arg;
    program_up(s, &p);
    t.client = p.client;
    t.arg = p.a.adap_fd;
    spipe__gate_close(&s->adapter->gate);
    begin_task(s, &t, close_file);
    stack_sleep(s, SECOND);
    cr_assert_not(t.done);
    cr_assert_eq(lun_of(s, 0).users, 1);
    spipe__gate_open(&s->adapter->gate);
    cr_assert_eq(end_task(s, &t), 0);
    cr_assert_eq(lun_of(s, 0).users, 0);
    PROVES(SP_149);
    spipe_client_destroy(p.client);
}

Test(waiting, a_close_waits_at_the_gate) { run(a_close_at_the_gate); }

static void unmap(struct task *t) { spipe_adap_unmap(t->mapping); }

/* The same if it is a mapping that comes last. */
static void an_unmap_at_the_gate(struct stack *s, void *arg)
{
    struct program p;
    struct task t = {0};

    (void)arg;
    program_up(s, &p);
    cr_assert_eq(spipe_adap_map(p.client, p.a.adap_fd, 0, 4096, &t.mapping), 0);
    cr_assert_eq(spipe_adap_close(p.client, p.a.adap_fd), 0);
    spipe__gate_close(&s->adapter->gate);
    begin_task(s, &t, unmap);
    stack_sleep(s, SECOND);
    cr_assert_not(t.done);
    cr_assert_eq(lun_of(s, 0).users, 1);
    spipe__gate_open(&s->adapter->gate);
    (void)end_task(s, &t);
    cr_assert_eq(lun_of(s, 0).users, 0);
    PROVES(SP_149);
    spipe_client_destroy(p.client);
}

Test(waiting, an_unmap_waits_at_the_gate) { run(an_unmap_at_the_gate); }

/* ---- RECOVER ---- */

static void lose(struct stack *s, struct stack_client *a, struct task *t)
{
    stack_client(s, a, 0, 8, false);
    *t = (struct task){.ctx = a->ctx, .handle = stack_open(a, 0, 3)};
    cr_assert_eq(spipe_reset(s->adapter), 0);
}

static void set_turn(struct stack *s, bool taken)
{
    struct spipe *a = s->adapter;

    exec_mutex_lock(a->exec, &a->gate.lock);
    a->recovery.taken = taken;
    exec_cond_broadcast(a->exec, &a->recovery.free);
    exec_mutex_unlock(a->exec, &a->gate.lock);
}

/* SP-89: one at a time, interruptibly, outside the gate, and with a look at the state after it. */
static void turns(struct stack *s, void *arg)
{
    struct stack_client a;
    struct task waits, interrupted, fails;

    (void)arg;
    lose(s, &a, &waits);
    interrupted = fails = waits;
    set_turn(s, true);
    begin_task(s, &waits, recover);
    begin_task(s, &interrupted, recover);
    cr_assert_not(waits.done || interrupted.done);
    expect_free_gate(s);
    exec_thread_interrupt(s->exec, interrupted.thread);
    cr_assert_eq(end_task(s, &interrupted), -EINTR);
    set_turn(s, false);
    cr_assert_eq(end_task(s, &waits), 0);
    cr_assert(waits.recovered);
    set_turn(s, true);
    begin_task(s, &fails, recover);
    stack_plan(s, "afurst#1=x");
    cr_assert_eq(spipe_reset(s->adapter), -EIO);
    set_turn(s, false);
    cr_assert_eq(end_task(s, &fails), -ENODEV);
    PROVES(SP_89);
    spipe_client_destroy(a.client);
}

Test(waiting, recoveries_take_turns) { run_with(turns, true); }

/* SP-99: between the tries neither the context nor the gate is held. */
static void tries(struct stack *s, void *arg)
{
    struct stack_client a;
    struct task t;
    uint64_t last;

    (void)arg;
    lose(s, &a, &t);
    stack_plan(s, "ctx#1x5=f");
    begin_task(s, &t, recover);
    for (uint64_t size = 3; size-- > 0;) {
        uint64_t begin = exec_now(s->exec);

        expect_free_gate(s);
        cr_assert_eq(spipe_resize(a.ctx, t.handle, size * CHUNK, &last), 0);
        cr_assert_leq(exec_now(s->exec) - begin, MILLISECOND);
        cr_assert_not(t.done);
        stack_sleep(s, 100 * MILLISECOND);
    }
    PROVES(SP_99);
    cr_assert_eq(end_task(s, &t), 0);
    cr_assert(t.recovered);
    spipe_client_destroy(a.client);
}

Test(waiting, tries_hold_nothing) { run(tries); }

/* SP-92: all ones, and nobody has said that the adapter is lost: it may have been a moment. */
static void a_silent_moment(struct stack *s, void *arg)
{
    struct stack_client a;
    struct task t = {0};
    uint64_t begin, last;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    t.ctx = a.ctx;
    t.handle = stack_open(&a, 0, 1);
    stack_plan(s, "mr#1x2=o");
    begin = exec_now(s->exec);
    begin_task(s, &t, recover);
    cr_assert_not(t.done);
    expect_free_gate(s);
    cr_assert_eq(spipe_verify(a.ctx, t.handle, NULL, &last), 0);
    cr_assert_eq(end_task(s, &t), 0);
    cr_assert_not(t.recovered);
    cr_assert_geq(exec_now(s->exec) - begin, SECOND);
    cr_assert_leq(exec_now(s->exec) - begin, SECOND + 10 * MILLISECOND);
    stack_plan(s, "mr#1x2=o");
    begin_task(s, &t, recover);
    cr_assert_eq(spipe_reset(s->adapter), 0); /* now the platform tells */
    cr_assert_eq(end_task(s, &t), 0);
    cr_assert(t.recovered);
    PROVES(SP_92);
    spipe_client_destroy(a.client);
}

Test(waiting, a_silent_adapter_is_given_a_second) { run(a_silent_moment); }

/* Resizes, with a sync that is lost, and then waits for something of its own. */
static void resize_and_sleep(struct task *t)
{
    resize(t);
    cr_assert_eq(t->rc, 0);
    t->rc = exec_sleep_until(t->s->exec, exec_now(t->s->exec) + SECOND);
}

/* The same with a request that is no verb. */
static void scsi_and_sleep(struct task *t)
{
    struct spipe_scsi command = {
        .size = sizeof command, .port = SPIPE_PORT_ANY, .timeout_ns = SECOND};

    t->rc = spipe_scsi(t->s->adapter, &command);
    cr_assert_neq(t->rc, -EINTR);
    t->rc = exec_sleep_until(t->s->exec, exec_now(t->s->exec) + SECOND);
}

/* A request that cannot be given up goes on when its thread is interrupted. That is over when the
 * request is, as a signal is to a system call; between two requests it is for the second. */
static void interruptions(struct stack *s, void *arg)
{
    struct stack_client a;
    struct task t = {0};

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    t.s = s;
    t.ctx = a.ctx;
    t.handle = stack_open(&a, 0, 2);
    t.arg = CHUNK;
    stack_plan(s, "afucmd#1=d");
    begin_task(s, &t, resize_and_sleep);
    exec_thread_interrupt(s->exec, t.thread);
    cr_assert_eq(end_task(s, &t), 0);
    stack_plan(s, "fc#1=n");
    begin_task(s, &t, scsi_and_sleep);
    exec_thread_interrupt(s->exec, t.thread);
    cr_assert_eq(end_task(s, &t), 0);
    exec_keep_interrupt(s->exec);
    cr_assert_eq(exec_sleep_until(s->exec, exec_now(s->exec) + SECOND), -EINTR);
    spipe_client_destroy(a.client);
}

Test(waiting, an_interruption_ends_with_its_request) { run(interruptions); }
