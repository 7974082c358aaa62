/* SPDX-License-Identifier: Apache-2.0 */
/* The capacity read: the command, what is taken out of the data, what is no capacity, and every
 * kind of failure. */
#include "core/command/capacity.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/proves.h"

TestSuite(capacity, .timeout = 30);

#define LUN_ID UINT64_C(0x0003000000000000)

static struct adapter_fixture f;
static struct spipe__capacity got;
static const struct spipe__capacity untouched = {.last_lba = 0xEE, .block_size = 0xEE};

/* A device that answers with these bytes, whatever it is asked, and says so many of them came. */
static struct {
    uint8_t bytes[32];
    uint32_t length;
} device;

static struct fake_answer device_answer(void *arg, const struct fake_command *command)
{
    (void)arg;
    memcpy(command->data, device.bytes, sizeof device.bytes);
    return (struct fake_answer){.rc = {.flags = AFU_RC_FLAG_UNDERRUN},
                                .residual = command->data_length - device.length};
}

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    fake_luns_add(&f.luns, 1, LUN_ID, 1);
    got = untouched;
}

static void tear_down(void) { adapter_fixture_fini(&f); }

static void set_up_device(void)
{
    set_up();
    f.afu.answer = device_answer;
    device.length = sizeof device.bytes;
    memset(device.bytes, 0, sizeof device.bytes);
}

static int read_it(void) { return spipe__capacity_read(&f.s, 1, LUN_ID, &got); }

static int read_of(uint64_t last_lba, uint32_t block_size)
{
    hal_be64_put(device.bytes, last_lba);
    hal_be32_put(device.bytes + 8, block_size);
    return read_it();
}

static void fail_from(uint64_t n, unsigned times, struct fake_answer answer)
{
    f.luns.faults = 0;
    for (unsigned i = 0; i < times; i++)
        fake_luns_fail(&f.luns, n + i, &answer);
}

static void expect_untouched(void)
{
    cr_expect_eq(got.last_lba, untouched.last_lba);
    cr_expect_eq(got.block_size, untouched.block_size);
}

/* ---- what is sent, and what comes back ---- */

Test(capacity, command, .init = set_up, .fini = tear_down)
{
    static const uint8_t cdb[16] = {0x9E, 0x10, [12] = 0x10}; /* allocation length 4096 */

    cr_assert_eq(read_it(), 0);
    cr_expect_arr_eq(f.luns.log[0].cdb, cdb, sizeof cdb);
    cr_expect_eq(f.luns.log[0].target, 2);
    cr_expect_eq(f.luns.log[0].lun_id, LUN_ID);
    cr_expect_eq(f.luns.log[0].data_length, 4096);
    cr_expect_eq(f.luns.commands, 1);
    cr_expect_eq(got.last_lba, 64 * 65536 + 99);
    cr_expect_eq(got.block_size, 4096);
    cr_expect_not(got.reads_zero_unmapped);
    PROVES(SP_101);
}

Test(capacity, literal_data, .init = set_up_device, .fini = tear_down)
{
    static const uint8_t data[32] = {0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 2, 0, [14] = 0x40};

    memcpy(device.bytes, data, sizeof data);
    cr_assert_eq(read_it(), 0);
    cr_expect_eq(got.last_lba, UINT64_C(0x010203040506));
    cr_expect_eq(got.block_size, 512);
    cr_expect(got.reads_zero_unmapped);
    device.bytes[14] = 0xBF;
    cr_assert_eq(read_it(), 0);
    cr_expect_not(got.reads_zero_unmapped);
    PROVES(SP_101);
}

/* SP-105, SPW-23, and block lengths that nothing here can count in. */
Test(capacity, what_is_none, .init = set_up_device, .fini = tear_down)
{
    static const uint32_t bad[] = {0, 1, 256, 511, 513, 520, 4095, 4104, 8192, 0x80000000};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++)
        cr_expect_eq(read_of(99, bad[i]), -ENXIO, "block length %u", bad[i]);
    cr_expect_eq(read_of(UINT64_MAX, 4096), -ENXIO);
    expect_untouched();
    for (uint32_t size = 512; size <= 4096; size *= 2)
        cr_expect_eq(read_of(0, size), 0, "block length %u", size);
    cr_expect_eq(read_of(UINT64_MAX - 1, 512), 0);
    PROVES(SP_105);
    PROVES(SPW_23);
}

/* What did not come is not read, even if the memory happens to hold it. */
Test(capacity, short_data, .init = set_up_device, .fini = tear_down)
{
    for (device.length = 0; device.length < 12; device.length++)
        cr_expect_eq(read_of(99, 4096), -ENXIO);
    expect_untouched();
    device.length = 12;
    cr_expect_eq(read_of(99, 4096), 0);
    cr_expect_eq(got.last_lba, 99);
    PROVES(SP_105);
}

/* ---- failures ---- */

/* SP-102: keys 0, 1 and 2 are a success of the command, and here there are no data with them. */
Test(capacity, sense_keys, .init = set_up, .fini = tear_down)
{
    for (uint8_t key = 0; key < 16; key++) {
        fail_from(f.luns.commands, 1, fake_check_condition(key, 0x04, 1));
        cr_expect_eq(read_it(), key <= 2 ? -ENXIO : -EIO, "key %u", key);
    }
    expect_untouched();
    PROVES(SP_102);
    PROVES(SP_105);
}

Test(capacity, unit_attentions, .init = set_up, .fini = tear_down)
{
    static const uint8_t asc[] = {0x29, 0x2A, 0x3F};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(asc); i++) {
        got = untouched;
        fail_from(f.luns.commands, 1, fake_check_condition(6, asc[i], 9));
        cr_expect_eq(read_it(), 0);
        cr_expect_eq(got.block_size, 4096);
        fail_from(f.luns.commands, 2, fake_check_condition(6, asc[i], 9));
        cr_expect_eq(read_it(), -EIO);
    }
    PROVES(SP_102);
}

Test(capacity, five_repetitions, .init = set_up, .fini = tear_down)
{
    fail_from(0, 5, (struct fake_answer){.lost = true});
    cr_expect_eq(read_it(), 0);
    cr_expect_eq(f.luns.commands, 6);
    got = untouched;
    fail_from(6, 6, (struct fake_answer){.lost = true});
    cr_expect_eq(read_it(), -ETIMEDOUT);
    cr_expect_eq(f.luns.commands, 12);
    expect_untouched();
    PROVES(SP_101);
}

Test(capacity, other_failures, .init = set_up, .fini = tear_down)
{
    f.luns.ports_up = 1;
    cr_expect_eq(read_it(), -ENETDOWN);
    f.luns.ports_up = 3;
    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(read_it(), -EBUSY);
    f.afu.dead = true;
    cr_expect_eq(read_it(), -ENODEV);
    expect_untouched();
}
