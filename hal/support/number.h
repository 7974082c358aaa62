/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people type them in parameter files and fault plans, and the way back into sentences
 * about them. */
#ifndef HAL_SUPPORT_NUMBER_H
#define HAL_SUPPORT_NUMBER_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/support/must_check.h"

/** A character of a user's text for a sentence: what would move a terminal becomes '?'. */
static inline char hal_number_shown(char c)
{
    if (c < ' ' || c > '~')
        c = '?';
    return c;
}

/** The value of one digit, or 99. */
static inline unsigned hal_number_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 99;
}

/** What a suffix multiplies by: k is 1,000 and M is 1,000,000; 1 for any other character. */
static inline uint64_t hal_number_suffix(char c)
{
    return c == 'k' ? 1000 : c == 'M' ? 1000000 : 1;
}

/**
 * Takes an unsigned number from the front of *text: decimal, or hexadecimal after 0x, then k or M.
 * No sign and no blanks, and a leading 0 does not mean octal.
 *
 * @param text   moved behind the number, also when it does not fit
 * @param value  set on success only
 * @return       0; -EINVAL if no number begins here; -ERANGE if it has more than 64 bits
 */
HAL_MUST_CHECK static inline int hal_number_take(const char **text, uint64_t *value)
{
    const char *s = *text;
    unsigned base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
    bool overflow = false;
    uint64_t v = 0;

    s += base == 16 ? 2 : 0;
    if (hal_number_digit(*s) >= base)
        return -EINVAL;
    for (; hal_number_digit(*s) < base; s++) {
        overflow |= __builtin_mul_overflow(v, base, &v);
        overflow |= __builtin_add_overflow(v, hal_number_digit(*s), &v);
    }
    overflow |= __builtin_mul_overflow(v, hal_number_suffix(*s), &v);
    *text = s + (hal_number_suffix(*s) != 1);
    if (overflow)
        return -ERANGE;
    *value = v;
    return 0;
}

#endif
