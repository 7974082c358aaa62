/* SPDX-License-Identifier: Apache-2.0 */
/* One opener at a time: flock on the file, which the kernel drops when the process ends, however it
 * ends. flock does not tell who holds it, so /proc/locks is asked, as a help for people only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sim/sim_media_file.h"

/* The process in one line of /proc/locks, if it is about this file, else 0. The form is
 * "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF"; `file` is " fd:01:5678 ". */
static long holder_in_line(const char *line, const char *file)
{
    const char *mode = strstr(line, "WRITE");

    if (!strstr(line, "FLOCK") || !strstr(line, file))
        return 0;
    if (!mode)
        mode = strstr(line, "READ");
    return mode ? strtol(mode + strcspn(mode, " "), NULL, 10) : 0;
}

/* The process that holds the lock, or 0 if that cannot be known. */
static long holder(int fd)
{
    char line[256], file[64];
    struct stat st;
    long pid = 0;
    FILE *f;

    if (fstat(fd, &st))
        return 0;
    (void)snprintf(file, sizeof file, " %02x:%02x:%llu ", major(st.st_dev), minor(st.st_dev),
                   (unsigned long long)st.st_ino);
    f = fopen("/proc/locks", "re");
    if (!f)
        return 0;
    while (!pid && fgets(line, sizeof line, f))
        pid = holder_in_line(line, file);
    (void)fclose(f);
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
