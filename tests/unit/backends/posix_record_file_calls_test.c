/* SPDX-License-Identifier: Apache-2.0 */
/* The file of records over calls of the system that are interrupted, short, or fail, as real ones
 * do once in a million times: the source is included, and the calls are stubs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A call has a result of its own, or is the real one with `most` bytes at most. */
struct stub {
    int error;     /* of the next call, 0 = none */
    unsigned ends; /* so many of the next calls give 0 */
    size_t most;   /* 0 = no limit */
    unsigned calls;
};

static struct stub on_read, on_write, on_data, on_sync;

/* Whether the next call of a kind has a result of its own. */
static bool stubbed(struct stub *s, ssize_t *result)
{
    s->calls++;
    errno = s->error;
    s->error = 0;
    *result = errno ? -1 : 0;
    if (errno)
        return true;
    if (!s->ends)
        return false;
    s->ends--;
    return true;
}

static size_t cut(const struct stub *s, size_t n) { return s->most && s->most < n ? s->most : n; }

static ssize_t stub_pread(int fd, void *buf, size_t n, off_t at)
{
    ssize_t result;

    return stubbed(&on_read, &result) ? result : pread(fd, buf, cut(&on_read, n), at);
}

static ssize_t stub_pwrite(int fd, const void *buf, size_t n, off_t at)
{
    ssize_t result;

    return stubbed(&on_write, &result) ? result : pwrite(fd, buf, cut(&on_write, n), at);
}

static int stub_fdatasync(int fd)
{
    ssize_t result;

    return stubbed(&on_data, &result) ? (int)result : fdatasync(fd);
}

static int stub_fsync(int fd)
{
    ssize_t result;

    return stubbed(&on_sync, &result) ? (int)result : fsync(fd);
}

#define pread stub_pread
#define pwrite stub_pwrite
#define fdatasync stub_fdatasync
#define fsync stub_fsync
#include "backends/posix/posix_record_file.c" /* NOLINT(bugprone-suspicious-include) */
#undef pread
#undef pwrite
#undef fdatasync
#undef fsync

#include "tests/testlib/record_text.h"

static char dir[256], path[300], why[1024];
static struct posix_record_file file;

static void make_dir(void)
{
    const char *tmp = getenv("TEST_TMPDIR");

    snprintf(dir, sizeof dir, "%s/calls-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/names", dir);
}

static void remove_dir(void)
{
    (void)unlink(path);
    cr_assert_eq(rmdir(dir), 0);
}

TestSuite(posix_record_file_calls, .init = make_dir, .fini = remove_dir, .timeout = 30);

static void open_and_load(void)
{
    cr_assert_eq(posix_record_file_open(&file, path, 4096, why, sizeof why), 0, "%s", why);
    cr_assert_eq(record_text_try(&file.log.store), 0);
}

static int read_area(void *to, size_t n) { return file.area.ops->read(&file.area, 512, to, n); }

static int write_area(const void *from, size_t n)
{
    return file.area.ops->write(&file.area, 512, from, n);
}

Test(posix_record_file_calls, short_counts_go_on)
{
    char data[] = "a record of some length", back[sizeof data];

    open_and_load();
    on_write.most = 5;
    on_read.most = 3;
    on_write.calls = on_read.calls = 0;
    cr_assert_eq(write_area(data, sizeof data), 0);
    cr_assert_eq(on_write.calls, 5);
    cr_assert_eq(read_area(back, sizeof back), 0);
    cr_assert_eq(on_read.calls, 8);
    cr_assert_eq(memcmp(back, data, sizeof data), 0);
    posix_record_file_close(&file);
}

Test(posix_record_file_calls, interrupted_calls_are_repeated)
{
    char back[4];

    open_and_load();
    on_write.error = on_read.error = on_data.error = EINTR;
    cr_assert_eq(write_area("data", 4), 0);
    cr_assert_eq(read_area(back, 4), 0);
    cr_assert_eq(memcmp(back, "data", 4), 0);
    cr_assert_eq(file.area.ops->sync(&file.area), 0);
    posix_record_file_close(&file);
}

/* No room, however it is called, is ENOSPC; everything else is EIO. */
Test(posix_record_file_calls, errors)
{
    static const int room[] = {ENOSPC, EDQUOT, EFBIG}, other[] = {EIO, ESTALE, EBADF, EROFS};
    char back[4];

    open_and_load();
    for (unsigned i = 0; i < 3; i++) {
        on_write.error = room[i];
        cr_assert_eq(write_area("data", 4), -ENOSPC);
    }
    for (unsigned i = 0; i < 4; i++) {
        on_write.error = on_read.error = on_data.error = other[i];
        cr_assert_eq(write_area("data", 4), -EIO);
        cr_assert_eq(read_area(back, 4), -EIO);
        cr_assert_eq(file.area.ops->sync(&file.area), -EIO);
    }
    on_data.error = ENOSPC; /* what was taken is lost: no other list will mend it */
    cr_assert_eq(file.area.ops->sync(&file.area), -EIO);
    on_read.ends = on_write.ends = 1;
    cr_assert_eq(read_area(back, 4), -EIO, "the end of the file");
    cr_assert_eq(write_area("data", 4), -EIO, "a call that does nothing is not repeated for ever");
    posix_record_file_close(&file);
}

/* No room for the record, but for taking it back: nothing happened. */
Test(posix_record_file_calls, an_append_without_room)
{
    open_and_load();
    cr_assert_eq(record_text_append(&file.log.store, "one"), 0);
    on_write.error = ENOSPC;
    cr_assert_eq(record_text_append(&file.log.store, "two"), -ENOSPC);
    cr_assert_eq(record_text_append(&file.log.store, "two"), 0);
    posix_record_file_close(&file);
}

/* A record is acknowledged only behind its sync. */
Test(posix_record_file_calls, an_append_that_is_not_on_the_disk_is_an_error)
{
    open_and_load();
    cr_assert_eq(record_text_append(&file.log.store, "one"), 0);
    on_data.error = EIO;
    cr_assert_eq(record_text_append(&file.log.store, "two"), -EIO);
    on_data.calls = 0;
    cr_assert_eq(record_text_append(&file.log.store, "two"), 0);
    cr_assert_gt(on_data.calls, 0);
    posix_record_file_close(&file);
}

/* A new file has its name on the disk before it has its size: directory, the one above, file. */
Test(posix_record_file_calls, a_new_file_is_durable)
{
    open_and_load();
    cr_assert_eq(on_sync.calls, 3);
    posix_record_file_close(&file);
    open_and_load();
    cr_assert_eq(on_sync.calls, 3, "once is enough");
    posix_record_file_close(&file);
}

static void new_file_fails(int error, int rc)
{
    (void)unlink(path);
    on_sync.error = error;
    cr_assert_eq(posix_record_file_open(&file, path, 4096, why, sizeof why), rc, "%s", why);
}

Test(posix_record_file_calls, a_new_file_that_cannot_be_made_durable)
{
    struct stat st;

    new_file_fails(EIO, -EIO);
    cr_assert(strstr(why, "cannot be made (Input/output error)"), "%s", why);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_size, 0, "the next one makes it");
    new_file_fails(EINTR, 0);
    posix_record_file_close(&file);
    new_file_fails(EINVAL, 0); /* no directory can be synced there */
    posix_record_file_close(&file);
}
