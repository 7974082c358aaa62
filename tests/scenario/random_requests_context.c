/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts and their adapter files. */
#include <errno.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "tests/scenario/random_requests_driver.h"
#include "tests/scenario/random_requests_face.h"
#include "tests/scenario/random_requests_steps.h"

enum { WINDOW = 65536 };

/* Of all contexts of the worker. */
static unsigned index_of(struct rr_worker *w, const struct rr_context *c)
{
    return (unsigned)((c->actor - w->actor) * RR_CONTEXTS + (c - c->actor->context));
}

/* ---- ATTACH ---- */

/* SP-16: only the LUN that is opened and closed may be closed, and not while it is attached. */
static void judge_attach(struct rr_worker *w, unsigned lun, int rc, bool had)
{
    RR_ONE_OF(w, "ATTACH", rc, 0, lun == RR_MANAGED && !had ? -EINVAL : 0);
}

void rr_context_show(struct rr_worker *w, const struct rr_context *c)
{
    if (c->actor->binary) {
        exec_atomic_store(w->exec, &w->books->past[c->number], c->cookie);
        exec_atomic_store(w->exec, &w->books->cookie[w->number], c->cookie);
        exec_atomic_store(w->exec, &w->books->file[w->number], c->file);
    }
    exec_atomic_store(w->exec, &w->books->context[w->number], c->number);
}

/* The number of a lost context is free while nobody knows yet that it is lost. */
static void number_take(struct rr_worker *w, const struct rr_context *c)
{
    uint64_t nobody = 0;

    RR_CHECK(w, w->resets || exec_atomic_swap_if(w->exec, &w->books->number[c->number], &nobody, 1),
             "two contexts have number %u", c->number);
}

static void number_drop(struct rr_worker *w, struct rr_context *c)
{
    exec_atomic_store(w->exec, &w->books->number[c->number], 0);
}

static void begin(struct rr_worker *w, struct rr_context *c)
{
    c->life = RR_LIVE;
    number_take(w, c);
    if (c->actor->binary) /* SP-29 */
        RR_CHECK(w, exec_atomic_load(w->exec, &w->books->past[c->number]) != c->cookie,
                 "context_id %#llx comes again", (unsigned long long)c->cookie);
    rr_context_show(w, c);
}

static void attach_new(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    unsigned permissions = rr_once_in(w, 4) ? rr_draw(w, 4) : RR_READ | RR_WRITE;
    bool had = rr_has_attached(w, lun);
    struct rr_actor *a = c->actor;
    int rc;

    rr_leftovers_drop(w, c);
    memset(c, 0, sizeof *c);
    c->actor = a;
    rr_claim_begin(w, lun, RR_ATTACHED);
    rc = rr_attach(w, c, lun, permissions);
    judge_attach(w, lun, rc, had);
    rr_claim_end(w, lun, RR_ATTACHED, rc == 0);
    if (rc)
        return;
    c->luns = 1u << lun;
    c->permissions = (uint8_t)permissions;
    begin(w, c);
}

static void attach_more(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    bool had = rr_has_attached(w, lun);
    int rc;

    if (c->luns >> lun & 1) {
        RR_ONE_OF(w, "ATTACH of a LUN that is attached", rr_attach_more(w, c, lun), -EINVAL);
        return;
    }
    rr_claim_begin(w, lun, RR_ATTACHED);
    rc = rr_attach_more(w, c, lun);
    if (rc != -EINVAL || !rr_lost(w, c))
        judge_attach(w, lun, rc, had);
    rr_claim_end(w, lun, RR_ATTACHED, rc == 0);
    c->luns |= rc ? 0 : 1u << lun;
}

