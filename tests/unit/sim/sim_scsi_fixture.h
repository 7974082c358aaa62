/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the SCSI target share: a target with two LUNs, a client's buffer, and commands
 * with literal CDBs. */
#ifndef TESTS_UNIT_SIM_SCSI_FIXTURE_H
#define TESTS_UNIT_SIM_SCSI_FIXTURE_H

#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "sim/sim_scsi.h"

#define LUN1 (UINT64_C(1) << 48)

/* LUN 0: 1000 blocks of 4096 on both ports. LUN 1: 5000 blocks of 512 on port 1. */
static const struct sim_media_lun luns[] = {
    {.blocks = 1000,
     .block_size = 4096,
     .wwid = {0x60, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D,
              0x0E, 0xFF},
     .port_mask = 3},
    {.blocks = 5000, .block_size = 512, .wwid = {0x61}, .port_mask = 2},
};

static struct sim_scsi t;
static uint8_t buffer[1 << 20];

static inline void setup(void)
{
    const struct sim_media_opts opts = {.luns = luns, .n_luns = 2, .arena_bytes = 32 << 20};
    struct sim_media *m = NULL;

    cr_assert_eq(sim_media_create(&opts, &m, NULL, 0), 0);
    sim_scsi_init(&t, m);
    memset(buffer, 0xCC, sizeof buffer);
}

static inline void teardown(void) { sim_media_close(t.media); }

static inline int to_client(void *arg, uint64_t offset, const void *data, size_t n)
{
    if (arg)
        return -EFAULT;
    cr_assert(offset + n <= sizeof buffer);
    memcpy(buffer + offset, data, n);
    return 0;
}

static inline int from_client(void *arg, uint64_t offset, void *data, size_t n)
{
    if (arg)
        return -EFAULT;
    memcpy(data, buffer + offset, n);
    return 0;
}

struct command {
    struct sim_scsi_request rq;
    struct sim_scsi_result rs;
};

/* Both phases of a command. */
static inline void finish(struct command *c)
{
    cr_assert_eq(sim_scsi_finish(&t, &c->rq, &c->rs, to_client, from_client, NULL), 0);
}

static inline void begin(struct command *c) { sim_scsi_begin(&t, &c->rq, &c->rs); }

static inline void run(struct command *c)
{
    begin(c);
    finish(c);
}

#define CDB(...) .cdb = {__VA_ARGS__}
#define COMMAND(...)                                                                               \
    (struct command)                                                                               \
    {                                                                                              \
        .rq = { __VA_ARGS__ }                                                                      \
    }

static inline bool good(const struct command *c, uint32_t moved)
{
    const struct sim_scsi_result *rs = &c->rs;

    return rs->status == 0 && !rs->sense_valid && !rs->overrun && rs->moved == moved &&
           rs->residual == c->rq.data_len - moved && rs->underrun == (rs->residual != 0) &&
           !rs->direction_mismatch;
}

static inline bool has_sense(const struct command *c, const uint8_t sense[20])
{
    const struct sim_scsi_result *rs = &c->rs;

    return rs->status == 0x02 && rs->sense_valid && !memcmp(rs->sense, sense, 20) && !rs->moved;
}

/* CHECK CONDITION with the whole 20 sense bytes as they must be, nothing moved. */
static inline bool checked(const struct command *c, uint8_t key, uint8_t asc, uint8_t ascq)
{
    const uint8_t sense[20] = {0x70, 0, key, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, asc, ascq};

    return has_sense(c, sense);
}

/* ... as above, and the INFORMATION field names a block (SPC: the VALID bit, big endian). */
static inline bool checked_block(const struct command *c, uint8_t key, uint8_t asc, uint8_t ascq,
                                 uint32_t lba)
{
    uint8_t sense[20] = {0xF0, 0, key, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, asc, ascq};

    for (unsigned i = 0; i < 4; i++)
        sense[3 + i] = (uint8_t)(lba >> (24 - 8 * i));
    return has_sense(c, sense);
}

/* ... as above, and the initiator's whole buffer is the residual. */
static inline bool checked_all_residual(const struct command *c, uint8_t key, uint8_t asc,
                                        uint8_t ascq)
{
    return checked(c, key, asc, ascq) && c->rs.residual == c->rq.data_len &&
           c->rs.underrun == (c->rq.data_len != 0) && !c->rs.overrun;
}

/* LOGICAL BLOCK ADDRESS OUT OF RANGE: the first invalid block is named (SBC). */
static inline bool out_of_range(const struct command *c, uint32_t first_invalid)
{
    return checked_block(c, 5, 0x21, 0x00, first_invalid) && c->rs.residual == c->rq.data_len &&
           c->rs.underrun == (c->rq.data_len != 0) && !c->rs.overrun;
}

/* Changes the size of LUN 0, of which no initiator is told. */
static inline void resize_untold(uint64_t blocks)
{
    cr_assert_eq(sim_media_set_size(t.media, 0, blocks), 0);
    t.luns[0].blocks = blocks;
}

static inline void write_blocks(uint64_t lun_id, uint8_t port, uint8_t lba, uint8_t blocks,
                                int byte)
{
    uint32_t n = blocks * (lun_id ? 512u : 4096u);
    struct command c = COMMAND(.lun_id = lun_id, .port = port, .host_write = true, .data_len = n,
                               CDB(0x8A, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks));

    memset(buffer, byte, n);
    run(&c);
    cr_assert(good(&c, n));
}

static inline bool reads_as(uint64_t lun_id, uint8_t port, uint8_t lba, uint8_t blocks, int byte)
{
    uint32_t n = blocks * (lun_id ? 512u : 4096u);
    struct command c = COMMAND(.lun_id = lun_id, .port = port, .data_len = n,
                               CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks));

    memset(buffer, ~byte, n);
    run(&c);
    cr_assert(good(&c, n));
    for (uint32_t i = 0; i < n; i++)
        if (buffer[i] != (uint8_t)byte)
            return false;
    return true;
}

#endif
