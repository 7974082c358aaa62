/* SPDX-License-Identifier: Apache-2.0 */
/* What the model says nobody needs, nobody needs: filled with garbage, it changes nothing. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sim/afu/sim_afu.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_holes, .init = up_flashsystem, .fini = down);

#define COMMANDS 12

static struct sim_world_hole *ask(size_t *count)
{
    struct sim_world_hole *h;

    *count = sim_machine_holes(m->machine, NULL, 0);
    h = calloc(*count, sizeof *h);
    cr_assert_not_null(h);
    cr_assert_eq(sim_machine_holes(m->machine, h, *count), *count);
    return h;
}

/* Fills all of them with garbage, as they are after a restore, and returns how many bytes that
 * was. */
static size_t spoil(void)
{
    size_t count, bytes = 0;
    struct sim_world_hole *h = ask(&count);

    for (size_t i = 0; i < count; i++) {
        cr_assert(sim_world_contains(m->world, h[i].start, h[i].size));
        memset(h[i].start, 0xEE, h[i].size);
        bytes += h[i].size;
    }
    free(h);
    sim_machine_refill(m->machine);
    return bytes;
}

/* Everything that is told apart in a trace, with or without garbage every thousand cycles. */
static uint64_t run(bool spoiled)
{
    for (unsigned i = 0; i < COMMANDS; i++) {
        model_rw(m, &user, i, i % 2, 0, i, 1, m->buffer + i * 4096);
        model_doorbell(m, &user, i);
    }
    for (unsigned k = 0; k < 60; k++) {
        model_run(m, 1000);
        if (spoiled)
            cr_assert_gt(spoil(), 80000);
    }
    for (unsigned i = 0; i < COMMANDS; i++) {
        cr_assert_geq(model_harvest(&user), 0);
        cr_assert_eq(model_ioasc(&user, i), 0);
    }
    return sim_trace_hash(&m->machine->trace);
}

Test(sim_holes, garbage_in_them_changes_nothing)
{
    uint64_t clean = run(false);

    down();
    up_flashsystem();
    cr_assert_eq(run(true), clean);
}

/* READ or WRITE of the first block by the master, port 0 or 1, with garbage before. */
static void spoiled_io(unsigned port, unsigned lun, bool write)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    spoil();
    r->req_flags = xe16_of(m->master.order, (uint16_t)(AFU_REQ_SUP_UNDERRUN | write));
    r->port_sel = xe32_of(m->master.order, 1u << port);
    r->lun_id = xe64_of(m->master.order, afu_lun_id(lun));
    r->data_len = xe32_of(m->master.order, 4096);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)m->buffer);
    r->cdb[0] = write ? 0x8A : 0x88;
    r->cdb[13] = 1;
    cr_assert(model_issue(m, &m->master, 0, 1000000));
    cr_assert_eq(model_ioasc(&m->master, 0), 0);
}

/* A LUN that comes later finds its place clean. */
Test(sim_holes, provisioned_luns)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 1);

    sim_afu_params_mutable(m->afu)->interface_version |= AFU_IFV_LUN_PROVISION;
    spoil();
    r->req_flags = xe16_of(m->master.order, AFU_REQ_AFU_CMD);
    afu_provision_cdb(r->cdb, AFU_PROVISION_CREATE, 1, 100);
    cr_assert(model_issue(m, &m->master, 1, 1000000));
    cr_assert_eq(model_ioasc(&m->master, 1), 0);
    spoiled_io(1, 2, true);
    spoiled_io(1, 2, false);
}

static void reset_into(bool internal)
{
    uint64_t done = 0;

    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    spoil();
    model_run(m, 250000);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CTRL,
                afu_ctrl(m->master.handle, 3, internal));
    model_store(m, &m->master, AFU_PORT_REGS(0) + AFU_FC_CONFIG2,
                internal ? afu_fc_config2_lun_mode(2) : 0);
}

/* While one internal LUN is there, what belongs to the external ones is kept. */
Test(sim_holes, internal_lun_mode)
{
    model_ctx_end(m, &user);
    reset_into(true);
    spoiled_io(0, 0, true);
    spoiled_io(0, 0, false);
    reset_into(false);
    spoiled_io(0, 1, true); /* the second LUN, of blocks of 512 */
    spoiled_io(1, 0, false);
}