void rr_step_attach(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = &a->context[rr_draw(w, RR_CONTEXTS)];
    unsigned lun = rr_draw(w, RR_MANAGED);

    if (c->life == RR_LIVE && !rr_once_in(w, 6)) /* rather one that it has not yet */
        for (unsigned i = 0; i < 4 && c->luns >> lun & 1; i++)
            lun = rr_draw(w, RR_MANAGED);
    if (rr_once_in(w, 40)) /* seldom, so that it is not always in use */
        lun = RR_MANAGED;
    if (c->life == RR_GONE)
        attach_new(w, c, lun);
    else if (c->life == RR_LIVE && !c->lost)
        attach_more(w, c, lun);
}

/* ---- the end of a context ---- */

static bool mapped(const struct rr_context *c)
{
    for (unsigned i = 0; i < RR_MAPPINGS; i++)
        if (c->mapping[i])
            return true;
    return false;
}

void rr_context_drop(struct rr_worker *w, struct rr_context *c)
{
    if (c->life == RR_GONE)
        return;
    rr_io_lost(w, c);
    rr_luns_drop(w, c, c->luns);
    number_drop(w, c);
}

void rr_context_dropped(struct rr_worker *w, struct rr_context *c)
{
    rr_luns_dropped(w, c, c->luns);
    c->life = RR_GONE;
    c->lost = false;
}

/* ---- DETACH ---- */

static void detach(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    unsigned mask = 1u << lun;
    bool last = c->luns == mask, keeps_file = c->file_open || mapped(c);
    int rc;

    if (last)
        rr_io_lost(w, c);
    rr_luns_drop(w, c, mask);
    if (last && !keeps_file)
        number_drop(w, c);
    rc = rr_detach(w, c, lun);
    RR_CHECK(w, rc == 0, "DETACH gave %d", rc); /* whatever becomes of the syncs (SP-79, SP-80) */
    if (c->lost)
        rr_answer_add(w->answer, "detach of a lost context", rc, 1);
    rr_luns_dropped(w, c, mask);
    if (!last)
        return;
    c->life = keeps_file ? RR_FILE : RR_GONE;
    c->lost = false;
}

void rr_step_detach(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_context(w, a);
    unsigned lun;

    if (!c)
        return;
    lun = c->luns >> RR_MANAGED & 1 ? RR_MANAGED : rr_any_lun(w, c);
    if (c->luns >> lun & 1)
        detach(w, c, lun);
    else
        RR_ONE_OF(w, "DETACH of a LUN that is not attached", rr_detach(w, c, lun), -EINVAL);
}

/* ---- adapter files ---- */

static int noted(struct rr_worker *w, struct rr_context *c, const char *what, uint64_t value,
                 int rc)
{
    return rr_note(w, c, what, c->file, value, rc);
}

/* Beyond the user area, or no multiple of 8; a lost context comes first (SP-140). */
static void map_badly(struct rr_worker *w, struct rr_context *c)
{
    static const uint64_t bad[][2] = {{0, WINDOW + 8}, {WINDOW, 8}, {8, WINDOW},
                                      {0, 0},          {4, 8},      {UINT64_MAX - 7, 16}};
    const uint64_t *range = bad[rr_draw(w, sizeof bad / sizeof *bad)];
    struct spipe_mapping *m;
    int rc = spipe_adap_map(c->actor->client, c->file, range[0], range[1], &m);

    noted(w, c, "map", range[1], rc);
    RR_CHECK(w, rc == -EINVAL || (rc == -EIO && rr_lost(w, c)), "a map of what is not there: %d",
             rc);
    RR_CHECK(w, rc == -EIO || !c->lost, "a bad map of a lost context gave %d", rc);
}

/* The first mapping is the one that commands go through: of everything. With resets the others are,
 * too, so that each shows whether the context is lost. */
