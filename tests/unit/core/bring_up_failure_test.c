/* SPDX-License-Identifier: Apache-2.0 */
/* Bring-up that fails: each step that can fail does, and everything done before it is undone in
 * reverse, with a sentence that says why. */
#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/core/bring_up_golden.h"

TestSuite(bring_up_failure, .timeout = 60);

/* Cuts the script behind operation `last` and appends the end of the master. */
static void cut_behind(const struct scripted_op *last, bool stop, bool release)
{
    f.hal.count = (size_t)(last - f.hal.ops) + 1;
    if (stop)
        scripted_expect_call(&f.hal, SCRIPTED_STOP, 0, 0);
    if (release)
        scripted_expect_call(&f.hal, SCRIPTED_RELEASE, 0, 0);
}

static void expect_failure(int rc)
{
    cr_assert_eq(bring_up(), rc);
    cr_expect_neq(f.why[0], '\0', "a failure needs a sentence");
    cr_expect_null(f.s.master);
    cr_expect_eq(f.s.generation, 0);
    tear_down();
}

/* The calls before the first register access, one after the other. */
Test(bring_up_failure, failing_calls_are_undone)
{
    static const struct {
        unsigned op;
        int rc;
        bool release;
    } cases[] = {
        {0, -ENODEV, false}, {1, -EBUSY, false},  {1, -EIO, false},    {1, -ENODEV, false},
        {2, -ENODEV, false}, {2, -ENOSPC, false}, {2, -ENOMEM, false}, {2, -EACCES, false},
        {3, -ENOSPC, true},  {3, -EIO, true},     {3, -EINVAL, true},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
        set_up(HAL_ORDER_LITTLE);
        expect_start();
        f.hal.ops[cases[i].op].rc = cases[i].rc;
        cut_behind(&f.hal.ops[cases[i].op], false, cases[i].release);
        expect_failure(cases[i].rc);
    }
    PROVES(AD_33);
    PROVES(AD_49j);
    PROVES(D_9);
}

/* A platform that takes no hint is noted, not refused. */
Test(bring_up_failure, reload_hint_may_be_refused)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    f.hal.ops[0].rc = -EACCES;
    cr_assert_eq(bring_up(), 0);
    cr_expect(f.s.notes.reload_refused);
    end_golden();
}

/* AD-35: all ones is an old AFU, unless a second register says that nobody is there. */
Test(bring_up_failure, back_level_and_dead_adapters_are_refused)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010808, 0)->value = UINT64_MAX;
    cut_behind(script_access(0x2010030, 0), true, true);
    expect_failure(-EINVAL);
    PROVES(AD_35);

    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010808, 0)->value = UINT64_MAX;
    script_access(0x2010030, 0)->value = UINT64_MAX;
    cut_behind(script_access(0x2010030, 0), true, true);
    expect_failure(-ENODEV);

    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010030, 0)->value = UINT64_MAX;
    cut_behind(script_access(0x2010030, 0), true, true);
    expect_failure(-ENODEV);
    PROVES(AD_49j);
}

/* AD-45: no data, or a name that is none. */
Test(bring_up_failure, bad_vpd_is_refused)
{
    static const char bad[] = "\x90\x13\x00V6\x10"
                              "50050768020000zz";
    static const struct {
        const char *data;
        size_t size;
        int rc, result;
    } cases[] = {{NULL, 0, -EIO, -EIO}, {NULL, 0, 0, -ENODEV}, {bad, sizeof bad - 1, 0, -ENODEV}};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
        set_up(HAL_ORDER_LITTLE);
        expect_start();
        EXPECT_ROWS(versions, 0);
        expect_contexts_cleared();
        EXPECT_ROWS(byte_order, 0);
        expect_vpd(cases[i].data, cases[i].size, cases[i].rc);
        expect_end();
        expect_failure(cases[i].result);
    }
    PROVES(AD_45);
}

/* An adapter that dies on the way: its credits read all ones, and so does endian_ctrl. */
Test(bring_up_failure, adapter_that_dies_on_the_way)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x0030038, 0)->value = UINT64_MAX;
    scripted_expect_read(&f.hal, 0x0030000, UINT64_MAX);
    expect_end();
    expect_failure(-ENODEV);
    PROVES(AD_49j);
}

/* A stop that fails does not keep the context: release follows (D-9). */
Test(bring_up_failure, failing_stop_is_followed_by_release)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    cr_assert_eq(bring_up(), 0);
    scripted_expect_call(&f.hal, SCRIPTED_STOP, 0, -EIO);
    scripted_expect_call(&f.hal, SCRIPTED_RELEASE, 0, 0);
    spipe__take_down(&f.s);
    spipe__take_down(&f.s); /* harmless */
    tear_down();
    PROVES(AD_51);
}
