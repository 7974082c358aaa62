/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/transfer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "tools/progress.h"
#include "tools/text.h"

#define HARVEST 8

__attribute__((format(printf, 3, 4))) static int fail(struct transfer *t, int rc,
                                                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(t->why, t->why_size, format, args);
    va_end(args);
    return rc;
}

static struct spipe *adapter(const struct transfer *t) { return t->session->spipe[0]; }

/* ---- life -------------------------------------------------------------------------------------
 */

static int get_buffers(struct transfer *t)
{
    size_t size = (size_t)TRANSFER_DEPTH * TRANSFER_BYTES;
    int rc;

    t->memory = exec_alloc(t->session->exec, size, 4096);
    if (!t->memory)
        return fail(t, -ENOMEM, "not enough memory for buffers");
    rc = hal_mem_register(t->session->device[0], t->memory, size, "transfer data");
    if (rc)
        return fail(t, rc, "buffers cannot be registered (%s)", strerror(-rc));
    t->registered = true;
    for (unsigned i = 0; i < TRANSFER_DEPTH; i++)
        t->slot[i].buffer = t->memory + (size_t)i * TRANSFER_BYTES;
    return 0;
}

int transfer_begin(struct transfer *t, struct session *s, struct progress *progress, unsigned lun,
                   char *why, size_t size)
{
    struct spipe_lun_info info;
    int rc;

    *t = (struct transfer){.session = s, .progress = progress, .why = why, .why_size = size};
    rc = spipe_lun_info(adapter(t), lun, &info);
    if (rc)
        return fail(t, rc, "there is no LUN %u", lun);
    t->block_size = info.block_size;
    rc = get_buffers(t);
    if (rc)
        return rc;
    rc = vlun_handle_begin(&t->vlun, adapter(t), lun, TRANSFER_DEPTH);
    return rc ? fail(t, rc, "LUN %u cannot be attached (%s)", lun, strerror(-rc)) : 0;
}

int transfer_end(struct transfer *t)
{
    int rc = vlun_handle_end(&t->vlun);

    if (t->registered)
        hal_mem_release(t->session->device[0], t->memory);
    exec_free(t->session->exec, t->memory, (size_t)TRANSFER_DEPTH * TRANSFER_BYTES);
    return rc ? fail(t, rc, "the virtual LUN cannot be released (%s)", strerror(-rc)) : 0;
}

/* ---- the virtual LUN --------------------------------------------------------------------------
 */

/* Bytes of the virtual LUN. */
static uint64_t room(const struct transfer *t) { return t->vlun.blocks * SPIPE_API_BLOCK; }

/* Whether what was granted is enough. */
static int check_room(struct transfer *t, uint64_t want)
{
    char a[TEXT_BYTES], b[TEXT_BYTES];

    if (room(t) >= want)
        return 0;
    return fail(t, -ENOSPC,
                "%s are needed, but LUN %u has room for %s only: remove names that are not needed "
                "or use a larger LUN",
                text_size(a, want), t->vlun.lun, text_size(b, room(t)));
}

static uint64_t blocks_for(uint64_t bytes)
{
    return hal_max64(hal_div_up(bytes, SPIPE_API_BLOCK), 1);
}

int transfer_open_new(struct transfer *t, uint64_t bytes)
{
    int rc = vlun_handle_create(&t->vlun, blocks_for(bytes));

    if (rc && rc != -ENOSPC)
        return fail(t, rc, "a virtual LUN cannot be opened (%s)", strerror(-rc));
    return check_room(t, rc ? hal_max64(bytes, 1) : bytes);
}

int transfer_open_name(struct transfer *t, const char *name)
{
    int rc = vlun_handle_open(&t->vlun, name);

    return rc ? fail(t, rc, "virtual LUN '%s' cannot be opened (%s)", name, strerror(-rc)) : 0;
}

int transfer_resize(struct transfer *t, uint64_t bytes)
{
    int rc = vlun_handle_resize(&t->vlun, blocks_for(bytes));

    if (rc && rc != -ENOSPC)
        return fail(t, rc, "the virtual LUN cannot be resized (%s)", strerror(-rc));
    return check_room(t, bytes);
}

/* ---- I/O --------------------------------------------------------------------------------------
 */

/* Sends one piece. -EAGAIN: no credit, an I/O in flight must end first. */
static int try_submit(struct transfer *t, struct transfer_slot *slot, enum spipe_op op)
{
    struct spipe_io io = {
        .tag = (uint64_t)(slot - t->slot),
        .lba = slot->number * (TRANSFER_BYTES / t->block_size),
        .buffer = slot->buffer,
        .blocks = (uint32_t)hal_div_up(slot->bytes, t->block_size),
        .handle = t->vlun.handle,
        .op = op,
    };
    int taken = spipe_submit(t->vlun.ctx, &io, 1);

    if (!taken)
        return -EAGAIN;
    if (taken < 0)
        return fail(t, taken, "the adapter takes no more I/O (%s)", strerror(-taken));
    slot->busy = true;
    slot->done = false;
    return 0;
}

static int io_failed(struct transfer *t, const struct spipe_completion *c, bool writing)
{
    uint64_t block = t->slot[c->tag].number * (TRANSFER_BYTES / t->block_size);
    char sense[64] = "";

    if (c->sense_key)
        snprintf(sense, sizeof sense, ", sense %x/%02x/%02x", c->sense_key, c->asc, c->ascq);
    fail(t, c->status, "block %llu of the virtual LUN cannot be %s (%s%s)",
         (unsigned long long)block, writing ? "written" : "read", strerror(-c->status), sense);
    if (writing)
        session_explain_full(t->session, 0, t->why, t->why_size);
    return c->status;
}

