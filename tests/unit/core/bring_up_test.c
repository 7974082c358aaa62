/* SPDX-License-Identifier: Apache-2.0 */
/* Bring-up against the golden trace of docs/spec/adapter.md section 2, literally: one hardware
 * queue, two ports, IOARRIN, master handle 3, both byte orders, with and without port names. Offsets
 * and values are numbers of the specification, not the constants of hal/. And: each step that can
 * fail fails, and everything done before it is undone in reverse. */
#include "core/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/fake_exec.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/scripted_hal.h"

TestSuite(bring_up, .timeout = 60);

enum { MASTER = 3, RRQ_ELEMENTS = 512, WHY = 120 };

static const char vpd_without_names[] = {(char)0x82, 1, 0, 'x', (char)0x90, 4, 0,
                                         'P',        'N', 1, '1', 0x78};

/* Section 24.4: V5 is 5005076802000001; V6 follows. */
static const char vpd_with_names[] = "\x82\x01\x00x\x90\x26\x00"
                                     "V5\x10" "5005076802000001"
                                     "V6\x10" "50050768020000AF" "\x78";

#define WWPN_0 UINT64_C(0x5005076802000001)
#define WWPN_1 UINT64_C(0x50050768020000AF)

/* ---- the golden trace ---- */

/* Values that are known only when the test runs. */
enum what { PLAIN, RRQ_START, RRQ_END };

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
static const struct row rings[] = {
    {'W', 0x0030000, 0, 0x8000000000000080, PLAIN},  /* host[3].endian_ctrl */
};

static const struct row configuration[] = {
    {'W', 0x0030028, SAME(0), RRQ_START},       /* host[3].rrq_start */
    {'W', 0x0030030, SAME(0), RRQ_END},         /* host[3].rrq_end */
    {'R', 0x2010038, SAME(0x10), PLAIN},        /* afu_config: a bit that must survive */
    {'W', 0x2010038, 0x7F30, 0x7F10, PLAIN},    /* auto-retry, little endian */
    {'W', 0x2010030, SAME(3), PLAIN},           /* afu_port_sel */
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

struct fixture {
    struct fake_exec exec;
    struct scripted_hal hal;
    struct spipe s;
    char why[WHY];
};

static struct fixture f;

static void set_up(enum hal_order order)
{
    struct spipe__queue_config config = {
        .order = order, .depth = 8, .rrq_elements = RRQ_ELEMENTS, .interrupts = true, .name = "q"};

    memset(&f, 0, sizeof f);
    fake_exec_init(&f.exec, 1);
    scripted_hal_init(&f.hal, MASTER);
    f.s.exec = &f.exec.exec;
    f.s.dev = &f.hal.dev;
    f.s.order = order;
    exec_mutex_init(f.s.exec, &f.s.control, "control");
    exec_mutex_init(f.s.exec, &f.s.internal, "internal");
    spipe__lun_table_init(&f.s);
    cr_assert_eq(spipe__queue_init(&f.s.queue, f.s.exec, f.s.dev, &config), 0);
}

/* Every test ends here: the conversation took place to its end, and nothing is left. */
static void tear_down(void)
{
    spipe__queue_fini(&f.s.queue);
    scripted_hal_done(&f.hal);
    cr_assert_eq(f.exec.blocks, 0);
}

static int bring_up(void) { return spipe__bring_up(&f.s, (struct spipe__why){f.why, WHY}); }

static void expect_row(const struct row *r, uint32_t distance, uint64_t value)
{
    if (r->what == RRQ_START)
        value = spipe__queue_rrq_start(&f.s.queue);
    if (r->what == RRQ_END)
        value = spipe__queue_rrq_start(&f.s.queue) + 8 * (RRQ_ELEMENTS - 1);
    if (r->access == 'R')
        scripted_expect_read(&f.hal, r->offset + distance, value);
    else
        scripted_expect_write(&f.hal, r->offset + distance, value);
}

static void expect_rows(const struct row *rows, size_t n, uint32_t distance)
{
    for (size_t i = 0; i < n; i++)
        expect_row(&rows[i], distance, f.s.order == HAL_ORDER_BIG ? rows[i].big : rows[i].little);
}

#define EXPECT_ROWS(rows, distance) expect_rows(rows, HAL_ARRAY_LENGTH(rows), distance)

static void expect_contexts_cleared(void)
{
    for (uint32_t c = 0; c < 512; c++)
        for (uint32_t reg = 0; reg <= 0x10; reg += 8)
            scripted_expect_write(&f.hal, 0x2000000 + c * 0x80 + reg, 0);
}

static void expect_name(uint32_t distance, uint64_t wwpn)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(port_name); i++)
        expect_row(&port_name[i], distance,
                   port_name[i].offset == 0x2012300 ? wwpn : port_name[i].little);
}

