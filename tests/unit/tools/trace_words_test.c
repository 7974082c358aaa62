/* SPDX-License-Identifier: Apache-2.0 */
/* Records in words. The numbers are those of the interface: codes of SL 18, flags of SL 6.1, bits
 * of SL 2.1 and 16. */
#include "tools/trace_words.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sim/sim_fault.h"
#include "sim/sim_memory.h"

#define REGION(n, offset) (UINT64_C(n) << 44 | (offset))

static const char *words(enum sim_event_kind kind, uint32_t who, uint64_t a, uint64_t b)
{
    static char buf[TRACE_WORDS_BYTES];
    struct sim_trace_record r = {.kind = (uint16_t)kind, .who = who, .a = a, .b = b};

    return trace_words(&sim_event_table[kind], &r, buf, sizeof buf);
}

#define EXPECT(text, ...) cr_expect_str_eq(words(__VA_ARGS__), text)

Test(trace_words, addresses_are_those_of_the_model)
{
    cr_assert_eq(SIM_TRACE_OFFSET_BITS, SIM_EA_OFFSET_BITS);
    cr_assert_eq(SIM_TRACE_REGION_UNKNOWN << 44, SIM_EA_UNKNOWN);
}

Test(trace_words, registers)
{
    EXPECT("context 5, host[5].intr_mask = 0x1f", SIM_EVENT_MMIO_WRITE, 5, 0x50018, 0x1F);
    EXPECT("context 5, host[5].rrq_start = region 2 + 0x80", SIM_EVENT_MMIO_WRITE, 5, 0x50028,
           REGION(2, 0x80));
    EXPECT("context 5, host[5].rrq_start = 0x80", SIM_EVENT_MMIO_READ, 5, 0x50028, 0x80);
}

Test(trace_words, addresses)
{
    EXPECT("context 5, address region 1 + 0x80, room 15", SIM_EVENT_DOORBELL, 5, REGION(1, 0x80),
           15);
    EXPECT("slot 3, context 5, address outside of all regions (7)", SIM_EVENT_FETCH, 3, 5,
           REGION(0xFFFFF, 7));
    EXPECT("slot 3, address region 0 + 0x0, bytes 4096", SIM_EVENT_DATA, 3, 0, 4096);
    EXPECT("slot 3, context 5, element region 1 + 0x80, toggle 1", SIM_EVENT_RRQ, 3, 5,
           REGION(1, 0x81));
    EXPECT("address region 4 + 0x10, value 0xff", SIM_EVENT_TABLE_STORE, 0, REGION(4, 0x10), 0xFF);
}

Test(trace_words, requests)
{
    EXPECT("slot 3, from the device or no data, handle 2, lba 64", SIM_EVENT_DECODE, 3,
           UINT64_C(0x8000) << 32 | 2, 64);
    EXPECT("slot 3, to the device, ports 0x3, underrun allowed, lba 64", SIM_EVENT_DECODE, 3,
           UINT64_C(0x4001) << 32 | 3, 64);
    EXPECT("slot 3, AFU command, ports 0x0, cdb[2..9] 0x10", SIM_EVENT_DECODE, 3,
           UINT64_C(0x0002) << 32, 16);
    EXPECT("slot 3, task management, ports 0x1, cdb[2..9] 0x0", SIM_EVENT_DECODE, 3,
           UINT64_C(0x0004) << 32 | 1, 0);
    EXPECT("slot 3, port 1, opcode 0x88 READ(16)", SIM_EVENT_PORT_START, 3, 1, 0x88);
    EXPECT("slot 3, port 1, opcode 0xff unknown", SIM_EVENT_PORT_START, 3, 1, 0xFF);
    EXPECT("slot 3, handle 2, RHT entry", SIM_EVENT_XLT_MISS, 3, 2, UINT64_MAX);
    EXPECT("slot 3, handle 2, LXT entry 9", SIM_EVENT_XLT_MISS, 3, 2, 9);
    EXPECT("slot 3, 0xc0 SYNC, mode 1 HW", SIM_EVENT_AFU_CMD, 3, 0xC0, 1);
    EXPECT("slot 3, task management 0x1 LUN reset", SIM_EVENT_AFU_CMD, 3, 1, 0xFF);
}

