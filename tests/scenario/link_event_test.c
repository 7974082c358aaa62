/* SPDX-License-Identifier: Apache-2.0 */
/* What the AFU tells of its ports while clients work: links that fall and are reset, logins that
 * fail, errors that stay unless the link is reset first, and who hears of it when nobody commands
 * the adapter. Offline to online takes 200 ms in the model; the worker is deaf for 100 ms after the
 * last command of the master, unless somebody else commands it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(link_event, .timeout = 120);

#define CHUNK UINT64_C(65536)
#define MILLISECOND UINT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

static void run_seed(uint64_t seed, void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = seed, .media = media}, body, NULL);
    sim_media_close(media);
}

static void run(void (*body)(struct stack *, void *)) { run_seed(1, body); }

static struct sim_afu *afu_of(struct stack *s) { return sim_host_afu(s->host, 0); }

static struct spipe_port_info port_of(struct stack *s, unsigned port)
{
    struct spipe_port_info info;

    cr_assert_eq(spipe_port_info(s->adapter, port, &info), 0);
    return info;
}

static bool is_online(struct stack *s, unsigned port)
{
    struct spipe_adapter_info info;

    spipe_adapter_info(s->adapter, &info);
    return info.port_online[port];
}

static uint64_t port_sel(struct stack *s)
{
    return sim_afu_peek(afu_of(s), AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL);
}

static uint64_t errors_of(struct stack *s, unsigned port)
{
    return sim_afu_peek(afu_of(s), AFU_PORT_REGS(port) + AFU_FC_ERROR) |
           sim_afu_peek(afu_of(s), AFU_PORT_REGS(port) + AFU_FC_ERRCAP);
}

static uint8_t page[STACK_BLOCK] __attribute__((aligned(128)));

static void put(struct stack_client *c, uint32_t handle, uint64_t lba, uint8_t value)
{
    memset(page, value, sizeof page);
    cr_assert_eq(stack_io(c, SPIPE_WRITE, handle, lba, 1, page), 0);
}

static void expect(struct stack_client *c, uint32_t handle, uint64_t lba, uint8_t value)
{
    memset(page, 0, sizeof page);
    cr_assert_eq(stack_io(c, SPIPE_READ, handle, lba, 1, page), 0);
    cr_assert_eq(page[0], value);
    cr_assert_eq(page[STACK_BLOCK - 1], value);
}

/* ---- clients that work all the time ---- */

enum { WORKERS = 4, BLOCKS = 32 };

struct worker {
    struct stack *s;
    struct stack_client c;
    struct exec_thread *thread;
    uint32_t handle;
    uint64_t io[BLOCKS]; /* what each block holds */
    uint64_t rounds, failed;
    bool stop;
    unsigned number;
    uint8_t buffer[STACK_BLOCK] __attribute__((aligned(128)));
};

/* An I/O that met a lost link has to be repeated by whoever wanted it. */
static void until_done(struct worker *w, enum spipe_op op, uint64_t lba)
{
    while (stack_io(&w->c, op, w->handle, lba, 1, w->buffer)) {
        w->failed++;
        stack_sleep(w->s, MILLISECOND);
    }
}

static void write_block(struct worker *w, uint64_t lba, uint64_t value)
{
    for (size_t i = 0; i < STACK_BLOCK / 8; i++)
        memcpy(w->buffer + 8 * i, &value, 8);
    until_done(w, SPIPE_WRITE, lba);
    w->io[lba] = value;
}

static void read_block(struct worker *w, uint64_t lba)
{
    memset(w->buffer, 0xEE, sizeof w->buffer);
    until_done(w, SPIPE_READ, lba);
    for (size_t i = 0; i < STACK_BLOCK / 8; i++)
        cr_assert_eq(memcmp(w->buffer + 8 * i, &w->io[lba], 8), 0, "client %u, block %u", w->number,
                     (unsigned)lba);
}

static void work(void *arg)
{
    struct worker *w = arg;

    for (; !w->stop; w->rounds++) {
        uint64_t lba = w->rounds % BLOCKS;

        write_block(w, lba, (uint64_t)w->number << 56 | (w->rounds + 1));
        read_block(w, (lba + 7) % BLOCKS);
    }
    for (uint64_t lba = 0; lba < BLOCKS; lba++)
        read_block(w, lba);
}

static struct worker workers[WORKERS];

static void start_work(struct stack *s)
{
    memset(workers, 0, sizeof workers);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *w = &workers[i];

        *w = (struct worker){.s = s, .number = i + 1};
        stack_client(s, &w->c, i % 2, 8, false);
        w->handle = stack_open(&w->c, i % 2, 1);
        cr_assert_eq(exec_thread_create(s->exec, "client", work, w, &w->thread), 0);
    }
}

