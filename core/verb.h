/* SPDX-License-Identifier: Apache-2.0 */
/* What every control verb begins and ends with: the control lock, and a note to traces and
 * checkers, for which an adapter is quiet while no verb runs (vlun.md 16). Shared inside core only.
 */
#ifndef CORE_VERB_H
#define CORE_VERB_H

#include "core/adapter.h"

/** Numbers of requests in notes; those below 0x100 are the numbers of the DK requests (SP 2). */
enum spipe__verb {
    SPIPE__VERB_ATTACH = 0x80,
    SPIPE__VERB_OPEN_DIRECT = 0x81,
    SPIPE__VERB_RELEASE = 0x82,
    SPIPE__VERB_DETACH = 0x83,
    SPIPE__VERB_VERIFY = 0x84,
    SPIPE__VERB_MANAGE_LUN = 0x86,
    SPIPE__VERB_OPEN_VIRTUAL = 0x87,
    SPIPE__VERB_RESIZE = 0x88,
    SPIPE__VERB_CLONE = 0x89,
    SPIPE__VERB_CLIENT_DESTROY = 0x100,
    SPIPE__VERB_CLOSE,
    SPIPE__VERB_NAME_SET,
    SPIPE__VERB_NAME_OPEN,
    SPIPE__VERB_NAME_REMOVE,
};

#define SPIPE__NO_CONTEXT UINT64_MAX /* in notes of verbs that have none */

/** Takes the control lock and announces the verb. `context` is a context number. */
static inline void spipe__verb_begin(struct spipe *s, enum spipe__verb verb, uint64_t context)
{
    exec_mutex_lock(s->exec, &s->control);
    hal_note(s->dev, HAL_NOTE_REQUEST_BEGIN, verb, context);
}

/** Announces the result, gives the control lock back, and returns the result. */
static inline int spipe__verb_end(struct spipe *s, enum spipe__verb verb, int rc)
{
    hal_note(s->dev, HAL_NOTE_REQUEST_END, verb, (uint64_t)(int64_t)rc);
    exec_mutex_unlock(s->exec, &s->control);
    return rc;
}

#endif
