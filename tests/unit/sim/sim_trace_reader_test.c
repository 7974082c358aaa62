/* SPDX-License-Identifier: Apache-2.0 */
/* Reading binary trace files: what was written comes back, whatever happened to the rest of the
 * file, and no damage goes unnoticed. */
#include "sim/sim_trace_reader.h"

#include <errno.h>
#include <string.h>

#include "hal/support/crc32c.h"
#include "hal/support/prng.h"
#include "sim/sim_trace_file.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_trace_output_fixture.h"

#define RECORDS (SIM_EVENT_COUNT + 8u) /* each kind is there */

static struct sim_trace trace;
static struct sim_trace_record written[RECORDS];
static struct sim_trace_reader *reader;
static char why[400];
static uint8_t *bytes; /* of the file */
static size_t size;

static void random_records(void)
{
    struct hal_prng p;

    hal_prng_seed(&p, 13, 0);
    for (unsigned i = 0; i < RECORDS; i++) {
        struct sim_trace_record *r = &written[i];

        *r = (struct sim_trace_record){
            .cycle = i ? r[-1].cycle + hal_prng_below(&p, 3) : 7,
            .kind = (uint16_t)(i % SIM_EVENT_COUNT),
            .adapter = (uint16_t)hal_prng_below(&p, 2),
            .who = (uint32_t)hal_prng_next(&p),
            .a = hal_prng_next(&p),
            .b = hal_prng_next(&p),
        };
        sim_trace_add(&trace, r->cycle, (enum sim_event_kind)r->kind, r->adapter, r->who, r->a,
                      r->b);
    }
}

/* Writes the file of most tests: two adapters, the second with other parameters. */
static void init(void)
{
    struct sim_params p[2];
    const struct sim_params *params[] = {&p[0], &p[1]};
    struct sim_trace_info info = {.seed = 99, .adapters = 2, .params = params};
    struct sim_trace_file *file;

    make_path();
    sim_params_default(&p[0]);
    sim_params_default(&p[1]);
    p[1].card = 0x0600;
    p[1].cmd_room = 4;
    cr_assert_eq(sim_trace_file_open(path, &info, &file, why, sizeof why), 0, "%s", why);
    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, sim_trace_file_records, file);
    random_records();
    sim_trace_set_sink(&trace, NULL, NULL);
    cr_assert_eq(sim_trace_file_close(file, why, sizeof why), 0, "%s", why);
    bytes = (uint8_t *)contents(&size);
}

static void fini(void)
{
    sim_trace_reader_close(reader);
    reader = NULL;
    free(bytes);
    remove_path();
}

TestSuite(sim_trace_reader, .init = init, .fini = fini);

static size_t head_bytes(void) { return bytes[16] | (size_t)bytes[17] << 8; }

/* Makes the CRC of a changed head right. */
static void seal_head(void)
{
    uint32_t crc = hal_crc32c(0, bytes + 16, head_bytes() - 16);

    for (unsigned i = 0; i < 4; i++)
        bytes[12 + i] = (uint8_t)(crc >> 8 * i);
}

/* Makes a file of the first n bytes. */
static void store(size_t n)
{
    FILE *f = fopen(path, "w");

    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, n, f), n);
    cr_assert_eq(fclose(f), 0);
}

static int open_again(void)
{
    sim_trace_reader_close(reader);
    reader = NULL;
    why[0] = 0;
    return sim_trace_reader_open(path, &reader, why, sizeof why);
}

/* Reads on to the end, which must give the records that were written; their number. */
static unsigned read_all(void)
{
    struct sim_trace_record r;
    unsigned n = 0;
    int rc;

    while ((rc = sim_trace_reader_next(reader, &r)) == 1) {
        cr_assert_lt(n, RECORDS);
        cr_assert_eq(memcmp(&r, &written[n], sizeof r), 0, "record %u", n);
        n++;
    }
    cr_assert_eq(rc, 0);
    cr_assert_eq(sim_trace_reader_count(reader), n);
    return n;
}

static int end(void)
{
    why[0] = 0;
    return sim_trace_reader_end(reader, why, sizeof why);
}

static void expect_sentence(const char *part)
{
    cr_assert_eq(strncmp(why, path, strlen(path)), 0, "%s", why);
    cr_assert(strstr(why, part), "%s", why);
}

/* ---- sound files ---- */

Test(sim_trace_reader, what_was_written_comes_back)
{
    cr_assert_eq(open_again(), 0, "%s", why);
    cr_assert_eq(read_all(), RECORDS);
    cr_assert_eq(end(), 0, "%s", why);
    cr_assert_eq(sim_trace_reader_hash(reader), sim_trace_hash(&trace));
}

