/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe list and superpipe remove: the names on a media file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/session.h"
#include "tools/text.h"

struct names_options {
    const char *media;
    bool json, quiet;
};

/* One list or remove. */
struct names {
    struct names_options options;
    const char *name; /* to be removed */
    cJSON *json;
    char why[SESSION_WHY_BYTES];
};

#define MEDIA_ROW                                                                                  \
    {                                                                                              \
        .name = "media", .value = "PATH", .kind = OPTION_TEXT,                                     \
        .offset = offsetof(struct names_options, media), .help = "media file of the adapter"       \
    }

static const struct option_spec list_specs[] = {
    MEDIA_ROW,
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct names_options, json),
     .help = "print one JSON object instead of the table"},
};

static const struct option_set list_set = {
    .command = "list",
    .operands = "",
    .required = "media",
    .summary =
        "Lists the named virtual LUNs on a simulated adapter: name, LUN, size, bytes stored.",
    .specs = list_specs,
    .count = HAL_ARRAY_LENGTH(list_specs),
};

static const struct option_spec remove_specs[] = {
    MEDIA_ROW,
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct names_options, quiet),
     .help = "say nothing when all is well"},
};

static const struct option_set remove_set = {
    .command = "remove",
    .operands = "NAME",
    .operand_count = 1,
    .required = "media",
    .summary = "Removes the virtual LUN called NAME from a simulated adapter; its space is free "
               "again.",
    .specs = remove_specs,
    .count = HAL_ARRAY_LENGTH(remove_specs),
};

/* ---- list -------------------------------------------------------------------------------------
 */

/* Number of the LUN with a WWID, or -1 when it is gone. */
static int find_lun(struct spipe *s, const uint8_t wwid[16])
{
    struct spipe_lun_info info;

    for (unsigned i = 0; !spipe_lun_info(s, i, &info); i++)
        if (!memcmp(info.wwid, wwid, sizeof info.wwid))
            return (int)i;
    return -1;
}

static void print_row(const struct spipe_name_info *info, int lun, int width)
{
    char size[TEXT_BYTES], bytes[TEXT_BYTES], number[TEXT_BYTES] = "-";

    if (lun >= 0)
        snprintf(number, sizeof number, "%d", lun);
    printf("%-*s %3s %10s %20s\n", width, info->name, number,
           text_size(size, info->blocks * SPIPE_API_BLOCK), text_count(bytes, info->byte_length));
}

static void add_row(cJSON *array, const struct spipe_name_info *info, int lun)
{
    cJSON *j = cJSON_CreateObject();

    cJSON_AddItemToArray(array, j);
    cJSON_AddStringToObject(j, "name", info->name);
    if (lun >= 0)
        cJSON_AddNumberToObject(j, "lun", lun);
    else
        cJSON_AddNullToObject(j, "lun");
    json_u64(j, "size", info->blocks * SPIPE_API_BLOCK);
    json_u64(j, "bytes", info->byte_length);
}

/* At least as wide as a usual one. */
static int longest_name(struct spipe *s)
{
    struct spipe_name_info info;
    size_t longest = 16;

    for (unsigned i = 0; !spipe_name_at(s, i, &info); i++)
        longest = strlen(info.name) > longest ? strlen(info.name) : longest;
    return (int)longest;
}

static int list_body(struct session *s, void *arg, char *why, size_t size)
{
    struct names *n = arg;
    struct spipe_name_info info;
    int width = longest_name(s->spipe[0]);
    cJSON *array = NULL;
    unsigned i;

    (void)why;
    (void)size;
    if (n->options.json)
        array = cJSON_AddArrayToObject(n->json, "names");
    for (i = 0; !spipe_name_at(s->spipe[0], i, &info); i++) {
        int lun = find_lun(s->spipe[0], info.wwid);

        if (!i && !array)
            printf("%-*s %3s %10s %20s\n", width, "NAME", "LUN", "SIZE", "BYTES");
        if (array)
            add_row(array, &info, lun);
        else
            print_row(&info, lun, width);
    }
    if (!i && !array)
        printf("There are no named virtual LUNs in '%s'.\n", n->options.media);
    return 0;
}

int cmd_list(int argc, char **argv)
{
    static struct names n;
    static struct session s;
    struct session_config c = {.media = SESSION_MEDIA_READ};
    static struct option_rest rest;
    int code, rc;

    if (!command_begin(&list_set, argc, argv, &n.options, &rest, &code))
        return code;
    c.path[0] = n.options.media;
    rc = session_open(&c, &s, n.why, sizeof n.why);
    if (rc)
        return command_fail(&list_set, COMMAND_FAILED, "%s", n.why);
    if (n.options.json)
        n.json = cJSON_CreateObject();
    rc = session_run(&s, list_body, &n, n.why, sizeof n.why);
    session_close(&s);
    if (rc)
        return command_fail(&list_set, COMMAND_FAILED, "%s", n.why);
    if (n.json && json_print(n.json))
        return command_fail(&list_set, COMMAND_FAILED, "not enough memory");
    return command_end(&list_set, COMMAND_GOOD);
}

/* ---- remove -----------------------------------------------------------------------------------
 */

static int remove_body(struct session *s, void *arg, char *why, size_t size)
{
    struct names *n = arg;
    int rc = spipe_name_remove(s->spipe[0], n->name);

    if (rc == -ENOENT)
        snprintf(why, size,
                 "there is no virtual LUN '%s' in '%s': 'superpipe list --media %s' shows what "
                 "there is",
                 n->name, n->options.media, n->options.media);
    else if (rc) {
        snprintf(why, size, "the removal of '%s' cannot be recorded in '%s' (%s)", n->name,
                 n->options.media, strerror(-rc));
        session_explain_full(s, 0, why, size);
    }
    return rc;
}

int cmd_remove(int argc, char **argv)
{
    static struct names n;
    static struct session s;
    struct session_config c = {.media = SESSION_MEDIA_FILE};
    static struct option_rest rest;
    int code, rc;

    if (!command_begin(&remove_set, argc, argv, &n.options, &rest, &code))
        return code;
    n.name = rest.operand[0];
    if (command_check_name(n.name, n.why, sizeof n.why))
        return command_fail(&remove_set, COMMAND_USAGE, "%s", n.why);
    c.path[0] = n.options.media;
    rc = session_open(&c, &s, n.why, sizeof n.why);
    if (rc)
        return command_fail(&remove_set, COMMAND_FAILED, "%s", n.why);
    rc = session_run(&s, remove_body, &n, n.why, sizeof n.why);
    session_close(&s);
    if (rc)
        return command_fail(&remove_set, COMMAND_FAILED, "%s", n.why);
    if (!n.options.quiet)
        printf("%s removed\n", n.name);
    return command_end(&remove_set, COMMAND_GOOD);
}
