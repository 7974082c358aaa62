/* SPDX-License-Identifier: Apache-2.0 */
/* LUN provision against adapter.md section 20 and sislite.md sections 5.3, 7 and 12: the commands,
 * the answers, every error, and LUNs that are in use. */
#include "core/command/provision.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(provision, .timeout = 30);

static struct adapter_fixture f;

static void begin(enum hal_order order)
{
    adapter_fixture_init(&f, order);
    f.s.interface_version |= UINT64_C(1) << 59; /* SL 20.2 */
}

static void set_up(void) { begin(HAL_ORDER_HOST); }

/* Every request has left the gate, or this would wait for ever. */
static void tear_down(void)
{
    spipe__gate_close(&f.s.gate);
    spipe__gate_open(&f.s.gate);
    adapter_fixture_fini(&f);
}

static struct spipe_provisioned_lun made;

static int create(unsigned port, uint64_t blocks)
{
    memset(&made, 0xEE, sizeof made);
    return spipe_lun_provision_create(&f.s, port, blocks, &made);
}

static int delete_lun(uint64_t lun_id) { return spipe_lun_provision_delete(&f.s, 1, lun_id); }

static struct spipe_provision_info info;

static int query(unsigned port)
{
    memset(&info, 0xEE, sizeof info);
    return spipe_lun_provision_query(&f.s, port, &info);
}

static bool untouched(const void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const uint8_t *)out)[i] != 0xEE)
            return false;
    return true;
}

/* Command number n, from 0, ends so. */
static void nth(uint64_t n, struct fake_answer answer) { fake_luns_fail(&f.luns, n, &answer); }

static const struct fake_answer refused = {.rc = {.afu_rc = 0x21}};
static const struct fake_answer lost = {.lost = true};

/* ---- create ---- */

/* The answer of a LUN with id 0x0102030405060708, its lower half in the order of the context. */
static struct fake_answer answer_in(enum hal_order order)
{
    struct fake_answer a = {.residual = 0x01020304, .tells = true};
    xe32_t low = xe32_of(order, 0x05060708);

    memcpy(a.sense, &low, 4);
    for (uint8_t i = 0; i < 16; i++)
        a.sense[4 + i] = (uint8_t)(0x60 + i);
    return a;
}

/* The CDB is the one of SL 23.3. */
Test(provision, creation)
{
    static const uint8_t cdb[16] = {0xD0, 0, 1, [14] = 0x40};

    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        const struct fake_command *c = &f.luns.log[0];

        begin(order);
        nth(0, answer_in(order));
        cr_assert_eq(create(1, 0x4000), 0);
        cr_expect_eq(made.lun_id, UINT64_C(0x0102030405060708));
        for (uint8_t i = 0; i < 16; i++)
            cr_expect_eq(made.wwid[i], 0x60 + i);
        cr_expect_eq(f.luns.commands, 1);
        cr_expect_arr_eq(c->cdb, cdb, 16);
        cr_expect_eq(c->flags, 0x0002);
        cr_expect_eq(c->timeout, 5);
        cr_expect_eq(c->msi, 2);
        cr_expect_eq(c->ctx_id, FIXTURE_MASTER);
        cr_expect_eq(c->lun_id | c->target | c->data_length, 0);
        tear_down();
    }
    PROVES(SP_174);
    PROVES(AD_212);
    PROVES(AD_120);
}

/* "Size as given": all 64 bits, and 0 is for the AFU to refuse. */
Test(provision, creation_takes_any_size, .init = set_up, .fini = tear_down)
{
    nth(1, refused);
    cr_expect_eq(create(0, UINT64_C(0xF1F2F3F4F5F6F7F8)), 0);
    cr_expect_eq(hal_be64_at(f.luns.log[0].cdb + 8), UINT64_C(0xF1F2F3F4F5F6F7F8));
    cr_expect_eq(f.luns.log[0].cdb[2], 0, "the port");
    cr_expect_eq(create(0, 0), -EIO);
    cr_expect_eq(f.luns.commands, 2);
    PROVES(AD_212);
}

