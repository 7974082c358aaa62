/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/core_rig.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/lun/lun_mode.h"
#include "core/lun/lun_size.h"
#include "core/vlun/quarantine.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "tests/testlib/gate_force.h"

struct core_rig rig;

/* An assertion that costs nothing while it holds: Criterion tells its parent of each. */
#define MUST(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            cr_assert_fail(__VA_ARGS__);                                                           \
            CHECK_UNREACHABLE();                                                                   \
        }                                                                                          \
    } while (0)

/* ---- what a crash would leave ---- */

static int check_named(void *arg, const struct spipe__cat_entry *entry, uint32_t chunk)
{
    (void)entry;
    MUST(spipe__ba_references(arg, chunk) > 0, "a named chunk is free");
    return 0;
}

/* The catalogue in memory is what the store holds, until the record that is being written. */
static void check_names(void)
{
    for (unsigned i = 0; rig.watching && i < rig.s.lun_count; i++) {
        struct spipe__lun *lun = &rig.s.lun[i];

        if (lun->global->ba && rig.s.group->catalogue)
            MUST(spipe__cat_for_each_chunk(rig.s.group->catalogue, lun->global->wwid, check_named,
                                           lun->global->ba) == 0,
                 "walk");
    }
}

/* ---- records in memory ---- */

static struct rig_store *store_of(struct hal_record_store *store)
{
    return HAL_CONTAINER_OF(store, struct rig_store, store);
}

static int store_load(struct hal_record_store *store, hal_record_fn each, void *arg)
{
    struct rig_store *m = store_of(store);
    int rc = 0;

    for (unsigned i = 0; i < m->records && !rc; i++)
        rc = each(arg, m->record[i].bytes, m->record[i].length);
    return rc;
}

static int add_record(void *arg, const void *record, size_t length)
{
    struct rig_store *m = arg;

    CHECK(m->records < RIG_RECORDS && length <= RIG_RECORD_BYTES);
    m->record[m->records].length = length;
    memcpy(m->record[m->records++].bytes, record, length);
    return 0;
}

static int store_append(struct hal_record_store *store, const void *record, size_t length)
{
    struct rig_store *m = store_of(store);

    if (m->fail) {
        m->refused++;
        return m->fail;
    }
    recording_hal_note(&rig.hal, "record");
    check_names();
    return add_record(m, record, length);
}

static int store_compact(struct hal_record_store *store, hal_record_list_fn list, void *arg)
{
    struct rig_store *m = store_of(store);

    if (m->fail)
        return m->fail;
    m->records = 0;
    return list(arg, add_record, m);
}

static const struct hal_record_store_ops store_ops = {
    .load = store_load, .append = store_append, .compact = store_compact};

/* ---- what the AFU could see ---- */

static const struct spipe__lun *lun_of_index(uint8_t index)
{
    for (unsigned i = 0; i < rig.s.lun_count; i++)
        if (rig.s.lun[i].in_table && rig.s.lun[i].table_index == index)
            return &rig.s.lun[i];
    return NULL;
}

static void check_lxt_entry(uint64_t word)
{
    const struct spipe__lun *lun = lun_of_index(afu_lxt_lun_index(word));

    if (!lun || !lun->global->ba) {
        cr_assert_fail("INV-8: no LUN has this LUN-table slot");
        return;
    }
    MUST(afu_lxt_base(word) < spipe__ba_total(lun->global->ba), "INV-7");
    MUST(spipe__ba_references(lun->global->ba, afu_lxt_base(word)) > 0, "INV-4");
    MUST(afu_lxt_ports(word) == lun->port_mask, "INV-8");
    MUST(afu_lxt_permissions(word) == AFU_PERM_RW, "INV-10");
}

/* Format 1: a LUN that is opened directly, or was and is withdrawn. */
static void check_direct(const struct afu_rht_entry *e)
{
    struct afu_rht_direct d = afu_rht_unpack_direct(rig.hal.order, e);

    if (!d.valid)
        return;
    for (unsigned i = 0; i < rig.s.lun_count; i++) {
        const struct spipe__lun *lun = &rig.s.lun[i];

        if (lun->global->mode == SPIPE_LUN_PHYSICAL &&
            d.lun_id == lun->lun_id[hal_lowest_bit(d.port_sel)])
            return;
    }
    cr_assert_fail("INV-18: a direct entry of a LUN that is not in this mode");
}

