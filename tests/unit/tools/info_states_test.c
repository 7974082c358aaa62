/* SPDX-License-Identifier: Apache-2.0 */
/* docs/state-machine.md is what the program prints. When it differs, write it anew:
 * superpipe info --states > docs/state-machine.md */
#include "tools/info_states.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/testlib/proves.h"

static char *printed(size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    cr_assert_not_null(out);
    info_states_print(out);
    fclose(out);
    return text;
}

Test(info_states, document_is_up_to_date)
{
    size_t length;
    char *text = printed(&length), *file = malloc(length + 1);
    FILE *in = fopen("docs/state-machine.md", "r");

    cr_assert_not_null(in);
    cr_assert_eq(fread(file, 1, length + 1, in), length,
                 "run: superpipe info --states > docs/state-machine.md");
    cr_assert_eq(memcmp(file, text, length), 0,
                 "run: superpipe info --states > docs/state-machine.md");
    fclose(in);
    free(file);
    free(text);
}

Test(info_states, diagram_has_every_state_and_an_end)
{
    size_t length;
    char *text = printed(&length);

    cr_assert(strstr(text, "[*] --> PROBING: probe starts\n"));
    cr_assert(strstr(text, "PROBING --> PROBED: probe ends while EEH waits<br/>probe fails\n"));
    cr_assert(strstr(text, "PROBED --> RESET: slot is frozen\n"));
    cr_assert(strstr(text, "NORMAL --> FAILED: permanent failure<br/>remove\n"));
    cr_assert(strstr(text, "FAILED --> [*]\n"));
    cr_assert(strstr(text, "| RESET | NORMAL | platform resumes | EEH | yes | AD-144 |\n"));
    free(text);
}

Test(info_states, json)
{
    cJSON *root = cJSON_CreateObject(), *row;

    info_states_add(root);
    row = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "states"), 3);
    cr_assert_str_eq(cJSON_GetArrayItem(cJSON_GetObjectItem(row, "from"), 1)->valuestring,
                     "NORMAL");
    cr_assert_str_eq(cJSON_GetObjectItem(row, "to")->valuestring, "RESET");
    cr_assert_str_eq(cJSON_GetObjectItem(row, "requirement")->valuestring, "AD-140");
    cJSON_Delete(root);
}
