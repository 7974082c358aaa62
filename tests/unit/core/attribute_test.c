/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: their names and modes, and the exact text of each (AD section 19). STATUS of port p
 * is +18 in 2012000 and 2013000, the LUN tables of the ports are at 2014000 and 2015000. What
 * writing does is in //tests/scenario:attribute_write_test. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/port_spy.h"
#include "tests/testlib/proves.h"

static struct adapter_fixture f;
static struct port_spy spy;
static char text[SPIPE_ATTRIBUTE_BYTES + 1];

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    port_spy_init(&spy, &f);
}

static void tear_down(void)
{
    adapter_fixture_forget_luns(&f);
    adapter_fixture_fini(&f);
}

TestSuite(attribute, .init = set_up, .fini = tear_down, .timeout = 30);

static void reads(const char *name, unsigned lun, const char *expected)
{
    cr_assert_eq(spipe_attribute_read(&f.s, name, lun, text), 0, "%s", name);
    cr_assert_str_eq(text, expected, "%s: %s", name, text);
}

static void fails(const char *name, unsigned lun, int error)
{
    cr_assert_eq(spipe_attribute_read(&f.s, name, lun, text), error, "%s", name);
}

Test(attribute, names)
{
    static const struct spipe_attribute all[] = {
        {"port0", false, false},           {"port1", false, false},
        {"port2", false, false},           {"port3", false, false},
        {"lun_mode", true, false},         {"irqpoll_weight", true, false},
        {"num_hwqs", true, false},         {"hwq_mode", true, false},
        {"ioctl_version", false, false},   {"port0_lun_table", false, false},
        {"port1_lun_table", false, false}, {"port2_lun_table", false, false},
        {"port3_lun_table", false, false}, {"mode", false, true},
    };
    struct spipe_attribute a;

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(all); i++) {
        cr_assert_eq(spipe_attribute_at(i, &a), 0);
        cr_assert_str_eq(a.name, all[i].name);
        cr_assert_eq(a.writable, all[i].writable, "%s", a.name);
        cr_assert_eq(a.of_lun, all[i].of_lun, "%s", a.name);
        cr_assert_eq(spipe_attribute_write(&f.s, a.name, "x"), a.writable ? -EINVAL : -EACCES, "%s",
                     a.name);
    }
    cr_assert_eq(spipe_attribute_at(HAL_ARRAY_LENGTH(all), &a), -ENOENT);
    fails("port", 0, -ENOENT);
    cr_assert_eq(spipe_attribute_write(&f.s, "port", "x"), -ENOENT);
}

/* ---- ports ---- */

Test(attribute, ports)
{
    *fake_afu_register(&f.afu, 0x2012018) = 0x20;
    *fake_afu_register(&f.afu, 0x2013018) = 0x10;
    reads("port0", 0, "online\n");
    reads("port1", 0, "offline\n");
    *fake_afu_register(&f.afu, 0x2013018) = 0x30;
    reads("port1", 0, "unknown\n");
    *fake_afu_register(&f.afu, 0x2013018) = 0;
    reads("port1", 0, "unknown\n");
    fails("port2", 0, -EINVAL);
    fails("port3", 0, -EINVAL);
    PROVES(AD_200);
}

/* D-11: the map may be gone. */
Test(attribute, registers_only_when_normal)
{
    (void)port_spy_take(&spy);
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    fails("port0", 0, -ENODEV);
    fails("port0_lun_table", 0, -ENODEV);
    cr_assert_str_eq(port_spy_take(&spy), "");
    reads("lun_mode", 0, "0\n");
    reads("ioctl_version", 0, "disk: 0\nhost: 0\n");
    PROVES(D_11);
}

/* AD-206: 22 bytes a line, whole lines only, so 186 of 512 in a page. */
Test(attribute, lun_tables)
{
    char line[32];

    for (unsigned i = 0; i < 512; i++)
        *fake_afu_register(&f.afu, 0x2015000 + 8 * i) = UINT64_C(0x0001000000000000) * i + i;
    (void)port_spy_take(&spy);
    cr_assert_eq(spipe_attribute_read(&f.s, "port1_lun_table", 0, text), 0);
    cr_assert_eq(strlen(text), 186u * 22);
    for (unsigned i = 0; i < 186; i++) {
        snprintf(line, sizeof line, "%03u: %04x%012x\n", i, i, i);
        cr_assert_eq(strncmp(text + 22 * i, line, 22), 0, "%.22s", text + 22 * i);
    }
    cr_assert_not_null(strstr(port_spy_take(&spy), "r 20155d0\n"), "the line that does not fit");
    cr_assert_eq(strncmp(text, "000: 0000000000000000\n001: 0001000000000001\n", 44), 0);
    fails("port2_lun_table", 0, -EINVAL);
    PROVES(AD_206);
}

