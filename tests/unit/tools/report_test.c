/* SPDX-License-Identifier: Apache-2.0 */
/* The table and the JSON object of a run, from made-up results. */
#include "tools/report.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct workload_config config;
static struct workload_result result;
static struct report report;
static char table[8192];

static void init(void)
{
    static const struct workload_status good = {0};

    config = (struct workload_config){.seed = 0x1234567890ABCDEF,
                                      .clients = 8,
                                      .handles = 4,
                                      .bytes = 16 << 20,
                                      .mix = {1, 1, {{4096, 1}}},
                                      .read_percent = 70,
                                      .depth = 16,
                                      .duration_ns = 1000000000,
                                      .verify = true};
    memset(&result, 0, sizeof result);
    for (int d = 0; d < WORKLOAD_DIRECTIONS; d++)
        histogram_init(&result.direction[d].latency);
    for (unsigned i = 1; i <= 1000; i++)
        histogram_record(&result.direction[WORKLOAD_READ].latency, i * 1000);
    result.direction[WORKLOAD_READ].ios = 1000;
    result.direction[WORKLOAD_READ].bytes = 4096000;
    result.load_ns = 500000000;
    result.total_ns = 600000000;
    result.wall_ns = 300000000;
    result.verified = 1000;
    workload_count_status(&result, &good, 1000);
    report = (struct report){.config = &config,
                             .result = &result,
                             .replay = "superpipe run --seed 0x1",
                             .adapters = 1,
                             .luns = 2,
                             .lun_bytes = UINT64_C(16) << 30,
                             .trace_hash = 0xABC,
                             .trace_records = 12345};
}

TestSuite(report, .init = init);

static const char *print_table(void)
{
    FILE *f = fmemopen(table, sizeof table, "w");

    cr_assert_not_null(f);
    report_table(f, &report);
    fclose(f);
    return table;
}

static cJSON *parse_json(void)
{
    char *text = report_json(&report);
    cJSON *json;

    cr_assert_not_null(text);
    cr_assert_eq(text[strlen(text) - 1], '\n');
    json = cJSON_Parse(text);
    cr_assert_not_null(json, "%s", text);
    free(text);
    return json;
}

static double number(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    cr_assert(cJSON_IsNumber(item), "%s", name);
    return item->valuedouble;
}

static const char *string(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    cr_assert(cJSON_IsString(item), "%s", name);
    return item->valuestring;
}

/* ---- the table ---- */

Test(report, table_of_a_good_run)
{
    const char *t = print_table();

    cr_assert(strstr(t, "1 adapter with 2 LUNs of 16 GiB, 8 clients with 4 virtual LUNs of 16 MiB "
                        "each\n"),
              "%s", t);
    cr_assert(strstr(t, "Blocks of 4 KiB, 70 % reads, depth 16, for 1 s of device time, verified"));
    cr_assert(strstr(t, "read          1,000       2,000    7.8 MiB/s   500 us"), "%s", t);
    cr_assert(strstr(t, "write             0           0        0 B/s        -"), "%s", t);
    cr_assert(strstr(t, "Commands           1,000 good\n"), "%s", t);
    cr_assert(strstr(t, "(2 : 1)"), "%s", t);
    cr_assert(strstr(t, "hash 0x0000000000000abc\n"), "%s", t);
    cr_assert(strstr(t, "Result     good\n"), "%s", t);
}

Test(report, columns_of_the_table_line_up)
{
    char *line, *at = (char *)(uintptr_t)print_table();
    size_t width = 0;
    int rows = 0;

    while ((line = strsep(&at, "\n"))) {
        if (!strstr(line, "IOPS") && strncmp(line, "read ", 5) && strncmp(line, "write ", 6) &&
            strncmp(line, "all ", 4))
            continue;
        cr_assert(!width || strlen(line) == width, "%s", line);
        width = strlen(line);
        rows++;
    }
    cr_assert_eq(rows, 4);
    cr_assert_leq(width, 110);
}

