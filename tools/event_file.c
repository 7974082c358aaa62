/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/event_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/sim/sim_host.h"
#include "hal/support/check.h"
#include "tools/event_line.h"

/* One adapter's view of a file. */
struct source {
    struct event_file *file;
    unsigned adapter;
};

struct event_file {
    FILE *stream;
    const char *path;
    int error; /* the first, as errno; atomic: adapters write at the same time */
    struct source source[SIM_HOST_ADAPTERS_MAX];
};

int event_file_open(const char *path, struct event_file **out, char *why, size_t size)
{
    struct event_file *f = calloc(1, sizeof *f);
    int rc;

    if (!f) {
        snprintf(why, size, "not enough memory");
        return -ENOMEM;
    }
    f->path = path;
    f->stream = strcmp(path, "-") ? fopen(path, "w") : stdout;
    if (!f->stream) {
        rc = -errno;
        snprintf(why, size, "event file %s: %s", path, strerror(-rc));
        free(f);
        return rc;
    }
    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++)
        f->source[i] = (struct source){f, i};
    *out = f;
    return 0;
}

static void failed(struct event_file *f, int error)
{
    int none = 0;

    __atomic_compare_exchange_n(&f->error, &none, error, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Whoever follows the file sees each line at once. */
void event_file_sink(void *arg, const struct spipe_event *event)
{
    struct source *source = arg;
    char *line = event_line_write(event, source->adapter);

    if (!line)
        failed(source->file, ENOMEM);
    else if (fputs(line, source->file->stream) == EOF || fflush(source->file->stream))
        failed(source->file, errno);
    free(line);
}

void *event_file_arg(struct event_file *file, unsigned adapter)
{
    CHECK(adapter < SIM_HOST_ADAPTERS_MAX);
    return &file->source[adapter];
}

int event_file_close(struct event_file *f, char *why, size_t size)
{
    int error;

    if (!f)
        return 0;
    if (f->stream != stdout && fclose(f->stream))
        failed(f, errno);
    error = f->error;
    if (error)
        snprintf(why, size, "event file %s: %s", f->path, strerror(error));
    free(f);
    return -error;
}
