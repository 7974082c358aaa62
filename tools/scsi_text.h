/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI as people read and write it: CDBs in hexadecimal, status bytes and sense data in words. */
#ifndef TOOLS_SCSI_TEXT_H
#define TOOLS_SCSI_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

/** Name of a status byte: "CHECK CONDITION"; "unknown status". */
const char *scsi_text_status(uint8_t status);

/** A sense key in words: "illegal request". */
const char *scsi_text_sense_key(uint8_t key);

/** An additional sense code with its qualifier in words: "invalid field in CDB"; NULL for one that
 * devices of this stack do not report. */
const char *scsi_text_sense_code(uint8_t asc, uint8_t ascq);

/** Appends the bytes of one word, two hexadecimal digits each, with or without "0x" in front, to
 * `bytes`, of which *count are in use and `size` may be. Returns 0; -EINVAL: not of this form;
 * -ENOSPC: too many. */
HAL_MUST_CHECK int scsi_text_bytes(const char *word, uint8_t *bytes, size_t size, size_t *count);

/** Writes bytes to standard output, 16 a line, with offsets and what of them can be printed. */
void scsi_text_dump(const uint8_t *bytes, size_t count);

#endif
