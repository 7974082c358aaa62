/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor says about machines on which one thing is wrong. */
#include "tools/doctor_judge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/tools/doctor_fixture.h"

TestSuite(doctor_judge, .init = doctor_machine);

static struct doctor_verdict v;
static struct doctor_facts facts; /* to change after they were collected */

static void judge(void)
{
    facts = *doctor_machine_facts();
    doctor_judge(&facts, &v);
    cr_assert_not(doctor_machine_disturbed());
}

/* The machine has this finding and no other. */
static void only(enum doctor_weight weight, const char *what, const char *step)
{
    judge();
    cr_assert_eq(v.findings, 1, "%u: %s, %s", v.findings, v.finding[0].what, v.finding[1].what);
    cr_assert_eq(v.finding[0].weight, weight);
    cr_assert(strstr(v.finding[0].what, what), "%s", v.finding[0].what);
    cr_assert(strstr(v.finding[0].step, step), "%s", v.finding[0].step);
    cr_assert_eq(v.usable, weight == DOCTOR_LIMITS);
}

static bool has(const char *what, const char *step)
{
    for (unsigned i = 0; i < v.findings; i++)
        if (strstr(v.finding[i].what, what) && strstr(v.finding[i].step, step))
            return true;
    return false;
}

Test(doctor_judge, a_good_machine)
{
    judge();
    cr_assert_eq(v.findings, 0, "%s", v.finding[0].what);
    cr_assert(v.usable);
    cr_assert_eq(v.afu, 0);
    cr_assert_str_eq(v.text, "A card is usable: afu0.0 of card0.");
}

/* ---- machine and driver ---- */

Test(doctor_judge, no_power)
{
    doctor_remove("/sys");
    doctor_remove("/dev");
    doctor_remove("/lib");
    doctor_machine_host()->machine = "x86_64";
    doctor_machine_host()->release = "6.1.0";
    facts = *doctor_machine_facts();
    facts.library = (struct doctor_library){.why = "IBM's libcxl cannot be loaded: no"};
    doctor_judge(&facts, &v);
    cr_assert_str_eq(v.text, "This machine has no CAPI card: it is of type x86_64, and CAPI is a "
                             "port of POWER8.");
    cr_assert_not(v.usable);
    cr_assert_eq(v.findings, 3);
    cr_assert(has("of type x86_64; the card needs a POWER8", "superpipe run"));
    cr_assert(has("it exists for POWER only", "CONFIG_CXL"));
    cr_assert(has("IBM's libcxl cannot be loaded: no.", "runs there can do without it"));
}

Test(doctor_judge, another_power)
{
    doctor_file("/proc/cpuinfo", "cpu\t\t: POWER9, altivec supported\n");
    only(DOCTOR_LIMITS, "no POWER8", "send this report");
}

static void without_driver(const char *release)
{
    doctor_remove("/sys/class");
    doctor_remove("/sys/module");
    doctor_remove("/dev");
    doctor_machine_host()->release = release;
}

Test(doctor_judge, kernels_of_the_wrong_age)
{
    without_driver("6.15.0-1-powerpc64le");
    only(DOCTOR_BLOCKS, "has no cxl driver: 6.15 removed it", "from 4.3 to 6.14");
    cr_assert_str_eq(v.text, "This machine has no CAPI card that can be seen: the cxl driver is "
                             "not there.");
    without_driver("7.0.1");
    only(DOCTOR_BLOCKS, "6.15 removed it", "older kernel");
    without_driver("3.17.9");
    only(DOCTOR_BLOCKS, "it came with 3.18", "from 4.3 to 6.14");
    without_driver("6.14.11");
    only(DOCTOR_BLOCKS, "came without the cxl driver", "grep -w CONFIG_CXL /boot/config-6.14.11");
    without_driver("3.18.0");
    only(DOCTOR_BLOCKS, "came without the cxl driver", "CONFIG_CXL");
}

Test(doctor_judge, a_driver_that_is_not_loaded)
{
    without_driver(DOCTOR_FIXTURE_KERNEL);
    only(DOCTOR_BLOCKS, "installed, but it is not loaded", "  modprobe cxl");
    doctor_file("/sys/bus/cxl/uevent", "");
    only(DOCTOR_BLOCKS, "installed, but it is not loaded", "Compute Express Link");
    doctor_file("/sys/module/cxl/refcnt", "0");
    only(DOCTOR_BLOCKS, "/sys/class/cxl is missing", "Mount sysfs");
}

