/* The register map, pinned with literal numbers from docs/spec/sislite.md, because core and the
 * model share the header and a wrong offset would cancel out between them. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "hal/afu_regs.h"
#include "tests/testlib/proves.h"

/* A constant, what the specification says it is, and its name for the message. */
struct pin {
    uint64_t is, should;
    const char *name;
};

#define PIN(constant, literal)                                                                     \
    {                                                                                              \
        (constant), UINT64_C(literal), #constant                                                   \
    }
#define CHECK_PINS(pins) check_pins(pins, sizeof(pins) / sizeof(pins)[0])

static void check_pins(const struct pin *pins, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(pins[i].is, pins[i].should, "%s is 0x%" PRIx64 ", not 0x%" PRIx64,
                     pins[i].name, pins[i].is, pins[i].should);
}

Test(afu_regs, regions_of_section_1)
{
    static const struct pin pins[] = {
        PIN(AFU_HOST_BASE(0), 0x0),
        PIN(AFU_HOST_BASE(1), 0x10000),
        PIN(AFU_HOST_BASE(511), 0x1FF0000),
        PIN(AFU_HOST_SIZE, 0x10000),
        PIN(AFU_CTRL_BASE(0), 0x2000000),
        PIN(AFU_CTRL_BASE(1), 0x2000080),
        PIN(AFU_CTRL_BASE(511), 0x200FF80),
        PIN(AFU_CTRL_SIZE, 0x80),
        PIN(AFU_GLOBAL_BASE, 0x2010000),
        PIN(AFU_GLOBAL_SIZE, 0x10000),
        PIN(AFU_MAP_SIZE, 0x2020000),
        PIN(AFU_RESERVED_BASE, 0x2020000),
        PIN(AFU_DEBUG_BASE, 0x2040000),
        PIN(AFU_DEBUG_SIZE, 0x20000),
        PIN(AFU_PORT_DEBUG_BASE(0), 0x2060000),
        PIN(AFU_PORT_DEBUG_BASE(1), 0x2080000),
        PIN(AFU_PORT_DEBUG_BASE(3), 0x20C0000),
        PIN(AFU_MAP_SIZE_FULL_2PORT, 0x20A0000),
        PIN(AFU_MAP_SIZE_FULL_4PORT, 0x20E0000),
        PIN(AFU_CONTEXTS, 512),
        PIN(AFU_PORTS_MAX, 4),
    };
    CHECK_PINS(pins);
    PROVES(SL_1);
}

Test(afu_regs, host_page_of_section_2)
{
    static const struct pin pins[] = {
        PIN(AFU_HOST_ENDIAN_CTRL, 0x00),
        PIN(AFU_HOST_INTR_STATUS, 0x08),
        PIN(AFU_HOST_INTR_CLEAR, 0x10),
        PIN(AFU_HOST_INTR_MASK, 0x18),
        PIN(AFU_HOST_IOARRIN, 0x20),
        PIN(AFU_HOST_RRQ_START, 0x28),
        PIN(AFU_HOST_RRQ_END, 0x30),
        PIN(AFU_HOST_CMD_ROOM, 0x38),
        PIN(AFU_HOST_CTX_CTRL, 0x40),
        PIN(AFU_HOST_MBOX_W, 0x48),
        PIN(AFU_HOST_SQ_START, 0x50),
        PIN(AFU_HOST_SQ_END, 0x58),
        PIN(AFU_HOST_SQ_HEAD, 0x60),
        PIN(AFU_HOST_SQ_TAIL, 0x68),
        PIN(AFU_HOST_SQ_CTX_RESET, 0x70),
        PIN(AFU_HOST_REGS_END, 0x78),
        PIN(AFU_HOST_BASE(3) + AFU_HOST_IOARRIN, 0x30020),
        PIN(AFU_ENDIAN_CTRL_BIG, 0x8000000000000080),
        PIN(AFU_ENDIAN_CTRL_LITTLE, 0),
        PIN(AFU_CTX_RESET, 1),
        PIN(AFU_CTX_CTRL_UNMAP, 0x8000000000000000),
        PIN(AFU_CTX_CTRL_LISN_MASK, 0xFF),
        PIN(AFU_MBOX_LOCKED, 0),
    };
    CHECK_PINS(pins);
    cr_assert_eq(__builtin_bswap64(AFU_ENDIAN_CTRL_BIG), AFU_ENDIAN_CTRL_BIG);
    PROVES(SL_2);
}

