/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_lock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/testlib/proves.h"

static char dir[256], file[512];

static void make_dir(void)
{
    const char *tmp = getenv("TEST_TMPDIR");

    snprintf(dir, sizeof dir, "%s/lock-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/superpipe-afu0.0.lock", dir);
}

static void remove_dir(void)
{
    unlink(file);
    cr_assert_eq(rmdir(dir), 0);
}

TestSuite(capi_lock, .init = make_dir, .fini = remove_dir);

Test(capi_lock, a_second_master_is_refused)
{
    char why[1024] = "";
    int first, second = -1;

    cr_assert_eq(capi_lock_take(dir, "afu0.0", &first, why, sizeof why), 0, "%s", why);
    cr_assert_eq(capi_lock_take(dir, "afu0.0", &second, why, sizeof why), -EBUSY);
    cr_assert_eq(second, -1);
    cr_assert_not_null(strstr(why, "another master has afu0.0"), "%s", why);
    capi_lock_release(first);
    cr_assert_eq(capi_lock_take(dir, "afu0.0", &second, why, sizeof why), 0, "it was given back");
    capi_lock_release(second);
    capi_lock_release(-1);
    PROVES(CX_133);
}

Test(capi_lock, other_afus_are_others)
{
    char why[1024] = "", other[512];
    int first, second;

    cr_assert_eq(capi_lock_take(dir, "afu0.0", &first, why, sizeof why), 0);
    cr_assert_eq(capi_lock_take(dir, "afu1.0", &second, why, sizeof why), 0);
    capi_lock_release(first);
    capi_lock_release(second);
    snprintf(other, sizeof other, "%s/superpipe-afu1.0.lock", dir);
    cr_assert_eq(unlink(other), 0);
}

/* A master that dies leaves nothing behind. */
Test(capi_lock, it_ends_with_the_process)
{
    char why[1024];
    int fd, status;
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (!pid)
        _exit(capi_lock_take(dir, "afu0.0", &fd, why, sizeof why) ? 1 : 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
    cr_assert_eq(capi_lock_take(dir, "afu0.0", &fd, why, sizeof why), 0);
    capi_lock_release(fd);
    PROVES(CX_133);
}

Test(capi_lock, nothing_is_followed)
{
    char why[1024] = "", target[512];
    int fd = -1;

    snprintf(target, sizeof target, "%s/target", dir);
    cr_assert_eq(symlink(target, file), 0);
    cr_assert_lt(capi_lock_take(dir, "afu0.0", &fd, why, sizeof why), 0);
    cr_assert_eq(access(target, F_OK), -1, "a link was followed");
    cr_assert_not_null(strstr(why, "cannot be opened"), "%s", why);
}

Test(capi_lock, a_directory_that_is_missing_is_told)
{
    char why[1024] = "";
    int fd = -1;

    cr_assert_eq(capi_lock_take("/nowhere/at/all", "afu0.0", &fd, why, sizeof why), -ENODEV);
    cr_assert_not_null(strstr(why, "/nowhere/at/all/superpipe-afu0.0.lock"), "%s", why);
}

/* Takes from root what lets it write to every file; nothing from others. */
static void obey_permissions(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];

    cr_assert_eq(syscall(SYS_capget, &head, sets), 0);
    sets[0].effective &= ~(1u << CAP_DAC_OVERRIDE);
    cr_assert_eq(syscall(SYS_capset, &head, sets), 0);
}

/* The file of another user, or one that nobody may write to. */
Test(capi_lock, a_file_need_not_be_writable)
{
    char why[1024] = "";
    int fd = open(file, O_CREAT | O_WRONLY, 0444);

    cr_assert_geq(fd, 0);
    close(fd);
    obey_permissions();
    cr_assert_eq(open(file, O_RDWR), -1);
    cr_assert_eq(capi_lock_take(dir, "afu0.0", &fd, why, sizeof why), 0, "%s", why);
    capi_lock_release(fd);
}
