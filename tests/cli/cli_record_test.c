/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe run --record: over the simulator every parameter comes out as it is, and the run is the
 * same as without. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/cli/cli_fixture.h"

TestSuite(record, .init = cli_begin, .fini = cli_end);

#define RUN "run --clients 1 --depth 1 --block 4k:1,64k:1 --duration 20ms --json"

/* The file has a row for the parameter, with no error. */
static void is_exact(const char *file, const char *parameter)
{
    const char *text = cli_read(file), *row;
    char mark[80];

    cr_assert_not_null(text);
    snprintf(mark, sizeof mark, "\n%s ", parameter);
    row = strstr(text, mark);
    cr_assert_not_null(row, "no %s in\n%s", parameter, text);
    row = strstr(row, " %  ");
    cr_assert_not_null(row);
    cr_assert_eq(strncmp(row - 4, "+0.0", 4), 0, "%s in\n%s", parameter, text);
}

static void records(const char *options, const char *file)
{
    struct cli_result r;
    char hash[32];

    r = clif(RUN " %s", options);
    cr_assert_eq(r.code, 0, "%s", r.err);
    snprintf(hash, sizeof hash, "%s", cli_json(r.out, "trace_hash"));
    r = clif(RUN " %s --record %s", options, file);
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "trace_hash"), hash, "the run is the same");
    is_exact(file, "afu.reset");
}

Test(record, polling)
{
    records("", "polled");
    is_exact("polled", "mmio.read.latency");
    is_exact("polled", "media.read.base");
    is_exact("polled", "media.write.base");
    is_exact("polled", "fc.4k_time + 32 bus.write.line_interval");
    is_exact("polled", "fc.4k_time + 32 bus.read.line_interval");
}

Test(record, interrupts)
{
    records("--interrupts", "woken");
    is_exact("woken", "mmio.read.latency");
    is_exact("woken", "irq.delivery");
}

/* Other parameters, byte order, and the submission queue (interface_version bit 62), which loads
 * registers at bring-up only, some of them behind stores. */
Test(record, other_adapters)
{
    records("--profile flashgt --order big --param interface_version=0x4000000000010002", "sq");
    is_exact("sq", "media.write.base");
    records("--param mmio.read.latency=321 --param media.read.base=12345 "
            "--param media.read.unwritten=12345 --param bus.write.line_interval=33",
            "params");
    is_exact("params", "mmio.read.latency");
    is_exact("params", "media.read.base");
    is_exact("params", "fc.4k_time + 32 bus.write.line_interval");
}

/* All commands of all clients are measured, under load too; two adapters share a file. */
Test(record, under_load)
{
    const char *text;

    cr_assert_eq(cli("run --adapters 2 --clients 8 --depth 16 --duration 5ms --record load").code,
                 0);
    text = cli_read("load");
    cr_assert_not_null(text);
    cr_assert(strstr(text, "\nread 4 KiB  "), "%s", text);
    cr_assert(strstr(text, "\nwrite 4 KiB  "), "%s", text);
    cr_assert_null(strstr(text, "not measured"), "%s", text);
}

/* No file stays of a run that could not be started. */
Test(record, a_run_that_failed)
{
    cli_fails(1, "run --media . --record none", "is a directory");
    cr_assert_null(cli_read("none"));
}
