/* SPDX-License-Identifier: Apache-2.0 */
/* VLUN_CLONE: who may, what the child gets, in which order the AFU sees it, and that a failure
 * leaves the child as it was. */
#include "core/vlun/clone.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "core/lun/lun_mode.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(clone, .timeout = 60);

static struct spipe_client *child;
static struct spipe_ctx *ctx; /* of the child, on LUN 0 */

static struct spipe_ctx *attach(struct spipe_client *c, unsigned lun,
                                const struct spipe_attach_options *options)
{
    struct spipe_ctx *made = NULL;

    cr_assert_eq(spipe_attach(c, lun, options, &made), 0);
    return made;
}

static void begin(enum hal_order order, uint64_t chunks)
{
    rig_begin(order, chunks);
    cr_assert_eq(spipe_client_fork(rig.client, "child", &child), 0);
    ctx = attach(child, 0, NULL);
}

static void end(void)
{
    spipe_client_destroy(child);
    rig_check_books();
    rig_end();
}

static uint32_t open_on(struct spipe_ctx *c, unsigned lun, uint64_t chunks)
{
    uint64_t last, blocks = chunks * SPIPE_CHUNK_BLOCKS;
    uint32_t h = UINT32_MAX;

    cr_assert_eq(spipe_open_virtual(c, lun, lun ? blocks / 8 : blocks, &h, &last), 0);
    return h;
}

/* SP-111, VL-43, C1..C6: same numbers, same chunks, entries before pointer before count. */
static void same_handles(enum hal_order order)
{
    begin(order, 64);
    cr_assert_eq(rig_open(rig.ctx, 2), 0);
    cr_assert_eq(rig_open(rig.ctx, 9), 1);
    cr_assert_eq(rig_open(rig.ctx, 0), 2);
    cr_assert_eq(spipe_release(rig.ctx, 0), 0);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    rig_expect("rht2[1].count=0\npublish\npublish\n+ lxt3:16\n"
               "lxt3[0]=2\nlxt3[1]=3\nlxt3[2]=4\nlxt3[3]=5\nlxt3[4]=6\nlxt3[5]=7\n"
               "lxt3[6]=8\nlxt3[7]=9\nlxt3[8]=10\n"
               "publish\nrht2[1].start=lxt3\npublish\nrht2[1].count=9\npublish\nsync LW 5.1\n"
               "rht2[2].count=0\npublish\nsync LW 5.2\n");
    cr_assert_null(spipe__ctx_resource(ctx, 0));
    for (uint32_t i = 0; i < 9; i++) {
        cr_assert_eq(rig_chunk(ctx, 1, i), rig_chunk(rig.ctx, 1, i));
        cr_assert_eq(rig_references(rig_chunk(ctx, 1, i)), 2);
    }
    PROVES(SP_111);
    PROVES(VL_43);
    cr_assert_eq(rig.s.lun[0].global->users, 4); /* SP-1 */
    rig_check_books();
    end();
}

Test(clone, same_handles)
{
    same_handles(HAL_ORDER_LITTLE);
    same_handles(HAL_ORDER_BIG);
}

/* SP-116, VL-48: afterwards each goes its own way, and the last owner frees. */
Test(clone, sizes_are_independent)
{
    begin(HAL_ORDER_LITTLE, 20);
    rig_open(rig.ctx, 8);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    cr_assert_eq(rig_resize(rig.ctx, 0, 3), 0);
    cr_assert_eq(rig_vlun(ctx, 0)->size, 8);
    cr_assert_eq(rig_free(), 12);
    cr_assert_eq(rig_references(7), 1);
    PROVES(SP_116);
    cr_assert_eq(rig_resize(ctx, 0, 9), 0);
    cr_assert_eq(rig_vlun(rig.ctx, 0)->size, 3);
    cr_assert_eq(spipe_release(rig.ctx, 0), 0);
    cr_assert_eq(rig_free(), 11);
    cr_assert_eq(spipe_release(ctx, 0), 0);
    PROVES(VL_48);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE);
    end();
}

/* INV-10: permissions can only shrink. */
Test(clone, permissions_of_both)
{
    struct spipe_attach_options reads = {.size = sizeof reads, .no_write = true};
    struct spipe_ctx *reader;

    begin(HAL_ORDER_LITTLE, 4);
    reader = attach(child, 0, &reads);
    rig_open(rig.ctx, 1);
    cr_assert_eq(spipe_clone(reader, rig.ctx), 0);
    cr_assert_eq(rig_entry(reader, 0).permissions, AFU_PERM_READ);
    cr_assert_eq(rig_entry(rig.ctx, 0).permissions, AFU_PERM_RW);
    PROVES(SP_111);
    end();
}

