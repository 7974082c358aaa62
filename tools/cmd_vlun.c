/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe vlun: the requests on virtual LUNs, one by one, on a media file or a card. Those that
 * change something; cmd_vlun_show.c has the others. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/cmd_vlun_show.h"
#include "tools/command.h"
#include "tools/command_group.h"
#include "tools/lun_choice.h"
#include "tools/media_command.h"
#include "tools/named_vlun.h"
#include "tools/session_names.h"
#include "tools/text.h"
#include "tools/vlun_handle.h"

/* One request. */
struct vlun {
    struct media_call call;
    uint64_t size; /* options */
    struct lun_choice lun;
    struct session *session;
    struct vlun_handle handle;
    struct named_vlun named; /* what the name meant before */
    char *why;
    size_t why_size;
};

#define PATH_ROW MEDIA_PATH_ROW(struct vlun, call.options, "media file of the adapter")
#define SIZE_ROW                                                                                   \
    {                                                                                              \
        .name = "size", .value = "SIZE", .kind = OPTION_SIZE,                                      \
        .offset = offsetof(struct vlun, size), .max = SIM_MEDIA_LUN_BYTES_MAX,                     \
        .help = "how large it is to be; rounded up to whole chunks"                                \
    }
#define ADAPTER_ROWS                                                                               \
    MEDIA_ADAPTER_ROWS(struct vlun, call.options),                                                 \
        PARAM_OPTION_ROWS(struct vlun, call.options.param)
#define QUIET_ROW MEDIA_QUIET_ROW(struct vlun, call.options)

static const char *name_of(const struct vlun *v) { return v->call.rest.operand[0]; }

/* Says "2 chunks, 512 MiB, last LBA 131071". */
static void say_size(struct vlun *v, uint64_t blocks, uint64_t chunk_bytes)
{
    uint64_t bytes = blocks * SPIPE_API_BLOCK, chunks = bytes / chunk_bytes;
    char count[TEXT_BYTES], size[TEXT_BYTES];

    text_append(v->call.said, sizeof v->call.said, "%s chunk%s, %s", text_count(count, chunks),
                chunks == 1 ? "" : "s", text_size(size, bytes));
    if (blocks)
        text_append(v->call.said, sizeof v->call.said, ", last LBA %llu",
                    (unsigned long long)blocks - 1);
}

/* A smaller grant is success, but it is said (SP-64). */
static void say_if_partial(struct vlun *v)
{
    char asked[TEXT_BYTES];

    if (v->handle.blocks * SPIPE_API_BLOCK < v->size)
        text_append(v->call.said, sizeof v->call.said, " (of %s asked for: LUN %u has no more)",
                    text_size(asked, v->size), v->handle.lun);
}

/* ---- on a context -----------------------------------------------------------------------------
 */

/* Does something with a context on a LUN. What fails last is not worth a sentence of its own if
 * something failed before. */
static int on_lun(struct vlun *v, unsigned lun, int (*act)(struct vlun *v))
{
    int rc = vlun_handle_begin(&v->handle, v->session->spipe[0], lun, 0), end;

    if (rc)
        snprintf(v->why, v->why_size, "LUN %u cannot be attached (%s)", lun, strerror(-rc));
    else
        rc = act(v);
    end = vlun_handle_end(&v->handle);
    if (end && !rc)
        snprintf(v->why, v->why_size, "the virtual LUN cannot be released (%s)", strerror(-end));
    return rc ? rc : end;
}

/* The same with the virtual LUN of the first operand open. */
static int on_name(struct vlun *v, int (*act)(struct vlun *v))
{
    int rc = named_vlun_reach(v->session, name_of(v), &v->named, v->why, v->why_size);

    if (rc)
        return rc;
    return on_lun(v, (unsigned)v->named.lun, act);
}

static int open_name(struct vlun *v)
{
    int rc = vlun_handle_open(&v->handle, name_of(v));

    if (rc)
        snprintf(v->why, v->why_size, "virtual LUN '%s' cannot be opened (%s)", name_of(v),
                 strerror(-rc));
    return rc;
}

