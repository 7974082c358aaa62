/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options as people write them. Every function returns 0, -EINVAL (not of this form) or
 * -ERANGE (too large for 64 bits), and leaves *out alone on failure. */
#ifndef TOOLS_OPTION_VALUES_H
#define TOOLS_OPTION_VALUES_H

#include <stdint.h>

#include "hal/support/must_check.h"

/** A count: decimal digits. */
HAL_MUST_CHECK int option_value_count(const char *text, uint64_t *out);

/** A size in bytes: "4096", "64M", "1.5GiB" (powers of 1024), "10MB" (powers of 1000). Suffixes
 * k to P in either case. A part of a byte is cut off. */
HAL_MUST_CHECK int option_value_size(const char *text, uint64_t *out);

/** A duration in ns: "0.2" and "0.2s" (seconds), "200ms", "15us", "400ns", "2m" or "2min". */
HAL_MUST_CHECK int option_value_duration(const char *text, uint64_t *out);

/** A percentage: "70", "70%". At most 100. */
HAL_MUST_CHECK int option_value_percent(const char *text, uint64_t *out);

/** A factor in thousandths: "1" = 1000, "0.25" = 250. */
HAL_MUST_CHECK int option_value_factor(const char *text, uint64_t *out);

/** A seed: decimal, hexadecimal with 0x, or "random" for one that the system draws. */
HAL_MUST_CHECK int option_value_seed(const char *text, uint64_t *out);

#define BLOCK_MIX_MAX 8

/** Sizes of I/O and how often each of them comes. */
struct block_mix {
    unsigned count;
    uint32_t weight_total;
    struct {
        uint32_t bytes, weight;
    } part[BLOCK_MIX_MAX];
};

/** A block mix: "4k", or "4k:80,64k:20" with weights. Sizes are multiples of 512 bytes and at most
 * 16 MiB. */
HAL_MUST_CHECK int option_value_mix(const char *text, struct block_mix *out);

/** The largest block of a mix, bytes. */
uint32_t block_mix_largest(const struct block_mix *mix);

/** Writes a mix as people write it: "4 KiB (80 %), 64 KiB (20 %)" into buf (size bytes). */
void block_mix_text(const struct block_mix *mix, char *buf, unsigned size);

#endif
