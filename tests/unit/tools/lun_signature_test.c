/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: LUNs made of literal bytes, as the formats define them. */
#include "tools/lun_signature.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LUN_BYTES (UINT64_C(16) << 20)

/* A LUN in memory, and which blocks of it were read. */
struct lun {
    uint8_t *bytes;
    uint64_t size;
    uint32_t block_size;
    uint64_t read_bytes;
    int rc; /* of read number `fail`, from 1 */
    unsigned reads, fail;
};

static int lun_read(void *arg, uint64_t lba, uint32_t blocks, void *buffer)
{
    struct lun *l = arg;

    l->reads++;
    if (l->reads == l->fail)
        return l->rc;
    cr_assert_leq((lba + blocks) * l->block_size, l->size);
    memcpy(buffer, l->bytes + lba * l->block_size, (size_t)blocks * l->block_size);
    l->read_bytes += (uint64_t)blocks * l->block_size;
    return 0;
}

static struct lun lun_of(uint64_t size, uint32_t block_size)
{
    struct lun l = {.size = size, .block_size = block_size};

    l.bytes = calloc(1, size);
    cr_assert_not_null(l.bytes);
    return l;
}

static int look(struct lun *l, struct lun_signature_found *out)
{
    struct lun_reader r = {lun_read, l, l->block_size, l->size / l->block_size};

    return lun_signature_find(&r, out);
}

/* One row: these bytes here make the LUN this. From the end where `from_end`. */
struct row {
    const char *name;
    uint64_t offset;
    size_t length;
    const char *bytes;
};

#define ROW(name, offset, bytes)                                                                   \
    {                                                                                              \
        name, offset, sizeof(bytes) - 1, bytes                                                     \
    }

