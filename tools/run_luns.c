/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/run_luns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/superpipe.h"
#include "hal/support/endian.h"
#include "tools/session.h"

/* Whom to ask for the blocks of a LUN. */
struct source {
    struct spipe *spipe;
    unsigned lun;
    uint32_t block_size;
};

/* ---- reading ----------------------------------------------------------------------------------
 */

static int read_once(const struct source *from, uint64_t lba, uint32_t blocks, void *buffer,
                     struct spipe_scsi *c)
{
    *c = (struct spipe_scsi){.size = sizeof *c,
                             .lun = from->lun,
                             .port = SPIPE_PORT_ANY,
                             .data = buffer,
                             .length = blocks * from->block_size};
    c->cdb[0] = 0x88; /* READ(16) */
    hal_be64_put(c->cdb + 2, lba);
    hal_be32_put(c->cdb + 10, blocks);
    return spipe_scsi(from->spipe, c);
}

/* A device that was just found has something to say first: 06h is a unit attention. */
static int read_blocks(void *arg, uint64_t lba, uint32_t blocks, void *buffer)
{
    struct spipe_scsi c;
    int rc = read_once(arg, lba, blocks, buffer, &c);

    if (!rc && c.result && c.sense_valid && c.sense_key == 6)
        rc = read_once(arg, lba, blocks, buffer, &c);
    if (rc)
        return rc;
    return c.result || c.residual ? -EIO : 0;
}

/* ---- choosing ---------------------------------------------------------------------------------
 */

static bool carries_names(struct spipe *spipe, const uint8_t *wwid)
{
    struct spipe_name_info name;

    for (unsigned i = 0; !spipe_name_at(spipe, i, &name); i++)
        if (name.blocks && !memcmp(name.wwid, wwid, sizeof name.wwid))
            return true;
    return false;
}

static unsigned describe(struct spipe *spipe, struct source *from, struct lun_guard_lun *luns)
{
    struct spipe_lun_info info;
    unsigned n = 0;

    for (; n < RUN_LUNS_MAX && !spipe_lun_info(spipe, n, &info); n++) {
        from[n] = (struct source){spipe, n, info.block_size};
        luns[n].reader = (struct lun_reader){.read = read_blocks,
                                             .arg = &from[n],
                                             .block_size = info.block_size,
                                             .blocks = info.last_lba + 1};
        luns[n].carries_names = carries_names(spipe, info.wwid);
        memcpy(luns[n].wwid, info.wwid, sizeof luns[n].wwid);
    }
    return n;
}

int run_luns_choose(struct session *s, unsigned adapter, const struct lun_guard_options *options,
                    struct run_luns *out, char *why, size_t size)
{
    static struct source from[RUN_LUNS_MAX]; /* too large for the stack of a fiber; made afresh */
    static struct lun_guard_lun luns[RUN_LUNS_MAX];
    static enum lun_guard_answer answer[RUN_LUNS_MAX];
    unsigned n = describe(s->spipe[adapter], from, luns);
    int rc = lun_guard_decide(options, s->card, luns, n, answer, why, size);

    if (rc)
        return rc;
    out->count = 0;
    for (unsigned i = 0; i < n; i++)
        if (answer[i] != LUN_GUARD_HANDS_OFF)
            out->lun[out->count++] = i;
    if (out->count)
        return 0;
    snprintf(why, size, "adapter %u has no LUN: 'superpipe doctor --open' shows its ports",
             adapter);
    return -ENOENT;
}
