/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe run: figures, verdicts, and the same again from the same seed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/cli_fixture.h"

TestSuite(run, .init = cli_begin, .fini = cli_end);

#define SMALL "run --duration 300us --clients 3 --handles 2 --size 1M "

static const char *hash_of(const char *options, char *buf, size_t size)
{
    struct cli_result r = clif(SMALL "--json %s", options);

    cr_assert_eq(r.code, 0, "%s%s", r.out, r.err);
    cr_assert_str_eq(r.err, "");
    snprintf(buf, size, "%s", cli_json(r.out, "trace_hash"));
    return buf;
}

Test(run, table)
{
    struct cli_result r = cli(SMALL "--seed 7");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(r.err, "replay: superpipe run --seed 0x7 --duration 300us --clients 3 "
                            "--handles 2 --size 1M\n");
    cr_assert(strstr(r.out, "1 adapter with 2 LUNs"), "%s", r.out);
    cr_assert(strstr(r.out, "p99.99"));
    cr_assert(strstr(r.out, "Result     good\n"), "%s", r.out);
}

Test(run, one_json_object)
{
    struct cli_result r = cli(SMALL "--json --seed 42");

    cr_assert_eq(r.code, 0);
    cr_assert_str_eq(r.err, "");
    cr_assert_eq(r.out[0], '{');
    cr_assert_str_eq(strrchr(r.out, '}'), "}\n");
    cr_assert_str_eq(cli_json(r.out, "seed"), "42");
    cr_assert_str_eq(cli_json(r.out, "errors"), "0");
    cr_assert_str_eq(cli_json(r.out, "mismatches"), "0");
    cr_assert_str_eq(cli_json(r.out, "violations"), "0");
    cr_assert_str_eq(cli_json(r.out, "model_errors"), "0");
    cr_assert_eq(strncmp(cli_json(r.out, "trace_hash"), "\"0x", 3), 0);
    cr_assert_eq(strlen(cli_json(r.out, "trace_hash")), 20);
    cr_assert_gt(cli_json_number(r.out, "blocks_verified"), 0);
    cr_assert_str_eq(cli_json(r.out, "afu_ready"), "1"); /* a counter of its events */
    cr_assert_str_eq(cli_json(r.out, "heartbeat"), "0");
}

Test(run, same_seed_same_hash_and_trace_other_seed_another)
{
    char a[32], b[32], c[32];

    hash_of("--trace a.vcd --seed 5", a, sizeof a);
    hash_of("--trace b.vcd --seed 0x5", b, sizeof b);
    hash_of("--trace c.vcd --seed 6", c, sizeof c);
    cr_assert_str_eq(a, b);
    cr_assert_str_neq(a, c);
    cr_assert(cli_same("a.vcd", "b.vcd"));
    cr_assert_not(cli_same("a.vcd", "c.vcd"));

    hash_of("--trace a.json --seed 5", b, sizeof b);
    cr_assert_str_eq(a, b, "a trace file changes nothing");
    hash_of("--trace b.json --seed 5", b, sizeof b);
    cr_assert(cli_same("a.json", "b.json"));
    hash_of("--seed 5 --depth 15", b, sizeof b);
    cr_assert_str_neq(a, b, "other options, other run");
}

Test(run, checks_change_nothing)
{
    struct cli_result r = cli(SMALL "--seed 5 --check");
    char a[32], b[32];

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.err, " --check\n"), "%s", r.err);
    cr_assert(strstr(r.out, "times all invariants\n"), "%s", r.out);
    r = cli(SMALL "--seed 5 --check --json");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_geq(cli_json_number(r.out, "invariant_checks"), 12); /* 3 clients, 2 handles each */
    cr_assert_str_eq(cli_json(r.out, "invariants_broken"), "0");
    hash_of("--seed 5", a, sizeof a);
    hash_of("--seed 5 --check", b, sizeof b);
    cr_assert_str_eq(a, b);
}

Test(run, the_replay_line_repeats_a_run)
{
    struct cli_result r = cli("run --seed random --duration 200us --clients 2 --handles 1 --size "
                              "64k --block 4k:3,8k:1 --read 50 --json");
    char replay[512], hash[32];
    const char *end;

    cr_assert_eq(r.code, 0, "%s", r.err);
    snprintf(hash, sizeof hash, "%s", cli_json(r.out, "trace_hash"));
    end = strstr(strstr(r.out, "\"replay\""), "superpipe ");
    snprintf(replay, sizeof replay, "%.*s --json", (int)strcspn(end, "\""), end);
    r = cli(replay + strlen("superpipe "));
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "trace_hash"), hash);
}