/* Offsets as the documents of the formats have them, on a LUN of 16 MiB (0x1000000). */
static const struct row rows[] = {
    ROW("GPT partition table", 512, "EFI PART"),
    ROW("GPT partition table", 4096, "EFI PART"),
    ROW("backup of a GPT partition table", 0xFFFE00, "EFI PART"),
    ROW("backup of a GPT partition table", 0xFFF000, "EFI PART"),
    ROW("AIX boot record", 0, "\xC9\xC2\xD4\xC1"),
    ROW("AIX physical volume", 7 * 512, "_LVM"),
    ROW("BSD disk label", 512, "\x57\x45\x56\x82"),
    ROW("BSD disk label", 512, "\x82\x56\x45\x57"),
    ROW("Sun disk label", 508, "\xDA\xBE"),
    ROW("Apple partition map", 512, "PM\0\0"),
    ROW("LVM physical volume", 0, "LABELONE"),
    ROW("LVM physical volume", 512, "LABELONE"),
    ROW("LVM physical volume", 1536, "LABELONE"),
    ROW("LVM1 physical volume", 0, "HM\x01\0"),
    ROW("LUKS encrypted volume", 0, "LUKS\xBA\xBE"),
    ROW("LUKS encrypted volume", 16384, "SKUL\xBA\xBE"),
    ROW("LUKS encrypted volume", 32768, "SKUL\xBA\xBE"),
    ROW("LUKS encrypted volume", 65536, "SKUL\xBA\xBE"),
    ROW("LUKS encrypted volume", 131072, "SKUL\xBA\xBE"),
    ROW("LUKS encrypted volume", 262144, "SKUL\xBA\xBE"),
    ROW("LUKS encrypted volume", 524288, "SKUL\xBA\xBE"),
    ROW("BitLocker volume", 3, "-FVE-FS-"),
    ROW("member of a Linux RAID (1.1)", 0, "\xFC\x4E\x2B\xA9"),
    ROW("member of a Linux RAID (1.2)", 4096, "\xFC\x4E\x2B\xA9"),
    ROW("member of a Linux RAID (1.0)", 0xFFE000, "\xFC\x4E\x2B\xA9"),
    ROW("member of a Linux RAID (0.90)", 0xFF0000, "\xFC\x4E\x2B\xA9"),
    ROW("member of a Linux RAID (0.90)", 0xFF0000, "\xA9\x2B\x4E\xFC"),
    ROW("bcache device", 4096 + 24,
        "\xC6\x85\x73\xF6\x4E\x1A\x45\xCA\x82\x65\xF5\x7F\x48\xBA\x6D\x81"),
    ROW("Ceph device", 0, "bluestore block device"),
    ROW("Oracle ASM disk", 32, "ORCLDISK"),
    ROW("ZFS pool", 128 << 10, "\x0C\xB1\xBA\0\0\0\0\0"),
    ROW("ZFS pool", 255 << 10, "\0\0\0\0\0\xBA\xB1\x0C"),
    ROW("ZFS pool", 384 << 10, "\x0C\xB1\xBA\0\0\0\0\0"),
    ROW("ZFS pool", 511 << 10, "\0\0\0\0\0\xBA\xB1\x0C"),
    ROW("ZFS pool", 0xFA0000, "\x0C\xB1\xBA\0\0\0\0\0"),
    ROW("ZFS pool", 0xFBFC00, "\0\0\0\0\0\xBA\xB1\x0C"),
    ROW("ZFS pool", 0xFE0000, "\x0C\xB1\xBA\0\0\0\0\0"),
    ROW("ZFS pool", 0xFFFC00, "\0\0\0\0\0\xBA\xB1\x0C"),
    ROW("ext2, ext3 or ext4 file system", 1024 + 56, "\x53\xEF"),
    ROW("XFS file system", 0, "XFSB"),
    ROW("btrfs file system", 65536 + 64, "_BHRfS_M"),
    ROW("JFS file system", 32768, "JFS1"),
    ROW("reiserfs file system", 65536 + 52, "ReIsErFs"),
    ROW("reiserfs file system", 65536 + 52, "ReIsEr2Fs"),
    ROW("reiserfs file system", 65536 + 52, "ReIsEr3Fs"),
    ROW("reiserfs file system", 8192 + 52, "ReIsErFs"),
    ROW("reiser4 file system", 65536, "ReIsEr4"),
    ROW("f2fs file system", 1024, "\x10\x20\xF5\xF2"),
    ROW("ISO 9660 file system", 16 * 2048 + 1, "CD001"),
    ROW("UDF file system", 16 * 2048 + 1, "BEA01"),
    ROW("UDF file system", 17 * 2048 + 1, "NSR02"),
    ROW("UDF file system", 17 * 2048 + 1, "NSR03"),
    ROW("NTFS file system", 3, "NTFS    "),
    ROW("exFAT file system", 3, "EXFAT   "),
    ROW("FAT file system", 54, "FAT12   "),
    ROW("FAT file system", 54, "FAT16   "),
    ROW("FAT file system", 82, "FAT32   "),
    ROW("swap space", 4096 - 10, "SWAP-SPACE"),
    ROW("swap space", 4096 - 10, "SWAPSPACE2"),
    ROW("swap space", 8192 - 10, "SWAPSPACE2"),
    ROW("swap space", 16384 - 10, "SWAPSPACE2"),
    ROW("swap space", 32768 - 10, "SWAPSPACE2"),
    ROW("swap space", 65536 - 10, "SWAPSPACE2"),
    ROW("hibernated system", 4096 - 10, "S1SUSPEND"),
    ROW("hibernated system", 65536 - 10, "S1SUSPEND"),
    ROW("MBR partition table or boot sector", 510, "\x55\xAA"),
};

Test(lun_signature, every_row)
{
    struct lun_signature_found found;
    struct lun l = lun_of(LUN_BYTES, 4096);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];

        memcpy(l.bytes + r->offset, r->bytes, r->length);
        cr_assert_eq(look(&l, &found), 1, "%s at %llu", r->name, (unsigned long long)r->offset);
        cr_assert_str_eq(found.signature->name, r->name);
        cr_assert_eq(found.offset, r->offset, "%s at %llu", r->name,
                     (unsigned long long)found.offset);
        l.bytes[r->offset] ^= 0x20; /* one bit less is nothing */
        cr_assert_eq(look(&l, &found), 0, "%s at %llu", r->name, (unsigned long long)r->offset);
        memset(l.bytes + r->offset, 0, r->length);
    }
    free(l.bytes);
}

/* Nothing is in the table that the rows above do not have. */
Test(lun_signature, every_entry_has_a_row)
{
    for (size_t i = 0; i < lun_signature_count; i++) {
        const struct lun_signature *s = &lun_signature_table[i];
        bool tested = false;

        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            tested |= !strcmp(s->name, rows[k].name) && s->length <= rows[k].length &&
                      !memcmp(s->bytes, rows[k].bytes, s->length);
        cr_assert(tested, "%s", s->name);
    }
}

