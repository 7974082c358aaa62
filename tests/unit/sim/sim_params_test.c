/* SPDX-License-Identifier: Apache-2.0 */
/* The table of parameters against numbers copied by hand from docs/spec/timing.md sections 4 to 6
 * and docs/spec/rulings.md section 1; the sums of timing.md section 8; parameter files, good and
 * bad. */
#include "sim/sim_params.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/afu_cmd.h"
#include "hal/support/bits.h"
#include "sim/sim_engine.h"
#include "tests/testlib/proves.h"

/* ---- values ---- */

/* What the specification says, row by row; zero = profile in which nothing unknown takes time. */
static const struct row {
    const char *name;
    uint64_t flashsystem, flashgt, zero, min, max;
    char confidence;
} rows[] = {
    {"clock", 250, 250, 250, 250, 250, 'A'},
    {"bus.line", 128, 128, 128, 128, 128, 'A'},
    {"psl.buffer_width", 64, 64, 64, 64, 64, 'A'},
    {"transfer.max", 16777216, 16777216, 16777216, 16777216, 16777216, 'A'},
    {"card", 0x04F0, 0x0600, 0x04F0, 0x04F0, 0x0624, 'A'},
    {"ports", 2, 2, 2, 1, 4, 'A'},
    {"contexts", 512, 512, 512, 2, 512, 'A'},
    {"ctx.first", 0, 0, 0, 0, 511, 'D'},
    {"irq.min", 3, 3, 3, 0, 16, 'D'},
    {"irq.max", 2037, 2037, 2037, 1, 2037, 'D'},
    {"irq.budget", 2037, 2037, 2037, 1, 65535, 'D'},
    {"ctx.add", 16, 16, 0, 0, 100000, 'D'},
    {"interface_version", 0x8000000000010002, 0x8000000000010002, 0x8000000000010002, 0, UINT64_MAX,
     'A'},
    {"afu_version", 0x53494D3030303031, 0x53494D3030303031, 0x53494D3030303031, 0, UINT64_MAX, 'D'},
    {"port_sel.reads_zero", 0, 0, 0, 0, 1, 'A'},
    {"strict.registers", 0, 0, 0, 0, 1, 'D'},
    {"unmap_capability", 0, 1, 0, 0, 1, 'A'},
    {"media.block_size", 4096, 4096, 4096, 512, 4096, 'A'},
    {"media.lbprz", 1, 1, 1, 0, 1, 'D'},
    {"vpd.wwpn", 1, 1, 1, 0, 1, 'A'},
    {"bad_ea.status", 0, 0, 0, 0, 1, 'D'},
    {"port.choice_rr", 0, 0, 0, 0, 1, 'D'},
    {"ua_on_login", 0, 0, 0, 0, 1, 'D'},
    {"afu.cmd_room", 16, 16, 16, 1, 4096, 'D'},
    {"afu.cmd_slots", 256, 256, 256, 1, 256, 'D'},
    {"afu.data_buffers", 256, 256, 256, 1, 256, 'D'},
    {"afu.xlt.entries", 64, 64, 64, 0, 4096, 'D'},
    {"rht.fetch", 0, 0, 0, 0, 2, 'D'},
    {"afu.doorbell_to_fetch", 8, 8, 0, 0, 100000, 'D'},
    {"afu.cmd_decode", 16, 16, 0, 0, 100000, 'D'},
    {"afu.xlt.hit", 4, 4, 0, 0, 100000, 'D'},
    {"afu.to_port", 25, 25, 0, 0, 100000, 'D'},
    {"afu.status_build", 16, 16, 0, 0, 100000, 'D'},
    {"afu.sync.lw", 64, 64, 0, 0, 100000000, 'D'},
    {"afu.sync.hw", 64, 64, 0, 0, 100000000, 'D'},
    {"afu.provision", 250000, 250000, 0, 0, 1000000000, 'D'},
    {"afu.debug", 64, 64, 0, 0, 1000000000, 'D'},
    {"provision.luns", 16, 16, 16, 0, 255, 'D'},
    {"provision.blocks", 0x10000000, 0x10000000, 0x10000000, 0, UINT64_C(1) << 34, 'D'},
    {"afu.ctx_reset", 128, 128, 0, 0, 2000000000, 'D'},
    {"afu.reset", 250000, 250000, 0, 0, 2000000000, 'D'},
    {"mmio.write.latency", 75, 75, 0, 0, 100000, 'D'},
    {"mmio.read.latency", 250, 250, 0, 0, 100000, 'D'},
    {"mmio.afu_ack", 1, 1, 1, 0, 1000, 'A'},
    {"psl.credits", 64, 64, 64, 4, 255, 'A'},
    {"psl.buffer_read_latency", 1, 1, 1, 1, 3, 'A'},
    {"bus.buffer_disorder", 0, 0, 0, 0, 1, 'A'},
    {"bus.read.latency", 220, 220, 220, 1, 100000, 'C'},
    {"bus.write.latency", 150, 150, 0, 0, 100000, 'D'},
    {"bus.read.line_interval", 10, 10, 10, 2, 100000, 'B'},
    {"bus.write.line_interval", 10, 10, 10, 2, 100000, 'B'},
    {"bus.shared_penalty", 0, 0, 0, 0, 400, 'B'},
    {"irq.delivery", 1500, 1500, 0, 0, 100000000, 'D'},
    {"xlate.fault.minor", 5000, 5000, 0, 0, 100000000, 'D'},
    {"xlate.fault.major", 250000, 250000, 0, 0, 100000000, 'D'},
    {"xlate.fault.bad", 5000, 5000, 0, 0, 100000000, 'D'},
    {"xlate.entries", 0, 0, 0, 0, 4096, 'D'},
    {"xlate.hit", 0, 0, 0, 0, 100000, 'D'},
    {"xlate.miss", 100, 100, 0, 0, 100000, 'D'},
    {"fc.cmd_overhead", 250, 0, 0, 0, 1000000, 'D'},
    {"fc.4k_time", 1240, 0, 1240, 0, 1000000, 'A'},
    {"media.read.base", 32500, 10750, 0, 0, 2000000000, 'D'},
    {"media.read.unwritten", 32500, 5000, 0, 0, 2000000000, 'D'},
    {"media.write.base", 21250, 3500, 0, 0, 2000000000, 'D'},
    {"media.parallel", 128, 128, 128, 1, 256, 'D'},
    {"media.lun.read_interval", 0, 772, 0, 0, 1000000, 'B'},
    {"media.lun.write_interval", 0, 1351, 0, 0, 1000000, 'B'},
    {"card.interval", 0, 568, 0, 0, 1000000, 'B'},
    {"media.jitter", 0, 0, 0, 0, 100, 'D'},
    {"internal.access", 250, 250, 0, 0, 1000000, 'D'},
    {"fc.link_loss", 250000, 250000, 0, 0, 2000000000, 'D'},
    {"fc.login", 50000000, 50000000, 0, 0, 2000000000, 'D'},
    {"fc.flogi", 0, 0, 0, 0, 2000000000, 'D'},
    {"fc.plogi", 0, 0, 0, 0, 2000000000, 'D'},
    {"fc.login_timeout", 500000000, 500000000, 250000, 250000, 10000000000, 'D'},
    {"fc.shutdown", 25000000, 25000000, 0, 0, 2000000000, 'D'},
    {"fc.echo_interval", 620, 620, 1, 1, 1000000, 'D'},
    {"platform.detect", 250000, 250000, 0, 0, 2000000000, 'D'},
    {"platform.slot_reset", 512500000, 512500000, 512500000, 1, 20000000000, 'C'},
};

