/* SPDX-License-Identifier: Apache-2.0 */
#include "core/quarantine.h"

#include <errno.h>

#include "core/lun_mode.h"
#include "core/lun_size.h"
#include "hal/support/check.h"

struct spipe__lxt_home spipe__lxt_home_of(struct spipe *s)
{
    return (struct spipe__lxt_home){.exec = s->exec, .dev = s->dev, .order = s->order};
}

/* ---- in and out ---- */

void spipe__quarantine_enter(struct spipe *s, struct spipe__held *held)
{
    struct spipe__lun *lun = held->lun;

    held->generation = s->generation;
    if (held->pending)
        return;
    held->pending = true;
    held->next = lun->held;
    lun->held = held;
    spipe__lun_hold(lun);
}

void spipe__quarantine_add(struct spipe__held *held, const struct spipe__held_part *part)
{
    CHECK(held->pending && held->parts < SPIPE__HELD_PARTS);
    held->part[held->parts++] = *part;
}

/* From the highest index down (VL-28). */
static void free_chunks(struct spipe *s, struct spipe__held *held,
                        const struct spipe__held_part *part)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);

    for (uint32_t i = part->last; i-- > part->first;)
        spipe__lun_free_chunk(held->lun, spipe__lxt_chunk(&home, &part->entries[i]));
}

/* `held` is in no list any more. Chunks before arrays: a part may name entries of an array that
 * another part owns. */
static void release(struct spipe *s, struct spipe__held *held)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);
    struct spipe__lun *lun = held->lun;

    for (unsigned i = 0; i < held->parts; i++)
        free_chunks(s, held, &held->part[i]);
    for (unsigned i = 0; i < held->parts; i++)
        spipe__lxt_destroy(&home, &held->part[i].array);
    held->parts = 0;
    held->pending = false;
    held->next = NULL;
    if (held->memory)
        exec_free(s->exec, held->memory, held->memory_size);
    spipe__lun_unhold(s, lun);
}

/* ---- finding ---- */

typedef bool (*match_fn)(const struct spipe *s, const struct spipe__held *held, const void *arg);

struct address {
    uint16_t context;
    uint32_t handle;
};

static bool at_address(const struct spipe *s, const struct spipe__held *held, const void *arg)
{
    const struct address *a = arg;

    (void)s;
    return held->context == a->context && held->handle == a->handle;
}

static bool is_this(const struct spipe *s, const struct spipe__held *held, const void *arg)
{
    (void)s;
    return held == arg;
}

static bool is_past(const struct spipe *s, const struct spipe__held *held, const void *arg)
{
    (void)arg;
    return held->generation != s->generation;
}

static bool any(const struct spipe *s, const struct spipe__held *held, const void *arg)
{
    (void)s, (void)held, (void)arg;
    return true;
}

/* Where the first record of a LUN that matches is linked, or NULL. */
static struct spipe__held **find(struct spipe *s, struct spipe__lun *lun, match_fn match,
                                 const void *arg)
{
    struct spipe__held **link;

    for (link = &lun->held; *link; link = &(*link)->next)
        if (match(s, *link, arg))
            return link;
    return NULL;
}

/* A release may free the record, so the search starts anew. */
static void release_matching(struct spipe *s, struct spipe__lun *lun, match_fn match,
                             const void *arg)
{
    struct spipe__held **link;

    while ((link = find(s, lun, match, arg)) != NULL) {
        struct spipe__held *held = *link;

        *link = held->next;
        release(s, held);
    }
}

static void release_on_all(struct spipe *s, match_fn match, const void *arg)
{
    for (unsigned i = 0; i < s->lun_count; i++)
        release_matching(s, &s->lun[i], match, arg);
}

/* ---- what others call ---- */

void spipe__quarantine_release(struct spipe *s, struct spipe__held *held)
{
    CHECK(held->pending);
    release_matching(s, held->lun, is_this, held);
}

void spipe__quarantine_synced(struct spipe *s, uint16_t context, uint32_t handle)
{
    release_on_all(s, at_address, &(struct address){context, handle});
}

bool spipe__quarantine_has(struct spipe *s, uint16_t context, uint32_t handle)
{
    struct address a = {context, handle};

    for (unsigned i = 0; i < s->lun_count; i++)
        if (find(s, &s->lun[i], at_address, &a))
            return true;
    return false;
}

int spipe__quarantine_retry(struct spipe *s, uint16_t context, uint32_t handle)
{
    release_on_all(s, is_past, NULL);
    if (!spipe__quarantine_has(s, context, handle))
        return 0;
    if (spipe__afu_sync(s, AFU_SYNC_HW, context, handle))
        return -EAGAIN;
    spipe__quarantine_synced(s, context, handle);
    return 0;
}

void spipe__quarantine_retry_lun(struct spipe *s, struct spipe__lun *lun)
{
    struct spipe__held *held, *next;

    release_on_all(s, is_past, NULL);
    for (held = lun->held; held; held = next) {
        uint16_t context = held->context;
        uint32_t handle = held->handle;

        if (spipe__afu_sync(s, AFU_SYNC_HW, context, handle))
            return;        /* the next one would have to wait as long */
        next = held->next; /* of another handle: one that is held is not given out again */
        spipe__quarantine_synced(s, context, handle);
    }
}

void spipe__quarantine_release_all(struct spipe *s) { release_on_all(s, any, NULL); }
