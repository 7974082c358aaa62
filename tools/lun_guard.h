/* SPDX-License-Identifier: Apache-2.0 */
/* Which LUNs a run may touch. Behind a real card are disks of people: there none is read or
 * written that was not named by --lun, none is written under --read-only, and one that holds
 * something (lun_signature.h) is written only with --destroy. One that carries names of virtual
 * LUNs is known to be ours (docs/decisions/0017): what is found there was put there, and it is not
 * looked at. */
#ifndef TOOLS_LUN_GUARD_H
#define TOOLS_LUN_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"
#include "tools/lun_signature.h"

#define LUN_GUARD_WWID_BYTES 16
#define LUN_GUARD_NAMES_MAX 64
#define LUN_GUARD_WHY_BYTES 512

/** What the command line said. Zero is: nothing. */
struct lun_guard_options {
    uint8_t wwid[LUN_GUARD_NAMES_MAX][LUN_GUARD_WWID_BYTES]; /* --lun */
    unsigned wwids;
    bool read_only; /* --read-only */
    bool destroy;   /* --destroy */
};

/** One LUN that the adapter has. */
struct lun_guard_lun {
    uint8_t wwid[LUN_GUARD_WWID_BYTES];
    bool carries_names;       /* of virtual LUNs: what it holds is theirs */
    struct lun_reader reader; /* asked only when the LUN was named and may be written */
};

/** What may be done with a LUN. */
enum lun_guard_answer {
    LUN_GUARD_HANDS_OFF, /* neither read nor written */
    LUN_GUARD_READ,
    LUN_GUARD_WRITE,
};

/** Reads a WWID as people type it: 32 hexadecimal digits, as `superpipe lun list` prints them, or
 * with "0x", "naa." or multipath's "3" in front; not all zeros. Returns 0, or -EINVAL with the end
 * of a sentence in why ("must be ..."). */
HAL_MUST_CHECK int lun_guard_wwid(const char *text, uint8_t out[LUN_GUARD_WWID_BYTES], char *why,
                                  size_t size);

/** Adds a name to the options; the same one twice counts once. Returns as lun_guard_wwid(), and
 * -EINVAL when there are too many. */
HAL_MUST_CHECK int lun_guard_add(struct lun_guard_options *options, const char *text, char *why,
                                 size_t size);

/** Decides about all LUNs of an adapter.
 *
 * @param hardware  they are behind a real card; else every LUN may be used when none is named
 * @param answer    receives one for each LUN; all are LUN_GUARD_HANDS_OFF when it fails
 * @param why       receives a sentence when it fails
 * @return          0; -EINVAL (no name on hardware, or options that exclude each other), -ENODEV
 *                  (a name that no LUN has), -EPERM (it holds something, and --destroy was not
 *                  given), or why it could not be looked at */
HAL_MUST_CHECK int lun_guard_decide(const struct lun_guard_options *options, bool hardware,
                                    const struct lun_guard_lun *luns, unsigned count,
                                    enum lun_guard_answer *answer, char *why, size_t size);

#endif
