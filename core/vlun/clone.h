/* SPDX-License-Identifier: Apache-2.0 */
/* VLUN_CLONE without its face. Shared inside core only; the verb is spipe_clone of
 * core/superpipe.h.
 */
#ifndef CORE_CLONE_H
#define CORE_CLONE_H

#include "core/context/context.h"

/** What spipe_clone() does, with both contexts entered, the source first. */
HAL_MUST_CHECK int spipe__clone(struct spipe_ctx *ctx, const struct spipe_ctx *source);

#endif
