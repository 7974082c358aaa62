/* SPDX-License-Identifier: Apache-2.0 */
/* The control state of one adapter as plain data: what core believes at one moment. Core draws it
 * (core/adapter/picture.h); checkers compare it with what the model saw (sim/check). Nothing in it
 * points anywhere: it is one flat block, which may be copied, kept and compared.
 *
 * Its size goes with what is in use, not with what there is: allocated chunks are runs of
 * neighbours with equal references, and only handles that are open appear. A 64 TB LUN that one
 * virtual LUN of a few chunks lives on is one run.
 *
 * The block is a header and arrays behind it; the arrays are found by functions. Parts of an array
 * that belong to one object (chunks of a handle, handles of a context) are a span of it. */
#ifndef HAL_PICTURE_H
#define HAL_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

#define HAL_PICTURE_PORTS 4
#define HAL_PICTURE_HWQS 8          /* hardware queues (AD-60) */
#define HAL_PICTURE_NONE UINT32_MAX /* no such LUN, no such name */

/** Modes of LUNs and kinds of handles (SP-1, SP-2). */
enum hal_picture_mode { HAL_PICTURE_FREE, HAL_PICTURE_VIRTUAL, HAL_PICTURE_DIRECT };

/** Part of an array. */
struct hal_picture_span {
    uint32_t first, count;
};

/** Neighbouring allocated chunks that have the same number of references (INV-2: 1 + K). */
struct hal_picture_run {
    uint64_t first, count;
    uint64_t references;
};

/** A LUN. */
struct hal_picture_lun {
    uint8_t wwid[16];
    uint64_t lun_id[HAL_PICTURE_PORTS]; /* of each port in `ports` */
    uint64_t blocks;                    /* when the allocator was made */
    uint64_t total, free_count;         /* of the allocator, chunks */
    uint64_t parked;              /* neither free nor in a run: the device lacks them */
    uint64_t free_beyond;         /* bits behind `total` that say free: there must be none */
    struct hal_picture_span runs; /* of `run`, ascending */
    uint32_t users, holds;        /* */
    uint32_t attached;            /* access records that refer to it, as it counts them (INV-21) */
    uint8_t mode;                 /* enum hal_picture_mode */
    uint8_t ports;                /* mask */
    uint8_t slot;                 /* in the LUN tables, if in_table */
    bool in_table, allocator;
};

/** A context. */
struct hal_picture_context {
    uint64_t rht, rht_bytes;
    uint64_t generation;              /* of the adapter, when it was registered */
    struct hal_picture_span handles;  /* of `handle`, ascending */
    struct hal_picture_span attached; /* of `attached`: numbers of LUNs */
    uint32_t taken;                   /* handles that the RHT says are checked out */
    uint32_t lun_count;               /* LUN access records that hold it (INV-21) */
    uint32_t cookie;                  /* low 32 bits (INV-20) */
    uint16_t number, slot;            /* as the AFU knows it; where it stands in the table */
    uint8_t permissions;              /* of the attach, AFU_PERM_ */
    bool errored;
    bool control; /* it has a context of the device, and with it a control area */
};

/** An open handle. */
struct hal_picture_handle {
    uint64_t lxt;                   /* address of the array, 0 = none */
    uint64_t capacity;              /* of it, entries */
    uint64_t lineage;               /* the same for handles that clones derive from each other */
    struct hal_picture_span chunks; /* of `chunk`, in virtual order */
    uint32_t number, lun;
    uint32_t context; /* index of `context` */
    uint8_t kind;     /* enum hal_picture_mode */
    uint8_t permissions;
    uint8_t port; /* direct */
    bool wipe;    /* its chunks are to be wiped (INV-16) */
};

#define HAL_PICTURE_DIRTY UINT16_MAX /* as a context: chunks that nobody has, to be wiped */
#define HAL_PICTURE_ELSEWHERE                                                                      \
    (UINT16_MAX - 1) /* a handle of another adapter that shares the LUN                            \
                      */

