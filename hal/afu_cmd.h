/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and their answers as they lie in memory: IOARCB, IOASA, RRQ elements, the CDBs of AFU
 * commands, and every code that stands in them.
 *
 * Fields of type xeNN_t are in the order of the submitting context (SL 15): read and write them
 * with xeNN_get and xeNN_of and that context's order. Single bytes, CDBs and sense data are the
 * same in both orders. The source of each constant stands behind it (SL = docs/spec/sislite.md). */
#ifndef HAL_AFU_CMD_H
#define HAL_AFU_CMD_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hal/support/endian.h"

#define AFU_CDB_SIZE 16u            /* SL 6 */
#define AFU_SENSE_SIZE 20u          /* SL 7 */
#define AFU_WWID_SIZE 16u           /* SL 7, NAA-6 */
#define AFU_HOST_USE_SIZE 32u       /* SL 7 */
#define AFU_BLOCK_ALIGN 16u         /* SL 6, 7: alignment of IOARCB and IOASA */
#define AFU_CMD_PAIR_ALIGN 128u     /* SL 6, R-22 */
#define AFU_SQ_SLOT_SIZE 64u        /* SL 2, 10.2 */
#define AFU_RRQ_ELEMENT_SIZE 8u     /* SL 9 */
#define AFU_TRANSFER_MAX 0x1000000u /* SL 0.3, bytes of one command: 16 MiB */
#define AFU_DEBUG_DATA_MAX 262144u  /* SL 12, bytes of one AFU debug command */

/* ---- IOARCB, SL 6 ---- */

/** I/O adapter request control block: one command. */
struct afu_ioarcb {
    xe16_t ctx_id;    /* SL 6: handle of the context that owns the request */
    xe16_t req_flags; /* SL 6.1: AFU_REQ_ */
    union {
        xe32_t res_hndl; /* SL 6: with AFU_REQ_RES_HNDL, index into the RHT */
        xe32_t port_sel; /* SL 6: without, mask of ports */
    };
    xe64_t lun_id;             /* SL 6: with PORT_LUN_ID, and for provision delete */
    xe32_t data_len;           /* SL 6: bytes */
    xe32_t ioadl_len;          /* SL 6: keep 0 */
    xe64_t data_ea;            /* SL 6: buffer */
    uint8_t msi;               /* SL 6.2: enum afu_lisn to raise with the RRQ element, or 0 */
    uint8_t rrq;               /* SL 6: 0 */
    xe16_t timeout;            /* SL 6: unit AFU_REQ_TIMEOUT_; 0 = none (MD-6) */
    uint8_t reserved[4];       /* SL 6: 0 */
    uint8_t cdb[AFU_CDB_SIZE]; /* SL 6: SCSI CDB, AFU command, or TMF word */
    xe64_t ioasa;              /* SL 6: SQ mode: address of the IOASA; IOARRIN mode: ignored */
} __attribute__((aligned(16)));

static_assert(sizeof(struct afu_ioarcb) == 64, "SL 6");
static_assert(offsetof(struct afu_ioarcb, ctx_id) == 0x00, "SL 6");
static_assert(offsetof(struct afu_ioarcb, req_flags) == 0x02, "SL 6");
static_assert(offsetof(struct afu_ioarcb, res_hndl) == 0x04, "SL 6");
static_assert(offsetof(struct afu_ioarcb, port_sel) == 0x04, "SL 6");
static_assert(offsetof(struct afu_ioarcb, lun_id) == 0x08, "SL 6");
static_assert(offsetof(struct afu_ioarcb, data_len) == 0x10, "SL 6");
static_assert(offsetof(struct afu_ioarcb, ioadl_len) == 0x14, "SL 6");
static_assert(offsetof(struct afu_ioarcb, data_ea) == 0x18, "SL 6");
static_assert(offsetof(struct afu_ioarcb, msi) == 0x20, "SL 6");
static_assert(offsetof(struct afu_ioarcb, rrq) == 0x21, "SL 6");
static_assert(offsetof(struct afu_ioarcb, timeout) == 0x22, "SL 6");
static_assert(offsetof(struct afu_ioarcb, reserved) == 0x24, "SL 6");
static_assert(offsetof(struct afu_ioarcb, cdb) == 0x28, "SL 6");
static_assert(offsetof(struct afu_ioarcb, ioasa) == 0x38, "SL 6");
static_assert(sizeof(struct afu_ioarcb) == AFU_SQ_SLOT_SIZE, "SL 10.2: an IOARCB fills a slot");

