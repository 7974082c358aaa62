/* SPDX-License-Identifier: Apache-2.0 */
/* All clients of a workload: threads, phases, sums. */
#include "tools/workload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "hal/support/bits.h"
#include "sim/sim_control.h"
#include "tools/progress.h"
#include "tools/run_luns.h"
#include "tools/workload_client.h"

/* ---- sums -------------------------------------------------------------------------------------
 */

static void merge(struct workload_result *into, const struct workload_result *from)
{
    for (int d = 0; d < WORKLOAD_DIRECTIONS; d++) {
        into->direction[d].ios += from->direction[d].ios;
        into->direction[d].bytes += from->direction[d].bytes;
        into->direction[d].failed += from->direction[d].failed;
        histogram_merge(&into->direction[d].latency, &from->direction[d].latency);
    }
    into->errors += from->errors;
    into->mismatches += from->mismatches;
    into->verified += from->verified;
    into->unverified += from->unverified;
    into->read_back += from->read_back;
    into->recoveries += from->recoveries;
    into->lost += from->lost;
    for (unsigned i = 0; i < from->status_count; i++)
        workload_count_status(into, &from->status[i], from->status[i].commands);
    if (!*into->first_error)
        memcpy(into->first_error, from->first_error, sizeof into->first_error);
    if (!*into->first_mismatch)
        memcpy(into->first_mismatch, from->first_mismatch, sizeof into->first_mismatch);
}

/* ---- phases -----------------------------------------------------------------------------------
 */

/* Waits until all clients are here; the last one does `last`. */
static void meet(struct workload *w, void (*last)(struct workload *))
{
    struct exec *e = w->session->exec;
    unsigned round;

    exec_mutex_lock(e, &w->lock);
    round = w->round;
    if (++w->waiting == w->client_count) {
        w->waiting = 0;
        w->round++;
        if (last)
            last(w);
        exec_cond_broadcast(e, &w->all_here);
    }
    while (round == w->round)
        if (exec_cond_wait(e, &w->all_here, &w->lock, EXEC_FOREVER, false))
            break;
    exec_mutex_unlock(e, &w->lock);
}

static void start_clock(struct workload *w)
{
    w->start_ns = session_now(w->session);
    w->end_ns = w->start_ns + w->config->duration_ns;
}

static void client_main(void *arg)
{
    struct workload_client *c = arg;
    struct workload *w = c->load;

    c->rc = workload_client_set_up(c);
    if (c->rc) {
        exec_mutex_lock(w->session->exec, &w->lock);
        w->failed = true;
        exec_mutex_unlock(w->session->exec, &w->lock);
    }
    meet(w, start_clock);
    if (!w->failed)
        workload_client_load(c);
    meet(w, NULL);
    if (!w->failed)
        workload_client_read_back(c);
    workload_client_tear_down(c);
}

/* ---- life -------------------------------------------------------------------------------------
 */

