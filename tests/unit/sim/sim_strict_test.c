/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the model itself (TM-1..TM-11, R-46): a planted breach of each is named, and its legal
 * neighbour is not. */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_strict_fixture.h"

TestSuite(sim_strict, .init = up);

/* ---- the bus in closed form -------------------------------------------------------------------
 */

/* A write of so many lines whose first command is ready at `first`. */
static struct sim_strict_transfer lines(uint64_t first, uint32_t n)
{
    return (struct sim_strict_transfer){.ea = 0x10000,
                                        .bytes = n * 128,
                                        .first = first,
                                        .last = first + (n - 1) * 10,
                                        .step = 10,
                                        .latency = 20,
                                        .commands = n,
                                        .credits = 4,
                                        .context = 1,
                                        .slot = (uint16_t)(first % SIM_STRICT_SLOTS),
                                        .direction = 1,
                                        .what = SIM_STRICT_DATA};
}

static void transfer(const struct sim_strict_transfer *t) { sim_strict_transfer(&s, t); }

static void ask(uint64_t first, uint32_t n)
{
    struct sim_strict_transfer t = lines(first, n);

    transfer(&t);
}

Test(sim_strict, commands_come_a_step_apart)
{
    ask(100, 3); /* 100, 110, 120 */
    ask(120, 1); /* together with the last line (decision 0003) */
    ask(130, 1);
    ask(150, 3);
    nothing();
    ask(175, 1); /* the last was ready at 170 */
    only(SIM_RULE_BUS_COMMAND, 0);
    ask(184, 1); /* a single command takes its step */
    only(SIM_RULE_BUS_COMMAND, 1);
    PROVES(TM_1);
}

Test(sim_strict, two_cycles_a_command_at_least)
{
    struct sim_strict_transfer t = lines(100, 1);

    t.step = 1;
    t.latency = 2;
    transfer(&t);
    only(SIM_RULE_BUS_COMMAND, 1); /* two directions could not share the interface */
}

/* 20 cycles of latency every 10 cycles, and one together with a last line: three under way. */
Test(sim_strict, both_directions_share_the_credits)
{
    struct sim_strict_transfer t = lines(100, 3);

    transfer(&t);
    nothing();
    t = lines(101, 3);
    t.direction = 0;
    t.latency = 10; /* two more */
    transfer(&t);
    only(SIM_RULE_BUS_CREDIT, 1);
    PROVES(TM_2);
}

Test(sim_strict, five_credits_are_enough_for_five)
{
    struct sim_strict_transfer t = lines(100, 3);

    t.credits = 5;
    transfer(&t);
    t = lines(101, 3);
    t.direction = 0;
    t.latency = 10;
    t.credits = 5;
    transfer(&t);
    nothing();
}

static void size(uint64_t ea, uint64_t bytes, uint32_t commands, unsigned direction)
{
    static uint64_t at = 100;
    struct sim_strict_transfer t = lines(at, commands);

    at += 1000;
    t.ea = ea;
    t.bytes = bytes;
    t.direction = (uint8_t)direction;
    t.latency = 1;
    transfer(&t);
}

/* TM-7: by hand from the aligned powers of two that fit. */
Test(sim_strict, sizes_are_powers_of_two)
{
    size(0x1000, 16, 1, 1);
    size(0x1038, 8, 1, 1);
    size(0x1000, 12, 2, 1);    /* 8 + 4 */
    size(0x1004, 12, 2, 1);    /* 4 + 8 */
    size(0x1005, 3, 2, 1);     /* 1 + 2 */
    size(0x1070, 4096, 35, 1); /* 16, 31 lines, and 112 bytes as 64 + 32 + 16 */
    nothing();
}

Test(sim_strict, wrong_numbers_of_commands_are_named)
{
    size(0x1000, 12, 1, 1);
    only(SIM_RULE_BUS_SIZE, 1);
    size(0x1004, 16, 1, 1);
    only(SIM_RULE_BUS_SIZE, 2);
    size(0x1000, 256, 1, 1);
    only(SIM_RULE_BUS_SIZE, 3);
    PROVES(TM_7);
}

