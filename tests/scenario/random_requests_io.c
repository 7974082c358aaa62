/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes. Every block is written whole from a token that says whose it is:
 *
 *   63 secret: the chunk has to be wiped   62:56 worker + 1   55:48 its chunk (255: a block of a
 *   direct handle)   47:28 serial number of the chunk   27:0 version
 *
 * A block of zeros has token 0. What a chunk held when it was granted is unknown (VL-24) until it
 * was read or written once, and then it is known for good: nobody else can change it. A block that
 * was unknown must not hold what is surely somebody's at that moment, and never a secret of another
 * chunk (VL-63). Between two handles that have the LUN direct chunks may be wiped, and with them
 * what a direct handle wrote where they are. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/scenario/random_requests_driver.h"
#include "tests/scenario/random_requests_steps.h"
#include "tests/testlib/stack.h"

enum { SAMPLE_LAST = RR_SAMPLES - 1, DIRECT_CHUNK = 255 };

#define SECRET (UINT64_C(1) << 63)
#define WORKER_MASK 0x7Fu
#define SERIAL_MASK 0xFFFFFu
#define VERSION_MASK 0xFFFFFFFu
#define STEP UINT64_C(0x9E3779B97F4A7C15)

/* ---- blocks ---- */

static void fill(void *data, unsigned bytes, uint64_t token)
{
    uint64_t *word = data;

    for (unsigned i = 0; i < bytes / 8; i++)
        word[i] = token ? token ^ i * STEP : 0;
}

static bool matches(const void *data, unsigned bytes, uint64_t token)
{
    const uint64_t *word = data;
    uint64_t differ = 0;

    for (unsigned i = 0; i < bytes / 8; i++)
        differ |= word[i] ^ (token ? token ^ i * STEP : 0);
    return !differ;
}

/* But for the version. */
static uint64_t token_of(const struct rr_worker *w, const struct rr_chunk *c)
{
    uint64_t chunk = c ? (uint64_t)(c - w->chunk) : DIRECT_CHUNK, serial = c ? c->serial : 0;

    return (c && c->wiped ? SECRET : 0) | (uint64_t)(w->number + 1) << 56 | chunk << 48 |
           (serial & SERIAL_MASK) << 28;
}

static uint64_t new_token(struct rr_worker *w, const struct rr_chunk *c)
{
    return token_of(w, c) | (++w->versions & VERSION_MASK);
}

/* Whether the token is of a chunk that somebody surely has, and that is not this one. */
static bool is_anothers(struct rr_worker *w, uint64_t token, const struct rr_chunk *mine)
{
    unsigned worker = (token >> 56 & WORKER_MASK) - 1, chunk = token >> 48 & 0xFF;
    uint64_t serial;

    if (token == 0 || worker >= RR_WORKERS || chunk >= RR_CHUNK_POOL)
        return false;
    if (worker == w->number && &w->chunk[chunk] == mine)
        return false;
    serial = exec_atomic_load(w->exec, &w->books->live[worker][chunk]);
    return serial && (serial & SERIAL_MASK) == (token >> 28 & SERIAL_MASK);
}

/* Whether the token was written to a chunk that had to be wiped before it was this one, or
 * nobody's.
 */
static bool is_secret(const struct rr_worker *w, uint64_t token, const struct rr_chunk *mine)
{
    return token & SECRET && (token & ~(uint64_t)VERSION_MASK) != token_of(w, mine);
}

/* Where the samples of a chunk are: both ends, so that two chunks meet, and in between. */
static uint64_t offset_of(unsigned sample)
{
    static const uint64_t offset[RR_SAMPLES] = {0, 12345, SPIPE_CHUNK_BLOCKS - 1};

    return offset[sample];
}

/* Blocks of a direct handle: in the tail, which no chunk has, and one that no sample is. */
static uint64_t direct_lba(const struct rr_worker *w, const struct rr_lun *lun, unsigned sample)
{
    return sample == SAMPLE_LAST ? 1000 + w->number : lun->last_lba - 2 * w->number - sample;
}

/* ---- choosing ---- */

static bool busy(const struct rr_block *b, bool write)
{
    return b->writers || (write && b->readers);
}

