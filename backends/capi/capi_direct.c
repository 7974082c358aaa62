/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_direct.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capi/capi_bus.h"
#include "backends/capi/capi_library.h"
#include "backends/capi/capi_name.h"
#include "hal/cxl_kernel.h"
#include "hal/support/check.h"

#define NAME_BYTES 32
#define PATH_BYTES 320

/* A handle: of the enumeration (fd -1) or of an open node. */
struct cxl_afu_h {
    int fd, element; /* -1 = none, not asked yet */
    unsigned next;   /* of the enumeration: where to look next */
    char name[NAME_BYTES];
    void *map;
    uint64_t map_size;
    size_t begin, end; /* of what is left in `events` */
    _Alignas(8) uint8_t events[CXL_READ_MIN_SIZE];
};

/* The functions have libcxl's arguments, so there is no other place for it. */
static pthread_mutex_t uses_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct cxl_kernel *os;
static unsigned uses;

int capi_direct_use(const struct cxl_kernel *kernel)
{
    int rc = 0;

    pthread_mutex_lock(&uses_lock);
    if (uses && os != kernel) {
        rc = -EBUSY;
    } else {
        os = kernel;
        uses++;
    }
    pthread_mutex_unlock(&uses_lock);
    return rc;
}

void capi_direct_unuse(void)
{
    pthread_mutex_lock(&uses_lock);
    CHECK(uses > 0);
    uses--;
    pthread_mutex_unlock(&uses_lock);
}

/* libcxl's way to fail. */
static int fail(int error)
{
    errno = error < 0 ? -error : error;
    return -1;
}

static int result(int rc) { return rc < 0 ? fail(rc) : 0; }

/* ---- names and attributes ----------------------------------------------------------------------
 */

/* "afu0.0m" belongs to "afu0.0". */
static int name_length(const char *name)
{
    size_t n = strlen(name);

    return (int)(n && strchr("msd", name[n - 1]) ? n - 1 : n);
}

static int attribute(const struct cxl_afu_h *afu, bool of_view, const char *which, long *value)
{
    char path[PATH_BYTES], text[32] = "", *end;
    int length = of_view ? (int)strlen(afu->name) : name_length(afu->name);
    ssize_t n;

    snprintf(path, sizeof path, CXL_SYSFS_CLASS "/%.*s/%s", length, afu->name, which);
    n = os->attribute_read(path, text, sizeof text - 1);
    if (n < 0)
        return fail(n == -ENOENT ? ENODEV : (int)-n);
    *value = strtol(text, &end, 0);
    return end == text ? fail(EIO) : 0;
}

/* ---- handles ----------------------------------------------------------------------------------
 */

static struct cxl_afu_h *new_handle(const char *name)
{
    struct cxl_afu_h *afu = calloc(1, sizeof *afu);

    if (!afu) {
        errno = ENOMEM;
        return NULL;
    }
    snprintf(afu->name, sizeof afu->name, "%s", name);
    afu->fd = afu->element = -1;
    return afu;
}

static void afu_free(struct cxl_afu_h *afu)
{
    if (!afu)
        return;
    if (afu->map)
        os->unmap(afu->map, afu->map_size);
    if (afu->fd >= 0)
        os->close(afu->fd);
    free(afu);
}

static struct cxl_afu_h *afu_next(struct cxl_afu_h *afu)
{
    char name[NAME_BYTES];
    unsigned i = afu ? afu->next : 0, card;
    int rc;

    while ((rc = os->list(CXL_SYSFS_CLASS, i++, name, sizeof name)) == 0)
        if (capi_name_is_afu(name, &card))
            break;
    if (!rc && !afu)
        afu = new_handle(name);
    if (rc || !afu) {
        if (rc)
            errno = afu || rc != -ENOENT ? 0 : ENODEV;
        afu_free(afu); /* CX-16: at the end of the list */
        return NULL;
    }
    snprintf(afu->name, sizeof afu->name, "%s", name);
    afu->next = i;
    return afu;
}

static char *afu_dev_name(struct cxl_afu_h *afu) { return afu->name; }

static struct cxl_afu_h *afu_open_dev(char *path)
{
    const char *slash = strrchr(path, '/');
    struct cxl_afu_h *afu = new_handle(slash ? slash + 1 : path);
    long level = 0;
    int rc;

