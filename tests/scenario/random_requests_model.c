/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/random_requests_model.h"

#include <string.h>

#include "tests/scenario/random_requests_worker.h"

/* ---- sizes ---- */

uint64_t rr_chunk_blocks(const struct rr_lun *lun)
{
    return (uint64_t)SPIPE_CHUNK_BLOCKS * lun->block_size / SPIPE_API_BLOCK;
}

unsigned rr_chunks_of(const struct rr_lun *lun, uint64_t blocks)
{
    uint64_t unit = rr_chunk_blocks(lun), chunks = blocks / unit + (blocks % unit > 0);

    return chunks < RR_CHUNKS ? (unsigned)chunks : RR_CHUNKS;
}

uint64_t rr_last_lba(const struct rr_lun *lun, unsigned chunks)
{
    return chunks ? chunks * rr_chunk_blocks(lun) - 1 : SPIPE_NO_BLOCK;
}

/* ---- chunks ---- */

static struct exec_atomic *live(struct rr_worker *w, const struct rr_chunk *c)
{
    return &w->books->live[w->number][c - w->chunk];
}

struct rr_chunk *rr_chunk_new(struct rr_worker *w, unsigned lun, bool wiped)
{
    struct rr_chunk *c = w->chunk;

    while (c < w->chunk + RR_CHUNK_POOL && (c->refs || c->pins || c->held))
        c++;
    RR_CHECK(w, c < w->chunk + RR_CHUNK_POOL, "no room for another chunk in the books");
    *c = (struct rr_chunk){
        .refs = 1, .serial = ++w->serials, .lun = (uint8_t)lun, .held = true, .wiped = wiped};
    for (unsigned i = 0; i < RR_SAMPLES; i++)
        c->block[i].token = c->block[i].other = RR_UNKNOWN;
    exec_atomic_store(w->exec, live(w, c), c->serial);
    return c;
}

void rr_chunks_drop(struct rr_worker *w, struct rr_chunk **chunk, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct rr_chunk *c = chunk[i];

        if (--c->refs > 0)
            continue;
        if (c->wiped)
            rr_soil(w, c->lun, 1);
        exec_atomic_store(w->exec, live(w, c), 0);
        exec_atomic_add(w->exec, &w->books->lun[c->lun].sure_chunks, (uint64_t)-1);
    }
}

void rr_chunks_restore(struct rr_worker *w, struct rr_chunk **chunk, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct rr_chunk *c = chunk[i];

        if (c->refs++ > 0)
            continue;
        exec_atomic_store(w->exec, live(w, c), c->serial);
        exec_atomic_add(w->exec, &w->books->lun[c->lun].sure_chunks, 1);
        if (c->wiped)
            rr_soil(w, c->lun, -1);
    }
}

void rr_chunks_settle(struct rr_worker *w)
{
    for (struct rr_chunk *c = w->chunk; c < w->chunk + RR_CHUNK_POOL; c++) {
        if (!c->held || c->refs > 0)
            continue;
        c->held = false;
        if (c->wiped)
            rr_soiled(w, c->lun, 1);
        exec_atomic_add(w->exec, &w->books->lun[c->lun].maybe_chunks, (uint64_t)-1);
    }
}

/* ---- handles ---- */

struct rr_handle *rr_handle_by_number(struct rr_context *c, uint32_t number)
{
    for (unsigned i = 0; i < RR_HANDLES; i++)
        if (c->handle[i].open && c->handle[i].number == number)
            return &c->handle[i];
    return NULL;
}

uint32_t rr_lowest_free(const struct rr_context *c)
{
    unsigned used = 0;
    uint32_t n = 0;

    for (unsigned i = 0; i < RR_HANDLES; i++)
        if (c->handle[i].open && c->handle[i].number < 32)
            used |= 1u << c->handle[i].number;
    while (used >> n & 1)
        n++;
    return n;
}

struct rr_handle *rr_free_handle(struct rr_context *c)
{
    for (unsigned i = 0; i < RR_HANDLES; i++)
        if (!c->handle[i].open)
            return &c->handle[i];
    return NULL;
}

struct rr_handle *rr_any_handle(struct rr_worker *w, struct rr_context *c)
{
    unsigned first = rr_draw(w, RR_HANDLES);

    for (unsigned i = 0; i < RR_HANDLES; i++)
        if (c->handle[(first + i) % RR_HANDLES].open)
            return &c->handle[(first + i) % RR_HANDLES];
    return NULL;
}

struct rr_context *rr_any_context(struct rr_worker *w, struct rr_actor *a)
{
    unsigned first = rr_draw(w, RR_CONTEXTS);

    for (unsigned i = 0; i < RR_CONTEXTS; i++)
        if (a->context[(first + i) % RR_CONTEXTS].life == RR_LIVE)
            return &a->context[(first + i) % RR_CONTEXTS];
    return NULL;
}

struct rr_context *rr_any_healthy(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_context(w, a);

    return c && !c->lost ? c : NULL;
}

unsigned rr_any_lun(struct rr_worker *w, const struct rr_context *c)
{
    unsigned lun = rr_draw(w, RR_LUNS);

    if (rr_once_in(w, 8))
        return lun;
    while (!(c->luns >> lun & 1))
        lun = (lun + 1) % RR_LUNS;
    return lun;
}

bool rr_has_attached(struct rr_worker *w, unsigned lun)
{
    for (unsigned a = 0; a < RR_ACTORS; a++)
        for (unsigned i = 0; i < RR_CONTEXTS; i++)
            if (w->actor[a].context[i].luns >> lun & 1)
                return true;
    return false;
}

/* ---- the end of them ---- */

static bool concerns(const struct rr_handle *h, unsigned luns)
{
    return h->open && luns >> h->lun & 1;
}

void rr_handles_drop(struct rr_worker *w, struct rr_context *c, unsigned luns)
{
    for (unsigned i = 0; i < RR_IOS; i++)
        c->io[i].certain = false;
    for (unsigned i = 0; i < RR_HANDLES; i++) {
        struct rr_handle *h = &c->handle[i];

        if (!concerns(h, luns))
            continue;
        rr_claim_drop(w, h->lun, h->kind);
        rr_chunks_drop(w, h->chunk, h->size);
    }
}

void rr_handles_dropped(struct rr_worker *w, struct rr_context *c, unsigned luns)
{
    for (unsigned i = 0; i < RR_HANDLES; i++) {
        struct rr_handle *h = &c->handle[i];

        if (!concerns(h, luns))
            continue;
        rr_claim_dropped(w, h->lun, h->kind);
        memset(h, 0, sizeof *h);
    }
    rr_chunks_settle(w);
}

void rr_luns_drop(struct rr_worker *w, struct rr_context *c, unsigned luns)
{
    rr_handles_drop(w, c, luns);
    for (unsigned lun = 0; lun < RR_LUNS; lun++)
        if (c->luns & luns & 1u << lun)
            rr_claim_drop(w, lun, RR_ATTACHED);
}

void rr_luns_dropped(struct rr_worker *w, struct rr_context *c, unsigned luns)
{
    rr_handles_dropped(w, c, luns);
    for (unsigned lun = 0; lun < RR_LUNS; lun++)
        if (c->luns & luns & 1u << lun)
            rr_claim_dropped(w, lun, RR_ATTACHED);
    c->luns &= ~luns;
}
