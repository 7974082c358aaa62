/* SPDX-License-Identifier: Apache-2.0 */
/* The SCSI target: which LUN, which command, unit attentions, status and residual. The commands
 * themselves are in sim_scsi_block.c (data) and sim_scsi_report.c (everything about the target). */
#include "sim/sim_scsi.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "hal/afu_tables.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/endian.h"
#include "hal/support/hot.h"
#include "sim/sim_scsi_ops.h"

/* SERVICE ACTION IN(16): the action is in the CDB. */
enum { ACTION_READ_CAPACITY = 0x10, ACTION_LBA_STATUS = 0x12 };

static void begin_service_in(struct scsi_call *c)
{
    switch (c->rq->cdb[1] & 0x1F) {
    case ACTION_READ_CAPACITY:
        scsi_begin_read_capacity_16(c);
        break;
    case ACTION_LBA_STATUS:
        scsi_begin_lba_status(c);
        break;
    default:
        scsi_invalid_field(c);
        break;
    }
}

static uint32_t build_service_in(const struct scsi_call *c, uint8_t *out)
{
    return (c->rq->cdb[1] & 0x1F) == ACTION_LBA_STATUS ? scsi_build_lba_status(c, out)
                                                       : scsi_build_read_capacity_16(c, out);
}

#define READS .ready = true, .begin = scsi_begin_read, .finish = scsi_finish_read
#define WRITES .ready = true, .begin = scsi_begin_write, .finish = scsi_finish_write
#define SYNCS .ready = true, .begin = scsi_begin_sync, .finish = scsi_finish_sync
#define MODE_SENSE .begin = scsi_begin_mode_sense, .build = scsi_build_mode_sense

/* Index 0 stands for "not supported". */
static const struct scsi_command commands[] = {
    {.opcode = 0x00, .cdb_bytes = 0},
    {.opcode = 0x00, .cdb_bytes = 6, .ready = true}, /* TEST UNIT READY */
    {.opcode = 0x03,
     .cdb_bytes = 6,
     .passes_ua = true,
     .any_lun = true,
     .alloc = 4,
     .alloc_bytes = 1,
     .begin = scsi_begin_request_sense,
     .build = scsi_build_request_sense},
    {.opcode = 0x08, .cdb_bytes = 6, READS},
    {.opcode = 0x0A, .cdb_bytes = 6, WRITES},
    {.opcode = 0x12,
     .cdb_bytes = 6,
     .passes_ua = true,
     .any_lun = true,
     .alloc = 3,
     .alloc_bytes = 2,
     .begin = scsi_begin_inquiry,
     .build = scsi_build_inquiry},
    {.opcode = 0x1A, .cdb_bytes = 6, .alloc = 4, .alloc_bytes = 1, MODE_SENSE},
    {.opcode = 0x1B,
     .cdb_bytes = 6,
     .begin = scsi_begin_start_stop,
     .finish = scsi_finish_start_stop},
    {.opcode = 0x25,
     .cdb_bytes = 10,
     .begin = scsi_begin_read_capacity_10,
     .build = scsi_build_read_capacity_10},
    {.opcode = 0x28, .cdb_bytes = 10, READS},
    {.opcode = 0x2A, .cdb_bytes = 10, WRITES},
    {.opcode = 0x35, .cdb_bytes = 10, SYNCS},
    {.opcode = 0x42,
     .cdb_bytes = 10,
     .ready = true,
     .begin = scsi_begin_unmap,
     .finish = scsi_finish_unmap},
    {.opcode = 0x5A, .cdb_bytes = 10, .alloc = 7, .alloc_bytes = 2, MODE_SENSE},
    {.opcode = 0x88, .cdb_bytes = 16, READS},
    {.opcode = 0x8A, .cdb_bytes = 16, WRITES},
    {.opcode = 0x91, .cdb_bytes = 16, SYNCS},
    {.opcode = 0x93,
     .cdb_bytes = 16,
     .ready = true,
     .begin = scsi_begin_write_same,
     .finish = scsi_finish_write_same},
    {.opcode = 0x9E,
     .cdb_bytes = 16,
     .alloc = 10,
     .alloc_bytes = 4,
     .begin = begin_service_in,
     .build = build_service_in},
    {.opcode = 0xA0,
     .cdb_bytes = 12,
     .passes_ua = true,
     .any_lun = true,
     .alloc = 6,
     .alloc_bytes = 4,
     .begin = scsi_begin_report_luns,
     .build = scsi_build_report_luns},
    {.opcode = 0xA8, .cdb_bytes = 12, READS},
    {.opcode = 0xAA, .cdb_bytes = 12, WRITES},
};