static const struct sim_param_info *find(const char *name)
{
    for (size_t i = 0; i < sim_param_count; i++)
        if (!strcmp(sim_param_table[i].name, name))
            return &sim_param_table[i];
    cr_assert_fail("no row %s", name);
    return NULL;
}

static uint64_t get(const struct sim_params *p, const char *name)
{
    return sim_params_get(p, find(name));
}

Test(sim_params, values_are_those_of_the_specification)
{
    struct sim_params fs, gt, zero, dflt;

    sim_params_default(&dflt);
    cr_assert_eq(sim_params_profile(&fs, "flashsystem"), 0);
    cr_assert_eq(sim_params_profile(&gt, "flashgt"), 0);
    cr_assert_eq(sim_params_profile(&zero, "zero"), 0);
    cr_assert_eq(sim_param_count, HAL_ARRAY_LENGTH(rows), "a row is not checked here");
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(rows); i++) {
        const struct row *r = &rows[i];
        cr_expect_eq(get(&dflt, r->name), r->flashsystem, "%s", r->name);
        cr_expect_eq(get(&fs, r->name), r->flashsystem, "%s", r->name);
        cr_expect_eq(get(&gt, r->name), r->flashgt, "%s", r->name);
        cr_expect_eq(get(&zero, r->name), r->zero, "%s", r->name);
        cr_expect_eq(find(r->name)->min, r->min, "%s", r->name);
        cr_expect_eq(find(r->name)->max, r->max, "%s", r->name);
        cr_expect_eq(find(r->name)->confidence, r->confidence, "%s", r->name);
    }
}

