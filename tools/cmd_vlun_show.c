/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cmd_vlun_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "hal/support/bits.h"
#include "tools/lun_text.h"
#include "tools/media_command.h"
#include "tools/name_list.h"
#include "tools/named_vlun.h"
#include "tools/text.h"

static const struct option_spec specs[] = {
    MEDIA_PATH_ROW(struct media_call, options, "media file of the adapter, which stays as it is"),
    MEDIA_ADAPTER_ROWS(struct media_call, options),
    PARAM_OPTION_ROWS(struct media_call, options.param),
    MEDIA_JSON_ROW(struct media_call, options),
};

/* ---- list -------------------------------------------------------------------------------------
 */

static const struct option_set list_set = {
    .command = "vlun list",
    .operands = "",
    .required = MEDIA_OR_CARD,
    .summary = "Lists the named virtual LUNs: name, LUN, chunks, size, bytes put.",
    .notes = "'superpipe list' does the same.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

int cmd_vlun_list(int argc, char **argv)
{
    static const struct media_command m = {&list_set, SESSION_MEDIA_READ, 0, name_list_body};
    static struct media_call call;

    return media_command(&m, &call, argc, argv);
}

/* ---- stat -------------------------------------------------------------------------------------
 */

static const struct option_set stat_set = {
    .command = "vlun stat",
    .operands = "NAME",
    .operand_count = 1,
    .required = MEDIA_OR_CARD,
    .summary = "Tells everything about the virtual LUN called NAME.",
    .notes = "Bytes are what 'superpipe get' gives: as many as were put, 0 after 'vlun create'.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

static void add_all(cJSON *j, const struct named_vlun *v)
{
    char wwid[LUN_TEXT_BYTES];

    name_list_add(j, v);
    json_u64(j, "chunk_size", v->chunk_bytes);
    json_u64(j, "blocks", v->info.blocks);
    if (v->info.blocks)
        json_u64(j, "last_lba", v->info.blocks - 1);
    else
        cJSON_AddNullToObject(j, "last_lba");
    json_u64(j, "lun_block_size", v->block_size);
    cJSON_AddStringToObject(j, "wwid", lun_text_wwid(wwid, v->info.wwid));
}

static void print_all(const struct named_vlun *v)
{
    char wwid[LUN_TEXT_BYTES], a[TEXT_BYTES], b[TEXT_BYTES];

    printf("Name:      %s\n", v->info.name);
    if (v->lun >= 0)
        printf("LUN:       %d, WWID %s, blocks of %u bytes\n", v->lun,
               lun_text_wwid(wwid, v->info.wwid), v->block_size);
    else
        printf("LUN:       not on this adapter, WWID %s\n", lun_text_wwid(wwid, v->info.wwid));
    printf("Size:      %s, %s bytes\n", text_size(a, v->info.blocks * SPIPE_API_BLOCK),
           text_count(b, v->info.blocks * SPIPE_API_BLOCK));
    printf("Chunks:    %s of %s\n", text_count(a, v->chunks), text_size(b, v->chunk_bytes));
    if (v->info.blocks)
        printf("Last LBA:  %" PRIu64 " in blocks of %u bytes\n", v->info.blocks - 1,
               SPIPE_API_BLOCK);
    else
        printf("Last LBA:  none\n");
    printf("Bytes put: %s\n", text_count(a, v->info.byte_length));
}

static int stat_body(struct session *s, void *arg, char *why, size_t size)
{
    struct media_call *call = arg;
    struct named_vlun v;
    int rc = named_vlun_find(s, call->rest.operand[0], &v, why, size);

    if (rc)
        return rc;
    if (call->json)
        add_all(call->json, &v);
    else
        print_all(&v);
    return 0;
}

int cmd_vlun_stat(int argc, char **argv)
{
    static const struct media_command m = {&stat_set, SESSION_MEDIA_READ, 1, stat_body};
    static struct media_call call;

    return media_command(&m, &call, argc, argv);
}
