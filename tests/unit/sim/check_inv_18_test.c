/* SPDX-License-Identifier: Apache-2.0 */
/* INV-18 to INV-22 and INV-26: books of LUNs and contexts. */
#include <criterion/criterion.h>

#include "hal/afu_regs.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/check_fixture.h"

TestSuite(check_inv_18, .init = check_fixture_make);

Test(check_inv_18, users_and_mode_of_a_lun)
{
    check_fixture_holds(check_inv_18);
    fix.lun[0].users = 3;
    check_fixture_broken(check_inv_18, 18, "LUN 0: 2 handles, users = 3");
    fix.lun[0].holds = 0;
    check_fixture_broken(check_inv_18, 18, "LUN 0: 1 things quarantined, holds = 0");
    fix.lun[1].mode = HAL_PICTURE_VIRTUAL;
    check_fixture_broken(check_inv_18, 18, "LUN 1 is in mode 1, and handle 1 in 2");
    fix.lun[2].mode = HAL_PICTURE_DIRECT; /* for nobody (VLW-9) */
    check_fixture_broken(check_inv_18, 18, "LUN 2 is in mode 2 with 0 users and 0 holds");
    fix.lun[0].allocator = false;
    check_fixture_broken(check_inv_18, 18, "LUN 0 is in mode 1 and has no allocator");
    fix.lun[2].allocator = true;
    check_fixture_broken(check_inv_18, 18, "LUN 2 is in mode 0 and has an allocator");
    PROVES(INV_18);
}

/* R-32, and design "Catalogue". */
Test(check_inv_18, quarantine_or_a_name_keep_the_mode)
{
    fix.p->n.handles = 0;
    fix.lun[0].users = fix.lun[1].users = 0;
    fix.lun[1].mode = HAL_PICTURE_FREE;
    check_fixture_holds(check_inv_18);
    fix.name[0].chunks.count = 0;
    check_fixture_holds(check_inv_18);
    fix.p->n.held = 0;
    fix.lun[0].holds = 0;
    check_fixture_broken(check_inv_18, 18, "LUN 0 is in mode 1 with 0 users and 0 holds");
    fix.p->n.handles = 0;
    fix.lun[0].users = fix.lun[1].users = 0;
    fix.lun[1].mode = fix.lun[0].mode = HAL_PICTURE_FREE;
    fix.lun[0].allocator = false;
    check_fixture_broken(check_inv_18, 18, "LUN 0 is in mode 0 with 0 users and 1 holds");
}

Test(check_inv_18, handles_of_a_context)
{
    check_fixture_holds(check_inv_19);
    fix.context[0].taken = 3;
    check_fixture_broken(check_inv_19, 19, "context 4: 3 handles checked out, 2 LUN pointers, 2");
    fix.entry[FIX_ENTRY_CLONE].nmask = 0;
    check_fixture_broken(check_inv_19, 19, "1 handles checked out, 1 LUN pointers, 0 RHT entries");
    fix.context[0].handles.count = 1;
    check_fixture_broken(check_inv_19, 19, "2 handles checked out, 1 LUN pointers");
    fix.context[0].attached.count = 1;
    check_fixture_broken(check_inv_19, 19, "handle 1 is on LUN 1, which is not attached");
    fix.ctx[1].rht_start = 0; /* the AFU has not been told yet: it can see nothing */
    fix.entry[FIX_ENTRY_VIRTUAL].nmask = fix.entry[FIX_ENTRY_DIRECT].nmask = 0;
    check_fixture_holds(check_inv_19);
    PROVES(INV_19);
}

Test(check_inv_18, contexts_are_in_one_place)
{
    check_fixture_holds(check_inv_20);
    fix.context[0].slot = 6;
    check_fixture_broken(check_inv_20, 20, "context 4 is in slot 6");
    fix.context[0].cookie = 6;
    check_fixture_broken(check_inv_20, 20, "in slot 4 of the table, and its cookie says 6");
    fix.context[1].number = fix.context[1].slot = fix.context[1].cookie = FIX_RW;
    check_fixture_broken(check_inv_20, 20, "context 4 is in the table twice");
    fix.context[1].control = false;
    check_fixture_broken(check_inv_20, 20, "context 5 is healthy and has no control area");
    fix.context[1].errored = true;
    fix.context[1].slot = AFU_CONTEXTS;
    check_fixture_broken(check_inv_20, 20, "context 5 is errored and has a control area");
    fix.context[1].errored = true;
    fix.context[1].control = false;
    check_fixture_broken(check_inv_20, 20, "context 5 is errored and in the table");
    fix.context[1].errored = true;
    fix.context[1].control = false;
    fix.context[1].slot = AFU_CONTEXTS;
    check_fixture_holds(check_inv_20);
    PROVES(INV_20);
}

