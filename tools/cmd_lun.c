/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe lun: the LUNs of an adapter, and what they are in use for. */
#include <inttypes.h>
#include <stdio.h>

#include "hal/support/bits.h"
#include "tools/cmd_lun_mode.h"
#include "tools/cmd_lun_provision.h"
#include "tools/command.h"
#include "tools/command_group.h"
#include "tools/lun_text.h"
#include "tools/media_command.h"
#include "tools/text.h"

/* ---- list -------------------------------------------------------------------------------------
 */

static const struct option_spec list_specs[] = {
    MEDIA_PATH_ROW(struct media_call, options, "media file of the adapter, which stays as it is"),
    MEDIA_ADAPTER_ROWS(struct media_call, options),
    PARAM_OPTION_ROWS(struct media_call, options.param),
    MEDIA_JSON_ROW(struct media_call, options),
};

static const struct option_set list_set = {
    .command = "lun list",
    .operands = "",
    .required = MEDIA_OR_CARD,
    .summary = "Lists the LUNs of an adapter.",
    .notes = "FOUND are the ports behind which the LUN is, ENABLED those that requests may use;\n"
             "USERS are open handles. LUN IDS has PORT:ID, hexadecimal, for each port.",
    .specs = list_specs,
    .count = HAL_ARRAY_LENGTH(list_specs),
};

static void print_lun(unsigned i, const struct spipe_lun_info *l)
{
    char wwid[LUN_TEXT_BYTES], found[LUN_TEXT_BYTES], enabled[LUN_TEXT_BYTES], ids[LUN_TEXT_BYTES];
    char blocks[TEXT_BYTES], chunks[TEXT_BYTES], left[TEXT_BYTES];

    printf("%4u  %-32s  %5u  %14s  %9s  %9s  %5u  %-8s  %-7s  %-7s  %s\n", i,
           lun_text_wwid(wwid, l->wwid), l->block_size, text_count(blocks, l->last_lba + 1),
           text_count(chunks, l->chunks), text_count(left, l->free_chunks), l->users,
           lun_text_mode(l), lun_text_ports(found, l->found_ports),
           lun_text_ports(enabled, l->port_mask), lun_text_ids(ids, l));
}

static void add_ids(cJSON *j, const struct spipe_lun_info *l)
{
    cJSON *array = cJSON_AddArrayToObject(j, "lun_ids");
    char id[24];

    for (unsigned p = 0; p < 4; p++) {
        cJSON *one;

        if (!(l->found_ports & HAL_BIT(p)))
            continue;
        one = cJSON_CreateObject();
        cJSON_AddItemToArray(array, one);
        snprintf(id, sizeof id, "0x%016" PRIx64, l->lun_id[p]);
        json_u64(one, "port", p);
        cJSON_AddStringToObject(one, "id", id);
    }
}

static void add_lun(cJSON *array, unsigned i, const struct spipe_lun_info *l)
{
    char wwid[LUN_TEXT_BYTES];
    cJSON *j = cJSON_CreateObject();

    cJSON_AddItemToArray(array, j);
    json_u64(j, "lun", i);
    cJSON_AddStringToObject(j, "wwid", lun_text_wwid(wwid, l->wwid));
    add_ids(j, l);
    json_bits(j, "found_ports", l->found_ports);
    json_bits(j, "enabled_ports", l->port_mask);
    json_u64(j, "block_size", l->block_size);
    json_u64(j, "blocks", l->last_lba + 1);
    json_u64(j, "chunks", l->chunks);
    json_u64(j, "free_chunks", l->free_chunks);
    json_u64(j, "users", l->users);
    cJSON_AddStringToObject(j, "mode", lun_text_mode(l));
}

static int list_body(struct session *s, void *arg, char *why, size_t size)
{
    struct media_call *call = arg;
    cJSON *array = call->json ? cJSON_AddArrayToObject(call->json, "luns") : NULL;
    struct spipe_lun_info l;

    (void)why;
    (void)size;
    if (!array)
        printf(" LUN  %-32s  %5s  %14s  %9s  %9s  %5s  %-8s  %-7s  %-7s  %s\n", "WWID", "BLOCK",
               "BLOCKS", "CHUNKS", "FREE", "USERS", "MODE", "FOUND", "ENABLED", "LUN IDS");
    for (unsigned i = 0; !spipe_lun_info(s->spipe[0], i, &l); i++)
        if (array)
            add_lun(array, i, &l);
        else
            print_lun(i, &l);
    return 0;
}

static int cmd_list_luns(int argc, char **argv)
{
    static const struct media_command m = {&list_set, SESSION_MEDIA_READ, 0, list_body};
    static struct media_call call;

    return media_command(&m, &call, argc, argv);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static const struct command commands[] = {
    {"list", cmd_list_luns, "list the LUNs with everything known about them"},
    {"mode", cmd_lun_mode, "tell what a LUN is in use for; try enabling and disabling"},
    {"provision", cmd_lun_provision, "make LUNs behind a port, end them, and tell the limits"},
};

static const struct command_group group = {
    .words = "superpipe lun",
    .manual = "superpipe-lun",
    .summary = "The LUNs of a simulated adapter whose flash is one file.",
    .commands = commands,
    .count = HAL_ARRAY_LENGTH(commands),
};

int cmd_lun(int argc, char **argv) { return command_group_run(&group, argc, argv); }
