/* Every hex dump of docs/spec/sislite.md sections 23.1 to 23.3, 23.7 and 23.8, built through the
 * public structs and compared byte by byte, in both orders. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "hal/afu_cmd.h"
#include "tests/testlib/proves.h"

/* What is at p must be what the dump of hexadecimal bytes says, as far as the dump goes. */
static void assert_bytes(const void *p, const char *dump)
{
    uint8_t is;
    char *end;
    size_t i = 0;

    for (unsigned long want = strtoul(dump, &end, 16); end != dump; i++) {
        memcpy(&is, (const char *)p + i, 1);
        cr_assert_eq(is, want, "byte 0x%02zx is %02x, not %02lx", i, is, want);
        dump = end;
        want = strtoul(dump, &end, 16);
    }
    cr_assert(i > 0 && *dump == 0, "dump is cut at %s", dump);
}

static void read16_cdb(uint8_t *cdb, uint64_t lba, uint32_t blocks)
{
    memset(cdb, 0, AFU_CDB_SIZE);
    cdb[0] = 0x88;
    hal_be64_put(cdb + 2, lba);
    hal_be32_put(cdb + 10, blocks);
}

static struct afu_ioarcb read_by_port(enum hal_order o)
{
    struct afu_ioarcb r;

    memset(&r, 0, sizeof r);
    r.ctx_id = xe16_of(o, 3);
    r.req_flags = xe16_of(o, AFU_REQ_PORT_LUN_ID | AFU_REQ_SUP_UNDERRUN | AFU_REQ_HOST_READ);
    r.port_sel = xe32_of(o, 1);
    r.lun_id = xe64_of(o, UINT64_C(0x0001000000000000));
    r.data_len = xe32_of(o, 4096);
    r.data_ea = xe64_of(o, UINT64_C(0x7FFF12340000));
    r.msi = AFU_LISN_RRQ;
    read16_cdb(r.cdb, 0x12345678, 8);
    return r;
}

Test(afu_cmd, read_by_port_of_section_23_1)
{
    struct afu_ioarcb r = read_by_port(HAL_ORDER_BIG);

    assert_bytes(&r, "00 03 40 00 00 00 00 01 00 01 00 00 00 00 00 00 "
                     "00 00 10 00 00 00 00 00 00 00 7f ff 12 34 00 00 "
                     "02 00 00 00 00 00 00 00 88 00 00 00 00 00 12 34 "
                     "56 78 00 00 00 08 00 00 00 00 00 00 00 00 00 00");
    r = read_by_port(HAL_ORDER_LITTLE);
    assert_bytes(&r, "03 00 00 40 01 00 00 00 00 00 00 00 00 00 01 00 "
                     "00 10 00 00 00 00 00 00 00 00 34 12 ff 7f 00 00 "
                     "02 00 00 00 00 00 00 00 88 00 00 00 00 00 12 34 "
                     "56 78 00 00 00 08 00 00 00 00 00 00 00 00 00 00");
    PROVES(SL_6);
    PROVES(SL_23_1);
}

static struct afu_ioarcb read_by_handle(enum hal_order o)
{
    struct afu_ioarcb r;

    memset(&r, 0, sizeof r);
    r.ctx_id = xe16_of(o, 7);
    r.req_flags = xe16_of(o, AFU_REQ_RES_HNDL | AFU_REQ_TIMEOUT_SECONDS | AFU_REQ_HOST_READ);
    r.res_hndl = xe32_of(o, 5);
    r.data_len = xe32_of(o, 4096);
    r.data_ea = xe64_of(o, UINT64_C(0x7FFF12340000));
    r.msi = AFU_LISN_RRQ;
    r.timeout = xe16_of(o, 5);
    read16_cdb(r.cdb, 0x2ABCD, 8);
    r.ioasa = xe64_of(o, UINT64_C(0x7FFF20000040));
    return r;
}

