/* SPDX-License-Identifier: Apache-2.0 */
/* Named virtual LUNs: what survives a restart, who owns which chunk, and in which order record, AFU
 * and allocator change. names_model_test.c does the same at random. */
#include "core/catalogue/names.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/catalogue/name_binding.h"
#include "core/lun/lun_mode.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(names, .timeout = 60);

enum { CHUNK = 65536 }; /* blocks of LUN 0 */

static uint32_t make(const char *name, uint64_t chunks, uint64_t bytes)
{
    uint32_t h = rig_open(rig.ctx, chunks);

    cr_assert_eq(spipe_name_set(rig.ctx, h, name, bytes), 0);
    return h;
}

static uint32_t open_name(const char *name)
{
    uint32_t h = 99;
    uint64_t last;

    cr_assert_eq(spipe_name_open(rig.ctx, name, &h, &last), 0);
    return h;
}

static struct spipe_name_info stat_of(const char *name)
{
    struct spipe_name_info info;
    unsigned lun = 9;

    cr_assert_eq(spipe_name_stat(&rig.s, name, &info, &lun), 0);
    cr_assert_eq(lun, 0);
    cr_assert_str_eq(info.name, name);
    return info;
}

/* Chunks that the catalogue has for a name. */
static uint32_t recorded(const char *name)
{
    const struct spipe__cat_entry *e = spipe__cat_find(rig.s.group->catalogue, name);

    return e ? e->chunk_count : UINT32_MAX;
}

/* A handle of size 0 that had the name would otherwise record chunks of its own LUN under it. */
Test(names, an_empty_name_moves_to_another_lun)
{
    uint32_t here, there = 0;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 8);
    here = make("n", 0, 0);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    cr_assert_eq(spipe_open_virtual(rig.ctx, 1, 0, &there, &last), 0);
    cr_assert_eq(spipe_name_set(rig.ctx, there, "n", 0), 0);
    cr_assert_eq(rig_resize(rig.ctx, here, 2), 0);
    cr_assert_eq(recorded("n"), 0);
    rig_check_books();
    rig_end();
}

/* ---- life ---- */

Test(names, survive_a_restart)
{
    struct spipe_name_info info;
    uint32_t h;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 64);
    rig_open(rig.ctx, 2); /* so that the chunks of the name are 2, 3, 4 */
    h = make("vol", 3, 12345);
    for (unsigned i = 2; i < 5; i++)
        cr_assert_eq(rig_references(i), 2);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    for (unsigned i = 2; i < 5; i++)
        cr_assert_eq(rig_references(i), 1);

    rig_restart(64);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_VIRTUAL);
    cr_assert_eq(rig_free(), 61);
    info = stat_of("vol");
    cr_assert_eq(info.blocks, 3 * CHUNK);
    cr_assert_eq(info.byte_length, 12345);
    cr_assert_eq(memcmp(info.wwid, rig.s.lun[0].global->wwid, 16), 0);
    cr_assert_eq(spipe_name_open(rig.ctx, "vol", &h, &last), 0);
    cr_assert_eq(last, 3 * CHUNK - 1);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(rig_chunk(rig.ctx, h, i), i + 2);
    cr_assert_eq(rig_chunk(rig.ctx, rig_open(rig.ctx, 1), 0), 0);
    rig_check_books();
    rig_end();
}

/* C2..C5: entries, pointer, count, LW sync. */
Test(names, open_in_order)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = make("vol", 2, 0);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    recording_hal_clear(&rig.hal);
    open_name("vol");
    rig_expect("rht1[0].count=0\npublish\n+ lxt2:8\nlxt2[0]=0\nlxt2[1]=1\n"
               "publish\nrht1[0].start=lxt2\npublish\nrht1[0].count=2\npublish\nsync LW 4.0\n");
    cr_assert_eq(rig_references(0), 2);
    rig_end();
}

Test(names, open_empty)
{
    uint32_t h;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 64);
    make("empty", 0, 0);
    cr_assert_eq(spipe_name_open(rig.ctx, "empty", &h, &last), 0);
    cr_assert_eq(last, SPIPE_NO_BLOCK);
    cr_assert_eq(rig_resize(rig.ctx, h, 2), 0);
    cr_assert_eq(recorded("empty"), 2);
    rig_end();
}

Test(names, listed_and_removed)
{
    struct spipe_name_info info;
    unsigned lun;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    make("b", 1, 0);
    h = make("a", 2, 0);
    cr_assert_eq(spipe_name_at(&rig.s, 0, &info), 0);
    cr_assert_str_eq(info.name, "a");
    cr_assert_eq(spipe_name_at(&rig.s, 1, &info), 0);
    cr_assert_str_eq(info.name, "b");
    cr_assert_eq(spipe_name_at(&rig.s, 2, &info), -ENOENT);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_name_remove(&rig.s, "a"), 0);
    rig_expect("record\n");
    cr_assert_eq(spipe_name_remove(&rig.s, "a"), -ENOENT);
    cr_assert_eq(spipe_name_stat(&rig.s, "a", &info, &lun), -ENOENT);
    cr_assert_eq(rig_references(1), 1); /* the handle's */
    cr_assert_eq(rig_resize(rig.ctx, h, 3), 0);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(rig_references(1), 0);
    rig_check_books();
    cr_assert_eq(spipe_release(rig.ctx, 0), 0);
    cr_assert_eq(spipe_name_remove(&rig.s, "b"), 0); /* the last owner of anything */
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE);
    cr_assert_null(rig.s.lun[0].global->ba);
    cr_assert(!rig.s.lun[0].in_table);
    rig_end();
}

