/* SPDX-License-Identifier: Apache-2.0 */
/* Handles: opened, resized, released, verified, cloned. */
#include <errno.h>
#include <string.h>

#include "tests/scenario/random_requests_face.h"
#include "tests/scenario/random_requests_steps.h"

enum { WIPES = 10 }; /* one in so many virtual LUNs is to be wiped */

static struct rr_lun *lun_of(struct rr_worker *w, unsigned lun) { return &w->books->lun[lun]; }

/* A size in 4096-byte blocks: of some chunks, not always to their end, or all there is (SP-69). */
static uint64_t draw_blocks(struct rr_worker *w, unsigned lun, unsigned chunks)
{
    uint64_t unit = rr_chunk_blocks(lun_of(w, lun));

    if (rr_once_in(w, 16))
        return UINT64_MAX;
    if (chunks == 0 || rr_once_in(w, 2))
        return chunks * unit;
    return chunks * unit - rr_draw(w, (unsigned)unit);
}

/* Chunks that a last_lba stands for; whole ones, always (VL-34). */
static unsigned size_of(struct rr_worker *w, unsigned lun, uint64_t last)
{
    uint64_t unit = rr_chunk_blocks(lun_of(w, lun));

    RR_CHECK(w, (last + 1) % unit == 0 && (last + 1) / unit <= lun_of(w, lun)->chunks,
             "last_lba %#llx of LUN %u", (unsigned long long)last, lun);
    return (unsigned)((last + 1) / unit);
}

/* SP-35; a number may be skipped while it is in quarantine. */
static void judge_number(struct rr_worker *w, struct rr_context *c, uint32_t number)
{
    uint32_t lowest = rr_lowest_free(c);

    RR_CHECK(w,
             number == lowest || (number > lowest && number < 256 && (w->faults || rr_lost(w, c))),
             "handle %u, the lowest free one is %u", number, lowest);
}

static void take(struct rr_context *c, struct rr_handle *h, unsigned lun, enum rr_claim kind,
                 uint32_t number)
{
    *h = (struct rr_handle){.open = true,
                            .lun = (uint8_t)lun,
                            .kind = kind,
                            .number = number,
                            .permissions = c->permissions};
}

/* What the handle gained; a bound name gains it too, once the request has succeeded. */
static void gain(struct rr_worker *w, struct rr_handle *h, unsigned size)
{
    while (h->size < size)
        h->chunk[h->size++] = rr_chunk_new(w, h->lun, h->wipes);
}

/* ---- USER_VIRTUAL ---- */

/* A grant, judged: as much as was asked for, unless others may have the rest, or gave it up when a
 * reset had begun (SP-163). */
static void judge_grant(struct rr_worker *w, struct rr_context *c, const struct rr_room *room,
                        unsigned granted)
{
    unsigned least = rr_room_least(w, room);

    RR_CHECK(w, granted <= room->wanted, "%u chunks instead of %u", granted, room->wanted);
    RR_CHECK(w, (granted >= least || rr_lost(w, c)) && (granted > 0 || room->wanted == 0),
             "%u chunks, at least %u of %u were free", granted, least, room->wanted);
}

/* Before it said so it wiped whatever waited for that. */
static void judge_no_space(struct rr_worker *w, struct rr_context *c, int rc,
                           const struct rr_room *room)
{
    bool excused = rc == -ENOSPC && (w->faults || rr_lost(w, c));

    if (rc != -ENOSPC || excused)
        return;
    RR_CHECK(w, rr_room_least(w, room) == 0, "ENOSPC with room");
    rr_washed(w, (unsigned)(room->lun - w->books->lun), room->given_up);
}

static void judge_refusal(struct rr_worker *w, struct rr_context *c, int rc,
                          const struct rr_room *room, const struct rr_window *physical)
{
    RR_ONE_OF(w, "USER_VIRTUAL", rc, -EINVAL, -ENOSPC, -EAGAIN);
    RR_CHECK(w, rc != -EINVAL || rr_window_possible(w, physical) || rr_lost(w, c),
             "EINVAL without a cause");
    RR_CHECK(w, rc != -ENOSPC || room->wanted > 0, "ENOSPC for nothing");
    judge_no_space(w, c, rc, room);
    RR_CHECK(w, rc != -EAGAIN || w->faults, "EAGAIN without a failing sync");
}

