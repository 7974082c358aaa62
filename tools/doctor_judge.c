/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/doctor_judge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "hal/cxl_abi.h"
#include "hal/support/bits.h"
#include "tools/doctor_vpd.h"
#include "tools/text.h"

#define IBM_VENDOR 0x1014u
#define NEEDED_IRQS 3u      /* CX-47: synchronous errors, RRQ, asynchronous errors */
#define LARGEST_MIN_IRQS 4u /* CX-95 */
/* CX-131: a table of resource handles for each of 512 contexts, in pages of 64 KiB, is 32 MiB; LXT
 * of all chunks of the largest LUNs come on top. */
#define MEMLOCK_WANTED (UINT64_C(64) << 20)

struct judge {
    const struct doctor_facts *f;
    struct doctor_verdict *out;
    unsigned card, afu; /* whom findings are about */
};

/* Adds a finding; its steps are added by step(). */
static void find(struct judge *j, enum doctor_weight weight, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void find(struct judge *j, enum doctor_weight weight, const char *format, ...)
{
    struct doctor_finding *d;
    va_list args;

    /* The last one is overwritten when there are more than anybody would read. */
    if (j->out->findings < DOCTOR_FINDINGS_MAX)
        j->out->findings++;
    d = &j->out->finding[j->out->findings - 1];
    *d = (struct doctor_finding){.weight = weight, .card = j->card, .afu = j->afu};
    va_start(args, format);
    vsnprintf(d->what, sizeof d->what, format, args);
    va_end(args);
}

/* Adds a line to the step of the last finding. */
static void step(struct judge *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void step(struct judge *j, const char *format, ...)
{
    struct doctor_finding *d = &j->out->finding[j->out->findings - 1];
    char line[320];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_append(d->step, sizeof d->step, "%s%s", *d->step ? "\n" : "", line);
}

/* ---- machine and driver ---- */

static void judge_machine(struct judge *j)
{
    const struct doctor_facts *f = j->f;

    if (!f->power) {
        find(j, DOCTOR_BLOCKS,
             "This is a machine of type %s; the card needs a POWER8 machine with a CAPI slot.",
             f->machine);
        step(j, "Run `superpipe doctor` on the POWER8 machine. Everything but the card itself "
                "works here, on the simulated adapter:");
        step(j, "  superpipe run");
    } else if (f->cpu_lines && !f->power8) {
        find(j, DOCTOR_LIMITS, "The processor is no POWER8; nothing was ever tried on others.");
        step(j, "Use a POWER8 machine, or send this report and say what happens.");
    }
}

/* 6015 for 6.15.2; 0 when it makes no sense. */
static unsigned long kernel_number(const struct doctor_facts *f)
{
    char *end;
    unsigned long major = strtoul(f->release, &end, 10);

    return *end == '.' ? major * 1000 + strtoul(end + 1, NULL, 10) : 0;
}

static void judge_driver(struct judge *j)
{
    const struct doctor_facts *f = j->f;
    unsigned long kernel = kernel_number(f);

    if (f->class_there)
        return;
    if (!f->power) {
        find(j, DOCTOR_BLOCKS, "The cxl driver is not there; it exists for POWER only.");
        step(j, "On the POWER8 machine boot a kernel with CONFIG_CXL, from 4.3 to 6.14 (6.15 "
                "removed the driver).");
    } else if (kernel >= 6015) { /* CX-8 */
        find(j, DOCTOR_BLOCKS, "Linux %s has no cxl driver: 6.15 removed it.", f->release);
        step(j, "Boot an older kernel that was built with CONFIG_CXL, from 4.3 to 6.14.");
    } else if (kernel && kernel < 3018) {
        find(j, DOCTOR_BLOCKS, "Linux %s has no cxl driver yet: it came with 3.18.", f->release);
        step(j, "Boot a kernel that was built with CONFIG_CXL, from 4.3 to 6.14.");
    } else if (*f->driver_file && !f->driver_loaded) {
        find(j, DOCTOR_BLOCKS, "The cxl driver is installed, but it is not loaded.");
        step(j, "Load it, and look at what it says when no card appears:");
        step(j, "  modprobe cxl && dmesg | grep -iE 'cxl|capi|eeh'");
    } else if (!f->driver_loaded) {
        find(j, DOCTOR_BLOCKS, "The kernel %s came without the cxl driver.", f->release);
        step(j, "Install a kernel that was built with CONFIG_CXL, from 4.3 to 6.14; some "
                "enterprise kernels switched it off in 2024. What this one was built with:");
        step(j, "  grep -w CONFIG_CXL /boot/config-%s", f->release);
    } else {
        find(j, DOCTOR_BLOCKS, "The cxl driver is loaded, but " CXL_SYSFS_CLASS " is missing.");
        step(j, "Mount sysfs; in a container, make /sys and /dev/cxl of the host visible.");
    }
    if (f->express_link_bus)
        step(j, "(/sys/bus/cxl belongs to Compute Express Link, which is something else.)");
}

static void judge_cards(struct judge *j)
{
    if (!j->f->class_there || j->f->cards)
        return;
    find(j, DOCTOR_BLOCKS, "The cxl driver is there and knows no card.");
    step(j, "See whether the card is in a slot that can do CAPI and is switched to CAPI mode by "
            "the firmware; a card that failed also disappears:");
    step(j, "  lspci -d 1014: && dmesg | grep -iE 'cxl|capi|eeh'");
}

/* ---- one card ---- */

static void judge_image(struct judge *j, const struct doctor_card *c)
{
    const struct doctor_value *image = &c->attribute[DOCTOR_CARD_IMAGE];

    if (image->error || strcmp(image->text, "user") != 0) { /* CX-95 */
        find(j, DOCTOR_BLOCKS, "card%u runs its %s image, not its user image.", c->number,
             image->error ? "unknown" : image->text);
        step(j, "As root, with no program using the card, load the user image:");
        step(j, "  echo user > " CXL_SYSFS_CLASS "/card%u/load_image_on_perst", c->number);
        step(j, "  echo 1 > " CXL_SYSFS_CLASS "/card%u/reset", c->number);
    }
}

/* CX-100: in-place recovery needs the promise that the same image comes back. */
static void judge_same_image(struct judge *j, const struct doctor_card *c)
{
    const struct doctor_value *same = &c->attribute[DOCTOR_CARD_SAME_IMAGE];
    const struct doctor_value *load = &c->attribute[DOCTOR_CARD_LOAD_IMAGE];

    if (same->error || strcmp(same->text, "0") != 0 ||
        (!load->error && !strcmp(load->text, "none")))
        return;
    find(j, DOCTOR_LIMITS,
         "card%u has perst_reloads_same_image 0: after a frozen slot the driver takes the card "
         "away and finds it anew, so that running programs cannot recover.",
         c->number);
    step(j, "As root, if the card's flash holds the image that runs:");
    step(j, "  echo 1 > " CXL_SYSFS_CLASS "/card%u/perst_reloads_same_image", c->number);
}

static void judge_vpd(struct judge *j, const struct doctor_card *c)
{
    if (c->vpd.error) {
        find(j, DOCTOR_LIMITS, "The vital product data of card%u cannot be read (%s).", c->number,
             strerror(-c->vpd.error));
        step(j, "Without them the ports have no names. Run the doctor as root.");
    } else if (!doctor_vpd_has_port(c->vpd_bytes, c->vpd.size, 0)) {
        find(j, DOCTOR_LIMITS,
             "The vital product data of card%u have no port name: keyword V5 is missing.",
             c->number);
        step(j, "Send this report: the ports will have no names.");
    }
}

static void judge_card(struct judge *j, const struct doctor_card *c)
{
    unsigned afus = 0;

    if (c->silent) {
        find(j, DOCTOR_BLOCKS,
             "card%u does not answer: its PCI configuration space reads all ones. The platform "
             "has frozen its slot (EEH), or the card has failed.",
             c->number);
        step(j, "Wait a minute for the recovery, then look:");
        step(j, "  dmesg | grep -iE 'eeh|cxl'; cat /proc/powerpc/eeh");
        step(j, "If it stays so, end all programs that use the card, and restart the machine.");
        return;
    }
    for (unsigned i = 0; i < j->f->afus; i++)
        afus += j->f->afu[i].card == c->number;
    if (!afus) {
        find(j, DOCTOR_BLOCKS, "card%u has no AFU.", c->number);
        step(j, "See what the driver says about it:");
        step(j, "  dmesg | grep -i cxl");
    }
    judge_image(j, c);
    judge_same_image(j, c);
    judge_vpd(j, c);
}

/* ---- one AFU ---- */

static void judge_mode(struct judge *j, const struct doctor_afu *a)
{
    const struct doctor_value *mode = &a->attribute[DOCTOR_AFU_MODE];
    bool can = strstr(a->attribute[DOCTOR_AFU_MODES].text, "afu_directed") != NULL;

    if (!mode->error && !strcmp(mode->text, "afu_directed"))
        return;
    find(j, DOCTOR_BLOCKS, "afu%u.%u is in mode %s, not afu_directed.", a->card, a->slice,
         mode->error ? strerror(-mode->error) : mode->text);
    if (can) {
        step(j, "As root, with no program using it, switch it (nothing else ever does):");
        step(j, "  echo afu_directed > " CXL_SYSFS_CLASS "/afu%u.%u/mode", a->card, a->slice);
    } else {
        step(j, "It cannot be switched to that mode, so it is not the AFU of CAPI Flash; see "
                "which image the card has.");
    }
}

/* A number that must lie in a range (CX-95). */
static void judge_number(struct judge *j, const struct doctor_afu *a, const char *name,
                         const struct doctor_value *v, uint64_t min, uint64_t max)
{
    uint64_t n = doctor_number(v, max == UINT64_MAX ? 0 : UINT64_MAX);

    if (n >= min && n <= max)
        return;
    find(j, DOCTOR_BLOCKS,
         "%s of afu%u.%u is %s; it must be from %" PRIu64 " to %" PRIu64 " for this AFU.", name,
         a->card, a->slice, v->error ? strerror(-v->error) : v->text, min, max);
    step(j, "This AFU is not that of CAPI Flash, or its image is too new: see which image the "
            "card has, and send this report.");
}

static void judge_shape(struct judge *j, const struct doctor_afu *a)
{
    const struct doctor_value *at = a->attribute;

    judge_number(j, a, "api_version_compatible", &at[DOCTOR_AFU_API_COMPATIBLE], 0,
                 CXL_API_VERSION);
    judge_number(j, a, "irqs_min", &at[DOCTOR_AFU_IRQS_MIN], 0, LARGEST_MIN_IRQS);
    judge_number(j, a, "irqs_max", &at[DOCTOR_AFU_IRQS_MAX], NEEDED_IRQS, UINT64_MAX);
    if (!a->master[DOCTOR_MASTER_DEV].error) {
        judge_number(j, a, "mmio_size", &a->master[DOCTOR_MASTER_MMIO_SIZE], CXL_MASTER_MAP_MIN,
                     UINT64_MAX);
        judge_number(j, a, "pp_mmio_len", &a->master[DOCTOR_MASTER_PP_LEN], CXL_SLAVE_MAP_SIZE,
                     CXL_SLAVE_MAP_SIZE);
        judge_number(j, a, "pp_mmio_off", &a->master[DOCTOR_MASTER_PP_OFF], 0, 0);
    }
    if (!at[DOCTOR_AFU_VENDOR].error && doctor_number(&at[DOCTOR_AFU_VENDOR], 0) != IBM_VENDOR) {
        find(j, DOCTOR_LIMITS, "afu%u.%u names the vendor %s, not IBM (0x1014).", a->card, a->slice,
             at[DOCTOR_AFU_VENDOR].text);
        step(j, "Do not start a run before you know that this is the AFU of CAPI Flash.");
    }
}

/* CX-132: cxlflash is itself the master. */
static void judge_bound(struct judge *j, const struct doctor_afu *a, const struct doctor_card *c)
{
    if (!c || !*c->cxlflash)
        return;
    find(j, DOCTOR_BLOCKS,
         "The kernel driver cxlflash has afu%u.%u (%s); an AFU has one master only.", a->card,
         a->slice, c->cxlflash);
    step(j, "Unmount what lies on its LUNs; then, as root, take the driver off, now and at the "
            "next start:");
    step(j, "  echo %s > /sys/bus/pci/drivers/cxlflash/unbind", c->cxlflash);
    step(j, "  echo 'blacklist cxlflash' > /etc/modprobe.d/superpipe.conf");
}

/* CX-130: what capiflash installs. */
static void udev_rule(struct judge *j)
{
    step(j, "Add yourself to a group `cxl`, and let udev give the nodes to it (as root; log in "
            "again afterwards):");
    step(j, "  groupadd -f cxl && usermod -aG cxl YOUR_NAME");
    step(j, "  echo 'SUBSYSTEM==\"cxl\", KERNEL==\"afu[0-9]*.[0-9]*[msd]\", GROUP=\"cxl\", "
            "MODE=\"0660\"' > /etc/udev/rules.d/80-cxl.rules");
    step(j, "  udevadm control --reload && udevadm trigger --subsystem-match=cxl");
}

static bool may_use(const struct doctor_permission *p)
{
    return !p->error && p->readable && p->writable;
}

static void judge_nodes(struct judge *j, const struct doctor_afu *a)
{
    const struct doctor_permission *m = &a->node[DOCTOR_MASTER_VIEW];
    const struct doctor_permission *s = &a->node[DOCTOR_SLAVE_VIEW];

    if (m->error == -ENOENT || s->error == -ENOENT) {
        find(j, DOCTOR_BLOCKS, CXL_DEV_DIR "/afu%u.%u%s is missing.", a->card, a->slice,
             m->error == -ENOENT ? "m" : "s");
        step(j, "The driver takes the nodes away while it recovers the card, and for good when "
                "it gave up; in a container they must be passed in:");
        step(j, "  dmesg | grep -iE 'eeh|cxl'; ls -l " CXL_DEV_DIR);
    } else if (!may_use(m)) {
        find(j, DOCTOR_BLOCKS,
             "You may not open " CXL_DEV_DIR "/afu%u.%um for reading and writing.", a->card,
             a->slice);
        udev_rule(j);
    } else if (!may_use(s)) {
        find(j, DOCTOR_LIMITS,
             "You may not open " CXL_DEV_DIR "/afu%u.%us, so there are no clients.", a->card,
             a->slice);
        udev_rule(j);
    }
}

/* CX-131: what only root may do unless somebody opens the file. */
static void judge_reset(struct judge *j, const struct doctor_afu *a)
{
    if (a->reset.error || !a->reset.writable) {
        find(j, DOCTOR_LIMITS, "You may not write " CXL_SYSFS_CLASS "/afu%u.%u/reset.", a->card,
             a->slice);
        step(j, "The AFU cannot be reset then, and a run ends when it needs to be. Run as root, "
                "or let root give the file away after each start:");
        step(j,
             "  chgrp cxl " CXL_SYSFS_CLASS "/afu%u.%u/reset && chmod g+w " CXL_SYSFS_CLASS
             "/afu%u.%u/reset",
             a->card, a->slice, a->card, a->slice);
    }
}

/* CX-97: an AFU leaves its last words here. */
static void judge_error_buffer(struct judge *j, const struct doctor_afu *a)
{
    for (size_t i = 0; i < a->error_buffer.size; i++) {
        if (!a->error_bytes[i])
            continue;
        find(j, DOCTOR_LIMITS, "The error buffer of afu%u.%u is not empty.", a->card, a->slice);
        step(j, "It may tell of an earlier failure. Send this report, which has it, before the "
                "AFU is reset.");
        return;
    }
}

static void judge_registers(struct judge *j, const struct doctor_afu *a)
{
    const struct doctor_registers *r = &a->registers;
    unsigned up = 0;

    if (!r->asked)
        return;
    if (r->error) {
        find(j, DOCTOR_BLOCKS, "afu%u.%u could not be opened: %s.", a->card, a->slice, r->why);
        step(j, "End the program that uses it, or see the findings above.");
        return;
    }
    for (unsigned i = 0; i < r->ports; i++)
        up += (r->port[i].status & AFU_FC_MTIP_STATUS_MASK) == AFU_FC_MTIP_STATUS_ONLINE;
    if (!up) {
        find(j, DOCTOR_LIMITS, "No port of afu%u.%u is online.", a->card, a->slice);
        step(j, "A run takes the ports online; if none comes up, look at cables and switches.");
    }
}

static void judge_afu(struct judge *j, const struct doctor_afu *a)
{
    const struct doctor_card *c = doctor_card(j->f, a->card);

    if (c && c->silent) /* judge_card() has said it; nothing else means anything */
        return;
    judge_mode(j, a);
    judge_shape(j, a);
    judge_bound(j, a, c);
    if (!strcmp(a->attribute[DOCTOR_AFU_MODE].text, "afu_directed"))
        judge_nodes(j, a);
    judge_reset(j, a);
    judge_error_buffer(j, a);
    judge_registers(j, a);
}

/* ---- the library ---- */

/* How a distribution names IBM's library (docs/spec/libcxl.md, section 1). */
static void library_packages(struct judge *j)
{
    const struct doctor_facts *f = j->f;
    bool suse = strstr(f->os_id, "suse") || strstr(f->os_id, "sles") || strstr(f->os_like, "suse");

    if (suse)
        step(j, "  zypper install libcxl");
    else if (!strcmp(f->os_id, "debian") && !strcmp(f->os_version, "11"))
        step(j, "  apt-get install libcxl1");
    else if (!strcmp(f->os_id, "debian") || !strcmp(f->os_id, "ubuntu"))
        step(j, "  (no package here: libcxl1 is Compute Express Link's from Debian 12 and Ubuntu "
                "22.04 on; build ibm-capi/libcxl, release 1.7, from source)");
    else if (!strcmp(f->os_id, "fedora") || strstr(f->os_like, "fedora"))
        step(j, "  (no package known here: cxl-libs is Compute Express Link's; build "
                "ibm-capi/libcxl, release 1.7, from source)");
    else
        step(j, "  (no package known for this system; build ibm-capi/libcxl, release 1.7, from "
                "source)");
    step(j, "A library in a directory of its own is enough; name it to each command:");
    step(j, "  superpipe doctor --libcxl DIRECTORY/libcxl.so.1");
}

static void judge_library(struct judge *j)
{
    const struct doctor_library *l = &j->f->library;

    if (l->usable && l->standin) {
        find(j, DOCTOR_LIMITS, "%s is the stand-in, which knows simulated cards only.", l->path);
        step(j, "Leave --libcxl away, or name IBM's library.");
        return;
    }
    if (l->usable)
        return;
    find(j, DOCTOR_LIMITS, "%s.", l->why);
    if (!j->f->power) {
        step(j, "It exists for POWER only, and runs there can do without it.");
        return;
    }
    step(j, "Runs use the kernel's interface without a library then, which does the same. To use "
            "IBM's libcxl, 1.2 or later, install it:"); /* CX-141 */
    library_packages(j);
}

static void judge_memlock(struct judge *j)
{
    char size[TEXT_BYTES], wanted[TEXT_BYTES];

    if (!j->f->power || j->f->memlock >= MEMLOCK_WANTED)
        return;
    find(j, DOCTOR_LIMITS, "Only %s of memory may be locked; tables for the AFU can take %s.",
         text_size(size, j->f->memlock), text_size(wanted, MEMLOCK_WANTED));
    step(j, "As root, then log in again:");
    step(j, "  echo '* - memlock unlimited' > /etc/security/limits.d/superpipe.conf");
}

/* ---- the verdict ---- */

bool doctor_blocked(const struct doctor_facts *f, const struct doctor_verdict *v, unsigned afu)
{
    unsigned card = f->afu[afu].card;

    if (v->findings == DOCTOR_FINDINGS_MAX) /* some were lost */
        return true;
    for (unsigned i = 0; i < v->findings; i++) {
        const struct doctor_finding *d = &v->finding[i];

        if (d->weight == DOCTOR_BLOCKS && (d->card == card || d->card == DOCTOR_ALL) &&
            (d->afu == afu || d->afu == DOCTOR_ALL))
            return true;
    }
    return false;
}

static void conclude(const struct doctor_facts *f, struct doctor_verdict *out)
{
    for (unsigned i = 0; i < f->afus && !out->usable; i++) {
        out->usable = !doctor_blocked(f, out, i);
        out->afu = i;
    }
    if (out->usable)
        snprintf(out->text, sizeof out->text, "A card is usable: afu%u.%u of card%u.",
                 f->afu[out->afu].card, f->afu[out->afu].slice, f->afu[out->afu].card);
    else if (f->cards)
        snprintf(out->text, sizeof out->text,
                 "This machine has a CAPI card, and it cannot be used yet.");
    else if (!f->power)
        snprintf(out->text, sizeof out->text,
                 "This machine has no CAPI card: it is of type %s, and CAPI is a port of POWER8.",
                 f->machine);
    else if (!f->class_there)
        snprintf(out->text, sizeof out->text,
                 "This machine has no CAPI card that can be seen: the cxl driver is not there.");
    else
        snprintf(out->text, sizeof out->text,
                 "This machine has no CAPI card: the cxl driver is there and knows none.");
}

void doctor_judge(const struct doctor_facts *f, struct doctor_verdict *out)
{
    struct judge j = {.f = f, .out = out, .card = DOCTOR_ALL, .afu = DOCTOR_ALL};

    *out = (struct doctor_verdict){0};
    judge_machine(&j);
    judge_driver(&j);
    judge_library(&j);
    judge_memlock(&j);
    judge_cards(&j);
    for (unsigned i = 0; i < f->cards; i++) {
        j.card = f->card[i].number;
        judge_card(&j, &f->card[i]);
    }
    for (unsigned i = 0; i < f->afus; i++) {
        j.card = f->afu[i].card;
        j.afu = i;
        judge_afu(&j, &f->afu[i]);
    }
    conclude(f, out);
}
