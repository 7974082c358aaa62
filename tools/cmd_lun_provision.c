/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cmd_lun_provision.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/lun_text.h"
#include "tools/media_command.h"
#include "tools/text.h"

/* ---- the command line -------------------------------------------------------------------
 */

struct provision {
    struct media_call call;
    uint64_t port, bytes, lun;
    bool create, remove;
};

static const struct option_spec provision_specs[] = {
    MEDIA_PATH_ROW(struct provision, call.options, "media file of the adapter"),
    {.name = "create",
     .value = "SIZE",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct provision, bytes),
     .min = 1,
     .max = SIM_MEDIA_LUN_BYTES_MAX,
     .help = "make a LUN of this size, rounded up to blocks of 4096\n"
             "bytes"},
    {.name = "port",
     .value = "PORT",
     .kind = OPTION_COUNT,
     .offset = offsetof(struct provision, port),
     .max = 3,
     .help = "behind this port (0)"},
    {.name = "delete",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = offsetof(struct provision, lun),
     .max = SIM_MEDIA_LUNS_MAX - 1,
     .help = "end LUN N, which was made so, with its data"},
    PARAM_OPTION_ROWS(struct provision, call.options.param),
    MEDIA_JSON_ROW(struct provision, call.options),
};

static const struct option_set provision_set = {
    .command = "lun provision",
    .operands = "",
    .required = "media",
    .summary =
        "Tells how many LUNs may be made behind each port and how many there are; makes one, "
        "or\nends one, first.",
    .notes =
        "LUNs that are made so stay in the media file. One that carries names cannot be ended.\n"
        "The adapter of this command has LUN provisioning whatever interface_version says.",
    .specs = provision_specs,
    .count = HAL_ARRAY_LENGTH(provision_specs),
};

/* ---- what there is ----------------------------------------------------------------------
 */

static void print_port(unsigned port, const struct spipe_provision_info *i)
{
    char luns[TEXT_BYTES], most[TEXT_BYTES], size[TEXT_BYTES], all[TEXT_BYTES];

    printf("port %u: %s of %s LUNs, %s of %s\n", port, text_count(luns, i->luns),
           text_count(most, i->luns_max), text_size(size, i->blocks * SPIPE_API_BLOCK),
           text_size(all, i->blocks_max * SPIPE_API_BLOCK));
}

static void add_port(cJSON *array, unsigned port, const struct spipe_provision_info *i)
{
    cJSON *j = cJSON_CreateObject();

    cJSON_AddItemToArray(array, j);
    json_u64(j, "port", port);
    json_u64(j, "luns", i->luns);
    json_u64(j, "luns_max", i->luns_max);
    json_u64(j, "blocks", i->blocks);
    json_u64(j, "blocks_max", i->blocks_max);
}

static int tell(const struct provision *p, struct spipe *s, char *why, size_t size)
{
    cJSON *array = p->call.json ? cJSON_AddArrayToObject(p->call.json, "ports") : NULL;
    struct spipe_adapter_info adapter;
    struct spipe_provision_info info;

    spipe_adapter_info(s, &adapter);
    for (unsigned port = 0; port < adapter.ports; port++) {
        int rc = spipe_lun_provision_query(s, port, &info);

        if (rc) {
            snprintf(why, size, "port %u cannot be asked (%s)", port, strerror(-rc));
            return rc;
        }
        if (array)
            add_port(array, port, &info);
        else
            print_port(port, &info);
    }
    return 0;
}

/* ---- create -----------------------------------------------------------------------------
 */

static int cannot_create(unsigned port, struct spipe *s, int rc, char *why, size_t size)
{
    char luns[TEXT_BYTES], space[TEXT_BYTES];
    struct spipe_provision_info i;

    snprintf(why, size, "no LUN can be made behind port %u: ", port);
    if (rc == -EINVAL)
        text_append(why, size, "the adapter has no such port");
    else if (rc == -EIO && !spipe_lun_provision_query(s, port, &i))
        text_append(why, size, "the adapter refuses it; it may have %s more LUNs there, %s in all",
                    text_count(luns, i.luns_max - i.luns),
                    text_size(space, (i.blocks_max - i.blocks) * SPIPE_API_BLOCK));
    else
        text_append(why, size, "%s", strerror(-rc));
    return rc;
}

