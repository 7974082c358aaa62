/* SPDX-License-Identifier: Apache-2.0 */
/* The golden trace of docs/spec/adapter.md section 2, literally: one hardware queue, two ports,
 * master handle 3, both byte orders, with and without port names. Offsets and values are numbers of
 * the specification, not the constants of hal/. For bring_up_test.c and bring_up_failure_test.c. */
#ifndef SPIPE_TESTS_UNIT_CORE_BRING_UP_GOLDEN_H
#define SPIPE_TESTS_UNIT_CORE_BRING_UP_GOLDEN_H

#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/lun/lun_mode.h"
#include "hal/support/bits.h"
#include "tests/testlib/fake_exec.h"
#include "tests/testlib/scripted_hal.h"

enum { MASTER = 3, QUEUE_DEPTH = 8, RRQ_ELEMENTS = 512, WHY = 120 };

static const char vpd_without_names[] = {(char)0x82, 1,   0,   'x', (char)0x90, 4,
                                         0,          'P', 'N', 1,   '1',        0x78};

/* Section 24.4: V5 is 5005076802000001; V6 follows. */
static const char vpd_with_names[] = "\x82\x01\x00x\x90\x26\x00"
                                     "V5\x10"
                                     "5005076802000001"
                                     "V6\x10"
                                     "50050768020000AF"
                                     "\x78";

#define WWPN_0 UINT64_C(0x5005076802000001)
#define WWPN_1 UINT64_C(0x50050768020000AF)

/* ---- the golden trace ---- */

/* Values that are known only when the test runs. */
enum what { PLAIN, RRQ_START, RRQ_END, SQ_START, SQ_END };

/* One register access of host 3, ctrl 3, the global area or a port. */
struct row {
    char access; /* 'R': value is the reply; 'W' */
    uint32_t offset;
    uint64_t little, big; /* value by byte order of the instance */
    enum what what;
};

#define SAME(v) (v), (v)

/* Rows 1: versions and ports. */
static const struct row versions[] = {
    {'R', 0x2010800, SAME(0x53494D3030303031), PLAIN}, /* afu_version "SIM00001" */
    {'R', 0x2010808, SAME(0x8000000000010002), PLAIN}, /* interface_version */
    {'R', 0x2010030, SAME(3), PLAIN},                  /* afu_port_sel */
};

/* Row 2, 1536 writes of 0, stands in golden(). Rows 3 to 6. */
static const struct row byte_order[] = {
    {'W', 0x0030000, 0, 0x8000000000000080, PLAIN}, /* host[3].endian_ctrl */
};

static const struct row rrq[] = {
    {'W', 0x0030028, SAME(0), RRQ_START}, /* host[3].rrq_start */
    {'W', 0x0030030, SAME(0), RRQ_END},   /* host[3].rrq_end */
};

/* AD-46a, only in SQ mode. */
static const struct row sq[] = {
    {'W', 0x0030050, SAME(0), SQ_START}, /* host[3].sq_start */
    {'W', 0x0030058, SAME(0), SQ_END},   /* host[3].sq_end */
};

static const struct row configuration[] = {
    {'R', 0x2010038, SAME(0x10), PLAIN},     /* afu_config: a bit that must survive */
    {'W', 0x2010038, 0x7F30, 0x7F10, PLAIN}, /* auto-retry, little endian */
    {'W', 0x2010030, SAME(3), PLAIN},        /* afu_port_sel */
};

/* Row 7 for port 0 (0x2012000); port 1 is 0x1000 further. */
static const struct row port_setup[] = {
    {'W', 0x2012390, SAME(0), PLAIN},   /* FC_ERRMSK */
    {'R', 0x2012538, SAME(7), PLAIN},   /* FC_CNT_CRCERR */
    {'W', 0x2012580, SAME(100), PLAIN}, /* FC_CRC_THRESH */
};

