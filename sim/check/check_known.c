/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/check_known.h"

#include <string.h>

/* ---- what happens ---- */

void check_known_touch(struct check_known *k, uint64_t number)
{
    if (number >= CHECK_NUMBERS) {
        k->all_quiet = true;
        return;
    }
    k->touched[number / 64] |= UINT64_C(1) << number % 64;
    k->any_touched = true;
}

void check_known_attach(struct check_known *k) { k->attaches++; }

void check_known_told(struct check_known *k, uint32_t number)
{
    check_known_touch(k, number);
    k->attaches -= k->attaches > 0;
}

void check_known_changed(struct check_known *k) { k->all_now = true; }

void check_known_ended(struct check_known *k) { k->all_now |= k->all_quiet; }

void check_known_stored_in_use(struct check_known *k, uint64_t number)
{
    check_known_touch(k, number);
    k->stored_in_use = true;
}

void check_known_arrived(struct check_known *k) { k->arrived = true; }

/* Stores to memory that the AFU cannot reach yet, as those of a grow to its new array, and those
 * that are on their way are no occasion. */
bool check_known_tables(struct check_known *k, bool arrived)
{
    if (arrived || k->stored_in_use || k->arrived)
        return true;
    k->outdated = true;
    return false;
}

/* ---- looking ---- */

enum check_extent check_known_next(const struct check_known *k, bool quiet)
{
    if (k->all_now || !k->known)
        return CHECK_ALL;
    if (quiet && (k->all_quiet || k->attaches || k->parts >= CHECK_WHOLE_EVERY))
        return CHECK_ALL;
    return k->any_touched ? CHECK_PART : CHECK_NOTHING;
}

bool check_known_compares(const struct check_known *k)
{
    return k->known && !k->all_now && !k->all_quiet && !k->attaches;
}

void check_known_drawn(struct check_known *k) { k->outdated = false; }

bool check_known_current(const struct check_known *k) { return !k->outdated; }

void check_known_remember(struct check_known *k, bool all, bool quiet, bool complete)
{
    k->all_now = !complete;
    if (all) {
        k->known = true;
        k->parts = 0;
    } else {
        k->parts += quiet;
    }
}

void check_known_looked(struct check_known *k, bool quiet)
{
    k->arrived = false;
    if (!quiet)
        return;
    memset(k->touched, 0, sizeof k->touched);
    k->any_touched = k->all_quiet = k->stored_in_use = false;
    k->attaches = 0;
}

void check_known_forget(struct check_known *k) { k->known = false; }

bool check_known_holds(const struct check_known *k) { return k->known; }