/* ---- delete ---- */

Test(provision, deletion)
{
    static const uint8_t cdb[16] = {0xD0, 1, 1};

    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        begin(order);
        cr_assert_eq(delete_lun(UINT64_C(0x0102030405060708)), 0);
        cr_expect_eq(f.luns.commands, 1);
        cr_expect_arr_eq(f.luns.log[0].cdb, cdb, 16);
        cr_expect_eq(f.luns.log[0].lun_id, UINT64_C(0x0102030405060708));
        cr_expect_eq(f.luns.log[0].flags, 0x0002);
        cr_expect_eq(f.luns.log[0].timeout, 5);
        cr_expect_eq(f.luns.log[0].target | f.luns.log[0].data_length, 0);
        tear_down();
    }
    PROVES(SP_174);
    PROVES(AD_212);
}

enum { ID = 77 };

/* A LUN that core knows behind port 1, and one with the same id behind port 0. */
static struct spipe__lun *known(void)
{
    adapter_fixture_add_lun(
        &f, (struct spipe__lun){.lun_id = {ID, ID + 1}, .found_ports = 3, .port_mask = 3});
    adapter_fixture_add_lun(
        &f, (struct spipe__lun){.lun_id = {ID + 1, ID}, .found_ports = 2, .port_mask = 2});
    return &f.s.lun[1];
}

static struct spipe__lun *deleted; /* the one that the AFU is deleting */

/* While it is being deleted nobody can begin to use it. */
static struct fake_answer answer_while_disabled(void *arg, const struct fake_command *command)
{
    cr_assert_eq(deleted->port_mask, 0);
    return fake_luns_answer(arg, command);
}

Test(provision, a_deleted_lun_is_found_nowhere, .init = set_up, .fini = tear_down)
{
    deleted = known();
    f.afu.answer = answer_while_disabled;
    cr_assert_eq(delete_lun(ID), 0);
    cr_expect_eq(deleted->port_mask | deleted->found_ports, 0);
    cr_expect_eq(f.s.lun[0].port_mask, 3, "the same id at another port is another LUN");
    cr_expect_eq(f.s.lun[0].found_ports, 3);
    cr_expect_eq(delete_lun(ID), 0, "not known any more: whether there is one, the AFU says");
    cr_expect_eq(f.luns.commands, 2);
}

/* As MANAGE_LUN with DISABLE: SP-120, SP-127. */
Test(provision, a_lun_in_use_is_not_deleted, .init = set_up, .fini = tear_down)
{
    struct spipe__lun *lun = known();

    lun->attached = 1;
    cr_expect_eq(delete_lun(ID), -EBUSY);
    lun->attached = 0;
    lun->global->mode = SPIPE_LUN_PHYSICAL;
    lun->global->users = 1;
    cr_expect_eq(delete_lun(ID), -EBUSY);
    cr_expect_eq(f.luns.commands, 0);
    cr_expect_eq(lun->port_mask, 2);
    cr_expect_eq(delete_lun(ID + 1), 0, "the other one is not in use");
    cr_expect_eq(f.s.lun[0].port_mask, 1);
    cr_expect_eq(f.s.lun[0].found_ports, 1);
    lun->global->mode = SPIPE_LUN_NONE;
    lun->global->users = 0;
    cr_expect_eq(delete_lun(ID), 0);
}

/* What could not be deleted can be used as before, and what was disabled stays so. */
Test(provision, a_failure_leaves_the_lun_as_it_was, .init = set_up, .fini = tear_down)
{
    struct spipe__lun *lun = known();

    nth(0, refused);
    nth(1, refused);
    cr_expect_eq(delete_lun(ID), -EIO);
    cr_expect_eq(lun->port_mask, 2);
    cr_expect_eq(lun->found_ports, 2);
    lun->port_mask = 0;
    cr_expect_eq(delete_lun(ID), -EIO);
    cr_expect_eq(lun->port_mask, 0);
    cr_expect_eq(lun->found_ports, 2);
}

