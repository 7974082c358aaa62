/* SPDX-License-Identifier: Apache-2.0 */
/* What a program is told of an adapter that goes through something: which events, in which order,
 * with which fields; and that being told changes nothing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(event_log, .timeout = 120);

#define SECOND UINT64_C(1000000000)

static struct {
    char text[65536]; /* a line each */
    uint64_t count, time_ns;
} told;

static void sink(void *arg, const struct spipe_event *event)
{
    size_t used = strlen(told.text);
    char line[SPIPE_EVENT_TEXT_BYTES];
    const char *fields;

    cr_assert_eq(arg, &told);
    cr_assert_eq(event->sequence, ++told.count);
    cr_assert_geq(event->time_ns, told.time_ns, "time never goes back");
    told.time_ns = event->time_ns;
    spipe_event_format(event, line, sizeof line);
    fields = strrchr(line, '(');
    snprintf(told.text + used, sizeof told.text - used, "%s%s%s\n", spipe_event_name(event->id),
             fields ? " " : "", fields ? fields : "");
}

static uint64_t heartbeat_ns; /* of the runs of a test */

static uint64_t run_told(void (*body)(struct stack *, void *), bool listen)
{
    struct sim_media *media = stack_media(8);
    struct stack_setup setup = {
        .seed = 3, .media = media, .event_arg = &told, .heartbeat_ns = heartbeat_ns};
    uint64_t hash;

    memset(&told, 0, sizeof told);
    setup.event_sink = listen ? sink : NULL;
    hash = stack_run(&setup, body, NULL);
    sim_media_close(media);
    return hash;
}

static uint64_t counter(struct stack *s, unsigned id)
{
    struct spipe_counter c;

    cr_assert_eq(spipe_counter(s->adapter, id, &c), 0);
    return c.value;
}

/* These lines, in this order, whatever is between them. */
static void expect(const char *const *lines)
{
    const char *at = told.text;

    for (; *lines; lines++) {
        char line[128];
        const char *found;

        snprintf(line, sizeof line, "%s\n", *lines);
        found = strstr(at, line);
        cr_assert_not_null(found, "'%s' is missing here:\n%s", *lines, at);
        at = found + strlen(line);
    }
}

#define EXPECT(...) expect((const char *const[]){__VA_ARGS__, NULL})

/* ---- an ordinary life ---- */

static void nothing(struct stack *s, void *arg)
{
    (void)arg;
    cr_assert_eq(counter(s, SPIPE_EVENT_LUN_FOUND), 4);
    cr_assert_eq(counter(s, SPIPE_EVENT_OPEN_FAILED), 0);
}

Test(event_log, open_and_close)
{
    (void)run_told(nothing, true);
    EXPECT("state (state NORMAL)", "lun_found (lun 0, port 0, lun_id 0x0)",
           "lun_found (lun 1, port 0, lun_id 0x1000000000000)",
           "lun_found (lun 0, port 1, lun_id 0x0)",
           "lun_found (lun 1, port 1, lun_id 0x1000000000000)", "closed");
}

/* ---- ports ---- */

static void a_lost_link(struct stack *s, void *arg)
{
    (void)arg;
    sim_afu_link_down(sim_host_afu(s->host, 0), 1);
    stack_sleep_s(s, 1);
    cr_assert_eq(spipe_port_reset(s->adapter, 1), 0);
    stack_sleep_s(s, 1);
    cr_assert_eq(counter(s, SPIPE_EVENT_PORT_LINK_DOWN), 1);
}

/* AD-87: each event with FC_STATUS, all four low bits of which mean online (SL 17.3). */
Test(event_log, ports)
{
    uint64_t hash = run_told(a_lost_link, true);

    EXPECT("port_link_down (port 1, fc_status 0x0)", "link_reset_begin (port 1)",
           "port_errors_cleared (port 1, fc_error 0x0)", "link_reset_end (port 1, result 0)",
           "closed");
    EXPECT("port_link_up (port 1, fc_status 0xf)", "port_login (port 1, fc_status 0xf)",
           "rescan_begin", "rescan_end (result 0)");
    PROVES(AD_87);
    cr_assert_eq(run_told(a_lost_link, false), hash, "nobody is told: everything else is the same");
    cr_assert_eq(told.count, 0);
}

/* ---- in company ---- */

enum { WORKERS = 4 };

struct worker {
    struct stack_client c;
    struct exec_thread *thread;
    uint32_t handle;
};

/* Which of them a failing sync meets does not matter. */
static void resize_often(void *arg)
{
    struct worker *w = arg;
    uint64_t last;

    for (uint64_t i = 0; i < 40; i++)
        (void)!spipe_resize(w->c.ctx, w->handle, (i % 2) * 65536, &last);
}

