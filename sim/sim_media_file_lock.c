/* SPDX-License-Identifier: Apache-2.0 */
/* One opener at a time: flock on the file, which the kernel drops when the process ends, however it
 * ends. flock does not tell who holds it, so /proc/locks is asked, as a help for people only. */
#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sim/sim_media_file.h"

/* The process in one line of /proc/locks, if it is about this file; else 0. The form is
 * "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF", the device in hexadecimal. */
static long holder_in_line(const char *line, const struct stat *st)
{
    unsigned major_number, minor_number;
    unsigned long inode;
    long pid;

    if (sscanf(line, "%*s FLOCK %*s %*s %ld %x:%x:%lu", &pid, &major_number, &minor_number,
               &inode) != 4)
        return 0;
    if (inode != st->st_ino || makedev(major_number, minor_number) != st->st_dev)
        return 0;
    return pid;
}

/* The process that holds the lock, or 0 if that cannot be known. */
static long holder(int fd)
{
    char line[256];
    struct stat st;
    long pid = 0;
    FILE *f;

    if (fstat(fd, &st))
        return 0;
    f = fopen("/proc/locks", "re");
    if (!f)
        return 0;
    while (!pid && fgets(line, sizeof line, f))
        pid = holder_in_line(line, &st);
    fclose(f);
    return pid > 0 ? pid : 0;
}

int media_file_lock(int fd, const char *path, bool read_only, char *why, size_t why_size)
{
    long pid;

    if (!flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
        return 0;
    if (errno != EWOULDBLOCK)
        return sim_media_explain(why, why_size, -EBUSY,
                                 "media file '%s' cannot be locked on this file system: keep it on "
                                 "a local one",
                                 path);
    pid = holder(fd);
    if (pid)
        return sim_media_explain(why, why_size, -EBUSY,
                                 "media file '%s' is in use by process %ld: end that process, or "
                                 "name another file",
                                 path, pid);
    return sim_media_explain(why, why_size, -EBUSY,
                             "media file '%s' is in use by another process or adapter: end that, "
                             "or name another file",
                             path);
}
