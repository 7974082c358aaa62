/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_library.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "hal/cxl_standin.h"
#include "tests/testlib/fake_cxl.h"
#include "tests/testlib/proves.h"

/* ---- what it is (CX-4) ---- */

static void *only(void *arg, const char *name)
{
    static int something;

    return strcmp(arg, name) == 0 ? &something : NULL;
}

static int refuse(void *(*lookup)(void *, const char *), const void *arg, char *why)
{
    struct capi_library *library = NULL;
    int rc;

    why[0] = '\0';
    rc = capi_library_resolve(lookup, (void *)(uintptr_t)arg, &library, why, 256);
    cr_assert_null(library);
    return rc;
}

Test(capi_library, the_other_library_of_that_name_is_told)
{
    static const char *const names[] = {"cxl_new", "cxl_memdev_get_first"};

    for (unsigned i = 0; i < 2; i++) {
        char why[256];

        cr_assert_eq(refuse(only, names[i], why), -ENXIO);
        cr_assert_not_null(strstr(why, "Compute Express Link"), "%s", why);
    }
    PROVES(CX_4);
}

Test(capi_library, an_unknown_library_is_told)
{
    static const char *const names[] = {"main", "cxl_afu_open_dev", "cxl_mmio_map"};

    for (unsigned i = 0; i < 3; i++) {
        char why[256];

        cr_assert_eq(refuse(only, names[i], why), -ENXIO, "with %s alone", names[i]);
        cr_assert_not_null(strstr(why, "unknown library"), "%s", why);
    }
    PROVES(CX_4);
}

Test(capi_library, a_library_that_is_not_there_is_told)
{
    struct capi_library *library = NULL;
    char why[256] = "";

    cr_assert_eq(capi_library_load("/nowhere/libcxl.so.1", &library, why, sizeof why), -ENXIO);
    cr_assert_not_null(strstr(why, "cannot be loaded"), "%s", why);
    cr_assert_not_null(strstr(why, "/nowhere/libcxl.so.1"), "%s", why);
    cr_assert_null(library);
    PROVES(CX_4);
}

/* Without a path it is the soname, which is a library of this machine or none. */
Test(capi_library, the_default_is_the_soname)
{
    struct capi_library *library = NULL;
    char why[256] = "";

    if (capi_library_load(NULL, &library, why, sizeof why))
        cr_assert_not_null(strstr(why, "libcxl.so.1"), "%s", why);
    else
        cr_assert_not_null(strstr(library->path, "libcxl.so.1"), "%s", library->path);
    capi_library_close(library);
    PROVES(CX_6);
}

/* This program has the back end, runs, and has no libcxl. */
Test(capi_library, nothing_is_linked_against_it)
{
    cr_assert_null(dlsym(RTLD_DEFAULT, "cxl_afu_open_dev"));
    cr_assert_null(dlopen("libcxl.so.1", RTLD_LAZY | RTLD_NOLOAD));
    PROVES(CX_3);
}

/* ---- how old it is (CX-5) ---- */

static void expect_version(const char *const *without, const char *version)
{
    struct capi_library *library = fake_cxl_library(without);

    cr_assert_str_eq(library->version, version);
    cr_assert_null(capi_library_standin(library));
    cr_assert(!library->direct);
    capi_library_close(library);
}

Test(capi_library, the_version_is_that_of_its_newest_symbol)
{
    static const char *const before_1_7[] = {"cxl_get_tunneled_ops_supported", NULL};
    static const char *const before_1_6[] = {"cxl_get_tunneled_ops_supported",
                                             "cxl_work_enable_wait", NULL};
    static const char *const before_1_4[] = {"cxl_get_tunneled_ops_supported",
                                             "cxl_work_enable_wait", "cxl_get_psl_timebase_synced",
                                             NULL};

    expect_version(NULL, "1.7");
    expect_version(before_1_7, "1.6");
    expect_version(before_1_6, "1.4");
    expect_version(before_1_4, "1.2");
    PROVES(CX_5);
}

