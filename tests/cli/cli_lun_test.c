/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe lun: what is told of LUNs, MANAGE_LUN, and LUNs that are made. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/cli/cli_fixture.h"
#include "tests/testlib/proves.h"
#include "tools/json.h"

TestSuite(lun, .init = cli_begin, .fini = cli_end);

/* One LUN of the array "luns" that a run prints. Delete *root. */
static cJSON *lun_of(const char *line, int number, cJSON **root)
{
    cJSON *luns;

    *root = cJSON_Parse(cli(line).out);
    luns = cJSON_GetObjectItem(*root, "luns");
    cr_assert_not_null(cJSON_GetArrayItem(luns, number), "%s", line);
    return cJSON_GetArrayItem(luns, number);
}

static double number(const cJSON *j, const char *member)
{
    cr_assert(cJSON_IsNumber(cJSON_GetObjectItem(j, member)), "%s", member);
    return cJSON_GetObjectItem(j, member)->valuedouble;
}

static const char *text(const cJSON *j, const char *member)
{
    cr_assert(cJSON_IsString(cJSON_GetObjectItem(j, member)), "%s", member);
    return cJSON_GetObjectItem(j, member)->valuestring;
}

Test(lun, list)
{
    struct cli_result r;

    cli_good("vlun create a --size 512M --lun 1 --media m --lun-size 1G");
    r = cli("lun list --media m");
    cr_assert(strstr(r.out, "   1  6ffffff0000000010000000000000001   4096         262,144"
                            "          4          2      0  virtual   0,1      0,1      "
                            "0:1000000000000,1:1000000000000\n"),
              "%s", r.out);
    r = cli("lun list --media m --param ports=1");
    cr_assert(strstr(r.out, "virtual   0        0        0:1000000000000\n"), "%s", r.out);
}

Test(lun, list_as_json)
{
    cJSON *root, *l, *id;

    cli_good("vlun create a --size 512M --lun 1 --media m --lun-size 1G");
    l = lun_of("lun list --json --media m", 1, &root);
    cr_assert_eq(number(l, "lun"), 1);
    cr_assert_str_eq(text(l, "wwid"), "6ffffff0000000010000000000000001");
    cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(l, "lun_ids")), 2);
    id = cJSON_GetArrayItem(cJSON_GetObjectItem(l, "lun_ids"), 1);
    cr_assert_eq(number(id, "port"), 1);
    cr_assert_str_eq(text(id, "id"), "0x0001000000000000");
    PROVES(SP_123);
    cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(l, "found_ports")), 2);
    cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(l, "enabled_ports")), 2);
    cr_assert_eq(number(l, "block_size"), 4096);
    cr_assert_eq(number(l, "blocks"), 262144);
    cr_assert_eq(number(l, "chunks"), 4);
    cr_assert_eq(number(l, "free_chunks"), 2);
    cr_assert_eq(number(l, "users"), 0);
    cr_assert_str_eq(text(l, "mode"), "virtual");
    cJSON_Delete(root);
}

Test(lun, mode_and_why)
{
    cli_good("vlun create a --size 512M --lun 1 --media m --lun-size 1G");
    cli_good("vlun create b --size 1 --lun 1 --media m");
    cli_says(
        "lun mode --media m",
        "LUN 0: none (0 names with 0 chunks, 0 open handles), 0 of 4 chunks in use, ports enabled: "
        "0,1\n"
        "LUN 1: virtual (2 names with 3 chunks, 0 open handles), 3 of 4 chunks in use, ports "
        "enabled: 0,1\n");
    cli_good("vlun release a --media m");
    cli_says("lun mode 1 --media m", "LUN 1: virtual (1 name with 1 chunk, 0 open handles), 1 of 4 "
                                     "chunks in use, ports enabled: 0,1\n");
    cli_good("vlun resize b --size 0 --media m");
    cli_says("lun mode 1 --media m", "LUN 1: none (1 name with 0 chunks, 0 open handles), 0 of 4 "
                                     "chunks in use, ports enabled: 0,1\n");
    cli_fails(1, "lun mode 2 --media m", "there is no LUN 2 in 'm'");
}

Test(lun, enabling_and_disabling_in_the_order_given)
{
    cli_good("vlun create a --size 1 --lun 1 --media m --lun-size 1G");
    cli_says(
        "lun mode 0 --disable 1 --disable=0 --enable 1 --enable 1 --media m",
        "LUN 0, disable port 1: ports enabled now: 0\n"
        "LUN 0, disable port 0: ports enabled now: none\n"
        "LUN 0, enable port 1: ports enabled now: 1\n"
        "LUN 0, enable port 1: ports enabled now: 1\n"
        "LUN 0: none (0 names with 0 chunks, 0 open handles), 0 of 4 chunks in use, ports enabled: "
        "1\n");
    cli_says("lun mode 0 --media m", "LUN 0: none (0 names with 0 chunks, 0 open handles), 0 of 4 "
                                     "chunks in use, ports enabled: 0,1\n");
    cli_fails(1, "lun mode 1 --disable 0 --media m",
              "LUN 1 cannot be disabled on port 0: 1 name lies on it, release it first");
    PROVES(SP_120);
    cli_fails(1, "lun mode 0 --disable 0 --enable 3 --media m",
              "LUN 0 cannot be enabled on port 3: it is not behind that port, only behind 0,1");
    cli_fails(1, "lun mode 0 --disable 1 --param ports=1 --media m", "only behind 0");
}

