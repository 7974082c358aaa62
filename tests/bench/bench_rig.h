/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated host with one adapter that core has opened, for measurements of requests. */
#ifndef TESTS_BENCH_BENCH_RIG_H
#define TESTS_BENCH_BENCH_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/sim/sim_host.h"
#include "core/superpipe.h"

#define BENCH_CHUNKS_64TB 262144u /* of 65,536 blocks of 4096 bytes */

/** Which invariant checkers look (sim/check/sim_check.h). */
enum bench_checks {
    BENCH_UNCHECKED,
    BENCH_QUIET,  /* at quiet points, as `superpipe run --check` */
    BENCH_ALWAYS, /* within requests too, as in scenario tests */
};

/** What to build. Zero every field, then what differs. */
struct bench_rig_config {
    uint64_t chunks;      /* of each LUN, whose media are sparse */
    unsigned luns;        /* 0 = 1 */
    uint64_t xlt_entries; /* of the translation cache; 0 = as by default */
    bool plain_stores; /* into tables, as on a card; else each is a chance for the model to reorder
                          it, and to run, which takes ten times as long */
    enum bench_checks checks;
    struct exec *threads; /* NULL = one fiber under virtual time; else real time and no waits of the
                             device that a parameter can do without */
};

struct sim_check;

/** What stands while the body runs. */
struct bench_rig {
    struct sim_host *host;
    struct exec *exec;
    struct spipe *adapter;
    struct sim_check *check; /* NULL: unchecked */
    bool failed;
};

/** Builds it, runs body(rig, arg), takes it down. The body must have destroyed its clients. Returns
 * 0, or -1 after a message on stderr, also if the body set `failed` or an invariant broke. */
int bench_rig_run(const struct bench_rig_config *config, void (*body)(struct bench_rig *, void *),
                  void *arg);

/** Whether rc is 0; else says on stderr what failed, and the rig has failed. */
bool bench_good(struct bench_rig *r, int rc, const char *what);

#endif
