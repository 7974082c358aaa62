/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe run --events writes what adapters go through; superpipe events shows it, also while it
 * is being written. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cli/cli_fixture.h"

TestSuite(events, .init = cli_begin, .fini = cli_end);

#define SMALL "run --duration 300us --clients 3 --handles 2 --size 1M --json --seed 5 "
#define NOISY SMALL "--fault rrq#17=2 --events e.jsonl"

static void write_text(const char *text, const char *mode)
{
    FILE *f = fopen("e.jsonl", mode);

    cr_assert_not_null(f);
    fputs(text, f);
    cr_assert_eq(fclose(f), 0);
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void hash_of(const char *line, char *buf, size_t size)
{
    struct cli_result r = cli(line);

    cr_assert_eq(r.code, 0, "%s", r.err);
    snprintf(buf, size, "%s", cli_json(r.out, "trace_hash"));
}

Test(events, writing_them_changes_nothing)
{
    char with[32], without[32];
    struct stat st;

    hash_of(SMALL "--fault rrq#17=2", without, sizeof without);
    cr_assert_neq(stat("e.jsonl", &st), 0);
    hash_of(NOISY, with, sizeof with);
    cr_assert_str_eq(with, without);
    cr_assert_eq(stat("e.jsonl", &st), 0);
    cr_assert_null(strstr(cli(NOISY).out, "--events"), "a replay line need not write them");
}

Test(events, the_file)
{
    const char *text;

    cr_assert_eq(cli(NOISY).code, 0);
    text = cli_read("e.jsonl");
    cr_assert_eq(strncmp(text, "{\"time_ns\":", 11), 0);
    cr_assert_not_null(
        strstr(text, "\"event\":\"state\",\"times\":1,\"fields\":{\"state\":\"NORMAL\"}}\n"));
    cr_assert_not_null(
        strstr(text, "\"severity\":\"warning\",\"event\":\"rrq_stray\",\"times\":1,"));
    cr_assert_str_eq(strrchr(text, ':'), ":{}}\n");
    cr_assert_not_null(strstr(text, "\"event\":\"closed\",\"times\":1,\"fields\":{}}\n"));
}

Test(events, shown)
{
    struct cli_result r;
    unsigned all;

    cr_assert_eq(cli(NOISY).code, 0);
    all = lines_of(cli_read("e.jsonl"));
    r = cli("events e.jsonl");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(r.err, "");
    cr_assert_eq(lines_of(r.out), all);
    r = cli("events --severity warning e.jsonl");
    cr_assert_eq(lines_of(r.out), 1u, "%s", r.out);
    cr_assert_not_null(
        strstr(r.out, "  0  warning  rrq_stray: answers came that belong to no command (context "));
    r = cli("events e.jsonl --event lun_found");
    cr_assert_eq(lines_of(r.out), 4u, "%s", r.out);
    r = cli("events e.jsonl --counters --severity notice");
    cr_assert_eq(lines_of(r.out), 4u, "%s", r.out);
    cr_assert_not_null(strstr(r.out, "\n           1  warning   rrq_stray\n"), "%s", r.out);
    cr_assert_null(strstr(r.out, "lun_found"));
    r = cli("events e.jsonl --follow"); /* its writer has ended */
    cr_assert_eq(lines_of(r.out), all);
    cr_assert_eq(lines_of(cli("events - < e.jsonl").out), all);
}

Test(events, several_adapters)
{
    struct cli_result r = cli(SMALL "--adapters 2 --events e.jsonl");

    cr_assert_eq(r.code, 0, "%s", r.err);
    r = cli("events e.jsonl --event closed --follow");
    cr_assert_eq(lines_of(r.out), 2u, "%s", r.out);
    cr_assert_not_null(strstr(r.out, "  0  notice   closed"));
    cr_assert_not_null(strstr(r.out, "  1  notice   closed"));
}

Test(events, wrong)
{
    cli_fails(1, "events none", "none: No such file");
    cli_fails(1, "events .", ".: ");
    cli_fails(2, "events e.jsonl --event lun_fuond", "did you mean 'lun_found'?");
    cli_fails(2, "events e.jsonl --event frobnicate", "superpipe-events(1) lists all");
    cli_fails(2, "events e.jsonl --severity bad", "one of info, notice, warning, error");
    cli_fails(2, "events", "an operand is missing: superpipe events FILE");
    write_text("{\n", "w");
    cli_fails(1, "events e.jsonl", "e.jsonl:1: this line is no event");
    write_text("{", "w");
    cli_says("events e.jsonl", ""); /* perhaps it goes on */
    cli_fails(1, SMALL "--events none/e", "event file none/e: No such file");
    cr_assert_eq(cli("run --duration 100us --clients 1 --media m --json").code, 0);
    cli_fails(1, "run --duration 100us --clients 1 --media m --json --events m",
              "'m' is a media file: name another file for the events");
    cr_assert_eq(cli("list --media m").code, 0, "the medium is as it was");
}

/* ---- while it is being written ---- */

#define EVENT(seq, name)                                                                           \
    "{\"time_ns\":1,\"seq\":" seq ",\"adapter\":0,\"severity\":\"info\",\"event\":\"" name         \
    "\",\"times\":1,\"fields\":{}}\n"

/* It ends by itself with the last event of the last adapter, however it comes in. */
Test(events, followed, .timeout = 30)
{
    static const char last[] = EVENT("2", "closed");
    int status;
    pid_t child;

    write_text(EVENT("1", "rescan_begin"), "w");
    child = cli_start("events --follow e.jsonl", false);
    write_text("{\"time_ns\":1,\"seq\":2,\"adapter\":0,", "a");
    write_text(last + strlen("{\"time_ns\":1,\"seq\":2,\"adapter\":0,"), "a");
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), 0);
    cr_assert_eq(lines_of(cli_read("out")), 2u, "%s", cli_read("out"));
}

/* FK-34: told, and nothing else comes of it. */
Test(events, heartbeat)
{
    struct cli_result r = cli(SMALL "--heartbeat 100us --fault hb#2=v(40) --events e.jsonl");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_not_null(strstr(cli_json(r.out, "replay"), " --heartbeat 100us"));
    r = cli("events e.jsonl --event heartbeat");
    cr_assert_not_null(strstr(r.out, "plus one (expected 0x3, found 0x28)\n"), "%s", r.out);
    r = cli(SMALL "--heartbeat 100us --events e.jsonl");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_eq(lines_of(cli("events e.jsonl --event heartbeat").out), 0u);
}