/* SP-106, SP-107, SP-109. */
Test(clone, who_may)
{
    struct spipe_ctx *second, *stranger_ctx, *grandchild_ctx;
    struct spipe_client *stranger, *grandchild;

    begin(HAL_ORDER_LITTLE, 8);
    rig_open(rig.ctx, 1);
    second = rig_attach(0);
    cr_assert_eq(spipe_client_create(&rig.s, "stranger", &stranger), 0);
    cr_assert_eq(spipe_client_fork(child, "grandchild", &grandchild), 0);
    stranger_ctx = attach(stranger, 0, NULL);
    grandchild_ctx = attach(grandchild, 0, NULL);
    cr_assert_eq(spipe_clone(ctx, ctx), -EINVAL);
    cr_assert_eq(spipe_clone(rig.ctx, ctx), -EINVAL);
    cr_assert_eq(spipe_clone(second, rig.ctx), -EINVAL); /* of the same client */
    cr_assert_eq(spipe_clone(stranger_ctx, rig.ctx), -EINVAL);
    cr_assert_eq(spipe_clone(grandchild_ctx, rig.ctx), -EINVAL);
    PROVES(SP_107);
    PROVES(R_48);
    rig.ctx->errored = true;
    cr_assert_eq(spipe_clone(ctx, rig.ctx), -EINVAL);
    rig.ctx->errored = false;
    ctx->errored = true;
    cr_assert_eq(spipe_clone(ctx, rig.ctx), -EINVAL);
    ctx->errored = false;
    rig_open(ctx, 0);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), -EINVAL);
    PROVES(SP_109);
    cr_assert_eq(spipe_release(ctx, 0), 0);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    cr_assert_eq(spipe_clone(grandchild_ctx, ctx), 0);
    cr_assert_eq(rig_references(0), 3);
    spipe_client_destroy(stranger);
    spipe_client_destroy(child); /* the grandchild lives on */
    child = grandchild;
    end();
}

/* The only order of two contexts' locks is from a parent to its child: the other way round is
 * refused without the second lock, or two clients that clone in both directions would wait for
 * ever. */
Test(clone, the_wrong_way_round_waits_for_nobody)
{
    begin(HAL_ORDER_LITTLE, 8);
    rig.s.exec->ops->mutex_lock(rig.s.exec, &rig.ctx->lock); /* a clone from rig.ctx is under way */
    cr_assert_eq(spipe_clone(rig.ctx, ctx), -EINVAL);
    rig.s.exec->ops->mutex_unlock(rig.s.exec, &rig.ctx->lock);
    end();
}

/* A parent that is gone can be nobody's source, whoever comes after it (SP-178). */
Test(clone, orphans)
{
    struct spipe_client *parent, *orphan;
    struct spipe_ctx *orphan_ctx;

    begin(HAL_ORDER_LITTLE, 8);
    cr_assert_eq(spipe_client_create(&rig.s, "parent", &parent), 0);
    cr_assert_eq(spipe_client_fork(parent, "orphan", &orphan), 0);
    orphan_ctx = attach(orphan, 0, NULL);
    spipe_client_destroy(parent);
    cr_assert_null(orphan->parent);
    cr_assert_eq(spipe_clone(orphan_ctx, rig.ctx), -EINVAL);
    spipe_client_destroy(orphan);
    end();
}

/* SP-110, SP-114: LUNs are merged, each handle counts on its own LUN, direct ones too. */
Test(clone, handles_on_several_luns)
{
    begin(HAL_ORDER_LITTLE, 16);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    rig_open(rig.ctx, 2);
    open_on(rig.ctx, 1, 3);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    cr_assert(spipe__ctx_has_lun(ctx, 1));
    cr_assert_eq(ctx->lun_count, 2);
    cr_assert_eq(rig.s.lun[0].global->users, 2);
    cr_assert_eq(rig.s.lun[1].global->users, 2);
    cr_assert_eq(spipe__ba_references(rig.s.lun[1].global->ba, 2), 2);
    rig_check_books();
    PROVES(SP_110);
    PROVES(SP_114);
    cr_assert_eq(spipe_detach(ctx, 0), 0); /* SP-113: the context lives on with LUN 1 */
    cr_assert_eq(rig.s.contexts[ctx->number], ctx);
    PROVES(SP_113);
    end();
}