static void add_block(struct rr_io *io, struct rr_chunk *chunk, struct rr_block *block)
{
    io->chunk[io->blocks] = chunk;
    io->block[io->blocks++] = block;
}

/* One block, or two where chunks meet. Returns its address. */
static uint64_t choose_virtual(struct rr_worker *w, const struct rr_handle *h, struct rr_io *io)
{
    unsigned index = rr_draw(w, h->sure), sample = rr_draw(w, RR_SAMPLES);

    add_block(io, h->chunk[index], &h->chunk[index]->block[sample]);
    io->index = index;
    if (sample == SAMPLE_LAST && index + 1 < h->sure && rr_once_in(w, 2)) {
        add_block(io, h->chunk[index + 1], &h->chunk[index + 1]->block[0]);
        io->index++;
    }
    return index * (uint64_t)SPIPE_CHUNK_BLOCKS + offset_of(sample);
}

/* What clients left behind in a chunk: it is nobody's now. */
static uint64_t choose_stray(struct rr_worker *w, const struct rr_handle *h, struct rr_io *io)
{
    uint64_t chunk = rr_draw(w, w->books->lun[h->lun].chunks);

    io->write = false;
    io->stray.token = io->stray.other = RR_UNKNOWN;
    add_block(io, NULL, &io->stray);
    return chunk * SPIPE_CHUNK_BLOCKS + offset_of(rr_draw(w, RR_SAMPLES));
}

static uint64_t choose_direct(struct rr_worker *w, const struct rr_handle *h, struct rr_io *io)
{
    unsigned sample = rr_draw(w, RR_SAMPLES + 1);

    if (sample == RR_SAMPLES)
        return choose_stray(w, h, io);
    add_block(io, NULL, &w->direct[h->lun][sample]);
    return direct_lba(w, &w->books->lun[h->lun], sample);
}

/* False: nothing to choose, or somebody is at it already. */
static bool choose(struct rr_worker *w, const struct rr_handle *h, struct rr_io *io, uint64_t *lba)
{
    *io = (struct rr_io){.write = rr_once_in(w, 2),
                         .lun = h->lun,
                         .handle = h->number,
                         .certain = true,
                         .blocks = 0};
    if (h->kind == RR_VIRTUAL && h->sure == 0)
        return false;
    *lba = h->kind == RR_VIRTUAL ? choose_virtual(w, h, io) : choose_direct(w, h, io);
    io->allowed = h->permissions & (io->write ? RR_WRITE : RR_READ);
    for (unsigned i = 0; i < io->blocks; i++)
        if (busy(io->block[i], io->write))
            return false;
    return true;
}

/* ---- in flight ---- */

static void pin(struct rr_io *io, int by)
{
    for (unsigned i = 0; i < io->blocks; i++) {
        if (io->chunk[i])
            io->chunk[i]->pins += (unsigned)by;
        if (io->write)
            io->block[i]->writers = (uint8_t)(io->block[i]->writers + by);
        else
            io->block[i]->readers = (uint8_t)(io->block[i]->readers + by);
    }
}

static uint8_t *buffer_of(struct rr_worker *w, const struct rr_context *c, unsigned slot)
{
    size_t context = (size_t)((c->actor - w->actor) * RR_CONTEXTS + (c - c->actor->context));

    return w->memory->buffer[context][slot];
}

static void prepare(struct rr_worker *w, struct rr_io *io, uint8_t *buffer, unsigned bytes)
{
    io->bytes = bytes;
    io->busy = true;
    for (unsigned i = 0; i < io->blocks; i++) {
        io->token[i] = io->write ? new_token(w, io->chunk[i]) : 0;
        if (io->write)
            fill(buffer + i * bytes, bytes, io->token[i]);
        else
            memset(buffer + i * bytes, 0xEE, bytes);
    }
    pin(io, 1);
}

/* ---- judging ---- */

/* What is there is there until the next write; the other possibility has gone. */
static void know(struct rr_worker *w, const struct rr_io *io, struct rr_block *b, uint64_t token)
{
    b->token = b->other = token;
    if (!io->chunk[0])
        b->given_up = rr_given_up(w, io->lun);
}

