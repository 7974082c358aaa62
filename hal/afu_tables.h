/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that the AFU reads to translate a virtual address: resource handle table (RHT), LUN
 * translation table (LXT), and the ids in the LUN tables of the ports.
 *
 * They are in the order of the table owner (afu_config, MD-8), chosen at run time. Writers never
 * store fields: they pack a whole entry into struct afu_rht_entry and give its words to
 * hal_table_store, in the sequence of SL 8.5. Its words are host numbers whose *memory image* is
 * the entry in the wanted order. Readers copy 16 bytes into the same struct and unpack.
 * The source of each constant stands behind it (SL = docs/spec/sislite.md). */
#ifndef HAL_AFU_TABLES_H
#define HAL_AFU_TABLES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hal/support/endian.h"

#define AFU_RHT_ENTRY_SIZE 16u /* SL 8.1: also the alignment of rht_start */
#define AFU_LXT_ENTRY_SIZE 8u  /* SL 8.1: also the alignment of lxt_start */
#define AFU_NMASK_MIN 16u      /* SL 8.1: chunks of 2^16 blocks; hosts use no other */

/* Permissions, in RHT and LXT entries. */
enum {
    AFU_PERM_NONE = 0,  /* SL 8.1 */
    AFU_PERM_READ = 1,  /* SL 8.1 */
    AFU_PERM_WRITE = 2, /* SL 8.1 */
    AFU_PERM_RW = 3,    /* SL 8.1: also the mask of the field */
};

/** Format of an RHT entry. */
enum afu_rht_format {
    AFU_RHT_FORMAT_VIRTUAL = 0, /* SL 8.1: translated by an LXT */
    AFU_RHT_FORMAT_DIRECT = 1,  /* SL 8.2: a whole LUN */
};

#define AFU_RHT_VALID 0x80u /* SL 8.2: the byte `valid` */

/* Reserved bits in the second half of an entry, whose bytes are a big-endian number here: the bytes
 * `reserved`, and two bits of `fp`. */
#define AFU_RHT_RESERVED_VIRTUAL UINT64_C(0x00000000FFFF0C00) /* SL 8.1 */
#define AFU_RHT_RESERVED_DIRECT UINT64_C(0x00FFFFFFFFFF0C00)  /* SL 8.2 */

/* ---- entries in memory, SL 8.1, 8.2 ---- */

/** Bytes of an RHT entry of format 0. */
struct afu_rht_format0 {
    xe64_t lxt_start;    /* SL 8.1: address of the LXT entries */
    xe32_t lxt_cnt;      /* SL 8.1: valid ones of them */
    uint8_t reserved[2]; /* SL 8.1: 0 */
    uint8_t fp;          /* SL 8.1: format and permissions */
    uint8_t nmask;       /* SL 8.1: a chunk has 2^nmask blocks; 0 = entry free */
};

static_assert(sizeof(struct afu_rht_format0) == 16, "SL 8.1");
static_assert(offsetof(struct afu_rht_format0, lxt_start) == 0x0, "SL 8.1");
static_assert(offsetof(struct afu_rht_format0, lxt_cnt) == 0x8, "SL 8.1");
static_assert(offsetof(struct afu_rht_format0, reserved) == 0xC, "SL 8.1");
static_assert(offsetof(struct afu_rht_format0, fp) == 0xE, "SL 8.1");
static_assert(offsetof(struct afu_rht_format0, nmask) == 0xF, "SL 8.1");

/** Bytes of an RHT entry of format 1. The second half is never swapped. */
struct afu_rht_format1 {
    xe64_t lun_id;       /* SL 8.2 */
    uint8_t valid;       /* SL 8.2: AFU_RHT_VALID or 0 */
    uint8_t reserved[5]; /* SL 8.2: 0 */
    uint8_t fp;          /* SL 8.2: as in format 0 */
    uint8_t port_sel;    /* SL 8.2: mask of ports; 0 = entry free */
};

static_assert(sizeof(struct afu_rht_format1) == 16, "SL 8.2");
static_assert(offsetof(struct afu_rht_format1, lun_id) == 0x0, "SL 8.2");
static_assert(offsetof(struct afu_rht_format1, valid) == 0x8, "SL 8.2");
static_assert(offsetof(struct afu_rht_format1, reserved) == 0x9, "SL 8.2");
static_assert(offsetof(struct afu_rht_format1, fp) == 0xE, "SL 8.2");
static_assert(offsetof(struct afu_rht_format1, port_sel) == 0xF, "SL 8.2");

