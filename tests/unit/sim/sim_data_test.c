/* SPDX-License-Identifier: Apache-2.0 */
/* Data transfers: contents, alignment, unreachable buffers, short ones (SL 21). */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_data, .init = up_zero, .fini = down);

static void go(unsigned slot) { cr_assert(model_issue(m, &user, slot, 10000000)); }

/* SL 21, last row: 16, 128 and multiples of 5 all work. */
Test(sim_data, any_alignment_works)
{
    static const unsigned align[] = {0, 16, 128, 5, 10, 15};

    for (unsigned i = 0; i < sizeof align / sizeof *align; i++) {
        memset(m->buffer, 0x40 + (int)i, 8192);
        model_rw(m, &user, 0, true, 0, i, 1, m->buffer + align[i]);
        go(0);
        cr_assert_eq(model_ioasc(&user, 0), 0);
        memset(m->buffer, 0, 16384);
        model_rw(m, &user, 1, false, 0, i, 1, m->buffer + 8192 + align[i]);
        go(1);
        cr_assert_eq(model_ioasc(&user, 1), 0);
        for (unsigned k = 0; k < 4096; k++)
            cr_assert_eq(m->buffer[8192 + align[i] + k], 0x40 + i);
        cr_assert_eq(m->buffer[8192 + align[i] + 4096], 0);
    }
    PROVES(R_22);
}

/* SL 21: bad data EA (0 or 0x1234): an event, no completion, and the context goes on working. */
Test(sim_data, an_unreachable_buffer_is_an_event)
{
    static const uint64_t bad[] = {0, 0x1234};

    for (int write = 0; write < 2; write++)
        for (int i = 0; i < 2; i++) {
            struct sim_bus_event ev;

            model_rw(m, &user, 0, write, 0, 0, 1, (void *)(uintptr_t)bad[i]);
            cr_assert_not(model_issue(m, &user, 0, 1000000), "it completed");
            model_run_dry(m);
            ev = sim_bus_event(user.sim);
            cr_assert_eq(ev.kind, SIM_BUS_EVENT_DATA_STORAGE);
            cr_assert_eq(ev.address, bad[i]);
            cr_assert_eq(!!(ev.dsisr & 0x02000000), !write); /* the card stores when it reads */
            model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
            go(1);
            cr_assert_eq(model_ioasc(&user, 1), 0);
        }
    PROVES(R_11);
}

Test(sim_data, the_event_names_the_first_bad_page)
{
    size_t page = 65536;
    char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_eq(mprotect(p + page, page, PROT_NONE), 0);
    model_rw(m, &user, 0, false, 0, 0, 2, p + page - 4096);
    cr_assert_not(model_issue(m, &user, 0, 1000000));
    model_run_dry(m);
    cr_assert_eq(sim_bus_event(user.sim).address, (uintptr_t)p + page);
}

Test(sim_data, by_option_a_bad_address_is_a_status)
{
    sim_afu_params_mutable(m->afu)->bad_ea_status = 1;
    model_rw(m, &user, 0, false, 0, 0, 1, NULL);
    go(0);
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x31);
    cr_assert_eq(user.pair[0].ioasa.afu_extra, 0x0B);
}

/* SL 21: data_len half of the CDB length, or 0: check condition with over/underrun flags. */
Test(sim_data, a_short_buffer_is_the_devices_business)
{
    static const uint32_t len[] = {2048, 0};

    for (int i = 0; i < 2; i++) {
        model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
        user.pair[0].ioarcb.data_len = xe32_of(user.order, len[i]);
        go(0);
        cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0);
        cr_assert_eq(user.pair[0].ioasa.rc.scsi_rc, 0x02);
        cr_assert_neq(user.pair[0].ioasa.rc.flags, 0);
    }
    PROVES(R_12);
}

static void no_auto_retry(void)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG, AFU_CONFIG_ENDIAN_LITTLE);
}

Test(sim_data, planned_faults)
{
    char why[128];

    no_auto_retry();
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "data#1=x(10)+media#2=x+media#3=v", why,
                                 sizeof why),
                 0);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    go(0);
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x31);
    cr_assert_eq(user.pair[0].ioasa.afu_extra, 0x0A);
    go(0);
    cr_assert_eq(user.pair[0].ioasa.rc.scsi_rc, 0x02);
    cr_assert_eq(user.pair[0].ioasa.sense_data[2], 0x03); /* medium error */
    m->buffer[0] = 1;
    go(0);
    cr_assert_eq(model_ioasc(&user, 0), 0);
    cr_assert_eq(m->buffer[0], 1, "silent corruption of a zero byte");
}

/* timing.md 8: below 23 credits they limit. Writes keep 150 / 10 + 1 = 16 of them, at most half;
 * reads have the rest but one, and a line of the read latency 220 goes every 220 / (rest - 1). */
