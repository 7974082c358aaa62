/* SPDX-License-Identifier: Apache-2.0 */
/* Builders of the SCSI commands that the stack sends. A CDB is a byte string of 16 bytes in SCSI
 * (big endian) order whatever the host; unused bytes are 0. Pure; shared inside core only. */
#ifndef CORE_SCSI_CDB_H
#define CORE_SCSI_CDB_H

#include <stdbool.h>
#include <stdint.h>

enum { SPIPE__CDB_LENGTH = 16 };

/** Operation codes. */
enum {
    SPIPE__SCSI_TEST_UNIT_READY = 0x00,
    SPIPE__SCSI_REQUEST_SENSE = 0x03,
    SPIPE__SCSI_INQUIRY = 0x12,
    SPIPE__SCSI_READ_16 = 0x88,
    SPIPE__SCSI_WRITE_16 = 0x8A,
    SPIPE__SCSI_SYNCHRONIZE_CACHE_16 = 0x91,
    SPIPE__SCSI_WRITE_SAME_16 = 0x93,
    SPIPE__SCSI_SERVICE_ACTION_IN_16 = 0x9E, /* READ CAPACITY(16) is service action 0x10 of it */
    SPIPE__SCSI_REPORT_LUNS = 0xA0,
};

/** One command, ready to be copied into an IOARCB. */
struct spipe__cdb {
    uint8_t bytes[SPIPE__CDB_LENGTH];
};

/** Does nothing but report the state of the unit. */
struct spipe__cdb spipe__cdb_test_unit_ready(void);

/** Sense data of up to `length` bytes. */
struct spipe__cdb spipe__cdb_request_sense(uint8_t length);

/** One page of vital product data of the unit, up to `length` bytes. */
struct spipe__cdb spipe__cdb_inquiry_page(uint8_t page, uint16_t length);

/** Reads `blocks` blocks from `lba`. */
struct spipe__cdb spipe__cdb_read_16(uint64_t lba, uint32_t blocks);

/** Writes `blocks` blocks from `lba`. */
struct spipe__cdb spipe__cdb_write_16(uint64_t lba, uint32_t blocks);

/** Writes the one block of the data buffer to `blocks` blocks from `lba`; `unmap` lets the device
 * deallocate them instead (R-24 says when that is a safe way to wipe). */
struct spipe__cdb spipe__cdb_write_same_16(uint64_t lba, uint32_t blocks, bool unmap);

/** Forces `blocks` blocks from `lba` to the medium; 0 blocks = all up to the end. */
struct spipe__cdb spipe__cdb_synchronize_cache_16(uint64_t lba, uint32_t blocks);

/** Capacity of the unit, up to `length` bytes (SP-101). */
struct spipe__cdb spipe__cdb_read_capacity_16(uint32_t length);

/** The LUN inventory of the target, up to `length` bytes. */
struct spipe__cdb spipe__cdb_report_luns(uint32_t length);

#endif
