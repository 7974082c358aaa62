/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cmd_lun_mode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/lun_text.h"
#include "tools/media_command.h"
#include "tools/option_values.h"
#include "tools/session_names.h"
#include "tools/text.h"

/* ---- the command line -------------------------------------------------------------------
 */

#define REQUESTS_MAX 16

/* One MANAGE_LUN. */
struct manage {
    bool enable;
    unsigned port;
    unsigned ports_after; /* on which the LUN is enabled */
};

struct mode {
    struct media_call call;
    struct manage_list {
        unsigned count;
        struct manage at[REQUESTS_MAX];
    } requests;
    bool all;     /* no LUN was named */
    uint64_t lun; /* else this one */
};

/* --enable and --disable write into one list, so that the order counts. */
static int add_request(struct manage_list *list, bool enable, const char *text, char *why,
                       size_t size)
{
    if (text[0] < '0' || text[0] > '3' || text[1]) {
        snprintf(why, size, "must be a port from 0 to 3");
        return -EINVAL;
    }
    if (list->count == REQUESTS_MAX) {
        snprintf(why, size, "is one too many: %d requests can be given", REQUESTS_MAX);
        return -EINVAL;
    }
    list->at[list->count++] = (struct manage){.enable = enable, .port = (unsigned)(*text - '0')};
    return 0;
}

static int add_enable(void *member, const char *text, char *why, size_t size)
{
    return add_request(member, true, text, why, size);
}

static int add_disable(void *member, const char *text, char *why, size_t size)
{
    return add_request(member, false, text, why, size);
}

static const struct option_spec mode_specs[] = {
    MEDIA_PATH_ROW(struct mode, call.options, "media file of the adapter, which stays as it is"),
    {.name = "enable",
     .value = "PORT",
     .kind = OPTION_CUSTOM,
     .offset = offsetof(struct mode, requests),
     .custom = add_enable,
     .help = "let requests use LUN N through this port; may be\nrepeated"},
    {.name = "disable",
     .value = "PORT",
     .kind = OPTION_CUSTOM,
     .offset = offsetof(struct mode, requests),
     .custom = add_disable,
     .help = "the opposite; may be repeated"},
    MEDIA_ADAPTER_ROWS(struct mode, call.options),
    PARAM_OPTION_ROWS(struct mode, call.options.param),
    MEDIA_JSON_ROW(struct mode, call.options),
};

static const struct option_set mode_set = {
    .command = "lun mode",
    .operands = "[N]",
    .operand_count = 1,
    .operands_optional = true,
    .required = MEDIA_OR_CARD,
    .summary = "Tells what LUN N, or each LUN, is in use for and why: nothing, virtual LUNs, or as "
               "a\nwhole (physical). Can try out DK_CXLFLASH_MANAGE_LUN on it first.",
    .notes =
        "Names keep a LUN in mode virtual, and so do open handles; the last of them to go\n"
        "ends it. --enable and --disable are carried out in the order of the command line,\n"
        "and what comes of each is printed. The stack keeps what is enabled for as long as it\n"
        "runs, which is here this one command: nothing of it stays anywhere, and\n"
        "every LUN begins enabled on all ports behind which it is. A LUN that is in use\n"
        "cannot be disabled.",
    .specs = mode_specs,
    .count = HAL_ARRAY_LENGTH(mode_specs),
};

static int check_mode(struct mode *m)
{
    const char *word = m->call.rest.operands ? m->call.rest.operand[0] : NULL;

    m->all = !word;
    if (!word && m->requests.count)
        return command_fail(&mode_set, COMMAND_USAGE,
                            "--enable and --disable need the number of a LUN: superpipe lun mode N "
                            "--media PATH --%s %u",
                            m->requests.at[0].enable ? "enable" : "disable",
                            m->requests.at[0].port);
    if (word && (option_value_count(word, &m->lun) || m->lun >= SIM_MEDIA_LUNS_MAX))
        return command_fail(&mode_set, COMMAND_USAGE,
                            "'%s' is no number of a LUN: 'superpipe lun list' shows them", word);
    return 0;
}

/* ---- why ---------------------------------------------------------------------------------
 */

/* What keeps the mode of a LUN. */
struct keepers {
    struct spipe_lun_info info;
    unsigned names;
    uint64_t chunks; /* of those names; shared ones count for each */
};

static int look(struct spipe *s, unsigned lun, struct keepers *k)
{
    struct spipe_name_info name;
    int rc = spipe_lun_info(s, lun, &k->info);

    k->names = 0;
    k->chunks = 0;
    for (unsigned i = 0; !rc && !spipe_name_at(s, i, &name); i++)
        if (!memcmp(name.wwid, k->info.wwid, sizeof name.wwid)) {
            k->names++;
            k->chunks += name.blocks * SPIPE_API_BLOCK / k->info.block_size / SPIPE_CHUNK_BLOCKS;
        }
    return rc;
}

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

/* "LUN 0: virtual (1 name with 4 chunks, 0 open handles), 4 of 64 chunks in use,
 * ports enabled: 0,1" */
