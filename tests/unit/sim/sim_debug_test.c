/* SPDX-License-Identifier: Apache-2.0 */
/* AFU debug (SL 12): flags and sizes from there, the loop-back memory is the model's own. */
#include <criterion/criterion.h>

#include "tests/unit/sim/sim_port_fixture.h"

static void up_debug(void)
{
    up("flashsystem");
    sim_afu_params_mutable(m->afu)->interface_version |= UINT64_C(1) << 58;
}

TestSuite(sim_debug, .init = up_debug, .fini = down);

#define MOST 262144u /* the buffer of the fixture has as many */

/* Prepares AFU debug in slot 20 of the master: flags 0x0002, with data 0x4000, host write 0x0001.
 */
static struct afu_ioasa *prepare(bool write, uint32_t address, void *data, uint32_t bytes)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 20);

    r->req_flags = xe16_of(m->master.order, (uint16_t)(0x0002 | (bytes ? 0x4000 : 0) | write));
    r->timeout = xe16_of(m->master.order, 5);
    r->data_len = xe32_of(m->master.order, bytes);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)data);
    r->cdb[0] = 0xE0;
    hal_be32_put(r->cdb + 4, address);
    hal_be64_put(r->cdb + 8, 0x0123456789ABCDEF);
    return &m->master.pair[20].ioasa;
}

static struct afu_ioasa *debug(bool write, uint32_t address, void *data, uint32_t bytes)
{
    struct afu_ioasa *s = prepare(write, address, data, bytes);

    cr_assert(model_issue(m, &m->master, 20, 10000000), "AFU debug never ended");
    return s;
}

static void fill(uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        m->buffer[i] = (uint8_t)(i * 7 + i / 251);
}

static bool filled(uint32_t from, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (m->buffer[i] != (uint8_t)((from + i) * 7 + (from + i) / 251))
            return false;
    return true;
}

Test(sim_debug, without_data) { cr_assert_eq(afu_ioasc(&debug(false, 0, NULL, 0)->rc), 0); }

Test(sim_debug, the_most_data_there_and_back)
{
    fill(MOST);
    cr_assert_eq(afu_ioasc(&debug(true, 0, m->buffer, MOST)->rc), 0);
    memset(m->buffer, 0xEE, MOST);
    cr_assert_eq(afu_ioasc(&debug(false, 0, m->buffer, MOST)->rc), 0);
    cr_assert(filled(0, MOST));
}

Test(sim_debug, addresses)
{
    memset(m->buffer, 0xEE, 64);
    cr_assert_eq(afu_ioasc(&debug(false, 1000, m->buffer, 64)->rc), 0);
    for (unsigned i = 0; i < 64; i++)
        cr_assert_eq(m->buffer[i], 0, "never written");
    fill(5000);
    cr_assert_eq(afu_ioasc(&debug(true, MOST - 5000, m->buffer, 5000)->rc), 0);
    cr_assert_eq(afu_ioasc(&debug(false, MOST - 5000 + 333, m->buffer, 99)->rc), 0);
    cr_assert(filled(333, 99));
}

/* The 12 bytes are opaque: whatever they are, data go there and come back, also round the end. */
Test(sim_debug, any_bytes_will_do)
{
    static const uint32_t rows[][2] = {{1, MOST},       {MOST, 1},          {MOST + 1, 1},
                                       {UINT32_MAX, 2}, {0x01020304, 4096}, {MOST - 1, 3}};

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fill(rows[i][1]);
        cr_expect_eq(afu_ioasc(&debug(true, rows[i][0], m->buffer, rows[i][1])->rc), 0);
        memset(m->buffer, 0xEE, rows[i][1]);
        cr_expect_eq(afu_ioasc(&debug(false, rows[i][0], m->buffer, rows[i][1])->rc), 0);
        cr_expect(filled(0, rows[i][1]), "address 0x%x", rows[i][0]);
    }
    cr_assert_eq(afu_ioasc(&debug(false, 0, m->buffer, 2)->rc), 0);
    cr_assert(m->buffer[0] == 7 && m->buffer[1] == 14, "bytes 1 and 2 of the last row");
}

/* More than 262144 bytes: 5/24/00, and nothing moved. */
Test(sim_debug, too_much)
{
    const struct afu_ioasa *s;

    memset(m->buffer, 0xEE, 64);
    s = debug(false, 0, m->buffer, MOST + 1);
    cr_assert(s->rc.scsi_rc == 2 && s->sense_data[2] == 5 && s->sense_data[12] == 0x24);
    cr_assert_eq(m->buffer[0], 0xEE);
}

/* an event and no status; or afu_rc 0x31 with 0x0B. The AFU takes the next command either
 * way. */
Test(sim_debug, buffer_that_cannot_be_reached)
{
    struct sim_bus_event ev;
    const struct afu_ioasa *s;

    fill(64);
    debug(true, 0, m->buffer, 64);
    for (int write = 0; write < 2; write++) {
        prepare(write, 0, (void *)0x1000, 64);
        model_doorbell(m, &m->master, 20);
        model_run_dry(m);
        cr_assert_eq(model_harvest(&m->master), -1);
        ev = sim_bus_event(m->master.sim);
        cr_assert(ev.kind == SIM_BUS_EVENT_DATA_STORAGE && ev.address == 0x1000);
    }
    sim_afu_params_mutable(m->afu)->bad_ea_status = 1;
    s = debug(false, 0, (void *)0x1000, 64);
    cr_assert(s->rc.afu_rc == 0x31 && s->afu_extra == 0x0B);
    cr_assert_eq(afu_ioasc(&debug(false, 0, m->buffer, 64)->rc), 0);
}

/* The data use the bus: 262144 bytes are 2048 lines. */
Test(sim_debug, data_take_time)
{
    uint64_t begin = m->machine->engine.now, none;

    debug(false, 0, NULL, 0);
    none = m->machine->engine.now - begin;
    begin = m->machine->engine.now;
    debug(false, 0, m->buffer, MOST);
    cr_assert_eq(m->machine->engine.now - begin, none + 2048 * 10 + 150);
}

Test(sim_debug, capability)
{
    static const uint64_t versions[] = {0x8000000000010002, UINT64_MAX};

    for (unsigned i = 0; i < 2; i++) {
        sim_afu_params_mutable(m->afu)->interface_version = versions[i];
        cr_assert_eq(debug(false, 0, NULL, 0)->rc.afu_rc, 0x21);
    }
}

/* FK-33: data short, in both directions; the rest of the buffer is not touched. */
Test(sim_debug, short_data)
{
    struct afu_ioasa *s;

    fill(4096);
    debug(true, 0, m->buffer, 4096);
    plan("afucmd#1=s(1000)+afucmd#2=s+afucmd#3=s");
    memset(m->buffer, 0, 4096);
    s = debug(false, 0, m->buffer, 4096);
    cr_assert_eq(afu_ioasc(&s->rc), 0x10000000);
    cr_assert_eq(xe32_get(m->master.order, s->resid), 3096);
    cr_assert(filled(0, 1000) && m->buffer[1000] == 0 && m->buffer[4095] == 0);
    s = debug(false, 0, m->buffer, 4096);
    cr_assert_eq(xe32_get(m->master.order, s->resid), 2048);
    cr_assert_eq(debug(false, 0, NULL, 0)->rc.afu_rc, 0x51, "nothing to be short of");
}
