/* SPDX-License-Identifier: Apache-2.0 */
/* Resource handles to physical blocks (SL 8.4): the RHT and LXT walker and its cache.
 *
 * The cache holds whatever was read, invalid entries included, and only AFU sync, AFU reset and the
 * start or end of a context make it forget. A walk that a sync overtakes starts again, so
 * that nothing read before the sync is used after it. */
#include <string.h>

#include "hal/afu_tables.h"
#include "hal/support/check.h"
#include "sim/afu/sim_psl.h"
#include "sim/afu/sim_wait.h"

/* Tag: valid, kind, context, handle, index of the LXT word. */
#define TAG_VALID HAL_BIT(63)
#define TAG_LXT HAL_BIT(62)
#define TAG_CONTEXT(ctx) ((uint64_t)(ctx) << 48)
#define TAG_HANDLE(h) ((uint64_t)(h) << 32)
#define TAG_OWNER_MASK (HAL_BIT(62) - 1 - (HAL_BIT(48) - 1))

/* Where in the cache something is kept, and by what it is known. */
struct place {
    uint64_t tag;
    uint32_t mixed; /* its entry is that, modulo their number */
};

static inline struct place rht_place(const struct sim_cmd *c)
{
    uint16_t handle = (uint16_t)c->res_hndl;

    return (struct place){.tag = TAG_VALID | TAG_CONTEXT(c->ctx_id) | TAG_HANDLE(handle),
                          .mixed = c->ctx_id * 37u + handle * 5u};
}

/* Of a word of the LXT that the RHT entry at a place names. */
static inline struct place lxt_place(struct place rht, uint64_t index)
{
    return (struct place){.tag = rht.tag | TAG_LXT | (uint32_t)index,
                          .mixed = rht.mixed + (uint32_t)index * 3 + 17};
}

static inline struct sim_xlt_entry *cache_entry(struct sim_afu *a, struct place p)
{
    return &a->xlt[p.mixed & (a->params.xlt_entries - 1)];
}

SIM_COLD static void keep_planned(struct sim_afu *a, struct sim_xlt_entry *e)
{
    if (sim_site_armed(a, SIM_SITE_XC, NULL) == SIM_EFFECT_STALE)
        e->kept = true;
}

SIM_IN_LINE static inline bool cache_get(struct sim_afu *a, struct place p, uint64_t *words,
                                         unsigned n)
{
    struct sim_xlt_entry *e;

    if (__builtin_expect(!a->params.xlt_entries, 0))
        return false;
    e = cache_entry(a, p);
    if (e->tag != p.tag)
        return false;
    if (sim_site_planned(a, SIM_SITE_XC))
        keep_planned(a, e);
    memcpy(words, e->word, n * sizeof *words);
    a->counters.xlt_hits++;
    return true;
}

static inline void cache_put(struct sim_afu *a, struct place p, const uint64_t *words, unsigned n)
{
    struct sim_xlt_entry *e;

    if (__builtin_expect(!a->params.xlt_entries, 0))
        return;
    e = cache_entry(a, p);
    e->tag = p.tag;
    e->kept = false;
    memcpy(e->word, words, n * sizeof *words);
}

/* Whether an entry belongs to (ctx, handle); ctx NULL: to anybody. */
static bool belongs(uint64_t tag, const struct sim_ctx *ctx, uint64_t handle)
{
    if (!ctx)
        return true;
    if ((tag >> 48 & 0x3FFF) != ctx->handle)
        return false;
    return handle == SIM_XLT_ALL_HANDLES || (tag >> 32 & 0xFFFF) == handle;
}

/* Forgets an entry; with `spare`, one that a fault keeps only next time. */
static bool forget(struct sim_xlt_entry *e, bool spare)
{
    bool kept = e->kept && spare;

    e->kept = false;
    if (!kept)
        e->tag = 0;
    return !kept;
}

static void drop(struct sim_afu *a, const struct sim_ctx *ctx, uint64_t handle, bool spare)
{
    uint64_t dropped = 0;

    for (uint64_t i = 0; i < a->params.xlt_entries; i++)
        if (a->xlt[i].tag && belongs(a->xlt[i].tag, ctx, handle))
            dropped += forget(&a->xlt[i], spare);
    for (uint64_t i = 0; i < a->params.cmd_slots; i++) {
        struct sim_cmd *c = &a->cmds[i];

        if ((c->state == SIM_CMD_WALK_RHT || c->state == SIM_CMD_WALK_LXT) &&
            belongs(rht_place(c).tag, ctx, handle))
            c->restart_walk = true;
    }
    sim_record(a, SIM_EVENT_XLT_DROP, ctx ? ctx->handle : 0xFFFF, handle, dropped);
}

