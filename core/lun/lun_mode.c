/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun/lun_mode.h"

#include <errno.h>
#include <string.h>

#include "core/lun/lun_size.h"
#include "core/lun/wipe.h"
#include "core/mutants.h"
#include "core/vlun/quarantine.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

struct spipe__lun *spipe__lun_find(struct spipe *s, const uint8_t *wwid)
{
    for (unsigned i = 0; i < s->lun_count; i++)
        if (memcmp(s->lun[i].global->wwid, wwid, sizeof s->lun[i].global->wwid) == 0)
            return &s->lun[i];
    return NULL;
}

/* ---- names ---- */

struct reservation {
    struct spipe__ba *ba;
    uint64_t references;
};

/* The first name takes a chunk, those that share it with that one add a reference each. */
static int reserve(void *arg, const struct spipe__cat_entry *entry, uint32_t chunk)
{
    struct reservation *r = arg;

    (void)entry;
    if (spipe__ba_reserve(r->ba, chunk) && spipe__ba_add_reference(r->ba, chunk))
        return -EIO;
    r->references++;
    return 0;
}

static int reserve_named(struct spipe *s, struct spipe__global_lun *lun)
{
    struct reservation r = {.ba = lun->ba};
    int rc = spipe__cat_for_each_chunk(s->group->catalogue, lun->wwid, reserve, &r);

    lun->named = r.references;
    return rc;
}

static int found(void *arg, const struct spipe__cat_entry *entry, uint32_t chunk)
{
    (void)arg, (void)entry, (void)chunk;
    return 1;
}

static int found_wipe(void *arg, uint32_t chunk)
{
    (void)arg, (void)chunk;
    return 1;
}

/* Whether the catalogue has anything about the LUN. */
static bool is_recorded(struct spipe *s, const struct spipe__global_lun *lun)
{
    return s->group->catalogue &&
           (spipe__cat_for_each_chunk(s->group->catalogue, lun->wwid, found, NULL) != 0 ||
            spipe__cat_for_each_wipe(s->group->catalogue, lun->wwid, found_wipe, NULL) != 0);
}

/* ---- life of an allocator ---- */

/* The table starts behind the object, aligned for it. */
enum { TABLE_OFFSET = (sizeof(struct spipe__ba) + 63) / 64 * 64 };

static void destroy_allocator(struct spipe *s, struct spipe__global_lun *lun)
{
    struct spipe__ba *ba = lun->ba;
    size_t size = lun->ba_size;

    spipe__lun_forget_parked(s, lun);
    spipe__wipe_forget(s, lun);
    lun->ba = NULL;
    lun->ba_size = 0;
    lun->usable = 0;
    exec_free(s->exec, ba, size);
}

static int create_allocator(struct spipe *s, struct spipe__global_lun *lun)
{
    uint64_t blocks = lun->last_lba + 1, chunks = blocks / SPIPE_CHUNK_BLOCKS;
    size_t table = spipe__ba_bytes(chunks);
    struct spipe__ba *ba;
    int rc;

    if (table > SIZE_MAX - TABLE_OFFSET)
        return -ENOMEM;
    ba = exec_alloc(s->exec, TABLE_OFFSET + table, 64);
    if (!ba)
        return -ENOMEM;
    rc = spipe__ba_init(ba, (char *)ba + TABLE_OFFSET, table, blocks, lun->block_size);
    if (rc) {
        exec_free(s->exec, ba, TABLE_OFFSET + table);
        return rc;
    }
    lun->ba = ba;
    lun->ba_size = TABLE_OFFSET + table;
    lun->usable = chunks;
    return 0;
}

/* ---- the mode ---- */

static int begin(struct spipe *s, struct spipe__global_lun *lun, uint8_t mode)
{
    int rc = mode == SPIPE_LUN_VIRTUAL ? create_allocator(s, lun) : 0;

    if (!rc)
        lun->mode = mode;
    return rc;
}

static void end(struct spipe *s, struct spipe__global_lun *lun)
{
    lun->mode = SPIPE_LUN_NONE;
    lun->named = 0;
    if (lun->ba)
        destroy_allocator(s, lun);
}

