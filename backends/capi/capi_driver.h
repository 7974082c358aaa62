/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the kernel's own driver of the flash AFU, cxlflash, has a card (CX-132). */
#ifndef BACKENDS_CAPI_CAPI_DRIVER_H
#define BACKENDS_CAPI_CAPI_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

struct cxl_kernel;

/** Looks for a function that cxlflash drives among those that the cxl driver makes of a card's
 * AFUs: they stand behind virtual host bridges below the card's PCI function
 * (".../0006:00:00.0/pci0007:00/0007:00:00.0").
 *
 * @param pci       the sysfs directory of the card's PCI function
 * @param function  receives the name of the first one, "0007:00:00.0"; "" if there is none
 * @param size      of that, in bytes
 * @return          whether there is one. Any thread. */
bool capi_driver_find(const struct cxl_kernel *kernel, const char *pci, char *function,
                      size_t size);

#endif
