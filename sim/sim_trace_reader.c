/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_trace_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/crc32c.h"
#include "sim/sim_trace_format.h"
#include "sim/sim_trace_output.h"

#define ORDER SIM_TRACE_FILE_ORDER
#define DIFFERENCE_BYTES 20u /* that one takes at least */

/* What the file calls a kind, and what it is here. */
struct kind {
    struct sim_event_info info;
    uint16_t number; /* from SIM_EVENT_COUNT on: not known here */
};

struct sim_trace_reader {
    FILE *file;
    char *path;
    uint8_t *text; /* the head; the strings below point into it */
    size_t text_bytes;
    struct sim_trace_head head;
    struct sim_trace_difference *difference;
    struct kind *kind;
    unsigned kinds;
    uint64_t count, hash;
    bool ended, complete;
    const char *damage; /* what is wrong, NULL = nothing seen */
    char buffer[65536];
};

static __attribute__((format(printf, 5, 6))) int fail(int rc, char *why, size_t size,
                                                      const char *path, const char *format, ...)
{
    va_list args;
    int n;

    if (!why || !size)
        return rc;
    n = snprintf(why, size, "%s: ", path);
    if (n < 0 || (size_t)n >= size)
        return rc;
    va_start(args, format);
    vsnprintf(why + n, size - (size_t)n, format, args);
    va_end(args);
    return rc;
}

/* ---- head ---- */

/* The text of the head, from a place on. */
struct text {
    const uint8_t *at, *end;
};

/* The next string; NULL when there is none, or one with odd characters. */
static const char *take_text(struct text *t)
{
    const uint8_t *from = t->at;

    while (t->at < t->end && *t->at >= ' ' && *t->at <= '~')
        t->at++;
    if (t->at == t->end || *t->at)
        return NULL;
    t->at++;
    return (const char *)from;
}

static bool take(struct text *t, void *to, size_t n)
{
    if ((size_t)(t->end - t->at) < n)
        return false;
    memcpy(to, t->at, n);
    t->at += n;
    return true;
}

static bool same_kind(const struct sim_event_info *a, const struct sim_event_info *b)
{
    return !strcmp(a->name, b->name) && !strcmp(a->who, b->who) && !strcmp(a->a, b->a) &&
           !strcmp(a->b, b->b);
}

static uint16_t number_of(const struct sim_event_info *e, unsigned file_number)
{
    for (unsigned k = 0; k < SIM_EVENT_COUNT; k++)
        if (same_kind(e, &sim_event_table[k]))
            return (uint16_t)k;
    return (uint16_t)(SIM_EVENT_COUNT + file_number);
}

static bool take_kind(struct text *t, struct kind *kind, unsigned number)
{
    struct sim_event_info *e = &kind->info;

    if (!(e->name = take_text(t)) || !(e->track = take_text(t)) || !(e->who = take_text(t)) ||
        !(e->a = take_text(t)) || !(e->b = take_text(t)))
        return false;
    kind->number = number_of(e, number);
    return true;
}

static bool take_difference(struct text *t, struct sim_trace_difference *d, unsigned adapters)
{
    xe64_t value, dflt;
    xe16_t adapter;

    if (!take(t, &adapter, sizeof adapter) || !take(t, &value, sizeof value) ||
        !take(t, &dflt, sizeof dflt) || !(d->name = take_text(t)) || !(d->unit = take_text(t)))
        return false;
    d->adapter = xe16_get(ORDER, adapter);
    d->value = xe64_get(ORDER, value);
    d->dflt = xe64_get(ORDER, dflt);
    return d->adapter < adapters;
}

/* Tables of kinds and parameters. Returns 0, -ENOMEM or -EILSEQ. */
static int take_tables(struct sim_trace_reader *r)
{
    struct text t = {r->text + sizeof(struct sim_trace_file_head), r->text + r->text_bytes};

    r->kind = calloc(r->kinds, sizeof *r->kind);
    r->difference = calloc(r->head.differences + 1, sizeof *r->difference);
    if (!r->kind || !r->difference)
        return -ENOMEM;
    r->head.difference = r->difference;
    for (unsigned k = 0; k < r->kinds; k++)
        if (!take_kind(&t, &r->kind[k], k))
            return -EILSEQ;
    for (size_t i = 0; i < r->head.differences; i++)
        if (!take_difference(&t, &r->difference[i], r->head.adapters))
            return -EILSEQ;
    return 0;
}

