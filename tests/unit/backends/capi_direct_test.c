/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that stand for a library, over the fake's driver; as CX says that IBM's behave. */
#include "backends/capi/capi_direct.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capi/capi_library.h"
#include "tests/testlib/fake_cxl.h"
#include "tests/testlib/proves.h"

/* Whether a call fails with this errno, and not with one that was left from before. */
#define FAILS(call, error) (errno = 0, (call) == -1 && errno == (error))

static struct capi_library *l;

static void up(void)
{
    fake_cxl_init();
    cr_assert_eq(capi_library_direct(&fake_cxl_kernel, &l), 0);
}

static void down(void)
{
    capi_library_close(l);
    fake_cxl_fini();
}

TestSuite(capi_direct, .init = up, .fini = down);

static struct cxl_afu_h *open_node(const char *node)
{
    char path[64];

    snprintf(path, sizeof path, "/dev/cxl/%s", node);
    errno = 0;
    return l->cxl_afu_open_dev(path);
}

static void attach(struct cxl_afu_h *afu, int16_t interrupts)
{
    struct cxl_ioctl_start_work *work = l->cxl_work_alloc();

    cr_assert_eq(l->cxl_work_set_wed(work, 5), 0);
    cr_assert_eq(l->cxl_work_set_num_irqs(work, interrupts), 0);
    cr_assert_eq(l->cxl_afu_attach_work(afu, work), 0);
    cr_assert_eq(l->cxl_work_free(work), 0);
}

/* ---- enumeration ---- */

Test(capi_direct, afus_are_enumerated)
{
    struct cxl_afu_h *afu;

    fake_cxl_attribute("afu1.0/mode", "afu_directed\n");
    fake_cxl_attribute("afu1.0m/dev", "1:2\n");
    fake_cxl_attribute("afux/dev", "1:2\n");
    afu = l->cxl_afu_next(NULL);
    cr_assert_str_eq(l->cxl_afu_dev_name(afu), "afu0.0");
    cr_assert_eq(l->cxl_afu_fd(afu), -1);
    afu = l->cxl_afu_next(afu);
    cr_assert_str_eq(l->cxl_afu_dev_name(afu), "afu1.0");
    errno = 99;
    cr_assert_null(l->cxl_afu_next(afu));
    cr_assert_eq(errno, 0);
    fake_cxl_remove("/sys/class/cxl");
    errno = 0;
    cr_assert_null(l->cxl_afu_next(NULL));
    cr_assert_eq(errno, ENODEV);
    PROVES(CX_16);
    PROVES(CX_17);
}

static void expect_pci(struct cxl_afu_h *afu, const char *wanted)
{
    char *path = NULL;

    cr_assert_eq(l->cxl_afu_sysfs_pci(afu, &path), 0);
    cr_assert_str_eq(path, wanted);
    free(path);
}

/* From what is known least to what is known best. */
Test(capi_direct, the_pci_function_is_the_device_of_the_card)
{
    struct cxl_afu_h *afu = l->cxl_afu_next(NULL);
    char *path = NULL;

    cr_assert(FAILS(l->cxl_afu_sysfs_pci(afu, &path), ENODEV));
    fake_cxl_attribute("card0/device/vpd", "data");
    expect_pci(afu, "/sys/class/cxl/card0/device");
    fake_cxl_attribute("/sys/bus/pci/devices/0006:00:00.0/vpd", "data");
    expect_pci(afu, "/sys/bus/pci/devices/0006:00:00.0");
    fake_cxl_link("card0/device", "/sys/devices/pci0006:00/0006:00:00.0");
    expect_pci(afu, "/sys/devices/pci0006:00/0006:00:00.0");
    fake_cxl_attribute("card0/device", NULL);
    cr_assert(FAILS(l->cxl_afu_sysfs_pci(afu, &path), ENODEV));
    l->cxl_afu_free(afu);
}

/* ---- opening ---- */

Test(capi_direct, opening_gives_what_the_driver_says)
{
    static const int errors[] = {ENOENT, EACCES, ENODEV, EIO, ENOSPC, ENOMEM};

    for (unsigned i = 0; i < 6; i++) {
        fake_cxl.node_errno = errors[i];
        cr_assert_null(open_node("afu0.0m"));
        cr_assert_eq(errno, errors[i]);
    }
    fake_cxl.node_errno = 0;
    fake_cxl_attribute("afu0.0/api_version_compatible", "2\n");
    cr_assert_null(open_node("afu0.0m"));
    cr_assert_eq(errno, EPROTO);
    fake_cxl_attribute("afu0.0/api_version_compatible", NULL);
    cr_assert_null(open_node("afu0.0m")); /* which resets errno */
    cr_assert_eq(errno, ENODEV);
    cr_assert_eq(fake_cxl.opened, 0);
    l->cxl_afu_free(NULL);
    PROVES(CX_18);
    PROVES(CX_14);
}

