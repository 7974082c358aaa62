/* SPDX-License-Identifier: Apache-2.0 */
/* Birth and death of clients, and what concerns whole LUNs. */
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/scenario/random_requests_face.h"
#include "tests/scenario/random_requests_steps.h"
#include "tests/testlib/stack.h"

/* ---- birth ---- */

void rr_be_born(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_actor *other = &w->actor[a == w->actor];
    bool fork = other->client && rr_once_in(w, 2);
    int rc;

    memset(a, 0, sizeof *a);
    for (unsigned i = 0; i < RR_CONTEXTS; i++)
        a->context[i].actor = a;
    a->binary = fork ? other->binary : rr_once_in(w, 3);
    a->parent = fork ? other : NULL;
    rc = fork ? spipe_client_fork(other->client, "child", &a->client)
              : spipe_client_create(w->stack->adapter, "client", &a->client);
    rr_note(w, NULL, fork ? "fork" : "create", a->binary, 0, rc);
    RR_CHECK(w, rc == 0, "no client: %d", rc);
    if (a->binary)
        rr_parent_offer(w, a->client);
}

/* ---- death ---- */

/* Mappings stay behind; they lead nowhere (SP-142). */
static void unmap_all(struct rr_worker *w, struct rr_context *c)
{
    struct spipe_mapping *all[4] = {c->mapping[0], c->mapping[1], c->old_mapping[0],
                                    c->old_mapping[1]};

    for (unsigned i = 0; i < 4; i++) {
        if (!all[i])
            continue;
        RR_CHECK(w, spipe_adap_read64(all[i], 0) == UINT64_MAX,
                 "a mapping of a dead client leads somewhere");
        spipe_adap_unmap(all[i]);
    }
    memset(c->mapping, 0, sizeof c->mapping);
    memset(c->old_mapping, 0, sizeof c->old_mapping);
}

void rr_step_die(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_actor *other = &w->actor[a == w->actor];

    for (unsigned i = 0; i < RR_CONTEXTS; i++)
        rr_context_drop(w, &a->context[i]);
    rr_parent_withdraw(w, a->client);
    spipe_client_destroy(a->client);
    rr_note(w, NULL, "destroy", a->binary, 0, 0);
    for (unsigned i = 0; i < RR_CONTEXTS; i++) {
        if (a->context[i].life != RR_GONE)
            rr_context_dropped(w, &a->context[i]);
        unmap_all(w, &a->context[i]);
    }
    a->client = NULL;
    if (other->parent == a)
        other->parent = NULL;
}

/* ---- MANAGE_LUN ---- */

enum order { ENABLE, DISABLE, NEITHER };

static int manage_binary(struct rr_worker *w, struct rr_actor *a, unsigned lun, unsigned port,
                         enum order order)
{
    static const uint64_t flags[] = {
        DK_CXLFLASH_MANAGE_LUN_ENABLE_SUPERPIPE | DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE,
        DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE, DK_CXLFLASH_MANAGE_LUN_ALL_PORTS_ACCESSIBLE};
    struct dk_cxlflash_manage_lun m = {.hdr.flags = flags[order]};

    memcpy(m.wwid, w->books->lun[lun].wwid, sizeof m.wwid);
    return rr_ioctl(w, &a->context[0], spipe_disk(lun, port), DK_CXLFLASH_MANAGE_LUN, &m,
                    "MANAGE_LUN");
}

static int manage(struct rr_worker *w, struct rr_actor *a, unsigned lun, unsigned port,
                  enum order order)
{
    struct spipe *s = w->stack->adapter;

    if (a->binary)
        return manage_binary(w, a, lun, port, order);
    if (order == ENABLE)
        return rr_note(w, NULL, "lun_enable", lun, port, spipe_lun_enable(s, lun, port));
    if (order == DISABLE)
        return rr_note(w, NULL, "lun_disable", lun, port, spipe_lun_disable(s, lun, port));
    return 0;
}

