/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "sim/sim_memory.h"
#include "sim/world.h"

#define ROOM 100

static struct sim_region room[ROOM];

Test(sim_memory, names_by_order_of_registration)
{
    struct sim_memory m = {.region = room, .room = ROOM};
    struct sim_memory_hint hint = {0};
    uint64_t canonical = 0;

    cr_assert_eq(sim_memory_add(&m, 0x9000, 0x1000, "second address, first number"), 0);
    cr_assert_eq(sim_memory_add(&m, 0x1000, 0x1000, "b"), 0);
    cr_assert_eq(sim_memory_canonical(&m, 0x9010, &hint), 0x10);
    cr_assert_eq(sim_memory_canonical(&m, 0x1FFF, &hint), (UINT64_C(1) << 44) | 0xFFF);
    cr_assert(sim_memory_known(&m, 0x9FFF, &canonical));
    cr_assert_eq(canonical, 0xFFF);
    cr_assert_not(sim_memory_known(&m, 0xA000, &canonical));
    sim_memory_remove(&m, 0x9000);
    cr_assert_eq(sim_memory_add(&m, 0x9000, 0x1000, "again"), 0);
    cr_assert_eq(sim_memory_canonical(&m, 0x9010, &hint), (UINT64_C(2) << 44) | 0x10);
}

Test(sim_memory, unknown_addresses_get_running_numbers)
{
    struct sim_memory m = {.region = room, .room = ROOM};
    struct sim_memory_hint hint = {0};

    cr_assert_eq(sim_memory_canonical(&m, 0x1234, &hint), UINT64_C(0xFFFFF) << 44);
    cr_assert_eq(sim_memory_canonical(&m, 0x1234, &hint), (UINT64_C(0xFFFFF) << 44) | 1);
}

Test(sim_memory, refuses_overlap_and_too_many)
{
    struct sim_memory m = {.region = room, .room = ROOM};

    cr_assert_eq(sim_memory_add(&m, 0x2000, 0x1000, "a"), 0);
    cr_assert_eq(sim_memory_add(&m, 0x2FFF, 1, "b"), -EINVAL);
    cr_assert_eq(sim_memory_add(&m, 0x1000, 0x1001, "b"), -EINVAL);
    cr_assert_eq(sim_memory_add(&m, 0x1000, 0, "b"), -EINVAL);
    cr_assert_eq(sim_memory_add(&m, UINT64_MAX - 5, 100, "b"), -EINVAL);
    for (uint64_t i = 1; i < ROOM; i++)
        cr_assert_eq(sim_memory_add(&m, 0x10000 + i * 0x10, 0x10, "r"), 0);
    cr_assert_eq(sim_memory_add(&m, 0x3000, 0x10, "one more"), -ENOMEM);
}

Test(sim_memory, the_table_grows)
{
    struct sim_world *w;
    struct sim_memory m = {0};
    struct sim_memory_hint hint = {0};

    cr_assert_eq(sim_world_create((size_t)64 << 20, &w), 0);
    m.world = w;
    for (uint64_t i = 2000; i > 0; i--) /* each in front of the others */
        cr_assert_eq(sim_memory_add(&m, i * 0x1000, 0x1000, "r"), 0);
    for (uint64_t i = 1; i <= 2000; i++)
        cr_assert_eq(sim_memory_canonical(&m, i * 0x1000 + 5, &hint), ((2000 - i) << 44) | 5);
    sim_memory_fini(&m);
    cr_assert_eq(sim_world_used(w), 0);
    sim_world_destroy(w);
}
