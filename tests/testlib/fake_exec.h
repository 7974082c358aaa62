/* SPDX-License-Identifier: Apache-2.0 */
/* An execution environment for tests of code that needs memory, a clock, or a lock that nobody
 * contends for, but no second thread.
 *
 *   memory     malloc, zeroed; every exec_free() is checked against its exec_alloc(), and
 *              exec_allocated bytes are counted; allocations can be made to fail
 *   clock      a number; sleeping sets it, nothing waits
 *   mutexes    must not be locked twice, nor unlocked when they are free
 *   conditions may be signalled; waiting for one without a deadline aborts (nobody could signal it)
 *   threads    can be created and joined, but never run
 *   descriptors   abort
 *   atomics    plain
 *   entropy    the numbers of a seeded stream
 *
 * Everything in struct fake_exec may be read and written by the test between calls. One thread. */
#ifndef SPIPE_TESTS_TESTLIB_FAKE_EXEC_H
#define SPIPE_TESTS_TESTLIB_FAKE_EXEC_H

#include <stdint.h>

#include "hal/exec.h"
#include "hal/support/prng.h"

enum { FAKE_EXEC_NEVER = -1 };

struct fake_exec {
    struct exec exec;     /* hand out &fake.exec */
    uint64_t now;         /* the clock, nanoseconds */
    size_t bytes;         /* allocated and not freed */
    size_t blocks;        /* the same, as number of allocations */
    uint64_t allocations; /* calls of exec_alloc() so far, failed ones included */
    int64_t fail_after;   /* so many more allocations work, all later ones fail; FAKE_EXEC_NEVER */
    struct hal_prng random; /* behind exec_entropy() */
    uint64_t ranks;         /* of mutexes that are locked */
    unsigned threads;       /* created and not joined */
};

/** Sets up an environment: clock 0, no memory taken, nothing fails, entropy from `seed`. There is
 * nothing to end; tests check that fake->blocks is 0 at last. */
void fake_exec_init(struct fake_exec *fake, uint64_t seed);

#endif
