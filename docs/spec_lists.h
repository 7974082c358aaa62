/* The two lists beside the specification: what is enforced, and what needs no test and why. */
#ifndef SPIPE_DOCS_SPEC_LISTS_H
#define SPIPE_DOCS_SPEC_LISTS_H
#include "docs/spec_ids.h"

enum { SPEC_REASON_MIN = 10 };

/* enforced.txt: one id or range a line, '#' begins a comment. Marks the rows; returns the number of
 * lines that are not ids or name none that exists, after saying so on stderr. */
size_t spec_apply_enforced(struct spec *spec, const char *path, const char *text);

/* not-applicable.md: table rows "| id or range | reason |". Marks the rows; returns the number of
 * rows that name no existing id or give no reason. */
size_t spec_apply_excuses(struct spec *spec, const char *path, const char *text);

#endif
