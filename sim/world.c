/* SPDX-License-Identifier: Apache-2.0 */
/* The arena of a world and its allocator: blocks of a few sizes per doubling, one last-in-first-out
 * list of free blocks for each size and alignment, new blocks from the end of the part in use.
 * Nothing is ever merged: worlds are short-lived and their sizes repeat, and in return the
 * allocator is deterministic by construction and a dozen instructions long. */
#include "sim/world.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/sanitizer.h"
#include "sim/world_internal.h"

#define WORLD_MAGIC UINT64_C(0x73696D5F776F726C)
#define FREE_MAGIC UINT64_C(0xF4EEB10CF4EEB10C)

#define PAGE ((size_t)4096)
#define PAGE_RUN (8 * PAGE)

static const size_t align_classes[SIM_WORLD_ALIGN_CLASSES] = {16, 128, PAGE, 65536,
                                                              SIM_WORLD_ALIGN_MAX};

/* Sizes 16, 32, 48, 64, then four to each doubling: 80, 96, 112, 128, 160 ... */
static unsigned class_of(size_t size)
{
    unsigned top;

    if (size <= 64)
        return (unsigned)((size - 1) / 16);
    top = hal_highest_bit(size - 1);
    return 4 + (top - 6) * 4 + (unsigned)((size - 1) >> (top - 2)) - 4;
}

static size_t class_size(unsigned class)
{
    CHECK(class < SIM_WORLD_SIZE_CLASSES);
    if (class < 4)
        return ((size_t) class + 1) * 16;
    return ((size_t) class % 4 + 5) << (class / 4 + 3);
}

static void push_free(struct sim_world *w, unsigned align_class, unsigned class, void *p)
{
    struct sim_world_free *f = p;

    f->next = w->free[align_class][class];
    f->magic = FREE_MAGIC ^ (uintptr_t)p;
    w->free[align_class][class] = f;
    sim_asan_poison(p, class_size(class));
}

static void *pop_free(struct sim_world *w, unsigned align_class, unsigned class)
{
    struct sim_world_free *f = w->free[align_class][class];

    if (!f)
        return NULL;
    sim_asan_unpoison(f, class_size(class));
    CHECK(f->magic == (FREE_MAGIC ^ (uintptr_t)f)); /* else somebody wrote to it after freeing */
    w->free[align_class][class] = f->next;
    f->magic = 0; /* it may lie behind what the caller asked for and gets zeroed */
    return f;
}

/* Smaller ones are not worth a piece of their own in a snapshot. */
#define HOLE_MIN 256

size_t sim_world__free_holes(struct sim_world *w, struct sim_world_hole *out, size_t max)
{
    size_t count = 0;

    if (w->page_at < w->page_end) {
        if (count < max)
            out[count] = (struct sim_world_hole){(char *)w + w->page_at, w->page_end - w->page_at};
        count++;
    }
    for (unsigned a = 0; a < SIM_WORLD_ALIGN_CLASSES; a++)
        for (unsigned class = class_of(HOLE_MIN); class < SIM_WORLD_SIZE_CLASSES; class ++)
            for (struct sim_world_free *f = w->free[a][class]; f; f = f->next) {
                if (count < max)
                    out[count] = (struct sim_world_hole){f + 1, class_size(class) - sizeof *f};
                count++;
            }
    return count;
}

/* Keeps what alignment left over, as small blocks. */
static void donate(struct sim_world *w, size_t from, size_t to)
{
    while (to - from >= 16) {
        unsigned class = class_of(to - from);

        if (class_size(class) > to - from)
            class --;
        sim_asan_unpoison((char *)w + from, class_size(class));
        push_free(w, 0, class, (char *)w + from);
        from += class_size(class);
    }
}

static void *extend(struct sim_world *w, size_t align, size_t size)
{
    size_t start = hal_align_up(w->extent, align);

    if (start > w->reserve || size > w->reserve - start)
        return NULL;
    donate(w, w->extent, start);
    w->extent = start + size;
    sim_asan_unpoison((char *)w + start, size);
    return (char *)w + start;
}

/* Which alignment class a block address was made for cannot be seen from the address, so blocks of
 * an alignment above 16 go back to the list of the largest class that their address fits, which is
 * at least the one they came from. */
static unsigned align_class_of_address(const void *p)
{
    unsigned class = SIM_WORLD_ALIGN_CLASSES - 1;

    while ((uintptr_t)p & (align_classes[class] - 1))
        class --;
    return class;
}

static int align_class_for(size_t align)
{
    for (int i = 0; i < SIM_WORLD_ALIGN_CLASSES; i++)
        if (align <= align_classes[i])
            return i;
    return -1;
}

/* A free block of the wanted alignment or of a stricter one. */
static void *reuse(struct sim_world *w, unsigned align_class, unsigned class)
{
    for (unsigned a = align_class; a < SIM_WORLD_ALIGN_CLASSES; a++) {
        void *p = pop_free(w, a, class);

        if (p)
            return p;
    }
    return NULL;
}

/* From the end of the part in use; zero. */
static void *fresh_block(struct sim_world *w, size_t align, size_t size)
{
    char *p = extend(w, align, size);
    size_t start;

    if (!p)
        return NULL;
    start = (size_t)(p - (char *)w);
    /* Memory above `touched` is still as the system gave it: zero. */
    if (start < w->touched)
        memset(p, 0, hal_min64(w->touched, w->extent) - start);
    w->touched = hal_max64(w->touched, w->extent);
    return p;
}

