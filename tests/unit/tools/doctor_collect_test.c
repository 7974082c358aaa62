/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor reads of a machine, and that it opens and writes nothing. */
#include "tools/doctor_collect.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/tools/doctor_fixture.h"

TestSuite(doctor_collect, .init = doctor_machine);

Test(doctor_collect, the_machine)
{
    const struct doctor_facts *f = doctor_machine_facts();

    cr_assert_str_eq(f->release, DOCTOR_FIXTURE_KERNEL);
    cr_assert_str_eq(f->machine, "ppc64le");
    cr_assert(f->power && f->power8 && !f->big_endian);
    cr_assert_eq(f->page_size, 65536);
    cr_assert_str_eq(f->os_name, "Debian GNU/Linux 11 (bullseye)");
    cr_assert_str_eq(f->os_id, "debian");
    cr_assert_str_eq(f->os_version, "11");
    cr_assert_str_eq(f->os_like, "");
    cr_assert_eq(f->cpu_lines, 7,
                 "each kind once: cpu revision timebase platform model machine "
                 "firmware");
    cr_assert_str_eq(f->cpu[0], "cpu  : POWER8E (raw), altivec supported");
    cr_assert_str_eq(f->cpu[3], "platform : PowerNV");
    cr_assert_str_eq(f->eeh, "no device=0\neeh_total_mmio_ffs=0\n");
}

Test(doctor_collect, drivers)
{
    const struct doctor_facts *f = doctor_machine_facts();

    cr_assert(f->class_there && f->driver_loaded && !f->cxlflash_loaded && !f->express_link_bus);
    cr_assert_str_eq(f->modules, "cxl");
    cr_assert_str_eq(f->driver_file,
                     "/lib/modules/" DOCTOR_FIXTURE_KERNEL "/kernel/drivers/misc/cxl/cxl.ko");

    doctor_file("/sys/module/cxlflash/refcnt", "1\n");
    doctor_file("/sys/bus/cxl/uevent", "");
    doctor_file("/proc/modules", "cxlflash 1 0 - Live\ncxl 2 1 cxlflash, Live\nocxl 1 0 - Live");
    doctor_remove("/lib/modules");
    doctor_file("/lib/modules/" DOCTOR_FIXTURE_KERNEL "/kernel/drivers/misc/cxl/cxl.ko.xz", "");
    f = doctor_machine_facts();
    cr_assert(f->cxlflash_loaded && f->express_link_bus);
    cr_assert_str_eq(f->modules, "cxlflash cxl ocxl");
    cr_assert(strstr(f->driver_file, "/cxl.ko.xz"));
    doctor_remove("/sys/class");
    cr_assert_not(doctor_machine_facts()->class_there);
}

Test(doctor_collect, every_attribute_of_card_and_afu)
{
    const struct doctor_facts *f = doctor_machine_facts();
    const struct doctor_card *c = &f->card[0];
    const struct doctor_afu *a = &f->afu[0];

    cr_assert_eq(f->cards, 1);
    cr_assert_eq(f->afus, 1, "afu0.0m and afu0.0s are views of it");
    for (unsigned i = 0; i < DOCTOR_CARD_ATTRIBUTES; i++)
        cr_assert_eq(c->attribute[i].error, 0, "%s", doctor_card_files[i]);
    for (unsigned i = 0; i < DOCTOR_AFU_ATTRIBUTES; i++)
        cr_assert_eq(a->attribute[i].error, 0, "%s", doctor_afu_files[i]);
    cr_assert_str_eq(c->attribute[DOCTOR_CARD_CAIA].text, "1.0");
    cr_assert_str_eq(c->attribute[DOCTOR_CARD_IMAGE].text, "user");
    cr_assert_str_eq(c->attribute[DOCTOR_CARD_SAME_IMAGE].text, "1");
    cr_assert_str_eq(a->attribute[DOCTOR_AFU_MODES].text, "dedicated_process afu_directed");
    cr_assert_str_eq(a->attribute[DOCTOR_AFU_DEVICE].text, "0x4f0");
    cr_assert_str_eq(a->master[DOCTOR_MASTER_MMIO_SIZE].text, "33685504");
    cr_assert_str_eq(a->master[DOCTOR_MASTER_DEV].text, "245:2");
    cr_assert_str_eq(a->slave[DOCTOR_SLAVE_DEV].text, "245:3");
    cr_assert_eq(a->node[DOCTOR_MASTER_VIEW].error, 0);
    cr_assert_eq(a->node[DOCTOR_MASTER_VIEW].mode, 0660);
    cr_assert_eq(a->node[DOCTOR_DEDICATED_VIEW].error, -ENOENT);
    cr_assert_eq(a->error_buffer.size, 4096);
    cr_assert_str_eq(c->pci, "/sys/class/cxl/card0/device");
    cr_assert_eq(c->vpd.size, 54);
    cr_assert_not(c->silent);
    cr_assert_not(a->registers.asked);
    cr_assert_not(doctor_machine_disturbed());
}

