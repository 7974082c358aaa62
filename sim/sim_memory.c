/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_memory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/world.h"

/* Index of the first region that ends after ea. */
static uint32_t find(const struct sim_memory *m, uint64_t ea)
{
    uint32_t low = 0, high = m->count;

    while (low < high) {
        uint32_t mid = (low + high) / 2;

        if (m->region[mid].start + m->region[mid].size <= ea)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

#define ROOM_FIRST 64

/* Makes room for one more; doubles. */
static int grow(struct sim_memory *m)
{
    uint32_t room = m->room ? 2 * m->room : ROOM_FIRST;
    struct sim_region *table;

    if (m->count < m->room)
        return 0;
    if (!m->world || room > SIM_REGIONS_MAX)
        return -ENOMEM;
    table = sim_world_alloc(m->world, room * sizeof *table, 64);
    if (!table)
        return -ENOMEM;
    if (m->region)
        memcpy(table, m->region, m->count * sizeof *table);
    sim_world_free(m->world, m->region, m->room * sizeof *table);
    m->region = table;
    m->room = room;
    return 0;
}

void sim_memory_fini(struct sim_memory *m)
{
    sim_world_free(m->world, m->region, m->room * sizeof *m->region);
    m->region = NULL;
    m->room = m->count = 0;
}

int sim_memory_add(struct sim_memory *m, uint64_t start, uint64_t size, const char *name)
{
    uint32_t i = find(m, start);
    struct sim_region *r;
    int rc;

    if (!size || start + size < start || (i < m->count && m->region[i].start < start + size))
        return -EINVAL;
    rc = grow(m);
    if (rc)
        return rc;
    r = &m->region[i];
    memmove(r + 1, r, (m->count - i) * sizeof *r);
    *r = (struct sim_region){.start = start, .size = size, .number = m->numbered++};
    strncpy(r->name, name, SIM_REGION_NAME - 1);
    m->count++;
    m->changes++;
    return 0;
}

void sim_memory_remove(struct sim_memory *m, uint64_t start)
{
    uint32_t i = find(m, start);

    CHECK(i < m->count && m->region[i].start == start);
    m->count--;
    m->changes++;
    memmove(&m->region[i], &m->region[i + 1], (m->count - i) * sizeof m->region[i]);
}

uint64_t sim_memory_room(const struct sim_memory *m, uint64_t ea)
{
    uint32_t i = find(m, ea);

    if (i >= m->count || !sim_region_has(&m->region[i], ea))
        return 0;
    return m->region[i].start + m->region[i].size - ea;
}

bool sim_memory_known(const struct sim_memory *m, uint64_t ea, uint64_t *canonical)
{
    uint32_t i = find(m, ea);

    if (i >= m->count || !sim_region_has(&m->region[i], ea))
        return false;
    *canonical = sim_region_name(&m->region[i], ea);
    return true;
}

/* Kept apart: with a hint that holds, it is not needed. */
__attribute__((noinline)) uint64_t sim_memory_search(struct sim_memory *m, uint64_t ea,
                                                     struct sim_memory_hint *hint)
{
    uint32_t i = find(m, ea);
    const struct sim_region *r = &m->region[i];

    if (i >= m->count || !sim_region_has(r, ea))
        return SIM_EA_UNKNOWN | (m->unknown++ & (HAL_BIT(SIM_EA_OFFSET_BITS) - 1));
    *hint = (struct sim_memory_hint){.start = r->start,
                                     .size = r->size,
                                     .name = sim_region_name(r, r->start) - r->start,
                                     .changes = m->changes};
    return sim_region_name(r, ea);
}