    if (!afu)
        return NULL;
    rc = attribute(afu, false, "api_version_compatible", &level);
    if (!rc && level > CXL_API_VERSION)
        rc = fail(EPROTO);
    if (!rc) {
        afu->fd = os->open(path);
        rc = result(afu->fd);
    }
    if (rc) {
        int error = errno;

        afu_free(afu);
        errno = error;
        return NULL;
    }
    return afu;
}

static int afu_fd(struct cxl_afu_h *afu) { return afu->fd; }

static int afu_get_process_element(struct cxl_afu_h *afu)
{
    uint32_t element;

    if (afu->fd < 0)
        return fail(EINVAL);
    if (afu->element < 0) {
        if (result(os->ioctl(afu->fd, CXL_IOCTL_GET_PROCESS_ELEMENT, &element)))
            return -1;
        afu->element = (int)element;
    }
    return afu->element;
}

static bool is_directory(const char *path)
{
    char nothing[1];

    return os->attribute_read(path, nothing, 0) == -EISDIR;
}

/* Where a link leads that begins in a directory which is itself a link nobody can say without
 * following that too: but only its last name counts, which the bus has a place for. */
static void leads_to(const char *link, const char *target, char *out)
{
    const char *slash = strrchr(target, '/');

    if (target[0] == '/')
        snprintf(out, PATH_BYTES, "%s", target);
    else
        snprintf(out, PATH_BYTES, "/sys/bus/pci/devices/%s", slash ? slash + 1 : target);
    if (!is_directory(out))
        snprintf(out, PATH_BYTES, "%s", link);
}

/* The card's device is its PCI function (CX-93). The path does not go through the class, from which
 * the card may vanish while the function stays. The caller frees it. */
static int afu_sysfs_pci(struct cxl_afu_h *afu, char **path)
{
    char link[64], target[256], text[PATH_BYTES];
    unsigned card;
    ssize_t n;

    if (!capi_name_afu(afu->name, &card))
        return fail(EINVAL);
    snprintf(link, sizeof link, CXL_SYSFS_CLASS "/card%u/device", card);
    n = os->link_read(link, target, sizeof target - 1);
    if (n < 0)
        return fail(ENODEV);
    target[n] = '\0';
    leads_to(link, target, text);
    if (!is_directory(text))
        return fail(ENODEV);
    *path = strdup(text);
    return *path ? 0 : fail(ENOMEM);
}

/* ---- attach ------------------------------------------------------------------------------------
 */

static struct cxl_ioctl_start_work *work_alloc(void)
{
    return calloc(1, sizeof(struct cxl_ioctl_start_work));
}

static int work_free(struct cxl_ioctl_start_work *work)
{
    if (!work)
        return fail(EINVAL);
    free(work);
    return 0;
}

static int work_set_num_irqs(struct cxl_ioctl_start_work *work, int16_t n)
{
    if (!work)
        return fail(EINVAL);
    work->num_interrupts = n;
    if (n < 0)
        work->flags &= ~CXL_START_WORK_NUM_IRQS;
    else
        work->flags |= CXL_START_WORK_NUM_IRQS;
    return 0;
}

static int work_set_wed(struct cxl_ioctl_start_work *work, uint64_t wed)
{
    if (!work)
        return fail(EINVAL);
    work->work_element_descriptor = wed;
    return 0;
}

static int afu_attach_work(struct cxl_afu_h *afu, struct cxl_ioctl_start_work *work)
{
    if (!afu || afu->fd < 0 || !work)
        return fail(EINVAL);
    return result(os->ioctl(afu->fd, CXL_IOCTL_START_WORK, work));
}

/* ---- registers ---------------------------------------------------------------------------------
 */

/* Only the byte order of the bus; a second mapping would lose the first (CX-52). */
static int mmio_map(struct cxl_afu_h *afu, uint32_t flags)
{
    bool master = strlen(afu->name) > (size_t)name_length(afu->name) &&
                  afu->name[name_length(afu->name)] == 'm';
    long size = 0;

    if (flags != CXL_MMIO_BIG_ENDIAN || afu->map)
        return fail(EINVAL);
    if (afu->fd < 0)
        return fail(ENODEV);
    if (attribute(afu, master, "mmio_size", &size))
        return -1;
    if (size <= 0)
        return fail(EINVAL);
    if (result(os->map(afu->fd, (size_t)size, &afu->map))) {
        afu->map = NULL;
        return -1;
    }
    afu->map_size = (uint64_t)size;
    return 0;
}

