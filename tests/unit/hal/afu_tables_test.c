/* Translation tables, pinned with the worked examples of docs/spec/sislite.md 23.4, 23.5, 23.9. */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/afu_tables.h"
#include "tests/testlib/proves.h"

static const struct afu_rht_virtual three_chunks = {
    .lxt_start = UINT64_C(0x7FFF30000000), .lxt_cnt = 3, .permissions = AFU_PERM_RW, .nmask = 16};
static const struct afu_rht_direct lun_1 = {.lun_id = UINT64_C(0x0001000000000000),
                                            .valid = true,
                                            .permissions = AFU_PERM_RW,
                                            .port_sel = 0x1};

/* SL 23.5, first row. */
static const uint8_t virtual_bytes[2][16] = {
    [HAL_ORDER_BIG] = {0x00, 0x00, 0x7f, 0xff, 0x30, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00,
                       0x00, 0x03, 0x10},
    [HAL_ORDER_LITTLE] = {0x00, 0x00, 0x00, 0x30, 0xff, 0x7f, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
                          0x00, 0x00, 0x03, 0x10},
};

/* SL 23.5, second row. */
static const uint8_t direct_bytes[2][16] = {
    [HAL_ORDER_BIG] = {0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00,
                       0x00, 0x13, 0x01},
    [HAL_ORDER_LITTLE] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00,
                          0x00, 0x00, 0x13, 0x01},
};

/* Stores the words one by one, as hal_table_store does. */
static void assert_image(const struct afu_rht_entry *e, const uint8_t want[16])
{
    uint64_t memory[2] = {e->word[0], e->word[1]};
    uint8_t bytes[16];

    memcpy(bytes, memory, sizeof bytes);
    for (unsigned i = 0; i < 16; i++)
        cr_assert_eq(bytes[i], want[i], "byte %u is %02x, not %02x", i, bytes[i], want[i]);
}

Test(afu_tables, virtual_entry_of_section_23_5)
{
    for (enum hal_order o = HAL_ORDER_LITTLE; o <= HAL_ORDER_BIG; o++) {
        struct afu_rht_entry e = afu_rht_pack_virtual(o, &three_chunks);
        struct afu_rht_virtual v = afu_rht_unpack_virtual(o, &e);

        assert_image(&e, virtual_bytes[o]);
        cr_assert_eq(v.lxt_start, three_chunks.lxt_start);
        cr_assert_eq(v.lxt_cnt, 3);
        cr_assert_eq(v.permissions, AFU_PERM_RW);
        cr_assert_eq(v.nmask, 16);
        cr_assert_eq(afu_rht_entry_format(&e), AFU_RHT_FORMAT_VIRTUAL);
        cr_assert_eq(afu_rht_entry_fp(&e), 0x03);
    }
    PROVES(SL_8_1);
    PROVES(SL_23_5);
}

Test(afu_tables, direct_entry_of_section_23_5)
{
    for (enum hal_order o = HAL_ORDER_LITTLE; o <= HAL_ORDER_BIG; o++) {
        struct afu_rht_entry e = afu_rht_pack_direct(o, &lun_1);
        struct afu_rht_direct d = afu_rht_unpack_direct(o, &e);

        assert_image(&e, direct_bytes[o]);
        cr_assert_eq(d.lun_id, lun_1.lun_id);
        cr_assert(d.valid);
        cr_assert_eq(d.permissions, AFU_PERM_RW);
        cr_assert_eq(d.port_sel, 1);
        cr_assert_eq(afu_rht_entry_format(&e), AFU_RHT_FORMAT_DIRECT);
        cr_assert_eq(afu_rht_entry_fp(&e), 0x13);
    }
    PROVES(SL_8_2);
    PROVES(SL_23_5);
}

/* The second half of a format-1 entry is bytes: one store makes it valid, in either order. */
Test(afu_tables, direct_second_half_is_not_swapped)
{
    struct afu_rht_entry big = afu_rht_pack_direct(HAL_ORDER_BIG, &lun_1);
    struct afu_rht_entry little = afu_rht_pack_direct(HAL_ORDER_LITTLE, &lun_1);

    cr_assert_eq(big.word[1], little.word[1]);
    cr_assert_neq(big.word[0], little.word[0]);
    PROVES(SL_8_2);
}

