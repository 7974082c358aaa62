/* SPDX-License-Identifier: Apache-2.0 */
/* What the counters of a port see, CRC errors, and the error registers (SL 5.3, 16; MD-26). */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_frame, .init = up_flashsystem, .fini = down);

/* One command frame, 2048 bytes of data a frame, one response (timing 6). */
Test(sim_frame, frames_of_reads_and_writes)
{
    cr_assert_eq(transfer(0, false, 0, 3), 0); /* 12288 bytes: 6 frames in */
    cr_assert_eq(port_reg(0, AFU_FC_TX_FRM_CNT), 1);
    cr_assert_eq(port_reg(0, AFU_FC_RX_FRM_CNT), 7);
    cr_assert_eq(transfer(0, true, 0, 2), 0); /* 4 frames out */
    cr_assert_eq(port_reg(0, AFU_FC_TX_FRM_CNT), 1 + 5);
    cr_assert_eq(port_reg(0, AFU_FC_RX_FRM_CNT), 7 + 1);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_TXDATA), 4);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_TXRDWR), 2);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_AFURD), 1);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_AFUWR), 1);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_RXRSP), 2);
    cr_assert_eq(port_reg(1, AFU_FC_TX_FRM_CNT), 0, "the other port counted");
    set_port_reg(0, AFU_FC_TX_FRM_CNT, 77); /* counters are not written */
    cr_assert_eq(port_reg(0, AFU_FC_TX_FRM_CNT), 6);
    cr_assert_eq(transfer(0, true, 0, 64), 0); /* 262144 bytes: 128 frames of 2048 */
    cr_assert_eq(port_reg(0, AFU_FC_CNT_TXDATA), 4 + 128);
}

/* Offline and online: the loss of the link, then FLOGI and PLOGI with their answers. */
Test(sim_frame, frames_of_a_login)
{
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_LINKERR), 1);
    sim_afu_link_up(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_TXLOGI), 2);
    cr_assert_eq(port_reg(0, AFU_FC_TX_FRM_CNT), 2);
    cr_assert_eq(port_reg(0, AFU_FC_RX_FRM_CNT), 2);
}

Test(sim_frame, flashgt_counts_controller_resets)
{
    down();
    up("flashgt");
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_LINKERR), 0);
    set_port_reg(0, AFU_FC_CONFIG, 0x11);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_LINKERR), 0x10000); /* SL 5.3: [31:16] */
}

Test(sim_frame, aborted_exchanges)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 5000);
    model_store(m, &user, AFU_HOST_IOARRIN, AFU_CTX_RESET);
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_AFUABORT), 1);
}

/* The exchange that times out at the port: by its own time, and by the plan (0x52). */
Test(sim_frame, timed_out_exchanges)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.req_flags = xe16_of(user.order, AFU_REQ_RES_HNDL | 0x80); /* us */
    user.pair[0].ioarcb.timeout = xe16_of(user.order, 20);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x51);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_TIMEOUT), 1);
    plan("fc#1=x+fc#2=x(0x5B)");
    cr_assert_eq(transfer(0, false, 0, 1), 0x52);
    cr_assert_eq(transfer(0, false, 0, 1), 0x5B);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_TIMEOUT), 2);
}

/* An answer that is longer than the buffer: 8 bytes for READ CAPACITY(10), 4 offered. */
Test(sim_frame, response_over)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->req_flags = xe16_of(m->master.order, AFU_REQ_SUP_UNDERRUN);
    r->port_sel = xe32_of(m->master.order, 1);
    r->data_len = xe32_of(m->master.order, 4);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)m->buffer);
    r->cdb[0] = 0x25;
    cr_assert(model_issue(m, &m->master, 0, 1000000));
    cr_assert_eq(m->master.pair[0].ioasa.rc.flags & AFU_RC_FLAG_OVERRUN, AFU_RC_FLAG_OVERRUN);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_RSPOVER), 1);
}

/* Damaged frames: the exchange is aborted with 0x58; a read of CNT_CRCERR clears it. */
Test(sim_frame, crc_errors_are_counted)
{
    plan("fc#1=c(3)+fc#2=c+fc#4=c(9)");
    cr_assert_eq(transfer(0, false, 0, 4), 0x58);
    cr_assert_eq(transfer(0, true, 0, 4), 0x58);
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    cr_assert_eq(transfer(0, false, 0, 1), 0x58); /* never more frames than there were */
    cr_assert_eq(port_reg(0, AFU_FC_RX_CRC_ERR_CNT), 3 + 2);
    cr_assert_eq(port_reg(0, AFU_FC_TX_CRC_ERR_CNT), 1);
    cr_assert_eq(port_reg(0, AFU_FC_FRM_DISC_CNT), 3 + 2);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_CRCERR_RO), 6);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_CRCERR_RO), 6);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_CRCERR), 6);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_CRCERR), 0);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_CRCTOT), 6, "the total is not cleared");
    cr_assert_eq(port_reg(0, AFU_FC_CNT_AFUABORT), 3);
}

