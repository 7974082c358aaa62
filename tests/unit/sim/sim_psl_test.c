/* SPDX-License-Identifier: Apache-2.0 */
/* A translation fault on each single bus command, with each outcome (TM-24): what the host is told
 * (TM-13, R-11, R-18, SL 2.1), that RESTART comes first (TM-11), and that the context goes on. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_trace.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_psl, .init = up_zero, .fini = down);

/* What a client can see of a failed command. */
enum seen {
    DONE,   /* it completed well */
    STATUS, /* it completed with the site's afu_rc and the code in afu_extra */
    PERM,   /* no completion, the site's bit of intr_status */
    TEMP,   /* no completion, TEMP_ERR_PAGEIN */
    GONE,   /* no completion, nothing in intr_status */
};

static const struct {
    const char *site;
    uint64_t retry, permanent;
    uint8_t afu_rc;
} accesses[] = {
    {"fetch", AFU_CONFIG_AR_IOARCB, AFU_INTR_PERM_ERR_RCB_READ, 0},
    {"rht", AFU_CONFIG_AR_RHT, 0, 0x04},
    {"lxt", AFU_CONFIG_AR_LXT, 0, 0x14},
    {"data", AFU_CONFIG_AR_DATA, 0, 0x31},
    {"asa", AFU_CONFIG_AR_IOASA, AFU_INTR_PERM_ERR_SA_WRITE, 0},
    {"rrq", AFU_CONFIG_AR_RRQ, AFU_INTR_PERM_ERR_RRQ_WRITE, 0},
};

static void set_config(uint64_t retry)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG,
                AFU_CONFIG_ENDIAN_LITTLE | retry);
}

static void plan(const char *site, unsigned code)
{
    char text[32], why[128];

    snprintf(text, sizeof text, "%s#1=x(%u)", site, code);
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), text, why, sizeof why), 0, "%s", why);
}

static unsigned restarts;

static void count_restart(void *arg, const struct sim_trace_record *records, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        restarts += records[i].kind == SIM_EVENT_PSL_RESTART;
}

static unsigned restarts_so_far(void)
{
    sim_trace_flush(&m->machine->trace);
    return restarts;
}

/* Events of a context; *address is that of the last data-storage event. */
static unsigned storage_events(struct model_ctx *c, uint64_t *address)
{
    struct sim_bus_event ev;
    unsigned n = 0;

    while ((ev = sim_bus_event(c->sim)).kind != SIM_BUS_EVENT_NONE)
        if (ev.kind == SIM_BUS_EVENT_DATA_STORAGE) {
            n++;
            *address = ev.address;
        }
    return n;
}

static enum seen outcome(unsigned i, unsigned code)
{
    uint64_t bits;
    bool done;

    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
    model_sync(m, AFU_SYNC_HW, user.handle, 0); /* so that both tables are read */
    plan(accesses[i].site, code);
    model_rw(m, &user, 0, false, 0, 3, 1, m->buffer);
    done = model_issue(m, &user, 0, 2000000);
    model_run_dry(m);
    bits = model_load(m, &user, AFU_HOST_INTR_STATUS);
    model_store(m, &user, AFU_HOST_INTR_CLEAR, bits);
    if (!done)
        return bits == AFU_INTR_TEMP_ERR_PAGEIN        ? TEMP
               : bits && bits == accesses[i].permanent ? PERM
                                                       : GONE;
    cr_expect_eq(bits, 0);
    if (!model_ioasc(&user, 0))
        return DONE;
    cr_expect_eq(user.pair[0].ioasa.rc.afu_rc, accesses[i].afu_rc, "%s %u", accesses[i].site, code);
    cr_expect_eq(user.pair[0].ioasa.afu_extra, code, "%s %u", accesses[i].site, code);
    return STATUS;
}

/* The context is as good as before: nothing of it was flushed for ever. */
static void goes_on(const char *what)
{
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000), "%s: the context no longer works", what);
    cr_assert_eq(model_ioasc(&user, 1), 0, "%s: 0x%x", what, model_ioasc(&user, 1));
}

static enum seen expected(unsigned i, unsigned code, bool retry)
{
    if (code == AFU_PSL_PAGED && retry)
        return DONE;
    if (accesses[i].permanent)
        return code == AFU_PSL_PAGED ? TEMP : PERM;
    return code == AFU_PSL_AERROR && accesses[i].afu_rc == 0x31 ? GONE : STATUS;
}

static void each_code(unsigned i, bool retry)
{
    static const uint8_t codes[] = {1, 3, 4, 5, 6, 7, 8, 0x0A, 0x0B};

    for (size_t k = 0; k < HAL_ARRAY_LENGTH(codes); k++) {
        uint64_t address = 0;
        unsigned before = restarts_so_far();
        bool flushes = codes[k] == 1 || codes[k] == 3 || codes[k] == 0x0A;
        bool table = accesses[i].afu_rc == 0x04 || accesses[i].afu_rc == 0x14;

        cr_expect_eq(outcome(i, codes[k]), expected(i, codes[k], retry), "%s %u retry %d",
                     accesses[i].site, codes[k], retry);
        cr_expect_eq(restarts_so_far() - before, flushes, "%s %u", accesses[i].site, codes[k]);
        cr_expect_eq(storage_events(&user, &address), codes[k] == 1 && !table, "%s %u",
                     accesses[i].site, codes[k]);
        cr_expect_eq(storage_events(&m->master, &address), codes[k] == 1 && table, "%s %u",
                     accesses[i].site, codes[k]);
        goes_on(accesses[i].site);
    }
}

