/* SPDX-License-Identifier: Apache-2.0 */
/* How long the requests of one client wait for locks of core while another client resizes, in time
 * of the device. Over fibers no other time passes, so this is what one request has to wait for
 * commands of another one, whatever the machine does. How much holders compute is for
 * //tests/unit/core:locks_test (64 chunks at a time) and the bench (RQ-5.held). */
#include <criterion/criterion.h>

#include "hal/exec.h"
#include "hal/support/bits.h"
#include "sim/sched/sched.h"
#include "sim/sim_media.h"
#include "tests/testlib/stack.h"

TestSuite(lock_wait, .timeout = 120);

#define LIMIT_NS UINT64_C(100000)
#define LUN_CHUNKS 600u
#define CHUNKS 512u /* that the resizer takes and gives back */
#define PIECE 16u
#define ROUNDS 60

/* ---- a watch in front of the mutexes of core ---- */

static const struct exec_ops *inner;
static struct exec_ops watching;
static struct sched *sched;
static uint64_t waited[64]; /* of each fiber, since it began its request */

static void lock_by(void (*lock)(struct exec *, struct exec_mutex *), struct exec *e,
                    struct exec_mutex *m)
{
    uint64_t begin = inner->now(e);

    lock(e, m);
    if (sched) /* bring-up is over */
        waited[sched_self(sched)] += inner->now(e) - begin;
}

static void mutex_lock(struct exec *e, struct exec_mutex *m) { lock_by(inner->mutex_lock, e, m); }

static void mutex_lock_behind(struct exec *e, struct exec_mutex *m)
{
    lock_by(inner->mutex_lock_behind, e, m);
}

static void watch(struct exec *e)
{
    sched = NULL;
    inner = e->ops;
    watching = *inner;
    watching.mutex_lock = mutex_lock;
    watching.mutex_lock_behind = mutex_lock_behind;
    e->ops = &watching;
}

/* ---- the resizer ---- */

struct run {
    struct stack *s;
    struct stack_client resizer;
    uint32_t handle;
    bool stop;
    uint64_t resizes, longest;
};

static void resize(void *arg)
{
    struct run *r = arg;
    uint64_t last;

    while (!r->stop) {
        uint64_t chunks = ++r->resizes % 2 ? CHUNKS : 1;

        cr_assert_eq(spipe_resize(r->resizer.ctx, r->handle, chunks * SPIPE_CHUNK_BLOCKS, &last),
                     0);
    }
}

/* ---- the one that is timed ---- */

static void begin_request(void) { waited[sched_self(sched)] = 0; }

static void end_request(struct run *r)
{
    r->longest = hal_max64(r->longest, waited[sched_self(sched)]);
}

static void four_requests(struct run *r, struct spipe_client *c)
{
    struct spipe_ctx *ctx;
    uint32_t handle;
    uint64_t last;

    begin_request();
    cr_assert_eq(spipe_attach(c, 0, NULL, &ctx), 0);
    end_request(r);
    begin_request();
    cr_assert_eq(spipe_open_virtual(ctx, 0, PIECE * SPIPE_CHUNK_BLOCKS, &handle, &last), 0);
    end_request(r);
    begin_request();
    cr_assert_eq(spipe_release(ctx, handle), 0);
    end_request(r);
    begin_request();
    cr_assert_eq(spipe_detach(ctx, 0), 0);
    end_request(r);
}

static void both(struct stack *s, void *arg)
{
    struct run *r = arg;
    struct exec_thread *thread;
    struct spipe_client *c;

    sched = sim_host_sched(s->host);
    stack_client(s, &r->resizer, 0, 8, false);
    r->handle = stack_open(&r->resizer, 0, 1);
    cr_assert_eq(spipe_client_create(s->adapter, "timed", &c), 0);
    cr_assert_eq(exec_thread_create(s->exec, "resizer", resize, r, &thread), 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        four_requests(r, c);
    r->stop = true;
    exec_thread_join(s->exec, thread);
    spipe_client_destroy(c);
    spipe_client_destroy(r->resizer.client);
}

/* RQ-5. A wait for the master's lock is one AFU sync of the resizer, about 9 us; others are none.
 */
Test(lock_wait, beside_a_resizer)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_media *media = stack_media(LUN_CHUNKS);
        struct run r = {0};

        stack_run(
            &(struct stack_setup){
                .seed = seed, .media = media, .unchecked = true, .change_exec = watch},
            both, &r);
        sim_media_close(media);
        cr_assert_gt(r.resizes, 10);
        cr_assert_gt(r.longest, 0, "nobody ever waited");
        cr_assert_leq(r.longest, LIMIT_NS);
    }
}
