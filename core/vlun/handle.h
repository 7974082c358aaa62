/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done to an open handle whatever its kind. Shared inside core only. */
#ifndef CORE_HANDLE_H
#define CORE_HANDLE_H

#include "core/mutants.h"
#include "core/mutants/longer.h"
#include "core/vlun/direct.h"
#include "core/vlun/vlun.h"

/** Closes a handle whatever the AFU sync says (SP-75, SP-80, VL-38). The caller has
 * entered the context. */
static inline void spipe__handle_close(struct spipe_ctx *ctx, struct spipe__resource *r)
{
    if (r->kind == SPIPE_LUN_PHYSICAL)
        spipe__direct_close(ctx, r);
    else if (spipe__mutant(VLW_9))
        spipe__mutant_release(ctx, r);
    else
        spipe__vlun_close_forced(ctx, r);
}

#endif
