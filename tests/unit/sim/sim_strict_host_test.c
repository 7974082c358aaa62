/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for hosts (R-20, R-22, SL 2..9, INV-14): a planted breach of each is named, and its legal
 * neighbour is not. Doorbells and interrupts are in the tests of their blocks. */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_strict_fixture.h"

#define NOW 1000
#define RHT 0x20000u
#define LXT 0x30000u

TestSuite(sim_strict_host, .init = up);

/* ---- registers --------------------------------------------------------------------------------
 */

static void host(uint64_t offset, uint64_t value)
{
    sim_strict_register(&s, NOW, AFU_HOST_BASE(1) + offset, value, 0);
}

static void control(uint64_t offset, uint64_t value)
{
    sim_strict_register(&s, NOW, AFU_CTRL_BASE(1) + offset, value, 0);
}

/* A queue of n elements. */
static void queue(unsigned n)
{
    host(AFU_HOST_RRQ_START, 0x40008);
    host(AFU_HOST_RRQ_END, 0x40000 + 8 * n);
}

Test(sim_strict_host, as_many_commands_as_elements)
{
    queue(16);
    sim_strict_submitted(&s, NOW, 1, 16);
    nothing();
    sim_strict_submitted(&s, NOW, 1, 17);
    only(SIM_RULE_RRQ_SMALL, 1);
    PROVES(R_20);
}

Test(sim_strict_host, commands_need_a_queue)
{
    sim_strict_submitted(&s, NOW, 1, 1);
    only(SIM_RULE_RRQ_SMALL, 1);
}

Test(sim_strict_host, a_new_context_has_no_queue)
{
    queue(16);
    sim_strict_ctx_terminate(&s, 1);
    sim_strict_ctx_add(&s, 1);
    sim_strict_submitted(&s, NOW, 1, 1);
    only(SIM_RULE_RRQ_SMALL, 1);
}

Test(sim_strict_host, rrq_addresses)
{
    host(AFU_HOST_RRQ_START, 0x40008);
    host(AFU_HOST_RRQ_END, 0x40008); /* one element */
    nothing();
    host(AFU_HOST_RRQ_START, 0x40004);
    only(SIM_RULE_RRQ_ALIGN, 1);
    host(AFU_HOST_RRQ_END, 0x40011);
    only(SIM_RULE_RRQ_ALIGN, 2);
}

Test(sim_strict_host, the_end_is_behind_the_start)
{
    host(AFU_HOST_RRQ_START, 0x40008);
    host(AFU_HOST_RRQ_END, 0); /* taken away */
    nothing();
    host(AFU_HOST_RRQ_END, 0x40000);
    only(SIM_RULE_RRQ_ORDER, 1);
}

Test(sim_strict_host, the_queue_stays_while_commands_are_under_way)
{
    sim_strict_register(&s, NOW, AFU_HOST_BASE(1) + AFU_HOST_RRQ_START, 0x40000, 1);
    only(SIM_RULE_RRQ_BUSY, 1);
    sim_strict_register(&s, NOW, AFU_HOST_BASE(1) + AFU_HOST_RRQ_END, 0x40000, 1);
    only(SIM_RULE_RRQ_BUSY, 2);
    sim_strict_register(&s, NOW, AFU_HOST_BASE(1) + AFU_HOST_INTR_MASK, 0, 1);
    only(SIM_RULE_RRQ_BUSY, 2);
}

Test(sim_strict_host, ctx_ctrl)
{
    host(AFU_HOST_CTX_CTRL, UINT64_C(1) << 63 | 0xFF); /* as it reads (SL 2) */
    nothing();
    host(AFU_HOST_CTX_CTRL, 0x100);
    only(SIM_RULE_CTX_CTRL, 1);
}

Test(sim_strict_host, control_registers)
{
    control(AFU_CTRL_RHT_START, 0x20010);
    control(AFU_CTRL_RHT_CNT_ID, 0x0100000300000000);
    control(AFU_CTRL_CTX_CAP, 0xF00000000000000F); /* SL 13.1 */
    nothing();
    control(AFU_CTRL_RHT_START, 0x20008);
    only(SIM_RULE_RHT_ALIGN, 1);
    PROVES(R_22);
}