/* The form that TM-20 asks of each row. */
Test(sim_params, rows_are_complete)
{
    for (size_t i = 0; i < sim_param_count; i++) {
        const struct sim_param_info *r = &sim_param_table[i];
        cr_expect(*r->name && *r->unit && *r->source && *r->text, "%s", r->name);
        cr_expect_eq(strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789._"), strlen(r->name));
        cr_expect(r->min <= r->dflt && r->dflt <= r->max, "%s", r->name);
        cr_expect(r->min <= r->flashgt && r->flashgt <= r->max, "%s", r->name);
        for (size_t k = 0; k < i; k++)
            cr_expect(strcmp(r->name, sim_param_table[k].name), "%s twice", r->name);
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(r->offset, sim_param_table[k].offset, "%s", r->name);
        cr_expect(r->confidence >= 'A' && r->confidence <= 'D', "%s", r->name);
    }
    PROVES(TM_20);
}

/* Constants of the platform are what the program is built with, and cannot be had otherwise. */
Test(sim_params, fixed_rows_are_constants_of_the_program)
{
    cr_assert_eq(1000 / find("clock")->dflt, SIM_CYCLE_NS);
    cr_assert_eq(find("transfer.max")->dflt, AFU_TRANSFER_MAX);
    cr_assert_eq(find("bus.line")->dflt / find("psl.buffer_width")->dflt,
                 find("bus.read.line_interval")->min, "a line takes so many cycles at least");
    for (size_t i = 0; i < sim_param_count; i++) {
        const struct sim_param_info *r = &sim_param_table[i];
        struct sim_params p;

        sim_params_default(&p);
        if (r->min == r->max)
            cr_expect_eq(sim_params_set(&p, r->name, "1", NULL, 0), -ERANGE, "%s", r->name);
    }
}

/* ---- decisions ---- */

/* Whether "MD-1" is one of "MD-14, R-17". */
static bool cites(const char *source, const char *id)
{
    size_t n = strlen(id);

    for (const char *at = source; (at = strstr(at, id)); at += n)
        if ((at == source || at[-1] == ' ') && (!at[n] || at[n] == ','))
            return true;
    return false;
}

static bool documented(const char *id)
{
    for (size_t i = 0; i < sim_param_count; i++)
        if (cites(sim_param_table[i].source, id))
            return true;
    for (size_t i = 0; i < sim_decision_count; i++)
        if (cites(sim_decision_table[i].source, id))
            return true;
    return false;
}

/* R-5 is about the numbers of requirements themselves. */
Test(sim_params, every_decision_has_a_name)
{
    char id[16];

    for (unsigned n = 1; n <= 26; n++) {
        snprintf(id, sizeof id, "MD-%u", n);
        cr_expect(documented(id), "%s", id);
    }
    for (unsigned n = 4; n <= 29; n++) {
        snprintf(id, sizeof id, "R-%u", n);
        cr_expect(documented(id) || n == 5, "%s", id);
    }
}

Test(sim_params, decisions_are_complete)
{
    for (size_t i = 0; i < sim_decision_count; i++) {
        const struct sim_decision *d = &sim_decision_table[i];

        cr_expect(*d->name && *d->value && *d->unit && *d->source && *d->text, "%s", d->name);
        cr_expect_eq(strspn(d->name, "abcdefghijklmnopqrstuvwxyz_."), strlen(d->name));
        for (size_t k = 0; k < i; k++)
            cr_expect(strcmp(d->name, sim_decision_table[k].name), "%s twice", d->name);
        for (size_t k = 0; k < sim_param_count; k++)
            cr_expect(strcmp(d->name, sim_param_table[k].name), "%s twice", d->name);
    }
}

Test(sim_params, decisions_cannot_be_changed)
{
    struct sim_params p;
    char why[100];

    sim_params_default(&p);
    cr_assert_eq(sim_params_set(&p, "ioasa.bytes", "64", why, sizeof why), -ERANGE);
    cr_assert_str_eq(why, "ioasa.bytes is fixed at 12 (bytes)");
}

/* Offsets lead to the fields that the model uses. */
Test(sim_params, rows_name_their_fields)
{
    struct sim_params p;

    sim_params_default(&p);
    p.cmd_room = 7;
    p.shutdown = 9;
    p.card = 0x0624;
    cr_assert_eq(get(&p, "afu.cmd_room"), 7);
    cr_assert_eq(get(&p, "fc.shutdown"), 9);
    cr_assert_eq(get(&p, "card"), 0x0624);
}

/* 32 lines of data, warm tables, polling (timing.md section 8). */
static uint64_t read_path(const struct sim_params *p, uint64_t media)
{
    return p->mmio_write_latency + p->doorbell_to_fetch + p->read_latency + p->cmd_decode +
           p->xlt_hit + p->to_port + p->fc_cmd_overhead + media + p->fc_block_time +
           32 * p->write_interval + p->write_latency + p->status_build + 2 * p->write_latency;
}

Test(sim_params, profiles_add_up_to_the_published_sums)
{
    struct sim_params p;

    sim_params_default(&p);
    cr_assert_eq(read_path(&p, p.media_read), 35124);
    cr_assert_eq(sim_params_profile(&p, "flashgt"), 0);
    cr_assert_eq(read_path(&p, p.media_unwritten), 6134);
    cr_assert_eq(read_path(&p, p.media_read), 11884);
}

Test(sim_params, unknown_profile_is_refused)
{
    struct sim_params p, before;

    sim_params_default(&p);
    before = p;
    cr_assert_eq(sim_params_profile(&p, "FlashSystem900"), -EINVAL);
    cr_assert_eq(sim_params_profile(&p, "flash"), -EINVAL);
    cr_assert_eq(sim_params_profile(&p, ""), -EINVAL);
    cr_assert(!memcmp(&p, &before, sizeof p));
}

Test(sim_params, profiles_as_the_specification_writes_them)
{
    struct sim_params p, flashgt;

    cr_assert_eq(sim_params_profile(&flashgt, "flashgt"), 0);
    cr_assert_eq(sim_params_profile(&p, "FlashGT"), 0);
    cr_assert(!memcmp(&p, &flashgt, sizeof p));
    cr_assert_eq(sim_params_profile(&p, "FlashSystem"), 0);
}

/* ---- one value from text ---- */

static const struct {
    const char *name, *value;
    int rc;
    uint64_t result; /* when rc is 0 */
    const char *why; /* otherwise */
} settings[] = {
    {"afu.cmd_room", "75", 0, 75, NULL},
    {"afu.cmd_room", "010", 0, 10, NULL},
    {"afu.cmd_room", "0x10", 0, 16, NULL},
    {"afu.cmd_room", "4k", 0, 4000, NULL},
    {"fc.login", "2M", 0, 2000000, NULL},
    {"fc.login", "0X2k", 0, 2000, NULL},
    {"card", "0x04f0", 0, 0x04F0, NULL},
    {"interface_version", "0xFFFFFFFFFFFFFFFF", 0, UINT64_MAX, NULL},
    {"interface_version", "18446744073709551615", 0, UINT64_MAX, NULL},
    {"interface_version", "18446744073709551616", -ERANGE, 0,
     "interface_version = 18446744073709551616 does not fit in 64 bits"},
    {"interface_version", "18446744073709551615M", -ERANGE, 0,
     "interface_version = 18446744073709551615M does not fit in 64 bits"},
    {"afu.cmd_room", "0", -ERANGE, 0, "afu.cmd_room = 0 is out of its range, 1 to 4096 (commands)"},
    {"afu.cmd_room", "4097", -ERANGE, 0,
     "afu.cmd_room = 4097 is out of its range, 1 to 4096 (commands)"},
    {"card", "1", -ERANGE, 0, "card = 0x0001 is out of its range, 0x04F0 to 0x0624 (PCI device)"},
    {"clock", "250", 0, 250, NULL},
    {"clock", "200", -ERANGE, 0, "clock = 200 is not possible, it is fixed at 250 (MHz)"},
    {"afu.cmd_room", "", -EINVAL, 0,
     "'' is not a number: write 75, 0x4F0, 10k or 2M for afu.cmd_room (commands)"},
    {"afu.cmd_room", "-1", -EINVAL, 0,
     "'-1' is not a number: write 75, 0x4F0, 10k or 2M for afu.cmd_room (commands)"},
    {"afu.cmd_room", "0x", -EINVAL, 0,
     "'0x' is not a number: write 75, 0x4F0, 10k or 2M for afu.cmd_room (commands)"},
    {"afu.cmd_room", "16 ", -EINVAL, 0,
     "'16 ' is not a number: write 75, 0x4F0, 10k or 2M for afu.cmd_room (commands)"},
    {"afu.cmd_room", "1kk", -EINVAL, 0,
     "'1kk' is not a number: write 75, 0x4F0, 10k or 2M for afu.cmd_room (commands)"},
    {"afu.cmd_room", "99999999999999999999x", -EINVAL, 0,
     "'99999999999999999999x' is not a number: write 75, 0x4F0, 10k or 2M for afu.cmd_room "
     "(commands)"},
    {"media.jiter", "1", -ENOENT, 0,
     "there is no parameter 'media.jiter'; did you mean 'media.jitter'?"},
    {"irq_min", "1", -ENOENT, 0, "there is no parameter 'irq_min'; did you mean 'irq.min'?"},
    {"cmd_room", "1", -ENOENT, 0, "there is no parameter 'cmd_room'; did you mean 'afu.cmd_room'?"},
    {"jitter", "1", -ENOENT, 0, "there is no parameter 'jitter'; did you mean 'media.jitter'?"},
    {"quite different", "1", -ENOENT, 0, "there is no parameter 'quite different'"},
    {"\033[2J", "1", -ENOENT, 0, "there is no parameter '?[2J'"},
    {"", "1", -ENOENT, 0, "there is no parameter ''"},
};

Test(sim_params, set_takes_numbers_and_explains_the_rest)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(settings); i++) {
        struct sim_params p, before;
        char why[256] = "";
        sim_params_default(&p);
        before = p;
        cr_expect_eq(sim_params_set(&p, settings[i].name, settings[i].value, why, sizeof why),
                     settings[i].rc, "%s = '%s': %s", settings[i].name, settings[i].value, why);
        if (!settings[i].rc) {
            cr_expect_eq(get(&p, settings[i].name), settings[i].result, "%s", settings[i].value);
            continue;
        }
        cr_expect(!strcmp(why, settings[i].why), "got '%s'\nnot '%s'", why, settings[i].why);
        cr_expect(!memcmp(&p, &before, sizeof p));
    }
}

