/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of media share: the object, its arena, its two-level tables, and the table of
 * operations by which sim_media.c calls a kind. For the files of the media only.
 *
 * A *space* is a LUN or the store. It is cut into pieces (1 MiB of a LUN); its table says where
 * each piece is: memory kinds keep the arena page of the piece, the file kind its slot plus one. */
#ifndef SIM_SIM_MEDIA_OPS_H
#define SIM_SIM_MEDIA_OPS_H

#include "sim/sim_media.h"

#define SIM_ARENA_PAGE UINT64_C(4096)
#define SIM_TABLE_LEAF 1024u               /* entries of one table page */
#define SIM_MEDIA_STORE SIM_MEDIA_LUNS_MAX /* number of the store among the spaces */

/** Memory handed out upwards in pages of 4 KiB, which are named by number. Page 0 is the start of
 * struct sim_media, so 0 also means "no page". */
struct sim_arena {
    uint8_t *base;
    uint64_t bytes, used;
    bool own; /* mapped by sim_arena_map */
};

/** Index to non-zero 32-bit value; absent is 0. */
struct sim_table {
    uint32_t root; /* arena page of an array of leaf pages, or 0 while n_leaves is 0 */
    uint32_t n_leaves;
};

struct sim_media_space {
    struct sim_table table;
    uint32_t block_size;
    uint32_t keep;         /* bytes kept of each block */
    uint32_t piece_blocks; /* a power of two */
    uint32_t piece_shift;  /* its logarithm */
    uint32_t piece_pages;  /* memory kinds: arena pages of one piece */
    uint32_t free_list;    /* memory kinds: which list takes freed pieces */
};

/** Part of a transfer inside one piece. */
struct sim_media_part {
    struct sim_media_space *space;
    uint64_t piece;
    uint32_t first, blocks; /* inside the piece */
    uint64_t offset;        /* of its first byte in the transfer */
};

/** One kind of media. `fill` takes one block, or NULL for zeros, which take no new space; `release`
 * gives back a whole piece; `resized` records the descriptors. */
struct sim_media_ops {
    int (*read)(struct sim_media *, const struct sim_media_part *, sim_media_sink *, void *arg);
    int (*write)(struct sim_media *, const struct sim_media_part *, sim_media_source *, void *arg);
    int (*fill)(struct sim_media *, const struct sim_media_part *, const void *pattern);
    int (*release)(struct sim_media *, struct sim_media_space *, uint64_t piece);
    int (*store_read)(struct sim_media *, uint64_t offset, void *data, size_t n);
    int (*store_write)(struct sim_media *, uint64_t offset, const void *data, size_t n);
    int (*sync)(struct sim_media *);
    int (*resized)(struct sim_media *);
    void (*close)(struct sim_media *);
};

struct sim_media {
    const struct sim_media_ops *ops;
    enum sim_media_kind kind;
    bool read_only;
    unsigned n_luns;
    struct sim_arena arena;
    struct sim_media_lun luns[SIM_MEDIA_LUNS_MAX];
    struct sim_media_counters counters[SIM_MEDIA_LUNS_MAX];
    struct sim_media_space spaces[SIM_MEDIA_LUNS_MAX + 1];
    uint32_t free_pieces[3];     /* memory kinds: heads of the free lists */
    struct sim_media_file *file; /* file kind: in the arena too */
};

/** Maps `bytes` of address space, or takes the caller's `memory`. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int sim_arena_map(struct sim_arena *a, void *memory, uint64_t bytes);
void sim_arena_unmap(const struct sim_arena *a);

/** Tells that this memory is wholly in use from now on: huge pages if they can be had. */
void sim_arena_in_use(const struct sim_arena *a, void *start, uint64_t bytes);

/** `pages` consecutive pages with any contents; their number, or 0 if the arena is full. */
uint32_t sim_arena_take(struct sim_arena *a, uint64_t pages);

static inline void *sim_arena_page(const struct sim_arena *a, uint32_t page)
{
    return a->base + (uint64_t)page * SIM_ARENA_PAGE;
}

/** The value at `index`; 0 beyond the end too. */
static inline uint32_t sim_table_get(const struct sim_arena *a, const struct sim_table *t,
                                     uint64_t index)
{
    uint64_t leaf = index / SIM_TABLE_LEAF;
    uint32_t page;

    if (leaf >= t->n_leaves)
        return 0;
    page = ((const uint32_t *)sim_arena_page(a, t->root))[leaf];
    return page ? ((const uint32_t *)sim_arena_page(a, page))[index % SIM_TABLE_LEAF] : 0;
}

/* ---- the memory kinds ------------------------------------------------------------------------
 */

/** The first page of a piece of the memory kinds; the bytes kept of its blocks come behind it. */
struct sim_piece {
    uint64_t written[SIM_MEDIA_PIECE_BYTES / 512 / 64]; /* bit: the block holds data */
    uint32_t next_free; /* page of the next free piece of this list */
};

_Static_assert(sizeof(struct sim_piece) <= SIM_ARENA_PAGE, "the bitmap has a page of its own");

/** The piece at `index` of a space; NULL if there is none. */
static inline struct sim_piece *sim_piece_find(const struct sim_media *m,
                                               const struct sim_media_space *s, uint64_t index)
{
    uint32_t page = sim_table_get(&m->arena, &s->table, index);

    return page ? sim_arena_page(&m->arena, page) : NULL;
}

/** Where the bytes kept of a block of a piece are. */
static inline uint8_t *sim_piece_block(const struct sim_media_space *s, struct sim_piece *p,
                                       uint32_t block)
{
    return (uint8_t *)p + SIM_ARENA_PAGE + (uint64_t)block * s->keep;
}

/** Whether a block of a piece holds data. */
static inline bool sim_piece_has(const struct sim_piece *p, uint32_t block)
{
    return p->written[block / 64] >> (block % 64) & 1;
}

/* ---- all kinds --------------------------------------------------------------------------------
 */

/** Makes room for indices below `n`. Returns 0 or -ENOSPC (arena full). */
HAL_MUST_CHECK int sim_table_extend(struct sim_arena *a, struct sim_table *t, uint64_t n);

/** The cell of an index inside the table, made if need be, or NULL if the arena is full. */
uint32_t *sim_table_cell(struct sim_arena *a, struct sim_table *t, uint64_t index);

/** Writes one sentence into `why`, if there is one, and returns `error`. */
int sim_media_explain(char *why, size_t why_size, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Checks descriptors. Returns 0 or -EINVAL with a sentence. */
HAL_MUST_CHECK int sim_media_check_luns(const struct sim_media_lun *luns, unsigned n_luns,
                                        char *why, size_t why_size);

/** Fills what all kinds share and makes the tables. `ops`, `arena` and the kind's own fields are
 * set already, the rest is zero. Returns 0 or -ENOSPC (arena too small). */
HAL_MUST_CHECK int sim_media_begin(struct sim_media *m, enum sim_media_kind kind,
                                   const struct sim_media_lun *luns, unsigned n_luns);

/** Calls `sink` with zeros for `bytes` bytes from `offset` on. */
int sim_media_sink_zeros(uint64_t offset, uint64_t bytes, sim_media_sink *sink, void *arg);

#endif
