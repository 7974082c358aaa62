/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/afu_names.h"

#include <inttypes.h>
#include <stdio.h>

#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"

/* One code or register offset and its name. */
struct name {
    unsigned code;
    const char *text;
};

static const struct name rc_names[] = {
    {AFU_RC_NONE, "NONE"},
    {AFU_RC_RHT_INVALID, "RHT_INVALID"},
    {AFU_RC_RHT_UNALIGNED, "RHT_UNALIGNED"},
    {AFU_RC_RHT_OUT_OF_BOUNDS, "RHT_OUT_OF_BOUNDS"},
    {AFU_RC_RHT_DMA_ERR, "RHT_DMA_ERR"},
    {AFU_RC_RHT_RW_PERM, "RHT_RW_PERM"},
    {AFU_RC_LXT_UNALIGNED, "LXT_UNALIGNED"},
    {AFU_RC_LXT_OUT_OF_BOUNDS, "LXT_OUT_OF_BOUNDS"},
    {AFU_RC_LXT_DMA_ERR, "LXT_DMA_ERR"},
    {AFU_RC_LXT_RW_PERM, "LXT_RW_PERM"},
    {AFU_RC_NOT_XLATE_HOST, "NOT_XLATE_HOST"},
    {AFU_RC_NO_CHANNELS, "NO_CHANNELS"},
    {AFU_RC_CAP_VIOLATION, "CAP_VIOLATION"},
    {AFU_RC_SYNC_IN_PROGRESS, "SYNC_IN_PROGRESS"},
    {AFU_RC_OUT_OF_DATA_BUFS, "OUT_OF_DATA_BUFS"},
    {AFU_RC_DATA_DMA_ERR, "DATA_DMA_ERR"},
    {AFU_RC_TIMED_OUT_PRE_FC, "TIMED_OUT_PRE_FC"},
    {AFU_RC_TIMED_OUT, "TIMED_OUT"},
    {AFU_RC_GT_DIRECTION, "GT_DIRECTION"},
};

static const struct name fc_rc_names[] = {
    {AFU_FC_RC_NONE, "NONE"},           {AFU_FC_RC_CRCERR, "CRCERR"},
    {AFU_FC_RC_ABORTPEND, "ABORTPEND"}, {AFU_FC_RC_WRABORTPEND, "WRABORTPEND"},
    {AFU_FC_RC_NOLOGI, "NOLOGI"},       {AFU_FC_RC_NOEXP, "NOEXP"},
    {AFU_FC_RC_INUSE, "INUSE"},         {AFU_FC_RC_LINKDOWN, "LINKDOWN"},
    {AFU_FC_RC_ABORTOK, "ABORTOK"},     {AFU_FC_RC_ABORTFAIL, "ABORTFAIL"},
    {AFU_FC_RC_RESID, "RESID"},         {AFU_FC_RC_RESIDERR, "RESIDERR"},
    {AFU_FC_RC_TGTABORT, "TGTABORT"},   {AFU_FC_RC_SHUTDOWN, "SHUTDOWN"},
    {AFU_FC_RC_FCPERR, "FCPERR"},
};

static const struct name scsi_rc_names[] = {
    {AFU_SCSI_RC_GOOD, "GOOD"},
    {AFU_SCSI_RC_CHECK_CONDITION, "CHECK_CONDITION"},
    {AFU_SCSI_RC_CONDITION_MET, "CONDITION_MET"},
    {AFU_SCSI_RC_BUSY, "BUSY"},
    {AFU_SCSI_RC_RESERVATION_CONFLICT, "RESERVATION_CONFLICT"},
    {AFU_SCSI_RC_TASK_SET_FULL, "TASK_SET_FULL"},
    {AFU_SCSI_RC_ACA_ACTIVE, "ACA_ACTIVE"},
    {AFU_SCSI_RC_TASK_ABORTED, "TASK_ABORTED"},
};

static const struct name psl_names[] = {
    {AFU_PSL_AERROR, "AERROR"}, {AFU_PSL_DERROR, "DERROR"},   {AFU_PSL_NLOCK, "NLOCK"},
    {AFU_PSL_NRES, "NRES"},     {AFU_PSL_FLUSHED, "FLUSHED"}, {AFU_PSL_FAULT, "FAULT"},
    {AFU_PSL_FAILED, "FAILED"}, {AFU_PSL_PAGED, "PAGED"},     {AFU_PSL_CONTEXT, "CONTEXT"},
};

static const struct name cmd_names[] = {
    {AFU_CMD_SYNC, "SYNC"},
    {AFU_CMD_LUN_PROVISION, "LUN_PROVISION"},
    {AFU_CMD_DEBUG, "DEBUG"},
};

static const struct name sync_names[] = {
    {AFU_SYNC_LW, "LW"},
    {AFU_SYNC_HW, "HW"},
    {AFU_SYNC_GSYNC, "GSYNC"},
};

