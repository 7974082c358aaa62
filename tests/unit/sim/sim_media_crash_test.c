/* SPDX-License-Identifier: Apache-2.0 */
/* Media files and the end of the world: writes cut after every byte, processes killed at every
 * point, disks that are full. What was acknowledged is there; what was not is old or new. */
#include "tests/unit/sim/sim_media_fixture.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "hal/support/prng.h"

#define PIECE 2048 /* blocks of 512 */

static const struct sim_media_lun big_lun = {
    .blocks = UINT64_C(1) << 37, .block_size = 512, .wwid = {0x60}};
static const struct sim_media_opts making = {
    .luns = &big_lun, .n_luns = 1, .create_if_missing = true, .arena_bytes = 64 << 20};

static struct place place;
static char why[SIM_MEDIA_WHY_BYTES];

static void setup(void) { place_make(&place); }
static void teardown(void) { place_remove(&place); }

TestSuite(sim_media_crash, .init = setup, .fini = teardown);

/* Opens over an io that dies, or NULL: one that does not. */
static struct sim_media *open_with(struct mortal *x)
{
    static struct mortal immortal = {.budget = UINT64_MAX, .calls = UINT64_MAX};
    struct sim_media *m = NULL;
    int error = sim_media_open_with(place.path, &making, &mortal_io, x ? x : &immortal, &m, why,
                                    sizeof why);

    cr_assert_eq(error, 0, "%d: %s", error, why);
    return m;
}

/* ---- cut after every byte ---- */

/* The first write to a piece: data, record, now and then a grown file with its header. */
Test(sim_media_crash, a_write_cut_after_every_byte_is_old_or_new)
{
    bool done = false;
    unsigned n;

    sim_media_close(open_with(NULL));
    for (n = 0; !done; n++) {
        struct mortal x = {.budget = n, .calls = UINT64_MAX};
        struct sim_media *m = open_with(&x);
        done = !try_put(m, 0, (uint64_t)n * PIECE, 1, 0x21);
        sim_media_close(m);
        m = open_with(NULL);
        cr_assert(holds(m, 0, (uint64_t)n * PIECE, 1, 0) ||
                      (holds(m, 0, (uint64_t)n * PIECE, 1, 0x21)),
                  "cut after %u", n);
        if (done)
            cr_assert(holds(m, 0, (uint64_t)n * PIECE, 1, 0x21), "acknowledged");
        cr_assert(holds(m, 0, (uint64_t)n * PIECE + 1, 8, 0));
        put(m, 0, (uint64_t)n * PIECE + 7, 1, 0x22); /* acknowledged */
        for (unsigned i = n > 20 ? n - 20 : 0; i <= n; i++)
            cr_assert(holds(m, 0, (uint64_t)i * PIECE + 7, 1, 0x22), "%u lost after %u", i, n);
        sim_media_close(m);
    }
    cr_assert(n > 512 + 32, "%u prefixes", n);
}

Test(sim_media_crash, an_unmap_cut_after_every_byte_is_old_or_new)
{
    bool done = false;
    unsigned n;

    for (n = 0; !done; n++) {
        struct mortal x = {.budget = UINT64_MAX, .calls = UINT64_MAX};
        struct sim_media *m = open_with(&x);
        put(m, 0, (uint64_t)n * PIECE, PIECE, 0x31);
        x.budget = n;
        done = !sim_media_unmap(m, 0, (uint64_t)n * PIECE, PIECE);
        sim_media_close(m);
        m = open_with(NULL);
        if (!holds(m, 0, (uint64_t)n * PIECE, PIECE, 0))
            cr_assert(!done && holds(m, 0, (uint64_t)n * PIECE, PIECE, 0x31), "cut after %u", n);
        sim_media_close(m);
    }
    cr_assert_eq(n, 33);
}

static const struct sim_media_lun extra_lun = {
    .blocks = 300, .block_size = 4096, .wwid = {0x60}, .port_mask = 1};

/* Puts media of one LUN into the state that a test begins with: with an extra LUN or without. */
static void want_extra(bool wanted)
{
    struct sim_media *m = open_with(NULL);
    unsigned lun = 1;

    if (wanted && !sim_media_lun(m, 1))
        cr_assert_eq(sim_media_add_lun(m, &extra_lun, &lun), 0);
    if (!wanted && sim_media_lun(m, 1))
        cr_assert_eq(sim_media_remove_lun(m, 1), 0);
    if (wanted)
        put(m, lun, 0, 300, 0x33);
    sim_media_close(m);
}