/* Row 7, in brackets: CMDCONFIG 0x23 is what a working port shows (SL 5.3). */
static const struct row port_name[] = {
    {'R', 0x2012010, SAME(0x23), PLAIN}, {'W', 0x2012010, SAME(0x43), PLAIN},
    {'R', 0x2012018, SAME(0x20), PLAIN}, {'R', 0x2012018, SAME(0x10), PLAIN},
    {'W', 0x2012300, SAME(0), PLAIN}, /* FC_PNAME: value set in golden() */
    {'R', 0x2012010, SAME(0x43), PLAIN}, {'W', 0x2012010, SAME(0x23), PLAIN},
    {'R', 0x2012018, SAME(0x00), PLAIN}, {'R', 0x2012018, SAME(0x20), PLAIN},
};

/* Rows 8 to 14. */
static const struct row final[] = {
    {'R', 0x2000198, SAME(0), PLAIN},                  /* ctrl[3].mbox_r */
    {'W', 0x2000190, SAME(0x600000000000000F), PLAIN}, /* ctrl[3].ctx_cap */
    {'R', 0x0030040, SAME(0), PLAIN},                  /* host[3].ctx_ctrl */
    {'R', 0x2010020, SAME(41), PLAIN},                 /* afu_hb */
    {'W', 0x2010010, SAME(UINT64_MAX), PLAIN},         /* aintr_mask */
    {'W', 0x2010018, SAME(0x0003030000000000), PLAIN}, /* afu_ctrl */
    {'W', 0x2010008, SAME(UINT64_MAX), PLAIN},         /* aintr_clear */
    {'W', 0x2010010, SAME(0xFFFFFFFF00000000), PLAIN}, /* aintr_mask */
    {'W', 0x2010008, SAME(UINT64_MAX), PLAIN},         /* aintr_clear */
    {'R', 0x2012328, SAME(0x300000000), PLAIN},        /* port 0 FC_CONFIG2 */
    {'W', 0x2012328, SAME(0), PLAIN},
    {'W', 0x2012380, SAME(0xFFFFFFFF), PLAIN}, /* FC_ERROR, FC_ERRCAP */
    {'W', 0x2012388, SAME(0), PLAIN},
    {'W', 0x2013380, SAME(0xFFFFFFFF), PLAIN},
    {'W', 0x2013388, SAME(0), PLAIN},
    {'R', 0x0030040, SAME(0x8000000000000000), PLAIN}, /* host[3].ctx_ctrl */
    {'W', 0x0030040, SAME(0x8000000000000001), PLAIN},
    {'W', 0x0030018, SAME(0xFFFFFFFFFFFFF800), PLAIN}, /* intr_mask */
    {'R', 0x0030038, SAME(16), PLAIN},                 /* cmd_room */
};

/* ---- fixture ---- */

struct bring_up_fixture {
    struct fake_exec exec;
    struct scripted_hal hal;
    struct spipe s;
    char why[WHY];
};

static struct bring_up_fixture f;

static inline void set_up(enum hal_order order)
{
    struct spipe__queue_config config = {.order = order,
                                         .depth = QUEUE_DEPTH,
                                         .rrq_elements = RRQ_ELEMENTS,
                                         .interrupts = true,
                                         .sq = true,
                                         .name = "q"};

    memset(&f, 0, sizeof f);
    fake_exec_init(&f.exec, 1);
    scripted_hal_init(&f.hal, MASTER);
    f.s.exec = &f.exec.exec;
    f.s.dev = &f.hal.dev;
    f.s.order = order;
    cr_assert_eq(spipe__group_join(&f.s, NULL), 0);
    spipe__locks_init(&f.s);
    spipe__lun_table_init(&f.s);
    cr_assert_eq(spipe__hwq_make(&f.s.hwq[0], &config), 0);
}

/* Every test ends here: the conversation took place to its end, and nothing is left. */
static inline void tear_down(void)
{
    spipe__queue_fini(&f.s.hwq[0].queue);
    spipe__lun_finish(&f.s);
    spipe__group_leave(&f.s);
    scripted_hal_done(&f.hal);
    cr_assert_eq(f.exec.blocks, 0);
}

static inline int bring_up(void) { return spipe__bring_up(&f.s, (struct spipe__why){f.why, WHY}); }

