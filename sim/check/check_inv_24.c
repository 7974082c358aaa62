/* SPDX-License-Identifier: Apache-2.0 */
/* INV-24: a reset leaves what a context has as it was, until it has recovered: handles, sizes,
 * chunks, and the very words of its RHT and of its LXTs in memory. Only requests of its own change
 * it meanwhile; so it is compared just before one begins, and what that one leaves counts from
 * then on.
 *
 * All that a context keeps is written down as one list of traits, which is compared word by word.
 * Its RHT stays where it is, and tells contexts apart; numbers change. */
#include <inttypes.h>
#include <string.h>

#include "sim/check/check_books.h"

enum { NO_HANDLE = UINT32_MAX };

/* What a trait is about. The first of a context is its RHT, and has its number for a handle. */
enum trait_kind { RHT, HANDLES, KIND, LUN, PERMISSIONS, SIZE, CHUNK, LXT_WORD, RHT_WORD };

static const char *const trait_name[] = {
    "address of the RHT", "number of handles", "kind", "LUN", "permissions", "size", "chunk",
    "LXT entry",          "RHT word"};

struct trait {
    uint64_t value;
    uint32_t handle, kind;
};

struct pen {
    const struct hal_picture *p;
    struct check_room *room;
    uint32_t n;
    check_read_fn *read;
    void *arg;
    bool no_memory;
};

static struct trait *traits(const struct check_room *room) { return room->block; }

static void add(struct pen *pen, enum trait_kind kind, uint32_t handle, uint64_t value)
{
    if (!pen->no_memory && check_room_for(pen->room, (pen->n + 1) * sizeof(struct trait)))
        traits(pen->room)[pen->n++] = (struct trait){value, handle, kind};
    else
        pen->no_memory = true;
}

static void add_words(struct pen *pen, enum trait_kind kind, uint32_t handle, uint64_t from,
                      uint64_t n)
{
    uint64_t word;

    for (uint64_t i = 0; i < n; i++)
        if (pen->read(pen->arg, from + i * sizeof word, &word))
            add(pen, kind, handle, word);
}

static void add_handle(struct pen *pen, const struct hal_picture_handle *h)
{
    add(pen, KIND, h->number, h->kind);
    add(pen, LUN, h->number, h->lun);
    add(pen, PERMISSIONS, h->number, h->permissions);
    add(pen, SIZE, h->number, h->chunks.count);
    for (uint32_t i = 0; i < h->chunks.count; i++)
        add(pen, CHUNK, h->number, *hal_picture_chunk(pen->p, h->chunks.first + i));
    add_words(pen, LXT_WORD, h->number, h->lxt, h->chunks.count);
}

static void add_context(struct pen *pen, const struct hal_picture_context *c)
{
    add(pen, RHT, c->number, c->rht);
    add(pen, HANDLES, NO_HANDLE, c->handles.count);
    for (uint32_t i = 0; i < c->handles.count; i++)
        add_handle(pen, hal_picture_handle(pen->p, c->handles.first + i));
    add_words(pen, RHT_WORD, NO_HANDLE, c->rht, c->rht_bytes / sizeof(uint64_t));
}

/* ---- comparing ---- */

/* Where the traits of a context begin; k->n if it is not known. */
static uint32_t find(const struct check_kept *k, uint64_t rht)
{
    uint32_t i = 0;

    while (i < k->n && (traits(&k->room)[i].kind != RHT || traits(&k->room)[i].value != rht))
        i++;
    return i;
}

static bool end_of(const struct trait *t, uint32_t i, uint32_t n)
{
    return i == n || t[i].kind == RHT;
}

/* Both begin with the same RHT. There are n traits behind `was`, of other contexts too, and m of
 * `is`. */
static bool same(const struct trait *was, uint32_t n, const struct trait *is, uint32_t m,
                 struct check_verdict *v)
{
    uint32_t i = 1;

    for (; !end_of(was, i, n) && i < m; i++)
        if (memcmp(&was[i], &is[i], sizeof *is) != 0)
            return check_broken(v, 24,
                                "context %" PRIu32 " was lost with %s %#" PRIx64 " (handle %" PRId32
                                "), and has %s %#" PRIx64 " (%" PRId32 ") there",
                                was->handle, trait_name[was[i].kind], was[i].value,
                                (int32_t)was[i].handle, trait_name[is[i].kind], is[i].value,
                                (int32_t)is[i].handle);
    return (end_of(was, i, n) && i == m) ||
           check_broken(v, 24, "context %" PRIu32 " was lost, and has not as much as then",
                        was->handle);
}

static bool is_touched(const struct check_kept *k, uint32_t number)
{
    return k->any_touched || (number < AFU_CONTEXTS && k->touched[number / 64] >> number % 64 & 1);
}

/* Compares it if it is known, and knows it from now on if it is lost, or was: its RECOVER may still
 * be under way. What a request of its own is changing is looked at when that has ended. */
static bool look_at(const struct check_kept *k, struct pen *pen,
                    const struct hal_picture_context *c, bool quiet, struct check_verdict *v)
{
    uint32_t at = find(k, c->rht), begin = pen->n;
    const struct trait *was = traits(&k->room) + at;
    bool known = at < k->n, touched = is_touched(k, c->number), good = true;

    if (!c->errored && !known)
        return true;
    touched |= known && is_touched(k, was->handle); /* it has had another number */
    add_context(pen, c);
    if (known && !touched && !pen->no_memory)
        good = same(was, k->n - at, traits(pen->room) + begin, pen->n - begin, v);
    if (quiet ? !c->errored : touched)
        pen->n = begin;
    return good;
}

bool check_kept_look(struct check_kept *k, const struct hal_picture *p, bool quiet,
                     check_read_fn *read, void *arg, struct check_verdict *v)
{
    struct pen pen = {.p = p, .room = &k->fresh, .read = read, .arg = arg};
    struct check_room room = k->room;
    struct check_verdict other;
    bool good = true;

    for (uint32_t i = 0; i < p->n.contexts; i++)
        good &= look_at(k, &pen, hal_picture_context(p, i), quiet, good ? v : &other);
    k->room = k->fresh;
    k->fresh = room;
    k->n = pen.no_memory ? 0 : pen.n;
    if (quiet) {
        k->any_touched = false;
        memset(k->touched, 0, sizeof k->touched);
    }
    return good;
}

void check_kept_touch(struct check_kept *k, uint32_t number, uint64_t context)
{
    switch (number) {
    case CHECK_ATTACH:
    case CHECK_MANAGE_LUN:
    case CHECK_RECOVER:
    case CHECK_RESET:
    case CHECK_EEH:
    case CHECK_TIDY:
        return; /* they are about none that is lost, or are what must leave it alone */
    default:
        break;
    }
    if (context < AFU_CONTEXTS && number != CHECK_CLONE) /* which changes another one */
        k->touched[context / 64] |= UINT64_C(1) << context % 64;
    else
        k->any_touched = true;
}