/* SP-120, SP-127: not while anybody has it attached, or names need it. */
static void close_lun(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_window attached = rr_window_open(w, RR_MANAGED, RR_ATTACHED);
    struct rr_window virtual = rr_window_open(w, RR_MANAGED, RR_VIRTUAL);
    int rc = manage(w, a, RR_MANAGED, RR_MANAGED_PORT, DISABLE);

    RR_ONE_OF(w, "MANAGE_LUN, disable", rc, 0, -EBUSY);
    /* with a reset on the way what was given up is not free yet (SP-163) */
    RR_CHECK(w,
             rc == 0 || w->resets || rr_window_possible(w, &attached) ||
                 rr_window_possible(w, &virtual),
             "EBUSY without a cause");
    RR_CHECK(w, rc || !(rr_window_certain(w, &attached) || rr_window_certain(w, &virtual)),
             "a LUN was closed that is in use");
}

void rr_step_manage(struct rr_worker *w, struct rr_actor *a)
{
    unsigned lun = rr_draw(w, RR_LUNS), port = rr_draw(w, 2);
    int rc;

    if (rr_once_in(w, 2)) {
        if (rr_once_in(w, 2))
            close_lun(w, a);
        else
            RR_ONE_OF(w, "MANAGE_LUN, enable", manage(w, a, RR_MANAGED, RR_MANAGED_PORT, ENABLE),
                      0);
        return;
    }
    port = w->books->lun[lun].ports >> port & 1 ? port : RR_MANAGED_PORT;
    if (lun != RR_MANAGED && rr_has_attached(w, lun) && rr_once_in(w, 2))
        RR_ONE_OF(w, "MANAGE_LUN, disable of what is attached", manage(w, a, lun, port, DISABLE),
                  -EBUSY);
    rc = manage(w, a, lun, port, rr_once_in(w, 2) ? ENABLE : NEITHER);
    RR_CHECK(w, rc == 0, "MANAGE_LUN gave %d", rc);
}

/* ---- what anybody may ask ---- */

static unsigned chunks_held(const struct rr_worker *w, unsigned lun)
{
    unsigned n = 0;

    for (unsigned i = 0; i < RR_CHUNK_POOL; i++)
        n += w->chunk[i].refs > 0 && w->chunk[i].lun == lun;
    return n;
}

void rr_step_look(struct rr_worker *w, struct rr_actor *a)
{
    unsigned lun = rr_draw(w, RR_LUNS), held = chunks_held(w, lun);
    const struct rr_lun *l = &w->books->lun[lun];
    struct rr_window virtual = rr_window_open(w, lun, RR_VIRTUAL);
    struct rr_window direct = rr_window_open(w, lun, RR_PHYSICAL);
    uint64_t given_up = rr_given_up(w, lun);
    struct spipe_lun_info info;
    int rc = spipe_lun_info(w->stack->adapter, lun, &info);

    (void)a;
    rr_note(w, NULL, "lun_info", lun, 0, rc);
    RR_CHECK(w, rc == 0 && !memcmp(info.wwid, l->wwid, sizeof l->wwid), "lun_info gave %d", rc);
    RR_CHECK(w,
             info.last_lba == l->last_lba && info.block_size == l->block_size &&
                 info.found_ports == l->ports && info.chunks == l->chunks,
             "LUN %u has changed", lun);
    RR_CHECK(w, info.free_chunks + held <= l->chunks, "chunks of this worker are free");
    RR_CHECK(w, info.mode == SPIPE_LUN_VIRTUAL || !rr_window_certain(w, &virtual), "mode %d",
             (int)info.mode);
    RR_CHECK(w, info.mode == SPIPE_LUN_PHYSICAL || !rr_window_certain(w, &direct), "mode %d",
             (int)info.mode);
    RR_CHECK(w, !info.users || rr_window_possible(w, &virtual) || rr_window_possible(w, &direct),
             "users without anybody");
    if (info.mode != SPIPE_LUN_VIRTUAL && !w->faults)
        rr_washed(w, lun, given_up);
}
