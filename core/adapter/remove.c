/* SPDX-License-Identifier: Apache-2.0 */
/* Taking an adapter away under its clients (SP-157, AD-161, AD-180). */
#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "core/adapter/reset.h"
#include "core/adapter/verb.h"
#include "hal/support/bits.h"

#define LOOK_AGAIN SPIPE__SECOND /* AD-161 */

static bool is_deserted(struct spipe *s)
{
    bool deserted;

    spipe__books_lock(s);
    deserted = !s->all && !s->files;
    spipe__books_unlock(s);
    return deserted;
}

static void take_away(struct spipe *s)
{
    hal_note(s->dev, HAL_NOTE_REQUEST_BEGIN, SPIPE__VERB_RESET, SPIPE__NO_CONTEXT);
    spipe__retire(s);
    spipe__reset_announce(s, SPIPE_STATE_FAILED);
    hal_note(s->dev, HAL_NOTE_REQUEST_END, SPIPE__VERB_RESET, 0);
}

static int await_desertion(struct spipe *s, uint64_t deadline)
{
    while (!is_deserted(s)) {
        uint64_t now = exec_now(s->exec);

        if (now >= deadline)
            return -ETIMEDOUT;
        spipe__pause(s->exec, hal_min64(LOOK_AGAIN, deadline - now));
    }
    return 0;
}

int spipe_remove(struct spipe *s, uint64_t deadline)
{
    int rc;

    spipe__event(s, REMOVE_BEGIN, 0);
    take_away(s);
    spipe__events_deliver(s);
    rc = await_desertion(s, deadline);
    spipe__event(s, REMOVE_END, spipe__result(rc));
    spipe__request_over(s);
    return rc;
}