/* Takes what has ended. */
static int harvest(struct transfer *t, bool writing)
{
    struct spipe_completion done[HARVEST];
    unsigned n = spipe_poll(t->vlun.ctx, done, HARVEST);
    uint64_t bytes = 0;
    int rc = 0;

    for (unsigned i = 0; i < n; i++) {
        struct transfer_slot *slot = &t->slot[done[i].tag];

        slot->busy = false;
        slot->done = true;
        bytes += slot->bytes;
        if (done[i].status && !rc)
            rc = io_failed(t, &done[i], writing);
    }
    progress_tick(t->progress, 0, n, bytes);
    return rc;
}

static int submit(struct transfer *t, struct transfer_slot *slot, enum spipe_op op)
{
    int rc;

    while ((rc = try_submit(t, slot, op)) == -EAGAIN) {
        rc = harvest(t, op == SPIPE_WRITE);
        if (rc)
            break;
    }
    return rc;
}

/* After a failure: buffers may be freed only when nothing is in flight. */
static int drain(struct transfer *t, int rc)
{
    static char ignored[256];
    char *why = t->why;
    size_t size = t->why_size;

    t->why = ignored;
    t->why_size = sizeof ignored;
    while (spipe_in_flight(t->vlun.ctx))
        if (harvest(t, false) == -ENODEV)
            break;
    t->why = why;
    t->why_size = size;
    return rc;
}

/* ---- in ---------------------------------------------------------------------------------------
 */

/* Reads until the buffer is full or the input ends. Returns 0 or a negative errno. */
static int read_piece(int fd, uint8_t *buffer, uint32_t *bytes)
{
    *bytes = 0;
    while (*bytes < TRANSFER_BYTES) {
        ssize_t n = read(fd, buffer + *bytes, TRANSFER_BYTES - *bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (!n)
            break;
        *bytes += (uint32_t)n;
    }
    return 0;
}

/* An input of unknown size: grows by a quarter, at least by a chunk, or by what there is room
 * for. */
static int make_room(struct transfer *t, uint64_t bytes)
{
    uint64_t more = hal_max64(bytes, room(t) + hal_max64(room(t) / 4, SESSION_CHUNK_BYTES));

    if (bytes <= room(t))
        return 0;
    if (!transfer_resize(t, more) || room(t) >= bytes)
        return 0;
    return transfer_resize(t, bytes);
}

static int send_piece(struct transfer *t, struct transfer_slot *slot)
{
    uint32_t tail = slot->bytes % t->block_size;
    int rc = make_room(t, t->bytes + slot->bytes);

    if (rc)
        return rc;
    if (tail)
        memset(slot->buffer + slot->bytes, 0, t->block_size - tail);
    t->bytes += slot->bytes;
    return submit(t, slot, SPIPE_WRITE);
}

static struct transfer_slot *free_slot(struct transfer *t)
{
    for (unsigned i = 0; i < TRANSFER_DEPTH; i++)
        if (!t->slot[i].busy)
            return &t->slot[i];
    return NULL;
}

int transfer_in(struct transfer *t, int fd, const char *from)
{
    bool more = true;
    int rc = 0;

    while (!rc && (more || spipe_in_flight(t->vlun.ctx))) {
        struct transfer_slot *slot = more ? free_slot(t) : NULL;

        if (!slot) {
            rc = harvest(t, true);
            continue;
        }
        rc = read_piece(fd, slot->buffer, &slot->bytes);
        if (rc)
            rc = fail(t, rc, "'%s' cannot be read (%s)", from, strerror(-rc));
        more = slot->bytes == TRANSFER_BYTES;
        slot->number = t->bytes / TRANSFER_BYTES;
        if (!rc && slot->bytes)
            rc = send_piece(t, slot);
    }
    return drain(t, rc);
}

/* ---- out --------------------------------------------------------------------------------------
 */

static int write_all(int fd, const uint8_t *data, size_t n)
{
    while (n) {
        ssize_t done = write(fd, data, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        data += done;
        n -= (size_t)done;
    }
    return 0;
}

static int write_failed(struct transfer *t, int rc, const char *to)
{
    const char *help = rc == -ENOSPC || rc == -EDQUOT ? ": free some space on its disk"
                       : rc == -EFBIG                 ? ": raise 'ulimit -f'"
                                                      : "";

    return fail(t, rc, "'%s' cannot be written (%s)%s", to, strerror(-rc), help);
}

int transfer_out(struct transfer *t, int fd, uint64_t bytes, const char *to)
{
    uint64_t pieces = hal_div_up(bytes, TRANSFER_BYTES), asked = 0, written = 0;
    int rc = 0;

    while (!rc && written < pieces) {
        struct transfer_slot *slot = &t->slot[asked % TRANSFER_DEPTH];

        if (asked < pieces && asked - written < TRANSFER_DEPTH) {
            slot->number = asked++;
            slot->bytes =
                (uint32_t)hal_min64(TRANSFER_BYTES, bytes - slot->number * TRANSFER_BYTES);
            rc = submit(t, slot, SPIPE_READ);
            continue;
        }
        slot = &t->slot[written % TRANSFER_DEPTH];
        if (!slot->done) {
            rc = harvest(t, false);
            continue;
        }
        rc = write_all(fd, slot->buffer, slot->bytes);
        if (rc)
            write_failed(t, rc, to);
        t->bytes += slot->bytes;
        written++;
    }
    return drain(t, rc);
}