static inline void expect_row(const struct row *r, uint32_t distance, uint64_t value)
{
    if (r->what == RRQ_START)
        value = spipe__queue_rrq_start(&f.s.hwq[0].queue);
    if (r->what == RRQ_END)
        value = spipe__queue_rrq_start(&f.s.hwq[0].queue) + 8 * (RRQ_ELEMENTS - 1);
    if (r->what == SQ_START)
        value = (uint64_t)(uintptr_t)f.s.hwq[0].queue.sq;
    if (r->what == SQ_END)
        value = (uint64_t)(uintptr_t)f.s.hwq[0].queue.sq + 64 * QUEUE_DEPTH;
    if (r->access == 'R')
        scripted_expect_read(&f.hal, r->offset + distance, value);
    else
        scripted_expect_write(&f.hal, r->offset + distance, value);
}

static inline void expect_rows(const struct row *rows, size_t n, uint32_t distance)
{
    for (size_t i = 0; i < n; i++)
        expect_row(&rows[i], distance, f.s.order == HAL_ORDER_BIG ? rows[i].big : rows[i].little);
}

#define EXPECT_ROWS(rows, distance) expect_rows(rows, HAL_ARRAY_LENGTH(rows), distance)

static inline void expect_contexts_cleared(void)
{
    for (uint32_t c = 0; c < 512; c++)
        for (uint32_t reg = 0; reg <= 0x10; reg += 8)
            scripted_expect_write(&f.hal, 0x2000000 + c * 0x80 + reg, 0);
}

static inline void expect_name(uint32_t distance, uint64_t wwpn)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(port_name); i++)
        expect_row(&port_name[i], distance,
                   port_name[i].offset == 0x2012300 ? wwpn : port_name[i].little);
}

static inline void expect_start(void)
{
    scripted_expect_call(&f.hal, SCRIPTED_RELOAD, true, 0);
    scripted_expect_call(&f.hal, SCRIPTED_RESET, 0, 0);
    scripted_expect_call(&f.hal, SCRIPTED_CREATE, HAL_CTX_MASTER, 0);
    scripted_expect_call(&f.hal, SCRIPTED_START, 3, 0);
}

static inline void expect_vpd(const void *data, size_t size, int rc)
{
    scripted_expect(
        &f.hal, &(struct scripted_op){.kind = SCRIPTED_VPD, .data = data, .value = size, .rc = rc});
}

static inline void expect_end(void)
{
    scripted_expect_call(&f.hal, SCRIPTED_STOP, 0, 0);
    scripted_expect_call(&f.hal, SCRIPTED_RELEASE, 0, 0);
}

/* The whole conversation of a bring-up that works; `interface` is the AFU's interface_version. */
static inline void golden_of(uint64_t interface, bool with_names)
{
    bool sq_mode = interface >> 62 & 1;

    expect_start();
    EXPECT_ROWS(versions, 0);
    f.hal.ops[f.hal.count - 2].value = interface;
    expect_contexts_cleared();
    EXPECT_ROWS(byte_order, 0);
    if (with_names)
        expect_vpd(vpd_with_names, sizeof vpd_with_names - 1, 0);
    else
        expect_vpd(vpd_without_names, sizeof vpd_without_names, 0);
    EXPECT_ROWS(rrq, 0);
    if (sq_mode)
        EXPECT_ROWS(sq, 0);
    EXPECT_ROWS(configuration, 0);
    for (uint32_t port = 0; port < 2; port++) {
        EXPECT_ROWS(port_setup, port * 0x1000);
        if (with_names)
            expect_name(port * 0x1000, port ? WWPN_1 : WWPN_0);
    }
    EXPECT_ROWS(final, 0);
}

static inline void golden(bool with_names) { golden_of(UINT64_C(0x8000000000010002), with_names); }

/* Ends a bring-up that worked. */
static inline void end_golden(void)
{
    expect_end();
    spipe__take_down(&f.s);
    cr_expect_null(f.s.master);
    tear_down();
}

/* Changes the reply of the n-th access (from 0) to `offset` in the script. */
static inline struct scripted_op *script_access(uint64_t offset, unsigned n)
{
    for (size_t i = 0; i < f.hal.count; i++) {
        struct scripted_op *op = &f.hal.ops[i];
        if (op->kind <= SCRIPTED_WRITE && op->offset == offset && n-- == 0)
            return op;
    }
    cr_assert_fail("no such access");
    return NULL;
}

#endif
