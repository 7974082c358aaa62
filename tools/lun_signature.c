/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lun_signature.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"

#define BLOCK_MIN 512u
#define BLOCK_MAX 65536u

#define AT(name, offset, bytes)                                                                    \
    {                                                                                              \
        name, LUN_SIGNATURE_START, offset, 0, 0, sizeof(bytes) - 1, bytes                          \
    }
#define AT_END(name, anchor, offset, bytes)                                                        \
    {                                                                                              \
        name, anchor, offset, 0, 0, sizeof(bytes) - 1, bytes                                       \
    }
#define EVERY(name, anchor, offset, step, count, bytes)                                            \
    {                                                                                              \
        name, anchor, offset, step, count, sizeof(bytes) - 1, bytes                                \
    }

#define ZFS_LITTLE "\x0C\xB1\xBA\0\0\0\0\0"
#define ZFS_BIG "\0\0\0\0\0\xBA\xB1\x0C"
#define ZFS_RING 131072 /* of uberblocks in a label of 256 KiB */
#define ZFS_STEP 1024
#define ZFS_SLOTS 128

/* Partition tables first: what lies in their partitions may show through. Structures in the byte
 * order of a host have two rows. */
const struct lun_signature lun_signature_table[] = {
    AT("GPT partition table", 512, "EFI PART"),
    AT("GPT partition table", 4096, "EFI PART"),
    AT_END("backup of a GPT partition table", LUN_SIGNATURE_END, 512, "EFI PART"),
    AT_END("backup of a GPT partition table", LUN_SIGNATURE_END, 4096, "EFI PART"),
    AT("AIX boot record", 0, "\xC9\xC2\xD4\xC1"), /* "IBMA" in EBCDIC */
    AT("AIX physical volume", 3584, "_LVM"),
    AT("BSD disk label", 512, "\x57\x45\x56\x82"),
    AT("BSD disk label", 512, "\x82\x56\x45\x57"),
    AT("Sun disk label", 508, "\xDA\xBE"),
    AT("Apple partition map", 512, "PM\0\0"),

    EVERY("LVM physical volume", LUN_SIGNATURE_START, 0, 512, 4, "LABELONE"),
    AT("LVM1 physical volume", 0, "HM\x01\0"),
    AT("LUKS encrypted volume", 0, "LUKS\xBA\xBE"),
    AT("LUKS encrypted volume", 0x4000, "SKUL\xBA\xBE"), /* second header, by size of the first */
    AT("LUKS encrypted volume", 0x8000, "SKUL\xBA\xBE"),
    AT("LUKS encrypted volume", 0x10000, "SKUL\xBA\xBE"),
    AT("LUKS encrypted volume", 0x20000, "SKUL\xBA\xBE"),
    AT("LUKS encrypted volume", 0x40000, "SKUL\xBA\xBE"),
    AT("LUKS encrypted volume", 0x80000, "SKUL\xBA\xBE"),
    AT("BitLocker volume", 3, "-FVE-FS-"),
    AT("member of a Linux RAID (1.1)", 0, "\xFC\x4E\x2B\xA9"),
    AT("member of a Linux RAID (1.2)", 4096, "\xFC\x4E\x2B\xA9"),
    AT_END("member of a Linux RAID (1.0)", LUN_SIGNATURE_END_4K, 8192, "\xFC\x4E\x2B\xA9"),
    AT_END("member of a Linux RAID (0.90)", LUN_SIGNATURE_END_64K, 65536, "\xFC\x4E\x2B\xA9"),
    AT_END("member of a Linux RAID (0.90)", LUN_SIGNATURE_END_64K, 65536, "\xA9\x2B\x4E\xFC"),
    AT("bcache device", 4120, "\xC6\x85\x73\xF6\x4E\x1A\x45\xCA\x82\x65\xF5\x7F\x48\xBA\x6D\x81"),
    AT("Ceph device", 0, "bluestore block device"),
    AT("Oracle ASM disk", 32, "ORCLDISK"),

    /* every uberblock of the two labels at each end */
    EVERY("ZFS pool", LUN_SIGNATURE_START, ZFS_RING, ZFS_STEP, ZFS_SLOTS, ZFS_LITTLE),
    EVERY("ZFS pool", LUN_SIGNATURE_START, ZFS_RING, ZFS_STEP, ZFS_SLOTS, ZFS_BIG),
    EVERY("ZFS pool", LUN_SIGNATURE_START, 262144 + ZFS_RING, ZFS_STEP, ZFS_SLOTS, ZFS_LITTLE),
    EVERY("ZFS pool", LUN_SIGNATURE_START, 262144 + ZFS_RING, ZFS_STEP, ZFS_SLOTS, ZFS_BIG),
    EVERY("ZFS pool", LUN_SIGNATURE_END_256K, 524288 - ZFS_RING, ZFS_STEP, ZFS_SLOTS, ZFS_LITTLE),
    EVERY("ZFS pool", LUN_SIGNATURE_END_256K, 524288 - ZFS_RING, ZFS_STEP, ZFS_SLOTS, ZFS_BIG),
    EVERY("ZFS pool", LUN_SIGNATURE_END_256K, 262144 - ZFS_RING, ZFS_STEP, ZFS_SLOTS, ZFS_LITTLE),
    EVERY("ZFS pool", LUN_SIGNATURE_END_256K, 262144 - ZFS_RING, ZFS_STEP, ZFS_SLOTS, ZFS_BIG),

    AT("ext2, ext3 or ext4 file system", 1080, "\x53\xEF"),
    AT("XFS file system", 0, "XFSB"),
    AT("btrfs file system", 65600, "_BHRfS_M"),
    AT("JFS file system", 32768, "JFS1"),
    AT("reiserfs file system", 65588, "ReIsEr"), /* ReIsErFs, ReIsEr2Fs, ReIsEr3Fs */
    AT("reiserfs file system", 8244, "ReIsErFs"),
    AT("reiser4 file system", 65536, "ReIsEr4"),
    AT("f2fs file system", 1024, "\x10\x20\xF5\xF2"),
    AT("ISO 9660 file system", 32769, "CD001"),
    AT("UDF file system", 32769, "BEA01"),
    AT("UDF file system", 34817, "NSR0"), /* NSR02, NSR03 */
    AT("NTFS file system", 3, "NTFS    "),
    AT("exFAT file system", 3, "EXFAT   "),
    AT("FAT file system", 54, "FAT1"), /* FAT12, FAT16 */
    AT("FAT file system", 82, "FAT32"),
    AT("swap space", 4086, "SWAP-SPACE"), /* at the end of the first page, by its size */
    AT("swap space", 4086, "SWAPSPACE2"),
    AT("swap space", 8182, "SWAPSPACE2"),
    AT("swap space", 16374, "SWAPSPACE2"),
    AT("swap space", 32758, "SWAPSPACE2"),
    AT("swap space", 65526, "SWAPSPACE2"),
    AT("hibernated system", 4086, "S1SUSPEND"),
    AT("hibernated system", 65526, "S1SUSPEND"),

    /* Last: boot sectors of file systems end like it. Also one without entries is somebody's. */
    AT("MBR partition table or boot sector", 510, "\x55\xAA"),
};
const size_t lun_signature_count = HAL_ARRAY_LENGTH(lun_signature_table);