Test(sim_params, sentences_are_cut_to_the_buffer)
{
    struct sim_params p;
    char *name = malloc(100001), why[8];

    sim_params_default(&p);
    cr_assert_not_null(name);
    memset(name, 'a', 100000);
    name[100000] = 0;
    cr_assert_eq(sim_params_set(&p, name, "1", why, sizeof why), -ENOENT);
    cr_assert_eq(strlen(why), 7);
    cr_assert_eq(sim_params_set(&p, name, "1", NULL, 0), -ENOENT);
    cr_assert_eq(sim_params_set(&p, "ports", name, why, 0), -EINVAL);
    free(name);
}

Test(sim_params, values_print_as_people_write_them)
{
    char text[SIM_PARAMS_VALUE_BYTES];

    sim_params_format(find("card"), 0x600, text);
    cr_assert_str_eq(text, "0x0600");
    sim_params_format(find("afu_version"), 0x53494D3030303031, text);
    cr_assert_str_eq(text, "0x53494D3030303031");
    sim_params_format(find("fc.login"), UINT64_MAX, text);
    cr_assert_str_eq(text, "18446744073709551615");
    for (size_t i = 0; i < sim_param_count; i++) {
        struct sim_params p = {0};
        sim_params_format(&sim_param_table[i], sim_param_table[i].dflt, text);
        cr_expect_eq(sim_params_set(&p, sim_param_table[i].name, text, NULL, 0), 0);
        cr_expect_eq(sim_params_get(&p, &sim_param_table[i]), sim_param_table[i].dflt);
    }
}

