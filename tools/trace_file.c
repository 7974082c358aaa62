/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_chrome.h"
#include "sim/sim_control.h"
#include "sim/sim_trace_output.h"
#include "sim/sim_vcd.h"

struct trace_file {
    struct sim_trace *trace;
    struct sim_vcd *vcd; /* one of the two is open */
    struct sim_chrome *chrome;
};

static bool ends_with(const char *path, const char *suffix)
{
    size_t n = strlen(path), s = strlen(suffix);

    return n > s && !strcmp(path + n - s, suffix);
}

bool trace_file_suffix_known(const char *path)
{
    return ends_with(path, ".vcd") || ends_with(path, ".json");
}

static int open_vcd(struct trace_file *f, const char *path, uint64_t seed, unsigned adapters,
                    const struct sim_params *const *params, char *why, size_t size)
{
    struct sim_trace_info info = {seed, adapters, params};
    int rc = sim_vcd_open(path, &info, &f->vcd, why, size);

    if (!rc)
        sim_trace_set_sink(f->trace, sim_vcd_records, f->vcd);
    return rc;
}

static int open_chrome(struct trace_file *f, const char *path, uint64_t seed, unsigned adapters,
                       const struct sim_params *const *params, char *why, size_t size)
{
    struct sim_trace_info info = {seed, adapters, params};
    int rc = sim_chrome_open(path, &info, &f->chrome, why, size);

    if (!rc)
        sim_trace_set_sink(f->trace, sim_chrome_records, f->chrome);
    return rc;
}

int trace_file_open(const char *path, struct sim_trace *t, uint64_t seed, unsigned adapters,
                    const struct sim_params *params, struct trace_file **out, char *why,
                    size_t size)
{
    const struct sim_params *each[SIM_AFUS_MAX];
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
    if (ends_with(path, ".vcd"))
        rc = open_vcd(f, path, seed, adapters, each, sentence, sizeof sentence);
    else
        rc = open_chrome(f, path, seed, adapters, each, sentence, sizeof sentence);
    if (rc) {
        snprintf(why, size, "trace file %s", sentence);
        free(f);
        return rc;
    }
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
    rc = f->vcd ? sim_vcd_close(f->vcd, why, size) : sim_chrome_close(f->chrome, why, size);
    free(f);
    return rc;
}
