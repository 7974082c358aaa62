/* SPDX-License-Identifier: Apache-2.0 */
/* A client with one context on one LUN, and one virtual LUN there. Requests whose AFU sync failed
 * are tried again, as their caller should (SP-67). */
#ifndef TOOLS_VLUN_HANDLE_H
#define TOOLS_VLUN_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/superpipe.h"
#include "hal/support/must_check.h"

/** Zero it before the first call. */
struct vlun_handle {
    struct spipe_client *client;
    struct spipe_ctx *ctx;
    unsigned lun;
    uint32_t handle; /* once it is open */
    bool open;
    uint64_t blocks; /* granted, 4096 bytes each */
};

/** Creates the client and attaches to LUN number `lun`; `depth` as in spipe_attach_options. Returns
 * 0, or what spipe_client_create and spipe_attach give. End it with vlun_handle_end in both cases.
 */
HAL_MUST_CHECK int vlun_handle_begin(struct vlun_handle *v, struct spipe *s, unsigned lun,
                                     unsigned depth);

/** Opens a new virtual LUN of `blocks` 4096-byte blocks; v->blocks tells what was granted. Returns
 * 0, or what spipe_open_virtual gives. */
HAL_MUST_CHECK int vlun_handle_create(struct vlun_handle *v, uint64_t blocks);

/** Opens the virtual LUN called `name`. Returns 0, or what spipe_name_open gives. */
HAL_MUST_CHECK int vlun_handle_open(struct vlun_handle *v, const char *name);

/** Grows or shrinks it; v->blocks tells what was granted. Returns 0, or what spipe_resize gives. */
HAL_MUST_CHECK int vlun_handle_resize(struct vlun_handle *v, uint64_t blocks);

/** Releases the virtual LUN, detaches, ends the client. Safe after any failure above, and for one
 * of zeros. Returns 0, or what spipe_release and spipe_detach give; everything has ended then too.
 */
HAL_MUST_CHECK int vlun_handle_end(struct vlun_handle *v);

#endif
