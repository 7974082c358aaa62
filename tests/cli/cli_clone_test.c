/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe vlun clone: what is written through one name is read through the other. `superpipe put`
 * takes chunks of its own, so the test writes in place, as a program with the library does. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/superpipe.h"
#include "tests/cli/cli_fixture.h"
#include "tools/session.h"
#include "tools/vlun_handle.h"

TestSuite(clone, .init = cli_begin, .fini = cli_end);

#define BLOCK SESSION_BLOCK_BYTES

/* A block to be written in place. */
struct place {
    const char *name;
    uint64_t lba;
    uint8_t fill;
};

static int write_body(struct session *s, void *arg, char *why, size_t size)
{
    static uint8_t block[BLOCK] __attribute__((aligned(128)));
    const struct place *p = arg;
    struct spipe_io io = {.lba = p->lba, .buffer = block, .blocks = 1, .op = SPIPE_WRITE};
    struct vlun_handle v = {0};
    struct spipe_completion done;

    (void)why;
    (void)size;
    memset(block, p->fill, sizeof block);
    cr_assert_eq(vlun_handle_begin(&v, s->spipe[0], 0, 0), 0);
    cr_assert_eq(vlun_handle_open(&v, p->name), 0);
    io.handle = v.handle;
    cr_assert_eq(spipe_submit(v.ctx, &io, 1), 1);
    while (!spipe_poll(v.ctx, &done, 1))
        ;
    cr_assert_eq(done.status, 0);
    return vlun_handle_end(&v);
}

static void write_in_place(struct place p)
{
    static struct session s;
    struct session_config c = {.media = SESSION_MEDIA_FILE, .path = {"m"}};
    char why[SESSION_WHY_BYTES] = "";

    cr_assert_eq(session_open(&c, &s, why, sizeof why), 0, "%s", why);
    cr_assert_eq(session_run(&s, write_body, &p, why, sizeof why), 0, "%s", why);
    session_close(&s);
}

/* Asserts that a name holds two blocks with these bytes. */
static void holds(const char *name, char first, char second)
{
    struct cli_result r = clif("get %s copy --media m", name);
    const char *text;

    cr_assert_eq(r.code, 0, "%s", r.err);
    text = cli_read("copy");
    cr_assert_eq(strlen(text), 2 * BLOCK);
    for (size_t i = 0; i < BLOCK; i++) {
        cr_assert_eq(text[i], first, "%s, byte %zu", name, i);
        cr_assert_eq(text[BLOCK + i], second, "%s, byte %zu", name, BLOCK + i);
    }
}

static void put_two_blocks(void)
{
    FILE *f = fopen("in", "w");

    cr_assert_not_null(f);
    for (size_t i = 0; i < 2 * BLOCK; i++)
        putc('.', f);
    cr_assert_eq(fclose(f), 0);
    cli_good("put in a --quiet --media m --lun-size 1G");
}

Test(clone, what_is_written_through_one_is_read_through_the_other)
{
    put_two_blocks();
    cli_good("vlun clone a b --quiet --media m");
    write_in_place((struct place){"a", 0, 'a'});
    holds("b", 'a', '.');
    write_in_place((struct place){"b", 1, 'b'});
    holds("a", 'a', 'b');
    cli_good("vlun release a --media m");
    write_in_place((struct place){"b", 0, 'c'});
    holds("b", 'c', 'b');
}
