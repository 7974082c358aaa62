/* SPDX-License-Identifier: Apache-2.0 */
/* The block allocation table of one LUN: which chunks (65,536 consecutive blocks each) are free,
 * and how many references every allocated chunk has.
 *
 * A pure data structure: no lock, no I/O, no memory of its own. *Which* chunk comes next is fixed
 * by VL-7 and the vectors A1..A9 of docs/spec/vlun.md section 18; *how* it is found is not.
 * A word-by-word search would take microseconds on a nearly full 64 TB LUN, so the words are
 * summarised in a tree: bit i of level n + 1 says that word i of level n is not zero. Every
 * operation touches one word a level at most, whatever the size and the fill (PB-21).
 *
 * Chunks that are quarantined, dirty or being wiped (vlun.md section 15.1) stay allocated here:
 * the caller keeps their state and calls spipe__ba_free() when they may be handed out again.
 *
 * Thread rules, for every function below: the table is not locked inside. The caller holds the
 * allocator lock of the LUN, which all adapters share (VL-14), or owns the table alone. */
#ifndef CORE_BLOCK_ALLOC_H
#define CORE_BLOCK_ALLOC_H

#include "hal/support/must_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPIPE__BA_CHUNK_SHIFT = 16, /* log2 of the blocks in a chunk */
    SPIPE__BA_CLONES_MAX = 255, /* references beyond the first that one chunk can have */
    SPIPE__BA_LEVELS_MAX = 8,   /* 64^8 = 2^48 chunks: more than 2^64 blocks can fill */
    SPIPE__BA_PART_MAX = 64,    /* chunks of a part */
    SPIPE__BA_LOW = 0,          /* word index `low` of VL-7; VLW-18: it never moves */
};

/** The table. Members are for reading only, by tests and by whoever draws the picture. */
struct spipe__ba {
    /* level[0]: bit b of word w stands for chunk 64 w + b, 1 = free. level[n + 1]: bit i is 1 if
     * and only if word i of level[n] is not 0. The last level in use is one word. Every level has
     * one more word, always 0, so that a search may start right behind the last one. */
    uint64_t *level[SPIPE__BA_LEVELS_MAX];
    unsigned levels;     /* levels in use, at least 1 */
    uint8_t *clones;     /* for each chunk its references beyond the first; 0 while it is free */
    uint64_t lba_count;  /* size of the LUN in blocks when the table was made */
    uint32_t lba_size;   /* bytes a block; kept for the caller, not used here */
    uint64_t total;      /* chunks */
    uint64_t free_count; /* free chunks among them */
    uint64_t current;    /* word at which the next search starts, SPIPE__BA_LOW..high (VL-7) */
    uint64_t high;       /* words of level[0] */
};

/** Chunks of one word of a table: bit b of `mask` stands for chunk 64 w + b. */
struct spipe__ba_part {
    uint64_t w, mask;
};

/**
 * Memory that a table of `chunks` chunks needs, summaries and clone counts included (PB-22).
 *
 * @param chunks  number of chunks: blocks of the LUN / 65,536 rounded down
 * @return        bytes; SIZE_MAX if no address space could hold it
 */
size_t spipe__ba_bytes(uint64_t chunks);

/**
 * Makes a table in which every chunk is free (VL-6). A tail smaller than a chunk is never used.
 * There is no counterpart: a table ends when its memory does (VL-13).
 *
 * @param ba         table to set up; untouched on failure
 * @param mem        memory of the table, aligned for uint64_t, contents ignored; the caller keeps
 *                   owning it and must leave it alone while the table is in use
 * @param bytes      size of `mem`, at least spipe__ba_bytes(lba_count / 65536)
 * @param lba_count  size of the LUN in blocks, last block + 1
 * @param lba_size   bytes a block
 * @return           0; -ENOMEM if the LUN is smaller than one chunk (VL-6, SP-59) or `bytes` is
 *                   too small (computed in 64 bits: VL-15)
 */
HAL_MUST_CHECK int spipe__ba_init(struct spipe__ba *ba, void *mem, size_t bytes, uint64_t lba_count,
                                  uint32_t lba_size);

/**
 * Hands out the chunk that VL-7 prescribes, with one reference.
 *
 * @param ba     table
 * @param chunk  receives the chunk number; untouched on failure
 * @return       0; -ENOSPC if no chunk is free
 */
