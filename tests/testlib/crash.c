/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/crash.h"

#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

enum { EXHAUSTIVE_MAX = 16 };

/* ---- pieces ---- */

static void insert_piece(struct crash *c, size_t at, struct crash_piece piece)
{
    if (piece.n == 0)
        return;
    if (c->pieces == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 64;
        c->piece = realloc(c->piece, c->capacity * sizeof c->piece[0]);
        CHECK(c->piece);
    }
    memmove(c->piece + at + 1, c->piece + at, (c->pieces - at) * sizeof c->piece[0]);
    c->piece[at] = piece;
    c->pieces++;
}

/* The part of a piece in [from, to). */
static struct crash_piece part(const struct crash_piece *p, uint64_t from, uint64_t to)
{
    uint64_t first = hal_max64(p->offset, from), end = hal_min64(p->offset + p->n, to);

    return (struct crash_piece){
        .offset = first,
        .n = first < end ? (size_t)(end - first) : 0,
        .bytes = p->bytes + (first - p->offset),
        .doomed = p->doomed,
    };
}

static bool overlap(const struct crash_piece *a, const struct crash_piece *b)
{
    return a->offset < b->offset + b->n && b->offset < a->offset + a->n;
}

static void remove_piece(struct crash *c, size_t at)
{
    c->pieces--;
    memmove(c->piece + at, c->piece + at + 1, (c->pieces - at) * sizeof c->piece[0]);
}

/* `durable` is on the medium: whatever was open there before is not any more. */
static void cut_doomed(struct crash *c, const struct crash_piece *durable)
{
    for (size_t i = 0; i < c->pieces;) {
        struct crash_piece old = c->piece[i];
        size_t before;

        if (!old.doomed || !overlap(&old, durable)) {
            i++;
            continue;
        }
        before = c->pieces;
        remove_piece(c, i);
        insert_piece(c, i, part(&old, durable->offset + durable->n, UINT64_MAX));
        insert_piece(c, i, part(&old, 0, durable->offset));
        i += c->pieces + 1 - before;
    }
}

/* ---- events ---- */

static void take_write(struct crash *c, const struct fake_area_event *e)
{
    struct crash_piece all = {.offset = e->offset, .n = e->n, .bytes = e->bytes};
    uint64_t end = e->offset + e->n;

    for (uint64_t at = e->offset, next; at < end; at = next) {
        next = hal_min64(end, (at / FAKE_AREA_SECTOR + 1) * FAKE_AREA_SECTOR);
        insert_piece(c, c->pieces, part(&all, at, next));
    }
    memcpy(c->seen + e->offset, e->bytes, e->n);
}

static void take_sync(struct crash *c)
{
    size_t first = 0, count = c->pieces;
    struct crash_piece *durable;

    while (first < count && c->piece[first].doomed)
        first++;
    count -= first;
    if (count == 0)
        return;
    durable = malloc(count * sizeof *durable);
    CHECK(durable);
    memcpy(durable, c->piece + first, count * sizeof *durable);
    c->pieces = first;
    for (size_t i = 0; i < count; i++) {
        memcpy(c->base + durable[i].offset, durable[i].bytes, durable[i].n);
        cut_doomed(c, &durable[i]);
    }
    free(durable);
}

void crash_event(struct crash *c, const struct fake_area_event *e)
{
    if (e->n)
        take_write(c, e);
    else if (!e->failed)
        take_sync(c);
    for (size_t i = 0; e->failed && !c->patient && i < c->pieces; i++)
        c->piece[i].doomed = true;
}

/* ---- images ---- */

static void hand_out(struct crash *c, crash_fn fn, void *arg)
{
    c->images++;
    fn(arg, c->image);
}

void crash_each_kill(struct crash *c, const struct fake_area_event *e,
                     const struct crash_effort *effort, crash_fn fn, void *arg)
{
    for (size_t keep = 0; keep < e->n; keep += effort->step) {
        memcpy(c->image, c->seen, c->size);
        memcpy(c->image + e->offset, e->bytes, keep);
        hand_out(c, fn, arg);
    }
}

