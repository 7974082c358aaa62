/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/scsi_load.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "hal/exec.h"
#include "hal/support/bits.h"
#include "hal/support/endian.h"
#include "hal/support/prng.h"
#include "sim/sim_media.h"
#include "tests/testlib/stack.h"

enum { SENDERS_MAX = 256, BLOCKS = 4, LUN = 1, RETRIES_MAX = 10000, PAUSE_MAX = 10000 };

#define MICROSECOND UINT64_C(1000)

/* Nobody else touches the blocks of a sender. A write that did not end well may have been carried
 * out or not. */
struct sender {
    struct stack *s;
    const struct scsi_load *load;
    unsigned number;
    struct hal_prng rng;
    uint32_t stamp[BLOCKS], maybe[BLOCKS], stamps;
    struct scsi_load_counts counts;
    struct exec_thread *thread;
    uint32_t *page;
    uint64_t pause; /* before the host is asked again, us */
};

static struct sender senders[SENDERS_MAX];
static uint64_t running; /* senders that have not ended */

/* ---- one command, until it ends well ---- */

static struct spipe_scsi command(struct sender *w, bool write, unsigned block)
{
    struct spipe_scsi c = {.size = sizeof c,
                           .lun = LUN,
                           .port = w->number % 2,
                           .write = write,
                           .data = w->page,
                           .length = STACK_BLOCK,
                           .queue = w->number,
                           .cpu = w->number};

    c.cdb[0] = write ? 0x8A : 0x88;
    hal_be64_put(c.cdb + 2, w->number * BLOCKS + block);
    hal_be32_put(c.cdb + 10, 1);
    return c;
}

/* Whether it has ended well. Everything else is one of few things. */
static bool judge(struct sender *w, int rc, const struct spipe_scsi *c)
{
    struct scsi_load_counts *n = &w->counts;

    if (rc == -EBUSY) {
        n->busy++;
        stack_sleep(w->s, w->pause * MICROSECOND);
        w->pause = w->pause < PAUSE_MAX ? 2 * w->pause : w->pause;
    } else if (rc) {
        cr_assert(w->load->trouble, "%d without any trouble", rc);
        cr_assert(rc == -ETIMEDOUT, "%d", rc);
        n->timeouts++;
        stack_sleep(w->s, 100 * MICROSECOND);
    } else if (c->result == 0x000C0000) {
        n->retry++;
    } else if (c->result == 0x00070000) {
        cr_assert(w->load->trouble && c->fc_rc == 0x5C, "afu %#x fc %#x", c->afu_rc, c->fc_rc);
        n->error++;
    } else if (c->result == 2) {
        cr_assert(c->sense_valid && (c->sense[2] & 0xF) == 6 && c->sense[12] == 0x29,
                  "sense %u/%02x", c->sense[2], c->sense[12]);
        n->attention++;
    } else {
        cr_assert_eq(c->result, 0);
        n->good++;
        return true;
    }
    return false;
}

static void carry_out(struct sender *w, bool write, unsigned block)
{
    w->pause = 20;
    for (unsigned i = 0; i < RETRIES_MAX; i++) {
        struct spipe_scsi c = command(w, write, block);
        uint64_t begin = exec_now(w->s->exec);
        int rc = spipe_scsi(w->s->adapter, &c);

        w->counts.longest = hal_max64(w->counts.longest, exec_now(w->s->exec) - begin);
        if (judge(w, rc, &c))
            return;
    }
    cr_assert_fail("a command never ends well");
}

/* ---- senders ---- */

static void write_block(struct sender *w, unsigned block)
{
    w->maybe[block] = ++w->stamps;
    for (unsigned i = 0; i < STACK_BLOCK / 4; i++)
        w->page[i] = w->maybe[block];
    carry_out(w, true, block);
    w->stamp[block] = w->maybe[block];
}

static void read_block(struct sender *w, unsigned block)
{
    memset(w->page, 0xEE, STACK_BLOCK);
    carry_out(w, false, block);
    cr_assert_eq(w->page[0], w->stamp[block], "block %u of sender %u holds %u, not %u", block,
                 w->number, w->page[0], w->stamp[block]);
    for (unsigned i = 1; i < STACK_BLOCK / 4; i++)
        cr_assert_eq(w->page[i], w->page[0]);
}

static void sender_thread(void *arg)
{
    struct sender *w = arg;

    for (unsigned i = 0; i < w->load->commands; i++) {
        unsigned block = hal_prng_below(&w->rng, BLOCKS);

        if (hal_prng_below(&w->rng, 2))
            write_block(w, block);
        else
            read_block(w, block);
    }
    for (unsigned block = 0; block < BLOCKS; block++)
        read_block(w, block);
    __atomic_sub_fetch(&running, 1, __ATOMIC_RELEASE);
}

/* ---- trouble ---- */

