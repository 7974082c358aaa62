/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int kernel_open(const char *node)
{
    int fd = open(node, O_RDWR | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int kernel_close(int fd) { return close(fd) ? -errno : 0; }

static int kernel_ioctl(int fd, unsigned long request, void *argument)
{
    int rc = ioctl(fd, request, argument);

    return rc < 0 ? -errno : rc;
}

static ssize_t kernel_read(int fd, void *buffer, size_t size)
{
    ssize_t n = read(fd, buffer, size);

    return n < 0 ? -errno : n;
}

static int kernel_map(int fd, size_t size, void **out)
{
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        return -errno;
    *out = map;
    return 0;
}

static int kernel_unmap(void *map, size_t size) { return munmap(map, size) ? -errno : 0; }

/* An attribute gives its value to the first read; binary ones at most a page each. */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, buffer + done, size - done);

        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static ssize_t attribute_read(const char *path, void *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        n = -EISDIR; /* also when nothing is asked for */
    else
        n = read_all(fd, buffer, size);
    close(fd);
    return n;
}

/* An attribute takes its value by one write. */
static int attribute_write(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = write(fd, bytes, size);
    if (n < 0)
        rc = -errno;
    else if ((size_t)n != size)
        rc = -EIO;
    close(fd);
    return rc;
}

static ssize_t link_read(const char *path, char *target, size_t size)
{
    ssize_t n = readlink(path, target, size);

    return n < 0 ? -errno : n;
}

static int visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static int list(const char *directory, unsigned i, char *name, size_t size)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, visible, alphasort), rc = -ENOENT;

    if (count < 0)
        return -errno;
    if (i < (unsigned)count)
        rc = (size_t)snprintf(name, size, "%s", entries[i]->d_name) < size ? 0 : -EINVAL;
    for (int k = 0; k < count; k++)
        free(entries[k]);
    free(entries);
    return rc;
}

const struct cxl_kernel capi_kernel = {
    .open = kernel_open,
    .close = kernel_close,
    .ioctl = kernel_ioctl,
    .read = kernel_read,
    .map = kernel_map,
    .unmap = kernel_unmap,
    .attribute_read = attribute_read,
    .attribute_write = attribute_write,
    .link_read = link_read,
    .list = list,
};
