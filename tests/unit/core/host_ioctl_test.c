/* SPDX-License-Identifier: Apache-2.0 */
/* The binary requests of the host: which errors come first, and every byte that is read or written.
 * What the commands are is in provision_test.c and afu_debug_test.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/command/afu_debug.h"
#include "core/cxlflash_ioctl.h"
#include "core/superpipe.h"
#include "hal/support/bits.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(host_ioctl, .timeout = 30);

#define LUN_PROVISION UINT32_C(0xC0A0CABF) /* AD-210 */
#define AFU_DEBUG UINT32_C(0xC078CABE)
#define NOT_SUPPORTED (-524) /* SP-174 */

enum { CREATE = 1, DELETE = 2, QUERY_PORT = 3 };

static struct adapter_fixture f;

static void begin(enum hal_order order)
{
    adapter_fixture_init(&f, order);
    f.s.interface_version |= UINT64_C(3) << 58; /* SL 20.2 */
}

static void set_up(void) { begin(HAL_ORDER_HOST); }

static void tear_down(void)
{
    spipe__gate_close(&f.s.gate);
    spipe__gate_open(&f.s.gate);
    spipe__take_down(&f.s);
    spipe__afu_debug_fini(&f.s);
    adapter_fixture_fini(&f);
}

/* A structure, and bytes behind it that are nobody's. */
static union {
    uint8_t bytes[176];
    struct ht_cxlflash_lun_provision provision;
    struct ht_cxlflash_afu_debug debug;
} arg, before;

/* Every byte that is not checked is 0xA5. */
static void fill(uint16_t subcommand)
{
    memset(&arg, 0xA5, sizeof arg);
    memset(&arg, 0, 24);
    memcpy(arg.bytes + 2, &subcommand, 2);
}

static int request(uint32_t code)
{
    before = arg;
    return spipe_host_ioctl(&f.s, code, &arg);
}

/* Expects a result, and that a failure wrote nothing. */
static void expect(uint32_t code, int rc)
{
    int is = request(code);

    cr_expect_eq(is, rc, "%x: %d, not %d", code, is, rc);
    if (rc)
        cr_expect_arr_eq(arg.bytes, before.bytes, sizeof arg);
}

static void provision(uint16_t subcommand, uint16_t port)
{
    fill(subcommand);
    memcpy(arg.bytes + 24, &port, 2);
}

static void debug(uint64_t flags, void *data, uint32_t length)
{
    uint64_t ea = (uint64_t)(uintptr_t)data;

    fill(0xFFFF); /* AFU_DEBUG has no sub-commands */
    memcpy(arg.bytes + 8, &flags, 8);
    for (uint8_t i = 0; i < 12; i++)
        arg.bytes[28 + i] = i;
    memcpy(arg.bytes + 40, &ea, 8);
    memcpy(arg.bytes + 48, &length, 4);
}

static uint64_t at(unsigned offset)
{
    uint64_t value;

    memcpy(&value, arg.bytes + offset, 8);
    return value;
}

/* Only these bytes of the structure have changed. */
static void expect_written(unsigned first, unsigned last)
{
    for (unsigned i = 0; i < sizeof arg; i++)
        if (i < first || i > last)
            cr_expect_eq(arg.bytes[i], before.bytes[i], "byte %u", i);
}

/* ---- LUN_PROVISION ---- */

Test(host_ioctl, create)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        struct fake_answer answer = {.residual = 0x01020304, .tells = true};
        xe32_t low = xe32_of(order, 0x05060708);
        uint64_t size = 0x4000;

        begin(order);
        memcpy(answer.sense, &low, 4);
        memset(answer.sense + 4, 0x60, 16);
        fake_luns_fail(&f.luns, 0, &answer);
        provision(CREATE, 1);
        memcpy(arg.bytes + 32, &size, 8);
        expect(LUN_PROVISION, 0);
        cr_expect_eq(at(40), UINT64_C(0x0102030405060708));
        cr_expect_eq(at(48), UINT64_C(0x6060606060606060));
        cr_expect_eq(at(56), UINT64_C(0x6060606060606060));
        expect_written(40, 63);
        cr_expect_eq(f.luns.log[0].cdb[2], 1);
        cr_expect_eq(hal_be64_at(f.luns.log[0].cdb + 8), 0x4000);
        cr_expect_eq(f.luns.log[0].lun_id, 0, "it is no input here");
        tear_down();
    }
    PROVES(SP_174);
    PROVES(AD_212);
}