Test(lun_signature, what_is_not_there)
{
    struct lun_signature_found found;
    struct lun l = lun_of(LUN_BYTES, 512);

    cr_assert_eq(look(&l, &found), 0, "zeros");
    cr_assert_eq(l.read_bytes, UINT64_C(2) << 20, "a MiB at each end");
    memset(l.bytes, 0xFF, LUN_BYTES);
    cr_assert_eq(look(&l, &found), 0, "ones");
    memcpy(l.bytes + 513, "EFI PART", 8);
    cr_assert_eq(look(&l, &found), 0, "a byte aside");
    memcpy(l.bytes + (8 << 20) + 512, "EFI PART", 8);
    cr_assert_eq(look(&l, &found), 0, "in the middle of the LUN is data");
    memcpy(l.bytes + 2048, "LABELONE", 8);
    cr_assert_eq(look(&l, &found), 0, "behind the four sectors of LVM");
    memcpy(l.bytes + 131072 + 512, "\x0C\xB1\xBA\0\0\0\0\0", 8);
    cr_assert_eq(look(&l, &found), 0, "between two uberblocks");
    free(l.bytes);
}

/* Capacities that are no multiple of what the formats align to. */
Test(lun_signature, ends_that_are_not_round)
{
    struct lun_signature_found found;
    struct lun l = lun_of(LUN_BYTES + 3 * 65536 + 21 * 512, 512); /* 0x1032A00 */

    memcpy(l.bytes + 0x1030000, "\xFC\x4E\x2B\xA9", 4);
    cr_assert_eq(look(&l, &found), 1);
    cr_assert_str_eq(found.signature->name, "member of a Linux RAID (1.0)");
    memset(l.bytes + 0x1030000, 0, 4);

    memcpy(l.bytes + 0x1020000, "\xFC\x4E\x2B\xA9", 4);
    cr_assert_eq(look(&l, &found), 1);
    cr_assert_str_eq(found.signature->name, "member of a Linux RAID (0.90)");
    memset(l.bytes + 0x1020000, 0, 4);

    memcpy(l.bytes + 0x1000000 - 131072, "\x0C\xB1\xBA\0\0\0\0\0", 8);
    cr_assert_eq(look(&l, &found), 1);
    cr_assert_str_eq(found.signature->name, "ZFS pool");
    memset(l.bytes + 0x1000000 - 131072, 0, 8);

    memcpy(l.bytes + 0x1032A00 - 512, "EFI PART", 8);
    cr_assert_eq(look(&l, &found), 1);
    cr_assert_eq(found.offset, 0x1032A00 - 512);
    free(l.bytes);
}

/* A partition table says more than what shows through from its first partition. */
Test(lun_signature, the_outermost_one_is_told)
{
    struct lun_signature_found found;
    struct lun l = lun_of(LUN_BYTES, 4096);

    memcpy(l.bytes + 510, "\x55\xAA", 2);
    memcpy(l.bytes + 1080, "\x53\xEF", 2);
    memcpy(l.bytes + 512, "EFI PART", 8);
    cr_assert_eq(look(&l, &found), 1);
    cr_assert_str_eq(found.signature->name, "GPT partition table");
    memset(l.bytes + 512, 0, 8);
    cr_assert_eq(look(&l, &found), 1);
    cr_assert_str_eq(found.signature->name, "ext2, ext3 or ext4 file system");
    free(l.bytes);
}

Test(lun_signature, small_luns)
{
    struct lun_signature_found found;

    for (uint64_t blocks = 1; blocks < 200; blocks++) {
        struct lun l = lun_of(blocks * 512, 512);

        cr_assert_eq(look(&l, &found), 0);
        memcpy(l.bytes + l.size - 512, "EFI PART", 8);
        cr_assert_eq(look(&l, &found), 1, "%llu blocks", (unsigned long long)blocks);
        free(l.bytes);
    }
}

Test(lun_signature, what_cannot_be_read)
{
    static const struct {
        uint32_t block_size;
        uint64_t blocks;
    } wrong[] = {{256, 100}, {0, 100}, {768, 100}, {131072, 100}, {512, 0}, {4096, UINT64_MAX}};
    struct lun_signature_found found;
    struct lun l = lun_of(LUN_BYTES, 4096);

    l.rc = -EIO;
    for (unsigned fail = 1; fail <= 2; fail++) {
        l.reads = 0;
        l.fail = fail;
        cr_assert_eq(look(&l, &found), -EIO);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct lun_reader r = {lun_read, &l, wrong[i].block_size, wrong[i].blocks};

        cr_assert_eq(lun_signature_find(&r, &found), -EINVAL);
    }
    free(l.bytes);
}
