/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into a virtual LUN and back, the way `superpipe put` and `get` go on a card: threads and
 * real time, IBM's libcxl (its stand-in), names in a file, LUNs by name, and an adapter that is
 * treated as a card by everything above its device. The two are different lives of the program. */
#include "tools/transfer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hal/support/prng.h"
#include "tools/lun_choice.h"
#include "tools/named_vlun.h"
#include "tools/progress.h"

#define WWID "6ffffff0000000010000000000000001" /* of LUN 1 */
#define LIBRARY "sim/libcxl/libcxl.so.1"
#define BYTES 1300017u /* five I/Os and a part of a block */

static char directory[256], media[300], names[300], why[SESSION_WHY_BYTES];
static uint8_t data[BYTES], back[BYTES + 1];
static struct progress progress;

static void begin(void)
{
    const char *tmp = getenv("TEST_TMPDIR");
    struct hal_prng p;

    snprintf(directory, sizeof directory, "%s/transfer_test.XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
    snprintf(media, sizeof media, "%s/media", directory);
    snprintf(names, sizeof names, "%s/names", directory);
    hal_prng_seed(&p, 1, 1);
    for (unsigned i = 0; i < BYTES; i++)
        data[i] = (uint8_t)hal_prng_below(&p, 256);
    progress_start(&progress, "test", true);
}

static void end(void)
{
    (void)unlink(media);
    (void)unlink(names);
    cr_assert_eq(rmdir(directory), 0);
}

TestSuite(transfer, .init = begin, .fini = end, .timeout = 120);

/* One life. */
static void live(session_body *body)
{
    static struct session s;
    struct session_config c = {
        .backend = SESSION_CAPI,
        .libcxl = LIBRARY,
        .media = SESSION_MEDIA_MAKE,
        .path = {media},
        .names = names,
        .luns = 2,
        .lun_bytes = UINT64_C(2) * SESSION_CHUNK_BYTES,
        .threads = true,
    };

    cr_assert_eq(session_open(&c, &s, why, sizeof why), 0, "%s", why);
    s.card = true;
    cr_assert_eq(session_run(&s, body, NULL, why, sizeof why), 0, "%s", why);
    session_close(&s);
}

/* A file that holds `size` bytes and has no name, at its beginning. */
static int file_of(const void *bytes, size_t size)
{
    FILE *f = tmpfile();

    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, size, f), size);
    cr_assert_eq(fflush(f), 0);
    rewind(f);
    return fileno(f);
}

static int put_body(struct session *s, void *arg, char *sentence, size_t size)
{
    static struct transfer t;
    struct lun_choice choice = {0};
    uint64_t room;
    unsigned lun;

    (void)arg;
    cr_assert_eq(lun_choice_make(s, &choice, &lun, &room, sentence, size), -EINVAL, "by name only");
    cr_assert_eq(lun_choice_set(&choice, WWID, sentence, size), 0);
    cr_assert_eq(lun_choice_make(s, &choice, &lun, &room, sentence, size), 0, "%s", sentence);
    cr_assert_eq(lun, 1);
    cr_assert_eq(room, 2 * SESSION_CHUNK_BYTES);
    cr_assert_eq(transfer_begin(&t, s, &progress, lun, sentence, size), 0, "%s", sentence);
    cr_assert_eq(transfer_open_new(&t, 0), 0, "%s", sentence);
    cr_assert_eq(transfer_in(&t, file_of(data, BYTES), "data"), 0, "%s", sentence);
    cr_assert_eq(t.bytes, BYTES);
    cr_assert_eq(named_vlun_keep(s, &t.vlun, "backup", t.bytes, sentence, size), 0, "%s", sentence);
    return transfer_end(&t);
}

static int get_body(struct session *s, void *arg, char *sentence, size_t size)
{
    static struct transfer t;
    struct named_vlun v;
    int fd = file_of("", 0);

    (void)arg;
    cr_assert_eq(named_vlun_reach(s, "backup", &v, sentence, size), 0, "%s", sentence);
    cr_assert_eq(v.lun, 1);
    cr_assert_eq(v.info.byte_length, BYTES);
    cr_assert_eq(transfer_begin(&t, s, &progress, 1, sentence, size), 0, "%s", sentence);
    cr_assert_eq(transfer_open_name(&t, "backup"), 0, "%s", sentence);
    cr_assert_eq(transfer_out(&t, fd, BYTES, "back"), 0, "%s", sentence);
    cr_assert_eq(pread(fd, back, sizeof back, 0), (ssize_t)BYTES);
    cr_assert_eq(memcmp(back, data, BYTES), 0);
    return transfer_end(&t);
}

Test(transfer, in_and_out_in_two_lives)
{
    live(put_body);
    live(get_body);
}

static int full_body(struct session *s, void *arg, char *sentence, size_t size)
{
    static struct transfer t;
    int rc;

    (void)arg;
    cr_assert_eq(transfer_begin(&t, s, &progress, 0, sentence, size), 0, "%s", sentence);
    rc = transfer_open_new(&t, 2 * SESSION_CHUNK_BYTES + 1);
    cr_assert_eq(rc, -ENOSPC);
    cr_assert(strstr(sentence, "LUN 0 has room for 512 MiB only: remove names"), "%s", sentence);
    return transfer_end(&t);
}

Test(transfer, more_than_there_is_room_for) { live(full_body); }
