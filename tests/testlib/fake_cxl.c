/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/fake_cxl.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "hal/support/endian.h"

#define FILES_MAX 64
#define NAME_BYTES 128
#define AREA ((size_t)CXL_MASTER_MAP_MIN)
#define ELEMENTS 512

struct cxl_afu_h {
    char name[32];
    int fd, element; /* -1: of the enumeration */
    bool attached, mapped;
};

struct file {
    char path[NAME_BYTES], text[NAME_BYTES]; /* "" = free */
    bool link;
    int error;
};

struct fake_cxl fake_cxl;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FILES_MAX];
static bool element_taken[ELEMENTS];
static struct cxl_afu_h *last;
static struct cxl_event queue[FAKE_CXL_EVENTS];
static unsigned queued;
static uint8_t *area;
static int area_fd = -1;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    size_t n = strlen(fake_cxl.log);
    va_list args;

    va_start(args, format);
    vsnprintf(fake_cxl.log + n, sizeof fake_cxl.log - n, format, args);
    va_end(args);
    strncat(fake_cxl.log, "\n", sizeof fake_cxl.log - strlen(fake_cxl.log) - 1);
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- files ---- */

static void whole_path(const char *path, char *out)
{
    snprintf(out, NAME_BYTES, "%s%s", path[0] == '/' ? "" : CXL_SYSFS_CLASS "/", path);
}

