/* SPDX-License-Identifier: Apache-2.0 */
/* The command, buffer and response interfaces of the PSL, cycle by cycle, for the reference engine.
 * The link (sim_reference_bus.c) says when a command is ready and its answer due; here is what
 * lies between: commands leave one a cycle (TM-1), with tags from a pool (TM-3), halves of lines
 * cross the buffer interfaces (TM-5, TM-6), responses come one a cycle. All that is told to the
 * strict checker. Nothing here changes when an answer is due (docs/decisions/0003). */
#ifndef SIM_AFU_SIM_PSL_BUS_H
#define SIM_AFU_SIM_PSL_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/support/prng.h"
#include "sim/sim_strict.h"

#define SIM_PSL_BUS_COMMANDS 256
/* Up to four commands become ready in one cycle (SIM_STRICT_SKID), and so up to four answers are
 * due in one: the first of them is given so many cycles before. */
#define SIM_PSL_BUS_RESPONSE_LEAD (SIM_STRICT_SKID + 1)
/* Read data come before that: two halves for each of four lines, and some again. */
#define SIM_PSL_BUS_DATA_LEAD (SIM_PSL_BUS_RESPONSE_LEAD + 16)
/* Shortest latency that leaves room for the skid, and for all halves before the response. */
#define SIM_PSL_BUS_LATENCY_MIN 32

/** A ring of numbers. */
struct sim_psl_bus_queue {
    uint32_t head, count;
    uint8_t at[SIM_PSL_BUS_COMMANDS];
};

/** A command between "ready" and "due". */
struct sim_psl_bus_command {
    struct sim_strict_command command;
    uint8_t halves; /* that have to cross a buffer interface; bit a half */
    bool issued, answered;
    bool withdrawn; /* before it was issued: it never is */
};

/** A half of write data behind its request. */
struct sim_psl_bus_data {
    uint64_t cycle; /* in which it is supplied */
    uint8_t tag, half;
};

struct sim_psl_bus {
    struct sim_strict *strict;
    struct hal_prng order;
    bool disorder;
    struct sim_psl_bus_queue free, tags;
    struct sim_psl_bus_queue skid;      /* ready and not issued */
    struct sim_psl_bus_queue buffer[2]; /* by direction: issued, with halves to transfer */
    struct sim_psl_bus_queue response;  /* answered as soon as the interface is free */
    uint32_t data_head, data_count;
    struct sim_psl_bus_data data[8];
    struct sim_psl_bus_command command[SIM_PSL_BUS_COMMANDS];
};

/* For sim_psl_bus_left: the data of a read arrive; and the answer may be given. */
void sim_psl_bus_data(struct sim_psl_bus *p, uint32_t number);
void sim_psl_bus_answer(struct sim_psl_bus *p, uint32_t number);

/** Starts with all tags free. `seed` orders halves. */
void sim_psl_bus_init(struct sim_psl_bus *p, struct sim_strict *strict, uint64_t seed);

/** Whatever is under way is gone, as if it had never been; tags are free. */
void sim_psl_bus_forget(struct sim_psl_bus *p);

/** A command is ready; its answer is due SIM_PSL_BUS_LATENCY_MIN cycles later or more. c->tag is
 * chosen here. Returns its number. */
uint32_t sim_psl_bus_ready(struct sim_psl_bus *p, const struct sim_strict_command *c);

/** Its answer is due in so many cycles: told in each of them. */
static inline void sim_psl_bus_left(struct sim_psl_bus *p, uint32_t number, uint64_t left)
{
    if (left == SIM_PSL_BUS_DATA_LEAD)
        sim_psl_bus_data(p, number);
    else if (left == SIM_PSL_BUS_RESPONSE_LEAD)
        sim_psl_bus_answer(p, number);
}

/** The cycle `now` is over: whatever becomes ready in it has. With disorder, halves of lines come
 * in any order, and some again. */
void sim_psl_bus_tick(struct sim_psl_bus *p, uint64_t now, bool disorder);

/** Nobody wants the command any more. It goes on if it was issued. */
void sim_psl_bus_withdraw(struct sim_psl_bus *p, uint32_t number);

/** The answer of a command is due. */
void sim_psl_bus_due(struct sim_psl_bus *p, uint64_t now, uint32_t number);

#endif
