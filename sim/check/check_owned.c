/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/check_owned.h"

#include <string.h>

#include "hal/support/bits.h"

/* The first number from `from` on that has something; CHECK_NUMBERS behind the last. */
static uint32_t next(const struct check_owned *o, uint32_t from)
{
    uint32_t word = from / 64;
    uint64_t bits = word < CHECK_NUMBER_WORDS ? o->used[word] & UINT64_MAX << from % 64 : 0;

    while (!bits && ++word < CHECK_NUMBER_WORDS)
        bits = o->used[word];
    return bits ? word * 64 + hal_lowest_bit(bits) : CHECK_NUMBERS;
}

/* For writing to it. */
static struct check_holder *use(struct check_owned *o, uint32_t number)
{
    number %= CHECK_NUMBERS;
    o->used[number / 64] |= UINT64_C(1) << number % 64;
    return &o->of[number];
}

static bool is_in(const uint64_t *set, uint32_t number)
{
    return !set || (set[number / 64] >> number % 64 & 1);
}

const struct check_owned_handle *check_owned_handles(const struct check_holder *owner)
{
    return owner->has.block;
}

/* Handles are padded to whole words. */
static size_t bytes_of(uint32_t handles)
{
    return hal_align_up(handles * sizeof(struct check_owned_handle), sizeof(uint64_t));
}

const uint64_t *check_owned_chunks(const struct check_holder *owner)
{
    return (const uint64_t *)(const void *)((const char *)owner->has.block +
                                            bytes_of(owner->handles));
}

/* ---- taking note ---- */

static void forget(struct check_owned *o, struct check_holder *owner)
{
    o->handles -= owner->handles;
    o->chunks -= owner->chunks;
    owner->handles = owner->chunks = owner->ranges = 0;
    owner->rht = 0;
    owner->known = false;
}

static void forget_all(struct check_owned *o, const uint64_t *only)
{
    for (uint32_t i = next(o, 0); i < CHECK_NUMBERS; i = next(o, i + 1))
        if (is_in(only, i)) {
            forget(o, &o->of[i]);
            o->used[i / 64] &= ~(UINT64_C(1) << i % 64);
        }
}

static uint32_t chunks_of(const struct hal_picture *p, const struct hal_picture_context *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->handles.count; i++)
        n += hal_picture_handle(p, c->handles.first + i)->chunks.count;
    return n;
}

static void copy_handles(const struct hal_picture *p, const struct hal_picture_context *c,
                         struct check_holder *owner)
{
    struct check_owned_handle *to = owner->has.block;
    uint64_t *chunk = (uint64_t *)(uintptr_t)check_owned_chunks(owner);
    uint32_t at = 0;

    for (uint32_t i = 0; i < c->handles.count; i++) {
        const struct hal_picture_handle *h = hal_picture_handle(p, c->handles.first + i);

        to[i] = (struct check_owned_handle){h->number, h->lun, at, h->chunks.count, h->kind};
        if (h->chunks.count)
            memcpy(chunk + at, hal_picture_chunk(p, h->chunks.first),
                   h->chunks.count * sizeof *chunk);
        at += h->chunks.count;
    }
}

static bool take_context(struct check_owned *o, const struct hal_picture *p,
                         const struct hal_picture_context *c)
{
    struct check_holder *owner = use(o, c->number);
    uint32_t chunks = chunks_of(p, c);

    if (!check_room_for(&owner->has, bytes_of(c->handles.count) + chunks * sizeof(uint64_t)))
        return false;
    forget(o, owner); /* a picture may have a number twice (INV-20) */
    owner->known = true;
    owner->handles = c->handles.count;
    owner->chunks = chunks;
    o->handles += owner->handles;
    o->chunks += chunks;
    copy_handles(p, c, owner);
    return true;
}

static bool take_range(struct check_holder *owner, const struct check_entry *e)
{
    struct check_range *to;

    if (!check_room_for(&owner->reach, (owner->ranges + 1) * sizeof *to))
        return false;
    to = owner->reach.block;
    to[owner->ranges++] = (struct check_range){e->start, (uint64_t)e->count * AFU_LXT_ENTRY_SIZE};
    return true;
}

bool check_owned_take(struct check_owned *o, const uint64_t *only, const struct hal_picture *p,
                      const struct check_view *view)
{
    forget_all(o, only);
    for (uint32_t i = 0; i < p->n.contexts; i++) {
        const struct hal_picture_context *c = hal_picture_context(p, i);

        if (!c->errored && !take_context(o, p, c))
            return false;
    }
    for (uint32_t i = 0; i < view->ctxs; i++)
        use(o, view->ctx[i].number)->rht = view->ctx[i].rht_start;
    for (uint32_t i = 0; i < view->entries; i++) {
        const struct check_entry *e = &view->entry[i];

        if (!e->direct && e->source == CHECK_MEMORY && !take_range(use(o, e->context), e))
            return false;
    }
    return true;
}

void check_owned_fini(struct check_owned *o)
{
    for (uint32_t i = 0; i < CHECK_NUMBERS; i++) {
        check_room_fini(&o->of[i].has);
        check_room_fini(&o->of[i].reach);
    }
}

