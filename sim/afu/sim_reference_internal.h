/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the reference engine share; the blocks of the model see sim_reference.h only.
 * Function names: reference__ = shared inside.
 *
 *   sim_reference.c        a cycle; the face of an engine
 *   sim_reference_event.c  events that wait, and what is due in this cycle
 *   sim_reference_turn.c   asks every block whether it is its turn
 *   sim_reference_bus.c    the bus, line by line
 *   sim_reference_stage.c  serial stages, frame by frame
 *
 * None of them includes sim_wait.h, where the event engine computes the same in closed form, nor
 * asks anything of it: what the two have in common is what the blocks do, never when. */
#ifndef SIM_AFU_SIM_REFERENCE_INTERNAL_H
#define SIM_AFU_SIM_REFERENCE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/afu/sim_psl_bus.h"
#include "sim/afu/sim_reference.h"

#define REFERENCE_WAITS_MAX (8 * SIM_CONTEXTS_MAX) /* commands, timers of everybody */
#define REFERENCE_ITEMS_MAX 8192
#define REFERENCE_LINES_MAX 256     /* more than credits */
#define REFERENCE_NO_PSL UINT32_MAX /* a line of which the PSL is told nothing */

/* Where an event is. */
enum { REFERENCE_WAIT = SIM_EVENT_OTHER, REFERENCE_DUE, REFERENCE_ITEM };

/* A transfer on the bus, or a frame at a stage. */
struct reference_item {
    struct reference_item *next;
    struct sim_event *ev; /* NULL: withdrawn, but what it asked for is still used */
    uint64_t after;       /* cycles for the event itself when it is through */
    /* bus */
    struct sim_strict_transfer fact; /* its ea and bytes: what is not sent yet */
    uint32_t to_send, to_answer;
    bool on_bus;
    /* stage */
    struct sim_stage_use use;
};

struct reference_fifo {
    struct reference_item *first, *last;
};

struct reference_line {
    struct reference_item *item;
    uint64_t left; /* cycles to its answer */
    uint32_t psl;  /* its number there, or REFERENCE_NO_PSL */
};

struct reference_bus {
    struct reference_fifo queue;
    struct reference_item *current; /* whose lines go now */
    uint64_t pace;                  /* cycles until the next line may go */
    uint32_t lines;                 /* under way */
    struct reference_line line[REFERENCE_LINES_MAX];
};

struct reference_stage {
    struct reference_fifo queue;
    uint64_t busy; /* cycles until it serves the next */
    bool active;
};

enum reference_fetch { REFERENCE_FETCH_IDLE, REFERENCE_FETCH_LOOK, REFERENCE_FETCH_ISSUE };

struct sim_reference {
    struct sim_engine *engine;
    struct sim_afu *afu;
    uint64_t serial;
    uint32_t live; /* events that will run */

    /* Events that wait for a cycle, and of that cycle the low bits once more: see
     * reference__any_now. */
    uint32_t waits;
    uint32_t wait_low[REFERENCE_WAITS_MAX];
    uint64_t wait_until[REFERENCE_WAITS_MAX];
    struct sim_event *wait[REFERENCE_WAITS_MAX];

    /* what runs in this cycle, in order of the requests */
    uint32_t due_ranks;
    struct sim_event *due[SIM_RANKS];

    enum reference_fetch fetch;
    uint64_t fetch_left;
    struct reference_item *fetch_item; /* on the bus */

    uint64_t mmio_pace;

    /* Likewise, by slot: what counts is the last one of a command that still has one. */
    uint32_t timeout_slots; /* slots from here on have never had one */
    bool timeouts_over;     /* one has perhaps come to its end in this cycle */
    uint32_t timeout_low[SIM_SLOTS_MAX];
    uint64_t timeout_until[SIM_SLOTS_MAX], timeout_serial[SIM_SLOTS_MAX];

    struct reference_bus bus[2];
    struct sim_psl_bus psl;
    struct reference_stage stage[SIM_STAGES];
    uint32_t active; /* stages that are busy or have somebody waiting */
    uint16_t active_stage[SIM_STAGES];

    struct reference_item *free_items;
    struct reference_item item[REFERENCE_ITEMS_MAX];
};

/* Whether one of these low halves is that of `now`; whether it is the cycle itself is for the
 * caller to see. Half of the bits, and no branch: so all that wait can be asked in every cycle,
 * several in one instruction. */
static inline bool reference__any_now(const uint32_t *low, uint32_t count, uint64_t now)
{
    uint32_t any = 0;

    for (uint32_t i = 0; i < count; i++)
        any |= low[i] == (uint32_t)now;
    return any;
}

static inline void reference__push(struct reference_fifo *f, struct reference_item *it)
{
    it->next = NULL;
    if (f->first)
        f->last->next = it;
    else
        f->first = it;
    f->last = it;
}

static inline struct reference_item *reference__pop(struct reference_fifo *f)
{
    struct reference_item *it = f->first;

    f->first = it->next;
    return it;
}

/* sim_reference_event.c */

/** ev, which this engine has taken over, runs after so many cycles; 0: in this one. */
void reference__wait(struct sim_reference *r, struct sim_event *ev, uint64_t cycles);

/** Whatever has waited for the cycle that begins is due. */
void reference__waits_tick(struct sim_reference *r);

/** Runs the first event of a rank that has one which is due. */
void reference__run_due(struct sim_reference *r, unsigned rank);

/** An item for ev, which must be idle, and is taken over. */
struct reference_item *reference__new_item(struct sim_reference *r, struct sim_event *ev,
                                           uint64_t after, enum sim_rank rank, sim_event_fn *fn);
void reference__free_item(struct sim_reference *r, struct reference_item *it);

/** The item is through: its event has only its own cycles left. */
void reference__through(struct sim_reference *r, struct reference_item *it);

/* Of struct sim_engine_ops. */
void reference__at(struct sim_engine *e, struct sim_event *ev, uint64_t cycle);
void reference__cancel(struct sim_engine *e, struct sim_event *ev);

/* sim_reference_turn.c */

/** An idle fetch unit begins to look when a context has something and a slot is free. */
void reference__fetch_begin(struct sim_reference *r);

/** A cycle begins: the waits of the blocks that look for themselves are shorter by one. */
void reference__turn_tick(struct sim_reference *r);

/** Of the blocks that have something to do in this cycle the first in order does one thing. False:
 * none has. */
bool reference__act(struct sim_reference *r);

/** Whether a command has a time-out. */
bool reference__any_timeout(const struct sim_reference *r);

/* sim_reference_bus.c */

/** A cycle begins: lines are answered, and the next one goes when the pace allows it. */
void reference__bus_tick(struct sim_reference *r, struct reference_bus *b);

/** Nobody waits for it: what is ready and not issued yet is not issued (TM-9). */
void reference__withdraw(struct sim_reference *r, struct reference_item *it);

/** A reset: what has not been sent never is. Nobody waits for it. */
void reference__bus_cut(struct sim_reference *r, struct reference_bus *b);

/* sim_reference_stage.c */

/** A cycle begins: frames come nearer, and the stages serve. */
void reference__stages_tick(struct sim_reference *r);

/** A reset: nobody waits for a stage of a port or of the card, and all of them are free. */
void reference__stages_cut(struct sim_reference *r);
#endif
