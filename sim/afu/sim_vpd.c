/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data of the simulated card: PCI VPD with an identifier, the keywords V5..V8 that
 * hold the WWPN of ports 0..3 as 16 hexadecimal characters (AD-45, R-47), and the checksum. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/afu/sim_afu.h"
#include "sim/sim_bus.h"

#define TAG_IDENTIFIER 0x82
#define TAG_READ_ONLY 0x90
#define TAG_END 0x78

static const char identifier[] = "Superpipe simulated CAPI Flash adapter";

static size_t put_tag(uint8_t *at, uint8_t tag, size_t length)
{
    at[0] = tag;
    at[1] = (uint8_t)length;
    at[2] = (uint8_t)(length >> 8);
    return 3;
}

/* World wide port name of a port: NAA 5, IBM's company id, adapter and port. */
static uint64_t wwpn(const struct sim_afu *a, unsigned port)
{
    return UINT64_C(0x5005076000000000) | ((uint64_t)a->number << 8) | (port + 1);
}

static size_t put_keywords(const struct sim_afu *a, uint8_t *at)
{
    size_t n = 0;

    for (unsigned p = 0; a->params.wwpn_in_vpd && p < a->params.ports; p++) {
        char text[17];

        snprintf(text, sizeof text, "%016llX", (unsigned long long)wwpn(a, p));
        at[n] = 'V';
        at[n + 1] = (uint8_t)('5' + p);
        at[n + 2] = 16;
        memcpy(at + n + 3, text, 16);
        n += 19;
    }
    return n;
}

/* RV: the sum of all bytes up to and including this one is 0. */
static size_t put_checksum(uint8_t *vpd, size_t at)
{
    uint8_t sum = 0;

    vpd[at] = 'R';
    vpd[at + 1] = 'V';
    vpd[at + 2] = 1;
    for (size_t i = 0; i < at + 3; i++)
        sum = (uint8_t)(sum + vpd[i]);
    vpd[at + 3] = (uint8_t)-sum;
    return 4;
}

int sim_bus_vpd(struct sim_afu *a, void *buf, size_t size)
{
    uint8_t vpd[256];
    uint64_t arg = 0;
    size_t n, body;

    if (!sim_slot_up(a))
        return -EIO;
    switch (sim_site(a, SIM_SITE_VPD, &arg)) {
    case SIM_EFFECT_REFUSE:
        return -EIO;
    case SIM_EFFECT_SHORT:
        size = size < 8 ? size : 8;
        break;
    default:
        break;
    }
    n = put_tag(vpd, TAG_IDENTIFIER, sizeof identifier - 1);
    memcpy(vpd + n, identifier, sizeof identifier - 1);
    n += sizeof identifier - 1;
    body = put_keywords(a, vpd + n + 3);
    put_tag(vpd + n, TAG_READ_ONLY, body + 4);
    n += 3 + body;
    n += put_checksum(vpd, n);
    vpd[n++] = TAG_END;
    n = n < size ? n : size;
    memcpy(buf, vpd, n);
    return (int)n;
}
