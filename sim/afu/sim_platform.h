/* SPDX-License-Identifier: Apache-2.0 */
/* The slot that the adapter is in, and what the platform does to it (sim_platform.c). Included
 * through sim_afu.h. */
#ifndef SIM_AFU_SIM_PLATFORM_H
#define SIM_AFU_SIM_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_engine.h"
#include "sim/sim_fault.h"

struct sim_afu;

enum sim_platform_step {
    SIM_PLATFORM_CALM,
    SIM_PLATFORM_TELLS, /* an event is on its way to the host, or was not read */
    SIM_PLATFORM_ASKS,  /* the host has read it, and is to answer */
    SIM_PLATFORM_RESETS,
    SIM_PLATFORM_GONE, /* nothing will happen any more */
};

#define SIM_PLATFORM_PLANS 4

/** Something that is going to happen to the slot: sim_afu_platform_at(). */
struct sim_platform_plan {
    struct sim_event event;
    struct sim_afu *afu;
    enum sim_effect effect;
    uint64_t arg;
};

/** The platform around the slot. */
struct sim_platform {
    uint8_t slot;         /* enum sim_slot */
    uint8_t step;         /* enum sim_platform_step */
    uint8_t event, next;  /* enum sim_bus_platform_event: can be read; is on its way */
    uint8_t stubborn;     /* argument of the freeze: its slot reset never ends, or does not help */
    bool again;           /* frozen once more since the slot was reset */
    struct sim_event due; /* `next`, or the end of the slot reset */
    struct sim_platform_plan plan[SIM_PLATFORM_PLANS];
};

#endif
