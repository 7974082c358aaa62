/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun_mode.h"

#include <errno.h>
#include <string.h>

#include "core/lun_size.h"
#include "core/quarantine.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

struct spipe__lun *spipe__lun_find(struct spipe *s, const uint8_t *wwid)
{
    for (unsigned i = 0; i < s->lun_count; i++)
        if (memcmp(s->lun[i].wwid, wwid, sizeof s->lun[i].wwid) == 0)
            return &s->lun[i];
    return NULL;
}

/* ---- names ---- */

static int found(void *arg, const struct spipe__cat_entry *entry, uint32_t chunk)
{
    (void)arg, (void)entry, (void)chunk;
    return 1;
}

bool spipe__lun_named(struct spipe *s, const struct spipe__lun *lun)
{
    return s->catalogue && spipe__cat_for_each_chunk(s->catalogue, lun->wwid, found, NULL) != 0;
}

static int reserve(void *arg, const struct spipe__cat_entry *entry, uint32_t chunk)
{
    (void)entry;
    return spipe__ba_reserve(arg, chunk) ? -EIO : 0;
}

static int reserve_named(struct spipe *s, const struct spipe__lun *lun, struct spipe__ba *ba)
{
    return s->catalogue ? spipe__cat_for_each_chunk(s->catalogue, lun->wwid, reserve, ba) : 0;
}

/* ---- life of an allocator ---- */

/* The table starts behind the object, aligned for it. */
enum { TABLE_OFFSET = (sizeof(struct spipe__ba) + 63) / 64 * 64 };

static void destroy_allocator(struct spipe *s, struct spipe__lun *lun)
{
    spipe__lun_forget_parked(s, lun);
    exec_free(s->exec, lun->ba, lun->ba_size);
    lun->ba = NULL;
    lun->ba_size = 0;
    lun->usable = 0;
}

static int create_allocator(struct spipe *s, struct spipe__lun *lun)
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
    if (!rc)
        rc = reserve_named(s, lun, ba);
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

static int begin(struct spipe *s, struct spipe__lun *lun, uint8_t mode)
{
    int rc = mode == SPIPE_LUN_VIRTUAL ? create_allocator(s, lun) : 0;

    if (!rc)
        lun->mode = mode;
    return rc;
}

static void end(struct spipe *s, struct spipe__lun *lun)
{
    CHECK(!lun->held);
    if (lun->ba)
        destroy_allocator(s, lun);
    lun->mode = SPIPE_LUN_NONE;
}

void spipe__lun_settle(struct spipe *s, struct spipe__lun *lun)
{
    if (lun->mode == SPIPE_LUN_NONE || lun->users > 0 || lun->holds > 0 || spipe__lun_named(s, lun))
        return;
    end(s, lun);
    if (lun->in_table) /* no LXT entry has its slot any more (SP-135) */
        spipe__lun_table_release(s, lun);
}

/* ---- who uses it ---- */

int spipe__lun_claim(struct spipe *s, struct spipe__lun *lun, uint8_t mode)
{
    int rc = 0;

    if (lun->mode != mode && lun->users == 0 && lun->holds > 0)
        spipe__quarantine_retry_lun(s, lun);
    if (lun->mode == SPIPE_LUN_NONE)
        rc = begin(s, lun, mode);
    else if (lun->mode != mode)
        rc = -EINVAL;
    if (!rc)
        lun->users++;
    return rc;
}

void spipe__lun_unclaim(struct spipe *s, struct spipe__lun *lun)
{
    CHECK(lun->users > 0);
    lun->users--;
    spipe__lun_settle(s, lun);
}

void spipe__lun_hold(struct spipe__lun *lun)
{
    CHECK(lun->mode != SPIPE_LUN_NONE);
    lun->holds++;
}

void spipe__lun_unhold(struct spipe *s, struct spipe__lun *lun)
{
    CHECK(lun->holds > 0);
    lun->holds--;
    spipe__lun_settle(s, lun);
}

int spipe__lun_start(struct spipe *s)
{
    int rc = 0;

    for (unsigned i = 0; i < s->lun_count && !rc; i++)
        if (!s->lun[i].ba && spipe__lun_named(s, &s->lun[i]))
            rc = begin(s, &s->lun[i], SPIPE_LUN_VIRTUAL);
    return rc;
}

void spipe__lun_finish(struct spipe *s)
{
    spipe__quarantine_release_all(s);
    for (unsigned i = 0; i < s->lun_count; i++) {
        struct spipe__lun *lun = &s->lun[i];

        CHECK(lun->users == 0 && lun->holds == 0);
        end(s, lun);
    }
}
