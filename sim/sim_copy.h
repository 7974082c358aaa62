/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between the model and memory of a client, which may be unmapped or protected: an address
 * that faults ends the copy instead of the program. */
#ifndef SIM_SIM_COPY_H
#define SIM_SIM_COPY_H

#include <stddef.h>

/** Copies n bytes; the ranges do not overlap. Returns how many bytes at the end were NOT copied
 * because an access faulted: 0 = all done. Not seen by sanitizers. Any thread. */
size_t sim_copy(void *to, const void *from, size_t n);

/** The same for 8 and for 16 bytes: a word, or an entry, of a table. */
#ifdef __x86_64__
size_t sim_copy_8(void *to, const void *from);
size_t sim_copy_16(void *to, const void *from);
#else
static inline size_t sim_copy_8(void *to, const void *from) { return sim_copy(to, from, 8); }
static inline size_t sim_copy_16(void *to, const void *from) { return sim_copy(to, from, 16); }
#endif

/** The same by whichever of them is for n, if the compiler knows n. */
static inline __attribute__((always_inline)) size_t sim_copy_known(void *to, const void *from,
                                                                   size_t n)
{
    if (__builtin_constant_p(n) && n == 8)
        return sim_copy_8(to, from);
    if (__builtin_constant_p(n) && n == 16)
        return sim_copy_16(to, from);
    return sim_copy(to, from, n);
}

/** Installs the fault handler of sim_copy for SIGSEGV and SIGBUS, once a process; other faults go
 * to the handler that was there before. */
void sim_copy_install(void);

#endif
