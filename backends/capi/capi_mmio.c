/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_mmio.h"

#include <errno.h>

#include "backends/capi/capi_bus.h"
#include "backends/capi/capi_errno.h"
#include "backends/capi/capi_library.h"
#include "backends/capi/capi_sigbus.h"

/* A pointer is guarded by our handler, accessors by the library's (CX-56, CX-64). */
static int reach(struct capi_map *map)
{
    void *base = NULL;

    if (map->library->cxl_mmio_ptr(map->afu, &base) == 0 && base) {
        map->base = base;
        return capi_sigbus_add(base, map->size, &map->guard);
    }
    if (map->library->cxl_mmio_install_sigbus_handler())
        return capi_errno(errno);
    return 0;
}

int capi_mmio_open(struct capi_map *map, const struct capi_library *library, struct cxl_afu_h *afu,
                   uint64_t size)
{
    int rc;

    *map = (struct capi_map){.library = library, .afu = afu, .size = size};
    if (library->cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN))
        return capi_errno(errno);
    rc = reach(map);
    if (rc)
        library->cxl_mmio_unmap(afu);
    return rc;
}

void capi_mmio_close(struct capi_map *map)
{
    capi_sigbus_remove(map->guard); /* before somebody else's memory may be there */
    map->library->cxl_mmio_unmap(map->afu);
}

static enum capi_load load_raw(struct capi_map *map, uint64_t offset, uint64_t *value)
{
    uint64_t loaded;

    if (offset >= map->size || capi_sigbus_dead(map->guard))
        return CAPI_LOAD_FAILED;
    loaded = capi_bus_load(map->base, offset);
    if (capi_sigbus_dead(map->guard))
        return CAPI_LOAD_FAILED;
    *value = loaded;
    return loaded == UINT64_MAX ? CAPI_LOAD_ONES : CAPI_LOAD_VALUE;
}

/* All ones is a failure with EIO there (CX-56, CX-57). */
static enum capi_load load_by_call(struct capi_map *map, uint64_t offset, uint64_t *value)
{
    uint64_t loaded = UINT64_MAX;
    int rc = map->library->cxl_mmio_read64(map->afu, offset, &loaded);

    if (rc)
        return errno == EIO ? CAPI_LOAD_ONES : CAPI_LOAD_FAILED;
    *value = loaded;
    return loaded == UINT64_MAX ? CAPI_LOAD_ONES : CAPI_LOAD_VALUE;
}

enum capi_load capi_mmio_load(struct capi_map *map, uint64_t offset, uint64_t *value)
{
    *value = UINT64_MAX;
    return map->base ? load_raw(map, offset, value) : load_by_call(map, offset, value);
}

void capi_mmio_store(struct capi_map *map, uint64_t offset, uint64_t value)
{
    if (!map->base)
        (void)map->library->cxl_mmio_write64(map->afu, offset, value); /* it cannot tell (CX-58) */
    else if (offset < map->size && !capi_sigbus_dead(map->guard))
        capi_bus_store(map->base, offset, value);
}
