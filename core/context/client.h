/* SPDX-License-Identifier: Apache-2.0 */
/* Clients: each stands for one process and owns its contexts (SP-4, SP-178). Shared inside core
 * only; the verbs are spipe_client_create, spipe_client_fork, spipe_client_destroy, spipe_attach,
 * spipe_attach_lun and spipe_detach of core/superpipe.h.
 *
 * Thread rules: the books of the adapter guard everything but `s` and `name`, which never change.
 */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "core/context/context.h"

struct spipe__file;
struct spipe_mapping;

enum { SPIPE__CLIENT_NAME = 32 }; /* bytes that are kept of a name, with its end */

struct spipe_client {
    struct spipe *s;
    struct spipe_ctx *contexts; /* the newest first */
    /* who may clone from whom (SP-107, R-48) */
    struct spipe_client *parent;    /* NULL: it has none, or it is gone */
    struct spipe_client *children;  /* the newest first */
    struct spipe_client *sibling;   /* next child of the same parent */
    struct spipe_mapping *mappings; /* of its files, the newest first */
    char name[SPIPE__CLIENT_NAME];
};

/* What the verbs do, inside the gate. */

/** A new context of a client, on LUN number `lun`: see spipe__ctx_create() for the rest; it is
 * returned entered. -EINVAL for a LUN that is not enabled. */
HAL_MUST_CHECK int spipe__attach(struct spipe_client *c, unsigned lun,
                                 const struct spipe__ctx_setup *setup, struct spipe_ctx **out);

/** One more LUN for an entered context (SP-39, SP-41). 0 or -EINVAL. */
HAL_MUST_CHECK int spipe__attach_lun(struct spipe_ctx *ctx, unsigned lun);

/** Ends one LUN of an entered context, and with the last one the context (SP-75..SP-77). */
void spipe__detach(struct spipe_ctx *ctx, unsigned lun);

/** Ends all of them, and so the context. */
void spipe__detach_all(struct spipe_ctx *ctx);

#endif
