/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/sim_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/afu/sim_afu.h"
#include "sim/check/check.h"
#include "sim/check/check_books.h"
#include "sim/world.h"

/* Bytes to look at that one occasion earns: a stack of some 16 contexts is looked at every time. In
 * a long run a larger one pays more. */
enum { EARNED = 1 << 16, LONG_RUN = 32 };

struct picture_room {
    struct hal_picture_room base;
    struct check_room room;
};

struct sim_check {
    struct sim_watch watch;
    struct sim_afu *afu;
    struct sim_check_config config;
    struct picture_room drawn;
    struct check_view_room seen;
    struct check_room claimed;
    const struct hal_picture *picture; /* NULL: none, or out of date */
    struct check_view view;
    struct check_claims claims;
    uint64_t budget, cost; /* bytes; of the last look */
    uint64_t begun;        /* requests under way */
    struct check_order order;
    struct check_revokes revokes;
    struct sim_check_result result;
};

/* ---- which checkers ---- */

enum when {
    ALWAYS = 1, /* within requests too */
    QUIET = 2,
};

static const struct checker {
    check_fn *fn;
    unsigned when;
} checkers[] = {
    {check_inv_01, QUIET},          {check_inv_02, QUIET},          {check_inv_03, QUIET | ALWAYS},
    {check_inv_04, QUIET | ALWAYS}, {check_inv_05, QUIET | ALWAYS}, {check_inv_06, QUIET | ALWAYS},
    {check_inv_07, QUIET | ALWAYS}, {check_inv_08, QUIET},          {check_inv_09, QUIET | ALWAYS},
    {check_inv_10, QUIET | ALWAYS}, {check_inv_11, QUIET | ALWAYS}, {check_inv_12, QUIET},
    {check_inv_13, QUIET},          {check_inv_18, QUIET},          {check_inv_19, QUIET},
    {check_inv_20, QUIET},          {check_inv_21, QUIET},          {check_inv_22, QUIET},
    {check_inv_26, QUIET},
};

/* ---- what was found ---- */

static void broken(struct sim_check *c, const char *when, const struct check_verdict *v)
{
    struct sim_check_result *r = &c->result;

    r->by_invariant[v->invariant]++;
    if (r->broken++)
        return;
    r->invariant = v->invariant;
    snprintf(r->text, sizeof r->text, "cycle %" PRIu64 ", %s: INV-%u: %s", c->afu->engine->now,
             when, v->invariant, v->text);
    if (c->config.told)
        c->config.told(r->text);
}

/* ---- looking ---- */

static bool grow(struct hal_picture_room *room, size_t size)
{
    struct picture_room *r = HAL_CONTAINER_OF(room, struct picture_room, base);

    if (!check_room_for(&r->room, size))
        return false;
    room->block = r->room.block;
    room->size = r->room.size;
    return true;
}

/* Everything that checkers look at. False: no memory, or nobody to draw a picture. */
static bool take(struct sim_check *c)
{
    const struct hal_picture *p;
    uint64_t cost;

    c->picture = NULL;
    if (!c->config.picture || c->config.picture(c->config.arg, &c->drawn.base, &p) ||
        !check_view_take(c->afu, &c->seen, &c->view) ||
        !check_claims_take(p, &c->claimed, &c->claims))
        return false;
    c->picture = p;
    cost = p->bytes + (uint64_t)c->view.ctxs * 4096 + c->view.words * sizeof(struct check_word);
    c->cost = c->config.quiet_only && cost > EARNED ? cost * LONG_RUN : cost;
    return true;
}

static struct check_input input(const struct sim_check *c)
{
    return (struct check_input){c->picture, &c->view, &c->claims};
}

static void run_checkers(struct sim_check *c, const char *when, unsigned occasion)
{
    struct check_input in = input(c);
    struct check_verdict v;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(checkers); i++)
        if (checkers[i].when & occasion && !checkers[i].fn(&in, &v))
            broken(c, when, &v);
    if (!check_revokes_look(&c->revokes, c->picture, &v))
        broken(c, when, &v);
}

/* Whether the budget, with what this occasion earns, allows a look. */
static bool pay(struct sim_check *c)
{
    c->budget = hal_min64(c->budget + EARNED, c->cost + EARNED);
    if (c->budget < c->cost) {
        c->result.put_off++;
        return false;
    }
    c->budget -= c->cost;
    return true;
}

/* An occasion to look. What was drawn before is out of date from here on. */
static void look(struct sim_check *c, const char *when, unsigned occasion)
{
    c->picture = NULL;
    if (!pay(c) || !take(c))
        return;
    c->result.looks++;
    c->result.quiet_looks += occasion == QUIET;
    run_checkers(c, when, occasion);
}

