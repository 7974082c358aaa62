/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/catalogue_life.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/catalogue_fixture.h"

/* An assertion that costs nothing while it holds: Criterion tells its parent of each. */
#define MUST(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert_fail(__VA_ARGS__);                                                           \
    } while (0)

enum { HANDLES = 5, UNNAMED = -1, AT_ONCE = 4 };

/* One change of the catalogue, or an attempt. */
struct step {
    enum life_kind kind;
    int rc;
    size_t began, returned, done; /* events of the area; done: SIZE_MAX if it was refused */
    struct life_state after;
    uint32_t secret[LIFE_LUNS], secret_after[LIFE_LUNS]; /* until it was done, and from then on */
    unsigned wiped_lun, wiped_chunk;                     /* of LIFE_WIPED */
};

/* A virtual LUN that is open: it ends with the process. */
struct handle {
    bool open, wipe;
    uint8_t lun, count, chunk[LIFE_CHUNKS];
    int name; /* whose chunks it has, or UNNAMED */
};

static struct {
    struct hal_prng *prng;
    struct life_state start, now;
    uint32_t secret_at_start[LIFE_LUNS], secret[LIFE_LUNS];
    struct handle handle[HANDLES];
    uint8_t held[LIFE_LUNS][LIFE_CHUNKS]; /* times that it is in quarantine */
    uint32_t given_up[LIFE_LUNS];         /* chunks that had an owner before, in this process */
    struct step step[LIFE_STEPS_MAX];
    size_t steps;
    bool patient; /* the medium, see life_begin() */
} life;

struct life_counts life_counts;

static uint64_t below(uint64_t n) { return hal_prng_below(life.prng, n); }

static const uint8_t *wwid_of(unsigned lun) { return lun ? lun_b : lun_a; }

static const char *name_of(unsigned i)
{
    static const char *const names[LIFE_NAMES] = {
        "a", "second", "a-name-that-makes-its-records-longer-than-those-of-others", "last.one"};

    return names[i];
}

/* ---- what a catalogue says ---- */

static int read_wipe(void *arg, uint32_t chunk)
{
    MUST(chunk < LIFE_CHUNKS, "chunk %u", (unsigned)chunk);
    ((uint8_t *)arg)[chunk] = 1;
    return 0;
}

static void read_name(struct life_name *to, const struct spipe__cat_entry *e)
{
    to->used = true;
    to->lun = memcmp(e->wwid, lun_b, sizeof lun_b) == 0;
    MUST(memcmp(e->wwid, wwid_of(to->lun), sizeof lun_b) == 0, "a LUN that nobody named");
    MUST(e->chunk_count <= LIFE_CHUNKS, "%u chunks", (unsigned)e->chunk_count);
    to->count = (uint8_t)e->chunk_count;
    for (unsigned i = 0; i < to->count; i++)
        to->chunk[i] = (uint8_t)e->chunks[i];
    to->length = e->byte_length;
}

void life_read(struct life_state *state)
{
    size_t found = 0;

    memset(state, 0, sizeof *state);
    for (unsigned i = 0; i < LIFE_NAMES; i++) {
        const struct spipe__cat_entry *e = spipe__cat_find(fx.cat, name_of(i));

        if (e)
            read_name(&state->name[i], e);
        found += e != NULL;
    }
    MUST(found == spipe__cat_count(fx.cat), "a name that nobody gave");
    for (unsigned lun = 0; lun < LIFE_LUNS; lun++)
        MUST(spipe__cat_for_each_wipe(fx.cat, wwid_of(lun), read_wipe, state->wipe[lun]) == 0,
             "walk");
}

static bool same_name(const struct life_name *a, const struct life_name *b)
{
    return a->used == b->used && a->lun == b->lun && a->count == b->count &&
           a->length == b->length && memcmp(a->chunk, b->chunk, a->count) == 0;
}

