/* SPDX-License-Identifier: Apache-2.0 */
/* Port links against scripted register accesses: the bits of AD-91, the number of looks and the
 * time of AD-92, the sequence of AD-47. Offsets are numbers of the specification; port 3 is in
 * bank 1. */
#include "core/port/port_link.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/fake_exec.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/scripted_hal.h"

TestSuite(port_link, .timeout = 10);

enum { CMDCONFIG = 0x10, STATUS = 0x18, PNAME = 0x300 };

static const uint64_t port_base[4] = {0x2012000, 0x2013000, 0x2016000, 0x2017000};

static struct fixture {
    struct fake_exec exec;
    struct scripted_hal hal;
    struct spipe s;
} f;

static void set_up(void)
{
    memset(&f, 0, sizeof f);
    fake_exec_init(&f.exec, 1);
    scripted_hal_init(&f.hal, 0);
    f.s.exec = &f.exec.exec;
    f.s.dev = &f.hal.dev;
    f.s.ports = 4;
    scripted_expect_call(&f.hal, SCRIPTED_CREATE, HAL_CTX_MASTER, 0);
    scripted_expect_call(&f.hal, SCRIPTED_START, 3, 0);
    cr_assert_eq(hal_ctx_create(f.s.dev, HAL_CTX_MASTER, &f.s.master), 0);
    cr_assert_eq(hal_ctx_start(f.s.master, 3), 0);
}

static void tear_down(void)
{
    scripted_expect_call(&f.hal, SCRIPTED_RELEASE, 0, 0);
    hal_ctx_release(f.s.master);
    scripted_hal_done(&f.hal);
}

Test(port_link, state, .init = set_up, .fini = tear_down)
{
    static const struct {
        uint64_t status;
        enum spipe__link link;
    } cases[] = {{0x20, SPIPE__LINK_ONLINE},   {0x10, SPIPE__LINK_OFFLINE},
                 {0x00, SPIPE__LINK_UNKNOWN},  {0x30, SPIPE__LINK_UNKNOWN},
                 {0xFF2F, SPIPE__LINK_ONLINE}, {UINT64_MAX, SPIPE__LINK_UNKNOWN}};

    for (unsigned port = 0; port < 4; port++) {
        for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
            scripted_expect_read(&f.hal, port_base[port] + STATUS, cases[i].status);
            cr_expect_eq(spipe__link_state(&f.s, port), cases[i].link);
        }
    }
}

/* One of the two bits, the others as they were. */
Test(port_link, requests, .init = set_up, .fini = tear_down)
{
    scripted_expect_read(&f.hal, port_base[3] + CMDCONFIG, 0x8023);
    scripted_expect_write(&f.hal, port_base[3] + CMDCONFIG, 0x8043);
    spipe__link_request(&f.s, 3, SPIPE__LINK_OFFLINE);
    scripted_expect_read(&f.hal, port_base[3] + CMDCONFIG, 0x8063);
    scripted_expect_write(&f.hal, port_base[3] + CMDCONFIG, 0x8023);
    spipe__link_request(&f.s, 3, SPIPE__LINK_ONLINE);
    PROVES(AD_91);
}

static void expect_looks(unsigned n, uint64_t status)
{
    for (unsigned i = 0; i < n; i++)
        scripted_expect_read(&f.hal, port_base[0] + STATUS, status);
}

Test(port_link, waits, .init = set_up, .fini = tear_down)
{
    expect_looks(4, 0x20);
    expect_looks(1, 0x10);
    cr_expect(spipe__link_wait(&f.s, 0, SPIPE__LINK_OFFLINE));
    cr_expect_eq(f.exec.now, UINT64_C(500000000));
}

Test(port_link, wait_is_bounded, .init = set_up, .fini = tear_down)
{
    expect_looks(101, 0x20);
    cr_expect_not(spipe__link_wait(&f.s, 0, SPIPE__LINK_OFFLINE));
    cr_expect_eq(f.exec.now, UINT64_C(10100000000));
    PROVES(AD_92);
}

Test(port_link, wait_reaches_the_state_in_the_last_look, .init = set_up, .fini = tear_down)
{
    expect_looks(100, 0x00);
    expect_looks(1, 0x20);
    cr_expect(spipe__link_wait(&f.s, 0, SPIPE__LINK_ONLINE));
}

Test(port_link, dead_adapter_is_given_up_early, .init = set_up, .fini = tear_down)
{
    expect_looks(6, UINT64_MAX);
    cr_expect_not(spipe__link_wait(&f.s, 0, SPIPE__LINK_ONLINE));
    cr_expect_eq(f.exec.now, UINT64_C(600000000));
    PROVES(AD_92);
}

static void expect_move(uint64_t before, uint64_t after, uint64_t status)
{
    scripted_expect_read(&f.hal, port_base[0] + CMDCONFIG, before);
    scripted_expect_write(&f.hal, port_base[0] + CMDCONFIG, after);
    if (status == 0)
        expect_looks(101, 0);
    else
        expect_looks(1, status);
}

/* Waits that run out change nothing but the note: the name is written, the port goes online. */
Test(port_link, name_is_set_even_if_the_port_does_not_move, .init = set_up, .fini = tear_down)
{
    expect_move(0x23, 0x43, 0x10);
    scripted_expect_write(&f.hal, port_base[0] + PNAME, 7);
    expect_move(0x43, 0x23, 0x20);
    spipe__link_set_wwpn(&f.s, 0, 7);
    cr_expect_eq(f.s.notes.port_timeouts, 0);

    expect_move(0x23, 0x43, 0);
    scripted_expect_write(&f.hal, port_base[0] + PNAME, 8);
    expect_move(0x43, 0x23, 0);
    spipe__link_set_wwpn(&f.s, 0, 8);
    cr_expect_eq(f.s.notes.port_timeouts, 1);
    cr_expect_eq(f.s.events.count[SPIPE_EVENT_PORT_TIMEOUT], 2);
    PROVES(AD_47);
}
