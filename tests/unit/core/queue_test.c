/* SPDX-License-Identifier: Apache-2.0 */
/* The queue pair when all is well: literal bytes of IOARCBs, registers, order, wrap and toggle over
 * many laps, credits, both submission modes. The seeded test prints its seed. */
#include "core/command/queue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"
#include "tests/unit/core/queue_fixture.h"

TestSuite(queue, .timeout = 120);

/* ---- bytes ---- */

/* SL 23.1: READ(16) by port and LUN id from master 3. The buffer is not touched. */
static const uint8_t read_by_port_big[64] = {
    0x00, 0x03, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0,    0,    0,    0,    0,    0,
    0x00, 0x00, 0x10, 0x00, 0,    0,    0,    0,    0x00, 0x00, 0x7f, 0xff, 0x12, 0x34, 0x00, 0x00,
    0x02, 0,    0,    0,    0,    0,    0,    0,    0x88, 0x00, 0,    0,    0,    0,    0x12, 0x34,
    0x56, 0x78, 0x00, 0x00, 0x00, 0x08, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0};
static const uint8_t read_by_port_little[64] = {
    0x03, 0x00, 0x00, 0x40, 0x01, 0x00, 0x00, 0x00, 0,    0,    0,    0,    0,    0,    0x01, 0x00,
    0x00, 0x10, 0x00, 0x00, 0,    0,    0,    0,    0x00, 0x00, 0x34, 0x12, 0xff, 0x7f, 0x00, 0x00,
    0x02, 0,    0,    0,    0,    0,    0,    0,    0x88, 0x00, 0,    0,    0,    0,    0x12, 0x34,
    0x56, 0x78, 0x00, 0x00, 0x00, 0x08, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0};

/* SL 23.2: READ(16) by handle 5 from context 7, time-out 5 s; its last 8 bytes are for SQ mode. */
static const uint8_t read_by_handle_big[56] = {
    0x00, 0x07, 0x80, 0x00, 0x00, 0x00, 0x00, 0x05, 0,    0,    0,    0,    0,    0,
    0,    0,    0x00, 0x00, 0x10, 0x00, 0,    0,    0,    0,    0x00, 0x00, 0x7f, 0xff,
    0x12, 0x34, 0x00, 0x00, 0x02, 0x00, 0x00, 0x05, 0,    0,    0,    0,    0x88, 0x00,
    0,    0,    0,    0,    0x00, 0x02, 0xab, 0xcd, 0x00, 0x00, 0x00, 0x08, 0,    0};
static const uint8_t read_by_handle_little[56] = {
    0x07, 0x00, 0x00, 0x80, 0x05, 0x00, 0x00, 0x00, 0,    0,    0,    0,    0,    0,
    0,    0,    0x00, 0x10, 0x00, 0x00, 0,    0,    0,    0,    0x00, 0x00, 0x34, 0x12,
    0xff, 0x7f, 0x00, 0x00, 0x02, 0x00, 0x05, 0x00, 0,    0,    0,    0,    0x88, 0x00,
    0,    0,    0,    0,    0x00, 0x02, 0xab, 0xcd, 0x00, 0x00, 0x00, 0x08, 0,    0};

/* SL 23.3: heavy sync for context 7, handle 5, from master 3. */
static const uint8_t sync_big[64] = {0x00,        0x03, 0x00, 0x02, [32] = 0x02, 0x00, 0x00, 0x05,
                                     [40] = 0xc0, 0x01, 0x00, 0x07, 0x00,        0x00, 0x00, 0x05};
static const uint8_t sync_little[64] = {0x03, 0x00, 0x02,        0x00, [32] = 0x02, 0x00,
                                        0x05, 0x00, [40] = 0xc0, 0x01, 0x00,        0x07,
                                        0x00, 0x00, 0x00,        0x05};

#define EXAMPLE_BUFFER UINT64_C(0x7FFF12340000)

static void set_up_bytes(enum hal_order order, uint16_t context, uint16_t afu_timeout)
{
    struct spipe__queue_config config = {.order = order,
                                         .depth = 2,
                                         .rrq_elements = 4,
                                         .interrupts = true,
                                         .afu_timeout = afu_timeout,
                                         .name = "q"};

    fx_set_up_config(&config, HAL_CTX_MASTER);
    f.ctx->handle = context;
    spipe__queue_bind(&f.q, f.ctx);
}

