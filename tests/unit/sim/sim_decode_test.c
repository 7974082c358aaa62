/* SPDX-License-Identifier: Apache-2.0 */
/* Capability checks, addressing modes, time-outs: rows of SL 13.1, 21 and R-14. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_decode, .init = up_zero, .fini = down);

/* SL 21, first row: what is no read or write needs GSCSI_CMD, which users do not have. */
Test(sim_decode, users_only_read_and_write)
{
    static const uint8_t opcode[] = {0xFA, 0x00, 0xA0, 0x9E, 0x12, 0x03, 0x1B, 0x5A, 0x55};

    for (size_t i = 0; i < sizeof opcode; i++) {
        model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
        user.pair[0].ioarcb.cdb[0] = opcode[i];
        cr_assert(model_issue(m, &user, 0, 100000));
        cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x21, "opcode 0x%02x", opcode[i]);
        cr_assert_eq(user.pair[0].ioasa.afu_extra, 0x03); /* only read and write */
    }
}

Test(sim_decode, no_physical_addressing_for_users)
{
    model_rw(m, &user, 0, false, 1, 0, 1, m->buffer);
    user.pair[0].ioarcb.req_flags = xe16_of(user.order, 0);
    cr_assert(model_issue(m, &user, 0, 100000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x21);
}

Test(sim_decode, another_contexts_id_needs_proxy_rights)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.ctx_id = xe16_of(user.order, m->master.handle);
    cr_assert(model_issue(m, &user, 0, 100000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x21);
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    user.pair[1].ioarcb.ctx_id = xe16_of(user.order, 500); /* nobody */
    cr_assert(model_issue(m, &user, 1, 100000));
    cr_assert_eq(user.pair[1].ioasa.rc.afu_rc, 0x21);
}

/* SL 6: a LUN id beside a resource handle, and in IOARRIN mode the address of an IOASA, say
 * nothing.
 */
Test(sim_decode, fields_without_a_meaning)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.lun_id = xe64_of(user.order, UINT64_C(0x1234567800000000));
    user.pair[0].ioarcb.ioasa = xe64_of(user.order, 0x1000);
    cr_assert(model_issue(m, &user, 0, 100000));
    cr_assert_eq(model_ioasc(&user, 0), 0);
}

Test(sim_decode, the_master_reaches_luns_by_port)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->port_sel = xe32_of(m->master.order, 1);
    r->lun_id = xe64_of(m->master.order, afu_lun_id(1));
    r->cdb[0] = 0x00; /* TEST UNIT READY */
    cr_assert(model_issue(m, &m->master, 0, 100000));
    cr_assert_eq(model_ioasc(&m->master, 0), 0);
}

Test(sim_decode, a_bad_command_address_is_an_event_and_an_error_bit)
{
    struct sim_bus_event ev;

    model_store(m, &user, AFU_HOST_IOARRIN, 0x10); /* aligned, not mapped */
    model_run_dry(m);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_RCB_READ);
    ev = sim_bus_event(user.sim);
    cr_assert_eq(ev.kind, SIM_BUS_EVENT_DATA_STORAGE);
    cr_assert_eq(ev.address, 0x10);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 100000), "the context no longer works");
    PROVES(R_11);
}

/* the field is enforced from fetch; the unit is in the flags. */
Test(sim_decode, time_outs_of_the_card)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    uint64_t start;

    p->media_read = p->media_unwritten = 1000000;
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.req_flags =
        xe16_of(user.order, AFU_REQ_RES_HNDL | AFU_REQ_TIMEOUT_MICROSECONDS);
    user.pair[0].ioarcb.timeout = xe16_of(user.order, 100); /* 25,000 cycles */
    start = m->machine->engine.now;
    cr_assert(model_issue(m, &user, 0, 900000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x51);
    cr_assert_geq(m->machine->engine.now - start, 25000);
    cr_assert_lt(m->machine->engine.now - start, 26500);
    PROVES(R_14);
}

