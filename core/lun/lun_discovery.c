/* SPDX-License-Identifier: Apache-2.0 */
/* Which LUNs an adapter has: REPORT LUNS and INQUIRY of each through each port. */
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "core/command/capacity.h"
#include "core/lun/lun_mode.h"
#include "core/lun/lun_size.h"
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

static int report_luns_alone(struct spipe *s, unsigned port, uint64_t deadline,
                             struct lun_list *list)
{
    int rc;

    exec_mutex_lock(s->exec, &s->scsi);
    rc = report_luns(s, port, deadline, list);
    exec_mutex_unlock(s->exec, &s->scsi);
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

static int read_wwid_alone(struct spipe *s, struct found *f)
{
    int rc;

    exec_mutex_lock(s->exec, &s->scsi);
    rc = read_wwid(s, f);
    exec_mutex_unlock(s->exec, &s->scsi);
    return rc;
}

/* ---- the table ---- */

/* -EIO: the table is full. */
static int new_lun(struct spipe *s, const struct found *f, struct spipe__lun **out)
{
    struct spipe__lun *lun;
    int rc;

    if (s->lun_count == SPIPE__LUNS_MAX)
        return -EIO;
    lun = &s->lun[s->lun_count];
    *lun = (struct spipe__lun){0};
    rc = spipe__group_add_lun(s, lun, f->wwid);
    if (rc)
        return rc;
    s->lun_count++;
    *out = lun;
    return 0;
}

/* Whether what was found cannot be what the LUN is known as. Ports must agree about the block size.
 * A LUN in use keeps its ids: the LUN table and entries of direct handles have them. */
static bool contradicts(const struct spipe__lun *lun, const struct found *f)
{
    bool in_use = lun->in_table || lun->global->mode != SPIPE_LUN_NONE;

    if (lun->seen && lun->global->block_size != f->capacity.block_size)
        return true;
    return in_use && lun->port_mask & AFU_PORT_BIT(f->port) && lun->lun_id[f->port] != f->lun_id;
}

/* Takes note of what was found. A LUN with a slot that does not know the port stays disabled there:
 * LXT entries name the ports that there were (SP-128). Ports that were known are enabled, or not,
 * as somebody wanted it. Returns 0, -ENOMEM, or another error for a LUN that cannot be used. */
static int note(struct spipe *s, struct spipe__lun *lun, const struct found *f)
{
    unsigned bit = AFU_PORT_BIT(f->port);
    bool known = lun->found_ports & bit;
    int rc;

    if (contradicts(lun, f))
        return -EIO;
    rc = spipe__lun_set_capacity(s, lun->global, &f->capacity);
    if (rc)
        return rc;
    lun->seen = true;
    if (!known)
        spipe__event(s, LUN_FOUND, (uint64_t)(lun - s->lun), f->port, f->lun_id);
    lun->found_ports |= (uint8_t)bit;
    if (lun->lun_id[f->port] != f->lun_id) /* whoever uses the LUN reads it without the books */
        lun->lun_id[f->port] = f->lun_id;
    rc = spipe__lun_start(s, lun->global); /* before anybody can use it */
    lun->unfit = rc != 0;
    s->luns_unfit += lun->unfit;
    if (lun->unfit)
        spipe__event(s, LUN_UNFIT, (uint64_t)(lun - s->lun));
    if (!rc && !known && !s->luns_disabled)
        rc = spipe__lun_enable(s, lun, f->port);
    return rc;
}

static int add(struct spipe *s, const struct found *f)
{
    struct spipe__lun *lun;
    int rc = 0;

    exec_mutex_lock(s->exec, &s->group->names);
    spipe__books_lock(s);
    lun = spipe__lun_find(s, f->wwid);
    if (!lun)
        rc = new_lun(s, f, &lun);
    if (!rc)
        rc = note(s, lun, f);
    spipe__books_unlock(s);
    if (lun)
        spipe__lun_move_end(s, lun->global);
    exec_mutex_unlock(s->exec, &s->group->names);
    return rc;
}

/* ---- all of it ---- */

/* Errors that end the discovery: nothing can be sent any more. */
static bool hopeless(struct spipe *s, int rc)
{
    return rc == -ENODEV || spipe__hwq_stuck(spipe__primary(s));
}

static int discover_lun(struct spipe *s, unsigned port, uint64_t lun_id)
{
    struct found f = {.port = port, .lun_id = lun_id};
    int rc = read_wwid_alone(s, &f);

    if (!rc)
        rc = spipe__capacity_read(s, port, lun_id, &f.capacity);
    if (rc && hopeless(s, rc))
        return rc;
    if (!rc)
        rc = add(s, &f);
    if (rc) {
        s->luns_skipped++;
        spipe__event(s, LUN_SKIPPED, port, lun_id, spipe__result(rc));
    }
    return rc == -ENOMEM ? rc : 0;
}

/* A port without a target, or with one that does not speak to us, has no LUNs. *silent is set if
 * not even an error came back. */
static int discover_port(struct spipe *s, unsigned port, uint64_t deadline, bool *silent)
{
    struct lun_list list;
    int rc = report_luns_alone(s, port, deadline, &list);

    *silent = rc == -ETIMEDOUT;
    if (rc)
        spipe__event(s, PORT_SILENT, port, spipe__result(rc));
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
    if (rc == -ENOMEM)
        return spipe__why(why, rc, "there is not enough memory for a LUN of port %u", port);
    return spipe__why(
        why, -EIO, "a command to read the LUNs of port %u was lost, and the AFU did not give it up",
        port);
}

static void begin(struct spipe *s)
{
    spipe__books_lock(s);
    s->luns_skipped = s->luns_unfit = 0;
    for (unsigned i = 0; i < s->lun_count; i++)
        s->lun[i].seen = false;
    spipe__books_unlock(s);
}

static int discover(struct spipe *s, struct spipe__why why)
{
    uint64_t deadline = spipe__deadline(s->exec, LOGIN_WAIT);
    bool all_silent = true;

    begin(s);
    for (unsigned port = 0; port < spipe__lun_ports(s); port++) {
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

int spipe__discover_luns(struct spipe *s, struct spipe__why why)
{
    int rc;

    exec_mutex_lock(s->exec, &s->discovery);
    rc = discover(s, why);
    exec_mutex_unlock(s->exec, &s->discovery);
    return rc;
}