static bool same(const struct life_state *found, const struct life_state *want)
{
    for (unsigned i = 0; i < LIFE_NAMES; i++)
        if (!same_name(&found->name[i], &want->name[i]))
            return false;
    for (unsigned lun = 0; lun < LIFE_LUNS; lun++)
        for (unsigned c = 0; c < LIFE_CHUNKS; c++)
            if (want->wipe[lun][c] != 2 && found->wipe[lun][c] != want->wipe[lun][c])
                return false;
    return true;
}

/* ---- what may be found ---- */

/* States that the medium may hold: what is acknowledged, and what was tried since in vain. */
struct legal {
    size_t count;
    struct life_state state[LIFE_STEPS_MAX + 1];
};

/* A chunk that was wiped, but not recorded as such, may be on record or not for good: both are
 * right, and it stays out of use here (spipe__cat_wipe_done()). */
static void forgive(struct legal *l, const struct step *s)
{
    for (size_t i = 0; i < l->count; i++)
        l->state[i].wipe[s->wiped_lun][s->wiped_chunk] = 2;
}

static void add_step(struct legal *l, const struct step *s, size_t events)
{
    if (s->done <= events) {
        l->state[0] = s->after;
        l->count = 1;
    } else if (s->returned > events || s->rc == -EIO) {
        l->state[l->count++] = s->after;
    }
    if (s->returned <= events && s->rc && s->kind == LIFE_WIPED)
        forgive(l, s);
}

bool life_legal(const struct life_state *state, size_t events)
{
    static struct legal l;

    l.state[0] = life.start;
    l.count = 1;
    for (size_t i = 0; i < life.steps && life.step[i].began <= events; i++)
        add_step(&l, &life.step[i], events);
    for (size_t i = 0; i < l.count; i++)
        if (same(state, &l.state[i]))
            return true;
    return false;
}

uint32_t life_secret(unsigned lun, size_t events)
{
    uint32_t secret = life.secret_at_start[lun];

    for (size_t i = 0; i < life.steps && life.step[i].began <= events; i++) {
        const struct step *s = &life.step[i];

        secret = s->done <= events ? s->secret_after[lun] : s->secret[lun];
    }
    return secret;
}

/* ---- one change ---- */

static struct step *begin(enum life_kind kind)
{
    struct step *s = &life.step[life.steps++];

    *s = (struct step){.kind = kind, .began = fx.area.events, .done = SIZE_MAX, .after = life.now};
    memcpy(s->secret, life.secret, sizeof s->secret);
    memcpy(s->secret_after, life.secret, sizeof s->secret);
    if (kind != LIFE_RESTART && below(6) == 0) {
        fx.area.fail_after = (int64_t)below(4);
        fx.area.fail_count = below(3) ? 1 : 1000;
        fx.area.fail_keep = below(2) ? (size_t)below(200) : 0;
        fx.area.fail_rc = below(4) ? -EIO : -ENOSPC;
    }
    return s;
}

/* A chunk is reported: whoever hears it may use it, so its record counts from now on. */
static void on_freed(void *arg, const uint8_t *wwid, uint32_t chunk)
{
    struct step *s = arg;

    (void)wwid, (void)chunk;
    if (s->done == SIZE_MAX)
        s->done = fx.area.events;
}

/* Whether it worked. */
static bool end(struct step *s, int rc)
{
    struct life_state found;

    s->rc = rc;
    s->returned = fx.area.events;
    fx.area.fail_after = FAKE_AREA_NEVER;
    cr_assert(rc == 0 || rc == -EIO || rc == -ENOSPC, "%d", rc);
    if (rc) {
        cr_assert_eq(s->done, SIZE_MAX, "chunks of a change that failed were reported");
        life_counts.failed++;
    } else {
        s->done = hal_min64(s->done, s->returned);
        life.now = s->after;
        memcpy(life.secret, s->secret_after, sizeof life.secret);
        life_counts.done[s->kind]++;
    }
    if (rc && s->kind == LIFE_WIPED)
        life.now.wipe[s->wiped_lun][s->wiped_chunk] = 2;
    life_read(&found);
    cr_assert(same(&found, &life.now), "a change of kind %d that gave %d", (int)s->kind, rc);
    return rc == 0;
}

