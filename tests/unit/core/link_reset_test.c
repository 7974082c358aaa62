/* SPDX-License-Identifier: Apache-2.0 */
/* The link reset: every register access in order, with the numbers of the specification, and what
 * becomes of it when ports or the AFU do not do their part. Port 0 is at 2012000, port 1 at
 * 2013000; CMDCONFIG +10, STATUS +18, FC_ERROR +380, FC_ERRCAP +388; afu_port_sel is 2010030. */
#include "core/port/link_reset.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/pause.h"
#include "hal/support/bits.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/port_spy.h"
#include "tests/testlib/proves.h"

TestSuite(link_reset, .timeout = 30);

static struct adapter_fixture f;
static struct port_spy spy;

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    port_spy_init(&spy, &f);
    *fake_afu_register(&f.afu, 0x2012010) = 0x8023;
    *fake_afu_register(&f.afu, 0x2013010) = 0x8023;
}

static void tear_down(void) { adapter_fixture_fini(&f); }

static void expect(const char *text)
{
    const char *got = port_spy_take(&spy);

    cr_assert_str_eq(got, text, "got\n%s", got);
}

/* The number of the sync, from 0, gets this answer. */
static void nth(uint64_t n, struct fake_answer answer) { fake_luns_fail(&f.luns, n, &answer); }

static const struct fake_answer lost = {.lost = true};
static const struct fake_answer busy = {.rc = {.afu_rc = AFU_RC_SYNC_IN_PROGRESS}};

#define RESET_OF_PORT_0                                                                            \
    "r 2010030\n"                                                                                  \
    "w 2010030 2\n"                                                                                \
    "sync 2 0.0\n"                                                                                 \
    "r 2012010\n"                                                                                  \
    "w 2012010 8043\n"                                                                             \
    "r 2012018\n"                                                                                  \
    "r 2012010\n"                                                                                  \
    "w 2012010 8023\n"                                                                             \
    "r 2012018\n"                                                                                  \
    "w 2010030 3\n"                                                                                \
    "sync 2 0.0\n"

#define ERRORS_OF_PORT_0                                                                           \
    "r 2012380\n"                                                                                  \
    "w 2012380 100000\n"                                                                           \
    "w 2012388 0\n"

/* AD-93, and the example of AD 24.3. */
Test(link_reset, accesses_in_order, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), 0);
    expect(RESET_OF_PORT_0);
    cr_assert_eq(f.exec.now, 200 * SPIPE__MILLISECOND);
    PROVES(AD_93);
    PROVES(VL_69);
}

Test(link_reset, of_the_other_port, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(spipe__link_reset(&f.s, 1, false), 0);
    expect("r 2010030\n"
           "w 2010030 1\n"
           "sync 2 0.0\n"
           "r 2013010\n"
           "w 2013010 8043\n"
           "r 2013018\n"
           "r 2013010\n"
           "w 2013010 8023\n"
           "r 2013018\n"
           "w 2010030 3\n"
           "sync 2 0.0\n");
}

/* D-20 */
Test(link_reset, errors_are_cleared_afterwards, .init = set_up, .fini = tear_down)
{
    *fake_afu_register(&f.afu, 0x2012380) = 0x100000;
    cr_assert_eq(spipe__link_reset(&f.s, 0, true), 0);
    expect(RESET_OF_PORT_0 ERRORS_OF_PORT_0);
    cr_assert_eq(f.s.port_log[0].fc_error, 0x100000);
    PROVES(D_20);
}

/* Wait failures are taken note of; the port may be used again, after 101 looks each. */
Test(link_reset, a_port_that_does_not_move, .init = set_up, .fini = tear_down)
{
    *fake_afu_register(&f.afu, 0x2012018) = 0;
    spy.stuck = 1;
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), -ETIMEDOUT);
    expect("r 2010030\n"
           "w 2010030 2\n"
           "sync 2 0.0\n"
           "r 2012010\n"
           "w 2012010 8043\n"
           "r 2012018 x101\n"
           "r 2012010\n"
           "w 2012010 8023\n"
           "r 2012018 x101\n"
           "w 2010030 3\n"
           "sync 2 0.0\n");
    cr_assert_eq(f.exec.now, 20200 * SPIPE__MILLISECOND); /* */
    cr_assert_eq(f.s.port_log[0].resets, 1);
    cr_assert_eq(f.s.port_log[0].resets_failed, 1);
    PROVES(AD_93);
}