Test(afu_tables, invalid_direct_entry)
{
    struct afu_rht_direct d = lun_1;
    struct afu_rht_entry e;

    d.valid = false;
    d.permissions = AFU_PERM_READ;
    e = afu_rht_pack_direct(HAL_ORDER_HOST, &d);
    cr_assert_eq(((uint8_t *)e.word)[8], 0);
    d = afu_rht_unpack_direct(HAL_ORDER_HOST, &e);
    cr_assert_not(d.valid);
    cr_assert_eq(d.permissions, AFU_PERM_READ);
    ((uint8_t *)e.word)[8] = 0x40;
    d = afu_rht_unpack_direct(HAL_ORDER_HOST, &e);
    cr_assert_not(d.valid, "only 0x80 is valid (SL 8.2)");
}

Test(afu_tables, free_entry_has_last_byte_0)
{
    struct afu_rht_entry e = {{0, 0}};

    cr_assert(afu_rht_entry_free(&e));
    ((uint8_t *)e.word)[14] = 0x03;
    cr_assert(afu_rht_entry_free(&e));
    ((uint8_t *)e.word)[15] = 0x10;
    cr_assert_not(afu_rht_entry_free(&e));
}

/* Bytes that must be 0: 12 and 13 in format 0, 9 to 13 in format 1, bits 3..2 of fp in both. */
Test(afu_tables, reserved_bits)
{
    for (unsigned byte = 0; byte < 16; byte++) {
        struct afu_rht_entry v = afu_rht_pack_virtual(HAL_ORDER_HOST, &three_chunks);
        struct afu_rht_entry d = afu_rht_pack_direct(HAL_ORDER_HOST, &lun_1);

        ((uint8_t *)v.word)[byte] ^= 0x01;
        ((uint8_t *)d.word)[byte] ^= 0x01;
        cr_assert_eq(afu_rht_entry_reserved_clear(&v), byte < 12 || byte > 13, "byte %u", byte);
        cr_assert_eq(afu_rht_entry_reserved_clear(&d), byte < 9 || byte > 13, "byte %u", byte);
    }
    for (unsigned bit = 0; bit < 8; bit++) {
        struct afu_rht_entry v = afu_rht_pack_virtual(HAL_ORDER_HOST, &three_chunks);

        ((uint8_t *)v.word)[14] ^= (uint8_t)(1u << bit);
        if (bit != 4) /* bit 4 makes it format 1, where the count stands in reserved bytes */
            cr_assert_eq(afu_rht_entry_reserved_clear(&v), bit < 2, "bit %u", bit);
    }
}

/* SL 8.2: new fp = source fp AND (0xFC OR requested). */
Test(afu_tables, clone_only_loses_permissions)
{
    for (unsigned source = 0; source < 4; source++)
        for (unsigned wanted = 0; wanted < 4; wanted++) {
            cr_assert_eq(afu_rht_fp_clone((uint8_t)(0x10 | source), wanted),
                         0x10 | (source & wanted));
            cr_assert_eq(afu_rht_fp_clone((uint8_t)source, wanted), source & wanted);
        }
    PROVES(SL_8_2);
}

static const uint64_t lxt[] = {UINT64_C(0x0000000001000133), UINT64_C(0x0000000000420133),
                               UINT64_C(0x000000007FF30133)};

Test(afu_tables, lxt_words_of_section_23_4)
{
    static const uint64_t chunk[] = {0x100, 0x42, 0x7FF3};
    static const uint8_t bytes[2][8] = {
        [HAL_ORDER_BIG] = {0x00, 0x00, 0x00, 0x00, 0x7f, 0xf3, 0x01, 0x33},
        [HAL_ORDER_LITTLE] = {0x33, 0x01, 0xf3, 0x7f, 0x00, 0x00, 0x00, 0x00},
    };

    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(afu_lxt_word(chunk[i], 1, AFU_PERM_RW, 0x3), lxt[i]);
        cr_assert_eq(afu_lxt_base(lxt[i]), chunk[i]);
        cr_assert_eq(afu_lxt_lun_index(lxt[i]), 1);
        cr_assert_eq(afu_lxt_permissions(lxt[i]), AFU_PERM_RW);
        cr_assert_eq(afu_lxt_ports(lxt[i]), 0x3);
    }
    for (enum hal_order o = HAL_ORDER_LITTLE; o <= HAL_ORDER_BIG; o++) {
        uint64_t memory = hal_swap64(o, lxt[2]);

        cr_assert_eq(memcmp(&memory, bytes[o], 8), 0);
    }
    PROVES(SL_8_3);
    PROVES(SL_23_4);
}

