/* SPDX-License-Identifier: Apache-2.0 */
/* The stopwatch of a run: backends/record between the stack and the adapters of a session, and the
 * file that its figures go to. */
#ifndef TOOLS_RECORD_SESSION_H
#define TOOLS_RECORD_SESSION_H

#include "sim/sim_params.h"
#include "tools/session.h"

struct record_session;

/** Stacks it on every adapter of a session that is open, not running, and without faults.
 * `path` is of the file to be, `params` of the model to compare with; both must last as long.
 * Returns 0 or a negative errno with a sentence in why; *out is for record_session_close() in every
 * case. */
HAL_MUST_CHECK int record_session_open(struct session *s, const char *path,
                                       const struct sim_params *params, struct record_session **out,
                                       char *why, size_t size);

/** Takes it off again, before the session is closed. With `good` the file is written. NULL is
 * ignored. Returns 0 or a negative errno with a sentence in why. */
HAL_MUST_CHECK int record_session_close(struct record_session *r, bool good, char *why,
                                        size_t size);

#endif
