/* SPDX-License-Identifier: Apache-2.0 */
/* What is done before a request is refused only because something of its LUN is quarantined or
 * dirty (R-32, vlun.md 15.1). Shared inside core only. */
#ifndef CORE_LUN_CLEAN_H
#define CORE_LUN_CLEAN_H

#include "core/adapter/adapter.h"

/**
 * Tries once everything of a LUN that is quarantined, and wipes what is dirty. Whether that was of
 * any use the caller sees by what was in its way: others free chunks and give some up meanwhile.
 *
 * The caller is inside the gate and holds no lock; the gate is left for the wipe, so whatever was
 * looked at before has to be looked at again, the state too.
 */
void spipe__lun_clean(struct spipe *s, struct spipe__lun *lun);

/** Whether a chunk of a LUN could be handed out now. Takes the books. */
bool spipe__lun_has_space(struct spipe *s, const struct spipe__lun *lun);

#endif
