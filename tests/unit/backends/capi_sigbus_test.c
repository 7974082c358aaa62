/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_sigbus.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"

#define SIZE ((size_t)262144)

/* Memory whose pages are gone: a file that was made shorter. */
static volatile uint64_t *gone(void)
{
    int fd = memfd_create("gone", MFD_CLOEXEC);
    void *p;

    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, SIZE), 0);
    p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(p, MAP_FAILED);
    cr_assert_eq(ftruncate(fd, 0), 0);
    close(fd);
    return p;
}

static void drop(volatile uint64_t *p) { munmap((void *)(uintptr_t)p, SIZE); }

static struct capi_sigbus_range *guard(volatile uint64_t *p)
{
    struct capi_sigbus_range *r;

    cr_assert_eq(capi_sigbus_add((void *)(uintptr_t)p, SIZE, &r), 0);
    return r;
}

Test(capi_sigbus, a_load_from_a_page_that_is_gone_ends)
{
    volatile uint64_t *p = gone();
    struct capi_sigbus_range *r = guard(p);
    uint64_t value = 1;

    cr_assert(!capi_sigbus_dead(r));
    errno = 12345;
    value += p[SIZE / 8 - 1];
    cr_assert_eq(errno, 12345);
    cr_assert(capi_sigbus_dead(r));
    cr_assert_eq(value, 1);
    capi_sigbus_remove(r);
    drop(p);
    PROVES(CX_64);
}

Test(capi_sigbus, a_store_ends_too)
{
    volatile uint64_t *p = gone();
    struct capi_sigbus_range *r = guard(p);

    p[3] = 7;
    cr_assert(capi_sigbus_dead(r));
    p[SIZE / 16] = 8; /* all of it was replaced */
    capi_sigbus_remove(r);
    drop(p);
    PROVES(CX_64);
}

Test(capi_sigbus, mappings_die_one_by_one)
{
    volatile uint64_t *p = gone(), *q = gone();
    struct capi_sigbus_range *a = guard(p), *b = guard(q);

    p[0] = 1;
    cr_assert(capi_sigbus_dead(a) && !capi_sigbus_dead(b));
    capi_sigbus_remove(a);
    q[0] = 1;
    cr_assert(capi_sigbus_dead(b));
    capi_sigbus_remove(b);
    a = guard(p); /* what was of another mapping before is forgotten */
    cr_assert(!capi_sigbus_dead(a));
    capi_sigbus_remove(a);
    drop(p);
    drop(q);
}

/* ---- who was there before ---- */

static sigjmp_buf back;
static volatile sig_atomic_t heard;
static void *volatile heard_at;

static void hear(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    heard++;
    heard_at = info->si_addr;
    siglongjmp(back, 1);
}

static void hear_plainly(int number)
{
    (void)number;
    heard++;
}

static void set_handler(struct sigaction *sa)
{
    sigemptyset(&sa->sa_mask);
    cr_assert_eq(sigaction(SIGBUS, sa, NULL), 0);
}

Test(capi_sigbus, faults_elsewhere_go_to_who_was_there_before)
{
    struct sigaction sa = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO};
    volatile uint64_t *p = gone(), *ours = gone();
    struct capi_sigbus_range *r;

    set_handler(&sa);
    r = guard(ours);
    if (!sigsetjmp(back, 1))
        p[9] = 1;
    cr_assert_eq(heard, 1);
    cr_assert_eq((void *)heard_at, (void *)(uintptr_t)&p[9]);
    cr_assert(!capi_sigbus_dead(r));
    ours[0] = 1; /* and ours still comes to us */
    cr_assert_eq(heard, 1);
    cr_assert(capi_sigbus_dead(r));
    capi_sigbus_remove(r);
    drop(p);
    drop(ours);
    PROVES(CX_64);
}

