/* SPDX-License-Identifier: Apache-2.0 */
/* What every control verb begins and ends with: the gate, and a note to traces and checkers, for
 * which an adapter is quiet while no verb runs (vlun.md 16). Shared inside core only. */
#ifndef CORE_VERB_H
#define CORE_VERB_H

#include "core/context/context.h"

/**
 * Ends a request of any kind, also one that is no verb: delivers its events, and forgets an
 * interruption that came during it. That was for this request, whether it could be given up or not,
 * and must not end the next one of the thread; one that comes between two is for the second. The
 * caller holds no lock and is outside the gate.
 */
void spipe__request_over(struct spipe *s);

/** Numbers of requests in notes; those below 0x100 are the numbers of the requests (SP 2). */
enum spipe__verb {
    SPIPE__VERB_ATTACH = 0x80,
    SPIPE__VERB_OPEN_DIRECT = 0x81,
    SPIPE__VERB_RELEASE = 0x82,
    SPIPE__VERB_DETACH = 0x83,
    SPIPE__VERB_VERIFY = 0x84,
    SPIPE__VERB_RECOVER = 0x85,
    SPIPE__VERB_MANAGE_LUN = 0x86,
    SPIPE__VERB_OPEN_VIRTUAL = 0x87,
    SPIPE__VERB_RESIZE = 0x88,
    SPIPE__VERB_CLONE = 0x89,
    SPIPE__VERB_AFU_DEBUG = 0xBE,
    SPIPE__VERB_LUN_PROVISION = 0xBF,
    SPIPE__VERB_CLIENT_DESTROY = 0x100,
    SPIPE__VERB_CLOSE,
    SPIPE__VERB_NAME_SET,
    SPIPE__VERB_NAME_OPEN,
    SPIPE__VERB_NAME_REMOVE,
    SPIPE__VERB_RESET,
    SPIPE__VERB_TIDY,
    SPIPE__VERB_PORT_EVENTS,
    SPIPE__VERB_PORT_RESET,
    SPIPE__VERB_RESCAN,
    SPIPE__VERB_PORT_SWITCH,
    SPIPE__VERB_PORT_STATISTICS,
    SPIPE__VERB_ATTRIBUTE,
    SPIPE__VERB_EEH = 0x120, /* recovery by the platform, or the end */
};

#define SPIPE__NO_CONTEXT UINT64_MAX /* in notes of verbs that have none */

/** Enters the gate and announces the verb; `context` is a context number. Returns what
 * spipe__gate_enter() says; after an error nothing is to be ended. */
HAL_MUST_CHECK int spipe__verb_begin(struct spipe *s, enum spipe__verb verb,
                                     enum spipe__admission admission);

/** The same for what must be possible in every state. */
void spipe__verb_begin_always(struct spipe *s, enum spipe__verb verb, uint64_t context);

/** Announces the result, leaves the gate, tells of events, and returns the result. */
int spipe__verb_end(struct spipe *s, enum spipe__verb verb, int rc);

/** The same around a verb on a context, which is entered meanwhile; -EINVAL if it has ended. */
HAL_MUST_CHECK int spipe__verb_begin_on(struct spipe_ctx *ctx, enum spipe__verb verb,
                                        enum spipe__admission admission);

int spipe__verb_end_on(struct spipe_ctx *ctx, enum spipe__verb verb, int rc);

/** Within a verb on a context: leaves context and gate, to wait for something that may take long
 * (SP-26). The pin stays, and for checkers the verb goes on. */
void spipe__verb_pause(struct spipe_ctx *ctx);

/** Enters both again. -EINVAL if the context has ended or was lost meanwhile, -ENODEV or -EINTR as
 * spipe__gate_pass(); both are entered in any case. */
HAL_MUST_CHECK int spipe__verb_resume(struct spipe_ctx *ctx);

#endif