/* Place of an opcode in `commands`. */
static const uint8_t command_of[256] = {
    [0x00] = 1,  [0x03] = 2,  [0x08] = 3,  [0x0A] = 4,  [0x12] = 5,  [0x1A] = 6,  [0x1B] = 7,
    [0x25] = 8,  [0x28] = 9,  [0x2A] = 10, [0x35] = 11, [0x42] = 12, [0x5A] = 13, [0x88] = 14,
    [0x8A] = 15, [0x91] = 16, [0x93] = 17, [0x9E] = 18, [0xA0] = 19, [0xA8] = 20, [0xAA] = 21,
};

static const struct scsi_command *command(const struct sim_scsi_request *rq)
{
    return &commands[command_of[rq->cdb[0]]];
}

static const uint16_t ua_codes[SIM_SCSI_N_UA] = {
    [SIM_SCSI_UA_RESET] = 0x2900,   [SIM_SCSI_UA_MODE] = 0x2A01, [SIM_SCSI_UA_CAPACITY] = 0x2A09,
    [SIM_SCSI_UA_INQUIRY] = 0x3F03, [SIM_SCSI_UA_LUNS] = 0x3F0E,
};

void sim_scsi_init(struct sim_scsi *t, struct sim_media *media)
{
    *t = (struct sim_scsi){.media = media, .lbpme = true, .lbprz = true};
    for (unsigned i = 0; i < sim_media_n_luns(media); i++) {
        const struct sim_media_lun *l = sim_media_lun(media, i);
        if (!l)
            continue;
        memcpy(t->luns[i].wwid, l->wwid, sizeof l->wwid);
        t->luns[i].port_mask = l->port_mask;
        t->luns[i].blocks = l->blocks;
    }
}

void sim_scsi_sense(uint8_t sense[SIM_SCSI_SENSE_BYTES], uint8_t key, uint8_t asc, uint8_t ascq)
{
    memset(sense, 0, SIM_SCSI_SENSE_BYTES);
    sense[0] = 0x70; /* current error, fixed format */
    sense[2] = key;
    sense[7] = 10; /* bytes after this one: 18 in all */
    sense[12] = asc;
    sense[13] = ascq;
}

/* The INFORMATION field, which has 32 bits; a block beyond them leaves it invalid (SPC). */
static void sense_block(uint8_t sense[SIM_SCSI_SENSE_BYTES], uint64_t lba)
{
    if (lba > UINT32_MAX)
        return;
    sense[0] |= 0x80; /* VALID */
    hal_be32_put(sense + 3, (uint32_t)lba);
}

/* Sets residual and flags for `moved` bytes on the link. */
static void set_moved(struct sim_scsi_result *rs, uint32_t data_len, uint32_t moved)
{
    CHECK(moved <= data_len);
    rs->moved = moved;
    rs->residual = data_len - moved;
    rs->underrun = rs->residual != 0;
    rs->overrun = false;
}

void scsi_fail(struct scsi_call *c, unsigned key, unsigned asc_ascq)
{
    struct sim_scsi_result *rs = c->rs;

    rs->failed = true;
    rs->status = SIM_SCSI_CHECK_CONDITION;
    rs->sense_valid = true;
    sim_scsi_sense(rs->sense, (uint8_t)key, (uint8_t)(asc_ascq >> 8), (uint8_t)asc_ascq);
    rs->kind = SIM_SCSI_NO_DATA;
    rs->medium = SIM_SCSI_MEDIUM_NONE;
    rs->blocks = rs->transfer_len = 0;
    set_moved(rs, c->rq->data_len, 0);
}

void scsi_invalid_field(struct scsi_call *c)
{
    scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD);
}

