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
#include "sim/check/check_known.h"
#include "sim/check/check_owned.h"
#include "sim/sim_media.h"
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
    struct check_owned owned;         /* of the last look at each context */
    struct check_known known;         /* whether that is so still */
    uint64_t budget, cost;            /* bytes; of the last look */
    uint64_t begun;                   /* requests under way */
    uint64_t requests;                /* that have begun ever */
    uint64_t begun_here;              /* the same, unless they are counted with those of others */
    uint64_t anew[AFU_CONTEXTS / 64]; /* numbers given out anew while a lost context had them */
    struct check_clone clone;
    struct check_order order;
    struct check_revokes revokes;
    struct check_taints taints;
    struct check_kept kept;
    struct check_waits waits;
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
    {check_inv_07, QUIET | ALWAYS}, {check_inv_08, QUIET | ALWAYS}, {check_inv_09, QUIET | ALWAYS},
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

/* What checkers look at: everything, or contexts of `only`. False: no memory, or nobody to draw a
 * picture. */
static bool take(struct sim_check *c, const uint64_t *only)
{
    const struct hal_picture *p;
    uint64_t cost;

    c->picture = NULL;
    if (!c->config.picture || c->config.picture(c->config.arg, only, &c->drawn.base, &p) ||
        !check_view_take(c->afu, only, &c->seen, &c->view) ||
        !check_claims_take(p, &c->claimed, &c->claims))
        return false;
    c->picture = p;
    check_known_drawn(&c->known);
    cost = p->bytes + (uint64_t)c->view.ctxs * 4096 + c->view.words * sizeof(struct check_word);
    c->cost = c->config.quiet_only && cost > EARNED ? cost * LONG_RUN : cost;
    return true;
}

/* ---- the medium ---- */

static int is_zero(void *arg, uint64_t offset, const void *data, size_t n)
{
    const uint8_t *bytes = data;

    (void)arg, (void)offset;
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return -EILSEQ;
    return 0;
}

/* LUN ids are those of single-level LUNs: the number in the first two bytes (SL 23.9). */
static bool chunk_is_zero(void *arg, const struct check_tainted *tainted)
{
    struct sim_check *c = arg;
    struct sim_media *m = c->afu->scsi.media;
    unsigned lun = (unsigned)(tainted->lun_id[hal_lowest_bit(tainted->ports)] >> 48);
    uint64_t first = tainted->chunk * CHECK_CHUNK_BLOCKS;

    for (uint64_t lba = first; lba < first + CHECK_CHUNK_BLOCKS; lba++)
        if (sim_media_mapped(m, lun, lba) && sim_media_read(m, lun, lba, 1, is_zero, NULL))
            return false;
    return true;
}

static struct check_input input(const struct sim_check *c)
{
    return (struct check_input){c->picture, &c->view, &c->claims, &c->owned};
}

/* Runs checkers until one says that something is wrong, from number *next on. */
static bool next_broken(struct sim_check *c, unsigned occasion, size_t *next,
                        struct check_verdict *v)
{
    struct check_input in = input(c);

    while (*next < HAL_ARRAY_LENGTH(checkers)) {
        const struct checker *checker = &checkers[(*next)++];

        if (checker->when & occasion && !checker->fn(&in, v))
            return true;
    }
    return false;
}

static void run_books(struct sim_check *c, const char *when)
{
    struct check_input in = input(c);
    struct check_verdict v;

    if (!check_revokes_look(&c->revokes, &in, &v))
        broken(c, when, &v);
    if (!check_taints_look(&c->taints, &in, chunk_is_zero, c, &v))
        broken(c, when, &v);
}