Test(check_inv_18, references_of_a_context)
{
    check_fixture_holds(check_inv_21);
    fix.context[0].lun_count = 1;
    check_fixture_broken(check_inv_21, 21, "context 4: 1 references, 2 LUNs attached");
    fix.context[1].lun_count = fix.context[1].attached.count = 0;
    check_fixture_broken(check_inv_21, 21, "context 5: 0 references");
    fix.lun[2].attached = 1; /* for nobody: it could never be disabled */
    check_fixture_broken(check_inv_21, 21, "LUN 2: 1 references, 0 contexts have it");
    fix.lun[0].attached = 1; /* it could be disabled under a context (SPW-15) */
    check_fixture_broken(check_inv_21, 21, "LUN 0: 1 references, 2 contexts have it");
    fix.context[0].errored = true; /* it keeps its records */
    fix.context[1].errored = true;
    fix.lun[0].attached = 0;
    check_fixture_broken(check_inv_21, 21, "LUN 0: 0 references, 2 contexts have it");
    fix.lun[0].attached = 1; /* others are missing */
    fix.p->part = true;
    check_fixture_holds(check_inv_21);
    PROVES(INV_21);
}

Test(check_inv_18, registers_belong_to_somebody)
{
    check_fixture_holds(check_inv_22);
    fix.context[1].errored = true;
    check_fixture_broken(check_inv_22, 22, "context number 5 belongs to nobody");
    for (unsigned reg = 0; reg < 3; reg++) {
        fix.ctx[2] = (struct check_ctx){.number = 77};
        check_fixture_holds(check_inv_22);
        fix.ctx[2].rht_start = reg == 0;
        fix.ctx[2].rht_cnt_id = reg == 1;
        fix.ctx[2].ctx_cap = reg == 2;
        check_fixture_broken(check_inv_22, 22, "context number 77");
    }
    fix.context[1].errored = true;
    fix.p->up = false; /* not NORMAL */
    check_fixture_holds(check_inv_22);
    PROVES(INV_22);
}

Test(check_inv_18, registers_of_further_masters)
{
    fix.ctx[2] = (struct check_ctx){.number = 77, .ctx_cap = 1};
    fix.p->more_masters[1] = 77;
    fix.p->more_masters_count = 2;
    check_fixture_holds(check_inv_22);
    fix.p->more_masters_count = 1;
    check_fixture_broken(check_inv_22, 22, "context number 77");
    PROVES(INV_22);
}

/* Without clients: names and what is quarantined may be left. */
static void nobody_left(void)
{
    check_fixture_make();
    fix.p->clients = fix.p->n.contexts = fix.p->n.handles = 0;
}

Test(check_inv_18, what_is_left_at_the_end)
{
    check_fixture_holds(check_inv_26);
    fix.run[2].first = 8; /* while there are clients, INV-1 is about it */
    check_fixture_holds(check_inv_26);
    nobody_left();
    check_fixture_holds(check_inv_26);
    fix.p->n.contexts = 1;
    check_fixture_broken(check_inv_26, 26, "context 4 has no client");
    nobody_left();
    fix.held[0].generation = FIX_GENERATION - 1;
    check_fixture_holds(check_inv_26);
    fix.held[0].generation = FIX_GENERATION - 2;
    check_fixture_broken(check_inv_26, 26, "quarantined since generation 1, and it is 3");
    nobody_left();
    fix.run[2].first = 8;
    check_fixture_broken(check_inv_26, 26, "chunk 8 is not free, and nobody is left to free it");
    nobody_left();
    fix.p->n.handles = 1;
    check_fixture_broken(check_inv_26, 26, "chunk 0 has a handle and no client");
    PROVES(INV_26);
}