/* ---- the adapter ---- */

Test(attribute, of_the_adapter)
{
    reads("ioctl_version", 0, "disk: 0\nhost: 0\n");
    PROVES(AD_205);
    reads("lun_mode", 0, "0\n");
    f.s.internal_lun = 3;
    reads("lun_mode", 0, "3\n");
    f.s.internal_lun = 0;
    PROVES(AD_201);
}

/* Nothing happens; what is the mode already is no reset (AD-201). */
Test(attribute, lun_mode_that_is_none)
{
    static const char *const bad[] = {
        "", "\n", " 1", "1 ", "1x", "0x1", "5", "-1", "1\n\n", "+", "99999999999999999999"};
    uint64_t resets = f.afu.afu_resets;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++)
        cr_assert_eq(spipe_attribute_write(&f.s, "lun_mode", bad[i]), -EINVAL, "'%s'", bad[i]);
    cr_assert_eq(spipe_attribute_write(&f.s, "lun_mode", "0\n"), 0);
    cr_assert_eq(f.afu.afu_resets, resets);
    PROVES(AD_201);
    PROVES(D_13);
}

Test(attribute, irqpoll_weight)
{
    reads("irqpoll_weight", 0, "0\n");
    cr_assert_eq(spipe_attribute_write(&f.s, "irqpoll_weight", "256\n"), 0);
    reads("irqpoll_weight", 0, "256\n");
    cr_assert_eq(spipe_attribute_write(&f.s, "irqpoll_weight", "256"), -EINVAL, "it is so");
    cr_assert_eq(spipe_attribute_write(&f.s, "irqpoll_weight", "257"), -EINVAL);
    cr_assert_eq(spipe_attribute_write(&f.s, "irqpoll_weight", "-1"), -EINVAL);
    cr_assert_eq(spipe_attribute_write(&f.s, "irqpoll_weight", "many"), -EINVAL);
    cr_assert_eq(spipe_attribute_write(&f.s, "irqpoll_weight", "0"), 0);
    PROVES(AD_202);
}

Test(attribute, hwq_mode)
{
    reads("hwq_mode", 0, "rr\n");
    cr_assert_eq(spipe_attribute_write(&f.s, "hwq_mode", "tag\n"), 0);
    reads("hwq_mode", 0, "tag\n");
    cr_assert_eq(spipe_attribute_write(&f.s, "hwq_mode", "cpu-or-so"), 0, "beginning with a name");
    reads("hwq_mode", 0, "cpu\n");
    cr_assert_eq(spipe_attribute_write(&f.s, "hwq_mode", "RR"), -EINVAL);
    cr_assert_eq(spipe_attribute_write(&f.s, "hwq_mode", "ta"), -EINVAL);
    cr_assert_eq(spipe_attribute_write(&f.s, "hwq_mode", ""), -EINVAL);
    reads("hwq_mode", 0, "cpu\n");
    PROVES(AD_204);
}

Test(attribute, num_hwqs)
{
    reads("num_hwqs", 0, "1\n");
    cr_assert_eq(spipe_attribute_write(&f.s, "num_hwqs", "two"), -EINVAL);
    cr_assert_eq(spipe_attribute_write(&f.s, "num_hwqs", "2.0"), -EINVAL);
    cr_assert_eq(spipe_attribute_write(&f.s, "num_hwqs", "3000000000"), -EINVAL);
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_attribute_write(&f.s, "num_hwqs", "2"), 0, "the state tells");
    reads("num_hwqs", 0, "1\n");
    PROVES(AD_155);
    PROVES(AD_203);
}

/* ---- LUNs ---- */

/* SP-118: under driver management is one that requests may use. */
Test(attribute, mode_of_a_lun)
{
    adapter_fixture_add_lun(&f, (struct spipe__lun){.found_ports = 3, .port_mask = 2});
    adapter_fixture_add_lun(&f, (struct spipe__lun){.found_ports = 3});
    reads("mode", 0, "superpipe\n");
    reads("mode", 1, "legacy\n");
    fails("mode", 2, -ENOENT);
    PROVES(AD_207);
}
