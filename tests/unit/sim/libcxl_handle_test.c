/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, views, handles (CX section 3). */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hal/afu_regs.h"
#include "sim/sim_bus.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(2); }

TestSuite(libcxl_handle, .init = up, .fini = libcxl_down, .timeout = 60);

static int open_errno(const char *node)
{
    int fd = libcxl_kernel()->open(node);

    if (fd >= 0)
        cr_assert_eq(libcxl_kernel()->close(fd), 0);
    return fd < 0 ? -fd : 0;
}

static bool in_dev(const char *wanted)
{
    char name[32];

    for (unsigned i = 0; libcxl_kernel()->list("/dev/cxl", i, name, sizeof name) == 0; i++)
        if (!strcmp(name, wanted))
            return true;
    return false;
}

static void names(void *arg)
{
    (void)arg;
    cr_assert(in_dev("afu0.0m") && in_dev("afu0.0s") && !in_dev("afu0.0d"));
    cr_assert(in_dev("afu1.0m") && in_dev("afu1.0s"));
    cr_assert_eq(open_errno("/dev/cxl/afu0.0d"), ENOENT);
    cr_assert_eq(libcxl_write(CXL_AFU "/mode", "dedicated_process"), 0);
    cr_assert(!in_dev("afu0.0m") && !in_dev("afu0.0s") && in_dev("afu0.0d"));
    cr_assert_eq(open_errno("/dev/cxl/afu0.0d"), 0);
    cr_assert_eq(open_errno(CXL_MASTER_NODE), ENOENT);
    cr_assert(in_dev("afu1.0m"));
    PROVES(CX_10);
}

Test(libcxl_handle, names_follow_the_mode) { libcxl_run(names); }

static void views(void *arg)
{
    struct cxl_afu_h *master = libcxl_mapped(CXL_MASTER_NODE, true);
    struct cxl_afu_h *slave = libcxl_mapped(CXL_SLAVE_NODE, true);
    uint64_t value, own = AFU_HOST_BASE(1) + AFU_HOST_CTX_CTRL;

    (void)arg;
    cr_assert_eq(cxl_afu_get_process_element(slave), 1);
    cr_assert_eq(cxl_mmio_write64(slave, AFU_HOST_CTX_CTRL, 2), 0);
    cr_assert_eq(cxl_mmio_read64(master, own, &value), 0);
    cr_assert_eq(value & 0xFF, 2, "the window of the slave is one of the master's");
    cr_assert(LIBCXL_FAILS(cxl_mmio_read64(slave, 0x10000, &value), EINVAL));
    PROVES(CX_12);
    cxl_afu_free(slave);
    cxl_afu_free(master);
}

Test(libcxl_handle, a_slave_sees_its_window) { libcxl_run(views); }

static void elements(void *arg)
{
    struct cxl_afu_h *a = libcxl_open(CXL_SLAVE_NODE), *b = libcxl_open(CXL_MASTER_NODE);
    struct cxl_afu_h *c = libcxl_open(CXL_MASTER_NODE), *d;

    (void)arg;
    cr_assert_eq(cxl_afu_get_process_element(a), 0, "a slave may be the first");
    cr_assert_eq(cxl_afu_get_process_element(b), 1);
    cr_assert_eq(cxl_afu_get_process_element(c), 2, "a second master");
    cxl_afu_free(b);
    d = libcxl_open(CXL_SLAVE_NODE);
    cr_assert_eq(cxl_afu_get_process_element(d), 1, "the lowest free one");
    PROVES(CX_13);
    PROVES(CX_39); /* from open on: nothing was attached */
    cxl_afu_free(d);
    cxl_afu_free(c);
    cxl_afu_free(a);
}

Test(libcxl_handle, process_elements) { libcxl_run(elements); }

static void errors(void *arg)
{
    (void)arg;
    cr_assert_eq(open_errno("/dev/cxl/afu7.0m"), ENOENT);
    cr_assert_eq(open_errno("/dev/cxl/afu0.1m"), ENOENT);
    libcxl_say("access afu0.0 off");
    cr_assert_eq(open_errno(CXL_MASTER_NODE), EACCES);
    libcxl_say("access afu0.0 on");
    libcxl_say("freeze afu0.0");
    cr_assert_eq(open_errno(CXL_MASTER_NODE), EIO);
    libcxl_say("thaw afu0.0");
    cr_assert_eq(libcxl_write(CXL_AFU "/mode", "none\n"), 0);
    cr_assert_eq(open_errno(CXL_MASTER_NODE), ENODEV);
    PROVES(CX_14);
}

