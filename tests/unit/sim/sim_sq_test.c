/* SPDX-License-Identifier: Apache-2.0 */
/* The submission queue: registers, ring, refusals, reset (SL 2, 6, 7, 9, 10.2; ). */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "sim/world.h"
#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

#define SLOTS 4
#define RING_BYTES (SLOTS * 64)
#define SQ_AND_IOARRIN UINT64_C(0xC000000000010002)

static struct model *m;
static struct model_ctx user;
static uint8_t *ring; /* SLOTS slots of 64 bytes */
static unsigned at;   /* next slot of the host */
static const uint64_t chunk0[] = {0};

static uint64_t slot_ea(unsigned i) { return (uintptr_t)ring + i % SLOTS * 64; }

static uint64_t element(unsigned i) { return hal_swap64(user.order, user.rrq[i]); }

static uint64_t load(uint64_t offset) { return model_load(m, &user, offset); }

static void store(uint64_t offset, uint64_t value) { model_store(m, &user, offset, value); }

static void start_user(enum hal_order order)
{
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, order);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
    store(0x50, slot_ea(0));
    store(0x58, slot_ea(SLOTS - 1));
    at = 0;
}

static void up(void)
{
    m = model_create("flashsystem");
    sim_afu_params_mutable(m->afu)->interface_version = SQ_AND_IOARRIN;
    ring = sim_world_alloc(m->world, RING_BYTES, 128);
    cr_assert_eq(sim_bus_mem_add(m->afu, ring, RING_BYTES, "sq"), 0);
    start_user(HAL_ORDER_LITTLE);
}

static void down(void)
{
    model_ctx_end(m, &user);
    model_destroy(m);
}

TestSuite(sim_sq, .init = up, .fini = down);

/* A read into buffer block `tag`, its IOARCB copied to the next slot; its IOASA is that of pair
 * `tag`. The tail is not written yet. */
static void fill(unsigned tag)
{
    struct afu_ioarcb *r;

    model_rw(m, &user, tag, false, 0, tag, 1, m->buffer + tag * 4096);
    r = &user.pair[tag].ioarcb;
    r->ioasa = xe64_of(user.order, (uintptr_t)&user.pair[tag].ioasa);
    memcpy(ring + at % SLOTS * 64, r, 64);
    at++;
}

static void send(unsigned tag)
{
    fill(tag);
    store(0x68, slot_ea(at));
}

Test(sim_sq, registers_keep_what_was_written)
{
    cr_assert_eq(load(0x50), slot_ea(0));
    cr_assert_eq(load(0x58), slot_ea(3));
    cr_assert_eq(load(0x60), slot_ea(0)); /* head and tail: the start */
    cr_assert_eq(load(0x68), slot_ea(0));
    cr_assert_eq(load(0x70), 0);
    send(0);
    cr_assert_eq(load(0x68), slot_ea(1));
    model_run_dry(m);
    cr_assert_eq(load(0x60), slot_ea(1));
    cr_assert_eq(load(AFU_HOST_CMD_ROOM), 16); /* not used in this mode */
}

/* The IOASA is where the slot says, the element names it, and nothing lands behind the slot. */
Test(sim_sq, the_status_goes_where_the_slot_says)
{
    uint8_t before[64];

    memset(ring + 64, 0xEE, 64);
    memset(before, 0xEE, sizeof before);
    send(5);
    memset(&user.pair[5].ioasa, 0xEE, 64);
    model_run_dry(m);
    cr_assert_eq(element(0), ((uintptr_t)&user.pair[5] + 64) | 1);
    cr_assert_eq(model_ioasc(&user, 5), 0);
    cr_assert_arr_eq(ring + 64, before, 64);
    PROVES(SL_10_2);
}

Test(sim_sq, the_ring_wraps_after_the_last_slot)
{
    for (unsigned i = 0; i < 11; i++) {
        send(i);
        model_run_dry(m);
        cr_assert_eq(model_harvest(&user), (int)i);
        cr_assert_eq(load(0x60), slot_ea(i + 1));
    }
    PROVES(SL_10_2);
}

/* One write of the tail hands over all that stands before it; three of four slots hold commands. */
Test(sim_sq, one_tail_for_several_slots)
{
    for (unsigned round = 0; round < 3; round++) {
        fill(10);
        fill(11);
        send(12);
        model_run_dry(m);
        for (int tag = 10; tag < 13; tag++)
            cr_assert_eq(model_harvest(&user), tag);
        cr_assert_eq(model_harvest(&user), -1);
    }
}

Test(sim_sq, the_ring_has_the_order_of_its_context)
{
    model_ctx_end(m, &user);
    start_user(HAL_ORDER_BIG);
    send(3);
    model_run_dry(m);
    cr_assert_eq(hal_be64_at(user.rrq), ((uintptr_t)&user.pair[3] + 64) | 1);
    cr_assert_eq(model_ioasc(&user, 3), 0);
}

