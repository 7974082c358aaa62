/* SPDX-License-Identifier: Apache-2.0 */
/* What one thread does with clients of another one.
 *
 * A cousin is a child whose parent belongs to another thread: it clones whatever the parent has at
 * that moment, while the parent changes it, or dies. What it gets is known to nobody, so it enters
 * into the books for the time of its life that it might have anything, changes no contents, and is
 * gone at the end of the step.
 *
 * A guest makes requests as the other thread's client itself, while that goes on: a process has
 * more than one thread. What it attaches is its own affair; it holds the lock of the nursery, so
 * that the client does not end, and its owner does not try by chance what the guest has. */
#include <errno.h>
#include <string.h>

#include "tests/scenario/random_requests_face.h"
#include "tests/scenario/random_requests_steps.h"

enum { ATTEMPTS = 3, PROBED = 4 };

/* ---- parents on offer ---- */

void rr_parent_offer(struct rr_worker *w, struct spipe_client *client)
{
    exec_mutex_lock(w->exec, &w->books->nursery);
    w->books->parent[w->number] = client;
    exec_mutex_unlock(w->exec, &w->books->nursery);
}

void rr_parent_withdraw(struct rr_worker *w, const struct spipe_client *client)
{
    exec_mutex_lock(w->exec, &w->books->nursery);
    if (w->books->parent[w->number] == client)
        w->books->parent[w->number] = NULL;
    exec_mutex_unlock(w->exec, &w->books->nursery);
}

static struct spipe_client *fork_from(struct rr_worker *w, unsigned other)
{
    struct spipe_client *client = NULL, *parent;
    int rc = 0;

    exec_mutex_lock(w->exec, &w->books->nursery);
    parent = w->books->parent[other];
    if (parent)
        rc = spipe_client_fork(parent, "cousin", &client);
    exec_mutex_unlock(w->exec, &w->books->nursery);
    RR_CHECK(w, rc == 0, "fork gave %d", rc);
    return client;
}

/* ---- it might have anything ---- */

static void suspect(struct rr_worker *w, struct rr_room room[RR_LUNS])
{
    for (unsigned lun = 0; lun < RR_LUNS; lun++) {
        for (unsigned kind = 0; kind < RR_CLAIMS; kind++)
            rr_claim_begin(w, lun, (enum rr_claim)kind);
        room[lun] = rr_room_open(w, lun, RR_CHUNKS, false);
        rr_soil(w, lun, RR_CHUNKS);
    }
}

static void acquit(struct rr_worker *w, const struct rr_room room[RR_LUNS])
{
    for (unsigned lun = 0; lun < RR_LUNS; lun++) {
        for (unsigned kind = 0; kind < RR_CLAIMS; kind++)
            rr_claim_end(w, lun, (enum rr_claim)kind, false);
        rr_soiled(w, lun, RR_CHUNKS);
        rr_room_close(w, &room[lun], 0);
    }
}

/* ---- its life ---- */

/* Whatever it got: sizes are whole, and what it lets go is let go. */
static void probe(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t number)
{
    const struct rr_lun *l = &w->books->lun[lun];
    uint64_t last;
    int rc = rr_verify(w, c, lun, number, NULL, &last);

    RR_ONE_OF(w, "VERIFY by a cousin", rc, 0, -EINVAL);
    if (rc)
        return;
    RR_CHECK(w, last == l->last_lba || (last + 1) % rr_chunk_blocks(l) == 0, "last_lba %#llx",
             (unsigned long long)last);
    if (rr_once_in(w, 2)) {
        rc = rr_resize(w, c, lun, number, 0, &last);
        RR_ONE_OF(w, "VLUN_RESIZE by a cousin", rc, 0, -EINVAL, rr_may_delay(w) ? -EAGAIN : 0);
    }
    if (rr_once_in(w, 2)) {
        rc = rr_release(w, c, lun, number);
        RR_ONE_OF(w, "RELEASE by a cousin", rc, 0, rr_may_delay(w) ? -EAGAIN : 0);
    }
}

