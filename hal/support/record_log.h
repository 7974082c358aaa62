/* SPDX-License-Identifier: Apache-2.0 */
/* A record store (hal/record_store.h) over an array of bytes: a reserved part of a media file, or
 * a plain file.
 *
 * The area is cut into two halves. One is *live*: a header, then records one behind the other. The
 * other is *retired*, or never used: compaction fills it, syncs, and only then makes it live by
 * writing its header. All numbers are big endian, on every host.
 *
 *   half     offset 0       header, one sector of 512 bytes, zero behind the fields
 *            offset 512     records, each at a multiple of 16
 *
 *   header   0  8  "SPIPELOG"
 *            8  4  version of the format, 1
 *           12  4  CRC-32C of the sector with this field 0. These three keep their place and
 *                  meaning in every later version, so that newer and damaged can be told apart
 *           16  8  generation: 0 = retired; of two live halves the greater one counts
 *           24  8  bytes in a half
 *           32  8  base: where the records of the compaction end, as offset in the half. All of
 *                  them were synced before the header, so none of them may be missing
 *
 *   record   0  4  "SREC"
 *            4  4  length of the payload, 1..65536
 *            8  8  generation of the half
 *           16  8  sequence: 1, 2, 3 ... in this half
 *           24  4  CRC-32C of the payload
 *           28  4  CRC-32C of bytes 0..27
 *           32     payload, then zeros up to a multiple of 16
 *
 * Where the chain of valid records ends, the log ends: what follows is either nothing, or what a
 * crash left of the one record that was being written, which is zeroed before the next one is
 * written. Each record is synced before the next one
 * is begun, so a valid record *further on* means that one in between was damaged: -EILSEQ. For the
 * same reason two kinds of damage cannot be told from a crash and go unnoticed: to the last record
 * alone, unless it belongs to a compaction; and to the header of the live half, if a crash left the
 * old half live too and nothing was written since.
 *
 * Costs: append is one write and one sync, or, the first after a crash, up to four and three.
 * Compaction writes the new list, reads the rest of the
 * half (and zeroes what is not zero, so that no record of an earlier, unfinished compaction can
 * ever follow the new ones), and syncs three times. The area should hold 2 x (512 + twice the
 * longest list), or compaction comes too often. */
#ifndef HAL_SUPPORT_RECORD_LOG_H
#define HAL_SUPPORT_RECORD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/record_store.h"
#include "hal/support/must_check.h"

enum {
    HAL_RECORD_LOG_SECTOR = 512, /* bytes of a header; a write of one is assumed to be lost, or
                                    torn at a byte so that one side of it is stored, but never
                                    to hit other sectors */
    HAL_RECORD_LOG_RECORD_HEADER = 32, /* bytes in front of each payload */
    HAL_RECORD_LOG_ALIGN = 16,         /* records begin at multiples of it */
    HAL_RECORD_LOG_VERSION = 1,        /* of the format */
    HAL_RECORD_LOG_AREA_MIN = 2048,    /* bytes of the smallest area */
};

struct hal_record_area;

/** Access to the bytes. All return 0 or a negative errno; -ENOSPC from write means that the file
 * system is full, everything else becomes -EIO. Offsets and lengths stay inside the area. */
struct hal_record_area_ops {
    int (*read)(struct hal_record_area *, uint64_t offset, void *buf, size_t n);
    int (*write)(struct hal_record_area *, uint64_t offset, const void *buf, size_t n);
    int (*sync)(struct hal_record_area *); /* makes every completed write durable */
};

/** The bytes of a log; whoever provides them embeds this. It should begin at a multiple of 512 of
 * whatever it is part of. A new area is all zero. */
struct hal_record_area {
    const struct hal_record_area_ops *ops;
    uint64_t size; /* bytes; an area keeps the size it was first used with */
};

/** Where the next record goes in a half. */
struct hal_record_log_place {
    unsigned half;       /* 0 or 1 */
    uint64_t generation; /* of that half; 0: nothing was ever written, see `fresh` */
    uint64_t tail;       /* offset in the half */
    uint64_t sequence;   /* number of the next record */
};

/** One log. Plain data of about 64 KiB, no pointers but `area`; members are private. */
struct hal_record_log {
    struct hal_record_store store; /* hand out &log->store */
    struct hal_record_area *area;
    uint64_t half_size;
    bool loaded;     /* the members below are valid */
    bool fresh;      /* no header was ever written */
    bool doubt;      /* the medium may hold what does not count: a header of the other half, or
                        `strays`; settle first */
    bool unsure;     /* a sync failed: the half that is not in use may not be what reads show */
    uint64_t strays; /* bytes from the tail up to here may be not zero; 0: all are */
    struct hal_record_log_place live;
    unsigned char buf[HAL_RECORD_LOG_RECORD_HEADER + HAL_RECORD_MAX];
};

/**
 * Sets up a log. Does no I/O: an area that holds no log, or a damaged one, shows in load.
 *
 * @param log   log to set up, owned by the caller; ends when its memory does
 * @param area  bytes; must outlive the log, and nothing else may write to them
 * @return      0; -EINVAL if the area has fewer than HAL_RECORD_LOG_AREA_MIN bytes
 *
 * Thread rules: as for every record store, one call at a time.
 */
HAL_MUST_CHECK int hal_record_log_init(struct hal_record_log *log, struct hal_record_area *area);

#endif
