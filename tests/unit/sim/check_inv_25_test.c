/* SPDX-License-Identifier: Apache-2.0 */
/* INV-17, INV-23, INV-25 and INV-27: single events. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/check_fixture.h"

TestSuite(check_inv_25, .init = check_fixture_make);

/* Blocks of a LUN on port 0. */
static struct sim_watched access_to(uint16_t context, uint32_t handle, unsigned lun, uint64_t lba,
                                    uint64_t blocks)
{
    return (struct sim_watched){.what = SIM_WATCH_MEDIA,
                                .context = context,
                                .handle = handle,
                                .by_handle = true,
                                .lun_id = FIX_LUN_ID(lun, 0),
                                .value = lba,
                                .other = blocks,
                                .index = lba / 65536};
}

static bool may(const struct sim_watched *w, bool quiet)
{
    struct check_input in = check_fixture_input();
    struct check_verdict v = {0};
    bool good = check_inv_25(&in, w, quiet, &v);

    cr_assert_eq(v.invariant, good ? 0 : 25);
    return good;
}

#define MAY(...) may(&(struct sim_watched[]){access_to(__VA_ARGS__)}[0], true)
#define MAY_MEANWHILE(...) may(&(struct sim_watched[]){access_to(__VA_ARGS__)}[0], false)

Test(check_inv_25, a_context_has_its_own_chunks)
{
    cr_assert(MAY(FIX_RW, 0, 0, 0, 1));
    cr_assert(MAY(FIX_RW, 0, 0, 3 * 65536 - 1, 1));
    cr_assert_not(MAY(FIX_RW, 0, 0, 3 * 65536 - 1, 2), "the last block is in chunk 3");
    cr_assert_not(MAY(FIX_RW, 0, 0, 3 * 65536, 1));
    cr_assert_not(MAY(FIX_RO, 0, 0, 2 * 65536, 1), "that is context 4's");
    cr_assert_not(MAY(FIX_RW, 0, 2, 0, 1), "another LUN");
    cr_assert_not(MAY(9, 0, 0, 0, 1), "a context that there is not");
    PROVES(INV_25);
}

/* Where an entry stands does not matter, as long as the context has the chunk. */
Test(check_inv_25, at_any_position_of_any_handle)
{
    struct sim_watched w = access_to(FIX_RW, 0, 0, 0, 1);

    w.index = 2;
    cr_assert(may(&w, true));
    w.handle = 7; /* closed meanwhile; it has another handle with the chunk */
    cr_assert(may(&w, true));
    w.by_handle = false;
    cr_assert(may(&w, true));
}

Test(check_inv_25, a_direct_lun_is_all_its_own)
{
    cr_assert(MAY(FIX_RW, 1, 1, 5000000, 100));
    cr_assert_not(MAY(FIX_RO, 1, 1, 0, 1));
    cr_assert_not(MAY(FIX_RW, 1, 2, 0, 1));
}

/* legal until the heavy sync has ended. */
Test(check_inv_25, what_was_withdrawn_is_usable_until_the_sync)
{
    cr_assert(MAY(FIX_RO, 3, 0, 7 * 65536, 1));
    cr_assert_not(MAY(FIX_RW, 3, 0, 7 * 65536, 1), "it was context 5's");
    fix.p->n.held = 0;
    cr_assert_not(MAY(FIX_RO, 3, 0, 7 * 65536, 1));
}

/* G7 to G8: the AFU knows, the books do not yet. */
Test(check_inv_25, a_grow_under_way)
{
    fix.run[2].count = 2; /* 8 is allocated, for whoever it is */
    cr_assert_not(MAY(FIX_RW, 0, 0, 8 * 65536, 1));
    cr_assert(MAY_MEANWHILE(FIX_RW, 0, 0, 8 * 65536, 1));
    cr_assert(MAY_MEANWHILE(FIX_RO, 0, 0, 2 * 65536, 1), "a name is being opened");
    cr_assert_not(MAY_MEANWHILE(FIX_RW, 0, 0, 9 * 65536, 1), "it is free");
    fix.name[0].chunks.count = 2;
    cr_assert_not(MAY_MEANWHILE(FIX_RO, 0, 0, 2 * 65536, 1), "it is context 4's alone");
}

