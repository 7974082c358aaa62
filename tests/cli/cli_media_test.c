/* SPDX-License-Identifier: Apache-2.0 */
/* Real data: in and out again, beside other work, through crashes and full disks. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/cli/cli_fixture.h"

TestSuite(media, .init = cli_begin, .fini = cli_end);

#define NEW_MEDIA "--media m --lun-size 1G"

static off_t size_of(const char *name)
{
    struct stat st;

    return stat(name, &st) ? -1 : st.st_size;
}

static void round_trip(size_t size)
{
    cli_random_file("in", size, size + 1);
    cr_assert_eq(cli("put in name " NEW_MEDIA).code, 0);
    cr_assert_eq(cli("get name out.bin --media m").code, 0);
    cr_assert(cli_same("in", "out.bin"), "%zu bytes", size);
}

Test(media, files_of_every_kind_of_length)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 262144, 262145, 1300017};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(sizes); i++)
        round_trip(sizes[i]);
}

Test(media, a_large_file_of_odd_length) { round_trip((9 << 20) + 12345); }

Test(media, pipes)
{
    struct cli_result r;

    cli_random_file("in", 700001, 1);
    r = cli("put - name " NEW_MEDIA " < in");
    cr_assert_eq(r.code, 0, "%s", r.err);
    r = cli("get name - --media m");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(cli_same("in", "out"), "standard output is nothing but the data");
    cr_assert_str_eq(r.err, "");
}

Test(media, names_are_listed_replaced_and_removed)
{
    struct cli_result r;

    cli_random_file("a", 5000, 1);
    cli_random_file("b", 7000, 2);
    cr_assert_eq(cli("put a one " NEW_MEDIA).code, 0);
    cr_assert_eq(cli("put b two --quiet --media m").code, 0);
    cr_assert_eq(cli("put b one --media m").code, 0);
    r = cli("list --media m");
    cr_assert(strstr(r.out, "one ") && strstr(r.out, "two ") && strstr(r.out, "7,000"), "%s",
              r.out);
    cr_assert_eq(cli("get one c --media m").code, 0);
    cr_assert(cli_same("b", "c"));
    cr_assert_eq(cli("remove one --media m").code, 0);
    cli_fails(1, "get one d --media m", "there is no virtual LUN 'one'");
    cli_fails(1, "remove one --media m", "there is no virtual LUN 'one'");
    r = cli("list --json --media m");
    cr_assert_str_eq(cli_json(r.out, "bytes"), "7000");
    cr_assert(!strstr(r.out, "one"), "%s", r.out);
}

Test(media, other_work_leaves_named_data_alone)
{
    struct cli_result r;

    cli_random_file("a", 300001, 1);
    cr_assert_eq(cli("put a keep --media m").code, 0);
    r = cli("run --media m --duration 1ms --clients 4 --handles 2 --size 1M --json");
    cr_assert_eq(r.code, 0, "%s%s", r.out, r.err);
    cr_assert_str_eq(cli_json(r.out, "mismatches"), "0");
    cr_assert_eq(cli("get keep b --media m").code, 0);
    cr_assert(cli_same("a", "b"));
    r = cli("list --json --media m");
    cr_assert(strstr(strstr(r.out, "keep") + 4, "\"name\"") == NULL, "no other name: %s", r.out);
}

Test(media, a_second_process_is_turned_away)
{
    pid_t pid;
    int status;

    cli_random_file("a", 100, 1);
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    cr_assert_eq(cli("put a name " NEW_MEDIA).code, 0);
    pid = cli_start("put - other --media m < pipe", false);
    {
        int fd = open("pipe", O_WRONLY); /* now it runs; it has the file once it reads */
        struct cli_result r;

        cr_assert_geq(fd, 0);
        for (int i = 0; i < 2; i++) {
            static char data[1 << 20];

            cr_assert_eq(write(fd, data, sizeof data), (ssize_t)sizeof data);
        }
        /* More than a pipe holds has been taken: the program is reading. */
        r = cli("get name b --media m");
        cr_assert_eq(r.code, 1);
        cr_assert(strstr(r.err, "in use by process"), "%s", r.err);
        cr_assert(strchr(r.err, '\n') == r.err + strlen(r.err) - 1);
        close(fd);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
    cr_assert_eq(cli("get other c --media m").code, 0);
    cr_assert_eq(size_of("c"), 2 << 20);
}

Test(media, the_media_file_is_no_input_or_output)
{
    cli_random_file("a", 5000, 1);
    cr_assert_eq(cli("put a name --media m.vcd --lun-size 1G").code, 0);
    cr_assert_eq(link("m.vcd", "m2"), 0);
    cli_fails(2, "put m2 other --media m.vcd", "is a media file");
    cli_fails(2, "put - other --media m.vcd < m.vcd", "is a media file");
    cli_fails(2, "get name m2 --media m.vcd", "is a media file");
    cli_fails(1, "run --duration 1ms --media m.vcd --trace m.vcd", "is a media file");
    cr_assert_eq(cli("get name b --media m.vcd").code, 0);
    cr_assert(cli_same("a", "b"));
}

