/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/support/crc32c.h"

/* Half-byte table: small enough to be checked by eye, fast enough for records of a few hundred
 * bytes that are written once per catalogue change. */
static const uint32_t nibble[16] = {
    0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

uint32_t hal_crc32c(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *p = data;

    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc = nibble[(crc ^ p[i]) & 15] ^ (crc >> 4);
        crc = nibble[(crc ^ (p[i] >> 4)) & 15] ^ (crc >> 4);
    }
    return ~crc;
}
