/* SPDX-License-Identifier: Apache-2.0 */
/* Clients: each stands for one process and owns its contexts (SP-4, SP-178). Shared inside core
 * only; the verbs are spipe_client_create, spipe_client_fork, spipe_client_destroy, spipe_attach,
 * spipe_attach_lun and spipe_detach of core/superpipe.h.
 *
 * Thread rules: the control lock of the adapter guards everything but `name`, which never changes.
 */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "core/adapter.h"

enum { SPIPE__CLIENT_NAME = 32 }; /* bytes that are kept of a name, with its end */

struct spipe_client {
    struct spipe *s;
    struct spipe_ctx *contexts; /* the newest first */
    /* who may clone from whom (SP-107, R-48) */
    struct spipe_client *parent;   /* NULL: it has none, or it is gone */
    struct spipe_client *children; /* the newest first */
    struct spipe_client *sibling;  /* next child of the same parent */
    char name[SPIPE__CLIENT_NAME];
};

#endif
