/* SPDX-License-Identifier: Apache-2.0 */
/* Register access (CX-140): by a raw pointer where the library gives one, else by its accessors,
 * with the same results. */
#ifndef BACKENDS_CAPI_CAPI_MMIO_H
#define BACKENDS_CAPI_CAPI_MMIO_H

#include <stdint.h>

#include "hal/support/must_check.h"

struct capi_library;
struct capi_sigbus_range;
struct cxl_afu_h;

/** What a load came to (CX-63). */
enum capi_load {
    CAPI_LOAD_VALUE,
    CAPI_LOAD_ONES,   /* a dead card, or a register whose value that is */
    CAPI_LOAD_FAILED, /* there was no access: outside the area, or its pages are gone */
};

/** The problem-state area of one attached handle. */
struct capi_map {
    const struct capi_library *library;
    struct cxl_afu_h *afu;
    void *base; /* NULL: by accessors */
    uint64_t size;
    struct capi_sigbus_range *guard;
};

/** Maps the area of an attached handle, `size` bytes by what sysfs says. Returns 0 or a negative
 * errno of hal.h, and then nothing is mapped. */
HAL_MUST_CHECK int capi_mmio_open(struct capi_map *map, const struct capi_library *library,
                                  struct cxl_afu_h *afu, uint64_t size);

/** Unmaps it; nobody uses it any more. */
void capi_mmio_close(struct capi_map *map);

/** Loads a register as a number; *value is all ones unless the result is CAPI_LOAD_VALUE. Any
 * thread. */
enum capi_load capi_mmio_load(struct capi_map *map, uint64_t offset, uint64_t *value);

/** Stores a register; what cannot be stored is dropped. Any thread. */
void capi_mmio_store(struct capi_map *map, uint64_t offset, uint64_t value);

#endif