static void expect_start(void)
{
    scripted_expect_call(&f.hal, SCRIPTED_RELOAD, true, 0);
    scripted_expect_call(&f.hal, SCRIPTED_RESET, 0, 0);
    scripted_expect_call(&f.hal, SCRIPTED_CREATE, HAL_CTX_MASTER, 0);
    scripted_expect_call(&f.hal, SCRIPTED_START, 3, 0);
}

static void expect_vpd(const void *data, size_t size, int rc)
{
    scripted_expect(&f.hal, &(struct scripted_op){
                                .kind = SCRIPTED_VPD, .data = data, .value = size, .rc = rc});
}

static void expect_end(void)
{
    scripted_expect_call(&f.hal, SCRIPTED_STOP, 0, 0);
    scripted_expect_call(&f.hal, SCRIPTED_RELEASE, 0, 0);
}

/* The whole conversation of a bring-up that works. */
static void golden(bool with_names)
{
    expect_start();
    EXPECT_ROWS(versions, 0);
    expect_contexts_cleared();
    EXPECT_ROWS(rings, 0);
    if (with_names)
        expect_vpd(vpd_with_names, sizeof vpd_with_names - 1, 0);
    else
        expect_vpd(vpd_without_names, sizeof vpd_without_names, 0);
    EXPECT_ROWS(configuration, 0);
    for (uint32_t port = 0; port < 2; port++) {
        EXPECT_ROWS(port_setup, port * 0x1000);
        if (with_names)
            expect_name(port * 0x1000, port ? WWPN_1 : WWPN_0);
    }
    EXPECT_ROWS(final, 0);
}

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
    cr_expect_eq(f.s.queue.room, 16);
    cr_expect_not(f.s.ws_unmap);
}

static void end_golden(void)
{
    expect_end();
    spipe__take_down(&f.s);
    cr_expect_null(f.s.master);
    tear_down();
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
    memset(f.s.queue.rrq, 0xFF, RRQ_ELEMENTS * sizeof *f.s.queue.rrq);
    golden(false);
    cr_assert_eq(bring_up(), 0);
    for (unsigned i = 0; i < RRQ_ELEMENTS; i++)
        cr_assert_eq(f.s.queue.rrq[i], 0);
    cr_expect(f.s.queue.rrq_at == f.s.queue.rrq);
    cr_expect_not(spipe__queue_pending(&f.s.queue));
    PROVES(AD_44);
    end_golden();
}

/* ---- variations ---- */

/* Changes the reply of the n-th access (from 0) to `offset` in the script. */
static struct scripted_op *script_access(uint64_t offset, unsigned n)
{
    for (size_t i = 0; i < f.hal.count; i++) {
        struct scripted_op *op = &f.hal.ops[i];
        if (op->kind <= SCRIPTED_WRITE && op->offset == offset && n-- == 0)
            return op;
    }
    cr_assert_fail("no such access");
    return NULL;
}

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

/* AD-49i, AD-193: known LUNs get their words again, after everything else. */
Test(bring_up, lun_table_is_restored)
{
    set_up(HAL_ORDER_LITTLE);
    f.s.lun_count = 2;
    f.s.lun[0] = (struct spipe__lun){.lun_id = {1, 2}, .port_mask = 3, .in_table = true};
    f.s.lun[1] = (struct spipe__lun){.lun_id = {0, UINT64_C(0x0005000000000000)}, .port_mask = 2,
                                     .in_table = true, .table_index = 255};
    golden(false);
    scripted_expect_write(&f.hal, 0x2014000, 1);
    scripted_expect_write(&f.hal, 0x2015000, 2);
    scripted_expect_write(&f.hal, 0x2015000 + 255 * 8, UINT64_C(0x0005000000000000));
    cr_assert_eq(bring_up(), 0);
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
    EXPECT_ROWS(rings, 0);
    expect_vpd(vpd_without_names, sizeof vpd_without_names, 0);
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
        EXPECT_ROWS(rings, 0);
        expect_vpd(NULL, 0, -EIO);
        expect_end();
        script_access(0x2010030, 0)->value = cases[i].mask;
        cr_assert_eq(bring_up(), -EIO);
        cr_expect_eq(f.s.ports, cases[i].ports, "mask %x", (unsigned)cases[i].mask);
        tear_down();
    }
    PROVES(AD_40);
}

/* AD-36: SQ alone cannot be served; both, or neither bit, is IOARRIN. */
Test(bring_up, submission_modes)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010808, 0)->value = UINT64_C(0xC000000000010002);
    cr_assert_eq(bring_up(), 0);
    end_golden();

    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010808, 0)->value = UINT64_C(0x0000000000010002);
    cr_assert_eq(bring_up(), 0);
    end_golden();
}

