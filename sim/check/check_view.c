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
    struct check_view_room *room;
    struct check_view *view;
};

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

/* The words that an entry in memory leads to, as far as they can be read. */
static bool add_array(struct pen *pen, struct check_entry e)
{
    uint64_t n = hal_min64(e.count, e.room);

    for (uint32_t i = 0; i < n; i++) {
        struct check_word w = {.index = i, .context = e.context, .handle = e.handle};

        if (sim_memory_read(e.start + i * sizeof w.word, &w.word, sizeof w.word))
            return true;
        w.word = hal_swap64(sim_table_order(pen->a), w.word);
        if (!add_word(pen, &w))
            return false;
    }
    return true;
}

static bool add_rht(struct pen *pen, const struct sim_ctx *ctx)
{
    uint32_t n = afu_rht_cnt_id_count(ctx->rht_cnt_id);

    for (uint32_t h = 0; ctx->rht_start && h < n; h++) {
        struct afu_rht_entry raw;
        uint32_t before = pen->view->entries;

        if (sim_memory_read(ctx->rht_start + h * sizeof raw, &raw, sizeof raw))
            return true;
        if (!add_entry(pen, &raw, CHECK_MEMORY, ctx->handle, (uint16_t)h))
            return false;
        if (pen->view->entries > before && !add_array(pen, pen->view->entry[before]))
            return false;
    }
    return true;
}

static bool add_contexts(struct pen *pen)
{
    uint32_t left = pen->a->ctx_open;

    for (uint32_t i = 0; left && i < SIM_CONTEXTS_MAX; i++) {
        const struct sim_ctx *ctx = pen->a->ctx[i];

        if (!ctx)
            continue;
        left--;
        if (ctx->started && !(add_ctx(pen, ctx) && add_rht(pen, ctx)))
            return false;
    }
    return true;
}

static bool add_cache(struct pen *pen)
{
    for (uint64_t i = 0; i < pen->a->params.xlt_entries; i++) {
        const struct sim_xlt_entry *e = &pen->a->xlt[i];
        struct sim_xlt_key key;
        struct afu_rht_entry raw;
        struct check_word w;

        if (!sim_xlt_key(e, &key))
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

    if (!add_entry(pen, &c->entry, CHECK_WALK, c->ctx->handle, handle))
        return false;
    if (afu_rht_entry_format(&c->entry) == AFU_RHT_FORMAT_DIRECT)
        return true;
    for (uint32_t i = 0; i < c->lxt_which; i++) {
        struct check_word w = {c->lxt[i], (uint32_t)(c->vlba >> AFU_NMASK_MIN) + i, c->ctx->handle,
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

        if (walks && c->entry_valid && !c->restart_walk && !add_command(pen, c))
            return false;
    }
    return true;
}

bool check_view_take(struct sim_afu *a, struct check_view_room *room, struct check_view *out)
{
    struct pen pen = {a, room, out};

    memset(out, 0, sizeof *out);
    for (unsigned p = 0; p < HAL_PICTURE_PORTS; p++)
        out->lun_table[p] = a->port[p].lun_table;
    return add_contexts(&pen) && add_cache(&pen) && add_walks(&pen);
}
