/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/adapter.h"
#include "core/capacity.h"
#include "core/lun_mode.h"
#include "core/lun_size.h"
#include "core/pause.h"
#include "hal/support/endian.h"

/* A port that just came online logs in to its target first. */
#define LOGIN_WAIT (2 * SPIPE__SECOND)
#define LOGIN_PAUSE (100 * SPIPE__MILLISECOND)

enum {
    REPORT_HEADER = 8,
    REPORT_LUNS_MAX = (SPIPE__SCRATCH_SIZE - REPORT_HEADER) / 8,
    PAGE_DEVICE_ID = 0x83,
    PAGE_HEADER = 4,
    DESIGNATOR_HEADER = 4,
    CODE_SET_BINARY = 1,
    TYPE_NAA = 3, /* of a logical unit: association in bits 5..4 is 0 */
    DESIGNATOR_TYPE_MASK = 0x3F,
    NAA_6 = 6,
    WWID_LENGTH = 16,
};

/* What the commands to one LUN tell. */
struct found {
    unsigned port;
    uint64_t lun_id;
    uint8_t wwid[WWID_LENGTH];
    struct spipe__capacity capacity;
};

/* LUN ids of one port. */
struct lun_list {
    unsigned count;
    uint64_t id[REPORT_LUNS_MAX];
};

static const uint8_t *scratch(const struct spipe *s) { return s->scratch; }

/* ---- REPORT LUNS ---- */

static void parse_report(const struct spipe *s, uint32_t valid, struct lun_list *list)
{
    uint32_t bytes = valid > REPORT_HEADER ? valid - REPORT_HEADER : 0;

    if (bytes > hal_be32_at(scratch(s)))
        bytes = hal_be32_at(scratch(s));
    list->count = bytes / 8;
    for (unsigned i = 0; i < list->count; i++)
        list->id[i] = hal_be64_at(scratch(s) + REPORT_HEADER + (size_t)8 * i);
}

/* The LUN inventory, asked of LUN 0, which answers even if it does not exist. Waits for the port to
 * log in until `deadline`. */
static int report_luns(struct spipe *s, unsigned port, uint64_t deadline, struct lun_list *list)
{
    struct spipe__cdb cdb = spipe__cdb_report_luns(SPIPE__SCRATCH_SIZE);
    uint32_t valid;
    int rc;

    while ((rc = spipe__scsi_read(s, port, 0, &cdb, SPIPE__SCRATCH_SIZE, &valid)) == -ENETDOWN) {
        if (exec_now(s->exec) >= deadline)
            return rc;
        spipe__pause(s->exec, LOGIN_PAUSE);
    }
    if (!rc)
        parse_report(s, valid, list);
    return rc;
}

/* ---- INQUIRY ---- */

/* The NAA-6 name among `length` bytes of designators. */
static bool find_wwid(const uint8_t *at, size_t length, uint8_t wwid[WWID_LENGTH])
{
    while (length >= DESIGNATOR_HEADER) {
        size_t size = DESIGNATOR_HEADER + (size_t)at[3];

        if (size > length)
            return false;
        if ((at[0] & 0x0F) == CODE_SET_BINARY && (at[1] & DESIGNATOR_TYPE_MASK) == TYPE_NAA &&
            at[3] == WWID_LENGTH && at[4] >> 4 == NAA_6) {
            memcpy(wwid, at + DESIGNATOR_HEADER, WWID_LENGTH);
            return true;
        }
        at += size;
        length -= size;
    }
    return false;
}

/* -ENXIO: not a disk that has a name (SP-126). */
static int read_wwid(struct spipe *s, struct found *f)
{
    struct spipe__cdb cdb = spipe__cdb_inquiry_page(PAGE_DEVICE_ID, SPIPE__SCRATCH_SIZE);
    const uint8_t *page = scratch(s);
    uint32_t valid, length;
    int rc = spipe__scsi_read(s, f->port, f->lun_id, &cdb, SPIPE__SCRATCH_SIZE, &valid);

    if (rc)
        return rc;
    /* Byte 0: qualifier 0 = connected, type 0 = disk. */
    if (valid < PAGE_HEADER || page[0] != 0 || page[1] != PAGE_DEVICE_ID)
        return -ENXIO;
    length = hal_be16_at(page + 2);
    if (length > valid - PAGE_HEADER)
        length = valid - PAGE_HEADER;
    return find_wwid(page + PAGE_HEADER, length, f->wwid) ? 0 : -ENXIO;
}