/* A command that is given up before it can be answered: the abort takes its neighbours along. */
static void abort_one(struct stack *s, struct sender *w)
{
    struct spipe_scsi c = command(w, false, 0);
    int rc;

    c.timeout_ns = 1;
    rc = spipe_scsi(s->adapter, &c);
    cr_assert(rc == 0 || rc == -ETIMEDOUT || rc == -EBUSY, "%d", rc);
}

static void reset_lun(struct stack *s)
{
    struct spipe_scsi to = {.size = sizeof to, .lun = LUN, .port = 0};
    int rc = spipe_scsi_reset_lun(s->adapter, &to);

    cr_assert(rc == 0 || rc == -EAGAIN || rc == -EBUSY || rc == -ENOBUFS, "%d", rc);
}

static void make_trouble(struct stack *s, const struct scsi_load *load)
{
    static uint32_t page[STACK_BLOCK / 4];
    struct sender w = {.s = s, .load = load, .number = 0, .page = page};

    for (unsigned i = 0; i < load->trouble; i++) {
        stack_sleep(s, 300 * MICROSECOND);
        if (i % 3 == 0)
            abort_one(s, &w);
        else if (i % 3 == 1)
            reset_lun(s);
        else if (i % 2)
            cr_assert_eq(spipe_reset(s->adapter), 0);
        else
            cr_assert_eq(spipe_hwqs_set(s->adapter, load->hwqs), 0);
    }
}

/* Internal commands beside them: AFU syncs of resizes. A reset takes the context away. */
static void resize_for_a_while(struct stack *s)
{
    struct stack_client c;
    uint32_t handle;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
        uint64_t last;
        int rc = spipe_resize(c.ctx, handle, exec_now(s->exec) % 3 * 65536, &last);

        cr_assert(rc == 0 || rc == -EAGAIN || rc == -EINVAL, "%d", rc);
        stack_sleep(s, 200 * MICROSECOND);
    }
    spipe_client_destroy(c.client);
}

/* ---- the whole ---- */

static void start(struct stack *s, const struct scsi_load *load)
{
    running = load->senders;
    for (unsigned i = 0; i < load->senders; i++) {
        struct sender *w = &senders[i];

        *w = (struct sender){.s = s, .load = load, .number = i};
        hal_prng_seed(&w->rng, load->seed, i);
        w->page = exec_alloc(s->exec, STACK_BLOCK, 128);
        cr_assert_not_null(w->page);
        cr_assert_eq(exec_thread_create(s->exec, "sender", sender_thread, w, &w->thread), 0);
    }
}

static void add(struct scsi_load_counts *sum, const struct scsi_load_counts *n)
{
    sum->good += n->good;
    sum->retry += n->retry;
    sum->error += n->error;
    sum->attention += n->attention;
    sum->busy += n->busy;
    sum->timeouts += n->timeouts;
    sum->longest = hal_max64(sum->longest, n->longest);
}

static void join(struct stack *s, const struct scsi_load *load, struct scsi_load_counts *sum)
{
    for (unsigned i = 0; i < load->senders; i++) {
        exec_thread_join(s->exec, senders[i].thread);
        exec_free(s->exec, senders[i].page, STACK_BLOCK);
        add(sum, &senders[i].counts);
    }
}

/* Nothing is in flight, and no pair was lost on the way but those of a task management function. */
static void expect_nothing_left(struct stack *s, struct scsi_load_counts *sum)
{
    cr_assert_eq(s->adapter->host.in_flight, 0);
    for (unsigned i = 0; i < SPIPE__HWQS_MAX; i++) {
        const struct spipe__hwq *h = &s->adapter->hwq[i];

        cr_assert_null(h->sleepers);
        sum->per_queue[i] = h->counters.commands;
        sum->polls += h->counters.polls;
        if (h->online) {
            cr_assert_eq(spipe__queue_in_use(&h->queue), 0);
            cr_assert_eq(h->queue.counters.stray_elements, 0);
        }
    }
}

struct run {
    const struct scsi_load *load;
    struct scsi_load_counts *counts;
};

static void body(struct stack *s, void *arg)
{
    const struct run *run = arg;
    const struct scsi_load *load = run->load;

    cr_assert_eq(spipe_hwqs_set(s->adapter, load->hwqs), 0);
    if (load->poll_weight)
        cr_assert_eq(spipe_irqpoll_weight_set(s->adapter, load->poll_weight), 0);
    start(s, load);
    make_trouble(s, load);
    resize_for_a_while(s);
    join(s, load, run->counts);
    expect_nothing_left(s, run->counts);
}

void scsi_load_run(const struct scsi_load *load, struct scsi_load_counts *out)
{
    struct sim_media *media = stack_media(8);
    struct run run = {load, out};

    cr_assert_leq(load->senders, SENDERS_MAX);
    memset(out, 0, sizeof *out);
    stack_run(&(struct stack_setup){.seed = load->seed,
                                    .media = media,
                                    .threads = load->threads,
                                    .interface_version = load->interface_version},
              body, &run);
    sim_media_close(media);
}