Test(afu_cmd, read_by_handle_of_section_23_2)
{
    struct afu_ioarcb r = read_by_handle(HAL_ORDER_BIG);

    assert_bytes(&r, "00 07 80 00 00 00 00 05 00 00 00 00 00 00 00 00 "
                     "00 00 10 00 00 00 00 00 00 00 7f ff 12 34 00 00 "
                     "02 00 00 05 00 00 00 00 88 00 00 00 00 00 00 02 "
                     "ab cd 00 00 00 08 00 00 00 00 7f ff 20 00 00 40");
    r = read_by_handle(HAL_ORDER_LITTLE);
    assert_bytes(&r, "07 00 00 80 05 00 00 00 00 00 00 00 00 00 00 00 "
                     "00 10 00 00 00 00 00 00 00 00 34 12 ff 7f 00 00 "
                     "02 00 05 00 00 00 00 00 88 00 00 00 00 00 00 02 "
                     "ab cd 00 00 00 08 00 00 40 00 00 20 ff 7f 00 00");
    PROVES(SL_6);
    PROVES(SL_23_2);
}

static struct afu_ioarcb sync_of_7_5(enum hal_order o)
{
    struct afu_ioarcb r;

    memset(&r, 0, sizeof r);
    r.ctx_id = xe16_of(o, 3);
    r.req_flags = xe16_of(o, AFU_REQ_AFU_CMD);
    r.msi = AFU_LISN_RRQ;
    r.timeout = xe16_of(o, AFU_CMD_TIMEOUT_S);
    afu_sync_cdb(r.cdb, AFU_SYNC_HW, 7, 5);
    return r;
}

