/* SPDX-License-Identifier: Apache-2.0 */
/* The report: every fact is in it, and findings are numbered. */
#include "tools/doctor_print.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/unit/tools/doctor_fixture.h"

TestSuite(doctor_print, .init = doctor_machine);

static struct doctor_facts facts;

/* The printed facts; to be freed. */
static char *printed(void)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    cr_assert_not_null(to);
    doctor_print_facts(&facts, to);
    cr_assert_eq(fclose(to), 0);
    return text;
}

static void contains(const char *const *parts, size_t count)
{
    char *text = printed();

    for (size_t i = 0; i < count; i++)
        cr_assert(strstr(text, parts[i]), "no '%s' in\n%s", parts[i], text);
    free(text);
}

Test(doctor_print, every_fact)
{
    static const char *const parts[] = {
        "\nMachine\n",
        "kernel                    Linux 4.9.0-8-powerpc64le ppc64le\n",
        "distribution              Debian GNU/Linux 11 (bullseye)\n",
        "page size                 64 KiB\n",
        "byte order                little-endian\n",
        "memory that may be locked unlimited\n",
        "  platform : PowerNV\n",
        "/sys/class/cxl            there\n",
        "module cxl                loaded, or built in\n",
        "eeh_total_mmio_ffs=0\n",
        "it is                     IBM's libcxl\n",
        "version by its symbols    1.7\n",
        "/usr/lib/powerpc64le-linux-gnu/libcxl.so.1 -> libcxl.so.1.7\n",
        "\ncard0\n",
        "image_loaded              user\n",
        "vital product data        54 bytes\n",
        "    V5  5005076802000001\n",
        "    0000  82 05 00 66 6c 61 73 68 90 2a 00 50 4e 01 37 56  ...flash.*.PN.7V\n",
        "cxlflash drives           -\n",
        "\nafu0.0\n",
        "mode                      afu_directed\n",
        "cr0/vendor                0x1014\n",
        "pp_mmio_len               65536\n",
        "node m (master)           rw for you; mode 0660, owner 0, group 993\n",
        "node d (dedicated mode)   (No such file or directory)\n",
        "afu_err_buff              4096 bytes; those that are not 0:\n",
        "left out: they need a master context",
    };

    facts = *doctor_machine_facts();
    contains(parts, HAL_ARRAY_LENGTH(parts));
}

Test(doctor_print, what_could_not_be_read)
{
    static const char *const parts[] = {
        "irqs_min                  (No such file or directory)\n",
        "vital product data        (Permission denied)\n",
        "not usable                it is another library\n",
        "page size                 64 KiB\n",
        "module cxl                installed, not loaded\n",
        "modules like cxl, capi    -\n",
        "cxlflash drives           0007:00:00.0\n",
        "configuration space       all ones: it does not answer\n",
    };

    doctor_remove("/sys/class/cxl/afu0.0/irqs_min");
    doctor_allow("/sys/class/cxl/card0/device/vpd", false, false);
    doctor_remove("/sys/module");
    doctor_remove("/proc/modules");
    doctor_link("/sys/class/cxl/card0/device/pci0007:00/0007:00:00.0/driver", "cxlflash");
    facts = *doctor_machine_facts();
    facts.library = (struct doctor_library){.name = "x", .why = "it is another library"};
    facts.card[0].silent = true;
    contains(parts, HAL_ARRAY_LENGTH(parts));
}

Test(doctor_print, registers)
{
    static const char *const parts[] = {
        "AFU version               160401N\n",
        "interface version         0x4000000000000101\n",
        "  port 0                    online (status 0x21, error 0x0)\n",
        "  port 1                    offline (status 0x10, error 0x5)\n",
        "  port 2                    neither online nor offline (status 0x0, error 0x0)\n",
    };
    static const char *const failed[] = {"AFU version and links     (another has it)\n"};

    facts = *doctor_machine_facts();
    facts.afu[0].registers = (struct doctor_registers){.asked = true,
                                                       .version = "160401N",
                                                       .interface_version = 0x4000000000000101,
                                                       .ports = 3,
                                                       .port = {{0x21, 0}, {0x10, 5}, {0, 0}}};
    contains(parts, HAL_ARRAY_LENGTH(parts));
    facts.afu[0].registers =
        (struct doctor_registers){.asked = true, .error = -EBUSY, .why = "another has it"};
    contains(failed, 1);
}

/* Rows of zeros are left out; bytes that cannot be printed are points. */
Test(doctor_print, dumps)
{
    static const char *const parts[] = {
        "those that are not 0:\n    0010  00 00 00 00 00 41 07 00 00 00 00 00 00 00 00 00"
        "  .....A..........\n",
        "    0ff0  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ff  ................\n",
    };
    static char bytes[4096];

    bytes[0x15] = 'A';
    bytes[0x16] = 7;
    bytes[0xfff] = (char)0xff;
    doctor_file_bytes("/sys/class/cxl/afu0.0/afu_err_buff", bytes, sizeof bytes);
    facts = *doctor_machine_facts();
    contains(parts, HAL_ARRAY_LENGTH(parts));
}

static void verdict_is(const struct doctor_verdict *v, const char *expected)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    cr_assert_not_null(to);
    doctor_print_verdict(v, to);
    cr_assert_eq(fclose(to), 0);
    cr_assert_str_eq(text, expected);
    free(text);
}

Test(doctor_print, verdicts)
{
    static struct doctor_verdict v = {.text = "It is so.",
                                      .finding = {{DOCTOR_LIMITS, 0, 0, "A could be.", "Do:\n  a"},
                                                  {DOCTOR_BLOCKS, 0, 0, "B is not.", "  b"},
                                                  {DOCTOR_LIMITS, 0, 0, "C.", ""}},
                                      .findings = 3};
    static struct doctor_verdict good = {.usable = true, .text = "All is well."};

    verdict_is(&v, "\nVerdict\nIt is so.\n\nWhat is missing:\n\n 1. B is not.\n      b\n\n"
                   "What would be better:\n\n 2. A could be.\n    Do:\n      a\n\n 3. C.\n");
    verdict_is(&good, "\nVerdict\nAll is well.\n");
    v.usable = true;
    v.findings = 2;
    verdict_is(&v, "\nVerdict\nIt is so.\n\nWhat keeps others from being usable:\n\n"
                   " 1. B is not.\n      b\n\nWhat would be better:\n\n 2. A could be.\n"
                   "    Do:\n      a\n");
}