/* Values of req_flags. */
enum {
    AFU_REQ_RES_HNDL = 0x8000,             /* SL 6.1: address by resource handle */
    AFU_REQ_PORT_LUN_ID = 0x0000,          /* SL 6.1: address by port and LUN id */
    AFU_REQ_SUP_UNDERRUN = 0x4000,         /* SL 6.1 */
    AFU_REQ_TIMEOUT_UNIT_MASK = 0x00C0,    /* SL 6.1: mask of the unit */
    AFU_REQ_TIMEOUT_SECONDS = 0x0000,      /* SL 6.1 */
    AFU_REQ_TIMEOUT_MILLISECONDS = 0x0040, /* SL 6.1 */
    AFU_REQ_TIMEOUT_MICROSECONDS = 0x0080, /* SL 6.1 */
    AFU_REQ_TIMEOUT_CYCLES = 0x00C0,       /* SL 6.1: AFU cycles */
    AFU_REQ_TMF_CMD = 0x0004,              /* SL 6.1 */
    AFU_REQ_AFU_CMD = 0x0002,              /* SL 6.1 */
    AFU_REQ_HOST_WRITE = 0x0001,           /* SL 6.1: host to device */
    AFU_REQ_HOST_READ = 0x0000,            /* SL 6.1: also for no data */
    AFU_REQ_DEFINED = 0xC0C7,              /* SL 6.1: all others are reserved */
};

/** Logical interrupt numbers, as IOARCB msi and as event number. */
enum afu_lisn {
    AFU_LISN_NONE = 0,       /* SL 6.2: as msi, no interrupt */
    AFU_LISN_SYNC_ERROR = 1, /* SL 6.2: intr_status */
    AFU_LISN_RRQ = 2,        /* SL 6.2 */
    AFU_LISN_ASYNC = 3,      /* SL 6.2: aintr_status; primary master only */
};

/* ---- IOASA, SL 7 ---- */

/** The four status bytes. */
struct afu_rc {
    uint8_t flags;   /* SL 7.1: AFU_RC_FLAG_ */
    uint8_t afu_rc;  /* SL 18.1: enum afu_rc_code */
    uint8_t scsi_rc; /* SL 7: enum afu_scsi_rc */
    uint8_t fc_rc;   /* SL 18.2: enum afu_fc_rc */
};

/** I/O adapter status area: the answer to one command. */
struct afu_ioasa {
    struct afu_rc rc; /* SL 7 */
    union {
        xe32_t resid;    /* SL 7: bytes not transferred */
        xe32_t lunid_hi; /* SL 7: provision create: upper half of the new LUN id */
    };
    uint8_t port;       /* SL 7: port that carried the command */
    uint8_t afu_extra;  /* SL 18.1 */
    uint8_t scsi_extra; /* SL 7: MD-20 */
    uint8_t fc_extra;   /* SL 7: MD-20 */
    union {
        uint8_t sense_data[AFU_SENSE_SIZE]; /* SL 7: with SENSE_VALID */
        struct {
            xe32_t lunid_lo;             /* SL 7: lower half of the new LUN id */
            uint8_t wwid[AFU_WWID_SIZE]; /* SL 7: of the new LUN */
        } provision;
    };
    uint8_t host_use[AFU_HOST_USE_SIZE]; /* SL 7: never touched by the AFU */
} __attribute__((aligned(16)));

static_assert(sizeof(struct afu_rc) == 4, "SL 7");
static_assert(offsetof(struct afu_rc, flags) == 0, "SL 7");
static_assert(offsetof(struct afu_rc, afu_rc) == 1, "SL 7");
static_assert(offsetof(struct afu_rc, scsi_rc) == 2, "SL 7");
static_assert(offsetof(struct afu_rc, fc_rc) == 3, "SL 7");
static_assert(sizeof(struct afu_ioasa) == 64, "SL 7");
static_assert(offsetof(struct afu_ioasa, rc) == 0x00, "SL 7");
static_assert(offsetof(struct afu_ioasa, resid) == 0x04, "SL 7");
static_assert(offsetof(struct afu_ioasa, lunid_hi) == 0x04, "SL 7");
static_assert(offsetof(struct afu_ioasa, port) == 0x08, "SL 7");
static_assert(offsetof(struct afu_ioasa, afu_extra) == 0x09, "SL 7");
static_assert(offsetof(struct afu_ioasa, scsi_extra) == 0x0A, "SL 7");
static_assert(offsetof(struct afu_ioasa, fc_extra) == 0x0B, "SL 7");
static_assert(offsetof(struct afu_ioasa, sense_data) == 0x0C, "SL 7");
static_assert(offsetof(struct afu_ioasa, provision.lunid_lo) == 0x0C, "SL 7");
static_assert(offsetof(struct afu_ioasa, provision.wwid) == 0x10, "SL 7");
static_assert(offsetof(struct afu_ioasa, host_use) == 0x20, "SL 7");

