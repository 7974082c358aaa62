/* SPDX-License-Identifier: Apache-2.0 */
/* AFU debug (AD-213), for both faces: spipe_afu_debug of core/superpipe.h, and the binary request
 * (core/command/host_ioctl.c). Shared inside core only. */
#ifndef CORE_AFU_DEBUG_H
#define CORE_AFU_DEBUG_H

#include "core/adapter/adapter.h"

/** As spipe_afu_debug(); the caller is inside the gate, has seen the state NORMAL there, and holds
 * no lock. */
HAL_MUST_CHECK int spipe__afu_debug(struct spipe *s, const uint8_t subcommand[SPIPE_DEBUG_BYTES],
                                    bool write, void *data, uint32_t length);

/** Frees what debug commands with data needed; the adapter is down. */
void spipe__afu_debug_fini(struct spipe *s);

#endif
