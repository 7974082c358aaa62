/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/doctor_collect.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capi/capi_driver.h"
#include "hal/cxl_abi.h"
#include "hal/support/bits.h"
#include "tools/text.h"

#define FILE_BYTES (256u * 1024) /* /proc/cpuinfo of a machine with 192 threads, and more */
#define PATH_BYTES 256
#define NAMES_MAX 4096u /* of one directory: an end even if the kernel table has none */

struct collector {
    const struct doctor_host *host;
    struct doctor_facts *out;
    char file[FILE_BYTES];
};

/* A path of files that the doctor knows; none comes near the limit. */
static void path_of(char path[PATH_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void path_of(char path[PATH_BYTES], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(path, PATH_BYTES, format, args);
    va_end(args);
}

/* The number that a text begins with. NULL if there is none, or where the text goes on. */
static const char *number(const char *text, unsigned *out)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return NULL;
    *out = (unsigned)strtoul(text, &end, 10);
    return end;
}

/* ---- files ---- */

/* A whole text file into c->file. Returns whether it is there. */
static bool load(struct collector *c, const char *path)
{
    ssize_t n = c->host->kernel->attribute_read(path, c->file, sizeof c->file - 1);

    c->file[n > 0 ? n : 0] = 0;
    return n >= 0;
}

/* Directories read as -EISDIR; files may be there without being readable. */
static bool is_there(const struct collector *c, const char *path)
{
    char byte;
    ssize_t n = c->host->kernel->attribute_read(path, &byte, 1);

    return n >= 0 || n == -EISDIR || n == -EACCES || n == -EPERM;
}

/* Lines become words of one line; what cannot be printed becomes '?'. */
static void flatten(char *text)
{
    size_t n = strlen(text);

    while (n && isspace((unsigned char)text[n - 1]))
        text[--n] = 0;
    for (char *p = text; *p; p++)
        if (isspace((unsigned char)*p))
            *p = ' ';
        else if (!isprint((unsigned char)*p))
            *p = '?';
}

static void read_value(const struct collector *c, const char *directory, const char *name,
                       struct doctor_value *out)
{
    char path[PATH_BYTES];
    ssize_t n;

    path_of(path, "%s/%s", directory, name);
    n = c->host->kernel->attribute_read(path, out->text, sizeof out->text - 1);
    out->error = n < 0 ? (int)n : 0;
    out->text[n > 0 ? n : 0] = 0;
    flatten(out->text);
}

static void read_values(const struct collector *c, const char *directory, const char *const *names,
                        unsigned count, struct doctor_value *out)
{
    for (unsigned i = 0; i < count; i++)
        read_value(c, directory, names[i], &out[i]);
}

static void read_bytes(const struct collector *c, const char *path, uint8_t *bytes, size_t size,
                       struct doctor_bytes *out)
{
    ssize_t n = c->host->kernel->attribute_read(path, bytes, size);

    out->error = n < 0 ? (int)n : 0;
    out->size = n > 0 ? (size_t)n : 0;
}

static void read_permission(const struct collector *c, const char *directory, const char *name,
                            struct doctor_permission *out)
{
    char path[PATH_BYTES];

    path_of(path, "%s/%s", directory, name);
    c->host->permission(path, out);
}

/* ---- the machine ---- */

static void add_cpu_line(struct doctor_facts *f, const char *line, size_t length)
{
    if (f->cpu_lines < DOCTOR_CPU_LINES_MAX) {
        snprintf(f->cpu[f->cpu_lines], sizeof f->cpu[0], "%.*s", (int)length, line);
        flatten(f->cpu[f->cpu_lines++]);
    }
}

/* The first line of each kind: /proc/cpuinfo repeats most of them for every thread. */
static void collect_cpu(struct collector *c)
{
    static const char *const keys[] = {"cpu\t",    "model name", "revision", "timebase",
                                       "platform", "model\t",    "machine",  "firmware"};
    unsigned seen = 0;

    if (!load(c, "/proc/cpuinfo"))
        return;
    for (const char *line = c->file; *line;) {
        size_t length = strcspn(line, "\n");

        for (unsigned k = 0; k < HAL_ARRAY_LENGTH(keys); k++)
            if (!(seen & 1u << k) && !strncmp(line, keys[k], strlen(keys[k]))) {
                seen |= 1u << k;
                add_cpu_line(c->out, line, length);
            }
        line += length + (line[length] == '\n');
    }
    c->out->power8 = strstr(c->file, "POWER8") != NULL;
}

/* A line NAME=value or NAME="value" of os-release(5). */
static void os_field(const char *text, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);

    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");

        if (!strncmp(line, name, n) && line[n] == '=') {
            const char *value = line + n + 1;

            value += *value == '"';
            snprintf(out, size, "%.*s", (int)strcspn(value, "\"\n"), value);
            flatten(out);
        }
        line += length + (line[length] == '\n');
    }
}

