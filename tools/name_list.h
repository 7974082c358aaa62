/* SPDX-License-Identifier: Apache-2.0 */
/* The table of named virtual LUNs that `superpipe list` and `superpipe vlun list` print. */
#ifndef TOOLS_NAME_LIST_H
#define TOOLS_NAME_LIST_H

#include "tools/media_command.h"
#include "tools/named_vlun.h"

/** Body of a subcommand; arg is its struct media_call. Prints the table, or adds the array "names"
 * to its JSON object. Always 0. */
int name_list_body(struct session *s, void *arg, char *why, size_t size);

/** Adds what the table tells of one of them to a JSON object. */
void name_list_add(cJSON *j, const struct named_vlun *v);

#endif
