/* SPDX-License-Identifier: Apache-2.0 */
/* What crosses the link of a port, as its counters see it (SL 5.3): frames, CRC errors, requests
 * and responses; and the port's error registers with the events they raise (SL 16, MD-26). */
#include "sim/afu/sim_afu.h"

#define FRAME_BYTES 2048 /* payload of a data frame (timing 6) */
#define CONTROLLER_RESET UINT64_C(0x10000)

static struct sim_port *port_of(const struct sim_cmd *c) { return &c->afu->port[c->port]; }

static void event(struct sim_port *p, unsigned what)
{
    sim_aintr_status(p->afu, AFU_AINTR(p->number, what));
}

static bool is_flashgt(const struct sim_port *p) { return p->afu->params.card == 0x0600; }

/* ---- the link itself --------------------------------------------------------------------------
 */

void sim_frame_login(struct sim_port *p)
{
    p->reg[SIM_FC_TX_FRM_CNT]++;
    p->reg[SIM_FC_CNT_TXLOGI]++;
}

void sim_frame_login_reply(struct sim_port *p) { p->reg[SIM_FC_RX_FRM_CNT]++; }

/* A FlashGT counts resets in the same register (SL 5.3). */
void sim_frame_link_lost(struct sim_port *p)
{
    if (!is_flashgt(p))
        p->reg[SIM_FC_CNT_LINKERR]++;
}

void sim_frame_port_reset(struct sim_port *p)
{
    if (is_flashgt(p))
        p->reg[SIM_FC_CNT_LINKERR] += CONTROLLER_RESET;
}

/* ---- exchanges --------------------------------------------------------------------------------
 */

/* Internal LUNs are behind no link. */
static bool on_link(const struct sim_cmd *c) { return !c->afu->internal_mode; }

void sim_frame_command(const struct sim_cmd *c)
{
    port_of(c)->reg[SIM_FC_TX_FRM_CNT] += on_link(c);
}

void sim_frame_accepted(const struct sim_cmd *c)
{
    uint64_t *reg = port_of(c)->reg;

    if (!on_link(c))
        return;
    if (c->rs.medium == SIM_SCSI_MEDIUM_READ)
        reg[SIM_FC_CNT_AFURD]++;
    else if (c->rs.medium == SIM_SCSI_MEDIUM_WRITE)
        reg[SIM_FC_CNT_AFUWR]++;
    else
        return;
    reg[SIM_FC_CNT_TXRDWR]++;
}

void sim_frame_response(const struct sim_cmd *c)
{
    struct sim_port *p = port_of(c);

    if (!on_link(c))
        return;
    p->reg[SIM_FC_RX_FRM_CNT]++;
    p->reg[SIM_FC_CNT_RXRSP]++;
    p->reg[SIM_FC_CNT_RSPOVER] += c->rs.overrun;
}

void sim_frame_aborted(const struct sim_cmd *c)
{
    port_of(c)->reg[SIM_FC_CNT_AFUABORT] += on_link(c) && sim_cmd_at_port(c);
}

void sim_frame_timed_out(const struct sim_cmd *c)
{
    port_of(c)->reg[SIM_FC_CNT_TIMEOUT] += on_link(c) && sim_cmd_at_port(c);
}

/* The event comes when the count reaches the threshold; a read of the count arms it again. */
static void crc_errors(struct sim_port *p, uint64_t n)
{
    uint64_t before = p->reg[SIM_FC_CNT_CRCERR], threshold = p->reg[SIM_FC_CRC_THRESH];

    p->reg[SIM_FC_CNT_CRCERR] += n;
    p->reg[SIM_FC_CNT_CRCTOT] += n;
    if (threshold && before < threshold && before + n >= threshold)
        event(p, AFU_AINTR_CRC_T);
}

/* Damaged frames are thrown away by whoever receives them; the exchange cannot be completed and is
 * aborted, which works: fc_rc 0x58, worth a retry (SL 18.2). */
SIM_COLD static bool damaged(struct sim_cmd *c, uint64_t frames, bool received)
{
    struct sim_port *p = port_of(c);
    uint64_t n = hal_min64(c->bad_frames, hal_max64(frames, 1)); /* or the response */

    c->bad_frames = 0;
    p->reg[received ? SIM_FC_RX_CRC_ERR_CNT : SIM_FC_TX_CRC_ERR_CNT] += n;
    p->reg[SIM_FC_FRM_DISC_CNT] += received ? n : 0;
    crc_errors(p, n);
    sim_frame_aborted(c);
    c->status.rc.fc_rc = AFU_FC_RC_ABORTOK;
    sim_status(c);
    return true;
}

bool sim_frame_data(struct sim_cmd *c, uint64_t bytes)
{
    uint64_t *reg = port_of(c)->reg, frames = (bytes + FRAME_BYTES - 1) / FRAME_BYTES;
    bool received = c->rs.kind != SIM_SCSI_DATA_OUT;

    if (!on_link(c))
        return false;
    if (received) {
        reg[SIM_FC_RX_FRM_CNT] += frames;
    } else {
        reg[SIM_FC_TX_FRM_CNT] += frames;
        reg[SIM_FC_CNT_TXDATA] += frames;
    }
    return __builtin_expect(c->bad_frames, 0) && damaged(c, frames, received);
}

/* ---- errors -----------------------------------------------------------------------------------
 */

/* Bits that say why a login failed; a FlashGT has one more. */
static uint64_t login_causes(const struct sim_port *p)
{
    return AFU_FC_ERROR_LOGIN_MASK | (is_flashgt(p) ? AFU_FC_ERROR_GT_LOGIN : 0);
}

/* MD-26: FC_ERROR latches all, FC_ERRCAP and the events only what is not masked. */
void sim_port_error(struct sim_port *p, uint64_t bits)
{
    uint64_t seen = bits & ~p->reg[SIM_FC_ERRMSK], other = AFU_FC_ERROR_OTHER_MASK;

    p->reg[SIM_FC_ERROR] |= bits;
    p->reg[SIM_FC_ERRCAP] |= seen;
    if (seen & login_causes(p))
        event(p, AFU_AINTR_LOGI_F);
    if (bits & other & ~login_causes(p))
        p->reg[SIM_FC_CNT_OTHERERR]++;
    if (seen & other & ~login_causes(p))
        event(p, AFU_AINTR_OTHER);
}

void sim_port_error_lasting(struct sim_port *p, uint64_t bits)
{
    bits &= AFU_FC_ERROR_OTHER_MASK & ~login_causes(p);
    if (!bits)
        bits = AFU_FC_ERROR_GT_LOGIN << 1; /* a bit with no other meaning on any card */
    p->lasting_errors |= bits;
    sim_port_error(p, bits);
}

/* SL 16: some errors are there again unless the link was reset first. */
void sim_port_error_clear(struct sim_port *p, uint64_t bits)
{
    uint64_t again = p->reg[SIM_FC_ERROR] & bits & p->lasting_errors;

    p->reg[SIM_FC_ERROR] &= ~bits;
    if (again)
        sim_port_error(p, again);
}
