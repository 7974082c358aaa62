/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HAL_SUPPORT_CRC32C_H
#define HAL_SUPPORT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** CRC-32C (Castagnoli, reflected) of `length` bytes, continued from `crc` (0 to begin).
 * Guards records on media; thread safe. hal_crc32c(0, "123456789", 9) is 0xE3069283. */
uint32_t hal_crc32c(uint32_t crc, const void *data, size_t length);

#endif