Test(host_ioctl, delete, .init = set_up, .fini = tear_down)
{
    uint64_t id = UINT64_C(0x0102030405060708);

    provision(DELETE, 1);
    memcpy(arg.bytes + 40, &id, 8);
    expect(LUN_PROVISION, 0);
    expect_written(1, 0);
    cr_expect_eq(f.luns.log[0].lun_id, id);
    cr_expect_eq(f.luns.log[0].cdb[1], 1);
    cr_expect_eq(hal_be64_at(f.luns.log[0].cdb + 8), 0, "nor is the size");
    PROVES(SP_174);
    PROVES(AD_212);
}

Test(host_ioctl, query_port, .init = set_up, .fini = tear_down)
{
    for (unsigned i = 0; i < 4; i++)
        *fake_afu_register(&f.afu, 0x2013080 + i * 8) = i + 1000;
    provision(QUERY_PORT, 1);
    expect(LUN_PROVISION, 0);
    for (unsigned i = 0; i < 4; i++)
        cr_expect_eq(at(64 + i * 8), i + 1000);
    expect_written(64, 95);
    cr_expect_eq(f.luns.commands, 0);
    PROVES(SP_174);
    PROVES(AD_212);
}

Test(host_ioctl, ports_and_sub_commands, .init = set_up, .fini = tear_down)
{
    static const uint16_t ports[] = {2, 3, 256, 0xFFFF}, unknown[] = {0, 4, 0x0101, 0xFFFF};

    for (unsigned i = 0; i < 4; i++) {
        for (unsigned subcommand = CREATE; subcommand <= QUERY_PORT; subcommand++) {
            provision((uint16_t)subcommand, ports[i]);
            expect(LUN_PROVISION, -EINVAL);
        }
        provision(unknown[i], 1);
        expect(LUN_PROVISION, -EINVAL);
    }
    cr_expect_eq(f.luns.commands, 0);
    PROVES(SP_174);
    PROVES(AD_212);
}

/* ---- AFU_DEBUG ---- */

static uint8_t data[262144];

/* Reads or notes the data of the last command. */
static struct fake_answer exchange(void *context, const struct fake_command *c)
{
    if (c->flags & 1)
        cr_expect_arr_eq(c->data, data, c->data_length);
    else if (c->data_length)
        memset(c->data, 0x77, c->data_length);
    return fake_luns_answer(context, c);
}

/* Bit 0 of the flags is the direction, the others are nothing (SP-10). */
Test(host_ioctl, debug_data)
{
    static const uint8_t cdb[16] = {0xE0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        begin(order);
        f.afu.answer = exchange;
        memset(data, 0x33, sizeof data);
        debug(UINT64_C(0xFFFFFFFFFFFFFFFF), data, sizeof data);
        expect(AFU_DEBUG, 0);
        expect_written(1, 0);
        cr_expect_eq(f.luns.log[0].flags, 0x4003);
        cr_expect_arr_eq(f.luns.log[0].cdb, cdb, 16);
        cr_expect_eq(data[1000], 0x33);
        debug(~UINT64_C(1), data, 1000);
        expect(AFU_DEBUG, 0);
        expect_written(1, 0);
        cr_expect_eq(f.luns.log[1].flags, 0x4002);
        cr_expect(data[0] == 0x77 && data[999] == 0x77 && data[1000] == 0x33);
        debug(1, NULL, 0);
        expect(AFU_DEBUG, 0);
        cr_expect_eq(f.luns.log[2].flags, 0x0002);
        tear_down();
    }
    PROVES(SP_175);
    PROVES(AD_213);
}

Test(host_ioctl, debug_limits, .init = set_up, .fini = tear_down)
{
    debug(0, data, 262145);
    expect(AFU_DEBUG, -EINVAL);
    debug(0, NULL, 262145);
    expect(AFU_DEBUG, -EINVAL);
    debug(0, NULL, 1);
    expect(AFU_DEBUG, -EFAULT);
    cr_expect_eq(f.luns.commands, 0);
    debug(0, data, 262144);
    expect(AFU_DEBUG, 0);
    PROVES(SP_175);
}

