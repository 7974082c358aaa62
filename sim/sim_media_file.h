/* SPDX-License-Identifier: Apache-2.0 */
/* Media files: format 1, and what the sources of the file kind share.
 *
 * All numbers are big endian. The file is not flat: it grows with what was written.
 *
 *   0          header, copy 0     64 KiB of room each; the valid copy with the higher generation
 *   65536      header, copy 1     counts, an update writes the other one
 *   131072     group 0: 4096 bytes of extent table (128 records of 32 bytes), 128 slots of 1 MiB
 *   ...        group 1, ...
 *
 * Header:  0 magic "SPIPEMED"; 8 u32 version; 12 u32 crc32c of bytes 0..11; 16 u32 length;
 *          20 u32 crc32c of bytes 24..length-1; 24 u64 generation; 32 u64 slots the file had when
 *          this was written; 40 u32 slot size; 44 u32 slots a group; 48 u64 store size;
 *          56 u32 LUNs; 60 u32 0; then 64 bytes a LUN: 0 u64 blocks; 8 u32 block size; 12 u8 port
 *          mask; 13 u8 1 = added later; 16 WWID; the rest 0. A number that no LUN has: all 0.
 *          The first 16 bytes are the same in every later version.
 * Record:  says what the slot with its number holds. All zero: nothing. Else 0 u32 "EXT1";
 *          4 u16 LUN, 0xFFFF the store; 6 u16 0; 8 u64 which MiB of it; 16 u64 sequence; 24 u32 0;
 *          28 u32 crc32c of the slot number (u32) and bytes 0..27.
 *
 * Order of writes. A slot's data precede its record, so a record never shows foreign data. A record
 * goes from zero to something and back to zero, never from one thing to another, so a torn one,
 * known by its checksum, may count as zero: the write or unmap that tore it was not acknowledged.
 * A slot given back is cleared, and its cleared record put on the disk, before it is used again;
 * so even after a power failure nobody sees the data of somebody else. Of two records for the same
 * MiB (possible after a power failure only) the higher sequence counts. */
#ifndef SIM_SIM_MEDIA_FILE_H
#define SIM_SIM_MEDIA_FILE_H

#include "sim/sim_media_ops.h"

#define MEDIA_FILE_VERSION 1u
#define MEDIA_FILE_PREAMBLE_BYTES 16u
#define MEDIA_FILE_HEADER_FIXED_BYTES 64u
#define MEDIA_FILE_HEADER_LUN_BYTES 64u
#define MEDIA_FILE_HEADER_ROOM UINT64_C(65536)
#define MEDIA_FILE_HEADER_MAX                                                                      \
    (MEDIA_FILE_HEADER_FIXED_BYTES + SIM_MEDIA_LUNS_MAX * MEDIA_FILE_HEADER_LUN_BYTES)
#define MEDIA_FILE_GROUPS_AT (2 * MEDIA_FILE_HEADER_ROOM)
#define MEDIA_FILE_SLOT_BYTES SIM_MEDIA_PIECE_BYTES
#define MEDIA_FILE_GROUP_SLOTS UINT64_C(128)
#define MEDIA_FILE_RECORD_BYTES UINT64_C(32)
#define MEDIA_FILE_TABLE_BYTES (MEDIA_FILE_GROUP_SLOTS * MEDIA_FILE_RECORD_BYTES)
#define MEDIA_FILE_STORE_SPACE 0xFFFFu

/** How the file is reached: the real calls (sim_media_real_io), or a shim of a test. Each returns 0
 * or a negative errno; reads and writes are complete or fail. */
struct sim_media_io {
    int (*read)(void *arg, int fd, void *data, size_t n, uint64_t at);
    int (*write)(void *arg, int fd, const void *data, size_t n, uint64_t at);
    int (*sync)(void *arg, int fd);
    int (*resize)(void *arg, int fd, uint64_t size);
    int (*allocate)(void *arg, int fd, uint64_t at, uint64_t n); /* space, contents unchanged */
    int (*clear)(void *arg, int fd, uint64_t at, uint64_t n);    /* zeros, space may go */
};

extern const struct sim_media_io sim_media_real_io;

/** sim_media_open over another io, for tests that stop a write half-way. */
HAL_MUST_CHECK int sim_media_open_with(const char *path, const struct sim_media_opts *opts,
                                       const struct sim_media_io *io, void *io_arg,
                                       struct sim_media **out, char *why, size_t why_size);

/** A growing array of slot numbers, in the arena. */
struct media_slots {
    uint32_t page, room, n;
};

