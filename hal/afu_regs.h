/* SPDX-License-Identifier: Apache-2.0 */
/* The register map of the AFU: where each register is and what its bits mean. Numbers only; the
 * order of accesses is the business of core and of the model.
 *
 * A master addresses the whole map with absolute offsets: base + register, for example
 * AFU_HOST_BASE(3) + AFU_HOST_IOARRIN. A user context sees its own host page at 0, so that for it
 * the register offset alone is the address. All registers are 64 bits wide and numbers on the bus,
 * except AFU_GLOBAL_AFU_VERSION, which is a string of bytes.
 *
 * The source of every constant stands behind it: SL = docs/spec/sislite.md and the section. */
#ifndef HAL_AFU_REGS_H
#define HAL_AFU_REGS_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/support/bits.h"

/* ---- the map ---- */

#define AFU_CONTEXTS 512u                            /* SL 1, process elements */
#define AFU_PORTS_MAX 4u                             /* SL 5.1 */
#define AFU_LUN_TABLE_WORDS 512u                     /* SL 5.2, words that exist */
#define AFU_LUN_TABLE_SLOTS 256u                     /* SL 5.2, words that an LXT entry reaches */
#define AFU_HOST_SIZE UINT64_C(0x10000)              /* SL 1, stride and size of a host page */
#define AFU_CTRL_START UINT64_C(0x2000000)           /* SL 1 */
#define AFU_CTRL_SIZE UINT64_C(0x80)                 /* SL 1, stride; 128 on every host */
#define AFU_GLOBAL_BASE UINT64_C(0x2010000)          /* SL 1 */
#define AFU_GLOBAL_SIZE UINT64_C(0x10000)            /* SL 1 */
#define AFU_MAP_SIZE UINT64_C(0x2020000)             /* SL 1, end of what a driver uses */
#define AFU_RESERVED_BASE UINT64_C(0x2020000)        /* SL 1 */
#define AFU_DEBUG_BASE UINT64_C(0x2040000)           /* SL 1 */
#define AFU_DEBUG_SIZE UINT64_C(0x20000)             /* SL 1, of each debug window */
#define AFU_PORT_DEBUG_START UINT64_C(0x2060000)     /* SL 1 */
#define AFU_MAP_SIZE_FULL_2PORT UINT64_C(0x20A0000)  /* SL 1, with debug windows */
#define AFU_MAP_SIZE_FULL_4PORT UINT64_C(0x20E0000)  /* SL 1, the same for four windows */
#define AFU_FC_BANK_START (AFU_GLOBAL_BASE + 0x2000) /* SL 5.1 */
#define AFU_FC_BANK_SIZE UINT64_C(0x4000)            /* SL 5.1, two ports */
#define AFU_FC_PAGE_SIZE UINT64_C(0x1000)            /* SL 5.1, registers or table of one port */

/** Host page of a context in the map of a master (SL 1). */
#define AFU_HOST_BASE(ctx) (AFU_HOST_SIZE * (ctx))

/** Control registers of a context (SL 1). */
#define AFU_CTRL_BASE(ctx) (AFU_CTRL_START + AFU_CTRL_SIZE * (ctx))

/** Registers of a port: bank = port / 2, inside it the even port first (SL 5.1). */
#define AFU_PORT_REGS(port)                                                                        \
    (AFU_FC_BANK_START + AFU_FC_BANK_SIZE * ((port) >> 1) + AFU_FC_PAGE_SIZE * ((port)&1u))

/** LUN table of a port, AFU_LUN_TABLE_WORDS words of 8 bytes (SL 5.1). */
#define AFU_LUN_TABLE(port) (AFU_PORT_REGS(port) + 2 * AFU_FC_PAGE_SIZE)

/** One word of a LUN table (SL 5.2). */
#define AFU_LUN_TABLE_ENTRY(port, index) (AFU_LUN_TABLE(port) + UINT64_C(8) * (index))

/** Debug window of a port (SL 1). */
#define AFU_PORT_DEBUG_BASE(port) (AFU_PORT_DEBUG_START + AFU_DEBUG_SIZE * (port))

static_assert(AFU_HOST_BASE(AFU_CONTEXTS) == AFU_CTRL_START, "SL 1: control map behind host pages");
static_assert(AFU_CTRL_BASE(AFU_CONTEXTS) == AFU_GLOBAL_BASE, "SL 1: global map behind controls");
static_assert(AFU_GLOBAL_BASE + AFU_GLOBAL_SIZE == AFU_MAP_SIZE, "SL 1: end of the map");

/* ---- host page of a context, SL 2 ---- */

