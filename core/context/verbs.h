/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of handles do, for both faces: spipe_open_direct and its neighbours of
 * core/superpipe.h, and the binary requests (core/ioctl/ioctl.c). Shared inside core only. Results
 * are those of the public functions; the caller has entered the context. */
#ifndef CORE_VERBS_H
#define CORE_VERBS_H

#include "core/context/context.h"

HAL_MUST_CHECK int spipe__open_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port,
                                      uint32_t *handle, uint64_t *last_lba);
HAL_MUST_CHECK int spipe__open_virtual(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks,
                                       bool wipe, uint32_t *handle, uint64_t *last_lba);
HAL_MUST_CHECK int spipe__resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t blocks,
                                 uint64_t *last_lba);
HAL_MUST_CHECK int spipe__release(struct spipe_ctx *ctx, uint32_t handle);
HAL_MUST_CHECK int spipe__verify(struct spipe_ctx *ctx, uint32_t handle, const uint8_t *sense,
                                 uint64_t *last_lba);

#endif