/* The tail of a LUN is of no chunk. */
static bool may_be_wiped(struct rr_worker *w, const struct rr_io *io, const struct rr_block *b)
{
    return b == &w->direct[io->lun][SAMPLE_LAST] && rr_soiled_beyond(w, io->lun, b->given_up);
}

static bool is_as_known(struct rr_worker *w, const struct rr_io *io, const struct rr_block *b,
                        uint64_t token)
{
    bool wiped = token == 0 && may_be_wiped(w, io, b);

    if (wiped && token != b->token && token != b->other)
        rr_answer_add(w->answer, "a block of a direct handle was wiped", 0, 1);
    return b->token == RR_UNKNOWN || token == b->token || token == b->other || wiped;
}

static void judge_read(struct rr_worker *w, struct rr_io *io, unsigned i, const uint8_t *data)
{
    struct rr_block *b = io->block[i];
    uint64_t token;

    memcpy(&token, data, sizeof token);
    RR_CHECK(w, matches(data, io->bytes, token), "a block is torn, it begins with token %#llx",
             (unsigned long long)token);
    RR_CHECK(w, !is_anothers(w, token, io->chunk[i]), "token %#llx is of a chunk of somebody else",
             (unsigned long long)token);
    RR_CHECK(w, !is_secret(w, token, io->chunk[i]), "token %#llx should have been wiped",
             (unsigned long long)token);
    RR_CHECK(w, is_as_known(w, io, b, token), "token %#llx instead of %#llx or %#llx, handle %u",
             (unsigned long long)token, (unsigned long long)b->token, (unsigned long long)b->other,
             io->handle);
    know(w, io, b, token);
}

/* What might be more than two things is unknown. */
static void maybe_written(struct rr_io *io)
{
    for (unsigned i = 0; i < io->blocks; i++) {
        struct rr_block *b = io->block[i];

        if (b->token != b->other)
            b->token = RR_UNKNOWN;
        b->other = io->token[i];
    }
}

static void judge(struct rr_worker *w, struct rr_context *c, struct rr_io *io, int status,
                  const uint8_t *buffer)
{
    RR_CHECK(w, status == 0 || status == -EIO, "an I/O ended with %d", status);
    RR_CHECK(w, !(io->certain && io->allowed) || status == 0 || rr_lost(w, c),
             "an I/O of handle %u gave %d", io->handle, status);
    RR_CHECK(w, io->allowed || status, "an I/O of handle %u without permission", io->handle);
    pin(io, -1);
    io->busy = false;
    for (unsigned i = 0; i < io->blocks && !status; i++)
        if (io->write)
            know(w, io, io->block[i], io->token[i]);
        else
            judge_read(w, io, i, buffer + i * io->bytes);
    if (status && io->write && io->allowed)
        maybe_written(io);
}

/* ---- the typed face: several in flight ---- */

static bool finish_one(struct rr_worker *w, struct rr_context *c)
{
    struct spipe_completion done;

    if (spipe_poll(c->ctx, &done, 1) == 0)
        return false;
    RR_CHECK(w, done.tag < RR_IOS && c->io[done.tag].busy, "a completion of nothing, tag %llu",
             (unsigned long long)done.tag);
    c->ios--;
    rr_note(w, c, c->io[done.tag].write ? "written" : "read", c->io[done.tag].handle, done.tag,
            done.status);
    judge(w, c, &c->io[done.tag], done.status, buffer_of(w, c, (unsigned)done.tag));
    return true;
}

void rr_io_finish(struct rr_worker *w, struct rr_context *c)
{
    while (c->ios > 0)
        (void)finish_one(w, c);
}

void rr_io_lost(struct rr_worker *w, struct rr_context *c)
{
    (void)w;
    for (unsigned i = 0; i < RR_IOS; i++) {
        if (!c->io[i].busy)
            continue;
        pin(&c->io[i], -1);
        if (c->io[i].write)
            maybe_written(&c->io[i]);
        c->io[i].busy = false;
    }
    c->ios = 0;
}

void rr_io_withdrawn(struct rr_context *c, uint32_t handle, unsigned size)
{
    for (unsigned i = 0; i < RR_IOS; i++)
        if (c->io[i].handle == handle && c->io[i].index >= size)
            c->io[i].certain = false;
}