/* ---- requests ---- */

static void on_note(struct sim_check *c, const struct sim_watched *w)
{
    enum { BEGIN, END }; /* hal.h */
    struct check_verdict v;

    if (w->number == BEGIN)
        c->begun++;
    if (w->number != END)
        return;
    c->begun -= c->begun > 0;
    if (c->begun)
        return;
    look(c, "after a request", QUIET);
    if (!check_order_request(&c->order, (int64_t)w->other, c->picture, &v))
        broken(c, "after a request", &v);
}

/* ---- tables ---- */

/* What is known of a store: where it goes, and the entry as it was and as it becomes. */
static struct check_store describe(const struct sim_check *c, const struct sim_watched *w)
{
    struct check_store s = {.ea = w->ea, .value = w->value, .thread = w->thread};
    uint64_t start = w->ea - w->ea % AFU_RHT_ENTRY_SIZE;
    struct sim_ctx *ctx;

    s.order = sim_table_order(c->afu);
    s.in_rht = sim_strict_in_rht(&c->afu->strict, w->ea, &s.context) &&
               (ctx = c->afu->ctx[s.context]) != NULL &&
               !sim_memory_read(start, &s.old, sizeof s.old);
    if (!s.in_rht)
        return s;
    s.handle = (uint16_t)((start - ctx->rht_start) / AFU_RHT_ENTRY_SIZE);
    s.word = w->ea != start;
    check_order_overlay(&c->order, start, &s.old);
    s.entry = s.old;
    s.entry.word[s.word] = w->value;
    s.room = sim_memory_room(&c->afu->memory, afu_rht_unpack_virtual(s.order, &s.entry).lxt_start) /
             AFU_LXT_ENTRY_SIZE;
    return s;
}

/* Chunks of the entries that a lower count withdraws. */
static void add_withdrawn(struct sim_check *c, const struct check_store *s, uint32_t lun)
{
    struct afu_rht_virtual old = afu_rht_unpack_virtual(s->order, &s->old);
    struct afu_rht_virtual now = afu_rht_unpack_virtual(s->order, &s->entry);
    uint64_t word;

    for (uint64_t i = now.lxt_cnt; i < old.lxt_cnt; i++) {
        if (sim_memory_read(old.lxt_start + i * sizeof word, &word, sizeof word))
            return;
        check_revokes_add(&c->revokes,
                          &(struct check_revoked){.chunk = afu_lxt_base(hal_swap64(s->order, word)),
                                                  .lun = lun,
                                                  .handle = s->handle,
                                                  .context = s->context});
    }
}

static void note_revoke(struct sim_check *c, const struct check_store *s)
{
    uint32_t lun = c->picture ? check_lun_of(c->picture, s->context, s->handle) : HAL_PICTURE_NONE;

    if (!s->in_rht || s->word == 0 || lun == HAL_PICTURE_NONE)
        return;
    if (afu_rht_entry_format(&s->old) != AFU_RHT_FORMAT_DIRECT)
        add_withdrawn(c, s, lun);
    else if (afu_rht_unpack_direct(s->order, &s->old).valid &&
             !afu_rht_unpack_direct(s->order, &s->entry).valid)
        check_revokes_add(&c->revokes, &(struct check_revoked){.chunk = CHECK_WHOLE,
                                                               .lun = lun,
                                                               .handle = s->handle,
                                                               .context = s->context});
}

static void on_store(struct sim_check *c, const struct sim_watched *w)
{
    struct check_store s = describe(c, w);
    struct check_verdict v;

    if (!check_revokes_store(&c->revokes, &s, &v))
        broken(c, "at a table store", &v);
    if (!check_order_store(&c->order, &s, c->picture ? &c->view : NULL, &v))
        broken(c, "at a table store", &v);
    note_revoke(c, &s);
}

/* The view may be older than the last sync: it is taken anew. */
static void on_release(struct sim_check *c, const struct sim_watched *w)
{
    struct check_verdict v;

    c->picture = NULL;
    if (c->cost <= EARNED && check_view_take(c->afu, &c->seen, &c->view) &&
        !check_inv_13_release(&c->view, w->ea, w->value, &v))
        broken(c, "when memory is given back", &v);
}

/* ---- syncs and contexts ---- */

