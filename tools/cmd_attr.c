/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe attr: what sysfs shows of the original, of a simulated adapter. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/attribute_tree.h"
#include "tools/command.h"
#include "tools/command_group.h"
#include "tools/media_command.h"

struct attr {
    struct media_call call;
    uint64_t lun;
};

#define LUN_ROW                                                                                    \
    {                                                                                              \
        .name = "lun", .value = "N", .kind = OPTION_COUNT, .offset = offsetof(struct attr, lun),   \
        .min = 0, .max = SIM_MEDIA_LUNS_MAX - 1,                                                   \
        .help = "LUN that an attribute of LUNs is wanted of (0)"                                   \
    }
#define MEDIA_ROW                                                                                  \
    MEDIA_PATH_ROW(struct attr, call.options, "media file of the adapter, which stays as it is")

static const struct option_spec lun_specs[] = {
    MEDIA_ROW,
    LUN_ROW,
    PARAM_OPTION_ROWS(struct attr, call.options.param),
    MEDIA_JSON_ROW(struct attr, call.options),
};

static const struct option_spec specs[] = {
    MEDIA_ROW,
    PARAM_OPTION_ROWS(struct attr, call.options.param),
    MEDIA_JSON_ROW(struct attr, call.options),
};

/* ---- what they have in common -----------------------------------------------------------------
 */

static int find(const char *name, struct spipe_attribute *out)
{
    unsigned i = 0;
    int rc;

    while (!(rc = spipe_attribute_at(i, out)) && strcmp(out->name, name))
        i++;
    return rc;
}

static const char *next_name(const void *arg, size_t i)
{
    struct spipe_attribute a;

    (void)arg;
    return spipe_attribute_at((unsigned)i, &a) ? NULL : a.name;
}

/* The name is the first operand. Returns 0 or an exit code. */
static int check_name(const struct option_set *set, const char *name)
{
    struct spipe_attribute a;
    const char *like;

    if (!find(name, &a))
        return COMMAND_GOOD;
    like = options_suggest(name, next_name, NULL);
    if (like)
        return command_fail(set, COMMAND_USAGE, "there is no attribute '%s', did you mean '%s'?",
                            name, like);
    return command_fail(set, COMMAND_USAGE,
                        "there is no attribute '%s': 'superpipe attr list' shows them", name);
}

/* Why an attribute cannot be read or written, in a sentence. */
static int explain(const char *name, unsigned lun, int rc, char *why, size_t size)
{
    if (rc == -ENOENT)
        snprintf(why, size, "there is no LUN %u", lun);
    else if (rc == -EBUSY)
        snprintf(why, size, "%s: LUNs are in use: handles, names or quarantined blocks need them",
                 name);
    else
        snprintf(why, size, "%s: %s", name, strerror(-rc));
    return rc;
}

static int show(struct attr *a, struct spipe *s, const char *name, char *why, size_t size)
{
    char text[SPIPE_ATTRIBUTE_BYTES + 1];
    int rc = spipe_attribute_read(s, name, (unsigned)a->lun, text);

    if (rc)
        return explain(name, (unsigned)a->lun, rc, why, size);
    if (a->call.json)
        cJSON_AddStringToObject(a->call.json, name, text);
    else
        fputs(text, stdout);
    return 0;
}

/* ---- list -------------------------------------------------------------------------------------
 */

static const struct option_set list_set = {
    .command = "attr list",
    .operands = "",
    .required = "media",
    .summary = "Lists the attributes that sysfs shows of the original, of a simulated adapter.",
    .notes = "VALUE is the first line. Attributes of LUNs are those of LUN N.",
    .specs = lun_specs,
    .count = HAL_ARRAY_LENGTH(lun_specs),
};

static void list_one(struct attr *call, struct spipe *s, const struct spipe_attribute *a)
{
    char text[SPIPE_ATTRIBUTE_BYTES + 1];
    int rc = spipe_attribute_read(s, a->name, (unsigned)call->lun, text);

    if (!call->call.json)
        printf("%-16s  %-2s  %-7s  %.*s\n", a->name, a->writable ? "rw" : "r",
               a->of_lun ? "LUN" : "adapter", rc ? INT32_MAX : (int)strcspn(text, "\n"),
               rc ? "(cannot be read)" : text);
    else if (!rc)
        cJSON_AddStringToObject(call->call.json, a->name, text);
}

static int list_body(struct session *s, void *arg, char *why, size_t size)
{
    struct attr *call = arg;
    struct spipe_attribute a;

    (void)why;
    (void)size;
    if (!call->call.json)
        printf("%-16s  %-2s  %-7s  %s\n", "ATTRIBUTE", "RW", "OF", "VALUE");
    for (unsigned i = 0; !spipe_attribute_at(i, &a); i++)
        list_one(call, s->spipe[0], &a);
    return 0;
}