static void end_bytes(void)
{
    f.ctx->handle = CONTEXT;
    fx_tear_down();
}

static const void *rcb(uint32_t slot) { return &f.q.pairs[slot].ioarcb; }

Test(queue, bytes_of_a_read_by_port)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint32_t slot;

        set_up_bytes(order, 3, 0);
        slot = spipe__queue_take(&f.q);
        spipe__queue_fill(&f.q, slot,
                          &(struct spipe__command){.flags = 0x4000,
                                                   .target = 1,
                                                   .lun_id = UINT64_C(0x0001000000000000),
                                                   .data_ea = EXAMPLE_BUFFER,
                                                   .data_length = 4096,
                                                   .cdb = spipe__cdb_read_16(0x12345678, 8)});
        cr_assert_arr_eq(rcb(slot), order == HAL_ORDER_BIG ? read_by_port_big : read_by_port_little,
                         64);
        end_bytes();
    }
    PROVES(AD_66);
}

Test(queue, bytes_of_a_read_by_handle)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint32_t slot;

        set_up_bytes(order, 7, 5);
        slot = spipe__queue_take(&f.q);
        spipe__queue_fill_io(&f.q, slot, false, 5, 0x2ABCD, 8,
                             (const void *)(uintptr_t)EXAMPLE_BUFFER, 4096);
        cr_assert_arr_eq(rcb(slot),
                         order == HAL_ORDER_BIG ? read_by_handle_big : read_by_handle_little, 56);
        end_bytes();
    }
}

/* A write differs in two bytes, and fields of an earlier command do not shine through. */
Test(queue, bytes_of_a_write_by_handle)
{
    uint8_t wanted[56];
    uint32_t slot;

    set_up_bytes(HAL_ORDER_BIG, 7, 5);
    slot = spipe__queue_take(&f.q);
    spipe__queue_fill_io(&f.q, slot, false, UINT32_MAX, UINT64_MAX, UINT32_MAX, f.data, UINT32_MAX);
    spipe__queue_fill_io(&f.q, slot, true, 5, 0x2ABCD, 8, (const void *)(uintptr_t)EXAMPLE_BUFFER,
                         4096);
    memcpy(wanted, read_by_handle_big, sizeof wanted);
    wanted[3] = 0x01;
    wanted[0x28] = 0x8A;
    cr_assert_arr_eq(rcb(slot), wanted, sizeof wanted);
    end_bytes();
}

Test(queue, bytes_of_an_afu_sync)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        struct spipe__command command = {.flags = AFU_REQ_AFU_CMD, .timeout = 5};
        uint32_t slot;

        set_up_bytes(order, 3, 0);
        slot = spipe__queue_take(&f.q);
        afu_sync_cdb(command.cdb.bytes, AFU_SYNC_HW, 7, 5);
        spipe__queue_fill(&f.q, slot, &command);
        cr_assert_arr_eq(rcb(slot), order == HAL_ORDER_BIG ? sync_big : sync_little, 64);
        end_bytes();
    }
}

/* ---- registers and life ---- */

Test(queue, user_context_is_programmed)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint64_t page = AFU_HOST_BASE(CONTEXT);

        fx_set_up(order, 4, 8);
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_ENDIAN_CTRL),
                     order == HAL_ORDER_BIG ? UINT64_C(0x8000000000000080) : 0);
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_RRQ_START),
                     (uint64_t)(uintptr_t)f.q.rrq);
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_RRQ_END),
                     (uint64_t)(uintptr_t)(f.q.rrq + 7));
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_CTX_CTRL), 1);
        cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_INTR_MASK),
                     UINT64_C(0xFFFFFFFFFFFFF800));
        cr_expect_eq(f.q.room, 1000);
        cr_expect_eq(fx_pair_ea(0) % 128, 0);
        fx_tear_down();
    }
}

