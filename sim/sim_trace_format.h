/* SPDX-License-Identifier: Apache-2.0 */
/* The binary trace file, version 1. Numbers are little endian on every host.
 *
 *   head        struct sim_trace_file_head, then its text, then zeros up to its end:
 *                 for each kind of record: name, track, who, a, b (see sim_events.def)
 *                 for each parameter that differs from its default (TM-20): adapter (2 bytes),
 *                 value (8), default (8), name, unit
 *               Strings are printable ASCII and end with a 0.
 *   records     struct sim_trace_file_record, in order
 *   end mark    the same struct with kind SIM_TRACE_FILE_END: a is the number of records, b their
 *               hash. A file without it was cut.
 *
 * A record holds the running hash of all records up to itself (that of sim_trace.h), so a reader
 * knows the first record that is damaged, and how much of a cut file is sound. */
#ifndef SIM_SIM_TRACE_FORMAT_H
#define SIM_SIM_TRACE_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/endian.h"

#define SIM_TRACE_FILE_MAGIC "SPTRACE\n" /* 8 bytes, without its final 0 */
#define SIM_TRACE_FILE_MAGIC_BYTES 8u
#define SIM_TRACE_FILE_VERSION 1u
#define SIM_TRACE_FILE_ORDER HAL_ORDER_LITTLE
#define SIM_TRACE_FILE_END 0xFFFFu /* as kind */
/* Bytes of a head, at most; 64 adapters with all parameters need 300 KiB. */
#define SIM_TRACE_FILE_HEAD_MAX (1u << 20)
#define SIM_TRACE_FILE_KINDS_MAX 4096u

struct sim_trace_file_head {
    uint8_t magic[SIM_TRACE_FILE_MAGIC_BYTES];
    xe32_t version;
    xe32_t crc;   /* CRC-32C of everything behind it, up to `bytes` */
    xe32_t bytes; /* of the head with its text: where the records begin; a multiple of 8 */
    xe32_t record_bytes;
    xe64_t seed;
    xe16_t adapters, kinds;
    xe32_t differences; /* parameters */
    xe32_t cycle_ns;
    xe32_t reserved; /* 0 */
};

struct sim_trace_file_record {
    xe64_t cycle;
    xe16_t kind, adapter;
    xe32_t who;
    xe64_t a, b;
    xe64_t hash; /* of all records up to this one */
};

static_assert(sizeof(struct sim_trace_file_head) == 48, "no padding");
static_assert(offsetof(struct sim_trace_file_head, crc) == 12, "no padding");
static_assert(sizeof(struct sim_trace_file_record) == 40, "no padding");

/** Where the part of the head begins that its CRC covers. */
#define SIM_TRACE_FILE_CRC_FROM 16u

#endif
