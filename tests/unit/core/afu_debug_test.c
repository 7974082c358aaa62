/* SPDX-License-Identifier: Apache-2.0 */
/* AFU debug against adapter.md section 20 and sislite.md section 12. */
#include "core/command/afu_debug.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(afu_debug, .timeout = 30);

enum { MOST = 262144 };

static struct adapter_fixture f;
static uint8_t data[MOST + 1];
static uint8_t seen[MOST]; /* by the AFU, of the last command with data */

static const uint8_t bytes[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

/* An AFU that notes what it is given, and gives numbers that count up from 7. */
static struct fake_answer exchange(void *arg, const struct fake_command *c)
{
    uint8_t *at = c->data;
    struct fake_answer answer = fake_luns_answer(arg, c);

    cr_assert_leq(c->data_length, MOST);
    if (c->data_length)
        memcpy(seen, at, c->data_length);
    for (uint32_t i = 0; i < c->data_length && !(c->flags & 1); i++)
        at[i] = (uint8_t)(i + 7);
    return answer;
}

static void begin(enum hal_order order)
{
    adapter_fixture_init(&f, order);
    f.s.interface_version |= UINT64_C(1) << 58; /* SL 20.2 */
    f.afu.answer = exchange;
    memset(data, 0xEE, sizeof data);
    memset(seen, 0x11, sizeof seen);
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

static int debug(bool write, uint32_t length)
{
    return spipe_afu_debug(&f.s, bytes, write, length ? data : NULL, length);
}

static bool untouched(void)
{
    for (uint32_t i = 0; i < sizeof data; i++)
        if (data[i] != 0xEE)
            return false;
    return true;
}

static void nth(uint64_t n, struct fake_answer answer) { fake_luns_fail(&f.luns, n, &answer); }

static const struct fake_answer refused = {.rc = {.afu_rc = 0x21}};
static const struct fake_answer lost = {.lost = true};

/* ---- commands ---- */

static void expect_command(unsigned n, uint16_t flags, uint32_t length)
{
    static const uint8_t cdb[16] = {0xE0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const struct fake_command *c = &f.luns.log[n];

    cr_expect_arr_eq(c->cdb, cdb, 16);
    cr_expect_eq(c->flags, flags, "%x", c->flags);
    cr_expect_eq(c->data_length, length);
    cr_expect_eq(c->timeout, 5);
    cr_expect_eq(c->msi, 2);
    cr_expect_eq(c->lun_id | c->target, 0);
    cr_expect_eq((uintptr_t)c->data % 128, 0, "a cache line");
    cr_expect_eq(c->data != NULL, length != 0);
    cr_expect_neq(c->data, (void *)data, "never the caller's memory");
}

/* Without data there is no direction. */
Test(afu_debug, commands)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        begin(order);
        cr_assert_eq(debug(false, 0), 0);
        cr_assert_eq(debug(true, 0), 0);
        cr_assert_eq(debug(false, 1000), 0);
        cr_assert_eq(debug(true, 1000), 0);
        cr_assert_eq(f.luns.commands, 4);
        expect_command(0, 0x0002, 0);
        expect_command(1, 0x0002, 0);
        expect_command(2, 0x4002, 1000);
        expect_command(3, 0x4003, 1000);
        tear_down();
    }
    PROVES(SP_175);
    PROVES(AD_213);
    PROVES(AD_120);
}

/* ---- data ---- */

/* Data from the AFU come, and no byte more; what the buffer held before is nobody's. */
Test(afu_debug, read, .init = set_up, .fini = tear_down)
{
    for (uint32_t length = 1; length <= MOST; length = length * 8 + 3) {
        memset(data, 0xEE, sizeof data);
        cr_assert_eq(debug(false, length), 0);
        for (uint32_t i = 0; i < length; i++)
            cr_assert(data[i] == (uint8_t)(i + 7) && seen[i] == 0);
        cr_assert_eq(data[length], 0xEE);
    }
    PROVES(SP_175);
    PROVES(AD_213);
}

Test(afu_debug, write, .init = set_up, .fini = tear_down)
{
    for (uint32_t i = 0; i < MOST; i++)
        data[i] = (uint8_t)(i * 3);
    cr_assert_eq(debug(true, 100), 0);
    cr_assert_arr_eq(seen, data, 100);
    cr_assert_eq(debug(true, MOST), 0);
    cr_assert_arr_eq(seen, data, MOST);
    for (uint32_t i = 0; i < MOST; i++)
        cr_assert(data[i] == (uint8_t)(i * 3));
    PROVES(SP_175);
    PROVES(AD_213);
}

Test(afu_debug, most_data, .init = set_up, .fini = tear_down)
{
    cr_expect_eq(debug(false, MOST + 1), -EINVAL);
    cr_expect_eq(debug(true, UINT32_MAX), -EINVAL);
    cr_expect_eq(spipe_afu_debug(&f.s, bytes, true, NULL, MOST + 1), -EINVAL);
    cr_expect(untouched());
    cr_expect_eq(f.luns.commands, 0);
    cr_expect_eq(debug(false, MOST), 0);
    cr_expect_eq(data[MOST], 0xEE);
    PROVES(SP_175);
    PROVES(AD_213);
}

/* "On failure nothing is copied out." */
Test(afu_debug, errors_of_the_command, .init = set_up, .fini = tear_down)
{
    nth(0, refused);
    cr_expect_eq(debug(false, 64), -EIO);
    nth(1, (struct fake_answer){.rc = {.flags = 0x10}, .residual = 32}); /* short */
    cr_expect_eq(debug(false, 64), -EIO);
    nth(2, lost);
    nth(3, lost);
    cr_expect_eq(debug(false, 64), -ETIMEDOUT);
    cr_expect(f.s.worker.reset_wanted);
    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(debug(false, 64), -ENOBUFS);
    cr_expect(untouched());
    cr_expect_eq(f.luns.commands, 4);
    f.afu.room = 8;
    nth(4, lost);
    cr_expect_eq(debug(false, 64), 0, "the second attempt");
    cr_expect_eq(data[63], 70);
    PROVES(AD_213);
    PROVES(AD_214);
}

/* The AFU may still write to where a command that it never answered wanted its data. */
Test(afu_debug, memory_outlives_a_lost_command, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(f.afu.regions, 2);
    nth(0, lost);
    f.afu.reset_reads = 11; /* the context reset does not end either */
    cr_expect_eq(debug(false, 64), -ETIMEDOUT);
    cr_expect_eq(f.afu.regions, 3);
    memset(f.luns.log[0].data, 0x55, 64);
    cr_expect(untouched());
    cr_expect_eq(debug(false, 64), -ETIMEDOUT, "and nothing new is sent");
    cr_expect_eq(f.luns.commands, 1);
}

Test(afu_debug, without_memory, .init = set_up, .fini = tear_down)
{
    f.exec.fail_after = 0;
    cr_expect_eq(debug(false, 1), -ENOMEM);
    cr_expect_eq(debug(false, 0), 0, "none is needed");
    f.exec.fail_after = FAKE_EXEC_NEVER;
    cr_expect_eq(debug(false, 1), 0);
    f.exec.fail_after = 0;
    cr_expect_eq(debug(false, MOST), 0, "it is there now");
}

Test(afu_debug, no_place_for_data, .init = set_up, .fini = tear_down)
{
    for (int write = 0; write < 2; write++)
        cr_expect_eq(spipe_afu_debug(&f.s, bytes, write, NULL, 1), -EFAULT);
    cr_expect_eq(f.luns.commands, 0);
}

/* ---- when it may be used ---- */

/* The capability comes before everything else. */
Test(afu_debug, capability, .init = set_up, .fini = tear_down)
{
    f.s.interface_version = UINT64_C(0xFBFFFFFFFFFFFFFF);
    cr_expect_eq(debug(false, 0), -EOPNOTSUPP);
    cr_expect_eq(debug(true, MOST + 1), -EOPNOTSUPP);
    cr_expect_eq(f.luns.commands, 0);
    PROVES(AD_213);
}

Test(afu_debug, failed_adapter, .init = set_up, .fini = tear_down)
{
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_expect_eq(debug(false, 0), -ENODEV);
    cr_expect_eq(f.luns.commands, 0);
    PROVES(R_37);
    PROVES(D_10);
}
