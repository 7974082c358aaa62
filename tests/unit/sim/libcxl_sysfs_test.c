/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes (CX section 7). */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(2); }

TestSuite(libcxl_sysfs, .init = up, .fini = libcxl_down, .timeout = 30);

static void says(const char *path, const char *text)
{
    cr_assert_str_eq(libcxl_text(path), text, "%s says %s", path, libcxl_text(path));
}

/* The table at the head of CX section 7. */
static void files(void *arg)
{
    (void)arg;
    says(CXL_AFU "/api_version", "3\n");
    says(CXL_AFU "/api_version_compatible", "1\n");
    says(CXL_AFU "/irqs_min", "3\n");
    says(CXL_AFU "/irqs_max", "2037\n");
    says(CXL_AFU "/mmio_size", "65536\n");
    says(CXL_AFU "/mode", "afu_directed\n");
    says(CXL_AFU "/modes_supported", "dedicated_process\nafu_directed\n");
    says(CXL_AFU "/prefault_mode", "none\n");
    says(CXL_AFU "/cr0/vendor", "0x1014\n");
    says(CXL_AFU "/cr0/device", "0x4f0\n");
    says(CXL_AFU "m/mmio_size", "34603008\n"); /* at least 0x2020000 */
    says(CXL_AFU "m/pp_mmio_len", "65536\n");
    says(CXL_AFU "m/pp_mmio_off", "0\n");
    says(CXL_CARD "/caia_version", "1.0\n");
    says(CXL_CARD "/image_loaded", "user\n");
    says(CXL_CARD "/load_image_on_perst", "user\n");
    says(CXL_CARD "/perst_reloads_same_image", "0\n");
    says(CXL_AFU "m/device/mmio_size", "65536\n");
    says(CXL_AFU "m/device/device/caia_version", "1.0\n");
    says(CXL_AFU "m/device/device/device/vendor", "0x1014\n");
    says(CXL_AFU "m/dev", "240:2\n");
    says(CXL_AFU "s/dev", "240:3\n");
    says("/sys/class/cxl/afu1.0m/dev", "240:15\n");
}

Test(libcxl_sysfs, what_the_files_say) { libcxl_run(files); }

static void writes(void *arg)
{
    char byte;

    (void)arg;
    cr_assert_eq(libcxl_write(CXL_AFU "/irqs_max", "2"), -EINVAL);
    cr_assert_eq(libcxl_write(CXL_AFU "/irqs_max", "2038"), -EINVAL);
    cr_assert_eq(libcxl_write(CXL_AFU "/irqs_max", "8\n"), 0);
    says(CXL_AFU "/irqs_max", "8\n");
    cr_assert_eq(libcxl_write(CXL_AFU "/prefault_mode", "some"), -EINVAL);
    cr_assert_eq(libcxl_write(CXL_AFU "/prefault_mode", "all"), 0);
    says(CXL_AFU "/prefault_mode", "all\n");
    cr_assert_eq(libcxl_write(CXL_AFU "/mode", "turbo"), -EINVAL);
    cr_assert_eq(libcxl_write(CXL_CARD "/load_image_on_perst", "factory"), 0);
    cr_assert_eq(libcxl_write(CXL_CARD "/load_image_on_perst", "new"), -EINVAL);
    cr_assert_eq(libcxl_write(CXL_CARD "/perst_reloads_same_image", "2"), -EINVAL);
    cr_assert_eq(libcxl_write(CXL_CARD "/perst_reloads_same_image", "1"), 0);
    cr_assert_eq(libcxl_write(CXL_CARD "/reset", "1"), -EINVAL, "with that promise");
    cr_assert_eq(libcxl_write(CXL_CARD "/perst_reloads_same_image", "0"), 0);
    cr_assert_eq(libcxl_write(CXL_CARD "/reset", "7"), -EINVAL);
    cr_assert_eq(libcxl_write(CXL_AFU "/irqs_min", "1"), -EACCES, "cannot be written");
    cr_assert_eq(libcxl_write(CXL_AFU "/nothing", "1"), -ENOENT);
    cr_assert_eq(libcxl_write(CXL_AFU, "1"), -EISDIR);
    cr_assert_eq(libcxl_kernel()->attribute_read(CXL_AFU "/reset", &byte, 1), -EACCES);
    cr_assert_eq(libcxl_kernel()->attribute_read(CXL_AFU, &byte, 0), -EISDIR);
    cr_assert_eq(libcxl_kernel()->attribute_read("/sys/class/cxl/afu9.0", &byte, 0), -ENOENT);
}

Test(libcxl_sysfs, what_writing_does) { libcxl_run(writes); }

static void forced(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_MASTER_NODE, true), *next;
    uint32_t element;

    (void)arg;
    cr_assert_eq(libcxl_write(CXL_CARD "/reset", "1"), -EBUSY);
    cr_assert_eq(libcxl_write(CXL_CARD "/reset", "-1"), 0);
    cr_assert_eq(libcxl_kernel()->ioctl(cxl_afu_fd(afu), CXL_IOCTL_GET_PROCESS_ELEMENT, &element),
                 -EIO);
    next = libcxl_attached(CXL_MASTER_NODE, true);
    cxl_afu_free(afu);
    cxl_afu_free(next);
    cr_assert_eq(libcxl_write(CXL_CARD "/reset", "1"), 0);
}

