/* SPDX-License-Identifier: Apache-2.0 */
/* A master context for a moment: what it reads, that it stores nothing and gives everything back,
 * whatever goes wrong. */
#include "tools/doctor_open.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal/cxl_abi.h"
#include "hal/support/endian.h"

/* A driver that counts what is held, with an errno for each step. */
static struct {
    int locked, opened, mapped;
    int lock_rc, open_rc, first_attach_rc, attach_rc, map_rc;
    unsigned attaches, stores;
    struct cxl_ioctl_start_work work;
    char lock[32], node[64];
    size_t size;
    bool dead;
    uint64_t port_sel;
} d;

static int driver_lock(const char *afu, int *out, char *why, size_t size)
{
    snprintf(d.lock, sizeof d.lock, "%s", afu);
    if (d.lock_rc) {
        snprintf(why, size, "another master has it");
        return d.lock_rc;
    }
    d.locked++;
    *out = 42;
    return 0;
}

static void driver_unlock(int fd)
{
    cr_assert_eq(fd, 42);
    cr_assert_eq(d.opened, 0, "the lock goes last");
    d.locked--;
}

static int driver_open(const char *node)
{
    snprintf(d.node, sizeof d.node, "%s", node);
    if (d.open_rc)
        return d.open_rc;
    d.opened++;
    return 7;
}

static int driver_close(int fd)
{
    cr_assert_eq(fd, 7);
    d.opened--;
    return 0;
}

static int driver_ioctl(int fd, unsigned long request, void *argument)
{
    cr_assert_eq(fd, 7);
    cr_assert_eq(request, CXL_IOCTL_START_WORK);
    memcpy(&d.work, argument, sizeof d.work);
    return d.attaches++ ? d.attach_rc : d.first_attach_rc;
}

static int driver_map(int fd, size_t size, void **out)
{
    cr_assert_eq(fd, 7);
    d.size = size;
    if (d.map_rc)
        return d.map_rc;
    d.mapped++;
    *out = &d;
    return 0;
}

static int driver_unmap(void *map, size_t size)
{
    cr_assert_eq(map, (void *)&d);
    cr_assert_eq(size, d.size);
    d.mapped--;
    return 0;
}

/* Numbers from docs/spec/sislite.md 1, 4 and 5: the global map at 0x2010000, ports from 0x2012000
 * and, the second pair, from 0x2016000. */
static uint64_t driver_load(void *map, uint64_t offset)
{
    cr_assert_eq(map, (void *)&d);
    if (d.dead)
        return UINT64_MAX;
    switch (offset) {
    case 0x2010030:
        return d.port_sel;
    case 0x2010800:
        return UINT64_C(0x3136303430314E00); /* "160401N" */
    case 0x2010808:
        return UINT64_C(0x4000000000000101);
    case 0x2012018:
        return 0x21;
    case 0x2012380:
        return 0;
    case 0x2013018:
        return 0x10;
    case 0x2013380:
        return 5;
    case 0x2016018:
    case 0x2016380:
    case 0x2017018:
    case 0x2017380:
        return 0x20;
    default:
        cr_assert_fail("offset 0x%llx is not for the doctor", (unsigned long long)offset);
    }
    return 0;
}

static void driver_store(void *map, uint64_t offset, uint64_t value)
{
    (void)map, (void)offset, (void)value;
    d.stores++;
}

static const struct cxl_kernel kernel = {
    .open = driver_open,
    .close = driver_close,
    .ioctl = driver_ioctl,
    .map = driver_map,
    .unmap = driver_unmap,
    .load = driver_load,
    .store = driver_store,
};

static struct doctor_registers r;

static void open_over(const struct cxl_kernel *driver, const char *irqs_min)
{
    const struct doctor_opener opener = {driver, driver_lock, driver_unlock};
    struct doctor_afu *afu = calloc(1, sizeof *afu);

    cr_assert_not_null(afu);
    afu->card = 1;
    afu->slice = 2;
    snprintf(afu->attribute[DOCTOR_AFU_IRQS_MIN].text, 8, "%s", irqs_min);
    snprintf(afu->master[DOCTOR_MASTER_MMIO_SIZE].text, 16, "0x4000000");
    doctor_open(&opener, afu, &r);
    free(afu);
    cr_assert(r.asked);
    cr_assert_eq(d.locked + d.opened + d.mapped, 0, "everything is given back");
    cr_assert_eq(d.stores, 0);
}

static void open_it(const char *irqs_min) { open_over(&kernel, irqs_min); }

