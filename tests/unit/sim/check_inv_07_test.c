/* SPDX-License-Identifier: Apache-2.0 */
/* INV-7 to INV-13: what the entries say that the AFU can reach. */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/check/check_books.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/check_fixture.h"

TestSuite(check_inv_07, .init = check_fixture_make);

Test(check_inv_07, no_entry_leads_beyond_the_lun)
{
    check_fixture_holds(check_inv_07);
    fix.word[FIX_WORD_1].word = 10 << 16 | 0x33;
    check_fixture_broken(check_inv_07, 7, "entry 1 names chunk 10, and LUN 0 has 10");
    fix.word[FIX_WORD_1].word = UINT64_C(0xFFFFFFFFFFFF) << 16 | 0x33; /* VLW-13 */
    check_fixture_broken(check_inv_07, 7, "entry 1");
    fix.lun[0].blocks = 8 * 65536 - 1; /* chunk 7 ends one block later */
    check_fixture_broken(check_inv_07, 7, "names chunk 7");
    PROVES(INV_7);
}

Test(check_inv_07, slot_and_ports_lead_to_the_lun)
{
    check_fixture_holds(check_inv_08);
    fix.word[FIX_WORD_0].word = 0x30; /* no port */
    check_fixture_broken(check_inv_08, 8, "entry 0 has ports 0, LUN 0 has 0x3");
    fix.lun[0].ports = 1;
    check_fixture_broken(check_inv_08, 8, "entry 0 has ports 0x3, LUN 0 has 0x1");
    fix.lun_table[1][0] = FIX_LUN_ID(1, 1);
    check_fixture_broken(check_inv_08, 8, "slot 0, which on port 1 is LUN id 0xb000000000000");
    fix.word[FIX_WORD_CLONE_1].word = 1 << 16 | 5 << 8 | 0x33;
    check_fixture_broken(check_inv_08, 8, "context 5 handle 0: entry 1 has slot 5");
    fix.word[FIX_WORD_0].handle = 9; /* nobody's, and no LUN has its slot */
    fix.word[FIX_WORD_0].word = 9 << 8 | 0x33;
    check_fixture_broken(check_inv_08, 8, "slot 9 of no LUN");
    PROVES(INV_8);
}

Test(check_inv_07, slots_and_ports_matter_while_the_adapter_is_up)
{
    fix.lun_table[1][0] = 0;
    fix.p->up = false;
    check_fixture_holds(check_inv_08);
}

Test(check_inv_07, slots_are_shared_by_nobody)
{
    check_fixture_holds(check_inv_09);
    fix.lun[1].in_table = true;
    check_fixture_broken(check_inv_09, 9, "LUNs 0 and 1 share slot 0 on ports 0x3");
    fix.lun[2].ports = 1; /* single-port LUNs of different ports may */
    fix.p->last_lun_index[0] = 254;
    check_fixture_holds(check_inv_09);
    fix.p->promote_lun_index = 0;
    check_fixture_broken(check_inv_09, 9, "LUN 0 of several ports has slot 0, and they end at 0");
    fix.p->last_lun_index[1] = 255;
    check_fixture_broken(check_inv_09, 9, "LUN 2 of port 1 has slot 255");
    fix.p->promote_lun_index = 256;
    check_fixture_broken(check_inv_09, 9, "port 1: slots of several ports end at 256");
    PROVES(INV_9);
}

Test(check_inv_07, permissions_only_shrink)
{
    check_fixture_holds(check_inv_10);
    fix.entry[FIX_ENTRY_CLONE].permissions = AFU_PERM_RW;
    check_fixture_broken(check_inv_10, 10, "the RHT entry has permissions 0x3");
    fix.entry[FIX_ENTRY_CACHED].permissions = AFU_PERM_WRITE; /* a cached one counts too */
    check_fixture_broken(check_inv_10, 10, "context 5 handle 3");
    fix.handle[2].permissions = AFU_PERM_RW;
    check_fixture_broken(check_inv_10, 10, "context 5 handle 0 has permissions 0x3");
    fix.handle[0].permissions = AFU_PERM_READ; /* a clone in a context that may write */
    check_fixture_broken(check_inv_10, 10,
                         "context 4 handle 0: the RHT entry has permissions 0x3, the handle was "
                         "opened with 0x1");
    fix.word[FIX_WORD_0].word = 0x13; /* read only */
    check_fixture_broken(check_inv_10, 10, "entry 0 has permissions 1");
    fix.word[FIX_WORD_0].word = 0x73;
    check_fixture_broken(check_inv_10, 10, "reserved bits 0x40");
    PROVES(INV_10);
}

/* What the AFU read between the sync of a release and the end of the entry stays in its cache, and
 * the next handle of that number may do less. An entry of no chunks lets nobody do anything; one
 * in memory is that of the handle nevertheless. Context 5 opened its handle 0 to read. */
Test(check_inv_07, what_is_cached_of_no_chunks_permits_nothing)
{
    struct check_entry *kept = &fix.entry[FIX_ENTRY_CACHED];
    const struct check_entry none = {
        .context = FIX_RO, .source = CHECK_CACHE, .permissions = AFU_PERM_RW};

    *kept = none;
    check_fixture_holds(check_inv_10);
    kept->source = CHECK_WALK;
    check_fixture_holds(check_inv_10);
    kept->direct = true;
    check_fixture_holds(check_inv_10);
    kept->valid = true;
    check_fixture_broken(check_inv_10, 10, "context 5 handle 0: the RHT entry has permissions 0x3");
    *kept = none;
    kept->count = 1;
    check_fixture_broken(check_inv_10, 10, "context 5 handle 0: the RHT entry has permissions 0x3");
    *kept = none;
    kept->source = CHECK_MEMORY;
    check_fixture_broken(check_inv_10, 10, "context 5 handle 0: the RHT entry has permissions 0x3");
    PROVES(INV_10);
}

