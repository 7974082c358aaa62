/* SPDX-License-Identifier: Apache-2.0 */
/* What was withdrawn from the AFU, but may still be reached by it (vlun.md 15.1). Shared inside
 * core only.
 *
 * Every shrink puts what it withdrew here *before* its HW sync, and everything leaves the same way:
 * when an HW sync of that context and handle has succeeded, or when the AFU was initialised since
 * (the adapter generation has advanced). So a failed sync needs no code of its own, and no memory:
 * the record is part of the virtual LUN (core/vlun/vlun.h) that withdrew something. Until it
 * leaves,
 *   - its chunks stay allocated: they are neither free nor owned;
 *   - its LXT arrays stay where they are (INV-13);
 *   - its LUN keeps mode and allocator (`holds`, R-32);
 *   - its handle number is not given out again in a context of that number.
 *
 * The record of an open handle belongs to its context. When the handle is closed, it becomes an
 * orphan: in a list of the adapter, for whoever tries it next.
 *
 * Thread rules: records of open handles: the caller has entered their context. Orphans: any thread
 * that is inside the gate; the books guard the list, and a record that is marked busy belongs to
 * the thread that tries it. */
#ifndef CORE_QUARANTINE_H
#define CORE_QUARANTINE_H

#include "core/adapter/adapter.h"
#include "core/vlun/lxt.h"

enum {
    SPIPE__HELD_PARTS =
        2, /* an open handle holds one at most; closing it by force adds another, and
              what is withdrawn from a lost context, in whatever steps, is one */
};

/** Part of what is held. */
struct spipe__held_part {
    const uint64_t *entries; /* chunks named by entries [first, last) are to be freed; */
    uint32_t first, last;    /* entries beyond the count of a living array serve as well */
    struct spipe__lxt array; /* is to be destroyed; may be none */
};

/** One record. All zero: nothing is held. */
struct spipe__held {
    struct spipe__held *next; /* orphans */
    bool busy;                /* orphans: somebody tries it */
    bool pending;             /* something is held */
    uint8_t parts;
    uint8_t failures; /* of syncs, in a row */
    uint16_t context; /* number, as the AFU knows it */
    uint32_t handle;
    uint64_t generation; /* of the adapter, when it was withdrawn */
    struct spipe__lun *lun;
    struct spipe__held_part part[SPIPE__HELD_PARTS];
    void *memory; /* orphans: freed when the record leaves */
    size_t memory_size;
};

struct spipe_ctx;

/** Puts a record into quarantine. Its lun, context and handle are set; if it is there already, the
 * generation becomes that of now. */
void spipe__quarantine_enter(struct spipe *s, struct spipe__held *held);

/** Adds a part to a record in quarantine; one that names the entries just below those of the last
 * part becomes part of it. */
void spipe__quarantine_add(struct spipe__held *held, const struct spipe__held_part *part);

/** Frees what a record holds: the AFU is known not to reach it. Nothing to do if nothing is held.
 */
void spipe__quarantine_release(struct spipe *s, struct spipe__held *held);

/** A sync of it failed: it will be tried again in a while, or the adapter reset. */
void spipe__quarantine_failed(struct spipe *s, struct spipe__held *held);

/** Makes sure that the AFU cannot reach what a record holds: it was initialised since, or one HW
 * sync says so. 0, or -EAGAIN: a sync failed, or is not sent in the state that the adapter is in.
 */
HAL_MUST_CHECK int spipe__quarantine_confirm(struct spipe *s, struct spipe__held *held);

/** The handle of a pending record is closed: `memory`, which it is part of, goes with it. The
 * caller holds the books. */
void spipe__quarantine_orphan(struct spipe *s, struct spipe__held *held, void *memory, size_t size);

/**
 * Tries to free what the record of an open handle holds: at once if the AFU was initialised since,
 * otherwise by one HW sync, which a lost context does not get (SP-161).
 *
 * @return  0 if nothing is held any more, else -EAGAIN
 */
HAL_MUST_CHECK int spipe__quarantine_retry(struct spipe_ctx *ctx, struct spipe__held *held);

/** The same for orphans of (context, handle), so that the number can be given out again. */
HAL_MUST_CHECK int spipe__quarantine_retry_handle(struct spipe *s, uint16_t context,
                                                  uint32_t handle);

/** Tries the orphans of a LUN, up to the first that fails: the next one would have to wait as long.
 * Returns whether anything was freed. */
bool spipe__quarantine_retry_orphans(struct spipe *s, const struct spipe__lun *lun);

/**
 * Tries once everything that is held on a LUN, in whatever context: before ENOSPC, and before a
 * request is refused only because of holds (vlun.md 15.1, R-32).
 *
 * @return  whether anything was freed
 *
 * The caller is inside the gate and holds no lock.
 */
bool spipe__quarantine_retry_lun(struct spipe *s, struct spipe__lun *lun);

/** Frees all orphans. The AFU was reset, or knows no context any more; nobody else is about. */
void spipe__quarantine_release_all(struct spipe *s);

#endif
