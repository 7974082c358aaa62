/* SPDX-License-Identifier: Apache-2.0 */
/* Help, versions, exit codes, and what is said about wrong command lines and bad files. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "tests/cli/cli_fixture.h"

TestSuite(usage, .init = cli_begin, .fini = cli_end);

static const char *const commands[] = {
    "run",        "put",           "get",       "list",        "remove",
    "doctor",     "info",          "trace",     "vlun create", "vlun resize",
    "vlun clone", "vlun release",  "vlun list", "vlun stat",   "lun list",
    "lun mode",   "lun provision", "events",    "port list",   "port statistics",
    "port set",   "attr list",     "attr get",  "attr set",    "attr export",
    "scsi"};
static const char *const groups[] = {"vlun", "lun", "port", "attr"};

Test(usage, help_and_version)
{
    struct cli_result r = cli("--help");

    cr_assert_eq(r.code, 0);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(commands); i++) {
        char word[32];

        snprintf(word, sizeof word, "\n  %.*s ", (int)strcspn(commands[i], " "), commands[i]);
        cr_assert(strstr(r.out, word), "%s is not in --help", word);
    }
    cr_assert_str_eq(r.err, "");
    cr_assert_eq(cli("help").code, 0);
    cr_assert_eq(strncmp(cli("--version").out, "superpipe ", 10), 0);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(commands); i++) {
        r = clif("%s --help", commands[i]);
        cr_assert_eq(r.code, 0);
        cr_assert_eq(strncmp(r.out, "Usage: superpipe ", 17), 0, "%s", r.out);
        cr_assert(strstr(r.out, "Exit status:"));
        cr_assert_eq(strncmp(clif("help %s", commands[i]).out, "Usage: superpipe ", 17), 0);
        r = clif("%s --version", commands[i]);
        cr_assert_eq(r.code, 0);
        cr_assert_eq(strncmp(r.out, "superpipe ", 10), 0);
    }
}

Test(usage, help_of_groups)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(groups); i++) {
        char first[64];
        struct cli_result r = clif("%s --help", groups[i]);

        cr_assert_eq(r.code, 0);
        snprintf(first, sizeof first, "Usage: superpipe %s COMMAND", groups[i]);
        cr_assert_eq(strncmp(r.out, first, strlen(first)), 0, "%s", r.out);
        cr_assert_eq(strncmp(clif("help %s", groups[i]).out, first, strlen(first)), 0);
        r = cli(groups[i]);
        cr_assert_eq(r.code, 2);
        cr_assert_eq(strncmp(r.err, first, strlen(first)), 0, "%s", r.err);
        cr_assert_eq(strncmp(clif("%s --version", groups[i]).out, "superpipe ", 10), 0);
    }
    cli_fails(2, "vlun craete", "superpipe vlun: there is no command 'craete', did you mean");
    cli_fails(2, "vlun frobnicate", "'superpipe vlun --help' lists all");
    cli_fails(2, "lun --media m", "give a command first, 'superpipe lun --help'");
}

Test(usage, no_command_is_wrong)
{
    struct cli_result r = cli("");

    cr_assert_eq(r.code, 2);
    cr_assert_eq(strncmp(r.err, "Usage: ", 7), 0);
    cli_fails(2, "rnu", "did you mean 'run'?");
    cli_fails(2, "frobnicate", "'superpipe --help' lists all");
    cli_fails(2, "--depth 4", "give a command first");
}

Test(usage, wrong_options)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(commands); i++) {
        char line[64];

        snprintf(line, sizeof line, "%s --frobnicate", commands[i]);
        cli_fails(2, line, "there is no option --frobnicate");
    }
    cli_fails(2, "run --durtion 1ms", "did you mean --duration?");
    cli_fails(2, "run --depth", "--depth needs a value");
    cli_fails(2, "run --json=1", "--json takes no value");
    cli_fails(2, "run operand", "'operand' is too much");
    cli_fails(2, "doctor operand", "'operand' is too much");
    cli_fails(2, "doctor --open=1", "--open takes no value");
    cli_fails(2, "put file name", "--media is missing");
    cli_fails(2, "put file --media m", "an operand is missing: superpipe put FILE NAME");
    cli_fails(2, "get a b c --media m", "'c' is too much");
    cli_fails(2, "vlun create a --media m",
              "--size is missing: superpipe vlun create NAME --size SIZE --media PATH");
    cli_fails(2, "vlun create a --size 1", "--media is missing");
    cli_fails(2, "vlun resize --size 1 --media m", "an operand is missing: superpipe vlun resize");
    cli_fails(2, "vlun clone a --media m", "an operand is missing: superpipe vlun clone NAME NEW");
    cli_fails(2, "vlun list a --media m", "'a' is too much");
    cli_fails(2, "lun mode 0 1 --media m", "'1' is too much: the operands are [N]");
    cli_fails(2, "lun mode --disable 1 --media m",
              "need the number of a LUN: superpipe lun mode N");
    cli_fails(2, "lun provision --create 1 --delete 1 --media m", "not both");
    cli_fails(2, "lun provision --port 1 --media m", "--port is for --create");
    cli_fails(2, "trace", "an operand is missing: superpipe trace FILE");
    cli_fails(2, "trace f --around 1 --command 1", "give --around or --command, not both");
    cli_fails(2, "trace f --span 1", "--span is for --around");
}

Test(usage, wrong_values)
{
    cli_fails(2, "run --depth 0", "--depth 0: the value must be a number from 1 to 4096");
    cli_fails(2, "run --size 0", "from 4 KiB to 64 TiB");
    cli_fails(2, "run --size 65T", "from 4 KiB to 64 TiB");
    cli_fails(2, "run --lun-size 1M", "from 256 MiB to 64 TiB");
    cli_fails(2, "run --duration 0", "--duration 0: the value must be a duration");
    cli_fails(2, "run --block 100", "multiples of 512 bytes up to 16 MiB");
    cli_fails(2, "run --block 64k --size 4k", "choose a larger --size or a smaller --block");
    cli_fails(2, "run --read 101", "a percentage from 0 to 100");
    cli_fails(2, "run --seed pi", "decimal or 0x hexadecimal");
    cli_fails(2, "run --order middle", "one of host, little, big");
    cli_fails(2, "run --pace 2", "--pace is for --exec posix");
    cli_fails(2, "run --trace x.txt", "ends in .vcd (waveforms), .json");
    cli_fails(2, "run --fault rrq", "is no fault rule");
    cli_fails(2, "run --record r --fault rrq#1=d", "--record is not for runs with --fault");
    cli_fails(2, "run --param afu.cmd_rom=5", "did you mean 'afu.cmd_room'");
    cli_fails(2, "run --adapters 2 --media m", "give --media once for each");
    cli_fails(2, "run --media m --tag-media", "--tag-media is for media in memory");
    cli_fails(2, "run --size 64G --handles 256 --clients 100", "16 GiB is the limit");
    cli_fails(2, "run --clients 501", "500 clients at most");
    cli_fails(2, "trace f --command 0", "--command 0: the value must be a number");
    cli_fails(2, "vlun create a --size 65T --media m", "from 0 B to 64 TiB");
    cli_fails(2, "vlun create a --size 1 --lun 255 --media m", "a number from 0 to 254");
    cli_fails(2, "vlun create bad~name --size 1 --media m", "'bad name' cannot name a virtual");
    cli_fails(2, "vlun clone a bad~name --media m", "'bad name' cannot name a virtual");
    cli_fails(2, "lun mode x --media m", "'x' is no number of a LUN");
    cli_fails(2, "lun mode 255 --media m", "'255' is no number of a LUN");
    cli_fails(2, "lun mode 0 --enable 4 --media m", "must be a port from 0 to 3");
    cli_fails(2, "lun provision --create 0 --media m", "from 1 B to 64 TiB");
    cli_fails(2, "lun provision --create 1 --port 4 --media m", "a number from 0 to 3");
    cli_fails(2, "put f bad~name --media m", "'bad name' cannot name a virtual LUN");
    cli_fails(2, "get --media m -- -x f", "with no dash in front");
    cli_fails(2, "remove --media m -- -x", "with no dash in front");
    cr_assert_neq(access("m", F_OK), 0, "nothing was made");
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    cr_assert_not_null(f);
    fputs(text, f);
    cr_assert_eq(fclose(f), 0);
}

Test(usage, bad_files)
{
    cli_fails(1, "list --media none", "media file 'none' does not exist");
    cli_fails(1, "vlun resize a --size 1 --media none", "media file 'none' does not exist");
    cli_fails(1, "lun list --media none", "media file 'none' does not exist");
    cli_fails(1, "lun list --params none --media none", "parameter file none: ");
    cli_fails(1, "info --media .", "is a directory");
    write_file("small", "x");
    cli_fails(1, "get a b --media small", "is too small for a media file");
    cli_random_file("noise", 300000, 1);
    cli_fails(1, "put small name --media noise", "media file 'noise' ");
    cli_fails(1, "run --duration 1ms --media noise", "media file 'noise' ");
    cli_fails(1, "put none name --media m", "'none' cannot be opened");
    cli_fails(1, "put . name --media m", "is a directory");
    cli_fails(1, "put small name --media none/m", "its directory does not exist");
    cli_fails(1, "run --params none", "parameter file none: ");
    write_file("p", "# one\nafu.cmd_room = 4\n  afu.cmd_room = many\n");
    cli_fails(1, "run --params p", "parameter file p:3:18: 'many' is not a number");
    cli_fails(1, "info --params p", "parameter file p:3:18: ");
    cli_fails(1, "run --trace none/x.vcd", "trace file none/x.vcd: ");
    cli_fails(1, "run --trace none/x.trace", "trace file none/x.trace: ");
    cli_fails(1, "run --record none/x", "'none/x' cannot be created");
    cli_fails(1, "doctor --output none/x", "'none/x' cannot be created");
    cli_fails(1, "trace none", "none: No such file");
    cli_fails(1, "trace .", ".: Is a directory");
    cli_fails(1, "trace noise", "noise: is no trace file of superpipe");
}

/* Whoever broke the rule is told: the command line, or the file. */
Test(usage, rules_between_parameters)
{
    cli_fails(2, "run --param irq.max=2",
              "--param irq.max=2: the value is not possible: irq.min = 3 is more than irq.max = 2");
    cli_fails(2, "run --param contexts=8 --param ctx.first=8 --param media.jitter=5",
              "--param ctx.first=8: the value is not possible: ctx.first = 8 leaves no handle");
    cli_fails(2, "run --param afu.xlt.entries=3", "is neither 0 nor a power of two");
    cli_fails(2, "info --param media.block_size=1024", "is neither 512 nor 4096");
    cli_fails(2, "vlun list --param irq.max=2 --media m", "irq.min = 3 is more than irq.max = 2");
    cr_assert_neq(access("m", F_OK), 0, "nothing was made");
    write_file("p", "irq.min = 5\nirq.max = 4\n");
    cli_fails(1, "run --params p", "parameter file p: irq.min = 5 is more than irq.max = 4");
    cli_fails(1, "run --params p --param media.jitter=5", "parameter file p: irq.min = 5");
    cli_fails(1, "lun list --params p --media m", "parameter file p: irq.min = 5");
    cli_good("info --params p --param irq.min=4");
    cli_fails(2, "info --params p --param irq.min=4 --param irq.min=6 --param media.jitter=5",
              "--param irq.min=6: the value is not possible: irq.min = 6 is more than irq.max = 4");
}

