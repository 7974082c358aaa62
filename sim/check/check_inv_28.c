/* SPDX-License-Identifier: Apache-2.0 */
/* INV-28: every request ends within the sum of the documented waits, which R-40 names and which
 * stand here as one table. A request may also have to wait for others (locks, the one AFU sync, the
 * drain of a reset): as long as those that ended lived beside it, and for those that did not yet,
 * as long as they may take. So one that holds a lock for ever is late, and so is who waits for it.
 *
 * The clock starts anew when a reset ends (nobody but the reset is judged while it runs), and with
 * each piece of a wipe that reaches the medium: a wipe waits for one piece at a time. */
#include <inttypes.h>

#include "sim/check/check_books.h"

#define MS UINT64_C(250000) /* cycles */

/* R-40 */
#define SYNC (20005 * MS)
#define CTX_RESET (2 * MS + MS / 20) /* 2.047 ms */
#define SCSI_HELPER (360000 * MS)
#define PIECE (180000 * MS)
#define INIT (1000 * MS + 20300 * MS * HAL_PICTURE_PORTS + CTX_RESET)
#define HOST_RESET (INIT + 1000 * MS)
#define PLATFORM (120000 * MS) /* R-39: for each step of the platform */
#define EEH (2 * PLATFORM + INIT)
#define RECOVER (1000 * MS + HOST_RESET + 2000 * MS)
#define SLACK MS

static uint64_t waits_of(uint32_t number, uint64_t things)
{
    switch (number) {
    case CHECK_ATTACH:
    case CHECK_VERIFY:
    case CHECK_MANAGE_LUN:
        return SCSI_HELPER + SLACK;
    case CHECK_RECOVER:
        return RECOVER + SLACK;
    case CHECK_RESET:
        return HOST_RESET + SLACK;
    case CHECK_EEH:
        return EEH + SLACK;
    case CHECK_OPEN_DIRECT:
    case CHECK_OPEN_VIRTUAL:
    case CHECK_RELEASE:
    case CHECK_RESIZE:
    case CHECK_NAME_SET:
    case CHECK_NAME_OPEN:
    case CHECK_NAME_REMOVE: /* one handle, done and undone */
        return 2 * SYNC + PIECE + SLACK;
    default: /* all that are open */
        return (1 + things) * 2 * SYNC + PIECE + SLACK;
    }
}

static bool is_reset(uint32_t number) { return number == CHECK_RESET || number == CHECK_EEH; }

static struct check_request *all(const struct check_waits *w) { return w->room.block; }

/* Kept as a lower bound, so that a look at nothing special is one comparison. */
static void find_soonest(struct check_waits *w)
{
    w->soonest = UINT64_MAX;
    for (uint32_t i = 0; i < w->n; i++)
        if (!all(w)[i].late && all(w)[i].deadline < w->soonest)
            w->soonest = all(w)[i].deadline;
}

void check_waits_begin(struct check_waits *w, uint32_t number, uint64_t thread, uint64_t now,
                       uint64_t things)
{
    uint64_t waits = waits_of(number, things);

    if (!check_room_for(&w->room, (w->n + 1) * sizeof *all(w)))
        return;
    all(w)[w->n++] = (struct check_request){
        .thread = thread, .begun = now, .deadline = now + waits, .waits = waits, .number = number};
    w->sum += waits;
    w->resets += is_reset(number);
    find_soonest(w);
}

/* The others may have waited for it all the while. */
static void excuse(struct check_waits *w, uint64_t begun, uint64_t now)
{
    for (uint32_t i = 0; i < w->n; i++)
        all(w)[i].deadline += now - (all(w)[i].begun > begun ? all(w)[i].begun : begun);
}

void check_waits_end(struct check_waits *w, uint32_t number, uint64_t thread, uint64_t now)
{
    for (uint32_t i = w->n; i-- > 0;) {
        struct check_request ended = all(w)[i];

        if (ended.number != number || ended.thread != thread)
            continue;
        all(w)[i] = all(w)[--w->n];
        w->sum -= ended.waits;
        w->resets -= is_reset(number);
        excuse(w, ended.begun, now);
        if (is_reset(number))
            check_waits_restart(w, now);
        find_soonest(w);
        return;
    }
}

void check_waits_restart(struct check_waits *w, uint64_t now)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (all(w)[i].deadline < now + all(w)[i].waits)
            all(w)[i].deadline = now + all(w)[i].waits;
    find_soonest(w);
}

static bool is_late(const struct check_waits *w, const struct check_request *r, uint64_t now)
{
    if (r->late || (w->resets && !is_reset(r->number)))
        return false;
    return now > r->deadline + (w->sum - r->waits);
}

bool check_waits_look(struct check_waits *w, uint64_t now, struct check_verdict *v)
{
    if (!w->n || now <= w->soonest)
        return true;
    for (uint32_t i = 0; i < w->n; i++) {
        struct check_request *r = &all(w)[i];

        if (!is_late(w, r, now))
            continue;
        r->late = true; /* it is told once */
        find_soonest(w);
        return check_broken(v, 28,
                            "request %#" PRIx32 " of thread %" PRIu64
                            " goes on since cycle %" PRIu64
                            ", which is longer than all waits together",
                            r->number, r->thread, r->begun);
    }
    return true;
}
