/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/adapter_state.h"

#include "hal/support/bits.h"
#include "hal/support/check.h"

enum {
    PROBING = 1u << SPIPE_STATE_PROBING,
    PROBED = 1u << SPIPE_STATE_PROBED,
    NORMAL = 1u << SPIPE_STATE_NORMAL,
    RESET = 1u << SPIPE_STATE_RESET,
};

/* Short, so that a row is a line. */
#define TO(state) SPIPE_STATE_##state
#define ON(trigger) SPIPE_ON_##trigger

static const struct spipe_state_row rows[] = {
    {PROBING, TO(NORMAL), ON(PROBED), "probe succeeds", "open", "AD-18", false},
    {PROBING, TO(PROBED), ON(PROBED_FROZEN), "probe ends while EEH waits", "open", "AD-18", true},
    {PROBING, TO(PROBED), ON(PROBE_FAILED), "probe fails", "open", "AD-10", false},
    {PROBED | NORMAL, TO(RESET), ON(FROZEN), "slot is frozen", "EEH", "AD-140", false},
    {NORMAL, TO(RESET), ON(HOST_RESET), "host reset", "caller", "AD-132", false},
    {NORMAL, TO(RESET), ON(ASYNC_RESET), "AFU command given up", "worker", "AD-135", false},
    {NORMAL, TO(RESET), ON(CONFIGURATION), "configuration changes", "caller", "AD-203", false},
    {RESET, TO(NORMAL), ON(RESET_DONE), "AFU reset works", "who resets", "AD-132", true},
    {RESET, TO(NORMAL), ON(RESET_CALLED_OFF), "reset called off", "who resets", "AD-201", true},
    {RESET, TO(NORMAL), ON(RESUME), "platform resumes", "EEH", "AD-144", true},
    {RESET, TO(FAILED), ON(RESET_FAILED), "AFU reset fails", "who resets", "AD-132", true},
    {RESET, TO(FAILED), ON(SILENCE), "platform is silent", "EEH", "R-39", true},
    {PROBING | PROBED | NORMAL | RESET, TO(FAILED), ON(PERMANENT_FAILURE), "permanent failure",
     "EEH", "AD-141", true},
    {PROBED | NORMAL, TO(FAILED), ON(REMOVE), "remove", "remove, close", "AD-180", true},
};

const struct spipe_state_row *spipe_state_rows(unsigned *count)
{
    *count = HAL_ARRAY_LENGTH(rows);
    return rows;
}

const struct spipe_state_row *spipe_state_row(enum spipe_state from, enum spipe_trigger trigger)
{
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(rows); i++)
        if (rows[i].trigger == trigger && rows[i].from >> from & 1)
            return &rows[i];
    return NULL;
}

const char *spipe_state_name(enum spipe_state state)
{
    static const char *const name[] = {
        [SPIPE_STATE_PROBING] = "PROBING", [SPIPE_STATE_PROBED] = "PROBED",
        [SPIPE_STATE_NORMAL] = "NORMAL",   [SPIPE_STATE_RESET] = "RESET",
        [SPIPE_STATE_FAILED] = "FAILED",
    };

    CHECK((unsigned)state < HAL_ARRAY_LENGTH(name));
    return name[state];
}
