/* SPDX-License-Identifier: Apache-2.0 */
/* The exec suite through the fault filter without a plan, over POSIX threads: nothing changes. */
#include <criterion/criterion.h>
#include <signal.h>

#include "backends/fault/fault_exec.h"
#include "backends/posix/posix_exec.h"
#include "tests/conformance/exec_conformance.h"

static void through_filter(void (*body)(struct exec *))
{
    static struct fault_filter filter;
    struct fault_exec e;
    struct exec *below;

    cr_assert_eq(posix_exec_create(&below), 0);
    fault_filter_init(&filter, below);
    fault_exec_init(&e, &filter);
    body(&e.base);
    posix_exec_destroy(below);
}

#define CASE(name)                                                                                 \
    Test(exec_conformance_fault, name, .timeout = 30) { through_filter(exec_case_##name); }
EXEC_CONFORMANCE_CASES(CASE)

#ifndef __SANITIZE_THREAD__ /* which reports these by itself, before we can */
#define ABORTS(name)                                                                               \
    Test(exec_conformance_fault, name, .signal = SIGABRT, .timeout = 30)                           \
    {                                                                                              \
        through_filter(exec_case_##name);                                                          \
    }
EXEC_CONFORMANCE_ABORTS(ABORTS)
#endif
