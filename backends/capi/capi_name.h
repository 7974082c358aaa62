/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the class cxl (CX-10, CX-17). */
#ifndef BACKENDS_CAPI_CAPI_NAME_H
#define BACKENDS_CAPI_CAPI_NAME_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/** What is behind a decimal number at the start of a text, or NULL if there is none. */
static inline const char *capi_name_number(const char *text, unsigned *number)
{
    const char *at = text;

    for (*number = 0; isdigit((unsigned char)*at) && *number < 100000; at++)
        *number = *number * 10 + (unsigned)(*at - '0');
    return at == text ? NULL : at;
}

/** What is behind "afuN.M" at the start of a name: "" for an AFU, its letter for a view; NULL for
 * any other name. *card receives N. */
static inline const char *capi_name_afu(const char *name, unsigned *card)
{
    unsigned slice;
    const char *at = strncmp(name, "afu", 3) == 0 ? capi_name_number(name + 3, card) : NULL;

    return at && *at == '.' ? capi_name_number(at + 1, &slice) : NULL;
}

/** Whether a name is that of an AFU itself. */
static inline bool capi_name_is_afu(const char *name, unsigned *card)
{
    const char *rest = capi_name_afu(name, card);

    return rest && !*rest;
}

/** Whether a name is that of a PCI function: "0007:00:00.0". */
static inline bool capi_name_is_function(const char *name)
{
    static const char behind[] = "::.";

    for (size_t i = 0; i < sizeof behind; i++) { /* with the end of the name */
        size_t digits = strspn(name, "0123456789abcdefABCDEF");

        if (!digits || name[digits] != behind[i])
            return false;
        name += digits + 1;
    }
    return true;
}

#endif
