/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/doctor_print.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "hal/cxl_abi.h"
#include "hal/support/bits.h"
#include "tools/doctor_vpd.h"
#include "tools/text.h"

#define LABEL "  %-26s"
#define ROW_BYTES 16u

static void section(FILE *to, const char *title) { fprintf(to, "\n%s\n", title); }

static void row(FILE *to, const char *label, const char *text)
{
    fprintf(to, LABEL "%s\n", label, *text ? text : "-");
}

static void value(FILE *to, const char *label, const struct doctor_value *v)
{
    if (v->error)
        fprintf(to, LABEL "(%s)\n", label, strerror(-v->error));
    else
        row(to, label, v->text);
}

static void values(FILE *to, const char *const *names, unsigned count, const struct doctor_value *v)
{
    for (unsigned i = 0; i < count; i++)
        value(to, names[i], &v[i]);
}

/* "rw  0660 root:993" : what we may do, then the bits and the owners. */
static void permission(FILE *to, const char *label, const struct doctor_permission *p)
{
    if (p->error)
        fprintf(to, LABEL "(%s)\n", label, strerror(-p->error));
    else
        fprintf(to, LABEL "%c%c for you; mode %04o, owner %u, group %u\n", label,
                p->readable ? 'r' : '-', p->writable ? 'w' : '-', p->mode, p->uid, p->gid);
}

static void dump_row(FILE *to, const uint8_t *bytes, size_t at, size_t n)
{
    fprintf(to, "    %04zx ", at);
    for (size_t i = 0; i < ROW_BYTES; i++)
        if (i < n)
            fprintf(to, " %02x", bytes[at + i]);
        else
            fputs("   ", to);
    fputs("  ", to);
    for (size_t i = 0; i < n; i++)
        fputc(isprint(bytes[at + i]) ? bytes[at + i] : '.', to);
    fputc('\n', to);
}

/* Rows of nothing but zeros say nothing. */
static void dump(FILE *to, const uint8_t *bytes, size_t size)
{
    static const uint8_t zeros[ROW_BYTES];

    for (size_t at = 0; at < size; at += ROW_BYTES) {
        size_t n = size - at < ROW_BYTES ? size - at : ROW_BYTES;

        if (memcmp(bytes + at, zeros, n) != 0)
            dump_row(to, bytes, at, n);
    }
}

/* ---- machine ---- */

static void print_machine(const struct doctor_facts *f, FILE *to)
{
    char size[TEXT_BYTES];

    section(to, "Machine");
    fprintf(to, LABEL "%s %s %s\n", "kernel", f->system, f->release, f->machine);
    row(to, "built", f->version);
    row(to, "distribution", f->os_name);
    row(to, "byte order", f->big_endian ? "big-endian" : "little-endian");
    row(to, "page size", text_size(size, f->page_size));
    fprintf(to, LABEL "%u\n", "user", f->uid);
    row(to, "memory that may be locked",
        f->memlock == UINT64_MAX ? "unlimited" : text_size(size, f->memlock));
    for (unsigned i = 0; i < f->cpu_lines; i++)
        fprintf(to, "  %s\n", f->cpu[i]);
}

static void print_drivers(const struct doctor_facts *f, FILE *to)
{
    section(to, "Drivers");
    row(to, CXL_SYSFS_CLASS, f->class_there ? "there" : "missing");
    row(to, "module cxl",
        f->driver_loaded  ? "loaded, or built in"
        : *f->driver_file ? "installed, not loaded"
                          : "not there");
    row(to, "file of the module", f->driver_file);
    row(to, "module cxlflash", f->cxlflash_loaded ? "loaded" : "not loaded");
    row(to, "Compute Express Link", f->express_link_bus ? "/sys/bus/cxl is there" : "not there");
    row(to, "modules like cxl, capi", f->modules);
    if (*f->eeh) {
        section(to, "/proc/powerpc/eeh");
        fputs(f->eeh, to);
        if (f->eeh[strlen(f->eeh) - 1] != '\n')
            fputc('\n', to);
    }
}

static void print_library(const struct doctor_facts *f, FILE *to)
{
    const struct doctor_library *l = &f->library;

    section(to, "libcxl");
    row(to, "asked for", l->name);
    if (l->usable) {
        row(to, "it is", l->standin ? "the stand-in on the simulator" : "IBM's libcxl");
        row(to, "found", l->path);
        row(to, "version by its symbols", l->version);
    } else {
        row(to, "not usable", l->why);
    }
    for (unsigned i = 0; i < f->files; i++)
        fprintf(to, LABEL "%s%s%s\n", "file", f->file[i].path, *f->file[i].target ? " -> " : "",
                f->file[i].target);
}

/* ---- cards and AFUs ---- */

static void print_vpd(const struct doctor_card *c, FILE *to)
{
    struct doctor_vpd_walk w = {0};
    struct doctor_vpd_field field;

    if (c->vpd.error) {
        fprintf(to, LABEL "(%s)\n", "vital product data", strerror(-c->vpd.error));
        return;
    }
    fprintf(to, LABEL "%zu bytes\n", "vital product data", c->vpd.size);
    while (doctor_vpd_next(c->vpd_bytes, c->vpd.size, &w, &field)) {
        fprintf(to, "    %c%c  ", isprint((unsigned char)field.keyword[0]) ? field.keyword[0] : '?',
                isprint((unsigned char)field.keyword[1]) ? field.keyword[1] : '?');
        for (size_t i = 0; i < field.length; i++)
            fputc(isprint(field.data[i]) ? field.data[i] : '.', to);
        fputc('\n', to);
    }
    dump(to, c->vpd_bytes, c->vpd.size);
}

