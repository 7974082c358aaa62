/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe port: ports of an adapter, their statistics, and switching them by hand. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/cli/cli_fixture.h"

static void set_up(void)
{
    cli_begin();
    cli_random_file("file", 10000, 1);
    cli_good("put file name --media m --lun-size 256M --quiet");
}

TestSuite(port, .init = set_up, .fini = cli_end);

#define HEAD "PORT  WWPN                LINK     USED  PORT ID   FC STATUS   FC ERROR\n"

Test(port, list)
{
    struct cli_result r = cli("port list --media m");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_eq(strncmp(r.out, HEAD, strlen(HEAD)), 0, "%s", r.out);
    cr_assert_not_null(strstr(r.out, "\n   0  0x500"), "%s", r.out);
    cr_assert_not_null(strstr(r.out, "\n   1  0x500"));
    cr_assert_null(strstr(r.out, "offline"));
    r = cli("port list --media m --json");
    cr_assert_str_eq(cli_json(r.out, "link"), "\"online\"");
    cr_assert_str_eq(cli_json(r.out, "used"), "true");
    cr_assert_gt(cli_json_number(r.out, "rx_frames"), 0u);
}

Test(port, statistics)
{
    struct cli_result r = cli("port statistics --media m");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_eq(strncmp(r.out, "STATISTIC  ", 11), 0, "%s", r.out);
    cr_assert_not_null(strstr(r.out, "\ntx_logins                           2              2\n"));
    r = cli("port statistics --media m --json");
    cr_assert_str_eq(cli_json(r.out, "crc_errors"), "0");
}

Test(port, set)
{
    struct cli_result r = cli("port set 1 offline --media m");

    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_not_null(strstr(r.out, "  offline  no  "), "%s", r.out);
    cr_assert_lt(strstr(r.out, "  online   yes "), strstr(r.out, "  offline  no  "));
    r = cli("port set 0 online --media m");
    cr_assert_eq(r.code, 0, "%s", r.err);
    cr_assert_null(strstr(r.out, "offline"));
    cr_assert_eq(cli("port set 0 reset --media m").code, 0);
    cli_fails(1, "port set 2 offline --media m", "the adapter has no port 2");
    cli_fails(2, "port set 4 offline --media m", "'4' is no port: it must be 0 to 3");
    cli_fails(2, "port set x offline --media m", "'x' is no port");
    cli_fails(2, "port set 0 up --media m", "'up' is no state of a port");
    cli_fails(2, "port set 0 --media m", "an operand is missing: superpipe port set N STATE");
    cli_fails(1, "port list --media none", "media file 'none' does not exist");
}