/* A read takes lines and uses what it needs. */
Test(sim_strict, a_read_takes_lines)
{
    size(0x1010, 64, 1, 0);
    size(0x1060, 64, 2, 0);
    nothing();
    size(0x1060, 64, 1, 0);
    only(SIM_RULE_BUS_SIZE, 1);
}

/* ---- order of a command -----------------------------------------------------------------------
 */

/* One step of the command in slot 7; each command is answered 20 cycles after it was ready. */
static void step(enum sim_strict_what what, uint64_t first)
{
    struct sim_strict_transfer t = lines(first, 1);

    t.slot = 7;
    t.what = (uint8_t)what;
    t.bytes = 64;
    transfer(&t);
}

static void whole_command(uint64_t begin)
{
    step(SIM_STRICT_IOARCB, begin);
    step(SIM_STRICT_TABLE, begin + 20);
    step(SIM_STRICT_TABLE, begin + 40);
    step(SIM_STRICT_DATA, begin + 60);
    step(SIM_STRICT_IOASA, begin + 80);
    step(SIM_STRICT_ELEMENT, begin + 100);
}

Test(sim_strict, data_then_status_then_element_then_interrupt)
{
    whole_command(100);
    sim_strict_posted(&s, 220, 7, 1);
    whole_command(220);
    sim_strict_posted(&s, 400, 7, 1);
    nothing();
}

Test(sim_strict, the_status_waits_for_the_data)
{
    step(SIM_STRICT_IOARCB, 100);
    step(SIM_STRICT_DATA, 120);
    step(SIM_STRICT_IOASA, 139);
    only(SIM_RULE_BUS_ORDER, 1);
    PROVES(TM_4);
}

Test(sim_strict, the_element_waits_for_the_status)
{
    step(SIM_STRICT_IOARCB, 100);
    step(SIM_STRICT_IOASA, 120);
    step(SIM_STRICT_ELEMENT, 139);
    only(SIM_RULE_BUS_ORDER, 1);
}

Test(sim_strict, no_element_without_a_status)
{
    step(SIM_STRICT_IOARCB, 100);
    step(SIM_STRICT_DATA, 120);
    step(SIM_STRICT_ELEMENT, 140);
    only(SIM_RULE_BUS_ORDER, 1);
}

Test(sim_strict, no_data_behind_the_status)
{
    step(SIM_STRICT_IOARCB, 100);
    step(SIM_STRICT_IOASA, 120);
    step(SIM_STRICT_DATA, 140);
    only(SIM_RULE_BUS_ORDER, 1);
    step(SIM_STRICT_IOASA, 160);
    only(SIM_RULE_BUS_ORDER, 1);
    step(SIM_STRICT_IOASA, 180); /* a second one */
    only(SIM_RULE_BUS_ORDER, 2);
}

Test(sim_strict, the_interrupt_waits_for_the_element)
{
    whole_command(100);
    sim_strict_posted(&s, 219, 7, 1);
    only(SIM_RULE_BUS_ORDER, 1);
}

Test(sim_strict, nobody_waits_for_what_was_given_up)
{
    step(SIM_STRICT_IOARCB, 100);
    step(SIM_STRICT_DATA, 120);
    sim_strict_abandoned(&s, 7);
    step(SIM_STRICT_IOASA, 130);
    nothing();
}

/* ---- the bus cycle by cycle -------------------------------------------------------------------
 */

static void command(uint64_t now, uint8_t tag, unsigned direction)
{
    struct sim_strict_command c = {
        .ea = 0x1000, .size = 128, .context = 1, .tag = tag, .direction = (uint8_t)direction};

    sim_strict_command(&s, now, &c);
}

static void read_line(uint64_t now, uint8_t tag)
{
    command(now, tag, 0);
    sim_strict_buffer_write(&s, now + 2, tag, 1);
    sim_strict_buffer_write(&s, now + 3, tag, 0);
    sim_strict_buffer_write(&s, now + 4, tag, 1); /* again */
    sim_strict_response(&s, now + 5, tag);
}

Test(sim_strict, a_line_is_read)
{
    read_line(100, 3);
    read_line(110, 3); /* the tag is free again */
    nothing();
}

Test(sim_strict, one_command_a_cycle)
{
    command(100, 0, 0);
    command(101, 1, 1);
    nothing();
    command(101, 2, 0);
    only(SIM_RULE_BUS_COMMAND, 1);
}