/* ---- the table ---- */

static struct spipe__lun *new_lun(struct spipe *s, const struct found *f)
{
    struct spipe__lun *lun;

    if (s->lun_count == SPIPE__LUNS_MAX)
        return NULL;
    lun = &s->lun[s->lun_count++];
    *lun = (struct spipe__lun){.mode = SPIPE_LUN_NONE};
    memcpy(lun->wwid, f->wwid, WWID_LENGTH);
    return lun;
}

/* Whether what was found cannot be what the LUN is known as. Ports must agree about the block size.
 * A LUN in use keeps its ids: the LUN table and entries of direct handles have them. */
static bool contradicts(const struct spipe__lun *lun, const struct found *f)
{
    bool in_use = lun->in_table || lun->mode != SPIPE_LUN_NONE;

    if (lun->seen && lun->block_size != f->capacity.block_size)
        return true;
    return in_use && lun->port_mask & AFU_PORT_BIT(f->port) && lun->lun_id[f->port] != f->lun_id;
}

/* A LUN with a slot that does not know the port stays disabled there: LXT entries name the ports
 * that there were (SP-128). Ports that were known are enabled, or not, as somebody wanted it. */
static bool add(struct spipe *s, const struct found *f)
{
    struct spipe__lun *lun = spipe__lun_find(s, f->wwid);
    unsigned bit = AFU_PORT_BIT(f->port);
    bool known;

    if (!lun)
        lun = new_lun(s, f);
    if (!lun || contradicts(lun, f) || spipe__lun_set_capacity(s, lun, &f->capacity))
        return false;
    known = lun->found_ports & bit;
    lun->seen = true;
    lun->found_ports |= (uint8_t)bit;
    lun->lun_id[f->port] = f->lun_id;
    return known || s->luns_disabled || spipe__lun_enable(s, lun, f->port) == 0;
}

/* ---- all of it ---- */

/* Errors that end the discovery: nothing can be sent any more. */
static bool hopeless(const struct spipe *s, int rc) { return rc == -ENODEV || s->master_stuck; }

static int discover_lun(struct spipe *s, unsigned port, uint64_t lun_id)
{
    struct found f = {.port = port, .lun_id = lun_id};
    int rc = read_wwid(s, &f);

    if (!rc)
        rc = spipe__capacity_read(s, port, lun_id, &f.capacity);
    if (rc && hopeless(s, rc))
        return rc;
    if (rc || !add(s, &f))
        s->luns_skipped++;
    return 0;
}

/* A port without a target, or with one that does not speak to us, has no LUNs. *silent is set if
 * not even an error came back. */
static int discover_port(struct spipe *s, unsigned port, uint64_t deadline, bool *silent)
{
    struct lun_list list;
    int rc = report_luns(s, port, deadline, &list);

    *silent = rc == -ETIMEDOUT;
    if (rc)
        return hopeless(s, rc) ? rc : 0;
    for (unsigned i = 0; i < list.count && !rc; i++)
        rc = discover_lun(s, port, list.id[i]);
    return rc;
}

static int failure(int rc, unsigned port, struct spipe__why why)
{
    if (rc == -ENODEV)
        return spipe__why(why, rc, "the adapter stopped answering while its LUNs were read");
    return spipe__why(
        why, -EIO, "a command to read the LUNs of port %u was lost, and the AFU did not give it up",
        port);
}

int spipe__discover_luns(struct spipe *s, struct spipe__why why)
{
    uint64_t deadline = spipe__deadline(s->exec, LOGIN_WAIT);
    bool all_silent = true;

    s->luns_skipped = 0;
    for (unsigned i = 0; i < s->lun_count; i++)
        s->lun[i].seen = false;
    for (unsigned port = 0; port < s->ports; port++) {
        bool silent;
        int rc = discover_port(s, port, deadline, &silent);

        if (rc)
            return failure(rc, port, why);
        all_silent = all_silent && silent;
    }
    if (all_silent)
        return spipe__why(why, -ETIMEDOUT, "the AFU answered none of the commands sent to it");
    return 0;
}
