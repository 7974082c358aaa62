/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's record store in the reserved area of simulated media. */
#ifndef BACKENDS_SIM_SIM_RECORD_STORE_H
#define BACKENDS_SIM_SIM_RECORD_STORE_H

#include "hal/record_store.h"
#include "hal/support/record_log.h"

struct sim_drive;
struct sim_media;

/** A record log over the store area of media. Plain data; `area` points at itself. */
struct sim_record_store {
    struct hal_record_area area;
    struct sim_media *media;
    struct sim_drive *drive;
    struct hal_record_log log;
};

/** Prepares s over media, which must outlive it; hand out &s->log.store. `drive` is that of the
 * machine that uses the media, too, whose lock is taken for each access; NULL: none does. Returns 0
 * or -EINVAL. */
HAL_MUST_CHECK int sim_record_store_init(struct sim_record_store *s, struct sim_media *media,
                                         struct sim_drive *drive);

#endif
