/* SPDX-License-Identifier: Apache-2.0 */
/* LUN provision (SL 5.3, 7, 12, 23.3). */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

static void up_provision(void)
{
    up("flashsystem");
    sim_afu_params_mutable(m->afu)->interface_version |= UINT64_C(1) << 59;
}

TestSuite(sim_provision, .init = up_provision, .fini = down);

#define CDB(...) ((const uint8_t[16]){__VA_ARGS__})

/* Runs LUN provision from the master; the IOASA is in slot 20. */
static struct afu_ioasa *provision(const uint8_t cdb[16], uint64_t lun_id)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 20);

    r->req_flags = xe16_of(m->master.order, 0x0002);
    r->timeout = xe16_of(m->master.order, 5);
    r->lun_id = xe64_of(m->master.order, lun_id);
    memcpy(r->cdb, cdb, 16);
    cr_assert(model_issue(m, &m->master, 20, 10000000), "provision never ended");
    return &m->master.pair[20].ioasa;
}

/* Creates a LUN of 0x4000 blocks on port 1 (the example of SL 23.3) and returns its id. */
static uint64_t create(void)
{
    const struct afu_ioasa *s =
        provision(CDB(0xD0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40), 0);

    cr_assert_eq(afu_ioasc(&s->rc), 0);
    return (uint64_t)xe32_get(m->master.order, s->lunid_hi) << 32 |
           xe32_get(m->master.order, s->provision.lunid_lo);
}

#define DELETION CDB(0xD0, 1, 1)

/* Key, ASC and ASCQ of a refusal as one number; 0 when there was none. */
static uint32_t sense(const struct afu_ioasa *s)
{
    if (!(s->rc.flags & 0x80))
        return 0;
    cr_assert_eq(s->rc.scsi_rc, 2);
    return (uint32_t)s->sense_data[2] << 16 | (uint32_t)s->sense_data[12] << 8 | s->sense_data[13];
}

/* A SCSI command of the master by port and LUN id; returns key << 16 | asc << 8 | ascq. */
static uint32_t scsi(unsigned port, uint64_t lun_id, bool write, const uint8_t cdb[16],
                     uint32_t bytes)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->req_flags = xe16_of(m->master.order, (uint16_t)(0x4000 | write));
    r->port_sel = xe32_of(m->master.order, 1u << port);
    r->lun_id = xe64_of(m->master.order, lun_id);
    r->data_len = xe32_of(m->master.order, bytes);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)m->buffer);
    memcpy(r->cdb, cdb, 16);
    cr_assert(model_issue(m, &m->master, 0, 10000000));
    return sense(&m->master.pair[0].ioasa);
}

#define REPORT_LUNS CDB(0xA0, 0, 0, 0, 0, 0, 0, 0, 1)
#define TEST_UNIT_READY CDB(0)

/* SL 7: LUN id in two halves and an NAA-6 WWID; SL 5.3: the counts of its port. */
Test(sim_provision, creation_answers_with_id_and_wwid)
{
    uint64_t id;

    cr_assert_eq(port_reg(1, 0x080), 16);
    cr_assert_eq(port_reg(1, 0x090), 0x10000000);
    id = create();
    cr_assert_eq(id, UINT64_C(2) << 48, "the first free number");
    cr_assert_eq(m->master.pair[20].ioasa.provision.wwid[0] >> 4, 6);
    cr_assert_eq(m->master.pair[20].ioasa.rc.flags, 0, "an answer is no sense data");
    cr_assert_eq(port_reg(1, 0x088), 1);
    cr_assert_eq(port_reg(1, 0x098), 0x4000);
    cr_assert_eq(port_reg(0, 0x088), 0);
    cr_assert_eq(port_reg(0, 0x098), 0);
}

/* What INQUIRY says of the LUN is what the answer said. */
Test(sim_provision, luns_have_their_own_wwid)
{
    uint64_t id[2];
    uint8_t wwid[2][16];

    for (unsigned i = 0; i < 2; i++) {
        id[i] = create();
        memcpy(wwid[i], m->master.pair[20].ioasa.provision.wwid, 16);
        cr_assert_eq(scsi(1, id[i], false, CDB(0x12, 1, 0x83, 1), 256), 0);
        cr_assert_arr_eq(m->buffer + 8, wwid[i], 16);
    }
    cr_assert_neq(memcmp(wwid[0], wwid[1], 16), 0);
}

