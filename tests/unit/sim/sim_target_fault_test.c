/* SPDX-License-Identifier: Apache-2.0 */
/* Planned faults between port and medium: lost frames (FK-22), statuses and events of the target
 * (FK-23 to FK-26), lies of the medium (FK-48). */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_target_fault, .init = up_zero, .fini = down);

static void plan(const char *faults)
{
    char why[160];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

/* One I/O at vLBA 10, whole blocks; its four status bytes. */
static uint32_t io(bool write, uint32_t blocks)
{
    model_rw(m, &user, 0, write, 0, 10, blocks, m->buffer);
    cr_assert(model_issue(m, &user, 0, 10000000));
    return model_ioasc(&user, 0);
}

static uint32_t resid(void) { return xe32_get(user.order, user.pair[0].ioasa.resid); }

static unsigned untouched(uint32_t bytes)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < bytes; i++)
        n += m->buffer[i] == 0x77;
    return n;
}

/* ---- frames -----------------------------------------------------------------------------------
 */

/* 0x5A with UNDERRUN if the LUN knows, 0x5B if it thinks that all arrived, 0x5A with OVERRUN if it
 * sent more; never more bytes reported than moved (SL 7.1, 18.2). */
Test(sim_target_fault, lost_frames_of_a_read)
{
    static const struct {
        const char *plan;
        uint32_t ioasc, resid, untouched;
    } rows[] = {
        {"fc#1=s", 0x1000005A, 2048, 2048},
        {"fc#1=s(100)", 0x1000005A, 100, 100},
        {"fc#1=s(0x100000800)", 0x0000005B, 2048, 2048},
        {"fc#1=s(0x200000200)", 0x2000005A, 512, 0},
        {"fc#1=s(1M)", 0x1000005A, 8192, 8192},
    };

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(rows); i++) {
        plan(rows[i].plan);
        memset(m->buffer, 0x77, 8192);
        cr_expect_eq(io(false, 2), rows[i].ioasc, "%s: 0x%08x", rows[i].plan,
                     model_ioasc(&user, 0));
        cr_expect_eq(resid(), rows[i].resid, "%s: %u", rows[i].plan, resid());
        cr_expect_eq(untouched(8192), rows[i].untouched, "%s", rows[i].plan);
        cr_expect_eq(io(false, 2), 0, "%s: the next one is not good", rows[i].plan);
    }
}

/* Of a write only whole blocks reach the medium, and only they are not in the residual. */
Test(sim_target_fault, lost_frames_of_a_write)
{
    uint64_t written;

    plan("fc#1=s(2048)+fc#2=s(0x100001000)");
    memset(m->buffer, 0x31, 3 * 4096);
    cr_assert_eq(io(true, 3), 0x1000005A);
    cr_assert_eq(resid(), 4096);
    written = sim_media_counters(m->media, 0)->blocks_written;
    cr_assert_eq(written, 2);
    cr_assert_eq(io(true, 3) & 0xFF, 0x5B);
    cr_assert_eq(resid(), 4096);
    cr_assert_eq(sim_media_counters(m->media, 0)->blocks_written - written, 2);
}

Test(sim_target_fault, an_underrun_can_be_suppressed_a_mismatch_not)
{
    plan("fc#1=s+fc#2=s(0x100000000)");
    for (int i = 0; i < 2; i++) {
        model_rw(m, &user, 0, false, 0, 10, 1, m->buffer);
        user.pair[0].ioarcb.req_flags =
            xe16_of(user.order, AFU_REQ_RES_HNDL | AFU_REQ_SUP_UNDERRUN);
        cr_assert(model_issue(m, &user, 0, 10000000));
        cr_assert_eq(model_ioasc(&user, 0), i ? 0x5B : 0);
        cr_assert_eq(resid(), 2048);
    }
}

/* Nothing to lose but the response: the exchange times out. */
Test(sim_target_fault, a_lost_response)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    plan("fc#1=s");
    r->port_sel = xe32_of(m->master.order, 1);
    cr_assert(model_issue(m, &m->master, 0, 1000000)); /* TEST UNIT READY */
    cr_assert_eq(m->master.pair[0].ioasa.rc.fc_rc, 0x52);
}

