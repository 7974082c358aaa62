/* SPDX-License-Identifier: Apache-2.0 */
/* The question with which every test that has a model ends: what has the strict checker found? */
#ifndef TESTS_TESTLIB_STRICT_CHECK_H
#define TESTS_TESTLIB_STRICT_CHECK_H

#include "sim/sim_control.h"

/** Aborts the test if the model broke a rule. */
void strict_check_model(const struct sim_afu *a);

/** Aborts the test if the model or the host broke a rule. */
void strict_check(const struct sim_afu *a);

/** The test broke one rule on purpose: aborts it if that was not found, or something else was. */
void strict_check_broken(const struct sim_afu *a, enum sim_rule rule);

#endif
