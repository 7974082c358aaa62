/* SPDX-License-Identifier: Apache-2.0 */
/* Random tables and commands against SL 8.4, 18 and written down once more: what every
 * READ, WRITE and WRITE SAME by a handle ends with, whatever stands in RHT and LXT. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/testlib/model.h"
#include "tests/testlib/test_seed.h"

#define ROUNDS 20000
#define HANDLE 3
#define WORDS 64
#define DATA (17u << 20)
#define CAPACITY (4 * UINT64_C(65536) + 100) /* of both LUNs (tests/testlib/model.c) */
#define MIB16 (UINT64_C(16) << 20)
#define LOST 0xFFFFFFFFu /* the bus has said no */

static struct model *m;
static struct model_ctx user;
static struct hal_prng prng;
static uint8_t *data;

static uint64_t below(uint64_t n) { return hal_prng_below(&prng, n); }

static bool one_in(uint64_t n) { return below(n) == 0; }

static uint64_t pick(const uint64_t *of, size_t n) { return of[below(n)]; }

#define PICK(...) pick((const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

/* A command and all that it depends on, as numbers. */
struct round {
    bool direct, unknown, valid, write, flag, ndob; /* unknown: of a format that does not exist */
    unsigned perm, nmask, ports, selected;
    uint64_t lun, lxt_at, count, lba, blocks, bytes;
    uint64_t word[WORDS];
    uint8_t opcode;
};

/* ---- the expected end -------------------------------------------------------------------------
 */

static uint32_t afu(uint8_t code) { return (uint32_t)code << 16; }

static const uint32_t check_condition = 0x0200;

static uint64_t block_bytes(uint64_t lun) { return lun == 1 ? 512 : 4096; }

static bool same(const struct round *r) { return r->opcode == 0x93; }

/* What the device says to a piece of the range, with so many bytes of buffer. */
static uint32_t device(const struct round *r, uint64_t lun, uint64_t lba, uint64_t blocks,
                       uint64_t offered)
{
    uint64_t size = block_bytes(lun);
    uint64_t wanted = !same(r) ? blocks * size : r->ndob ? 0 : size;

    if (lun > 1 || (same(r) && !blocks) || lba > CAPACITY || blocks > CAPACITY - lba)
        return check_condition;
    if (wanted && offered && r->flag != r->write)
        return afu(0x62) | 0x58;
    return wanted > offered ? check_condition : 0;
}

static bool too_long(const struct round *r, uint64_t size)
{
    return !same(r) && (r->blocks * size > MIB16 || r->bytes > MIB16);
}

static uint32_t end_direct(const struct round *r)
{
    if (too_long(r, block_bytes(r->lun)))
        return afu(0x13);
    if (!(r->ports & r->selected))
        return afu(0x20);
    return device(r, r->lun, r->lba, r->blocks, r->bytes);
}

static unsigned word_lun(uint64_t word) { return (word >> 8 & 0xFF) == 1; } /* slots 0, 1, unused */

/* So many pieces of a range, the first of them in chunk `first`; *lba and *left go on. */
static uint32_t end_pieces(const struct round *r, uint64_t first, uint64_t pieces, uint64_t *lba,
                           uint64_t *left)
{
    uint64_t chunk = UINT64_C(1) << r->nmask, bytes = r->bytes;

    for (uint64_t i = 0; i < pieces; i++) {
        uint64_t word = r->word[first + i], n = hal_min64(*left, chunk - *lba % chunk);
        uint64_t physical = word / chunk * chunk + *lba % chunk;
        uint64_t part =
            i + 1 == pieces || same(r) ? bytes : hal_min64(bytes, n * block_bytes(word_lun(word)));
        uint32_t end = device(r, word_lun(word), physical, n, part);

        if (end)
            return end;
        *lba += n;
        *left -= n;
        bytes -= same(r) ? 0 : part;
    }
    return 0;
}

/* R-12, for the LUN of the first word; words for no port of the card name none. */
static bool too_long_for(const struct round *r, uint64_t word)
{
    uint64_t size = r->ports & 3 ? block_bytes(word_lun(word)) : 0;

    return too_long(r, size) ||
           (size && !same(r) && r->blocks > 1 && (r->blocks - 1) * size >= r->bytes);
}