#define AFU_HOST_ENDIAN_CTRL UINT64_C(0x00)  /* SL 2 */
#define AFU_HOST_INTR_STATUS UINT64_C(0x08)  /* SL 2, bits AFU_INTR_ */
#define AFU_HOST_INTR_CLEAR UINT64_C(0x10)   /* SL 2 */
#define AFU_HOST_INTR_MASK UINT64_C(0x18)    /* SL 2, 1 = masked */
#define AFU_HOST_IOARRIN UINT64_C(0x20)      /* SL 2, doorbell of IOARRIN mode */
#define AFU_HOST_RRQ_START UINT64_C(0x28)    /* SL 2 */
#define AFU_HOST_RRQ_END UINT64_C(0x30)      /* SL 2, address of the last element */
#define AFU_HOST_CMD_ROOM UINT64_C(0x38)     /* SL 2, 10.1 */
#define AFU_HOST_CTX_CTRL UINT64_C(0x40)     /* SL 2, bits AFU_CTX_CTRL_ */
#define AFU_HOST_MBOX_W UINT64_C(0x48)       /* SL 2, 13.2 */
#define AFU_HOST_SQ_START UINT64_C(0x50)     /* SL 2 */
#define AFU_HOST_SQ_END UINT64_C(0x58)       /* SL 2, address of the last slot */
#define AFU_HOST_SQ_HEAD UINT64_C(0x60)      /* SL 2 */
#define AFU_HOST_SQ_TAIL UINT64_C(0x68)      /* SL 2, doorbell of SQ mode */
#define AFU_HOST_SQ_CTX_RESET UINT64_C(0x70) /* SL 2, 11 */
#define AFU_HOST_REGS_END UINT64_C(0x78)     /* SL 2, reserved from here */

#define AFU_ENDIAN_CTRL_BIG UINT64_C(0x8000000000000080) /* SL 2, same bytes in both orders */
#define AFU_ENDIAN_CTRL_LITTLE UINT64_C(0)               /* SL 2, MD-1 */
#define AFU_CTX_RESET                                                                              \
    UINT64_C(1) /* SL 2, 11: written to ioarrin or sq_ctx_reset; reads 1 while busy */
#define AFU_CTX_CTRL_UNMAP HAL_BIT(63)        /* SL 2, read-only: unmap a sector by write same */
#define AFU_CTX_CTRL_LISN_MASK UINT64_C(0xFF) /* SL 2, LISN of synchronous errors */
#define AFU_MBOX_LOCKED UINT64_C(0)           /* SL 2, 13.2 */

#define AFU_INTR_PERM_ERR_LISN_3_EA UINT64_C(0x400)    /* SL 2.1 */
#define AFU_INTR_PERM_ERR_LISN_2_EA UINT64_C(0x200)    /* SL 2.1 */
#define AFU_INTR_PERM_ERR_LISN_1_EA UINT64_C(0x100)    /* SL 2.1 */
#define AFU_INTR_PERM_ERR_LISN_3_PASID UINT64_C(0x080) /* SL 2.1 */
#define AFU_INTR_PERM_ERR_LISN_2_PASID UINT64_C(0x040) /* SL 2.1 */
#define AFU_INTR_PERM_ERR_LISN_1_PASID UINT64_C(0x020) /* SL 2.1 */
#define AFU_INTR_PERM_ERR_CMDROOM UINT64_C(0x010)      /* SL 2.1, doorbell beyond the credit */
#define AFU_INTR_PERM_ERR_RCB_READ UINT64_C(0x008)     /* SL 2.1 */
#define AFU_INTR_PERM_ERR_SA_WRITE UINT64_C(0x004)     /* SL 2.1 */
#define AFU_INTR_PERM_ERR_RRQ_WRITE UINT64_C(0x002)    /* SL 2.1 */
#define AFU_INTR_TEMP_ERR_PAGEIN UINT64_C(0x001)       /* SL 2.1 */
#define AFU_INTR_ALL UINT64_C(0x7FF)                   /* SL 2.1, bits 10..0 */
#define AFU_INTR_PERM_ERR_ALL (AFU_INTR_ALL & ~AFU_INTR_TEMP_ERR_PAGEIN) /* SL 2.1 */
#define AFU_INTR_MASK_NONE (~AFU_INTR_ALL) /* SL 2, 23.6: unmask all causes */
#define AFU_INTR_MASK_RESET UINT64_MAX     /* MD-2 */

/* ---- control registers of a context, SL 3 ---- */

