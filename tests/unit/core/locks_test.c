/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever needs the books for many chunks holds them for some at a time, and asks for them again
 * behind those that wait: nobody waits longer for a large resize than for a small one. */
#include <criterion/criterion.h>

#include "core/lun/lun_size.h"
#include "tests/testlib/core_rig.h"

TestSuite(locks, .timeout = 120);

enum {
    HALF_LUN = 131072,
    STEPS = 64,               /* of the allocator, in one piece: */
    PIECE = STEPS,            /* a chunk each, */
    WHOLE_WORDS = 64 * STEPS, /* or 64, where all of them are free or given back, */
    HALF_WORDS = 32 * STEPS,  /* or as many as there are */
    LOOK = 1024,              /* chunks that may have to be parked: they are looked at, no more */
    NAMED = 1000,
};

/* What stands in front of the mutexes of the rig. */
static struct exec_ops watching;
static const struct exec_ops *inner;

static struct {
    bool clones;             /* references are counted one by one, which takes a while */
    uint64_t before;         /* references when the books were taken */
    uint64_t most;           /* that changed while they were held once */
    unsigned behind;         /* how often they were asked for from behind */
    uint64_t most_in_front;  /* that changed while they were held without that */
    bool from_behind, holds; /* now */
} seen;

static uint64_t references(void)
{
    const struct spipe__ba *ba = rig.s.lun[0].global->ba;
    uint64_t n = ba ? spipe__ba_total(ba) - spipe__ba_space(ba) : 0;

    for (uint64_t c = 0; ba && seen.clones && c < spipe__ba_total(ba); c++)
        if (spipe__ba_references(ba, c))
            n += spipe__ba_references(ba, c) - 1;
    return n;
}

static bool are_books(const struct exec_mutex *m) { return m == &rig.s.group->books; }

static void took(const struct exec_mutex *m, bool from_behind)
{
    if (!are_books(m))
        return;
    seen.behind += from_behind;
    seen.from_behind = from_behind;
    seen.holds = true;
    seen.before = references();
}

static void mutex_lock(struct exec *e, struct exec_mutex *m)
{
    inner->mutex_lock(e, m);
    took(m, false);
}

static void mutex_lock_behind(struct exec *e, struct exec_mutex *m)
{
    inner->mutex_lock_behind(e, m);
    took(m, true);
}

static void mutex_unlock(struct exec *e, struct exec_mutex *m)
{
    uint64_t now, changed;

    if (are_books(m) && seen.holds) {
        now = references();
        changed = now > seen.before ? now - seen.before : seen.before - now;
        seen.most = hal_max64(seen.most, changed);
        if (!seen.from_behind)
            seen.most_in_front = hal_max64(seen.most_in_front, changed);
        seen.holds = false;
    }
    inner->mutex_unlock(e, m);
}

/* Nobody looks at the entries, which are more than the device can write down. */
static void plain_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    (void)dev;
    *(uint64_t *)addr = value;
}

static void store_plainly(void)
{
    static struct hal_ops ops;

    ops = *rig.hal.dev.ops;
    ops.table_store = plain_store;
    rig.hal.dev.ops = &ops;
    rig.hal.silent = true;
    rig.watching = false;
}

static void begin(uint64_t chunks)
{
    rig_begin(HAL_ORDER_LITTLE, chunks);
    inner = rig.exec.exec.ops;
    watching = *inner;
    watching.mutex_lock = mutex_lock;
    watching.mutex_lock_behind = mutex_lock_behind;
    watching.mutex_unlock = mutex_unlock;
    rig.exec.exec.ops = &watching;
}

static void forget(void) { seen.most = seen.most_in_front = seen.behind = 0; }

static void expect_pieces_of(unsigned size, unsigned pieces)
{
    cr_assert_eq(seen.most, size);
    cr_assert_leq(seen.most_in_front, 1);
    cr_assert_eq(seen.behind, pieces);
    forget();
}

/* Between nothing and `chunks`, all that there are. */
static void resize(uint32_t handle, unsigned chunks, unsigned piece)
{
    forget();
    cr_assert_eq(rig_resize(rig.ctx, handle, chunks), 0);
    expect_pieces_of(piece, chunks / piece);
    cr_assert_eq(rig_resize(rig.ctx, handle, 0), 0);
    expect_pieces_of(piece, chunks / piece);
}