Test(sim_media_crash, an_added_lun_cut_after_every_byte_is_there_or_not)
{
    bool done = false;
    unsigned n, lun = 0;

    for (n = 0; !done; n++) {
        struct mortal x = {.budget = n, .calls = UINT64_MAX};
        struct sim_media *m;

        want_extra(false);
        m = open_with(&x);
        done = !sim_media_add_lun(m, &extra_lun, &lun);
        cr_assert_eq(sim_media_lun(m, 1) != NULL, done);
        sim_media_close(m);
        m = open_with(NULL);
        cr_assert(sim_media_lun(m, 0), "another LUN went");
        cr_assert(sim_media_lun(m, 1) || !done, "cut after %u", n);
        cr_assert(!sim_media_lun(m, 1) || holds(m, 1, 0, 300, 0));
        sim_media_close(m);
    }
    cr_assert_eq(n, 64 + 2 * 64 + 1); /* the header of two LUNs */
}

/* A LUN that is still there may have lost what was to go with it; one that went is gone. */
Test(sim_media_crash, a_removed_lun_cut_after_every_byte_is_there_or_not)
{
    bool done = false;

    for (unsigned n = 0; !done; n++) {
        struct mortal x = {.budget = n, .calls = UINT64_MAX};
        struct sim_media *m;

        want_extra(true);
        m = open_with(&x);
        done = !sim_media_remove_lun(m, 1);
        sim_media_close(m);
        m = open_with(NULL);
        cr_assert(sim_media_lun(m, 0), "another LUN went");
        cr_assert(!done || !sim_media_lun(m, 1), "cut after %u", n);
        sim_media_close(m);
    }
}

Test(sim_media_crash, a_header_cut_after_every_byte_is_old_or_new)
{
    uint64_t size = big_lun.blocks;
    bool done = false;
    unsigned n;

    sim_media_close(open_with(NULL));
    for (n = 0; !done; n++) {
        struct mortal x = {.budget = n, .calls = UINT64_MAX};
        struct sim_media *m = open_with(&x);
        uint64_t wanted = 1000 + n;
        done = !sim_media_set_size(m, 0, wanted);
        cr_assert_eq(sim_media_lun(m, 0)->blocks, done ? wanted : size);
        sim_media_close(m);
        m = open_with(NULL);
        cr_assert(sim_media_lun(m, 0)->blocks == wanted ||
                      (!done && sim_media_lun(m, 0)->blocks == size),
                  "cut after %u", n);
        size = sim_media_lun(m, 0)->blocks;
        sim_media_close(m);
    }
    cr_assert_eq(n, 129);
}

Test(sim_media_crash, a_file_being_made_appears_whole_or_not_at_all)
{
    bool done = false;

    for (unsigned n = 0; !done; n++) {
        struct mortal x = {.budget = n, .calls = UINT64_MAX};
        struct sim_media *m = NULL;
        done = !sim_media_open_with(place.path, &making, &mortal_io, &x, &m, why, sizeof why);
        if (!done)
            cr_assert_eq(place_files(&place, false), 0, "cut after %u", n);
        sim_media_close(m);
    }
    sim_media_close(open_with(NULL));
    cr_assert_eq(place_files(&place, false), 1);
}

/* ---- killed ---- */

#define SPAN 12 /* pieces used */

/* What the child tells, in memory that outlives it: block i should hold the byte acknowledged[i],
 * or begun[i] if that differs. */
struct told {
    uint8_t acknowledged[SPAN * 4], begun[SPAN * 4];
    uint64_t steps;
};

static uint64_t block_of(unsigned i) { return (uint64_t)(i / 4) * PIECE * 1001 + i % 4 * 511; }

static void change_block(struct sim_media *m, struct told *told, struct hal_prng *random)
{
    unsigned i = (unsigned)hal_prng_below(random, SPAN * 4);

    told->begun[i] = (uint8_t)(1 + hal_prng_below(random, 255));
    if (try_put(m, 0, block_of(i), 1, told->begun[i]))
        _exit(3);
    told->acknowledged[i] = told->begun[i];
}

static void unmap_piece(struct sim_media *m, struct told *told, struct hal_prng *random)
{
    unsigned first = (unsigned)hal_prng_below(random, SPAN) * 4;

    memset(told->begun + first, 0, 4);
    if (sim_media_unmap(m, 0, block_of(first), PIECE))
        _exit(4);
    memset(told->acknowledged + first, 0, 4);
}