Test(report, table_of_a_bad_run)
{
    struct workload_status bad = {
        .status = -EIO, .scsi_rc = 2, .sense_key = 3, .asc = 0x11, .ascq = 0};

    workload_count_status(&result, &bad, 3);
    result.errors = 3;
    result.mismatches = 1;
    snprintf(result.first_mismatch, sizeof result.first_mismatch, "that one");
    print_table();
    cr_assert(strstr(table, "                       3 EIO, SCSI status 0x02 CHECK_CONDITION, sense "
                            "3/11/00\n"),
              "%s", table);
    cr_assert(strstr(table, "1 WRONG\n"), "%s", table);
    cr_assert(strstr(table, "First wrong block: that one\n"), "%s", table);
    cr_assert(strstr(table, "Result     FAILED: 3 I/O errors, 1 wrong block\n"), "%s", table);
}

Test(report, a_run_that_never_began_has_no_table)
{
    report.failure = "no room";
    result.load_ns = 0;
    cr_assert_str_eq(print_table(), "");
}

/* Both have counters; the table names what went wrong only. */
Test(report, events)
{
    char *json;

    report.counter[0] = (struct spipe_counter){"state", SPIPE_SEVERITY_NOTICE, 4};
    report.counter[1] = (struct spipe_counter){"heartbeat", SPIPE_SEVERITY_WARNING, 1234};
    report.counter[2] = (struct spipe_counter){"open_failed", SPIPE_SEVERITY_ERROR, 0};
    print_table();
    cr_assert_not_null(strstr(table, "Events             1,234 times heartbeat (warning)\n"));
    cr_assert_null(strstr(table, "times state"));
    cr_assert_null(strstr(table, "open_failed"));
    json = report_json(&report);
    cr_assert_not_null(strstr(json, "\"state\":\t4"));
    cr_assert_not_null(strstr(json, "\"open_failed\":\t0"));
    free(json);
}

Test(report, table_names_rules)
{
    const char *text;

    report.violations = 2;
    report.violations_text = "2 x sq.tail (R-21)";
    report.model_errors = 1;
    report.model_errors_text = "1 x bus.tag (TM-3)";
    text = print_table();
    cr_assert(strstr(text, "2 accesses that a correct host never makes: 2 x sq.tail (R-21)\n"),
              "%s", text);
    cr_assert(strstr(text, "a fault of this program: 1 x bus.tag (TM-3)\n"), "%s", text);
    cr_assert(strstr(text, "FAILED"));
}

Test(report, table_names_invariants)
{
    const char *text;

    cr_assert_null(strstr(print_table(), "invariant"));
    report.checked = true;
    report.checks = 1234;
    cr_assert(strstr(print_table(), "1,234 times all invariants\n"), "%s", table);
    report.broken = 2;
    report.broken_text = "cycle 5: INV-4: a chunk";
    text = print_table();
    cr_assert(strstr(text, "broken 2 times, which is a fault of this program: cycle 5: INV-4"),
              "%s", text);
    cr_assert(strstr(text, "FAILED"));
}

/* CF-6: a planned fault that did not happen is no success. */
Test(report, table_names_faults)
{
    const char *text;

    report.faults = "rrq%20=d+fc#9=x";
    report.resolved = "rrq#20=d";
    report.unreached = "fc#9=x";
    report.faults_fired = 1;
    text = print_table();
    cr_assert(strstr(text, "1 fired of plan rrq%20=d+fc#9=x\n"), "%s", text);
    cr_assert(strstr(text, "at rrq#20=d\n"), "%s", text);
    cr_assert(strstr(text, "Never reached: fc#9=x\n"), "%s", text);
    cr_assert(strstr(text, "FAILED: 0 I/O errors, 0 wrong blocks, a fault that never happened"));
    cr_assert_not(report_passed(&report));
}

