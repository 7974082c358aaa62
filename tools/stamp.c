/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stamp.h"

#include <stdio.h>
#include <string.h>

#include "hal/support/check.h"
#include "hal/support/prng.h"
#include "tools/text.h"

#define MAGIC UINT64_C(0x535049504544424B)
#define STEP UINT64_C(0x9E3779B97F4A7C15) /* odd: all words of a block differ */
#define HEADER 6

enum { WORD_MAGIC, WORD_RUN, WORD_OWNER, WORD_BLOCK, WORD_GENERATION, WORD_SUM };

static uint64_t owner_word(const struct stamp *s)
{
    return (uint64_t)s->adapter << 32 | (uint64_t)s->client << 16 | s->lun;
}

static void owner_from(struct stamp *s, uint64_t word)
{
    s->adapter = (uint16_t)(word >> 32);
    s->client = (uint16_t)(word >> 16);
    s->lun = (uint16_t)word;
}

/* First word of the pattern. */
static uint64_t base_of(const struct stamp *s)
{
    uint64_t x = s->run ^ owner_word(s) * UINT64_C(0xD6E8FEB86659FD93);
    uint64_t h = hal_splitmix64(&x);

    x ^= s->block * UINT64_C(0xC2B2AE3D27D4EB4F) ^ h;
    h = hal_splitmix64(&x);
    x ^= s->generation ^ h;
    return hal_splitmix64(&x);
}

/* The words before the pattern; `words` in the whole block. */
static void header_of(const struct stamp *s, size_t words, uint64_t base, uint64_t header[HEADER])
{
    uint64_t n = words - HEADER;
    /* n (n - 1) / 2 without overflow: one of the factors is even. */
    uint64_t pairs = n & 1 ? n * ((n - 1) / 2) : n / 2 * (n - 1);

    header[WORD_MAGIC] = MAGIC;
    header[WORD_RUN] = s->run;
    header[WORD_OWNER] = owner_word(s);
    header[WORD_BLOCK] = s->block;
    header[WORD_GENERATION] = s->generation;
    header[WORD_SUM] = n * base + pairs * STEP;
    for (int i = 0; i < WORD_SUM; i++)
        header[WORD_SUM] += header[i];
}

static size_t words_in(size_t size)
{
    CHECK(size >= STAMP_BYTES_MIN && size % 8 == 0);
    return size / 8;
}

void stamp_fill(void *data, size_t size, const struct stamp *s)
{
    uint64_t *word = data, value = base_of(s);
    size_t n = words_in(size);

    header_of(s, n, value, word);
    for (size_t i = HEADER; i < n; i++)
        word[i] = value + (i - HEADER) * STEP;
}

bool stamp_matches(const void *data, size_t size, const struct stamp *s)
{
    const uint64_t *word = data;
    uint64_t header[HEADER], base = base_of(s), differ = 0;
    size_t n = words_in(size);

    header_of(s, n, base, header);
    if (memcmp(word, header, sizeof header))
        return false;
    for (size_t i = HEADER; i < n; i++)
        differ |= word[i] ^ (base + (i - HEADER) * STEP);
    return !differ;
}

bool stamp_is_blank(const void *data, size_t size)
{
    const uint64_t *word = data;
    size_t n = words_in(size);
    uint64_t any = 0;

    for (size_t i = 0; i < n; i++)
        any |= word[i];
    return !any;
}

enum stamp_found stamp_read(const void *data, size_t size, struct stamp *out)
{
    const uint64_t *word = data;

    if (word[WORD_MAGIC] != MAGIC)
        return stamp_is_blank(data, size) ? STAMP_BLANK : STAMP_NONE;
    out->run = word[WORD_RUN];
    out->block = word[WORD_BLOCK];
    out->generation = word[WORD_GENERATION];
    owner_from(out, word[WORD_OWNER]);
    return stamp_matches(data, size, out) ? STAMP_WHOLE : STAMP_DAMAGED;
}

/* ---- words ------------------------------------------------------------------------------------
 */

static void say_stamp(char *text, size_t size, const struct stamp *s)
{
    text_append(text, size, "adapter %u, client %u, virtual LUN %u, block %llu, generation %llu",
                s->adapter, s->client, s->lun, (unsigned long long)s->block,
                (unsigned long long)s->generation);
}

/* Offset of the first byte that is not what the stamp stands for. */
static size_t first_difference(const void *data, size_t size, const struct stamp *s)
{
    const uint8_t *have = data;
    uint64_t header[HEADER], base = base_of(s), word = 0;

    header_of(s, words_in(size), base, header);
    for (size_t i = 0; i < size; i++) {
        const uint8_t *want = (const uint8_t *)&word + i % 8;

        if (i % 8 == 0)
            word = i / 8 < HEADER ? header[i / 8] : base + (i / 8 - HEADER) * STEP;
        if (have[i] != *want)
            return i;
    }
    return size;
}

static void say_found(char *text, size_t size, const void *data, size_t n,
                      const struct stamp *expected)
{
    struct stamp found;

    switch (stamp_read(data, n, &found)) {
    case STAMP_BLANK:
        text_append(text, size, "zeros");
        return;
    case STAMP_NONE:
        text_append(text, size, "data without a stamp, first byte 0x%02x", *(const uint8_t *)data);
        return;
    case STAMP_DAMAGED:
        text_append(text, size, "a block damaged from byte %zu on of ",
                    first_difference(data, n, &found));
        break;
    case STAMP_WHOLE:
        break;
    }
    say_stamp(text, size, &found);
    if (found.run != expected->run)
        text_append(text, size, " of another run");
}

void stamp_explain(const void *data, size_t size, const struct stamp *expected, char *text,
                   size_t text_size)
{
    *text = 0;
    text_append(text, text_size, "expected ");
    if (expected->generation)
        say_stamp(text, text_size, expected);
    else
        text_append(text, text_size,
                    "a block never written (adapter %u, client %u, virtual LUN %u, block %llu)",
                    expected->adapter, expected->client, expected->lun,
                    (unsigned long long)expected->block);
    text_append(text, text_size, "; found ");
    say_found(text, text_size, data, size, expected);
}
