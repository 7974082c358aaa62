/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of a run, and what they say about parameters. */
#include "tools/timing_record.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct timing_record r;
static struct sim_params p;
static struct timing_row row[TIMING_ROWS_MAX];

static void up(void)
{
    timing_record_init(&r);
    sim_params_default(&p);
}

TestSuite(timing_record, .init = up);

static void add(enum record_kind kind, uint64_t ns)
{
    const struct record_sample s = {.kind = kind, .ns = ns};

    timing_record_sample(&r, &s);
}

static void command(enum record_kind kind, uint8_t opcode, uint32_t bytes, uint64_t ns, bool alone)
{
    const struct record_sample s = {
        .kind = kind, .opcode = opcode, .bytes = bytes, .ns = ns, .alone = alone};

    timing_record_sample(&r, &s);
}

/* The row of a parameter, or NULL. */
static const struct timing_row *find(const char *parameter)
{
    unsigned n = timing_record_compare(&r, &p, row);

    cr_assert_leq(n, TIMING_ROWS_MAX);
    for (unsigned i = 0; i < n && i < TIMING_ROWS_MAX; i++)
        if (!strcmp(row[i].parameter, parameter))
            return &row[i];
    return NULL;
}

static void is(const char *parameter, uint64_t measured, uint64_t model, int64_t error)
{
    const struct timing_row *found = find(parameter);

    cr_assert_not_null(found, "%s", parameter);
    cr_assert_eq(found->measured, measured, "%s: %llu", parameter,
                 (unsigned long long)found->measured);
    cr_assert_eq(found->model, model);
    cr_assert_eq(timing_row_error(found), error);
}

Test(timing_record, nothing) { cr_assert_eq(timing_record_compare(&r, &p, row), 0); }

Test(timing_record, loads_and_resets)
{
    add(RECORD_LOAD, 900);
    add(RECORD_LOAD, 1100);
    is("mmio.read.latency", 900, 1000, -100); /* of two the lesser */
    add(RECORD_LOAD, 5000);
    add(RECORD_AFU_RESET, 2000000);
    add(RECORD_STORE, 4);
    is("mmio.read.latency", 1100, 1000, 100);
    is("afu.reset", 2000000, 1000000, 1000);
    cr_assert_eq(find("mmio.read.latency")->samples, 3);
    cr_assert_eq(find("mmio.read.latency")->confidence, 'D');
    cr_assert_eq(timing_record_compare(&r, &p, row), 2, "a store is no parameter");
}

/* timing.md 8: 35,124 cycles are 140,496 ns, 130,000 of them the medium. */
Test(timing_record, medium)
{
    command(RECORD_COMMAND, 0x88, 4096, 140496, true);
    is("media.read.base", 130000, 130000, 0);
    command(RECORD_COMMAND, 0x88, 4096, 153496, true);
    command(RECORD_COMMAND, 0x88, 4096, 153496, true);
    is("media.read.base", 143000, 130000, 100);
    command(RECORD_COMMAND, 0x8A, 4096, 86276, true); /* 23,944 cycles less 9,500 ns */
    is("media.write.base", 75500, 85000, -111);
    command(RECORD_COMMAND, 0x8A, 4096, 5, true);
    command(RECORD_COMMAND, 0x8A, 4096, 5, true);
    is("media.write.base", 0, 85000, -1000);
}

/* Commands with company, and those that are not of whole blocks, say nothing. */
Test(timing_record, what_says_nothing)
{
    command(RECORD_COMMAND, 0x88, 4096, 1, false);
    command(RECORD_COMMAND, 0x88, 512, 1, true);
    command(RECORD_COMMAND, 0x88, 0, 1, true);
    command(RECORD_COMMAND, 0x12, 4096, 1, true);
    command(RECORD_INTERRUPT, 0x88, 4096, 1, false);
    timing_record_sample(&r, &(const struct record_sample){.kind = RECORD_COMMAND,
                                                           .opcode = 0x88,
                                                           .bytes = 4096,
                                                           .afu_command = true,
                                                           .alone = true});
    cr_assert_eq(timing_record_compare(&r, &p, row), 0);
    cr_assert_eq(r.classes, 5);
}