/* All of them have done something since the last look. */
static void expect_progress(struct stack *s)
{
    uint64_t before[WORKERS];

    for (unsigned i = 0; i < WORKERS; i++)
        before[i] = workers[i].rounds;
    stack_sleep(s, 20 * MILLISECOND);
    for (unsigned i = 0; i < WORKERS; i++)
        cr_assert_gt(workers[i].rounds, before[i], "client %u", i + 1);
}

static uint64_t failures(void)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < WORKERS; i++)
        n += workers[i].failed;
    return n;
}

static void stop_work(struct stack *s)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].stop = true;
        exec_thread_join(s->exec, workers[i].thread);
        spipe_client_destroy(workers[i].c.client);
    }
}

/* A cable is pulled and put back; the port is reset by hand, which brings it up; then the other one
 * goes, and all I/O depends on the first. */
static void a_lost_link(struct stack *s, void *arg)
{
    uint64_t failed;

    (void)arg;
    start_work(s);
    expect_progress(s);
    cr_assert_eq(failures(), 0);
    sim_afu_link_down(afu_of(s), 0);
    expect_progress(s);
    cr_assert_gt(failures(), 0, "nothing was under way");
    cr_assert_not(is_online(s, 0));
    failed = failures();
    cr_assert_eq(spipe_port_reset(s->adapter, 0), 0);
    cr_assert(is_online(s, 0));
    cr_assert_eq(port_sel(s), 3);
    expect_progress(s);
    cr_assert_eq(failures(), failed, "there was another port all the time");
    sim_afu_link_down(afu_of(s), 1);
    stack_sleep(s, SECOND);
    cr_assert_not(is_online(s, 1));
    expect_progress(s);
    stop_work(s);
    cr_assert_eq(port_of(s, 0).events[SPIPE_PORT_LINK_DOWN], 1);
    cr_assert_eq(port_of(s, 0).events[SPIPE_PORT_LINK_UP], 1);
    cr_assert_eq(port_of(s, 0).events[SPIPE_PORT_LOGIN], 1);
    cr_assert_eq(port_of(s, 0).resets, 1);
    cr_assert_eq(port_of(s, 1).events[SPIPE_PORT_LINK_DOWN], 1);
    cr_assert_eq(port_of(s, 1).resets, 0);
    PROVES(AD_93);
    PROVES(VL_69);
}

Test(link_event, a_lost_link_under_io)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        run_seed(seed, a_lost_link);
}

/* A port reports an error that comes back unless the link is reset first (SL 16): core does it by
 * itself, and the errors stay away (D-20). */
static void a_port_error(struct stack *s, void *arg)
{
    struct spipe_port_info info;

    (void)arg;
    start_work(s);
    stack_plan(s, "fc#50=p");
    stack_sleep(s, SECOND);
    info = port_of(s, 0);
    cr_assert_eq(info.events[SPIPE_PORT_ERROR], 1);
    cr_assert_eq(info.resets, 1);
    cr_assert_eq(info.resets_failed, 0);
    cr_assert_neq(info.fc_error, 0);
    cr_assert_eq(errors_of(s, 0), 0);
    PROVES(D_20);
    PROVES(AD_94);
    cr_assert(is_online(s, 0));
    cr_assert_eq(port_sel(s), 3);
    expect_progress(s);
    stop_work(s);
    cr_assert_eq(port_of(s, 1).resets, 0);
}

Test(link_event, a_port_error_under_io)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        run_seed(seed, a_port_error);
}

/* D-7: both ports ask in one interrupt; both are reset. */
static void both_ports(struct stack *s, void *arg)
{
    (void)arg;
    start_work(s);
    stack_plan(s, "aintr#1=v(8224)"); /* 0x2020: CRC_T of both */
    sim_afu_link_down(afu_of(s), 0);
    stack_sleep(s, 2 * SECOND);
    for (unsigned port = 0; port < 2; port++) {
        cr_assert_eq(port_of(s, port).events[SPIPE_PORT_CRC], 1);
        cr_assert_eq(port_of(s, port).resets, 1);
        cr_assert(is_online(s, port));
    }
    PROVES(D_7);
    PROVES(AD_95);
    expect_progress(s);
    stop_work(s);
}

Test(link_event, both_ports_under_io) { run(both_ports); }

/* ---- logins ---- */

/* LOGI_R: no answer to a login for two seconds. The model tries again by itself, so the reset is
 * seen by its own count. */
static void a_silent_login(struct stack *s, void *arg)
{
    (void)arg;
    stack_plan(s, "plink#1x2=n");
    sim_afu_link_down(afu_of(s), 0);
    stack_sleep(s, 10 * MILLISECOND);
    sim_afu_link_up(afu_of(s), 0);
    stack_sleep(s, 5 * SECOND);
    cr_assert_eq(port_of(s, 0).events[SPIPE_PORT_LOGIN_RETRY], 1);
    cr_assert_eq(port_of(s, 0).resets, 1);
    cr_assert_eq(port_of(s, 0).events[SPIPE_PORT_LOGIN], 1);
    cr_assert(is_online(s, 0));
}

