/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences that tell people why something failed, beside the errno that tells programs. Shared
 * inside core only. */
#ifndef CORE_WHY_H
#define CORE_WHY_H

#include <stddef.h>

/** Where a sentence goes: the caller's buffer, or nowhere (text NULL or size 0). */
struct spipe__why {
    char *text;
    size_t size;
};

/**
 * Writes the sentence, cut to the buffer, and passes the error on.
 *
 * @param why     destination
 * @param error   negative errno
 * @param format  printf format of a sentence without a full stop
 * @return        error
 */
int spipe__why(struct spipe__why why, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
