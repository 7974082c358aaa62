/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator as an environment of the HAL suite, and for tests of its back end that place
 * commands with the suite's clients. */
#ifndef TESTS_CONFORMANCE_HAL_CONFORMANCE_SIM_H
#define TESTS_CONFORMANCE_HAL_CONFORMANCE_SIM_H

#include "backends/sim/sim_host.h"
#include "sim/sim_control.h"
#include "tests/conformance/hal_conformance.h"

/** A host, its media, and its first adapter as environment: LUN 1 is for commands; LUN 0 is where
 * an entry leads whose LUN id is not there yet. */
struct conf_sim {
    unsigned adapters;
    enum sim_rule breaks; /* a rule that the test breaks; SIM_RULE_COUNT: none */
    struct sim_host *host;
    struct sim_media *media; /* NULL if they are the caller's */
    struct hal_conformance env;
};

/** Two LUNs of 1024 blocks of 4096 bytes in memory. */
struct sim_media *conf_sim_media(void);

/** Builds the host of config; every adapter without media shares those of conf_sim_media. */
void conf_sim_up(struct conf_sim *s, const struct sim_host_config *config);

/** Ends it; asserts that nothing is left allocated. */
void conf_sim_down(struct conf_sim *s);

/** Runs body(arg) as the first thread; asserts that all threads end. */
void conf_sim_run(struct conf_sim *s, void (*body)(void *), void *arg);

/** One case of the suite on a host of its own. */
void conf_sim_case(hal_conformance_case *body, unsigned needs,
                   const struct sim_host_config *config);

#endif
