/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/scsi_cdb.h"

#include "hal/support/endian.h"

enum {
    INQUIRY_EVPD = 0x01,
    WRITE_SAME_UNMAP = 0x08,
    READ_CAPACITY_16_ACTION = 0x10,
};

/* The layout that all 16-byte block commands share: LBA in bytes 2..9, blocks in 10..13. */
static struct spipe__cdb block_command(uint8_t opcode, uint8_t byte1, uint64_t lba, uint32_t blocks)
{
    struct spipe__cdb cdb = {{opcode, byte1}};

    hal_be64_put(cdb.bytes + 2, lba);
    hal_be32_put(cdb.bytes + 10, blocks);
    return cdb;
}

struct spipe__cdb spipe__cdb_test_unit_ready(void)
{
    return (struct spipe__cdb){{SPIPE__SCSI_TEST_UNIT_READY}};
}

struct spipe__cdb spipe__cdb_request_sense(uint8_t length)
{
    struct spipe__cdb cdb = {{SPIPE__SCSI_REQUEST_SENSE}};

    cdb.bytes[4] = length;
    return cdb;
}

struct spipe__cdb spipe__cdb_inquiry_page(uint8_t page, uint16_t length)
{
    struct spipe__cdb cdb = {{SPIPE__SCSI_INQUIRY, INQUIRY_EVPD, page}};

    hal_be16_put(cdb.bytes + 3, length);
    return cdb;
}

struct spipe__cdb spipe__cdb_read_16(uint64_t lba, uint32_t blocks)
{
    return block_command(SPIPE__SCSI_READ_16, 0, lba, blocks);
}

struct spipe__cdb spipe__cdb_write_16(uint64_t lba, uint32_t blocks)
{
    return block_command(SPIPE__SCSI_WRITE_16, 0, lba, blocks);
}

struct spipe__cdb spipe__cdb_write_same_16(uint64_t lba, uint32_t blocks, bool unmap)
{
    return block_command(SPIPE__SCSI_WRITE_SAME_16, unmap ? WRITE_SAME_UNMAP : 0, lba, blocks);
}

struct spipe__cdb spipe__cdb_synchronize_cache_16(uint64_t lba, uint32_t blocks)
{
    return block_command(SPIPE__SCSI_SYNCHRONIZE_CACHE_16, 0, lba, blocks);
}

struct spipe__cdb spipe__cdb_read_capacity_16(uint32_t length)
{
    return block_command(SPIPE__SCSI_SERVICE_ACTION_IN_16, READ_CAPACITY_16_ACTION, 0, length);
}

struct spipe__cdb spipe__cdb_report_luns(uint32_t length)
{
    struct spipe__cdb cdb = {{SPIPE__SCSI_REPORT_LUNS}};

    hal_be32_put(cdb.bytes + 6, length);
    return cdb;
}
