/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/fake_area.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

static struct fake_area *fake_of(struct hal_record_area *area)
{
    return HAL_CONTAINER_OF(area, struct fake_area, area);
}

static void remember(struct fake_area *fake, uint64_t offset, const void *buf, size_t n,
                     bool failed)
{
    struct fake_area_event *e;

    if (!fake->journaling)
        return;
    if (fake->events == fake->capacity) {
        fake->capacity = fake->capacity ? 2 * fake->capacity : 64;
        fake->event = realloc(fake->event, fake->capacity * sizeof fake->event[0]);
        CHECK(fake->event);
    }
    e = &fake->event[fake->events++];
    *e = (struct fake_area_event){.offset = offset, .n = n, .failed = failed};
    if (n) {
        e->bytes = malloc(n);
        CHECK(e->bytes);
        memcpy(e->bytes, buf, n);
    }
}

static bool fails_now(struct fake_area *fake)
{
    if (fake->fail_after == FAKE_AREA_NEVER)
        return false;
    if (fake->fail_after > 0) {
        fake->fail_after--;
        return false;
    }
    if (fake->fail_count == 0)
        return false;
    fake->fail_count--;
    return true;
}

static int fake_read(struct hal_record_area *area, uint64_t offset, void *buf, size_t n)
{
    struct fake_area *fake = fake_of(area);

    CHECK(offset <= area->size && n <= area->size - offset);
    if (fake->fail_reads)
        return -EIO;
    memcpy(buf, fake->bytes + offset, n);
    return 0;
}

static int fake_write(struct hal_record_area *area, uint64_t offset, const void *buf, size_t n)
{
    struct fake_area *fake = fake_of(area);
    bool fails = fails_now(fake);
    size_t stored = fails ? (size_t)hal_min64(n, fake->fail_keep) : n;

    CHECK(n > 0 && offset <= area->size && n <= area->size - offset);
    fake->writes++;
    fake->written_bytes += stored;
    if (stored) {
        memcpy(fake->bytes + offset, buf, stored);
        remember(fake, offset, buf, stored, false);
    }
    return fails ? fake->fail_rc : 0;
}

static int fake_sync(struct hal_record_area *area)
{
    struct fake_area *fake = fake_of(area);
    bool fails = fails_now(fake);

    fake->syncs++;
    remember(fake, 0, NULL, 0, fails);
    return fails ? -EIO : 0;
}

static const struct hal_record_area_ops fake_ops = {
    .read = fake_read,
    .write = fake_write,
    .sync = fake_sync,
};

static void forget(struct fake_area *fake)
{
    for (size_t i = 0; i < fake->events; i++)
        free(fake->event[i].bytes);
    fake->events = 0;
    fake->journaling = false;
}

void fake_area_init(struct fake_area *fake, uint64_t size)
{
    *fake = (struct fake_area){
        .area = {.ops = &fake_ops, .size = size},
        .bytes = calloc(1, size),
        .start = calloc(1, size),
        .fail_after = FAKE_AREA_NEVER,
        .fail_rc = -EIO,
    };
    CHECK(fake->bytes && fake->start);
}

void fake_area_fini(struct fake_area *fake)
{
    forget(fake);
    free(fake->event);
    free(fake->start);
    free(fake->bytes);
}

void fake_area_set(struct fake_area *fake, const unsigned char *image)
{
    forget(fake);
    memcpy(fake->bytes, image, fake->area.size);
}

void fake_area_journal(struct fake_area *fake)
{
    forget(fake);
    memcpy(fake->start, fake->bytes, fake->area.size);
    fake->journaling = true;
}

size_t fake_area_event_bytes(const struct fake_area *fake, size_t i)
{
    CHECK(i < fake->events);
    return fake->event[i].n;
}

void fake_area_torn(const struct fake_area *fake, size_t events, size_t keep, unsigned char *image)
{
    CHECK(events <= fake->events);
    memcpy(image, fake->start, fake->area.size);
    for (size_t i = 0; i < events; i++)
        if (fake->event[i].n)
            memcpy(image + fake->event[i].offset, fake->event[i].bytes, fake->event[i].n);
    if (keep) {
        CHECK(events < fake->events && keep <= fake->event[events].n);
        memcpy(image + fake->event[events].offset, fake->event[events].bytes, keep);
    }
}

/* The events from the last sync on, among the first `events`. */
static size_t first_unsynced(const struct fake_area *fake, size_t events)
{
    size_t i = events;

    while (i > 0 && (fake->event[i - 1].n || fake->event[i - 1].failed))
        i--;
    return i;
}

/* Bytes from `at` to the end of its sector, or of the event. */
static size_t piece_bytes(const struct fake_area_event *e, size_t at)
{
    uint64_t position = e->offset + at;

    return (size_t)hal_min64(FAKE_AREA_SECTOR - position % FAKE_AREA_SECTOR, e->n - at);
}

/* Goes through the pieces in order of writing and copies those in `kept` to image (if any). */
static unsigned each_piece(const struct fake_area *fake, size_t events, uint64_t kept,
                           unsigned char *image)
{
    unsigned piece = 0;

    for (size_t i = first_unsynced(fake, events); i < events; i++) {
        const struct fake_area_event *e = &fake->event[i];

        for (size_t at = 0; at < e->n; at += piece_bytes(e, at), piece++)
            if (image && (kept & HAL_BIT(piece)))
                memcpy(image + e->offset + at, e->bytes + at, piece_bytes(e, at));
    }
    return piece;
}

unsigned fake_area_pieces(const struct fake_area *fake, size_t events)
{
    CHECK(events <= fake->events);
    return each_piece(fake, events, 0, NULL);
}

void fake_area_lossy(const struct fake_area *fake, size_t events, uint64_t kept,
                     unsigned char *image)
{
    CHECK(fake_area_pieces(fake, events) <= 64);
    fake_area_torn(fake, first_unsynced(fake, events), 0, image);
    each_piece(fake, events, kept, image);
}