Test(afu_regs, causes_of_section_2_1)
{
    static const struct pin pins[] = {
        PIN(AFU_INTR_PERM_ERR_LISN_3_EA, 0x400),    PIN(AFU_INTR_PERM_ERR_LISN_2_EA, 0x200),
        PIN(AFU_INTR_PERM_ERR_LISN_1_EA, 0x100),    PIN(AFU_INTR_PERM_ERR_LISN_3_PASID, 0x080),
        PIN(AFU_INTR_PERM_ERR_LISN_2_PASID, 0x040), PIN(AFU_INTR_PERM_ERR_LISN_1_PASID, 0x020),
        PIN(AFU_INTR_PERM_ERR_CMDROOM, 0x010),      PIN(AFU_INTR_PERM_ERR_RCB_READ, 0x008),
        PIN(AFU_INTR_PERM_ERR_SA_WRITE, 0x004),     PIN(AFU_INTR_PERM_ERR_RRQ_WRITE, 0x002),
        PIN(AFU_INTR_TEMP_ERR_PAGEIN, 0x001),       PIN(AFU_INTR_ALL, 0x7FF),
        PIN(AFU_INTR_PERM_ERR_ALL, 0x7FE),          PIN(AFU_INTR_MASK_RESET, 0xFFFFFFFFFFFFFFFF),
    };
    CHECK_PINS(pins);
    PROVES(SL_2_1);
}

Test(afu_regs, control_registers_of_section_3)
{
    static const struct pin pins[] = {
        PIN(AFU_CTRL_RHT_START, 0x00),
        PIN(AFU_CTRL_RHT_CNT_ID, 0x08),
        PIN(AFU_CTRL_CTX_CAP, 0x10),
        PIN(AFU_CTRL_MBOX_R, 0x18),
        PIN(AFU_CTRL_LISN_PASID(0), 0x20),
        PIN(AFU_CTRL_LISN_PASID(1), 0x28),
        PIN(AFU_CTRL_LISN_EA(0), 0x30),
        PIN(AFU_CTRL_LISN_EA(1), 0x38),
        PIN(AFU_CTRL_LISN_EA(2), 0x40),
        PIN(AFU_CTRL_REGS_END, 0x48),
        PIN(AFU_CTRL_BASE(7) + AFU_CTRL_CTX_CAP, 0x2000390),
    };
    CHECK_PINS(pins);
    PROVES(SL_3);
}

Test(afu_regs, capabilities_of_section_13)
{
    static const struct pin pins[] = {
        PIN(AFU_CTX_CAP_PROXY_ISSUE, 0x8000000000000000),
        PIN(AFU_CTX_CAP_REAL_MODE, 0x4000000000000000),
        PIN(AFU_CTX_CAP_HOST_XLATE, 0x2000000000000000),
        PIN(AFU_CTX_CAP_PROXY_TARGET, 0x1000000000000000),
        PIN(AFU_CTX_CAP_AFU_CMD, 0x8),
        PIN(AFU_CTX_CAP_GSCSI_CMD, 0x4),
        PIN(AFU_CTX_CAP_WRITE_CMD, 0x2),
        PIN(AFU_CTX_CAP_READ_CMD, 0x1),
        PIN(AFU_CTX_CAP_ALL, 0xF00000000000000F),
    };
    CHECK_PINS(pins);
    cr_assert_eq(afu_ctx_cap_extra(AFU_CTX_CAP_MASTER), 0x6F);
    cr_assert_eq(afu_ctx_cap_extra(AFU_CTX_CAP_USER), 0x03);
    cr_assert_eq(afu_ctx_cap_extra(UINT64_C(0x0FFFFFFFFFFFFFF0)), 0x00);
    PROVES(SL_13_1);
}

