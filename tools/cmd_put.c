/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe put: a file into a named virtual LUN. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "tools/adapter_options.h"
#include "tools/command.h"
#include "tools/lun_choice.h"
#include "tools/media_command.h"
#include "tools/named_vlun.h"
#include "tools/progress.h"
#include "tools/session.h"
#include "tools/text.h"
#include "tools/transfer.h"

struct put_options {
    struct media_options media;
    struct lun_choice lun;
};

/* One put. */
struct put {
    struct put_options options;
    const char *file, *name;
    int fd;
    uint64_t size; /* of the input, 0 = not known */
    struct session session;
    struct transfer transfer;
    struct progress progress;
    uint64_t bytes; /* stored */
    unsigned lun;
    char why[SESSION_WHY_BYTES];
};

static const struct option_spec specs[] = {
    MEDIA_PATH_ROW(struct put_options, media, "media file of the adapter, made when missing"),
    MEDIA_LUN_SIZE_ROW(struct put_options, media.lun_bytes),
    MEDIA_ADAPTER_ROWS(struct put_options, media),
    LUN_CHOICE_ROWS(struct put_options, lun),
    MEDIA_QUIET_ROW(struct put_options, media),
};

static const struct option_set set = {
    .command = "put",
    .operands = "FILE NAME",
    .operand_count = 2,
    .required = MEDIA_OR_CARD,
    .summary =
        "Stores a file in the virtual LUN called NAME, on a simulated adapter whose flash is "
        "one file,\nor on a card.",
    .notes = "FILE - is standard input. What NAME held before is replaced in one step, once the\n"
             "new data are on the disk; NAME survives crashes with the old or the new contents.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

/* ---- input ------------------------------------------------------------------------------------
 */

/* Size of what can be measured; a pipe has none. */
static uint64_t measure(int fd, const struct stat *st)
{
    off_t end;

    if (S_ISREG(st->st_mode))
        return (uint64_t)st->st_size;
    if (!S_ISBLK(st->st_mode))
        return 0;
    end = lseek(fd, 0, SEEK_END);
    lseek(fd, 0, SEEK_SET);
    return end > 0 ? (uint64_t)end : 0;
}

static int open_input(struct put *p)
{
    bool standard = !strcmp(p->file, "-");
    struct stat st;

    p->fd = standard ? STDIN_FILENO : open(p->file, O_RDONLY | O_CLOEXEC);
    if (standard)
        p->file = "standard input";
    if (p->fd < 0 || fstat(p->fd, &st))
        return command_fail(&set, COMMAND_FAILED, "'%s' cannot be opened (%s)", p->file,
                            strerror(errno));
    if (S_ISDIR(st.st_mode))
        return command_fail(&set, COMMAND_FAILED,
                            "'%s' is a directory: name a file, or pipe an archive of it into -",
                            p->file);
    p->size = measure(p->fd, &st);
    return 0;
}

/* ---- storing ----------------------------------------------------------------------------------
 */

static int no_room(const struct put *p, uint64_t most, char *why, size_t size)
{
    const struct lun_choice *c = &p->options.lun;
    const char *path = c->by_number || c->guard.wwids ? NULL : p->options.media.path;
    char a[TEXT_BYTES], b[TEXT_BYTES], of[256] = "that may be used";

    if (path)
        snprintf(of, sizeof of, "of '%s'", path);
    snprintf(why, size,
             "'%s' has %s, but no LUN %s has more than %s left: remove names that are not needed "
             "or use another %s",
             p->file, p->size ? text_size(a, p->size) : "data", of, text_size(b, most),
             path ? "media file" : "LUN");
    return -ENOSPC;
}

static int choose_lun(struct put *p, char *why, size_t size)
{
    uint64_t most;
    int rc = lun_choice_make(&p->session, &p->options.lun, &p->lun, &most, why, size);

    if (rc)
        return rc;
    return most && most >= p->size ? 0 : no_room(p, most, why, size);
}

static int store(struct put *p, char *why, size_t size)
{
    struct transfer *t = &p->transfer;
    int rc = transfer_open_new(t, p->size);

    if (!rc)
        rc = transfer_in(t, p->fd, p->file);
    if (!rc && !p->size)
        rc = transfer_resize(t, t->bytes); /* gives back what was taken ahead */
    if (!rc)
        rc = named_vlun_keep(&p->session, &t->vlun, p->name, t->bytes, why, size);
    p->bytes = t->bytes;
    return rc;
}

static int body(struct session *s, void *arg, char *why, size_t size)
{
    struct put *p = arg;
    char ended[256] = "";
    int rc = choose_lun(p, why, size), end;

    if (rc)
        return rc;
    rc = transfer_begin(&p->transfer, s, &p->progress, p->lun, why, size);
    if (!rc)
        rc = store(p, why, size);
    p->transfer.why = ended;
    p->transfer.why_size = sizeof ended;
    end = transfer_end(&p->transfer);
    if (end && !rc)
        snprintf(why, size, "%s", ended);
    return rc ? rc : end;
}

static int open_session(struct put *p)
{
    struct session_config c = {
        .media = SESSION_MEDIA_MAKE,
        .path = {p->options.media.path},
        .luns = MEDIA_NEW_LUNS,
        .lun_bytes = p->options.media.lun_bytes,
    };

    adapter_options_apply(&p->options.media.adapter, &c);
    if (session_open(&c, &p->session, p->why, sizeof p->why))
        return command_fail(&set, COMMAND_FAILED, "%s", p->why);
    return 0;
}

/* The input must not be a file that the session works on. */
static int check_input(struct put *p)
{
    const char *kind;
    char input[32];

    snprintf(input, sizeof input, "/dev/fd/%d", p->fd);
    kind = session_file_kind(&p->session, input);
    if (!kind)
        return 0;
    session_close(&p->session);
    return command_fail(&set, COMMAND_USAGE, "'%s' is %s: name another file to be stored", p->file,
                        kind);
}

static int put(struct put *p)
{
    int rc = open_session(p);

    if (!rc)
        rc = check_input(p);
    if (rc)
        return rc;
    progress_start(&p->progress, "put", p->options.media.quiet);
    p->progress.total_bytes = p->size;
    rc = session_run(&p->session, body, p, p->why, sizeof p->why);
    progress_clear(&p->progress);
    session_close(&p->session);
    return rc ? command_fail(&set, COMMAND_FAILED, "%s", p->why) : 0;
}

static void say(const struct put *p)
{
    uint64_t span = progress_wall_ns() - p->progress.started_ns;
    char size[TEXT_BYTES], time[TEXT_BYTES];

    if (!p->options.media.quiet)
        printf("%s stored as %s on LUN %u in %s\n", text_size(size, p->bytes), p->name, p->lun,
               text_ns(time, span));
}

int cmd_put(int argc, char **argv)
{
    static struct put p = {.options.media.lun_bytes = MEDIA_NEW_LUN_BYTES};
    static struct option_rest rest;
    int code;

    if (!command_begin(&set, argc, argv, &p.options, &rest, &code))
        return code;
    p.file = rest.operand[0];
    p.name = rest.operand[1];
    if (adapter_options_check(&p.options.media.adapter, p.why, sizeof p.why) ||
        command_check_name(p.name, p.why, sizeof p.why))
        return command_fail(&set, COMMAND_USAGE, "%s", p.why);
    code = open_input(&p);
    if (!code)
        code = put(&p);
    if (!code)
        say(&p);
    return command_end(&set, code);
}
