/* SPDX-License-Identifier: Apache-2.0 */
/* The picture that core draws of itself, against states that are known. */
#include "core/adapter/picture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/catalogue/names.h"
#include "tests/testlib/core_rig.h"

TestSuite(picture, .timeout = 60);

static uint64_t memory[8192];

static const struct hal_picture *draw(void)
{
    struct hal_picture_room room = {.block = memory, .size = sizeof memory};
    const struct hal_picture *p;

    cr_assert_eq(spipe_picture(&rig.s, &room, &p), 0);
    cr_assert_eq(p, room.block);
    cr_assert_leq(p->bytes, sizeof memory);
    return p;
}

static void expect_run(const struct hal_picture *p, uint32_t i, uint64_t first, uint64_t count,
                       uint64_t references)
{
    const struct hal_picture_run *r = hal_picture_run(p, i);

    cr_assert_lt(i, p->n.runs);
    cr_assert_eq(r->first, first);
    cr_assert_eq(r->count, count);
    cr_assert_eq(r->references, references);
}

static void expect_chunks(const struct hal_picture *p, struct hal_picture_span span,
                          const uint64_t *chunks, uint32_t n)
{
    cr_assert_eq(span.count, n);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(*hal_picture_chunk(p, span.first + i), chunks[i]);
}

#define EXPECT_CHUNKS(p, span, ...)                                                                \
    expect_chunks(p, span, (const uint64_t[]){__VA_ARGS__},                                        \
                  sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static uint32_t open_name(struct spipe_ctx *ctx, const char *name)
{
    uint32_t handle = 0;
    uint64_t last;

    cr_assert_eq(spipe_name_open(ctx, name, &handle, &last), 0);
    return handle;
}

Test(picture, nothing_is_open)
{
    const struct hal_picture *p;
    const struct hal_picture_context *c;

    rig_begin(HAL_ORDER_LITTLE, 16);
    p = draw();
    cr_assert_eq(p->generation, RIG_GENERATION);
    cr_assert_eq(p->clients, 1);
    cr_assert_eq(p->ports, 2);
    cr_assert(p->up);
    cr_assert_eq(p->master, RIG_MASTER);
    cr_assert_eq(p->promote_lun_index, 0);
    cr_assert_eq(p->last_lun_index[1], 255);
    cr_assert_eq(p->n.luns, 2);
    cr_assert_eq(p->n.contexts, 1);
    cr_assert_eq(p->n.handles + p->n.runs + p->n.held + p->n.names + p->n.chunks, 0);
    c = hal_picture_context(p, 0);
    cr_assert_eq(c->number, RIG_FIRST);
    cr_assert_eq(c->slot, RIG_FIRST);
    cr_assert_eq(c->permissions, AFU_PERM_RW);
    cr_assert_eq(c->rht, (uintptr_t)rig.ctx->rht.entries);
    cr_assert_eq(c->rht_bytes, 4096);
    cr_assert(c->control && !c->errored);
    cr_assert_eq(c->cookie, RIG_FIRST);
    cr_assert_eq(hal_picture_lun(p, 0)->attached, 1);
    cr_assert_eq(hal_picture_lun(p, 1)->attached, 0);
    cr_assert_eq(c->lun_count, 1);
    cr_assert_eq(c->attached.count, 1);
    cr_assert_eq(*hal_picture_attached(p, c->attached.first), 0);
    rig_end();
}

static void a_virtual_lun(enum hal_order order)
{
    const struct hal_picture_handle *h;
    const struct hal_picture_lun *l;
    const struct hal_picture *p;

    rig_begin(order, 16);
    rig_open(rig.ctx, 2);
    rig_open(rig.ctx, 3);
    cr_assert_eq(rig_resize(rig.ctx, 0, 3), 0);
    p = draw();
    l = hal_picture_lun(p, 0);
    cr_assert_eq(l->mode, HAL_PICTURE_VIRTUAL);
    cr_assert(l->allocator && l->in_table);
    cr_assert_eq(l->slot, 0);
    cr_assert_eq(p->promote_lun_index, 1);
    cr_assert_eq(l->ports, 3);
    cr_assert_eq(l->users, 2);
    cr_assert_eq(l->blocks, 16 * 65536 + 100);
    cr_assert_eq(l->total, 16);
    cr_assert_eq(l->free_count, 10);
    cr_assert_eq(l->free_beyond, 0);
    cr_assert_eq(l->runs.count, 1);
    expect_run(p, l->runs.first, 0, 6, 1);
    cr_assert_eq(p->n.handles, 2);
    h = hal_picture_handle(p, 0);
    cr_assert_eq(h->number, 0);
    cr_assert_eq(h->kind, HAL_PICTURE_VIRTUAL);
    cr_assert_eq(h->permissions, AFU_PERM_RW);
    cr_assert_eq(h->lxt, rig_entry(rig.ctx, 0).lxt_start);
    cr_assert_eq(h->capacity, 8);
    EXPECT_CHUNKS(p, h->chunks, 0, 1, 5);
    EXPECT_CHUNKS(p, hal_picture_handle(p, 1)->chunks, 2, 3, 4);
    cr_assert_neq(h->lineage, hal_picture_handle(p, 1)->lineage);
    cr_assert_eq(hal_picture_context(p, 0)->taken, 2);
    rig_end();
}

Test(picture, a_virtual_lun_in_both_orders)
{
    a_virtual_lun(HAL_ORDER_LITTLE);
    a_virtual_lun(HAL_ORDER_BIG);
}

Test(picture, a_direct_handle)
{
    const struct hal_picture_handle *h;
    const struct hal_picture *p;
    uint32_t handle;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(spipe_open_direct(rig.ctx, 0, 1, &handle, &last), 0);
    p = draw();
    h = hal_picture_handle(p, 0);
    cr_assert_eq(h->kind, HAL_PICTURE_DIRECT);
    cr_assert_eq(h->port, 1);
    cr_assert_eq(h->chunks.count, 0);
    cr_assert_eq(hal_picture_lun(p, 0)->mode, HAL_PICTURE_DIRECT);
    cr_assert(!hal_picture_lun(p, 0)->allocator);
    rig_end();
}

Test(picture, what_is_quarantined)
{
    const struct hal_picture_held *h;
    const struct hal_picture *p;
    uint64_t array;

    rig_begin(HAL_ORDER_LITTLE, 16);
    rig_open(rig.ctx, 9);
    array = rig_entry(rig.ctx, 0).lxt_start;
    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, 0, 7), -EAGAIN);
    p = draw();
    cr_assert_eq(p->n.held, 1);
    h = hal_picture_held(p, 0);
    cr_assert_eq(h->context, RIG_FIRST);
    cr_assert_eq(h->handle, 0);
    cr_assert_eq(h->lun, 0);
    cr_assert_eq(h->generation, RIG_GENERATION);
    EXPECT_CHUNKS(p, h->chunks, 7, 8);
    cr_assert_eq(h->arrays.count, 1);
    cr_assert_eq(hal_picture_array(p, h->arrays.first)->start, array);
    cr_assert_eq(hal_picture_array(p, h->arrays.first)->capacity, 16);
    cr_assert_eq(hal_picture_lun(p, 0)->holds, 1);
    cr_assert_eq(hal_picture_lun(p, 0)->free_count, 7);
    expect_run(p, 0, 0, 9, 1);
    rig_end();
}