Test(sim_strict_host, reserved_bits_of_rht_cnt_id)
{
    control(AFU_CTRL_RHT_CNT_ID, 0x0100000300000001);
    only(SIM_RULE_RHT_COUNT, 1);
}

Test(sim_strict_host, reserved_bits_of_ctx_cap)
{
    control(AFU_CTRL_CTX_CAP, 0x13);
    only(SIM_RULE_CTX_CAP, 1);
}

/* SL 4.1: bits 14..8, 5, 4. */
Test(sim_strict_host, afu_config)
{
    sim_strict_register(&s, NOW, AFU_GLOBAL_BASE + 0x38, 0x7F30, 0);
    nothing();
    sim_strict_register(&s, NOW, AFU_GLOBAL_BASE + 0x38, 0x8000, 0);
    only(SIM_RULE_AFU_CONFIG, 1);
    sim_strict_register(&s, NOW, AFU_GLOBAL_BASE + 0x38, 0x0080, 0);
    only(SIM_RULE_AFU_CONFIG, 2);
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static struct afu_ioarcb read_command(enum hal_order o)
{
    struct afu_ioarcb r;

    memset(&r, 0, sizeof r);
    r.req_flags = xe16_of(o, 0xC0C1); /* every flag that goes with a resource handle (SL 6.1) */
    r.res_hndl = xe32_of(o, 0xFFFF);
    r.msi = 2;
    r.timeout = xe16_of(o, 0xFFFF);
    memset(r.cdb, 0xFF, sizeof r.cdb);
    r.ioasa = xe64_of(o, 0x1234567); /* ignored in IOARRIN mode */
    return r;
}

static void ioarcb(enum hal_order o, const struct afu_ioarcb *r)
{
    sim_strict_ioarcb(&s, NOW, 1, o, r, 0);
}

Test(sim_strict_host, a_command_in_either_order)
{
    for (int o = 0; o < 2; o++) {
        enum hal_order order = o ? HAL_ORDER_BIG : HAL_ORDER_LITTLE;
        struct afu_ioarcb r = read_command(order);

        ioarcb(order, &r);
        nothing();
        r.req_flags = xe16_of(order, 0x8100);
        ioarcb(order, &r);
        only(SIM_RULE_IOARCB_FLAGS, 1);
        up();
    }
}

Test(sim_strict_host, reserved_bytes_of_a_command)
{
    struct afu_ioarcb r = read_command(HAL_ORDER_LITTLE);

    for (unsigned i = 0; i < 4; i++) {
        memset(r.reserved, 0, sizeof r.reserved);
        r.reserved[i] = 1;
        ioarcb(HAL_ORDER_LITTLE, &r);
        only(SIM_RULE_IOARCB_RESERVED, i + 1);
    }
}

Test(sim_strict_host, a_descriptor_list)
{
    struct afu_ioarcb r = read_command(HAL_ORDER_LITTLE);

    r.ioadl_len = xe32_of(HAL_ORDER_LITTLE, 16);
    ioarcb(HAL_ORDER_LITTLE, &r);
    only(SIM_RULE_IOARCB_IOADL, 1);
}

Test(sim_strict_host, another_rrq)
{
    struct afu_ioarcb r = read_command(HAL_ORDER_LITTLE);

    r.rrq = 1;
    ioarcb(HAL_ORDER_LITTLE, &r);
    only(SIM_RULE_IOARCB_RRQ, 1);
}

Test(sim_strict_host, ports_that_do_not_exist)
{
    struct afu_ioarcb r = read_command(HAL_ORDER_BIG);

    r.req_flags = xe16_of(HAL_ORDER_BIG, AFU_REQ_PORT_LUN_ID);
    r.port_sel = xe32_of(HAL_ORDER_BIG, 3);
    ioarcb(HAL_ORDER_BIG, &r);
    nothing();
    r.port_sel = xe32_of(HAL_ORDER_BIG, 4);
    ioarcb(HAL_ORDER_BIG, &r);
    only(SIM_RULE_IOARCB_PORTS, 1);
}

/* SL 6: 0 for AFU commands. */
Test(sim_strict_host, ports_of_an_afu_command)
{
    struct afu_ioarcb r = read_command(HAL_ORDER_BIG);

    r.req_flags = xe16_of(HAL_ORDER_BIG, AFU_REQ_AFU_CMD);
    r.port_sel = xe32_of(HAL_ORDER_BIG, 0);
    ioarcb(HAL_ORDER_BIG, &r);
    nothing();
    r.port_sel = xe32_of(HAL_ORDER_BIG, 1);
    ioarcb(HAL_ORDER_BIG, &r);
    only(SIM_RULE_IOARCB_PORTS, 1);
}

Test(sim_strict_host, the_ioasa_of_a_queue_slot)
{
    struct afu_ioarcb r = read_command(HAL_ORDER_BIG);

    sim_strict_ioarcb(&s, NOW, 1, HAL_ORDER_BIG, &r, 0x1010);
    nothing();
    sim_strict_ioarcb(&s, NOW, 1, HAL_ORDER_BIG, &r, 0x1008);
    only(SIM_RULE_IOASA_ALIGN, 1);
}

/* ---- tables -----------------------------------------------------------------------------------
 */

static struct afu_rht_entry virtual_entry(uint64_t lxt, uint32_t count)
{
    struct afu_rht_virtual v = {
        .lxt_start = lxt, .lxt_cnt = count, .permissions = AFU_PERM_RW, .nmask = 16};

    return afu_rht_pack_virtual(HAL_ORDER_BIG, &v);
}

static void read_entry(const uint8_t bytes[16])
{
    struct afu_rht_entry e;

    memcpy(&e, bytes, sizeof e);
    sim_strict_rht_read(&s, NOW, 1, HAL_ORDER_BIG, &e);
}

/* Bytes of SL 8.1 and 8.2 in big-endian order. */
Test(sim_strict_host, entries)
{
    static const uint8_t format0[16] = {0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0x03, 16};
    static const uint8_t format1[16] = {0, 1, 0, 0, 0, 0, 0, 4, 0x80, 0, 0, 0, 0, 0, 0x13, 3};
    static const uint8_t zero[16] = {0};

    read_entry(format0);
    read_entry(format1);
    read_entry(zero);
    nothing();
}

Test(sim_strict_host, reserved_bits_of_entries)
{
    static const uint8_t bad[][16] = {
        {0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 1, 0, 0x03, 16},   /* format 0, byte 12 */
        {0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0x07, 16},   /* fp bit 2 */
        {0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0x0B, 16},   /* fp bit 3 */
        {0, 1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 1, 0x13, 3}, /* format 1, byte 13 */
        {0, 1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0x23, 3}, /* format 2 */
    };

    for (unsigned i = 0; i < 5; i++) {
        read_entry(bad[i]);
        only(SIM_RULE_RHT_RESERVED, i + 1);
    }
}

Test(sim_strict_host, lxt_entries)
{
    struct afu_rht_entry e = virtual_entry(LXT + 8, 1);

    sim_strict_rht_read(&s, NOW, 1, HAL_ORDER_BIG, &e);
    sim_strict_lxt_read(&s, NOW, 1, LXT, UINT64_MAX & ~UINT64_C(0xC0));
    nothing();
    e = virtual_entry(LXT + 4, 1);
    sim_strict_rht_read(&s, NOW, 1, HAL_ORDER_BIG, &e);
    only(SIM_RULE_LXT_ALIGN, 1);
}

Test(sim_strict_host, reserved_bits_of_lxt_entries)
{
    sim_strict_lxt_read(&s, NOW, 1, LXT, 0x40);
    only(SIM_RULE_LXT_RESERVED, 1);
    sim_strict_lxt_read(&s, NOW, 1, LXT, 0x80);
    only(SIM_RULE_LXT_RESERVED, 2);
}

/* ---- order of the stores ----------------------------------------------------------------------
 */

static void store_lxt(unsigned from, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        sim_strict_lxt_store(&s, LXT + 8 * (from + i));
}

/* A store to word `word` of entry 2, which then has this pointer and count. */
static void store_rht(unsigned word, uint64_t lxt, uint32_t count)
{
    struct afu_rht_entry e = virtual_entry(lxt, count);

    sim_strict_rht_store(&s, NOW, 1, RHT + 32 + 8 * word, HAL_ORDER_BIG, &e);
}

/* SL 8.5: entries, pointer, count, each published before the next. */
Test(sim_strict_host, a_virtual_lun_grows)
{
    store_lxt(0, 4);
    sim_strict_publish(&s);
    store_rht(0, LXT, 0);
    sim_strict_publish(&s);
    store_rht(1, LXT, 4);
    sim_strict_publish(&s);
    sim_strict_lxt_read(&s, NOW, 1, LXT + 24, 0);
    store_lxt(4, 4); /* the next ones, which the count does not show */
    sim_strict_lxt_read(&s, NOW, 1, LXT + 24, 0);
    sim_strict_publish(&s);
    store_rht(1, LXT, 8);
    nothing();
}

Test(sim_strict_host, the_count_waits_for_the_entries)
{
    store_rht(0, LXT, 0);
    sim_strict_publish(&s);
    store_lxt(0, 4);
    store_rht(1, LXT, 4);
    only(SIM_RULE_TABLE_BARRIER, 1);
}

Test(sim_strict_host, the_pointer_waits_for_the_entries)
{
    store_lxt(0, 4);
    store_rht(0, LXT, 4);
    only(SIM_RULE_TABLE_BARRIER, 1);
}

Test(sim_strict_host, the_count_waits_for_the_pointer)
{
    store_rht(0, LXT, 0);
    store_rht(1, LXT, 4);
    only(SIM_RULE_TABLE_BARRIER, 1);
}

/* Another thread may be amid its own stores. */
Test(sim_strict_host, other_tables_do_not_matter)
{
    store_lxt(100, 4);
    store_rht(1, LXT, 100);
    nothing();
    store_rht(1, LXT, 101);
    only(SIM_RULE_TABLE_BARRIER, 1);
}

Test(sim_strict_host, nothing_unpublished_is_walked_over)
{
    store_lxt(3, 2);
    sim_strict_lxt_read(&s, NOW, 1, LXT + 16, 0);
    sim_strict_lxt_read(&s, NOW, 1, LXT + 40, 0);
    nothing();
    sim_strict_lxt_read(&s, NOW, 1, LXT + 32, 0);
    only(SIM_RULE_TABLE_SHOWN, 1);
}

/* It remembers the latest runs; older ones are forgotten, never invented. */
Test(sim_strict_host, many_runs)
{
    for (unsigned i = 0; i < SIM_STRICT_RUNS + 1; i++)
        store_lxt(3 * i, 1);
    sim_strict_lxt_read(&s, NOW, 1, LXT, 0);
    nothing();
    sim_strict_lxt_read(&s, NOW, 1, LXT + 24, 0);
    only(SIM_RULE_TABLE_SHOWN, 1);
}

Test(sim_strict_host, where_the_tables_are)
{
    uint16_t context = 0;

    sim_strict_ctx_add(&s, 3);
    sim_strict_register(&s, NOW, AFU_CTRL_BASE(3) + AFU_CTRL_RHT_START, RHT, 0);
    cr_assert(!sim_strict_in_rht(&s, RHT, &context));
    sim_strict_register(&s, NOW, AFU_CTRL_BASE(3) + AFU_CTRL_RHT_CNT_ID, UINT64_C(2) << 48, 0);
    cr_assert(sim_strict_in_rht(&s, RHT + 31, &context));
    cr_assert_eq(context, 3);
    cr_assert(!sim_strict_in_rht(&s, RHT + 32, &context));
    cr_assert(!sim_strict_in_rht(&s, RHT - 1, &context));
    sim_strict_ctx_terminate(&s, 3);
    cr_assert(!sim_strict_in_rht(&s, RHT, &context));
    nothing();
}
