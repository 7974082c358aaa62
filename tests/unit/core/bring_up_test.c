/* SPDX-License-Identifier: Apache-2.0 */
/* Bring-up that works: the golden trace and its variations. */
#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/core/bring_up_golden.h"

TestSuite(bring_up, .timeout = 60);

/* ---- the trace ---- */

static void run_golden(enum hal_order order, bool with_names)
{
    set_up(order);
    golden(with_names);
    cr_assert_eq(bring_up(), 0, "%s", f.why);
    cr_expect_eq(f.hal.at, f.hal.count);
    cr_expect_eq(f.s.generation, 1);
    cr_expect_eq(f.s.ports, 2);
    cr_expect_str_eq(f.s.afu_version, "SIM00001");
    cr_expect_eq(f.s.interface_version, UINT64_C(0x8000000000010002));
    cr_expect_eq(f.s.heartbeat, 41);
    cr_expect_eq(f.s.hwq[0].queue.room, 16);
    cr_expect_not(f.s.ws_unmap);
}

/* PROVES-MANY: the trace is one sequence, and its order is what these rows require. */
static void proved_by_the_trace(void)
{
    PROVES(AD_30);
    PROVES(AD_31);
    PROVES(AD_32);
    PROVES(AD_34);
    PROVES(AD_35);
    PROVES(AD_40);
    PROVES(AD_41);
    PROVES(AD_42);
    PROVES(AD_44);
    PROVES(AD_46);
    PROVES(AD_46a);
    PROVES(AD_46b);
    PROVES(AD_46c);
    PROVES(AD_49a);
    PROVES(AD_49c);
    PROVES(AD_49d);
    PROVES(AD_49e);
    PROVES(AD_49f);
    PROVES(AD_49g);
    PROVES(AD_49h);
    PROVES(CX_134); /* 512 contexts first, then interrupts, before anything is enabled */
}

Test(bring_up, golden_trace_little_endian)
{
    run_golden(HAL_ORDER_LITTLE, false);
    cr_expect_eq(f.exec.now, UINT64_C(200000000), "a pause of 100 ms behind each port");
    cr_expect_eq(f.s.notes.wwpn_missing, 3);
    proved_by_the_trace();
    end_golden();
}

Test(bring_up, golden_trace_big_endian)
{
    run_golden(HAL_ORDER_BIG, false);
    proved_by_the_trace();
    end_golden();
}

Test(bring_up, golden_trace_with_port_names)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        run_golden(order, true);
        cr_expect_eq(f.s.wwpn[0], WWPN_0);
        cr_expect_eq(f.s.wwpn[1], WWPN_1);
        cr_expect_eq(f.s.notes.wwpn_missing, 0);
        cr_expect_eq(f.s.notes.port_timeouts, 0);
        PROVES(AD_45);
        PROVES(AD_47);
        end_golden();
    }
}

/* The queue starts from scratch: zeroed RRQ, toggle 1, the first element (AD-44, D-6). */
Test(bring_up, queue_starts_from_scratch)
{
    set_up(HAL_ORDER_LITTLE);
    memset(f.s.hwq[0].queue.rrq, 0xFF, RRQ_ELEMENTS * sizeof *f.s.hwq[0].queue.rrq);
    golden(false);
    cr_assert_eq(bring_up(), 0);
    for (unsigned i = 0; i < RRQ_ELEMENTS; i++)
        cr_assert_eq(f.s.hwq[0].queue.rrq[i], 0);
    cr_expect(f.s.hwq[0].queue.rrq_at == f.s.hwq[0].queue.rrq);
    cr_expect_not(spipe__queue_pending(&f.s.hwq[0].queue));
    PROVES(AD_44);
    PROVES(D_6);
    end_golden();
}

/* ---- variations ---- */

