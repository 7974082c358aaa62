/* SPDX-License-Identifier: Apache-2.0 */
/* A SCSI target that serves the LUNs of one sim_media through up to four ports.
 *
 * A command has two phases, because the model separates command and data in time:
 *   sim_scsi_begin   decodes the CDB and says what is going to happen (or fails at once);
 *   sim_scsi_finish  moves the data and fills status, sense, residual and flags.
 * Between them the model spends the time that the fields of the result call for, may force another
 * status (sim_scsi_force), may lower `blocks` (a short transfer), or may drop the command.
 *
 * Everything is plain data without pointers except `media`: it may live in a snapshot. */
#ifndef SIM_SIM_SCSI_H
#define SIM_SIM_SCSI_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/support/must_check.h"
#include "sim/sim_media.h"

#define SIM_SCSI_PORTS 4
#define SIM_SCSI_SENSE_BYTES 20
#define SIM_SCSI_VENDOR "SUPRPIPE"
#define SIM_SCSI_PRODUCT "SIM FLASH"
#define SIM_SCSI_REVISION "0001"

/* Status bytes (SAM) that this target sends; a forced status may be any other. */
#define SIM_SCSI_GOOD 0x00
#define SIM_SCSI_CHECK_CONDITION 0x02

/** Unit attention conditions, the more urgent first (SPC). */
enum sim_scsi_ua {
    SIM_SCSI_UA_RESET,    /* 29/00 power on or reset */
    SIM_SCSI_UA_MODE,     /* 2A/01 mode parameters changed */
    SIM_SCSI_UA_CAPACITY, /* 2A/09 capacity data has changed */
    SIM_SCSI_UA_INQUIRY,  /* 3F/03 inquiry data has changed */
    SIM_SCSI_UA_LUNS,     /* 3F/0E reported LUNs data has changed */
    SIM_SCSI_N_UA
};

/** What the target knows of one LUN beside its medium. */
struct sim_scsi_lun {
    uint8_t wwid[16];           /* reported in VPD pages 0x80 and 0x83 */
    uint8_t port_mask;          /* ports through which the LUN can be seen; 0: it is gone */
    uint8_t ua[SIM_SCSI_PORTS]; /* pending unit attentions, bit = enum sim_scsi_ua */
    bool stopped;               /* by START STOP UNIT; a reset or power-on starts it */
    uint64_t blocks;            /* its size as the initiators were told */
};

/** The target. */
struct sim_scsi {
    struct sim_media *media;
    bool lbpme; /* thin provisioning: READ CAPACITY(16) bit, and WRITE SAME may unmap */
    bool lbprz; /* unmapped blocks read as zeros; if not, unmapping leaves noise */
    struct sim_scsi_lun luns[SIM_MEDIA_LUNS_MAX];
};

/** A command as it arrives at a port. */
struct sim_scsi_request {
    uint64_t lun_id;   /* 64-bit LUN id, SL 23.9 */
    uint8_t port;      /* 0 .. SIM_SCSI_PORTS - 1 */
    bool host_write;   /* the initiator means to send data */
    uint32_t data_len; /* the initiator's buffer */
    uint8_t cdb[16];
};

enum sim_scsi_kind { SIM_SCSI_NO_DATA, SIM_SCSI_DATA_IN, SIM_SCSI_DATA_OUT };

/** What a command does to the medium: timing depends on it. */
enum sim_scsi_medium {
    SIM_SCSI_MEDIUM_NONE,
    SIM_SCSI_MEDIUM_READ,
    SIM_SCSI_MEDIUM_WRITE,
    SIM_SCSI_MEDIUM_ZERO, /* WRITE SAME and unmap: blocks change without being sent */
    SIM_SCSI_MEDIUM_SYNC
};

/** What becomes of a command. sim_scsi_begin fills all of it but the sense bytes, which mean
 * nothing until their flag is set; sim_scsi_finish changes the second half. */
struct sim_scsi_result {
    enum sim_scsi_kind kind;
    enum sim_scsi_medium medium;
    uint16_t lun;          /* number of the LUN, if it exists */
    uint64_t lba;          /* first block, if `medium` is not NONE */
    uint64_t blocks;       /* blocks of the medium that are read, written or zeroed */
    uint64_t transfer_len; /* bytes the device is going to move over the link; if it has not failed
                            * and the direction is right, data_len at most */
    /* The command has failed already: no data, no medium, only status. finish leaves it as it is.
     */
    bool failed;
    /* The command sends data and the initiator meant to receive, or the other way round: an FC
     * error, not a SCSI status. finish moves nothing. */
    bool direction_mismatch;
    bool forced;            /* set by sim_scsi_force: finish takes forced_... */
    bool forced_after_data; /* data moves as usual first, as for a recovered error */

