/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a LUN holds something of somebody: partition tables, file systems, volumes. It looks at
 * the first and the last MiB only, and only reads. */
#ifndef TOOLS_LUN_SIGNATURE_H
#define TOOLS_LUN_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

#define LUN_SIGNATURE_WINDOW (UINT64_C(1) << 20) /* bytes, at each end */

/** How to read a LUN. */
struct lun_reader {
    /* Blocks lba .. lba + blocks - 1 into buffer; 0 or a negative errno. At most
     * LUN_SIGNATURE_WINDOW bytes are asked for. */
    int (*read)(void *arg, uint64_t lba, uint32_t blocks, void *buffer);
    void *arg;
    uint32_t block_size; /* bytes: a power of two from 512 to 64 KiB */
    uint64_t blocks;     /* capacity */
};

/** Where offsets of a signature begin. */
enum lun_signature_anchor {
    LUN_SIGNATURE_START,
    LUN_SIGNATURE_END,      /* backwards from the end of the LUN */
    LUN_SIGNATURE_END_4K,   /* ... from the last multiple of 4 KiB in it */
    LUN_SIGNATURE_END_64K,  /* ... of 64 KiB */
    LUN_SIGNATURE_END_256K, /* ... of 256 KiB */
};

/** One kind of signature: `length` bytes at `offset`, or at any of `count` places `step` bytes
 * apart. */
struct lun_signature {
    const char *name; /* "ext2, ext3 or ext4 file system" */
    enum lun_signature_anchor anchor;
    uint32_t offset, step, count; /* bytes; count 0 is one place */
    uint8_t length;
    const char *bytes;
};

extern const struct lun_signature lun_signature_table[];
extern const size_t lun_signature_count;

/** What was found, and where. */
struct lun_signature_found {
    const struct lun_signature *signature;
    uint64_t offset; /* bytes from the start of the LUN */
};

/** Looks for the first signature of the table that a LUN has.
 *
 * @param out  filled when there is one
 * @return     1: found, 0: none; -EINVAL (block size, or no blocks), -ENOMEM, or what read gave */
HAL_MUST_CHECK int lun_signature_find(const struct lun_reader *reader,
                                      struct lun_signature_found *out);

#endif
