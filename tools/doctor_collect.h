/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what `superpipe doctor` reports. Nothing is opened but files of /proc, /sys and /etc, and
 * nothing is written: no node of a card, so that no context is taken and nobody is disturbed. */
#ifndef TOOLS_DOCTOR_COLLECT_H
#define TOOLS_DOCTOR_COLLECT_H

#include "hal/cxl_kernel.h"
#include "tools/doctor_facts.h"

/** The machine below the doctor: the real one, or one of a test. */
struct doctor_host {
    const struct cxl_kernel *kernel; /* every file is read through it */
    /* Who may use a file; fills *out, its error included. */
    void (*permission)(const char *path, struct doctor_permission *out);
    const char *system, *release, *version, *machine; /* as uname(2) */
    bool big_endian;
    uint64_t page_size; /* bytes */
    unsigned uid;
    uint64_t memlock; /* RLIMIT_MEMLOCK in bytes, UINT64_MAX = no limit */
};

/** Fills everything in *out but the library that the loader gives (`library`) and the registers of
 * AFUs. What cannot be read is recorded as such (CX-90, CX-94, CX-130); it never fails. */
void doctor_collect(const struct doctor_host *host, struct doctor_facts *out);

#endif