Test(capi_direct, a_context_has_its_number_at_once)
{
    struct cxl_afu_h *afu, *none = l->cxl_afu_next(NULL);

    cr_assert(FAILS(l->cxl_afu_get_process_element(none), EINVAL));
    l->cxl_afu_free(none);
    fake_cxl.element = 200;
    afu = open_node("afu0.0s");
    cr_assert_geq(l->cxl_afu_fd(afu), 0);
    cr_assert_eq(l->cxl_afu_get_process_element(afu), 200);
    fake_cxl.element_errno = EIO; /* the first answer stays */
    cr_assert_eq(l->cxl_afu_get_process_element(afu), 200);
    l->cxl_afu_free(afu);
    cr_assert_eq(fake_cxl.contexts, 0);
    PROVES(CX_39);
}

/* ---- attaching ---- */

Test(capi_direct, attaching_says_what_it_was_told)
{
    struct cxl_afu_h *afu = open_node("afu0.0m");
    struct cxl_ioctl_start_work *work;

    attach(afu, 4);
    cr_assert_eq(fake_cxl.irqs, 4);
    cr_assert_eq(fake_cxl.wed, 5);
    cr_assert_eq(fake_cxl.flags, CXL_START_WORK_NUM_IRQS);
    work = l->cxl_work_alloc();
    cr_assert(FAILS(l->cxl_afu_attach_work(afu, work), EIO), "once for each file");
    cr_assert_eq(l->cxl_work_set_num_irqs(work, 2), 0);
    cr_assert_eq(l->cxl_work_set_num_irqs(work, -1), 0);
    cr_assert_eq(work->flags, 0);
    l->cxl_work_free(work);
    cr_assert(FAILS(l->cxl_afu_attach_work(afu, NULL), EINVAL));
    cr_assert_eq(l->cxl_work_free(NULL), -1);
    cr_assert_eq(l->cxl_work_set_wed(NULL, 1), -1);
    cr_assert_eq(l->cxl_work_set_num_irqs(NULL, 1), -1);
    l->cxl_afu_free(afu);
    PROVES(CX_40);
    PROVES(CX_41);
}

/* ---- registers ---- */

Test(capi_direct, the_size_of_a_map_is_that_of_its_view)
{
    struct cxl_afu_h *afu = open_node("afu0.0m");

    cr_assert_eq(l->cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), 0);
    cr_assert_not_null(strstr(fake_cxl.log, "map afu0.0m size 0x2020000"), "%s", fake_cxl.log);
    cr_assert_eq(l->cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), -1, "the first would be lost");
    cr_assert_eq(l->cxl_mmio_unmap(afu), 0);
    cr_assert_eq(l->cxl_mmio_unmap(afu), -1);
    l->cxl_afu_free(afu);
    afu = open_node("afu0.0s");
    cr_assert_eq(l->cxl_mmio_map(afu, CXL_MMIO_HOST_ENDIAN), -1);
    cr_assert_eq(l->cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), 0);
    cr_assert_not_null(strstr(fake_cxl.log, "map afu0.0s size 0x10000"), "%s", fake_cxl.log);
    l->cxl_afu_free(afu);
    cr_assert_not_null(strstr(fake_cxl.log, "unmap afu0.0s\nfree"), "freeing unmaps");
    PROVES(CX_51);
}

Test(capi_direct, accessors_look_where_they_go)
{
    struct cxl_afu_h *afu = open_node("afu0.0s");
    uint64_t value = 3;
    void *pointer = NULL;

    cr_assert_eq(l->cxl_mmio_read64(afu, 0, &value), -1, "it is not mapped");
    cr_assert(FAILS(l->cxl_mmio_ptr(afu, &pointer), EINVAL));
    cr_assert_eq(l->cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), 0);
    cr_assert_eq(l->cxl_mmio_ptr(afu, &pointer), -1, "this driver's is no memory");
    cr_assert_eq(l->cxl_mmio_install_sigbus_handler(), 0);
    cr_assert_eq(l->cxl_mmio_write64(afu, 0x28, 77), 0);
    cr_assert_eq(l->cxl_mmio_read64(afu, 0x28, &value), 0);
    cr_assert_eq(value, 77);
    cr_assert(FAILS(l->cxl_mmio_read64(afu, 0x10000, &value), EINVAL));
    cr_assert_eq(l->cxl_mmio_read64(afu, 0x2C, &value), -1);
    cr_assert(FAILS(l->cxl_mmio_write64(afu, 0x10000, 1), EINVAL));
    fake_cxl_freeze();
    cr_assert(FAILS(l->cxl_mmio_read64(afu, 0x28, &value), EIO));
    cr_assert_eq(value, UINT64_MAX);
    l->cxl_afu_free(afu);
    PROVES(CX_53);
    PROVES(CX_56);
}