Test(sim_strict, few_commands_wait)
{
    sim_strict_skid(&s, 100, 3);
    nothing();
    sim_strict_skid(&s, 101, 4);
    only(SIM_RULE_BUS_SKID, 1);
}

Test(sim_strict, one_response_a_cycle)
{
    command(100, 0, 0);
    command(101, 1, 0);
    for (unsigned i = 0; i < 4; i++)
        sim_strict_buffer_write(&s, 102 + i, (uint8_t)(i / 2), i % 2);
    sim_strict_response(&s, 110, 0);
    nothing();
    sim_strict_response(&s, 110, 1);
    only(SIM_RULE_BUS_RESPONSE, 1);
}

Test(sim_strict, one_buffer_transfer_a_cycle_and_direction)
{
    command(100, 0, 0);
    command(101, 1, 1);
    sim_strict_buffer_write(&s, 102, 0, 0);
    sim_strict_buffer_read(&s, 102, 1, 0); /* the other interface */
    nothing();
    sim_strict_buffer_write(&s, 102, 0, 1);
    only(SIM_RULE_BUS_BUFFER, 1);
    sim_strict_buffer_read(&s, 102, 1, 1);
    only(SIM_RULE_BUS_BUFFER, 2);
}

Test(sim_strict, credits_come_back_with_responses)
{
    for (uint8_t i = 0; i < 4; i++)
        command(100 + i, i, 0);
    sim_strict_buffer_write(&s, 110, 2, 0);
    sim_strict_buffer_write(&s, 111, 2, 1);
    sim_strict_response(&s, 112, 2);
    command(113, 9, 0);
    nothing();
    command(114, 10, 0);
    only(SIM_RULE_BUS_CREDIT, 1);
}

Test(sim_strict, a_tag_is_used_once)
{
    command(100, 5, 0);
    command(101, 6, 0);
    nothing();
    command(102, 5, 0);
    only(SIM_RULE_BUS_TAG, 1);
    sim_strict_response(&s, 110, 7); /* nobody's */
    only(SIM_RULE_BUS_TAG, 2);
    sim_strict_buffer_read(&s, 111, 6, 0); /* data of a read are not asked for */
    only(SIM_RULE_BUS_TAG, 3);
    PROVES(TM_3);
}

Test(sim_strict, both_halves_come_before_the_response)
{
    command(100, 5, 0);
    sim_strict_buffer_write(&s, 101, 5, 1);
    sim_strict_buffer_write(&s, 102, 5, 1);
    sim_strict_response(&s, 103, 5);
    only(SIM_RULE_BUS_HALVES, 1);
    PROVES(TM_5);
}

Test(sim_strict, half_a_line_needs_one_half)
{
    struct sim_strict_command c = {.ea = 0x1040, .size = 64, .context = 1, .tag = 5};

    sim_strict_command(&s, 100, &c);
    sim_strict_buffer_write(&s, 101, 5, 1);
    sim_strict_response(&s, 102, 5);
    nothing();
    sim_strict_command(&s, 103, &c);
    sim_strict_buffer_write(&s, 104, 5, 0); /* the other one */
    sim_strict_response(&s, 105, 5);
    only(SIM_RULE_BUS_HALVES, 1);
}

/* The request appears at 101, the AFU sees it at 102, data come at 103. */
Test(sim_strict, write_data_come_after_the_declared_latency)
{
    command(100, 5, 1);
    sim_strict_buffer_read(&s, 101, 5, 0);
    sim_strict_buffer_read(&s, 102, 5, 1);
    sim_strict_buffer_data(&s, 103, 5, 0);
    sim_strict_buffer_data(&s, 104, 5, 1);
    sim_strict_response(&s, 105, 5);
    nothing();
    command(106, 5, 1);
    sim_strict_buffer_read(&s, 107, 5, 0);
    sim_strict_buffer_data(&s, 108, 5, 0);
    only(SIM_RULE_BUS_READ_LATENCY, 1);
    sim_strict_buffer_data(&s, 109, 5, 0); /* nobody asked */
    only(SIM_RULE_BUS_READ_LATENCY, 2);
    PROVES(TM_6);
}

