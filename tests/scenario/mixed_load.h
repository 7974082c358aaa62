/* SPDX-License-Identifier: Apache-2.0 */
/* Several clients in threads of their own, random reads and writes, every block checked. */
#ifndef TESTS_SCENARIO_MIXED_LOAD_H
#define TESTS_SCENARIO_MIXED_LOAD_H

#include <stdint.h>

struct exec;

/** The two ways to submit (SL 20.2, R-4). */
#define MIXED_LOAD_IOARRIN UINT64_C(0x8000000000010002)
#define MIXED_LOAD_SQ UINT64_C(0xC000000000010002)

/** Runs it over fibers (threads NULL) or over real threads. Returns the trace hash. */
uint64_t mixed_load(uint64_t seed, struct exec *threads, uint64_t interface_version);

/** The same in IOARRIN mode, through the fault filters without a plan. */
uint64_t mixed_load_filtered(uint64_t seed, struct exec *threads);

#endif