static void collect_system(struct collector *c)
{
    const struct doctor_host *h = c->host;
    struct doctor_facts *f = c->out;

    snprintf(f->system, sizeof f->system, "%s", h->system);
    snprintf(f->release, sizeof f->release, "%s", h->release);
    snprintf(f->version, sizeof f->version, "%s", h->version);
    snprintf(f->machine, sizeof f->machine, "%s", h->machine);
    f->power = !strncmp(f->machine, "ppc64", 5);
    f->big_endian = h->big_endian;
    f->page_size = h->page_size;
    f->uid = h->uid;
    f->memlock = h->memlock;
    collect_cpu(c);
    if (load(c, "/etc/os-release") || load(c, "/usr/lib/os-release")) {
        os_field(c->file, "PRETTY_NAME", f->os_name, sizeof f->os_name);
        os_field(c->file, "ID", f->os_id, sizeof f->os_id);
        os_field(c->file, "ID_LIKE", f->os_like, sizeof f->os_like);
        os_field(c->file, "VERSION_ID", f->os_version, sizeof f->os_version);
    }
}

/* ---- drivers ---- */

static void find_driver_file(struct collector *c)
{
    static const char *const endings[] = {"", ".xz", ".zst", ".gz"};
    char path[PATH_BYTES];

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(endings); i++) {
        path_of(path, "/lib/modules/%s/kernel/drivers/misc/cxl/cxl.ko%s", c->out->release,
                endings[i]);
        if (is_there(c, path)) {
            snprintf(c->out->driver_file, sizeof c->out->driver_file, "%.159s", path);
            return;
        }
    }
}

static void collect_modules(struct collector *c)
{
    struct doctor_facts *f = c->out;

    if (!load(c, "/proc/modules"))
        return;
    for (char *line = c->file; *line;) {
        size_t length = strcspn(line, "\n"), name = strcspn(line, " \n");
        bool last = !line[length];

        line[length] = 0;
        line[name] = 0;
        if (strstr(line, "cxl") || strstr(line, "capi"))
            text_append(f->modules, sizeof f->modules, "%s%s", *f->modules ? " " : "", line);
        line += length + !last;
    }
}

static void collect_drivers(struct collector *c)
{
    struct doctor_facts *f = c->out;

    f->class_there = is_there(c, CXL_SYSFS_CLASS);
    f->driver_loaded = is_there(c, "/sys/module/cxl");
    f->cxlflash_loaded = is_there(c, "/sys/module/cxlflash");
    f->express_link_bus = is_there(c, "/sys/bus/cxl");
    find_driver_file(c);
    collect_modules(c);
    if (load(c, "/proc/powerpc/eeh"))
        snprintf(f->eeh, sizeof f->eeh, "%.1023s", c->file);
}

/* ---- the library's files ---- */

static void collect_files(struct collector *c)
{
    static const char *const paths[] = {
        "/usr/lib/powerpc64le-linux-gnu/libcxl.so.1",
        "/usr/lib/powerpc64-linux-gnu/libcxl.so.1",
        "/usr/lib/x86_64-linux-gnu/libcxl.so.1",
        "/usr/lib64/libcxl.so.1",
        "/usr/lib/libcxl.so.1",
        "/usr/local/lib64/libcxl.so.1",
        "/usr/local/lib/libcxl.so.1",
        "/usr/local/lib/libcxl.so",
        "/opt/libcxl/libcxl.so.1",
    };
    struct doctor_facts *f = c->out;

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(paths) && f->files < DOCTOR_FILES_MAX; i++) {
        struct doctor_file *file = &f->file[f->files];
        ssize_t n;

        if (!is_there(c, paths[i]))
            continue;
        snprintf(file->path, sizeof file->path, "%s", paths[i]);
        n = c->host->kernel->link_read(paths[i], file->target, sizeof file->target - 1);
        file->target[n > 0 ? n : 0] = 0;
        f->files++;
    }
}

/* ---- cards and AFUs ---- */

