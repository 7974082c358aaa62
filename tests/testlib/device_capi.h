/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TESTLIB_DEVICE_CAPI_H
#define TESTS_TESTLIB_DEVICE_CAPI_H

#include "tests/testlib/standin_rig.h"

/** What the next host's devices are reached through; the library unless a test changes it. */
void test_device_by(enum standin_way way);

#endif
