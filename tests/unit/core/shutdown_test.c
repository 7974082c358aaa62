/* SPDX-License-Identifier: Apache-2.0 */
/* The shutdown notification: every register access in order, with the numbers of the specification.
 * Port 0 is at 2012000, port 1 at 2013000; FC_CONFIG2 +328, FC_STATUS +330. */
#include "core/adapter/shutdown.h"

#include <criterion/criterion.h>

#include "hal/afu_regs.h"
#include "tests/testlib/port_spy.h"
#include "tests/testlib/proves.h"

static struct adapter_fixture f;
static struct port_spy spy;

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    port_spy_init(&spy, &f);
    *fake_afu_register(&f.afu, 0x2012328) = 0x300000001; /* other bits stay */
    f.afu.dev.card = 0x0600;
}

static void tear_down(void) { adapter_fixture_fini(&f); }

TestSuite(shutdown, .init = set_up, .fini = tear_down);

static void expect(const char *text)
{
    const char *got = port_spy_take(&spy);

    cr_assert_str_eq(got, text, "got\n%s", got);
}

#define TOLD                                                                                       \
    "r 2012328\n"                                                                                  \
    "w 2012328 300000011\n"                                                                        \
    "r 2013328\n"                                                                                  \
    "w 2013328 10\n"

Test(shutdown, ports_that_finish_at_once)
{
    *fake_afu_register(&f.afu, 0x2012330) = 0x20;
    *fake_afu_register(&f.afu, 0x2013330) = 0x2F;
    cr_assert_eq(spipe__shutdown_notify(&f.s), 0);
    expect(TOLD "r 2012330\n"
                "r 2013330\n");
    cr_assert_eq(f.exec.now, 0);
    PROVES(AD_171);
}

/* 100, 200, 300 and 400 ms between five looks, a port after the other: a second each. */
Test(shutdown, ports_that_do_not_finish)
{
    *fake_afu_register(&f.afu, 0x2013330) = 0x10;
    cr_assert_eq(spipe__shutdown_notify(&f.s), 3);
    expect(TOLD "r 2012330 x5\n"
                "r 2013330 x5\n");
    cr_assert_eq(f.exec.now, 2 * UINT64_C(1000000000));
    PROVES(AD_172);
}

Test(shutdown, one_of_two)
{
    *fake_afu_register(&f.afu, 0x2013330) = 0x20;
    cr_assert_eq(spipe__shutdown_notify(&f.s), 1);
    cr_assert_eq(f.exec.now, UINT64_C(1000000000));
}

/* SL 0.3: FlashGT and Briard are flagged, Corsa and what is not known are not. */
Test(shutdown, only_cards_that_want_it)
{
    static const struct {
        uint16_t card;
        bool told;
    } cards[] = {{0x04F0, false}, {0, false}, {0x0600, true}, {0x0624, true}};

    *fake_afu_register(&f.afu, 0x2012330) = *fake_afu_register(&f.afu, 0x2013330) = 0x20;
    for (unsigned i = 0; i < 4; i++) {
        f.afu.dev.card = cards[i].card;
        cr_assert_eq(spipe__shutdown_notify(&f.s), 0);
        cr_assert_eq(port_spy_take(&spy)[0] != 0, cards[i].told, "card %x", cards[i].card);
    }
    PROVES(AD_170);
}

/* There is nobody to tell. */
Test(shutdown, adapter_that_is_down)
{
    spipe__take_down(&f.s);
    port_spy_take(&spy);
    cr_assert_eq(spipe__shutdown_notify(&f.s), 0);
    expect("");
    PROVES(AD_170);
}
