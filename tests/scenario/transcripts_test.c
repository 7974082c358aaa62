/* SPDX-License-Identifier: Apache-2.0 */
/* The transcripts of tests/scenario/transcript: what comes of each step is what the file says.
 * `bazel run //tests/scenario:transcripts -- --update` writes the files anew, for a review of the
 * difference; it sets SPIPE_UPDATE_TRANSCRIPTS to the folder. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/transcript.h"
#include "tests/testlib/proves.h"

#define FOLDER "tests/scenario/transcript"

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    cr_assert_not_null(f, "%s", path);
    cr_assert_geq(getdelim(&text, &size, 0, f), 0, "%s is empty", path);
    fclose(f);
    return text;
}

static void write_all(const char *folder, const char *name, const char *text)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.txt", folder, name);
    f = fopen(path, "w");
    cr_assert_not_null(f, "%s", path);
    cr_assert_geq(fputs(text, f), 0);
    cr_assert_eq(fclose(f), 0);
}

/* Number of the first line that differs, and where it begins in both. */
static unsigned difference(const char **a, const char **b)
{
    unsigned line = 1;

    while (**a && **b) {
        size_t n = strcspn(*a, "\n"), m = strcspn(*b, "\n");

        if (n != m || memcmp(*a, *b, n) != 0)
            break;
        *a += n + ((*a)[n] != 0);
        *b += m + ((*b)[m] != 0);
        line++;
    }
    return line;
}

static void check(const char *name)
{
    const char *folder = getenv("SPIPE_UPDATE_TRANSCRIPTS");
    char path[128], *text, *now;
    const char *a, *b;
    unsigned line;

    snprintf(path, sizeof path, FOLDER "/%s.txt", name);
    a = text = read_all(path);
    b = now = transcript_run(text);
    if (folder) {
        write_all(folder, name, now);
    } else if (strcmp(text, now) != 0) {
        line = difference(&a, &b);
        cr_assert_fail("%s.txt:%u says\n%.*s\nbut now it is\n%.*s", name, line,
                       (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
    }
    free(text);
    free(now);
}

TestSuite(transcripts, .timeout = 60);

#define TRANSCRIPTS(X)                                                                             \
    X(allocation_failure_in_attach)                                                                \
    X(crc_threshold)                                                                               \
    X(eeh_frozen_slot)                                                                             \
    X(eeh_permanent_failure)                                                                       \
    X(grow_with_failed_sync)                                                                       \
    X(link_flap)                                                                                   \
    X(login_failure)                                                                               \
    X(lost_interrupt)                                                                              \
    X(lost_response)                                                                               \
    X(reset_with_contexts)                                                                         \
    X(sync_lost_once)                                                                              \
    X(sync_lost_and_context_reset_stuck)                                                           \
    X(wwpn_from_vpd)

#define TRANSCRIPT(name)                                                                           \
    Test(transcripts, name) { check(#name); }
TRANSCRIPTS(TRANSCRIPT)

/* No file without a test. */
Test(transcripts, all_are_run)
{
#define NAME(name) #name ".txt",
    static const char *const known[] = {TRANSCRIPTS(NAME)};
    DIR *dir = opendir(FOLDER);
    struct dirent *entry;
    unsigned files = 0;

    cr_assert_not_null(dir);
    while ((entry = readdir(dir))) {
        bool found = entry->d_name[0] == '.';

        files += !found;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found |= !strcmp(entry->d_name, known[i]);
        cr_assert(found, "%s", entry->d_name);
    }
    closedir(dir);
    cr_assert_eq(files, sizeof known / sizeof *known);
}
