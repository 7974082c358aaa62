/* SPDX-License-Identifier: Apache-2.0 */
/* The device contract of hal/hal.h over a simulated adapter. */
#ifndef BACKENDS_SIM_SIM_BACKEND_H
#define BACKENDS_SIM_SIM_BACKEND_H

#include <stdbool.h>

#include "hal/hal.h"

struct sim_afu;
struct sim_drive;

/** Opens an adapter of a machine as a HAL device. The drive must belong to the adapter's machine
 * and outlive the device; so must the adapter. Close with hal_close. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int sim_backend_open(struct sim_drive *drive, struct sim_afu *afu,
                                    struct hal_dev **out);

/** Calls event(arg) from within the model whenever an event of a context of this back end becomes
 * readable, and when the platform tells of an error that ends a context that was started. It may
 * wake somebody by a descriptor, and nothing else. A NULL event ends it; so does the release. Any
 * thread, not from within the model. */
void sim_backend_watch_context(struct hal_ctx *ctx, void (*event)(void *arg), void *arg);

/** The same for events of the platform; to be ended before the device is closed. */
void sim_backend_watch_platform(struct hal_dev *dev, void (*event)(void *arg), void *arg);

/** Whether hal_event_wait() would find an event; that the context is lost is none. */
bool sim_backend_event_pending(struct hal_ctx *ctx);

#endif
