/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe vlun: single requests on a media file, each in a run of its own. The LUNs of the tests
 * have 4 chunks of 256 MiB (65536 blocks of 4096 bytes, VL-6). */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "tests/cli/cli_fixture.h"
#include "tests/testlib/proves.h"
#include "tools/json.h"

TestSuite(vlun, .init = cli_begin, .fini = cli_end);

#define NEW_MEDIA "--media m --lun-size 1G"
#define CHUNK 268435456.0

/* A number of what `vlun stat --json` prints of a name. */
static double stat_of(const char *name, const char *member)
{
    struct cli_result r = clif("vlun stat %s --json --media m", name);
    cJSON *root = cJSON_Parse(r.out);
    double value;

    cr_assert_not_null(root, "%s%s", r.out, r.err);
    cr_assert(cJSON_IsNumber(cJSON_GetObjectItem(root, member)), "%s: %s", member, r.out);
    value = cJSON_GetObjectItem(root, member)->valuedouble;
    cJSON_Delete(root);
    return value;
}

/* ---- create ---- */

Test(vlun, create_tells_what_was_granted)
{
    cli_says("vlun create a --size 300M " NEW_MEDIA,
             "a created on LUN 0: 2 chunks, 512 MiB, last LBA 131071\n");
    cli_says("vlun create b --size 1 --media m", /* more is free there */
             "b created on LUN 1: 1 chunk, 256 MiB, last LBA 65535\n");
    cli_says("vlun create c --size 1 --lun 1 --media m",
             "c created on LUN 1: 1 chunk, 256 MiB, last LBA 65535\n");
    cli_says("vlun create nothing --size 0 --lun 0 --media m",
             "nothing created on LUN 0: 0 chunks, 0 B\n");
    cli_says("vlun create quiet --size 1 --quiet --media m", "");
    cr_assert_eq(stat_of("a", "size"), 2 * CHUNK);
    cr_assert_eq(stat_of("a", "bytes"), 0);
    cr_assert_eq(stat_of("nothing", "size"), 0);
    cli_good("get a empty --media m");
    cr_assert_str_eq(cli_read("empty"), "");
    PROVES(VL_32);
    PROVES(VL_34);
}

Test(vlun, a_smaller_grant_is_said_and_none_is_a_failure)
{
    cli_good("vlun create a --size 1 " NEW_MEDIA);
    cli_says("vlun create b --size 2G --lun 0 --media m",
             "b created on LUN 0: 3 chunks, 768 MiB, last LBA 196607 "
             "(of 2 GiB asked for: LUN 0 has no more)\n");
    cli_fails(1, "vlun create c --size 1 --lun 0 --media m", "LUN 0 has no free chunk: release");
    cli_fails(1, "vlun stat c --media m", "there is no virtual LUN 'c'");
    PROVES(SP_64);
}

Test(vlun, an_existing_name_is_not_replaced)
{
    cli_random_file("in", 5000, 1);
    cli_good("put in a " NEW_MEDIA);
    cli_fails(1, "vlun create a --size 1G --media m",
              "there is a virtual LUN 'a' in 'm' already: choose another name, or release it first "
              "with 'superpipe vlun release a --media m'");
    cli_good("get a out.bin --media m");
    cr_assert(cli_same("in", "out.bin"));
    cli_fails(1, "vlun create b --size 1 --lun 2 --media m", "there is no LUN 2 in 'm'");
}

/* ---- resize ---- */

Test(vlun, data_survive_growing_and_shrinking_behind_them)
{
    cli_random_file("in", 300001, 1);
    cli_good("put in a " NEW_MEDIA);
    cli_says("vlun resize a --size 768M --media m", "a was 1 chunk, 256 MiB, last LBA 65535; is 3 "
                                                    "chunks, 768 MiB, last LBA 196607\n");
    cli_good("vlun create other --size 256M --lun 0 --media m");
    cli_good("vlun resize a --size 257M --quiet --media m");
    cr_assert_eq(stat_of("a", "chunks"), 2);
    cr_assert_eq(stat_of("a", "last_lba"), 131071);
    cr_assert_eq(stat_of("a", "bytes"), 300001);
    cli_good("get a out.bin --media m");
    cr_assert(cli_same("in", "out.bin"));
}

