/* SPDX-License-Identifier: Apache-2.0 */
/* Wiping, through the whole stack, with what is on the medium looked at. */
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

TestSuite(wipe, .timeout = 120);

enum { CHUNKS = 4, CHUNK = 65536 };

static struct sim_media *media;

static void run_with(void (*body)(struct stack *, void *), void (*params)(struct sim_params *))
{
    media = stack_media(CHUNKS);
    stack_run(&(struct stack_setup){.seed = 1, .media = media, .change_params = params}, body,
              NULL);
    sim_media_close(media);
}

static void run(void (*body)(struct stack *, void *)) { run_with(body, NULL); }

static uint32_t open_wiped(struct stack_client *c, uint64_t chunks)
{
    struct spipe_open_options options = {.size = sizeof options, .wipe = true};
    uint64_t last;
    uint32_t handle;

    cr_assert_eq(spipe_open_virtual_with(c->ctx, 0, chunks * CHUNK, &options, &handle, &last), 0);
    cr_assert_eq(last, chunks * CHUNK - 1);
    return handle;
}

static struct spipe_lun_info lun(struct stack *s)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    return info;
}

/* VLW-1: the wipe of chunk c begins at block c x 65536, and touches no other chunk. */
static void right_blocks(struct stack *s, void *arg)
{
    struct stack_client a, b;
    uint32_t mine, wiped;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    stack_client(s, &b, 0, 8, false);
    mine = stack_open(&a, 0, 2); /* chunks 0 and 1 */
    wiped = open_wiped(&b, 1);   /* chunk 2 */
    stack_put(&a, mine, 2, 11);
    stack_put(&a, mine, CHUNK + 65535, 12);
    stack_put(&b, wiped, 0, 21);
    stack_put(&b, wiped, 65535, 22);
    stack_put(&b, wiped, 40000, 23);
    cr_assert_eq(spipe_release(b.ctx, wiped), 0);
    stack_sleep_s(s, 10);
    cr_assert_eq(lun(s).free_chunks, 2);
    cr_assert_eq(stack_on_medium(media, 2 * CHUNK), 0);
    cr_assert_eq(stack_on_medium(media, 2 * CHUNK + 65535), 0);
    cr_assert_eq(stack_on_medium(media, 2 * CHUNK + 40000), 0);
    cr_assert_eq(stack_get(&a, mine, 2), 11);
    cr_assert_eq(stack_get(&a, mine, CHUNK + 65535), 12);
    PROVES(VL_56);
    PROVES(VL_57);
    PROVES(VL_60);
    PROVES(D_16);
    spipe_client_destroy(a.client);
    spipe_client_destroy(b.client);
}

Test(wipe, hits_the_right_blocks) { run(right_blocks); }

/* Without the flag data stay (VL-65, Q); until a chunk is wiped it is not free, and the LUN keeps
 * its mode. */
static void not_free_before(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t handle;
    uint64_t last;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = open_wiped(&a, 3);
    stack_put(&a, handle, 2 * CHUNK, 7);
    cr_assert_eq(spipe_resize(a.ctx, handle, CHUNK, &last), 0);
    cr_assert_eq(lun(s).free_chunks, 1, "two are dirty");
    cr_assert_eq(spipe_resize(a.ctx, handle, 0, &last), 0);
    cr_assert_eq(spipe_release(a.ctx, handle), 0);
    cr_assert_eq(lun(s).mode, SPIPE_LUN_VIRTUAL);
    cr_assert_eq(lun(s).users, 0);
    PROVES(VL_27);
    PROVES(VL_13);
    stack_sleep_s(s, 20);
    cr_assert_eq(lun(s).mode, SPIPE_LUN_NONE);
    spipe_client_destroy(a.client);
}

Test(wipe, a_dirty_chunk_is_not_free) { run(not_free_before); }

/* SP-169, VLW-4: who allocates does not wait for a wipe. */
static void others_allocate(struct stack *s, void *arg)
{
    struct stack_client a, b;
    uint32_t handle;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    stack_client(s, &b, 0, 8, false);
    handle = open_wiped(&a, 3);
    stack_put(&a, handle, 0, 7);
    cr_assert_eq(spipe_release(a.ctx, handle), 0);
    while (stack_on_medium(media, 0)) /* until the wipe has begun */
        stack_sleep(s, 10000);
    cr_assert_eq(lun(s).free_chunks, 1);
    (void)stack_open(&b, 0, 1);
    cr_assert_eq(lun(s).free_chunks, 0, "the first chunk is still being wiped");
    PROVES(SP_169);
    stack_sleep_s(s, 20);
    cr_assert_eq(lun(s).free_chunks, 3);
    spipe_client_destroy(a.client);
    spipe_client_destroy(b.client);
}