Test(libcxl_sysfs, a_card_is_reset_by_force) { libcxl_run(forced); }

/* ---- getters and setters -----------------------------------------------------------------------
 */

static void getters(void *arg)
{
    struct cxl_afu_h *afu = cxl_afu_next(NULL), *slave = libcxl_open(CXL_SLAVE_NODE);
    struct cxl_adapter_h *card = cxl_adapter_next(NULL);
    enum cxl_image image;
    enum cxl_prefault_mode prefault;
    long a, b;

    (void)arg;
    cr_assert(cxl_get_api_version(afu, &a) == 0 && a == 3);
    cr_assert(cxl_get_irqs_min(slave, &a) == 0 && a == 3, "found through the device link");
    cr_assert(cxl_get_mode(afu, &a) == 0 && a == 2);
    cr_assert(cxl_get_modes_supported(afu, &a) == 0 && a == 3);
    cr_assert(cxl_get_cr_vendor(afu, 0, &a) == 0 && a == 0x1014);
    cr_assert(cxl_get_cr_device(afu, 0, &a) == 0 && a == 0x4F0);
    cr_assert(cxl_get_cr_class(afu, 0, &a) == 0 && a == 0x010000);
    cr_assert(cxl_get_caia_version(card, &a, &b) == 0 && a == 1 && b == 0);
    cr_assert(cxl_get_image_loaded(card, &image) == 0 && image == CXL_IMAGE_USER);
    cr_assert(cxl_get_prefault_mode(afu, &prefault) == 0 && prefault == CXL_PREFAULT_NONE);
    cr_assert(cxl_get_psl_timebase_synced(card, &a) == 0 && a == 1);
    cr_assert(cxl_get_tunneled_ops_supported(card, &a) == 0 && a == 0);
    cr_assert(LIBCXL_FAILS(cxl_get_irqs_max(NULL, &a), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_get_base_image(NULL, &a), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_get_pp_mmio_len(slave, &a), ENODEV), "of m only");
    cr_assert(LIBCXL_FAILS(cxl_get_cr_vendor(afu, 1, &a), ENODEV));
    cxl_afu_free(afu);
    cxl_afu_free(slave);
    cxl_adapter_free(card);
}

static void not_parsed(void *arg)
{
    struct cxl_afu_h *afu = cxl_afu_next(NULL);
    long value;

    (void)arg;
    libcxl_say("attribute afu0.0 mode turbo");
    errno = EDOM;
    cr_assert_eq(cxl_get_mode(afu, &value), -1);
    cr_assert_eq(errno, EDOM);
    libcxl_say("attribute afu0.0 irqs_max 7_of_9");
    cr_assert_eq(cxl_get_irqs_max(afu, &value), -1);
    cr_assert_eq(errno, EDOM);
    libcxl_say("attribute afu0.0 irqs_max none");
    cr_assert(cxl_get_irqs_max(afu, &value) == 0 && value == 2037);
    cxl_afu_free(afu);
}

Test(libcxl_sysfs, getters)
{
    libcxl_run(getters);
    libcxl_run(not_parsed);
    PROVES(CX_90);
}

static void setters(void *arg)
{
    struct cxl_afu_h *afu = cxl_afu_next(NULL), *open;
    long value;

    (void)arg;
    cr_assert(LIBCXL_FAILS(cxl_set_mode(afu, CXL_MODE_TIME_SLICED), EINVAL));
    cr_assert(LIBCXL_FAILS(cxl_set_prefault_mode(afu, (enum cxl_prefault_mode)3), EINVAL));
    cr_assert_eq(cxl_set_prefault_mode(afu, CXL_PREFAULT_WED), 0);
    says(CXL_AFU "/prefault_mode", "work_element_descriptor\n");
    libcxl_say("access afu0.0 off");
    cr_assert(LIBCXL_FAILS(cxl_set_mode(afu, CXL_MODE_DEDICATED), EACCES));
    cr_assert(LIBCXL_FAILS(cxl_set_irqs_max(afu, 10), EACCES));
    libcxl_say("access afu0.0 on");
    open = libcxl_open(CXL_SLAVE_NODE);
    cr_assert(LIBCXL_FAILS(cxl_set_mode(afu, CXL_MODE_DEDICATED), EBUSY));
    cxl_afu_free(open);
    cr_assert_eq(cxl_set_mode(afu, CXL_MODE_DEDICATED), 0);
    cr_assert(cxl_get_mode(afu, &value) == 0 && value == 1);
    cr_assert_eq(cxl_set_irqs_max(afu, 10), 0);
    cr_assert(cxl_get_irqs_max(afu, &value) == 0 && value == 10);
    PROVES(CX_91);
    cxl_afu_free(afu);
}