static int mmio_unmap(struct cxl_afu_h *afu)
{
    int rc;

    if (!afu->map)
        return fail(EINVAL);
    rc = os->unmap(afu->map, afu->map_size);
    afu->map = NULL;
    return result(rc);
}

static int mmio_ptr(struct cxl_afu_h *afu, void **pointer)
{
    if (!afu->map)
        return fail(EINVAL);
    if (os->load)
        return fail(ENOSYS); /* it is no memory */
    *pointer = afu->map;
    return 0;
}

static bool outside(const struct cxl_afu_h *afu, uint64_t offset)
{
    return !afu->map || offset >= afu->map_size || offset % 8;
}

/* CX-53, CX-56. */
static int mmio_read64(struct cxl_afu_h *afu, uint64_t offset, uint64_t *value)
{
    if (outside(afu, offset))
        return fail(EINVAL);
    *value = os->load ? os->load(afu->map, offset) : capi_bus_load(afu->map, offset);
    return *value == UINT64_MAX ? fail(EIO) : 0;
}

static int mmio_write64(struct cxl_afu_h *afu, uint64_t offset, uint64_t value)
{
    if (outside(afu, offset))
        return fail(EINVAL);
    if (os->store)
        os->store(afu->map, offset, value);
    else
        capi_bus_store(afu->map, offset, value);
    return 0;
}

/* Where a fault could happen the caller has a pointer, and a handler of its own. */
static int mmio_install_sigbus_handler(void) { return 0; }

/* ---- events ------------------------------------------------------------------------------------
 */

static int event_pending(struct cxl_afu_h *afu)
{
    struct pollfd p = {.fd = afu->fd, .events = POLLIN};

    if (afu->begin < afu->end)
        return 1;
    if (afu->fd < 0)
        return fail(EINVAL);
    return poll(&p, 1, 0);
}

/* CX-78: what a failed read leaves in the caller's event. */
static int no_event(struct cxl_event *event, int error)
{
    memset(event, 0, sizeof *event);
    event->header.type = CXL_EVENT_READ_FAIL;
    return fail(error);
}

/* One event out of what was read; a size that cannot be ends the rest. */
static void take_event(struct cxl_afu_h *afu, struct cxl_event *event)
{
    const uint8_t *at = afu->events + afu->begin;
    size_t left = afu->end - afu->begin, size;

    memset(event, 0, sizeof *event);
    memcpy(&event->header, at, left < sizeof event->header ? left : sizeof event->header);
    size = event->header.size;
    if (size < sizeof event->header || size > left)
        size = left;
    memcpy(event, at, size < sizeof *event ? size : sizeof *event);
    afu->begin += size;
}

static int read_event(struct cxl_afu_h *afu, struct cxl_event *event)
{
    ssize_t n;

    if (afu->begin == afu->end) {
        n = os->read(afu->fd, afu->events, sizeof afu->events);
        if (n <= 0)
            return no_event(event, n ? (int)-n : ENODATA);
        afu->begin = 0;
        afu->end = (size_t)n;
    }
    take_event(afu, event);
    return 0;
}

void capi_direct_fill(struct capi_library *l)
{
    l->cxl_afu_next = afu_next;
    l->cxl_afu_dev_name = afu_dev_name;
    l->cxl_afu_open_dev = afu_open_dev;
    l->cxl_afu_free = afu_free;
    l->cxl_afu_fd = afu_fd;
    l->cxl_afu_attach_work = afu_attach_work;
    l->cxl_afu_get_process_element = afu_get_process_element;
    l->cxl_afu_sysfs_pci = afu_sysfs_pci;
    l->cxl_work_alloc = work_alloc;
    l->cxl_work_free = work_free;
    l->cxl_work_set_num_irqs = work_set_num_irqs;
    l->cxl_work_set_wed = work_set_wed;
    l->cxl_event_pending = event_pending;
    l->cxl_read_event = read_event;
    l->cxl_mmio_map = mmio_map;
    l->cxl_mmio_unmap = mmio_unmap;
    l->cxl_mmio_ptr = mmio_ptr;
    l->cxl_mmio_read64 = mmio_read64;
    l->cxl_mmio_write64 = mmio_write64;
    l->cxl_mmio_install_sigbus_handler = mmio_install_sigbus_handler;
}
