/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/info_states.h"

#include <stdbool.h>

#include "core/adapter/adapter_state.h"

static const enum spipe_state states[] = {SPIPE_STATE_PROBING, SPIPE_STATE_PROBED,
                                          SPIPE_STATE_NORMAL, SPIPE_STATE_RESET,
                                          SPIPE_STATE_FAILED};

enum { STATES = sizeof states / sizeof states[0] };

static const char head[] =
    "# States of an adapter\n"
    "\n"
    "Written by `superpipe info --states` from the table of `core/adapter/adapter_state.c`; a test "
    "compares.\n"
    "What waits for a state, and what requests do in each, is in `docs/spec/adapter.md` section 14 "
    "and\n"
    "`docs/spec/superpipe.md` section 10. FAILED is FAILTERM there.\n"
    "\n";

static bool leads(const struct spipe_state_row *row, enum spipe_state from, enum spipe_state to)
{
    return row->from >> from & 1 && row->to == to;
}

/* One arrow for all rows between the same two states. */
static void print_arrow(FILE *out, enum spipe_state from, enum spipe_state to)
{
    const char *between = ": ";
    unsigned count;
    const struct spipe_state_row *rows = spipe_state_rows(&count);
    bool any = false;

    for (unsigned i = 0; i < count; i++) {
        if (!leads(&rows[i], from, to))
            continue;
        if (!any)
            fprintf(out, "    %s --> %s", spipe_state_name(from), spipe_state_name(to));
        fprintf(out, "%s%s", between, rows[i].text);
        between = "<br/>";
        any = true;
    }
    if (any)
        fprintf(out, "\n");
}

static void print_diagram(FILE *out)
{
    fprintf(out, "```mermaid\nstateDiagram-v2\n    [*] --> %s: probe starts\n",
            spipe_state_name(SPIPE_STATE_PROBING));
    for (unsigned from = 0; from < STATES; from++)
        for (unsigned to = 0; to < STATES; to++)
            print_arrow(out, states[from], states[to]);
    fprintf(out, "    %s --> [*]\n```\n\n", spipe_state_name(SPIPE_STATE_FAILED));
}

static void print_row(FILE *out, const struct spipe_state_row *row)
{
    const char *between = "| ";

    for (unsigned i = 0; i < STATES; i++) {
        if (!(row->from >> states[i] & 1))
            continue;
        fprintf(out, "%s%s", between, spipe_state_name(states[i]));
        between = ", ";
    }
    fprintf(out, " | %s | %s | %s | %s | %s |\n", spipe_state_name(row->to), row->text, row->actor,
            row->wakes ? "yes" : "no", row->requirement);
}

void info_states_print(FILE *out)
{
    unsigned count;
    const struct spipe_state_row *rows = spipe_state_rows(&count);

    fputs(head, out);
    print_diagram(out);
    fprintf(out, "| From | To | When | Who | Wakes who waits | Requirement |\n"
                 "|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < count; i++)
        print_row(out, &rows[i]);
}

void info_states_add(cJSON *root)
{
    cJSON *array = cJSON_AddArrayToObject(root, "states");
    unsigned count;
    const struct spipe_state_row *rows = spipe_state_rows(&count);

    for (unsigned i = 0; i < count; i++) {
        cJSON *j = cJSON_CreateObject(), *from = cJSON_AddArrayToObject(j, "from");

        cJSON_AddItemToArray(array, j);
        for (unsigned s = 0; s < STATES; s++)
            if (rows[i].from >> states[s] & 1)
                cJSON_AddItemToArray(from, cJSON_CreateString(spipe_state_name(states[s])));
        cJSON_AddStringToObject(j, "to", spipe_state_name(rows[i].to));
        cJSON_AddStringToObject(j, "when", rows[i].text);
        cJSON_AddStringToObject(j, "who", rows[i].actor);
        cJSON_AddBoolToObject(j, "wakes", rows[i].wakes);
        cJSON_AddStringToObject(j, "requirement", rows[i].requirement);
    }
}