/* Blocks that begin a page come from runs of pages. If they stood between the others, those would
 * begin at the same place of a page for each of hundreds of contexts, and so share few sets of the
 * processor's caches. */
static void *fresh_page(struct sim_world *w, unsigned class)
{
    char *p;

    if (w->page_at == w->page_end) {
        p = extend(w, PAGE, PAGE_RUN);
        if (!p)
            return fresh_block(w, PAGE, class_size(class)); /* the end of the world */
        sim_asan_poison(p, PAGE_RUN);
        w->touched = hal_max64(w->touched, w->extent);
        w->page_at = (size_t)(p - (char *)w);
        w->page_end = w->page_at + PAGE_RUN;
    }
    p = (char *)w + w->page_at;
    w->page_at += PAGE;
    sim_asan_unpoison(p, class_size(class));
    donate(w, (size_t)(p - (char *)w) + class_size(class), w->page_at);
    return memset(p, 0, class_size(class));
}

static void *fresh(struct sim_world *w, unsigned align_class, unsigned class)
{
    if (align_classes[align_class] == PAGE && class_size(class) <= PAGE)
        return fresh_page(w, class);
    return fresh_block(w, align_classes[align_class], class_size(class));
}

void *sim_world_alloc(struct sim_world *w, size_t size, size_t align)
{
    int align_class = align_class_for(align);
    unsigned class;
    char *p;

    CHECK(w->magic == WORLD_MAGIC && size > 0 && hal_is_power_of_2(align));
    if (align_class < 0 || size > w->reserve)
        return NULL;
    class = class_of(size + SIM_ASAN_REDZONE);
    p = reuse(w, (unsigned)align_class, class);
    if (p)
        memset(p, 0, size);
    else
        p = fresh(w, (unsigned)align_class, class);
    if (!p)
        return NULL;
    sim_asan_poison(p + size, class_size(class) - size);
    w->used += size;
    w->peak = hal_max64(w->peak, w->used);
    w->blocks++;
    return p;
}

/* Both finds are likely, not certain: they are there to stop a bug near its cause. */
static void check_not_free(const void *p)
{
#if SIM_ASAN
    CHECK(!__asan_address_is_poisoned(p));
#else
    const struct sim_world_free *f = p;

    CHECK(f->magic != (FREE_MAGIC ^ (uintptr_t)p));
#endif
}

void sim_world_free(struct sim_world *w, void *p, size_t size)
{
    unsigned class;

    if (!p)
        return;
    CHECK(w->magic == WORLD_MAGIC && size > 0 && size <= w->used && w->blocks > 0);
    class = class_of(size + SIM_ASAN_REDZONE);
    CHECK(sim_world_contains(w, p, class_size(class)) && ((uintptr_t)p & 15) == 0);
    check_not_free(p);
    /* A fiber's stack comes back with the marks of frames that were never left. */
    sim_asan_unpoison(p, class_size(class));
    push_free(w, align_class_of_address(p), class, p);
    w->used -= size;
    w->blocks--;
}

/* A mapping aligned to the largest alignment, so that offsets do not depend on where it lies. */
static void *map_arena(size_t reserve)
{
    size_t slack = SIM_WORLD_ALIGN_MAX, head;
    char *p;

    p = mmap(NULL, reserve + slack, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    head = hal_align_up((uintptr_t)p, slack) - (uintptr_t)p;
    if (head)
        munmap(p, head);
    if (slack - head)
        munmap(p + head + reserve, slack - head);
    return p + head;
}

int sim_world_create(size_t reserve, struct sim_world **out)
{
    struct sim_world *w;

    if (reserve < sizeof *w || reserve > SIM_WORLD_RESERVE_MAX)
        return -EINVAL;
    reserve = hal_align_up(reserve, 65536); /* whole pages, of the largest size in use */
    w = map_arena(reserve);
    if (!w)
        return -ENOMEM;
    w->magic = WORLD_MAGIC;
    w->reserve = reserve;
    w->extent = hal_align_up(sizeof *w, 16);
    w->touched = w->extent;
    *out = w;
    return 0;
}

void sim_world_destroy(struct sim_world *w)
{
    size_t reserve;

    if (!w)
        return;
    CHECK(w->magic == WORLD_MAGIC && !w->fibers_run);
    reserve = w->reserve;
    /* The next mapping at this address must not inherit our marks. */
    sim_asan_unpoison(w, w->touched);
    munmap(w, reserve);
}

size_t sim_world_used(const struct sim_world *w) { return w->used; }

size_t sim_world_peak(const struct sim_world *w) { return w->peak; }

size_t sim_world_blocks(const struct sim_world *w) { return w->blocks; }

size_t sim_world_extent(const struct sim_world *w) { return w->extent; }

bool sim_world_contains(const struct sim_world *w, const void *p, size_t size)
{
    uintptr_t start = (uintptr_t)w, at = (uintptr_t)p;

    return at >= start && at - start <= w->extent && size <= w->extent - (at - start);
}

void sim_world_enter(struct sim_world *w)
{
    CHECK(w->magic == WORLD_MAGIC && !w->fibers_run);
    w->fibers_run = true;
}

void sim_world_leave(struct sim_world *w)
{
    CHECK(w->fibers_run);
    w->fibers_run = false;
}
