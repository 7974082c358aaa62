/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of event files with arbitrary contents: each is an event or is none, and one that is can be
 * shown. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/event_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(ok) must_at((ok), __LINE__)
static void must_at(bool ok, int line)
{
    if (!ok)
        fprintf(stderr, "line %d\n", line), abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), shown[EVENT_LINE_TEXT_BYTES];
    struct event_line line;

    MUST(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (!event_line_read(text, &line)) {
        MUST(line.severity < SPIPE_SEVERITIES);
        MUST(strlen(event_line_text(&line, shown)) < sizeof shown);
        event_line_free(&line);
    }
    free(text);
    return 0;
}
