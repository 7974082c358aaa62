/* SPDX-License-Identifier: Apache-2.0 */
/* Which command a record belongs to, through reused slots, several adapters and every way to end.
 */
#include "tools/command_life.h"

#include <criterion/criterion.h>

static struct command_life life;

static uint64_t on(uint16_t adapter, enum sim_event_kind kind, uint32_t who, uint64_t a)
{
    struct sim_trace_record r = {
        .cycle = 1, .kind = (uint16_t)kind, .adapter = adapter, .who = who, .a = a};

    return command_life_follow(&life, &r);
}

static void expect_state(unsigned adapter, unsigned slot, uint64_t number,
                         enum command_state expected)
{
    cr_assert_eq(command_life_state(&life, adapter, slot, number), expected, "command %u",
                 (unsigned)number);
}

Test(command_life, commands_count_in_order_of_fetch_over_all_adapters)
{
    cr_assert_eq(on(0, SIM_EVENT_FETCH, 3, 5), 1);
    cr_assert_eq(on(1, SIM_EVENT_FETCH, 3, 5), 2);
    cr_assert_eq(on(0, SIM_EVENT_FETCH, 4, 5), 3);
    cr_assert_eq(on(0, SIM_EVENT_DECODE, 3, 0), 1);
    cr_assert_eq(on(1, SIM_EVENT_DECODE, 3, 0), 2);
    cr_assert_eq(on(0, SIM_EVENT_RRQ, 3, 5), 1);
    expect_state(0, 3, 1, COMMAND_STATE_DONE);
    expect_state(1, 3, 2, COMMAND_STATE_RUNNING);
    cr_assert_eq(on(0, SIM_EVENT_FETCH, 3, 5), 4);
    cr_assert_eq(on(0, SIM_EVENT_IOASA, 3, 0), 4);
    cr_assert_eq(life.fetched, 4);
}

Test(command_life, what_is_of_no_command)
{
    cr_assert_eq(on(0, SIM_EVENT_RRQ, 3, 5), 0, "fetched before the trace began");
    cr_assert_eq(on(0, SIM_EVENT_FETCH, 3, 5), 1);
    cr_assert_eq(on(0, SIM_EVENT_MMIO_WRITE, 3, 5), 0, "names a context");
    cr_assert_eq(on(0, SIM_EVENT_LINK, 3, 0), 0, "names a port");
    cr_assert_eq(on(0, SIM_EVENT_COUNT, 3, 0), 0, "of another build");
    cr_assert_eq(on(0, SIM_EVENT_DECODE, COMMAND_LIFE_SLOTS, 0), 0, "no such slot");
    cr_assert_eq(on(SIM_TRACE_ADAPTERS_MAX, SIM_EVENT_DECODE, 3, 0), 0, "no such adapter");
    cr_assert_eq(life.fetched, 1);
}

Test(command_life, a_slot_that_is_used_again_without_an_element_was_dropped)
{
    (void)on(0, SIM_EVENT_FETCH, 3, 5);
    expect_state(0, 3, 1, COMMAND_STATE_RUNNING);
    (void)on(0, SIM_EVENT_FETCH, 3, 5);
    expect_state(0, 3, 1, COMMAND_STATE_DROPPED);
    expect_state(0, 3, 2, COMMAND_STATE_RUNNING);
}

Test(command_life, ends_of_contexts_and_resets_abort)
{
    (void)on(0, SIM_EVENT_FETCH, 0, 5);
    (void)on(0, SIM_EVENT_RRQ, 0, 5);
    (void)on(0, SIM_EVENT_FETCH, 1, 5);
    (void)on(0, SIM_EVENT_FETCH, 2, 6);
    (void)on(0, SIM_EVENT_FETCH, 3, 7);
    (void)on(1, SIM_EVENT_FETCH, 1, 5);
    (void)on(0, SIM_EVENT_CTX_RESET, 5, 1); /* begins */
    expect_state(0, 1, 2, COMMAND_STATE_RUNNING);
    (void)on(0, SIM_EVENT_CTX_RESET, 5, 0);
    expect_state(0, 0, 1, COMMAND_STATE_DONE);
    expect_state(0, 1, 2, COMMAND_STATE_ABORTED);
    expect_state(0, 2, 3, COMMAND_STATE_RUNNING);
    (void)on(0, SIM_EVENT_CTX_END, 6, 1);
    expect_state(0, 2, 3, COMMAND_STATE_ABORTED);
    (void)on(0, SIM_EVENT_AFU_RESET, 0, 1); /* begins */
    expect_state(0, 3, 4, COMMAND_STATE_RUNNING);
    (void)on(0, SIM_EVENT_AFU_RESET, 0, 0);
    expect_state(0, 3, 4, COMMAND_STATE_ABORTED);
    expect_state(1, 1, 5, COMMAND_STATE_RUNNING);
}

