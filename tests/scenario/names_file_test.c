/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are in a file beside the LUN, as with a card, and a service that is started again:
 * what a name stands for is there, and nobody else gets its blocks. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/posix/posix_record_file.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

enum { CHUNKS = 6, CHUNK = 65536 };

static char path[300], copy[310];
static struct posix_record_file file;
static struct sim_media *media; /* the disk, which outlives the service */

static void begin(void)
{
    const char *tmp = getenv("TEST_TMPDIR");

    snprintf(path, sizeof path, "%s/names_file_test.%d", tmp ? tmp : "/tmp", (int)getpid());
    snprintf(copy, sizeof copy, "%s.copy", path);
    (void)unlink(path);
    (void)unlink(copy);
    media = stack_media(CHUNKS);
}

static void end(void)
{
    sim_media_close(media);
    cr_assert_eq(unlink(path), 0);
}

TestSuite(names_file, .init = begin, .fini = end, .timeout = 120);

/* One life of the service. */
static void serve(void (*body)(struct stack *, void *))
{
    char why[512];

    cr_assert_eq(posix_record_file_open(&file, path, 0, why, sizeof why), 0, "%s", why);
    stack_run(&(struct stack_setup){.seed = 1, .media = media, .store = &file.log.store}, body,
              NULL);
    posix_record_file_close(&file);
}

static uint64_t free_chunks(struct stack *s)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    return info.free_chunks;
}

/* VL-7: chunk 0 for somebody who leaves, 1 and 2 get a name, 3 is written to and left. */
static void give_a_name(struct stack *s, void *arg)
{
    struct stack_client a;
    uint32_t first, named, last;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    first = stack_open(&a, 0, 1);
    named = stack_open(&a, 0, 2);
    last = stack_open(&a, 0, 1);
    stack_put(&a, first, 0, 10);
    stack_put(&a, named, 0, 21);
    stack_put(&a, named, 2 * CHUNK - 1, 22);
    stack_put(&a, last, 0, 30);
    cr_assert_eq(spipe_name_set(a.ctx, named, "disk", 12345), 0);
    spipe_client_destroy(a.client);
    cr_assert_eq(free_chunks(s), CHUNKS - 2);
}

/* Takes all that there is and writes to the ends of each chunk. */
static void fill_the_rest(struct stack *s)
{
    struct stack_client b;
    uint64_t granted;
    uint32_t handle, none;

    stack_client(s, &b, 0, 8, false);
    cr_assert_eq(spipe_open_virtual(b.ctx, 0, CHUNKS * UINT64_C(65536), &handle, &granted), 0);
    cr_assert_eq(granted, (CHUNKS - 2) * UINT64_C(65536) - 1, "all but two");
    cr_assert_eq(spipe_open_virtual(b.ctx, 0, CHUNK, &none, &granted), -ENOSPC);
    for (uint64_t chunk = 0; chunk < CHUNKS - 2; chunk++) {
        stack_put(&b, handle, chunk * CHUNK, 99);
        stack_put(&b, handle, chunk * CHUNK + CHUNK - 1, 99);
    }
    spipe_client_destroy(b.client);
}

static void find_it(struct stack *s, void *arg)
{
    struct spipe_name_info name;
    struct stack_client a;
    uint32_t handle;
    uint64_t last;
    unsigned lun;

    (void)arg;
    cr_assert_eq(spipe_name_stat(s->adapter, "disk", &name, &lun), 0);
    cr_assert_eq(lun, 0);
    cr_assert_eq(name.blocks, 2 * CHUNK);
    cr_assert_eq(name.byte_length, 12345);
    cr_assert_eq(spipe_name_at(s->adapter, 1, &name), -ENOENT, "one name");
    cr_assert_eq(free_chunks(s), CHUNKS - 2);
    fill_the_rest(s);
    stack_client(s, &a, 0, 8, false);
    cr_assert_eq(spipe_name_open(a.ctx, "disk", &handle, &last), 0);
    cr_assert_eq(last, 2 * CHUNK - 1);
    cr_assert_eq(stack_get(&a, handle, 0), 21);
    cr_assert_eq(stack_get(&a, handle, 2 * CHUNK - 1), 22);
    cr_assert_eq(stack_on_medium(media, 1 * CHUNK), 21, "the same chunks");
    cr_assert_eq(stack_on_medium(media, 3 * CHUNK - 1), 22);
    cr_assert_eq(stack_on_medium(media, 0), 99);
    PROVES(INV_1); /* a name alone keeps its chunks */
    spipe_client_destroy(a.client);
}

static void remove_it(struct stack *s, void *arg)
{
    (void)arg;
    cr_assert_eq(spipe_name_remove(s->adapter, "disk"), 0);
}

static void find_none(struct stack *s, void *arg)
{
    struct spipe_name_info name;
    struct stack_client a;

    (void)arg;
    cr_assert_eq(spipe_name_at(s->adapter, 0, &name), -ENOENT);
    stack_client(s, &a, 0, 8, false);
    (void)stack_open(&a, 0, CHUNKS);
    spipe_client_destroy(a.client);
}

Test(names_file, a_name_survives)
{
    serve(give_a_name);
    serve(find_it);
    serve(find_it);
    serve(remove_it);
    serve(find_none);
}

/* What a process that is killed now would leave of the file: nothing was closed. */
static void keep_a_copy(void)
{
    static char bytes[1 << 16];
    int from = open(path, O_RDONLY), to = open(copy, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ssize_t n;

    cr_assert(from >= 0 && to >= 0);
    while ((n = read(from, bytes, sizeof bytes)) > 0)
        cr_assert_eq(write(to, bytes, (size_t)n), n);
    cr_assert_eq(n, 0);
    close(from);
    close(to);
}

static void give_a_name_and_die(struct stack *s, void *arg)
{
    give_a_name(s, arg);
    keep_a_copy();
    cr_assert_eq(spipe_name_remove(s->adapter, "disk"), 0);
}

Test(names_file, a_name_survives_a_kill)
{
    serve(give_a_name_and_die);
    cr_assert_eq(rename(copy, path), 0);
    serve(find_it);
}

/* Who comes while a service is there is told so, and can begin when it ends. */
static void second_service(struct stack *s, void *arg)
{
    struct posix_record_file second;
    char why[512];

    give_a_name(s, arg);
    cr_assert_eq(posix_record_file_open(&second, path, 0, why, sizeof why), -EBUSY);
    cr_assert(strstr(why, path), "%s", why);
}

Test(names_file, one_service_at_a_time)
{
    serve(second_service);
    serve(find_it);
}