static void syncs_that_fail_for_many(struct stack *s, void *arg)
{
    static struct worker worker[WORKERS];

    (void)arg;
    for (unsigned i = 0; i < WORKERS; i++) {
        worker[i] = (struct worker){0};
        stack_client(s, &worker[i].c, 0, 8, false);
        worker[i].handle = stack_open(&worker[i].c, 0, 1);
    }
    stack_plan(s, "afucmd#7x9=x(2)");
    for (unsigned i = 0; i < WORKERS; i++)
        cr_assert_eq(
            exec_thread_create(s->exec, "worker", resize_often, &worker[i], &worker[i].thread), 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        exec_thread_join(s->exec, worker[i].thread);
        spipe_client_destroy(worker[i].c.client);
    }
}

/* An event needs the clock, and a look at it is a scheduling point. */
Test(event_log, being_told_changes_nothing)
{
    uint64_t hash = run_told(syncs_that_fail_for_many, true);

    cr_assert_not_null(strstr(told.text, "quarantine_stuck"));
    cr_assert_eq(run_told(syncs_that_fail_for_many, false), hash);
    cr_assert_eq(told.count, 0);
}

static void a_dead_link(struct stack *s, void *arg)
{
    (void)arg;
    stack_plan(s, "plink#1*=d");
    cr_assert_eq(spipe_port_reset(s->adapter, 0), -ETIMEDOUT);
}

Test(event_log, a_step_that_fails)
{
    (void)run_told(a_dead_link, true);
    EXPECT("link_reset_begin (port 0)",
           "link_step_failed (port 0, step wait online, result -ETIMEDOUT)",
           "link_reset_end (port 0, result -ETIMEDOUT)");
}

/* ---- queues ---- */

static void a_repeated_element(struct stack *s, void *arg)
{
    static uint8_t page[STACK_BLOCK] __attribute__((aligned(128)));
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    stack_plan(s, "rrq#2=2");
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(stack_io(&c, SPIPE_WRITE, handle, i, 1, page), 0);
    cr_assert_eq(counter(s, SPIPE_EVENT_RRQ_STRAY), 0, "the data path only counts");
    spipe_client_destroy(c.client);
    cr_assert_eq(counter(s, SPIPE_EVENT_RRQ_STRAY), 1);
}

Test(event_log, queues_are_looked_at_when_they_end)
{
    (void)run_told(a_repeated_element, true);
    cr_assert_not_null(strstr(told.text, "rrq_stray (context "));
}

/* ---- quarantine ---- */

static void syncs_that_fail(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;
    uint64_t last;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    stack_plan(s, "afucmd#1=x(2)");
    cr_assert_eq(spipe_resize(c.ctx, handle, 65536, &last), -EAGAIN);
    cr_assert_eq(spipe_resize(c.ctx, handle, 65536, &last), 0);
    spipe_client_destroy(c.client);
    cr_assert_eq(counter(s, SPIPE_EVENT_QUARANTINE_STUCK), 1);
}

Test(event_log, quarantine)
{
    (void)run_told(syncs_that_fail, true);
    cr_assert_not_null(strstr(told.text, "handle 0, failures 1)\n"), "%s", told.text);
}

/* Within the 100 ms in which the worker does not try it yet. */
static void close_without_sync(struct stack *s)
{
    struct stack_client c;

    stack_client(s, &c, 0, 8, false);
    (void)stack_open(&c, 0, 3);
    stack_plan(s, "afucmd#1=x(2)");
    spipe_client_destroy(c.client);
}

static void frozen_with_a_quarantine(struct stack *s, void *arg)
{
    (void)arg;
    close_without_sync(s);
    sim_afu_platform(sim_host_afu(s->host, 0), SIM_EFFECT_FREEZE, 0);
    stack_sleep_s(s, 5);
}

static void reset_with_a_quarantine(struct stack *s, void *arg)
{
    (void)arg;
    close_without_sync(s);
    cr_assert_eq(spipe_reset(s->adapter), 0);
}

/* vlun.md 15.1: the AFU was initialised, so nothing is held any more, and whoever waits for the
 * adapter finds the space free: it is not left to the worker, which comes after it is NORMAL. */
Test(event_log, quarantine_ends_before_a_reset_does)
{
    void (*const bodies[])(struct stack *, void *) = {frozen_with_a_quarantine,
                                                      reset_with_a_quarantine};

    for (unsigned i = 0; i < 2; i++) {
        (void)run_told(bodies[i], true);
        EXPECT("quarantine_orphan (context 1, handle 0)", "state (state RESET)",
               "afu_ready (generation 2)", "quarantine_free (context 1, handle 0)",
               "state (state NORMAL)");
    }
    PROVES(AD_144);
}