/* 15 blocks more take 15 times 1,560 cycles of 4 ns. */
Test(timing_record, link_and_bus)
{
    command(RECORD_COMMAND, 0x88, 65536, 140496 + 15 * 6240, true);
    cr_assert_null(find("fc.4k_time + 32 bus.write.line_interval"), "one size is none");
    command(RECORD_COMMAND, 0x88, 4096, 140496, true);
    command(RECORD_COMMAND, 0x88, 8192, 1, true);
    is("fc.4k_time + 32 bus.write.line_interval", 6240, 6240, 0);
    cr_assert_eq(find("fc.4k_time + 32 bus.write.line_interval")->confidence, 0);
    command(RECORD_COMMAND, 0x8A, 4096, 100000, true);
    command(RECORD_COMMAND, 0x8A, 12288, 120000, true);
    is("fc.4k_time + 32 bus.read.line_interval", 10000, 6240, 602);
}

Test(timing_record, interrupts)
{
    command(RECORD_INTERRUPT, 0x88, 65536, 1, true);
    command(RECORD_INTERRUPT, 0x88, 4096, 146496, true);
    is("irq.delivery", 6000, 6000, 0);
    cr_assert_null(find("media.read.base"), "its time has the interrupt in it");
    timing_record_init(&r);
    command(RECORD_INTERRUPT, 0x8A, 4096, 95776 + 12000, true);
    is("irq.delivery", 12000, 6000, 1000);
}

Test(timing_record, errors)
{
    const struct timing_row zero = {.measured = 0, .model = 0}, new = {.measured = 4, .model = 0};

    cr_assert_eq(timing_row_error(&zero), 0);
    cr_assert_eq(timing_row_error(&new), INT64_MAX);
}

/* The median is of the last ones; the histogram has all. */
Test(timing_record, many_samples)
{
    for (unsigned i = 0; i < 5000; i++)
        add(RECORD_LOAD, i < 4500 ? 1000 : 1001);
    is("mmio.read.latency", 1000, 1000, 0);
    for (unsigned i = 0; i < 100; i++)
        add(RECORD_LOAD, 1001);
    is("mmio.read.latency", 1001, 1000, 1);
    cr_assert_eq(r.load.all.count, 5100);
}

Test(timing_record, bounds_of_its_table)
{
    for (unsigned i = 0; i < 20; i++)
        command(RECORD_COMMAND, 0x88, 4096 * (i + 1), 1000, false);
    cr_assert_eq(r.classes, TIMING_RECORD_CLASSES);
    cr_assert_eq(r.dropped, 4);
    command(RECORD_COMMAND, 0x88, 4096, 1000, false);
    cr_assert_eq(r.dropped, 4);
    cr_assert_eq(r.class[0].all.all.count, 2);
}

Test(timing_record, printed)
{
    static const char *const parts[] = {
        "load of a register                                             1      1 us      1 us"
        "      1 us      1 us\n",
        "store of a register, while it keeps us                         1      4 ns",
        "read 4 KiB                                                     1    140 us",
        "read 4 KiB, alone                                              1    140 us",
        "AFU command SYNC, alone, to its interrupt                      1      7 ns",
        "SCSI command 0x12, 64 B                                        1      9 ns",
        "3 commands were not measured\n",
        "mmio.read.latency                        D       1 us       1 us     +0.0 %  loads",
        "media.read.base                          D     130 us     130 us     +0.0 %  reads of 4 "
        "KiB alone, less the rest of its path\n",
    };
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    const struct record_sample sync = {
        .kind = RECORD_INTERRUPT, .ns = 7, .opcode = 0xC0, .afu_command = true, .alone = true};

    cr_assert_not_null(to);
    add(RECORD_LOAD, 1000);
    add(RECORD_STORE, 4);
    command(RECORD_COMMAND, 0x88, 4096, 140496, true);
    command(RECORD_COMMAND, 0x12, 64, 9, false);
    timing_record_sample(&r, &sync);
    timing_record_print(&r, &p, 3, to);
    cr_assert_eq(fclose(to), 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_assert(strstr(text, parts[i]), "no '%s' in\n%s", parts[i], text);
    free(text);
}
