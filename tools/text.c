/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"

#define WORD_MAX 63

const char *text_size(char *buf, uint64_t bytes)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned u = 0;

    while (u + 1 < HAL_ARRAY_LENGTH(unit) && bytes >> (10 * (u + 1)))
        u++;
    if (bytes & (HAL_BIT(10 * u) - 1)) {
        unsigned __int128 tenths = ((unsigned __int128)bytes * 10) >> (10 * u);

        snprintf(buf, TEXT_BYTES, "%llu.%u %s", (unsigned long long)(tenths / 10),
                 (unsigned)(tenths % 10), unit[u]);
    } else {
        snprintf(buf, TEXT_BYTES, "%llu %s", (unsigned long long)(bytes >> (10 * u)), unit[u]);
    }
    return buf;
}

const char *text_count(char *buf, uint64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *to = buf;

    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return buf;
}

const char *text_ns(char *buf, uint64_t ns)
{
    static const char *const unit[] = {"ns", "us", "ms", "s"};
    uint64_t scale = 1, whole;
    unsigned u = 0;

    while (u < 3 && ns / scale >= 1000) {
        scale *= 1000;
        u++;
    }
    whole = ns / scale;
    if (ns % scale == 0 || whole >= 100)
        snprintf(buf, TEXT_BYTES, "%llu %s", (unsigned long long)whole, unit[u]);
    else if (whole >= 10)
        snprintf(buf, TEXT_BYTES, "%llu.%llu %s", (unsigned long long)whole,
                 (unsigned long long)(ns % scale * 10 / scale), unit[u]);
    else
        snprintf(buf, TEXT_BYTES, "%llu.%02llu %s", (unsigned long long)whole,
                 (unsigned long long)(ns % scale * 100 / scale), unit[u]);
    return buf;
}

unsigned text_percent(uint64_t part, uint64_t whole)
{
    return whole ? (unsigned)((unsigned __int128)part * 100 / whole) : 0;
}

void text_append(char *buf, size_t size, const char *format, ...)
{
    size_t used = strlen(buf);
    va_list args;

    va_start(args, format);
    vsnprintf(buf + used, size - used, format, args);
    va_end(args);
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_=+.,:/@%#";

    /* A '#' starts a comment only as the first byte. */
    return *word && *word != '#' && strspn(word, plain) == strlen(word);
}

void text_append_word(char *buf, size_t size, const char *word)
{
    if (is_plain(word)) {
        text_append(buf, size, " %s", word);
        return;
    }
    text_append(buf, size, " '");
    for (; *word; word++)
        text_append(buf, size, *word == '\'' ? "'\\''" : "%c", *word);
    text_append(buf, size, "'");
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

unsigned text_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    unsigned row[3][WORD_MAX + 1]; /* before the last, last, this */

    if (la > WORD_MAX || lb > WORD_MAX)
        return WORD_MAX;
    for (unsigned j = 0; j <= lb; j++)
        row[1][j] = j;
    for (unsigned i = 1; i <= la; i++) {
        row[2][0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned change = a[i - 1] != b[j - 1];

            row[2][j] = min3(row[1][j] + 1, row[2][j - 1] + 1, row[1][j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[2][j] = min3(row[2][j], row[0][j - 2] + 1, row[2][j]);
        }
        memcpy(row[0], row[1], sizeof row[0]);
        memcpy(row[1], row[2], sizeof row[0]);
    }
    return row[1][lb];
}