Test(clone, direct_handles)
{
    uint64_t last;
    uint32_t h;

    begin(HAL_ORDER_LITTLE, 16);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    cr_assert_eq(spipe_open_direct(rig.ctx, 1, 1, &h, &last), 0);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    rig_expect("rht2[0].direct=invalid ports 0 permissions 0\npublish\n"
               "rht2[0].lun=1000000000000\npublish\n"
               "rht2[0].direct=valid ports 2 permissions 3\npublish\nsync LW 5.0\n");
    PROVES(SP_114);
    rig_check_books();
    end();
}

/* SP-112: EAGAIN, where USER_DIRECT says what the AFU said (SP-56). */
Test(clone, a_direct_handle_with_a_failing_sync)
{
    uint64_t last;
    uint32_t h;

    begin(HAL_ORDER_LITTLE, 16);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    cr_assert_eq(spipe_open_direct(rig.ctx, 1, 1, &h, &last), 0);
    rig_fail_syncs(1);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), -EAGAIN);
    cr_assert_null(spipe__ctx_resource(ctx, h));
    cr_assert_not(spipe__ctx_has_lun(ctx, 1));
    cr_assert_eq(rig.s.lun[1].global->users, 1);
    PROVES(SP_112);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    end();
}

/* VL-46, VL-47: undone on all LUNs; what a failed sync leaves is quarantined. */
static void undone(unsigned good_syncs, int expected)
{
    static const enum rec_sync script[] = {REC_SYNC_OK, REC_SYNC_OK, REC_SYNC_ERROR};

    begin(HAL_ORDER_LITTLE, 32);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    rig_open(rig.ctx, 8);
    open_on(rig.ctx, 1, 3);
    rig_open(rig.ctx, 1);
    recording_hal_syncs(&rig.hal, &script[2 - good_syncs], good_syncs + 1);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), expected);
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        cr_assert_null(ctx->resource[i]);
    cr_assert_eq(ctx->lun_count, 1);
    cr_assert_not(spipe__ctx_has_lun(ctx, 1));
    cr_assert_eq(rig.s.lun[0].global->users, 2);
    cr_assert_eq(rig.s.lun[1].global->users, 1);
    cr_assert_eq(rig_references(0), 1);
    rig_check_books();
    PROVES(VL_46);
    PROVES(SP_112);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    end();
}

Test(clone, failing_syncs)
{
    for (unsigned good = 0; good < 3; good++)
        undone(good, -EAGAIN);
}

/* VL-47: the syncs of closing fail as well. */
Test(clone, quarantine_after_a_failure)
{
    begin(HAL_ORDER_LITTLE, 32);
    rig_open(rig.ctx, 8);
    rig_fail_syncs(2);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), -EAGAIN);
    cr_assert_eq(rig_references(0), 2); /* of the quarantine */
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    rig_check_books();
    PROVES(VL_47);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    end();
}

/* VL-45: 256 owners, not more. */
Test(clone, owners_of_a_chunk)
{
    begin(HAL_ORDER_LITTLE, 8);
    rig_open(rig.ctx, 2);
    for (unsigned i = 1; i < 256; i++)
        cr_assert_eq(spipe__ba_add_reference(rig.s.lun[0].global->ba, 1), 0);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), -EIO);
    cr_assert_eq(rig_references(0), 1); /* taken back */
    cr_assert_null(spipe__ctx_resource(ctx, 0));
    PROVES(VL_45);
    for (unsigned i = 1; i < 256; i++)
        cr_assert_eq(spipe__ba_free(rig.s.lun[0].global->ba, 1), 0);
    end();
}

/* Nothing to clone is success (SP-110). */
Test(clone, nothing)
{
    begin(HAL_ORDER_LITTLE, 8);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    cr_assert_eq(spipe_clone(ctx, rig.ctx), 0);
    cr_assert_eq(ctx->lun_count, 2);
    end();
}

Test(clone, without_memory)
{
    begin(HAL_ORDER_LITTLE, 16);
    rig_open(rig.ctx, 8);
    for (unsigned n = 0; n < 2; n++) {
        rig.exec.fail_after = n;
        cr_assert_eq(spipe_clone(ctx, rig.ctx), -ENOMEM);
        rig.exec.fail_after = FAKE_EXEC_NEVER;
        rig_check_books();
    }
    end();
}
