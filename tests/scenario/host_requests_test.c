/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of the administrator over the whole stack (SP-173..SP-175): a provisioned LUN from
 * its making to its end with a client that uses it, AFU debug there and back, what the AFU refuses,
 * answers that get lost, and resets before, during and after. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/cxlflash_ioctl.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(host_requests, .timeout = 120);

#define CHUNK UINT64_C(65536)
#define MILLISECOND UINT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

/* SL 20.2: IOARRIN or SQ, LUN provisioning, AFU debug. */
#define CAPABLE UINT64_C(0x8C00000000010002)
#define CAPABLE_SQ UINT64_C(0xCC00000000010002)

static void run_as(uint64_t version, bool big, void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(8);

    stack_run(
        &(struct stack_setup){
            .seed = 1, .media = media, .interface_version = version, .big_endian = big},
        body, NULL);
    sim_media_close(media);
}

static void run(void (*body)(struct stack *, void *)) { run_as(CAPABLE, false, body); }

/* Both submission modes in both byte orders. */
static void run_all(void (*body)(struct stack *, void *))
{
    for (int big = 0; big < 2; big++) {
        run_as(CAPABLE, big, body);
        run_as(CAPABLE_SQ, big, body);
    }
}

static struct spipe_lun_info lun_of(struct stack *s, unsigned lun)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, lun, &info), 0);
    return info;
}

static struct spipe_provision_info query(struct stack *s, unsigned port)
{
    struct spipe_provision_info info;

    cr_assert_eq(spipe_lun_provision_query(s->adapter, port, &info), 0);
    return info;
}

static struct spipe_provisioned_lun create(struct stack *s, unsigned port, uint64_t blocks)
{
    struct spipe_provisioned_lun lun;

    cr_assert_eq(spipe_lun_provision_create(s->adapter, port, blocks, &lun), 0);
    return lun;
}

/* ---- LUN provision ---- */

/* A client of LUN 0 is told by VERIFY that there are other LUNs now (SP-86). */
static void discover(struct stack *s)
{
    static const uint8_t attention[SPIPE_SENSE_BYTES] = {0x72, 6, 0x3F, 0x0E};
    struct stack_client c;
    uint64_t last;
    uint32_t h;

    stack_client(s, &c, 0, 8, false);
    h = stack_open(&c, 0, 1);
    cr_assert_eq(spipe_verify(c.ctx, h, attention, &last), 0);
    spipe_client_destroy(c.client);
}

static uint8_t page[2][STACK_BLOCK] __attribute__((aligned(128)));

static void use(struct stack *s, unsigned lun)
{
    const struct spipe_lun_info info = lun_of(s, lun);
    struct stack_client c;
    uint32_t h;

    stack_client(s, &c, lun, 8, false);
    h = stack_open(&c, lun, 4);
    memset(page[0], 0x5C, STACK_BLOCK);
    cr_assert_eq(stack_io(&c, SPIPE_WRITE, h, 4 * CHUNK - 1, 1, page[0]), 0);
    cr_assert_eq(stack_io(&c, SPIPE_READ, h, 4 * CHUNK - 1, 1, page[1]), 0);
    cr_assert_arr_eq(page[0], page[1], STACK_BLOCK);
    cr_assert_eq(spipe_lun_provision_delete(s->adapter, 1, info.lun_id[1]), -EBUSY);
    cr_assert_eq(spipe_release(c.ctx, h), 0);
    cr_assert_eq(spipe_lun_provision_delete(s->adapter, 1, info.lun_id[1]), -EBUSY);
    spipe_client_destroy(c.client);
}

static void expect_port(struct stack *s, unsigned port, uint64_t luns, uint64_t blocks)
{
    struct spipe_provision_info info = query(s, port);

    cr_assert_eq(info.luns_max, 16);
    cr_assert_eq(info.luns, luns);
    cr_assert_eq(info.blocks_max, UINT64_C(1) << 28);
    cr_assert_eq(info.blocks, blocks);
}