/** Something quarantined, all that is dirty on a LUN (vlun.md 15.1), or what another adapter has: a
 * handle, or something quarantined there. `holds` of the LUN counts all of them. */
struct hal_picture_held {
    uint64_t generation; /* of the adapter, when it was withdrawn */
    struct hal_picture_span chunks;
    struct hal_picture_span arrays; /* of `array` */
    uint32_t lun, handle;
    uint16_t context;
};

/** An LXT array that is kept for a quarantined handle. */
struct hal_picture_array {
    uint64_t start, capacity;
};

/** A name of the catalogue: one more owner of its chunks (design, "Catalogue"). */
struct hal_picture_name {
    struct hal_picture_span chunks;
    uint32_t lun; /* HAL_PICTURE_NONE: not on this adapter */
};

/** How many there are of everything. */
struct hal_picture_counts {
    uint32_t luns, runs, contexts, attached, handles, held, arrays, names, chunks;
};

/** The block begins with it. */
struct hal_picture {
    uint64_t bytes;      /* of the block */
    uint64_t generation; /* of the adapter: + 1 with each AFU initialisation */
    struct hal_picture_counts n;
    uint32_t clients, ports;
    int32_t promote_lun_index;                   /* SP-131 */
    int32_t last_lun_index[HAL_PICTURE_PORTS];   /* SP-131 */
    uint16_t master;                             /* number of its context */
    uint16_t more_masters[HAL_PICTURE_HWQS - 1]; /* those of further hardware queues */
    uint32_t more_masters_count;
    bool up;   /* the master is there: state NORMAL */
    bool part; /* it has only contexts that were asked for */
    uint32_t at_lun, at_run, at_context, at_attached, at_handle, at_held, at_array, at_name,
        at_chunk; /* offsets of the arrays */
};

#define HAL_PICTURE_ARRAY(type, name)                                                              \
    static inline type *hal_picture_##name(const struct hal_picture *p, uint32_t index)            \
    {                                                                                              \
        return (type *)((char *)(uintptr_t)p + p->at_##name) + index;                              \
    }

HAL_PICTURE_ARRAY(struct hal_picture_lun, lun)
HAL_PICTURE_ARRAY(struct hal_picture_run, run)
HAL_PICTURE_ARRAY(struct hal_picture_context, context)
HAL_PICTURE_ARRAY(uint32_t, attached)
HAL_PICTURE_ARRAY(struct hal_picture_handle, handle)
HAL_PICTURE_ARRAY(struct hal_picture_held, held)
HAL_PICTURE_ARRAY(struct hal_picture_array, array)
HAL_PICTURE_ARRAY(struct hal_picture_name, name)
HAL_PICTURE_ARRAY(uint64_t, chunk)
#undef HAL_PICTURE_ARRAY

/** Whether a context number is that of the master, or of a further hardware queue. */
static inline bool hal_picture_is_master(const struct hal_picture *p, uint32_t number)
{
    for (uint32_t i = 0; i < p->more_masters_count; i++)
        if (p->more_masters[i] == number)
            return true;
    return number == p->master;
}

/** Memory for pictures, which its owner provides. Zero all but `grow`; free `block` at the end. */
struct hal_picture_room {
    void *block; /* aligned for uint64_t */
    size_t size;
    /* Puts a block of at least `size` bytes into the room, whose contents need not be kept. Returns
     * false if there is none; the room may be as it was. NULL: the room never grows. */
    bool (*grow)(struct hal_picture_room *room, size_t size);
};

/**
 * Begins a picture: a block with room for so many of everything, zeroed, and all offsets set.
 *
 * @param room    memory; what it held before is gone
 * @param counts  how many entries each array has
 * @param out     receives the picture, in room->block
 * @return        0; -ENOMEM
 */
HAL_MUST_CHECK int hal_picture_begin(struct hal_picture_room *room,
                                     const struct hal_picture_counts *counts,
                                     struct hal_picture **out);

#endif
