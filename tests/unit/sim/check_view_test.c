/* SPDX-License-Identifier: Apache-2.0 */
/* What the model tells an observer, and the AFU view that checkers are given. */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/afu/sim_afu.h"
#include "sim/check/check.h"
#include "sim/sim_bus.h"
#include "tests/unit/sim/sim_afu_fixture.h"

/* ---- an observer that writes down ----
 */

static struct {
    struct sim_watch watch;
    struct sim_watched last[SIM_WATCH_AFU_RESET + 1];
    unsigned count[SIM_WATCH_AFU_RESET + 1];
} heard;

static void told(struct sim_watch *self, const struct sim_watched *w)
{
    cr_assert_eq(self, &heard.watch);
    heard.last[w->what] = *w;
    heard.count[w->what]++;
}

static void begin(void)
{
    static const uint64_t chunks[] = {2, 1};

    up_flashsystem();
    model_virtual(m, &user, 0, chunks, 2, 0, AFU_PERM_RW);
    memset(&heard, 0, sizeof heard);
    heard.watch.told = told;
    m->afu->watch = &heard.watch;
}

static void end(void)
{
    m->afu->watch = NULL;
    down();
}

TestSuite(check_view, .init = begin, .fini = end);

static void expect(enum sim_watch_what what, const struct sim_watched *wanted)
{
    const struct sim_watched *w = &heard.last[what];

    cr_assert_eq(heard.count[what], 1, "told %u times", heard.count[what]);
    cr_assert_eq(w->number, wanted->number);
    cr_assert_eq(w->context, wanted->context);
    cr_assert_eq(w->handle, wanted->handle);
    cr_assert_eq(w->ea, wanted->ea);
    cr_assert_eq(w->value, wanted->value);
    cr_assert_eq(w->other, wanted->other);
    cr_assert_eq(w->thread, wanted->thread);
    cr_assert_eq(w->good, wanted->good);
}

#define EXPECT(what_, ...) expect(what_, &(struct sim_watched){.what = (what_), __VA_ARGS__})

Test(check_view, a_command_and_its_blocks)
{
    const struct sim_watched *w = &heard.last[SIM_WATCH_MEDIA];

    model_rw(m, &user, 0, true, 0, 65536 + 5, 2, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    EXPECT(SIM_WATCH_COMMAND, .context = user.handle);
    EXPECT(SIM_WATCH_MEDIA, .context = user.handle, .value = 1 * 65536 + 5, .other = 2,
           .good = true);
    cr_assert(w->by_handle);
    cr_assert_eq(w->lun_id, 0);
    cr_assert_eq(w->port, 0);
    cr_assert_eq(w->index, 1);
    model_rw(m, &user, 1, false, 0, 65535, 2, m->buffer); /* over the end of a chunk */
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(heard.count[SIM_WATCH_MEDIA], 3);
    cr_assert_not(w->good);
    cr_assert_eq(w->value, 65536);
    cr_assert_eq(w->other, 1);
}

Test(check_view, syncs_that_end)
{
    char why[64];

    cr_assert_eq(model_sync(m, AFU_SYNC_HW, user.handle, 3), 0);
    EXPECT(SIM_WATCH_SYNCED, .number = AFU_SYNC_HW, .context = user.handle, .handle = 3,
           .good = true);
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "afucmd#1=x", why, sizeof why), 0);
    cr_assert_neq(model_sync(m, AFU_SYNC_LW, user.handle, 0), 0);
    cr_assert_eq(heard.count[SIM_WATCH_SYNCED], 2);
    cr_assert_not(heard.last[SIM_WATCH_SYNCED].good);
}

Test(check_view, lives_of_contexts_and_loads)
{
    static struct model_ctx other;

    model_ctx_start(m, &other, false, HAL_ORDER_LITTLE);
    EXPECT(SIM_WATCH_CTX_START, .context = other.handle);
    memset(heard.count, 0, sizeof heard.count);
    cr_assert_eq(model_load(m, &other, AFU_HOST_ENDIAN_CTRL), 0);
    EXPECT(SIM_WATCH_LOAD, .context = other.handle,
           .ea = AFU_HOST_BASE(other.handle) + AFU_HOST_ENDIAN_CTRL);
    cr_assert_eq(heard.count[SIM_WATCH_CTX_END], 0);
    model_ctx_end(m, &other);
    EXPECT(SIM_WATCH_CTX_END, .context = other.handle);
}

Test(check_view, what_the_host_does)
{
    static _Alignas(128) uint64_t table[32];

    cr_assert_eq(sim_bus_mem_add(m->afu, table, sizeof table, "table"), 0);
    sim_bus_table_store(m->afu, 5, &table[3], 77);
    EXPECT(SIM_WATCH_STORE, .thread = 5, .ea = (uintptr_t)&table[3], .value = 77);
    sim_bus_table_stored(m->afu);
    EXPECT(SIM_WATCH_STORED);
    sim_bus_publish(m->afu, 5, 1);
    EXPECT(SIM_WATCH_PUBLISH, .thread = 5);
    sim_bus_note(m->afu, 7, 1, 8, 9);
    expect(SIM_WATCH_NOTE, &(struct sim_watched){.thread = 7, .number = 1, .value = 8, .other = 9});
    sim_bus_mem_remove(m->afu, table);
    EXPECT(SIM_WATCH_RELEASE, .ea = (uintptr_t)table, .value = sizeof table);
}

/* ---- the view ----
 */

static struct check_view_room room;

