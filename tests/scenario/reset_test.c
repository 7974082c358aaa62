/* SPDX-License-Identifier: Apache-2.0 */
/* An adapter that is reset while contexts are open: what clients see before, meanwhile and
 * afterwards (SP section 10), and how they recover (SP 7.8). */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/cxlflash_ioctl.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(reset, .timeout = 120);

static void run(void (*body)(struct stack *, void *), void *arg)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, arg);
    sim_media_close(media);
}

static struct spipe_lun_info lun_of(struct stack *s, unsigned lun)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, lun, &info), 0);
    return info;
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

/* ---- the typed interface ---- */

/* SP-160: what a lost context cannot do, and what it keeps. */
static void expect_lost(struct stack *s, struct stack_client *c, uint32_t handle)
{
    uint32_t other;
    uint64_t last;

    cr_assert(spipe_ctx_lost(c->ctx));
    cr_assert_lt(stack_io(c, SPIPE_READ, handle, 0, 1, page), 0);
    cr_assert_eq(spipe_in_flight(c->ctx), 0);
    cr_assert_eq(spipe_open_virtual(c->ctx, 0, 1, &other, &last), -EINVAL);
    cr_assert_eq(spipe_open_direct(c->ctx, 0, 0, &other, &last), -EINVAL);
    cr_assert_eq(spipe_attach_lun(c->ctx, 1), -EINVAL);
    cr_assert_eq(spipe_verify(c->ctx, handle, NULL, &last), -EINVAL);
    PROVES(SP_160);
    cr_assert_eq(lun_of(s, 0).users, 2);
    cr_assert_eq(lun_of(s, 0).free_chunks, 5);
    PROVES(SP_159);
}

static void recover_lost(struct stack_client *c)
{
    bool recovered = false;

    cr_assert_eq(spipe_recover(c->ctx, &recovered), 0);
    cr_assert(recovered);
    cr_assert_not(spipe_ctx_lost(c->ctx));
    PROVES(SP_93);
    PROVES(SP_94);
}

static void lost_and_recovered(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t first, second;
    uint64_t last;
    bool recovered = true;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    first = stack_open(&c, 0, 2);
    second = stack_open(&c, 0, 1);
    put(&c, first, 70000, 11);
    put(&c, second, 5, 22);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert_not(recovered);
    PROVES(SP_91);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    PROVES(SP_155);
    PROVES(AD_132);
    PROVES(AD_160);
    expect_lost(s, &c, first);
    recover_lost(&c);
    expect(&c, first, 70000, 11);
    expect(&c, second, 5, 22);
    cr_assert_eq(spipe_verify(c.ctx, first, NULL, &last), 0);
    cr_assert_eq(last, 2 * 65536 - 1);
    cr_assert_eq(spipe_resize(c.ctx, first, 3 * 65536, &last), 0);
    put(&c, first, 2 * 65536, 33);
    expect(&c, first, 2 * 65536, 33);
    spipe_client_destroy(c.client);
}

Test(reset, handles_and_data_survive) { run(lost_and_recovered, NULL); }

/* SP-160: handles of a lost context shrink, grow and are released without the AFU. */
static void changes_while_lost(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t kept, gone, grown;
    uint64_t last;
    bool recovered;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    kept = stack_open(&c, 0, 3);
    gone = stack_open(&c, 0, 2);
    grown = stack_open(&c, 0, 1);
    put(&c, kept, 9, 44);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(spipe_release(c.ctx, gone), 0);
    cr_assert_eq(lun_of(s, 0).free_chunks, 4);
    cr_assert_eq(spipe_resize(c.ctx, kept, 65536, &last), 0);
    cr_assert_eq(last, 65535);
    cr_assert_eq(spipe_resize(c.ctx, grown, 2 * 65536, &last), 0);
    cr_assert_eq(lun_of(s, 0).free_chunks, 5);
    PROVES(SP_161);
    PROVES(VL_23);
    PROVES(VL_35);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    expect(&c, kept, 9, 44);
    cr_assert_neq(stack_io(&c, SPIPE_READ, kept, 65536, 1, page), 0);
    put(&c, grown, 65536, 55);
    expect(&c, grown, 65536, 55);
    spipe_client_destroy(c.client);
}