/* ---- chunks ---- */

static bool in(const uint8_t *chunk, unsigned count, unsigned c)
{
    return count && memchr(chunk, (int)c, count);
}

static bool has_handle(unsigned lun, unsigned c)
{
    for (unsigned i = 0; i < HANDLES; i++)
        if (life.handle[i].open && life.handle[i].lun == lun &&
            in(life.handle[i].chunk, life.handle[i].count, c))
            return true;
    return false;
}

static bool has_name(unsigned lun, unsigned c)
{
    for (unsigned i = 0; i < LIFE_NAMES; i++)
        if (life.now.name[i].used && life.now.name[i].lun == lun &&
            in(life.now.name[i].chunk, life.now.name[i].count, c))
            return true;
    return false;
}

static bool in_use(unsigned lun, unsigned c)
{
    return has_handle(lun, c) || has_name(lun, c) || life.held[lun][c];
}

/* Takes up to n chunks that may be used, the lowest first, so that they are used again at once. */
static unsigned take(unsigned lun, unsigned n, uint8_t *chunk)
{
    unsigned got = 0;

    for (unsigned c = 0; c < LIFE_CHUNKS && got < n; c++) {
        if (in_use(lun, c) || life.now.wipe[lun][c])
            continue;
        cr_assert_not(life.secret[lun] >> c & 1);
        life_counts.reused += life.given_up[lun] >> c & 1;
        chunk[got++] = (uint8_t)c;
    }
    return got;
}

/* Withdrawn from the AFU, and not confirmed yet. */
static void hold(const struct handle *h, unsigned from)
{
    for (unsigned i = from; i < h->count; i++) {
        life.held[h->lun][h->chunk[i]]++;
        life.given_up[h->lun] |= (uint32_t)HAL_BIT(h->chunk[i]);
        life_counts.quarantined++;
    }
}

static void wide(const uint8_t *chunk, unsigned n, uint32_t *out)
{
    for (unsigned i = 0; i < n; i++)
        out[i] = chunk[i];
}

/* Notes that chunks are to be wiped, and writes to them when that is durable. */
static bool note_wipe(unsigned lun, const uint8_t *chunk, unsigned n)
{
    struct step *s = begin(LIFE_WIPE);
    uint32_t list[AT_ONCE];

    wide(chunk, n, list);
    for (unsigned i = 0; i < n; i++) {
        s->after.wipe[lun][chunk[i]] = 1;
        s->secret_after[lun] |= (uint32_t)HAL_BIT(chunk[i]);
    }
    return end(s, spipe__cat_wipe_add(fx.cat, wwid_of(lun), list, n));
}

/* ---- handles ---- */

static struct handle *any_handle(bool open)
{
    unsigned first = (unsigned)below(HANDLES);

    for (unsigned i = 0; i < HANDLES; i++)
        if (life.handle[(first + i) % HANDLES].open == open)
            return &life.handle[(first + i) % HANDLES];
    return NULL;
}

static void open_one(void)
{
    struct handle *h = any_handle(false);

    if (!h)
        return;
    *h = (struct handle){.lun = (uint8_t)below(LIFE_LUNS), .wipe = below(2), .name = UNNAMED};
    h->count = (uint8_t)take(h->lun, 1 + (unsigned)below(AT_ONCE), h->chunk);
    h->open = h->count && (!h->wipe || note_wipe(h->lun, h->chunk, h->count));
}

static void clone(void)
{
    const struct handle *from = any_handle(true);
    struct handle *h = any_handle(false);

    if (!from || !h)
        return;
    *h = *from;
    h->name = UNNAMED;
}

static void release(void)
{
    struct handle *h = any_handle(true);

    if (!h)
        return;
    hold(h, 0);
    h->open = false;
}

