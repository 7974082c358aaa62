/* SPDX-License-Identifier: Apache-2.0 */
/* The fault sites as a whole (campaigns.md section 3): each offers the effects of the table there,
 * and each effect happens, leaves the machine able to come to rest, and is gone after a context
 * reset or an AFU reset. What an effect does is tested with its block. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

/* The table, by hand: effects of section 3, and those that only section 4 names. "o" stands for
 * "ones", "t" for "stale", "b" for "flap". FS-11 has two names: doorbell and credit answer. The
 * link has more: damaged frames, a target that logs out, errors of the port (SL 16), no light. */
static const struct {
    const char *id, *name, *effects, *more;
} table[] = {
    {"FS-9", "mr", "ovl", ""},       {"FS-10", "mw", "dle", ""},
    {"FS-11", "bell", "dvx", ""},    {"FS-11", "room", "vo", ""},
    {"FS-12", "fetch", "xlv", "n"},  {"FS-13", "cap", "x", ""},
    {"FS-14", "rht", "xvl", ""},     {"FS-14", "lxt", "xvl", ""},
    {"FS-15", "xc", "t", ""},        {"FS-16", "port", "x", ""},
    {"FS-17", "fc", "xdlns", "cgp"}, {"FS-18", "media", "xvln", ""},
    {"FS-19", "data", "xdsl", ""},   {"FS-20", "asa", "vdlx", ""},
    {"FS-21", "rrq", "d2levx", ""},  {"FS-22", "lisn", "d2le", ""},
    {"FS-23", "evt", "xd2lv", ""},   {"FS-24", "afucmd", "xdln", "s"},
    {"FS-25", "creset", "lno", ""},  {"FS-26", "plink", "xlnb", "d"},
    {"FS-27", "aintr", "d2lv", ""},  {"FS-28", "hb", "v", ""},
    {"FS-29", "afurst", "xln", ""},
};

static int site_of(const char *name)
{
    for (int s = 0; s < SIM_SITE_COUNT; s++)
        if (!strcmp(sim_site_name((enum sim_site)s), name))
            return s;
    return -1;
}

static bool same_letters(const char *offered, const char *a, const char *b)
{
    for (const char *p = offered; *p; p++)
        if (!strchr(a, *p) && !strchr(b, *p))
            return false;
    return strlen(offered) == strlen(a) + strlen(b);
}

Test(sim_sites, effects_are_those_of_the_table)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(table); i++) {
        int s = site_of(table[i].name);

        cr_assert_geq(s, 0, "%s", table[i].name);
        cr_expect(!strcmp(sim_site_id((enum sim_site)s), table[i].id), "%s", table[i].name);
        cr_expect(same_letters(sim_site_effects((enum sim_site)s), table[i].effects, table[i].more),
                  "%s offers %s", table[i].name, sim_site_effects((enum sim_site)s));
    }
}

/* Every effect has a word, so that it can be listed. */
Test(sim_sites, effects_have_words)
{
    for (int s = 0; s < SIM_SITE_COUNT; s++)
        for (const char *e = sim_site_effects((enum sim_site)s); *e; e++)
            cr_expect(fault_effect_word(*e), "%s %c", sim_site_name((enum sim_site)s), *e);
}

/* ---- one run for each -------------------------------------------------------------------------
 */

#define GLOBAL(reg) (AFU_GLOBAL_BASE + (reg))

static void io(unsigned slot, bool write)
{
    model_rw(m, &user, slot, write, 0, 7, 1, m->buffer);
    user.pair[slot].ioarcb.msi = 2;
    model_doorbell(m, &user, slot);
    model_run_dry(m);
}

static void read_events(struct sim_ctx *ctx)
{
    for (int i = 0; i < 8; i++)
        (void)sim_bus_event(ctx);
}

static void links_down_and_up(void)
{
    sim_afu_link_down(m->afu, 1);
    model_run_dry(m);
    sim_afu_link_up(m->afu, 1);
    model_run_dry(m);
}

static void sync_nobody_waits_for(void)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->req_flags = xe16_of(m->master.order, AFU_REQ_AFU_CMD);
    afu_sync_cdb(r->cdb, AFU_SYNC_LW, user.handle, 0);
    model_doorbell(m, &m->master, 0);
    model_run_dry(m);
}

static void end_all(void)
{
    if (user.sim)
        model_ctx_end(m, &user);
    if (m->master.sim)
        model_ctx_end(m, &m->master);
    model_run_dry(m);
}

static int reset_afu(void)
{
    uint64_t done = 0;
    int rc = sim_bus_afu_reset(m->afu, &done);

    if (!rc)
        model_run(m, done - m->machine->engine.now);
    return rc ? rc : sim_bus_afu_reset_result(m->afu);
}

/* Passes every site at least once. */
static void workload(void)
{
    uint8_t vpd[8];
    struct sim_ctx *other;

    io(0, true);
    io(1, false);
    read_events(user.sim);
    model_load(m, &user, AFU_HOST_CMD_ROOM);
    model_load(m, &m->master, GLOBAL(AFU_GLOBAL_AFU_HB));
    sync_nobody_waits_for();
    links_down_and_up();
    (void)!sim_bus_vpd(m->afu, vpd, sizeof vpd);
    if (!sim_bus_ctx_create(m->afu, false, &other))
        sim_bus_ctx_release(other);
    model_store(m, &user, AFU_HOST_IOARRIN, 1);
    model_run_dry(m);
    model_load(m, &user, AFU_HOST_IOARRIN);
    end_all();
    (void)reset_afu();
}

