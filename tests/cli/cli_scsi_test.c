/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe scsi: one command, by hand. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/cli/cli_fixture.h"
#include "tests/testlib/proves.h"

TestSuite(scsi, .init = cli_begin, .fini = cli_end);

static void fails_with(const char *line, const char *text)
{
    struct cli_result r = cli(line);

    cr_assert_eq(r.code, 1, "%s", line);
    cr_assert_str_eq(r.err, "");
    cr_assert_str_eq(r.out, text);
}

Test(scsi, inquiry)
{
    const char *text =
        "status 00 GOOD, host byte 00 ok\n"
        "residual 0 of 36 bytes\n"
        "00000000  00 00 06 12 1f 00 10 02 53 55 50 52 50 49 50 45  |........SUPRPIPE|\n"
        "00000010  53 49 4d 20 46 4c 41 53 48 20 20 20 20 20 20 20  |SIM FLASH       |\n"
        "00000020  30 30 30 31                                      |0001|\n";

    cli_says("scsi 0 12 00 00 00 24 --in 36", text);
    cli_says("scsi 1 1200000024 --in 36 --port 1", text);
    cli_says("scsi 0 0x12 0x00 0000 0x24 --in 36 --param ports=1", text);
    PROVES(AD_66);
}

Test(scsi, sense)
{
    fails_with("scsi 0 fa", "status 02 CHECK CONDITION, host byte 00 ok\n"
                            "sense 5/20/00: illegal request, invalid command operation code\n"
                            "flags 80, afu_rc 00, scsi_rc 02, fc_rc 00, afu_extra 00\n");
    PROVES(AD_103);
}

/* The data lie where they were written, and in the media file for the next process. */
Test(scsi, data_out)
{
    struct cli_result r;

    cli_good("vlun create a --size 1 --media m --lun-size 1G");
    cli_random_file("block", 4096, 1);
    cli_says("scsi 1 8a 00 0000000000000007 00000001 --out block --media m",
             "status 00 GOOD, host byte 00 ok\n"
             "residual 0 of 4096 bytes\n");
    r = cli("scsi 1 88 00 0000000000000007 00000001 --in 4k --media m --json");
    cr_assert_eq(r.code, 0);
    {
        const uint8_t *block = (const uint8_t *)cli_read("block");
        const char *data = strstr(r.out, "\"data\":\t\"");
        char hex[3];

        cr_assert_not_null(data);
        for (unsigned i = 0; i < 4096; i++) {
            snprintf(hex, sizeof hex, "%02x", block[i]);
            cr_assert_eq(strncmp(data + 9 + 2 * (size_t)i, hex, 2), 0, "byte %u", i);
        }
    }
    cr_assert_eq(cli_json_number(r.out, "result"), 0);
}

Test(scsi, lun_reset)
{
    cli_says("scsi 1 --reset-lun", "LUN 1 was reset\n");
    fails_with("scsi 1 00 --reset-lun",
               "LUN 1 was reset\n"
               "status 02 CHECK CONDITION, host byte 00 ok\n"
               "sense 6/29/00: unit attention, power on, reset, or bus device reset occurred\n"
               "flags 80, afu_rc 00, scsi_rc 02, fc_rc 00, afu_extra 00\n");
    cr_assert(strstr(cli("scsi 1 --reset-lun --json").out, "\"lun_reset\":\ttrue"));
    PROVES(AD_113);
}

Test(scsi, refused)
{
    cli_fails(1, "scsi 5 00", "there is no LUN 5");
    cli_fails(1, "scsi 0 00 --port 3", "LUN 0 is not behind that port");
    cli_fails(1, "scsi 0 00 --out none", "'none' cannot be read");
    cli_random_file("large", 16777217, 1);
    cli_fails(1, "scsi 0 00 --out large", "'large' is too large");
    cli_fails(1, "scsi 0 00 --timeout 1ns", "the command was not answered in time");
    cli_fails(2, "scsi", "an operand is missing: superpipe scsi LUN CDB...");
    cli_fails(2, "scsi 0", "an operand is missing");
    cli_fails(2, "scsi x 00", "'x' is no number of a LUN");
    cli_fails(2, "scsi 0 0", "'0' is no part of a CDB");
    cli_fails(2, "scsi 0 00 000000000000000000000000000000 0000", "at most 16 bytes");
    cli_fails(2, "scsi 0 00 --in 4 --out x", "not both");
    cli_fails(2, "scsi 0 --reset-lun --in 4", "need a CDB");
    cli_fails(2, "scsi 0 00 --in 17M", "from 1 B to 16 MiB");
    PROVES(AD_114);
}
