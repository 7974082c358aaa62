/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/fake_luns.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"

enum { NORMAL_BLOCK = 4096, NORMAL_LAST = 64 * 65536 + 100 - 1, INVALID_FIELD = 0x24 };

void fake_luns_init(struct fake_luns *luns)
{
    memset(luns, 0, sizeof *luns);
    luns->ports_up = 3;
}

struct fake_lun *fake_luns_add(struct fake_luns *luns, unsigned port, uint64_t id, uint8_t name)
{
    struct fake_lun *lun = &luns->lun[luns->count++];

    cr_assert_leq(luns->count, FAKE_LUNS_MAX);
    *lun = (struct fake_lun){
        .port = port,
        .id = id,
        .wwid = {0x60, 0x05, 0x07, 0x68, [15] = name},
        .last_lba = NORMAL_LAST,
        .block_size = NORMAL_BLOCK,
    };
    return lun;
}

void fake_luns_fail(struct fake_luns *luns, uint64_t nth, const struct fake_answer *answer)
{
    cr_assert_lt(luns->faults, FAKE_LUNS_FAULTS);
    luns->fault[luns->faults].nth = nth;
    luns->fault[luns->faults++].answer = *answer;
}

struct fake_answer fake_check_condition(uint8_t key, uint8_t asc, uint8_t ascq)
{
    return (struct fake_answer){
        .rc = {.flags = AFU_RC_FLAG_SENSE_VALID, .scsi_rc = AFU_SCSI_RC_CHECK_CONDITION},
        .sense = {0x70, 0, key, [7] = 10, [12] = asc, ascq},
    };
}

/* Hands out up to data_length bytes; less is an underrun. */
static struct fake_answer give(const struct fake_command *c, const uint8_t *data, size_t size)
{
    struct fake_answer answer = {.delay = 0};

    if (c->data_length)
        memcpy(c->data, data, hal_min64(size, c->data_length));
    if (size < c->data_length) {
        answer.rc.flags = AFU_RC_FLAG_UNDERRUN;
        answer.residual = (uint32_t)(c->data_length - size);
    }
    return answer;
}

static struct fake_answer report_luns(const struct fake_luns *luns, const struct fake_command *c,
                                      unsigned port)
{
    uint8_t data[8 + 8 * FAKE_LUNS_MAX] = {0};
    uint32_t bytes = 0;

    for (unsigned i = 0; i < luns->count; i++) {
        if (luns->lun[i].port == port) {
            hal_be64_put(data + 8 + bytes, luns->lun[i].id);
            bytes += 8;
        }
    }
    hal_be32_put(data, bytes);
    return give(c, data, 8 + bytes);
}

/* A vendor name in front of the NAA-6 one, which discovery must step over. */
static struct fake_answer inquiry(const struct fake_lun *lun, const struct fake_command *c)
{
    static const uint8_t vendor[] = {0x02, 0x01, 0x00, 0x04, 'F', 'A', 'K', 'E'};
    uint8_t data[4 + sizeof vendor + 20] = {lun->device_type, 0x83};
    size_t size = 4 + sizeof vendor;

    memcpy(data + 4, vendor, sizeof vendor);
    if (lun->wwid[0]) {
        memcpy(data + size, (const uint8_t[]){0x01, 0x03, 0x00, 16}, 4);
        memcpy(data + size + 4, lun->wwid, 16);
        size += 20;
    }
    hal_be16_put(data + 2, (uint16_t)(size - 4));
    return give(c, data, size);
}

static struct fake_answer read_capacity(const struct fake_lun *lun, const struct fake_command *c)
{
    uint8_t data[32] = {0};

    hal_be64_put(data, lun->last_lba);
    hal_be32_put(data + 8, lun->block_size);
    data[14] = lun->lbprz ? 0xC0 : 0;
    return give(c, data, sizeof data);
}

static const struct fake_lun *find(const struct fake_luns *luns, unsigned port, uint64_t id)
{
    for (unsigned i = 0; i < luns->count; i++)
        if (luns->lun[i].port == port && luns->lun[i].id == id)
            return &luns->lun[i];
    return NULL;
}

static struct fake_answer scsi(const struct fake_luns *luns, const struct fake_command *c)
{
    unsigned port = hal_lowest_bit(c->target);
    const struct fake_lun *lun = find(luns, port, c->lun_id);

    if (!(luns->ports_up & c->target))
        return (struct fake_answer){.rc = {.afu_rc = AFU_RC_NO_CHANNELS}};
    if (c->cdb[0] == 0xA0)
        return report_luns(luns, c, port);
    if (lun && c->cdb[0] == 0x12)
        return inquiry(lun, c);
    if (lun && c->cdb[0] == 0x9E)
        return read_capacity(lun, c);
    return fake_check_condition(5, INVALID_FIELD, 0);
}

struct fake_answer fake_luns_answer(void *arg, const struct fake_command *command)
{
    struct fake_luns *luns = arg;
    uint64_t nth = luns->commands++;

    if (nth < FAKE_LUNS_LOG)
        luns->log[nth] = *command;
    for (unsigned i = 0; i < luns->faults; i++)
        if (luns->fault[i].nth == nth)
            return luns->fault[i].answer;
    if (command->flags & AFU_REQ_AFU_CMD)
        return (struct fake_answer){.delay = 0};
    return scsi(luns, command);
}