/* A context that ends frees places on the medium, and its next command starts there at once. */
Test(command_life, records_after_an_abort_still_belong_to_the_command)
{
    (void)on(0, SIM_EVENT_FETCH, 1, 5);
    (void)on(0, SIM_EVENT_CTX_END, 5, 1);
    cr_assert_eq(on(0, SIM_EVENT_MEDIA_START, 1, 0), 1);
    expect_state(0, 1, 1, COMMAND_STATE_ABORTED);
}

Test(command_life, names_of_states)
{
    cr_assert_str_eq(command_state_name(COMMAND_STATE_RUNNING), "running");
    cr_assert_str_eq(command_state_name(COMMAND_STATE_DROPPED), "dropped");
}

/* ---- doorbells ---- */

static void ring(uint16_t adapter, uint32_t context, uint64_t address, uint64_t cycle)
{
    struct sim_trace_record r = {.cycle = cycle,
                                 .kind = SIM_EVENT_DOORBELL,
                                 .adapter = adapter,
                                 .who = context,
                                 .a = address};

    (void)command_life_follow(&life, &r);
}

static uint64_t bell_of(uint16_t adapter, uint32_t context, uint64_t address)
{
    struct sim_trace_record fetch = {
        .kind = SIM_EVENT_FETCH, .adapter = adapter, .who = 9, .a = context, .b = address};
    const struct sim_trace_record *bell = command_life_bell(&life, &fetch);

    return bell ? bell->cycle : 0;
}

Test(command_life, the_latest_doorbell_of_an_address)
{
    cr_assert_eq(bell_of(0, 5, 0x80), 0);
    ring(0, 5, 0x80, 1);
    ring(0, 6, 0x80, 2);
    ring(1, 5, 0x80, 3);
    ring(0, 5, 0xC0, 4);
    cr_assert_eq(bell_of(0, 5, 0x80), 1);
    ring(0, 5, 0x80, 5);
    cr_assert_eq(bell_of(0, 5, 0x80), 5);
    cr_assert_eq(bell_of(1, 5, 0x80), 3);
    for (unsigned i = 0; i < COMMAND_LIFE_BELLS - 1; i++)
        ring(0, 7, 0, 100);
    cr_assert_eq(bell_of(0, 5, 0x80), 5);
    ring(0, 7, 0, 100);
    cr_assert_eq(bell_of(0, 5, 0x80), 0, "forgotten");
    cr_assert_eq(bell_of(0, 7, 0), 100);
}

/* ---- what else matters ---- */

static bool concerns(enum sim_event_kind kind, uint32_t who)
{
    struct sim_trace_record r = {.kind = (uint16_t)kind, .who = who};

    return command_life_concerns(&r, 0, 5);
}

Test(command_life, records_that_concern_a_context)
{
    struct sim_trace_record other = {.kind = SIM_EVENT_FAULT, .adapter = 1};

    cr_assert(concerns(SIM_EVENT_MMIO_WRITE, 5) && !concerns(SIM_EVENT_MMIO_WRITE, 6));
    cr_assert(concerns(SIM_EVENT_INTERRUPT, 5) && !concerns(SIM_EVENT_INTERRUPT, 6));
    cr_assert(concerns(SIM_EVENT_VIOLATION, 5) && !concerns(SIM_EVENT_VIOLATION, 6));
    cr_assert(concerns(SIM_EVENT_XLT_DROP, 5) && concerns(SIM_EVENT_XLT_DROP, 0xFFFF));
    cr_assert(!concerns(SIM_EVENT_XLT_DROP, 6));
    cr_assert(concerns(SIM_EVENT_FAULT, 16) && concerns(SIM_EVENT_LINK, 1));
    cr_assert(concerns(SIM_EVENT_AFU_RESET, 0) && concerns(SIM_EVENT_AINTR_STATUS, 0));
    cr_assert(!concerns(SIM_EVENT_DOORBELL, 5), "of another command");
    cr_assert(!concerns(SIM_EVENT_DECODE, 5), "of a slot");
    cr_assert(!concerns(SIM_EVENT_TABLE_STORE, 0) && !concerns(SIM_EVENT_SWITCH, 5));
    cr_assert(!concerns(SIM_EVENT_COUNT, 5));
    cr_assert(!command_life_concerns(&other, 0, 5), "another adapter");
}
