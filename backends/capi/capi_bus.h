/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses to a problem-state area that is mapped as memory: 64 bits, big-endian (CX-54), with the
 * barriers of CX-55 and CX-65: memory before a store, and stores among each other, keep their
 * order, and nothing behind a load begins before it ended. */
#ifndef BACKENDS_CAPI_CAPI_BUS_H
#define BACKENDS_CAPI_CAPI_BUS_H

#include <stdint.h>

#include "hal/support/endian.h"

#ifndef CAPI_BUS_BARRIER /* a test looks where it stands */
#define CAPI_BUS_BARRIER() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

static inline volatile uint64_t *capi_bus_at(void *map, uint64_t offset)
{
    return (volatile uint64_t *)(void *)((char *)map + offset);
}

/** A load as a number; `offset` is a multiple of 8. */
static inline uint64_t capi_bus_load(void *map, uint64_t offset)
{
    be64_t raw = {*capi_bus_at(map, offset)};

    CAPI_BUS_BARRIER();
    return be64_get(raw);
}

/** A store of a number. */
static inline void capi_bus_store(void *map, uint64_t offset, uint64_t value)
{
    CAPI_BUS_BARRIER();
    *capi_bus_at(map, offset) = be64_of(value).raw;
}

#endif
