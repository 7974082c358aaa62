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

struct fault_filter;
struct recording;
struct sim_check;

struct stack {
    struct sim_host *host;
    struct exec *exec;
    struct spipe *adapter;
    struct sim_check *check; /* NULL: none */
    struct stack *other;     /* NULL, or the second adapter of a pair */
    struct fault_filter *filter;
    struct exec *core_exec; /* what core stands on: those of the host, or the filters */
    struct hal_dev *core_dev;
};

/** Media of two LUNs of `chunks` chunks. */
struct sim_media *stack_media(unsigned chunks);

/** What the host of a run is like. */
struct stack_setup {
    uint64_t seed;
    struct sim_media *media;
    struct exec *threads;       /* NULL: fibers and virtual time from `seed` */
    uint64_t interface_version; /* 0: the default */
    bool big_endian;            /* what core shares with the AFU */
    bool reference;             /* the reference engine makes time pass (sim_reference.h) */
    struct recording *records;  /* NULL, or where the trace goes */
    bool wipe_always;           /* as in struct spipe_options */
    bool wipe_nothing;          /* likewise */
    bool luns_disabled;         /* likewise */
    bool pair;                  /* two adapters, which share the LUNs of the medium */
    bool unchecked;             /* the invariants are not (sim/check/sim_check.h) */
    bool closed;                /* body opens the adapter, by stack_bring_up() */
    void (*change_params)(struct sim_params *p); /* NULL, or before the adapter is built */
    void (*change_exec)(struct exec *e);         /* NULL, or before core is opened */
    spipe_event_sink *event_sink;                /* of the (first) adapter, with its argument */
    void *event_arg;
    uint64_t heartbeat_ns;          /* as in struct spipe_options */
    struct hal_record_store *store; /* of names; NULL: the medium's */
    struct fault_filter *filter;    /* NULL, or room for one, which is set up between core and the
                                       first adapter */
};

/** Runs body(stack, arg) as the first thread of a host with one adapter, or two, that core has
 * opened, and closes everything afterwards. All the while the invariants are checked, over threads
 * at the end only. Aborts the test on failure. Returns the trace hash. */
uint64_t stack_run(const struct stack_setup *setup, void (*body)(struct stack *, void *),
                   void *arg);

/** Opens the adapter of a stack that is closed. Returns as spipe_open() does. */
int stack_bring_up(struct stack *s, char *why, size_t size);

/** Loads a plan: into the model, and what that has not into the filter, if there is one. Aborts the
 * test if it is none. */
void stack_plan(struct stack *s, const char *text);

/** Aborts the test if a rule of the plan never did anything (campaigns.md CF-6). Returns how often
 * all together did. */
uint64_t stack_fired(struct stack *s);

/** Closes the adapter of a stack before the end: its clients are gone. */
void stack_close(struct stack *s);

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

/** Writes a block full of `value`, and returns the first byte of a block whose bytes are all alike;
 * they abort the test on failure. One thread of a test at a time. */
void stack_put(struct stack_client *c, uint32_t handle, uint64_t lba, uint8_t value);
uint8_t stack_get(struct stack_client *c, uint32_t handle, uint64_t lba);

/** First byte of a block of LUN 0, as the medium has it. */
uint8_t stack_on_medium(struct sim_media *media, uint64_t lba);

/** Lets time pass; an interruption aborts the test. */
void stack_sleep(struct stack *s, uint64_t ns);
void stack_sleep_s(struct stack *s, uint64_t seconds);

/** The state of the adapter. */
enum spipe_state stack_state(struct stack *s);

/** Opens a virtual LUN of so many chunks; aborts the test unless all are granted. */
uint32_t stack_open(struct stack_client *c, unsigned lun, uint64_t chunks);

#endif