static void print_mode(unsigned lun, const struct keepers *k)
{
    char named[TEXT_BYTES], used[TEXT_BYTES], all[TEXT_BYTES], ports[LUN_TEXT_BYTES];

    printf("LUN %u: %s (%u name%s with %s chunk%s, %u open handle%s), %s of %s chunks in use, "
           "ports enabled: %s\n",
           lun, lun_text_mode(&k->info), k->names, plural(k->names), text_count(named, k->chunks),
           plural(k->chunks), k->info.users, plural(k->info.users),
           text_count(used, k->info.chunks - k->info.free_chunks), text_count(all, k->info.chunks),
           lun_text_ports(ports, k->info.port_mask));
}

static void add_mode(cJSON *array, unsigned lun, const struct keepers *k)
{
    cJSON *j = cJSON_CreateObject();

    cJSON_AddItemToArray(array, j);
    json_u64(j, "lun", lun);
    cJSON_AddStringToObject(j, "mode", lun_text_mode(&k->info));
    json_u64(j, "names", k->names);
    json_u64(j, "name_chunks", k->chunks);
    json_u64(j, "users", k->info.users);
    json_u64(j, "chunks", k->info.chunks);
    json_u64(j, "free_chunks", k->info.free_chunks);
    json_bits(j, "enabled_ports", k->info.port_mask);
}

static void tell(struct mode *m, struct spipe *s)
{
    cJSON *array = m->call.json ? cJSON_AddArrayToObject(m->call.json, "luns") : NULL;
    unsigned lun = m->all ? 0 : (unsigned)m->lun;
    struct keepers k;

    for (; !look(s, lun, &k); lun++) {
        if (array)
            add_mode(array, lun, &k);
        else
            print_mode(lun, &k);
        if (!m->all)
            break;
    }
}

/* ---- MANAGE_LUN --------------------------------------------------------------------------
 */

static int refused(const struct manage *r, unsigned lun, const struct keepers *k, int rc, char *why,
                   size_t size)
{
    char ports[LUN_TEXT_BYTES];

    snprintf(why, size, "LUN %u cannot be %s on port %u: ", lun, r->enable ? "enabled" : "disabled",
             r->port);
    if (rc == -EINVAL)
        text_append(why, size, "it is not behind that port, only behind %s",
                    lun_text_ports(ports, k->info.found_ports));
    else if (rc == -EBUSY && k->names)
        text_append(why, size, "%u name%s on it, release %s first ('superpipe vlun list' shows %s)",
                    k->names, k->names == 1 ? " lies" : "s lie", k->names == 1 ? "it" : "them",
                    k->names == 1 ? "it" : "them");
    else
        text_append(why, size, "%s", strerror(-rc));
    return rc;
}

static int carry_out(struct spipe *s, unsigned lun, struct manage *r, char *why, size_t size)
{
    int rc = r->enable ? spipe_lun_enable(s, lun, r->port) : spipe_lun_disable(s, lun, r->port);
    struct keepers k;
    int gone = look(s, lun, &k);

    if (rc || gone)
        return refused(r, lun, &k, rc ? rc : gone, why, size);
    r->ports_after = k.info.port_mask;
    return 0;
}

static void print_requests(const struct mode *m)
{
    char ports[LUN_TEXT_BYTES];

    for (unsigned i = 0; i < m->requests.count; i++) {
        const struct manage *r = &m->requests.at[i];

        printf("LUN %u, %s port %u: ports enabled now: %s\n", (unsigned)m->lun,
               r->enable ? "enable" : "disable", r->port, lun_text_ports(ports, r->ports_after));
    }
}

static void add_requests(cJSON *root, const struct mode *m)
{
    cJSON *array = cJSON_AddArrayToObject(root, "requests");

    for (unsigned i = 0; i < m->requests.count; i++) {
        const struct manage *r = &m->requests.at[i];
        cJSON *j = cJSON_CreateObject();

        cJSON_AddItemToArray(array, j);
        cJSON_AddStringToObject(j, "request", r->enable ? "enable" : "disable");
        json_u64(j, "port", r->port);
        json_bits(j, "enabled_ports", r->ports_after);
    }
}

static int mode_body(struct session *s, void *arg, char *why, size_t size)
{
    struct mode *m = arg;
    char repeat[SESSION_REPEAT_BYTES];
    struct spipe_lun_info info;
    int rc = 0;

    if (!m->all && spipe_lun_info(s->spipe[0], (unsigned)m->lun, &info)) {
        snprintf(why, size,
                 "there is no LUN %u in '%s': 'superpipe lun list%s' shows what there is",
                 (unsigned)m->lun, session_names_where(s), session_repeat(s, repeat));
        return -ENOENT;
    }
    for (unsigned i = 0; !rc && i < m->requests.count; i++)
        rc = carry_out(s->spipe[0], (unsigned)m->lun, &m->requests.at[i], why, size);
    if (rc)
        return rc;
    if (m->call.json)
        add_requests(m->call.json, m);
    else
        print_requests(m);
    tell(m, s->spipe[0]);
    return 0;
}

int cmd_lun_mode(int argc, char **argv)
{
    static const struct media_command command = {&mode_set, SESSION_MEDIA_READ, 0, mode_body};
    static struct mode m;
    int code;

    if (!media_command_begin(&command, &m.call, argc, argv, &code))
        return code;
    code = check_mode(&m);
    return code ? code : media_command_finish(&command, &m.call);
}