Test(wipe, others_allocate_meanwhile) { run(others_allocate); }

/* vlun.md 15.1: rather than ENOSPC, or EINVAL for the other mode, a request wipes what is dirty. */
static void on_demand(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t handle, next;
    uint64_t last;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = open_wiped(&a, CHUNKS);
    stack_put(&a, handle, 3 * CHUNK + 5, 9);
    cr_assert_eq(spipe_release(a.ctx, handle), 0);
    next = stack_open(&a, 0, 1);
    cr_assert_eq(spipe_resize(a.ctx, next, CHUNKS * CHUNK, &last), 0);
    cr_assert_eq(last, (uint64_t)CHUNKS * CHUNK - 1);
    cr_assert_eq(stack_get(&a, next, 3 * CHUNK + 5), 0);
    cr_assert_eq(spipe_release(a.ctx, next), 0);
    handle = open_wiped(&a, 1);
    cr_assert_eq(spipe_release(a.ctx, handle), 0);
    cr_assert_eq(spipe_open_direct(a.ctx, 0, 0, &handle, &last), 0, "R-32");
    cr_assert_eq(stack_get(&a, handle, 3 * CHUNK + 5), 0);
    spipe_client_destroy(a.client);
}

Test(wipe, requests_wipe_what_they_need) { run(on_demand); }

struct opener {
    struct stack_client client;
    uint64_t last;
    uint32_t handle;
    int rc;
};

static void open_one(void *arg)
{
    struct opener *o = arg;

    o->rc = spipe_open_virtual(o->client.ctx, 0, CHUNK, &o->handle, &o->last);
}

static void wait_for_free(struct stack *s, uint64_t chunks)
{
    while (lun(s).free_chunks < chunks)
        stack_sleep(s, 10000);
}

/* vlun.md 15.1: what was wiped is there, however much waits for its wipe when that is over. A
 * request finds one dirty chunk, which the worker is at; others become dirty, one during the wipe
 * of each. */
static void given_up_meanwhile(struct stack *s, void *arg)
{
    struct stack_client a, b;
    struct opener c = {.rc = 1};
    struct exec_thread *thread;
    uint32_t first, rest;
    uint64_t last;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    stack_client(s, &b, 0, 8, false);
    stack_client(s, &c.client, 0, 8, false);
    first = open_wiped(&a, 1);
    rest = open_wiped(&b, 3);
    cr_assert_eq(spipe_release(a.ctx, first), 0);
    cr_assert_eq(exec_thread_create(s->exec, "opener", open_one, &c, &thread), 0);
    stack_sleep(s, 10000);
    cr_assert_eq(spipe_resize(b.ctx, rest, 2 * CHUNK, &last), 0);
    wait_for_free(s, 1);
    stack_sleep(s, 10000);
    cr_assert_eq(spipe_resize(b.ctx, rest, 1 * CHUNK, &last), 0);
    exec_thread_join(s->exec, thread);
    cr_assert_eq(c.rc, 0, "%d", c.rc);
    spipe_client_destroy(a.client);
    spipe_client_destroy(b.client);
    spipe_client_destroy(c.client.client);
}

Test(wipe, what_was_wiped_counts_whatever_is_dirty_since) { run(given_up_meanwhile); }

/* VL-62, VL-63: a chunk that a clone still has is not wiped; whoever loses it last does. */
static void clones(struct stack *s, void *arg)
{
    struct stack_client a, child;
    uint32_t handle;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = open_wiped(&a, 1);
    stack_put(&a, handle, 77, 5);
    cr_assert_eq(spipe_client_fork(a.client, "child", &child.client), 0);
    cr_assert_eq(spipe_attach(child.client, 0, NULL, &child.ctx), 0);
    cr_assert_eq(spipe_clone(child.ctx, a.ctx), 0);
    cr_assert_eq(spipe_release(a.ctx, handle), 0);
    stack_sleep_s(s, 10);
    cr_assert_eq(stack_get(&child, handle, 77), 5);
    PROVES(VL_62);
    cr_assert_eq(spipe_release(child.ctx, handle), 0);
    stack_sleep_s(s, 10);
    cr_assert_eq(stack_on_medium(media, 77), 0);
    cr_assert_eq(lun(s).mode, SPIPE_LUN_NONE);
    PROVES(VL_63);
    PROVES(SP_115);
    spipe_client_destroy(child.client);
    spipe_client_destroy(a.client);
}

