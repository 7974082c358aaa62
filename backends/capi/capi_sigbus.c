/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_sigbus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "hal/support/check.h"

#define RANGES_MAX 4096 /* eight cards with all their contexts */

/* The handler reads these at any moment: a range counts while its size is not 0. All fields are
 * accessed atomically. */
struct capi_sigbus_range {
    uintptr_t base;
    size_t size;
    bool dead;
    bool taken;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct capi_sigbus_range ranges[RANGES_MAX];
static unsigned in_use, highest; /* ranges taken; none is at or above `highest` */
static struct sigaction previous;
static bool installed; /* our handler, perhaps with another one on top of it */

static struct capi_sigbus_range *range_of(uintptr_t address)
{
    unsigned end = __atomic_load_n(&highest, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < end; i++) {
        size_t size = __atomic_load_n(&ranges[i].size, __ATOMIC_ACQUIRE);

        if (address - __atomic_load_n(&ranges[i].base, __ATOMIC_RELAXED) < size)
            return &ranges[i];
    }
    return NULL;
}

/* The fault is repeated, or the signal raised again, without us. */
static void by_default(int number, const siginfo_t *info)
{
    struct sigaction sa = {.sa_handler = SIG_DFL};

    sigemptyset(&sa.sa_mask);
    sigaction(number, &sa, NULL);
    if (info->si_code <= 0)
        raise(number);
}

static void pass_on(int number, siginfo_t *info, void *context)
{
    if (previous.sa_flags & SA_SIGINFO)
        previous.sa_sigaction(number, info, context);
    else if (previous.sa_handler == SIG_IGN && info->si_code <= 0)
        return; /* a fault cannot be ignored: it would come again for ever */
    else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)
        by_default(number, info);
    else
        previous.sa_handler(number);
}

/* Dead first: who reads from what replaces the mapping must not take it for a register. */
static bool bury(struct capi_sigbus_range *r)
{
    void *base = (void *)__atomic_load_n(&r->base, __ATOMIC_RELAXED);
    size_t size = __atomic_load_n(&r->size, __ATOMIC_RELAXED);

    __atomic_store_n(&r->dead, true, __ATOMIC_SEQ_CST);
    return mmap(base, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    struct capi_sigbus_range *r = info->si_code > 0 ? range_of((uintptr_t)info->si_addr) : NULL;

    if (!r || !bury(r))
        pass_on(number, info, context);
    errno = saved;
}

static void install(void)
{
    struct sigaction sa = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (installed)
        return;
    sigemptyset(&sa.sa_mask);
    CHECK(sigaction(SIGBUS, &sa, &previous) == 0);
    installed = true;
}

static void uninstall(void)
{
    struct sigaction now;

    CHECK(sigaction(SIGBUS, NULL, &now) == 0);
    if (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != on_sigbus)
        return; /* somebody passes on to us */
    CHECK(sigaction(SIGBUS, &previous, NULL) == 0);
    installed = false;
}

static struct capi_sigbus_range *take(void)
{
    for (unsigned i = 0; i < RANGES_MAX; i++) {
        if (ranges[i].taken)
            continue;
        if (i >= highest)
            __atomic_store_n(&highest, i + 1, __ATOMIC_RELEASE);
        return &ranges[i];
    }
    return NULL;
}

int capi_sigbus_add(void *base, size_t size, struct capi_sigbus_range **out)
{
    struct capi_sigbus_range *r;

    pthread_mutex_lock(&lock);
    r = take();
    if (r) {
        r->taken = true;
        __atomic_store_n(&r->dead, false, __ATOMIC_RELAXED);
        __atomic_store_n(&r->base, (uintptr_t)base, __ATOMIC_RELAXED);
        __atomic_store_n(&r->size, size, __ATOMIC_RELEASE);
        in_use++;
        install();
    }
    pthread_mutex_unlock(&lock);
    *out = r;
    return r ? 0 : -ENOMEM;
}

void capi_sigbus_remove(struct capi_sigbus_range *range)
{
    if (!range)
        return;
    pthread_mutex_lock(&lock);
    CHECK(range->taken);
    __atomic_store_n(&range->size, 0, __ATOMIC_RELEASE);
    range->taken = false;
    if (--in_use == 0)
        uninstall();
    pthread_mutex_unlock(&lock);
}

bool capi_sigbus_dead(const struct capi_sigbus_range *range)
{
    return __atomic_load_n(&range->dead, __ATOMIC_ACQUIRE);
}