static uint8_t refused(uint8_t opcode, bool write)
{
    model_rw(m, &user, 0, write, 0, 0, 1, m->buffer);
    memset(user.pair[0].ioarcb.cdb, 0, 16);
    user.pair[0].ioarcb.cdb[0] = opcode;
    cr_assert(model_issue(m, &user, 0, 100000));
    return user.pair[0].ioasa.rc.afu_rc == 0x21;
}

static void capabilities_of(const struct model_ctx *c, uint64_t caps)
{
    model_load(m, &m->master, AFU_CTRL_BASE(c->handle) + AFU_CTRL_MBOX_R);
    model_store(m, &m->master, AFU_CTRL_BASE(c->handle) + AFU_CTRL_CTX_CAP, caps);
}

static void capabilities(uint64_t caps) { capabilities_of(&user, caps); }

/* MD-19: what is a read and what a write; everything else is neither. */
Test(sim_decode, command_classes)
{
    static const uint8_t reads[] = {0x08, 0x28, 0xA8, 0x88}, writes[] = {0x0A, 0x2A, 0xAA, 0x8A};

    capabilities(AFU_CTX_CAP_READ_CMD);
    for (unsigned i = 0; i < 4; i++) {
        cr_expect_not(refused(reads[i], false), "0x%02x is a read", reads[i]);
        cr_expect(refused(writes[i], true), "0x%02x is a write", writes[i]);
    }
    capabilities(AFU_CTX_CAP_WRITE_CMD);
    for (unsigned i = 0; i < 4; i++) {
        cr_expect(refused(reads[i], false), "0x%02x is a read", reads[i]);
        cr_expect_not(refused(writes[i], true), "0x%02x is a write", writes[i]);
    }
    cr_expect(refused(0x93, true), "WRITE SAME is no write of this card");
    down();
    up("flashgt");
    cr_expect_not(refused(0x93, true), "WRITE SAME is a write of FlashGT");
    capabilities(AFU_CTX_CAP_GSCSI_CMD);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        bool either = opcode == 0x93;

        for (unsigned i = 0; i < 4; i++)
            either = either || opcode == reads[i] || opcode == writes[i];
        cr_expect_eq(refused((uint8_t)opcode, false), either, "opcode 0x%02x", opcode);
    }
    PROVES(MD_19);
}

