/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's records in a plain file: who gets it, what a process that died leaves. */
#include "backends/posix/posix_record_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "tests/testlib/record_text.h"

#define SMALL UINT64_C(8192) /* two halves of 4096 bytes */

static char dir[256], path[300];
static struct posix_record_file file; /* of the test */
static char why[1024];

static void make_dir(void)
{
    const char *tmp = getenv("TEST_TMPDIR");

    snprintf(dir, sizeof dir, "%s/names-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/names", dir);
}

static void remove_dir(void)
{
    (void)unlink(path);
    cr_assert_eq(rmdir(dir), 0);
}

TestSuite(posix_record_file, .init = make_dir, .fini = remove_dir, .timeout = 30);

static void open_file(uint64_t new_bytes)
{
    cr_assert_eq(posix_record_file_open(&file, path, new_bytes, why, sizeof why), 0, "%s", why);
}

/* Expects that `name` cannot be opened, and that the sentence names it and says `part`. */
static void refused(const char *name, int rc, const char *part)
{
    struct posix_record_file other;

    why[0] = 0;
    cr_assert_eq(posix_record_file_open(&other, name, 0, why, sizeof why), rc, "%s: %s", name, why);
    cr_assert(strstr(why, name) && strstr(why, part), "%s: %s", name, why);
    cr_assert_eq(other.fd, -1);
}

static const char *load(void) { return record_text(&file.log.store); }

static int append(const char *text) { return record_text_append(&file.log.store, text); }

static struct stat status_of(const char *name)
{
    struct stat st;

    cr_assert_eq(stat(name, &st), 0);
    return st;
}

static void write_file(const char *text, off_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(ftruncate(fd, bytes), 0);
    close(fd);
}

/* ---- records ---- */

Test(posix_record_file, records_survive)
{
    open_file(0);
    cr_assert_str_eq(load(), "");
    cr_assert_eq(append("one"), 0);
    cr_assert_eq(append("two"), 0);
    posix_record_file_close(&file);
    open_file(0);
    cr_assert_str_eq(load(), "one;two;");
    cr_assert_eq(record_text_replace(&file.log.store, "one and two"), 0);
    cr_assert_eq(append("three"), 0);
    posix_record_file_close(&file);
    open_file(0);
    cr_assert_str_eq(load(), "one and two;three;");
    posix_record_file_close(&file);
}

/* The format, at the beginning of the file: what another version would look for. */
Test(posix_record_file, a_log_begins_where_the_file_does)
{
    char magic[8] = "";
    int fd;

    open_file(0);
    (void)load();
    cr_assert_eq(append("one"), 0);
    posix_record_file_close(&file);
    fd = open(path, O_RDONLY);
    cr_assert_eq(pread(fd, magic, 8, 0), 8);
    cr_assert_eq(memcmp(magic, "SPIPELOG", 8), 0);
    cr_assert_eq(pread(fd, magic, 4, 512), 4);
    cr_assert_eq(memcmp(magic, "SREC", 4), 0);
    close(fd);
}

Test(posix_record_file, a_full_area_says_so)
{
    unsigned n = 0;
    int rc;

    open_file(SMALL);
    (void)load();
    while ((rc = append("a record of twenty-nine bytes")) == 0)
        n++;
    cr_assert_eq(rc, -ENOSPC);
    cr_assert_eq(n, (4096 - 512) / 64); /* each takes 32 bytes and 29, up to a multiple of 16 */
    cr_assert_eq(record_text_replace(&file.log.store, "small"), 0);
    cr_assert_eq(append("more"), 0);
    posix_record_file_close(&file);
}

/* ---- making ---- */