Test(afu_regs, global_registers_of_section_4)
{
    static const struct pin pins[] = {
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_STATUS, 0x2010000),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_CLEAR, 0x2010008),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_MASK, 0x2010010),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CTRL, 0x2010018),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_HB, 0x2010020),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD, 0x2010028),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 0x2010030),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG, 0x2010038),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_RRIN_READ_TO, 0x2010040),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_CONT_RETRY_TO, 0x2010048),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_VERSION, 0x2010800),
        PIN(AFU_GLOBAL_BASE + AFU_GLOBAL_INTERFACE_VERSION, 0x2010808),
        PIN(AFU_CONFIG_AR_IOARCB, 0x4000),
        PIN(AFU_CONFIG_AR_LXT, 0x2000),
        PIN(AFU_CONFIG_AR_RHT, 0x1000),
        PIN(AFU_CONFIG_AR_DATA, 0x0800),
        PIN(AFU_CONFIG_AR_RSRC, 0x0400),
        PIN(AFU_CONFIG_AR_IOASA, 0x0200),
        PIN(AFU_CONFIG_AR_RRQ, 0x0100),
        PIN(AFU_CONFIG_ENDIAN_LITTLE, 0x0020),
        PIN(AFU_CONFIG_MBOX_CLR_READ, 0x0010),
        PIN(AFU_PORT_BIT(0) | AFU_PORT_BIT(3), 0x9),
    };
    CHECK_PINS(pins);
    PROVES(SL_4);
}

Test(afu_regs, port_banks_of_section_5)
{
    static const struct pin pins[] = {
        PIN(AFU_PORT_REGS(0), 0x2012000),
        PIN(AFU_LUN_TABLE(0), 0x2014000),
        PIN(AFU_PORT_REGS(1), 0x2013000),
        PIN(AFU_LUN_TABLE(1), 0x2015000),
        PIN(AFU_PORT_REGS(2), 0x2016000),
        PIN(AFU_LUN_TABLE(2), 0x2018000),
        PIN(AFU_PORT_REGS(3), 0x2017000),
        PIN(AFU_LUN_TABLE(3), 0x2019000),
        PIN(AFU_LUN_TABLE_ENTRY(0, 1), 0x2014008),
        PIN(AFU_LUN_TABLE_ENTRY(3, 255), 0x20197F8),
        PIN(AFU_LUN_TABLE_WORDS, 512),
        PIN(AFU_LUN_TABLE_SLOTS, 256),
    };
    CHECK_PINS(pins);
    PROVES(SL_5_1);
}

Test(afu_regs, port_registers_that_hosts_use)
{
    static const struct pin pins[] = {
        PIN(AFU_PORT_REGS(0) + AFU_FC_MTIP_CMDCONFIG, 0x2012010),
        PIN(AFU_PORT_REGS(0) + AFU_FC_MTIP_STATUS, 0x2012018),
        PIN(AFU_PORT_REGS(1) + AFU_FC_MAX_NUM_LUNS, 0x2013080),
        PIN(AFU_PORT_REGS(1) + AFU_FC_CUR_NUM_LUNS, 0x2013088),
        PIN(AFU_PORT_REGS(1) + AFU_FC_MAX_CAP_PORT, 0x2013090),
        PIN(AFU_PORT_REGS(1) + AFU_FC_CUR_CAP_PORT, 0x2013098),
        PIN(AFU_PORT_REGS(2) + AFU_FC_PNAME, 0x2016300),
        PIN(AFU_PORT_REGS(2) + AFU_FC_CONFIG, 0x2016320),
        PIN(AFU_PORT_REGS(2) + AFU_FC_CONFIG2, 0x2016328),
        PIN(AFU_PORT_REGS(2) + AFU_FC_STATUS, 0x2016330),
        PIN(AFU_PORT_REGS(3) + AFU_FC_ERROR, 0x2017380),
        PIN(AFU_PORT_REGS(3) + AFU_FC_ERRCAP, 0x2017388),
        PIN(AFU_PORT_REGS(3) + AFU_FC_ERRMSK, 0x2017390),
        PIN(AFU_PORT_REGS(0) + AFU_FC_CNT_CRCERR, 0x2012538),
        PIN(AFU_PORT_REGS(0) + AFU_FC_CRC_THRESH, 0x2012580),
    };
    CHECK_PINS(pins);
    PROVES(SL_5_3);
}

