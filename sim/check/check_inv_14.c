/* SPDX-License-Identifier: Apache-2.0 */
/* INV-14, for each thread: entries before pointer before count before sync when something is shown
 * (VL-19); count before pointer before heavy sync when something is withdrawn (VL-25); `valid` last
 * when a direct handle is shown and first when it is withdrawn (VL-49). That nothing is freed
 * before the sync is INV-15. */
#include <inttypes.h>
#include <string.h>

#include "sim/check/check_books.h"
#include "sim/check/check_owned.h"

/* ---- what is not published yet ---- */

/* Takes the oldest away if the table is full. */
static uint32_t make_place(void *table, uint32_t n, uint32_t most, size_t size)
{
    if (n < most)
        return n;
    memmove(table, (char *)table + size, (most - 1) * size);
    return most - 1;
}

static void remember_run(struct check_order *o, const struct check_store *s)
{
    for (uint32_t i = 0; i < o->runs; i++)
        if (o->run[i].end == s->ea && o->run[i].thread == s->thread) {
            o->run[i].end += sizeof s->value;
            return;
        }
    o->runs = make_place(o->run, o->runs, CHECK_RUNS, sizeof *o->run);
    o->run[o->runs++] = (struct check_unpublished){s->thread, s->ea, s->ea + sizeof s->value};
}

static bool shows_nothing(const struct check_store *s, const struct afu_rht_entry *e)
{
    return afu_rht_entry_format(e) == AFU_RHT_FORMAT_DIRECT
               ? !afu_rht_unpack_direct(s->order, e).valid
               : !afu_rht_unpack_virtual(s->order, e).lxt_cnt;
}

/* A word of an entry that shows nothing before and after it, as its pointer with a count of 0, is
 * not waited for: the AFU can reach what it could. */
static void remember_word(struct check_order *o, const struct check_store *s)
{
    bool unseen = shows_nothing(s, &s->old) && shows_nothing(s, &s->entry);

    o->words = make_place(o->word, o->words, CHECK_WORDS, sizeof *o->word);
    o->word[o->words++] = (struct check_unpublished_word){s->thread, s->ea, s->value, unseen};
}

static bool unpublished(const struct check_order *o, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < o->runs; i++)
        if (o->run[i].start < end && start < o->run[i].end)
            return true;
    return false;
}

static bool word_unpublished(const struct check_order *o, uint64_t ea)
{
    for (uint32_t i = 0; i < o->words; i++)
        if (o->word[i].ea == ea)
            return true;
    return false;
}

void check_order_overlay(const struct check_order *o, uint64_t entry_ea, struct afu_rht_entry *e)
{
    for (uint32_t i = 0; i < o->words; i++)
        if (o->word[i].ea - entry_ea < AFU_RHT_ENTRY_SIZE)
            e->word[(o->word[i].ea - entry_ea) / sizeof e->word[0]] = o->word[i].value;
}

void check_order_store_lost(struct check_order *o, const struct check_store *s)
{
    o->words = make_place(o->word, o->words, CHECK_WORDS, sizeof *o->word);
    o->word[o->words++] = (struct check_unpublished_word){s->thread, s->ea, s->value, true};
}

bool check_order_stored(const struct check_order *o, uint64_t ea, uint64_t *value)
{
    bool stored = false;

    for (uint32_t i = 0; i < o->words; i++)
        if (o->word[i].ea == ea) {
            *value = o->word[i].value;
            stored = true;
        }
    return stored;
}

bool check_order_arrived(struct check_order *o, check_read_fn *read, void *arg)
{
    bool any = false;
    uint64_t value;

    for (uint32_t i = 0; i < o->words; i++) {
        struct check_unpublished_word *w = &o->word[i];

        if (w->arrived || !read(arg, w->ea, &value) || value != w->value)
            continue;
        w->arrived = any = true;
    }
    return any;
}

void check_order_publish(struct check_order *o, uint64_t thread)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < o->runs; i++)
        if (o->run[i].thread != thread)
            o->run[kept++] = o->run[i];
    o->runs = kept;
    kept = 0;
    for (uint32_t i = 0; i < o->words; i++)
        if (o->word[i].thread != thread)
            o->word[kept++] = o->word[i];
    o->words = kept;
}

/* ---- what is not synced yet ---- */

static struct check_change *add_change(struct check_order *o, const struct check_store *s,
                                       bool heavy)
{
    for (uint32_t i = 0; i < o->changes; i++)
        if (o->change[i].context == s->context && o->change[i].handle == s->handle) {
            o->change[i].heavy |= heavy;
            o->change[i].thread = s->thread;
            return &o->change[i];
        }
    o->changes = make_place(o->change, o->changes, CHECK_CHANGES, sizeof *o->change);
    o->change[o->changes] = (struct check_change){
        .thread = s->thread, .handle = s->handle, .context = s->context, .heavy = heavy};
    return &o->change[o->changes++];
}

/* Whether a pointer leads to the word already, and its count does not yet. */
static bool is_pointed_to(const struct check_order *o, uint64_t ea)
{
    for (uint32_t i = 0; i < o->changes; i++)
        if (ea - o->change[i].start < o->change[i].bytes)
            return true;
    return false;
}

void check_order_synced(struct check_order *o, uint16_t context, uint32_t handle, bool heavy)
{
    uint32_t kept = 0;

    o->runs = 0;
    for (uint32_t i = 0; i < o->words; i++)
        if (!o->word[i].arrived) /* it was stored after the doorbell */
            o->word[kept++] = o->word[i];
    o->words = kept;
    kept = 0;
    for (uint32_t i = 0; i < o->changes; i++) {
        const struct check_change *c = &o->change[i];

        if (c->context != context || c->handle != handle || (c->heavy && !heavy))
            o->change[kept++] = *c;
    }
    o->changes = kept;
}