/* A command of two pieces ends with the one that was short; the other counts as not moved. */
Test(sim_target_fault, a_short_first_piece)
{
    static const uint64_t chunks[] = {2, 1};

    model_virtual(m, &user, 1, chunks, 2, 0, AFU_PERM_RW);
    plan("fc#1=s(512)");
    memset(m->buffer, 0x77, 8192);
    model_rw(m, &user, 0, false, 1, 0xFFFF, 2, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(model_ioasc(&user, 0), 0x1000005A);
    cr_assert_eq(resid(), 4096 + 512);
    cr_assert_eq(untouched(8192), 4096 + 512);
}

/* ---- the target -------------------------------------------------------------------------------
 */

static uint32_t sense_code(void)
{
    const uint8_t *sense = user.pair[0].ioasa.sense_data;

    return (uint32_t)(sense[2] << 16 | sense[12] << 8 | sense[13]);
}

/* Nothing moved, so the first block is the bad one; only medium errors and recovered ones are about
 * a block (SBC). */
Test(sim_target_fault, medium_errors_name_the_block)
{
    static const struct {
        const char *plan;
        bool block;
    } rows[] = {{"media#1=x", true},
                {"media#1=x(0x031101)", true},
                {"media#1=x(0x011701)", true},
                {"media#1=x(0x041500)", false},
                {"media#1=x(0x062900)", false}};
    const uint8_t *sense = user.pair[0].ioasa.sense_data;

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(rows); i++) {
        plan(rows[i].plan);
        io(false, 2); /* vLBA 10 is block 10 of the LUN */
        cr_expect_eq(sense[0], rows[i].block ? 0xF0 : 0x70, "%s", rows[i].plan);
        cr_expect_eq(hal_be32_at(sense + 3), rows[i].block ? 10 : 0, "%s", rows[i].plan);
    }
}

/* FK-23, FK-24: status, key, asc and ascq as planned; a recovered error comes with the data. */
Test(sim_target_fault, planned_statuses)
{
    static const struct {
        const char *plan;
        uint32_t sense; /* 0: none valid */
        uint8_t status;
        bool data;
    } rows[] = {
        {"media#1=x", 0x031100, 0x02, false},
        {"media#1=x(0x041500)", 0x041500, 0x02, false},
        {"media#1=x(0x020402)", 0x020402, 0x02, false},
        {"media#1=x(0x011701)", 0x011701, 0x02, true},
        {"media#1=x(0x062900)", 0x062900, 0x02, false},
        {"media#1=x(0x08000000)", 0, 0x08, false},
        {"media#1=x(0x18000000)", 0, 0x18, false},
        {"media#1=x(0x28000000)", 0, 0x28, false},
        {"media#1=x(0x30000000)", 0, 0x30, false},
        {"media#1=x(0x40000000)", 0, 0x40, false},
        {"media#1=x(0x02FF0000)", 0, 0x02, false},
    };

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(rows); i++) {
        uint32_t ioasc;

        plan(rows[i].plan);
        memset(m->buffer, 0x77, 4096);
        ioasc = io(false, 1);
        cr_expect_eq(ioasc >> 8 & 0xFF, rows[i].status, "%s", rows[i].plan);
        cr_expect_eq(ioasc >> 31, rows[i].sense != 0, "%s", rows[i].plan);
        if (rows[i].sense)
            cr_expect_eq(sense_code(), rows[i].sense, "%s: 0x%06x", rows[i].plan, sense_code());
        cr_expect_eq(untouched(4096), rows[i].data ? 0 : 4096, "%s", rows[i].plan);
        cr_expect_eq(io(false, 1), 0, "%s: it stays", rows[i].plan);
    }
}

/* FK-25, FK-26: what happens to the LUN is found by the next command, on each port. */
Test(sim_target_fault, events_of_the_target)
{
    plan("media#1=x(0x100000000)+media#2=x(0x100000002)+media#3=x(0x100000004)");
    cr_assert_eq(io(false, 1), 0);
    cr_assert_eq(io(false, 1) >> 8 & 0xFF, 0x02);
    cr_assert_eq(sense_code(), 0x062900);
    cr_assert_eq(io(false, 1), 0);
    io(false, 1);
    cr_assert_eq(sense_code(), 0x062A09);
    cr_assert_eq(io(false, 1), 0);
    io(false, 1);
    cr_assert_eq(sense_code(), 0x063F0E);
    cr_assert_eq(io(false, 1), 0);
}

