/* SPDX-License-Identifier: Apache-2.0 */
/* INV-28: requests against the table of R-40. */
#include <assert.h>
#include <criterion/criterion.h>
#include <string.h>

#include "core/adapter/verb.h"
#include "sim/check/check_books.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/check_fixture.h"

static_assert((int)CHECK_ATTACH == (int)SPIPE__VERB_ATTACH, "announced");
static_assert((int)CHECK_OPEN_DIRECT == (int)SPIPE__VERB_OPEN_DIRECT, "announced");
static_assert((int)CHECK_RELEASE == (int)SPIPE__VERB_RELEASE, "announced");
static_assert((int)CHECK_DETACH == (int)SPIPE__VERB_DETACH, "announced");
static_assert((int)CHECK_VERIFY == (int)SPIPE__VERB_VERIFY, "announced");
static_assert((int)CHECK_RECOVER == (int)SPIPE__VERB_RECOVER, "announced");
static_assert((int)CHECK_MANAGE_LUN == (int)SPIPE__VERB_MANAGE_LUN, "announced");
static_assert((int)CHECK_OPEN_VIRTUAL == (int)SPIPE__VERB_OPEN_VIRTUAL, "announced");
static_assert((int)CHECK_RESIZE == (int)SPIPE__VERB_RESIZE, "announced");
static_assert((int)CHECK_CLONE == (int)SPIPE__VERB_CLONE, "announced");
static_assert((int)CHECK_CLIENT_DESTROY == (int)SPIPE__VERB_CLIENT_DESTROY, "announced");
static_assert((int)CHECK_CLOSE == (int)SPIPE__VERB_CLOSE, "announced");
static_assert((int)CHECK_NAME_SET == (int)SPIPE__VERB_NAME_SET, "announced");
static_assert((int)CHECK_NAME_OPEN == (int)SPIPE__VERB_NAME_OPEN, "announced");
static_assert((int)CHECK_NAME_REMOVE == (int)SPIPE__VERB_NAME_REMOVE, "announced");
static_assert((int)CHECK_RESET == (int)SPIPE__VERB_RESET, "announced");
static_assert((int)CHECK_TIDY == (int)SPIPE__VERB_TIDY, "announced");
static_assert((int)CHECK_MACHINE_CONTEXT == (int)SPIPE__MACHINE_CONTEXT, "announced");
static_assert(SPIPE__CONTEXT_LOST >= AFU_CONTEXTS, "announced");

#define MS UINT64_C(250000)

/* a resize does a sync and undoes it, and wipes; with 1 ms slack. */
#define RESIZE_MS (UINT64_C(2) * 20005 + 180000 + 1)

static uint64_t memory[64];
static struct check_waits waits;

static void set_up(void)
{
    waits = (struct check_waits){.room = {.block = memory, .size = sizeof memory}};
}

TestSuite(check_inv_28, .init = set_up);

static bool good_at(uint64_t ms)
{
    struct check_verdict v = {0};
    bool good = check_waits_look(&waits, ms * MS, &v);

    cr_assert_eq(v.invariant, good ? 0 : 28);
    return good;
}

static void begin(uint32_t number, uint64_t thread, uint64_t ms)
{
    check_waits_begin(&waits, number, thread, ms * MS, 3);
}

static void end(uint32_t number, uint64_t thread, uint64_t ms)
{
    check_waits_end(&waits, number, thread, ms * MS);
}

Test(check_inv_28, a_request_ends_within_its_waits)
{
    begin(CHECK_RESIZE, 1, 10);
    cr_assert(good_at(10 + RESIZE_MS));
    cr_assert_not(good_at(11 + RESIZE_MS));
    cr_assert(good_at(12 + RESIZE_MS), "it is told once");
    end(CHECK_RESIZE, 1, 13 + RESIZE_MS);
    cr_assert(good_at(100 * RESIZE_MS), "nothing is under way");
    PROVES(INV_28);
}

