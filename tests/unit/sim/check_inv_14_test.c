/* SPDX-License-Identifier: Apache-2.0 */
/* INV-14 and INV-15: traces of stores, publishes and syncs. */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/check/check_books.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/check_fixture.h"

enum { ME = 1, OTHER = 2, CTX = FIX_RW, HANDLE = 3, ROOM = 8 };

#define ENTRY (FIX_RHT_RW + HANDLE * 16)
#define ARRAY UINT64_C(0x70000)

/* One entry, as it would be in memory with all stores so far. */
static struct {
    struct check_order order;
    struct afu_rht_entry entry;
    struct check_verdict v;
} t;

static void begin(void)
{
    memset(&t, 0, sizeof t);
    check_fixture_make();
}

TestSuite(check_inv_14, .init = begin);

static bool store_lxt(uint64_t ea)
{
    struct check_store s = {.ea = ea, .thread = ME};

    return check_order_store(&t.order, &s, NULL, &t.v);
}

static bool store_word(unsigned word, struct afu_rht_entry now, uint64_t room)
{
    struct check_store s = {.ea = ENTRY + word * 8,
                            .value = now.word[word],
                            .thread = ME,
                            .in_rht = true,
                            .context = CTX,
                            .handle = HANDLE,
                            .order = HAL_ORDER_LITTLE,
                            .word = word,
                            .old = t.entry,
                            .room = room};

    t.entry.word[word] = now.word[word];
    s.entry = t.entry;
    return check_order_store(&t.order, &s, NULL, &t.v);
}

static struct afu_rht_entry virt(uint64_t lxt, uint32_t count)
{
    return afu_rht_pack_virtual(HAL_ORDER_LITTLE,
                                &(struct afu_rht_virtual){lxt, count, AFU_PERM_RW, 16});
}

static bool pointer(uint64_t lxt, uint64_t room) { return store_word(0, virt(lxt, 0), room); }

static bool count(uint32_t n) { return store_word(1, virt(0, n), 0); }

static void publish(void) { check_order_publish(&t.order, ME); }

static bool end(int rc)
{
    fix.p->n.held = 0;
    if (rc < 0)
        check_order_failed(&t.order, ME);
    return check_order_request(&t.order, fix.p, &t.v);
}

static bool says(const char *what) { return t.v.invariant == 14 && strstr(t.v.text, what); }

/* An open handle of n entries at ARRAY, synced. */
static void open_with(uint32_t n)
{
    begin();
    t.entry = virt(n ? ARRAY : 0, n);
}

/* ---- grow: VL-19 ---- */

Test(check_inv_14, grow)
{
    begin();
    cr_assert(count(0));
    publish();
    cr_assert(store_lxt(ARRAY));
    cr_assert(store_lxt(ARRAY + 8));
    publish();
    cr_assert(pointer(ARRAY, ROOM));
    publish();
    cr_assert(count(2));
    publish();
    check_order_synced(&t.order, CTX, HANDLE, false);
    cr_assert(end(0));
    PROVES(INV_14);
}

Test(check_inv_14, entries_come_before_pointer_and_count)
{
    open_with(0);
    cr_assert(pointer(ARRAY, ROOM)); /* leads nowhere yet, and entries come first all the same */
    publish();
    cr_assert_not(store_lxt(ARRAY + 8));
    cr_assert(says("an LXT entry is stored after the pointer to its array"));
    cr_assert_not(count(2));
    cr_assert(says("the count is stored before its entries are published"));
    open_with(0);
    cr_assert(store_lxt(ARRAY));
    cr_assert(pointer(ARRAY, ROOM));
    publish();
    cr_assert(store_lxt(ARRAY + ROOM * 8), "that is another array");
    cr_assert(count(1));
    publish();
    cr_assert(store_lxt(ARRAY + 8), "the next grow, in place");
    open_with(2);
    cr_assert(store_lxt(ARRAY + 0x1000));
    cr_assert(store_lxt(ARRAY + 0x1008));
    publish();
    cr_assert(pointer(ARRAY + 0x1000, 16));
    publish();
    cr_assert_not(store_lxt(ARRAY + 0x1010), "one of those that are added");
    cr_assert(says("after the pointer"));
    open_with(2);
    cr_assert(store_lxt(ARRAY + 0x1000));
    cr_assert_not(pointer(ARRAY + 0x1000, 16));
    cr_assert(says("the pointer is stored before its entries are published"));
    PROVES(INV_14);
}