Test(libcxl_handle, opening_fails_in_many_ways) { libcxl_run(errors); }

static void all_contexts(void *arg)
{
    static int fd[513];
    unsigned n = 0;

    (void)arg;
    while (n < 513 && (fd[n] = libcxl_kernel()->open(CXL_SLAVE_NODE)) >= 0)
        n++;
    cr_assert_eq(n, 512);
    PROVES(CX_15);
    cr_assert_eq(fd[512], -ENOSPC);
    PROVES(CX_14);
    while (n > 0)
        cr_assert_eq(libcxl_kernel()->close(fd[--n]), 0);
    cr_assert_eq(open_errno(CXL_SLAVE_NODE), 0);
}

Test(libcxl_handle, there_are_512_contexts) { libcxl_run(all_contexts); }

/* ---- the library -------------------------------------------------------------------------------
 */

static int open_dev_errno(const char *name)
{
    char path[64];
    struct cxl_afu_h *afu;

    snprintf(path, sizeof path, "%s", name);
    errno = 0;
    afu = cxl_afu_open_dev(path);
    if (afu)
        cxl_afu_free(afu);
    return afu ? 0 : errno;
}

static void open_dev(void *arg)
{
    struct cxl_afu_h *afu = libcxl_open(CXL_MASTER_NODE);
    int flags = fcntl(cxl_afu_fd(afu), F_GETFD);

    (void)arg;
    cr_assert(flags & FD_CLOEXEC);
    cr_assert_str_eq(cxl_afu_dev_name(afu), "afu0.0m");
    cxl_afu_free(afu);
    cr_assert_eq(open_dev_errno("/dev/cxl/afu0.0x"), ENOENT);
    libcxl_say("access afu0.0 off");
    cr_assert_eq(open_dev_errno(CXL_MASTER_NODE), EACCES);
    libcxl_say("access afu0.0 on");
    cr_assert_eq(open_dev_errno("/dev/null"), ENODEV, "no device of this driver");
    cr_assert_eq(open_dev_errno("/nowhere/at/all"), ENOENT);
    libcxl_say("double_free off");
    libcxl_say("api afu0.0 4 2");
    cr_assert_eq(open_dev_errno(CXL_MASTER_NODE), EPROTO);
    PROVES(CX_18);
    libcxl_say("api afu0.0 3 1");
    cr_assert_eq(open_dev_errno(CXL_MASTER_NODE), 0);
}

Test(libcxl_handle, open_dev) { libcxl_run(open_dev); }

static void open_incompatible(void)
{
    libcxl_say("api afu0.0 4 2");
    (void)open_dev_errno(CXL_MASTER_NODE);
}

/* The original frees a name twice there. */
Test(libcxl_handle, an_incompatible_driver_ends_the_process)
{
    cr_assert_eq(libcxl_death(open_incompatible), SIGABRT);
    PROVES(CX_19);
}

static void open_h(void *arg)
{
    struct cxl_afu_h *first = cxl_afu_next(NULL);
    struct cxl_afu_h *master = cxl_afu_open_h(first, CXL_VIEW_MASTER), *slave;

    (void)arg;
    cr_assert_str_eq(cxl_afu_dev_name(first), "afu0.0");
    cr_assert_eq(cxl_afu_opened(first), 0, "the first stays what it was");
    cr_assert(master && cxl_afu_opened(master) == 1);
    cr_assert_str_eq(cxl_afu_dev_name(master), "afu0.0m", "a letter more");
    slave = cxl_afu_open_h(master, CXL_VIEW_SLAVE);
    cr_assert_str_eq(cxl_afu_dev_name(slave), "afu0.0s", "another letter");
    errno = 0;
    cr_assert_null(cxl_afu_open_h(first, CXL_VIEW_DEDICATED));
    cr_assert_eq(errno, ENODEV);
    PROVES(CX_20);
    cr_assert_null(cxl_afu_open_h(NULL, CXL_VIEW_MASTER));
    cr_assert_eq(cxl_afu_opened(NULL), -1);
    cxl_afu_free(slave);
    cxl_afu_free(master);
    cxl_afu_free(first);
}