void sim_xlt_drop(struct sim_afu *a, const struct sim_ctx *ctx, uint64_t handle)
{
    drop(a, ctx, handle, false);
}

void sim_xlt_drop_but_kept(struct sim_afu *a, const struct sim_ctx *ctx, uint64_t handle)
{
    drop(a, ctx, handle, true);
}

bool sim_xlt_cached(const struct sim_afu *a, uint16_t context, uint32_t handle)
{
    uint64_t tag = TAG_VALID | TAG_CONTEXT(context) | TAG_HANDLE(handle);

    for (uint64_t i = 0; i < a->params.xlt_entries; i++)
        if ((a->xlt[i].tag & ~(TAG_LXT | UINT32_MAX)) == tag)
            return true;
    return false;
}

bool sim_xlt_key(const struct sim_xlt_entry *e, struct sim_xlt_key *out)
{
    *out = (struct sim_xlt_key){.index = (uint32_t)e->tag,
                                .context = (uint16_t)(e->tag >> 48 & 0x3FFF),
                                .handle = (uint16_t)(e->tag >> 32),
                                .lxt = e->tag & TAG_LXT};
    return e->tag;
}

/* Step 1 and 2: the table itself. Returns 0 or an afu_rc. */
static uint8_t check_table(const struct sim_cmd *c)
{
    const struct sim_ctx *owner = sim_cmd_owner(c), *host = owner ? sim_table_host(owner) : NULL;

    if (!host || !(host->ctx_cap & AFU_CTX_CAP_HOST_XLATE))
        return AFU_RC_NOT_XLATE_HOST;
    if (owner->rht_start % AFU_RHT_ENTRY_SIZE)
        return AFU_RC_RHT_UNALIGNED;
    return c->res_hndl >= afu_rht_cnt_id_count(owner->rht_cnt_id) ? AFU_RC_RHT_OUT_OF_BOUNDS : 0;
}

/* The entry of a command, of format 0. */
static inline struct afu_rht_virtual virtual_of(const struct sim_cmd *c)
{
    return afu_rht_unpack_virtual(sim_table_order(c->afu), &c->entry);
}

/* ---- walks: one bus read for a table entry ----------------------------------------------------
 */

/* Cycles by which a fault makes the response late. */
SIM_COLD static uint64_t walk_planned(struct sim_cmd *c, enum sim_site site)
{
    uint64_t arg = 0;

    switch (sim_site_armed(c->afu, site, &arg)) {
    case SIM_EFFECT_LATE:
        return sim_late(c->afu, arg);
    case SIM_EFFECT_ERROR:
        c->psl.code = sim_psl_planned(arg, AFU_PSL_CONTEXT);
        return 0;
    case SIM_EFFECT_VALUE:
        c->plan.wrong = true;
        c->plan.value = arg;
        return 0;
    default:
        return 0;
    }
}

/* What a walk is for. */
struct walk {
    enum sim_cmd_state state;
    enum sim_site site;
    uint64_t bytes;
    sim_event_fn *arrived;
};

/* Asks for the entry; the memory is sampled when the response arrives. */
SIM_IN_LINE static inline void walk_read(struct sim_cmd *c, const struct walk *w, uint64_t late)
{
    sim_wait_bus(c, SIM_BUS_READ, SIM_STRICT_TABLE, c->bus_ea, w->bytes, late, SIM_RANK_DECODE,
                 w->arrived);
}

/* One that is traced, or that a fault meets. Kept apart, so that the others keep nothing for it. */
static __attribute__((noinline)) void walk_told(struct sim_cmd *c, const struct walk *w,
                                                uint64_t index, bool planned)
{
    sim_record(c->afu, SIM_EVENT_XLT_MISS, c->slot, c->res_hndl, index);
    walk_read(c, w, planned ? walk_planned(c, w->site) : 0);
}

/* Goes for the entry at ea, which belongs at a place in the cache; of the LXT it has an index. */
SIM_IN_LINE static inline void walk(struct sim_cmd *c, const struct walk *w, uint64_t ea,
                                    uint64_t index, struct place p)
{
    struct sim_afu *a = c->afu;
    bool planned = sim_site_planned(a, w->site);

    sim_memory_expect(ea);
    a->counters.xlt_misses++;
    c->state = (uint8_t)w->state;
    c->restart_walk = c->rht_half = c->plan.wrong = false;
    c->psl.code = 0;
    c->bus_ea = ea;
    c->walk_tag = p.tag;
    c->walk_mixed = p.mixed;
    if (__builtin_expect(a->tracing | planned, 0))
        walk_told(c, w, index, planned);
    else
        walk_read(c, w, 0);
}