Test(queue, bad_configurations_are_refused)
{
    static const struct spipe__queue_config bad[] = {
        {.depth = 0, .rrq_elements = 8, .name = "q"},
        {.depth = 8, .rrq_elements = 8, .name = "q"},     /* */
        {.depth = 257, .rrq_elements = 256, .name = "q"}, /* D-19 */
        {.depth = 4097, .rrq_elements = 8192, .name = "q"},
    };
    struct spipe__queue q;

    fake_exec_init(&f.exec, 1);
    fake_afu_init(&f.afu, &f.exec, fx_on_command, NULL);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++)
        cr_expect_eq(spipe__queue_init(&q, &f.exec.exec, &f.afu.dev, &bad[i]), -EINVAL);
    cr_expect_eq(f.exec.blocks, 0);
    PROVES(D_19);
    fake_afu_fini(&f.afu);
}

/* Each allocation of init fails once. */
Test(queue, init_without_memory_leaves_nothing)
{
    static const struct spipe__queue_config config = {.depth = 4, .rrq_elements = 8, .name = "q"};
    struct spipe__queue q;
    int rc = -ENOMEM;

    fake_exec_init(&f.exec, 1);
    fake_afu_init(&f.afu, &f.exec, fx_on_command, NULL);
    for (int n = 0; rc; n++) {
        f.exec.fail_after = n;
        rc = spipe__queue_init(&q, &f.exec.exec, &f.afu.dev, &config);
        cr_assert(rc == 0 || rc == -ENOMEM);
        cr_assert(rc == 0 || (f.exec.blocks == 0 && f.afu.regions == 0));
    }
    spipe__queue_fini(&q);
    cr_expect_eq(f.exec.blocks, 0);
    fake_afu_fini(&f.afu);
}

/* ---- order, wrap, toggle ---- */

Test(queue, completions_come_in_the_order_of_the_afu)
{
    uint32_t slots[4];

    fx_set_up(HAL_ORDER_HOST, 4, 8);
    for (unsigned i = 0; i < 4; i++)
        slots[i] = fx_send(100 + i);
    cr_expect_eq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
    cr_expect_eq(spipe__queue_in_use(&f.q), 4);
    fx_expect_nothing();
    fx_post(slots[2]);
    fx_post(slots[0]);
    fx_post(slots[3]);
    fx_expect_done(102);
    fx_expect_done(100);
    fx_post(slots[1]);
    fx_expect_done(103);
    fx_expect_done(101);
    fx_expect_nothing();
    cr_expect_eq(spipe__queue_in_use(&f.q), 0);
    PROVES(AD_80);
    fx_tear_down();
}

/* Random batches over 1000 laps of a ring whose length is no power of two. */
static void laps(enum hal_order order, bool sq)
{
    enum { DEPTH = 6, ELEMENTS = 7, ROUNDS = 4000 };
    struct hal_prng prng;
    uint64_t tag = 0;

    hal_prng_seed(&prng, test_seed(1), 0);
    fx_set_up_mode(order, DEPTH, ELEMENTS, sq);
    for (unsigned r = 0; r < ROUNDS; r++) {
        uint32_t slots[DEPTH];
        unsigned n = 1 + (unsigned)hal_prng_below(&prng, DEPTH);

        f.rung_count = 0;
        for (unsigned i = 0; i < n; i++)
            slots[i] = fx_send(tag + i);
        cr_assert_eq(f.rung_count, n);
        for (unsigned i = 0; i < n; i++) {
            cr_assert_eq(hal_be64_at(f.rung[i].cdb + 2), tag + i);
            cr_assert_eq(f.rung[i].target, 5);
            fx_post(slots[i]);
            fx_expect_done(tag + i);
            fx_expect_nothing();
        }
        tag += n;
    }
    cr_expect_gt(tag, 1000 * ELEMENTS);
    cr_expect_eq(f.q.counters.stray_elements, 0);
    fx_tear_down();
}

Test(queue, wrap_and_toggle_over_many_laps)
{
    laps(HAL_ORDER_LITTLE, false);
    laps(HAL_ORDER_BIG, false);
    PROVES(AD_80);
}

/* AD-81: whoever is handed a completion may use the queue at once, also for the next command. */
Test(queue, completions_may_submit)
{
    fx_set_up(HAL_ORDER_HOST, 4, 8);
    for (unsigned i = 0; i < 4; i++)
        fx_post(fx_send(i));
    for (unsigned i = 0; i < 100; i++) {
        fx_expect_done(i);
        fx_post(fx_send(4 + i));
    }
    cr_expect_eq(spipe__queue_in_use(&f.q), 4);
    PROVES(AD_81);
    fx_tear_down();
}

