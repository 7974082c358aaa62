/* SPDX-License-Identifier: Apache-2.0 */
/* What an adapter_fixture does to the registers of its AFU outside of host pages, and which AFU
 * syncs it sends, in order, as text with the numbers of the specification:
 *
 *   r 2010030              register read
 *   w 2010030 2            register written
 *   sync 2 0.0             AFU sync: mode, context, handle
 *   r 2012018 x101         the same line so many times
 *
 * Ports that are not stuck do what CMDCONFIG says at once; aintr_clear clears aintr_status. */
#ifndef SPIPE_TESTS_TESTLIB_PORT_SPY_H
#define SPIPE_TESTS_TESTLIB_PORT_SPY_H

#include <stdint.h>

#include "tests/testlib/adapter_fixture.h"

struct port_spy {
    struct adapter_fixture *f;
    struct hal_ops ops;
    const struct hal_ops *under;
    unsigned stuck; /* mask of ports whose status stays as it is */
    void (*after_write)(struct port_spy *spy, uint64_t offset); /* NULL, or told of each write */
    char text[16384], last[64];
    unsigned repeated; /* so often has `last` come; it is not in `text` yet */
};

/** Starts to look at an adapter that is up; one at a time. */
void port_spy_init(struct port_spy *spy, struct adapter_fixture *f);

/** What was written down since the start or the last such call. */
const char *port_spy_take(struct port_spy *spy);

#endif
