/* SPDX-License-Identifier: Apache-2.0 */
/* INV-16: chunks that were to be wiped, when they are free. */
#include <criterion/criterion.h>

#include "sim/check/check_books.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/check_fixture.h"

static uint64_t memory[64];
static struct check_taints taints;
static uint64_t asked[8];
static unsigned asked_for;
static uint64_t not_zero;

static void set_up(void)
{
    check_fixture_make();
    taints = (struct check_taints){.room = {.block = memory, .size = sizeof memory}};
    asked_for = 0;
    not_zero = UINT64_MAX;
}

TestSuite(check_inv_16, .init = set_up);

static bool zero(void *arg, const struct check_tainted *c)
{
    (void)arg;
    cr_assert_eq(c->lun, 0);
    cr_assert_eq(c->ports, 3);
    cr_assert_eq(c->lun_id[1], FIX_LUN_ID(0, 1));
    asked[asked_for++] = c->chunk;
    return c->chunk != not_zero;
}

static bool look(void)
{
    struct check_verdict v = {0};
    struct check_input in = check_fixture_input();
    bool good = check_taints_look(&taints, &in, zero, NULL, &v);

    cr_assert_eq(v.invariant, good ? 0 : 16);
    return good;
}

/* The first two runs of LUN 0 are chunks 0 to 2: they become free. */
static void free_them(void)
{
    fix.run[0].first = 100;
    fix.run[1].first = 200;
}

Test(check_inv_16, without_the_wish_nothing_is_asked)
{
    cr_assert(look());
    free_them();
    cr_assert(look());
    cr_assert_eq(asked_for, 0);
}

Test(check_inv_16, what_is_free_is_zeros)
{
    fix.handle[0].wipe = true;
    cr_assert(look());
    cr_assert(look());
    cr_assert_eq(asked_for, 0, "as long as it has an owner it may hold data");
    fix.handle[0].wipe = false; /* the handle is gone, too */
    free_them();
    fix.lun[0].ports = 0; /* and the LUN disabled */
    cr_assert(look());
    cr_assert_eq(asked_for, 3);
    cr_assert(asked[0] == 0 && asked[1] == 1 && asked[2] == 2);
    cr_assert(look());
    cr_assert_eq(asked_for, 3, "once it was wiped it is like any other");
    PROVES(INV_16);
}

Test(check_inv_16, what_is_free_and_not_zeros)
{
    fix.handle[0].wipe = true;
    cr_assert(look());
    fix.handle[0].wipe = false;
    free_them();
    not_zero = 1;
    cr_assert_not(look());
}

/* ---- given out between two looks ---- */

enum { MINE = 1, OTHERS = 9 };

/* Chunk 7 is handle 0's, which has nothing else, and to be wiped. Nobody else has it. */
static void taint_7(void)
{
    fix.chunk[2] = 7;
    fix.handle[0].chunks = (struct hal_picture_span){2, 1};
    fix.handle[0].wipe = true;
    fix.p->n.held = fix.p->n.names = 0;
    cr_assert(look());
}

/* It has another owner at the next look. */
static void hand_over(void)
{
    fix.handle[0].wipe = false;
    fix.handle[0].lineage = OTHERS;
}

static void written(uint16_t by, uint64_t lba, uint64_t blocks)
{
    struct sim_watched w = {.what = SIM_WATCH_MEDIA,
                            .context = by,
                            .by_handle = by != FIX_MASTER,
                            .lun_id = FIX_LUN_ID(0, 0),
                            .value = lba,
                            .other = blocks,
                            .good = true};

    check_taints_media(&taints, &w, by == FIX_MASTER);
}

#define CHUNK_7 (UINT64_C(7) * 65536)

Test(check_inv_16, a_new_owner_gets_zeros)
{
    taint_7();
    hand_over();
    cr_assert_not(look(), "nobody has wiped it");
    cr_assert(look(), "it is told once");
    cr_assert_eq(asked_for, 0, "what is on the medium may be the new owner's");
    set_up();
    taint_7();
    written(FIX_MASTER, CHUNK_7, 65536);
    hand_over();
    cr_assert(look());
    set_up();
    taint_7();
    for (uint64_t at = 0; at < 65536; at += 512)
        written(FIX_MASTER, CHUNK_7 + at, 512);
    hand_over();
    cr_assert(look());
    PROVES(INV_16);
}

Test(check_inv_16, all_blocks_of_it)
{
    taint_7();
    written(FIX_MASTER, CHUNK_7, 65535);
    hand_over();
    cr_assert_not(look(), "not the last one");
    set_up();
    taint_7();
    written(FIX_MASTER, CHUNK_7, 512);
    written(FIX_MASTER, CHUNK_7 + 1024, 65536 - 1024);
    hand_over();
    cr_assert_not(look(), "one piece is missing");
    set_up();
    taint_7();
    written(FIX_MASTER, 7, 65536); /* VLW-1 */
    hand_over();
    cr_assert_not(look(), "others were");
    set_up();
    taint_7();
    written(FIX_MASTER, CHUNK_7, 32768);
    written(FIX_RW, CHUNK_7 + 9, 1);
    written(FIX_MASTER, CHUNK_7 + 32768, 32768);
    hand_over();
    cr_assert_not(look(), "before it was revoked");
    set_up();
    taint_7();
    written(FIX_MASTER, CHUNK_7, 32768);
    written(FIX_MASTER, CHUNK_7, 512); /* a failure, and from the beginning */
    written(FIX_MASTER, CHUNK_7 + 512, 32768 - 512);
    hand_over();
    cr_assert_not(look(), "it has not come to the end");
    PROVES(INV_16);
}

Test(check_inv_16, who_is_no_new_owner)
{
    taint_7();
    fix.handle[0].wipe = false;
    fix.chunk[3] = 7; /* a clone has it too */
    cr_assert(look());
    fix.chunk[2] = 2; /* it alone */
    cr_assert(look());
    set_up();
    taint_7();
    fix.p->n.names = 1;
    fix.chunk[6] = 7; /* a name, which is opened when the handle is closed, and removed */
    cr_assert(look());
    hand_over();
    cr_assert(look());
    fix.p->n.names = 0;
    cr_assert(look());
    fix.handle[0].lineage = MINE;
    cr_assert_not(look(), "from then on it is that one's");
    set_up();
    taint_7();
    fix.p->n.held = 1; /* quarantined, or dirty */
    hand_over();
    cr_assert(look());
    set_up();
    taint_7();
    taints.deaf = true;
    hand_over();
    cr_assert(look(), "who knows");
    set_up();
    taint_7();
    written(FIX_MASTER, CHUNK_7, 65536);
    fix.handle[0].wipe = false;
    cr_assert(look(), "its own, as if it were new");
    hand_over();
    cr_assert(look());
}

/* All of that between two looks: wiped, given out, written to, and free again. */
Test(check_inv_16, what_happens_after_the_wipe)
{
    taint_7();
    written(FIX_MASTER, CHUNK_7, 65536);
    written(FIX_RO, CHUNK_7 + 9, 1);
    not_zero = 7;
    fix.handle[0].wipe = false;
    fix.run[2].first = 300;
    cr_assert(look());
    set_up();
    taint_7();
    written(FIX_MASTER, CHUNK_7, 65536);
    not_zero = 7; /* the medium has not done what it was told */
    fix.handle[0].wipe = false;
    fix.run[2].first = 300;
    cr_assert_not(look());
    PROVES(INV_16);
}