Test(names, refused)
{
    struct spipe__cat *cat;
    struct spipe_ctx *other;
    uint32_t h, g = 99;
    uint64_t last = 7;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 2);
    cr_assert_eq(spipe_name_set(rig.ctx, h + 1, "a", 0), -EINVAL);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "", 0), -EINVAL);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "a/b", 0), -EINVAL);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "a", UINT64_C(2) * CHUNK * 4096 + 1), -EINVAL);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "a", UINT64_C(2) * CHUNK * 4096), 0);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "b", 0), 0); /* the same chunks, by two names */
    cr_assert_eq(rig_references(0), 3);
    cr_assert_eq(spipe_name_remove(&rig.s, "b"), 0);
    cr_assert_eq(recorded("b"), UINT32_MAX);
    cr_assert_eq(rig_references(0), 2);
    cr_assert_eq(spipe_name_open(rig.ctx, "c", &g, &last), -ENOENT);
    other = rig_attach(1);
    cr_assert_eq(spipe_name_open(other, "a", &g, &last), -EINVAL);
    cr_assert_eq(g, 99);
    cr_assert_eq(last, 7);
    cat = rig.s.group->catalogue;
    rig.s.group->catalogue = NULL;
    cr_assert_eq(spipe_name_set(rig.ctx, h, "c", 0), -ENOENT);
    cr_assert_eq(spipe_name_open(rig.ctx, "a", &g, &last), -ENOENT);
    cr_assert_eq(spipe_name_remove(&rig.s, "a"), -ENOENT);
    rig.s.group->catalogue = cat;
    rig_end();
}

/* Of a lost context only what gives back, resizes or recovers is carried out (SP-160). */
Test(names, a_lost_context_has_no_names)
{
    uint32_t h, g = 99;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 2);
    spipe__ctx_lose(rig.ctx);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "a", 0), -EINVAL);
    cr_assert_eq(recorded("a"), UINT32_MAX);
    cr_assert_eq(rig_references(0), 1);
    cr_assert_eq(spipe_name_open(rig.ctx, "a", &g, &last), -ENOENT);
    rig_end();
}

/* A name on a LUN that is not there is listed, and nothing else. */
Test(names, of_a_lun_that_is_not_there)
{
    struct spipe_name_info info;
    unsigned lun;
    uint32_t h;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 64);
    make("vol", 2, 0);
    rig_restart(64);
    rig.s.lun[0].global->wwid[5] = 1;
    cr_assert_eq(spipe_name_stat(&rig.s, "vol", &info, &lun), -ENOENT);
    cr_assert_eq(spipe_name_open(rig.ctx, "vol", &h, &last), -ENOENT);
    cr_assert_eq(spipe_name_at(&rig.s, 0, &info), 0);
    cr_assert_eq(info.blocks, 2 * CHUNK);
    cr_assert_eq(spipe_name_remove(&rig.s, "vol"), 0);
    rig.s.lun[0].global->wwid[5] = 0;
    cr_assert_eq(spipe__ba_free(rig.s.lun[0].global->ba, 0),
                 0); /* it was taken when its LUN was there */
    cr_assert_eq(spipe__ba_free(rig.s.lun[0].global->ba, 1), 0);
    rig.s.lun[0].global->named = 0;
    rig_open(rig.ctx, 0);
    rig_end();
}

/* A device that has become too small for its names. */
Test(names, chunks_beyond_the_lun)
{
    rig_begin(HAL_ORDER_LITTLE, 64);
    make("vol", 10, 0);
    spipe_client_destroy(rig.client);
    rig.client = NULL;
    spipe__lun_finish(&rig.s);
    rig_add_lun(5, 4096);
    cr_assert_eq(spipe__lun_start_all(&rig.s), -EIO);
    spipe__lun_finish(&rig.s);
    rig_add_lun(64, 4096);
    cr_assert_eq(spipe__lun_start_all(&rig.s), 0);
    rig_end();
}

/* ---- set ---- */