Test(vlun, growing_beyond_what_there_is)
{
    cli_good("vlun create a --size 512M " NEW_MEDIA);
    cli_good("vlun create b --size 256M --lun 0 --media m");
    cli_says("vlun resize a --size 1G --media m",
             "a was 2 chunks, 512 MiB, last LBA 131071; is 3 chunks, 768 MiB, last LBA 196607 "
             "(of 1 GiB asked for: LUN 0 has no more)\n");
    PROVES(SP_69);
    cli_fails(1, "vlun resize a --size 1G --media m", "'a' cannot grow, LUN 0 has no free chunk");
    cr_assert_eq(stat_of("a", "chunks"), 3);
    cli_says("vlun resize a --size 768M --media m",
             "a was 3 chunks, 768 MiB, last LBA 196607; is 3 "
             "chunks, 768 MiB, last LBA 196607\n");
}

Test(vlun, shrinking_to_nothing_cuts_everything)
{
    cli_random_file("in", 300001, 1);
    cli_good("put in a " NEW_MEDIA);
    cli_says("vlun resize a --size 0 --media m",
             "a was 1 chunk, 256 MiB, last LBA 65535; is 0 chunks, 0 B\n"
             "of 300,001 bytes that were put into it 0 are left\n");
    cli_good("vlun resize a --size 1 --media m");
    cr_assert_eq(stat_of("a", "bytes"), 0, "it does not come back");
    cli_good("get a out.bin --media m");
    cr_assert_str_eq(cli_read("out.bin"), "");
    cli_fails(1, "vlun resize b --size 1 --media m", "there is no virtual LUN 'b' in 'm'");
}

/* ---- clone ---- */

Test(vlun, a_clone_shares_the_chunks)
{
    cli_random_file("in", 300001, 1);
    cli_good("put in a " NEW_MEDIA);
    cli_good("vlun resize a --size 512M --quiet --media m");
    cli_says("vlun clone a b --media m",
             "b shares all of a on LUN 0: 2 chunks, 512 MiB, last LBA 131071\n");
    cr_assert_eq(stat_of("b", "bytes"), 300001);
    cli_good("get b out.bin --media m");
    cr_assert(cli_same("in", "out.bin"));
    cli_says("lun mode 0 --media m", "LUN 0: virtual (2 names with 4 chunks, 0 open handles), 2 of "
                                     "4 chunks in use, ports enabled: 0,1\n");
    cli_says("vlun release a --media m", "a released, 0 of its 2 chunks free again\n");
    cli_good("get b out.bin --media m");
    cr_assert(cli_same("in", "out.bin"), "the other owner keeps everything");
    cli_says("vlun release b --media m", "b released, 2 of its 2 chunks free again\n");
}

Test(vlun, names_that_share_go_their_own_ways)
{
    cli_random_file("in", 300001, 1);
    cli_random_file("new", 7000, 2);
    cli_good("put in a " NEW_MEDIA);
    cli_good("vlun clone a b --quiet --media m");
    cli_good("vlun clone b c --quiet --media m");
    cli_good("vlun resize b --size 512M --media m");
    cr_assert_eq(stat_of("a", "chunks"), 1, "the resize of one does not change the other");
    cr_assert_eq(stat_of("b", "chunks"), 2);
    cli_good("vlun resize b --size 0 --media m");
    cli_good("put new a --media m");
    cli_good("get c out.bin --media m");
    cr_assert(cli_same("in", "out.bin"), "what was put under one name is not under the other");
    cli_good("get a out.bin --media m");
    cr_assert(cli_same("new", "out.bin"));
    cli_says("vlun release c --media m", "c released, 1 of its 1 chunks free again\n");
}

Test(vlun, clones_that_cannot_be)
{
    cli_good("vlun create a --size 1 --lun 0 " NEW_MEDIA);
    cli_good("vlun create nothing --size 0 --media m");
    cli_fails(1, "vlun clone b c --media m", "there is no virtual LUN 'b' in 'm'");
    cli_fails(1, "vlun clone a nothing --media m", "there is a virtual LUN 'nothing' in 'm'");
    cli_fails(1, "vlun clone a a --media m", "there is a virtual LUN 'a' in 'm' already");
    cli_says("vlun clone nothing more --media m",
             "more shares all of nothing on LUN 1: 0 chunks, 0 "
             "B\n");
    cr_assert_eq(stat_of("a", "chunks"), 1);
}

/* ---- release, list, stat ---- */