Test(run, every_kind_of_run_is_clean)
{
    static const char *const options[] = {
        "--adapters 2",
        "--luns 1 --clients 1 --depth 1",
        "--depth 64 --block 4k:4,64k:2,256k:1",
        "--read 0",
        "--read 100",
        "--order big",
        "--order host",
        "--interrupts",
        "--tag-media",
        "--no-verify",
        "--profile flashgt",
        "--profile zero",
        "--param port.choice_rr=1 --param media.jitter=20",
        "--param interface_version=0xC000000000010002", /* SQ mode */
        "--param interface_version=0xC000000000010002 --order big --interrupts",
        "--param interface_version=0x4000000000010002 --exec posix --duration 2ms",
        "--exec posix --duration 2ms",
        "--exec posix --pace 0.5 --interrupts --duration 2ms",
        "--size 4k --depth 32",
        "--media a.spm",
        "--media a.spm --seed 2",
    };

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct cli_result r = clif(SMALL "--json %s", options[i]);

        cr_assert_eq(r.code, 0, "%s: %s%s", options[i], r.out, r.err);
        cr_assert_str_eq(cli_json(r.out, "passed"), "true", "%s", options[i]);
    }
}

Test(run, threads_have_no_hash)
{
    struct cli_result r = cli(SMALL "--json --exec posix");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "trace_hash"), "null");
    r = cli(SMALL "--exec posix");
    cr_assert(strstr(r.out, "threads of the system are not reproducible"), "%s", r.out);
}

Test(run, faults_are_found)
{
    struct cli_result r = cli(SMALL "--json --fault data#40=x");

    cr_assert_eq(r.code, 1);
    cr_assert_str_eq(cli_json(r.out, "errors"), "1");
    cr_assert_str_eq(cli_json(r.out, "faults_fired"), "1");
    cr_assert_str_eq(cli_json(r.out, "passed"), "false");

    /* Silent corruption: no error from the adapter, but the blocks are wrong. */
    r = cli(SMALL "--json --read 100 --fault media#20*=v");
    cr_assert_eq(r.code, 1);
    cr_assert_str_eq(cli_json(r.out, "errors"), "0");
    cr_assert_gt(cli_json_number(r.out, "mismatches"), 0);

    /* A completion that never comes ends by time-out. */
    r = cli(SMALL "--fault rrq#40=d");
    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.out, "ETIMEDOUT"), "%s", r.out);
    cr_assert(strstr(r.out, "Result     FAILED: 1 I/O error, 0 wrong blocks"), "%s", r.out);
}

/* Every wait is interrupted, from power-on: what cannot be given up is waited for all the same. */
Test(run, interrupted_for_ever)
{
    struct cli_result r = cli(SMALL "--fault wait#1*=i");

    cr_assert_eq(r.code, 0, "%s", r.err);
    r = cli(SMALL "--interrupts --fault wait#5*=i");
    cr_assert_eq(r.code, 0, "%s", r.err);
}

/* How often each site was passed, and where something went wrong. */
Test(run, sites_are_counted)
{
    struct cli_result r = cli(SMALL "--json --fault media#3x2=late(10)");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.out, "\"sites\":"), "%s", r.out);
    cr_assert(strstr(r.out, "\"plink\":"), "%s", r.out);
    cr_assert_str_eq(cli_json(r.out, "faults_fired"), "2");
    r = cli(SMALL "--fault media#3x2=late(10)");
    cr_assert(strstr(r.out, "fired of plan media#3x2=late(10)"), "%s", r.out);
    cr_assert(strstr(r.out, " hits of media, 2 of them went wrong"), "%s", r.out);
}

/* A frozen slot: without --recover I/O fails; with it every client goes on, and all that was
 * acknowledged is there. */
Test(run, lost_contexts_are_recovered)
{
    struct cli_result r = cli(SMALL "--json --fault perr#100=freeze");

    cr_assert_eq(r.code, 1);
    r = cli(SMALL "--json --recover --fault perr#100=freeze");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "faults_fired"), "1");
    cr_assert_str_eq(cli_json(r.out, "errors"), "0");
    cr_assert_gt(cli_json_number(r.out, "recoveries"), 0);
    cr_assert_gt(cli_json_number(r.out, "lost"), 0);
    r = cli(SMALL "--recover --interrupts --fault perr#100=freeze");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.out, "Recoveries"), "%s", r.out);

    /* The end of the adapter is the end of the run. */
    r = cli(SMALL "--recover --fault perr#100=perm");
    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.err, "cannot be recovered"), "%s", r.err);
}