void check_order_ended(struct check_order *o, uint16_t context)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < o->changes; i++)
        if (o->change[i].context != context)
            o->change[kept++] = o->change[i];
    o->changes = kept;
}

void check_order_failed(struct check_order *o, uint64_t thread)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < o->changes; i++)
        if (o->change[i].thread != thread)
            o->change[kept++] = o->change[i];
    o->changes = kept;
}

bool check_order_request(struct check_order *o, const struct hal_picture *p,
                         struct check_verdict *v)
{
    uint32_t n = o->changes;

    o->changes = 0;
    for (uint32_t i = 0; p && i < n; i++) {
        const struct check_change *c = &o->change[i];

        if (check_context(p, c->context) && !check_held(p, c->context, c->handle, 0))
            return check_broken(v, 14, "context %u handle %" PRIu32 " was changed, without %s sync",
                                c->context, c->handle, c->heavy ? "a heavy" : "a");
    }
    return true;
}

/* ---- one store ---- */

static bool wrong(struct check_verdict *v, const struct check_store *s, const char *what)
{
    return check_broken(v, 14, "context %u handle %u: %s", s->context, s->handle, what);
}

/* Format 0, the half with count, permissions and nmask. */
static bool count_store(struct check_order *o, const struct check_store *s, struct check_verdict *v)
{
    struct afu_rht_virtual old = afu_rht_unpack_virtual(s->order, &s->old);
    struct afu_rht_virtual now = afu_rht_unpack_virtual(s->order, &s->entry);
    uint64_t end = old.lxt_start + (uint64_t)now.lxt_cnt * AFU_LXT_ENTRY_SIZE;

    if (!old.nmask && now.nmask && (old.lxt_start || now.lxt_cnt)) /* VL-37 */
        return wrong(v, s, "it is opened with a pointer or a count");
    if (now.lxt_cnt == old.lxt_cnt)
        return true;
    if (now.lxt_cnt > old.lxt_cnt && !old.lxt_start)
        return wrong(v, s, "the count is stored before the pointer");
    if (now.lxt_cnt > old.lxt_cnt && unpublished(o, old.lxt_start, end))
        return wrong(v, s, "the count is stored before its entries are published");
    add_change(o, s, now.lxt_cnt < old.lxt_cnt)->bytes = 0;
    return true;
}

/* Format 0, the pointer. */
static bool pointer_store(struct check_order *o, const struct check_store *s,
                          struct check_verdict *v)
{
    struct afu_rht_virtual old = afu_rht_unpack_virtual(s->order, &s->old);
    struct afu_rht_virtual now = afu_rht_unpack_virtual(s->order, &s->entry);
    uint64_t end = now.lxt_start + (uint64_t)old.lxt_cnt * AFU_LXT_ENTRY_SIZE;
    struct check_change *change;

    if (now.lxt_start == old.lxt_start)
        return true;
    if (old.lxt_cnt > s->room)
        return wrong(v, s, "the pointer to fewer entries is stored before their count");
    if (old.lxt_cnt && unpublished(o, now.lxt_start, end))
        return wrong(v, s, "the pointer is stored before its entries are published");
    change = add_change(o, s, false);
    change->start = now.lxt_start;
    change->bytes = now.lxt_start ? s->room * AFU_LXT_ENTRY_SIZE : 0;
    return true;
}

/* Format 1. */
static bool direct_store(struct check_order *o, const struct check_store *s,
                         struct check_verdict *v)
{
    struct afu_rht_direct old = afu_rht_unpack_direct(s->order, &s->old);
    struct afu_rht_direct now = afu_rht_unpack_direct(s->order, &s->entry);

    old.valid = old.valid && afu_rht_entry_format(&s->old) == AFU_RHT_FORMAT_DIRECT;
    if (s->word == 0 && old.valid && now.lun_id != old.lun_id)
        return wrong(v, s, "the LUN id changes while the entry is valid");
    if (s->word == 1 && old.valid != now.valid)
        add_change(o, s, old.valid);
    return true;
}

static bool rht_store(struct check_order *o, const struct check_store *s, struct check_verdict *v)
{
    uint64_t entry = s->ea - s->word * sizeof s->value;
    bool direct = afu_rht_entry_format(&s->entry) == AFU_RHT_FORMAT_DIRECT ||
                  afu_rht_entry_format(&s->old) == AFU_RHT_FORMAT_DIRECT;

    if (word_unpublished(o, entry + (s->word ? 0 : sizeof s->value)))
        return wrong(v, s, "both halves of the entry are stored without a publish between them");
    if (direct)
        return direct_store(o, s, v);
    return s->word ? count_store(o, s, v) : pointer_store(o, s, v);
}

bool check_order_store(struct check_order *o, const struct check_store *s,
                       const struct check_owned *owned, struct check_verdict *v)
{
    bool good = true;

    if (s->in_rht)
        good = rht_store(o, s, v);
    else if (owned &&
             check_owned_reaches(owned, s->ea) < CHECK_NUMBERS) /* there it never changes */
        good = check_broken(v, 14, "an LXT entry is stored that the AFU can reach already");
    else if (is_pointed_to(o, s->ea))
        good = check_broken(v, 14, "an LXT entry is stored after the pointer to its array");
    if (s->in_rht)
        remember_word(o, s);
    else
        remember_run(o, s);
    return good;
}