/* It was not taken, so nothing of it happens: the context is lost. */
static void take_back(struct rr_worker *w, struct rr_context *c, struct rr_io *io, int rc)
{
    RR_CHECK(w, rc == -ENODEV && rr_lost(w, c), "submit gave %d", rc);
    pin(io, -1);
    io->busy = false;
    c->ios--;
}

/* What was chosen, in a free slot. */
static void send(struct rr_worker *w, struct rr_context *c, struct rr_io *chosen, uint64_t lba,
                 unsigned bytes)
{
    unsigned slot = (unsigned)(chosen - c->io);
    uint8_t *buffer = buffer_of(w, c, slot);
    struct spipe_io io = {slot,           lba,
                          buffer,         chosen->blocks,
                          chosen->handle, chosen->write ? SPIPE_WRITE : SPIPE_READ};
    int rc;

    prepare(w, chosen, buffer, bytes);
    c->ios++;
    while ((rc = spipe_submit(c->ctx, &io, 1)) == 0)
        RR_CHECK(w, !finish_one(w, c) || w->resets, "room in the queue, but none");
    if (rc != 1)
        take_back(w, c, chosen, rc);
}

static void submit(struct rr_worker *w, struct rr_context *c, struct rr_handle *h)
{
    struct rr_io *io = c->io;
    uint64_t lba;

    while (io->busy)
        io++;
    if (choose(w, h, io, &lba))
        send(w, c, io, lba, w->books->lun[h->lun].block_size);
}

static void io_typed(struct rr_worker *w, struct rr_context *c, struct rr_handle *h)
{
    if (c->ios == RR_IOS)
        (void)finish_one(w, c);
    if (c->ios < RR_IOS)
        submit(w, c, h);
    if (rr_once_in(w, 3))
        rr_io_finish(w, c);
}

/* ---- the binary face: one after the other ---- */

static bool has_driver(const struct rr_context *c) { return c->mapping[0] && c->afu; }

static void carry_out(struct rr_worker *w, struct rr_context *c, struct rr_io *io, uint64_t lba,
                      unsigned bytes)
{
    uint8_t *buffer = buffer_of(w, c, 0);
    struct rr_command command = {io->write,  io->handle,         lba,
                                 io->blocks, io->blocks * bytes, buffer};
    int status;

    prepare(w, io, buffer, bytes);
    status = rr_afu_io(c->afu, c->mapping[0], &command);
    rr_note(w, c, io->write ? "written" : "read", io->handle, lba, status);
    judge(w, c, io, status, buffer);
}

static void io_binary(struct rr_worker *w, struct rr_context *c, struct rr_handle *h)
{
    uint64_t lba;

    if (has_driver(c) && choose(w, h, &c->io[0], &lba))
        carry_out(w, c, &c->io[0], lba, w->books->lun[h->lun].block_size);
}

/* ---- everything ---- */

static void look_at_block(struct rr_worker *w, struct rr_context *c, const struct rr_handle *h,
                          unsigned index, unsigned sample)
{
    struct rr_io *io = &c->io[0];
    struct rr_block *b = &h->chunk[index]->block[sample];
    uint64_t lba = index * (uint64_t)SPIPE_CHUNK_BLOCKS + offset_of(sample);
    unsigned bytes = w->books->lun[h->lun].block_size;

    if (busy(b, false) || b->token == RR_UNKNOWN)
        return;
    *io = (struct rr_io){
        .allowed = true, .certain = true, .handle = h->number, .index = index, .blocks = 0};
    io->lun = h->lun;
    add_block(io, h->chunk[index], b);
    if (c->actor->binary) {
        carry_out(w, c, io, lba, bytes);
    } else {
        send(w, c, io, lba, bytes);
        rr_io_finish(w, c);
    }
}

void rr_io_look(struct rr_worker *w, struct rr_context *c)
{
    rr_io_finish(w, c);
    for (const struct rr_handle *h = c->handle; h < c->handle + RR_HANDLES; h++) {
        if (!h->open || h->kind != RR_VIRTUAL || !(h->permissions & RR_READ))
            continue;
        for (unsigned i = 0; i < h->sure * RR_SAMPLES && !c->lost; i++)
            if (!c->actor->binary || has_driver(c))
                look_at_block(w, c, h, i / RR_SAMPLES, i % RR_SAMPLES);
    }
}