void scsi_out_of_range(struct scsi_call *c, uint64_t lba)
{
    scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
    sense_block(c->rs->sense, hal_max64(lba, c->medium->blocks));
}

int scsi_take_unit_attention(struct sim_scsi_lun *l, unsigned port)
{
    uint8_t pending = l->ua[port];

    if (!pending)
        return -1;
    l->ua[port] = (uint8_t)(pending & (pending - 1));
    return ua_codes[hal_lowest_bit(pending)];
}

static void size_changed(struct sim_scsi *t, unsigned lun)
{
    t->luns[lun].blocks = sim_media_lun(t->media, lun)->blocks;
    sim_scsi_set_unit_attention(t, lun, UINT32_MAX, SIM_SCSI_UA_CAPACITY);
}

/* The LUN that the request names, if it can be seen through its port. */
static void find_lun(struct scsi_call *c)
{
    uint32_t n = afu_lun_number(c->rq->lun_id);

    CHECK(c->rq->port < SIM_SCSI_PORTS);
    if (n >= sim_media_n_luns(c->t->media) || (uint32_t)c->rq->lun_id) /* lower levels: 0 */
        return;
    if (!(c->t->luns[n].port_mask >> c->rq->port & 1))
        return;
    c->rs->lun = (uint16_t)n;
    c->lun = &c->t->luns[n];
    c->medium = sim_media_lun(c->t->media, n);
    c->rs->block_size = c->medium->block_size;
    if (c->lun->blocks != c->medium->blocks) /* through another target of the same media */
        size_changed(c->t, n);
}

/* ---- a transfer that nothing is special about -------------------------------------------------
 *
 * Nearly every command is a READ(16) or a WRITE(16), since a port makes one of each READ and WRITE
 * of a virtual LUN, and nothing keeps it from being carried out. Such a one is decoded here in one
 * go; whatever else it is, or has to be told, is left to the general way below. */

/* The descriptor of LUN n, as it was told to the initiators, if it can be seen through the port. */
static inline const struct sim_media_lun *known_lun(const struct sim_scsi *t, uint64_t n,
                                                    unsigned port)
{
    const struct sim_media_lun *medium = sim_media_lun(t->media, (unsigned)n);

    if (!medium || !(t->luns[n].port_mask >> port & 1) || t->luns[n].blocks != medium->blocks)
        return NULL;
    return medium;
}

/* Bits of which any makes a READ(16) or WRITE(16) special: what is pending at the LUN, and what
 * this target does not support. */
static inline unsigned special(const struct sim_scsi_lun *l, const struct sim_scsi_request *rq)
{
    return l->ua[rq->port] | l->stopped | (rq->cdb[1] & SCSI_PROTECT_MASK) |
           (rq->cdb[15] & SCSI_CONTROL_NACA);
}

/* The LUN that such a command is for; NULL if the request is another one, or special. */
static inline const struct sim_media_lun *plain_lun(const struct sim_scsi *t,
                                                    const struct sim_scsi_request *rq)
{
    uint64_t n = rq->lun_id >> 48;
    const struct sim_media_lun *medium;

    CHECK(rq->port < SIM_SCSI_PORTS);
    if (rq->cdb[0] != (rq->host_write ? 0x8A : 0x88) || rq->lun_id << 16)
        return NULL;
    medium = known_lun(t, n, rq->port);
    return medium && !special(&t->luns[n], rq) ? medium : NULL;
}

/* False: nothing was done. */
static inline bool begin_plain(const struct sim_scsi *t, const struct sim_scsi_request *rq,
                               struct sim_scsi_result *rs)
{
    const struct sim_media_lun *medium = plain_lun(t, rq);
    uint64_t lba = hal_be64_at(rq->cdb + 2), bytes;
    uint32_t blocks = hal_be32_at(rq->cdb + 10);

    if (!medium)
        return false;
    bytes = (uint64_t)blocks * medium->block_size;
    if (!bytes || bytes > rq->data_len || lba > medium->blocks || blocks > medium->blocks - lba)
        return false;
    rs->kind = rq->host_write ? SIM_SCSI_DATA_OUT : SIM_SCSI_DATA_IN;
    rs->medium = rq->host_write ? SIM_SCSI_MEDIUM_WRITE : SIM_SCSI_MEDIUM_READ;
    rs->lun = (uint16_t)(rq->lun_id >> 48);
    rs->lba = lba;
    rs->blocks = blocks;
    rs->transfer_len = bytes;
    rs->block_size = medium->block_size;
    return true;
}

