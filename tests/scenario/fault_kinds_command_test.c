/* SPDX-License-Identifier: Apache-2.0 */
/* Fault kinds of commands and of the AFU that carries them out: FK-19, 20, 29 to 34. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "sim/sim_control.h"
#include "tests/scenario/fault_kinds.h"

TestSuite(fault_kinds_command, .timeout = 120);

/* An AFU that is out of something says so, and the next try may work (SL 18.1). */
static const struct fault_case shortages[] = {
    {.name = "FK-19: no data buffers",
     .plan = "fetch%9x5=x(0x30)",
     .errors = {-EIO, -EAGAIN, -ENOBUFS, -EBUSY},
     .needs_errors = true},
    {.name = "FK-19: no channels",
     .plan = "port%9x5=x(0x20)",
     .errors = {-EIO, -ENETDOWN},
     .needs_errors = true},
    {.name = "FK-19: timed out before or after the port",
     .plan = "port%9x3=x(0x50)+port%11x3=x(0x51)",
     .errors = {-EIO, -ETIMEDOUT},
     .needs_errors = true},
    {.name = "FK-19: a sync is under way already",
     .plan = "afucmd#1..2=x(0x22)",
     .errors = {-EAGAIN},
     .resizes = true},
    {.name = "FK-20: capabilities are lost",
     .plan = "cap#20=x(0x21)",
     .errors = {-EIO, -EPERM, -EACCES},
     .needs_errors = true},
};

/* No command is sent without room (PERM_ERR_CMDROOM would be a violation), and nobody spins. */
static const struct fault_case credits[] = {
    {.name = "FK-29: no room", .plan = "room%2x20=v(0)", .resizes = true},
    {.name = "FK-29: little room", .plan = "room#1x20=v(1)", .resizes = true},
    {.name = "FK-29: room that reads as all ones", .plan = "room#1=o", .errors = {-ENODEV, -EIO}},
    {.name = "FK-29: a doorbell is lost",
     .plan = "bell#20=d",
     .errors = {-ETIMEDOUT},
     .needs_errors = true},
};

static const struct fault_case hangs[] = {
    {.name = "FK-30: the AFU forgets a command",
     .plan = "fetch#20=n",
     .errors = {-ETIMEDOUT, -EAGAIN, -EIO},
     .needs_errors = true,
     .resizes = true,
     .resets = 1},
    {.name = "FK-31: a context reset is slow",
     .plan = "afucmd#1=d+creset#1=l(400000)",
     .resizes = true},
    {.name = "FK-31: a context reset takes longer than anybody waits for it",
     .plan = "afucmd#1=d+creset#1=l(1000000)",
     .errors = {-EAGAIN, -EIO, -EINVAL},
     .resizes = true,
     .needs_errors = true,
     .resets = 1},
    {.name = "FK-31: a context reset never ends",
     .plan = "afucmd#1=d+creset#1=n",
     .errors = {-EAGAIN, -EIO, -EINVAL},
     .resizes = true,
     .needs_errors = true,
     .resets = 1},
    {.name = "FK-31: a context reset reads as all ones",
     .plan = "afucmd#1=d+creset#1=o",
     .errors = {-EAGAIN, -EIO, -EINVAL},
     .resizes = true,
     .needs_errors = true,
     .resets = 1},
    {.name = "FK-31: the AFU reset that follows fails",
     .plan = "afucmd#1=d+creset#1=n+afurst#1=x",
     .errors = {-EAGAIN, -EIO, -EINVAL, -ENODEV},
     .resizes = true,
     .needs_errors = true,
     .may_fail = true},
};

static const struct fault_case syncs[] = {
    {.name = "FK-32: a sync is lost", .plan = "afucmd#1=d", .resizes = true},
    {.name = "FK-32: a sync takes 9.9 s", .plan = "afucmd#1=l(2475000000)", .resizes = true},
    {.name = "FK-32: a sync takes 10.1 s",
     .plan = "afucmd#1=l(2525000000)",
     .errors = {-EAGAIN},
     .resizes = true},
    {.name = "FK-32: a sync fails",
     .plan = "afucmd#1..2=x",
     .errors = {-EAGAIN},
     .resizes = true,
     .needs_errors = true},
    {.name = "FK-32: a sync fails three times in a row", /* */
     .plan = "afucmd#1..3=x",
     .errors = {-EAGAIN, -EIO, -EINVAL},
     .resizes = true,
     .needs_errors = true,
     .resets = 1},
    {.name = "FK-32: the unit hangs",
     .plan = "afucmd#1=n",
     .errors = {-EAGAIN, -EIO, -EINVAL},
     .resizes = true,
     .resets = 1},
    {.name = "FK-32: a sync is lost twice",
     .plan = "afucmd#1=d+afucmd#2=d",
     .errors = {-EAGAIN, -EIO, -EINVAL},
     .resizes = true,
     .needs_errors = true,
     .resets = 1},
};

/* ---- requests of the administrator, FK-33 ---- */

#define ABLE UINT64_C(0x8C00000000010002) /* provisions LUNs, takes debug commands (SL 20.2) */

/* Nothing is copied out on failure, and the next try works. */
static void debug_fails(struct stack *s)
{
    static const uint8_t subcommand[SPIPE_DEBUG_BYTES] = {0};
    uint8_t data[64];

    memset(data, 0xA5, sizeof data);
    cr_assert_eq(spipe_afu_debug(s->adapter, subcommand, false, data, sizeof data), -EIO);
    for (unsigned i = 0; i < sizeof data; i++)
        cr_assert_eq(data[i], 0xA5);
    stack_fired(s);
    cr_assert_eq(spipe_afu_debug(s->adapter, subcommand, false, data, sizeof data), 0);
}

/* The AFU has made it all the same, which nobody can know (core/superpipe.h). */
static void provision_fails(struct stack *s)
{
    struct spipe_provisioned_lun lun = {.lun_id = 77};

    cr_assert_eq(spipe_lun_provision_create(s->adapter, 0, 4096, &lun), -EIO);
    cr_assert_eq(lun.lun_id, 77);
    cr_assert_eq(spipe_lun_provision_create(s->adapter, 0, 4096, &lun), 0);
    cr_assert_eq(spipe_lun_provision_delete(s->adapter, 0, lun.lun_id), 0);
}

static const struct fault_case requests[] = {
    {.name = "FK-33: a debug command fails",
     .plan = "afucmd#1=x",
     .interface_version = ABLE,
     .meanwhile = debug_fails},
    {.name = "FK-33: debug data are short",
     .plan = "afucmd#1=s(16)",
     .interface_version = ABLE,
     .meanwhile = debug_fails},
    {.name = "FK-33: making a LUN fails",
     .plan = "afucmd#1=x",
     .errors = {-EIO}, /* unit attention: there are other LUNs now */
     .interface_version = ABLE,
     .meanwhile = provision_fails},
};

Test(fault_kinds_command, requests_of_the_administrator) { FAULT_CASES_RUN(requests); }

Test(fault_kinds_command, the_afu_is_short_of_something) { FAULT_CASES_RUN(shortages); }

Test(fault_kinds_command, credits_go_wrong) { FAULT_CASES_RUN(credits); }

Test(fault_kinds_command, the_afu_hangs) { FAULT_CASES_RUN(hangs); }

Test(fault_kinds_command, syncs_go_wrong) { FAULT_CASES_RUN(syncs); }