/* ---- AFU commands ---- */

/* AD-124: given up after 10 s, the queue reset, sent once more. */
static void an_answer_that_gets_lost(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;
    uint64_t last;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    stack_plan(s, "afucmd#1=d");
    cr_assert_eq(spipe_resize(c.ctx, handle, 65536, &last), 0);
    stack_plan(s, "afucmd#1x2=d");
    cr_assert_eq(spipe_resize(c.ctx, handle, 2 * 65536, &last), -EAGAIN);
    stack_sleep_s(s, 20);
    cr_assert(spipe_ctx_lost(c.ctx), "a reset was asked for");
    spipe_client_destroy(c.client);
}

Test(event_log, afu_commands)
{
    (void)run_told(an_answer_that_gets_lost, true);
    EXPECT("context_reset (queue 0, result 0)", "afu_command_retry (opcode 0xc0)",
           "context_reset (queue 0, result 0)", "afu_command_retry (opcode 0xc0)",
           "context_reset (queue 0, result 0)",
           "afu_command_failed (opcode 0xc0, result -ETIMEDOUT)", "reset_wanted",
           "context_lost (context 1)", "afu_ready (generation 2)");
    PROVES(AD_124);
}

/* ---- SCSI commands by hand ---- */

static void a_command_that_gets_lost(struct stack *s, void *arg)
{
    struct spipe_scsi c = {.size = sizeof c, .timeout_ns = SECOND}; /* TEST UNIT READY of LUN 0 */

    (void)arg;
    stack_plan(s, "fc#1=n");
    cr_assert_eq(spipe_scsi(s->adapter, &c), -ETIMEDOUT);
    cr_assert_not_null(strstr(told.text, "scsi_failed"), "no verb and no job has ended since");
    cr_assert_eq(spipe_scsi_reset_lun(s->adapter, &c), 0);
    cr_assert_not_null(strstr(told.text, "lun_reset"));
}

Test(event_log, scsi_commands)
{
    (void)run_told(a_command_that_gets_lost, true);
    EXPECT("context_reset (queue 0, result 0)",
           "scsi_failed (port 0, opcode 0x0, result -ETIMEDOUT)",
           "lun_reset (port 0, lun_id 0x0, result 0)");
}

/* ---- resets and removal ---- */

static void reset_and_recover(struct stack *s, void *arg)
{
    struct stack_client c;
    bool recovered;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_not_null(strstr(told.text, "reset_end"), "the verb is over");
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert(recovered);
    cr_assert_eq(spipe_remove(s->adapter, 0), -ETIMEDOUT);
    spipe_client_destroy(c.client);
    cr_assert_eq(spipe_remove(s->adapter, UINT64_MAX), 0);
    cr_assert_eq(counter(s, SPIPE_EVENT_RESET_BEGIN), 1);
    cr_assert_eq(counter(s, SPIPE_EVENT_REMOVE_END), 2);
}

Test(event_log, reset_and_removal)
{
    (void)run_told(reset_and_recover, true);
    EXPECT("state (state NORMAL)", "state (state RESET)", "reset_begin", "context_lost (context 1)",
           "afu_ready (generation 2)", "reset_end (result 0)", "state (state NORMAL)",
           "context_recovered (old 1, context 1)", "remove_begin", "context_lost (context 1)",
           "state (state FAILED)", "remove_end (result -ETIMEDOUT)", "remove_begin",
           "remove_end (result 0)", "closed");
}

static void a_reset_that_fails(struct stack *s, void *arg)
{
    (void)arg;
    stack_plan(s, "afurst#1=x");
    cr_assert_eq(spipe_reset(s->adapter), -EIO);
}

Test(event_log, a_reset_that_fails)
{
    (void)run_told(a_reset_that_fails, true);
    EXPECT("state (state RESET)", "reset_begin",
           "bring_up_failed (step reset AFU, requirement AD-31, result -EIO)",
           "reset_end (result -EIO)", "state (state FAILED)", "closed");
}

/* ---- errors of the master, which it does nothing about but tell (AD-86) ---- */

static void errors_of_the_master(struct stack *s, void *arg)
{
    (void)arg;
    stack_plan(s, "bell#1=x");
    cr_assert_eq(spipe_port_reset(s->adapter, 0), 0);
    cr_assert_eq(counter(s, SPIPE_EVENT_SYNC_ERROR), 1);
}

/* A doorbell without credit is PERM_ERR_CMDROOM (SL 2.1): the command is repeated after its time.
 */
Test(event_log, errors_of_the_master)
{
    (void)run_told(errors_of_the_master, true);
    EXPECT("sync_error (context 0, intr_status 0x10)", "context_reset (queue 0, result 0)",
           "afu_command_retry (opcode 0xc0)", "link_reset_end (port 0, result 0)");
    PROVES(AD_86);
}

