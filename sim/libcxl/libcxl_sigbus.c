/* SPDX-License-Identifier: Apache-2.0 */
/* The library's SIGBUS handler, with its defects (CX-59 to CX-61). */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/libcxl/libcxl.h"

/* Of the process: signals have no other place. */
static struct {
    bool installed;
    struct sigaction before;
} state;

static _Thread_local struct {
    volatile sig_atomic_t inside; /* the mark */
    volatile sig_atomic_t alive;  /* the frame that `back` leads to is still there */
    sigjmp_buf back;
} here;

static void pass_on(int number, siginfo_t *info, void *context)
{
    if (state.before.sa_flags & SA_SIGINFO) {
        state.before.sa_sigaction(number, info, context);
    } else if (state.before.sa_handler == SIG_DFL) {
        sigaction(number, &state.before, NULL);
        raise(number); /* pending until this handler returns */
    } else if (state.before.sa_handler != SIG_IGN) {
        state.before.sa_handler(number);
    }
}

/* The original would jump into a frame that no longer exists, and do whatever is there. */
static void lost_frame(void)
{
    static const char text[] = "SIGBUS: a jump into a frame that is gone (CX-61)\n";

    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(1);
    abort();
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
    if (info->si_code != BUS_ADRERR || !here.inside) {
        pass_on(number, info, context);
        return;
    }
    if (!here.alive)
        lost_frame();
    siglongjmp(here.back, 1);
}

int cxl_mmio_install_sigbus_handler(void)
{
    struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
    bool expected = false;

    if (!__atomic_compare_exchange_n(&state.installed, &expected, true, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return 0;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, &state.before);
}

bool libcxl_sigbus_installed(void) { return __atomic_load_n(&state.installed, __ATOMIC_ACQUIRE); }

void libcxl_sigbus_enter(void) { here.inside = 1; }

void libcxl_sigbus_leave(void) { here.inside = 0; }

void libcxl_sigbus_touch(void *map, uint64_t offset)
{
    if (sigsetjmp(here.back, 1) == 0) {
        here.alive = 1;
        standin_touch(map, offset);
    }
    here.alive = 0;
}