Test(posix_record_file, a_new_file_is_sparse_and_its_owners)
{
    struct stat st;

    umask(0);
    open_file(0);
    st = status_of(path);
    cr_assert_eq(st.st_size, 16 << 20);
    cr_assert_eq(st.st_blocks, 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
    cr_assert_eq(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
    posix_record_file_close(&file);
}

Test(posix_record_file, a_file_keeps_its_size)
{
    open_file(SMALL);
    cr_assert_eq(file.area.size, SMALL);
    posix_record_file_close(&file);
    open_file(0);
    cr_assert_eq(file.area.size, SMALL);
    cr_assert_eq(status_of(path).st_size, (off_t)SMALL);
    posix_record_file_close(&file);
}

/* What is left of a process that died while it made one, or made by hand for its rights. */
Test(posix_record_file, an_empty_file_is_a_new_one)
{
    write_file("", 0);
    cr_assert_eq(chmod(path, 0660), 0);
    open_file(SMALL);
    cr_assert_str_eq(load(), "");
    cr_assert_eq(status_of(path).st_size, (off_t)SMALL);
    cr_assert_eq(status_of(path).st_mode & 07777, 0660, "whoever chose its rights had a reason");
    posix_record_file_close(&file);
}

Test(posix_record_file, the_last_directory_is_made)
{
    char in[350], deep[400];

    umask(0);
    snprintf(in, sizeof in, "%s/superpipe//names", dir);
    cr_assert_eq(posix_record_file_open(&file, in, 0, why, sizeof why), 0, "%s", why);
    posix_record_file_close(&file);
    cr_assert_eq(unlink(in), 0);
    snprintf(in, sizeof in, "%s/superpipe", dir);
    cr_assert_eq(status_of(in).st_mode & 07777, 0700);
    cr_assert_eq(rmdir(in), 0);

    snprintf(deep, sizeof deep, "%s/superpipe/deep/names", dir);
    refused(deep, -ENOENT, "there is no directory to make it in");
    cr_assert_eq(access(in, F_OK), -1, "nothing is made halfway");
}

Test(posix_record_file, a_name_alone_is_a_file_here)
{
    cr_assert_eq(chdir(dir), 0);
    cr_assert_eq(posix_record_file_open(&file, "names", 0, why, sizeof why), 0, "%s", why);
    posix_record_file_close(&file);
    cr_assert_eq(status_of(path).st_size, 16 << 20);
    cr_assert_eq(chdir("/"), 0);
}

/* ---- refusals ---- */

Test(posix_record_file, one_at_a_time)
{
    open_file(0);
    refused(path, -EBUSY, "is in use");
    posix_record_file_close(&file);
    open_file(0);
    posix_record_file_close(&file);
}

/* Whoever comes while somebody else makes it does not take it for a new one. */
Test(posix_record_file, an_empty_file_that_somebody_has_is_left_alone)
{
    int fd;

    write_file("", 0);
    fd = open(path, O_RDWR);
    cr_assert_eq(flock(fd, LOCK_EX), 0);
    refused(path, -EBUSY, "is in use");
    cr_assert_eq(status_of(path).st_size, 0);
    close(fd);
}

Test(posix_record_file, what_is_no_plain_file)
{
    char target[350];

    snprintf(target, sizeof target, "%s/target", dir);
    cr_assert_eq(symlink(target, path), 0);
    refused(path, -ELOOP, "is a symbolic link");
    cr_assert_eq(access(target, F_OK), -1, "a link was followed");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    refused(path, -EINVAL, "is not a plain file");
    refused("/dev/null", -EINVAL, "is not a plain file");
    refused(dir, -EISDIR, "is a directory");
    cr_assert_eq(unlink(path), 0);
    write_file("", 0);
    snprintf(target, sizeof target, "%s/names", path);
    refused(target, -ENOTDIR, "there is no directory to make it in");
    refused("", -ENOENT, "there is no directory");
}

Test(posix_record_file, a_path_too_long)
{
    static char name[5000];

    memset(name, 'x', sizeof name - 1);
    cr_assert_eq(posix_record_file_open(&file, name, 0, why, sizeof why), -ENAMETOOLONG);
    cr_assert_eq(file.fd, -1);
}

Test(posix_record_file, a_size_that_cannot_be)
{
    write_file("short", 2047);
    refused(path, -EINVAL, "has 2047 bytes, too few");
    cr_assert_eq(status_of(path).st_size, 2047);
    write_file("", 2048);
    open_file(0);
    cr_assert_str_eq(load(), "");
    posix_record_file_close(&file);
}

/* Root has every right, so somebody else tries, who may not even come here by the whole path. */
Test(posix_record_file, no_right)
{
    open_file(0);
    posix_record_file_close(&file);
    cr_assert_eq(chdir(dir), 0);
    cr_assert_eq(chmod("names", 0444), 0);
    cr_assert_eq(chmod(".", 0555), 0);
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
    cr_assert_eq(access("names", F_OK), 0);
    refused("names", -EACCES, "no right to read and write");
    refused("new", -EACCES, "no right to read and write");
    refused("directory/new", -EACCES, "no right to read and write");
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chmod(".", 0700), 0);
    cr_assert_eq(chdir("/"), 0);
}

/* ---- contents ---- */

Test(posix_record_file, foreign_contents_are_no_empty_list)
{
    struct stat before;

    write_file("What somebody has written down.\n", 4096);
    before = status_of(path);
    open_file(0);
    cr_assert_eq(record_text_try(&file.log.store), -EILSEQ);
    posix_record_file_close(&file);
    cr_assert_eq(status_of(path).st_mtim.tv_nsec, before.st_mtim.tv_nsec, "it was written to");
    cr_assert_eq(status_of(path).st_size, 4096);
}

Test(posix_record_file, damage_and_another_size_are_errors)
{
    int fd;

    open_file(0);
    (void)load();
    cr_assert_eq(append("one"), 0);
    cr_assert_eq(append("two"), 0);
    posix_record_file_close(&file);
    fd = open(path, O_WRONLY);
    cr_assert_eq(pwrite(fd, "O", 1, 512 + 32), 1); /* of "one" */
    open_file(0);
    cr_assert_eq(record_text_try(&file.log.store), -EILSEQ);
    posix_record_file_close(&file);
    cr_assert_eq(pwrite(fd, "o", 1, 512 + 32), 1);
    cr_assert_eq(ftruncate(fd, 1 << 20), 0);
    open_file(0);
    cr_assert_eq(record_text_try(&file.log.store), -EINVAL);
    posix_record_file_close(&file);
    close(fd);
}

/* Somebody cuts it while it is open. */
Test(posix_record_file, a_file_that_was_cut)
{
    open_file(0);
    (void)load();
    cr_assert_eq(append("one"), 0);
    cr_assert_eq(truncate(path, 4096), 0);
    cr_assert_eq(record_text_try(&file.log.store), -EIO);
    posix_record_file_close(&file);
}

/* ---- full file systems ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};

    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The limit falls into the record: one write is short, and the rest is refused. So is what would
 * take it back, hence EIO, until there is room. */
Test(posix_record_file, no_room_loses_nothing)
{
    signal(SIGXFSZ, SIG_IGN);
    open_file(0);
    (void)load();
    cr_assert_eq(append("one"), 0); /* 512 to 559 */
    limit_files(580);
    cr_assert_eq(append("two"), -EIO);
    cr_assert_eq(append("two"), -EIO);
    limit_files(RLIM_INFINITY);
    cr_assert_str_eq(load(), "one;");
    cr_assert_eq(append("three"), 0);
    posix_record_file_close(&file);
    open_file(0);
    cr_assert_str_eq(load(), "one;three;");
    posix_record_file_close(&file);
}

Test(posix_record_file, no_room_for_a_new_file)
{
    signal(SIGXFSZ, SIG_IGN);
    limit_files(1 << 20);
    refused(path, -EFBIG, "cannot be made");
    limit_files(RLIM_INFINITY);
    open_file(0);
    cr_assert_eq(file.area.size, 16 << 20, "what was begun is done");
    posix_record_file_close(&file);
}

/* ---- processes that die ---- */

/* As the file's own operations, until the process dies in the middle of one. */
static const struct hal_record_area_ops *alive;
static size_t dies_after; /* so many bytes of a write; SIZE_MAX: at the sync */

static int read_on(struct hal_record_area *area, uint64_t offset, void *buf, size_t n)
{
    return alive->read(area, offset, buf, n);
}

static int write_and_die(struct hal_record_area *area, uint64_t offset, const void *buf, size_t n)
{
    if (dies_after == SIZE_MAX)
        return alive->write(area, offset, buf, n);
    if (alive->write(area, offset, buf, dies_after < n ? dies_after : n))
        _exit(2);
    _exit(0);
}

static int die(struct hal_record_area *area)
{
    (void)area;
    _exit(0);
}

static const struct hal_record_area_ops mortal = {read_on, write_and_die, die};

/* A process that has the file, makes "one" durable, and dies while it appends "two". */
static void live_and_die(size_t after)
{
    pid_t pid = fork();
    int status;

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        if (posix_record_file_open(&file, path, 0, why, sizeof why) ||
            record_text_try(&file.log.store) || append("one"))
            _exit(1);
        alive = file.area.ops;
        file.area.ops = &mortal;
        dies_after = after;
        (void)append("two");
        _exit(3);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", (unsigned)status);
}

/* Whatever it had written of the second record, the first one is there, and the next one counts. */
Test(posix_record_file, a_process_that_dies_leaves_the_old_or_the_new_list)
{
    static const size_t after[] = {0, 1, 16, 31, 32, 33, 34, 35, 48, SIZE_MAX};

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(after); i++) {
        bool whole = after[i] >= 35; /* 32 bytes and "two"; the rest is zero anyhow */

        live_and_die(after[i]);
        open_file(0);
        cr_assert_str_eq(load(), whole ? "one;two;" : "one;", "after %zu bytes", after[i]);
        cr_assert_eq(append("three"), 0);
        cr_assert_str_eq(load(), whole ? "one;two;three;" : "one;three;");
        posix_record_file_close(&file);
        cr_assert_eq(unlink(path), 0);
    }
}

/* Closing gives the lock back although a child still has the descriptor. */
Test(posix_record_file, a_child_does_not_keep_the_lock)
{
    int hold[2], status;
    pid_t pid;
    char c;

    open_file(0);
    cr_assert_eq(pipe(hold), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        close(hold[1]);
        (void)!read(hold[0], &c, 1);
        _exit(0);
    }
    posix_record_file_close(&file);
    open_file(0);
    posix_record_file_close(&file);
    close(hold[0]);
    close(hold[1]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
}