Test(sim_strict, sizes_of_single_commands)
{
    struct sim_strict_command c = {.ea = 0x1010, .size = 16, .context = 1, .tag = 1};

    sim_strict_command(&s, 100, &c);
    nothing();
    c = (struct sim_strict_command){.ea = 0x1010, .size = 32, .context = 1, .tag = 2};
    sim_strict_command(&s, 101, &c); /* not aligned */
    only(SIM_RULE_BUS_SIZE, 1);
    c = (struct sim_strict_command){.ea = 0, .size = 24, .context = 1, .tag = 3};
    sim_strict_command(&s, 102, &c);
    only(SIM_RULE_BUS_SIZE, 2);
    c = (struct sim_strict_command){.ea = 0, .size = 256, .context = 1, .tag = 4};
    sim_strict_command(&s, 103, &c);
    only(SIM_RULE_BUS_SIZE, 3);
}

/* What a slot asks for line by line. */
Test(sim_strict, a_slot_waits_for_its_last_line)
{
    sim_strict_begin(&s, 100, 7, 1, SIM_STRICT_IOARCB);
    sim_strict_answered(&s, 120, 7);
    sim_strict_begin(&s, 120, 7, 1, SIM_STRICT_DATA);
    nothing();
    sim_strict_begin(&s, 130, 7, 1, SIM_STRICT_IOASA);
    only(SIM_RULE_BUS_ORDER, 1);
}

/* ---- registers, contexts, resets --------------------------------------------------------------
 */

Test(sim_strict, one_register_access_at_a_time)
{
    sim_strict_mmio(&s, 100, 1);
    sim_strict_mmio(&s, 101, 3);
    sim_strict_mmio(&s, 104, 1);
    nothing();
    sim_strict_mmio(&s, 104, 1);
    only(SIM_RULE_MMIO_ONE, 1);
    PROVES(TM_8);
}

Test(sim_strict, nothing_for_a_context_that_is_not_there)
{
    struct sim_strict_transfer t = lines(100, 1);

    t.context = 2;
    transfer(&t);
    only(SIM_RULE_CTX_STATE, 1);
    sim_strict_ctx_add(&s, 2);
    t = lines(110, 1);
    t.context = 2;
    transfer(&t);
    only(SIM_RULE_CTX_STATE, 1);
    sim_strict_ctx_terminate(&s, 1);
    ask(120, 1);
    only(SIM_RULE_CTX_STATE, 2);
    command(130, 1, 0);
    only(SIM_RULE_CTX_STATE, 3);
    PROVES(TM_9);
}

Test(sim_strict, a_reset_leaves_nothing_under_way)
{
    ask(100, 3); /* answered at 140 */
    sim_strict_reset(&s, 140);
    nothing();
    ask(200, 3);
    sim_strict_reset(&s, 239);
    only(SIM_RULE_RESET_IDLE, 1);
    command(300, 1, 0);
    sim_strict_reset(&s, 400);
    only(SIM_RULE_RESET_IDLE, 2);
    command(401, 1, 0); /* the tag is free */
    only(SIM_RULE_RESET_IDLE, 2);
    PROVES(TM_10);
}

/* Contexts are terminated first, so what a transfer has not sent yet is not sent: the response of
 * what was sent in the last cycle comes 20 cycles later. */
Test(sim_strict, a_reset_begins_without_contexts)
{
    ask(100, 30); /* would be answered at 100 + 30 * 10 + 20 = 420 */
    sim_strict_ctx_terminate(&s, 1);
    sim_strict_reset_begins(&s, 150);
    sim_strict_reset(&s, 170);
    nothing();
    sim_strict_ctx_add(&s, 1);
    sim_strict_reset_begins(&s, 500);
    only(SIM_RULE_RESET_IDLE, 1);
    sim_strict_ctx_terminate(&s, 1);
    sim_strict_reset(&s, 520);
    sim_strict_ctx_add(&s, 1);
    ask(600, 30);
    sim_strict_ctx_terminate(&s, 1);
    sim_strict_reset_begins(&s, 650);
    sim_strict_reset(&s, 669);
    only(SIM_RULE_RESET_IDLE, 2);
    sim_strict_ctx_add(&s, 1);
    ask(700, 30);
    sim_strict_ctx_terminate(&s, 1);
    sim_strict_reset_begins(&s, 750); /* and never ends */
    sim_strict_ctx_add(&s, 1);
    ask(800, 1);
    only(SIM_RULE_RESET_IDLE, 2);
    PROVES(TM_10);
}

