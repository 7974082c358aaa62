/* SPDX-License-Identifier: Apache-2.0 */
/* The report of `superpipe doctor`: facts and verdict as text. */
#ifndef TOOLS_DOCTOR_PRINT_H
#define TOOLS_DOCTOR_PRINT_H

#include <stdio.h>

#include "tools/doctor_facts.h"
#include "tools/doctor_judge.h"

/** Writes everything that was found, section by section. */
void doctor_print_facts(const struct doctor_facts *f, FILE *to);

/** Writes the verdict: a sentence, then the numbered list of what is missing, or what would be
 * better, and how to mend each. */
void doctor_print_verdict(const struct doctor_verdict *v, FILE *to);

#endif
