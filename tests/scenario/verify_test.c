/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that shrink, grow and appear while clients use them: the unit attention that arrives with
 * an I/O, VERIFY with its sense data, and what becomes of everybody's blocks. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/prng.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(verify, .timeout = 120);

#define CHUNK UINT64_C(65536)
#define ATTENTION_CAPACITY 0x062A09 /* key, ASC, ASCQ */
#define ATTENTION_LUNS 0x063F0E
#define OUT_OF_RANGE 0x052100

enum { CHUNKS = 8 };

static uint8_t page[2][STACK_BLOCK] __attribute__((aligned(4096)));

/* ---- short forms ---- */

/* One I/O with everything that is known about its end. */
static struct spipe_completion io(struct stack_client *c, enum spipe_op op, uint32_t handle,
                                  uint64_t lba, void *buffer)
{
    struct spipe_io one = {.lba = lba, .buffer = buffer, .blocks = 1, .handle = handle, .op = op};
    struct spipe_completion done;

    while (spipe_submit(c->ctx, &one, 1) == 0)
        cr_assert_eq(spipe_poll(c->ctx, &done, 1), 0);
    while (spipe_poll(c->ctx, &done, 1) == 0)
        ;
    return done;
}

static unsigned sense_of(const struct spipe_completion *done)
{
    return (unsigned)done->sense_key << 16 | (unsigned)done->asc << 8 | done->ascq;
}

static void expect_sense(struct stack_client *c, uint32_t handle, uint64_t lba, unsigned sense)
{
    struct spipe_completion done = io(c, SPIPE_READ, handle, lba, page[1]);

    cr_assert_eq(done.status, sense ? -EIO : 0, "block %u: %d", (unsigned)lba, done.status);
    cr_assert_eq(sense_of(&done), sense, "block %u: %06x", (unsigned)lba, sense_of(&done));
}

/* VERIFY with what an I/O ended with. */
static int verify_with(struct stack_client *c, uint32_t handle, unsigned sense, uint64_t *last)
{
    uint8_t bytes[SPIPE_SENSE_BYTES] = {0x72, (uint8_t)(sense >> 16), (uint8_t)(sense >> 8),
                                        (uint8_t)sense};

    return spipe_verify(c->ctx, handle, bytes, last);
}

/* An I/O meets the attention, VERIFY is told, and the LUN is as large as it was. */
static void notice(struct stack_client *c, uint32_t handle, unsigned sense, uint64_t expected)
{
    uint64_t last = 0;

    expect_sense(c, handle, 0, sense);
    cr_assert_eq(verify_with(c, handle, sense, &last), 0);
    cr_assert_eq(last, expected);
    expect_sense(c, handle, 0, 0);
}

static void device_has(struct stack *s, uint64_t blocks)
{
    cr_assert_eq(sim_scsi_set_size(sim_afu_scsi(sim_host_afu(s->host, 0)), 0, blocks), 0);
}

static void put(struct stack_client *c, uint32_t handle, uint64_t lba, int value)
{
    memset(page[0], value, STACK_BLOCK);
    cr_assert_eq(io(c, SPIPE_WRITE, handle, lba, page[0]).status, 0);
}

static void expect(struct stack_client *c, uint32_t handle, uint64_t lba, int value)
{
    memset(page[0], value, STACK_BLOCK);
    cr_assert_eq(io(c, SPIPE_READ, handle, lba, page[1]).status, 0);
    cr_assert_arr_eq(page[0], page[1], STACK_BLOCK);
}

static void expect_lun(struct stack *s, uint64_t blocks, uint64_t chunks, uint64_t free)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.last_lba, blocks - 1);
    cr_assert_eq(info.chunks, chunks);
    cr_assert_eq(info.free_chunks, free, "%u free", (unsigned)info.free_chunks);
}

static void run(uint64_t seed, void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(CHUNKS);

    stack_run(&(struct stack_setup){.seed = seed, .media = media}, body, NULL);
    sim_media_close(media);
}

/* ---- virtual LUNs ---- */

