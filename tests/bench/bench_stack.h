/* SPDX-License-Identifier: Apache-2.0 */
/* 4 KiB reads through the whole stack: public API, core, HAL, model with full timing, medium. */
#ifndef TESTS_BENCH_BENCH_STACK_H
#define TESTS_BENCH_BENCH_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What runs. */
struct bench_stack_config {
    unsigned clients;     /* fibers, each with a context of its own; 1..64 */
    unsigned handles;     /* virtual LUNs of a client, 1..16 */
    unsigned depth;       /* reads in flight of a client, 1..128 */
    uint64_t reads;       /* of all clients together */
    bool data;            /* full media, every byte copied; else tag media */
    bool trace;           /* records and running hash */
    bool trace_in_turn;   /* short stretches of the reads with them and without; one client */
    bool reference;       /* the reference engine makes time pass for the reads */
    bool snapshot;        /* taken at the end of the reads */
    uint64_t xlt_entries; /* of the translation cache; 0 = as by default */
};

/** What it took. Times are CPU time of this process: the machine may be busy. */
struct bench_stack_result {
    double cpu_ns;                 /* of the reads alone */
    double traced_ns, untraced_ns; /* a read, trace_in_turn: medians */
    uint64_t events;               /* of the engine */
    uint64_t virtual_ns;           /* device time that passed */
    uint64_t trace_hash;           /* 0 without trace */
    size_t world_bytes;            /* of the world: state without media, client buffers included */
    size_t snapshot_bytes; /* what a copy of the world takes, without media and client buffers */
    size_t buffer_bytes;   /* of that, the clients' buffers and their queues' memory */
};

/** Runs it once. Returns 0, or -1 after a message on stderr. */
int bench_stack_run(const struct bench_stack_config *c, struct bench_stack_result *out);

/** CPU ns of copying 4 KiB between the same 16 MiB of media memory and one buffer: the roofline. */
double bench_copy_4k_ns(void);

/** CPU ns of one bare event: scheduled and run with nothing else done. */
double bench_event_ns(void);

#endif