Test(sim_psl, every_code_on_every_access)
{
    sim_trace_set_sink(&m->machine->trace, count_restart, NULL);
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(accesses); i++) {
        set_config(0);
        each_code(i, false);
        set_config(accesses[i].retry); /* this bit alone, so that no other one is looked at */
        each_code(i, true);
        set_config(AFU_CONFIG_AR_ALL & ~accesses[i].retry);
        each_code(i, false);
    }
    PROVES(TM_24);
    PROVES(TM_11);
    PROVES(TM_13);
    PROVES(R_11);
    PROVES(SL_4_1);
}

/* The address of an event is that of the access. */
Test(sim_psl, events_name_the_address)
{
    uint64_t address = 0;

    outcome(0, AFU_PSL_AERROR);
    cr_assert_eq(storage_events(&user, &address), 1);
    cr_assert_eq(address, (uintptr_t)&user.pair[0]);
    outcome(1, AFU_PSL_AERROR);
    cr_assert_eq(storage_events(&m->master, &address), 1);
    cr_assert_eq(address, (uintptr_t)&user.rht[0]);
    outcome(2, AFU_PSL_AERROR);
    cr_assert_eq(storage_events(&m->master, &address), 1);
    cr_assert_eq(address, (uintptr_t)m->lxt);
    outcome(3, AFU_PSL_AERROR);
    cr_assert_eq(storage_events(&user, &address), 1);
    cr_assert_eq(address, (uintptr_t)m->buffer);
    outcome(4, AFU_PSL_AERROR);
    cr_assert_eq(storage_events(&user, &address), 1);
    cr_assert_eq(address, (uintptr_t)&user.pair[0].ioasa);
    PROVES(R_11);
}

static uint64_t cycles_of_read(const char *fault)
{
    uint64_t start;

    model_sync(m, AFU_SYNC_HW, user.handle, 0);
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), fault, NULL, 0), 0, "%s", fault);
    model_rw(m, &user, 0, false, 0, 3, 1, m->buffer);
    start = m->machine->engine.now;
    cr_assert(model_issue(m, &user, 0, 10000000), "%s", fault);
    cr_assert_eq(model_ioasc(&user, 0), 0, "%s", fault);
    return m->machine->engine.now - start;
}

/* Delayed success: only slower, by as much as is planned, or by a page from disk. An answer that
 * the page comes later costs RESTART, the pause of the AFU, and the access once more. */
Test(sim_psl, slow_translations)
{
    static const char *const sites[] = {"fetch", "rht", "lxt", "data", "rrq"};
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    uint64_t plain = cycles_of_read("");
    char text[32];

    p->xlate_major = 250000; /* 0 in the profile of this model */
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(sites); i++) {
        snprintf(text, sizeof text, "%s#1=l(1234)", sites[i]);
        cr_expect_eq(cycles_of_read(text), plain + 1234, "%s", text);
        snprintf(text, sizeof text, "%s#1=l", sites[i]);
        p->xlate_major = 4321;
        cr_expect_eq(cycles_of_read(text), plain + 4321, "%s", text);
        p->xlate_major = 0;
        cr_expect_eq(cycles_of_read(text), plain + 1, "%s: late is late", text);
    }
    /* the element need not wait then until the bus takes another line */
    cr_expect_eq(cycles_of_read("asa#1=l(0x1000004D2)"),
                 plain + 1234 - (p->write_interval - p->write_latency));
    p->xlate_minor = 5000;
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(accesses); i++) {
        uint64_t slow;

        set_config(AFU_CONFIG_AR_ALL);
        snprintf(text, sizeof text, "%s#1=x(10)", accesses[i].site);
        slow = cycles_of_read(text);
        cr_expect_gt(slow, plain + 5000, "%s", text);
        cr_expect_lt(slow, plain + 5000 + 1000, "%s", text);
        snprintf(text, sizeof text, "%s#1x3=x(10)", accesses[i].site);
        cr_expect_eq(cycles_of_read(text), plain + 3 * (slow - plain), "%s: not each time anew",
                     text);
    }
    PROVES(TM_24);
}

static uint64_t reads_on_the_bus(void)
{
    struct sim_afu_stats stats;

    sim_afu_stats(m->afu, &stats);
    return stats.read_lines;
}