Test(picture, names_and_who_derives_from_whom)
{
    struct spipe_ctx *other;
    const struct hal_picture *p;

    rig_begin(HAL_ORDER_LITTLE, 16);
    rig_open(rig.ctx, 3);
    rig_open(rig.ctx, 1);
    cr_assert_eq(spipe_name_set(rig.ctx, 0, "disk", 0), 0);
    other = rig_attach(0);
    open_name(other, "disk");
    p = draw();
    cr_assert_eq(p->n.names, 1);
    EXPECT_CHUNKS(p, hal_picture_name(p, 0)->chunks, 0, 1, 2);
    cr_assert_eq(hal_picture_name(p, 0)->lun, 0);
    cr_assert_eq(p->n.runs, 2);
    expect_run(p, 0, 0, 3, 3);
    expect_run(p, 1, 3, 1, 1);
    cr_assert_eq(p->n.handles, 3);
    cr_assert_eq(hal_picture_handle(p, 2)->context, 1);
    cr_assert_eq(hal_picture_handle(p, 2)->lineage, hal_picture_handle(p, 0)->lineage);
    cr_assert_neq(hal_picture_handle(p, 2)->lineage, hal_picture_handle(p, 1)->lineage);
    rig_end();
}

/* The same name again, when those that had its chunks are gone. */
Test(picture, a_lineage_ends_with_its_handles)
{
    uint64_t before;

    rig_begin(HAL_ORDER_LITTLE, 16);
    rig_open(rig.ctx, 3);
    cr_assert_eq(spipe_name_set(rig.ctx, 0, "disk", 0), 0);
    before = hal_picture_handle(draw(), 0)->lineage;
    cr_assert_eq(spipe_release(rig.ctx, 0), 0);
    cr_assert_eq(open_name(rig.ctx, "disk"), 0);
    cr_assert_neq(hal_picture_handle(draw(), 0)->lineage, before);
    rig_end();
}