Test(run, info_lists_sites)
{
    struct cli_result r = cli("info --sites");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.out, "afucmd") && strstr(r.out, "FS-24") && strstr(r.out, "d drop"), "%s",
              r.out);
    cr_assert(strstr(r.out, "mem     FS-1   filter  allocation"), "%s", r.out);
    cr_assert(strstr(r.out, "rrq     FS-21  model   RRQ"), "%s", r.out);
    r = cli("info --sites --json");
    cr_assert_eq(r.code, 0);
    cr_assert(strstr(r.out, "\"filter\"") && strstr(r.out, "\"signal\""), "%s", r.out);
    cr_assert(strstr(r.out, "\"n\":") && strstr(r.out, "\"never\""), "%s", r.out);
}

Test(run, info_shows_states)
{
    struct cli_result r = cli("info --states");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.out, "NORMAL --> RESET: slot is frozen"), "%s", r.out);
    r = cli("info --states --json");
    cr_assert_eq(r.code, 0);
    cr_assert(strstr(r.out, "\"slot is frozen\""), "%s", r.out);
}

Test(run, too_little_room_is_a_sentence)
{
    cli_fails(1, "run --luns 1 --lun-size 256M --duration 1ms", "has no room left");
}

Test(run, info_shows_adapter_and_parameters)
{
    struct cli_result r = cli("info");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.out, "online") && strstr(r.out, "16.0 GiB"), "%s", r.out);
    r = cli("info --json");
    cr_assert_eq(r.code, 0);
    cr_assert_str_eq(cli_json(r.out, "online"), "true");
}

/* Column in which a word begins in the line of a parameter, or of the head ("NAME"); -1: it is not
 * in it. */
static int column(const char *out, const char *row, const char *word)
{
    const char *line = strstr(out, row), *at = line ? strstr(line, word) : NULL;

    cr_assert_not_null(line, "%s is not in %s", row, out);
    return at && !memchr(line, '\n', (size_t)(at - line)) ? (int)(at - line) : -1;
}

/* TM-20: name, value, unit, range, default, confidence, source, meaning, one below the other. */
Test(run, info_lists_every_parameter)
{
    struct cli_result r = cli("info --parameters");

    cr_assert_eq(r.code, 0);
    cr_assert_eq(strncmp(r.out, "Profile: flashsystem ", 21), 0, "%s", r.out);
    cr_assert_gt(column(r.out, "NAME", "UNIT"), 0);
    cr_assert_eq(column(r.out, "NAME", "UNIT"), column(r.out, "afu.cmd_room ", "commands"));
    cr_assert_eq(column(r.out, "NAME", "RANGE"), column(r.out, "afu.cmd_room ", "1..4096"));
    cr_assert_eq(column(r.out, "NAME", "RANGE"), column(r.out, "clock ", "fixed"));
    cr_assert_eq(column(r.out, "NAME", "CONF"), column(r.out, "afu.cmd_room ", "D assumed"));
    cr_assert_eq(column(r.out, "NAME", "CONF"), column(r.out, "bus.read.latency ", "C recalled"));
    cr_assert_eq(column(r.out, "NAME", "SOURCE"), column(r.out, "afu.cmd_room ", "MD-3"));
    cr_assert_eq(column(r.out, "NAME", "MEANING"), column(r.out, "afu.cmd_room ", "IOARRIN"));
    cr_assert_eq(column(r.out, "afu.cmd_room ", "*"), -1, "it is the default");
}

/* Each modelling decision and ruling about the adapter, whether there is something to choose or
 * not. */
Test(run, info_lists_every_decision)
{
    struct cli_result r = cli("info --parameters");
    char id[16];

    for (unsigned n = 1; n <= 26; n++) {
        snprintf(id, sizeof id, "MD-%u", n);
        cr_expect(strstr(r.out, id), "%s", id);
    }
    for (unsigned n = 4; n <= 29; n++) {
        snprintf(id, sizeof id, "R-%u", n);
        cr_expect(strstr(r.out, id), "%s", id);
    }
    cr_assert_eq(column(r.out, "NAME", "RANGE"), column(r.out, "ioasa.bytes ", "fixed"));
    cr_assert_eq(column(r.out, "NAME", "SOURCE"), column(r.out, "ioasa.bytes ", "MD-7"));
    r = cli("info --parameters --json");
    cr_assert_str_eq(cli_json(strstr(r.out, "ioasa.bytes"), "value"), "\"12\"");
    r = cli("info --param ioasa.bytes=64");
    cr_assert_eq(r.code, 2);
    cr_assert(strstr(r.err, "ioasa.bytes is fixed at 12 (bytes)"), "%s", r.err);
}