Test(lun, mode_as_json)
{
    cJSON *root, *l, *r;

    cli_good("vlun create a --size 512M --lun 1 --media m --lun-size 1G");
    l = lun_of("lun mode --json --media m", 1, &root);
    cr_assert_eq(number(l, "lun"), 1);
    cr_assert_str_eq(text(l, "mode"), "virtual");
    cr_assert_eq(number(l, "names"), 1);
    cr_assert_eq(number(l, "name_chunks"), 2);
    cr_assert_eq(number(l, "free_chunks"), 2);
    cJSON_Delete(root);
    l = lun_of("lun mode 0 --disable 0 --json --media m", 0, &root);
    cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(l, "enabled_ports")), 1);
    r = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "requests"), 0);
    cr_assert_str_eq(text(r, "request"), "disable");
    cr_assert_eq(number(r, "port"), 0);
    cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(r, "enabled_ports")), 1);
    cJSON_Delete(root);
}

/* ---- provision ---- */

#define FIRST "6ffffff00000000050524f5600000001"
#define SECOND "6ffffff00000000050524f5600000002"

/* Every command is a run of its own: what is made stays in the media file. */
Test(lun, provision)
{
    cli_good("vlun create a --size 1 --media m --lun-size 1G");
    cli_says("lun provision --media m", "port 0: 0 of 16 LUNs, 0 B of 1 TiB\n"
                                        "port 1: 0 of 16 LUNs, 0 B of 1 TiB\n");
    cli_says("lun provision --create 512M --port 1 --media m",
             "made LUN " FIRST " behind port 1: id 2000000000000, 512 MiB\n"
             "port 0: 0 of 16 LUNs, 0 B of 1 TiB\n"
             "port 1: 1 of 16 LUNs, 512 MiB of 1 TiB\n");
    cli_says("lun provision --create 4097 --media m",
             "made LUN " SECOND " behind port 0: id 3000000000000, 8 KiB\n"
             "port 0: 1 of 16 LUNs, 8 KiB of 1 TiB\n"
             "port 1: 1 of 16 LUNs, 512 MiB of 1 TiB\n");
    cr_assert(strstr(cli("lun list --media m").out, "1        1        1:2000000000000\n"));
    cli_good("vlun create b --size 512M --lun 3 --media m");
    cli_fails(1, "lun provision --delete 3 --media m", "LUN 3 cannot be deleted: names lie on it");
    cli_good("vlun release b --media m");
    cli_says("lun provision --delete 3 --media m", "deleted LUN 3, " FIRST "\n"
                                                   "port 0: 1 of 16 LUNs, 8 KiB of 1 TiB\n"
                                                   "port 1: 0 of 16 LUNs, 0 B of 1 TiB\n");
    cr_assert_null(strstr(cli("lun list --media m").out, FIRST));
    PROVES(SP_174);
}

Test(lun, provision_refused)
{
    cli_good("vlun create a --size 1 --media m --lun-size 1G");
    cli_fails(1, "lun provision --create 2T --media m",
              "it may have 16 more LUNs there, 1 TiB in all");
    cli_fails(1, "lun provision --create 1 --port 2 --media m", "the adapter has no such port");
    cli_fails(1, "lun provision --delete 1 --media m", "that was not made with");
    cli_fails(1, "lun provision --delete 2 --media m", "there is none");
    cli_says("lun provision --media m", "port 0: 0 of 16 LUNs, 0 B of 1 TiB\n"
                                        "port 1: 0 of 16 LUNs, 0 B of 1 TiB\n");
}

Test(lun, provision_as_json)
{
    cJSON *root, *j;

    cli_good("vlun create a --size 1 --media m --lun-size 1G");
    root = cJSON_Parse(cli("lun provision --create 1M --port 1 --json --media m").out);
    j = cJSON_GetObjectItem(root, "created");
    cr_assert_str_eq(text(j, "wwid"), FIRST);
    cr_assert_str_eq(text(j, "id"), "0x0002000000000000");
    cr_assert_eq(number(j, "port"), 1);
    cr_assert_eq(number(j, "blocks"), 256);
    j = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "ports"), 1);
    cr_assert_eq(number(j, "port"), 1);
    cr_assert_eq(number(j, "luns"), 1);
    cr_assert_eq(number(j, "luns_max"), 16);
    cr_assert_eq(number(j, "blocks"), 256);
    cr_assert_eq(number(j, "blocks_max"), 268435456);
    cJSON_Delete(root);
    root = cJSON_Parse(cli("lun provision --delete 2 --json --media m").out);
    j = cJSON_GetObjectItem(root, "deleted");
    cr_assert_str_eq(text(j, "wwid"), FIRST);
    cr_assert_eq(number(j, "lun"), 2);
    cJSON_Delete(root);
}
