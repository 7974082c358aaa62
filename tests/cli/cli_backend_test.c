/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe run --backend capi: the same adapters through backends/capi and the stand-in for IBM's
 * libcxl, loaded as a program loads IBM's. On a machine with a card --backend capi would take that,
 * so the library is named. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/cli/cli_fixture.h"
#include "tests/testlib/proves.h"

TestSuite(backend, .init = cli_begin, .fini = cli_end);

#define SMALL "run --clients 3 --handles 2 --luns 1 --size 256k --duration 2ms --json "

static struct cli_result through_capi(const char *options)
{
    return clif(SMALL "--backend capi --libcxl %s/sim/libcxl/libcxl.so.1 %s", cli_root(), options);
}

/* Of a run that went well: what must not depend on the way to the adapter. */
static void figures(struct cli_result r, char *to, size_t size)
{
    static const char *const names[] = {"trace_hash", "trace_records", "blocks_verified",
                                        "errors",     "mismatches",    "simulated_ns",
                                        "recoveries", "violations",    "model_errors"};
    size_t n = 0;

    cr_assert_eq(r.code, 0, "%s", r.err);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        n += (size_t)snprintf(to + n, size - n, "%s %s\n", names[i], cli_json(r.out, names[i]));
}

static void same_as_the_simulator(const char *options)
{
    char sim[512], capi[512];

    figures(clif(SMALL "%s", options), sim, sizeof sim);
    figures(through_capi(options), capi, sizeof capi);
    cr_assert_str_eq(capi, sim);
}

/* The same accesses at the same cycles. */
Test(backend, same_run)
{
    same_as_the_simulator("--seed 1");
    same_as_the_simulator("--seed 7 --adapters 2 --order big");
    PROVES(CX_6);
    PROVES(CX_150);
}

Test(backend, same_run_with_interrupts) { same_as_the_simulator("--seed 2 --interrupts"); }

/* When a freeze is noticed depends on who looks, so only the outcome is the same. */
Test(backend, freeze)
{
    struct cli_result r = through_capi("--recover --fault perr#300=freeze");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_str_eq(cli_json(r.out, "faults_fired"), "1");
    cr_assert_str_eq(cli_json(r.out, "mismatches"), "0");
    cr_assert_gt(cli_json_number(r.out, "recoveries"), 0);
    PROVES(CX_104);
}

Test(backend, refusals)
{
    cli_fails(1, SMALL "--backend capi --libcxl nowhere.so", "IBM's libcxl cannot be loaded");
    cli_fails(2, SMALL "--libcxl nowhere.so", "are for --backend capi");
    cli_fails(2, SMALL "--backend cxl", "--backend");
}

Test(backend, no_card_where_one_is_required)
{
    struct cli_result r = through_capi("--require-card");

    cr_assert_eq(r.code, 1);
    cr_assert_not_null(strstr(r.err, "is the stand-in for libcxl, which is no card"));
}

/* ---- which LUNs ---- */

Test(backend, luns_by_name)
{
    struct cli_result r = cli(SMALL "--lun 6ffffff0000000000000000000000001");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cli_fails(2, SMALL "--lun 12", "the 32 hexadecimal digits");
    cli_fails(1, "run --duration 2ms --lun 6fffffffffffffffffffffffffffffff", "has no LUN");
}

Test(backend, read_only)
{
    struct cli_result r = cli(SMALL "--read-only");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_gt(cli_json_number(r.out, "blocks_verified"), 0);
    cr_assert_str_eq(cli_json(r.out, "blocks_read_back"), "0");
}