/* ---- rules between parameters ---- */

static const struct {
    const char *settings[3][2];
    const char *why; /* NULL = allowed */
} combinations[] = {
    {{{"ports", "4"}}, NULL},
    {{{"card", "0x0600"}}, NULL},
    {{{"card", "0x0624"}}, NULL},
    {{{"card", "0x0500"}}, "card = 0x0500 is none of 0x04F0, 0x0600, 0x0624"},
    {{{"media.block_size", "512"}}, NULL},
    {{{"media.block_size", "520"}}, "media.block_size = 520 is neither 512 nor 4096"},
    {{{"irq.min", "4"}, {"irq.max", "4"}}, NULL},
    {{{"irq.min", "5"}, {"irq.max", "4"}}, "irq.min = 5 is more than irq.max = 4"},
    {{{"afu.xlt.entries", "0"}}, NULL},
    {{{"afu.xlt.entries", "1"}}, NULL},
    {{{"afu.xlt.entries", "4096"}}, NULL},
    {{{"afu.xlt.entries", "3"}}, "afu.xlt.entries = 3 is neither 0 nor a power of two"},
    {{{"psl.buffer_read_latency", "3"}}, NULL},
    {{{"psl.buffer_read_latency", "2"}}, "psl.buffer_read_latency = 2 is neither 1 nor 3"},
    {{{"port_sel.reads_zero", "1"}, {"ports", "4"}}, NULL},
    {{{"port_sel.reads_zero", "1"}, {"ports", "1"}},
     "port_sel.reads_zero = 1 stands for two ports, but ports = 1"},
    {{{"ctx.first", "511"}}, NULL},
    {{{"ctx.first", "3"}, {"contexts", "4"}}, NULL},
    {{{"ctx.first", "4"}, {"contexts", "4"}}, "ctx.first = 4 leaves no handle below contexts = 4"},
};

