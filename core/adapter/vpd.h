/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data of the adapter: a PCI resource list whose read-only section holds the port
 * names (AD-45, R-47). Pure; nothing here touches the device. Shared inside core only. */
#ifndef CORE_VPD_H
#define CORE_VPD_H

#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

enum {
    SPIPE__VPD_SIZE = 256,       /* most that is read (AD-45) */
    SPIPE__VPD_WWPN_LENGTH = 16, /* hexadecimal characters of a port name */
};

/**
 * The world-wide port name of one port: keyword V5, V6, V7 or V8 of the read-only section for port
 * 0, 1, 2 or 3.
 *
 * @param vpd     data as hal_vpd_read() gives it; everything in it may be garbage
 * @param length  bytes
 * @param port    0..3
 * @param wwpn    receives the name, 0 if there is none: no read-only section, no such keyword
 * @return        0; -ENODEV if the keyword is there but its value is not 16 hexadecimal digits or
 *                is cut off by the end of the data
 */
HAL_MUST_CHECK int spipe__vpd_wwpn(const void *vpd, size_t length, unsigned port, uint64_t *wwpn);

#endif
