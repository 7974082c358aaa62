/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_placement.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"

#define SPACE_MAX (UINT64_C(8) << 20)

/* Memory that is there, not only promised; NULL if there is none. */
static void *take(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* The copy takes the place of the code while it runs: both are the same byte for byte. */
static int move(void *code, size_t bytes)
{
    void *copy = take(bytes);

    if (!copy)
        return -errno;
    memcpy(copy, code, bytes);
    if (!mprotect(copy, bytes, PROT_READ | PROT_EXEC) &&
        mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, code) == code)
        return 0;
    munmap(copy, bytes);
    return -errno;
}

/* Of the first object, the program itself. */
static int move_segments(struct dl_phdr_info *info, size_t size, void *arg)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    int *rc = arg;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum && !*rc; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        uint64_t first = info->dlpi_addr + h->p_vaddr, begin = first / page * page;

        if (h->p_type == PT_LOAD && h->p_flags & PF_X)
            *rc = move((void *)begin, hal_align_up(first + h->p_memsz, page) - begin);
    }
    return 1;
}

void bench_move_code(void)
{
    static struct hal_prng rng;
    static bool seeded, said;
    size_t bytes;
    void *space;
    int rc = 0;

    if (!seeded)
        hal_prng_seed(&rng, (uint64_t)getpid(), 0);
    seeded = true;
    /* Else the system would give the same pages in turn. */
    bytes = (size_t)hal_prng_below(&rng, SPACE_MAX) + 1;
    space = take(bytes);
    dl_iterate_phdr(move_segments, &rc);
    if (space)
        munmap(space, bytes);
    if (rc && !said)
        fprintf(stderr, "bench: the code cannot be moved: %s\n", strerror(-rc));
    said = said || rc;
}
