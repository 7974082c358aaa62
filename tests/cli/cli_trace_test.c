/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe trace: summaries, spans of time, lives of commands; files that are not whole. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/cli_fixture.h"

TestSuite(trace, .init = cli_begin, .fini = cli_end);

#define SMALL "run --duration 100us --clients 2 --handles 1 --size 1M --json --trace t.trace "

static char hash[32]; /* of the run that made t.trace */

static void make_trace(const char *options)
{
    struct cli_result r = clif(SMALL "%s", options);

    cr_assert_geq(r.code, 0, "%s%s", r.out, r.err);
    snprintf(hash, sizeof hash, "%s", cli_json(r.out, "trace_hash"));
}

/* Text up to the end of the line in which `part` stands. */
static const char *line_of(const char *out, const char *part)
{
    static char line[512];
    const char *at = strstr(out, part);

    cr_assert_not_null(at, "no '%s' in %s", part, out);
    if (!at)
        return "";
    while (at > out && at[-1] != '\n')
        at--;
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

Test(trace, summary_has_the_hash_of_the_run)
{
    struct cli_result r;

    make_trace("--seed 9 --param media.jitter=5");
    r = cli("trace t.trace --json");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "trace_hash"), hash);
    cr_assert_str_eq(cli_json(r.out, "complete"), "true");
    cr_assert_str_eq(cli_json(r.out, "seed"), "9");
    cr_assert_str_eq(cli_json(r.out, "first_cycle"), "0");
    cr_assert_str_eq(cli_json(r.out, "violations"), "0");
    cr_assert_str_eq(cli_json(r.out, "name"), "\"media.jitter\"");
    r = cli("trace t.trace");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.out, "media.jitter = 5 (default 0, percent)"), "%s", r.out);
    cr_assert(strstr(r.out, ", complete\n"));
    cr_assert_eq(strncmp(line_of(r.out, "Hash "), "Hash       ", 11), 0);
}

Test(trace, same_run_same_file)
{
    make_trace("--seed 9");
    cli_copy("t.trace", "first");
    make_trace("--seed 9");
    cr_assert(cli_same("first", "t.trace"));
    make_trace("--seed 10");
    cr_assert_not(cli_same("first", "t.trace"));
}

Test(trace, life_of_a_command)
{
    struct cli_result r;
    static const char *const steps[] = {" doorbell ",   " fetch ", " decode ",
                                        " port.start ", " ioasa ", " rrq "};
    const char *at;

    make_trace("--read 100");
    r = cli("trace t.trace --command 1");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(r.err, "");
    at = r.out;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        at = strstr(at, steps[i]);
        cr_assert_not_null(at, "%s in %s", steps[i], r.out);
    }
    cr_assert(strstr(r.out, "REPORT LUNS"), "the first command of all: %s", r.out);
    cr_assert(strstr(r.out, "0x00000000 good"));
    cr_assert(strstr(r.out, "\nCommand 1: adapter 0, slot "), "%s", r.out);
    cr_assert(strstr(r.out, ": done after "), "%s", r.out);
    r = cli("trace t.trace --command 1 --json");
    cr_assert_eq(r.code, 0);
    cr_assert_str_eq(cli_json(r.out, "state"), "\"done\"");
    cr_assert_str_eq(cli_json(r.out, "step"), "\"doorbell\"");
    cr_assert_gt(cli_json_number(r.out, "cycles"), 500);
}

Test(trace, what_is_not_there)
{
    make_trace("");
    cli_fails(1, "trace t.trace --command 1000000", "there is no command 1000000, ");
    cli_fails(1, "trace t.trace --around 1 --span 0", "nothing happens from cycle 1 to 1");
    cli_fails(1, "trace t.trace --around 18446744073709551615", "nothing happens from cycle ");
}

Test(trace, records_around_a_cycle)
{
    char all[64], first[32];
    struct cli_result r;

    make_trace("");
    r = cli("trace t.trace --command 1 --json");
    snprintf(first, sizeof first, "%s", cli_json(strstr(r.out, "\"delta\""), "cycle"));
    r = clif("trace t.trace --around %s --span 0", first);
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.out, " fetch "), "%s", r.out);
    cr_assert_not(strstr(r.out, " decode "), "%s", r.out);
    r = clif("trace t.trace --around %s --span 1500", first);
    cr_assert(strstr(r.out, " decode ") && strstr(r.out, " rrq "), "%s", r.out);
    cr_assert(strstr(line_of(r.out, " decode "), " 1  decode"), "%s", r.out);
    snprintf(all, sizeof all, "%s", "trace t.trace --around 0 --span 18446744073709551615 --json");
    r = cli(all);
    cr_assert_eq(r.code, 0, "%s", r.err);
}

Test(trace, faults_are_told)
{
    struct cli_result r;

    make_trace("--adapters 2 --fault asa#1=v(0x00050000)");
    r = cli("trace t.trace --json");
    cr_assert_str_eq(cli_json(r.out, "faults_fired"), "2");
    r = cli("trace t.trace");
    cr_assert(strstr(r.out, "asa#1=v, IOASA write"), "%s", r.out);
}

/* The host finds out by its time-out, and resets the context. */
Test(trace, the_command_of_a_lost_answer_is_the_one_that_is_not_done)
{
    struct cli_result r;
    unsigned long commands, lost = 0;

    make_trace("--clients 1 --depth 2 --fault rrq#3=d");
    r = cli("trace t.trace --json");
    commands = cli_json_number(r.out, "commands");
    for (unsigned long n = 1; n <= commands && n <= 100; n++) {
        r = clif("trace t.trace --command %lu --json", n);
        if (strcmp(cli_json(r.out, "state"), "\"done\"")) {
            lost++;
            cr_assert(strstr(r.out, "rrq#3=d"), "%s", r.out);
        }
    }
    cr_assert_eq(lost, 1);
}

/* ---- files that are not whole ---- */

static off_t size_of(const char *name)
{
    struct stat st;

    cr_assert_eq(stat(name, &st), 0);
    return st.st_size;
}

Test(trace, a_cut_file_is_shown_up_to_the_cut)
{
    struct cli_result r;
    char all[32];

    make_trace("");
    r = cli("trace t.trace --json");
    snprintf(all, sizeof all, "%s", cli_json(r.out, "records"));
    cr_assert_eq(truncate("t.trace", size_of("t.trace") - 85), 0);
    r = cli("trace t.trace --json");
    cr_assert_eq(r.code, 1);
    cr_assert_eq(cli_json_number(r.out, "records"), strtoul(all, NULL, 10) - 2);
    cr_assert_str_eq(cli_json(r.out, "complete"), "false");
    cr_assert_eq(strncmp(r.err, "superpipe trace: t.trace: was cut after ", 40), 0, "%s", r.err);
    r = cli("trace t.trace --command 1");
    cr_assert_eq(r.code, 0, "its end is there: %s", r.err);
}

Test(trace, a_damaged_file_is_shown_up_to_the_damage)
{
    struct cli_result r;
    FILE *f;

    make_trace("");
    f = fopen("t.trace", "r+");
    cr_assert_not_null(f);
    cr_assert_eq(fseek(f, -1000, SEEK_END), 0);
    putc(0xA5, f);
    cr_assert_eq(fclose(f), 0);
    r = cli("trace t.trace");
    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.out, "Hash "), "%s", r.out);
    cr_assert(strstr(r.err, "a record is damaged"), "%s", r.err);
}
