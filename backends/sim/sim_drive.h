/* SPDX-License-Identifier: Apache-2.0 */
/* How time passes for a simulated adapter, whichever execution contract runs above it:
 *   sched   fibers under virtual time: whoever waits last runs the engine (sim_drive_sched.c);
 *   paced   threads under the monotonic clock: device time follows it by a factor and never jumps;
 *           one lock guards the model (sim_drive_paced.c). */
#ifndef BACKENDS_SIM_SIM_DRIVE_H
#define BACKENDS_SIM_SIM_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/support/must_check.h"

struct exec;
struct sched;
struct sim_machine;
struct sim_drive;

/** Pace of device time against the clock of exec, per mille: 1000 = real time. */
#define SIM_DRIVE_REAL_TIME 1000u

/** Somebody who is told whenever the model wakes a key, besides those who wait for it: for who
 * waits in a system call. Embedded in its owner. */
struct sim_drive_watch {
    struct sim_drive_watch *next;
    uint64_t key;
    /* From within the model, which is entered. Returns whether somebody must look at descriptors
     * because of it. */
    bool (*woken)(struct sim_drive_watch *);
};

#define SIM_DRIVE_WATCH_BUCKETS 64

struct sim_drive_ops {
    /* Exclusive use of the model. */
    void (*enter)(struct sim_drive *);
    void (*leave)(struct sim_drive *);
    /* A scheduling point and nothing else. Called outside. */
    void (*point)(struct sim_drive *);
    /* What comes before a store to a register, which is a barrier too: point, publish and enter, in
     * one operation because doorbells are many. */
    void (*enter_to_store)(struct sim_drive *);
    /* Lets device time reach the end of `cycle`. Called outside enter/leave. */
    void (*until)(struct sim_drive *, uint64_t cycle);
    /* Waits until the model wakes `key`, or the deadline (ns of exec). The caller has entered, and
     * is inside again when it returns. 0, -ETIMEDOUT, -EINTR. */
    int (*wait)(struct sim_drive *, uint64_t key, uint64_t deadline);
    /* The same for who must not cost anything while nothing happens: device time does not depend on
     * its wait, and only its key wakes it. At most one a key. */
    int (*park)(struct sim_drive *, uint64_t key, uint64_t deadline);
    /* One slice of the engine for a poller of `key`. Called outside. */
    void (*poll)(struct sim_drive *, uint64_t key);
    /* A store to a table, and the barrier behind some. Called outside. */
    void (*store)(struct sim_drive *, uint64_t *addr, uint64_t value);
    /* A number for the calling thread, as long as it lives. */
    uint64_t (*thread)(struct sim_drive *);
    /* Returns how many stores it made visible. */
    uint64_t (*publish)(struct sim_drive *);
    /* From now on somebody may wait in a system call for what a watch tells: the model must run
     * though nobody waits in it. Called outside, once; 0, -EAGAIN, -ENOMEM. */
    int (*attend)(struct sim_drive *);
    /* Ends the drive. Its machine must still exist, and not run any more. */
    void (*destroy)(struct sim_drive *);
};

struct sim_drive {
    const struct sim_drive_ops *ops;
    struct exec *exec;
    struct sim_machine *machine;
    unsigned watches;
    struct sim_drive_watch *watch[SIM_DRIVE_WATCH_BUCKETS];
};

/** Adds a watch with its key and function set; takes it away. The caller has entered. */
void sim_drive_watch_add(struct sim_drive *d, struct sim_drive_watch *w);
void sim_drive_watch_remove(struct sim_drive *d, struct sim_drive_watch *w);

/** Tells those who watch a key; whether one of them wants descriptors looked at. For drives. */
bool sim_drive_tell(struct sim_drive *d, uint64_t key);

/** Drives a machine by a deterministic scheduler, in whose world both live. One a machine; it is
 * allocated in the world. End it with ops->destroy, before its scheduler. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int sim_drive_sched(struct sched *s, struct sim_machine *m, struct sim_drive **out);

/** Drives a machine by the clock of exec at `pace` per mille. End it with ops->destroy. Returns 0
 * or -ENOMEM. */
HAL_MUST_CHECK int sim_drive_paced(struct exec *exec, struct sim_machine *m, unsigned pace,
                                   struct sim_drive **out);

#endif