static void life(struct stack *s, void *arg)
{
    struct spipe_provisioned_lun first, second;

    (void)arg;
    expect_port(s, 1, 0, 0);
    first = create(s, 1, 4 * CHUNK);
    expect_port(s, 1, 1, 4 * CHUNK);
    expect_port(s, 0, 0, 0);
    discover(s);
    cr_assert_eq(lun_of(s, 2).found_ports, 2);
    cr_assert_eq(lun_of(s, 2).port_mask, 2);
    cr_assert_eq(lun_of(s, 2).lun_id[1], first.lun_id);
    cr_assert_eq(lun_of(s, 2).last_lba, 4 * CHUNK - 1);
    cr_assert_arr_eq(lun_of(s, 2).wwid, first.wwid, 16);
    use(s, 2);
    cr_assert_eq(spipe_lun_provision_delete(s->adapter, 1, first.lun_id), 0);
    expect_port(s, 1, 0, 0);
    cr_assert_eq(lun_of(s, 2).found_ports, 0);
    cr_assert_eq(spipe_lun_provision_delete(s->adapter, 1, first.lun_id), -EIO, "it is gone");

    /* The id is given to another LUN, which has another number here. */
    second = create(s, 1, 5 * CHUNK);
    cr_assert_eq(second.lun_id, first.lun_id);
    discover(s);
    cr_assert_eq(lun_of(s, 2).found_ports, 0);
    cr_assert_arr_eq(lun_of(s, 3).wwid, second.wwid, 16);
    use(s, 3);
    PROVES(SP_174);
    PROVES(AD_212);
}

Test(host_requests, life_of_a_provisioned_lun) { run_all(life); }

/* The same by the binary requests. */
static void life_in_binary(struct stack *s, void *arg)
{
    struct ht_cxlflash_lun_provision r = {
        .hdr.subcmd = HT_CXLFLASH_LUN_PROVISION_CREATE, .port = 1, .size = 2 * CHUNK, .lun_id = 99};
    uint8_t wwid[16];

    (void)arg;
    cr_assert_eq(spipe_host_ioctl(s->adapter, HT_CXLFLASH_LUN_PROVISION, &r), 0);
    cr_assert_eq(r.lun_id, UINT64_C(2) << 48, "the third LUN of the target");
    memcpy(wwid, r.wwid, 16);
    r.hdr.subcmd = HT_CXLFLASH_LUN_PROVISION_QUERY_PORT;
    cr_assert_eq(spipe_host_ioctl(s->adapter, HT_CXLFLASH_LUN_PROVISION, &r), 0);
    cr_assert_eq(r.max_num_luns, 16);
    cr_assert_eq(r.cur_num_luns, 1);
    cr_assert_eq(r.max_cap_port, UINT64_C(1) << 28);
    cr_assert_eq(r.cur_cap_port, 2 * CHUNK);
    discover(s);
    cr_assert_arr_eq(lun_of(s, 2).wwid, wwid, 16);
    r.hdr.subcmd = HT_CXLFLASH_LUN_PROVISION_DELETE;
    cr_assert_eq(spipe_host_ioctl(s->adapter, HT_CXLFLASH_LUN_PROVISION, &r), 0);
    cr_assert_eq(query(s, 1).luns, 0);
    PROVES(SP_173);
    PROVES(SP_174);
}

Test(host_requests, life_in_binary) { run_all(life_in_binary); }

/* Whatever the device says, the request ends with EIO and nothing has changed (AD-123, AD-214). */
static void refusals(struct stack *s, void *arg)
{
    struct spipe_provisioned_lun lun;
    struct spipe *a = s->adapter;

    (void)arg;
    cr_assert_eq(spipe_lun_provision_create(a, 0, 0, &lun), -EIO);
    cr_assert_eq(spipe_lun_provision_create(a, 0, (UINT64_C(1) << 28) + 1, &lun), -EIO);
    cr_assert_eq(spipe_lun_provision_create(a, 0, UINT64_MAX, &lun), -EIO);
    for (unsigned i = 0; i < 16; i++)
        create(s, 0, 1);
    cr_assert_eq(spipe_lun_provision_create(a, 0, 1, &lun), -EIO, "one more than the most");
    expect_port(s, 0, 16, 16);
    create(s, 1, 1);

    /* LUN 1 was not provisioned: it stays, on both ports. */
    cr_assert_eq(spipe_lun_provision_delete(a, 0, lun_of(s, 1).lun_id[0]), -EIO);
    cr_assert_eq(lun_of(s, 1).found_ports, 3);
    cr_assert_eq(lun_of(s, 1).port_mask, 3);
    cr_assert_eq(spipe_lun_provision_create(a, 2, 1, &lun), -EINVAL);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    PROVES(AD_214);
}