/* Everything anew: contexts, tables, one write and one read that are good. */
static void works_again(const char *plan)
{
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    model_store(m, &m->master, GLOBAL(AFU_GLOBAL_AFU_CONFIG),
                AFU_CONFIG_AR_ALL | AFU_CONFIG_ENDIAN_LITTLE);
    for (unsigned port = 0; port < 2; port++)
        model_store(m, &m->master, AFU_LUN_TABLE_ENTRY(port, 0), afu_lun_id(0));
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
    memset(m->buffer, 0x3C, 4096);
    model_rw(m, &user, 0, true, 0, 9, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000), "%s: no answer afterwards", plan);
    cr_assert_eq(model_ioasc(&user, 0), 0, "%s: 0x%x", plan, model_ioasc(&user, 0));
    memset(m->buffer, 0, 4096);
    model_rw(m, &user, 1, false, 0, 9, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000), "%s", plan);
    cr_assert_eq(m->buffer[4095], 0x3C, "%s: contents", plan);
}

static void unload(void) { cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "", NULL, 0), 0); }

/* Lets the platform recover the slot, if it can. */
static bool slot_works(void)
{
    for (;;) {
        model_run_dry(m);
        switch (sim_bus_platform_event(m->afu)) {
        case SIM_BUS_PLATFORM_NONE:
            return true;
        case SIM_BUS_PLATFORM_FROZEN:
        case SIM_BUS_PLATFORM_OTHER:
            sim_bus_platform_answer(m->afu, SIM_BUS_PLATFORM_NEED_RESET);
            break;
        case SIM_BUS_PLATFORM_SLOT_RESET:
            sim_bus_platform_answer(m->afu, SIM_BUS_PLATFORM_RECOVERED);
            break;
        case SIM_BUS_PLATFORM_RESUMED:
            break;
        case SIM_BUS_PLATFORM_PERMANENT_FAILURE:
        case SIM_BUS_PLATFORM_REMOVED:
            return false;
        }
    }
}

static void one(const char *plan)
{
    struct sim_afu_stats stats;
    char why[160];

    up_flashsystem();
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), plan, why, sizeof why), 0, "%s", why);
    workload();
    cr_expect_eq(sim_afu_faults(m->afu)->rule[0].fired, 1, "%s did not fire", plan);
    unload();
    if (!slot_works()) {
        cr_expect_eq(reset_afu(), -EIO, "%s", plan);
        down();
        return;
    }
    cr_expect_eq(reset_afu(), 0, "%s", plan);
    cr_expect_eq(sim_engine_next(&m->machine->engine), SIM_NEVER, "%s: not at rest", plan);
    sim_afu_stats(m->afu, &stats);
    cr_expect_eq(stats.in_flight, 0, "%s: commands are left", plan);
    works_again(plan);
    model_expect_any_violations(m); /* what a changed byte looks like */
    down();
}

Test(sim_sites, every_effect_fires_and_passes)
{
    for (int s = 0; s < SIM_SITE_COUNT; s++)
        for (const char *e = sim_site_effects((enum sim_site)s); *e; e++) {
            char plan[48];

            snprintf(plan, sizeof plan, "%s#1=%c", sim_site_name((enum sim_site)s), *e);
            one(plan);
        }
    PROVES(TM_10);
}

/* ---- one context reset is enough for what happens to a command --------------------------------
 */

static const char *const of_commands[] = {"bell", "fetch", "cap",  "rht", "lxt", "port",
                                          "fc",   "media", "data", "asa", "rrq", "lisn"};

static void program_ring_anew(void)
{
    memset(user.rrq, 0, MODEL_RRQ * sizeof *user.rrq);
    model_store(m, &user, AFU_HOST_RRQ_START, (uintptr_t)user.rrq);
    model_store(m, &user, AFU_HOST_RRQ_END, (uintptr_t)(user.rrq + MODEL_RRQ - 1));
    user.rrq_at = 0;
    user.toggle = true;
}

static void one_command(const char *plan)
{
    struct sim_afu_stats stats;

    up_flashsystem();
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), plan, NULL, 0), 0);
    io(0, true);
    cr_expect_eq(sim_afu_faults(m->afu)->rule[0].fired, 1, "%s did not fire", plan);
    model_store(m, &user, AFU_HOST_IOARRIN, 1);
    model_run_dry(m);
    cr_expect_eq(model_load(m, &user, AFU_HOST_IOARRIN) & 1, 0, "%s", plan);
    sim_afu_stats(m->afu, &stats);
    cr_expect_eq(stats.in_flight, 0, "%s: commands are left", plan);
    model_sync(m, AFU_SYNC_HW, user.handle, 0); /* a wrong entry may be cached */
    program_ring_anew();
    model_rw(m, &user, 1, false, 0, 7, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000), "%s: no answer afterwards", plan);
    cr_assert_eq(model_ioasc(&user, 1), 0, "%s: 0x%x", plan, model_ioasc(&user, 1));
    model_expect_any_violations(m);
    down();
}

Test(sim_sites, a_context_reset_ends_what_happens_to_a_command)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(of_commands); i++)
        for (const char *e = sim_site_effects((enum sim_site)site_of(of_commands[i])); *e; e++) {
            char plan[48];

            snprintf(plan, sizeof plan, "%s#1=%c", of_commands[i], *e);
            one_command(plan);
        }
    PROVES(R_16);
}