Test(libcxl_handle, open_h) { libcxl_run(open_h); }

static void adopt(void *arg)
{
    int fd = libcxl_kernel()->open(CXL_SLAVE_NODE), other = open("/dev/null", O_RDWR);
    struct cxl_afu_h *afu = cxl_afu_fd_to_h(fd);
    struct cxl_afu_id id;

    (void)arg;
    cr_assert(afu && cxl_afu_fd(afu) == fd);
    cr_assert_str_eq(cxl_afu_dev_name(afu), "afu0.0s");
    errno = 0;
    cr_assert_null(cxl_afu_fd_to_h(other));
    cr_assert_eq(errno, ENODEV);
    close(other);
    cxl_afu_free(afu);
    cr_assert_eq(libcxl_kernel()->ioctl(fd, CXL_IOCTL_GET_AFU_ID, &id), -EBADF, "closed, too");
    PROVES(CX_21);
}

Test(libcxl_handle, an_open_file_is_adopted) { libcxl_run(adopt); }

static void identity(void *arg)
{
    int master = libcxl_kernel()->open("/dev/cxl/afu1.0m");
    int slave = libcxl_kernel()->open("/dev/cxl/afu1.0s");
    struct cxl_afu_h *afu;
    struct cxl_afu_id id;

    (void)arg;
    cr_assert_eq(libcxl_kernel()->ioctl(master, CXL_IOCTL_GET_AFU_ID, &id), 0);
    cr_assert(id.flags == 0 && id.card_id == 1 && id.afu_offset == 0 && id.afu_mode == 2);
    cr_assert_eq(libcxl_kernel()->ioctl(slave, CXL_IOCTL_GET_AFU_ID, &id), 0);
    cr_assert_eq(id.flags, 1);
    libcxl_say("afu_id afu1.0 off");
    cr_assert_eq(libcxl_kernel()->ioctl(slave, CXL_IOCTL_GET_AFU_ID, &id), -EINVAL);
    afu = cxl_afu_fd_to_h(slave);
    cr_assert(afu, "an old kernel: by the number of the device");
    cr_assert_str_eq(cxl_afu_dev_name(afu), "afu1.0s");
    PROVES(CX_22);
    cxl_afu_free(afu);
    cr_assert_eq(libcxl_kernel()->close(master), 0);
}

Test(libcxl_handle, what_a_descriptor_is_of) { libcxl_run(identity); }

static void freed(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_SLAVE_NODE, true);
    int fd = cxl_afu_fd(afu);

    (void)arg;
    cxl_afu_free(afu);
    cr_assert_eq(fcntl(fd, F_GETFD), -1);
    cr_assert_eq(libcxl_sim()->env.dev->open_contexts, 0);
    afu = libcxl_open(CXL_SLAVE_NODE);
    cr_assert_eq(cxl_afu_get_process_element(afu), 0, "its process element is free again");
    PROVES(CX_23);
    cxl_afu_free(afu);
    cxl_afu_free(NULL);
}

Test(libcxl_handle, free_ends_everything) { libcxl_run(freed); }

/* ---- threads -----------------------------------------------------------------------------------
 */

struct accesses {
    struct cxl_afu_h *afu;
    unsigned good;
};

static void access_a_lot(void *arg)
{
    struct accesses *a = arg;

    for (uint64_t i = 0; i < 50; i++) {
        uint64_t value = 0;

        a->good += cxl_mmio_read64(a->afu, AFU_HOST_CTX_CTRL, &value) == 0 && (value & 0xFF) == 2;
    }
}

static void parallel(void *arg)
{
    struct accesses a[2];
    struct exec *e = libcxl_sim()->env.exec;
    struct exec_thread *t[2];

    (void)arg;
    a[0] = a[1] = (struct accesses){libcxl_mapped(CXL_SLAVE_NODE, true), 0};
    cr_assert_eq(cxl_mmio_write64(a[0].afu, AFU_HOST_CTX_CTRL, 2), 0);
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(exec_thread_create(e, "user", access_a_lot, &a[i], &t[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        exec_thread_join(e, t[i]);
    cr_assert(a[0].good == 50 && a[1].good == 50);
    PROVES(CX_24);
    cxl_afu_free(a[0].afu);
}

Test(libcxl_handle, accessors_of_one_handle_run_in_parallel) { libcxl_run(parallel); }
