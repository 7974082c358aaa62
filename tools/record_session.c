/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/record_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/record/record_backend.h"
#include "tools/output_file.h"
#include "tools/timing_record.h"

struct record_session {
    struct session *session;
    const struct sim_params *params;
    struct record_config config;
    struct timing_record record; /* of all adapters: each takes it for a moment */
    bool busy;
    struct hal_dev *below[SIM_HOST_ADAPTERS_MAX], *dev[SIM_HOST_ADAPTERS_MAX];
    struct output_file out;
    bool opened;
};

/* Over fibers the clock of the model itself: exec_now() would let others run, and the run would
 * not be the same with a record as without. */
static uint64_t now(void *arg)
{
    const struct record_session *r = arg;

    return r->session->threads ? session_now(r->session) : sim_host_now(r->session->host);
}

static void sample(void *arg, const struct record_sample *s)
{
    struct record_session *r = arg;

    while (__atomic_exchange_n(&r->busy, true, __ATOMIC_ACQUIRE)) /* another adapter's */
        ;
    timing_record_sample(&r->record, s);
    __atomic_store_n(&r->busy, false, __ATOMIC_RELEASE);
}

static int stack(struct record_session *r, char *why, size_t size)
{
    struct session *s = r->session;

    for (unsigned i = 0; i < s->adapters; i++) {
        int rc = record_backend_open(s->device[i], &r->config, &r->dev[i]);

        if (rc) {
            snprintf(why, size, "not enough memory");
            return rc;
        }
        r->below[i] = s->device[i];
        s->device[i] = r->dev[i];
    }
    return 0;
}

int record_session_open(struct session *s, const char *path, const struct sim_params *params,
                        struct record_session **out, char *why, size_t size)
{
    struct record_session *r = calloc(1, sizeof *r);
    int rc;

    *out = r;
    if (!r) {
        snprintf(why, size, "not enough memory");
        return -ENOMEM;
    }
    r->session = s;
    r->params = params;
    r->config = (struct record_config){
        .exec = s->exec, .now = now, .now_arg = r, .sample = sample, .sample_arg = r};
    timing_record_init(&r->record);
    rc = output_file_open(&r->out, path, why, size);
    r->opened = !rc;
    return rc ? rc : stack(r, why, size);
}

static int write_file(struct record_session *r, uint64_t missed, char *why, size_t size)
{
    FILE *to = fdopen(dup(r->out.fd), "w");
    int rc = to ? 0 : -errno;

    if (to) {
        timing_record_print(&r->record, r->params, missed, to);
        rc = ferror(to) ? -EIO : 0;
        if (fclose(to))
            rc = -errno;
    }
    if (rc)
        snprintf(why, size, "'%s' cannot be written (%s)", r->out.path, strerror(-rc));
    return rc ? rc : output_file_commit(&r->out, why, size);
}

int record_session_close(struct record_session *r, bool good, char *why, size_t size)
{
    uint64_t missed = 0;
    int rc = 0;

    if (!r)
        return 0;
    for (unsigned i = 0; i < r->session->adapters; i++) {
        if (!r->dev[i])
            continue;
        missed += record_backend_missed(r->dev[i]);
        hal_close(r->dev[i]);
        r->session->device[i] = r->below[i];
    }
    if (good)
        rc = write_file(r, missed, why, size);
    if (r->opened)
        output_file_close(&r->out);
    free(r);
    return rc;
}
