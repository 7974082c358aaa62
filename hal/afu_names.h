/* SPDX-License-Identifier: Apache-2.0 */
/* Names of codes and registers, for messages and traces. Every function takes any number: a code
 * without a name gives AFU_NAME_UNKNOWN, so that messages should print the number as well. */
#ifndef HAL_AFU_NAMES_H
#define HAL_AFU_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define AFU_NAME_UNKNOWN "unknown"

/** Name of an rc.afu_rc byte, for example "RHT_INVALID"; "NONE" for 0 (SL 18.1). */
const char *afu_rc_name(uint8_t code);

/** Name of an rc.fc_rc byte, for example "LINKDOWN"; "NONE" for 0 (SL 18.2). */
const char *afu_fc_rc_name(uint8_t code);

/** Name of an rc.scsi_rc byte, the SCSI status, for example "CHECK_CONDITION" (SL 7, SAM). */
const char *afu_scsi_rc_name(uint8_t code);

/** Name of a PSL code in afu_extra, for example "PAGED" (SL 18.1). */
const char *afu_psl_name(uint8_t code);

/** Name of the first byte of an AFU command, for example "SYNC" (SL 12). */
const char *afu_cmd_name(uint8_t code);

/** Name of the mode of an AFU sync, for example "LW" (SL 12). */
const char *afu_sync_name(uint8_t mode);

/** Name of an event number of an asynchronous interrupt, for example "LINK_UP" (SL 16). */
const char *afu_aintr_name(unsigned event);

/** Bytes that hold every name from afu_reg_name, with its final zero. */
#define AFU_REG_NAME_MAX 40

/** Writes the name of the register at an absolute offset of the map into buf (cut to `size` bytes)
 * and returns buf: "host[3].ioarrin", "ctrl[7].ctx_cap", "global.afu_hb", "fc[0].status",
 * "lun_table[1][200]", "fc_debug[1].nvme_status". What has no name is named after its region, for
 * example "host[3]+0x88"; an offset outside the map is a plain number (SL 1 to 5). */
const char *afu_reg_name(uint64_t offset, char *buf, size_t size);

#endif
