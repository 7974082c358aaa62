/* SPDX-License-Identifier: Apache-2.0 */
/* Names of virtual LUNs: looking, taking, removing, and the sentences about them. */
#include "tools/named_vlun.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/record_store.h"
#include "sim/sim_control.h"
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

/* ---- data under a name ---- */

static const struct hal_record_store_ops *ops;
static struct sim_trace *trace;
static unsigned syncs, records;

/* SBC-3: SYNCHRONIZE CACHE(16) is 91h. */
static void count_syncs(void *arg, const struct sim_trace_record *record, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        syncs += record[i].kind == SIM_EVENT_PORT_START && record[i].b == 0x91;
}

static int append(struct hal_record_store *store, const void *record, size_t length)
{
    sim_trace_flush(trace);
    cr_assert_eq(syncs, 1, "the device was told before anything is recorded");
    records++;
    return ops->append(store, record, length);
}

/* Keeps a new virtual LUN of a chunk, and watches device and store. */
static int keep(struct session *s, const char *name)
{
    static struct hal_record_store_ops watched;
    struct hal_record_store *store = sim_host_store(s->host, 0);
    struct vlun_handle v = {0};
    int rc;

    cr_assert_eq(vlun_handle_begin(&v, s->spipe[0], 1, 0), 0);
    cr_assert_eq(vlun_handle_create(&v, CHUNK), 0);
    ops = store->ops;
    watched = *ops;
    watched.append = append;
    store->ops = &watched;
    trace = &sim_host_machine(s->host)->trace;
    sim_trace_set_sink(trace, count_syncs, NULL);
    rc = named_vlun_keep(s, &v, name, 4711, why, sizeof why);
    sim_trace_set_sink(trace, NULL, NULL);
    store->ops = ops;
    cr_assert_eq(vlun_handle_end(&v), 0);
    return rc;
}

static void kept_body(struct session *s)
{
    struct named_vlun v;

    cr_assert_eq(keep(s, "a"), 0, "%s", why);
    cr_assert_eq(records, 1);
    cr_assert_eq(named_vlun_find(s, "a", &v, why, sizeof why), 0);
    cr_assert_eq(v.info.byte_length, 4711);
}

Test(named_vlun, data_are_on_the_medium_before_they_have_a_name) { with_session(NULL, kept_body); }

static void lost_body(struct session *s)
{
    struct named_vlun v;

    cr_assert_eq(keep(s, "a"), -EIO);
    cr_assert(strstr(why, "LUN 1 does not confirm"), "%s", why);
    cr_assert_eq(records, 0);
    cr_assert_eq(named_vlun_at(s->spipe[0], 0, &v), -ENOENT);
    cr_assert_eq(session_free_chunks(s, 1), 4);
}

/* 5Ch: the target has aborted the exchange (SL 18.2), each time. */
Test(named_vlun, no_name_without_that) { with_session("fc#1*=x(0x5C)", lost_body); }

static void removed_body(struct session *s)
{
    struct named_vlun_freed freed;

    cr_assert_eq(make(s, 0, "a", 2, 1), 0);
    cr_assert_eq(session_free_chunks(s, 0), 2);
    cr_assert_eq(named_vlun_remove(s, "a", &freed, why, sizeof why), 0);
    cr_assert_eq(freed.chunks, 2);
    cr_assert_eq(freed.freed, 2);
    cr_assert_eq(session_free_chunks(s, 0), 4);
    cr_assert_eq(named_vlun_remove(s, "a", &freed, why, sizeof why), -ENOENT);
    cr_assert(strstr(why, "'superpipe list --media media' shows what there is"), "%s", why);
}

Test(named_vlun, removed_ones_are_gone) { with_session(NULL, removed_body); }

/* ---- on a card ---- */

/* A name of two chunks, which its program may want to be wiped. */
static void make_for(struct session *s, bool wipe)
{
    struct spipe_open_options o = {.size = sizeof o, .wipe = wipe};
    struct vlun_handle v = {0};
    uint64_t last;

    cr_assert_eq(vlun_handle_begin(&v, s->spipe[0], 0, 0), 0);
    cr_assert_eq(spipe_open_virtual_with(v.ctx, 0, 2 * CHUNK, &o, &v.handle, &last), 0);
    v.open = true;
    cr_assert_eq(named_vlun_set(s, v.ctx, v.handle, "a", 1, why, sizeof why), 0);
    cr_assert_eq(vlun_handle_end(&v), 0);
}

/* What is said besides that the name is gone. */
static const char *remove_it(struct session *s, uint64_t freed)
{
    static char said[SESSION_WHY_BYTES];
    struct named_vlun_freed f;

    *said = '\0';
    cr_assert_eq(named_vlun_remove(s, "a", &f, why, sizeof why), 0, "%s", why);
    cr_assert_eq(f.chunks, 2);
    cr_assert_eq(f.freed, freed);
    named_vlun_say_taken(s, &f, said, sizeof said);
    return said;
}

static void wiped_body(struct session *s)
{
    make_for(s, false);
    cr_assert_str_eq(remove_it(s, 2), "");
    make_for(s, true);
    cr_assert(strstr(remove_it(s, 0), "Not free: 2."));
    cr_assert_eq(session_free_chunks(s, 0), 2, "nobody gets them");
}

static void elsewhere_body(struct session *s)
{
    struct named_vlun_freed some = {.chunks = 2, .elsewhere = true};
    char said[64] = "";

    named_vlun_say_taken(s, &some, said, sizeof said);
    cr_assert_str_eq(said, "", "nobody knows");
}

Test(named_vlun, chunks_that_are_not_on_this_card) { with_card_session(elsewhere_body); }

Test(named_vlun, nothing_is_wiped_on_a_card) { with_card_session(wiped_body); }

static void simulated_body(struct session *s)
{
    struct named_vlun_freed some = {.chunks = 2, .freed = 1};
    char said[64] = "";

    named_vlun_say_taken(s, &some, said, sizeof said);
    cr_assert_str_eq(said, "", "it is wiped in a moment");
}

Test(named_vlun, in_the_simulator_it_is) { with_session(NULL, simulated_body); }

static void reach_body(struct session *s)
{
    struct named_vlun v;

    cr_assert_eq(make(s, 1, "a", 1, 1), 0);
    cr_assert_eq(named_vlun_reach(s, "a", &v, why, sizeof why), 0);
    cr_assert_eq(v.lun, 1);
    cr_assert_eq(named_vlun_reach(s, "b", &v, why, sizeof why), -ENOENT);
    cr_assert(strstr(why, "there is no virtual LUN 'b'"), "%s", why);
}

Test(named_vlun, what_can_be_opened) { with_session(NULL, reach_body); }
