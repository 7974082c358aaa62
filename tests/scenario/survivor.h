/* SPDX-License-Identifier: Apache-2.0 */
/* A client that does a little of everything and does not give up: what fails because its adapter is
 * being reset or recovered it tries again, after spipe_recover(), until it has succeeded or the
 * adapter has failed for good. Every block that a write was acknowledged for must read back. */
#ifndef TESTS_SCENARIO_SURVIVOR_H
#define TESTS_SCENARIO_SURVIVOR_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/testlib/stack.h"

enum { SURVIVOR_CHUNKS = 3 }; /* that it has at most at once */

struct survivor {
    struct stack *s;
    struct spipe_client *client;
    struct spipe_ctx *ctx;
    struct exec_thread *thread; /* for who starts it as one */
    uint8_t *block;
    uint8_t base;        /* of what it writes */
    bool gave_up;        /* the adapter has failed */
    unsigned recoveries; /* of its context */
    unsigned tries;      /* of the step it is at */
};

/** One life, from attach to detach; then nothing of it is left. `arg` is a struct survivor with `s`
 * and `base` set, the rest zero. Aborts the test on failure. A thread body. */
void survivor_live(void *arg);

/** Expects that all clients have ended and left nothing: every chunk of LUN 0 is free, unless the
 * adapter has failed; one that works takes a new client. */
void survivor_expect_nothing_left(struct stack *s, uint64_t chunks);

#endif
