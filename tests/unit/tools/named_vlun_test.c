/* SPDX-License-Identifier: Apache-2.0 */
/* Names of virtual LUNs: looking, taking, removing, and the sentences about them. */
#include "tools/named_vlun.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/tools/session_fixture.h"
#include "tools/vlun_handle.h"

#define CHUNK SESSION_CHUNK_API_BLOCKS

static char why[SESSION_WHY_BYTES];

/* Makes a virtual LUN of some chunks with a name. */
static int make(struct session *s, unsigned lun, const char *name, uint64_t chunks, uint64_t bytes)
{
    struct vlun_handle v = {0};
    int rc;

    *why = 0;
    s->config.path[0] = "media"; /* for the sentences */
    cr_assert_eq(vlun_handle_begin(&v, s->spipe[0], lun, 0), 0);
    cr_assert_eq(vlun_handle_create(&v, chunks * CHUNK), 0);
    rc = named_vlun_set(s, v.ctx, v.handle, name, bytes, why, sizeof why);
    cr_assert_eq(vlun_handle_end(&v), 0);
    return rc;
}

static void looking_body(struct session *s)
{
    struct named_vlun v;

    cr_assert_eq(named_vlun_at(s->spipe[0], 0, &v), -ENOENT);
    cr_assert_eq(make(s, 1, "b", 3, 5000), 0);
    cr_assert_eq(make(s, 0, "a", 0, 0), 0);
    cr_assert_eq(named_vlun_at(s->spipe[0], 0, &v), 0);
    cr_assert_str_eq(v.info.name, "a");
    cr_assert_eq(v.lun, 0);
    cr_assert_eq(v.chunks, 0);
    cr_assert_eq(named_vlun_at(s->spipe[0], 1, &v), 0);
    cr_assert_str_eq(v.info.name, "b");
    cr_assert_eq(v.lun, 1);
    cr_assert_eq(v.chunks, 3);
    cr_assert_eq(v.block_size, 4096);
    cr_assert_eq(v.chunk_bytes, 268435456);
    cr_assert_eq(v.info.byte_length, 5000);
    cr_assert_eq(named_vlun_at(s->spipe[0], 2, &v), -ENOENT);
    cr_assert_eq(named_vlun_find(s, "a", &v, why, sizeof why), 0);
    cr_assert_str_eq(v.info.name, "a");
    cr_assert_eq(named_vlun_find(s, "c", &v, why, sizeof why), -ENOENT);
    cr_assert(strstr(why, "there is no virtual LUN 'c' in 'media'"), "%s", why);
}

Test(named_vlun, looking) { with_session(NULL, looking_body); }

static void taken_body(struct session *s)
{
    cr_assert_eq(make(s, 0, "a", 1, 1), 0);
    cr_assert_eq(named_vlun_check_free(s, "b", why, sizeof why), 0);
    cr_assert_str_eq(why, "");
    cr_assert_eq(named_vlun_check_free(s, "a", why, sizeof why), -EEXIST);
    cr_assert(strstr(why, "there is a virtual LUN 'a' in 'media' already"), "%s", why);
    cr_assert_eq(make(s, 0, "b", 1, 268435457), -EINVAL, "longer than it is large");
    cr_assert(strstr(why, "the name 'b' cannot be recorded in 'media' ("), "%s", why);
    cr_assert_eq(session_free_chunks(s, 0), 3);
}

Test(named_vlun, names_that_are_taken_or_cannot_be) { with_session(NULL, taken_body); }

static void removed_body(struct session *s)
{
    cr_assert_eq(make(s, 0, "a", 2, 1), 0);
    cr_assert_eq(session_free_chunks(s, 0), 2);
    cr_assert_eq(named_vlun_remove(s, "a", why, sizeof why), 0);
    cr_assert_eq(session_free_chunks(s, 0), 4);
    cr_assert_eq(named_vlun_remove(s, "a", why, sizeof why), -ENOENT);
    cr_assert(strstr(why, "'superpipe list --media media' shows what there is"), "%s", why);
}

Test(named_vlun, removed_ones_are_gone) { with_session(NULL, removed_body); }
