/* SPDX-License-Identifier: Apache-2.0 */
/* Defects of the original driver that can be switched on, one at a time, so that a test can show
 * that it would be found (docs/mutants.md). The product has none: there the question is the
 * constant false, and what depends on it is not compiled. Shared inside core only. */
#ifndef CORE_MUTANTS_H
#define CORE_MUTANTS_H

#include <stdbool.h>

/** One for each line of mutants.def. */
enum spipe__mutant {
    SPIPE__MUTANT_NONE,
#define MUTANT(id, text) SPIPE__MUTANT_##id,
#include "core/mutants.def"
#undef MUTANT
    SPIPE__MUTANTS
};

#ifdef SPIPE_MUTANTS

/**
 * Switches one mutant on, instead of the one that was on; before anything of core is called.
 * Without a call, the environment variable SPIPE_MUTANT names one.
 *
 * @param name  as in mutants.def, e.g. "VLW_5"; NULL: none
 * @return      false: there is no such mutant, and none is on
 */
bool spipe__mutant_select(const char *name);

/** Whether a mutant is on. For the macro below. Any thread. */
bool spipe__mutant_is_on(enum spipe__mutant id);

/** Whether the mutant of a weakness is on: `if (spipe__mutant(VLW_5))`. */
#define spipe__mutant(id) spipe__mutant_is_on(SPIPE__MUTANT_##id)

#else

#define spipe__mutant(id) ((void)SPIPE__MUTANT_##id, false)

#endif

#endif
