/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous events of the AFU: every bit of SL 16 with its action, the register accesses of
 * AD-87, and that nothing of it happens when the adapter is not NORMAL. aintr_status is 2010000,
 * aintr_clear 2010008, FC_STATUS of port p is +330. */
#include "core/port/async_event.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/port_spy.h"
#include "tests/testlib/proves.h"

TestSuite(async_event, .timeout = 30);

/* ---- the table ---- */

/* SL 16, "full values" and "action (last driver)". */
static const struct {
    uint64_t bit[4]; /* of ports 0..3 */
    const char *name;
    bool reset, clear, scan;
} table[8] = {
    {{0x100, 0x1, 0x01000000, 0x010000}, "LINK_UP", false, false, false},
    {{0x200, 0x2, 0x02000000, 0x020000}, "LINK_DN", false, false, false},
    {{0x400, 0x4, 0x04000000, 0x040000}, "LOGI_S", false, false, true},
    {{0x800, 0x8, 0x08000000, 0x080000}, "LOGI_F", false, true, false},
    {{0x1000, 0x10, 0x10000000, 0x100000}, "LOGI_R", true, false, false},
    {{0x2000, 0x20, 0x20000000, 0x200000}, "CRC_T", true, false, false},
    {{0x4000, 0x40, 0x40000000, 0x400000}, "LOGO", false, false, false},
    {{0x8000, 0x80, 0x80000000, 0x800000}, "OTHER", true, true, false},
};

Test(async_event, every_bit)
{
    for (unsigned port = 0; port < 4; port++) {
        for (unsigned i = 0; i < 8; i++) {
            struct spipe__async_wants w = spipe__async_decode(table[i].bit[port], 4);
            unsigned mask = 1u << port;

            cr_expect_eq(w.reset, table[i].reset ? mask : 0, "%s %u", table[i].name, port);
            cr_expect_eq(w.clear, table[i].clear ? mask : 0, "%s %u", table[i].name, port);
            cr_expect_eq(w.scan, table[i].scan, "%s %u", table[i].name, port);
            cr_expect_eq(w.unknown, 0);
        }
    }
    PROVES(AD_87);
}

/* D-5: what is set, not what is clear. D-7, AD-95: all ports that ask, not the last one. */
Test(async_event, several_at_once)
{
    struct spipe__async_wants w = spipe__async_decode(0, 4);

    cr_expect_eq(w.reset | w.clear | w.scan | w.unknown, 0);
    PROVES(D_5);
    w = spipe__async_decode(0x2000 | 0x80 | 0x10000000 | 0x080000, 4);
    cr_expect_eq(w.reset, 1 | 2 | 4);
    cr_expect_eq(w.clear, 2 | 8);
    cr_expect_not(w.scan);
    PROVES(D_7);
    w = spipe__async_decode(UINT64_MAX, 4);
    cr_expect_eq(w.reset, 0xF);
    cr_expect_eq(w.clear, 0xF);
    cr_expect(w.scan);
    cr_expect_eq(w.unknown, 0, "bits 63:32 are masked");
}

Test(async_event, ports_that_the_card_has_not)
{
    struct spipe__async_wants w = spipe__async_decode(0xFFFF2000, 2);

    cr_expect_eq(w.reset, 1);
    cr_expect_eq(w.clear, 0);
    cr_expect_not(w.scan);
    cr_expect_eq(w.unknown, 0xFFFF0000);
    w = spipe__async_decode(0xFF00FFFF, 3);
    cr_expect_eq(w.reset, 7);
    cr_expect_eq(w.unknown, 0);
    w = spipe__async_decode(0x00FF0000, 3);
    cr_expect_eq(w.unknown, 0x00FF0000);
    PROVES(AD_87);
}

/* ---- what is done ---- */

static struct adapter_fixture f;
static struct port_spy spy;

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    port_spy_init(&spy, &f);
    *fake_afu_register(&f.afu, 0x2012010) = 0x23;
    *fake_afu_register(&f.afu, 0x2013010) = 0x23;
}

static void tear_down(void)
{
    adapter_fixture_forget_luns(&f);
    adapter_fixture_fini(&f);
}

static void raise(uint64_t bits) { *fake_afu_register(&f.afu, 0x2010000) = bits; }

