/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_copy.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "hal/support/check.h"

#if defined(__x86_64__) || defined(__powerpc64__)

extern const char sim_copy_first[], sim_copy_bytes[], sim_copy_fixup[];

/* Of the process, not of any world: the handlers that were there before ours. */
static struct sigaction before_segv, before_bus;

static bool redirect(ucontext_t *uc)
{
#ifdef __x86_64__
    greg_t *pc = &uc->uc_mcontext.gregs[REG_RIP];
    uintptr_t at = (uintptr_t)*pc;
#else
    unsigned long *pc = &uc->uc_mcontext.gp_regs[32]; /* PT_NIP */
    uintptr_t at = *pc;
#endif
    if (at < (uintptr_t)sim_copy_first || at >= (uintptr_t)sim_copy_fixup)
        return false;
    *pc = (__typeof__(*pc))(uintptr_t)(at < (uintptr_t)sim_copy_bytes ? sim_copy_bytes
                                                                      : sim_copy_fixup);
    return true;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    const struct sigaction *old = sig == SIGSEGV ? &before_segv : &before_bus;

    if (redirect(context))
        return;
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(sig, info, context);
    } else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
        old->sa_handler(sig);
    } else {
        /* Returning repeats the access, which then ends the program as it would have. */
        struct sigaction dfl = {.sa_handler = SIG_DFL};
        sigaction(sig, &dfl, NULL);
    }
}

void sim_copy_install(void)
{
    static bool installed;
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    if (installed)
        return;
    installed = true;
    sigemptyset(&sa.sa_mask);
    CHECK(sigaction(SIGSEGV, &sa, &before_segv) == 0);
    CHECK(sigaction(SIGBUS, &sa, &before_bus) == 0);
}

#else /* no assembly for this machine: the kernel checks the addresses instead, one call a copy */

#include <sys/uio.h>
#include <unistd.h>

size_t sim_copy(void *to, const void *from, size_t n)
{
    struct iovec local = {to, n}, remote = {(void *)from, n};
    ssize_t done = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

    return done < 0 ? n : n - (size_t)done;
}

void sim_copy_install(void) {}

#endif