Test(sim_strict, restart_comes_before_anything_else)
{
    sim_strict_error(&s, 1);
    sim_strict_restart(&s, 90, 1);
    ask(100, 1);
    nothing();
    sim_strict_error(&s, 1);
    ask(110, 1);
    only(SIM_RULE_RESTART, 1);
    sim_strict_restart(&s, 120, 1);
    ask(130, 1);
    only(SIM_RULE_RESTART, 1);
    PROVES(TM_11);
}

Test(sim_strict, a_restart_needs_a_reason)
{
    sim_strict_restart(&s, 90, 1);
    only(SIM_RULE_RESTART, 1);
}

Test(sim_strict, flushing_concerns_one_context)
{
    sim_strict_ctx_add(&s, 2);
    sim_strict_error(&s, 2);
    ask(100, 1);
    nothing();
}

/* ---- translations -----------------------------------------------------------------------------
 */

Test(sim_strict, a_sync_ends_after_the_last_use)
{
    sim_strict_translated(&s, 7, 1, 5);
    sim_strict_translated(&s, 8, 1, 6);
    sim_strict_translated(&s, 9, 2, 5);
    sim_strict_revoke(&s, 1, 5);
    sim_strict_translated(&s, 10, 1, 5); /* after the revoke: the new one */
    sim_strict_free(&s, 7);
    sim_strict_synced(&s, 100, 1, 5);
    nothing();
}

Test(sim_strict, a_sync_that_ends_too_early)
{
    sim_strict_translated(&s, 7, 1, 5);
    sim_strict_revoke(&s, 1, 5);
    sim_strict_synced(&s, 100, 1, 5);
    only(SIM_RULE_XLT_STALE, 1);
    PROVES(R_46);
}

/* ---- verdicts ---------------------------------------------------------------------------------
 */

static void remember(void *arg, const struct sim_breach *b) { *(struct sim_breach *)arg = *b; }

Test(sim_strict, a_breach_is_told_and_counted)
{
    struct sim_breach last = {.cycle = 0};
    char text[400];

    s.told = remember;
    s.told_arg = &last;
    cr_assert_str_eq(sim_strict_text(&s, SIM_VERDICT_HOST, text, sizeof text), "");
    sim_strict_breach(&s, 1000, SIM_RULE_LISN, 3, 0x2A);
    sim_strict_breach(&s, 1001, SIM_RULE_BUS_TAG, 4, 9);
    sim_strict_breach(&s, 1002, SIM_RULE_LISN, 5, 1);
    cr_assert_eq(last.cycle, 1002);
    cr_assert_eq(last.rule, SIM_RULE_LISN);
    cr_assert_eq(last.context, 5);
    cr_assert_eq(s.total[SIM_VERDICT_HOST], 2);
    cr_assert_eq(s.total[SIM_VERDICT_MODEL], 1);
    cr_assert_str_eq(sim_strict_text(&s, SIM_VERDICT_HOST, text, sizeof text),
                     "2 x lisn (SL 14); first: lisn in cycle 1000, context 3, detail 0x2a");
    cr_assert_str_eq(sim_strict_text(&s, SIM_VERDICT_MODEL, text, sizeof text),
                     "1 x bus.tag (TM-3); first: bus.tag in cycle 1001, context 4, detail 0x9");
    PROVES(TM_21);
}

Test(sim_strict, text_stays_in_its_room)
{
    char text[16];

    memset(text, 'x', sizeof text);
    for (unsigned r = 0; r < SIM_RULE_COUNT; r++)
        sim_strict_breach(&s, 1, (enum sim_rule)r, 0, 0);
    sim_strict_text(&s, SIM_VERDICT_HOST, text, 8);
    cr_assert_eq(strlen(text), 7);
    cr_assert_eq(text[8], 'x');
}

Test(sim_strict, rules_have_names_of_their_own)
{
    for (unsigned i = 0; i < SIM_RULE_COUNT; i++)
        for (unsigned k = 0; k < i; k++)
            cr_assert_str_neq(sim_rule_table[i].name, sim_rule_table[k].name);
}
