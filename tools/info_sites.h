/* SPDX-License-Identifier: Apache-2.0 */
/* The fault sites of the model and of the filters, for `superpipe info --sites`. */
#ifndef TOOLS_INFO_SITES_H
#define TOOLS_INFO_SITES_H

#include "tools/json.h"

/** Prints every site: name, id, who applies its rules, effects with their words, what they take as
 * argument. */
void info_sites_print(void);

/** Adds the same to an object, as the array "sites". */
void info_sites_add(cJSON *root);

#endif
