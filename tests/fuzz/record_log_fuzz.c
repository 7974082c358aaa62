/* SPDX-License-Identifier: Apache-2.0 */
/* Two ways to misuse a record log, chosen by the first byte of the input:
 *   even   the rest is the area itself, however it came about
 *   odd    the rest is a program of appends, compactions, crashes and damage, run beside a model
 * A load must succeed with records that were written, in order, or say why not. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hal/support/check.h"
#include "hal/support/record_log.h"
#include "tests/testlib/fake_area.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 512, PROGRAM_AREA = 8192, LENGTH_MAX = 700 };

/* A record in the model: a number, of which its bytes are made, and its length. */
struct record {
    uint16_t id, length;
};

struct list {
    size_t count;
    struct record r[RECORDS_MAX];
};

static struct fake_area area;
static struct hal_record_log slog;
static struct list model, loaded;
static bool unsettled; /* a crash may have left two live halves, and nothing was written since */

static const uint8_t *bytes_of(struct record r)
{
    static uint8_t bytes[LENGTH_MAX];

    for (size_t i = 0; i < r.length; i++)
        bytes[i] = (uint8_t)(r.id + (r.id >> 8) * i);
    return bytes;
}

/* ---- an area made of the input ---- */

static int count_record(void *arg, const void *record, size_t length)
{
    CHECK(record && length > 0 && length <= HAL_RECORD_MAX);
    ++*(size_t *)arg;
    return 0;
}

static int no_records(void *arg, hal_record_fn emit, void *sink)
{
    (void)arg, (void)emit, (void)sink;
    return 0;
}

static size_t count_records(void)
{
    size_t count = 0;
    int rc;

    CHECK(hal_record_log_init(&slog, &area.area) == 0);
    rc = hal_record_load(&slog.store, count_record, &count);
    CHECK(rc == 0 || rc == -EILSEQ || rc == -ENOTSUP || rc == -EINVAL);
    return rc ? SIZE_MAX : count;
}

/* What can be loaded can be written to. */
static void run_image(const uint8_t *data, size_t size)
{
    size_t count;

    fake_area_init(&area, size < HAL_RECORD_LOG_AREA_MIN ? HAL_RECORD_LOG_AREA_MIN : size);
    memcpy(area.bytes, data, size);
    count = count_records();
    if (count != SIZE_MAX) {
        if (hal_record_append(&slog.store, "x", 1) == 0)
            CHECK(count_records() == count + 1);
        CHECK(hal_record_compact(&slog.store, no_records, NULL) == 0);
        CHECK(count_records() == 0);
    }
    fake_area_fini(&area);
}

/* ---- a program ---- */

/* Finds out which record of the model it is: the one in its place. */
static int take_record(void *arg, const void *record, size_t length)
{
    struct record r;

    (void)arg;
    CHECK(loaded.count < model.count);
    r = model.r[loaded.count];
    CHECK(length == r.length && memcmp(record, bytes_of(r), length) == 0);
    loaded.r[loaded.count++] = r;
    return 0;
}

static int list_model(void *arg, hal_record_fn emit, void *sink)
{
    const struct list *l = arg;
    int rc = 0;

    for (size_t i = 0; i < l->count && !rc; i++)
        rc = emit(sink, bytes_of(l->r[i]), l->r[i].length);
    return rc;
}

static int reload(void)
{
    loaded.count = 0;
    CHECK(hal_record_log_init(&slog, &area.area) == 0);
    return hal_record_load(&slog.store, take_record, NULL);
}

/* Appends, with the model ahead of the log while the device fails. */
static void append(uint16_t id, uint16_t n)
{
    struct record r = {.id = id, .length = (uint16_t)(1 + n % LENGTH_MAX)};
    int rc;

    if (model.count == RECORDS_MAX)
        return;
    rc = hal_record_append(&slog.store, bytes_of(r), r.length);
    model.r[model.count] = r;
    model.count += rc == 0;
    unsettled = unsettled && rc;
    if (rc != -EIO)
        return;
    /* The process dies here: the record may be there, or not. */
    area.fail_after = FAKE_AREA_NEVER;
    unsettled = true;
    model.count++;
    CHECK(reload() == 0 && loaded.count + 1 >= model.count);
    model = loaded;
}

/* Keeps the first few records. A list that is a prefix of the other needs no model of its own. */
static void compact(size_t keep)
{
    static struct list shorter;
    int rc;

    shorter = model;
    shorter.count = model.count ? keep % (model.count + 1) : 0;
    rc = hal_record_compact(&slog.store, list_model, &shorter);
    unsettled = area.fail_after != FAKE_AREA_NEVER;
    if (rc == -EIO) {
        area.fail_after = FAKE_AREA_NEVER;
        CHECK(reload() == 0 && (loaded.count == model.count || loaded.count == shorter.count));
        shorter = loaded;
    } else {
        CHECK(rc == 0);
    }
    model = shorter;
}

/* One byte of the area changes, and changes back. Only the last record may vanish unnoticed. */
static void damage(size_t at, uint8_t bits)
{
    int rc;

    area.bytes[at % PROGRAM_AREA] ^= bits;
    rc = reload();
    CHECK(rc == -EILSEQ || (rc == 0 && loaded.count + 1 >= model.count));
    area.bytes[at % PROGRAM_AREA] ^= bits;
    CHECK(reload() == 0 && loaded.count == model.count);
}

static void run_program(const uint8_t *data, size_t size)
{
    model.count = 0;
    unsettled = false;
    fake_area_init(&area, PROGRAM_AREA);
    CHECK(reload() == 0);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint16_t n = (uint16_t)(data[i + 1] << 8 | data[i + 2]);

        if (data[i] < 150)
            append(data[i], n);
        else if (data[i] < 180)
            compact(n);
        else if (data[i] < 240) {
            area.fail_after = data[i] % 8;
            area.fail_count = UINT64_MAX;
            area.fail_keep = n;
        } else if (area.fail_after == FAKE_AREA_NEVER && !unsettled) {
            damage((size_t)n * 8 + data[i + 3] % 8, data[i + 3]);
        }
    }
    fake_area_fini(&area);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        run_program(data + 1, size - 1);
    else
        run_image(data + 1, size - 1);
    return 0;
}
