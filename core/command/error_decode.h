/* SPDX-License-Identifier: Apache-2.0 */
/* From the status bytes of a finished command to what the SCSI layer of the public driver makes of
 * them (SL 18, AD-100..AD-105). Pure, and total: every value of every byte has a decision. Shared
 * inside core only. For the errno of user I/O see io_status.h. */
#ifndef CORE_ERROR_DECODE_H
#define CORE_ERROR_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/superpipe.h"
#include "hal/afu_cmd.h"
#include "hal/support/endian.h"

/** Answer of one command, out of its IOASA. */
struct spipe__scsi_result {
    uint8_t flags, afu_rc, scsi_rc, fc_rc; /* SL 7 */
    uint8_t afu_extra, port;
    uint8_t sense[AFU_SENSE_SIZE]; /* 0 unless flags has SENSE_VALID */
    uint32_t residual;             /* 0 unless a flag says underrun or overrun */
};

/** What the SCSI layer sees of a command. */
struct spipe__decision {
    uint32_t result;   /* status byte, host byte << 16; 0 = good */
    bool sense_valid;  /* the sense data goes upward */
    bool has_residual; /* so does the residual count */
};

/** The parts of sense data that decisions look at. */
struct spipe__sense {
    uint8_t key, asc, ascq;
};

/** Sense keys and additional sense codes that core tells apart. */
enum {
    SPIPE__KEY_NO_SENSE = 0,
    SPIPE__KEY_RECOVERED = 1,
    SPIPE__KEY_NOT_READY = 2,
    SPIPE__KEY_ILLEGAL_REQUEST = 5,
    SPIPE__KEY_UNIT_ATTENTION = 6,
    SPIPE__ASC_OPCODE = 0x20, /* unknown command */
    SPIPE__ASC_RESET = 0x29,
    SPIPE__ASC_PARAMETERS_CHANGED = 0x2A, /* capacity included */
    SPIPE__ASC_TARGET_CHANGED = 0x3F,     /* or its LUNs */
};

enum { SPIPE__SENSE_LENGTH = 18 }; /* bytes that decoding looks at (SP-85) */

/** Copies the answer out of memory that the AFU may write again. `order` is the context's. */
void spipe__result_read(enum hal_order order, const struct afu_ioasa *ioasa,
                        struct spipe__scsi_result *out);

/** True if all four status bytes are 0. */
bool spipe__result_good(const struct spipe__scsi_result *r);

/**
 * Decides as the driver does, later steps over earlier ones: underrun, overrun, SCSI status, FC,
 * AFU. One difference (D-8): an fc_rc that nobody knows is an error if nothing else is.
 */
struct spipe__decision spipe__error_decode(const struct spipe__scsi_result *r);

/** Takes SPIPE__SENSE_LENGTH bytes of sense data apart, fixed or descriptor format (SP-85). False
 * if they are none; *out is untouched then. */
bool spipe__sense_read(const uint8_t *bytes, struct spipe__sense *out);

/** The same with those of an answer. False also if it has none that are valid. */
bool spipe__sense_decode(const struct spipe__scsi_result *r, struct spipe__sense *out);

#endif
