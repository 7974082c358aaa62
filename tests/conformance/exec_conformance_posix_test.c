/* SPDX-License-Identifier: Apache-2.0 */
/* The exec conformance suite over POSIX threads. Each case runs twice: in a thread of the back end
 * and in one that somebody else made. */
#include <criterion/criterion.h>
#include <signal.h>

#include "backends/posix/posix_exec.h"
#include "tests/conformance/exec_conformance.h"

struct run {
    struct exec *e;
    void (*body)(struct exec *);
};

static void run_body(void *arg)
{
    struct run *r = arg;

    r->body(r->e);
}

static void run_in_both(void (*body)(struct exec *))
{
    struct run r = {.body = body};
    struct exec_thread *t = NULL;

    cr_assert_eq(posix_exec_create(&r.e), 0);
    cr_assert_eq(exec_thread_create(r.e, "case", run_body, &r, &t), 0);
    exec_thread_join(r.e, t);
    run_body(&r);
    posix_exec_destroy(r.e);
}

#define CASE(name)                                                                                 \
    Test(exec_conformance_posix, name, .timeout = 30) { run_in_both(exec_case_##name); }
EXEC_CONFORMANCE_CASES(CASE)

#ifndef __SANITIZE_THREAD__ /* which reports these by itself, before we can */
#define ABORTS(name)                                                                               \
    Test(exec_conformance_posix, name, .signal = SIGABRT, .timeout = 30)                           \
    {                                                                                              \
        run_in_both(exec_case_##name);                                                             \
    }
EXEC_CONFORMANCE_ABORTS(ABORTS)
#endif
