/* SPDX-License-Identifier: Apache-2.0 */
/* RECOVER_AFU: a context that a reset took the hardware from gets new hardware (SP 7.8). Shared
 * inside core only; the verb is spipe_recover of core/superpipe.h. */
#ifndef CORE_RECOVER_H
#define CORE_RECOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/exec.h"
#include "hal/support/must_check.h"

struct spipe;
struct spipe_ctx;

/** Who recovers contexts of an adapter; guarded by the lock of the gate. */
struct spipe__recovery {
    struct exec_cond free; /* nobody has the turn */
    bool taken;
    uint64_t progress; /* contexts recovered by anybody, so far */
};

/** Finds the context to recover, entered; NULL if there is none (any more). */
typedef struct spipe_ctx *spipe__recover_find(const void *arg);

/**
 * Recovers a context, or finds that there is nothing to recover. One context of an adapter at a
 * time is worked on (SP-89); who waits for a turn, for the platform, or for a reset, is outside the
 * gate and has entered no context (SP-99).
 *
 * @param s    adapter; the caller is inside the gate, holds no lock, and has seen NORMAL
 * @param find  finds the context
 * @param arg   passed to find()
 * @param out   receives the context, entered, if it was recovered; NULL if it was healthy (SP-91)
 * @return      0; -EINVAL if find() finds none; -EBUSY if I/O of it is still in flight; -ENODEV if
 *              the adapter failed, or without a context left after 20 tries (SP-97, R-38); -EPERM,
 *              -EAGAIN, and what hal_ctx_start() says (SP-93); -EINTR. The caller is inside the
 *              gate again in any case
 */
HAL_MUST_CHECK int spipe__recover(struct spipe *s, spipe__recover_find *find, const void *arg,
                                  struct spipe_ctx **out);

#endif
