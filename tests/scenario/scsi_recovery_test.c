/* SPDX-License-Identifier: Apache-2.0 */
/* What a SCSI host does about commands that are not answered, over the model: abort, LUN reset and
 * host reset, who is taken along, and who waits for whom (AD section 10). Time is virtual. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(scsi_recovery, .timeout = 120);

#define MILLISECOND UINT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

static void run(void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, NULL);
    sim_media_close(media);
}

/* ---- one command, in a thread of its own if need be ---- */

struct task {
    struct stack *s;
    struct spipe_scsi command;
    struct spipe_ctx *ctx;
    uint32_t handle;
    int rc;
    uint64_t took;
    bool done;
    struct exec_thread *thread;
    int (*body)(struct task *);
};

static void task_thread(void *arg)
{
    struct task *t = arg;
    uint64_t begin = exec_now(t->s->exec);

    t->rc = t->body(t);
    t->took = exec_now(t->s->exec) - begin;
    t->done = true;
}

/* Starts a task, and lets it go as far as it can in no time. */
static void begin_task(struct stack *s, struct task *t, int (*body)(struct task *))
{
    t->s = s;
    t->body = body;
    t->done = false;
    cr_assert_eq(exec_thread_create(s->exec, "task", task_thread, t, &t->thread), 0);
    stack_sleep(s, MILLISECOND);
}

static int end_task(struct task *t)
{
    exec_thread_join(t->s->exec, t->thread);
    return t->rc;
}

static int send(struct task *t) { return spipe_scsi(t->s->adapter, &t->command); }

static int reset_lun(struct task *t) { return spipe_scsi_reset_lun(t->s->adapter, &t->command); }

static int reset(struct task *t) { return spipe_reset(t->s->adapter); }

static int grow(struct task *t)
{
    uint64_t last;

    return spipe_resize(t->ctx, t->handle, 2 * 65536, &last);
}

/* TEST UNIT READY to LUN 1. */
static struct spipe_scsi ready(unsigned port)
{
    return (struct spipe_scsi){.size = sizeof(struct spipe_scsi), .lun = 1, .port = port};
}

static void expect_ready(struct stack *s, unsigned port)
{
    struct spipe_scsi c = ready(port);

    cr_assert_eq(spipe_scsi(s->adapter, &c), 0);
    cr_assert_eq(c.result, 0, "result %#x", c.result);
}

/* ---- aborts ---- */

/* The abort of one takes the other along, and an AFU sync, which is sent once more (AD-124). */
static void an_abort(struct stack *s, void *arg)
{
    struct task first = {.command = ready(0)}, second = {.command = ready(1)}, sync = {0};
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    sync.ctx = c.ctx;
    sync.handle = stack_open(&c, 0, 1);
    stack_plan(s, "fc#1x2=n+afucmd#1=d");
    first.command.timeout_ns = SECOND;
    begin_task(s, &first, send);
    begin_task(s, &second, send);
    begin_task(s, &sync, grow);
    cr_assert_not(sync.done);
    cr_assert_eq(end_task(&first), -ETIMEDOUT);
    cr_assert_eq(end_task(&second), 0);
    cr_assert_eq(SPIPE_RESULT_HOST(second.command.result), SPIPE_DID_IMM_RETRY);
    cr_assert_eq(end_task(&sync), 0);
    cr_assert_lt(first.took, SECOND + 3 * MILLISECOND);
    cr_assert_lt(second.took, SECOND + 3 * MILLISECOND);
    cr_assert_lt(sync.took, SECOND + 3 * MILLISECOND, "not the 10 s of a time-out");
    expect_ready(s, 0);
    expect_ready(s, 1);
    cr_assert_eq(spipe__generation(s->adapter), 1);
    spipe_client_destroy(c.client);
    PROVES(AD_54);
    PROVES(AD_114);
    PROVES(AD_124);
}

Test(scsi_recovery, an_abort_takes_its_queue_along) { run(an_abort); }

