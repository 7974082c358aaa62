/* SPDX-License-Identifier: Apache-2.0 */
/* Fault kinds of links, logins and asynchronous events: FK-1 to FK-5. */
#include <criterion/criterion.h>
#include <errno.h>

#include "hal/afu_regs.h"
#include "sim/sim_control.h"
#include "tests/scenario/fault_kinds.h"
#include "tests/testlib/proves.h"

TestSuite(fault_kinds_link, .timeout = 120);

/* What I/O under way on a port that goes away may end with. */
#define LINK_ERRORS                                                                                \
    {                                                                                              \
        -EIO, -ENETDOWN                                                                            \
    }

static struct sim_afu *afu(struct stack *s) { return sim_host_afu(s->host, 0); }

static void flap(struct stack *s, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        sim_afu_link_down(afu(s), i % 2);
        fault_case_pause(s, 60);
        sim_afu_link_up(afu(s), i % 2);
        fault_case_pause(s, 240);
    }
}

static void flap_once(struct stack *s) { flap(s, 1); }

static void flap_often(struct stack *s) { flap(s, 100); }

static void cable_out_and_in(struct stack *s)
{
    sim_afu_link_down(afu(s), 0);
    fault_case_pause(s, 100);
    sim_afu_link_up(afu(s), 0);
    fault_case_pause(s, 3000);
}

static void cable_out(struct stack *s)
{
    sim_afu_link_down(afu(s), 0);
    fault_case_pause(s, 1000);
}

/* Both ports may be used and are online. */
static void ports_are_back(struct stack *s)
{
    struct spipe_adapter_info info;

    cr_assert_eq(sim_afu_peek(afu(s), AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL), 3);
    spipe_adapter_info(s->adapter, &info);
    cr_assert(info.port_online[0] && info.port_online[1]);
}

static struct spipe_port_info port(struct stack *s, unsigned number)
{
    struct spipe_port_info info;

    cr_assert_eq(spipe_port_info(s->adapter, number, &info), 0);
    return info;
}

/* The port answers to nothing and is left so; a reset by hand gives up in its time (AD-92), and it
 * may be used again all the same (VL-69). */
static void port_is_given_up(struct stack *s)
{
    stack_plan(s, "plink#1*=d");
    cr_assert_eq(spipe_port_reset(s->adapter, 0), -ETIMEDOUT);
    PROVES(AD_92);
    cr_assert_eq(sim_afu_peek(afu(s), AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL), 3);
    cr_assert_eq(port(s, 0).resets_failed, 1);
    stack_plan(s, "");
}

static void both_were_reset(struct stack *s)
{
    ports_are_back(s);
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(port(s, i).resets, 1, "port %u", i);
    PROVES(D_7);
}

static void nothing_was_reset(struct stack *s)
{
    ports_are_back(s);
    cr_assert_eq(port(s, 0).resets + port(s, 1).resets, 0);
}

static void login_was_tried_again(struct stack *s)
{
    ports_are_back(s);
    cr_assert_geq(port(s, 0).events[SPIPE_PORT_LOGIN], 1);
}

static void refusal_was_noted(struct stack *s)
{
    cr_assert_eq(port(s, 0).events[SPIPE_PORT_LOGIN_FAILED], 1);
    cr_assert_eq(port(s, 0).fc_error, 5);
}

static const struct fault_case flaps[] = {
    {.name = "FK-1: a link falls and comes back",
     .plan = "",
     .errors = LINK_ERRORS,
     .meanwhile = flap_once,
     .judge = ports_are_back},
    {.name = "FK-1: links fall and come back a hundred times",
     .plan = "",
     .errors = LINK_ERRORS,
     .resizes = true,
     .meanwhile = flap_often,
     .judge = ports_are_back},
    {.name = "FK-1: a link that falls again while it logs in",
     .plan = "plink#1=flap(5)",
     .errors = LINK_ERRORS,
     .meanwhile = cable_out_and_in,
     .judge = ports_are_back},
    {.name = "FK-2: a link stays down",
     .plan = "",
     .errors = LINK_ERRORS,
     .meanwhile = cable_out,
     .judge = port_is_given_up},
};

static const struct fault_case logins[] = {
    {.name = "FK-3: a login is refused",
     .plan = "plink#1=x(5)",
     .errors = LINK_ERRORS,
     .meanwhile = cable_out_and_in,
     .judge = refusal_was_noted},
    {.name = "FK-3: a login is not answered",
     .plan = "plink#1=n",
     .errors = LINK_ERRORS,
     .meanwhile = cable_out_and_in,
     .judge = login_was_tried_again},
    {.name = "FK-3: the target logs out",
     .plan = "fc#20=logout(25000000)",
     .errors = LINK_ERRORS,
     .judge = ports_are_back},
    {.name = "FK-3: the target logs out of both ports",
     .plan = "fc#20..21=logout(25000000)",
     .errors = LINK_ERRORS,
     .resizes = true,
     .judge = ports_are_back},
};

static const struct fault_case events[] = {
    {.name = "FK-4: both ports ask for a reset at once",
     .plan = "aintr#1=v(0x2020)",
     .errors = LINK_ERRORS,
     .meanwhile = cable_out,
     .judge = both_were_reset},
    {.name = "FK-4: an error of a port",
     .plan = "fc#20=porterror(1)",
     .errors = LINK_ERRORS,
     .judge = ports_are_back},
    {.name = "FK-5: an event is lost",
     .plan = "aintr#1..2=d",
     .errors = LINK_ERRORS,
     .meanwhile = cable_out_and_in,
     .judge = nothing_was_reset},
    {.name = "FK-5: events come twice",
     .plan = "aintr#1*=2",
     .errors = LINK_ERRORS,
     .meanwhile = cable_out_and_in,
     .judge = nothing_was_reset},
    {.name = "FK-5: an event of no port",
     .plan = "aintr#1=v(0x100000000000000)",
     .errors = LINK_ERRORS,
     .meanwhile = cable_out_and_in,
     .judge = nothing_was_reset},
};

Test(fault_kinds_link, links_fall) { FAULT_CASES_RUN(flaps); }

Test(fault_kinds_link, logins_fail) { FAULT_CASES_RUN(logins); }

Test(fault_kinds_link, events_go_wrong) { FAULT_CASES_RUN(events); }
