/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/option_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "hal/support/bits.h"
#include "tools/text.h"

#define IO_BYTES_MAX (UINT64_C(16) << 20) /* */

/* digits [. digits], exactly: value = whole + fraction / scale. */
struct decimal {
    uint64_t whole, fraction, scale;
};

static int take_digits(const char **text, uint64_t *value, uint64_t *scale)
{
    const char *at = *text;

    for (; isdigit((unsigned char)*at); at++) {
        if (__builtin_mul_overflow(*value, 10u, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value) ||
            (scale && __builtin_mul_overflow(*scale, 10u, scale)))
            return -ERANGE;
    }
    if (at == *text)
        return -EINVAL;
    *text = at;
    return 0;
}

/* Reads a decimal number and moves *text behind it. */
static int take_decimal(const char **text, struct decimal *d)
{
    int rc;

    *d = (struct decimal){.scale = 1};
    rc = take_digits(text, &d->whole, NULL);
    if (rc || **text != '.')
        return rc;
    (*text)++;
    return take_digits(text, &d->fraction, &d->scale);
}

static int times(const struct decimal *d, uint64_t unit, uint64_t *out)
{
    unsigned __int128 v = (unsigned __int128)d->whole * unit;

    v += (unsigned __int128)d->fraction * unit / d->scale;
    if (v > UINT64_MAX)
        return -ERANGE;
    *out = (uint64_t)v;
    return 0;
}

int option_value_count(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    int rc = take_digits(&text, &value, NULL);

    if (!rc && *text)
        rc = -EINVAL;
    if (!rc)
        *out = value;
    return rc;
}

/* 0 for an unknown suffix. */
static uint64_t size_unit(const char *suffix)
{
    static const char letters[] = "kmgtp";
    const char *letter;
    uint64_t unit = 1;
    unsigned base;

    if (!*suffix || !strcasecmp(suffix, "B"))
        return 1;
    letter = strchr(letters, tolower((unsigned char)*suffix));
    if (!letter)
        return 0;
    if (!suffix[1] || !strcasecmp(suffix + 1, "iB"))
        base = 1024;
    else if (!strcasecmp(suffix + 1, "B"))
        base = 1000;
    else
        return 0;
    for (const char *l = letters; l <= letter; l++)
        unit *= base;
    return unit;
}

int option_value_size(const char *text, uint64_t *out)
{
    struct decimal d;
    int rc = take_decimal(&text, &d);
    uint64_t unit;

    if (rc)
        return rc;
    text += *text == ' ';
    unit = size_unit(text);
    return unit ? times(&d, unit, out) : -EINVAL;
}

int option_value_duration(const char *text, uint64_t *out)
{
    static const struct {
        const char *suffix;
        uint64_t ns;
    } unit[] = {{"", 1000000000}, {"s", 1000000000},  {"ms", 1000000},     {"us", 1000},
                {"ns", 1},        {"m", 60000000000}, {"min", 60000000000}};
    struct decimal d;
    int rc = take_decimal(&text, &d);

    if (rc)
        return rc;
    text += *text == ' ';
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(unit); i++)
        if (!strcmp(text, unit[i].suffix))
            return times(&d, unit[i].ns, out);
    return -EINVAL;
}

int option_value_percent(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    int rc = take_digits(&text, &value, NULL);

    text += !rc && *text == '%';
    if (!rc && *text)
        rc = -EINVAL;
    if (!rc && value > 100)
        rc = -ERANGE;
    if (!rc)
        *out = value;
    return rc;
}

int option_value_factor(const char *text, uint64_t *out)
{
    struct decimal d;
    int rc = take_decimal(&text, &d);

    if (!rc && *text)
        rc = -EINVAL;
    return rc ? rc : times(&d, 1000, out);
}

static int take_hex(const char *text, uint64_t *out)
{
    uint64_t value = 0;

    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (!isxdigit((unsigned char)*text))
            return -EINVAL;
        if (value >> 60)
            return -ERANGE;
        value = value << 4 | (uint64_t)(isdigit((unsigned char)*text)
                                            ? *text - '0'
                                            : tolower((unsigned char)*text) - 'a' + 10);
    }
    *out = value;
    return 0;
}

int option_value_seed(const char *text, uint64_t *out)
{
    uint64_t drawn;

    if (!strcmp(text, "random")) {
        if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
            return -EINVAL;
        *out = drawn >> 11; /* 53 bits: exact for every reader of JSON */
        return 0;
    }
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return take_hex(text + 2, out);
    return option_value_count(text, out);
}

/* One part of a mix: size[:weight]. */
static int mix_part(char *text, struct block_mix *mix)
{
    char *colon = strchr(text, ':');
    uint64_t bytes, weight = 1;
    int rc;

    if (mix->count == BLOCK_MIX_MAX)
        return -ERANGE;
    if (colon) {
        *colon = 0;
        rc = option_value_count(colon + 1, &weight);
        if (rc)
            return rc;
    }
    rc = option_value_size(text, &bytes);
    if (rc)
        return rc;
    if (!bytes || bytes > IO_BYTES_MAX || bytes % 512 || !weight || weight > 1000000)
        return -ERANGE;
    mix->part[mix->count].bytes = (uint32_t)bytes;
    mix->part[mix->count++].weight = (uint32_t)weight;
    mix->weight_total += (uint32_t)weight;
    return 0;
}

int option_value_mix(const char *text, struct block_mix *out)
{
    struct block_mix mix = {0};
    char copy[256], *rest = copy, *part;
    int rc = 0;

    if (!*text || strlen(text) >= sizeof copy)
        return -EINVAL;
    snprintf(copy, sizeof copy, "%s", text);
    while (!rc && (part = strsep(&rest, ",")))
        rc = mix_part(part, &mix);
    if (!rc)
        *out = mix;
    return rc;
}

uint32_t block_mix_largest(const struct block_mix *mix)
{
    uint32_t largest = 0;

    for (unsigned i = 0; i < mix->count; i++)
        if (mix->part[i].bytes > largest)
            largest = mix->part[i].bytes;
    return largest;
}

/* " (80 %)", " (79.2 %)" */
static void say_share(char *buf, unsigned size, uint32_t weight, uint32_t total)
{
    uint64_t tenths = ((uint64_t)weight * 2000 + total) / total / 2;

    text_append(buf, size, " (%llu", (unsigned long long)tenths / 10);
    if (tenths % 10)
        text_append(buf, size, ".%llu", (unsigned long long)tenths % 10);
    text_append(buf, size, " %%)");
}

void block_mix_text(const struct block_mix *mix, char *buf, unsigned size)
{
    char bytes[TEXT_BYTES];

    *buf = 0;
    for (unsigned i = 0; i < mix->count; i++) {
        text_append(buf, size, "%s%s", i ? ", " : "", text_size(bytes, mix->part[i].bytes));
        if (mix->count > 1)
            say_share(buf, size, mix->part[i].weight, mix->weight_total);
    }
}
