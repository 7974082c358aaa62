/* SPDX-License-Identifier: Apache-2.0 */
/* A file that appears, or replaces an older one, in one step when it is complete and on the disk.
 * Pipes, devices and standard output ("-") are written directly. */
#ifndef TOOLS_OUTPUT_FILE_H
#define TOOLS_OUTPUT_FILE_H

#include <limits.h>
#include <stddef.h>

#include "hal/support/must_check.h"

struct output_file {
    int fd;
    const char *path;         /* of the finished file */
    char target[PATH_MAX];    /* the file behind links */
    char temporary[PATH_MAX]; /* "" = written directly */
};

/** Opens an output; `path` must live as long as it. Returns 0, or a negative errno with a sentence
 * in why. */
HAL_MUST_CHECK int output_file_open(struct output_file *f, const char *path, char *why,
                                    size_t size);

/** Puts the data on the disk and gives the file its name. Returns as output_file_open. */
HAL_MUST_CHECK int output_file_commit(struct output_file *f, char *why, size_t size);

/** Ends an output; without a commit before, nothing of it stays. */
void output_file_close(struct output_file *f);

#endif