/* What of the range is left, two chunks at a time; only WRITE SAME has more than two. */
static uint32_t end_range(const struct round *r, unsigned needed, uint64_t *lba, uint64_t *left)
{
    uint64_t first = *lba >> r->nmask;
    uint64_t last = (*lba + (*left ? *left : 1) - 1) >> r->nmask;
    uint64_t pieces = hal_min64(last - first + 1, 2);

    if (last >= r->count)
        return afu(0x13);
    if (r->lxt_at % 8)
        return afu(0x12);
    if (r->lxt_at == 0x1000)
        return afu(0x14);
    if (too_long_for(r, r->word[first]))
        return afu(0x13);
    for (uint64_t i = 0; i < pieces; i++)
        if (((r->perm & r->word[first + i] >> 4) & needed) != needed)
            return afu(0x15);
    if (!(r->ports & r->selected))
        return afu(0x20);
    return end_pieces(r, first, pieces, lba, left);
}

static uint32_t end_virtual(const struct round *r, unsigned needed)
{
    uint64_t lba = r->lba, left = r->blocks;
    uint32_t end;

    if (!r->count)
        return afu(0x13);
    if (r->nmask < 16 || r->nmask > 47)
        return afu(0x01);
    do
        end = end_range(r, needed, &lba, &left);
    while (!end && left);
    return end;
}

static uint32_t expected(const struct round *r)
{
    unsigned needed = r->flag || same(r) ? AFU_PERM_WRITE : AFU_PERM_READ;

    if (r->unknown || (r->direct && !r->valid))
        return afu(0x01);
    if ((r->perm & needed) != needed)
        return afu(0x05);
    return r->direct ? end_direct(r) : end_virtual(r, needed);
}

/* ---- drawing ----------------------------------------------------------------------------------
 */

static void draw_tables(struct round *r)
{
    uint8_t valid = (uint8_t)(one_in(6) ? PICK(0, 1, 0x40, 0x81, 0xFF) : 0x80);
    struct afu_rht_direct d;
    struct afu_rht_virtual v;

    r->direct = one_in(3);
    r->valid = valid == 0x80;
    r->perm = one_in(4) ? (unsigned)below(4) : AFU_PERM_RW;
    r->nmask = (unsigned)(one_in(4) ? PICK(0, 15, 17, 18, 47, 48, 63, 64, 65, 255) : 16);
    r->ports = one_in(6) ? (unsigned)below(16) : 3;
    r->lun = PICK(0, 0, 1, 9);
    r->count = one_in(10) ? WORDS : below(6);
    r->lxt_at = (uintptr_t)m->lxt + (one_in(15) ? below(8) : 0);
    if (one_in(20))
        r->lxt_at = 0x1000; /* nobody's */
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned perm = one_in(5) ? (unsigned)below(4) : AFU_PERM_RW;

        r->word[i] = afu_lxt_word(below(6), (uint8_t)PICK(0, 0, 1, 7, 255), perm, r->ports);
        m->lxt[i] = hal_swap64(HAL_ORDER_LITTLE, r->word[i]);
    }
    v = (struct afu_rht_virtual){.lxt_start = r->lxt_at,
                                 .lxt_cnt = (uint32_t)r->count,
                                 .permissions = (uint8_t)r->perm,
                                 .nmask = (uint8_t)r->nmask};
    d = (struct afu_rht_direct){.lun_id = afu_lun_id((uint32_t)r->lun),
                                .permissions = (uint8_t)r->perm,
                                .port_sel = (uint8_t)r->ports};
    user.rht[HANDLE] = r->direct ? afu_rht_pack_direct(HAL_ORDER_LITTLE, &d)
                                 : afu_rht_pack_virtual(HAL_ORDER_LITTLE, &v);
    if (r->direct)
        ((uint8_t *)&user.rht[HANDLE])[8] = valid;
    r->unknown = one_in(25);
    if (r->unknown)
        ((uint8_t *)&user.rht[HANDLE])[14] = (uint8_t)((2 + below(14)) << 4 | r->perm);
}

static void draw_range(struct round *r)
{
    uint64_t size = PICK(4096, 4096, 512);

    r->lba = below(6) * 65536 + (one_in(2) ? below(4) : 65535 - below(4));
    if (one_in(30))
        r->lba = PICK(0x1FFFFF, UINT32_MAX, CAPACITY, CAPACITY - 1);
    r->blocks = below(6);
    if (!r->write && one_in(12))
        r->blocks = PICK(4095, 4096, 4097, 32768, 32769);
    if (same(r) && one_in(4))
        r->blocks = PICK(0, 65535, 65536, 65537, 131072, 200000);
    r->bytes = same(r) ? size : r->blocks * size;
    if (one_in(5))
        r->bytes = PICK(0, 1, size / 2, r->bytes / 2, r->bytes + 1, r->bytes + size, MIB16 + 1);
    if (r->ndob)
        r->bytes = 0;
    r->bytes = hal_min64(r->bytes, MIB16 + 1);
}

