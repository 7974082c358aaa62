/* SPDX-License-Identifier: Apache-2.0 */
/* Link resets, and who listens to the AFU, over threads: what ThreadSanitizer watches. Clients
 * work in bursts with pauses in which the worker begins to listen; meanwhile ports are reset. */
#include <criterion/criterion.h>
#include <string.h>

#include "backends/posix/posix_exec.h"
#include "hal/exec.h"
#include "sim/sim_media.h"
#include "tests/testlib/stack.h"

TestSuite(link_event, .timeout = 120);

#define CHUNK UINT64_C(65536)
#define PAUSE UINT64_C(130000000) /* ns: longer than the worker waits before it listens */

enum { CLIENTS = 2, BURSTS = 4, BURST = 20, RESETS = 3 };

struct client {
    struct stack *s;
    struct stack_client c;
    struct exec_thread *thread;
    uint32_t handle;
    uint8_t buffer[STACK_BLOCK] __attribute__((aligned(128)));
};

/* Until it meets no link that is down. */
static void io(struct client *c, enum spipe_op op, uint64_t lba)
{
    while (stack_io(&c->c, op, c->handle, lba, 1, c->buffer))
        stack_sleep(c->s, 1000000);
}

static void burst(struct client *c, unsigned number)
{
    for (unsigned i = 0; i < BURST; i++) {
        uint8_t value = (uint8_t)(number * BURST + i);
        uint64_t last;

        cr_assert_eq(spipe_resize(c->c.ctx, c->handle, (1 + i % 2) * CHUNK, &last), 0);
        memset(c->buffer, value, sizeof c->buffer);
        io(c, SPIPE_WRITE, i);
        memset(c->buffer, 0, sizeof c->buffer);
        io(c, SPIPE_READ, i);
        cr_assert_eq(c->buffer[0], value);
        cr_assert_eq(c->buffer[STACK_BLOCK - 1], value);
    }
}

static void work(void *arg)
{
    struct client *c = arg;

    for (unsigned i = 0; i < BURSTS; i++) {
        burst(c, i);
        stack_sleep(c->s, PAUSE);
    }
}

static void reset_ports(struct stack *s, void *arg)
{
    static struct client clients[CLIENTS];
    struct spipe_port_info info;

    (void)arg;
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].s = s;
        stack_client(s, &clients[i].c, i % 2, 8, false);
        clients[i].handle = stack_open(&clients[i].c, i % 2, 1);
        cr_assert_eq(exec_thread_create(s->exec, "client", work, &clients[i], &clients[i].thread),
                     0);
    }
    for (unsigned i = 0; i < RESETS; i++) {
        stack_sleep(s, PAUSE);
        cr_assert_eq(spipe_port_reset(s->adapter, i % 2), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        exec_thread_join(s->exec, clients[i].thread);
    stack_sleep(s, 2 * PAUSE);
    cr_assert_eq(spipe_port_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.resets, 2);
    cr_assert_gt(info.events[SPIPE_PORT_LOGIN], 0);
    for (unsigned i = 0; i < CLIENTS; i++)
        spipe_client_destroy(clients[i].c.client);
}

Test(link_event, over_threads)
{
    struct sim_media *media = stack_media(8);
    struct exec *threads;

    cr_assert_eq(posix_exec_create(&threads), 0);
    stack_run(&(struct stack_setup){.seed = 1, .media = media, .threads = threads}, reset_ports,
              NULL);
    posix_exec_destroy(threads);
    sim_media_close(media);
}