/* Commands on another queue do not notice. */
static void other_queue(struct stack *s, void *arg)
{
    struct task first = {.command = ready(0)}, second = {.command = ready(1)};

    (void)arg;
    cr_assert_eq(spipe_hwqs_set(s->adapter, 2), 0);
    cr_assert_eq(spipe_hwq_mode_set(s->adapter, SPIPE_HWQ_TAG), 0);
    stack_plan(s, "fc#1x2=n");
    first.command.timeout_ns = SECOND;
    second.command.timeout_ns = 3 * SECOND;
    second.command.queue = 1;
    begin_task(s, &first, send);
    begin_task(s, &second, send);
    cr_assert_eq(end_task(&first), -ETIMEDOUT);
    stack_sleep(s, SECOND);
    cr_assert_not(second.done);
    cr_assert_eq(end_task(&second), -ETIMEDOUT);
    cr_assert_eq(s->adapter->hwq[0].counters.resets, 1);
    cr_assert_eq(s->adapter->hwq[1].counters.resets, 1);
    PROVES(AD_114);
}

Test(scsi_recovery, an_abort_leaves_other_queues_alone) { run(other_queue); }

/* The context reset does not end: the host reset does what is left to do, for the neighbours too.
 */
static void no_abort(struct stack *s, void *arg)
{
    struct task first = {.command = ready(0)}, second = {.command = ready(1)};

    (void)arg;
    stack_plan(s, "fc#1x2=n+creset#1=n");
    first.command.timeout_ns = SECOND;
    begin_task(s, &first, send);
    begin_task(s, &second, send);
    cr_assert_eq(end_task(&first), -ETIMEDOUT);
    cr_assert_eq(end_task(&second), 0);
    cr_assert_eq(SPIPE_RESULT_HOST(second.command.result), SPIPE_DID_IMM_RETRY);
    cr_assert_eq(spipe__generation(s->adapter), 2);
    cr_assert_eq(s->adapter->gate.state, SPIPE_STATE_NORMAL);
    expect_ready(s, 1);
    PROVES(AD_132);
    PROVES(AD_133);
}

Test(scsi_recovery, a_host_reset_follows_a_failed_abort) { run(no_abort); }

/* ---- resets of a LUN ---- */

/* 6/29/00 once on each port. */
static void lun_reset(struct stack *s, void *arg)
{
    struct spipe_scsi c = ready(0);

    (void)arg;
    cr_assert_eq(spipe_scsi_reset_lun(s->adapter, &c), 0);
    for (unsigned port = 0; port < 2; port++) {
        c = ready(port);
        cr_assert_eq(spipe_scsi(s->adapter, &c), 0);
        cr_assert_eq(c.result, 2);
        cr_assert(c.sense_valid);
        cr_assert_eq(c.sense[2] & 0xF, 6);
        cr_assert_eq(c.sense[12], 0x29);
        cr_assert_eq(c.sense[13], 0);
        expect_ready(s, port);
    }
    PROVES(AD_111);
    PROVES(AD_113);
}

Test(scsi_recovery, lun_reset) { run(lun_reset); }

/* One at a time, and nothing else goes out meanwhile (AD-110, AD-65). */
static void one_at_a_time(struct stack *s, void *arg)
{
    struct task first = {.command = ready(0)}, second = first, third = first;
    struct spipe_scsi c = ready(0);

    (void)arg;
    stack_plan(s, "rrq#1=d");
    begin_task(s, &first, reset_lun);
    begin_task(s, &second, reset_lun);
    begin_task(s, &third, reset_lun);
    cr_assert_eq(spipe_scsi(s->adapter, &c), -EBUSY);
    exec_thread_interrupt(s->exec, third.thread);
    cr_assert_eq(end_task(&third), -EINTR);
    stack_sleep(s, SECOND);
    cr_assert_not(first.done || second.done);
    cr_assert_eq(end_task(&first), -ETIMEDOUT);
    cr_assert_lt(first.took, 5 * SECOND + MILLISECOND);
    cr_assert_eq(end_task(&second), 0);
    cr_assert_geq(second.took, 4 * SECOND);
    c = ready(0);
    cr_assert_eq(spipe_scsi(s->adapter, &c), 0);
    PROVES(AD_65);
    PROVES(AD_110);
    PROVES(AD_112);
}

Test(scsi_recovery, lun_resets_come_one_after_the_other) { run(one_at_a_time); }

