/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_trace_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int fail(int rc, char *why, size_t size, const char *path, const char *sentence)
{
    if (why && size)
        snprintf(why, size, "%s: %s", path, sentence);
    return rc;
}

static void destroy(struct sim_trace_output *o)
{
    if (o)
        free(o->path);
    free(o);
}

int sim_trace_output_open(const char *path, const struct sim_trace_info *info, size_t bytes,
                          struct sim_trace_output **out, char *why, size_t size)
{
    struct sim_trace_output *o;

    if (!info->adapters || info->adapters > SIM_TRACE_ADAPTERS_MAX)
        return fail(-EINVAL, why, size, path, "the number of adapters must be 1 to 64");
    o = calloc(1, bytes);
    if (o)
        o->path = strdup(path);
    if (!o || !o->path) {
        destroy(o);
        return fail(-ENOMEM, why, size, path, strerror(ENOMEM));
    }
    o->file = fopen(path, "we");
    if (!o->file) {
        int rc = -errno;
        destroy(o);
        return fail(rc, why, size, path, strerror(-rc));
    }
    setvbuf(o->file, o->buffer, _IOFBF, sizeof o->buffer);
    *out = o;
    return 0;
}

int sim_trace_output_check(struct sim_trace_output *o)
{
    if (!o->error && ferror_unlocked(o->file))
        o->error = errno ? -errno : -EIO;
    return o->error;
}

int sim_trace_output_close(struct sim_trace_output *o, char *why, size_t size)
{
    int rc;

    errno = 0;
    if (fclose(o->file) && !o->error)
        o->error = errno ? -errno : -EIO;
    rc = o->error;
    if (rc)
        fail(rc, why, size, o->path, strerror(-rc));
    destroy(o);
    return rc;
}

size_t sim_trace_next_difference(const struct sim_trace_info *info, unsigned adapter, size_t from)
{
    if (!info->params)
        return sim_param_count;
    while (from < sim_param_count &&
           sim_params_get(info->params[adapter], &sim_param_table[from]) ==
               sim_param_table[from].dflt)
        from++;
    return from;
}