static void put_cdb(uint8_t *cdb, const struct round *r)
{
    memset(cdb, 0, 16);
    cdb[0] = r->opcode;
    switch (r->opcode >> 5) {
    case 0:
        cdb[1] = (uint8_t)(r->lba >> 16);
        hal_be16_put(cdb + 2, (uint16_t)r->lba);
        cdb[4] = (uint8_t)r->blocks;
        break;
    case 1:
        hal_be32_put(cdb + 2, (uint32_t)r->lba);
        hal_be16_put(cdb + 7, (uint16_t)r->blocks);
        break;
    case 5:
        hal_be32_put(cdb + 2, (uint32_t)r->lba);
        hal_be32_put(cdb + 6, (uint32_t)r->blocks);
        break;
    default:
        cdb[1] = r->ndob;
        hal_be64_put(cdb + 2, r->lba);
        hal_be32_put(cdb + 10, (uint32_t)r->blocks);
        break;
    }
}

/* What short CDBs cannot say. */
static void fit(struct round *r)
{
    bool six = r->opcode < 0x20;

    if (six)
        r->lba &= 0x1FFFFF;
    if (six)
        r->blocks = r->blocks > 5 || !r->blocks ? 1 : r->blocks;
}

static void draw(struct round *r)
{
    memset(r, 0, sizeof *r);
    r->opcode = (uint8_t)PICK(0x08, 0x0A, 0x28, 0x2A, 0x88, 0x8A, 0xA8, 0xAA, 0x93, 0x93);
    r->write = (r->opcode & 0x0F) != 0x08;
    r->ndob = same(r) && one_in(3);
    r->flag = one_in(12) ? !r->write : r->write;
    r->selected = one_in(10) ? (unsigned)below(4) : 3;
    draw_tables(r);
    draw_range(r);
    fit(r);
}

/* ---- the test ---------------------------------------------------------------------------------
 */

static uint32_t run(const struct round *r)
{
    struct afu_ioarcb *i = model_ioarcb(&user, 0);

    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, r->selected);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, HANDLE), 0);
    i->req_flags =
        xe16_of(user.order, (uint16_t)(AFU_REQ_RES_HNDL | (r->flag ? AFU_REQ_HOST_WRITE : 0)));
    i->res_hndl = xe32_of(user.order, HANDLE);
    i->data_len = xe32_of(user.order, (uint32_t)r->bytes);
    i->data_ea = xe64_of(user.order, (uintptr_t)data);
    put_cdb(i->cdb, r);
    if (!model_issue(m, &user, 0, 100000000))
        return LOST;
    return model_ioasc(&user, 0) & 0xFFFFFF;
}

Test(sim_translate_oracle, whatever_the_tables_say)
{
    uint64_t seed = test_seed(1);
    unsigned ends[256] = {0};
    struct round r;

    hal_prng_seed(&prng, seed, 0);
    data = mmap(NULL, DATA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    m = model_create("zero");
    sim_afu_params_mutable(m->afu)->card = 0x0600;
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_BIG);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t want, got;

        draw(&r);
        want = expected(&r);
        got = run(&r);
        ends[want >> 16]++;
        cr_assert_eq(got, want,
                     "round %u: 0x%06x, not 0x%06x: opcode 0x%02x lba 0x%llx blocks %llu bytes "
                     "%llu direct %d count %llu nmask %u lun %llu flag %d ndob %d",
                     i, got, want, r.opcode, (unsigned long long)r.lba,
                     (unsigned long long)r.blocks, (unsigned long long)r.bytes, r.direct,
                     (unsigned long long)r.count, r.nmask, (unsigned long long)r.lun, r.flag,
                     r.ndob);
    }
    for (unsigned i = 0; i < 10; i++) {
        static const uint8_t codes[] = {0, 1, 5, 0x12, 0x13, 0x14, 0x15, 0x20, 0x62, 0x13};

        cr_expect_gt(ends[codes[i]], ROUNDS / 300, "0x%02x came %u times", codes[i],
                     ends[codes[i]]);
    }
    model_expect_any_violations(m);
    model_ctx_end(m, &user);
    model_destroy(m);
    munmap(data, DATA);
}