/** One entry of an RHT, of either format; a table is an array of these. */
struct afu_rht_entry {
    uint64_t word[2]; /* host numbers whose memory image is the entry */
} __attribute__((aligned(16)));

static_assert(sizeof(struct afu_rht_entry) == AFU_RHT_ENTRY_SIZE, "SL 8.1");
static_assert(offsetof(struct afu_rht_entry, word) == 0, "SL 8.1");

/* ---- entries as values ---- */

/** A virtual LUN: what an entry of format 0 says. */
struct afu_rht_virtual {
    uint64_t lxt_start;
    uint32_t lxt_cnt;
    uint8_t permissions; /* AFU_PERM_ */
    uint8_t nmask;
};

/** A whole LUN: what an entry of format 1 says. */
struct afu_rht_direct {
    uint64_t lun_id;
    bool valid;
    uint8_t permissions; /* AFU_PERM_ */
    uint8_t port_sel;
};

/** The byte with format and permissions (SL 8.1). */
static inline uint8_t afu_rht_fp(enum afu_rht_format format, unsigned permissions)
{
    return (uint8_t)((unsigned)format << 4 | (permissions & AFU_PERM_RW));
}

/** The byte `fp` of a clone: it can only lose permissions (SL 8.2). */
static inline uint8_t afu_rht_fp_clone(uint8_t source_fp, unsigned permissions)
{
    return (uint8_t)(source_fp & (0xFCu | (permissions & AFU_PERM_RW)));
}

/** Packs an entry of format 0 for a table owner of order o (SL 8.1). */
static inline struct afu_rht_entry afu_rht_pack_virtual(enum hal_order o,
                                                        const struct afu_rht_virtual *v)
{
    struct afu_rht_format0 f;
    struct afu_rht_entry e;

    memset(&f, 0, sizeof f);
    f.lxt_start = xe64_of(o, v->lxt_start);
    f.lxt_cnt = xe32_of(o, v->lxt_cnt);
    f.fp = afu_rht_fp(AFU_RHT_FORMAT_VIRTUAL, v->permissions);
    f.nmask = v->nmask;
    memcpy(&e, &f, sizeof e);
    return e;
}

/** Packs an entry of format 1 for a table owner of order o (SL 8.2). */
static inline struct afu_rht_entry afu_rht_pack_direct(enum hal_order o,
                                                       const struct afu_rht_direct *d)
{
    struct afu_rht_format1 f;
    struct afu_rht_entry e;

    memset(&f, 0, sizeof f);
    f.lun_id = xe64_of(o, d->lun_id);
    f.valid = d->valid ? AFU_RHT_VALID : 0;
    f.fp = afu_rht_fp(AFU_RHT_FORMAT_DIRECT, d->permissions);
    f.port_sel = d->port_sel;
    memcpy(&e, &f, sizeof e);
    return e;
}

/** The byte `fp` of an entry, in the same place in both formats (SL 8.2). */
static inline uint8_t afu_rht_entry_fp(const struct afu_rht_entry *e)
{
    struct afu_rht_format0 f;

    memcpy(&f, e, sizeof f);
    return f.fp;
}

/** Format of an entry; may be none of enum afu_rht_format (SL 8.2). */
static inline unsigned afu_rht_entry_format(const struct afu_rht_entry *e)
{
    return afu_rht_entry_fp(e) >> 4;
}

/** Permissions of an entry, AFU_PERM_ (SL 8.1). */
static inline unsigned afu_rht_entry_permissions(const struct afu_rht_entry *e)
{
    return afu_rht_entry_fp(e) & AFU_PERM_RW;
}

/** True if the entry is free by the convention of hosts: its last byte is 0 (SL 8.1, 8.2). */
static inline bool afu_rht_entry_free(const struct afu_rht_entry *e)
{
    struct afu_rht_format0 f;

    memcpy(&f, e, sizeof f);
    return f.nmask == 0;
}

/** True if every bit that has no meaning in the entry's format is 0; an entry of a format that does
 * not exist has none. For the strict checker of the model (SL 8.1, 8.2). */
static inline bool afu_rht_entry_reserved_clear(const struct afu_rht_entry *e)
{
    uint64_t half = hal_be64_at(&e->word[1]); /* its bytes in their order */

    switch (afu_rht_entry_format(e)) {
    case AFU_RHT_FORMAT_VIRTUAL:
        return !(half & AFU_RHT_RESERVED_VIRTUAL);
    case AFU_RHT_FORMAT_DIRECT:
        return !(half & AFU_RHT_RESERVED_DIRECT);
    default:
        return false;
    }
}