Test(sim_params, rules_between_parameters)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(combinations); i++) {
        struct sim_params p;
        char why[200] = "";
        int rc;
        sim_params_default(&p);
        for (unsigned k = 0; k < 3 && combinations[i].settings[k][0]; k++)
            cr_assert_eq(sim_params_set(&p, combinations[i].settings[k][0],
                                        combinations[i].settings[k][1], why, sizeof why),
                         0, "%s", why);
        rc = sim_params_validate(&p, why, sizeof why);
        cr_expect_eq(rc, combinations[i].why ? -EINVAL : 0, "%zu: %s", i, why);
        cr_expect(!strcmp(why, combinations[i].why ? combinations[i].why : ""), "%s", why);
    }
    PROVES(SL_0_3);
}

Test(sim_params, validate_checks_fields_that_code_has_set)
{
    struct sim_params p;
    char why[200];

    sim_params_default(&p);
    p.media_jitter = 101;
    cr_assert_eq(sim_params_validate(&p, why, sizeof why), -EINVAL);
    cr_assert_str_eq(why, "media.jitter = 101 is out of its range, 0 to 100 (percent)");
    cr_assert_eq(sim_params_validate(&p, NULL, 0), -EINVAL);
}

/* either mode, both, or an AFU that predates the register. */
Test(sim_params, validate_takes_every_interface_version)
{
    static const uint64_t versions[] = {UINT64_C(0x8000000000010002), UINT64_C(0x4000000000010002),
                                        UINT64_C(0xC000000000010002), UINT64_MAX, 0};
    struct sim_params p;

    sim_params_default(&p);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(versions); i++) {
        p.interface_version = versions[i];
        cr_assert_eq(sim_params_validate(&p, NULL, 0), 0);
    }
}

