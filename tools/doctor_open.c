/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/doctor_open.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/capi/capi_bus.h"
#include "backends/capi/capi_sigbus.h"
#include "hal/afu_regs.h"
#include "hal/cxl_abi.h"
#include "hal/support/bits.h"

#define NAME_BYTES 32
#define NODE_BYTES 64
#define LEGACY_PORTS 2u /* AD-40: an AFU that does not say how many it has */
#define INTERRUPTS 3u   /* CX-47 */

static int say(struct doctor_registers *r, int rc, const char *what)
{
    snprintf(r->why, sizeof r->why, "%s (%s)", what, strerror(-rc));
    return rc;
}

static uint64_t load(const struct cxl_kernel *k, void *map, uint64_t offset)
{
    return k->load ? k->load(map, offset) : capi_bus_load(map, offset);
}

/* ERR_FF: a card that dies gives ones instead of a signal. Kernels before 4.3 do not know it
 * (CX-48). */
static int attach(const struct cxl_kernel *k, int fd, const struct doctor_afu *a)
{
    uint64_t least = doctor_number(&a->attribute[DOCTOR_AFU_IRQS_MIN], 0);
    struct cxl_ioctl_start_work work = {
        .flags = CXL_START_WORK_NUM_IRQS | CXL_START_WORK_ERR_FF,
        .num_interrupts = (int16_t)hal_max64(least, INTERRUPTS),
    };
    int rc = k->ioctl(fd, CXL_IOCTL_START_WORK, &work);

    if (rc == -EINVAL) {
        work.flags = CXL_START_WORK_NUM_IRQS;
        rc = k->ioctl(fd, CXL_IOCTL_START_WORK, &work);
    }
    return rc;
}

/* Eight characters, the first one in the most significant byte (CX-62). */
static void version_text(uint64_t value, char text[9])
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned char c = (unsigned char)(value >> (56 - 8 * i));

        text[i] = (char)(isprint(c) || !c ? c : '?');
    }
    text[8] = 0;
}

static int read_registers(const struct cxl_kernel *k, void *map, struct doctor_registers *r)
{
    uint64_t version = load(k, map, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_VERSION);
    uint64_t mask = load(k, map, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL);

    if (version == UINT64_MAX && mask == UINT64_MAX)
        return say(r, -EIO, "the AFU answers no register access");
    version_text(version, r->version);
    r->interface_version = load(k, map, AFU_GLOBAL_BASE + AFU_GLOBAL_INTERFACE_VERSION);
    r->ports = LEGACY_PORTS;
    if (mask)
        r->ports = (unsigned)hal_min64(hal_highest_bit(mask) + 1, HAL_ARRAY_LENGTH(r->port));
    for (unsigned i = 0; i < r->ports; i++) {
        r->port[i].status = load(k, map, AFU_PORT_REGS(i) + AFU_FC_MTIP_STATUS);
        r->port[i].error = load(k, map, AFU_PORT_REGS(i) + AFU_FC_ERROR);
    }
    return 0;
}

/* A map that is memory is guarded: on a kernel without ERR_FF (CX-48) a card that dies in this
 * moment would end the doctor. */
static int read_guarded(const struct cxl_kernel *k, void *map, size_t size,
                        struct doctor_registers *r)
{
    struct capi_sigbus_range *guard;
    int rc;

    if (k->load)
        return read_registers(k, map, r);
    rc = capi_sigbus_add(map, size, &guard);
    if (rc)
        return say(r, rc, "its registers cannot be guarded");
    rc = read_registers(k, map, r);
    if (capi_sigbus_dead(guard))
        rc = say(r, -EIO, "the card died while its registers were read");
    capi_sigbus_remove(guard);
    return rc;
}

static int use_node(const struct cxl_kernel *k, int fd, const struct doctor_afu *a,
                    struct doctor_registers *r)
{
    size_t size = (size_t)doctor_number(&a->master[DOCTOR_MASTER_MMIO_SIZE], CXL_MASTER_MAP_MIN);
    void *map;
    int rc = attach(k, fd, a);

    if (rc < 0)
        return say(r, rc, "its master context cannot be attached");
    rc = k->map(fd, size, &map);
    if (rc < 0)
        return say(r, rc, "its registers cannot be mapped");
    rc = read_guarded(k, map, size, r);
    (void)k->unmap(map, size);
    return rc;
}

static int use_afu(const struct cxl_kernel *k, const char *name, const struct doctor_afu *a,
                   struct doctor_registers *r)
{
    char node[NODE_BYTES];
    int fd, rc;

    snprintf(node, sizeof node, CXL_DEV_DIR "/%sm", name);
    fd = k->open(node);
    if (fd < 0)
        return say(r, fd, "its node cannot be opened");
    rc = use_node(k, fd, a, r);
    (void)k->close(fd);
    return rc;
}

void doctor_open(const struct doctor_opener *opener, const struct doctor_afu *afu,
                 struct doctor_registers *out)
{
    char name[NAME_BYTES];
    int lock;

    *out = (struct doctor_registers){.asked = true};
    snprintf(name, sizeof name, "afu%u.%u", afu->card, afu->slice);
    out->error = opener->lock(name, &lock, out->why, sizeof out->why);
    if (out->error)
        return;
    out->error = use_afu(opener->kernel, name, afu, out);
    opener->unlock(lock);
}