Test(afu_tables, lxt_fields_do_not_overlap)
{
    cr_assert_eq(afu_lxt_word(0xFFFFFFFFFFFF, 0, 0, 0), UINT64_C(0xFFFFFFFFFFFF0000));
    cr_assert_eq(afu_lxt_word(0, 0xFF, 0, 0), 0xFF00);
    cr_assert_eq(afu_lxt_word(0, 0, AFU_PERM_WRITE, 0), 0x20);
    cr_assert_eq(afu_lxt_word(0, 0, AFU_PERM_READ, 0), 0x10);
    cr_assert_eq(afu_lxt_word(0, 0, 0, 0xF), 0x0F);
    cr_assert_eq(afu_lxt_word(0, 0, ~0u, ~0u), 0x3F, "bits 7..6 stay 0");
    cr_assert_eq(AFU_LXT_RESERVED, 0xC0);
}

Test(afu_tables, physical_lba_of_section_23_4)
{
    static const struct {
        uint64_t vlba, index, lba;
    } rows[] = {
        {0x00000, 0, 0x1000000}, {0x0FFFF, 0, 0x100FFFF},  {0x10000, 1, 0x0420000},
        {0x1BEEF, 1, 0x042BEEF}, {0x2ABCD, 2, 0x7FF3ABCD},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(rows[i].vlba >> AFU_NMASK_MIN, rows[i].index);
        cr_assert_eq(afu_lxt_physical_lba(lxt[rows[i].index], AFU_NMASK_MIN, rows[i].vlba),
                     rows[i].lba, "row %zu", i);
    }
    PROVES(SL_23_4);
}

/* nmask is a byte of memory: no value may be undefined behaviour. */
Test(afu_tables, physical_lba_of_any_nmask)
{
    cr_assert_eq(afu_lxt_physical_lba(UINT64_MAX, 0, 5), UINT64_MAX);
    cr_assert_eq(afu_lxt_physical_lba(UINT64_MAX, 63, 5), UINT64_C(0x8000000000000005));
    cr_assert_eq(afu_lxt_physical_lba(UINT64_MAX, 64, 5), 5);
    cr_assert_eq(afu_lxt_physical_lba(UINT64_MAX, 255, 5), 5);
}

Test(afu_tables, lun_ids_of_section_23_9)
{
    static const struct {
        uint32_t number;
        uint64_t id;
    } rows[] = {
        {0, UINT64_C(0x0000000000000000)},      {1, UINT64_C(0x0001000000000000)},
        {255, UINT64_C(0x00FF000000000000)},    {256, UINT64_C(0x0100000000000000)},
        {0x4001, UINT64_C(0x4001000000000000)}, {0x12345678, UINT64_C(0x5678123400000000)},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(afu_lun_id(rows[i].number), rows[i].id, "row %zu", i);
        cr_assert_eq(afu_lun_number(rows[i].id), rows[i].number, "row %zu", i);
    }
    PROVES(SL_23_9);
}

Test(afu_tables, sizes_of_section_8)
{
    cr_assert_eq(AFU_RHT_ENTRY_SIZE, 16);
    cr_assert_eq(AFU_LXT_ENTRY_SIZE, 8);
    cr_assert_eq(AFU_NMASK_MIN, 16);
    cr_assert_eq(AFU_RHT_VALID, 0x80);
    cr_assert_eq(AFU_PERM_NONE, 0);
    cr_assert_eq(afu_rht_fp(AFU_RHT_FORMAT_DIRECT, AFU_PERM_WRITE), 0x12);
}
