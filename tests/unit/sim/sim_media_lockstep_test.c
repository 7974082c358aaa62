/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of media against the simplest model there is, an array: random reads, writes, WRITE
 * SAMEs and unmaps give the same bytes. The file kind is closed and opened again now and then. */
#include "tests/unit/sim/sim_media_fixture.h"

#include "hal/support/prng.h"

#define STEPS 2500
#define BLOCKS_OF_4K 1000

struct model {
    struct sim_media *m;
    struct hal_prng random;
    uint32_t size, kept;
    uint8_t *bytes;
};

static void model_fill(struct model *x, uint64_t lba, uint64_t blocks, const uint8_t *block,
                       size_t stride)
{
    for (uint64_t i = 0; i < blocks; i++)
        memcpy(x->bytes + (lba + i) * x->size, block + i * stride, x->size);
}

static void model_write(struct model *x, uint64_t lba, uint64_t blocks)
{
    struct buffer b = {.size = blocks * x->size};

    b.data = malloc(b.size + 8);
    for (size_t i = 0; i < b.size; i += 8) {
        uint64_t v = hal_prng_next(&x->random);
        memcpy(b.data + i, &v, 8);
    }
    cr_assert_eq(sim_media_write(x->m, 0, lba, blocks, from_buffer, &b), 0);
    model_fill(x, lba, blocks, b.data, x->size);
    free(b.data);
}

static void model_read(struct model *x, uint64_t lba, uint64_t blocks)
{
    struct buffer b = {.size = blocks * x->size};

    b.data = malloc(b.size + 8);
    cr_assert_eq(sim_media_read(x->m, 0, lba, blocks, to_buffer, &b), 0);
    for (uint64_t i = 0; i < blocks; i++)
        cr_assert(!memcmp(b.data + i * x->size, x->bytes + (lba + i) * x->size, x->kept),
                  "block %llu", (unsigned long long)(lba + i));
    free(b.data);
}

static void model_same(struct model *x, uint64_t lba, uint64_t blocks)
{
    uint8_t block[4096];

    memset(block, (int)hal_prng_below(&x->random, 3), sizeof block); /* zeros a third of the time */
    cr_assert_eq(sim_media_write_same(x->m, 0, lba, blocks, block), 0);
    model_fill(x, lba, blocks, block, 0);
}

static void model_unmap(struct model *x, uint64_t lba, uint64_t blocks)
{
    static const uint8_t zeros[4096];

    cr_assert_eq(sim_media_unmap(x->m, 0, lba, blocks), 0);
    model_fill(x, lba, blocks, zeros, 0);
}

static void random_step(struct model *x, uint64_t size)
{
    static void (*const steps[])(struct model *, uint64_t, uint64_t) = {
        model_write, model_write, model_read, model_read, model_read, model_same, model_unmap};
    uint64_t lba = hal_prng_below(&x->random, size);
    uint64_t most = hal_prng_below(&x->random, 8) ? 16 : 4000;
    uint64_t blocks = hal_prng_below(&x->random, most);

    if (blocks > size - lba)
        blocks = size - lba;
    steps[hal_prng_below(&x->random, sizeof steps / sizeof steps[0])](x, lba, blocks);
}

static void model_run(enum sim_media_kind kind, uint32_t block_size, uint64_t seed)
{
    const struct sim_media_lun lun = {
        .blocks = BLOCKS_OF_4K * (4096 / block_size), .block_size = block_size, .wwid = {0x60}};
    const struct sim_media_opts opts = {.luns = &lun,
                                        .n_luns = 1,
                                        .kind = kind,
                                        .create_if_missing = true,
                                        .arena_bytes = 64 << 20};
    struct model x = {.size = block_size, .kept = kind == SIM_MEDIA_TAG ? 64 : block_size};
    struct place p;

    cr_log_info("seed %llu", (unsigned long long)seed);
    place_make(&p);
    hal_prng_seed(&x.random, seed, 0);
    x.bytes = calloc(lun.blocks, block_size);
    if (kind != SIM_MEDIA_FILE)
        cr_assert_eq(sim_media_create(&opts, &x.m, NULL, 0), 0);
    for (unsigned i = 0; i < STEPS; i++) {
        if (kind == SIM_MEDIA_FILE && i % 100 == 0) {
            sim_media_close(x.m);
            cr_assert_eq(sim_media_open(p.path, &opts, &x.m, NULL, 0), 0);
        }
        random_step(&x, lun.blocks);
    }
    model_read(&x, 0, lun.blocks);
    free(x.bytes);
    sim_media_close(x.m);
    place_remove(&p);
}