Test(link_event, a_login_without_an_answer) { run(a_silent_login); }

/* LOGI_F: the cause is kept and cleared; only a reset of the link brings another attempt. */
static void a_refused_login(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    put(&c, handle, 3, 33);
    sim_afu_link_down(afu_of(s), 1);
    stack_plan(s, "plink#1=x(5)");
    sim_afu_link_down(afu_of(s), 0);
    stack_sleep(s, 10 * MILLISECOND);
    sim_afu_link_up(afu_of(s), 0);
    stack_sleep(s, SECOND);
    cr_assert_eq(port_of(s, 0).events[SPIPE_PORT_LOGIN_FAILED], 1);
    cr_assert_eq(port_of(s, 0).fc_error, 5);
    cr_assert_eq(errors_of(s, 0), 0);
    cr_assert_eq(port_of(s, 0).resets, 0);
    cr_assert_neq(stack_io(&c, SPIPE_READ, handle, 3, 1, page), 0);
    cr_assert_eq(spipe_port_reset(s->adapter, 0), 0);
    stack_sleep(s, SECOND);
    expect(&c, handle, 3, 33);
    spipe_client_destroy(c.client);
}

Test(link_event, a_refused_login) { run(a_refused_login); }

/* LOGI_S: LUNs are looked for again, so that a device that has grown meanwhile is noticed. */
static void a_login(struct stack *s, void *arg)
{
    struct spipe_lun_info lun;

    (void)arg;
    cr_assert_eq(sim_scsi_set_size(sim_afu_scsi(afu_of(s)), 0, 10 * CHUNK), 0);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &lun), 0);
    cr_assert_eq(lun.last_lba, 8 * CHUNK + 99);
    sim_afu_link_down(afu_of(s), 0);
    stack_sleep(s, 10 * MILLISECOND);
    sim_afu_link_up(afu_of(s), 0);
    stack_sleep(s, SECOND);
    cr_assert_eq(port_of(s, 0).events[SPIPE_PORT_LOGIN], 1);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &lun), 0);
    cr_assert_eq(lun.last_lba, 10 * CHUNK - 1);
    PROVES(AD_94);
}

Test(link_event, a_login_finds_what_is_new) { run(a_login); }

/* ---- syncs of a link reset ---- */

/* R-14, VL-69: a command without an answer on the port keeps the global sync from its end, which
 * comes after the five seconds of the AFU. The port is reset all the same. */
static void a_sync_that_waits(struct stack *s, void *arg)
{
    struct spipe_io io = {.tag = 5, .buffer = page, .blocks = 1};
    struct spipe_completion done;
    struct stack_client c;
    uint64_t begin;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    io.handle = stack_open(&c, 0, 1);
    put(&c, io.handle, 0, 44);
    stack_plan(s, "fc#1=n");
    cr_assert_eq(spipe_submit(c.ctx, &io, 1), 1);
    stack_sleep(s, MILLISECOND);
    begin = exec_now(s->exec);
    cr_assert_eq(spipe_port_reset(s->adapter, 0), -EIO);
    cr_assert_geq(exec_now(s->exec) - begin, 5 * SECOND);
    cr_assert_leq(exec_now(s->exec) - begin, 6 * SECOND);
    cr_assert_eq(port_sel(s), 3);
    cr_assert(is_online(s, 0));
    while (spipe_poll(c.ctx, &done, 1) == 0)
        ;
    cr_assert_neq(done.status, 0);
    expect(&c, io.handle, 0, 44);
    PROVES(VL_69);
    PROVES(AD_126);
    spipe_client_destroy(c.client);
}

Test(link_event, a_sync_waits_for_commands_on_the_port) { run(a_sync_that_waits); }

/* A sync that is lost twice: the adapter is reset when the link reset is over, and not before. */
static void a_lost_sync(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;
    bool recovered;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    put(&c, handle, 9, 55);
    stack_plan(s, "afucmd#1x2=d");
    cr_assert_eq(spipe_port_reset(s->adapter, 0), -ETIMEDOUT);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    stack_sleep(s, 5 * SECOND);
    cr_assert(spipe_ctx_lost(c.ctx) || recovered);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert_eq(port_sel(s), 3);
    expect(&c, handle, 9, 55);
    PROVES(AD_126);
    spipe_client_destroy(c.client);
}

Test(link_event, a_lost_sync_resets_the_adapter) { run(a_lost_sync); }

/* ---- together with resets of the adapter ---- */

