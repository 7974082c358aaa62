/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/posix/posix_record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

/* What open(2) is asked for beside O_CREAT. Not to block is for what is no plain file, and is
 * refused a moment later. */
#define FLAGS (O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

/* ---- the bytes ---- */

static int fd_of(struct hal_record_area *area)
{
    return HAL_CONTAINER_OF(area, struct posix_record_file, area)->fd;
}

static int area_read(struct hal_record_area *area, uint64_t offset, void *buf, size_t n)
{
    unsigned char *at = buf;

    while (n > 0) {
        ssize_t got = pread(fd_of(area), at, n, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) /* 0: somebody has cut the file */
            return -EIO;
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

/* Room that this process may not have is no room: the owner may do with less, as on a full disk. */
static int write_error(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? -ENOSPC : -EIO;
}

static int area_write(struct hal_record_area *area, uint64_t offset, const void *buf, size_t n)
{
    const unsigned char *at = buf;

    while (n > 0) {
        ssize_t put = pwrite(fd_of(area), at, n, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put ? write_error(errno) : -EIO;
        at += put;
        offset += (uint64_t)put;
        n -= (size_t)put;
    }
    return 0;
}

/* The size is durable already, so the data are all there is. */
static int area_sync(struct hal_record_area *area)
{
    int rc;

    do
        rc = fdatasync(fd_of(area));
    while (rc && errno == EINTR);
    return rc ? -EIO : 0;
}

static const struct hal_record_area_ops ops = {area_read, area_write, area_sync};

/* ---- sentences ---- */

static int refuse_open(const char *path, int error, char *why, size_t size)
{
    switch (error) {
    case EACCES:
    case EPERM:
        snprintf(why, size, "no right to read and write '%s' (%s)", path, strerror(error));
        break;
    case EROFS:
        snprintf(why, size, "'%s' is on a file system that is read-only", path);
        break;
    case ELOOP:
        snprintf(why, size, "'%s' is a symbolic link, which is not followed", path);
        break;
    case EISDIR:
        snprintf(why, size, "'%s' is a directory, not a file", path);
        break;
    case ENOENT:
    case ENOTDIR:
        snprintf(why, size, "'%s' cannot be made: there is no directory to make it in (%s)", path,
                 strerror(error));
        break;
    default:
        snprintf(why, size, "'%s' cannot be opened (%s)", path, strerror(error));
    }
    return -error;
}

static int refuse_new(const char *path, int error, char *why, size_t size)
{
    snprintf(why, size, "'%s' cannot be made (%s)", path, strerror(error));
    return -error;
}

/* ---- making ---- */

/* The directory above a path: what is before its last '/'. Returns 0 or ENAMETOOLONG. */
static int directory_of(const char *path, char *to, size_t size)
{
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) : 0;

    while (n > 0 && path[n - 1] == '/')
        n--;
    if (!slash)
        n = snprintf(to, size, ".");
    else
        n = snprintf(to, size, "%.*s", n ? n : 1, path);
    return (size_t)n < size ? 0 : ENAMETOOLONG;
}

/* Makes the names in a directory durable. Returns 0 or an errno. */
static int sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;

    if (fd < 0)
        return errno;
    while (fsync(fd))
        if (errno != EINTR) {
            error = errno == EINVAL ? 0 : errno; /* a file system that does not offer it */
            break;
        }
    close(fd);
    return error;
}

/* The directory, and its own name in the one above. Who may not look into that one has not made
 * the directory either. */
static int sync_names(const char *path)
{
    char directory[PATH_MAX], above[PATH_MAX];
    int error = directory_of(path, directory, sizeof directory);

    if (!error)
        error = sync_directory(directory);
    if (error)
        return error;
    error = directory_of(directory, above, sizeof above);
    if (!error)
        error = sync_directory(above);
    return error == EACCES ? 0 : error;
}

/* Names first: a file that has its size needs nothing more, whatever became of its maker. */
static int make(int fd, const char *path, uint64_t bytes, char *why, size_t size)
{
    int error = sync_names(path);

    if (!error && bytes > INT64_MAX)
        error = EFBIG;
    if (!error && (ftruncate(fd, (off_t)bytes) || fsync(fd)))
        error = errno;
    return error ? refuse_new(path, error, why, size) : 0;
}

/* O_CREAT only where it is needed: with it a file of somebody else's in a directory that all may
 * write to is refused. Returns a descriptor, or -1 with errno. */
static int open_or_create(const char *path)
{
    char directory[PATH_MAX];
    int fd = open(path, FLAGS);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    fd = open(path, FLAGS | O_CREAT, 0600);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    errno = directory_of(path, directory, sizeof directory);
    if (errno || (mkdir(directory, 0700) && errno != EEXIST))
        return -1;
    return open(path, FLAGS | O_CREAT, 0600);
}

/* ---- opening ---- */

static int lock(int fd, const char *path, char *why, size_t size)
{
    if (!flock(fd, LOCK_EX | LOCK_NB))
        return 0;
    if (errno == EWOULDBLOCK) {
        snprintf(why, size, "'%s' is in use: it serves one group of adapters at a time", path);
        return -EBUSY;
    }
    return refuse_open(path, errno, why, size);
}

static int look(int fd, const char *path, struct stat *st, char *why, size_t size)
{
    if (fstat(fd, st))
        return refuse_open(path, errno, why, size);
    if (S_ISREG(st->st_mode))
        return 0;
    snprintf(why, size, "'%s' is not a plain file", path);
    return -EINVAL;
}

/* Locks what was opened, and makes it a file of its size. */
static int take(int fd, const char *path, uint64_t *bytes, char *why, size_t size)
{
    struct stat st;
    int rc = look(fd, path, &st, why, size);

    if (!rc)
        rc = lock(fd, path, why, size);
    if (!rc) /* again: somebody may have made it meanwhile */
        rc = look(fd, path, &st, why, size);
    if (!rc && st.st_size == 0)
        return make(fd, path, *bytes, why, size);
    if (!rc)
        *bytes = (uint64_t)st.st_size;
    return rc;
}

int posix_record_file_open(struct posix_record_file *f, const char *path, uint64_t new_bytes,
                           char *why, size_t size)
{
    uint64_t bytes = new_bytes ? new_bytes : POSIX_RECORD_FILE_BYTES;
    int rc;

    CHECK(bytes >= HAL_RECORD_LOG_AREA_MIN);
    f->fd = open_or_create(path);
    if (f->fd < 0)
        return refuse_open(path, errno, why, size);
    rc = take(f->fd, path, &bytes, why, size);
    f->area = (struct hal_record_area){.ops = &ops, .size = bytes};
    if (!rc && hal_record_log_init(&f->log, &f->area)) {
        snprintf(why, size, "'%s' has %llu bytes, too few for a file of records", path,
                 (unsigned long long)bytes);
        rc = -EINVAL;
    }
    if (rc)
        posix_record_file_close(f);
    return rc;
}

/* A child that was forked meanwhile has the lock too, and would keep it. */
void posix_record_file_close(struct posix_record_file *f)
{
    (void)flock(f->fd, LOCK_UN);
    close(f->fd);
    f->fd = -1;
}