static int clone_from(struct rr_worker *w, struct rr_context *c, unsigned lun, unsigned other)
{
    struct rr_context source = {.actor = c->actor};
    int rc = -EINVAL;

    for (unsigned i = 0; i < ATTEMPTS && rc == -EINVAL; i++) {
        source.cookie = exec_atomic_load(w->exec, &w->books->cookie[other]);
        rc = rr_clone(w, c, &source, lun);
        RR_ONE_OF(w, "VLUN_CLONE by a cousin", rc, 0, -EINVAL, rr_may_delay(w) ? -EAGAIN : 0);
    }
    rr_answer_add(w->answer, "clone by a cousin", rc, 1);
    return rc;
}

static void live(struct rr_worker *w, struct rr_actor *a, unsigned lun, unsigned other)
{
    struct rr_context *c = &a->context[0];
    int rc = rr_attach(w, c, lun, RR_READ);

    RR_CHECK(w, rc == 0, "ATTACH by a cousin gave %d", rc);
    if (clone_from(w, c, lun, other) == 0)
        for (uint32_t number = 0; number < PROBED; number++)
            probe(w, c, lun, number);
}

static unsigned another(struct rr_worker *w)
{
    return (w->number + 1 + rr_draw(w, RR_WORKERS - 1)) % RR_WORKERS;
}

void rr_step_cousin(struct rr_worker *w, struct rr_actor *unused)
{
    unsigned other = another(w);
    struct rr_actor cousin = {.binary = true};
    struct rr_room room[RR_LUNS];

    (void)unused;
    cousin.client = fork_from(w, other);
    if (!cousin.client)
        return;
    cousin.context[0].actor = &cousin;
    suspect(w, room);
    live(w, &cousin, rr_draw(w, RR_MANAGED), other);
    spipe_client_destroy(cousin.client);
    acquit(w, room);
}

/* ---- a guest ---- */

static void map_and_unmap(struct rr_worker *w, struct rr_context *c)
{
    struct spipe_mapping *m;
    int rc = spipe_adap_map(c->actor->client, c->file, 0, 4096, &m);

    rr_note(w, c, "map", c->file, 0, rc);
    RR_CHECK(w, rc == 0 || (rc == -EIO && rr_lost(w, c)), "map by a guest gave %d", rc);
    if (!rc)
        spipe_adap_unmap(m);
}

static void visit(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    uint32_t number;
    uint64_t last;
    bool wipe;
    int rc = rr_attach(w, c, lun, RR_READ | RR_WRITE);

    RR_CHECK(w, rc == 0, "ATTACH by a guest gave %d", rc);
    map_and_unmap(w, c);
    wipe = rr_once_in(w, 4);
    rc = rr_open_virtual(w, c, lun, rr_draw(w, 2), wipe, &number, &last);
    RR_ONE_OF(w, "USER_VIRTUAL by a guest", rc, 0, -EINVAL, -ENOSPC, rr_may_delay(w) ? -EAGAIN : 0);
    if (!rc) {
        rc = rr_verify(w, c, lun, number, NULL, &last);
        RR_CHECK(w, rc == 0 || (rc == -EINVAL && rr_lost(w, c)), "VERIFY by a guest gave %d", rc);
    }
    if (rr_once_in(w, 2))
        RR_ONE_OF(w, "DETACH by a guest", rr_detach(w, c, lun), 0);
    rc = spipe_adap_close(c->actor->client, c->file);
    rr_note(w, c, "close", c->file, 0, rc);
    RR_CHECK(w, rc == 0, "close by a guest gave %d", rc);
}

void rr_step_guest(struct rr_worker *w, struct rr_actor *unused)
{
    struct rr_actor guest = {.binary = true};
    struct rr_room room[RR_LUNS];
    unsigned other = another(w);

    (void)unused;
    guest.context[0].actor = &guest;
    exec_mutex_lock(w->exec, &w->books->nursery);
    guest.client = w->books->parent[other];
    if (guest.client) {
        suspect(w, room);
        visit(w, &guest.context[0], rr_draw(w, RR_MANAGED));
        acquit(w, room);
        rr_answer_add(w->answer, "a guest", 0, 1);
    }
    exec_mutex_unlock(w->exec, &w->books->nursery);
}
