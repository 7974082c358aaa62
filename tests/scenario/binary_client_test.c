/* SPDX-License-Identifier: Apache-2.0 */
/* The worked example of docs/api.md through the whole stack, in both submission modes: a program
 * that drives the AFU itself. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/cxlflash_ioctl.h"
#include "docs/examples/binary_client.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

static void run_example(struct stack *s, void *arg)
{
    struct spipe_client *client;
    struct spipe_lun_info info;

    (void)arg;
    cr_assert_eq(spipe_client_create(s->adapter, "example", &client), 0);
    cr_assert_eq(binary_client(client, spipe_disk(0, 0), 20), 0); /* more than once round the RRQ */
    cr_assert_eq(binary_client(client, spipe_disk(1, 1), 20), 0);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.users, 0);
    cr_assert_eq(info.mode, SPIPE_LUN_NONE);
    spipe_client_destroy(client);
}

static void with_interface(uint64_t version)
{
    struct sim_media *media = stack_media(4);

    stack_run(&(struct stack_setup){.seed = 1, .media = media, .interface_version = version},
              run_example, NULL);
    sim_media_close(media);
}

Test(binary_client, ioarrin_mode) { with_interface(0); }

Test(binary_client, sq_mode) { with_interface(UINT64_C(0x4000000000010002)); }

/* ---- LUNs that are nobody's before MANAGE_LUN ---- */

static int manage(struct stack *s, struct spipe_client *c, uint32_t disk, uint64_t flags)
{
    struct dk_cxlflash_manage_lun m = {.hdr.flags = flags};
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, disk >> 2, &info), 0);
    memcpy(m.wwid, info.wwid, sizeof m.wwid);
    return spipe_ioctl(c, disk, DK_CXLFLASH_MANAGE_LUN, &m);
}

static unsigned enabled_ports(struct stack *s, unsigned lun)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, lun, &info), 0);
    cr_assert_eq(info.found_ports, 3);
    return info.port_mask;
}

/* What was enabled stays so, whatever the adapter goes through (SP-122). */
static void expect_lasting(struct stack *s)
{
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert_eq(spipe_rescan(s->adapter), 0);
    cr_assert_eq(enabled_ports(s, 0), 2);
    cr_assert_eq(enabled_ports(s, 1), 0);
    PROVES(SP_122);
}

static void disabled(struct stack *s, void *arg)
{
    const uint64_t enable = DK_CXLFLASH_MANAGE_LUN_ENABLE_SUPERPIPE;
    struct spipe_client *client;
    struct spipe_ctx *ctx;

    (void)arg;
    cr_assert_eq(spipe_client_create(s->adapter, "example", &client), 0);
    cr_assert_eq(enabled_ports(s, 0) | enabled_ports(s, 1), 0);
    cr_assert_eq(binary_client(client, spipe_disk(0, 1), 1), -EINVAL);
    cr_assert_eq(spipe_attach(client, 0, NULL, &ctx), -EINVAL);
    PROVES(SP_16);
    cr_assert_eq(manage(s, client, spipe_disk(0, 1), 0), 0);
    cr_assert_eq(enabled_ports(s, 0), 0);
    cr_assert_eq(manage(s, client, spipe_disk(0, 1), enable), 0);
    PROVES(SP_118);
    expect_lasting(s);
    cr_assert_eq(binary_client(client, spipe_disk(0, 1), 20), 0);
    cr_assert_eq(binary_client(client, spipe_disk(0, 0), 1), -EINVAL, "another port");
    cr_assert_eq(binary_client(client, spipe_disk(1, 1), 1), -EINVAL, "another LUN");
    cr_assert_eq(manage(s, client, spipe_disk(0, 1), DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE), 0);
    cr_assert_eq(binary_client(client, spipe_disk(0, 1), 1), -EINVAL);
    spipe_client_destroy(client);
}

Test(binary_client, luns_wait_for_manage_lun)
{
    struct sim_media *media = stack_media(4);

    stack_run(&(struct stack_setup){.seed = 1, .media = media, .luns_disabled = true}, disabled,
              NULL);
    sim_media_close(media);
}

/* ---- the adapter is reset meanwhile ---- */

struct example {
    struct spipe_client *client;
    int rc;
    bool done;
};

static void example_thread(void *arg)
{
    struct example *e = arg;

    e->rc = binary_client(e->client, spipe_disk(0, 0), 200);
    e->done = true;
}

