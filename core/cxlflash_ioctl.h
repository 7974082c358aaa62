/* SPDX-License-Identifier: Apache-2.0 */
/* The binary interface of the superpipe requests: codes, flags and structures of DK_CXLFLASH_*
 * (docs/spec/superpipe.md sections 2 to 4) and of the host's HT_CXLFLASH_* (docs/spec/adapter.md
 * section 20). C and C++; needs <stdint.h> only.
 *
 * All numbers are in host order, of fixed width and naturally aligned, so that no compiler pads and
 * every ABI has the same layout. Buffers can be forwarded unchanged (SP-177). A program includes
 * this header or the operating system's, not both: the names are the same.
 *
 * Behind each field stands who writes it: in = the caller, out = the service, on success only
 * (SP-23). Reserved fields at the end of a structure are not looked at (SP-10); zero them.
 * A "device block" has the size that ATTACH reports, a "4K block" always 4096 bytes. */
#ifndef CORE_CXLFLASH_IOCTL_H
#define CORE_CXLFLASH_IOCTL_H

#include <stdint.h>

/* ---- requests on a disk ---- */

/** The only version there is (SP-20). */
#define DK_CXLFLASH_VERSION 0u

/** Begins every request on a disk. */
struct dk_cxlflash_hdr {
    uint16_t version;      /* in: DK_CXLFLASH_VERSION, else EINVAL (SP-20) */
    uint16_t rsvd[3];      /* in: 0, else EINVAL (SP-21) */
    uint64_t flags;        /* in: of the request; unknown bits are ignored (SP-10) */
    uint64_t return_flags; /* in: 0, else EINVAL (SP-21); out: see "return flags" */
};

/** DK_CXLFLASH_ATTACH: a context with direct access to this LUN (SP-37..SP-51). */
struct dk_cxlflash_attach {
    struct dk_cxlflash_hdr hdr; /* flags: access mode, DK_CXLFLASH_ATTACH_ */
    uint64_t num_interrupts;    /* in: at most 4 (SP-37) */
    uint64_t context_id;        /* in with REUSE_CONTEXT; out: low half = context number (SP-27) */
    uint64_t mmio_size;         /* out: bytes to map of adap_fd */
    uint64_t block_size;        /* out: bytes of a device block */
    uint64_t adap_fd;           /* out: all ones with REUSE_CONTEXT (SP-50, R-1) */
    uint64_t last_lba;          /* out: of the LUN, device blocks */
    uint64_t max_xfer;          /* out: longest transfer, device blocks */
    uint64_t reserved[8];
};

/** DK_CXLFLASH_DETACH: gives up this LUN, with the last one the context (SP-74..SP-79). */
struct dk_cxlflash_detach {
    struct dk_cxlflash_hdr hdr;
    uint64_t context_id; /* in */
    uint64_t reserved[8];
};

/** DK_CXLFLASH_USER_DIRECT: a handle for the whole LUN (SP-53..SP-57). */
struct dk_cxlflash_udirect {
    struct dk_cxlflash_hdr hdr;
    uint64_t context_id;  /* in */
    uint64_t rsrc_handle; /* out */
    uint64_t last_lba;    /* out: device blocks */
    uint64_t reserved[8];
};

/** DK_CXLFLASH_USER_VIRTUAL: a handle for a new virtual LUN (SP-59..SP-64). */
struct dk_cxlflash_uvirtual {
    struct dk_cxlflash_hdr hdr; /* flags: DK_CXLFLASH_UVIRTUAL_ */
    uint64_t context_id;        /* in */
    uint64_t lun_size;          /* in: 4K blocks */
    uint64_t rsrc_handle;       /* out */
    uint64_t last_lba;          /* out: 4K blocks; all ones for size 0 (SP-64) */
    uint64_t reserved[8];
};

/** DK_CXLFLASH_RELEASE: ends a handle of either kind (SP-70..SP-72). */
struct dk_cxlflash_release {
    struct dk_cxlflash_hdr hdr;
    uint64_t context_id;  /* in */
    uint64_t rsrc_handle; /* in: upper half 0, else EINVAL (SP-9) */
    uint64_t reserved[8];
};

/** DK_CXLFLASH_VLUN_RESIZE: another size for a virtual LUN (SP-66..SP-69). */
struct dk_cxlflash_resize {
    struct dk_cxlflash_hdr hdr;
    uint64_t context_id;  /* in */
    uint64_t rsrc_handle; /* in: upper half 0, else EINVAL (SP-9) */
    uint64_t req_size;    /* in: 4K blocks; all ones = all that is free (SP-69) */
    uint64_t last_lba;    /* out: 4K blocks; all ones for size 0 (SP-68) */
    uint64_t reserved[8];
};

/** DK_CXLFLASH_VLUN_CLONE: the parent's handles in the child's context (SP-106..SP-116). */
struct dk_cxlflash_clone {
    struct dk_cxlflash_hdr hdr;
    uint64_t context_id_src; /* in: of the parent process (SP-107) */
    uint64_t context_id_dst; /* in: of the caller */
    uint64_t adap_fd_src;    /* in: ignored (SP-108, R-1) */
    uint64_t reserved[8];
};

