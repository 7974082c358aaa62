/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of the simulated adapter: one struct, one table, files and profiles. */
#ifndef SIM_SIM_PARAMS_H
#define SIM_SIM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

/** One field a row of sim_params.def. Plain data; copied into the model when it is created. */
struct sim_params {
#define SIM_PARAM(field, name, unit, dflt, flashgt, min, max, confidence, source, text)            \
    uint64_t field;
#include "sim/sim_params.def"
#undef SIM_PARAM
};

/** What is known about one parameter. */
struct sim_param_info {
    const char *name, *unit, *source, *text;
    uint64_t dflt, flashgt, min, max;
    char confidence;
    size_t offset; /* of the field in struct sim_params */
};

/** The table, in order of sim_params.def. */
extern const struct sim_param_info sim_param_table[];
extern const size_t sim_param_count;

/** A decision that leaves nothing to choose, in words. */
struct sim_decision {
    const char *name, *value, *unit, *source, *text;
};

/** The table, in order of sim_decisions.def. */
extern const struct sim_decision sim_decision_table[];
extern const size_t sim_decision_count;

/** Fills *p with the default profile ("flashsystem"). */
void sim_params_default(struct sim_params *p);

/** Fills *p with a profile: "flashsystem", "flashgt" or "zero" (every D duration at its minimum);
 * in small or large letters, as the specification writes them. Returns 0 or -EINVAL for an unknown
 * name. */
HAL_MUST_CHECK int sim_params_profile(struct sim_params *p, const char *profile);

/** Sets one parameter by name from text ("75", "0x4F0", with the suffixes k and M: 1,000 and
 * 1,000,000). Returns 0, or
 * -ENOENT (no such name), -EINVAL (no number), -ERANGE (outside the range, or a decision, which is
 * fixed), with a sentence in why (size bytes, may be NULL). */
HAL_MUST_CHECK int sim_params_set(struct sim_params *p, const char *name, const char *value,
                                  char *why, size_t size);

/** Reads a parameter file: lines "name = value", "profile = NAME", blank lines, '#' comments.
 * Returns 0, or the errno of opening it, or -EINVAL with a sentence in why that names file, line
 * and column. *p is unchanged on failure. */
HAL_MUST_CHECK int sim_params_load(struct sim_params *p, const char *path, char *why, size_t size);

/** Checks rules between parameters. Returns 0 or -EINVAL with a sentence in why. */
HAL_MUST_CHECK int sim_params_validate(const struct sim_params *p, char *why, size_t size);

/** The value of a table row in p. */
uint64_t sim_params_get(const struct sim_params *p, const struct sim_param_info *info);

/** Bytes that sim_params_format needs at most. */
#define SIM_PARAMS_VALUE_BYTES 24

/** Writes a value of a row as people write it, and as sim_params_set takes it: identifiers and
 * registers in hexadecimal, everything else in decimal. `text` has SIM_PARAMS_VALUE_BYTES. */
void sim_params_format(const struct sim_param_info *info, uint64_t value, char *text);

#endif