static void open_virtual(struct rr_worker *w, struct rr_context *c, struct rr_handle *h,
                         unsigned lun, uint64_t blocks)
{
    bool wipe = rr_once_in(w, WIPES);
    struct rr_window physical = rr_window_open(w, lun, RR_PHYSICAL);
    struct rr_room room = rr_room_open(w, lun, rr_chunks_of(lun_of(w, lun), blocks), wipe);
    unsigned size = 0;
    uint32_t number;
    uint64_t last;
    int rc;

    rr_claim_begin(w, lun, RR_VIRTUAL);
    rc = rr_open_virtual(w, c, lun, blocks, wipe, &number, &last);
    if (rc)
        judge_refusal(w, c, rc, &room, &physical);
    RR_CHECK(w, rc == -EINVAL || !rr_window_certain(w, &physical),
             "%d, although somebody has LUN %u direct", rc, lun);
    if (!rc) {
        size = size_of(w, lun, last);
        judge_grant(w, c, &room, size);
        judge_number(w, c, number);
        take(c, h, lun, RR_VIRTUAL, number);
        h->wipes = wipe;
        gain(w, h, size);
        h->sure = size;
    }
    rr_room_close(w, &room, size);
    rr_claim_end(w, lun, RR_VIRTUAL, rc == 0);
}

void rr_step_open_virtual(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_healthy(w, a);
    struct rr_handle *h = c ? rr_free_handle(c) : NULL;
    uint64_t blocks, last;
    uint32_t number;
    unsigned lun;

    if (!h)
        return;
    lun = rr_any_lun(w, c);
    if (lun == RR_DIRECT && !rr_once_in(w, 6))
        return;
    blocks = draw_blocks(w, lun, rr_draw(w, rr_once_in(w, 4) ? lun_of(w, lun)->chunks : 4));
    rr_io_finish(w, c);
    if (c->luns >> lun & 1)
        open_virtual(w, c, h, lun, blocks);
    else
        RR_ONE_OF(w, "USER_VIRTUAL on a LUN that is not attached",
                  rr_open_virtual(w, c, lun, blocks, false, &number, &last), -EINVAL);
}

/* ---- USER_DIRECT ---- */

static void open_direct(struct rr_worker *w, struct rr_context *c, struct rr_handle *h,
                        unsigned lun, unsigned port)
{
    struct rr_window virtual = rr_window_open(w, lun, RR_VIRTUAL);
    uint64_t last, given_up = rr_given_up(w, lun);
    uint32_t number;
    int rc;

    rr_claim_begin(w, lun, RR_PHYSICAL);
    rc = rr_open_direct(w, c, lun, port, &number, &last);
    if (rc && w->faults)
        RR_ONE_OF(w, "USER_DIRECT", rc, -EINVAL, -EIO, -ENOBUFS, -ETIMEDOUT);
    else
        RR_ONE_OF(w, "USER_DIRECT", rc, 0, -EINVAL);
    RR_CHECK(w, rc != -EINVAL || rr_window_possible(w, &virtual) || rr_lost(w, c),
             "EINVAL without a cause");
    RR_CHECK(w, rc == -EINVAL || !rr_window_certain(w, &virtual),
             "%d, although somebody has virtual LUNs on LUN %u", rc, lun);
    if (!rc) {
        RR_CHECK(w, last == lun_of(w, lun)->last_lba, "last_lba of LUN %u", lun);
        judge_number(w, c, number);
        take(c, h, lun, RR_PHYSICAL, number);
        h->port = port;
        if (!w->faults)
            rr_washed(w, lun, given_up); /* what is dirty keeps the mode */
    }
    rr_claim_end(w, lun, RR_PHYSICAL, rc == 0);
}

void rr_step_open_direct(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_healthy(w, a);
    struct rr_handle *h = c ? rr_free_handle(c) : NULL;
    uint32_t number;
    uint64_t last;
    unsigned lun, port;

    if (!h)
        return;
    lun = rr_once_in(w, 6) || !(c->luns >> RR_DIRECT & 1) ? rr_any_lun(w, c) : RR_DIRECT;
    port = lun == RR_MANAGED ? RR_MANAGED_PORT : rr_draw(w, 2);
    rr_io_finish(w, c);
    if (c->luns >> lun & 1)
        open_direct(w, c, h, lun, port);
    else
        RR_ONE_OF(w, "USER_DIRECT on a LUN that is not attached",
                  rr_open_direct(w, c, lun, port, &number, &last), -EINVAL);
}

/* ---- VLUN_RESIZE ---- */

