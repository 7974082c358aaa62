/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe get: a named virtual LUN into a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "tools/adapter_options.h"
#include "tools/command.h"
#include "tools/media_command.h"
#include "tools/named_vlun.h"
#include "tools/output_file.h"
#include "tools/progress.h"
#include "tools/session.h"
#include "tools/text.h"
#include "tools/transfer.h"

/* One get. */
struct get {
    struct media_options options;
    const char *name, *file;
    struct output_file out;
    struct session session;
    struct transfer transfer;
    struct progress progress;
    char why[SESSION_WHY_BYTES];
};

static const struct option_spec specs[] = {
    MEDIA_PATH_ROW(struct get, options, "media file of the adapter, which stays as it is"),
    MEDIA_ADAPTER_ROWS(struct get, options),
    MEDIA_QUIET_ROW(struct get, options),
};

static const struct option_set set = {
    .command = "get",
    .operands = "NAME FILE",
    .operand_count = 2,
    .required = MEDIA_OR_CARD,
    .summary = "Copies the virtual LUN called NAME into a file, as many bytes as were put.",
    .notes = "FILE - is standard output. An existing FILE is replaced in one step, when all data\n"
             "have been read.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

static int copy(struct get *g, unsigned lun, uint64_t bytes, char *why, size_t size)
{
    struct transfer *t = &g->transfer;
    char ended[256] = "";
    int rc = transfer_begin(t, &g->session, &g->progress, lun, why, size), end;

    if (!rc)
        rc = transfer_open_name(t, g->name);
    if (!rc)
        rc = transfer_out(t, g->out.fd, bytes,
                          g->out.fd == STDOUT_FILENO ? "standard output" : g->file);
    t->why = ended;
    t->why_size = sizeof ended;
    end = transfer_end(t);
    if (end && !rc)
        snprintf(why, size, "%s", ended);
    return rc ? rc : end;
}

static int body(struct session *s, void *arg, char *why, size_t size)
{
    struct get *g = arg;
    struct named_vlun v;
    int rc = named_vlun_reach(s, g->name, &v, why, size);

    if (rc)
        return rc;
    rc = output_file_open(&g->out, g->file, why, size);
    if (rc)
        return rc;
    g->progress.total_bytes = v.info.byte_length;
    rc = copy(g, (unsigned)v.lun, v.info.byte_length, why, size);
    if (!rc)
        rc = output_file_commit(&g->out, why, size);
    output_file_close(&g->out);
    return rc;
}

static int open_session(struct get *g)
{
    struct session_config c = {.media = SESSION_MEDIA_READ, .path = {g->options.path}};
    const char *kind;

    adapter_options_apply(&g->options.adapter, &c);
    if (session_open(&c, &g->session, g->why, sizeof g->why))
        return command_fail(&set, COMMAND_FAILED, "%s", g->why);
    kind = session_file_kind(&g->session, g->file);
    if (!kind)
        return 0;
    session_close(&g->session);
    return command_fail(&set, COMMAND_USAGE, "'%s' is %s: name another file to write to", g->file,
                        kind);
}

static int get(struct get *g)
{
    int rc = open_session(g);

    if (rc)
        return rc;
    progress_start(&g->progress, "get", g->options.quiet);
    rc = session_run(&g->session, body, g, g->why, sizeof g->why);
    progress_clear(&g->progress);
    session_close(&g->session);
    return rc ? command_fail(&set, COMMAND_FAILED, "%s", g->why) : 0;
}

static void say(const struct get *g)
{
    uint64_t span = progress_wall_ns() - g->progress.started_ns;
    char size[TEXT_BYTES], time[TEXT_BYTES];

    if (!g->options.quiet && g->out.fd != STDOUT_FILENO)
        printf("%s of %s read into %s in %s\n", text_size(size, g->transfer.bytes), g->name,
               g->file, text_ns(time, span));
}

int cmd_get(int argc, char **argv)
{
    static struct get g;
    static struct option_rest rest;
    int code;

    if (!command_begin(&set, argc, argv, &g, &rest, &code))
        return code;
    g.name = rest.operand[0];
    g.file = rest.operand[1];
    if (adapter_options_check(&g.options.adapter, g.why, sizeof g.why) ||
        command_check_name(g.name, g.why, sizeof g.why))
        return command_fail(&set, COMMAND_USAGE, "%s", g.why);
    code = get(&g);
    if (!code && strcmp(g.file, "-"))
        say(&g);
    return command_end(&set, code);
}
