/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a context (core/context/context.h) share with one another only:
 *
 *   context.c           memory, attributes, life
 *   context_hardware.c  the process element behind it
 *   context_use.c       who has it pinned or entered
 */
#ifndef CORE_CONTEXT_INTERNAL_H
#define CORE_CONTEXT_INTERNAL_H

#include "core/context/context.h"

/** Withdraws the context from the AFU and stops it. If it is `filed`, the application has the file
 * still: the number stays in use, but can do nothing any more (SP-77, SP-78). */
void spipe__ctx_end_hardware(struct spipe_ctx *ctx, bool filed);

/** Frees the memory of a context that nobody has pinned and that is in no list. */
void spipe__ctx_free(struct spipe_ctx *ctx);

#endif
