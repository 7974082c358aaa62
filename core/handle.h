/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done to an open handle whatever its kind. Shared inside core only. */
#ifndef CORE_HANDLE_H
#define CORE_HANDLE_H

#include "core/direct.h"
#include "core/vlun.h"

/** Closes a handle whatever the AFU sync says (SP-75, SP-80, VL-38). The caller holds the control
 * lock. */
static inline void spipe__handle_close(struct spipe_ctx *ctx, struct spipe__resource *r)
{
    if (r->kind == SPIPE_LUN_PHYSICAL)
        spipe__direct_close(ctx, r);
    else
        spipe__vlun_close_forced(ctx, r);
}

#endif