static void say_created(const struct provision *p, const struct spipe_provisioned_lun *lun,
                        uint64_t blocks)
{
    char wwid[LUN_TEXT_BYTES], bytes[TEXT_BYTES], id[24];
    cJSON *j;

    lun_text_wwid(wwid, lun->wwid);
    if (!p->call.json) {
        printf("made LUN %s behind port %u: id %" PRIx64 ", %s\n", wwid, (unsigned)p->port,
               lun->lun_id, text_size(bytes, blocks * SPIPE_API_BLOCK));
        return;
    }
    j = cJSON_AddObjectToObject(p->call.json, "created");
    snprintf(id, sizeof id, "0x%016" PRIx64, lun->lun_id);
    cJSON_AddStringToObject(j, "wwid", wwid);
    json_u64(j, "port", p->port);
    cJSON_AddStringToObject(j, "id", id);
    json_u64(j, "blocks", blocks);
}

static int create(const struct provision *p, struct spipe *s, char *why, size_t size)
{
    uint64_t blocks = hal_div_up(p->bytes, SPIPE_API_BLOCK);
    struct spipe_provisioned_lun lun;
    int rc = spipe_lun_provision_create(s, (unsigned)p->port, blocks, &lun);

    if (rc)
        return cannot_create((unsigned)p->port, s, rc, why, size);
    say_created(p, &lun, blocks);
    return 0;
}

/* ---- delete -----------------------------------------------------------------------------
 */

static int cannot_delete(const struct provision *p, int rc, char *why, size_t size)
{
    snprintf(why, size, "LUN %u cannot be deleted: ", (unsigned)p->lun);
    if (rc == -ENOENT)
        text_append(why, size, "there is none; 'superpipe lun list --media %s' shows what there is",
                    p->call.options.path);
    else if (rc == -EBUSY)
        text_append(why, size,
                    "names lie on it, release them first ('superpipe vlun list' shows "
                    "them)");
    else if (rc == -EIO)
        text_append(why, size,
                    "the adapter refuses it, as for a LUN that was not made with "
                    "'superpipe lun provision'");
    else
        text_append(why, size, "%s", strerror(-rc));
    return rc;
}

static void say_deleted(const struct provision *p, const struct spipe_lun_info *info)
{
    char wwid[LUN_TEXT_BYTES];
    cJSON *j;

    lun_text_wwid(wwid, info->wwid);
    if (!p->call.json) {
        printf("deleted LUN %u, %s\n", (unsigned)p->lun, wwid);
        return;
    }
    j = cJSON_AddObjectToObject(p->call.json, "deleted");
    json_u64(j, "lun", p->lun);
    cJSON_AddStringToObject(j, "wwid", wwid);
}

/* A LUN that was made is behind one port. */
static int delete_lun(const struct provision *p, struct spipe *s, char *why, size_t size)
{
    struct spipe_lun_info info;
    int rc = spipe_lun_info(s, (unsigned)p->lun, &info);
    unsigned port;

    if (rc)
        return cannot_delete(p, rc, why, size);
    port = hal_lowest_bit(info.found_ports);
    rc = spipe_lun_provision_delete(s, port, info.lun_id[port]);
    if (rc)
        return cannot_delete(p, rc, why, size);
    say_deleted(p, &info);
    return 0;
}

/* ---- all of it --------------------------------------------------------------------------
 */

static int provision_body(struct session *s, void *arg, char *why, size_t size)
{
    struct provision *p = arg;
    int rc = 0;

    if (p->create)
        rc = create(p, s->spipe[0], why, size);
    else if (p->remove)
        rc = delete_lun(p, s->spipe[0], why, size);
    if (!rc && (p->create || p->remove))
        rc = session_sync_media(s, why, size);
    return rc ? rc : tell(p, s->spipe[0], why, size);
}

static int check(struct provision *p)
{
    const struct option_rest *rest = &p->call.rest;

    p->create = options_given(&provision_set, rest, "create");
    p->remove = options_given(&provision_set, rest, "delete");
    if (p->create && p->remove)
        return command_fail(&provision_set, COMMAND_USAGE, "give --create or --delete, not both");
    if (!p->create && options_given(&provision_set, rest, "port"))
        return command_fail(&provision_set, COMMAND_USAGE, "--port is for --create");
    return 0;
}

int cmd_lun_provision(int argc, char **argv)
{
    static const struct media_command ask = {&provision_set, SESSION_MEDIA_READ, 0, provision_body};
    static const struct media_command change = {&provision_set, SESSION_MEDIA_FILE, 0,
                                                provision_body};
    static struct provision p = {.call.capabilities = AFU_IFV_LUN_PROVISION};
    int code;

    if (!media_command_begin(&ask, &p.call, argc, argv, &code))
        return code;
    code = check(&p);
    return code ? code : media_command_finish(p.create || p.remove ? &change : &ask, &p.call);
}