static void print_card(const struct doctor_card *c, FILE *to)
{
    char title[32];

    snprintf(title, sizeof title, "card%u", c->number);
    section(to, title);
    values(to, doctor_card_files, DOCTOR_CARD_ATTRIBUTES, c->attribute);
    permission(to, "file of the last", &c->same_image);
    row(to, "PCI function", c->pci);
    row(to, "cxlflash drives", c->cxlflash);
    row(to, "configuration space", c->silent ? "all ones: it does not answer" : "answers");
    print_vpd(c, to);
}

static void print_error_buffer(const struct doctor_afu *a, FILE *to)
{
    if (a->error_buffer.error) {
        fprintf(to, LABEL "(%s)\n", "afu_err_buff", strerror(-a->error_buffer.error));
        return;
    }
    fprintf(to, LABEL "%zu bytes; those that are not 0:\n", "afu_err_buff", a->error_buffer.size);
    dump(to, a->error_bytes, a->error_buffer.size);
}

static const char *link_words(uint64_t status)
{
    switch (status & AFU_FC_MTIP_STATUS_MASK) {
    case AFU_FC_MTIP_STATUS_ONLINE:
        return "online";
    case AFU_FC_MTIP_STATUS_OFFLINE:
        return "offline";
    default:
        return "neither online nor offline";
    }
}

static void print_registers(const struct doctor_registers *r, FILE *to)
{
    if (!r->asked) {
        fprintf(to,
                LABEL "left out: they need a master context, which takes the AFU from\n" LABEL
                      "others; with --open the doctor opens one\n",
                "AFU version and links", "");
        return;
    }
    if (r->error) {
        fprintf(to, LABEL "(%s)\n", "AFU version and links", r->why);
        return;
    }
    row(to, "AFU version", r->version);
    fprintf(to, LABEL "0x%016" PRIx64 "\n", "interface version", r->interface_version);
    for (unsigned i = 0; i < r->ports; i++)
        fprintf(to, "  port %u                    %s (status 0x%" PRIx64 ", error 0x%" PRIx64 ")\n",
                i, link_words(r->port[i].status), r->port[i].status, r->port[i].error);
}

static void print_afu(const struct doctor_afu *a, FILE *to)
{
    static const char *const nodes[DOCTOR_VIEWS] = {"node m (master)", "node s (clients)",
                                                    "node d (dedicated mode)"};
    char title[32];

    snprintf(title, sizeof title, "afu%u.%u", a->card, a->slice);
    section(to, title);
    values(to, doctor_afu_files, DOCTOR_AFU_ATTRIBUTES, a->attribute);
    fprintf(to, "  m:\n");
    values(to, doctor_master_files, DOCTOR_MASTER_ATTRIBUTES, a->master);
    fprintf(to, "  s:\n");
    values(to, doctor_slave_files, DOCTOR_SLAVE_ATTRIBUTES, a->slave);
    for (unsigned v = 0; v < DOCTOR_VIEWS; v++)
        permission(to, nodes[v], &a->node[v]);
    permission(to, "file reset", &a->reset);
    print_error_buffer(a, to);
    print_registers(&a->registers, to);
}

void doctor_print_facts(const struct doctor_facts *f, FILE *to)
{
    print_machine(f, to);
    print_drivers(f, to);
    print_library(f, to);
    for (unsigned i = 0; i < f->cards; i++)
        print_card(&f->card[i], to);
    for (unsigned i = 0; i < f->afus; i++)
        print_afu(&f->afu[i], to);
}

/* ---- verdict ---- */

static void print_finding(const struct doctor_finding *d, unsigned number, FILE *to)
{
    fprintf(to, "\n%2u. %s\n", number, d->what);
    for (const char *line = d->step; *line;) {
        size_t length = strcspn(line, "\n");

        fprintf(to, "    %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

/* The findings of one weight, numbered on from `number`. Returns the last number. */
static unsigned print_findings(const struct doctor_verdict *v, enum doctor_weight weight,
                               const char *title, unsigned number, FILE *to)
{
    bool first = true;

    for (unsigned i = 0; i < v->findings; i++) {
        if (v->finding[i].weight != weight)
            continue;
        if (first)
            fprintf(to, "\n%s\n", title);
        first = false;
        print_finding(&v->finding[i], ++number, to);
    }
    return number;
}

void doctor_print_verdict(const struct doctor_verdict *v, FILE *to)
{
    unsigned number;

    section(to, "Verdict");
    fprintf(to, "%s\n", v->text);
    number = print_findings(
        v, DOCTOR_BLOCKS,
        v->usable ? "What keeps others from being usable:" : "What is missing:", 0, to);
    print_findings(v, DOCTOR_LIMITS, "What would be better:", number, to);
}