/* SL 16: CRC_T once when the count reaches the threshold, and again after the count was read. */
Test(sim_frame, crc_threshold)
{
    set_port_reg(0, AFU_FC_CRC_THRESH, 4);
    plan("fc#1*=c(2)");
    transfer(0, false, 0, 1);
    cr_assert_eq(take_events(), 0);
    transfer(0, false, 0, 1);
    cr_assert_eq(take_events(), 0x2000);
    transfer(0, false, 0, 1);
    cr_assert_eq(take_events(), 0);
    port_reg(0, AFU_FC_CNT_CRCERR);
    transfer(0, false, 0, 1);
    transfer(0, false, 0, 1);
    cr_assert_eq(take_events(), 0x2000);
    set_port_reg(0, AFU_FC_CRC_THRESH, 0); /* none */
    transfer(0, false, 0, 1);
    cr_assert_eq(take_events(), 0);
}

Test(sim_frame, crc_threshold_of_the_second_port)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 2);
    set_port_reg(1, AFU_FC_CRC_THRESH, 1);
    plan("fc#1=c");
    transfer(0, false, 0, 1);
    cr_assert_eq(take_events(), 0x20);
}

/* MD-26: FC_ERROR latches; ERRCAP and the event only without the mask. */
Test(sim_frame, masked_errors)
{
    cr_assert_eq(port_reg(0, AFU_FC_ERRMSK), 0xFFFFFFFF);
    plan("fc#1*=p(0x40000000)");
    cr_assert_eq(transfer(0, false, 0, 1), 0, "such an error ends no command");
    cr_assert_eq(port_reg(0, AFU_FC_ERROR), 0x40000000);
    cr_assert_eq(port_reg(0, AFU_FC_ERRCAP), 0);
    cr_assert_eq(take_events(), 0);
    set_port_reg(0, AFU_FC_ERRMSK, 0x20000000); /* another bit */
    transfer(0, false, 0, 1);
    cr_assert_eq(port_reg(0, AFU_FC_ERRCAP), 0x40000000);
    cr_assert_eq(take_events(), 0x8000);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_OTHERERR), 2);
    set_port_reg(0, AFU_FC_ERRCAP, 0);
    cr_assert_eq(port_reg(0, AFU_FC_ERRCAP), 0);
    PROVES(MD_26);
}

Test(sim_frame, masked_login_failure)
{
    plan("plink#1=x(5)");
    sim_afu_link_down(m->afu, 1);
    model_run_dry(m);
    sim_afu_link_up(m->afu, 1);
    model_run_dry(m);
    cr_assert_eq(take_events(), 0x3); /* LINK_DN, LINK_UP, no LOGI_F */
    cr_assert_eq(port_reg(1, AFU_FC_ERROR), 5);
    PROVES(MD_26);
}

/* SL 5.3: on FlashGT a failed login has bit 20 as well; it is no "other" error there. */
Test(sim_frame, flashgt_login_failure)
{
    down();
    up("flashgt");
    set_port_reg(0, AFU_FC_ERRMSK, 0);
    plan("plink#1=x(5)");
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    sim_afu_link_up(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_ERROR), 0x100005);
    cr_assert_eq(take_events(), 0xB00);
}

/* SL 16: an error whose cause lasts is there again, unless the link was reset first. */
Test(sim_frame, errors_last_until_the_link_is_reset)
{
    set_port_reg(0, AFU_FC_ERRMSK, 0);
    plan("fc#1=p(0x80000000)");
    transfer(0, false, 0, 1);
    cr_assert_eq(take_events(), 0x8000);
    set_port_reg(0, AFU_FC_ERROR, 0x80000000);
    cr_assert_eq(port_reg(0, AFU_FC_ERROR), 0x80000000);
    cr_assert_eq(take_events(), 0x8000);
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    set_port_reg(0, AFU_FC_ERROR, 0x80000000);
    cr_assert_eq(port_reg(0, AFU_FC_ERROR), 0);
    cr_assert_eq(take_events(), 0x200);
}
