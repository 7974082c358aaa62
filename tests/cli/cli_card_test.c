/* SPDX-License-Identifier: Apache-2.0 */
/* put, get, vlun and their neighbours over backends/capi, as on a card: the adapter behind the
 * stand-in for IBM's libcxl, its LUNs in a media file, so that one process finds what another has
 * left, and the names in a file beside it. On a machine with a card --backend capi would take that,
 * so the library is named. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/cli_fixture.h"

TestSuite(card, .init = cli_begin, .fini = cli_end);

#define FIRST "6ffffff0000000000000000000000001"
#define SECOND "6ffffff0000000010000000000000001"

/* "--backend capi" with the stand-in for the library. */
static const char *capi(void)
{
    static char options[1024];

    snprintf(options, sizeof options, "--backend capi --libcxl %s/sim/libcxl/libcxl.so.1",
             cli_root());
    return options;
}

static struct cli_result card(const char *line)
{
    return clif("%s %s --media m --names n", line, capi());
}

static void good(const char *line)
{
    struct cli_result r = card(line);

    cr_assert_eq(r.code, 0, "%s: %s", line, r.err);
    cr_assert_str_eq(r.err, "", "%s", line);
}

static void fails(int code, const char *part, struct cli_result r)
{
    cr_assert_eq(r.code, code, "%d: %s", r.code, r.err);
    cr_assert_not_null(strstr(r.err, part), "%s", r.err);
    cr_assert(strchr(r.err, '\n') == r.err + strlen(r.err) - 1, "one sentence: %s", r.err);
}

/* ---- what the subcommands do ---- */

Test(card, put_in_one_process_and_get_in_another)
{
    cli_random_file("a", 1300017, 1);
    cli_random_file("b", 5000, 2);
    good("put a backup --lun-size 1G --quiet");
    good("get backup out.bin --quiet");
    cr_assert(cli_same("a", "out.bin"));
    good("put b backup --quiet");
    good("get backup out.bin --quiet");
    cr_assert(cli_same("b", "out.bin"), "replaced");
    cr_assert_eq(card("get other out.bin").code, 1);
    cr_assert(cli_same("b", "out.bin"), "nothing was written");
}

/* The names are in the file, and the data in the media: each without the other is nothing. */
Test(card, names_are_where_they_were_asked_for)
{
    struct cli_result r;

    cli_random_file("a", 5000, 1);
    good("put a backup --lun-size 1G --quiet");
    r = card("list --json");
    cr_assert_str_eq(cli_json(r.out, "name"), "\"backup\"");
    cr_assert_eq(cli_json_number(r.out, "bytes"), 5000);
    cli_says("list --media m", "There are no named virtual LUNs in 'm'.\n");
    r = clif("list %s --media m --names other", capi());
    cr_assert_str_eq(r.out, "There are no named virtual LUNs in 'other'.\n");
    good("remove backup --quiet");
    r = card("list");
    cr_assert_str_eq(r.out, "There are no named virtual LUNs in 'n'.\n");
}

/* Without --names they are in the media, and the way to the adapter makes no difference. */
Test(card, the_same_media_without_the_library)
{
    cli_random_file("a", 300001, 1);
    cr_assert_eq(clif("put a backup %s --media m --lun-size 1G", capi()).code, 0);
    cli_good("get backup out.bin --quiet --media m");
    cr_assert(cli_same("a", "out.bin"));
    cli_good("put a again --quiet --media m");
    cr_assert_eq(clif("get again out2.bin %s --media m", capi()).code, 0);
    cr_assert(cli_same("a", "out2.bin"));
}

Test(card, blocks_of_names_are_nobody_elses)
{
    cli_random_file("a", 300001, 1);
    good("put a keep --lun-size 1G --quiet");
    good("run --duration 300us --handles 1 --clients 4 --size 1M --json");
    good("get keep out.bin --quiet");
    cr_assert(cli_same("a", "out.bin"));
}

Test(card, virtual_luns_by_hand)
{
    struct cli_result r;

    good("vlun create one --size 512M --lun-size 2G --quiet");
    r = card("vlun resize one --size 1G");
    cr_assert_str_eq(r.out, "one was 2 chunks, 512 MiB, last LBA 131071; is 4 chunks, 1 GiB, "
                            "last LBA 262143\n");
    good("vlun clone one two --quiet");
    r = card("vlun list --json");
    cr_assert_not_null(strstr(r.out, "\"two\""), "%s", r.out);
    r = card("vlun stat two --json");
    cr_assert_eq(cli_json_number(r.out, "chunks"), 4);
    r = card("vlun release one");
    cr_assert_str_eq(r.out, "one released, 0 of its 4 chunks free again\n");
    r = card("vlun release two");
    cr_assert_str_eq(r.out, "two released, 4 of its 4 chunks free again\n");
}