Test(host_requests, refusals) { run(refusals); }

/* ---- AFU debug ---- */

/* The debug memory of the model takes its address from the first 4 of the 12 bytes. */
static void address(uint8_t bytes[SPIPE_DEBUG_BYTES], uint32_t at)
{
    memset(bytes, 0, SPIPE_DEBUG_BYTES);
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(at >> (24 - 8 * i));
}

static uint8_t out[SPIPE_DEBUG_DATA_MAX], in[SPIPE_DEBUG_DATA_MAX];

static int debug(struct stack *s, bool write, uint32_t at, void *data, uint32_t length)
{
    uint8_t bytes[SPIPE_DEBUG_BYTES];

    address(bytes, at);
    return spipe_afu_debug(s->adapter, bytes, write, data, length);
}

static void there_and_back(struct stack *s, void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 + i / 251);
    memset(in, 0, sizeof in);
    cr_assert_eq(debug(s, true, 0, out, sizeof out), 0);
    cr_assert_eq(debug(s, false, 0, in, sizeof in), 0);
    cr_assert_arr_eq(in, out, sizeof in);
    cr_assert_eq(debug(s, false, 1000, in, 77), 0);
    cr_assert_arr_eq(in, out + 1000, 77);
    cr_assert_arr_eq(in + 77, out + 77, 1000);
    cr_assert_eq(debug(s, false, 0, NULL, 0), 0);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(debug(s, false, 5, in, 77), 0, "the buffer is good after a reset too");
    cr_assert_arr_eq(in, out + 5, 77);
    cr_assert_eq(debug(s, true, 0x01020304, out, 64), 0, "the 12 bytes are opaque");
    cr_assert_eq(debug(s, true, 0, out, sizeof out), 0);

    /* AD-213: after a failure nothing has changed. */
    stack_plan(s, "afucmd#1=x+afucmd#2=s");
    cr_assert_eq(debug(s, false, 1, out, sizeof out), -EIO, "an error of the AFU");
    cr_assert_eq(debug(s, false, 1000, out, 64), -EIO, "only half of it");
    stack_plan(s, "");
    cr_assert_eq(debug(s, false, 0, in, sizeof in), 0);
    cr_assert_arr_eq(in, out, sizeof in);
    PROVES(SP_175);
    PROVES(AD_213);
}

Test(host_requests, debug_there_and_back) { run_all(there_and_back); }

static void debug_in_binary(struct stack *s, void *arg)
{
    struct ht_cxlflash_afu_debug r = {
        .hdr.flags = HT_CXLFLASH_HOST_WRITE, .data_ea = (uint64_t)(uintptr_t)out, .data_len = 5000};

    (void)arg;
    address(r.afu_subcmd, 300);
    memset(out, 0x3A, 5000);
    memset(in, 0, sizeof in);
    cr_assert_eq(spipe_host_ioctl(s->adapter, HT_CXLFLASH_AFU_DEBUG, &r), 0);
    r.hdr.flags = 0;
    r.data_ea = (uint64_t)(uintptr_t)in;
    address(r.afu_subcmd, 0);
    cr_assert_eq(spipe_host_ioctl(s->adapter, HT_CXLFLASH_AFU_DEBUG, &r), 0);
    cr_assert_eq(in[299], 0);
    cr_assert_arr_eq(in + 300, out, 4700);
    cr_assert_eq(in[5000], 0);
    PROVES(SP_173);
    PROVES(SP_175);
}

Test(host_requests, debug_in_binary) { run_all(debug_in_binary); }

/* ---- an AFU that cannot ---- */