#define AFU_CTRL_RHT_START UINT64_C(0x00)  /* SL 3 */
#define AFU_CTRL_RHT_CNT_ID UINT64_C(0x08) /* SL 3, afu_rht_cnt_id() */
#define AFU_CTRL_CTX_CAP UINT64_C(0x10)    /* SL 3, bits AFU_CTX_CAP_ */
#define AFU_CTRL_MBOX_R UINT64_C(0x18)     /* SL 3; reading it unlocks ctx_cap */
#define AFU_CTRL_LISN_PASID(i) (UINT64_C(0x20) + UINT64_C(8) * (i)) /* SL 3, i = 0..1 */
#define AFU_CTRL_LISN_EA(i) (UINT64_C(0x30) + UINT64_C(8) * (i))    /* SL 3, i = 0..2, LISN i + 1 */
#define AFU_CTRL_REGS_END UINT64_C(0x48)                            /* SL 3, reserved from here */

#define AFU_CTX_CAP_PROXY_ISSUE HAL_BIT(63)  /* SL 13.1 */
#define AFU_CTX_CAP_REAL_MODE HAL_BIT(62)    /* SL 13.1 */
#define AFU_CTX_CAP_HOST_XLATE HAL_BIT(61)   /* SL 13.1 */
#define AFU_CTX_CAP_PROXY_TARGET HAL_BIT(60) /* SL 13.1 */
#define AFU_CTX_CAP_AFU_CMD HAL_BIT(3)       /* SL 13.1 */
#define AFU_CTX_CAP_GSCSI_CMD HAL_BIT(2)     /* SL 13.1, other than read and write */
#define AFU_CTX_CAP_WRITE_CMD HAL_BIT(1)     /* SL 13.1 */
#define AFU_CTX_CAP_READ_CMD HAL_BIT(0)      /* SL 13.1 */
#define AFU_CTX_CAP_ALL                                                                            \
    (AFU_CTX_CAP_PROXY_ISSUE | AFU_CTX_CAP_REAL_MODE | AFU_CTX_CAP_HOST_XLATE |                    \
     AFU_CTX_CAP_PROXY_TARGET | AFU_CTX_CAP_AFU_CMD | AFU_CTX_CAP_GSCSI_CMD |                      \
     AFU_CTX_CAP_WRITE_CMD | AFU_CTX_CAP_READ_CMD) /* SL 13.1 */
#define AFU_CTX_CAP_MASTER                                                                         \
    (AFU_CTX_CAP_REAL_MODE | AFU_CTX_CAP_HOST_XLATE | AFU_CTX_CAP_AFU_CMD |                        \
     AFU_CTX_CAP_GSCSI_CMD | AFU_CTX_CAP_WRITE_CMD | AFU_CTX_CAP_READ_CMD) /* SL 13.1, 23.6 */
#define AFU_CTX_CAP_USER (AFU_CTX_CAP_WRITE_CMD | AFU_CTX_CAP_READ_CMD)    /* SL 13.1, 23.6 */

/** Value of rht_cnt_id: the table has `count` entries and lives in the address space of the context
 * `owner` (SL 3). */
static inline uint64_t afu_rht_cnt_id(uint16_t count, uint16_t owner)
{
    return (uint64_t)count << 48 | (uint64_t)owner << 32;
}

/** Entries of the table, from rht_cnt_id (SL 3). */
static inline uint16_t afu_rht_cnt_id_count(uint64_t value) { return (uint16_t)(value >> 48); }

/** Handle of the owner of the table, from rht_cnt_id (SL 3). */
static inline uint16_t afu_rht_cnt_id_owner(uint64_t value) { return (uint16_t)(value >> 32); }