    uint8_t status;      /* SCSI status byte: rc.scsi_rc */
    bool sense_valid;    /* `sense` */
    bool underrun;       /* rc.flags 0x10: fewer bytes moved than data_len */
    bool overrun;        /* rc.flags 0x20: the device wanted to move more than data_len */
    uint32_t residual;   /* bytes not moved (underrun) or not movable (overrun) */
    uint32_t moved;      /* bytes that went over the link */
    uint32_t block_size; /* of the LUN */

    bool forced_sense_valid; /* `forced_sense` */
    uint8_t forced_status;   /* 0 without a force */

    uint8_t detail[3]; /* private to the target */

    uint8_t sense[SIM_SCSI_SENSE_BYTES]; /* fixed format, 0x70 */
    uint8_t forced_sense[SIM_SCSI_SENSE_BYTES];
};

/** Begins a target over media that must outlive it: every LUN visible where its descriptor says, no
 * unit attention pending (see sim_scsi_power_on), lbpme and lbprz true. */
void sim_scsi_init(struct sim_scsi *t, struct sim_media *media);

/** Decodes a command. Consumes the unit attention that it reports. Moves no data. */
void sim_scsi_begin(struct sim_scsi *t, const struct sim_scsi_request *rq,
                    struct sim_scsi_result *rs);

/** Carries a begun command out. Only `sink` is used by commands of kind DATA_IN, only `source` by
 * DATA_OUT. The medium may have changed in between, e.g. shrunk: then a check condition.
 * Returns 0 with the status in *rs, or -EFAULT from the visitor: the client's memory could not be
 * reached, and the command has no SCSI status. */
HAL_MUST_CHECK int sim_scsi_finish(struct sim_scsi *t, const struct sim_scsi_request *rq,
                                   struct sim_scsi_result *rs, sim_media_sink *sink,
                                   sim_media_source *source, void *arg);

/** Between the phases: the command will end with `status`, and if `status` is CHECK CONDITION with
 * fixed sense key/asc/ascq, without touching the medium (or after moving all data, if
 * `after_data`). A check condition with key 0xFF carries no sense. */
void sim_scsi_force(struct sim_scsi_result *rs, uint8_t status, uint8_t key, uint8_t asc,
                    uint8_t ascq, bool after_data);

/** After sim_scsi_force: the sense data, if there are any, name the block in error. */
void sim_scsi_force_block(struct sim_scsi_result *rs, uint64_t lba);

/** Fixed-format sense data: response code 0x70, key, asc, ascq. */
void sim_scsi_sense(uint8_t sense[SIM_SCSI_SENSE_BYTES], uint8_t key, uint8_t asc, uint8_t ascq);

/** LUN reset: unit attention 29/00 on every port of the LUN. Ending its commands is up to
 * the model. */
void sim_scsi_lun_reset(struct sim_scsi *t, unsigned lun);

/** An initiator logs in through a port: unit attention 29/00 there on every LUN. */
void sim_scsi_login(struct sim_scsi *t, unsigned port);

/** Target power-on: unit attention 29/00, and no other, on every LUN and port. */
void sim_scsi_power_on(struct sim_scsi *t);

/** Makes a unit attention pending on the ports of `port_mask`. */
void sim_scsi_set_unit_attention(struct sim_scsi *t, unsigned lun, unsigned port_mask,
                                 enum sim_scsi_ua ua);

/** Changes the capacity of a LUN and makes 2A/09 pending on all ports; other targets of the same
 * media notice it at their next command. Returns as sim_media_set_size. */
HAL_MUST_CHECK int sim_scsi_set_size(struct sim_scsi *t, unsigned lun, uint64_t blocks);

/** Makes a LUN that can be seen through the ports of its descriptor, and 3F/0E pending on all
 * others. Returns as sim_media_add_lun. */
HAL_MUST_CHECK int sim_scsi_add_lun(struct sim_scsi *t, const struct sim_media_lun *descriptor,
                                    unsigned *lun);

/** Takes a LUN with its data away and makes 3F/0E pending on the others. Ending its commands first
 * is up to the model. Returns as sim_media_remove_lun. */
HAL_MUST_CHECK int sim_scsi_remove_lun(struct sim_scsi *t, unsigned lun);

/** Changes where a LUN can be seen: 0 takes it away. No unit attention by itself. */
void sim_scsi_set_ports(struct sim_scsi *t, unsigned lun, uint8_t port_mask);

/** Another device behind the same LUN number: changes what INQUIRY says. Media keep their own. */
void sim_scsi_set_wwid(struct sim_scsi *t, unsigned lun, const uint8_t wwid[16]);

#endif
