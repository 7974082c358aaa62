/* SPDX-License-Identifier: Apache-2.0 */
/* The table against AD section 14, written out once more, change by change. */
#include "core/adapter/adapter_state.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"

enum { PROBING, PROBED, NORMAL, RESET, FAILED, STATES, NONE = -1 };

/* By trigger, where it leads to from each state. */
static const struct {
    enum spipe_trigger trigger;
    int to[STATES];
    bool wakes;
} changes[] = {
    {SPIPE_ON_PROBED, {NORMAL, NONE, NONE, NONE, NONE}, false},
    {SPIPE_ON_PROBED_FROZEN, {PROBED, NONE, NONE, NONE, NONE}, true},
    {SPIPE_ON_PROBE_FAILED, {PROBED, NONE, NONE, NONE, NONE}, false},
    {SPIPE_ON_HOST_RESET, {NONE, NONE, RESET, NONE, NONE}, false},
    {SPIPE_ON_ASYNC_RESET, {NONE, NONE, RESET, NONE, NONE}, false},
    {SPIPE_ON_CONFIGURATION, {NONE, NONE, RESET, NONE, NONE}, false},
    {SPIPE_ON_FROZEN, {NONE, RESET, RESET, NONE, NONE}, false},
    {SPIPE_ON_RESET_DONE, {NONE, NONE, NONE, NORMAL, NONE}, true},
    {SPIPE_ON_RESET_CALLED_OFF, {NONE, NONE, NONE, NORMAL, NONE}, true},
    {SPIPE_ON_RESET_FAILED, {NONE, NONE, NONE, FAILED, NONE}, true},
    {SPIPE_ON_RESUME, {NONE, NONE, NONE, NORMAL, NONE}, true},
    {SPIPE_ON_PERMANENT_FAILURE, {FAILED, FAILED, FAILED, FAILED, NONE}, true},
    {SPIPE_ON_SILENCE, {NONE, NONE, NONE, FAILED, NONE}, true},
    {SPIPE_ON_REMOVE, {NONE, FAILED, FAILED, NONE, NONE}, true},
};

enum { CHANGES = sizeof changes / sizeof changes[0] };

Test(adapter_state, every_change_is_a_row)
{
    for (unsigned i = 0; i < CHANGES; i++)
        for (int from = 0; from < STATES; from++) {
            const struct spipe_state_row *row =
                spipe_state_row((enum spipe_state)from, changes[i].trigger);

            cr_assert_eq(row ? (int)row->to : NONE, changes[i].to[from], "trigger %u from %d", i,
                         from);
            if (row)
                cr_assert_eq(row->wakes, changes[i].wakes, "trigger %u", i);
        }
}

Test(adapter_state, rows_can_be_printed)
{
    unsigned count;
    const struct spipe_state_row *rows = spipe_state_rows(&count);

    cr_assert_eq(count, CHANGES);
    for (unsigned i = 0; i < count; i++) {
        cr_assert_neq(rows[i].from, 0);
        cr_assert_eq(rows[i].from >> STATES, 0);
        cr_assert(rows[i].text[0] && rows[i].actor[0] && rows[i].requirement[0]);
    }
}

/* The order of the last driver. */
Test(adapter_state, names)
{
    static const char *const name[STATES] = {"PROBING", "PROBED", "NORMAL", "RESET", "FAILED"};

    for (int s = 0; s < STATES; s++)
        cr_assert_str_eq(spipe_state_name((enum spipe_state)s), name[s]);
}
