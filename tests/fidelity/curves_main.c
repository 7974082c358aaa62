/* SPDX-License-Identifier: Apache-2.0 */
/* bazel run //tests/fidelity:curves -- DIR: writes the files of docs/fidelity into DIR. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fidelity/curves.h"

static int write_file(const char *directory, const struct curves_file *file)
{
    char path[4096];
    FILE *out;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, file->name) >= sizeof path) {
        fprintf(stderr, "curves: %s: the path is too long\n", directory);
        return -1;
    }
    out = fopen(path, "we");
    if (out)
        file->write(out);
    if (!out || fclose(out)) {
        fprintf(stderr, "curves: %s: %s\n", path, strerror(errno));
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *from = getenv("BUILD_WORKING_DIRECTORY"); /* where `bazel run` was typed */

    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "Usage: curves DIR\nWrites %zu files of docs/fidelity into DIR.\n",
                curves_count);
        return 2;
    }
    if (from && chdir(from)) {
        fprintf(stderr, "curves: %s: %s\n", from, strerror(errno));
        return 1;
    }
    for (size_t i = 0; i < curves_count; i++)
        if (write_file(argv[1], &curves_files[i]))
            return 1;
    return 0;
}