/* LUNs that an earlier run, or another adapter, made on the same media keep their names for
 * themselves. */
Test(sim_provision, a_wwid_is_given_once)
{
    struct sim_media_lun other = {.blocks = 1, .block_size = 4096, .port_mask = 2};
    unsigned lun;

    create();
    memcpy(other.wwid, m->master.pair[20].ioasa.provision.wwid, 16);
    other.wwid[15]++; /* what comes next */
    cr_assert_eq(sim_media_add_lun(m->media, &other, &lun), 0);
    create();
    cr_assert_neq(memcmp(other.wwid, m->master.pair[20].ioasa.provision.wwid, 16), 0);
}

/* Real LUNs: I/O, REPORT LUNS, and 3F/0E on every other LUN once. */
Test(sim_provision, luns_are_real)
{
    uint64_t id = create();

    cr_assert_eq(scsi(0, 0, false, TEST_UNIT_READY, 0), 0x063F0E);
    cr_assert_eq(scsi(0, 0, false, TEST_UNIT_READY, 0), 0);
    cr_assert_eq(scsi(1, id, false, TEST_UNIT_READY, 0), 0, "the new LUN knows of itself");
    cr_assert_eq(scsi(1, 0, false, REPORT_LUNS, 256), 0);
    cr_assert_eq(hal_be32_at(m->buffer), 24);
    cr_assert_eq(hal_be64_at(m->buffer + 24), id);
    cr_assert_eq(scsi(0, 0, false, REPORT_LUNS, 256), 0);
    cr_assert_eq(hal_be32_at(m->buffer), 16, "it is behind port 1 only");
    cr_assert_eq(scsi(0, id, false, TEST_UNIT_READY, 0), 0x052500);
    memset(m->buffer, 0x77, 4096);
    cr_assert_eq(scsi(1, id, true, CDB(0x8A, 0, 0, 0, 0, 0, 0, 0, 0x3F, 0xFF, 0, 0, 0, 1), 4096),
                 0);
    memset(m->buffer, 0, 4096);
    cr_assert_eq(scsi(1, id, false, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0x3F, 0xFF, 0, 0, 0, 1), 4096),
                 0);
    cr_assert_eq(m->buffer[4095], 0x77);
    cr_assert_eq(scsi(1, id, false, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 1), 4096),
                 0x052100);
}

/* Deleted means gone, with its data; the number is free for another one. */
Test(sim_provision, deletion)
{
    uint64_t id = create();

    memset(m->buffer, 0x77, 4096);
    cr_assert_eq(scsi(1, id, true, CDB(0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 4096), 0);
    scsi(1, 0, false, REPORT_LUNS, 256);
    cr_assert_eq(afu_ioasc(&provision(DELETION, id)->rc), 0);
    cr_assert_eq(port_reg(1, 0x088), 0);
    cr_assert_eq(port_reg(1, 0x098), 0);
    cr_assert_eq(scsi(1, id, false, TEST_UNIT_READY, 0), 0x052500);
    cr_assert_eq(scsi(1, 0, false, TEST_UNIT_READY, 0), 0x063F0E);
    cr_assert_eq(sense(provision(DELETION, id)), 0x052500);
    cr_assert_eq(create(), id);
    cr_assert_eq(scsi(1, id, false, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 4096), 0);
    cr_assert_eq(m->buffer[0], 0, "the data of the LUN before");
}

/* Commands of a LUN that goes end as after a LUN reset. */
Test(sim_provision, deletion_ends_commands)
{
    uint64_t id = create();
    struct afu_ioarcb *r = model_ioarcb(&m->master, 3);

    sim_afu_params_mutable(m->afu)->media_unwritten = 1000000;
    r->req_flags = xe16_of(m->master.order, 0x4000);
    r->port_sel = xe32_of(m->master.order, 2);
    r->lun_id = xe64_of(m->master.order, id);
    r->data_len = xe32_of(m->master.order, 4096);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)m->buffer);
    memcpy(r->cdb, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 16);
    model_doorbell(m, &m->master, 3);
    model_run(m, 2000);
    r = model_ioarcb(&m->master, 20);
    r->req_flags = xe16_of(m->master.order, 0x0002);
    r->lun_id = xe64_of(m->master.order, id);
    memcpy(r->cdb, DELETION, 16);
    model_doorbell(m, &m->master, 20);
    model_run_dry(m);
    cr_assert_eq(m->master.pair[3].ioasa.rc.fc_rc, 0x5C);
    cr_assert_eq(afu_ioasc(&m->master.pair[20].ioasa.rc), 0);
    PROVES(R_27);
}