static void expect(const char *text)
{
    const char *got = port_spy_take(&spy);

    cr_assert_str_eq(got, text, "got\n%s", got);
}

/* AD-87: cleared first, then one after the other, the lowest first. */
Test(async_event, logged, .init = set_up, .fini = tear_down)
{
    struct spipe_port_info info;

    *fake_afu_register(&f.afu, 0x2013330) = 0x0F;
    raise(0x4301);
    spipe__async_run(&f.s);
    expect("r 2010000\n"
           "w 2010008 4301\n"
           "r 2013330\n"
           "r 2012330 x3\n");
    cr_assert_eq(spipe_port_info(&f.s, 1, &info), 0);
    cr_assert_eq(info.events[SPIPE_PORT_LINK_UP], 1);
    cr_assert_eq(info.fc_status, 0x0F);
    cr_assert_eq(spipe_port_info(&f.s, 0, &info), 0);
    cr_assert_eq(info.events[SPIPE_PORT_LINK_UP], 1);
    cr_assert_eq(info.events[SPIPE_PORT_LINK_DOWN], 1);
    cr_assert_eq(info.events[SPIPE_PORT_LOGOUT], 1);
    cr_assert_eq(info.events[SPIPE_PORT_ERROR], 0);
    cr_assert_eq(info.resets, 0);
    cr_assert_eq(spipe_port_info(&f.s, 2, &info), -EINVAL);
    PROVES(AD_87);
}

Test(async_event, nothing_to_tell, .init = set_up, .fini = tear_down)
{
    raise(0);
    spipe__async_run(&f.s);
    expect("r 2010000\n");
    raise(0xFFFFFFFF00000000); /* masked */
    spipe__async_run(&f.s);
    expect("r 2010000\n");
    raise(UINT64_MAX); /* the adapter does not answer */
    spipe__async_run(&f.s);
    expect("r 2010000\n");
    raise(0x01010000); /* ports that the card has not: cleared, or they would come for ever */
    spipe__async_run(&f.s);
    expect("r 2010000\n"
           "w 2010008 1010000\n");
    raise(0x01000000); /* one warning is enough */
    spipe__async_run(&f.s);
    cr_assert_eq(f.s.events.count[SPIPE_EVENT_ASYNC_SPURIOUS], 2);
    cr_assert_eq(f.s.events.count[SPIPE_EVENT_ASYNC_UNKNOWN], 1);
    raise(0x02000000); /* another one */
    spipe__async_run(&f.s);
    cr_assert_eq(f.s.events.count[SPIPE_EVENT_ASYNC_UNKNOWN], 2);
    PROVES(AD_87);
}

/* LOGI_F: no reset. */
Test(async_event, errors_are_cleared, .init = set_up, .fini = tear_down)
{
    struct spipe_port_info info;

    *fake_afu_register(&f.afu, 0x2013380) = 0x6;
    raise(0x8);
    spipe__async_run(&f.s);
    expect("r 2010000\n"
           "w 2010008 8\n"
           "r 2013330\n"
           "r 2013380\n"
           "w 2013380 6\n"
           "w 2013388 0\n");
    cr_assert_eq(spipe_port_info(&f.s, 1, &info), 0);
    cr_assert_eq(info.fc_error, 6);
    PROVES(R_36);
}

/* AD-93. */
#define RESET_OF_PORT_0                                                                            \
    "r 2010030\n"                                                                                  \
    "w 2010030 2\n"                                                                                \
    "sync 2 0.0\n"                                                                                 \
    "r 2012010\n"                                                                                  \
    "w 2012010 43\n"                                                                               \
    "r 2012018\n"                                                                                  \
    "r 2012010\n"                                                                                  \
    "w 2012010 23\n"                                                                               \
    "r 2012018\n"                                                                                  \
    "w 2010030 3\n"                                                                                \
    "sync 2 0.0\n"

/* OTHER: the reset comes before the clearing of FC_ERROR, and after that of the status. */
Test(async_event, reset_then_cleared, .init = set_up, .fini = tear_down)
{
    *fake_afu_register(&f.afu, 0x2012380) = 0x200000;
    raise(0x8000);
    spipe__async_run(&f.s);
    expect("r 2010000\n"
           "w 2010008 8000\n"
           "r 2012330\n" RESET_OF_PORT_0 "r 2012380\n"
           "w 2012380 200000\n"
           "w 2012388 0\n");
    PROVES(R_36);
    PROVES(D_20);
}

