/* SPDX-License-Identifier: Apache-2.0 */
/* The binary trace file, byte for byte where sim_trace_format.h says what stands where. */
#include "sim/sim_trace_file.h"

#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/crc32c.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_trace_output_fixture.h"

static struct sim_trace trace;
static struct sim_trace_file *file;
static uint8_t *bytes;
static size_t size;

static void start(const struct sim_trace_info *info)
{
    char why[400] = "";

    cr_assert_eq(sim_trace_file_open(path, info, &file, why, sizeof why), 0, "%s", why);
    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, sim_trace_file_records, file);
}

/* Ends the writer and reads all of the file. */
static void finish(void)
{
    char why[400] = "";

    sim_trace_set_sink(&trace, NULL, NULL);
    cr_assert_eq(sim_trace_file_close(file, why, sizeof why), 0, "%s", why);
    bytes = (uint8_t *)contents(&size);
}

static void fini(void)
{
    free(bytes);
    remove_path();
}

TestSuite(sim_trace_file, .init = make_path, .fini = fini);

/* n bytes, the least significant one first. */
static uint64_t number(size_t at, unsigned n)
{
    uint64_t v = 0;

    cr_assert_leq(at + n, size);
    while (n--)
        v = v << 8 | bytes[at + n];
    return v;
}

static size_t head_bytes(void) { return number(16, 4); }

static const char *next_text(size_t *at)
{
    const char *text = (const char *)bytes + *at;

    *at += strlen(text) + 1;
    return text;
}

Test(sim_trace_file, fixed_part_of_the_head)
{
    struct sim_trace_info info = {.seed = 0x0123456789ABCDEF, .adapters = 3};

    start(&info);
    finish();
    cr_assert_eq(memcmp(bytes, "SPTRACE\n", 8), 0);
    cr_assert_eq(number(8, 4), 1, "version");
    cr_assert_eq(head_bytes() % 8, 0);
    cr_assert_eq(number(12, 4), hal_crc32c(0, bytes + 16, head_bytes() - 16));
    cr_assert_eq(number(20, 4), 40, "bytes of a record");
    cr_assert_eq(number(24, 8), 0x0123456789ABCDEF);
    cr_assert_eq(number(32, 2), 3, "adapters");
    cr_assert_eq(number(34, 2), SIM_EVENT_COUNT);
    cr_assert_eq(number(36, 4), 0, "differences");
    cr_assert_eq(number(40, 4), 4, "ns of a cycle");
    cr_assert_eq(number(44, 4), 0);
    cr_assert_eq(size, head_bytes() + 40);
}

/* A reader of another build needs the names (and the parameters: TM-20). */
Test(sim_trace_file, head_names_kinds_and_parameters_that_differ)
{
    struct sim_params p[2];
    const struct sim_params *params[] = {&p[0], &p[1]};
    struct sim_trace_info info = {.adapters = 2, .params = params};
    size_t at = 48;

    sim_params_default(&p[0]);
    sim_params_default(&p[1]);
    p[1].card = 0x0624;
    start(&info);
    finish();
    for (unsigned k = 0; k < SIM_EVENT_COUNT; k++) {
        cr_assert_str_eq(next_text(&at), sim_event_table[k].name);
        cr_assert_str_eq(next_text(&at), sim_event_table[k].track);
        cr_assert_str_eq(next_text(&at), sim_event_table[k].who);
        cr_assert_str_eq(next_text(&at), sim_event_table[k].a);
        cr_assert_str_eq(next_text(&at), sim_event_table[k].b);
    }
    PROVES(TM_20);
    cr_assert_eq(number(36, 4), 1);
    cr_assert_eq(number(at, 2), 1, "adapter");
    cr_assert_eq(number(at + 2, 8), 0x0624);
    cr_assert_eq(number(at + 10, 8), 0x04F0);
    at += 18;
    cr_assert_str_eq(next_text(&at), "card");
    cr_assert_str_eq(next_text(&at), "PCI device");
    cr_assert_leq(at, head_bytes());
    while (at < head_bytes())
        cr_assert_eq(bytes[at++], 0);
}

Test(sim_trace_file, largest_head_fits)
{
    struct sim_params p;
    const struct sim_params *params[SIM_TRACE_ADAPTERS_MAX];
    struct sim_trace_info info = {.adapters = SIM_TRACE_ADAPTERS_MAX, .params = params};

    memset(&p, 0x55, sizeof p); /* no default is this */
    for (unsigned i = 0; i < SIM_TRACE_ADAPTERS_MAX; i++)
        params[i] = &p;
    start(&info);
    finish();
    cr_assert_eq(number(36, 4), SIM_TRACE_ADAPTERS_MAX * sim_param_count);
    cr_assert_lt(head_bytes(), 1 << 19, "a reader takes twice that");
}

