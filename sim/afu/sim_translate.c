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
    uint64_t mixed; /* its entry is that, modulo their number */
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
                          .mixed = rht.mixed + (uint32_t)index * UINT64_C(3) + 17};
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

static inline bool cache_get(struct sim_afu *a, struct place p, uint64_t *words, unsigned n)
{
    struct sim_xlt_entry *e;

    if (!a->params.xlt_entries)
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

static void cache_put(struct sim_afu *a, struct place p, const uint64_t *words, unsigned n)
{
    struct sim_xlt_entry *e;

    if (!a->params.xlt_entries)
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

static void walked(struct sim_event *ev);

/* The entry of a command, of format 0. */
static inline struct afu_rht_virtual virtual_of(const struct sim_cmd *c)
{
    return afu_rht_unpack_virtual(sim_table_order(c->afu), &c->entry);
}

static uint64_t lxt_index(const struct sim_cmd *c, unsigned which)
{
    return (c->vlba >> virtual_of(c).nmask) + which;
}

/* Where the entry is that a walk reads; the end of the context that it belongs to restarts it. */
static uint64_t entry_ea(const struct sim_cmd *c)
{
    return c->state == SIM_CMD_WALK_RHT
               ? sim_cmd_owner(c)->rht_start + (uint64_t)c->res_hndl * AFU_RHT_ENTRY_SIZE
               : virtual_of(c).lxt_start + lxt_index(c, c->lxt_which) * AFU_LXT_ENTRY_SIZE;
}

static uint64_t entry_bytes(const struct sim_cmd *c)
{
    return c->state == SIM_CMD_WALK_RHT ? AFU_RHT_ENTRY_SIZE : AFU_LXT_ENTRY_SIZE;
}

/* One bus read for a table entry; the memory is sampled when the response arrives. */
HAL_HOT static void walk(struct sim_cmd *c, enum sim_cmd_state state)
{
    struct sim_afu *a = c->afu;
    enum sim_site site = state == SIM_CMD_WALK_RHT ? SIM_SITE_RHT : SIM_SITE_LXT;
    uint64_t arg = 0, late = 0;

    a->counters.xlt_misses++;
    c->state = (uint8_t)state;
    c->restart_walk = c->rht_half = c->plan.wrong = false;
    c->psl.code = 0;
    sim_memory_expect(entry_ea(c));
    switch (sim_site(a, site, &arg)) {
    case SIM_EFFECT_LATE:
        late = sim_late(a, arg);
        break;
    case SIM_EFFECT_ERROR:
        c->psl.code = sim_psl_planned(arg, AFU_PSL_CONTEXT);
        break;
    case SIM_EFFECT_VALUE:
        c->plan.wrong = true;
        c->plan.value = arg;
        break;
    default:
        break;
    }
    sim_wait_bus(c, SIM_BUS_READ, SIM_STRICT_TABLE, entry_ea(c), entry_bytes(c), late,
                 SIM_RANK_DECODE, walked);
}

/* Reads what the walk went for. False: it did not come, and the command has ended or tries again.
 * Tables that their owner has unmapped are a matter of its life: code CONTEXT. */
static bool arrived(struct sim_cmd *c, enum sim_psl_access access, uint64_t ea, void *to, size_t n)
{
    uint8_t code = c->psl.code;

    if (!code && sim_memory_read(ea, to, n))
        code = AFU_PSL_CONTEXT;
    if (code) {
        sim_psl_refused(c, access, code, ea);
        return false;
    }
    if (c->plan.wrong)
        sim_change_byte(to, n, c->plan.value);
    c->plan.wrong = false;
    return true;
}

/* The entry as its owner meant it, so that traces agree on every host. */
static void record_entry(const struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint64_t start = hal_swap64(sim_table_order(a), c->entry.word[0]);

    (void)sim_memory_known(&a->memory, start, &start);
    sim_record(a, SIM_EVENT_XLT_FILL, c->slot, start,
               hal_swap64(sim_table_order(a), c->entry.word[1]));
}

/* a walker that reads the words of an entry one after the other may see an old one and a new
 * one. True: the second word is still to come. */
static bool half_read(struct sim_cmd *c)
{
    uint64_t order = c->afu->params.rht_fetch;
    unsigned first = order == 1 ? 0 : 1;

    if (!order)
        return false;
    if (c->rht_half) {
        c->rht_half = false;
        c->entry.word[first] = c->rht_word;
        return false;
    }
    c->rht_half = true;
    c->rht_word = c->entry.word[first];
    sim_wait_bus(c, SIM_BUS_READ, SIM_STRICT_TABLE, entry_ea(c), entry_bytes(c), 0, SIM_RANK_DECODE,
                 walked);
    return true;
}

static void walked_rht(struct sim_cmd *c)
{
    if (!arrived(c, SIM_PSL_RHT, entry_ea(c), &c->entry, sizeof c->entry) || half_read(c))
        return;
    c->entry_valid = true;
    sim_strict_rht_read(&c->afu->strict, c->afu->engine->now, c->ctx_id, sim_table_order(c->afu),
                        &c->entry);
    cache_put(c->afu, rht_place(c), c->entry.word, 2);
    if (c->afu->tracing)
        record_entry(c);
    sim_translate(c);
}

static void walked_lxt(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint64_t index = lxt_index(c, c->lxt_which), raw;

    if (!arrived(c, SIM_PSL_LXT, entry_ea(c), &raw, sizeof raw))
        return;
    c->lxt[c->lxt_which] = hal_swap64(sim_table_order(a), raw);
    sim_strict_lxt_read(&a->strict, a->engine->now, c->ctx_id, entry_ea(c), c->lxt[c->lxt_which]);
    cache_put(a, lxt_place(rht_place(c), index), &c->lxt[c->lxt_which], 1);
    sim_record(a, SIM_EVENT_XLT_FILL, c->slot, c->lxt[c->lxt_which], index);
    c->lxt_which++;
    sim_translate(c);
}

HAL_HOT static void walked(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (c->restart_walk) {
        sim_translate_again(c);
    } else if (c->state == SIM_CMD_WALK_RHT) {
        walked_rht(c);
    } else {
        walked_lxt(c);
    }
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

/* What a translation goes by as long as it need not wait. */
struct way {
    struct afu_rht_virtual virt;
    struct place rht;
    unsigned needed; /* permission */
};

/* Steps 8 to 10 for one LXT word. False: no permission. */
SIM_IN_LINE static inline bool apply_lxt(struct sim_cmd *c, const struct way *w, unsigned which,
                                         uint64_t lba, uint32_t blocks)
{
    uint64_t word = c->lxt[which];
    struct sim_segment *part = &c->part[which];

    if (!(afu_lxt_permissions(word) & w->needed))
        return false;
    c->ports = (uint8_t)(which ? c->ports & afu_lxt_ports(word) : afu_lxt_ports(word));
    part->lba = afu_lxt_physical_lba(word, w->virt.nmask, lba);
    part->blocks = blocks;
    part->lun_index = afu_lxt_lun_index(word); /* becomes an id when the port is chosen */
    part->whole = false;
    sim_record(c->afu, SIM_EVENT_XLT_HIT, c->slot, lba, part->lba);
    return true;
}

HAL_HOT static __attribute__((noinline)) void walk_lxt(struct sim_cmd *c, unsigned which)
{
    c->lxt_which = (uint8_t)which;
    sim_record(c->afu, SIM_EVENT_XLT_MISS, c->slot, c->res_hndl, lxt_index(c, which));
    walk(c, SIM_CMD_WALK_LXT);
}

SIM_IN_LINE static inline bool need_lxt(struct sim_cmd *c, const struct way *w, unsigned which)
{
    uint64_t index = (c->vlba >> w->virt.nmask) + which;

    if (c->lxt_which > which || cache_get(c->afu, lxt_place(w->rht, index), &c->lxt[which], 1))
        return false;
    walk_lxt(c, which);
    return true;
}

/* The `segments` LXT words of a command, of whose blocks so many are in the first chunk. */
SIM_IN_LINE static inline void translate_segments(struct sim_cmd *c, const struct way *w,
                                                  uint32_t blocks, uint32_t first, uint8_t segments)
{
    c->segments = segments;
    if (need_lxt(c, w, 0) || (segments == 2 && need_lxt(c, w, 1)))
        return;
    if (too_long(c, blocks))
        sim_status_afu(c, AFU_RC_LXT_OUT_OF_BOUNDS, 0);
    else if (!apply_lxt(c, w, 0, c->vlba, first) ||
             (segments == 2 && !apply_lxt(c, w, 1, c->vlba + first, blocks - first)))
        sim_status_afu(c, AFU_RC_LXT_RW_PERM, 0);
    else
        sim_port_command(c);
}

/* Kept apart: most commands stay in one chunk. What lies behind two chunks is too long, or the rest
 * of a WRITE SAME. */
static __attribute__((noinline)) void translate_two(struct sim_cmd *c, uint32_t blocks,
                                                    uint32_t first)
{
    struct way w = {virtual_of(c), rht_place(c), needed_permission(c)};
    uint32_t two = (uint32_t)hal_min64(blocks, first + HAL_BIT(w.virt.nmask));

    c->rest = blocks - two;
    translate_segments(c, &w, two, first, 2);
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
        translate_segments(c, w, blocks, blocks, 1);
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
        sim_record(a, SIM_EVENT_XLT_MISS, c->slot, c->res_hndl, UINT64_MAX);
        walk(c, SIM_CMD_WALK_RHT);
        return;
    }
    c->entry_valid = true;
    translate_entry(c, rht);
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
