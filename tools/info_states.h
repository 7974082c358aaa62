/* SPDX-License-Identifier: Apache-2.0 */
/* The states of an adapter and the changes between them, for `superpipe info --states`. */
#ifndef TOOLS_INFO_STATES_H
#define TOOLS_INFO_STATES_H

#include <stdio.h>

#include "tools/json.h"

/** Writes docs/state-machine.md: a diagram and the table, which can be read as they stand. */
void info_states_print(FILE *out);

/** Adds the table to an object, as the array "states". */
void info_states_add(cJSON *root);

#endif