Test(vlun, release_gives_the_chunks_back)
{
    cli_good("vlun create a --size 1G " NEW_MEDIA);
    cli_fails(1, "vlun create b --size 1 --lun 0 --media m", "has no free chunk");
    cli_says("vlun release a --media m", "a released, 4 of its 4 chunks free again\n");
    cli_fails(1, "vlun release a --media m", "there is no virtual LUN 'a'");
    cli_fails(1, "get a out.bin --media m", "there is no virtual LUN 'a'");
    cli_says("vlun create b --size 1G --lun 0 --media m",
             "b created on LUN 0: 4 chunks, 1 GiB, last LBA 262143\n");
    cli_says("vlun release b --quiet --media m", "");
    cli_says("vlun list --media m", "There are no named virtual LUNs in 'm'.\n");
}

Test(vlun, list_and_stat)
{
    static const char table[] = "NAME             LUN    CHUNKS       SIZE                BYTES\n"
                                "a                  0         1    256 MiB                5,000\n"
                                "b                  1         2    512 MiB                    0\n";

    cli_random_file("in", 5000, 1);
    cli_good("put in a " NEW_MEDIA);
    cli_good("vlun create b --size 512M --lun 1 --media m");
    cli_says("vlun list --media m", table);
    cli_says("list --media m", table);
    cli_says("vlun stat a --media m",
             "Name:      a\n"
             "LUN:       0, WWID 6ffffff0000000000000000000000001, blocks of "
             "4096 bytes\n"
             "Size:      256 MiB, 268,435,456 bytes\n"
             "Chunks:    1 of 256 MiB\n"
             "Last LBA:  65535 in blocks of 4096 bytes\n"
             "Bytes put: 5,000\n");
    cli_fails(1, "vlun stat c --media m", "there is no virtual LUN 'c' in 'm'");
}

Test(vlun, json)
{
    cJSON *root, *names, *b;

    cli_good("vlun create a --size 0 " NEW_MEDIA);
    cli_good("vlun create b --size 1 --lun 1 --media m");
    root = cJSON_Parse(cli("vlun list --json --media m").out);
    names = cJSON_GetObjectItem(root, "names");
    cr_assert_eq(cJSON_GetArraySize(names), 2);
    b = cJSON_GetArrayItem(names, 1);
    cr_assert_str_eq(cJSON_GetObjectItem(b, "name")->valuestring, "b");
    cr_assert_eq(cJSON_GetObjectItem(b, "lun")->valuedouble, 1);
    cr_assert_eq(cJSON_GetObjectItem(b, "chunks")->valuedouble, 1);
    cr_assert_eq(cJSON_GetObjectItem(b, "size")->valuedouble, CHUNK);
    cJSON_Delete(root);
    root = cJSON_Parse(cli("vlun stat a --json --media m").out);
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(root, "last_lba")));
    cr_assert_str_eq(cJSON_GetObjectItem(root, "wwid")->valuestring,
                     "6ffffff0000000000000000000000001");
    cJSON_Delete(root);
    cr_assert_eq(stat_of("b", "chunk_size"), CHUNK);
    cr_assert_eq(stat_of("b", "blocks"), 65536);
    cr_assert_eq(stat_of("b", "lun_block_size"), 4096);
}

/* ---- another adapter ---- */

Test(vlun, an_adapter_of_another_kind_serves_the_same_media)
{
    cli_good("vlun create a --size 1 --profile flashgt " NEW_MEDIA);
    cli_good("vlun resize a --size 512M --profile zero --media m");
    cli_good("vlun list --param ports=1 --media m");
    cr_assert_eq(stat_of("a", "chunks"), 2);
    cli_fails(2, "vlun list --param prts=1 --media m", "did you mean 'ports'");
}

Test(vlun, what_only_looks_needs_no_media_of_its_own)
{
    int fd;

    cli_good("vlun create a --size 1 " NEW_MEDIA);
    cli_copy("m", "before");
    fd = open("m", O_RDONLY);
    cr_assert_eq(flock(fd, LOCK_SH), 0); /* as another reader does */
    cli_good("vlun list --media m");
    cli_good("vlun stat a --media m");
    cli_good("lun list --media m");
    cli_good("lun mode 1 --disable 0 --media m");
    cli_fails(1, "vlun resize a --size 0 --media m", "in use");
    close(fd);
    cr_assert(cli_same("m", "before"));
}