/** A command with its answer directly behind it: what IOARRIN mode requires, and what lets SQ mode
 * find the command of an RRQ element at IOASA - 64 (SL 7, 10.2). */
struct afu_cmd_pair {
    struct afu_ioarcb ioarcb;
    struct afu_ioasa ioasa;
} __attribute__((aligned(128)));

static_assert(sizeof(struct afu_cmd_pair) == 128, "SL 6: one cache line");
static_assert(offsetof(struct afu_cmd_pair, ioarcb) == 0, "SL 7");
static_assert(offsetof(struct afu_cmd_pair, ioasa) == 64, "SL 7: IOARCB + 64");

/* Bits of rc.flags. */
enum {
    AFU_RC_FLAG_SENSE_VALID = 0x80,        /* SL 7.1 */
    AFU_RC_FLAG_FCP_RSP_CODE_VALID = 0x40, /* SL 7.1 */
    AFU_RC_FLAG_OVERRUN = 0x20,            /* SL 7.1 */
    AFU_RC_FLAG_UNDERRUN = 0x10,           /* SL 7.1 */
};

/** Values of rc.afu_rc. */
enum afu_rc_code {
    AFU_RC_NONE = 0x00,              /* SL 18.1 */
    AFU_RC_RHT_INVALID = 0x01,       /* SL 18.1 */
    AFU_RC_RHT_UNALIGNED = 0x02,     /* SL 18.1 */
    AFU_RC_RHT_OUT_OF_BOUNDS = 0x03, /* SL 18.1 */
    AFU_RC_RHT_DMA_ERR = 0x04,       /* SL 18.1: afu_extra = PSL code */
    AFU_RC_RHT_RW_PERM = 0x05,       /* SL 18.1 */
    AFU_RC_LXT_UNALIGNED = 0x12,     /* SL 18.1 */
    AFU_RC_LXT_OUT_OF_BOUNDS = 0x13, /* SL 18.1 */
    AFU_RC_LXT_DMA_ERR = 0x14,       /* SL 18.1: afu_extra = PSL code */
    AFU_RC_LXT_RW_PERM = 0x15,       /* SL 18.1 */
    AFU_RC_NOT_XLATE_HOST = 0x1A,    /* SL 18.1 */
    AFU_RC_NO_CHANNELS = 0x20,       /* SL 18.1: afu_extra = afu_no_channels_extra() */
    AFU_RC_CAP_VIOLATION = 0x21,     /* SL 18.1: afu_extra = afu_ctx_cap_extra() */
    AFU_RC_SYNC_IN_PROGRESS = 0x22,  /* SL 18.1 */
    AFU_RC_OUT_OF_DATA_BUFS = 0x30,  /* SL 18.1 */
    AFU_RC_DATA_DMA_ERR = 0x31,      /* SL 18.1: afu_extra = PSL code */
    AFU_RC_TIMED_OUT_PRE_FC = 0x50,  /* SL 18.1 */
    AFU_RC_TIMED_OUT = 0x51,         /* SL 18.1 */
    AFU_RC_GT_DIRECTION = 0x62,      /* SL 18.1, R-28: unnamed; direction mismatch on FlashGT */
};

/** Codes of the PSL in afu_extra after a DMA error. */
enum afu_psl_code {
    AFU_PSL_AERROR = 0x01,  /* SL 18.1 */
    AFU_PSL_DERROR = 0x03,  /* SL 18.1 */
    AFU_PSL_NLOCK = 0x04,   /* SL 18.1 */
    AFU_PSL_NRES = 0x05,    /* SL 18.1 */
    AFU_PSL_FLUSHED = 0x06, /* SL 18.1 */
    AFU_PSL_FAULT = 0x07,   /* SL 18.1 */
    AFU_PSL_FAILED = 0x08,  /* SL 18.1 */
    AFU_PSL_PAGED = 0x0A,   /* SL 18.1: page-in needed; only with auto-retry off */
    AFU_PSL_CONTEXT = 0x0B, /* SL 18.1: bad address */
};

