/* SPDX-License-Identifier: Apache-2.0 */
/* What only registers tell: version of the AFU and state of its links. For that a master context
 * is opened for a moment: nothing is stored, and of registers that change by being read none is
 * read; but the kernel attaches a context, and whoever wants to be master meanwhile is refused. */
#ifndef TOOLS_DOCTOR_OPEN_H
#define TOOLS_DOCTOR_OPEN_H

#include "hal/cxl_kernel.h"
#include "tools/doctor_facts.h"

struct doctor_opener {
    const struct cxl_kernel *kernel;
    /* The lock against a second master (CX-133): takes that of an AFU ("afu0.0"); 0, or a negative
     * errno with a sentence in why. */
    int (*lock)(const char *afu, int *out, char *why, size_t size);
    void (*unlock)(int fd);
};

/** Fills *out, its error included. Everything is closed again. */
void doctor_open(const struct doctor_opener *opener, const struct doctor_afu *afu,
                 struct doctor_registers *out);

#endif
