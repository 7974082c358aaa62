/* SPDX-License-Identifier: Apache-2.0 */
/* Internal LUN modes (SL 19, MD-16, R-25; decision 0004). */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_internal, .init = up_flashsystem, .fini = down);

static void set_global(uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + reg, value);
}

/* An AFU reset and what a bring-up then writes for a mode 0..4 (AD-49d, AD-49e). */
static void reset_into(unsigned mode)
{
    uint64_t done = 0;

    if (user.sim)
        model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    model_run(m, 250000);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    set_global(AFU_GLOBAL_AFU_CTRL, afu_ctrl(m->master.handle, 3, mode > 0));
    set_port_reg(0, AFU_FC_CONFIG2, mode ? (uint64_t)(mode - 1) << 32 : 0);
}

/* A SCSI command of the master by port mask and LUN id; returns afu_rc << 24 | key << 16 | asc << 8
 * | fc_rc. */
static uint32_t scsi(unsigned ports, uint64_t lun_id, uint8_t opcode, uint64_t lba, uint32_t blocks,
                     uint32_t bytes)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);
    const struct afu_ioasa *s = &m->master.pair[0].ioasa;

    r->req_flags = xe16_of(m->master.order, 0x4000 | (opcode == 0x8A));
    r->port_sel = xe32_of(m->master.order, ports);
    r->lun_id = xe64_of(m->master.order, lun_id);
    r->data_len = xe32_of(m->master.order, bytes);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)m->buffer);
    r->cdb[0] = opcode;
    if (opcode == 0x9E)
        r->cdb[1] = 0x10;
    else
        hal_be64_put(r->cdb + 2, lba);
    hal_be32_put(r->cdb + 10, blocks);
    cr_assert(model_issue(m, &m->master, 0, 10000000));
    return (uint32_t)s->rc.afu_rc << 24 | s->rc.fc_rc |
           (s->rc.scsi_rc ? (uint32_t)s->sense_data[2] << 16 | (uint32_t)s->sense_data[12] << 8
                          : 0);
}

#define LUN1 (UINT64_C(1) << 48)
#define READ 0x88
#define WRITE 0x8A

/* READ CAPACITY(16) of a LUN: last block and block size, 0 when there is no such LUN. */
static uint64_t capacity(uint64_t lun_id, uint32_t *block_size)
{
    if (scsi(1, lun_id, 0x9E, 0, 32, 32))
        return 0;
    *block_size = hal_be32_at(m->buffer + 8);
    return hal_be64_at(m->buffer) + 1;
}

/* The table of SL 19; 64 KiB of bytes in all. */
Test(sim_internal, the_four_modes)
{
    static const struct {
        uint32_t luns, block_size;
        uint64_t blocks;
    } rows[] = {{1, 512, 128}, {1, 4096, 16}, {2, 512, 64}, {2, 4096, 8}};

    for (unsigned mode = 1; mode <= 4; mode++) {
        uint32_t size = 0;

        reset_into(mode);
        cr_assert_eq(capacity(0, &size), rows[mode - 1].blocks);
        cr_assert_eq(size, rows[mode - 1].block_size);
        cr_assert_eq(capacity(LUN1, &size), rows[mode - 1].luns == 2 ? rows[mode - 1].blocks : 0);
        cr_assert_eq(size, rows[mode - 1].block_size);
        cr_assert_eq(capacity(2 * LUN1, &size), 0);
    }
    PROVES(MD_16);
    PROVES(R_25);
    PROVES(SL_19);
}

Test(sim_internal, whole_disk_there_and_back)
{
    for (unsigned mode = 1; mode <= 4; mode++) {
        unsigned luns = mode > 2 ? 2 : 1;
        uint32_t size = mode % 2 ? 512 : 4096, bytes = 65536 / luns;

        reset_into(mode);
        for (unsigned lun = 0; lun < luns; lun++) {
            memset(m->buffer, 0xEE, bytes);
            cr_assert_eq(scsi(1, lun * LUN1, READ, 0, bytes / size, bytes), 0);
            cr_assert(!m->buffer[0] && !m->buffer[bytes - 1], "a new mode begins with zeros");
            memset(m->buffer, (int)(0x30 + lun), bytes);
            cr_assert_eq(scsi(1, lun * LUN1, WRITE, 0, bytes / size, bytes), 0);
            cr_assert_eq(scsi(1, lun * LUN1, WRITE, bytes / size, 1, size), 0x052100);
        }
        for (unsigned lun = 0; lun < luns; lun++) {
            cr_assert_eq(scsi(1, lun * LUN1, READ, 0, bytes / size, bytes), 0);
            for (uint32_t i = 0; i < bytes; i++)
                cr_assert_eq(m->buffer[i], 0x30 + lun);
        }
    }
    cr_assert_eq(sim_media_counters(m->media, 0)->blocks_written, 0,
                 "the external disk was written");
}

