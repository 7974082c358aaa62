/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/group.h"

#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/lock_rank.h"
#include "hal/support/check.h"

/* ---- life ---- */

static struct spipe__group *create(struct exec *exec)
{
    struct spipe__group *g = exec_alloc(exec, sizeof *g, _Alignof(struct spipe__group));

    if (!g)
        return NULL;
    g->exec = exec;
    exec_mutex_init_ranked(exec, &g->names, "names", SPIPE__RANK_NAMES);
    exec_mutex_init_ranked(exec, &g->books, "books", SPIPE__RANK_BOOKS);
    exec_mutex_init(exec, &g->wiping, "wiping");
    return g;
}

static void destroy(struct spipe__group *g)
{
    struct spipe__global_lun *lun;

    spipe__cat_close(g->catalogue);
    while ((lun = g->luns) != NULL) {
        CHECK(!lun->locals && !lun->ba);
        g->luns = lun->next;
        exec_free(g->exec, lun, sizeof *lun);
    }
    exec_mutex_fini(g->exec, &g->wiping);
    exec_mutex_fini(g->exec, &g->books);
    exec_mutex_fini(g->exec, &g->names);
    exec_free(g->exec, g, sizeof *g);
}

/* Where a member hangs in the list, or where the next one will (NULL). */
static struct spipe **place_of(struct spipe__group *g, const struct spipe *member)
{
    struct spipe **at = &g->members;

    while (*at != member)
        at = &(*at)->next_member;
    return at;
}

int spipe__group_join(struct spipe *s, struct spipe *peer)
{
    s->group = peer ? peer->group : create(s->exec);
    if (!s->group)
        return -ENOMEM;
    spipe__books_lock(s);
    *place_of(s->group, NULL) = s;
    spipe__books_unlock(s);
    return 0;
}

void spipe__group_leave(struct spipe *s)
{
    bool last;

    CHECK(s->lun_count == 0);
    spipe__books_lock(s);
    *place_of(s->group, s) = s->next_member;
    last = !s->group->members;
    spipe__books_unlock(s);
    if (last)
        destroy(s->group);
    s->group = NULL;
}

/* ---- LUNs ---- */

struct spipe__global_lun *spipe__group_find(const struct spipe *s, const uint8_t *wwid)
{
    struct spipe__global_lun *lun = s->group->luns;

    while (lun && memcmp(lun->wwid, wwid, sizeof lun->wwid) != 0)
        lun = lun->next;
    return lun;
}

static struct spipe__global_lun *add(struct spipe__group *g, const uint8_t *wwid)
{
    struct spipe__global_lun *lun =
        exec_alloc(g->exec, sizeof *lun, _Alignof(struct spipe__global_lun));

    if (!lun)
        return NULL;
    memcpy(lun->wwid, wwid, sizeof lun->wwid);
    lun->next = g->luns;
    g->luns = lun;
    return lun;
}

int spipe__group_add_lun(struct spipe *s, struct spipe__lun *lun, const uint8_t *wwid)
{
    struct spipe__global_lun *global = spipe__group_find(s, wwid);

    if (!global)
        global = add(s->group, wwid);
    if (!global)
        return -ENOMEM;
    lun->s = s;
    lun->global = global;
    lun->sibling = global->locals;
    global->locals = lun;
    return 0;
}

void spipe__group_drop_lun(struct spipe__lun *lun)
{
    struct spipe__lun **link = &lun->global->locals;

    while (*link != lun)
        link = &(*link)->sibling;
    *link = lun->sibling;
}