/* What a walk went for is spoilt, or not there: tables that their owner has unmapped are a matter
 * of its life, code CONTEXT. False: the command has ended or tries again. */
SIM_COLD static bool arrived_oddly(struct sim_cmd *c, enum sim_psl_access access, void *to,
                                   size_t n)
{
    uint8_t code = c->psl.code;

    if (!code && sim_memory_read(c->bus_ea, to, n))
        code = AFU_PSL_CONTEXT;
    if (code) {
        sim_psl_refused(c, access, code, c->bus_ea);
        return false;
    }
    if (c->plan.wrong)
        sim_change_byte(to, n, c->plan.value);
    c->plan.wrong = false;
    return true;
}

/* Reads what the walk went for. False: it did not come. */
SIM_IN_LINE static inline bool arrived(struct sim_cmd *c, enum sim_psl_access access, void *to,
                                       size_t n)
{
    if (__builtin_expect(c->psl.code | c->plan.wrong, 0) || sim_memory_read(c->bus_ea, to, n))
        return arrived_oddly(c, access, to, n);
    return true;
}

/* The entry as its owner meant it, so that traces agree on every host. */
static __attribute__((noinline)) void record_entry(const struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint64_t start = hal_swap64(sim_table_order(a), c->entry.word[0]);

    (void)sim_memory_known(&a->memory, start, &start);
    sim_record(a, SIM_EVENT_XLT_FILL, c->slot, start,
               hal_swap64(sim_table_order(a), c->entry.word[1]));
}

/* LBA and blocks of a READ or WRITE CDB; WRITE SAME too. Other commands have none. READ(16) and
 * WRITE(16), which nearly all are, come before the others. */
static inline bool cdb_range(const uint8_t cdb[16], uint64_t *lba, uint32_t *blocks)
{
    if (__builtin_expect((cdb[0] & ~2) == 0x88 || cdb[0] == 0x93, 1)) {
        *lba = hal_be64_at(cdb + 2);
        *blocks = hal_be32_at(cdb + 10);
        return true;
    }
    switch (cdb[0]) {
    case 0xA8:
    case 0xAA:
        *lba = hal_be32_at(cdb + 2);
        *blocks = hal_be32_at(cdb + 6);
        return true;
    case 0x28:
    case 0x2A:
        *lba = hal_be32_at(cdb + 2);
        *blocks = hal_be16_at(cdb + 7);
        return true;
    case 0x08:
    case 0x0A:
        *lba = hal_be32_at(cdb) & 0x1FFFFF;
        *blocks = cdb[4] ? cdb[4] : 256;
        return true;
    default:
        return false;
    }
}

/* Step 5: the permission that the direction needs. A WRITE SAME without data has the flag of a
 * read. */
static inline unsigned needed_permission(const struct sim_cmd *c)
{
    return c->flags & AFU_REQ_HOST_WRITE || sim_cmd_is_same(c) ? AFU_PERM_WRITE : AFU_PERM_READ;
}

/* Some block of the range lies beyond the LXT. */
static inline bool out_of_bounds(const struct sim_cmd *c, const struct afu_rht_virtual *virt,
                                 uint32_t blocks)
{
    uint64_t end = c->vlba + blocks + !blocks;

    return end < c->vlba || (end - 1) >> virt->nmask >= virt->lxt_cnt;
}

/* Block size of the LUN that an LXT word names, through the table of the first of its ports that
 * the card has; 0: it has none of them. */
static uint32_t block_size(const struct sim_afu *a, uint64_t word)
{
    uint64_t ports = afu_lxt_ports(word) & sim_ports_present(a), id;
    const struct sim_media_lun *lun;

    if (!ports)
        return 0;
    id = a->port[hal_lowest_bit(ports)].lun_table[afu_lxt_lun_index(word)];
    lun = sim_media_lun(a->scsi.media, afu_lun_number(id));
    return lun ? lun->block_size : 4096;
}

/* the CDB asks for more than the buffer or than one transfer may hold. WRITE SAME sends one
 * block whatever its range. */
