/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at before an AFU is opened (CX-95), one thing wrong at a time. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/testlib/capi_rig.h"
#include "tests/testlib/proves.h"

struct wrong {
    const char *attribute, *text; /* NULL: it is missing */
    int rc;
    const char *sentence; /* part of it */
};

static const struct wrong wrongs[] = {
    {"afu0.0/mode", "dedicated_process\n", -EINVAL, "mode \"dedicated_process\""},
    {"afu0.0/mode", "none\n", -EINVAL, "mode \"none\""},
    {"afu0.0m/pp_mmio_len", "4096\n", -EINVAL, "window of 4096 bytes"},
    {"afu0.0m/pp_mmio_off", "65536\n", -EINVAL, "is at 65536"},
    {"afu0.0m/mmio_size", "33685496\n", -EINVAL, "0x2020000 are needed"},
    {"afu0.0/irqs_min", "5\n", -EINVAL, "5 interrupts a context at least"},
    {"afu0.0/irqs_max", "2\n", -EINVAL, "2 interrupts at most"},
    {"card0/image_loaded", "factory\n", -EINVAL, "\"factory\" image"},
    {"afu0.0/api_version_compatible", "2\n", -EPROTO, "level 2"},
    {"afu0.0/mode", NULL, -ENODEV, "attribute mode of afu0.0"},
    {"afu0.0m/pp_mmio_len", NULL, -ENODEV, "attribute pp_mmio_len of afu0.0m"},
    {"afu0.0m/pp_mmio_off", NULL, -ENODEV, "attribute pp_mmio_off of afu0.0m"},
    {"afu0.0m/mmio_size", NULL, -ENODEV, "attribute mmio_size of afu0.0m"},
    {"afu0.0/irqs_min", NULL, -ENODEV, "attribute irqs_min of afu0.0"},
    {"afu0.0/irqs_max", NULL, -ENODEV, "attribute irqs_max of afu0.0"},
    {"card0/image_loaded", NULL, -ENODEV, "attribute image_loaded of card0"},
    {"afu0.0/api_version_compatible", NULL, -ENODEV, "attribute api_version_compatible"},
    {"afu0.0/irqs_min", "three\n", -EIO, "attribute irqs_min"},
};

static void expect(struct capi_rig *rig, int rc, const char *sentence)
{
    char why[256];

    cr_assert_eq(capi_rig_refused(rig, why, sizeof why), rc, "%s", why);
    cr_assert_not_null(strstr(why, sentence), "%s", why);
    cr_assert_eq(fake_cxl.opened, 0, "a node was opened");
}

Test(capi_check, each_check_has_its_sentence)
{
    for (unsigned i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct capi_rig rig;

        capi_rig_init(&rig);
        fake_cxl_attribute(wrongs[i].attribute, wrongs[i].text);
        expect(&rig, wrongs[i].rc, wrongs[i].sentence);
        cr_assert_null(strstr(fake_cxl.log, "write"), "it was switched silently");
        capi_rig_down(&rig);
    }
    PROVES(CX_95);
}

Test(capi_check, limits_that_still_do)
{
    struct capi_rig rig;

    capi_rig_init(&rig);
    fake_cxl_attribute("afu0.0/irqs_min", "4\n");
    fake_cxl_attribute("afu0.0/irqs_max", "4\n");
    fake_cxl_attribute("afu0.0m/mmio_size", "67108864\n");
    fake_cxl_attribute("afu0.0/api_version_compatible", "1\n");
    capi_rig_open(&rig);
    capi_rig_down(&rig);
    PROVES(CX_95);
}

/* The library would end the program (CX-19): it is not even asked. */
Test(capi_check, the_level_is_read_before_the_library_opens_anything)
{
    struct capi_rig rig;

    capi_rig_init(&rig);
    fake_cxl_attribute("afu0.0/api_version_compatible", "2\n");
    expect(&rig, -EPROTO, "level 2");
    cr_assert_null(strstr(fake_cxl.log, "open"));
    capi_rig_down(&rig);
    PROVES(CX_142);
}

/* ---- which one ---- */