Test(sim_target_fault, a_lun_that_shrinks_and_grows)
{
    uint64_t blocks = sim_media_lun(m->media, 0)->blocks;

    plan("media#1=x(0x200000000)+media#2=x(0x2000000C8)");
    io(false, 1);
    cr_assert_eq(sim_media_lun(m->media, 0)->blocks, blocks / 100 * 50);
    io(false, 1);
    cr_assert_eq(sense_code(), 0x062A09);
    cr_assert_eq(io(false, 1), 0);
    cr_assert_eq(sim_media_lun(m->media, 0)->blocks, blocks / 100 * 50 / 100 * 200);
}

Test(sim_target_fault, a_lun_that_goes_and_comes_back)
{
    struct afu_rht_direct other = {
        .lun_id = afu_lun_id(1), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 1};

    user.rht[1] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &other);
    plan("media#1=x(0x300000000)+media#2=x(0x400000000)");
    io(false, 1);
    cr_assert_eq(sense_code(), 0x052500);
    io(false, 1);
    cr_assert_eq(sense_code(), 0x052500);
    for (unsigned i = 1; i < 3; i++) { /* the other LUN tells of it; then it passes the site */
        model_rw(m, &user, i, false, 1, 0, 1, m->buffer);
        cr_assert(model_issue(m, &user, i, 1000000));
        cr_assert_eq(user.pair[i].ioasa.rc.scsi_rc, i == 1 ? 0x02 : 0);
    }
    cr_assert_eq(user.pair[1].ioasa.sense_data[12] << 8 | user.pair[1].ioasa.sense_data[13],
                 0x3F0E);
    io(false, 1);
    cr_assert_eq(sense_code(), 0x063F0E);
    cr_assert_eq(io(false, 1), 0);
}

Test(sim_target_fault, another_device_in_its_place)
{
    uint8_t before[16];

    memcpy(before, sim_afu_scsi(m->afu)->luns[0].wwid, 16);
    plan("media#1=x(0x500000000)");
    io(false, 1);
    cr_assert_neq(memcmp(before, sim_afu_scsi(m->afu)->luns[0].wwid, 16), 0);
    io(false, 1);
    cr_assert_eq(sense_code(), 0x063F03);
}

/* ---- contents ---------------------------------------------------------------------------------
 */

static uint8_t first_byte_of(uint64_t lba)
{
    model_rw(m, &user, 1, false, 0, lba, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(model_ioasc(&user, 1), 0);
    return m->buffer[0];
}

/* FK-48: all of these end well; only contents tell. */
Test(sim_target_fault, lies_of_the_medium)
{
    plan("media#2=v(1)+media#4=v(2)+media#7=v(3)+media#10=v+media#12=v(2)");
    memset(m->buffer, 0x10, 8192);
    cr_assert_eq(io(true, 1), 0);
    memset(m->buffer, 0x20, 8192);
    cr_assert_eq(io(true, 1), 0); /* lost */
    cr_assert_eq(resid(), 0);
    cr_assert_eq(first_byte_of(10), 0x10);
    memset(m->buffer, 0x30, 8192);
    cr_assert_eq(io(true, 1), 0); /* to block 9 */
    cr_assert_eq(first_byte_of(10), 0x10);
    cr_assert_eq(first_byte_of(9), 0x30);
    memset(m->buffer, 0x40, 8192);
    cr_assert_eq(io(true, 2), 0); /* torn: only block 10 */
    cr_assert_eq(resid(), 0);
    cr_assert_eq(first_byte_of(10), 0x40);
    cr_assert_eq(first_byte_of(11), 0);
    memset(m->buffer, 0x50, 8192);
    cr_assert_eq(io(true, 1), 0); /* one bit */
    cr_assert_eq(first_byte_of(10), 0x51);
    cr_assert_eq(first_byte_of(10), 0x30); /* block 9 was read */
}