static const struct name aintr_names[] = {
    {AFU_AINTR_LINK_UP, "LINK_UP"}, {AFU_AINTR_LINK_DN, "LINK_DN"}, {AFU_AINTR_LOGI_S, "LOGI_S"},
    {AFU_AINTR_LOGI_F, "LOGI_F"},   {AFU_AINTR_LOGI_R, "LOGI_R"},   {AFU_AINTR_CRC_T, "CRC_T"},
    {AFU_AINTR_LOGO, "LOGO"},       {AFU_AINTR_OTHER, "OTHER"},
};

static const struct name host_regs[] = {
    {AFU_HOST_ENDIAN_CTRL, "endian_ctrl"},   {AFU_HOST_INTR_STATUS, "intr_status"},
    {AFU_HOST_INTR_CLEAR, "intr_clear"},     {AFU_HOST_INTR_MASK, "intr_mask"},
    {AFU_HOST_IOARRIN, "ioarrin"},           {AFU_HOST_RRQ_START, "rrq_start"},
    {AFU_HOST_RRQ_END, "rrq_end"},           {AFU_HOST_CMD_ROOM, "cmd_room"},
    {AFU_HOST_CTX_CTRL, "ctx_ctrl"},         {AFU_HOST_MBOX_W, "mbox_w"},
    {AFU_HOST_SQ_START, "sq_start"},         {AFU_HOST_SQ_END, "sq_end"},
    {AFU_HOST_SQ_HEAD, "sq_head"},           {AFU_HOST_SQ_TAIL, "sq_tail"},
    {AFU_HOST_SQ_CTX_RESET, "sq_ctx_reset"},
};

static const struct name ctrl_regs[] = {
    {AFU_CTRL_RHT_START, "rht_start"},
    {AFU_CTRL_RHT_CNT_ID, "rht_cnt_id"},
    {AFU_CTRL_CTX_CAP, "ctx_cap"},
    {AFU_CTRL_MBOX_R, "mbox_r"},
    {AFU_CTRL_LISN_PASID(0), "lisn_pasid[0]"},
    {AFU_CTRL_LISN_PASID(1), "lisn_pasid[1]"},
    {AFU_CTRL_LISN_EA(0), "lisn_ea[0]"},
    {AFU_CTRL_LISN_EA(1), "lisn_ea[1]"},
    {AFU_CTRL_LISN_EA(2), "lisn_ea[2]"},
};

static const struct name global_regs[] = {
    {AFU_GLOBAL_AINTR_STATUS, "aintr_status"},
    {AFU_GLOBAL_AINTR_CLEAR, "aintr_clear"},
    {AFU_GLOBAL_AINTR_MASK, "aintr_mask"},
    {AFU_GLOBAL_AFU_CTRL, "afu_ctrl"},
    {AFU_GLOBAL_AFU_HB, "afu_hb"},
    {AFU_GLOBAL_AFU_SCRATCH_PAD, "afu_scratch_pad"},
    {AFU_GLOBAL_AFU_PORT_SEL, "afu_port_sel"},
    {AFU_GLOBAL_AFU_CONFIG, "afu_config"},
    {AFU_GLOBAL_RRIN_READ_TO, "rrin_read_to"},
    {AFU_GLOBAL_CONT_RETRY_TO, "cont_retry_to"},
    {AFU_GLOBAL_AFU_VERSION, "afu_version"},
    {AFU_GLOBAL_INTERFACE_VERSION, "interface_version"},
};