/* AD section 24.3: the threshold of CRC errors, and what follows when the port comes back. */
Test(async_event, worked_sequence, .init = set_up, .fini = tear_down)
{
    raise(0x2000);
    spipe__async_run(&f.s);
    expect("r 2010000\n"
           "w 2010008 2000\n"
           "r 2012330\n" RESET_OF_PORT_0);
    raise(0x200);
    spipe__async_run(&f.s);
    raise(0x100);
    spipe__async_run(&f.s);
    expect("r 2010000\n"
           "w 2010008 200\n"
           "r 2012330\n"
           "r 2010000\n"
           "w 2010008 100\n"
           "r 2012330\n");
    cr_assert_eq(f.luns.commands, 2, "two syncs");
    raise(0x400);
    spipe__async_run(&f.s);
    cr_assert_eq(f.luns.log[2].cdb[0], 0xA0, "REPORT LUNS");
    cr_assert_eq(f.s.port_log[0].resets, 1);
    PROVES(AD_87);
    PROVES(AD_93);
    PROVES(AD_94);
}

/* D-7: two ports ask in one interrupt. LOGI_R and CRC_T clear no errors. */
Test(async_event, both_ports_are_reset, .init = set_up, .fini = tear_down)
{
    const char *got;

    raise(0x2010);
    spipe__async_run(&f.s);
    got = port_spy_take(&spy);
    cr_assert_not_null(strstr(got, "w 2012010 43\n"));
    cr_assert_not_null(strstr(got, "w 2013010 43\n"));
    cr_assert_null(strstr(got, "380"));
    cr_assert_eq(f.s.port_log[0].resets, 1);
    cr_assert_eq(f.s.port_log[1].resets, 1);
    cr_assert_eq(*fake_afu_register(&f.afu, 0x2010030), 3);
    PROVES(D_7);
    PROVES(AD_95);
}

/* LOGI_S: LUNs are looked for, after the resets (AD-94). */
Test(async_event, luns_are_looked_for, .init = set_up, .fini = tear_down)
{
    (void)fake_luns_add(&f.luns, 0, 7, 1);
    raise(0x2004);
    spipe__async_run(&f.s);
    cr_assert_eq(f.s.lun_count, 1);
    cr_assert_eq(f.luns.log[0].cdb[0], 0xC0);
    cr_assert_eq(f.luns.log[1].cdb[0], 0xC0);
    cr_assert_eq(f.luns.log[2].cdb[0], 0xA0);
    PROVES(AD_94);
}

/* AD-94, D-11: the hardware is left alone. */
Test(async_event, nothing_unless_normal, .init = set_up, .fini = tear_down)
{
    raise(0xFFFF);
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    spipe__async_run(&f.s);
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    spipe__async_run(&f.s);
    expect("");
    cr_assert_eq(f.luns.commands, 0);
    PROVES(AD_94);
    PROVES(D_11);
}

static void reset_begins(struct port_spy *s, uint64_t offset)
{
    if (offset == 0x2010008)
        gate_force(&s->f->s.gate, SPIPE_STATE_RESET);
}

/* A reset begins while the events are read. */
Test(async_event, no_link_reset_after_a_reset, .init = set_up, .fini = tear_down)
{
    spy.after_write = reset_begins;
    raise(0x8000);
    spipe__async_run(&f.s);
    expect("r 2010000\n"
           "w 2010008 8000\n"
           "r 2012330\n");
    PROVES(AD_94);
}

static void was_reset(struct port_spy *s, uint64_t offset)
{
    if (offset == 0x2010008)
        s->f->s.generation++;
}

/* The same, and it is over before the links are looked at: they are new. */
Test(async_event, no_link_reset_of_another_generation, .init = set_up, .fini = tear_down)
{
    spy.after_write = was_reset;
    raise(0x8404);
    spipe__async_run(&f.s);
    cr_assert_null(strstr(port_spy_take(&spy), "2012010"));
    cr_assert_eq(f.luns.commands, 0);
}
