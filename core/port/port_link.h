/* SPDX-License-Identifier: Apache-2.0 */
/* The link of one FC port: offline, online, and the wait for either (AD-91, AD-92). Shared inside
 * core only. The caller is inside the gate of a NORMAL adapter, or is bringing it up. */
#ifndef CORE_PORT_LINK_H
#define CORE_PORT_LINK_H

#include "core/adapter/adapter.h"

/** What the status register of a port says (SL 5.3). */
enum spipe__link { SPIPE__LINK_UNKNOWN, SPIPE__LINK_OFFLINE, SPIPE__LINK_ONLINE };

/** State of a port now. */
enum spipe__link spipe__link_state(struct spipe *s, unsigned port);

/** Asks a port to go offline or online: read-modify-write of CMDCONFIG (AD-91). */
void spipe__link_request(struct spipe *s, unsigned port, enum spipe__link wanted);

/**
 * Waits until a port is `wanted`: a look every 100 ms, at most 101 of them (10.1 s); on a dead
 * adapter, which reads all ones, 6 (AD-92).
 *
 * @return  whether it got there
 */
bool spipe__link_wait(struct spipe *s, unsigned port, enum spipe__link wanted);

/**
 * Gives a port its world-wide name: offline, name, online (AD-47). Waits that run out are noted in
 * s->notes and change nothing else.
 */
void spipe__link_set_wwpn(struct spipe *s, unsigned port, uint64_t wwpn);

#endif