static __attribute__((noinline)) bool run_too_long(const struct sim_cmd *c, uint32_t blocks)
{
    uint64_t size;

    if (sim_cmd_is_same(c))
        return false;
    if (blocks <= 1 || c->data_len > AFU_TRANSFER_MAX)
        return c->data_len > AFU_TRANSFER_MAX;
    size = block_size(c->afu, c->lxt[0]);
    return size && ((blocks - 1) * size >= c->data_len || blocks * size > AFU_TRANSFER_MAX);
}

static inline bool too_long(const struct sim_cmd *c, uint32_t blocks)
{
    return (blocks > 1 || c->data_len > AFU_TRANSFER_MAX) && run_too_long(c, blocks);
}

/* ---- translation -------------------------------------------------------------------------------
 */

/* What a translation goes by as long as it need not wait. */
struct way {
    struct afu_rht_virtual virt;
    struct place rht;
    unsigned needed; /* permission */
};

/* Steps 8 to 10 for one LXT word. False: no permission. */
SIM_IN_LINE static inline bool apply_lxt(struct sim_cmd *c, unsigned nmask, unsigned needed,
                                         unsigned which, uint64_t lba)
{
    uint64_t word = c->lxt[which];
    struct sim_segment *part = &c->part[which];

    if (!(afu_lxt_permissions(word) & needed))
        return false;
    c->ports = (uint8_t)(which ? c->ports & afu_lxt_ports(word) : afu_lxt_ports(word));
    part->lba = afu_lxt_physical_lba(word, nmask, lba);
    part->lun_index = afu_lxt_lun_index(word); /* becomes an id when the port is chosen */
    part->whole = false;
    sim_record(c->afu, SIM_EVENT_XLT_HIT, c->slot, lba, part->lba);
    return true;
}

/* The same for all of them, whose blocks are so many in the first and in the second chunk. */
SIM_IN_LINE static inline void apply_words(struct sim_cmd *c, unsigned nmask, unsigned needed,
                                           uint32_t first, uint32_t second)
{
    if (too_long(c, first + second))
        sim_status_afu(c, AFU_RC_LXT_OUT_OF_BOUNDS, 0);
    else if (!apply_lxt(c, nmask, needed, 0, c->vlba) ||
             (second && !apply_lxt(c, nmask, needed, 1, c->vlba + first)))
        sim_status_afu(c, AFU_RC_LXT_RW_PERM, 0);
    else
        sim_port_command(c);
}

static void walked_lxt(struct sim_event *ev);

/* Goes for a word of the LXT. */
HAL_HOT static __attribute__((noinline)) void walk_lxt(struct sim_cmd *c, uint64_t start,
                                                       uint64_t index, struct place p)
{
    static const struct walk lxt = {SIM_CMD_WALK_LXT, SIM_SITE_LXT, AFU_LXT_ENTRY_SIZE, walked_lxt};

    walk(c, &lxt, start + index * AFU_LXT_ENTRY_SIZE, index, p);
}

SIM_IN_LINE static inline bool need_lxt(struct sim_cmd *c, const struct way *w, unsigned which)
{
    uint64_t index = (c->vlba >> w->virt.nmask) + which;
    struct place p = lxt_place(w->rht, index);

    if (c->lxt_which > which || cache_get(c->afu, p, &c->lxt[which], 1))
        return false;
    c->lxt_which = (uint8_t)which;
    walk_lxt(c, w->virt.lxt_start, index, p);
    return true;
}

/* The chunks that a command touches, so many blocks of each: their LXT words, and what they say. A
 * second one is there if it has blocks. */
SIM_IN_LINE static inline void translate_segments(struct sim_cmd *c, const struct way *w,
                                                  uint32_t first, uint32_t second)
{
    c->segments = second ? 2 : 1;
    c->part[0].blocks = first;
    if (second)
        c->part[1].blocks = second;
    if (!need_lxt(c, w, 0) && !(second && need_lxt(c, w, 1)))
        apply_words(c, w->virt.nmask, w->needed, first, second);
}

/* A walk has brought the word of one of two segments. */
static __attribute__((noinline)) void translate_two_on(struct sim_cmd *c)
{
    struct way w = {virtual_of(c), rht_place(c), needed_permission(c)};

    translate_segments(c, &w, c->part[0].blocks, c->part[1].blocks);
}

/* Kept apart: most commands stay in one chunk. What lies behind two chunks is too long, or the rest
 * of a WRITE SAME. */