Test(reset, lost_handles_can_be_changed) { run(changes_while_lost, NULL); }

static void detached_while_lost(struct stack *s, void *arg)
{
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    (void)stack_open(&c, 0, 3);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(spipe_detach(c.ctx, 0), 0);
    cr_assert_eq(lun_of(s, 0).users, 0);
    cr_assert_eq(lun_of(s, 0).mode, SPIPE_LUN_NONE);
    spipe_client_destroy(c.client);
}

Test(reset, a_lost_context_can_be_detached) { run(detached_while_lost, NULL); }

/* I/O that was in flight comes back as failed, and only then may the context be recovered. */
static void in_flight(struct stack *s, void *arg)
{
    struct spipe_io io = {.tag = 5, .buffer = page, .blocks = 1};
    struct spipe_completion done;
    struct stack_client c;
    bool recovered;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    io.handle = stack_open(&c, 0, 1);
    cr_assert_eq(spipe_submit(c.ctx, &io, 1), 1);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), -EBUSY);
    while (spipe_poll(c.ctx, &done, 1) == 0)
        ;
    cr_assert_eq(done.tag, 5);
    cr_assert_eq(done.status, -EIO);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert(recovered);
    put(&c, io.handle, 1, 1);
    expect(&c, io.handle, 1, 1);
    spipe_client_destroy(c.client);
}

Test(reset, io_in_flight_fails) { run(in_flight, NULL); }

static void waiter(void *arg)
{
    struct spipe_ctx **ctx = arg;

    cr_assert_eq(spipe_wait(*ctx, EXEC_FOREVER), -EIO);
}

/* whoever sleeps for a completion learns at once that none will come. */
static void asleep(struct stack *s, void *arg)
{
    struct exec_thread *t;
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, true);
    cr_assert_eq(exec_thread_create(s->exec, "waiter", waiter, &c.ctx, &t), 0);
    exec_yield(s->exec);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    exec_thread_join(s->exec, t);
    PROVES(R_44);
    spipe_client_destroy(c.client);
}

Test(reset, sleepers_wake) { run(asleep, NULL); }

/* ---- the binary interface ---- */

struct program {
    struct spipe_client *client;
    struct dk_cxlflash_attach a;
    struct spipe_mapping *m;
    uint64_t handle;
};

static const uint32_t disk = 0; /* spipe_disk(0, 0) */

static void program_up(struct stack *s, struct program *p)
{
    struct dk_cxlflash_uvirtual u = {.lun_size = 65536};

    p->a = (struct dk_cxlflash_attach){.hdr.flags = 2, .num_interrupts = 4};
    cr_assert_eq(spipe_client_create(s->adapter, "program", &p->client), 0);
    cr_assert_eq(spipe_ioctl(p->client, disk, DK_CXLFLASH_ATTACH, &p->a), 0);
    cr_assert_eq(spipe_adap_map(p->client, p->a.adap_fd, 0, p->a.mmio_size, &p->m), 0);
    u.context_id = p->a.context_id;
    cr_assert_eq(spipe_ioctl(p->client, disk, DK_CXLFLASH_USER_VIRTUAL, &u), 0);
    p->handle = u.rsrc_handle;
}

static int recover(struct program *p, struct dk_cxlflash_recover_afu *r)
{
    *r = (struct dk_cxlflash_recover_afu){
        .context_id = p->a.context_id, .mmio_size = 1, .adap_fd = 2, .reason = 3};
    return spipe_ioctl(p->client, disk, DK_CXLFLASH_RECOVER_AFU, r);
}