Test(sim_media_lockstep, memory)
{
    model_run(SIM_MEDIA_MEMORY, 4096, 1);
    model_run(SIM_MEDIA_MEMORY, 512, 2);
}

Test(sim_media_lockstep, tags)
{
    model_run(SIM_MEDIA_TAG, 4096, 3);
    model_run(SIM_MEDIA_TAG, 512, 4);
}

Test(sim_media_lockstep, file)
{
    model_run(SIM_MEDIA_FILE, 4096, 5);
    model_run(SIM_MEDIA_FILE, 512, 6);
}

/* One random change, the same on every kind of media. */
static void change_all(struct sim_media *const m[3], struct hal_prng *random, uint64_t size)
{
    uint64_t lba = hal_prng_below(random, size), blocks = hal_prng_below(random, 600);
    uint64_t what = hal_prng_below(random, 3);
    struct buffer b = {.data = calloc(600, 4096), .size = 600 * 4096};
    uint8_t block[4096];

    memset(block, (int)hal_prng_below(random, 2), sizeof block);
    if (blocks > size - lba)
        blocks = size - lba;
    for (unsigned k = 0; k < 3; k++) {
        int error = what == 0   ? sim_media_write(m[k], 0, lba, blocks % 8, from_buffer, &b)
                    : what == 1 ? sim_media_write_same(m[k], 0, lba, blocks, block)
                                : sim_media_unmap(m[k], 0, lba, blocks);
        cr_assert_eq(error, 0);
    }
    free(b.data);
}

/* Timing depends on it, so it may not depend on the kind. */
Test(sim_media_lockstep, every_kind_has_the_same_pieces_mapped)
{
    const struct sim_media_lun lun = {.blocks = 256 * 40 + 7, .block_size = 4096, .wwid = {0x60}};
    struct sim_media_opts opts = {
        .luns = &lun, .n_luns = 1, .create_if_missing = true, .arena_bytes = 64 << 20};
    uint8_t block[4096] = {0};
    struct buffer failing = {.data = block, .size = sizeof block, .fail_at = 1};
    struct sim_media *m[3];
    struct hal_prng random;
    struct place p;

    cr_log_info("seed 7");
    hal_prng_seed(&random, 7, 0);
    place_make(&p);
    cr_assert_eq(sim_media_create(&opts, &m[0], NULL, 0), 0);
    opts.kind = SIM_MEDIA_TAG;
    cr_assert_eq(sim_media_create(&opts, &m[1], NULL, 0), 0);
    cr_assert_eq(sim_media_open(p.path, &opts, &m[2], NULL, 0), 0);
    for (unsigned k = 0; k < 3; k++) {
        failing.calls = 0;
        cr_assert_eq(sim_media_write(m[k], 0, 1, 1, from_buffer, &failing), -EFAULT);
        cr_assert(!sim_media_mapped(m[k], 0, 1), "a failed write takes no space");
    }
    for (unsigned i = 0; i < 400; i++) {
        change_all(m, &random, lun.blocks);
        for (uint64_t at = 0; at < lun.blocks; at += 256)
            cr_assert(sim_media_mapped(m[0], 0, at) == sim_media_mapped(m[1], 0, at) &&
                          sim_media_mapped(m[0], 0, at) == sim_media_mapped(m[2], 0, at),
                      "step %u, block %llu", i, (unsigned long long)at);
    }
    for (unsigned k = 0; k < 3; k++)
        sim_media_close(m[k]);
    place_remove(&p);
}