Test(afu_regs, other_port_registers_low)
{
    static const struct pin pins[] = {
        PIN(AFU_FC_MTIP_REV, 0x000),       PIN(AFU_FC_MTIP_SCRATCH, 0x008),
        PIN(AFU_FC_MTIP_INITTIMER, 0x020), PIN(AFU_FC_MTIP_EVENTTIME, 0x028),
        PIN(AFU_FC_MTIP_CREDIT, 0x030),    PIN(AFU_FC_MTIP_BB_SCN, 0x038),
        PIN(AFU_FC_MTIP_RX_SF, 0x040),     PIN(AFU_FC_MTIP_TX_SE, 0x048),
        PIN(AFU_FC_MTIP_TX_SF, 0x050),     PIN(AFU_FC_MTIP_RX_AE, 0x058),
        PIN(AFU_FC_MTIP_RX_AF, 0x060),     PIN(AFU_FC_MTIP_TX_AE, 0x068),
        PIN(AFU_FC_MTIP_TX_AF, 0x070),     PIN(AFU_FC_MTIP_FRMLEN, 0x078),
        PIN(AFU_FC_SD_RCFG_CMD, 0x100),    PIN(AFU_FC_SD_RCFG_WRDAT, 0x108),
        PIN(AFU_FC_SD_RCFG_RDDAT, 0x110),  PIN(AFU_FC_TX_FRM_CNT, 0x200),
        PIN(AFU_FC_TX_CRC_ERR_CNT, 0x208), PIN(AFU_FC_RX_FRM_CNT, 0x210),
        PIN(AFU_FC_RX_CRC_ERR_CNT, 0x218), PIN(AFU_FC_RX_LGTH_ERR_CNT, 0x220),
        PIN(AFU_FC_FRM_DISC_CNT, 0x228),   PIN(AFU_FC_NNAME, 0x308),
        PIN(AFU_FC_PORT_ID, 0x310),        PIN(AFU_FC_TIMER, 0x338),
        PIN(AFU_FC_E_D_TOV, 0x340),        PIN(AFU_FC_STATUS2, 0x348),
        PIN(AFU_FC_ERRINJ, 0x3A0),         PIN(AFU_FC_ERRINJ_DATA, 0x3A8),
        PIN(AFU_FC_PE_ERRINJ, 0x3B0),      PIN(AFU_FC_PE_ERRINJ_DATA, 0x3B8),
    };
    CHECK_PINS(pins);
    PROVES(SL_5_3);
}