static void map(struct rr_worker *w, struct rr_context *c, unsigned place)
{
    uint64_t offset = place && !w->resets ? 8 * (uint64_t)rr_draw(w, WINDOW / 8) : 0;
    int rc = spipe_adap_map(c->actor->client, c->file, offset, WINDOW - offset, &c->mapping[place]);

    noted(w, c, "map", offset, rc);
    if (c->life == RR_FILE) {
        RR_CHECK(w, rc == -EIO, "a map of a context that ended gave %d", rc);
        return;
    }
    RR_CHECK(w, rc == 0 || (rc == -EIO && rr_lost(w, c)), "map gave %d", rc);
    RR_CHECK(w, rc || !c->lost, "a map of a lost context");
    if (rc == 0 && place == 0 && !c->afu) {
        c->afu = &w->memory->afu[index_of(w, c)];
        rr_afu_start(c->afu, c->mapping[0], c->number, w->sq);
    }
}

void rr_context_map(struct rr_worker *w, struct rr_context *c)
{
    if (!c->mapping[0] && c->file_open)
        map(w, c, 0);
}

/* With the last of file and mappings the context ends (SP-148). */
static bool ends_with(const struct rr_context *c, const struct spipe_mapping *m)
{
    unsigned left = c->file_open && m != NULL;

    for (unsigned i = 0; i < RR_MAPPINGS; i++)
        left += c->mapping[i] && c->mapping[i] != m;
    return left == 0;
}

static void unmap(struct rr_worker *w, struct rr_context *c, unsigned place)
{
    bool ends = ends_with(c, c->mapping[place]);

    if (ends)
        rr_context_drop(w, c);
    spipe_adap_unmap(c->mapping[place]);
    noted(w, c, "unmap", place, 0);
    c->mapping[place] = NULL;
    if (ends)
        rr_context_dropped(w, c);
}

static void close_file(struct rr_worker *w, struct rr_context *c)
{
    bool ends = ends_with(c, NULL);
    int rc;

    if (ends)
        rr_context_drop(w, c);
    rc = spipe_adap_close(c->actor->client, c->file);
    noted(w, c, "close", 0, rc);
    RR_CHECK(w, rc == 0, "close gave %d", rc);
    c->file_open = false;
    if (ends)
        rr_context_dropped(w, c);
}

/* All ones mean that a context is lost (SP-145), and come beyond the mapping. */
static void look_at_registers(struct rr_worker *w, struct rr_context *c, unsigned place)
{
    const struct spipe_mapping *m = c->mapping[place];
    bool ones = spipe_adap_read64(m, AFU_HOST_ENDIAN_CTRL) == UINT64_MAX;

    RR_CHECK(w, spipe_adap_read64(m, WINDOW) == UINT64_MAX, "a load beyond a mapping");
    if (c->life == RR_FILE) /* nobody can tell whether it was lost since */
        RR_CHECK(w, !ones || place > 0 || w->resets, "an ended context reads all ones");
    else
        RR_CHECK(w, !ones || (place > 0 && !w->resets) || rr_lost(w, c),
                 "a healthy context reads all ones");
    RR_CHECK(w, ones || !c->lost, "a lost context reads something");
    spipe_adap_write64(m, WINDOW, 1);
}

static void look_for_event(struct rr_worker *w, struct rr_context *c)
{
    bool lost = rr_reads_lost(w, c);

    RR_CHECK(w, !lost || rr_lost(w, c), "a healthy context tells that it is lost");
    RR_CHECK(w, lost || !c->lost, "a lost context tells nothing");
}

void rr_step_file(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = &a->context[rr_draw(w, RR_CONTEXTS)];
    unsigned place = rr_draw(w, RR_MAPPINGS);

    if (!a->binary || c->life == RR_GONE)
        return;
    if (c->file_open && (c->life == RR_FILE || rr_once_in(w, 6)) && rr_once_in(w, 2))
        close_file(w, c);
    else if (c->mapping[place] && rr_once_in(w, 4))
        unmap(w, c, place);
    else if (c->mapping[place])
        look_at_registers(w, c, place);
    else if (c->file_open && c->life == RR_LIVE && rr_once_in(w, 4))
        map_badly(w, c);
    else if (c->file_open && c->life == RR_LIVE && rr_once_in(w, 4))
        look_for_event(w, c);
    else if (c->file_open)
        map(w, c, place);
}
