/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tools/doctor_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/cxl_abi.h"
#include "hal/support/check.h"

struct file {
    char path[160];
    char bytes[4096];
    size_t size;
    char link[160]; /* "" = a file */
    bool readable, writable;
};

static struct {
    struct file file[160];
    unsigned files;
    struct doctor_host host;
    struct doctor_facts facts;
    bool disturbed;
} m;

static struct file *find(const char *path)
{
    for (unsigned i = 0; i < m.files; i++)
        if (!strcmp(m.file[i].path, path))
            return &m.file[i];
    return NULL;
}

static struct file *make(const char *path)
{
    struct file *f = find(path);

    if (!f) {
        CHECK(m.files < sizeof m.file / sizeof *m.file);
        f = &m.file[m.files++];
    }
    *f = (struct file){.readable = true, .writable = true};
    snprintf(f->path, sizeof f->path, "%s", path);
    return f;
}

void doctor_file_bytes(const char *path, const void *bytes, size_t size)
{
    struct file *f = make(path);

    CHECK(size <= sizeof f->bytes);
    memcpy(f->bytes, bytes, size);
    f->size = size;
}

void doctor_file(const char *path, const char *text)
{
    doctor_file_bytes(path, text, strlen(text));
}

void doctor_link(const char *path, const char *target)
{
    snprintf(make(path)->link, sizeof m.file[0].link, "%s", target);
}

void doctor_remove(const char *path)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < m.files; i++)
        if (strncmp(m.file[i].path, path, strlen(path)) != 0)
            m.file[kept++] = m.file[i];
    m.files = kept;
}

void doctor_allow(const char *path, bool readable, bool writable)
{
    struct file *f = find(path);

    CHECK(f);
    f->readable = readable;
    f->writable = writable;
}

bool doctor_machine_disturbed(void) { return m.disturbed; }

/* ---- the kernel ---- */

static bool is_below(const char *path, const char *directory)
{
    size_t n = strlen(directory);

    return !strncmp(path, directory, n) && path[n] == '/';
}

static bool is_directory(const char *path)
{
    for (unsigned i = 0; i < m.files; i++)
        if (is_below(m.file[i].path, path))
            return true;
    return false;
}

static ssize_t fake_attribute_read(const char *path, void *buffer, size_t size)
{
    const struct file *f = find(path);
    size_t n;

    if (!f)
        return is_directory(path) ? -EISDIR : -ENOENT;
    if (!f->readable)
        return -EACCES;
    n = f->size < size ? f->size : size;
    memcpy(buffer, f->bytes, n);
    return (ssize_t)n;
}

static int fake_attribute_write(const char *path, const void *bytes, size_t size)
{
    (void)path, (void)bytes, (void)size;
    m.disturbed = true;
    return -EACCES;
}

static ssize_t fake_link_read(const char *path, char *target, size_t size)
{
    const struct file *f = find(path);

    if (!f)
        return -ENOENT;
    if (!*f->link)
        return -EINVAL;
    CHECK(strlen(f->link) <= size);
    memcpy(target, f->link, strlen(f->link));
    return (ssize_t)strlen(f->link);
}

/* Whether an earlier file has the same name in a directory. */
static bool is_seen(unsigned before, const char *directory, const char *name)
{
    size_t n = strlen(directory) + 1;

    for (unsigned i = 0; i < before; i++)
        if (is_below(m.file[i].path, directory) &&
            !strncmp(m.file[i].path + n, name, strlen(name)) &&
            strchr("/", m.file[i].path[n + strlen(name)]))
            return true;
    return false;
}

static int fake_list(const char *directory, unsigned i, char *name, size_t size)
{
    for (unsigned f = 0; f < m.files; f++) {
        const char *rest = m.file[f].path + strlen(directory) + 1;
        char word[160];

        if (!is_below(m.file[f].path, directory))
            continue;
        snprintf(word, sizeof word, "%.*s", (int)strcspn(rest, "/"), rest);
        if (is_seen(f, directory, word))
            continue;
        if (!i--) {
            snprintf(name, size, "%s", word);
            return 0;
        }
    }
    return -ENOENT;
}

static int fake_open(const char *node)
{
    (void)node;
    m.disturbed = true;
    return -EACCES;
}

static const struct cxl_kernel kernel = {
    .open = fake_open,
    .attribute_read = fake_attribute_read,
    .attribute_write = fake_attribute_write,
    .link_read = fake_link_read,
    .list = fake_list,
};

static void fake_permission(const char *path, struct doctor_permission *out)
{
    const struct file *f = find(path);

    *out = (struct doctor_permission){.error = f ? 0 : -ENOENT};
    if (f) {
        out->mode = 0660;
        out->gid = 993;
        out->readable = f->readable;
        out->writable = f->writable;
    }
}

/* ---- the machine ---- */