Test(sim_data, credits_limit_the_rate)
{
    static const struct {
        uint64_t credits, step;
    } row[] = {{64, 10}, {39, 10}, {38, 11}, {22, 22}, {11, 44}, {4, 220}};
    sim_afu_params_mutable(m->afu)->write_latency = 150;
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        uint64_t begin, fast;

        sim_afu_params_mutable(m->afu)->credits = row[i].credits;
        model_rw(m, &user, 0, true, 0, 0, 1, m->buffer); /* 32 lines from host to card */
        cr_assert(model_issue(m, &user, 0, 1000000));
        begin = m->machine->engine.now;
        cr_assert(model_issue(m, &user, 0, 1000000));
        fast = m->machine->engine.now - begin;
        sim_afu_params_mutable(m->afu)->credits = 64;
        begin = m->machine->engine.now;
        cr_assert(model_issue(m, &user, 0, 1000000));
        cr_assert_eq(fast - (m->machine->engine.now - begin), 32 * (row[i].step - 10));
    }
}

/* A write that fails on the medium changes nothing; one that is corrupted there changes one bit. */
Test(sim_data, media_faults_of_a_write)
{
    char why[128];

    memset(m->buffer, 0x11, 4096);
    model_rw(m, &user, 0, true, 0, 0, 1, m->buffer);
    go(0);
    cr_assert_eq(
        sim_faults_load(sim_afu_faults(m->afu), "media#1=x+media#3=v+media#5=n", why, sizeof why),
        0);
    memset(m->buffer, 0x22, 4096);
    go(0);
    cr_assert_eq(user.pair[0].ioasa.rc.scsi_rc, 0x02);
    cr_assert_eq(user.pair[0].ioasa.sense_data[2], 0x03);
    cr_assert_eq(user.pair[0].ioasa.sense_data[12], 0x0C); /* write error */
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    go(1);
    cr_assert_eq(m->buffer[0], 0x11, "the failed write changed the medium");
    memset(m->buffer, 0x22, 4096);
    model_rw(m, &user, 0, true, 0, 0, 1, m->buffer);
    go(0); /* third hit */
    cr_assert_eq(model_ioasc(&user, 0), 0);
    go(1);
    cr_assert_eq(m->buffer[0], 0x23);
    cr_assert_eq(m->buffer[1], 0x22);
    model_rw(m, &user, 0, true, 0, 0, 1, m->buffer);
    cr_assert_not(model_issue(m, &user, 0, 10000000), "a write that never ends ended");
}

static void first_byte(uint64_t lba, uint8_t want)
{
    memset(m->buffer, 0xCC, 4096);
    model_rw(m, &user, 0, false, 0, lba, 1, m->buffer);
    go(0);
    cr_assert_eq(m->buffer[0], want, "block %u", (unsigned)lba);
}

/* A list of ranges goes to the LUN as it is, here by port and from the master. */
Test(sim_data, unmap_by_port)
{
    static const uint8_t list[24] = {0, 22, 0, 16, [15] = 1, [19] = 1};
    struct afu_ioarcb *r;

    memset(m->buffer, 0x5A, 3 * 4096);
    model_rw(m, &user, 0, true, 0, 0, 3, m->buffer);
    go(0);
    memcpy(m->buffer, list, sizeof list);
    r = model_ioarcb(&m->master, 0);
    r->req_flags = xe16_of(m->master.order, AFU_REQ_HOST_WRITE);
    r->port_sel = xe32_of(m->master.order, 1);
    r->lun_id = xe64_of(m->master.order, afu_lun_id(0));
    r->data_len = xe32_of(m->master.order, sizeof list);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)m->buffer);
    r->cdb[0] = 0x42;
    r->cdb[8] = sizeof list;
    cr_assert(model_issue(m, &m->master, 0, 10000000));
    cr_assert_eq(model_ioasc(&m->master, 0), 0);
    first_byte(0, 0x5A);
    first_byte(1, 0);
    first_byte(2, 0x5A);
}

/* a LUN of 512-byte blocks behind the same interface; the CDB counts its blocks, and a chunk
 * is 65,536 of them, 32 MiB. */
Test(sim_data, a_lun_of_small_blocks)
{
    static const uint64_t chunks[] = {2, 0};
    struct afu_rht_direct whole = {
        .lun_id = afu_lun_id(1), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 1};

    model_virtual(m, &user, 1, chunks, 2, 1, AFU_PERM_RW);
    user.rht[2] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &whole);
    for (unsigned i = 0; i < 8; i++)
        memset(m->buffer + i * 512, 0x30 + (int)i, 512);
    model_rw(m, &user, 0, true, 1, 65532, 8, m->buffer); /* four blocks in each chunk */
    user.pair[0].ioarcb.data_len = xe32_of(user.order, 8 * 512);
    go(0);
    cr_assert_eq(model_ioasc(&user, 0), 0);
    for (unsigned i = 0; i < 8; i++) {
        model_rw(m, &user, 1, false, 2, i < 4 ? 2 * 65536 + 65532 + i : i - 4, 1, m->buffer + 8192);
        user.pair[1].ioarcb.data_len = xe32_of(user.order, 512);
        go(1);
        cr_assert_eq(model_ioasc(&user, 1), 0);
        cr_assert_eq(m->buffer[8192], 0x30 + i);
        cr_assert_eq(m->buffer[8192 + 511], 0x30 + i);
    }
    model_rw(m, &user, 0, false, 1, 2 * 65536, 1, m->buffer);
    go(0);
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x13, "two chunks of 65,536 blocks");
    PROVES(R_6);
}