static void check_entry(const struct afu_rht_entry *e)
{
    struct afu_rht_virtual v = afu_rht_unpack_virtual(rig.hal.order, e);
    const uint64_t *lxt = (const uint64_t *)(uintptr_t)v.lxt_start;
    const struct rec_region *g;

    MUST(afu_rht_entry_reserved_clear(e), "reserved bits");
    if (afu_rht_entry_format(e) == AFU_RHT_FORMAT_DIRECT) {
        check_direct(e);
        return;
    }
    if (v.lxt_cnt == 0)
        return;
    g = recording_hal_region(&rig.hal, v.lxt_start);
    if (!g || v.lxt_start != (uint64_t)(uintptr_t)g->start) {
        cr_assert_fail("INV-11, INV-13: not an array");
        return;
    }
    MUST(v.lxt_cnt * (uint64_t)AFU_LXT_ENTRY_SIZE <= g->size, "INV-11: capacity");
    MUST(v.lxt_start % 128 == 0, "VL-17");
    for (uint32_t i = 0; i < v.lxt_cnt; i++)
        check_lxt_entry(hal_swap64(rig.hal.order, lxt[i]));
}

static void check_view(void *arg)
{
    (void)arg;
    if (!rig.watching)
        return;
    check_names();
    for (unsigned n = 0; n < REC_CONTEXTS; n++) {
        const struct rec_ctx *c = &rig.hal.ctx[n];
        const struct afu_rht_entry *rht =
            (const struct afu_rht_entry *)(uintptr_t)c->ctrl[AFU_CTRL_RHT_START / 8];

        for (unsigned h = 0; rht && h < SPIPE__RHT_SIZE; h++)
            check_entry(&rht[h]);
    }
}

/* ---- books ---- */

enum { BOOK_CHUNKS = 4096 };

static unsigned owners[BOOK_CHUNKS];

static void count_entries(const uint64_t *entries, uint32_t first, uint32_t last)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(&rig.s);

    for (uint32_t i = first; i < last; i++)
        owners[spipe__lxt_chunk(&home, &entries[i])]++;
}

static unsigned count_handles(const struct spipe__lun *lun)
{
    unsigned users = 0;

    for (const struct spipe_ctx *ctx = rig.s.all; ctx; ctx = ctx->all_next) {
        for (unsigned h = 0; h < SPIPE__RHT_SIZE; h++) {
            const struct spipe__resource *v = ctx->resource[h];

            if (!v || v->held.lun != lun)
                continue;
            MUST(v->kind == lun->global->mode, "INV-18: a handle of the other kind");
            users++;
            count_entries(v->lxt.entry, 0, v->size);
        }
    }
    return users;
}

static unsigned count_held_by(const struct spipe__held *h)
{
    if (!h->pending)
        return 0;
    for (unsigned i = 0; i < h->parts; i++)
        count_entries(h->part[i].entries, h->part[i].first, h->part[i].last);
    return 1;
}

static unsigned count_held(struct spipe__lun *lun)
{
    unsigned holds = 0;

    for (const struct spipe__resource *r = lun->open; r; r = r->next)
        holds += count_held_by(&r->held);
    for (const struct spipe__held *h = rig.s.orphans; h; h = h->next)
        if (h->lun == lun)
            holds += count_held_by(h);
    return holds;
}

static int count_name(void *arg, const struct spipe__cat_entry *entry, uint32_t chunk)
{
    (void)entry;
    owners[chunk]++;
    ++*(uint64_t *)arg;
    return 0;
}

static void check_mode(const struct spipe__lun *lun, bool owned)
{
    MUST((lun->global->mode != SPIPE_LUN_NONE) == owned, "INV-18: mode");
    MUST((lun->global->mode == SPIPE_LUN_VIRTUAL) == (lun->global->ba != NULL),
         "INV-18: allocator");
}

/* what is beyond the end of the device and has no owner is parked, and nothing else. */
static unsigned check_chunk(const struct spipe__lun *lun, uint64_t c)
{
    unsigned parked = c >= lun->global->usable && owners[c] == 0;

    MUST(spipe__lun_is_parked(lun->global, c) == (parked != 0), "R-50: chunk %u", (unsigned)c);
    MUST(spipe__ba_references(lun->global->ba, c) == owners[c] + parked, "INV-2: %u owners",
         owners[c]);
    return owners[c] > 0 || parked;
}