Test(usage, a_damaged_header_is_refused_and_left_alone)
{
    int fd;

    cli_random_file("f", 5000, 1);
    cr_assert_eq(cli("put f name --media m --lun-size 256M").code, 0);
    fd = open("m", O_RDWR);
    cr_assert_eq(pwrite(fd, "XXXX", 4, 40), 4);
    cr_assert_eq(pwrite(fd, "XXXX", 4, 65536 + 40), 4);
    close(fd);
    cr_assert_eq(clif("get name g --media m").code, 1);
    cr_assert_eq(cli("put f name --media m").code, 1);
    fd = open("m", O_RDWR);
    cr_assert_eq(pwrite(fd, "\0\0\0", 0, 40), 0);
    close(fd);
    cr_assert_neq(access("g", F_OK), 0);
}

/* ---- manual pages ---- */

/* Collects what follows each `mark` at the beginning of a line, up to a blank, with a blank behind.
 */
static void collect(const char *text, const char *mark, char *list, size_t size)
{
    size_t used = 0;

    *list = 0;
    for (const char *at = text; (at = strstr(at, mark)); at++) {
        const char *name = at + strlen(mark);

        used +=
            (size_t)snprintf(list + used, size - used, "%.*s ", (int)strcspn(name, " \n"), name);
        cr_assert_lt(used, size);
    }
}

