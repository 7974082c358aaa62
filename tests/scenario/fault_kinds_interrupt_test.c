/* SPDX-License-Identifier: Apache-2.0 */
/* Fault kinds of interrupts and responses: FK-6 to FK-9. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "tests/scenario/fault_kinds.h"
#include "tests/testlib/proves.h"

TestSuite(fault_kinds_interrupt, .timeout = 120);

/* Whoever sleeps finds what is there at the next interrupt or when the wait is over; the master
 * finds the answer of a sync before it is declared lost. */
static const struct fault_case interrupts[] = {
    {.name = "FK-6: messages of clients are lost", .plan = "lisn%5=d", .interrupts = true},
    {.name = "FK-6: events of clients are lost", .plan = "evt%5=d", .interrupts = true},
    {.name = "FK-6: a message of the master is lost", .plan = "lisn#1..3=d", .resizes = true},
    {.name = "FK-6: an event of the master is lost", .plan = "evt#1..3=d", .resizes = true},
    {.name = "FK-7: messages come twice", .plan = "lisn%2=2", .interrupts = true, .resizes = true},
    {.name = "FK-7: events come twice", .plan = "evt%2=2", .interrupts = true, .resizes = true},
    {.name = "FK-7: messages are late", .plan = "lisn%3=l", .interrupts = true, .resizes = true},
    {.name = "FK-7: events are late", .plan = "evt%3=l", .interrupts = true, .resizes = true},
    {.name = "FK-7: messages come before their elements",
     .plan = "lisn%2=e(5000)",
     .interrupts = true,
     .resizes = true},
    {.name = "FK-8: a storm of messages",
     .plan = "lisn#1x1000=2",
     .interrupts = true,
     .resizes = true},
    {.name = "FK-8: a storm of events",
     .plan = "evt#1x1000=2",
     .interrupts = true,
     .resizes = true},
};

/* What is lost is told after its time-out, and to nobody else. */
static const struct fault_case responses[] = {
    {.name = "FK-9: the response of an I/O is lost",
     .plan = "rrq#30=d",
     .errors = {-ETIMEDOUT},
     .needs_errors = true},
    {.name = "FK-9: responses are lost",
     .plan = "rrq%40x5=d",
     .errors = {-ETIMEDOUT},
     .needs_errors = true,
     .interrupts = true},
    {.name = "FK-9: responses of all, clients and master, are lost now and then",
     .plan = "rrq%37x8=d",
     .errors = {-ETIMEDOUT, -EAGAIN},
     .needs_errors = true,
     .resizes = true},
};

Test(fault_kinds_interrupt, interrupts_go_wrong) { FAULT_CASES_RUN(interrupts); }

Test(fault_kinds_interrupt, responses_are_lost) { FAULT_CASES_RUN(responses); }

/* ---- FK-8: how much is done about an event -----------------------------------------------------
 */

enum { STORM = 1000 };

#define MILLISECOND UINT64_C(1000000)
#define ROUND (100 * MILLISECOND) /* AD-88: the pause between rounds of the handler */

/* What core does with the masters, which are the only contexts here. */
static struct spying {
    struct hal_ops ops;
    const struct hal_ops *real;
    uint64_t loads, stores, events;
    uint64_t rounds; /* of the handler: loads of aintr_status */
    uint64_t states; /* loads of FC_STATUS of port 1 */
} spying;

static uint64_t spy_read(struct hal_ctx *ctx, uint64_t offset)
{
    spying.loads++;
    spying.rounds += offset == AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_STATUS;
    spying.states += offset == AFU_PORT_REGS(1) + AFU_FC_STATUS;
    return spying.real->reg_read64(ctx, offset);
}

static void spy_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    spying.stores++;
    spying.real->reg_write64(ctx, offset, value);
}

static int spy_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    int rc = spying.real->event_wait(ctx, deadline, out);

    spying.events += !rc && out->kind == HAL_EVENT_AFU_INTERRUPT;
    return rc;
}

static void spy(struct stack *s)
{
    memset(&spying, 0, sizeof spying);
    spying.real = s->core_dev->ops;
    spying.ops = *spying.real;
    spying.ops.reg_read64 = spy_read;
    spying.ops.reg_write64 = spy_write;
    spying.ops.event_wait = spy_event_wait;
    s->core_dev->ops = s->adapter->master->ops = &spying.ops;
}

