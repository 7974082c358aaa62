/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tools/session_fixture.h"

#include <criterion/criterion.h>

struct call {
    void (*test)(struct session *s);
};

static int body(struct session *s, void *arg, char *why, size_t size)
{
    struct call *c = arg;
    struct spipe_lun_info info;

    (void)why;
    (void)size;
    c->test(s);
    for (unsigned i = 0; !spipe_lun_info(s->spipe[0], i, &info); i++)
        cr_assert_eq(info.users, 0, "LUN %u", i);
    return 0;
}

static void run(const char *faults, bool card, void (*test)(struct session *s))
{
    static struct session s;
    struct session_config c = {
        .media = SESSION_MEDIA_MEMORY,
        .luns = 2,
        .lun_bytes = 4 * SESSION_CHUNK_BYTES,
        .faults = faults,
        .trace = true,
        .check = true,
    };
    struct call call = {test};
    char why[SESSION_WHY_BYTES] = "";

    cr_assert_eq(session_open(&c, &s, why, sizeof why), 0, "%s", why);
    s.card = card;
    cr_assert_eq(session_run(&s, body, &call, why, sizeof why), 0, "%s", why);
    session_close(&s);
}

void with_session(const char *faults, void (*test)(struct session *s)) { run(faults, false, test); }

void with_card_session(void (*test)(struct session *s)) { run(NULL, true, test); }

uint64_t session_free_chunks(struct session *s, unsigned lun)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->spipe[0], lun, &info), 0);
    return info.free_chunks;
}