/** DK_CXLFLASH_VERIFY: looks at the LUN again after a unit attention (SP-82..SP-88). */
struct dk_cxlflash_verify {
    struct dk_cxlflash_hdr hdr;
    uint64_t context_id;    /* in */
    uint64_t rsrc_handle;   /* in: upper half 0, else EINVAL (SP-9) */
    uint64_t hint;          /* in: DK_CXLFLASH_VERIFY_ */
    uint64_t last_lba;      /* out: device blocks if direct, 4K blocks if virtual (SP-87) */
    uint8_t sense_data[18]; /* in: with HINT_SENSE, as the device gave it (SP-85) */
    uint8_t pad[6];
    uint64_t reserved[8];
};

/** DK_CXLFLASH_RECOVER_AFU: revives a context after a reset, or finds it healthy (SP-89..SP-100).
 * Without RECOVER_AFU_CONTEXT_RESET in return_flags nothing else has changed (SP-91). */
struct dk_cxlflash_recover_afu {
    struct dk_cxlflash_hdr hdr;
    uint64_t reason;     /* in: for traces only */
    uint64_t context_id; /* in; out: the new one */
    uint64_t mmio_size;  /* out */
    uint64_t adap_fd;    /* out: map it, and close the old one */
    uint64_t reserved[8];
};

/** DK_CXLFLASH_MANAGE_LUN: opens this LUN to the other requests, or closes it (SP-117..SP-124). */
struct dk_cxlflash_manage_lun {
    struct dk_cxlflash_hdr hdr; /* flags: DK_CXLFLASH_MANAGE_LUN_ */
    uint8_t wwid[16];           /* in: NAA-6 of VPD page 0x83 */
    uint64_t reserved[8];
};

/* ---- flags of requests (SP section 4) ----
 * The low two bits of ATTACH's flags are an access mode of <fcntl.h>: O_RDONLY, O_WRONLY, O_RDWR;
 * the fourth value gives no permission at all (SP-11). */

/** ATTACH: adds this LUN to the context context_id (SP-39). */
#define DK_CXLFLASH_ATTACH_REUSE_CONTEXT UINT64_C(0x8000000000000000)

/** USER_VIRTUAL: chunks are wiped when they leave this handle (SP-63). */
#define DK_CXLFLASH_UVIRTUAL_NEED_WRITE_SAME UINT64_C(0x8000000000000000)

/** VERIFY, in `hint` and not in flags: sense_data is to be evaluated (SP-83, SP-84). */
#define DK_CXLFLASH_VERIFY_HINT_SENSE UINT64_C(0x8000000000000000)

/** MANAGE_LUN: the other requests may use this LUN through this port (SP-118). */
#define DK_CXLFLASH_MANAGE_LUN_ENABLE_SUPERPIPE UINT64_C(0x8000000000000000)

/** MANAGE_LUN: they may no longer; ignored beside ENABLE_SUPERPIPE (SP-120, SP-121). */
#define DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE UINT64_C(0x4000000000000000)

/** MANAGE_LUN: without effect. */
#define DK_CXLFLASH_MANAGE_LUN_ALL_PORTS_ACCESSIBLE UINT64_C(0x2000000000000000)

/* ---- return flags: common ones from bit 0 upward, others from bit 63 downward (SP-12) ---- */

/** USER_VIRTUAL: the LUN is registered on more than one port (SP-64). */
#define DK_CXLFLASH_ALL_PORTS_ACTIVE UINT64_C(0x1)

/** ATTACH of a new context, RECOVER_AFU: the caller has to close adap_fd itself (SP-49, SP-96). */
#define DK_CXLFLASH_APP_CLOSE_ADAP_FD UINT64_C(0x2)

/** ATTACH, RECOVER_AFU: the AFU takes commands through a submission queue (SP-49, R-4). */
#define DK_CXLFLASH_CONTEXT_SQ_CMD_MODE UINT64_C(0x4)

/** RECOVER_AFU: the context is a new one, and so is every output (SP-96). */
#define DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET UINT64_C(0x8000000000000000)

/* ---- requests on the host's character device (SP-173, SP-176) ---- */

/** The only version there is (SP-173). */
#define HT_CXLFLASH_VERSION 0u

/** Begins every request on a host. */
struct ht_cxlflash_hdr {
    uint16_t version;      /* in: HT_CXLFLASH_VERSION, else EINVAL (AD-211) */
    uint16_t subcmd;       /* in: of the request */
    uint16_t rsvd[2];      /* in: 0, else EINVAL (AD-211) */
    uint64_t flags;        /* in: HT_CXLFLASH_HOST_WRITE */
    uint64_t return_flags; /* in: 0, else EINVAL (AD-211); out */
};

