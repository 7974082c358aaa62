/* SPDX-License-Identifier: Apache-2.0 */
/* Fault injection by registers (SL 17.4). */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_inject, .init = up_flashsystem, .fini = down);

#define ONCE 0x80010000u
#define ALWAYS 0x80030000u
#define TYPE(n) ((n) << 20)

static void inject(uint64_t what, uint64_t data)
{
    set_port_reg(0, AFU_FC_ERRINJ, what);
    set_port_reg(0, AFU_FC_ERRINJ_DATA, data);
}

static void expect_sense(unsigned slot, uint8_t key, uint8_t asc)
{
    const struct afu_ioasa *s = &user.pair[slot].ioasa;

    cr_assert_eq(s->rc.scsi_rc, 2);
    cr_assert_eq(s->sense_data[2], key);
    cr_assert_eq(s->sense_data[12], asc);
}

/* VALID, and the block in question (SPC, SBC). */
static bool names_block(unsigned slot, uint32_t lba)
{
    const uint8_t *sense = user.pair[slot].ioasa.sense_data;

    return sense[0] == 0xF0 && hal_be32_at(sense + 3) == lba;
}

/* Only a read that touches the block, once. */
Test(sim_inject, read_lba_error)
{
    inject(ONCE | TYPE(2), 7);
    cr_assert_eq(transfer(0, false, 3, 4), 0);
    cr_assert_eq(transfer(0, true, 7, 1), 0);
    cr_assert_eq(transfer(0, false, 8, 4), 0);
    cr_assert_eq(transfer(0, false, 5, 3), 0x020000);
    expect_sense(0, 3, 0x11);
    cr_assert(names_block(0, 7), "the block that is bad, not the first of the command");
    cr_assert_eq(transfer(0, false, 5, 3), 0);
    PROVES(SL_17_4);
}

/* A write that fails changes nothing; a permanent injection stays until it is cleared. */
Test(sim_inject, write_lba_error)
{
    uint64_t before = sim_media_counters(m->media, 0)->blocks_written;

    inject(ALWAYS | TYPE(1), 2);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(transfer(0, true, 2, 1), 0x020000);
        expect_sense(0, 3, 0x0C);
    }
    cr_assert_eq(sim_media_counters(m->media, 0)->blocks_written, before);
    inject(0, 0);
    cr_assert_eq(transfer(0, true, 2, 1), 0);
    PROVES(SL_17_4);
}

/* [63:32] is the status that the device returns. */
Test(sim_inject, chosen_status)
{
    static const struct {
        uint64_t nvme;
        uint8_t key, asc;
    } rows[] = {{0x281, 3, 0x11}, {0x280, 3, 0x0C}, {0x080, 5, 0x21}, {0x006, 4, 0x44}};

    for (unsigned i = 0; i < 4; i++) {
        inject(ONCE | TYPE(2), rows[i].nvme << 32 | 1);
        cr_assert_eq(transfer(0, false, 1, 1), 0x020000);
        expect_sense(0, rows[i].key, rows[i].asc);
        cr_assert_eq(names_block(0, 1), rows[i].key != 4, "a failure of the target has no block");
    }
}

/* [15:0]: so many commands of the kind pass before. Types 3 and 4 damage the data silently. */
Test(sim_inject, bad_data_after_an_interval)
{
    memset(m->buffer, 0x5A, 4096);
    cr_assert_eq(transfer(0, true, 0, 1), 0);
    inject(ONCE | TYPE(4) | 2, 0);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(transfer(0, false, 0, 1), 0);
        cr_assert_eq(m->buffer[0] != 0x5A, i == 2, "read %u", i);
    }
    inject(ONCE | TYPE(3), 0);
    memset(m->buffer, 0x5A, 4096);
    cr_assert_eq(transfer(0, true, 0, 1), 0);
    cr_assert_eq(m->buffer[0], 0x5A);
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    cr_assert_neq(m->buffer[0], 0x5A);
    PROVES(SL_17_4);
}

Test(sim_inject, permanent_with_an_interval)
{
    inject(ALWAYS | TYPE(7) | 1, 0);
    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(transfer(0, false, 0, 1), i % 2 ? 0x3100 : 0, "read %u", i);
}

/* DMA errors: afu_rc 0x31 with the data error of the PSL. */
Test(sim_inject, dma_errors)
{
    inject(ONCE | TYPE(8), 0);
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    cr_assert_eq(transfer(0, true, 0, 1), 0x3100);
    cr_assert_eq(user.pair[0].ioasa.afu_extra, 3);
    cr_assert_eq(transfer(0, true, 0, 1), 0);
    inject(ONCE | TYPE(7), 0);
    cr_assert_eq(transfer(0, true, 0, 1), 0);
    cr_assert_eq(transfer(0, false, 0, 1), 0x3100);
    PROVES(SL_17_4);
}

Test(sim_inject, needs_enable_and_arm)
{
    inject((ONCE | TYPE(7)) & 0x7FFFFFFF, 0);
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    inject(0x80000000u | TYPE(7), 0);
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    set_port_reg(0, AFU_FC_ERRINJ, ONCE | TYPE(7)); /* armed by the write of the data only */
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    set_port_reg(1, AFU_FC_ERRINJ, ONCE | TYPE(7)); /* another port */
    set_port_reg(1, AFU_FC_ERRINJ_DATA, 0);
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    cr_assert_eq(port_reg(1, AFU_FC_ERRINJ), ONCE | TYPE(7));
}

/* SL 17.4: the four writes of the tool; the next write finds the parity wrong. */
Test(sim_inject, parity_error_on_write)
{
    set_port_reg(0, AFU_FC_ERRMSK, 0);
    set_port_reg(0, AFU_FC_PE_ERRINJ_DATA, 0);
    set_port_reg(0, AFU_FC_PE_ERRINJ, 0);
    set_port_reg(0, AFU_FC_PE_ERRINJ_DATA, 0x100400);
    set_port_reg(0, AFU_FC_PE_ERRINJ, 1);
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    cr_assert_eq(transfer(0, true, 0, 1), 0x55);
    cr_assert_eq(take_events(), 0x8000);
    cr_assert_neq(port_reg(0, AFU_FC_ERROR) & 0xFFF00000, 0);
    cr_assert_eq(transfer(0, true, 0, 1), 0);
    PROVES(SL_17_4);
}
