/* SPDX-License-Identifier: Apache-2.0 */
/* What was withdrawn from the AFU, but may still be reached by it (vlun.md 15.1). Shared inside
 * core only.
 *
 * Every shrink puts what it withdrew here *before* its HW sync, and everything leaves the same way:
 * when an HW sync of that context and handle has succeeded, or when the AFU was initialised since
 * (the adapter generation has advanced). So a failed sync needs no code of its own, and no memory:
 * the record is part of the virtual LUN (core/vlun.h) that withdrew something. Until it leaves,
 *   - its chunks stay allocated: they are neither free nor owned;
 *   - its LXT arrays stay where they are (INV-13);
 *   - its LUN keeps mode and allocator (`holds`, R-32);
 *   - its handle number is not given out again in a context of that number.
 *
 * Thread rules: the caller holds the control lock of the adapter. */
#ifndef CORE_QUARANTINE_H
#define CORE_QUARANTINE_H

#include "core/adapter.h"
#include "core/lxt.h"

enum {
    SPIPE__HELD_PARTS = 2, /* an open handle holds one at most; closing it by force adds another */
};

/** Part of what is held. */
struct spipe__held_part {
    const uint64_t *entries; /* chunks named by entries [first, last) are to be freed; */
    uint32_t first, last;    /* entries beyond the count of a living array serve as well */
    struct spipe__lxt array; /* is to be destroyed; may be none */
};

/** One record. All zero: nothing is held. */
struct spipe__held {
    struct spipe__held *next; /* in the list of its LUN */
    bool pending;             /* is in that list */
    uint8_t parts;
    uint16_t context; /* number, as the AFU knows it */
    uint32_t handle;
    uint64_t generation; /* of the adapter, when it was withdrawn */
    struct spipe__lun *lun;
    struct spipe__held_part part[SPIPE__HELD_PARTS];
    void *memory; /* freed when the record leaves; NULL while the virtual LUN is open */
    size_t memory_size;
};

/** What arrays of this adapter have in common. */
struct spipe__lxt_home spipe__lxt_home_of(struct spipe *s);

/** Puts a record into quarantine. Its lun, context and handle are set; if it is there already, the
 * generation becomes that of now. */
void spipe__quarantine_enter(struct spipe *s, struct spipe__held *held);

/** Adds a part to a record in quarantine. */
void spipe__quarantine_add(struct spipe__held *held, const struct spipe__held_part *part);

/** Frees one record that is in quarantine: the AFU is known not to reach it. */
void spipe__quarantine_release(struct spipe *s, struct spipe__held *held);

/** An HW sync of (context, handle) succeeded: frees everything that was held for it. */
void spipe__quarantine_synced(struct spipe *s, uint16_t context, uint32_t handle);

/** Whether anything is held for (context, handle). */
bool spipe__quarantine_has(struct spipe *s, uint16_t context, uint32_t handle);

/**
 * Tries to free what is held for (context, handle): at once if the AFU was initialised since,
 * otherwise by one HW sync.
 *
 * @return  0 if nothing is held any more, else -EAGAIN
 */
HAL_MUST_CHECK int spipe__quarantine_retry(struct spipe *s, uint16_t context, uint32_t handle);

/** The same, once for everything that is held on one LUN: before ENOSPC, and before a request is
 * refused only because of holds (vlun.md 15.1, R-32). */
void spipe__quarantine_retry_lun(struct spipe *s, struct spipe__lun *lun);

/** Frees everything on all LUNs. The AFU was reset, or knows no context any more. */
void spipe__quarantine_release_all(struct spipe *s);

#endif
