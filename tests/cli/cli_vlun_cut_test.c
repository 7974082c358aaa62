/* SPDX-License-Identifier: Apache-2.0 */
/* What a shrink leaves of a file that lies in two chunks. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/cli_fixture.h"

TestSuite(vlun_cut, .init = cli_begin, .fini = cli_end);

#define CHUNK (256 << 20)
#define SIZE (CHUNK + 1000)

static void mark(int fd, off_t at)
{
    cr_assert_eq(pwrite(fd, &at, sizeof at, at), (ssize_t)sizeof at);
}

static bool marked(int fd, off_t at)
{
    off_t found = 0;

    return pread(fd, &found, sizeof found, at) == (ssize_t)sizeof found && found == at;
}

Test(vlun_cut, what_lies_before_the_cut_stays)
{
    struct cli_result r;
    struct stat st;
    int fd = open("in", O_RDWR | O_CREAT, 0600);

    mark(fd, 8);
    mark(fd, CHUNK - 8);
    mark(fd, CHUNK);
    cr_assert_eq(ftruncate(fd, SIZE), 0);
    close(fd);
    cr_assert_eq(cli("put in a --media m --lun-size 1G").code, 0);
    r = cli("vlun resize a --size 256M --media m");
    cr_assert(strstr(r.out, "of 268,436,456 bytes that were put into it 268,435,456 are left"),
              "%s%s", r.out, r.err);
    cr_assert_eq(cli("vlun resize a --size 512M --media m").code, 0);
    cr_assert_eq(cli("get a out.bin --media m").code, 0);
    fd = open("out.bin", O_RDONLY);
    cr_assert_eq(fstat(fd, &st), 0);
    cr_assert_eq(st.st_size, CHUNK, "growing again does not bring it back");
    cr_assert(marked(fd, 8) && marked(fd, CHUNK - 8));
    close(fd);
}
