/* SPDX-License-Identifier: Apache-2.0 */
/* The real system calls, over files that every machine has. */
#include "backends/capi/capi_kernel.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cxl_kernel *const k = &capi_kernel;
static char dir[256];

static void up(void)
{
    const char *tmp = getenv("TEST_TMPDIR");

    snprintf(dir, sizeof dir, "%s/kernel-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(dir));
}

static const char *in_dir(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void down(void)
{
    static const char *const names[] = {"a", "b", "c", "link"};

    for (unsigned i = 0; i < 4; i++)
        unlink(in_dir(names[i]));
    cr_assert_eq(rmdir(dir), 0);
}

TestSuite(capi_kernel, .init = up, .fini = down);

static void make(const char *name, size_t size)
{
    FILE *f = fopen(in_dir(name), "w");

    cr_assert_not_null(f);
    for (size_t i = 0; i < size; i++)
        fputc((int)('a' + i % 26), f);
    cr_assert_eq(fclose(f), 0);
}

Test(capi_kernel, nodes_are_open_for_both_and_end_at_exec)
{
    int fd;

    make("a", 10);
    fd = k->open(in_dir("a"));
    cr_assert_geq(fd, 0);
    cr_assert_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_assert_eq(k->close(fd), 0);
    cr_assert_eq(k->close(fd), -EBADF);
    cr_assert_eq(k->open(in_dir("b")), -ENOENT);
}

Test(capi_kernel, requests_and_reads_give_their_errno)
{
    int pipe_fd[2], n = 0;
    char bytes[8];

    cr_assert_eq(pipe(pipe_fd), 0);
    cr_assert_eq(write(pipe_fd[1], "abc", 3), 3);
    cr_assert_eq(k->ioctl(pipe_fd[0], FIONREAD, &n), 0);
    cr_assert_eq(n, 3);
    cr_assert_eq(k->ioctl(-1, FIONREAD, &n), -EBADF);
    cr_assert_eq(k->read(pipe_fd[0], bytes, sizeof bytes), 3);
    cr_assert_eq(fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK), 0);
    cr_assert_eq(k->read(pipe_fd[0], bytes, sizeof bytes), -EAGAIN);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

Test(capi_kernel, a_map_is_the_file)
{
    void *map = NULL;
    char byte = 0;
    int fd;

    make("a", 4096);
    fd = k->open(in_dir("a"));
    cr_assert_eq(k->map(fd, 4096, &map), 0);
    cr_assert_arr_eq(map, "abcdefghijklmnopqrstuvwxyz", 26);
    *(char *)map = 'Z';
    cr_assert_eq(pread(fd, &byte, 1, 0), 1);
    cr_assert_eq(byte, 'Z');
    cr_assert_eq(k->unmap(map, 4096), 0);
    cr_assert_eq(k->close(fd), 0);
    cr_assert_eq(k->map(fd, 4096, &map), -EBADF);
    cr_assert(k->load == NULL && k->store == NULL, "it is memory");
}

Test(capi_kernel, attributes_are_read_from_their_start)
{
    static char bytes[20000];

    make("a", 10000);
    cr_assert_eq(k->attribute_read(in_dir("a"), bytes, sizeof bytes), 10000);
    cr_assert_arr_eq(bytes, "abcdef", 6);
    cr_assert_eq(k->attribute_read(in_dir("a"), bytes, 4), 4);
    cr_assert_eq(k->attribute_read(in_dir("b"), bytes, 4), -ENOENT);
    cr_assert_eq(k->attribute_read(dir, bytes, 4), -EISDIR);
    cr_assert_eq(k->attribute_read(dir, bytes, 0), -EISDIR);
    cr_assert_eq(k->attribute_read(in_dir("b"), bytes, 0), -ENOENT);
}

Test(capi_kernel, attributes_are_written_once)
{
    char bytes[8] = "";

    make("a", 0);
    cr_assert_eq(k->attribute_write(in_dir("a"), "1", 1), 0);
    cr_assert_eq(k->attribute_read(in_dir("a"), bytes, sizeof bytes), 1);
    cr_assert_eq(bytes[0], '1');
    cr_assert_eq(k->attribute_write(in_dir("b"), "1", 1), -ENOENT);
    cr_assert_eq(access(in_dir("b"), F_OK), -1, "it was made");
    cr_assert_eq(k->attribute_write("/dev/full", "1", 1), -ENOSPC);
}

Test(capi_kernel, links_are_read_and_not_followed)
{
    char target[64];

    cr_assert_eq(symlink("../bus/pci/drivers/cxlflash", in_dir("link")), 0);
    cr_assert_eq(k->link_read(in_dir("link"), target, sizeof target), 27);
    cr_assert_arr_eq(target, "../bus/pci/drivers/cxlflash", 27);
    make("a", 1);
    cr_assert_eq(k->link_read(in_dir("a"), target, sizeof target), -EINVAL);
    cr_assert_eq(k->link_read(in_dir("b"), target, sizeof target), -ENOENT);
}

Test(capi_kernel, names_have_an_order)
{
    char name[8];

    make("c", 1);
    make("a", 1);
    make("b", 1);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(k->list(dir, i, name, sizeof name), 0);
        cr_assert_eq(name[0], (char)('a' + (int)i));
    }
    cr_assert_eq(k->list(dir, 3, name, sizeof name), -ENOENT);
    cr_assert_eq(k->list(dir, 0, name, 1), -EINVAL, "there is no room for the name");
    cr_assert_eq(k->list(in_dir("none"), 0, name, sizeof name), -ENOENT);
}
