/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of a session through backends/capi: a card of this machine, or the session's own
 * simulated adapters below the stand-in for IBM's libcxl. */
#ifndef TOOLS_SESSION_CAPI_H
#define TOOLS_SESSION_CAPI_H

#include <stddef.h>

#include "hal/support/must_check.h"

struct session;

/** Finds and opens the library that config.libcxl and config.require_card ask for, and says on
 * stderr what was taken if nobody named it; sets s->library and s->card. Returns 0, or a negative
 * errno with a sentence in why. */
HAL_MUST_CHECK int session_capi_choose(struct session *s, char *why, size_t size);

/** Opens the devices of all adapters; the host of a session without a card is there. Returns as
 * session_capi_choose(). */
HAL_MUST_CHECK int session_capi_open(struct session *s, char *why, size_t size);

/** Undoes both. Safe for a session that has neither. */
void session_capi_close(struct session *s);

#endif
