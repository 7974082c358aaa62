/* SPDX-License-Identifier: Apache-2.0 */
/* Several clients in threads of their own, random reads and writes, every block checked. */
#ifndef TESTS_SCENARIO_MIXED_LOAD_H
#define TESTS_SCENARIO_MIXED_LOAD_H

#include <stdint.h>

struct exec;

/** Runs it over fibers (threads NULL) or over real threads. Returns the trace hash. */
uint64_t mixed_load(uint64_t seed, struct exec *threads);

#endif
