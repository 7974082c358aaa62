/* SPDX-License-Identifier: Apache-2.0 */
/* A look for LUNs by hand. What a login starts by itself is in tests/scenario/link_event_test.c. */
#include "core/lun/rescan.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "sim/sim_scsi.h"
#include "tests/testlib/stack.h"

TestSuite(rescan, .timeout = 30);

enum { CHUNK = 65536 };

static void run(void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, NULL);
    sim_media_close(media);
}

static struct sim_scsi *target(struct stack *s) { return sim_afu_scsi(sim_host_afu(s->host, 0)); }

static unsigned luns(struct stack *s)
{
    struct spipe_adapter_info info;

    spipe_adapter_info(s->adapter, &info);
    return info.luns;
}

/* Who works meanwhile goes on; a LUN that has gone stays known, and who has it keeps it. */
static void luns_come_and_go(struct stack *s, void *arg)
{
    struct sim_media_lun lun = {.blocks = 5 * CHUNK, .block_size = STACK_BLOCK, .port_mask = 3};
    struct stack_client a, b;
    uint32_t ha, hb;
    unsigned before = luns(s), number;

    (void)arg;
    stack_client(s, &a, 0, 8, false);
    ha = stack_open(&a, 0, 3);
    stack_put(&a, ha, 7, 0x31);
    sim_media_make_wwid(1, 2, lun.wwid);
    cr_assert_eq(sim_scsi_add_lun(target(s), &lun, &number), 0);
    cr_assert_eq(luns(s), before, "nobody has looked");
    cr_assert_eq(spipe_rescan(s->adapter), 0);
    cr_assert_eq(luns(s), before + 1);
    stack_client(s, &b, before, 8, false);
    hb = stack_open(&b, before, 5);
    sim_scsi_set_ports(target(s), number, 0);
    cr_assert_eq(spipe_rescan(s->adapter), 0);
    cr_assert_eq(luns(s), before + 1);
    cr_assert_eq(spipe_release(b.ctx, hb), 0);
    cr_assert_eq(stack_get(&a, ha, 7), 0x31);
    spipe_client_destroy(a.client);
    spipe_client_destroy(b.client);
}

Test(rescan, luns_come_and_go) { run(luns_come_and_go); }

/* A device that has grown says so to whoever looks (SP-38: the capacity is that of the look). */
static void size(struct stack *s, void *arg)
{
    struct spipe_lun_info info;

    (void)arg;
    cr_assert_eq(sim_scsi_set_size(target(s), 0, 9 * CHUNK), 0);
    cr_assert_eq(spipe_rescan(s->adapter), 0);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.last_lba, 9 * CHUNK - 1);
}

Test(rescan, size) { run(size); }

static void failed(struct stack *s, void *arg)
{
    (void)arg;
    cr_assert_eq(spipe_remove(s->adapter, UINT64_MAX), 0);
    cr_assert_eq(spipe_rescan(s->adapter), -ENODEV);
}

Test(rescan, of_one_that_has_failed) { run(failed); }
