/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of a world: the stretches of its arena and regions that are alive, copied out and back.
 * Much of an arena is tables with few entries in use, so longer runs of zeros are not copied but
 * noted, and written by a restore.
 *
 * Under AddressSanitizer the memory of fiber stacks and free blocks may not be read by ordinary
 * code, and its marks (one shadow byte for 8 bytes) belong to the state: both are copied by a
 * function that the sanitizer does not see. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/sanitizer.h"
#include "sim/world.h"
#include "sim/world_internal.h"

/* One stretch of memory that is copied, and how many zeros came behind it. */
struct piece {
    unsigned char *at;
    size_t size, zeros;
};

struct sim_snapshot {
    struct sim_world *world;
    unsigned region_count;
    struct sim_world_region regions[SIM_WORLD_REGIONS_MAX];
    size_t piece_count, piece_room, data_size;
    struct piece *pieces;
    unsigned char *data; /* the copies, one after the other */
};

#if SIM_ASAN
/* volatile keeps the compiler from making this a memcpy, which would be checked. */
__attribute__((no_sanitize_address)) static void copy_raw(void *to, const void *from, size_t size)
{
    bool words = (((uintptr_t)to | (uintptr_t)from) & 7) == 0;
    size_t done = words ? size & ~(size_t)7 : 0;

    for (size_t i = 0; i < done / 8; i++)
        ((volatile uint64_t *)to)[i] = ((const volatile uint64_t *)from)[i];
    for (size_t i = done; i < size; i++)
        ((volatile unsigned char *)to)[i] = ((const volatile unsigned char *)from)[i];
}

static unsigned char *shadow_of(void *p)
{
    size_t scale, offset;

    __asan_get_shadow_mapping(&scale, &offset);
    CHECK(scale == 3);
    return (unsigned char *)(((uintptr_t)p >> scale) + offset);
}
#else
static void copy_raw(void *to, const void *from, size_t size) { memcpy(to, from, size); }
#endif

static size_t shadow_size(size_t size) { return SIM_ASAN ? (size + 7) / 8 : 0; }

/* What the copy of a piece takes in the snapshot: words stay aligned. */
static size_t copy_size(size_t size)
{
    return hal_align_up(size, 16) + hal_align_up(shadow_size(size), 16);
}

static void save(const struct piece *p, unsigned char *copy)
{
    copy_raw(copy, p->at, p->size);
#if SIM_ASAN
    copy_raw(copy + hal_align_up(p->size, 16), shadow_of(p->at), shadow_size(p->size));
#endif
}

static void load(const struct piece *p, const unsigned char *copy)
{
    copy_raw(p->at, copy, p->size);
#if SIM_ASAN
    copy_raw(shadow_of(p->at), copy + hal_align_up(p->size, 16), shadow_size(p->size));
#else
    memset(p->at + p->size, 0, p->zeros);
#endif
}

static bool snapshots_work(void)
{
#if SIM_ASAN
    return !__asan_get_current_fake_stack();
#else
    return true;
#endif
}

static void sort_holes(struct sim_world_hole *h, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct sim_world_hole moving = h[i];
        size_t k = i;

        for (; k > 0 && h[k - 1].start > moving.start; k--)
            h[k] = h[k - 1];
        h[k] = moving;
    }
}

/* Asks everybody; at most `room` stretches are told. */
static size_t ask_holes(struct sim_world *w, struct sim_world_hole *h, size_t room)
{
    size_t n = sim_world__free_holes(w, h, room);

    for (unsigned i = 0; i < w->holes_count; i++) {
        bool any = n < room;

        n += w->holes[i].fn(w->holes[i].arg, any ? h + n : NULL, any ? room - n : 0);
    }
    return n;
}

/* The dead stretches of w, sorted, in a block that the caller frees. */
static int find_holes(struct sim_world *w, struct sim_world_hole **out, size_t *count)
{
    size_t room = 0, n;
    struct sim_world_hole *h = NULL;

    *out = NULL;
    *count = 0;
    if (SIM_ASAN)
        return 0;
    while ((n = ask_holes(w, h, room)) > room) {
        free(h);
        room = n;
        h = calloc(room, sizeof *h);
        if (!h)
            return -ENOMEM;
    }
    sort_holes(h, n);
    *out = h;
    *count = n;
    return 0;
}

