/* SPDX-License-Identifier: Apache-2.0 */
/* Disks inside the AFU instead of the external ones, and back, with contexts open. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/cxlflash_ioctl.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(internal_lun, .timeout = 60);

enum { CHUNKS = 4, CHUNK = 65536, EXTERNAL = 2 };

static void run(void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(CHUNKS);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, NULL);
    sim_media_close(media);
}

static struct spipe_adapter_info adapter(struct stack *s)
{
    struct spipe_adapter_info info;

    spipe_adapter_info(s->adapter, &info);
    return info;
}

static struct spipe_lun_info lun(struct stack *s, unsigned index)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, index, &info), 0);
    return info;
}

/* ---- there and back ---- */

/* SP-172: contexts are lost, as in every reset. */
static void there(struct stack *s, struct stack_client *c)
{
    bool recovered;

    cr_assert_eq(spipe_internal_lun(s->adapter, 2), 0);
    cr_assert_eq(adapter(s).internal_lun, 2);
    cr_assert(spipe_ctx_lost(c->ctx));
    PROVES(SP_172);
    PROVES(D_13);
    cr_assert_eq(spipe_recover(c->ctx, &recovered), 0);
    cr_assert(recovered);
}

static void external_is_out_of_reach(struct stack *s, struct stack_client *c)
{
    uint32_t handle;
    uint64_t last;

    cr_assert_eq(lun(s, 0).found_ports, 0);
    cr_assert_eq(lun(s, 1).found_ports, 0);
    cr_assert_eq(spipe_open_direct(c->ctx, 0, 0, &handle, &last), -EINVAL);
    cr_assert_neq(spipe_open_virtual(c->ctx, 0, CHUNK, &handle, &last), 0);
    cr_assert_eq(lun(s, 0).mode, SPIPE_LUN_NONE);
}

static void use_internal(struct stack *s)
{
    struct stack_client c;
    uint32_t handle;
    uint64_t last;

    cr_assert_eq(adapter(s).luns, EXTERNAL + 1);
    cr_assert_eq(lun(s, EXTERNAL).found_ports, 1, "port 0 only");
    stack_client(s, &c, EXTERNAL, 8, false);
    cr_assert_eq(spipe_open_direct(c.ctx, EXTERNAL, 0, &handle, &last), 0);
    cr_assert_eq(last, 15);
    stack_put(&c, handle, 15, 6);
    cr_assert_eq(stack_get(&c, handle, 15), 6);
    cr_assert_eq(spipe_internal_lun(s->adapter, 0), -EBUSY);
    cr_assert_not(spipe_ctx_lost(c.ctx), "nothing happened");
    cr_assert_eq(stack_get(&c, handle, 15), 6);
    spipe_client_destroy(c.client);
}

static void there_and_back(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;
    uint64_t last;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    cr_assert_eq(spipe_open_direct(c.ctx, 0, 1, &handle, &last), 0);
    stack_put(&c, handle, 15, 1);
    cr_assert_eq(spipe_internal_lun(s->adapter, 2), -EBUSY);
    cr_assert_eq(spipe_release(c.ctx, handle), 0);
    there(s, &c);
    external_is_out_of_reach(s, &c);
    use_internal(s);
    cr_assert_eq(spipe_internal_lun(s->adapter, 0), 0);
    cr_assert_eq(adapter(s).luns, EXTERNAL + 1, "SP-122");
    cr_assert_eq(lun(s, EXTERNAL).found_ports, 0);
    spipe_client_destroy(c.client);
    stack_client(s, &c, 0, 8, false);
    cr_assert_eq(spipe_open_direct(c.ctx, 0, 1, &handle, &last), 0);
    cr_assert_eq(stack_get(&c, handle, 15), 1);
    spipe_client_destroy(c.client);
}

Test(internal_lun, there_and_back) { run(there_and_back); }

/* ---- modes ---- */

/* A mode goes on over a reset (AD-49d, AD-49e). */
static void modes(struct stack *s, void *arg)
{
    static const struct {
        unsigned disks;
        uint64_t last_lba;
        uint32_t block_size;
    } shape[] = {{1, 127, 512}, {1, 15, 4096}, {2, 63, 512}, {2, 7, 4096}};

    (void)arg;
    for (unsigned mode = 4; mode >= 1; mode--) {
        cr_assert_eq(spipe_internal_lun(s->adapter, mode), 0);
        cr_assert_eq(spipe_reset(s->adapter), 0);
        cr_assert_eq(adapter(s).luns, EXTERNAL + (mode == 4 ? shape[3].disks : 2), "mode %u", mode);
        cr_assert_eq(lun(s, EXTERNAL).last_lba, shape[mode - 1].last_lba);
        cr_assert_eq(lun(s, EXTERNAL).block_size, shape[mode - 1].block_size);
        cr_assert_eq(lun(s, EXTERNAL + 1).found_ports, shape[mode - 1].disks - 1);
    }
    PROVES(AD_201);
}

Test(internal_lun, modes) { run(modes); }

