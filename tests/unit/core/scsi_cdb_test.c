/* SPDX-License-Identifier: Apache-2.0 */
/* Every CDB as literal bytes. */
#include "core/command/scsi_cdb.h"

#include <criterion/criterion.h>

TestSuite(scsi_cdb, .timeout = 10);

#define EXPECT_CDB(cdb, ...)                                                                       \
    do {                                                                                           \
        static const uint8_t wanted_[16] = {__VA_ARGS__};                                          \
        cr_expect_arr_eq((cdb).bytes, wanted_, 16, "%s", #cdb);                                    \
    } while (0)

#define LBA UINT64_C(0x0102030405060708)

Test(scsi_cdb, block_commands)
{
    EXPECT_CDB(spipe__cdb_read_16(LBA, 0x0A0B0C0D), 0x88, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0A, 0x0B,
               0x0C, 0x0D);
    EXPECT_CDB(spipe__cdb_write_16(LBA, 0x0A0B0C0D), 0x8A, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0A, 0x0B,
               0x0C, 0x0D);
    EXPECT_CDB(spipe__cdb_write_same_16(LBA, 512, false), 0x93, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 2,
               0);
    EXPECT_CDB(spipe__cdb_write_same_16(LBA, 512, true), 0x93, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0,
               2, 0);
    EXPECT_CDB(spipe__cdb_synchronize_cache_16(LBA, 0), 0x91, 0, 1, 2, 3, 4, 5, 6, 7, 8);
}

Test(scsi_cdb, other_commands)
{
    EXPECT_CDB(spipe__cdb_test_unit_ready(), 0);
    EXPECT_CDB(spipe__cdb_request_sense(18), 0x03, 0, 0, 0, 18);
    EXPECT_CDB(spipe__cdb_inquiry_page(0x83, 0x1000), 0x12, 0x01, 0x83, 0x10, 0x00);
    EXPECT_CDB(spipe__cdb_report_luns(0x1000), 0xA0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x00);
}

/* SP-101 */
Test(scsi_cdb, read_capacity)
{
    EXPECT_CDB(spipe__cdb_read_capacity_16(4096), 0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
               0x00);
}