static struct file *file_at(const char *path)
{
    for (unsigned i = 0; i < FILES_MAX; i++)
        if (files[i].path[0] && strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

static struct file *make(const char *path)
{
    char whole[NAME_BYTES];
    struct file *f;

    whole_path(path, whole);
    f = file_at(whole);
    for (unsigned i = 0; !f && i < FILES_MAX; i++)
        if (!files[i].path[0])
            f = &files[i];
    cr_assert_not_null(f);
    snprintf(f->path, sizeof f->path, "%s", whole);
    return f;
}

void fake_cxl_attribute(const char *path, const char *text)
{
    struct file *f = make(path);

    if (text)
        snprintf(f->text, sizeof f->text, "%s", text);
    else
        *f = (struct file){.path = ""};
}

void fake_cxl_refuse(const char *path, int error) { make(path)->error = error; }

void fake_cxl_link(const char *path, const char *target)
{
    struct file *f = make(path);

    snprintf(f->text, sizeof f->text, "%s", target);
    f->link = true;
}

static bool is_below(const char *path, const char *directory)
{
    size_t n = strlen(directory);

    return strncmp(path, directory, n) == 0 && path[n] == '/';
}

void fake_cxl_remove(const char *path)
{
    char whole[NAME_BYTES];

    whole_path(path, whole);
    for (unsigned i = 0; i < FILES_MAX; i++)
        if (is_below(files[i].path, whole))
            files[i] = (struct file){.path = ""};
}

static bool is_directory(const char *path)
{
    for (unsigned i = 0; i < FILES_MAX; i++)
        if (is_below(files[i].path, path))
            return true;
    return false;
}

static ssize_t attribute_read(const char *path, void *buffer, size_t size)
{
    const struct file *f = file_at(path);
    size_t n;

    if (is_directory(path))
        return -EISDIR;
    if (!f)
        return -ENOENT;
    if (f->error)
        return -f->error;
    n = hal_min64(strlen(f->text), size);
    memcpy(buffer, f->text, n);
    return (ssize_t)n;
}

static int attribute_write(const char *path, const void *bytes, size_t size)
{
    const struct file *f = file_at(path);

    note("write %s=%.*s", path, (int)size, (const char *)bytes);
    if (!f)
        return -ENOENT;
    return -f->error;
}

static ssize_t link_read(const char *path, char *target, size_t size)
{
    const struct file *f = file_at(path);
    size_t n = f ? hal_min64(strlen(f->text), size) : 0;

    if (!f)
        return -ENOENT;
    if (!f->link)
        return -EINVAL;
    memcpy(target, f->text, n);
    return (ssize_t)n;
}

/* The first component of what is below the directory; each name once, where it comes first. */
static bool name_below(unsigned i, const char *directory, char *name, size_t size)
{
    size_t n = strlen(directory) + 1;

    if (!is_below(files[i].path, directory))
        return false;
    snprintf(name, size, "%.*s", (int)strcspn(files[i].path + n, "/"), files[i].path + n);
    return true;
}

static bool is_first(unsigned i, const char *directory, const char *name)
{
    char other[NAME_BYTES];

    for (unsigned k = 0; k < i; k++)
        if (name_below(k, directory, other, sizeof other) && strcmp(other, name) == 0)
            return false;
    return true;
}

static int list(const char *directory, unsigned number, char *name, size_t size)
{
    char whole[NAME_BYTES];

    for (unsigned i = 0; i < FILES_MAX; i++)
        if (name_below(i, directory, whole, sizeof whole) && is_first(i, directory, whole) &&
            number-- == 0)
            return (size_t)snprintf(name, size, "%s", whole) < size ? 0 : -EINVAL;
    return -ENOENT;
}

/* ---- registers ---- */

static uint64_t *cell(uint64_t offset)
{
    cr_assert(offset % 8 == 0 && offset < AREA);
    return (uint64_t *)(void *)(area + offset);
}

uint64_t fake_cxl_register(uint64_t offset)
{
    return be64_get((be64_t){__atomic_load_n(cell(offset), __ATOMIC_RELAXED)});
}

void fake_cxl_set_register(uint64_t offset, uint64_t value)
{
    __atomic_store_n(cell(offset), be64_of(value).raw, __ATOMIC_RELAXED);
}

/* Whoever has a pointer sees another file in its place; nobody keeps what was in the registers. */
static void replace(int fill)
{
    cr_assert_eq(ftruncate(area_fd, 0), 0);
    cr_assert_eq(ftruncate(area_fd, (off_t)AREA), 0);
    if (fill)
        memset(area, fill, AREA);
}

void fake_cxl_freeze(void)
{
    fake_cxl.frozen = true;
    replace(0xFF);
}

void fake_cxl_thaw(void)
{
    fake_cxl.frozen = false;
    replace(0);
}

void fake_cxl_cut_off(void) { cr_assert_eq(ftruncate(area_fd, 0), 0); }

static uint64_t place(const struct cxl_afu_h *afu, uint64_t offset)
{
    bool master = afu->name[strlen(afu->name) - 1] == 'm';

    return master ? offset : (uint64_t)afu->element * CXL_SLAVE_MAP_SIZE + offset;
}

/* ---- handles ---- */

static struct cxl_afu_h *new_handle(const char *name)
{
    struct cxl_afu_h *afu = calloc(1, sizeof *afu);

    snprintf(afu->name, sizeof afu->name, "%s", name);
    afu->fd = afu->element = -1;
    fake_cxl.handles++;
    return afu;
}

static void afu_free(struct cxl_afu_h *afu)
{
    pthread_mutex_lock(&lock);
    if (afu->fd >= 0) {
        note("free %s", afu->name);
        close(afu->fd);
        element_taken[afu->element] = false;
        fake_cxl.contexts--;
    }
    if (afu == last)
        last = NULL;
    fake_cxl.handles--;
    pthread_mutex_unlock(&lock);
    free(afu);
}

static struct cxl_afu_h *afu_next(struct cxl_afu_h *afu)
{
    char name[32];
    bool seen = !afu;

    for (unsigned i = 0; !list(CXL_SYSFS_CLASS, i, name, sizeof name); i++) {
        if (strncmp(name, "afu", 3) != 0 || strpbrk(name + 3, "msd"))
            continue;
        if (seen) {
            if (!afu)
                return new_handle(name);
            snprintf(afu->name, sizeof afu->name, "%s", name);
            return afu;
        }
        seen = strcmp(name, afu->name) == 0;
    }
    if (afu)
        afu_free(afu);
    errno = 0;
    return NULL;
}

static char *afu_dev_name(struct cxl_afu_h *afu) { return afu->name; }

static int lowest_element(void)
{
    int i = 0;

    if (fake_cxl.element >= 0)
        return fake_cxl.element;
    while (element_taken[i])
        i++;
    return i;
}

static struct cxl_afu_h *open_node(const char *path)
{
    struct cxl_afu_h *afu = new_handle(strrchr(path, '/') + 1);

    note("open %s", afu->name);
    afu->fd = eventfd(0, EFD_CLOEXEC);
    cr_assert_geq(afu->fd, 0);
    afu->element = lowest_element();
    element_taken[afu->element] = true;
    fake_cxl.contexts++;
    fake_cxl.opened++;
    queued = 0;
    last = afu;
    return afu;
}

static struct cxl_afu_h *afu_open_dev(char *path)
{
    struct cxl_afu_h *afu = NULL;

    pthread_mutex_lock(&lock);
    if (fake_cxl.open_errno)
        errno = fake_cxl.open_errno;
    else
        afu = open_node(path);
    pthread_mutex_unlock(&lock);
    return afu;
}

static int afu_fd(struct cxl_afu_h *afu) { return afu->fd; }

static int afu_get_process_element(struct cxl_afu_h *afu)
{
    return fake_cxl.element_errno ? fail(fake_cxl.element_errno) : afu->element;
}

static int afu_sysfs_pci(struct cxl_afu_h *afu, char **path)
{
    (void)afu;
    *path = strdup("/sys/devices/pci0006:00/0006:00:00.0");
    return 0;
}

/* ---- attach ---- */

static struct cxl_ioctl_start_work *work_alloc(void)
{
    return calloc(1, sizeof(struct cxl_ioctl_start_work));
}

static int work_free(struct cxl_ioctl_start_work *work)
{
    free(work);
    return 0;
}

static int work_set_num_irqs(struct cxl_ioctl_start_work *work, int16_t n)
{
    work->num_interrupts = n;
    work->flags |= CXL_START_WORK_NUM_IRQS;
    return 0;
}

static int work_set_wed(struct cxl_ioctl_start_work *work, uint64_t wed)
{
    work->work_element_descriptor = wed;
    return 0;
}

static int attach(struct cxl_afu_h *afu, const struct cxl_ioctl_start_work *work)
{
    bool err_ff = work->flags & CXL_START_WORK_ERR_FF;

    note("attach %s irqs %d%s", afu->name, work->num_interrupts, err_ff ? " err_ff" : "");
    if (afu->attached)
        return fail(EIO);
    if (err_ff && fake_cxl.old_kernel)
        return fail(EINVAL);
    if (fake_cxl.attach_errno)
        return fail(fake_cxl.attach_errno);
    afu->attached = true;
    fake_cxl.irqs = (uint16_t)work->num_interrupts;
    fake_cxl.flags = work->flags;
    fake_cxl.wed = work->work_element_descriptor;
    return 0;
}

static int afu_attach_work(struct cxl_afu_h *afu, struct cxl_ioctl_start_work *work)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = attach(afu, work);
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- registers of a handle ---- */

static int mmio_map(struct cxl_afu_h *afu, uint32_t flags)
{
    note("map %s flags %u", afu->name, flags);
    if (fake_cxl.map_errno)
        return fail(fake_cxl.map_errno);
    afu->mapped = true;
    return 0;
}

static int mmio_unmap(struct cxl_afu_h *afu)
{
    note("unmap %s", afu->name);
    afu->mapped = false;
    return 0;
}

static int mmio_ptr(struct cxl_afu_h *afu, void **pointer)
{
    if (!fake_cxl.raw)
        return fail(ENODEV);
    *pointer = area + place(afu, 0);
    return 0;
}

static int mmio_read64(struct cxl_afu_h *afu, uint64_t offset, uint64_t *value)
{
    cr_assert(afu->mapped);
    __atomic_add_fetch(&fake_cxl.loads, 1, __ATOMIC_RELAXED);
    offset = place(afu, offset);
    if (offset >= AREA)
        return fail(EINVAL);
    *value = fake_cxl.frozen ? UINT64_MAX : fake_cxl_register(offset);
    return *value == UINT64_MAX ? fail(EIO) : 0;
}

static int mmio_write64(struct cxl_afu_h *afu, uint64_t offset, uint64_t value)
{
    cr_assert(afu->mapped);
    __atomic_add_fetch(&fake_cxl.stores, 1, __ATOMIC_RELAXED);
    offset = place(afu, offset);
    if (offset >= AREA)
        return fail(EINVAL);
    if (!fake_cxl.frozen)
        fake_cxl_set_register(offset, value);
    return 0;
}

static int mmio_install_sigbus_handler(void)
{
    fake_cxl.sigbus_installed++;
    return 0;
}

/* ---- events ---- */

void fake_cxl_event(const struct cxl_event *event)
{
    pthread_mutex_lock(&lock);
    cr_assert_lt(queued, FAKE_CXL_EVENTS);
    queue[queued++] = *event;
    pthread_mutex_unlock(&lock);
    fake_cxl_wake();
}

void fake_cxl_wake(void) { cr_assert_eq(eventfd_write(last->fd, 1), 0); }

static bool is_pending(const struct cxl_afu_h *afu)
{
    return fake_cxl.closed || (afu == last && queued);
}

static int event_pending(struct cxl_afu_h *afu)
{
    bool pending;

    pthread_mutex_lock(&lock);
    pending = is_pending(afu);
    pthread_mutex_unlock(&lock);
    return pending;
}

static int take_event(struct cxl_afu_h *afu, struct cxl_event *event)
{
    eventfd_t count;

    if (queued == 0 || afu != last)
        return fail(fake_cxl.closed ? EIO : EAGAIN);
    *event = queue[0];
    memmove(queue, queue + 1, --queued * sizeof queue[0]);
    if (!queued && eventfd_read(afu->fd, &count))
        errno = 0;
    return event->header.type == CXL_EVENT_READ_FAIL ? fail(event->header.reserved1) : 0;
}

static int read_event(struct cxl_afu_h *afu, struct cxl_event *event)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = take_event(afu, event);
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- the library ---- */

static const char *const nothing[] = {NULL};

static const struct {
    const char *name;
    void (*function)(void);
} functions[] = {
    {"cxl_afu_next", (void (*)(void))afu_next},
    {"cxl_afu_dev_name", (void (*)(void))afu_dev_name},
    {"cxl_afu_open_dev", (void (*)(void))afu_open_dev},
    {"cxl_afu_free", (void (*)(void))afu_free},
    {"cxl_afu_fd", (void (*)(void))afu_fd},
    {"cxl_afu_attach_work", (void (*)(void))afu_attach_work},
    {"cxl_afu_get_process_element", (void (*)(void))afu_get_process_element},
    {"cxl_afu_sysfs_pci", (void (*)(void))afu_sysfs_pci},
    {"cxl_work_alloc", (void (*)(void))work_alloc},
    {"cxl_work_free", (void (*)(void))work_free},
    {"cxl_work_set_num_irqs", (void (*)(void))work_set_num_irqs},
    {"cxl_work_set_wed", (void (*)(void))work_set_wed},
    {"cxl_event_pending", (void (*)(void))event_pending},
    {"cxl_read_event", (void (*)(void))read_event},
    {"cxl_mmio_map", (void (*)(void))mmio_map},
    {"cxl_mmio_unmap", (void (*)(void))mmio_unmap},
    {"cxl_mmio_ptr", (void (*)(void))mmio_ptr},
    {"cxl_mmio_read64", (void (*)(void))mmio_read64},
    {"cxl_mmio_write64", (void (*)(void))mmio_write64},
    {"cxl_mmio_install_sigbus_handler", (void (*)(void))mmio_install_sigbus_handler},
    /* Nobody calls these: they tell the version. */
    {"cxl_get_psl_timebase_synced", (void (*)(void))mmio_install_sigbus_handler},
    {"cxl_work_enable_wait", (void (*)(void))mmio_install_sigbus_handler},
    {"cxl_get_tunneled_ops_supported", (void (*)(void))mmio_install_sigbus_handler},
};

void *fake_cxl_lookup(void *arg, const char *name)
{
    const char *const *without = arg ? arg : nothing;
    void *address = NULL;

    for (; *without; without++)
        if (strcmp(*without, name) == 0)
            return NULL;
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(functions); i++)
        if (strcmp(functions[i].name, name) == 0)
            memcpy(&address, &functions[i].function, sizeof address);
    return address;
}

struct capi_library *fake_cxl_library(const char *const *without)
{
    struct capi_library *library;
    char why[256];

