/* SPDX-License-Identifier: Apache-2.0 */
/* The data path: bytes of commands, limits, what is answered, and waiting. */
#include "core/superpipe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(io, .timeout = 60);

#define SECOND UINT64_C(1000000000)

static struct spipe_ctx *ctx;
static char buffer[4096];

/* A context with number 7, and handles 0..5 of LUN 1 (512-byte blocks); depth 8. */
static void begin(enum hal_order order, bool interrupts)
{
    struct spipe_attach_options options = {
        .size = sizeof options, .depth = 8, .interrupts = interrupts, .io_timeout_ns = 6 * SECOND};
    uint32_t h;
    uint64_t last;

    rig_begin(order, 64);
    rig.hal.first = 7;
    rig.hal.silent = true;
    cr_assert_eq(spipe_attach(rig.client, 1, &options, &ctx), 0);
    cr_assert_eq(spipe_ctx_handle(ctx), 7);
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert_eq(spipe_open_virtual(ctx, 1, 1, &h, &last), 0);
        cr_assert_eq(h, i);
    }
}

static struct spipe_io read_of(uint64_t tag)
{
    return (struct spipe_io){
        .tag = tag, .lba = 1, .buffer = buffer, .blocks = 8, .handle = 5, .op = SPIPE_READ};
}

static void submit(uint64_t tag)
{
    struct spipe_io io = read_of(tag);

    cr_assert_eq(spipe_submit(ctx, &io, 1), 1);
}

static struct spipe_completion poll_one(void)
{
    struct spipe_completion c;

    memset(&c, 0xEE, sizeof c);
    cr_assert_eq(spipe_poll(ctx, &c, 1), 1);
    return c;
}

/* ---- bytes ---- */

/* SL 23.2; in IOARRIN mode the last field is reserved. */
static const uint8_t big[64] = {
    0x00, 0x07, 0x80, 0x00, 0x00, 0x00, 0x00, 0x05, 0,    0,    0,    0,    0,    0,    0,    0,
    0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7f, 0xff, 0x12, 0x34, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x88, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
    0xab, 0xcd, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0,    0,    0,    0,    0,    0,    0,    0};
static const uint8_t little[64] = {
    0x07, 0x00, 0x00, 0x80, 0x05, 0x00, 0x00, 0x00, 0,    0,    0,    0,    0,    0,    0,    0,
    0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x34, 0x12, 0xff, 0x7f, 0x00, 0x00,
    0x02, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x88, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
    0xab, 0xcd, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0,    0,    0,    0,    0,    0,    0,    0};

static void bytes(enum hal_order order, const uint8_t *want)
{
    struct spipe_io io = {.lba = 0x2ABCD,
                          .buffer = (void *)(uintptr_t)UINT64_C(0x7FFF12340000),
                          .blocks = 8,
                          .handle = 5};
    uint8_t write[64];

    begin(order, true);
    cr_assert_eq(spipe_submit(ctx, &io, 1), 1);
    cr_assert_eq(memcmp(&rig.hal.command[0].ioarcb, want, 64), 0);
    cr_assert_eq(rig.hal.command[0].ea % 128, 0);
    memcpy(write, want, sizeof write);
    write[order == HAL_ORDER_BIG ? 3 : 2] = 1; /* HOST_WRITE */
    write[0x28] = 0x8A;
    io.op = SPIPE_WRITE;
    cr_assert_eq(spipe_submit(ctx, &io, 1), 1);
    cr_assert_eq(memcmp(&rig.hal.command[1].ioarcb, write, 64), 0);
    PROVES(AD_66);
    rig_end();
}

Test(io, bytes_big_endian) { bytes(HAL_ORDER_BIG, big); }

Test(io, bytes_little_endian) { bytes(HAL_ORDER_LITTLE, little); }

Test(io, no_interrupts_no_msi)
{
    begin(HAL_ORDER_LITTLE, false);
    submit(1);
    cr_assert_eq(rig.hal.command[0].ioarcb.msi, 0);
    cr_assert_eq(spipe_wait(ctx, 0), -EINVAL);
    rig_end();
}

/* ---- limits ---- */

Test(io, refused)
{
    struct spipe_io io[2] = {read_of(1), read_of(2)};

    begin(HAL_ORDER_LITTLE, false);
    cr_assert_eq(spipe_submit(ctx, io, 0), 0);
    io[1].handle = 6;
    cr_assert_eq(spipe_submit(ctx, io, 2), 1);
    cr_assert_eq(spipe_submit(ctx, io + 1, 1), -EINVAL);
    io[1].handle = 256;
    cr_assert_eq(spipe_submit(ctx, io + 1, 1), -EINVAL);
    io[1].handle = UINT32_MAX;
    cr_assert_eq(spipe_submit(ctx, io + 1, 1), -EINVAL);
    io[1] = read_of(2);
    io[1].blocks = 0;
    cr_assert_eq(spipe_submit(ctx, io + 1, 1), -EINVAL);
    io[1].blocks = 32769; /* 16 MiB and a block */
    cr_assert_eq(spipe_submit(ctx, io + 1, 1), -EINVAL);
    io[1].blocks = 32768;
    cr_assert_eq(spipe_submit(ctx, io + 1, 1), 1);
    cr_assert_eq(xe32_get(HAL_ORDER_LITTLE, rig.hal.command[1].ioarcb.data_len), 16 << 20);
    cr_assert_eq(spipe_in_flight(ctx), 2);
    cr_assert_eq(spipe_release(ctx, 5), 0);
    cr_assert_eq(spipe_submit(ctx, io, 1), -EINVAL);
    rig_end();
}