/* ---- any command ------------------------------------------------------------------------------
 */

static uint32_t allocation_length(const struct scsi_command *cmd, const uint8_t *cdb)
{
    const uint8_t *p = cdb + cmd->alloc;

    switch (cmd->alloc_bytes) {
    case 0:
        return UINT32_MAX;
    case 1:
        return p[0];
    case 2:
        return hal_be16_at(p);
    default:
        return hal_be32_at(p);
    }
}

/* What keeps a command from being looked at: 0, or it has failed. */
static bool refused(struct scsi_call *c, const struct scsi_command *cmd)
{
    int ua;

    if (!c->lun && !cmd->any_lun)
        scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_UNKNOWN_LUN);
    else if (c->lun && !cmd->passes_ua && (ua = scsi_take_unit_attention(c->lun, c->rq->port)) >= 0)
        scsi_fail(c, SCSI_KEY_UNIT_ATTENTION, (unsigned)ua);
    else if (!cmd->cdb_bytes)
        scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPCODE);
    else if (c->lun && c->lun->stopped && cmd->ready)
        scsi_fail(c, SCSI_KEY_NOT_READY, SCSI_ASC_STOPPED);
    else if (c->rq->cdb[cmd->cdb_bytes - 1] & SCSI_CONTROL_NACA)
        scsi_invalid_field(c);
    return c->rs->failed;
}

static void begin_parameters(struct scsi_call *c, const struct scsi_command *cmd)
{
    uint8_t data[SCSI_PARAMETERS_MAX] = {0};

    c->rs->kind = SIM_SCSI_DATA_IN;
    c->rs->transfer_len = hal_min64(cmd->build(c, data), allocation_length(cmd, c->rq->cdb));
}

/* Compares what the device wants to move with what the initiator offers (SL 21). */
static void check_transfer(struct scsi_call *c)
{
    struct sim_scsi_result *rs = c->rs;
    uint64_t wanted = rs->transfer_len;
    uint32_t offered = c->rq->data_len;

    if (!wanted)
        return;
    if (offered && c->rq->host_write != (rs->kind == SIM_SCSI_DATA_OUT)) {
        rs->direction_mismatch = true;
        set_moved(rs, offered, 0);
    } else if (wanted > offered) {
        scsi_invalid_field(c);
        rs->overrun = true;
        rs->underrun = false;
        rs->residual = (uint32_t)hal_min64(wanted - offered, UINT32_MAX);
    }
}

/* Kept apart, with the structure that stands for the command. */
static __attribute__((noinline)) void
begin_any(struct sim_scsi *t, const struct sim_scsi_request *rq, struct sim_scsi_result *rs)
{
    struct scsi_call c = {.t = t, .rq = rq, .rs = rs};
    const struct scsi_command *cmd = command(rq);

    find_lun(&c);
    if (refused(&c, cmd))
        return;
    if (cmd->begin)
        cmd->begin(&c);
    if (!rs->failed && cmd->build)
        begin_parameters(&c, cmd);
    if (!rs->failed)
        check_transfer(&c);
}

HAL_HOT void sim_scsi_begin(struct sim_scsi *t, const struct sim_scsi_request *rq,
                            struct sim_scsi_result *rs)
{
    memset(rs, 0, offsetof(struct sim_scsi_result, sense)); /* the rest would need a call */
    if (!begin_plain(t, rq, rs))
        begin_any(t, rq, rs);
}

static int send_parameters(struct scsi_call *c, const struct scsi_command *cmd)
{
    uint8_t data[SCSI_PARAMETERS_MAX] = {0};
    uint32_t n = (uint32_t)hal_min64(cmd->build(c, data), c->rs->transfer_len);

    c->rs->transfer_len = n; /* the list of LUNs may have become shorter since begin */
    return n ? c->sink(c->arg, 0, data, n) : 0;
}