Test(capi_check, without_a_driver_there_is_none)
{
    struct capi_rig rig;

    capi_rig_init(&rig);
    cr_assert_eq(capi_cards(&fake_cxl_kernel), 1);
    fake_cxl_remove("/sys/class/cxl");
    cr_assert_eq(capi_cards(&fake_cxl_kernel), 0);
    expect(&rig, -ENODEV, "no CAPI accelerator");
    capi_rig_down(&rig);
    PROVES(CX_142);
}

Test(capi_check, the_first_afu_is_taken_unless_another_is_named)
{
    struct capi_rig rig;

    capi_rig_init(&rig);
    fake_cxl_attribute("afu1.0/mode", "afu_directed\n");
    cr_assert_eq(capi_cards(&fake_cxl_kernel), 2, "nodes of views do not count (CX-17)");
    rig.config.afu = "afu1.0";
    expect(&rig, -ENODEV, "of afu1.0");
    rig.config.afu = "afu2.0";
    expect(&rig, -ENODEV, "there is no afu2.0");
    rig.config.afu = "afu0.0m";
    expect(&rig, -EINVAL, "not the name of an AFU");
    rig.config.afu = NULL;
    capi_rig_open(&rig);
    cr_assert_eq(rig.dev->card, 0x04F0);
    capi_rig_down(&rig);
}

Test(capi_check, a_card_whose_number_is_not_told_is_not_known)
{
    struct capi_rig rig;

    capi_rig_init(&rig);
    fake_cxl_attribute("afu0.0/cr0/device", NULL);
    capi_rig_open(&rig);
    cr_assert_eq(rig.dev->card, 0);
    capi_rig_down(&rig);
}

/* ---- the kernel's driver (CX-132) ---- */

#define BRIDGE "/sys/devices/pci0006:00/0006:00:00.0/pci0007:00"

Test(capi_check, a_bound_driver_is_refused)
{
    struct capi_rig rig;

    capi_rig_init(&rig);
    fake_cxl_link(BRIDGE "/0007:00:00.0/driver", "../../../../../bus/pci/drivers/cxlflash");
    expect(&rig, -EBUSY, "cxlflash driver has afu0.0 (0007:00:00.0)");
    fake_cxl_link(BRIDGE "/0007:00:00.0/driver", "../../../../../bus/pci/drivers/other");
    capi_rig_open(&rig);
    capi_rig_down(&rig);
    PROVES(CX_132);
}

/* ---- rights (CX-131) ---- */

Test(capi_check, missing_rights_are_named)
{
    static const struct {
        const char *attribute, *sentence;
    } cases[] = {
        {"afu0.0/mode", "no right to read the attribute mode"},
        {"afu0.0m/mmio_size", "no right to read the attribute mmio_size"},
    };
    struct capi_rig rig;
    char why[256];

    capi_rig_init(&rig);
    for (unsigned i = 0; i < 2; i++) {
        fake_cxl_refuse(cases[i].attribute, EACCES);
        expect(&rig, -EACCES, cases[i].sentence);
        fake_cxl_refuse(cases[i].attribute, 0);
    }
    fake_cxl.open_errno = EACCES;
    cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), -EACCES);
    cr_assert_not_null(strstr(why, "no right to read and write /dev/cxl/afu0.0m"), "%s", why);
    rig.config.users_only = true;
    cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), -EACCES);
    cr_assert_not_null(strstr(why, "/dev/cxl/afu0.0s"), "%s", why);
    fake_cxl.open_errno = 0;
    capi_rig_down(&rig);
    PROVES(CX_131);
}

Test(capi_check, a_node_that_does_not_open_is_told_at_once)
{
    static const struct {
        int error, rc;
        const char *sentence;
    } cases[] = {
        {ENOSPC, -ENOSPC, "all contexts of afu0.0 are in use"},
        {ENOENT, -ENODEV, "cannot be opened"},
        {EIO, -EIO, "cannot be opened"},
        {ENOMEM, -ENOMEM, "cannot be opened"},
    };
    struct capi_rig rig;
    char why[256];

    capi_rig_init(&rig);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_cxl.open_errno = cases[i].error;
        cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), cases[i].rc);
        cr_assert_not_null(strstr(why, cases[i].sentence), "%s", why);
    }
    fake_cxl.open_errno = 0;
    capi_rig_open(&rig);
    cr_assert_eq(fake_cxl.contexts, 0, "the context of the check was left open");
    capi_rig_down(&rig);
    PROVES(CX_25);
    PROVES(CX_142);
}