struct sim_media_file {
    int fd;
    const struct sim_media_io *io;
    void *io_arg;
    uint32_t n_slots;               /* whole slots in the file */
    uint64_t generation;            /* of the newest header */
    unsigned header_copy;           /* where the newest header is */
    bool header_unsynced;           /* it may not be on the disk yet */
    uint64_t sequence;              /* of the newest record */
    struct media_slots free;        /* zeroed, record zero */
    struct media_slots used_before; /* record cleared since the last sync, or contents unknown */
    uint8_t *bounce;                /* one slot */
    uint8_t header[MEDIA_FILE_HEADER_MAX]; /* scratch: too large for the stack of a fiber */
};

/** What a header says. */
struct media_header {
    uint32_t version;
    uint64_t generation, n_slots;
    unsigned n_luns;
    struct sim_media_lun luns[SIM_MEDIA_LUNS_MAX];
};

/** Where slot and record lie in the file. */
static inline uint64_t media_group_at(uint32_t group)
{
    return MEDIA_FILE_GROUPS_AT +
           group * (MEDIA_FILE_TABLE_BYTES + MEDIA_FILE_GROUP_SLOTS * MEDIA_FILE_SLOT_BYTES);
}

static inline uint64_t media_slot_at(uint32_t slot)
{
    return media_group_at(slot / MEDIA_FILE_GROUP_SLOTS) + MEDIA_FILE_TABLE_BYTES +
           slot % MEDIA_FILE_GROUP_SLOTS * MEDIA_FILE_SLOT_BYTES;
}

static inline uint64_t media_record_at(uint32_t slot)
{
    return media_group_at(slot / MEDIA_FILE_GROUP_SLOTS) +
           slot % MEDIA_FILE_GROUP_SLOTS * MEDIA_FILE_RECORD_BYTES;
}

/** Size of a file with n slots. */
static inline uint64_t media_file_size(uint32_t n_slots)
{
    return n_slots ? media_slot_at(n_slots - 1) + MEDIA_FILE_SLOT_BYTES : MEDIA_FILE_GROUPS_AT;
}

/** What one record says. */
enum media_record_state { MEDIA_RECORD_FREE, MEDIA_RECORD_USED, MEDIA_RECORD_DAMAGED };

struct media_record {
    uint16_t space; /* LUN, or MEDIA_FILE_STORE_SPACE */
    uint64_t piece;
    uint64_t sequence;
};

void media_record_encode(uint8_t out[MEDIA_FILE_RECORD_BYTES], uint32_t slot,
                         const struct media_record *r);
enum media_record_state media_record_decode(const uint8_t in[MEDIA_FILE_RECORD_BYTES],
                                            uint32_t slot, struct media_record *r);

/** The bytes of a header of this version; returns how many. */
size_t media_header_encode(uint8_t out[MEDIA_FILE_HEADER_MAX], uint64_t generation,
                           uint64_t n_slots, const struct sim_media_lun *luns, unsigned n_luns);

enum media_header_state { MEDIA_HEADER_GOOD, MEDIA_HEADER_BAD, MEDIA_HEADER_NEWER };

/** Reads a header out of MEDIA_FILE_HEADER_MAX bytes. h->version is set if NEWER. */
enum media_header_state media_header_decode(const uint8_t in[MEDIA_FILE_HEADER_MAX],
                                            struct media_header *h);

/** Writes the next header, from the LUNs and slots of m, over the older copy. */
HAL_MUST_CHECK int media_header_write(struct sim_media *m);

/** Reads the extent table of a file just opened into the tables, and repairs at most one torn
 * record unless read only. `size` is the size of the file. */
HAL_MUST_CHECK int media_slots_load(struct sim_media *m, uint64_t size, const char *path, char *why,
                                    size_t why_size);

/** A zeroed slot that nothing refers to. Returns 0, -ENOSPC or -EIO. */
HAL_MUST_CHECK int media_slot_take(struct sim_media *m, uint32_t *slot);

/** Gives a slot back whose record is zero or was never written; it is not used again before the
 * next media_slots_sync. */
void media_slot_give(struct sim_media *m, uint32_t slot);

/** Writes the record of a slot (r NULL: zero). Returns 0, -ENOSPC or -EIO. */
HAL_MUST_CHECK int media_record_write(struct sim_media *m, uint32_t slot,
                                      const struct media_record *r);

/** Puts everything on the disk and makes the slots given back usable. */
HAL_MUST_CHECK int media_slots_sync(struct sim_media *m);

/** The operations of the file kind. */
extern const struct sim_media_ops media_file_ops;

/** Locks an open file; shared if read only. `path` is for the sentence. Returns 0 or -EBUSY. */
HAL_MUST_CHECK int media_file_lock(int fd, const char *path, bool read_only, char *why,
                                   size_t why_size);

#endif
