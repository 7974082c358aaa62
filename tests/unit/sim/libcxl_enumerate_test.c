/* SPDX-License-Identifier: Apache-2.0 */
/* Going through cards and AFUs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(2); }

TestSuite(libcxl_enumerate, .init = up, .fini = libcxl_down, .timeout = 30);

static void cards(void *arg)
{
    struct cxl_adapter_h *card = cxl_adapter_next(NULL);

    (void)arg;
    cr_assert_str_eq(cxl_adapter_dev_name(card), "card0");
    card = cxl_adapter_next(card);
    cr_assert_str_eq(cxl_adapter_dev_name(card), "card1");
    errno = EPERM;
    cr_assert_null(cxl_adapter_next(card)); /* under AddressSanitizer: it is freed */
    cr_assert_eq(errno, 0);
    libcxl_say("class off");
    cr_assert_null(cxl_adapter_next(NULL));
    cr_assert_eq(errno, ENODEV);
    errno = 0;
    cr_assert_null(cxl_afu_next(NULL));
    cr_assert_eq(errno, ENODEV);
    PROVES(CX_16);
    libcxl_say("class on");
    card = cxl_adapter_next(NULL);
    cr_assert_not_null(card);
    cxl_adapter_free(card);
}

Test(libcxl_enumerate, cards) { libcxl_run(cards); }

static void afus(void *arg)
{
    struct cxl_adapter_h *card = cxl_adapter_next(cxl_adapter_next(NULL));
    struct cxl_afu_h *afu = cxl_afu_next(NULL);
    bool devices = false;
    char name[32];

    (void)arg;
    cr_assert_str_eq(cxl_afu_dev_name(afu), "afu0.0");
    afu = cxl_afu_next(afu);
    cr_assert_str_eq(cxl_afu_dev_name(afu), "afu1.0", "devices m and s are left out");
    errno = EPERM;
    cr_assert_null(cxl_afu_next(afu));
    cr_assert_eq(errno, 0);
    for (unsigned i = 0; libcxl_kernel()->list("/sys/class/cxl", i, name, sizeof name) == 0; i++)
        devices |= !strcmp(name, "afu0.0m");
    cr_assert(devices, "they are there");
    afu = cxl_adapter_afu_next(card, NULL);
    cr_assert_str_eq(cxl_afu_dev_name(afu), "afu1.0");
    cr_assert_eq(cxl_afu_fd(afu), -1);
    cr_assert_null(cxl_adapter_afu_next(card, afu));
    PROVES(CX_17);
    errno = 0;
    cr_assert_null(cxl_adapter_afu_next(NULL, NULL));
    cr_assert_eq(errno, EINVAL);
    cxl_adapter_free(card);
}

Test(libcxl_enumerate, afus) { libcxl_run(afus); }