Test(check_inv_14, pointer_comes_before_count)
{
    open_with(0);
    cr_assert_not(count(2));
    cr_assert(says("the count is stored before the pointer"));
    open_with(0);
    cr_assert(pointer(ARRAY, ROOM));
    cr_assert_not(count(2));
    cr_assert(says("without a publish between them"));
    PROVES(INV_14);
}

Test(check_inv_14, another_thread_publishes_its_own_stores)
{
    open_with(0);
    cr_assert(pointer(ARRAY, ROOM));
    check_order_publish(&t.order, OTHER);
    cr_assert_not(count(1));
    PROVES(INV_14);
}

/* It ends while others are under way, and they end well: each answers for its own. */
Test(check_inv_14, a_request_that_failed_needs_no_sync)
{
    open_with(2);
    cr_assert(count(3));
    check_order_failed(&t.order, ME);
    cr_assert(end(0));
    open_with(2);
    cr_assert(count(3));
    check_order_failed(&t.order, OTHER);
    cr_assert_not(end(0));
    PROVES(INV_14);
}

Test(check_inv_14, a_sync_follows)
{
    open_with(2);
    cr_assert(count(3));
    publish();
    cr_assert_not(end(0));
    cr_assert(says("context 4 handle 3 was changed, without a sync"));
    open_with(2);
    cr_assert(count(3));
    check_order_synced(&t.order, CTX, HANDLE + 1, true);
    check_order_synced(&t.order, CTX + 1, HANDLE, true);
    cr_assert_not(end(0), "a sync of somebody else");
    PROVES(INV_14);
}

Test(check_inv_14, a_failed_request_says_so)
{
    open_with(2);
    cr_assert(count(3));
    cr_assert(end(-11)); /* EAGAIN, VL-33 */
    cr_assert(end(0));   /* and the next one is not to blame */
}

Test(check_inv_14, a_quarantined_handle_may_be_left_unsynced)
{
    open_with(2);
    cr_assert(count(0));
    fix.held[0].context = CTX;
    cr_assert(check_order_request(&t.order, fix.p, &t.v));
    cr_assert(count(1));
    check_order_ended(&t.order, CTX);
    cr_assert(end(0));
}

/* ---- shrink: VL-25 ---- */

Test(check_inv_14, shrink)
{
    open_with(9);
    cr_assert(store_lxt(ARRAY + 0x1000));
    publish();
    cr_assert(count(1));
    publish();
    cr_assert(pointer(ARRAY + 0x1000, ROOM));
    publish();
    check_order_synced(&t.order, CTX, HANDLE, false);
    cr_assert_not(end(0), "a light sync is not enough");
    cr_assert(says("without a heavy sync"));
    open_with(9);
    cr_assert(count(0));
    publish();
    cr_assert(pointer(0, 0));
    publish();
    check_order_synced(&t.order, CTX, HANDLE, true);
    cr_assert(end(0));
    PROVES(INV_14);
}

Test(check_inv_14, count_goes_before_the_pointer)
{
    open_with(9);
    cr_assert_not(pointer(ARRAY + 0x1000, ROOM));
    cr_assert(says("the pointer to fewer entries is stored before their count"));
    open_with(1);
    cr_assert_not(pointer(0, 0));
    cr_assert(says("the pointer to fewer entries is stored before their count"));
    PROVES(INV_14);
}

/* VL-37. */
Test(check_inv_14, handles_are_opened_empty)
{
    begin();
    cr_assert_not(count(1));
    cr_assert(says("opened with a pointer or a count"));
    begin();
    cr_assert(pointer(ARRAY, ROOM));
    publish();
    cr_assert_not(count(0));
    PROVES(INV_14);
}