/* The section of a manual page that begins with a line, up to the next one. "" if there is none. */
static const char *section(const char *text, const char *title, char *buf, size_t size)
{
    char line[64];
    const char *at, *end;

    snprintf(line, sizeof line, "\n.Ss %s\n", title);
    at = strstr(text, line);
    end = at ? strstr(at + strlen(line), "\n.S") : NULL;
    snprintf(buf, size, "%.*s", end ? (int)(end - at) : 0, at);
    return buf;
}

static void compare_with_manual(const char *page, const char *help)
{
    char options[1024], manual[1024];
    const char *text = cli_read(page);

    cr_assert_not_null(text, "%s", page);
    collect(help, "\n  --", options, sizeof options);
    collect(text, "\n.It Fl Fl ", manual, sizeof manual);
    cr_assert_str_eq(options, manual, "%s", page);
}

/* A command of a group has a section of its own, beside one for all; the order may differ. */
static void compare_with_section(const char *page, const char *title, const char *help)
{
    static char own[16384], common[16384];
    char options[1024], manual[1024], others[1024], name[64], *save = NULL;
    const char *text = cli_read(page);

    cr_assert_not_null(text, "%s", page);
    collect(help, "\n  --", options, sizeof options);
    collect(section(text, title, own, sizeof own), "\n.It Fl Fl ", manual, sizeof manual);
    collect(section(text, "Common options", common, sizeof common), "\n.It Fl Fl ", others,
            sizeof others);
    cr_assert_lt(strlen(manual) + strlen(others), sizeof manual);
    snprintf(manual + strlen(manual), sizeof manual - strlen(manual), "%s", others);
    cr_assert_eq(strlen(options), strlen(manual), "%s: %s and %s", title, options, manual);
    for (char *o = strtok_r(options, " ", &save); o; o = strtok_r(NULL, " ", &save)) {
        snprintf(name, sizeof name, "%s ", o);
        cr_assert(strstr(manual, name), "%s: no --%s in %s", title, o, page);
    }
}

Test(usage, help_and_manual_have_the_same_options)
{
    char page[512];

    snprintf(page, sizeof page, "%s/docs/man/superpipe.1", cli_root());
    compare_with_manual(page, cli("--help").out);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(commands); i++) {
        const char *second = strchr(commands[i], ' ');

        snprintf(page, sizeof page, "%s/docs/man/superpipe-%.*s.1", cli_root(),
                 (int)strcspn(commands[i], " "), commands[i]);
        if (second)
            compare_with_section(page, second + 1, clif("%s --help", commands[i]).out);
        else
            compare_with_manual(page, clif("%s --help", commands[i]).out);
    }
}
