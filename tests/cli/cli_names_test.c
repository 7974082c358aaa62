/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe run --names: blocks of virtual LUNs whose names are in a file. The test gives them, as
 * a program with the library does; subcommands that do are in cli_card_test.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/posix/posix_record_file.h"
#include "core/superpipe.h"
#include "tests/cli/cli_fixture.h"
#include "tools/named_vlun.h"
#include "tools/session.h"
#include "tools/vlun_handle.h"

TestSuite(names, .init = cli_begin, .fini = cli_end);

/* Clients of the run take a chunk each; LUN 0, the only one, has four. */
#define RUN "run --duration 300us --handles 1 --size 1M --luns 1 --lun-size 1G --media m "

/* Two of the four get a name. */
static int name_two_chunks(struct session *s, void *arg, char *why, size_t size)
{
    struct vlun_handle v = {0};

    (void)arg;
    cr_assert_eq(vlun_handle_begin(&v, s->spipe[0], 0, 0), 0);
    cr_assert_eq(vlun_handle_create(&v, UINT64_C(2) * SPIPE_CHUNK_BLOCKS), 0);
    cr_assert_eq(named_vlun_set(s, v.ctx, v.handle, "disk", 4711, why, size), 0, "%s", why);
    return vlun_handle_end(&v);
}

static int find_them(struct session *s, void *arg, char *why, size_t size)
{
    struct named_vlun v;

    (void)arg;
    cr_assert_eq(named_vlun_find(s, "disk", &v, why, size), 0, "%s", why);
    cr_assert_eq(v.chunks, 2);
    cr_assert_eq(v.info.byte_length, 4711);
    return 0;
}

/* Over the media file "m" of runs, with names in "names". */
static void with_library(session_body *body)
{
    static struct session s;
    struct session_config c = {.media = SESSION_MEDIA_MAKE,
                               .path = {"m"},
                               .names = "names",
                               .luns = 1,
                               .lun_bytes = UINT64_C(1) << 30};
    char why[SESSION_WHY_BYTES] = "";

    cr_assert_eq(session_open(&c, &s, why, sizeof why), 0, "%s", why);
    cr_assert_eq(session_run(&s, body, NULL, why, sizeof why), 0, "%s", why);
    session_close(&s);
}

static struct stat status_of(const char *name)
{
    struct stat st;

    cr_assert_eq(stat(name, &st), 0);
    return st;
}

Test(names, blocks_with_a_name_are_nobody_elses)
{
    with_library(name_two_chunks);
    for (unsigned i = 0; i < 2; i++) {
        struct cli_result r = cli(RUN "--names names --json --clients 2");

        cr_assert_eq(r.code, 0, "%s", r.err);
        cr_assert_str_eq(cli_json(r.out, "passed"), "true");
        cli_fails(1, RUN "--names names --clients 3", "has no room left");
    }
    with_library(find_them);
    cli_fails(1, RUN "--names names2 --clients 5", "has no room left");
    cli_good(RUN "--names names2 --clients 4 --json"); /* another file knows nothing of them */
}

/* A file that is only read: the same run, cycle for cycle, also again, and nothing is written. */
Test(names, a_run_changes_nothing)
{
    static const char *const options[] = {"", "--names sub/names", "--names sub/names"};
    char hash[32] = "";

    for (unsigned i = 0; i < 3; i++) {
        struct cli_result r = clif("run --duration 300us --clients 2 --json %s", options[i]);

        cr_assert_eq(r.code, 0, "%s", r.err);
        if (!*hash)
            snprintf(hash, sizeof hash, "%s", cli_json(r.out, "trace_hash"));
        cr_assert_str_eq(cli_json(r.out, "trace_hash"), hash, "%s", options[i]);
        cr_assert(!*options[i] || strstr(r.out, options[i]), "it belongs to the replay line");
    }
    cr_assert_eq(status_of("sub").st_mode & 0777, 0700);
    cr_assert_eq(status_of("sub/names").st_mode & 0777, 0600);
    cr_assert_eq(status_of("sub/names").st_blocks, 0);
}

Test(names, one_process_at_a_time)
{
    static struct posix_record_file mine;
    char why[256];

    cr_assert_eq(posix_record_file_open(&mine, "names", 0, why, sizeof why), 0, "%s", why);
    cli_fails(1, "run --duration 300us --names names", "'names' is in use: it serves one group");
    posix_record_file_close(&mine);
    cli_good("run --duration 300us --names names --json");
}

Test(names, what_is_no_file_of_names)
{
    cli_random_file("junk", 5000, 1);
    cli_fails(1, "run --duration 300us --names junk", "'junk' is damaged, or no file of names");
    cr_assert_eq(truncate("junk", 100), 0);
    cli_fails(1, "run --duration 300us --names junk", "'junk' has 100 bytes, too few");
    cli_fails(1, "run --duration 300us --names no/such/file", "there is no directory to make it");
    cli_fails(1, "run --duration 300us --names .", "'.' is a directory");
    cr_assert_eq(symlink("other", "link"), 0);
    cli_fails(1, "run --duration 300us --names link", "is a symbolic link");
    cr_assert_eq(access("other", F_OK), -1);
}

/* Names that nobody would respect, files that would be written over. */
Test(names, what_does_not_go_together)
{
    cli_random_file("in", 100, 1);
    cli_good("put in kept --quiet --media kept.spm --lun-size 1G");
    cli_fails(1, "run --duration 300us --media kept.spm --names names",
              "media file 'kept.spm' has names of its own, which are not in 'names'");
    cli_good("get kept out.bin --quiet --media kept.spm");
    cr_assert(cli_same("in", "out.bin"));
    cli_fails(1, "run --duration 300us --media kept.spm --names kept.spm", "is a media file");
    cli_fails(1, "run --duration 300us --names names --events names",
              "'names' is the file of names");
    cli_fails(1, "run --duration 300us --names n.vcd --trace n.vcd",
              "'n.vcd' is the file of names");
    cli_fails(1, "run --duration 300us --names names --record names", "is the file of names");
    cli_fails(2, "run --duration 300us --names names --adapters 2", "--names is for one adapter");
}
