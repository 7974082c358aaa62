/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe info: adapter, ports, LUNs, parameters. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/info_sites.h"
#include "tools/info_states.h"
#include "tools/json.h"
#include "tools/lun_text.h"
#include "tools/param_options.h"
#include "tools/session.h"
#include "tools/text.h"

#define LUN_BYTES                                                                                  \
    (64 * SESSION_CHUNK_BYTES + UINT64_C(100) * SESSION_BLOCK_BYTES) /* as `run` makes them */

struct info_options {
    const char *media;
    bool parameters, sites, states, json;
    struct param_options param;
};

/* One info. */
struct info {
    struct info_options options;
    struct sim_params params;
    struct session session;
    cJSON *json;
    char why[SESSION_WHY_BYTES];
};

static const struct option_spec specs[] = {
    {.name = "media",
     .value = "PATH",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct info_options, media),
     .help = "media file of the adapter, which stays as it is\n(an adapter with new media)"},
    PARAM_OPTION_ROWS(struct info_options, param),
    {.name = "parameters",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct info_options, parameters),
     .help =
         "list every parameter: name, value, unit, range, default,\nconfidence, source, meaning"},
    {.name = "sites",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct info_options, sites),
     .help = "list every fault site: name, id, effects, arguments"},
    {.name = "states",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct info_options, states),
     .help = "show the states of an adapter and what changes them,\nas a table and a diagram"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct info_options, json),
     .help = "print one JSON object instead of the table"},
};