Test(sim_trace_reader, head_says_seed_adapters_and_parameters)
{
    const struct sim_trace_head *h;

    cr_assert_eq(open_again(), 0, "%s", why);
    h = sim_trace_reader_head(reader);
    cr_assert_eq(h->seed, 99);
    cr_assert_eq(h->adapters, 2);
    cr_assert_eq(h->cycle_ns, 4);
    PROVES(TM_20);
    cr_assert_eq(h->differences, 2);
    cr_assert_str_eq(h->difference[0].name, "card");
    cr_assert_str_eq(h->difference[0].unit, "PCI device");
    cr_assert_eq(h->difference[0].adapter, 1);
    cr_assert_eq(h->difference[0].value, 0x0600);
    cr_assert_eq(h->difference[0].dflt, 0x04F0);
    cr_assert_str_eq(h->difference[1].name, "afu.cmd_room");
    cr_assert_eq(h->difference[1].value, 4);
    cr_assert_eq(h->difference[1].dflt, 16);
}

/* ---- files of another build ---- */

static char *find_name(const char *name)
{
    for (size_t i = 48; i < head_bytes(); i++)
        if (!strcmp((char *)bytes + i, name))
            return (char *)bytes + i;
    cr_assert_fail("no %s", name);
    return NULL;
}

/* A kind is known if its name and its fields are. */
Test(sim_trace_reader, kinds_are_matched_by_name)
{
    struct sim_trace_record r;
    char *decode = find_name("decode"), *drop = find_name("xlt.drop");
    unsigned n = 0;

    memcpy(decode, "decoda", 6); /* a kind that is not known here */
    memcpy(drop + strlen("xlt.drop") + 1 + strlen("xlt") + 1, "cantext", 7); /* another meaning */
    seal_head();
    store(size);
    cr_assert_eq(open_again(), 0, "%s", why);
    for (; sim_trace_reader_next(reader, &r) == 1; n++) {
        const struct sim_event_info *e = sim_trace_reader_kind(reader, r.kind);

        cr_assert_eq(r.who, written[n].who);
        if (written[n].kind == SIM_EVENT_DECODE) {
            cr_assert_geq(r.kind, SIM_EVENT_COUNT);
            cr_assert_str_eq(e->name, "decoda");
            cr_assert_str_eq(e->a, "request");
        } else if (written[n].kind == SIM_EVENT_XLT_DROP) {
            cr_assert_geq(r.kind, SIM_EVENT_COUNT);
            cr_assert_str_eq(e->who, "cantext");
        } else {
            cr_assert_eq(r.kind, written[n].kind);
            cr_assert_eq(e, &sim_event_table[r.kind]);
        }
    }
    cr_assert_eq(n, RECORDS);
    cr_assert_eq(end(), 0, "%s", why);
}

/* The names decide, not the numbers. */
Test(sim_trace_reader, numbers_of_kinds_may_differ)
{
    struct sim_trace_record r;
    unsigned n = 0;
    /* These two change places. */
    char fetch[] = "fetch\0fetch\0slot\0context\0address",
         ioasa[] = "ioasa\0status\0slot\0ioasc\0resid";
    char *f = find_name("fetch"), *i = find_name("ioasa");

    cr_assert_eq(memcmp(f, fetch, sizeof fetch), 0);
    cr_assert_eq(memcmp(i, ioasa, sizeof ioasa), 0);
    memmove(f + sizeof ioasa, f + sizeof fetch, (size_t)(i - f) - sizeof fetch);
    memcpy(f, ioasa, sizeof ioasa);
    memcpy(i + sizeof ioasa - sizeof fetch, fetch, sizeof fetch);
    seal_head();
    store(size);
    cr_assert_eq(open_again(), 0, "%s", why);
    for (; sim_trace_reader_next(reader, &r) == 1; n++)
        cr_assert_eq(r.kind, written[n].kind == SIM_EVENT_FETCH   ? SIM_EVENT_IOASA
                             : written[n].kind == SIM_EVENT_IOASA ? SIM_EVENT_FETCH
                                                                  : written[n].kind);
    cr_assert_eq(n, RECORDS);
}

Test(sim_trace_reader, a_newer_version_is_refused)
{
    bytes[8] = 2;
    store(size);
    cr_assert_eq(open_again(), -ENOTSUP);
    expect_sentence(": has version 2 of the format, this superpipe reads up to 1");
    bytes[8] = 0;
    store(size);
    cr_assert_eq(open_again(), -EILSEQ);
}

/* ---- cut files ---- */

