/* SPDX-License-Identifier: Apache-2.0 */
/* Every return code of SL 18.1 to 18.3, each by a command, a register, the contents of a table, or
 * a planned fault, and each in a test of its own. The lists of codes are those of hal/afu_cmd.h: a
 * code that is added there and not here fails the test. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "hal/afu_names.h"
#include "hal/support/bits.h"
#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"

#define LIMIT UINT64_C(100000000)

static struct model *m;
static struct model_ctx user;
static const uint64_t chunk0[] = {0};

static void up(const char *profile)
{
    m = model_create(profile);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
}

static void down(void)
{
    model_ctx_end(m, &user);
    model_expect_any_violations(m); /* some codes are the answer to one */
    model_destroy(m);
}

static void plan(const char *faults)
{
    char why[160];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

static void set_global(uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + reg, value);
}

static void set_ctrl(uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + reg, value);
}

static void io(bool write, uint32_t handle, uint64_t lba)
{
    model_rw(m, &user, 0, write, handle, lba, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, LIMIT), "no answer");
}

static void read_block(void) { io(false, 0, 0); }

static void direct(bool valid, unsigned permissions)
{
    struct afu_rht_direct d = {.lun_id = afu_lun_id(0),
                               .valid = valid,
                               .permissions = (uint8_t)permissions,
                               .port_sel = 3};

    user.rht[1] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
}

static void lxt_at(uint64_t start)
{
    struct afu_rht_virtual v = {
        .lxt_start = start, .lxt_cnt = 1, .permissions = AFU_PERM_RW, .nmask = 16};

    user.rht[0] = afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
}

/* ---- SL 18.1 ----------------------------------------------------------------------------------
 */

static void good(void) { read_block(); }

static void closed_direct_handle(void)
{
    direct(false, AFU_PERM_RW);
    io(false, 1, 0);
}

static void unaligned_rht(void)
{
    set_ctrl(AFU_CTRL_RHT_START, (uintptr_t)user.rht + 8);
    read_block();
}

static void handle_beyond_the_table(void) { io(false, 256, 0); }

static void rht_of_nobody(void)
{
    set_ctrl(AFU_CTRL_RHT_START, 0x1000);
    read_block();
}

static void handle_never_opened(void) { io(false, 9, 0); }

static void unaligned_lxt(void)
{
    lxt_at((uintptr_t)m->lxt + 4);
    read_block();
}

static void block_beyond_the_lxt(void) { io(false, 0, 65536); }

static void lxt_of_nobody(void)
{
    lxt_at(0x1000);
    read_block();
}

static void lxt_read_only(void)
{
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 0, AFU_PERM_READ, 3));
    io(true, 0, 0);
}

static void owner_without_right(void)
{
    model_store(m, &m->master, AFU_CTRL_BASE(m->master.handle) + AFU_CTRL_CTX_CAP, 0);
    read_block();
}

static void no_port_selected(void)
{
    set_global(AFU_GLOBAL_AFU_PORT_SEL, 0);
    read_block();
}

static void not_a_read(void)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.cdb[0] = 0;
    cr_assert(model_issue(m, &user, 0, LIMIT));
}

/* The second sync of two; its status is put where the others have theirs. */
static void two_syncs(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct afu_ioarcb *r = model_ioarcb(&m->master, i);

        r->req_flags = xe16_of(m->master.order, AFU_REQ_AFU_CMD);
        afu_sync_cdb(r->cdb, AFU_SYNC_LW, user.handle, 0);
        model_doorbell(m, &m->master, i);
    }
    model_run_dry(m);
    user.pair[0].ioasa = m->master.pair[1].ioasa;
}

static void more_data_than_buffers(void)
{
    set_global(AFU_GLOBAL_AFU_CONFIG, AFU_CONFIG_ENDIAN_LITTLE);
    sim_afu_params_mutable(m->afu)->data_buffers = 1;
    for (unsigned i = 2; i; i--) {
        model_rw(m, &user, i - 1, false, 0, i, 1, m->buffer);
        model_doorbell(m, &user, i - 1);
    }
    model_run_dry(m);
}

static void data_error(void)
{
    plan("data#1=x(3)");
    read_block();
}

static void timed(uint16_t unit, uint16_t timeout)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.req_flags = xe16_of(user.order, (uint16_t)(AFU_REQ_RES_HNDL | unit));
    user.pair[0].ioarcb.timeout = xe16_of(user.order, timeout);
    cr_assert(model_issue(m, &user, 0, LIMIT));
}

/* The table walk alone takes longer than 50 cycles, the medium longer than 100 us. */
static void out_of_time_in_the_walk(void) { timed(AFU_REQ_TIMEOUT_CYCLES, 50); }

static void out_of_time_on_the_medium(void) { timed(AFU_REQ_TIMEOUT_MICROSECONDS, 100); }