static const struct name fc_regs[] = {
    {AFU_FC_MTIP_REV, "mtip_rev"},
    {AFU_FC_MTIP_SCRATCH, "mtip_scratch"},
    {AFU_FC_MTIP_CMDCONFIG, "mtip_cmdconfig"},
    {AFU_FC_MTIP_STATUS, "mtip_status"},
    {AFU_FC_MTIP_INITTIMER, "mtip_inittimer"},
    {AFU_FC_MTIP_EVENTTIME, "mtip_eventtime"},
    {AFU_FC_MTIP_CREDIT, "mtip_credit"},
    {AFU_FC_MTIP_BB_SCN, "mtip_bb_scn"},
    {AFU_FC_MTIP_RX_SF, "mtip_rx_sf"},
    {AFU_FC_MTIP_TX_SE, "mtip_tx_se"},
    {AFU_FC_MTIP_TX_SF, "mtip_tx_sf"},
    {AFU_FC_MTIP_RX_AE, "mtip_rx_ae"},
    {AFU_FC_MTIP_RX_AF, "mtip_rx_af"},
    {AFU_FC_MTIP_TX_AE, "mtip_tx_ae"},
    {AFU_FC_MTIP_TX_AF, "mtip_tx_af"},
    {AFU_FC_MTIP_FRMLEN, "mtip_frmlen"},
    {AFU_FC_MAX_NUM_LUNS, "max_num_luns"},
    {AFU_FC_CUR_NUM_LUNS, "cur_num_luns"},
    {AFU_FC_MAX_CAP_PORT, "max_cap_port"},
    {AFU_FC_CUR_CAP_PORT, "cur_cap_port"},
    {AFU_FC_SD_RCFG_CMD, "sd_rcfg_cmd"},
    {AFU_FC_SD_RCFG_WRDAT, "sd_rcfg_wrdat"},
    {AFU_FC_SD_RCFG_RDDAT, "sd_rcfg_rddat"},
    {AFU_FC_TX_FRM_CNT, "tx_frm_cnt"},
    {AFU_FC_TX_CRC_ERR_CNT, "tx_crc_err_cnt"},
    {AFU_FC_RX_FRM_CNT, "rx_frm_cnt"},
    {AFU_FC_RX_CRC_ERR_CNT, "rx_crc_err_cnt"},
    {AFU_FC_RX_LGTH_ERR_CNT, "rx_lgth_err_cnt"},
    {AFU_FC_FRM_DISC_CNT, "frm_disc_cnt"},
    {AFU_FC_PNAME, "pname"},
    {AFU_FC_NNAME, "nname"},
    {AFU_FC_PORT_ID, "port_id"},
    {AFU_FC_CONFIG, "config"},
    {AFU_FC_CONFIG2, "config2"},
    {AFU_FC_STATUS, "status"},
    {AFU_FC_TIMER, "timer"},
    {AFU_FC_E_D_TOV, "e_d_tov"},
    {AFU_FC_STATUS2, "status2"},
    {AFU_FC_ERROR, "error"},
    {AFU_FC_ERRCAP, "errcap"},
    {AFU_FC_ERRMSK, "errmsk"},
    {AFU_FC_ERRINJ, "errinj"},
    {AFU_FC_ERRINJ_DATA, "errinj_data"},
    {AFU_FC_PE_ERRINJ, "pe_errinj"},
    {AFU_FC_PE_ERRINJ_DATA, "pe_errinj_data"},
    {AFU_FC_TGT_D_ID, "tgt_d_id"},
    {AFU_FC_TGT_PNAME, "tgt_pname"},
    {AFU_FC_TGT_NNAME, "tgt_nname"},
    {AFU_FC_TGT_LOGI, "tgt_logi"},
    {AFU_FC_TGT_B2BCR, "tgt_b2bcr"},
    {AFU_FC_TGT_E_D_TOV, "tgt_e_d_tov"},
    {AFU_FC_TGT_CLASS3, "tgt_class3"},
    {AFU_FC_CNT_CLKRATIO, "cnt_clkratio"},
    {AFU_FC_CNT_FCREFCLK, "cnt_fcrefclk"},
    {AFU_FC_CNT_PCICLK, "cnt_pciclk"},
    {AFU_FC_CNT_TXRDWR, "cnt_txrdwr"},
    {AFU_FC_CNT_TXLOGI, "cnt_txlogi"},
    {AFU_FC_CNT_TXDATA, "cnt_txdata"},
    {AFU_FC_CNT_LINKERR, "cnt_linkerr"},
    {AFU_FC_CNT_CRCERR, "cnt_crcerr"},
    {AFU_FC_CNT_CRCERR_RO, "cnt_crcerr_ro"},
    {AFU_FC_CNT_OTHERERR, "cnt_othererr"},
    {AFU_FC_CNT_TIMEOUT, "cnt_timeout"},
    {AFU_FC_CRC_THRESH, "crc_thresh"},
    {AFU_FC_DBGDISP, "dbgdisp"},
    {AFU_FC_DBGDATA, "dbgdata"},
    {AFU_FC_CNT_CRCTOT, "cnt_crctot"},
    {AFU_FC_CNT_AFURD, "cnt_afurd"},
    {AFU_FC_CNT_AFUWR, "cnt_afuwr"},
    {AFU_FC_CNT_AFUABORT, "cnt_afuabort"},
    {AFU_FC_CNT_RSPOVER, "cnt_rspover"},
    {AFU_FC_CNT_ABORT1, "cnt_abort1"},
    {AFU_FC_CNT_ABORT2, "cnt_abort2"},
    {AFU_FC_CNT_ABORT3, "cnt_abort3"},
    {AFU_FC_CNT_ABORT4, "cnt_abort4"},
    {AFU_FC_CNT_WBUFREL, "cnt_wbufrel"},
    {AFU_FC_CNT_RXRSP, "cnt_rxrsp"},
    {AFU_FC_LOOPBACK_TXCNT, "loopback_txcnt"},
    {AFU_FC_LOOPBACK_PASSCNT, "loopback_passcnt"},
    {AFU_FC_LOOPBACK_ERRCNT, "loopback_errcnt"},
    {AFU_FC_NVME_STATUS, "nvme_status"},
    {AFU_FC_NVME_VERSION, "nvme_version"},
    {AFU_FC_NVME_NEXT_VERSION, "nvme_next_version"},
};

