/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_chrome.h"
#include "sim/sim_control.h"
#include "sim/sim_trace_file.h"
#include "sim/sim_trace_output.h"
#include "sim/sim_vcd.h"

/* A format: a writer behind one face. */
struct format {
    const char *suffix;
    int (*open)(const char *path, const struct sim_trace_info *info, void **writer, char *why,
                size_t size);
    sim_trace_sink *records;
    int (*close)(void *writer, char *why, size_t size);
};

#define FORMAT(name)                                                                               \
    static int open_##name(const char *path, const struct sim_trace_info *info, void **writer,     \
                           char *why, size_t size)                                                 \
    {                                                                                              \
        struct sim_##name *w = NULL;                                                               \
        int rc = sim_##name##_open(path, info, &w, why, size);                                     \
                                                                                                   \
        *writer = w;                                                                               \
        return rc;                                                                                 \
    }                                                                                              \
    static int close_##name(void *writer, char *why, size_t size)                                  \
    {                                                                                              \
        return sim_##name##_close(writer, why, size);                                              \
    }

FORMAT(vcd)
FORMAT(chrome)
FORMAT(trace_file)

static const struct format formats[] = {
    {".vcd", open_vcd, sim_vcd_records, close_vcd},
    {".json", open_chrome, sim_chrome_records, close_chrome},
    {".trace", open_trace_file, sim_trace_file_records, close_trace_file},
};

struct trace_file {
    struct sim_trace *trace;
    const struct format *format;
    void *writer;
};

static const struct format *find_format(const char *path)
{
    size_t n = strlen(path);

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(formats); i++) {
        size_t s = strlen(formats[i].suffix);

        if (n > s && !strcmp(path + n - s, formats[i].suffix))
            return &formats[i];
    }
    return NULL;
}

bool trace_file_suffix_known(const char *path) { return find_format(path) != NULL; }

int trace_file_open(const char *path, struct sim_trace *t, uint64_t seed, unsigned adapters,
                    const struct sim_params *params, struct trace_file **out, char *why,
                    size_t size)
{
    const struct sim_params *each[SIM_AFUS_MAX];
    struct sim_trace_info info = {seed, adapters, each};
    struct trace_file *f = calloc(1, sizeof *f);
    char sentence[384];
    int rc;

    if (!f) {
        snprintf(why, size, "not enough memory for a trace file");
        return -ENOMEM;
    }
    for (unsigned i = 0; i < SIM_AFUS_MAX; i++)
        each[i] = params;
    f->trace = t;
    f->format = find_format(path);
    rc = f->format->open(path, &info, &f->writer, sentence, sizeof sentence);
    if (rc) {
        snprintf(why, size, "trace file %s", sentence);
        free(f);
        return rc;
    }
    sim_trace_set_sink(t, f->format->records, f->writer);
    *out = f;
    return 0;
}

int trace_file_close(struct trace_file *f, char *why, size_t size)
{
    int rc;

    if (!f)
        return 0;
    sim_trace_flush(f->trace);
    sim_trace_set_sink(f->trace, NULL, NULL);
    rc = f->format->close(f->writer, why, size);
    free(f);
    return rc;
}