Test(doctor_open, what_it_reads)
{
    d.port_sel = 3;
    open_it("1");
    cr_assert_eq(r.error, 0, "%s", r.why);
    cr_assert_str_eq(d.lock, "afu1.2");
    cr_assert_str_eq(d.node, "/dev/cxl/afu1.2m");
    cr_assert_eq(d.size, 0x4000000);
    cr_assert_eq(d.attaches, 1);
    cr_assert_eq(d.work.flags, 6, "NUM_IRQS and ERR_FF");
    cr_assert_eq(d.work.num_interrupts, 3);
    cr_assert_eq(d.work.work_element_descriptor, 0);
    cr_assert_str_eq(r.version, "160401N");
    cr_assert_eq(r.interface_version, UINT64_C(0x4000000000000101));
    cr_assert_eq(r.ports, 2);
    cr_assert_eq(r.port[0].status, 0x21);
    cr_assert_eq(r.port[1].status, 0x10);
    cr_assert_eq(r.port[1].error, 5);
}

Test(doctor_open, numbers_of_ports_and_interrupts)
{
    static const struct {
        uint64_t mask;
        unsigned ports;
    } row[] = {{0, 2}, {1, 1}, {3, 2}, {0xF, 4}, {0xFF, 4}};

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        d.port_sel = row[i].mask;
        open_it("4");
        cr_assert_eq(r.ports, row[i].ports);
        cr_assert_eq(d.work.num_interrupts, 4);
    }
}

Test(doctor_open, an_old_kernel_knows_no_err_ff)
{
    d.first_attach_rc = -EINVAL;
    open_it("4");
    cr_assert_eq(r.error, 0);
    cr_assert_eq(d.attaches, 2);
    cr_assert_eq(d.work.flags, 2);
    d.attaches = 0;
    d.attach_rc = -EINVAL;
    open_it("4");
    cr_assert_eq(r.error, -EINVAL);
    cr_assert_eq(d.attaches, 2);
}

Test(doctor_open, what_goes_wrong)
{
    d.lock_rc = -EBUSY;
    open_it("4");
    cr_assert_eq(r.error, -EBUSY);
    cr_assert_str_eq(r.why, "another master has it");
    cr_assert_str_eq(d.node, "", "nothing is touched without the lock");

    d.lock_rc = 0;
    d.open_rc = -EACCES;
    open_it("4");
    cr_assert_eq(r.error, -EACCES);
    cr_assert_str_eq(r.why, "its node cannot be opened (Permission denied)");

    d.open_rc = 0;
    d.first_attach_rc = -ENOSPC;
    open_it("4");
    cr_assert_eq(r.error, -ENOSPC);
    cr_assert_eq(d.attaches, 1, "only EINVAL may be about the flag");

    d.attaches = 0;
    d.first_attach_rc = 0;
    d.map_rc = -EIO;
    open_it("4");
    cr_assert_eq(r.error, -EIO);
    cr_assert(strstr(r.why, "cannot be mapped"));

    d.map_rc = 0;
    d.dead = true;
    open_it("4");
    cr_assert_eq(r.error, -EIO);
    cr_assert(strstr(r.why, "answers no register access"));
}

/* ---- registers that are memory, as the real kernel's are ---- */

static int area = -1;

static int memory_map(int fd, size_t size, void **out)
{
    cr_assert_eq(fd, 7);
    *out = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, area, 0);
    cr_assert_neq(*out, MAP_FAILED);
    d.mapped++;
    return 0;
}

static int memory_unmap(void *map, size_t size)
{
    d.mapped--;
    return munmap(map, size);
}

static const struct cxl_kernel over_memory = {
    .open = driver_open,
    .close = driver_close,
    .ioctl = driver_ioctl,
    .map = memory_map,
    .unmap = memory_unmap,
};

static void set_register(off_t offset, uint64_t value)
{
    be64_t raw = be64_of(value);

    cr_assert_eq(pwrite(area, &raw, sizeof raw, offset), (ssize_t)sizeof raw);
}

/* The bus is big-endian (CX-54). Without ERR_FF the pages of a dead card are gone (CX-59), which
 * must not end the program; what was read then is nothing. */
Test(doctor_open, a_card_that_dies_meanwhile_does_not_end_the_doctor)
{
    area = memfd_create("registers", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(area, 0x4000000), 0);
    set_register(0x2010030, 1);
    set_register(0x2010800, UINT64_C(0x3136303430314E00));
    set_register(0x2012018, 0x21);
    open_over(&over_memory, "4");
    cr_assert_eq(r.error, 0, "%s", r.why);
    cr_assert_str_eq(r.version, "160401N");
    cr_assert_eq(r.ports, 1);
    cr_assert_eq(r.port[0].status, 0x21);

    cr_assert_eq(ftruncate(area, 0x2012000), 0); /* it dies behind the global map */
    open_over(&over_memory, "4");
    cr_assert_eq(r.error, -EIO);
    cr_assert_str_eq(r.why, "the card died while its registers were read (Input/output error)");
    cr_assert_eq(ftruncate(area, 0), 0);
    open_over(&over_memory, "4");
    cr_assert_eq(r.error, -EIO);
    close(area);
}