static void wrong_direction(void)
{
    model_rw(m, &user, 0, true, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.req_flags = xe16_of(user.order, AFU_REQ_RES_HNDL);
    cr_assert(model_issue(m, &user, 0, LIMIT));
}

static void wrong_direction_on_flashgt(void)
{
    down();
    up("flashgt");
    wrong_direction();
}

/* ---- SL 18.2 ----------------------------------------------------------------------------------
 */

static void planned_read(const char *faults)
{
    plan(faults);
    read_block();
}

static void fc_crcerr(void) { planned_read("fc#1=x(0x51)"); }

static void fc_nologi(void) { planned_read("fc#1=x(0x54)"); }

static void fc_noexp(void) { planned_read("fc#1=x(0x55)"); }

static void fc_inuse(void) { planned_read("fc#1=x(0x56)"); }

static void fc_abortfail(void) { planned_read("fc#1=x(0x59)"); }

static void fc_fcperr(void) { planned_read("fc#1=x(0x60)"); }

static void lost_frame(void) { planned_read("fc#1=s"); }

static void lost_frame_unnoticed(void) { planned_read("fc#1=s(0x100000000)"); }

static void bad_xfer_rdy(void)
{
    plan("fc#1=x(0x53)");
    io(true, 0, 0);
}

static void by_port(uint8_t opcode)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->port_sel = xe32_of(m->master.order, 1);
    r->cdb[0] = opcode;
    cr_assert(model_issue(m, &m->master, 0, LIMIT));
    user.pair[0].ioasa = m->master.pair[0].ioasa;
}

static void lost_response(void)
{
    plan("fc#1=s");
    by_port(0x00); /* TEST UNIT READY */
}

/* While a read is on the medium. */
static void during_a_read(void (*what)(void))
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 3000);
    what();
    while (model_harvest(&user) < 0)
        model_run(m, 1000);
}

static void port_offline(void)
{
    model_store(m, &m->master, AFU_PORT_REGS(0) + AFU_FC_MTIP_CMDCONFIG, AFU_FC_CMDCONFIG_OFF_LINE);
    model_run(m, 250000);
}

static void link_down_in_flight(void)
{
    sim_afu_params_mutable(m->afu)->media_unwritten = 300000;
    during_a_read(port_offline);
}

static void shut_down_port(void)
{
    model_store(m, &m->master, AFU_PORT_REGS(0) + AFU_FC_CONFIG2, AFU_FC_CONFIG2_SHUTDOWN_ABRUPT);
}

static void shutdown_in_flight(void) { during_a_read(shut_down_port); }

static void reset_lun(void)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->req_flags = xe16_of(m->master.order, AFU_TMF_REQ_FLAGS);
    r->port_sel = xe32_of(m->master.order, 1);
    afu_tmf_cdb(r->cdb, m->master.order, AFU_TMF_LUN_RESET);
    model_doorbell(m, &m->master, 0);
    model_run(m, 1000);
}

static void lun_reset_in_flight(void) { during_a_read(reset_lun); }

/* ---- SL 18.3 ----------------------------------------------------------------------------------
 */

static void block_beyond_the_lun(void)
{
    direct(true, AFU_PERM_RW);
    io(false, 1, UINT64_C(1) << 40);
}

static void condition_met(void) { planned_read("media#1=x(0x04000000)"); }

static void busy(void) { planned_read("media#1=x(0x08000000)"); }

static void reservation_conflict(void) { planned_read("media#1=x(0x18000000)"); }

static void task_set_full(void) { planned_read("media#1=x(0x28000000)"); }

static void aca_active(void) { planned_read("media#1=x(0x30000000)"); }

static void task_aborted(void) { planned_read("media#1=x(0x40000000)"); }

/* ---- the table --------------------------------------------------------------------------------
 */

enum field { AFU, SCSI, FC };

