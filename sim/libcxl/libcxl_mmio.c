/* SPDX-License-Identifier: Apache-2.0 */
/* The accessors of a problem-state area (CX section 5). */
#include <errno.h>
#include <signal.h>

#include "hal/support/endian.h"
#include "sim/libcxl/libcxl.h"

int cxl_mmio_map(struct cxl_afu_h *afu, uint32_t flags)
{
    long size;
    void *map;
    int rc;

    if (!afu)
        return libcxl_fail(EINVAL);
    if (flags & ~CXL_MMIO_ENDIAN_MASK || afu->fd < 0)
        return libcxl_fail(ENODEV);
    if (cxl_get_mmio_size(afu, &size))
        return -1;
    rc = standin_kernel.map(afu->fd, (size_t)size, &map);
    if (rc)
        return libcxl_fail(-rc);
    afu->map = map; /* CX-52: what was mapped before is forgotten */
    afu->map_size = (size_t)size;
    afu->map_flags = flags;
    return 0;
}

int cxl_mmio_unmap(struct cxl_afu_h *afu)
{
    int rc;

    if (!afu || !afu->map)
        return libcxl_fail(EINVAL);
    rc = standin_kernel.unmap(afu->map, afu->map_size);
    if (rc)
        return libcxl_fail(-rc);
    afu->map = NULL;
    return 0;
}

/* There is nothing that a plain load could reach (CX-153). */
int cxl_mmio_ptr(struct cxl_afu_h *afu, void **pointer)
{
    (void)pointer;
    return libcxl_fail(afu && afu->map ? ENOSYS : EINVAL);
}

/* ---- what all accessors share ------------------------------------------------------------------
 */

static bool refused(const struct cxl_afu_h *afu, uint64_t offset, unsigned width)
{
    return !afu || !afu->map || offset >= afu->map_size || offset % width;
}

/* From what lies in the area, most significant byte first, to what the caller sees (CX-54). */
static uint64_t order64(const struct cxl_afu_h *afu, uint64_t value)
{
    switch (afu->map_flags) {
    case CXL_MMIO_BIG_ENDIAN:
        return value;
    case CXL_MMIO_LITTLE_ENDIAN:
        return __builtin_bswap64(value);
    default:
        return hal_swap64(HAL_ORDER_BIG, value);
    }
}

static uint32_t order32(const struct cxl_afu_h *afu, uint32_t value)
{
    switch (afu->map_flags) {
    case CXL_MMIO_BIG_ENDIAN:
        return value;
    case CXL_MMIO_LITTLE_ENDIAN:
        return __builtin_bswap32(value);
    default:
        return hal_swap32(HAL_ORDER_BIG, value);
    }
}

static int done(void)
{
    libcxl_sigbus_leave();
    return 0;
}

/* The mapping is dead. */
static int dead(const struct cxl_afu_h *afu, uint64_t offset)
{
    libcxl_sigbus_touch(afu->map, offset);
    return libcxl_fail(EIO);
}

/* CX-56: a load of all ones counts as a failure. */
static int all_ones(void)
{
    if (!libcxl_sigbus_installed())
        raise(SIGBUS);
    return libcxl_fail(EIO);
}

/* ---- accessors ---------------------------------------------------------------------------------
 */

int cxl_mmio_read64(struct cxl_afu_h *afu, uint64_t offset, uint64_t *value)
{
    uint64_t loaded;

    if (refused(afu, offset, 8) || !value)
        return libcxl_fail(EINVAL);
    libcxl_sigbus_enter();
    *value = UINT64_MAX;
    if (!standin_load_alive(afu->map, offset, &loaded))
        return dead(afu, offset);
    if (loaded == UINT64_MAX)
        return all_ones();
    *value = order64(afu, loaded);
    return done();
}

int cxl_mmio_write64(struct cxl_afu_h *afu, uint64_t offset, uint64_t value)
{
    if (refused(afu, offset, 8))
        return libcxl_fail(EINVAL);
    libcxl_sigbus_enter();
    if (!standin_store_alive(afu->map, offset, order64(afu, value)))
        return dead(afu, offset);
    return done();
}

/* Registers have 64 bits: half of one, the first half being the more significant. */
static unsigned shift(uint64_t offset) { return offset % 8 ? 0 : 32; }

int cxl_mmio_read32(struct cxl_afu_h *afu, uint64_t offset, uint32_t *value)
{
    uint64_t loaded;

    if (refused(afu, offset, 4) || !value)
        return libcxl_fail(EINVAL);
    libcxl_sigbus_enter();
    *value = UINT32_MAX;
    if (!standin_load_alive(afu->map, offset & ~UINT64_C(7), &loaded))
        return dead(afu, offset);
    if ((uint32_t)(loaded >> shift(offset)) == UINT32_MAX)
        return all_ones();
    *value = order32(afu, (uint32_t)(loaded >> shift(offset)));
    return done();
}

/* The AFU has no such access (CX-62): the other half is written as it was. */
int cxl_mmio_write32(struct cxl_afu_h *afu, uint64_t offset, uint32_t value)
{
    uint64_t at = offset & ~UINT64_C(7), all;

    if (refused(afu, offset, 4))
        return libcxl_fail(EINVAL);
    libcxl_sigbus_enter();
    if (!standin_load_alive(afu->map, at, &all))
        return dead(afu, offset);
    all &= ~((uint64_t)UINT32_MAX << shift(offset));
    all |= (uint64_t)order32(afu, value) << shift(offset);
    if (!standin_store_alive(afu->map, at, all))
        return dead(afu, offset);
    return done();
}