/* The table of SP section 10, from "marked errored" on. */
static void expect_errored_phase(struct program *p)
{
    struct dk_cxlflash_udirect u = {.context_id = p->a.context_id};
    struct spipe_adap_event ev;
    struct spipe_mapping *again;

    spipe_adap_write64(p->m, AFU_HOST_RRQ_START, 0x1000);
    cr_assert_eq(spipe_adap_read64(p->m, AFU_HOST_RRQ_START), UINT64_MAX);
    cr_assert_eq(spipe_adap_read64(p->m, AFU_HOST_ENDIAN_CTRL), UINT64_MAX);
    PROVES(SP_142);
    PROVES(SP_145);
    PROVES(SP_144); /* the very next access */
    PROVES(SP_147);
    PROVES(SP_182);
    cr_assert_eq(spipe_adap_event(p->client, p->a.adap_fd, 0, &ev), -EIO);
    cr_assert_eq(ev.kind, SPIPE_ADAP_LOST);
    cr_assert_eq(spipe_adap_map(p->client, p->a.adap_fd, 0, 4096, &again), -EIO);
    cr_assert_eq(spipe_ioctl(p->client, disk, DK_CXLFLASH_USER_DIRECT, &u), -EINVAL);
}

/* The old mapping is dead, and its end does not touch the new one. */
static void expect_recovered_phase(struct program *p, const struct dk_cxlflash_recover_afu *r)
{
    struct spipe_mapping *again;

    cr_assert_eq(r->hdr.return_flags,
                 DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET | DK_CXLFLASH_APP_CLOSE_ADAP_FD);
    cr_assert_eq(r->mmio_size, 65536);
    cr_assert_eq(r->context_id >> 32, p->a.context_id >> 32);
    cr_assert_neq(r->adap_fd, p->a.adap_fd);
    PROVES(SP_96);
    cr_assert_eq(spipe_adap_map(p->client, r->adap_fd, 0, r->mmio_size, &again), 0);
    cr_assert_eq(spipe_adap_read64(again, AFU_HOST_ENDIAN_CTRL), 0);
    cr_assert_eq(spipe_adap_read64(p->m, AFU_HOST_ENDIAN_CTRL), UINT64_MAX);
    PROVES(SP_146);
    spipe_adap_unmap(p->m);
    cr_assert_eq(spipe_adap_close(p->client, p->a.adap_fd), 0);
    cr_assert_eq(spipe_adap_read64(again, AFU_HOST_ENDIAN_CTRL), 0);
    PROVES(SP_95);
    spipe_adap_unmap(again);
}

/* Its number is free while nobody recovers it. Whoever gets it next is not mistaken for it by the
 * checkers (INV-27), not even when that has ended and has its file only. */
static void number_comes_again(struct stack *s, void *arg)
{
    struct program lost, next;
    struct dk_cxlflash_detach d = {0};

    (void)arg;
    program_up(s, &lost);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    program_up(s, &next);
    cr_assert_eq((uint32_t)next.a.context_id, (uint32_t)lost.a.context_id);
    d.context_id = next.a.context_id;
    cr_assert_eq(spipe_ioctl(next.client, disk, DK_CXLFLASH_DETACH, &d), 0);
    cr_assert_eq(spipe_adap_read64(next.m, AFU_HOST_ENDIAN_CTRL), 0);
    cr_assert_eq(spipe_adap_read64(lost.m, AFU_HOST_ENDIAN_CTRL), UINT64_MAX);
    spipe_client_destroy(next.client);
    spipe_client_destroy(lost.client);
    spipe_adap_unmap(next.m);
    spipe_adap_unmap(lost.m);
}

Test(reset, number_of_a_lost_context) { run(number_comes_again, NULL); }

