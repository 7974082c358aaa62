/* SPDX-License-Identifier: Apache-2.0 */
/* The AFU view (vlun.md 16): RHT and LXT memory that registered contexts lead to, the translation
 * cache, and commands that hold what they have read so far. Host memory is read as the AFU would
 * read it now; nothing of the model changes. */
#include <string.h>

#include "hal/support/bits.h"
#include "sim/afu/sim_afu.h"
#include "sim/check/check.h"

struct pen {
    struct sim_afu *a;
    const uint64_t *only; /* contexts, a bit each; NULL: all */
    struct check_view_room *room;
    struct check_view *view;
};

static bool is_wanted(const struct pen *pen, uint16_t number)
{
    return !pen->only || (pen->only[number / 64] >> number % 64 & 1);
}

static bool add_ctx(struct pen *pen, const struct sim_ctx *ctx)
{
    struct check_view *v = pen->view;
    struct check_ctx *to;

    if (!check_room_for(&pen->room->ctx, (v->ctxs + 1) * sizeof *to))
        return false;
    to = pen->room->ctx.block;
    v->ctx = to;
    to[v->ctxs++] = (struct check_ctx){.rht_start = ctx->rht_start,
                                       .rht_cnt_id = ctx->rht_cnt_id,
                                       .ctx_cap = ctx->ctx_cap,
                                       .number = ctx->handle,
                                       .master = ctx->master};
    return true;
}

static bool add_word(struct pen *pen, const struct check_word *word)
{
    struct check_view *v = pen->view;
    struct check_word *to;

    if (!check_room_for(&pen->room->word, (v->words + 1) * sizeof *to))
        return false;
    to = pen->room->word.block;
    v->word = to;
    to[v->words++] = *word;
    return true;
}

static struct check_entry unpack(const struct sim_afu *a, const struct afu_rht_entry *raw)
{
    struct afu_rht_virtual v = afu_rht_unpack_virtual(sim_table_order(a), raw);
    struct afu_rht_direct d = afu_rht_unpack_direct(sim_table_order(a), raw);
    bool direct = afu_rht_entry_format(raw) == AFU_RHT_FORMAT_DIRECT;

    return (struct check_entry){
        .start = v.lxt_start, /* LUN ids are in the same place */
        .room = direct ? 0 : sim_memory_room(&a->memory, v.lxt_start) / AFU_LXT_ENTRY_SIZE,
        .count = direct ? 0 : v.lxt_cnt,
        .permissions = v.permissions,
        .nmask = v.nmask,
        .direct = direct,
        .valid = direct && d.valid,
    };
}

static bool add_entry(struct pen *pen, const struct afu_rht_entry *raw, enum check_source source,
                      uint16_t context, uint16_t handle)
{
    struct check_view *v = pen->view;
    struct check_entry *to;

    if (!raw->word[0] && !raw->word[1])
        return true;
    if (!check_room_for(&pen->room->entry, (v->entries + 1) * sizeof *to))
        return false;
    to = pen->room->entry.block;
    v->entry = to;
    to += v->entries++;
    *to = unpack(pen->a, raw);
    to->source = (uint8_t)source;
    to->context = context;
    to->handle = handle;
    return true;
}

static void mark(struct check_slots *slots, uint32_t handle)
{
    if (handle / 64 < HAL_ARRAY_LENGTH(slots->used))
        slots->used[handle / 64] |= UINT64_C(1) << handle % 64;
}

void check_view_stored(struct check_view_room *room, uint16_t context, uint16_t handle)
{
    mark(&room->slots[context], handle);
}

void check_view_forget(struct check_view_room *room, uint16_t context)
{
    room->slots[context].rht = 0;
}

enum { PIECE = 256 }; /* entries of a table that are read at once */

/* The words that an entry in memory leads to, as far as they can be read. */
static bool add_array(struct pen *pen, struct check_entry e)
{
    uint64_t n = hal_min64(e.count, e.room), word[PIECE], got;

    for (uint64_t at = 0; at < n; at += PIECE) {
        uint64_t bytes = hal_min64(n - at, PIECE) * sizeof *word;

        got = (bytes - sim_memory_read(e.start + at * sizeof *word, word, bytes)) / sizeof *word;
        for (uint64_t i = 0; i < got; i++)
            if (!add_word(pen,
                          &(struct check_word){.word = hal_swap64(sim_table_order(pen->a), word[i]),
                                               .index = (uint32_t)(at + i),
                                               .context = e.context,
                                               .handle = e.handle}))
                return false;
        if (got * sizeof *word < bytes)
            return true;
    }
    return true;
}

/* An RHT entry in memory, and what it leads to. */
static bool add_handle(struct pen *pen, const struct afu_rht_entry *raw, uint16_t context,
                       uint32_t handle)
{
    uint32_t before = pen->view->entries;

    return add_entry(pen, raw, CHECK_MEMORY, context, (uint16_t)handle) &&
           (pen->view->entries == before || add_array(pen, pen->view->entry[before]));
}