/* Whether the numbers of the head are possible at all. */
static bool numbers_possible(const struct sim_trace_reader *r)
{
    const struct sim_trace_head *h = &r->head;

    return h->adapters && h->adapters <= SIM_TRACE_ADAPTERS_MAX && h->cycle_ns &&
           h->cycle_ns <= 1000000 && r->kinds && r->kinds <= SIM_TRACE_FILE_KINDS_MAX &&
           h->differences <= r->text_bytes / DIFFERENCE_BYTES;
}

/* What the checked fixed part says. Returns 0, -ENOMEM or -EILSEQ. */
static int take_head(struct sim_trace_reader *r, const struct sim_trace_file_head *h)
{
    if (xe32_get(ORDER, h->crc) !=
        hal_crc32c(0, r->text + SIM_TRACE_FILE_CRC_FROM, r->text_bytes - SIM_TRACE_FILE_CRC_FROM))
        return -EILSEQ;
    r->head.seed = xe64_get(ORDER, h->seed);
    r->head.cycle_ns = xe32_get(ORDER, h->cycle_ns);
    r->head.adapters = xe16_get(ORDER, h->adapters);
    r->head.differences = xe32_get(ORDER, h->differences);
    r->kinds = xe16_get(ORDER, h->kinds);
    if (xe32_get(ORDER, h->record_bytes) != sizeof(struct sim_trace_file_record) ||
        !numbers_possible(r))
        return -EILSEQ;
    return take_tables(r);
}

/* Reads n bytes. Returns 0, -EILSEQ at the end of the file, or the errno of reading. */
static int read_bytes(struct sim_trace_reader *r, void *to, size_t n)
{
    errno = 0;
    if (fread_unlocked(to, 1, n, r->file) == n)
        return 0;
    if (ferror_unlocked(r->file))
        return errno ? -errno : -EIO;
    return -EILSEQ;
}

/* The whole head into memory, behind its fixed part, which is there already. */
static int read_text(struct sim_trace_reader *r, const struct sim_trace_file_head *h)
{
    uint32_t bytes = xe32_get(ORDER, h->bytes);

    if (bytes < sizeof *h || bytes % 8 || bytes > SIM_TRACE_FILE_HEAD_MAX)
        return -EILSEQ;
    r->text = malloc(bytes);
    if (!r->text)
        return -ENOMEM;
    r->text_bytes = bytes;
    memcpy(r->text, h, sizeof *h);
    return read_bytes(r, r->text + sizeof *h, bytes - sizeof *h);
}

static int read_head(struct sim_trace_reader *r, char *why, size_t size)
{
    struct sim_trace_file_head h = {0};
    uint32_t version;
    int rc = read_bytes(r, &h, sizeof h);

    if (rc && rc != -EILSEQ)
        return fail(rc, why, size, r->path, "%s", strerror(-rc));
    if (rc || memcmp(h.magic, SIM_TRACE_FILE_MAGIC, SIM_TRACE_FILE_MAGIC_BYTES) != 0)
        return fail(-EILSEQ, why, size, r->path, "is no trace file of superpipe");
    version = xe32_get(ORDER, h.version);
    if (version > SIM_TRACE_FILE_VERSION)
        return fail(-ENOTSUP, why, size, r->path,
                    "has version %" PRIu32 " of the format, this superpipe reads up to %u", version,
                    SIM_TRACE_FILE_VERSION);
    rc = version ? read_text(r, &h) : -EILSEQ;
    if (!rc)
        rc = take_head(r, &h);
    if (rc == -EILSEQ)
        return fail(rc, why, size, r->path, "the head of the trace file is damaged");
    return rc ? fail(rc, why, size, r->path, "%s", strerror(-rc)) : 0;
}