Test(sim_params, profiles_are_valid)
{
    static const char *const names[] = {"flashsystem", "flashgt", "zero"};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(names); i++) {
        struct sim_params p;
        char why[200] = "";
        cr_assert_eq(sim_params_profile(&p, names[i]), 0);
        cr_expect_eq(sim_params_validate(&p, why, sizeof why), 0, "%s: %s", names[i], why);
    }
}

/* ---- files ---- */

/* Each test has a folder of its own as working directory, so that sentences are known literally. */
static void enter_folder(void)
{
    const char *base = getenv("TEST_TMPDIR");
    char folder[256];

    snprintf(folder, sizeof folder, "%s/sim_params_test.XXXXXX", base ? base : P_tmpdir);
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
    char folder[512];

    cr_assert_not_null(getcwd(folder, sizeof folder));
    (void)unlink("params.txt");
    (void)rmdir("params.txt");
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(rmdir(folder), 0);
}

TestSuite(sim_params_file, .init = enter_folder, .fini = leave_folder);

static void write_file(const char *text, size_t size)
{
    FILE *f = fopen("params.txt", "w");

    cr_assert_not_null(f);
    cr_assert_eq(fwrite(text, 1, size, f), size);
    cr_assert_eq(fclose(f), 0);
}

static int load(struct sim_params *p, const char *text, size_t size, char why[256])
{
    why[0] = 0;
    write_file(text, size);
    return sim_params_load(p, "params.txt", why, 256);
}

Test(sim_params_file, values_comments_blanks_and_profile)
{
    static const char text[] = "# a card\n"
                               "\n"
                               "   \t \r\n"
                               "profile = flashgt\r\n"
                               "  media.jitter\t=  10   # percent\n"
                               "afu.cmd_room=0x20#no blank\n"
                               "fc.login = 2M"; /* no newline */
    struct sim_params p, expected;
    char why[256];

    sim_params_default(&p);
    p.ports = 4; /* the profile sets it back */
    cr_assert_eq(sim_params_profile(&expected, "flashgt"), 0);
    expected.media_jitter = 10;
    expected.cmd_room = 32;
    expected.login = 2000000;
    cr_assert_eq(load(&p, text, sizeof text - 1, why), 0, "%s", why);
    cr_assert(!memcmp(&p, &expected, sizeof p));
}

