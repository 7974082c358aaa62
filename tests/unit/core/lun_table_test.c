/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of the LUN tables: the order in which they are given out, the words that are written, when
 * the table is full, and INV-9 under random use. Register offsets are numbers of the specification.
 */
#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

TestSuite(lun_table, .timeout = 60);

static const uint64_t table[4] = {0x2014000, 0x2015000, 0x2018000, 0x2019000};

static struct adapter_fixture f;

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    f.s.ports = 4;
}

static void tear_down(void) { adapter_fixture_fini(&f); }

static uint64_t word(unsigned port, unsigned slot)
{
    return *fake_afu_register(&f.afu, table[port] + 8 * slot);
}

static struct spipe__lun lun_on(unsigned ports)
{
    return (struct spipe__lun){.lun_id = {0x10, 0x11, 0x12, 0x13}, .port_mask = (uint8_t)ports};
}

/* Assigns and returns the slot, or the error. */
static int assign(struct spipe__lun *lun)
{
    int rc = spipe__lun_table_assign(&f.s, lun);

    return rc ? rc : lun->table_index;
}

Test(lun_table, several_ports_count_up, .init = set_up, .fini = tear_down)
{
    struct spipe__lun a = lun_on(3), b = lun_on(0xF), c = lun_on(6);

    cr_expect_eq(assign(&a), 0);
    cr_expect_eq(word(0, 0), 0x10);
    cr_expect_eq(word(1, 0), 0x11);
    cr_expect_eq(word(2, 0), 0, "not one of its ports");
    cr_expect_eq(assign(&b), 1);
    cr_expect_eq(word(3, 1), 0x13);
    cr_expect_eq(assign(&c), 2);
    cr_expect_eq(f.s.promote_lun_index, 3);
    cr_expect_eq(assign(&a), 0, "once only");
    PROVES(AD_190);
    PROVES(AD_191);
    PROVES(SP_131);
    PROVES(SP_132);
    PROVES(SP_138);
}

Test(lun_table, one_port_counts_down, .init = set_up, .fini = tear_down)
{
    struct spipe__lun a = lun_on(2), b = lun_on(2), c = lun_on(8);

    cr_expect_eq(assign(&a), 255);
    cr_expect_eq(assign(&b), 254);
    cr_expect_eq(assign(&c), 255, "each port has its own count");
    cr_expect_eq(word(1, 255), 0x11);
    cr_expect_eq(word(1, 254), 0x11);
    cr_expect_eq(word(3, 255), 0x13);
    PROVES(AD_192);
    PROVES(SP_133);
}

Test(lun_table, impossible_ports, .init = set_up, .fini = tear_down)
{
    struct spipe__lun none = lun_on(0), beyond = lun_on(4);

    f.s.ports = 2;
    cr_expect_eq(assign(&none), -EIO);
    cr_expect_eq(assign(&beyond), -EIO);
    cr_expect_not(none.in_table || beyond.in_table);
    PROVES(AD_192);
}

/* SP-134: 255 of 256, however they are shared out between the two kinds. */
Test(lun_table, is_full_after_255, .init = set_up, .fini = tear_down)
{
    for (unsigned singles = 0; singles <= 255; singles += 51) {
        struct spipe__lun lun;

        spipe__lun_table_init(&f.s);
        for (unsigned i = 0; i < 255; i++) {
            lun = lun_on(i < singles ? 1 : 3);
            cr_assert_geq(assign(&lun), 0);
        }
        lun = lun_on(3);
        cr_expect_eq(assign(&lun), -ENOSPC);
        lun = lun_on(1);
        cr_expect_eq(assign(&lun), -ENOSPC);
    }
    PROVES(SP_134);
    PROVES(SP_137);
    PROVES(AD_194);
    PROVES(R_35);
}

/* SP-137: a port whose single-port LUNs came down below the mark of the others. */
Test(lun_table, ranges_do_not_overlap_on_any_port, .init = set_up, .fini = tear_down)
{
    struct spipe__lun lun;

    for (unsigned i = 0; i < 200; i++) { /* port 2 down to 56 */
        lun = lun_on(4);
        cr_assert_geq(assign(&lun), 56);
    }
    for (unsigned i = 0; i < 100; i++) { /* ports 0 and 1 up to 99 */
        lun = lun_on(3);
        cr_assert_eq(assign(&lun), (int)i);
    }
    lun = lun_on(6);
    cr_expect_eq(assign(&lun), -ENOSPC, "slot 100 is used on port 2");
    lun = lun_on(4);
    cr_expect_eq(assign(&lun), -ENOSPC);
    lun = lun_on(3);
    lun.in_table = true;
    lun.table_index = 70;
    spipe__lun_table_release(&f.s, &lun);
    lun = lun_on(6);
    cr_expect_eq(assign(&lun), -ENOSPC, "slot 70 is free, but not on port 2");
    lun = lun_on(3);
    cr_expect_eq(assign(&lun), 70);
    PROVES(SP_137);
}

