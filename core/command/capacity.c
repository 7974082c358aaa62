/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/capacity.h"

#include <errno.h>

#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/endian.h"

enum {
    NEEDED = 12, /* bytes up to the block length */
    BLOCK_LENGTH = 8,
    FLAGS = 14,
    LBPRZ = 0x40,
    BLOCK_MIN = 512,
    BLOCK_MAX = SPIPE_API_BLOCK,
};

static bool usable(const struct spipe__capacity *c)
{
    if (c->block_size == 0 && spipe__mutant(SPW_23))
        return true;
    return c->last_lba != UINT64_MAX && c->block_size >= BLOCK_MIN && c->block_size <= BLOCK_MAX &&
           hal_is_power_of_2(c->block_size);
}

static int read_capacity(struct spipe *s, unsigned port, uint64_t lun_id,
                         struct spipe__capacity *out)
{
    struct spipe__cdb cdb = spipe__cdb_read_capacity_16(SPIPE__SCRATCH_SIZE);
    const uint8_t *data = s->scratch;
    struct spipe__capacity c;
    uint32_t valid;
    int rc = spipe__scsi_read(s, port, lun_id, &cdb, SPIPE__SCRATCH_SIZE, &valid);

    if (rc)
        return rc;
    if (valid < NEEDED)
        return -ENXIO;
    c.last_lba = hal_be64_at(data);
    c.block_size = hal_be32_at(data + BLOCK_LENGTH);
    c.reads_zero_unmapped = data[FLAGS] & LBPRZ;
    if (!usable(&c))
        return -ENXIO;
    *out = c;
    return 0;
}

int spipe__capacity_read(struct spipe *s, unsigned port, uint64_t lun_id,
                         struct spipe__capacity *out)
{
    int rc;

    exec_mutex_lock(s->exec, &s->scsi);
    rc = read_capacity(s, port, lun_id, out);
    exec_mutex_unlock(s->exec, &s->scsi);
    return rc;
}