/* Two virtual LUNs of 3 chunks each, of which the device loses one and a half; and it grows. */
static void shrink_and_grow(struct stack *s, void *arg)
{
    struct stack_client a, b, other;
    uint32_t ha, hb, ho;
    uint64_t last;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    stack_client(s, &b, 0, 8, false);
    stack_client(s, &other, 1, 8, false);
    ha = stack_open(&a, 0, 3);
    hb = stack_open(&b, 0, 3); /* chunks 3, 4, 5 */
    ho = stack_open(&other, 1, CHUNKS);
    for (unsigned i = 0; i < 3; i++) {
        put(&a, ha, i * CHUNK, 0x10 + (int)i);
        put(&b, hb, i * CHUNK, 0x20 + (int)i);
    }
    put(&other, ho, 7 * CHUNK, 0x30);

    device_has(s, 4 * CHUNK + 50);
    expect_lun(s, CHUNKS * CHUNK + 100, CHUNKS, 2); /* nobody has told core */
    notice(&a, ha, ATTENTION_CAPACITY, 3 * CHUNK - 1);
    expect_lun(s, 4 * CHUNK + 50, CHUNKS, 0);
    cr_assert_eq(spipe_resize(a.ctx, ha, 4 * CHUNK, &last), -ENOSPC);

    /* What the device lost fails, block by block, and nothing else. */
    expect(&b, hb, 0, 0x20);
    expect(&b, hb, CHUNK, 0x21);
    expect_sense(&b, hb, CHUNK + 49, 0);
    expect_sense(&b, hb, CHUNK + 50, OUT_OF_RANGE);
    expect_sense(&b, hb, 2 * CHUNK, OUT_OF_RANGE);
    cr_assert_eq(io(&b, SPIPE_WRITE, hb, 3 * CHUNK - 1, page[0]).status, -EIO);
    for (unsigned i = 0; i < 3; i++)
        expect(&a, ha, i * CHUNK, 0x10 + (int)i);
    expect(&other, ho, 7 * CHUNK, 0x30);
    cr_assert_eq(spipe_verify(b.ctx, hb, NULL, &last), 0);
    cr_assert_eq(last, 3 * CHUNK - 1);
    PROVES(R_50);
    PROVES(VLW_16);

    /* b gives up what is gone, and nobody gets it. */
    cr_assert_eq(spipe_resize(b.ctx, hb, CHUNK, &last), 0);
    expect_lun(s, 4 * CHUNK + 50, CHUNKS, 0);
    cr_assert_eq(spipe_resize(b.ctx, hb, 2 * CHUNK, &last), -ENOSPC);

    device_has(s, 20 * CHUNK);
    notice(&b, hb, ATTENTION_CAPACITY, CHUNK - 1);
    expect_lun(s, 20 * CHUNK, CHUNKS, 4);
    cr_assert_eq(spipe_resize(b.ctx, hb, 20 * CHUNK, &last), 0);
    cr_assert_eq(last, 5 * CHUNK - 1);
    for (unsigned i = 1; i < 5; i++)
        put(&b, hb, (i + 1) * CHUNK - 1, 0x40 + (int)i);
    expect(&b, hb, 0, 0x20);
    PROVES(R_50);

    /* The allocator follows when its last user has gone. */
    spipe_client_destroy(b.client);
    expect_lun(s, 20 * CHUNK, CHUNKS, 5);
    spipe_client_destroy(a.client);
    expect_lun(s, 20 * CHUNK, 20, 20);
    stack_client(s, &a, 0, 8, false);
    stack_open(&a, 0, 20);
    PROVES(SP_88);
    spipe_client_destroy(a.client);
    spipe_client_destroy(other.client);
}

Test(verify, shrink_and_grow)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        run(seed, shrink_and_grow);
}

/* ---- direct handles ---- */

/* The device halves at the very moment of an I/O, by a fault plan. */
static void direct(struct stack *s, void *arg)
{
    struct fault_plan *faults = sim_afu_faults(sim_host_afu(s->host, 0));
    uint64_t blocks = CHUNKS * CHUNK + 100, last = 0;
    struct stack_client a;
    char why[64];
    uint32_t h;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    cr_assert_eq(spipe_open_direct(a.ctx, 0, 1, &h, &last), 0);
    cr_assert_eq(last, blocks - 1);
    cr_assert_eq(sim_faults_load(faults, "media#1=x(0x200000032)", why, sizeof why), 0, "%s", why);
    expect_sense(&a, h, 0, 0);
    cr_assert_eq(sim_faults_load(faults, "", why, sizeof why), 0, "%s", why);
    expect_sense(&a, h, 0, ATTENTION_CAPACITY);
    cr_assert_eq(spipe_verify(a.ctx, h, NULL, &last), 0);
    cr_assert_eq(last, blocks - 1);
    cr_assert_eq(verify_with(&a, h, ATTENTION_CAPACITY, &last), 0);
    cr_assert_eq(last, blocks / 100 * 50 - 1);
    expect_sense(&a, h, last, 0);
    expect_sense(&a, h, last + 1, OUT_OF_RANGE);
    PROVES(SP_87);
    device_has(s, 2 * blocks);
    notice(&a, h, ATTENTION_CAPACITY, 2 * blocks - 1);
    expect_sense(&a, h, 2 * blocks - 1, 0);
    cr_assert_eq(verify_with(&a, h, OUT_OF_RANGE, &last), -EIO);
    spipe_client_destroy(a.client);
}

Test(verify, direct_handle) { run(1, direct); }

/* ---- LUNs that appear and disappear ---- */

