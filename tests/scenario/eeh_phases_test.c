/* SPDX-License-Identifier: Apache-2.0 */
/* What a program of the binary interface sees of a frozen slot, phase by phase: the table of SP
 * section 10. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/cxlflash_ioctl.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(eeh_phases, .timeout = 60);

static const uint32_t disk = 0; /* spipe_disk(0, 0) */

struct program {
    struct stack *s;
    struct spipe_client *client;
    struct dk_cxlflash_attach a;
    struct spipe_mapping *m;
    uint64_t handle;
};

static void program_up(struct stack *s, struct program *p)
{
    struct dk_cxlflash_uvirtual u = {.lun_size = 65536};

    *p = (struct program){.s = s, .a = {.hdr.flags = 2, .num_interrupts = 4}};
    cr_assert_eq(spipe_client_create(s->adapter, "program", &p->client), 0);
    cr_assert_eq(spipe_ioctl(p->client, disk, DK_CXLFLASH_ATTACH, &p->a), 0);
    cr_assert_eq(spipe_adap_map(p->client, p->a.adap_fd, 0, p->a.mmio_size, &p->m), 0);
    u.context_id = p->a.context_id;
    cr_assert_eq(spipe_ioctl(p->client, disk, DK_CXLFLASH_USER_VIRTUAL, &u), 0);
    p->handle = u.rsrc_handle;
    cr_assert_eq(spipe_adap_read64(p->m, AFU_HOST_ENDIAN_CTRL), 0);
}

static int resize(struct program *p, uint64_t chunks)
{
    struct dk_cxlflash_resize r = {
        .context_id = p->a.context_id, .rsrc_handle = p->handle, .req_size = chunks * 65536};

    return spipe_ioctl(p->client, disk, DK_CXLFLASH_VLUN_RESIZE, &r);
}

static int open_direct(struct program *p)
{
    struct dk_cxlflash_udirect u = {.context_id = p->a.context_id};

    return spipe_ioctl(p->client, disk, DK_CXLFLASH_USER_DIRECT, &u);
}

/* In every phase from the freeze on: loads give ones, stores are lost, events are the loss, and
 * there is no link to map (SP-140). */
static void expect_cut_off(struct program *p)
{
    struct spipe_adap_event ev;
    struct spipe_mapping *none;

    spipe_adap_write64(p->m, AFU_HOST_RRQ_START, 0x1000);
    cr_assert_eq(spipe_adap_read64(p->m, AFU_HOST_RRQ_START), UINT64_MAX);
    cr_assert_eq(spipe_adap_read64(p->m, AFU_HOST_ENDIAN_CTRL), UINT64_MAX);
    cr_assert_eq(spipe_adap_event(p->client, p->a.adap_fd, 0, &ev), -EIO);
    cr_assert_eq(ev.kind, SPIPE_ADAP_LOST);
    cr_assert_eq(spipe_adap_map(p->client, p->a.adap_fd, 0, 4096, &none), -EIO);
    PROVES(SP_140);
}

static void sleep_ms(struct stack *s, uint64_t ms) { stack_sleep(s, ms * 1000000); }

struct request {
    struct program *p;
    struct exec_thread *thread;
    int (*send)(struct program *p);
    int rc;
    bool done;
};

static void send(void *arg)
{
    struct request *r = arg;

    r->rc = r->send(r->p);
    r->done = true;
}

static void begin(struct program *p, struct request *r, int (*fn)(struct program *p))
{
    *r = (struct request){.p = p, .send = fn};
    cr_assert_eq(exec_thread_create(p->s->exec, "request", send, r, &r->thread), 0);
}

static int end(struct request *r)
{
    exec_thread_join(r->p->s->exec, r->thread);
    return r->rc;
}

static int grow(struct program *p) { return resize(p, 2); }

