/* SPDX-License-Identifier: Apache-2.0 */
/* The whole stack for scenario tests: simulated host, adapter opened by core, helpers that block.
 */
#ifndef TESTS_TESTLIB_STACK_H
#define TESTS_TESTLIB_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/sim/sim_host.h"
#include "core/superpipe.h"

#define STACK_BLOCK 4096u

struct recording;
struct sim_check;

struct stack {
    struct sim_host *host;
    struct exec *exec;
    struct spipe *adapter;
    struct sim_check *check; /* NULL: none */
};

/** Media of two LUNs of `chunks` chunks. */
struct sim_media *stack_media(unsigned chunks);

/** What the host of a run is like. */
struct stack_setup {
    uint64_t seed;
    struct sim_media *media;
    struct exec *threads;       /* NULL: fibers and virtual time from `seed` */
    uint64_t interface_version; /* 0: the default */
    bool reference;             /* the reference engine makes time pass (sim_reference.h) */
    struct recording *records;  /* NULL, or where the trace goes */
    bool unchecked;             /* the invariants are not (sim/check/sim_check.h) */
    void (*change_params)(struct sim_params *p); /* NULL, or before the adapter is built */
    void (*change_exec)(struct exec *e);         /* NULL, or before core is opened */
};

/** Runs body(stack, arg) as the first thread of a host with one adapter that core has opened, and
 * closes everything afterwards. All the while the invariants are checked. Aborts the test on
 * failure. Returns the trace hash. */
uint64_t stack_run(const struct stack_setup *setup, void (*body)(struct stack *, void *),
                   void *arg);

/** One client with one context on a LUN. */
struct stack_client {
    struct spipe_client *client;
    struct spipe_ctx *ctx;
};

void stack_client(struct stack *s, struct stack_client *c, unsigned lun, unsigned depth,
                  bool interrupts);

/** One I/O, waited for by polling. Returns its status. */
int stack_io(struct stack_client *c, enum spipe_op op, uint32_t handle, uint64_t lba,
             uint32_t blocks, void *buffer);

/** Opens a virtual LUN of so many chunks; aborts the test unless all are granted. */
uint32_t stack_open(struct stack_client *c, unsigned lun, uint64_t chunks);

#endif
