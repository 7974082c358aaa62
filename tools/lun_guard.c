/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lun_guard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/number.h"
#include "tools/text.h"

#define DIGITS ((size_t)2 * LUN_GUARD_WWID_BYTES)
#define HEX_BYTES (DIGITS + 1)
#define SHOWN 8u /* names in a sentence */

static const char *wwid_text(char buf[HEX_BYTES], const uint8_t *wwid)
{
    for (size_t i = 0; i < LUN_GUARD_WWID_BYTES; i++)
        snprintf(buf + 2 * i, 3, "%02x", wwid[i]);
    return buf;
}

/* What programs put in front of the 32 digits. */
static const char *skip_prefix(const char *text)
{
    static const char *const prefixes[] = {"0x", "0X", "naa."};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(prefixes); i++)
        if (!strncmp(text, prefixes[i], strlen(prefixes[i])))
            return text + strlen(prefixes[i]);
    return strlen(text) == DIGITS + 1 && *text == '3' ? text + 1 : text;
}

int lun_guard_wwid(const char *text, uint8_t out[LUN_GUARD_WWID_BYTES], char *why, size_t size)
{
    const char *digits = skip_prefix(text);
    uint8_t any = 0;
    size_t n = 0;

    while (n <= DIGITS && hal_number_digit(digits[n]) < 16)
        n++;
    if (n != DIGITS || digits[n]) {
        snprintf(why, size, "must be the %zu hexadecimal digits that 'superpipe lun list' shows",
                 DIGITS);
        return -EINVAL;
    }
    for (size_t i = 0; i < LUN_GUARD_WWID_BYTES; i++) {
        out[i] =
            (uint8_t)(hal_number_digit(digits[2 * i]) << 4 | hal_number_digit(digits[2 * i + 1]));
        any |= out[i];
    }
    if (any)
        return 0;
    snprintf(why, size, "must not be zeros only, which is the name of no LUN");
    return -EINVAL;
}

static bool is_named(const struct lun_guard_options *o, const uint8_t *wwid)
{
    for (unsigned i = 0; i < o->wwids; i++)
        if (!memcmp(o->wwid[i], wwid, LUN_GUARD_WWID_BYTES))
            return true;
    return false;
}

int lun_guard_add(struct lun_guard_options *options, const char *text, char *why, size_t size)
{
    uint8_t wwid[LUN_GUARD_WWID_BYTES];
    int rc = lun_guard_wwid(text, wwid, why, size);

    if (rc || is_named(options, wwid))
        return rc;
    if (options->wwids == LUN_GUARD_NAMES_MAX) {
        snprintf(why, size, "must not be given more than %d times", LUN_GUARD_NAMES_MAX);
        return -EINVAL;
    }
    memcpy(options->wwid[options->wwids++], wwid, sizeof wwid);
    return 0;
}

/* ---- decisions ---- */

/* Adds the names of the LUNs to a sentence. */
static void append_names(const struct lun_guard_lun *luns, unsigned count, char *why, size_t size)
{
    char text[HEX_BYTES];

    for (unsigned k = 0; k < count && k < SHOWN; k++)
        text_append(why, size, " %s", wwid_text(text, luns[k].wwid));
    if (!count)
        text_append(why, size, " none");
    if (count > SHOWN)
        text_append(why, size, " ...");
}

static int check_options(const struct lun_guard_options *o, bool hardware,
                         const struct lun_guard_lun *luns, unsigned count, char *why, size_t size)
{
    if (o->read_only && o->destroy) {
        snprintf(why, size, "give --read-only or --destroy, not both");
        return -EINVAL;
    }
    if (hardware && !o->wwids) {
        snprintf(why, size,
                 "LUNs behind a real card are touched only by their names: give --lun WWID; the "
                 "adapter has:");
        append_names(luns, count, why, size);
        return -EINVAL;
    }
    return 0;
}

static bool has_lun(const struct lun_guard_lun *luns, unsigned count, const uint8_t *wwid)
{
    for (unsigned k = 0; k < count; k++)
        if (!memcmp(luns[k].wwid, wwid, LUN_GUARD_WWID_BYTES))
            return true;
    return false;
}

/* Every name must be that of a LUN: a slip must not lead to less than was asked for. */
static int check_names(const struct lun_guard_options *o, const struct lun_guard_lun *luns,
                       unsigned count, char *why, size_t size)
{
    char text[HEX_BYTES];

    for (unsigned i = 0; i < o->wwids; i++) {
        if (has_lun(luns, count, o->wwid[i]))
            continue;
        snprintf(why, size, "the adapter has no LUN %s; it has:", wwid_text(text, o->wwid[i]));
        append_names(luns, count, why, size);
        return -ENODEV;
    }
    return 0;
}

/* Whether a LUN may be overwritten without --destroy. */
static int check_contents(const struct lun_guard_lun *lun, char *why, size_t size)
{
    struct lun_signature_found found;
    char text[HEX_BYTES];
    int rc = lun_signature_find(&lun->reader, &found);

    if (!rc)
        return 0;
    wwid_text(text, lun->wwid);
    if (rc < 0) {
        snprintf(why, size,
                 "LUN %s cannot be looked at (%s), so nobody knows what it holds: nothing is "
                 "written to it without --destroy",
                 text, strerror(-rc));
        return rc;
    }
    snprintf(why, size,
             "LUN %s holds something: %s, at byte %" PRIu64
             ", which would be destroyed: name another LUN, or give --destroy if it may be lost",
             text, found.signature->name, found.offset);
    return -EPERM;
}

static int decide_one(const struct lun_guard_options *o, bool hardware,
                      const struct lun_guard_lun *lun, enum lun_guard_answer *answer, char *why,
                      size_t size)
{
    int rc = 0;

    *answer = LUN_GUARD_HANDS_OFF;
    if (o->wwids && !is_named(o, lun->wwid))
        return 0;
    if (hardware && !o->read_only && !o->destroy && !lun->carries_names)
        rc = check_contents(lun, why, size);
    if (!rc)
        *answer = o->read_only ? LUN_GUARD_READ : LUN_GUARD_WRITE;
    return rc;
}

int lun_guard_decide(const struct lun_guard_options *options, bool hardware,
                     const struct lun_guard_lun *luns, unsigned count,
                     enum lun_guard_answer *answer, char *why, size_t size)
{
    int rc = check_options(options, hardware, luns, count, why, size);

    if (!rc)
        rc = check_names(options, luns, count, why, size);
    for (unsigned i = 0; !rc && i < count; i++)
        rc = decide_one(options, hardware, &luns[i], &answer[i], why, size);
    for (unsigned i = 0; rc && i < count; i++)
        answer[i] = LUN_GUARD_HANDS_OFF;
    return rc;
}
