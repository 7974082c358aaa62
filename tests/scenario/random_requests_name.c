/* SPDX-License-Identifier: Apache-2.0 */
/* Named virtual LUNs. Each worker has one name, so what it means is known exactly; it outlives the
 * clients. At most one handle is bound to it, because resizes of others would be refused as stale.
 */
#include <errno.h>
#include <string.h>

#include "tests/scenario/random_requests_face.h"
#include "tests/scenario/random_requests_steps.h"
#include "tests/testlib/stack.h"

static const char *name_of(const struct rr_worker *w)
{
    static const char *const names[RR_WORKERS] = {"w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7"};

    return names[w->number];
}

static struct rr_handle *bound_handle(struct rr_worker *w)
{
    for (unsigned a = 0; a < RR_ACTORS; a++)
        for (unsigned c = 0; c < RR_CONTEXTS; c++)
            for (unsigned h = 0; h < RR_HANDLES; h++)
                if (w->actor[a].context[c].handle[h].bound)
                    return &w->actor[a].context[c].handle[h];
    return NULL;
}

static uint64_t bytes_of(const struct rr_worker *w, unsigned lun, unsigned chunks)
{
    return chunks * rr_chunk_blocks(&w->books->lun[lun]) * SPIPE_API_BLOCK;
}

/* ---- what the name has ---- */

static void meaning_drop(struct rr_worker *w, const struct rr_name *meaning)
{
    if (meaning->size == 0)
        return;
    rr_chunks_drop(w, (struct rr_chunk **)meaning->chunk, meaning->size);
    rr_claim_drop(w, meaning->lun, RR_VIRTUAL);
}

static void meaning_dropped(struct rr_worker *w, const struct rr_name *meaning)
{
    if (meaning->size > 0)
        rr_claim_dropped(w, meaning->lun, RR_VIRTUAL);
    rr_chunks_settle(w);
}

/* ---- set ---- */

static int set(struct rr_worker *w, struct rr_context *c, uint32_t handle, const char *name,
               uint64_t bytes)
{
    return rr_note(w, c, "name_set", handle, bytes, spipe_name_set(c->ctx, handle, name, bytes));
}

static void set_badly(struct rr_worker *w, struct rr_context *c, const struct rr_handle *h)
{
    uint64_t bytes = bytes_of(w, h->lun, h->size);

    if (h->kind == RR_PHYSICAL)
        RR_ONE_OF(w, "a name for a direct handle", set(w, c, h->number, name_of(w), 0), -EINVAL);
    else
        RR_ONE_OF(w, "a length beyond the size", set(w, c, h->number, name_of(w), bytes + 1),
                  -EINVAL);
    RR_ONE_OF(w, "no name", set(w, c, h->number, "", 0), -EINVAL);
    RR_ONE_OF(w, "a name for no handle", set(w, c, 200, name_of(w), 0), -EINVAL);
}

/* The name means what it meant. */
static void not_set(struct rr_worker *w, const struct rr_name *old)
{
    rr_chunks_drop(w, w->name.chunk, w->name.size);
    w->name = *old;
    rr_chunks_restore(w, w->name.chunk, w->name.size);
    if (w->name.size > 0)
        rr_claim_end(w, w->name.lun, RR_VIRTUAL, true);
}

static void set_well(struct rr_worker *w, struct rr_context *c, struct rr_handle *h)
{
    struct rr_name old = w->name, *now = &w->name;
    uint64_t bytes = bytes_of(w, h->lun, h->size);
    int rc;

    *now = (struct rr_name){.exists = true, .lun = h->lun, .size = h->size};
    now->byte_length = bytes ? hal_prng_below(&w->rng, bytes + 1) : 0;
    memcpy(now->chunk, h->chunk, sizeof now->chunk);
    rr_chunks_restore(w, now->chunk, now->size);
    if (now->size > 0)
        rr_claim_begin(w, now->lun, RR_VIRTUAL);
    meaning_drop(w, &old);
    rc = set(w, c, h->number, name_of(w), now->byte_length);
    RR_CHECK(w, rc == 0 || (rc == -EINVAL && rr_lost(w, c)), "name_set gave %d", rc);
    if (now->size > 0)
        rr_claim_end(w, now->lun, RR_VIRTUAL, rc == 0);
    if (rc) {
        not_set(w, &old);
        return;
    }
    meaning_dropped(w, &old);
    h->bound = true;
}

