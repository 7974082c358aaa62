/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe list and superpipe remove: the names on a media file. */
#include <stdio.h>

#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/media_command.h"
#include "tools/name_list.h"
#include "tools/named_vlun.h"

static const struct option_spec list_specs[] = {
    MEDIA_PATH_ROW(struct media_call, options, "media file of the adapter"),
    MEDIA_ADAPTER_ROWS(struct media_call, options),
    MEDIA_JSON_ROW(struct media_call, options),
};

static const struct option_set list_set = {
    .command = "list",
    .operands = "",
    .required = MEDIA_OR_CARD,
    .summary = "Lists the named virtual LUNs of an adapter: name, LUN, chunks, size, bytes\nput.",
    .specs = list_specs,
    .count = HAL_ARRAY_LENGTH(list_specs),
};

static const struct option_spec remove_specs[] = {
    MEDIA_PATH_ROW(struct media_call, options, "media file of the adapter"),
    MEDIA_ADAPTER_ROWS(struct media_call, options),
    MEDIA_QUIET_ROW(struct media_call, options),
};

static const struct option_set remove_set = {
    .command = "remove",
    .operands = "NAME",
    .operand_count = 1,
    .required = MEDIA_OR_CARD,
    .summary = "Removes the virtual LUN called NAME; its space is free again.",
    .notes = "What was written there stays readable for whoever gets the space.",
    .specs = remove_specs,
    .count = HAL_ARRAY_LENGTH(remove_specs),
};

int cmd_list(int argc, char **argv)
{
    static const struct media_command m = {&list_set, SESSION_MEDIA_READ, 0, name_list_body};
    static struct media_call call;

    return media_command(&m, &call, argc, argv);
}

static int remove_body(struct session *s, void *arg, char *why, size_t size)
{
    struct media_call *call = arg;
    const char *name = call->rest.operand[0];
    struct named_vlun_freed freed;
    int rc = named_vlun_remove(s, name, &freed, why, size);

    if (rc)
        return rc;
    snprintf(call->said, sizeof call->said, "%s removed\n", name);
    named_vlun_say_taken(s, &freed, call->said, sizeof call->said);
    return 0;
}

int cmd_remove(int argc, char **argv)
{
    static const struct media_command m = {&remove_set, SESSION_MEDIA_FILE, 1, remove_body};
    static struct media_call call;

    return media_command(&m, &call, argc, argv);
}