/* ---- heartbeat ---- */

#define AFU_HB UINT64_C(0x2010020)

/* FK-34. A read every five seconds, each of which counts; a wrong one is told, and no more. */
static void beats(struct stack *s, void *arg)
{
    struct sim_afu *afu = sim_host_afu(s->host, 0);
    struct spipe_adapter_info info;
    struct stack_client c;
    uint64_t before;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    before = sim_afu_peek(afu, AFU_HB);
    stack_sleep_s(s, 61);
    cr_assert_eq(sim_afu_peek(afu, AFU_HB) - before, 12);
    cr_assert_eq(counter(s, SPIPE_EVENT_HEARTBEAT), 0);
    stack_plan(s, "hb#2=v(7)");
    stack_sleep_s(s, 20);
    cr_assert_eq(counter(s, SPIPE_EVENT_HEARTBEAT), 2, "the wrong one, and the right one after it");
    stack_sleep_s(s, 20);
    cr_assert_eq(counter(s, SPIPE_EVENT_HEARTBEAT), 2);
    cr_assert_eq(spipe_reset(s->adapter), 0); /* begins at 0 again */
    stack_sleep_s(s, 20);
    cr_assert_eq(counter(s, SPIPE_EVENT_HEARTBEAT), 2);
    spipe_adapter_info(s->adapter, &info);
    cr_assert_eq(info.state, SPIPE_STATE_NORMAL);
    cr_assert(spipe_ctx_lost(c.ctx), "by the reset that was asked for");
    spipe_client_destroy(c.client);
}

Test(event_log, heartbeat)
{
    heartbeat_ns = SPIPE_HEARTBEAT_NS;
    (void)run_told(beats, true);
    EXPECT("heartbeat (expected 0xf, found 0x7)", "heartbeat (expected 0x8, found 0xf)");
    PROVES(R_29);
    PROVES(AD_49c);
}

/* ---- by hand ---- */

static void switched(struct stack *s, void *arg)
{
    static uint8_t page[STACK_BLOCK] __attribute__((aligned(128)));
    struct spipe_adapter_info info;
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    cr_assert_eq(spipe_port_offline(s->adapter, 0), 0);
    spipe_adapter_info(s->adapter, &info);
    cr_assert_not(info.port_online[0]);
    cr_assert(info.port_online[1]);
    cr_assert_eq(stack_io(&c, SPIPE_WRITE, handle, 0, 1, page), 0, "by the other port");
    cr_assert_eq(spipe_port_offline(s->adapter, 1), 0);
    cr_assert_neq(stack_io(&c, SPIPE_WRITE, handle, 0, 1, page), 0);
    cr_assert_eq(spipe_port_online(s->adapter, 1), 0);
    cr_assert_eq(spipe_port_online(s->adapter, 0), 0);
    stack_sleep_s(s, 2);
    spipe_adapter_info(s->adapter, &info);
    cr_assert(info.port_online[0] && info.port_online[1]);
    cr_assert_eq(stack_io(&c, SPIPE_WRITE, handle, 0, 1, page), 0);
    spipe_client_destroy(c.client);
}

Test(event_log, ports_by_hand)
{
    (void)run_told(switched, true);
    EXPECT("port_offline (port 0, result 0)", "port_offline (port 1, result 0)",
           "port_online (port 1, result 0)", "port_online (port 0, result 0)");
    EXPECT("port_link_down (port 0, fc_status 0x0)", "port_link_up (port 0, fc_status 0xf)",
           "port_login (port 0, fc_status 0xf)");
    PROVES(AD_91);
    PROVES(AD_92);
}

/* ---- the platform ---- */

static void frozen_and_failed(struct stack *s, void *arg)
{
    struct sim_afu *afu = sim_host_afu(s->host, 0);
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    sim_afu_platform(afu, SIM_EFFECT_FREEZE, 0);
    stack_sleep_s(s, 30);
    cr_assert_eq(counter(s, SPIPE_EVENT_PLATFORM), 3);
    spipe_client_destroy(c.client);
    sim_afu_platform(afu, SIM_EFFECT_PERMANENT, 0);
    stack_sleep_s(s, 30);
}

/* AD 24.2. */
Test(event_log, platform)
{
    (void)run_told(frozen_and_failed, true);
    EXPECT("platform (event frozen)", "state (state RESET)", "context_lost (context 1)",
           "platform (event slot reset)", "afu_ready (generation 2)", "platform (event resumed)",
           "state (state NORMAL)", "platform (event permanent failure)", "state (state FAILED)",
           "closed");
}