/* All of it, and which entries are worth a look at a part. */
static bool add_rht(struct pen *pen, const struct sim_ctx *ctx, struct check_slots *slots)
{
    uint32_t n = ctx->rht_start ? afu_rht_cnt_id_count(ctx->rht_cnt_id) : 0;
    struct afu_rht_entry raw[PIECE];

    *slots =
        (struct check_slots){.rht = n <= 64 * HAL_ARRAY_LENGTH(slots->used) ? ctx->rht_start : 0};
    for (uint32_t at = 0; at < n; at += PIECE) {
        size_t bytes = hal_min64(n - at, PIECE) * sizeof *raw;
        size_t got = bytes - sim_memory_read(ctx->rht_start + at * sizeof *raw, raw, bytes);

        for (uint32_t i = 0; i < got / sizeof *raw; i++) {
            if (!raw[i].word[0] && !raw[i].word[1])
                continue;
            mark(slots, at + i);
            if (!add_handle(pen, &raw[i], ctx->handle, at + i))
                return false;
        }
        if (got < bytes)
            return true;
    }
    return true;
}

static bool add_slots(struct pen *pen, const struct sim_ctx *ctx, const struct check_slots *slots)
{
    for (uint32_t word = 0; word < HAL_ARRAY_LENGTH(slots->used); word++)
        for (uint64_t bits = slots->used[word]; bits; bits &= bits - 1) {
            uint32_t handle = word * 64 + hal_lowest_bit(bits);
            struct afu_rht_entry raw;

            if (!sim_memory_read(ctx->rht_start + handle * sizeof raw, &raw, sizeof raw) &&
                !add_handle(pen, &raw, ctx->handle, handle))
                return false;
        }
    return true;
}

static bool add_handles(struct pen *pen, const struct sim_ctx *ctx)
{
    struct check_slots *slots = &pen->room->slots[ctx->handle];

    if (pen->only && !pen->room->untold && slots->rht && slots->rht == ctx->rht_start)
        return add_slots(pen, ctx, slots);
    return add_rht(pen, ctx, slots);
}

static bool add_context(struct pen *pen, uint32_t number)
{
    const struct sim_ctx *ctx = pen->a->ctx[number];

    return !ctx || !ctx->started || (add_ctx(pen, ctx) && add_handles(pen, ctx));
}

static bool add_contexts(struct pen *pen)
{
    uint32_t left = pen->a->ctx_open;

    for (uint32_t i = 0; left && i < SIM_CONTEXTS_MAX; i++) {
        left -= pen->a->ctx[i] != NULL;
        if (!add_context(pen, i))
            return false;
    }
    return true;
}

static bool add_some_contexts(struct pen *pen)
{
    for (uint32_t word = 0; word < SIM_CONTEXTS_MAX / 64; word++)
        for (uint64_t bits = pen->only[word]; bits; bits &= bits - 1)
            if (!add_context(pen, word * 64 + hal_lowest_bit(bits)))
                return false;
    return true;
}

static bool add_cache(struct pen *pen)
{
    for (uint64_t i = 0; i < pen->a->params.xlt_entries; i++) {
        const struct sim_xlt_entry *e = &pen->a->xlt[i];
        struct sim_xlt_key key;
        struct afu_rht_entry raw;
        struct check_word w;

        if (!sim_xlt_key(e, &key) || !is_wanted(pen, key.context))
            continue;
        memcpy(&raw, e->word, sizeof raw);
        w = (struct check_word){e->word[0], key.index, key.context, key.handle, CHECK_CACHE};
        if (key.lxt ? !add_word(pen, &w)
                    : !add_entry(pen, &raw, CHECK_CACHE, key.context, key.handle))
            return false;
    }
    return true;
}

/* What a command has read, and may still use. A walk that is going to start again uses nothing. */
static bool add_command(struct pen *pen, const struct sim_cmd *c)
{
    uint16_t handle = (uint16_t)c->res_hndl;

    if (!add_entry(pen, &c->entry, CHECK_WALK, c->ctx_id, handle))
        return false;
    if (afu_rht_entry_format(&c->entry) == AFU_RHT_FORMAT_DIRECT)
        return true;
    for (uint32_t i = 0; i < c->lxt_which; i++) {
        struct check_word w = {c->lxt[i], (uint32_t)(c->vlba >> AFU_NMASK_MIN) + i, c->ctx_id,
                               handle, CHECK_WALK};

        if (!add_word(pen, &w))
            return false;
    }
    return true;
}

static bool add_walks(struct pen *pen)
{
    const struct sim_afu *a = pen->a;

    if (a->free_count == a->params.cmd_slots)
        return true;
    for (uint64_t i = 0; i < a->params.cmd_slots; i++) {
        const struct sim_cmd *c = &a->cmds[i];
        bool walks = c->state == SIM_CMD_WALK_LXT || c->state == SIM_CMD_WALK_RHT;

        if (walks && c->entry_valid && !c->restart_walk && is_wanted(pen, c->ctx_id) &&
            !add_command(pen, c))
            return false;
    }
    return true;
}

bool check_view_take(struct sim_afu *a, const uint64_t *only, struct check_view_room *room,
                     struct check_view *out)
{
    struct pen pen = {a, only, room, out};

    memset(out, 0, sizeof *out);
    for (unsigned p = 0; p < HAL_PICTURE_PORTS; p++)
        out->lun_table[p] = a->port[p].lun_table;
    return (only ? add_some_contexts(&pen) : add_contexts(&pen)) && add_cache(&pen) &&
           add_walks(&pen);
}
