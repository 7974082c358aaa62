/* SPDX-License-Identifier: Apache-2.0 */
/* See record_log.h for the format and the reasons behind it. */
#include "hal/support/record_log.h"

#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/crc32c.h"
#include "hal/support/endian.h"

#define HALF_MAGIC "SPIPELOG"
#define RECORD_MAGIC "SREC"

enum {
    HALF_VERSION = 8,
    HALF_CRC = 12,
    HALF_GENERATION = 16,
    HALF_BYTES = 24,
    HALF_BASE = 32,

    RECORD_LENGTH = 4,
    RECORD_GENERATION = 8,
    RECORD_SEQUENCE = 16,
    RECORD_PAYLOAD_CRC = 24,
    RECORD_CRC = 28,

    SECTOR = HAL_RECORD_LOG_SECTOR,
    PREFIX = HAL_RECORD_LOG_RECORD_HEADER,
};

/* What the first sector of a half says. */
enum half_state {
    HALF_ZERO,    /* never used */
    HALF_BEGUN,   /* what a crash left of the very first header */
    HALF_RETIRED, /* compaction may fill it */
    HALF_LIVE,    /* has records */
    HALF_OTHER,   /* made for an area of another size */
    HALF_NEWER,   /* written by a newer version */
    HALF_BAD,     /* torn or damaged */
};

struct half {
    enum half_state state;
    uint64_t generation, base;
};

/* ---- the bytes of the area ---- */

static int read_half(struct hal_record_log *log, unsigned half, uint64_t offset, void *buf,
                     size_t n)
{
    CHECK(offset <= log->half_size && n <= log->half_size - offset);
    return log->area->ops->read(log->area, half * log->half_size + offset, buf, n) ? -EIO : 0;
}

static int write_half(struct hal_record_log *log, unsigned half, uint64_t offset, const void *buf,
                      size_t n)
{
    int rc;

    CHECK(offset <= log->half_size && n <= log->half_size - offset);
    rc = log->area->ops->write(log->area, half * log->half_size + offset, buf, n);
    return rc == 0 || rc == -ENOSPC ? rc : -EIO;
}

static int sync_area(struct hal_record_log *log)
{
    if (log->area->ops->sync(log->area) == 0)
        return 0;
    log->unsure = true;
    return -EIO;
}