/* No LXT entry of any adapter has the slot of the LUN any more (SP-135). */
static void release_slots(const struct spipe__global_lun *lun)
{
    for (struct spipe__lun *local = lun->locals; local; local = local->sibling) {
        CHECK(!local->open);
        if (local->in_table && !spipe__mutant(SPW_19))
            spipe__lun_table_release(local->s, local);
    }
}

void spipe__lun_settle(struct spipe *s, struct spipe__global_lun *lun)
{
    if (lun->mode == SPIPE_LUN_NONE || lun->users || lun->holds || lun->named)
        return;
    release_slots(lun);
    end(s, lun);
}

/* ---- who uses it ---- */

int spipe__lun_claim(struct spipe *s, struct spipe__global_lun *lun, uint8_t mode)
{
    int rc = 0;

    if (lun->mode == SPIPE_LUN_NONE)
        rc = begin(s, lun, mode);
    else if (lun->mode != mode)
        rc = lun->users || lun->named ? -EINVAL : -EBUSY;
    if (!rc)
        lun->users++;
    return rc;
}

void spipe__lun_unclaim(struct spipe *s, struct spipe__global_lun *lun)
{
    CHECK(lun->users > 0);
    lun->users--;
    spipe__lun_settle(s, lun);
}

void spipe__lun_hold(struct spipe__global_lun *lun)
{
    CHECK(lun->mode != SPIPE_LUN_NONE);
    lun->holds++;
}

bool spipe__lun_holds(struct spipe *s, unsigned lun)
{
    bool holds;

    spipe__books_lock(s);
    holds = lun < s->lun_count && s->lun[lun].global->holds > 0;
    spipe__books_unlock(s);
    return holds;
}

void spipe__lun_unhold(struct spipe *s, struct spipe__global_lun *lun)
{
    CHECK(lun->holds > 0);
    lun->holds--;
    spipe__lun_settle(s, lun);
}

/* ---- names at the start ---- */

int spipe__lun_start(struct spipe *s, struct spipe__global_lun *lun)
{
    int rc;

    if (lun->mode != SPIPE_LUN_NONE || !is_recorded(s, lun))
        return 0;
    rc = begin(s, lun, SPIPE_LUN_VIRTUAL);
    if (!rc)
        rc = reserve_named(s, lun);
    if (!rc)
        rc = spipe__wipe_restore(s, lun);
    if (rc) {
        lun->holds = 0; /* what is dirty counts as one */
        end(s, lun);
    }
    spipe__lun_settle(s, lun);
    return rc;
}

int spipe__lun_start_all(struct spipe *s)
{
    int rc = 0;

    exec_mutex_lock(s->exec, &s->group->names);
    spipe__books_lock(s);
    for (unsigned i = 0; i < s->lun_count && !rc; i++)
        rc = spipe__lun_start(s, s->lun[i].global);
    spipe__books_unlock(s);
    exec_mutex_unlock(s->exec, &s->group->names);
    return rc;
}

/* ---- the end ---- */

/* Nobody reaches the LUN any more. What is dirty is recorded, if anything is. */
static void finish(struct spipe *s, struct spipe__global_lun *lun)
{
    CHECK(lun->users == 0 && lun->holds == (spipe__wipe_dirty(lun) ? 1 : 0));
    lun->holds = 0;
    end(s, lun);
}

/* At once, so that of two adapters that close one is the last. */
static void drop(struct spipe *s, struct spipe__lun *local)
{
    struct spipe__global_lun *lun = local->global;

    spipe__group_drop_lun(local);
    if (!lun->locals)
        finish(s, lun);
    else if (spipe__wipe_dirty(lun)) /* somebody else has to do it */
        spipe__wipe_ask(lun);
}

void spipe__lun_finish(struct spipe *s)
{
    spipe__quarantine_release_all(s);
    spipe__books_lock(s);
    while (s->lun_count > 0)
        drop(s, &s->lun[--s->lun_count]);
    spipe__books_unlock(s);
}
