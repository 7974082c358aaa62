/* SPDX-License-Identifier: Apache-2.0 */
/* Telling a card that its host is going away (AD section 16, SL 17.5): each port flushes its I/O,
 * and takes none until the next AFU reset. Shared inside core only. */
#ifndef CORE_SHUTDOWN_H
#define CORE_SHUTDOWN_H

struct spipe;

/**
 * Notifies every port, and waits until each has shut down, for a second a port at most. Only cards
 * that are flagged for it are told, and only while the AFU is up (AD-170).
 *
 * @param s  adapter; no request is under way, and none begins: the gate is closed
 * @return   mask of the ports that were told and did not tell that they had finished
 */
unsigned spipe__shutdown_notify(struct spipe *s);

#endif