Test(io, queue_full)
{
    struct spipe_io io[10];

    begin(HAL_ORDER_LITTLE, false);
    for (unsigned i = 0; i < 10; i++)
        io[i] = read_of(i);
    cr_assert_eq(spipe_submit(ctx, io, 10), 8);
    cr_assert_eq(spipe_submit(ctx, io + 8, 2), 0);
    cr_assert_eq(spipe_in_flight(ctx), 8);
    recording_hal_answer(&rig.hal, 3, NULL);
    cr_assert_eq(poll_one().tag, 3);
    cr_assert_eq(spipe_submit(ctx, io + 8, 2), 1);
    rig_end();
}

/* D-1: the last slot is used and not kept, lap after lap. */
Test(io, queue_never_shrinks)
{
    struct spipe_io io[10];

    begin(HAL_ORDER_LITTLE, false);
    for (unsigned i = 0; i < 10; i++)
        io[i] = read_of(i);
    for (unsigned lap = 0; lap < 20; lap++) {
        rig.hal.commands = 0;
        cr_assert_eq(spipe_submit(ctx, io, 10), 8, "lap %u", lap);
        cr_assert_eq(spipe_submit(ctx, io, 10), 0);
        for (unsigned i = 0; i < 8; i++) {
            recording_hal_answer(&rig.hal, i, NULL);
            cr_assert_eq(poll_one().tag, i);
        }
    }
    PROVES(D_1);
    rig_end();
}

Test(io, no_credit)
{
    struct spipe_io io[8];

    begin(HAL_ORDER_LITTLE, false);
    for (unsigned i = 0; i < 8; i++)
        io[i] = read_of(i);
    rig.hal.room = 0;
    ctx->queue.room = 3; /* what is left of an earlier answer */
    cr_assert_eq(spipe_submit(ctx, io, 8), 3);
    cr_assert_eq(spipe_submit(ctx, io + 3, 5), 0);
    rig.hal.room = 2;
    cr_assert_eq(spipe_submit(ctx, io + 3, 1), 1);
    cr_assert_eq(rig.hal.commands, 4);
    PROVES(AD_67);
    rig_end();
}

/* ---- completions ---- */

Test(io, out_of_order_and_in_batches)
{
    struct spipe_completion c[8];

    begin(HAL_ORDER_BIG, false);
    for (unsigned i = 0; i < 6; i++)
        submit(100 + i);
    cr_assert_eq(spipe_poll(ctx, c, 8), 0);
    for (unsigned i = 6; i-- > 0;)
        recording_hal_answer(&rig.hal, i, NULL);
    cr_assert_eq(spipe_poll(ctx, c, 4), 4);
    cr_assert_eq(spipe_poll(ctx, c + 4, 4), 2);
    for (unsigned i = 0; i < 6; i++) {
        struct spipe_completion good = {.tag = 105 - i};

        cr_assert_eq(memcmp(&c[i], &good, sizeof good), 0);
    }
    cr_assert_eq(spipe_in_flight(ctx), 0);
    PROVES(AD_80);
    rig_end();
}

static struct spipe_completion answer(const struct afu_ioasa *ioasa)
{
    submit(9);
    recording_hal_answer(&rig.hal, rig.hal.commands - 1, ioasa);
    return poll_one();
}

Test(io, status)
{
    struct afu_ioasa a = {.rc = {.flags = 0x90, .scsi_rc = 2}};
    struct spipe_completion c;

    begin(HAL_ORDER_BIG, false);
    a.resid = xe32_of(HAL_ORDER_BIG, 4096); /* SL 23.7 */
    memcpy(a.sense_data, (uint8_t[]){0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x2A, 9}, 14);
    c = answer(&a);
    cr_assert_lt(c.status, 0);
    cr_assert_eq(c.tag, 9);
    cr_assert_eq(c.residual, 4096);
    cr_assert_eq(c.flags, 0x90);
    cr_assert_eq(c.scsi_rc, 2);
    cr_assert(c.sense_key == 6 && c.asc == 0x2A && c.ascq == 9);

    a = (struct afu_ioasa){.rc = {.afu_rc = AFU_RC_NO_CHANNELS}, .afu_extra = 6};
    c = answer(&a);
    cr_assert_eq(c.status, -ENETDOWN);
    cr_assert_eq(c.afu_rc, AFU_RC_NO_CHANNELS);
    cr_assert_eq(c.afu_extra, 6);
    cr_assert_eq(c.sense_key, 0);

    a = (struct afu_ioasa){.rc = {.fc_rc = AFU_FC_RC_ABORTPEND}};
    c = answer(&a);
    cr_assert_eq(c.status, -ETIMEDOUT);
    cr_assert_eq(c.fc_rc, AFU_FC_RC_ABORTPEND);

    a = (struct afu_ioasa){.rc = {.flags = AFU_RC_FLAG_UNDERRUN}};
    a.resid = xe32_of(HAL_ORDER_BIG, 512);
    c = answer(&a);
    cr_assert_eq(c.status, -EIO); /* not all of it was moved */
    cr_assert_eq(c.residual, 512);
    c = answer(NULL); /* nothing of all that stays in the slot */
    cr_assert_eq(c.status, 0);
    cr_assert_eq(c.residual, 0);
    rig_end();
}

