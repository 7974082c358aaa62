/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/vlun_handle.h"

#include <errno.h>

#define SYNC_TRIES 3 /* -EAGAIN: AFU sync failed, call again */

int vlun_handle_begin(struct vlun_handle *v, struct spipe *s, unsigned lun, unsigned depth)
{
    struct spipe_attach_options options = {.size = sizeof options, .depth = depth};
    int rc = spipe_client_create(s, "superpipe", &v->client);

    v->lun = lun;
    return rc ? rc : spipe_attach(v->client, lun, &options, &v->ctx);
}

static void granted(struct vlun_handle *v, uint64_t last)
{
    v->open = true;
    v->blocks = last == SPIPE_NO_BLOCK ? 0 : last + 1;
}

int vlun_handle_create(struct vlun_handle *v, uint64_t blocks)
{
    uint64_t last = SPIPE_NO_BLOCK;
    int rc = -EAGAIN;

    for (int i = 0; rc == -EAGAIN && i < SYNC_TRIES; i++)
        rc = spipe_open_virtual(v->ctx, v->lun, blocks, &v->handle, &last);
    if (!rc)
        granted(v, last);
    return rc;
}

int vlun_handle_open(struct vlun_handle *v, const char *name)
{
    uint64_t last = SPIPE_NO_BLOCK;
    int rc = -EAGAIN;

    for (int i = 0; rc == -EAGAIN && i < SYNC_TRIES; i++)
        rc = spipe_name_open(v->ctx, name, &v->handle, &last);
    if (!rc)
        granted(v, last);
    return rc;
}

int vlun_handle_resize(struct vlun_handle *v, uint64_t blocks)
{
    uint64_t last = SPIPE_NO_BLOCK;
    int rc = -EAGAIN;

    for (int i = 0; rc == -EAGAIN && i < SYNC_TRIES; i++)
        rc = spipe_resize(v->ctx, v->handle, blocks, &last);
    if (!rc)
        granted(v, last);
    return rc;
}

int vlun_handle_end(struct vlun_handle *v)
{
    int rc = v->open ? -EAGAIN : 0;

    for (int i = 0; rc == -EAGAIN && i < SYNC_TRIES; i++)
        rc = spipe_release(v->ctx, v->handle);
    if (!rc && v->ctx)
        rc = spipe_detach(v->ctx, v->lun);
    if (v->client)
        spipe_client_destroy(v->client);
    *v = (struct vlun_handle){.lun = v->lun};
    return rc;
}