/* Begins a body: what the functions above need stands in one place then. */
static struct vlun *request(struct session *s, void *arg, char *why, size_t size)
{
    struct vlun *v = arg;

    v->session = s;
    v->why = why;
    v->why_size = size;
    return v;
}

/* ---- create -----------------------------------------------------------------------------------
 */

static const struct option_spec create_specs[] = {
    MEDIA_PATH_ROW(struct vlun, call.options, "media file of the adapter, made when missing"),
    SIZE_ROW,
    LUN_CHOICE_ROWS(struct vlun, lun),
    MEDIA_LUN_SIZE_ROW(struct vlun, call.options.lun_bytes),
    ADAPTER_ROWS,
    QUIET_ROW,
};

static const struct option_set create_set = {
    .command = "vlun create",
    .operands = "NAME",
    .operand_count = 1,
    .required = "size " MEDIA_OR_CARD,
    .summary = "Opens a new virtual LUN (DK_CXLFLASH_USER_VIRTUAL) and calls it NAME, so that it "
               "stays\nwhen the program ends.",
    .notes = "A chunk has 65536 blocks of the LUN: 256 MiB with blocks of 4096 bytes. If the LUN\n"
             "has less free than SIZE, NAME gets what there is, and that is said; with nothing\n"
             "free the command fails. Size 0 is allowed. The last LBA counts blocks of 4096 bytes.",
    .specs = create_specs,
    .count = HAL_ARRAY_LENGTH(create_specs),
};

static int create_failed(struct vlun *v, int rc)
{
    if (rc == -ENOSPC)
        snprintf(v->why, v->why_size,
                 "LUN %u has no free chunk: release virtual LUNs that are not needed "
                 "('superpipe vlun list' shows them), or use another LUN",
                 v->handle.lun);
    else
        snprintf(v->why, v->why_size, "a virtual LUN cannot be opened (%s)", strerror(-rc));
    return rc;
}

static int create_on(struct vlun *v)
{
    struct vlun_handle *h = &v->handle;
    struct spipe_lun_info lun;
    int rc = vlun_handle_create(h, hal_div_up(v->size, SPIPE_API_BLOCK));

    if (rc)
        return create_failed(v, rc);
    rc = named_vlun_set(v->session, h->ctx, h->handle, name_of(v), 0, v->why, v->why_size);
    if (rc)
        return rc;
    rc = spipe_lun_info(v->session->spipe[0], h->lun, &lun);
    if (rc)
        return create_failed(v, rc);
    snprintf(v->call.said, sizeof v->call.said, "%s created on LUN %u: ", name_of(v), h->lun);
    say_size(v, h->blocks, (uint64_t)SPIPE_CHUNK_BLOCKS * lun.block_size);
    say_if_partial(v);
    text_append(v->call.said, sizeof v->call.said, "\n");
    return 0;
}

static int create_body(struct session *s, void *arg, char *why, size_t size)
{
    struct vlun *v = request(s, arg, why, size);
    uint64_t room;
    unsigned lun;
    int rc = named_vlun_check_free(s, name_of(v), why, size);

    if (!rc)
        rc = lun_choice_make(s, &v->lun, &lun, &room, why, size);
    return rc ? rc : on_lun(v, lun, create_on);
}

static int create(int argc, char **argv)
{
    static const struct media_command m = {&create_set, SESSION_MEDIA_MAKE, 1, create_body};
    static struct vlun v = {.call.options.lun_bytes = MEDIA_NEW_LUN_BYTES};

    return media_command(&m, &v.call, argc, argv);
}

/* ---- resize -----------------------------------------------------------------------------------
 */

static const struct option_spec resize_specs[] = {
    PATH_ROW,
    SIZE_ROW,
    ADAPTER_ROWS,
    QUIET_ROW,
};

