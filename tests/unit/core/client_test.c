/* SPDX-License-Identifier: Apache-2.0 */
/* Clients, attach and detach: who owns what, and what ends with what. */
#include "core/context/client.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(client, .timeout = 60);

static const struct spipe_attach_options defaults = {.size = sizeof defaults};

Test(client, life)
{
    struct spipe_client *c, *d;

    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(spipe_client_create(&rig.s, "a name that is longer than what is kept of it", &c),
                 0);
    cr_assert_eq(strlen(c->name), SPIPE__CLIENT_NAME - 1);
    cr_assert_eq(spipe_client_create(&rig.s, NULL, &d), 0);
    cr_assert_eq(rig.s.clients, 3);
    spipe_client_destroy(c);
    spipe_client_destroy(d);
    cr_assert_eq(rig.s.clients, 1);
    rig.exec.fail_after = 0;
    cr_assert_eq(spipe_client_create(&rig.s, "c", &c), -ENOMEM);
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    rig_end();
}

Test(client, attach_refuses)
{
    struct spipe_attach_options options = defaults;
    struct spipe_ctx *ctx = NULL;

    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(spipe_attach(rig.client, 2, &defaults, &ctx), -EINVAL);
    options.size--;
    cr_assert_eq(spipe_attach(rig.client, 0, &options, &ctx), -EINVAL);
    rig.s.lun[1].global->block_size = 520;
    cr_assert_eq(spipe_attach(rig.client, 1, &defaults, &ctx), -EINVAL);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), -EINVAL);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 2), -EINVAL);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 0), -EINVAL);
    PROVES(SP_39);
    cr_assert_null(ctx);
    cr_assert_eq(rig.hal.dev.open_contexts, 2);
    rig_end();
}

Test(client, several_contexts)
{
    struct spipe_ctx *a, *b;
    uint16_t number;

    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(spipe_attach(rig.client, 0, NULL, &a), 0);
    cr_assert_eq(spipe_attach(rig.client, 1, &defaults, &b), 0);
    cr_assert_eq(spipe_ctx_handle(a), RIG_FIRST + 1);
    number = spipe_ctx_handle(b);
    PROVES(SP_5);
    cr_assert_eq(spipe_detach(a, 1), -EINVAL);
    cr_assert_eq(spipe_detach(a, 0), 0);
    cr_assert_null(rig.s.contexts[RIG_FIRST + 1]);
    cr_assert_eq(rig.s.contexts[number], b);
    cr_assert_eq(rig.client->contexts, b);
    rig_end();
}

/* The context ends with its last LUN, and each LUN takes its handles along. */
Test(client, detach_one_lun_after_the_other)
{
    uint32_t on_first, on_second;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(spipe_open_virtual(rig.ctx, 1, 1, &on_second, &last), -EINVAL);
    recording_hal_clear(&rig.hal);
    rig.hal.no_regs = false;
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    rig_expect("");
    PROVES(SP_41);
    rig.hal.no_regs = true;
    cr_assert_eq(spipe_open_virtual(rig.ctx, 1, 1, &on_second, &last), 0);
    on_first = rig_open(rig.ctx, 2);
    cr_assert_eq(on_second, 0);
    cr_assert_eq(on_first, 1);

    cr_assert_eq(spipe_detach(rig.ctx, 0), 0);
    cr_assert_null(spipe__ctx_vlun(rig.ctx, on_first));
    cr_assert_not_null(spipe__ctx_vlun(rig.ctx, on_second));
    PROVES(SP_75);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE);
    cr_assert_eq(spipe_detach(rig.ctx, 0), -EINVAL);
    PROVES(SP_74);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_detach(rig.ctx, 1), 0);
    rig_expect("publish\nrht1[0].count=0\npublish\nrht1[0].start=0\npublish\nsync HW 4.0\n- lxt1\n"
               "rht1[0].count=free\npublish\nrht1[0].start=0\npublish\n"
               "stop 4\nrelease 4\n- queue1\n- rht1\n");
    PROVES(SP_76);
    cr_assert_null(rig.client->contexts);
    rig_end();
}

Test(client, destroy_releases_everything)
{
    struct spipe_ctx *other;

    rig_begin(HAL_ORDER_LITTLE, 16);
    while (rig.s.lun_count < 200)
        rig_add_lun(1, 4096);
    rig_attach(199);
    other = rig_attach(0);
    cr_assert_eq(spipe_attach_lun(other, 1), 0);
    rig_open(rig.ctx, 3);
    rig_open(other, 2);
    rig_open(other, 0);
    cr_assert_eq(rig.s.lun[0].global->users, 3);
    spipe_client_destroy(rig.client);
    rig.client = NULL;
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    cr_assert_null(rig.s.lun[0].global->ba);
    PROVES(SP_179);
    rig_end();
}

/* SP-81: a lost context is not in the table; whoever has its number now stays there. */
Test(client, a_lost_context_leaves_the_table_to_others)
{
    struct spipe_ctx *other;

    rig_begin(HAL_ORDER_LITTLE, 4);
    other = rig_attach(0);
    spipe__ctx_lose(rig.ctx);
    rig.s.contexts[RIG_FIRST] = other;
    cr_assert_eq(spipe_detach(rig.ctx, 0), 0);
    cr_assert_eq(rig.s.contexts[RIG_FIRST], other);
    PROVES(SP_81);
    rig.s.contexts[RIG_FIRST] = NULL;
    rig_end();
}

/* Nothing keeps a client from ending (SP-80): what could not be synced is quarantined, and the
 * number of the context may be used again. */
Test(client, destroy_with_failing_syncs)
{
    rig_begin(HAL_ORDER_LITTLE, 16);
    rig_open(rig.ctx, 3);
    rig_fail_syncs(1);
    cr_assert_eq(spipe_detach(rig.ctx, 0), 0);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_VIRTUAL);
    cr_assert_eq(rig_free(), 13);
    PROVES(SP_80);
    PROVES(VL_42);
    rig.ctx = rig_attach(0);
    cr_assert_eq(spipe_ctx_handle(rig.ctx), RIG_FIRST);
    rig_end();
}
