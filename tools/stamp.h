/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that say what they are. A block written by the workload begins with a stamp - which run,
 * which owner, which block of its virtual LUN, which generation - and the rest of it follows from
 * the stamp. So a block that was lost, torn, mixed up or written by somebody else is found, and
 * says itself where it belongs.
 *
 * Layout, 64-bit words of the host: 0 magic; 1 run; 2 owner; 3 block; 4 generation; 5 sum of all
 * other words; from 6 on a pattern that starts from a hash of words 1..4. */
#ifndef TOOLS_STAMP_H
#define TOOLS_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Smallest size that can be stamped. Sizes are multiples of 8. */
#define STAMP_BYTES_MIN 64

/** What a block is. */
struct stamp {
    uint64_t run;                  /* tells runs apart */
    uint16_t adapter, client, lun; /* owner: adapter, client on it, virtual LUN of the client */
    uint64_t block;                /* of the virtual LUN */
    uint64_t generation;           /* counts the writes to this block, from 1 */
};

/** Fills `size` bytes at `data` (8-byte aligned) with what the stamp stands for. */
void stamp_fill(void *data, size_t size, const struct stamp *s);

/** Whether the block is exactly what the stamp stands for. */
bool stamp_matches(const void *data, size_t size, const struct stamp *s);

/** Whether all bytes are zero. */
bool stamp_is_blank(const void *data, size_t size);

/** What can be told from a block alone. */
enum stamp_found {
    STAMP_BLANK,   /* all zeros */
    STAMP_WHOLE,   /* *out is what it says and its contents agree */
    STAMP_DAMAGED, /* it begins with a stamp, now in *out, but the rest does not agree */
    STAMP_NONE,    /* no stamp: data of something else */
};

/** Reads the stamp of a block. */
enum stamp_found stamp_read(const void *data, size_t size, struct stamp *out);

/** Writes a sentence about a block that does not match: what was expected, what was found, each
 * with owner, block and generation. A stamp of generation 0 stands for "never written in this
 * run". */
void stamp_explain(const void *data, size_t size, const struct stamp *expected, char *text,
                   size_t text_size);

#endif