/* Changes media until the io kills the process. Never asserts. */
static void child(struct told *told, struct hal_prng *random, uint64_t calls, uint64_t bytes)
{
    struct mortal x = {.budget = bytes, .calls = calls, .kill = true};
    struct sim_media *m = NULL;

    if (sim_media_open_with(place.path, &making, &mortal_io, &x, &m, NULL, 0))
        _exit(2);
    for (;; told->steps++) {
        uint64_t what = hal_prng_below(random, 16);
        if (what < 12)
            change_block(m, told, random);
        else if (what < 15)
            unmap_piece(m, told, random);
        else if (sim_media_sync(m))
            _exit(5);
    }
}

/* Whether a block begins with new bytes and goes on with old ones, as a write cut short leaves it.
 */
static bool holds_mix(struct sim_media *m, uint64_t lba, uint8_t new_byte, uint8_t old_byte)
{
    uint8_t block[512];
    struct buffer b = {.data = block, .size = sizeof block};
    size_t i = 0;

    cr_assert_eq(sim_media_read(m, 0, lba, 1, to_buffer, &b), 0);
    while (i < sizeof block && block[i] == new_byte)
        i++;
    while (i < sizeof block && block[i] == old_byte)
        i++;
    return i == sizeof block;
}

/* The block under way may be old, new or cut; all others are as acknowledged. What it is now, it
 * must be from now on. */
static void check_told(struct sim_media *m, struct told *told, unsigned round)
{
    for (unsigned i = 0; i < SPAN * 4; i++) {
        cr_assert(holds_mix(m, block_of(i), told->begun[i], told->acknowledged[i]),
                  "round %u: block %u is neither old nor new", round, i);
        cr_assert(holds(m, 0, block_of(i) + 1, 100, 0), "round %u: foreign data", round);
        if (told->begun[i] == told->acknowledged[i])
            continue;
        if (told->begun[i])
            put(m, 0, block_of(i), 1, told->begun[i]);
        else if (holds(m, 0, block_of(i), 1, told->acknowledged[i]))
            told->begun[i] = told->acknowledged[i];
        told->acknowledged[i] = told->begun[i];
    }
}

Test(sim_media_crash, acknowledged_writes_survive_kill_9)
{
    struct told *told =
        mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct hal_prng random;

    cr_assert(told != MAP_FAILED);
    cr_log_info("seed 21");
    hal_prng_seed(&random, 21, 0);
    sim_media_close(open_with(NULL));
    for (unsigned round = 0; round < 150; round++) {
        uint64_t calls = hal_prng_below(&random, 400);
        uint64_t bytes = round % 2 ? hal_prng_below(&random, 60000) : UINT64_MAX;
        struct sim_media *m;
        int status;
        pid_t pid = fork();
        if (!pid)
            child(told, &random, calls, bytes);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "round %u: %x", round,
                  (unsigned)status);
        (void)hal_prng_next(&random);
        m = open_with(NULL);
        check_told(m, told, round);
        sim_media_close(m);
    }
    cr_assert(told->steps > 2000, "%llu steps", (unsigned long long)told->steps);
    munmap(told, sizeof *told);
}

/* ---- full disks ---- */

Test(sim_media_crash, a_file_at_its_size_limit_is_a_full_disk)
{
    struct rlimit limit, before;
    struct sim_media *m = open_with(NULL);
    unsigned n = 0;

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 21 << 20; /* 16 slots, then single ones up to 20 */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    while (n < 100 && try_put(m, 0, (uint64_t)n * PIECE, 1, 0x41) == 0)
        n++;
    cr_assert_eq(n, 20);
    cr_assert_eq(try_put(m, 0, 99 * PIECE, 1, 0x42), -ENOSPC);
    put(m, 0, 1, 1, 0x43); /* where there is space already */
    cr_assert_eq(sim_media_write_same(m, 0, 98 * PIECE, 1, (const uint8_t[512]){1}), -ENOSPC);
    cr_assert_eq(sim_media_unmap(m, 0, 3 * PIECE, PIECE), 0);
    put(m, 0, 99 * PIECE, 1, 0x44); /* into the space given back */
    cr_assert(holds(m, 0, 99 * PIECE + 1, PIECE - 1, 0));
    cr_assert_eq(try_put(m, 0, 97 * PIECE, 1, 0x42), -ENOSPC);
    sim_media_close(m);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    m = open_with(NULL);
    for (unsigned i = 0; i < n; i++)
        cr_assert(holds(m, 0, (uint64_t)i * PIECE, 1, i == 3 ? 0 : 0x41));
    cr_assert(holds(m, 0, 1, 1, 0x43) && holds(m, 0, 99 * PIECE, 1, 0x44));
    cr_assert(holds(m, 0, 97 * PIECE, 1, 0) && holds(m, 0, 98 * PIECE, 1, 0));
    put(m, 0, 97 * PIECE, 1, 0x45);
    sim_media_close(m);
}

