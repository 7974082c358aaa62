/* SPDX-License-Identifier: Apache-2.0 */
/* The device contract of hal/hal.h over a simulated adapter. */
#ifndef BACKENDS_SIM_SIM_BACKEND_H
#define BACKENDS_SIM_SIM_BACKEND_H

#include "hal/hal.h"

struct sim_afu;
struct sim_drive;

/** Opens an adapter of a machine as a HAL device. The drive must belong to the adapter's machine
 * and outlive the device; so must the adapter. Close with hal_close. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int sim_backend_open(struct sim_drive *drive, struct sim_afu *afu,
                                    struct hal_dev **out);

#endif
