/* SPDX-License-Identifier: Apache-2.0 */
/* Only in //core:superpipe_mutants. */
#include "core/mutants.h"

#include <stdlib.h>
#include <string.h>

#include "hal/support/check.h"

enum { NOT_ASKED = -1 };

static int chosen = NOT_ASKED; /* enum spipe__mutant; threads may ask at the same time */

static enum spipe__mutant find(const char *name)
{
    static const char *const names[SPIPE__MUTANTS] = {
#define MUTANT(id, text) [SPIPE__MUTANT_##id] = #id,
#include "core/mutants.def"
#undef MUTANT
    };

    for (int i = SPIPE__MUTANT_NONE + 1; i < SPIPE__MUTANTS; i++)
        if (strcmp(names[i], name) == 0)
            return (enum spipe__mutant)i;
    return SPIPE__MUTANT_NONE;
}

bool spipe__mutant_select(const char *name)
{
    int id = name ? (int)find(name) : SPIPE__MUTANT_NONE;

    __atomic_store_n(&chosen, id, __ATOMIC_RELAXED);
    return !name || id != SPIPE__MUTANT_NONE;
}

/* The variable is read once. A mutant that does not exist would look like one that is found. */
static int ask(void)
{
    bool known = spipe__mutant_select(getenv("SPIPE_MUTANT"));

    CHECK(known);
    return __atomic_load_n(&chosen, __ATOMIC_RELAXED);
}

bool spipe__mutant_is_on(enum spipe__mutant id)
{
    int on = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

    if (on == NOT_ASKED)
        on = ask();
    return on == (int)id;
}