/* Tells the blocks of this run from those that an earlier one left in a file. */
static uint64_t run_number(const struct workload_config *config)
{
    uint64_t drawn = 0;

    if (!config->blank && getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
        drawn = progress_wall_ns();
    return config->seed ^ drawn;
}

static void place_clients(struct workload *w)
{
    struct session *s = w->session;

    for (unsigned i = 0; i < w->client_count; i++) {
        struct workload_client *c = &w->clients[i];
        const struct run_luns *luns;

        c->load = w;
        c->number = i;
        c->adapter = i % s->adapters;
        luns = &w->config->luns[c->adapter];
        c->lun = luns->lun[i / s->adapters % luns->count];
        hal_prng_seed(&c->random, w->config->seed, (uint64_t)(i + 1) << 16 | SIM_STREAM_WORKLOAD);
    }
}

static int create(struct workload *w, char *why, size_t size)
{
    struct exec *e = w->session->exec;
    unsigned n = w->config->clients;

    snprintf(why, size, "not enough memory for %u clients", n);
    w->clients = exec_alloc(e, n * sizeof *w->clients, 64);
    if (!w->clients)
        return -ENOMEM;
    w->client_count = n;
    place_clients(w);
    for (unsigned i = 0; i < n; i++) {
        w->clients[i].result = exec_alloc(e, sizeof *w->clients[i].result, 64);
        if (!w->clients[i].result)
            return -ENOMEM;
    }
    exec_mutex_init(e, &w->lock, "workload");
    exec_cond_init(e, &w->all_here, "all clients are here");
    return 0;
}

static void destroy(struct workload *w)
{
    struct exec *e = w->session->exec;

    for (unsigned i = 0; i < w->client_count; i++)
        exec_free(e, w->clients[i].result, sizeof *w->clients[i].result);
    exec_free(e, w->clients, w->client_count * sizeof *w->clients);
}

/* Starts all clients and waits for them. If a thread cannot be had, those that run go home at the
 * first meeting. */
static int run_clients(struct workload *w, char *why, size_t size)
{
    struct exec *e = w->session->exec;
    unsigned started = 0;
    int rc = 0;

    exec_mutex_lock(e, &w->lock); /* nobody passes the first meeting before all are counted */
    while (!rc && started < w->config->clients) {
        char name[24];

        snprintf(name, sizeof name, "client %u", started);
        rc = exec_thread_create(e, name, client_main, &w->clients[started],
                                &w->clients[started].thread);
        started += !rc;
    }
    w->client_count = started;
    w->failed |= rc != 0;
    exec_mutex_unlock(e, &w->lock);
    if (rc)
        snprintf(why, size, "client %u gets no thread (%s): choose fewer --clients", started,
                 strerror(-rc));
    for (unsigned i = 0; i < started; i++)
        exec_thread_join(e, w->clients[i].thread);
    w->client_count = w->config->clients;
    return rc;
}

static int sum_up(struct workload *w, struct workload_result *r, char *why, size_t size)
{
    int rc = 0;

    for (unsigned i = 0; i < w->client_count; i++) {
        struct workload_client *c = &w->clients[i];

        merge(r, c->result);
        if (c->ended_ns > w->start_ns)
            r->load_ns = hal_max64(r->load_ns, c->ended_ns - w->start_ns);
        else if (!w->failed)
            r->load_ns = hal_max64(r->load_ns, w->config->duration_ns);
        if (c->rc && !rc) {
            rc = c->rc;
            snprintf(why, size, "%s", c->why);
        }
    }
    r->total_ns = session_now(w->session) - w->session->bring_up_ns;
    r->interrupted = w->config->stop && *w->config->stop;
    return rc;
}

int workload_run(struct session *s, const struct workload_config *config, struct progress *progress,
                 struct workload_result *result, char *why, size_t size)
{
    struct workload w = {.session = s, .config = config, .progress = progress};
    uint64_t begin = progress_wall_ns();
    int rc, failed;

    w.run = run_number(config);
    for (int d = 0; d < WORKLOAD_DIRECTIONS; d++)
        histogram_init(&result->direction[d].latency);
    rc = create(&w, why, size);
    if (!rc) {
        rc = run_clients(&w, why, size);
        failed = sum_up(&w, result, why, rc ? 0 : size);
        rc = rc ? rc : failed;
        exec_cond_fini(s->exec, &w.all_here);
        exec_mutex_fini(s->exec, &w.lock);
    }
    destroy(&w);
    result->wall_ns = progress_wall_ns() - begin;
    return rc;
}

uint64_t workload_memory(const struct workload_config *config)
{
    unsigned __int128 each = sizeof(struct workload_result) + 65536, blocks = config->bytes / 512;

    each += (unsigned __int128)config->depth * (workload_buffer_bytes(config) + 1024);
    if (config->verify)
        each += blocks * config->handles * sizeof(uint32_t);
    each *= config->clients;
    return each > UINT64_MAX ? UINT64_MAX : (uint64_t)each;
}