/* MD-9: ctx_id and capabilities are looked at before anything is read from a table. */
Test(sim_decode, capabilities_come_before_tables)
{
    struct sim_afu_stats before, after;

    sim_afu_stats(m->afu, &before);
    model_rw(m, &user, 0, false, 9999, 0, 1, m->buffer); /* beyond the table, too */
    user.pair[0].ioarcb.ctx_id = xe16_of(user.order, m->master.handle);
    cr_assert(model_issue(m, &user, 0, 100000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x21);
    model_rw(m, &user, 0, false, 9999, 0, 1, m->buffer);
    user.pair[0].ioarcb.cdb[0] = 0x12;
    cr_assert(model_issue(m, &user, 0, 100000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x21);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer); /* a good handle, cold */
    user.pair[0].ioarcb.cdb[0] = 0x12;
    cr_assert(model_issue(m, &user, 0, 100000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x21);
    sim_afu_stats(m->afu, &after);
    cr_assert_eq(after.xlt_misses, before.xlt_misses, "a table was read");
    cr_assert_eq(after.xlt_hits, before.xlt_hits);
    PROVES(MD_9);
}

/* ---- each capability (SL 13.1) ----------------------------------------------------------------
 */

enum { READ_BY_PORT, WRITE_BY_PORT, OTHER_BY_PORT, READ_BY_HANDLE, WRITE_BY_HANDLE, SYNC, KINDS };

/* A command of another context; its afu_rc. */
static uint8_t issue(struct model_ctx *c, unsigned kind)
{
    bool write = kind == WRITE_BY_PORT || kind == WRITE_BY_HANDLE;
    struct afu_ioarcb *r;
    uint16_t flags = 0;

    model_rw(m, c, 0, write, kind >= READ_BY_HANDLE ? 0 : 1, 0, 1, m->buffer);
    r = &c->pair[0].ioarcb;
    if (kind < READ_BY_HANDLE)
        r->req_flags = xe16_of(c->order, write ? AFU_REQ_HOST_WRITE : 0);
    if (kind == OTHER_BY_PORT || kind == SYNC) {
        flags = kind == SYNC ? AFU_REQ_AFU_CMD : 0;
        memset(r->cdb, 0, sizeof r->cdb);
        r->req_flags = xe16_of(c->order, flags);
        r->data_len = xe32_of(c->order, 0);
    }
    if (kind == SYNC) {
        r->port_sel = xe32_of(c->order, 0);
        afu_sync_cdb(r->cdb, AFU_SYNC_LW, user.handle, 0);
    }
    cr_assert(model_issue(m, c, 0, 1000000));
    return c->pair[0].ioasa.rc.afu_rc;
}

/* All capabilities but one: the commands that need it end with 0x21 and what the context has, in
 * two nibbles; the others work. */
Test(sim_decode, what_each_capability_allows)
{
    static const struct {
        uint64_t bit;
        unsigned needed_by; /* bit a kind */
    } rows[] = {{UINT64_C(1) << 62, 0x07},
                {1, 0x09},
                {2, 0x12},
                {4, 0x04},
                {8, 0x20},
                {UINT64_C(1) << 63, 0},
                {UINT64_C(1) << 61, 0},
                {UINT64_C(1) << 60, 0}};
    const uint64_t all = UINT64_C(0xF00000000000000F);
    struct model_ctx c = {0};

    model_ctx_start(m, &c, false, HAL_ORDER_LITTLE);
    model_virtual(m, &c, 0, chunk0, 1, 0, AFU_PERM_RW);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t caps = all & ~rows[i].bit;

        capabilities_of(&c, caps);
        for (unsigned kind = 0; kind < KINDS; kind++) {
            bool refused_it = rows[i].needed_by >> kind & 1;

            cr_expect_eq(issue(&c, kind), refused_it ? 0x21 : 0, "without %llx, kind %u",
                         (unsigned long long)rows[i].bit, kind);
            if (refused_it)
                cr_expect_eq(c.pair[0].ioasa.afu_extra, (uint8_t)(caps >> 56 | caps));
        }
    }
    model_ctx_end(m, &c);
    PROVES(SL_13_1);
}

/* ---- issuing for another context --------------------------------------------------------------
 */

#define ISSUE (UINT64_C(1) << 63)
#define TARGET (UINT64_C(1) << 60)

/* The master's read or write in the name of the user, by the user's handle. */
static uint8_t by_proxy(bool write, uint32_t handle)
{
    struct model_ctx *c = &m->master;

    model_rw(m, c, 0, write, handle, 5, 1, m->buffer);
    c->pair[0].ioarcb.ctx_id = xe16_of(c->order, user.handle);
    cr_assert(model_issue(m, c, 0, 1000000));
    return c->pair[0].ioasa.rc.afu_rc;
}

/* SL 13.1: a right on both sides. SL 6, 8.4: the context that is named owns the request, so its
 * tables translate it; the master has none for these handles. */
Test(sim_decode, proxies)
{
    const uint64_t master = AFU_CTX_CAP_MASTER;

    user.rht[1] = user.rht[0];
    ((uint8_t *)&user.rht[1])[14] = AFU_PERM_READ;
    capabilities_of(&m->master, master | ISSUE);
    cr_assert_eq(by_proxy(true, 0), 0x21, "the user may not be named");
    cr_assert_eq(m->master.pair[0].ioasa.afu_extra, 0xEF);
    capabilities(3 | TARGET);
    memset(m->buffer, 0x66, 4096);
    cr_assert_eq(by_proxy(true, 0), 0);
    memset(m->buffer, 0, 4096);
    model_rw(m, &user, 0, false, 0, 5, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(m->buffer[4095], 0x66, "the user's block");
    memset(m->buffer, 0, 4096);
    cr_assert_eq(by_proxy(false, 1), 0);
    cr_assert_eq(m->buffer[4095], 0x66);
    cr_assert_eq(by_proxy(true, 1), 0x05, "the user's permission");
    cr_assert_eq(by_proxy(false, 9), 0x05);
    capabilities_of(&m->master, master);
    cr_assert_eq(by_proxy(false, 0), 0x21, "the master may not issue for others");
    cr_assert_eq(m->master.pair[0].ioasa.afu_extra, 0x6F);
}

/* A heavy sync of the named context's handle waits for it; what its end leaves to translate
 * finds no table. */
Test(sim_decode, proxies_and_the_life_of_the_one_named)
{
    struct model_ctx c = {0};
    struct sim_params *p = sim_afu_params_mutable(m->afu);

    p->media_read = p->media_unwritten = 100000;
    model_ctx_start(m, &c, false, HAL_ORDER_BIG);
    capabilities_of(&c, 3 | ISSUE);
    capabilities(3 | TARGET);
    model_rw(m, &c, 1, false, 0, 5, 1, m->buffer);
    c.pair[1].ioarcb.ctx_id = xe16_of(c.order, user.handle);
    model_doorbell(m, &c, 1);
    model_run(m, 3000);
    cr_assert_eq(model_sync(m, AFU_SYNC_HW, user.handle, 0), 0);
    cr_assert_eq(model_harvest(&c), 1, "the sync did not wait");
    cr_assert_eq(model_ioasc(&c, 1), 0);
    sim_afu_params_mutable(m->afu)->read_latency = 5000;
    model_rw(m, &c, 2, false, 0, 5, 1, m->buffer);
    c.pair[2].ioarcb.ctx_id = xe16_of(c.order, user.handle);
    model_doorbell(m, &c, 2);
    model_run(m, 8000); /* it reads the entry */
    model_ctx_end(m, &user);
    memset(&user, 0, sizeof user);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&c), 2);
    cr_assert_eq(c.pair[2].ioasa.rc.afu_rc, 0x1A);
    model_ctx_end(m, &c);
}

