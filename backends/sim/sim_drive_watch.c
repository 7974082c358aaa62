/* SPDX-License-Identifier: Apache-2.0 */
/* Who else is told when the model wakes a key: a hash table with lists. */
#include <stddef.h>

#include "backends/sim/sim_drive.h"
#include "hal/support/check.h"

static struct sim_drive_watch **bucket(struct sim_drive *d, uint64_t key)
{
    return &d->watch[key % SIM_DRIVE_WATCH_BUCKETS];
}

void sim_drive_watch_add(struct sim_drive *d, struct sim_drive_watch *w)
{
    struct sim_drive_watch **first = bucket(d, w->key);

    w->next = *first;
    *first = w;
    d->watches++;
}

void sim_drive_watch_remove(struct sim_drive *d, struct sim_drive_watch *w)
{
    struct sim_drive_watch **at = bucket(d, w->key);

    while (*at != w) {
        CHECK(*at);
        at = &(*at)->next;
    }
    *at = w->next;
    d->watches--;
}

bool sim_drive_tell(struct sim_drive *d, uint64_t key)
{
    bool look = false;

    if (!d->watches)
        return false;
    for (struct sim_drive_watch *w = *bucket(d, key); w; w = w->next)
        if (w->key == key)
            look |= w->woken(w);
    return look;
}