/* R-20, D-19: 256 commands and internal ones beside them in a ring of 512. */
Test(queue, ring_takes_more_than_256_commands)
{
    fx_set_up(HAL_ORDER_HOST, 260, 512);
    for (unsigned lap = 0; lap < 5; lap++) {
        uint32_t slots[260];

        for (unsigned i = 0; i < 260; i++)
            slots[i] = fx_send(i);
        for (unsigned i = 0; i < 260; i++)
            fx_post(slots[i]);
        for (unsigned i = 0; i < 260; i++)
            fx_expect_done(i);
    }
    fx_expect_nothing();
    PROVES(D_19);
    PROVES(R_20);
    fx_tear_down();
}

/* FK-10: a slot rests as long as others are free. */
Test(queue, slots_are_reused_in_ring_order)
{
    fx_set_up(HAL_ORDER_HOST, 8, 16);
    for (unsigned i = 0; i < 24; i++) {
        uint32_t slot = fx_send(i);

        cr_assert_eq(slot, i % 8);
        fx_post(slot);
        fx_expect_done(i);
    }
    fx_tear_down();
}

/* ioasc of the last command does not count for the next. */
Test(queue, ioasc_is_cleared)
{
    uint32_t slot;

    fx_set_up(HAL_ORDER_HOST, 1, 4);
    slot = fx_send(1);
    memset(&f.q.pairs[slot].ioasa, 0xEE, sizeof f.q.pairs[slot].ioasa);
    fx_post(slot);
    fx_expect_done(1);
    cr_assert_eq(fx_send(2), slot);
    cr_expect_eq(afu_ioasc(&spipe__queue_ioasa(&f.q, slot)->rc), 0);
    fx_tear_down();
}

/* ---- room ---- */

/* AD-67: one read grants N doorbells; 0 is busy, and so is anything negative. */
Test(queue, room_is_used_up_before_it_is_read_again)
{
    fx_set_up(HAL_ORDER_HOST, 16, 32);
    f.q.room = 0;
    f.afu.room = 3;
    for (unsigned i = 0; i < 3; i++) {
        (void)fx_send(i);
        f.afu.room = 0; /* a read too many would see it */
    }
    cr_expect_not(spipe__queue_room(&f.q));
    cr_expect_eq(f.rung_count, 3);
    f.afu.room = UINT64_C(0x8000000000000000);
    cr_expect_not(spipe__queue_room(&f.q));
    cr_expect_eq(f.q.room, 0);
    cr_expect_not(f.q.gone);
    f.afu.room = 1;
    cr_expect(spipe__queue_room(&f.q));
    cr_expect(spipe__queue_room(&f.q), "asking uses nothing up");
    (void)fx_send(3);
    f.afu.room = 0;
    cr_expect_not(spipe__queue_room(&f.q));
    PROVES(AD_67);
    PROVES(AD_70);
    fx_tear_down();
}

/* All ones is no room; whether the adapter is gone is told by endian_ctrl. */
Test(queue, all_ones_is_no_room)
{
    fx_set_up(HAL_ORDER_HOST, 4, 8);
    f.q.room = 0;
    f.afu.room = UINT64_MAX;
    cr_expect_not(spipe__queue_room(&f.q));
    cr_expect_not(f.q.gone, "one register of all ones proves nothing");
    f.afu.dead = true;
    cr_expect_not(spipe__queue_room(&f.q));
    cr_expect(f.q.gone);
    PROVES(AD_67);
    fx_tear_down();
}

/* ---- SQ mode ---- */

Test(queue, sq_laps)
{
    laps(HAL_ORDER_LITTLE, true);
    laps(HAL_ORDER_BIG, true);
    PROVES(AD_69);
    PROVES(AD_80);
}