/* RESTART is a bus command: it is counted, and what comes next waits for its answer. */
Test(sim_psl, restart_takes_its_time)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    uint64_t plain, slow, reads[3];

    set_config(AFU_CONFIG_AR_ALL);
    p->read_latency = 700;
    reads[0] = reads_on_the_bus();
    plain = cycles_of_read("");
    reads[1] = reads_on_the_bus();
    slow = cycles_of_read("asa#1=x(10)"); /* RESTART 700, pause, one write */
    reads[2] = reads_on_the_bus();
    cr_assert_eq(slow - plain, 700 + p->xlate_minor + p->write_latency);
    cr_assert_eq(reads[2] - reads[1], reads[1] - reads[0] + 1);
    PROVES(TM_11);
}

/* R-9 holds while a walk waits for a page: what a sync passes is read again. */
Test(sim_psl, a_sync_restarts_a_walk_that_waits_for_a_page)
{
    static const uint64_t other[] = {1};
    uint8_t byte = 0x77;

    set_config(AFU_CONFIG_AR_ALL | AFU_CONFIG_ENDIAN_LITTLE);
    model_sync(m, AFU_SYNC_HW, user.handle, 0);
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "lxt#1=x(10)", NULL, 0), 0);
    sim_afu_params_mutable(m->afu)->xlate_minor = 100000;
    memset(m->buffer, byte, 4096);
    model_rw(m, &user, 0, true, 0, 5, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 5000); /* the entry is here, the LXT word is waited for */
    user.rht[1] = user.rht[0];
    m->lxt[8] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(other[0], 0, AFU_PERM_RW, 3));
    user.rht[0].word[0] = hal_swap64(HAL_ORDER_LITTLE, (uintptr_t)(m->lxt + 8));
    m->lxt[0] = 0; /* the old array is somebody else's now */
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 0), 0);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_ioasc(&user, 0), 0);
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(1, 0, AFU_PERM_RW, 3));
    memset(m->buffer, 0, 4096);
    model_rw(m, &user, 1, false, 1, 5, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(m->buffer[0], byte, "the write went through the old array");
    PROVES(R_9);
}

/* A context reset and a time-out of the command end the wait for a page that never comes. */
Test(sim_psl, a_page_that_never_comes)
{
    struct sim_afu_stats stats;

    set_config(AFU_CONFIG_AR_ALL);
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "data#1*=x(10)", NULL, 0), 0);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.req_flags =
        xe16_of(user.order, AFU_REQ_RES_HNDL | AFU_REQ_TIMEOUT_MILLISECONDS);
    user.pair[0].ioarcb.timeout = xe16_of(user.order, 2);
    cr_assert(model_issue(m, &user, 0, 600000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x51);
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    cr_assert_not(model_issue(m, &user, 1, 600000));
    model_store(m, &user, AFU_HOST_IOARRIN, 1);
    model_run_dry(m);
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.in_flight, 0);
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "", NULL, 0), 0);
    goes_on("data");
    PROVES(R_14);
}

/* R-18, the three outcomes when the owner of the tables is gone: no capability, the walk that was
 * under way, the number in use again. */
Test(sim_psl, the_owner_is_gone)
{
    struct model_ctx owner = {0};
    uint64_t ctrl = AFU_CTRL_BASE(user.handle);

    model_ctx_start(m, &owner, true, HAL_ORDER_LITTLE);
    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_CNT_ID, afu_rht_cnt_id(256, owner.handle));
    goes_on("owner");
    sim_bus_ctx_stop(owner.sim);
    model_sync(m, AFU_SYNC_HW, user.handle, 0);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x1A);
    cr_assert_eq(sim_bus_ctx_start(owner.sim, 3), 0);
    model_ctx_end(m, &owner);
    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_CNT_ID, afu_rht_cnt_id(256, m->master.handle));
    cr_assert_eq(outcome(1, AFU_PSL_CONTEXT), STATUS);
    cr_assert_eq(outcome(2, AFU_PSL_CONTEXT), STATUS);
    cr_assert_eq(outcome(1, AFU_PSL_AERROR), STATUS);
    PROVES(R_18);
    PROVES(CX_120);
}

/* TM-12: nothing bounds the wait for a page but the time-out of the command itself. */
Test(sim_psl, a_page_that_does_not_come_ends_with_the_time_out)
{
    uint64_t begin;

    set_config(AFU_CONFIG_AR_ALL | AFU_CONFIG_ENDIAN_LITTLE);
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "data#1*=x(10)", NULL, 0), 0);
    sim_afu_params_mutable(m->afu)->xlate_minor = 100000000;
    model_rw(m, &user, 0, false, 0, 5, 1, m->buffer);
    user.pair[0].ioarcb.req_flags =
        xe16_of(user.order, AFU_REQ_RES_HNDL | AFU_REQ_TIMEOUT_MICROSECONDS);
    user.pair[0].ioarcb.timeout = xe16_of(user.order, 400);
    begin = m->machine->engine.now;
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x51);
    cr_assert_geq(m->machine->engine.now - begin, 400 * 250);
    cr_assert_lt(m->machine->engine.now - begin, 400 * 250 + 2000);
    cr_assert_eq(sim_engine_next(&m->machine->engine), SIM_NEVER, "something waits still");
    PROVES(TM_12);
}
