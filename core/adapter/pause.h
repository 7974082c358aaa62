/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses of long device sequences. Shared inside core only. */
#ifndef CORE_PAUSE_H
#define CORE_PAUSE_H

#include <stdint.h>

#include "hal/exec.h"

#define SPIPE__MICROSECOND UINT64_C(1000)
#define SPIPE__MILLISECOND UINT64_C(1000000)
#define SPIPE__SECOND UINT64_C(1000000000)

/**
 * Lets `ns` nanoseconds pass. An interruption of the thread does not shorten the pause: the
 * sequences that use it (bring-up, port link, context reset) must not be left half done. It is not
 * lost either: the next wait of the thread that may be interrupted returns -EINTR.
 *
 * @param exec  execution environment
 * @param ns    length of the pause; 0 is a scheduling point only
 */
void spipe__pause(struct exec *exec, uint64_t ns);

/**
 * The point in time `ns` from now, at most EXEC_FOREVER.
 *
 * @param exec  execution environment
 * @param ns    distance
 * @return      a deadline for the execution and the device contract
 */
uint64_t spipe__deadline(struct exec *exec, uint64_t ns);

#endif