Test(doctor_judge, a_driver_without_a_card)
{
    doctor_remove("/sys/class/cxl/");
    doctor_remove("/dev");
    doctor_file("/sys/class/cxl/version", "");
    only(DOCTOR_BLOCKS, "is there and knows no card", "lspci -d 1014:");
    cr_assert_str_eq(v.text,
                     "This machine has no CAPI card: the cxl driver is there and knows none.");
}

/* ---- the library ---- */

static void library(const char *id, const char *version, const char *step)
{
    char text[64];

    snprintf(text, sizeof text, "ID=%s\nVERSION_ID=\"%s\"\n", id, version);
    doctor_file("/etc/os-release", text);
    facts = *doctor_machine_facts();
    facts.library =
        (struct doctor_library){.why = "libcxl.so.1 is the Compute Express Link library of ndctl"};
    doctor_judge(&facts, &v);
    cr_assert_eq(v.findings, 1);
    cr_assert_eq(v.finding[0].weight, DOCTOR_LIMITS);
    cr_assert_str_eq(v.finding[0].what,
                     "libcxl.so.1 is the Compute Express Link library of ndctl.");
    cr_assert(strstr(v.finding[0].step, step), "%s", v.finding[0].step);
    cr_assert(strstr(v.finding[0].step, "superpipe doctor --libcxl DIRECTORY/libcxl.so.1"));
    cr_assert(v.usable, "there is a way without a library");
}

Test(doctor_judge, packages_of_the_library)
{
    library("debian", "11", "apt-get install libcxl1");
    library("debian", "12", "libcxl1 is Compute Express Link's");
    library("ubuntu", "22.04", "libcxl1 is Compute Express Link's");
    library("opensuse-leap", "15.5", "zypper install libcxl");
    library("sles", "15", "zypper install libcxl");
    library("fedora", "39", "cxl-libs is Compute Express Link's");
    library("gentoo", "2", "no package known");
}

Test(doctor_judge, the_stand_in_is_no_library_for_cards)
{
    facts = *doctor_machine_facts();
    facts.library.standin = true;
    doctor_judge(&facts, &v);
    cr_assert_eq(v.findings, 1);
    cr_assert(has("is the stand-in", "--libcxl"));
}

/* ---- cards ---- */

Test(doctor_judge, memory_that_may_be_locked)
{
    doctor_machine_host()->memlock = 65536;
    only(DOCTOR_LIMITS, "Only 64 KiB of memory may be locked", "memlock unlimited");
    doctor_machine_host()->memlock = UINT64_C(64) << 20;
    judge();
    cr_assert_eq(v.findings, 0);
}

Test(doctor_judge, a_dead_card)
{
    doctor_file_bytes("/sys/class/cxl/card0/device/config", "\xFF\xFF\xFF\xFF", 4);
    doctor_remove("/dev");
    only(DOCTOR_BLOCKS, "card0 does not answer", "/proc/powerpc/eeh");
}

Test(doctor_judge, images)
{
    doctor_file("/sys/class/cxl/card0/image_loaded", "factory\n");
    only(DOCTOR_BLOCKS, "card0 runs its factory image",
         "  echo user > /sys/class/cxl/card0/load_image_on_perst\n"
         "  echo 1 > /sys/class/cxl/card0/reset");
    cr_assert_str_eq(v.text, "This machine has a CAPI card, and it cannot be used yet.");
    doctor_remove("/sys/class/cxl/card0/image_loaded");
    only(DOCTOR_BLOCKS, "card0 runs its unknown image", "load_image_on_perst");
}

/* CX-100: only where a PERST loads an image at all. */
Test(doctor_judge, recovery_in_place)
{
    doctor_file("/sys/class/cxl/card0/perst_reloads_same_image", "0\n");
    only(DOCTOR_LIMITS, "perst_reloads_same_image 0",
         "  echo 1 > /sys/class/cxl/card0/perst_reloads_same_image");
    doctor_file("/sys/class/cxl/card0/load_image_on_perst", "none\n");
    judge();
    cr_assert_eq(v.findings, 0);
}

Test(doctor_judge, vital_product_data)
{
    doctor_allow("/sys/class/cxl/card0/device/vpd", false, false);
    only(DOCTOR_LIMITS, "of card0 cannot be read (Permission denied)", "as root");
    doctor_file("/sys/class/cxl/card0/device/vpd", "x");
    only(DOCTOR_LIMITS, "have no port name: keyword V5", "Send this report");
}