static uint64_t recoveries(struct stack *s)
{
    struct spipe_counter c;

    cr_assert_eq(spipe_counter(s->adapter, SPIPE_EVENT_CONTEXT_RECOVERED, &c), 0);
    return c.value;
}

/* While it reads and writes; it ends as if nothing had happened. */
static void reset_meanwhile(struct stack *s, void *arg)
{
    struct example e = {.rc = 1};
    struct exec_thread *thread;
    struct spipe_lun_info info;

    (void)arg;
    cr_assert_eq(spipe_client_create(s->adapter, "example", &e.client), 0);
    cr_assert_eq(exec_thread_create(s->exec, "example", example_thread, &e, &thread), 0);
    stack_sleep(s, 1000000);
    cr_assert_not(e.done);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    exec_thread_join(s->exec, thread);
    cr_assert_eq(e.rc, 0);
    cr_assert_eq(recoveries(s), 1);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.users, 0);
    spipe_client_destroy(e.client);
}

static void with_a_reset(uint64_t version)
{
    struct sim_media *media = stack_media(4);

    stack_run(&(struct stack_setup){.seed = 1, .media = media, .interface_version = version},
              reset_meanwhile, NULL);
    sim_media_close(media);
}

Test(binary_client, recovers_in_ioarrin_mode) { with_a_reset(0); }

Test(binary_client, recovers_in_sq_mode) { with_a_reset(UINT64_C(0x4000000000010002)); }

/* A client that dies with a command in flight: the AFU does not write to what is gone. */
static void death(struct stack *s, void *arg)
{
    static uint64_t rrq[8] __attribute__((aligned(128)));
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};
    struct spipe_client *client;
    struct spipe_mapping *m;
    struct spipe_lun_info info;

    (void)arg;
    cr_assert_eq(spipe_client_create(s->adapter, "mortal", &client), 0);
    cr_assert_eq(spipe_ioctl(client, spipe_disk(0, 0), DK_CXLFLASH_ATTACH, &a), 0);
    cr_assert_eq(spipe_adap_map(client, a.adap_fd, 0, a.mmio_size, &m), 0);
    spipe_adap_write64(m, AFU_HOST_RRQ_START, (uintptr_t)&rrq[0]);
    spipe_adap_write64(m, AFU_HOST_RRQ_END, (uintptr_t)&rrq[7]);
    spipe_adap_write64(m, AFU_HOST_IOARRIN, 0x1000); /* memory that there never was */
    spipe_client_destroy(client);
    cr_assert_eq(spipe_adap_read64(m, 0), UINT64_MAX);
    spipe_adap_unmap(m);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.users, 0);
}

Test(binary_client, death_with_a_command_in_flight)
{
    struct sim_media *media = stack_media(4);

    stack_run(&(struct stack_setup){.seed = 2, .media = media}, death, NULL);
    sim_media_close(media);
}

/* ---- a file that is closed under a waiter ---- */

struct event_waiter {
    struct stack *s;
    struct spipe_client *client;
    uint64_t fd;
    int rc;
};

static void wait_for_event(void *arg)
{
    struct event_waiter *w = arg;
    struct spipe_adap_event event;

    w->rc = spipe_adap_event(w->client, w->fd, exec_now(w->s->exec) + 1000000, &event);
}

/* Found by the random requests: the file lives until the wait is over, and then ends the context.
 */
static void closed_meanwhile(struct stack *s, void *arg)
{
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};
    struct event_waiter w = {.s = s, .rc = 1};
    struct dk_cxlflash_detach d = {0};
    struct exec_thread *t;

    (void)arg;
    cr_assert_eq(spipe_client_create(s->adapter, "waits", &w.client), 0);
    cr_assert_eq(spipe_ioctl(w.client, spipe_disk(0, 0), DK_CXLFLASH_ATTACH, &a), 0);
    w.fd = a.adap_fd;
    cr_assert_eq(exec_thread_create(s->exec, "waiter", wait_for_event, &w, &t), 0);
    stack_sleep(s, 100000);
    cr_assert_eq(spipe_adap_close(w.client, w.fd), 0);
    exec_thread_join(s->exec, t);
    cr_assert_eq(w.rc, 0);
    d.context_id = a.context_id;
    cr_assert_eq(spipe_ioctl(w.client, spipe_disk(0, 0), DK_CXLFLASH_DETACH, &d), -EINVAL);
    spipe_client_destroy(w.client);
}

Test(binary_client, a_file_outlives_its_close_while_it_is_waited_for)
{
    struct sim_media *media = stack_media(4);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, closed_meanwhile, NULL);
    sim_media_close(media);
}