/* ---- the steps ---- */

void rr_step_io(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_healthy(w, a);
    struct rr_handle *h = c ? rr_any_handle(w, c) : NULL;

    if (!h)
        return;
    if (a->binary)
        io_binary(w, c, h);
    else
        io_typed(w, c, h);
}

/* One I/O with nothing else in flight, of which the books know nothing. -ENODEV: not even taken. */
static int alone(struct rr_worker *w, struct rr_context *c, const struct rr_command *command)
{
    struct spipe_io io = {.lba = command->lba,
                          .buffer = command->buffer,
                          .blocks = command->blocks,
                          .handle = command->handle,
                          .op = command->write ? SPIPE_WRITE : SPIPE_READ};
    struct spipe_completion done;
    int rc;

    if (c->actor->binary)
        return rr_afu_io(c->afu, c->mapping[0], command);
    rc = spipe_submit(c->ctx, &io, 1);
    if (rc == -ENODEV || (rc == 0 && w->resets)) /* no room: the registers read all ones */
        return -ENODEV;
    RR_CHECK(w, rc == 1, "submit with an empty queue");
    while (spipe_poll(c->ctx, &done, 1) == 0)
        continue;
    return done.status;
}

void rr_io_of_lost(struct rr_worker *w, struct rr_context *c, const struct rr_handle *h)
{
    struct rr_command command = {.handle = h->number, .buffer = buffer_of(w, c, 0)};
    unsigned bytes = w->books->lun[h->lun].block_size;
    struct rr_io io;
    int rc;

    rr_io_finish(w, c);
    if ((c->actor->binary && !has_driver(c)) || !choose(w, h, &io, &command.lba))
        return;
    command.write = io.write;
    command.blocks = 1;
    command.bytes = bytes;
    fill(command.buffer, bytes, new_token(w, io.chunk[0]));
    rc = rr_note(w, c, "I/O of a lost context", h->number, command.lba, alone(w, c, &command));
    RR_ONE_OF(w, "an I/O of a lost context", rc, -EIO, -ENODEV);
}

/* Just beyond the end, and across it: refused, and nothing is moved. */
static void beyond(struct rr_worker *w, struct rr_context *c, const struct rr_handle *h)
{
    const struct rr_lun *lun = &w->books->lun[h->lun];
    uint8_t *buffer = buffer_of(w, c, 0);
    uint64_t end =
        h->kind == RR_PHYSICAL ? lun->last_lba + 1 : (uint64_t)h->size * SPIPE_CHUNK_BLOCKS;
    bool across = end > 0 && rr_once_in(w, 2), write = rr_once_in(w, 2);
    struct rr_command command = {write, h->number, end - across, 2, 2 * lun->block_size, buffer};
    int status = rr_note(w, c, "beyond", h->number, end, alone(w, c, &command));

    RR_CHECK(w, status == -EIO || (status == -ENODEV && rr_lost(w, c)),
             "an I/O beyond the end gave %d", status);
}

void rr_step_io_beyond(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_healthy(w, a);
    struct rr_handle *h = c ? rr_any_handle(w, c) : NULL;

    if (!h || (a->binary && !has_driver(c)))
        return;
    rr_io_finish(w, c);
    beyond(w, c, h);
}

/* ---- the end ---- */

void rr_io_judge_leftovers(struct stack_client *c, uint32_t handle, unsigned chunks)
{
    uint64_t block[RR_BLOCK_MAX / sizeof(uint64_t)];

    for (unsigned i = 0; i < chunks * RR_SAMPLES; i++) {
        uint64_t lba = i / RR_SAMPLES * (uint64_t)SPIPE_CHUNK_BLOCKS + offset_of(i % RR_SAMPLES);

        cr_assert_eq(stack_io(c, SPIPE_READ, handle, lba, 1, block), 0);
        cr_assert_not(block[0] & SECRET, "block %llu was not wiped", (unsigned long long)lba);
    }
}
