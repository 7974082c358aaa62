/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/capi/capi_errno.h"

/* The same for everybody on a machine, whatever rights they have: who used another one would not
 * see the lock. */
static const char *default_dir(void)
{
    struct stat st;

    return stat("/run/lock", &st) == 0 && S_ISDIR(st.st_mode) ? "/run/lock" : "/var/lock";
}

/* Anybody may write to the directory, so nothing in it is followed; and what somebody else has made
 * can be locked without being written to. */
static int open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0 && errno == EACCES)
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd;
}

int capi_lock_take(const char *dir, const char *afu, int *out, char *why, size_t size)
{
    char path[512];
    int fd, error;

    snprintf(path, sizeof path, "%s/superpipe-%s.lock", dir ? dir : default_dir(), afu);
    fd = open_file(path);
    if (fd < 0) {
        error = errno;
        snprintf(why, size, "the lock file %s cannot be opened: %s", path, strerror(error));
        return capi_errno(error);
    }
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        error = errno == EWOULDBLOCK ? EBUSY : errno;
        if (error == EBUSY)
            snprintf(why, size, "another master has %s (it holds %s)", afu, path);
        else
            snprintf(why, size, "%s cannot be locked: %s", path, strerror(error));
        close(fd);
        return capi_errno(error);
    }
    *out = fd;
    return 0;
}

void capi_lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}