static void expect_recovered(struct program *p)
{
    struct dk_cxlflash_recover_afu r = {.context_id = p->a.context_id};
    struct spipe_mapping *m;

    cr_assert_eq(spipe_ioctl(p->client, disk, DK_CXLFLASH_RECOVER_AFU, &r), 0);
    cr_assert_eq(r.hdr.return_flags,
                 DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET | DK_CXLFLASH_APP_CLOSE_ADAP_FD);
    cr_assert_eq(spipe_adap_map(p->client, r.adap_fd, 0, r.mmio_size, &m), 0);
    cr_assert_eq(spipe_adap_read64(m, AFU_HOST_ENDIAN_CTRL), 0);
    expect_cut_off(p); /* the old mapping and file, for ever */
    spipe_adap_unmap(m);
    p->a.context_id = r.context_id;
    cr_assert_eq(resize(p, 3), 0);
}

static void recovered(struct stack *s, void *arg)
{
    struct request direct, larger;
    struct program p;

    (void)arg;
    program_up(s, &p);
    sim_afu_platform(sim_host_afu(s->host, 0), SIM_EFFECT_FREEZE, 0);
    expect_cut_off(&p); /* core was not told */
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    PROVES(SP_145);
    sleep_ms(s, 2);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    expect_cut_off(&p);
    begin(&p, &direct, open_direct);
    begin(&p, &larger, grow);
    sleep_ms(s, 1000);
    cr_assert_not(direct.done || larger.done, "requests block until the end");
    PROVES(SP_17);
    cr_assert_eq(end(&direct), -EINVAL);
    cr_assert_eq(end(&larger), 0);
    PROVES(SP_160);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    expect_cut_off(&p); /* not recovered yet */
    PROVES(SP_147);
    expect_recovered(&p);
    PROVES(SP_96);
    spipe_adap_unmap(p.m);
    spipe_client_destroy(p.client);
}

/* one wrong value is no link that is down. */
static void a_wrong_value(struct stack *s, void *arg)
{
    struct spipe_mapping *m;
    struct program p;

    (void)arg;
    program_up(s, &p);
    stack_plan(s, "mr#1=o");
    cr_assert_eq(spipe_adap_map(p.client, p.a.adap_fd, 0, 4096, &m), 0);
    cr_assert_eq(stack_fired(s), 1);
    PROVES(R_30);
    spipe_adap_unmap(m);
    spipe_adap_unmap(p.m);
    spipe_client_destroy(p.client);
}

static void failed(struct stack *s, void *arg)
{
    struct dk_cxlflash_release rel = {.hdr.flags = 0};
    struct dk_cxlflash_detach d = {.hdr.flags = 0};
    struct program p;

    program_up(s, &p);
    sim_afu_platform(sim_host_afu(s->host, 0), *(const enum sim_effect *)arg, 0);
    sleep_ms(s, 2);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    expect_cut_off(&p);
    cr_assert_eq(open_direct(&p), -ENODEV);
    cr_assert_eq(resize(&p, 2), -ENODEV);
    cr_assert_eq(resize(&p, 0), 0);
    rel.context_id = d.context_id = p.a.context_id;
    rel.rsrc_handle = p.handle;
    cr_assert_eq(spipe_ioctl(p.client, disk, DK_CXLFLASH_RELEASE, &rel), 0);
    cr_assert_eq(spipe_ioctl(p.client, disk, DK_CXLFLASH_DETACH, &d), 0);
    expect_cut_off(&p);
    PROVES(R_44);
    spipe_adap_unmap(p.m);
    spipe_client_destroy(p.client);
}

static void run(void (*body)(struct stack *, void *), void *arg)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, arg);
    sim_media_close(media);
}

Test(eeh_phases, recovered) { run(recovered, NULL); }

Test(eeh_phases, a_wrong_value_is_looked_at_again) { run(a_wrong_value, NULL); }

Test(eeh_phases, permanent_failure)
{
    static enum sim_effect effect = SIM_EFFECT_PERMANENT;

    run(failed, &effect);
}

Test(eeh_phases, removal)
{
    static enum sim_effect effect = SIM_EFFECT_REMOVE;

    run(failed, &effect);
}
