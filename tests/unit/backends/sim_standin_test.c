/* SPDX-License-Identifier: Apache-2.0 */
/* A host as the world of the stand-in for libcxl: who watches is told exactly what can be read. */
#include "backends/sim/sim_standin.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/conformance/hal_conformance_client.h"
#include "tests/conformance/hal_conformance_sim.h"

#define MS UINT64_C(1000000)

static struct conf_sim sim;
static struct cxl_standin_world world;

static void up(void)
{
    struct sim_host_config config = {.seed = 1, .adapters = 2};

    conf_sim_up(&sim, &config);
    sim_standin_world(sim.host, &world);
}

static void down(void) { conf_sim_down(&sim); }

TestSuite(sim_standin, .init = up, .fini = down, .timeout = 30);

static void run(void (*body)(void *)) { conf_sim_run(&sim, body, NULL); }

static void count(void *arg) { ++*(unsigned *)arg; }

static void pass(uint64_t ns)
{
    cr_assert_eq(exec_sleep_until(sim.env.exec, exec_now(sim.env.exec) + ns), 0);
}

Test(sim_standin, what_the_world_is)
{
    cr_assert_eq(world.size, sizeof world);
    cr_assert_eq(world.adapters, 2);
    cr_assert(world.device[0] == sim_host_device(sim.host, 0));
    cr_assert(world.device[1] == sim_host_device(sim.host, 1));
    cr_assert_eq(world.exec, sim.env.exec);
    cr_assert_eq(world.process_elements, 512); /* */
    cr_assert(world.irqs_min == 3 && world.irqs_max == 2037);
}

/* A doorbell with an address that is not there: interrupt and data storage event (CX-122). */
static void provoke(struct hal_ctx *ctx)
{
    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 0x20000);
    hal_reg_write64(ctx, AFU_HOST_RRQ_END, 0x20000 + 8 * 63);
    hal_reg_write64(ctx, AFU_HOST_CTX_CTRL, 1);
    hal_reg_write64(ctx, AFU_HOST_INTR_MASK, 0);
    hal_reg_write64(ctx, AFU_HOST_IOARRIN, 0x1000);
}

static void events(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, 4);
    struct hal_ctx *other = conf_context(&sim.env, HAL_CTX_USER, 4);
    unsigned told = 0, others = 0;
    struct hal_event ev;

    (void)arg;
    world.watch_context(ctx, count, &told);
    world.watch_context(other, count, &others);
    pass(MS);
    cr_assert_eq(told, 0);
    cr_assert_not(world.event_pending(ctx));
    provoke(ctx);
    pass(MS);
    cr_assert_gt(told, 0);
    cr_assert(world.event_pending(ctx));
    cr_assert(others == 0 && !world.event_pending(other));
    while (world.event_pending(ctx))
        cr_assert_eq(hal_event_wait(ctx, 0, &ev), 0);
    world.watch_context(ctx, NULL, NULL);
    told = 0;
    provoke(ctx);
    pass(MS);
    cr_assert_eq(told, 0, "nobody watches any more");
    cr_assert(world.event_pending(ctx));
    hal_ctx_release(ctx);
    hal_ctx_release(other); /* ends its watch */
}

Test(sim_standin, events_are_told) { run(events); }

static void losses(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, 4), *idle;
    unsigned told = 0, unstarted = 0, platform = 0, second = 0;
    enum hal_platform_event event;

    (void)arg;
    cr_assert_eq(hal_ctx_create(sim.env.dev, HAL_CTX_USER, &idle), 0);
    world.watch_context(ctx, count, &told);
    world.watch_context(idle, count, &unstarted);
    world.watch_platform(world.device[0], count, &platform);
    world.watch_platform(world.device[1], count, &second);
    sim_afu_platform(sim_host_afu(sim.host, 0), SIM_EFFECT_FREEZE, 0);
    pass(MS / 2);
    cr_assert(told == 0 && platform == 0, "the platform needs a millisecond to find out");
    cr_assert_not(world.event_pending(ctx), "a loss is no event");
    pass(MS);
    cr_assert(told == 1 && platform == 1);
    cr_assert(unstarted == 0 && second == 0);
    cr_assert_eq(hal_platform_wait(world.device[0], 0, &event), 0);
    cr_assert_eq(event, HAL_PLATFORM_FROZEN);
    hal_platform_answer(world.device[0], HAL_PLATFORM_DISCONNECT);
    world.watch_platform(world.device[0], NULL, NULL);
    world.watch_platform(world.device[1], NULL, NULL);
    pass(2 * MS);
    cr_assert_eq(platform, 1);
    hal_ctx_release(ctx);
    hal_ctx_release(idle);
}

Test(sim_standin, losses_are_told_when_the_platform_tells) { run(losses); }

/* A fiber that waits for a descriptor is woken in the very cycle. */
static void wake(void *fd) { cr_assert_eq(eventfd_write(*(int *)fd, 1), 0); }

static void descriptor(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, 4);
    int fd = eventfd(0, EFD_CLOEXEC);
    uint64_t begin;

    (void)arg;
    cr_assert(fd >= 0);
    world.watch_context(ctx, wake, &fd);
    provoke(ctx);
    begin = exec_now(sim.env.exec);
    cr_assert_eq(exec_fd_wait(sim.env.exec, fd, EXEC_FOREVER), 0);
    cr_assert_lt(exec_now(sim.env.exec) - begin, 20000, "%lu ns",
                 (unsigned long)(exec_now(sim.env.exec) - begin));
    hal_ctx_release(ctx);
    close(fd);
}

Test(sim_standin, a_descriptor_stops_the_engine) { run(descriptor); }