Test(afu_regs, other_port_registers_high)
{
    static const struct pin pins[] = {
        PIN(AFU_FC_TGT_D_ID, 0x400),        PIN(AFU_FC_TGT_PNAME, 0x408),
        PIN(AFU_FC_TGT_NNAME, 0x410),       PIN(AFU_FC_TGT_LOGI, 0x418),
        PIN(AFU_FC_TGT_B2BCR, 0x420),       PIN(AFU_FC_TGT_E_D_TOV, 0x428),
        PIN(AFU_FC_TGT_CLASS3, 0x430),      PIN(AFU_FC_CNT_CLKRATIO, 0x500),
        PIN(AFU_FC_CNT_FCREFCLK, 0x508),    PIN(AFU_FC_CNT_PCICLK, 0x510),
        PIN(AFU_FC_CNT_TXRDWR, 0x518),      PIN(AFU_FC_CNT_TXLOGI, 0x520),
        PIN(AFU_FC_CNT_TXDATA, 0x528),      PIN(AFU_FC_CNT_LINKERR, 0x530),
        PIN(AFU_FC_CNT_CRCERR_RO, 0x540),   PIN(AFU_FC_CNT_OTHERERR, 0x548),
        PIN(AFU_FC_CNT_TIMEOUT, 0x550),     PIN(AFU_FC_DBGDISP, 0x600),
        PIN(AFU_FC_DBGDATA, 0x608),         PIN(AFU_FC_CNT_CRCTOT, 0x610),
        PIN(AFU_FC_CNT_AFURD, 0x618),       PIN(AFU_FC_CNT_AFUWR, 0x620),
        PIN(AFU_FC_CNT_AFUABORT, 0x628),    PIN(AFU_FC_CNT_RSPOVER, 0x630),
        PIN(AFU_FC_CNT_ABORT1, 0x638),      PIN(AFU_FC_CNT_ABORT2, 0x640),
        PIN(AFU_FC_CNT_ABORT3, 0x648),      PIN(AFU_FC_CNT_ABORT4, 0x650),
        PIN(AFU_FC_CNT_WBUFREL, 0x658),     PIN(AFU_FC_CNT_RXRSP, 0x660),
        PIN(AFU_FC_LOOPBACK_TXCNT, 0x670),  PIN(AFU_FC_LOOPBACK_PASSCNT, 0x678),
        PIN(AFU_FC_LOOPBACK_ERRCNT, 0x680), PIN(AFU_FC_NVME_STATUS, 0x700),
        PIN(AFU_FC_NVME_VERSION, 0x708),    PIN(AFU_FC_NVME_NEXT_VERSION, 0x710),
    };
    CHECK_PINS(pins);
    cr_assert_eq(AFU_PORT_REGS(1) + AFU_FC_NVME_VERSION, 0x2013708, "SL 5.3, as the tool reads it");
    PROVES(SL_5_3);
}

Test(afu_regs, port_bits_of_sections_5_and_17)
{
    static const struct pin pins[] = {
        PIN(AFU_FC_CMDCONFIG_ON_LINE, 0x20),
        PIN(AFU_FC_CMDCONFIG_OFF_LINE, 0x40),
        PIN(AFU_FC_MTIP_STATUS_MASK, 0x30),
        PIN(AFU_FC_MTIP_STATUS_ONLINE, 0x20),
        PIN(AFU_FC_MTIP_STATUS_OFFLINE, 0x10),
        PIN(AFU_FC_CONFIG_AUTO_LOGIN, 0x01),
        PIN(AFU_FC_CONFIG_RESET, 0x10),
        PIN(AFU_FC_CONFIG_NO_TIMEOUTS, 0x80),
        PIN(AFU_FC_CONFIG2_SHUTDOWN_NORMAL, 0x10),
        PIN(AFU_FC_CONFIG2_SHUTDOWN_ABRUPT, 0x20),
        PIN(AFU_FC_CONFIG2_LUN_MODE_MASK, 0x300000000),
        PIN(AFU_FC_CONFIG2_ECHO, 0x10000000000),
        PIN(AFU_FC_STATUS_LINK_TRAINED, 0x01),
        PIN(AFU_FC_STATUS_CONTROLLER_READY, 0x02),
        PIN(AFU_FC_STATUS_IO_QUEUE_READY, 0x04),
        PIN(AFU_FC_STATUS_PCIE_INIT_DONE, 0x08),
        PIN(AFU_FC_STATUS_PORT_ONLINE, 0x0F),
        PIN(AFU_FC_STATUS_SHUTDOWN_ACTIVE, 0x10),
        PIN(AFU_FC_STATUS_SHUTDOWN_COMPLETE, 0x20),
        PIN(AFU_FC_STATUS_SUBMISSION_EMPTY, 0x40),
        PIN(AFU_FC_STATUS_COMPLETION_EMPTY, 0x80),
        PIN(AFU_FC_STATUS2_GEN1, 0x40),
        PIN(AFU_FC_STATUS2_GEN2, 0x80),
        PIN(AFU_FC_STATUS2_GEN3, 0x100),
        PIN(AFU_FC_STATUS2_WIDTH_MASK, 0x1E00),
        PIN(AFU_FC_STATUS2_LINK_MASK, 0x6000),
        PIN(UINT64_C(3) << AFU_FC_STATUS2_LINK_SHIFT, 0x6000),
        PIN(UINT64_C(15) << AFU_FC_STATUS2_WIDTH_SHIFT, 0x1E00),
        PIN(AFU_FC_STATUS2_PHY_LINK_DOWN, 0x8000),
        PIN(AFU_FC_STATUS2_USER_RESET, 0x10000),
        PIN(AFU_FC_LINK_NO_RECEIVERS, 0),
        PIN(AFU_FC_LINK_TRAINING, 1),
        PIN(AFU_FC_LINK_INIT, 2),
        PIN(AFU_FC_LINK_UP, 3),
    };
    CHECK_PINS(pins);
}