/* The name first gets what the AFU was shown; if it does not, the handle gives it up again. */
static void grow(void)
{
    struct handle *h = any_handle(true);
    struct step *s;
    uint32_t list[AT_ONCE];
    unsigned n, old;

    if (!h)
        return;
    old = h->count;
    n = take(h->lun, 1 + (unsigned)below(AT_ONCE), h->chunk + old);
    if (n == 0 || (h->wipe && !note_wipe(h->lun, h->chunk + old, n)))
        return;
    h->count = (uint8_t)(old + n);
    if (h->name == UNNAMED)
        return;
    s = begin(LIFE_GROW);
    wide(h->chunk + old, n, list);
    memcpy(s->after.name[h->name].chunk + old, h->chunk + old, n);
    s->after.name[h->name].count = h->count;
    if (end(s, spipe__cat_append_chunks(fx.cat, spipe__cat_find(fx.cat, name_of((unsigned)h->name)),
                                        list, n)))
        return;
    hold(h, old);
    h->count = (uint8_t)old;
}

static void shrink(void)
{
    struct handle *h = any_handle(true);
    struct step *s;
    unsigned count;

    if (!h || h->count == 0)
        return;
    count = (unsigned)below(h->count);
    if (h->name != UNNAMED) {
        s = begin(LIFE_SHRINK);
        s->after.name[h->name].count = (uint8_t)count;
        if (!end(s,
                 spipe__cat_drop_chunks(fx.cat, spipe__cat_find(fx.cat, name_of((unsigned)h->name)),
                                        count, on_freed, s)))
            return;
    }
    hold(h, count);
    h->count = (uint8_t)count;
}

/* ---- names ---- */

static void unbind(unsigned name)
{
    for (unsigned i = 0; i < HANDLES; i++)
        if (life.handle[i].name == (int)name)
            life.handle[i].name = UNNAMED;
}

static bool shared(const struct handle *h)
{
    for (unsigned i = 0; i < h->count; i++)
        if (has_name(h->lun, h->chunk[i]))
            return true;
    return false;
}

static void set_name(void)
{
    struct handle *h = any_handle(true);
    unsigned name = (unsigned)below(LIFE_NAMES);
    uint32_t list[LIFE_CHUNKS];
    struct step *s;
    struct life_name *n;

    if (!h)
        return;
    s = begin(shared(h) ? LIFE_SET_SHARED : LIFE_SET);
    n = &s->after.name[name];
    *n = (struct life_name){.used = true, .lun = h->lun, .count = h->count, .length = below(1000)};
    memcpy(n->chunk, h->chunk, h->count);
    wide(h->chunk, h->count, list);
    if (!end(s, spipe__cat_replace(fx.cat, name_of(name), wwid_of(h->lun), list, h->count,
                                   n->length, on_freed, s)))
        return;
    unbind(name);
    h->name = (int)name;
}

static void create(unsigned name)
{
    struct step *s = begin(LIFE_CREATE);
    unsigned lun = (unsigned)below(LIFE_LUNS);

    s->after.name[name] = (struct life_name){.used = true, .lun = (uint8_t)lun};
    (void)!end(s, spipe__cat_create(fx.cat, name_of(name), wwid_of(lun), NULL));
}

static void rename_to(unsigned name, unsigned to)
{
    struct step *s = begin(LIFE_RENAME);

    s->after.name[to] = s->after.name[name];
    s->after.name[name] = (struct life_name){0};
    if (end(s, spipe__cat_rename(fx.cat, spipe__cat_find(fx.cat, name_of(name)), name_of(to))))
        unbind(name);
}

static void set_length(unsigned name)
{
    struct step *s = begin(LIFE_LENGTH);
    uint64_t length = hal_prng_next(life.prng);

    s->after.name[name].length = length;
    (void)!end(s,
               spipe__cat_set_byte_length(fx.cat, spipe__cat_find(fx.cat, name_of(name)), length));
}

