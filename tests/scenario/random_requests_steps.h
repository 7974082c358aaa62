/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of random_requests does in one step, drawn at random. A step that has nothing to
 * act upon does nothing. */
#ifndef TESTS_SCENARIO_RANDOM_REQUESTS_STEPS_H
#define TESTS_SCENARIO_RANDOM_REQUESTS_STEPS_H

#include "tests/scenario/random_requests_worker.h"

/** The LUN that MANAGE_LUN opens and closes; the others are always open. It has port 1 only. */
enum { RR_MANAGED = RR_LUNS - 1, RR_MANAGED_PORT = 1 };

/** The LUN that is mostly opened direct. */
enum { RR_DIRECT = 2 };

typedef void rr_step(struct rr_worker *w, struct rr_actor *a);

/* random_requests_life.c */
rr_step rr_step_die, rr_step_manage, rr_step_look;

/** Makes a client of the actor, new or forked from the other one. */
void rr_be_born(struct rr_worker *w, struct rr_actor *a);

/* random_requests_cousin.c */
rr_step rr_step_cousin, rr_step_guest;

/** A binary client that others may fork from, and one that is about to end. */
void rr_parent_offer(struct rr_worker *w, struct spipe_client *client);
void rr_parent_withdraw(struct rr_worker *w, const struct spipe_client *client);

/* random_requests_context.c */
rr_step rr_step_attach, rr_step_detach, rr_step_file;

/** Others may try what a binary context is known by now. */
void rr_context_show(struct rr_worker *w, const struct rr_context *c);

/** Maps a context that has no mapping to send commands through. */
void rr_context_map(struct rr_worker *w, struct rr_context *c);

/** A context that ended without a request of its own about it: with its file, or its client. */
void rr_context_drop(struct rr_worker *w, struct rr_context *c);
void rr_context_dropped(struct rr_worker *w, struct rr_context *c);

/* random_requests_handle.c */
rr_step rr_step_open_virtual, rr_step_open_direct, rr_step_resize, rr_step_release, rr_step_verify,
    rr_step_clone;

/* random_requests_recover.c */
rr_step rr_step_recover, rr_step_lost;

/** Recovers a context that is known to be lost, and nothing else. */
void rr_recover(struct rr_worker *w, struct rr_context *c);

/** Gives back what a recovery left behind. */
void rr_leftovers_drop(struct rr_worker *w, struct rr_context *c);

/* random_requests_reset.c */
rr_step rr_step_reset;

/* random_requests_name.c; only the typed face has names */
rr_step rr_step_name;

/** The run is over: the name goes. */
void rr_name_end(struct rr_worker *w);

/* random_requests_io.c */
rr_step rr_step_io, rr_step_io_beyond;

/** Waits for what is in flight, and judges it: before anything that could give it other chunks. */
void rr_io_finish(struct rr_worker *w, struct rr_context *c);

/** What is in flight is lost: the context is about to end. */
void rr_io_lost(struct rr_worker *w, struct rr_context *c);

/** I/O of a handle to chunks from `size` on may fail from now on. */
void rr_io_withdrawn(struct rr_context *c, uint32_t handle, unsigned size);

/** An I/O of a lost context, which must fail and change nothing. */
void rr_io_of_lost(struct rr_worker *w, struct rr_context *c, const struct rr_handle *h);

/** Reads every block of the open handles of which anybody knows what it holds. */
void rr_io_look(struct rr_worker *w, struct rr_context *c);

struct stack_client;

/** At the end, through a direct handle: what had to be wiped is in no chunk of the LUN. */
void rr_io_judge_leftovers(struct stack_client *c, uint32_t handle, unsigned chunks);

/* random_requests_misuse.c */
rr_step rr_step_misuse;

#endif
