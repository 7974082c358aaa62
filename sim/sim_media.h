/* SPDX-License-Identifier: Apache-2.0 */
/* The storage behind one simulated adapter: up to 255 LUNs of up to 64 TB each, sparse, and a
 * reserved byte-addressed store for the catalogue of named virtual LUNs.
 *
 * Three kinds with one behaviour:
 *   MEMORY  full data, gone with the process;
 *   TAG     the first 64 bytes of each block only, for campaigns that tell blocks apart by a tag;
 *   FILE    full data in a sparse file that survives the process (sim_media_file.h: format).
 *
 * Media are pristine: nothing here ever fails or lies on purpose. Faults are injected above.
 *
 * Data moves through visitor functions, so the memory kinds copy once, straight between medium and
 * client. Everything here is for one thread at a time. */
#ifndef SIM_SIM_MEDIA_H
#define SIM_SIM_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

#define SIM_MEDIA_LUNS_MAX 255
#define SIM_MEDIA_LUN_BYTES_MAX (UINT64_C(64) << 40)
#define SIM_MEDIA_PIECE_BYTES (UINT64_C(1) << 20) /* unit of allocation and of sim_media_mapped */
#define SIM_MEDIA_STORE_BYTES (UINT64_C(8) << 20)
#define SIM_MEDIA_TAG_BYTES 64
#define SIM_MEDIA_WHY_BYTES 512 /* always enough for a `why` */

struct sim_media;

enum sim_media_kind { SIM_MEDIA_MEMORY, SIM_MEDIA_TAG, SIM_MEDIA_FILE };

/** What one LUN is. */
struct sim_media_lun {
    uint64_t blocks;     /* 1 .. 64 TB / block_size */
    uint32_t block_size; /* 512 or 4096 */
    uint8_t wwid[16];    /* NAA-6 identifier: the first four bits are 6 */
    uint8_t port_mask;   /* bit p: reachable through port p; media only keep it */
    bool added;          /* by sim_media_add_lun, while the media were in use */
};

/** How to make or open media. All zero is a valid start: no LUNs, memory kind. */
struct sim_media_opts {
    const struct sim_media_lun *luns; /* of new media; an existing file keeps its own */
    unsigned n_luns;
    enum sim_media_kind kind; /* sim_media_create: MEMORY or TAG */
    bool create_if_missing;   /* sim_media_open */
    bool read_only;           /* sim_media_open: writes give -EROFS, the file is never touched */
    /* Memory kinds: address space for all state and data; a write that finds it full gives -ENOSPC.
     * 0: what the LUNs can need, at most 16 GiB. Only what is written is ever backed by memory. */
    uint64_t arena_bytes;
    /* The caller's own mapping (page aligned, arena_bytes long) instead of a fresh one, so that
     * media may lie inside the mapping of a world. It need not be zeroed. */
    void *arena;
};

/** Blocks moved so far, by LUN. WRITE SAME counts as written, unmap does not. */
struct sim_media_counters {
    uint64_t blocks_read;
    uint64_t blocks_written;
};

/** Takes `n` bytes that belong at byte `offset` of the transfer. Returns 0, or -EFAULT if the
 * client's memory cannot be written, which ends the transfer. Offsets rise. */
typedef int sim_media_sink(void *arg, uint64_t offset, const void *data, size_t n);

/** Fills `data` with the `n` bytes at byte `offset` of the transfer. Returns 0 or -EFAULT. */
typedef int sim_media_source(void *arg, uint64_t offset, void *data, size_t n);

/** Makes media of the memory or tag kind. On failure *out is untouched and `why` (at most why_size
 * bytes, NULL allowed) holds one sentence that says what to do.
 * Returns 0, -EINVAL (descriptors, kind), or -ENOMEM (no address space). */
HAL_MUST_CHECK int sim_media_create(const struct sim_media_opts *opts, struct sim_media **out,
                                    char *why, size_t why_size);

/** Opens, or makes if asked to, media of the file kind and locks the file against every other
 * opener until sim_media_close or the end of the process (read-only openers share).
 * A child of fork() that outlives the process keeps the lock; exec() drops it. A new file can be
 * read and written by its owner only. A process with a limit on file size should ignore SIGXFSZ.
 * On failure nothing is modified, *out is untouched and `why` holds one sentence.
 * Returns 0, -EINVAL (descriptors; not a media file; damaged, truncated or newer format), -EBUSY
 * (in use), -ENOENT, -EACCES, -EROFS, -EISDIR, -ENOSPC, -ENOMEM, or another errno of open(2). */
HAL_MUST_CHECK int sim_media_open(const char *path, const struct sim_media_opts *opts,
                                  struct sim_media **out, char *why, size_t why_size);

/** Ends media; NULL is ignored. Acknowledged writes are in the file whether this is called or not;
 * only sim_media_sync puts them on the disk. */
void sim_media_close(struct sim_media *m);

/** A valid NAA-6 identifier made from two numbers, for LUNs that need no particular one. */
void sim_media_make_wwid(uint64_t serial, unsigned lun, uint8_t wwid[16]);