/* SP-155: a file keeps hardware after DETACH (SP-78), which a reset takes away as well. */
static void only_the_file(struct stack *s, void *arg)
{
    struct dk_cxlflash_detach d = {0};
    struct spipe_adap_event ev;
    struct program p;

    (void)arg;
    program_up(s, &p);
    d.context_id = p.a.context_id;
    cr_assert_eq(spipe_ioctl(p.client, disk, DK_CXLFLASH_DETACH, &d), 0);
    cr_assert_eq(spipe_adap_read64(p.m, AFU_HOST_ENDIAN_CTRL), 0);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(spipe_adap_read64(p.m, AFU_HOST_ENDIAN_CTRL), UINT64_MAX);
    cr_assert_eq(spipe_adap_event(p.client, p.a.adap_fd, 0, &ev), -EIO);
    PROVES(SP_155);
    spipe_adap_unmap(p.m);
    cr_assert_eq(spipe_adap_close(p.client, p.a.adap_fd), 0);
    spipe_client_destroy(p.client);
}

Test(reset, file_of_an_ended_context) { run(only_the_file, NULL); }

static void phases(struct stack *s, void *arg)
{
    struct dk_cxlflash_resize z = {.req_size = 1};
    struct dk_cxlflash_recover_afu r;
    struct program p;

    (void)arg;
    program_up(s, &p);
    z.context_id = p.a.context_id;
    z.rsrc_handle = p.handle;
    cr_assert_eq(recover(&p, &r), 0);
    cr_assert(r.hdr.return_flags == 0 && r.mmio_size == 1 && r.adap_fd == 2);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    expect_errored_phase(&p);
    PROVES(AD_162); /* told by all ones, and goes on by itself */
    cr_assert_eq(spipe_ioctl(p.client, disk, DK_CXLFLASH_VLUN_RESIZE, &z), 0);
    cr_assert_eq(recover(&p, &r), 0);
    expect_recovered_phase(&p, &r);
    z.context_id = r.context_id;
    cr_assert_eq(spipe_ioctl(p.client, disk, DK_CXLFLASH_VLUN_RESIZE, &z), 0);
    cr_assert_eq(spipe_adap_close(p.client, r.adap_fd), 0);
    cr_assert_eq(lun_of(s, 0).users, 0, "SP-148: the last close detaches");
    spipe_client_destroy(p.client);
}

Test(reset, what_an_application_sees) { run(phases, NULL); }

/* Nobody but its owner recovers a context, and a closed file ends a lost one. */
static void strangers_and_closes(struct stack *s, void *arg)
{
    struct dk_cxlflash_recover_afu r;
    struct spipe_client *own;
    struct program p, thief;

    (void)arg;
    program_up(s, &p);
    program_up(s, &thief);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    own = thief.client;
    thief.client = p.client;
    cr_assert_eq(recover(&thief, &r), -EINVAL);
    thief.client = own;
    PROVES(SP_90);
    spipe_adap_unmap(p.m);
    cr_assert_eq(spipe_adap_close(p.client, p.a.adap_fd), 0);
    cr_assert_eq(lun_of(s, 0).users, 1);
    cr_assert_eq(recover(&p, &r), -EINVAL);
    cr_assert_eq(recover(&thief, &r), 0);
    spipe_client_destroy(p.client);
    spipe_client_destroy(thief.client);
    spipe_adap_unmap(thief.m);
}

Test(reset, only_the_owner_recovers) { run(strangers_and_closes, NULL); }

/* ---- requests that come meanwhile ---- */

struct meanwhile {
    struct stack *s;
    struct spipe_client *client;
    struct spipe_ctx *ctx;
    struct exec_thread *thread;
    int rc;
    bool done;
};

static void attach_meanwhile(void *arg)
{
    struct meanwhile *m = arg;

    m->rc = spipe_attach(m->client, 0, NULL, &m->ctx);
    m->done = true;
}

static void reset_meanwhile(void *arg)
{
    struct meanwhile *m = arg;

    m->rc = spipe_reset(m->s->adapter);
    m->done = true;
}

static void begin_meanwhile(struct stack *s, struct meanwhile *m, void (*body)(void *))
{
    *m = (struct meanwhile){.s = s};
    cr_assert_eq(spipe_client_create(s->adapter, "meanwhile", &m->client), 0);
    cr_assert_eq(exec_thread_create(s->exec, "meanwhile", body, m, &m->thread), 0);
}