static bool all_zero(const unsigned char *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* -EILSEQ unless everything from `offset` to the end of a half is zero. */
static int check_blank(struct hal_record_log *log, unsigned half, uint64_t offset)
{
    while (offset < log->half_size) {
        size_t n = (size_t)hal_min64(sizeof log->buf, log->half_size - offset);
        int rc = read_half(log, half, offset, log->buf, n);

        if (rc)
            return rc;
        if (!all_zero(log->buf, n))
            return -EILSEQ;
        offset += n;
    }
    return 0;
}

/* Writes zeros over [from, to) of the live half, whatever reads say is there: after a failed sync
 * that may not be what the medium has. */
static int zero_live(struct hal_record_log *log, uint64_t from, uint64_t to)
{
    int rc = 0;

    memset(log->buf, 0, sizeof log->buf);
    for (uint64_t n; from < to && !rc; from += n) {
        n = hal_min64(sizeof log->buf, to - from);
        rc = write_half(log, log->live.half, from, log->buf, (size_t)n);
    }
    return rc;
}

/* Zeroes what is not zero from `offset` to the end of a half. Reading first keeps a sparse area
 * sparse, and costs less than writing it all; after a failed sync, which may have lost zeros for
 * good that reads still show, it is not enough. */
static int wipe_from(struct hal_record_log *log, unsigned half, uint64_t offset)
{
    while (offset < log->half_size) {
        size_t n = (size_t)hal_min64(sizeof log->buf, log->half_size - offset);
        int rc = read_half(log, half, offset, log->buf, n);

        if (rc)
            return rc;
        if (log->unsure || !all_zero(log->buf, n)) {
            memset(log->buf, 0, n);
            rc = write_half(log, half, offset, log->buf, n);
            if (rc)
                return rc;
        }
        offset += n;
    }
    return 0;
}

/* ---- headers of halves ---- */

static uint32_t header_crc(const unsigned char *sector)
{
    static const unsigned char none[4];
    uint32_t crc = hal_crc32c(0, sector, HALF_CRC);

    crc = hal_crc32c(crc, none, sizeof none);
    return hal_crc32c(crc, sector + HALF_CRC + 4, SECTOR - HALF_CRC - 4);
}

static void make_header(const struct hal_record_log *log, uint64_t generation, uint64_t base,
                        unsigned char *sector)
{
    memset(sector, 0, SECTOR);
    memcpy(sector, HALF_MAGIC, 8);
    hal_be32_put(sector + HALF_VERSION, HAL_RECORD_LOG_VERSION);
    hal_be64_put(sector + HALF_GENERATION, generation);
    hal_be64_put(sector + HALF_BYTES, log->half_size);
    hal_be64_put(sector + HALF_BASE, base);
    hal_be32_put(sector + HALF_CRC, header_crc(sector));
}

static int write_header(struct hal_record_log *log, unsigned half, uint64_t generation,
                        uint64_t base)
{
    unsigned char sector[SECTOR];

    make_header(log, generation, base, sector);
    return write_half(log, half, 0, sector, SECTOR);
}

/* A part of the first header that this area ever gets, whichever, the rest still zero. */
static bool is_begun(const struct hal_record_log *log, const unsigned char *sector)
{
    unsigned char first[SECTOR];

    make_header(log, 1, SECTOR, first);
    for (size_t i = 0; i < SECTOR; i++)
        if (sector[i] != 0 && sector[i] != first[i])
            return false;
    return true;
}

static struct half judge_header(const struct hal_record_log *log, const unsigned char *sector)
{
    struct half h = {.state = HALF_BAD};
    uint32_t version = hal_be32_at(sector + HALF_VERSION);

    if (all_zero(sector, SECTOR))
        return (struct half){.state = HALF_ZERO};
    if (memcmp(sector, HALF_MAGIC, 8) || hal_be32_at(sector + HALF_CRC) != header_crc(sector)) {
        h.state = is_begun(log, sector) ? HALF_BEGUN : HALF_BAD;
        return h;
    }
    h.generation = hal_be64_at(sector + HALF_GENERATION);
    h.base = hal_be64_at(sector + HALF_BASE);
    if (version > HAL_RECORD_LOG_VERSION)
        h.state = HALF_NEWER;
    else if (version < HAL_RECORD_LOG_VERSION)
        h.state = HALF_BAD;
    else if (hal_be64_at(sector + HALF_BYTES) != log->half_size)
        h.state = HALF_OTHER;
    else
        h.state = h.generation ? HALF_LIVE : HALF_RETIRED;
    return h;
}

static int read_header(struct hal_record_log *log, unsigned half, struct half *h)
{
    unsigned char sector[SECTOR];
    int rc = read_half(log, half, 0, sector, SECTOR);

    if (!rc)
        *h = judge_header(log, sector);
    return rc;
}

/* Decides which half counts: 0 or 1; 2 if the area is new; or a negative errno. */
static int choose_half(const struct half *h)
{
    bool live[2] = {h[0].state == HALF_LIVE, h[1].state == HALF_LIVE};

    if (h[0].state == HALF_NEWER || h[1].state == HALF_NEWER)
        return -ENOTSUP;
    if (h[0].state == HALF_OTHER || h[1].state == HALF_OTHER)
        return -EINVAL;
    if (live[0] && live[1])
        return h[0].generation == h[1].generation ? -EILSEQ : h[1].generation > h[0].generation;
    /* A bad header beside a live half is a crash while the header was written, to make that half
     * live or to retire it. A retired half is durable before anything else happens, so a live half
     * that goes bad later has no live one beside it. */
    if (live[0] || live[1])
        return live[1];
    if ((h[0].state == HALF_ZERO || h[0].state == HALF_BEGUN) && h[1].state == HALF_ZERO)
        return 2;
    return -EILSEQ;
}

/* ---- records ---- */

static uint64_t record_bytes(size_t length)
{
    return PREFIX + hal_align_up(length, HAL_RECORD_LOG_ALIGN);
}

static bool record_fits(const struct hal_record_log *log, uint64_t tail, size_t length)
{
    return record_bytes(length) <= log->half_size - tail;
}

/* Writes a record, without sync, and moves the place behind it. */
static int write_record(struct hal_record_log *log, struct hal_record_log_place *at,
                        const void *record, size_t length)
{
    unsigned char *p = log->buf;
    size_t n = (size_t)record_bytes(length);
    int rc;

    if (!record_fits(log, at->tail, length))
        return -ENOSPC;
    memcpy(p, RECORD_MAGIC, 4);
    hal_be32_put(p + RECORD_LENGTH, (uint32_t)length);
    hal_be64_put(p + RECORD_GENERATION, at->generation);
    hal_be64_put(p + RECORD_SEQUENCE, at->sequence);
    hal_be32_put(p + RECORD_PAYLOAD_CRC, hal_crc32c(0, record, length));
    hal_be32_put(p + RECORD_CRC, hal_crc32c(0, p, RECORD_CRC));
    memcpy(p + PREFIX, record, length);
    memset(p + PREFIX + length, 0, n - PREFIX - length);
    rc = write_half(log, at->half, at->tail, p, n);
    if (rc)
        return rc;
    at->tail += n;
    at->sequence++;
    return 0;
}

/* Whether p is the start of a record of this generation. */
static bool is_record(const unsigned char *p, uint64_t generation)
{
    return memcmp(p, RECORD_MAGIC, 4) == 0 && hal_be64_at(p + RECORD_GENERATION) == generation &&
           hal_be32_at(p + RECORD_CRC) == hal_crc32c(0, p, RECORD_CRC);
}

/* Reads the record at a place; its payload is then behind the first PREFIX bytes of log->buf.
 * *length is 0 if there is no valid one. */
static int read_record(struct hal_record_log *log, const struct hal_record_log_place *at,
                       size_t *length)
{
    unsigned char *p = log->buf;
    uint32_t n;
    int rc;

    *length = 0;
    if (log->half_size - at->tail < PREFIX)
        return 0;
    rc = read_half(log, at->half, at->tail, p, PREFIX);
    if (rc)
        return rc;
    n = hal_be32_at(p + RECORD_LENGTH);
    if (!is_record(p, at->generation) || hal_be64_at(p + RECORD_SEQUENCE) != at->sequence)
        return 0;
    if (n == 0 || n > HAL_RECORD_MAX || !record_fits(log, at->tail, n))
        return 0;
    rc = read_half(log, at->half, at->tail + PREFIX, p + PREFIX, n);
    if (rc)
        return rc;
    if (hal_crc32c(0, p + PREFIX, n) == hal_be32_at(p + RECORD_PAYLOAD_CRC))
        *length = n;
    return 0;
}

/* Whether n bytes hold the start of a record that was written later than the one due here. */
static bool has_later(const unsigned char *p, size_t n, const struct hal_record_log_place *at)
{
    for (size_t i = 0; i + PREFIX <= n; i += HAL_RECORD_LOG_ALIGN)
        if (is_record(p + i, at->generation) && hal_be64_at(p + i + RECORD_SEQUENCE) > at->sequence)
            return true;
    return false;
}

/* Bytes up to the last one that is not zero. */
static size_t used_bytes(const unsigned char *p, size_t n)
{
    if (all_zero(p, n))
        return 0;
    while (p[n - 1] == 0)
        n--;
    return n;
}

/* -EILSEQ if a record is found behind the end of the chain: then the chain was broken by damage,
 * not by a crash, and going on would lose acknowledged records. Otherwise log->strays tells how far
 * what a crash left goes. */
static int check_behind(struct hal_record_log *log, const struct hal_record_log_place *at)
{
    const size_t step = HAL_RECORD_MAX; /* buf has room for the prefix that hangs over */

    log->strays = 0;
    for (uint64_t offset = at->tail; offset < log->half_size; offset += step) {
        size_t n = (size_t)hal_min64(sizeof log->buf, log->half_size - offset), used;
        int rc = read_half(log, at->half, offset, log->buf, n);

        if (rc)
            return rc;
        used = used_bytes(log->buf, n);
        if (used && has_later(log->buf, n, at))
            return -EILSEQ;
        if (used)
            log->strays = offset + used;
    }
    return 0;
}

/* Hands every record of the live half to each(), and leaves log->live behind the last. */
static int walk(struct hal_record_log *log, uint64_t base, hal_record_fn each, void *arg)
{
    struct hal_record_log_place *at = &log->live;

    for (;;) {
        size_t length;
        int rc = read_record(log, at, &length);

        if (rc)
            return rc;
        if (length == 0)
            break;
        rc = each(arg, log->buf + PREFIX, length);
        if (rc)
            return rc;
        at->tail += record_bytes(length);
        at->sequence++;
    }
    return at->tail < base ? -EILSEQ : check_behind(log, at);
}

/* ---- making sure ---- */

/* Takes back, durably, whatever a failed or crashed operation may have left on the medium: what is
 * behind the tail, and the header of the half that is not in use. No change may happen before this
 * has worked: the next one could be lost to the left-over at the next load, or, torn itself, be
 * completed by it to a record that nobody was told of. */
static int settle(struct hal_record_log *log)
{
    uint64_t payload = hal_min64(log->live.tail + PREFIX, log->strays);

    if (!log->doubt)
        return 0;
    /* The header of a stray record goes first: what is missing of its payload may be zeros. */
    if (zero_live(log, log->live.tail, payload) || write_header(log, !log->live.half, 0, 0) ||
        sync_area(log))
        return -EIO;
    if (payload < log->strays && (zero_live(log, payload, log->strays) || sync_area(log)))
        return -EIO;
    log->doubt = false;
    log->strays = 0;
    return 0;
}

/* The first header of a new area. Trying again after a failure writes the same bytes. */
static int format(struct hal_record_log *log)
{
    int rc = write_header(log, 0, 1, SECTOR);

    if (!rc)
        rc = sync_area(log);
    if (rc)
        return rc;
    log->live.generation = 1;
    log->fresh = false;
    return 0;
}

static int make_ready(struct hal_record_log *log)
{
    CHECK(log->loaded);
    return log->fresh ? format(log) : settle(log);
}

/* The result of a change that failed with rc after bytes may have reached the medium. */
static int take_back(struct hal_record_log *log, int rc)
{
    log->doubt = true;
    return settle(log) ? -EIO : rc;
}

/* The same for an append. How far its bytes got is asked now: after one more failed sync, reads may
 * not tell any more. */
static int take_back_record(struct hal_record_log *log, uint64_t end, int rc)
{
    if (check_behind(log, &log->live))
        log->strays = end;
    log->strays = hal_max64(log->strays, log->live.tail + PREFIX);
    return take_back(log, rc);
}

/* ---- the three operations ---- */

static struct hal_record_log *log_of(struct hal_record_store *store)
{
    return HAL_CONTAINER_OF(store, struct hal_record_log, store);
}

static int log_load(struct hal_record_store *store, hal_record_fn each, void *arg)
{
    struct hal_record_log *log = log_of(store);
    struct half h[2];
    int rc = log->loaded ? settle(log) : 0, chosen;

    /* What the caller sees must not vanish in a power failure later. */
    if (!rc)
        rc = sync_area(log);
    for (unsigned i = 0; i < 2 && !rc; i++)
        rc = read_header(log, i, &h[i]);
    if (rc)
        return rc;
    chosen = choose_half(h);
    if (chosen < 0)
        return chosen;
    log->loaded = false;
    log->fresh = chosen == 2;
    log->strays = 0;
    log->live = (struct hal_record_log_place){.tail = SECTOR, .sequence = 1};
    if (log->fresh) {
        /* There cannot be a record, since its header comes first. */
        rc = check_blank(log, 0, SECTOR);
    } else {
        log->live.half = (unsigned)chosen;
        log->live.generation = h[chosen].generation;
        rc = walk(log, h[chosen].base, each, arg);
        log->doubt =
            log->strays || (h[!chosen].state != HALF_ZERO && h[!chosen].state != HALF_RETIRED);
    }
    log->loaded = rc == 0;
    return rc;
}

static int log_append(struct hal_record_store *store, const void *record, size_t length)
{
    struct hal_record_log *log = log_of(store);
    struct hal_record_log_place at;
    int rc = make_ready(log);

    if (rc)
        return rc;
    if (!record_fits(log, log->live.tail, length))
        return -ENOSPC;
    at = log->live;
    rc = write_record(log, &at, record, length);
    if (!rc)
        rc = sync_area(log);
    if (rc)
        return take_back_record(log, log->live.tail + record_bytes(length), rc);
    log->live = at;
    return 0;
}

/* What emit() of a compaction writes to. */
struct sink {
    struct hal_record_log *log;
    struct hal_record_log_place at;
};

static int emit(void *arg, const void *record, size_t length)
{
    struct sink *s = arg;

    CHECK(record && length > 0 && length <= HAL_RECORD_MAX);
    return write_record(s->log, &s->at, record, length);
}

/* Fills the half that is not in use; it has no live header, so nothing counts yet. */
static int fill(struct sink *s, hal_record_list_fn list, void *arg)
{
    int rc = list(arg, emit, s);

    if (!rc)
        rc = wipe_from(s->log, s->at.half, s->at.tail);
    if (!rc)
        rc = sync_area(s->log);
    if (!rc)
        s->log->unsure = false; /* all of the half was written, or was not touched since */
    return rc;
}

static int log_compact(struct hal_record_store *store, hal_record_list_fn list, void *arg)
{
    struct hal_record_log *log = log_of(store);
    struct sink s = {.log = log};
    int rc = make_ready(log);

    if (rc)
        return rc;
    s.at = (struct hal_record_log_place){
        .half = !log->live.half,
        .generation = log->live.generation + 1,
        .tail = SECTOR,
        .sequence = 1,
    };
    rc = fill(&s, list, arg);
    if (rc)
        return rc;
    rc = write_header(log, s.at.half, s.at.generation, s.at.tail);
    if (!rc)
        rc = sync_area(log);
    if (rc)
        return take_back(log, rc);
    log->live = s.at;
    /* The new half counts from here on. Retiring the old one is the same work as making sure; if
     * it fails it is tried again before the next change. */
    log->doubt = true;
    (void)settle(log);
    return 0;
}

static const struct hal_record_store_ops log_ops = {
    .load = log_load,
    .append = log_append,
    .compact = log_compact,
};

int hal_record_log_init(struct hal_record_log *log, struct hal_record_area *area)
{
    CHECK(area->ops->read && area->ops->write && area->ops->sync);
    if (area->size < HAL_RECORD_LOG_AREA_MIN)
        return -EINVAL;
    memset(log, 0, sizeof *log);
    log->store.ops = &log_ops;
    log->area = area;
    log->half_size = area->size / 2 / SECTOR * SECTOR;
    return 0;
}