static const struct option_set set = {
    .command = "info",
    .operands = "",
    .summary = "Brings up a simulated adapter and shows it: ports, LUNs, parameters.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

/* ---- parameters -------------------------------------------------------------------------------
 */

static const char *profile_name(const struct info *f, char *buf, size_t size)
{
    const char *name = PARAM_PROFILES;

    for (unsigned i = 0; i < f->options.param.profile; i++)
        name += strcspn(name, "|") + 1;
    snprintf(buf, size, "%.*s", (int)strcspn(name, "|"), name);
    return buf;
}

static bool is_default(const struct info *f, const struct sim_param_info *p)
{
    return sim_params_get(&f->params, p) == p->dflt;
}

/* Columns of the table: what --parameters prints of each row, as text. */
enum {
    COLUMN_NAME,
    COLUMN_VALUE,
    COLUMN_UNIT,
    COLUMN_RANGE,
    COLUMN_DEFAULT,
    COLUMN_CONFIDENCE,
    COLUMN_SOURCE,
    COLUMN_MEANING,
    COLUMNS
};

struct cells {
    char text[COLUMNS][128];
};

static const struct cells titles = {
    {"NAME", "VALUE", "UNIT", "RANGE", "DEFAULT", "CONFIDENCE", "SOURCE", "MEANING"}};

/* timing.md 0.1, in a word. */
static const char *confidence_word(char mark)
{
    switch (mark) {
    case 'A':
        return "A code";
    case 'B':
        return "B published";
    case 'C':
        return "C recalled";
    default:
        return "D assumed";
    }
}

static struct cells row_cells(const struct info *f, const struct sim_param_info *p)
{
    char min[SIM_PARAMS_VALUE_BYTES], max[SIM_PARAMS_VALUE_BYTES], value[SIM_PARAMS_VALUE_BYTES];
    struct cells c = {0};

    sim_params_format(p, sim_params_get(&f->params, p), value);
    sim_params_format(p, p->dflt, c.text[COLUMN_DEFAULT]);
    sim_params_format(p, p->min, min);
    sim_params_format(p, p->max, max);
    snprintf(c.text[COLUMN_NAME], sizeof c.text[0], "%s", p->name);
    snprintf(c.text[COLUMN_VALUE], sizeof c.text[0], "%s%s", is_default(f, p) ? "" : "*", value);
    snprintf(c.text[COLUMN_UNIT], sizeof c.text[0], "%s", p->unit);
    snprintf(c.text[COLUMN_RANGE], sizeof c.text[0], "%s..%s", min, max);
    if (p->min == p->max)
        snprintf(c.text[COLUMN_RANGE], sizeof c.text[0], "fixed");
    snprintf(c.text[COLUMN_CONFIDENCE], sizeof c.text[0], "%s", confidence_word(p->confidence));
    snprintf(c.text[COLUMN_SOURCE], sizeof c.text[0], "%s", p->source);
    snprintf(c.text[COLUMN_MEANING], sizeof c.text[0], "%s", p->text);
    return c;
}

/* What leaves nothing to choose, as the row of a parameter that is fixed. */
static struct cells decision_cells(const struct sim_decision *d)
{
    struct cells c = {0};

    snprintf(c.text[COLUMN_NAME], sizeof c.text[0], "%s", d->name);
    snprintf(c.text[COLUMN_VALUE], sizeof c.text[0], "%s", d->value);
    snprintf(c.text[COLUMN_UNIT], sizeof c.text[0], "%s", d->unit);
    snprintf(c.text[COLUMN_RANGE], sizeof c.text[0], "fixed");
    snprintf(c.text[COLUMN_DEFAULT], sizeof c.text[0], "%s", d->value);
    snprintf(c.text[COLUMN_CONFIDENCE], sizeof c.text[0], "%s", confidence_word('D'));
    snprintf(c.text[COLUMN_SOURCE], sizeof c.text[0], "%s", d->source);
    snprintf(c.text[COLUMN_MEANING], sizeof c.text[0], "%s", d->text);
    return c;
}

/* Row i of the table: the parameters, then the decisions. */
static struct cells table_cells(const struct info *f, size_t i)
{
    return i < sim_param_count ? row_cells(f, &sim_param_table[i])
                               : decision_cells(&sim_decision_table[i - sim_param_count]);
}

/* Every column as wide as its widest cell; numbers stand on the right. */
static void print_cells(const struct cells *c, const int *width)
{
    for (unsigned i = 0; i < COLUMN_MEANING; i++)
        if (i == COLUMN_VALUE || i == COLUMN_DEFAULT)
            printf("%*s  ", width[i], c->text[i]);
        else
            printf("%-*s  ", width[i], c->text[i]);
    printf("%s\n", c->text[COLUMN_MEANING]);
}

static void widen(int *width, const struct cells *c)
{
    for (unsigned i = 0; i < COLUMNS; i++)
        if ((int)strlen(c->text[i]) > width[i])
            width[i] = (int)strlen(c->text[i]);
}

static void print_parameters(const struct info *f)
{
    size_t rows = sim_param_count + sim_decision_count;
    int width[COLUMNS] = {0};
    char profile[32];

    widen(width, &titles);
    for (size_t i = 0; i < rows; i++) {
        struct cells c = table_cells(f, i);

        widen(width, &c);
    }
    printf("Profile: %s (* = differs from the default)\n\n",
           profile_name(f, profile, sizeof profile));
    print_cells(&titles, width);
    for (size_t i = 0; i < rows; i++) {
        struct cells c = table_cells(f, i);

        if (i == sim_param_count)
            printf("\nDecided, with nothing to choose:\n");
        print_cells(&c, width);
    }
    printf(
        "\nA cycle is 4 ns. Confidence: A read in public source code, B stated on a public page, "
        "C recalled,\nnot seen, D assumption. Sources: sections and numbers of docs/spec; of MD-1 "
        "to MD-26 and R-4 to R-29\nonly R-5, how requirements are numbered, is no matter of the "
        "adapter.\n");
}

static void print_differing(const struct info *f)
{
    char value[SIM_PARAMS_VALUE_BYTES], profile[32];
    unsigned n = 0;

    for (size_t i = 0; i < sim_param_count; i++)
        n += !is_default(f, &sim_param_table[i]);
    printf("\nParameters: profile %s, %u of %zu differ from the default%s "
           "(--parameters shows all)\n",
           profile_name(f, profile, sizeof profile), n, sim_param_count, n ? ":" : "");
    for (size_t i = 0; i < sim_param_count; i++) {
        const struct sim_param_info *p = &sim_param_table[i];

        if (is_default(f, p))
            continue;
        sim_params_format(p, sim_params_get(&f->params, p), value);
        printf("  %-23s %18s %s\n", p->name, value, p->unit);
    }
}

static void add_parameters(struct info *f)
{
    char confidence[2] = "", profile[32];
    cJSON *array;

    cJSON_AddStringToObject(f->json, "profile", profile_name(f, profile, sizeof profile));
    array = cJSON_AddArrayToObject(f->json, "parameters");

    for (size_t i = 0; i < sim_param_count; i++) {
        const struct sim_param_info *p = &sim_param_table[i];
        cJSON *j = cJSON_CreateObject();

        cJSON_AddItemToArray(array, j);
        confidence[0] = p->confidence;
        cJSON_AddStringToObject(j, "name", p->name);
        json_u64(j, "value", sim_params_get(&f->params, p));
        cJSON_AddStringToObject(j, "unit", p->unit);
        json_u64(j, "min", p->min);
        json_u64(j, "max", p->max);
        json_u64(j, "default", p->dflt);
        cJSON_AddStringToObject(j, "confidence", confidence);
        cJSON_AddStringToObject(j, "source", p->source);
        cJSON_AddStringToObject(j, "text", p->text);
    }
}

static void add_decisions(struct info *f)
{
    cJSON *array = cJSON_AddArrayToObject(f->json, "decisions");

    for (size_t i = 0; i < sim_decision_count; i++) {
        const struct sim_decision *d = &sim_decision_table[i];
        cJSON *j = cJSON_CreateObject();

        cJSON_AddItemToArray(array, j);
        cJSON_AddStringToObject(j, "name", d->name);
        cJSON_AddStringToObject(j, "value", d->value);
        cJSON_AddStringToObject(j, "unit", d->unit);
        cJSON_AddStringToObject(j, "source", d->source);
        cJSON_AddStringToObject(j, "text", d->text);
    }
}

/* ---- adapter ----------------------------------------------------------------------------------
 */

static void print_adapter(const struct spipe_adapter_info *a)
{
    printf("Adapter: AFU version %s, interface version 0x%016" PRIx64 ", WRITE SAME %s\n\n",
           a->afu_version, a->interface_version, a->write_same_unmaps ? "unmaps" : "writes zeros");
    printf("PORT  WWPN                LINK\n");
    for (unsigned i = 0; i < a->ports; i++)
        printf("%4u  0x%016" PRIx64 "  %s\n", i, a->wwpn[i],
               a->port_online[i] ? "online" : "offline");
}

static void print_luns(struct spipe *s)
{
    struct spipe_lun_info l;
    char wwid[LUN_TEXT_BYTES], ports[LUN_TEXT_BYTES];
    char size[TEXT_BYTES], chunks[TEXT_BYTES], left[TEXT_BYTES];

    printf("\n LUN  %-32s  %10s  %6s  %9s  %9s  %s\n", "WWID", "SIZE", "BLOCK", "CHUNKS", "FREE",
           "PORTS");
    for (unsigned i = 0; !spipe_lun_info(s, i, &l); i++) {
        printf("%4u  %-32s  %10s  %6u  %9s  %9s  %s\n", i, lun_text_wwid(wwid, l.wwid),
               text_size(size, (l.last_lba + 1) * l.block_size), l.block_size,
               text_count(chunks, l.chunks), text_count(left, l.free_chunks),
               lun_text_ports(ports, l.port_mask));
    }
}

static void add_ports(cJSON *root, const struct spipe_adapter_info *a)
{
    cJSON *array = cJSON_AddArrayToObject(root, "ports");
    char wwpn[24];

    for (unsigned i = 0; i < a->ports; i++) {
        cJSON *j = cJSON_CreateObject();

        cJSON_AddItemToArray(array, j);
        snprintf(wwpn, sizeof wwpn, "0x%016" PRIx64, a->wwpn[i]);
        cJSON_AddStringToObject(j, "wwpn", wwpn);
        cJSON_AddBoolToObject(j, "online", a->port_online[i]);
    }
}

static void add_luns(cJSON *root, struct spipe *s)
{
    cJSON *array = cJSON_AddArrayToObject(root, "luns");
    struct spipe_lun_info l;
    char wwid[LUN_TEXT_BYTES];

    for (unsigned i = 0; !spipe_lun_info(s, i, &l); i++) {
        cJSON *j = cJSON_CreateObject();

        cJSON_AddItemToArray(array, j);
        cJSON_AddStringToObject(j, "wwid", lun_text_wwid(wwid, l.wwid));
        json_u64(j, "bytes", (l.last_lba + 1) * l.block_size);
        json_u64(j, "block_size", l.block_size);
        json_u64(j, "chunks", l.chunks);
        json_u64(j, "free_chunks", l.free_chunks);
        json_u64(j, "port_mask", l.port_mask);
    }
}

static void add_adapter(struct info *f, struct spipe *s, const struct spipe_adapter_info *a,
                        unsigned names)
{
    char text[32];

    cJSON_AddStringToObject(f->json, "superpipe", SPIPE_VERSION);
    cJSON_AddStringToObject(f->json, "afu_version", a->afu_version);
    snprintf(text, sizeof text, "0x%016" PRIx64, a->interface_version);
    cJSON_AddStringToObject(f->json, "interface_version", text);
    cJSON_AddBoolToObject(f->json, "write_same_unmaps", a->write_same_unmaps);
    add_ports(f->json, a);
    add_luns(f->json, s);
    json_u64(f->json, "names", names);
    add_parameters(f);
}

static int body(struct session *s, void *arg, char *why, size_t size)
{
    struct info *f = arg;
    struct spipe_adapter_info a;
    struct spipe_name_info name;
    unsigned names = 0;

    (void)why;
    (void)size;
    spipe_adapter_info(s->spipe[0], &a);
    while (!spipe_name_at(s->spipe[0], names, &name))
        names++;
    if (f->json) {
        add_adapter(f, s->spipe[0], &a, names);
        return 0;
    }
    print_adapter(&a);
    print_luns(s->spipe[0]);
    printf("\nNamed virtual LUNs: %u%s\n", names, names ? " (superpipe list shows them)" : "");
    print_differing(f);
    return 0;
}

static int show_adapter(struct info *f)
{
    struct session_config c = {
        .media = f->options.media ? SESSION_MEDIA_READ : SESSION_MEDIA_MEMORY,
        .path = {f->options.media},
        .luns = 2,
        .lun_bytes = LUN_BYTES,
        .params = &f->params,
    };
    int rc = session_open(&c, &f->session, f->why, sizeof f->why);

    if (rc)
        return command_fail(&set, COMMAND_FAILED, "%s", f->why);
    rc = session_run(&f->session, body, f, f->why, sizeof f->why);
    session_close(&f->session);
    return rc ? command_fail(&set, COMMAND_FAILED, "%s", f->why) : COMMAND_GOOD;
}

static void show_sites(const struct info *f)
{
    if (f->json)
        info_sites_add(f->json);
    else
        info_sites_print();
}

static void show_states(const struct info *f)
{
    if (f->json)
        info_states_add(f->json);
    else
        info_states_print(stdout);
}

static int show(struct info *f)
{
    int code = COMMAND_GOOD;

    if (f->options.json)
        f->json = cJSON_CreateObject();
    if (f->options.sites)
        show_sites(f);
    else if (f->options.states)
        show_states(f);
    else if (!f->options.parameters)
        code = show_adapter(f);
    else if (f->json) {
        add_parameters(f);
        add_decisions(f);
    } else
        print_parameters(f);
    if (!code && f->json && json_print(f->json))
        return command_fail(&set, COMMAND_FAILED, "not enough memory");
    return code;
}

int cmd_info(int argc, char **argv)
{
    static struct info f;
    static struct option_rest rest;
    int code;

    if (!command_begin(&set, argc, argv, &f.options, &rest, &code))
        return code;
    code = param_options_apply(&f.options.param, &f.params, f.why, sizeof f.why);
    if (code)
        return command_fail(&set, code, "%s", f.why);
    return command_end(&set, show(&f));
}
