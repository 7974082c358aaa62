/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls by which a program reaches the cxl driver, as a table: the real ones
 * (backends/capi/capi_kernel.c) or those of a driver that is not there (sim/libcxl). So what stands
 * on the kernel's interface alone (CX-141), and what reads and writes attributes that the library
 * has no call for (reset, VPD), runs on any machine.
 *
 * Results are 0, a count, or a negative errno. */
#ifndef HAL_CXL_KERNEL_H
#define HAL_CXL_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cxl_kernel {
    /* A device node ("/dev/cxl/afu0.0m"), read-write and close-on-exec. Its descriptor can be
     * waited for with poll(), and takes O_NONBLOCK by fcntl(). */
    int (*open)(const char *node);
    int (*close)(int fd);
    int (*ioctl)(int fd, unsigned long request, void *argument);
    ssize_t (*read)(int fd, void *buffer, size_t size);

    /* The problem-state area, from offset 0. What `map` gives is memory, or, where load and store
     * are not NULL, something that only those may touch. Values are numbers: the table does the
     * byte order of the bus, which is big-endian (CX-54), and the barriers of CX-55. */
    int (*map)(int fd, size_t size, void **out);
    int (*unmap)(void *map, size_t size);
    uint64_t (*load)(void *map, uint64_t offset);
    void (*store)(void *map, uint64_t offset, uint64_t value);

    /* One attribute file as a whole, by its path ("/sys/class/cxl/afu0.0/reset"): at most `size`
     * bytes from its start. A directory that is there reads as -EISDIR, one that is not as
     * -ENOENT. */
    ssize_t (*attribute_read)(const char *path, void *buffer, size_t size);
    int (*attribute_write)(const char *path, const void *bytes, size_t size);

    /* Where a symbolic link leads, as readlink(): which driver a device has (CX-132). */
    ssize_t (*link_read)(const char *path, char *target, size_t size);

    /* Name number `i` (from 0, in a fixed order) in a directory; -ENOENT behind the last one,
     * -EINVAL if it has no room in `size` bytes. */
    int (*list)(const char *directory, unsigned i, char *name, size_t size);
};

#endif
