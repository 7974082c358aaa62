/* SPDX-License-Identifier: Apache-2.0 */
/* Handles and names at random, with syncs, records and allocations that fail, a device that shrinks
 * and grows, and adapters that are opened again. After every verb the books must balance (INV-1,
 * INV-2, INV-18), and at every publish and record the rig looks at what the AFU could see and at
 * what a crash would leave.
 *
 * A failure prints its seed; SPIPE_TEST_SEED=<number> in the environment runs that one. */
#include "core/catalogue/names.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/lun/lun_size.h"
#include "hal/support/prng.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

TestSuite(names_model, .timeout = 240);

enum { CONTEXTS = 3, HANDLES = 4, NAMES = 3, CHUNKS = 40, STEPS = 400, ROUNDS = 60 };

static struct hal_prng prng;
static struct spipe_ctx *ctx[CONTEXTS];

static uint64_t below(uint64_t n) { return hal_prng_below(&prng, n); }

static const char *any_name(void)
{
    static const char *const names[NAMES] = {"alpha", "beta", "gamma"};

    return names[below(NAMES)];
}

/* ---- what may go wrong ---- */

static void arrange_failures(void)
{
    enum rec_sync outcome[4];

    rig.store.fail = below(6) ? 0 : below(2) ? -EIO : -ENOSPC;
    rig.exec.fail_after = below(8) ? FAKE_EXEC_NEVER : (int64_t)below(4);
    for (unsigned i = 0; i < 4; i++)
        outcome[i] = below(4) ? REC_SYNC_OK : REC_SYNC_ERROR;
    recording_hal_syncs(&rig.hal, outcome, 4);
}

static void all_is_well(void)
{
    rig.store.fail = 0;
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    recording_hal_syncs(&rig.hal, NULL, 0);
}

/* ---- verbs ---- */

static void attach_all(void)
{
    ctx[0] = rig.ctx;
    for (unsigned i = 1; i < CONTEXTS; i++)
        ctx[i] = rig_attach(0);
}

static void do_resize(struct spipe_ctx *c, uint32_t h)
{
    uint64_t last = 1, wanted = below(4) ? below(20) : UINT32_MAX;
    const struct spipe__resource *v = spipe__ctx_vlun(c, h);
    int rc = spipe_resize(c, h, wanted * SPIPE_CHUNK_BLOCKS, &last);

    if (!v) {
        cr_assert_eq(rc, -EINVAL);
        return;
    }
    if (rc)
        return;
    cr_assert_leq(v->size, wanted);
    cr_assert_eq(last, spipe__vlun_last_lba(v->size, 4096));
    if (v->name[0])
        cr_assert_eq(spipe__cat_find(rig.s.group->catalogue, v->name)->chunk_count, v->size);
}

static void do_set(struct spipe_ctx *c, uint32_t h)
{
    const char *name = any_name();
    const struct spipe__resource *v = spipe__ctx_vlun(c, h);
    int rc = spipe_name_set(c, h, name, 0);

    if (!v)
        cr_assert_eq(rc, -EINVAL);
    else if (rc == 0)
        cr_assert_eq(spipe__cat_find(rig.s.group->catalogue, name)->chunk_count, v->size);
}

static void do_open(struct spipe_ctx *c)
{
    uint32_t h;
    uint64_t last;
    int rc;

    if (below(2))
        rc = spipe_open_virtual(c, 0, below(12) * SPIPE_CHUNK_BLOCKS, &h, &last);
    else
        rc = spipe_name_open(c, any_name(), &h, &last);
    if (rc == 0 && h >= HANDLES)
        do { /* keeps the number of handles small */
            all_is_well();
        } while (spipe_release(c, h));
}

static void do_detach(unsigned i)
{
    cr_assert_eq(spipe_detach(ctx[i], 0), 0);
    all_is_well();
    ctx[i] = rig_attach(0);
}

/* Never larger than the one that the adapter is opened with again, which names must fit. */
static void do_device(void)
{
    struct spipe__capacity now = {.last_lba = below(CHUNKS * SPIPE_CHUNK_BLOCKS + 99),
                                  .block_size = 4096};
    int rc;

    rc = spipe__lun_set_capacity(&rig.s, rig.s.lun[0].global, &now);
    cr_assert(rc == 0 || rc == -ENOMEM);
    spipe__lun_move_end(&rig.s, rig.s.lun[0].global);
}

static void step(void)
{
    unsigned i = (unsigned)below(CONTEXTS);
    uint32_t h = (uint32_t)below(HANDLES);
    int rc = 0;

    switch (below(12)) {
    case 0:
    case 1:
        do_open(ctx[i]);
        break;
    case 2:
        rc = spipe_release(ctx[i], h);
        break;
    case 3:
    case 4:
        do_set(ctx[i], h);
        break;
    case 5:
        rc = spipe_name_remove(&rig.s, any_name());
        break;
    case 6:
        if (below(4) == 0)
            do_detach(i);
        break;
    case 7:
        if (below(8) == 0)
            rig.s.generation++; /* as after an AFU init */
        break;
    case 8:
        if (below(2))
            do_device();
        break;
    default:
        do_resize(ctx[i], h);
    }
    (void)rc; /* anything may be refused; the books must balance */
}

static void round_of(enum hal_order order)
{
    rig_begin(order, CHUNKS);
    rig.hal.silent = true;
    attach_all();
    for (unsigned n = 0; n < STEPS; n++) {
        arrange_failures();
        step();
        all_is_well();
        rig_check_books();
        if (below(100) == 0) {
            rig_restart(CHUNKS);
            rig.hal.silent = true;
            attach_all();
            rig_check_books();
        }
    }
    rig_end();
}

Test(names_model, books_balance)
{
    uint64_t seed = test_seed(1);

    for (unsigned n = 0; n < ROUNDS; n++) {
        hal_prng_seed(&prng, seed, n);
        round_of(n % 2 ? HAL_ORDER_BIG : HAL_ORDER_LITTLE);
    }
    PROVES(R_50);
}
