/* SPDX-License-Identifier: Apache-2.0 */
/* The parking place: which of several reasons ends a wait. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backends/posix/posix_park.h"

static struct posix_park park;

static void open_park(void)
{
    cr_assert_eq(posix_park_init(&park, true), 0);
    posix_park_begin(&park);
}

static void close_park(void) { posix_park_fini(&park); }

TestSuite(posix_park, .init = open_park, .fini = close_park, .timeout = 10);

Test(posix_park, a_signal_before_the_wait_counts)
{
    posix_park_signal(&park);
    cr_assert_eq(posix_park_wait(&park, UINT64_MAX, false), 0);
}

Test(posix_park, begin_forgets_signals)
{
    posix_park_signal(&park);
    posix_park_begin(&park);
    cr_assert_eq(posix_park_wait(&park, 0, false), -ETIMEDOUT);
}

Test(posix_park, a_signal_is_preferred_to_a_deadline)
{
    posix_park_signal(&park);
    cr_assert_eq(posix_park_wait(&park, 0, false), 0);
}

Test(posix_park, a_signal_is_preferred_to_an_interrupt_which_stays)
{
    posix_park_interrupt(&park);
    posix_park_signal(&park);
    cr_assert_eq(posix_park_wait(&park, UINT64_MAX, true), 0);
    posix_park_begin(&park);
    cr_assert_eq(posix_park_wait(&park, UINT64_MAX, true), -EINTR);
    cr_assert_eq(posix_park_wait(&park, 0, true), -ETIMEDOUT);
}

Test(posix_park, an_uninterruptible_wait_keeps_the_interrupt)
{
    posix_park_interrupt(&park);
    cr_assert_eq(posix_park_wait(&park, 0, false), -ETIMEDOUT);
    cr_assert_eq(posix_park_wait(&park, 0, true), -EINTR);
}

Test(posix_park, an_interrupt_ends_one_poll)
{
    int fd = eventfd(0, EFD_CLOEXEC);

    posix_park_interrupt(&park);
    cr_assert_eq(posix_park_poll(&park, fd, UINT64_MAX), -EINTR);
    cr_assert_eq(posix_park_poll(&park, fd, 0), -ETIMEDOUT);
    cr_assert_eq(posix_park_poll(&park, fd, posix_now() + 100000), -ETIMEDOUT);
    close(fd);
}

Test(posix_park, poll_tells_bad_descriptors)
{
    cr_assert_eq(posix_park_poll(&park, -5, UINT64_MAX), -EBADF);
    cr_assert_eq(posix_park_poll(&park, 1 << 20, UINT64_MAX), -EBADF);
}