#define PIECES_STEP 64

static int add_piece(struct sim_snapshot *s, const struct piece *p)
{
    if (s->piece_count == s->piece_room) {
        size_t room = s->piece_room + PIECES_STEP;
        struct piece *more = realloc(s->pieces, room * sizeof *more);

        if (!more)
            return -ENOMEM;
        s->pieces = more;
        s->piece_room = room;
    }
    s->pieces[s->piece_count++] = *p;
    s->data_size += copy_size(p->size);
    return 0;
}

/* Fewer zeros are copied: a piece of its own for what follows costs a good part of that. */
#define ZEROS_MIN 64

static bool zero_word(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word == 0;
}

/* Zeros from `at` on, in bytes, whole words. */
static size_t zeros_from(const unsigned char *at, size_t size)
{
    size_t n = 0;

    while (size - n >= 8 && zero_word(at + n))
        n += 8;
    return n;
}

/* Those before `end`, up to ZEROS_MIN. */
static size_t zeros_before(const unsigned char *end)
{
    size_t n = 0;

    while (n < ZEROS_MIN && zero_word(end - n - 8))
        n += 8;
    return n;
}

/* How many bytes come before the next zeros that need no copy. Backwards from the end of each
 * window, so that of what is not 0 hardly a word has to be looked at. AddressSanitizer would not
 * let us look at all. */
static size_t live_from(const unsigned char *at, size_t size)
{
    size_t n = 0;

    while (!SIM_ASAN && size - n >= ZEROS_MIN) {
        size_t zeros = zeros_before(at + n + ZEROS_MIN);

        if (zeros == ZEROS_MIN)
            return n;
        n += ZEROS_MIN - zeros;
    }
    return size;
}

static int add_stretch(struct sim_snapshot *s, unsigned char *at, const unsigned char *end)
{
    int rc = 0;

    while (at < end && rc == 0) {
        struct piece p = {.at = at, .size = live_from(at, (size_t)(end - at))};

        at += p.size;
        p.zeros = zeros_from(at, (size_t)(end - at));
        at += p.zeros;
        rc = add_piece(s, &p);
    }
    return rc;
}

/* What lies between the holes. */
static int add_arena(struct sim_snapshot *s, const struct sim_world_hole *h, size_t count)
{
    unsigned char *at = (unsigned char *)s->world;
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        unsigned char *hole = h[i].start;

        CHECK(hole >= at && sim_world_contains(s->world, hole, h[i].size));
        rc = add_stretch(s, at, hole);
        at = hole + h[i].size;
    }
    return rc ? rc : add_stretch(s, at, (unsigned char *)s->world + s->world->extent);
}

/* As they are: media are long, and what is written to them is seldom 0. */
static int add_regions(struct sim_snapshot *s)
{
    int rc = 0;

    for (unsigned i = 0; i < s->region_count && rc == 0; i++)
        rc = add_piece(s, &(struct piece){.at = s->regions[i].start, .size = s->regions[i].size});
    return rc;
}

static int save_pieces(struct sim_snapshot *s)
{
    unsigned char *copy;

    CHECK(s->data_size > 0); /* the head of the world is never all zeros */
    copy = s->data = malloc(s->data_size);
    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; i < s->piece_count; i++) {
        save(&s->pieces[i], copy);
        copy += copy_size(s->pieces[i].size);
    }
    return 0;
}

static int fill(struct sim_snapshot *s)
{
    struct sim_world_hole *holes;
    size_t count;
    int rc = find_holes(s->world, &holes, &count);

    if (rc)
        return rc;
    rc = add_arena(s, holes, count);
    free(holes);
    if (!rc)
        rc = add_regions(s);
    return rc ? rc : save_pieces(s);
}