/* After EAGAIN the size may have changed, or not (VL-33, R-15). */
static unsigned ask_size(struct rr_worker *w, struct rr_context *c, const struct rr_handle *h)
{
    uint64_t last;
    int rc;

    while ((rc = rr_verify(w, c, h->lun, h->number, NULL, &last)) == -EINVAL && rr_lost(w, c))
        rr_recover(w, c);
    RR_CHECK(w, rc == 0, "VERIFY after EAGAIN gave %d", rc);
    return size_of(w, h->lun, last);
}

/* What the name has beyond the first n chunks. */
static void cut_name(struct rr_worker *w, unsigned n)
{
    if (w->name.size <= n)
        return;
    rr_chunks_drop(w, w->name.chunk + n, w->name.size - n);
    if (n == 0)
        rr_claim_drop(w, w->name.lun, RR_VIRTUAL);
}

static void name_was_cut(struct rr_worker *w, unsigned n)
{
    uint64_t bytes = n * rr_chunk_blocks(lun_of(w, w->name.lun)) * SPIPE_API_BLOCK;

    if (w->name.size <= n)
        return;
    if (n == 0)
        rr_claim_dropped(w, w->name.lun, RR_VIRTUAL);
    w->name.size = n;
    if (w->name.byte_length > bytes)
        w->name.byte_length = bytes;
}

/* The name has what its handle has. */
static void extend_name(struct rr_worker *w, const struct rr_handle *h)
{
    struct rr_name *name = &w->name;

    if (!h->bound || name->size >= h->size)
        return;
    if (name->size == 0) {
        rr_claim_begin(w, name->lun, RR_VIRTUAL);
        rr_claim_end(w, name->lun, RR_VIRTUAL, true);
    }
    for (; name->size < h->size; name->size++) {
        name->chunk[name->size] = h->chunk[name->size];
        name->chunk[name->size]->refs++;
    }
}

/* To fewer chunks, or to as many. */
static void shrink(struct rr_worker *w, struct rr_context *c, struct rr_handle *h, unsigned wanted,
                   uint64_t blocks)
{
    struct rr_chunk **cut = h->chunk + wanted;
    unsigned n = h->size - wanted, size = wanted;
    uint64_t last;
    int rc;

    rr_io_withdrawn(c, h->number, wanted);
    rr_chunks_drop(w, cut, n);
    if (h->bound)
        cut_name(w, wanted);
    rc = rr_resize(w, c, h->lun, h->number, blocks, &last);
    if (c->lost)
        rr_answer_add(w->answer, "resize of a lost context", rc, 1);
    RR_ONE_OF(w, "VLUN_RESIZE to fewer", rc, 0, w->faults ? -EAGAIN : 0);
    if (rc)
        size = ask_size(w, c, h);
    else
        RR_CHECK(w, last == rr_last_lba(lun_of(w, h->lun), wanted), "last_lba of a shorter LUN");
    RR_CHECK(w, size == wanted || size == h->size, "%u chunks after EAGAIN", size);
    if (h->bound)
        name_was_cut(w, wanted);
    if (size != wanted)
        rr_chunks_restore(w, cut, n);
    h->size = size;
    if (!rc) {
        h->sure = size;
        extend_name(w, h); /* what an earlier EAGAIN left out */
    } else if (h->sure > size) {
        h->sure = size;
    }
    rr_chunks_settle(w);
}

static void judge_no_growth(struct rr_worker *w, struct rr_context *c, int rc,
                            const struct rr_room *room)
{
    RR_ONE_OF(w, "VLUN_RESIZE to more", rc, -ENOSPC, -EAGAIN);
    judge_no_space(w, c, rc, room);
    RR_CHECK(w, rc != -EAGAIN || w->faults, "EAGAIN without a failing sync");
}

static void grow(struct rr_worker *w, struct rr_context *c, struct rr_handle *h, unsigned wanted,
                 uint64_t blocks)
{
    struct rr_room room = rr_room_open(w, h->lun, wanted - h->size, h->wipes);
    unsigned before = h->size, size = before;
    uint64_t last;
    int rc = rr_resize(w, c, h->lun, h->number, blocks, &last);

    if (rc)
        judge_no_growth(w, c, rc, &room);
    if (rc == -EAGAIN)
        size = ask_size(w, c, h);
    else if (!rc)
        size = size_of(w, h->lun, last);
    RR_CHECK(w, size >= before, "%u chunks after a resize to more than %u", size, before);
    if (!rc)
        judge_grant(w, c, &room, size - before);
    gain(w, h, size);
    rr_room_close(w, &room, size - before);
    if (!rc) {
        h->sure = size;
        extend_name(w, h);
    }
}

