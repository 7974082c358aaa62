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
#include "sim/world.h"

/* Bytes to look at that one occasion earns: a stack of some 16 contexts is looked at every time. */
enum { EARNED = 1 << 16 };

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
};

/* ---- what was found ---- */

static void broken(struct sim_check *c, const char *when, const struct check_verdict *v)
{
    struct sim_check_result *r = &c->result;

    if (r->broken++)
        return;
    r->invariant = v->invariant;
    snprintf(r->text, sizeof r->text, "cycle %" PRIu64 ", %s: INV-%u: %s", c->afu->engine->now,
             when, v->invariant, v->text);
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

    c->picture = NULL;
    if (!c->config.picture || c->config.picture(c->config.arg, &c->drawn.base, &p) ||
        !check_view_take(c->afu, &c->seen, &c->view) ||
        !check_claims_take(p, &c->claimed, &c->claims))
        return false;
    c->picture = p;
    c->cost = p->bytes + (uint64_t)c->view.ctxs * 4096 + c->view.words * sizeof(struct check_word);
    return true;
}

static void run_checkers(struct sim_check *c, const char *when, unsigned occasion)
{
    struct check_input in = {c->picture, &c->view, &c->claims};
    struct check_verdict v;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(checkers); i++)
        if (checkers[i].when & occasion && !checkers[i].fn(&in, &v))
            broken(c, when, &v);
}

/* An occasion to look. What was drawn before is out of date from here on. */
static bool look(struct sim_check *c, const char *when, unsigned occasion)
{
    c->picture = NULL;
    c->budget = hal_min64(c->budget + EARNED, c->cost + EARNED);
    if (c->budget < c->cost) {
        c->result.put_off++;
        return false;
    }
    c->budget -= c->cost;
    if (!take(c))
        return false;
    c->result.looks++;
    c->result.quiet_looks += occasion == QUIET;
    run_checkers(c, when, occasion);
    return true;
}

/* ---- occasions ---- */

static void on_note(struct sim_check *c, const struct sim_watched *w)
{
    enum { BEGIN, END }; /* hal.h */

    if (w->number == BEGIN)
        c->begun++;
    if (w->number != END)
        return;
    c->begun -= c->begun > 0;
    if (!c->begun)
        look(c, "after a request", QUIET);
}

static void told(struct sim_watch *self, const struct sim_watched *w)
{
    struct sim_check *c = HAL_CONTAINER_OF(self, struct sim_check, watch);

    if (w->what == SIM_WATCH_NOTE)
        on_note(c, w);
    if (c->config.quiet_only || !c->config.picture)
        return;
    switch (w->what) {
    case SIM_WATCH_STORED:
        look(c, "after a table store", ALWAYS);
        break;
    case SIM_WATCH_PUBLISH:
        look(c, "after a publish", ALWAYS);
        break;
    case SIM_WATCH_CTX_START:
        look(c, "at the start of a context", ALWAYS);
        break;
    case SIM_WATCH_CTX_END:
        look(c, "at the end of a context", ALWAYS);
        break;
    default:
        break;
    }
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
    c->drawn.room.world = c->claimed.world = a->world;
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
    check_room_fini(&c->seen.ctx);
    check_room_fini(&c->seen.entry);
    check_room_fini(&c->seen.word);
    sim_world_free(c->afu->world, c, sizeof *c);
}

const struct sim_check_result *sim_check_result(const struct sim_check *c) { return &c->result; }