Test(check_inv_25, masters_are_not_bound)
{
    cr_assert(MAY(FIX_MASTER, 0, 0, 9 * 65536, 1));
    cr_assert_not(MAY(77, 0, 0, 9 * 65536, 1));
    fix.p->more_masters[0] = 77;
    fix.p->more_masters_count = 1;
    cr_assert(MAY(77, 0, 0, 9 * 65536, 1));
}

Test(check_inv_25, wipes_spare_what_a_handle_has)
{
    struct sim_watched w = access_to(FIX_MASTER, 0, 0, 7 * 65536, 65536);
    struct check_input in = check_fixture_input();
    struct check_verdict v;

    w.by_handle = false;
    w.good = true;
    cr_assert(check_inv_17(&in, &w, false, &v)); /* quarantined */
    w.value = 7;                                 /* the chunk number as LBA: VLW-1 */
    cr_assert_not(check_inv_17(&in, &w, false, &v));
    cr_assert_eq(v.invariant, 17);
    cr_assert_not_null(strstr(v.text, "a handle or a name has chunk 0"));
    w.context = 77;
    cr_assert(check_inv_17(&in, &w, false, &v), "not on its own account");
    fix.p->more_masters[0] = 77;
    fix.p->more_masters_count = 1;
    cr_assert_not(check_inv_17(&in, &w, false, &v));
    w.good = false; /* it reads */
    cr_assert(check_inv_17(&in, &w, false, &v));
    PROVES(INV_17);
}

/* R(c) counts errored contexts too, and a name is one more owner. */
Test(check_inv_25, wipes_spare_what_is_lost_or_named)
{
    struct sim_watched w = access_to(FIX_MASTER, 0, 0, 2 * 65536 + 65535, 1);
    struct check_input in;
    struct check_verdict v;

    w.by_handle = false;
    w.good = true;
    fix.p->n.names = 0;
    fix.context[0].errored = true; /* it has chunk 2 */
    in = check_fixture_input();
    cr_assert_not(check_inv_17(&in, &w, true, &v));
    cr_assert_eq(v.invariant, 17);
    cr_assert(check_inv_17(&in, &w, false, &v), "it may be closing the handle");
    fix.context[0].handles.count = 0;
    fix.p->n.handles = 0;
    in = check_fixture_input();
    cr_assert(check_inv_17(&in, &w, true, &v));
    fix.p->n.names = 1;
    in = check_fixture_input();
    cr_assert_not(check_inv_17(&in, &w, true, &v));
    cr_assert(check_inv_17(&in, &w, false, &v), "it may be being removed");
    w.good = false;
    cr_assert(check_inv_17(&in, &w, true, &v));
    PROVES(INV_17);
}

Test(check_inv_25, errored_contexts_issue_nothing)
{
    struct sim_watched w = {.what = SIM_WATCH_COMMAND, .context = FIX_RO};
    struct check_verdict v;

    cr_assert(check_inv_23(fix.p, &w, &v));
    fix.context[1].errored = true;
    cr_assert_not(check_inv_23(fix.p, &w, &v));
    cr_assert_eq(v.invariant, 23);
    fix.context[0].number = FIX_RO; /* somebody else has got the number */
    cr_assert(check_inv_23(fix.p, &w, &v));
    PROVES(INV_23);
}

Test(check_inv_25, errored_contexts_load_ones)
{
    struct sim_watched w = {.what = SIM_WATCH_LOAD, .context = FIX_RO, .ea = 0x10, .value = 5};
    struct check_verdict v;

    cr_assert(check_inv_27(fix.p, &w, &v));
    fix.context[1].errored = true;
    cr_assert_not(check_inv_27(fix.p, &w, &v));
    cr_assert_eq(v.invariant, 27);
    w.value = UINT64_MAX;
    cr_assert(check_inv_27(fix.p, &w, &v));
    PROVES(INV_27);
}