Test(check_inv_14, entries_in_use_do_not_change)
{
    struct check_store s = {.ea = FIX_LXT + 16, .thread = ME};

    cr_assert_not(check_order_store(&t.order, &s, check_fixture_input().owned, &t.v));
    cr_assert(says("that the AFU can reach already"));
    s.ea = FIX_LXT + 24; /* behind the count */
    cr_assert(check_order_store(&t.order, &s, check_fixture_input().owned, &t.v));
}

/* ---- direct: VL-49 ---- */

static bool direct(unsigned word, uint64_t lun_id, bool valid)
{
    return store_word(word,
                      afu_rht_pack_direct(HAL_ORDER_LITTLE,
                                          &(struct afu_rht_direct){lun_id, valid, AFU_PERM_RW, 1}),
                      0);
}

static void publish_direct(void)
{
    begin();
    cr_assert(direct(1, 0, false)); /* D1 */
    publish();
    cr_assert(direct(0, 77, false)); /* D2 */
    publish();
    cr_assert(direct(1, 77, true)); /* D3 */
    publish();
    check_order_synced(&t.order, CTX, HANDLE, false);
    cr_assert(end(0));
}

Test(check_inv_14, valid_is_last_and_first)
{
    publish_direct();
    cr_assert_not(direct(0, 0, true));
    cr_assert(says("the LUN id changes while the entry is valid"));
    publish_direct();
    cr_assert(direct(1, 0, false)); /* R1 */
    cr_assert_not(direct(0, 0, false), "no publish");
    publish_direct();
    cr_assert(direct(1, 0, false));
    publish();
    cr_assert(direct(0, 0, false)); /* R2 */
    publish();
    cr_assert(store_word(1, (struct afu_rht_entry){{0}}, 0)); /* R3 */
    publish();
    check_order_synced(&t.order, CTX, HANDLE, false);
    cr_assert_not(end(0), "a heavy one is needed");
    PROVES(INV_14);
}

/* ---- INV-15 ---- */

static uint64_t revoke_memory[64];

static struct check_revokes lost(uint64_t chunk, uint32_t lun, uint16_t context, uint32_t handle)
{
    struct check_revokes r = {.room = {.block = revoke_memory, .size = sizeof revoke_memory}};

    check_revokes_add(&r, &(struct check_revoked){chunk, lun, handle, context});
    return r;
}

static bool look(const struct check_revokes *r)
{
    struct check_input in = check_fixture_input();

    return check_revokes_look(r, &in, &t.v);
}

Test(check_inv_14, chunks_are_free_only_after_a_heavy_sync)
{
    struct check_revokes r = lost(7, 0, FIX_RO, 3);

    cr_assert(look(&r)); /* still allocated */
    fix.lun[0].runs.count = 2;
    cr_assert_not(look(&r));
    cr_assert_eq(t.v.invariant, 15);
    cr_assert_not_null(strstr(t.v.text, "chunk 7 is free, and context 5 handle 3 lost it"));
    check_revokes_synced(&r, FIX_RO, 2);
    check_revokes_synced(&r, FIX_RW, 3);
    cr_assert_not(look(&r), "others were synced");
    check_revokes_synced(&r, FIX_RO, 3);
    cr_assert(look(&r));
    PROVES(INV_15);
}

/* It was free, and nobody has looked meanwhile. */
Test(check_inv_14, a_chunk_with_a_new_owner_was_free)
{
    struct check_revokes r = lost(7, 0, FIX_RO, 3);

    fix.chunk[2] = 7; /* of context 4 */
    fix.held[0].chunks.count = 0;
    cr_assert_not(look(&r));
    cr_assert_eq(t.v.invariant, 15);
    cr_assert_not_null(strstr(t.v.text, "chunk 7 is not in quarantine, and context 5 handle 3"));
    fix.held[0].chunks.count = 1;
    cr_assert(look(&r), "a clone of the handle has it");
    fix.held[0].context = FIX_RW;
    cr_assert_not(look(&r), "it is held for another context");
    check_revokes_synced(&r, FIX_RO, 3);
    cr_assert(look(&r));
    PROVES(INV_15);
}