/* SL 6, 13.1: with both rights a command belongs to the context that ctx_id names: its handle is
 * one of that context, whoever has rung the doorbell; the answer goes to the one who did. */
Test(sim_decode, a_command_for_another_context)
{
    static const uint64_t chunks[] = {1};
    struct model_ctx other = {0};

    model_ctx_start(m, &other, false, HAL_ORDER_BIG);
    model_virtual(m, &other, 7, chunks, 1, 0, AFU_PERM_RW);
    capabilities(AFU_CTX_CAP_USER | AFU_CTX_CAP_PROXY_ISSUE);
    for (unsigned i = 0; i < 2; i++) {
        model_rw(m, &user, i, true, 7, 9, 1, m->buffer);
        user.pair[i].ioarcb.ctx_id = xe16_of(user.order, other.handle);
        cr_assert(model_issue(m, &user, i, 1000000));
        if (i)
            break;
        cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x21, "the other side has not agreed");
        cr_assert_eq(user.pair[0].ioasa.afu_extra, 0x83, "what the issuer may do");
        model_load(m, &m->master, AFU_CTRL_BASE(other.handle) + AFU_CTRL_MBOX_R);
        model_store(m, &m->master, AFU_CTRL_BASE(other.handle) + AFU_CTRL_CTX_CAP,
                    AFU_CTX_CAP_USER | AFU_CTX_CAP_PROXY_TARGET);
    }
    cr_assert_eq(model_ioasc(&user, 1), 0);
    cr_assert(sim_afu_xlt_cached(m->afu, other.handle, 7));
    cr_assert_not(sim_afu_xlt_cached(m->afu, user.handle, 7));
    memset(&other.rht[7], 0, sizeof other.rht[7]);
    cr_assert_eq(model_sync(m, AFU_SYNC_HW, other.handle, 7), 0);
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(user.pair[1].ioasa.rc.afu_rc, 0x05, "a sync for the owner does not reach it");
    model_ctx_end(m, &other);
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(user.pair[1].ioasa.rc.afu_rc, 0x21);
}