Test(capi_library, before_1_2_it_is_too_old)
{
    static const char *const without[] = {"cxl_afu_attach_work", NULL};
    char why[256];

    cr_assert_eq(refuse(fake_cxl_lookup, without, why), -ENXIO);
    cr_assert_not_null(strstr(why, "older than libcxl 1.2"), "%s", why);
    PROVES(CX_5);
}

/* PSLSE's library says that it is 1.2, and has not all of it. */
Test(capi_library, a_function_that_is_missing_is_named)
{
    static const char *const needed[] = {
        "cxl_afu_next",      "cxl_afu_free",
        "cxl_afu_fd",        "cxl_afu_get_process_element",
        "cxl_mmio_ptr",      "cxl_afu_sysfs_pci",
        "cxl_work_alloc",    "cxl_read_event",
        "cxl_event_pending", "cxl_mmio_install_sigbus_handler",
        "cxl_afu_dev_name",  "cxl_work_free",
        "cxl_work_set_wed",  "cxl_work_set_num_irqs",
        "cxl_mmio_unmap",    "cxl_mmio_read64",
        "cxl_mmio_write64",
    };

    for (unsigned i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const char *const without[] = {needed[i], NULL};
        char why[256];

        cr_assert_eq(refuse(fake_cxl_lookup, without, why), -ENXIO, "without %s", needed[i]);
        cr_assert_not_null(strstr(why, needed[i]), "%s", why);
    }
}

/* ---- the stand-in ---- */

static struct cxl_standin standin;

static const struct cxl_standin *give_standin(void) { return &standin; }

static void *lookup_standin(void *arg, const char *name)
{
    const struct cxl_standin *(*give)(void) = give_standin;
    void *address;

    if (strcmp(name, CXL_STANDIN_SYMBOL) != 0)
        return fake_cxl_lookup(arg, name);
    memcpy(&address, &give, sizeof address);
    return address;
}

Test(capi_library, a_stand_in_is_known_by_its_symbol)
{
    struct capi_library *library;
    char why[256];

    for (unsigned version = 0; version < 3; version++) {
        standin.version = version;
        cr_assert_eq(capi_library_resolve(lookup_standin, NULL, &library, why, sizeof why), 0);
        cr_assert_eq(capi_library_standin(library) == &standin, version == CXL_STANDIN_VERSION);
        capi_library_close(library);
    }
}

/* ---- without a library ---- */

Test(capi_library, all_tables_without_a_library_stand_on_one_kernel)
{
    static const struct cxl_kernel other;
    struct capi_library *a, *b, *c = NULL;

    cr_assert_eq(capi_library_direct(&fake_cxl_kernel, &a), 0);
    cr_assert_eq(capi_library_direct(&fake_cxl_kernel, &b), 0);
    cr_assert(a->direct && a->version && a->path[0]);
    cr_assert_null(capi_library_standin(a));
    cr_assert_eq(capi_library_direct(&other, &c), -EBUSY);
    cr_assert_null(c);
    capi_library_close(a);
    cr_assert_eq(capi_library_direct(&other, &c), -EBUSY);
    capi_library_close(b);
    cr_assert_eq(capi_library_direct(&other, &c), 0);
    capi_library_close(c);
    capi_library_close(NULL);
}

/* ---- our own declarations (CX-7) ---- */

Test(capi_library, the_declarations_are_our_own)
{
#if __has_include(<misc/cxl.h>) && defined(_MISC_CXL_H)
    cr_assert(false, "the kernel's header was included");
#endif
    cr_assert_eq(sizeof(struct cxl_ioctl_start_work), 64);
    cr_assert_eq(sizeof(struct cxl_afu_id), 64);
    cr_assert_eq(sizeof(struct cxl_event), 40);
    cr_assert_eq(offsetof(struct cxl_ioctl_start_work, num_interrupts), 24);
    cr_assert_eq(offsetof(struct cxl_event, irq.irq), 10);
    cr_assert_eq(offsetof(struct cxl_event, fault.dsisr), 24);
    PROVES(CX_7);
}