Test(card, luns)
{
    struct cli_result r;

    good("vlun create one --size 1 --lun-size 1G --quiet --lun " SECOND);
    r = card("lun list --json");
    cr_assert_not_null(strstr(r.out, FIRST), "%s", r.out);
    cr_assert_not_null(strstr(r.out, SECOND), "%s", r.out);
    r = card("lun mode 1 --json");
    cr_assert_str_eq(cli_json(r.out, "mode"), "\"virtual\"");
    cr_assert_eq(cli_json_number(r.out, "names"), 1, "it knows the file of names");
    r = card("lun mode 0 --json");
    cr_assert_str_eq(cli_json(r.out, "mode"), "\"none\"");
}

/* ---- which LUN ---- */

static void lies_on(const char *name, unsigned lun)
{
    struct cli_result r = clif("vlun stat %s %s --json --media m --names n", name, capi());

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_eq(cli_json_number(r.out, "lun"), lun, "%s", r.out);
}

Test(card, luns_by_name)
{
    cli_random_file("a", 5000, 1);
    good("put a zero --lun-size 768M --quiet --lun " FIRST);
    good("put a one --quiet --lun " SECOND);
    good("put a two --quiet --lun 0x" SECOND);
    good("put a three --quiet --lun 1");
    good("put a four --quiet --lun " FIRST " --lun " SECOND);
    lies_on("zero", 0);
    lies_on("one", 1);
    lies_on("two", 1);
    lies_on("three", 1);
    lies_on("four", 0);
    fails(1,
          "no LUN that may be used has more than 0 B left: remove names that are not needed or "
          "use another LUN",
          card("put a five --lun 1"));
    fails(1, "there is no LUN 7 in 'n': 'superpipe lun list --backend capi",
          card("put a five --lun 7"));
    fails(1, "the adapter has no LUN 6fffffff000000000000000000000000; it has: " FIRST,
          card("vlun create five --size 1 --lun 6fffffff000000000000000000000000"));
    fails(2, "must be a number from 0 to 254, or the 32 hexadecimal digits",
          card("put a b --lun x"));
}

/* A file of names knows LUNs that the adapter does not have. */
Test(card, a_name_whose_lun_is_elsewhere)
{
    cli_random_file("a", 5000, 1);
    good("put a one --lun-size 1G --quiet --lun " SECOND);
    cli_good("run --media single --luns 1 --duration 10us --clients 1 --handles 1 --json");
    fails(1,
          "the LUN that 'one' lies on is not on this adapter: 'superpipe vlun stat one --backend",
          clif("get one out.bin %s --media single --names n", capi()));
    fails(1, "is not on this adapter",
          clif("vlun resize one --size 1 %s --media single --names n", capi()));
    good("get one out.bin --quiet");
    cr_assert(cli_same("a", "out.bin"));
}

/* ---- refusals ---- */

/* What a simulated card has in memory would be gone. */
Test(card, no_card_and_no_media)
{
    cli_random_file("a", 5000, 1);
    fails(1, "with --media PATH, since this is no card", clif("put a b %s --names n", capi()));
    fails(1, "with --media PATH, since this is no card", clif("list %s --names n", capi()));
    cli_fails(1, "put a b --backend sim", "the simulated adapter with --media PATH");
    cli_fails(2, "put a b", "--media is missing: superpipe put FILE NAME --media PATH|--backend");
    fails(1, "is the stand-in for libcxl, which is no card", card("put a b --require-card"));
    cr_assert_neq(access("m", F_OK), 0, "nothing was made");
}

Test(card, options_of_another_back_end)
{
    cli_fails(2, "put a b --media m --libcxl x", "are for --backend capi");
    cli_fails(2, "get a b --media m --afu afu0.0", "are for --backend capi");
    cli_fails(2, "vlun list --media m --require-card", "are for --backend capi");
    cli_fails(2, "lun provision --media m --backend capi", "there is no option --backend");
}

Test(card, files_of_the_session)
{
    cli_random_file("a", 5000, 1);
    good("put a b --lun-size 1G --quiet");
    fails(2, "'n' is the file of names: name another file to be stored", card("put n c"));
    fails(2, "'n' is the file of names: name another file to write to", card("get b n"));
    fails(2, "'m' is a media file: name another file to write to", card("get b m"));
    fails(1, "there is no virtual LUN 'c' in 'n': 'superpipe list --backend capi",
          card("get c out.bin"));
    fails(1, "--names n' shows what there is", card("remove c"));
    fails(1, "there is a virtual LUN 'b' in 'n' already", card("vlun create b --size 1"));
}

/* Any library that is not the stand-in leads to cards of this machine, and those have no media.
 * With
 * --names, so that a program that did not refuse would leave the machine's file alone. */
Test(card, a_card_has_its_own_media)
{
    cli_random_file("a", 5000, 1);
    fails(1, "'m' is a media file, and the adapter is a card: leave --media out",
          clif("put a b --backend capi --libcxl %s/tests/unit/backends/libcapi_private.so "
               "--media m --names n",
               cli_root()));
    cr_assert_neq(access("m", F_OK), 0, "nothing was made");
    cr_assert_neq(access("n", F_OK), 0, "nothing was made");
}