static void refuses_tail(uint64_t value)
{
    uint64_t tail = load(0x68);

    store(0x68, value);
    cr_assert_eq(load(AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_RCB_READ);
    cr_assert_eq(load(0x68), tail);
    store(AFU_HOST_INTR_CLEAR, UINT64_MAX);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
}

Test(sim_sq, a_tail_that_is_no_slot_is_dropped)
{
    fill(0);
    at--;
    refuses_tail(slot_ea(0) - 64);
    refuses_tail(slot_ea(3) + 64);
    refuses_tail(slot_ea(1) + 16);
    refuses_tail(slot_ea(1) + 1);
    refuses_tail(0);
    refuses_tail(UINT64_MAX);
    model_expect_violations(m, SIM_RULE_SQ_TAIL, 6);
    send(7); /* the context goes on accepting */
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 7);
    PROVES(R_21);
}

/* Nothing else makes a ring: neither a start without an end, nor an end before the start. */
Test(sim_sq, the_ring_changes_with_its_end)
{
    store(0x50, slot_ea(2));
    send(0);
    model_run_dry(m);
    cr_assert_eq(load(0x60), slot_ea(1));
    cr_assert_eq(model_harvest(&user), 0);
    store(0x58, slot_ea(1));
    cr_assert_eq(load(0x60), slot_ea(2));
    model_expect_violations(m, SIM_RULE_SQ_RING, 1);
    refuses_tail(slot_ea(1));
    refuses_tail(slot_ea(3));
    model_expect_violations(m, SIM_RULE_SQ_TAIL, 2);
}

/* The whole address space up to `end` would be a ring, and each tail in it millions of commands. */
Test(sim_sq, an_end_without_a_start)
{
    model_ctx_end(m, &user);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    store(0x58, 0);
    store(0x58, slot_ea(3));
    model_expect_violations(m, SIM_RULE_SQ_RING, 1);
    refuses_tail(slot_ea(3) & ~UINT64_C(63));
    refuses_tail(64);
    refuses_tail(0);
    model_expect_violations(m, SIM_RULE_SQ_TAIL, 3);
    PROVES(R_21);
}

Test(sim_sq, a_ring_that_is_too_long)
{
    store(0x58, slot_ea(0) + 65535 * 64);
    store(0x68, slot_ea(0)); /* the first of 65,536 slots */
    store(0x58, slot_ea(0) + 65536 * 64);
    model_expect_violations(m, SIM_RULE_SQ_RING, 1);
    refuses_tail(slot_ea(0) + 65536 * 64);
    refuses_tail(slot_ea(0));
    model_expect_violations(m, SIM_RULE_SQ_TAIL, 2);
    store(0x58, slot_ea(3));
    at = 0;
    send(5);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 5);
}

/* An end amid a slot ends the ring after the last whole step: the head meets every tail. */
Test(sim_sq, an_end_amid_a_slot)
{
    store(0x50, slot_ea(0));
    store(0x58, slot_ea(2) + 32);
    for (unsigned i = 0; i < 7; i++) {
        at = i % 3;
        fill(i);
        store(0x68, slot_ea((i + 1) % 3));
        model_run_dry(m);
        cr_assert_eq(model_harvest(&user), (int)i);
    }
}

/* Commands in flight and slots not fetched vanish, the ring stays, the host's position stays. */
Test(sim_sq, a_reset_moves_the_head_to_the_tail)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);

    p->doorbell_to_fetch = 1000000; /* slots stay where they are */
    p->ctx_reset = 10000;
    fill(0);
    send(1);
    store(0x70, 1);
    cr_assert_eq(load(0x70), 1);
    cr_assert_eq(load(0x60), slot_ea(0));
    while (load(0x70) & 1)
        ;
    cr_assert_eq(load(0x60), slot_ea(2));
    cr_assert_eq(load(0x68), slot_ea(2));
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    p->doorbell_to_fetch = 8;
    send(2);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 2);
    PROVES(R_16);
    PROVES(MD_12);
}

Test(sim_sq, a_reset_aborts_what_is_in_flight)
{
    send(0);
    model_run(m, 1000); /* on the medium */
    store(0x70, 1);
    model_run_dry(m);
    cr_assert_eq(load(0x70), 0);
    cr_assert_eq(model_harvest(&user), -1);
}

/* the event and the bit, no element; later commands work. */
Test(sim_sq, an_ioasa_that_cannot_be_written)
{
    struct sim_bus_event event;

    fill(0);
    ((struct afu_ioarcb *)ring)->ioasa = xe64_of(user.order, 16);
    store(0x68, slot_ea(1));
    model_run_dry(m);
    cr_assert_eq(load(AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_SA_WRITE);
    event = sim_bus_event(user.sim);
    cr_assert_eq(event.kind, SIM_BUS_EVENT_DATA_STORAGE);
    cr_assert_eq(event.address, 16);
    cr_assert_eq(model_harvest(&user), -1);
    send(1);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 1);
    PROVES(R_11);
}

