/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "backends/capi/capi_internal.h"
#include "tests/testlib/capi_rig.h"
#include "tests/testlib/proves.h"

#define VPD "/sys/devices/pci0006:00/0006:00:00.0/vpd"

/* ---- reading ---- */

Test(capi_attribute, numbers_are_decimal_or_hexadecimal)
{
    static const struct {
        const char *text;
        int rc;
        long value;
    } cases[] = {
        {"3\n", 0, 3},
        {"0x04f0\n", 0, 0x4F0},
        {"65536", 0, 65536},
        {"", -EIO, 0},
        {"x\n", -EIO, 0},
        {"3 apples\n", -EIO, 0},
        {"99999999999999999999\n", -EIO, 0},
    };

    fake_cxl_init();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        long value = 0;

        fake_cxl_attribute("afu0.0/number", cases[i].text);
        cr_assert_eq(capi_attribute_number(&fake_cxl_kernel, &value, "%s/number", "afu0.0"),
                     cases[i].rc, "\"%s\"", cases[i].text);
        if (!cases[i].rc)
            cr_assert_eq(value, cases[i].value);
    }
    fake_cxl_fini();
}

Test(capi_attribute, texts_end_with_their_line)
{
    char text[8];

    fake_cxl_init();
    fake_cxl_attribute("afu0.0/modes", "one\ntwo\n");
    cr_assert_eq(capi_attribute_text(&fake_cxl_kernel, text, sizeof text, "afu0.0/modes"), 0);
    cr_assert_str_eq(text, "one");
    fake_cxl_attribute("afu0.0/modes", "a long text");
    cr_assert_eq(capi_attribute_text(&fake_cxl_kernel, text, sizeof text, "afu0.0/modes"), 0);
    cr_assert_str_eq(text, "a long ");
    cr_assert_eq(capi_attribute_text(&fake_cxl_kernel, text, sizeof text, "afu0.0/none"), -ENOENT);
    fake_cxl_fini();
}

/* ---- AFU reset (CX-107) ---- */

Test(capi_attribute, a_reset_is_a_write)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    cr_assert_eq(hal_afu_reset(rig.dev), 0);
    cr_assert_str_eq(fake_cxl.log, "write /sys/class/cxl/afu0.0/reset=1\n");
    capi_rig_down(&rig);
    PROVES(CX_107);
}

Test(capi_attribute, a_context_of_another_process_is_named_once)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    fake_cxl_refuse("afu0.0/reset", EBUSY);
    cr_assert_eq(hal_afu_reset(rig.dev), -EBUSY);
    cr_assert(capi_rig_told(&rig, "another process has a context"), "%s", rig.log);
    cr_assert_str_eq(fake_cxl.log, "write /sys/class/cxl/afu0.0/reset=1\n", "it was repeated");
    capi_rig_down(&rig);
    PROVES(CX_107);
}

Test(capi_attribute, our_own_context_is_no_reset)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    fake_cxl.log[0] = '\0';
    cr_assert_eq(hal_afu_reset(rig.dev), -EBUSY);
    cr_assert_str_eq(fake_cxl.log, "");
    hal_ctx_release(ctx);
    cr_assert_eq(hal_afu_reset(rig.dev), 0);
    cr_assert_str_eq(fake_cxl.log, "unmap afu0.0s\nfree afu0.0s\nwrite "
                                   "/sys/class/cxl/afu0.0/reset=1\n");
    capi_rig_down(&rig);
    PROVES(CX_107);
    PROVES(R_31);
}

Test(capi_attribute, missing_rights_are_named)
{
    struct capi_rig rig;
    char bytes[8];
    size_t length;

    capi_rig_up(&rig);
    fake_cxl_refuse("afu0.0/reset", EACCES);
    cr_assert_eq(hal_afu_reset(rig.dev), -EACCES);
    cr_assert(capi_rig_told(&rig, "no right to write /sys/class/cxl/afu0.0/reset"), "%s", rig.log);
    fake_cxl_refuse(VPD, EACCES);
    cr_assert_eq(hal_vpd_read(rig.dev, bytes, sizeof bytes, &length), -EACCES);
    cr_assert(capi_rig_told(&rig, "no right to read " VPD), "%s", rig.log);
    capi_rig_down(&rig);
    PROVES(CX_131);
}

/* ---- the image (CX-100) ---- */

Test(capi_attribute, the_promise_of_an_image_is_a_write)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    cr_assert_eq(hal_reload_same_image(rig.dev, true), 0);
    cr_assert_eq(hal_reload_same_image(rig.dev, false), 0);
    cr_assert_str_eq(fake_cxl.log, "write /sys/class/cxl/card0/perst_reloads_same_image=1\n"
                                   "write /sys/class/cxl/card0/perst_reloads_same_image=0\n");
    fake_cxl_refuse("card0/perst_reloads_same_image", EACCES);
    cr_assert_eq(hal_reload_same_image(rig.dev, true), -EACCES);
    capi_rig_down(&rig);
    PROVES(CX_100);
    PROVES(AD_226);
}

/* A kernel that cannot be told is not a card that is gone. */
Test(capi_attribute, an_old_kernel_cannot_be_told)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    fake_cxl_attribute("card0/perst_reloads_same_image", NULL);
    cr_assert_eq(hal_reload_same_image(rig.dev, true), -ENOSYS);
    fake_cxl_remove("card0");
    cr_assert_eq(hal_reload_same_image(rig.dev, true), -ENODEV);
    capi_rig_down(&rig);
}

/* ---- product data (CX-94) ---- */

Test(capi_attribute, product_data_is_that_of_the_pci_function)
{
    struct capi_rig rig;
    char bytes[64];
    size_t length = 99;

    capi_rig_up(&rig);
    cr_assert_eq(hal_vpd_read(rig.dev, bytes, sizeof bytes, &length), 0);
    cr_assert_eq(length, strlen("product data of the card"));
    cr_assert_arr_eq(bytes, "product data of the card", length);
    cr_assert_eq(hal_vpd_read(rig.dev, bytes, 7, &length), 0);
    cr_assert_eq(length, 7);
    fake_cxl_remove("/sys/devices/pci0006:00/0006:00:00.0");
    cr_assert_eq(hal_vpd_read(rig.dev, bytes, sizeof bytes, &length), -ENODEV);
    capi_rig_down(&rig);
    PROVES(CX_94);
    PROVES(AD_226);
}

/* ---- error buffer (CX-97) ---- */

Test(capi_attribute, the_error_buffer_is_lines_without_the_empty_ones)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    capi_log_error_buffer(capi_dev_of(rig.dev)); /* there is none: nothing to tell */
    cr_assert_str_eq(rig.log, "");
    fake_cxl_attribute("afu0.0/afu_err_buff", "0123456789abcdef0123456789abcdef!");
    capi_log_error_buffer(capi_dev_of(rig.dev));
    cr_assert_str_eq(rig.log, "AFU error buffer 0000: "
                              "30313233343536373839616263646566303132333435363738396162636465"
                              "66\nAFU error buffer 0020: 21\n");
    capi_rig_down(&rig);
    PROVES(CX_97);
}

/* CX-109: there is nothing in the back end that could stop a slot. */
Test(capi_attribute, nothing_is_written_that_nobody_asked_for)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_init(&rig);
    capi_rig_open(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_MASTER);
    hal_ctx_release(ctx);
    cr_assert_null(strstr(fake_cxl.log, "write"));
    capi_rig_down(&rig);
}