/* The end of the queue ends it too (AD-54), and the next one can begin. */
static void reset_during_one(struct stack *s, void *arg)
{
    struct task first = {.command = ready(0)}, second = first, last = {0};

    (void)arg;
    stack_plan(s, "rrq#1=d");
    begin_task(s, &first, reset_lun);
    begin_task(s, &second, reset_lun);
    begin_task(s, &last, reset);
    cr_assert_eq(end_task(&first), -EAGAIN);
    cr_assert_lt(first.took, SECOND);
    cr_assert(end_task(&second) == -EBUSY || second.rc == -EAGAIN);
    cr_assert_eq(end_task(&last), 0);
    cr_assert_eq(spipe_scsi_reset_lun(s->adapter, &first.command), 0);
    PROVES(AD_54);
    PROVES(AD_112);
}

Test(scsi_recovery, a_reset_ends_a_lun_reset) { run(reset_during_one); }

/* Changing the number of queues waits for a reset that is under way, and then makes its own
 * (AD-155). */
static int three_queues(struct task *t) { return spipe_hwqs_set(t->s->adapter, 3); }

static void queues_during_a_reset(struct stack *s, void *arg)
{
    struct task first = {0}, second = {0};

    (void)arg;
    begin_task(s, &first, reset);
    begin_task(s, &second, three_queues);
    exec_thread_interrupt(s->exec, second.thread);
    stack_sleep(s, MILLISECOND);
    cr_assert_not(second.done, "it cannot be interrupted");
    cr_assert_eq(spipe_hwqs_get(s->adapter), 1);
    cr_assert_eq(end_task(&second), 0);
    cr_assert_eq(end_task(&first), 0);
    cr_assert_eq(spipe_hwqs_get(s->adapter), 3);
    cr_assert_eq(spipe__generation(s->adapter), 3);
    PROVES(AD_155);
    PROVES(AD_203);
}

Test(scsi_recovery, queues_during_a_reset) { run(queues_during_a_reset); }

/* It waits for the reset of the adapter, and then does what it was asked for (AD-113, AD-151). */
static void during_a_reset(struct stack *s, void *arg)
{
    struct task first = {0}, second = {.command = ready(0)};
    struct spipe_scsi c = ready(0);

    (void)arg;
    begin_task(s, &first, reset);
    cr_assert_eq(spipe_scsi(s->adapter, &c), -EBUSY);
    begin_task(s, &second, reset_lun);
    stack_sleep(s, MILLISECOND);
    cr_assert_not(second.done);
    cr_assert_eq(end_task(&second), 0);
    cr_assert_eq(end_task(&first), 0);
    cr_assert_eq(spipe_scsi(s->adapter, &c), 0);
    cr_assert_eq(c.result, 2, "the unit attention of the LUN reset");
    PROVES(AD_151);
    PROVES(AD_157);
}

Test(scsi_recovery, a_lun_reset_waits_for_the_adapter) { run(during_a_reset); }

/* A reset of the adapter ends what is in flight at once, and does not wait for it (AD-53, AD-54).
 */
static void reset_under_commands(struct stack *s, void *arg)
{
    struct task tasks[20], last = {0};

    (void)arg;
    stack_plan(s, "fc#1x20=n");
    for (unsigned i = 0; i < 20; i++) {
        tasks[i] = (struct task){.command = ready(i % 2)};
        tasks[i].command.timeout_ns = 0;
        begin_task(s, &tasks[i], send);
    }
    begin_task(s, &last, reset);
    for (unsigned i = 0; i < 20; i++) {
        int rc = end_task(&tasks[i]);

        cr_assert_lt(tasks[i].took, SECOND);
        cr_assert(rc == -EBUSY ||
                  (rc == 0 && SPIPE_RESULT_HOST(tasks[i].command.result) == SPIPE_DID_IMM_RETRY));
    }
    cr_assert_eq(end_task(&last), 0);
    expect_ready(s, 0);
    PROVES(AD_52);
    PROVES(AD_53);
    PROVES(AD_54);
}

Test(scsi_recovery, a_reset_ends_commands_at_once) { run(reset_under_commands); }

/* ---- the platform ---- */