/* What core believes is as before; it may not be asked, since any thread may run the model. */
static void look_again(struct sim_check *c, const char *when)
{
    if (!c->picture || !pay(c))
        return;
    if (!check_view_take(c->afu, &c->seen, &c->view)) {
        c->picture = NULL;
        return;
    }
    c->result.looks++;
    run_checkers(c, when, ALWAYS);
}

static void on_synced(struct sim_check *c, const struct sim_watched *w)
{
    bool heavy = w->number == AFU_SYNC_HW;

    look_again(c, "after an AFU sync");
    if (!w->good || w->number == AFU_SYNC_GSYNC)
        return;
    check_order_synced(&c->order, w->context, w->handle, heavy);
    if (heavy)
        check_revokes_synced(&c->revokes, w->context, w->handle);
}

static void on_end(struct sim_check *c, const struct sim_watched *w)
{
    check_order_ended(&c->order, w->context);
    look(c, "at the end of a context", ALWAYS);
}

/* ---- commands ---- */

static void on_media(struct sim_check *c, const struct sim_watched *w)
{
    struct check_input in = input(c);
    struct check_verdict v;

    if (!c->picture)
        return;
    c->result.accesses++;
    if (!check_inv_25(&in, w, !c->begun, &v) || !check_inv_17(&in, w, &v))
        broken(c, "at the medium", &v);
}

static void on_cut_off(struct sim_check *c, const struct sim_watched *w,
                       bool (*fn)(const struct hal_picture *, const struct sim_watched *,
                                  struct check_verdict *))
{
    struct check_verdict v;

    if (c->picture && !fn(c->picture, w, &v))
        broken(c, w->what == SIM_WATCH_LOAD ? "at a load" : "at a command", &v);
}

static void told_always(struct sim_check *c, const struct sim_watched *w)
{
    switch (w->what) {
    case SIM_WATCH_STORE:
        on_store(c, w);
        break;
    case SIM_WATCH_STORED:
        look(c, "after a table store", ALWAYS);
        break;
    case SIM_WATCH_PUBLISH:
        check_order_publish(&c->order, w->thread);
        look(c, "after a publish", ALWAYS);
        break;
    case SIM_WATCH_RELEASE:
        on_release(c, w);
        break;
    case SIM_WATCH_CTX_START:
        look(c, "at the start of a context", ALWAYS);
        break;
    case SIM_WATCH_CTX_END:
        on_end(c, w);
        break;
    case SIM_WATCH_SYNCED:
        on_synced(c, w);
        break;
    case SIM_WATCH_AFU_RESET:
        c->revokes.n = c->order.changes = 0;
        break;
    case SIM_WATCH_MEDIA:
        on_media(c, w);
        break;
    case SIM_WATCH_COMMAND:
        on_cut_off(c, w, check_inv_23);
        break;
    case SIM_WATCH_LOAD:
        on_cut_off(c, w, check_inv_27);
        break;
    default:
        break;
    }
}

static void told(struct sim_watch *self, const struct sim_watched *w)
{
    struct sim_check *c = HAL_CONTAINER_OF(self, struct sim_check, watch);

    if (!c->config.picture)
        return; /* core has gone */
    if (w->what == SIM_WATCH_NOTE)
        on_note(c, w);
    else if (!c->config.quiet_only)
        told_always(c, w);
}

/* ---- life ---- */

int sim_check_start(struct sim_afu *a, const struct sim_check_config *config,
                    struct sim_check **out)
{
    struct sim_check *c = sim_world_alloc(a->world, sizeof *c, 64);

    if (!c)
        return -ENOMEM;
    CHECK(!a->watch);
    c->watch.told = told;
    c->afu = a;
    c->config = *config;
    c->drawn.base.grow = grow;
    c->drawn.room.world = c->claimed.world = c->revokes.room.world = a->world;
    c->seen.ctx.world = c->seen.entry.world = c->seen.word.world = a->world;
    a->watch = &c->watch;
    *out = c;
    return 0;
}

void sim_check_finish(struct sim_check *c)
{
    c->budget = c->cost;
    look(c, "at the end", QUIET);
    c->config.picture = NULL;
    c->picture = NULL;
}

void sim_check_stop(struct sim_check *c)
{
    if (!c)
        return;
    c->afu->watch = NULL;
    check_room_fini(&c->drawn.room);
    check_room_fini(&c->claimed);
    check_room_fini(&c->revokes.room);
    check_room_fini(&c->seen.ctx);
    check_room_fini(&c->seen.entry);
    check_room_fini(&c->seen.word);
    sim_world_free(c->afu->world, c, sizeof *c);
}

const struct sim_check_result *sim_check_result(const struct sim_check *c) { return &c->result; }