Test(check_inv_28, each_kind_has_its_own)
{
    static const struct {
        uint32_t number;
        uint64_t ms;
    } kinds[] = {
        {CHECK_ATTACH, 360000 + 1},
        {CHECK_VERIFY, 360000 + 1},
        {CHECK_MANAGE_LUN, 360000 + 1},
        {CHECK_OPEN_VIRTUAL, RESIZE_MS},
        {CHECK_RELEASE, RESIZE_MS},
        {CHECK_NAME_OPEN, RESIZE_MS},
        {CHECK_RESET, 1000 + 4 * 20300 + 1000 + 3}, /* and 2.047 ms of a context reset */
        {CHECK_RECOVER, 1000 + 1000 + 4 * 20300 + 1000 + 2000 + 3},
        {CHECK_CLIENT_DESTROY, 4 * 2 * 20005 + 180000 + 1}, /* three things are open */
        {CHECK_TIDY, 4 * 2 * 20005 + 180000 + 1},
    };

    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        begin(kinds[i].number, 1, 0);
        cr_assert(good_at(kinds[i].ms), "%#x", (unsigned)kinds[i].number);
        cr_assert_not(good_at(kinds[i].ms + 1), "%#x", (unsigned)kinds[i].number);
        end(kinds[i].number, 1, kinds[i].ms + 1);
    }
    PROVES(R_40);
}

Test(check_inv_28, who_ends_is_known_by_its_thread)
{
    begin(CHECK_RESIZE, 1, 0);
    begin(CHECK_RESIZE, 2, RESIZE_MS);
    end(CHECK_RESIZE, 2, RESIZE_MS);
    cr_assert_not(good_at(1 + RESIZE_MS), "that of thread 1 goes on");
}

/* Two that wait for each other are late when each could have ended, one after the other. */
Test(check_inv_28, others_may_be_waited_for)
{
    begin(CHECK_RESIZE, 1, 0);
    begin(CHECK_RESIZE, 2, 0);
    cr_assert(good_at(2 * RESIZE_MS));
    cr_assert_not(good_at(2 * RESIZE_MS + 1));
    cr_assert_not(good_at(2 * RESIZE_MS + 1), "both");
    cr_assert(good_at(2 * RESIZE_MS + 2));
}

Test(check_inv_28, of_those_that_ended_as_long_as_they_took)
{
    begin(CHECK_RESIZE, 1, 0);
    begin(CHECK_ATTACH, 2, 100);
    end(CHECK_ATTACH, 2, 5100);
    cr_assert(good_at(RESIZE_MS + 5000));
    cr_assert_not(good_at(RESIZE_MS + 5001));
}

Test(check_inv_28, not_longer_than_one_was_there_itself)
{
    begin(CHECK_ATTACH, 2, 0);
    begin(CHECK_RESIZE, 1, 5000);
    end(CHECK_ATTACH, 2, 5100);
    cr_assert(good_at(5000 + RESIZE_MS + 100));
    cr_assert_not(good_at(5000 + RESIZE_MS + 101));
}

Test(check_inv_28, the_clock_starts_anew_when_a_reset_ends)
{
    begin(CHECK_RESIZE, 1, 0);
    begin(CHECK_RESET, 2, RESIZE_MS);
    cr_assert(good_at(RESIZE_MS + 83000), "only the reset is judged");
    end(CHECK_RESET, 2, RESIZE_MS + 83000);
    cr_assert(good_at(RESIZE_MS + 83000 + RESIZE_MS));
    cr_assert_not(good_at(RESIZE_MS + 83000 + RESIZE_MS + 1));
}

Test(check_inv_28, and_with_each_piece_of_a_wipe)
{
    begin(CHECK_RESIZE, 1, 0);
    check_waits_restart(&waits, RESIZE_MS * MS);
    cr_assert(good_at(2 * RESIZE_MS));
    cr_assert_not(good_at(2 * RESIZE_MS + 1));
}