static void no_change(struct stack *s, void *arg)
{
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    cr_assert_eq(spipe_internal_lun(s->adapter, 5), -EINVAL);
    cr_assert_eq(spipe_internal_lun(s->adapter, 0), 0);
    cr_assert_not(spipe_ctx_lost(c.ctx));
    spipe_client_destroy(c.client);
}

Test(internal_lun, no_change) { run(no_change); }

/* ---- binary requests ---- */

/* SP-14: only a close or a DETACH takes a handle away. */
static void binary(struct stack *s, void *arg)
{
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};
    struct dk_cxlflash_udirect u = {.hdr.flags = 0};
    struct dk_cxlflash_uvirtual v = {.lun_size = 1};
    struct dk_cxlflash_release r = {.hdr.flags = 0};
    const uint32_t disk = spipe_disk(EXTERNAL, 0);
    struct spipe_client *client;

    (void)arg;
    cr_assert_eq(spipe_internal_lun(s->adapter, 2), 0);
    cr_assert_eq(spipe_client_create(s->adapter, "binary", &client), 0);
    cr_assert_eq(spipe_ioctl(client, disk, DK_CXLFLASH_ATTACH, &a), 0);
    cr_assert_eq(a.last_lba, 15);
    u.context_id = v.context_id = r.context_id = a.context_id;
    cr_assert_eq(spipe_ioctl(client, disk, DK_CXLFLASH_USER_VIRTUAL, &v), -EINVAL);
    cr_assert_eq(spipe_ioctl(client, disk, DK_CXLFLASH_USER_DIRECT, &u), 0);
    r.rsrc_handle = u.rsrc_handle;
    cr_assert_eq(spipe_ioctl(client, disk, DK_CXLFLASH_RELEASE, &r), -EINVAL);
    cr_assert_eq(lun(s, EXTERNAL).users, 1);
    cr_assert_eq(spipe_adap_close(client, a.adap_fd), 0);
    cr_assert_eq(lun(s, EXTERNAL).users, 0);
    PROVES(SP_14);
    spipe_client_destroy(client);
}

Test(internal_lun, binary_requests) { run(binary); }

/* ---- beside a reset ---- */

static void reset(void *arg)
{
    struct stack *s = arg;

    cr_assert_eq(spipe_reset(s->adapter), 0);
}

static void beside_a_reset(struct stack *s, void *arg)
{
    struct exec_thread *thread;

    (void)arg;
    cr_assert_eq(exec_thread_create(s->exec, "reset", reset, s, &thread), 0);
    exec_yield(s->exec);
    cr_assert_eq(spipe_internal_lun(s->adapter, 1), 0);
    exec_thread_join(s->exec, thread);
    cr_assert_eq(adapter(s).internal_lun, 1);
    cr_assert_eq(adapter(s).state, SPIPE_STATE_NORMAL);
}

Test(internal_lun, beside_a_reset) { run(beside_a_reset); }

/* ---- errors ---- */

/* D-13: they are not ignored. */
static void fails(struct stack *s, void *arg)
{
    (void)arg;
    stack_plan(s, "afurst#1=x");
    cr_assert_eq(spipe_internal_lun(s->adapter, 1), -EIO);
    cr_assert_eq(adapter(s).state, SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_internal_lun(s->adapter, 2), -EIO);
    PROVES(D_13);
}

Test(internal_lun, a_change_that_fails) { run(fails); }

/* ---- beside requests ---- */

struct resizer {
    struct stack_client c;
    struct stack *s;
    uint32_t handle;
    bool stop;
};

/* What a sync has confirmed is free, and the AFU knows each new size. */
static void resize(void *arg)
{
    struct resizer *r = arg;
    uint64_t last;

    while (!r->stop) {
        cr_assert_eq(spipe_resize(r->c.ctx, r->handle, 2 * CHUNK, &last), 0);
        stack_put(&r->c, r->handle, CHUNK, 7);
        cr_assert_eq(spipe_resize(r->c.ctx, r->handle, CHUNK, &last), 0);
        cr_assert_eq(lun(r->s, 0).free_chunks, CHUNKS - 1);
    }
}

/* A change that is refused changes nothing: requests under way still have their AFU syncs, which
 * a reset would have made unnecessary (SP-162, INV-14). */
static void beside_a_resize(struct stack *s, void *arg)
{
    struct resizer r = {.s = s};
    struct exec_thread *thread;

    (void)arg;
    stack_client(s, &r.c, 0, 8, false);
    r.handle = stack_open(&r.c, 0, 1);
    cr_assert_eq(exec_thread_create(s->exec, "resize", resize, &r, &thread), 0);
    for (unsigned i = 0; i < 50; i++) {
        stack_sleep(s, 1000);
        cr_assert_eq(spipe_internal_lun(s->adapter, 2), -EBUSY);
    }
    r.stop = true;
    exec_thread_join(s->exec, thread);
    cr_assert_not(spipe_ctx_lost(r.c.ctx));
    spipe_client_destroy(r.c.client);
}

Test(internal_lun, a_refused_change_beside_a_resize)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct sim_media *media = stack_media(CHUNKS);

        stack_run(&(struct stack_setup){.seed = seed, .media = media}, beside_a_resize, NULL);
        sim_media_close(media);
    }
    PROVES(AD_201);
}
