/* SPDX-License-Identifier: Apache-2.0 */
/* Adapters that share LUNs: who is whose sibling, and what ends when. */
#include "core/adapter/group.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "core/adapter/adapter.h"
#include "core/lun/lun_mode.h"
#include "tests/testlib/fake_exec.h"
#include "tests/testlib/proves.h"

static const uint8_t disk[16] = {0x60, 1}, other_disk[16] = {0x60, 1, [15] = 1};

static struct fake_exec exec;
static struct spipe a, b, c; /* no more of them than a group needs */

static void join(struct spipe *s, struct spipe *peer)
{
    *s = (struct spipe){.exec = &exec.exec};
    cr_assert_eq(spipe__group_join(s, peer), 0);
}

static struct spipe__lun *add(struct spipe *s, const uint8_t *wwid)
{
    struct spipe__lun *lun = &s->lun[s->lun_count];

    cr_assert_eq(spipe__group_add_lun(s, lun, wwid), 0);
    s->lun_count++;
    return lun;
}

static void leave(struct spipe *s)
{
    spipe__lun_finish(s);
    spipe__group_leave(s);
}

static void set_up(void) { fake_exec_init(&exec, 1); }

static void tear_down(void) { cr_assert_eq(exec.blocks, 0, "something is left"); }

TestSuite(group, .init = set_up, .fini = tear_down);

Test(group, an_adapter_alone)
{
    struct spipe__lun *one, *two;

    join(&a, NULL);
    one = add(&a, disk);
    two = add(&a, other_disk);
    cr_assert_neq(one->global, two->global);
    cr_assert_eq(spipe__group_find(&a, disk), one->global);
    cr_assert_eq(spipe__group_find(&a, other_disk), two->global);
    cr_assert_null(spipe__group_find(&a, (const uint8_t[16]){0x60}));
    leave(&a);
}

/* All 16 bytes count. */
Test(group, one_wwid_is_one_disk)
{
    struct spipe__lun *of_a, *of_b;

    join(&a, NULL);
    join(&b, &a);
    of_a = add(&a, disk);
    of_b = add(&b, disk);
    cr_assert_neq(add(&b, other_disk)->global, of_b->global);
    cr_assert_eq(of_a->global, of_b->global);
    cr_assert_eq(of_b->global->locals, of_b);
    cr_assert_eq(of_b->sibling, of_a);
    cr_assert_eq(of_a->s, &a);
    cr_assert_eq(of_b->s, &b);
    cr_assert_eq(a.group, b.group);
    PROVES(SP_117);
    PROVES(SP_124);
    leave(&b);
    leave(&a);
}

/* Without a peer the same WWID is another object. */
Test(group, strangers_share_nothing)
{
    join(&a, NULL);
    join(&b, NULL);
    cr_assert_neq(add(&a, disk)->global, add(&b, disk)->global);
    leave(&a);
    leave(&b);
}

/* SP-122: an object lives until the service ends, and whoever comes again finds it. */
Test(group, leaves_in_any_order)
{
    struct spipe__global_lun *lun;

    join(&a, NULL);
    join(&b, &a);
    join(&c, &b);
    lun = add(&a, disk)->global;
    (void)add(&b, disk), (void)add(&c, disk);
    cr_assert_eq(a.group->members, &a);
    leave(&b);
    cr_assert_eq(a.next_member, &c);
    leave(&a);
    cr_assert_eq(c.group->members, &c);
    join(&a, &c);
    cr_assert_eq(add(&a, disk)->global, lun);
    leave(&c);
    leave(&a);
    PROVES(SP_122);
}

/* The last adapter that reaches a LUN ends its allocator, though the group goes on. */
Test(group, a_lun_that_nobody_reaches)
{
    struct spipe__global_lun *lun;

    join(&a, NULL);
    join(&b, &a);
    lun = add(&a, disk)->global;
    lun->last_lba = 10 * SPIPE_CHUNK_BLOCKS - 1;
    lun->block_size = 4096;
    cr_assert_eq(spipe__lun_claim(&a, lun, SPIPE_LUN_VIRTUAL), 0);
    lun->users--; /* what keeps the mode is a name */
    lun->named = 1;
    leave(&a);
    cr_assert_null(lun->ba);
    cr_assert_eq(lun->mode, SPIPE_LUN_NONE);
    cr_assert_eq(spipe__group_find(&b, disk), lun);
    leave(&b);
}

Test(group, without_memory)
{
    a = (struct spipe){.exec = &exec.exec};
    exec.fail_after = 0;
    cr_assert_eq(spipe__group_join(&a, NULL), -ENOMEM);
    exec.fail_after = FAKE_EXEC_NEVER;
    join(&a, NULL);
    exec.fail_after = 0;
    cr_assert_eq(spipe__group_add_lun(&a, &a.lun[0], disk), -ENOMEM);
    cr_assert_null(a.lun[0].global);
    leave(&a);
}

Test(group, nobody_leaves_with_luns, .signal = SIGABRT, .fini = NULL)
{
    join(&a, NULL);
    (void)add(&a, disk);
    spipe__group_leave(&a);
}
