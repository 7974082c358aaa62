/* SPDX-License-Identifier: Apache-2.0 */
/* Invariants that are properties of a trace: books that are kept from one event to the next. Plain
 * data. */
#ifndef SIM_CHECK_CHECK_BOOKS_H
#define SIM_CHECK_CHECK_BOOKS_H

#include "hal/afu_regs.h"
#include "sim/check/check.h"

/* ---- what core announces (hal_note) ---- */

/** Requests by their number: those below 0x100 are the DK requests (SP 2), the others core's own.
 */
enum check_request_number {
    CHECK_ATTACH = 0x80,
    CHECK_OPEN_DIRECT = 0x81,
    CHECK_RELEASE = 0x82,
    CHECK_DETACH = 0x83,
    CHECK_VERIFY = 0x84,
    CHECK_RECOVER = 0x85,
    CHECK_MANAGE_LUN = 0x86,
    CHECK_OPEN_VIRTUAL = 0x87,
    CHECK_RESIZE = 0x88,
    CHECK_CLONE = 0x89,
    CHECK_CLIENT_DESTROY = 0x100,
    CHECK_CLOSE,
    CHECK_NAME_SET,
    CHECK_NAME_OPEN,
    CHECK_NAME_REMOVE,
    CHECK_RESET,
    CHECK_TIDY,
    CHECK_EEH = 0x120,
};

/** State machine whose state is the number of a context, or at least AFU_CONTEXTS for one that is
 * lost. */
enum { CHECK_MACHINE_CONTEXT = 3 };

#define CHECK_NO_CONTEXT                                                                           \
    UINT64_MAX /* of a request that is about none, or about one by its cookie */

/** Reads a word of host memory as the AFU would. False: it cannot be read. */
typedef bool check_read_fn(void *arg, uint64_t ea, uint64_t *value);

/* ---- what a store to a table does ---- */

/** A table store that is about to happen, as core means it: program order, whatever the AFU sees.
 */
struct check_store {
    uint64_t ea, value, thread;
    bool in_rht; /* the rest applies */
    uint16_t context, handle;
    enum hal_order order;
    unsigned word;                   /* of the entry: 0 pointer or LUN id, 1 count and flags */
    struct afu_rht_entry old, entry; /* without and with it */
    uint64_t room;                   /* LXT entries that memory at the new pointer has */
};

/* ---- INV-10: what a CLONE may give ---- */

/** A CLONE under way. All zero: there is none. */
struct check_clone {
    bool watched;
    uint16_t source;                 /* context whose handles it copies */
    uint64_t thread, requests;       /* requests that had begun by then, itself included */
    uint64_t had[AFU_CONTEXTS / 64]; /* contexts that had handles before, a bit for each number */
};

/** A CLONE begins while no other request is under way; `owned` is of now. */
void check_clone_begin(struct check_clone *k, uint16_t source, uint64_t thread, uint64_t requests,
                       const struct check_owned *owned);

/** INV-10 when it has ended well, and no other request has begun meanwhile: handles that are there
 * since then may do no more than those that they were made of; and INV-16: their chunks are to be
 * wiped if those of their sources are. p: of now, everything. */
HAL_MUST_CHECK bool check_clone_look(const struct check_clone *k, const struct hal_picture *p,
                                     struct check_verdict *v);

/* ---- INV-14: order of stores, publishes and syncs ---- */

enum { CHECK_RUNS = 64, CHECK_WORDS = 64, CHECK_CHANGES = 64 };

/** Words that were stored one behind the other and not published yet. */
struct check_unpublished {
    uint64_t thread, start, end;
};

/** An RHT word likewise, its value, and whether it has arrived in memory, or nobody waits for it.
 */
struct check_unpublished_word {
    uint64_t thread, ea, value;
    bool arrived;
};

/** A translation that was changed and not synced yet. */
struct check_change {
    uint64_t thread; /* that changed it last */
    uint32_t handle;
    uint16_t context;
    bool heavy; /* something was taken away: a light sync is not enough */
    /* Memory that the pointer leads to since it changed; 0 bytes when the count has followed. */
    uint64_t start, bytes;
};

/** All zero: nothing is open. The oldest are forgotten when there are too many. */
struct check_order {
    uint32_t runs, words, changes;
    struct check_unpublished run[CHECK_RUNS];
    struct check_unpublished_word word[CHECK_WORDS];
    struct check_change change[CHECK_CHANGES];
};

/** The entry with the stores that are on their way. */
void check_order_overlay(const struct check_order *o, uint64_t entry_ea, struct afu_rht_entry *e);

/** Takes note of a store to tables of a context that is lost, which is on its way likewise. */
void check_order_store_lost(struct check_order *o, const struct check_store *s);

/** The value of a word that is on its way. Returns whether it is. */
bool check_order_stored(const struct check_order *o, uint64_t ea, uint64_t *value);

/** Whether RHT words that are on their way have arrived in memory since this was asked last. */
bool check_order_arrived(struct check_order *o, check_read_fn *read, void *arg);

/** INV-14 for one store, which then is in the books. owned: of the last look, or NULL. */
HAL_MUST_CHECK bool check_order_store(struct check_order *o, const struct check_store *s,
                                      const struct check_owned *owned, struct check_verdict *v);

/** The stores of a thread can be seen. */
void check_order_publish(struct check_order *o, uint64_t thread);

/** A sync of (context, handle) ended well; it began with a doorbell, which publishes everything. */
void check_order_synced(struct check_order *o, uint16_t context, uint32_t handle, bool heavy);