Test(afu_regs, error_and_injection_bits)
{
    static const struct pin pins[] = {
        PIN(AFU_FC_ERROR_LOGIN_MASK, 0xFFFFF),
        PIN(AFU_FC_ERROR_OTHER_MASK, 0xFFF00000),
        PIN(AFU_FC_ERROR_GT_LOGIN, 0x100000),
        PIN(AFU_FC_ERROR_CLEAR_ALL, 0xFFFFFFFF),
        PIN(AFU_FC_ERRINJ_ENABLE, 0x80000000),
        PIN(AFU_FC_ERRINJ_TYPE_MASK, 0xF00000),
        PIN(UINT64_C(15) << AFU_FC_ERRINJ_TYPE_SHIFT, 0xF00000),
        PIN(AFU_FC_ERRINJ_ARM_MASK, 0x30000),
        PIN(AFU_FC_ERRINJ_ARM_ONCE, 0x10000),
        PIN(AFU_FC_ERRINJ_ARM_ALWAYS, 0x30000),
        PIN(AFU_FC_ERRINJ_INTERVAL_MASK, 0xFFFF),
        PIN(AFU_FC_PE_ERRINJ_DATA_WRITE, 0x100400),
        PIN(AFU_FC_ERRINJ_WRITE_LBA, 1),
        PIN(AFU_FC_ERRINJ_READ_LBA, 2),
        PIN(AFU_FC_ERRINJ_WRITE_BAD_DATA, 3),
        PIN(AFU_FC_ERRINJ_READ_BAD_DATA, 4),
        PIN(AFU_FC_ERRINJ_READ_DMA, 7),
        PIN(AFU_FC_ERRINJ_WRITE_DMA, 8),
    };
    CHECK_PINS(pins);
}

Test(afu_regs, words_of_section_23_6)
{
    const struct pin pins[] = {
        PIN(afu_rht_cnt_id(256, 3), 0x0100000300000000),
        PIN(afu_rht_cnt_id(4096, 3), 0x1000000300000000),
        PIN(afu_ctrl(3, 3, false), 0x0003030000000000),
        PIN(afu_ctrl(3, 3, true), 0x0003030000000001),
        PIN(AFU_CTX_CAP_MASTER, 0x600000000000000F),
        PIN(AFU_CTX_CAP_USER, 0x0000000000000003),
        PIN(AFU_CONFIG_AR_ALL, 0x7F00),
        PIN(AFU_CONFIG_AR_ALL | AFU_CONFIG_ENDIAN_LITTLE, 0x7F20),
        PIN(AFU_AINTR_MASK_NONE, 0xFFFFFFFF00000000),
        PIN(AFU_INTR_MASK_NONE, 0xFFFFFFFFFFFFF800),
        PIN(afu_interface_version(
                AFU_IFV_IOARRIN | AFU_IFV_SQ | AFU_IFV_LUN_PROVISION | AFU_IFV_AFU_DEBUG, 1, 2),
            0xCC00000000010002),
        PIN(afu_lisn_pasid(3, 3), 0x0000000300000003),
        PIN(afu_lisn_pasid(0, 3), 0x0000000000000003),
    };
    CHECK_PINS(pins);
    PROVES(SL_23_6);
}