/* Whether it can make a difference if the medium has piece `at`. */
static bool matters(const struct crash *c, size_t at)
{
    const struct crash_piece *p = &c->piece[at];

    if (memcmp(c->base + p->offset, p->bytes, p->n))
        return true;
    for (size_t i = 0; i < c->pieces; i++)
        if (i != at && overlap(&c->piece[i], p))
            return true;
    return false;
}

/* The pieces that matter, in order of writing, in memory of the caller's own. */
static struct crash_piece *choose(const struct crash *c, size_t *count)
{
    struct crash_piece *open = malloc((c->pieces + 1) * sizeof *open);

    CHECK(open);
    *count = 0;
    for (size_t i = 0; i < c->pieces; i++)
        if (matters(c, i))
            open[(*count)++] = c->piece[i];
    return open;
}

/* The pieces of `kept`, one of them (or none: `count`) cut to [from, to). */
static void build(struct crash *c, const struct crash_piece *open, size_t count, uint64_t kept,
                  size_t torn, size_t from, size_t to)
{
    memcpy(c->image, c->base, c->size);
    for (size_t i = 0; i < count; i++) {
        if (!(kept & HAL_BIT(i)))
            continue;
        if (i == torn)
            memcpy(c->image + open[i].offset + from, open[i].bytes + from, to - from);
        else
            memcpy(c->image + open[i].offset, open[i].bytes, open[i].n);
    }
}

static void each_tear(struct crash *c, const struct crash_piece *open, size_t count, uint64_t kept,
                      unsigned step, crash_fn fn, void *arg)
{
    for (size_t i = 0; i < count; i++) {
        if (!(kept & HAL_BIT(i)))
            continue;
        for (size_t at = 1; at < open[i].n; at += step) {
            build(c, open, count, kept, i, 0, at);
            hand_out(c, fn, arg);
            build(c, open, count, kept, i, at, open[i].n);
            hand_out(c, fn, arg);
        }
    }
}

/* With many sets, a piece is torn in fewer places. */
static void each_set(struct crash *c, const struct crash_piece *open, size_t count, unsigned step,
                     crash_fn fn, void *arg)
{
    if (count > 2)
        step <<= count - 2;
    for (uint64_t kept = 0; kept < HAL_BIT(count); kept++) {
        build(c, open, count, kept, count, 0, 0);
        hand_out(c, fn, arg);
        each_tear(c, open, count, kept, step, fn, arg);
    }
}

/* Few are lost, few survive, or any; then each may be torn, from either side. */
static void sample(struct crash *c, const struct crash_piece *open, size_t count,
                   struct hal_prng *prng)
{
    uint64_t of16 = (uint64_t[]){1, 8, 15}[hal_prng_below(prng, 3)];
    bool tears = hal_prng_below(prng, 2);

    memcpy(c->image, c->base, c->size);
    for (size_t i = 0; i < count; i++) {
        size_t cut = tears && hal_prng_below(prng, 4) == 0 ? hal_prng_below(prng, open[i].n) : 0;
        size_t from = cut && hal_prng_below(prng, 2) ? cut : 0;
        size_t to = cut && !from ? cut : open[i].n;

        if (hal_prng_below(prng, 16) < of16)
            memcpy(c->image + open[i].offset + from, open[i].bytes + from, to - from);
    }
}

void crash_each_loss(struct crash *c, const struct crash_effort *effort, crash_fn fn, void *arg)
{
    size_t count;
    struct crash_piece *open = choose(c, &count);

    CHECK(effort->exhaustive <= EXHAUSTIVE_MAX);
    if (count <= effort->exhaustive) {
        each_set(c, open, count, effort->step, fn, arg);
    } else {
        for (unsigned i = 0; i < effort->samples; i++) {
            sample(c, open, count, effort->prng);
            hand_out(c, fn, arg);
        }
    }
    free(open);
}

/* ---- begin and end ---- */

void crash_init(struct crash *c, const unsigned char *start, uint64_t size)
{
    *c = (struct crash){
        .size = size, .base = malloc(size), .seen = malloc(size), .image = malloc(size)};
    CHECK(c->base && c->seen && c->image);
    memcpy(c->base, start, size);
    memcpy(c->seen, start, size);
}

void crash_fini(struct crash *c)
{
    free(c->base);
    free(c->seen);
    free(c->image);
    free(c->piece);
}