/* AD-49b: set once, never reset. AD-49g: a LISN that is there already is noted. */
Test(bring_up, unmap_capability_is_kept)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x0030040, 0)->value = UINT64_C(0x8000000000000000);
    cr_assert_eq(bring_up(), 0);
    cr_expect(f.s.ws_unmap);
    cr_expect_not(f.s.notes.lisn_was_set);
    expect_end();
    spipe__take_down(&f.s);

    golden(false);
    script_access(0x0030040, 4)->value = 2; /* after three accesses of the first time and one */
    script_access(0x0030040, 5)->value = 3;
    cr_assert_eq(bring_up(), 0);
    cr_expect(f.s.ws_unmap);
    cr_expect(f.s.notes.lisn_was_set);
    cr_expect_eq(f.s.generation, 2);
    PROVES(AD_49b);
    end_golden();
}

/* SP-158, SP-181: whatever ran before, no context number can reach anything; both at the start and
 * when the AFU is initialised again. */
Test(bring_up, every_context_is_cleared)
{
    set_up(HAL_ORDER_LITTLE);
    for (unsigned time = 1; time <= 2; time++) {
        golden(false);
        for (uint32_t c = 0; c < 512; c++) {
            uint32_t ctrl = 0x2000000 + c * 0x80;

            cr_assert_eq(script_access(ctrl, 0)->value, 0);        /* rht_start */
            cr_assert_eq(script_access(ctrl + 0x08, 0)->value, 0); /* rht_cnt_id */
            cr_assert_eq(script_access(ctrl + 0x10, 0)->value, 0); /* ctx_cap */
        }
        cr_assert_eq(bring_up(), 0);
        if (time == 1) {
            PROVES(SP_181);
            expect_end();
            spipe__take_down(&f.s);
        }
    }
    PROVES(SP_158);
    end_golden();
}

static void add_lun(const uint64_t ids[2], uint8_t ports, uint8_t slot)
{
    const uint8_t wwid[16] = {0x60, (uint8_t)(f.s.lun_count + 1)};
    struct spipe__lun *lun = &f.s.lun[f.s.lun_count];

    cr_assert_eq(spipe__group_add_lun(&f.s, lun, wwid), 0);
    memcpy(lun->lun_id, ids, 2 * sizeof *ids);
    lun->port_mask = ports;
    lun->in_table = true;
    lun->table_index = slot;
    f.s.lun_count++;
}

/* AD-49i, AD-193: known LUNs get their words again, after everything else. */
Test(bring_up, lun_table_is_restored)
{
    set_up(HAL_ORDER_LITTLE);
    add_lun((const uint64_t[2]){1, 2}, 3, 0);
    add_lun((const uint64_t[2]){0, UINT64_C(0x0005000000000000)}, 2, 255);
    golden(false);
    scripted_expect_write(&f.hal, 0x2014000, 1);
    scripted_expect_write(&f.hal, 0x2015000, 2);
    scripted_expect_write(&f.hal, 0x2015000 + 255 * 8, UINT64_C(0x0005000000000000));
    cr_assert_eq(bring_up(), 0);
    cr_assert_eq(spipe__gate_state(&f.s.gate), SPIPE_STATE_PROBING); /* nobody was let in before */
    PROVES(VL_55);
    PROVES(AD_49i);
    PROVES(AD_193);
    PROVES(SP_136);
    end_golden();
}

/* AD-48 */
Test(bring_up, lisns_are_programmed_if_the_afu_can)
{
    set_up(HAL_ORDER_LITTLE);
    expect_start();
    EXPECT_ROWS(versions, 0);
    expect_contexts_cleared();
    EXPECT_ROWS(byte_order, 0);
    expect_vpd(vpd_without_names, sizeof vpd_without_names, 0);
    EXPECT_ROWS(rrq, 0);
    EXPECT_ROWS(configuration, 0);
    EXPECT_ROWS(port_setup, 0);
    EXPECT_ROWS(port_setup, 0x1000);
    for (uint32_t reg = 0x30; reg <= 0x40; reg += 8)
        scripted_expect_write(&f.hal, 0x2000180 + reg, 0);
    scripted_expect_write(&f.hal, 0x2000180 + 0x20, UINT64_C(0x0000000300000003));
    scripted_expect_write(&f.hal, 0x2000180 + 0x28, UINT64_C(0x0000000000000003));
    EXPECT_ROWS(final, 0);
    script_access(0x2010808, 0)->value = UINT64_C(0x8200000000010002);
    cr_assert_eq(bring_up(), 0);
    PROVES(AD_48);
    PROVES(AD_228);
    end_golden();
}

