/* SPDX-License-Identifier: Apache-2.0 */
/* The whole bring-up of core, and a little I/O, under both engines: the same trace, cycle for
 * cycle. The pauses of the driver and every latency that is an assumption are divided by 1,000,
 * because the reference engine lives through each cycle. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/superpipe.h"
#include "hal/support/bits.h"
#include "tests/testlib/recording.h"
#include "tests/testlib/stack.h"

#define DIVISOR 1000

/* The execution contract as it is, but for the pauses. */
static struct exec_ops quick;
static int (*sleep_until)(struct exec *, uint64_t);

static int short_sleep(struct exec *e, uint64_t deadline)
{
    uint64_t now = exec_now(e);

    return sleep_until(e, deadline <= now ? deadline : now + (deadline - now) / DIVISOR);
}

static void shorten_pauses(struct exec *e)
{
    quick = *e->ops;
    sleep_until = quick.sleep_until;
    quick.sleep_until = short_sleep;
    e->ops = &quick;
}

static void shorten_latencies(struct sim_params *p)
{
    for (size_t i = 0; i < sim_param_count; i++) {
        const struct sim_param_info *info = &sim_param_table[i];
        char text[SIM_PARAMS_VALUE_BYTES];

        if (info->confidence != 'D' || strcmp(info->unit, "cycles") != 0)
            continue;
        sim_params_format(info, hal_max64(info->min, info->dflt / DIVISOR), text);
        cr_assert_eq(sim_params_set(p, info->name, text, NULL, 0), 0, "%s", info->name);
    }
}

static uint8_t page[4 * STACK_BLOCK] __attribute__((aligned(4096)));

/* Four blocks over the edge of two chunks. */
static void some_io(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 4, true);
    handle = stack_open(&c, 0, 2);
    for (unsigned i = 0; i < 4; i++) {
        memset(page, (int)i + 1, sizeof page);
        cr_assert_eq(stack_io(&c, SPIPE_WRITE, handle, 65533, 4, page), 0);
        memset(page, 0, sizeof page);
        cr_assert_eq(stack_io(&c, SPIPE_READ, handle, 65533, 4, page), 0);
        cr_assert_eq(page[sizeof page - 1], i + 1);
    }
    spipe_client_destroy(c.client);
}

static uint64_t bring_up(bool reference, struct recording *out)
{
    struct stack_setup setup = {.seed = 5,
                                .media = stack_media(4),
                                .reference = reference,
                                .change_params = shorten_latencies,
                                .change_exec = shorten_pauses,
                                .records = out};
    uint64_t hash = stack_run(&setup, some_io, NULL);

    sim_media_close(setup.media);
    return hash;
}

Test(reference_bring_up, same_trace)
{
    struct recording event = {NULL, 0, 0}, reference = {NULL, 0, 0};
    uint64_t hash = bring_up(false, &event);
    size_t at;

    cr_assert_eq(bring_up(true, &reference), hash);
    at = recording_difference(&event, &reference);
    if (at != SIZE_MAX)
        recording_explain(&event, "event", &reference, "reference", at);
    cr_assert_eq(at, SIZE_MAX);
    fprintf(stderr, "%zu records, %" PRIu64 " cycles\n", event.count,
            event.record[event.count - 1].cycle);
    recording_free(&event);
    recording_free(&reference);
}
