/* SPDX-License-Identifier: Apache-2.0 */
/* Effective addresses as the model sees them. Named regions make traces and decisions independent
 * of where memory lies: an address is (region number, offset), regions numbered in order of
 * registration; any other address is (unknown, running number). */
#ifndef SIM_SIM_MEMORY_H
#define SIM_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"
#include "sim/sim_copy.h"

#define SIM_REGIONS_MAX 65536
#define SIM_REGION_NAME 24
#define SIM_EA_OFFSET_BITS 44
#define SIM_EA_UNKNOWN (UINT64_C(0xFFFFF) << SIM_EA_OFFSET_BITS)

struct sim_world;

struct sim_region {
    uint64_t start, size;
    uint32_t number;
    char name[SIM_REGION_NAME];
};

/** Where an address was found: the next one is mostly in the same region. All zero: nowhere yet. */
struct sim_memory_hint {
    uint64_t start, size; /* of the region */
    uint64_t name;        /* what makes an address of it canonical when it is added */
    uint64_t changes;     /* of the map, until then */
};

/** The address map of one adapter. */
struct sim_memory {
    struct sim_world *world;   /* the table comes from here; NULL: a fixed table, never grown */
    struct sim_region *region; /* sorted by start */
    uint32_t count, room, numbered;
    uint64_t changes; /* regions added and removed: older hints do not hold */
    uint64_t unknown; /* running number of unregistered addresses */
};

/** Adds a region. Returns 0, -EINVAL when it overlaps one, -ENOMEM when the map is full. The table
 * grows as needed, up to SIM_REGIONS_MAX. */
HAL_MUST_CHECK int sim_memory_add(struct sim_memory *m, uint64_t start, uint64_t size,
                                  const char *name);

/** Frees the table. */
void sim_memory_fini(struct sim_memory *m);

/** Removes the region that starts at `start`; there must be one. */
void sim_memory_remove(struct sim_memory *m, uint64_t start);

/* The canonical form of an address that the hint does not help with. */
uint64_t sim_memory_search(struct sim_memory *m, uint64_t ea, struct sim_memory_hint *hint);

static inline bool sim_region_has(const struct sim_region *r, uint64_t ea)
{
    return ea - r->start < r->size;
}

static inline uint64_t sim_region_name(const struct sim_region *r, uint64_t ea)
{
    return (uint64_t)r->number << SIM_EA_OFFSET_BITS | (ea - r->start);
}

/** Whether a hint is of the region in which an address lies; it is canonical with hint->name added,
 * then. */
static inline bool sim_memory_hint_fits(const struct sim_memory *m, uint64_t ea,
                                        const struct sim_memory_hint *hint)
{
    return __builtin_expect(hint->changes == m->changes && ea - hint->start < hint->size, 1);
}

/** The canonical form of an address. The hint, of whatever address, speeds up the look-up; it is of
 * this map for good. */
static inline uint64_t sim_memory_canonical(struct sim_memory *m, uint64_t ea,
                                            struct sim_memory_hint *hint)
{
    return sim_memory_hint_fits(m, ea, hint) ? ea + hint->name : sim_memory_search(m, ea, hint);
}

/** Bytes from ea to the end of the region that it lies in; 0 if there is none. */
uint64_t sim_memory_room(const struct sim_memory *m, uint64_t ea);

/** Whether ea lies in a region; *canonical is its canonical form then, else untouched. */
bool sim_memory_known(const struct sim_memory *m, uint64_t ea, uint64_t *canonical);

/** Copies from, or to, effective address ea. Returns the number of bytes at the end that could not
 * be reached: 0 = all done. */
static inline __attribute__((always_inline)) size_t sim_memory_read(uint64_t ea, void *to, size_t n)
{
    return sim_copy_known(to, (const void *)(uintptr_t)ea, n);
}

static inline __attribute__((always_inline)) size_t sim_memory_write(uint64_t ea, const void *from,
                                                                     size_t n)
{
    return sim_copy_known((void *)(uintptr_t)ea, from, n);
}

/** Says that effective address ea is going to be read, or written, some events from now: with
 * hundreds of contexts it comes from memory, which takes as long as a few events. Any address will
 * do; never fails. */
static inline void sim_memory_expect(uint64_t ea)
{
    __builtin_prefetch((const void *)(uintptr_t)ea);
}

#endif
