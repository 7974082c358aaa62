/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/check_room.h"

#include <string.h>

#include "sim/world.h"

enum { SMALLEST = 4096 };

bool check_room_for(struct check_room *room, size_t size)
{
    size_t wanted = room->size ? room->size : SMALLEST;
    void *block;

    if (size <= room->size)
        return true;
    while (wanted < size)
        wanted *= 2;
    block = sim_world_alloc(room->world, wanted, 64);
    if (!block)
        return false;
    if (room->block)
        memcpy(block, room->block, room->size);
    sim_world_free(room->world, room->block, room->size);
    room->block = block;
    room->size = wanted;
    return true;
}

void check_room_fini(struct check_room *room)
{
    sim_world_free(room->world, room->block, room->size);
    room->block = NULL;
    room->size = 0;
}
