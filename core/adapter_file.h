/* SPDX-License-Identifier: Apache-2.0 */
/* Adapter files: what a client of the binary requests holds of a context (adap_fd, SP section 9).
 * Shared inside core only; the public part is spipe_adap_map and its neighbours.
 *
 * A file owns the hardware context: that exists until the file and all its mappings are closed, so
 * after DETACH the context number stays in use as long as the application has the file (SP-78). The
 * other way round, closing the last of them ends what is left of the context (SP-148), which is
 * the clean-up for a client that dies. A file's number is that of its hardware context.
 *
 * Thread rules: the control lock of the adapter guards everything; accesses through a mapping take
 * no lock. */
#ifndef CORE_ADAPTER_FILE_H
#define CORE_ADAPTER_FILE_H

#include "core/client.h"
#include "core/context.h"

/** One adapter file. */
struct spipe__file {
    struct spipe_client *client; /* its owner */
    struct hal_ctx *hal;
    struct spipe_ctx *ctx; /* NULL: it has ended, ... */
    struct spipe__rht rht; /* ... and its table stays for as long as the AFU may walk it (SP-180) */
    struct spipe__file *next;
    unsigned number;
    unsigned mappings;
    bool open; /* not closed by the client */
};

/**
 * Makes the file of a context that was just made. It takes the hardware context over.
 *
 * @return  0; -ENOMEM
 */
HAL_MUST_CHECK int spipe__file_open(struct spipe_client *c, struct spipe_ctx *ctx,
                                    struct spipe__file **out);

/** The context is about to end; the file stays until it is closed, and takes the table over. */
void spipe__file_orphan(struct spipe__file *f);

/** The open file of a client with this number, or NULL. */
struct spipe__file *spipe__file_find(struct spipe_client *c, uint64_t number);

/** Closes a file: with the last mapping, or at once without any, its context ends. */
void spipe__file_close(struct spipe__file *f);

/** Closes all files of a client, and ends all mappings: they read all ones from here on. */
void spipe__file_close_all(struct spipe_client *c);

#endif