static void sleep_ms(struct stack *s, uint64_t ms) { stack_sleep(s, ms * 1000000); }

static void until_reset(struct stack *s)
{
    while (stack_state(s) != SPIPE_STATE_RESET)
        exec_yield(s->exec);
}

static void waits(struct stack *s, void *arg)
{
    struct meanwhile reset, request, interrupted;

    (void)arg;
    begin_meanwhile(s, &reset, reset_meanwhile);
    until_reset(s);
    begin_meanwhile(s, &request, attach_meanwhile);
    begin_meanwhile(s, &interrupted, attach_meanwhile);
    for (unsigned i = 0; i < 100; i++)
        exec_yield(s->exec);
    cr_assert_not(request.done);
    exec_thread_interrupt(s->exec, interrupted.thread);
    exec_thread_join(s->exec, interrupted.thread);
    cr_assert_eq(interrupted.rc, -EINTR);
    cr_assert_eq(spipe_lun_disable(s->adapter, 1, 1), 0, "SP-24");
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    exec_thread_join(s->exec, request.thread);
    cr_assert_eq(request.rc, 0);
    PROVES(SP_17);
    exec_thread_join(s->exec, reset.thread);
    cr_assert_eq(reset.rc, 0);
    cr_assert_eq(spipe_lun_enable(s->adapter, 1, 1), 0);
    spipe_client_destroy(reset.client);
    spipe_client_destroy(request.client);
    spipe_client_destroy(interrupted.client);
}

Test(reset, requests_wait) { run(waits, NULL); }

/* AD-133: a second one waits for the first. */
static void two_at_once(struct stack *s, void *arg)
{
    struct meanwhile a, b;

    (void)arg;
    begin_meanwhile(s, &a, reset_meanwhile);
    until_reset(s);
    begin_meanwhile(s, &b, reset_meanwhile);
    exec_thread_join(s->exec, b.thread);
    exec_thread_join(s->exec, a.thread);
    cr_assert(a.rc == 0 && b.rc == 0);
    PROVES(AD_133);
    spipe_client_destroy(a.client);
    spipe_client_destroy(b.client);
}

Test(reset, two_resets_are_one) { run(two_at_once, NULL); }

/* ---- resets that fail ---- */

static void failed(struct stack *s, void *arg)
{
    struct stack_client c;
    struct program p;
    struct dk_cxlflash_recover_afu r;
    struct spipe_ctx *other;
    uint32_t handle;
    uint64_t last;
    bool recovered;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    program_up(s, &p);
    stack_plan(s, "afurst#1=x");
    cr_assert_eq(spipe_reset(s->adapter), -EIO);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_reset(s->adapter), -EIO);
    cr_assert_eq(spipe_attach(c.client, 0, NULL, &other), -ENODEV);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), -ENODEV);
    cr_assert_eq(recover(&p, &r), -ENODEV);
    cr_assert_eq(spipe_resize(c.ctx, handle, 3 * 65536, &last), -ENODEV);
    PROVES(SP_164);
    cr_assert_eq(spipe_resize(c.ctx, handle, 65536, &last), 0);
    cr_assert_eq(spipe_release(c.ctx, handle), 0);
    cr_assert_eq(spipe_detach(c.ctx, 0), 0);
    PROVES(SP_18);
    cr_assert_eq(spipe_lun_disable(s->adapter, 1, 0), 0);
    cr_assert_eq(lun_of(s, 0).users, 1);
    spipe_client_destroy(c.client);
    spipe_client_destroy(p.client);
    spipe_adap_unmap(p.m);
    cr_assert_eq(lun_of(s, 0).users, 0);
}

/* Without checkers: INV-26 wants no quarantine at the end, but the AFU was never initialised again,
 * so what was withdrawn stays held until the adapter is closed (VL 15.1). */