static __attribute__((noinline)) void translate_two(struct sim_cmd *c, uint32_t blocks,
                                                    uint32_t first)
{
    struct way w = {virtual_of(c), rht_place(c), needed_permission(c)};
    uint32_t second = (uint32_t)hal_min64(blocks - first, HAL_BIT(w.virt.nmask));

    c->rest = blocks - first - second;
    translate_segments(c, &w, first, second);
}

/* Steps 6 and 7. */
SIM_IN_LINE static inline void translate_virtual(struct sim_cmd *c, const struct way *w)
{
    uint64_t chunk = HAL_BIT(w->virt.nmask), inside;
    uint32_t blocks = 0;

    if (!cdb_range(c->rq.cdb, &c->vlba, &blocks) || out_of_bounds(c, &w->virt, blocks)) {
        sim_status_afu(c, AFU_RC_LXT_OUT_OF_BOUNDS, 0);
        return;
    }
    if (w->virt.lxt_start % AFU_LXT_ENTRY_SIZE) {
        sim_status_afu(c, AFU_RC_LXT_UNALIGNED, 0);
        return;
    }
    inside = c->vlba & (chunk - 1);
    if (__builtin_expect(inside + blocks > chunk, 0))
        translate_two(c, blocks, (uint32_t)(chunk - inside));
    else
        translate_segments(c, w, blocks, 0);
}

/* what the device is to decide must not be more than one transfer may hold. */
static bool too_long_for_device(const struct sim_cmd *c, uint64_t lun_id)
{
    const struct sim_media_lun *lun = sim_media_lun(c->afu->scsi.media, afu_lun_number(lun_id));
    uint64_t lba = 0;
    uint32_t blocks = 0;

    if (sim_cmd_is_same(c) || !cdb_range(c->rq.cdb, &lba, &blocks))
        return false;
    return c->data_len > AFU_TRANSFER_MAX ||
           (uint64_t)blocks * (lun ? lun->block_size : 4096) > AFU_TRANSFER_MAX;
}

void sim_whole_command(struct sim_cmd *c, uint64_t lun_id, uint8_t ports)
{
    if (too_long_for_device(c, lun_id)) {
        sim_status_afu(c, AFU_RC_LXT_OUT_OF_BOUNDS, 0);
        return;
    }
    c->ports = ports;
    c->rest = 0;
    c->segments = 1;
    c->part[0] = (struct sim_segment){.lun_id = lun_id, .whole = true};
    sim_port_command(c);
}

/* Format 1: LUN and port are in the entry, the LBA stays. */
static __attribute__((noinline)) void translate_direct(struct sim_cmd *c)
{
    struct afu_rht_direct d = afu_rht_unpack_direct(sim_table_order(c->afu), &c->entry);

    if (!d.valid)
        sim_status_afu(c, AFU_RC_RHT_INVALID, 0);
    else if (!(d.permissions & needed_permission(c)))
        sim_status_afu(c, AFU_RC_RHT_RW_PERM, 0);
    else
        sim_whole_command(c, d.lun_id, d.port_sel);
}

/* Format 0. */
SIM_IN_LINE static inline void translate_format_0(struct sim_cmd *c, struct place rht)
{
    struct way w = {virtual_of(c), rht, needed_permission(c)};

    if (!(w.virt.permissions & w.needed))
        sim_status_afu(c, AFU_RC_RHT_RW_PERM, 0);
    else if (!w.virt.lxt_cnt) /* nothing to translate, whatever the size of a chunk is */
        sim_status_afu(c, AFU_RC_LXT_OUT_OF_BOUNDS, 0);
    else if (w.virt.nmask < AFU_NMASK_MIN || w.virt.nmask > 47)
        sim_status_afu(c, AFU_RC_RHT_INVALID, 0); /* MD-25 */
    else
        translate_virtual(c, &w);
}

SIM_IN_LINE static inline void translate_entry(struct sim_cmd *c, struct place rht)
{
    unsigned format = afu_rht_entry_format(&c->entry);

    if (format == AFU_RHT_FORMAT_VIRTUAL)
        translate_format_0(c, rht);
    else if (format == AFU_RHT_FORMAT_DIRECT)
        translate_direct(c);
    else
        sim_status_afu(c, AFU_RC_RHT_INVALID, 0);
}

static void walked_rht(struct sim_event *ev);

/* Goes for the entry, of a table that was checked. */
HAL_HOT static __attribute__((noinline)) void walk_rht(struct sim_cmd *c, struct place p)
{
    static const struct walk rht = {SIM_CMD_WALK_RHT, SIM_SITE_RHT, AFU_RHT_ENTRY_SIZE, walked_rht};

    walk(c, &rht, sim_cmd_owner(c)->rht_start + (uint64_t)c->res_hndl * AFU_RHT_ENTRY_SIZE,
         UINT64_MAX, p);
}

