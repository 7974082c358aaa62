/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe attr: attributes listed, read, written, and as files. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/cli_fixture.h"
#include "tests/testlib/proves.h"

static void set_up(void)
{
    cli_begin();
    cli_random_file("file", 10000, 1);
    cli_good("put file name --media m --lun-size 256M --quiet");
}

TestSuite(attr, .init = set_up, .fini = cli_end);

Test(attr, list)
{
    cli_says("attr list --media m", "ATTRIBUTE         RW  OF       VALUE\n"
                                    "port0             r   adapter  online\n"
                                    "port1             r   adapter  online\n"
                                    "port2             r   adapter  (cannot be read)\n"
                                    "port3             r   adapter  (cannot be read)\n"
                                    "lun_mode          rw  adapter  0\n"
                                    "irqpoll_weight    rw  adapter  0\n"
                                    "num_hwqs          rw  adapter  1\n"
                                    "hwq_mode          rw  adapter  rr\n"
                                    "ioctl_version     r   adapter  disk: 0\n"
                                    "port0_lun_table   r   adapter  000: 0000000000000000\n"
                                    "port1_lun_table   r   adapter  000: 0000000000000000\n"
                                    "port2_lun_table   r   adapter  (cannot be read)\n"
                                    "port3_lun_table   r   adapter  (cannot be read)\n"
                                    "mode              r   LUN      superpipe\n");
    cr_assert_str_eq(cli_json(cli("attr list --media m --json").out, "ioctl_version"),
                     "\"disk: 0\\nhost: 0\\n\"");
}

Test(attr, get)
{
    cli_says("attr get port1 --media m", "online\n");
    cli_says("attr get ioctl_version --media m", "disk: 0\nhost: 0\n");
    cli_says("attr get mode --lun 1 --media m", "superpipe\n");
    cr_assert_eq(strlen(cli("attr get port0_lun_table --media m").out), 4092u);
    PROVES(AD_206);
    cli_fails(1, "attr get mode --lun 2 --media m", "there is no LUN 2");
    cli_fails(1, "attr get port2 --media m", "port2: Invalid argument");
    cli_fails(2, "attr get prot1 --media m", "did you mean 'port1'?");
    cli_fails(2, "attr get frobnicate --media m", "'superpipe attr list' shows them");
}

Test(attr, set)
{
    cli_says("attr set hwq_mode tag --media m", "tag\n");
    cli_says("attr set num_hwqs 4 --media m", "4\n");
    cli_says("attr set irqpoll_weight 64 --media m", "64\n");
    cli_fails(1, "attr set hwq_mode best --media m", "hwq_mode cannot be 'best'");
    cli_fails(1, "attr set port0 offline --media m", "port0 cannot be written");
    cli_fails(1, "attr set lun_mode 1 --media m", "lun_mode: LUNs are in use");
    cli_good("remove name --media m --quiet");
    cli_says("attr set lun_mode 1 --media m", "1\n");
}

static void file_has(const char *name, const char *expected, unsigned mode)
{
    const char *text = cli_read(name);
    struct stat st;

    cr_assert_not_null(text, "%s", name);
    cr_assert_str_eq(text, expected, "%s", name);
    cr_assert_eq(stat(name, &st), 0);
    cr_assert_eq(st.st_mode & 0777, mode, "%s", name);
}

Test(attr, export)
{
    for (unsigned i = 0; i < 2; i++) { /* the second one replaces the first */
        cli_good("attr export a/sys --media m");
        file_has("a/sys/class/scsi_host/host0/port0", "online\n", 0444);
        file_has("a/sys/class/scsi_host/host0/lun_mode", "0\n", 0644);
        file_has("a/sys/class/scsi_host/host0/ioctl_version", "disk: 0\nhost: 0\n", 0444);
        file_has("a/sys/class/scsi_device/0:0:0:0/device/mode", "superpipe\n", 0444);
        file_has("a/sys/class/scsi_device/0:1:0:1/device/mode", "superpipe\n", 0444);
    }
    cr_assert_neq(access("a/sys/class/scsi_host/host0/port2", F_OK), 0);
    cr_assert_neq(access("a/sys/class/scsi_host/host0/mode", F_OK), 0);
    cr_assert_neq(access("a/sys/class/scsi_device/0:2:0:0", F_OK), 0);
    cli_fails(1, "attr export file --media m", "file/class: Not a directory");
    cli_fails(2, "attr export --media m", "an operand is missing: superpipe attr export DIR");
}
