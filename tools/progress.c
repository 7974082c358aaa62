/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "tools/text.h"

#define INTERVAL_NS UINT64_C(250000000)
#define CALLS_PER_LOOK 8 /* of a run: reading the clock is not for nothing */

uint64_t progress_wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void progress_start(struct progress *p, const char *label, bool quiet)
{
    *p = (struct progress){.label = label, .on = !quiet && isatty(STDERR_FILENO)};
    p->started_ns = p->drawn_ns = progress_wall_ns();
}

/* n a span, as a number a second. */
static uint64_t rate(uint64_t n, uint64_t span_ns)
{
    return span_ns ? (uint64_t)((unsigned __int128)n * 1000000000 / span_ns) : 0;
}

static void draw_run(const struct progress *p)
{
    char now[TEXT_BYTES], iops[TEXT_BYTES], bandwidth[TEXT_BYTES], errors[TEXT_BYTES];
    uint64_t span = p->device_ns - p->last_device_ns;

    fprintf(stderr, "\r%s %3u %%  %s simulated  %s IOPS  %s/s  %s errors\033[K", p->label,
            text_percent(hal_min64(p->device_ns, p->total_device_ns), p->total_device_ns),
            text_ns(now, p->device_ns), text_count(iops, rate(p->ios - p->last_ios, span)),
            text_size(bandwidth, rate(p->bytes - p->last_bytes, span)),
            text_count(errors, p->errors));
}

static void draw_copy(const struct progress *p, uint64_t now)
{
    char done[TEXT_BYTES], total[TEXT_BYTES], speed[TEXT_BYTES];

    fprintf(stderr, "\r%s ", p->label);
    if (p->total_bytes)
        fprintf(stderr, "%3u %%  %s of %s", text_percent(p->bytes, p->total_bytes),
                text_size(done, p->bytes), text_size(total, p->total_bytes));
    else
        fprintf(stderr, "%s", text_size(done, p->bytes));
    fprintf(stderr, "  %s/s\033[K", text_size(speed, rate(p->bytes, now - p->started_ns)));
}

static void draw(struct progress *p, uint64_t now)
{
    struct progress shot = *p;

    shot.ios = __atomic_load_n(&p->ios, __ATOMIC_RELAXED);
    shot.bytes = __atomic_load_n(&p->bytes, __ATOMIC_RELAXED);
    if (p->total_device_ns)
        draw_run(&shot);
    else
        draw_copy(&shot, now);
    fflush(stderr);
    p->shown = true;
    p->drawn_ns = now;
    p->last_ios = shot.ios;
    p->last_bytes = shot.bytes;
    p->last_device_ns = p->device_ns;
}

void progress_tick(struct progress *p, uint64_t device_ns, uint64_t ios, uint64_t bytes)
{
    uint64_t now;

    if (!p->on)
        return;
    __atomic_add_fetch(&p->ios, ios, __ATOMIC_RELAXED);
    __atomic_add_fetch(&p->bytes, bytes, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&p->calls, 1, __ATOMIC_RELAXED) % CALLS_PER_LOOK && p->total_device_ns)
        return;
    if (__atomic_exchange_n(&p->drawing, 1, __ATOMIC_ACQUIRE))
        return;
    now = progress_wall_ns();
    if (now - p->drawn_ns >= INTERVAL_NS && device_ns >= p->last_device_ns) {
        p->device_ns = device_ns;
        draw(p, now);
    }
    __atomic_store_n(&p->drawing, 0, __ATOMIC_RELEASE);
}

void progress_error(struct progress *p) { __atomic_add_fetch(&p->errors, 1, __ATOMIC_RELAXED); }

void progress_clear(struct progress *p)
{
    while (__atomic_exchange_n(&p->drawing, 1, __ATOMIC_ACQUIRE))
        ; /* somebody draws: a matter of microseconds */
    if (p->shown)
        fprintf(stderr, "\r\033[K");
    p->shown = false;
    __atomic_store_n(&p->drawing, 0, __ATOMIC_RELEASE);
}
