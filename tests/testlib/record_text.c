/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/record_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char listed[4096];

static int list(void *arg, const void *record, size_t length)
{
    size_t at = strlen(listed);

    (void)arg;
    cr_assert_lt(at + length + 2, sizeof listed);
    snprintf(listed + at, sizeof listed - at, "%.*s;", (int)length, (const char *)record);
    return 0;
}

static int ignore(void *arg, const void *record, size_t length)
{
    (void)arg;
    (void)record;
    (void)length;
    return 0;
}

const char *record_text(struct hal_record_store *store)
{
    listed[0] = 0;
    cr_assert_eq(hal_record_load(store, list, NULL), 0);
    return listed;
}

int record_text_try(struct hal_record_store *store) { return hal_record_load(store, ignore, NULL); }

int record_text_append(struct hal_record_store *store, const char *text)
{
    return hal_record_append(store, text, strlen(text));
}

/* `arg` is where the text is. */
static int produce(void *arg, hal_record_fn emit, void *sink)
{
    const char *text = *(const char **)arg;

    return emit(sink, text, strlen(text));
}

int record_text_replace(struct hal_record_store *store, const char *text)
{
    return hal_record_compact(store, produce, &text);
}