/* ---- failures ---- */

/* Cuts the script behind operation `last` and appends the end of the master. */
static void cut_behind(const struct scripted_op *last, bool stop, bool release)
{
    f.hal.count = (size_t)(last - f.hal.ops) + 1;
    if (stop)
        scripted_expect_call(&f.hal, SCRIPTED_STOP, 0, 0);
    if (release)
        scripted_expect_call(&f.hal, SCRIPTED_RELEASE, 0, 0);
}

static void expect_failure(int rc)
{
    cr_assert_eq(bring_up(), rc);
    cr_expect_neq(f.why[0], '\0', "a failure needs a sentence");
    cr_expect_null(f.s.master);
    cr_expect_eq(f.s.generation, 0);
    tear_down();
}

/* The calls before the first register access, one after the other. */
Test(bring_up, failing_calls_are_undone)
{
    static const struct {
        unsigned op;
        int rc;
        bool release;
    } cases[] = {
        {0, -ENODEV, false}, {1, -EBUSY, false}, {1, -EIO, false},     {1, -ENODEV, false},
        {2, -ENODEV, false}, {2, -ENOSPC, false}, {2, -ENOMEM, false}, {2, -EACCES, false},
        {3, -ENOSPC, true},  {3, -EIO, true},    {3, -EINVAL, true},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
        set_up(HAL_ORDER_LITTLE);
        expect_start();
        f.hal.ops[cases[i].op].rc = cases[i].rc;
        cut_behind(&f.hal.ops[cases[i].op], false, cases[i].release);
        expect_failure(cases[i].rc);
    }
    PROVES(AD_33);
    PROVES(AD_49j);
}

/* A platform that takes no hint is noted, not refused. */
Test(bring_up, reload_hint_may_be_refused)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    f.hal.ops[0].rc = -EACCES;
    cr_assert_eq(bring_up(), 0);
    cr_expect(f.s.notes.reload_refused);
    end_golden();
}

/* AD-35: all ones is an old AFU, unless a second register says that nobody is there. */
Test(bring_up, back_level_and_dead_adapters_are_refused)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010808, 0)->value = UINT64_MAX;
    cut_behind(script_access(0x2010030, 0), true, true);
    expect_failure(-EINVAL);
    PROVES(AD_35);

    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010808, 0)->value = UINT64_MAX;
    script_access(0x2010030, 0)->value = UINT64_MAX;
    cut_behind(script_access(0x2010030, 0), true, true);
    expect_failure(-ENODEV);

    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010030, 0)->value = UINT64_MAX;
    cut_behind(script_access(0x2010030, 0), true, true);
    expect_failure(-ENODEV);

    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x2010808, 0)->value = UINT64_C(0x4000000000010002);
    cut_behind(script_access(0x2010808, 0), true, true);
    expect_failure(-EINVAL);
    PROVES(AD_49j);
}

/* AD-45: no data, or a name that is none. */
Test(bring_up, bad_vpd_is_refused)
{
    static const char bad[] = "\x90\x13\x00V6\x10" "50050768020000zz";
    static const struct {
        const char *data;
        size_t size;
        int rc, result;
    } cases[] = {{NULL, 0, -EIO, -EIO}, {NULL, 0, 0, -ENODEV}, {bad, sizeof bad - 1, 0, -ENODEV}};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
        set_up(HAL_ORDER_LITTLE);
        expect_start();
        EXPECT_ROWS(versions, 0);
        expect_contexts_cleared();
        EXPECT_ROWS(rings, 0);
        expect_vpd(cases[i].data, cases[i].size, cases[i].rc);
        expect_end();
        expect_failure(cases[i].result);
    }
    PROVES(AD_45);
}

/* An adapter that dies on the way: its credits read all ones, and so does endian_ctrl. */
Test(bring_up, adapter_that_dies_on_the_way)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    script_access(0x0030038, 0)->value = UINT64_MAX;
    scripted_expect_read(&f.hal, 0x0030000, UINT64_MAX);
    expect_end();
    expect_failure(-ENODEV);
    PROVES(AD_49j);
}

/* A stop that fails does not keep the context: release follows (D-9). */
Test(bring_up, failing_stop_is_followed_by_release)
{
    set_up(HAL_ORDER_LITTLE);
    golden(false);
    cr_assert_eq(bring_up(), 0);
    scripted_expect_call(&f.hal, SCRIPTED_STOP, 0, -EIO);
    scripted_expect_call(&f.hal, SCRIPTED_RELEASE, 0, 0);
    spipe__take_down(&f.s);
    spipe__take_down(&f.s); /* harmless */
    tear_down();
    PROVES(AD_51);
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