Test(check_inv_14, so_are_modes_of_luns)
{
    struct check_revokes r = lost(CHECK_WHOLE, 1, FIX_RW, 1);

    cr_assert_not(look(&r), "nothing holds it, and another handle may have been opened");
    fix.held[0] = (struct hal_picture_held){.lun = 1, .context = FIX_RW, .handle = 1};
    cr_assert(look(&r));
    fix.lun[1].mode = HAL_PICTURE_FREE;
    cr_assert_not(look(&r));
    cr_assert_not_null(strstr(t.v.text, "LUN 1 may change its mode"));
    fix.lun[1].mode = HAL_PICTURE_VIRTUAL;
    cr_assert_not(look(&r));
    PROVES(INV_15);
}

Test(check_inv_14, so_are_handles)
{
    struct check_revokes r = lost(7, 0, CTX, HANDLE);
    struct check_store s = {
        .in_rht = true, .context = CTX, .handle = HANDLE, .word = 1, .entry = virt(0, 0)};

    cr_assert_not(check_revokes_store(&r, &s, &t.v));
    cr_assert_eq(t.v.invariant, 15);
    s.old = s.entry; /* it is open, and lost some of what it had */
    cr_assert(check_revokes_store(&r, &s, &t.v));
    s.old = (struct afu_rht_entry){{0}};
    s.handle = HANDLE + 1;
    cr_assert(check_revokes_store(&r, &s, &t.v));
    PROVES(INV_15);
}

/* ---- when a store has arrived ---- */

static struct afu_rht_entry arrived;

static bool read_arrived(void *arg, uint64_t ea, uint64_t *value)
{
    (void)arg;
    *value = arrived.word[(ea - ENTRY) / 8];
    return true;
}

static bool has_arrived(void) { return check_order_arrived(&t.order, read_arrived, NULL); }

Test(check_inv_14, words_arrive_when_they_do)
{
    open_with(2);
    arrived = t.entry;
    cr_assert_not(has_arrived());
    cr_assert(count(1));
    cr_assert_not(has_arrived(), "it is on its way");
    arrived.word[1] = t.entry.word[1];
    cr_assert(has_arrived());
    cr_assert_not(has_arrived(), "once");
    publish();
    cr_assert_not(has_arrived());
}

/* What the AFU can reach is the same before and after it: a pointer whose count is 0. */
Test(check_inv_14, words_that_show_nothing_are_not_waited_for)
{
    open_with(0);
    arrived = t.entry;
    cr_assert(pointer(ARRAY, ROOM));
    arrived.word[0] = t.entry.word[0];
    cr_assert_not(has_arrived());
}

static void sync_ends(void) { check_order_synced(&t.order, CTX, HANDLE, true); }

/* A false alarm of a long random run: the word was forgotten with those that the doorbell of the
 * sync had published, and its arrival with it. */
Test(check_inv_14, a_word_stored_behind_the_doorbell_is_still_on_its_way)
{
    open_with(3);
    arrived = t.entry;
    cr_assert(count(2));
    arrived.word[1] = t.entry.word[1];
    cr_assert(has_arrived()); /* with the doorbell */
    cr_assert(count(1));
    sync_ends();
    cr_assert_not(has_arrived());
    arrived.word[1] = t.entry.word[1];
    cr_assert(has_arrived());
}

/* Likewise: nobody publishes for a lost context, so its stores would be waited for without end. */
Test(check_inv_14, words_of_lost_contexts_are_not_waited_for)
{
    struct check_store s = {.ea = ENTRY, .value = ARRAY, .thread = ME};
    uint64_t value = 0;

    open_with(1);
    arrived = t.entry;
    check_order_store_lost(&t.order, &s);
    arrived.word[0] = ARRAY;
    cr_assert_not(has_arrived());
    cr_assert(check_order_stored(&t.order, ENTRY, &value), "it is what core believes");
    cr_assert_eq(value, ARRAY);
}