/* An AFU reset keeps the data in the same mode; the external disk comes back as it was. */
Test(sim_internal, resets)
{
    uint32_t size = 0;

    memset(m->buffer, 0x11, 4096);
    cr_assert_eq(transfer(0, true, 0, 1), 0); /* external */
    reset_into(2);
    memset(m->buffer, 0x22, 4096);
    cr_assert_eq(scsi(1, 0, WRITE, 0, 1, 4096), 0);
    reset_into(2);
    m->buffer[0] = 0;
    cr_assert_eq(scsi(1, 0, READ, 0, 1, 4096), 0);
    cr_assert_eq(m->buffer[0], 0x22);
    reset_into(0);
    cr_assert_eq(scsi(1, 0, READ, 0, 1, 4096), 0);
    cr_assert_eq(m->buffer[0], 0x11);
    cr_assert_eq(capacity(0, &size), 4 * 65536 + 100);
}

/* Only port 0, and without a link. */
Test(sim_internal, port_0_without_a_link)
{
    reset_into(1);
    cr_assert_eq(scsi(2, 0, READ, 0, 1, 512), 0x20000000);
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(scsi(1, 0, READ, 0, 1, 512), 0);
    cr_assert_eq(port_reg(0, AFU_FC_TX_FRM_CNT), 0);
    cr_assert_eq(port_reg(0, AFU_FC_RX_FRM_CNT), 0);
    set_port_reg(0, AFU_FC_CONFIG2, AFU_FC_CONFIG2_SHUTDOWN_NORMAL);
    cr_assert_eq(scsi(1, 0, READ, 0, 1, 512), 0x20000000);
}

/* Until the first command the registers may change; afterwards that is a violation without effect.
 */
Test(sim_internal, fixed_by_the_first_command)
{
    uint64_t before;
    uint32_t size = 0;

    reset_into(3);
    set_port_reg(0, AFU_FC_CONFIG2, UINT64_C(1) << 32);
    before = violations();
    cr_assert_eq(capacity(0, &size), 16);
    set_port_reg(0, AFU_FC_CONFIG2, UINT64_C(2) << 32);
    cr_assert_eq(violations(), before + 1);
    set_global(AFU_GLOBAL_AFU_CTRL, 0);
    cr_assert_eq(violations(), before + 2);
    cr_assert_eq(capacity(0, &size), 16);
    cr_assert_eq(capacity(LUN1, &size), 0);
    set_global(AFU_GLOBAL_AFU_CTRL, afu_ctrl(m->master.handle, 3, true));
    set_port_reg(0, AFU_FC_CONFIG2, UINT64_C(1) << 32); /* as it is */
    model_expect_violations(m, SIM_RULE_LUN_MODE, 3);
}

/* Ordinary runs write both registers too, without a violation. */
Test(sim_internal, external_mode_is_quiet)
{
    uint64_t before = violations();

    reset_into(0);
    cr_assert_eq(scsi(1, 0, READ, 0, 1, 4096), 0);
    set_global(AFU_GLOBAL_AFU_CTRL, afu_ctrl(m->master.handle, 3, false));
    set_port_reg(0, AFU_FC_CONFIG2, 0);
    set_port_reg(0, AFU_FC_CONFIG2, UINT64_C(3) << 32); /* without afu_ctrl[0] it selects nothing */
    cr_assert_eq(violations(), before);
}

/* The master goes and comes: afu_ctrl is zeroed by the AFU, the mode stays. */
Test(sim_internal, survives_the_context_in_afu_ctrl)
{
    uint64_t before;
    uint32_t size = 0;

    reset_into(2);
    cr_assert_eq(capacity(0, &size), 16);
    before = violations();
    model_ctx_end(m, &m->master);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    cr_assert_eq(global_reg(AFU_GLOBAL_AFU_CTRL), 0);
    cr_assert_eq(capacity(0, &size), 16);
    cr_assert_eq(violations(), before);
}

/* No provisioning behind a port that leads nowhere. */
Test(sim_internal, no_provisioning)
{
    struct afu_ioarcb *r;

    sim_afu_params_mutable(m->afu)->interface_version |= UINT64_C(1) << 59;
    reset_into(1);
    r = model_ioarcb(&m->master, 20);
    r->req_flags = xe16_of(m->master.order, 0x0002);
    r->cdb[0] = 0xD0;
    r->cdb[15] = 1;
    cr_assert(model_issue(m, &m->master, 20, 10000000));
    cr_assert_eq(m->master.pair[20].ioasa.rc.scsi_rc, 2);
}

/* 75 doorbell, 8, 220 fetch, 16, 4, 25, 250 frame, 250 memory, no link, 40 + 150 data, 16, 150,
 * 150. */
Test(sim_internal, takes_no_link_time)
{
    uint64_t begin;

    reset_into(1);
    cr_assert_eq(scsi(1, 0, READ, 0, 1, 512), 0);
    begin = m->machine->engine.now;
    cr_assert_eq(scsi(1, 0, READ, 0, 1, 512), 0);
    cr_assert_eq(m->machine->engine.now - begin,
                 75 + 8 + 220 + 16 + 4 + 25 + 250 + 250 + 40 + 150 + 16 + 150 + 150);
}
