/* SPDX-License-Identifier: Apache-2.0 */
/* A machine for the doctor that exists in memory only: a tree of files, links and permissions. It
 * begins as a POWER8 machine with one card on which everything is right; tests break it. */
#ifndef TESTS_UNIT_TOOLS_DOCTOR_FIXTURE_H
#define TESTS_UNIT_TOOLS_DOCTOR_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/doctor_collect.h"

/** The machine that doctor_machine() makes. */
#define DOCTOR_FIXTURE_KERNEL "4.9.0-8-powerpc64le"

/** Makes the machine; everything before is forgotten. */
void doctor_machine(void);

/** What doctor_collect() takes; tests may change it. */
struct doctor_host *doctor_machine_host(void);

/** A file with a text, or with bytes; replaces one of the same path. */
void doctor_file(const char *path, const char *text);
void doctor_file_bytes(const char *path, const void *bytes, size_t size);

/** A symbolic link. */
void doctor_link(const char *path, const char *target);

/** Removes a file, or everything whose path begins with `path`. */
void doctor_remove(const char *path);

/** The user may read, write it or not; a file that may not be read gives -EACCES. */
void doctor_allow(const char *path, bool readable, bool writable);

/** Whether anything was opened, or written: both are wrong. */
bool doctor_machine_disturbed(void);

/** Collects, with IBM's library 1.7. */
const struct doctor_facts *doctor_machine_facts(void);

#endif