static void check_lun(struct spipe__lun *lun)
{
    uint64_t named = 0;
    unsigned users, holds, allocated = 0;

    memset(owners, 0, sizeof owners);
    if (rig.s.group->catalogue)
        MUST(spipe__cat_for_each_chunk(rig.s.group->catalogue, lun->global->wwid, count_name,
                                       &named) == 0,
             "walk");
    MUST(named == lun->global->named, "%u references of names, not %u",
         (unsigned)lun->global->named, (unsigned)named);
    users = count_handles(lun);
    holds = count_held(lun);
    MUST(users == lun->global->users && holds == lun->global->holds, "INV-18: %u users, %u holds",
         users, holds);
    check_mode(lun, users || holds || named > 0);
    if (!lun->global->ba)
        return;
    MUST(spipe__ba_total(lun->global->ba) <= BOOK_CHUNKS, "too large for these books");
    MUST(lun->global->usable == hal_min64(spipe__ba_total(lun->global->ba),
                                          (lun->global->last_lba + 1) / SPIPE_CHUNK_BLOCKS),
         "R-50: end");
    for (uint64_t c = 0; c < spipe__ba_total(lun->global->ba); c++)
        allocated += check_chunk(lun, c);
    MUST(spipe__ba_space(lun->global->ba) == spipe__ba_total(lun->global->ba) - allocated, "INV-3");
}

void rig_check_books(void)
{
    for (unsigned i = 0; i < rig.s.lun_count; i++)
        check_lun(&rig.s.lun[i]);
}

/* ---- begin and end ---- */

void rig_add_lun(uint64_t chunks, uint32_t block_size)
{
    unsigned i = rig.s.lun_count;
    const uint8_t wwid[16] = {0x60, (uint8_t)(i + 1)};
    struct spipe__lun *lun = &rig.s.lun[i];

    *lun = (struct spipe__lun){0};
    cr_assert_eq(spipe__group_add_lun(&rig.s, lun, wwid), 0);
    lun->lun_id[0] = lun->lun_id[1] = afu_lun_id(i);
    lun->found_ports = lun->port_mask = 3;
    lun->global->last_lba = chunks * SPIPE_CHUNK_BLOCKS + 99;
    lun->global->block_size = block_size;
    rig.s.lun_count++;
}

static void make_master(void)
{
    struct spipe__queue_config config = {
        .order = rig.s.order, .depth = 4, .rrq_elements = 16, .interrupts = true, .name = "master"};

    rig.s.scratch = exec_alloc(rig.s.exec, SPIPE__SCRATCH_SIZE, 128);
    cr_assert_not_null(rig.s.scratch);
    cr_assert_eq(hal_mem_register(&rig.hal.dev, rig.s.scratch, SPIPE__SCRATCH_SIZE, "scratch"), 0);
    rig.hal.first = RIG_MASTER;
    cr_assert_eq(hal_ctx_create(&rig.hal.dev, HAL_CTX_MASTER, &rig.s.master), 0);
    cr_assert_eq(hal_ctx_start(rig.s.master, 3), 0);
    rig.s.hwq[0].ctx = rig.s.master;
    rig.s.hwqs = 1;
    cr_assert_eq(spipe__hwq_make(&rig.s.hwq[0], &config), 0);
    spipe__hwq_bind(&rig.s.hwq[0]);
    spipe__queue_program(&rig.s.hwq[0].queue);
    spipe__hwq_go_online(&rig.s.hwq[0]);
}

static void make_adapter(enum hal_order order, uint64_t chunks)
{
    fake_exec_init(&rig.exec, 1);
    recording_hal_init(&rig.hal, &rig.exec, order);
    rig.hal.silent = true;
    rig.hal.watch = check_view;
    memset(&rig.s, 0, sizeof rig.s);
    rig.s.exec = &rig.exec.exec;
    rig.s.dev = &rig.hal.dev;
    rig.s.order = order;
    rig.s.ports = 2;
    rig.s.generation = RIG_GENERATION;
    cr_assert_eq(spipe__group_join(&rig.s, NULL), 0);
    spipe__locks_init(&rig.s);
    gate_force(&rig.s.gate, SPIPE_STATE_NORMAL);
    spipe__lun_table_init(&rig.s);
    rig_add_lun(chunks, 4096);
    rig_add_lun(chunks, 512);
    make_master();
    cr_assert_eq(spipe__cat_open(rig.s.exec, &rig.store.store, &rig.s.group->catalogue, NULL), 0);
    cr_assert_eq(spipe__lun_start_all(&rig.s), 0);
}

static void begin(enum hal_order order, uint64_t chunks)
{
    make_adapter(order, chunks);
    cr_assert_eq(spipe_client_create(&rig.s, "rig", &rig.client), 0);
    rig.ctx = rig_attach(0);
    rig.watching = true;
    rig.hal.no_regs = true;
    rig.hal.silent = false;
    recording_hal_clear(&rig.hal);
}

