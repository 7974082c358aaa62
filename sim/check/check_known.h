/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of contexts, and as of when: what the next look has to be at, and what may be
 * concluded between two looks. Plain data; it knows nothing of the model.
 *
 * Pictures are drawn of contexts that were touched since it was quiet last. Of all others what they
 * had at their last look is taken for what they have. That is right because nothing changes a
 * context without a word of it here:
 *   - requests on it begin, or its tables are stored to: it is touched;
 *   - requests that are about no certain one may have changed any;
 *   - an ATTACH makes one, whose number is told later.
 * It is wrong, and everything has to be looked at, once a look was due and could not be had.
 *
 * A look at everything also compares: contexts that were not touched are as they were, unless
 * something may have changed any. */
#ifndef SIM_CHECK_CHECK_KNOWN_H
#define SIM_CHECK_CHECK_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/afu_regs.h"

enum { CHECK_NUMBERS = AFU_CONTEXTS, CHECK_NUMBER_WORDS = CHECK_NUMBERS / 64 };

/** One quiet look in so many is at everything, whatever was touched. */
enum { CHECK_WHOLE_EVERY = 64 };

enum check_extent { CHECK_NOTHING, CHECK_PART, CHECK_ALL };

/** All zero at first: nothing is known. Only `touched` is for others to read. */
struct check_known {
    uint64_t touched[CHECK_NUMBER_WORDS]; /* since it was quiet last, a bit for each number */
    bool any_touched;
    bool known;              /* what contexts have is known of all of them */
    bool all_now, all_quiet; /* the next look is at everything; the next quiet one */
    unsigned attaches;       /* that have not told their context */
    unsigned parts;          /* quiet looks since one was at everything */
    bool outdated;           /* something that changes tables came after the last picture */
    bool stored_in_use;      /* to memory that the AFU can reach: each occasion is one to look */
    bool arrived;            /* words have, when nobody could look */
};

/* ---- what happens ---- */

/** A context may change; CHECK_NUMBERS or more: any of them may. */
void check_known_touch(struct check_known *k, uint64_t number);

/** An ATTACH begins. It makes a context, and tells nothing if that is not so. */
void check_known_attach(struct check_known *k);

/** A context begins, or is lost, and tells its number. */
void check_known_told(struct check_known *k, uint32_t number);

/** Nothing of before is as it was: a reset. */
void check_known_changed(struct check_known *k);

/** A request has ended, others go on. What it changed, of whichever context, may be used at once.
 */
void check_known_ended(struct check_known *k);

/** Memory that the AFU reaches through a context is stored to in a way that breaks something. */
void check_known_stored_in_use(struct check_known *k, uint64_t number);

/** Words of tables have arrived in memory, and a look is not possible now. */
void check_known_arrived(struct check_known *k);

/**
 * Tables were stored to, or stores published.
 *
 * @param arrived  a word of an RHT has arrived in memory by that
 * @return         whether it is an occasion to look; if not, pictures drawn before are out of date
 */
bool check_known_tables(struct check_known *k, bool arrived);

/* ---- looking ---- */

/** What a look of now has to be at. quiet: no request is under way. */
enum check_extent check_known_next(const struct check_known *k, bool quiet);

/** Whether contexts that were not touched must be found as they were known. */
bool check_known_compares(const struct check_known *k);

/** A picture has been drawn. */
void check_known_drawn(struct check_known *k);

/** Whether the last picture is one of now, as far as tables go. */
bool check_known_current(const struct check_known *k);

/**
 * What was drawn is what contexts have from now on.
 *
 * @param all       of all contexts, not of those touched
 * @param quiet     no request is under way
 * @param complete  there was memory for it, and it says all that matters
 */
void check_known_remember(struct check_known *k, bool all, bool quiet, bool complete);

/** A look has been had. */
void check_known_looked(struct check_known *k, bool quiet);

/** A look was due and could not be had. */
void check_known_forget(struct check_known *k);

/** Whether what contexts had at their last looks may be taken for what they have. */
bool check_known_holds(const struct check_known *k);

#endif