/* LUNs of both block sizes. */
Test(run, blocks_of_512_bytes)
{
    struct cli_result r = cli(SMALL "--json --param media.block_size=512 --block 512:50,4k:50");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "mismatches"), "0");
    cr_assert_str_eq(cli_json(r.out, "violations"), "0");
    r = cli("scsi 0 25 --in 8 --param media.block_size=512");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert(strstr(r.out, "00 00 02 00"), "READ CAPACITY(10): %s", r.out);
    r = cli("run --param media.block_size=1024");
    cr_assert_eq(r.code, 2);
    cr_assert(strstr(r.err, "media.block_size = 1024 is neither 512 nor 4096"), "%s", r.err);
}

Test(run, info_lists_the_parameters_of_a_profile)
{
    struct cli_result r = cli("info --parameters --profile flashgt --param afu.cmd_room=5");

    cr_assert_eq(r.code, 0);
    cr_assert_eq(strncmp(r.out, "Profile: flashgt ", 17), 0, "%s", r.out);
    cr_assert_gt(column(r.out, "afu.cmd_room ", "*5 "), 0);
    cr_assert_gt(column(r.out, "card.interval ", "*568 "), 0);
    r = cli("info --parameters --json --profile FlashGT --param afu.cmd_room=5");
    cr_assert_eq(r.code, 0);
    cr_assert_str_eq(cli_json(r.out, "profile"), "\"flashgt\"");
    cr_assert_str_eq(cli_json(strstr(r.out, "afu.cmd_room"), "value"), "5");
    cr_assert_str_eq(cli_json(strstr(r.out, "afu.cmd_room"), "confidence"), "\"D\"");
    cr_assert_str_eq(cli_json(strstr(r.out, "\"card\""), "value"), "1536");
}

/* FS-7 v: a context that comes with the number of the master, or of one that another client is
 * about to have, is given back, and the other keeps its registers. */
Test(run, a_number_that_is_taken)
{
    struct cli_result r = cli(SMALL "--fault start#2=v(0)");

    cr_assert_eq(r.code, 1, "%s", r.err);
    cr_assert_not_null(strstr(r.err, "Operation not permitted"), "%s", r.err);
    r = cli("run --duration 1ms --clients 3 --fault start#3=v(1)");
    cr_assert_eq(r.code, 1, "%s", r.err);
    cr_assert_not_null(strstr(r.err, "Operation not permitted"), "%s", r.err);
}

/* A login that gets no answer at power-on is tried again; bring-up waits for it. */
Test(run, faults_can_begin_at_power_on)
{
    const char *common = "run --duration 1ms --json --fault plink#1=n";
    struct cli_result r = clif("%s --faults-from power-on", common);

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "faults_fired"), "1");
    r = clif("%s", common); /* links are up by then */
    cr_assert_eq(r.code, 1, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "faults_fired"), "0");
    cr_assert_str_eq(cli_json(r.out, "faults_unreached"), "\"plink#1=n\"");
    cr_assert_str_eq(cli_json(r.out, "passed"), "false");
}

/* Sites of the host's side are applied by the filter, together with those of the model. */
Test(run, faults_of_the_host)
{
    struct cli_result r = cli(SMALL "--json --fault start#2=refuse --fault media#1=l");

    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.out, "EIO") || strstr(r.out, "Input/output error"), "%s", r.out);
    cr_assert_str_eq(cli_json(r.out, "passed"), "false");
    r = cli(SMALL "--fault clk%7=late --fault media#1=l");
    cr_assert_eq(r.code, 0, "%s%s", r.err, r.out);
    cr_assert(strstr(r.out, " hits of clk, "), "%s", r.out);
    cr_assert(strstr(r.out, " hits of mem\n"), "%s", r.out);
    r = cli("run --duration 1ms --fault thr#1=f --faults-from power-on");
    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.err, "cannot be brought up"), "%s", r.err);
}

/* --fault may be repeated; what went wrong is told as hits, and replays the same run. */
Test(run, fault_rules)
{
    struct cli_result r = cli(SMALL "--json --fault media%20x2=late --fault rrq@NORMAL#3..4=l");
    char hash[32];

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "faults_resolved"), "\"rrq#3..4=l+media#20=l+media#40=l\"");
    snprintf(hash, sizeof hash, "%s", cli_json(r.out, "trace_hash"));
    r = cli(SMALL "--json --fault media#20=l+media#40=l --fault rrq#3..4=l");
    cr_assert_str_eq(cli_json(r.out, "trace_hash"), hash);
    r = cli(SMALL "--fault media%20x2=late --fault rrq@FAILED#1=d+rrq@RESET%2=d");
    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.out, "Never reached: rrq@FAILED#1=d, rrq@RESET%2=d\n"), "%s", r.out);
    cr_assert(strstr(r.out, "FAILED: 0 I/O errors, 0 wrong blocks, a fault that never happened"),
              "%s", r.out);
}