/** Value of one lisn_pasid register: two PASIDs (SL 3). */
static inline uint64_t afu_lisn_pasid(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

/** PASID of LISN 1..3 out of the two lisn_pasid registers (MD-24). */
static inline uint32_t afu_lisn_pasid_of(const uint64_t pasid[2], unsigned lisn)
{
    return lisn == 1 ? (uint32_t)(pasid[0] >> 32) : (uint32_t)pasid[lisn - 2];
}

/** What afu_extra says after a capability violation: both groups of ctx_cap as nibbles (SL 13.1).
 */
static inline uint8_t afu_ctx_cap_extra(uint64_t ctx_cap)
{
    return (uint8_t)((ctx_cap >> 60) << 4 | (ctx_cap & 0xF));
}

/* ---- global registers, SL 4 ---- */

#define AFU_GLOBAL_AINTR_STATUS UINT64_C(0x00)       /* SL 4, bits AFU_AINTR() */
#define AFU_GLOBAL_AINTR_CLEAR UINT64_C(0x08)        /* SL 4 */
#define AFU_GLOBAL_AINTR_MASK UINT64_C(0x10)         /* SL 4, 1 = masked */
#define AFU_GLOBAL_AFU_CTRL UINT64_C(0x18)           /* SL 4, afu_ctrl() */
#define AFU_GLOBAL_AFU_HB UINT64_C(0x20)             /* SL 4, 20.1: each read counts */
#define AFU_GLOBAL_AFU_SCRATCH_PAD UINT64_C(0x28)    /* SL 4 */
#define AFU_GLOBAL_AFU_PORT_SEL UINT64_C(0x30)       /* SL 4, mask of AFU_PORT_BIT */
#define AFU_GLOBAL_AFU_CONFIG UINT64_C(0x38)         /* SL 4.1, bits AFU_CONFIG_ */
#define AFU_GLOBAL_RRIN_READ_TO UINT64_C(0x40)       /* SL 4 */
#define AFU_GLOBAL_CONT_RETRY_TO UINT64_C(0x48)      /* SL 4 */
#define AFU_GLOBAL_AFU_VERSION UINT64_C(0x800)       /* SL 4, 8 ASCII bytes in memory order */
#define AFU_GLOBAL_INTERFACE_VERSION UINT64_C(0x808) /* SL 4, 20.2 */

/** Bit of a port in every port mask (SL 4, 5.1). */
#define AFU_PORT_BIT(port) (1u << (port))

#define AFU_CONFIG_AR_IOARCB UINT64_C(0x4000)     /* SL 4.1 */
#define AFU_CONFIG_AR_LXT UINT64_C(0x2000)        /* SL 4.1 */
#define AFU_CONFIG_AR_RHT UINT64_C(0x1000)        /* SL 4.1 */
#define AFU_CONFIG_AR_DATA UINT64_C(0x0800)       /* SL 4.1 */
#define AFU_CONFIG_AR_RSRC UINT64_C(0x0400)       /* SL 4.1 */
#define AFU_CONFIG_AR_IOASA UINT64_C(0x0200)      /* SL 4.1 */
#define AFU_CONFIG_AR_RRQ UINT64_C(0x0100)        /* SL 4.1 */
#define AFU_CONFIG_AR_ALL UINT64_C(0x7F00)        /* SL 4.1, 23.6 */
#define AFU_CONFIG_ENDIAN_LITTLE UINT64_C(0x0020) /* SL 4.1, tables of the masters */
#define AFU_CONFIG_MBOX_CLR_READ UINT64_C(0x0010) /* SL 4.1 */

#define AFU_INTERNAL_LUN UINT64_C(1) /* SL 4, afu_ctrl[0] */

/** Value of afu_ctrl: where asynchronous interrupts go, and the internal LUN (SL 4, 14). */
static inline uint64_t afu_ctrl(uint16_t handle, uint8_t lisn, bool internal_lun)
{
    return (uint64_t)handle << 48 | (uint64_t)lisn << 40 | (internal_lun ? AFU_INTERNAL_LUN : 0);
}

/** Context that takes asynchronous interrupts, from afu_ctrl (SL 4). */
static inline uint16_t afu_ctrl_handle(uint64_t value) { return (uint16_t)(value >> 48); }

/** LISN of asynchronous interrupts, from afu_ctrl (SL 4). */
static inline uint8_t afu_ctrl_lisn(uint64_t value) { return (uint8_t)(value >> 40); }

#define AFU_IFV_IOARRIN HAL_BIT(63)       /* SL 20.2 */
#define AFU_IFV_SQ HAL_BIT(62)            /* SL 20.2 */
#define AFU_IFV_RESERVED_A HAL_BIT(61)    /* SL 20.2 */
#define AFU_IFV_RESERVED_B HAL_BIT(60)    /* SL 20.2 */
#define AFU_IFV_LUN_PROVISION HAL_BIT(59) /* SL 20.2 */
#define AFU_IFV_AFU_DEBUG HAL_BIT(58)     /* SL 20.2 */
#define AFU_IFV_OCXL_LISN HAL_BIT(57)     /* SL 20.2 */
#define AFU_IFV_TOO_OLD UINT64_MAX        /* SL 20.2, the AFU predates the register */

/** Value of interface_version: capabilities (AFU_IFV_ bits) and number (SL 20.2). */
static inline uint64_t afu_interface_version(uint64_t capabilities, uint16_t major, uint16_t minor)
{
    return capabilities | (uint64_t)major << 16 | minor;
}

/** Major number of interface_version (SL 20.2). */
static inline uint16_t afu_interface_major(uint64_t value) { return (uint16_t)(value >> 16); }

/** Minor number of interface_version (SL 20.2). */
static inline uint16_t afu_interface_minor(uint64_t value) { return (uint16_t)value; }

/* ---- asynchronous events, SL 16 ---- */

/** Number of an event inside the byte of its port. */
enum afu_aintr_event {
    AFU_AINTR_LINK_UP = 0, /* SL 16 */
    AFU_AINTR_LINK_DN = 1, /* SL 16 */
    AFU_AINTR_LOGI_S = 2,  /* SL 16, login succeeded */
    AFU_AINTR_LOGI_F = 3,  /* SL 16, login failed */
    AFU_AINTR_LOGI_R = 4,  /* SL 16, login timed out and retries */
    AFU_AINTR_CRC_T = 5,   /* SL 16, CRC threshold exceeded */
    AFU_AINTR_LOGO = 6,    /* SL 16 */
    AFU_AINTR_OTHER = 7,   /* SL 16 */
    AFU_AINTR_EVENTS = 8,
};

/** Position of a port's byte in aintr_status. Not in port order: the two ports of a bank are
 * exchanged (SL 16). */
#define AFU_AINTR_SHIFT(port) (((port) ^ 1u) * 8u)

/** Bit of one event of one port in aintr_status, _clear and _mask (SL 16). */
#define AFU_AINTR(port, event) HAL_BIT(AFU_AINTR_SHIFT(port) + (unsigned)(event))

#define AFU_AINTR_ALL UINT64_C(0xFFFFFFFF)   /* SL 4, 16: bits 31..0 */
#define AFU_AINTR_MASK_NONE (~AFU_AINTR_ALL) /* SL 4, 23.6: unmask all events */
#define AFU_AINTR_MASK_RESET UINT64_MAX      /* MD-2 */

/** The events of one port as AFU_AINTR_ numbers, bit 0 = LINK_UP (SL 16). */
static inline uint8_t afu_aintr_events(uint64_t aintr, unsigned port)
{
    return (uint8_t)(aintr >> AFU_AINTR_SHIFT(port));
}

/* ---- registers of a port, SL 5.3 ---- */

#define AFU_FC_MTIP_REV UINT64_C(0x000)          /* SL 5.3 */
#define AFU_FC_MTIP_SCRATCH UINT64_C(0x008)      /* SL 5.3 */
#define AFU_FC_MTIP_CMDCONFIG UINT64_C(0x010)    /* SL 5.3, bits AFU_FC_CMDCONFIG_ */
#define AFU_FC_MTIP_STATUS UINT64_C(0x018)       /* SL 5.3, AFU_FC_MTIP_STATUS_ */
#define AFU_FC_MTIP_INITTIMER UINT64_C(0x020)    /* SL 5.3 */
#define AFU_FC_MTIP_EVENTTIME UINT64_C(0x028)    /* SL 5.3 */
#define AFU_FC_MTIP_CREDIT UINT64_C(0x030)       /* SL 5.3 */
#define AFU_FC_MTIP_BB_SCN UINT64_C(0x038)       /* SL 5.3 */
#define AFU_FC_MTIP_RX_SF UINT64_C(0x040)        /* SL 5.3 */
#define AFU_FC_MTIP_TX_SE UINT64_C(0x048)        /* SL 5.3 */
#define AFU_FC_MTIP_TX_SF UINT64_C(0x050)        /* SL 5.3 */
#define AFU_FC_MTIP_RX_AE UINT64_C(0x058)        /* SL 5.3 */
#define AFU_FC_MTIP_RX_AF UINT64_C(0x060)        /* SL 5.3 */
#define AFU_FC_MTIP_TX_AE UINT64_C(0x068)        /* SL 5.3 */
#define AFU_FC_MTIP_TX_AF UINT64_C(0x070)        /* SL 5.3 */
#define AFU_FC_MTIP_FRMLEN UINT64_C(0x078)       /* SL 5.3 */
#define AFU_FC_MAX_NUM_LUNS UINT64_C(0x080)      /* SL 5.3 */
#define AFU_FC_CUR_NUM_LUNS UINT64_C(0x088)      /* SL 5.3 */
#define AFU_FC_MAX_CAP_PORT UINT64_C(0x090)      /* SL 5.3, blocks of 4 KiB */
#define AFU_FC_CUR_CAP_PORT UINT64_C(0x098)      /* SL 5.3, blocks of 4 KiB */
#define AFU_FC_SD_RCFG_CMD UINT64_C(0x100)       /* SL 5.3 */
#define AFU_FC_SD_RCFG_WRDAT UINT64_C(0x108)     /* SL 5.3 */
#define AFU_FC_SD_RCFG_RDDAT UINT64_C(0x110)     /* SL 5.3 */
#define AFU_FC_TX_FRM_CNT UINT64_C(0x200)        /* SL 5.3 */
#define AFU_FC_TX_CRC_ERR_CNT UINT64_C(0x208)    /* SL 5.3 */
#define AFU_FC_RX_FRM_CNT UINT64_C(0x210)        /* SL 5.3 */
#define AFU_FC_RX_CRC_ERR_CNT UINT64_C(0x218)    /* SL 5.3 */
#define AFU_FC_RX_LGTH_ERR_CNT UINT64_C(0x220)   /* SL 5.3 */
#define AFU_FC_FRM_DISC_CNT UINT64_C(0x228)      /* SL 5.3 */
#define AFU_FC_PNAME UINT64_C(0x300)             /* SL 5.3, WWPN; written while offline */
#define AFU_FC_NNAME UINT64_C(0x308)             /* SL 5.3 */
#define AFU_FC_PORT_ID UINT64_C(0x310)           /* SL 5.3 */
#define AFU_FC_CONFIG UINT64_C(0x320)            /* SL 5.3, bits AFU_FC_CONFIG_ */
#define AFU_FC_CONFIG2 UINT64_C(0x328)           /* SL 5.3, bits AFU_FC_CONFIG2_ */
#define AFU_FC_STATUS UINT64_C(0x330)            /* SL 5.3, bits AFU_FC_STATUS_ */
#define AFU_FC_TIMER UINT64_C(0x338)             /* SL 5.3 */
#define AFU_FC_E_D_TOV UINT64_C(0x340)           /* SL 5.3 */
#define AFU_FC_STATUS2 UINT64_C(0x348)           /* SL 5.3, bits AFU_FC_STATUS2_ */
#define AFU_FC_ERROR UINT64_C(0x380)             /* SL 5.3, sticky, write 1 to clear */
#define AFU_FC_ERRCAP UINT64_C(0x388)            /* SL 5.3, write 0 to clear */
#define AFU_FC_ERRMSK UINT64_C(0x390)            /* SL 5.3, MD-26 */
#define AFU_FC_ERRINJ UINT64_C(0x3A0)            /* SL 5.3, 17.4 */
#define AFU_FC_ERRINJ_DATA UINT64_C(0x3A8)       /* SL 5.3, 17.4 */
#define AFU_FC_PE_ERRINJ UINT64_C(0x3B0)         /* SL 5.3, 17.4 */
#define AFU_FC_PE_ERRINJ_DATA UINT64_C(0x3B8)    /* SL 5.3, 17.4 */
#define AFU_FC_TGT_D_ID UINT64_C(0x400)          /* SL 5.3 */
#define AFU_FC_TGT_PNAME UINT64_C(0x408)         /* SL 5.3 */
#define AFU_FC_TGT_NNAME UINT64_C(0x410)         /* SL 5.3 */
#define AFU_FC_TGT_LOGI UINT64_C(0x418)          /* SL 5.3 */
#define AFU_FC_TGT_B2BCR UINT64_C(0x420)         /* SL 5.3 */
#define AFU_FC_TGT_E_D_TOV UINT64_C(0x428)       /* SL 5.3 */
#define AFU_FC_TGT_CLASS3 UINT64_C(0x430)        /* SL 5.3 */
#define AFU_FC_CNT_CLKRATIO UINT64_C(0x500)      /* SL 5.3 */
#define AFU_FC_CNT_FCREFCLK UINT64_C(0x508)      /* SL 5.3 */
#define AFU_FC_CNT_PCICLK UINT64_C(0x510)        /* SL 5.3 */
#define AFU_FC_CNT_TXRDWR UINT64_C(0x518)        /* SL 5.3 */
#define AFU_FC_CNT_TXLOGI UINT64_C(0x520)        /* SL 5.3 */
#define AFU_FC_CNT_TXDATA UINT64_C(0x528)        /* SL 5.3 */
#define AFU_FC_CNT_LINKERR UINT64_C(0x530)       /* SL 5.3 */
#define AFU_FC_CNT_CRCERR UINT64_C(0x538)        /* SL 5.3; reading clears it */
#define AFU_FC_CNT_CRCERR_RO UINT64_C(0x540)     /* SL 5.3; reading does not clear it */
#define AFU_FC_CNT_OTHERERR UINT64_C(0x548)      /* SL 5.3 */
#define AFU_FC_CNT_TIMEOUT UINT64_C(0x550)       /* SL 5.3 */
#define AFU_FC_CRC_THRESH UINT64_C(0x580)        /* SL 5.3 */
#define AFU_FC_DBGDISP UINT64_C(0x600)           /* SL 5.3 */
#define AFU_FC_DBGDATA UINT64_C(0x608)           /* SL 5.3 */
#define AFU_FC_CNT_CRCTOT UINT64_C(0x610)        /* SL 5.3 */
#define AFU_FC_CNT_AFURD UINT64_C(0x618)         /* SL 5.3 */
#define AFU_FC_CNT_AFUWR UINT64_C(0x620)         /* SL 5.3 */
#define AFU_FC_CNT_AFUABORT UINT64_C(0x628)      /* SL 5.3 */
#define AFU_FC_CNT_RSPOVER UINT64_C(0x630)       /* SL 5.3 */
#define AFU_FC_CNT_ABORT1 UINT64_C(0x638)        /* SL 5.3 */
#define AFU_FC_CNT_ABORT2 UINT64_C(0x640)        /* SL 5.3 */
#define AFU_FC_CNT_ABORT3 UINT64_C(0x648)        /* SL 5.3 */
#define AFU_FC_CNT_ABORT4 UINT64_C(0x650)        /* SL 5.3 */
#define AFU_FC_CNT_WBUFREL UINT64_C(0x658)       /* SL 5.3 */
#define AFU_FC_CNT_RXRSP UINT64_C(0x660)         /* SL 5.3 */
#define AFU_FC_LOOPBACK_TXCNT UINT64_C(0x670)    /* SL 5.3 */
#define AFU_FC_LOOPBACK_PASSCNT UINT64_C(0x678)  /* SL 5.3 */
#define AFU_FC_LOOPBACK_ERRCNT UINT64_C(0x680)   /* SL 5.3 */
#define AFU_FC_NVME_STATUS UINT64_C(0x700)       /* SL 5.3, debug window */
#define AFU_FC_NVME_VERSION UINT64_C(0x708)      /* SL 5.3, debug window; text */
#define AFU_FC_NVME_NEXT_VERSION UINT64_C(0x710) /* SL 5.3, debug window; text */

#define AFU_FC_CMDCONFIG_ON_LINE UINT64_C(0x20)   /* SL 5.3, 17.1 */
#define AFU_FC_CMDCONFIG_OFF_LINE UINT64_C(0x40)  /* SL 5.3, 17.1 */
#define AFU_FC_MTIP_STATUS_MASK UINT64_C(0x30)    /* SL 5.3 */
#define AFU_FC_MTIP_STATUS_ONLINE UINT64_C(0x20)  /* SL 5.3, of the masked value */
#define AFU_FC_MTIP_STATUS_OFFLINE UINT64_C(0x10) /* SL 5.3, of the masked value */

#define AFU_FC_CONFIG_AUTO_LOGIN HAL_BIT(0)  /* SL 5.3 */
#define AFU_FC_CONFIG_RESET HAL_BIT(4)       /* SL 5.3; port reset = 4 and 0 (SL 17.3) */
#define AFU_FC_CONFIG_NO_TIMEOUTS HAL_BIT(7) /* SL 5.3 */

#define AFU_FC_CONFIG2_SHUTDOWN_NORMAL UINT64_C(0x10) /* SL 5.3, 17.5 */
#define AFU_FC_CONFIG2_SHUTDOWN_ABRUPT UINT64_C(0x20) /* SL 5.3, 17.5 */
#define AFU_FC_CONFIG2_LUN_MODE_SHIFT 32              /* SL 5.3, 19: lun_mode - 1 in 2 bits */
#define AFU_FC_CONFIG2_LUN_MODE_MASK (UINT64_C(3) << AFU_FC_CONFIG2_LUN_MODE_SHIFT) /* SL 5.3 */
#define AFU_FC_CONFIG2_ECHO HAL_BIT(40)                                             /* SL 5.3 */

#define AFU_FC_STATUS_LINK_TRAINED HAL_BIT(0)      /* SL 17.3 */
#define AFU_FC_STATUS_CONTROLLER_READY HAL_BIT(1)  /* SL 17.3 */
#define AFU_FC_STATUS_IO_QUEUE_READY HAL_BIT(2)    /* SL 17.3 */
#define AFU_FC_STATUS_PCIE_INIT_DONE HAL_BIT(3)    /* SL 17.3 */
#define AFU_FC_STATUS_PORT_ONLINE UINT64_C(0x0F)   /* SL 17.3, all four */
#define AFU_FC_STATUS_SHUTDOWN_ACTIVE HAL_BIT(4)   /* SL 5.3, 17.5 */
#define AFU_FC_STATUS_SHUTDOWN_COMPLETE HAL_BIT(5) /* SL 5.3, 17.5 */
#define AFU_FC_STATUS_SUBMISSION_EMPTY HAL_BIT(6)  /* SL 17.3 */
#define AFU_FC_STATUS_COMPLETION_EMPTY HAL_BIT(7)  /* SL 17.3 */

#define AFU_FC_STATUS2_GEN1 HAL_BIT(6)             /* SL 17.3 */
#define AFU_FC_STATUS2_GEN2 HAL_BIT(7)             /* SL 17.3 */
#define AFU_FC_STATUS2_GEN3 HAL_BIT(8)             /* SL 17.3 */
#define AFU_FC_STATUS2_WIDTH_SHIFT 9               /* SL 17.3 */
#define AFU_FC_STATUS2_WIDTH_MASK UINT64_C(0x1E00) /* SL 17.3, bits 12..9 */
#define AFU_FC_STATUS2_LINK_SHIFT 13               /* SL 17.3, enum afu_fc_link */
#define AFU_FC_STATUS2_LINK_MASK UINT64_C(0x6000)  /* SL 17.3, bits 14..13 */
#define AFU_FC_STATUS2_PHY_LINK_DOWN HAL_BIT(15)   /* SL 17.3 */
#define AFU_FC_STATUS2_USER_RESET HAL_BIT(16)      /* SL 17.3 */

/** Link state in FC_STATUS2 of a FlashGT. */
enum afu_fc_link {
    AFU_FC_LINK_NO_RECEIVERS = 0, /* SL 17.3 */
    AFU_FC_LINK_TRAINING = 1,     /* SL 17.3 */
    AFU_FC_LINK_INIT = 2,         /* SL 17.3 */
    AFU_FC_LINK_UP = 3,           /* SL 17.3 */
};

#define AFU_FC_ERROR_LOGIN_MASK UINT64_C(0x000FFFFF) /* SL 5.3, causes of a failed login */
#define AFU_FC_ERROR_OTHER_MASK UINT64_C(0xFFF00000) /* SL 5.3, 16 */
#define AFU_FC_ERROR_GT_LOGIN UINT64_C(0x100000)     /* SL 5.3, login failure on FlashGT */
#define AFU_FC_ERROR_CLEAR_ALL UINT64_C(0xFFFFFFFF)  /* SL 5.3 */

#define AFU_FC_ERRINJ_ENABLE HAL_BIT(31)               /* SL 17.4 */
#define AFU_FC_ERRINJ_TYPE_SHIFT 20                    /* SL 17.4, enum afu_fc_errinj */
#define AFU_FC_ERRINJ_TYPE_MASK UINT64_C(0xF00000)     /* SL 17.4, bits 23..20 */
#define AFU_FC_ERRINJ_ARM_MASK UINT64_C(0x30000)       /* SL 17.4, bits 17..16 */
#define AFU_FC_ERRINJ_ARM_ONCE UINT64_C(0x10000)       /* SL 17.4 */
#define AFU_FC_ERRINJ_ARM_ALWAYS UINT64_C(0x30000)     /* SL 17.4 */
#define AFU_FC_ERRINJ_INTERVAL_MASK UINT64_C(0xFFFF)   /* SL 17.4 */
#define AFU_FC_PE_ERRINJ_DATA_WRITE UINT64_C(0x100400) /* SL 17.4, parity error on write */

/** Type field of FC_ERRINJ. */
enum afu_fc_errinj {
    AFU_FC_ERRINJ_WRITE_LBA = 1,      /* SL 17.4 */
    AFU_FC_ERRINJ_READ_LBA = 2,       /* SL 17.4 */
    AFU_FC_ERRINJ_WRITE_BAD_DATA = 3, /* SL 17.4 */
    AFU_FC_ERRINJ_READ_BAD_DATA = 4,  /* SL 17.4 */
    AFU_FC_ERRINJ_READ_DMA = 7,       /* SL 17.4 */
    AFU_FC_ERRINJ_WRITE_DMA = 8,      /* SL 17.4 */
};

/** FC_CONFIG2 bits that choose the internal LUN mode 1..4; 0 chooses none of them (SL 19). */
static inline uint64_t afu_fc_config2_lun_mode(unsigned lun_mode)
{
    return lun_mode ? ((uint64_t)(lun_mode - 1) & 3) << AFU_FC_CONFIG2_LUN_MODE_SHIFT : 0;
}

#endif