Test(doctor_judge, a_card_without_afu)
{
    doctor_remove("/sys/class/cxl/afu");
    doctor_remove("/dev");
    only(DOCTOR_BLOCKS, "card0 has no AFU", "dmesg");
}

/* ---- AFUs ---- */

Test(doctor_judge, modes)
{
    doctor_file("/sys/class/cxl/afu0.0/mode", "dedicated_process\n");
    doctor_remove("/dev/cxl/");
    doctor_remove("/sys/class/cxl/afu0.0m");
    doctor_file("/dev/cxl/afu0.0d", "");
    only(DOCTOR_BLOCKS, "afu0.0 is in mode dedicated_process, not afu_directed",
         "  echo afu_directed > /sys/class/cxl/afu0.0/mode");
    doctor_file("/sys/class/cxl/afu0.0/modes_supported", "dedicated_process\n");
    only(DOCTOR_BLOCKS, "afu0.0 is in mode dedicated_process", "cannot be switched");
}

/* CX-95, each number at its limit and beyond it. */
Test(doctor_judge, numbers_of_an_afu)
{
    static const struct {
        const char *file, *good, *bad;
    } row[] = {
        {"afu0.0/api_version_compatible", "1", "2"},
        {"afu0.0/irqs_min", "4", "5"},
        {"afu0.0/irqs_max", "3", "2"},
        {"afu0.0m/mmio_size", "33685504", "33685503"},
        {"afu0.0m/pp_mmio_len", "65536", "65537"},
        {"afu0.0m/pp_mmio_len", "65536", "65535"},
        {"afu0.0m/pp_mmio_off", "0", "4096"},
        {"afu0.0/irqs_min", "0", "many"},
        {"afu0.0/irqs_max", "3000", ""},
    };
    char path[64];

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        snprintf(path, sizeof path, "/sys/class/cxl/%s", row[i].file);
        doctor_file(path, row[i].bad);
        only(DOCTOR_BLOCKS, strchr(row[i].file, '/') + 1, "see which image");
        doctor_file(path, row[i].good);
        judge();
        cr_assert_eq(v.findings, 0, "%s %s", path, row[i].good);
    }
}

Test(doctor_judge, afus_of_others)
{
    doctor_file("/sys/class/cxl/afu0.0/cr0/vendor", "0x10ee\n");
    only(DOCTOR_LIMITS, "names the vendor 0x10ee, not IBM", "before you know");
}

/* CX-132 */
Test(doctor_judge, the_kernel_has_the_afu)
{
    doctor_link("/sys/class/cxl/card0/device/pci0007:00/0007:00:00.0/driver",
                "../../../../../../bus/pci/drivers/cxlflash");
    only(DOCTOR_BLOCKS, "cxlflash has afu0.0 (0007:00:00.0)",
         "  echo 0007:00:00.0 > /sys/bus/pci/drivers/cxlflash/unbind\n"
         "  echo 'blacklist cxlflash' > /etc/modprobe.d/");
}

/* CX-132: of two cards it may have one. */
Test(doctor_judge, the_kernel_has_the_afu_of_another_card)
{
    facts = *doctor_machine_facts();
    facts.card[1] = facts.card[0];
    facts.card[1].number = 1;
    snprintf(facts.card[1].cxlflash, sizeof facts.card[1].cxlflash, "0009:00:00.0");
    facts.cards = 2;
    facts.afu[1] = facts.afu[0];
    facts.afu[1].card = 1;
    facts.afus = 2;
    doctor_judge(&facts, &v);
    cr_assert_eq(v.findings, 1);
    cr_assert(has("cxlflash has afu1.0 (0009:00:00.0)", "echo 0009:00:00.0 >"));
    cr_assert_not(doctor_blocked(&facts, &v, 0));
    cr_assert(doctor_blocked(&facts, &v, 1));
    cr_assert_str_eq(v.text, "A card is usable: afu0.0 of card0.");
}

