/* SPDX-License-Identifier: Apache-2.0 */
/* Making and opening media files. A file that is refused is not modified; a new one appears under
 * its name only when it is complete. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/sim_media_file.h"

#define ARENA_DEFAULT (UINT64_C(4) << 30)

/* One opening under way. */
struct opening {
    const char *path;
    const struct sim_media_opts *opts;
    const struct sim_media_io *io;
    void *io_arg;
    char *why;
    size_t why_size;
    int fd;
    uint64_t size;
};

/* Fills `why` from a text in which %s is the path. */
static int refuse(const struct opening *o, int error, const char *text)
{
    return sim_media_explain(o->why, o->why_size, error, "media file '%s' %s", o->path, text);
}

static int refuse_open(const struct opening *o, int error)
{
    switch (error) {
    case ENOENT:
        return refuse(o, -error,
                      o->opts->create_if_missing
                          ? "cannot be made, its directory does not exist: make that first"
                          : "does not exist: check its name");
    case EACCES:
    case EPERM:
        return refuse(o, -EACCES,
                      o->opts->read_only
                          ? "may not be read by this user: change its mode or owner"
                          : "may not be written by this user: change its mode or owner, or open it "
                            "read only");
    case EROFS:
        return refuse(o, -error,
                      "is on a read-only file system: open it read only, or copy it to another");
    case EISDIR:
        return refuse(o, -error, "is a directory: name a file in it");
    case ENOSPC:
    case EDQUOT:
        return refuse(o, -ENOSPC, "cannot be made, the disk is full: free some space");
    default:
        return sim_media_explain(o->why, o->why_size, -error,
                                 "media file '%s' cannot be opened (%s): check its name and place",
                                 o->path, strerror(error));
    }
}

/* Both copies of a first header. */
static int write_first_headers(const struct opening *o, int fd)
{
    uint8_t bytes[MEDIA_FILE_HEADER_MAX];
    int error = o->io->resize(o->io_arg, fd, MEDIA_FILE_GROUPS_AT);

    for (unsigned copy = 0; !error && copy < 2; copy++) {
        size_t n = media_header_encode(bytes, 2 - copy, 0, o->opts->luns, o->opts->n_luns);
        error = o->io->write(o->io_arg, fd, bytes, n, copy * MEDIA_FILE_HEADER_ROOM);
    }
    return error ? error : o->io->sync(o->io_arg, fd);
}

/* Gives a finished file its name, unless something has that name by now. */
static int publish(const char *temporary, const char *path)
{
    if (!link(temporary, path)) {
        (void)unlink(temporary);
        return 0;
    }
    if (errno == EEXIST)
        return -EEXIST;
    /* No hard links here; the kernel's rename can refuse to replace just as well. */
    return renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) ? -errno : 0;
}

/* The name survives a power failure only with its directory on the disk. Best effort: some file
 * systems do not offer it. */