Test(capi_direct, a_map_that_fails_is_none)
{
    struct cxl_afu_h *afu = open_node("afu0.0s");

    fake_cxl.map_errno = EBUSY;
    cr_assert(FAILS(l->cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), EBUSY));
    fake_cxl_attribute("afu0.0/mmio_size", NULL);
    cr_assert(FAILS(l->cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), ENODEV));
    fake_cxl_attribute("afu0.0/mmio_size", "0\n");
    cr_assert(FAILS(l->cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), EINVAL));
    cr_assert_null(strstr(fake_cxl.log, "unmap"));
    l->cxl_afu_free(afu);
}

/* ---- events ---- */

Test(capi_direct, events_come_one_by_one)
{
    const struct cxl_event first = {.header = {CXL_EVENT_AFU_INTERRUPT, 16, 0, 0},
                                    .irq = {.irq = 1}};
    const struct cxl_event second = {.header = {CXL_EVENT_DATA_STORAGE, 40, 0, 0},
                                     .fault = {.addr = 9}};
    struct cxl_afu_h *afu = open_node("afu0.0s");
    struct cxl_event event;

    cr_assert_eq(l->cxl_event_pending(afu), 0);
    fake_cxl_event(&first);
    fake_cxl_event(&second);
    cr_assert_eq(l->cxl_event_pending(afu), 1);
    cr_assert_eq(l->cxl_read_event(afu, &event), 0);
    cr_assert_eq(event.header.type, CXL_EVENT_AFU_INTERRUPT);
    cr_assert_eq(event.irq.irq, 1);
    cr_assert_eq(l->cxl_read_event(afu, &event), 0);
    cr_assert_eq(event.fault.addr, 9);
    cr_assert_eq(l->cxl_event_pending(afu), 0);
    cr_assert(FAILS(l->cxl_read_event(afu, &event), EAGAIN));
    cr_assert_eq(event.header.type, CXL_EVENT_READ_FAIL);
    cr_assert_eq(event.header.size, 0);
    fake_cxl.closed = true;
    cr_assert(FAILS(l->cxl_read_event(afu, &event), EIO));
    l->cxl_afu_free(afu);
    PROVES(CX_78);
    PROVES(CX_80);
}

/* A driver that gives two events to one read, the second with a size that cannot be. */
static uint8_t batch[64];
static size_t batch_size;

static ssize_t read_batch(int fd, void *buffer, size_t size)
{
    size_t n = batch_size;

    (void)fd;
    cr_assert_geq(size, CXL_READ_MIN_SIZE);
    memcpy(buffer, batch, n);
    batch_size = 0;
    return (ssize_t)n;
}

static struct cxl_afu_h *over_batches(struct cxl_kernel *kernel)
{
    *kernel = fake_cxl_kernel;
    kernel->read = read_batch;
    capi_library_close(l);
    cr_assert_eq(capi_library_direct(kernel, &l), 0);
    return open_node("afu0.0s");
}

Test(capi_direct, what_one_read_gives_is_served_in_turn)
{
    const struct cxl_event_header bad = {CXL_EVENT_AFU_ERROR, 4, 0, 0};
    const struct cxl_event one = {.header = {CXL_EVENT_AFU_INTERRUPT, 16, 0, 0}, .irq = {.irq = 3}};
    static struct cxl_kernel kernel;
    struct cxl_afu_h *afu = over_batches(&kernel);
    struct cxl_event event;

    memcpy(batch, &one, 16);
    memcpy(batch + 16, &bad, sizeof bad);
    batch_size = 16 + sizeof bad;
    cr_assert_eq(l->cxl_read_event(afu, &event), 0);
    cr_assert_eq(event.irq.irq, 3);
    cr_assert_eq(l->cxl_event_pending(afu), 1, "one is in the buffer (CX-81)");
    cr_assert_eq(l->cxl_read_event(afu, &event), 0);
    cr_assert_eq(event.header.type, CXL_EVENT_AFU_ERROR);
    cr_assert_eq(l->cxl_event_pending(afu), 0);
    cr_assert(FAILS(l->cxl_read_event(afu, &event), ENODATA), "the end of a file");
    l->cxl_afu_free(afu);
    PROVES(CX_78);
    PROVES(CX_81);
}
