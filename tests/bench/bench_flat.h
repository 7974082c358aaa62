/* SPDX-License-Identifier: Apache-2.0 */
/* What a command costs with few and with many contexts and LUNs: 4 KiB reads through the whole
 * stack, 16 in flight, one context after the other. */
#ifndef TESTS_BENCH_BENCH_FLAT_H
#define TESTS_BENCH_BENCH_FLAT_H

#include <stdint.h>

/** CPU ns a read over so many contexts, spread over so many LUNs, on an adapter with a translation
 * cache of `xlt_entries`; negative after a message on stderr. */
double bench_flat_ns(unsigned contexts, unsigned luns, uint64_t xlt_entries);

#endif