static void incapable(struct stack *s, void *arg)
{
    struct ht_cxlflash_lun_provision p = {.hdr.subcmd = HT_CXLFLASH_LUN_PROVISION_QUERY_PORT};
    struct ht_cxlflash_afu_debug d = {.data_len = 0};
    struct spipe_provision_info info;
    struct spipe_provisioned_lun lun;

    (void)arg;
    cr_assert_eq(spipe_host_ioctl(s->adapter, HT_CXLFLASH_LUN_PROVISION, &p), -524);
    cr_assert_eq(spipe_host_ioctl(s->adapter, HT_CXLFLASH_AFU_DEBUG, &d), -524);
    cr_assert_eq(spipe_lun_provision_query(s->adapter, 0, &info), -EOPNOTSUPP);
    cr_assert_eq(spipe_lun_provision_create(s->adapter, 0, 1, &lun), -EOPNOTSUPP);
    cr_assert_eq(spipe_lun_provision_delete(s->adapter, 0, 1), -EOPNOTSUPP);
    cr_assert_eq(debug(s, false, 0, NULL, 0), -EOPNOTSUPP);
    PROVES(SP_174);
    PROVES(AD_212);
    PROVES(AD_213);
}

Test(host_requests, incapable) { run_as(UINT64_C(0x8000000000010002), false, incapable); }

/* ---- answers that get lost ---- */

/* AD-124: once costs 10 s and leaves a LUN that nobody was told of; twice is a failure, and the
 * adapter resets itself. */
static void lost_answers(struct stack *s, void *arg)
{
    uint64_t begin = exec_now(s->exec);
    struct spipe_provisioned_lun lun;

    (void)arg;
    stack_plan(s, "afucmd#1=d");
    lun = create(s, 1, 1);
    cr_assert_geq(exec_now(s->exec) - begin, 10 * SECOND);
    cr_assert_eq(query(s, 1).luns, 2);
    stack_plan(s, "afucmd#1=d");
    cr_assert_eq(spipe_lun_provision_delete(s->adapter, 1, lun.lun_id), -EIO, "gone already");
    cr_assert_eq(query(s, 1).luns, 1);
    stack_plan(s, "afucmd#1x2=d");
    memset(in, 0x44, 64);
    cr_assert_eq(debug(s, false, 0, in, 64), -ETIMEDOUT);
    cr_assert_eq(in[0], 0x44);
    while (stack_state(s) == SPIPE_STATE_NORMAL)
        stack_sleep(s, MILLISECOND);
    cr_assert_eq(debug(s, false, 0, in, 64), 0, "after the reset");
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    PROVES(AD_214);
    PROVES(AD_124);
}

Test(host_requests, lost_answers) { run(lost_answers); }

/* ---- resets ---- */

struct task {
    struct stack *s;
    struct spipe_ctx *ctx;
    uint32_t handle;
    struct spipe_provisioned_lun lun;
    struct ht_cxlflash_lun_provision binary;
    struct exec_thread *thread;
    bool done;
    int rc;
    void (*body)(struct task *);
};

static void task_thread(void *arg)
{
    struct task *t = arg;

    t->body(t);
    t->done = true;
}

