/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the SCSI target share: the command table and the object that stands for one
 * command while it is looked at. For sim_scsi*.c only. */
#ifndef SIM_SIM_SCSI_OPS_H
#define SIM_SIM_SCSI_OPS_H

#include "sim/sim_scsi.h"

/* Sense keys and additional sense codes (asc << 8 | ascq) that this target sends. */
enum {
    SCSI_KEY_NOT_READY = 2,
    SCSI_KEY_MEDIUM_ERROR = 3,
    SCSI_KEY_HARDWARE_ERROR = 4,
    SCSI_KEY_ILLEGAL_REQUEST = 5,
    SCSI_KEY_UNIT_ATTENTION = 6,
    SCSI_KEY_DATA_PROTECT = 7,
    SCSI_ASC_STOPPED = 0x0402, /* START STOP UNIT has to start it */
    SCSI_ASC_WRITE_ERROR = 0x0C00,
    SCSI_ASC_READ_ERROR = 0x1100,
    SCSI_ASC_LIST_LENGTH = 0x1A00,
    SCSI_ASC_INVALID_OPCODE = 0x2000,
    SCSI_ASC_LBA_OUT_OF_RANGE = 0x2100,
    SCSI_ASC_INVALID_FIELD = 0x2400,
    SCSI_ASC_UNKNOWN_LUN = 0x2500,
    SCSI_ASC_LIST_FIELD = 0x2600,
    SCSI_ASC_WRITE_PROTECTED = 0x2700,
    SCSI_ASC_NO_SAVED_PAGES = 0x3900,
    SCSI_ASC_TARGET_FAILURE = 0x4400,
};

#define SCSI_PROTECT_MASK 0xE0 /* RDPROTECT, WRPROTECT: no protection information here */

#define SCSI_CONTROL_NACA 0x04 /* last byte of a CDB: not supported */

/* Longest parameter data: REPORT LUNS with every LUN. */
#define SCSI_PARAMETERS_MAX (8 + 8 * SIM_MEDIA_LUNS_MAX)

/* Descriptors of one UNMAP. */
#define SCSI_UNMAP_MAX 128

/** One command under way. */
struct scsi_call {
    struct sim_scsi *t;
    const struct sim_scsi_request *rq;
    struct sim_scsi_result *rs;
    struct sim_scsi_lun *lun;           /* NULL: no such LUN on this port */
    const struct sim_media_lun *medium; /* NULL likewise */
    sim_media_sink *sink;               /* finish only */
    sim_media_source *source;           /* finish only */
    void *arg;                          /* finish only */
};

/** How one opcode is handled. A command with `build` sends parameter data; others have `begin` and
 * `finish`. */
struct scsi_command {
    uint8_t opcode;
    uint8_t cdb_bytes;
    bool passes_ua;      /* carried out although a unit attention is pending */
    bool any_lun;        /* has an answer for a LUN that does not exist */
    bool ready;          /* needs a LUN that is not stopped */
    uint8_t alloc;       /* with `build`: place of the allocation length in the CDB ... */
    uint8_t alloc_bytes; /* ... and its width; 0: the parameter data has one length */
    /** Checks the CDB; failures by scsi_fail. May be NULL. */
    void (*begin)(struct scsi_call *c);
    /** Moves the data. Returns 0 or the error of media or visitor. NULL: nothing to do. */
    int (*finish)(struct scsi_call *c);
    /** Fills `out` (SCSI_PARAMETERS_MAX zero bytes) and returns the length, which may not be 0. */
    uint32_t (*build)(const struct scsi_call *c, uint8_t *out);
};

/** Ends the command with CHECK CONDITION, nothing moved. */
void scsi_fail(struct scsi_call *c, unsigned key, unsigned asc_ascq);

/** Ends it with ILLEGAL REQUEST, INVALID FIELD IN CDB. */
void scsi_invalid_field(struct scsi_call *c);

/** Ends it with LOGICAL BLOCK ADDRESS OUT OF RANGE for a range that begins at `lba`: the sense data
 * name its first block that does not exist (SBC). */
void scsi_out_of_range(struct scsi_call *c, uint64_t lba);

/** Fills lba and blocks of the result from the CDB and checks them against the capacity. */
void scsi_begin_range(struct scsi_call *c, enum sim_scsi_medium medium);

/** Carries a READ out that was begun. Returns 0 or the error of media or visitor. */
static inline int scsi_read(const struct sim_scsi *t, struct sim_scsi_result *rs,
                            sim_media_sink *sink, void *arg)
{
    rs->transfer_len = rs->blocks * rs->block_size;
    return sim_media_read(t->media, rs->lun, rs->lba, rs->blocks, sink, arg);
}

/* The commands, by concept. */
void scsi_begin_read(struct scsi_call *c);
void scsi_begin_write(struct scsi_call *c);
void scsi_begin_write_same(struct scsi_call *c);
void scsi_begin_sync(struct scsi_call *c);
int scsi_finish_read(struct scsi_call *c);
int scsi_finish_write(struct scsi_call *c);
int scsi_finish_write_same(struct scsi_call *c);
int scsi_finish_sync(struct scsi_call *c);
void scsi_begin_inquiry(struct scsi_call *c);
uint32_t scsi_build_inquiry(const struct scsi_call *c, uint8_t *out);
void scsi_begin_report_luns(struct scsi_call *c);
uint32_t scsi_build_report_luns(const struct scsi_call *c, uint8_t *out);
void scsi_begin_request_sense(struct scsi_call *c);
uint32_t scsi_build_request_sense(const struct scsi_call *c, uint8_t *out);
void scsi_begin_read_capacity_10(struct scsi_call *c);
uint32_t scsi_build_read_capacity_10(const struct scsi_call *c, uint8_t *out);
void scsi_begin_read_capacity_16(struct scsi_call *c);
uint32_t scsi_build_read_capacity_16(const struct scsi_call *c, uint8_t *out);
void scsi_begin_lba_status(struct scsi_call *c);
uint32_t scsi_build_lba_status(const struct scsi_call *c, uint8_t *out);
void scsi_begin_unmap(struct scsi_call *c);
int scsi_finish_unmap(struct scsi_call *c);
void scsi_begin_mode_sense(struct scsi_call *c);
uint32_t scsi_build_mode_sense(const struct scsi_call *c, uint8_t *out);
void scsi_begin_start_stop(struct scsi_call *c);
int scsi_finish_start_stop(struct scsi_call *c);

/** Takes the most urgent unit attention of a LUN and port away; its asc << 8 | ascq, or -1. */
int scsi_take_unit_attention(struct sim_scsi_lun *l, unsigned port);

#endif