Test(sim_provision, refusals)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    uint64_t id = create();

    /* a port that is not there, no size, no such code */
    cr_assert_eq(sense(provision(CDB(0xD0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 0)),
                 0x052400);
    cr_assert_eq(sense(provision(CDB(0xD0, 0, 1), 0)), 0x052400);
    cr_assert_eq(sense(provision(CDB(0xD0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 0)),
                 0x052400);
    /* one LUN is the most; then 0x5000 blocks are, of which 0x4000 are taken */
    p->provision_luns = 1;
    cr_assert_eq(sense(provision(CDB(0xD0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 0)),
                 0x055503);
    p->provision_luns = 2;
    p->provision_blocks = 0x5000;
    cr_assert_eq(sense(provision(CDB(0xD0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1), 0)),
                 0x055503);
    cr_assert_eq(
        sense(provision(
            CDB(0xD0, 0, 1, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), 0)),
        0x055503);
    cr_assert_eq(port_reg(1, 0x088), 1);
    cr_assert_eq(
        afu_ioasc(&provision(CDB(0xD0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10), 0)->rc), 0);
    /* a LUN that was there before, also if it is behind this port only; of another port; none */
    *(uint8_t *)(uintptr_t)&sim_media_lun(m->media, 1)->port_mask = 2;
    cr_assert_eq(sense(provision(DELETION, UINT64_C(1) << 48)), 0x052500);
    cr_assert_eq(sense(provision(CDB(0xD0, 1), id)), 0x052500);
    cr_assert_eq(sense(provision(DELETION, UINT64_C(77) << 48)), 0x052500);
    cr_assert_eq(sense(provision(DELETION, id | 1)), 0x052500);
}

/* SL 12: without its capability bit the command does not exist, and the registers read 0. */
Test(sim_provision, capability)
{
    static const uint64_t versions[] = {0x8000000000010002, UINT64_MAX};

    for (unsigned i = 0; i < 2; i++) {
        sim_afu_params_mutable(m->afu)->interface_version = versions[i];
        cr_assert_eq(provision(CDB(0xD0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 0)->rc.afu_rc,
                     0x21);
        for (uint64_t reg = 0x080; reg <= 0x098; reg += 8)
            cr_assert_eq(port_reg(1, reg), 0);
    }
}

/* Big endian differs in the IOARCB and in the two halves of the id (SL 7). */
Test(sim_provision, big_endian)
{
    model_store(m, &m->master, AFU_HOST_BASE(m->master.handle), 0x8000000000000080);
    m->master.order = HAL_ORDER_BIG;
    cr_assert_eq(create(), UINT64_C(2) << 48);
    cr_assert_arr_eq((uint8_t *)&m->master.pair[20].ioasa + 4, CDB(0, 2), 4);
}

/* SL 12: one internal command at a time. */
Test(sim_provision, not_beside_another_afu_command)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 20);

    r->req_flags = xe16_of(m->master.order, 0x0002);
    memcpy(r->cdb, CDB(0xD0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 16);
    model_doorbell(m, &m->master, 20);
    model_run(m, 1000);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 0), 0x22);
    model_run_dry(m);
    cr_assert_eq(afu_ioasc(&m->master.pair[20].ioasa.rc), 0);
}