/* Internal LUN mode 3: one port, and none is set up; bit 0 of afu_ctrl, mode - 1 in
 * FC_CONFIG2[33:32]. */
Test(bring_up, internal_lun)
{
    set_up(HAL_ORDER_LITTLE);
    f.s.internal_lun = 3;
    expect_start();
    EXPECT_ROWS(versions, 0);
    expect_contexts_cleared();
    EXPECT_ROWS(byte_order, 0);
    expect_vpd(vpd_with_names, sizeof vpd_with_names - 1, 0);
    EXPECT_ROWS(rrq, 0);
    EXPECT_ROWS(configuration, 0);
    EXPECT_ROWS(final, 0);
    script_access(0x2010030, 1)->value = 1;
    script_access(0x2010018, 0)->value = UINT64_C(0x0003030000000001);
    script_access(0x2012328, 0)->value = UINT64_C(0x100000030);
    script_access(0x2012328, 1)->value = UINT64_C(0x200000030);
    cr_assert_eq(bring_up(), 0);
    cr_expect_eq(f.s.ports, 2);
    cr_expect_eq(f.exec.now, 0, "no pause either");
    PROVES(AD_46);
    PROVES(AD_46c);
    PROVES(AD_49d);
    PROVES(AD_49e);
    end_golden();
}

/* AD-40: what afu_port_sel reads -> ports. The conversation is cut off by a failing VPD. */
Test(bring_up, number_of_ports)
{
    static const struct {
        uint64_t mask;
        unsigned ports;
    } cases[] = {{0, 2}, {1, 1}, {2, 2}, {3, 2}, {4, 3}, {0xF, 4}, {0x1F, 4}, {0x8000, 4}};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
        set_up(HAL_ORDER_LITTLE);
        expect_start();
        EXPECT_ROWS(versions, 0);
        expect_contexts_cleared();
        EXPECT_ROWS(byte_order, 0);
        expect_vpd(NULL, 0, -EIO);
        expect_end();
        script_access(0x2010030, 0)->value = cases[i].mask;
        cr_assert_eq(bring_up(), -EIO);
        cr_expect_eq(f.s.ports, cases[i].ports, "mask %x", (unsigned)cases[i].mask);
        tear_down();
    }
    PROVES(AD_40);
}

/* AD-36: SQ if the AFU has it, whatever else it has. */
Test(bring_up, submission_modes)
{
    static const struct {
        uint64_t interface;
        bool sq;
    } cases[] = {{0x8000000000010002, false},
                 {0x4000000000010002, true},
                 {0xC000000000010002, true},
                 {0x0000000000010002, false}};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
        for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
            set_up(order);
            golden_of(cases[i].interface, i % 2);
            cr_assert_eq(bring_up(), 0);
            cr_expect_eq(f.s.sq, cases[i].sq);
            cr_expect_eq(spipe__queue_is_sq(&f.s.hwq[0].queue), cases[i].sq);
            end_golden();
        }
    }
    PROVES(AD_36);
    PROVES(SL_10);
}

/* ---- the table of steps ---- */

Test(bring_up, steps_have_names_and_are_announced)
{
    unsigned count;
    const struct spipe__bring_up_step *steps = spipe__bring_up_steps(&count);

    for (unsigned i = 0; i < count; i++) {
        cr_assert(steps[i].name && steps[i].requirement && steps[i].run);
        for (unsigned k = 0; k < i; k++)
            cr_expect_str_neq(steps[i].name, steps[k].name);
    }
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    cr_assert_eq(bring_up(), 0);
    cr_expect_eq(f.hal.notes, count);
    end_golden();
}
