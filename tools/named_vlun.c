/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/named_vlun.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/session_names.h"
#include "tools/session_sync.h"
#include "tools/text.h"

/* ---- looking ----------------------------------------------------------------------------------
 */

/* Finds the LUN with the WWID of a name; without it sizes are counted as core does. */
static void locate(struct spipe *s, struct named_vlun *v)
{
    struct spipe_lun_info lun;

    v->lun = -1;
    v->block_size = SPIPE_API_BLOCK;
    for (unsigned i = 0; v->lun < 0 && !spipe_lun_info(s, i, &lun); i++)
        if (!memcmp(lun.wwid, v->info.wwid, sizeof lun.wwid)) {
            v->lun = (int)i;
            v->block_size = lun.block_size;
        }
    v->chunk_bytes = (uint64_t)SPIPE_CHUNK_BLOCKS * v->block_size;
    v->chunks = v->info.blocks * SPIPE_API_BLOCK / v->chunk_bytes;
}

int named_vlun_at(struct spipe *s, unsigned index, struct named_vlun *out)
{
    int rc = spipe_name_at(s, index, &out->info);

    if (!rc)
        locate(s, out);
    return rc;
}

/* Unlike spipe_name_stat(), finds names whose LUN is gone as well. */
static int find(struct spipe *s, const char *name, struct named_vlun *out)
{
    int rc;

    for (unsigned i = 0; !(rc = named_vlun_at(s, i, out)); i++)
        if (!strcmp(out->info.name, name))
            break;
    return rc;
}

static int missing(const struct session *s, const char *name, char *why, size_t size)
{
    char repeat[SESSION_REPEAT_BYTES];

    snprintf(why, size,
             "there is no virtual LUN '%s' in '%s': 'superpipe list%s' shows what there is", name,
             session_names_where(s), session_repeat(s, repeat));
    return -ENOENT;
}

int named_vlun_find(struct session *s, const char *name, struct named_vlun *out, char *why,
                    size_t size)
{
    return find(s->spipe[0], name, out) ? missing(s, name, why, size) : 0;
}

int named_vlun_reach(struct session *s, const char *name, struct named_vlun *out, char *why,
                     size_t size)
{
    char repeat[SESSION_REPEAT_BYTES];
    int rc = named_vlun_find(s, name, out, why, size);

    if (rc || out->lun >= 0)
        return rc;
    snprintf(why, size,
             "the LUN that '%s' lies on is not on this adapter: 'superpipe vlun stat %s%s' tells "
             "its WWID",
             name, name, session_repeat(s, repeat));
    return -ENODEV;
}

int named_vlun_check_free(struct session *s, const char *name, char *why, size_t size)
{
    char repeat[SESSION_REPEAT_BYTES];
    struct named_vlun v;

    if (find(s->spipe[0], name, &v))
        return 0;
    snprintf(why, size,
             "there is a virtual LUN '%s' in '%s' already: choose another name, or release it "
             "first with 'superpipe vlun release %s%s'",
             name, session_names_where(s), name, session_repeat(s, repeat));
    return -EEXIST;
}

/* ---- changing ---------------------------------------------------------------------------------
 */

int named_vlun_set(struct session *s, struct spipe_ctx *ctx, uint32_t handle, const char *name,
                   uint64_t byte_length, char *why, size_t size)
{
    int rc = spipe_name_set(ctx, handle, name, byte_length);

    if (rc == -ENOSPC)
        snprintf(why, size,
                 "there is no room to record the name '%s' in '%s': remove names that are not "
                 "needed, or free space on its disk",
                 name, session_names_where(s));
    else if (rc)
        snprintf(why, size, "the name '%s' cannot be recorded in '%s' (%s)", name,
                 session_names_where(s), strerror(-rc));
    return rc;
}

int named_vlun_keep(struct session *s, const struct vlun_handle *v, const char *name,
                    uint64_t byte_length, char *why, size_t size)
{
    int rc = session_sync(s, 0, v->lun, why, size);

    return rc ? rc : named_vlun_set(s, v->ctx, v->handle, name, byte_length, why, size);
}

static uint64_t free_chunks(struct spipe *s, int lun)
{
    struct spipe_lun_info info;

    return lun < 0 || spipe_lun_info(s, (unsigned)lun, &info) ? 0 : info.free_chunks;
}

int named_vlun_remove(struct session *s, const char *name, struct named_vlun_freed *out, char *why,
                      size_t size)
{
    struct spipe *adapter = s->spipe[0];
    struct named_vlun v;
    uint64_t before;
    int rc = named_vlun_find(s, name, &v, why, size);

    if (rc)
        return rc;
    before = free_chunks(adapter, v.lun);
    rc = spipe_name_remove(adapter, name);
    if (rc) {
        snprintf(why, size, "the removal of '%s' cannot be recorded in '%s' (%s)", name,
                 session_names_where(s), strerror(-rc));
        session_explain_names_full(s, why, size);
        return rc;
    }
    *out = (struct named_vlun_freed){
        .chunks = v.chunks, .freed = free_chunks(adapter, v.lun) - before, .elsewhere = v.lun < 0};
    return 0;
}

void named_vlun_say_taken(const struct session *s, const struct named_vlun_freed *freed, char *said,
                          size_t size)
{
    char taken[TEXT_BYTES];

    if (!s->card || freed->elsewhere || freed->freed == freed->chunks)
        return;
    text_append(said, size,
                "Not free: %s. Another name or program has them, or they are to be wiped: then "
                "they stay taken\nuntil a program that wipes has done so. This one wipes nothing "
                "on a card.\n",
                text_count(taken, freed->chunks - freed->freed));
}