/* ---- asking ---- */

const struct check_owned_handle *check_owned_handle(const struct check_owned *o, uint16_t context,
                                                    uint32_t handle)
{
    const struct check_holder *owner = &o->of[context % CHECK_NUMBERS];

    for (uint32_t i = 0; i < owner->handles; i++)
        if (check_owned_handles(owner)[i].number == handle)
            return &check_owned_handles(owner)[i];
    return NULL;
}

static bool has(const struct check_holder *owner, uint32_t lun, uint64_t chunk)
{
    for (uint32_t i = 0; i < owner->handles; i++) {
        const struct check_owned_handle *h = &check_owned_handles(owner)[i];

        for (uint32_t k = 0; h->lun == lun && k < h->count; k++)
            if (check_owned_chunks(owner)[h->first + k] == chunk)
                return true;
    }
    return false;
}

bool check_owned_has(const struct check_owned *o, uint32_t lun, uint64_t chunk)
{
    for (uint32_t i = next(o, 0); i < CHECK_NUMBERS; i = next(o, i + 1))
        if (has(&o->of[i], lun, chunk))
            return true;
    return false;
}

uint32_t check_owned_reaches(const struct check_owned *o, uint64_t ea)
{
    for (uint32_t i = next(o, 0); i < CHECK_NUMBERS; i = next(o, i + 1))
        for (uint32_t k = 0; k < o->of[i].ranges; k++) {
            const struct check_range *r = (const struct check_range *)o->of[i].reach.block + k;

            if (ea - r->start < r->bytes)
                return i;
        }
    return CHECK_NUMBERS;
}

static bool reaches_into(const struct check_holder *owner, uint64_t start, uint64_t bytes)
{
    for (uint32_t k = 0; k < owner->ranges; k++) {
        const struct check_range *r = (const struct check_range *)owner->reach.block + k;

        if (r->start && r->start - start < bytes)
            return true;
    }
    return owner->rht && owner->rht - start < bytes;
}

uint32_t check_owned_reaches_into(const struct check_owned *o, const uint64_t *but, uint64_t start,
                                  uint64_t bytes)
{
    uint32_t i = next(o, 0);

    while (i < CHECK_NUMBERS && (is_in(but, i) || !reaches_into(&o->of[i], start, bytes)))
        i = next(o, i + 1);
    return i;
}

bool check_owned_adds_up(const struct check_owned *o, const struct hal_picture *p)
{
    uint64_t users = 0, references = 0, owners = o->chunks;

    for (uint32_t i = 0; i < p->n.luns; i++)
        users += hal_picture_lun(p, i)->users;
    for (uint32_t i = 0; i < p->n.runs; i++)
        references += hal_picture_run(p, i)->count * hal_picture_run(p, i)->references;
    for (uint32_t i = 0; i < p->n.held; i++)
        owners += hal_picture_held(p, i)->chunks.count;
    for (uint32_t i = 0; i < p->n.names; i++)
        if (hal_picture_name(p, i)->lun != HAL_PICTURE_NONE)
            owners += hal_picture_name(p, i)->chunks.count;
    return users == o->handles && references == owners;
}

static bool same(const struct check_holder *owner, const struct hal_picture *p,
                 const struct hal_picture_context *c)
{
    if (!owner->known || owner->handles != c->handles.count || owner->chunks != chunks_of(p, c))
        return false;
    for (uint32_t i = 0; i < c->handles.count; i++) {
        const struct hal_picture_handle *h = hal_picture_handle(p, c->handles.first + i);
        const struct check_owned_handle *was = &check_owned_handles(owner)[i];

        if (was->number != h->number || was->lun != h->lun || was->kind != h->kind ||
            was->count != h->chunks.count)
            return false;
        for (uint32_t k = 0; k < was->count; k++)
            if (check_owned_chunks(owner)[was->first + k] !=
                *hal_picture_chunk(p, h->chunks.first + k))
                return false;
    }
    return true;
}

uint32_t check_owned_changed(const struct check_owned *o, const uint64_t *touched,
                             const struct hal_picture *p)
{
    uint32_t known = 0, seen = 0;

    for (uint32_t i = 0; i < p->n.contexts; i++) {
        const struct hal_picture_context *c = hal_picture_context(p, i);
        uint32_t number = c->number % CHECK_NUMBERS;

        if (c->errored || is_in(touched, number))
            continue;
        if (!same(&o->of[number], p, c))
            return number;
        seen++;
    }
    for (uint32_t i = next(o, 0); i < CHECK_NUMBERS; i = next(o, i + 1))
        known += o->of[i].known && !is_in(touched, i);
    for (uint32_t i = known == seen ? CHECK_NUMBERS : next(o, 0); i < CHECK_NUMBERS;
         i = next(o, i + 1)) /* one has gone */
        if (o->of[i].known && !is_in(touched, i) && !check_context(p, (uint16_t)i))
            return i;
    return CHECK_NUMBERS;
}