static unsigned draw_size(struct rr_worker *w, const struct rr_handle *h)
{
    unsigned chunks = lun_of(w, h->lun)->chunks;

    switch (rr_draw(w, 6)) {
    case 0:
        return 0;
    case 1:
        return h->size;
    case 2:
        return h->size < RR_CHUNKS ? h->size + 1 : h->size;
    case 3:
        return h->size ? h->size - 1 : 0;
    default:
        return rr_draw(w, chunks + 1);
    }
}

void rr_step_resize(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_context(w, a);
    struct rr_handle *h = c ? rr_any_handle(w, c) : NULL;
    uint64_t blocks, last;
    unsigned wanted;

    if (!h)
        return;
    blocks = draw_blocks(w, h->lun, draw_size(w, h));
    wanted = rr_chunks_of(lun_of(w, h->lun), blocks);
    if (h->kind == RR_PHYSICAL) {
        RR_ONE_OF(w, "VLUN_RESIZE of a direct handle",
                  rr_resize(w, c, h->lun, h->number, blocks, &last), -EINVAL);
        return;
    }
    if (wanted > h->size) {
        rr_io_finish(w, c);
        grow(w, c, h, wanted, blocks);
    } else {
        shrink(w, c, h, wanted, blocks);
    }
}

/* ---- RELEASE ---- */

/* Still open: with nothing, or with all it had if an older withdrawal comes first. */
static void not_released(struct rr_worker *w, struct rr_context *c, struct rr_handle *h)
{
    unsigned size = ask_size(w, c, h);

    RR_CHECK(w, size == 0 || size == h->size, "%u chunks after EAGAIN", size);
    rr_claim_end(w, h->lun, h->kind, true);
    if (size)
        rr_chunks_restore(w, h->chunk, h->size);
    h->size = size;
    h->sure = h->sure < size ? h->sure : size;
}

void rr_step_release(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_context(w, a);
    struct rr_handle *h = c ? rr_any_handle(w, c) : NULL;
    int rc;

    if (!h)
        return;
    rr_io_withdrawn(c, h->number, 0);
    rr_claim_drop(w, h->lun, h->kind);
    rr_chunks_drop(w, h->chunk, h->size);
    rc = rr_release(w, c, h->lun, h->number);
    if (c->lost)
        rr_answer_add(w->answer, "release of a lost context", rc, 1);
    RR_ONE_OF(w, "RELEASE", rc, 0, w->faults && h->kind == RR_VIRTUAL ? -EAGAIN : 0);
    h->bound = false;
    if (rc) {
        not_released(w, c, h);
    } else {
        rr_claim_dropped(w, h->lun, h->kind);
        memset(h, 0, sizeof *h);
    }
    rr_chunks_settle(w);
}

/* ---- VERIFY ---- */

struct sense_case {
    uint8_t key, asc;
    int rc;
};

static const struct sense_case sense_cases[] = {
    {0, 0x00, 0}, {1, 0x18, 0},    {2, 0x04, 0},    {6, 0x29, 0},    {6, 0x2A, 0},
    {6, 0x3F, 0}, {6, 0x3E, -EIO}, {3, 0x11, -EIO}, {5, 0x21, -EIO},
};

/* Either format, or bytes that are no sense data (SP-85). */
static int draw_sense(struct rr_worker *w, uint8_t sense[SPIPE_SENSE_BYTES])
{
    const struct sense_case *s = &sense_cases[rr_draw(w, sizeof sense_cases / sizeof *sense_cases)];

    if (s->asc == 0x3F && !rr_once_in(w, 8))
        s = sense_cases; /* a scan of the whole adapter takes long */
    memset(sense, 0, SPIPE_SENSE_BYTES);
    if (rr_once_in(w, 6)) {
        sense[0] = (uint8_t)rr_draw(w, 0x70);
        return -EINVAL;
    }
    if (rr_once_in(w, 2)) {
        sense[0] = 0x72;
        sense[1] = s->key;
        sense[2] = s->asc;
    } else {
        sense[0] = 0x70;
        sense[2] = s->key;
        sense[7] = 10;
        sense[12] = s->asc;
    }
    return s->rc;
}