Test(report, what_passes)
{
    cr_assert(report_passed(&report));
    result.errors = 1;
    cr_assert_not(report_passed(&report));
    result.errors = 0;
    result.mismatches = 1;
    cr_assert_not(report_passed(&report));
    result.mismatches = 0;
    report.violations = 1;
    cr_assert_not(report_passed(&report));
    report.violations = 0;
    report.model_errors = 1;
    cr_assert_not(report_passed(&report));
    report.model_errors = 0;
    report.broken = 1;
    cr_assert_not(report_passed(&report));
    report.broken = 0;
    report.failure = "";
    cr_assert(report_passed(&report));
    report.failure = "stopped";
    cr_assert_not(report_passed(&report));
}

/* ---- the object ---- */

Test(report, json_has_identity_and_verdict)
{
    char *text = report_json(&report);
    cJSON *json = parse_json();

    cr_assert(strstr(text, "1311768467294899695"), "the seed with all digits");
    free(text);
    cr_assert_str_eq(string(json, "trace_hash"), "0x0000000000000abc");
    cr_assert_str_eq(string(json, "replay"), "superpipe run --seed 0x1");
    cr_assert_eq(number(json, "errors"), 0);
    cr_assert_eq(number(json, "mismatches"), 0);
    cr_assert_eq(number(json, "iops"), 2000);
    cr_assert_eq(number(json, "simulated_per_wall"), 2);
    cr_assert(cJSON_IsTrue(cJSON_GetObjectItem(json, "passed")));
    cJSON_Delete(json);
}

Test(report, json_of_threads_has_no_hash)
{
    cJSON *json;

    report.threads = true;
    json = parse_json();
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(json, "trace_hash")));
    cr_assert_str_eq(string(json, "exec"), "posix");
    cJSON_Delete(json);
}

Test(report, json_has_the_keys_of_fio)
{
    static const char *const keys[] = {"io_bytes", "io_kbytes", "bw_bytes",  "bw",      "iops",
                                       "runtime",  "total_ios", "short_ios", "drop_ios"};
    cJSON *json = parse_json(), *job, *read, *latency, *percentile;

    job = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "jobs"), 0);
    cr_assert_not_null(job);
    cr_assert_eq(number(job, "error"), 0);
    read = cJSON_GetObjectItem(job, "read");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        number(read, keys[i]);
    cr_assert_eq(number(read, "iops"), 2000);
    cr_assert_eq(number(read, "bw_bytes"), 8192000);
    cr_assert_eq(number(read, "bw"), 8000);
    cr_assert_eq(number(read, "runtime"), 500);
    latency = cJSON_GetObjectItem(read, "clat_ns");
    cr_assert_eq(number(latency, "min"), 1000);
    cr_assert_eq(number(latency, "max"), 1000000);
    cr_assert_eq(number(latency, "mean"), 500500);
    cr_assert_eq(number(latency, "N"), 1000);
    percentile = cJSON_GetObjectItem(latency, "percentile");
    cr_assert_gt(number(percentile, "99.000000"), 989999);
    cr_assert_lt(number(percentile, "50.000000"), 508000);
    cr_assert_not_null(cJSON_GetObjectItem(percentile, "99.990000"));
    cr_assert_gt(cJSON_GetArraySize(cJSON_GetObjectItem(latency, "bins")), 100);
    cJSON_Delete(json);
}

/* ---- statuses ---- */

Test(report, statuses_are_told_apart_and_never_overflow)
{
    struct workload_status s = {.status = -EIO};
    uint64_t sum = 0;

    for (unsigned i = 0; i < 2 * WORKLOAD_STATUS_MAX; i++) {
        s.afu_rc = (uint8_t)i;
        workload_count_status(&result, &s, 1);
        workload_count_status(&result, &s, 1);
    }
    cr_assert_eq(result.status_count, WORKLOAD_STATUS_MAX);
    cr_assert_eq(result.status[0].commands, 1000);
    cr_assert_eq(result.status[1].commands, 2);
    for (unsigned i = 0; i < WORKLOAD_STATUS_MAX; i++)
        sum += result.status[i].commands;
    cr_assert_eq(sum, 1000 + 4 * WORKLOAD_STATUS_MAX, "nothing is lost");
}