Test(doctor_collect, what_cannot_be_read_is_recorded)
{
    const struct doctor_facts *f;

    doctor_remove("/sys/class/cxl/card0/psl_timebase_synced");
    doctor_allow("/sys/class/cxl/card0/device/vpd", false, false);
    doctor_allow("/dev/cxl/afu0.0m", true, false);
    doctor_remove("/sys/class/cxl/afu0.0/afu_err_buff");
    f = doctor_machine_facts();
    cr_assert_eq(f->card[0].attribute[DOCTOR_CARD_TIMEBASE].error, -ENOENT);
    cr_assert_str_eq(f->card[0].attribute[DOCTOR_CARD_TIMEBASE].text, "");
    cr_assert_eq(f->card[0].vpd.error, -EACCES);
    cr_assert_eq(f->card[0].vpd.size, 0);
    cr_assert(f->afu[0].node[DOCTOR_MASTER_VIEW].readable);
    cr_assert_not(f->afu[0].node[DOCTOR_MASTER_VIEW].writable);
    cr_assert_eq(f->afu[0].error_buffer.error, -ENOENT);
}

Test(doctor_collect, names_are_taken_exactly)
{
    const struct doctor_facts *f;

    doctor_file("/sys/class/cxl/card/x", "");
    doctor_file("/sys/class/cxl/card1x/x", "");
    doctor_file("/sys/class/cxl/afu1/x", "");
    doctor_file("/sys/class/cxl/afu1.x/x", "");
    doctor_file("/sys/class/cxl/afu12.3d/x", "");
    doctor_file("/sys/class/cxl/card12/x", "");
    doctor_file("/sys/class/cxl/afu12.3/x", "");
    f = doctor_machine_facts();
    cr_assert_eq(f->cards, 2);
    cr_assert_eq(f->card[1].number, 12);
    cr_assert_str_eq(f->card[1].pci, "");
    cr_assert_eq(f->card[1].vpd.error, -ENOENT);
    cr_assert_eq(f->afus, 2);
    cr_assert_eq(f->afu[1].card, 12);
    cr_assert_eq(f->afu[1].slice, 3);
}

/* CX-93: the first ancestor whose subsystem is pci; bridges of the driver are between. */
Test(doctor_collect, the_pci_function_is_an_ancestor)
{
    doctor_remove("/sys/class/cxl/card0/device");
    doctor_link("/sys/class/cxl/card0/device/subsystem", "../../bus/platform");
    doctor_link("/sys/class/cxl/card0/device/device/subsystem", "../../bus/pci");
    cr_assert_str_eq(doctor_machine_facts()->card[0].pci, "/sys/class/cxl/card0/device/device");
}

/* CX-132: it stands behind the virtual host bridge below the card's PCI function. */
Test(doctor_collect, the_function_that_cxlflash_drives)
{
    const struct doctor_facts *f = doctor_machine_facts();

    cr_assert_str_eq(f->card[0].cxlflash, "");
    doctor_link("/sys/class/cxl/card0/device/pci0007:00/0007:00:00.0/driver",
                "../../../../../../bus/pci/drivers/cxlflash");
    doctor_file("/sys/class/cxl/card1/caia_version", "1.0\n");
    f = doctor_machine_facts();
    cr_assert_str_eq(f->card[0].cxlflash, "0007:00:00.0");
    cr_assert_eq(f->cards, 2);
    cr_assert_str_eq(f->card[1].cxlflash, "", "it is another card's");
}

Test(doctor_collect, a_frozen_slot_is_not_asked_for_more)
{
    const struct doctor_facts *f;

    doctor_file_bytes("/sys/class/cxl/card0/device/config", "\xFF\xFF\xFF\xFF", 4);
    f = doctor_machine_facts();
    cr_assert(f->card[0].silent);
    cr_assert_eq(f->card[0].vpd.size, 0);
}

Test(doctor_collect, an_empty_machine)
{
    const struct doctor_facts *f;

    doctor_remove("/");
    doctor_machine_host()->machine = "x86_64";
    f = doctor_machine_facts();
    cr_assert(!f->power && !f->class_there && !f->driver_loaded);
    cr_assert_eq(f->cards + f->afus + f->cpu_lines, 0);
    cr_assert_str_eq(f->os_name, "");
}

/* More of everything than there is room for. */
Test(doctor_collect, bounds_of_its_tables)
{
    const struct doctor_facts *f;
    char path[96];

    for (unsigned i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/sys/class/cxl/card%u/caia_version", i + 1);
        doctor_file(path, "1.0\n");
        snprintf(path, sizeof path, "/sys/class/cxl/afu%u.0/mode", i + 1);
        doctor_file(path, "none\n");
    }
    f = doctor_machine_facts();
    cr_assert_eq(f->cards, DOCTOR_CARDS_MAX);
    cr_assert_eq(f->afus, DOCTOR_AFUS_MAX);
}