static const struct option_set resize_set = {
    .command = "vlun resize",
    .operands = "NAME",
    .operand_count = 1,
    .required = "size " MEDIA_OR_CARD,
    .summary = "Grows or shrinks the virtual LUN called NAME (DK_CXLFLASH_VLUN_RESIZE).",
    .notes =
        "Chunks are added and cut off at the end; what lies before stays. If the LUN has less\n"
        "free than is needed, NAME gets what there is, and that is said; with nothing free\n"
        "the command fails. If NAME gets smaller than what was put into it, 'superpipe get'\n"
        "gives the part that is left: what was cut off is gone, even if NAME grows again.",
    .specs = resize_specs,
    .count = HAL_ARRAY_LENGTH(resize_specs),
};

static int resize_failed(struct vlun *v, int rc)
{
    struct spipe_lun_info lun;

    if (rc == -ENOSPC && !spipe_lun_info(v->session->spipe[0], v->handle.lun, &lun) &&
        !lun.free_chunks) {
        snprintf(v->why, v->why_size,
                 "'%s' cannot grow, LUN %u has no free chunk: release virtual LUNs that are not "
                 "needed ('superpipe vlun list' shows them)",
                 name_of(v), v->handle.lun);
        return rc;
    }
    snprintf(v->why, v->why_size, "the new size of '%s' cannot be recorded in '%s' (%s)",
             name_of(v), session_names_where(v->session), strerror(-rc));
    session_explain_names_full(v->session, v->why, v->why_size);
    return rc;
}

static void say_cut(struct vlun *v, uint64_t bytes)
{
    char before[TEXT_BYTES], now[TEXT_BYTES];

    if (bytes < v->named.info.byte_length)
        text_append(v->call.said, sizeof v->call.said,
                    "of %s bytes that were put into it %s are left\n",
                    text_count(before, v->named.info.byte_length), text_count(now, bytes));
}

static int resize_open(struct vlun *v)
{
    struct spipe_name_info now = {0};
    unsigned lun;
    int rc = open_name(v);

    if (rc)
        return rc;
    rc = vlun_handle_resize(&v->handle, hal_div_up(v->size, SPIPE_API_BLOCK));
    if (!rc)
        rc = spipe_name_stat(v->session->spipe[0], name_of(v), &now, &lun);
    if (rc)
        return resize_failed(v, rc);
    snprintf(v->call.said, sizeof v->call.said, "%s was ", name_of(v));
    say_size(v, v->named.info.blocks, v->named.chunk_bytes);
    text_append(v->call.said, sizeof v->call.said, "; is ");
    say_size(v, v->handle.blocks, v->named.chunk_bytes);
    say_if_partial(v);
    text_append(v->call.said, sizeof v->call.said, "\n");
    say_cut(v, now.byte_length);
    return 0;
}

static int resize_body(struct session *s, void *arg, char *why, size_t size)
{
    return on_name(request(s, arg, why, size), resize_open);
}

static int resize(int argc, char **argv)
{
    static const struct media_command m = {&resize_set, SESSION_MEDIA_FILE, 1, resize_body};
    static struct vlun v;

    return media_command(&m, &v.call, argc, argv);
}

/* ---- clone ------------------------------------------------------------------------------------
 */

static const struct option_spec clone_specs[] = {
    PATH_ROW,
    ADAPTER_ROWS,
    QUIET_ROW,
};

static const struct option_set clone_set = {
    .command = "vlun clone",
    .operands = "NAME NEW",
    .operand_count = 2,
    .required = MEDIA_OR_CARD,
    .summary = "Makes NEW a second name for the chunks of NAME, as a clone of its handle shares "
               "them\n(DK_CXLFLASH_VLUN_CLONE): what is written through one is read through the "
               "other.",
    .notes = "Nothing is copied. A later resize of one does not change the other. 'superpipe put'\n"
             "gives its name chunks of its own, and what the other name means stays. A chunk is\n"
             "free again when no name has it any more.",
    .specs = clone_specs,
    .count = HAL_ARRAY_LENGTH(clone_specs),
};