/* The first ancestor of a card that is a PCI function (CX-93). */
static void find_pci(const struct collector *c, struct doctor_card *card)
{
    char directory[PATH_BYTES], path[PATH_BYTES], target[128];

    path_of(directory, CXL_SYSFS_CLASS "/card%u", card->number);
    for (unsigned up = 0; up < 4; up++) {
        const char *last;
        ssize_t n;

        text_append(directory, sizeof directory, "/device");
        path_of(path, "%s/subsystem", directory);
        n = c->host->kernel->link_read(path, target, sizeof target - 1);
        if (n <= 0)
            continue;
        target[n] = 0;
        last = strrchr(target, '/');
        if (!strcmp(last ? last + 1 : target, "pci")) {
            snprintf(card->pci, sizeof card->pci, "%.95s", directory);
            return;
        }
    }
}

/* A slot that is frozen answers every read of its configuration space with ones. */
static bool is_silent(const struct collector *c, const char *pci)
{
    char path[PATH_BYTES];
    uint8_t id[4];

    path_of(path, "%s/config", pci);
    return c->host->kernel->attribute_read(path, id, sizeof id) == (ssize_t)sizeof id &&
           (id[0] & id[1] & id[2] & id[3]) == 0xFF;
}

static void collect_card(struct collector *c, struct doctor_card *card)
{
    char directory[PATH_BYTES], path[PATH_BYTES];

    path_of(directory, CXL_SYSFS_CLASS "/card%u", card->number);
    read_values(c, directory, doctor_card_files, DOCTOR_CARD_ATTRIBUTES, card->attribute);
    read_permission(c, directory, doctor_card_files[DOCTOR_CARD_SAME_IMAGE], &card->same_image);
    find_pci(c, card);
    card->vpd.error = -ENOENT;
    if (!*card->pci)
        return;
    capi_driver_find(c->host->kernel, card->pci, card->cxlflash, sizeof card->cxlflash);
    card->silent = is_silent(c, card->pci);
    path_of(path, "%s/vpd", card->pci);
    if (!card->silent) /* the kernel would wait for each word of it */
        read_bytes(c, path, card->vpd_bytes, sizeof card->vpd_bytes, &card->vpd);
}

static void collect_afu(struct collector *c, struct doctor_afu *a)
{
    static const char views[DOCTOR_VIEWS] = {'m', 's', 'd'};
    char directory[PATH_BYTES], master[PATH_BYTES], path[PATH_BYTES];

    path_of(directory, CXL_SYSFS_CLASS "/afu%u.%u", a->card, a->slice);
    read_values(c, directory, doctor_afu_files, DOCTOR_AFU_ATTRIBUTES, a->attribute);
    path_of(master, "%sm", directory);
    read_values(c, master, doctor_master_files, DOCTOR_MASTER_ATTRIBUTES, a->master);
    path_of(master, "%ss", directory);
    read_values(c, master, doctor_slave_files, DOCTOR_SLAVE_ATTRIBUTES, a->slave);
    read_permission(c, directory, "reset", &a->reset);
    for (unsigned v = 0; v < DOCTOR_VIEWS; v++) {
        path_of(path, "afu%u.%u%c", a->card, a->slice, views[v]);
        read_permission(c, CXL_DEV_DIR, path, &a->node[v]);
    }
    path_of(path, "%s/afu_err_buff", directory);
    read_bytes(c, path, a->error_bytes, sizeof a->error_bytes, &a->error_buffer);
}

static bool is_card(const char *name, unsigned *card)
{
    const char *end = strncmp(name, "card", 4) ? NULL : number(name + 4, card);

    return end && !*end;
}

static bool is_afu(const char *name, unsigned *card, unsigned *slice)
{
    const char *end = strncmp(name, "afu", 3) ? NULL : number(name + 3, card);

    end = end && *end == '.' ? number(end + 1, slice) : NULL;
    return end && !*end; /* afu0.0m and the like are views (CX-17) */
}

static void collect_cards(struct collector *c)
{
    struct doctor_facts *f = c->out;
    char name[64];
    unsigned card, slice;

    for (unsigned i = 0; i < NAMES_MAX; i++) {
        if (c->host->kernel->list(CXL_SYSFS_CLASS, i, name, sizeof name))
            return;
        if (is_card(name, &card) && f->cards < DOCTOR_CARDS_MAX) {
            f->card[f->cards].number = card;
            collect_card(c, &f->card[f->cards++]);
        } else if (is_afu(name, &card, &slice) && f->afus < DOCTOR_AFUS_MAX) {
            f->afu[f->afus].card = card;
            f->afu[f->afus].slice = slice;
            collect_afu(c, &f->afu[f->afus++]);
        }
    }
}

void doctor_collect(const struct doctor_host *host, struct doctor_facts *out)
{
    static struct collector c;

    *out = (struct doctor_facts){0};
    c.host = host;
    c.out = out;
    collect_system(&c);
    collect_drivers(&c);
    collect_files(&c);
    collect_cards(&c);
}
