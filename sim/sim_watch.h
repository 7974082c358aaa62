/* SPDX-License-Identifier: Apache-2.0 */
/* What the model tells a passive observer (sim/check), beside what the strict checker hears. An
 * observer draws nothing from the seed, lets no time pass and records nothing, so a watched run is
 * the same run. Without one each of these costs a predictable branch. */
#ifndef SIM_SIM_WATCH_H
#define SIM_SIM_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/** What happened. Every member of struct sim_watched that is not named is 0. */
enum sim_watch_what {
    SIM_WATCH_NOTE,      /* number = enum hal_note; value, other = a, b of hal_note(); thread */
    SIM_WATCH_STORE,     /* the host is about to store `value` (as in memory) at table word `ea`;
                            thread */
    SIM_WATCH_STORED,    /* it has, and the AFU may see it by now or not */
    SIM_WATCH_PUBLISH,   /* the stores of `thread` can be seen */
    SIM_WATCH_RELEASE,   /* memory at `ea` may be used for something else; value = bytes */
    SIM_WATCH_CTX_START, /* context */
    SIM_WATCH_CTX_END,   /* context */
    SIM_WATCH_LOAD,      /* a program loads register `ea` through `context` and gets `value` */
    SIM_WATCH_COMMAND,   /* a command of `context` is accepted */
    SIM_WATCH_SYNCED,    /* an AFU sync of (context, handle) ends; number = mode, good = done */
    SIM_WATCH_MEDIA,     /* a command of `context` reaches the medium: lun_id on `port`, blocks
                            value .. value + other - 1; by_handle: through `handle`; good: they
                            change; index: of the LXT word that it was translated with */
    SIM_WATCH_AFU_RESET, /* nothing of before is left */
    SIM_WATCH_CUT_OFF,   /* nothing crosses the slot; every context is dead until released */
};

struct sim_watched {
    enum sim_watch_what what;
    uint32_t number;
    uint16_t context;
    uint8_t port;
    bool good, by_handle;
    uint32_t handle;
    uint64_t ea, value, other, lun_id, index, thread;
};

/** An observer. It lives in the world of the adapter. */
struct sim_watch {
    void (*told)(struct sim_watch *self, const struct sim_watched *w);
};

#endif
