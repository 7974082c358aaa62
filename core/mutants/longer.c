/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mutants/longer.h"

#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/context/context.h"
#include "core/lun/lun_mode.h"
#include "core/vlun/vlun.h"
#include "hal/support/bits.h"

void spipe__mutant_release(struct spipe_ctx *ctx, struct spipe__resource *r)
{
    int rc = spipe__vlun_close(ctx, r);

    (void)rc;
}

struct spipe__lun *spipe__mutant_lun_of_request(const struct spipe_ctx *ctx)
{
    unsigned w = 0;

    while (!ctx->luns[w])
        w++;
    return &ctx->s->lun[w * 64 + hal_lowest_bit(ctx->luns[w])];
}

int spipe__mutant_claim(struct spipe_ctx *ctx, struct spipe__lun *lun, uint8_t kind)
{
    int rc;

    spipe__books_lock(ctx->s);
    rc = spipe__lun_claim(ctx->s, lun->global, kind);
    (void)rc;
    spipe__books_unlock(ctx->s);
    return -EMFILE;
}

int spipe__mutant_internal_lun(struct spipe *s, unsigned mode)
{
    int rc;

    s->internal_lun = mode;
    spipe__take_down(s);
    rc = spipe__bring_up(s, (struct spipe__why){0});
    (void)rc;
    return 0;
}