static void begin_task(struct stack *s, struct task *t, void (*body)(struct task *))
{
    t->s = s;
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

static void create_task(struct task *t)
{
    t->rc = spipe_lun_provision_create(t->s->adapter, 1, 1, &t->lun);
}

static void binary_task(struct task *t)
{
    t->binary = (struct ht_cxlflash_lun_provision){
        .hdr.subcmd = HT_CXLFLASH_LUN_PROVISION_CREATE, .port = 1, .size = 1};
    t->rc = spipe_host_ioctl(t->s->adapter, HT_CXLFLASH_LUN_PROVISION, &t->binary);
}

static void query_task(struct task *t)
{
    struct spipe_provision_info info;

    t->rc = spipe_lun_provision_query(t->s->adapter, 1, &info);
}

static void debug_task(struct task *t) { t->rc = debug(t->s, false, 0, in, 64); }

static void reset_task(struct task *t) { t->rc = spipe_reset(t->s->adapter); }

static void resize_task(struct task *t)
{
    uint64_t last;

    t->rc = spipe_resize(t->ctx, t->handle, 2 * CHUNK, &last);
}

/* requests that come during a reset wait for its end, interruptibly. */
static void requests_wait(struct stack *s, void *arg)
{
    struct task reset = {0}, waiting[4] = {{0}}, interrupted = {0};
    void (*const bodies[4])(struct task *) = {create_task, binary_task, query_task, debug_task};

    (void)arg;
    begin_task(s, &reset, reset_task);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    for (unsigned i = 0; i < 4; i++)
        begin_task(s, &waiting[i], bodies[i]);
    begin_task(s, &interrupted, create_task);
    exec_thread_interrupt(s->exec, interrupted.thread);
    cr_assert_eq(end_task(s, &interrupted), -EINTR);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    for (unsigned i = 0; i < 4; i++)
        cr_assert(!waiting[i].done);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(end_task(s, &waiting[i]), 0);
    cr_assert_eq(end_task(s, &reset), 0);
    cr_assert_eq(query(s, 1).luns, 2);
    PROVES(R_37);
    PROVES(D_10);
    PROVES(D_11);
}

Test(host_requests, requests_wait_for_a_reset) { run(requests_wait); }

/* A reset waits for a request that has sent its command, here for an answer that is lost. */
static void reset_waits(struct stack *s, void *arg)
{
    struct task task = {0}, reset = {0};

    (void)arg;
    stack_plan(s, "afucmd#1=d");
    begin_task(s, &task, debug_task);
    begin_task(s, &reset, reset_task);
    stack_sleep(s, 9 * SECOND);
    cr_assert(!task.done && !reset.done);
    cr_assert_eq(end_task(s, &task), 0, "the second attempt works");
    cr_assert_eq(end_task(s, &reset), 0);
    PROVES(R_37);
}

Test(host_requests, a_reset_waits_for_requests) { run(reset_waits); }

/* D-10: a request that was inside when the reset began, but had not sent its command, lets the
 * reset pass and then sends it. It waits for a sync whose answer is lost. */
static void sends_afterwards(struct stack *s, void *arg)
{
    struct task resize = {0}, task[2] = {{0}}, reset = {0};
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    resize.ctx = c.ctx;
    resize.handle = stack_open(&c, 0, 1);
    stack_plan(s, "afucmd#1=d");
    begin_task(s, &resize, resize_task);
    begin_task(s, &task[0], create_task);
    begin_task(s, &task[1], debug_task);
    begin_task(s, &reset, reset_task);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    for (unsigned i = 0; i < 2; i++)
        cr_assert(!task[i].done);
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(end_task(s, &task[i]), 0);
    cr_assert_eq(end_task(s, &resize), 0);
    cr_assert_eq(end_task(s, &reset), 0);
    cr_assert(spipe_ctx_lost(c.ctx), "there was a reset");
    cr_assert_eq(query(s, 1).luns, 1, "sent once");
    spipe_client_destroy(c.client);
    PROVES(D_10);
    PROVES(R_37);
}

Test(host_requests, an_unsent_command_is_sent_after_the_reset) { run(sends_afterwards); }

/* SP-17: nothing in an adapter that has failed. */
static void failed(struct stack *s, void *arg)
{
    struct ht_cxlflash_lun_provision p = {.hdr.subcmd = HT_CXLFLASH_LUN_PROVISION_QUERY_PORT};
    struct spipe_provisioned_lun lun;

    (void)arg;
    stack_plan(s, "afurst#1*=x");
    cr_assert_eq(spipe_reset(s->adapter), -EIO);
    cr_assert_eq(spipe_lun_provision_create(s->adapter, 0, 1, &lun), -ENODEV);
    cr_assert_eq(spipe_host_ioctl(s->adapter, HT_CXLFLASH_LUN_PROVISION, &p), -ENODEV);
    cr_assert_eq(debug(s, false, 0, NULL, 0), -ENODEV);
    PROVES(R_37);
}

Test(host_requests, failed_adapter) { run(failed); }
