/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe port: the FC ports of an adapter: their names, links and statistics. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/command_group.h"
#include "tools/media_command.h"
#include "tools/option_values.h"

enum { PORTS_MAX = 4 };

/* ---- what is known of a port ------------------------------------------------------------------
 */

static const char *link_word(const struct spipe_port_statistics *st)
{
    return st->online ? "online" : st->offline ? "offline" : "unknown";
}

static void print_port(unsigned port, const struct spipe_port_statistics *st)
{
    printf("%4u  0x%016" PRIx64 "  %-7s  %-4s  0x%06" PRIx64 "  0x%08" PRIx64 "  0x%08" PRIx64 "\n",
           port, st->wwpn, link_word(st), st->selected ? "yes" : "no", st->port_id, st->fc_status,
           st->fc_error);
}

static void add_hex(cJSON *object, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "0x%016" PRIx64, value);
    cJSON_AddStringToObject(object, name, text);
}

static void add_port(cJSON *array, unsigned port, const struct spipe_port_statistics *st)
{
    cJSON *j = cJSON_CreateObject(), *statistics;

    cJSON_AddItemToArray(array, j);
    json_u64(j, "port", port);
    add_hex(j, "wwpn", st->wwpn);
    cJSON_AddStringToObject(j, "link", link_word(st));
    cJSON_AddBoolToObject(j, "used", st->selected);
    add_hex(j, "port_id", st->port_id);
    add_hex(j, "fc_status", st->fc_status);
    add_hex(j, "fc_error", st->fc_error);
    statistics = cJSON_AddObjectToObject(j, "statistics");
    for (unsigned i = 0; i < SPIPE_PORT_STATISTICS; i++)
        json_u64(statistics, spipe_port_statistic_name(i), st->value[i]);
}

/* Reads all ports. Returns how many there are, or a negative errno with a sentence in why. */
static int read_ports(struct spipe *s, struct spipe_port_statistics st[PORTS_MAX], char *why,
                      size_t size)
{
    int rc = 0;
    unsigned n = 0;

    while (n < PORTS_MAX && !(rc = spipe_port_statistics(s, n, &st[n])))
        n++;
    if (rc && rc != -EINVAL) {
        snprintf(why, size, "port %u cannot be read (%s)", n, strerror(-rc));
        return rc;
    }
    return (int)n;
}

static int tell(struct media_call *call, struct spipe *s, char *why, size_t size)
{
    struct spipe_port_statistics st[PORTS_MAX];
    int n = read_ports(s, st, why, size);
    cJSON *array;

    if (n < 0)
        return n;
    array = call->json ? cJSON_AddArrayToObject(call->json, "ports") : NULL;
    if (!array)
        printf("PORT  %-18s  %-7s  %-4s  %-8s  %-10s  %s\n", "WWPN", "LINK", "USED", "PORT ID",
               "FC STATUS", "FC ERROR");
    for (int i = 0; i < n; i++)
        if (array)
            add_port(array, (unsigned)i, &st[i]);
        else
            print_port((unsigned)i, &st[i]);
    return 0;
}

/* ---- list -------------------------------------------------------------------------------------
 */

static const struct option_spec specs[] = {
    MEDIA_PATH_ROW(struct media_call, options, "media file of the adapter, which stays as it is"),
    PARAM_OPTION_ROWS(struct media_call, options.param),
    MEDIA_JSON_ROW(struct media_call, options),
};