/** Reads an entry as format 0 (SL 8.1). */
static inline struct afu_rht_virtual afu_rht_unpack_virtual(enum hal_order o,
                                                            const struct afu_rht_entry *e)
{
    struct afu_rht_format0 f;
    struct afu_rht_virtual v;

    memcpy(&f, e, sizeof f);
    v.lxt_start = xe64_get(o, f.lxt_start);
    v.lxt_cnt = xe32_get(o, f.lxt_cnt);
    v.permissions = f.fp & AFU_PERM_RW;
    v.nmask = f.nmask;
    return v;
}

/** Reads an entry as format 1; any value of the valid byte but AFU_RHT_VALID is invalid (SL 8.2).
 */
static inline struct afu_rht_direct afu_rht_unpack_direct(enum hal_order o,
                                                          const struct afu_rht_entry *e)
{
    struct afu_rht_format1 f;
    struct afu_rht_direct d;

    memcpy(&f, e, sizeof f);
    d.lun_id = xe64_get(o, f.lun_id);
    d.valid = f.valid == AFU_RHT_VALID;
    d.permissions = f.fp & AFU_PERM_RW;
    d.port_sel = f.port_sel;
    return d;
}

/* ---- LXT entries, SL 8.3 ---- */

#define AFU_LXT_BASE_SHIFT 16             /* SL 8.3 */
#define AFU_LXT_LUN_INDEX_SHIFT 8         /* SL 8.3 */
#define AFU_LXT_RESERVED UINT64_C(0xC0)   /* SL 8.3: bits 7..6, write 0 */
#define AFU_LXT_PERM_SHIFT 4              /* SL 8.3: read = bit 4, write = bit 5 */
#define AFU_LXT_PORTS_MASK UINT64_C(0x0F) /* SL 8.3 */

/** The number rlba_base of one LXT entry: `base` is the physical LBA of the chunk without its low
 * 16 bits, which is the chunk number when nmask is 16 (SL 8.3). Swap with hal_swap64 and the order
 * of the table owner before storing. */
static inline uint64_t afu_lxt_word(uint64_t base, uint8_t lun_index, unsigned permissions,
                                    unsigned ports)
{
    return base << AFU_LXT_BASE_SHIFT | (uint64_t)lun_index << AFU_LXT_LUN_INDEX_SHIFT |
           (uint64_t)(permissions & AFU_PERM_RW) << AFU_LXT_PERM_SHIFT |
           (ports & AFU_LXT_PORTS_MASK);
}

/** Physical LBA of the chunk without its low 16 bits (SL 8.3). */
static inline uint64_t afu_lxt_base(uint64_t rlba_base) { return rlba_base >> AFU_LXT_BASE_SHIFT; }

/** Index into the LUN tables of the ports (SL 8.3). */
static inline uint8_t afu_lxt_lun_index(uint64_t rlba_base)
{
    return (uint8_t)(rlba_base >> AFU_LXT_LUN_INDEX_SHIFT);
}

/** Permissions, AFU_PERM_ (SL 8.3). */
static inline unsigned afu_lxt_permissions(uint64_t rlba_base)
{
    return (unsigned)(rlba_base >> AFU_LXT_PERM_SHIFT) & AFU_PERM_RW;
}

/** Mask of ports (SL 8.3). */
static inline unsigned afu_lxt_ports(uint64_t rlba_base)
{
    return (unsigned)(rlba_base & AFU_LXT_PORTS_MASK);
}

/** Physical LBA of `vlba` through its LXT entry; any nmask, as it comes from memory (SL 8.4 step
 * 9). */
static inline uint64_t afu_lxt_physical_lba(uint64_t rlba_base, unsigned nmask, uint64_t vlba)
{
    uint64_t low = nmask < 64 ? (UINT64_C(1) << nmask) - 1 : UINT64_MAX;

    return (rlba_base & ~low) | (vlba & low);
}

/* ---- LUN ids, SL 23.9 ---- */

/** The 64-bit id of a SCSI LUN number: two bytes a level, first level in the top 16 bits, low half
 * of the number first (SL 23.9). */
static inline uint64_t afu_lun_id(uint32_t scsi_lun)
{
    return (uint64_t)(scsi_lun & 0xFFFF) << 48 | (uint64_t)(scsi_lun >> 16) << 32;
}

/** The SCSI LUN number of an id whose lower two levels are 0 (SL 23.9). */
static inline uint32_t afu_lun_number(uint64_t lun_id)
{
    return (uint32_t)(lun_id >> 48) | (uint32_t)((lun_id >> 32) & 0xFFFF) << 16;
}

#endif