Test(reset, a_reset_that_fails)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media, .unchecked = true}, failed, NULL);
    sim_media_close(media);
}

/* ---- resets that nobody asked for ---- */

/* SP-156, R-15: an AFU sync that is lost twice makes the adapter reset itself; what was withdrawn
 * is free afterwards. */
static void lost_sync(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;
    uint64_t last;
    bool recovered;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 4);
    put(&c, handle, 3, 66);
    stack_plan(s, "afucmd#1x2=d");
    cr_assert_eq(spipe_resize(c.ctx, handle, 65536, &last), -EAGAIN);
    while (!spipe_ctx_lost(c.ctx) || stack_state(s) != SPIPE_STATE_NORMAL)
        sleep_ms(s, 10);
    PROVES(SP_156);
    PROVES(AD_135);
    cr_assert_eq(lun_of(s, 0).free_chunks, 7);
    PROVES(SP_163);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert(recovered);
    expect(&c, handle, 3, 66);
    spipe_client_destroy(c.client);
}

Test(reset, a_lost_sync_resets_the_adapter) { run(lost_sync, NULL); }

/* what is quarantined is tried again by itself. */
static void reaped(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;
    uint64_t last;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 4);
    stack_plan(s, "afucmd#1=x(2)");
    cr_assert_eq(spipe_resize(c.ctx, handle, 65536, &last), -EAGAIN);
    cr_assert_eq(lun_of(s, 0).free_chunks, 4);
    sleep_ms(s, 1000);
    cr_assert_eq(lun_of(s, 0).free_chunks, 7);
    cr_assert_not(spipe_ctx_lost(c.ctx));
    PROVES(VL_73);
    spipe_client_destroy(c.client);
}

Test(reset, quarantine_is_tried_again) { run(reaped, NULL); }

/* ---- contexts that cannot be had ---- */

static void no_context(struct stack *s, void *arg)
{
    struct stack_client c;
    uint64_t begin;
    bool recovered;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    stack_plan(s, "ctx#1x20=f");
    begin = exec_now(s->exec);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), -ENODEV);
    cr_assert_geq(exec_now(s->exec) - begin, UINT64_C(1900000000));
    cr_assert_leq(exec_now(s->exec) - begin, UINT64_C(2100000000));
    PROVES(SP_97);
    cr_assert(spipe_ctx_lost(c.ctx));
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert(recovered);
    PROVES(SP_98);
    PROVES(SP_100);
    spipe_client_destroy(c.client);
}

Test(reset, recovery_without_a_context_left) { run(no_context, NULL); }

/* SP-98: the number of a lost context may be somebody else's by now; its end leaves that alone. */
static void number_of_another(struct stack *s, void *arg)
{
    struct stack_client lost, c;
    uint32_t handle;
    uint16_t number;
    bool recovered;

    (void)arg;
    stack_client(s, &lost, 0, 8, false);
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    put(&c, handle, 4, 77);
    number = spipe_ctx_handle(lost.ctx);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert_eq(spipe_ctx_handle(c.ctx), number);
    cr_assert_eq(spipe_detach(lost.ctx, 0), 0);
    expect(&c, handle, 4, 77);
    PROVES(SP_98);
    spipe_client_destroy(lost.client);
    spipe_client_destroy(c.client);
}

Test(reset, a_number_may_be_anothers) { run(number_of_another, NULL); }

/* ---- several recoveries ---- */

enum { RECOVERIES = 4 };

static void recover_meanwhile(void *arg)
{
    struct meanwhile *m = arg;
    bool recovered;

    m->rc = spipe_recover(m->ctx, &recovered);
    m->done = true;
}

/* Contexts of their own that are lost. */
static void lose_contexts(struct stack *s, struct meanwhile *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        m[i] = (struct meanwhile){.s = s};
        cr_assert_eq(spipe_client_create(s->adapter, "meanwhile", &m[i].client), 0);
        cr_assert_eq(spipe_attach(m[i].client, 0, NULL, &m[i].ctx), 0);
    }
    cr_assert_eq(spipe_reset(s->adapter), 0);
}