void rig_begin(enum hal_order order, uint64_t chunks)
{
    memset(&rig.store, 0, sizeof rig.store);
    rig.store.store.ops = &store_ops;
    begin(order, chunks);
}

void rig_end(void)
{
    rig.hal.silent = true;
    rig_check_books();
    if (rig.client)
        spipe_client_destroy(rig.client);
    rig.client = NULL;
    rig.watching = false;
    spipe__lun_finish(&rig.s);
    cr_assert_eq(spipe__hwq_stop(&rig.s.hwq[0]), 0);
    hal_ctx_release(rig.s.master);
    hal_mem_release(&rig.hal.dev, rig.s.scratch);
    exec_free(rig.s.exec, rig.s.scratch, SPIPE__SCRATCH_SIZE);
    spipe__group_leave(&rig.s);
    spipe__locks_fini(&rig.s);
    cr_assert_eq(rig.s.clients, 0);
    cr_assert_null(rig.s.all);
    cr_assert_null(rig.s.files);
    for (unsigned i = 0; i < SPIPE__CONTEXTS; i++)
        cr_assert_null(rig.s.contexts[i]);
    cr_assert_eq(rig.hal.dev.open_contexts, 0);
    cr_assert_eq(rig.hal.regions, 0);
    cr_assert_eq(rig.exec.blocks, 0);
}

void rig_restart(uint64_t chunks)
{
    enum hal_order order = rig.hal.order;

    rig_end();
    begin(order, chunks);
}

/* ---- short forms ---- */

struct spipe_ctx *rig_attach(unsigned lun)
{
    struct spipe_attach_options options = {.size = sizeof options};
    struct spipe_ctx *ctx;

    cr_assert_eq(spipe_attach(rig.client, lun, &options, &ctx), 0);
    return ctx;
}

uint32_t rig_open(struct spipe_ctx *ctx, uint64_t chunks)
{
    uint32_t handle = UINT32_MAX;
    uint64_t last;

    cr_assert_eq(spipe_open_virtual(ctx, 0, chunks * SPIPE_CHUNK_BLOCKS, &handle, &last), 0);
    return handle;
}

int rig_resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t chunks)
{
    uint64_t last;

    return spipe_resize(ctx, handle, chunks * SPIPE_CHUNK_BLOCKS, &last);
}

struct spipe__resource *rig_vlun(struct spipe_ctx *ctx, uint32_t handle)
{
    struct spipe__resource *v = spipe__ctx_vlun(ctx, handle);

    cr_assert_not_null(v);
    return v;
}

struct afu_rht_virtual rig_entry(struct spipe_ctx *ctx, uint32_t handle)
{
    return afu_rht_unpack_virtual(rig.hal.order, &ctx->rht.entries[handle]);
}

uint64_t rig_lxt_entry(struct spipe_ctx *ctx, uint32_t handle, uint32_t index)
{
    struct afu_rht_virtual e = rig_entry(ctx, handle);

    cr_assert_lt(index, e.lxt_cnt);
    return hal_swap64(rig.hal.order, ((const uint64_t *)(uintptr_t)e.lxt_start)[index]);
}

uint64_t rig_chunk(struct spipe_ctx *ctx, uint32_t handle, uint32_t index)
{
    return afu_lxt_base(rig_lxt_entry(ctx, handle, index));
}

unsigned rig_references(uint64_t chunk)
{
    return rig.s.lun[0].global->ba ? spipe__ba_references(rig.s.lun[0].global->ba, chunk) : 0;
}

uint64_t rig_free(void)
{
    cr_assert_not_null(rig.s.lun[0].global->ba);
    return spipe__ba_space(rig.s.lun[0].global->ba);
}

void rig_expect(const char *lines)
{
    cr_assert_str_eq(rig.hal.text, lines, "it was\n%s", rig.hal.text);
    recording_hal_clear(&rig.hal);
}

void rig_fail_syncs(unsigned n)
{
    static const enum rec_sync failed[REC_SYNCS] = {
        REC_SYNC_ERROR, REC_SYNC_ERROR, REC_SYNC_ERROR, REC_SYNC_ERROR,
        REC_SYNC_ERROR, REC_SYNC_ERROR, REC_SYNC_ERROR, REC_SYNC_ERROR,
        REC_SYNC_ERROR, REC_SYNC_ERROR, REC_SYNC_ERROR, REC_SYNC_ERROR,
        REC_SYNC_ERROR, REC_SYNC_ERROR, REC_SYNC_ERROR, REC_SYNC_ERROR};

    recording_hal_syncs(&rig.hal, failed, n);
}
