/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the program `superpipe` as a user does, in a directory of its own. */
#ifndef TESTS_CLI_CLI_FIXTURE_H
#define TESTS_CLI_CLI_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What a run of the program left behind. The texts are valid until the next run. */
struct cli_result {
    int code; /* exit code, or -1 when a signal ended it */
    const char *out, *err;
};

/** Makes an empty directory and goes there; cli_end removes it. For .init and .fini of a suite. */
void cli_begin(void);
void cli_end(void);

/** Where the test was started: the data of the test lie below it. */
const char *cli_root(void);

/** Runs superpipe with words that are separated by blanks ("run --depth 4"). A word that must hold
 * a blank has '~' for it. A last part "< FILE" gives standard input. */
struct cli_result cli(const char *line);

/** The same with printf's formats. */
struct cli_result clif(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Starts it and returns the process, which is traced if asked for (and stands before its first
 * instruction then). */
pid_t cli_start(const char *line, bool traced);

/** Asserts that a run succeeded without a word on standard error. */
void cli_good(const char *line);

/** Asserts that a run succeeded and wrote exactly `expected` to standard output. */
void cli_says(const char *line, const char *expected);

/** Asserts that a run failed with this code and said one sentence that contains `part`. */
void cli_fails(int code, const char *line, const char *part);

/** Writes a file of random bytes. */
void cli_random_file(const char *name, size_t size, uint64_t seed);

/** Copies a file. */
void cli_copy(const char *from, const char *to);

/** Whether two files hold the same bytes. */
bool cli_same(const char *a, const char *b);

/** A file as text (with a final 0), valid until the next call; NULL when it cannot be read. */
const char *cli_read(const char *name);

/** Value of a member of a JSON object as text: what stands behind `"name":`, up to ',' or the end
 * of the line. Valid until the next call. */
const char *cli_json(const char *json, const char *name);

/** The same as a number. */
unsigned long cli_json_number(const char *json, const char *name);

#endif