static void run_checkers(struct sim_check *c, const char *when, unsigned occasion)
{
    struct check_verdict v;
    size_t next = 0;

    while (next_broken(c, occasion, &next, &v))
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

/* What a lost context has changes without its number. */
static bool any_lost(const struct hal_picture *p)
{
    for (uint32_t i = 0; i < p->n.contexts; i++)
        if (hal_picture_context(p, i)->errored)
            return true;
    return false;
}

static void remember(struct sim_check *c, const uint64_t *only, bool quiet)
{
    bool complete = check_owned_take(&c->owned, only, c->picture, &c->view);

    check_known_remember(&c->known, !only, quiet, complete && (only || !any_lost(c->picture)));
}

/* Everything, and whether looks at parts have missed anything: nothing but what is touched may have
 * changed. */
static bool take_whole(struct sim_check *c, const char *when)
{
    uint32_t changed = CHECK_NUMBERS;
    struct check_verdict v;

    if (!take(c, NULL))
        return false;
    if (check_known_compares(&c->known))
        changed = check_owned_changed(&c->owned, c->known.touched, c->picture);
    if (changed < CHECK_NUMBERS) {
        (void)check_broken(&v, 0, "context %" PRIu32 " has changed, and nobody asked for it",
                           changed);
        broken(c, when, &v);
    }
    remember(c, NULL, false);
    return true;
}

/* The contexts that were touched. Something wrong at a quiet point, or with the sums, is looked at
 * with everything, which says what it is. */
static bool take_part(struct sim_check *c, const char *when, unsigned occasion)
{
    struct check_verdict v;
    size_t next = 0;

    if (!take(c, c->known.touched))
        return false;
    CHECK(c->picture);
    remember(c, c->known.touched, occasion == QUIET);
    if (occasion == QUIET && (!c->picture->clients || next_broken(c, QUIET, &next, &v) ||
                              !check_owned_adds_up(&c->owned, c->picture)))
        return take_whole(c, when);
    return true;
}

/* An occasion to look. What was drawn before is out of date from here on. */
static void look(struct sim_check *c, const char *when, unsigned occasion)
{
    bool quiet = occasion == QUIET;
    enum check_extent extent = check_known_next(&c->known, quiet);

    if (extent == CHECK_NOTHING)
        return;
    c->picture = NULL;
    if (!pay(c) || !(extent == CHECK_ALL ? take_whole(c, when) : take_part(c, when, occasion))) {
        check_known_forget(&c->known);
        return;
    }
    c->result.looks++;
    c->result.quiet_looks += quiet;
    if (!quiet || !c->picture->part)
        run_checkers(c, when, occasion);
    run_books(c, when);
    check_known_looked(&c->known, quiet);
}

static bool read_word(void *arg, uint64_t ea, uint64_t *value)
{
    (void)arg;
    return sim_memory_read(ea, value, sizeof *value) == 0;
}

/* ---- what resets leave as it was ---- */

/* As it will be: who stores to the tables of a lost context has nobody to publish it for. */
static bool read_kept(void *arg, uint64_t ea, uint64_t *value)
{
    const struct sim_check *c = arg;

    return check_order_stored(&c->order, ea, value) || read_word(NULL, ea, value);
}

static void look_at_lost(struct sim_check *c, const char *when, bool quiet)
{
    struct check_verdict v;

    if (c->picture && !check_kept_look(&c->kept, c->picture, quiet, read_kept, c, &v))
        broken(c, when, &v);
}

/* The same with a picture of now: contexts are about to be lost, or there are some that are. It
 * happens seldom, and costs no budget. */
static void draw_lost(struct sim_check *c, const char *when)
{
    if (take_whole(c, when))
        look_at_lost(c, when, false);
}

/* ---- requests ---- */

static bool is_quiet(const struct sim_check *c) { return *c->config.begun == 0; }

/* What a request may change. A context that begins, or whose tables are emptied and which ends, is
 * told by events, unless they are not heard; an ATTACH to a context that there is already tells
 * nothing. CLONE says whose handles it copies, not who gets them. */
static void touch_by(struct sim_check *c, uint32_t number, uint64_t context)
{
    if (number == CHECK_CLONE)
        context = CHECK_NO_CONTEXT;
    if (!c->config.quiet_only && number == CHECK_ATTACH && context == CHECK_NO_CONTEXT)
        check_known_attach(&c->known);
    else if (c->config.quiet_only || number != CHECK_CLIENT_DESTROY)
        check_known_touch(&c->known, context);
}

/* What is compared at its end is certain only if nothing else changes meanwhile. */
static void watch_clone(struct sim_check *c, const struct sim_watched *w)
{
    c->requests++;
    if (w->value == CHECK_CLONE && is_quiet(c) && check_known_holds(&c->known) &&
        w->other < CHECK_NUMBERS)
        check_clone_begin(&c->clone, (uint16_t)w->other, w->thread, c->requests, &c->owned);
}

static void look_at_clone(struct sim_check *c, const struct sim_watched *w)
{
    struct check_clone clone = c->clone;
    struct check_verdict v;

    c->clone.watched = false;
    if (clone.watched && clone.thread == w->thread && clone.requests == c->requests &&
        w->value == CHECK_CLONE && !w->other && c->picture && !c->picture->part &&
        !check_clone_look(&clone, c->picture, &v))
        broken(c, "after a request", &v);
}

static void on_begin(struct sim_check *c, const struct sim_watched *w)
{
    const struct hal_picture *p = c->picture;
    uint64_t things = p ? p->n.handles + p->n.held + c->begun : UINT16_MAX;

    if (c->kept.n)
        draw_lost(c, "before a request");
    watch_clone(c, w);
    check_kept_touch(&c->kept, (uint32_t)w->value, w->other);
    check_waits_begin(&c->waits, (uint32_t)w->value, w->thread, c->afu->engine->now, things);
    c->begun++;
    ++*c->config.begun;
    touch_by(c, (uint32_t)w->value, w->other);
}

/* What it got may be used at once (INV-25). */
static void on_end_of_one(struct sim_check *c)
{
    check_known_ended(&c->known);
    if (!c->config.quiet_only)
        look(c, "after a request beside others", ALWAYS);
}

static void on_request_end(struct sim_check *c, const struct sim_watched *w)
{
    struct check_verdict v;

    check_waits_end(&c->waits, (uint32_t)w->value, w->thread, c->afu->engine->now);
    c->begun -= c->begun > 0;
    *c->config.begun -= *c->config.begun > 0;
    if ((int64_t)w->other < 0)
        check_order_failed(&c->order, w->thread);
    if (!is_quiet(c)) {
        on_end_of_one(c);
        return;
    }
    look(c, "after a request", QUIET);
    look_at_lost(c, "after a request", true);
    look_at_clone(c, w);
    if (!check_order_request(&c->order, c->picture, &v))
        broken(c, "after a request", &v);
}

static void on_state(struct sim_check *c, const struct sim_watched *w)
{
    if (w->value == CHECK_MACHINE_CONTEXT && w->other < CHECK_NUMBERS)
        check_known_told(&c->known, (uint32_t)w->other);
    else
        check_known_changed(&c->known);
    if (!c->config.quiet_only)
        look(c, "after a change of state", ALWAYS);
    if (c->kept.n || (w->value == CHECK_MACHINE_CONTEXT && w->other >= AFU_CONTEXTS))
        draw_lost(c, "after a change of state");
}

static void on_note(struct sim_check *c, const struct sim_watched *w)
{
    enum { BEGIN, END, STATE }; /* hal.h */

    if (w->number == BEGIN)
        on_begin(c, w);
    else if (w->number == END)
        on_request_end(c, w);
    else if (w->number == STATE)
        on_state(c, w);
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
    const struct check_owned_handle *h =
        check_known_holds(&c->known) ? check_owned_handle(&c->owned, s->context, s->handle) : NULL;
    uint32_t lun = h            ? h->lun
                   : c->picture ? check_lun_of(c->picture, s->context, s->handle)
                                : HAL_PICTURE_NONE;

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

    if (s.in_rht) {
        check_known_touch(&c->known, s.context);
        check_view_stored(&c->seen, s.context, s.handle);
    }
    if (!check_revokes_store(&c->revokes, &s, &v))
        broken(c, "at a table store", &v);
    if (!check_order_store(&c->order, &s, check_known_holds(&c->known) ? &c->owned : NULL, &v)) {
        broken(c, "at a table store", &v);
        check_known_stored_in_use(&c->known,
                                  s.in_rht ? s.context : check_owned_reaches(&c->owned, s.ea));
    }
    if (!s.in_rht && c->kept.n)
        check_order_store_lost(&c->order, &s);
    note_revoke(c, &s);
}

/* There is something new to look at when a word of an RHT has arrived in memory: at its store or
 * later, but at its publish. */
static void look_at_tables(struct sim_check *c, const char *when)
{
    if (check_known_tables(&c->known, check_order_arrived(&c->order, read_word, NULL)))
        look(c, when, ALWAYS);
}

/* Of what was touched the view may be older than the last sync: it is taken anew. */
static void on_release(struct sim_check *c, const struct sim_watched *w)
{
    struct check_verdict v;

    c->picture = NULL;
    if (c->cost > EARNED || !check_known_holds(&c->known))
        return;
    if ((check_view_take(c->afu, c->known.touched, &c->seen, &c->view) &&
         !check_inv_13_release(&c->view, w->ea, w->value, &v)) ||
        !check_inv_13_release_rest(&c->owned, c->known.touched, w->ea, w->value, &v))
        broken(c, "when memory is given back", &v);
}

/* ---- syncs and contexts ---- */

/* A sync takes entries out of the cache, which breaks nothing; but its doorbell publishes. What
 * core believes is as before; it may not be asked, since any thread may run the model. Nor is it
 * held against the books, which may know of a store that has not happened yet. */
static void look_again(struct sim_check *c, const char *when)
{
    if (!check_order_arrived(&c->order, read_word, NULL))
        return;
    check_known_arrived(&c->known); /* what is looked at now is not what is known afterwards */
    if (!c->picture || !check_known_current(&c->known) || !pay(c))
        return;
    if (!check_view_take(c->afu, c->picture->part ? c->known.touched : NULL, &c->seen, &c->view)) {
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

/* What comes from such a number is not of the lost context, also when the new one has ended and
 * only its file is left. */
static void on_start(struct sim_check *c, const struct sim_watched *w)
{
    uint64_t *word = &c->anew[w->context / 64], bit = HAL_BIT(w->context % 64);
    struct check_verdict v;

    check_known_touch(&c->known, w->context);
    check_view_forget(&c->seen, w->context);
    look(c, "at the start of a context", ALWAYS);
    *word |= bit;
    if (c->picture && check_inv_23(c->picture, w, &v))
        *word &= ~bit;
}

static bool is_anew(const struct sim_check *c, uint16_t number)
{
    return c->anew[number / 64] >> number % 64 & 1;
}

static void on_end(struct sim_check *c, const struct sim_watched *w)
{
    check_order_ended(&c->order, w->context);
    check_known_touch(&c->known, w->context);
    look(c, "at the end of a context", ALWAYS);
}

/* ---- commands ---- */

static void on_media(struct sim_check *c, const struct sim_watched *w)
{
    const struct sim_ctx *ctx = c->afu->ctx[w->context];
    bool own = !w->by_handle && ctx && ctx->master;
    struct check_input in = input(c);
    struct check_verdict v;

    if (own)
        check_waits_restart(&c->waits, c->afu->engine->now); /* a wipe goes on */
    if (c->config.quiet_only)
        return;
    check_taints_media(&c->taints, w, own);
    if (!c->picture)
        return;
    c->result.accesses++;
    if (!check_inv_25(&in, w, is_quiet(c), &v) || !check_inv_17(&in, w, is_quiet(c), &v))
        broken(c, "at the medium", &v);
}

static void on_cut_off(struct sim_check *c, const struct sim_watched *w,
                       bool (*fn)(const struct hal_picture *, const struct sim_watched *,
                                  struct check_verdict *))
{
    struct check_verdict v;

    if (c->picture && !is_anew(c, w->context) && !fn(c->picture, w, &v))
        broken(c, w->what == SIM_WATCH_LOAD ? "at a load" : "at a command", &v);
}

static void told_always(struct sim_check *c, const struct sim_watched *w)
{
    switch (w->what) {
    case SIM_WATCH_STORE:
        on_store(c, w);
        break;
    case SIM_WATCH_STORED:
        look_at_tables(c, "after a table store");
        break;
    case SIM_WATCH_PUBLISH:
        look_at_tables(c, "after a publish");
        check_order_publish(&c->order, w->thread);
        break;
    case SIM_WATCH_RELEASE:
        on_release(c, w);
        break;
    case SIM_WATCH_CTX_START:
        on_start(c, w);
        break;
    case SIM_WATCH_CTX_END:
        on_end(c, w);
        break;
    case SIM_WATCH_SYNCED:
        on_synced(c, w);
        break;
    case SIM_WATCH_AFU_RESET:
        c->revokes.n = c->order.changes = 0;
        check_known_changed(&c->known);
        break;
    case SIM_WATCH_CUT_OFF: /* the AFU sees nothing; what core believes may not be asked now */
        c->picture = NULL;
        check_known_changed(&c->known);
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

    struct check_verdict v;

    if (!c->config.picture)
        return; /* core has gone */
    if (!check_waits_look(&c->waits, c->afu->engine->now, &v))
        broken(c, "during a request", &v);
    if (w->what == SIM_WATCH_NOTE)
        on_note(c, w);
    else if (w->what == SIM_WATCH_MEDIA)
        on_media(c, w);
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
    if (!c->config.begun)
        c->config.begun = &c->begun_here;
    c->drawn.base.grow = grow;
    c->seen.untold = config->quiet_only;
    c->drawn.room.world = c->claimed.world = c->revokes.room.world = a->world;
    c->taints.deaf = config->quiet_only || config->begun; /* others may wipe it */
    c->taints.room.world = c->waits.room.world = a->world;
    c->kept.room.world = c->kept.fresh.world = a->world;
    for (unsigned i = 0; i < CHECK_NUMBERS; i++)
        c->owned.of[i].has.world = c->owned.of[i].reach.world = a->world;
    c->seen.ctx.world = c->seen.entry.world = c->seen.word.world = a->world;
    a->watch = &c->watch;
    *out = c;
    return 0;
}

void sim_check_finish(struct sim_check *c)
{
    c->budget = c->cost;
    check_known_touch(&c->known, CHECK_NUMBERS);
    look(c, "at the end", QUIET);
    c->config.picture = NULL;
    c->picture = NULL;
}

void sim_check_stop(struct sim_check *c)
{
    if (!c)
        return;
    c->afu->watch = NULL;
    check_owned_fini(&c->owned);
    check_room_fini(&c->drawn.room);
    check_room_fini(&c->claimed);
    check_room_fini(&c->revokes.room);
    check_room_fini(&c->taints.room);
    check_room_fini(&c->kept.room);
    check_room_fini(&c->kept.fresh);
    check_room_fini(&c->waits.room);
    check_room_fini(&c->seen.ctx);
    check_room_fini(&c->seen.entry);
    check_room_fini(&c->seen.word);
    sim_world_free(c->afu->world, c, sizeof *c);
}

const struct sim_check_result *sim_check_result(const struct sim_check *c) { return &c->result; }