static const struct option_set list_set = {
    .command = "port list",
    .operands = "",
    .required = "media",
    .summary = "Lists the FC ports of a simulated adapter.",
    .notes = "WWPN is the name that the port has, USED tells whether commands may go through it.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

static int list_body(struct session *s, void *arg, char *why, size_t size)
{
    return tell(arg, s->spipe[0], why, size);
}

static int cmd_port_list(int argc, char **argv)
{
    static const struct media_command m = {&list_set, SESSION_MEDIA_READ, 0, list_body};
    static struct media_call call;

    return media_command(&m, &call, argc, argv);
}

/* ---- statistics -------------------------------------------------------------------------------
 */

static const struct option_set statistics_set = {
    .command = "port statistics",
    .operands = "",
    .required = "media",
    .summary = "Shows what a simulated adapter has counted for each of its FC ports.",
    .notes = "The counters begin with the command: what is shown is its bring-up.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

static void print_statistics(const struct spipe_port_statistics *st, int n)
{
    printf("%-22s", "STATISTIC");
    for (int p = 0; p < n; p++)
        printf("  %11s %d", "PORT", p);
    for (unsigned i = 0; i < SPIPE_PORT_STATISTICS; i++) {
        printf("\n%-22s", spipe_port_statistic_name(i));
        for (int p = 0; p < n; p++)
            printf("  %13" PRIu64, st[p].value[i]);
    }
    printf("\n");
}

static int statistics_body(struct session *s, void *arg, char *why, size_t size)
{
    struct media_call *call = arg;
    struct spipe_port_statistics st[PORTS_MAX];
    int n;

    if (call->json)
        return tell(call, s->spipe[0], why, size);
    n = read_ports(s->spipe[0], st, why, size);
    if (n < 0)
        return n;
    print_statistics(st, n);
    return 0;
}

static int cmd_port_statistics(int argc, char **argv)
{
    static const struct media_command m = {&statistics_set, SESSION_MEDIA_READ, 0, statistics_body};
    static struct media_call call;

    return media_command(&m, &call, argc, argv);
}

/* ---- set --------------------------------------------------------------------------------------
 */

struct port_set {
    struct media_call call;
    uint64_t port;
    int (*verb)(struct spipe *s, unsigned port);
};

static const struct option_set set_set = {
    .command = "port set",
    .operands = "N STATE",
    .operand_count = 2,
    .required = "media",
    .summary = "Takes port N offline or online by hand, or resets its link, and lists the ports "
               "then.\nSTATE is offline, online or reset.",
    .notes = "A port that is offline begins online again with the next command: nothing of it "
             "stays\nin the media file.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

static const struct {
    const char *word;
    int (*verb)(struct spipe *s, unsigned port);
} states[] = {
    {"offline", spipe_port_offline}, {"online", spipe_port_online}, {"reset", spipe_port_reset}};

static int check_set(struct port_set *p)
{
    const char *port = p->call.rest.operand[0], *state = p->call.rest.operand[1];

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(states); i++)
        if (!strcmp(states[i].word, state))
            p->verb = states[i].verb;
    if (!p->verb)
        return command_fail(&set_set, COMMAND_USAGE,
                            "'%s' is no state of a port: it must be offline, online or reset",
                            state);
    if (option_value_count(port, &p->port) || p->port >= PORTS_MAX)
        return command_fail(&set_set, COMMAND_USAGE, "'%s' is no port: it must be 0 to %d", port,
                            PORTS_MAX - 1);
    return COMMAND_GOOD;
}

static int set_body(struct session *s, void *arg, char *why, size_t size)
{
    struct port_set *p = arg;
    int rc = p->verb(s->spipe[0], (unsigned)p->port);

    if (rc == -EINVAL)
        snprintf(why, size, "the adapter has no port %u: 'superpipe port list' shows what there is",
                 (unsigned)p->port);
    else if (rc == -ETIMEDOUT)
        snprintf(why, size, "port %u is not %s: its link did not get there in ten seconds",
                 (unsigned)p->port, p->call.rest.operand[1]);
    else if (rc)
        snprintf(why, size, "port %u: %s", (unsigned)p->port, strerror(-rc));
    return rc ? rc : tell(&p->call, s->spipe[0], why, size);
}

static int cmd_port_set(int argc, char **argv)
{
    static const struct media_command m = {&set_set, SESSION_MEDIA_READ, 0, set_body};
    static struct port_set p;
    int code;

    if (!media_command_begin(&m, &p.call, argc, argv, &code))
        return code;
    code = check_set(&p);
    return code ? code : media_command_finish(&m, &p.call);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static const struct command commands[] = {
    {"list", cmd_port_list, "list the ports: name, link, whether commands may use them"},
    {"statistics", cmd_port_statistics, "show what the adapter has counted for each port"},
    {"set", cmd_port_set, "take a port offline or online by hand, or reset its link"},
};

static const struct command_group group = {
    .words = "superpipe port",
    .manual = "superpipe-port",
    .summary = "The FC ports of a simulated adapter whose flash is one file.",
    .commands = commands,
    .count = HAL_ARRAY_LENGTH(commands),
};

int cmd_port(int argc, char **argv) { return command_group_run(&group, argc, argv); }
