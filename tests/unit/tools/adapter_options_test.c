/* SPDX-License-Identifier: Apache-2.0 */
/* The options about back end and names, as subcommands have them. */
#include "tools/adapter_options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"

struct target {
    struct adapter_options adapter;
};

static const struct option_spec specs[] = {
    ADAPTER_NAMES_ROW(struct target, adapter),
    ADAPTER_BACKEND_ROWS(struct target, adapter),
};
static const struct option_set set = {
    .command = "test", .operands = "", .specs = specs, .count = HAL_ARRAY_LENGTH(specs)};

static char why[OPTIONS_WHY_BYTES];

/* Reads words that are separated by blanks. */
static struct adapter_options parse(const char *line)
{
    static struct option_rest rest;
    static char words[256];
    char *argv[16], *save = NULL;
    struct target t = {0};
    int argc = 0;

    snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    cr_assert_eq(options_parse(&set, argc, argv, &t, &rest, why, sizeof why), 0, "%s", why);
    return t.adapter;
}

Test(adapter_options, what_a_session_gets)
{
    struct adapter_options o =
        parse("test --backend capi --libcxl lib --afu afu1.0 --names n --require-card");
    struct session_config c = {.seed = 7};

    cr_assert_eq(adapter_options_check(&o, why, sizeof why), 0);
    adapter_options_apply(&o, &c);
    cr_assert_eq(c.backend, SESSION_CAPI);
    cr_assert_str_eq(c.libcxl, "lib");
    cr_assert_str_eq(c.afu, "afu1.0");
    cr_assert_str_eq(c.names, "n");
    cr_assert(c.require_card);
    cr_assert_eq(c.seed, 7, "the rest stays");
}

Test(adapter_options, nothing_is_the_simulator)
{
    struct adapter_options o = {0};
    struct session_config c = {.names = "before"};

    cr_assert_eq(adapter_options_check(&o, why, sizeof why), 0);
    adapter_options_apply(&o, &c);
    cr_assert_eq(c.backend, SESSION_SIM);
    cr_assert_null(c.names);
}

static void needs_capi(struct adapter_options o)
{
    cr_assert_eq(adapter_options_check(&o, why, sizeof why), -EINVAL);
    cr_assert(strstr(why, "are for --backend capi"), "%s", why);
    o.backend = SESSION_CAPI;
    cr_assert_eq(adapter_options_check(&o, why, sizeof why), 0);
}

Test(adapter_options, what_is_for_cards_only)
{
    struct adapter_options names = {.names = "n"};

    needs_capi((struct adapter_options){.libcxl = "lib"});
    needs_capi((struct adapter_options){.afu = "afu0.0"});
    needs_capi((struct adapter_options){.require_card = true});
    cr_assert_eq(adapter_options_check(&names, why, sizeof why), 0, "names may be in a file");
}