void rr_step_verify(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_healthy(w, a);
    struct rr_handle *h = c ? rr_any_handle(w, c) : NULL;
    bool with_sense = rr_once_in(w, 3);
    uint8_t sense[SPIPE_SENSE_BYTES];
    int expected = with_sense ? draw_sense(w, sense) : 0, rc;
    const struct rr_lun *lun;
    uint64_t last;

    if (!h)
        return;
    lun = lun_of(w, h->lun);
    rc = rr_verify(w, c, h->lun, h->number, with_sense ? sense : NULL, &last);
    RR_CHECK(w, rc == expected || (rc == -EINVAL && rr_lost(w, c)), "VERIFY gave %d instead of %d",
             rc, expected);
    if (!rc)
        RR_CHECK(w, last == (h->kind == RR_PHYSICAL ? lun->last_lba : rr_last_lba(lun, h->size)),
                 "VERIFY says last_lba %#llx", (unsigned long long)last);
}

/* ---- VLUN_CLONE ---- */

static bool any_open(const struct rr_context *c)
{
    for (unsigned i = 0; i < RR_HANDLES; i++)
        if (c->handle[i].open)
            return true;
    return false;
}

/* What the clone would add is claimed, and granted or not. */
static void claim_all(struct rr_worker *w, const struct rr_context *to,
                      const struct rr_context *from, bool done, bool granted)
{
    for (unsigned i = 0; i < RR_HANDLES; i++)
        if (from->handle[i].open && done)
            rr_claim_end(w, from->handle[i].lun, from->handle[i].kind, granted);
        else if (from->handle[i].open)
            rr_claim_begin(w, from->handle[i].lun, from->handle[i].kind);
    for (unsigned lun = 0; lun < RR_LUNS; lun++)
        if ((from->luns & ~to->luns) >> lun & 1 && done)
            rr_claim_end(w, lun, RR_ATTACHED, granted);
        else if ((from->luns & ~to->luns) >> lun & 1)
            rr_claim_begin(w, lun, RR_ATTACHED);
}

static void copy_handles(struct rr_worker *w, struct rr_context *to, const struct rr_context *from)
{
    for (unsigned i = 0; i < RR_HANDLES; i++) {
        to->handle[i] = from->handle[i];
        to->handle[i].bound = false;
        to->handle[i].permissions &= to->permissions;
        to->handle[i].sure = to->handle[i].size;
        rr_chunks_restore(w, to->handle[i].chunk, to->handle[i].size);
    }
    to->luns |= from->luns;
}

/* A request that may be granted. Binary ones come in on a disk whose LUN has to be VIRTUAL, which
 * it also is as long as a chunk waits for its wipe. */
static void clone(struct rr_worker *w, struct rr_context *to, struct rr_context *from, unsigned lun)
{
    struct rr_window virtual = rr_window_open(w, lun, RR_VIRTUAL);
    uint64_t washed = rr_known_washed(w, lun);
    bool binary = to->actor->binary;
    int rc;

    claim_all(w, to, from, false, false);
    rc = rr_clone(w, to, from, lun);
    if (w->faults || (rc == -EAGAIN && rr_lost(w, to)))
        RR_ONE_OF(w, "VLUN_CLONE", rc, 0, -EINVAL, -EAGAIN);
    else
        RR_ONE_OF(w, "VLUN_CLONE", rc, 0, -EINVAL);
    RR_CHECK(w,
             rc != -EINVAL || (binary && !rr_window_certain(w, &virtual)) || rr_lost(w, to) ||
                 rr_lost(w, from),
             "EINVAL without a cause");
    RR_CHECK(w,
             rc || !binary || rr_window_possible(w, &virtual) || rr_soiled_beyond(w, lun, washed),
             "LUN %u cannot be virtual", lun);
    claim_all(w, to, from, true, rc == 0);
    if (!rc)
        copy_handles(w, to, from);
}

void rr_step_clone(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_actor *other = &w->actor[a == w->actor];
    struct rr_context *to = rr_any_healthy(w, a);
    struct rr_context *from = rr_any_healthy(w, rr_once_in(w, 8) ? a : other);
    unsigned lun;

    if (!to || !from || a->binary != from->actor->binary ||
        ((!a->parent || any_open(to)) && !rr_once_in(w, 8)))
        return;
    lun = rr_any_lun(w, to);
    rr_io_finish(w, to);
    if (to == from || from->actor != a->parent || any_open(to) ||
        (a->binary && !(to->luns & from->luns & 1u << lun)))
        RR_ONE_OF(w, "VLUN_CLONE that is not allowed", rr_clone(w, to, from, lun), -EINVAL);
    else
        clone(w, to, from, lun);
}
