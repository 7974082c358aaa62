/* SPDX-License-Identifier: Apache-2.0 */
/* One adapter as core sees it. Shared inside core only.
 *
 * Lock order (SP section 11): control, then internal. `control` serialises the control verbs of
 * the adapter and guards everything here but the master's queue; `internal` is held over one
 * command of the master at a time (AD-122). The data path of user contexts takes neither. */
#ifndef CORE_ADAPTER_H
#define CORE_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/block_alloc.h"
#include "core/catalogue.h"
#include "core/queue.h"
#include "core/superpipe.h"
#include "hal/afu_tables.h"

#define SPIPE__PORTS_MAX 4
#define SPIPE__LUNS_MAX 256
#define SPIPE__CONTEXTS 512
#define SPIPE__RHT_ENTRIES 256 /* */
#define SPIPE__SCSI_TIMEOUT UINT64_C(30000000000) /* ns, SP-101 */

/** A LUN, unified over ports by WWID. */
struct spipe__lun {
    uint8_t wwid[16];
    uint64_t lun_id[SPIPE__PORTS_MAX];
    uint8_t port_mask;
    bool in_table;       /* has a LUN-table slot (AD-190) */
    uint8_t table_index; /* valid if in_table */
    uint8_t mode;        /* SPIPE_LUN_NONE, _VIRTUAL, _PHYSICAL */
    uint64_t last_lba;
    uint32_t block_size;
    uint32_t users;      /* open handles */
    uint32_t holds;      /* quarantined chunks, arrays and entries; names hold chunks too */
    struct spipe__ba *ba; /* exists while mode is VIRTUAL or names live on the LUN */
    void *ba_memory;
    size_t ba_size;
};

/** Result of one command of the master. */
struct spipe__scsi_result {
    uint8_t flags, afu_rc, scsi_rc, fc_rc;
    uint8_t sense[20];
    uint32_t residual;
};

struct spipe {
    struct exec *exec;
    struct hal_dev *dev;
    enum hal_order order;
    struct exec_mutex control, internal;

    struct hal_ctx *master;
    struct spipe__queue queue; /* the master's */
    void *scratch;             /* 4096 bytes for data of the master's commands, registered */

    char afu_version[9];
    uint64_t interface_version;
    unsigned ports;
    uint64_t wwpn[SPIPE__PORTS_MAX];
    bool ws_unmap;
    uint64_t heartbeat;
    uint64_t generation; /* + 1 with each AFU init (VL 15.1) */

    unsigned lun_count;
    struct spipe__lun lun[SPIPE__LUNS_MAX];
    unsigned promote_lun_index;               /* SP-131 */
    int last_lun_index[SPIPE__PORTS_MAX];

    struct spipe__catalogue *catalogue; /* NULL: no names */
    struct spipe_ctx *contexts[SPIPE__CONTEXTS]; /* by context handle */
    unsigned clients;
};

/* bring_up.c */
/** AD-30..AD-49i, in that order. On failure everything is undone. Returns as spipe_open. */
HAL_MUST_CHECK int spipe__bring_up(struct spipe *s, char *why, size_t why_size);
/** AD-50..AD-53: ends the master. */
void spipe__take_down(struct spipe *s);

/* afu_sync.c */
/** AFU sync of (context, handle) (VL-67, AD-120..AD-126): 0, -ETIMEDOUT, -EAGAIN, -EIO, -ENOBUFS.
 * Takes `internal`. */
HAL_MUST_CHECK int spipe__afu_sync(struct spipe *s, uint8_t mode, uint16_t context,
                                   uint32_t handle);

/* scsi.c */
/** Sends one CDB by port and LUN id from the master (AD-66), data in s->scratch (at most 4096
 * bytes). Takes `internal`. Returns 0 when the command was answered (result filled), else
 * -ETIMEDOUT, -ENODEV, -EIO. */
HAL_MUST_CHECK int spipe__scsi(struct spipe *s, unsigned port, uint64_t lun_id,
                               const uint8_t cdb[16], bool write, uint32_t length,
                               struct spipe__scsi_result *out);

/* lun_discovery.c */
/** REPORT LUNS, INQUIRY 0x83, READ CAPACITY(16) on every port; fills s->lun. */
HAL_MUST_CHECK int spipe__discover_luns(struct spipe *s, char *why, size_t why_size);

/* lun_table.c */
/** Gives a LUN its slot (SP-130..SP-134, AD-190..AD-192) and writes it. 0, -ENOSPC, -EIO. */
HAL_MUST_CHECK int spipe__lun_table_assign(struct spipe *s, struct spipe__lun *lun);
/** Rewrites all slots after an AFU init (AD-193). */
void spipe__lun_table_restore(struct spipe *s);

#endif
