/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/testlib/capi_rig.h"
#include "tests/testlib/proves.h"

/* Kilobytes of this process that are locked. */
static long locked(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    long kb = -1;

    cr_assert_not_null(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "VmLck:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    fclose(f);
    return kb;
}

static long page_kb(void) { return sysconf(_SC_PAGESIZE) / 1024; }

static char *pages(unsigned n)
{
    void *p = mmap(NULL, (size_t)(n * page_kb() * 1024), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(p, MAP_FAILED);
    return p;
}

/* Emulators do not say what is locked, sanitizers lock nothing, and some machines do not let
 * anything be. */
static bool can_lock(void)
{
    char *p = pages(1);
    bool can;

    can = mlock(p, 4096) == 0 && locked() == page_kb();
    munlock(p, 4096);
    munmap(p, (size_t)page_kb() * 1024);
    return can;
}

Test(capi_memory, regions_are_locked_until_they_are_released)
{
    size_t page = (size_t)page_kb() * 1024;
    struct capi_rig rig;
    char *p = pages(4);

    if (!can_lock())
        cr_skip("what is locked cannot be seen here");
    capi_rig_up(&rig);
    cr_assert_eq(hal_mem_register(rig.dev, p, 2 * page, "tables"), 0);
    cr_assert_eq(locked(), 2 * page_kb());
    cr_assert_eq(hal_mem_register(rig.dev, p + 3 * page, 128, "small"), 0);
    cr_assert_eq(locked(), 3 * page_kb());
    hal_mem_release(rig.dev, p);
    cr_assert_eq(locked(), page_kb());
    hal_mem_release(rig.dev, p + 3 * page);
    cr_assert_eq(locked(), 0);
    capi_rig_down(&rig);
    munmap(p, 4 * page);
    PROVES(CX_119);
}

/* Locks of the kernel do not add up: the page that two regions share stays locked for the other. */
Test(capi_memory, a_page_that_is_shared_stays_locked)
{
    size_t page = (size_t)page_kb() * 1024;
    struct capi_rig rig;
    char *p = pages(3);

    if (!can_lock())
        cr_skip("what is locked cannot be seen here");
    capi_rig_up(&rig);
    cr_assert_eq(hal_mem_register(rig.dev, p + 128, 128, "first"), 0);
    cr_assert_eq(hal_mem_register(rig.dev, p + 256, 2 * page, "long"), 0);
    cr_assert_eq(hal_mem_register(rig.dev, p + 2 * page + 512, 128, "last"), 0);
    cr_assert_eq(locked(), 3 * page_kb());
    hal_mem_release(rig.dev, p + 256);
    cr_assert_eq(locked(), 2 * page_kb());
    hal_mem_release(rig.dev, p + 128);
    cr_assert_eq(locked(), page_kb());
    hal_mem_release(rig.dev, p + 2 * page + 512);
    cr_assert_eq(locked(), 0);
    capi_rig_down(&rig);
    munmap(p, 3 * page);
    PROVES(CX_119);
}

Test(capi_memory, regions_do_not_overlap)
{
    struct capi_rig rig;
    char *p = pages(1);

    capi_rig_up(&rig);
    cr_assert_eq(hal_mem_register(rig.dev, p + 1024, 1024, "a"), 0);
    cr_assert_eq(hal_mem_register(rig.dev, p + 1024, 128, "same"), -EINVAL);
    cr_assert_eq(hal_mem_register(rig.dev, p, 1025, "into it"), -EINVAL);
    cr_assert_eq(hal_mem_register(rig.dev, p + 1920, 256, "out of it"), -EINVAL);
    cr_assert_eq(hal_mem_register(rig.dev, p, 1024, "before"), 0);
    cr_assert_eq(hal_mem_register(rig.dev, p + 2048, 128, "behind"), 0);
    hal_mem_release(rig.dev, p + 2048);
    hal_mem_release(rig.dev, p);
    hal_mem_release(rig.dev, p + 1024);
    capi_rig_down(&rig);
    munmap(p, (size_t)page_kb() * 1024);
}

/* What cannot be locked: here there is no memory at that address. */
Test(capi_memory, what_cannot_be_locked_is_told)
{
    size_t page = (size_t)page_kb() * 1024;
    struct capi_rig rig;
    char *p = pages(2);

    if (!can_lock())
        cr_skip("nothing is locked here");
    munmap(p, 2 * page);
    capi_rig_up(&rig);
    cr_assert_eq(hal_mem_register(rig.dev, p, 2 * page, "tables"), -ENOMEM);
    cr_assert(capi_rig_told(&rig, "for \"tables\" cannot be locked"), "%s", rig.log);
    cr_assert(capi_rig_told(&rig, "ulimit -l"), "%s", rig.log);
    p = mmap(p, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    cr_assert_eq(hal_mem_register(rig.dev, p, 2 * page, "again"), 0, "it was left in the books");
    hal_mem_release(rig.dev, p);
    munmap(p, 2 * page);
    capi_rig_down(&rig);
    PROVES(CX_131);
}

Test(capi_memory, a_table_store_is_a_store)
{
    uint64_t table[2] = {1, 2};
    struct capi_rig rig;

    capi_rig_up(&rig);
    hal_table_store(rig.dev, &table[1], UINT64_C(0x0102030405060708));
    hal_publish(rig.dev);
    cr_assert_eq(table[0], 1);
    cr_assert_eq(table[1], UINT64_C(0x0102030405060708));
    hal_note(rig.dev, HAL_NOTE_STATE, 1, 2); /* nobody hears it */
    capi_rig_down(&rig);
}