static const struct {
    enum field field;
    uint8_t code;
    uint8_t extra; /* afu_extra */
    void (*produce)(void);
    const char *name;
} rows[] = {
    {AFU, 0x00, 0, good, "NONE"},
    {AFU, 0x01, 0, closed_direct_handle, "RHT_INVALID"},
    {AFU, 0x02, 0, unaligned_rht, "RHT_UNALIGNED"},
    {AFU, 0x03, 0, handle_beyond_the_table, "RHT_OUT_OF_BOUNDS"},
    {AFU, 0x04, 0x0B, rht_of_nobody, "RHT_DMA_ERR"},
    {AFU, 0x05, 0, handle_never_opened, "RHT_RW_PERM"},
    {AFU, 0x12, 0, unaligned_lxt, "LXT_UNALIGNED"},
    {AFU, 0x13, 0, block_beyond_the_lxt, "LXT_OUT_OF_BOUNDS"},
    {AFU, 0x14, 0x0B, lxt_of_nobody, "LXT_DMA_ERR"},
    {AFU, 0x15, 0, lxt_read_only, "LXT_RW_PERM"},
    {AFU, 0x1A, 0, owner_without_right, "NOT_XLATE_HOST"},
    {AFU, 0x20, 0x03, no_port_selected, "NO_CHANNELS"},
    {AFU, 0x21, 0x03, not_a_read, "CAP_VIOLATION"},
    {AFU, 0x22, 0, two_syncs, "SYNC_IN_PROGRESS"},
    {AFU, 0x30, 0, more_data_than_buffers, "OUT_OF_DATA_BUFS"},
    {AFU, 0x31, 0x03, data_error, "DATA_DMA_ERR"},
    {AFU, 0x50, 0, out_of_time_in_the_walk, "TIMED_OUT_PRE_FC"},
    {AFU, 0x51, 0, out_of_time_on_the_medium, "TIMED_OUT"},
    {AFU, 0x62, 0, wrong_direction_on_flashgt, "GT_DIRECTION"},
    {FC, 0x00, 0, good, "NONE"},
    {FC, 0x51, 0, fc_crcerr, "CRCERR"},
    {FC, 0x52, 0, lost_response, "ABORTPEND"},
    {FC, 0x53, 0, bad_xfer_rdy, "WRABORTPEND"},
    {FC, 0x54, 0, fc_nologi, "NOLOGI"},
    {FC, 0x55, 0, fc_noexp, "NOEXP"},
    {FC, 0x56, 0, fc_inuse, "INUSE"},
    {FC, 0x57, 0, link_down_in_flight, "LINKDOWN"},
    {FC, 0x58, 0, wrong_direction, "ABORTOK"},
    {FC, 0x59, 0, fc_abortfail, "ABORTFAIL"},
    {FC, 0x5A, 0, lost_frame, "RESID"},
    {FC, 0x5B, 0, lost_frame_unnoticed, "RESIDERR"},
    {FC, 0x5C, 0, lun_reset_in_flight, "TGTABORT"},
    {FC, 0x5E, 0, shutdown_in_flight, "SHUTDOWN"},
    {FC, 0x60, 0, fc_fcperr, "FCPERR"},
    {SCSI, 0x00, 0, good, "GOOD"},
    {SCSI, 0x02, 0, block_beyond_the_lun, "CHECK_CONDITION"},
    {SCSI, 0x04, 0, condition_met, "CONDITION_MET"},
    {SCSI, 0x08, 0, busy, "BUSY"},
    {SCSI, 0x18, 0, reservation_conflict, "RESERVATION_CONFLICT"},
    {SCSI, 0x28, 0, task_set_full, "TASK_SET_FULL"},
    {SCSI, 0x30, 0, aca_active, "ACA_ACTIVE"},
    {SCSI, 0x40, 0, task_aborted, "TASK_ABORTED"},
};

static const char *name_of(enum field field, uint8_t code)
{
    return field == AFU  ? afu_rc_name(code)
           : field == FC ? afu_fc_rc_name(code)
                         : afu_scsi_rc_name(code);
}

static uint8_t code_of(enum field field, const struct afu_rc *rc)
{
    return field == AFU ? rc->afu_rc : field == FC ? rc->fc_rc : rc->scsi_rc;
}

ParameterizedTestParameters(return_codes, each_is_produced)
{
    static size_t row[HAL_ARRAY_LENGTH(rows)];

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(rows); i++)
        row[i] = i;
    return cr_make_param_array(size_t, row, HAL_ARRAY_LENGTH(rows));
}

ParameterizedTest(size_t *row, return_codes, each_is_produced)
{
    size_t i = *row;
    const struct afu_ioasa *s;

    up("flashsystem");
    rows[i].produce();
    s = &user.pair[0].ioasa;
    cr_expect_eq(code_of(rows[i].field, &s->rc), rows[i].code, "%s: 0x%08x", rows[i].name,
                 afu_ioasc(&s->rc));
    cr_expect_eq(s->afu_extra, rows[i].extra, "%s: extra 0x%02x", rows[i].name, s->afu_extra);
    cr_expect(!strcmp(name_of(rows[i].field, rows[i].code), rows[i].name), "%s", rows[i].name);
    down();
    if (rows[i].field == AFU)
        PROVES(SL_18_1);
    else if (rows[i].field == FC)
        PROVES(SL_18_2);
    else
        PROVES(SL_18_3);
    if (rows[i].produce == wrong_direction_on_flashgt)
        PROVES(R_28);
    if (rows[i].produce == out_of_time_in_the_walk)
        PROVES(R_14);
}

static bool in_table(enum field field, unsigned code)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(rows); i++)
        if (rows[i].field == field && rows[i].code == code)
            return true;
    return false;
}

Test(return_codes, all_of_them)
{
    static const enum field fields[] = {AFU, FC, SCSI};

    for (unsigned f = 0; f < HAL_ARRAY_LENGTH(fields); f++)
        for (unsigned code = 0; code < 256; code++)
            cr_expect_eq(in_table(fields[f], code),
                         strcmp(name_of(fields[f], (uint8_t)code), AFU_NAME_UNKNOWN) != 0,
                         "field %u code 0x%02x", f, code);
}