struct task {
    struct stack *s;
    struct exec_thread *thread;
    uint64_t over;
    int rc;
};

static void port_reset(void *arg)
{
    struct task *t = arg;

    t->rc = spipe_port_reset(t->s->adapter, 1);
    t->over = exec_now(t->s->exec);
}

/* A reset waits for a link reset that is under way; one that is asked for during a reset comes
 * after it. */
static void one_after_the_other(struct stack *s, void *arg)
{
    struct task t = {.s = s}, late = {.s = s};
    uint64_t begin = exec_now(s->exec);

    (void)arg;
    cr_assert_eq(exec_thread_create(s->exec, "port", port_reset, &t, &t.thread), 0);
    stack_sleep(s, 50 * MILLISECOND);
    cr_assert_eq(port_sel(s), 1, "the link reset has begun");
    cr_assert_eq(exec_thread_create(s->exec, "late", port_reset, &late, &late.thread), 0);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    exec_thread_join(s->exec, t.thread);
    exec_thread_join(s->exec, late.thread);
    cr_assert_eq(t.rc, 0);
    cr_assert_eq(late.rc, 0);
    cr_assert_geq(t.over - begin, 300 * MILLISECOND);
    cr_assert_gt(late.over, t.over);
    cr_assert_eq(port_of(s, 1).resets, 2);
    cr_assert_eq(port_of(s, 1).resets_failed, 0);
    cr_assert_eq(port_sel(s), 3);
    cr_assert(is_online(s, 1));
}

Test(link_event, resets_of_links_and_of_the_adapter)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        run_seed(seed, one_after_the_other);
}

/* The worker hears the AFU again after a reset. */
static void hears_again(struct stack *s, void *arg)
{
    (void)arg;
    stack_sleep(s, SECOND);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    stack_sleep(s, SECOND);
    sim_afu_link_down(afu_of(s), 0);
    stack_sleep(s, 200 * MILLISECOND);
    cr_assert_eq(port_of(s, 0).events[SPIPE_PORT_LINK_DOWN], 1);
}

Test(link_event, after_a_reset) { run(hears_again); }

/* ---- who listens ---- */

/* Requests do not wait for somebody who listens, nor does he miss anything because of them. */
static void called_away(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;
    uint64_t begin, last;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    for (unsigned i = 0; i < 20; i++) {
        stack_sleep(s, (2 + (i % 4) * 50) * MILLISECOND + i);
        begin = exec_now(s->exec);
        cr_assert_eq(spipe_resize(c.ctx, handle, (1 + i % 2) * CHUNK, &last), 0);
        cr_assert_leq(exec_now(s->exec) - begin, MILLISECOND);
        if (i % 2)
            sim_afu_link_down(afu_of(s), 1);
        else
            sim_afu_link_up(afu_of(s), 1);
    }
    stack_sleep(s, SECOND);
    /* Two that come together count as one. */
    cr_assert_geq(port_of(s, 1).events[SPIPE_PORT_LINK_DOWN], 5);
    cr_assert_leq(port_of(s, 1).events[SPIPE_PORT_LINK_DOWN], 10);
    cr_assert_eq(sim_afu_peek(afu_of(s), AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_STATUS), 0);
    spipe_client_destroy(c.client);
}

Test(link_event, who_listens_is_called_away)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        run_seed(seed, called_away);
}

/* AD-88: events without end keep nobody from his work. */
static void a_storm(struct stack *s, void *arg)
{
    struct stack_client c;
    struct spipe_lun_info lun;
    struct spipe_open_options options = {.size = sizeof options, .wipe = true};
    uint32_t handle;
    uint64_t last;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    cr_assert_eq(spipe_attach_lun(c.ctx, 1), 0);
    cr_assert_eq(spipe_open_virtual_with(c.ctx, 0, 2 * CHUNK, &options, &handle, &last), 0);
    put(&c, handle, 1, 1);
    cr_assert_eq(spipe_release(c.ctx, handle), 0);
    handle = stack_open(&c, 1, 1);
    for (unsigned i = 0; i < 5000; i++) {
        sim_afu_link_down(afu_of(s), 1);
        stack_sleep(s, 2 * MILLISECOND);
        sim_afu_link_up(afu_of(s), 1);
        cr_assert_eq(spipe_resize(c.ctx, handle, (1 + i % 2) * CHUNK, &last), 0); /* who hears it */
    }
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &lun), 0);
    cr_assert_eq(lun.free_chunks, 8, "they were wiped");
    cr_assert_geq(port_of(s, 1).events[SPIPE_PORT_LINK_DOWN], 10);
    cr_assert_leq(port_of(s, 1).events[SPIPE_PORT_LINK_DOWN], 101);
    PROVES(AD_88);
    spipe_client_destroy(c.client);
}

Test(link_event, a_storm_of_events) { run(a_storm); }
