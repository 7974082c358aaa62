/* SPDX-License-Identifier: Apache-2.0 */
/* A complete simulated host in one call: world, scheduler or paced threads, machine, adapters as
 * HAL devices, record stores. What tools, benchmarks and tests stand on. */
#ifndef BACKENDS_SIM_SIM_HOST_H
#define BACKENDS_SIM_SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/record_store.h"
#include "sim/sim_control.h"

#define SIM_HOST_ADAPTERS_MAX SIM_AFUS_MAX

struct sched;
struct sim_host;
struct sim_snapshot;

/** What to build. Zero everything, then set what differs. */
struct sim_host_config {
    uint64_t seed;
    const struct sim_params *params; /* NULL = default profile; the same for every adapter */
    unsigned adapters;               /* 0 = 1 */
    struct sim_media *media[SIM_HOST_ADAPTERS_MAX]; /* one an adapter; owned by the caller */
    bool trace;                                     /* records and hash on */
    size_t world_bytes;                             /* address space; 0 = 1 GiB */
    struct exec *threads; /* NULL = fibers under virtual time; else run above these (paced) */
    unsigned pace;        /* of device time against the clock of `threads`, per mille; 0 = 1000 */
};

/** Builds a host. Returns 0, or a negative errno with a sentence in why (size bytes). */
HAL_MUST_CHECK int sim_host_create(const struct sim_host_config *config, struct sim_host **out,
                                   char *why, size_t size);

/** Ends a host: its devices must have no open context. Media stay with the caller. Returns how many
 * bytes its clients left allocated in the world: 0 unless they leak (over fibers; the memory of
 * threads is elsewhere) or the run was abandoned. */
size_t sim_host_destroy(struct sim_host *h);

/** Runs body(arg) as the first thread, until all threads have ended. Over fibers returns 0,
 * -EDEADLK (sched_report tells), -ENOMEM, or -EAGAIN after sched_pause (sched_resume goes on); over
 * threads body is simply called. */
HAL_MUST_CHECK int sim_host_run(struct sim_host *h, void (*body)(void *), void *arg);

/** Copies a host over fibers and its media, while sim_host_run stands still after sched_pause (or
 * before and after it). The caller owns *out (sim_snapshot_destroy). Returns 0, -EBUSY if something
 * cannot be copied, which sim_world_pinned names (threads, media in a file, a descriptor somebody
 * waits for), -ENOMEM, or -ENOTSUP as sim_world_snapshot. */
HAL_MUST_CHECK int sim_host_snapshot(struct sim_host *h, struct sim_snapshot **out);

/** Puts a host and its media back, as often as wanted; sched_resume goes on from there. */
void sim_host_restore(struct sim_host *h, const struct sim_snapshot *snap);

struct exec *sim_host_exec(struct sim_host *h);
unsigned sim_host_adapters(const struct sim_host *h);
struct hal_dev *sim_host_device(struct sim_host *h, unsigned adapter);

/** From now on somebody may wait outside for what happens in the model (sim_standin.h): it runs
 * though nobody waits in it. Once a host. Returns 0, -EAGAIN, -ENOMEM. */
HAL_MUST_CHECK int sim_host_attend(struct sim_host *h);

/** The catalogue's store of an adapter, made at the first call; NULL when the world is full. */
struct hal_record_store *sim_host_store(struct sim_host *h, unsigned adapter);

/* Control face. */
struct sim_machine *sim_host_machine(struct sim_host *h);
struct sim_afu *sim_host_afu(struct sim_host *h, unsigned adapter);
struct sim_world *sim_host_world(struct sim_host *h);

/** The scheduler, or NULL over threads. */
struct sched *sim_host_sched(struct sim_host *h);

/** Virtual (or paced) device time, ns. */
uint64_t sim_host_now(const struct sim_host *h);

#endif
