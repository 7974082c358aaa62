/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/posix/posix_park.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "hal/support/check.h"

#define NS_PER_S UINT64_C(1000000000)

uint64_t posix_now(void)
{
    struct timespec ts;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

static void lock(struct posix_park *p) { CHECK(pthread_mutex_lock(&p->lock) == 0); }

static void unlock(struct posix_park *p) { CHECK(pthread_mutex_unlock(&p->lock) == 0); }

int posix_park_init(struct posix_park *p, bool with_descriptor)
{
    pthread_condattr_t attr;

    *p = (struct posix_park){.event_fd = -1};
    if (with_descriptor) {
        p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (p->event_fd < 0)
            return -EAGAIN;
    }
    CHECK(pthread_mutex_init(&p->lock, NULL) == 0);
    CHECK(pthread_condattr_init(&attr) == 0);
    CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&p->wake, &attr) == 0);
    pthread_condattr_destroy(&attr);
    return 0;
}

void posix_park_fini(struct posix_park *p)
{
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    if (p->event_fd >= 0)
        close(p->event_fd);
}

void posix_park_begin(struct posix_park *p)
{
    lock(p);
    p->signalled = false;
    unlock(p);
}

static bool take_interrupt(struct posix_park *p)
{
    bool pending = p->interrupt_pending;

    p->interrupt_pending = false;
    return pending;
}

/* Returns false once the deadline has passed. */
static bool sleep_on_wake(struct posix_park *p, uint64_t deadline)
{
    struct timespec until = timespec_of(deadline);
    int rc;

    if (deadline == UINT64_MAX)
        rc = pthread_cond_wait(&p->wake, &p->lock);
    else
        rc = pthread_cond_timedwait(&p->wake, &p->lock, &until);
    CHECK(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

int posix_park_wait(struct posix_park *p, uint64_t deadline, bool interruptible)
{
    bool in_time = true;
    int rc;

    lock(p);
    /* What happened is looked at once more after the deadline: a signal is never thrown away. */
    for (;;) {
        if (p->signalled)
            rc = 0;
        else if (interruptible && take_interrupt(p))
            rc = -EINTR;
        else if (!in_time)
            rc = -ETIMEDOUT;
        else {
            in_time = sleep_on_wake(p, deadline);
            continue;
        }
        break;
    }
    unlock(p);
    return rc;
}

void posix_park_signal(struct posix_park *p)
{
    lock(p);
    p->signalled = true;
    /* Inside the lock: once it is free, the thread may go on and take its parking place along. */
    pthread_cond_signal(&p->wake);
    unlock(p);
}

void posix_park_interrupt(struct posix_park *p)
{
    const uint64_t one = 1;

    lock(p);
    p->interrupt_pending = true;
    pthread_cond_signal(&p->wake);
    if (p->polling)
        CHECK(write(p->event_fd, &one, sizeof one) == sizeof one || errno == EAGAIN);
    unlock(p);
}

void posix_park_forget_interrupt(struct posix_park *p)
{
    lock(p);
    p->interrupt_pending = false;
    unlock(p);
}

/* Announces the poll, unless there is an interrupt already. */
static bool begin_polling(struct posix_park *p)
{
    bool interrupted;

    lock(p);
    interrupted = take_interrupt(p);
    p->polling = !interrupted;
    unlock(p);
    return !interrupted;
}

/* Returns whether there was an interrupt, which is used up unless `keep`. */
static bool end_polling(struct posix_park *p, bool keep)
{
    uint64_t count;
    bool interrupted;

    lock(p);
    p->polling = false;
    if (p->event_fd >= 0 && read(p->event_fd, &count, sizeof count) < 0)
        CHECK(errno == EAGAIN);
    interrupted = p->interrupt_pending;
    if (!keep)
        p->interrupt_pending = false;
    unlock(p);
    return interrupted;
}

/* Waits for either descriptor. Returns poll's result; signals of the process do not end it. */
static int poll_until(struct pollfd *p, nfds_t count, uint64_t deadline)
{
    for (;;) {
        uint64_t now = posix_now();
        struct timespec left = timespec_of(deadline > now ? deadline - now : 0);
        int rc = ppoll(p, count, deadline == UINT64_MAX ? NULL : &left, NULL);

        if (rc >= 0)
            return rc;
        CHECK(errno == EINTR || errno == ENOMEM);
    }
}

int posix_park_poll(struct posix_park *p, int fd, uint64_t deadline)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = p->event_fd, .events = POLLIN}};
    bool interrupted, done;

    if (fd < 0)
        return -EBADF;
    if (!begin_polling(p))
        return -EINTR;
    poll_until(fds, 2, deadline);
    done = fds[0].revents != 0;
    interrupted = end_polling(p, done);
    if (done)
        return fds[0].revents & POLLNVAL ? -EBADF : 0;
    return interrupted ? -EINTR : -ETIMEDOUT;
}
