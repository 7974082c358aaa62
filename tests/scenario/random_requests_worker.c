/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/random_requests_worker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/check.h"

int rr_note(struct rr_worker *w, const struct rr_context *c, const char *what, uint64_t a,
            uint64_t b, int rc)
{
    struct rr_note *n = &w->note[w->notes++ % RR_NOTES];

    *n = (struct rr_note){.what = what, .a = a, .b = b, .rc = rc};
    n->actor = RR_ACTORS;
    for (unsigned i = 0; c && i < RR_ACTORS; i++)
        if (c->actor == &w->actor[i])
            n->actor = i;
    n->context = c ? c->number : 0;
    rr_answer_add(w->answer, what, rc, 1);
    w->left -= w->left > 0;
    return rc;
}

void rr_answer_add(struct rr_answer answer[RR_ANSWERS], const char *what, int rc, uint64_t times)
{
    struct rr_answer *a = answer;

    while (a->what && !(a->rc == rc && (a->what == what || !strcmp(a->what, what))))
        a++;
    CHECK(a < answer + RR_ANSWERS - 1);
    *a = (struct rr_answer){what, rc, a->times + times};
}

uint64_t rr_answer_times(const struct rr_answer answer[RR_ANSWERS], const char *what, int rc)
{
    for (const struct rr_answer *a = answer; a->what; a++)
        if (a->rc == rc && !strcmp(a->what, what))
            return a->times;
    return 0;
}

static void print_note(const struct rr_note *n)
{
    if (n->actor < RR_ACTORS)
        fprintf(stderr, "  client %u, context %u: ", n->actor, n->context);
    else
        fprintf(stderr, "  ");
    fprintf(stderr, "%s(%#" PRIx64 ", %#" PRIx64 ") = %d\n", n->what, n->a, n->b, n->rc);
}

/* Not an assertion of the test framework: this runs on any thread, and under a run of fibers that
 * cannot be left in the middle. */
void rr_fail(struct rr_worker *w, const char *file, int line, const char *format, ...)
{
    uint64_t first = w->notes > RR_NOTES ? w->notes - RR_NOTES : 0;
    va_list args;

    fprintf(stderr, "%s:%d: SPIPE_TEST_SEED=%" PRIu64 ", worker %u, request %" PRIu64 ": ", file,
            line, w->seed, w->number, w->notes);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nthe last requests of this worker:\n");
    for (uint64_t i = first; i < w->notes; i++)
        print_note(&w->note[i % RR_NOTES]);
    fflush(stderr);
    abort();
}

bool rr_one_of(int rc, const int *results, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (results[i] == rc)
            return true;
    return false;
}
