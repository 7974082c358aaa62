/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun/chunk_set.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "hal/support/bits.h"
#include "tests/testlib/fake_exec.h"

static const uint32_t some[] = {0, 1, 63, 64, 32767, 32768, 1000000, UINT32_MAX - 1, UINT32_MAX};

static struct fake_exec fake;
static struct spipe__chunk_set set;

static void begin(void)
{
    fake_exec_init(&fake, 1);
    spipe__chunk_set_init(&set, &fake.exec);
}

static void end(void)
{
    spipe__chunk_set_fini(&set);
    cr_assert_eq(fake.blocks, 0);
}

TestSuite(chunk_set, .init = begin, .fini = end, .timeout = 60);

Test(chunk_set, empty)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(some); i++)
        cr_assert_not(spipe__chunk_set_has(&set, some[i]));
    cr_assert_eq(fake.allocations, 0);
}

Test(chunk_set, add_and_remove)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(some); i++) {
        cr_assert_eq(spipe__chunk_set_prepare(&set, some[i]), 0);
        cr_assert_not(spipe__chunk_set_has(&set, some[i]), "prepared is not added");
        spipe__chunk_set_add(&set, some[i]);
        for (size_t k = 0; k < HAL_ARRAY_LENGTH(some); k++)
            cr_assert_eq(spipe__chunk_set_has(&set, some[k]), k <= i, "%zu %zu", i, k);
    }
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(some); i++) {
        spipe__chunk_set_remove(&set, some[i]);
        for (size_t k = 0; k < HAL_ARRAY_LENGTH(some); k++)
            cr_assert_eq(spipe__chunk_set_has(&set, some[k]), k > i);
    }
    fake.fail_after = 0;
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(some); i++) {
        cr_assert_eq(spipe__chunk_set_prepare(&set, some[i]), 0, "memory is kept");
        spipe__chunk_set_add(&set, some[i]);
    }
}

Test(chunk_set, no_memory)
{
    for (int64_t n = 0; n < 2; n++) {
        fake.fail_after = n;
        cr_assert_eq(spipe__chunk_set_prepare(&set, 40000), -ENOMEM);
        cr_assert_not(spipe__chunk_set_has(&set, 40000));
        spipe__chunk_set_fini(&set);
    }
    fake.fail_after = 2;
    cr_assert_eq(spipe__chunk_set_prepare(&set, 40000), 0);
}

/* Memory follows what is in the set: one page for a LUN of up to 32768 chunks. */
Test(chunk_set, memory)
{
    for (uint32_t chunk = 0; chunk < SPIPE__CHUNK_SET_PAGE_BITS; chunk++) {
        cr_assert_eq(spipe__chunk_set_prepare(&set, chunk), 0);
        spipe__chunk_set_add(&set, chunk);
    }
    cr_assert_leq(fake.bytes, 4096 + 64);
}