static void sync_directory(const char *path)
{
    char directory[PATH_MAX];
    char *slash;
    int fd;

    (void)snprintf(directory, sizeof directory, "%s", path);
    slash = strrchr(directory, '/');
    if (slash)
        slash[1] = 0;
    fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

/* Makes the file and sets o->fd. Returns 0, -EEXIST if somebody else made one just now, or another
 * negative errno. */
static int create_file(struct opening *o)
{
    char temporary[PATH_MAX];
    int fd, error;

    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", o->path) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    error = media_file_lock(fd, o->path, false, NULL, 0);
    if (!error)
        error = write_first_headers(o, fd);
    if (!error)
        error = publish(temporary, o->path);
    if (error) {
        (void)unlink(temporary);
        close(fd);
        return error;
    }
    sync_directory(o->path);
    o->fd = fd;
    return 0;
}

/* Opens the existing file, or makes it. Sets o->fd. */
static int get_descriptor(struct opening *o)
{
    const struct sim_media_opts *opts = o->opts;
    int flags = (opts->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int error;

    o->fd = open(o->path, flags);
    if (o->fd >= 0)
        return 0;
    if (errno != ENOENT || !opts->create_if_missing || opts->read_only)
        return refuse_open(o, errno);
    error = sim_media_check_luns(opts->luns, opts->n_luns, o->why, o->why_size);
    if (error)
        return error;
    error = create_file(o);
    if (error != -EEXIST)
        return error ? refuse_open(o, -error) : 0;
    o->fd = open(o->path, flags);
    return o->fd < 0 ? refuse_open(o, errno) : 0;
}

/* Is it a file of a possible size, and ours? */
static int check_file(struct opening *o)
{
    struct stat st;
    int error;

    if (fstat(o->fd, &st))
        return refuse_open(o, errno);
    if (S_ISDIR(st.st_mode))
        return refuse_open(o, EISDIR);
    if (!S_ISREG(st.st_mode))
        return refuse(o, -EINVAL, "is not a regular file: name another one");
    error = media_file_lock(o->fd, o->path, o->opts->read_only, o->why, o->why_size);
    if (error)
        return error;
    if (fstat(o->fd, &st)) /* again: the last holder may have made it grow */
        return refuse_open(o, errno);
    o->size = (uint64_t)st.st_size;
    if (!o->size)
        return refuse(o, -EINVAL, "is empty: remove it, so that a media file can be made there");
    if (o->size < MEDIA_FILE_GROUPS_AT)
        return refuse(o, -EINVAL,
                      "is too small for a media file: name another one, or restore it from a copy");
    return 0;
}

static int refuse_newer(const struct opening *o, uint32_t version)
{
    return sim_media_explain(
        o->why, o->why_size, -EINVAL,
        "media file '%s' has format %u, which is newer than the format %u this "
        "program knows: use a newer program",
        o->path, version, MEDIA_FILE_VERSION);
}

/* Reads the two copies and picks the one that counts; *copy says which. */
static int read_header(const struct opening *o, struct media_header *h, unsigned *copy)
{
    uint8_t bytes[MEDIA_FILE_HEADER_MAX];
    bool found = false;

    for (unsigned i = 0; i < 2; i++) {
        struct media_header one;
        if (o->io->read(o->io_arg, o->fd, bytes, sizeof bytes, i * MEDIA_FILE_HEADER_ROOM))
            return refuse(o, -EIO, "cannot be read: check the disk it is on");
        switch (media_header_decode(bytes, &one)) {
        case MEDIA_HEADER_NEWER:
            return refuse_newer(o, one.version);
        case MEDIA_HEADER_BAD:
            break;
        case MEDIA_HEADER_GOOD:
            if (!found || one.generation > h->generation) {
                *h = one;
                *copy = i;
            }
            found = true;
        }
    }
    if (!found)
        return refuse(o, -EINVAL,
                      "is not a media file, or both copies of its header are damaged: name another "
                      "one, or restore it from a copy");
    if (o->size < media_file_size((uint32_t)h->n_slots))
        return refuse(o, -EINVAL, "is truncated: restore it from a copy");
    return 0;
}

/* The object for a file with this header, not yet with its extents. -ENOMEM: the arena is too small
 * or cannot be had. */
static int make_object(const struct opening *o, const struct media_header *h, unsigned copy,
                       struct sim_media **out)
{
    uint64_t pages[] = {hal_div_up(sizeof(struct sim_media), SIM_ARENA_PAGE),
                        hal_div_up(sizeof(struct sim_media_file), SIM_ARENA_PAGE),
                        MEDIA_FILE_SLOT_BYTES / SIM_ARENA_PAGE};
    uint64_t bytes = o->opts->arena_bytes ? o->opts->arena_bytes : ARENA_DEFAULT;
    struct sim_arena arena;
    struct sim_media *m;

    if (bytes < (pages[0] + pages[1] + pages[2]) * SIM_ARENA_PAGE ||
        sim_arena_map(&arena, NULL, bytes))
        return -ENOMEM;
    (void)sim_arena_take(&arena, pages[0]);
    m = sim_arena_page(&arena, 0);
    m->file = sim_arena_page(&arena, sim_arena_take(&arena, pages[1]));
    m->file->fd = o->fd;
    m->file->io = o->io;
    m->file->io_arg = o->io_arg;
    m->file->generation = h->generation;
    m->file->header_copy = copy;
    m->file->header_unsynced = true; /* by the last process that had the file */
    m->file->bounce = sim_arena_page(&arena, sim_arena_take(&arena, pages[2]));
    m->ops = &media_file_ops;
    m->read_only = o->opts->read_only;
    m->arena = arena;
    if (sim_media_begin(m, SIM_MEDIA_FILE, h->luns, h->n_luns)) {
        arena = m->arena;
        sim_arena_unmap(&arena);
        return -ENOMEM;
    }
    *out = m;
    return 0;
}

/* Everything after the descriptor, which stays the caller's on failure. */
static int open_descriptor(struct opening *o, struct sim_media **out)
{
    struct media_header h = {.n_luns = 0};
    unsigned copy = 0;
    struct sim_media *m;
    int error = check_file(o);

    if (!error)
        error = read_header(o, &h, &copy);
    if (error)
        return error;
    error = make_object(o, &h, copy, &m);
    if (error)
        return refuse(o, error,
                      "cannot be opened for lack of address space: raise the limit (ulimit -v), or "
                      "give a larger arena");
    error = media_slots_load(m, o->size, o->path, o->why, o->why_size);
    if (error) {
        struct sim_arena a = m->arena;
        sim_arena_unmap(&a);
        return error;
    }
    *out = m;
    return 0;
}

int sim_media_open_with(const char *path, const struct sim_media_opts *opts,
                        const struct sim_media_io *io, void *io_arg, struct sim_media **out,
                        char *why, size_t why_size)
{
    struct opening o = {
        .path = path, .opts = opts, .io = io, .io_arg = io_arg, .why = why, .why_size = why_size};
    int error = get_descriptor(&o);

    if (error)
        return error;
    error = open_descriptor(&o, out);
    if (error)
        close(o.fd);
    return error;
}

int sim_media_open(const char *path, const struct sim_media_opts *opts, struct sim_media **out,
                   char *why, size_t why_size)
{
    return sim_media_open_with(path, opts, &sim_media_real_io, NULL, out, why, why_size);
}