Test(afu_regs, fields_are_read_back)
{
    cr_assert_eq(afu_rht_cnt_id_count(afu_rht_cnt_id(0xABCD, 0x1234)), 0xABCD);
    cr_assert_eq(afu_rht_cnt_id_owner(afu_rht_cnt_id(0xABCD, 0x1234)), 0x1234);
    cr_assert_eq(afu_ctrl_handle(afu_ctrl(0x1FF, 3, true)), 0x1FF);
    cr_assert_eq(afu_ctrl_lisn(afu_ctrl(0x1FF, 3, true)), 3);
    cr_assert_eq(afu_interface_major(UINT64_C(0x8000000000010002)), 1);
    cr_assert_eq(afu_interface_minor(UINT64_C(0x8000000000010002)), 2);
}

/* The header constants of SL 20.2 are the register shifted right by 16. */
Test(afu_regs, capabilities_of_section_20)
{
    static const struct pin pins[] = {
        PIN(AFU_IFV_IOARRIN >> 16, 0x800000000000),
        PIN(AFU_IFV_SQ >> 16, 0x400000000000),
        PIN(AFU_IFV_RESERVED_A >> 16, 0x200000000000),
        PIN(AFU_IFV_RESERVED_B >> 16, 0x100000000000),
        PIN(AFU_IFV_LUN_PROVISION >> 16, 0x080000000000),
        PIN(AFU_IFV_AFU_DEBUG >> 16, 0x040000000000),
        PIN(AFU_IFV_OCXL_LISN >> 16, 0x020000000000),
        PIN(AFU_IFV_TOO_OLD, 0xFFFFFFFFFFFFFFFF),
    };
    CHECK_PINS(pins);
    PROVES(SL_20_2);
}

/* SL 16, "Full values": rows FC0 to FC3, columns LINK_UP to OTHER. */
Test(afu_regs, events_of_section_16)
{
    static const uint64_t table[4][8] = {
        {0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000},
        {0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80},
        {0x01000000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
         0x80000000},
        {0x010000, 0x020000, 0x040000, 0x080000, 0x100000, 0x200000, 0x400000, 0x800000},
    };
    static const enum afu_aintr_event columns[] = {
        AFU_AINTR_LINK_UP, AFU_AINTR_LINK_DN, AFU_AINTR_LOGI_S, AFU_AINTR_LOGI_F,
        AFU_AINTR_LOGI_R,  AFU_AINTR_CRC_T,   AFU_AINTR_LOGO,   AFU_AINTR_OTHER,
    };
    uint64_t all = 0;

    for (unsigned port = 0; port < 4; port++)
        for (unsigned i = 0; i < 8; i++) {
            cr_assert_eq(AFU_AINTR(port, columns[i]), table[port][i], "port %u event %u", port, i);
            cr_assert_eq(afu_aintr_events(table[port][i], port), 1u << i);
            cr_assert_eq(afu_aintr_events(table[port][i], port ^ 1), 0);
            all |= AFU_AINTR(port, columns[i]);
        }
    cr_assert_eq(all, AFU_AINTR_ALL);
    cr_assert_eq(AFU_AINTR_EVENTS, 8);
    cr_assert_eq(AFU_AINTR_MASK_RESET, UINT64_MAX, "MD-2");
    PROVES(SL_16);
}

Test(afu_regs, lun_modes_of_section_19)
{
    static const uint64_t field[] = {0, 0, 1, 2, 3}; /* column FC_CONFIG2[33:32] */

    for (unsigned mode = 0; mode <= 4; mode++)
        cr_assert_eq(afu_fc_config2_lun_mode(mode), field[mode] << 32, "lun_mode %u", mode);
    PROVES(SL_19);
}

Test(afu_regs, pasid_of_each_lisn)
{
    const uint64_t pasid[2] = {afu_lisn_pasid(11, 12), afu_lisn_pasid(0, 13)};

    cr_assert_eq(afu_lisn_pasid_of(pasid, 1), 11);
    cr_assert_eq(afu_lisn_pasid_of(pasid, 2), 12);
    cr_assert_eq(afu_lisn_pasid_of(pasid, 3), 13);
    PROVES(MD_24);
}