Test(sim_trace_reader, a_cut_file_is_readable_up_to_the_cut)
{
    for (size_t n = head_bytes(); n < size; n++) {
        store(n);
        cr_assert_eq(open_again(), 0, "%s", why);
        cr_assert_eq(read_all(), (n - head_bytes()) / 40);
        cr_assert_eq(end(), -ENODATA);
        expect_sentence(": was cut after ");
    }
}

Test(sim_trace_reader, a_cut_head_is_no_trace)
{
    for (size_t n = 0; n < head_bytes(); n++) {
        store(n);
        cr_assert_eq(open_again(), -EILSEQ, "%zu", n);
        expect_sentence(n < 48 ? ": is no trace file of superpipe"
                               : ": the head of the trace file is damaged");
    }
}

/* ---- damaged files ---- */

Test(sim_trace_reader, every_changed_byte_is_found)
{
    for (size_t at = 0; at < size; at++) {
        int rc;

        bytes[at] ^= (uint8_t)(1u << at % 8);
        store(size);
        bytes[at] ^= (uint8_t)(1u << at % 8);
        rc = open_again();
        if (at < head_bytes()) {
            cr_assert(rc == -EILSEQ || rc == -ENOTSUP, "byte %zu: %d", at, rc);
            continue;
        }
        cr_assert_eq(rc, 0);
        if (at >= size - 40) { /* the end mark: its cycle and who mean nothing */
            cr_assert_eq(read_all(), RECORDS);
            continue;
        }
        cr_assert_eq(read_all(), (at - head_bytes()) / 40, "byte %zu", at);
        cr_assert_eq(end(), -EILSEQ);
        expect_sentence(": a record is damaged: only the ");
    }
}

Test(sim_trace_reader, an_end_mark_that_lies_is_found)
{
    bytes[size - 24] ^= 1; /* number of records */
    store(size);
    cr_assert_eq(open_again(), 0);
    cr_assert_eq(read_all(), RECORDS);
    cr_assert_eq(end(), -EILSEQ);
    expect_sentence(": its end mark does not fit: ");
    bytes[size - 24] ^= 1;
    bytes[size - 16] ^= 1; /* hash */
    store(size);
    cr_assert_eq(open_again(), 0);
    cr_assert_eq(read_all(), RECORDS);
    cr_assert_eq(end(), -EILSEQ);
}

Test(sim_trace_reader, what_follows_the_end_mark_is_found)
{
    FILE *f = fopen(path, "a");

    cr_assert_not_null(f);
    putc(0, f);
    fclose(f);
    cr_assert_eq(open_again(), 0);
    cr_assert_eq(read_all(), RECORDS);
    cr_assert_eq(end(), -EILSEQ);
    expect_sentence(": something follows its end mark: ");
}

/* Heads with a right CRC and wrong contents. */
static void expect_bad_head(size_t at, unsigned n, uint64_t value)
{
    uint8_t before[8];

    memcpy(before, bytes + at, n);
    for (unsigned i = 0; i < n; i++)
        bytes[at + i] = (uint8_t)(value >> 8 * i);
    seal_head();
    store(size);
    cr_assert_eq(open_again(), -EILSEQ, "%zu = %llu", at, (unsigned long long)value);
    expect_sentence(": the head of the trace file is damaged");
    memcpy(bytes + at, before, n);
}

Test(sim_trace_reader, impossible_heads)
{
    expect_bad_head(16, 2, head_bytes() + 4); /* records must be aligned */
    expect_bad_head(20, 4, 48);               /* bytes of a record */
    expect_bad_head(32, 2, 0);                /* adapters */
    expect_bad_head(32, 2, 65);
    expect_bad_head(32, 2, 1); /* the difference is one of adapter 1 */
    expect_bad_head(34, 2, 0); /* kinds */
    expect_bad_head(34, 2, 0xFFFF);
    expect_bad_head(34, 2, SIM_EVENT_COUNT + 3);
    expect_bad_head(36, 4, 3); /* differences */
    expect_bad_head(36, 4, UINT32_MAX);
    expect_bad_head(40, 4, 0);    /* ns of a cycle */
    expect_bad_head(50, 1, 0x1B); /* would talk to the terminal */
}

Test(sim_trace_reader, other_files_are_refused_with_a_sentence)
{
    remove_path();
    cr_assert_eq(open_again(), -ENOENT);
    expect_sentence(": No such file or directory");
    cr_assert_eq(sim_trace_reader_open("/", &reader, why, sizeof why), -EISDIR);
    cr_assert_str_eq(why, "/: Is a directory");
    cr_assert_eq(sim_trace_reader_open("/", &reader, NULL, 0), -EISDIR);
    cr_assert_eq(sim_trace_reader_open("/dev/null", &reader, why, sizeof why), -EILSEQ);
    cr_assert_str_eq(why, "/dev/null: is no trace file of superpipe");
}
