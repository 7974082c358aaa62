/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated host as the world below the stand-in for libcxl (hal/cxl_standin.h, sim/libcxl). */
#ifndef BACKENDS_SIM_SIM_STANDIN_H
#define BACKENDS_SIM_SIM_STANDIN_H

#include "hal/cxl_standin.h"

struct sim_host;

/** Describes h to the stand-in. Valid as long as h. Over threads the model runs from here on though
 * nobody waits in it, by a thread that ends with the host: programs wait in poll(). Once a host. */
void sim_standin_world(struct sim_host *h, struct cxl_standin_world *out);

#endif
