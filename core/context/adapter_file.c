/* SPDX-License-Identifier: Apache-2.0 */
#include "core/context/adapter_file.h"

#include "core/context/client.h"
#include "core/context/context.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* ---- life ---- */

struct spipe__file *spipe__file_alloc(struct spipe *s)
{
    return exec_alloc(s->exec, sizeof(struct spipe__file), _Alignof(struct spipe__file));
}

void spipe__file_free(struct spipe *s, struct spipe__file *f) { exec_free(s->exec, f, sizeof *f); }

/* The lowest of so many numbers from `first` on, a multiple of 64, that no file has; UINT64_MAX if
 * all are taken. */
static uint64_t free_from(const struct spipe *s, uint64_t first)
{
    uint64_t taken[SPIPE__CONTEXTS / 64] = {0};

    for (const struct spipe__file *f = s->files; f; f = f->next)
        if (f->number - first < SPIPE__CONTEXTS)
            taken[(f->number - first) / 64] |= HAL_BIT(f->number % 64);
    for (unsigned w = 0; w < HAL_ARRAY_LENGTH(taken); w++)
        if (~taken[w])
            return first + UINT64_C(64) * w + hal_lowest_bit(~taken[w]);
    return UINT64_MAX;
}

/* With the books locked, so in one walk over the files of contexts. Not even the number of a file
 * of another client: what is stolen is never valid by chance. */
static uint64_t free_number(const struct spipe *s)
{
    uint64_t number = UINT64_MAX;

    for (uint64_t first = 0; number == UINT64_MAX; first += SPIPE__CONTEXTS)
        number = free_from(s, first);
    return number;
}

void spipe__file_open(struct spipe_ctx *ctx, struct spipe__file *f)
{
    struct spipe *s = ctx->s;

    spipe__books_lock(s);
    f->client = ctx->client;
    f->hal = ctx->hal;
    f->number = free_number(s);
    f->open = true;
    if (ctx->file)
        ctx->file->ctx = NULL;
    f->ctx = ctx;
    ctx->file = f;
    f->next = s->files;
    s->files = f;
    spipe__books_unlock(s);
}

/* A context that was lost keeps its table, and frees it: the AFU cannot walk it. */
void spipe__file_orphan(struct spipe_ctx *ctx)
{
    struct spipe__file *f;

    spipe__books_lock(ctx->s);
    f = ctx->file;
    if (!ctx->errored) {
        f->rht = ctx->rht;
        ctx->rht.entries = NULL;
    }
    f->ctx = NULL;
    ctx->file = NULL;
    spipe__books_unlock(ctx->s);
}

void spipe__file_lose_all(struct spipe *s)
{
    spipe__books_lock(s);
    for (struct spipe__file *f = s->files; f; f = f->next)
        if (!f->hal->lost)
            hal_ctx_lose(f->hal);
    spipe__books_unlock(s);
}