/* SP-135, R-35: freed slots first, marks back when the outermost is freed. */
Test(lun_table, slots_are_given_back, .init = set_up, .fini = tear_down)
{
    struct spipe__lun a = lun_on(3), b = lun_on(3), c = lun_on(3), x = lun_on(1), y = lun_on(1);

    (void)assign(&a), (void)assign(&b), (void)assign(&c), (void)assign(&x), (void)assign(&y);
    spipe__lun_table_release(&f.s, &b);
    cr_expect_eq(f.s.promote_lun_index, 3);
    cr_expect_eq(assign(&b), 1);
    spipe__lun_table_release(&f.s, &a);
    spipe__lun_table_release(&f.s, &c);
    spipe__lun_table_release(&f.s, &b);
    cr_expect_eq(f.s.promote_lun_index, 0);
    spipe__lun_table_release(&f.s, &x);
    cr_expect_eq(f.s.last_lun_index[0], 253);
    cr_expect_eq(assign(&x), 255);
    spipe__lun_table_release(&f.s, &y);
    cr_expect_eq(f.s.last_lun_index[0], 254);
    spipe__lun_table_release(&f.s, &x);
    cr_expect_eq(f.s.last_lun_index[0], 255);
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(assign(&a), 0);
        spipe__lun_table_release(&f.s, &a);
    }
    PROVES(SP_135);
    PROVES(AD_194);
    PROVES(R_35);
}

/* ---- INV-9 ---- */

enum { LUNS = 300 };

static void check_inv_9(const struct spipe__lun *luns)
{
    bool used[4][256] = {{false}};

    for (unsigned i = 0; i < LUNS; i++) {
        unsigned ports = luns[i].port_mask;

        for (unsigned p = 0; luns[i].in_table && p < 4; p++) {
            unsigned slot = luns[i].table_index;

            if (!(ports & 1u << p))
                continue;
            cr_assert_not(used[p][slot], "port %u slot %u used twice", p, slot);
            used[p][slot] = true;
            if (ports & (ports - 1))
                cr_assert_lt((int)slot, f.s.promote_lun_index);
            else
                cr_assert_gt((int)slot, f.s.last_lun_index[p]);
        }
    }
}

Test(lun_table, random_use, .init = set_up, .fini = tear_down)
{
    static struct spipe__lun luns[LUNS];
    struct hal_prng prng;

    hal_prng_seed(&prng, test_seed(5), 0);
    for (unsigned i = 0; i < LUNS; i++)
        luns[i] = lun_on(1 + (unsigned)hal_prng_below(&prng, 15));
    for (unsigned step = 0; step < 6000; step++) {
        struct spipe__lun *lun = &luns[hal_prng_below(&prng, LUNS)];
        bool filling = step / 1500 % 2 == 0;

        if (lun->in_table && (!filling || hal_prng_below(&prng, 4) == 0))
            spipe__lun_table_release(&f.s, lun);
        else if (!lun->in_table && (filling || hal_prng_below(&prng, 4) == 0))
            (void)assign(lun);
        check_inv_9(luns);
    }
    for (unsigned i = 0; i < LUNS; i++)
        if (luns[i].in_table)
            spipe__lun_table_release(&f.s, &luns[i]);
    cr_expect_eq(f.s.promote_lun_index, 0);
    for (unsigned p = 0; p < 4; p++)
        cr_expect_eq(f.s.last_lun_index[p], 255);
}

/* AD-193 */
Test(lun_table, restore_writes_all_slots, .init = set_up, .fini = tear_down)
{
    adapter_fixture_add_lun(&f, lun_on(3));
    adapter_fixture_add_lun(&f, lun_on(0xF)); /* never assigned */
    adapter_fixture_add_lun(&f, lun_on(8));
    (void)assign(&f.s.lun[0]), (void)assign(&f.s.lun[2]);
    for (unsigned p = 0; p < 4; p++)
        for (unsigned slot = 0; slot < 256; slot++)
            *fake_afu_register(&f.afu, table[p] + 8 * slot) = 0;
    spipe__lun_table_restore(&f.s);
    cr_expect_eq(word(0, 0), 0x10);
    cr_expect_eq(word(1, 0), 0x11);
    cr_expect_eq(word(3, 255), 0x13);
    cr_expect_eq(word(2, 0) | word(3, 0), 0);
    PROVES(AD_193);
}
