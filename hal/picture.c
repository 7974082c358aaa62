/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/picture.h"

#include <errno.h>
#include <string.h>

/* Takes `count` entries of `size` bytes from the end of the block so far. */
static uint32_t place(uint64_t *bytes, uint32_t count, size_t size)
{
    uint64_t at = *bytes;

    *bytes = (at + (uint64_t)count * size + 7) & ~UINT64_C(7);
    return (uint32_t)at;
}

static struct hal_picture header(const struct hal_picture_counts *n)
{
    struct hal_picture p = {.bytes = (sizeof p + 7) & ~UINT64_C(7), .n = *n};

    p.at_lun = place(&p.bytes, n->luns, sizeof(struct hal_picture_lun));
    p.at_run = place(&p.bytes, n->runs, sizeof(struct hal_picture_run));
    p.at_context = place(&p.bytes, n->contexts, sizeof(struct hal_picture_context));
    p.at_attached = place(&p.bytes, n->attached, sizeof(uint32_t));
    p.at_handle = place(&p.bytes, n->handles, sizeof(struct hal_picture_handle));
    p.at_held = place(&p.bytes, n->held, sizeof(struct hal_picture_held));
    p.at_array = place(&p.bytes, n->arrays, sizeof(struct hal_picture_array));
    p.at_name = place(&p.bytes, n->names, sizeof(struct hal_picture_name));
    p.at_chunk = place(&p.bytes, n->chunks, sizeof(uint64_t));
    return p;
}

int hal_picture_begin(struct hal_picture_room *room, const struct hal_picture_counts *counts,
                      struct hal_picture **out)
{
    struct hal_picture p = header(counts);

    if (p.bytes > UINT32_MAX)
        return -ENOMEM; /* offsets have 32 bits */
    if (room->size < p.bytes && !(room->grow && room->grow(room, (size_t)p.bytes)))
        return -ENOMEM;
    memset(room->block, 0, (size_t)p.bytes);
    memcpy(room->block, &p, sizeof p);
    *out = room->block;
    return 0;
}