/* ---- full disks ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};

    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(media, a_full_disk_is_a_sentence_and_loses_nothing)
{
    struct cli_result r;

    cli_random_file("a", 200001, 1);
    cli_random_file("big", 24 << 20, 2); /* more than the file may have in reserve */
    cr_assert_eq(cli("put a old " NEW_MEDIA).code, 0);
    limit_files((rlim_t)size_of("m") + (4 << 20));
    r = cli("put big new --media m");
    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.err, "cannot be written") && strstr(r.err, "raise 'ulimit -f'"), "%s",
              r.err);
    cr_assert(strchr(r.err, '\n') == r.err + strlen(r.err) - 1, "%s", r.err);
    r = cli("put big old --media m");
    cr_assert_eq(r.code, 1);
    r = cli("get old b --media m");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(cli_same("a", "b"));
    limit_files(RLIM_INFINITY);
    cr_assert_eq(cli("put big new --media m").code, 0);
    limit_files(12 << 20); /* ThreadSanitizer itself needs some */
    r = cli("get new b --media m");
    cr_assert_eq(r.code, 1, "%d: %s", r.code, r.err);
    cr_assert(strstr(r.err, "b' cannot be written (File too large): raise 'ulimit -f'"), "%s",
              r.err);
    cr_assert(cli_same("a", "b"), "the older copy is still there");
    cli_fails(1, "get old /dev/full --media m", "free some space");
}

Test(media, more_than_there_is_room_for)
{
    cli_random_file("a", 5000, 1);
    cr_assert_eq(cli("put a one --media m --lun-size 256M").code, 0);
    cr_assert_eq(cli("put a two --media m").code, 0);
    cli_fails(1, "put a three --media m", "remove names that are not needed");
    cli_fails(1, "run --media m --duration 1ms --clients 1", "has no room left");
    cr_assert_eq(cli("remove one --media m").code, 0);
    cr_assert_eq(cli("put a three --media m").code, 0);
}

/* ---- kill -9 ---- */

/* Runs a traced put and kills it at its k-th system call (counting entries and exits). Returns
 * false if it ended before. *seen is how many there were. */
static bool put_until(const char *line, unsigned long k, unsigned long *seen)
{
    pid_t pid = cli_start(line, true);
    int status;

    for (*seen = 0;; (*seen)++) {
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            cr_assert_neq(WEXITSTATUS(status), 98, "no permission to trace");
            cr_assert_eq(WEXITSTATUS(status), 0);
            return false;
        }
        cr_assert(WIFSTOPPED(status));
        if (*seen == k)
            break;
        cr_assert_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
    }
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return true;
}

static bool may_trace(void)
{
    unsigned long seen;
    int status;
    pid_t pid = cli_start("--version", true);

    (void)seen;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        return false;
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return true;
}

/* Which of two files `name` holds. */
static bool holds(const char *file)
{
    cr_assert_eq(cli("get name c --media copy").code, 0);
    return cli_same("c", file);
}

Test(media, kill_at_any_system_call_leaves_the_old_or_the_new_state, .timeout = 280)
{
    enum { RUNS = 70 };
    unsigned long total, ignored, old = 0, new = 0;
    struct hal_prng p;

    if (!may_trace())
        cr_skip_test("processes may not be traced here");
    hal_prng_seed(&p, 4711, 1);
    cli_random_file("a", 300001, 1);
    cli_random_file("b", 1500001, 2);
    cr_assert_eq(cli("put a name " NEW_MEDIA).code, 0);
    cli_copy("m", "copy");
    cr_assert_not(put_until("put b name --media copy", -1ul, &total));
    cr_assert(holds("b"));
    for (unsigned i = 0; i < RUNS; i++) {
        unsigned long k = total * i / RUNS + hal_prng_below(&p, total / RUNS);

        cli_copy("m", "copy");
        cr_assert(put_until("put b name --media copy", k, &ignored), "call %lu", k);
        if (holds("a"))
            old++;
        else if (holds("b"))
            new ++;
        else
            cr_assert_fail("neither old nor new after call %lu of %lu", k, total);
    }
    cr_assert_gt(old, 0);
    cr_assert_gt(new, 0);
    cr_assert_eq(cli("put a other --media copy").code, 0, "there is room again");
    cr_assert_eq(cli("put b other --media copy").code, 0);
    cr_assert(holds("b"), "what came after the last kill changed nothing");
}
