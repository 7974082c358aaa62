/* SPDX-License-Identifier: Apache-2.0 */
/* Fault kinds of interrupts and responses: FK-6 to FK-9. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/scenario/fault_kinds.h"

TestSuite(fault_kinds_interrupt, .timeout = 120);

/* Whoever sleeps finds what is there at the next interrupt or when the wait is over; the master
 * finds the answer of a sync before it is declared lost. */
static const struct fault_case interrupts[] = {
    {.name = "FK-6: messages of clients are lost", .plan = "lisn%5=d", .interrupts = true},
    {.name = "FK-6: events of clients are lost", .plan = "evt%5=d", .interrupts = true},
    {.name = "FK-6: a message of the master is lost", .plan = "lisn#1..3=d", .resizes = true},
    {.name = "FK-6: an event of the master is lost", .plan = "evt#1..3=d", .resizes = true},
    {.name = "FK-7: messages come twice", .plan = "lisn%2=2", .interrupts = true, .resizes = true},
    {.name = "FK-7: events come twice", .plan = "evt%2=2", .interrupts = true, .resizes = true},
    {.name = "FK-7: messages are late", .plan = "lisn%3=l", .interrupts = true, .resizes = true},
    {.name = "FK-7: events are late", .plan = "evt%3=l", .interrupts = true, .resizes = true},
    {.name = "FK-7: messages come before their elements",
     .plan = "lisn%2=e(5000)",
     .interrupts = true,
     .resizes = true},
    {.name = "FK-8: a storm of messages",
     .plan = "lisn#1x1000=2",
     .interrupts = true,
     .resizes = true},
    {.name = "FK-8: a storm of events",
     .plan = "evt#1x1000=2",
     .interrupts = true,
     .resizes = true},
};

/* What is lost is told after its time-out, and to nobody else. */
static const struct fault_case responses[] = {
    {.name = "FK-9: the response of an I/O is lost",
     .plan = "rrq#30=d",
     .errors = {-ETIMEDOUT},
     .needs_errors = true},
    {.name = "FK-9: responses are lost",
     .plan = "rrq%40x5=d",
     .errors = {-ETIMEDOUT},
     .needs_errors = true,
     .interrupts = true},
    {.name = "FK-9: responses of all, clients and master, are lost now and then",
     .plan = "rrq%37x8=d",
     .errors = {-ETIMEDOUT, -EAGAIN},
     .needs_errors = true,
     .resizes = true},
};

Test(fault_kinds_interrupt, interrupts_go_wrong) { FAULT_CASES_RUN(interrupts); }

Test(fault_kinds_interrupt, responses_are_lost) { FAULT_CASES_RUN(responses); }