/* an IOASA needs its alignment: the bit, no element; nothing is written there. */
Test(sim_sq, an_ioasa_that_is_not_aligned)
{
    memset(&user.pair[9].ioasa, 0xEE, 64);
    fill(0);
    ((struct afu_ioarcb *)ring)->ioasa = xe64_of(user.order, (uintptr_t)&user.pair[9].ioasa + 8);
    store(0x68, slot_ea(1));
    model_run_dry(m);
    cr_assert_eq(load(AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_SA_WRITE);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_NONE);
    cr_assert_eq(model_harvest(&user), -1);
    for (unsigned i = 0; i < 64; i++)
        cr_assert_eq(((uint8_t *)&user.pair[9].ioasa)[i], 0xEE);
    model_expect_violations(m, SIM_RULE_IOASA_ALIGN, 1);
    send(1);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 1);
    PROVES(R_22);
}

/* Both modes side by side: doorbells of IOARRIN mode go first, neither is lost. */
Test(sim_sq, doorbells_of_both_modes)
{
    fill(0);
    fill(1);
    model_rw(m, &user, 2, false, 0, 2, 1, m->buffer);
    model_doorbell(m, &user, 2);
    store(0x68, slot_ea(2));
    model_run_dry(m);
    cr_assert_eq(element(0), (uintptr_t)&user.pair[2] | 1);
    cr_assert_eq(element(1), ((uintptr_t)&user.pair[0] + 64) | 1);
    cr_assert_eq(element(2), ((uintptr_t)&user.pair[1] + 64) | 1);
}

Test(sim_sq, a_lost_tail_is_made_good_by_the_next)
{
    char why[200];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "bell#1=d", why, sizeof why), 0, "%s",
                 why);
    send(0);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    send(1);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_harvest(&user), 1);
}

static void has_no_sq(uint64_t interface_version)
{
    model_ctx_end(m, &user);
    sim_afu_params_mutable(m->afu)->interface_version = interface_version;
    start_user(HAL_ORDER_LITTLE);
    send(0);
    store(0x70, 1);
    for (uint64_t offset = 0x50; offset <= 0x70; offset += 8)
        cr_assert_eq(load(offset), 0);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    cr_assert_eq(load(AFU_HOST_INTR_STATUS), 0);
}

/* Absent registers read 0 and ignore writes (MD-4). */
Test(sim_sq, an_afu_without_the_mode)
{
    has_no_sq(UINT64_C(0x8000000000010002));
    has_no_sq(0);
    has_no_sq(UINT64_MAX); /* older than the register */
    PROVES(MD_4);
    PROVES(SL_10);
}

/* A context starts without a queue (MD-18), and so without a slot, at 0 either. */
Test(sim_sq, a_context_starts_without_a_ring)
{
    send(0);
    model_ctx_end(m, &user);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    for (uint64_t offset = 0x50; offset <= 0x70; offset += 8)
        cr_assert_eq(load(offset), 0);
    refuses_tail(0);
    model_expect_violations(m, SIM_RULE_SQ_TAIL, 1);
}

/* Slots taken back, or a new ring, between the tail and the fetch: nothing is left to fetch. */
Test(sim_sq, a_ring_that_empties_before_the_fetch)
{
    fill(0);
    sim_afu_params_mutable(m->afu)->doorbell_to_fetch = 10000;
    store(0x68, slot_ea(1));
    store(0x68, slot_ea(0));
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    store(0x68, slot_ea(1));
    store(0x58, slot_ea(3));
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    at = 0;
    send(1); /* the context goes on */
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 1);
}

/* A doorbell of the other mode that waits is fetched all the same. */
Test(sim_sq, an_emptied_ring_leaves_doorbells_alone)
{
    sim_afu_params_mutable(m->afu)->doorbell_to_fetch = 10000;
    model_rw(m, &user, 2, false, 0, 2, 1, m->buffer);
    model_doorbell(m, &user, 2);
    fill(0);
    store(0x68, slot_ea(1));
    store(0x68, slot_ea(0));
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 2);
    cr_assert_eq(model_harvest(&user), -1);
}

/* Whatever is written in whatever order, the model goes on. */
Test(sim_sq, any_order_of_writes)
{
    static const uint64_t offsets[] = {0x20, 0x50, 0x58, 0x60, 0x68, 0x68, 0x68, 0x70};
    struct hal_prng random;

    hal_prng_seed(&random, test_seed(1), 0);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t offset = offsets[hal_prng_below(&random, HAL_ARRAY_LENGTH(offsets))];
        uint64_t pick = hal_prng_below(&random, 9);
        uint64_t value =
            offset == AFU_HOST_IOARRIN ? (uintptr_t)&user.pair[pick] : slot_ea(0) + 32 * pick;

        store(offset, hal_prng_below(&random, 8) ? value : hal_prng_below(&random, 2));
        model_run(m, hal_prng_below(&random, 20));
    }
    model_run_dry(m);
    model_expect_any_violations(m);
    model_ctx_end(m, &user);
    start_user(HAL_ORDER_LITTLE);
    send(1);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 1);
}
