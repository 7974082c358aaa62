/* SPDX-License-Identifier: Apache-2.0 */
/* The option --fault: what shall go wrong. */
#ifndef TOOLS_FAULT_OPTIONS_H
#define TOOLS_FAULT_OPTIONS_H

#include <stddef.h>

#define FAULT_OPTIONS_BYTES 4096

/** What was on the command line: one plan (hal/support/fault_plan.h), "" = none. */
struct fault_options {
    char plan[FAULT_OPTIONS_BYTES];
};

/** option_custom of --fault: checks a rule, or several that are joined by '+', and adds it. Returns
 * 0, or -EINVAL with the end of a sentence in why (size bytes). */
int fault_options_add(void *member, const char *text, char *why, size_t size);

#endif
