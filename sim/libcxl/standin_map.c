/* SPDX-License-Identifier: Apache-2.0 */
/* Problem-state areas (CX section 5). An area is an address range whose pages are not there: the
 * accesses of a living context go to the model, and whoever touches a dead one gets the SIGBUS of
 * the real thing, at the right address (CX-59). */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal/support/check.h"
#include "sim/libcxl/standin.h"

static size_t page(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static struct standin_map *map_of(void *area)
{
    return (struct standin_map *)(void *)((char *)area - page());
}

static size_t round_up(size_t size) { return (size + page() - 1) / page() * page(); }

/* One page of memory, then the area. */
static struct standin_map *reserve(const struct standin *s, size_t size)
{
    char *all =
        mmap(NULL, page() + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (all == MAP_FAILED)
        return NULL;
    if (mmap(all + page(), size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, s->dead, 0) ==
        MAP_FAILED) {
        munmap(all, page() + size);
        return NULL;
    }
    return (struct standin_map *)(void *)all;
}

/* CX-50. */
static int map_file(struct standin *s, struct standin_file *f, size_t size, void **out)
{
    uint64_t area = f->view == CXL_VIEW_SLAVE ? STANDIN_WINDOW : STANDIN_MASTER_AREA;
    struct standin_map *map;

    if (!f->attached || f->closed || f->card->offline || f->card->frozen)
        return -EIO;
    if (size == 0 || size > area)
        return -EINVAL;
    map = reserve(s, round_up(size));
    if (!map)
        return -ENOMEM;
    map->file = f;
    map->size = size;
    map->err_ff = f->work.flags & CXL_START_WORK_ERR_FF;
    map->next = f->maps;
    f->maps = map;
    *out = (char *)map + page();
    return 0;
}

int standin_map(int fd, size_t size, void **out)
{
    struct standin *s = standin_enter();
    struct standin_file *f;
    int rc;

    if (!s)
        return -EBADF;
    standin_lock(s);
    f = standin_file(s, fd);
    rc = f ? map_file(s, f, size, out) : -EBADF;
    standin_unlock(s);
    return rc;
}

static void unlink_map(struct standin_map *map)
{
    struct standin_map **at = &map->file->maps;

    while (*at != map) {
        CHECK(*at);
        at = &(*at)->next;
    }
    *at = map->next;
}

int standin_unmap(void *area, size_t size)
{
    struct standin *s = standin_enter();
    struct standin_map *map = map_of(area);

    if (!s)
        return -EINVAL;
    standin_lock(s);
    if (map->file)
        unlink_map(map);
    standin_unlock(s);
    return munmap(map, page() + round_up(size)) ? -errno : 0;
}

void standin_maps_orphan(struct standin_file *f)
{
    for (struct standin_map *map = f->maps; map; map = map->next)
        map->file = NULL;
    f->maps = NULL;
}

/* ---- accesses ---------------------------------------------------------------------------------
 */

/* The context that an access goes to; NULL: the mapping is dead. */
static struct standin_file *living(const struct standin_map *map)
{
    struct standin_file *f = map->file;

    if (f && __atomic_load_n(&f->card->news, __ATOMIC_RELAXED))
        (void)standin_enter();
    return f && !__atomic_load_n(&f->closed, __ATOMIC_ACQUIRE) ? f : NULL;
}

static bool frozen(const struct standin_card *card)
{
    return __atomic_load_n(&card->frozen, __ATOMIC_RELAXED);
}

bool standin_load_alive(void *area, uint64_t offset, uint64_t *value)
{
    const struct standin_map *map = map_of(area);
    const struct standin_file *f = living(map);

    *value = HAL_ALL_ONES;
    if (!f)
        return map->err_ff; /* CX-42 */
    if (!frozen(f->card))
        *value = hal_reg_read64(f->ctx, offset);
    return true;
}

bool standin_store_alive(void *area, uint64_t offset, uint64_t value)
{
    const struct standin_map *map = map_of(area);
    const struct standin_file *f = living(map);

    if (!f)
        return map->err_ff;
    if (!frozen(f->card))
        hal_reg_write64(f->ctx, offset, value);
    return true;
}

void standin_touch(void *area, uint64_t offset)
{
    (void)*(volatile uint64_t *)(void *)((char *)area + offset);
}

uint64_t standin_load(void *area, uint64_t offset)
{
    uint64_t value;

    if (!standin_load_alive(area, offset, &value))
        standin_touch(area, offset);
    return value;
}

void standin_store(void *area, uint64_t offset, uint64_t value)
{
    if (!standin_store_alive(area, offset, value))
        standin_touch(area, offset);
}