Test(names, set_again_moves_the_name)
{
    uint32_t a, b, c;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = make("vol", 2, 1);
    c = open_name("vol");
    b = rig_open(rig.ctx, 3);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_name_set(rig.ctx, b, "vol", 5), 0);
    rig_expect("record\n");
    cr_assert_eq(recorded("vol"), 3);
    cr_assert_eq(stat_of("vol").byte_length, 5);
    cr_assert_eq(rig_references(0), 2); /* a and c */
    cr_assert_eq(rig_references(2), 2); /* b and the name */
    rig_check_books();
    /* The handles of the old meaning have it for themselves. */
    cr_assert_eq(rig_resize(rig.ctx, a, 4), 0);
    cr_assert_eq(rig_resize(rig.ctx, c, 1), 0);
    cr_assert_eq(recorded("vol"), 3);
    cr_assert_eq(rig_resize(rig.ctx, b, 4), 0);
    cr_assert_eq(recorded("vol"), 4);
    rig_end();
}

/* Only the length changes: all handles stay bound. */
Test(names, set_again_to_the_same)
{
    uint32_t a, b;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = make("vol", 2, 1);
    b = open_name("vol");
    cr_assert_eq(spipe_name_set(rig.ctx, b, "vol", 9), 0);
    cr_assert_eq(stat_of("vol").byte_length, 9);
    cr_assert_eq(rig_references(0), 3);
    cr_assert_eq(rig_resize(rig.ctx, a, 3), 0);
    cr_assert_eq(recorded("vol"), 3);
    rig_end();
}

/* Old and new meaning share chunks. */
Test(names, set_to_a_part_of_itself)
{
    uint32_t a, b;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = make("vol", 4, 0);
    b = open_name("vol");
    rig_vlun(rig.ctx, b)->name[0] = 0; /* as after another name_set */
    cr_assert_eq(rig_resize(rig.ctx, b, 2), 0);
    cr_assert_eq(rig_resize(rig.ctx, b, 3), 0);
    cr_assert_eq(spipe_name_set(rig.ctx, b, "vol", 0), 0);
    cr_assert_eq(recorded("vol"), 3);
    rig_check_books();
    cr_assert_eq(spipe_release(rig.ctx, a), 0);
    cr_assert_eq(spipe_release(rig.ctx, b), 0);
    rig_check_books();
    rig_end();
}

Test(names, moves_to_another_lun)
{
    uint32_t a, b;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 64);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    a = make("vol", 2, 0);
    cr_assert_eq(spipe_release(rig.ctx, a), 0);
    cr_assert_eq(spipe_open_virtual(rig.ctx, 1, 1, &b, &last), 0);
    cr_assert_eq(spipe_name_set(rig.ctx, b, "vol", 32 << 20), 0);
    cr_assert_null(rig.s.lun[0].global->ba);
    cr_assert_eq(rig.s.lun[1].global->mode, SPIPE_LUN_VIRTUAL);
    rig_check_books();
    rig_end();
}

/* Old or new, and nothing lost, whatever fails while a name is set. */
Test(names, set_fails)
{
    uint32_t a, b;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = make("vol", 2, 1);
    b = rig_open(rig.ctx, 3);
    rig.store.fail = -EIO;
    cr_assert_eq(spipe_name_set(rig.ctx, b, "vol", 5), -EIO);
    cr_assert_eq(spipe_name_set(rig.ctx, b, "new", 5), -EIO);
    rig.store.fail = -ENOSPC;
    cr_assert_eq(spipe_name_set(rig.ctx, b, "vol", 5), -ENOSPC);
    cr_assert_eq(spipe_name_remove(&rig.s, "vol"), -ENOSPC);
    rig.store.fail = 0;
    for (int64_t n = 0; n < 3; n++) {
        rig.exec.fail_after = n;
        cr_assert_eq(spipe_name_set(rig.ctx, b, "vol", 5), -ENOMEM);
        rig.exec.fail_after = FAKE_EXEC_NEVER;
    }
    cr_assert_eq(recorded("vol"), 2);
    cr_assert_eq(recorded("new"), UINT32_MAX);
    cr_assert_eq(stat_of("vol").byte_length, 1);
    rig_check_books();
    cr_assert_eq(rig_resize(rig.ctx, a, 3), 0); /* still bound */
    cr_assert_eq(recorded("vol"), 3);
    rig_restart(64);
    cr_assert_eq(recorded("vol"), 3);
    rig_end();
}

/* A chunk has 256 owners at most. */
Test(names, too_many_owners)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 3);
    for (unsigned i = 0; i < 255; i++)
        cr_assert_eq(spipe__ba_add_reference(rig.s.lun[0].global->ba, 1), 0);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "vol", 0), -EIO);
    cr_assert_eq(rig_references(0), 1);
    for (unsigned i = 0; i < 255; i++)
        cr_assert_eq(spipe__ba_free(rig.s.lun[0].global->ba, 1), 0);
    rig_end();
}

/* Chunk numbers of the catalogue have 32 bits. */
Test(names, too_large_a_chunk_number)
{
    uint64_t *entry, word;
    uint32_t h;

    rig_begin(HAL_ORDER_HOST, 64);
    h = rig_open(rig.ctx, 1);
    entry = rig_vlun(rig.ctx, h)->lxt.entry;
    word = *entry;
    *entry = afu_lxt_word(UINT64_C(1) << 32, 0, AFU_PERM_RW, 3);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "vol", 0), -EFBIG);
    *entry = word;
    rig_end();
}