static int clone_open(struct vlun *v)
{
    const char *clone = v->call.rest.operand[1];
    int rc = open_name(v);

    if (!rc)
        rc = named_vlun_set(v->session, v->handle.ctx, v->handle.handle, clone,
                            v->named.info.byte_length, v->why, v->why_size);
    if (rc == -EIO)
        text_append(v->why, v->why_size,
                    ": a chunk can have 255 names, so release one of them, unless it is the disk "
                    "of '%s' that fails",
                    session_names_where(v->session));
    if (rc)
        return rc;
    snprintf(v->call.said, sizeof v->call.said, "%s shares all of %s on LUN %u: ", clone,
             name_of(v), v->handle.lun);
    say_size(v, v->handle.blocks, v->named.chunk_bytes);
    text_append(v->call.said, sizeof v->call.said, "\n");
    return 0;
}

static int clone_body(struct session *s, void *arg, char *why, size_t size)
{
    struct vlun *v = request(s, arg, why, size);
    int rc = named_vlun_check_free(s, v->call.rest.operand[1], why, size);

    return rc ? rc : on_name(v, clone_open);
}

static int clone(int argc, char **argv)
{
    static const struct media_command m = {&clone_set, SESSION_MEDIA_FILE, 2, clone_body};
    static struct vlun v;

    return media_command(&m, &v.call, argc, argv);
}

/* ---- release ----------------------------------------------------------------------------------
 */

static const struct option_spec release_specs[] = {
    PATH_ROW,
    ADAPTER_ROWS,
    QUIET_ROW,
};

static const struct option_set release_set = {
    .command = "vlun release",
    .operands = "NAME",
    .operand_count = 1,
    .required = MEDIA_OR_CARD,
    .summary = "Gives the virtual LUN called NAME up (DK_CXLFLASH_RELEASE): the name is gone, and "
               "those\nof its chunks that nothing else shares are free again.",
    .notes = "'superpipe remove' does the same.",
    .specs = release_specs,
    .count = HAL_ARRAY_LENGTH(release_specs),
};

static int release_body(struct session *s, void *arg, char *why, size_t size)
{
    struct vlun *v = request(s, arg, why, size);
    struct named_vlun_freed freed;
    char count[TEXT_BYTES], all[TEXT_BYTES];
    int rc = named_vlun_remove(s, name_of(v), &freed, why, size);

    if (rc)
        return rc;
    snprintf(v->call.said, sizeof v->call.said, "%s released, %s of its %s chunks free again\n",
             name_of(v), text_count(count, freed.freed), text_count(all, freed.chunks));
    named_vlun_say_taken(s, &freed, v->call.said, sizeof v->call.said);
    return 0;
}

static int release(int argc, char **argv)
{
    static const struct media_command m = {&release_set, SESSION_MEDIA_FILE, 1, release_body};
    static struct vlun v;

    return media_command(&m, &v.call, argc, argv);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static const struct command commands[] = {
    {"create", create, "open a new virtual LUN and give it a name"},
    {"resize", resize, "grow or shrink a named virtual LUN"},
    {"clone", clone, "share the chunks of one under a second name"},
    {"release", release, "give up a named virtual LUN and its chunks"},
    {"list", cmd_vlun_list, "list the named virtual LUNs with their chunks"},
    {"stat", cmd_vlun_stat, "tell everything about one of them"},
};

static const struct command_group group = {
    .words = "superpipe vlun",
    .manual = "superpipe-vlun",
    .summary = "Requests on virtual LUNs, one by one, on a simulated adapter whose flash is one "
               "file,\nor on a card. A virtual LUN that outlives the program has a name.",
    .commands = commands,
    .count = HAL_ARRAY_LENGTH(commands),
};

int cmd_vlun(int argc, char **argv) { return command_group_run(&group, argc, argv); }