Test(wipe, clones_keep_and_inherit) { run(clones); }

/* VL-63: what a clone takes later is wiped as well. */
static void clone_grows(struct stack *s, void *arg)
{
    struct stack_client a, child;
    uint32_t handle;
    uint64_t last;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = open_wiped(&a, 1); /* chunk 0 */
    cr_assert_eq(spipe_client_fork(a.client, "child", &child.client), 0);
    cr_assert_eq(spipe_attach(child.client, 0, NULL, &child.ctx), 0);
    cr_assert_eq(spipe_clone(child.ctx, a.ctx), 0);
    cr_assert_eq(spipe_resize(child.ctx, handle, 2 * CHUNK, &last), 0); /* chunk 1 */
    stack_put(&child, handle, CHUNK + 3, 6);
    cr_assert_eq(stack_on_medium(media, CHUNK + 3), 6);
    cr_assert_eq(spipe_resize(child.ctx, handle, CHUNK, &last), 0);
    stack_sleep_s(s, 10);
    cr_assert_eq(stack_on_medium(media, CHUNK + 3), 0);
    PROVES(VL_63);
    PROVES(SP_115);
    spipe_client_destroy(child.client);
    spipe_client_destroy(a.client);
}

Test(wipe, what_a_clone_takes_later) { run(clone_grows); }

/* VL-65: an adapter may be opened so that nobody's data are left to others. */
static void unasked(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t handle;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = stack_open(&a, 0, 1);
    stack_put(&a, handle, 9, 8);
    cr_assert_eq(stack_on_medium(media, 9), 8);
    cr_assert_eq(spipe_release(a.ctx, handle), 0);
    stack_sleep_s(s, 10);
    cr_assert_eq(stack_on_medium(media, 9), 0);
    PROVES(VL_65);
    spipe_client_destroy(a.client);
}

Test(wipe, always)
{
    media = stack_media(CHUNKS);
    stack_run(&(struct stack_setup){.seed = 1, .media = media, .wipe_always = true}, unasked, NULL);
    sim_media_close(media);
}

/* VL-61: what cannot be wiped stays dirty, and is tried again, less and less often: the
 * twenty tries take a quarter of an hour. */
static void failing(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t handle;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = open_wiped(&a, 1);
    stack_put(&a, handle, 65000, 5);
    stack_plan(s, "media#3x20=x(33833984)"); /* check condition, hardware error */
    cr_assert_eq(spipe_release(a.ctx, handle), 0);
    stack_sleep_s(s, 60);
    cr_assert_eq(stack_on_medium(media, 65000), 5);
    stack_sleep_s(s, 900);
    cr_assert_eq(stack_on_medium(media, 65000), 0);
    cr_assert_eq(lun(s).mode, SPIPE_LUN_NONE);
    PROVES(VL_61);
    spipe_client_destroy(a.client);
}

/* VL-66: a reset in the middle of a wipe; the wipe goes on afterwards. */
static void reset_meanwhile(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t handle;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = open_wiped(&a, 2);
    stack_put(&a, handle, 0, 5);
    stack_put(&a, handle, 65535, 5);
    stack_put(&a, handle, 70000, 5);
    cr_assert_eq(spipe_release(a.ctx, handle), 0);
    while (stack_on_medium(media, 0)) /* until the wipe has begun */
        stack_sleep(s, 10000);
    cr_assert_eq(stack_on_medium(media, 65535), 5, "and is not at an end");
    cr_assert_eq(spipe_reset(s->adapter), 0);
    stack_sleep_s(s, 20);
    cr_assert_eq(stack_on_medium(media, 65535), 0);
    cr_assert_eq(stack_on_medium(media, 70000), 0);
    cr_assert_eq(lun(s).mode, SPIPE_LUN_NONE);
    PROVES(VL_59);
    PROVES(VL_66);
    spipe_client_destroy(a.client);
}

Test(wipe, a_reset_does_not_stop_it) { run(reset_meanwhile); }

/* The process ends before the worker has begun. */
static void left_behind(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t handle;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = open_wiped(&a, 2);
    stack_put(&a, handle, CHUNK + 65535, 5);
    spipe_client_destroy(a.client);
}