    cr_assert_eq(capi_library_resolve(fake_cxl_lookup, (void *)(uintptr_t)without, &library, why,
                                      sizeof why),
                 0, "%s", why);
    return library;
}

/* ---- the driver ---- */

static int kernel_open(const char *node)
{
    struct cxl_afu_h *afu;

    if (fake_cxl.node_errno)
        return -fake_cxl.node_errno;
    afu = afu_open_dev((char *)(uintptr_t)node);
    return afu ? afu->fd : -errno;
}

static int kernel_close(int fd)
{
    cr_assert(last && last->fd == fd, "the driver of the fake has one descriptor at a time");
    afu_free(last);
    return 0;
}

static int kernel_ioctl(int fd, unsigned long request, void *argument)
{
    uint32_t *element = argument;

    cr_assert(last && last->fd == fd);
    if (request == CXL_IOCTL_START_WORK)
        return afu_attach_work(last, argument) ? -errno : 0;
    if (request != CXL_IOCTL_GET_PROCESS_ELEMENT)
        return -EINVAL;
    *element = (uint32_t)last->element;
    return -fake_cxl.element_errno;
}

static ssize_t kernel_read(int fd, void *buffer, size_t size)
{
    struct cxl_event event;

    cr_assert(last && last->fd == fd);
    if (size < CXL_READ_MIN_SIZE)
        return -EINVAL;
    if (read_event(last, &event))
        return -errno;
    memcpy(buffer, &event, sizeof event);
    return event.header.size;
}

static int kernel_map(int fd, size_t size, void **out)
{
    cr_assert(last && last->fd == fd);
    note("map %s size 0x%zx", last->name, size);
    *out = last;
    last->mapped = true;
    return -fake_cxl.map_errno;
}

static int kernel_unmap(void *map, size_t size)
{
    (void)size;
    return mmio_unmap(map) ? -errno : 0;
}

static uint64_t kernel_load(void *map, uint64_t offset)
{
    uint64_t value = UINT64_MAX;

    if (mmio_read64(map, offset, &value))
        return UINT64_MAX;
    return value;
}

static void kernel_store(void *map, uint64_t offset, uint64_t value)
{
    if (mmio_write64(map, offset, value))
        errno = 0;
}

const struct cxl_kernel fake_cxl_kernel = {
    .open = kernel_open,
    .close = kernel_close,
    .ioctl = kernel_ioctl,
    .read = kernel_read,
    .map = kernel_map,
    .unmap = kernel_unmap,
    .load = kernel_load,
    .store = kernel_store,
    .attribute_read = attribute_read,
    .attribute_write = attribute_write,
    .link_read = link_read,
    .list = list,
};

/* ---- life ---- */

void fake_cxl_init(void)
{
    static const char *const attributes[][2] = {
        {"afu0.0/api_version_compatible", "1\n"},
        {"afu0.0/mode", "afu_directed\n"},
        {"afu0.0/irqs_min", "3\n"},
        {"afu0.0/irqs_max", "2037\n"},
        {"afu0.0/mmio_size", "65536\n"},
        {"afu0.0/reset", ""},
        {"afu0.0/cr0/device", "0x04f0\n"},
        {"afu0.0m/pp_mmio_len", "65536\n"},
        {"afu0.0m/pp_mmio_off", "0\n"},
        {"afu0.0m/mmio_size", "33685504\n"},
        {"card0/image_loaded", "user\n"},
        {"card0/perst_reloads_same_image", "0\n"},
        {"/sys/devices/pci0006:00/0006:00:00.0/vpd", "product data of the card"},
    };

    fake_cxl = (struct fake_cxl){.element = -1};
    memset(files, 0, sizeof files);
    memset(element_taken, 0, sizeof element_taken);
    last = NULL;
    queued = 0;
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(attributes); i++)
        fake_cxl_attribute(attributes[i][0], attributes[i][1]);
    fake_cxl_link("card0/device", "../../../0006:00:00.0");
    area_fd = memfd_create("registers", MFD_CLOEXEC);
    cr_assert_geq(area_fd, 0);
    cr_assert_eq(ftruncate(area_fd, (off_t)AREA), 0);
    area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_SHARED, area_fd, 0);
    cr_assert_neq(area, MAP_FAILED);
}

void fake_cxl_fini(void)
{
    cr_assert_eq(fake_cxl.handles, 0, "%u handles were not freed", fake_cxl.handles);
    munmap(area, AREA);
    close(area_fd);
}