/* Each has a thread that recovers it. */
static void begin_recoveries(struct stack *s, struct meanwhile *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        cr_assert_eq(
            exec_thread_create(s->exec, "recovery", recover_meanwhile, &m[i], &m[i].thread), 0);
}

static void end_recoveries(struct stack *s, struct meanwhile *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        exec_thread_join(s->exec, m[i].thread);
        cr_assert(m[i].rc == 0 || m[i].rc == -EINTR);
        spipe_client_destroy(m[i].client);
    }
}

static void run_seeds(void (*body)(struct stack *, void *), unsigned seeds)
{
    for (unsigned seed = 1; seed <= seeds; seed++) {
        struct sim_media *media = stack_media(1);

        stack_run(&(struct stack_setup){.seed = seed, .media = media}, body, NULL);
        sim_media_close(media);
    }
}

/* SP-99: those that wait for their turn do not keep a reset from happening, which the one that has
 * it may wait for. */
static void reset_during_recoveries(struct stack *s, void *arg)
{
    struct meanwhile m[RECOVERIES];

    (void)arg;
    lose_contexts(s, m, RECOVERIES);
    begin_recoveries(s, m, RECOVERIES);
    exec_yield(s->exec);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    end_recoveries(s, m, RECOVERIES);
    PROVES(SP_99);
}

Test(reset, recoveries_do_not_stop_a_reset) { run_seeds(reset_during_recoveries, 10); }

/* SP-89: who is interrupted while it waits for its turn has none to give back. */
static void interrupted_recoveries(struct stack *s, void *arg)
{
    struct meanwhile m[RECOVERIES];

    (void)arg;
    lose_contexts(s, m, RECOVERIES);
    begin_recoveries(s, m, RECOVERIES);
    exec_yield(s->exec);
    for (unsigned i = 1; i < RECOVERIES; i++)
        exec_thread_interrupt(s->exec, m[i].thread);
    end_recoveries(s, m, RECOVERIES);
    PROVES(SP_89);
}

Test(reset, recoveries_can_be_interrupted) { run_seeds(interrupted_recoveries, 10); }

/* two that fail do not give each other hope; both end. */
static void no_contexts_for_two(struct stack *s, void *arg)
{
    struct meanwhile m[2];
    uint64_t begin;

    (void)arg;
    lose_contexts(s, m, 2);
    stack_plan(s, "ctx#1*=f");
    begin = exec_now(s->exec);
    begin_recoveries(s, m, 2);
    for (unsigned i = 0; i < 2; i++) {
        exec_thread_join(s->exec, m[i].thread);
        cr_assert_eq(m[i].rc, -ENODEV);
        spipe_client_destroy(m[i].client);
    }
    cr_assert_leq(exec_now(s->exec) - begin, UINT64_C(2100000000));
    PROVES(R_38);
}

Test(reset, two_recoveries_without_a_context_left) { run_seeds(no_contexts_for_two, 10); }

/* 19 tries fail, another context is recovered, 19 more fail. */
static void progress_of_another(struct stack *s, void *arg)
{
    struct meanwhile m[2];
    bool recovered;

    (void)arg;
    lose_contexts(s, m, 2);
    stack_plan(s, "ctx#1x19=f+ctx#21x19=f");
    begin_recoveries(s, m, 1);
    sleep_ms(s, 1850);
    cr_assert_eq(spipe_recover(m[1].ctx, &recovered), 0);
    cr_assert_not(m[0].done);
    exec_thread_join(s->exec, m[0].thread);
    cr_assert_eq(m[0].rc, 0);
    PROVES(R_38);
    for (unsigned i = 0; i < 2; i++)
        spipe_client_destroy(m[i].client);
}

Test(reset, others_that_recover_give_hope) { run_seeds(progress_of_another, 10); }