Test(sim_params_file, values_that_it_does_not_name_stay)
{
    struct sim_params p, expected;
    char why[256];

    sim_params_default(&p);
    p.ports = 4;
    expected = p;
    cr_assert_eq(load(&p, "", 0, why), 0);
    cr_assert(!memcmp(&p, &expected, sizeof p));
    cr_assert_eq(load(&p, "ports = 3\n", 10, why), 0);
    expected.ports = 3;
    cr_assert(!memcmp(&p, &expected, sizeof p));
}

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *text;
    size_t size;
    const char *why;
} bad_files[] = {
    {TEXT("ports = 2\n\nirq.min = 17\n"),
     "params.txt:3:11: irq.min = 17 is out of its range, 0 to 16 (interrupts)"},
    {TEXT("ports = two"), "params.txt:1:9: 'two' is not a number: write 75, 0x4F0, 10k or 2M for "
                          "ports (ports)"},
    {TEXT("ports = 2 3"), "params.txt:1:9: '2 3' is not a number: write 75, 0x4F0, 10k or 2M for "
                          "ports (ports)"},
    {TEXT("# x\n  prots = 2\n"),
     "params.txt:2:3: there is no parameter 'prots'; did you mean 'ports'?"},
    {TEXT("ports\n"), "params.txt:1:6: '=' must follow the name"},
    {TEXT("ports 2\n"), "params.txt:1:7: '=' must follow the name"},
    {TEXT("ports =  \n"), "params.txt:1:8: the value is missing"},
    {TEXT("ports = # 2\n"), "params.txt:1:8: the value is missing"},
    {TEXT("  = 2\n"), "params.txt:1:3: the name in front of '=' is missing"},
    {TEXT("\n[card]\n"), "params.txt:2:1: a line begins with a name or with '#'"},
    {TEXT("\xEF\xBB\xBFports = 2\n"), "params.txt:1:1: a line begins with a name or with '#'"},
    {TEXT("ports = 2\nprofile = zero\n"),
     "params.txt:2:11: the profile must come first, because it would undo the lines above"},
    {TEXT("profile = slow\n"), "params.txt:1:11: there is no profile 'slow'; there are "
                               "flashsystem, flashgt and zero"},
    {TEXT("ports = 2\n#\nports = 3\n"), "params.txt:3:1: ports was already set in line 1"},
    {TEXT("ports = 2\0\n"), "params.txt:1:10: a byte of value 0; this is not a text file"},
    {TEXT("# a\n#\0\n"), "params.txt:2:2: a byte of value 0; this is not a text file"},
};

Test(sim_params_file, errors_name_line_and_column)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad_files); i++) {
        struct sim_params p, before;
        char why[256];
        sim_params_default(&p);
        before = p;
        cr_expect_eq(load(&p, bad_files[i].text, bad_files[i].size, why), -EINVAL);
        cr_expect(!strcmp(why, bad_files[i].why), "got '%s'\nnot '%s'", why, bad_files[i].why);
        cr_expect(!memcmp(&p, &before, sizeof p), "%s", why);
    }
}

Test(sim_params_file, failure_leaves_all_values)
{
    struct sim_params p, before;
    char why[256];

    sim_params_default(&p);
    before = p;
    cr_assert_eq(load(&p, TEXT("ports = 3\nports\n"), why), -EINVAL);
    cr_assert(!memcmp(&p, &before, sizeof p));
    cr_assert_eq(sim_params_load(&p, "params.txt", NULL, 0), -EINVAL);
}

Test(sim_params_file, long_lines)
{
    size_t size = 1 << 20;
    char *text = malloc(size), why[256];
    struct sim_params p;

    cr_assert_not_null(text);
    sim_params_default(&p);
    memset(text, 'x', size);
    cr_assert_eq(load(&p, text, size, why), -EINVAL);
    cr_assert_str_eq(why, "params.txt:1:201: the line has more than 200 characters");
    memset(text, ' ', size);
    memcpy(text, "ports = 3", 9);
    cr_assert_eq(load(&p, text, size, why), -EINVAL);
    text[9] = '#'; /* a comment may have any length */
    cr_assert_eq(load(&p, text, size, why), 0, "%s", why);
    cr_assert_eq(p.ports, 3);
    free(text);
}

Test(sim_params_file, what_is_no_file)
{
    struct sim_params p;
    char why[256];

    sim_params_default(&p);
    cr_assert_eq(sim_params_load(&p, "params.txt", why, sizeof why), -ENOENT);
    cr_assert_str_eq(why, "params.txt: No such file or directory");
    cr_assert_eq(mkdir("params.txt", 0700), 0);
    cr_assert_eq(sim_params_load(&p, "params.txt", why, sizeof why), -EISDIR);
    cr_assert_str_eq(why, "params.txt: Is a directory");
    cr_assert_eq(sim_params_load(&p, "/dev/zero", why, sizeof why), -EINVAL);
    cr_assert_str_eq(why, "/dev/zero:1:1: a byte of value 0; this is not a text file");
}
