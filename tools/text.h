/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people read them, and words as a shell reads them. Nothing here depends on the
 * locale. */
#ifndef TOOLS_TEXT_H
#define TOOLS_TEXT_H

#include <stddef.h>
#include <stdint.h>

/** Bytes that every function below with a `buf` needs at most. */
#define TEXT_BYTES 40

/** A size in bytes: "0 B", "512 B", "4 KiB", "16.5 GiB": exact up to 1023 B, then in the largest
 * unit that gives at least 1, with one digit behind the point unless it is 0 exactly.
 * Returns buf. */
const char *text_size(char *buf, uint64_t bytes);

/** A number with commas: "1,234,567". Returns buf. */
const char *text_count(char *buf, uint64_t n);

/** A duration: "0 ns", "850 ns", "14.2 us", "142 us", "1.24 ms", "20 ms", "2.50 s": whole numbers
 * as they are, else three digits; units up to seconds. Returns buf. */
const char *text_ns(char *buf, uint64_t ns);

/** A part of a whole in percent, rounded down: 0 of 0 is 0. */
unsigned text_percent(uint64_t part, uint64_t whole);

/** Appends ` word` to the string in buf (size bytes), quoted for a shell if need be. What does not
 * fit is cut. */
void text_append_word(char *buf, size_t size, const char *word);

/** Appends formatted text to the string in buf (size bytes). What does not fit is cut. */
void text_append(char *buf, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** How many letters must be added, left out, changed or swapped with their neighbour to turn one
 * word into the other. Words longer than 63 bytes count as entirely different. */
unsigned text_distance(const char *a, const char *b);

#endif