/* ---- query ---- */

/* FC registers 0x080 to 0x098; ports 0 and 1 are at 0x2012000 and 0x2013000 (SL 1). */
Test(provision, query, .init = set_up, .fini = tear_down)
{
    for (unsigned reg = 0; reg < 4; reg++)
        for (unsigned port = 0; port < 2; port++)
            *fake_afu_register(&f.afu, 0x2012080 + port * 0x1000 + reg * 8) =
                0x1000 * (port + 1) + reg;
    for (unsigned port = 0; port < 2; port++) {
        cr_assert_eq(query(port), 0);
        cr_expect_eq(info.luns_max, 0x1000 * (port + 1));
        cr_expect_eq(info.luns, 0x1000 * (port + 1) + 1);
        cr_expect_eq(info.blocks_max, 0x1000 * (port + 1) + 2);
        cr_expect_eq(info.blocks, 0x1000 * (port + 1) + 3);
    }
    cr_expect_eq(f.luns.commands, 0, "no command");
    PROVES(SP_174);
    PROVES(AD_212);
}

Test(provision, query_of_a_dead_adapter, .init = set_up, .fini = tear_down)
{
    f.afu.dead = true;
    cr_expect_eq(query(0), -ENODEV);
    cr_expect(untouched(&info, sizeof info));
}

/* ---- errors of all three ---- */

static void expect_all(int rc, unsigned port)
{
    cr_expect_eq(create(port, 1), rc);
    cr_expect_eq(spipe_lun_provision_delete(&f.s, port, 1), rc);
    cr_expect_eq(query(port), rc);
    cr_expect(untouched(&made, sizeof made));
    cr_expect(untouched(&info, sizeof info));
}

/* The capability comes before the port. */
Test(provision, capability, .init = set_up, .fini = tear_down)
{
    f.s.interface_version = UINT64_C(0xF7FFFFFFFFFFFFFF);
    expect_all(-EOPNOTSUPP, 0);
    expect_all(-EOPNOTSUPP, 2);
    cr_expect_eq(f.luns.commands, 0);
    PROVES(SP_174);
    PROVES(AD_212);
}

Test(provision, ports, .init = set_up, .fini = tear_down)
{
    expect_all(-EINVAL, 2);
    expect_all(-EINVAL, 256); /* not cut to the byte of the CDB */
    expect_all(-EINVAL, UINT32_MAX);
    f.s.ports = 4;
    expect_all(-EINVAL, 4);
    cr_expect_eq(f.luns.commands, 0);
    cr_expect_eq(create(3, 1), 0);
    cr_expect_eq(f.luns.log[0].cdb[2], 3);
    PROVES(SP_174);
}

/* nothing while the adapter has failed. That they wait for a reset is in
 * tests/scenario/host_requests_test.c. */
Test(provision, failed_adapter, .init = set_up, .fini = tear_down)
{
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    expect_all(-ENODEV, 0);
    expect_all(-ENODEV, 9);
    cr_expect_eq(f.luns.commands, 0);
    PROVES(R_37);
    PROVES(D_10);
    PROVES(D_11);
}

/* AD-214: what section 11 says, unchanged. */
Test(provision, errors_of_the_command, .init = set_up, .fini = tear_down)
{
    nth(0, refused);
    cr_expect_eq(create(0, 1), -EIO);
    nth(1, fake_check_condition(5, 0x55, 3));
    cr_expect_eq(create(0, 1), -EIO);
    nth(2, lost);
    cr_expect_eq(create(0, 1), 0, "the second attempt");
    nth(4, lost);
    nth(5, lost);
    cr_expect_eq(create(0, 1), -ETIMEDOUT);
    cr_expect(untouched(&made, sizeof made));
    cr_expect(f.s.worker.reset_wanted);
    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(create(0, 1), -ENOBUFS);
    cr_expect_eq(delete_lun(1), -ENOBUFS);
    cr_expect_eq(f.luns.commands, 6);
    PROVES(AD_214);
    PROVES(AD_124);
}
