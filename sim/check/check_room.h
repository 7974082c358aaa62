/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a checker that grows, in the world of what it watches, so that a snapshot holds it. */
#ifndef SIM_CHECK_CHECK_ROOM_H
#define SIM_CHECK_CHECK_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/support/must_check.h"

struct sim_world;

/** Zero all but `world`. */
struct check_room {
    struct sim_world *world;
    void *block;
    size_t size;
};

/** Makes room for `size` bytes; what was there is kept. False: there is no memory. */
HAL_MUST_CHECK bool check_room_for(struct check_room *room, size_t size);

/** Frees the memory. */
void check_room_fini(struct check_room *room);

#endif
