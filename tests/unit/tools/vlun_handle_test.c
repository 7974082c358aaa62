/* SPDX-License-Identifier: Apache-2.0 */
/* One virtual LUN as subcommands use it: grants, retries, and what an end leaves. */
#include "tools/vlun_handle.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/testlib/proves.h"
#include "tests/unit/tools/session_fixture.h"

#define CHUNK SESSION_CHUNK_API_BLOCKS

static void begin(struct vlun_handle *v, struct session *s, unsigned lun)
{
    *v = (struct vlun_handle){0};
    cr_assert_eq(vlun_handle_begin(v, s->spipe[0], lun, 0), 0);
}

static void grants_body(struct session *s)
{
    struct vlun_handle a, b;

    begin(&a, s, 0);
    begin(&b, s, 0);
    cr_assert_eq(vlun_handle_create(&a, CHUNK + 1), 0);
    cr_assert_eq(a.blocks, 2 * CHUNK);
    cr_assert_eq(vlun_handle_create(&b, 3 * CHUNK), 0);
    cr_assert_eq(b.blocks, 2 * CHUNK, "less is success");
    cr_assert_eq(vlun_handle_resize(&a, 3 * CHUNK), -ENOSPC);
    cr_assert_eq(a.blocks, 2 * CHUNK, "it stays as it was");
    cr_assert_eq(vlun_handle_resize(&b, 0), 0);
    cr_assert_eq(b.blocks, 0);
    cr_assert_eq(vlun_handle_resize(&a, 3 * CHUNK), 0);
    cr_assert_eq(a.blocks, 3 * CHUNK);
    cr_assert_eq(vlun_handle_end(&a), 0);
    cr_assert_eq(vlun_handle_end(&b), 0);
    cr_assert_eq(session_free_chunks(s, 0), 4);
}

Test(vlun_handle, grants)
{
    with_session(NULL, grants_body);
    PROVES(VL_34);
    PROVES(SP_64);
}

static void no_room_body(struct session *s)
{
    struct vlun_handle all[3];

    for (unsigned i = 0; i < 2; i++) {
        begin(&all[i], s, i);
        cr_assert_eq(vlun_handle_create(&all[i], 4 * CHUNK), 0);
    }
    begin(&all[2], s, 0);
    cr_assert_eq(vlun_handle_create(&all[2], 1), -ENOSPC);
    cr_assert_not(all[2].open);
    for (unsigned i = 3; i-- > 0;)
        cr_assert_eq(vlun_handle_end(&all[i]), 0);
}

Test(vlun_handle, no_room_at_all)
{
    with_session(NULL, no_room_body);
    PROVES(SP_67);
}

static void retries_body(struct session *s)
{
    struct vlun_handle v;

    begin(&v, s, 0);
    cr_assert_eq(vlun_handle_create(&v, CHUNK), 0);
    cr_assert_eq(vlun_handle_resize(&v, 2 * CHUNK), 0);
    cr_assert_eq(v.blocks, 2 * CHUNK);
    cr_assert_eq(vlun_handle_end(&v), 0);
    cr_assert_eq(session_free_chunks(s, 0), 4);
}

/* Syncs fail one after the other; whichever of them belongs to which request, two in a row are less
 * than what a request is tried again for. */
Test(vlun_handle, a_sync_that_fails_is_tried_again)
{
    static const char *const plans[] = {"afucmd#1=x", "afucmd#2=x", "afucmd#3=x", "afucmd#1x2=x",
                                        "afucmd#2x2=x"};

    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
        with_session(plans[i], retries_body);
    PROVES(SP_67);
}

static void no_such_lun_body(struct session *s)
{
    struct vlun_handle v = {0};

    cr_assert_eq(vlun_handle_begin(&v, s->spipe[0], 2, 0), -EINVAL);
    cr_assert_eq(vlun_handle_end(&v), 0);
    cr_assert_eq(vlun_handle_end(&v), 0, "once more");
    begin(&v, s, 1);
    cr_assert_eq(vlun_handle_open(&v, "nobody"), -ENOENT);
    cr_assert_not(v.open);
    cr_assert_eq(vlun_handle_end(&v), 0);
}

Test(vlun_handle, ends_whatever_failed) { with_session(NULL, no_such_lun_body); }
