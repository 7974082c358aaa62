/* SPDX-License-Identifier: Apache-2.0 */
/* INQUIRY: standard data and vital product data. */
#include <string.h>

#include "hal/support/endian.h"
#include "sim/sim_scsi_ops.h"

#define INQUIRY_EVPD 0x01
#define NO_LUN 0x7F /* qualifier 3, type 1Fh: the target cannot have a device here */
#define SERIAL_BYTES 32

_Static_assert(sizeof SIM_SCSI_VENDOR - 1 == 8, "the vendor field is exactly 8 bytes");
_Static_assert(sizeof SIM_SCSI_PRODUCT - 1 <= 16, "the product field has 16 bytes");
_Static_assert(sizeof SIM_SCSI_REVISION - 1 == 4, "the revision field is exactly 4 bytes");

static bool known_page(uint8_t page) { return page == 0x00 || page == 0x80 || page == 0x83; }

void scsi_begin_inquiry(struct scsi_call *c)
{
    const uint8_t *cdb = c->rq->cdb;
    bool evpd = cdb[1] & INQUIRY_EVPD;

    if ((cdb[1] & ~INQUIRY_EVPD) || (evpd ? !c->lun || !known_page(cdb[2]) : cdb[2] != 0))
        scsi_invalid_field(c);
}

static uint32_t standard_inquiry(const struct scsi_call *c, uint8_t *out)
{
    out[0] = c->lun ? 0x00 : NO_LUN; /* direct access block device */
    out[2] = 0x06;                   /* SPC-4 */
    out[3] = 0x12;                   /* hierarchical addressing, response data format 2 */
    out[4] = 36 - 5;
    out[6] = 0x10; /* more than one port */
    out[7] = 0x02; /* command queuing */
    memset(out + 8, ' ', 28);
    memcpy(out + 8, SIM_SCSI_VENDOR, sizeof SIM_SCSI_VENDOR - 1);
    memcpy(out + 16, SIM_SCSI_PRODUCT, sizeof SIM_SCSI_PRODUCT - 1);
    memcpy(out + 32, SIM_SCSI_REVISION, sizeof SIM_SCSI_REVISION - 1);
    return 36;
}

/* The serial number is the WWID in hexadecimal. */
static void put_serial(const uint8_t wwid[16], uint8_t *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (unsigned i = 0; i < SERIAL_BYTES; i++)
        out[i] = (uint8_t)digits[wwid[i / 2] >> (i % 2 ? 0 : 4) & 0xF];
}

uint32_t scsi_build_inquiry(const struct scsi_call *c, uint8_t *out)
{
    static const uint8_t naa_header[4] = {0x01, 0x03, 0x00, 0x10}; /* binary, LUN's NAA, 16 bytes */

    if (!(c->rq->cdb[1] & INQUIRY_EVPD) || !c->lun)
        return standard_inquiry(c, out);
    out[1] = c->rq->cdb[2];
    switch (out[1]) {
    case 0x80:
        out[3] = SERIAL_BYTES;
        put_serial(c->lun->wwid, out + 4);
        break;
    case 0x83:
        out[3] = sizeof naa_header + sizeof c->lun->wwid;
        memcpy(out + 4, naa_header, sizeof naa_header);
        memcpy(out + 8, c->lun->wwid, sizeof c->lun->wwid);
        break;
    default:
        out[3] = 3;
        memcpy(out + 4, (const uint8_t[]){0x00, 0x80, 0x83}, 3);
        break;
    }
    return 4u + out[3];
}