int sim_trace_reader_open(const char *path, struct sim_trace_reader **out, char *why, size_t size)
{
    struct sim_trace_reader *r = calloc(1, sizeof *r);
    int rc;

    if (r)
        r->path = strdup(path);
    if (!r || !r->path) {
        sim_trace_reader_close(r);
        return fail(-ENOMEM, why, size, path, "%s", strerror(ENOMEM));
    }
    r->file = fopen(path, "re");
    if (!r->file) {
        rc = -errno;
        sim_trace_reader_close(r);
        return fail(rc, why, size, path, "%s", strerror(-rc));
    }
    setvbuf(r->file, r->buffer, _IOFBF, sizeof r->buffer);
    r->hash = HAL_HASH_START;
    rc = read_head(r, why, size);
    if (rc) {
        sim_trace_reader_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

const struct sim_trace_head *sim_trace_reader_head(const struct sim_trace_reader *r)
{
    return &r->head;
}

const struct sim_event_info *sim_trace_reader_kind(const struct sim_trace_reader *r, unsigned kind)
{
    return kind < SIM_EVENT_COUNT ? &sim_event_table[kind] : &r->kind[kind - SIM_EVENT_COUNT].info;
}

/* ---- records ---- */

/* The end mark must agree with what came before, and nothing may follow. */
static int take_end(struct sim_trace_reader *r, const struct sim_trace_file_record *end)
{
    r->ended = true;
    if (xe64_get(ORDER, end->a) != r->count || xe64_get(ORDER, end->b) != r->hash)
        r->damage = "its end mark does not fit";
    else if (getc_unlocked(r->file) != EOF)
        r->damage = "something follows its end mark";
    r->complete = !r->damage;
    return 0;
}

static int take_record(struct sim_trace_reader *r, const struct sim_trace_file_record *from,
                       struct sim_trace_record *to)
{
    unsigned kind = xe16_get(ORDER, from->kind);
    uint64_t hash;

    *to = (struct sim_trace_record){
        .cycle = xe64_get(ORDER, from->cycle),
        .adapter = xe16_get(ORDER, from->adapter),
        .who = xe32_get(ORDER, from->who),
        .a = xe64_get(ORDER, from->a),
        .b = xe64_get(ORDER, from->b),
    };
    hash = sim_trace_hash_add(r->hash, to->cycle,
                              sim_trace_id((uint16_t)kind, to->adapter, to->who), to->a, to->b);
    if (hash != xe64_get(ORDER, from->hash) || kind >= r->kinds ||
        to->adapter >= r->head.adapters) {
        r->ended = true;
        r->damage = "a record is damaged";
        return 0;
    }
    to->kind = r->kind[kind].number;
    r->hash = hash;
    r->count++;
    return 1;
}

int sim_trace_reader_next(struct sim_trace_reader *r, struct sim_trace_record *record)
{
    struct sim_trace_file_record from;
    int rc;

    if (r->ended)
        return 0;
    rc = read_bytes(r, &from, sizeof from);
    if (rc) {
        r->ended = true;
        return rc == -EILSEQ ? 0 : rc;
    }
    return xe16_get(ORDER, from.kind) == SIM_TRACE_FILE_END ? take_end(r, &from)
                                                            : take_record(r, &from, record);
}

uint64_t sim_trace_reader_count(const struct sim_trace_reader *r) { return r->count; }

uint64_t sim_trace_reader_hash(const struct sim_trace_reader *r) { return r->hash; }

int sim_trace_reader_end(const struct sim_trace_reader *r, char *why, size_t size)
{
    if (r->complete)
        return 0;
    if (r->damage)
        return fail(-EILSEQ, why, size, r->path,
                    "%s: only the %" PRIu64 " records before are sound", r->damage, r->count);
    return fail(-ENODATA, why, size, r->path,
                "was cut after %" PRIu64 " records: the end mark is "
                "missing",
                r->count);
}

void sim_trace_reader_close(struct sim_trace_reader *r)
{
    if (!r)
        return;
    if (r->file)
        fclose(r->file);
    free(r->kind);
    free(r->difference);
    free(r->text);
    free(r->path);
    free(r);
}
