/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a trace record as an engineer would say them. */
#ifndef TOOLS_TRACE_WORDS_H
#define TOOLS_TRACE_WORDS_H

#include <stddef.h>

#include "sim/sim_trace.h"

/** Bytes that hold the words of every record. */
#define TRACE_WORDS_BYTES 768

/** Writes the fields of a record into buf (cut to `size` bytes): "slot 3, context 5, address region
 * 1 + 0x80". Codes stand by name, registers too, addresses as region and offset. `info` names the
 * fields; a kind from SIM_EVENT_COUNT on, of a file of another build, is told by those names alone.
 * Returns buf. */
const char *trace_words(const struct sim_event_info *info, const struct sim_trace_record *r,
                        char *buf, size_t size);

/** Name of a SCSI operation code: "READ(16)"; "unknown" when it has none here. */
const char *trace_opcode_name(uint8_t opcode);

#endif
