/* SPDX-License-Identifier: Apache-2.0 */
/* What the clients of random_requests must know of each other to judge a result: who may have, and
 * who surely has, a LUN in which mode, and how many of its chunks. A client enters what it is about
 * to get before it asks, and takes out what it gave up after it was told so; what it surely has it
 * enters afterwards and takes out before. So at any moment the truth lies between the two.
 *
 * Numbers are read and written through exec_atomic: any thread, no lock. */
#ifndef TESTS_SCENARIO_RANDOM_REQUESTS_BOOKS_H
#define TESTS_SCENARIO_RANDOM_REQUESTS_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/scenario/random_requests_reset.h"

struct spipe_client;

enum {
    RR_WORKERS = 8,
    RR_LUNS = 5,
    RR_CHUNKS = 20, /* more than any LUN has */
    RR_NUMBERS = 512,
    RR_CHUNK_POOL = 192, /* chunks that one worker can know */
};

/** What somebody can have of a LUN. */
enum rr_claim { RR_VIRTUAL, RR_PHYSICAL, RR_ATTACHED, RR_CLAIMS };

struct rr_claim_book {
    struct exec_atomic maybe, begun; /* those that may exist; how many were ever begun */
    struct exec_atomic sure, ending; /* those that do exist; how many ever began to end */
};

/** One LUN. The first group never changes. */
struct rr_lun {
    uint8_t wwid[16];
    uint64_t last_lba; /* device blocks */
    uint32_t block_size;
    unsigned chunks, ports; /* ports: mask */

    struct rr_claim_book claim[RR_CLAIMS];
    struct exec_atomic maybe_chunks, added_chunks, sure_chunks;
    /* chunks that have to be wiped: how many were ever given up or might be just now, how many of
     * them surely are, and how many of these are surely wiped */
    struct exec_atomic soiled, given_up, washed;
};

struct rr_books {
    struct rr_lun lun[RR_LUNS];
    struct exec_atomic number[RR_NUMBERS]; /* 1: a context has it; not in runs with resets */
    struct exec_atomic past[RR_NUMBERS];   /* the last context_id with it */
    /* serial numbers of chunks that are surely somebody's, 0 = none */
    struct exec_atomic live[RR_WORKERS][RR_CHUNK_POOL];
    /* what others may try: the last context_id, adap_fd and context number of each worker */
    struct exec_atomic cookie[RR_WORKERS], file[RR_WORKERS], context[RR_WORKERS];
    /* clients that others may fork from, under the lock */
    struct exec_mutex nursery;
    struct spipe_client *parent[RR_WORKERS];
    struct rr_resets resets;
};

/* ---- claims ---- */

/** About to ask for one. */
void rr_claim_begin(struct rr_worker *w, unsigned lun, enum rr_claim kind);

/** It was granted, or refused. */
void rr_claim_end(struct rr_worker *w, unsigned lun, enum rr_claim kind, bool granted);

/** About to give one up, and it is given up. */
void rr_claim_drop(struct rr_worker *w, unsigned lun, enum rr_claim kind);
void rr_claim_dropped(struct rr_worker *w, unsigned lun, enum rr_claim kind);

/** What claims of one kind do during a request. */
struct rr_window {
    struct rr_claim_book *book;
    uint64_t maybe, begun, sure, ending;
};

/** Before the request (and before the own claim, if it is of the same kind). */
struct rr_window rr_window_open(struct rr_worker *w, unsigned lun, enum rr_claim kind);

/** After it: whether there may have been such a claim at some moment of it. */
bool rr_window_possible(struct rr_worker *w, const struct rr_window *window);

/** After it: whether there was one at every moment of it. */
bool rr_window_certain(struct rr_worker *w, const struct rr_window *window);

/* ---- chunks ---- */

/** A request for more chunks. */
struct rr_room {
    struct rr_lun *lun;
    uint64_t maybe, added, washed, given_up;
    unsigned wanted;
    bool soils; /* what it takes and gives back has to be wiped */
};

/** Before it, for at most `wanted` more chunks, which have to be wiped in the end or not. */
struct rr_room rr_room_open(struct rr_worker *w, unsigned lun, unsigned wanted, bool wipes);

/** After it: the fewest chunks that it must have granted. Chunks that wait for their wipe are not
 * free, but rather than nothing a request wipes what there is (vlun.md 15.1). */
unsigned rr_room_least(struct rr_worker *w, const struct rr_room *room);

/** After it, whatever it granted. Fails if all clients together have more than there are. */
void rr_room_close(struct rr_worker *w, const struct rr_room *room, unsigned granted);

/* ---- wiping ---- */

/** So many chunks that have to be wiped are about to be given up, and they are. */
void rr_soil(struct rr_worker *w, unsigned lun, int64_t chunks);
void rr_soiled(struct rr_worker *w, unsigned lun, unsigned chunks);

/** How many were surely given up so far, and how many of them are surely wiped: before a request.
 */
uint64_t rr_given_up(struct rr_worker *w, unsigned lun);
uint64_t rr_known_washed(struct rr_worker *w, unsigned lun);

/** After a request whose result says that what was given up before it was wiped. */
void rr_washed(struct rr_worker *w, unsigned lun, uint64_t given_up);

/** After it: whether more than that were given up or might be, so that something may wait for its
 * wipe (if so many were washed), or may have been wiped since (if so many were given up). */
bool rr_soiled_beyond(struct rr_worker *w, unsigned lun, uint64_t that);

#endif
