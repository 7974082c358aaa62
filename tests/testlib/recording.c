/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/recording.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE 12
#define BEHIND 3

void recording_add(void *arg, const struct sim_trace_record *records, size_t count)
{
    struct recording *r = arg;

    if (r->count + count > r->room) {
        r->room = 2 * (r->count + count);
        r->record = realloc(r->record, r->room * sizeof *r->record);
        cr_assert_not_null(r->record);
    }
    memcpy(r->record + r->count, records, count * sizeof *records);
    r->count += count;
}

void recording_free(struct recording *r)
{
    free(r->record);
    *r = (struct recording){NULL, 0, 0};
}

size_t recording_difference(const struct recording *a, const struct recording *b)
{
    size_t n = a->count < b->count ? a->count : b->count;

    for (size_t i = 0; i < n; i++)
        if (memcmp(&a->record[i], &b->record[i], sizeof *a->record))
            return i;
    return a->count == b->count ? SIZE_MAX : n;
}

static void print(const char *name, const struct recording *r, size_t i)
{
    const struct sim_trace_record *at = &r->record[i];

    if (i >= r->count)
        fprintf(stderr, "%-10s ends\n", name);
    else
        fprintf(stderr, "%-10s %" PRIu64 " %s %" PRIu32 " 0x%" PRIx64 " 0x%" PRIx64 "\n", name,
                at->cycle, sim_event_table[at->kind].name, at->who, at->a, at->b);
}

void recording_explain(const struct recording *a, const char *name_a, const struct recording *b,
                       const char *name_b, size_t at)
{
    for (size_t i = at < BEFORE ? 0 : at - BEFORE; i < at; i++)
        print("both", a, i);
    for (size_t i = at; i < at + BEHIND; i++)
        print(name_a, a, i);
    for (size_t i = at; i < at + BEHIND; i++)
        print(name_b, b, i);
}