int sim_world_snapshot(struct sim_world *w, struct sim_snapshot **out)
{
    struct sim_snapshot *s;
    int rc;

    CHECK(!w->fibers_run);
    if (w->pin_count)
        return -EBUSY;
    if (!snapshots_work())
        return -ENOTSUP;
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->world = w;
    s->region_count = w->region_count;
    memcpy(s->regions, w->regions, sizeof s->regions);
    rc = fill(s);
    if (rc) {
        sim_snapshot_destroy(s);
        return rc;
    }
    *out = s;
    return 0;
}

/* A region that is attached now and was not then would be lost; one that is gone cannot be
 * written to. */
static void check_same_regions(const struct sim_world *w, const struct sim_snapshot *snap)
{
    CHECK(w->region_count == snap->region_count);
    for (unsigned i = 0; i < snap->region_count; i++)
        CHECK(w->regions[i].start == snap->regions[i].start);
}

static void refill_holes(struct sim_world *w)
{
    for (unsigned i = 0; i < w->holes_count; i++)
        if (w->holes[i].refill)
            w->holes[i].refill(w->holes[i].arg);
}

void sim_world_restore(struct sim_world *w, const struct sim_snapshot *snap)
{
    const unsigned char *copy = snap->data;
    size_t touched = w->touched;

    CHECK(snap->world == w && !w->fibers_run && !w->pin_count);
    check_same_regions(w, snap);
    for (size_t i = 0; i < snap->piece_count; i++) {
        load(&snap->pieces[i], copy);
        copy += copy_size(snap->pieces[i].size);
    }
    w->touched = touched;
    refill_holes(w);
}

size_t sim_snapshot_size(const struct sim_snapshot *snap)
{
    return sizeof *snap + snap->piece_room * sizeof *snap->pieces + snap->data_size;
}

void sim_snapshot_destroy(struct sim_snapshot *snap)
{
    if (!snap)
        return;
    free(snap->data);
    free(snap->pieces);
    free(snap);
}

void sim_world_pin(struct sim_world *w, const char *why)
{
    CHECK(why && w->pin_count < SIM_WORLD_PINS_MAX);
    w->pins[w->pin_count++] = why;
}

void sim_world_unpin(struct sim_world *w, const char *why)
{
    unsigned i = 0;

    while (i < w->pin_count && strcmp(w->pins[i], why) != 0)
        i++;
    CHECK(i < w->pin_count);
    w->pin_count--;
    memmove(&w->pins[i], &w->pins[i + 1], (w->pin_count - i) * sizeof w->pins[0]);
}

const char *sim_world_pinned(const struct sim_world *w) { return w->pin_count ? w->pins[0] : NULL; }

int sim_world_attach_region(struct sim_world *w, void *ptr, size_t size)
{
    CHECK(ptr && ((uintptr_t)ptr & 15) == 0 && (size & 15) == 0);
    if (w->region_count == SIM_WORLD_REGIONS_MAX)
        return -ENOSPC;
    w->regions[w->region_count++] = (struct sim_world_region){ptr, size};
    return 0;
}

static unsigned find_region(const struct sim_world *w, const void *ptr)
{
    unsigned i = 0;

    while (i < w->region_count && w->regions[i].start != ptr)
        i++;
    CHECK(i < w->region_count);
    return i;
}

void sim_world_resize_region(struct sim_world *w, void *ptr, size_t size)
{
    CHECK((size & 15) == 0);
    w->regions[find_region(w, ptr)].size = size;
}

void sim_world_detach_region(struct sim_world *w, void *ptr)
{
    unsigned i = find_region(w, ptr);

    w->region_count--;
    memmove(&w->regions[i], &w->regions[i + 1], (w->region_count - i) * sizeof w->regions[0]);
}

void sim_world_add_holes(struct sim_world *w, sim_world_holes_fn *fn, sim_world_refill_fn *refill,
                         void *arg)
{
    CHECK(w->holes_count < SIM_WORLD_HOLES_MAX && sim_world_contains(w, arg, 1));
    w->holes[w->holes_count++] = (struct sim_world_holes){fn, refill, arg};
}

void sim_world_remove_holes(struct sim_world *w, const void *arg)
{
    unsigned i = 0;

    while (i < w->holes_count && w->holes[i].arg != arg)
        i++;
    CHECK(i < w->holes_count);
    w->holes[i] = w->holes[--w->holes_count];
}