/* A failure of the medium, as sense data. A full disk is a write error on this target: to its
 * client, space was promised by the capacity (3/0C/00, not the thin-provisioning codes). */
static void medium_failed(struct scsi_call *c, int error)
{
    bool reading = c->rs->medium == SIM_SCSI_MEDIUM_READ;

    switch (error) {
    case -ERANGE:
        scsi_out_of_range(c, c->rs->lba);
        break;
    case -EROFS:
        scsi_fail(c, SCSI_KEY_DATA_PROTECT, SCSI_ASC_WRITE_PROTECTED);
        break;
    case -ENOSPC:
    case -EIO:
        scsi_fail(c, SCSI_KEY_MEDIUM_ERROR, reading ? SCSI_ASC_READ_ERROR : SCSI_ASC_WRITE_ERROR);
        break;
    default:
        scsi_fail(c, SCSI_KEY_HARDWARE_ERROR, SCSI_ASC_TARGET_FAILURE);
        break;
    }
}

static void apply_forced(struct sim_scsi_result *rs)
{
    rs->status = rs->forced_status;
    rs->sense_valid = rs->forced_sense_valid;
    if (rs->sense_valid)
        memcpy(rs->sense, rs->forced_sense, sizeof rs->sense);
}

/* Fills the status of a command that was carried out. Returns 0 or -EFAULT. */
static int carried_out(struct scsi_call *c, int error)
{
    if (error == -EFAULT)
        return error;
    if (error)
        medium_failed(c, error);
    else
        set_moved(c->rs, c->rq->data_len, (uint32_t)c->rs->transfer_len);
    return 0;
}

/* Carries the command out. Returns 0 or -EFAULT. */
static int carry_out(struct scsi_call *c)
{
    const struct scsi_command *cmd = command(c->rq);
    int error;

    if (cmd->build)
        error = send_parameters(c, cmd);
    else
        error = cmd->finish ? cmd->finish(c) : 0;
    return carried_out(c, error);
}

static __attribute__((noinline)) int finish_any(struct sim_scsi *t,
                                                const struct sim_scsi_request *rq,
                                                struct sim_scsi_result *rs, sim_media_sink *sink,
                                                sim_media_source *source, void *arg)
{
    struct scsi_call c = {.t = t, .rq = rq, .rs = rs, .sink = sink, .source = source, .arg = arg};
    int error = 0;

    if (rs->failed || rs->direction_mismatch)
        return 0;
    find_lun(&c);
    if (rs->forced && !rs->forced_after_data)
        set_moved(rs, rq->data_len, 0);
    else if (!c.lun && !command(rq)->any_lun) /* taken away since begin */
        scsi_fail(&c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_UNKNOWN_LUN);
    else
        error = carry_out(&c);
    if (rs->forced && !error && !rs->failed)
        apply_forced(rs);
    return error;
}

static __attribute__((noinline)) int read_failed(struct sim_scsi *t,
                                                 const struct sim_scsi_request *rq,
                                                 struct sim_scsi_result *rs, int error)
{
    struct scsi_call c = {.t = t, .rq = rq, .rs = rs};

    find_lun(&c);
    CHECK(c.medium); /* it was there before */
    return carried_out(&c, error);
}

/* A READ of a LUN that is as it was at begin. False: it has to go the general way. */
static inline bool finish_plain(struct sim_scsi *t, const struct sim_scsi_request *rq,
                                const struct sim_scsi_result *rs)
{
    const struct sim_media_lun *medium;

    if (rs->failed || rs->direction_mismatch || rs->forced || rs->medium != SIM_SCSI_MEDIUM_READ)
        return false;
    medium = known_lun(t, rs->lun, rq->port);
    return medium && medium->block_size == rs->block_size;
}

HAL_HOT int sim_scsi_finish(struct sim_scsi *t, const struct sim_scsi_request *rq,
                            struct sim_scsi_result *rs, sim_media_sink *sink,
                            sim_media_source *source, void *arg)
{
    int error;

    if (!finish_plain(t, rq, rs))
        return finish_any(t, rq, rs, sink, source, arg);
    error = scsi_read(t, rs, sink, arg);
    if (__builtin_expect(error != 0, 0))
        return read_failed(t, rq, rs, error);
    set_moved(rs, rq->data_len, (uint32_t)rs->transfer_len);
    return 0;
}