/* SL 23.2 to its end: the last 8 bytes are the address of the IOASA. */
Test(queue, sq_bytes)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        uint32_t slot;
        uint64_t ioasa;

        fx_set_up_config(&(struct spipe__queue_config){.order = order,
                                                       .depth = 2,
                                                       .rrq_elements = 4,
                                                       .interrupts = true,
                                                       .afu_timeout = 5,
                                                       .sq = true,
                                                       .name = "q"},
                         HAL_CTX_USER);
        f.ctx->handle = 7;
        spipe__queue_bind(&f.q, f.ctx);
        slot = spipe__queue_take(&f.q);
        spipe__queue_fill_io(&f.q, slot, false, 5, 0x2ABCD, 8,
                             (const void *)(uintptr_t)EXAMPLE_BUFFER, 4096);
        cr_expect_arr_eq(rcb(slot),
                         order == HAL_ORDER_BIG ? read_by_handle_big : read_by_handle_little, 56);
        ioasa = hal_swap64(order, fx_pair_ea(slot) + 64);
        cr_expect_arr_eq((const char *)rcb(slot) + 56, &ioasa, 8);
        end_bytes();
    }
}

/* The ring: one slot more than pairs, the tail behind the slot filled last, back to the start. */
Test(queue, sq_registers)
{
    uint64_t page = AFU_HOST_BASE(CONTEXT), start;

    fx_set_up_mode(HAL_ORDER_HOST, 3, 8, true);
    start = *fake_afu_register(&f.afu, page + AFU_HOST_SQ_START);
    cr_expect_eq(start % 64, 0);
    cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_SQ_END), start + 3 * 64);
    for (unsigned i = 1; i <= 9; i++) {
        uint32_t slot = fx_send(i);

        cr_assert_eq(*fake_afu_register(&f.afu, page + AFU_HOST_SQ_TAIL), start + i % 4 * 64);
        fx_post(slot);
        fx_expect_done(i);
    }
    cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_IOARRIN), 0,
                 "no doorbell of the other");
    PROVES(AD_69);
    fx_tear_down();
}

/* D-1: the last slot can be used, again and again, and being busy takes nothing away. */
Test(queue, sq_does_not_shrink)
{
    fx_set_up_mode(HAL_ORDER_HOST, 4, 8, true);
    f.afu.room = 0; /* means nothing in this mode */
    for (unsigned lap = 0; lap < 20; lap++) {
        uint32_t slots[4];

        for (unsigned i = 0; i < 4; i++)
            slots[i] = fx_send(i);
        for (unsigned i = 0; i < 10; i++)
            cr_assert_eq(spipe__queue_take(&f.q), SPIPE__SLOT_NONE);
        for (unsigned i = 0; i < 4; i++) {
            fx_post(slots[i]);
            fx_expect_done(i);
        }
    }
    PROVES(D_1);
    fx_tear_down();
}

/* sq_ctx_reset; the next slot follows the last tail. */
Test(queue, sq_context_reset)
{
    uint64_t page = AFU_HOST_BASE(CONTEXT), tail;

    fx_set_up_mode(HAL_ORDER_HOST, 4, 8, true);
    (void)fx_send(1);
    (void)fx_send(2);
    tail = *fake_afu_register(&f.afu, page + AFU_HOST_SQ_TAIL);
    cr_assert_eq(spipe__queue_reset(&f.q), 0);
    cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_SQ_CTX_RESET), 1);
    cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_IOARRIN), 0);
    spipe__queue_flush(&f.q, NULL, NULL);
    cr_assert(spipe__queue_room(&f.q));
    fx_post(fx_send(3));
    fx_expect_done(3);
    cr_expect_eq(*fake_afu_register(&f.afu, page + AFU_HOST_SQ_TAIL), tail + 64);
    PROVES(AD_115);
    fx_tear_down();
}

/* Memory for SQ mode, but an AFU that has it not. */
Test(queue, sq_turned_off)
{
    fx_set_up_mode(HAL_ORDER_HOST, 4, 8, true);
    spipe__queue_set_sq(&f.q, false);
    spipe__queue_bind(&f.q, f.ctx);
    spipe__queue_program(&f.q);
    cr_expect_not(spipe__queue_is_sq(&f.q));
    fx_post(fx_send(1));
    fx_expect_done(1);
    cr_expect_neq(*fake_afu_register(&f.afu, AFU_HOST_BASE(CONTEXT) + AFU_HOST_IOARRIN), 0);
    fx_tear_down();
}
