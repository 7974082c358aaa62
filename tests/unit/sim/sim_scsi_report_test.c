/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands that report on the target, with the bytes that SPC and SBC give. */
#include "tests/unit/sim/sim_scsi_fixture.h"

TestSuite(sim_scsi_report, .init = setup, .fini = teardown);

Test(sim_scsi_report, test_unit_ready)
{
    struct command c = COMMAND(CDB(0x00));

    run(&c);
    cr_assert(good(&c, 0));
    cr_assert_eq(c.rs.kind, SIM_SCSI_NO_DATA);
    cr_assert_eq(c.rs.medium, SIM_SCSI_MEDIUM_NONE);
}

Test(sim_scsi_report, report_luns)
{
    static const uint8_t both[24] = {0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0,
                                     0, 0, 0, 0,  0, 1, 0, 0, 0, 0, 0, 0};
    struct command c =
        COMMAND(.port = 1, .data_len = 512, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0));

    run(&c);
    cr_assert(good(&c, 24));
    cr_assert_arr_eq(buffer, both, 24);
    c.rq.port = 0;
    run(&c);
    cr_assert(good(&c, 16));
    cr_assert_eq(buffer[3], 8, "LUN 1 is on port 1 only");
    c.rq.cdb[2] = 1;
    run(&c);
    cr_assert(good(&c, 8));
    cr_assert_eq(buffer[3], 0, "no well-known LUNs");
    c.rq.cdb[2] = 3;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00));
    c = COMMAND(.data_len = 15, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 15, 0, 0));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "allocation length below 16");
    c = COMMAND(.lun_id = LUN1, .data_len = 16, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x25, 0x00));
}

Test(sim_scsi_report, report_luns_works_without_lun_0)
{
    struct command c = COMMAND(.port = 1, .data_len = 64, CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64));

    sim_scsi_set_ports(&t, 0, 0);
    run(&c);
    cr_assert(good(&c, 16));
    cr_assert_eq(buffer[9], 1);
    c = COMMAND(CDB(0x00));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x25, 0x00));
}

Test(sim_scsi_report, read_capacity_10)
{
    struct command c = COMMAND(.data_len = 8, CDB(0x25));

    run(&c);
    cr_assert(good(&c, 8));
    cr_assert_arr_eq(buffer, "\0\0\x03\xE7\0\0\x10\0", 8);
    cr_assert_eq(sim_scsi_set_size(&t, 0, UINT64_C(0x100000001)), 0);
    sim_scsi_begin(&t, &c.rq, &c.rs); /* takes the unit attention */
    run(&c);
    cr_assert(good(&c, 8));
    cr_assert_arr_eq(buffer, "\xFF\xFF\xFF\xFF\0\0\x10\0", 8, "more than 32 bits");
    c.rq.data_len = 4;
    run(&c);
    cr_assert(checked(&c, 5, 0x24, 0x00));
    cr_assert(c.rs.overrun && c.rs.residual == 4, "it always sends 8 bytes");
    c = COMMAND(.data_len = 8, CDB(0x25, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "an LBA");
    c = COMMAND(.data_len = 8, CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 1));
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "PMI");
}

Test(sim_scsi_report, read_capacity_16)
{
    static const uint8_t want[32] = {0, 0, 0, 0, 0, 0, 0x03, 0xE7, 0, 0, 0x10, 0, 0, 0, 0xC0};
    struct command c =
        COMMAND(.data_len = 4096, CDB(0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0));

    run(&c);
    cr_assert(good(&c, 32), "4096 bytes asked for: an underrun of 4064");
    cr_assert_eq(c.rs.residual, 4064);
    cr_assert_arr_eq(buffer, want, 32);
    t.lbprz = false;
    run(&c);
    cr_assert_eq(buffer[14], 0x80);
    t.lbpme = false;
    run(&c);
    cr_assert_eq(buffer[14], 0x00);
    c.rq.lun_id = LUN1;
    c.rq.port = 1;
    run(&c);
    cr_assert_arr_eq(buffer, "\0\0\0\0\0\0\x13\x87\0\0\x02\0", 12);
    c.rq.cdb[1] = 0x11;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "another action");
    c.rq.cdb[1] = 0x10;
    c.rq.cdb[9] = 1;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "an LBA");
    c.rq.cdb[9] = 0;
    c.rq.cdb[14] = 1;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "PMI");
}

Test(sim_scsi_report, request_sense)
{
    static const uint8_t none[18] = {0x70, 0, 0, 0, 0, 0, 0, 0x0A};
    static const uint8_t no_lun[18] = {0x70, 0, 5, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0x25};
    struct command c = COMMAND(.data_len = 252, CDB(0x03, 0, 0, 0, 252));

    run(&c);
    cr_assert(good(&c, 18));
    cr_assert_arr_eq(buffer, none, 18);
    c.rq.lun_id = 99;
    run(&c);
    cr_assert(good(&c, 18));
    cr_assert_arr_eq(buffer, no_lun, 18);
    c.rq.cdb[1] = 1;
    run(&c);
    cr_assert(checked_all_residual(&c, 5, 0x24, 0x00), "descriptor format");
}