#define FIND(table, code) find(table, HAL_ARRAY_LENGTH(table), code)

/* The text for a code, or NULL. */
static const char *find(const struct name *names, size_t n, uint64_t code)
{
    for (size_t i = 0; i < n; i++)
        if (names[i].code == code)
            return names[i].text;
    return NULL;
}

static const char *known(const char *text) { return text ? text : AFU_NAME_UNKNOWN; }

const char *afu_rc_name(uint8_t code) { return known(FIND(rc_names, code)); }

const char *afu_fc_rc_name(uint8_t code) { return known(FIND(fc_rc_names, code)); }

const char *afu_scsi_rc_name(uint8_t code) { return known(FIND(scsi_rc_names, code)); }

const char *afu_psl_name(uint8_t code) { return known(FIND(psl_names, code)); }

const char *afu_cmd_name(uint8_t code) { return known(FIND(cmd_names, code)); }

const char *afu_sync_name(uint8_t mode) { return known(FIND(sync_names, mode)); }

const char *afu_aintr_name(unsigned event) { return known(FIND(aintr_names, event)); }

/* "region[index].register", or "region[index]+0x88" for a register without a name. */
static void put_indexed(char *buf, size_t size, const char *region, uint64_t index,
                        const char *text, uint64_t rest)
{
    if (text)
        snprintf(buf, size, "%s[%" PRIu64 "].%s", region, index, text);
    else
        snprintf(buf, size, "%s[%" PRIu64 "]+0x%" PRIx64, region, index, rest);
}

/* The pages of the FC banks, from AFU_FC_BANK_START: registers of two ports, then their tables. */
static void put_fc_bank(char *buf, size_t size, uint64_t offset)
{
    uint64_t page = offset / AFU_FC_PAGE_SIZE, rest = offset % AFU_FC_PAGE_SIZE;
    uint64_t port = (page / 4) * 2 + page % 2;

    if (page % 4 < 2)
        put_indexed(buf, size, "fc", port, FIND(fc_regs, rest), rest);
    else if (rest % 8 == 0)
        snprintf(buf, size, "lun_table[%" PRIu64 "][%" PRIu64 "]", port, rest / 8);
    else
        put_indexed(buf, size, "lun_table", port, NULL, rest);
}

static void put_global(char *buf, size_t size, uint64_t offset)
{
    const uint64_t banks = AFU_FC_BANK_START - AFU_GLOBAL_BASE;
    const char *text = FIND(global_regs, offset);

    if (offset >= banks && offset < banks + 2 * AFU_FC_BANK_SIZE)
        put_fc_bank(buf, size, offset - banks);
    else if (text)
        snprintf(buf, size, "global.%s", text);
    else
        snprintf(buf, size, "global+0x%" PRIx64, offset);
}

/* Everything behind the part of the map that a driver uses. */
static void put_debug(char *buf, size_t size, uint64_t offset)
{
    uint64_t port = (offset - AFU_PORT_DEBUG_START) / AFU_DEBUG_SIZE;
    uint64_t rest = offset % AFU_DEBUG_SIZE;

    if (offset >= AFU_MAP_SIZE_FULL_4PORT)
        snprintf(buf, size, "0x%" PRIx64, offset);
    else if (offset >= AFU_PORT_DEBUG_START)
        put_indexed(buf, size, "fc_debug", port,
                    rest >= AFU_FC_NVME_STATUS ? FIND(fc_regs, rest) : NULL, rest);
    else
        snprintf(buf, size, "%s+0x%" PRIx64, offset >= AFU_DEBUG_BASE ? "debug" : "reserved", rest);
}

const char *afu_reg_name(uint64_t offset, char *buf, size_t size)
{
    uint64_t rest;

    if (offset < AFU_CTRL_START) {
        rest = offset % AFU_HOST_SIZE;
        put_indexed(buf, size, "host", offset / AFU_HOST_SIZE, FIND(host_regs, rest), rest);
    } else if (offset < AFU_GLOBAL_BASE) {
        offset -= AFU_CTRL_START;
        rest = offset % AFU_CTRL_SIZE;
        put_indexed(buf, size, "ctrl", offset / AFU_CTRL_SIZE, FIND(ctrl_regs, rest), rest);
    } else if (offset < AFU_MAP_SIZE) {
        put_global(buf, size, offset - AFU_GLOBAL_BASE);
    } else {
        put_debug(buf, size, offset);
    }
    return buf;
}
