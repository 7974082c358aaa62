/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sim/check_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

struct check_fixture fix;

static uint64_t picture_memory[512], claim_memory[256];

static void make_luns(void)
{
    for (unsigned i = 0; i < 3; i++) {
        fix.lun[i] =
            (struct hal_picture_lun){.lun_id = {FIX_LUN_ID(i, 0), FIX_LUN_ID(i, 1)}, .ports = 3};
        fix.lun[i].wwid[0] = (uint8_t)(0x60 + i);
    }
    fix.lun[0].blocks = 10 * 65536 + 100;
    fix.lun[0].total = 10;
    fix.lun[0].free_count = 6;
    fix.lun[0].runs = (struct hal_picture_span){0, 3};
    fix.lun[0].users = 2;
    fix.lun[0].holds = 1;
    fix.lun[0].attached = 2;
    fix.lun[0].mode = HAL_PICTURE_VIRTUAL;
    fix.lun[0].in_table = fix.lun[0].allocator = true;
    fix.lun[1].users = fix.lun[1].attached = 1;
    fix.lun[1].mode = HAL_PICTURE_DIRECT;
    fix.lun[2].ports = 2;
    fix.lun[2].slot = 255;
    fix.lun[2].in_table = true;
    fix.run[0] = (struct hal_picture_run){0, 2, 3};
    fix.run[1] = (struct hal_picture_run){2, 1, 2};
    fix.run[2] = (struct hal_picture_run){7, 1, 1};
}

static void make_contexts(void)
{
    static const uint32_t attached[3] = {0, 1, 0};

    memcpy(fix.attached, attached, sizeof attached);
    fix.context[0] = (struct hal_picture_context){.rht = FIX_RHT_RW,
                                                  .rht_bytes = 4096,
                                                  .generation = FIX_GENERATION,
                                                  .handles = {0, 2},
                                                  .attached = {0, 2},
                                                  .taken = 2,
                                                  .lun_count = 2,
                                                  .cookie = FIX_RW,
                                                  .number = FIX_RW,
                                                  .slot = FIX_RW,
                                                  .permissions = AFU_PERM_RW,
                                                  .control = true};
    fix.context[1] = (struct hal_picture_context){.rht = FIX_RHT_RO,
                                                  .rht_bytes = 4096,
                                                  .generation = FIX_GENERATION,
                                                  .handles = {2, 1},
                                                  .attached = {2, 1},
                                                  .taken = 1,
                                                  .lun_count = 1,
                                                  .cookie = FIX_RO,
                                                  .number = FIX_RO,
                                                  .slot = FIX_RO,
                                                  .permissions = AFU_PERM_READ,
                                                  .control = true};
    fix.handle[0] = (struct hal_picture_handle){.lxt = FIX_LXT,
                                                .capacity = 8,
                                                .lineage = 1,
                                                .chunks = {0, 3},
                                                .kind = HAL_PICTURE_VIRTUAL,
                                                .permissions = AFU_PERM_RW};
    fix.handle[1] = (struct hal_picture_handle){.lineage = 2,
                                                .number = 1,
                                                .lun = 1,
                                                .kind = HAL_PICTURE_DIRECT,
                                                .permissions = AFU_PERM_RW};
    fix.handle[2] = (struct hal_picture_handle){.lxt = FIX_LXT_CLONE,
                                                .capacity = 8,
                                                .lineage = 1,
                                                .chunks = {3, 2},
                                                .context = 1,
                                                .kind = HAL_PICTURE_VIRTUAL,
                                                .permissions = AFU_PERM_READ};
}

static void make_others(void)
{
    static const uint64_t chunks[9] = {0, 1, 2, 0, 1, 7, 0, 1, 2};

    memcpy(fix.chunk, chunks, sizeof chunks);
    fix.held[0] = (struct hal_picture_held){.generation = FIX_GENERATION,
                                            .chunks = {5, 1},
                                            .arrays = {0, 1},
                                            .handle = 3,
                                            .context = FIX_RO};
    fix.array[0] = (struct hal_picture_array){FIX_LXT_HELD, 8};
    fix.name[0] = (struct hal_picture_name){.chunks = {6, 3}};
}

static void make_picture(void)
{
    static const struct hal_picture_counts counts = {.luns = 3,
                                                     .runs = 3,
                                                     .contexts = 2,
                                                     .attached = 3,
                                                     .handles = 3,
                                                     .held = 1,
                                                     .arrays = 1,
                                                     .names = 1,
                                                     .chunks = 9};
    struct hal_picture_room room = {.block = picture_memory, .size = sizeof picture_memory};

    cr_assert_eq(hal_picture_begin(&room, &counts, &fix.p), 0);
    fix.lun = hal_picture_lun(fix.p, 0);
    fix.run = hal_picture_run(fix.p, 0);
    fix.context = hal_picture_context(fix.p, 0);
    fix.handle = hal_picture_handle(fix.p, 0);
    fix.held = hal_picture_held(fix.p, 0);
    fix.array = hal_picture_array(fix.p, 0);
    fix.name = hal_picture_name(fix.p, 0);
    fix.chunk = hal_picture_chunk(fix.p, 0);
    fix.attached = hal_picture_attached(fix.p, 0);
    fix.p->generation = FIX_GENERATION;
    fix.p->clients = 1;
    fix.p->ports = 2;
    fix.p->promote_lun_index = 1;
    fix.p->last_lun_index[0] = 255;
    fix.p->last_lun_index[1] = 254;
    fix.p->master = FIX_MASTER;
    fix.p->up = true;
}

