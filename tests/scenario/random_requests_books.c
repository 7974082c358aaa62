/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/random_requests_books.h"

#include "tests/scenario/random_requests_worker.h"

static void add(struct rr_worker *w, struct exec_atomic *a, int64_t n)
{
    exec_atomic_add(w->exec, a, (uint64_t)n);
}

static uint64_t load(struct rr_worker *w, struct exec_atomic *a)
{
    return exec_atomic_load(w->exec, a);
}

/* Who counts up changes the number itself first and then the count of changes; who looks reads them
 * the other way round. So a change that falls in between is seen twice rather than never. */

/* ---- claims ---- */

static struct rr_claim_book *book_of(struct rr_worker *w, unsigned lun, enum rr_claim kind)
{
    return &w->books->lun[lun].claim[kind];
}

void rr_claim_begin(struct rr_worker *w, unsigned lun, enum rr_claim kind)
{
    struct rr_claim_book *b = book_of(w, lun, kind);

    add(w, &b->maybe, 1);
    add(w, &b->begun, 1);
}

void rr_claim_end(struct rr_worker *w, unsigned lun, enum rr_claim kind, bool granted)
{
    struct rr_claim_book *b = book_of(w, lun, kind);

    if (granted)
        add(w, &b->sure, 1);
    else
        add(w, &b->maybe, -1);
}

void rr_claim_drop(struct rr_worker *w, unsigned lun, enum rr_claim kind)
{
    struct rr_claim_book *b = book_of(w, lun, kind);

    add(w, &b->sure, -1);
    add(w, &b->ending, 1);
}

void rr_claim_dropped(struct rr_worker *w, unsigned lun, enum rr_claim kind)
{
    add(w, &book_of(w, lun, kind)->maybe, -1);
}

struct rr_window rr_window_open(struct rr_worker *w, unsigned lun, enum rr_claim kind)
{
    struct rr_claim_book *b = book_of(w, lun, kind);
    struct rr_window window = {.book = b};

    window.begun = load(w, &b->begun);
    window.maybe = load(w, &b->maybe);
    window.ending = load(w, &b->ending);
    window.sure = load(w, &b->sure);
    return window;
}

/* A mode lasts beyond its claims while a failed sync keeps something in quarantine. */
bool rr_window_possible(struct rr_worker *w, const struct rr_window *window)
{
    return w->faults || window->maybe > 0 || load(w, &window->book->begun) != window->begun;
}

bool rr_window_certain(struct rr_worker *w, const struct rr_window *window)
{
    return window->sure > 0 && load(w, &window->book->ending) == window->ending;
}

/* ---- chunks ---- */

static unsigned index_of(struct rr_worker *w, const struct rr_room *room)
{
    return (unsigned)(room->lun - w->books->lun);
}

struct rr_room rr_room_open(struct rr_worker *w, unsigned lun, unsigned wanted, bool wipes)
{
    struct rr_room room = {.lun = &w->books->lun[lun],
                           .wanted = wanted,
                           .soils = wipes && w->resets}; /* only then anything is given back */

    room.washed = rr_known_washed(w, lun);
    room.given_up = rr_given_up(w, lun);
    if (room.soils)
        rr_soil(w, lun, wanted);
    room.added = load(w, &room.lun->added_chunks);
    room.maybe = load(w, &room.lun->maybe_chunks);
    add(w, &room.lun->maybe_chunks, wanted);
    add(w, &room.lun->added_chunks, wanted);
    return room;
}

unsigned rr_room_least(struct rr_worker *w, const struct rr_room *room)
{
    uint64_t others = room->maybe + load(w, &room->lun->added_chunks) - room->added - room->wanted;
    uint64_t chunks = room->lun->chunks, dirty, least;

    if (w->faults || others >= chunks)
        return 0;
    dirty = load(w, &room->lun->soiled) - room->washed - (room->soils ? room->wanted : 0);
    least = dirty < chunks - others ? chunks - others - dirty : 1;
    return least < room->wanted ? (unsigned)least : room->wanted;
}

void rr_room_close(struct rr_worker *w, const struct rr_room *room, unsigned granted)
{
    uint64_t sure = exec_atomic_add(w->exec, &room->lun->sure_chunks, granted) + granted;

    add(w, &room->lun->maybe_chunks, (int64_t)granted - (int64_t)room->wanted);
    if (room->soils) {
        rr_soiled(w, index_of(w, room), room->wanted - granted);
        rr_soil(w, index_of(w, room), -(int64_t)granted);
    }
    RR_CHECK(w, sure <= room->lun->chunks, "the clients have %u chunks of a LUN of %u",
             (unsigned)sure, room->lun->chunks);
}

/* ---- wiping ---- */

void rr_soil(struct rr_worker *w, unsigned lun, int64_t chunks)
{
    add(w, &w->books->lun[lun].soiled, chunks);
}

void rr_soiled(struct rr_worker *w, unsigned lun, unsigned chunks)
{
    add(w, &w->books->lun[lun].given_up, chunks);
}

uint64_t rr_given_up(struct rr_worker *w, unsigned lun)
{
    return load(w, &w->books->lun[lun].given_up);
}

uint64_t rr_known_washed(struct rr_worker *w, unsigned lun)
{
    return load(w, &w->books->lun[lun].washed);
}

void rr_washed(struct rr_worker *w, unsigned lun, uint64_t given_up)
{
    struct exec_atomic *washed = &w->books->lun[lun].washed;
    uint64_t before = load(w, washed);

    while (before < given_up && !exec_atomic_swap_if(w->exec, washed, &before, given_up))
        continue;
}

bool rr_soiled_beyond(struct rr_worker *w, unsigned lun, uint64_t that)
{
    return load(w, &w->books->lun[lun].soiled) != that;
}
