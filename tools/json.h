/* SPDX-License-Identifier: Apache-2.0 */
/* What cJSON lacks: 64-bit numbers without loss, and the text of a finished object. */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <cjson/cJSON.h>
#include <stdint.h>

/** Adds a number to an object, all digits of it. */
void json_u64(cJSON *object, const char *name, uint64_t value);

/** Adds an array with the numbers of the bits that are set in a mask. */
void json_bits(cJSON *object, const char *name, uint64_t mask);

/** Frees an object and returns its text, ending in a line feed, from malloc; NULL without memory.
 */
char *json_finish(cJSON *root);

/** Writes the text of a finished object to standard output and frees both. Returns 0 or -ENOMEM. */
int json_print(cJSON *root);

#endif
