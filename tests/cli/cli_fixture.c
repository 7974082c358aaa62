/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cli/cli_fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/support/prng.h"

#define PROGRAM "tools/superpipe" /* among the data of the test */
#define WORDS_MAX 64
#define TEXT_MAX (1u << 20)

static char program[PATH_MAX], directory[PATH_MAX], root[PATH_MAX];

/* ---- the directory ---- */

void cli_begin(void)
{
    const char *from = getenv("SUPERPIPE"), *in = getenv("TEST_TMPDIR");

    cr_assert_not_null(getcwd(root, sizeof root));
    cr_assert_not_null(realpath(from ? from : PROGRAM, program), "%s: %s", PROGRAM,
                       strerror(errno));
    snprintf(directory, sizeof directory, "%s/cli.XXXXXX", in ? in : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void cli_end(void)
{
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *cli_root(void) { return root; }

/* ---- running ---- */

static void redirect(int fd, const char *path, int flags)
{
    int from = open(path, flags, 0600);

    if (from < 0 || dup2(from, fd) < 0)
        _exit(99);
    close(from);
}

/* In the child: never comes back. */
static void become(char *line, bool traced)
{
    char *argv[WORDS_MAX] = {program, NULL}, *word, *save = NULL;
    int argc = 1;

    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    redirect(STDOUT_FILENO, "out", O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, "err", O_WRONLY | O_CREAT | O_TRUNC);
    for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (!strcmp(word, "<")) {
            redirect(STDIN_FILENO, strtok_r(NULL, " ", &save), O_RDONLY);
            continue;
        }
        for (char *c = word; (c = strchr(c, '~'));)
            *c = ' ';
        argv[argc++] = word;
    }
    unsetenv("BXFI_MAP"); /* it is no process of Criterion's */
    if (traced) {
        putenv((char[]){"ASAN_OPTIONS=detect_leaks=0"}); /* cannot look while it is traced */
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(98);
    }
    execv(program, argv);
    _exit(99);
}

pid_t cli_start(const char *line, bool traced)
{
    char copy[1024];
    pid_t pid;

    snprintf(copy, sizeof copy, "%s", line);
    pid = fork();
    if (pid == 0)
        become(copy, traced);
    cr_assert_gt(pid, 0);
    return pid;
}

static const char *read_into(const char *name, char *buf)
{
    int fd = open(name, O_RDONLY);
    ssize_t n = 0, total = 0;

    if (fd < 0)
        return NULL;
    while (total < (ssize_t)TEXT_MAX - 1 &&
           (n = read(fd, buf + total, TEXT_MAX - 1 - (size_t)total)) > 0)
        total += n;
    close(fd);
    buf[total] = 0;
    return buf;
}

struct cli_result cli(const char *line)
{
    static char out[TEXT_MAX], err[TEXT_MAX];
    pid_t pid = cli_start(line, false);
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return (struct cli_result){WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_into("out", out),
                               read_into("err", err)};
}

struct cli_result clif(const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return cli(line);
}

static struct cli_result succeed(const char *line)
{
    struct cli_result r = cli(line);

    cr_assert_eq(r.code, 0, "%s: exit code %d, %s", line, r.code, r.err);
    cr_assert_str_eq(r.err, "", "%s: says %s", line, r.err);
    return r;
}

void cli_good(const char *line) { (void)succeed(line); }

void cli_says(const char *line, const char *expected)
{
    struct cli_result r = succeed(line);

    cr_assert_str_eq(r.out, expected, "%s: prints %s", line, r.out);
}

void cli_fails(int code, const char *line, const char *part)
{
    struct cli_result r = cli(line);
    const char *err = r.err;

    cr_assert_eq(r.code, code, "%s: exit code %d, %s", line, r.code, r.err);
    if (!strncmp(err, "replay: ", 8)) /* of `run`: comes before anything can go wrong */
        err = strchr(err, '\n') + 1;
    cr_assert_not_null(strstr(err, part), "%s: says %s", line, err);
    cr_assert_eq(strncmp(err, "superpipe", 9), 0, "%s: says %s", line, err);
    cr_assert_eq(strchr(err, '\n') + 1, err + strlen(err), "%s: more than one line: %s", line, err);
    cr_assert_str_eq(r.out, "", "%s: prints %s", line, r.out);
}

/* ---- files ---- */

void cli_random_file(const char *name, size_t size, uint64_t seed)
{
    FILE *f = fopen(name, "w");
    struct hal_prng p;

    cr_assert_not_null(f);
    hal_prng_seed(&p, seed, 1);
    for (size_t i = 0; i < size; i++)
        putc((int)(hal_prng_next(&p) & 0xFF), f);
    cr_assert_eq(fclose(f), 0);
}

bool cli_same(const char *a, const char *b)
{
    FILE *fa = fopen(a, "r"), *fb = fopen(b, "r");
    int ca = 0, cb = 0;

    while (fa && fb && ca == cb && ca != EOF) {
        ca = getc(fa);
        cb = getc(fb);
    }
    if (fa)
        fclose(fa);
    if (fb)
        fclose(fb);
    return fa && fb && ca == cb;
}

const char *cli_read(const char *name)
{
    static char text[TEXT_MAX];

    return read_into(name, text);
}

const char *cli_json(const char *json, const char *name)
{
    static char value[512];
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\"%s\":", name);
    at = strstr(json, key);
    cr_assert_not_null(at, "no %s in %s", name, json);
    if (!at)
        return "";
    at += strlen(key);
    at += strspn(at, " \t");
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, ",\n"), at);
    return value;
}

unsigned long cli_json_number(const char *json, const char *name)
{
    return strtoul(cli_json(json, name), NULL, 10);
}

void cli_copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    char block[65536];
    size_t n;

    cr_assert(in && out);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        cr_assert_eq(fwrite(block, 1, n, out), n);
    cr_assert_eq(fclose(in), 0);
    cr_assert_eq(fclose(out), 0);
}