static void step_set(struct rr_worker *w, struct rr_context *c)
{
    struct rr_handle *h = rr_any_handle(w, c), *bound = bound_handle(w);

    if (!h)
        return;
    if (h->kind == RR_PHYSICAL || rr_once_in(w, 4))
        set_badly(w, c, h);
    else if ((!bound || bound == h) && h->sure == h->size && h->lun != RR_MANAGED)
        set_well(w, c, h);
}

/* ---- open ---- */

static void open_well(struct rr_worker *w, struct rr_context *c, struct rr_handle *h)
{
    const struct rr_name *name = &w->name;
    struct rr_window direct = rr_window_open(w, name->lun, RR_PHYSICAL);
    uint32_t number = 0;
    uint64_t last = 0;
    int rc;

    rr_claim_begin(w, name->lun, RR_VIRTUAL);
    rc = rr_note(w, c, "name_open", name->lun, name->size,
                 spipe_name_open(c->ctx, name_of(w), &number, &last));
    if (rc == -EINVAL) /* only a name without chunks does not keep the mode */
        RR_CHECK(w, (name->size == 0 && rr_window_possible(w, &direct)) || rr_lost(w, c),
                 "EINVAL without a cause");
    else
        RR_ONE_OF(w, "name_open", rc, 0, w->faults ? -EAGAIN : 0);
    rr_claim_end(w, name->lun, RR_VIRTUAL, rc == 0);
    if (rc)
        return;
    RR_CHECK(w, last == rr_last_lba(&w->books->lun[name->lun], name->size), "size of a name");
    *h = (struct rr_handle){.open = true,
                            .bound = true,
                            .lun = (uint8_t)name->lun,
                            .kind = RR_VIRTUAL,
                            .number = number,
                            .permissions = c->permissions,
                            .size = name->size,
                            .sure = name->size};
    memcpy(h->chunk, name->chunk, sizeof h->chunk);
    rr_chunks_restore(w, h->chunk, h->size);
}

static void step_open(struct rr_worker *w, struct rr_context *c)
{
    struct rr_handle *h = rr_free_handle(c);
    uint32_t number;
    uint64_t last;
    int rc, expected = w->name.exists ? -EINVAL : -ENOENT;

    if (!h || bound_handle(w))
        return;
    rr_io_finish(w, c);
    if (w->name.exists && c->luns >> w->name.lun & 1) {
        open_well(w, c, h);
        return;
    }
    rc = rr_note(w, c, "name_open", 0, 0, spipe_name_open(c->ctx, name_of(w), &number, &last));
    RR_CHECK(w, rc == expected, "name_open gave %d instead of %d", rc, expected);
}

/* ---- remove, stat ---- */

static void step_remove(struct rr_worker *w)
{
    struct rr_handle *bound = bound_handle(w);
    struct rr_name old = w->name;
    int rc;

    meaning_drop(w, &old);
    rc = rr_note(w, NULL, "name_remove", 0, 0, spipe_name_remove(w->stack->adapter, name_of(w)));
    RR_CHECK(w, rc == (old.exists ? 0 : -ENOENT), "name_remove gave %d", rc);
    w->name = (struct rr_name){.exists = false};
    meaning_dropped(w, &old);
    if (bound)
        bound->bound = false;
}

static void step_stat(struct rr_worker *w)
{
    const struct rr_name *name = &w->name;
    struct spipe_name_info info;
    unsigned lun;
    int rc = rr_note(w, NULL, "name_stat", 0, 0,
                     spipe_name_stat(w->stack->adapter, name_of(w), &info, &lun));

    RR_CHECK(w, rc == (name->exists ? 0 : -ENOENT), "name_stat gave %d", rc);
    if (rc)
        return;
    RR_CHECK(w,
             lun == name->lun && info.byte_length == name->byte_length &&
                 info.blocks == name->size * rr_chunk_blocks(&w->books->lun[lun]),
             "the name means something else: LUN %u, %llu blocks, %llu bytes", lun,
             (unsigned long long)info.blocks, (unsigned long long)info.byte_length);
}

void rr_step_name(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = a->binary ? NULL : rr_any_healthy(w, a);

    switch (rr_draw(w, 6)) {
    case 0:
        step_stat(w);
        break;
    case 1:
        step_remove(w);
        break;
    case 2:
    case 3:
        if (c)
            step_open(w, c);
        break;
    default:
        if (c)
            step_set(w, c);
    }
}

void rr_name_end(struct rr_worker *w) { step_remove(w); }