static uint32_t begin_with_handle(uint64_t chunks)
{
    begin(chunks);
    store_plainly();
    return rig_open(rig.ctx, 0);
}

static void end(uint32_t handle)
{
    cr_assert_eq(spipe_release(rig.ctx, handle), 0); /* too large for the books of the rig */
    rig_end();
}

Test(locks, a_resize_holds_the_books_for_some_words_at_a_time)
{
    uint32_t handle = begin_with_handle(HALF_LUN);

    resize(handle, HALF_LUN, WHOLE_WORDS);
    cr_assert_eq(rig_free(), HALF_LUN);
    end(handle);
}

static void take_chunks(uint64_t first, uint64_t last, uint64_t every)
{
    for (uint64_t c = first; c < last; c += every)
        cr_assert_eq(spipe__ba_reserve(rig.s.lun[0].global->ba, c), 0);
}

static void return_chunks(uint64_t first, uint64_t last, uint64_t every)
{
    for (uint64_t c = first; c < last; c += every)
        cr_assert_eq(spipe__ba_free(rig.s.lun[0].global->ba, c), 0);
}

Test(locks, however_few_chunks_of_a_word_are_free)
{
    uint32_t handle = begin_with_handle(HALF_LUN);

    take_chunks(0, HALF_LUN, 2);
    resize(handle, HALF_LUN / 2, HALF_WORDS);
    return_chunks(0, HALF_LUN, 2);
    end(handle);
}

/* One chunk of each word has another owner: chunks are given back one by one. */
Test(locks, shared_chunks_are_given_back_some_at_a_time)
{
    uint32_t handle = begin_with_handle(HALF_LUN);

    cr_assert_eq(rig_resize(rig.ctx, handle, HALF_LUN), 0);
    take_chunks(5, HALF_LUN, 64);
    seen.clones = true;
    forget();
    cr_assert_eq(rig_resize(rig.ctx, handle, 0), 0);
    seen.clones = false;
    expect_pieces_of(PIECE, HALF_LUN / PIECE);
    return_chunks(5, HALF_LUN, 64);
    cr_assert_eq(rig_free(), HALF_LUN);
    end(handle);
}

static void device_has(uint64_t chunks)
{
    struct spipe__global_lun *lun = rig.s.lun[0].global;
    struct spipe__capacity now = {.last_lba = chunks * SPIPE_CHUNK_BLOCKS - 1,
                                  .block_size = lun->block_size};

    cr_assert_eq(spipe__lun_set_capacity(&rig.s, lun, &now), 0);
    spipe__lun_move_end(&rig.s, lun);
}

/* Chunks beyond the end of the device are parked, and come back. */
Test(locks, a_device_that_shrinks_holds_the_books_for_some_chunks_at_a_time)
{
    uint32_t handle;

    begin(HALF_LUN);
    handle = rig_open(rig.ctx, 0);
    forget();
    device_has(LOOK);
    cr_assert_eq(rig_free(), LOOK);
    expect_pieces_of(LOOK, HALF_LUN / LOOK - 1);
    device_has(HALF_LUN);
    cr_assert_eq(rig_free(), HALF_LUN);
    expect_pieces_of(LOOK, HALF_LUN / LOOK - 1);
    cr_assert_eq(spipe_release(rig.ctx, handle), 0);
    rig_end();
}

/* The chunks of a name get one more owner when it is set, and when it is opened. */
Test(locks, names_hold_the_books_for_some_chunks_at_a_time)
{
    const unsigned pieces = (NAMED + PIECE - 1) / PIECE;
    uint32_t handle, named;
    uint64_t last;

    begin(NAMED);
    seen.clones = true;
    handle = rig_open(rig.ctx, NAMED);
    forget();
    cr_assert_eq(spipe_name_set(rig.ctx, handle, "name", 0), 0);
    expect_pieces_of(PIECE, pieces);
    cr_assert_eq(spipe_name_open(rig.ctx, "name", &named, &last), 0);
    cr_assert_eq(references(), 3 * NAMED);
    cr_assert_eq(seen.most, PIECE);
    forget();
    cr_assert_eq(spipe_name_remove(&rig.s, "name"), 0);
    cr_assert_leq(seen.most, PIECE);
    cr_assert_eq(references(), 2 * NAMED);
    seen.clones = false;
    rig_end();
}