static void run_storm(void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(2);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, NULL);
    sim_media_close(media);
}

/* One link event, told a thousand times. The handler runs once in 100 ms and no more; a round is
 * one load that finds nothing, but for the first, which clears the bit and reads the status of the
 * port (AD-87). */
static void storm_of_async_events(struct stack *s, void *arg)
{
    uint64_t begin = exec_now(s->exec), rounds;

    (void)arg;
    spy(s);
    stack_plan(s, "evt#1x1000=2");
    sim_afu_link_down(sim_host_afu(s->host, 0), 1);
    while (spying.events < STORM)
        stack_sleep_s(s, 1);
    cr_assert_eq(stack_fired(s), STORM);
    rounds = (exec_now(s->exec) - begin) / ROUND + 1;
    cr_assert_leq(spying.rounds, rounds);
    cr_assert_leq(spying.rounds, spying.events);
    cr_assert_eq(spying.loads, spying.rounds + 1);
    cr_assert_eq(spying.stores, 1);
    PROVES(AD_88);
}

Test(fault_kinds_interrupt, a_round_for_many_events) { run_storm(storm_of_async_events); }

static bool enough;

/* Whoever waits for an answer hears the AFU as well, at once. */
static void send_on(void *arg)
{
    struct stack *s = arg;
    struct spipe_scsi c = {.size = sizeof c, .lun = 1}; /* TEST UNIT READY */

    while (!enough) {
        cr_assert_eq(spipe_scsi(s->adapter, &c), 0);
        cr_assert_eq(c.result, 0, "the other port works on");
        stack_sleep(s, MILLISECOND / 10);
    }
}

/* A link that goes up and down a thousand times, under commands through the other port: the handler
 * still runs once in 100 ms. It loads the status, and that of the port for each of its eight bits.
 */
static void storm_of_links(struct stack *s, void *arg)
{
    struct sim_afu *afu = sim_host_afu(s->host, 0);
    uint64_t begin = exec_now(s->exec), elapsed;
    struct exec_thread *sender;

    (void)arg;
    enough = false;
    spy(s);
    cr_assert_eq(exec_thread_create(s->exec, "sender", send_on, s, &sender), 0);
    for (unsigned i = 0; i < STORM; i++) {
        sim_afu_link_down(afu, 1);
        stack_sleep(s, MILLISECOND);
        sim_afu_link_up(afu, 1);
        stack_sleep(s, MILLISECOND);
    }
    elapsed = exec_now(s->exec) - begin;
    cr_assert_geq(spying.rounds, elapsed / ROUND / 2, "nobody listens");
    cr_assert_leq(spying.rounds, elapsed / ROUND + 1);
    cr_assert_leq(spying.states, spying.rounds * AFU_AINTR_EVENTS);
    enough = true;
    exec_thread_join(s->exec, sender);
    PROVES(AD_88);
}

Test(fault_kinds_interrupt, a_round_for_many_links) { run_storm(storm_of_links); }

/* The interrupt of an answer, a thousand times: each costs a look at memory and no register, and
 * the commands behind it wait no longer for it. */
static void storm_of_answers(struct stack *s, void *arg)
{
    struct spipe_scsi c = {.size = sizeof c, .lun = 1}; /* TEST UNIT READY */
    const struct spipe__hwq_counters *n = &s->adapter->hwq[0].counters;
    uint64_t begin, before;
    unsigned commands = 0;

    (void)arg;
    cr_assert_eq(spipe_scsi(s->adapter, &c), 0);
    begin = exec_now(s->exec);
    before = n->interrupts;
    spy(s);
    stack_plan(s, "evt#1x1000=2");
    for (; n->interrupts - before < STORM; commands++) {
        cr_assert_eq(spipe_scsi(s->adapter, &c), 0);
        cr_assert_eq(c.result, 0);
        cr_assert_lt(commands, 100);
    }
    cr_assert_eq(stack_fired(s), STORM);
    cr_assert_eq(n->interrupts - before, spying.events);
    cr_assert_leq(spying.events, STORM + commands);
    cr_assert_leq(spying.loads, commands, "of credits (AD-67)");
    cr_assert_eq(spying.stores, commands, "doorbells");
    cr_assert_eq(spying.rounds, 0);
    cr_assert_lt(exec_now(s->exec) - begin, commands * MILLISECOND);
}

Test(fault_kinds_interrupt, no_register_for_an_answer) { run_storm(storm_of_answers); }