static struct check_view take_some(const uint64_t *only)
{
    struct check_view v;

    room.ctx.world = room.entry.world = room.word.world = m->world;
    cr_assert(check_view_take(m->afu, only, &room, &v));
    return v;
}

static struct check_view take(void) { return take_some(NULL); }

static void forget(void)
{
    check_room_fini(&room.ctx);
    check_room_fini(&room.entry);
    check_room_fini(&room.word);
}

Test(check_view, memory)
{
    struct check_view v;

    user.rht[4] =
        afu_rht_pack_direct(HAL_ORDER_LITTLE, &(struct afu_rht_direct){5, true, AFU_PERM_READ, 2});
    v = take();
    cr_assert_eq(v.ctxs, 2);
    cr_assert(v.ctx[0].master);
    cr_assert_eq(v.ctx[1].number, user.handle);
    cr_assert_eq(v.ctx[1].rht_start, (uintptr_t)user.rht);
    cr_assert_eq(v.entries, 2);
    cr_assert_eq(v.entry[0].source, CHECK_MEMORY);
    cr_assert_eq(v.entry[0].context, user.handle);
    cr_assert_eq(v.entry[0].start, (uintptr_t)m->lxt);
    cr_assert_eq(v.entry[0].count, 2);
    cr_assert_eq(v.entry[0].permissions, AFU_PERM_RW);
    cr_assert_eq(v.entry[0].nmask, 16);
    cr_assert_geq(v.entry[0].room, 2);
    cr_assert(v.entry[1].direct && v.entry[1].valid);
    cr_assert_eq(v.entry[1].handle, 4);
    cr_assert_eq(v.entry[1].start, 5);
    cr_assert_eq(v.words, 2);
    cr_assert_eq(v.word[0].word, 2 << 16 | 0x33);
    cr_assert_eq(v.word[1].word, 1 << 16 | 0x33);
    cr_assert_eq(v.word[1].index, 1);
    cr_assert_eq(v.lun_table[1][1], afu_lun_id(1));
    forget();
}

/* Memory and cache of contexts that are asked for. */
Test(check_view, a_part)
{
    uint64_t only[SIM_CONTEXTS_MAX / 64] = {0};
    struct check_view v;

    model_rw(m, &user, 0, false, 0, 65536, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    v = take_some(only);
    cr_assert_eq(v.ctxs + v.entries + v.words, 0);
    only[user.handle / 64] = UINT64_C(1) << user.handle % 64;
    v = take_some(only);
    cr_assert_eq(v.ctxs, 1);
    cr_assert_eq(v.ctx[0].number, user.handle);
    cr_assert_eq(v.entries, 2, "in memory and in the cache");
    cr_assert_eq(v.words, 3);
    forget();
}

/* Entries of which nobody told are found when everything is looked at, or when nothing is known. */
Test(check_view, a_part_is_what_was_stored)
{
    uint64_t only[SIM_CONTEXTS_MAX / 64] = {0};

    only[user.handle / 64] = UINT64_C(1) << user.handle % 64;
    cr_assert_eq(take().entries, 1);
    user.rht[7] = user.rht[0];
    cr_assert_eq(take_some(only).entries, 1);
    check_view_stored(&room, user.handle, 7);
    cr_assert_eq(take_some(only).entries, 2);
    user.rht[9] = user.rht[0];
    check_view_forget(&room, user.handle);
    cr_assert_eq(take_some(only).entries, 3);
    user.rht[200] = user.rht[0];
    cr_assert_eq(take().entries, 4);
    cr_assert_eq(take_some(only).entries, 4);
    user.rht[201] = user.rht[0];
    room.untold = true;
    cr_assert_eq(take_some(only).entries, 5);
    room.untold = false;
    forget();
}

/* What was read outlives its memory, until a sync. */
Test(check_view, the_cache)
{
    struct check_view v;

    model_rw(m, &user, 0, false, 0, 65536, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    memset(&user.rht[0], 0, sizeof user.rht[0]);
    v = take();
    cr_assert_eq(v.entries, 1);
    cr_assert_eq(v.entry[0].source, CHECK_CACHE);
    cr_assert_eq(v.entry[0].context, user.handle);
    cr_assert_eq(v.entry[0].count, 2);
    cr_assert_eq(v.words, 1);
    cr_assert_eq(v.word[0].source, CHECK_CACHE);
    cr_assert_eq(v.word[0].context, user.handle);
    cr_assert_eq(v.word[0].index, 1);
    cr_assert_eq(v.word[0].word, 1 << 16 | 0x33);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 0), 0);
    v = take();
    cr_assert_eq(v.entries + v.words, 0);
    forget();
}

/* A walk that has read the RHT entry and goes for the LXT entry; without a cache nothing else shows
 * it. */
Test(check_view, a_walk_in_progress)
{
    bool seen = false;

    sim_afu_params_mutable(m->afu)->xlt_entries = 0;
    model_rw(m, &user, 0, false, 0, 65536, 1, m->buffer);
    model_doorbell(m, &user, 0);
    for (unsigned i = 0; i < 2000; i++) {
        struct check_view v;

        model_run(m, 1);
        v = take();
        for (uint32_t k = 0; k < v.entries; k++)
            seen |= v.entry[k].source == CHECK_WALK && v.entry[k].context == user.handle &&
                    v.entry[k].handle == 0 && v.entry[k].count == 2;
    }
    cr_assert(seen);
    forget();
    sim_afu_params_mutable(m->afu)->xlt_entries = 64;
}
