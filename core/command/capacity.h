/* SPDX-License-Identifier: Apache-2.0 */
/* What READ CAPACITY(16) says of a LUN (SP-101..SP-105). Shared inside core only. */
#ifndef CORE_CAPACITY_H
#define CORE_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/adapter/adapter.h"

/** Size of a LUN. */
struct spipe__capacity {
    uint64_t last_lba;
    uint32_t block_size;      /* bytes: a power of two from 512 to SPIPE_API_BLOCK */
    bool reads_zero_unmapped; /* LBPRZ */
};

/**
 * Asks a LUN for its capacity, with the repetitions of spipe__scsi_read().
 *
 * @param s       adapter; takes `scsi`
 * @param port    0 .. ports - 1
 * @param lun_id  64-bit LUN id on that port
 * @param out     receives the answer; untouched on failure
 * @return        0; -ENXIO if the answer is no capacity that core can work with: no data, no block
 *                length (SP-105) or an odd one, no end; else as spipe__scsi_read()
 */
HAL_MUST_CHECK int spipe__capacity_read(struct spipe *s, unsigned port, uint64_t lun_id,
                                        struct spipe__capacity *out);

#endif