/* One end of the LUN in memory. */
struct window {
    uint64_t start; /* byte of the LUN */
    size_t size;
    uint8_t *bytes;
};

static int fill(const struct lun_reader *r, uint64_t start, uint64_t size, struct window *w)
{
    w->start = start;
    w->size = (size_t)size;
    w->bytes = malloc(w->size);
    if (!w->bytes)
        return -ENOMEM;
    return r->read(r->arg, start / r->block_size, (uint32_t)(size / r->block_size), w->bytes);
}

/* First byte of a signature; false if the LUN is too small for it. */
static bool place(const struct lun_signature *s, uint64_t lun_size, uint64_t *out)
{
    static const uint64_t unit[] = {[LUN_SIGNATURE_END] = 1,
                                    [LUN_SIGNATURE_END_4K] = 4096,
                                    [LUN_SIGNATURE_END_64K] = 65536,
                                    [LUN_SIGNATURE_END_256K] = 262144};
    uint64_t end;

    *out = s->offset;
    if (s->anchor == LUN_SIGNATURE_START)
        return true;
    end = lun_size / unit[s->anchor] * unit[s->anchor];
    *out = end - s->offset;
    return s->offset <= end;
}

static bool matches(const struct window *w, const struct lun_signature *s, uint64_t at)
{
    return at >= w->start && at - w->start <= w->size && s->length <= w->size - (at - w->start) &&
           !memcmp(w->bytes + (at - w->start), s->bytes, s->length);
}

static bool find_one(const struct window *w, const struct lun_signature *s, uint64_t lun_size,
                     uint64_t *at)
{
    if (!place(s, lun_size, at))
        return false;
    for (uint32_t i = 0; i < (s->count ? s->count : 1); i++, *at += s->step)
        if (matches(&w[0], s, *at) || matches(&w[1], s, *at))
            return true;
    return false;
}

static int search(const struct window *w, uint64_t lun_size, struct lun_signature_found *out)
{
    for (size_t i = 0; i < lun_signature_count; i++)
        if (find_one(w, &lun_signature_table[i], lun_size, &out->offset)) {
            out->signature = &lun_signature_table[i];
            return 1;
        }
    return 0;
}

int lun_signature_find(const struct lun_reader *reader, struct lun_signature_found *out)
{
    struct window w[2] = {{0}};
    uint32_t block = reader->block_size;
    uint64_t size, window;
    int rc;

    if (block < BLOCK_MIN || block > BLOCK_MAX || block & (block - 1) || !reader->blocks ||
        reader->blocks > UINT64_MAX / block)
        return -EINVAL;
    size = reader->blocks * block;
    window = hal_min64(size, LUN_SIGNATURE_WINDOW);
    rc = fill(reader, 0, window, &w[0]);
    if (!rc)
        rc = fill(reader, size - window, window, &w[1]);
    if (!rc)
        rc = search(w, size, out);
    free(w[0].bytes);
    free(w[1].bytes);
    return rc;
}