/** A context has ended: nothing of it is cached. */
void check_order_ended(struct check_order *o, uint16_t context);

/** A request of a thread has failed: what it changed may be without a sync. */
void check_order_failed(struct check_order *o, uint64_t thread);

/** INV-14 with no request under way: what they changed was synced, or is quarantined. p: of now, or
 * NULL. */
HAL_MUST_CHECK bool check_order_request(struct check_order *o, const struct hal_picture *p,
                                        struct check_verdict *v);

/* ---- INV-15: nothing revoked is re-used before its heavy sync ---- */

/** A chunk, or a LUN, that a handle lost; `chunk` is CHECK_WHOLE for a LUN. */
struct check_revoked {
    uint64_t chunk;
    uint32_t lun, handle;
    uint16_t context;
};

#define CHECK_WHOLE UINT64_MAX

/** Zero all but room.world. */
struct check_revokes {
    struct check_room room;
    uint32_t n;
};

/** Adds one. Without memory it is not watched. */
void check_revokes_add(struct check_revokes *r, const struct check_revoked *revoked);

/** A heavy sync of (context, handle) ended well. */
void check_revokes_synced(struct check_revokes *r, uint16_t context, uint32_t handle);

/** INV-15 for the handle that a store opens. */
HAL_MUST_CHECK bool check_revokes_store(const struct check_revokes *r, const struct check_store *s,
                                        struct check_verdict *v);

/** INV-15 for chunks and modes of LUNs: all of it is in quarantine for the handle that lost it. So
 * what is free again and has got a new owner since the last look is found too, and so is a
 * reference that was dropped while clones keep the chunk (vlun.md 15.1). */
HAL_MUST_CHECK bool check_revokes_look(const struct check_revokes *r, const struct check_input *in,
                                       struct check_verdict *v);

/* ---- INV-16: what was to be wiped is zeros when it is free ---- */

/** A chunk that a handle with the wish to wipe has, or had. */
struct check_tainted {
    uint64_t chunk;
    uint64_t lineage; /* of the handles that have or had it last; 0: any may */
    uint32_t lun;
    uint32_t wiped; /* blocks from its first on that masters wrote, since anybody else did */
    bool done;      /* all of them once: who has it from then on has nothing to do with this */
    uint8_t ports;  /* of its LUN, with ids: by now it may be disabled on all of them */
    uint64_t lun_id[HAL_PICTURE_PORTS];
};

/** Zero all but room.world. */
struct check_taints {
    struct check_room room;
    uint32_t n;
    bool deaf; /* not everything that is written is told: who has a chunk next is not judged */
};

/** Whether all blocks of a chunk are zeros on the medium. */
typedef bool check_zero_fn(void *arg, const struct check_tainted *c);

/** INV-16 for chunks that have become free since the last look, or have a new owner, who may have
 * got them within one request; then takes note of those that are in handles now. Without memory a
 * chunk is not watched. */
HAL_MUST_CHECK bool check_taints_look(struct check_taints *t, const struct check_input *in,
                                      check_zero_fn *zero, void *arg, struct check_verdict *v);

/** Takes note of an access to the medium. master: on core's own account. */
void check_taints_media(struct check_taints *t, const struct sim_watched *w, bool master);

/* ---- INV-24: what a reset leaves as it was ---- */

/** Contexts that are lost, each with all that it keeps. Zero all but world of both rooms. */
struct check_kept {
    struct check_room room, fresh;
    uint32_t n;                          /* of traits in room */
    bool any_touched;                    /* by a request that may be about any context */
    uint64_t touched[AFU_CONTEXTS / 64]; /* contexts, by a request under way */
};

/** A request begins that may change a context, lost or not: its number, or CHECK_NO_CONTEXT. Just
 * before, it is asked whether all is as it was (check_kept_look). */
void check_kept_touch(struct check_kept *k, uint32_t number, uint64_t context);

/** INV-24 for contexts that are lost or were at the last look; those that have recovered are
 * forgotten when it is quiet: no request is under way. Without memory a context is not watched. */
HAL_MUST_CHECK bool check_kept_look(struct check_kept *k, const struct hal_picture *p, bool quiet,
                                    check_read_fn *read, void *arg, struct check_verdict *v);

/* ---- INV-28: every request ends ---- */

/** A request under way. Times are cycles. */
struct check_request {
    uint64_t thread, begun;
    uint64_t deadline; /* for its own waits, and those of requests that have ended */
    uint64_t waits;    /* its own, R-40 */
    uint32_t number;
    bool late; /* it was told */
};

/** Zero all but room.world. */
struct check_waits {
    struct check_room room;
    uint32_t n, resets;    /* requests; resets among them */
    uint64_t soonest, sum; /* no deadline is before it; of all waits */
};

/** A thread begins a request. things: what is open or quarantined, for requests that may be about
 * all of it. Without memory the request is not watched. */
void check_waits_begin(struct check_waits *w, uint32_t number, uint64_t thread, uint64_t now,
                       uint64_t things);

/** It ends the last one that it began, of this number. */
void check_waits_end(struct check_waits *w, uint32_t number, uint64_t thread, uint64_t now);

/** Something happened after which all may take their time again. */
void check_waits_restart(struct check_waits *w, uint64_t now);

/** INV-28 at this moment. */
HAL_MUST_CHECK bool check_waits_look(struct check_waits *w, uint64_t now, struct check_verdict *v);

#endif