/* Byte 14 of READ CAPACITY(16): LBPME 0x80, LBPRZ 0x40. */
static uint8_t provisioning(void)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    memset(m->buffer, 0, 32);
    r->port_sel = xe32_of(m->master.order, 1);
    r->lun_id = xe64_of(m->master.order, afu_lun_id(0));
    r->data_len = xe32_of(m->master.order, 32);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)m->buffer);
    r->cdb[0] = 0x9E;
    r->cdb[1] = 0x10;
    r->cdb[13] = 32;
    cr_assert(model_issue(m, &m->master, 0, 10000000));
    cr_assert_eq(model_ioasc(&m->master, 0), 0);
    return m->buffer[14];
}

/* what a host must see before it may wipe by unmapping: the card's bit and the LUN's. That
 * unmapped blocks are noise without the latter is in sim_scsi_provision_test. */
Test(sim_data, whether_unmapping_wipes_is_announced)
{
    struct sim_params p;

    cr_assert_eq(model_load(m, &user, AFU_HOST_CTX_CTRL) >> 63, 0);
    for (unsigned i = 0; i < 4; i++) {
        down();
        sim_params_default(&p);
        p.unmap_capability = i & 1;
        p.lbprz = i >> 1;
        m = model_create_bare(&p);
        model_bring_up(m);
        memset(&user, 0, sizeof user);
        model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
        cr_assert_eq(model_load(m, &user, AFU_HOST_CTX_CTRL) >> 63, i & 1);
        cr_assert_eq(provisioning() & 0x40, i >> 1 ? 0x40 : 0);
    }
    cr_assert_eq(sim_params_profile(&p, "flashgt"), 0);
    cr_assert_eq(p.unmap_capability, 1);
    PROVES(R_24);
}

static void plan(const char *faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

static unsigned count_of(uint8_t value)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 4096; i++)
        n += m->buffer[i] == value;
    return n;
}

/* FS-19 d: one line keeps what was there, in host memory on a read, zeros on a write; the status is
 * good. */
Test(sim_data, a_lost_line)
{
    memset(m->buffer, 0x99, 4096);
    model_rw(m, &user, 0, true, 0, 0, 1, m->buffer);
    go(0);
    plan("data#1=d(31)+data#2=d(2)");
    memset(m->buffer, 0x11, 4096);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    go(0);
    cr_assert_eq(model_ioasc(&user, 0), 0);
    cr_assert_eq(count_of(0x11), 128);
    cr_assert_eq(m->buffer[31 * 128], 0x11);
    memset(m->buffer, 0x22, 4096);
    model_rw(m, &user, 0, true, 0, 0, 1, m->buffer);
    go(0);
    cr_assert_eq(model_ioasc(&user, 0), 0);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    go(0);
    cr_assert_eq(count_of(0x22), 4096 - 128);
    cr_assert(m->buffer[2 * 128] == 0 && m->buffer[3 * 128 - 1] == 0);
}

static uint32_t resid(unsigned slot) { return xe32_get(user.order, user.pair[slot].ioasa.resid); }

/* FS-19 s, FK-22: so many bytes arrive, the rest is the residual. Of a write, whole blocks count.
 */
Test(sim_data, a_short_transfer)
{
    plan("data#1=s(1000)+data#2=s+data#3=s(5000)+data#4=s(100)");
    memset(m->buffer, 0x77, 8192);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    go(0);
    cr_assert_eq(model_ioasc(&user, 0), 0x10000000); /* UNDERRUN alone */
    cr_assert_eq(resid(0), 3096);
    cr_assert_eq(count_of(0x77), 3096, "more or fewer bytes than reported");
    memset(m->buffer, 0x77, 8192);
    go(0);
    cr_assert_eq(resid(0), 2048);
    cr_assert_eq(count_of(0x77), 2048);
    memset(m->buffer, 0x55, 8192);
    model_rw(m, &user, 0, true, 0, 8, 2, m->buffer);
    go(0);
    cr_assert_eq(resid(0), 4096);
    cr_assert_eq(sim_media_counters(m->media, 0)->blocks_written, 1);
    model_rw(m, &user, 0, false, 0, 8, 1, m->buffer);
    user.pair[0].ioarcb.req_flags = xe16_of(user.order, AFU_REQ_RES_HNDL | AFU_REQ_SUP_UNDERRUN);
    go(0);
    cr_assert_eq(model_ioasc(&user, 0), 0, "SUP_UNDERRUN");
    cr_assert_eq(resid(0), 3996);
}
