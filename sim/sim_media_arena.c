/* SPDX-License-Identifier: Apache-2.0 */
/* The arena of the media and the tables inside it. Nothing here comes from malloc, so that a world
 * snapshot is a copy. */
#include "sim/sim_media_ops.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

#define HUGE_PAGE (UINT64_C(2) << 20)

int sim_arena_map(struct sim_arena *a, void *memory, uint64_t bytes)
{
    uint8_t *p = memory;

    if (bytes / SIM_ARENA_PAGE >= UINT32_MAX)
        return -ENOMEM;
    bytes = hal_align_up(bytes, SIM_ARENA_PAGE);
    if (!p) {
        uint64_t lead;
        p = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            return -ENOMEM;
        /* Start on a huge page, so that what is filled can become huge pages. */
        lead = hal_align_up((uintptr_t)p, HUGE_PAGE) - (uintptr_t)p;
        if (lead)
            munmap(p, lead);
        if (lead < HUGE_PAGE)
            munmap(p + lead + bytes, HUGE_PAGE - lead);
        p += lead;
    }
    *a = (struct sim_arena){.base = p, .bytes = bytes, .own = !memory};
    return 0;
}

/* MADV_COLLAPSE (Linux 6.1), which older headers lack. */
#define ADVICE_COLLAPSE 25

/* Huge pages make copies up to twice as fast, but each is there as a whole: only memory that is in
 * use anyway is worth one. Best effort; an older kernel takes its time. */
void sim_arena_in_use(const struct sim_arena *a, void *start, uint64_t bytes)
{
    uint8_t *first = a->base + ((uintptr_t)start - (uintptr_t)a->base) / HUGE_PAGE * HUGE_PAGE;
    uint64_t length = hal_align_up((uintptr_t)start + bytes - (uintptr_t)first, HUGE_PAGE);

    if (!a->own || (uint64_t)(first - a->base) + length > a->bytes)
        return;
    if (madvise(first, length, ADVICE_COLLAPSE))
        (void)madvise(first, length, MADV_HUGEPAGE);
}

void sim_arena_unmap(const struct sim_arena *a)
{
    if (a->own)
        munmap(a->base, a->bytes);
}

uint32_t sim_arena_take(struct sim_arena *a, uint64_t pages)
{
    uint64_t at = a->used;

    if (pages > (a->bytes - a->used) / SIM_ARENA_PAGE)
        return 0;
    a->used += pages * SIM_ARENA_PAGE;
    return (uint32_t)(at / SIM_ARENA_PAGE);
}

int sim_table_extend(struct sim_arena *a, struct sim_table *t, uint64_t n)
{
    uint64_t leaves = hal_div_up(n, SIM_TABLE_LEAF);
    uint64_t pages = hal_div_up(leaves * sizeof(uint32_t), SIM_ARENA_PAGE);
    uint32_t root, *to;

    if (leaves <= t->n_leaves)
        return 0;
    root = sim_arena_take(a, pages);
    if (!root)
        return -ENOSPC;
    to = sim_arena_page(a, root);
    memset(to, 0, pages * SIM_ARENA_PAGE);
    /* The old array is not reused: LUNs grow a few times in the life of a world, if at all. */
    if (t->n_leaves)
        memcpy(to, sim_arena_page(a, t->root), t->n_leaves * sizeof(uint32_t));
    t->root = root;
    t->n_leaves = (uint32_t)leaves;
    return 0;
}

uint32_t *sim_table_cell(struct sim_arena *a, struct sim_table *t, uint64_t index)
{
    uint64_t leaf = index / SIM_TABLE_LEAF;
    uint32_t *page;

    CHECK(leaf < t->n_leaves);
    page = (uint32_t *)sim_arena_page(a, t->root) + leaf;
    if (!*page) {
        uint32_t fresh = sim_arena_take(a, 1);
        if (!fresh)
            return NULL;
        memset(sim_arena_page(a, fresh), 0, SIM_ARENA_PAGE);
        *page = fresh;
    }
    return (uint32_t *)sim_arena_page(a, *page) + index % SIM_TABLE_LEAF;
}
