/* SPDX-License-Identifier: Apache-2.0 */
/* Eight clients that do everything a client can do, at random, and what they must not do too: the
 * proof that no client can read, write, resize, clone, recover or probe what is not its own.
 *
 * Each client is a thread (a fiber under sim/sched) with a stream of random numbers of its own. It
 * keeps books about what it owns and judges every result by the specification: the errno, sizes to
 * the block, the contents of every block it reads. What depends on others is judged by what they
 * may be doing meanwhile (random_requests_books.h). All the while the checkers of sim/check look.
 *
 *   random_requests.c            a run: adapter, threads, the end
 *   random_requests_worker.*     one thread: random numbers, notes of its last requests, failing
 *   random_requests_books.*      what the clients must know of each other
 *   random_requests_model.*      what one client owns
 *   random_requests_face.*       one call for both faces: the typed API and the binary requests
 *   random_requests_driver.*     I/O of binary clients, which drive the AFU themselves
 *   random_requests_steps.h      the steps that are drawn, in
 *     random_requests_life.c       birth, fork, death, MANAGE_LUN
 *     random_requests_context.c    ATTACH, DETACH, RECOVER, adapter files
 *     random_requests_handle.c     USER_VIRTUAL, USER_DIRECT, VLUN_RESIZE, RELEASE, VERIFY, CLONE
 *     random_requests_name.c       named virtual LUNs
 *     random_requests_io.c         reads and writes
 *     random_requests_misuse.c     what must be refused
 *     random_requests_cousin.c     with clients of other threads
 *     random_requests_recover.c    RECOVER, and what a lost context still does
 *   random_requests_reset.*      who resets the adapter, and how a client finds out */
#ifndef TESTS_SCENARIO_RANDOM_REQUESTS_H
#define TESTS_SCENARIO_RANDOM_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

struct exec;

/** Requests in a configuration where everything takes so many times longer. */
#if defined(__SANITIZE_THREAD__)
#define RANDOM_REQUESTS(n) ((n) / 5)
#elif defined(__SANITIZE_ADDRESS__)
#define RANDOM_REQUESTS(n) ((n) / 2)
#elif defined(__powerpc64__) /* emulated */
#define RANDOM_REQUESTS(n) ((n) / 6)
#else
#define RANDOM_REQUESTS(n) (n)
#endif

#define RANDOM_REQUESTS_SQ UINT64_C(0xC000000000010002) /* interface_version */

/** What is run. */
struct random_requests {
    uint64_t seed;              /* under fibers it replays the run exactly */
    uint64_t requests;          /* of all clients together, I/O included */
    struct exec *threads;       /* NULL: fibers and virtual time */
    bool failing_syncs;         /* some AFU syncs fail, some are lost */
    bool resets;                /* the adapter is reset at random moments */
    uint64_t interface_version; /* 0: the default */
    bool seldom;                /* the checkers look at quiet points only: long runs */
    bool told;                  /* says at the end how often each request ended how */
};

/** Runs it; fails the test at the first thing that is wrong, with the seed and the last requests
 * of the client that saw it. Returns the trace hash. */
uint64_t random_requests_run(const struct random_requests *r);

#endif
