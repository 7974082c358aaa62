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

static const uint8_t pages[] = {0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2};

static bool known_page(uint8_t page) { return memchr(pages, page, sizeof pages); }

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

static void put_identification(const uint8_t wwid[16], uint8_t *out)
{
    static const uint8_t header[4] = {0x01, 0x03, 0x00, 0x10}; /* binary, LUN's NAA, 16 bytes */

    memcpy(out, header, sizeof header);
    memcpy(out + sizeof header, wwid, 16);
}

/* Block limits: WRITE SAME refuses a count of 0; unmapping gives back whole pieces. Transfers and
 * WRITE SAME have no limit of the device. */
static void put_block_limits(const struct scsi_call *c, uint8_t *page)
{
    page[4] = 0x01; /* WSNZ */
    if (!c->t->lbpme)
        return;
    hal_be32_put(page + 20, UINT32_MAX); /* blocks of a descriptor */
    hal_be32_put(page + 24, SCSI_UNMAP_MAX);
    hal_be32_put(page + 28, (uint32_t)(SIM_MEDIA_PIECE_BYTES / c->medium->block_size));
    hal_be32_put(page + 32, 0x80000000); /* alignment valid: 0 */
}

static void put_provisioning(const struct sim_scsi *t, uint8_t *page)
{
    page[5] = (uint8_t)((t->lbpme ? 0xC0 : 0) | /* UNMAP, WRITE SAME(16) */
                        (t->lbprz ? 0x04 : 0));
    page[6] = t->lbpme ? 0x02 : 0x00; /* thin, or fully provisioned */
}

/* Fills a page behind its header of four bytes; returns the length that the header tells. */
static uint8_t put_page(const struct scsi_call *c, uint8_t *page)
{
    switch (page[1]) {
    case 0x80:
        put_serial(c->lun->wwid, page + 4);
        return SERIAL_BYTES;
    case 0x83:
        put_identification(c->lun->wwid, page + 4);
        return 20;
    case 0xB0:
        put_block_limits(c, page);
        return 0x3C;
    case 0xB1:
        page[5] = 0x01; /* nothing rotates */
        return 0x3C;
    case 0xB2:
        put_provisioning(c->t, page);
        return 4;
    default:
        memcpy(page + 4, pages, sizeof pages);
        return sizeof pages;
    }
}

uint32_t scsi_build_inquiry(const struct scsi_call *c, uint8_t *out)
{
    if (!(c->rq->cdb[1] & INQUIRY_EVPD) || !c->lun)
        return standard_inquiry(c, out);
    out[1] = c->rq->cdb[2];
    out[3] = put_page(c, out);
    return 4u + out[3];
}
