/* SPDX-License-Identifier: Apache-2.0 */
/* INV-1 to INV-6: who owns which chunk. */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/check_fixture.h"

TestSuite(check_inv_01, .init = check_fixture_make);

Test(check_inv_01, allocated_means_owned)
{
    check_fixture_holds(check_inv_01);
    fix.held[0].chunks.count = 0;
    check_fixture_broken(check_inv_01, 1, "chunk 7 is allocated and nobody has it");
    fix.chunk[5] = 8;
    check_fixture_broken(check_inv_01, 1, "chunk 8 has an owner and is free");
    fix.chunk[4] = 3; /* a handle */
    check_fixture_broken(check_inv_01, 1, "chunk 3 has an owner and is free");
    fix.chunk[8] = 9; /* a name */
    check_fixture_broken(check_inv_01, 1, "chunk 9 has an owner and is free");
    fix.lun[0].runs.count = 0; /* no allocator any more */
    check_fixture_broken(check_inv_01, 1, "is free");
    PROVES(INV_1);
}

Test(check_inv_01, owners_are_references)
{
    check_fixture_holds(check_inv_02);
    fix.run[0].references = 2;
    check_fixture_broken(check_inv_02, 2, "chunk 0 has 3 owners and 2 references");
    fix.run[2].references = 2; /* K(c) = 1: freed once too little */
    check_fixture_broken(check_inv_02, 2, "chunk 7 has 1 owners and 2 references");
    fix.name[0].chunks.count = 2;
    check_fixture_broken(check_inv_02, 2, "chunk 2 has 1 owners and 2 references");
    PROVES(INV_2);
}

Test(check_inv_01, a_name_of_another_adapter_owns_nothing_here)
{
    fix.name[0].lun = HAL_PICTURE_NONE;
    fix.run[0].references = 2;
    fix.run[1].references = 1;
    check_fixture_holds(check_inv_01);
    check_fixture_holds(check_inv_02);
}

Test(check_inv_01, the_allocator_counts_right)
{
    check_fixture_holds(check_inv_03);
    fix.lun[0].free_count = 7;
    check_fixture_broken(check_inv_03, 3,
                         "4 of 10 chunks are allocated, 0 parked, 7 counted as free");
    fix.lun[0].parked = 1;
    check_fixture_broken(check_inv_03, 3, "1 parked, 6 counted as free");
    fix.lun[0].parked = 1; /* neither free nor owned */
    fix.lun[0].free_count = 5;
    check_fixture_holds(check_inv_03);
    check_fixture_make();
    fix.lun[0].free_beyond = 1;
    check_fixture_broken(check_inv_03, 3, "1 bits beyond the last chunk are free");
    fix.run[2].count = 8; /* more than there are */
    check_fixture_broken(check_inv_03, 3, "11 of 10");
    PROVES(INV_3);
}

Test(check_inv_01, nothing_reachable_is_free)
{
    check_fixture_holds(check_inv_04);
    fix.word[FIX_WORD_2].word = 3 << 16 | 0x33;
    check_fixture_broken(check_inv_04, 4, "entry 2 in memory names chunk 3");
    fix.lun[0].runs.count = 2; /* chunk 7 was freed before the sync (VLW-5) */
    check_fixture_broken(check_inv_04, 4, "entry 0 in the cache names chunk 7");
    fix.word[FIX_WORD_CACHED].source = CHECK_WALK;
    fix.lun[0].runs.count = 2;
    check_fixture_broken(check_inv_04, 4, "entry 0 in a walk names chunk 7");
    fix.held[0].handle = 4; /* whose the entry is only its slot tells */
    fix.lun[0].runs.count = 2;
    check_fixture_broken(check_inv_04, 4, "chunk 7 of LUN 0");
    fix.held[0].handle = 4; /* the LUN has ended its mode, and its slot is free (VL-13) */
    fix.lun[0].in_table = false;
    check_fixture_broken(check_inv_04, 4, "entry 0 in the cache names chunk 7 of no LUN");
    PROVES(INV_4);
}

Test(check_inv_01, only_clones_share)
{
    check_fixture_holds(check_inv_05);
    fix.handle[2].lineage = 3;
    check_fixture_broken(check_inv_05, 5, "numbers 0 and 0, have chunk 0");
    fix.chunk[3] = 5; /* a difference in front of what they share changes nothing */
    fix.handle[2].lineage = 3;
    check_fixture_broken(check_inv_05, 5, "have chunk 1");
    PROVES(INV_5);
}

Test(check_inv_01, no_chunk_is_twice_in_a_handle)
{
    check_fixture_holds(check_inv_06);
    fix.chunk[2] = 0;
    check_fixture_broken(check_inv_06, 6, "chunk 0 is twice in handle 0, at 0 and 2");
    PROVES(INV_6);
}