/** HT_CXLFLASH_LUN_PROVISION: creates and deletes LUNs of a port (SP-174, AD-212). */
struct ht_cxlflash_lun_provision {
    struct ht_cxlflash_hdr hdr; /* subcmd: HT_CXLFLASH_LUN_PROVISION_ */
    uint16_t port;              /* in: from 0 */
    uint16_t reserved16[3];
    uint64_t size;         /* in with CREATE: 4K blocks */
    uint64_t lun_id;       /* in with DELETE; out with CREATE */
    uint8_t wwid[16];      /* out with CREATE */
    uint64_t max_num_luns; /* out with QUERY_PORT, as the three below */
    uint64_t cur_num_luns;
    uint64_t max_cap_port;
    uint64_t cur_cap_port;
    uint64_t reserved[8];
};

/** HT_CXLFLASH_AFU_DEBUG: a debug command with or without data (SP-175, AD-213). */
struct ht_cxlflash_afu_debug {
    struct ht_cxlflash_hdr hdr; /* flags: HT_CXLFLASH_HOST_WRITE */
    uint8_t reserved8[4];
    uint8_t afu_subcmd[12]; /* in: bytes 4..15 of the CDB */
    uint64_t data_ea;       /* in: address of the caller's data */
    uint32_t data_len;      /* in: bytes, 0 = no data, at most HT_CXLFLASH_AFU_DEBUG_DATA_MAX */
    uint32_t reserved32;
    uint64_t reserved[8];
};

/** The errno of a request that the AFU has no capability for (SP-174, AD-212); <errno.h> does not
 * know it. */
#define HT_CXLFLASH_ENOTSUPP 524

/** LUN_PROVISION sub-command: a LUN of `size` (AD-212). */
#define HT_CXLFLASH_LUN_PROVISION_CREATE 1u

/** LUN_PROVISION sub-command: the end of LUN `lun_id` (AD-212). */
#define HT_CXLFLASH_LUN_PROVISION_DELETE 2u

/** LUN_PROVISION sub-command: limits and use of the port (AD-212). */
#define HT_CXLFLASH_LUN_PROVISION_QUERY_PORT 3u

/** AFU_DEBUG: data go from the host to the AFU; without it from the AFU to the host (AD-213). */
#define HT_CXLFLASH_HOST_WRITE UINT64_C(0x1)

/** AFU_DEBUG: bytes of data, more is EINVAL (SP-175). */
#define HT_CXLFLASH_AFU_DEBUG_DATA_MAX 262144u

/* ---- codes (SP section 2, AD-210) ---- */

/** Code of a request: direction "read and write" in bits 31..29, size, type 0xCA, number. Linux has
 * two encodings, with 2 and with 3 bits for the direction; they give the same number here, as 11
 * and 110 begin alike and every size fits the shorter field. So <sys/ioctl.h> is not needed. */
#define CXLFLASH_REQUEST_CODE(number, structure)                                                   \
    (0xC0000000ul | sizeof(structure) << 16 | 0xCAul << 8 | (number))

/** Takes struct dk_cxlflash_attach. */
#define DK_CXLFLASH_ATTACH CXLFLASH_REQUEST_CODE(0x80ul, struct dk_cxlflash_attach)

/** Takes struct dk_cxlflash_udirect. */
#define DK_CXLFLASH_USER_DIRECT CXLFLASH_REQUEST_CODE(0x81ul, struct dk_cxlflash_udirect)

/** Takes struct dk_cxlflash_release. */
#define DK_CXLFLASH_RELEASE CXLFLASH_REQUEST_CODE(0x82ul, struct dk_cxlflash_release)

/** Takes struct dk_cxlflash_detach. */
#define DK_CXLFLASH_DETACH CXLFLASH_REQUEST_CODE(0x83ul, struct dk_cxlflash_detach)

/** Takes struct dk_cxlflash_verify. */
#define DK_CXLFLASH_VERIFY CXLFLASH_REQUEST_CODE(0x84ul, struct dk_cxlflash_verify)

/** Takes struct dk_cxlflash_recover_afu. */
#define DK_CXLFLASH_RECOVER_AFU CXLFLASH_REQUEST_CODE(0x85ul, struct dk_cxlflash_recover_afu)

/** Takes struct dk_cxlflash_manage_lun. */
#define DK_CXLFLASH_MANAGE_LUN CXLFLASH_REQUEST_CODE(0x86ul, struct dk_cxlflash_manage_lun)

/** Takes struct dk_cxlflash_uvirtual. */
#define DK_CXLFLASH_USER_VIRTUAL CXLFLASH_REQUEST_CODE(0x87ul, struct dk_cxlflash_uvirtual)

/** Takes struct dk_cxlflash_resize. */
#define DK_CXLFLASH_VLUN_RESIZE CXLFLASH_REQUEST_CODE(0x88ul, struct dk_cxlflash_resize)

/** Takes struct dk_cxlflash_clone. */
#define DK_CXLFLASH_VLUN_CLONE CXLFLASH_REQUEST_CODE(0x89ul, struct dk_cxlflash_clone)

/** Takes struct ht_cxlflash_lun_provision. */
#define HT_CXLFLASH_LUN_PROVISION CXLFLASH_REQUEST_CODE(0xBFul, struct ht_cxlflash_lun_provision)

/** Takes struct ht_cxlflash_afu_debug. */
#define HT_CXLFLASH_AFU_DEBUG CXLFLASH_REQUEST_CODE(0xBEul, struct ht_cxlflash_afu_debug)

#endif
