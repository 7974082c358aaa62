/* SPDX-License-Identifier: Apache-2.0 */
/* What one client of random_requests owns: clients (a process and a child that it forked), their
 * contexts, handles, chunks and the contents of some blocks of each. */
#ifndef TESTS_SCENARIO_RANDOM_REQUESTS_MODEL_H
#define TESTS_SCENARIO_RANDOM_REQUESTS_MODEL_H

#include "core/superpipe.h"
#include "tests/scenario/random_requests_books.h"

struct rr_afu; /* random_requests_driver.h */

enum {
    RR_ACTORS = 2,
    RR_CONTEXTS = 2, /* of each */
    RR_HANDLES = 4,  /* of each context */
    RR_SAMPLES = 3,  /* blocks of each chunk that are written and read */
    RR_IOS = 3,      /* in flight */
    RR_MAPPINGS = 2,
    RR_BLOCK_MAX = 4096,
};

#define RR_UNKNOWN UINT64_MAX /* contents that nobody has looked at yet */

enum { RR_READ = 1, RR_WRITE = 2 }; /* permissions, as AFU_PERM_ */

/** A block: what it holds, or, after a write of which nobody knows whether it happened, might hold
 * instead. */
struct rr_block {
    uint64_t token, other;
    uint64_t given_up;        /* of a direct handle: rr_given_up() when it was known last */
    uint8_t readers, writers; /* I/O in flight */
};

/** A chunk of the device, shared by whatever handles and names of this worker have it. */
struct rr_chunk {
    unsigned refs; /* of handles and names */
    unsigned pins; /* of I/O in flight */
    uint32_t serial;
    uint8_t lun;
    bool held;  /* counted in maybe_chunks */
    bool wiped; /* before anybody else gets it (VL-63) */
    struct rr_block block[RR_SAMPLES];
};

struct rr_handle {
    bool open, bound; /* bound: to the name */
    bool wipes;       /* chunks that it gets are wiped in the end, also those of a clone (SP-115) */
    uint8_t lun, permissions;
    enum rr_claim kind;
    uint32_t number;
    unsigned port; /* direct */
    unsigned size; /* chunks */
    unsigned sure; /* those before this one are known to the AFU; less than size after EAGAIN */
    struct rr_chunk *chunk[RR_CHUNKS];
};

/** An I/O in flight. */
struct rr_io {
    bool busy, write;
    bool allowed; /* by the permissions of the handle */
    bool certain; /* nothing was withdrawn since: it must succeed */
    uint8_t lun;
    uint32_t handle; /* number */
    unsigned index;  /* of the last chunk, in the handle */
    unsigned blocks; /* 1 or 2 */
    unsigned bytes;  /* of each */
    struct rr_chunk *chunk[2];
    struct rr_block *block[2];
    uint64_t token[2];     /* that is written */
    struct rr_block stray; /* of no chunk: nobody has it, it may hold anything but secrets */
};

enum rr_life { RR_GONE, RR_LIVE, RR_FILE }; /* FILE: ended, but its adapter file is open */

struct rr_context {
    struct rr_actor *actor;
    enum rr_life life;
    bool lost;       /* known to be, until it is recovered: rr_lost() */
    unsigned number; /* of the context */
    unsigned luns;   /* mask of attached ones */
    uint8_t permissions;
    struct rr_handle handle[RR_HANDLES];
    struct rr_io io[RR_IOS];
    unsigned ios;
    /* typed */
    struct spipe_ctx *ctx;
    /* binary */
    uint64_t cookie, file;
    bool file_open;
    struct spipe_mapping *mapping[RR_MAPPINGS];
    struct rr_afu *afu; /* drives the first mapping */
    /* what a recovery left behind: its old file and mappings (SP-95, SP-146) */
    uint64_t old_file;
    bool old_file_open;
    struct spipe_mapping *old_mapping[RR_MAPPINGS];
};

/** One process. */
struct rr_actor {
    struct spipe_client *client; /* NULL: none */
    struct rr_actor *parent;     /* that still lives */
    bool binary;
    struct rr_context context[RR_CONTEXTS];
};

/** The name of the worker. */
struct rr_name {
    bool exists;
    unsigned lun, size;
    uint64_t byte_length;
    struct rr_chunk *chunk[RR_CHUNKS];
};

/* ---- sizes ---- */

/** 4096-byte blocks of a chunk of a LUN. */
uint64_t rr_chunk_blocks(const struct rr_lun *lun);

/** Chunks that so many 4096-byte blocks need (VL-29); at most RR_CHUNKS. */
unsigned rr_chunks_of(const struct rr_lun *lun, uint64_t blocks);

/** last_lba of so many chunks (VL-32). */
uint64_t rr_last_lba(const struct rr_lun *lun, unsigned chunks);

/* ---- chunks ---- */

/** A new chunk with one reference and unknown contents, counted as surely held. */
struct rr_chunk *rr_chunk_new(struct rr_worker *w, unsigned lun, bool wiped);

/** Gives references up, before the request that does it; what loses its last one is surely held no
 * more. */
void rr_chunks_drop(struct rr_worker *w, struct rr_chunk **chunk, unsigned n);

/** The opposite, when it was refused. */
void rr_chunks_restore(struct rr_worker *w, struct rr_chunk **chunk, unsigned n);

/** Afterwards: what has no reference any more is nobody's. */
void rr_chunks_settle(struct rr_worker *w);

/* ---- handles and contexts ---- */

/** The open handle with this number, or NULL. */
struct rr_handle *rr_handle_by_number(struct rr_context *c, uint32_t number);

/** The lowest number that no handle of the context has (SP-35). */
uint32_t rr_lowest_free(const struct rr_context *c);

/** A free place for a handle, or NULL; an open handle of that kind, or NULL: at random. */
struct rr_handle *rr_free_handle(struct rr_context *c);
struct rr_handle *rr_any_handle(struct rr_worker *w, struct rr_context *c);

/** A context that lives, or NULL, at random; one of which nobody knows that it is lost. */
struct rr_context *rr_any_context(struct rr_worker *w, struct rr_actor *a);
struct rr_context *rr_any_healthy(struct rr_worker *w, struct rr_actor *a);

/** A LUN for a request of a context: nearly always one that it has attached. */
unsigned rr_any_lun(struct rr_worker *w, const struct rr_context *c);

/** Whether any context of the worker has the LUN attached. */
bool rr_has_attached(struct rr_worker *w, unsigned lun);

/** Handles of a context on the LUNs of a mask are about to be closed, and they are. */
void rr_handles_drop(struct rr_worker *w, struct rr_context *c, unsigned luns);
void rr_handles_dropped(struct rr_worker *w, struct rr_context *c, unsigned luns);

/** The same with the LUNs themselves: what DETACH does, without the request. */
void rr_luns_drop(struct rr_worker *w, struct rr_context *c, unsigned luns);
void rr_luns_dropped(struct rr_worker *w, struct rr_context *c, unsigned luns);

#endif