/** Values of rc.scsi_rc: SCSI status bytes (SL 7, 18.3; the others per SAM). */
enum afu_scsi_rc {
    AFU_SCSI_RC_GOOD = 0x00,                 /* SL 7 */
    AFU_SCSI_RC_CHECK_CONDITION = 0x02,      /* SL 7 */
    AFU_SCSI_RC_CONDITION_MET = 0x04,        /* SL 7 (SAM) */
    AFU_SCSI_RC_BUSY = 0x08,                 /* SL 7 */
    AFU_SCSI_RC_RESERVATION_CONFLICT = 0x18, /* SL 18.3 (SAM) */
    AFU_SCSI_RC_TASK_SET_FULL = 0x28,        /* SL 18.3 (SAM) */
    AFU_SCSI_RC_ACA_ACTIVE = 0x30,           /* SL 7 (SAM) */
    AFU_SCSI_RC_TASK_ABORTED = 0x40,         /* SL 7 (SAM) */
};

/** Values of rc.fc_rc. */
enum afu_fc_rc {
    AFU_FC_RC_NONE = 0x00,        /* SL 7 */
    AFU_FC_RC_CRCERR = 0x51,      /* SL 18.2 */
    AFU_FC_RC_ABORTPEND = 0x52,   /* SL 18.2 */
    AFU_FC_RC_WRABORTPEND = 0x53, /* SL 18.2 */
    AFU_FC_RC_NOLOGI = 0x54,      /* SL 18.2 */
    AFU_FC_RC_NOEXP = 0x55,       /* SL 18.2 */
    AFU_FC_RC_INUSE = 0x56,       /* SL 18.2 */
    AFU_FC_RC_LINKDOWN = 0x57,    /* SL 18.2 */
    AFU_FC_RC_ABORTOK = 0x58,     /* SL 18.2 */
    AFU_FC_RC_ABORTFAIL = 0x59,   /* SL 18.2 */
    AFU_FC_RC_RESID = 0x5A,       /* SL 18.2 */
    AFU_FC_RC_RESIDERR = 0x5B,    /* SL 18.2 */
    AFU_FC_RC_TGTABORT = 0x5C,    /* SL 18.2 */
    AFU_FC_RC_SHUTDOWN = 0x5E,    /* SL 18.2 */
    AFU_FC_RC_FCPERR = 0x60,      /* SL 18.2 */
};

/** The four status bytes as one number, flags first, the same on every host: for traces and for
 * the test against 0, which means good (SL 7). */
static inline uint32_t afu_ioasc(const struct afu_rc *rc) { return hal_be32_at(rc); }

/** True if the command ended well (SL 7). */
static inline bool afu_rc_good(const struct afu_rc *rc) { return afu_ioasc(rc) == 0; }

/** The id of a new LUN, from the answer to provision create in a context of order o (SL 7). */
static inline uint64_t afu_ioasa_lun_id(enum hal_order o, const struct afu_ioasa *ioasa)
{
    return (uint64_t)xe32_get(o, ioasa->lunid_hi) << 32 | xe32_get(o, ioasa->provision.lunid_lo);
}

/** afu_extra of AFU_RC_NO_CHANNELS on a card with `ports` ports (SL 8.4 step 10, R-23). */
static inline uint8_t afu_no_channels_extra(unsigned available, unsigned requested, unsigned ports)
{
    return (uint8_t)(ports > 2 ? (available & 15) << 4 | (requested & 15)
                               : (available & 3) << 2 | (requested & 3));
}

/* ---- RRQ elements, SL 9 ---- */

/** The element that announces the block at `ea` (SL 9). */
static inline uint64_t afu_rrq_element(uint64_t ea, bool toggle)
{
    return (ea & ~UINT64_C(1)) | (toggle ? 1 : 0);
}

/** Address in an element: IOARCB in IOARRIN mode, IOASA in SQ mode (SL 9). */
static inline uint64_t afu_rrq_ea(uint64_t element) { return element & ~UINT64_C(1); }

/** Toggle bit of an element; it is new when this is the expected one (SL 9). */
static inline bool afu_rrq_toggle(uint64_t element) { return element & 1; }