/* ---- every request ---- */

Test(host_ioctl, unknown_requests, .init = set_up, .fini = tear_down)
{
    static const uint32_t codes[] = {0,          0xC0A0CABE, 0xC078CABF, 0xC078CABD,
                                     0xC090CA80, 0x40A0CABF, 0xC0A0CBBF, 0xFFFFFFFF};

    fill(CREATE);
    for (unsigned i = 0; i < 8; i++) {
        expect(codes[i], -EINVAL);
        cr_expect_eq(spipe_host_ioctl(&f.s, codes[i], NULL), -EINVAL);
    }
    PROVES(AD_210);
}

/* Every bit of version, reserved words and return flags; the bytes behind them are not looked at.
 */
Test(host_ioctl, header, .init = set_up, .fini = tear_down)
{
    for (unsigned i = 0; i < 24; i++) {
        bool checked = i < 2 || (i >= 4 && i < 8) || i >= 16;

        for (unsigned bit = 0; bit < 8 && checked; bit++) {
            provision(QUERY_PORT, 1);
            arg.bytes[i] ^= (uint8_t)(1 << bit);
            expect(LUN_PROVISION, -EINVAL);
            debug(0, NULL, 0);
            arg.bytes[i] ^= (uint8_t)(1 << bit);
            expect(AFU_DEBUG, -EINVAL);
        }
    }
    cr_expect_eq(f.luns.commands, 0);
    provision(QUERY_PORT, 1);
    memset(arg.bytes + 8, 0xFF, 8); /* flags */
    expect(LUN_PROVISION, 0);
    PROVES(SP_173);
    PROVES(AD_211);
}

/* Each row lacks one thing more than the one before; the first of them is what the caller hears of.
 */
Test(host_ioctl, precedence, .init = set_up, .fini = tear_down)
{
    provision(9, 9);
    expect(LUN_PROVISION, -EINVAL);
    f.s.interface_version = 0;
    expect(LUN_PROVISION, NOT_SUPPORTED);
    arg.bytes[4] = 1;
    expect(LUN_PROVISION, -EINVAL);
    cr_expect_eq(spipe_host_ioctl(&f.s, LUN_PROVISION, NULL), -EFAULT);
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_expect_eq(spipe_host_ioctl(&f.s, LUN_PROVISION, NULL), -ENODEV);
    cr_expect_eq(spipe_host_ioctl(&f.s, LUN_PROVISION + 1, NULL), -EINVAL);
    PROVES(SP_173);
    PROVES(AD_211);
    PROVES(R_37);
}

Test(host_ioctl, capabilities, .init = set_up, .fini = tear_down)
{
    for (uint16_t subcommand = 0; subcommand < 5; subcommand++) {
        f.s.interface_version = UINT64_C(0xF400000000010002);
        provision(subcommand, 0);
        expect(LUN_PROVISION, NOT_SUPPORTED);
    }
    debug(0, NULL, 0);
    expect(AFU_DEBUG, 0);
    f.s.interface_version = UINT64_C(0xF800000000010002);
    debug(0, NULL, 262145);
    expect(AFU_DEBUG, NOT_SUPPORTED);
    cr_expect_eq(f.luns.commands, 1);
    PROVES(SP_174);
    PROVES(AD_212);
    PROVES(AD_213);
}

/* AD-214. */
Test(host_ioctl, errors_of_the_command, .init = set_up, .fini = tear_down)
{
    const struct fake_answer refused = {.rc = {.afu_rc = 0x21}}, lost = {.lost = true};

    for (unsigned i = 0; i < 3; i++)
        fake_luns_fail(&f.luns, i, &refused);
    for (unsigned i = 3; i < 5; i++)
        fake_luns_fail(&f.luns, i, &lost);
    provision(CREATE, 1);
    expect(LUN_PROVISION, -EIO);
    provision(DELETE, 1);
    expect(LUN_PROVISION, -EIO);
    debug(0, data, 64);
    expect(AFU_DEBUG, -EIO);
    provision(CREATE, 1);
    expect(LUN_PROVISION, -ETIMEDOUT);
    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    debug(0, NULL, 0);
    expect(AFU_DEBUG, -ENOBUFS);
    PROVES(AD_214);
}
