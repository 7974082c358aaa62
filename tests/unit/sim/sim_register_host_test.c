/* SPDX-License-Identifier: Apache-2.0 */
/* The host transport map, row by row of SL 2; the registers of the SQ are in sim_sq_test.c. */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_register_host, .init = up_flashsystem, .fini = down);

Test(sim_register_host, reset_values)
{
    struct model_ctx fresh = {0};

    cr_assert_eq(sim_bus_ctx_create(m->afu, false, &fresh.sim), 0);
    cr_assert_eq(sim_bus_ctx_start(fresh.sim, 3), 0);
    cr_assert_eq(model_load(m, &fresh, 0x00), 0);
    PROVES(MD_1);
    cr_assert_eq(model_load(m, &fresh, 0x08), 0);
    cr_assert_eq(model_load(m, &fresh, 0x10), 0);
    cr_assert_eq(model_load(m, &fresh, 0x18), UINT64_MAX);
    PROVES(MD_2);
    for (uint64_t offset = 0x20; offset < 0x80; offset += 8)
        cr_assert_eq(model_load(m, &fresh, offset), offset == 0x38 ? 16 : 0); /* cmd_room: MD-3 */
    cr_assert_eq(model_load(m, &fresh, 0xFFF8), 0);
    sim_bus_ctx_release(fresh.sim);
    PROVES(SL_2);
}

/* MD-1: the big-endian constant alone means big endian. */
Test(sim_register_host, byte_order)
{
    static const struct {
        uint64_t value;
        enum hal_order order;
    } rows[] = {{0x8000000000000080, HAL_ORDER_BIG},
                {0, HAL_ORDER_LITTLE},
                {1, HAL_ORDER_LITTLE},
                {0x8000000000000000, HAL_ORDER_LITTLE},
                {0x80, HAL_ORDER_LITTLE},
                {UINT64_MAX, HAL_ORDER_LITTLE}};

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        model_store(m, &user, AFU_HOST_ENDIAN_CTRL, rows[i].value);
        cr_assert_eq(model_load(m, &user, AFU_HOST_ENDIAN_CTRL), rows[i].value);
        user.order = rows[i].order;
        cr_assert_eq(transfer(i, false, i, 1), 0, "not taken as order %d", rows[i].order);
    }
    PROVES(MD_1);
}

Test(sim_register_host, write_one_to_clear)
{
    model_store(m, &user, AFU_HOST_IOARRIN, 0x18); /* unaligned: RCB_READ */
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 8);
    model_store(m, &user, AFU_HOST_INTR_STATUS, 0); /* read only */
    model_store(m, &user, AFU_HOST_INTR_CLEAR, ~UINT64_C(8));
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 8);
    model_store(m, &user, AFU_HOST_INTR_CLEAR, 8);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0);
    model_expect_violations(m, SIM_RULE_DOORBELL_ALIGN, 1);
    PROVES(SL_2_1);
}

Test(sim_register_host, read_and_write)
{
    model_store(m, &user, AFU_HOST_INTR_MASK, 0xFFFFFFFFFFFFF800);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_MASK), 0xFFFFFFFFFFFFF800);
    cr_assert_eq(model_load(m, &user, AFU_HOST_RRQ_START), (uintptr_t)user.rrq);
    cr_assert_eq(model_load(m, &user, AFU_HOST_RRQ_END), (uintptr_t)(user.rrq + MODEL_RRQ - 1));
    model_store(m, &user, AFU_HOST_CMD_ROOM, 99); /* read only */
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), 16);
    model_store(m, &user, AFU_HOST_CTX_CTRL, UINT64_MAX); /* the LISN, and no capability */
    cr_assert_eq(model_load(m, &user, AFU_HOST_CTX_CTRL), 0xFF);
    model_store(m, &user, AFU_HOST_MBOX_W, 0x1234); /* write only for its owner */
    cr_assert_eq(model_load(m, &user, AFU_HOST_MBOX_W), 0);
    model_expect_violations(m, SIM_RULE_CTX_CTRL, 1);
}

Test(sim_register_host, unmap_capability)
{
    sim_afu_params_mutable(m->afu)->unmap_capability = 1;
    cr_assert_eq(model_load(m, &user, AFU_HOST_CTX_CTRL), UINT64_C(1) << 63);
}

/* The RRQ starts over when its end is written: first element, toggle 1 (SL 9). */
Test(sim_register_host, rrq_starts_over)
{
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    memset(user.rrq, 0, MODEL_RRQ * sizeof *user.rrq);
    model_store(m, &user, AFU_HOST_RRQ_START, (uintptr_t)user.rrq);
    model_store(m, &user, AFU_HOST_RRQ_END, (uintptr_t)(user.rrq + MODEL_RRQ - 1));
    user.rrq_at = 0;
    user.toggle = true;
    cr_assert_eq(transfer(1, false, 0, 1), 0);
    cr_assert_eq(user.rrq_at, 1);
}
