/* SPDX-License-Identifier: Apache-2.0 */
/* What docs/spec/timing.md expects of a command that is alone on the adapter, from the parameters
 * alone: the sum of its path (section 8). */
#ifndef TOOLS_TIMING_MODEL_H
#define TOOLS_TIMING_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_params.h"

#define TIMING_MODEL_BLOCK 4096u /* data in multiples of it have a closed form */

/** Cycles from doorbell to RRQ element of a read of written blocks, or of a write: `bytes` of data,
 * tables of the virtual LUN in the cache of the card, the PSL knows every page. */
uint64_t timing_model_command(const struct sim_params *p, bool write, uint32_t bytes);

/** Of that, what each 4 KiB of data add. */
uint64_t timing_model_block(const struct sim_params *p, bool write);

#endif
