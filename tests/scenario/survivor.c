/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/survivor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/exec.h"

#define PAUSE UINT64_C(1000000) /* ns between two tries */

enum { TRIES = 4000, CHUNK = 65536 };

/* What a request, or an I/O, may say while the adapter is away (SP section 10). */
static bool is_excuse(int rc)
{
    switch (rc) {
    case -EIO:       /* lost, or the AFU could not be reached */
    case -EINVAL:    /* lost (SP-160) */
    case -ENODEV:    /* no context can be had now, or failed */
    case -EAGAIN:    /* no AFU sync, or registers did not stick */
    case -ETIMEDOUT: /* a command was not answered */
    case -ENETDOWN:  /* ports have just been brought up */
        return true;
    default:
        return false;
    }
}

static void recover(struct survivor *v)
{
    bool recovered = false;
    int rc = spipe_recover(v->ctx, &recovered);

    cr_assert(rc == 0 || is_excuse(rc), "recover: %d", rc);
    v->recoveries += recovered;
}

/* Whether to try a step again that ended with rc. */
static bool again(struct survivor *v, const char *step, int rc)
{
    if (rc == 0 || v->gave_up) {
        v->tries = 0;
        return false;
    }
    cr_assert(is_excuse(rc), "%s: %d", step, rc);
    cr_assert_lt(++v->tries, TRIES, "%s: always %d", step, rc);
    if (stack_state(v->s) == SPIPE_STATE_FAILED) {
        v->gave_up = true;
        return false;
    }
    cr_assert_eq(exec_sleep_until(v->s->exec, exec_now(v->s->exec) + PAUSE), 0);
    if (v->ctx)
        recover(v);
    return true;
}

static struct stack_client as_client(struct survivor *v)
{
    return (struct stack_client){v->client, v->ctx};
}

/* ---- steps ---- */

static void attach(struct survivor *v)
{
    struct spipe_attach_options options = {.size = sizeof options, .depth = 4};
    struct spipe_ctx *ctx = NULL;

    while (again(v, "attach", spipe_attach(v->client, 0, &options, &ctx)))
        ;
    v->ctx = ctx;
}

static uint32_t open_virtual(struct survivor *v, uint64_t chunks)
{
    uint32_t handle = 0;
    uint64_t last = 0;

    while (!v->gave_up &&
           again(v, "open", spipe_open_virtual(v->ctx, 0, chunks * CHUNK, &handle, &last)))
        ;
    cr_assert(v->gave_up || last == chunks * CHUNK - 1);
    return handle;
}

static void resize(struct survivor *v, uint32_t handle, uint64_t chunks)
{
    uint64_t last = 0;

    while (!v->gave_up && again(v, "resize", spipe_resize(v->ctx, handle, chunks * CHUNK, &last)))
        ;
    cr_assert(v->gave_up || last == chunks * CHUNK - 1);
}

static void verify(struct survivor *v, uint32_t handle, uint64_t chunks)
{
    uint64_t last = 0;

    while (!v->gave_up && again(v, "verify", spipe_verify(v->ctx, handle, NULL, &last)))
        ;
    cr_assert(v->gave_up || last == chunks * CHUNK - 1);
}

static void put(struct survivor *v, uint32_t handle, uint64_t lba, uint8_t value)
{
    struct stack_client c = as_client(v);

    memset(v->block, value, STACK_BLOCK);
    while (!v->gave_up && again(v, "write", stack_io(&c, SPIPE_WRITE, handle, lba, 1, v->block)))
        ;
}

static void expect(struct survivor *v, uint32_t handle, uint64_t lba, uint8_t value)
{
    struct stack_client c = as_client(v);

    memset(v->block, (uint8_t)~value, STACK_BLOCK);
    while (!v->gave_up && again(v, "read", stack_io(&c, SPIPE_READ, handle, lba, 1, v->block)))
        ;
    cr_assert(v->gave_up || (v->block[0] == value && v->block[STACK_BLOCK - 1] == value),
              "block %u is %u, not %u", (unsigned)lba, v->block[0], value);
}

/* Works on an adapter that has failed, too. */
static void release(struct survivor *v, uint32_t handle)
{
    int rc;

    do
        rc = spipe_release(v->ctx, handle);
    while (again(v, "release", rc));
    if (rc) /* it failed meanwhile */
        cr_assert_eq(spipe_release(v->ctx, handle), 0);
}

static void work(struct survivor *v, uint32_t first)
{
    uint32_t second;
    bool open;

    put(v, first, 3, v->base + 1);
    resize(v, first, 2);
    put(v, first, CHUNK + 7, v->base + 2);
    second = open_virtual(v, 1);
    open = !v->gave_up;
    put(v, second, 0, v->base + 3);
    expect(v, first, 3, v->base + 1);
    expect(v, first, CHUNK + 7, v->base + 2);
    verify(v, first, 2);
    expect(v, second, 0, v->base + 3);
    if (open)
        release(v, second);
    resize(v, first, 1);
    expect(v, first, 3, v->base + 1);
}

void survivor_live(void *arg)
{
    struct survivor *v = arg;
    uint32_t first;

    v->block = exec_alloc(v->s->exec, STACK_BLOCK, 128);
    cr_assert_not_null(v->block);
    cr_assert_eq(spipe_client_create(v->s->adapter, "survivor", &v->client), 0);
    attach(v);
    if (v->ctx) {
        first = open_virtual(v, 1);
        if (!v->gave_up) {
            work(v, first);
            release(v, first);
        }
        cr_assert_eq(spipe_detach(v->ctx, 0), 0);
    }
    spipe_client_destroy(v->client);
    exec_free(v->s->exec, v->block, STACK_BLOCK);
}

/* ---- afterwards ---- */

void survivor_expect_nothing_left(struct stack *s, uint64_t chunks)
{
    struct survivor late = {.s = s, .base = 200};
    struct spipe_lun_info lun;

    cr_assert_eq(spipe_lun_info(s->adapter, 0, &lun), 0);
    cr_assert_eq(lun.users, 0);
    if (stack_state(s) == SPIPE_STATE_FAILED) {
        cr_assert_eq(spipe_remove(s->adapter, 0), 0); /* whoever takes it down has done so */
        return;
    }
    survivor_live(&late);
    cr_assert_not(late.gave_up);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &lun), 0);
    cr_assert_eq(lun.users, 0);
    cr_assert_eq(lun.free_chunks, chunks);
    cr_assert_eq(lun.mode, SPIPE_LUN_NONE);
}