HAL_MUST_CHECK int spipe__ba_allocate(struct spipe__ba *ba, uint64_t *chunk);

/**
 * Hands out many chunks: those that so many calls of spipe__ba_allocate() would, in that order. A
 * part costs what one chunk does, so that the lock of the table is held for a fraction of the time.
 *
 * @param ba     table
 * @param most   how many chunks are wanted; at most UINT32_MAX
 * @param part   room for `parts` parts; receives chunks, from the lowest bit of the first up
 * @param parts  how many parts there may be
 * @return       how many there are; 0 if no chunk is free
 */
HAL_MUST_CHECK unsigned spipe__ba_allocate_parts(struct spipe__ba *ba, uint64_t most,
                                                 struct spipe__ba_part *part, unsigned parts);

/**
 * Writes down the chunks of a part in ascending order. Needs no lock.
 *
 * @param part   a part
 * @param chunk  room for 64 chunk numbers
 * @return       how many there are
 */
unsigned spipe__ba_list(const struct spipe__ba_part *part, uint64_t *chunk);

/**
 * Drops one reference of a chunk; the last one makes it free (VL-9). The cursor stays.
 *
 * @param ba     table
 * @param chunk  any number, for instance one read from an LXT entry (VL-12, VLW-13)
 * @return       0; -EINVAL, with nothing changed, if the chunk is free already or not of this LUN
 */
HAL_MUST_CHECK int spipe__ba_free(struct spipe__ba *ba, uint64_t chunk);

/**
 * Frees the chunks of a part at once, if that is simple: all of them are allocated and no chunk of
 * the word is shared. The cursor stays.
 *
 * @param ba    table
 * @param part  any part, for instance one of numbers that were read from LXT entries; not empty
 * @return      whether that was so; otherwise nothing is changed, and each chunk needs a look of
 *              its own (spipe__ba_free())
 */
HAL_MUST_CHECK bool spipe__ba_free_part(struct spipe__ba *ba, const struct spipe__ba_part *part);

/**
 * Adds a reference to an allocated chunk, as CLONE does (VL-10).
 *
 * @param ba     table
 * @param chunk  any number (VL-12, VLW-13)
 * @return       0; -EINVAL if the chunk is free or not of this LUN, -EMLINK if it has 255
 *               references beyond the first already; nothing is changed on failure
 */
HAL_MUST_CHECK int spipe__ba_add_reference(struct spipe__ba *ba, uint64_t chunk);

/**
 * Takes one given chunk, whatever the search would say, and leaves the cursor where it is: a free
 * chunk becomes allocated with one reference, an allocated one gets one more. For rebuilding a
 * table at start from what is recorded elsewhere, and for taking free chunks beyond the end of a
 * device that shrank out of circulation until spipe__ba_free() gives them back.
 *
 * @param ba     table
 * @param chunk  any number (VL-12)
 * @return       0; -EINVAL if the chunk is not of this LUN, -EMLINK as for
 *               spipe__ba_add_reference(); nothing is changed on failure
 */
HAL_MUST_CHECK int spipe__ba_reserve(struct spipe__ba *ba, uint64_t chunk);

/**
 * Space left (VL-11).
 *
 * @return  free chunks; all of them, spipe__ba_total(), when nothing is allocated (VL-13)
 */
uint64_t spipe__ba_space(const struct spipe__ba *ba);

/**
 * Size of the table (VL-6).
 *
 * @return  chunks of the LUN, free or not; valid chunk numbers are below it
 */
uint64_t spipe__ba_total(const struct spipe__ba *ba);

/**
 * Tells whether a chunk is out of circulation.
 *
 * @param ba     table
 * @param chunk  any number; those that are not of this LUN count as allocated for ever (INV-3)
 * @return       true unless spipe__ba_allocate() could hand the chunk out
 */
bool spipe__ba_is_allocated(const struct spipe__ba *ba, uint64_t chunk);

/**
 * References of a chunk: 1 + its clone count if it is allocated (INV-2).
 *
 * @param ba     table
 * @param chunk  any number
 * @return       1..256; 0 if the chunk is free or not of this LUN
 */
unsigned spipe__ba_references(const struct spipe__ba *ba, uint64_t chunk);

#endif