static void make_system(void)
{
    doctor_file("/proc/cpuinfo",
                "processor\t: 0\ncpu\t\t: POWER8E (raw), altivec supported\nclock\t\t: 3690MHz\n"
                "revision\t: 2.1 (pvr 004b 0201)\n\nprocessor\t: 1\n"
                "cpu\t\t: POWER8E (raw), altivec supported\nclock\t\t: 3690MHz\n"
                "revision\t: 2.1 (pvr 004b 0201)\n\ntimebase\t: 512000000\n"
                "platform\t: PowerNV\nmodel\t\t: 8247-22L\nmachine\t\t: PowerNV 8247-22L\n"
                "firmware\t: OPAL\n");
    doctor_file("/etc/os-release",
                "PRETTY_NAME=\"Debian GNU/Linux 11 (bullseye)\"\nVERSION_ID=\"11\"\nID=debian\n");
    doctor_file("/proc/modules", "cxl 200000 0 - Live 0x0\next4 700000 1 - Live 0x0\n");
    doctor_file("/sys/module/cxl/refcnt", "0\n");
    doctor_file("/lib/modules/" DOCTOR_FIXTURE_KERNEL "/kernel/drivers/misc/cxl/cxl.ko", "");
    doctor_file("/proc/powerpc/eeh", "no device=0\neeh_total_mmio_ffs=0\n");
    doctor_link("/usr/lib/powerpc64le-linux-gnu/libcxl.so.1", "libcxl.so.1.7");
}

/* The second of read-only data is not hexadecimal text by accident only: V5 and V6 are names of
 * ports, as in docs/spec/adapter.md 24.4. */
static const char vpd[] = "\x82\x05\0flash"
                          "\x90\x2a\0"
                          "PN\x01"
                          "7"
                          "V5\x10"
                          "5005076802000001"
                          "V6\x10"
                          "5005076802000002"
                          "\x78";

static void make_card(void)
{
    doctor_file("/sys/class/cxl/card0/caia_version", "1.0\n");
    doctor_file("/sys/class/cxl/card0/psl_revision", "9\n");
    doctor_file("/sys/class/cxl/card0/base_image", "1\n");
    doctor_file("/sys/class/cxl/card0/image_loaded", "user\n");
    doctor_file("/sys/class/cxl/card0/psl_timebase_synced", "1\n");
    doctor_file("/sys/class/cxl/card0/tunneled_ops_supported", "0\n");
    doctor_file("/sys/class/cxl/card0/load_image_on_perst", "user\n");
    doctor_file("/sys/class/cxl/card0/perst_reloads_same_image", "1\n");
    doctor_link("/sys/class/cxl/card0/device/subsystem", "../../../../bus/pci");
    doctor_file_bytes("/sys/class/cxl/card0/device/config", "\x14\x10\x77\x04", 4);
    doctor_file_bytes("/sys/class/cxl/card0/device/vpd", vpd, sizeof vpd - 1);
}

static void make_afu(void)
{
    static const char zeros[4096];

    doctor_file("/sys/class/cxl/afu0.0/api_version", "3\n");
    doctor_file("/sys/class/cxl/afu0.0/api_version_compatible", "1\n");
    doctor_file("/sys/class/cxl/afu0.0/irqs_min", "4\n");
    doctor_file("/sys/class/cxl/afu0.0/irqs_max", "2037\n");
    doctor_file("/sys/class/cxl/afu0.0/mmio_size", "65536\n");
    doctor_file("/sys/class/cxl/afu0.0/mode", "afu_directed\n");
    doctor_file("/sys/class/cxl/afu0.0/modes_supported", "dedicated_process\nafu_directed\n");
    doctor_file("/sys/class/cxl/afu0.0/prefault_mode", "none\n");
    doctor_file("/sys/class/cxl/afu0.0/reset", "");
    doctor_file_bytes("/sys/class/cxl/afu0.0/afu_err_buff", zeros, sizeof zeros);
    doctor_file("/sys/class/cxl/afu0.0/cr0/vendor", "0x1014\n");
    doctor_file("/sys/class/cxl/afu0.0/cr0/device", "0x4f0\n");
    doctor_file("/sys/class/cxl/afu0.0/cr0/class", "0x10000\n");
    doctor_file("/sys/class/cxl/afu0.0m/mmio_size", "33685504\n");
    doctor_file("/sys/class/cxl/afu0.0m/pp_mmio_len", "65536\n");
    doctor_file("/sys/class/cxl/afu0.0m/pp_mmio_off", "0\n");
    doctor_file("/sys/class/cxl/afu0.0m/dev", "245:2\n");
    doctor_file("/sys/class/cxl/afu0.0s/dev", "245:3\n");
    doctor_file("/dev/cxl/afu0.0m", "");
    doctor_file("/dev/cxl/afu0.0s", "");
}

void doctor_machine(void)
{
    m.files = 0;
    m.disturbed = false;
    m.host = (struct doctor_host){
        .kernel = &kernel,
        .permission = fake_permission,
        .system = "Linux",
        .release = DOCTOR_FIXTURE_KERNEL,
        .version = "#1 SMP Debian 4.9.144-3",
        .machine = "ppc64le",
        .page_size = 65536,
        .uid = 1000,
        .memlock = UINT64_MAX,
    };
    make_system();
    make_card();
    make_afu();
}

struct doctor_host *doctor_machine_host(void) { return &m.host; }

const struct doctor_facts *doctor_machine_facts(void)
{
    doctor_collect(&m.host, &m.facts);
    m.facts.library = (struct doctor_library){
        .usable = true, .name = "libcxl.so.1", .path = "/usr/lib/libcxl.so.1", .version = "1.7"};
    return &m.facts;
}