Test(capi_sigbus, a_signal_that_is_no_fault_is_passed_on)
{
    struct sigaction sa = {.sa_handler = hear_plainly};
    volatile uint64_t *p = gone();
    struct capi_sigbus_range *r;

    set_handler(&sa);
    r = guard(p);
    raise(SIGBUS);
    cr_assert_eq(heard, 1);
    capi_sigbus_remove(r);
    sa.sa_handler = SIG_IGN;
    set_handler(&sa);
    r = guard(p);
    raise(SIGBUS);
    cr_assert_eq(heard, 1);
    capi_sigbus_remove(r);
    drop(p);
}

/* How a child ends in which `what` happens. */
static int end_of(void (*what)(void))
{
    pid_t pid = fork();
    int status;

    cr_assert_geq(pid, 0);
    if (!pid) {
        what();
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void start_without_handler(void (*handler)(int))
{
    struct sigaction sa = {.sa_handler = handler};
    struct capi_sigbus_range *r;

    sigemptyset(&sa.sa_mask);
    sigaction(SIGBUS, &sa, NULL);
    if (capi_sigbus_add((void *)(uintptr_t)gone(), SIZE, &r))
        _exit(1);
}

static void fault_by_default(void)
{
    start_without_handler(SIG_DFL);
    gone()[0] = 1;
}

static void fault_when_ignored(void)
{
    start_without_handler(SIG_IGN);
    gone()[0] = 1;
}

static void raise_by_default(void)
{
    start_without_handler(SIG_DFL);
    raise(SIGBUS);
}

Test(capi_sigbus, without_a_handler_before_it_ends_the_program)
{
    cr_assert_eq(end_of(fault_by_default), SIGBUS);
    cr_assert_eq(end_of(fault_when_ignored), SIGBUS);
    cr_assert_eq(end_of(raise_by_default), SIGBUS);
}

/* ---- it goes away ---- */

static void *handler_now(void)
{
    struct sigaction sa;

    cr_assert_eq(sigaction(SIGBUS, NULL, &sa), 0);
    return (void *)(uintptr_t)sa.sa_handler;
}

Test(capi_sigbus, it_is_removed_behind_the_last_mapping)
{
    struct sigaction sa = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO};
    volatile uint64_t *p = gone();
    struct capi_sigbus_range *a, *b;
    void *ours;

    set_handler(&sa);
    for (unsigned round = 0; round < 2; round++) {
        a = guard(p);
        b = guard(p);
        ours = handler_now();
        cr_assert_neq(ours, (void *)(uintptr_t)hear);
        capi_sigbus_remove(a);
        cr_assert_eq(handler_now(), ours);
        capi_sigbus_remove(b);
        cr_assert_eq(handler_now(), (void *)(uintptr_t)hear);
    }
    capi_sigbus_remove(NULL);
    drop(p);
    PROVES(CX_64);
}

/* Who came later passes on to ours, so that must stay. */
Test(capi_sigbus, it_stays_below_a_handler_that_came_later)
{
    struct sigaction ours, later = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO};
    volatile uint64_t *p = gone();
    struct capi_sigbus_range *r = guard(p);

    cr_assert_eq(sigaction(SIGBUS, NULL, &ours), 0);
    set_handler(&later);
    capi_sigbus_remove(r);
    cr_assert_eq(handler_now(), (void *)(uintptr_t)hear);
    r = guard(p);
    cr_assert_eq(handler_now(), (void *)(uintptr_t)hear);
    cr_assert_eq(sigaction(SIGBUS, &ours, NULL), 0);
    p[0] = 1;
    cr_assert(capi_sigbus_dead(r));
    capi_sigbus_remove(r);
    drop(p);
}

Test(capi_sigbus, there_is_an_end_to_mappings)
{
    static struct capi_sigbus_range *all[5000];
    volatile uint64_t *p = gone();
    unsigned n = 0;

    while (n < 5000 && !capi_sigbus_add((void *)(uintptr_t)p, SIZE, &all[n]))
        n++;
    cr_assert_eq(n, 4096);
    while (n > 0)
        capi_sigbus_remove(all[--n]);
    drop(p);
}