static int cmd_attr_list(int argc, char **argv)
{
    static const struct media_command m = {&list_set, SESSION_MEDIA_READ, 0, list_body};
    static struct attr a;

    return media_command(&m, &a.call, argc, argv);
}

/* ---- get --------------------------------------------------------------------------------------
 */

static const struct option_set get_set = {
    .command = "attr get",
    .operands = "NAME",
    .operand_count = 1,
    .required = "media",
    .summary = "Prints an attribute as its file in sysfs would have it.",
    .specs = lun_specs,
    .count = HAL_ARRAY_LENGTH(lun_specs),
};

static int get_body(struct session *s, void *arg, char *why, size_t size)
{
    struct attr *a = arg;

    return show(a, s->spipe[0], a->call.rest.operand[0], why, size);
}

static int cmd_attr_get(int argc, char **argv)
{
    static const struct media_command m = {&get_set, SESSION_MEDIA_READ, 0, get_body};
    static struct attr a;
    int code;

    if (!media_command_begin(&m, &a.call, argc, argv, &code))
        return code;
    code = check_name(&get_set, a.call.rest.operand[0]);
    return code ? code : media_command_finish(&m, &a.call);
}

/* ---- set --------------------------------------------------------------------------------------
 */

static const struct option_set set_set = {
    .command = "attr set",
    .operands = "NAME VALUE",
    .operand_count = 2,
    .required = "media",
    .summary = "Writes an attribute and prints what it is then.",
    .notes = "An adapter begins with the usual values again with the next command: nothing of it "
             "stays\nin the media file.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

static int set_body(struct session *s, void *arg, char *why, size_t size)
{
    struct attr *a = arg;
    const char *name = a->call.rest.operand[0], *value = a->call.rest.operand[1];
    int rc = spipe_attribute_write(s->spipe[0], name, value);

    if (rc == -EACCES)
        snprintf(why, size, "%s cannot be written: 'superpipe attr list' shows which can", name);
    else if (rc == -EINVAL)
        snprintf(why, size, "%s cannot be '%s'", name, value);
    else if (rc)
        explain(name, 0, rc, why, size);
    return rc ? rc : show(a, s->spipe[0], name, why, size);
}

static int cmd_attr_set(int argc, char **argv)
{
    static const struct media_command m = {&set_set, SESSION_MEDIA_READ, 0, set_body};
    static struct attr a;
    int code;

    if (!media_command_begin(&m, &a.call, argc, argv, &code))
        return code;
    code = check_name(&set_set, a.call.rest.operand[0]);
    return code ? code : media_command_finish(&m, &a.call);
}

/* ---- export -----------------------------------------------------------------------------------
 */

static const struct option_spec export_specs[] = {
    MEDIA_ROW,
    PARAM_OPTION_ROWS(struct attr, call.options.param),
};

static const struct option_set export_set = {
    .command = "attr export",
    .operands = "DIR",
    .operand_count = 1,
    .required = "media",
    .summary = "Writes the attributes as files, in a directory that looks like /sys.",
    .notes = "DIR/class/scsi_host/host0/NAME are those of the adapter, and\n"
             "DIR/class/scsi_device/0:PORT:0:LUN/device/NAME those of each LUN behind each port.",
    .specs = export_specs,
    .count = HAL_ARRAY_LENGTH(export_specs),
};

static int export_body(struct session *s, void *arg, char *why, size_t size)
{
    struct attr *a = arg;

    return attribute_tree_write(s->spipe[0], 0, a->call.rest.operand[0], why, size);
}

static int cmd_attr_export(int argc, char **argv)
{
    static const struct media_command m = {&export_set, SESSION_MEDIA_READ, 0, export_body};
    static struct attr a;

    return media_command(&m, &a.call, argc, argv);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static const struct command commands[] = {
    {"list", cmd_attr_list, "list the attributes with their values"},
    {"get", cmd_attr_get, "print an attribute"},
    {"set", cmd_attr_set, "write an attribute"},
    {"export", cmd_attr_export, "write all of them as files, as sysfs shows them"},
};

static const struct command_group group = {
    .words = "superpipe attr",
    .manual = "superpipe-attr",
    .summary = "Attributes of a simulated adapter, with names and text of the original's sysfs "
               "files.",
    .commands = commands,
    .count = HAL_ARRAY_LENGTH(commands),
};

int cmd_attr(int argc, char **argv) { return command_group_run(&group, argc, argv); }
