/* SPDX-License-Identifier: Apache-2.0 */
/* INV-24: what a lost context keeps. */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/check/check_books.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/check_fixture.h"

enum { WORDS = 4096 / 8 };

static struct {
    uint64_t traits[2][4096]; /* room for them */
    uint64_t rht[WORDS], lxt[8];
} memory;
static struct check_kept kept;

static void set_up(void)
{
    check_fixture_make();
    memset(&memory, 0, sizeof memory);
    memory.rht[0] = FIX_LXT;
    memory.rht[1] = 77;
    for (unsigned i = 0; i < 8; i++)
        memory.lxt[i] = i << 16 | 0x33;
    kept =
        (struct check_kept){.room = {.block = memory.traits[0], .size = sizeof memory.traits[0]},
                            .fresh = {.block = memory.traits[1], .size = sizeof memory.traits[1]}};
}

TestSuite(check_inv_24, .init = set_up);

/* Context 4 of the fixture, which has an RHT of a page, and an LXT of three words. */
static bool read_word(void *arg, uint64_t ea, uint64_t *value)
{
    (void)arg;
    if (ea - FIX_RHT_RW < sizeof memory.rht)
        *value = memory.rht[(ea - FIX_RHT_RW) / 8];
    else if (ea - FIX_LXT < sizeof memory.lxt)
        *value = memory.lxt[(ea - FIX_LXT) / 8];
    else
        return false;
    return true;
}

static bool look(bool quiet)
{
    struct check_verdict v = {0};
    bool good = check_kept_look(&kept, fix.p, quiet, read_word, NULL, &v);

    cr_assert_eq(v.invariant, good ? 0 : 24);
    return good;
}

static void lose(void)
{
    fix.context[0].errored = true;
    fix.context[0].control = false;
    cr_assert(look(false));
}

static void recover(void)
{
    fix.context[0].errored = false;
    fix.context[0].number = fix.context[0].slot = 9;
    fix.context[0].generation++;
}

Test(check_inv_24, a_context_that_is_well_may_change)
{
    cr_assert(look(false));
    fix.chunk[0] = 5;
    memory.rht[1] = 78;
    cr_assert(look(false));
}

Test(check_inv_24, it_comes_back_as_it_was)
{
    lose();
    cr_assert(look(true));
    recover();
    cr_assert(look(true));
    fix.chunk[0] = 5;
    cr_assert(look(true), "it is its own again");
    PROVES(INV_24);
}

static void other_chunk(void) { fix.chunk[1] = 6; }
static void other_size(void) { fix.handle[0].chunks.count--; }
static void other_number(void) { fix.handle[1].number = 2; }
static void other_lun(void) { fix.handle[1].lun = 2; }
static void other_permissions(void) { fix.handle[0].permissions = AFU_PERM_READ; }
static void other_kind(void) { fix.handle[0].kind = HAL_PICTURE_DIRECT; }
static void one_less(void) { fix.context[0].handles.count = 1; }
static void other_rht_word(void) { memory.rht[511] = 1; }
static void other_lxt_word(void) { memory.lxt[2] = 1; }

static void (*const changes[])(void) = {
    other_chunk, other_size, other_number,   other_lun,      other_permissions,
    other_kind,  one_less,   other_rht_word, other_lxt_word,
};

Test(check_inv_24, nothing_may_change_until_then)
{
    for (unsigned i = 0; i < sizeof changes / sizeof *changes; i++)
        for (unsigned well = 0; well < 2; well++) {
            set_up();
            lose();
            changes[i]();
            if (well)
                recover();
            cr_assert_not(look(true), "change %u", i);
        }
    PROVES(INV_24);
}

/* The AFU knows it again, and its RECOVER goes on. */
Test(check_inv_24, until_recover_has_ended)
{
    lose();
    recover();
    cr_assert(look(false));
    fix.chunk[0] = 5;
    cr_assert_not(look(true));
    fix.chunk[0] = 6;
    cr_assert(look(true));
}

Test(check_inv_24, or_it_asks_for_something)
{
    lose();
    recover();
    cr_assert(look(false));
    check_kept_touch(&kept, CHECK_RESIZE, 9);
    fix.chunk[0] = 5;
    cr_assert(look(false));
    fix.chunk[0] = 6;
    cr_assert(look(true));
}

Test(check_inv_24, what_is_behind_the_size_does_not_matter)
{
    lose();
    memory.lxt[3] = 0;
    cr_assert(look(true));
}

Test(check_inv_24, others_do_not_matter)
{
    lose();
    fix.chunk[3] = 9; /* context 5 */
    cr_assert(look(true));
}

Test(check_inv_24, its_own_requests_may_change_it)
{
    lose();
    check_kept_touch(&kept, CHECK_RESIZE, FIX_RW);
    fix.handle[0].chunks.count = 1;
    cr_assert(look(false));
    cr_assert(look(true));
    fix.handle[0].chunks.count = 0;
    cr_assert_not(look(true), "that request has ended");
}

Test(check_inv_24, also_one_that_began_when_it_was_well)
{
    check_kept_touch(&kept, CHECK_RESIZE, FIX_RW);
    lose();
    fix.handle[0].chunks.count = 1;
    recover();
    cr_assert(look(true));
}

Test(check_inv_24, and_those_of_a_cookie)
{
    lose();
    check_kept_touch(&kept, CHECK_RELEASE, CHECK_NO_CONTEXT);
    fix.context[0].handles.count = 0;
    cr_assert(look(true));
}

/* CLONE says whose handles it copies, not who gets them. */
Test(check_inv_24, and_a_clone)
{
    lose();
    recover();
    cr_assert(look(false));
    check_kept_touch(&kept, CHECK_CLONE, FIX_RO);
    fix.context[0].handles.count = 0;
    cr_assert(look(true));
}

Test(check_inv_24, those_of_others_may_not)
{
    lose();
    check_kept_touch(&kept, CHECK_RESIZE, FIX_RO);
    check_kept_touch(&kept, CHECK_RECOVER, FIX_RW);
    check_kept_touch(&kept, CHECK_RESET, CHECK_NO_CONTEXT);
    check_kept_touch(&kept, CHECK_TIDY, CHECK_NO_CONTEXT);
    fix.handle[0].chunks.count = 1;
    cr_assert_not(look(false));
}

Test(check_inv_24, two_at_once)
{
    lose();
    fix.context[1].errored = true;
    cr_assert(look(false));
    fix.chunk[4] = 8;
    cr_assert_not(look(false));
    fix.chunk[0] = 8;
    cr_assert_not(look(false));
    cr_assert(look(false));
}
