/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/name_list.h"

#include <stdio.h>
#include <string.h>

#include "tools/session_names.h"
#include "tools/text.h"

void name_list_add(cJSON *j, const struct named_vlun *v)
{
    cJSON_AddStringToObject(j, "name", v->info.name);
    if (v->lun >= 0)
        cJSON_AddNumberToObject(j, "lun", v->lun);
    else
        cJSON_AddNullToObject(j, "lun");
    json_u64(j, "chunks", v->chunks);
    json_u64(j, "size", v->info.blocks * SPIPE_API_BLOCK);
    json_u64(j, "bytes", v->info.byte_length);
}

static void add_all(cJSON *array, struct spipe *s)
{
    struct named_vlun v;

    for (unsigned i = 0; !named_vlun_at(s, i, &v); i++) {
        cJSON *j = cJSON_CreateObject();

        cJSON_AddItemToArray(array, j);
        name_list_add(j, &v);
    }
}

/* At least as wide as a usual name. */
static int longest_name(struct spipe *s)
{
    struct spipe_name_info info;
    size_t longest = 16;

    for (unsigned i = 0; !spipe_name_at(s, i, &info); i++)
        longest = strlen(info.name) > longest ? strlen(info.name) : longest;
    return (int)longest;
}

static void print_row(const struct named_vlun *v, int width)
{
    char size[TEXT_BYTES], bytes[TEXT_BYTES], chunks[TEXT_BYTES], number[TEXT_BYTES] = "-";

    if (v->lun >= 0)
        snprintf(number, sizeof number, "%d", v->lun);
    printf("%-*s %3s %9s %10s %20s\n", width, v->info.name, number, text_count(chunks, v->chunks),
           text_size(size, v->info.blocks * SPIPE_API_BLOCK),
           text_count(bytes, v->info.byte_length));
}

static void print_all(struct spipe *s, const char *path)
{
    int width = longest_name(s);
    struct named_vlun v;
    unsigned i;

    for (i = 0; !named_vlun_at(s, i, &v); i++) {
        if (!i)
            printf("%-*s %3s %9s %10s %20s\n", width, "NAME", "LUN", "CHUNKS", "SIZE", "BYTES");
        print_row(&v, width);
    }
    if (!i)
        printf("There are no named virtual LUNs in '%s'.\n", path);
}

int name_list_body(struct session *s, void *arg, char *why, size_t size)
{
    struct media_call *call = arg;

    (void)why;
    (void)size;
    if (call->json)
        add_all(cJSON_AddArrayToObject(call->json, "names"), s->spipe[0]);
    else
        print_all(s->spipe[0], session_names_where(s));
    return 0;
}
