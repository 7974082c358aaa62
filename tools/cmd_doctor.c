/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe doctor: everything about this machine that a run on a real card needs, and what of it
 * is missing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "backends/capi/capi_kernel.h"
#include "backends/capi/capi_library.h"
#include "backends/capi/capi_lock.h"
#include "core/superpipe.h"
#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/doctor_collect.h"
#include "tools/doctor_judge.h"
#include "tools/doctor_open.h"
#include "tools/doctor_print.h"
#include "tools/output_file.h"

struct doctor_options {
    const char *output, *libcxl;
    bool open;
};

static const struct option_spec specs[] = {
    {.name = "output",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct doctor_options, output),
     .help = "write the report to FILE, and only its verdict to\nstandard output"},
    {.name = "libcxl",
     .value = "PATH",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct doctor_options, libcxl),
     .help = "IBM's libcxl (libcxl.so.1, where the loader finds it)"},
    {.name = "open",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct doctor_options, open),
     .help = "also open the AFU for a moment, with the lock against a\nsecond master, for its "
             "version and its links"},
};

static const struct option_set set = {
    .command = "doctor",
    .operands = "",
    .summary = "Tells what this machine lacks for runs on a real card, as a report to be sent.",
    .notes = "It writes nothing to the card. Without --open it does not open it either.\n"
             "Exit status 0 means that a card is usable, 1 that none is.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

/* ---- the real machine ---- */

static void permission(const char *path, struct doctor_permission *out)
{
    struct stat st;

    *out = (struct doctor_permission){0};
    if (stat(path, &st)) {
        out->error = -errno;
        return;
    }
    out->mode = st.st_mode & 07777;
    out->uid = st.st_uid;
    out->gid = st.st_gid;
    out->readable = !access(path, R_OK);
    out->writable = !access(path, W_OK);
}

static uint64_t memlock(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

static void collect(struct doctor_facts *f)
{
    struct doctor_host host = {
        .kernel = &capi_kernel,
        .permission = permission,
        .big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
        .page_size = (uint64_t)sysconf(_SC_PAGESIZE),
        .uid = geteuid(),
        .memlock = memlock(),
        .system = "unknown",
        .release = "unknown",
        .version = "",
        .machine = "unknown",
    };
    struct utsname name;

    if (!uname(&name)) {
        host.system = name.sysname;
        host.release = name.release;
        host.version = name.version;
        host.machine = name.machine;
    }
    doctor_collect(&host, f);
}

static void find_library(const char *path, struct doctor_library *out)
{
    struct capi_library *library;

    snprintf(out->name, sizeof out->name, "%s", path ? path : CAPI_LIBRARY_DEFAULT);
    if (capi_library_load(path, &library, out->why, sizeof out->why))
        return;
    out->usable = true;
    out->standin = capi_library_standin(library) != NULL;
    snprintf(out->path, sizeof out->path, "%s", library->path);
    snprintf(out->version, sizeof out->version, "%s", library->version);
    capi_library_close(library);
}

static int lock(const char *afu, int *out, char *why, size_t size)
{
    return capi_lock_take(NULL, afu, out, why, size);
}

/* Only what nothing speaks against is opened. */
static void open_afus(struct doctor_facts *f, const struct doctor_verdict *v)
{
    static const struct doctor_opener opener = {&capi_kernel, lock, capi_lock_release};

    for (unsigned i = 0; i < f->afus; i++)
        if (!doctor_blocked(f, v, i))
            doctor_open(&opener, &f->afu[i], &f->afu[i].registers);
}

/* ---- the report ---- */

static int print(const struct doctor_facts *f, const struct doctor_verdict *v, FILE *to)
{
    fprintf(to, "Report of superpipe doctor %s\n", SPIPE_VERSION);
    doctor_print_facts(f, to);
    doctor_print_verdict(v, to);
    return fflush(to) || ferror(to) ? -errno : 0;
}

static int write_report(const char *path, const struct doctor_facts *f,
                        const struct doctor_verdict *v, char *why, size_t size)
{
    struct output_file out;
    FILE *to;
    int rc = output_file_open(&out, path, why, size);

    if (rc)
        return rc;
    to = fdopen(dup(out.fd), "w");
    rc = to ? print(f, v, to) : -errno;
    if (to && fclose(to) && !rc)
        rc = -errno;
    if (rc)
        snprintf(why, size, "'%s' cannot be written (%s)", path, strerror(-rc));
    else
        rc = output_file_commit(&out, why, size);
    output_file_close(&out);
    return rc;
}

static int report(const struct doctor_options *o, const struct doctor_facts *f,
                  const struct doctor_verdict *v)
{
    char why[PATH_MAX + 128];

    if (!o->output) {
        (void)print(f, v, stdout); /* command_end() looks whether it arrived */
    } else {
        if (write_report(o->output, f, v, why, sizeof why))
            return command_fail(&set, COMMAND_FAILED, "%s", why);
        if (strcmp(o->output, "-") != 0)
            doctor_print_verdict(v, stdout);
    }
    return v->usable ? COMMAND_GOOD : COMMAND_FAILED;
}

int cmd_doctor(int argc, char **argv)
{
    static struct doctor_options options;
    static struct option_rest rest;
    static struct doctor_facts facts;
    static struct doctor_verdict verdict;
    int code;

    if (!command_begin(&set, argc, argv, &options, &rest, &code))
        return code;
    collect(&facts);
    find_library(options.libcxl, &facts.library);
    doctor_judge(&facts, &verdict);
    if (options.open) {
        open_afus(&facts, &verdict);
        doctor_judge(&facts, &verdict);
    }
    return command_end(&set, report(&options, &facts, &verdict));
}