/* VL-43. */
Test(check_inv_07, clones_may_do_no_more_than_their_source)
{
    struct check_clone k;
    struct check_verdict v = {0};

    fix.handle[1].lineage = 1; /* of another number: it is no source of handle 0 */
    fix.context[0].handles.count = 0;
    check_clone_begin(&k, FIX_RO, 1, 1, check_fixture_input().owned);
    cr_assert(check_clone_look(&k, fix.p, &v), "nothing new");
    fix.context[0].handles.count = 2;
    cr_assert_not(check_clone_look(&k, fix.p, &v), "a reader was copied, and may write");
    cr_assert_eq(v.invariant, 10);
    fix.handle[0].permissions = AFU_PERM_READ;
    cr_assert(check_clone_look(&k, fix.p, &v));
    fix.handle[0].permissions = AFU_PERM_WRITE; /* not more, but another */
    cr_assert_not(check_clone_look(&k, fix.p, &v));
    fix.handle[0].permissions = AFU_PERM_READ;
    fix.handle[2].wipe = true; /* VL-63 (SPW-7) */
    cr_assert_not(check_clone_look(&k, fix.p, &v));
    cr_assert_eq(v.invariant, 16);
    fix.handle[0].wipe = true;
    cr_assert(check_clone_look(&k, fix.p, &v));
    fix.handle[0].wipe = false;
    fix.context[0].errored = true;
    cr_assert(check_clone_look(&k, fix.p, &v), "it is not the one that was made");
    check_fixture_make();
    check_clone_begin(&k, FIX_RO, 1, 1, check_fixture_input().owned);
    cr_assert(check_clone_look(&k, fix.p, &v), "it had handles before");
    PROVES(INV_10);
}

Test(check_inv_07, counts_fit_their_arrays)
{
    check_fixture_holds(check_inv_11);
    fix.entry[FIX_ENTRY_VIRTUAL].count = 9;
    check_fixture_broken(check_inv_11, 11, "9 entries in an array for 8");
    fix.entry[FIX_ENTRY_CACHED].count = 9; /* the new count with the old pointer, say */
    check_fixture_broken(check_inv_11, 11, "context 5 handle 3: 9 entries in an array for 8");
    fix.entry[FIX_ENTRY_VIRTUAL].start = 0;
    check_fixture_broken(check_inv_11, 11, "3 entries and no array");
    fix.handle[0].capacity = 2;
    check_fixture_broken(check_inv_11, 11, "handle 0 has 3 chunks in an array for 2");
    PROVES(INV_11);
}

Test(check_inv_07, free_entries_are_zero)
{
    check_fixture_holds(check_inv_12);
    fix.entry[FIX_ENTRY_CLONE].nmask = 0; /* closed, and count and pointer forgotten (VLW-8) */
    check_fixture_broken(check_inv_12, 12, "context 5 handle 0");
    fix.entry[FIX_ENTRY_CACHED].nmask = 0; /* it is about memory */
    check_fixture_holds(check_inv_12);
    PROVES(INV_12);
}

Test(check_inv_07, what_can_be_reached_is_not_given_away)
{
    check_fixture_holds(check_inv_13);
    fix.entry[FIX_ENTRY_VIRTUAL].start = FIX_LXT_CLONE;
    check_fixture_broken(check_inv_13, 13, "context 4 handle 0: the AFU can reach an LXT array");
    fix.held[0].arrays.count = 0; /* freed before the sync */
    check_fixture_broken(check_inv_13, 13, "context 5 handle 3: the AFU can reach an LXT array");
    fix.ctx[1].rht_start = FIX_RHT_RO;
    check_fixture_broken(check_inv_13, 13, "context 4: its RHT is not where the AFU looks");
    fix.word[FIX_WORD_CACHED].word = 2 << 16 | 0x33; /* of context 4 */
    check_fixture_broken(check_inv_13, 13, "context 5 handle 3: the AFU can reach chunk 2");
    PROVES(INV_13);
}

Test(check_inv_07, memory_that_can_be_reached_is_not_given_back)
{
    struct check_verdict v;

    cr_assert(check_inv_13_release(&fix.view, 0x60000, 4096, &v));
    cr_assert(check_inv_13_release(&fix.view, FIX_LXT_HELD + 64, 64, &v));
    cr_assert_not(check_inv_13_release(&fix.view, FIX_LXT_HELD, 64, &v));
    cr_assert_eq(v.invariant, 13);
    cr_assert_not_null(strstr(v.text, "context 5 handle 3: an LXT array"));
    cr_assert_not(check_inv_13_release(&fix.view, FIX_RHT_RW, 4096, &v));
    cr_assert_not_null(strstr(v.text, "context 4: an RHT"));
    /* A LUN id is no address. */
    cr_assert(check_inv_13_release(&fix.view, FIX_LUN_ID(1, 0), 64, &v));
    PROVES(INV_13);
}
