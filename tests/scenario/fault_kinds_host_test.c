/* SPDX-License-Identifier: Apache-2.0 */
/* Fault kinds of the host: no memory, threads, contexts or interrupts, signals (FK-40 to FK-42),
 * and registers that read as all ones once (FK-36). */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/cxlflash_ioctl.h"
#include "sim/sim_media.h"
#include "tests/scenario/fault_sweep.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(fault_kinds_host, .timeout = 280);

Test(fault_kinds_host, memory)
{
    fault_sweep_expect(
        &(struct fault_sweep){
            .name = "FK-40: memory", .site = "mem", .effect = "refuse", .errors = {-ENOMEM}},
        20);
}

/* Recovery and tear-down ask for none. */
Test(fault_kinds_host, memory_of_recovery)
{
    static const char *const verbs[] = {"reset",        "reset port",    "recover parent",
                                        "detach LUN",   "destroy child", "destroy client",
                                        "close adapter"};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        struct fault_sweep_result r = fault_sweep(&(struct fault_sweep){.name = "FK-40: recovery",
                                                                        .site = "mem",
                                                                        .effect = "refuse",
                                                                        .errors = {-ENOMEM},
                                                                        .only = verbs[i]});

        cr_assert(r.verbs == 1 && r.runs == 0, "%s", verbs[i]);
    }
}

Test(fault_kinds_host, memory_for_the_afu)
{
    fault_sweep_expect(&(struct fault_sweep){.name = "FK-40: memory that the AFU may reach",
                                             .site = "dma",
                                             .effect = "refuse",
                                             .errors = {-ENOMEM},
                                             .must_fail = true},
                       5);
}

Test(fault_kinds_host, threads)
{
    fault_sweep_expect(&(struct fault_sweep){.name = "FK-41: threads",
                                             .site = "thr",
                                             .effect = "refuse",
                                             .errors = {-EAGAIN, -ENOMEM},
                                             .must_fail = true},
                       1);
}

Test(fault_kinds_host, contexts)
{
    fault_sweep_expect(
        &(struct fault_sweep){.name = "FK-41: contexts",
                              .site = "ctx",
                              .effect = "refuse",
                              .errors = {-ENODEV, -EIO},
                              .skip = {"reset"}}, /* which fails for good without its master */

        4);
}

Test(fault_kinds_host, starts)
{
    fault_sweep_expect(&(struct fault_sweep){.name = "FK-41: starts of contexts",
                                             .site = "start",
                                             .effect = "refuse",
                                             .errors = {-EIO},
                                             .skip = {"reset"},
                                             .must_fail = true},
                       4);
    fault_sweep_expect(&(struct fault_sweep){.name = "FK-41: interrupts",
                                             .site = "irqmap",
                                             .effect = "refuse",
                                             .errors = {-ENOSPC, -EIO, -ENODEV},
                                             .skip = {"reset"},
                                             .must_fail = true},
                       4);
    fault_sweep_expect(&(struct fault_sweep){.name = "FK-41: register maps",
                                             .site = "map",
                                             .effect = "refuse",
                                             .errors = {-EIO},
                                             .skip = {"reset"},
                                             .must_fail = true},
                       4);
}

/* Most waits are for the AFU, and those are not interruptible. */
Test(fault_kinds_host, signals)
{
    fault_sweep_expect(&(struct fault_sweep){.name = "FK-42: signals",
                                             .site = "wait",
                                             .effect = "signal",
                                             .errors = {-EINTR},
                                             .once_only = true},
                       1);
}

/* One value of one register: nobody takes a healthy adapter for a dead one. What a verb makes of a
 * register that it needs is its own affair, but everything works afterwards. An initialisation
 * writes back what it has read, so it is left out. */
Test(fault_kinds_host, registers_of_ones)
{
    fault_sweep_expect(&(struct fault_sweep){.name = "FK-36: registers read as all ones",
                                             .site = "mr",
                                             .effect = "ones",
                                             .errors = {-ENODEV, -EIO, -EAGAIN, -EINVAL},
                                             .skip = {"open adapter", "reset"},
                                             .once_only = true},
                       1);
}

/* ---- what is used up without a plan, FK-41 ---- */

static unsigned attach_all(struct spipe_client *client)
{
    struct spipe_attach_options options = {.size = sizeof options, .depth = 1};
    struct spipe_ctx *ctx;
    unsigned n = 0;
    int rc;

    while ((rc = spipe_attach(client, 0, &options, &ctx)) == 0)
        n++;
    cr_assert_eq(rc, -ENOSPC); /* interrupts are used up before process elements */
    return n;
}

/* All contexts that there are interrupts for, four each, and back to none, twice. */
static void all_contexts(struct stack *s, void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        struct spipe_client *client;

        cr_assert_eq(spipe_client_create(s->adapter, "all", &client), 0);
        cr_assert_eq(attach_all(client), 508);
        spipe_client_destroy(client);
    }
    PROVES(R_7);
}

/* With three interrupts each, process elements are used up first. */
static void all_elements(struct stack *s, void *arg)
{
    struct dk_cxlflash_attach a = {.num_interrupts = 3};
    struct spipe_client *client;
    unsigned n = 0;
    int rc;

    (void)arg;
    cr_assert_eq(spipe_client_create(s->adapter, "all", &client), 0);
    while ((rc = spipe_ioctl(client, 0, DK_CXLFLASH_ATTACH, &a)) == 0) {
        a = (struct dk_cxlflash_attach){.num_interrupts = 3};
        n++;
    }
    cr_assert_eq(rc, -ENODEV);
    cr_assert_eq(n, 511);
    PROVES(SP_43);
    spipe_client_destroy(client);
}

static void all_handles(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle, first = 0;
    uint64_t last;
    unsigned n = 0;
    int rc;

    (void)arg;
    stack_client(s, &c, 0, 4, false);
    for (; (rc = spipe_open_virtual(c.ctx, 0, 0, &handle, &last)) == 0; n++)
        first = n ? first : handle;
    cr_assert_eq(rc, -EMFILE);
    cr_assert_eq(spipe_release(c.ctx, first), 0);
    cr_assert_eq(spipe_open_virtual(c.ctx, 0, 65536, &handle, &last), 0);
    stack_put(&c, handle, 1, 5);
    cr_assert_eq(stack_get(&c, handle, 1), 5);
    spipe_client_destroy(c.client);
}

static void run(void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, NULL);
    sim_media_close(media);
}

Test(fault_kinds_host, all_contexts_and_back) { run(all_contexts); }

Test(fault_kinds_host, all_process_elements) { run(all_elements); }

Test(fault_kinds_host, all_handles_and_back) { run(all_handles); }