Test(sim_media_crash, a_limit_below_the_smallest_file)
{
    struct rlimit limit, before;
    struct sim_media *m = NULL;

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 1000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq(sim_media_open(place.path, &making, &m, why, sizeof why), -ENOSPC);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_assert(strstr(why, "free some space"), "%s", why);
    cr_assert_eq(place_files(&place, false), 0);
}

Test(sim_media_crash, no_space_comes_before_the_data)
{
    struct mortal x = {.budget = UINT64_MAX, .calls = UINT64_MAX};
    struct sim_media *m = open_with(&x);

    put(m, 0, 0, PIECE, 0x51);
    put(m, 0, PIECE, 1, 0x52);
    x.no_space = true; /* from now on nothing can be reserved */
    cr_assert_eq(try_put(m, 0, 5 * PIECE, 3, 0x53), -ENOSPC);
    cr_assert(holds(m, 0, 5 * PIECE, 3, 0) && !sim_media_mapped(m, 0, 5 * PIECE));
    put(m, 0, 1, 1, 0x54); /* reserved before */
    cr_assert_eq(sim_media_unmap(m, 0, PIECE, PIECE), 0);
    put(m, 0, 5 * PIECE, 3, 0x53); /* the slot given back is cleared, which makes room */
    sim_media_close(m);
    m = open_with(NULL);
    cr_assert(holds(m, 0, 0, 1, 0x51) && holds(m, 0, 1, 1, 0x54) && holds(m, 0, PIECE, 1, 0));
    cr_assert(holds(m, 0, 5 * PIECE, 3, 0x53));
    sim_media_close(m);
}

Test(sim_media_crash, a_dead_disk_is_an_error_everywhere)
{
    struct mortal x = {.budget = UINT64_MAX, .calls = UINT64_MAX};
    struct sim_media *m = open_with(&x);
    uint8_t block[512];
    struct buffer b = {.data = block, .size = sizeof block};

    put(m, 0, 0, 1, 1);
    x.calls = 0;
    cr_assert_eq(try_put(m, 0, 0, 1, 2), -EIO);
    cr_assert_eq(try_put(m, 0, PIECE, 1, 2), -EIO);
    cr_assert_eq(sim_media_read(m, 0, 0, 1, to_buffer, &b), -EIO);
    cr_assert_eq(sim_media_sync(m), -EIO);
    cr_assert_eq(sim_media_unmap(m, 0, 0, PIECE), -EIO);
    cr_assert(sim_media_mapped(m, 0, 0));
    cr_assert_eq(sim_media_set_size(m, 0, 5), -EIO);
    cr_assert_eq(sim_media_lun(m, 0)->blocks, big_lun.blocks);
    cr_assert_eq(sim_media_store_write(m, 0, block, 1), -EIO);
    sim_media_close(m);
}

/* The disk says that a record failed although it is there: it may not come back to life later. */
Test(sim_media_crash, a_failed_write_stays_failed)
{
    struct mortal x = {.budget = UINT64_MAX, .calls = UINT64_MAX};
    struct sim_media *m = open_with(&x);

    put(m, 0, 0, 1, 0x61);
    x.deny_record = true;
    cr_assert_eq(try_put(m, 0, PIECE, 1, 0x62), -EIO);
    cr_assert(holds(m, 0, PIECE, 1, 0));
    put(m, 0, PIECE, 1, 0x63);
    cr_assert_eq(sim_media_sync(m), 0);
    cr_assert_eq(sim_media_unmap(m, 0, PIECE, PIECE), 0);
    sim_media_close(m);
    m = open_with(NULL);
    cr_assert(holds(m, 0, 0, 1, 0x61) && holds(m, 0, PIECE, 1, 0));
    cr_assert(!sim_media_mapped(m, 0, PIECE));
    sim_media_close(m);
}