HAL_HOT void sim_translate(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    struct place rht = rht_place(c);
    uint8_t rc = check_table(c);

    if (rc) {
        sim_status_afu(c, rc, 0);
        return;
    }
    c->translated = true;
    sim_strict_translated(&a->strict, c->slot, c->ctx_id, c->res_hndl);
    if (!c->entry_valid && !cache_get(a, rht, c->entry.word, 2)) {
        walk_rht(c, rht);
        return;
    }
    c->entry_valid = true;
    translate_entry(c, rht);
}

/* ---- walks: what they went for is here --------------------------------------------------------
 *
 * Unless a sync makes them start again, nothing of the command has changed since; but the host may
 * have written the registers of the table, or be gone. */

/* a walker that reads the words of an entry one after the other may see an old one and a new
 * one. False: the second word is still to come, or neither did. */
SIM_COLD static bool arrived_by_words(struct sim_cmd *c)
{
    unsigned second = c->afu->params.rht_fetch == 1 ? 1 : 0;
    struct afu_rht_entry now;

    if (!arrived(c, SIM_PSL_RHT, &now, sizeof now))
        return false;
    if (c->rht_half) {
        c->rht_half = false;
        c->entry.word[second] = now.word[second];
        return true;
    }
    c->rht_half = true;
    c->entry = now;
    sim_wait_bus(c, SIM_BUS_READ, SIM_STRICT_TABLE, c->bus_ea, sizeof now, 0, SIM_RANK_DECODE,
                 walked_rht);
    return false;
}

static inline bool arrived_rht(struct sim_cmd *c)
{
    if (__builtin_expect(c->afu->params.rht_fetch != 0, 0))
        return arrived_by_words(c);
    return arrived(c, SIM_PSL_RHT, &c->entry, sizeof c->entry);
}

HAL_HOT static void walked_rht(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->afu;
    struct place rht = {c->walk_tag, c->walk_mixed};
    uint8_t rc;

    if (c->restart_walk) {
        sim_translate_again(c);
        return;
    }
    if (!arrived_rht(c))
        return;
    c->entry_valid = true;
    sim_strict_rht_read(&a->strict, a->engine->now, c->ctx_id, sim_table_order(a), &c->entry);
    cache_put(a, rht, c->entry.word, 2);
    if (a->tracing)
        record_entry(c);
    rc = check_table(c);
    if (rc)
        sim_status_afu(c, rc, 0);
    else
        translate_entry(c, rht);
}

HAL_HOT static void walked_lxt(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->afu;
    uint8_t which = c->lxt_which, rc;
    uint64_t word;

    if (c->restart_walk) {
        sim_translate_again(c);
        return;
    }
    if (!arrived(c, SIM_PSL_LXT, &c->lxt[which], sizeof c->lxt[which]))
        return;
    word = c->lxt[which] = hal_swap64(sim_table_order(a), c->lxt[which]);
    c->lxt_which = which + 1;
    sim_strict_lxt_read(&a->strict, a->engine->now, c->ctx_id, c->bus_ea, word);
    cache_put(a, (struct place){c->walk_tag, c->walk_mixed}, &word, 1);
    sim_record(a, SIM_EVENT_XLT_FILL, c->slot, word, (c->vlba >> virtual_of(c).nmask) + which);
    rc = check_table(c);
    if (rc)
        sim_status_afu(c, rc, 0);
    else if (c->segments == 2)
        translate_two_on(c);
    else
        apply_words(c, virtual_of(c).nmask, needed_permission(c), c->part[0].blocks, 0);
}

/* The entry is read again: a sync may have come between. */
void sim_translate_rest(struct sim_cmd *c)
{
    hal_be64_put(c->rq.cdb + 2, c->vlba + c->part[0].blocks + c->part[1].blocks);
    hal_be32_put(c->rq.cdb + 10, c->rest);
    c->rest = 0;
    sim_strict_again(&c->afu->strict, c->slot, SIM_STRICT_TABLE);
    c->entry_valid = false;
    c->segment = c->lxt_which = 0;
    sim_translate(c);
}

void sim_translate_again(struct sim_cmd *c)
{
    if (c->restart_walk) {
        c->restart_walk = c->entry_valid = false;
        c->lxt_which = 0;
    }
    sim_translate(c);
}
