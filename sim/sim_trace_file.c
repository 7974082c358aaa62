/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_trace_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/crc32c.h"
#include "sim/sim_trace_format.h"

#define BATCH 64u /* records that are encoded together */

struct sim_trace_file {
    struct sim_trace_output output;
    unsigned adapters;
    uint64_t count, hash, cycle; /* of the records in the file; cycle: of the last one */
};

/* ---- head ---- */

/* The head in memory; `at` counts also while there is none (the first pass measures it). */
struct head {
    uint8_t *bytes;
    size_t at;
};

static void put(struct head *h, const void *from, size_t n)
{
    if (h->bytes)
        memcpy(h->bytes + h->at, from, n);
    h->at += n;
}

static void put_text(struct head *h, const char *text) { put(h, text, strlen(text) + 1); }

static void put16(struct head *h, uint16_t v)
{
    xe16_t x = xe16_of(SIM_TRACE_FILE_ORDER, v);

    put(h, &x, sizeof x);
}

static void put64(struct head *h, uint64_t v)
{
    xe64_t x = xe64_of(SIM_TRACE_FILE_ORDER, v);

    put(h, &x, sizeof x);
}

static void put_kinds(struct head *h)
{
    for (unsigned k = 0; k < SIM_EVENT_COUNT; k++) {
        const struct sim_event_info *e = &sim_event_table[k];

        put_text(h, e->name);
        put_text(h, e->track);
        put_text(h, e->who);
        put_text(h, e->a);
        put_text(h, e->b);
    }
}

/* Returns how many parameters of an adapter differ. */
static uint32_t put_differences(struct head *h, unsigned adapter, const struct sim_trace_info *info)
{
    uint32_t count = 0;
    size_t k = 0;

    while ((k = sim_trace_next_difference(info, adapter, k)) < sim_param_count) {
        const struct sim_param_info *row = &sim_param_table[k++];

        put16(h, (uint16_t)adapter);
        put64(h, sim_params_get(info->params[adapter], row));
        put64(h, row->dflt);
        put_text(h, row->name);
        put_text(h, row->unit);
        count++;
    }
    return count;
}

/* The text of the head, behind the fixed part. */
static uint32_t put_body(struct head *h, const struct sim_trace_info *info)
{
    uint32_t differences = 0;

    h->at = sizeof(struct sim_trace_file_head);
    put_kinds(h);
    for (unsigned n = 0; n < info->adapters; n++)
        differences += put_differences(h, n, info);
    return differences;
}

static void put_fixed(struct head *h, size_t bytes, uint32_t differences,
                      const struct sim_trace_info *info)
{
    const enum hal_order o = SIM_TRACE_FILE_ORDER;
    struct sim_trace_file_head fixed = {
        .version = xe32_of(o, SIM_TRACE_FILE_VERSION),
        .bytes = xe32_of(o, (uint32_t)bytes),
        .record_bytes = xe32_of(o, sizeof(struct sim_trace_file_record)),
        .seed = xe64_of(o, info->seed),
        .adapters = xe16_of(o, (uint16_t)info->adapters),
        .kinds = xe16_of(o, SIM_EVENT_COUNT),
        .differences = xe32_of(o, differences),
        .cycle_ns = xe32_of(o, SIM_TRACE_CYCLE_NS),
    };

    memcpy(fixed.magic, SIM_TRACE_FILE_MAGIC, SIM_TRACE_FILE_MAGIC_BYTES);
    memcpy(h->bytes, &fixed, sizeof fixed);
    fixed.crc = xe32_of(
        o, hal_crc32c(0, h->bytes + SIM_TRACE_FILE_CRC_FROM, bytes - SIM_TRACE_FILE_CRC_FROM));
    memcpy(h->bytes, &fixed, sizeof fixed);
}

/* Returns 0 or -ENOMEM. */
static int put_head(FILE *file, const struct sim_trace_info *info)
{
    struct head h = {0};
    uint32_t differences = put_body(&h, info);
    size_t bytes = hal_align_up(h.at, 8);

    h.bytes = calloc(1, bytes);
    if (!h.bytes)
        return -ENOMEM;
    (void)put_body(&h, info);
    put_fixed(&h, bytes, differences, info);
    fwrite_unlocked(h.bytes, 1, bytes, file);
    free(h.bytes);
    return 0;
}

int sim_trace_file_open(const char *path, const struct sim_trace_info *info,
                        struct sim_trace_file **out, char *why, size_t size)
{
    struct sim_trace_output *o;
    struct sim_trace_file *f;
    int rc = sim_trace_output_open(path, info, sizeof *f, &o, why, size);

    if (rc)
        return rc;
    f = HAL_CONTAINER_OF(o, struct sim_trace_file, output);
    f->adapters = info->adapters;
    f->hash = HAL_HASH_START;
    errno = 0;
    o->error = put_head(o->file, info);
    if (o->error)
        return sim_trace_output_close(o, why, size);
    (void)sim_trace_output_check(o);
    *out = f;
    return 0;
}

/* ---- records ---- */

static struct sim_trace_file_record encode(struct sim_trace_file *f,
                                           const struct sim_trace_record *r)
{
    const enum hal_order o = SIM_TRACE_FILE_ORDER;

    f->hash = sim_trace_hash_add(f->hash, r->cycle, sim_trace_id(r->kind, r->adapter, r->who), r->a,
                                 r->b);
    f->cycle = r->cycle;
    f->count++;
    return (struct sim_trace_file_record){
        .cycle = xe64_of(o, r->cycle),
        .kind = xe16_of(o, r->kind),
        .adapter = xe16_of(o, r->adapter),
        .who = xe32_of(o, r->who),
        .a = xe64_of(o, r->a),
        .b = xe64_of(o, r->b),
        .hash = xe64_of(o, f->hash),
    };
}

void sim_trace_file_records(void *arg, const struct sim_trace_record *records, size_t count)
{
    struct sim_trace_file *f = arg;
    struct sim_trace_file_record batch[BATCH];
    size_t n = 0;

    if (f->output.error)
        return;
    errno = 0;
    for (size_t i = 0; i < count; i++) {
        if (records[i].adapter < f->adapters && records[i].kind < SIM_EVENT_COUNT)
            batch[n++] = encode(f, &records[i]);
        if (n == BATCH || i + 1 == count) {
            fwrite_unlocked(batch, sizeof *batch, n, f->output.file);
            n = 0;
        }
    }
    (void)sim_trace_output_check(&f->output);
}

int sim_trace_file_close(struct sim_trace_file *f, char *why, size_t size)
{
    const enum hal_order o = SIM_TRACE_FILE_ORDER;
    struct sim_trace_file_record end = {
        .cycle = xe64_of(o, f->cycle),
        .kind = xe16_of(o, SIM_TRACE_FILE_END),
        .a = xe64_of(o, f->count),
        .b = xe64_of(o, f->hash),
        .hash = xe64_of(o, f->hash),
    };

    errno = 0;
    if (!f->output.error)
        fwrite_unlocked(&end, sizeof end, 1, f->output.file);
    (void)sim_trace_output_check(&f->output);
    return sim_trace_output_close(&f->output, why, size);
}
