/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a signal must take away: the unfinished file. */
static const char *volatile unfinished;

static void on_signal(int number)
{
    if (unfinished)
        unlink(unfinished);
    raise(number); /* the handler is gone: now the signal does what it always does */
}

static void guard(const char *temporary)
{
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};

    unfinished = temporary;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

/* The sentence about a failed step. */
static int fail(const struct output_file *f, const char *what, char *why, size_t size)
{
    int rc = -errno;
    const char *help = rc == -ENOSPC || rc == -EDQUOT ? ": free some space on its disk" : "";

    snprintf(why, size, "'%s' cannot be %s (%s)%s", f->path, what, strerror(-rc), help);
    return rc;
}

static int open_directly(struct output_file *f, char *why, size_t size)
{
    f->fd = open(f->path, O_WRONLY | O_CLOEXEC);
    return f->fd < 0 ? fail(f, "opened for writing", why, size) : 0;
}

/* A link to a file stays a link. */
static const char *target_of(struct output_file *f)
{
    return realpath(f->path, f->target) ? f->target : f->path;
}

/* As open(2) makes files: mkostemp leaves them to their owner alone. */
static void set_mode(int fd, const struct stat *old)
{
    mode_t mask = umask(0);

    umask(mask);
    (void)!fchmod(fd, old ? old->st_mode & 07777 : 0666 & ~mask);
}

int output_file_open(struct output_file *f, const char *path, char *why, size_t size)
{
    struct stat st;
    bool exists;

    *f = (struct output_file){.fd = STDOUT_FILENO, .path = path};
    if (!strcmp(path, "-"))
        return 0;
    exists = !stat(path, &st);
    if (exists && !S_ISREG(st.st_mode))
        return open_directly(f, why, size);
    f->path = target_of(f);
    if ((size_t)snprintf(f->temporary, sizeof f->temporary, "%s.tmp-XXXXXX", f->path) >=
        sizeof f->temporary) {
        errno = ENAMETOOLONG;
        f->fd = -1;
    } else {
        f->fd = mkostemp(f->temporary, O_CLOEXEC);
    }
    if (f->fd < 0) {
        f->temporary[0] = 0;
        return fail(f, "created", why, size);
    }
    guard(f->temporary);
    set_mode(f->fd, exists ? &st : NULL);
    return 0;
}

/* So that the new name is on the disk too; some file systems do not offer it. */
static void sync_directory(const char *path)
{
    char directory[PATH_MAX];
    char *slash;
    int fd;

    snprintf(directory, sizeof directory, "%s", path);
    slash = strrchr(directory, '/');
    if (slash)
        slash[1] = 0;
    fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

int output_file_commit(struct output_file *f, char *why, size_t size)
{
    if (!*f->temporary)
        return 0;
    if (fsync(f->fd))
        return fail(f, "put on the disk", why, size);
    if (rename(f->temporary, f->path))
        return fail(f, "given its name", why, size);
    unfinished = NULL;
    f->temporary[0] = 0;
    sync_directory(f->path);
    return 0;
}

void output_file_close(struct output_file *f)
{
    if (f->fd > STDERR_FILENO)
        close(f->fd);
    if (*f->temporary)
        unlink(f->temporary);
    unfinished = NULL;
    f->fd = -1;
    f->temporary[0] = 0;
}