/* Before it is wiped nobody gets it. */
static void found_again(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t handle;
    uint64_t last;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    handle = stack_open(&a, 0, 1);
    cr_assert_eq(spipe_resize(a.ctx, handle, CHUNKS * CHUNK, &last), 0);
    for (uint64_t c = 0; c < last / CHUNK; c++)
        cr_assert_eq(stack_get(&a, handle, c * CHUNK + 65535), 0);
    stack_sleep_s(s, 20);
    cr_assert_eq(spipe_resize(a.ctx, handle, CHUNKS * CHUNK, &last), 0);
    cr_assert_eq(last, (uint64_t)CHUNKS * CHUNK - 1);
    for (uint64_t c = 0; c < CHUNKS; c++)
        cr_assert_eq(stack_get(&a, handle, c * CHUNK + 65535), 0);
    spipe_client_destroy(a.client);
}

Test(wipe, goes_on_after_a_restart)
{
    struct stack_setup setup = {.seed = 1, .media = media = stack_media(CHUNKS), .unchecked = true};

    stack_run(&setup, left_behind, NULL); /* unchecked: INV-26 wants nothing dirty at the end */
    cr_assert_eq(stack_on_medium(media, CHUNK + 65535), 5);
    setup.unchecked = false;
    stack_run(&setup, found_again, NULL);
    sim_media_close(media);
}

/* Somebody who may not wipe: neither by himself nor by asking for the space. */
static void left_alone(struct stack *s, void *arg)
{
    struct stack_client a;
    uint64_t last;
    uint32_t handle;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    cr_assert_eq(spipe_open_virtual(a.ctx, 0, CHUNKS * (uint64_t)CHUNK, &handle, &last), 0);
    cr_assert_eq(last, 2 * CHUNK - 1, "the two others");
    stack_sleep_s(s, 20);
    cr_assert_eq(spipe_resize(a.ctx, handle, CHUNKS * (uint64_t)CHUNK, &last), -ENOSPC);
    cr_assert_eq(stack_on_medium(media, CHUNK + 65535), 5);
    spipe_client_destroy(a.client);
}

Test(wipe, may_be_left_to_others)
{
    struct stack_setup setup = {.seed = 1, .media = media = stack_media(CHUNKS), .unchecked = true};

    stack_run(&setup, left_behind, NULL);
    setup.wipe_nothing = true;
    stack_run(&setup, left_alone, NULL);
    cr_assert_eq(stack_on_medium(media, CHUNK + 65535), 5);
    setup.wipe_nothing = setup.unchecked = false;
    stack_run(&setup, found_again, NULL);
    sim_media_close(media);
}

static void with_unmap(struct sim_params *p)
{
    p->unmap_capability = 1;
    p->lbprz = 0;
}

/* a device that unmaps without promising zeros is written to. */
Test(wipe, unmap_without_zeros_is_not_used) { run_with(right_blocks, with_unmap); }

/* SP-63: the binary flag. */
static void binary(struct stack *s, void *arg)
{
    struct dk_cxlflash_attach at = {.hdr.flags = 2, .num_interrupts = 4};
    struct dk_cxlflash_uvirtual u = {.hdr.flags = DK_CXLFLASH_UVIRTUAL_NEED_WRITE_SAME,
                                     .lun_size = CHUNK};
    struct spipe_client *client;
    struct stack_client other;
    uint8_t page[STACK_BLOCK];
    uint32_t handle;

    (void)arg;
    cr_assert_eq(spipe_client_create(s->adapter, "binary", &client), 0);
    cr_assert_eq(spipe_ioctl(client, 0, DK_CXLFLASH_ATTACH, &at), 0);
    u.context_id = at.context_id;
    cr_assert_eq(spipe_ioctl(client, 0, DK_CXLFLASH_USER_VIRTUAL, &u), 0);
    cr_assert_eq(sim_media_write_same(media, 0, 100, 1, memset(page, 3, sizeof page)), 0);
    spipe_client_destroy(client);
    stack_sleep_s(s, 10);
    cr_assert_eq(stack_on_medium(media, 100), 0);
    PROVES(SP_63);
    stack_client(s, &other, 0, 8, false);
    handle = stack_open(&other, 0, 1);
    cr_assert_eq(stack_get(&other, handle, 100), 0);
    spipe_client_destroy(other.client);
}

Test(wipe, need_write_same) { run(binary); }

Test(wipe, errors_leave_it_dirty) { run(failing); }
