/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_instructions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_core.h"

#define READS 20000u
#define TWIN_READS 4096u

static unsigned rounds_of(unsigned batch) { return READS / batch; }

int bench_instructions_inside(unsigned batch)
{
    struct bench_core *b = bench_core_create(batch, false);
    uint64_t done;

    if (!b)
        return 1;
    done = bench_core_run(b, rounds_of(batch));
    bench_core_destroy(b);
    return done == (uint64_t)rounds_of(batch) * batch ? 0 : 1;
}

/* The line "Collected : N" of callgrind. */
static double collected(const char *log)
{
    FILE *f = fopen(log, "r");
    char line[256];
    double n = NAN;

    while (f && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, "Collected :");

        if (at)
            n = strtod(at + strlen("Collected :"), NULL);
    }
    if (f)
        fclose(f);
    return n;
}

/* Instructions that callgrind counts in a run of `command`, a program with its arguments. */
static double counted(const char *options, const char *command)
{
    char line[8192], log[] = "/tmp/bench_callgrind_XXXXXX";
    int fd = mkstemp(log);
    double count;

    if (fd < 0)
        return NAN;
    close(fd);
    snprintf(line, sizeof line,
             "valgrind --tool=callgrind --callgrind-out-file=/dev/null %s %s >'%s' 2>&1", options,
             command, log);
    count = system(line) == 0 ? collected(log) : NAN; /* NOLINT(cert-env33-c) */
    unlink(log);
    return count;
}

double bench_instructions(unsigned batch)
{
    char self[4096], command[4200];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n < 0)
        return NAN;
    self[n] = 0;
    snprintf(command, sizeof command, "'%s' --instructions %u", self, batch);
    return counted("--collect-atstart=no --toggle-collect=spipe_submit "
                   "--toggle-collect=spipe_poll",
                   command) /
           rounds_of(batch) / batch;
}

double bench_instructions_of(const char *twin)
{
    char fewer[4300], more[4300];

    snprintf(fewer, sizeof fewer, "'%s' %u", twin, TWIN_READS);
    snprintf(more, sizeof more, "'%s' %u", twin, 5 * TWIN_READS);
    return (counted("", more) - counted("", fewer)) / (4 * TWIN_READS);
}
