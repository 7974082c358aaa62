/* SPDX-License-Identifier: Apache-2.0 */
/* Invariants that are properties of a trace: books that are kept from one event to the next. Plain
 * data. */
#ifndef SIM_CHECK_CHECK_BOOKS_H
#define SIM_CHECK_CHECK_BOOKS_H

#include "sim/check/check.h"

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

/* ---- INV-14: order of stores, publishes and syncs ---- */

enum { CHECK_RUNS = 64, CHECK_WORDS = 64, CHECK_CHANGES = 64 };

/** Words that were stored one behind the other and not published yet. */
struct check_unpublished {
    uint64_t thread, start, end;
};

/** An RHT word likewise, and its value. */
struct check_unpublished_word {
    uint64_t thread, ea, value;
};

/** A translation that was changed and not synced yet. */
struct check_change {
    uint32_t handle;
    uint16_t context;
    bool heavy; /* something was taken away: a light sync is not enough */
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

/** INV-14 for one store, which then is in the books. view: of now, or NULL. */
HAL_MUST_CHECK bool check_order_store(struct check_order *o, const struct check_store *s,
                                      const struct check_view *view, struct check_verdict *v);

/** The stores of a thread can be seen. */
void check_order_publish(struct check_order *o, uint64_t thread);

/** A sync of (context, handle) ended well; it began with a doorbell, which publishes everything. */
void check_order_synced(struct check_order *o, uint16_t context, uint32_t handle, bool heavy);

/** A context has ended: nothing of it is cached. */
void check_order_ended(struct check_order *o, uint16_t context);

/** INV-14 at the end of a request with result `rc`: what it changed was synced, or is quarantined.
 * p: of now, or NULL. */
HAL_MUST_CHECK bool check_order_request(struct check_order *o, int64_t rc,
                                        const struct hal_picture *p, struct check_verdict *v);

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

/** INV-15 for chunks and modes of LUNs. */
HAL_MUST_CHECK bool check_revokes_look(const struct check_revokes *r, const struct hal_picture *p,
                                       struct check_verdict *v);

#endif
