/* SPDX-License-Identifier: Apache-2.0 */
/* Which store the adapters of a session get, and what is said where there is none. */
#include "tools/session_names.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/posix/posix_record_file.h"
#include "hal/support/crc32c.h"
#include "hal/support/endian.h"
#include "tools/session.h"

static char path[300], why[SESSION_WHY_BYTES];
static struct session s;

static void begin(void)
{
    const char *tmp = getenv("TEST_TMPDIR");

    snprintf(path, sizeof path, "%s/session_names_test.%d", tmp ? tmp : "/tmp", (int)getpid());
    (void)unlink(path);
    s = (struct session){.adapters = 1, .config.names = path};
}

static void end(void) { (void)unlink(path); }

TestSuite(session_names, .init = begin, .fini = end, .timeout = 30);

static void refused(int rc, const char *part)
{
    *why = 0;
    cr_assert_eq(session_names_open(&s, why, sizeof why), rc, "%s", why);
    cr_assert(strstr(why, part), "%s", why);
    session_names_close(&s);
    cr_assert_null(s.names);
}

Test(session_names, a_file_that_was_asked_for)
{
    struct hal_record_store *store = NULL;

    cr_assert_eq(session_names_open(&s, why, sizeof why), 0, "%s", why);
    cr_assert_str_eq(s.names_path, path);
    cr_assert_str_eq(session_file_kind(&s, path), "the file of names");
    cr_assert_null(session_file_kind(&s, "/dev/null"));
    cr_assert_eq(session_names_store(&s, 0, &store, why, sizeof why), 0);
    cr_assert_eq(store, &s.names->log.store);
    cr_assert_eq(hal_record_append(store, "one", 3), 0, "it is loaded");
    session_names_close(&s);
    session_names_close(&s);
}

/* Simulated adapters have those of their media. */
Test(session_names, nobody_asked)
{
    struct hal_record_store *store = &(struct hal_record_store){0};

    s.config.names = NULL;
    cr_assert_eq(session_names_open(&s, why, sizeof why), 0);
    cr_assert_null(s.names);
    cr_assert_eq(session_names_store(&s, 0, &store, why, sizeof why), 0);
    cr_assert_null(store, "there is no host here");
}

/* A card has the machine's file, and whoever may not have it is told which one that is. */
Test(session_names, a_card_has_the_file_of_its_machine)
{
    if (!access("/var/lib/superpipe", F_OK))
        cr_skip_test("this machine has names");
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
    s.config.names = NULL;
    s.card = true;
    refused(-EACCES, "no right to read and write '/var/lib/superpipe/names'");
    cr_assert(strstr(why, "--names FILE"), "%s", why);
    s.config.names = path;
    cr_assert_eq(seteuid(getuid()), 0);
    cr_assert_eq(session_names_open(&s, why, sizeof why), 0, "another one may be named: %s", why);
    session_names_close(&s);
}

Test(session_names, one_adapter)
{
    s.adapters = 2;
    refused(-EINVAL, "can have the names of one adapter, not of 2");
    cr_assert_eq(access(path, F_OK), -1);
}

Test(session_names, in_use)
{
    static struct posix_record_file mine;

    cr_assert_eq(posix_record_file_open(&mine, path, 0, why, sizeof why), 0);
    refused(-EBUSY, "is in use");
    posix_record_file_close(&mine);
}

/* ---- what is in the file ---- */

static void append_one(void)
{
    cr_assert_eq(session_names_open(&s, why, sizeof why), 0, "%s", why);
    cr_assert_eq(hal_record_append(&s.names->log.store, "one", 3), 0);
    session_names_close(&s);
}

Test(session_names, damage)
{
    int fd;

    append_one();
    fd = open(path, O_WRONLY);
    cr_assert_eq(pwrite(fd, "x", 1, 20), 1); /* of the header */
    close(fd);
    refused(-EILSEQ, "is damaged, or no file of names");
}

Test(session_names, another_size)
{
    append_one();
    cr_assert_eq(truncate(path, 8192), 0);
    refused(-EINVAL, "does not have the size any more that it was made with");
}

/* The header of hal/support/record_log.h: version at 8, checksum at 12. */
Test(session_names, a_newer_version)
{
    unsigned char sector[512];
    int fd;

    append_one();
    fd = open(path, O_RDWR);
    cr_assert_eq(pread(fd, sector, sizeof sector, 0), 512);
    hal_be32_put(sector + 8, 2);
    hal_be32_put(sector + 12, 0);
    hal_be32_put(sector + 12, hal_crc32c(0, sector, sizeof sector));
    cr_assert_eq(pwrite(fd, sector, sizeof sector, 0), 512);
    close(fd);
    refused(-ENOTSUP, "was written by a newer version of this software");
}

/* ---- in sentences ---- */

Test(session_names, the_file_that_names_are_in)
{
    s.config.path[0] = "media";
    cr_assert_str_eq(session_names_where(&s), "media");
    cr_assert_eq(session_names_open(&s, why, sizeof why), 0, "%s", why);
    cr_assert_str_eq(session_names_where(&s), path);
    session_names_close(&s);
    s.config.path[0] = NULL;
    cr_assert_str_eq(session_names_where(&s), "memory");
}

Test(session_names, options_to_be_repeated)
{
    char text[SESSION_REPEAT_BYTES];

    s.config = (struct session_config){.path = {"disk.spm"}};
    cr_assert_str_eq(session_repeat(&s, text), " --media disk.spm");
    s.config = (struct session_config){.backend = SESSION_CAPI};
    cr_assert_str_eq(session_repeat(&s, text), " --backend capi", "names by default");
    s.config.afu = "afu1.0";
    s.config.libcxl = "lib dir/libcxl.so.1";
    s.config.names = "n";
    cr_assert_str_eq(session_repeat(&s, text),
                     " --backend capi --libcxl 'lib dir/libcxl.so.1' --afu afu1.0 --names n");
}
