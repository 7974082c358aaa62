/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_processors.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "hal/support/check.h"
#include "tests/bench/bench_clock.h"

clockid_t bench_processors_clock(void)
{
    clockid_t clock;

    CHECK(pthread_getcpuclockid(pthread_self(), &clock) == 0);
    return clock;
}

void bench_processors_open(struct bench_processors *p, clockid_t other)
{
    p->other = other;
    p->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void bench_processors_close(struct bench_processors *p)
{
    if (p->schedstat >= 0)
        close(p->schedstat);
    p->schedstat = -1;
}

/* The second number. */
static double queued_ns(int schedstat)
{
    char text[96], *at = text;
    ssize_t n = schedstat < 0 ? -1 : pread(schedstat, text, sizeof text - 1, 0);

    if (n <= 0)
        return 0;
    text[n] = '\0';
    (void)strtoull(text, &at, 10);
    return (double)strtoull(at, NULL, 10);
}

struct bench_share bench_processors_look(const struct bench_processors *p)
{
    return (struct bench_share){bench_clock_ns(p->other), queued_ns(p->schedstat)};
}

double bench_share_computed(double ns, struct bench_share before, struct bench_share after)
{
    return fmin(fmax(0, ns - (after.queued - before.queued)), after.other - before.other);
}