/* ---- AFU commands, SL 12 ---- */

/** First byte of the CDB of an AFU command. */
enum afu_cmd_code {
    AFU_CMD_SYNC = 0xC0,          /* SL 12 */
    AFU_CMD_LUN_PROVISION = 0xD0, /* SL 12 */
    AFU_CMD_DEBUG = 0xE0,         /* SL 12 */
};

/** Second byte of AFU sync. */
enum afu_sync_mode {
    AFU_SYNC_LW = 0,    /* SL 12: translations may have grown */
    AFU_SYNC_HW = 1,    /* SL 12: also waits for commands that used the old translation */
    AFU_SYNC_GSYNC = 2, /* SL 12: after afu_port_sel changes; context and handle 0 */
};

/** Second byte of LUN provision. */
enum afu_provision {
    AFU_PROVISION_CREATE = 0, /* SL 12 */
    AFU_PROVISION_DELETE = 1, /* SL 12 */
};

/** Task management functions. */
enum afu_tmf {
    AFU_TMF_LUN_RESET = 1, /* SL 12 */
    AFU_TMF_CLEAR_ACA = 2, /* SL 12 */
};

enum {
    AFU_CMD_TIMEOUT_S = 5, /* SL 12: time-out field of all AFU commands */
    AFU_TMF_REQ_FLAGS = AFU_REQ_PORT_LUN_ID | AFU_REQ_SUP_UNDERRUN | AFU_REQ_TMF_CMD, /* SL 12 */
};

/** Builds the CDB of AFU sync for (context, resource handle) (SL 12). */
static inline void afu_sync_cdb(uint8_t cdb[AFU_CDB_SIZE], enum afu_sync_mode mode, uint16_t ctx,
                                uint32_t handle)
{
    memset(cdb, 0, AFU_CDB_SIZE);
    cdb[0] = AFU_CMD_SYNC;
    cdb[1] = (uint8_t)mode;
    hal_be16_put(cdb + 2, ctx);
    hal_be32_put(cdb + 4, handle);
}

/** Mode byte of an AFU sync; any of 256 values (SL 12). */
static inline uint8_t afu_sync_cdb_mode(const uint8_t *cdb) { return cdb[1]; }

/** Context named by an AFU sync (SL 12). */
static inline uint16_t afu_sync_cdb_ctx(const uint8_t *cdb) { return hal_be16_at(cdb + 2); }

/** Resource handle named by an AFU sync (SL 12). */
static inline uint32_t afu_sync_cdb_handle(const uint8_t *cdb) { return hal_be32_at(cdb + 4); }

/** Builds the CDB of LUN provision: `blocks` of 4 KiB to create, 0 to delete; the LUN to delete
 * stands in the IOARCB (SL 12). */
static inline void afu_provision_cdb(uint8_t cdb[AFU_CDB_SIZE], enum afu_provision what,
                                     uint8_t port, uint64_t blocks)
{
    memset(cdb, 0, AFU_CDB_SIZE);
    cdb[0] = AFU_CMD_LUN_PROVISION;
    cdb[1] = (uint8_t)what;
    cdb[2] = port;
    hal_be64_put(cdb + 8, blocks);
}

/** Size in 4 KiB blocks that LUN provision asks for (SL 12). */
static inline uint64_t afu_provision_cdb_blocks(const uint8_t *cdb) { return hal_be64_at(cdb + 8); }

/** Builds the CDB of AFU debug around 12 opaque bytes (SL 12). */
static inline void afu_debug_cdb(uint8_t cdb[AFU_CDB_SIZE], const uint8_t data[12])
{
    memset(cdb, 0, 4);
    cdb[0] = AFU_CMD_DEBUG;
    memcpy(cdb + 4, data, 12);
}

/** Builds the CDB of a task management function: one word in the order of the context (SL 12). */
static inline void afu_tmf_cdb(uint8_t cdb[AFU_CDB_SIZE], enum hal_order o, enum afu_tmf tmf)
{
    xe64_t word = xe64_of(o, (uint64_t)tmf);

    memset(cdb, 0, AFU_CDB_SIZE);
    memcpy(cdb, &word, sizeof word);
}

/** The word of a task management function (SL 12). */
static inline uint64_t afu_tmf_cdb_word(enum hal_order o, const uint8_t *cdb)
{
    xe64_t word;

    memcpy(&word, cdb, sizeof word);
    return xe64_get(o, word);
}

#endif
