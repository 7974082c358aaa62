/* SPDX-License-Identifier: Apache-2.0 */
/* The real input and output of media files: complete transfers, and errno values reduced to those
 * that the media promise. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "sim/sim_media_file.h"

/* "No space" has several names; everything else that can go wrong here is the disk. */
static int failure(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? -ENOSPC : -EIO;
}

static int io_read(void *arg, int fd, void *data, size_t n, uint64_t at)
{
    uint8_t *to = data;

    (void)arg;
    while (n) {
        ssize_t k = pread(fd, to, n, (off_t)at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return -EIO; /* an end that was not there when the file was opened is an error too */
        to += k;
        at += (uint64_t)k;
        n -= (size_t)k;
    }
    return 0;
}

static int io_write(void *arg, int fd, const void *data, size_t n, uint64_t at)
{
    const uint8_t *from = data;

    (void)arg;
    while (n) {
        ssize_t k = pwrite(fd, from, n, (off_t)at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k ? failure(errno) : -EIO;
        from += k;
        at += (uint64_t)k;
        n -= (size_t)k;
    }
    return 0;
}

static int io_sync(void *arg, int fd)
{
    int rc;

    (void)arg;
    do
        rc = fdatasync(fd);
    while (rc && errno == EINTR);
    return rc ? failure(errno) : 0;
}

static int io_resize(void *arg, int fd, uint64_t size)
{
    int rc;

    (void)arg;
    do
        rc = ftruncate(fd, (off_t)size);
    while (rc && errno == EINTR);
    return rc ? failure(errno) : 0;
}

/* 1: done, 0: this file system cannot, negative: failed. */
static int try_fallocate(int fd, int mode, uint64_t at, uint64_t n)
{
    int rc;

    do
        rc = fallocate(fd, mode, (off_t)at, (off_t)n);
    while (rc && errno == EINTR);
    if (!rc)
        return 1;
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL ? 0 : failure(errno);
}

static int io_allocate(void *arg, int fd, uint64_t at, uint64_t n)
{
    int rc = try_fallocate(fd, 0, at, n);

    (void)arg;
    return rc < 0 ? rc : 0; /* where it cannot be reserved, "no space" comes with the data */
}

static int io_clear(void *arg, int fd, uint64_t at, uint64_t n)
{
    static const uint8_t zeros[65536];
    int rc = try_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, n);

    if (!rc)
        rc = try_fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, at, n);
    if (rc)
        return rc < 0 ? rc : 0;
    for (uint64_t k; !rc && n; at += k, n -= k) {
        k = hal_min64(n, sizeof zeros);
        rc = io_write(arg, fd, zeros, k, at);
    }
    return rc;
}

const struct sim_media_io sim_media_real_io = {
    .read = io_read,
    .write = io_write,
    .sync = io_sync,
    .resize = io_resize,
    .allocate = io_allocate,
    .clear = io_clear,
};
