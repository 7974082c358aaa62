/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "backends/fault/fault_backend.h"
#include "backends/posix/posix_exec.h"
#include "core/adapter/picture.h"
#include "sim/sched/sched.h"
#include "tools/session_capi.h"
#include "tools/session_names.h"
#include "tools/text.h"

#define WORLD_BYTES (UINT64_C(1) << 30)
#define DISK_FULL_BELOW (UINT64_C(4) << 20) /* a media file grows in steps of this order */

/* One call of session_run. */
struct call {
    struct session *session;
    session_body *body;
    void *arg;
    char *why;
    size_t size;
    int rc;
};

/* ---- media ------------------------------------------------------------------------------------
 */

static void describe_luns(const struct session_config *c, unsigned adapter,
                          struct sim_media_lun *lun)
{
    uint32_t block = c->params ? (uint32_t)c->params->block_bytes : SESSION_BLOCK_BYTES;

    for (unsigned i = 0; i < c->luns; i++) {
        lun[i] = (struct sim_media_lun){
            .blocks = c->lun_bytes / block,
            .block_size = block,
            .port_mask = 3,
        };
        if (c->params)
            lun[i].port_mask = (uint8_t)((1u << c->params->ports) - 1);
        sim_media_make_wwid(adapter + 1, i, lun[i].wwid);
    }
}

/* What the stand-in for a card has in memory would be gone at the end, names and all. */
static int no_path(const struct session *s, char *why, size_t size)
{
    snprintf(why, size, "name the media file of the simulated adapter with --media PATH%s",
             s->config.backend == SESSION_CAPI ? ", since this is no card" : "");
    return -EINVAL;
}

static int open_media(struct session *s, unsigned adapter, char *why, size_t size)
{
    static struct sim_media_lun lun[SIM_MEDIA_LUNS_MAX]; /* too large for a stack; made afresh */
    const struct session_config *c = &s->config;
    struct sim_media_opts opts = {.luns = lun, .n_luns = c->luns};
    struct sim_media **out = &s->media[adapter];
    int rc;

    describe_luns(c, adapter, lun);
    switch (c->media) {
    case SESSION_MEDIA_MEMORY:
    case SESSION_MEDIA_TAG:
        opts.kind = c->media == SESSION_MEDIA_TAG ? SIM_MEDIA_TAG : SIM_MEDIA_MEMORY;
        return sim_media_create(&opts, out, why, size);
    case SESSION_MEDIA_MAKE:
        opts.create_if_missing = true;
        break;
    case SESSION_MEDIA_FILE:
        break;
    case SESSION_MEDIA_READ:
        opts.read_only = true;
        break;
    }
    if (!c->path[adapter])
        return no_path(s, why, size);
    rc = sim_media_open(c->path[adapter], &opts, out, why, size);
    if (rc == -ENOENT && !opts.create_if_missing)
        snprintf(why, size,
                 "media file '%s' does not exist: check its name, 'superpipe put' and "
                 "'superpipe vlun create' make one",
                 c->path[adapter]);
    return rc;
}

/* ---- host -------------------------------------------------------------------------------------
 */

static int open_host(struct session *s, char *why, size_t size)
{
    const struct session_config *c = &s->config;
    struct sim_host_config hc = {
        .seed = c->seed,
        .params = c->params,
        .adapters = s->adapters,
        .trace = c->trace,
        .world_bytes = WORLD_BYTES + c->data_bytes,
        .threads = s->threads,
        .pace = c->pace,
    };

    for (unsigned i = 0; i < s->adapters; i++)
        hc.media[i] = s->media[i];
    return sim_host_create(&hc, &s->host, why, size);
}

static void take_host(struct session *s)
{
    s->exec = sim_host_exec(s->host);
    for (unsigned i = 0; i < s->adapters; i++)
        s->device[i] = sim_host_device(s->host, i);
}

static int open_filter(struct session *s, unsigned adapter)
{
    struct session_filter *f = &s->filter[adapter];

    fault_filter_init(&f->filter, s->exec);
    fault_exec_init(&f->exec, &f->filter);
    return fault_backend_open(s->device[adapter], &f->filter, &f->dev);
}

static int open_simulation(struct session *s, char *why, size_t size)
{
    int rc = 0;

    for (unsigned i = 0; !rc && i < s->adapters; i++)
        rc = open_media(s, i, why, size);
    if (!rc && s->config.threads)
        rc = posix_exec_create(&s->threads);
    if (!rc)
        rc = open_host(s, why, size);
    if (!rc)
        take_host(s);
    return rc;
}