Test(link_reset, a_port_that_stays_offline, .init = set_up, .fini = tear_down)
{
    *fake_afu_register(&f.afu, 0x2012018) = 0x10;
    spy.stuck = 1;
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), -ETIMEDOUT);
    cr_assert_eq(f.exec.now, 10200 * SPIPE__MILLISECOND);
}

/* Whichever sync fails, everything else happens; the first failure is told. */
Test(link_reset, syncs_that_fail, .init = set_up, .fini = tear_down)
{
    nth(0, busy);
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), -EIO);
    expect(RESET_OF_PORT_0);
    nth(3, busy);
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), -EIO);
    expect(RESET_OF_PORT_0);
    cr_assert_eq(f.s.port_log[0].resets_failed, 2);
    cr_assert_not(f.s.worker.reset_wanted);
    PROVES(AD_126);
}

/* A lost sync is repeated once, and then asks for a reset of the adapter. */
Test(link_reset, syncs_that_are_lost, .init = set_up, .fini = tear_down)
{
    nth(0, lost);
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), 0);
    nth(3, lost);
    nth(4, lost);
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), -ETIMEDOUT);
    cr_assert(f.s.worker.reset_wanted);
    cr_assert_eq(*fake_afu_register(&f.afu, 0x2010030), 3);
    PROVES(AD_126);
}

/* Nothing is changed on an adapter that answers nothing: not even the selection of ports, which
 * would be that of all of them. */
Test(link_reset, a_dead_adapter, .init = set_up, .fini = tear_down)
{
    f.afu.dead = true;
    cr_assert_eq(spipe__link_reset(&f.s, 0, true), -ENODEV);
    expect("r 2010030\n");
    f.afu.dead = false;
}

static void die_when_offline(struct port_spy *s, uint64_t offset)
{
    if (offset == 0x2012010)
        s->f->afu.dead = true;
}

/* AD-92: six looks, not 101. */
Test(link_reset, an_adapter_that_dies_on_the_way, .init = set_up, .fini = tear_down)
{
    spy.after_write = die_when_offline;
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), -ETIMEDOUT);
    cr_assert_leq(f.exec.now, 1200 * SPIPE__MILLISECOND);
    PROVES(AD_92);
    spy.after_write = NULL;
    f.afu.dead = false;
}

/* Other bits of the selection stay as they are. */
Test(link_reset, only_its_own_bit, .init = set_up, .fini = tear_down)
{
    *fake_afu_register(&f.afu, 0x2010030) = 1;
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), 0);
    cr_assert_eq(*fake_afu_register(&f.afu, 0x2010030), 1);
    cr_assert_not_null(strstr(port_spy_take(&spy), "w 2010030 0\n"));
}

Test(link_reset, by_hand, .init = set_up, .fini = tear_down)
{
    *fake_afu_register(&f.afu, 0x2012380) = 0x100000;
    cr_assert_eq(spipe_port_reset(&f.s, 0), 0);
    expect(RESET_OF_PORT_0 ERRORS_OF_PORT_0);
    cr_assert_eq(spipe_port_reset(&f.s, 2), -EINVAL);
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_port_reset(&f.s, 0), -ENODEV);
    expect("");
    PROVES(AD_93);
}

/* The syncs are left out while the adapter is being reset (AD-121): no failure. */
Test(link_reset, a_sync_that_is_not_sent_is_none_that_failed, .init = set_up, .fini = tear_down)
{
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    cr_assert_eq(spipe__link_reset(&f.s, 0, false), 0);
    cr_assert_null(strstr(port_spy_take(&spy), "sync"));
    cr_assert_eq(f.s.port_log[0].resets_failed, 0);
}

