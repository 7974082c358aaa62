/* Names of codes and registers: known ones literally, every other number without a fault. */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/afu_names.h"
#include "hal/afu_regs.h"

struct code {
    const char *is, *should;
};

static void assert_names(const struct code *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_assert_str_eq(rows[i].is, rows[i].should, "row %zu: %s", i, rows[i].is);
}

Test(afu_names, codes)
{
    const struct code rows[] = {
        {afu_rc_name(0x00), "NONE"},
        {afu_rc_name(0x01), "RHT_INVALID"},
        {afu_rc_name(0x13), "LXT_OUT_OF_BOUNDS"},
        {afu_rc_name(0x20), "NO_CHANNELS"},
        {afu_rc_name(0x22), "SYNC_IN_PROGRESS"},
        {afu_rc_name(0x51), "TIMED_OUT"},
        {afu_rc_name(0x06), "unknown"},
        {afu_fc_rc_name(0x57), "LINKDOWN"},
        {afu_fc_rc_name(0x5C), "TGTABORT"},
        {afu_fc_rc_name(0x5D), "unknown"},
        {afu_scsi_rc_name(0x00), "GOOD"},
        {afu_scsi_rc_name(0x02), "CHECK_CONDITION"},
        {afu_scsi_rc_name(0x08), "BUSY"},
        {afu_scsi_rc_name(0xFF), "unknown"},
        {afu_psl_name(0x0A), "PAGED"},
        {afu_psl_name(0x0B), "CONTEXT"},
        {afu_psl_name(0x02), "unknown"},
        {afu_cmd_name(0xC0), "SYNC"},
        {afu_cmd_name(0xD0), "LUN_PROVISION"},
        {afu_cmd_name(0xE0), "DEBUG"},
        {afu_cmd_name(0x88), "unknown"},
        {afu_sync_name(1), "HW"},
        {afu_sync_name(2), "GSYNC"},
        {afu_sync_name(3), "unknown"},
        {afu_aintr_name(0), "LINK_UP"},
        {afu_aintr_name(7), "OTHER"},
        {afu_aintr_name(8), "unknown"},
    };
    assert_names(rows, sizeof rows / sizeof rows[0]);
}

Test(afu_names, every_byte_has_an_answer)
{
    unsigned known = 0;

    for (unsigned i = 0; i < 256; i++) {
        const char *const names[] = {afu_rc_name((uint8_t)i),  afu_fc_rc_name((uint8_t)i),
                                     afu_psl_name((uint8_t)i), afu_scsi_rc_name((uint8_t)i),
                                     afu_cmd_name((uint8_t)i), afu_sync_name((uint8_t)i),
                                     afu_aintr_name(i)};

        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            cr_assert_not_null(names[j]);
            known += strcmp(names[j], AFU_NAME_UNKNOWN) != 0;
        }
    }
    cr_assert_eq(known, 19 + 15 + 9 + 8 + 3 + 3 + 8, "rows of SL 18.1, 18.2, PSL, SAM, 12, 16");
}

static void assert_reg(uint64_t offset, const char *want)
{
    char buf[AFU_REG_NAME_MAX];

    cr_assert_str_eq(afu_reg_name(offset, buf, sizeof buf), want, "0x%lx is %s",
                     (unsigned long)offset, buf);
}

Test(afu_names, registers_of_contexts)
{
    assert_reg(0x30020, "host[3].ioarrin");
    assert_reg(0x0, "host[0].endian_ctrl");
    assert_reg(0x1FF0070, "host[511].sq_ctx_reset");
    assert_reg(0x30078, "host[3]+0x78");
    assert_reg(0x30021, "host[3]+0x21");
    assert_reg(0x2000390, "ctrl[7].ctx_cap");
    assert_reg(0x2000028, "ctrl[0].lisn_pasid[1]");
    assert_reg(0x2000040, "ctrl[0].lisn_ea[2]");
    assert_reg(0x200FFC8, "ctrl[511]+0x48");
}

Test(afu_names, registers_of_the_global_map)
{
    assert_reg(0x2010000, "global.aintr_status");
    assert_reg(0x2010018, "global.afu_ctrl");
    assert_reg(0x2010808, "global.interface_version");
    assert_reg(0x2011028, "global+0x1028");
    assert_reg(0x201A000, "global+0xa000");
    assert_reg(0x2012330, "fc[0].status");
    assert_reg(0x2013010, "fc[1].mtip_cmdconfig");
    assert_reg(0x2016300, "fc[2].pname");
    assert_reg(0x2017580, "fc[3].crc_thresh");
    assert_reg(0x2017FF8, "fc[3]+0xff8");
    assert_reg(0x2014008, "lun_table[0][1]");
    assert_reg(0x20197F8, "lun_table[3][255]");
    assert_reg(0x2015004, "lun_table[1]+0x4");
}

Test(afu_names, registers_behind_the_map)
{
    assert_reg(0x2020000, "reserved+0x0");
    assert_reg(0x2040010, "debug+0x10");
    assert_reg(0x2060700, "fc_debug[0].nvme_status");
    assert_reg(0x20C0708, "fc_debug[3].nvme_version");
    assert_reg(0x2080010, "fc_debug[1]+0x10");
    assert_reg(0x20E0000, "0x20e0000");
    assert_reg(UINT64_MAX, "0xffffffffffffffff");
}

/* No offset overruns the recommended buffer, and no name stands for two registers. */
Test(afu_names, every_offset_has_an_answer)
{
    char buf[AFU_REG_NAME_MAX + 1], last[AFU_REG_NAME_MAX + 1] = "";

    for (uint64_t offset = 0; offset < AFU_MAP_SIZE_FULL_4PORT + 0x1000; offset += 8) {
        if (offset % AFU_HOST_SIZE > 0x2000 && offset < AFU_CTRL_START)
            offset += AFU_HOST_SIZE - offset % AFU_HOST_SIZE; /* the rest is as the start */
        afu_reg_name(offset, buf, sizeof buf);
        cr_assert(buf[0] && strlen(buf) < AFU_REG_NAME_MAX, "0x%lx", (unsigned long)offset);
        cr_assert(strcmp(buf, last) != 0, "0x%lx %s", (unsigned long)offset, buf);
        memcpy(last, buf, sizeof last);
    }
}

Test(afu_names, name_is_cut_to_the_buffer)
{
    char buf[8];

    memset(buf, 'x', sizeof buf);
    cr_assert_str_eq(afu_reg_name(0x30020, buf, 5), "host");
    cr_assert_eq(buf[5], 'x');
    cr_assert_str_eq(afu_reg_name(0x30020, buf, 1), "");
    memset(buf, 'x', sizeof buf);
    cr_assert_eq(afu_reg_name(0x30020, buf, 0), buf);
    cr_assert_eq(buf[0], 'x');
}
