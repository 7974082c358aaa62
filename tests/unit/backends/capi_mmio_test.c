/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_mmio.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/fake_cxl.h"
#include "tests/testlib/proves.h"

struct fixture {
    struct capi_library *library;
    struct cxl_afu_h *afu;
    struct capi_map map;
};

static void up(struct fixture *f, bool raw)
{
    char node[] = "/dev/cxl/afu0.0m";

    fake_cxl_init();
    fake_cxl.raw = raw;
    f->library = fake_cxl_library(NULL);
    f->afu = f->library->cxl_afu_open_dev(node);
    cr_assert_not_null(f->afu);
    cr_assert_eq(capi_mmio_open(&f->map, f->library, f->afu, CXL_MASTER_MAP_MIN), 0);
}

static void down(struct fixture *f)
{
    capi_mmio_close(&f->map);
    f->library->cxl_afu_free(f->afu);
    capi_library_close(f->library);
    fake_cxl_fini();
}

static void expect(struct fixture *f, uint64_t offset, enum capi_load load, uint64_t value)
{
    uint64_t got = 5;

    cr_assert_eq(capi_mmio_load(&f->map, offset, &got), load, "offset 0x%llx",
                 (unsigned long long)offset);
    cr_assert_eq(got, value);
}

/* CX-63: the three results, the same both ways. */
static void three_results(bool raw)
{
    struct fixture f;

    up(&f, raw);
    capi_mmio_store(&f.map, 0x2010010, UINT64_C(0x0102030405060708));
    cr_assert_eq(fake_cxl_register(0x2010010), UINT64_C(0x0102030405060708));
    expect(&f, 0x2010010, CAPI_LOAD_VALUE, UINT64_C(0x0102030405060708));
    fake_cxl_set_register(0x18, UINT64_MAX);
    expect(&f, 0x18, CAPI_LOAD_ONES, UINT64_MAX);
    expect(&f, CXL_MASTER_MAP_MIN, CAPI_LOAD_FAILED, UINT64_MAX);
    capi_mmio_store(&f.map, CXL_MASTER_MAP_MIN, 1); /* is dropped */
    fake_cxl_freeze();
    expect(&f, 0x2010010, CAPI_LOAD_ONES, UINT64_MAX);
    down(&f);
}

Test(capi_mmio, a_pointer_gives_three_results)
{
    three_results(true);
    cr_assert_eq(fake_cxl.loads + fake_cxl.stores, 0, "accessors were used");
    cr_assert_eq(fake_cxl.sigbus_installed, 0, "the library's handler is not wanted (CX-61)");
    PROVES(CX_63);
    PROVES(CX_64);
    PROVES(CX_140);
}

Test(capi_mmio, accessors_give_three_results)
{
    three_results(false);
    cr_assert_neq(fake_cxl.loads, 0);
    cr_assert_eq(fake_cxl.sigbus_installed, 1);
    PROVES(CX_63);
    PROVES(CX_140);
}

/* CX-59: the page is gone, with or without a chance to see ones first. */
Test(capi_mmio, pages_that_are_gone_are_a_failed_access)
{
    struct fixture f;

    up(&f, true);
    fake_cxl_cut_off();
    expect(&f, 0x10, CAPI_LOAD_FAILED, UINT64_MAX);
    capi_mmio_store(&f.map, 0x10, 1);
    expect(&f, 0x10, CAPI_LOAD_FAILED, UINT64_MAX);
    down(&f);
    up(&f, true);
    fake_cxl_cut_off();
    capi_mmio_store(&f.map, 0x10, 1);
    expect(&f, 0x10, CAPI_LOAD_FAILED, UINT64_MAX);
    down(&f);
    PROVES(CX_64);
}

Test(capi_mmio, the_area_is_mapped_in_the_order_of_the_bus)
{
    struct fixture f;

    up(&f, true);
    cr_assert_not_null(strstr(fake_cxl.log, "map afu0.0m flags 1\n")); /* BIG_ENDIAN, CX 2.1 */
    down(&f);
}

Test(capi_mmio, a_map_that_fails_leaves_nothing)
{
    char node[] = "/dev/cxl/afu0.0m";
    struct fixture f;

    fake_cxl_init();
    f.library = fake_cxl_library(NULL);
    f.afu = f.library->cxl_afu_open_dev(node);
    fake_cxl.map_errno = EIO;
    cr_assert_eq(capi_mmio_open(&f.map, f.library, f.afu, CXL_MASTER_MAP_MIN), -EIO);
    cr_assert_null(strstr(fake_cxl.log, "unmap"));
    f.library->cxl_afu_free(f.afu);
    capi_library_close(f.library);
    fake_cxl_fini();
}