/* AD 24.2, AD-54: commands of a slot that freezes are to be sent again; those that come until it is
 * recovered find a busy host; then everything is as it was, on all queues. */
static void frozen(struct stack *s, void *arg)
{
    struct task tasks[6];
    struct spipe_scsi c = ready(0);
    unsigned busy = 0;
    int rc;

    (void)arg;
    cr_assert_eq(spipe_hwqs_set(s->adapter, 3), 0);
    stack_plan(s, "fc#1x6=n");
    for (unsigned i = 0; i < 6; i++) {
        tasks[i] = (struct task){.command = ready(i % 2)};
        begin_task(s, &tasks[i], send);
    }
    sim_afu_platform(sim_host_afu(s->host, 0), SIM_EFFECT_FREEZE, 0);
    for (unsigned i = 0; i < 6; i++) {
        cr_assert_eq(end_task(&tasks[i]), 0);
        cr_assert_lt(tasks[i].took, SECOND);
        cr_assert_eq(SPIPE_RESULT_HOST(tasks[i].command.result), SPIPE_DID_IMM_RETRY);
    }
    while ((rc = spipe_scsi(s->adapter, &c)) == -EBUSY && busy++ < 1000)
        stack_sleep(s, 10 * MILLISECOND);
    cr_assert_gt(busy, 0);
    cr_assert_eq(rc, 0);
    cr_assert_eq(spipe_hwqs_get(s->adapter), 3);
    for (unsigned i = 0; i < 6; i++)
        expect_ready(s, i % 2);
    PROVES(AD_54);
    PROVES(AD_65);
}

Test(scsi_recovery, a_slot_that_freezes) { run(frozen); }

/* After the removal nothing is sent, and it is told at once. */
static void removed(struct stack *s, void *arg)
{
    struct task t = {.command = ready(0)};
    struct spipe_scsi c = ready(0);

    (void)arg;
    stack_plan(s, "fc#1=n");
    begin_task(s, &t, send);
    cr_assert_eq(spipe_remove(s->adapter, EXEC_FOREVER), 0);
    cr_assert_eq(end_task(&t), 0);
    cr_assert_eq(SPIPE_RESULT_HOST(t.command.result), SPIPE_DID_IMM_RETRY);
    cr_assert_eq(spipe_scsi(s->adapter, &c), 0);
    cr_assert_eq(SPIPE_RESULT_HOST(c.result), SPIPE_DID_NO_CONNECT);
    cr_assert_eq(spipe_scsi_reset_lun(s->adapter, &c), -EIO);
    PROVES(AD_65);
    PROVES(AD_113);
}

Test(scsi_recovery, removed) { run(removed); }

/* ---- several at once from one thread ---- */

enum { REQUESTS = 12 };

static struct spipe_scsi_request request[REQUESTS];
static uint8_t block[REQUESTS][STACK_BLOCK] __attribute__((aligned(128)));
static unsigned ends[REQUESTS];

/* READ(10) or WRITE(10) of one block each, by turns on both ports. */
static void submit_all(struct stack *s, uint8_t opcode)
{
    for (unsigned i = 0; i < REQUESTS; i++) {
        request[i] = (struct spipe_scsi_request){.command = ready(i % 2)};
        request[i].command.cdb[0] = opcode;
        request[i].command.cdb[5] = (uint8_t)i;
        request[i].command.cdb[8] = 1;
        request[i].command.write = opcode == 0x2A;
        request[i].command.data = block[i];
        request[i].command.length = STACK_BLOCK;
        cr_assert_eq(spipe_scsi_submit(s->adapter, &request[i]), 0);
        ends[i] = 0;
    }
    cr_assert_eq(s->adapter->host.in_flight, REQUESTS);
}

/* Looks at all of them again and again until each has ended. */
static void poll_all(struct stack *s)
{
    for (unsigned left = REQUESTS; left;) {
        for (unsigned i = 0; i < REQUESTS; i++) {
            int rc = spipe_scsi_wait(s->adapter, &request[i], 0);

            cr_assert_eq(rc, ends[i] ? -EINVAL : rc == 0 ? 0 : -EAGAIN, "number %u", i);
            ends[i] += rc == 0;
            left -= rc == 0;
        }
    }
    cr_assert_eq(s->adapter->host.in_flight, 0);
}

