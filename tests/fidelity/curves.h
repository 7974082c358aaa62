/* SPDX-License-Identifier: Apache-2.0 */
/* The files of docs/fidelity: curves of the model against theory, and tables, made by running the
 * model. The same bytes on every host. */
#ifndef TESTS_FIDELITY_CURVES_H
#define TESTS_FIDELITY_CURVES_H

#include <stddef.h>
#include <stdio.h>

/** One file: its name, and what writes its contents. */
struct curves_file {
    const char *name;
    void (*write)(FILE *out);
};

extern const struct curves_file curves_files[];
extern const size_t curves_count;

/** tables.c: every parameter with what is known about it; published figures and sums. */
void tables_parameters(FILE *out);
void tables_figures(FILE *out);

#endif
