/* SPDX-License-Identifier: Apache-2.0 */
/* Which device the tests of a program have below core. `device` gives that of the simulator;
 * `device_capi`, linked first (spipe_test(capi = True)), the same one through backends/capi and the
 * stand-in for libcxl. So one test runs over both. */
#ifndef TESTS_TESTLIB_DEVICE_H
#define TESTS_TESTLIB_DEVICE_H

struct hal_dev;
struct sim_host;

/** The device of an adapter of a host. Aborts the test if there is none. */
struct hal_dev *test_device(struct sim_host *h, unsigned adapter);

/** Ends what test_device() made for a host; before the host ends. */
void test_device_done(struct sim_host *h);

#endif
