/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of named virtual LUNs: spipe_name_set, _open, _stat, _at and _remove of
 * core/superpipe.h. What a name is and in which order things happen stands in
 * core/catalogue/name_binding.h. Shared inside core only. */
#ifndef CORE_NAMES_H
#define CORE_NAMES_H

#include "core/adapter/adapter.h"

/**
 * Describes one entry of the catalogue. The size of a name on a LUN that this adapter does not have
 * is given as if it had blocks of 4096 bytes.
 *
 * Thread rules: the caller holds `names`.
 */
void spipe__name_describe(struct spipe *s, const struct spipe__cat_entry *entry,
                          struct spipe_name_info *out);

#endif