/* Chunk << 16, slot 0, permissions 3, both ports (VL-18). */
static struct check_word word(uint16_t context, uint16_t handle, uint32_t index, uint64_t chunk,
                              enum check_source source)
{
    return (struct check_word){chunk << 16 | 0x33, index, context, handle, (uint8_t)source};
}

static void make_view(void)
{
    fix.ctx[0] = (struct check_ctx){.ctx_cap = 1, .number = FIX_MASTER, .master = true};
    fix.ctx[1] = (struct check_ctx){FIX_RHT_RW, UINT64_C(256) << 48, 3, FIX_RW, false};
    fix.ctx[2] = (struct check_ctx){FIX_RHT_RO, UINT64_C(256) << 48, 3, FIX_RO, false};
    fix.entry[FIX_ENTRY_VIRTUAL] =
        (struct check_entry){FIX_LXT, 8, 3, FIX_RW, 0, CHECK_MEMORY, AFU_PERM_RW, 16, false, false};
    fix.entry[FIX_ENTRY_DIRECT] = (struct check_entry){
        FIX_LUN_ID(1, 0), 0, 0, FIX_RW, 1, CHECK_MEMORY, AFU_PERM_RW, 1, true, true};
    fix.entry[FIX_ENTRY_CLONE] = (struct check_entry){
        FIX_LXT_CLONE, 8, 2, FIX_RO, 0, CHECK_MEMORY, AFU_PERM_READ, 16, false, false};
    fix.entry[FIX_ENTRY_CACHED] = (struct check_entry){
        FIX_LXT_HELD, 8, 1, FIX_RO, 3, CHECK_CACHE, AFU_PERM_READ, 16, false, false};
    for (unsigned i = 0; i < 3; i++)
        fix.word[FIX_WORD_0 + i] = word(FIX_RW, 0, i, i, CHECK_MEMORY);
    for (unsigned i = 0; i < 2; i++)
        fix.word[FIX_WORD_CLONE_0 + i] = word(FIX_RO, 0, i, i, CHECK_MEMORY);
    fix.word[FIX_WORD_CACHED] = word(FIX_RO, 3, 0, 7, CHECK_CACHE);
    memset(fix.lun_table, 0, sizeof fix.lun_table);
    fix.lun_table[0][0] = FIX_LUN_ID(0, 0);
    fix.lun_table[1][0] = FIX_LUN_ID(0, 1);
    fix.lun_table[1][255] = FIX_LUN_ID(2, 1);
    fix.view = (struct check_view){.ctx = fix.ctx,
                                   .entry = fix.entry,
                                   .word = fix.word,
                                   .ctxs = 3,
                                   .entries = FIX_ENTRIES,
                                   .words = FIX_WORDS,
                                   .lun_table = {fix.lun_table[0], fix.lun_table[1]}};
}

void check_fixture_make(void)
{
    make_picture();
    make_luns();
    make_contexts();
    make_others();
    make_view();
}

static const struct check_owned *owned_now(void)
{
    static uint64_t memory[CHECK_NUMBERS][2][32];
    static struct check_owned owned;

    memset(&owned, 0, sizeof owned);
    for (unsigned i = 0; i < CHECK_NUMBERS; i++) {
        owned.of[i].has = (struct check_room){.block = memory[i][0], .size = sizeof memory[i][0]};
        owned.of[i].reach = (struct check_room){.block = memory[i][1], .size = sizeof memory[i][1]};
    }
    cr_assert(check_owned_take(&owned, NULL, fix.p, &fix.view));
    return &owned;
}

struct check_input check_fixture_input(void)
{
    static struct check_claims claims;
    struct check_room room = {.block = claim_memory, .size = sizeof claim_memory};

    cr_assert(check_claims_take(fix.p, &room, &claims));
    return (struct check_input){fix.p, &fix.view, &claims, owned_now()};
}

void check_fixture_holds(check_fn *fn)
{
    struct check_input in = check_fixture_input();
    struct check_verdict v;

    cr_assert(fn(&in, &v), "%s", v.text);
}

void check_fixture_broken(check_fn *fn, unsigned invariant, const char *about)
{
    struct check_input in = check_fixture_input();
    struct check_verdict v = {0};

    cr_assert_not(fn(&in, &v), "\"%s\" was not found", about);
    cr_assert_eq(v.invariant, invariant);
    cr_assert_not_null(strstr(v.text, about), "it says \"%s\"", v.text);
    check_fixture_make();
    check_fixture_holds(fn);
}
