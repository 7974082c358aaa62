/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vlun/quarantine.h"

#include <errno.h>
#include <string.h>

#include "core/lun/lun_mode.h"
#include "core/lun/lun_size.h"
#include "hal/afu_cmd.h"
#include "hal/support/check.h"

enum { FAILURES_MAX = 3 }; /* */

/* ---- in and out ---- */

void spipe__quarantine_enter(struct spipe *s, struct spipe__held *held)
{
    if (!held->pending || held->generation != spipe__generation(s))
        held->failures = 0;
    held->generation = spipe__generation(s);
    if (held->pending)
        return;
    spipe__books_lock(s);
    held->pending = true;
    spipe__lun_hold(held->lun->global);
    spipe__books_unlock(s);
}

/* Whether a part goes on, downwards, where the last one began: then they are one. */
static bool continues(const struct spipe__held *held, const struct spipe__held_part *part)
{
    const struct spipe__held_part *last;

    if (held->parts == 0)
        return false;
    last = &held->part[held->parts - 1];
    return !last->array.entry && last->entries == part->entries && last->first == part->last;
}

void spipe__quarantine_add(struct spipe__held *held, const struct spipe__held_part *part)
{
    CHECK(held->pending);
    if (continues(held, part)) {
        held->part[held->parts - 1].first = part->first;
        held->part[held->parts - 1].array = part->array;
        return;
    }
    CHECK(held->parts < SPIPE__HELD_PARTS);
    held->part[held->parts++] = *part;
}

/* Chunks before arrays: a part may name entries of an array that another part owns. */
static void free_parts(struct spipe *s, struct spipe__lun *lun, struct spipe__held_part *part,
                       unsigned parts)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);

    for (unsigned i = 0; i < parts; i++)
        spipe__lun_free_entries(s, lun->global, part[i].entries, part[i].first, part[i].last);
    for (unsigned i = 0; i < parts; i++)
        spipe__lxt_destroy(&home, &part[i].array);
}

/* From the first chunk on that is free, none of them is held any more. */
void spipe__quarantine_release(struct spipe *s, struct spipe__held *held)
{
    struct spipe__held_part part[SPIPE__HELD_PARTS];
    unsigned parts = held->parts;

    if (!held->pending)
        return;
    memcpy(part, held->part, sizeof part);
    held->parts = 0;
    free_parts(s, held->lun, part, parts);
    spipe__books_lock(s);
    held->pending = false;
    spipe__lun_unhold(s, held->lun->global);
    spipe__books_unlock(s);
}

void spipe__quarantine_failed(struct spipe *s, struct spipe__held *held)
{
    if (!held->pending)
        return;
    spipe__event(s, QUARANTINE_STUCK, held->context, held->handle, held->failures + 1u);
    if (++held->failures >= FAILURES_MAX)
        spipe__worker_want_reset(s);
    else
        spipe__worker_want_tidy(s);
}

int spipe__quarantine_confirm(struct spipe *s, struct spipe__held *held)
{
    int rc;

    if (held->generation != spipe__generation(s))
        return 0;
    rc = spipe__afu_sync(s, AFU_SYNC_HW, held->context, held->handle);
    if (rc < 0)
        spipe__quarantine_failed(s, held);
    return rc ? -EAGAIN : 0;
}

/* ---- orphans ---- */

void spipe__quarantine_orphan(struct spipe *s, struct spipe__held *held, void *memory, size_t size)
{
    CHECK(held->pending);
    held->memory = memory;
    held->memory_size = size;
    held->next = s->orphans;
    s->orphans = held;
    spipe__event(s, QUARANTINE_ORPHAN, held->context, held->handle);
}

static void let_go(struct spipe *s, struct spipe__held *held)
{
    struct spipe__held **link = &s->orphans;

    spipe__books_lock(s);
    while (*link != held)
        link = &(*link)->next;
    *link = held->next;
    spipe__books_unlock(s);
    spipe__event(s, QUARANTINE_FREE, held->context, held->handle);
    spipe__quarantine_release(s, held);
    exec_free(s->exec, held->memory, held->memory_size);
}

static void put_back(struct spipe *s, struct spipe__held *held)
{
    spipe__books_lock(s);
    held->busy = false;
    spipe__books_unlock(s);
}

static bool is_at(const struct spipe__held *held, uint16_t context, uint32_t handle)
{
    return held->context == context && held->handle == handle;
}

/* Marks an orphan of (context, handle) busy. *left tells whether there is any, busy ones too. */
static struct spipe__held *grab_at(struct spipe *s, uint16_t context, uint32_t handle, bool *left)
{
    struct spipe__held *found = NULL;

    *left = false;
    spipe__books_lock(s);
    for (struct spipe__held *h = s->orphans; h && !found; h = h->next) {
        if (!is_at(h, context, handle))
            continue;
        *left = true;
        if (!h->busy)
            found = h;
    }
    if (found)
        found->busy = true;
    spipe__books_unlock(s);
    return found;
}

int spipe__quarantine_retry_handle(struct spipe *s, uint16_t context, uint32_t handle)
{
    struct spipe__held *held;
    bool left;

    while ((held = grab_at(s, context, handle, &left)) != NULL) {
        if (spipe__quarantine_confirm(s, held)) {
            put_back(s, held);
            return -EAGAIN;
        }
        let_go(s, held);
    }
    return left ? -EAGAIN : 0;
}

static struct spipe__held *grab_on(struct spipe *s, const struct spipe__lun *lun)
{
    struct spipe__held *h;

    spipe__books_lock(s);
    for (h = s->orphans; h && (h->lun != lun || h->busy); h = h->next)
        continue;
    if (h)
        h->busy = true;
    spipe__books_unlock(s);
    return h;
}

bool spipe__quarantine_retry_orphans(struct spipe *s, const struct spipe__lun *lun)
{
    struct spipe__held *held;
    bool any = false;

    while ((held = grab_on(s, lun)) != NULL) {
        if (spipe__quarantine_confirm(s, held)) {
            put_back(s, held);
            return any;
        }
        let_go(s, held);
        any = true;
    }
    return any;
}

/* ---- the end ---- */

void spipe__quarantine_release_all(struct spipe *s)
{
    while (s->orphans)
        let_go(s, s->orphans);
}