enum sim_media_kind sim_media_kind(const struct sim_media *m);

/** Whether all that would change them gives -EROFS. */
bool sim_media_read_only(const struct sim_media *m);

/** One more than the highest number of a LUN; below it numbers may be free. */
unsigned sim_media_n_luns(const struct sim_media *m);

/** The descriptor as it is now, or NULL if there is no such LUN. Valid until sim_media_close or
 * sim_media_remove_lun. */
const struct sim_media_lun *sim_media_lun(const struct sim_media *m, unsigned lun);

/** Counters of a LUN, which must exist. */
const struct sim_media_counters *sim_media_counters(const struct sim_media *m, unsigned lun);

/** Delivers `blocks` blocks from `lba` to `sink` in rising order. Never-written blocks are zeros.
 * The tag kind calls `sink` once a block with its first 64 bytes only; the rest of the destination
 * stays as it was.
 * Returns 0, -ERANGE (beyond the end; nothing moved), -EIO, or what the sink returned. */
HAL_MUST_CHECK int sim_media_read(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks,
                                  sim_media_sink *sink, void *arg);

/** Fetches `blocks` blocks for `lba` from `source` in rising order; the tag kind asks for the first
 * 64 bytes of each. On failure a block that had been written before holds old or new bytes in any
 * mix, a never-written one the new bytes or zeros.
 * Returns 0, -ERANGE (nothing moved), -ENOSPC, -EIO, -EROFS, or what the source returned. */
HAL_MUST_CHECK int sim_media_write(struct sim_media *m, unsigned lun, uint64_t lba, uint64_t blocks,
                                   sim_media_source *source, void *arg);

/** Writes the same block `blocks` times. A block of zeros takes no new space.
 * Returns as sim_media_write. */
HAL_MUST_CHECK int sim_media_write_same(struct sim_media *m, unsigned lun, uint64_t lba,
                                        uint64_t blocks, const void *pattern_block);

/** Makes blocks read as zeros and gives back the space of every whole piece in the range.
 * Returns as sim_media_write. */
HAL_MUST_CHECK int sim_media_unmap(struct sim_media *m, unsigned lun, uint64_t lba,
                                   uint64_t blocks);

/** Whether space is allocated for the piece of SIM_MEDIA_PIECE_BYTES that holds `lba`: false if
 * nothing was ever written there. The same in every kind, so timing may depend on it. */
bool sim_media_mapped(const struct sim_media *m, unsigned lun, uint64_t lba);

/** Puts all acknowledged writes on the disk. Returns 0, -EIO or -ENOSPC; memory kinds: 0. */
HAL_MUST_CHECK int sim_media_sync(struct sim_media *m);

/** Changes the capacity of a LUN (control face). Blocks beyond a smaller end are kept and come back
 * when the LUN grows again. A file records it durably.
 * Returns 0, -EINVAL (no such LUN, size 0 or above 64 TB), -ENOSPC, -ENOMEM, -EIO, or -EROFS. */
HAL_MUST_CHECK int sim_media_set_size(struct sim_media *m, unsigned lun, uint64_t blocks);

/** Makes a LUN that was not there from the start, with the lowest free number. Never-written blocks
 * are zeros, whatever a LUN of that number held before. A file records it durably.
 * Returns 0 with the number in *lun, -EINVAL (descriptor), -ENOSPC (no number left; arena full;
 * disk full), -EIO, or -EROFS. */
HAL_MUST_CHECK int sim_media_add_lun(struct sim_media *m, const struct sim_media_lun *descriptor,
                                     unsigned *lun);

/** Takes a LUN with all its data away. A file records it durably; if that fails the LUN stays, but
 * may have lost data. Returns 0, -EINVAL (no such LUN), -ENOSPC, -EIO, or -EROFS. */
HAL_MUST_CHECK int sim_media_remove_lun(struct sim_media *m, unsigned lun);

/** Size of the store in bytes, at least 8 MiB. */
uint64_t sim_media_store_size(const struct sim_media *m);

/** Reads from the store; never-written bytes are zeros. Returns 0, -ERANGE, or -EIO. */
HAL_MUST_CHECK int sim_media_store_read(struct sim_media *m, uint64_t offset, void *data, size_t n);

/** Writes to the store (full data in every kind). Returns 0, -ERANGE, -ENOSPC, -EIO, or -EROFS. */
HAL_MUST_CHECK int sim_media_store_write(struct sim_media *m, uint64_t offset, const void *data,
                                         size_t n);

/** Puts the store on the disk. Returns as sim_media_sync. */
HAL_MUST_CHECK int sim_media_store_sync(struct sim_media *m);

/** The arena that holds everything of the memory kinds, tables and *m included: a copy of its first
 * *used bytes, put back to the same addresses, restores the media as they were. Bytes above *used
 * mean nothing. The file kind has none: *ptr is NULL, *used 0, and its media cannot be restored. */
void sim_media_arena(const struct sim_media *m, void **ptr, size_t *used);

#endif