Test(libcxl_sysfs, setters) { libcxl_run(setters); }

static void size_of_nobody(void)
{
    size_t size;

    (void)cxl_errinfo_size(NULL, &size);
}

static void error_buffer(void *arg)
{
    struct cxl_afu_h *afu = libcxl_open(CXL_MASTER_NODE);
    uint8_t bytes[100];
    size_t size = 0;

    (void)arg;
    cr_assert(cxl_errinfo_size(afu, &size) == 0 && size == 4096);
    cr_assert_eq(cxl_errinfo_read(afu, bytes, 0, 100), 100);
    cr_assert_eq(cxl_errinfo_read(afu, bytes, 4090, 100), 6);
    cr_assert_eq(cxl_errinfo_read(afu, bytes, 5000, 100), 0);
    libcxl_say("error_buffer afu0.0 off");
    cr_assert(LIBCXL_FAILS(cxl_errinfo_size(afu, &size), ENODEV));
    cr_assert(LIBCXL_FAILS(cxl_errinfo_read(afu, bytes, 0, 1), ENODEV));
    cxl_afu_free(afu);
}

Test(libcxl_sysfs, error_buffer)
{
    libcxl_run(error_buffer);
    cr_assert_eq(libcxl_death(size_of_nobody), SIGSEGV);
    PROVES(CX_92);
}

/* ---- the PCI function --------------------------------------------------------------------------
 */

static void pci(void *arg)
{
    struct cxl_afu_h *afu = libcxl_open("/dev/cxl/afu1.0m");
    char *path = NULL, name[100], target[100];
    uint8_t config[64];
    ssize_t n;

    (void)arg;
    cr_assert_eq(cxl_afu_sysfs_pci(afu, &path), 0);
    cr_assert_str_eq(path, "/sys/devices/pci0001:00/0001:00:00.0");
    snprintf(name, sizeof name, "%s/subsystem", path);
    n = libcxl_kernel()->link_read(name, target, sizeof target);
    cr_assert(n == 12 && !memcmp(target, "/sys/bus/pci", 12));
    snprintf(name, sizeof name, "%s/config", path);
    cr_assert_eq(libcxl_kernel()->attribute_read(name, config, sizeof config), 64);
    cr_assert(config[0] == 0x14 && config[1] == 0x10 && config[2] == 0xF0 && config[3] == 0x04);
    snprintf(name, sizeof name, "%s/numa_node", path);
    says(name, "0\n");
    PROVES(CX_93);
    free(path);
    cxl_afu_free(afu);
}

Test(libcxl_sysfs, the_pci_function_of_an_afu) { libcxl_run(pci); }

static void vpd(void *arg)
{
    uint8_t bytes[256];
    ssize_t n = libcxl_kernel()->attribute_read(CXL_PCI "/vpd", bytes, sizeof bytes);
    bool v5 = false, v6 = false;

    (void)arg;
    cr_assert_gt(n, 40);
    for (ssize_t i = 0; i + 19 <= n; i++) {
        v5 |= !memcmp(bytes + i, "V5\x10", 3) && !memcmp(bytes + i + 3, "5005076000000001", 16);
        v6 |= !memcmp(bytes + i, "V6\x10", 3) && !memcmp(bytes + i + 3, "5005076000000002", 16);
    }
    cr_assert(v5 && v6);
    libcxl_say("access afu0.0 off");
    cr_assert_eq(libcxl_kernel()->attribute_read(CXL_PCI "/vpd", bytes, sizeof bytes), -EACCES);
    PROVES(CX_94);
}

Test(libcxl_sysfs, vpd_is_a_file_of_the_pci_function) { libcxl_run(vpd); }

/* Where a flash driver would be bound: below the virtual host bridge of the PCI function. */
static void bound_driver(void *arg)
{
    static const char device[] = CXL_PCI "/pci8000:00/8000:00:00.0/driver";
    char name[64], target[100];
    ssize_t n;

    (void)arg;
    cr_assert_eq(libcxl_kernel()->list(CXL_PCI, 0, name, sizeof name), 0);
    cr_assert_str_eq(name, "pci8000:00");
    cr_assert_eq(libcxl_kernel()->list(CXL_PCI "/pci8000:00", 0, name, sizeof name), 0);
    cr_assert_str_eq(name, "8000:00:00.0");
    cr_assert_eq(libcxl_kernel()->list(CXL_PCI "/pci8000:00", 1, name, sizeof name), -ENOENT);
    cr_assert_eq(libcxl_kernel()->link_read(device, target, sizeof target), -ENOENT);
    libcxl_say("cxlflash afu0.0 on");
    n = libcxl_kernel()->link_read(device, target, sizeof target);
    cr_assert(n > 9 && !memcmp(target + n - 9, "/cxlflash", 9));
    n = libcxl_kernel()->link_read(CXL_AFU "/device", target, sizeof target);
    cr_assert(n == 20 && !memcmp(target, CXL_CARD, 20));
}

Test(libcxl_sysfs, a_driver_may_be_bound) { libcxl_run(bound_driver); }
