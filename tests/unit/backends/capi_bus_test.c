/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the barriers are where they must be: here a barrier looks at the register. */
#include <criterion/criterion.h>
#include <stdint.h>

#include "tests/testlib/proves.h"

static void at_barrier(void);

#define CAPI_BUS_BARRIER() at_barrier()
#include "backends/capi/capi_bus.h"

static uint64_t area[4];
static uint64_t seen;
static unsigned barriers;

static void at_barrier(void)
{
    barriers++;
    seen = be64_get((be64_t){area[1]});
    area[1] = be64_of(99).raw;
}

/* CX-54: the lowest address has the most significant byte on any host. */
Test(capi_bus, the_bus_is_big_endian)
{
    const uint8_t *bytes = (const uint8_t *)&area[2];

    capi_bus_store(area, 16, UINT64_C(0x0102030405060708));
    for (unsigned i = 0; i < 8; i++)
        cr_assert_eq(bytes[i], i + 1);
    cr_assert_eq(capi_bus_load(area, 16), UINT64_C(0x0102030405060708));
    PROVES(CX_54);
}

Test(capi_bus, a_full_barrier_stands_before_each_store)
{
    area[1] = be64_of(5).raw;
    capi_bus_store(area, 8, 6);
    cr_assert_eq(barriers, 1);
    cr_assert_eq(seen, 5, "the store came before the barrier");
    cr_assert_eq(be64_get((be64_t){area[1]}), 6);
    PROVES(CX_55);
    PROVES(CX_65);
}

Test(capi_bus, a_full_barrier_stands_behind_each_load)
{
    area[1] = be64_of(5).raw;
    cr_assert_eq(capi_bus_load(area, 8), 5, "the load came behind the barrier");
    cr_assert_eq(barriers, 1);
    PROVES(CX_55);
}
