/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between the model and memory of a client, which may be unmapped or protected: an address
 * that faults ends the copy instead of the program. */
#ifndef SIM_SIM_COPY_H
#define SIM_SIM_COPY_H

#include <stddef.h>

/** Copies n bytes; the ranges do not overlap. Returns how many bytes at the end were NOT copied
 * because an access faulted: 0 = all done. Not seen by sanitizers. Any thread. */
size_t sim_copy(void *to, const void *from, size_t n);

/** Installs the fault handler of sim_copy for SIGSEGV and SIGBUS, once a process; other faults go
 * to the handler that was there before. */
void sim_copy_install(void);

#endif
