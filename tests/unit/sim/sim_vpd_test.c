/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"

/* Finds a keyword in the read-only section the way a reader of PCI VPD does. */
static const uint8_t *keyword(const uint8_t *vpd, int n, const char *name, uint8_t *length)
{
    int at = 0;

    while (at + 3 <= n && vpd[at] != 0x78) {
        int size = vpd[at + 1] | vpd[at + 2] << 8, end = at + 3 + size;

        for (int k = at + 3; vpd[at] == 0x90 && k + 3 <= end; k += 3 + vpd[k + 2])
            if (!memcmp(vpd + k, name, 2)) {
                *length = vpd[k + 2];
                return vpd + k + 3;
            }
        at = end;
    }
    return NULL;
}

Test(sim_vpd, wwpn_keywords_and_checksum)
{
    struct model *m = model_create("flashsystem");
    uint8_t vpd[256], length = 0, sum = 0;
    int n = sim_bus_vpd(m->afu, vpd, sizeof vpd);
    const uint8_t *v = keyword(vpd, n, "V5", &length), *rv;

    cr_assert_gt(n, 0);
    cr_assert_not_null(v);
    cr_assert_eq(length, 16);
    cr_assert_eq(memcmp(v, "5005076000000001", 16), 0);
    cr_assert_not_null(keyword(vpd, n, "V6", &length));
    cr_assert_null(keyword(vpd, n, "V7", &length)); /* two ports */
    rv = keyword(vpd, n, "RV", &length);
    cr_assert_not_null(rv);
    for (const uint8_t *p = vpd; p <= rv; p++)
        sum = (uint8_t)(sum + *p);
    cr_assert_eq(sum, 0);
    PROVES(R_47);
    model_destroy(m);
}

Test(sim_vpd, can_be_missing_short_or_unreadable)
{
    struct sim_params p;
    struct model *m;
    uint8_t vpd[256], length = 0;
    char why[64];
    int n;

    sim_params_default(&p);
    p.wwpn_in_vpd = 0;
    m = model_create_bare(&p);
    n = sim_bus_vpd(m->afu, vpd, sizeof vpd);
    cr_assert_null(keyword(vpd, n, "V5", &length));
    cr_assert_eq(sim_bus_vpd(m->afu, vpd, 5), 5);
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "vpd#1=f+vpd#2=s", why, sizeof why), 0);
    cr_assert_eq(sim_bus_vpd(m->afu, vpd, sizeof vpd), -EIO);
    cr_assert_eq(sim_bus_vpd(m->afu, vpd, sizeof vpd), 8);
    model_destroy(m);
}
