/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of media share: visitors over a buffer, a directory that goes away, and an io that
 * dies after a given number of bytes. */
#ifndef TESTS_UNIT_SIM_MEDIA_FIXTURE_H
#define TESTS_UNIT_SIM_MEDIA_FIXTURE_H

#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/sim_media.h"
#include "sim/sim_media_file.h"

/* ---- visitors ---- */

struct buffer {
    uint8_t *data;
    size_t size, calls, bytes;
    size_t fail_at; /* the call that fails, counted from 1 */
};

static inline int to_buffer(void *arg, uint64_t offset, const void *data, size_t n)
{
    struct buffer *b = arg;

    if (offset + n > b->size)
        abort(); /* a call beyond the transfer */
    b->bytes += n;
    if (++b->calls == b->fail_at)
        return -EFAULT;
    memcpy(b->data + offset, data, n);
    return 0;
}

static inline int from_buffer(void *arg, uint64_t offset, void *data, size_t n)
{
    struct buffer *b = arg;

    if (offset + n > b->size)
        abort();
    b->bytes += n;
    if (++b->calls == b->fail_at)
        return -EFAULT;
    memcpy(data, b->data + offset, n);
    return 0;
}

/* Writes blocks full of one byte; returns what sim_media_write does. */
static inline int try_put(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks,
                          int byte)
{
    size_t n = blocks * sim_media_lun(m, lun)->block_size;
    struct buffer b = {.data = malloc(n), .size = n};
    int error;

    memset(b.data, byte, n);
    error = sim_media_write(m, lun, lba, blocks, from_buffer, &b);
    free(b.data);
    return error;
}

static inline void put(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks, int byte)
{
    int error = try_put(m, lun, lba, blocks, byte);
    cr_assert_eq(error, 0, "write: %d", error);
}

/* Whether all bytes of the blocks are `byte`. */
static inline bool holds(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks, int byte)
{
    size_t n = blocks * sim_media_lun(m, lun)->block_size;
    struct buffer b = {.data = malloc(n), .size = n};
    bool good = true;

    memset(b.data, ~byte, n);
    cr_assert_eq(sim_media_read(m, lun, lba, blocks, to_buffer, &b), 0);
    for (size_t i = 0; i < n; i++)
        good = good && b.data[i] == (uint8_t)byte;
    free(b.data);
    return good;
}

/* ---- files ---- */

/* A fresh directory, and the name of a media file in it. */
struct place {
    char directory[200], path[240];
};

static inline void place_make(struct place *p)
{
    const char *base = getenv("TEST_TMPDIR");

    snprintf(p->directory, sizeof p->directory, "%s/mediaXXXXXX", base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(p->directory), "no directory for the test");
    snprintf(p->path, sizeof p->path, "%s/m", p->directory);
}

static inline unsigned place_files(const struct place *p, bool remove_them)
{
    DIR *d = opendir(p->directory);
    unsigned n = 0;

    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        if (remove_them)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d)
        closedir(d);
    return n;
}

static inline void place_remove(const struct place *p)
{
    place_files(p, true);
    rmdir(p->directory);
}

/* ---- an io that dies ---- */

/* Passes everything on until `budget` bytes were written or `calls` calls made; the write that does
 * not fit is cut. From then on everything fails, or the process is killed. */
struct mortal {
    uint64_t budget;
    uint64_t calls;
    bool kill, dead, no_space;
    bool deny_record; /* the next record is written, but said to have failed */
};

static inline bool mortal_dies(struct mortal *x)
{
    if (!x->calls)
        x->dead = true;
    else if (x->calls != UINT64_MAX)
        x->calls--;
    if (x->dead && x->kill)
        kill(getpid(), SIGKILL);
    return x->dead;
}

static inline int mortal_read(void *arg, int fd, void *data, size_t n, uint64_t at)
{
    struct mortal *x = arg;
    return x->dead ? -EIO : sim_media_real_io.read(NULL, fd, data, n, at);
}

static inline int mortal_write(void *arg, int fd, const void *data, size_t n, uint64_t at)
{
    struct mortal *x = arg;
    bool cut = !x->dead && (!x->calls || n > x->budget);

    if (cut) {
        (void)!sim_media_real_io.write(NULL, fd, data, n < x->budget ? n / 2 : x->budget, at);
        x->calls = 0;
    }
    if (mortal_dies(x))
        return -EIO;
    x->budget -= n;
    if (x->deny_record && n == MEDIA_FILE_RECORD_BYTES) {
        x->deny_record = false;
        (void)!sim_media_real_io.write(NULL, fd, data, n, at);
        return -EIO;
    }
    return sim_media_real_io.write(NULL, fd, data, n, at);
}

/* A killed process takes nothing along that the kernel has, so nothing need reach the disk. */
static inline int mortal_sync(void *arg, int fd)
{
    (void)fd;
    return mortal_dies(arg) ? -EIO : 0;
}

static inline int mortal_resize(void *arg, int fd, uint64_t size)
{
    return mortal_dies(arg) ? -EIO : sim_media_real_io.resize(NULL, fd, size);
}

static inline int mortal_allocate(void *arg, int fd, uint64_t at, uint64_t n)
{
    struct mortal *x = arg;

    if (x->no_space)
        return -ENOSPC;
    return mortal_dies(x) ? -EIO : sim_media_real_io.allocate(NULL, fd, at, n);
}

/* Clearing gives space back, so a full disk has some again. */
static inline int mortal_clear(void *arg, int fd, uint64_t at, uint64_t n)
{
    struct mortal *x = arg;

    x->no_space = false;
    return mortal_dies(x) ? -EIO : sim_media_real_io.clear(NULL, fd, at, n);
}

static const struct sim_media_io mortal_io __attribute__((unused)) = {
    .read = mortal_read,
    .write = mortal_write,
    .sync = mortal_sync,
    .resize = mortal_resize,
    .allocate = mortal_allocate,
    .clear = mortal_clear,
};

#endif
