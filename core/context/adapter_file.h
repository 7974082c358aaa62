/* SPDX-License-Identifier: Apache-2.0 */
/* Adapter files: what a client of the binary requests holds of a context (adap_fd, SP section 9).
 * Shared inside core only; the public part is spipe_adap_map and its neighbours.
 *
 * A file owns the hardware context: that exists until the file and all its mappings are closed, so
 * after DETACH the context number stays in use as long as the application has the file (SP-78). The
 * other way round, closing the last of them ends what is left of the context (SP-148), which is
 * the clean-up for a client that dies. When a context is recovered it gets a new file, and the old
 * one keeps the hardware context that was lost, which reads all ones (SP-146).
 *
 * Thread rules: the books of the adapter guard everything; whoever uses a file without them has
 * counted itself in `uses`. Accesses through a mapping take no lock. */
#ifndef CORE_ADAPTER_FILE_H
#define CORE_ADAPTER_FILE_H

#include "core/context/client.h"
#include "core/context/context.h"

/** One adapter file. */
struct spipe__file {
    struct spipe_client *client; /* its owner */
    struct hal_ctx *hal;
    struct spipe_ctx *ctx;    /* NULL: it has ended, or has another file; ... */
    struct spipe__rht rht;    /* ... and a table that the AFU may still walk stays here (SP-180) */
    struct spipe__file *next; /* in s->files */
    uint64_t number;          /* the lowest that no file of the adapter had */
    unsigned uses;            /* mappings, and waits for events */
    bool open;                /* not closed by the client */
    bool ending;              /* the last use is over, and somebody is ending it */
};

/** Memory for a file that does not exist yet. NULL without memory. */
struct spipe__file *spipe__file_alloc(struct spipe *s);

/** Frees memory that no file was made in. */
void spipe__file_free(struct spipe *s, struct spipe__file *f);

/** Makes the file of a context that is entered, and registered with the AFU. The file takes the
 * hardware context over; what file the context had before keeps what it has. */
void spipe__file_open(struct spipe_ctx *ctx, struct spipe__file *f);

/** The context has ended: its file stays until it is closed, and takes the table over. */
void spipe__file_orphan(struct spipe_ctx *ctx);

/** The AFU is about to be reset: takes the hardware contexts of all files away. */
void spipe__file_lose_all(struct spipe *s);

/** Closes all files of a client, and ends all mappings: they read all ones from here on. The caller
 * is inside the gate and holds no lock. */
void spipe__file_close_all(struct spipe_client *c);

#endif
