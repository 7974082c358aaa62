/* SPDX-License-Identifier: Apache-2.0 */
/* A small contended load for tests of whole hosts: two contexts in two fibers, each with several
 * commands under way, that also quarrel about a lock, a counter and the master's queue. Every block
 * is read, compared with what was written last, and written anew, so that media that are not what
 * they were show at once. All its state is in the world. */
#ifndef TESTS_UNIT_BACKENDS_SIM_LOAD_H
#define TESTS_UNIT_BACKENDS_SIM_LOAD_H

#include "tests/conformance/hal_conformance_sim.h"

struct sim_load {
    struct conf_sim *sim;
    unsigned rounds;      /* of each fiber */
    unsigned pause_every; /* rounds between two sched_pause with commands under way; 0 = none */
};

/** What a run was. */
struct sim_load_print {
    uint64_t trace, records, schedule, media, now;
};

/** Body of the first fiber; arg is the struct sim_load. Asserts. */
void sim_load_main(void *arg);

/** The identity of all that happened so far. */
struct sim_load_print sim_load_print(const struct conf_sim *sim);

#endif