static void expect_hosts(enum spipe_host_byte host)
{
    for (unsigned i = 0; i < REQUESTS; i++) {
        cr_assert_eq(ends[i], 1);
        cr_assert_eq(SPIPE_RESULT_HOST(request[i].command.result), host, "number %u: %#x", i,
                     request[i].command.result);
    }
}

static void one_thread(struct stack *s, void *arg)
{
    uint64_t begin;

    (void)arg;
    for (unsigned i = 0; i < REQUESTS; i++)
        memset(block[i], 0x30 + (int)i, STACK_BLOCK);
    begin = exec_now(s->exec);
    submit_all(s, 0x2A);
    cr_assert_lt(exec_now(s->exec) - begin, MILLISECOND, "nobody waits for an answer");
    poll_all(s);
    expect_hosts(SPIPE_DID_OK);
    memset(block, 0, sizeof block);
    submit_all(s, 0x28);
    for (unsigned i = REQUESTS; i-- > 0;) {
        cr_assert_eq(spipe_scsi_wait(s->adapter, &request[i], EXEC_FOREVER), 0);
        cr_assert_eq(request[i].command.result, 0);
        for (unsigned k = 0; k < STACK_BLOCK; k++)
            cr_assert_eq(block[i][k], 0x30 + i);
    }
}

Test(scsi_recovery, many_from_one_thread) { run(one_thread); }

/* a LUN reset ends those that are in flight to it, and each end is told once. */
static void requests_and_lun_reset(struct stack *s, void *arg)
{
    struct spipe_scsi to = ready(0);

    (void)arg;
    stack_plan(s, "media#1x12=l(2500000000)"); /* 10 s */
    submit_all(s, 0x28);
    stack_sleep(s, MILLISECOND);
    cr_assert_eq(spipe_scsi_wait(s->adapter, &request[0], 0), -EAGAIN);
    cr_assert_eq(spipe_scsi_reset_lun(s->adapter, &to), 0);
    poll_all(s);
    expect_hosts(SPIPE_DID_ERROR);
    cr_assert_lt(exec_now(s->exec), 10 * SECOND);
    for (unsigned i = 0; i < REQUESTS; i++)
        cr_assert_eq(request[i].command.fc_rc, 0x5C);
    PROVES(R_27);
}

Test(scsi_recovery, a_lun_reset_ends_requests) { run(requests_and_lun_reset); }

/* AD-54: so does a reset of the adapter, during which somebody looks all the time. */
static void requests_and_reset(struct stack *s, void *arg)
{
    struct task t = {0};

    (void)arg;
    stack_plan(s, "fc#1x12=n");
    submit_all(s, 0x28);
    t.s = s;
    t.body = reset;
    cr_assert_eq(exec_thread_create(s->exec, "task", task_thread, &t, &t.thread), 0);
    poll_all(s);
    cr_assert_eq(end_task(&t), 0);
    expect_hosts(SPIPE_DID_IMM_RETRY);
    cr_assert_eq(spipe__generation(s->adapter), 2);
    expect_ready(s, 0);
    PROVES(AD_54);
}

Test(scsi_recovery, a_reset_ends_requests) { run(requests_and_reset); }

/* AD-73: the time of the first is over, and its abort takes the others along. */
static void requests_time_out(struct stack *s, void *arg)
{
    unsigned timeouts = 0;

    (void)arg;
    stack_plan(s, "fc#1x12=n");
    submit_all(s, 0x28);
    for (unsigned left = REQUESTS; left;) {
        for (unsigned i = 0; i < REQUESTS; i++) {
            int rc = spipe_scsi_wait(s->adapter, &request[i], 0);

            timeouts += rc == -ETIMEDOUT;
            left -= rc == 0 || rc == -ETIMEDOUT;
        }
    }
    cr_assert_eq(timeouts, 1);
    cr_assert_lt(exec_now(s->exec), 40 * SECOND);
    cr_assert_eq(s->adapter->host.in_flight, 0);
    expect_ready(s, 1);
    PROVES(AD_73);
}

Test(scsi_recovery, requests_time_out_by_looks) { run(requests_time_out); }