Test(sim_trace_file, records_and_end_mark)
{
    struct sim_trace_info info = {.adapters = 2};
    size_t at;

    start(&info);
    sim_trace_add(&trace, 0x1122334455667788, SIM_EVENT_DATA, 1, 0xA1A2A3A4, 0xB1B2B3B4B5B6B7B8,
                  0xC1C2C3C4C5C6C7C8);
    sim_trace_add(&trace, 0x1122334455667789, SIM_EVENT_RRQ, 0, 3, 4, 5);
    finish();
    at = head_bytes();
    cr_assert_eq(size, at + 3 * 40);
    cr_assert_eq(number(at, 8), 0x1122334455667788);
    cr_assert_eq(number(at + 8, 2), SIM_EVENT_DATA);
    cr_assert_eq(number(at + 10, 2), 1);
    cr_assert_eq(number(at + 12, 4), 0xA1A2A3A4);
    cr_assert_eq(number(at + 16, 8), 0xB1B2B3B4B5B6B7B8);
    cr_assert_eq(number(at + 24, 8), 0xC1C2C3C4C5C6C7C8);
    cr_assert_neq(number(at + 32, 8), sim_trace_hash(&trace));
    cr_assert_eq(number(at + 40 + 32, 8), sim_trace_hash(&trace));
    at += 2 * 40;
    cr_assert_eq(number(at, 8), 0x1122334455667789);
    cr_assert_eq(number(at + 8, 2), 0xFFFF);
    cr_assert_eq(number(at + 10, 6), 0);
    cr_assert_eq(number(at + 16, 8), 2, "records");
    cr_assert_eq(number(at + 24, 8), sim_trace_hash(&trace));
    cr_assert_eq(number(at + 32, 8), sim_trace_hash(&trace));
}

/* The hash of the file is that of the trace, over any number of rings and batches. */
Test(sim_trace_file, long_traces_keep_their_hash)
{
    struct sim_trace_info info = {.adapters = 1};
    const unsigned counts[] = {0, 1, 63, 64, 65, 1024, 5000};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(counts); i++) {
        start(&info);
        for (unsigned n = 0; n < counts[i]; n++)
            sim_trace_add(&trace, n, SIM_EVENT_FETCH, 0, n % 256, n, n);
        finish();
        cr_assert_eq(size, head_bytes() + 40 * (counts[i] + 1));
        cr_assert_eq(number(size - 24, 8), counts[i]);
        cr_assert_eq(number(size - 16, 8), sim_trace_hash(&trace));
        free(bytes);
        bytes = NULL;
    }
}

/* Records that no reader could understand. */
Test(sim_trace_file, unknown_records_are_left_out)
{
    static const struct sim_trace_record r[] = {
        {.cycle = 5, .kind = SIM_EVENT_COUNT},
        {.cycle = 5, .kind = SIM_EVENT_FETCH, .adapter = 1},
        {.cycle = 6, .kind = SIM_EVENT_FETCH, .who = UINT32_MAX},
        {.cycle = 7, .kind = UINT16_MAX},
    };
    struct sim_trace_info info = {.adapters = 1};

    start(&info);
    sim_trace_file_records(file, r, HAL_ARRAY_LENGTH(r));
    finish();
    cr_assert_eq(size, head_bytes() + 2 * 40);
    cr_assert_eq(number(head_bytes(), 8), 6);
}

Test(sim_trace_file, failures_are_a_sentence)
{
    struct sim_trace_info info = {.adapters = 1};
    char why[400];

    cr_assert_eq(sim_trace_file_open("/nowhere/x.trace", &info, &file, why, sizeof why), -ENOENT);
    cr_assert_str_eq(why, "/nowhere/x.trace: No such file or directory");
    if (access("/dev/full", W_OK))
        cr_skip_test("no /dev/full");
    for (unsigned records = 0; records <= 20000; records += 20000) {
        cr_assert_eq(sim_trace_file_open("/dev/full", &info, &file, why, sizeof why), 0);
        sim_trace_init(&trace, true);
        sim_trace_set_sink(&trace, sim_trace_file_records, file);
        for (unsigned i = 0; i < records; i++)
            sim_trace_add(&trace, i, SIM_EVENT_FETCH, 0, i % 256, i, i);
        sim_trace_set_sink(&trace, NULL, NULL);
        cr_assert_eq(sim_trace_file_close(file, why, sizeof why), -ENOSPC);
        cr_assert_str_eq(why, "/dev/full: No space left on device");
    }
}