Test(link_reset, steps_have_names)
{
    static const char *const names[] = {"deselect",     "sync without it", "go offline",
                                        "wait offline", "go online",       "wait online",
                                        "select",       "sync with it",    "clear errors"};
    unsigned count;
    const struct spipe__link_step *steps = spipe__link_reset_steps(&count);

    cr_assert_eq(count, HAL_ARRAY_LENGTH(names));
    for (unsigned i = 0; i < count; i++) {
        cr_assert_str_eq(steps[i].name, names[i]);
        cr_assert(steps[i].run && steps[i].requirement);
    }
}

/* ---- by hand ---- */

/* AD-91, AD-92: the two halves of a reset, and nothing for a port that is so already. */
Test(link_reset, offline_and_online_by_hand, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(spipe_port_offline(&f.s, 0), 0);
    expect("r 2010030 x2\n"
           "w 2010030 2\n"
           "sync 2 0.0\n"
           "r 2012010\n"
           "w 2012010 8043\n"
           "r 2012018\n");
    cr_assert_eq(spipe_port_offline(&f.s, 0), 0);
    expect("r 2010030\n"
           "r 2012018\n");
    cr_assert_eq(spipe_port_online(&f.s, 0), 0);
    expect("r 2010030\n"
           "r 2012010\n"
           "w 2012010 8023\n"
           "r 2012018\n"
           "w 2010030 3\n"
           "sync 2 0.0\n");
    cr_assert_eq(spipe_port_online(&f.s, 0), 0);
    expect("r 2010030\n"
           "r 2012018\n");
    cr_assert_eq(f.s.port_log[0].resets, 0);
    PROVES(AD_91);
    PROVES(AD_92);
}

/* One that went offline by itself, or that commands do not use, is not yet as it was asked for. */
Test(link_reset, half_offline, .init = set_up, .fini = tear_down)
{
    *fake_afu_register(&f.afu, 0x2012018) = 0x10; /* offline */
    cr_assert_eq(spipe_port_offline(&f.s, 0), 0);
    cr_assert_not_null(strstr(port_spy_take(&spy), "w 2010030 2\n"));
    *fake_afu_register(&f.afu, 0x2012018) = 0x20; /* online */
    cr_assert_eq(spipe_port_online(&f.s, 0), 0);
    cr_assert_not_null(strstr(port_spy_take(&spy), "w 2010030 3\n"));
}

/* Whatever becomes of the link: nothing goes through a port that is to be offline, and one that is
 * to be online may be used. */
Test(link_reset, by_hand_in_vain, .init = set_up, .fini = tear_down)
{
    spy.stuck = 3;
    cr_assert_eq(spipe_port_offline(&f.s, 1), -ETIMEDOUT);
    cr_assert_eq(*fake_afu_register(&f.afu, 0x2010030), 1);
    cr_assert_eq(f.exec.now, 10100 * SPIPE__MILLISECOND);
    *fake_afu_register(&f.afu, 0x2013018) = 0x10;
    cr_assert_eq(spipe_port_online(&f.s, 1), -ETIMEDOUT);
    cr_assert_eq(*fake_afu_register(&f.afu, 0x2010030), 3);
    *fake_afu_register(&f.afu, 0x2010030) = UINT64_MAX;
    (void)port_spy_take(&spy);
    cr_assert_eq(spipe_port_offline(&f.s, 1), -ENODEV);
    cr_assert_eq(spipe_port_online(&f.s, 1), -ENODEV);
    expect("r 2010030 x2\n");
}

Test(link_reset, by_hand_where_it_makes_no_sense, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(spipe_port_offline(&f.s, 2), -EINVAL);
    cr_assert_eq(spipe_port_online(&f.s, 2), -EINVAL);
    f.s.internal_lun = 1;
    cr_assert_eq(spipe_port_offline(&f.s, 0), -EINVAL);
    f.s.internal_lun = 0;
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_port_offline(&f.s, 0), -ENODEV);
    cr_assert_eq(spipe_port_online(&f.s, 0), -ENODEV);
    expect("");
    PROVES(D_11);
}
