/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a test of a trace writer: made, read as a whole, compared, removed. */
#ifndef TESTS_UNIT_SIM_SIM_TRACE_OUTPUT_FIXTURE_H
#define TESTS_UNIT_SIM_SIM_TRACE_OUTPUT_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[256]; /* of the file of this test */

static inline void make_path(void)
{
    const char *base = getenv("TEST_TMPDIR");
    int fd;

    snprintf(path, sizeof path, "%s/sim_trace_test.XXXXXX", base ? base : P_tmpdir);
    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static inline void remove_path(void) { (void)unlink(path); }

/* The whole file with a final 0, freed by the caller; its size, without that, in *size if wanted.
 */
static inline char *contents(size_t *size)
{
    FILE *f = fopen(path, "r");
    size_t room = 1 << 23, n;
    char *text = malloc(room);

    cr_assert(f && text);
    n = fread(text, 1, room - 1, f);
    cr_assert(n < room - 1 && !ferror(f));
    fclose(f);
    text[n] = 0;
    if (size)
        *size = n;
    return text;
}

static inline void expect_text(const char *got, const char *expected)
{
    size_t same = 0;

    while (got[same] && got[same] == expected[same])
        same++;
    cr_assert(got[same] == expected[same], "from byte %zu: got '%.60s', not '%.60s'", same,
              got + same, expected + same);
}

#endif
