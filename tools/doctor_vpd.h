/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data of a PCI function, keyword by keyword. Everything in it may be garbage. */
#ifndef TOOLS_DOCTOR_VPD_H
#define TOOLS_DOCTOR_VPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One keyword of the read-only or writable section, or the name of the product ("ID"). */
struct doctor_vpd_field {
    char keyword[3];
    const uint8_t *data; /* into the data that was given */
    size_t length;
};

/** Where a walk stands. Zero it at the start. */
struct doctor_vpd_walk {
    size_t at, end; /* end of the section that it is in */
};

/** The next field. Returns false behind the last one, or where the data make no sense. */
bool doctor_vpd_next(const uint8_t *vpd, size_t size, struct doctor_vpd_walk *w,
                     struct doctor_vpd_field *out);

/** Whether the name of a port is there: keyword V5 + port with 16 hexadecimal characters (AD-45).
 */
bool doctor_vpd_has_port(const uint8_t *vpd, size_t size, unsigned port);

#endif