static void luns_come_and_go(struct stack *s, void *arg)
{
    struct sim_scsi *target = sim_afu_scsi(sim_host_afu(s->host, 0));
    struct sim_media_lun lun = {.blocks = 5 * CHUNK, .block_size = STACK_BLOCK, .port_mask = 3};
    struct spipe_adapter_info info;
    struct stack_client a, b;
    uint32_t h, hb;
    uint64_t last = 0;
    unsigned number;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    h = stack_open(&a, 0, 3);
    sim_media_make_wwid(1, 2, lun.wwid);
    cr_assert_eq(sim_scsi_add_lun(target, &lun, &number), 0);
    notice(&a, h, ATTENTION_LUNS, 3 * CHUNK - 1);
    spipe_adapter_info(s->adapter, &info);
    cr_assert_eq(info.luns, 3);
    stack_client(s, &b, 2, 8, false);
    hb = stack_open(&b, 2, 5);
    put(&b, hb, 5 * CHUNK - 1, 0x77);
    expect(&b, hb, 5 * CHUNK - 1, 0x77);
    PROVES(SP_86);

    sim_scsi_set_ports(target, number, 0); /* it is gone, and has not said so */
    cr_assert_eq(verify_with(&b, hb, ATTENTION_CAPACITY, &last), -ENODEV);
    cr_assert_eq(verify_with(&a, h, ATTENTION_LUNS, &last), 0);
    expect_sense(&a, h, 0, 0);
    spipe_client_destroy(a.client);
    spipe_client_destroy(b.client);
}

Test(verify, luns_come_and_go) { run(1, luns_come_and_go); }

/* ---- under load ---- */

enum { BLOCKS = 40, ROUNDS = 120 };

struct worker {
    struct stack_client client;
    struct exec_thread *thread;
    uint32_t handle;
    uint32_t *page;
    uint32_t written[BLOCKS];
    unsigned attentions, failures;
    struct hal_prng rng;
};

static void fill(struct worker *w, uint32_t value)
{
    for (unsigned i = 0; i < STACK_BLOCK / 4; i++)
        w->page[i] = value;
}

/* Blocks lie all over the virtual LUN. Errors are those of a device that lacks some of them. */
static void one_round(struct worker *w, uint32_t round)
{
    unsigned n = (unsigned)hal_prng_below(&w->rng, BLOCKS);
    bool write = hal_prng_below(&w->rng, 2);
    struct spipe_completion done;
    uint64_t last;

    if (write)
        fill(w, round);
    done = io(&w->client, write ? SPIPE_WRITE : SPIPE_READ, w->handle, n * (3 * CHUNK / BLOCKS),
              w->page);
    if (done.status == 0) {
        if (!write)
            cr_assert_eq(w->page[100], w->written[n], "block %u", n);
        else
            w->written[n] = round;
        return;
    }
    cr_assert_eq(done.status, -EIO);
    if (sense_of(&done) == ATTENTION_CAPACITY) {
        cr_assert_eq(verify_with(&w->client, w->handle, ATTENTION_CAPACITY, &last), 0);
        cr_assert_eq(last, 3 * CHUNK - 1);
        w->attentions++;
    } else {
        cr_assert_eq(sense_of(&done), OUT_OF_RANGE, "%06x", sense_of(&done));
        w->failures++;
    }
}

static void work(void *arg)
{
    struct worker *w = arg;

    for (uint32_t i = 1; i <= ROUNDS; i++)
        one_round(w, i);
}

static void start(struct stack *s, struct worker *w, unsigned number)
{
    hal_prng_seed(&w->rng, 11, number);
    w->page = exec_alloc(s->exec, STACK_BLOCK, STACK_BLOCK);
    cr_assert_not_null(w->page);
    cr_assert_eq(hal_mem_register(sim_host_device(s->host, 0), w->page, STACK_BLOCK, "page"), 0);
    stack_client(s, &w->client, 0, 8, false);
    w->handle = stack_open(&w->client, 0, 3);
    cr_assert_eq(exec_thread_create(s->exec, "worker", work, w, &w->thread), 0);
}

static void end(struct stack *s, struct worker *w)
{
    spipe_client_destroy(w->client.client);
    hal_mem_release(sim_host_device(s->host, 0), w->page);
    exec_free(s->exec, w->page, STACK_BLOCK);
}

/* The device loses what the second virtual LUN has of it, and gets it back, again and again; data
 * that it had before are still there, since the model keeps them. */
static void under_load(struct stack *s, void *arg)
{
    struct worker *w = exec_alloc(s->exec, 2 * sizeof *w, 64);

    (void)arg;
    cr_assert_not_null(w);
    start(s, &w[0], 0);
    start(s, &w[1], 1); /* chunks 3, 4, 5 */
    for (unsigned i = 0; i < 12; i++) {
        stack_sleep(s, 500000);
        device_has(s, i % 2 ? CHUNKS * CHUNK + 100 : 4 * CHUNK);
    }
    for (unsigned i = 0; i < 2; i++)
        exec_thread_join(s->exec, w[i].thread);
    cr_assert_gt(w[0].attentions + w[1].attentions, 4);
    cr_assert_eq(w[0].failures, 0); /* nothing of its blocks was ever missing */
    cr_assert_gt(w[1].failures, 0);
    end(s, &w[0]);
    end(s, &w[1]);
    exec_free(s->exec, w, 2 * sizeof *w);
}

Test(verify, under_load)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        run(seed, under_load);
}
