/* SPDX-License-Identifier: Apache-2.0 */
/* An adapter that answers no register access, before anybody has said why (AD-147, SP-91). Shared
 * inside core only. */
#ifndef CORE_SILENCE_H
#define CORE_SILENCE_H

#include <stdbool.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"

#define SPIPE__PLATFORM_PAUSE SPIPE__SECOND /* SP-92: the platform tells within this time */

/** Whether the adapter is silent: all ones from mbox_r, and from a second register that is never
 * all ones. The caller is inside the gate and has seen the state NORMAL there. */
bool spipe__is_silent(struct spipe *s);

/** Waits for the platform to tell, if the state is NORMAL and the adapter is silent. The caller is
 * outside the gate and holds no lock; whatever has happened, the state tells. */
void spipe__await_platform(struct spipe *s);

#endif
