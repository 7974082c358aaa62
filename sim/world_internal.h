/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of a world, shared by its allocator (world.c) and its snapshots (world_snapshot.c). */
#ifndef SIM_WORLD_INTERNAL_H
#define SIM_WORLD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/world.h"

#define SIM_WORLD_ALIGN_CLASSES 5
#define SIM_WORLD_SIZE_CLASSES 144
#define SIM_WORLD_RESERVE_MAX ((size_t)1 << 40) /* fits the size classes */

struct sim_world_free {
    struct sim_world_free *next;
    uint64_t magic;
};

struct sim_world_region {
    void *start;
    size_t size;
};

struct sim_world_holes {
    sim_world_holes_fn *fn;
    sim_world_refill_fn *refill; /* or NULL */
    void *arg;
};

struct sim_world {
    uint64_t magic;
    size_t reserve;           /* bytes of address space */
    size_t extent;            /* bytes from the start that are in use */
    size_t touched;           /* largest extent ever; the only field that a restore leaves alone */
    size_t page_at, page_end; /* offsets: rest of a run of pages, see fresh_page() */
    size_t used, peak, blocks;
    bool fibers_run;
    unsigned pin_count, region_count;
    const char *pins[SIM_WORLD_PINS_MAX];
    struct sim_world_region regions[SIM_WORLD_REGIONS_MAX];
    unsigned holes_count;
    struct sim_world_holes holes[SIM_WORLD_HOLES_MAX];
    struct sim_world_free *free[SIM_WORLD_ALIGN_CLASSES][SIM_WORLD_SIZE_CLASSES];
};

/** Dead stretches inside free blocks, told as sim_world_holes_fn does. */
size_t sim_world__free_holes(struct sim_world *w, struct sim_world_hole *out, size_t max);

#endif
