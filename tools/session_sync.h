/* SPDX-License-Identifier: Apache-2.0 */
/* Data that were written and acknowledged may still be in a write cache that forgets them when the
 * power fails: in that of a device behind a card, and, of a simulated one, in that of the system
 * that has its media file. Nothing may be promised of them before both are empty. */
#ifndef TOOLS_SESSION_SYNC_H
#define TOOLS_SESSION_SYNC_H

#include <stddef.h>

#include "core/superpipe.h"
#include "hal/support/must_check.h"

struct session;

/** What an answer to SYNCHRONIZE CACHE means. */
enum session_sync_verdict {
    SESSION_SYNC_DURABLE,
    SESSION_SYNC_AGAIN,   /* nothing was done: send it once more */
    SESSION_SYNC_UNKNOWN, /* the device does not know this command */
    SESSION_SYNC_LOST,    /* it was reset, and what its cache held with it */
    SESSION_SYNC_FAILED,
};

/** Judges one: rc is what spipe_scsi() returned, and `answer` counts if that is 0. A unit attention
 * for a reset or power-on (29h) is LOST: whoever has written meanwhile cannot know what is left of
 * it. */
enum session_sync_verdict session_sync_judge(int rc, const struct spipe_scsi *answer);

/** Makes what was written to LUN number `lun` of an adapter, and acknowledged, durable: the device
 * empties its write cache, by SYNCHRONIZE CACHE over all of its blocks, then media files go to the
 * disk. A device that knows the command in neither form has no such cache (as in decision 0008).
 * Waits up to two minutes for the device; in the session's first thread, while session_run() runs
 * its body. Returns 0; else a negative errno with a sentence in why, and nothing is certain about
 * those data. */
HAL_MUST_CHECK int session_sync(struct session *s, unsigned adapter, unsigned lun, char *why,
                                size_t size);

#endif