void sim_scsi_force(struct sim_scsi_result *rs, uint8_t status, uint8_t key, uint8_t asc,
                    uint8_t ascq, bool after_data)
{
    rs->forced = true;
    rs->forced_after_data = after_data;
    rs->forced_status = status;
    rs->forced_sense_valid = status == SIM_SCSI_CHECK_CONDITION && key != 0xFF;
    if (rs->forced_sense_valid)
        sim_scsi_sense(rs->forced_sense, key, asc, ascq);
}

void sim_scsi_force_block(struct sim_scsi_result *rs, uint64_t lba)
{
    if (rs->forced_sense_valid)
        sense_block(rs->forced_sense, lba);
}

void sim_scsi_set_unit_attention(struct sim_scsi *t, unsigned lun, unsigned port_mask,
                                 enum sim_scsi_ua ua)
{
    CHECK(lun < SIM_MEDIA_LUNS_MAX && ua < SIM_SCSI_N_UA);
    for (unsigned p = 0; p < SIM_SCSI_PORTS; p++)
        if (port_mask >> p & 1)
            t->luns[lun].ua[p] |= (uint8_t)HAL_BIT(ua);
}

void sim_scsi_lun_reset(struct sim_scsi *t, unsigned lun)
{
    sim_scsi_set_unit_attention(t, lun, UINT32_MAX, SIM_SCSI_UA_RESET);
    t->luns[lun].stopped = false;
}

void sim_scsi_login(struct sim_scsi *t, unsigned port)
{
    for (unsigned i = 0; i < SIM_MEDIA_LUNS_MAX; i++)
        sim_scsi_set_unit_attention(t, i, 1u << port, SIM_SCSI_UA_RESET);
}

void sim_scsi_power_on(struct sim_scsi *t)
{
    for (unsigned i = 0; i < SIM_MEDIA_LUNS_MAX; i++) {
        memset(t->luns[i].ua, HAL_BIT(SIM_SCSI_UA_RESET), sizeof t->luns[i].ua);
        t->luns[i].stopped = false;
    }
}

int sim_scsi_set_size(struct sim_scsi *t, unsigned lun, uint64_t blocks)
{
    int error = sim_media_set_size(t->media, lun, blocks);

    if (!error)
        size_changed(t, lun);
    return error;
}

/* Everybody who can see a LUN learns that the list of LUNs is another one. */
static void luns_changed(struct sim_scsi *t)
{
    for (unsigned i = 0; i < sim_media_n_luns(t->media); i++)
        if (sim_media_lun(t->media, i))
            sim_scsi_set_unit_attention(t, i, UINT32_MAX, SIM_SCSI_UA_LUNS);
}

int sim_scsi_add_lun(struct sim_scsi *t, const struct sim_media_lun *descriptor, unsigned *lun)
{
    int error = sim_media_add_lun(t->media, descriptor, lun);

    if (error)
        return error;
    luns_changed(t);
    t->luns[*lun] =
        (struct sim_scsi_lun){.port_mask = descriptor->port_mask, .blocks = descriptor->blocks};
    memcpy(t->luns[*lun].wwid, descriptor->wwid, sizeof descriptor->wwid);
    return 0;
}

int sim_scsi_remove_lun(struct sim_scsi *t, unsigned lun)
{
    int error = sim_media_remove_lun(t->media, lun);

    if (error)
        return error;
    t->luns[lun] = (struct sim_scsi_lun){0};
    luns_changed(t);
    return 0;
}

void sim_scsi_set_ports(struct sim_scsi *t, unsigned lun, uint8_t port_mask)
{
    CHECK(lun < SIM_MEDIA_LUNS_MAX);
    t->luns[lun].port_mask = port_mask;
}

void sim_scsi_set_wwid(struct sim_scsi *t, unsigned lun, const uint8_t wwid[16])
{
    CHECK(lun < SIM_MEDIA_LUNS_MAX);
    memcpy(t->luns[lun].wwid, wwid, sizeof t->luns[lun].wwid);
}