/* A card is in real time, and has its own media. */
static int open_for_card(struct session *s, char *why, size_t size)
{
    int rc = 0;

    if (s->config.check || s->config.trace_file) {
        snprintf(why, size, "traces and checks of invariants need the simulator: a card has none");
        return -EINVAL;
    }
    if (s->config.path[0]) {
        snprintf(why, size, "'%s' is a media file, and the adapter is a card: leave --media out",
                 s->config.path[0]);
        return -EINVAL;
    }
    rc = posix_exec_create(&s->threads);
    s->exec = s->threads;
    s->config.pace = 0;
    return rc;
}

int session_open(const struct session_config *config, struct session *s, char *why, size_t size)
{
    bool capi = config->backend == SESSION_CAPI;
    int rc;

    *s = (struct session){.config = *config, .adapters = config->adapters ? config->adapters : 1};
    snprintf(why, size, "not enough memory");
    rc = capi ? session_capi_choose(s, why, size) : 0;
    if (!rc)
        rc = s->card ? open_for_card(s, why, size) : open_simulation(s, why, size);
    if (!rc)
        rc = session_names_open(s, why, size);
    if (!rc && capi)
        rc = session_capi_open(s, why, size);
    for (unsigned i = 0; !rc && config->faults && i < s->adapters; i++)
        rc = open_filter(s, i);
    if (rc) {
        session_close(s);
        return rc;
    }
    s->start_ns = exec_now(s->exec);
    return 0;
}

void session_close(struct session *s)
{
    for (unsigned i = 0; i < s->adapters; i++)
        sim_check_stop(s->check[i]);
    for (unsigned i = 0; i < s->adapters; i++)
        if (s->filter[i].dev)
            hal_close(s->filter[i].dev);
    session_capi_close(s);
    if (s->host)
        sim_host_destroy(s->host);
    posix_exec_destroy(s->threads);
    session_names_close(s);
    for (unsigned i = 0; i < s->adapters; i++)
        sim_media_close(s->media[i]);
    *s = (struct session){0};
}

/* ---- running ----------------------------------------------------------------------------------
 */

unsigned session_plans(struct session *s, unsigned adapter, struct fault_plan *plan[SESSION_PLANS])
{
    unsigned n = 0;

    if (s->host)
        plan[n++] = sim_afu_faults(sim_host_afu(s->host, adapter));
    if (s->filter[adapter].dev)
        plan[n++] = &s->filter[adapter].filter.plan;
    return n;
}

static int load_faults(struct session *s, unsigned i, char *why, size_t size)
{
    struct fault_plan *plan[SESSION_PLANS];

    return s->config.faults
               ? fault_plans_load(plan, session_plans(s, i, plan), s->config.faults, why, size)
               : 0;
}

static int open_adapter(struct session *s, unsigned i, char *why, size_t size)
{
    struct spipe_options options = {.size = sizeof options,
                                    .order = s->config.order,
                                    .event_sink = s->config.event_sink,
                                    .event_arg = s->config.event_arg[i],
                                    .wipe_nothing = s->card, /* LUNs that nobody named */
                                    .heartbeat_ns = s->config.heartbeat_ns};
    struct session_filter *f = &s->filter[i];
    struct exec *exec = f->dev ? &f->exec.base : s->exec;
    struct hal_dev *dev = f->dev ? f->dev : s->device[i];
    struct hal_record_store *store;
    int rc = session_names_store(s, i, &store, why, size);

    if (rc)
        return rc;
    rc = spipe_open(exec, dev, store, &options, &s->spipe[i], why, size);
    if (rc == -EILSEQ && s->names)
        text_append(why, size, " (names are in '%s')", s->names_path);
    return rc;
}

static int draw(void *adapter, const uint64_t *only, struct hal_picture_room *room,
                const struct hal_picture **out)
{
    return spipe_picture_inside(adapter, only, room, out);
}

static int start_check(struct session *s, unsigned i, char *why, size_t size)
{
    struct sim_check_config config = {.picture = draw, .arg = s->spipe[i], .quiet_only = true};
    int rc = s->config.check ? sim_check_start(sim_host_afu(s->host, i), &config, &s->check[i]) : 0;

    if (rc)
        snprintf(why, size, "not enough memory to check adapter %u", i);
    return rc;
}