static void remove_name(unsigned name)
{
    struct step *s = begin(LIFE_REMOVE);
    const struct life_name *n = &life.now.name[name];
    uint32_t gone[LIFE_LUNS] = {0};

    for (unsigned i = 0; i < n->count; i++)
        gone[n->lun] |= (uint32_t)HAL_BIT(n->chunk[i]);
    s->after.name[name] = (struct life_name){0};
    if (!end(s, spipe__cat_remove(fx.cat, name_of(name), on_freed, s)))
        return;
    unbind(name);
    for (unsigned lun = 0; lun < LIFE_LUNS; lun++)
        life.given_up[lun] |= gone[lun];
}

static void change_name(void)
{
    unsigned name = (unsigned)below(LIFE_NAMES), to = (unsigned)below(LIFE_NAMES);

    if (!life.now.name[name].used)
        create(name);
    else if (below(3) == 0)
        remove_name(name);
    else if (!life.now.name[to].used && below(3))
        rename_to(name, to);
    else
        set_length(name);
}

/* ---- wiping, compaction, restart ---- */

/* The device first, then the record, and only then it may be used. */
static void wipe(void)
{
    unsigned lun = (unsigned)below(LIFE_LUNS), c = 0;
    struct step *s;

    while (c < LIFE_CHUNKS && (!life.now.wipe[lun][c] || in_use(lun, c)))
        c++;
    if (c == LIFE_CHUNKS)
        return;
    life.secret[lun] &= ~(uint32_t)HAL_BIT(c);
    s = begin(LIFE_WIPED);
    s->wiped_lun = lun;
    s->wiped_chunk = c;
    s->after.wipe[lun][c] = 0;
    (void)!end(s, spipe__cat_wipe_done(fx.cat, wwid_of(lun), c));
}

static void compact(void)
{
    struct step *s = begin(LIFE_COMPACT);

    (void)!end(s, spipe__cat_compact(fx.cat));
}

static void forget_process(void)
{
    memset(life.handle, 0, sizeof life.handle);
    memset(life.held, 0, sizeof life.held);
    memset(life.given_up, 0, sizeof life.given_up);
    for (unsigned i = 0; i < HANDLES; i++)
        life.handle[i].name = UNNAMED;
}

/* Whether the last change failed, so that the medium may hold some of it. */
static bool unsettled(void) { return life.steps && life.step[life.steps - 1].rc == -EIO; }

/* Another process, on a machine that goes on. The AFU was reset: nothing is in quarantine. */
static void restart(void)
{
    struct step *s;

    if (unsettled() && !life.patient)
        return;
    s = begin(LIFE_RESTART);
    cat_reopen();
    life_read(&s->after);
    cr_assert(life_legal(&s->after, fx.area.events), "after kill -9");
    forget_process();
    cr_assert(end(s, 0));
}

/* ---- a life ---- */

void life_reset(struct hal_prng *prng)
{
    memset(&life_counts, 0, sizeof life_counts);
    memset(&life, 0, sizeof life);
    life.prng = prng;
}

void life_begin(const uint32_t secret[LIFE_LUNS], bool patient)
{
    life.patient = patient;
    forget_process();
    life.steps = 0;
    life_read(&life.start);
    life.now = life.start;
    memcpy(life.secret, secret, sizeof life.secret);
    memcpy(life.secret_at_start, secret, sizeof life.secret);
}

void life_step(void)
{
    cr_assert_leq(life.steps + 2, (size_t)LIFE_STEPS_MAX);
    if (unsettled() && below(3) == 0) {
        restart();
        return;
    }
    switch (below(17)) {
    case 0:
    case 1:
    case 2:
        open_one();
        break;
    case 3:
        clone();
        break;
    case 4:
        release();
        break;
    case 5:
    case 6:
        grow();
        break;
    case 7:
    case 8:
        shrink();
        break;
    case 9:
    case 10:
        set_name();
        break;
    case 11:
    case 12:
        change_name();
        break;
    case 13:
    case 14:
        wipe();
        break;
    case 15:
        memset(life.held, 0, sizeof life.held); /* confirmed: a HW sync worked */
        break;
    default:
        if (below(2))
            compact();
        else
            restart();
    }
}