Test(picture, an_errored_context)
{
    rig_begin(HAL_ORDER_LITTLE, 4);
    rig.ctx->errored = true;
    cr_assert(hal_picture_context(draw(), 0)->errored);
    cr_assert(hal_picture_context(draw(), 0)->control, "it should have lost it, and has not");
    rig.ctx->hal->lost = true;
    cr_assert_not(hal_picture_context(draw(), 0)->control);
    rig.ctx->errored = false;
    cr_assert_not(hal_picture_context(draw(), 0)->control, "it is not the word of the context");
    rig.ctx->hal->lost = false;
    rig_end();
}

/* INV-20: one that has ended and is still in the table is shown; one that is in none is not. */
Test(picture, an_ended_context)
{
    const struct hal_picture_context *c;

    rig_begin(HAL_ORDER_LITTLE, 4);
    rig.ctx->ended = true;
    c = hal_picture_context(draw(), 0);
    cr_assert_eq(c->slot, RIG_FIRST);
    cr_assert_not(c->control);
    rig.s.contexts[RIG_FIRST] = NULL;
    cr_assert_eq(draw()->n.contexts, 0);
    rig.s.contexts[RIG_FIRST] = rig.ctx;
    rig.ctx->ended = false;
    rig_end();
}

/* In the middle of a request core's locks are held already. */
Test(picture, inside_a_request)
{
    struct hal_picture_room room = {.block = memory, .size = sizeof memory};
    const struct hal_picture *p;

    rig_begin(HAL_ORDER_LITTLE, 4);
    spipe__books_lock(&rig.s);
    cr_assert_eq(spipe_picture_inside(&rig.s, NULL, &room, &p), 0);
    spipe__books_unlock(&rig.s);
    cr_assert_eq(p->n.contexts, 1);
    rig_end();
}

/* Contexts by number; of LUNs everything. */
Test(picture, a_part)
{
    struct hal_picture_room room = {.block = memory, .size = sizeof memory};
    uint64_t only[AFU_CONTEXTS / 64] = {0};
    const struct hal_picture *p;

    rig_begin(HAL_ORDER_LITTLE, 4);
    rig_open(rig.ctx, 2);
    cr_assert_eq(spipe_picture_inside(&rig.s, only, &room, &p), 0);
    cr_assert(p->part);
    cr_assert(p->n.contexts == 0 && p->n.handles == 0 && p->n.runs == 1);
    only[rig.ctx->number / 64] = UINT64_C(1) << rig.ctx->number % 64;
    cr_assert_eq(spipe_picture_inside(&rig.s, only, &room, &p), 0);
    cr_assert(p->n.contexts == 1 && p->n.handles == 1);
    cr_assert_eq(spipe_picture_inside(&rig.s, NULL, &room, &p), 0);
    cr_assert_not(p->part);
    rig_end();
}

static bool grow(struct hal_picture_room *room, size_t size)
{
    static unsigned calls;

    cr_assert_eq(calls++, 0, "it is asked once");
    cr_assert_leq(size, sizeof memory);
    room->block = memory;
    room->size = size;
    return true;
}

Test(picture, room_grows_or_there_is_none)
{
    struct hal_picture_room none = {0}, growing = {.grow = grow};
    const struct hal_picture *p = NULL;

    rig_begin(HAL_ORDER_LITTLE, 16);
    cr_assert_eq(spipe_picture(&rig.s, &none, &p), -ENOMEM);
    cr_assert_null(p);
    cr_assert_eq(spipe_picture(&rig.s, &growing, &p), 0);
    cr_assert_eq(p->bytes, growing.size);
    rig_end();
}

/* What nobody uses takes no room, and neither do neighbours. */
Test(picture, a_large_lun_is_a_small_picture)
{
    const struct hal_picture *p;

    rig_begin(HAL_ORDER_LITTLE, 4096);
    rig_open(rig.ctx, 200);
    p = draw();
    cr_assert_eq(p->n.runs, 1);
    expect_run(p, 0, 0, 200, 1);
    cr_assert_eq(hal_picture_lun(p, 0)->free_count, 4096 - 200);
    cr_assert_leq(p->bytes, 200 * 8 + 1024);
    rig_end();
}