Test(afu_cmd, sync_of_section_23_3)
{
    struct afu_ioarcb r = sync_of_7_5(HAL_ORDER_LITTLE);

    assert_bytes(&r, "03 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                     "02 00 05 00 00 00 00 00 c0 01 00 07 00 00 00 05 "
                     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    r = sync_of_7_5(HAL_ORDER_BIG);
    assert_bytes(&r, "00 03 00 02 00 00 00 00 00 00 00 00 00 00 00 00 "
                     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                     "02 00 00 05 00 00 00 00 c0 01 00 07 00 00 00 05 "
                     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    cr_assert_eq(afu_sync_cdb_mode(r.cdb), AFU_SYNC_HW);
    cr_assert_eq(afu_sync_cdb_ctx(r.cdb), 7);
    cr_assert_eq(afu_sync_cdb_handle(r.cdb), 5);
    PROVES(SL_12);
    PROVES(SL_23_3);
}

Test(afu_cmd, provision_of_section_23_3)
{
    uint8_t cdb[AFU_CDB_SIZE];

    afu_provision_cdb(cdb, AFU_PROVISION_CREATE, 1, 0x4000);
    assert_bytes(cdb, "d0 00 01 00 00 00 00 00 00 00 00 00 00 00 40 00");
    cr_assert_eq(afu_provision_cdb_blocks(cdb), 0x4000);
    afu_provision_cdb(cdb, AFU_PROVISION_DELETE, 0, 0);
    assert_bytes(cdb, "d0 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    PROVES(SL_23_3);
}

/* SL 12: byte 0 and the 12 opaque bytes behind byte 3. */
Test(afu_cmd, debug_of_section_12)
{
    const uint8_t data[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    uint8_t cdb[AFU_CDB_SIZE + 1];

    memset(cdb, 0xEE, sizeof cdb);
    afu_debug_cdb(cdb, data);
    assert_bytes(cdb, "e0 00 00 00 01 02 03 04 05 06 07 08 09 0a 0b 0c ee");
    PROVES(SL_12);
}

/* SL 12: the TMF word is in the order of the context. */
Test(afu_cmd, task_management_of_section_12)
{
    uint8_t cdb[AFU_CDB_SIZE];

    afu_tmf_cdb(cdb, HAL_ORDER_LITTLE, AFU_TMF_LUN_RESET);
    assert_bytes(cdb, "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    cr_assert_eq(afu_tmf_cdb_word(HAL_ORDER_LITTLE, cdb), AFU_TMF_LUN_RESET);
    afu_tmf_cdb(cdb, HAL_ORDER_BIG, AFU_TMF_CLEAR_ACA);
    assert_bytes(cdb, "00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 00");
    cr_assert_eq(afu_tmf_cdb_word(HAL_ORDER_BIG, cdb), AFU_TMF_CLEAR_ACA);
    cr_assert_eq(AFU_TMF_REQ_FLAGS, 0x4004);
    PROVES(SL_12);
}

static struct afu_ioasa unit_attention(enum hal_order o)
{
    struct afu_ioasa s;

    memset(&s, 0, sizeof s);
    s.rc.flags = AFU_RC_FLAG_SENSE_VALID | AFU_RC_FLAG_UNDERRUN;
    s.rc.scsi_rc = AFU_SCSI_RC_CHECK_CONDITION;
    s.resid = xe32_of(o, 4096);
    s.sense_data[0] = 0x70;
    s.sense_data[2] = 0x06;
    s.sense_data[7] = 0x0A;
    s.sense_data[12] = 0x2A;
    s.sense_data[13] = 0x09;
    return s;
}

Test(afu_cmd, check_condition_of_section_23_7)
{
    struct afu_ioasa s = unit_attention(HAL_ORDER_BIG);
    uint32_t native;

    assert_bytes(&s, "90 00 02 00 00 00 10 00 00 00 00 00 70 00 06 00 "
                     "00 00 00 0a 00 00 00 00 2a 09 00 00 00 00 00 00");
    memcpy(&native, &s.rc, sizeof native);
    cr_assert_eq(native, HAL_ORDER_HOST == HAL_ORDER_BIG ? 0x90000200 : 0x00020090);
    cr_assert_eq(afu_ioasc(&s.rc), 0x90000200, "the same number on every host");
    cr_assert_not(afu_rc_good(&s.rc));
    s = unit_attention(HAL_ORDER_LITTLE);
    assert_bytes(&s, "90 00 02 00 00 10 00 00 00 00 00 00 70 00 06 00 "
                     "00 00 00 0a 00 00 00 00 2a 09 00 00 00 00 00 00");
    cr_assert_eq(xe32_get(HAL_ORDER_LITTLE, s.resid), 4096);
    PROVES(SL_7);
    PROVES(SL_23_7);
}

Test(afu_cmd, no_channels_of_section_23_7)
{
    struct afu_ioasa s;

    memset(&s, 0, sizeof s);
    cr_assert(afu_rc_good(&s.rc));
    s.rc.afu_rc = AFU_RC_NO_CHANNELS;
    s.afu_extra = afu_no_channels_extra(1, 2, 2);
    assert_bytes(&s, "00 20 00 00 00 00 00 00 00 06");
    cr_assert_eq(afu_no_channels_extra(0x1, 0xC, 4), 0x1C, "four ports take a nibble each");
    cr_assert_eq(afu_no_channels_extra(0x1, 0x4, 3), 0x14, "so do three");
    cr_assert_eq(afu_no_channels_extra(0xFF, 0xFF, 2), 0x0F);
    cr_assert_eq(afu_no_channels_extra(0xFF, 0xFF, 4), 0xFF);
    PROVES(R_23);
    PROVES(SL_23_7);
}

/* SL 7: LUN id and WWID of a new LUN in the answer to provision create. */
Test(afu_cmd, provisioned_lun_of_section_7)
{
    static const char *const dump[] = {
        [HAL_ORDER_BIG] = "00 00 00 00 01 02 03 04 00 00 00 00 05 06 07 08 aa",
        [HAL_ORDER_LITTLE] = "00 00 00 00 04 03 02 01 00 00 00 00 08 07 06 05 aa",
    };

    for (enum hal_order o = HAL_ORDER_LITTLE; o <= HAL_ORDER_BIG; o++) {
        struct afu_ioasa s;

        memset(&s, 0, sizeof s);
        s.lunid_hi = xe32_of(o, 0x01020304);
        s.provision.lunid_lo = xe32_of(o, 0x05060708);
        s.provision.wwid[0] = 0xAA;
        assert_bytes(&s, dump[o]);
        cr_assert_eq(afu_ioasa_lun_id(o, &s), UINT64_C(0x0102030405060708));
    }
    PROVES(SL_7);
}

Test(afu_cmd, rrq_elements_of_section_23_8)
{
    const uint64_t ea = UINT64_C(0x7FFF20000000);
    uint64_t first = afu_rrq_element(ea, true), second = afu_rrq_element(ea, false);
    xe64_t memory = xe64_of(HAL_ORDER_LITTLE, first);

    cr_assert_eq(first, UINT64_C(0x00007FFF20000001));
    cr_assert_eq(second, UINT64_C(0x00007FFF20000000));
    assert_bytes(&memory, "01 00 00 20 ff 7f 00 00");
    cr_assert_eq(afu_rrq_ea(first), ea);
    cr_assert_eq(afu_rrq_ea(second), ea);
    cr_assert_eq(afu_rrq_element(UINT64_MAX, false), UINT64_MAX - 1, "bit 0 alone is replaced");
    cr_assert_eq(afu_rrq_ea(UINT64_MAX), UINT64_MAX - 1);
    cr_assert(afu_rrq_toggle(first));
    cr_assert_not(afu_rrq_toggle(second));
    PROVES(SL_23_8);
}

/* SL 7, 10.2: with a pair allocated together the command is at IOASA - 64. */
Test(afu_cmd, pair_is_one_aligned_line)
{
    static struct afu_cmd_pair pair[2];

    cr_assert_eq(sizeof pair, 256);
    cr_assert_eq((uintptr_t)&pair[1] % AFU_CMD_PAIR_ALIGN, 0);
    cr_assert_eq((uintptr_t)&pair[1].ioasa - (uintptr_t)&pair[1].ioarcb, 64);
}

Test(afu_cmd, flags_of_sections_6_1_and_7_1)
{
    static const unsigned pins[][2] = {
        {AFU_REQ_RES_HNDL, 0x8000},
        {AFU_REQ_SUP_UNDERRUN, 0x4000},
        {AFU_REQ_TIMEOUT_UNIT_MASK, 0x00C0},
        {AFU_REQ_TIMEOUT_SECONDS, 0x0000},
        {AFU_REQ_TIMEOUT_MILLISECONDS, 0x0040},
        {AFU_REQ_TIMEOUT_MICROSECONDS, 0x0080},
        {AFU_REQ_TIMEOUT_CYCLES, 0x00C0},
        {AFU_REQ_TMF_CMD, 0x0004},
        {AFU_REQ_AFU_CMD, 0x0002},
        {AFU_REQ_HOST_WRITE, 0x0001},
        {AFU_REQ_PORT_LUN_ID | AFU_REQ_HOST_READ, 0x0000},
        {AFU_REQ_DEFINED, 0x8000 | 0x4000 | 0x00C0 | 0x0004 | 0x0002 | 0x0001},
        {AFU_RC_FLAG_SENSE_VALID, 0x80},
        {AFU_RC_FLAG_FCP_RSP_CODE_VALID, 0x40},
        {AFU_RC_FLAG_OVERRUN, 0x20},
        {AFU_RC_FLAG_UNDERRUN, 0x10},
        {AFU_LISN_NONE, 0},
        {AFU_LISN_SYNC_ERROR, 1},
        {AFU_LISN_RRQ, 2},
        {AFU_LISN_ASYNC, 3},
        {AFU_SYNC_LW, 0},
        {AFU_SYNC_GSYNC, 2},
        {AFU_BLOCK_ALIGN, 16},
        {AFU_SQ_SLOT_SIZE, 64},
        {AFU_RRQ_ELEMENT_SIZE, 8},
        {AFU_TRANSFER_MAX, 0x1000000},
        {AFU_DEBUG_DATA_MAX, 0x40000},
    };

    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++)
        cr_assert_eq(pins[i][0], pins[i][1], "row %zu is 0x%x", i, pins[i][0]);
    PROVES(SL_6_1);
    PROVES(SL_7_1);
}

Test(afu_cmd, codes_of_section_18)
{
    static const unsigned pins[][2] = {
        {AFU_RC_RHT_INVALID, 0x01},
        {AFU_RC_RHT_UNALIGNED, 0x02},
        {AFU_RC_RHT_OUT_OF_BOUNDS, 0x03},
        {AFU_RC_RHT_DMA_ERR, 0x04},
        {AFU_RC_RHT_RW_PERM, 0x05},
        {AFU_RC_LXT_UNALIGNED, 0x12},
        {AFU_RC_LXT_OUT_OF_BOUNDS, 0x13},
        {AFU_RC_LXT_DMA_ERR, 0x14},
        {AFU_RC_LXT_RW_PERM, 0x15},
        {AFU_RC_NOT_XLATE_HOST, 0x1A},
        {AFU_RC_NO_CHANNELS, 0x20},
        {AFU_RC_CAP_VIOLATION, 0x21},
        {AFU_RC_SYNC_IN_PROGRESS, 0x22},
        {AFU_RC_OUT_OF_DATA_BUFS, 0x30},
        {AFU_RC_DATA_DMA_ERR, 0x31},
        {AFU_RC_TIMED_OUT_PRE_FC, 0x50},
        {AFU_RC_TIMED_OUT, 0x51},
        {AFU_RC_GT_DIRECTION, 0x62},
        {AFU_FC_RC_CRCERR, 0x51},
        {AFU_FC_RC_ABORTPEND, 0x52},
        {AFU_FC_RC_WRABORTPEND, 0x53},
        {AFU_FC_RC_NOLOGI, 0x54},
        {AFU_FC_RC_NOEXP, 0x55},
        {AFU_FC_RC_INUSE, 0x56},
        {AFU_FC_RC_LINKDOWN, 0x57},
        {AFU_FC_RC_ABORTOK, 0x58},
        {AFU_FC_RC_ABORTFAIL, 0x59},
        {AFU_FC_RC_RESID, 0x5A},
        {AFU_FC_RC_RESIDERR, 0x5B},
        {AFU_FC_RC_TGTABORT, 0x5C},
        {AFU_FC_RC_SHUTDOWN, 0x5E},
        {AFU_FC_RC_FCPERR, 0x60},
        {AFU_PSL_AERROR, 1},
        {AFU_PSL_DERROR, 3},
        {AFU_PSL_NLOCK, 4},
        {AFU_PSL_NRES, 5},
        {AFU_PSL_FLUSHED, 6},
        {AFU_PSL_FAULT, 7},
        {AFU_PSL_FAILED, 8},
        {AFU_PSL_PAGED, 0x0A},
        {AFU_PSL_CONTEXT, 0x0B},
        {AFU_SCSI_RC_CHECK_CONDITION, 0x02},
        {AFU_RC_NONE, 0},
        {AFU_FC_RC_NONE, 0},
        {AFU_SCSI_RC_GOOD, 0},
        {AFU_SCSI_RC_CONDITION_MET, 0x04},
        {AFU_SCSI_RC_ACA_ACTIVE, 0x30},
        {AFU_SCSI_RC_TASK_ABORTED, 0x40},
        {AFU_SCSI_RC_BUSY, 0x08},
        {AFU_SCSI_RC_RESERVATION_CONFLICT, 0x18},
        {AFU_SCSI_RC_TASK_SET_FULL, 0x28},
    };

    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++)
        cr_assert_eq(pins[i][0], pins[i][1], "row %zu is 0x%x", i, pins[i][0]);
    PROVES(SL_18_1);
    PROVES(SL_18_2);
    PROVES(SL_18_3);
}
