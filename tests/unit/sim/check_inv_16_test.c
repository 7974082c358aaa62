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

static bool zero(void *arg, const struct hal_picture_lun *lun, uint64_t chunk)
{
    (void)arg;
    cr_assert_eq(lun, &fix.lun[0]);
    asked[asked_for++] = chunk;
    return chunk != not_zero;
}

static bool look(void)
{
    struct check_verdict v = {0};
    bool good = check_taints_look(&taints, fix.p, zero, NULL, &v);

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