/* CX-130, CX-131 */
Test(doctor_judge, permissions)
{
    doctor_allow("/dev/cxl/afu0.0m", true, false);
    only(DOCTOR_BLOCKS, "You may not open /dev/cxl/afu0.0m",
         "SUBSYSTEM==\"cxl\", KERNEL==\"afu[0-9]*.[0-9]*[msd]\", GROUP=\"cxl\", MODE=\"0660\"");
    doctor_allow("/dev/cxl/afu0.0m", false, true);
    only(DOCTOR_BLOCKS, "You may not open /dev/cxl/afu0.0m", "usermod -aG cxl");
    doctor_allow("/dev/cxl/afu0.0m", true, true);
    doctor_allow("/dev/cxl/afu0.0s", false, false);
    only(DOCTOR_LIMITS, "You may not open /dev/cxl/afu0.0s", "udevadm");
    doctor_allow("/dev/cxl/afu0.0s", true, true);
    doctor_allow("/sys/class/cxl/afu0.0/reset", true, false);
    only(DOCTOR_LIMITS, "You may not write /sys/class/cxl/afu0.0/reset",
         "  chgrp cxl /sys/class/cxl/afu0.0/reset && chmod g+w /sys/class/cxl/afu0.0/reset");
}

Test(doctor_judge, nodes_that_are_gone)
{
    doctor_remove("/dev/cxl/afu0.0m");
    only(DOCTOR_BLOCKS, "/dev/cxl/afu0.0m is missing", "while it recovers");
    doctor_file("/dev/cxl/afu0.0m", "");
    doctor_remove("/dev/cxl/afu0.0s");
    only(DOCTOR_BLOCKS, "/dev/cxl/afu0.0s is missing", "while it recovers");
}

Test(doctor_judge, last_words)
{
    static const char words[4096] = {[4095] = 1};

    doctor_file_bytes("/sys/class/cxl/afu0.0/afu_err_buff", words, sizeof words);
    only(DOCTOR_LIMITS, "error buffer of afu0.0 is not empty", "before the AFU is reset");
}

Test(doctor_judge, registers)
{
    facts = *doctor_machine_facts();
    facts.afu[0].registers = (struct doctor_registers){
        .asked = true, .ports = 2, .port = {{.status = 0x10}, {.status = 0x21}}};
    doctor_judge(&facts, &v);
    cr_assert_eq(v.findings, 0, "one port is online");
    facts.afu[0].registers.port[1].status = 0x11;
    doctor_judge(&facts, &v);
    cr_assert_eq(v.findings, 1);
    cr_assert(has("No port of afu0.0 is online", "cables"));
    facts.afu[0].registers =
        (struct doctor_registers){.asked = true, .error = -16, .why = "another process has it"};
    doctor_judge(&facts, &v);
    cr_assert_not(v.usable);
    cr_assert(has("afu0.0 could not be opened: another process has it.", "End the program"));
}

/* What is wrong with one card leaves the other one usable. */
Test(doctor_judge, two_cards)
{
    facts = *doctor_machine_facts();
    facts.card[1] = facts.card[0];
    facts.card[1].number = 1;
    facts.card[1].silent = false;
    facts.cards = 2;
    facts.afu[1] = facts.afu[0];
    facts.afu[1].card = 1;
    facts.afus = 2;
    facts.card[0].silent = true;
    doctor_judge(&facts, &v);
    cr_assert(v.usable);
    cr_assert_eq(v.afu, 1);
    cr_assert_str_eq(v.text, "A card is usable: afu1.0 of card1.");
    cr_assert_eq(v.findings, 1);
    cr_assert_eq(v.finding[0].card, 0);
    facts.card[0].silent = false;
    facts.afu[1].node[DOCTOR_MASTER_VIEW].writable = false;
    doctor_judge(&facts, &v);
    cr_assert(v.usable);
    cr_assert_eq(v.afu, 0);
    facts.card[0].silent = true;
    doctor_judge(&facts, &v);
    cr_assert_not(v.usable);
}

/* As many findings as there are, and more than there is room for. */
Test(doctor_judge, bounds_of_its_table)
{
    facts = *doctor_machine_facts();
    facts.afu[0].node[DOCTOR_MASTER_VIEW].writable = false;
    facts.afu[0].reset.writable = false;
    facts.afu[0].attribute[DOCTOR_AFU_IRQS_MAX].text[0] = 0;
    facts.afu[0].attribute[DOCTOR_AFU_IRQS_MIN].text[0] = 0;
    facts.afu[0].attribute[DOCTOR_AFU_API_COMPATIBLE].text[0] = 0;
    for (unsigned i = 1; i < DOCTOR_AFUS_MAX; i++)
        facts.afu[i] = facts.afu[0];
    facts.afus = DOCTOR_AFUS_MAX;
    doctor_judge(&facts, &v);
    cr_assert_eq(v.findings, DOCTOR_FINDINGS_MAX);
    cr_assert_not(v.usable);
}