static void finish_checks(struct session *s)
{
    for (unsigned i = 0; i < s->adapters; i++)
        if (s->check[i])
            sim_check_finish(s->check[i]);
}

static int bring_up(struct session *s, char *why, size_t size)
{
    char sentence[SESSION_WHY_BYTES - 64] = "";
    int rc = 0;

    for (unsigned i = 0; !rc && i < s->adapters; i++) {
        rc = s->config.faults_in_bring_up ? load_faults(s, i, why, size) : 0;
        if (rc)
            break;
        rc = open_adapter(s, i, sentence, sizeof sentence);
        if (rc)
            snprintf(why, size, "adapter %u cannot be brought up: %s", i,
                     *sentence ? sentence : strerror(-rc));
        if (rc)
            session_explain_full(s, i, why, size);
        if (!rc && !s->config.faults_in_bring_up)
            rc = load_faults(s, i, why, size);
        if (!rc)
            rc = start_check(s, i, why, size);
    }
    s->bring_up_ns = session_now(s);
    return rc;
}

static void in_first_thread(void *arg)
{
    struct call *c = arg;
    struct session *s = c->session;

    c->rc = bring_up(s, c->why, c->size);
    if (!c->rc)
        c->rc = c->body(s, c->arg, c->why, c->size);
    finish_checks(s);
    for (unsigned i = 0; i < s->adapters; i++) {
        if (s->spipe[i])
            spipe_close(s->spipe[i]);
        s->spipe[i] = NULL;
    }
}

static int stuck(struct session *s, int rc, char *why, size_t size)
{
    static char report[4096];

    if (rc == -EDEADLK) {
        sched_report(sim_host_sched(s->host), report, sizeof report);
        fprintf(stderr, "%s", report);
        snprintf(why, size,
                 "the simulation stands still, see above what each thread waits for: "
                 "this is an error of the program or of the fault plan");
    } else {
        snprintf(why, size, "the simulation ended early: %s", strerror(-rc));
    }
    return rc;
}

int session_run(struct session *s, session_body *body, void *arg, char *why, size_t size)
{
    struct call call = {s, body, arg, why, size, 0};
    int rc = 0;

    if (s->host)
        rc = sim_host_run(s->host, in_first_thread, &call);
    else
        in_first_thread(&call);
    return rc ? stuck(s, rc, why, size) : call.rc;
}

uint64_t session_now(struct session *s)
{
    uint64_t ns = exec_now(s->exec) - s->start_ns;

    if (!s->threads || !s->config.pace)
        return ns;
    return (uint64_t)((unsigned __int128)ns * s->config.pace / 1000);
}

/* ---- disks ------------------------------------------------------------------------------------
 */

int session_sync_media(struct session *s, char *why, size_t size)
{
    int rc = 0;

    for (unsigned i = 0; !rc && s->media[i] && i < s->adapters; i++) {
        rc = sim_media_sync(s->media[i]);
        if (rc) {
            snprintf(why, size, "media file '%s' cannot be written to the disk (%s)",
                     s->config.path[i], strerror(-rc));
            session_explain_full(s, i, why, size);
        }
    }
    return rc;
}

static void explain_full(const char *path, char *why, size_t size)
{
    struct rlimit limit;
    struct statvfs fs;
    struct stat st;

    if (!path || stat(path, &st))
        return;
    if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < (uint64_t)st.st_size + DISK_FULL_BELOW)
        text_append(why, size, ": this process may not make files larger, raise 'ulimit -f'");
    else if (!statvfs(path, &fs) && (uint64_t)fs.f_bavail * fs.f_frsize < DISK_FULL_BELOW)
        text_append(why, size, ": its disk is full, free some space");
}

void session_explain_full(const struct session *s, unsigned adapter, char *why, size_t size)
{
    explain_full(s->config.path[adapter], why, size);
}

void session_explain_names_full(const struct session *s, char *why, size_t size)
{
    explain_full(s->names_path ? s->names_path : s->config.path[0], why, size);
}

static bool same_file(const struct stat *st, const char *path)
{
    struct stat other;

    return path && !stat(path, &other) && st->st_dev == other.st_dev && st->st_ino == other.st_ino;
}

const char *session_file_kind(const struct session *s, const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return NULL;
    for (unsigned i = 0; i < s->adapters; i++)
        if (same_file(&st, s->config.path[i]))
            return "a media file";
    return same_file(&st, s->names_path) ? "the file of names" : NULL;
}