Test(trace_words, status)
{
    EXPECT("slot 3, ioasc 0x00000000 good, resid 0", SIM_EVENT_IOASA, 3, 0, 0);
    EXPECT("slot 3, ioasc 0x00050000 afu_rc RHT_RW_PERM, resid 0", SIM_EVENT_IOASA, 3, 0x050000, 0);
    EXPECT("slot 3, ioasc 0x90000200 scsi_rc CHECK_CONDITION, sense data, underrun, resid 512",
           SIM_EVENT_IOASA, 3, 0x90000200, 512);
    EXPECT("slot 3, ioasc 0x00000057 fc_rc LINKDOWN, resid 0", SIM_EVENT_IOASA, 3, 0x57, 0);
    EXPECT("slot 3, lun 1, status 0x08 BUSY", SIM_EVENT_MEDIA_DONE, 3, 1, 8);
}

Test(trace_words, interrupts_and_states)
{
    EXPECT("context 5, lisn 2 RRQ, pending 0x4", SIM_EVENT_INTERRUPT, 5, 2, 4);
    EXPECT("context 5, bits 0x12 PERM_ERR_RRQ_WRITE PERM_ERR_CMDROOM, status 0x13",
           SIM_EVENT_INTR_STATUS, 5, 0x12, 0x13);
    EXPECT("bits 0x102 port 0 LINK_UP port 1 LINK_DN, status 0x102", SIM_EVENT_AINTR_STATUS, 0,
           0x102, 0x102);
    EXPECT("context 5, master, interrupts 4", SIM_EVENT_CTX_START, 5, 1, 4);
    EXPECT("context 5, user, interrupts 4", SIM_EVENT_CTX_START, 5, 0, 4);
    EXPECT("context 5, aborted 2", SIM_EVENT_CTX_END, 5, 2, 0);
    EXPECT("context 5, begins", SIM_EVENT_CTX_RESET, 5, 1, 0);
    EXPECT("context 5, is over, aborted 2", SIM_EVENT_CTX_RESET, 5, 0, 2);
    EXPECT("begins", SIM_EVENT_AFU_RESET, 0, 1, 0);
    EXPECT("slot freezes, slot frozen", SIM_EVENT_PLATFORM, 0, 0, 1);
    EXPECT("slot reset is over, slot up", SIM_EVENT_PLATFORM, 0, 2, 0);
    EXPECT("card is pulled, slot dead", SIM_EVENT_PLATFORM, 0, 6, 2);
    EXPECT("8, slot 3", SIM_EVENT_PLATFORM, 0, 8, 3);
    EXPECT("port 1, going up", SIM_EVENT_LINK, 1, 3, 0);
    EXPECT("port 1, state 9", SIM_EVENT_LINK, 1, 9, 0);
    EXPECT("context 5, handle 2, entries 7", SIM_EVENT_XLT_DROP, 5, 2, 7);
    EXPECT("all contexts, all handles, entries 7", SIM_EVENT_XLT_DROP, 0xFFFF, UINT64_MAX, 7);
}

Test(trace_words, faults)
{
    cr_expect_str_eq(words(SIM_EVENT_FAULT, SIM_SITE_RRQ, 'd', 17), "rrq#17=d, RRQ element write");
    EXPECT("?#18=?", SIM_EVENT_FAULT, 999, 0x1B, 18);
}

Test(trace_words, kinds_of_another_build_are_told_by_their_names)
{
    const struct sim_event_info info = {"new", "core", "slot", "address", "bits"};
    struct sim_trace_record r = {.kind = SIM_EVENT_COUNT + 3, .who = 1, .a = REGION(1, 2), .b = 16};
    char buf[TRACE_WORDS_BYTES], small[8];

    cr_assert_str_eq(trace_words(&info, &r, buf, sizeof buf),
                     "slot 1, address region 1 + 0x2, bits 0x10");
    cr_assert_str_eq(trace_words(&info, &r, small, sizeof small), "slot 1,");
}

Test(trace_words, nothing_is_cut_and_all_is_printable)
{
    for (unsigned k = 0; k < SIM_EVENT_COUNT; k++) {
        const char *text = words((enum sim_event_kind)k, UINT32_MAX, UINT64_MAX, UINT64_MAX);

        cr_assert_lt(strlen(text), TRACE_WORDS_BYTES - 1, "%s", text);
        for (; *text; text++)
            cr_assert(*text >= ' ' && *text <= '~');
    }
}