/* ---- lost ones ---- */

Test(io, time_out)
{
    struct spipe_completion c;

    begin(HAL_ORDER_LITTLE, false);
    submit(1);
    rig.exec.now += 3 * SECOND;
    submit(2);
    rig.exec.now += 3 * SECOND;
    cr_assert_eq(spipe_poll(ctx, &c, 1), 0); /* finds out */
    c = poll_one();
    cr_assert_eq(c.tag, 1);
    cr_assert_eq(c.status, -ETIMEDOUT);
    cr_assert_eq(spipe_in_flight(ctx), 1);
    recording_hal_answer(&rig.hal, 0, NULL); /* too late, and ignored */
    recording_hal_answer(&rig.hal, 1, NULL);
    cr_assert_eq(poll_one().tag, 2);
    for (unsigned i = 0; i < 7; i++) /* a slot is gone */
        submit(i);
    cr_assert_eq(spipe_submit(ctx, (struct spipe_io[]){read_of(1)}, 1), 0);
    rig_end();
}

Test(io, context_lost)
{
    struct spipe_completion c;

    begin(HAL_ORDER_LITTLE, true);
    submit(1);
    rig.hal.ctx[7].event.kind = HAL_EVENT_DEVICE_LOST;
    rig.hal.ctx[7].dead = true;
    cr_assert_eq(spipe_wait(ctx, SECOND), -EIO);
    c = poll_one();
    cr_assert_eq(c.status, -EIO);
    cr_assert_eq(spipe_wait(ctx, SECOND), -EIO);
    cr_assert_eq(spipe_submit(ctx, (struct spipe_io[]){read_of(1)}, 1), -ENODEV);
    rig_end();
}

/* ---- waiting ---- */

Test(io, wait)
{
    begin(HAL_ORDER_LITTLE, true);
    cr_assert_eq(spipe_wait(ctx, rig.exec.now + SECOND), -ETIMEDOUT);
    submit(1);
    recording_hal_answer(&rig.hal, 0, NULL);
    cr_assert_eq(spipe_wait(ctx, rig.exec.now + SECOND), 0);
    cr_assert_eq(poll_one().tag, 1);

    /* The interrupt is gone, the element is not: nobody sleeps. */
    submit(2);
    recording_hal_answer(&rig.hal, 1, NULL);
    rig.hal.ctx[7].pending_interrupt = 0;
    cr_assert_eq(spipe_wait(ctx, rig.exec.now + SECOND), 0);
    cr_assert_eq(poll_one().tag, 2);

    /* An interrupt of something else is not what was waited for. */
    submit(3);
    rig.hal.ctx[7].event = (struct hal_event){HAL_EVENT_AFU_INTERRUPT, 1, 0, 0};
    cr_assert_eq(spipe_wait(ctx, rig.exec.now + SECOND), -ETIMEDOUT);
    rig_end();
}

/* No longer than until the oldest I/O is given up. */
Test(io, wait_until_the_time_out)
{
    struct spipe_completion c;
    uint64_t then;

    begin(HAL_ORDER_LITTLE, true);
    then = rig.exec.now + 6 * SECOND;
    submit(1);
    cr_assert_eq(spipe_wait(ctx, then + 100 * SECOND), 0);
    cr_assert_eq(rig.exec.now, then);
    c = poll_one();
    cr_assert_eq(c.status, -ETIMEDOUT);
    rig_end();
}

/* the buffer could not be reached. The I/O fails, the context goes on. */
Test(io, bad_buffer)
{
    struct spipe_completion c;

    begin(HAL_ORDER_LITTLE, true);
    submit(1);
    rig.hal.ctx[7].event =
        (struct hal_event){HAL_EVENT_DATA_STORAGE, 0, (uint64_t)(uintptr_t)buffer, 0};
    cr_assert_eq(spipe_wait(ctx, rig.exec.now + SECOND), 0);
    c = poll_one();
    cr_assert_eq(c.tag, 1);
    cr_assert_eq(c.status, -EIO);
    submit(2);
    recording_hal_answer(&rig.hal, 1, NULL);
    cr_assert_eq(poll_one().tag, 2);
    rig_end();
}
