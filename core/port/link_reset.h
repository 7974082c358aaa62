/* SPDX-License-Identifier: Apache-2.0 */
/* Resetting the link of one FC port (AD-93): no command may go through the port and none is left on
 * it, offline, online, and it may be used again. Shared inside core only; the verbs
 * are spipe_port_reset of core/superpipe.h, and spipe_port_offline and spipe_port_online, which are
 * the two halves of it. */
#ifndef CORE_LINK_RESET_H
#define CORE_LINK_RESET_H

#include "core/adapter/adapter.h"

/** What a reset knows on its way. */
struct spipe__link_reset {
    struct spipe *s;
    unsigned port;
    bool clear;      /* errors of the port are forgotten at the end */
    uint64_t others; /* ports that commands may use meanwhile */
    int result;      /* of the first step that failed */
};

/** One state of it. */
struct spipe__link_step {
    const char *name;
    const char *requirement;                 /* of adapter.md */
    int (*run)(struct spipe__link_reset *r); /* 0 or a negative errno */
};

/** The steps in order, for tests and tools that print or assert them. */
const struct spipe__link_step *spipe__link_reset_steps(unsigned *count);

/**
 * Resets the link of a port. Failures end it only if the adapter is gone: whatever else happens,
 * the port may be used again afterwards.
 *
 * @param s      adapter; the caller is inside the gate, has seen NORMAL and holds no lock
 * @param port   0 .. ports - 1
 * @param clear  whether FC_ERROR and FC_ERRCAP are cleared, after the reset (D-20)
 * @return       0; -ENODEV: the adapter answers nothing; -ETIMEDOUT: the port was not offline, or
 *               not online again, in 10.1 s; or what an AFU sync gave
 *
 * One at a time; blocks up to 20.2 s and two syncs.
 */
HAL_MUST_CHECK int spipe__link_reset(struct spipe *s, unsigned port, bool clear);

/** Forgets the errors of a port: FC_ERROR, as it is now, and FC_ERRCAP (AD-87). The caller is
 * inside the gate and has seen NORMAL. */
void spipe__link_clear_errors(struct spipe *s, unsigned port);

#endif
