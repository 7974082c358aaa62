/* SPDX-License-Identifier: Apache-2.0 */
/* The face of the model that a test or a tool may use: building machines, parameters, faults,
 * hidden state, counters. Never reached through the driver's face, nor the other way round. */
#ifndef SIM_SIM_CONTROL_H
#define SIM_SIM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"
#include "sim/sim_engine.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "sim/sim_params.h"
#include "sim/sim_scsi.h"
#include "sim/sim_strict.h"
#include "sim/sim_trace.h"

#define SIM_AFUS_MAX 8

struct sim_afu;
struct sim_ctx;
struct sim_world;

/** Random streams of one seed (hal/support/prng.h). */
enum sim_stream {
    SIM_STREAM_WORKLOAD = 1,
    SIM_STREAM_LATENCY = 2,
    SIM_STREAM_SCHEDULING = 3,
    SIM_STREAM_FAULTS = 4,
    SIM_STREAM_BUFFER = 5,
};

/** One clock, one trace and the adapters that share them. Lives in a world. */
struct sim_machine {
    struct sim_world *world;
    struct sim_engine engine;
    struct sim_trace trace;
    uint64_t seed;
    void (*wake)(void *arg, uint64_t key); /* called when somebody may want to look */
    void *wake_arg;
    uint32_t afu_count;
    struct sim_afu *afu[SIM_AFUS_MAX];
};

/** Builds an empty machine in world. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int sim_machine_create(struct sim_world *world, uint64_t seed, bool trace,
                                      struct sim_machine **out);

/** Frees a machine and its adapters; no context may exist. Media stay with the caller. */
void sim_machine_destroy(struct sim_machine *m);

/** Begins or ends the trace of a machine: what happens from now on is recorded, and counts for the
 * hash, or not. For measurements; whoever wants runs that can be compared traces all of them. */
void sim_machine_trace(struct sim_machine *m, bool on);

/** Lets the reference engine (sim_reference.h) make time pass for the one adapter of m, from now
 * on. Nothing may be about to happen in the model. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int sim_reference_start(struct sim_machine *m);

/** Goes back to the event engine; nothing may be about to happen. */
void sim_reference_stop(struct sim_machine *m);

/** Adds an adapter that serves the LUNs of media. Returns 0, -EINVAL (parameters, with a sentence
 * in why), -ENOSPC (too many adapters), -ENOMEM. */
HAL_MUST_CHECK int sim_afu_create(struct sim_machine *m, const struct sim_params *params,
                                  struct sim_media *media, struct sim_afu **out, char *why,
                                  size_t size);

/** Parameters as they are in force. */
const struct sim_params *sim_afu_params(const struct sim_afu *a);

/** Changes a parameter of a running adapter. Only latencies and behaviour flags may change; sizes
 * keep what they had at creation. What parameters say of the bus is computed at the next transfer
 * and kept: call this again for a change after the model has run. */
struct sim_params *sim_afu_params_mutable(struct sim_afu *a);

struct fault_plan *sim_afu_faults(struct sim_afu *a);
struct sim_scsi *sim_afu_scsi(struct sim_afu *a);

/** What happened so far. */
struct sim_afu_stats {
    uint64_t doorbells, fetched, completed, dropped, interrupts, violations, misaligned_data;
    uint64_t model_errors; /* of the strict checker: there must be none */
    uint64_t xlt_hits, xlt_misses, read_lines, write_lines;
    uint64_t by_status[4]; /* completions: good, with afu_rc, scsi_rc only, fc_rc */
    uint32_t in_flight, contexts;
};

void sim_afu_stats(const struct sim_afu *a, struct sim_afu_stats *out);

/** The strict checker of an adapter: what it has found so far. */
const struct sim_strict *sim_afu_strict(const struct sim_afu *a);

/** A register as it is, without the side effects and the time of a load. */
uint64_t sim_afu_peek(struct sim_afu *a, uint64_t offset);

/** Cable events: takes the link of a port down at once, or brings it up (login included). */
void sim_afu_link_down(struct sim_afu *a, unsigned port);
void sim_afu_link_up(struct sim_afu *a, unsigned port);

/** Something happens to the slot of an adapter, now: SIM_EFFECT_FREEZE, _PERMANENT, _REMOVE or
 * _OTHER; `arg` as at the site `perr` (sim_sites.def). Not from within an event of the model. */
void sim_afu_platform(struct sim_afu *a, enum sim_effect effect, uint64_t arg);

/** The same at a cycle to come, before all else of that cycle. At most four are planned at once. */
void sim_afu_platform_at(struct sim_afu *a, enum sim_effect effect, uint64_t arg, uint64_t cycle);

/** Whether a translation of (context, handle) is in the cache: for tests of AFU sync. */
bool sim_afu_xlt_cached(const struct sim_afu *a, uint16_t context, uint32_t handle);

#endif
